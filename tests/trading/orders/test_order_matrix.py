"""Every (status, report) pair is decided as the table of the order semantics says."""

import typing

import pytest
from order_life import E, S, asked, last, order, report, run, trade, view

from trading.orders.fold import Verdict, apply
from trading.orders.state import OrderState
from trading.orders.table import ALLOWED_STATUS_CHANGES, COLUMNS, TABLE, allowed_pairs, is_allowed
from trading.vocabulary import ExecType, OrdStatus

V = Verdict
WORDS = {
    "PNEW": S.PENDING_NEW,
    "NEW": S.NEW,
    "PART": S.PARTIALLY_FILLED,
    "FILL": S.FILLED,
    "DONE": S.DONE_FOR_DAY,
    "PCXL": S.PENDING_CANCEL,
    "PRPL": S.PENDING_REPLACE,
    "CANC": S.CANCELED,
    "REJ": S.REJECTED,
    "EXP": S.EXPIRED,
    "SUSP": S.SUSPENDED,
    "STOP": S.STOPPED,
}

# The published table with its "B" cells worked out for one report each: a status = status after;
# "=" recorded; "=Q" recorded and queried; "=F" a fact is added, the status stays; "L" late,
# "O" overfill, "!" parked, "h" held. Orders are DAY, 10 lots; a trade is 3 lots.
PUBLISHED = """
report          PNEW NEW  PART FILL DONE PCXL PRPL CANC REJ  EXP  SUSP STOP
PENDING_NEW     =    =    =    =    =    =    =    =    =    =    =    =
NEW             NEW  =    =    =    =    =F   =F   =Q   !    =Q   NEW  =
TRADE           PART PART PART O    DONE PCXL PRPL L    L    L    PART STOP
CANCELED        CANC CANC CANC =Q   CANC CANC CANC =    =    =    CANC CANC
EXPIRED         EXP  EXP  EXP  =Q   EXP  EXP  EXP  =    =    =    EXP  EXP
REJECTED        REJ  REJ  !    !    REJ  REJ  REJ  =    =    =    REJ  REJ
PENDING_CANCEL  PCXL PCXL PCXL PCXL PCXL =    PCXL =    =    =    PCXL PCXL
PENDING_REPLACE PRPL PRPL PRPL PRPL PRPL PCXL =    =    =    =    PRPL PRPL
REPLACED        NEW  NEW  PART PART DONE PCXL NEW  !    !    !    NEW  NEW
REQUEST_REFUSED =F   =F   =F   =    =F   NEW  NEW  =    =    =    =F   =F
DONE_FOR_DAY    DONE DONE DONE =    =    PCXL PRPL =    =    =    DONE DONE
SUSPENDED       SUSP SUSP SUSP =    DONE PCXL PRPL =    =Q   =    =    STOP
STOPPED         STOP STOP STOP =    DONE PCXL PRPL =Q   =Q   =Q   STOP =F
TRIGGERED       NEW  =F   =F   =    =    =    =    =Q   =Q   =Q   NEW  =
RESTATED        NEW  NEW  PART PART DONE PCXL PRPL !    !    !    NEW  NEW
TRADE_CORRECT   h    h    PART PART DONE PCXL PRPL L    h    L    SUSP STOP
TRADE_CANCEL    h    h    NEW  PART DONE PCXL PRPL L    h    L    SUSP STOP
ORDER_STATUS    NEW  =    =Q   =Q   =    =    =    =Q   =Q   =Q   =    =
"""


def _expected() -> dict[tuple[ExecType, OrdStatus], str]:
    header, *rows = [line.split() for line in PUBLISHED.strip().splitlines()]
    return {
        (ExecType(row[0]), WORDS[word]): cell
        for row in rows
        for word, cell in zip(header[1:], row[1:], strict=True)
    }


EXPECTED = _expected()


