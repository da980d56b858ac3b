"""A venue's word may be lost for good: what it said later of the same order still tells.

A report that names an amended version proves that the amendment took effect; the status answer of
an ended order proves under which total it ended.
"""

import pytest
from order_life import ID, E, S, asked, last, order, report, run, trade, view

from trading.orders.fold import Query, Verdict
from trading.orders.state import VersionState
from trading.vocabulary import CxlRejReason, ReportSource

V1 = f"{ID}01"
NEW = report(E.NEW, 1, order_id="V1")
SENT = report(E.PENDING_REPLACE, at=2, cl_ord_id="R1", source=ReportSource.LOCAL)
REPLACED = report(E.REPLACED, 3, cl_ord_id="R1", orig_cl_ord_id="X", venue_cl_ord_id=V1)


def amended(qty: object = 30):
    """An order of 10 with a replace to ``qty`` on its way."""
    return run(asked(order(10), "R1", qty, 99), NEW, SENT)


def test_a_cancel_under_the_new_id_proves_the_replace_whose_answer_was_lost() -> None:
    state = run(
        amended(),
        trade("a", 20, seq=4, venue_cl_ord_id=V1),
        report(E.CANCELED, 5, venue_cl_ord_id=V1),
    )
    assert (state.ord_status, state.order_qty, state.overfill_qty) == (S.CANCELED, 30, 0)
    assert (state.cl_ord_id, state.price) == ("R1", 99)


@pytest.mark.parametrize(
    "words",
    [
        trade("a", 4, seq=5, venue_cl_ord_id=V1),
        report(E.SUSPENDED, 5, venue_cl_ord_id=V1),
        report(E.DONE_FOR_DAY, 5, venue_cl_ord_id=V1),
        report(E.CANCELED, 5, venue_cl_ord_id=V1),
        report(E.RESTATED, 5, venue_cl_ord_id=V1),
    ],
    ids=lambda item: item.exec_type.value,
)
def test_the_lost_answer_may_still_come_and_changes_nothing_then(words) -> None:
    concluded = last(amended(), words)
    assert concluded.verdict is Verdict.APPLIED
    assert concluded.state.versions[1].is_concluded
    assert concluded.state.pending_replaces == frozenset()
    in_order = run(amended(), REPLACED, words)
    late = run(concluded.state, REPLACED)
    assert view(late) == view(in_order)
    assert late.versions == in_order.versions


def test_of_two_proofs_the_earlier_counts() -> None:
    one, two = (trade(x, 3, seq=n, venue_cl_ord_id=V1) for x, n in (("a", 5), ("b", 4)))
    assert run(amended(), one, two).versions == run(amended(), two, one).versions
    assert run(amended(), one, two).versions[1].venue_seq == 4


@pytest.mark.parametrize(
    "words",
    [
        report(E.PENDING_REPLACE, 3, cl_ord_id="R1", venue_cl_ord_id=V1),
        report(E.PENDING_CANCEL, 3, cl_ord_id="C1", venue_cl_ord_id=V1),
        report(E.ORDER_STATUS, at=3, ord_status=S.NEW, order_qty=10, cum_qty=0, price=100,
               venue_cl_ord_id=V1),
        trade("a", 4, seq=3, venue_cl_ord_id=ID),
        trade("a", 4, seq=3),
    ],
    ids=lambda item: item.exec_type.value,
)  # fmt: skip
def test_words_that_may_be_said_of_a_request_prove_nothing(words) -> None:
    assert run(amended(), words).versions[1].state is VersionState.PENDING


def test_what_is_parked_proves_nothing() -> None:
    before = amended()
    nonsense = last(before, trade("a", 0, seq=4, venue_cl_ord_id=V1))
    assert (nonsense.verdict, nonsense.state) == (Verdict.PARKED, before)


def test_a_replace_given_up_as_absent_is_revived_by_a_fill_of_it() -> None:
    absent = report(E.REQUEST_REFUSED, at=60, cl_ord_id="R1", source=ReportSource.RECON)
    given_up = run(amended(), absent)
    assert given_up.versions[1].state is VersionState.REJECTED
    revived = last(given_up, trade("a", 20, seq=4, venue_cl_ord_id=V1)).state
    assert (revived.order_qty, revived.overfill_qty, revived.leaves_qty) == (30, 0, 10)


