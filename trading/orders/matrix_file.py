"""Reads a file of order state change matrices: scenarios of requests and answers, row by row.

One scenario is ``{"id", "title", "steps"}``; a step has a time ``t``, a direction ``dir`` (``in``:
received by the sell side, ``out``: sent by it, ``note``), the message ``msg`` and FIX fields under
their FIX names. Words may be FIX names in any case ("PartiallyFilled", "Partially Filled") or the
characters FIX codes them with ("1").
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from trading.vocabulary import CxlRejReason, ExecType, OrdStatus, TimeInForce


class MalformedMatrix(ValueError):
    """The file is not of this format; the message names the scenario, the step and the field."""


class Message(StrEnum):
    """What a row holds. NOTE rows tell a reader what happens outside the messages."""

    NEW_ORDER = "NewOrderSingle"
    CANCEL = "OrderCancelRequest"
    REPLACE = "OrderCancelReplaceRequest"
    STATUS_REQUEST = "OrderStatusRequest"
    REPORT = "ExecutionReport"
    REFUSAL = "OrderCancelReject"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Step:
    """One row. Quantities are as published, None where the table is blank.

    ``branch``: one of two answers possible at that time; the scenario goes on with the other.
    ``either_leaves``: the published LeavesQty is known to be odd, so OrderQty - CumQty will do.
    """

    number: int
    t: str
    message: Message
    cl_ord_id: str | None = None
    orig_cl_ord_id: str | None = None
    exec_type: ExecType | None = None
    ord_status: OrdStatus | None = None
    order_qty: Decimal | None = None
    cum_qty: Decimal | None = None
    leaves_qty: Decimal | None = None
    last_qty: Decimal | None = None
    last_px: Decimal | None = None
    price: Decimal | None = None
    exec_id: str | None = None
    exec_ref_id: str | None = None
    time_in_force: TimeInForce | None = None
    cxl_rej_reason: CxlRejReason | None = None
    restatement_reason: str | None = None
    poss_resend: bool = False
    branch: bool = False
    either_leaves: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """Rows that belong to one life, oldest first."""

    id: str
    title: str
    steps: tuple[Step, ...]

    @property
    def time_in_force(self) -> TimeInForce:
        """What orders live by that do not say so: the title's word, or more than one day."""
        for word in re.findall(r"[A-Z]{3}", self.title):
            if word in TimeInForce.__members__:
                return TimeInForce(word)
        days = {step.t.partition(".")[0] for step in self.steps if step.t.startswith("D")}
        return TimeInForce.GTC if len(days) > 1 else TimeInForce.DAY


_Word = TypeVar("_Word", ExecType, OrdStatus, TimeInForce, CxlRejReason)

_EXEC_TYPE_CODES = {
    "0": ExecType.NEW,
    "1": ExecType.TRADE,
    "2": ExecType.TRADE,
    "3": ExecType.DONE_FOR_DAY,
    "4": ExecType.CANCELED,
    "5": ExecType.REPLACED,
    "6": ExecType.PENDING_CANCEL,
    "7": ExecType.STOPPED,
    "8": ExecType.REJECTED,
    "9": ExecType.SUSPENDED,
    "A": ExecType.PENDING_NEW,
    "C": ExecType.EXPIRED,
    "D": ExecType.RESTATED,
    "E": ExecType.PENDING_REPLACE,
    "F": ExecType.TRADE,
    "G": ExecType.TRADE_CORRECT,
    "H": ExecType.TRADE_CANCEL,
    "I": ExecType.ORDER_STATUS,
    "L": ExecType.TRIGGERED,
}
_ORD_STATUS_CODES = {
    "0": OrdStatus.NEW,
    "1": OrdStatus.PARTIALLY_FILLED,
    "2": OrdStatus.FILLED,
    "3": OrdStatus.DONE_FOR_DAY,
    "4": OrdStatus.CANCELED,
    "6": OrdStatus.PENDING_CANCEL,
    "7": OrdStatus.STOPPED,
    "8": OrdStatus.REJECTED,
    "9": OrdStatus.SUSPENDED,
    "A": OrdStatus.PENDING_NEW,
    "C": OrdStatus.EXPIRED,
    "E": OrdStatus.PENDING_REPLACE,
}
_TIME_IN_FORCE_CODES = {
    "0": TimeInForce.DAY,
    "1": TimeInForce.GTC,
    "2": TimeInForce.OPG,
    "3": TimeInForce.IOC,
    "4": TimeInForce.FOK,
    "6": TimeInForce.GTD,
    "7": TimeInForce.CLS,
    "goodtilldate": TimeInForce.GTD,
    "goodtillcancel": TimeInForce.GTC,
    "immediateorcancel": TimeInForce.IOC,
    "fillorkill": TimeInForce.FOK,
}
_CXL_REJ_CODES = {
    "0": CxlRejReason.TOO_LATE,
    "toolatetocancel": CxlRejReason.TOO_LATE,
    "1": CxlRejReason.UNKNOWN_ORDER,
    "3": CxlRejReason.ALREADY_PENDING,
    "6": CxlRejReason.DUPLICATE_CL_ORD_ID,
    "duplicateclordid": CxlRejReason.DUPLICATE_CL_ORD_ID,
}
_RESTATEMENTS = {"0": "GT_CORPORATE_ACTION", "1": "GT_RENEWAL", "2": "VERBAL_CHANGE"}
_ODDITY = re.compile(r"(?P<id>\S+) step (?P<t>\S+) LeavesQty\b")
_UNCERTAIN = re.compile(r"LeavesQty of step (?P<t>\S+)")