def in_status(status: OrdStatus, *, with_trade: bool = False, acked: bool = True) -> OrderState:
    """An order of 10 in ``status``; optionally with one earlier trade of 4, id "t"."""
    state = order(10)
    steps = [report(E.NEW, 1, order_id="V1")] if acked and status is not S.PENDING_NEW else []
    if with_trade or status is S.PARTIALLY_FILLED:
        steps.append(trade("t", 4, seq=2))
    ways = {
        S.FILLED: [trade("f", 6 if with_trade else 10, seq=3)],
        S.DONE_FOR_DAY: [report(E.DONE_FOR_DAY, 3)],
        S.PENDING_CANCEL: [report(E.PENDING_CANCEL, 3, cl_ord_id="C1")],
        S.PENDING_REPLACE: [report(E.PENDING_REPLACE, 3, cl_ord_id="R1")],
        S.CANCELED: [report(E.CANCELED, 3)],
        S.EXPIRED: [report(E.EXPIRED, 3)],
        S.REJECTED: [report(E.REJECTED, 3)],
        S.SUSPENDED: [report(E.SUSPENDED, 3)],
        S.STOPPED: [report(E.STOPPED, 3, last_qty=5, last_px=99)],
    }
    if status is S.PENDING_REPLACE:
        state = asked(state, "R1", 12)
    return run(state, *steps, *ways.get(status, []))


def arriving(exec_type: ExecType, before: OrdStatus):
    """The report of this type that an order in that status would meet."""
    answers = "R1" if before is S.PENDING_REPLACE else "C1"
    fields: dict[ExecType, dict[str, object]] = {
        E.NEW: {"order_id": "V1"},
        E.TRADE: {"exec_id": "n", "last_qty": 3, "last_px": 101},
        E.PENDING_CANCEL: {"cl_ord_id": "C1"},
        E.PENDING_REPLACE: {"cl_ord_id": "R1"},
        E.REPLACED: {"cl_ord_id": "R1", "orig_cl_ord_id": "X", "order_qty": 12},
        E.REQUEST_REFUSED: {"cl_ord_id": answers, "orig_cl_ord_id": "X"},
        E.STOPPED: {"last_qty": 7, "last_px": 98},
        E.RESTATED: {"order_qty": 12},
        E.TRADE_CORRECT: {"exec_id": "c", "exec_ref_id": "t", "last_qty": 2, "last_px": 100},
        E.TRADE_CANCEL: {"exec_id": "c", "exec_ref_id": "t"},
        E.ORDER_STATUS: {"ord_status": S.NEW, "order_qty": 10, "cum_qty": 0},
    }
    if exec_type is E.ORDER_STATUS and before in {S.PARTIALLY_FILLED, S.FILLED}:
        fields[exec_type]["cum_qty"] = 11
    return report(exec_type, 50, **fields.get(exec_type, {}))


@pytest.mark.parametrize("before", COLUMNS)
@pytest.mark.parametrize("exec_type", ExecType)
def test_pair(exec_type: ExecType, before: OrdStatus) -> None:
    corrects = exec_type in {E.TRADE_CORRECT, E.TRADE_CANCEL}
    bare = {S.PENDING_NEW, S.NEW, S.REJECTED}
    # An acknowledgement tells an order something only if its first one is still to come.
    acked = not (exec_type is E.NEW and before in {S.PENDING_CANCEL, S.PENDING_REPLACE})
    state = in_status(before, with_trade=corrects and before not in bare, acked=acked)
    assert state.ord_status is before
    result = apply(state, arriving(exec_type, before))
    after, cell = result.state, EXPECTED[exec_type, before]
    assert is_allowed(before, after.ord_status)
    if cell in WORDS:
        assert after.ord_status is WORDS[cell]
        assert result.verdict is V.APPLIED
    elif cell == "=":
        assert (result.verdict, after.ord_status) == (V.RECORDED, before)
        assert view(after) == view(state)
    elif cell == "=F":
        assert (result.verdict, after.ord_status) == (V.APPLIED, before)
        assert after != state
        assert after.cum_qty == state.cum_qty
    elif cell == "=Q":
        assert (result.verdict, after.ord_status) == (V.RECORDED_QUERY, before)
        assert result.query is not None
        assert after.cum_qty == state.cum_qty
    elif cell == "L":
        assert result.verdict is V.LATE
        assert after.cum_qty != state.cum_qty
        if before is not S.REJECTED:
            assert after.ord_status is before
            assert after.leaves_qty == 0
    elif cell == "O":
        assert (result.verdict, result.alarm) == (V.OVERFILL, "overfill")
        assert after.ord_status is S.FILLED
        assert after.overfill_qty == 3
    elif cell == "!":
        assert (result.verdict, after) == (V.PARKED, state)
        assert result.alarm == "impossible_report"
        assert result.query is not None
    else:
        assert cell == "h"
        assert result.verdict is V.HELD
        assert view(after) | {"held": ()} == view(state)


