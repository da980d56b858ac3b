"""The books as the API, the events and the pages show them: one form everywhere.

Decimals are unpadded strings, times RFC 3339 in UTC, None is "not known". Whatever rests on
simulated prices says so in ``simulated``.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from common.instants import instant_str, opt_instant_str
from common.numbers import dec_str, opt_dec_str
from trading import exact, pnl
from trading.market import Quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portfolio.models import JournalEntry, JournalLine, Lot, LotClosure, PnlSnapshot


@dataclass(frozen=True, slots=True)
class Mark:
    """The price a position is valued at, and where it comes from."""

    px: Decimal
    at: datetime
    simulated: bool


@dataclass(frozen=True, slots=True)
class Held:
    """A position at an instant: the row of now, or the one a past instant had."""

    account: str
    symbol: str
    currency: str
    multiplier: Decimal
    qty: Decimal
    cost: Decimal
    realized_pnl: Decimal
    updated_at: datetime


def mark_of(quote: Quote) -> Mark:
    """Positions are valued at the last trade's price."""
    return Mark(quote.last, quote.at, quote.simulated)


def position_json(held: Held, mark: Mark | None) -> dict[str, Any]:
    """One position with its valuation; flat positions need no mark to be worth nothing."""
    px = None if mark is None else mark.px
    worth = pnl.market_value(held.qty, px, held.multiplier) if px is not None else None
    return {
        "account": held.account,
        "symbol": held.symbol,
        "qty": dec_str(held.qty),
        "avg_px": opt_dec_str(pnl.average_price(held.qty, held.cost, held.multiplier)),
        "cost": dec_str(held.cost),
        "mark": opt_dec_str(px),
        "mark_at": opt_instant_str(mark.at if mark else None),
        "market_value": opt_dec_str(worth),
        "unrealized_pnl": opt_dec_str(pnl.unrealized(held.qty, held.cost, px, held.multiplier)),
        "realized_pnl": dec_str(held.realized_pnl),
        "currency": held.currency,
        "simulated": mark.simulated if mark else None,
        "updated_at": instant_str(held.updated_at),
    }


def balance_json(
    account: str,
    currency: str,
    valuation: pnl.Valuation,
    *,
    reserved: Decimal | None,
    simulated: bool,
) -> dict[str, Any]:
    """One balance; ``reserved`` is None for a past instant, which nobody recorded."""
    free = None if reserved is None else exact.subtract(valuation.cash, reserved)
    return {
        "account": account,
        "currency": currency,
        "cash": dec_str(valuation.cash),
        "reserved": opt_dec_str(reserved),
        "buying_power": opt_dec_str(free),
        "market_value": opt_dec_str(valuation.market_value),
        "equity": opt_dec_str(valuation.equity),
        "simulated": simulated,
    }


def pnl_json(
    account: str, currency: str, valuation: pnl.Valuation, *, as_of: datetime, simulated: bool
) -> dict[str, Any]:
    """Profit of one account in one currency since its first booking."""
    return {
        "account": account,
        "currency": currency,
        "realized": dec_str(valuation.realized),
        "unrealized": opt_dec_str(valuation.unrealized),
        "fees": dec_str(valuation.fees),
        "total": opt_dec_str(valuation.total),
        "as_of": instant_str(as_of),
        "simulated": simulated,
    }


def lot_json(lot: "Lot") -> dict[str, Any]:
    """One lot of ``selectors.open_lots``, whose ``open_qty`` and ``open_cost`` are shown."""
    qty: Decimal = lot.open_qty  # type: ignore[attr-defined]  # annotated by the selector
    cost: Decimal = lot.open_cost  # type: ignore[attr-defined]
    return {
        "id": lot.id,
        "account": lot.position.account.code,
        "symbol": lot.position.symbol,
        "opened_at": instant_str(lot.opened_at),
        "opened_qty": dec_str(lot.opened_qty),
        "qty": dec_str(qty),
        "cost": dec_str(cost),
        "unit_px": opt_dec_str(pnl.average_price(qty, cost, lot.position.multiplier)),
        "currency": lot.position.currency,
    }


def closure_json(closure: "LotClosure") -> dict[str, Any]:
    """What one execution took out of a lot; ``realized_pnl`` is before fees."""
    return {
        "lot": closure.lot_id,
        "execution_id": closure.execution_id,
        "at": instant_str(closure.at),
        "opened_at": instant_str(closure.lot.opened_at),
        "qty": dec_str(closure.qty),
        "cost": dec_str(closure.cost),
        "proceeds": dec_str(closure.proceeds),
        "realized_pnl": dec_str(exact.subtract(closure.proceeds, closure.cost)),
        "currency": closure.lot.position.currency,
    }


def entry_json(entry: "JournalEntry", lines: "Iterable[JournalLine]") -> dict[str, Any]:
    """One journal entry; all its lines are of the entry's account."""
    return {
        "id": entry.id,
        "at": instant_str(entry.at),
        "booked_at": instant_str(entry.booked_at),
        "reason": entry.reason,
        "ref": entry.ref,
        "order_id": entry.order_id,
        "lines": [
            {
                "account": entry.account.code,
                "ledger": line.ledger,
                "currency": line.currency,
                "amount": dec_str(line.amount),
                "symbol": line.symbol,
                "qty": opt_dec_str(line.qty),
            }
            for line in lines
        ],
    }


def snapshot_json(row: "PnlSnapshot") -> dict[str, Any]:
    """One recorded valuation, in the shape of ``pnl_json`` and more."""
    total = None
    if row.unrealized is not None:
        total = exact.subtract(exact.add(row.realized, row.unrealized), row.fees)
    return {
        "id": row.pk,
        "account": row.account.code,
        "currency": row.currency,
        "realized": dec_str(row.realized),
        "unrealized": opt_dec_str(row.unrealized),
        "fees": dec_str(row.fees),
        "total": opt_dec_str(total),
        "as_of": instant_str(row.at),
        "simulated": row.simulated,
        "cash": dec_str(row.cash),
        "equity": opt_dec_str(row.equity),
    }
