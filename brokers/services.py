"""Writes of connections, accounts, leases and messages.

Verbs that take ``schema`` own their transaction (loops call them); the others join the caller's.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db.models import F, QuerySet

from brokers.models import (
    COMMANDS_OF,
    PAPER_BROKERS,
    BrokerAccount,
    BrokerConnection,
    BrokerMessage,
    Direction,
    FaultSwitch,
    GatewayLease,
    PaperAccount,
    PaperFault,
    PaperVenue,
)
from brokers.present import connection_json, fault_json
from common.actor import Actor
from common.errors import Invalid, StateConflict
from events.services import publish
from tenants.binding import require_bound, tenant_bound
from trading.vocabulary import CommandKind, Mode

PAPER_CONNECTION = "paper"
GATEWAY = "system:gateway"
LEASE_TTL = timedelta(seconds=10)
LEASE_RENEW_EVERY = timedelta(seconds=3)
FREE = datetime(1970, 1, 1, tzinfo=UTC)
"""``lease_until`` of a lease nobody has held yet."""
DEFAULT_MAKER_BPS = Decimal("0.5")
DEFAULT_TAKER_BPS = Decimal(1)
NO_FEE = Decimal(0)


class NotAPaperConnection(StateConflict):
    """Paper accounts and faults belong to the simulated venue; a real one makes its own."""

    code = "not_a_paper_connection"
    title = "This is not a paper connection"

    def __init__(self, connection: BrokerConnection) -> None:
        super().__init__(
            f"Connection {connection.name} leads to {connection.broker} in mode {connection.mode}; "
            "paper accounts and faults are for paper connections only."
        )


class AccountCodeTaken(StateConflict):
    """Account codes name one account of the firm for ever."""

    code = "account_code_taken"
    title = "The account code is taken"

    def __init__(self, code: str) -> None:
        super().__init__(f"There is an account {code} already; choose another code.")


class FaultNotApplicable(Invalid):
    """The switch does not concern that kind of command."""

    code = "contradictory"

    def __init__(self, switch: FaultSwitch, command: CommandKind) -> None:
        able = ", ".join(COMMANDS_OF[switch])
        super().__init__(f"{switch} does not concern {command}; it can name {able}.")


@dataclass(frozen=True, slots=True)
class FaultAim:
    """Which of what a switch could hit it hits: of one account or symbol (empty: of all), none of
    the first ``skip``, then one in ``one_in``.
    """

    account: str = ""
    symbol: str = ""
    skip: int = 0
    one_in: int = 1


EVERYWHERE = FaultAim()


@dataclass(frozen=True, slots=True)
class Lease:
    """A held lease: commands go out under ``epoch``, none later than a second before its end."""

    connection_id: int
    holder: str
    epoch: int
    lease_until: datetime


# --- connections and accounts -------------------------------------------------------------------


def open_connection(*, name: str, broker: str, mode: Mode, now: datetime) -> BrokerConnection:
    """Add a connection with its free lease; a paper one gets its venue. Joins the transaction."""
    require_bound()
    connection = BrokerConnection.objects.create(
        name=name, broker=broker, mode=mode.value, state_since=now, created_at=now
    )
    GatewayLease.objects.create(connection=connection, lease_until=FREE)
    if broker in PAPER_BROKERS:
        PaperVenue.objects.create(connection=connection)
    return connection


def open_paper_account(
    *,
    code: str,
    name: str,
    currency: str,
    opening_cash: Decimal,
    now: datetime,
    connection: BrokerConnection | None = None,
    maker_bps: Decimal = DEFAULT_MAKER_BPS,
    taker_bps: Decimal = DEFAULT_TAKER_BPS,
    per_unit: Decimal = NO_FEE,
    minimum_fee: Decimal = NO_FEE,
) -> BrokerAccount:
    """Open an account at a paper venue; without ``connection`` at the firm's connection "paper",
    which is made with the first account.

    ``opening_cash`` is what the venue holds for it from the start; our own ledger gets its deposit
    from the caller (``portfolio.services.deposit``), so that a reconciliation compares two books.

    :raises AccountCodeTaken: if the code exists.
    :raises NotAPaperConnection: if the connection leads to a real broker.
    """
    require_bound()
    if connection is not None and connection.broker not in PAPER_BROKERS:
        raise NotAPaperConnection(connection)
    if BrokerAccount.objects.filter(code=code).exists():
        raise AccountCodeTaken(code)
    if connection is None:
        connection = BrokerConnection.objects.filter(name=PAPER_CONNECTION).first()
    if connection is None:
        connection = open_connection(
            name=PAPER_CONNECTION, broker="paper", mode=Mode.PAPER, now=now
        )
    account = BrokerAccount.objects.create(
        code=code,
        name=name,
        connection=connection,
        mode=connection.mode,
        currency=currency,
        created_at=now,
    )
    PaperAccount.objects.create(
        account=account,
        venue_id=connection.id,
        currency=currency,
        opening_cash=opening_cash,
        maker_bps=maker_bps,
        taker_bps=taker_bps,
        per_unit=per_unit,
        minimum_fee=minimum_fee,
    )
    return account


def set_connection_state(
    *,
    schema: str,
    connection_id: int,
    state: BrokerConnection.State,
    reason: str = "",
    actor_label: str = GATEWAY,
    now: datetime,
) -> bool:
    """Record what the gateway sees of a session; False if the connection is disabled, and stays so.

    Publishes connection.up on the way to UP and connection.down on the way from it. A call with
    UP stamps ``last_seen_at``, so it serves as heartbeat too.
    """
    states = BrokerConnection.State
    with tenant_bound(schema):
        connection = BrokerConnection.objects.select_for_update().get(pk=connection_id)
        before = connection.state
        if before == states.DISABLED:
            return False
        connection.state, connection.reason = state, reason[:200]
        if state == states.UP:
            connection.last_seen_at = now
        if before != state:
            connection.state_since = now
        connection.save(update_fields=["state", "reason", "state_since", "last_seen_at"])
        if before != state and states.UP in (before, state):
            publish(
                type="connection.up" if state == states.UP else "connection.down",
                subject=connection.name,
                data=connection_json(connection),
                actor=actor_label,
                now=now,
            )
        return state != states.DISABLED


# --- leases -------------------------------------------------------------------------------------


def acquire_lease(
    *, schema: str, connection_id: int, holder: str, now: datetime, ttl: timedelta = LEASE_TTL
) -> Lease | None:
    """Take the lease if it is free or has run out, under a new epoch; None if it is held (by
    whoever: a holder whose lease still runs renews it).
    """
    with tenant_bound(schema):
        taken = GatewayLease.objects.filter(
            connection_id=connection_id, lease_until__lte=now
        ).update(holder=holder, epoch=F("epoch") + 1, lease_until=now + ttl)
        if not taken:
            return None
        epoch = GatewayLease.objects.values_list("epoch", flat=True).get(pk=connection_id)
        return Lease(connection_id, holder, epoch, now + ttl)


def renew_lease(
    *, schema: str, lease: Lease, now: datetime, ttl: timedelta = LEASE_TTL
) -> Lease | None:
    """Prolong a lease that still runs; None if it ran out or was taken: stop sending at once."""
    with tenant_bound(schema):
        kept = _held(lease).filter(lease_until__gt=now).update(lease_until=now + ttl)
    return replace(lease, lease_until=now + ttl) if kept else None


def release_lease(*, schema: str, lease: Lease, now: datetime) -> bool:
    """Give a lease back, so that a successor need not wait; False if it was no longer ours."""
    with tenant_bound(schema):
        return bool(_held(lease).filter(lease_until__gt=now).update(lease_until=now))


def free_leases_of(*, schema: str, holder: str, now: datetime) -> int:
    """Free what a holder left behind. Only for who knows that its process is gone (reaped it)."""
    with tenant_bound(schema):
        left = GatewayLease.objects.filter(holder=holder, lease_until__gt=now)
        return left.update(lease_until=now)


def _held(lease: Lease) -> QuerySet[GatewayLease]:
    return GatewayLease.objects.filter(
        connection_id=lease.connection_id, holder=lease.holder, epoch=lease.epoch
    )


# --- messages and faults ------------------------------------------------------------------------


def store_message(
    *,
    account_id: int,
    raw: bytes,
    direction: Direction = Direction.IN,
    venue_cl_ord_id: str = "",
    now: datetime,
) -> BrokerMessage:
    """Keep one message as it passed, before anything is made of it; joins the transaction.

    Bytes that are not UTF-8, and NUL, are kept as backslash escapes: nothing is lost or refused.
    """
    text = raw.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
    return BrokerMessage.objects.create(
        account_id=account_id,
        direction=direction,
        raw=text,
        venue_cl_ord_id=venue_cl_ord_id,
        received_at=now,
    )


def set_fault(
    *,
    connection: BrokerConnection,
    switch: FaultSwitch,
    times: int,
    command: CommandKind | None = None,
    delay_ms: int = 0,
    aim: FaultAim = EVERYWHERE,
    actor: Actor,
    correlation_id: str = "",
    now: datetime,
) -> PaperFault:
    """Tell a paper venue to misbehave the next ``times`` times it is hit; 0 switches it off. The
    stream of the firm tells who did it (``connection.fault_set``).

    :raises NotAPaperConnection: if the connection leads to a real venue.
    :raises FaultNotApplicable: if the switch does not concern that command.
    """
    if connection.broker not in PAPER_BROKERS:
        raise NotAPaperConnection(connection)
    able = COMMANDS_OF[switch]
    if command is not None and command not in able:
        raise FaultNotApplicable(switch, command)
    fault, _ = PaperFault.objects.update_or_create(
        venue_id=connection.id,
        switch=switch,
        command=(command or able[0]).value,
        defaults={
            "remaining": times,
            "delay_ms": delay_ms,
            "account": aim.account,
            "symbol": aim.symbol,
            "skip": aim.skip,
            "one_in": aim.one_in,
            "seen": 0,
            "set_by": actor.label,
            "set_at": now,
        },
    )
    publish(
        type="connection.fault_set",
        subject=connection.name,
        data={**connection_json(connection), "fault": fault_json(fault)},
        actor=actor.label,
        correlation_id=correlation_id,
        now=now,
    )
    return fault
