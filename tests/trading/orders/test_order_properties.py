"""Laws of the fold over random lives: order of arrival, duplicates, invariants, replay."""

import json
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st
from order_life import E, S, asked, order, report, run, trade, view

from trading.orders.fold import Verdict, apply
from trading.orders.reports import ExecutionReport, from_json, to_json
from trading.orders.state import OrderState, facts_json, state_from
from trading.orders.table import is_allowed
from trading.vocabulary import CxlRejReason, ExecType, ReportSource, TimeInForce

TIFS = st.sampled_from(list(TimeInForce))


@st.composite
def lives(draw: st.DrawFn) -> tuple[OrderState, list[ExecutionReport]]:
    """An order and what one consistent venue says about it, in the venue's sequence."""
    state = asked(order(10, draw(TIFS)), "R1", draw(st.integers(1, 15)), 99)
    state = asked(state, "R2", draw(st.integers(1, 15)), 98)
    steps: list[ExecutionReport] = [report(E.NEW, 1, order_id="V1")]
    trades: list[str] = []
    waiting: list[str] = []
    unused, cancel_asked, total, cum, current = ["R1", "R2"], False, 10, 0, "X"
    for seq in range(2, draw(st.integers(3, 7)) + 1):
        choices = ["trade"] if cum < total else []
        choices += ["bust", "correct"] if trades else []
        choices += ["ask"] if unused else []
        choices += ["accept", "refuse"] if waiting else []
        choices += ["suspend", "stop"] if cum < total else []
        choices += ["cancel_asked"] if not cancel_asked else ["cancel_refused"]
        choices += ["done", "end"]
        what = draw(st.sampled_from(choices))
        if what == "trade":
            qty = draw(st.integers(1, total - cum))
            cum += qty
            trades.append(f"t{seq}")
            steps.append(
                trade(f"t{seq}", qty, draw(st.integers(90, 99)), seq=seq, cl_ord_id=current)
            )
        elif what == "bust":
            ref = trades.pop(draw(st.integers(0, len(trades) - 1)))
            steps.append(report(E.TRADE_CANCEL, seq, exec_id=f"h{seq}", exec_ref_id=ref))
            cum = 0 if not trades else cum
        elif what == "correct":
            steps.append(
                report(
                    E.TRADE_CORRECT,
                    seq,
                    exec_id=f"g{seq}",
                    exec_ref_id=draw(st.sampled_from(trades)),
                    last_qty=1,
                    last_px=draw(st.integers(90, 99)),
                )
            )
        elif what == "ask":
            waiting.append(unused.pop(0))
            steps.append(report(E.PENDING_REPLACE, seq, cl_ord_id=waiting[-1]))
        elif what == "accept":
            current = waiting.pop(0)
            version = state.version_for(current)
            assert version is not None
            total = max(int(version.terms.order_qty), cum)
            steps.append(
                report(E.REPLACED, seq, cl_ord_id=current, orig_cl_ord_id="X", order_id=f"V{seq}")
            )
        elif what == "refuse":
            steps.append(report(E.REQUEST_REFUSED, seq, cl_ord_id=waiting.pop(0)))
        elif what == "cancel_asked":
            cancel_asked = True
            steps.append(report(E.PENDING_CANCEL, seq, cl_ord_id="C1"))
        elif what == "cancel_refused":
            steps.append(
                report(E.REQUEST_REFUSED, seq, cl_ord_id="C1", cxl_rej_reason=CxlRejReason.TOO_LATE)
            )
        elif what == "suspend":
            steps.append(report(E.SUSPENDED, seq))
        elif what == "stop":
            steps.append(report(E.STOPPED, seq, last_qty=1, last_px=97))
        elif what == "done":
            steps.append(report(E.DONE_FOR_DAY, seq))
        else:
            ended = draw(st.sampled_from([E.CANCELED, E.EXPIRED]))
            steps.append(report(ended, seq))
            break
    return state, steps


@given(life=lives(), data=st.data())
@settings(max_examples=300, deadline=None)
def test_any_order_of_arrival_ends_in_the_same_state(
    life: tuple[OrderState, list[ExecutionReport]], data: st.DataObject
) -> None:
    state, steps = life
    arrival = data.draw(st.permutations(steps))
    assert view(run(state, *arrival)) == view(run(state, *steps))


@given(life=lives(), data=st.data())
@settings(max_examples=100, deadline=None)
def test_duplicates_are_harmless(
    life: tuple[OrderState, list[ExecutionReport]], data: st.DataObject
) -> None:
    state, steps = life
    again = data.draw(st.lists(st.sampled_from(steps), max_size=6))
    assert view(run(state, *steps, *again)) == view(run(state, *steps))


def test_every_order_of_arrival_of_a_life_of_seven() -> None:
    state = asked(order(100), "R1", 70)
    steps = [
        report(E.NEW, 1, order_id="V1"),
        report(E.PENDING_REPLACE, 2, cl_ord_id="R1"),
        trade("a", 60, 100, seq=3, cl_ord_id="X"),
        trade("b", 25, 101, seq=4, cl_ord_id="X"),
        report(E.TRADE_CORRECT, 5, exec_id="c", exec_ref_id="b", last_qty=20, last_px=101),
        report(E.REPLACED, 6, cl_ord_id="R1", orig_cl_ord_id="X", order_qty=70, price=99),
        report(E.CANCELED, 7),
    ]
    wanted = view(run(state, *steps))
    assert wanted["ord_status"] is S.FILLED
    assert wanted["order_qty"] == 80
    for arrival in permutations(steps):
        assert view(run(state, *arrival)) == wanted


