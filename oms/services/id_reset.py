"""The alarm of a venue whose order numbers have gone back: no new order goes out meanwhile."""

from datetime import datetime

from brokers.models import BrokerAccount, BrokerConnection
from oms.services.alarms import Alarm, AlarmKind, close_alarms, raise_alarms
from tenants.binding import tenant_bound

ACTOR = "system:gateway"


def tell_of_numbers(*, schema: str, connection_id: int, frozen: str | None, now: datetime) -> None:
    """Open the alarm of a connection whose numbers are ``frozen``; close it where they are not."""
    with tenant_bound(schema):
        if frozen is None:
            close_alarms(
                AlarmKind.ID_RESET,
                connection_id=connection_id,
                but=(),
                resolution="a person resumed above the numbers used so far",
                actor=ACTOR,
                now=now,
            )
            return
        name = BrokerConnection.objects.values_list("name", flat=True).get(pk=connection_id)
        alarm = Alarm(
            ours="numbers that rise",
            theirs="a number that was used before",
            detail=f"{frozen}. Cancels pass. POST /connections/{name}/resume names where to go on.",
        )
        accounts = BrokerAccount.objects.filter(connection_id=connection_id)
        found = {(account.pk, name[:64]): alarm for account in accounts}
        raise_alarms(AlarmKind.ID_RESET, found, actor=ACTOR, now=now)
