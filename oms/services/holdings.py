"""What an account would hold once an order has filled whole: cash, position, exposure."""

from dataclasses import dataclass
from decimal import Decimal

from brokers.models import BrokerAccount
from marketdata.models import Instrument
from portfolio import selectors as books
from portfolio.shapes import Held
from trading import exact, pnl
from trading.exact import ZERO
from trading.orders.intent import OrderIntent

_RATIO = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Holdings:
    """Amounts in the instrument's currency, other positions at their latest marks.

    ``gross``, ``net``, ``leverage`` and ``share_of_nav`` are None while ``unmarked`` names held
    symbols without a price; the last two also where the equity would not be above zero.
    ``buying_power`` is what is free before this order; ``cash`` is None without a price to pay.
    """

    qty_before: Decimal
    qty: Decimal
    notional: Decimal
    cash: Decimal | None
    buying_power: Decimal
    gross: Decimal | None
    net: Decimal | None
    unmarked: tuple[str, ...]

    @property
    def flips(self) -> bool:
        """Whether a long position would become a short one, or the reverse."""
        return self.qty_before * self.qty < 0

    @property
    def leverage(self) -> Decimal | None:
        """Gross exposure per unit of equity."""
        return self._per_equity(self.gross)

    @property
    def share_of_nav(self) -> Decimal | None:
        """This position per unit of equity."""
        return self._per_equity(self.notional)

    def _per_equity(self, amount: Decimal | None) -> Decimal | None:
        if amount is None or self.net is None or self.cash is None:
            return None
        equity = exact.add(self.cash, self.net)
        return exact.ratio(amount, equity).quantize(_RATIO) if equity > 0 else None


def holdings_after(
    account: BrokerAccount,
    intent: OrderIntent,
    instrument: Instrument,
    *,
    px: Decimal | None,
    fee: Decimal | None,
    mark: Decimal,
) -> Holdings:
    """Return the books as they would be after a fill of the whole order at ``px``, if known."""
    currency, symbol = instrument.currency, instrument.symbol
    rows = books.held(books.positions([account]), as_of=None)
    held = {one.symbol: one for one in rows if one.currency == currency}
    before = held[symbol].qty if symbol in held else ZERO
    qty = exact.add(before, exact.signed(intent.order_qty, intent.side.sign))
    worth = pnl.market_value(qty, mark, instrument.multiplier)
    others = [one for one in held.values() if one.symbol != symbol and one.qty != 0]
    values, unmarked = _values(others)
    values.append(worth)
    cash = None
    if px is not None and fee is not None:
        moved = exact.subtract(qty, before)
        paid = exact.add(pnl.market_value(moved, px, instrument.multiplier), fee)
        cash = exact.subtract(books.cash(account.pk, currency), paid)
    return Holdings(
        qty_before=before,
        qty=qty,
        notional=worth.copy_abs(),
        cash=cash,
        buying_power=books.buying_power(account.pk, currency),
        gross=None if unmarked else exact.total(value.copy_abs() for value in values),
        net=None if unmarked else exact.total(values),
        unmarked=unmarked,
    )


def _values(rows: list[Held]) -> tuple[list[Decimal], tuple[str, ...]]:
    """The market values of positions, and the symbols nobody has a price of."""
    marks = books.marks(one.symbol for one in rows)
    values = [
        pnl.market_value(one.qty, marks[one.symbol].px, one.multiplier)
        for one in rows
        if one.symbol in marks
    ]
    return values, tuple(sorted(one.symbol for one in rows if one.symbol not in marks))
