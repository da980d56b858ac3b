"""The positions of accounts and what they are worth: what the desk shows and the stream tells.

``read_books`` reads once what only a booking changes; ``cells`` values it at whatever the prices
are. The page and the stream use both, with the API's own shapes, so all three say the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal

from brokers.models import BrokerAccount
from common.numbers import dec_str, opt_dec_str
from portal.rows import text_cells, way_of
from portfolio import selectors as books
from portfolio.shapes import Held, Mark, balance_json, pnl_json, position_json
from trading import exact, pnl
from trading.exact import ZERO
from trading.market import Quote


@dataclass(frozen=True, slots=True)
class AccountBooks:
    """One account in its own currency. ``realized_before`` is what was realized by midnight UTC."""

    account: str
    currency: str
    held: tuple[Held, ...]
    realized_before: Mapping[str, Decimal]
    ledgers: pnl.Ledgers
    reserved: Decimal

    @property
    def symbols(self) -> list[str]:
        """What a price is needed of."""
        return [one.symbol for one in self.held if one.qty != 0]


def read_books(accounts: Sequence[BrokerAccount], *, now: datetime) -> dict[str, AccountBooks]:
    """Return the books of these accounts by code, in the bound firm, as they are now."""
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    rows = list(books.positions(accounts).order_by("symbol"))
    held = books.held(rows, as_of=None)
    before = {
        (one.account, one.symbol): one.realized_pnl for one in books.held(rows, as_of=midnight)
    }
    ledgers = {
        (row.account.code, row.currency): books.ledgers_of(row) for row in books.balances(accounts)
    }
    nothing = pnl.Ledgers(ZERO, ZERO, ZERO)
    return {
        one.code: AccountBooks(
            account=one.code,
            currency=one.currency,
            held=tuple(row for row in held if row.account == one.code),
            realized_before={
                symbol: gain for (code, symbol), gain in before.items() if code == one.code
            },
            ledgers=ledgers.get((one.code, one.currency), nothing),
            reserved=books.reserved_cash(one.pk, one.currency),
        )
        for one in accounts
    }


@dataclass(frozen=True, slots=True)
class Price:
    """A mark and how far it is from the close of the session before, in percent."""

    mark: Mark
    change_pct: Decimal | None


def price_of(quote: Quote) -> Price:
    """Return what a quote says of a position in its instrument."""
    return Price(Mark(quote.last, quote.at, quote.simulated), quote.change_pct)


def position_cells(one: Held, price: Price | None, *, realized_before: Decimal) -> dict[str, str]:
    """Return the cells of one position: ``k`` is account:symbol, ``way`` long, short or flat."""
    shown = position_json(one, None if price is None else price.mark)
    change = None if price is None else price.change_pct
    today = exact.subtract(one.realized_pnl, realized_before)
    return {
        "k": f"{one.account}:{one.symbol}",
        "way": way_of(shown["qty"]),
        **text_cells(shown),
        "realized_today": dec_str(today),
        "change_pct": opt_dec_str(change) or "",
    }


def account_cells(book: AccountBooks, prices: Mapping[str, Price], now: datetime) -> dict[str, str]:
    """Return the cells of an account in its currency; ``k`` is its code.

    Equity and unrealized profit are empty while a held instrument has no price.
    """
    mine = [one for one in book.held if one.currency == book.currency]
    valuation = pnl.value(
        book.ledgers,
        [pnl.Holding(one.symbol, one.qty, one.cost, one.multiplier) for one in mine],
        {symbol: price.mark.px for symbol, price in prices.items()},
    )
    simulated = any(prices[one.symbol].mark.simulated for one in mine if one.symbol in prices)
    balance = balance_json(
        book.account, book.currency, valuation, reserved=book.reserved, simulated=simulated
    )
    profit = pnl_json(book.account, book.currency, valuation, as_of=now, simulated=simulated)
    profit.pop("as_of")  # it would make every telling a new one
    return {"k": book.account, **text_cells(balance), **text_cells(profit)}


def cells(book: AccountBooks, quotes: Mapping[str, Quote], now: datetime) -> list[dict[str, str]]:
    """Return the account's cells, then those of its positions, valued at these quotes."""
    prices = {symbol: price_of(quotes[symbol]) for symbol in book.symbols if symbol in quotes}
    return [account_cells(book, prices, now), *_position_rows(book, prices)]


def _position_rows(book: AccountBooks, prices: Mapping[str, Price]) -> Iterable[dict[str, str]]:
    for one in book.held:
        before = book.realized_before.get(one.symbol, ZERO)
        yield position_cells(one, prices.get(one.symbol), realized_before=before)
