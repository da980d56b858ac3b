"""What a session knows of the orders it hears about, and which commands wait for an answer."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime

from brokers.adapters.base import Accepted, Outcome, Rejected, ReplaceOrder
from brokers.adapters.ib import codes, parse, terms, wire
from brokers.adapters.ib.codes import Effect
from brokers.adapters.ib.parse import Envelope
from trading.vocabulary import CommandKind, CxlRejReason

Fields = tuple[str, ...]


@dataclass(slots=True, eq=False)
class Waiting:
    """A command whose answer has not come. It stays, even given up, until TWS has spoken."""

    kind: CommandKind
    request_id: str
    ref: str
    answer: "asyncio.Future[Outcome]"
    asked: ReplaceOrder | None = None


@dataclass(slots=True)
class Known:
    """One order as this session knows it."""

    account: str
    ref: str
    order_id: str | None = None
    worked: bool = False
    refused: bool = False
    last: dict[int, Fields] = field(default_factory=dict)
    waiting: dict[CommandKind, Waiting] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """A message with its account, ready to be handed on."""

    account: str
    envelope: Envelope


class Orders:
    """The orders of one session by number, and the accounts in both tongues."""

    def __init__(self, version: int, accounts: dict[str, str]) -> None:
        self._version = version
        self._ours = {venue: code for code, venue in accounts.items()}
        self._by_number: dict[int, Known] = {}
        self._by_exec_id: dict[str, Heard] = {}

    def expect(self, number: int, account: str, waiting: Waiting) -> None:
        """A command for this number is about to be written."""
        known = self._by_number.setdefault(number, Known(account, waiting.ref))
        known.waiting[waiting.kind] = waiting

    def forget(self, number: int, waiting: Waiting) -> None:
        """The command was never written."""
        self._by_number[number].waiting.pop(waiting.kind, None)

    def give_up(self, reason: Outcome) -> None:
        """The line is gone: nobody will answer."""
        for known in self._by_number.values():
            for waiting in known.waiting.values():
                if not waiting.answer.done():
                    waiting.answer.set_result(reason)

    def heard(self, fields: Fields, at: datetime) -> list[Heard]:
        """Take a message in: settle what it answers, and return what is to be handed on.

        What concerns an order of nobody we know has no account and is left to reconciliation.

        :raises Unreadable: if the message does not follow its layout.
        """
        kind = int(fields[0])
        if kind == wire.OPEN_ORDER:
            return self._open_order(fields, at)
        if kind == wire.ORDER_STATUS:
            return self._status(fields, at)
        if kind == wire.ERROR:
            return self._error(fields, at)
        if kind == wire.EXECUTION:
            return self._execution(fields, at)
        if kind == wire.COMMISSION:
            heard = self.charged(fields, at)
            return [] if heard is None else [heard]
        return []

    def account_of(self, fields: Fields) -> str | None:
        """Our code of the account an unreadable message is about, as far as its number tells."""
        try:
            known = self._by_number.get(int(fields[1]))
        except (ValueError, IndexError):
            return None
        return None if known is None else known.account

    def code_of(self, venue_account: str) -> str | None:
        """Our code of an account of TWS, None for one that is not ours."""
        return self._ours.get(venue_account)

    def executed(self, fields: Fields, at: datetime) -> Heard | None:
        """An execution, None for one of an account that is not ours."""
        execution = wire.execution(fields)
        account = self._ours.get(execution.account)
        if account is None:
            return None
        known = self._by_number.get(execution.number)
        ref = execution.order_ref or (known.ref if known else None)
        heard = Heard(account, Envelope(at=at, version=self._version, fields=fields, ref=ref))
        self._by_exec_id[execution.exec_id] = heard
        return heard

    def charged(self, fields: Fields, at: datetime) -> Heard | None:
        """A commission with the execution it belongs to, None where that was not heard."""
        exec_id, _, _ = wire.commission(fields)
        heard = self._by_exec_id.pop(exec_id, None)
        if heard is None:
            return None
        execution = heard.envelope
        return Heard(
            heard.account,
            replace(execution, at=at, fields=fields, execution=execution.fields),
        )

    # --- message by message -----------------------------------------------------------------------

    def _open_order(self, fields: Fields, at: datetime) -> list[Heard]:
        order = wire.open_order(fields, self._version)
        account = self._ours.get(order.account)
        if account is None or order.what_if:
            return []
        known = self._by_number.setdefault(order.number, Known(account, order.order_ref))
        if order.perm_id:
            known.order_id = str(order.perm_id)
        answers = self._answered_by(known, order)
        if answers is not None:
            known.ref = answers.ref
        self._stands(known, order.status)
        return self._if_news(known, fields, at, answers)

    @staticmethod
    def _answered_by(known: Known, order: wire.WireOrder) -> Waiting | None:
        """The amendment whose terms the order now shows, if one waits."""
        waiting = known.waiting.get(CommandKind.REPLACE)
        if waiting is None or waiting.asked is None or not terms.shows(order, waiting.asked):
            return None
        if order.status not in parse.WORKING:
            return None
        del known.waiting[CommandKind.REPLACE]
        _settle(waiting, Accepted(known.order_id or ""))
        return waiting

    def _status(self, fields: Fields, at: datetime) -> list[Heard]:
        status = wire.order_status(fields)
        known = self._by_number.get(status.number)
        if known is None:
            return []
        if status.perm_id:
            known.order_id = str(status.perm_id)
        self._stands(known, status.status)
        return self._if_news(known, fields, at, None)

    @staticmethod
    def _stands(known: Known, status: str) -> None:
        """A status answers a new order that it proves, and a cancel that it shows."""
        if status in parse.WORKING or status == "Filled":
            known.worked = True
        proof = status in parse.WORKING or status == "Filled" or status in parse.ENDED
        new = known.waiting.get(CommandKind.NEW)
        if new is not None and proof and known.order_id and not known.refused:
            del known.waiting[CommandKind.NEW]
            _settle(new, Accepted(known.order_id))
        cancel = known.waiting.get(CommandKind.CANCEL)
        if cancel is not None and (status in parse.ENDED or status == "PendingCancel"):
            _settle(cancel, Accepted(known.order_id or ""))
            if status in parse.ENDED:
                del known.waiting[CommandKind.CANCEL]

    def _error(self, fields: Fields, at: datetime) -> list[Heard]:
        error = wire.error(fields)
        known = self._by_number.get(error.number)
        if known is None:
            return []
        effect = codes.effect_of(error.code)
        answered = None
        if effect is Effect.CANCEL_REFUSED:
            answered = known.waiting.pop(CommandKind.CANCEL, None)
        elif effect is Effect.REFUSED:
            answered = known.waiting.pop(CommandKind.REPLACE, None)
            if answered is None and not known.worked:
                answered = known.waiting.pop(CommandKind.NEW, None)
                known.refused = True
        heard = self._told(known, fields, at, answered)
        if answered is not None:
            _settle(answered, _refusal(answered, error, heard))
        return [heard]

    def _execution(self, fields: Fields, at: datetime) -> list[Heard]:
        heard = self.executed(fields, at)
        if heard is None:
            return []
        execution = wire.execution(fields)
        known = self._by_number.get(execution.number)
        if known is not None:
            known.order_id = known.order_id or str(execution.perm_id)
            self._stands(known, "Submitted")
        return [heard]

    def _if_news(
        self, known: Known, fields: Fields, at: datetime, answered: Waiting | None
    ) -> list[Heard]:
        """TWS says the same again at every listing: what was said last is not handed on twice."""
        kind = int(fields[0])
        if known.last.get(kind) == fields and answered is None:
            return []
        known.last[kind] = fields
        return [self._told(known, fields, at, answered)]

    def _told(
        self, known: Known, fields: Fields, at: datetime, answered: Waiting | None = None
    ) -> Heard:
        envelope = Envelope(
            at=at,
            version=self._version,
            fields=fields,
            ref=known.ref,
            order_id=known.order_id,
            answers=None if answered is None else (answered.kind, answered.request_id),
            refused=known.refused and answered is None,
        )
        return Heard(known.account, envelope)


def _settle(waiting: Waiting, outcome: Outcome) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(outcome)


def _refusal(waiting: Waiting, error: wire.WireError, heard: Heard) -> Rejected:
    text = f"{error.code} {error.text}"
    raw = parse.sealed(heard.envelope)
    if waiting.kind is CommandKind.CANCEL:
        return Rejected(codes.CANCEL_REFUSALS[error.code], text, raw)
    if waiting.kind is CommandKind.REPLACE:
        return Rejected(CxlRejReason.OTHER, text, raw)
    return Rejected(codes.REFUSALS[error.code], text, raw)
