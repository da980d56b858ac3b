"""Integers only, no chance but a seed, nothing missed: laws of the engine as a whole."""

import ast
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trading.matching
from tests.trading.matching.floor_talk import buy, engine, quote, said, sell
from tests.trading.matching.test_matching_properties import events, policies, quotes, run
from trading.matching import Cancel, MarketLost, Peg, Trail, Trigger
from trading.matching.latency import Delay, Latency, Line
from trading.vocabulary import ExecType, PegPriceType, TimeInForce, TriggerPriceType

GTC = TimeInForce.GTC
SOURCES = sorted(Path(trading.matching.__file__).parent.glob("*.py"))
DECIMALS = {"scale.py", "recording.py"}
"""Where ticks and lots become decimals again, at the edge."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_engine_knows_no_fractions_no_clock_and_no_chance(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            assert not isinstance(node.value, float), f"a float in line {node.lineno}"
        if isinstance(node, ast.BinOp) and path.name not in DECIMALS:
            assert not isinstance(node.op, ast.Div), f"a division in line {node.lineno}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            assert not names & {"time", "random", "math", "secrets", "uuid", "django"}


@given(policies, events)
def test_every_figure_that_comes_out_is_an_integer(policy, drawn):
    played, steps = run(policy, drawn)
    figures = [asdict(report) for _, reports in steps for report in reports]
    figures.append(asdict(played.dump()))
    assert not list(_floats(figures))


def _floats(value):
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _floats(item)


A_DAY = """
from random import Random
from hashlib import sha256
from tests.trading.matching.floor_talk import order, quote, trade
from trading.matching import Cancel, Engine, Peg, Policy, QueueModel, Trail, Trigger, tape
from trading.vocabulary import Side, TimeInForce
chance = Random(7)
engine = Engine(Policy(internal_crossing=True, queue_model=QueueModel.PROBABILISTIC))
seen = sha256()
for at in range(1, 1500):
    bid = 95 + chance.randrange(10)
    price = 95 + chance.randrange(12)
    kind = chance.randrange(8)
    made = {"tif": TimeInForce.GTC, "account": chance.choice("ABCD"), "at": at}
    if kind == 1:
        made["trigger"] = Trigger(trail=Trail(offset=1 + chance.randrange(5)))
        price = None
    if kind == 2:
        made["peg"] = Peg(offset=chance.randrange(-1, 2))
    event = {
        4: quote(bid, bid + 1, chance.randrange(9), chance.randrange(9), at, last=bid),
        5: quote(bid, bid + 2, chance.randrange(9), chance.randrange(9), at, last=bid),
        6: trade(price or bid, chance.randrange(40), at),
        7: Cancel(at, f"o{chance.randrange(at)}", "c"),
    }.get(kind)
    side, qty = chance.choice(list(Side)), 1 + chance.randrange(9)
    event = event or order(f"o{at}", side, qty, price, **made)
    for report in engine.apply(event):
        seen.update(tape.report_line(report).encode())
print(seen.hexdigest(), engine.dump().last_seq)
"""


def test_no_run_depends_on_how_python_hashes():
    root = Path(trading.matching.__file__).parents[2]
    said_by = set()
    for seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", A_DAY],
            env=environment,
            cwd=root,
            capture_output=True,
            check=True,
        )
        said_by.add(done.stdout)
    (alike,) = said_by
    assert int(alike.split()[1]) > 1000, "a day on which something happened"


# --- which quotes matter ------------------------------------------------------------------------

WAITS = {
    "a stop": {"trigger": Trigger(95)},
    "a stop by the bid": {"trigger": Trigger(95, price_type=TriggerPriceType.BID_ASK)},
    "a trail": {"trigger": Trigger(trail=Trail(offset=5))},
    "a peg": {"peg": Peg(PegPriceType.PRIMARY), "price": 90},
}
SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("waits", "tick", "matters"),
    [
        ("a stop", quote(98, 99, last=96), False),
        ("a stop", quote(98, 99, last=95), True),
        ("a stop by the bid", quote(96, 97, last=90), False),
        ("a stop by the bid", quote(95, 97, last=99), True),
        ("a trail", quote(98, 99, last=99), False),
        ("a trail", quote(100, 101, last=104), False),  # it moves; that is told later
        ("a trail", quote(100, 101, at=2 * SECOND, last=104), True),
        ("a trail", quote(100, 101, at=2 * SECOND, last=100), False),
        ("a trail", quote(94, 95, last=95), True),
        ("a peg", quote(99, 101, last=1), False),  # a sale follows the offer
        ("a peg", quote(100, 102, last=100), True),
        ("a stop", MarketLost(1), False),
        ("a peg", MarketLost(1), True),
    ],
)
def test_a_quote_is_told_of_exactly_where_it_moves_what_waits(waits, tick, matters):
    floor = engine(quote(100, 101, last=100), sell("w", 5, tif=GTC, **WAITS[waits]))
    before = floor.working
    assert floor.would_change(tick) is matters
    assert floor.working == before, "asking changes nothing"
    assert bool(floor.apply(tick)) is matters


@given(policies, events, quotes())
def test_a_quote_that_is_reported_was_announced(policy, drawn, tick):
    played, _ = run(policy, drawn)
    tick = replace(tick, at=10_000)
    announced = played.would_change(tick)
    reports = [r for r in played.apply(tick) if r.exec_type is not ExecType.EXPIRED]
    assert announced or not reports


# --- the line to the market ---------------------------------------------------------------------

delays = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda two: Delay(*sorted(two)))


@given(delays, delays, st.lists(st.integers(0, 30), min_size=1, max_size=10))
def test_commands_keep_their_order_and_nobody_knows_before_the_line_has_told(
    inbound, outbound, pauses
):
    line = Line(engine(quote(99, 101)), Latency(inbound, outbound, seed="s"))
    at, sent = 1, []
    for turn, pause in enumerate(pauses):
        at += pause
        line.send(buy(f"o{turn}", 1, 90, tif=GTC, at=at))
        line.send(Cancel(at, f"o{turn}", "c"))
        sent += [(f"o{turn}", ExecType.NEW, at), (f"o{turn}", ExecType.CANCELED, at)]
    line.until(10_000)
    heard = list(line.delivered(10_000))
    assert said([one.report for one in heard]) == [(name, what) for name, what, _ in sent]
    for one, (_, _, began) in zip(heard, sent, strict=True):
        assert one.report.at - began >= inbound.least
        assert one.at - one.report.at >= outbound.least
    assert [one.at for one in heard] == sorted(one.at for one in heard)
