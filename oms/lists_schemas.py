"""What the doors of order lists take and answer."""

from typing import Any

from ninja import Schema
from pydantic import ConfigDict, Field, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from common.http.query import StrictQuery
from common.http.schema import EnumIn, PositiveDecimalIn, StrictSchema, Text, UtcDatetimeIn
from oms.answers import ORDER, OrderOut
from oms.schemas import ClOrdIdIn, NameIn, SymbolIn, WishIn
from oms.services.lists.requests import ExitTerms
from trading.contingency import (
    ContingencyType,
    LegWish,
    ListOrderStatus,
    ListWish,
    Release,
    Reprotect,
    Sizing,
)
from trading.orders.intent import OrderIntent


class LegIn(WishIn):
    """One leg. ``order_qty`` left out takes the first leg's; account and symbol the list's."""

    account: NameIn | None = None
    symbol: SymbolIn | None = None
    offset: PositiveDecimalIn | None = Field(
        None, description="Instead of a price: its distance from the entry's average price."
    )
    offset_percent: PositiveDecimalIn | None = Field(
        None, description="The same in percent of the entry's average price."
    )

    def to_wish(self, account: str, symbol: str) -> LegWish:
        """The leg as every other door states it."""
        stated = {name: getattr(self, name) for name in WishIn.model_fields}
        own = {"account": self.account or account, "symbol": self.symbol or symbol}
        intent = OrderIntent(**{**stated, **own, "exec_inst": tuple(self.exec_inst)}, source="api")
        return LegWish(intent=intent, offset=self.offset, offset_percent=self.offset_percent)


class ListIn(StrictSchema):
    """2 to 10 legs of one account and one instrument, taken whole or not at all."""

    account: NameIn | None = Field(None, examples=["PAPER-1"], description="Of every leg.")
    symbol: SymbolIn | None = Field(None, examples=["SPX"], description="Of every leg.")
    cl_ord_id: ClOrdIdIn | None = Field(None, description="Names the list for a safe repeat.")
    contingency_type: EnumIn[ContingencyType]
    release: EnumIn[Release] | None = Field(
        None, description="When the first leg releases the others: ON_FIRST_FILL by default."
    )
    sizing: EnumIn[Sizing] | None = Field(
        None, description="MATCH follows what the first leg executes; FIXED sends the whole leg."
    )
    reprotect: EnumIn[Reprotect] = Field(
        Reprotect.RESEND, description="What is done about a position whose stop is gone."
    )
    legs: list[LegIn] = Field(min_length=1, max_length=50)

    @model_validator(mode="after")
    def _placed(self) -> "ListIn":
        for name in ("account", "symbol"):
            if getattr(self, name) is None and any(getattr(leg, name) is None for leg in self.legs):
                raise PydanticCustomError(
                    "required", "Name {name} for the list, or for each leg.", {"name": name}
                )
        return self

    def to_wish(self) -> ListWish:
        """The list as every other door states it."""
        return ListWish(
            contingency_type=self.contingency_type,
            legs=tuple(leg.to_wish(self.account or "", self.symbol or "") for leg in self.legs),
            cl_ord_id=self.cl_ord_id,
            release=self.release,
            sizing=self.sizing,
            reprotect=self.reprotect,
        )


class ExitIn(StrictSchema):
    """Other prices for one leg; what is left out stays."""

    leg_no: StrictInt = Field(description="The leg as it was asked for, from 1.")
    price: PositiveDecimalIn | None = None
    stop_px: PositiveDecimalIn | None = None


class ListReplaceIn(StrictSchema):
    """Other prices of exits. Quantities are the list's own and cannot be named."""

    legs: list[ExitIn] = Field(min_length=1, max_length=10)

    def to_terms(self) -> list[ExitTerms]:
        """The prices by leg."""
        return [ExitTerms(leg.leg_no, leg.price, leg.stop_px) for leg in self.legs]


class ListQuery(StrictQuery):
    """Filters of the lists."""

    account: Text | None = None
    symbol: Text | None = None
    list_order_status: EnumIn[ListOrderStatus] | None = None
    cl_ord_id: Text | None = None
    since: UtcDatetimeIn | None = None
    until: UtcDatetimeIn | None = None


# --- answers --------------------------------------------------------------------------------

LIST: dict[str, Any] = {
    "id": "01M7WEY0MDTXT04ZCXS6790D60",
    "account": "PAPER-1",
    "cl_ord_id": "bracket-1",
    "symbol": "SPX",
    "contingency_type": "OTOCO",
    "release": "ON_FIRST_FILL",
    "sizing": "MATCH",
    "reprotect": "RESEND",
    "held_by": "OMS",
    "list_order_status": "EXECUTING",
    "legs": [
        {
            "leg_no": 1,
            "serves_leg": 1,
            "role": "ENTRY",
            "offset": None,
            "offset_percent": None,
            "order": ORDER,
        }
    ],
    "alarms": [],
    "unprotected_qty": "0",
    "overfill_qty": "0",
    "proposed_order": None,
    "mode": "PAPER",
    "source": "api",
    "strategy": None,
    "version": 1,
    "created_at": "2026-03-02T15:00:00.000000Z",
    "updated_at": "2026-03-02T15:00:00.000000Z",
}


class LegOut(Schema):
    """One order of a list. One sent again for a leg has a number of its own: see ``serves_leg``."""

    leg_no: int
    serves_leg: int
    role: str
    offset: str | None
    offset_percent: str | None
    order: OrderOut


class AlarmOut(Schema):
    """What people have to look at now: unprotected_position or oco_both_filled."""

    alarm: str
    severity: str
    qty: str
    since: str | None
    reason: str


class ProposedOut(Schema):
    """The order that would take back what both of two alternatives executed."""

    symbol: str
    side: str
    ord_type: str
    order_qty: str


class ListOut(Schema):
    """A list, everywhere the same object. ``held_by`` says who links its legs."""

    id: str
    account: str
    cl_ord_id: str
    symbol: str
    contingency_type: str
    release: str | None
    sizing: str | None
    reprotect: str
    held_by: str
    list_order_status: str
    legs: list[LegOut]
    alarms: list[AlarmOut]
    unprotected_qty: str
    overfill_qty: str
    proposed_order: ProposedOut | None
    mode: str
    source: str
    strategy: str | None
    version: int
    created_at: str
    updated_at: str

    model_config = ConfigDict(json_schema_extra={"example": LIST})


class ListPage(Schema):
    """A page of lists, newest first."""

    items: list[ListOut]
    next: str | None
