"""The book of what is reserved, held under lock while orders are judged.

One book serves one transaction: it is made by ``risk.services.lock_accounts``, judges each order
against everything reserved so far, itself included, and writes the sum of its reservations once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import connection

from brokers.models import BrokerAccount
from marketdata.models import Instrument
from risk import selectors
from risk.models import AccountExposure
from trading import exact
from trading.market import Quote
from trading.risk import (
    Bound,
    Breach,
    JudgedIntent,
    Limit,
    Recent,
    RiskContext,
    RuleId,
    bounds,
    evaluate,
    only_reduces,
    working_price,
)
from trading.vocabulary import Side

NOTHING_SENT = Recent()
_SAVE_INSTRUMENTS = """
INSERT INTO risk_instrumentexposure AS held
    (account_id, symbol, open_buy_qty, open_sell_qty, open_buy_notional, open_sell_notional)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::numeric[], %s::numeric[], %s::numeric[],
                     %s::numeric[])
ON CONFLICT (account_id, symbol) DO UPDATE SET
    open_buy_qty = held.open_buy_qty + EXCLUDED.open_buy_qty,
    open_sell_qty = held.open_sell_qty + EXCLUDED.open_sell_qty,
    open_buy_notional = held.open_buy_notional + EXCLUDED.open_buy_notional,
    open_sell_notional = held.open_sell_notional + EXCLUDED.open_sell_notional
"""
_SAVE_ACCOUNTS = """
UPDATE risk_accountexposure AS held
   SET open_orders = held.open_orders + more.orders, version = held.version + 1
  FROM unnest(%s::bigint[], %s::bigint[]) AS more(account_id, orders)
 WHERE held.account_id = more.account_id
"""


@dataclass(slots=True)
class _Held:
    """What one account has open in one instrument, this book's reservations included."""

    currency: str | None = None
    buy_qty: Decimal = Decimal(0)
    sell_qty: Decimal = Decimal(0)
    notional: Decimal = Decimal(0)


@dataclass(slots=True)
class Added:
    """What is reserved on top for one account and instrument."""

    buy_qty: Decimal = Decimal(0)
    sell_qty: Decimal = Decimal(0)
    buy_notional: Decimal = Decimal(0)
    sell_notional: Decimal = Decimal(0)


def add_rows(added: Mapping[tuple[int, str], Added]) -> None:
    """Add amounts to the rows of (account id, symbol), making those that are missing.

    :raises django.db.IntegrityError: for a negative amount, whatever the row holds: PostgreSQL
        checks the row to be inserted before it looks for the one that is there.
    """
    keys = sorted(added)
    rows = [added[key] for key in keys]
    with connection.cursor() as cursor:
        cursor.execute(
            _SAVE_INSTRUMENTS,
            [
                [account for account, _ in keys],
                [symbol for _, symbol in keys],
                [row.buy_qty for row in rows],
                [row.sell_qty for row in rows],
                [row.buy_notional for row in rows],
                [row.sell_notional for row in rows],
            ],
        )


