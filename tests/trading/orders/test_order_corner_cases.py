"""Corner cases of the order semantics that the pure core decides, each named after its row."""

from decimal import Decimal
from fractions import Fraction

from order_life import ID, E, S, asked, dec, last, order, report, run, trade

from trading.orders.fold import Query, Verdict, drop_held
from trading.orders.reports import ExecutionReport
from trading.orders.requests import Action, cancel_decision, is_stale_orig, replace_decision
from trading.orders.state import OrderState
from trading.orders.table import is_allowed
from trading.vocabulary import (
    CommandState,
    CxlRejReason,
    OrdRejReason,
    OrdStatus,
    ReportSource,
    TimeInForce,
)

NEW = report(E.NEW, 1, order_id="V1")
LOCAL = ReportSource.LOCAL


def working(qty: object = 100, tif: TimeInForce = TimeInForce.DAY) -> OrderState:
    return run(order(qty, tif), NEW)


def cancel_asked(seq: int, cl_ord_id: str = "C1") -> ExecutionReport:
    return report(E.PENDING_CANCEL, None, at=seq, cl_ord_id=cl_ord_id, source=LOCAL)


def replace_asked(seq: int, cl_ord_id: str = "R1") -> ExecutionReport:
    return report(E.PENDING_REPLACE, None, at=seq, cl_ord_id=cl_ord_id, source=LOCAL)


def replaced(seq: int, qty: object, cl_ord_id: str = "R1") -> ExecutionReport:
    return report(E.REPLACED, seq, cl_ord_id=cl_ord_id, orig_cl_ord_id="X", order_qty=qty)


def test_row_07_cancel_of_a_queued_order_withdraws_it() -> None:
    state = order()
    assert cancel_decision(state, CommandState.QUEUED).action is Action.WITHDRAW
    local = report(E.CANCELED, at=1, source=LOCAL, cl_ord_id="C1", text="withdrawn")
    ended = run(state, local)
    assert (ended.ord_status, ended.leaves_qty, ended.is_closed) == (S.CANCELED, 0, True)
    assert ended.reserved_qty(new_unresolved=True) == 0


def test_row_08_cancel_while_new_is_being_sent_ends_once() -> None:
    state = order()
    assert cancel_decision(state, CommandState.SENDING).action is Action.QUEUE
    waiting = run(state, cancel_asked(1), report(E.NEW, 2))
    assert waiting.ord_status is S.PENDING_CANCEL
    canceled = run(waiting, report(E.CANCELED, 3, cl_ord_id="C1"))
    assert canceled.ord_status is S.CANCELED
    filled = run(waiting, trade("a", 10, seq=3), report(E.REQUEST_REFUSED, 4, cl_ord_id="C1"))
    assert filled.ord_status is S.FILLED


def test_row_09_cancel_of_an_unknown_order_stays_pending_until_evidence() -> None:
    state = order()
    assert cancel_decision(state, CommandState.UNKNOWN).action is Action.QUEUE
    assert state.ord_status is S.PENDING_NEW
    sent = run(state, cancel_asked(5))
    assert sent.ord_status is S.PENDING_CANCEL
    assert sent.reserved_qty(new_unresolved=True) == 10
    assert run(sent, report(E.CANCELED, 6, cl_ord_id="C1")).ord_status is S.CANCELED


def test_row_10_replace_of_an_unknown_order_is_refused() -> None:
    decision = replace_decision(order(), CommandState.UNKNOWN)
    assert (decision.action, decision.code, decision.reason) == (
        Action.REFUSE,
        "state_conflict",
        "unknown_outcome",
    )


def test_row_11_lost_answer_filled_meanwhile_books_once() -> None:
    answer = report(E.ORDER_STATUS, at=9, ord_status=S.FILLED, order_qty=10, cum_qty=10)
    asked_venue = last(order(), answer)
    assert (asked_venue.verdict, asked_venue.query) == (Verdict.RECORDED_QUERY, Query.EXECUTIONS)
    assert asked_venue.state.ord_status is S.PENDING_NEW
    found = run(asked_venue.state, trade("a", 4), trade("b", 6), answer, trade("b", 6))
    assert (found.ord_status, found.cum_qty) == (S.FILLED, 10)


