"""Short ways to write a quantity or a price, worked out by the server: 1k, 2.5m, 50%, h q w; b m a.

Pure. What is not such a word is left as it was typed; the rules of the API judge it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from common.numbers import dec_str
from trading import exact
from trading.market import Quote
from trading.vocabulary import Side

_SHORT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)([kKmM])", re.ASCII)
_PART = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,4})?)%", re.ASCII)
_TIMES = {"k": Decimal(1_000), "m": Decimal(1_000_000)}
_OF_POSITION = {"h": Decimal(50), "q": Decimal(25), "w": Decimal(100)}
_PRICES = frozenset("bma")


class UnclearWordError(ValueError):
    """A word that stands for nothing here; its text says why."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What words refer to. The callables are asked only where a word needs them.

    ``position`` is the signed quantity held, ``free_cash`` what nobody has reserved.
    """

    side: Side
    symbol: str
    lot_size: Decimal
    tick_size: Decimal
    multiplier: Decimal
    quote: Quote | None
    position: Callable[[], Decimal]
    free_cash: Callable[[], Decimal]


def quantity(text: str, around: Surroundings, *, limit_px: Decimal | None) -> str:
    """Return the quantity a text stands for, rounded down to the lot where it is a part.

    A percentage is one of the position where the order would make it smaller, else of the free
    cash at ``limit_px``, or at the offer where there is none.

    :raises UnclearWordError: if the word refers to nothing.
    """
    if match := _SHORT.fullmatch(text):
        return dec_str(exact.multiply(Decimal(match[1]), _TIMES[match[2].lower()]))
    if text.lower() in _OF_POSITION:
        return _part_of_position(_OF_POSITION[text.lower()], around)
    if match := _PART.fullmatch(text):
        part = Decimal(match[1])
        held = around.position()
        if held and (held > 0) != (around.side is Side.BUY):
            return _part_of_position(part, around)
        if around.side is not Side.BUY:
            raise UnclearWordError(
                f"There is no long position in {around.symbol} to take a part of."
            )
        return _part_of_cash(part, around, limit_px)
    return text


def price(text: str, around: Surroundings) -> str:
    """Return the price a text stands for: b the bid, a the ask, m the middle on the tick.

    The middle of an uneven spread is rounded so that the order is no dearer than the middle.

    :raises UnclearWordError: if there is no such price.
    """
    word = text.lower()
    if word not in _PRICES:
        return text
    quote = around.quote
    if quote is None:
        raise UnclearWordError(f"{around.symbol} has no quote to take a price from.")
    if word == "m":
        steps = exact.ratio(quote.mid, around.tick_size)
        rounding = ROUND_FLOOR if around.side is Side.BUY else ROUND_CEILING
        whole = steps.to_integral_value(rounding=rounding)
        return dec_str(exact.multiply(whole, around.tick_size))
    found, size = (quote.bid, quote.bid_size) if word == "b" else (quote.ask, quote.ask_size)
    if size <= 0:
        raise UnclearWordError(f"Nobody shows {'a bid' if word == 'b' else 'an offer'} now.")
    return dec_str(found)


def _part_of_position(part: Decimal, around: Surroundings) -> str:
    held = around.position().copy_abs()
    if not held:
        raise UnclearWordError(f"There is no position in {around.symbol} to take a part of.")
    return _whole_lots(exact.ratio(exact.multiply(held, part), Decimal(100)), around)


def _part_of_cash(part: Decimal, around: Surroundings, limit_px: Decimal | None) -> str:
    px = limit_px if limit_px is not None else around.quote.ask if around.quote else None
    if px is None or px <= 0:
        raise UnclearWordError(f"A part of the cash needs a price of {around.symbol}.")
    amount = exact.ratio(exact.multiply(around.free_cash(), part), Decimal(100))
    return _whole_lots(exact.ratio(amount, exact.multiply(px, around.multiplier)), around)


def _whole_lots(units: Decimal, around: Surroundings) -> str:
    lots = exact.ratio(units, around.lot_size).to_integral_value(rounding=ROUND_FLOOR)
    if lots <= 0:
        raise UnclearWordError(f"That is less than one lot of {dec_str(around.lot_size)}.")
    return dec_str(exact.multiply(lots, around.lot_size))
