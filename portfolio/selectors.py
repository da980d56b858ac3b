"""Reads of the books, of now or of a past instant.

"Now" reads the running totals; a past instant is summed from the journal and the lots' closures,
by the time things happened (``at``). Its marks are those of the last snapshot up to then: what no
snapshot recorded is not known and shows as None.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, cast

from django.conf import settings
from django.db.models import DecimalField, F, Max, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.module_loading import import_string

from brokers.models import BrokerAccount
from marketdata import quotes
from portfolio import audit
from portfolio.models import (
    Balance,
    JournalEntry,
    JournalLine,
    Lot,
    LotClosure,
    PnlSnapshot,
    Position,
)
from portfolio.shapes import Held, Mark, mark_of
from trading import exact, pnl
from trading.exact import ZERO
from trading.journal import Ledger, Reason

check_books = audit.check_books

_AMOUNT: "DecimalField[Any, Any]" = DecimalField(max_digits=38, decimal_places=18)
_QTY: "DecimalField[Any, Any]" = DecimalField(max_digits=24, decimal_places=12)


class ReservedCash(Protocol):
    """What ``settings.OMS_RESERVED_CASH`` names: cash that open buy orders of an account hold."""

    def __call__(self, account_id: int, currency: str) -> Decimal:
        """Return the open buy notional in that currency, 0 where nothing is open."""


@dataclass(frozen=True, slots=True)
class Book:
    """One account's books in one currency, valued."""

    account_id: int
    account: str
    currency: str
    valuation: pnl.Valuation
    marks: Mapping[str, Mark]

    @property
    def simulated(self) -> bool:
        """Whether any number here rests on a simulated price."""
        return any(mark.simulated for mark in self.marks.values())


def cash(account_id: int, currency: str) -> Decimal:
    """Return the account's cash in one currency, reserved or not."""
    row = Balance.objects.filter(account_id=account_id, currency=currency).first()
    return ZERO if row is None else row.cash


def reserved_cash(account_id: int, currency: str) -> Decimal:
    """Return what open buy orders hold of that cash, as the layer above tells it."""
    provider = cast(ReservedCash, import_string(settings.OMS_RESERVED_CASH))
    return provider(account_id, currency)


def buying_power(account_id: int, currency: str) -> Decimal:
    """Return the cash nobody has reserved."""
    return exact.subtract(cash(account_id, currency), reserved_cash(account_id, currency))


def position_qty(account_id: int, symbol: str) -> Decimal:
    """Return the signed quantity held, 0 where nothing ever was."""
    row = Position.objects.filter(account_id=account_id, symbol=symbol).values_list("qty").first()
    return ZERO if row is None else row[0]


def position_quantities(account_id: int) -> dict[str, Decimal]:
    """Return the signed quantities of one account by symbol, flat ones left out."""
    rows = Position.objects.filter(account_id=account_id).exclude(qty=0)
    return dict(rows.values_list("symbol", "qty"))


def holds_anything() -> bool:
    """Whether any account of the bound firm has a position that is not flat."""
    return Position.objects.exclude(qty=0).exists()


def positions(accounts: Iterable[BrokerAccount]) -> QuerySet[Position]:
    """Return the positions of these accounts, flat ones included; any order."""
    return Position.objects.filter(account__in=accounts).select_related("account")


def held(rows: Iterable[Position], *, as_of: datetime | None) -> list[Held]:
    """Return the positions as they are, or as they were ``as_of``; those not yet begun are out."""
    found = list(rows)
    if as_of is None:
        return [_held_now(row) for row in found]
    past = _sums_by_symbol(found, as_of)
    return [
        Held(
            account=row.account.code,
            symbol=row.symbol,
            currency=row.currency,
            multiplier=row.multiplier,
            qty=sums["qty"],
            cost=sums["cost"],
            realized_pnl=sums["realized"],
            updated_at=sums["last_at"],
        )
        for row in found
        if (sums := past.get((row.account_id, row.symbol))) is not None
    ]


def _held_now(row: Position) -> Held:
    return Held(
        account=row.account.code,
        symbol=row.symbol,
        currency=row.currency,
        multiplier=row.multiplier,
        qty=row.qty,
        cost=row.cost,
        realized_pnl=row.realized_pnl,
        updated_at=row.updated_at,
    )


def _sum_where(**conditions: Any) -> Coalesce:
    return Coalesce(Sum("amount", filter=Q(**conditions)), Value(ZERO), output_field=_AMOUNT)


