"""What must hold for any sequence of events, not only for the ones we thought of."""

import json
from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import given, settings

from trading.matching import (
    Cancel,
    Engine,
    NewOrder,
    Policy,
    QuoteTick,
    Replace,
    SessionClose,
    state_from_json,
    state_to_json,
)
from trading.matching.values import BeyondTouch, Liquidity
from trading.vocabulary import ExecType, OrdStatus, OrdType, Side, TimeInForce

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


@st.composite
def news(draw):
    market = draw(st.booleans()) and draw(st.booleans())
    return NewOrder(
        0,
        "",
        draw(st.sampled_from("AB")),
        draw(st.sampled_from(Side)),
        OrdType.MARKET if market else OrdType.LIMIT,
        draw(st.sampled_from(TimeInForce)),
        draw(lots),
        None if market else draw(prices),
    )


any_order = st.integers(0, 12).map(lambda n: f"o{n}")
cancels = st.builds(Cancel, st.just(0), any_order, st.just("c"))
replaces = st.builds(
    Replace, st.just(0), any_order, st.just("r"), lots, prices, st.sampled_from(TimeInForce)
)
events = st.lists(
    st.one_of(quotes(), news(), news(), cancels, replaces, st.just(SessionClose(0))), max_size=40
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


@given(policies, events)
def test_fill_or_kill_fills_wholly_or_not_at_all(policy, drawn):
    _, steps = run(policy, drawn)
    for event, reports in steps:
        if isinstance(event, NewOrder) and event.time_in_force is TimeInForce.FOK:
            own = [report for report in reports if report.order_id == event.order_id]
            assert own[-1].cum_qty in (0, event.qty)
            assert own[-1].ord_status in CLOSED


@given(policies, events)
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


@given(policies, events)
def test_price_then_time_decides_who_is_filled_by_a_quote(policy, drawn):
    engine = Engine(policy)
    for event in numbered(drawn):
        before = {order.order_id: order for order in engine.working}
        reports = engine.apply(event)
        if not isinstance(event, QuoteTick):
            continue
        for sign in (1, -1):
            mine = [order for order in before.values() if order.side.sign == sign]
            ranked = sorted(mine, key=lambda o: (-o.price * o.side.sign, o.priority))
            filled = [r.order_id for r in reports if before[r.order_id].side.sign == sign]
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
def test_would_fill_tells_exactly_whether_a_quote_has_an_effect(policy, drawn, tick):
    engine, _ = run(policy, drawn)
    expected = engine.would_fill(tick)
    assert bool(engine.on_quote(replace(tick, at=10_000))) == expected
