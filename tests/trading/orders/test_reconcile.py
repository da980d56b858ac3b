"""Reconciliation as a pure difference: what proves something, and what never does."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from order_life import ID, START, E, S, asked, dec, order, report, run, trade

from trading import reconcile
from trading.orders.state import OrderState
from trading.reconcile import BreakKind, OurOrder
from trading.vocabulary import OrdStatus, ReportSource

NOW = START + timedelta(minutes=5)


@dataclass(frozen=True)
class Listed:
    """An order on a venue's page."""

    venue_cl_ord_id: str | None = ID
    order_id: str | None = "V1"
    symbol: str = "SPX"
    ord_status: OrdStatus = S.NEW
    order_qty: Decimal = Decimal(10)
    cum_qty: Decimal = Decimal(0)
    leaves_qty: Decimal = Decimal(10)
    price: Decimal | None = Decimal(100)


def ours(state: OrderState, age_s: int = 60) -> OurOrder:
    return OurOrder(state, "SPX", NOW - timedelta(seconds=age_s))


def open_orders(mine: list[OurOrder], theirs: list[Listed], *, complete: bool = True):
    return reconcile.diff_open_orders(
        account="main", ours=mine, theirs=theirs, complete=complete, now=NOW
    )


WORKING = run(order(10), report(E.NEW, 1, order_id="V1"))


def test_equal_books_find_nothing() -> None:
    assert open_orders([ours(WORKING)], [Listed()]) == reconcile.NOTHING


def test_row_14_an_incomplete_page_is_no_evidence() -> None:
    for page in ([], [Listed(cum_qty=dec(4))], [Listed(venue_cl_ord_id="other")]):
        assert open_orders([ours(WORKING)], page, complete=False) == reconcile.NOTHING
    for diff in (reconcile.diff_positions, reconcile.diff_cash):
        found = diff(account="main", ours={"SPX": dec(1)}, theirs={}, complete=False)
        assert found == reconcile.NOTHING
    executions = reconcile.diff_executions(
        account="main",
        ours=[ours(run(WORKING, trade("a", 4, seq=2)))],
        known_exec_ids={"a"},
        theirs=[trade("b", 1, order_id="V1")],
        complete=False,
        since=START,
        now=NOW,
    )
    assert executions == reconcile.NOTHING


def test_an_order_the_venue_does_not_list_is_looked_up_not_ended() -> None:
    found = open_orders([ours(WORKING)], [])
    assert (found.lookups, found.reports, found.breaks) == ((ID,), (), ())


def test_young_orders_are_left_alone() -> None:
    assert open_orders([ours(WORKING, age_s=4)], []) == reconcile.NOTHING
    assert open_orders([ours(WORKING, age_s=5)], []).lookups == (ID,)
    fresh = OurOrder(order(10), "SPX", None)
    assert open_orders([fresh], []) == reconcile.NOTHING


def test_a_listed_order_without_answer_is_acknowledged_by_what_was_found() -> None:
    found = open_orders([ours(order(10))], [Listed()])
    ((order_id, missing),) = found.reports
    assert (order_id, missing.exec_type, missing.source) == (ID, E.NEW, ReportSource.RECON)
    state = run(order(10), missing)
    assert (state.ord_status, state.order_id) == (S.NEW, "V1")


def test_synthesised_ids_depend_on_content_alone() -> None:
    first = open_orders([ours(order(10))], [Listed()]).reports[0][1]
    later = reconcile.diff_open_orders(
        account="main",
        ours=[ours(order(10))],
        theirs=[Listed(order_qty=dec("10.0"))],
        complete=True,
        now=NOW + timedelta(minutes=1),
    ).reports[0][1]
    assert first.exec_id == later.exec_id
    assert len(first.exec_id) == 32


def test_changed_terms_and_endings_are_folded() -> None:
    for listed, status, qty in (
        (Listed(order_qty=dec(8)), S.NEW, 8),
        (Listed(ord_status=S.CANCELED, leaves_qty=dec(0)), S.CANCELED, 10),
        (Listed(ord_status=S.EXPIRED, leaves_qty=dec(0)), S.EXPIRED, 10),
    ):
        found = open_orders([ours(WORKING)], [listed])
        state = run(WORKING, *(item for _, item in found.reports))
        assert (state.ord_status, state.order_qty) == (status, qty)


def test_our_replace_that_took_effect_is_recognised() -> None:
    pending = run(asked(WORKING, "R1", 8), report(E.PENDING_REPLACE, 2, cl_ord_id="R1"))
    found = open_orders([ours(pending)], [Listed(venue_cl_ord_id=f"{ID}01", order_qty=dec(8))])
    state = run(pending, *(item for _, item in found.reports))
    assert (state.ord_status, state.cl_ord_id, state.order_qty) == (S.NEW, "R1", 8)


def test_more_executed_than_we_know_asks_for_executions() -> None:
    found = open_orders([ours(WORKING)], [Listed(ord_status=S.PARTIALLY_FILLED, cum_qty=dec(4))])
    assert (found.executions_of, found.reports) == ((ID,), ())


def test_row_88_an_order_of_the_brokers_own_screen_is_external() -> None:
    stranger = Listed(venue_cl_ord_id=None, order_id="V9", order_qty=dec(7))
    (found,) = open_orders([ours(WORKING)], [Listed(), stranger]).breaks
    assert (found.kind, found.key, found.theirs) == (BreakKind.EXTERNAL_ORDER, "V9", 7)


def executions(mine: list[OurOrder], known: set[str], theirs: list[object]):
    return reconcile.diff_executions(
        account="main",
        ours=mine,
        known_exec_ids=known,
        theirs=theirs,
        complete=True,
        since=START,
        now=NOW,
    )


def test_missing_executions_are_the_venues_own_reports() -> None:
    known, missing = trade("a", 4, seq=2, order_id="V1"), trade("b", 6, seq=3, order_id="V1")
    state = run(WORKING, known)
    found = executions([ours(state)], {"a"}, [known, missing, missing])
    assert found.reports == ((ID, missing),)
    assert run(state, missing).ord_status is S.FILLED


def test_execution_of_an_unknown_order_is_a_break() -> None:
    (found,) = executions([ours(WORKING)], set(), [trade("z", 5, order_id="V9")]).breaks
    assert (found.kind, found.key, found.theirs) == (BreakKind.EXTERNAL_EXECUTION, "z", 5)


def test_our_execution_a_complete_page_lacks_is_a_break() -> None:
    state = run(WORKING, trade("a", 4, seq=2))
    (found,) = executions([ours(state)], {"a"}, []).breaks
    assert (found.kind, found.key, found.ours) == (BreakKind.EXECUTION_NOT_AT_VENUE, "a", 4)


def test_row_89_positions_and_cash_that_differ_are_breaks_that_keep_their_id() -> None:
    def positions():
        return reconcile.diff_positions(
            account="main",
            ours={"SPX": dec(5), "IXIC": dec(2), "WTI": dec(0)},
            theirs={"SPX": dec("5.0"), "IXIC": dec(-2)},
            complete=True,
        )

    (found,) = positions().breaks
    assert (found.kind, found.key, found.ours, found.theirs) == (BreakKind.POSITION, "IXIC", 2, -2)
    assert positions().breaks[0].id == found.id
    cash = reconcile.diff_cash(
        account="main",
        ours={"USD": dec("100.00"), "EUR": dec(1)},
        theirs={"USD": dec("100.01"), "EUR": dec(2)},
        complete=True,
        tolerance=dec("0.01"),
    )
    assert [item.key for item in cash.breaks] == ["EUR"]
