"""Many at once against one limit: what fits is taken, no more, and nobody waits in a circle."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection

from risk.selectors import exposure_rows, open_order_counts
from risk.services import lock_accounts, move_reserved, set_limit
from tenants.binding import tenant_bound
from trading.risk import BreachCode, LimitScope, RuleId
from trading.vocabulary import Side

THREADS = 50


def in_threads(task, *, count=THREADS):
    """Run ``task(n)`` in as many threads at once and return what each returned."""
    start = Barrier(count)

    def run(number):
        try:
            start.wait(timeout=30)
            return task(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def set_firm_limit(desk, rule, value, now):
    def commit(_):
        with tenant_bound(desk.schema):
            set_limit(
                scope=LimitScope.TENANT,
                target=None,
                rule=rule,
                value=Decimal(value),
                enabled=True,
                actor=desk.manager,
                now=now,
            )

    in_threads(commit, count=1)


def accept(desk, wish, quote, now, *, accounts):
    """Judge and reserve one order per account as one transaction; return the codes found."""
    with tenant_bound(desk.schema):
        book = lock_accounts(account.id for account in accounts)
        found = []
        for account in accounts:
            breaches = book.judge(
                account=account, intent=wish, instrument=desk.spx, quote=quote, now=now
            )
            found += [breach.code for breach in breaches]
            if not breaches:
                book.reserve(
                    account_id=account.id,
                    symbol="SPX",
                    side=wish.side,
                    qty=wish.order_qty,
                    notional=wish.order_qty * wish.price,
                )
        book.save()
    return found


@pytest.mark.parametrize(
    ("rule", "headroom", "code"),
    [
        (RuleId.MAX_OPEN_ORDERS, 10, BreachCode.OPEN_ORDERS_EXCEED_MAXIMUM),
        (RuleId.MAX_OPEN_NOTIONAL, 10_000, BreachCode.OPEN_NOTIONAL_EXCEEDS_MAXIMUM),
        (RuleId.MAX_OPEN_NOTIONAL, "10999.99", BreachCode.OPEN_NOTIONAL_EXCEEDS_MAXIMUM),
    ],
)
def test_fifty_orders_racing_for_room_for_ten_get_exactly_ten(
    committed_desk, wish, quote, now, rule, headroom, code
):
    desk, market, one = committed_desk, quote(), wish(order_qty=Decimal(1))
    set_firm_limit(desk, rule, headroom, now)

    answers = in_threads(lambda _: accept(desk, one, market, now, accounts=[desk.one]))

    assert Counter(map(tuple, answers)) == {(): 10, (code,): 40}
    with tenant_bound(desk.schema):
        assert open_order_counts() == {desk.one.id: 10}
        (row,) = exposure_rows()
        assert (row.open_buy_qty, row.open_buy_notional) == (10, 10_000)


def test_batches_that_name_accounts_in_either_order_do_not_deadlock(
    committed_desk, wish, quote, now
):
    desk, market, one = committed_desk, quote(), wish(order_qty=Decimal(1))

    def task(number):
        accounts = [desk.one, desk.two] if number % 2 else [desk.two, desk.one]
        return accept(desk, one, market, now, accounts=accounts)

    assert in_threads(task) == [[]] * THREADS
    with tenant_bound(desk.schema):
        assert open_order_counts() == {desk.one.id: THREADS, desk.two.id: THREADS}


def test_fills_that_free_while_orders_reserve_lose_nothing(committed_desk, wish, quote, now):
    desk, market = committed_desk, quote()
    ten = wish(order_qty=Decimal(10))

    def life(_):
        assert accept(desk, ten, market, now, accounts=[desk.one]) == []
        for orders, qty in ((0, -4), (-1, -6)):
            with tenant_bound(desk.schema):
                move_reserved(
                    account_id=desk.one.id,
                    symbol="SPX",
                    side=Side.BUY,
                    qty_delta=Decimal(qty),
                    notional_delta=Decimal(qty * 1000),
                    orders_delta=orders,
                )

    in_threads(life)
    with tenant_bound(desk.schema):
        assert exposure_rows() == []
        assert open_order_counts() == {}


def test_two_fills_in_one_transaction_do_not_deadlock_with_accepts(
    committed_desk, wish, quote, now
):
    desk, market = committed_desk, quote()
    ten = wish(order_qty=Decimal(10))
    in_threads(lambda _: accept(desk, ten, market, now, accounts=[desk.one]), count=THREADS // 2)

    def task(number):
        if number % 2:
            return accept(desk, ten, market, now, accounts=[desk.one])
        with tenant_bound(desk.schema):
            for orders, qty in ((0, -4), (-1, -6)):
                move_reserved(
                    account_id=desk.one.id,
                    symbol="SPX",
                    side=Side.BUY,
                    qty_delta=Decimal(qty),
                    notional_delta=Decimal(qty * 1000),
                    orders_delta=orders,
                )
        return []

    assert in_threads(task) == [[]] * THREADS
    with tenant_bound(desk.schema):
        assert open_order_counts() == {desk.one.id: THREADS // 2}
