"""The one door through which orders come to be: judged, stored and queued in one transaction.

Order of the checks (the first refusal wins): account, replay, halt, instrument and fields,
session and reference price, risk. Refusals before risk leave no row and do not consume the
client id; a risk denial is kept as a REJECTED order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from brokers.adapters.registry import capabilities_of
from brokers.models import BrokerAccount
from brokers.selectors import accounts_by_code
from common.actor import Actor
from common.errors import FieldError, NotFound, Refused
from common.ids import new_ulid
from marketdata import quotes
from marketdata.calendars import next_open, session_at
from marketdata.models import Instrument
from marketdata.selectors import instruments_by_symbol
from marketdata.symbols import is_symbol
from oms import errors
from oms.models import ClOrdId, Command, Order, OrderVersion
from oms.services import outbox, streams
from oms.services.fold import record
from oms.services.halts import check_halt
from portfolio.selectors import position_qty
from risk import selectors as risk_selectors
from risk import services as risk_services
from risk.book import RiskBook, reserved_price
from tenants.binding import tenant_bound
from trading.market import Quote
from trading.orders.ids import is_reserved_cl_ord_id, is_valid_cl_ord_id, venue_cl_ord_id
from trading.orders.intent import (
    OrderIntent,
    default_time_in_force,
    field_errors,
    intent_hash,
)
from trading.orders.reports import ExecutionReport
from trading.risk import Breach
from trading.vocabulary import (
    CommandKind,
    ExecType,
    Mode,
    OrdRejReason,
    OrdType,
    ReportSource,
    TimeInForce,
)

QUEUE_TTL_IMMEDIATE = timedelta(seconds=30)
QUEUE_TTL_RESTING = timedelta(minutes=5)
IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The answer for one intent that became, or already was, an order.

    ``breaches`` is empty unless our risk rejected the order; ``replay`` says that the same
    request had been answered before and nothing was done again.
    """

    order: Order
    account_code: str
    pending: tuple[Command, ...]
    breaches: tuple[Breach, ...]
    replay: bool


def accept_orders(
    *, schema: str, intents: Sequence[OrderIntent], actor: Actor, now: datetime
) -> list[Acceptance | Refused]:
    """Judge and store ``intents`` in one transaction; one answer per intent, in order.

    Item i is judged after the reservations of the items before it; a refusal of one never
    harms another. The answer exists only after the commit.
    """
    symbols = {intent.symbol for intent in intents if is_symbol(intent.symbol)}
    market = quotes.latest(symbols)
    with tenant_bound(schema):
        accounts = accounts_by_code(
            code for code in {intent.account for intent in intents} if actor.reaches(code)
        )
        desk = _Desk(
            actor=actor,
            now=now,
            accounts=accounts,
            instruments=instruments_by_symbol(symbols),
            market=market,
            book=risk_services.lock_accounts(account.id for account in accounts.values()),
        )
        answers: list[Acceptance | Refused] = []
        for intent in intents:
            try:
                answers.append(desk.accept(intent))
            except Refused as refusal:
                answers.append(refusal)
        desk.book.save()
        if any(isinstance(a, Acceptance) and a.pending and not a.replay for a in answers):
            outbox.wake_gateway(schema)
        return answers