def test_row_12_proved_absent_is_rejected_and_frees_the_reservation() -> None:
    assert order().reserved_qty(new_unresolved=True) == 10
    proof = report(E.REJECTED, at=9, source=LOCAL, ord_rej_reason=OrdRejReason.NOT_RECEIVED)
    state = run(order(), proof)
    assert (state.ord_status, state.reserved_qty()) == (S.REJECTED, 0)
    assert state.closing is not None
    assert state.closing.ord_rej_reason is OrdRejReason.NOT_RECEIVED


def test_row_13_no_such_order_then_found_is_never_rejected_in_between() -> None:
    nothing = report(E.ORDER_STATUS, at=2, ord_status=S.REJECTED, order_qty=0, cum_qty=0)
    absent = last(order(), nothing)
    assert (absent.verdict, absent.state.ord_status) == (Verdict.RECORDED, S.PENDING_NEW)
    found = last(
        absent.state,
        report(E.ORDER_STATUS, at=4, ord_status=S.NEW, order_qty=10, cum_qty=0, order_id="V1"),
    )
    assert (found.state.ord_status, found.state.order_id) == (S.NEW, "V1")


def test_row_21_fill_before_ack_proves_existence() -> None:
    result = last(order(), trade("a", 4, seq=2, order_id="V1"))
    assert (result.state.ord_status, result.state.order_id) == (S.PARTIALLY_FILLED, "V1")
    later = last(result.state, NEW)
    assert later.verdict is Verdict.RECORDED
    assert later.state.ord_status is S.PARTIALLY_FILLED
    assert run(order(), trade("a", 10, seq=2), NEW).ord_status is S.FILLED


def test_row_22_same_fill_by_stream_and_by_query_counts_once() -> None:
    stream = trade("a", 4, seq=2)
    query = trade("a", "4.0", "100.00", seq=2, source=ReportSource.RECON)
    result = last(working(), stream, query)
    assert (result.verdict, result.entry) == (Verdict.RECORDED, None)
    assert result.state.cum_qty == 4
    assert result.state.ledger.entries["a"].source is ReportSource.VENUE


def test_row_23_same_exec_id_with_another_price_is_parked() -> None:
    result = last(working(), trade("a", 4, 100), trade("a", 4, 101))
    assert (result.verdict, result.alarm) == (Verdict.PARKED, "exec_conflict")
    assert result.state.gross_trade_amt == 400


def test_row_24_cumulative_fifty_before_thirty_sums_right() -> None:
    second = trade("b", 20, seq=3, cum_qty=50)
    early = last(working(), second)
    assert early.query is Query.EXECUTIONS
    both = run(early.state, trade("a", 30, seq=2, cum_qty=30))
    assert (both.cum_qty, both.ord_status) == (50, S.PARTIALLY_FILLED)


def test_row_25_venue_says_filled_but_executions_are_missing() -> None:
    result = last(working(), trade("b", 20, seq=3, cum_qty=100, ord_status=S.FILLED))
    assert result.state.ord_status is S.PARTIALLY_FILLED
    assert result.query is Query.EXECUTIONS


def test_row_26_fill_after_canceled_partial() -> None:
    result = last(working(), report(E.CANCELED, 2), trade("a", 30, seq=3))
    state = result.state
    assert (result.verdict, state.ord_status) == (Verdict.LATE, S.CANCELED)
    assert (state.cum_qty, state.leaves_qty) == (30, 0)
    assert result.entry is not None
    assert result.entry.qty == 30


def test_row_27_fill_after_canceled_completing_the_quantity() -> None:
    result = last(working(), report(E.CANCELED, 2), trade("a", 100, seq=3))
    assert (result.verdict, result.state.ord_status) == (Verdict.LATE, S.FILLED)


