"""What SQL itself refuses, whoever asks."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from oms.models import ClOrdId, Execution, Order, OrderEvent
from tenants.binding import tenant_bound
from trading.orders.table import allowed_pairs
from trading.vocabulary import OrdStatus


@pytest.fixture
def filled(gateway, alice):
    """The id of a filled order."""
    order_id = alice.placed("BUY", "10")
    alice.until_final(order_id)
    return order_id


def test_the_trigger_lets_pass_exactly_the_pairs_of_the_state_machine(acme):
    passed = []
    with tenant_bound(acme.schema), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE probe (id text, ord_status text) ON COMMIT DROP")
        cursor.execute(
            "CREATE TRIGGER probe BEFORE UPDATE OF ord_status ON probe FOR EACH ROW"
            " WHEN (OLD.ord_status IS DISTINCT FROM NEW.ord_status)"
            " EXECUTE FUNCTION oms_check_status_change()"
        )
        for before in OrdStatus:
            for after in OrdStatus:
                cursor.execute("DELETE FROM probe")
                cursor.execute("INSERT INTO probe VALUES ('x', %s)", [before])
                try:
                    with transaction.atomic():
                        cursor.execute("UPDATE probe SET ord_status = %s", [after])
                except DatabaseError:
                    continue
                if before is not after:
                    passed.append((before.value, after.value))
    assert sorted(passed) == allowed_pairs()


def test_the_orders_table_carries_that_trigger(desk, filled):
    with pytest.raises(DatabaseError, match="cannot go from FILLED to PENDING_NEW"):
        change(desk, Order, {"pk": filled}, ord_status="PENDING_NEW", cum_qty=0)


def test_ledger_events_and_used_ids_are_append_only(desk, filled):
    for model, column in ((Execution, "exec_id"), (OrderEvent, "exec_id"), (ClOrdId, "cl_ord_id")):
        with pytest.raises(DatabaseError, match="append-only: UPDATE refused"):
            change(desk, model, {"order_id": filled}, **{column: "x"})
        with pytest.raises(DatabaseError, match="append-only: DELETE refused"):
            delete(desk, model, order_id=filled)


def test_orders_are_never_deleted(desk, filled):
    with pytest.raises(DatabaseError, match="append-only: DELETE refused"):
        delete(desk, Order, pk=filled)


CONTRADICTIONS = (
    ("order_amount_with_quantity", {"cum_qty": "-1"}),
    ("order_quantities_not_negative", {"reserved_qty": "-1"}),
    ("order_closed_has_no_leaves", {"leaves_qty": "1"}),
    ("order_overfill_is_excess", {"overfill_qty": "1"}),
    ("order_filled_is_full", {"cum_qty": "9", "gross_trade_amt": "9000"}),
    ("order_amount_with_quantity", {"gross_trade_amt": "0"}),
    ("order_filled_is_full", {"order_qty": "11"}),
    ("order_qty_positive", {"order_qty": "0", "overfill_qty": "10"}),
    ("order_limit_has_price", {"ord_type": "LIMIT", "price": None}),
    ("order_display_within_qty", {"display_qty": "11"}),
    ("order_leaves_is_rest", {"is_closed": False, "leaves_qty": "3"}),
)


def test_a_row_that_contradicts_itself_cannot_be_stored(desk, filled):
    for constraint, columns in CONTRADICTIONS:
        with pytest.raises(IntegrityError, match=constraint):
            change(desk, Order, {"pk": filled}, **columns)


def change(desk, model, which, **columns):
    with tenant_bound(desk.schema):
        assert model.objects.filter(**which).update(**columns) > 0


def delete(desk, model, **which):
    with tenant_bound(desk.schema):
        model.objects.filter(**which)._raw_delete("default")
