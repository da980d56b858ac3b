"""How the words of an order look: a shape and a word, never a colour alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from portal import kinds
from trading.vocabulary import CommandState, OrdStatus


@dataclass(frozen=True, slots=True)
class Badge:
    """``tone`` names the colour pair, ``title`` is the FIX word and what else is known."""

    mark: str
    word: str
    tone: str
    title: str


_STATUS = {
    OrdStatus.PENDING_NEW: ("\u25cc", "sending", "info"),
    OrdStatus.NEW: ("\u25cb", "working", "info"),
    OrdStatus.PARTIALLY_FILLED: ("\u25d1", "part", "info"),
    OrdStatus.FILLED: ("\u25cf", "filled", "up"),
    OrdStatus.DONE_FOR_DAY: ("\u263e", "done today", "quiet"),
    OrdStatus.PENDING_CANCEL: ("\u25cb\u2192\u2715", "cancelling", "warn"),
    OrdStatus.PENDING_REPLACE: ("\u25cb\u2192\u25cb", "amending", "warn"),
    OrdStatus.CANCELED: ("\u2715", "cancelled", "quiet"),
    OrdStatus.REJECTED: ("\u2298", "rejected", "down"),
    OrdStatus.EXPIRED: ("\u25f7", "expired", "quiet"),
    OrdStatus.SUSPENDED: ("\u2016", "held", "warn"),
    OrdStatus.STOPPED: ("\u25a3", "stopped", "warn"),
}


def status_badge(order: Mapping[str, Any]) -> Badge:
    """Return the badge of an order object of the API."""
    status = OrdStatus(order["ord_status"])
    mark, word, tone = _STATUS[status]
    if status is OrdStatus.PARTIALLY_FILLED:
        word = f"{order['cum_qty']}/{order['order_qty']}"
    if status is OrdStatus.REJECTED and order["ord_rej_reason"] == "RISK":
        word = "denied"
    said = order["text"]
    if kinds.is_waiting(order):
        held = kinds.held_words(order)
        mark, word = "\u25c7", "kept here" if held else "waiting"
        said = ". ".join(filter(None, (kinds.waiting_words(order), held, said)))
    title = f"{status.value}: {said}" if said else status.value
    return Badge(mark, word, tone, title)


def word_badge(status: str) -> Badge:
    """Return the badge of a status by itself, as an event of the past left it."""
    mark, word, tone = _STATUS[OrdStatus(status)]
    partly = status == OrdStatus.PARTIALLY_FILLED
    return Badge(mark, "partly filled" if partly else word, tone, status)


def unknown_badge(pending: Iterable[Mapping[str, Any]]) -> Badge | None:
    """Return the mark of a request whose outcome nobody knows, None where all are known."""
    for row in pending:
        if row["state"] == CommandState.UNKNOWN:
            title = f"the outcome of {row['kind']} is unknown since {row['since']}"
            return Badge("?", "unknown", "unknown", title)
    return None