@dataclass(slots=True)
class RiskBook:
    """Limits and reservations of the locked accounts; use it within one transaction only."""

    open_orders: dict[int, int]
    limits: list[Limit]
    _held: dict[int, dict[str, _Held]]
    _added: dict[tuple[int, str], Added] = field(default_factory=dict)
    _new_orders: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    _bounds: dict[str, Mapping[RuleId, Bound]] = field(default_factory=dict)

    def judge(
        self,
        *,
        account: BrokerAccount,
        intent: JudgedIntent,
        instrument: Instrument,
        quote: Quote | None,
        now: datetime,
        amends: Decimal | None = None,
        recent: Recent = NOTHING_SENT,
    ) -> tuple[Breach, ...]:
        """Return every breach of the order, empty where it may go; reserves nothing.

        ``amends`` is the notional the order it replaces still holds reserved, None for a new one;
        ``recent`` what the account sent just before a new one.
        """
        ctx = self.context(
            account=account,
            instrument=instrument,
            quote=quote,
            now=now,
            amends=amends,
            recent=recent,
        )
        return evaluate(intent, ctx, self.limits_of(account.code))

    def context(
        self,
        *,
        account: BrokerAccount,
        instrument: Instrument,
        quote: Quote | None,
        now: datetime,
        amends: Decimal | None = None,
        recent: Recent = NOTHING_SENT,
    ) -> RiskContext:
        """Return what the rules are told besides the intent.

        :raises KeyError: if the account is not among those the book has locked.
        """
        rules = instrument.rules
        open_notional = exact.total(
            held.notional
            for symbol, held in self._held[account.pk].items()
            if symbol == rules.symbol or held.currency in {None, rules.currency}
        )
        return RiskContext(
            rules=rules,
            quote=quote,
            reference=selectors.reference_price(quote, now=now),
            now=now,
            open_orders=self.open_orders[account.pk],
            open_notional=open_notional,
            amends=amends,
            recent=recent,
        )

    def limits_of(self, account_code: str) -> Mapping[RuleId, Decimal]:
        """Return the value of each rule that binds the account."""
        return {rule: bound.value for rule, bound in self.bounds_of(account_code).items()}

    def bounds_of(self, account_code: str) -> Mapping[RuleId, Bound]:
        """Return the value of each rule that binds the account, and whose limit it is."""
        if account_code not in self._bounds:
            self._bounds[account_code] = bounds(self.limits, account=account_code)
        return self._bounds[account_code]

    def open_qty(self, *, account_id: int, symbol: str, side: Side) -> Decimal:
        """Return the quantity open on one side, this book's reservations included."""
        held = self._held[account_id].get(symbol, _Held())
        return held.buy_qty if side is Side.BUY else held.sell_qty

    def only_reduces(
        self, *, account_id: int, symbol: str, side: Side, qty: Decimal, position_qty: Decimal
    ) -> bool:
        """Whether an order can only bring the position towards zero, given what is open."""
        return only_reduces(
            side=side,
            qty=qty,
            position_qty=position_qty,
            open_buy_qty=self.open_qty(account_id=account_id, symbol=symbol, side=Side.BUY),
            open_sell_qty=self.open_qty(account_id=account_id, symbol=symbol, side=Side.SELL),
        )

    def reserve(
        self,
        *,
        account_id: int,
        symbol: str,
        side: Side,
        qty: Decimal,
        notional: Decimal,
        orders: int = 1,
    ) -> None:
        """Count an accepted order; the next judgement sees it.

        ``notional`` in the instrument's currency. A replacement passes the increase and
        ``orders=0``; what frees a reservation is ``risk.services.move_reserved``.

        :raises ValueError: for a negative amount.
        """
        if qty < 0 or notional < 0 or orders < 0:
            raise ValueError("A reservation only adds; free one with move_reserved.")
        held = self._held[account_id].setdefault(symbol, _Held())
        added = self._added.setdefault((account_id, symbol), Added())
        held.notional = exact.add(held.notional, notional)
        if side is Side.BUY:
            held.buy_qty += qty
            added.buy_qty += qty
            added.buy_notional = exact.add(added.buy_notional, notional)
        else:
            held.sell_qty += qty
            added.sell_qty += qty
            added.sell_notional = exact.add(added.sell_notional, notional)
        self.open_orders[account_id] += orders
        self._new_orders[account_id] += orders

    def save(self) -> None:
        """Write the reservations made since the last save: two statements however many there are.

        Sums are added in the database, so a fill that freed something meanwhile is not undone.
        """
        if not self._added:
            return
        accounts = sorted(self._new_orders)
        with connection.cursor() as cursor:
            cursor.execute(
                _SAVE_ACCOUNTS, [accounts, [self._new_orders[account] for account in accounts]]
            )
        add_rows(self._added)
        self._added.clear()
        self._new_orders.clear()


def reserved_price(*, intent: JudgedIntent, quote: Quote | None, now: datetime) -> Decimal | None:
    """Return the price each unit of the order is reserved at; None without any price."""
    reference = selectors.reference_price(quote, now=now)
    return working_price(intent, quote=quote, reference=reference)


def load(account_ids: Iterable[int]) -> RiskBook:
    """Read the book of accounts: the truth while their rows are locked, else of this moment.

    Whoever reserves locks first (``services.lock_accounts``); who only looks need not.
    """
    ids = sorted(set(account_ids))
    codes = BrokerAccount.objects.filter(pk__in=ids).values_list("code", flat=True)
    counts = AccountExposure.objects.filter(pk__in=ids).values_list("account_id", "open_orders")
    held: dict[int, dict[str, _Held]] = {account_id: {} for account_id in ids}
    for row, currency in selectors.exposures_with_currency(ids):
        held[row.account_id][row.symbol] = _Held(
            currency=currency,
            buy_qty=row.open_buy_qty,
            sell_qty=row.open_sell_qty,
            notional=exact.add(row.open_buy_notional, row.open_sell_notional),
        )
    return RiskBook(
        open_orders=dict.fromkeys(ids, 0) | dict(counts),
        limits=selectors.limits(account_codes=codes),
        _held=held,
    )