@dataclass(frozen=True, slots=True)
class _Desk:
    """What one transaction of acceptance looks at, read once for the whole list."""

    actor: Actor
    now: datetime
    accounts: dict[str, BrokerAccount]
    instruments: dict[str, Instrument]
    market: dict[str, Quote]
    book: RiskBook

    def accept(self, given: OrderIntent) -> Acceptance:
        """:raises Refused: by the first check that fails."""
        account = self._account(given)
        instrument = self.instruments.get(given.symbol)
        intent = _with_defaults(given, instrument)
        if replayed := self._replay(intent, account):
            return replayed
        self._check_halt(intent, account)
        instrument = self._instrument(intent, instrument)
        self._check_fields(intent, account, instrument)
        quote = self._check_market(intent, instrument)
        breaches = self.book.judge(
            account=account, intent=intent, instrument=instrument, quote=quote, now=self.now
        )
        reserve_px = reserved_price(intent=intent, quote=quote, now=self.now)
        assert reserve_px is not None, "without a price the order was refused above"
        return self._store(intent, account, instrument, reserve_px, breaches)

    def _account(self, intent: OrderIntent) -> BrokerAccount:
        account = self.accounts.get(intent.account)
        if account is None:
            raise NotFound
        if account.state != BrokerAccount.State.ACTIVE:
            raise errors.AccountDisabled(account.code)
        if account.mode == Mode.LIVE and not self.actor.may("orders:live"):
            raise errors.LiveScopeMissing(account.code)
        return account

    def _replay(self, intent: OrderIntent, account: BrokerAccount) -> Acceptance | None:
        if intent.cl_ord_id is None:
            return None
        if not is_valid_cl_ord_id(intent.cl_ord_id):
            raise errors.FieldRefused(
                [
                    FieldError(
                        "cl_ord_id",
                        "invalid_cl_ord_id",
                        "cl_ord_id takes 1 to 36 of A-Z a-z 0-9 . _ - and starts with a "
                        "letter, digit or underscore.",
                    )
                ]
            )
        used = (
            ClOrdId.objects.filter(account_id=account.id, cl_ord_id=intent.cl_ord_id)
            .select_related("order")
            .first()
        )
        if used is None:
            if is_reserved_cl_ord_id(intent.cl_ord_id):
                raise errors.FieldRefused(
                    [
                        FieldError(
                            "cl_ord_id",
                            "cl_ord_id_reserved",
                            "This cl_ord_id has the form of ids the system makes itself "
                            "(children, legs, cancels); choose another.",
                        )
                    ]
                )
            return None
        if used.kind != CommandKind.NEW or used.content_hash != intent_hash(intent):
            raise errors.ClOrdIdReused(intent.cl_ord_id)
        return Acceptance(
            order=used.order,
            account_code=account.code,
            pending=tuple(outbox.open_commands(used.order)),
            breaches=risk_selectors.breaches_of(used.order.id),
            replay=True,
        )

    def _check_halt(self, intent: OrderIntent, account: BrokerAccount) -> None:
        try:
            check_halt(
                account=account, symbol=intent.symbol, strategy=intent.strategy, reduces=False
            )
        except errors.TradingHalted:
            # Only now is the position worth a query: most orders meet no halt.
            check_halt(
                account=account,
                symbol=intent.symbol,
                strategy=intent.strategy,
                reduces=self._only_reduces(intent, account),
            )

    def _only_reduces(self, intent: OrderIntent, account: BrokerAccount) -> bool:
        """Whether the order cannot but shrink the position, open orders included."""
        return self.book.only_reduces(
            account_id=account.id,
            symbol=intent.symbol,
            side=intent.side,
            qty=intent.order_qty,
            position_qty=position_qty(account_id=account.id, symbol=intent.symbol),
        )

    def _instrument(self, intent: OrderIntent, instrument: Instrument | None) -> Instrument:
        if not is_symbol(intent.symbol):
            code, message = (
                "invalid_symbol",
                "symbol takes 1 to 32 of A-Z 0-9 . / - and starts with a letter or digit.",
            )
        elif instrument is None:
            code, message = (
                "unknown_instrument",
                f"No instrument {intent.symbol} is known here; GET /instruments lists them.",
            )
        elif not instrument.tradable:
            code, message = "not_tradable", f"{intent.symbol} is shown for reference only."
        else:
            return instrument
        raise errors.FieldRefused([FieldError("symbol", code, message)])

    def _check_fields(
        self, intent: OrderIntent, account: BrokerAccount, instrument: Instrument
    ) -> None:
        found = field_errors(intent, instrument.rules)
        if found:
            raise errors.FieldRefused(
                [FieldError(row.field, row.code, row.message) for row in found]
            )
        assert intent.time_in_force is not None, "defaults are filled in first"
        broker = account.connection.broker
        able = capabilities_of(broker)
        unable = {
            "time_in_force": not able.takes(intent.ord_type, intent.time_in_force),
            "exec_inst": not able.exec_inst.issuperset(intent.exec_inst),
            "display_qty": intent.display_qty is not None,  # no adapter carries it yet
        }
        refused = [
            FieldError(
                name, "unsupported_by_venue", f"{broker} takes no {intent.ord_type} like this."
            )
            for name in unable
            if unable[name]
        ]
        if refused:
            raise errors.FieldRefused(refused)

    def _check_market(self, intent: OrderIntent, instrument: Instrument) -> Quote:
        session = session_at(instrument, self.now)
        if session is None and intent.time_in_force is not TimeInForce.GTC:
            raise errors.MarketClosed(intent.symbol, next_open(instrument, self.now))
        quote = self.market.get(intent.symbol)
        if quote is None or risk_selectors.reference_price(quote, now=self.now) is None:
            raise errors.NoReferencePrice(intent.symbol)
        return quote

    def _store(
        self,
        intent: OrderIntent,
        account: BrokerAccount,
        instrument: Instrument,
        reserve_px: Decimal,
        breaches: tuple[Breach, ...],
    ) -> Acceptance:
        order = _order_row(intent, account, instrument, reserve_px, self.actor, self.now)
        record(
            order, _first_report(order, breaches, self.now), actor=self.actor.label, now=self.now
        )
        ClOrdId.objects.create(
            account_id=account.id,
            cl_ord_id=order.cl_ord_id,
            order=order,
            kind=CommandKind.NEW,
            content_hash=order.intent_hash,
        )
        OrderVersion.objects.create(
            order=order,
            account_id=account.id,
            number=0,
            cl_ord_id=order.cl_ord_id,
            venue_cl_ord_id=venue_cl_ord_id(order.id, 0),
            order_qty=order.order_qty,
            price=order.price,
            time_in_force=order.time_in_force,
            state=OrderVersion.ACCEPTED,
            created_at=self.now,
        )
        if breaches:
            risk_services.record_breaches(
                order_id=order.id, account=account, breaches=breaches, now=self.now
            )
            pending: tuple[Command, ...] = ()
            streams.publish_order(
                order, "order.denied", pending, account, self.actor.label, self.now
            )
        else:
            pending = (_queue_new(order, account, self.now),)
            self.book.reserve(
                account_id=account.id,
                symbol=order.symbol,
                side=intent.side,
                qty=order.reserved_qty,
                notional=outbox.reserved_notional(order),
            )
            streams.publish_order(
                order, "order.accepted", pending, account, self.actor.label, self.now
            )
        return Acceptance(order, account.code, pending, breaches, replay=False)


