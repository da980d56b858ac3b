"""A firm at work at instants of the past, in one thread: what web and gateway do, in their order.

Every order goes through the services a live one goes through: judged and stored, claimed under
a lease, matched by the paper venue, its messages stored, parsed, folded and booked. Only the
clock is told, and nobody waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from brokers import services as broker_services
from brokers.adapters.paper.adapter import PaperBroker
from brokers.adapters.paper.messages import Message
from brokers.adapters.paper.venue import Venue
from brokers.models import BrokerAccount, BrokerConnection, FaultSwitch
from brokers.services import Lease
from common.actor import Actor, ActorKind
from common.errors import Refused
from config.demo_history.market import Day, PastMarket
from oms.gateway import messages, outcomes
from oms.models import Order
from oms.services import accept, cancel, protocol, replace
from oms.services.accept import Acceptance
from oms.services.replace import ReplaceTerms
from portfolio.selectors import position_qty
from portfolio.services import take_pnl_snapshots
from trading.market import Quote
from trading.orders.intent import OrderIntent
from trading.vocabulary import OrdType, Side, TimeInForce

HOLDER = "demo history"
NAME = "demo"
TAGS = {"demo": "history"}
DONE = "the demo's past days end here"


@dataclass(frozen=True, slots=True)
class _Line:
    """A session at one paper venue."""

    connection_id: int
    venue: Venue
    lease: Lease
    accounts: dict[str, int]


class PastDesk:
    """All accounts of one bound firm. Instants given must not go back."""

    def __init__(self, schema: str, market: PastMarket) -> None:
        self.schema = schema
        self.market = market
        self.now: datetime
        self._lines: list[_Line] = []
        self._actor = Actor(ActorKind.SYSTEM, NAME, NAME, schema, frozenset({"orders:write"}))

    # --- sessions -----------------------------------------------------------------------------

    def log_on(self, now: datetime, until: datetime) -> None:
        """Open a session at every connection; its lease lasts ``until`` then."""
        self.now = now
        for one in BrokerConnection.objects.order_by("id"):
            lease = broker_services.acquire_lease(
                schema=self.schema,
                connection_id=one.pk,
                holder=HOLDER,
                now=now,
                ttl=until - now + timedelta(minutes=1),
            )
            assert lease is not None, "a connection made in this transaction is nobody else's"
            venue = Venue(schema=self.schema, connection_id=one.pk)
            venue.log_on(now)
            self._mark(one.pk, BrokerConnection.State.UP)
            accounts = BrokerAccount.objects.filter(connection=one).values_list("code", "pk")
            self._lines.append(_Line(one.pk, venue, lease, dict(accounts)))

    def log_off(self, now: datetime) -> None:
        """Give the leases back: the gateway's sessions come next."""
        self.now = now
        for line in self._lines:
            self._mark(line.connection_id, BrokerConnection.State.DOWN, DONE)
            broker_services.release_lease(schema=self.schema, lease=line.lease, now=now)

    def _mark(self, connection_id: int, state: BrokerConnection.State, reason: str = "") -> None:
        broker_services.set_connection_state(
            schema=self.schema,
            connection_id=connection_id,
            state=state,
            reason=reason,
            now=self.now,
        )

    # --- time passes --------------------------------------------------------------------------

    def tick(self, day: Day, at: datetime) -> None:
        """The market speaks; the venues fill what it crosses."""
        self.now = at
        told = self.market.speak(day, at)
        for line in self._lines:
            crossing = {}
            for symbol, quote in told.items():
                if line.venue.wants(quote, at):
                    crossing[symbol] = quote
                else:
                    line.venue.show(quote, at)
            if crossing:
                self._take(line.venue.process((), crossing, at).messages)

    def end_day(self, at: datetime) -> None:
        """DAY orders expire."""
        self.now = at
        for line in self._lines:
            due = line.venue.next_due()
            if due is not None and due <= at:
                self._take(line.venue.process((), {}, at).messages)

    def wait(self, seconds: int) -> None:
        """Let time pass while the market says nothing."""
        self.now += timedelta(seconds=seconds)

    def record_worth(self) -> None:
        """What the accounts are worth, as beat records it."""
        take_pnl_snapshots(schema=self.schema, now=self.now)

    # --- what a trader does -------------------------------------------------------------------

    def quote(self, symbol: str) -> Quote:
        """The last quote told."""
        found = self.market.latest(symbol)
        assert found is not None, "nobody trades before the market has opened"
        return found

    def holds(self, account: str, symbol: str) -> Decimal:
        """The signed quantity of the account."""
        return position_qty(account_id=self._line(account).accounts[account], symbol=symbol)

    def place(
        self,
        account: str,
        symbol: str,
        side: Side,
        qty: int,
        *,
        price: Decimal | None = None,
        time_in_force: TimeInForce = TimeInForce.DAY,
        strategy: str | None = None,
    ) -> str:
        """Send an order: a LIMIT where a price is given, else a MARKET; return its id.

        :raises Refused: where it did not become an order; risk's refusal is kept and is one.
        """
        intent = OrderIntent(
            account=account,
            symbol=symbol,
            side=side,
            ord_type=OrdType.MARKET if price is None else OrdType.LIMIT,
            order_qty=Decimal(qty),
            price=price,
            time_in_force=time_in_force,
            strategy=strategy,
            tags=TAGS,
            source="strategy" if strategy else "api",
        )
        (answer,) = accept.accept_orders(
            schema=self.schema, intents=[intent], actor=self._actor, now=self.now
        )
        if isinstance(answer, Refused):
            raise answer
        assert isinstance(answer, Acceptance)
        self._send(account)
        return answer.order.id

    def amend(self, order_id: str, *, qty: int | None = None, price: Decimal | None = None) -> None:
        """Give a working order other terms. :raises Refused: where it cannot have them."""
        terms = ReplaceTerms(order_qty=None if qty is None else Decimal(qty), price=price)
        answer = replace.request_replace(
            schema=self.schema, order_id=order_id, actor=self._actor, terms=terms, now=self.now
        )
        self._send(answer.account_code)

    def cancel(self, order_id: str) -> None:
        """Take a working order back. :raises Refused: where it is closed."""
        answer = cancel.request_cancel(
            schema=self.schema, order_id=order_id, actor=self._actor, now=self.now
        )
        self._send(answer.account_code)

    def is_open(self, order_id: str) -> bool:
        """Whether the order still works."""
        return Order.objects.filter(pk=order_id, is_closed=False).exists()

    def break_line(self, account: str, *switches: FaultSwitch) -> None:
        """Let the account's venue lose the next answer, or fall silent."""
        for switch in switches:
            broker_services.set_fault(
                connection=BrokerConnection.objects.get(pk=self._line(account).connection_id),
                switch=switch,
                times=1,
                actor=self._actor,
                now=self.now,
            )

    # --- the gateway's part -------------------------------------------------------------------

    def _line(self, account: str) -> _Line:
        return next(line for line in self._lines if account in line.accounts)

    def _send(self, account: str) -> None:
        """Claim, let the venue work, settle and take its messages, until nothing is queued."""
        line = self._line(account)
        while command := protocol.claim_next(
            schema=self.schema,
            connection_id=line.connection_id,
            account_id=line.accounts[account],
            epoch=line.lease.epoch,
            now=self.now,
        ):
            quote = self.market.latest(command.symbol)
            result = line.venue.process(
                [outcomes.request_of(command)],
                {} if quote is None else {command.symbol: quote},
                self.now,
            )
            self._take(result.messages)
            for answer in result.answers:
                outcomes.settle(
                    schema=self.schema,
                    command=command,
                    outcome=answer.outcome,
                    broker=PaperBroker,
                    now=self.now,
                )
                self._take(answer.messages)

    def _take(self, told: Sequence[Message]) -> None:
        for message in told:
            messages.take(
                schema=self.schema,
                account_code=message.account,
                raw=message.raw,
                parse=PaperBroker.parse,
                now=self.now,
            )