def _sums_by_symbol(
    rows: Collection[Position], as_of: datetime
) -> dict[tuple[int, str], dict[str, Any]]:
    lines = (
        JournalLine.objects.filter(
            account_id__in={row.account_id for row in rows},
            symbol__in={row.symbol for row in rows},
            entry__at__lte=as_of,
        )
        .values("account_id", "symbol")
        .annotate(
            qty=Coalesce(Sum("qty"), Value(ZERO), output_field=_QTY),
            cost=_sum_where(ledger=Ledger.POSITION_COST),
            gain=_sum_where(ledger=Ledger.REALIZED_PNL),
            last_at=Max("entry__at"),
        )
    )
    return {
        (line["account_id"], str(line["symbol"])): {
            "qty": line["qty"],
            "cost": line["cost"],
            "realized": exact.negate(line["gain"]),
            "last_at": line["last_at"],
        }
        for line in lines
    }


def marks(symbols: Iterable[str]) -> dict[str, Mark]:
    """Return the latest mark of each symbol that has one, however old (``at`` tells)."""
    return {symbol: mark_of(quote) for symbol, quote in quotes.latest(symbols).items()}


def marks_as_of(account_ids: Iterable[int], as_of: datetime) -> dict[tuple[int, str], Mark]:
    """Return by (account, symbol) the marks of each account's last snapshots up to ``as_of``."""
    rows = (
        PnlSnapshot.objects.filter(account_id__in=list(account_ids), at__lte=as_of)
        .order_by("account_id", "currency", "-at")
        .distinct("account_id", "currency")
    )
    return {
        (row.account_id, symbol): Mark(
            Decimal(mark["px"]), datetime.fromisoformat(mark["at"]), mark["simulated"]
        )
        for row in rows
        for symbol, mark in row.marks.items()
    }


def open_lots(accounts: Iterable[BrokerAccount], *, as_of: datetime | None) -> QuerySet[Lot]:
    """Return the lots open now or ``as_of``, with ``open_qty`` and ``open_cost`` of that moment.

    Lots of a past moment are as corrected since; what was known then is in the journal.
    """
    lots = Lot.objects.filter(position__account__in=accounts).select_related("position__account")
    if as_of is None:
        return lots.exclude(qty=0).annotate(open_qty=F("qty"), open_cost=F("cost"))
    return (
        lots.filter(opened_at__lte=as_of)
        .annotate(
            open_qty=F("opened_qty") - _closed_by(as_of, "qty"),
            open_cost=F("opened_cost") - _closed_by(as_of, "cost"),
        )
        .exclude(open_qty=0)
    )


def _closed_by(as_of: datetime, field: str) -> Coalesce:
    sums = (
        LotClosure.objects.filter(lot=OuterRef("pk"), at__lte=as_of, superseded_by=None)
        .order_by()
        .values("lot")
        .annotate(closed=Sum(field))
        .values("closed")
    )
    return Coalesce(Subquery(sums), Value(ZERO), output_field=_QTY if field == "qty" else _AMOUNT)


def balances(
    accounts: Iterable[BrokerAccount], *, currency: str | None = None
) -> QuerySet[Balance]:
    """Return the running ledgers of these accounts; any order."""
    rows = Balance.objects.filter(account__in=accounts).select_related("account")
    return rows if currency is None else rows.filter(currency=currency)


def entries(accounts: Iterable[BrokerAccount]) -> QuerySet[JournalEntry]:
    """Return the journal entries of these accounts; any order."""
    return JournalEntry.objects.filter(account__in=accounts).select_related("account")


def lines_of(rows: Iterable[JournalEntry]) -> dict[str, list[JournalLine]]:
    """Return the lines of these entries by entry id, as they were written."""
    lines: dict[str, list[JournalLine]] = {row.id: [] for row in rows}
    for line in JournalLine.objects.filter(entry_id__in=list(lines)).order_by("id"):
        lines[line.entry_id].append(line)
    return lines


def entries_of_fills(account_id: int, execution_ids: Iterable[str]) -> list[JournalEntry]:
    """Return the entries that book these executions of one account, corrections with what they
    took back and put in its place; oldest first.
    """
    rows = JournalEntry.objects.filter(
        account_id=account_id,
        reason__in=[Reason.FILL, Reason.REVERSAL, Reason.REBOOKING],
        ref__in=list(execution_ids),
    )
    return list(rows.select_related("account").order_by("id"))