def test_the_decision_table_has_no_hole() -> None:
    assert set(TABLE) == set(ExecType)
    assert all(set(row) == set(OrdStatus) for row in TABLE.values())
    assert set(EXPECTED) == {(e, s) for e in ExecType for s in OrdStatus}


@pytest.mark.parametrize("before", COLUMNS)
def test_unknown_exec_type_is_parked_in_every_status(before: OrdStatus) -> None:
    state = in_status(before)
    word = typing.cast("ExecType", "CALCULATED")
    odd = report(E.NEW, 50)
    object.__setattr__(odd, "exec_type", word)
    result = apply(state, odd)
    assert (result.verdict, result.state) == (V.PARKED, state)


@pytest.mark.parametrize(
    "before", [S.DONE_FOR_DAY, S.PENDING_CANCEL, S.PENDING_REPLACE, S.SUSPENDED, S.STOPPED]
)
def test_reject_of_an_order_with_executions_is_parked(before: OrdStatus) -> None:
    state = in_status(before, with_trade=True)
    result = apply(state, arriving(E.REJECTED, before))
    assert (result.verdict, result.state) == (V.PARKED, state)


@pytest.mark.parametrize("exec_type", [E.REPLACED, E.RESTATED])
@pytest.mark.parametrize("before", [S.CANCELED, S.EXPIRED])
def test_new_terms_that_precede_the_end_came_only_late(
    exec_type: ExecType, before: OrdStatus
) -> None:
    early = report(exec_type, 2, cl_ord_id=None, order_qty=12)
    result = apply(in_status(before), early)
    assert result.verdict is V.LATE
    assert result.state.ord_status is before
    assert result.state.order_qty == 12


@pytest.mark.parametrize("answer", [E.CANCELED, E.EXPIRED])
def test_cancel_answered_on_a_complete_order_gives_filled(answer: ExecType) -> None:
    state = run(in_status(S.FILLED), report(E.PENDING_CANCEL, 4, cl_ord_id="C1"))
    assert state.ord_status is S.PENDING_CANCEL
    assert state.leaves_qty == 0
    assert not state.is_closed
    after = apply(state, report(answer, 5, cl_ord_id="C1")).state
    assert after.ord_status is S.FILLED
    assert after.is_closed


@pytest.mark.parametrize("exec_type", [E.PENDING_CANCEL, E.PENDING_REPLACE])
@pytest.mark.parametrize("before", COLUMNS)
def test_a_request_already_answered_is_not_reopened(exec_type: ExecType, before: OrdStatus) -> None:
    state = run(in_status(before), report(E.REQUEST_REFUSED, 20, cl_ord_id="Q9"))
    after = apply(state, report(exec_type, 19, cl_ord_id="Q9")).state
    assert view(after) == view(state)


def test_allowed_pairs_are_those_of_the_trigger() -> None:
    pairs = set(allowed_pairs())
    assert ("FILLED", "PARTIALLY_FILLED") in pairs
    assert ("REJECTED", "FILLED") in pairs
    for impossible in (
        ("CANCELED", "NEW"),
        ("CANCELED", "PARTIALLY_FILLED"),
        ("CANCELED", "PENDING_CANCEL"),
        ("EXPIRED", "NEW"),
        ("FILLED", "REJECTED"),
        ("FILLED", "PENDING_NEW"),
        ("PARTIALLY_FILLED", "REJECTED"),
        ("NEW", "PENDING_NEW"),
        ("REJECTED", "PENDING_CANCEL"),
        ("DONE_FOR_DAY", "PENDING_NEW"),
    ):
        assert impossible not in pairs
    assert set(ALLOWED_STATUS_CHANGES) == set(OrdStatus)


def test_done_for_day_then_trade_of_an_order_that_outlives_the_day() -> None:
    from trading.vocabulary import TimeInForce

    done = run(order(10, TimeInForce.GTC), report(E.NEW, 1), report(E.DONE_FOR_DAY, 2))
    assert done.ord_status is S.DONE_FOR_DAY
    assert done.leaves_qty == 10
    assert last(done, trade("t", 4, seq=3)).state.ord_status is S.PARTIALLY_FILLED
    assert last(done, trade("t", 10, seq=3)).state.ord_status is S.FILLED
