"""What the order doors take: strict bodies and queries, turned into intents and terms."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictInt, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from common.http.query import StrictQuery
from common.http.schema import (
    DecimalIn,
    EnumIn,
    PositiveDecimalIn,
    StrictSchema,
    Text,
    UlidIn,
    UtcDatetimeIn,
)
from oms.selectors import BreakState
from oms.services.lists.withdrawn import CancelScope
from trading.orders.intent import OrderIntent
from trading.vocabulary import (
    OrdStatus,
    OrdType,
    PegPriceType,
    Side,
    TimeInForce,
    TrailType,
    TriggerPriceType,
    WhenClosed,
)

MAX_BATCH = 200
MAX_TAGS = 20
MAX_PEG_TICKS = 1_000_000


def _cl_ord_id(value: Any) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("invalid_type", "Expected a string.")
    if not 1 <= len(value) <= 36 or not value.isascii():
        raise PydanticCustomError(
            "invalid_cl_ord_id", "1 to 36 of A-Z a-z 0-9 . _ -, not starting with . or -."
        )
    return value


def _symbol(value: Any) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("invalid_type", "Expected a string.")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("invalid_type", "Expected a string.")
    if not 1 <= len(value) <= 64 or not value.isprintable():
        raise PydanticCustomError("out_of_range", "Expected 1 to 64 printable characters.")
    return value


def _tags(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise PydanticCustomError("invalid_type", "Expected an object of strings.")
    if len(value) > MAX_TAGS:
        raise PydanticCustomError("out_of_range", "At most 20 tags.")
    for key, item in value.items():
        if not isinstance(item, str):
            raise PydanticCustomError("invalid_type", "The values of tags are strings.")
        if not 1 <= len(key) <= 64 or len(item) > 200:
            raise PydanticCustomError("out_of_range", "Tags: 64 characters a key, 200 a value.")
    return value


SymbolIn = Annotated[str, BeforeValidator(_symbol)]
ClOrdIdIn = Annotated[str, BeforeValidator(_cl_ord_id)]
NameIn = Annotated[str, BeforeValidator(_name)]
TagsIn = Annotated[dict[str, str], BeforeValidator(_tags)]


class WishIn(StrictSchema):
    """What is wanted of one order, whatever door it comes through."""

    side: EnumIn[Side] = Field(examples=["BUY"])
    ord_type: EnumIn[OrdType] = Field(examples=["LIMIT"])
    order_qty: PositiveDecimalIn = Field(
        default_factory=Decimal, description="In units of the instrument, unless cash_order_qty is."
    )
    cash_order_qty: PositiveDecimalIn | None = Field(
        None, description="Money to spend or take in, for MARKET; instead of order_qty."
    )
    price: PositiveDecimalIn | None = None
    time_in_force: EnumIn[TimeInForce] | None = None
    expire_time: UtcDatetimeIn | None = Field(None, description="When a GTD order ends.")
    stop_px: PositiveDecimalIn | None = Field(
        None, description="The trigger; of a trail the stop it starts from."
    )
    trigger_price_type: EnumIn[TriggerPriceType] | None = Field(
        None, description="Which price moves the trigger; LAST where nothing is said."
    )
    trail_offset: PositiveDecimalIn | None = None
    trail_type: EnumIn[TrailType] | None = None
    activation_px: PositiveDecimalIn | None = None
    limit_offset: DecimalIn | None = Field(
        None, description="Distance of the limit from the stop of a TRAILING_STOP_LIMIT."
    )
    peg_price_type: EnumIn[PegPriceType] | None = None
    peg_offset: StrictInt | None = Field(
        None, ge=-MAX_PEG_TICKS, le=MAX_PEG_TICKS, description="In ticks, positive is up."
    )
    display_qty: PositiveDecimalIn | None = None
    min_qty: PositiveDecimalIn | None = Field(None, description="The least to trade, for IOC.")
    exec_inst: list[NameIn] = Field(default_factory=list)
    max_slippage_bps: PositiveDecimalIn | None = Field(
        None, description="How far from the best price a MARKET order may trade."
    )
    extended_hours: bool = False
    allow_synthetic: bool = Field(
        True, description="false refuses what only this system could hold."
    )
    when_closed: EnumIn[WhenClosed] | None = None
    strategy: NameIn | None = None
    tags: TagsIn = Field(default_factory=dict)
    allow_duplicate: bool = Field(
        False, description="An order equal to one accepted moments ago is meant, not a slip."
    )


class OrderIn(WishIn):
    """One order. ``time_in_force`` absent: DAY where the instrument's calendar has sessions."""

    account: NameIn = Field(examples=["PAPER-1"])
    cl_ord_id: ClOrdIdIn | None = Field(None, examples=["c-001"])
    symbol: SymbolIn = Field(examples=["SPX"])
    preview_id: UlidIn | None = Field(
        None, description="The preview this order was confirmed by; it is held to that."
    )

    def to_intent(self, source: str) -> OrderIntent:
        """The same wish as every other door states it."""
        stated = {name: getattr(self, name) for name in type(self).model_fields}
        return OrderIntent(**{**stated, "exec_inst": tuple(self.exec_inst)}, source=source)


