"""What is reserved: judged with it, moved by it, never below zero."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from risk.models import AccountExposure, Breach, InstrumentExposure
from risk.selectors import (
    ExposureRow,
    breaches_of,
    exposure_differences,
    exposure_rows,
    open_order_counts,
    reserved_cash,
)
from risk.services import (
    ExposureUnderflowError,
    lock_accounts,
    move_reserved,
    recompute_exposure,
    record_breaches,
    reserved_price,
    set_limit,
)
from trading.risk import BreachCode, LimitScope, RuleId
from trading.vocabulary import Side


def judge(desk, book, wish, quote, now, *, account=None, **more):
    breaches = book.judge(
        account=account or desk.one,
        intent=wish,
        instrument=desk.spx,
        quote=quote,
        now=now,
        **more,
    )
    return [breach.code for breach in breaches]


def reserve(book, account, *, side=Side.BUY, qty=10, notional=10_000, **more):
    book.reserve(
        account_id=account.id,
        symbol="SPX",
        side=side,
        qty=Decimal(qty),
        notional=Decimal(notional),
        **more,
    )


def limit(desk, rule, value, now, *, target=None, enabled=True):
    set_limit(
        scope=LimitScope.ACCOUNT if target else LimitScope.TENANT,
        target=target,
        rule=rule,
        value=Decimal(value),
        enabled=enabled,
        actor=desk.manager,
        now=now,
    )


def move(account, *, side=Side.BUY, qty=0, notional=0, orders=0):
    move_reserved(
        account_id=account.id,
        symbol="SPX",
        side=side,
        qty_delta=Decimal(qty),
        notional_delta=Decimal(notional),
        orders_delta=orders,
    )


class TestJudging:
    def test_a_firm_without_limits_of_its_own_is_judged_by_the_defaults(
        self, desk, wish, quote, now
    ):
        book = lock_accounts([desk.one.id])
        assert judge(desk, book, wish(), quote(), now) == []
        assert judge(desk, book, wish(order_qty=Decimal(100_001)), quote(), now) == [
            BreachCode.QUANTITY_EXCEEDS_MAXIMUM,
            BreachCode.NOTIONAL_EXCEEDS_MAXIMUM,
        ]
        assert judge(desk, book, wish(price=Decimal("1100.01")), quote(), now) == [
            BreachCode.PRICE_OUTSIDE_COLLAR
        ]

    @pytest.mark.parametrize(
        ("price", "expected"),
        [
            ("999.99", []),
            ("1000", []),
            ("1000.01", [BreachCode.NOTIONAL_EXCEEDS_MAXIMUM]),
        ],
    )
    def test_a_stored_limit_is_exact_to_the_tick(self, desk, wish, quote, now, price, expected):
        limit(desk, RuleId.MAX_ORDER_NOTIONAL, 10_000, now)
        book = lock_accounts([desk.one.id])
        assert judge(desk, book, wish(price=Decimal(price)), quote(), now) == expected

    def test_the_tighter_of_firm_and_account_applies_to_that_account_only(
        self, desk, wish, quote, now
    ):
        limit(desk, RuleId.MAX_ORDER_QTY, 9, now, target="DESK-1")
        book = lock_accounts([desk.one.id, desk.two.id])
        assert judge(desk, book, wish(), quote(), now) == [BreachCode.QUANTITY_EXCEEDS_MAXIMUM]
        assert judge(desk, book, wish(), quote(), now, account=desk.two) == []

    def test_a_rule_switched_off_is_not_asked(self, desk, wish, quote, now):
        limit(desk, RuleId.PRICE_COLLAR, "0.1", now, enabled=False)
        book = lock_accounts([desk.one.id])
        assert judge(desk, book, wish(price=Decimal(4000)), quote(), now) == []

    def test_an_old_quote_is_no_reference(self, desk, wish, quote, now):
        book = lock_accounts([desk.one.id])
        old = quote(at=now - timedelta(minutes=5))
        for missing in (old, None):
            assert judge(desk, book, wish(), missing, now) == [BreachCode.NO_REFERENCE_PRICE]

    def test_an_order_sees_what_orders_before_it_in_the_batch_reserved(
        self, desk, wish, quote, now
    ):
        limit(desk, RuleId.MAX_OPEN_NOTIONAL, 20_000, now)
        limit(desk, RuleId.MAX_OPEN_ORDERS, 3, now)
        book = lock_accounts([desk.one.id, desk.two.id])
        reserve(book, desk.one)
        assert judge(desk, book, wish(), quote(), now) == []
        reserve(book, desk.one, side=Side.SELL)
        assert judge(desk, book, wish(), quote(), now) == [BreachCode.OPEN_NOTIONAL_EXCEEDS_MAXIMUM]
        reserve(book, desk.one)
        assert judge(desk, book, wish(), quote(), now) == [
            BreachCode.OPEN_ORDERS_EXCEED_MAXIMUM,
            BreachCode.OPEN_NOTIONAL_EXCEEDS_MAXIMUM,
        ]
        assert judge(desk, book, wish(), quote(), now, account=desk.two) == []

    def test_the_next_book_sees_what_the_last_one_saved(self, desk, wish, quote, now):
        limit(desk, RuleId.MAX_OPEN_NOTIONAL, 19_999, now)
        book = lock_accounts([desk.one.id])
        reserve(book, desk.one)
        book.save()
        assert judge(desk, lock_accounts([desk.one.id]), wish(), quote(), now) == [
            BreachCode.OPEN_NOTIONAL_EXCEEDS_MAXIMUM
        ]

    def test_a_replacement_is_judged_by_its_increase(self, desk, wish, quote, now):
        limit(desk, RuleId.MAX_OPEN_NOTIONAL, 11_000, now)
        book = lock_accounts([desk.one.id])
        reserve(book, desk.one)
        eleven, twelve = wish(order_qty=Decimal(11)), wish(order_qty=Decimal(12))
        held = Decimal(10_000)
        assert judge(desk, book, eleven, quote(), now, amends=held) == []
        assert judge(desk, book, twelve, quote(), now, amends=held) == [
            BreachCode.OPEN_NOTIONAL_EXCEEDS_MAXIMUM
        ]

    def test_only_what_cannot_pass_zero_reduces(self, desk):
        book = lock_accounts([desk.one.id])
        reserve(book, desk.one, side=Side.SELL, qty=4)

        def reduces(side, qty):
            return book.only_reduces(
                account_id=desk.one.id,
                symbol="SPX",
                side=side,
                qty=Decimal(qty),
                position_qty=Decimal(10),
            )

        assert book.open_qty(account_id=desk.one.id, symbol="SPX", side=Side.SELL) == 4
        assert reduces(Side.SELL, 6)
        assert not reduces(Side.SELL, 7)
        assert not reduces(Side.BUY, 1)


class TestReserving:
    def test_a_book_saves_each_account_and_side_apart(self, desk):
        book = lock_accounts([desk.two.id, desk.one.id])
        reserve(book, desk.one, qty=3, notional=3_000)
        reserve(book, desk.one, side=Side.SELL, qty=2, notional=2_000)
        reserve(book, desk.two, side=Side.SELL_SHORT, qty=1, notional=1_000)
        book.save()
        assert exposure_rows() == [
            ExposureRow(desk.one.id, "SPX", Decimal(3), Decimal(2), Decimal(3_000), Decimal(2_000)),
            ExposureRow(
                desk.two.id, "SPX", open_sell_qty=Decimal(1), open_sell_notional=Decimal(1_000)
            ),
        ]
        assert open_order_counts() == {desk.one.id: 2, desk.two.id: 1}

    def test_saving_again_writes_nothing_twice(self, desk):
        book = lock_accounts([desk.one.id])
        reserve(book, desk.one)
        book.save()
        book.save()
        reserve(book, desk.one)
        book.save()
        assert open_order_counts() == {desk.one.id: 2}
        assert exposure_rows()[0].open_buy_qty == 20

    def test_a_hundred_orders_are_saved_by_two_statements(self, desk, django_assert_num_queries):
        book = lock_accounts([desk.one.id, desk.two.id])
        for _ in range(50):
            reserve(book, desk.one)
            reserve(book, desk.two)
        with django_assert_num_queries(2):
            book.save()

    def test_a_reservation_only_adds(self, desk):
        book = lock_accounts([desk.one.id])
        with pytest.raises(ValueError, match="move_reserved"):
            reserve(book, desk.one, qty=-1)

    def test_cash_is_reserved_by_open_buys_in_that_currency(self, desk):
        assert reserved_cash(desk.one.id, "USD") == 0
        book = lock_accounts([desk.one.id])
        reserve(book, desk.one, notional=3_000)
        reserve(book, desk.one, side=Side.SELL, notional=2_000)
        book.save()
        assert reserved_cash(desk.one.id, "USD") == 3_000
        assert reserved_cash(desk.one.id, "EUR") == 0
        assert reserved_cash(desk.two.id, "USD") == 0

    def test_the_price_reserved_at_is_the_limit_or_the_best_opposite(self, wish, quote, now):
        def price(**terms):
            return reserved_price(intent=wish(**terms), quote=quote(), now=now)

        assert price() == 1000
        assert price(price=None) == 1001
        assert price(price=None, side=Side.SELL) == 999


class TestMoving:
    @pytest.fixture(autouse=True)
    def _one_order_open(self, desk):
        book = lock_accounts([desk.one.id])
        reserve(book, desk.one)
        book.save()

    def test_a_fill_frees_its_part_by_one_statement(self, desk, django_assert_num_queries):
        with django_assert_num_queries(1):
            move(desk.one, qty=-4, notional=-4_000)
        assert exposure_rows() == [
            ExposureRow(
                desk.one.id, "SPX", open_buy_qty=Decimal(6), open_buy_notional=Decimal(6_000)
            )
        ]
        assert open_order_counts() == {desk.one.id: 1}

    def test_an_end_frees_the_rest(self, desk):
        move(desk.one, qty=-10, notional=-10_000, orders=-1)
        assert exposure_rows() == []
        assert open_order_counts() == {}

    @pytest.mark.parametrize(
        "delta",
        [
            {"qty": "-10.000000000001"},
            {"notional": "-10000.000000000000000001"},
            {"orders": -2},
            {"qty": -1, "side": Side.SELL},
        ],
    )
    def test_more_than_is_reserved_cannot_be_freed(self, desk, delta):
        before = exposure_rows(), open_order_counts()
        with pytest.raises(ExposureUnderflowError), transaction.atomic():
            move(desk.one, **delta)
        assert (exposure_rows(), open_order_counts()) == before

    def test_nothing_to_move_asks_the_database_nothing(self, desk, django_assert_num_queries):
        with django_assert_num_queries(0):
            move(desk.one)

    def test_the_first_order_of_an_account_may_come_from_a_venue(self, desk):
        move(desk.two, qty=5, notional=5_000, orders=1)
        assert open_order_counts() == {desk.one.id: 1, desk.two.id: 1}
        assert exposure_rows()[1].open_buy_qty == 5

    def test_freeing_what_never_was_is_refused_and_leaves_no_row(self, desk):
        for orders in (-1, 0):
            with pytest.raises(ExposureUnderflowError), transaction.atomic():
                move(desk.two, qty=-5, notional=-5_000, orders=orders)
        assert not InstrumentExposure.objects.filter(account=desk.two).exists()
        assert not AccountExposure.objects.filter(account=desk.two).exists()


class TestChecking:
    def test_differences_name_account_instrument_and_both_sides(self, desk):
        book = lock_accounts([desk.one.id])
        reserve(book, desk.one)
        book.save()
        truth = ExposureRow(desk.one.id, "SPX", Decimal(9), open_buy_notional=Decimal(9_000))
        wrong = exposure_differences(rows=[truth], open_orders={desk.one.id: 2})
        assert len(wrong) == 2
        assert "SPX" in wrong[0]
        assert "held 1, orders 2" in wrong[1]

    def test_equal_books_have_no_difference(self, desk):
        book = lock_accounts([desk.one.id])
        reserve(book, desk.one)
        book.save()
        assert exposure_differences(rows=exposure_rows(), open_orders=open_order_counts()) == []

    def test_recomputing_makes_them_equal_and_says_what_was_wrong(self, desk):
        book = lock_accounts([desk.one.id, desk.two.id])
        reserve(book, desk.one)
        reserve(book, desk.two)
        book.save()
        truth = [ExposureRow(desk.one.id, "SPX", Decimal(9), open_buy_notional=Decimal(9_000))]
        counts = {desk.one.id: 1, desk.two.id: 0}
        wrong = recompute_exposure(rows=truth, open_orders=counts)
        assert len(wrong) == 3
        assert exposure_rows() == truth
        assert open_order_counts() == {desk.one.id: 1}
        assert recompute_exposure(rows=truth, open_orders=counts) == []


class TestBreachLog:
    def test_it_returns_what_was_judged_and_is_never_edited(self, desk, wish, quote, now):
        book = lock_accounts([desk.one.id])
        judged = book.judge(
            account=desk.one,
            intent=wish(order_qty=Decimal(200_000), price=Decimal("1234.56")),
            instrument=desk.spx,
            quote=quote(),
            now=now,
        )
        order_id = "01JNB3V0000000000000000000"
        record_breaches(order_id=order_id, account=desk.one, breaches=judged, now=now)
        assert len(judged) == 3
        assert breaches_of(order_id) == judged
        for edit in (
            lambda: Breach.objects.update(message="never happened"),
            lambda: Breach.objects.all().delete(),
        ):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                edit()
        assert breaches_of(order_id) == judged
