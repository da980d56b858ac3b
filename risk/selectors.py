"""Reads of the risk app. All of them answer for the bound tenant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Q, QuerySet, Sum

from brokers.models import BrokerAccount
from common.actor import Actor
from marketdata.models import Instrument
from risk.models import AccountExposure, Breach, Halt, InstrumentExposure, RiskLimit
from trading.market import Quote
from trading.risk import Breach as BreachValue
from trading.risk import (
    BreachCode,
    HaltScope,
    Limit,
    LimitScope,
    Reference,
    ReferencePolicy,
    RuleId,
    choose_reference,
    covers,
    most_severe,
    resolve,
)


@dataclass(frozen=True, slots=True)
class ExposureRow:
    """What one account has open in one instrument: quantities, and notionals in its currency."""

    account_id: int
    symbol: str
    open_buy_qty: Decimal = Decimal(0)
    open_sell_qty: Decimal = Decimal(0)
    open_buy_notional: Decimal = Decimal(0)
    open_sell_notional: Decimal = Decimal(0)

    @property
    def is_zero(self) -> bool:
        """Whether nothing is open."""
        return not (
            self.open_buy_qty
            or self.open_sell_qty
            or self.open_buy_notional
            or self.open_sell_notional
        )


def covering_halt(
    *, account_code: str, symbol: str, strategy: str | None, venue: str | None = None
) -> Halt | None:
    """Return the most severe halt an order with these names falls under, None where it may go.

    ``venue`` is the broker connection's name; it is looked up only where a venue is halted.
    """
    in_force = list(halts_in_force())
    if venue is None and any(halt.scope == HaltScope.VENUE for halt in in_force):
        venue = (
            BrokerAccount.objects.filter(code=account_code)
            .values_list("connection__name", flat=True)
            .first()
        )
    return most_severe(
        halt
        for halt in in_force
        if covers(halt, account=account_code, symbol=symbol, strategy=strategy, venue=venue)
    )


def halts_in_force() -> QuerySet[Halt]:
    """Return the halts nobody has lifted, oldest first."""
    return Halt.objects.filter(lifted_at=None).order_by("since", "id")


def halts(*, in_force: bool) -> QuerySet[Halt]:
    """Return the halts in force, or those already lifted; any order."""
    return Halt.objects.filter(lifted_at__isnull=in_force)


def limits(*, account_codes: Iterable[str] | None = None) -> list[Limit]:
    """Return the stored limits of the firm and of the accounts named (None: of all)."""
    rows = RiskLimit.objects.order_by("scope", "target", "rule")
    wanted = None if account_codes is None else set(account_codes)
    known = {rule.value for rule in RuleId}
    return [
        Limit(LimitScope(row.scope), row.target, RuleId(row.rule), row.value, row.enabled)
        for row in rows
        if row.rule in known
        and (row.scope == LimitScope.TENANT or wanted is None or row.target in wanted)
    ]


def visible_limits(actor: Actor) -> QuerySet[RiskLimit]:
    """Return the firm's limits and those of the accounts the actor reaches; any order."""
    rows = RiskLimit.objects.filter(rule__in=[rule.value for rule in RuleId])
    if actor.accounts is None:
        return rows
    return rows.filter(Q(scope=LimitScope.TENANT.value) | Q(target__in=list(actor.accounts)))


def breaches(actor: Actor) -> QuerySet[Breach]:
    """Return the breaches of the accounts the actor reaches; any order."""
    rows = Breach.objects.select_related("account")
    if actor.accounts is None:
        return rows
    return rows.filter(account__code__in=list(actor.accounts))


def breaches_of(order_id: str) -> tuple[BreachValue, ...]:
    """Return why the kept order was refused, as the judgement said it."""
    return tuple(
        BreachValue(
            code=BreachCode(row.code),
            rule=RuleId(row.rule),
            message=row.message,
            value=row.value,
            limit=row.limit,
            unit=row.unit,
        )
        for row in Breach.objects.filter(order_id=order_id).order_by("id")
    )


def reference_policy() -> ReferencePolicy:
    """Return how fresh and narrow a quote must be, from the settings."""
    return ReferencePolicy(
        max_mid_age=timedelta(seconds=settings.OMS_QUOTE_MAX_AGE_S),
        max_last_age=timedelta(seconds=settings.OMS_REFERENCE_MAX_AGE_S),
        max_spread_bps=Decimal(settings.OMS_REFERENCE_MAX_SPREAD_BPS),
    )


