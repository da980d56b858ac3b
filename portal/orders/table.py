"""What templates and scripts get of an order list: rows of the one presenter, heads, totals."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.actor import Actor
from common.numbers import dec_str
from events.selectors import head
from marketdata.models import Instrument
from oms import selectors
from oms.models import Order
from oms.present import order_json
from portal.orders.columns import COLUMNS, Column, put_away
from portal.orders.query import OrderQuery
from portal.rows import GridRow, order_row

# Fields that no cell of the table carries; grid.js needs them to judge a row.
REST = (
    "orig_cl_ord_id", "is_open", "why_not_cancel", "why_not_amend", "pending", "held_by", "list_id",
    "updated_at",
)  # fmt: skip
# What the privacy mode leaves out of pages and answers.
AMOUNTS = ("order_qty", "cum_qty", "leaves_qty")
AMOUNT_BADGE = "status_word"


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """One row as the template shows it; ``places`` is the precision of the instrument's price."""

    id: str
    v: int
    row: Mapping[str, str]
    places: int
    rest: str = field(default="{}")


@dataclass(frozen=True, slots=True)
class Heading:
    """A column with the address that sorts by it; ``aria`` is what aria-sort says."""

    column: Column
    address: str
    aria: str


def grid_rows(orders: Sequence[Order]) -> list[GridRow]:
    """Return the presenter's rows of some orders as they are now, in the same sequence."""
    return [
        order_row(order_json(one, commands, account_code=one.account.code))
        for one, commands in selectors.with_commands(orders)
    ]


def fresh_row(actor: Actor, order_id: str) -> tuple[GridRow, int]:
    """Return one order's row and a position of the stream it is not older than.

    :raises NotFound: absent or out of the actor's reach.
    """
    position, _ = head()
    order = selectors.access_order(actor=actor, order_id=order_id)
    return grid_rows([order])[0], position


def price_steps() -> dict[str, str]:
    """Return the tick size of every instrument, as decimal strings by symbol."""
    rows = Instrument.objects.values_list("symbol", "tick_size")
    return {symbol: dec_str(tick) for symbol, tick in rows}


def listed(rows: Iterable[GridRow], steps: Mapping[str, str]) -> list[ListedOrder]:
    """Return the rows for the template."""
    found = []
    for one in rows:
        rest = {name: one.row[name] for name in REST if one.row[name]}
        places = len(steps.get(one.row["symbol"], "").partition(".")[2])
        found.append(ListedOrder(one.id, one.v, one.row, places, json.dumps(rest)))
    return found


def as_json(row: GridRow, *, hides: bool) -> dict[str, Any]:
    """Return a row for the browser, without its amounts where the person hides them."""
    told = row.as_json()
    if hides:
        told["row"] = {name: value for name, value in row.row.items() if name not in AMOUNTS}
        if row.row["ord_status"] == "PARTIALLY_FILLED":
            told["row"][AMOUNT_BADGE] = "part"
    return told


def headings(query: OrderQuery) -> list[Heading]:
    """Return the columns with the sequence each would bring."""
    name, down = query.sort.removeprefix("-"), query.sort.startswith("-")
    found = []
    for column in COLUMNS:
        is_here = column.name == name
        # A new column begins with what is read first: the newest, the largest, the first letter.
        begins_down = column.number or column.name == "time"
        turned = not down if is_here else begins_down
        sort = f"-{column.name}" if turned else column.name
        aria = ("descending" if down else "ascending") if is_here else "none"
        found.append(Heading(column, query.address(sort=sort) if column.sorts else "", aria))
    return found


def away(grid: str, cookies: Mapping[str, str]) -> str:
    """Return the columns put away, as the attribute the style sheet reads."""
    return " ".join(put_away(grid, cookies))


def steps_attribute(steps: Mapping[str, str]) -> str:
    """Return tick sizes as grid.js reads them: ``SPX:0.01 IXIC:0.01``."""
    return " ".join(f"{symbol}:{tick}" for symbol, tick in sorted(steps.items()))
