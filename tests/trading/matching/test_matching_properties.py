"""What must hold for any sequence of events, not only for the ones we thought of."""

import json
from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import given, settings

from trading.matching import (
    Auction,
    BeyondTouch,
    BookDelta,
    BookSnapshot,
    Cancel,
    Delisting,
    EndReason,
    Engine,
    Liquidity,
    NewOrder,
    Peg,
    Phase,
    Policy,
    QuoteTick,
    Replace,
    SessionPhase,
    Split,
    Timer,
    TradeTick,
    Trail,
    Trigger,
    state_from_json,
    state_to_json,
)
from trading.matching.floor import rests
from trading.vocabulary import (
    ExecType,
    OrdStatus,
    OrdType,
    PegPriceType,
    Side,
    TimeInForce,
    TriggerPriceType,
)

CLOSED = {OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.REJECTED, OrdStatus.FILLED}

policies = st.builds(
    Policy,
    beyond_touch=st.sampled_from(BeyondTouch),
    max_levels=st.integers(1, 5),
    internal_crossing=st.booleans(),
)
prices = st.integers(95, 105)
lots = st.integers(1, 30)


@st.composite
def quotes(draw):
    bid = draw(st.integers(94, 104))
    ask = bid + draw(st.integers(1, 3))
    return QuoteTick(0, bid, ask, draw(st.integers(0, 15)), draw(st.integers(0, 15)))


limit_orders = st.builds(
    NewOrder,
    at=st.just(0),
    order_id=st.just(""),
    account=st.sampled_from("AB"),
    side=st.sampled_from(Side),
    ord_type=st.just(OrdType.LIMIT),
    time_in_force=st.sampled_from(TimeInForce),
    qty=lots,
    price=prices,
)
market_orders = st.builds(
    NewOrder,
    at=st.just(0),
    order_id=st.just(""),
    account=st.sampled_from("AB"),
    side=st.sampled_from(Side),
    ord_type=st.just(OrdType.MARKET),
    time_in_force=st.sampled_from(TimeInForce),
    qty=lots,
)
distances = st.one_of(
    st.builds(Trail, offset=st.integers(1, 4), limit_offset=st.none()),
    st.builds(Trail, percent=st.integers(50, 400), activation_px=st.none() | prices),
)
triggers = st.one_of(
    st.builds(
        Trigger,
        stop_px=prices,
        touch=st.booleans(),
        price_type=st.sampled_from(TriggerPriceType),
    ),
    st.builds(Trigger, trail=distances, price_type=st.sampled_from(TriggerPriceType)),
)
WHOLE_DAY = st.sampled_from([TimeInForce.DAY, TimeInForce.GTC])


@st.composite
def special_orders(draw):
    """One order with one of the instructions that go beyond price and quantity."""
    kind = draw(st.sampled_from(["stop", "stop limit", "peg", "to limit", "iceberg", "min", "aon",
                                 "post", "timed"]))  # fmt: skip
    plain = draw(market_orders if kind in ("stop", "to limit") else limit_orders)
    changes = {
        "stop": {"trigger": triggers, "time_in_force": WHOLE_DAY},
        "stop limit": {"trigger": triggers, "time_in_force": WHOLE_DAY},
        "peg": {
            "peg": st.builds(Peg, st.sampled_from(PegPriceType), st.integers(-2, 2)),
            "time_in_force": WHOLE_DAY,
        },
        "to limit": {"to_limit": st.just(True), "time_in_force": WHOLE_DAY},
        "iceberg": {"display_qty": st.integers(1, plain.qty), "time_in_force": WHOLE_DAY},
        "min": {"min_qty": st.integers(1, plain.qty), "time_in_force": st.just(TimeInForce.IOC)},
        "aon": {"all_or_none": st.just(True), "time_in_force": WHOLE_DAY},
        "post": {"post_only": st.just(True), "time_in_force": WHOLE_DAY},
        "timed": {"expire_at": st.integers(1, 60), "time_in_force": st.just(TimeInForce.GTD)},
    }[kind]
    return replace(plain, **{name: draw(strategy) for name, strategy in changes.items()})


any_order = st.integers(0, 12).map(lambda n: f"o{n}")
cancels = st.builds(Cancel, st.just(0), any_order, st.just("c"))
replaces = st.builds(
    Replace, st.just(0), any_order, st.just("r"), lots, prices, st.sampled_from(TimeInForce)
)
phases = st.builds(SessionPhase, st.just(0), st.sampled_from([*Phase, Phase.OPEN]))
news = limit_orders | market_orders
simple = st.lists(st.one_of(quotes(), quotes(), news, news, cancels, replaces, phases), max_size=40)

sizes = st.integers(0, 15)