def test_row_28_fill_on_rejected_reopens_with_a_critical_alarm() -> None:
    result = last(order(100), report(E.REJECTED, 2), trade("a", 30, seq=3))
    assert result.alarm == "fill_after_reject"
    assert result.query is Query.ORDER
    assert result.state.ord_status is S.PARTIALLY_FILLED
    assert result.state.leaves_qty == 70


def test_row_29_overfill_is_booked_and_shouted() -> None:
    result = last(working(), trade("a", 120, seq=2))
    state = result.state
    assert (result.verdict, result.alarm) == (Verdict.OVERFILL, "overfill")
    assert (state.ord_status, state.overfill_qty, state.leaves_qty) == (S.FILLED, 20, 0)
    assert state.cum_qty == 120


def test_row_30_cancel_crosses_full_fill() -> None:
    crossed = run(working(), cancel_asked(2), trade("a", 100, seq=3))
    assert (crossed.ord_status, crossed.leaves_qty) == (S.PENDING_CANCEL, 0)
    late = report(E.REQUEST_REFUSED, 4, cl_ord_id="C1", cxl_rej_reason=CxlRejReason.TOO_LATE)
    result = last(crossed, late)
    assert (result.state.ord_status, result.query) == (S.FILLED, Query.EXECUTIONS)


def test_row_31_cancel_crosses_partial_fill() -> None:
    state = run(
        working(), cancel_asked(2), trade("a", 60, seq=3), report(E.CANCELED, 4, cl_ord_id="C1")
    )
    assert (state.ord_status, state.cum_qty, state.leaves_qty) == (S.CANCELED, 60, 0)
    assert state.closing is not None
    assert not state.closing.unsolicited


def test_row_32_cancel_refused_as_unknown_but_the_order_is_live() -> None:
    refusal = report(
        E.REQUEST_REFUSED, 4, cl_ord_id="C1", cxl_rej_reason=CxlRejReason.UNKNOWN_ORDER
    )
    result = last(working(), cancel_asked(2), refusal)
    assert (result.state.ord_status, result.query) == (S.NEW, Query.ORDER)


def test_row_33_second_cancel_repeats_the_first() -> None:
    sent = run(working(), cancel_asked(2))
    assert cancel_decision(sent, CommandState.ACKED).action is Action.REPEAT
    queued = cancel_decision(working(), CommandState.ACKED, cancel_open=True)
    assert queued.action is Action.REPEAT


def test_row_34_replace_to_what_is_already_executed() -> None:
    state = asked(working(), "R1", 80)
    state = run(state, replace_asked(2), trade("a", 80, seq=3), replaced(4, 80))
    assert (state.order_qty, state.ord_status, state.overfill_qty) == (80, S.FILLED, 0)


def test_row_35_replace_below_what_is_already_executed_clamps() -> None:
    state = asked(working(), "R1", 70)
    state = run(state, replace_asked(2), trade("a", 85, seq=3), replaced(4, 70))
    assert (state.order_qty, state.ord_status, state.overfill_qty) == (85, S.FILLED, 0)
    assert state.cl_ord_id == "R1"


def test_row_36_the_fill_report_arrives_after_replaced_same_final_row() -> None:
    state = run(asked(working(), "R1", 70), replace_asked(2), replaced(4, 70))
    by_sequence = last(state, trade("a", 85, seq=3))
    assert by_sequence.verdict is Verdict.APPLIED
    old_id = last(state, trade("a", 85, seq=5, venue_cl_ord_id=ID))
    by_time = last(state, trade("a", 85, at=4))
    for result in (by_sequence, old_id, by_time):
        after = result.state
        assert (after.order_qty, after.ord_status, after.overfill_qty) == (85, S.FILLED, 0)
    new_id = last(state, trade("a", 85, seq=5, venue_cl_ord_id=f"{ID}01")).state
    assert (new_id.order_qty, new_id.overfill_qty) == (70, 15)


