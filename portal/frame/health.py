"""The state of what a firm depends on, in the words of the three lights and in detail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from brokers.models import BrokerAccount, BrokerConnection
from common.instants import instant_str
from marketdata import quotes
from marketdata.models import Instrument
from trading.market import Quote

MARKS = {"ok": "\u25cf", "warn": "\u25d0", "off": "\u25cb"}
"""The shape of each state, so that colour is not alone."""


@dataclass(frozen=True, slots=True)
class Light:
    """One of the three lights. ``state`` is ok, warn or off (as live.js writes it)."""

    name: str
    label: str
    state: str
    says: str
    detail: str
    at: str = ""

    @property
    def mark(self) -> str:
        """The shape of the state."""
        return MARKS[self.state]


def app_light(cursor: int, now: datetime) -> Light:
    """The event stream. That the page was made proves the rest of the application."""
    return Light("app", "App", "ok", "live", f"event {cursor}", instant_str(now))


def feed_light(
    instruments: Sequence[Instrument], market: Mapping[str, Quote], now: datetime
) -> Light:
    """Prices of what can be traded: live only if every one of them is fresh."""
    if not instruments:
        return Light("feed", "Feed", "off", "none", "no instrument is loaded")
    stale = [
        one.symbol
        for one in instruments
        if one.symbol not in market or not quotes.is_fresh(market[one.symbol], now)
    ]
    simulated = any(quote.simulated for quote in market.values())
    detail = "historical replay, no present price" if simulated else "market data"
    if not stale:
        return Light("feed", "Feed", "ok", "live SIM" if simulated else "live", detail)
    times = [market[symbol].at for symbol in stale if symbol in market]
    since = f"since {min(times):%H:%M:%S}" if times else "no price yet"
    at = instant_str(min(times)) if times else ""
    state = "warn" if len(stale) < len(instruments) else "off"
    return Light("feed", "Feed", state, since, f"stale: {', '.join(stale)}", at)


_BROKER_STATES = {
    BrokerConnection.State.UP: ("ok", "live"),
    BrokerConnection.State.CONNECTING: ("warn", "connecting"),
    BrokerConnection.State.SYNCING: ("warn", "catching up"),
    BrokerConnection.State.DISABLED: ("off", "switched off"),
    BrokerConnection.State.DOWN: ("off", "down"),
}


def broker_light(account: BrokerAccount | None) -> Light:
    """The session of the chosen account's connection, as the gateway left it."""
    if account is None:
        return Light("broker", "Broker", "off", "none", "no account is chosen")
    one = account.connection
    state, word = _BROKER_STATES[BrokerConnection.State(one.state)]
    says = word if state != "off" else f"{word} since {one.state_since:%H:%M:%S}"
    detail = f"{one.name}: {one.reason}" if one.reason else one.name
    return Light("broker", "Broker", state, says, detail, instant_str(one.state_since))


def health_of(
    *,
    position: int,
    instruments: Sequence[Instrument],
    market: Mapping[str, Quote],
    accounts: Sequence[BrokerAccount],
    now: datetime,
) -> dict[str, Any]:
    """Return the detail behind the lights: ``position``, rows of ``feeds`` and of ``brokers``."""
    return {
        "position": position,
        "feeds": [_feed_row(one, market.get(one.symbol), now) for one in instruments],
        "brokers": [_broker_row(one) for one in accounts],
    }


def _feed_row(instrument: Instrument, quote: Quote | None, now: datetime) -> dict[str, Any]:
    row = {"symbol": instrument.symbol, "feed": instrument.feed or "none", "simulated": False}
    if quote is None:
        return row | {"state": "off", "mark": MARKS["off"], "says": "no price yet", "at": None}
    state = "ok" if quotes.is_fresh(quote, now) else "off"
    says = "live" if state == "ok" else f"{int((now - quote.at).total_seconds())} s old"
    return row | {
        "feed": quote.feed,
        "simulated": quote.simulated,
        "state": state,
        "mark": MARKS[state],
        "says": says,
        "at": quote.at,
    }


def _broker_row(account: BrokerAccount) -> dict[str, Any]:
    one = account.connection
    state, word = _BROKER_STATES[BrokerConnection.State(one.state)]
    return {
        "account": account.code,
        "connection": one.name,
        "state": state,
        "mark": MARKS[state],
        "says": word,
        "since": one.state_since,
        "reason": one.reason,
    }