@st.composite
def books(draw):
    bid = draw(st.integers(96, 103))
    bids = tuple((bid - level, draw(sizes)) for level in range(draw(st.integers(0, 3))))
    asks = tuple((bid + 1 + level, draw(sizes)) for level in range(draw(st.integers(0, 3))))
    return BookSnapshot(0, bids, asks)


deltas = st.builds(BookDelta, st.just(0), st.booleans(), prices, sizes, sequence=st.integers(1, 4))
trades = st.builds(
    TradeTick, st.just(0), prices, st.integers(0, 60), st.sampled_from([True, True, False])
)
auctions = st.builds(
    Auction,
    st.just(0),
    st.sampled_from([TimeInForce.OPG, TimeInForce.CLS]),
    st.none() | prices,
    st.integers(0, 300),
)
rare = st.one_of(
    st.just(Split(0, 2, 1)), st.just(Split(0, 1, 3)), st.just(Delisting(0)), st.just(Timer(0))
)
orders = st.one_of(limit_orders, special_orders(), special_orders())
shown = st.one_of(quotes(), quotes(), books(), deltas)
events = st.lists(
    st.one_of(shown, trades, orders, orders, st.one_of(cancels, replaces, phases, auctions, rare)),
    max_size=40,
)


def numbered(drawn):
    """The events with rising times, and orders named by their turn."""
    made = []
    for turn, event in enumerate(drawn):
        stamped = replace(event, at=turn + 1)
        made.append(
            replace(stamped, order_id=f"o{turn}") if isinstance(event, NewOrder) else stamped
        )
    return made


def run(policy, drawn):
    engine = Engine(policy)
    steps = [(event, engine.apply(event)) for event in numbered(drawn)]
    return engine, steps


@given(policies, events)
def test_figures_of_every_order_add_up(policy, drawn):
    engine, steps = run(policy, drawn)
    filled, last = {}, {}
    for _, reports in steps:
        for report in reports:
            if report.exec_type is ExecType.REQUEST_REFUSED:
                continue
            name = report.order_id
            assert last.get(name) is None or last[name].ord_status not in CLOSED, "dead orders rest"
            if report.exec_type is ExecType.TRADE:
                assert report.last_qty > 0
                filled[name] = filled.get(name, 0) + report.last_qty
            if report.reason is EndReason.CORPORATE_ACTION:
                filled[name] = report.cum_qty  # restated: the same holding in other units
            assert report.cum_qty == filled.get(name, 0) <= report.order_qty
            closed = report.ord_status in CLOSED
            assert report.leaves_qty == (0 if closed else report.order_qty - report.cum_qty)
            last[name] = report
    working = {order.order_id for order in engine.working}
    assert working == {name for name, report in last.items() if report.ord_status not in CLOSED}


@given(policies, events)
def test_no_fill_is_worse_than_the_limit_in_force(policy, drawn):
    _, steps = run(policy, drawn)
    sides = {event.order_id: event.side for event, _ in steps if isinstance(event, NewOrder)}
    for _, reports in steps:
        for report in reports:
            if report.exec_type is ExecType.TRADE and report.price is not None:
                better = (report.price - report.last_px) * sides[report.order_id].sign
                assert better >= 0
                if report.liquidity is Liquidity.MAKER:
                    assert better == 0, "resting orders trade at their own price"


@given(policies, simple)
def test_fill_or_kill_fills_wholly_or_not_at_all(policy, drawn):
    _, steps = run(policy, drawn)
    for event, reports in steps:
        if isinstance(event, NewOrder) and event.time_in_force is TimeInForce.FOK:
            own = [report for report in reports if report.order_id == event.order_id]
            assert own[-1].cum_qty in (0, event.qty)
            assert own[-1].ord_status in CLOSED


@given(policies, simple)
def test_one_showing_never_gives_more_than_it_showed(policy, drawn):
    """What the market sells at one price between two quotes is at most the size it displayed."""
    _, steps = run(replace(policy, internal_crossing=False), drawn)
    shown, taken = None, {}
    sides = {event.order_id: event.side for event, _ in steps if isinstance(event, NewOrder)}
    for event, reports in steps:
        if isinstance(event, QuoteTick):
            shown, taken = event, {}
        for report in reports:
            if report.exec_type is not ExecType.TRADE:
                continue
            buys = sides[report.order_id].sign > 0
            touch = shown.ask if buys else shown.bid
            # A resting order trades at its own price, against the size at the touch.
            at = touch if report.liquidity is Liquidity.MAKER else report.last_px
            key = (buys, at)
            taken[key] = taken.get(key, 0) + report.last_qty
            assert taken[key] <= (shown.ask_size if buys else shown.bid_size)


