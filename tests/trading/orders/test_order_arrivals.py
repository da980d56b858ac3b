"""Whatever order up to seven reports of one life arrive in, they end in the same state.

Chosen lives, every permutation; with the venue's sequence, and with its time alone.
"""

from itertools import permutations

import pytest
from order_life import E, S, asked, order, report, run, trade, view

from trading.orders.reports import ExecutionReport
from trading.orders.state import OrderState
from trading.vocabulary import CxlRejReason, TimeInForce

Life = tuple[OrderState, list[ExecutionReport]]


def corrected_and_busted(seq: bool) -> Life:
    n = _numbers(seq)
    return order(100), [
        report(E.NEW, **n(1), order_id="V1"),
        trade("a", 40, 100, **n(2)),
        trade("b", 60, 101, **n(3)),
        report(E.TRADE_CORRECT, **n(4), exec_id="c", exec_ref_id="a", last_qty=30, last_px=99),
        report(E.TRADE_CORRECT, **n(5), exec_id="d", exec_ref_id="c", last_qty=35, last_px=98),
        report(E.TRADE_CANCEL, **n(6), exec_id="e", exec_ref_id="b"),
    ]


def canceled_across_fills(seq: bool) -> Life:
    n = _numbers(seq)
    return order(100), [
        report(E.NEW, **n(1), order_id="V1"),
        report(E.PENDING_CANCEL, **n(2), cl_ord_id="C1"),
        trade("a", 30, 100, **n(3)),
        report(E.CANCELED, **n(4), cl_ord_id="C1"),
        trade("b", 20, 100, **n(5)),
        report(E.TRADE_CANCEL, **n(6), exec_id="e", exec_ref_id="a"),
    ]


def cancel_refused_too_late(seq: bool) -> Life:
    n = _numbers(seq)
    late = CxlRejReason.TOO_LATE
    return order(100), [
        report(E.NEW, **n(1), order_id="V1"),
        trade("a", 60, 100, **n(2)),
        report(E.PENDING_CANCEL, **n(3), cl_ord_id="C1"),
        trade("b", 40, 100, **n(4)),
        report(E.REQUEST_REFUSED, **n(5), cl_ord_id="C1", cxl_rej_reason=late),
    ]


def replaced_twice(seq: bool) -> Life:
    n = _numbers(seq)
    state = asked(asked(order(100), "R1", 80, 99), "R2", 60, 98)
    return state, [
        report(E.PENDING_REPLACE, **n(1), cl_ord_id="R1"),
        report(E.PENDING_REPLACE, **n(2), cl_ord_id="R2"),
        trade("a", 50, 100, **n(3), cl_ord_id="X"),
        report(E.REPLACED, **n(4), cl_ord_id="R1", orig_cl_ord_id="X", order_id="V2"),
        trade("b", 20, 99, **n(5), cl_ord_id="R1"),
        report(E.REPLACED, **n(6), cl_ord_id="R2", orig_cl_ord_id="R1", order_id="V3"),
    ]


def overnight(seq: bool) -> Life:
    n = _numbers(seq)
    return order(100, TimeInForce.GTC), [
        report(E.NEW, **n(1), order_id="V1"),
        trade("a", 10, 100, **n(2)),
        report(E.DONE_FOR_DAY, **n(3)),
        report(E.RESTATED, **n(4), order_qty=90, restatement_reason="GT_RENEWAL"),
        trade("b", 80, 100, **n(5)),
    ]


def halted_and_guaranteed(seq: bool) -> Life:
    n = _numbers(seq)
    return order(100), [
        report(E.NEW, **n(1), order_id="V1"),
        report(E.SUSPENDED, **n(2)),
        report(E.TRIGGERED, **n(3)),
        report(E.STOPPED, **n(4), last_qty=50, last_px=97),
        trade("a", 50, 97, **n(5)),
        report(E.EXPIRED, **n(6)),
    ]


def _numbers(seq: bool):
    """The n-th report's place: its sequence (which is also its second), or its second alone."""
    return lambda n: {"seq": n} if seq else {"at": n}


LIVES = (
    (corrected_and_busted, S.PARTIALLY_FILLED, 35),
    (canceled_across_fills, S.CANCELED, 20),
    (cancel_refused_too_late, S.FILLED, 100),
    (replaced_twice, S.FILLED, 70),
    (overnight, S.FILLED, 90),
    (halted_and_guaranteed, S.EXPIRED, 50),
)


@pytest.mark.parametrize("seq", [True, False], ids=["by sequence", "by time"])
@pytest.mark.parametrize(
    ("life", "status", "cum"), LIVES, ids=[life.__name__ for life, *_ in LIVES]
)
def test_every_order_of_arrival_ends_alike(life, status, cum, seq) -> None:
    state, steps = life(seq)
    wanted = view(run(state, *steps))
    assert (wanted["ord_status"], wanted["cum_qty"]) == (status, cum)
    for arrival in permutations(steps):
        assert view(run(state, *arrival)) == wanted, [item.exec_type.value for item in arrival]
