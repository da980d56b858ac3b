"""Messages of a TWS or IB Gateway, read field by field (text protocol, versions 157 to 178).

The layouts are those of the public API's decoders; facts in docs/venues/interactive-brokers.md.
Numbers become ``Decimal`` from their text: no float ever holds a price or a quantity.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from brokers.adapters.ib.fields import Fields, Reader, Unreadable, moment

ORDER_STATUS, ERROR, OPEN_ORDER, ACCOUNT_VALUE = 3, 4, 5, 6
NEXT_VALID_ID, CONTRACT, EXECUTION, MANAGED_ACCOUNTS = 9, 10, 11, 15
CURRENT_TIME, CONTRACT_END, OPEN_ORDERS_END, EXECUTIONS_END = 49, 52, 53, 55
COMMISSION, POSITION, POSITIONS_END, VALUE_MULTI, VALUES_MULTI_END = 59, 61, 62, 73, 74
COMPLETED_ORDER, COMPLETED_ORDERS_END = 101, 102
FA_PROFILE_GONE = 177
SIZE_RULES = 164
_SCALE_FIELDS = 7
_LEG_FIELDS = 8


@dataclass(frozen=True, slots=True)
class WireOrder:
    """An order as TWS describes it. ``number`` is the client's own order id, 0 where the message
    names none; ``perm_id`` is TWS's, 0 before it has given one.
    """

    number: int
    client_id: int
    perm_id: int
    con_id: int
    symbol: str
    action: str
    order_qty: Decimal
    order_type: str
    limit: Decimal | None
    aux: Decimal | None
    tif: str
    account: str
    order_ref: str
    good_till: str
    display: Decimal | None
    trail_stop: Decimal | None
    trail_percent: Decimal | None
    limit_offset: Decimal | None
    what_if: bool
    status: str
    outside_rth: bool
    all_or_none: bool
    min_qty: Decimal | None
    trigger_method: int
    filled: Decimal | None = None
    warning: str = ""
    margin: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WireStatus:
    """Where an order stands."""

    number: int
    status: str
    filled: Decimal
    remaining: Decimal
    perm_id: int
    client_id: int
    why_held: str


@dataclass(frozen=True, slots=True)
class WireExecution:
    """One execution, or a correction of one: the same id with a higher last part."""

    request_id: int
    number: int
    exec_id: str
    at: datetime
    account: str
    side: str
    shares: Decimal
    price: Decimal
    perm_id: int
    client_id: int
    order_ref: str
    cum_qty: Decimal
    liquidity: str

    @property
    def corrects(self) -> str | None:
        """The id of the revision before this one, None for a first one."""
        stem, _, revision = self.exec_id.rpartition(".")
        if not stem or not revision.isdigit() or int(revision) <= 1:
            return None
        return f"{stem}.{int(revision) - 1:0{len(revision)}}"


@dataclass(frozen=True, slots=True)
class WireError:
    """An error or notice; ``number`` is an order's or a request's, -1 for the connection."""

    number: int
    code: int
    text: str


def open_order(fields: Fields, version: int) -> WireOrder:
    """Read message 5. :raises Unreadable:"""
    read = Reader(fields)
    read.skip(1)
    number = read.number()
    head = _head(read)
    client_id, perm_id = read.number(), read.number()
    outside_rth = read.flag()
    read.skip(8 if version >= FA_PROFILE_GONE else 9)
    good_till = read.text()
    read.skip(12)
    display = read.decimal()
    read.skip(2)
    all_or_none, min_qty = read.flag(), read.decimal()
    read.skip(5)
    trigger_method = read.number()
    read.skip(2)
    trail_stop, trail_percent = _trail(read, delta_neutral_fields=8)
    read.skip(3)
    _pass_legs_scale_and_hedge(read)
    read.skip(4)
    _pass_delta_neutral_contract_and_algorithm(read)
    read.skip(1)
    what_if, status = read.flag(), read.text()
    margin = tuple(read.text() for _ in range(9))
    read.skip(4)
    warning = read.text()
    read.skip(2)
    limit_offset = None
    if head["order_type"] not in ("PEG BENCH", "PEGBENCH") and read.number() == 0:
        read.skip(2)
        trail_stop = read.decimal()
        limit_offset = read.decimal()
    return WireOrder(
        number=number,
        client_id=client_id,
        perm_id=perm_id,
        good_till=good_till,
        display=display,
        trail_stop=trail_stop,
        trail_percent=trail_percent,
        limit_offset=limit_offset,
        outside_rth=outside_rth,
        all_or_none=all_or_none,
        min_qty=min_qty,
        trigger_method=trigger_method,
        what_if=what_if,
        status=status,
        warning=warning,
        margin=margin,
        **head,
    )


def completed_order(fields: Fields, version: int) -> WireOrder:
    """Read message 101; it names neither the order's number nor its client. :raises Unreadable:"""
    read = Reader(fields)
    read.skip(1)
    head = _head(read)
    perm_id = read.number()
    outside_rth = read.flag()
    read.skip(7 if version >= FA_PROFILE_GONE else 8)
    good_till = read.text()
    read.skip(11)
    display = read.decimal()
    read.skip(1)
    all_or_none, min_qty = read.flag(), read.decimal()
    read.skip(1)
    trigger_method = read.number()
    read.skip(2)
    trail_stop, trail_percent = _trail(read, delta_neutral_fields=4)
    read.skip(1)
    _pass_legs_scale_and_hedge(read)
    read.skip(3)
    _pass_delta_neutral_contract_and_algorithm(read)
    read.skip(1)
    status = read.text()
    read.skip(2)
    limit_offset = filled = None
    if head["order_type"] not in ("PEG BENCH", "PEGBENCH") and read.number() == 0:
        trail_stop, limit_offset = read.decimal(), read.decimal()
        read.skip(4)
        filled = read.decimal()
    return WireOrder(
        number=0,
        client_id=0,
        perm_id=perm_id,
        good_till=good_till,
        display=display,
        trail_stop=trail_stop,
        trail_percent=trail_percent,
        limit_offset=limit_offset,
        outside_rth=outside_rth,
        all_or_none=all_or_none,
        min_qty=min_qty,
        trigger_method=trigger_method,
        what_if=False,
        status=status,
        filled=filled,
        **head,
    )


