"""Orders that exclude each other: one executes, the others end."""

from tests.order_lists.desk import leg

GTC = {"order_qty": "10"}


def test_the_first_execution_of_a_leg_ends_the_others(gateway, market, lists):
    list_id = lists.placed("OCO", leg("BUY", "950.00", **GTC), leg("BUY", "940.00", **GTC))
    lists.until_legs(list_id, ("NEW", "10", "0"), ("NEW", "10", "0"))
    market.show("949.00", "949.50", size=4)
    found = lists.until(
        list_id, lambda found: found["legs"][1]["order"]["ord_status"] == "CANCELED"
    )
    assert found["legs"][0]["order"]["ord_status"] in ("PARTIALLY_FILLED", "FILLED")


def test_cancelling_a_list_ends_every_leg(gateway, market, lists):
    list_id = lists.placed("OCO", leg("BUY", "950.00", **GTC), leg("BUY", "940.00", **GTC))
    lists.until_legs(list_id, ("NEW", "10", "0"), ("NEW", "10", "0"))
    assert lists.cancel(list_id).status == 202
    lists.until_legs(list_id, ("CANCELED", "10", "0"), ("CANCELED", "10", "0"))
    lists.until(list_id, lambda found: found["list_order_status"] == "ALL_DONE")
    again = lists.cancel(list_id)
    assert (again.status, again.code, again.inner) == (409, "state_conflict", "all_done")
