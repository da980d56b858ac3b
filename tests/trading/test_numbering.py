"""Numbers that must rise: a venue that forgets them may not have an order amended for a new one."""

import pytest

from trading.numbering import Numbers


def test_each_number_is_taken_once() -> None:
    one = Numbers().take()
    assert (one.taken, one.take().taken) == (1, 2)


def test_numbers_used_by_others_are_passed() -> None:
    assert Numbers(taken=4, shown=4).connected(12).take().taken == 12


def test_a_number_that_may_still_arrive_is_no_sign_of_a_reset() -> None:
    after = Numbers(taken=7, shown=6).connected(7)
    assert not after.frozen
    assert after.take().taken == 8


def test_a_venue_that_went_back_gets_no_new_order_until_a_person_resumes() -> None:
    back = Numbers(taken=9).seen(7).connected(3)
    assert back.frozen
    with pytest.raises(ValueError, match="resumes above them"):
        back.take()
    assert back.connected(20).frozen
    with pytest.raises(ValueError, match="above 9"):
        back.resumed(9)
    assert back.resumed(1_000).take().taken == 1_000


def test_what_was_shown_never_falls() -> None:
    assert Numbers(shown=5).seen(3).shown == 5
