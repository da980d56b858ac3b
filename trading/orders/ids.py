"""The forms of the ids we make for a client, and of those a client may bring."""

import re
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

from trading.orders.canonical import dec_str, json_text, micros
from trading.vocabulary import Side

MAX_AMENDS = 1295
"""Two base-36 characters number the versions 01..ZZ of one order."""

_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ULID = r"[0-7][0-9A-HJKMNP-TV-Z]{25}"
_VALID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,35}")
_RESERVED = re.compile(rf"{_ULID}(?:\.[0-9]+|-[CRX][0-9]+)?")
_EXPIRY = re.compile(rf"{_ULID}-X[0-9]+")


def is_valid_cl_ord_id(text: str) -> bool:
    """1-36 of A-Z a-z 0-9 . _ - and not starting with a dot or a dash."""
    return _VALID.fullmatch(text) is not None


def is_reserved_cl_ord_id(text: str) -> bool:
    """Whether a client's id has the form of one we make ourselves (refused at the door)."""
    return _RESERVED.fullmatch(text) is not None


def child_id(parent_id: str, n: int) -> str:
    """``cl_ord_id`` of the n-th child of an algorithm order."""
    return f"{parent_id}.{n}"


def leg_id(list_id: str, leg: int) -> str:
    """``cl_ord_id`` of a leg of an order list."""
    return f"{list_id}.{leg}"


def cancel_id(order_id: str, n: int) -> str:
    """``cl_ord_id`` of the n-th cancel the client sent without one."""
    return f"{order_id}-C{n}"


def expiry_id(order_id: str, n: int) -> str:
    """``cl_ord_id`` of the n-th cancel by which we end an order at its time for its venue."""
    return f"{order_id}-X{n}"


def is_expiry_id(text: str) -> bool:
    """Whether a cancel of this id ends an order because its time has come."""
    return _EXPIRY.fullmatch(text) is not None


def replace_id(order_id: str, n: int) -> str:
    """``cl_ord_id`` of the n-th replace the client sent without one."""
    return f"{order_id}-R{n}"


def venue_cl_ord_id(order_id: str, version: int, *, hex_length: int | None = None) -> str:
    """Return the id a version carries to the venue: the order's ULID, then 01..ZZ.

    ``hex_length`` is for venues with a form of their own: that many characters of the hex
    SHA-256 of the plain id. :raises ValueError: past ``MAX_AMENDS``.
    """
    if not 0 <= version <= MAX_AMENDS:
        raise ValueError(f"version {version} is outside 0..{MAX_AMENDS}")
    plain = order_id
    if version:
        high, low = divmod(version, 36)
        plain = f"{order_id}{_BASE36[high]}{_BASE36[low]}"
    return plain if hex_length is None else sha256(plain.encode()).hexdigest()[:hex_length]


def execution_fingerprint(
    *,
    account: str,
    order_id: str,
    trade_time: datetime,
    side: Side,
    last_qty: Decimal,
    last_px: Decimal,
    n: int,
) -> str:
    """An ``exec_id`` for venues that give none; ``n`` counts equal fills within one page."""
    return fingerprint(
        account=account,
        order_id=order_id,
        at=micros(trade_time),
        side=side.value,
        qty=dec_str(last_qty),
        px=dec_str(last_px),
        n=n,
    )


def fingerprint(**parts: object) -> str:
    """32 hex characters that depend on the named parts and nothing else."""
    return sha256(json_text(parts).encode()).hexdigest()[:32]