def test_an_overfill_of_the_old_version_stays_one_after_a_decrease() -> None:
    state = run(asked(working(), "R1", 70), trade("a", 120, seq=2), replaced(4, 70))
    assert (state.order_qty, state.overfill_qty) == (100, 20)


def test_row_37_replace_refused_old_terms_and_old_id_stand() -> None:
    state = asked(working(), "R1", 70, price=99)
    pending = run(state, replace_asked(2))
    assert (pending.ord_status, pending.order_qty) == (S.PENDING_REPLACE, 100)
    after = run(pending, report(E.REQUEST_REFUSED, 3, cl_ord_id="R1", orig_cl_ord_id="X"))
    assert (after.ord_status, after.order_qty, after.price) == (S.NEW, 100, 100)
    assert (after.cl_ord_id, after.reserved_qty()) == ("X", 100)


def test_row_38_second_replace_on_a_single_slot_venue_is_refused() -> None:
    pending = run(asked(working(), "R1", 70), replace_asked(2))
    decision = replace_decision(pending, CommandState.ACKED)
    assert (decision.action, decision.reason) == (Action.REFUSE, "replace_pending")
    queued = replace_decision(working(), CommandState.ACKED, replace_open=True)
    assert queued.reason == "replace_pending"


def test_row_39_after_a_refusal_the_next_replace_names_the_last_id_not_refused() -> None:
    refused = run(
        asked(working(), "R1", 70), replace_asked(2), report(E.REQUEST_REFUSED, 3, cl_ord_id="R1")
    )
    assert refused.chain_head == "X"
    second = asked(refused, "R2", 80)
    assert (second.chain_head, second.versions[-1].number) == ("R2", 2)
    assert is_stale_orig(second, "X")
    assert not is_stale_orig(second, None)
    done = run(second, replace_asked(4, "R2"), replaced(5, 80, "R2"))
    assert (done.cl_ord_id, done.chain_head, done.order_qty) == ("R2", "R2", 80)


def test_two_replaces_in_flight_each_answer_settles_its_own() -> None:
    both = run(asked(working(), "R1", 80), replace_asked(2))
    both = run(asked(both, "R2", 60), replace_asked(3, "R2"))
    assert both.reserved_qty() == 100
    first = run(both, replaced(4, 80))
    assert (first.ord_status, first.order_qty) == (S.PENDING_REPLACE, 80)
    refused = run(first, report(E.REQUEST_REFUSED, 5, cl_ord_id="R2"))
    assert (refused.ord_status, refused.order_qty, refused.cl_ord_id) == (S.NEW, 80, "R1")


def test_row_42_old_versions_canceled_after_replaced_leaves_the_order() -> None:
    state = run(asked(working(), "R1", 80), replace_asked(2), replaced(3, 80))
    result = last(state, report(E.CANCELED, 4, venue_cl_ord_id=ID, cl_ord_id="X"))
    assert (result.state.ord_status, result.state.leaves_qty) == (S.NEW, 80)
    assert result.verdict is Verdict.RECORDED_QUERY
    answered = run(
        state, cancel_asked(5), report(E.CANCELED, 6, cl_ord_id="C1", venue_cl_ord_id=ID)
    )
    assert answered.ord_status is S.CANCELED


def test_row_43_bust_reopens_a_filled_order() -> None:
    state = run(working(), trade("a", 60, seq=2), trade("b", 40, seq=3))
    result = last(state, report(E.TRADE_CANCEL, 4, exec_id="x", exec_ref_id="b"))
    after = result.state
    assert (after.ord_status, after.leaves_qty) == (S.PARTIALLY_FILLED, 40)
    assert result.query is Query.ORDER
    assert is_allowed(S.FILLED, after.ord_status)


