"""What the doors of the books take and give. Amounts are decimals in strings, null is unknown."""

from typing import Annotated

from ninja import Field, Schema
from pydantic import ConfigDict, StringConstraints

from common.http.query import StrictQuery
from common.http.schema import EnumIn, UtcDatetimeIn
from trading.journal import Reason

Code = Annotated[str, StringConstraints(min_length=1, max_length=32)]
Symbol = Annotated[str, StringConstraints(max_length=64)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,8}$")]
Ref = Annotated[str, StringConstraints(min_length=1, max_length=64)]

AS_OF = "The books of that instant, by when things happened; its marks are those recorded then."
UNKNOWN = "null while a held position has no mark."
SIMULATED = "True where a number rests on replayed or simulated prices."


class AccountsQuery(StrictQuery):
    """Accounts by code."""


class BooksQuery(StrictQuery):
    """One account's books, or those of all accounts in reach; now, or at a past instant."""

    account: Code | None = None
    as_of: UtcDatetimeIn | None = Field(None, description=AS_OF)


class HoldingsQuery(BooksQuery):
    """Of one instrument, or all."""

    symbol: Symbol | None = None


class LedgersQuery(BooksQuery):
    """In one currency, or all."""

    currency: Currency | None = None


class HistoryQuery(BooksQuery):
    """``since`` and ``until`` are both included."""

    since: UtcDatetimeIn | None = None
    until: UtcDatetimeIn | None = None


class JournalQuery(HistoryQuery):
    """``ref`` is an execution's id for a fill."""

    reason: EnumIn[Reason] | None = None
    ref: Ref | None = None


class SnapshotsQuery(HistoryQuery):
    """In one currency, or all."""

    currency: Currency | None = None


class AccountOut(Schema):
    """An account at a broker. ``mode`` says whether its money is real; it never changes."""

    account: str
    name: str
    broker: str
    mode: str
    currency: str
    state: str
    buying_power: str = Field(description="Cash that no open buy order has reserved.")

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "account": "PAPER-1",
                "name": "Index desk",
                "broker": "paper",
                "mode": "PAPER",
                "currency": "USD",
                "state": "ACTIVE",
                "buying_power": "987495",
            }
        }
    )


class PositionOut(Schema):
    """What an account holds of an instrument; a short position has negative qty and cost."""

    account: str
    symbol: str
    qty: str
    avg_px: str | None = Field(description="Cost per unit, null of a flat position.")
    cost: str
    mark: str | None = Field(description="Last known trade price; null where there is none.")
    mark_at: str | None
    market_value: str | None
    unrealized_pnl: str | None
    realized_pnl: str = Field(description="Before fees.")
    currency: str
    simulated: bool | None = Field(description="Whether the mark is; null without a mark.")
    updated_at: str

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "account": "PAPER-1",
                "symbol": "SPX",
                "qty": "10",
                "avg_px": "1250.5",
                "cost": "12505",
                "mark": "1252",
                "mark_at": "2026-11-20T12:05:26.002198Z",
                "market_value": "12520",
                "unrealized_pnl": "15",
                "realized_pnl": "0",
                "currency": "USD",
                "simulated": True,
                "updated_at": "2026-11-20T12:05:20.1Z",
            }
        }
    )


class LotOut(Schema):
    """Units opened by one execution that are still open, and their share of its cost."""

    id: str = Field(description="The id of the execution that opened it.")
    account: str
    symbol: str
    opened_at: str
    opened_qty: str
    qty: str
    cost: str
    unit_px: str = Field(description="Price per unit the cost stands for.")
    currency: str


class BalanceOut(Schema):
    """Cash of an account in one currency, and what all of it is worth."""

    account: str
    currency: str
    cash: str
    reserved: str | None = Field(
        description="Held by open buy orders; null for a past instant, where nobody recorded it."
    )
    buying_power: str | None
    market_value: str | None = Field(description=UNKNOWN)
    equity: str | None = Field(description="Cash and market value; " + UNKNOWN)
    simulated: bool = Field(description=SIMULATED)

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "account": "PAPER-1",
                "currency": "USD",
                "cash": "987495",
                "reserved": "0",
                "buying_power": "987495",
                "market_value": "12520",
                "equity": "1000015",
                "simulated": True,
            }
        }
    )


class LineOut(Schema):
    """Positive is what the firm has or spent, negative is where it came from."""

    account: str
    ledger: str
    currency: str
    amount: str
    symbol: str | None
    qty: str | None = Field(description="Units moved; on lines of position_cost only.")


class EntryOut(Schema):
    """One booking; its lines sum to zero per currency."""

    id: str
    at: str
    booked_at: str
    reason: str
    ref: str
    order_id: str | None
    lines: list[LineOut]


class PnlOut(Schema):
    """Profit since the first booking: total = realized + unrealized - fees."""

    account: str
    currency: str
    realized: str
    unrealized: str | None = Field(description=UNKNOWN)
    fees: str
    total: str | None = Field(description=UNKNOWN)
    as_of: str
    simulated: bool = Field(description=SIMULATED)

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "account": "PAPER-1",
                "currency": "USD",
                "realized": "40",
                "unrealized": "15",
                "fees": "1.25",
                "total": "53.75",
                "as_of": "2026-11-20T12:05:26Z",
                "simulated": True,
            }
        }
    )


class SnapshotOut(PnlOut):
    """A valuation as it was recorded."""

    id: int
    cash: str
    equity: str | None = Field(description=UNKNOWN)


class AccountPage(Schema):
    """A page of accounts."""

    items: list[AccountOut]
    next: str | None


class PositionPage(Schema):
    """A page of positions."""

    items: list[PositionOut]
    next: str | None


class LotPage(Schema):
    """A page of open lots."""

    items: list[LotOut]
    next: str | None


class BalancePage(Schema):
    """A page of balances."""

    items: list[BalanceOut]
    next: str | None


class EntryPage(Schema):
    """A page of journal entries, newest first."""

    items: list[EntryOut]
    next: str | None


class PnlPage(Schema):
    """A page of profits."""

    items: list[PnlOut]
    next: str | None


class SnapshotPage(Schema):
    """A page of snapshots, newest first."""

    items: list[SnapshotOut]
    next: str | None
