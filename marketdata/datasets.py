"""The real market data that ships inside installed wheels, read without importing them.

``arch`` (a core dependency) carries S&P 500 and Nasdaq Composite daily bars of 1999-2018, West
Texas Intermediate spot prices of 1986-2019 and the VIX of 2014-2019; ``skfolio`` (the optional
extra ``stocks``) carries adjusted closes of 20 US stocks of 1990-2022. Importing either costs
seconds and drags in numerical libraries, so only their folders are looked up and the gzipped
CSV files read.
"""

import csv
import gzip
import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

from marketdata.path import REPLAY_FEED
from trading.market import Bar

# Raise it when what a row is made into changes: every data set is then loaded again.
LOADER_VERSION = 1

_CENT = Decimal("0.01")
_MILL = Decimal("0.001")
_MISSING = {"", "."}  # "." is how FRED writes a holiday


@dataclass(frozen=True, slots=True)
class InstrumentSpec:
    """The instrument a column or file of a data set becomes; prices are US dollars."""

    symbol: str
    name: str
    security_type: str
    exchange: str
    calendar: str
    tick_size: Decimal
    bar_kind: str
    feed: str = ""
    tradable: bool = False


Reader = Callable[[Path, tuple[InstrumentSpec, ...]], Iterator[tuple[str, Bar]]]


@dataclass(frozen=True, slots=True)
class Dataset:
    """One file inside an installed package, and how to read it into (symbol, daily bar) pairs."""

    name: str
    package: str
    file: str
    instruments: tuple[InstrumentSpec, ...]
    reader: Reader

    @property
    def path(self) -> Path | None:
        """Where the file lies, or None where the package is not installed or lacks it."""
        spec = importlib.util.find_spec(self.package)  # finds a package without running it
        for folder in (spec and spec.submodule_search_locations) or ():
            path = Path(folder) / self.file
            if path.is_file():
                return path
        return None

    @property
    def version(self) -> str:
        """The version of the rows we make of it: ours and the package's."""
        return f"{LOADER_VERSION}:{self.package} {importlib.metadata.version(self.package)}"

    def bars(self) -> Iterator[tuple[str, Bar]]:
        """Yield (symbol, daily bar) in the file's order.

        :raises FileNotFoundError: if the package is not installed.
        """
        path = self.path
        if path is None:
            raise FileNotFoundError(f"{self.file} of the package {self.package} is not there")
        return self.reader(path, self.instruments)


def on_tick(text: str, tick_size: Decimal) -> Decimal:
    """Return the number on its tick: the files carry float noise (1248.810059 for 1248.81)."""
    steps = (Decimal(text) / tick_size).to_integral_value(rounding=ROUND_HALF_EVEN)
    return steps * tick_size


def _rows(path: Path) -> Iterator[Mapping[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _midnight(text: str, form: str) -> datetime:
    return datetime.strptime(text, form).replace(tzinfo=UTC)


def _flat_bar(at: datetime, value: Decimal) -> Bar:
    return Bar(at=at, open=value, high=value, low=value, close=value, volume=Decimal(0))


def _ohlcv(path: Path, specs: tuple[InstrumentSpec, ...]) -> Iterator[tuple[str, Bar]]:
    (spec,) = specs
    for row in _rows(path):
        values = {word: on_tick(row[word], spec.tick_size) for word in ("Open", "High", "Low")}
        yield (
            spec.symbol,
            Bar(
                at=_midnight(row["Date"], "%m/%d/%Y"),
                open=values["Open"],
                high=values["High"],
                low=values["Low"],
                close=on_tick(row["Close"], spec.tick_size),
                volume=Decimal(row["Volume"]),
            ),
        )


def _one_value(path: Path, specs: tuple[InstrumentSpec, ...]) -> Iterator[tuple[str, Bar]]:
    (spec,) = specs
    for row in _rows(path):
        date, value = row.values()
        if value not in _MISSING:
            at = _midnight(date, "%m/%d/%Y")
            yield spec.symbol, _flat_bar(at, on_tick(value, spec.tick_size))


def _value_per_column(path: Path, specs: tuple[InstrumentSpec, ...]) -> Iterator[tuple[str, Bar]]:
    for row in _rows(path):
        at = _midnight(row["Date"], "%Y-%m-%d")
        for spec in specs:
            if (value := row[spec.symbol]) not in _MISSING:
                yield spec.symbol, _flat_bar(at, on_tick(value, spec.tick_size))


def _replayed_index(symbol: str, name: str, exchange: str) -> InstrumentSpec:
    return InstrumentSpec(
        symbol, name, "INDEX", exchange, "XNYS", _CENT, "OHLCV", feed=REPLAY_FEED, tradable=True
    )


def _stock(symbol: str, name: str) -> InstrumentSpec:
    return InstrumentSpec(
        symbol, f"{name} (adjusted closes)", "COMMON_STOCK", "XNYS", "XNYS", _MILL, "CLOSE"
    )


_STOCKS = {
    "AAPL": "Apple",
    "AMD": "Advanced Micro Devices",
    "BAC": "Bank of America",
    "BBY": "Best Buy",
    "CVX": "Chevron",
    "GE": "General Electric",
    "HD": "Home Depot",
    "JNJ": "Johnson & Johnson",
    "JPM": "JPMorgan Chase",
    "KO": "Coca-Cola",
    "LLY": "Eli Lilly",
    "MRK": "Merck",
    "MSFT": "Microsoft",
    "PEP": "PepsiCo",
    "PFE": "Pfizer",
    "PG": "Procter & Gamble",
    "RRC": "Range Resources",
    "UNH": "UnitedHealth Group",
    "WMT": "Walmart",
    "XOM": "Exxon Mobil",
}

DATASETS = (
    Dataset(
        "sp500",
        "arch",
        "data/sp500/sp500.csv.gz",
        (_replayed_index("SPX", "S&P 500", "XNYS"),),
        _ohlcv,
    ),
    Dataset(
        "nasdaq",
        "arch",
        "data/nasdaq/nasdaq.csv.gz",
        (_replayed_index("IXIC", "Nasdaq Composite", "XNAS"),),
        _ohlcv,
    ),
    Dataset(
        "wti",
        "arch",
        "data/wti/wti.csv.gz",
        (InstrumentSpec("WTI", "WTI crude oil, spot", "COMMODITY", "FRED", "", _CENT, "CLOSE"),),
        _one_value,
    ),
    Dataset(
        "vix",
        "arch",
        "data/vix/vix.csv.gz",
        (InstrumentSpec("VIX", "Cboe VIX", "INDEX", "XCBO", "XNYS", _CENT, "CLOSE"),),
        _one_value,
    ),
    Dataset(
        "us-stocks",
        "skfolio",
        "datasets/data/sp500_dataset.csv.gz",
        tuple(_stock(symbol, name) for symbol, name in _STOCKS.items()),
        _value_per_column,
    ),
)
