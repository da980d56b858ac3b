"""Everything that is asked of an order before it is taken; a preview asks the very same.

Order of the checks (the first refusal wins): account, replay, halt, instrument and fields,
session and reference price, preview, risk.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from brokers.models import BrokerAccount
from brokers.selectors import accounts_by_code
from common.actor import Actor
from common.errors import FieldError, NotFound
from marketdata.calendars import Session
from marketdata.models import Instrument
from marketdata.selectors import instruments_by_symbol
from marketdata.symbols import is_symbol
from oms import errors
from oms.models import ClOrdId, Order
from oms.services import entry, previews
from oms.services.halts import check_halt
from oms.services.recent import recent_orders
from portfolio.selectors import position_qty
from risk import selectors as risk_selectors
from risk.book import RiskBook, reserved_price
from trading.keeping.triggers import Moved
from trading.market import Quote
from trading.orders.ids import is_reserved_cl_ord_id, is_valid_cl_ord_id
from trading.orders.intent import (
    OrderIntent,
    default_time_in_force,
    intent_hash,
)
from trading.orders.placement import Placement
from trading.risk import Breach, Recent, Reference, Twin
from trading.vocabulary import CommandKind, Mode


@dataclass(frozen=True, slots=True)
class Known:
    """The account knows this client id with this content already: nothing is asked again."""

    order: Order
    account: BrokerAccount


@dataclass(frozen=True, slots=True)
class Judged:
    """An order nothing but ``breaches`` stands against.

    ``reserve_px`` is what a unit counts at, ``twin`` the equal order sent moments before,
    ``unspent`` what whole lots left of an amount of money, ``worst_px`` the bound of a protected
    MARKET.
    ``placement`` says what the venue will be told, ``trailed`` where its trail begins,
    ``waits_for`` the session it is kept here for, None where it may go now.
    """

    intent: OrderIntent
    account: BrokerAccount
    instrument: Instrument
    quote: Quote
    reserve_px: Decimal
    twin: Twin | None
    placement: Placement
    trailed: Moved | None
    waits_for: Session | None
    breaches: tuple[Breach, ...]
    unspent: Decimal | None = None
    worst_px: Decimal | None = None


def symbols_of(intents: Iterable[OrderIntent]) -> set[str]:
    """The symbols of which a quote is worth asking for."""
    return {intent.symbol for intent in intents if is_symbol(intent.symbol)}


def open_desk(
    intents: Iterable[OrderIntent],
    *,
    actor: Actor,
    market: Mapping[str, Quote],
    lock: Callable[[Iterable[int]], RiskBook],
    now: datetime,
) -> "Desk":
    """Read what these intents are judged by. ``lock`` returns the book of account ids."""
    wanted = list(intents)
    accounts = accounts_by_code(
        code for code in {intent.account for intent in wanted} if actor.reaches(code)
    )
    return Desk(
        actor=actor,
        now=now,
        accounts=accounts,
        instruments=instruments_by_symbol(symbols_of(wanted)),
        market=market,
        book=lock(account.id for account in accounts.values()),
    )


@dataclass(frozen=True, slots=True)
class Desk:
    """What one transaction looks at, read once for a whole list of intents."""

    actor: Actor
    now: datetime
    accounts: dict[str, BrokerAccount]
    instruments: dict[str, Instrument]
    market: Mapping[str, Quote]
    book: RiskBook

    def judge(self, given: OrderIntent) -> "Known | Judged":
        """Ask everything that is asked of an order, in the order of the refusals.

        :raises Refused: by the first check that fails.
        """
        account = self.account(given)
        instrument = self.instruments.get(given.symbol)
        intent = with_defaults(given, instrument)
        if known := self._known(intent, account):
            return known
        self.check_halt(intent, account)
        return self.assess(intent, account)

    def assess(
        self,
        intent: OrderIntent,
        account: BrokerAccount,
        *,
        beside: Sequence[OrderIntent] = (),
        waits: bool = False,
    ) -> Judged:
        """Ask what is asked of every order after halts: fields, market, preview, risk.

        ``beside`` are orders to be taken with it that have no rows yet: the legs of its list.
        One that ``waits`` for another will meet a market and a position nobody knows yet.

        :raises Refused: by the first check that fails; what risk says is in the answer.
        """
        instrument = self.instrument(intent)
        placed = self.check_fields(intent, account, instrument)
        waits_for = entry.session_waited_for(account, intent, instrument, self.now)
        quote = self._check_market(intent)
        sized = entry.size(intent, placed, instrument, quote)
        intent = sized.intent
        if not waits:
            entry.check_reduce_only(account, intent)
        trailed = None if waits else entry.check_trigger(intent, instrument, quote)
        previews.check(
            intent, schema=self.actor.schema, reference=self.reference(quote), now=self.now
        )
        recent = self.recent(intent, account, beside)
        breaches = self.book.judge(
            account=account,
            intent=intent,
            instrument=instrument,
            quote=quote,
            now=self.now,
            recent=replace(recent, twin=None) if intent.allow_duplicate else recent,
        )
        reserve_px = sized.reserve_px or reserved_price(intent=intent, quote=quote, now=self.now)
        assert reserve_px is not None, "without a price the order was refused above"
        return Judged(
            intent=intent,
            account=account,
            instrument=instrument,
            quote=quote,
            reserve_px=reserve_px,
            twin=recent.twin,
            placement=placed,
            trailed=trailed,
            waits_for=waits_for,
            breaches=breaches,
            unspent=sized.unspent,
            worst_px=sized.worst_px,
        )

    def account(self, intent: OrderIntent) -> BrokerAccount:
        """:raises Refused: if it is absent, out of reach, off, or real money without the scope."""
        account = self.accounts.get(intent.account)
        if account is None:
            raise NotFound
        if account.state != BrokerAccount.State.ACTIVE:
            raise errors.AccountDisabled(account.code)
        venue = account.connection
        if account.mode != venue.mode:
            raise errors.EnvironmentMismatch(account.code, account.mode, venue.name, venue.mode)
        if account.mode == Mode.LIVE and not self.actor.may("orders:live"):
            raise errors.LiveScopeMissing(account.code)
        return account

    def _known(self, intent: OrderIntent, account: BrokerAccount) -> "Known | None":
        if intent.cl_ord_id is None:
            return None
        used = self.named(intent.cl_ord_id, account)
        if used is None:
            return None
        if used.kind != CommandKind.NEW or used.content_hash != intent_hash(intent):
            raise errors.ClOrdIdReused(intent.cl_ord_id)
        return Known(used.order, account)

    def named(self, cl_ord_id: str, account: BrokerAccount) -> ClOrdId | None:
        """What the account used this id for, None if nothing.

        :raises FieldRefused: if no client may bring an id of this form.
        """
        if not is_valid_cl_ord_id(cl_ord_id):
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
            ClOrdId.objects.filter(account_id=account.id, cl_ord_id=cl_ord_id)
            .select_related("order")
            .first()
        )
        if used is None and is_reserved_cl_ord_id(cl_ord_id):
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
        return used

    def reference(self, quote: Quote | None) -> Reference | None:
        """The price orders are measured against, None where nothing fresh is known."""
        return risk_selectors.reference_price(quote, now=self.now)

    def recent(
        self, intent: OrderIntent, account: BrokerAccount, beside: Sequence[OrderIntent] = ()
    ) -> Recent:
        """What the account sent just before, as far as its limits ask."""
        limits = self.book.limits_of(account.code)
        return recent_orders(account, intent, limits, self.now, beside)

    def check_halt(self, intent: OrderIntent, account: BrokerAccount) -> None:
        """:raises TradingHalted: unless the order can only reduce and the halt lets it."""
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
        """Whether the order cannot but shrink the position, open orders included.

        Of an amount of money nobody knows yet how many units it is.
        """
        return intent.cash_order_qty is None and self.book.only_reduces(
            account_id=account.id,
            symbol=intent.symbol,
            side=intent.side,
            qty=intent.order_qty,
            position_qty=position_qty(account_id=account.id, symbol=intent.symbol),
        )

    def instrument(self, intent: OrderIntent) -> Instrument:
        """:raises FieldRefused: if the symbol names nothing that can be traded."""
        instrument = self.instruments.get(intent.symbol)
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

    def check_fields(
        self, intent: OrderIntent, account: BrokerAccount, instrument: Instrument
    ) -> Placement:
        """Return how the order is placed at its venue.

        :raises FieldRefused: by the rules of the fields, or what the venue does not take.
        """
        return entry.check_fields(account, intent, instrument, self.now)

    def _check_market(self, intent: OrderIntent) -> Quote:
        quote = self.market.get(intent.symbol)
        if quote is None or self.reference(quote) is None:
            raise errors.NoReferencePrice(intent.symbol)
        return quote


def with_defaults(intent: OrderIntent, instrument: Instrument | None) -> OrderIntent:
    """The time in force a client left out: DAY where the instrument's calendar has sessions."""
    if intent.time_in_force is not None:
        return intent
    continuous = instrument is not None and not instrument.calendar
    return replace(intent, time_in_force=default_time_in_force(intent.ord_type, continuous))
