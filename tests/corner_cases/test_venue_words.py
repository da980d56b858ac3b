"""What a venue says that nobody understands, or says late."""

import asyncio
import json
from datetime import timedelta

import pytest

from brokers.models import BrokerConnection, BrokerMessage, PaperAccount, PaperExecution
from oms.models import OrderEvent, ParkedReport
from tenants.binding import tenant_bound
from tests.journeys.cast import until, utcnow

LIMIT = {"price": "950.00", "tif": "GTC"}


@pytest.fixture
def says(gateway, desk):
    """Let the venue send a message of its own making, through the session that stands."""

    def _says(message: dict) -> None:
        broker = gateway.sessions[0].broker
        asyncio.run_coroutine_threadsafe(
            broker.on_message(desk.code, json.dumps(message).encode()), gateway.market.loop
        ).result(10)

    return _says


def test_row_49_an_unknown_status_word_is_parked_ends_nothing_and_the_connection_survives(
    gateway, says, market, alice, desk
):
    order_id = alice.placed("BUY", "10", **LIMIT)
    before = alice.until_status(order_id, "NEW")
    (said,) = desk.rows(PaperExecution, account_id=desk.account_id)
    message = json.loads(said.raw)
    epoch = gateway.sessions[0].epoch
    for n, change in enumerate(
        ({"ord_status": "DONE_AND_DUSTED"}, {"exec_type": "SINGING"}, {"ord_status": None})
    ):
        says(message | {"exec_id": f"odd-{n}"} | change)

    parked = desk.rows(ParkedReport, account_id=desk.account_id)
    assert [row.reason.partition(":")[0] for row in parked] == ["unreadable"] * 3
    kept = {row.pk: row.raw for row in desk.rows(BrokerMessage, account_id=desk.account_id)}
    assert "DONE_AND_DUSTED" in kept[parked[0].broker_message_id]
    after = alice.order(order_id)
    assert (after["ord_status"], after["version"]) == ("NEW", before["version"])
    (connection,) = desk.rows(BrokerConnection, pk=desk.connection_id)
    assert connection.state == "UP"

    market.show("940.00", "941.00")
    assert alice.until_final(order_id)["ord_status"] == "FILLED"
    assert gateway.sessions[0].epoch == epoch
    until(lambda: len(desk.rows(OrderEvent, order_id=order_id)) == 3, "nothing else was applied")


@pytest.fixture
def free_of_charge(desk):
    """The venue says nothing of fees when it fills."""
    with tenant_bound(desk.schema):
        PaperAccount.objects.filter(pk=desk.account_id).update(maker_bps=0, taker_bps=0)


def test_row_93_a_fee_told_a_day_later_in_another_coin_is_attached_to_its_fill(
    free_of_charge, gateway, says, alice, desk
):
    order_id = alice.placed("BUY", "10")
    before = alice.until_final(order_id)
    (fill,) = alice.get(f"/executions?order_id={order_id}").json["items"]
    assert (fill["fee"], fill["fee_currency"]) == ("0", "USD")
    (cash,) = alice.get(f"/balances?account={desk.code}").json["items"]
    told = [json.loads(row.raw) for row in desk.rows(PaperExecution, account_id=desk.account_id)]
    (trade,) = (message for message in told if message["exec_type"] == "TRADE")
    fee = {
        "exec_type": "TRADE_CORRECT",
        "exec_id": f"{trade['exec_id']}+fee",
        "exec_ref_id": trade["exec_id"],
        "transact_time": (utcnow() + timedelta(days=1)).isoformat(),
        "venue_seq": 99,
        "fee": "0.0375",
        "fee_currency": "BNB",
    }
    for _ in range(2):  # told twice, attached once
        says(trade | fee)

    after = alice.order(order_id)
    for name in ("ord_status", "cum_qty", "avg_px", "leaves_qty"):
        assert after[name] == before[name]
    fees = {
        (row["fee"], row["fee_currency"], row["last_qty"], row["last_px"])
        for row in alice.get(f"/executions?order_id={order_id}").json["items"]
        if row["exec_type"] == "TRADE_CORRECT"
    }
    assert fees == {("0.0375", "BNB", "10", fill["last_px"])}
    held = {
        row["currency"]: row["cash"]
        for row in alice.get(f"/balances?account={desk.code}").json["items"]
    }
    assert held == {"USD": cash["cash"], "BNB": "-0.0375"}
    (position,) = alice.get(f"/positions?account={desk.code}").json["items"]
    assert position["qty"] == "10"
    assert desk.rows(ParkedReport, account_id=desk.account_id) == []
