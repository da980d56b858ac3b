"""One schedule being played: doors, gateway, wires, market, and the healing at its end."""

from typing import Any

from tests.reliability import lookups
from tests.reliability.desk import Command, Crash, Desk, Order
from tests.reliability.invariants import check_end, must
from tests.reliability.lookups import ACCEPT_DELAY_MS
from tests.reliability.schedule import Schedule
from tests.reliability.venue import NUMBERS, Clock, Venue, VenueOrder
from trading.orders.fold import apply
from trading.protocol import Answer
from trading.vocabulary import CommandKind, CommandState, CxlRejReason, ExecType


def run(schedule: Schedule, *, replay: bool = False) -> Desk:
    """Play a schedule, heal, judge. :raises AssertionError: what does not hold."""
    world = World(schedule)
    world.play_all()
    check_end(world.desk, replay=replay)
    return world.desk


class World:
    """One schedule being played."""

    def __init__(self, schedule: Schedule) -> None:
        self.clock = Clock()
        self.venues = [Venue("ABC"[n], ways, self.clock) for n, ways in enumerate(schedule.venues)]
        self.desk = Desk(self.clock, self.venues)
        self.steps = schedule.steps
        self.arriving: list[tuple[int, Command, list[Any]]] = []
        self.delivered: list[Any] = []

    def play_all(self) -> None:
        """Every step, then the healing."""
        for step in self.steps:
            self.play(step)
        self.heal()

    def play(self, step: list[Any]) -> None:
        self.clock.now += 40
        if self.arriving:
            self._arrive()
        try:
            getattr(self, f"_{step[0]}")(*step[1:])
        except Crash:
            self.desk.restart()

    # --- our doors ------------------------------------------------------------------------------

    def _new(self, buy: int, qty: int, price: int, tif: str, number: int = 0) -> None:
        self.desk.accept(self._venue(number), bool(buy), qty, price, tif)

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
        desk, venue = self.desk, command.order.venue
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
            due = self.clock.now + window + ACCEPT_DELAY_MS - 10
            self.arriving.append((due, command, self._bytes(command)))
            desk.settle(command, Answer.UNKNOWN, None)
            return
        if fate == "unread" or not venue.is_up:
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
            number = command.number
            return [command.venue_id, order.buy, command.qty, command.price, tif, number]
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
        venue = command.order.venue
        self.clock.now += 1
        if not venue.has_room():
            return Answer.NOT_EXECUTED, None
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
        due = [item for item in self.arriving if item[0] <= self.clock.now]
        self.arriving = [item for item in self.arriving if item[0] > self.clock.now]
        for when, command, content in due:
            self._reach(command, content)
            there = command.order.venue.by_id.get(content[0])
            if command.kind is CommandKind.NEW and there is not None:
                # It came when it was due, not when this world next looked.
                there.created = min(there.created, when)

    def _restart(self) -> None:
        self.desk.restart()

    def _crash(self, commits: int) -> None:
        self.desk.fuse = commits

    def _outage(self, down: bool, number: int = 0) -> None:
        venue = self._venue(number)
        venue.is_up = not down
        self.desk.connect(venue)

    def _tick(self, ms: int, complete: bool) -> None:
        self.clock.now += ms
        self._arrive()
        self.desk.give_up_waiting()
        self._look_up(complete)
        if complete:
            lookups.answer_questions(self.desk)

    def _look_up(self, complete: bool) -> None:
        for command in self.desk.open_of(CommandState.UNKNOWN):
            if command.state is not CommandState.UNKNOWN or command.next_look > self.clock.now:
                continue
            whole = complete and command.order.venue.is_up
            if lookups.look_up(self.desk, command, complete=whole) is not None:
                self._let_go(command, "ok")

    def _reconcile(self, complete: bool) -> None:
        lookups.compare(self.desk, complete=complete)

    # --- the stream of reports ------------------------------------------------------------------

    def _deliver(self, number: int, way: str) -> None:
        streams = [one for one in self.venues if one.out and one.is_up]
        if not streams or way == "crash":
            return  # a report whose commit fails is still the first the venue has for us
        out = streams[(number >> 5) % len(streams)].out
        report = out.pop(number % len(out) if way == "reorder" else 0)
        if way == "lose":
            return
        if way == "twice":
            out.append(report)
        try:
            self.desk.deliver(report)
        except Crash:
            out.insert(0, report)
            raise
        self.delivered.append(report)

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

    def _venue(self, number: int) -> Venue:
        return self.venues[number % len(self.venues)]

    def _theirs(self, number: int) -> VenueOrder | None:
        orders = [one for venue in self.venues for one in venue.orders]
        return orders[number % len(orders)] if orders else None

    def _trade(self, number: int, _pick: int, qty: int, px: int) -> None:
        working = [one for venue in self.venues for one in venue.orders if one.works]
        if working:
            order = working[number % len(working)]
            order.venue.trade(order, min(qty, order.qty - order.cum), px)

    def _over(self, number: int, _pick: int, qty: int, px: int) -> None:
        order = self._theirs(number)
        if order is not None and order.cum < 120:
            order.venue.trade(order, qty, px)

    def _bust(self, number: int, pick: int, *_: int) -> None:
        order = self._theirs(number)
        if order is not None:
            order.venue.correct(order, pick, 0, 0)

    def _correct(self, number: int, pick: int, qty: int, px: int) -> None:
        order = self._theirs(number)
        if order is not None:
            order.venue.correct(order, pick, qty, px)

    def _end(self, number: int, word: str) -> None:
        order = self._theirs(number)
        if order is not None:
            order.venue.end(order, word)

    def _restate(self, number: int, _pick: int, qty: int, px: int) -> None:
        order = self._theirs(number)
        if order is not None:
            order.venue.restate(order, qty, px)

    def _done(self, number: int, *_: int) -> None:
        order = self._theirs(number)
        if order is not None:
            order.venue.day_is_done(order)

    def _remark(self, number: int, word: str, qty: int) -> None:
        order = self._theirs(number)
        if order is not None:
            order.venue.remark(order, word, qty)

    def _id_reset(self, number: int) -> None:
        """The venue forgets its numbers, as after a reset by its operator; we connect anew."""
        venue = self._venue(number)
        venue.highest = 0
        self.desk.connect(venue)

    def _id_jump(self, number: int) -> None:
        """Another program has used numbers of the same connection."""
        self._venue(number).highest += 1 + number % 7

    # --- the end --------------------------------------------------------------------------------

    def heal(self) -> None:
        """No more faults: whatever is on its way arrives, look-ups answer, time passes."""
        for venue in self.venues:
            venue.is_up = True
        self.desk.restart()
        for turn in range(80):
            self.clock.now += 700 if turn < 12 else 20_000
            self._arrive()
            for venue in self.venues:
                self.desk.resume(venue)
                while venue.out:
                    self.desk.deliver(venue.out.pop(0))
            while (command := self.desk.next_queued()) is not None:
                before = command.attempt
                self._let_go(command, "ok")
                if command.state is CommandState.QUEUED and before < command.attempt:
                    break  # told to wait: the next turn
            self.desk.give_up_waiting()
            self._look_up(complete=True)
            if turn and not self._restless():
                break
        self.clock.now += 10_000
        lookups.compare(self.desk, complete=True, all_orders=True)
        self.delivered.clear()

    def _restless(self) -> bool:
        out = any(venue.out for venue in self.venues)
        return out or bool(self.arriving) or any(order.open_commands for order in self.desk.orders)
