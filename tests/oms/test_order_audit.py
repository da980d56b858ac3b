"""The checker of orders finds what it is for: each contradiction is made and must be named."""

from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from oms.audit import executed_quantities, order_problems
from oms.models import Command, Execution, Order, OrderEvent, OrderVersion
from portfolio.audit import check_books
from risk.models import AccountExposure, InstrumentExposure
from tenants.binding import tenant_bound


@pytest.fixture
def part_filled(gateway, alice):
    """150 wanted, 100 filled, the rest resting, amended once."""
    order_id = alice.placed("BUY", "140", price="1000.50", tif="GTC")
    alice.until_status(order_id, "PARTIALLY_FILLED")
    assert alice.replace(order_id, order_qty="150").status == 202
    alice.until(order_id, lambda o: not o["pending"])
    gateway.stop()
    return order_id


@contextmanager
def tampering(desk):
    """The firm bound; whatever is done to it is undone at the end."""
    with tenant_bound(desk.schema):
        yield
        transaction.set_rollback(True)


def test_a_row_changed_by_hand_is_found(desk, part_filled):
    of_order = {"pk": part_filled}
    of_account = {"account_id": desk.account_id}
    unfilled = {"ord_status": "NEW", "cum_qty": 0, "gross_trade_amt": 0, "leaves_qty": 150}
    for model, which, columns, named in (
        (Order, of_order, unfilled, "ord_status is NEW, its events fold to PARTIALLY_FILLED"),
        (Order, of_order, {"gross_trade_amt": 5}, "gross_trade_amt is 5"),
        (Order, of_order, {"price": "999"}, "price is 999"),
        (Order, of_order, {"cl_ord_id": "other"}, "cl_ord_id is other"),
        (Order, of_order, {"order_id": "P0-0"}, "order_id is P0-0"),
        (Order, of_order, {"facts": {}}, "facts is {}"),
        (Order, of_order, {"reserved_qty": 49}, "it reserves"),
        (Order, of_order, {"reserve_px": 1}, "it reserves"),
        (Order, of_order, {"version": 3}, "the row is at version 3"),
        (OrderVersion, {"order_id": part_filled}, {"state": "PENDING"}, "is PENDING"),
        (AccountExposure, of_account, {"open_orders": 7}, "open orders of account"),
        (InstrumentExposure, of_account, {"open_buy_qty": 1}, "exposure of account"),
    ):
        with tampering(desk):
            assert order_problems([desk.code]) == []
            assert model.objects.filter(**which).update(**columns) > 0
            found = order_problems([desk.code])
            assert any(named in problem for problem in found), (columns, found)


def test_rows_that_went_round_the_triggers_are_found(desk, part_filled):
    for statement, named in (
        ("UPDATE oms_execution SET last_qty = 99 WHERE order_id = %s", "its events say"),
        ("DELETE FROM oms_execution WHERE order_id = %s", "is None, its events say"),
        ("DELETE FROM oms_order_event WHERE order_id = %s AND seq = 2", "its events are numbered"),
        ("UPDATE oms_order_event SET after = 'NEW' WHERE order_id = %s AND seq = 3", "the fold"),
        ("DELETE FROM oms_order_version WHERE order_id = %s AND number = 0", "version 0"),
        ("DELETE FROM oms_order_version WHERE order_id = %s AND number = 1", "has no row"),
    ):
        with tampering(desk):
            with connection.cursor() as cursor:
                for model in (Execution, OrderEvent):
                    cursor.execute(f"ALTER TABLE {model._meta.db_table} DISABLE TRIGGER USER")
                cursor.execute(statement, [part_filled])
                assert cursor.rowcount == 1
            found = order_problems([desk.code])
            assert any(named in line and part_filled in line for line in found), (statement, found)


def test_a_closed_order_with_an_open_command_is_found(gateway, alice, desk):
    order_id = alice.placed("BUY", "10")
    alice.until_final(order_id)
    with tampering(desk):
        Command.objects.filter(order_id=order_id).update(state="UNKNOWN")
        assert any("is open" in problem for problem in order_problems([desk.code]))


def test_positions_are_compared_with_what_orders_executed(desk, part_filled):
    with tenant_bound(desk.schema):
        executed = executed_quantities()
        assert executed[desk.code, "SPX"] == 100
        assert check_books(executed) == []
        executed[desk.code, "SPX"] += 1
        (problem,) = check_books(executed)
    assert desk.code in problem
