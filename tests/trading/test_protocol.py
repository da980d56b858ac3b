"""What an answer, or its absence, means for a command that may have happened."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from trading import protocol
from trading.protocol import Answer, Look, Step
from trading.vocabulary import CommandKind, CxlRejReason

NEW, CANCEL, REPLACE = CommandKind.NEW, CommandKind.CANCEL, CommandKind.REPLACE
T = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
QUIET = timedelta(seconds=1)
VALID_UNTIL = T + timedelta(seconds=5)


def look(second: float, *, found: bool = False, complete: bool = True) -> Look:
    return Look(T + timedelta(seconds=second), found, complete)


def proven(*looks: Look, at: float = 20) -> bool:
    now = T + timedelta(seconds=at)
    return protocol.absence_proven(looks, valid_until=VALID_UNTIL, quiet=QUIET, now=now)


def test_absence_takes_two_complete_looks_the_later_after_the_quiet_time() -> None:
    assert proven(look(3), look(7))
    assert not proven(look(1), look(4))
    assert not proven(look(1), look(4), look(7, complete=False))
    assert not proven(look(6), look(7))
    assert not proven(look(7))
    assert not proven(look(0, found=True), look(3), look(7))
    assert not proven(look(3), look(7), at=5.9)


def test_a_duplicate_proves_existence_and_an_early_cancel_waits() -> None:
    duplicate = protocol.settle(NEW, Answer.REFUSED, proves_existence=True)
    assert duplicate is Answer.UNKNOWN
    unknown = {"reason": CxlRejReason.UNKNOWN_ORDER}
    early = protocol.settle(CANCEL, Answer.REFUSED, new_is_open=True, **unknown)
    assert early is Answer.NOT_EXECUTED
    assert protocol.settle(CANCEL, Answer.REFUSED, **unknown) is Answer.REFUSED
    for answer in (Answer.ACCEPTED, Answer.UNKNOWN, Answer.NOT_EXECUTED):
        assert protocol.settle(REPLACE, answer) is answer


def test_not_executed_says_nothing_of_an_earlier_attempt() -> None:
    again = {"was_unknown": True}
    assert protocol.settle(NEW, Answer.NOT_EXECUTED, **again) is Answer.UNKNOWN
    early = {"reason": CxlRejReason.UNKNOWN_ORDER, "new_is_open": True}
    assert protocol.settle(CANCEL, Answer.REFUSED, **early, **again) is Answer.UNKNOWN
    for answer in (Answer.ACCEPTED, Answer.REFUSED):
        assert protocol.settle(NEW, answer, **again) is answer


@pytest.mark.parametrize(
    ("kind", "full", "second", "step"),
    [
        (CANCEL, False, 0, Step.RESEND),
        (NEW, True, 5.9, Step.WAIT),
        (NEW, True, 6, Step.RESEND),
        (NEW, False, 6, Step.PROVE),
        (REPLACE, False, 5, Step.WAIT),
    ],
)
def test_only_what_cannot_become_two_is_sent_again(kind, full, second, step) -> None:
    now = T + timedelta(seconds=second)
    found = protocol.next_step(
        kind, dedup_is_full=full, valid_until=VALID_UNTIL, quiet=QUIET, now=now
    )
    assert found is step


def test_a_cancel_is_repeated_until_something_answers_it() -> None:
    assert protocol.may_resend(CANCEL, 1000)
    assert [protocol.may_resend(NEW, n) for n in (1, 2, 3)] == [True, True, False]


def test_a_request_is_overtaken_once_nothing_is_left_and_it_cannot_arrive_any_more() -> None:
    def overtaken(kind: CommandKind, leaves: int, second: float) -> bool:
        return protocol.overtaken(
            kind,
            leaves_qty=Decimal(leaves),
            valid_until=VALID_UNTIL,
            quiet=QUIET,
            now=T + timedelta(seconds=second),
        )

    assert overtaken(CANCEL, 0, 6)
    assert overtaken(REPLACE, 0, 6)
    assert not overtaken(CANCEL, 0, 5.9)
    assert not overtaken(CANCEL, 1, 6)
    assert not overtaken(NEW, 0, 6)


def test_look_ups_come_ever_more_slowly() -> None:
    waits = [protocol.next_lookup(n).total_seconds() for n in range(8)]
    assert waits == [0.5, 1, 2, 5, 10, 30, 60, 60]
