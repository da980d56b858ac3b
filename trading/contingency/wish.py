"""What somebody wants of a list, before it exists: its shape, its prices, its hash."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256

from trading.contingency.prices import (
    PROFIT_TYPES,
    PROTECTIVE_TYPES,
    RELATIVE_TYPES,
    exit_price,
    price_field,
)
from trading.contingency.values import ContingencyType, Release, Reprotect, Role, Sizing
from trading.orders.canonical import json_text, opt_dec_str
from trading.orders.intent import OrderIntent, canonical_json
from trading.orders.validity import OrderFieldError
from trading.vocabulary import OrdType, TimeInForce

MIN_LEGS, MAX_LEGS = 2, 10
BRACKET_LEGS = 3
PARENTED = frozenset({ContingencyType.OTO, ContingencyType.OTOCO})
"""Kinds whose first leg releases the others."""
_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG, TimeInForce.CLS})
_PERCENT_MAX = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegWish:
    """One leg. An exit may name its distance from the entry's average price instead of a price.

    ``offset`` is in price units, ``offset_percent`` in percent. ``intent.order_qty`` 0 takes the
    quantity of the first leg.
    """

    intent: OrderIntent
    offset: Decimal | None = None
    offset_percent: Decimal | None = None

    @property
    def is_relative(self) -> bool:
        """Whether its price follows from the entry."""
        return self.offset is not None or self.offset_percent is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWish:
    """A list of 2 to 10 legs, the first of which releases the others where the kind says so.

    ``cl_ord_id`` names the list for a safe repeat. ``release`` and ``sizing`` None ask for the
    default of the kind.
    """

    contingency_type: ContingencyType
    legs: tuple[LegWish, ...]
    cl_ord_id: str | None = None
    release: Release | None = None
    sizing: Sizing | None = None
    reprotect: Reprotect = Reprotect.RESEND


def roles(wish: ListWish) -> tuple[Role, ...]:
    """Return what each leg is for."""
    if wish.contingency_type not in PARENTED:
        return (Role.ALTERNATIVE,) * len(wish.legs)
    if wish.contingency_type is ContingencyType.OTO:
        return (Role.ENTRY, *(Role.RELEASED for _ in wish.legs[1:]))
    return (
        Role.ENTRY,
        *(
            Role.STOP if leg.intent.ord_type in PROTECTIVE_TYPES else Role.TARGET
            for leg in wish.legs[1:]
        ),
    )


def with_defaults(wish: ListWish) -> ListWish:
    """Fill in what follows: quantities of exits, release and sizing."""
    first = wish.legs[0].intent
    legs = wish.legs
    if wish.contingency_type in PARENTED:
        legs = (
            legs[0],
            *(
                leg
                if leg.intent.order_qty
                else replace(leg, intent=replace(leg.intent, order_qty=first.order_qty))
                for leg in legs[1:]
            ),
        )
    parented = wish.contingency_type in PARENTED
    return replace(
        wish,
        legs=legs,
        release=wish.release or (Release.ON_FIRST_FILL if parented else None),
        sizing=wish.sizing or (Sizing.MATCH if parented else None),
    )


def list_hash(wish: ListWish) -> str:
    """Hex SHA-256 of the list's content; of a wish ``with_defaults``, each leg's too.

    :raises ValueError: while a leg has no time in force.
    """
    content: dict[str, object] = {
        "contingency_type": wish.contingency_type.value,
        "release": wish.release and wish.release.value,
        "sizing": wish.sizing and wish.sizing.value,
        "reprotect": wish.reprotect.value,
        "legs": [
            {
                "order": canonical_json(leg.intent),
                "offset": opt_dec_str(leg.offset),
                "offset_percent": opt_dec_str(leg.offset_percent),
            }
            for leg in wish.legs
        ],
    }
    return sha256(json_text(content).encode()).hexdigest()


# --- shape ----------------------------------------------------------------------------------


def shape_errors(wish: ListWish) -> list[OrderFieldError]:
    """Return what the legs may not be together; no price is compared. Of ``with_defaults``.

    Fields are named as in the request, ``legs.0.side``.
    """
    if not MIN_LEGS <= len(wish.legs) <= MAX_LEGS:
        text = f"a list has {MIN_LEGS} to {MAX_LEGS} legs, this one {len(wish.legs)}"
        return [OrderFieldError("legs", "out_of_range", text)]
    errors = [*_common(wish)]
    if wish.contingency_type not in PARENTED:
        errors += _alternatives(wish)
    elif wish.contingency_type is ContingencyType.OTO:
        errors += _triggered(wish)
    else:
        errors += _bracket(wish)
    return errors


def _refused(number: int | None, name: str, text: str) -> OrderFieldError:
    field = name if number is None else f"legs.{number}.{name}"
    return OrderFieldError(field, "unsupported_combination", text)


def _common(wish: ListWish) -> Iterator[OrderFieldError]:
    first = wish.legs[0].intent
    for number, leg in enumerate(wish.legs):
        for name in ("account", "symbol"):
            if getattr(leg.intent, name) != getattr(first, name):
                yield _refused(number, name, f"all legs of a list have one {name}")
        if leg.intent.cash_order_qty is not None:
            yield _refused(number, "cash_order_qty", "a leg states its quantity, not its money")
        if leg.is_relative:
            yield from _distance(wish, number, leg)


def _distance(wish: ListWish, number: int, leg: LegWish) -> Iterator[OrderFieldError]:
    name = "offset" if leg.offset is not None else "offset_percent"
    first = wish.legs[0].intent
    if leg.offset is not None and leg.offset_percent is not None:
        yield _refused(number, name, "a distance is an offset or a percentage, not both")
    elif wish.contingency_type not in PARENTED or number == 0:
        yield _refused(number, name, "only a leg that waits for the first has a distance to it")
    elif leg.intent.side.sign == first.side.sign:
        yield _refused(number, name, "only a leg opposite to the first has a distance to it")
    elif leg.intent.ord_type not in RELATIVE_TYPES:
        yield _refused(number, name, f"a {leg.intent.ord_type} has more than one price; state them")
    elif exit_price(leg.intent) is not None:
        yield _refused(number, name, "a price and a distance contradict each other")
    elif leg.offset_percent is not None and leg.offset_percent >= _PERCENT_MAX:
        text = "offset_percent is below 100"
        yield OrderFieldError(f"legs.{number}.offset_percent", "out_of_range", text)


def _alternatives(wish: ListWish) -> Iterator[OrderFieldError]:
    kind = wish.contingency_type
    for name in ("release", "sizing"):
        if getattr(wish, name) is not None:
            yield _refused(None, name, f"no leg of {kind} waits for another")
    for number, leg in enumerate(wish.legs):
        yield from _rests(number, leg.intent, kind)


def _triggered(wish: ListWish) -> Iterator[OrderFieldError]:
    first = wish.legs[0].intent
    for number, leg in enumerate(wish.legs[1:], 1):
        opposite = leg.intent.side.sign != first.side.sign
        if opposite and wish.sizing is Sizing.FIXED:
            text = "a leg opposite to the first follows what the first executes: sizing MATCH"
            yield _refused(number, "side", text)
        if leg.intent.max_slippage_bps is not None:
            text = "nobody knows yet what the market will be when a leg is released; name a price"
            yield _refused(number, "max_slippage_bps", text)


def _bracket(wish: ListWish) -> Iterator[OrderFieldError]:
    if len(wish.legs) != BRACKET_LEGS:
        yield _refused(None, "legs", "a bracket is an entry, a take-profit and a stop")
        return
    if wish.sizing is Sizing.FIXED:
        yield _refused(None, "sizing", "the exits of a bracket follow what the entry executes")
    entry = wish.legs[0].intent
    for number, leg in enumerate(wish.legs[1:], 1):
        intent = leg.intent
        if intent.side.sign == entry.side.sign:
            yield _refused(number, "side", "an exit is opposite to the entry")
        if intent.ord_type not in PROTECTIVE_TYPES | PROFIT_TYPES:
            yield _refused(number, "ord_type", f"a {intent.ord_type} is neither stop nor profit")
        if intent.order_qty != entry.order_qty:
            yield _refused(number, "order_qty", "an exit has the quantity of the entry")
        yield from _rests(number, intent, wish.contingency_type)
    if sorted(roles(wish)[1:]) != [Role.STOP, Role.TARGET]:
        yield _refused(None, "legs", "a bracket has one take-profit and one stop")


def _rests(number: int, intent: OrderIntent, kind: ContingencyType) -> Iterator[OrderFieldError]:
    if intent.ord_type in {OrdType.MARKET, OrdType.MARKET_TO_LIMIT}:
        yield _refused(number, "ord_type", f"a leg of {kind} waits; {intent.ord_type} does not")
    elif intent.time_in_force in _AT_ONCE:
        yield _refused(
            number, "time_in_force", f"a leg of {kind} waits; {intent.time_in_force} does not"
        )


# --- prices ---------------------------------------------------------------------------------


def price_errors(wish: ListWish, entry_px: Decimal) -> list[OrderFieldError]:
    """Return where a bracket's exits lie on the wrong side of its entry; none for other kinds.

    Relative exits have been given their prices. ``entry_px`` is the entry's own price, or what it
    is expected at.
    """
    if wish.contingency_type is not ContingencyType.OTOCO:
        return []
    return bracket_errors([leg.intent for leg in wish.legs], entry_px)


def bracket_errors(intents: Sequence[OrderIntent], entry_px: Decimal) -> list[OrderFieldError]:
    """The same for the intents of entry and exits. A trail without a stop lies nowhere yet."""
    entry, *exits = intents
    errors = []
    for number, intent in enumerate(exits, 1):
        px = exit_price(intent)
        if px is None:
            continue
        beyond = (px - entry_px) * entry.side.sign
        profit = intent.ord_type in PROFIT_TYPES
        if px <= 0 or (beyond <= 0 if profit else beyond >= 0):
            above = profit == (entry.side.sign > 0)
            text = (
                f"{opt_dec_str(px)} has to lie {'above' if above else 'below'} the entry at"
                f" {opt_dec_str(entry_px)}"
            )
            name = price_field(intent.ord_type)
            errors.append(OrderFieldError(f"legs.{number}.{name}", "bracket_prices", text))
    return errors