def reference_price(quote: Quote | None, *, now: datetime) -> Reference | None:
    """Return the price orders are measured against; None is the refusal no_reference_price."""
    return choose_reference(quote, now=now, policy=reference_policy())


def reserved_cash(account_id: int, currency: str) -> Decimal:
    """Return the notional of the account's open buy orders in one currency."""
    symbols = Instrument.objects.filter(currency=currency).values("symbol")
    total = InstrumentExposure.objects.filter(account_id=account_id, symbol__in=symbols).aggregate(
        total=Sum("open_buy_notional")
    )["total"]
    return total or Decimal(0)


def exposures_with_currency(
    account_ids: Iterable[int],
) -> list[tuple[InstrumentExposure, str | None]]:
    """Return the exposure rows of the accounts, each with its currency (None if unknown)."""
    rows = list(InstrumentExposure.objects.filter(account_id__in=list(account_ids)))
    currencies = dict(
        Instrument.objects.filter(symbol__in={row.symbol for row in rows}).values_list(
            "symbol", "currency"
        )
    )
    return [(row, currencies.get(row.symbol)) for row in rows]


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of one limit an account uses; ``share`` is used over limit."""

    account: str
    rule: RuleId
    used: Decimal
    limit: Decimal

    @property
    def share(self) -> Decimal:
        """Used over limit."""
        return self.used / self.limit


def limit_usage() -> list[Usage]:
    """Return how much every account uses of the limits on what it has open.

    The open notional counts per currency; the currency that uses most speaks for the account.
    """
    accounts = dict(BrokerAccount.objects.values_list("pk", "code"))
    counts = open_order_counts()
    notionals: dict[int, dict[str | None, Decimal]] = {}
    for row, currency in exposures_with_currency(accounts):
        held = notionals.setdefault(row.account_id, {})
        held[currency] = (
            held.get(currency, Decimal(0)) + row.open_buy_notional + row.open_sell_notional
        )
    known = limits()
    found = []
    for pk, code in accounts.items():
        binding = resolve(known, account=code)
        used = {
            RuleId.MAX_OPEN_ORDERS: Decimal(counts.get(pk, 0)),
            RuleId.MAX_OPEN_NOTIONAL: max(notionals.get(pk, {}).values(), default=Decimal(0)),
        }
        found += [Usage(code, rule, used[rule], binding[rule]) for rule in used if rule in binding]
    return found


def exposure_rows() -> list[ExposureRow]:
    """Return what every account has open per instrument, rows of zeros left out."""
    rows = (
        ExposureRow(*row)
        for row in InstrumentExposure.objects.order_by("account_id", "symbol").values_list(
            "account_id",
            "symbol",
            "open_buy_qty",
            "open_sell_qty",
            "open_buy_notional",
            "open_sell_notional",
        )
    )
    return [row for row in rows if not row.is_zero]


def open_order_counts() -> dict[int, int]:
    """Return the number of open orders by account id, zeros left out."""
    return dict(
        AccountExposure.objects.filter(open_orders__gt=0).values_list("account_id", "open_orders")
    )


def exposure_differences(
    *, rows: Iterable[ExposureRow], open_orders: Mapping[int, int]
) -> list[str]:
    """Return where the exposure rows differ from what the orders say, one line each.

    ``rows`` and ``open_orders`` (by account id) are worked out from the orders themselves; only
    accounts they name are compared.
    """
    truth = {(row.account_id, row.symbol): row for row in rows if not row.is_zero}
    accounts = set(open_orders) | {account_id for account_id, _ in truth}
    held = {
        (row.account_id, row.symbol): row for row in exposure_rows() if row.account_id in accounts
    }
    wrong = [
        f"exposure of account {key[0]} in {key[1]}: held {held.get(key)}, orders {truth.get(key)}"
        for key in sorted(set(truth) | set(held))
        if truth.get(key) != held.get(key)
    ]
    counts = open_order_counts()
    wrong += [
        f"open orders of account {account_id}: held {counts.get(account_id, 0)},"
        f" orders {open_orders.get(account_id, 0)}"
        for account_id in sorted(accounts)
        if counts.get(account_id, 0) != open_orders.get(account_id, 0)
    ]
    return wrong
