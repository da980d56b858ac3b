"""The columns of order lists, and which of them a person has put away (a cookie per list)."""

from collections.abc import Mapping
from dataclasses import dataclass

MAX_AGE_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Column:
    """``name`` is also what a list is sorted by, where ``sorts``; ``fixed`` ones always show."""

    name: str
    head: str
    number: bool = False
    sorts: bool = True
    fixed: bool = False


COLUMNS = (
    Column("time", "Time", fixed=True),
    Column("account", "Account"),
    Column("symbol", "Symbol", fixed=True),
    Column("side", "Side", fixed=True),
    Column("ord_type", "Type"),
    Column("order_qty", "Qty", number=True, fixed=True),
    Column("price", "Price", number=True, fixed=True),
    Column("stop_px", "Stop", number=True),
    Column("trail", "Trail", number=True, sorts=False),
    Column("time_in_force", "TIF"),
    Column("list", "List", sorts=False),
    Column("ord_status", "Status", fixed=True),
    Column("cum_qty", "Filled", number=True),
    Column("leaves_qty", "Leaves", number=True),
    Column("avg_px", "Avg px", number=True, sorts=False),
    Column("age", "Age", number=True, sorts=False),
    Column("strategy", "Strategy"),
    Column("source", "Source"),
    Column("cl_ord_id", "Client id", sorts=False),
    Column("order_id", "Venue id", sorts=False),
    Column("text", "Text", sorts=False),
)
# What a list begins without.
PUT_AWAY: Mapping[str, tuple[str, ...]] = {
    "orders": ("leaves_qty", "source", "cl_ord_id", "order_id"),
    "desk": (
        "account",
        "trail",
        "list",
        "list",
        "leaves_qty",
        "age",
        "strategy",
        "source",
        "cl_ord_id",
        "order_id",
        "text",
    ),
}


def cookie_of(grid: str) -> str:
    """Return the cookie that keeps a list's columns."""
    return f"bl_away_{grid}"


def put_away(grid: str, cookies: Mapping[str, str]) -> tuple[str, ...]:
    """Return the columns of a list that are put away; ``none`` in the cookie means not one."""
    kept = cookies.get(cookie_of(grid))
    if kept is None:
        return PUT_AWAY[grid]
    return allowed(kept.split("."))


def allowed(names: object) -> tuple[str, ...]:
    """Return those of ``names`` that are columns one may put away."""
    wanted = set(names) if isinstance(names, list) else set()
    return tuple(one.name for one in COLUMNS if one.name in wanted and not one.fixed)