def order_status(fields: Fields) -> WireStatus:
    """Read message 3. :raises Unreadable:"""
    read = Reader(fields)
    read.skip(1)
    number, status = read.number(), read.text()
    filled, remaining = read.amount(), read.amount()
    read.skip(1)
    perm_id = read.number()
    read.skip(2)
    client_id, why_held = read.number(), read.text()
    return WireStatus(number, status, filled, remaining, perm_id, client_id, why_held)


def execution(fields: Fields) -> WireExecution:
    """Read message 11. :raises Unreadable:"""
    read = Reader(fields)
    read.skip(1)
    request_id, number = read.number(), read.number()
    read.skip(11)
    exec_id, at, account = read.text(), moment(read.text()), read.text()
    read.skip(1)
    side, shares, price = read.text(), read.decimal(), read.decimal()
    perm_id, client_id = read.number(), read.number()
    read.skip(1)
    cum_qty = read.amount()
    read.skip(1)
    order_ref = read.text()
    read.skip(3)
    liquidity = {"1": "MAKER", "2": "TAKER", "3": "TAKER"}.get(read.text(), "")
    if shares is None or price is None or not exec_id:
        raise Unreadable("an execution without an id, a quantity or a price")
    return WireExecution(
        request_id,
        number,
        exec_id,
        at,
        account,
        side,
        shares,
        price,
        perm_id,
        client_id,
        order_ref,
        cum_qty,
        liquidity,
    )


def commission(fields: Fields) -> tuple[str, Decimal, str]:
    """Read message 59: the execution's id, what it cost, in which currency. :raises Unreadable:"""
    read = Reader(fields)
    read.skip(2)
    exec_id, fee, currency = read.text(), read.decimal(), read.text()
    if fee is None:
        raise Unreadable("a commission without an amount")
    return exec_id, fee, currency


def position(fields: Fields) -> tuple[str, int, str, Decimal]:
    """Read message 61: account, contract id, symbol, signed quantity. :raises Unreadable:"""
    read = Reader(fields)
    read.skip(2)
    account, con_id, symbol = read.text(), read.number(), read.text()
    read.skip(9)
    return account, con_id, symbol, read.amount()


def value_multi(fields: Fields) -> tuple[str, str, str]:
    """Read message 73: key, value, currency. :raises Unreadable:"""
    read = Reader(fields)
    read.skip(5)
    return read.text(), read.text(), read.text()


def error(fields: Fields) -> WireError:
    """Read message 4. :raises Unreadable:"""
    read = Reader(fields)
    read.skip(2)
    return WireError(read.number(), read.number(), read.text())


def contract_id(fields: Fields, version: int) -> int:
    """The contract id in a message 10. :raises Unreadable:"""
    read = Reader(fields)
    read.skip(1 if version >= SIZE_RULES else 2)
    read.skip(11)
    return read.number()


def _head(read: Reader) -> dict[str, Any]:
    """From the contract to the reference, as open and completed orders begin."""
    con_id, symbol = read.number(), read.text()
    read.skip(9)
    head: dict[str, Any] = {
        "con_id": con_id,
        "symbol": symbol,
        "action": read.text(),
        "order_qty": read.amount(),
        "order_type": read.text(),
        "limit": read.decimal(),
        "aux": read.decimal(),
        "tif": read.text(),
    }
    read.skip(1)
    head["account"] = read.text()
    read.skip(2)
    head["order_ref"] = read.text()
    return head


def _trail(read: Reader, *, delta_neutral_fields: int) -> tuple[Decimal | None, Decimal | None]:
    """The trail's stop and percentage, which stand behind what delta neutral orders add."""
    delta_neutral = read.text()
    read.skip(1)
    if delta_neutral:
        read.skip(delta_neutral_fields)
    read.skip(2)
    return read.decimal(), read.decimal()


def _pass_legs_scale_and_hedge(read: Reader) -> None:
    read.skip(_LEG_FIELDS * read.number())
    read.skip(read.number())
    read.skip(2 * read.number())
    read.skip(2)
    if read.amount() > 0:
        read.skip(_SCALE_FIELDS)
    if read.text():
        read.skip(1)


def _pass_delta_neutral_contract_and_algorithm(read: Reader) -> None:
    if read.number():
        read.skip(3)
    if read.text():
        read.skip(2 * read.number())
