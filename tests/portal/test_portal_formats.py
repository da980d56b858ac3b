"""What numbers and instants look like; tests/e2e/test_shell.py compares the browser's."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from portal.frame.preferences import preferences_of
from portal.templatetags.blotter import clock, day, iso, number, signed, when, who, zone

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
AT = "2026-11-20T23:30:05.123Z"


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [("1234567.5", None, "1,234,567.5"), ("-0.004", 2, "0.00"), ("0.005", 2, "0.01"),
     ("-2.345", 2, "\u22122.35"), ("9.995", 2, "10.00"), ("0", None, "0"), ("", 2, "\u2014"),
     (None, None, "\u2014"), ("-0", None, "0")],
)  # fmt: skip
def test_numbers_keep_their_digits_and_round_away_from_zero(value, places, text):
    assert number(value, places) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("1.5", "+1.50"), ("-1.5", "\u22121.50"), ("0", "0.00"), ("0.001", "0.00"), ("", "\u2014")],
)
def test_gains_and_losses_carry_a_sign_and_nothing_has_none(value, text):
    assert signed(value) == text


def test_times_are_those_of_the_person_and_utc_is_kept():
    with time_machine.travel(NOON, tick=False), timezone.override(ZoneInfo("Europe/Berlin")):
        assert (day(AT), clock(AT), zone()) == ("2026-11-21", "00:30:05.123", "CET")
        assert when(AT) == "2026-11-21 00:30:05.123"
        assert when("2026-11-20T08:00:00Z") == "09:00:00.000"
        assert iso(AT) == AT
    with timezone.override(ZoneInfo("Asia/Kolkata")):
        assert zone() == "IST"
    with timezone.override(ZoneInfo("Asia/Dubai")):
        assert zone() == "UTC+4"


@pytest.mark.parametrize(
    ("cookies", "key"),
    [({}, "UTC"), ({"bl_browser_zone": "Asia/Tokyo"}, "Asia/Tokyo"),
     ({"bl_browser_zone": "../../etc/passwd"}, "UTC"), ({"bl_browser_zone": "Mars/Olympus"}, "UTC"),
     ({"bl_browser_zone": "\x00"}, "UTC"), ({"bl_zone": "Europe/London"}, "Europe/London"),
     ({"bl_zone": "Europe"}, "UTC"),
     ({"bl_zone": "UTC", "bl_browser_zone": "Asia/Tokyo"}, "UTC")],
)  # fmt: skip
def test_the_zone_is_the_chosen_one_or_the_browsers_or_utc(cookies, key):
    assert preferences_of(cookies).shown_zone.key == key


def test_a_page_names_its_zone_in_heads_and_clock(at_desk, alice, market):
    market.show("100", "101")
    alice.placed(price="90", tif="GTC")
    browser = at_desk("alice")
    browser.post("/preferences", zone="Asia/Tokyo", next="/orders")
    page = browser.get("/orders").content.decode()
    assert "Time \u00b7 JST" in page
    assert 'data-zone="Asia/Tokyo"' in page
    assert "</span> JST</time>" in page
    created = alice.get("/orders").json["items"][0]["created_at"]
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert f">{when(created)}</time>" in page
    assert f'title="{iso(created)}"' in page


def test_a_label_of_a_person_is_their_address():
    assert who("user:alice@acme.test") == "alice@acme.test"
    assert who("api_key:desk") == "api_key:desk"
