"""The engine against references so simple that they can be checked by eye."""

from collections import defaultdict
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.matching.floor_talk import buy, order, quote, sell, trade, trades
from trading.matching import (
    Auction,
    BeyondTouch,
    Cancel,
    Engine,
    Policy,
    Trail,
    Trigger,
)
from trading.vocabulary import ExecType, OrdStatus, Side, TimeInForce

GTC, IOC, OPG = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.OPG
PRICES = st.integers(97, 103)
LOTS = st.integers(1, 9)


# --- price, then time ---------------------------------------------------------------------------


class OneLotAtATime:
    """Price-time priority with two lists and no cleverness: every fill is one lot."""

    def __init__(self):
        self.resting = []  # [name, side, price, lots left], oldest first
        self.market = {Side.SELL: [0, 0], Side.BUY: [0, 0]}  # who stands there: [price, lots]
        self.fills = defaultdict(int)  # (order, price): lots

    def shows(self, bid, ask, bid_size, ask_size):
        self.market = {Side.SELL: [ask, ask_size], Side.BUY: [bid, bid_size]}
        for side in (Side.BUY, Side.SELL):
            shown = self.market[side.opposite]
            for entry in self._in_line(side):
                while entry[3] and shown[1] and _reaches(side, entry[2], shown[0]):
                    self._fill(entry, entry[2])
                    shown[1] -= 1
        self._forget()

    def comes(self, name, side, price, qty, tif):
        mine = [name, side, price, qty]
        while mine[3]:
            line = self._in_line(side.opposite)
            shown = self.market[side.opposite]
            offers = [(entry[2], 0, entry) for entry in line[:1]]
            if shown[1]:
                offers.append((shown[0], 1, shown))
            offers = [one for one in offers if price is None or _reaches(side, price, one[0])]
            if not offers:
                break
            at, is_market, counter = min(offers, key=lambda one: (one[0] * side.sign, one[1]))
            if is_market:
                shown[1] -= 1
            else:
                self._fill(counter, at)
                self._forget()
            self._fill(mine, at)
        if mine[3] and price is not None and tif is GTC:
            self.resting.append(mine)

    def goes(self, name):
        self.resting = [entry for entry in self.resting if entry[0] != name]

    def _in_line(self, side):
        line = [entry for entry in self.resting if entry[1] is side]
        return sorted(line, key=lambda entry: -entry[2] * side.sign)  # stable: oldest first

    def _fill(self, entry, price):
        entry[3] -= 1
        self.fills[entry[0], price] += 1

    def _forget(self):
        self.resting = [entry for entry in self.resting if entry[3]]


def _reaches(side, limit, price):
    return price * side.sign <= limit * side.sign


arrivals = st.tuples(
    st.just("comes"),
    st.sampled_from([Side.BUY, Side.SELL]),
    st.none() | PRICES,
    LOTS,
    st.sampled_from([GTC, IOC]),
)
showings = st.tuples(
    st.just("shows"), PRICES, st.integers(1, 3), st.integers(0, 9), st.integers(0, 9)
)
goings = st.tuples(st.just("goes"), st.integers(0, 20))


@given(st.lists(st.one_of(arrivals, arrivals, showings, goings), max_size=30))
@settings(max_examples=300)
def test_price_and_time_decide_as_in_a_book_of_two_lists(happenings):
    engine = Engine(Policy(internal_crossing=True, beyond_touch=BeyondTouch.STOP))
    reference, fills = OneLotAtATime(), defaultdict(int)
    for turn, happening in enumerate(happenings):
        name = f"o{turn}"
        if happening[0] == "shows":
            _, bid, spread, bid_size, ask_size = happening
            event = quote(bid, bid + spread, bid_size, ask_size)
            reference.shows(bid, bid + spread, bid_size, ask_size)
        elif happening[0] == "comes":
            _, side, price, qty, tif = happening
            tif = IOC if price is None else tif
            event = order(name, side, qty, price, tif=tif, account=name)
            reference.comes(name, side, price, qty, tif)
        else:
            event = Cancel(1, f"o{happening[1]}", "c")
            reference.goes(f"o{happening[1]}")
        for order_id, lots, price in trades(engine.apply(event)):
            fills[order_id, price] += lots
        assert fills == reference.fills
        left = {order.order_id: order.leaves_qty for order in engine.working}
        assert left == {entry[0]: entry[3] for entry in reference.resting}


# --- queue position and volume caps -------------------------------------------------------------


