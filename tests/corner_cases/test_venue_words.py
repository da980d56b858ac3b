"""What a venue says that nobody understands, or says late."""

import asyncio
import json

from brokers.models import BrokerConnection, BrokerMessage, PaperExecution
from oms.models import OrderEvent, ParkedReport
from tests.journeys.cast import until

LIMIT = {"price": "950.00", "tif": "GTC"}


def test_row_49_an_unknown_status_word_is_parked_ends_nothing_and_the_connection_survives(
    gateway, market, alice, desk
):
    order_id = alice.placed("BUY", "10", **LIMIT)
    before = alice.until_status(order_id, "NEW")
    (said,) = desk.rows(PaperExecution, account_id=desk.account_id)
    message = json.loads(said.raw)
    epoch = gateway.sessions[0].epoch
    for n, change in enumerate(
        ({"ord_status": "DONE_AND_DUSTED"}, {"exec_type": "SINGING"}, {"ord_status": None})
    ):
        raw = json.dumps(message | {"exec_id": f"odd-{n}"} | change).encode()
        session = gateway.sessions[0]
        asyncio.run_coroutine_threadsafe(
            session.broker.on_message(desk.code, raw), gateway.market.loop
        ).result(10)

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
