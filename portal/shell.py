"""What every page shows around itself, read once per request from the bound firm."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from brokers.models import BrokerAccount, BrokerConnection
from brokers.selectors import visible_accounts
from common.actor import Actor
from common.instants import instant_str
from events.selectors import head
from marketdata import quotes
from marketdata.models import Instrument
from portal.halting import halting_of
from portal.keys import keys_for
from portal.navigation import places_for
from risk.models import Halt
from risk.selectors import halts_in_force
from trading.market import Quote
from trading.risk import HaltScope, HaltState, covers
from trading.vocabulary import Mode

ACCOUNT_KEY = "account"
"""The key of the login's session that remembers the chosen account."""


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
        """The shape, so that colour is not alone."""
        return {"ok": "\u25cf", "warn": "\u25d0"}.get(self.state, "\u25cb")


@dataclass(frozen=True, slots=True)
class Banner:
    """The strip over every page: mode of the chosen account, or the halt it is under."""

    kind: str
    title: str
    says: str


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame of one page."""

    accounts: Sequence[BrokerAccount]
    account: BrokerAccount | None
    halts: Sequence[Halt]
    banner: Banner
    lights: Sequence[Light]
    instruments: Sequence[Instrument]
    market: dict[str, Quote]
    cursor: int
    places: Sequence[Any]
    keys: Sequence[Any]
    may_trade: bool
    halting: dict[str, Any]

    @property
    def may_halt(self) -> bool:
        """Whether there is anything this person may stop."""
        return bool(self.halting["places"])


def shell_for(actor: Actor, *, chosen: str | None, scope: str, now: datetime) -> Shell:
    """Return the frame for one person; ``chosen`` is the code of the account they chose last.

    The stream's position is read first: what the page shows is at least that new.
    """
    cursor, _ = head()
    accounts = list(visible_accounts(actor))
    account = next((one for one in accounts if one.code == chosen), None) or next(
        (one for one in accounts if one.is_active), accounts[0] if accounts else None
    )
    halts = list(halts_in_force())
    instruments = list(Instrument.objects.filter(tradable=True))
    market = quotes.latest(one.symbol for one in instruments)
    may_trade = actor.may("orders:write")
    halting = halting_of(actor, account, accounts, instruments)
    return Shell(
        accounts=accounts,
        account=account,
        halts=halts,
        banner=banner_of(account, halts),
        lights=(
            app_light(cursor, now),
            feed_light(instruments, market, now),
            broker_light(account),
        ),
        instruments=instruments,
        market=market,
        cursor=cursor,
        places=places_for(actor),
        keys=keys_for(scope, may_trade=may_trade, may_halt=bool(halting["places"])),
        may_trade=may_trade,
        halting=halting,
    )


def banner_of(account: BrokerAccount | None, halts: Sequence[Halt]) -> Banner:
    """Return what the strip says: a halt over the whole account before its mode."""
    if account is None:
        return Banner("none", "NO ACCOUNT", "an admin of the firm opens one")
    for halt in sorted(halts, key=lambda one: one.state != HaltState.HALTED):
        wide = halt.scope in (HaltScope.TENANT, HaltScope.ACCOUNT, HaltScope.VENUE)
        if wide and covers(
            halt,
            account=account.code,
            symbol="",
            strategy=None,
            venue=account.connection.name,
        ):
            word = "HALTED" if halt.state == HaltState.HALTED else "REDUCING ONLY"
            where = f"{halt.scope} {halt.target}".strip().replace("tenant", "the whole firm")
            who = halt.set_by.partition(":")[2]
            since = f"since {halt.since:%H:%M:%S} UTC"
            return Banner("halted", word, f"{where} by {who}: {halt.reason}, {since}")
    if account.mode == Mode.LIVE:
        return Banner("live", f"LIVE {account.code}", "orders go to the market")
    return Banner("paper", f"PAPER {account.code}", "orders stay in the simulated venue")


def app_light(cursor: int, now: datetime) -> Light:
    """The event stream. That the page was made proves the rest of the application."""
    return Light("app", "App", "ok", "live", f"event {cursor}", instant_str(now))


def feed_light(instruments: Sequence[Instrument], market: dict[str, Quote], now: datetime) -> Light:
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
    BrokerConnection.State.UP: "ok",
    BrokerConnection.State.CONNECTING: "warn",
    BrokerConnection.State.SYNCING: "warn",
}


def broker_light(account: BrokerAccount | None) -> Light:
    """The session of the chosen account's connection, as the gateway left it."""
    if account is None:
        return Light("broker", "Broker", "off", "none", "no account is chosen")
    one = account.connection
    state = _BROKER_STATES.get(BrokerConnection.State(one.state), "off")
    words = {"ok": "live", "warn": one.get_state_display().lower()}
    says = words.get(state, f"{one.get_state_display().lower()} since {one.state_since:%H:%M:%S}")
    detail = f"{one.name}: {one.reason}" if one.reason else one.name
    return Light("broker", "Broker", state, says, detail, instant_str(one.state_since))
