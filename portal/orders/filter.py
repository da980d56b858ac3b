"""The text filter of order lists: ``sym:SPX status:open qty>100`` as conditions on rows.

A condition names a field of the presenter's row. The page's query and the browser, which judges
each row that streams in, both work by the same conditions. Pure.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trading.vocabulary import Mode, OrdStatus, OrdType, Side, TimeInForce

MAX_TEXT = 200
MAX_TERMS = 12
_TERM = re.compile(r"([A-Za-z_]+)(:|>=|<=|>|<|=)(.*)", re.DOTALL)
_WORDS = re.compile(r'(?:[^\s"]|"[^"]*")+')
_NUMBER = re.compile(r"\d{1,12}(\.\d{1,12})?", re.ASCII)
_COMPARISONS = {":": "eq", "=": "eq", ">": "gt", ">=": "ge", "<": "lt", "<=": "le"}


@dataclass(frozen=True, slots=True)
class Condition:
    """One demand on a row. ``op``: in (one of, whatever the case), has (contains), eq gt ge lt le
    (as decimals), since (an instant or later), yes (not empty), no (empty), id (any of its ids).
    """

    field: str
    op: str
    values: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return what grid-model.js reads."""
        return {"field": self.field, "op": self.op, "values": list(self.values)}


class FilterError(Exception):
    """The text cannot be read; the message says what is wrong and what would do."""


_NAMES = {
    "sym": "symbol", "symbol": "symbol", "side": "side", "status": "ord_status", "type":
    "ord_type", "tif": "time_in_force", "account": "account", "acct": "account",
    "strategy": "strategy", "source": "source", "mode": "mode", "id": "id", "text": "text",
    "qty": "order_qty", "filled": "cum_qty", "leaves": "leaves_qty", "px": "price",
    "price": "price", "stop": "stop_px", "held": "held_by", "list": "list_id",
}  # fmt: skip
KEYS = (
    "sym side status type tif account strategy source mode id text qty filled leaves px stop held "
    "list"
)
_NUMBERS = frozenset({"order_qty", "cum_qty", "leaves_qty", "price", "stop_px"})
_ENUMS: Mapping[str, Any] = {
    "side": Side, "ord_type": OrdType, "time_in_force": TimeInForce, "mode": Mode,
}  # fmt: skip
_SHORT = {
    "B": "BUY", "S": "SELL", "SS": "SELL_SHORT", "SHORT": "SELL_SHORT", "MKT": "MARKET",
    "LMT": "LIMIT", "STP": "STOP", "MIT": "MARKET_IF_TOUCHED", "LIT": "LIMIT_IF_TOUCHED",
    "TRAIL": "TRAILING_STOP", "MTL": "MARKET_TO_LIMIT", "PEG": "PEGGED",
}  # fmt: skip
_STATUS = {
    "OPEN": Condition("is_open", "yes"),
    "CLOSED": Condition("is_open", "no"),
    "UNKNOWN": Condition("unknown_since", "yes"),
    "PART": Condition("ord_status", "in", ("PARTIALLY_FILLED",)),
    "WORKING": Condition("is_open", "yes"),
    "SENDING": Condition("ord_status", "in", ("PENDING_NEW",)),
    "CANCELLED": Condition("ord_status", "in", ("CANCELED",)),
    "DENIED": Condition("ord_status", "in", ("REJECTED",)),
}


def conditions_of(text: str) -> list[Condition]:
    """Return what a filter's text demands, all of it at once.

    :raises FilterError: for text that cannot be read.
    """
    if len(text) > MAX_TEXT or not text.isprintable():
        raise FilterError(f"A filter has at most {MAX_TEXT} printable characters.")
    if text.count('"') % 2:
        raise FilterError('A quotation mark " is open; close it.')
    words = _WORDS.findall(text)
    if len(words) > MAX_TERMS:
        raise FilterError(f"A filter has at most {MAX_TERMS} terms; {len(words)} are given.")
    return [_condition(word) for word in words]


def _condition(word: str) -> Condition:
    term = _TERM.fullmatch(word)
    if term is None:
        return Condition("words", "has", (_bare(word, word),))
    name, sign, value = term[1].lower(), term[2], term[3]
    field = _NAMES.get(name)
    if field is None:
        raise FilterError(f"There is no field {name[:20]}. Fields are: {KEYS}.")
    value = _bare(value, word)
    if field in _NUMBERS:
        return Condition(field, _COMPARISONS[sign], (_number(name, value),))
    if sign not in (":", "="):
        raise FilterError(f"{name} is a word: write {name}:{value or 'something'}.")
    return _READERS.get(field, _in_of)(field, name, value)


def _bare(value: str, word: str) -> str:
    plain = value.replace('"', "").strip()
    if not plain:
        raise FilterError(f"{word[:30]} says no value.")
    return plain


def _number(name: str, value: str) -> str:
    plain = value.replace(",", "")
    if not _NUMBER.fullmatch(plain):
        raise FilterError(
            f"{name} is compared with a number, as in {name}>100; {value[:20]} is none."
        )
    return plain


def _in_of(field: str, name: str, value: str) -> Condition:
    values = tuple(part for part in value.split(",") if part)
    if not values:
        raise FilterError(f"{name}: says no value.")
    return Condition(field, "in", values)


def _text_of(field: str, name: str, value: str) -> Condition:
    del name
    return Condition(field, "has", (value,))


def _ids_of(field: str, name: str, value: str) -> Condition:
    del name
    return Condition(field, "id", (value,))


def _enum_of(field: str, name: str, value: str) -> Condition:
    enum = _ENUMS[field]
    found = []
    for part in value.upper().split(","):
        member = _SHORT.get(part, part)
        if member not in enum.__members__:
            raise FilterError(
                f"{name} is one of {', '.join(enum.__members__)}; {part[:20]} is none."
            )
        found.append(member)
    return Condition(field, "in", tuple(found))


def _status_of(field: str, name: str, value: str) -> Condition:
    words = value.upper().split(",")
    if len(words) == 1 and words[0] in _STATUS:
        return _STATUS[words[0]]
    for word in words:
        if word not in OrdStatus.__members__:
            wanted = ", ".join([*(one.lower() for one in _STATUS), *OrdStatus.__members__])
            raise FilterError(f"{name} is one of {wanted}; {word[:20]} is none.")
    return Condition(field, "in", tuple(words))


_READERS: Mapping[str, Callable[[str, str, str], Condition]] = {
    "ord_status": _status_of,
    "id": _ids_of,
    "text": _text_of,
    **dict.fromkeys(_ENUMS, _enum_of),
}