def test_row_44_bust_on_a_canceled_order() -> None:
    state = run(working(), trade("a", 60, seq=2), report(E.CANCELED, 3))
    result = last(state, report(E.TRADE_CANCEL, 4, exec_id="x", exec_ref_id="a"))
    after = result.state
    assert (result.verdict, after.ord_status) == (Verdict.LATE, S.CANCELED)
    assert (after.cum_qty, after.leaves_qty, after.gross_trade_amt) == (0, 0, 0)


def test_row_45_correction_before_its_trade_is_held() -> None:
    fix = report(E.TRADE_CORRECT, 3, exec_id="c", exec_ref_id="a", last_qty=50, last_px=99)
    held = last(working(), fix)
    assert (held.verdict, held.state.cum_qty) == (Verdict.HELD, 0)
    result = last(held.state, trade("a", 60, seq=2))
    assert [entry.exec_id for entry in result.entries] == ["a", "c"]
    assert (result.state.cum_qty, result.state.gross_trade_amt) == (50, 4950)
    assert result.state.held == ()
    assert drop_held(held.state, "c").held == ()


def test_a_chain_of_corrections_ends_at_the_last_one() -> None:
    steps = [
        trade("e.01", 10, 100, seq=2),
        report(E.TRADE_CORRECT, 3, exec_id="e.02", exec_ref_id="e.01", last_qty=8, last_px=101),
        report(E.TRADE_CORRECT, 4, exec_id="e.03", exec_ref_id="e.02", last_qty=9, last_px=102),
    ]
    for arrival in (steps, steps[::-1], [steps[1], steps[0], steps[2]]):
        state = run(working(), *arrival)
        assert (state.cum_qty, state.gross_trade_amt) == (9, 918)
    busted = run(state, report(E.TRADE_CANCEL, 5, exec_id="e.04", exec_ref_id="e.03"))
    assert busted.cum_qty == 0


def test_row_46_split_scales_quantities_and_halves_the_average() -> None:
    gtc = run(order(100, TimeInForce.GTC), NEW, trade("a", 40, 100, seq=2))
    done = run(gtc, report(E.DONE_FOR_DAY, 3))
    split = report(
        E.RESTATED, 4, order_qty=200, price=50, cum_qty=80, restatement_reason="CORPORATE_ACTION"
    )
    result = last(done, split)
    state = result.state
    assert (state.order_qty, state.cum_qty, state.leaves_qty) == (200, 80, 120)
    assert (state.avg_px, state.ord_status) == (50, S.PARTIALLY_FILLED)
    assert result.entry is not None
    assert (result.entry.kind.value, result.entry.px) == ("ADJUST", 0)
    assert last(state, split).state == state
    reverse = report(
        E.RESTATED, 4, order_qty=50, price=200, cum_qty=40, restatement_reason="CORPORATE_ACTION"
    )
    merged = run(done, trade("b", 40, 100, seq=3), reverse)
    assert (merged.order_qty, merged.cum_qty, merged.avg_px) == (50, 40, 200)


def test_row_47_done_for_day_keeps_leaves_only_of_orders_that_outlive_it() -> None:
    day = run(working(), trade("a", 30, seq=2), report(E.DONE_FOR_DAY, 3))
    assert (day.ord_status, day.leaves_qty, day.is_closed) == (S.DONE_FOR_DAY, 0, True)
    more = run(day, trade("b", 10, seq=4))
    assert (more.ord_status, more.cum_qty) == (S.DONE_FOR_DAY, 40)
    gtc = run(order(100, TimeInForce.GTC), NEW, trade("a", 30, seq=2), report(E.DONE_FOR_DAY, 3))
    assert (gtc.ord_status, gtc.leaves_qty, gtc.is_closed) == (S.DONE_FOR_DAY, 70, False)


def test_row_48_stopped_guarantee_changes_no_quantity() -> None:
    state = run(working(2000), report(E.STOPPED, 2, last_qty=1000, last_px=99))
    assert (state.ord_status, state.cum_qty) == (S.STOPPED, 0)
    assert state.stop is not None
    assert (state.stop.qty, state.stop.px) == (1000, 99)
    traded = run(state, trade("a", 1000, 99, seq=3))
    assert (traded.ord_status, traded.cum_qty) == (S.STOPPED, 1000)
    assert run(traded, trade("b", 1000, seq=4)).ord_status is S.FILLED


