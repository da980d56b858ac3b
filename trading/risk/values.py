"""What goes into a judgement and what comes out: frozen values, no behaviour worth the name."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from trading.market import InstrumentRules, Quote
from trading.risk.codes import BreachCode, RuleId
from trading.vocabulary import OrdType, Side


class JudgedIntent(Protocol):
    """The part of an order intent the rules read (any OrderIntent has it)."""

    @property
    def symbol(self) -> str:
        """The instrument."""

    @property
    def side(self) -> Side:
        """Which way."""

    @property
    def ord_type(self) -> OrdType:
        """MARKET has no price of its own."""

    @property
    def order_qty(self) -> Decimal:
        """In units of the instrument, above zero."""

    @property
    def price(self) -> Decimal | None:
        """The limit, in the instrument's currency; None for MARKET."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule an order would break, with the numbers.

    ``value`` is what the order asks for and ``limit`` what is allowed, both in ``unit``: a
    currency code, ``quantity``, ``orders`` or ``seconds``. ``message`` says the same to a person.
    """

    code: BreachCode
    rule: RuleId
    message: str
    value: Decimal
    limit: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of an order, with the numbers, whether it passes or not.

    ``value``, ``limit`` and ``headroom`` (negative by how much it is broken) are in ``unit``;
    ``before`` is what counts towards the limit without this order. ``room`` is the headroom as a
    share of all the rule allows: 1 untouched, 0 at the limit. ``breach`` is None where it passes.
    """

    rule: RuleId
    value: Decimal
    limit: Decimal
    unit: str
    before: Decimal
    headroom: Decimal
    room: Decimal
    breach: Breach | None

    @property
    def passes(self) -> bool:
        """Whether the rule lets the order go."""
        return self.breach is None


class ReferenceKind(StrEnum):
    """Where a reference price comes from, best first."""

    MID = "MID"
    LAST = "LAST"


@dataclass(frozen=True, slots=True)
class Reference:
    """The price an order is measured against, and how old it is."""

    price: Decimal
    kind: ReferenceKind
    age: timedelta


@dataclass(frozen=True, slots=True)
class ReferencePolicy:
    """When a price is good enough to measure against.

    The midpoint serves up to ``max_mid_age`` and ``max_spread_bps`` (basis points of the
    midpoint); past that the last trade serves, up to ``max_last_age``; past that nothing does.
    """

    max_mid_age: timedelta = timedelta(seconds=5)
    max_last_age: timedelta = timedelta(seconds=60)
    max_spread_bps: Decimal = Decimal(200)


@dataclass(frozen=True, slots=True)
class Twin:
    """An accepted order of equal content, ``age`` ago; it counts for ``window``."""

    cl_ord_id: str
    age: timedelta
    window: timedelta


@dataclass(frozen=True, slots=True)
class Recent:
    """What the account sent just before the order that is judged.

    ``orders`` is how many were accepted within the last second, None where nobody counted.
    """

    twin: Twin | None = None
    orders: int | None = None


@dataclass(frozen=True, slots=True)
class RiskContext:
    """What the rules know besides the intent.

    ``open_orders`` and ``open_notional`` (in the instrument's currency) are what the account has
    reserved already, earlier orders of the same batch and unknown outcomes included. ``amends``
    is None for a new order; for a replacement it is the notional the old terms hold reserved,
    which the new terms take the place of. ``recent`` is empty where no new order is judged.
    """

    rules: InstrumentRules
    quote: Quote | None
    reference: Reference | None
    now: datetime
    open_orders: int = 0
    open_notional: Decimal = Decimal(0)
    amends: Decimal | None = None
    recent: Recent = Recent()
