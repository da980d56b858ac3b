"""A venue that takes another order than it was asked to take."""

import pytest

from brokers.adapters.paper.adapter import PaperBroker
from oms.models import Break, Command

STOP = {"ord_type": "STOP", "stop_px": "950", "tif": "GTC"}


@pytest.fixture
def misheard(monkeypatch):
    """The venue's acknowledgement says another thing."""
    parse = PaperBroker.parse

    def _misheard(word: str, instead: str) -> None:
        def twisted(raw: bytes):
            if b'"exec_type":"NEW"' in raw.replace(b": ", b":"):
                raw = raw.replace(word.encode(), instead.encode())
            return parse(raw)

        monkeypatch.setattr(PaperBroker, "parse", staticmethod(twisted))

    return _misheard


@pytest.mark.parametrize(
    ("word", "instead", "theirs"),
    [
        ('"STOP"', '"MARKET"', "ord_type MARKET"),
        ('"GTC"', '"DAY"', "time_in_force DAY"),
        ('"950"', '"951"', "stop_px 951"),
    ],
)
def test_an_order_the_venue_took_as_another_is_cancelled_at_once_with_an_alarm(
    misheard, gateway, market, alice, desk, word, instead, theirs
):
    misheard(word, instead)
    order_id = alice.placed("SELL", "10", **STOP)
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("CANCELED", "0")
    assert [row.kind for row in desk.rows(Command, order_id=order_id)] == ["NEW", "CANCEL"]
    (alarm,) = desk.rows(Break, account_id=desk.account_id, kind="ECHO_MISMATCH")
    assert (alarm.subject, alarm.theirs) == (order_id, theirs)


def test_a_venue_that_repeats_the_order_is_left_alone(gateway, market, alice, desk):
    for terms in (STOP, {"price": "950", "tif": "DAY"}):
        order_id = alice.placed("SELL" if "stop_px" in terms else "BUY", "10", **terms)
        assert alice.until_status(order_id, "NEW")["pending"] == []
    assert desk.rows(Break, account_id=desk.account_id, kind="ECHO_MISMATCH") == []
