"""Every pair of status and report decided, as data, and the status pairs that may follow.

A cell says what a report means to an order in that status. The status that results is always
computed from the facts; the cells only say whether facts are taken, and how.
"""

from enum import StrEnum

from trading.vocabulary import ExecType, OrdStatus


class Cell(StrEnum):
    """What happens to a report.

    FOLD: its facts are taken, the status is computed. SAME: it says nothing new. QUERY: nothing
    new, but the venue is asked. LATE: booked after the end. OVERFILL: booked beyond the quantity.
    PARK: impossible, kept aside. PARK_UNLESS_EARLIER: parked unless it precedes the closing.
    UNFILLED_ONLY: folded at cum_qty 0, else parked. UNRESOLVED_ONLY: folded if its request is
    open, else SAME. HOLD: waits for the trade it refers to. STATUS: compared, see ``status``.
    """

    FOLD = "B"
    SAME = "="
    QUERY = "=Q"
    LATE = "L"
    OVERFILL = "O"
    PARK = "!"
    PARK_UNLESS_EARLIER = "!late"
    UNFILLED_ONLY = "c0"
    UNRESOLVED_ONLY = "u"
    HOLD = "hold"
    STATUS = "I"


COLUMNS = (
    OrdStatus.PENDING_NEW,
    OrdStatus.NEW,
    OrdStatus.PARTIALLY_FILLED,
    OrdStatus.FILLED,
    OrdStatus.DONE_FOR_DAY,
    OrdStatus.PENDING_CANCEL,
    OrdStatus.PENDING_REPLACE,
    OrdStatus.CANCELED,
    OrdStatus.REJECTED,
    OrdStatus.EXPIRED,
    OrdStatus.SUSPENDED,
    OrdStatus.STOPPED,
)

# Columns:                    PNEW NEW  PART FILL DONE PCXL PRPL CANC REJ  EXP  SUSP STOP
_ROWS: dict[ExecType, str] = {
    ExecType.PENDING_NEW:     "=    =    =    =    =    =    =    =    =    =    =    =",
    ExecType.NEW:             "B    =    =    =    =    B    B    =Q   !    =Q   B    =",
    ExecType.TRADE:           "B    B    B    O    B    B    B    L    L    L    B    B",
    ExecType.CANCELED:        "B    B    B    =Q   B    B    B    =    =    =    B    B",
    ExecType.EXPIRED:         "B    B    B    =Q   B    B    B    =    =    =    B    B",
    ExecType.REJECTED:        "B    B    !    !    c0   c0   c0   =    =    =    c0   c0",
    ExecType.PENDING_CANCEL:  "u    u    u    u    u    u    u    =    =    =    u    u",
    ExecType.PENDING_REPLACE: "u    u    u    u    u    u    u    =    =    =    u    u",
    ExecType.REPLACED:        "B    B    B    B    B    B    B    !late ! !late  B    B",
    ExecType.REQUEST_REFUSED: "B    B    B    =    B    B    B    =    =    =    B    B",
    ExecType.DONE_FOR_DAY:    "B    B    B    =    =    B    B    =    =    =    B    B",
    ExecType.SUSPENDED:       "B    B    B    =    B    B    B    =    =Q   =    =    B",
    ExecType.STOPPED:         "B    B    B    =    B    B    B    =Q   =Q   =Q   B    B",
    ExecType.TRIGGERED:       "B    B    B    =    =    =    =    =Q   =Q   =Q   B    =",
    ExecType.RESTATED:        "B    B    B    B    B    B    B    !late ! !late  B    B",
    ExecType.TRADE_CORRECT:   "hold hold B    B    B    B    B    L    hold L    B    B",
    ExecType.TRADE_CANCEL:    "hold hold B    B    B    B    B    L    hold L    B    B",
    ExecType.ORDER_STATUS:    "I    I    I    I    I    I    I    I    I    I    I    I",
}  # fmt: skip

TABLE: dict[ExecType, dict[OrdStatus, Cell]] = {
    exec_type: dict(zip(COLUMNS, map(Cell, row.split()), strict=True))
    for exec_type, row in _ROWS.items()
}

_ALL = frozenset(OrdStatus)
_S = OrdStatus

ALLOWED_STATUS_CHANGES: dict[OrdStatus, frozenset[OrdStatus]] = {
    _S.PENDING_NEW: _ALL,
    _S.NEW: _ALL - {_S.PENDING_NEW},
    _S.PARTIALLY_FILLED: _ALL - {_S.PENDING_NEW, _S.REJECTED},
    # A bust uncovers whatever else the venue had said; DONE_FOR_DAY also when that word came
    # late and the fill that completed the order after it.
    _S.FILLED: _ALL - {_S.PENDING_NEW, _S.REJECTED},
    # STOPPED and SUSPENDED: an order that outlives the day wakes up as it went to sleep.
    _S.DONE_FOR_DAY: _ALL - {_S.PENDING_NEW},
    _S.PENDING_CANCEL: _ALL,
    _S.PENDING_REPLACE: _ALL,
    # CANCELED and EXPIRED: of two endings the earlier by the venue's order counts.
    _S.CANCELED: frozenset({_S.FILLED, _S.EXPIRED}),
    _S.EXPIRED: frozenset({_S.FILLED, _S.CANCELED}),
    _S.REJECTED: frozenset({_S.PARTIALLY_FILLED, _S.FILLED, _S.NEW, _S.CANCELED, _S.EXPIRED}),
    _S.SUSPENDED: _ALL - {_S.PENDING_NEW},
    _S.STOPPED: _ALL - {_S.PENDING_NEW},
}


def is_allowed(before: OrdStatus, after: OrdStatus) -> bool:
    """Whether a stored order may go from one status to the other (staying is always allowed)."""
    return before is after or after in ALLOWED_STATUS_CHANGES[before]


def allowed_pairs() -> list[tuple[str, str]]:
    """Every change of status a database trigger must let pass, sorted."""
    return sorted(
        (before.value, after.value)
        for before, afters in ALLOWED_STATUS_CHANGES.items()
        for after in afters
        if before is not after
    )
