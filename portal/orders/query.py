"""Which orders a list shows, in which sequence, and what its tabs and its last line count.

All of it comes from the address, so that a link opens the same view for a colleague. The same
conditions select rows here and judge streamed rows in the browser (``Condition``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import Count, F, Q, QuerySet, Sum

from common.actor import Actor
from common.instants import instant_str
from common.numbers import dec_str
from oms import selectors
from oms.models import ClOrdId, Command, Order
from portal.orders.filter import Condition, FilterError, conditions_of
from trading.vocabulary import CommandState, OrdStatus, Side

FILTERS = ("account", "symbol", "side", "ord_status", "strategy", "cl_ord_id")
VIEWS = (
    ("working", "Working"),
    ("unknown", "Unknown"),
    ("today", "Today"),
    ("all", "All"),
)
SORTS: Mapping[str, str] = {
    "time": "id",
    "account": "account__code",
    "symbol": "symbol",
    "side": "side",
    "ord_type": "ord_type",
    "order_qty": "order_qty",
    "price": "price",
    "stop_px": "stop_px",
    "time_in_force": "time_in_force",
    "ord_status": "ord_status",
    "cum_qty": "cum_qty",
    "leaves_qty": "leaves_qty",
    "strategy": "strategy",
    "source": "source",
}
NUMBERS = frozenset({"order_qty", "price", "stop_px", "cum_qty", "leaves_qty"})
NEWEST_FIRST = "-time"


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """What an address asks for. ``errors`` are by field; with any, nothing may be listed."""

    view: str
    chosen: Mapping[str, str]
    text: str
    sort: str
    conditions: Sequence[Condition]
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def kept(self) -> dict[str, str]:
        """The parameters besides the tab and the place in the list."""
        named = {name: value for name, value in self.chosen.items() if value}
        if self.text:
            named["q"] = self.text
        if self.sort != NEWEST_FIRST:
            named["sort"] = self.sort
        return named

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the tab narrows the list."""
        return any(self.chosen.values()) or bool(self.text)

    def address(self, **changed: str) -> str:
        """The query string of this list with some parameters changed; an empty one goes away."""
        named = {**self.kept, "view": self.view, **changed}
        return urlencode({name: value for name, value in named.items() if value})


def read_query(given: Mapping[str, str], *, today: datetime, view: str = "all") -> OrderQuery:
    """Read a list's parameters; ``today`` is the instant the present day began.

    ``view`` is the tab where none is named.
    """
    chosen = {name: given.get(name, "").strip()[:64] for name in FILTERS}
    text, sort = given.get("q", "").strip(), given.get("sort", NEWEST_FIRST)
    view, errors = given.get("view", view), {}
    conditions = []
    for name, value in chosen.items():
        if not value.isprintable():
            errors[name] = "Only printable characters."
        elif value:
            conditions.append(Condition(*_CHOICES[name], (value,)))
    if chosen["side"] and chosen["side"] not in Side.__members__:
        errors["side"] = f"One of {', '.join(Side.__members__)}."
    if chosen["ord_status"] and chosen["ord_status"] not in OrdStatus.__members__:
        errors["ord_status"] = f"One of {', '.join(OrdStatus.__members__)}."
    try:
        conditions += conditions_of(text)
    except FilterError as error:
        errors["q"] = str(error)
    if sort.removeprefix("-") not in SORTS:
        errors["sort"] = f"There is no such column to sort by: {', '.join(SORTS)}."
        sort = NEWEST_FIRST
    if view not in dict(VIEWS):
        errors["view"] = f"There is no such tab: {', '.join(dict(VIEWS))}."
        view = "all"
    conditions += tab_conditions(view, today)
    return OrderQuery(view, chosen, text[:400], sort, conditions, errors)


_CHOICES = {
    "account": ("account", "in"),
    "symbol": ("symbol", "in"),
    "side": ("side", "in"),
    "ord_status": ("ord_status", "in"),
    "strategy": ("strategy", "in"),
    "cl_ord_id": ("id", "id"),
}