def test_a_refusal_after_the_proof_is_a_question_and_no_change() -> None:
    proven = run(amended(), trade("a", 4, seq=4, venue_cl_ord_id=V1))
    refusal = report(E.REQUEST_REFUSED, 5, cl_ord_id="R1", cxl_rej_reason=CxlRejReason.OTHER)
    result = last(proven, refusal)
    assert (result.query, result.state) == (Query.ORDER, proven)


def test_a_replace_found_by_query_takes_the_venues_own_instant_when_its_word_comes() -> None:
    found = report(E.ORDER_STATUS, at=9, ord_status=S.NEW, order_qty=30, price=99, cum_qty=0,
                   venue_cl_ord_id=V1)  # fmt: skip
    state = run(amended(), found)
    assert (state.order_qty, state.versions[1].is_concluded) == (30, True)
    assert run(state, REPLACED).versions == run(amended(), REPLACED).versions


ENDED = {"order_qty": 30, "price": 100, "cum_qty": 20}


def test_a_total_raised_unheard_is_learned_from_the_ended_order() -> None:
    state = run(order(10), NEW, trade("a", 20, seq=2), report(E.CANCELED, 3))
    assert (state.ord_status, state.overfill_qty) == (S.FILLED, 10)
    answer = report(E.ORDER_STATUS, at=9, ord_status=S.CANCELED, **ENDED)
    after = last(state, answer).state
    assert (after.ord_status, after.order_qty, after.overfill_qty) == (S.CANCELED, 30, 0)
    assert last(after, report(E.ORDER_STATUS, at=10, ord_status=S.CANCELED, **ENDED)).state == after


def test_an_overfilled_order_that_shows_what_was_executed_as_its_total_stays_overfilled() -> None:
    state = run(order(10), NEW, trade("a", 12, seq=2))
    answer = report(
        E.ORDER_STATUS, at=9, ord_status=S.FILLED, **ENDED | {"order_qty": 12, "cum_qty": 12}
    )
    assert last(state, answer).state == state
    assert (state.order_qty, state.overfill_qty) == (10, 2)


def test_a_decrease_found_on_an_order_that_shows_what_was_executed_keeps_its_own_total() -> None:
    state = run(amended(4), trade("a", 8, seq=4))
    answer = report(E.ORDER_STATUS, at=9, ord_status=S.FILLED, order_qty=8, price=99, cum_qty=8,
                    venue_cl_ord_id=V1)  # fmt: skip
    after = last(state, answer).state
    assert (after.ord_status, after.order_qty, after.terms.order_qty) == (S.FILLED, 8, 4)


def test_a_total_lowered_unheard_is_learned_from_the_filled_order() -> None:
    state = run(order(40), NEW, report(E.CANCELED, 3), trade("a", 20, seq=4))
    answer = report(E.ORDER_STATUS, at=9, ord_status=S.FILLED, **ENDED | {"order_qty": 15})
    after = last(state, answer).state
    assert (after.ord_status, after.order_qty, after.overfill_qty) == (S.FILLED, 15, 5)


def test_the_replace_that_the_end_settled_unheard_is_found_by_its_figures() -> None:
    state = run(amended(), trade("a", 20, seq=4), report(E.CANCELED, 5))
    assert (state.ord_status, state.overfill_qty) == (S.FILLED, 10)
    after = last(
        state, report(E.ORDER_STATUS, at=9, ord_status=S.CANCELED, **ENDED | {"price": 99})
    )
    assert (after.state.ord_status, after.state.cl_ord_id) == (S.CANCELED, "R1")


def test_an_ended_order_that_shows_what_was_executed_as_its_total_keeps_its_terms() -> None:
    state = run(order(40), NEW, trade("a", 20, seq=2), report(E.CANCELED, 3))
    answer = report(E.ORDER_STATUS, at=9, ord_status=S.CANCELED, **ENDED | {"order_qty": 20})
    assert last(state, answer).state == state
