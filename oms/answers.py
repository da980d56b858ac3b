"""What the order doors answer, as the OpenAPI document describes it.

The objects themselves are built by ``oms.present``; a test compares their fields with these.
"""

from typing import Any

from ninja import Schema
from pydantic import ConfigDict, Field

ORDER: dict[str, Any] = {
    "id": "01M7WEY0MDTXT04ZCXS6790D65",
    "account": "PAPER-1",
    "cl_ord_id": "c-001",
    "orig_cl_ord_id": None,
    "order_id": None,
    "symbol": "SPX",
    "side": "BUY",
    "ord_type": "LIMIT",
    "order_qty": "10",
    "price": "1250",
    "stop_px": None,
    "display_qty": None,
    "time_in_force": "DAY",
    "expire_time": None,
    "exec_inst": [],
    "cash_order_qty": None,
    "unspent_cash": None,
    "min_qty": None,
    "trigger_price_type": None,
    "trail_offset": None,
    "trail_type": None,
    "activation_px": None,
    "limit_offset": None,
    "peg_price_type": None,
    "peg_offset": None,
    "max_slippage_bps": None,
    "extended_hours": False,
    "held_by": None,
    "held_note": None,
    "synthetic_tif": False,
    "anchor_px": None,
    "working_indicator": False,
    "ord_status": "PENDING_NEW",
    "cum_qty": "0",
    "leaves_qty": "10",
    "avg_px": None,
    "overfill_qty": "0",
    "pending": [
        {
            "kind": "NEW",
            "cl_ord_id": "c-001",
            "state": "QUEUED",
            "since": "2026-03-02T15:00:00.000000Z",
        }
    ],
    "mode": "PAPER",
    "source": "api",
    "strategy": None,
    "list_id": None,
    "leg_no": None,
    "ord_rej_reason": None,
    "text": "",
    "tags": {},
    "version": 1,
    "created_at": "2026-03-02T15:00:00.000000Z",
    "updated_at": "2026-03-02T15:00:00.000000Z",
}
EXECUTION: dict[str, Any] = {
    "id": "01M7WEY0Q1ZV0F1X3J0XWQ4M2K",
    "order_id": ORDER["id"],
    "broker_order_id": "P1-1",
    "exec_id": "PAPER-1.2",
    "exec_type": "TRADE",
    "side": "BUY",
    "symbol": "SPX",
    "last_qty": "10",
    "last_px": "1249.98",
    "fee": "1.25",
    "fee_currency": "USD",
    "liquidity": "TAKER",
    "late": False,
    "transact_time": "2026-03-02T15:00:00.120000Z",
}


class PendingOut(Schema):
    """A command without an outcome: QUEUED, SENDING, or UNKNOWN until evidence ends it."""

    kind: str
    cl_ord_id: str
    state: str
    since: str


class OrderOut(Schema):
    """An order, everywhere the same object. ``order_id`` is the venue's id."""

    id: str
    account: str
    cl_ord_id: str
    orig_cl_ord_id: str | None
    order_id: str | None
    symbol: str
    side: str
    ord_type: str
    order_qty: str
    price: str | None
    stop_px: str | None
    display_qty: str | None
    time_in_force: str
    expire_time: str | None
    exec_inst: list[str]
    cash_order_qty: str | None
    unspent_cash: str | None = Field(
        description="What whole lots left of cash_order_qty at the price it was turned into units."
    )
    min_qty: str | None
    trigger_price_type: str | None
    trail_offset: str | None
    trail_type: str | None
    activation_px: str | None
    limit_offset: str | None
    peg_price_type: str | None
    peg_offset: int | None
    max_slippage_bps: str | None
    extended_hours: bool
    held_by: str | None = Field(description="OMS: kept here, no venue has it. Null otherwise.")
    held_note: str | None = Field(
        description="What it means that the order is held here, in words."
    )
    synthetic_tif: bool = Field(
        description="The venue was told GTC and we take the order back at its expire_time."
    )
    anchor_px: str | None = Field(
        description="The best price a trail held here has seen since it was activated."
    )
    working_indicator: bool = Field(
        description="Whether it may trade now; false while held or waiting for its trigger."
    )
    ord_status: str
    cum_qty: str
    leaves_qty: str
    avg_px: str | None
    overfill_qty: str
    pending: list[PendingOut]
    mode: str
    source: str
    strategy: str | None
    list_id: str | None
    leg_no: int | None
    ord_rej_reason: str | None
    text: str
    tags: dict[str, str]
    version: int
    created_at: str
    updated_at: str

    model_config = ConfigDict(json_schema_extra={"example": ORDER})


class OrderPage(Schema):
    """A page of orders, newest first."""

    items: list[OrderOut]
    next: str | None


class BatchItemOut(Schema):
    """The answer to one order of a batch: ``order`` with 201 or 200, else ``problem``."""

    status: int
    order: OrderOut | None = None
    problem: dict[str, Any] | None = None


