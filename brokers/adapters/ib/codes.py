"""What the error codes of TWS mean for an order (public message codes of the TWS API)."""

from enum import StrEnum

from trading.vocabulary import CxlRejReason, OrdRejReason


class Effect(StrEnum):
    """What a code says about the order or request it names."""

    REFUSED = "REFUSED"
    """The new order, or its new terms, are not taken: definite."""
    CANCEL_REFUSED = "CANCEL_REFUSED"
    """The cancel had no effect. The order may be done, unknown there, or alive."""
    ENDED = "ENDED"
    """The order is cancelled; the status message that goes with it says the same."""
    AMBIGUOUS = "AMBIGUOUS"
    """It may concern an earlier attempt: only a look-up tells."""
    NOTED = "NOTED"
    """A warning, or a code nobody listed: kept with the order, changes nothing."""


REFUSALS: dict[int, OrdRejReason] = {
    104: OrdRejReason.VENUE,
    105: OrdRejReason.VENUE,
    106: OrdRejReason.VENUE,
    107: OrdRejReason.VENUE,
    109: OrdRejReason.VENUE,
    111: OrdRejReason.VENUE,
    113: OrdRejReason.VENUE,
    116: OrdRejReason.VENUE,
    117: OrdRejReason.VENUE,
    118: OrdRejReason.VENUE,
    119: OrdRejReason.VENUE,
    120: OrdRejReason.VENUE,
    121: OrdRejReason.VENUE,
    124: OrdRejReason.VENUE,
    125: OrdRejReason.VENUE,
    126: OrdRejReason.VENUE,
    132: OrdRejReason.VENUE,
    133: OrdRejReason.VENUE,
    200: OrdRejReason.UNKNOWN_SYMBOL,
    201: OrdRejReason.VENUE,
    203: OrdRejReason.UNKNOWN_SYMBOL,
    321: OrdRejReason.VENUE,
    387: OrdRejReason.VENUE,
    388: OrdRejReason.VENUE,
    434: OrdRejReason.VENUE,
}
"""Codes after which a new order that has not worked never will, nor new terms come into force."""

CANCEL_REFUSALS: dict[int, CxlRejReason] = {
    135: CxlRejReason.UNKNOWN_ORDER,
    136: CxlRejReason.TOO_LATE,
    161: CxlRejReason.TOO_LATE,
    10147: CxlRejReason.UNKNOWN_ORDER,
    10148: CxlRejReason.TOO_LATE,
}
CANCELED = 202
DUPLICATE_ID = 103
CLIENT_ID_IN_USE = 326
CONNECTIVITY_LOST, RESTORED_DATA_LOST, RESTORED, PORT_CHANGED = 1100, 1101, 1102, 1300


def effect_of(code: int) -> Effect:
    """Return what a code says of an order.

    >>> [effect_of(code).value for code in (201, 10147, 399)]
    ['REFUSED', 'CANCEL_REFUSED', 'NOTED']
    """
    if code in REFUSALS:
        return Effect.REFUSED
    if code in CANCEL_REFUSALS:
        return Effect.CANCEL_REFUSED
    if code == CANCELED:
        return Effect.ENDED
    if code == DUPLICATE_ID:
        return Effect.AMBIGUOUS
    return Effect.NOTED
