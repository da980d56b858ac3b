"""Opens connections to real brokers: what must fit before a row is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Max

from brokers.adapters.registry import ADAPTERS
from brokers.models import BrokerAccount, BrokerConnection, OrderNumber
from brokers.present import connection_json
from brokers.selectors import access_connection
from brokers.services import AccountCodeTaken, open_connection
from common.actor import Actor
from common.errors import FieldError, Invalid, StateConflict
from events.services import publish
from tenants.binding import require_bound
from trading.vocabulary import Mode

TWS = "ib"
EXCHANGE = "ccxt:"
SIMULATED = ("paper", "paper-plain")


class ConnectionNameTaken(StateConflict):
    """Names of connections name one connection of the firm for ever."""

    code = "connection_name_taken"
    title = "The connection's name is taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a connection {name} already; choose another name.")


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be opened with its connection."""

    code: str
    name: str
    currency: str
    venue_code: str = ""


def open_real_connection(
    *,
    name: str,
    broker: str,
    mode: Mode,
    accounts: Sequence[NewAccount],
    tws: Mapping[str, Any] | None,
    simulator_port: int | None,
    actor: Actor,
    correlation_id: str,
    now: datetime,
) -> BrokerConnection:
    """Make a connection with its accounts. Joins the transaction.

    :raises Invalid: for a broker without an adapter, or options that do not fit it or its mode.
    :raises ConnectionNameTaken, AccountCodeTaken: where a name is in use.
    """
    require_bound()
    options = _options(broker, mode, tws, simulator_port)
    if broker.startswith(EXCHANGE) and len(accounts) != 1:
        raise _wrong("accounts", "A key of an exchange trades one account; name exactly one.")
    if BrokerConnection.objects.filter(name=name).exists():
        raise ConnectionNameTaken(name)
    connection = open_connection(name=name, broker=broker, mode=mode, now=now)
    connection.options = options
    connection.save(update_fields=["options"])
    for account in accounts:
        if BrokerAccount.objects.filter(code=account.code).exists():
            raise AccountCodeTaken(account.code)
        BrokerAccount.objects.create(
            code=account.code,
            name=account.name,
            venue_code=account.venue_code,
            connection=connection,
            mode=mode.value,
            currency=account.currency,
            created_at=now,
        )
    publish(
        type="connection.opened",
        subject=name,
        data=connection_json(connection),
        actor=actor.label,
        correlation_id=correlation_id,
        now=now,
    )
    return connection


def resume_numbers(
    *, connection: BrokerConnection, first: int, actor: Actor, now: datetime
) -> None:
    """A person's decision where orders go on whose venue's numbers went back.

    :raises Invalid: at a venue that does not number, or below a number used so far.
    """
    require_bound()
    if connection.broker != TWS:
        raise Invalid(f"{connection.broker} does not number orders as TWS does.")
    used = OrderNumber.objects.filter(connection=connection).aggregate(last=Max("number"))["last"]
    if used is not None and first <= used:
        raise _wrong("first", f"{used} is the highest number used so far; go on above it.")
    connection.options = {**connection.options, "resume_at": first}
    connection.save(update_fields=["options"])
    publish(
        type="connection.resumed",
        subject=connection.name,
        data={**connection_json(connection), "first": first},
        actor=actor.label,
        now=now,
    )


def access_exchange(actor: Actor, name: str) -> BrokerConnection:
    """The connection, which must be one that logs on with a key.

    :raises NotFound: if it is absent or out of reach. :raises Invalid: if it takes no key.
    """
    connection = access_connection(actor, name)
    if not connection.broker.startswith(EXCHANGE):
        raise Invalid(
            f"Connection {name} leads to {connection.broker}, which logs on without a key of ours."
        )
    return connection


def _options(
    broker: str, mode: Mode, tws: Mapping[str, Any] | None, simulator_port: int | None
) -> dict[str, Any]:
    if broker not in ADAPTERS or broker in SIMULATED:
        known = ", ".join(sorted(name for name in ADAPTERS if name not in SIMULATED))
        raise _wrong("broker", f"There is no broker {broker}; there are {known}.")
    if mode is not Mode.PAPER:
        raise _wrong(
            "mode",
            "Only PAPER connections are opened here: real money takes two persons, and that door "
            "is not built yet.",
        )
    if broker == TWS:
        if tws is None:
            raise _wrong("tws", "Say where TWS listens.")
        try:
            ZoneInfo(str(tws["time_zone"]))
        except (ZoneInfoNotFoundError, ValueError):
            zone = tws["time_zone"]
            raise _wrong("tws.time_zone", f"{zone} is no time zone of the IANA list.") from None
        return dict(tws)
    if tws is not None:
        raise _wrong("tws", f"{broker} is reached without TWS; leave it out.")
    if simulator_port is None:
        return {"sandbox": True}
    return {"base_url": f"http://127.0.0.1:{simulator_port}"}


def _wrong(field: str, message: str) -> Invalid:
    return Invalid(message, errors=[FieldError(field, "invalid", message)])