def test_row_64_ioc_rest_is_canceled_whatever_the_venue_calls_it() -> None:
    for tif in (TimeInForce.IOC, TimeInForce.FOK):
        state = run(working(100, tif), trade("a", 30, seq=2), report(E.EXPIRED, 3))
        assert (state.ord_status, state.leaves_qty) == (S.CANCELED, 0)
    assert run(working(), report(E.EXPIRED, 3)).ord_status is S.EXPIRED


def test_reject_of_a_duplicate_message_leaves_the_first_order() -> None:
    duplicate = report(E.REJECTED, 3, cl_ord_id="X", ord_status=S.PARTIALLY_FILLED, order_qty=150)
    result = last(working(), trade("a", 10, seq=2), duplicate)
    assert (result.verdict, result.state.ord_status) == (Verdict.RECORDED, S.PARTIALLY_FILLED)
    assert result.state.order_qty == 100


def test_unsolicited_cancel_is_applied_and_says_so() -> None:
    state = run(working(), report(E.CANCELED, 2, text="broker agreed by phone"))
    assert state.closing is not None
    assert (state.closing.unsolicited, state.closing.text) == (True, "broker agreed by phone")


def test_unasked_replaced_is_a_restatement() -> None:
    state = run(working(), report(E.REPLACED, 2, order_qty=90, price=98))
    assert (state.order_qty, state.price, state.cl_ord_id) == (90, 98, "X")
    assert state.venue_cl_ord_id == ID


def test_restated_cum_without_a_corporate_action_is_asked_about_not_adopted() -> None:
    result = last(working(), report(E.RESTATED, 2, order_qty=100, cum_qty=30))
    assert (result.state.cum_qty, result.query) == (0, Query.EXECUTIONS)


def test_replace_of_a_filled_order_upward() -> None:
    filled = run(asked(working(), "R1", 120), trade("a", 100, seq=2))
    assert filled.ord_status is S.FILLED
    pending = run(filled, replace_asked(3))
    assert pending.ord_status is S.PENDING_REPLACE
    assert run(pending, replaced(4, 120)).ord_status is S.PARTIALLY_FILLED


def test_refused_new_part_of_a_replace_refuses_only_the_replace() -> None:
    state = run(asked(working(), "R1", 80), replace_asked(2))
    after = run(state, report(E.REJECTED, 3, venue_cl_ord_id=f"{ID}01"))
    assert (after.ord_status, after.order_qty, after.cl_ord_id) == (S.NEW, 100, "X")


def test_duplicate_request_id_at_the_venue_is_looked_up_not_refused() -> None:
    state = run(asked(working(), "R1", 80), replace_asked(2))
    duplicate = report(
        E.REQUEST_REFUSED, 3, cl_ord_id="R1", cxl_rej_reason=CxlRejReason.DUPLICATE_CL_ORD_ID
    )
    result = last(state, duplicate)
    assert (result.verdict, result.query) == (Verdict.RECORDED_QUERY, Query.ORDER)
    assert result.state.ord_status is S.PENDING_REPLACE


def test_status_answer_brings_what_was_missed() -> None:
    status = {"order_qty": 100, "price": 100, "cum_qty": 0}
    canceled = last(working(), report(E.ORDER_STATUS, at=9, ord_status=S.CANCELED, **status))
    assert canceled.state.ord_status is S.CANCELED
    pending = run(asked(working(), "R1", 80), replace_asked(2))
    amended = report(E.ORDER_STATUS, at=9, ord_status=S.NEW, order_qty=80, price=100, cum_qty=0)
    after = run(pending, amended)
    assert (after.ord_status, after.order_qty, after.cl_ord_id) == (S.NEW, 80, "R1")
    restated = run(
        working(), report(E.ORDER_STATUS, at=9, ord_status=S.NEW, order_qty=70, cum_qty=0)
    )
    assert restated.order_qty == 70


