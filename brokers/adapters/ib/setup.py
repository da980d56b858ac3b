"""What a connection to TWS is set up as: where it listens, for which accounts, for which money."""

from dataclasses import dataclass
from typing import Any

from brokers.adapters.base import NotConnected
from brokers.adapters.ib.numbers import numbers_of
from brokers.models import BrokerAccount, BrokerConnection, VenueSymbol
from tenants.binding import tenant_bound
from trading.numbering import Numbers
from trading.vocabulary import Mode

PORTS = {Mode.PAPER: 7497, Mode.LIVE: 7496}
"""Where TWS listens unless it is told otherwise."""
PAPER_PREFIX = "D"
"""Interactive Brokers numbers its paper accounts DU… and DF…, live ones otherwise."""
LIVE_ACCOUNT_ON_PAPER = "this is a paper connection, and {} is not a paper account at this TWS"
PAPER_ACCOUNT_ON_LIVE = "this is a live connection, and {} is a paper account at this TWS"


@dataclass(frozen=True, slots=True)
class Setup:
    """``accounts`` leads from our code to TWS's, ``symbols`` from ours to a contract's fields.

    ``time_zone`` is the one TWS begins its days in; ``numbers`` are the order numbers used so far,
    ``resume_at`` the one a person has decided to go on at, 0 for none.
    """

    host: str
    port: int
    client_number: int
    time_zone: str
    mode: Mode
    accounts: dict[str, str]
    symbols: dict[str, dict[str, Any]]
    numbers: Numbers
    resume_at: int


def read_setup(schema: str, connection_id: int) -> Setup:
    """Read a connection's options, accounts and symbols."""
    with tenant_bound(schema):
        connection = BrokerConnection.objects.get(pk=connection_id)
        mode, options = Mode(connection.mode), connection.options
        client_number = int(options.get("client_id", 1))
        accounts = BrokerAccount.objects.filter(connection_id=connection_id)
        symbols = VenueSymbol.objects.filter(connection_id=connection_id)
        return Setup(
            host=str(options.get("host", "127.0.0.1")),
            port=int(options.get("port", PORTS[mode])),
            client_number=client_number,
            time_zone=str(options.get("time_zone", "America/New_York")),
            mode=mode,
            accounts={account.code: account.venue_code or account.code for account in accounts},
            symbols={known.symbol: known.description for known in symbols},
            numbers=numbers_of(connection_id, client_number),
            resume_at=int(options.get("resume_at", 0)),
        )


def first_number(setup: Setup, next_valid: int) -> int | None:
    """The number new orders begin at, None while TWS's numbers have gone back.

    A person who has seen that decides where to go on: above all numbers used so far.
    """
    if setup.resume_at > setup.numbers.taken:
        return max(setup.resume_at, next_valid)
    numbers = setup.numbers.connected(next_valid)
    return None if numbers.frozen else numbers.taken + 1


def check_accounts(setup: Setup, offered: list[str]) -> None:
    """Money must be what the connection says it is. :raises NotConnected: with the reason."""
    for code, venue_code in setup.accounts.items():
        if venue_code not in offered:
            raise NotConnected(
                f"this TWS login has no account {venue_code} (our {code}); it has "
                f"{', '.join(offered) or 'none'}"
            )
        is_paper = venue_code.startswith(PAPER_PREFIX)
        if is_paper is not (setup.mode is Mode.PAPER):
            wrong = LIVE_ACCOUNT_ON_PAPER if setup.mode is Mode.PAPER else PAPER_ACCOUNT_ON_LIVE
            raise NotConnected(wrong.format(venue_code))
