"""What ships with us, once loaded: real numbers, real sessions, and no second loading."""

import gzip
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from marketdata import calendars, datasets
from marketdata.models import Bar, Instrument, ReferenceDataset, ReplayClock
from marketdata.selectors import instruments_by_symbol
from marketdata.services import load_reference_data

LATER = datetime(2026, 2, 1, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("reference_data")


def bar_on(symbol: str, day: date) -> Bar:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Bar.objects.get(instrument__symbol=symbol, interval="1d", at=at)


def test_the_day_lehman_failed_is_there_to_the_cent():
    bar = bar_on("SPX", date(2008, 9, 15))
    assert [bar.open, bar.high, bar.low, bar.close] == [
        Decimal("1250.92"), Decimal("1250.92"), Decimal("1192.70"), Decimal("1192.70"),
    ]  # fmt: skip
    assert bar.volume == 8279510000


def test_the_first_and_last_days_of_every_series():
    spans = {
        symbol: (rows.first().at.date(), rows.last().at.date(), rows.count())
        for symbol in ("SPX", "IXIC", "WTI", "VIX")
        for rows in [Bar.objects.filter(instrument__symbol=symbol).order_by("at")]
    }
    assert spans["SPX"] == spans["IXIC"] == (date(1999, 1, 4), date(2018, 12, 31), 5031)
    assert spans["WTI"][:2] == (date(1986, 1, 2), date(2019, 1, 3))
    assert spans["VIX"][:2] == (date(2014, 1, 3), date(2019, 1, 3))


def test_only_the_two_indices_with_whole_bars_trade():
    found = instruments_by_symbol(["SPX", "IXIC", "WTI", "VIX", "NOSUCH"])
    assert {symbol: (one.tradable, one.bar_kind) for symbol, one in found.items()} == {
        "SPX": (True, "OHLCV"),
        "IXIC": (True, "OHLCV"),
        "WTI": (False, "CLOSE"),
        "VIX": (False, "CLOSE"),
    }
    rules = found["SPX"].rules
    assert (rules.tick_size, rules.lot_size, rules.min_qty, rules.max_qty) == (
        Decimal("0.01"), 1, 1, 1_000_000,
    )  # fmt: skip
    assert (rules.qty_decimals, rules.min_notional, rules.currency) == (8, 0, "USD")


def test_holidays_and_missing_values_have_no_bar():
    holiday = datetime(1986, 2, 17, tzinfo=UTC)
    assert not Bar.objects.filter(instrument__symbol="WTI", at=holiday).exists()


def test_loading_again_is_one_look_and_changes_nothing():
    before = (Bar.objects.count(), ReplayClock.objects.get().started_at)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        load_reference_data(now=LATER)
    assert len(queries) == 1
    assert (Bar.objects.count(), ReplayClock.objects.get().started_at) == before


def test_a_new_version_replaces_the_bars_and_keeps_an_operators_edit():
    ReferenceDataset.objects.filter(name="sp500").update(version="0:arch 7")
    Instrument.objects.filter(symbol="SPX").update(name="Our own name")
    bar_on("SPX", date(2008, 9, 15)).delete()
    load_reference_data(now=LATER)
    assert bar_on("SPX", date(2008, 9, 15)).close == Decimal("1192.70")
    assert Bar.objects.filter(instrument__symbol="SPX").count() == 5031
    assert Instrument.objects.get(symbol="SPX").name == "Our own name"
    assert ReferenceDataset.objects.get(name="sp500").loaded_at == LATER


def test_a_package_that_is_not_installed_has_no_file():
    absent = datasets.Dataset("x", "no_such_package_at_all", "data.csv.gz", (), lambda *_: iter(()))
    assert absent.path is None
    with pytest.raises(FileNotFoundError):
        absent.bars()


def test_loading_imports_neither_arch_nor_pandas():
    code = (
        "import sys; from marketdata import datasets as d;"
        "n = sum(1 for s in d.DATASETS if s.package == 'arch' for _ in s.bars());"
        "print(n, sorted({'arch', 'pandas', 'numpy', 'skfolio'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split(maxsplit=1) == ["19642", "[]\n"]


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"tick_size": 0}, "instrument_steps_positive"),
        ({"symbol": "spx;"}, "instrument_symbol_form"),
        ({"min_qty": 5, "max_qty": 4}, "instrument_qty_range"),
        ({"feed": ""}, "instrument_tradable_has_feed"),
    ],
)
def test_the_database_refuses_nonsense(change, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Instrument.objects.filter(symbol="SPX").update(**change)


def test_the_database_refuses_a_bar_outside_its_range():
    bar = bar_on("SPX", date(2008, 9, 15))
    with pytest.raises(IntegrityError, match="bar_high_low"), transaction.atomic():
        Bar.objects.filter(pk=bar.pk).update(close=bar.high + 1)


def on_exchange() -> Instrument:
    """An instrument that keeps the hours of New York."""
    return Instrument(symbol="KO", calendar="XNYS", feed="")


def test_thanksgiving_2026_is_closed_and_the_day_after_a_half_day():
    assert not calendars.CalendarSession.objects.filter(day=date(2026, 11, 26)).exists()
    half = calendars.session_at(on_exchange(), datetime(2026, 11, 27, 15, 0, tzinfo=UTC))
    assert half.close_at == datetime(2026, 11, 27, 18, 0, tzinfo=UTC)


def test_a_session_includes_its_open_and_excludes_its_close():
    opens = datetime(2026, 7, 6, 13, 30, tzinfo=UTC)  # summer time: 9:30 in New York
    closes = datetime(2026, 7, 6, 20, 0, tzinfo=UTC)
    instant = timedelta(microseconds=1)
    assert calendars.session_at(on_exchange(), opens - instant) is None
    assert calendars.session_at(on_exchange(), opens).day == date(2026, 7, 6)
    assert calendars.session_at(on_exchange(), closes - instant).close_at == closes
    assert calendars.session_at(on_exchange(), closes) is None


def test_the_next_open_skips_the_weekend():
    friday_evening = datetime(2026, 7, 10, 22, 0, tzinfo=UTC)
    monday = datetime(2026, 7, 13, 13, 30, tzinfo=UTC)
    assert calendars.next_open(on_exchange(), friday_evening) == monday
    assert calendars.next_open(on_exchange(), datetime(2028, 1, 1, tzinfo=UTC)) is None


def test_a_replayed_instrument_trades_on_sunday_night_in_days_of_utc():
    spx = Instrument.objects.get(symbol="SPX")
    sunday = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    session = calendars.session_at(spx, sunday)
    assert (session.open_at, session.close_at) == (
        datetime(2026, 11, 22, tzinfo=UTC),
        datetime(2026, 11, 23, tzinfo=UTC),
    )
    assert calendars.next_open(spx, sunday) == session.close_at


def test_the_optional_stocks_are_read_from_a_column_each(tmp_path, monkeypatch):
    folder = tmp_path / "skfolio_like" / "datasets"
    folder.mkdir(parents=True)
    with gzip.open(folder / "prices.csv.gz", "wt") as file:
        file.write("Date,KO,XOM\n2022-12-27,63.1,\n2022-12-28,62.9504,106.627\n")
    monkeypatch.syspath_prepend(tmp_path)
    stocks = next(one for one in datasets.DATASETS if one.name == "us-stocks")
    wanted = tuple(spec for spec in stocks.instruments if spec.symbol in {"KO", "XOM"})
    small = replace(
        stocks, package="skfolio_like", file="datasets/prices.csv.gz", instruments=wanted
    )
    assert [(symbol, bar.at.day, bar.close) for symbol, bar in small.bars()] == [
        ("KO", 27, Decimal("63.100")),
        ("KO", 28, Decimal("62.950")),
        ("XOM", 28, Decimal("106.627")),
    ]
    assert not any(spec.tradable for spec in stocks.instruments)
    assert len(stocks.instruments) == 20