@given(
    displayed=st.integers(0, 30),
    traded=st.lists(st.tuples(st.integers(98, 101), st.integers(1, 20)), max_size=12),
    cap=st.sampled_from([1_000, 5_000, 10_000]),
)
def test_at_our_price_only_what_exceeds_the_queue_reaches_us(displayed, traded, cap):
    engine = Engine(Policy(volume_cap_bp=cap))
    engine.apply(quote(99, 102, displayed, 5))
    engine.apply(buy("b", 1000, 99, tif=GTC))
    ahead, carry = displayed, 0
    for price, size in traded:
        share, carry = divmod(size * cap + carry, 10_000)
        if price < 99:
            expected = share
        elif price == 99:
            expected = min(share, max(0, size - ahead))
            ahead = max(0, ahead - size)
        else:
            expected = 0
        reached_us = sum(lots for _, lots, _ in trades(engine.apply(trade(price, size))))
        assert reached_us == expected


@given(
    st.lists(st.tuples(st.sampled_from(Side), st.none() | PRICES, LOTS), max_size=10),
    st.none() | PRICES,
    st.integers(0, 200),
    st.sampled_from([1_000, 10_000]),
)
def test_an_auction_gives_its_share_at_one_price_to_whom_it_suits(entered, price, volume, cap):
    engine = Engine(Policy(auction_cap_bp=cap))
    names = {}
    for turn, (side, limit, qty) in enumerate(entered):
        names[f"o{turn}"] = (side, limit)
        engine.apply(order(f"o{turn}", side, qty, limit, tif=OPG))
    reports = engine.apply(Auction(2, OPG, price, volume))
    made = trades(reports)
    assert engine.working == ()
    assert sum(lots for _, lots, _ in made) * 10_000 <= volume * cap
    for name, _, at in made:
        side, limit = names[name]
        assert at == price
        assert limit is None or _reaches(side, limit, price)
    ended = [r for r in reports if r.exec_type is ExecType.EXPIRED]
    assert {r.order_id for r in ended} | {
        r.order_id for r in reports if r.ord_status is OrdStatus.FILLED
    } == set(names)


# --- trails -------------------------------------------------------------------------------------


@given(
    st.sampled_from([Side.BUY, Side.SELL]),
    st.lists(st.integers(80, 120), min_size=1, max_size=25),
    st.one_of(
        st.builds(Trail, offset=st.integers(1, 9)),
        st.builds(Trail, percent=st.integers(1, 900)),
        st.builds(Trail, offset=st.integers(1, 9), activation_px=st.integers(85, 115)),
    ),
)
def test_a_trail_stops_where_exact_arithmetic_says(side, prices, trail):
    """The stop keeps its distance from the best price since activation, rounded away."""
    engine = Engine()
    engine.apply(quote(79, 121, last=100))
    terms = Trigger(trail=trail)
    first = engine.apply(order("t", side, 1, tif=GTC, trigger=terms))
    if first[0].exec_type is ExecType.REJECTED:
        return
    anchor = stop = None
    for step, price in enumerate([100, *prices]):
        fired = False
        if step:
            reports = engine.apply(quote(79, 121, last=price))
            fired = any(r.exec_type is ExecType.TRIGGERED for r in reports)
        active = trail.activation_px is None or anchor is not None
        active = active or side.sign * price <= side.sign * trail.activation_px
        if active:
            best = min if side is Side.BUY else max
            anchor = price if anchor is None else best(anchor, price)
            distance = trail.offset or anchor * Fraction(trail.percent, 10_000)
            exact = anchor + side.sign * distance
            rounded = -(-exact // 1) if side is Side.BUY else exact // 1
            stop = rounded if stop is None else best(stop, rounded)
        reached = stop is not None and side.sign * price >= side.sign * stop
        assert fired == (reached and step > 0)
        if fired:
            return
        assert engine.find("t").trigger.stop_px == stop


# --- what is not a number of ours ---------------------------------------------------------------


def test_a_sale_and_a_purchase_are_mirrors():
    """Prices turned round at 100, sides exchanged: the same fills."""
    up = Engine()
    down = Engine()
    days = [
        (quote(99, 101, 4, 6), quote(99, 101, 6, 4)),
        (buy("x", 8, 102, tif=GTC), sell("x", 8, 98, tif=GTC)),
        (quote(100, 102, 5, 5), quote(98, 100, 5, 5)),
        (quote(98, 99, 5, 5), quote(101, 102, 5, 5)),
    ]
    for one, other in days:
        fills = trades(up.apply(one))
        mirrored = [(name, lots, 200 - price) for name, lots, price in trades(down.apply(other))]
        assert fills == mirrored
