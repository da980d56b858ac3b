"""When a day ends: by the exchange's own clock, half days and changes of the clock included."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from brokers import services as broker_services
from brokers.adapters.paper.adapter import PaperBroker
from brokers.adapters.paper.venue import Venue
from oms.gateway import messages, outcomes
from oms.services import protocol

NEW_YORK = ZoneInfo("America/New_York")


class AtTheVenue:
    """The gateway's part at instants a test chooses, at the paper venue itself."""

    def __init__(self, desk, market) -> None:
        self.desk, self.market = desk, market
        self.venue = Venue(schema=desk.schema, connection_id=desk.connection_id)

    def send(self, now: datetime) -> None:
        """Send what is queued."""
        where = {"schema": self.desk.schema, "connection_id": self.desk.connection_id}
        lease = broker_services.acquire_lease(**where, holder="past", now=now)
        self.venue.log_on(now)
        account = {"account_id": self.desk.account_id, "epoch": lease.epoch}
        while command := protocol.claim_next(**where, **account, now=now):
            quotes = {command.symbol: self.market.latest(command.symbol)}
            result = self.venue.process([outcomes.request_of(command)], quotes, now)
            (answer,) = result.answers
            outcomes.settle(
                schema=self.desk.schema,
                command=command,
                outcome=answer.outcome,
                broker=PaperBroker,
                now=now,
            )
            self._take([*result.messages, *answer.messages], now)

    def wait_until(self, now: datetime) -> None:
        """Time passes and the market says nothing."""
        self._take(self.venue.process((), {}, now).messages, now)

    def _take(self, said, now: datetime) -> None:
        for message in said:
            messages.take(
                schema=self.desk.schema,
                account_code=message.account,
                raw=message.raw,
                parse=PaperBroker.parse,
                now=now,
            )


@pytest.mark.parametrize(
    ("day", "closes", "in_utc"),
    [
        ("2026-11-27", "13:00", "18:00"),  # the day after Thanksgiving
        ("2027-11-26", "13:00", "18:00"),
        ("2026-03-06", "16:00", "21:00"),  # Friday before the clocks change
        ("2026-03-09", "16:00", "20:00"),  # Monday after it
    ],
)
def test_row_66_a_day_order_ends_at_the_close_of_its_exchange_on_a_half_day_and_over_clock_changes(
    exchange_hours, at_the_exchange, market, alice, desk, day, closes, in_utc
):
    now = at_the_exchange(f"{day}T12:00")
    day_order = alice.placed("BUY", "10", price="950.00", tif="DAY")
    kept = alice.placed("BUY", "10", price="949.00", tif="GTC")
    there = AtTheVenue(desk, market)
    there.send(now)
    close = datetime.fromisoformat(f"{day}T{closes}").replace(tzinfo=NEW_YORK)
    there.wait_until(close - timedelta(microseconds=1))
    assert alice.order(day_order)["ord_status"] == "NEW"
    there.wait_until(close)
    order = alice.order(day_order)
    assert (order["ord_status"], order["leaves_qty"]) == ("EXPIRED", "0")
    assert order["updated_at"].startswith(f"{day}T{in_utc}:00")
    assert alice.order(kept)["ord_status"] == "NEW"
