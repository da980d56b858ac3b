"""Orders that depend on each other: OCO, OTO, brackets, and what each leg should have working."""

from trading.contingency.desired import desired
from trading.contingency.prices import exit_price, relative_px
from trading.contingency.targets import overfill_qty, unprotected_qty, wanted_leaves
from trading.contingency.values import (
    Action,
    ActionKind,
    ContingencyType,
    Leg,
    LegOrder,
    LegState,
    ListOrderStatus,
    ListTerms,
    Release,
    Reprotect,
    Role,
    Sizing,
)
from trading.contingency.wish import (
    LegWish,
    ListWish,
    list_hash,
    price_errors,
    roles,
    shape_errors,
    with_defaults,
)

__all__ = [
    "Action",
    "ActionKind",
    "ContingencyType",
    "Leg",
    "LegOrder",
    "LegState",
    "LegWish",
    "ListOrderStatus",
    "ListTerms",
    "ListWish",
    "Release",
    "Reprotect",
    "Role",
    "Sizing",
    "desired",
    "exit_price",
    "list_hash",
    "overfill_qty",
    "price_errors",
    "relative_px",
    "roles",
    "shape_errors",
    "unprotected_qty",
    "wanted_leaves",
    "with_defaults",
]
