"""Seeded schedules over the real core. OMS_TEST_SCHEDULES says how many (CI 20,000, nightly 1 M).

``python -m tests.reliability --seed S`` runs more of them; a schedule that ever failed lies in
``schedules`` and is played for ever.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.reliability import schedule as schedules
from tests.reliability.invariants import Violated, check_end
from tests.reliability.lookups import LAG_MS
from tests.reliability.schedule import DEDUPS, Schedule, make
from tests.reliability.shrink import fails, shrink
from tests.reliability.venue import Personality
from tests.reliability.world import World, run
from trading.orders.reports import to_json
from trading.orders.state import OrderState, facts_json

SAVED = sorted((Path(__file__).parent / "schedules").glob("*.json"))
COUNT = int(os.environ.get("OMS_TEST_SCHEDULES", "1000"))
SEED = int(os.environ.get("OMS_TEST_SEED", "1"))
ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(120 + COUNT // 10)
def test_schedules_hold() -> None:
    for seed in range(SEED, SEED + COUNT):
        try:
            run(make(seed), replay=seed % 4 == 0)
        except Exception as failure:  # noqa: BLE001 - the seed is what one needs to know
            pytest.fail(f"python -m tests.reliability --seed {seed} --schedules 1: {failure}")


@pytest.mark.parametrize("path", SAVED, ids=lambda path: path.stem)
def test_a_schedule_that_once_failed_holds(path: Path) -> None:
    run(Schedule.from_json(json.loads(path.read_text())), replay=True)


def trace(seed: int) -> str:
    desk = run(make(seed))
    return json.dumps(
        [[facts_json(one.state), [to_json(report) for report in one.log]] for one in desk.orders]
    )


def test_a_seed_says_everything() -> None:
    for seed in range(5):
        assert trace(seed) == trace(seed)
        copy = Schedule.from_json(json.loads(json.dumps(make(seed).to_json())))
        assert copy == make(seed)


def test_every_fault_is_drawn_somewhere() -> None:
    drawn = {str(word) for seed in range(200) for step in make(seed).steps for word in step}
    wanted = {*schedules.SEND_FATES, *schedules.DELIVERIES, *schedules.VENUE_FAULTS}
    assert wanted | set(schedules.FAULTS) <= drawn
    venues = [one for seed in range(50) for one in make(seed).venues]
    assert {one.dedup for one in venues} == set(DEDUPS)
    assert {bool(one.budget) for one in venues} == {True, False}
    assert {len(make(seed).venues) for seed in range(50)} == {1, 2, 3}


def test_a_failure_is_shrunk_to_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OrderState, "leaves_qty", property(lambda self: self.order_qty))
    whole = make(1)
    with pytest.raises(Violated) as failure:
        run(whole)
    small = shrink(whole, failure.value)
    assert len(small.steps) <= 6
    assert fails(small) is not None
    monkeypatch.undo()
    assert fails(small) is None


@pytest.mark.timeout(300)
def test_planted_faults_are_noticed() -> None:
    """The short form of ``python -m tests.reliability.mutants``: every fifth fault."""
    command = [sys.executable, "-m", "tests.reliability.mutants", "--every", "5"]
    done = subprocess.run(
        [*command, "--schedules", "400"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 of 10 planted faults noticed" in done.stdout


NUMBER = st.integers(0, (1 << 16) - 1)
QTY, PX = st.integers(1, 20), st.integers(1, 50)


class Life(RuleBasedStateMachine):
    """The same world, driven by Hypothesis, which looks for the smallest thing that breaks it."""

    @initialize(
        venues=st.lists(
            st.builds(
                Personality,
                dedup=st.sampled_from(DEDUPS),
                sequenced=st.booleans(),
                lag=st.sampled_from([0, LAG_MS]),
                echoes=st.booleans(),
                budget=st.sampled_from([0, 2]),
                trims=st.booleans(),
            ),
            min_size=1,
            max_size=2,
        )
    )
    def begin(self, venues: list[Personality]) -> None:
        self.world = World(Schedule(tuple(venues), []))

    @rule(n=NUMBER, qty=st.integers(4, 40), px=PX, tif=st.sampled_from(["DAY", "GTC", "IOC"]))
    def order(self, n: int, qty: int, px: int, tif: str) -> None:
        if len(self.world.desk.orders) < 4:
            self.world.play(["new", n % 2, qty, px, tif, n >> 1])

    @rule(fate=st.sampled_from(["ok", *schedules.SEND_FATES]))
    def send(self, fate: str) -> None:
        self.world.play(["send", fate])

    @rule(n=NUMBER, way=st.sampled_from(["next", *schedules.DELIVERIES]))
    def deliver(self, n: int, way: str) -> None:
        self.world.play(["deliver", n, way])

    @rule(
        word=st.sampled_from(
            ["cancel", "replace", "trade", "over", "bust", "correct", "restate", "done", "conflict"]
        ),
        n=NUMBER,
        pick=NUMBER,
        qty=QTY,
        px=PX,
    )
    def happen(self, word: str, n: int, pick: int, qty: int, px: int) -> None:
        self.world.play([word, n, pick, qty, px])

    @rule(n=NUMBER, word=st.sampled_from(["CANCELED", "EXPIRED", "REJECTED"]))
    def end(self, n: int, word: str) -> None:
        self.world.play(["end", n, word])

    @rule(ms=st.sampled_from([200, 2_500, 12_000]), complete=st.booleans())
    def wait(self, ms: int, complete: bool) -> None:
        self.world.play(["tick", ms, complete])

    @rule(n=NUMBER, down=st.booleans())
    def link(self, n: int, down: bool) -> None:
        self.world.play(["outage", down, n])

    @rule(n=NUMBER, word=st.sampled_from(["id_reset", "id_jump"]))
    def renumber(self, n: int, word: str) -> None:
        self.world.play([word, n])

    @rule(commits=st.integers(0, 6))
    def crash(self, commits: int) -> None:
        self.world.play(["crash", commits] if commits else ["restart"])

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.heal()
            check_end(self.world.desk, replay=True)


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=int(os.environ.get("OMS_TEST_LIVES", "60")),
    stateful_step_count=30,
    deadline=None,
)
