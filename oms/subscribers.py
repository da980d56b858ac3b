"""What orders do when something happens elsewhere: a halt takes back what is working."""

from datetime import datetime

from common.actor import system_actor
from events.models import Event
from events.subscribers import register
from oms.services.cancel import cancel_halted
from tenants.binding import require_bound
from trading.risk import HaltScope, HaltState


def cancel_working_orders(event: Event, *, now: datetime) -> None:
    """Ask for the end of every working order a HALTED halt covers; REDUCING leaves them."""
    halt = event.data
    if halt["state"] != HaltState.HALTED:
        return
    schema = require_bound()
    cancel_halted(
        schema=schema,
        scope=HaltScope(halt["scope"]),
        target=halt["target"],
        actor=system_actor(schema, "halt"),
        now=now,
    )


register("oms.halts", ("halt.set",), cancel_working_orders)
