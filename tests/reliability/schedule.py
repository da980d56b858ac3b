"""A schedule: what happens, in order, as data. A seed makes one; JSON keeps one; running it needs
no further choice, so that it can be replayed, and shrunk step by step.

Crash points: before the commit that marks a command as being sent, after it and before the bytes,
after the bytes, before the answer is committed (the same to us), before a report is committed (it
then comes again), and a restart of everything between any two steps.
"""

from dataclasses import dataclass
from random import Random
from typing import Any

from tests.reliability.desk import ACCEPT_DELAY_MS, LAG_MS, Command, Desk, Order
from tests.reliability.invariants import check_end, must
from tests.reliability.venue import NUMBERS, Venue, VenueOrder
from trading.orders.fold import apply
from trading.protocol import Answer
from trading.vocabulary import CommandKind, CommandState, CxlRejReason, ExecType

ORDERS = 12
STEPS = 96
TIFS = ("DAY", "DAY", "GTC", "GTC", "IOC")
SEND_FATES = (
    "lost", "unread", "late", "very_late", "throttle", "crash_before_claim", "crash_after_claim",
    "crash_after_send", "refuse", "not_connected",
)  # fmt: skip
DELIVERIES = ("reorder", "twice", "lose", "crash")
VENUE_FAULTS = ("over", "bust", "correct", "end", "restate", "done", "remark", "conflict")
CALM = {"new": 14, "send": 34, "deliver": 44, "trade": 30, "cancel": 8, "replace": 8, "tick": 11}
FAULTS = {"reconcile": 3, "restart": 2, "outage": 2}


@dataclass(frozen=True, slots=True)
class Schedule:
    """All but the steps is the venue's personality (see ``Venue``); steps are plain lists."""

    dedup: str
    sequenced: bool
    lag: int
    steps: list[list[Any]]
    echoes: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "dedup": self.dedup,
            "sequenced": self.sequenced,
            "lag": self.lag,
            "echoes": self.echoes,
            "steps": self.steps,
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Schedule":
        return cls(
            content["dedup"],
            content["sequenced"],
            content["lag"],
            content["steps"],
            content.get("echoes", False),
        )

    def with_steps(self, steps: list[list[Any]]) -> "Schedule":
        """The same venue with other steps."""
        return Schedule(self.dedup, self.sequenced, self.lag, steps, self.echoes)


def make(seed: int) -> Schedule:
    """The schedule of a seed; which faults it has, and how often, is part of the draw."""
    draw = Random(seed)
    fates = [one for one in SEND_FATES if draw.random() < 0.4]
    ways = [one for one in DELIVERIES if draw.random() < 0.4]
    weights = dict(CALM)
    weights.update({one: draw.randint(1, 8) for one in VENUE_FAULTS if draw.random() < 0.4})
    weights.update({one: top for one, top in FAULTS.items() if draw.random() < 0.5})
    chance = draw.choice((0.1, 0.3, 0.6))
    words = draw.choices(list(weights), list(weights.values()), k=STEPS)
    steps = [_step("new", draw, (), 0) for _ in range(3)]
    news = 3
    for word in words:
        if word == "new":
            news += 1
            if news > ORDERS:
                word = "send"
        picked = fates if word == "send" else ways
        steps.append(_step(word, draw, picked if draw.random() < chance else (), 0))
    return Schedule(
        draw.choice(("FULL", "OPEN_ONLY", "NONE")),
        draw.random() < 0.7,
        draw.choice((0, 0, LAG_MS)),
        steps,
        draw.random() < 0.4,
    )


def _step(word: str, draw: Random, ways: "list[str] | tuple[str, ...]", _n: int) -> list[Any]:
    number, qty, px = draw.randrange(1 << 16), draw.randint(1, 20), draw.randint(1, 50)
    if word == "new":
        return [word, number % 2, draw.randint(4, 40), px, draw.choice(TIFS)]
    if word == "send":
        return [word, draw.choice(ways) if ways else "ok"]
    if word == "deliver":
        return [word, number, draw.choice(ways) if ways else "next"]
    if word == "tick":
        return [word, draw.choice((200, 700, 2_500, 2_500, 12_000)), draw.random() < 0.6]
    if word == "end":
        return [word, number, draw.choice(("CANCELED", "EXPIRED", "REJECTED"))]
    if word == "remark":
        return [word, number, draw.choice(("SUSPENDED", "STOPPED", "TRIGGERED")), qty]
    if word in ("reconcile", "outage"):
        return [word, draw.random() < 0.6]
    if word == "restart":
        return [word]
    return [word, number, number >> 4, qty * 2 if word in ("replace", "restate") else qty, px]


