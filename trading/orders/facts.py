"""The kinds of fact an order is made of, and how each is written as JSON.

Decimals are text in their one spelling, instants are microseconds, what is absent is left out:
the same facts always give the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from trading.orders import wire
from trading.orders.canonical import (
    dec_str,
    instant,
    micros,
    opt_dec,
    opt_dec_str,
    opt_instant,
    opt_micros,
)
from trading.orders.intent import OrderIntent
from trading.vocabulary import OrdRejReason, OrdStatus, TimeInForce

Json = dict[str, Any]

DAY_LIKE = frozenset({TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK})
CLOSED_STATUSES = frozenset(
    {OrdStatus.FILLED, OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.REJECTED}
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an amendment may change. Quantities are totals, prices per unit."""

    order_qty: Decimal
    price: Decimal | None = None
    stop_px: Decimal | None = None
    display_qty: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    expire_time: datetime | None = None
    trail_offset: Decimal | None = None
    limit_offset: Decimal | None = None


def terms_of(intent: OrderIntent) -> Terms:
    """Return the amendable part of an intent whose time in force is filled in."""
    if intent.time_in_force is None:
        raise ValueError("the default time in force is filled in before an intent has terms")
    return Terms(**wire.values(intent, wire.TERMS))


class VersionState(StrEnum):
    """How far one link of the amend chain has come. SUPERSEDED is computed, never stored."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    SUPERSEDED = "SUPERSEDED"
    REJECTED = "REJECTED"


class Version(NamedTuple):
    """One link of the amend chain. A change nobody asked for has no ``cl_ord_id`` of its own.

    ``venue_seq`` and ``accepted_at`` say when the venue put it in force (None: from the start),
    ``exec_id`` which report did (None: we know it from other words, and it was so by then).
    """

    number: int
    cl_ord_id: str | None
    venue_cl_ord_id: str | None
    terms: Terms
    state: VersionState
    order_id: str | None = None
    venue_seq: int | None = None
    accepted_at: datetime | None = None
    exec_id: str | None = None

    @property
    def is_concluded(self) -> bool:
        """In force by evidence: the venue's own word on it has not come."""
        return (
            self.state is VersionState.ACCEPTED
            and self.number > 0
            and self.cl_ord_id is not None
            and self.exec_id is None
        )


@dataclass(frozen=True, slots=True)
class Closing:
    """How the order ended: CANCELED, EXPIRED or REJECTED, and when by the venue."""

    closed_as: OrdStatus
    transact_time: datetime
    venue_seq: int | None = None
    unsolicited: bool = False
    text: str = ""
    ord_rej_reason: OrdRejReason | None = None


class Mark(NamedTuple):
    """A flag with a lifetime: the latest word on it by the venue's order.

    ``qty`` and ``px`` belong to STOPPED, the execution the venue guarantees.
    """

    on: bool
    transact_time: datetime
    venue_seq: int | None = None
    qty: Decimal | None = None
    px: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Trailed:
    """How far a trail kept here has come: the best price since its activation, and its stop.

    ``stop_px`` is None after an amendment of the distance: it follows from the anchor again.
    """

    anchor_px: Decimal
    stop_px: Decimal | None = None


def write_terms(terms: Terms) -> Json:
    """Terms as JSON values."""
    return wire.write(terms, wire.TERMS)


def read_terms(content: Mapping[str, Any]) -> Terms:
    """Read what ``write_terms`` wrote. :raises KeyError, ValueError:"""
    if "time_in_force" not in content:
        raise KeyError("time_in_force")
    return Terms(**wire.read(content, wire.TERMS))


def write_version(version: Version) -> Json:
    """A version as JSON values."""
    return without_none(
        number=version.number,
        cl_ord_id=version.cl_ord_id,
        venue_cl_ord_id=version.venue_cl_ord_id,
        terms=write_terms(version.terms),
        state=version.state.value,
        order_id=version.order_id,
        venue_seq=version.venue_seq,
        accepted_at=opt_micros(version.accepted_at),
        exec_id=version.exec_id,
    )


def read_version(content: Mapping[str, Any]) -> Version:
    """Read what ``write_version`` wrote. :raises KeyError, ValueError:"""
    return Version(
        number=content["number"],
        cl_ord_id=content.get("cl_ord_id"),
        venue_cl_ord_id=content.get("venue_cl_ord_id"),
        terms=read_terms(content["terms"]),
        state=VersionState(content["state"]),
        order_id=content.get("order_id"),
        venue_seq=content.get("venue_seq"),
        accepted_at=opt_instant(content.get("accepted_at")),
        exec_id=content.get("exec_id"),
    )


def write_closing(closing: Closing | None) -> Json | None:
    """A closing as JSON values."""
    if closing is None:
        return None
    return without_none(
        closed_as=closing.closed_as.value,
        transact_time=micros(closing.transact_time),
        venue_seq=closing.venue_seq,
        unsolicited=closing.unsolicited or None,
        text=closing.text or None,
        ord_rej_reason=closing.ord_rej_reason and closing.ord_rej_reason.value,
    )


def read_closing(content: Mapping[str, Any] | None) -> Closing | None:
    """Read what ``write_closing`` wrote. :raises KeyError, ValueError:"""
    if content is None:
        return None
    reason = content.get("ord_rej_reason")
    return Closing(
        closed_as=OrdStatus(content["closed_as"]),
        transact_time=instant(content["transact_time"]),
        venue_seq=content.get("venue_seq"),
        unsolicited=content.get("unsolicited", False),
        text=content.get("text", ""),
        ord_rej_reason=None if reason is None else OrdRejReason(reason),
    )


def write_mark(mark: Mark | None) -> Json | None:
    """A flag as JSON values."""
    if mark is None:
        return None
    return without_none(
        on=mark.on,
        transact_time=micros(mark.transact_time),
        venue_seq=mark.venue_seq,
        qty=opt_dec_str(mark.qty),
        px=opt_dec_str(mark.px),
    )


def read_mark(content: Mapping[str, Any] | None) -> Mark | None:
    """Read what ``write_mark`` wrote. :raises KeyError, ValueError:"""
    if content is None:
        return None
    return Mark(
        on=content["on"],
        transact_time=instant(content["transact_time"]),
        venue_seq=content.get("venue_seq"),
        qty=opt_dec(content.get("qty")),
        px=opt_dec(content.get("px")),
    )


def write_trailed(trailed: Trailed | None) -> Json | None:
    """A trail's progress as JSON values."""
    if trailed is None:
        return None
    return without_none(anchor_px=dec_str(trailed.anchor_px), stop_px=opt_dec_str(trailed.stop_px))


def read_trailed(content: Mapping[str, Any] | None) -> Trailed | None:
    """Read what ``write_trailed`` wrote. :raises KeyError, ValueError:"""
    if content is None:
        return None
    return Trailed(Decimal(content["anchor_px"]), opt_dec(content.get("stop_px")))


def without_none(**content: Any) -> Json:
    """Leave out what is absent."""
    return {name: value for name, value in content.items() if value is not None}
