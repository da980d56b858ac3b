"""What reaches the wire of what the venue has to say, with its switches at work.

A switch that only disturbs the telling leaves the books as they are; one that is an event at the
venue (an overfill, a bust, a correction) is booked there like any other.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

from brokers.adapters.paper.books import Books
from brokers.adapters.paper.faults import Aim
from brokers.adapters.paper.messages import Correction, Message, scale_of
from brokers.models import FaultSwitch, PaperOrder
from common.numbers import dec_str
from trading.matching import Liquidity, Report
from trading.vocabulary import ExecType, OrdStatus, TimeInForce


def tell(books: Books, messages: Sequence[Message]) -> list[Message]:
    """The messages as they are sent; only fills are disturbed."""
    return [sent for message in messages for sent in _fill(books, message)]


def tell_of_command(books: Books, messages: Sequence[Message], aim: Aim) -> list[Message]:
    """The messages a command caused, as they are sent."""
    sent = tell(books, messages)
    words = {message.exec_type for message in sent}
    is_filled_at_once = {ExecType.NEW, ExecType.TRADE} <= words
    if is_filled_at_once and books.faults.claim(FaultSwitch.FILL_BEFORE_ACK, aim):
        sent.sort(key=lambda message: message.exec_type is ExecType.NEW)
    if len(sent) > 1 and books.faults.claim(FaultSwitch.OUT_OF_ORDER, aim):
        sent.reverse()
    if not sent:
        return sent
    first = sent[0]
    if books.faults.claim(FaultSwitch.UNKNOWN_ENUM, aim):
        sent[0] = _reworded(first, exec_type="PONDERED")
    if first.exec_type is ExecType.NEW and books.faults.claim(FaultSwitch.WRONG_ECHO, aim):
        sent[0] = _misread(first)
    if books.faults.claim(FaultSwitch.GARBLED, aim):
        sent[0] = replace(first, raw=first.raw[: len(first.raw) // 2])
    return sent


def fill_after_cancel(books: Books, order: PaperOrder, canceled: Report) -> None:
    """Fill half of what a cancel took back, a lot at least, at the order's price."""
    if order.price is None:
        return
    half = max(1, (canceled.order_qty - canceled.cum_qty) // 2)
    cum_qty = canceled.cum_qty + half
    is_whole = cum_qty == canceled.order_qty
    late = replace(
        canceled,
        exec_type=ExecType.TRADE,
        ord_status=OrdStatus.FILLED if is_whole else OrdStatus.CANCELED,
        cum_qty=cum_qty,
        last_qty=half,
        last_px=scale_of(order).ticks(order.price),
        liquidity=Liquidity.MAKER,
        request_id=None,
        reason=None,
    )
    books.record(order, late)


def _fill(books: Books, message: Message) -> list[Message]:
    """A fill as it is told, and what the venue thinks of it afterwards."""
    if message.exec_type is not ExecType.TRADE:
        return [message]
    aim = Aim(message.account, message.order.symbol)
    if books.faults.claim(FaultSwitch.LOST_FILL, aim):
        return []
    sent = [message]
    if books.faults.claim(FaultSwitch.DUPLICATE_FILL, aim):
        sent.append(message)
    if books.faults.holds(FaultSwitch.SAME_EXEC_ID):
        first = books.first_fill_of(message.order)
        if first is not None and books.faults.claim(FaultSwitch.SAME_EXEC_ID, aim):
            sent = [_reworded(message, exec_id=first)]
    if message.report is not None and message.order.cum_qty == message.order.order_qty:
        sent += _second_thoughts(books, message, message.report)
    return sent


def _second_thoughts(books: Books, fill: Message, report: Report) -> list[Message]:
    order, scale = fill.order, scale_of(fill.order)
    aim = Aim(fill.account, order.symbol)
    if books.faults.claim(FaultSwitch.OVERFILL, aim):
        extra = max(1, report.order_qty // 2)
        more = replace(report, last_qty=extra, cum_qty=report.cum_qty + extra)
        return [books.record(order, more)]
    qty, px = scale.quantity(report.last_qty), scale.price(report.last_px)
    if books.faults.claim(FaultSwitch.BUST, aim):
        return [books.correct(fill, Correction(ExecType.TRADE_CANCEL, qty, px))]
    if books.faults.claim(FaultSwitch.CORRECT_PRICE, aim):
        px = scale.price(report.last_px + 1)
        return [books.correct(fill, Correction(ExecType.TRADE_CORRECT, qty, px))]
    if report.last_qty > 1 and books.faults.claim(FaultSwitch.CORRECT_QTY, aim):
        qty = scale.quantity(report.last_qty - 1)
        return [books.correct(fill, Correction(ExecType.TRADE_CORRECT, qty, px))]
    return []


def _misread(message: Message) -> Message:
    """An acknowledgement of another order than was asked for."""
    order = message.order
    if order.stop_px is not None:
        return _reworded(message, stop_px=dec_str(order.stop_px + order.tick_size))
    is_day = order.time_in_force == TimeInForce.DAY
    return _reworded(message, time_in_force=TimeInForce.GTC if is_day else TimeInForce.DAY)


def _reworded(message: Message, **words: str) -> Message:
    content = json.loads(message.raw) | words
    return replace(message, raw=json.dumps(content, separators=(",", ":")).encode())
