"""Double entry: every change of the books is an entry whose lines sum to zero per currency.

Signs: what a firm has or has spent is positive (cash, position_cost, fees), where it came from is
negative (capital, realized_pnl). So a deposit of 100 is cash +100, capital -100, and a profit of 7
stands in realized_pnl as -7. The ledgers of one currency therefore sum to zero at every moment.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trading import exact
from trading.exact import ZERO
from trading.lots import LotChange
from trading.vocabulary import Side


class Ledger(StrEnum):
    """Where a line is booked."""

    CASH = "cash"
    POSITION_COST = "position_cost"
    FEES = "fees"
    REALIZED_PNL = "realized_pnl"
    CAPITAL = "capital"


class Reason(StrEnum):
    """Why an entry exists; ``ref`` of the entry names the object behind it."""

    FILL = "FILL"
    DEPOSIT = "DEPOSIT"
    REVERSAL = "REVERSAL"
    REBOOKING = "REBOOKING"


@dataclass(frozen=True, slots=True)
class Fill:
    """The trade part of an execution report, as the books need it.

    ``execution_id`` is the id of our execution row: booking is idempotent by it. ``order_id`` is
    our order's id, ``exec_id`` the venue's. ``last_qty`` is unsigned and positive; ``fee`` is
    positive where it was charged and negative where the venue paid a rebate.
    """

    execution_id: str
    order_id: str
    exec_id: str
    side: Side
    last_qty: Decimal
    last_px: Decimal
    fee: Decimal
    fee_currency: str
    transact_time: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """One amount in one ledger of one account. A position_cost line also moves ``qty`` units."""

    account: str
    ledger: Ledger
    currency: str
    amount: Decimal
    symbol: str | None = None
    qty: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened ``at`` an instant, in lines that balance."""

    at: datetime
    reason: Reason
    ref: str
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        unbalanced = {code: rest for code, rest in balance(self.lines).items() if rest != 0}
        if unbalanced:
            raise ValueError(f"entry {self.reason} {self.ref} does not balance: {unbalanced}")


def balance(lines: Iterable[Line]) -> dict[str, Decimal]:
    """Return the sum of the lines by currency; zeros mean balanced."""
    sums: dict[str, Decimal] = {}
    for line in lines:
        sums[line.currency] = exact.add(sums.get(line.currency, ZERO), line.amount)
    return sums


def sums_by_ledger(lines: Iterable[Line]) -> dict[tuple[str, Ledger], Decimal]:
    """Return the sum of the lines by (currency, ledger)."""
    sums: dict[tuple[str, Ledger], Decimal] = {}
    for line in lines:
        key = (line.currency, line.ledger)
        sums[key] = exact.add(sums.get(key, ZERO), line.amount)
    return sums


def fill_lines(
    fill: Fill, change: LotChange, *, account: str, symbol: str, currency: str
) -> tuple[Line, ...]:
    """Return the lines of one fill: cash against cost and realised profit, fees against cash.

    ``currency`` is the instrument's; the fee may be in another. Lines of nothing are left out,
    but for the position's, which also says how many units moved.
    """
    fee = exact.money(fill.fee)
    lines = (
        Line(account, Ledger.CASH, currency, exact.negate(change.gross), symbol),
        Line(
            account,
            Ledger.POSITION_COST,
            currency,
            change.cost_delta,
            symbol,
            change.signed_qty,
        ),
        Line(account, Ledger.REALIZED_PNL, currency, exact.negate(change.realized), symbol),
        Line(account, Ledger.FEES, fill.fee_currency, fee, symbol),
        Line(account, Ledger.CASH, fill.fee_currency, exact.negate(fee), symbol),
    )
    return tuple(line for line in lines if line.amount != 0 or line.qty is not None)


def entry_for_fill(
    fill: Fill, change: LotChange, *, account: str, symbol: str, currency: str, at: datetime
) -> Entry:
    """Return the entry of one fill; see ``fill_lines``."""
    lines = fill_lines(fill, change, account=account, symbol=symbol, currency=currency)
    return Entry(at, Reason.FILL, fill.execution_id, lines)


def reversed_lines(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Return lines that take back what ``lines`` booked, to the last digit."""
    return tuple(
        Line(
            line.account,
            line.ledger,
            line.currency,
            exact.negate(line.amount),
            line.symbol,
            None if line.qty is None else exact.negate(line.qty),
        )
        for line in lines
    )


def entry_for_deposit(
    *, account: str, currency: str, amount: Decimal, ref: str, at: datetime
) -> Entry:
    """Return the entry of money paid in.

    :raises ValueError: if the amount is not positive.
    """
    if amount <= 0:
        raise ValueError(f"a deposit is positive, not {amount}")
    return Entry(
        at,
        Reason.DEPOSIT,
        ref,
        (
            Line(account, Ledger.CASH, currency, amount),
            Line(account, Ledger.CAPITAL, currency, exact.negate(amount)),
        ),
    )