def tab_conditions(view: str, today: datetime) -> list[Condition]:
    """What a tab demands besides the filters."""
    return {
        "working": [Condition("is_open", "yes")],
        "unknown": [Condition("unknown_since", "yes")],
        "today": [Condition("created_at", "since", (instant_str(today),))],
    }.get(view, [])


# --- as rows of Postgres ----------------------------------------------------------------------


def _unknown() -> Q:
    return Q(pk__in=Command.objects.filter(state=CommandState.UNKNOWN).values("order_id"))


_COLUMNS = {"account": "account__code"}
_LOOKUPS = {"eq": "exact", "gt": "gt", "ge": "gte", "lt": "lt", "le": "lte"}
WORD_FIELDS = ("symbol", "cl_ord_id", "order_id", "strategy", "text")


def _as_q(condition: Condition) -> Q:
    name, values = condition.field, condition.values
    if name == "is_open":
        return Q(is_closed=condition.op == "no")
    if name == "unknown_since":
        return _unknown()
    if name == "created_at":
        return Q(created_at__gte=datetime.fromisoformat(values[0]))
    if condition.op == "id":
        named = ClOrdId.objects.filter(cl_ord_id=values[0]).values("order_id")
        return Q(pk__in=named) | Q(pk=values[0]) | Q(order_id=values[0])
    if condition.op in _LOOKUPS:
        return Q(**{f"{name}__{_LOOKUPS[condition.op]}": Decimal(values[0])})
    columns = WORD_FIELDS if name == "words" else (_COLUMNS.get(name, name),)
    lookup = "icontains" if condition.op == "has" else "iexact"
    wanted = Q()
    for column in columns:
        for value in values:
            wanted |= Q(**{f"{column}__{lookup}": value})
    return wanted


def matching(actor: Actor, conditions: Sequence[Condition]) -> QuerySet[Order]:
    """The orders the actor may see that meet every condition."""
    rows = selectors.list_orders(actor=actor)
    for condition in conditions:
        rows = rows.filter(_as_q(condition))
    return rows


# --- what is counted --------------------------------------------------------------------------


def tab_counts(actor: Actor, query: OrderQuery, today: datetime) -> dict[str, int]:
    """How many orders each tab holds under the same filters."""
    tab = tab_conditions(query.view, today)
    rows = matching(actor, [one for one in query.conditions if one not in tab])
    return rows.aggregate(
        working=Count("pk", filter=Q(is_closed=False)),
        unknown=Count("pk", filter=_unknown()),
        today=Count("pk", filter=Q(created_at__gte=today)),
        all=Count("pk"),
    )


def totals(actor: Actor, query: OrderQuery) -> list[dict[str, str]]:
    """What the listed orders traded and still bid for, per currency: strings of exact decimals.

    ``bought`` and ``sold`` are the value of their fills, ``open_buy`` and ``open_sell`` what is
    left of open orders at their limit; ``unpriced`` counts open orders that have none.
    """
    worth = F("instrument__multiplier")
    buy = Q(side=Side.BUY.value)
    at_limit = Q(is_closed=False, price__isnull=False)
    filled, left = F("gross_trade_amt") * worth, F("leaves_qty") * F("price") * worth
    rows = (
        matching(actor, query.conditions)
        .order_by()
        .values(currency=F("instrument__currency"))
        .annotate(
            bought=Sum(filled, filter=buy),
            sold=Sum(filled, filter=~buy),
            open_buy=Sum(left, filter=at_limit & buy),
            open_sell=Sum(left, filter=at_limit & ~buy),
            unpriced=Count("pk", filter=Q(is_closed=False, price__isnull=True)),
        )
        .order_by("currency")
    )
    return [
        {
            "currency": row["currency"],
            "unpriced": str(row["unpriced"] or ""),
            **{
                name: dec_str(row[name] or Decimal(0))
                for name in ("bought", "sold", "open_buy", "open_sell")
            },
        }
        for row in rows
    ]
