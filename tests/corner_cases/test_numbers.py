"""A venue that numbers orders, and begins again: TWS, under its real client library."""

from tests.faults.conftest import desk, tws
from tests.faults.test_ib import LIMIT, at_tws

__all__ = ["desk", "tws"]


def test_row_19_f53_numbers_that_went_back_hold_new_orders_until_a_person_resumes(
    gateway, tws, alice, program, desk
):
    first, second = (alice.placed("BUY", qty, **LIMIT) for qty in ("10", "11"))
    for order_id in (first, second):
        alice.until_status(order_id, "NEW")
    tws.served.answers.next_order_id = 1
    tws.do(cut(tws))

    def alarms():
        items = alice.get(f"/breaks?account={desk.code}").json["items"]
        return [row["kind"] for row in items]

    alice.until(first, lambda _: "ID_RESET" in alarms())
    waiting = alice.placed("BUY", "12", **LIMIT)
    assert alice.cancel(second).status == 202
    alice.until_status(second, "CANCELED")
    assert at_tws(tws, waiting) == []
    taken = [int(fields[1]) for name, fields in tws.served.received if name == "placeOrder"]
    low = program.post(f"/connections/{desk.connection}/resume", {"first": max(taken)})
    assert (low.status, low.json["errors"][0]["field"]) == (422, "first")
    assert program.post(f"/connections/{desk.connection}/resume", {"first": 500}).status == 200
    alice.until_status(waiting, "NEW")
    assert at_tws(tws, waiting)[0].order_id == 500
    gateway.reconcile(desk)
    alice.until(first, lambda _: "ID_RESET" not in alarms())


async def cut(tws) -> None:
    """Let every line fall."""
    tws.served.cut()