@given(policies, events)
def test_crossing_conserves_every_lot(policy, drawn):
    """Within one arrival, what makers give to the newcomer the newcomer gets from them."""
    _, steps = run(replace(policy, internal_crossing=True), drawn)
    accounts = {event.order_id: event.account for event, _ in steps if isinstance(event, NewOrder)}
    for event, reports in steps:
        if not isinstance(event, NewOrder | Replace):
            continue
        trades = [report for report in reports if report.exec_type is ExecType.TRADE]
        makers = [report for report in trades if report.liquidity is Liquidity.MAKER]
        for maker in makers:
            taker = trades[trades.index(maker) + 1]
            assert (taker.order_id, taker.last_qty, taker.last_px) == (
                event.order_id,
                maker.last_qty,
                maker.last_px,
            )
            assert accounts[maker.order_id] != accounts[taker.order_id], "never with oneself"


@given(policies, simple)
def test_price_then_time_decides_who_is_filled_by_a_quote(policy, drawn):
    engine = Engine(policy)
    for event in numbered(drawn):
        before = {order.order_id: order for order in engine.working}
        reports = engine.apply(event)
        if not isinstance(event, QuoteTick):
            continue
        for sign in (1, -1):
            mine = [order for order in before.values() if order.side.sign == sign and rests(order)]
            ranked = sorted(mine, key=lambda o: (-o.price * o.side.sign, o.priority))
            ids = {order.order_id for order in mine}
            filled = [
                report.order_id
                for report in reports
                if report.liquidity is Liquidity.MAKER and report.order_id in ids
            ]
            assert filled == [order.order_id for order in ranked][: len(filled)]
            for name in filled[:-1]:
                assert engine.find(name) is None, "the next is served only when the first is full"


@given(policies, events, st.data())
@settings(max_examples=60)
def test_stopping_anywhere_and_resuming_changes_nothing(policy, drawn, data):
    uninterrupted, whole = run(policy, drawn)
    cut = data.draw(st.integers(0, len(drawn)))
    engine = Engine(policy)
    reports = []
    for turn, event in enumerate(numbered(drawn)):
        if turn == cut:
            stored = json.dumps(state_to_json(engine.dump()))
            engine = Engine.resume(state_from_json(json.loads(stored)))
        reports.extend(engine.apply(event))
    assert reports == [report for _, made in whole for report in made]
    assert engine.dump() == uninterrupted.dump()


@given(policies, events, quotes())
def test_a_quote_that_would_change_nothing_changes_nothing(policy, drawn, tick):
    engine, _ = run(policy, drawn)
    orders = engine.working
    if not engine.would_change(tick):
        reports = engine.apply(replace(tick, at=10_000))
        ended = {r.order_id for r in reports if r.reason is EndReason.EXPIRE_TIME}
        assert len(ended) == len(reports), "only time has passed"
        working = [order.order_id for order in engine.working]
        assert working == [order.order_id for order in orders if order.order_id not in ended]


@given(policies, events)
def test_our_share_of_a_trade_stays_below_the_cap(policy, drawn):
    engine = Engine(policy)
    traded = filled = 0
    for event in numbered(drawn):
        reports = engine.apply(event)
        if isinstance(event, TradeTick) and event.eligible:
            fired = {r.order_id for r in reports if r.exec_type is ExecType.TRIGGERED}
            traded += event.qty
            filled += sum(r.last_qty for r in reports if r.order_id not in fired)
            assert filled * 10_000 <= traded * policy.volume_cap_bp


@given(policies, events)
def test_nothing_trades_while_the_market_does_not(policy, drawn):
    engine, phase = Engine(policy), Phase.OPEN
    for event in numbered(drawn):
        reports = engine.apply(event)
        phase = event.phase if isinstance(event, SessionPhase) else phase
        if phase is not Phase.OPEN and not isinstance(event, Auction):
            assert not [report for report in reports if report.exec_type is ExecType.TRADE]


@given(policies, events)
def test_a_stop_never_moves_back(policy, drawn):
    engine, stops = Engine(policy), {}
    for event in numbered(drawn):
        engine.apply(event)
        if isinstance(event, Split):
            stops.clear()
        for order in engine.working:
            if order.trigger is None or order.trigger.stop_px is None:
                continue
            stop, before = order.trigger.stop_px, stops.get(order.order_id)
            assert before is None or (stop <= before if order.buy else stop >= before)
            stops[order.order_id] = stop


@given(policies, events)
def test_a_post_only_order_never_takes_what_was_there_when_it_came(policy, drawn):
    engine, careful = Engine(policy), set()
    for event in numbered(drawn):
        if isinstance(event, NewOrder) and event.post_only:
            careful.add(event.order_id)
        for report in engine.apply(event):
            if report.liquidity is Liquidity.TAKER:
                assert report.order_id not in careful