def lots_opened_by(execution_ids: Iterable[str]) -> QuerySet[Lot]:
    """Return the lots these executions opened, with what is open of them now; oldest first.

    A lot that a correction left nothing of is out.
    """
    lots = Lot.objects.filter(pk__in=list(execution_ids)).exclude(opened_qty=0)
    lots = lots.select_related("position__account")
    return lots.annotate(open_qty=F("qty"), open_cost=F("cost")).order_by("opened_at", "id")


def closures_by(execution_ids: Iterable[str]) -> list[LotClosure]:
    """Return what these executions closed of earlier lots, oldest first, each with its lot.

    Closures that a correction has stated anew are out.
    """
    rows = LotClosure.objects.filter(execution_id__in=list(execution_ids), superseded_by=None)
    return list(rows.select_related("lot__position").order_by("id"))


def snapshots(accounts: Iterable[BrokerAccount]) -> QuerySet[PnlSnapshot]:
    """Return the recorded valuations of these accounts; any order."""
    return PnlSnapshot.objects.filter(account__in=accounts).select_related("account")


def books(rows: Iterable[Balance] | None = None, *, as_of: datetime | None = None) -> list[Book]:
    """Return the valued books behind these balance rows (None: all), in their order.

    A past instant leaves out balances that had not begun.
    """
    found = list(Balance.objects.select_related("account").order_by("id") if rows is None else rows)
    account_ids = {row.account_id for row in found}
    everything = list(Position.objects.filter(account_id__in=account_ids).select_related("account"))
    ledgers = _ledgers(found, as_of)
    holdings: dict[tuple[int, str], list[pnl.Holding]] = {}
    ids = {row.account.code: row.account_id for row in everything}
    for one in held(everything, as_of=as_of):
        key = (ids[one.account], one.currency)
        holding = pnl.Holding(one.symbol, one.qty, one.cost, one.multiplier)
        holdings.setdefault(key, []).append(holding)
    known = _marks_for(holdings, account_ids, as_of)
    return [
        _book(row, ledgers[key], holdings.get(key, []), known)
        for row in found
        if (key := (row.account_id, row.currency)) in ledgers
    ]


def _marks_for(
    holdings: Mapping[tuple[int, str], list[pnl.Holding]],
    account_ids: Collection[int],
    as_of: datetime | None,
) -> dict[tuple[int, str], Mark]:
    if as_of is not None:
        return marks_as_of(account_ids, as_of)
    pairs = {
        (account_id, holding.symbol)
        for (account_id, _), several in holdings.items()
        for holding in several
        if holding.qty != 0
    }
    latest = marks(symbol for _, symbol in pairs)
    return {pair: latest[pair[1]] for pair in pairs if pair[1] in latest}


def _book(
    row: Balance,
    ledgers: pnl.Ledgers,
    holdings: list[pnl.Holding],
    known: Mapping[tuple[int, str], Mark],
) -> Book:
    used = {
        holding.symbol: known[row.account_id, holding.symbol]
        for holding in holdings
        if holding.qty != 0 and (row.account_id, holding.symbol) in known
    }
    valuation = pnl.value(ledgers, holdings, {symbol: mark.px for symbol, mark in used.items()})
    return Book(row.account_id, row.account.code, row.currency, valuation, used)


def ledgers_of(row: Balance) -> pnl.Ledgers:
    """Return the running sums of one balance as a person reads them."""
    return pnl.Ledgers(row.cash, exact.negate(row.realized_pnl), row.fees)


def _ledgers(
    rows: Collection[Balance], as_of: datetime | None
) -> dict[tuple[int, str], pnl.Ledgers]:
    if as_of is None:
        return {(row.account_id, row.currency): ledgers_of(row) for row in rows}
    sums = (
        JournalLine.objects.filter(
            account_id__in={row.account_id for row in rows}, entry__at__lte=as_of
        )
        .values("account_id", "currency")
        .annotate(
            cash=_sum_where(ledger=Ledger.CASH),
            gain=_sum_where(ledger=Ledger.REALIZED_PNL),
            fees=_sum_where(ledger=Ledger.FEES),
        )
    )
    return {
        (line["account_id"], line["currency"]): pnl.Ledgers(
            line["cash"], exact.negate(line["gain"]), line["fees"]
        )
        for line in sums
    }