def read_scenarios(content: object) -> tuple[Scenario, ...]:
    """Return the scenarios of a parsed JSON file. :raises MalformedMatrix: naming the place."""
    if not isinstance(content, Mapping) or not isinstance(content.get("scenarios"), list):
        raise MalformedMatrix('the file is not an object with a list "scenarios"')
    odd = {
        (found["id"], found["t"])
        for line in content.get("known_oddities") or ()
        if (found := _ODDITY.match(str(line)))
    }
    scenarios = tuple(_scenario(item, n, odd) for n, item in enumerate(content["scenarios"], 1))
    if not scenarios:
        raise MalformedMatrix("the file holds no scenario")
    return scenarios


def _scenario(item: object, number: int, odd: set[tuple[str, str]]) -> Scenario:
    if not isinstance(item, Mapping) or not item.get("id"):
        raise MalformedMatrix(f"scenario {number} is not an object with an id")
    name = str(item["id"])
    rows = item.get("steps")
    if not isinstance(rows, list) or not rows:
        raise MalformedMatrix(f"scenario {name} has no steps")
    doubtful = {
        found["t"]
        for line in item.get("uncertain") or ()
        if (found := _UNCERTAIN.search(str(line)))
    }
    steps = []
    for n, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise MalformedMatrix(f"scenario {name} step {n} is not an object")
        t = str(row.get("t", n))
        steps.append(_step(name, n, t, row, (name, t) in odd or t in doubtful))
    return Scenario(name, str(item.get("title", "")), tuple(steps))


def _step(name: str, number: int, t: str, row: Mapping[str, Any], either_leaves: bool) -> Step:
    where = f"scenario {name} step {number} (t {t})"
    message = _message(row, where)
    flag = row.get("flag")
    if flag is not None and not isinstance(flag, str):
        raise MalformedMatrix(f"{where}: flag {flag!r} is not a word")
    exec_type = _word(ExecType, _EXEC_TYPE_CODES, row, "ExecType", where)
    ord_status = _word(OrdStatus, _ORD_STATUS_CODES, row, "OrdStatus", where)
    if message is Message.REPORT and (exec_type is None or ord_status is None):
        raise MalformedMatrix(f"{where}: an ExecutionReport needs ExecType and OrdStatus")
    if message is Message.REFUSAL and ord_status is None:
        raise MalformedMatrix(f"{where}: an OrderCancelReject needs OrdStatus")
    reason = row.get("ExecRestatementReason")
    return Step(
        number=number,
        t=t,
        message=message,
        cl_ord_id=_text(row, "ClOrdID"),
        orig_cl_ord_id=_text(row, "OrigClOrdID"),
        exec_type=exec_type,
        ord_status=ord_status,
        order_qty=_number(row, "OrderQty", where),
        cum_qty=_number(row, "CumQty", where),
        leaves_qty=_number(row, "LeavesQty", where),
        last_qty=_number(row, "LastQty", where),
        last_px=_number(row, "LastPx", where),
        price=_number(row, "Price", where),
        exec_id=_text(row, "ExecID"),
        exec_ref_id=_text(row, "ExecRefID"),
        time_in_force=_word(TimeInForce, _TIME_IN_FORCE_CODES, row, "TimeInForce", where),
        cxl_rej_reason=_word(CxlRejReason, _CXL_REJ_CODES, row, "CxlRejReason", where),
        restatement_reason=None if reason is None else _restatement(str(reason)),
        poss_resend=str(row.get("PossResend", "")).upper() in {"Y", "YES", "TRUE"},
        branch=flag == "alternative_branch",
        either_leaves=either_leaves or flag == "uncertain",
    )


def _message(row: Mapping[str, Any], where: str) -> Message:
    direction, word = row.get("dir"), row.get("msg")
    if direction not in {"in", "out", "note"}:
        raise MalformedMatrix(f"{where}: dir {direction!r} is none of in, out, note")
    if direction == "note":
        return Message.NOTE
    try:
        message = Message(str(word))
    except ValueError:
        known = ", ".join(item.value for item in Message)
        raise MalformedMatrix(f"{where}: msg {word!r} is none of {known}") from None
    answers = message in {Message.REPORT, Message.REFUSAL}
    if message is not Message.NOTE and answers != (direction == "out"):
        raise MalformedMatrix(f"{where}: {message} cannot be {direction}")
    return message


def _plain(word: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(word).lower())


def _word(
    enum: type[_Word],
    codes: Mapping[str, _Word],
    row: Mapping[str, Any],
    field: str,
    where: str,
) -> _Word | None:
    value = row.get(field)
    if value is None or value == "":
        return None
    text = str(value)
    if text in codes:
        return codes[text]
    for member in enum:
        if _plain(member.value) == _plain(text):
            return member
    if _plain(text) in codes:
        return codes[_plain(text)]
    raise MalformedMatrix(f"{where}: {field} {text!r} is unknown here")


def _text(row: Mapping[str, Any], field: str) -> str | None:
    value = row.get(field)
    return None if value is None or value == "" else str(value)


def _number(row: Mapping[str, Any], field: str, where: str) -> Decimal | None:
    value = row.get(field)
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite():
        raise MalformedMatrix(f"{where}: {field} {value!r} is not a number")
    return number


def _restatement(word: str) -> str:
    """Return the reason in our spelling: capitals and underscores."""
    return _RESTATEMENTS.get(word) or re.sub(r"[^A-Z0-9]+", "_", word.upper()).strip("_")