def _with_defaults(intent: OrderIntent, instrument: Instrument | None) -> OrderIntent:
    """The time in force a client left out: DAY where the instrument's calendar has sessions."""
    if intent.time_in_force is not None:
        return intent
    continuous = instrument is not None and not instrument.calendar
    return replace(intent, time_in_force=default_time_in_force(intent.ord_type, continuous))


def _order_row(
    intent: OrderIntent,
    account: BrokerAccount,
    instrument: Instrument,
    reserve_px: Decimal,
    actor: Actor,
    now: datetime,
) -> Order:
    assert intent.time_in_force is not None, "defaults are filled in first"
    order_ulid = new_ulid(now)
    cl_ord_id = intent.cl_ord_id or order_ulid
    return Order(
        id=order_ulid,
        account=account,
        instrument=instrument,
        symbol=intent.symbol,
        mode=account.mode,
        cl_ord_id=cl_ord_id,
        side=intent.side,
        ord_type=intent.ord_type,
        order_qty=intent.order_qty,
        price=intent.price,
        stop_px=intent.stop_px,
        display_qty=intent.display_qty,
        time_in_force=intent.time_in_force,
        expire_time=intent.expire_time,
        exec_inst=list(intent.exec_inst),
        strategy=intent.strategy,
        tags=dict(intent.tags),
        source=intent.source,
        reserve_px=reserve_px,
        intent_hash=intent_hash(intent),
        created_by=actor.label,
        created_at=now,
        updated_at=now,
        version=0,
    )


def _first_report(order: Order, breaches: tuple[Breach, ...], now: datetime) -> ExecutionReport:
    """Seq 1 of every life: received and pending, or denied by our risk."""
    if breaches:
        return ExecutionReport(
            exec_type=ExecType.REJECTED,
            source=ReportSource.LOCAL,
            exec_id=f"denied:{order.id}",
            transact_time=now,
            ord_rej_reason=OrdRejReason.RISK,
            text="; ".join(breach.message for breach in breaches)[:500],
        )
    return ExecutionReport(
        exec_type=ExecType.PENDING_NEW,
        source=ReportSource.LOCAL,
        exec_id=f"received:{order.id}",
        transact_time=now,
    )


def _queue_new(order: Order, account: BrokerAccount, now: datetime) -> Command:
    immediate = order.ord_type == OrdType.MARKET or order.time_in_force in IMMEDIATE
    return Command.objects.create(
        id=new_ulid(now),
        order=order,
        account_id=account.id,
        kind=CommandKind.NEW,
        cl_ord_id=order.cl_ord_id,
        venue_cl_ord_id=venue_cl_ord_id(order.id, 0),
        payload=outbox.new_order_payload(order),
        state="QUEUED",
        priority=outbox.PRIORITY_NEW,
        not_before=now,
        expires_at=now + (QUEUE_TTL_IMMEDIATE if immediate else QUEUE_TTL_RESTING),
        created_at=now,
    )
