"""What a connection to an exchange is set up as: credentials, accounts, real or test money."""

from dataclasses import dataclass, field

from brokers.adapters.base import NotConnected
from brokers.credentials import open_credentials
from brokers.models import BrokerAccount, BrokerConnection
from tenants.binding import tenant_bound
from trading.vocabulary import Mode

CREDENTIALS = {"api_key": "apiKey", "secret": "secret", "password": "password", "uid": "uid"}
"""What a connection keeps, and the library's names for it."""


@dataclass(frozen=True, slots=True)
class Setup:
    """``account`` is our code of the one account the key trades; ``base_url`` replaces the hosts
    of the exchange (a simulator), ``sandbox`` chooses its test environment.
    """

    account: str
    currency: str
    mode: Mode
    sandbox: bool
    base_url: str
    credentials: dict[str, str] = field(repr=False)


def read_setup(schema: str, connection_id: int) -> Setup:
    """Read a connection's options, account and credentials.

    :raises NotConnected: if it has no credentials, not one account, or the wrong environment.
    """
    with tenant_bound(schema):
        connection = BrokerConnection.objects.get(pk=connection_id)
        accounts = list(BrokerAccount.objects.filter(connection_id=connection_id))
        secrets = open_credentials(schema=schema, connection_id=connection_id)
    if len(accounts) != 1:
        raise NotConnected(
            f"a key of an exchange trades one account, this connection has {len(accounts)}"
        )
    mode, options = Mode(connection.mode), connection.options
    sandbox = bool(options.get("sandbox", mode is Mode.PAPER))
    base_url = str(options.get("base_url", ""))
    if not base_url and sandbox is not (mode is Mode.PAPER):
        raise NotConnected(
            f"a {mode.value} connection must {'' if mode is Mode.PAPER else 'not '}use the test "
            "environment of its exchange"
        )
    missing = {"api_key", "secret"} - secrets.keys()
    if missing:
        raise NotConnected(f"the connection has no {' and no '.join(sorted(missing))}")
    return Setup(
        account=accounts[0].code,
        currency=accounts[0].currency,
        mode=mode,
        sandbox=sandbox,
        base_url=base_url,
        credentials={CREDENTIALS[name]: value for name, value in secrets.items()},
    )
