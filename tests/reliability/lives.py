"""Lives of one order as one consistent venue tells them: what happens is drawn from a seed."""

from random import Random

from tests.reliability.venue import NUMBERS, Clock, Personality, Venue, VenueOrder, at
from trading.orders.fold import ask_replace
from trading.orders.reports import ExecutionReport
from trading.orders.state import OrderState, Terms, new_state
from trading.vocabulary import CxlRejReason, ExecType, ReportSource, TimeInForce

ID = "0" * 26
WORDS = (
    "trade", "trade", "trade", "trade", "over", "bust", "correct", "end", "restate", "done",
    "remark", "cancel", "replace", "replace",
)  # fmt: skip


def life(seed: int, most: int = 7) -> tuple[OrderState, list[ExecutionReport]]:
    """The order as it was queued, with its replaces, and up to ``most`` reports in their order."""
    return _Life(Random(seed)).told(most)


class _Life:
    def __init__(self, draw: Random) -> None:
        self.draw = draw
        ways = Personality("FULL", draw.random() < 0.5, 0, draw.random() < 0.3)
        self.venue = Venue("A", ways, Clock())
        tif = TimeInForce(draw.choice(("DAY", "GTC", "IOC")))
        self.state = new_state(ID, ID, Terms(NUMBERS[20], price=NUMBERS[30], time_in_force=tif))
        self.venue.new(ID, True, 20, 30, tif.value)
        self.requests = 0

    def told(self, most: int) -> tuple[OrderState, list[ExecutionReport]]:
        order = self.venue.orders[0]
        while len(self.venue.out) < most and (order.works or self.draw.random() > 0.05):
            self._happen(order, self.draw.choice(WORDS))
        return self.state, self.venue.out[:most]

    def _happen(self, order: VenueOrder, word: str) -> None:
        venue, draw = self.venue, self.draw
        qty, px = draw.randint(1, 12), draw.randint(1, 50)
        if word == "trade":
            if order.works:
                venue.trade(order, min(qty, order.qty - order.cum), px)
        elif word == "over":
            venue.trade(order, qty, px)
        elif word == "bust":
            venue.correct(order, draw.randrange(9), 0, 0)
        elif word == "correct":
            venue.correct(order, draw.randrange(9), qty, px)
        elif word == "end":
            venue.end(order, draw.choice(("CANCELED", "EXPIRED")))
        elif word == "restate":
            venue.restate(order, qty * 2, px)
        elif word == "done":
            venue.day_is_done(order)
        elif word == "remark":
            venue.remark(order, draw.choice(("SUSPENDED", "STOPPED", "TRIGGERED")), qty)
        else:
            self._ask(order, word, qty, px)

    def _ask(self, order: VenueOrder, word: str, qty: int, px: int) -> None:
        self.requests += 1
        request = f"{word}-{self.requests}"
        if word == "cancel":
            reason = self.venue.cancel(order.head, request)
        else:
            venue_id = f"{ID}{self.requests:02d}"
            tif = self.state.terms.time_in_force
            terms = Terms(NUMBERS[qty * 2], price=NUMBERS[px], time_in_force=tif)
            self.state = ask_replace(self.state, request, venue_id, terms)
            reason = self.venue.replace(order.head, request, venue_id, "", qty * 2, px)
        if reason is not None:
            self._refuse(request, reason)

    def _refuse(self, request: str, reason: CxlRejReason) -> None:
        clock = self.venue.clock
        clock.now += 1
        self.venue.out.append(
            ExecutionReport(
                exec_type=ExecType.REQUEST_REFUSED,
                source=ReportSource.VENUE,
                exec_id=f"refused:{request}",
                transact_time=at(clock.now),
                cl_ord_id=request,
                cxl_rej_reason=reason,
            )
        )
