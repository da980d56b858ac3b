"""What every page shows around itself, read once per request from the bound firm."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from brokers.models import BrokerAccount
from brokers.selectors import visible_accounts
from common.actor import Actor
from events.selectors import head
from marketdata import quotes
from marketdata.models import Instrument
from portal.frame.halting import halting_of
from portal.frame.health import Light, app_light, broker_light, feed_light
from portal.frame.keys import keys_for
from portal.frame.navigation import places_for
from portal.frame.preferences import CHOICES
from risk.models import Halt
from risk.selectors import halts_in_force
from trading.market import Quote
from trading.risk import HaltScope, HaltState, covers
from trading.vocabulary import Mode

ACCOUNT_KEY = "account"
"""The key of the login's session that remembers the chosen account."""


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
    scope: str
    cursor: int
    places: Sequence[Any]
    keys: Sequence[Any]
    may_trade: bool
    halting: dict[str, Any]

    @property
    def choices(self) -> list[tuple[str, tuple[str, ...]]]:
        """The preferences the palette offers word by word; toggles have their own verbs."""
        return [(name, CHOICES[name]) for name in ("theme", "density", "money")]

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
        scope=scope,
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
