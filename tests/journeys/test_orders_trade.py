"""Orders that go the straight road: sent, worked, changed, taken back, ended by time."""

from datetime import timedelta

from brokers.models import PaperOrder
from events.models import Event
from tenants.binding import tenant_bound
from tests.journeys.cast import utcnow


def test_a_market_order_is_filled_and_everything_tells_it(gateway, alice, desk):
    answer = alice.place("BUY", "10", id="first", strategy="trend", tags={"desk": "a"})
    assert answer.status == 201
    accepted = answer.json
    assert accepted["ord_status"] == "PENDING_NEW"
    assert [(c["kind"], c["state"]) for c in accepted["pending"]] == [("NEW", "QUEUED")]
    assert accepted["leaves_qty"] == "10"
    assert answer.headers["ETag"] == '"v1"'

    order = alice.until_final(accepted["id"])
    assert (order["ord_status"], order["cum_qty"], order["leaves_qty"]) == ("FILLED", "10", "0")
    assert order["avg_px"] == "1000.5"
    assert (order["strategy"], order["tags"]) == ("trend", {"desk": "a"})
    assert alice.words(order["id"]) == ["PENDING_NEW", "NEW", "TRADE"]
    assert alice.executions(order["id"]) == [("10", "1000.5")]

    (position,) = alice.get(f"/positions?account={desk.code}").json["items"]
    assert (position["symbol"], position["qty"], position["avg_px"]) == ("SPX", "10", "1000.5")
    (balance,) = alice.get(f"/balances?account={desk.code}").json["items"]
    # 10 x 1000.50 and one basis point of it, in cents, as the taker's fee
    assert balance["cash"] == "9989994"
    assert balance["reserved"] == "0"
    with tenant_bound(desk.schema):
        types = list(
            Event.objects.filter(subject=order["id"]).order_by("seq").values_list("type", flat=True)
        )
    assert types == ["order.accepted", "order.new", "order.filled"]


def test_selling_what_was_bought_realises_the_difference(gateway, market, alice, desk):
    alice.until_final(alice.placed("BUY", "10"))
    market.show("1010.00", "1011.00")
    order = alice.until_final(alice.placed("SELL", "10"))
    assert order["avg_px"] == "1010"
    (row,) = alice.get(f"/pnl?account={desk.code}").json["items"]
    assert row["realized"] == "95"


def test_a_limit_order_rests_is_amended_and_is_cancelled(gateway, alice, desk):
    order_id = alice.placed("BUY", "20", price="950.00", tif="GTC", id="rest-1")
    order = alice.until_status(order_id, "NEW")
    assert order["order_id"] == desk.at_venue()[0].order_id

    answer = alice.replace(order_id, order_qty="15", price="955.00", cl_ord_id="rest-2")
    assert answer.status == 202
    assert [(c["kind"], c["cl_ord_id"]) for c in answer.json["pending"]] == [("REPLACE", "rest-2")]
    order = alice.until(order_id, lambda o: o["cl_ord_id"] == "rest-2" and not o["pending"])
    assert (order["ord_status"], order["order_qty"], order["price"]) == ("NEW", "15", "955")
    assert order["orig_cl_ord_id"] == "rest-1"
    for name in ("rest-1", "rest-2"):
        (found,) = alice.get(f"/orders?account={desk.code}&cl_ord_id={name}").json["items"]
        assert found["id"] == order_id

    answer = alice.cancel(order_id, cl_ord_id="rest-3")
    assert answer.status == 202
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"], order["leaves_qty"]) == ("CANCELED", "0", "0")
    assert alice.words(order_id) == [
        "PENDING_NEW",
        "NEW",
        "PENDING_REPLACE",
        "REPLACED",
        "PENDING_CANCEL",
        "CANCELED",
    ]


def test_a_resting_order_is_filled_when_the_market_comes_to_it(gateway, market, alice):
    order_id = alice.placed("SELL_SHORT", "5", price="1005.00", tif="GTC")
    alice.until_status(order_id, "NEW")
    market.show("1006.00", "1007.00")
    order = alice.until_final(order_id)
    assert order["ord_status"] == "FILLED"
    assert order["avg_px"] == "1005"


def test_a_partial_fill_keeps_working_and_its_rest_is_cancelled(gateway, alice, desk):
    order_id = alice.placed("BUY", "150", price="1000.50", tif="DAY")
    order = alice.until_status(order_id, "PARTIALLY_FILLED")
    assert (order["cum_qty"], order["leaves_qty"]) == ("100", "50")
    (balance,) = alice.get(f"/balances?account={desk.code}").json["items"]
    assert balance["reserved"] == "50025"

    assert alice.cancel(order_id).status == 202
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"], order["leaves_qty"]) == ("CANCELED", "100", "0")
    assert alice.executions(order_id) == [("100", "1000.5")]


def test_a_partial_fill_is_completed_by_the_next_quote(gateway, market, alice):
    order_id = alice.placed("BUY", "150", price="1000.50", tif="GTC")
    alice.until_status(order_id, "PARTIALLY_FILLED")
    market.show("999.00", "1000.00")
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "150")
    assert len(alice.executions(order_id)) == 2


def test_ioc_takes_what_is_there_and_cancels_the_rest(gateway, alice):
    order = alice.until_final(alice.placed("BUY", "150", price="1000.50", tif="IOC"))
    assert (order["ord_status"], order["cum_qty"], order["leaves_qty"]) == ("CANCELED", "100", "0")
    order = alice.until_final(alice.placed("BUY", "10", price="990.00", tif="IOC"))
    assert (order["ord_status"], order["cum_qty"]) == ("CANCELED", "0")


def test_fok_fills_all_or_nothing(gateway, alice):
    order = alice.until_final(alice.placed("BUY", "100", price="1000.50", tif="FOK"))
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "100")
    order = alice.until_final(alice.placed("BUY", "150", price="1000.50", tif="FOK"))
    assert (order["ord_status"], order["cum_qty"]) == ("CANCELED", "0")


def test_a_market_order_without_an_opposite_side_is_rejected_by_the_venue(gateway, market, alice):
    market.show("999.50", "1000.50", size=0)
    order = alice.until_final(alice.placed("BUY", "10"))
    assert (order["ord_status"], order["ord_rej_reason"]) == ("REJECTED", "NO_LIQUIDITY")


def test_a_day_order_expires_although_the_gateway_was_away(gateway, alice, desk):
    order_id = alice.placed("BUY", "150", price="1000.50", tif="DAY")
    alice.until_status(order_id, "PARTIALLY_FILLED")
    gateway.stop()
    with tenant_bound(desk.schema):
        PaperOrder.objects.filter(account_id=desk.account_id).update(
            day_ends_at=utcnow() - timedelta(seconds=1)
        )
    gateway.start()
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"], order["leaves_qty"]) == ("EXPIRED", "100", "0")
    answer = alice.cancel(order_id)
    assert (answer.status, answer.code, answer.inner) == (409, "state_conflict", "already_expired")


def test_fills_that_happen_while_the_gateway_is_away_are_found_once(gateway, market, alice, desk):
    order_id = alice.placed("BUY", "150", price="1000.50", tif="GTC")
    alice.until_status(order_id, "PARTIALLY_FILLED")
    gateway.stop()
    market.show("999.00", "1000.00")
    gateway.start()
    market.again()
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "150")
    gateway.reconcile(desk)
    assert len(alice.executions(order_id)) == 2