def run(schedule: Schedule, *, replay: bool = False) -> Desk:
    """Play a schedule, heal, judge. :raises AssertionError: what does not hold."""
    world = World(schedule)
    for step in schedule.steps:
        world.play(step)
    world.heal()
    check_end(world.desk, replay=replay)
    return world.desk


class World:
    """One schedule being played."""

    def __init__(self, schedule: Schedule) -> None:
        self.venue = Venue(schedule.dedup, schedule.sequenced, schedule.lag, schedule.echoes)
        self.desk = Desk(self.venue)
        self.arriving: list[tuple[int, Command, list[Any]]] = []
        self.is_up = True
        self.delivered: list[Any] = []

    def play(self, step: list[Any]) -> None:
        self.venue.now += 40
        self._arrive()
        getattr(self, f"_{step[0]}")(*step[1:])

    # --- our doors ------------------------------------------------------------------------------

    def _new(self, buy: int, qty: int, price: int, tif: str) -> None:
        self.desk.accept(bool(buy), qty, price, tif)

    def _ours(self, number: int) -> Order | None:
        orders = self.desk.orders
        return orders[number % len(orders)] if orders else None

    def _cancel(self, number: int, *_: int) -> None:
        order = self._ours(number)
        if order is not None:
            self.desk.cancel(order)

    def _replace(self, number: int, _pick: int, qty: int, price: int) -> None:
        order = self._ours(number)
        if order is not None:
            self.desk.replace(order, qty, price)

    # --- the gateway ----------------------------------------------------------------------------

    def _send(self, fate: str) -> None:
        command = self.desk.next_queued()
        if command is not None:
            self._let_go(command, fate)

    def _let_go(self, command: Command, fate: str) -> None:
        """Claim, let the bytes leave, take the answer; the fate says how far it comes."""
        desk = self.desk
        if fate == "crash_before_claim":
            return
        desk.claim(command)
        if fate == "crash_after_claim":
            desk.restart()
            return
        if fate in ("throttle", "not_connected"):
            desk.settle(command, Answer.NOT_EXECUTED, None)
            return
        if fate in ("late", "very_late"):
            window = 0 if fate == "late" else 5_000
            due = self.venue.now + window + ACCEPT_DELAY_MS - 10
            self.arriving.append((due, command, self._bytes(command)))
            desk.settle(command, Answer.UNKNOWN, None)
            return
        if fate == "unread" or not self.is_up:
            desk.settle(command, Answer.UNKNOWN, None)
            return
        answer, reason = self._reach(command, self._bytes(command), refuse=fate == "refuse")
        if fate == "crash_after_send":
            desk.restart()
        elif fate == "lost":
            desk.settle(command, Answer.UNKNOWN, None)
        else:
            desk.settle(command, answer, reason)

    @staticmethod
    def _bytes(command: Command) -> list[Any]:
        """What leaves: frozen, whatever becomes of the command."""
        order = command.order
        if command.kind is CommandKind.NEW:
            tif = order.terms.time_in_force.value
            return [command.venue_id, order.buy, command.qty, command.price, tif]
        if command.kind is CommandKind.CANCEL:
            return [command.venue_id, command.cl_ord_id]
        return [
            command.orig_venue_id, command.cl_ord_id, command.venue_id, command.orig_cl_ord_id,
            command.qty, command.price,
        ]  # fmt: skip

    def _reach(
        self, command: Command, content: list[Any], *, refuse: bool = False
    ) -> tuple[Answer, CxlRejReason | None]:
        """The bytes are at the venue: what it does and answers."""
        venue = self.venue
        venue.now += 1
        if command.kind is CommandKind.NEW:
            if refuse and content[0] not in venue.by_id:
                venue.refuse_new(*content)
                return Answer.REFUSED, None
            word = venue.new(*content)
            if word:
                return Answer.REFUSED, CxlRejReason.DUPLICATE_CL_ORD_ID
            return Answer.ACCEPTED, None
        if refuse:
            return Answer.REFUSED, CxlRejReason.OTHER
        ask = venue.cancel if command.kind is CommandKind.CANCEL else venue.replace
        reason = ask(*content)
        return (Answer.ACCEPTED if reason is None else Answer.REFUSED), reason

    def _arrive(self) -> None:
        """Commands that were slow on the wire reach the venue; nobody waits for the answer."""
        due = [item for item in self.arriving if item[0] <= self.venue.now]
        if due:
            self.arriving = [item for item in self.arriving if item[0] > self.venue.now]
            for when, command, content in due:
                self._reach(command, content)
                if command.kind is CommandKind.NEW:
                    # It came when it was due, not when this world next looked.
                    there = self.venue.by_id[content[0]]
                    there.created = min(there.created, when)

    def _restart(self) -> None:
        self.desk.restart()

    def _outage(self, down: bool) -> None:
        self.is_up = not down

    def _tick(self, ms: int, complete: bool) -> None:
        self.venue.now += ms
        self._arrive()
        self.desk.give_up_waiting()
        self._look_up(complete)
        if complete and self.is_up:
            self.desk.answer_questions()

    def _look_up(self, complete: bool) -> None:
        for order in self.desk.orders:
            for command in order.commands:
                if (
                    command.state is CommandState.UNKNOWN
                    and command.next_look <= self.venue.now
                    and self.desk.look_up(command, complete and self.is_up) is not None
                ):
                    self._let_go(command, "ok")

    def _reconcile(self, complete: bool) -> None:
        if self.is_up:
            self.desk.reconcile(complete)

    # --- the stream of reports ------------------------------------------------------------------

    def _deliver(self, number: int, way: str) -> None:
        out = self.venue.out
        if not out or not self.is_up or way == "crash":
            return  # a report whose commit fails is still the first the venue has for us
        report = out.pop(number % len(out) if way == "reorder" else 0)
        if way == "lose":
            return
        if way == "twice":
            out.append(report)
        self.delivered.append(report)
        self.desk.deliver(report)

    def _conflict(self, number: int, *_: int) -> None:
        """The same execution told again with another price: kept aside, nothing is booked."""
        trades = [one for one in self.delivered if one.exec_type is ExecType.TRADE]
        if not trades:
            return
        report = trades[number % len(trades)]
        order = self.desk.by_venue_id[report.venue_cl_ord_id]
        before = order.state
        false = type(report)(
            exec_type=report.exec_type,
            source=report.source,
            exec_id=report.exec_id,
            transact_time=report.transact_time,
            venue_cl_ord_id=report.venue_cl_ord_id,
            last_qty=report.last_qty,
            last_px=NUMBERS[399],
        )
        alarm = apply(before, false).alarm
        must(alarm == "exec_conflict", order.id, "another content is", alarm)
        self.desk.record(order, false)
        must(order.state is before, order.id, "another content changed the order")

    # --- the market and the venue ---------------------------------------------------------------

    def _theirs(self, number: int) -> VenueOrder | None:
        orders = self.venue.orders
        return orders[number % len(orders)] if orders else None

    def _trade(self, number: int, _pick: int, qty: int, px: int) -> None:
        working = [one for one in self.venue.orders if one.works]
        if working:
            order = working[number % len(working)]
            self.venue.trade(order, min(qty, order.qty - order.cum), px)

    def _over(self, number: int, _pick: int, qty: int, px: int) -> None:
        order = self._theirs(number)
        if order is not None and order.cum < 120:
            self.venue.trade(order, qty, px)

    def _bust(self, number: int, pick: int, *_: int) -> None:
        order = self._theirs(number)
        if order is not None:
            self.venue.correct(order, pick, 0, 0)

    def _correct(self, number: int, pick: int, qty: int, px: int) -> None:
        order = self._theirs(number)
        if order is not None:
            self.venue.correct(order, pick, qty, px)

    def _end(self, number: int, word: str) -> None:
        order = self._theirs(number)
        if order is not None:
            self.venue.end(order, word)

    def _restate(self, number: int, _pick: int, qty: int, px: int) -> None:
        order = self._theirs(number)
        if order is not None:
            self.venue.restate(order, qty, px)

    def _done(self, number: int, *_: int) -> None:
        order = self._theirs(number)
        if order is not None:
            self.venue.day_is_done(order)

    def _remark(self, number: int, word: str, qty: int) -> None:
        order = self._theirs(number)
        if order is not None:
            self.venue.remark(order, word, qty)

    # --- the end --------------------------------------------------------------------------------

    def heal(self) -> None:
        """No more faults: whatever is on its way arrives, look-ups answer, time passes."""
        self.is_up = True
        self.desk.restart()
        for turn in range(80):
            self.venue.now += 700 if turn < 12 else 20_000
            self._arrive()
            while self.venue.out:
                self.desk.deliver(self.venue.out.pop(0))
            while (command := self.desk.next_queued()) is not None:
                before = command.state, command.attempt
                self._let_go(command, "ok")
                if command.state is CommandState.QUEUED and before[1] < command.attempt:
                    break  # a cancel ahead of its order waits for the next turn
            self.desk.give_up_waiting()
            self._look_up(complete=True)
            if turn > 12 and not self._restless():
                break
        self.venue.now += 10_000
        self.desk.reconcile(complete=True)
        self.venue.now += 10_000
        self.desk.reconcile(complete=True, all_orders=True)
        self.delivered.clear()

    def _restless(self) -> bool:
        return bool(self.venue.out or self.arriving) or any(
            order.open_commands for order in self.desk.orders
        )
