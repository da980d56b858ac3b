"""What follows a halt: the end of what works is asked for until the venue proves that nothing does.

The halt's event takes back what is open at that moment (``oms.subscribers``). What was on its way,
a cancel that got lost, an order nobody here knows: all of it is found by asking again. That a halt
is proved empty is an event; after half a minute without proof an alarm names the orders.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from brokers.adapters.base import VenueOrder
from brokers.models import BrokerAccount, BrokerConnection
from common.actor import system_actor
from common.instants import instant_str
from events.models import Event
from events.services import publish
from oms.models import OrderVersion
from oms.selectors import orders_under_halt
from oms.services.alarms import Alarm, AlarmKind, close_alarm, close_alarms, raise_alarms
from oms.services.cancel import cancel_halted
from risk.selectors import halts_in_force
from tenants.binding import tenant_bound
from trading.risk import HaltScope, HaltState, covers

ACTOR = "system:halt"
EMPTY = "halt.empty"
FIRST_ASKED = timedelta(seconds=2)
"""Until then the halt's own event has the word."""
ALARM_AFTER = timedelta(seconds=30)
NAMED_AT_MOST = 8


@dataclass(frozen=True, slots=True)
class Sweep:
    """A HALTED halt at one connection, the accounts it reaches there, and whether orders of ours
    are open under it.
    """

    halt_id: str
    scope: HaltScope
    target: str
    state: HaltState
    since: datetime
    accounts: tuple[str, ...]
    is_open: bool


def sweeps(*, schema: str, connection_id: int, now: datetime) -> list[Sweep]:
    """The halts under which nothing may work at a connection; alarms of lifted ones are closed."""
    with tenant_bound(schema):
        venue = BrokerConnection.objects.get(pk=connection_id).name
        accounts = BrokerAccount.objects.filter(connection_id=connection_id).order_by("code")
        codes = list(accounts.values_list("code", flat=True))
        found = []
        for halt in halts_in_force().filter(state=HaltState.HALTED, since__lte=now - FIRST_ASKED):
            scope = HaltScope(halt.scope)
            if scope is HaltScope.VENUE and halt.target != venue:
                continue
            reached = tuple(c for c in codes if scope is not HaltScope.ACCOUNT or c == halt.target)
            if not reached:
                continue
            open_here = orders_under_halt(
                actor=system_actor(schema, "halt"), scope=scope, target=halt.target
            ).filter(account__code__in=reached)
            found.append(
                Sweep(
                    halt.id,
                    scope,
                    halt.target,
                    HaltState(halt.state),
                    halt.since,
                    reached,
                    open_here.exists(),
                )
            )
        ids = accounts.values_list("pk", flat=True)
        close_alarms(
            AlarmKind.KILL_INCOMPLETE,
            connection_id=connection_id,
            but={(pk, one.halt_id) for one in found for pk in ids},
            resolution="the halt was lifted",
            actor=ACTOR,
            now=now,
        )
        return found


def ask_again(*, schema: str, sweep: Sweep, now: datetime) -> None:
    """Ask for the end of every order of ours that is open; a cancel on its way is not doubled."""
    cancel_halted(
        schema=schema,
        scope=sweep.scope,
        target=sweep.target,
        accounts=sweep.accounts,
        actor=system_actor(schema, "halt"),
        now=now,
    )


def conclude(
    *,
    schema: str,
    connection_id: int,
    sweep: Sweep,
    working: Sequence[VenueOrder],
    complete: bool,
    now: datetime,
) -> bool:
    """Whether it is proved that nothing works under the halt; tell it, or what is left.

    ``working`` is what the venue shows of the sweep's accounts, ``complete`` that it showed all.
    """
    with tenant_bound(schema):
        left = _left(schema, connection_id, sweep, working)
        if complete and not left:
            accounts = BrokerAccount.objects.filter(code__in=sweep.accounts)
            for pk in accounts.values_list("pk", flat=True):
                close_alarm(
                    AlarmKind.KILL_INCOMPLETE,
                    (pk, sweep.halt_id),
                    resolution="the venue proved empty",
                    actor=ACTOR,
                    now=now,
                )
            _tell_once(sweep, connection_id, now)
            return True
        if now - sweep.since >= ALARM_AFTER:
            _alarm(sweep, left, complete=complete, now=now)
        return False


def _left(
    schema: str, connection_id: int, sweep: Sweep, working: Sequence[VenueOrder]
) -> Mapping[str, list[str]]:
    """The names of what is not over, by account: ours by client id, the venue's own by its id."""
    left: dict[str, list[str]] = defaultdict(list)
    ours = orders_under_halt(
        actor=system_actor(schema, "halt"), scope=sweep.scope, target=sweep.target
    ).filter(account__code__in=sweep.accounts)
    counted = set()
    for open_one in ours:
        left[open_one.account.code].append(open_one.cl_ord_id)
        counted.add(open_one.pk)
    versions = OrderVersion.objects.filter(
        account__connection_id=connection_id,
        venue_cl_ord_id__in=[one.venue_cl_ord_id for one in working],
    ).select_related("order")
    known = {version.venue_cl_ord_id: version.order for version in versions}
    for one in working:
        order = known.get(one.venue_cl_ord_id)
        if order is not None and order.pk in counted:
            continue
        strategy = None if order is None else order.strategy
        if covers(
            sweep,
            account=one.account,
            symbol=one.symbol,
            strategy=strategy,
            venue=sweep.target,
        ):
            left[one.account].append(f"venue order {one.order_id}")
    return left


def _alarm(sweep: Sweep, left: Mapping[str, list[str]], *, complete: bool, now: datetime) -> None:
    """Raise the alarm for each account of which something is left, or nothing is known."""
    silent = [] if complete else [code for code in sweep.accounts if code not in left]
    accounts = BrokerAccount.objects.filter(code__in=[*left, *silent])
    found = {}
    for code, pk in accounts.values_list("code", "pk"):
        names = left.get(code, [])
        theirs = f"{len(names)} not over" if names else "the venue does not say"
        found[pk, sweep.halt_id] = Alarm("nothing may work", theirs, _named(sweep, names))
    raise_alarms(AlarmKind.KILL_INCOMPLETE, found, actor=ACTOR, now=now)


def _named(sweep: Sweep, names: Sequence[str]) -> str:
    where = f"{sweep.scope} {sweep.target}".rstrip()
    more = f" and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else ""
    orders = f": {', '.join(names[:NAMED_AT_MOST])}{more}" if names else ""
    return f"Halted ({where}) since {instant_str(sweep.since)} and not proved empty{orders}"[:500]


def _tell_once(sweep: Sweep, connection_id: int, now: datetime) -> None:
    venue = BrokerConnection.objects.get(pk=connection_id).name
    told = Event.objects.filter(type=EMPTY, subject=sweep.halt_id, data__connection=venue)
    if told.exists():
        return
    publish(
        type=EMPTY,
        subject=sweep.halt_id,
        data={
            "halt": sweep.halt_id,
            "scope": sweep.scope,
            "target": sweep.target or None,
            "connection": venue,
            "accounts": list(sweep.accounts),
        },
        actor=ACTOR,
        now=now,
    )
