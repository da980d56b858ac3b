"""A recording convicts whoever changes a word, a fill or a fee of it."""

import json
from decimal import Decimal

import pytest

from tests.trading.matching.floor_talk import buy, quote, sell
from trading.fees import ZERO, Charged, FeeSchedule, FeeTier, fee_of
from trading.matching import Engine
from trading.matching.recording import OrderTerms, Recording, execution_of, replay
from trading.matching.scale import Scale
from trading.vocabulary import ExecType

SPX = Scale("SPX", Decimal("0.25"), Decimal(10))
RATES = FeeSchedule(
    tiers=(FeeTier(ZERO, maker_bps=Decimal("0.5"), taker_bps=Decimal(1)),),
    per_unit=Decimal("0.01"),
    minimum=Decimal(2),
)
TERMS = OrderTerms(Decimal(5), RATES, Charged())


def recorded() -> list[str]:
    """Two orders that trade in parts, written down as a venue would."""
    lines: list[str] = []
    recording, engine = Recording(lines.append), Engine()
    recording.engine(SPX, engine)
    charged = {}
    asks = [quote(ask_size=3), buy("b", 5, 101), sell("s", 4, 103)]
    events = [*asks, quote(bid=103, ask=104)]
    for event in events:
        if hasattr(event, "order_id"):
            recording.order(SPX, event.order_id, TERMS)
        recording.event(SPX, event)
        for report in engine.apply(event):
            fee = ZERO
            if report.exec_type is ExecType.TRADE:
                before = charged.get(report.order_id, TERMS.charged)
                execution = execution_of(SPX, report, TERMS.multiplier)
                fee, charged[report.order_id] = fee_of(RATES, execution, before)
            recording.said(SPX, report, fee)
    return lines


def test_a_recording_plays_out_the_same():
    lines = recorded()
    said = [line for line in lines if '"kind":"said"' in line]
    assert (replay(lines).said, replay(lines).difference) == (len(said), "")
    assert '"last_px":"25.25"' in "".join(said)


@pytest.mark.parametrize("field", ["last_px", "fee", "cum_qty", "order_id", "exec_type", "at"])
def test_a_changed_word_is_found(field):
    lines = recorded()
    at = next(n for n, line in enumerate(lines) if '"exec_type":"TRADE"' in line)
    content = json.loads(lines[at]) | {field: "1"}
    lines[at] = json.dumps(content, sort_keys=True, separators=(",", ":"))
    outcome = replay(lines)
    assert outcome.difference.startswith(f"line {at + 1}:")
    assert outcome.said < len([line for line in lines if '"kind":"said"' in line])


def test_a_word_left_out_or_made_up_is_found():
    lines = recorded()
    said = [n for n, line in enumerate(lines) if '"kind":"said"' in line]
    assert replay(lines[: said[-1]]).difference.startswith("now also")
    assert "nothing" in replay([*lines, lines[said[-1]]]).difference


def test_another_fee_schedule_is_found():
    lines = [line.replace('"minimum":"2"', '"minimum":"3"') for line in recorded()]
    assert "fee" in replay(lines).difference
