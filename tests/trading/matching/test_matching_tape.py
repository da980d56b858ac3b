"""What one engine saw, another one plays: the same reports, byte for byte."""

import pytest
from hypothesis import given, settings

from tests.trading.matching.floor_talk import buy, quote, trade
from tests.trading.matching.test_matching_properties import events, numbered, policies
from trading.matching import Engine
from trading.matching.tape import UnreadableTape, begin, line_of, play, report_line


@given(policies, events)
@settings(max_examples=60)
def test_a_recorded_run_plays_the_same_reports_byte_for_byte(policy, drawn):
    engine = Engine(policy)
    tape, said = [begin(engine)], []
    for event in numbered(drawn):
        tape.append(line_of(event))
        said += [report_line(report) for report in engine.apply(event)]
    assert [report_line(report) for report in play(tape)] == said


def test_a_tape_may_begin_in_the_middle_of_a_run():
    engine = Engine()
    engine.apply(quote(bid=100, ask=102, at=1))
    engine.apply(buy("mine", 5, 101, at=2))
    tape, event = [begin(engine)], quote(bid=100, ask=101, at=3)
    tape.append(line_of(event))
    assert list(play(tape)) == engine.apply(event)


@pytest.mark.parametrize(
    "line", ["", "{}", "[]", '{"event":"Wish"}', '{"event":"QuoteTick","colour":1}']
)
def test_a_line_nobody_wrote_is_named(line):
    tape = [begin(Engine()), line_of(trade(100, 1)), line]
    with pytest.raises(UnreadableTape, match="line 3"):
        list(play(tape))
