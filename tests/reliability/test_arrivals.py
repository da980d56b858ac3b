"""In whatever order up to seven reports of one life arrive, the order ends in the same state.

Every life is told by the venue of the simulation, by its sequence or by its times alone: trades,
overfills, corrections, busts, replaces taken and refused, restatements, done for day, halts,
guarantees, ends. OMS_TEST_WHOLE_LIVES says of how many every arrival is tried (5,040 of seven
reports), OMS_TEST_SAMPLED_LIVES of how many some are.
"""

import os
from itertools import permutations
from random import Random

import pytest

from tests.reliability.lives import life
from trading.orders.fold import apply_all
from trading.orders.reports import ExecutionReport
from trading.orders.state import OrderState
from trading.vocabulary import ExecType

WHOLE = int(os.environ.get("OMS_TEST_WHOLE_LIVES", "8"))
SAMPLED = int(os.environ.get("OMS_TEST_SAMPLED_LIVES", "1000"))
ARRIVALS = 20


def shown(state: OrderState) -> tuple[object, ...]:
    """All that an order's row, its chain and its ledger show."""
    return (
        state.ord_status, state.base_status, state.is_closed, state.order_qty, state.cum_qty,
        state.leaves_qty, state.overfill_qty, state.gross_trade_amt, state.reserved_qty(),
        state.terms, state.cl_ord_id, state.venue_cl_ord_id, state.order_id, state.acked,
        state.pending_cancels, state.pending_replaces, state.held,
        sorted((one.root.exec_id, one.qty, one.px) for one in state.ledger.effective()),
    )  # fmt: skip


def lives_of_seven(count: int) -> list[int]:
    """The first seeds whose life has seven reports."""
    seeds: list[int] = []
    seed = 0
    while len(seeds) < count:
        if len(life(seed)[1]) == 7:
            seeds.append(seed)
        seed += 1
    return seeds


def words(reports: "list[ExecutionReport] | tuple[ExecutionReport, ...]") -> str:
    return " ".join(f"{item.exec_type}:{item.exec_id}" for item in reports)


@pytest.mark.parametrize("seed", lives_of_seven(WHOLE))
def test_every_arrival_of_seven_reports_ends_alike(seed: int) -> None:
    state, reports = life(seed)
    wanted = shown(apply_all(state, reports))
    for arrival in permutations(reports):
        assert shown(apply_all(state, arrival)) == wanted, words(arrival)


@pytest.mark.timeout(60 + SAMPLED // 20)
def test_sampled_arrivals_of_many_lives_end_alike() -> None:
    for seed in range(SAMPLED):
        state, reports = life(seed)
        wanted = shown(apply_all(state, reports))
        draw = Random(seed)
        for _ in range(ARRIVALS):
            arrival = draw.sample(reports, len(reports))
            assert shown(apply_all(state, arrival)) == wanted, (seed, words(arrival))


def test_the_lives_hold_everything_a_venue_may_say_of_an_order() -> None:
    told = {item.exec_type for seed in range(SAMPLED) for item in life(seed)[1]}
    never = {ExecType.PENDING_NEW, ExecType.REJECTED, ExecType.ORDER_STATUS}
    assert told == set(ExecType) - never