class BatchIn(StrictSchema):
    """1 to 200 orders; each row is judged for itself, so rows are read one by one."""

    orders: list[Any]

    @model_validator(mode="after")
    def _bounded(self) -> "BatchIn":
        if not 1 <= len(self.orders) <= MAX_BATCH:
            raise PydanticCustomError("out_of_range", "A batch takes 1 to 200 orders.")
        return self


class CancelIn(StrictSchema):
    """A cancel; ``cl_ord_id`` names it for a safe repeat."""

    cl_ord_id: ClOrdIdIn | None = None
    scope: EnumIn[CancelScope] = Field(
        CancelScope.LIST,
        description="For a leg of a list: list ends those that exclude it too, leg it alone.",
    )


class ReplaceIn(StrictSchema):
    """New terms; what is left out stays. ``order_qty`` is the new total."""

    order_qty: PositiveDecimalIn | None = None
    price: PositiveDecimalIn | None = None
    time_in_force: EnumIn[TimeInForce] | None = None
    expire_time: UtcDatetimeIn | None = None
    stop_px: PositiveDecimalIn | None = None
    trail_offset: PositiveDecimalIn | None = None
    limit_offset: DecimalIn | None = None
    display_qty: PositiveDecimalIn | None = None
    cl_ord_id: ClOrdIdIn | None = None
    orig_cl_ord_id: ClOrdIdIn | None = None

    @model_validator(mode="before")
    @classmethod
    def _amendable(cls, values: Any) -> Any:
        """What an order has and no replace can change is said so, not called unknown."""
        lasting = OrderIn.model_fields.keys() - cls.model_fields.keys()
        named = sorted(lasting & values.keys()) if isinstance(values, dict) else []
        if not named:
            return values
        wrong = PydanticCustomError("not_amendable", "It cannot be changed; send a new order.")
        raise ValidationError.from_exception_data(
            cls.__name__, [{"type": wrong, "loc": (name,), "input": values[name]} for name in named]
        )


class CancelAllIn(StrictSchema):
    """The scope; naming nothing takes ``"all": true``, so that no empty body ends everything."""

    account: NameIn | None = None
    symbol: SymbolIn | None = None
    strategy: NameIn | None = None
    side: EnumIn[Side] | None = None
    all: bool = False

    @model_validator(mode="after")
    def _scoped(self) -> "CancelAllIn":
        scope = (self.account, self.symbol, self.strategy, self.side)
        if not self.all and scope == (None, None, None, None):
            raise PydanticCustomError(
                "required", 'Name an account, symbol, strategy or side, or say "all": true.'
            )
        return self


class OrderQuery(StrictQuery):
    """Filters of the order list; ``ord_status`` takes several, separated by commas."""

    account: Text | None = None
    symbol: Text | None = None
    side: EnumIn[Side] | None = None
    ord_status: Text | None = None
    since: UtcDatetimeIn | None = None
    until: UtcDatetimeIn | None = None
    strategy: Text | None = None
    cl_ord_id: Text | None = None

    def statuses(self) -> list[OrdStatus]:
        """The wanted statuses; unknown words were refused on entry."""
        return [OrdStatus(word) for word in (self.ord_status or "").split(",") if word]

    @model_validator(mode="after")
    def _known_statuses(self) -> "OrderQuery":
        words = (self.ord_status or "").split(",") if self.ord_status is not None else []
        if any(word not in OrdStatus.__members__ for word in words):
            raise PydanticCustomError(
                "invalid_choice",
                "ord_status: not one of {allowed}.",
                {"allowed": ", ".join(OrdStatus.__members__)},
            )
        return self


class BreakQuery(StrictQuery):
    """Filters of the break list."""

    account: Text | None = None
    state: EnumIn[BreakState] = BreakState.OPEN


class ExecutionQuery(StrictQuery):
    """Filters of the trade ledger."""

    account: Text | None = None
    symbol: Text | None = None
    order_id: UlidIn | None = None
    since: UtcDatetimeIn | None = None
    until: UtcDatetimeIn | None = None