def test_status_answer_older_than_the_ledger_is_ignored() -> None:
    state = run(working(), trade("a", 30, seq=2))
    result = last(state, report(E.ORDER_STATUS, at=9, ord_status=S.CANCELED, cum_qty=0))
    assert (result.verdict, result.alarm) == (Verdict.RECORDED, "stale_status")
    assert result.state == state


def test_an_old_snapshot_never_takes_accepted_terms_back() -> None:
    state = run(asked(working(), "R1", 80), replace_asked(2), replaced(3, 80))
    old = report(E.ORDER_STATUS, at=9, ord_status=S.NEW, order_qty=100, price=100, cum_qty=0)
    result = last(state, old)
    assert (result.verdict, result.state.order_qty) == (Verdict.RECORDED_QUERY, 80)


def test_numbers_the_ledger_cannot_hold_are_parked() -> None:
    for qty, px in (
        (None, 100),
        (4, None),
        (-4, 100),
        (0, 100),
        ("NaN", 100),
        ("Infinity", 100),
        (4, "0.12345678901234567891"),
        ("1000000000000", 1),
    ):
        result = last(working(), trade("a", qty, px, seq=2))
        assert result.verdict is Verdict.PARKED
        assert result.state.cum_qty == 0
    assert last(working(), trade("", 4, 100, seq=2)).verdict is Verdict.PARKED
    padded = last(working(), trade("a", "4.00000000000000000", -5, seq=2))
    assert padded.state.gross_trade_amt == -20


def test_amounts_are_never_rounded() -> None:
    qty, px = Decimal("123456789012.123456789012"), Decimal("987654321098.123456789012")
    state = run(order(qty), trade("a", qty, px), trade("b", "0.000000000001", "0.000000000001"))
    step = Fraction(1, 10**12)
    assert Fraction(state.gross_trade_amt) == Fraction(qty) * Fraction(px) + step * step


def test_withdrawn_new_never_counts_as_acknowledged() -> None:
    in_place = run(
        asked(order(10), "R1", 8),
        report(E.REPLACED, at=1, source=LOCAL, cl_ord_id="R1", order_qty=8),
    )
    assert (in_place.ord_status, in_place.order_qty) == (S.PENDING_NEW, dec(8))
    assert in_place.ord_status in set(OrdStatus)


def test_a_replace_asked_for_without_its_venue_id_learns_it_from_the_venue() -> None:
    sending = report(E.PENDING_REPLACE, at=2, cl_ord_id="R1", order_qty=80, price=98, source=LOCAL)
    pending = run(working(), sending)
    assert (pending.ord_status, pending.order_qty, pending.chain_head) == (
        S.PENDING_REPLACE,
        100,
        "R1",
    )
    assert pending.venue_cl_ord_id == ID
    done = run(pending, report(E.REPLACED, 3, cl_ord_id="R1", venue_cl_ord_id=f"{ID}01"))
    assert (done.order_qty, done.price, done.venue_cl_ord_id) == (80, 98, f"{ID}01")


def test_a_withdrawn_rejection_brings_no_old_flag_back() -> None:
    rejected = run(order(10), report(E.DONE_FOR_DAY, 1), report(E.REJECTED, 2))
    assert run(rejected, trade("a", 4, seq=3)).ord_status is S.PARTIALLY_FILLED


def test_an_ending_names_the_order_as_the_venue_does() -> None:
    # The acknowledgement can be lost for good; the order still carries the venue's id.
    for exec_type in (E.CANCELED, E.EXPIRED, E.REJECTED):
        assert run(order(), report(exec_type, 1, order_id="V77")).order_id == "V77"
    status = report(E.ORDER_STATUS, at=1, order_id="V77", ord_status=S.CANCELED, cum_qty=0)
    assert run(order(), status).order_id == "V77"