def test_a_suspension_of_a_complete_order_counts_once_its_fill_is_busted() -> None:
    steps = [
        report(E.NEW, 1, order_id="V1"),
        report(E.TRADE, 2, exec_id="t", last_qty=10, last_px=90),
        report(E.TRADE_CANCEL, 3, exec_id="h", exec_ref_id="t", last_qty=10, last_px=90),
        report(E.SUSPENDED, 4),
    ]
    wanted = view(run(order(10), *steps))
    assert wanted["ord_status"] is S.SUSPENDED
    for arrival in permutations(steps):
        assert view(run(order(10), *arrival)) == wanted


def test_a_held_correction_never_overwrites_a_trade_that_came_under_its_id() -> None:
    state = run(
        order(10),
        report(E.NEW, 1),
        report(E.TRADE_CORRECT, 4, exec_id="b", exec_ref_id="a", last_qty=1, last_px=95),
        report(E.TRADE, 3, exec_id="b", last_qty=2, last_px=90),
        report(E.TRADE, 2, exec_id="a", last_qty=3, last_px=90),
    )
    assert state.cum_qty == 5
    assert [item.exec_id for item in state.held] == ["b"]


QTY = st.one_of(st.none(), st.integers(-2, 14))
IDS = st.sampled_from(["X", "R1", "R2", "C1", None])


@st.composite
def anything(draw: st.DrawFn) -> ExecutionReport:
    """A report with no regard for sense, times and sequences included."""
    return report(
        draw(st.sampled_from(list(ExecType))),
        draw(st.one_of(st.none(), st.integers(1, 20))),
        at=draw(st.integers(0, 20)),
        exec_id=draw(st.sampled_from(["", "a", "b", "c", "d", "e"])),
        exec_ref_id=draw(st.sampled_from([None, "a", "b", "c", "zz"])),
        cl_ord_id=draw(IDS),
        orig_cl_ord_id=draw(st.sampled_from([None, "X"])),
        order_id=draw(st.sampled_from([None, "V1", "V2"])),
        ord_status=draw(st.one_of(st.none(), st.sampled_from(list(S)))),
        last_qty=draw(QTY),
        last_px=draw(QTY),
        order_qty=draw(QTY),
        price=draw(QTY),
        cum_qty=draw(QTY),
        source=draw(st.sampled_from(list(ReportSource))),
        time_in_force=draw(st.one_of(st.none(), TIFS)),
        cxl_rej_reason=draw(st.one_of(st.none(), st.sampled_from(list(CxlRejReason)))),
        restatement_reason=draw(st.sampled_from([None, "GT_RENEWAL"])),
    )


@given(tif=TIFS, stream=st.lists(anything(), max_size=12), replaces=st.integers(0, 2))
@settings(max_examples=300, deadline=None)
def test_invariants_hold_whatever_arrives(
    tif: TimeInForce, stream: list[ExecutionReport], replaces: int
) -> None:
    state = order(10, tif)
    for n in range(replaces):
        state = asked(state, f"R{n + 1}", 8 + n * 4)
    for item in stream:
        result = apply(state, item)
        before, state = state, result.state
        assert is_allowed(before.ord_status, state.ord_status), (before.ord_status, item)
        check(state)
        added = [e for e in state.ledger.entries if e not in before.ledger.entries]
        assert added == [entry.exec_id for entry in result.entries]
        if result.verdict is Verdict.PARKED:
            assert state == before
        if result.verdict in {Verdict.RECORDED, Verdict.RECORDED_QUERY}:
            assert (state.ord_status, state.cum_qty, state.order_qty) == (
                before.ord_status,
                before.cum_qty,
                before.order_qty,
            )


def check(state: OrderState) -> None:
    """The formulas and CHECKs one order row must satisfy, and that it survives storage."""
    cum, total, leaves = state.cum_qty, state.order_qty, state.leaves_qty
    assert min(cum, leaves, state.overfill_qty, state.reserved_qty()) >= 0
    assert total > 0
    assert state.overfill_qty == max(0, cum - total)
    assert not state.is_closed or leaves == 0
    assert state.is_closed or state.ord_status is S.DONE_FOR_DAY or leaves == max(0, total - cum)
    assert state.ord_status is not S.FILLED or cum >= total
    assert state.ord_status is not S.REJECTED or cum == 0
    assert state.ord_status not in {S.NEW, S.PENDING_NEW} or cum == 0
    assert state.gross_trade_amt == sum(e.qty * e.px for e in state.ledger.effective())
    assert cum == sum(e.qty for e in state.ledger.effective())
    assert (state.avg_px is None) == (cum == 0)
    assert state.reserved_qty(new_unresolved=True) >= 0
    facts = facts_json(state)
    stored = json.dumps(facts, sort_keys=True)
    again = state_from(json.loads(stored), state.ledger.entries.values())
    assert again == state
    assert json.dumps(facts_json(again), sort_keys=True) == stored


@given(item=anything())
def test_report_round_trip(item: ExecutionReport) -> None:
    assert from_json(json.loads(json.dumps(to_json(item)))) == item