class BatchOut(Schema):
    """One answer per order, in the order given."""

    items: list[BatchItemOut]


class CancelAllItemOut(Schema):
    """202 queued or done, 200 on its way already, 409 where it is over."""

    status: int
    id: str
    order: OrderOut | None = None
    problem: dict[str, Any] | None = None


class CancelAllOut(Schema):
    """One answer per open order in the scope."""

    items: list[CancelAllItemOut]


class OrderEventOut(Schema):
    """One report as it was applied. ``raw`` is the venue's message, for those who may trade."""

    seq: int
    at: str
    exec_type: str
    ord_status: str
    source: str
    actor: str
    verdict: str
    before: str
    after: str
    report: dict[str, Any]
    raw: str | None


class OrderEventsOut(Schema):
    """The whole life of an order, oldest first."""

    items: list[OrderEventOut]


class ExecutionOut(Schema):
    """One row of the trade ledger. ``order_id`` is our order's id."""

    id: str
    order_id: str
    broker_order_id: str | None
    exec_id: str
    exec_type: str
    side: str
    symbol: str
    last_qty: str
    last_px: str
    fee: str
    fee_currency: str
    liquidity: str | None
    late: bool
    transact_time: str

    model_config = ConfigDict(json_schema_extra={"example": EXECUTION})


class ExecutionPage(Schema):
    """A page of the trade ledger, newest first."""

    items: list[ExecutionOut]
    next: str | None


class BreakOut(Schema):
    """A difference between our books and the venue's."""

    id: str
    account: str
    kind: str
    subject: str
    ours: str
    theirs: str
    detail: str
    opened_at: str
    closed_at: str | None
    resolution: str


class BreakPage(Schema):
    """A page of breaks, newest first."""

    items: list[BreakOut]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


class RefusalOut(Schema):
    """The problem POST /orders would answer with; a halt says who set it and why."""

    code: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, Any]]
    scope: str | None = None
    target: str | None = None
    since: str | None = None
    set_by: str | None = None
    reason: str | None = None


class VerdictOut(Schema):
    """One risk rule's word. ``used`` is the share of what it allows, 1 at the limit."""

    rule: str
    code: str | None
    outcome: str = Field(description="PASS, WARN (less than a fifth is left) or FAIL.")
    value: str
    limit: str
    headroom: str
    unit: str
    scope: str = Field(description="Whose limit binds: tenant, account or default.")
    before: str = Field(description="What counts already; of a collar, the reference price.")
    used: str
    message: str | None


class ReferenceOut(Schema):
    """The price the order is measured against."""

    px: str
    type: str
    age_ms: int


class EstimateOut(Schema):
    """What the shown book says; nothing is guessed beyond the best price of each side."""

    reference: ReferenceOut
    marketable: bool
    expected_avg_px: str | None
    worst_px: str | None
    slippage_bps: str | None
    fill_probability: str | None
    sent_as: str
    held_by: str
    synthetic_parts: list[str]
    simulated: bool


class FeeOut(Schema):
    """One fee by the account's own rates, should the order fill in one piece."""

    kind: str
    ccy: str
    amount: str
    basis: str


class MarginOut(Schema):
    """``source`` NONE: the account has no margin model and the figures are null."""

    initial: str | None
    maintenance: str | None
    excess_after: str | None
    source: str


class ExposureOut(Schema):
    """The books after a fill of the whole order, other positions at their marks."""

    position_before: str
    position_qty: str
    notional: str
    gross: str | None
    net: str | None
    leverage: str | None
    share_of_nav: str | None


class WarningOut(Schema):
    """Something worth knowing that refuses nothing."""

    code: str
    message: str


class RequestedOut(OrderOut):
    """The order after a cancel or replace was asked for."""

    warnings: list[WarningOut]


class PreviewOut(Schema):
    """A preview; what cannot be known is null and has its reason in ``unknown``."""

    preview_id: str | None
    expires_at: str | None
    intent_hash: str
    would_be_accepted: bool
    replays: str | None = Field(description="Our id of the order this cl_ord_id names already.")
    refusal: RefusalOut | None
    account: str
    mode: str
    symbol: str
    side: str
    ord_type: str
    order_qty: str
    cash_order_qty: str | None
    unspent_cash: str | None
    price: str | None
    time_in_force: str
    currency: str | None
    verdicts: list[VerdictOut]
    nearest_limit: VerdictOut | None
    notional: str | None
    estimate: EstimateOut | None
    fees: list[FeeOut] | None
    fx: dict[str, str] | None
    cash_after: dict[str, str] | None
    margin: MarginOut
    exposure_after: ExposureOut | None
    tax: list[dict[str, Any]] | None
    warnings: list[WarningOut]
    unknown: dict[str, str]
