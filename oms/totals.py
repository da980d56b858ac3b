"""What the trade ledger counts for: sums of executions, with corrections and busts taken in.

Orders that were never corrected, nearly all, are summed by the database. The few others are
worked out by the ledger of the core, which alone knows what a correction leaves of a trade.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import (
    Count,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    QuerySet,
    Sum,
)

from oms.models import Execution
from oms.services.bookings import ledger_entry
from trading import exact
from trading.exact import ZERO
from trading.orders.ledger import Effective, EntryKind, ledger_of

_AMOUNT: "DecimalField[Any, Any]" = DecimalField(max_digits=60, decimal_places=24)


@dataclass(slots=True)
class Total:
    """Executions of one symbol and side, in the instrument's currency.

    ``gross`` is quantity x price, ``notional`` that times the multiplier. ``fees`` by the currency
    they were charged in: sums never cross currencies.
    """

    symbol: str
    side: str
    currency: str
    trades: int = 0
    qty: Decimal = ZERO
    gross: Decimal = ZERO
    notional: Decimal = ZERO
    fees: dict[str, Decimal] = field(default_factory=dict)

    def add_fee(self, currency: str, fee: Decimal) -> None:
        """Count a fee."""
        self.fees[currency] = exact.add(self.fees.get(currency, ZERO), fee)


def totals_of(rows: QuerySet[Execution]) -> list[Total]:
    """Return what ``rows`` come to, by symbol, side and currency.

    A trade counts where its own row is among ``rows``, for what its latest correction says; a
    busted one counts nothing. Adjustments of a split were executed by nobody.
    """
    rows = rows.select_related(None).order_by()
    found: dict[tuple[str, str, str], Total] = {}
    plain = rows.filter(~_corrected(), exec_type=EntryKind.TRADE)
    _add_sums(plain, found)
    corrected = rows.filter(_corrected(), exec_type=EntryKind.TRADE)
    _add_one_by_one(corrected.select_related("order__instrument"), found)
    return [found[key] for key in sorted(found)]


def _corrected() -> Exists:
    others = Execution.objects.filter(order_id=OuterRef("order_id"))
    return Exists(others.exclude(exec_type=EntryKind.TRADE))


def _add_sums(rows: QuerySet[Execution], found: dict[tuple[str, str, str], Total]) -> None:
    gross = F("last_qty") * F("last_px")
    currency = F("order__instrument__currency")
    sums = rows.values_list("symbol", "side", currency).annotate(
        trades=Count("id"),
        qty=Sum("last_qty"),
        gross=Sum(ExpressionWrapper(gross, output_field=_AMOUNT)),
        notional=Sum(
            ExpressionWrapper(gross * F("order__instrument__multiplier"), output_field=_AMOUNT)
        ),
    )
    for symbol, side, unit, trades, qty, amount, notional in sums:
        found[symbol, side, unit] = Total(symbol, side, unit, trades, qty, amount, notional)
    fees = rows.values_list("symbol", "side", currency, "fee_currency").annotate(total=Sum("fee"))
    for symbol, side, unit, fee_currency, total in fees:
        found[symbol, side, unit].add_fee(fee_currency, total)


def _add_one_by_one(rows: Iterable[Execution], found: dict[tuple[str, str, str], Total]) -> None:
    trades = list(rows)
    counted = _effective(trades)
    for row in trades:
        item = counted.get((row.order_id, row.exec_id))
        if item is None:
            continue
        instrument = row.order.instrument
        key = (row.symbol, row.side, instrument.currency)
        total = found.setdefault(key, Total(*key))
        gross = exact.multiply(item.qty, item.px)
        total.trades += 1
        total.qty = exact.add(total.qty, item.qty)
        total.gross = exact.add(total.gross, gross)
        total.notional = exact.add(total.notional, exact.multiply(gross, instrument.multiplier))
        total.add_fee(item.fee_currency or instrument.currency, item.fee or ZERO)


def uncounted(rows: Iterable[Execution]) -> frozenset[str]:
    """Return the ids of those rows that count for nothing now: overtaken, busted, or a bust."""
    shown = list(rows)
    counting = {
        (order_id, item.latest.exec_id) for (order_id, _), item in _effective(shown).items()
    }
    return frozenset(row.id for row in shown if (row.order_id, row.exec_id) not in counting)


def _effective(rows: Iterable[Execution]) -> Mapping[tuple[str, str], Effective]:
    """What each trade of the rows' orders counts for, by order and the trade's own exec id."""
    ledgers: dict[str, list[Any]] = {row.order_id: [] for row in rows}
    for row in Execution.objects.filter(order_id__in=ledgers).order_by("id"):
        ledgers[row.order_id].append(ledger_entry(row))
    return {
        (order_id, item.root.exec_id): item
        for order_id, entries in ledgers.items()
        for item in ledger_of(entries).effective()
    }
