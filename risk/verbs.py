"""Halting and lifting from the firm's console."""

from collections.abc import Mapping, Sequence

from django.db.models import Sum
from django.http import HttpRequest

from accounts.consoles import deed
from brokers.models import BrokerAccount, BrokerConnection
from common.console.sites import firm_console
from common.console.verbs import OTHER, Verb, Words
from common.errors import NotFound
from risk import services
from risk.models import AccountExposure, Halt
from risk.selectors import halts_in_force
from trading.risk import HaltScope, HaltState

Answers = Mapping[str, str]
STATES: Mapping[str, Words] = {
    "state": (
        (HaltState.HALTED.value, "Halted: no new order"),
        (HaltState.REDUCING.value, "Reducing: only what lowers a position"),
    )
}
STOPPING: Words = (
    ("risk", "Too much risk"),
    ("market_data", "Prices are wrong or stand still"),
    ("venue_trouble", "Trouble at the venue"),
    ("runaway_program", "A program sends what it should not"),
    ("system_trouble", "Trouble of ours"),
    ("regulation", "A regulator or exchange asks for it"),
    OTHER,
)
RESUMING: Words = (
    ("cause_gone", "The cause is gone"),
    ("false_alarm", "It was a false alarm"),
    ("replaced", "A narrower halt replaces it"),
    OTHER,
)


def _halt(
    request: HttpRequest, scope: HaltScope, target: str | None, reason: str, state: str
) -> str:
    halt = services.set_halt(
        scope=scope,
        target=target,
        state=HaltState(state),
        reason=reason,
        **deed(request, "risk:write"),
    )
    return f"{halt.state} since now; cancels still pass."


def _halt_account(request: HttpRequest, row: BrokerAccount, reason: str, answers: Answers) -> str:
    return _halt(request, HaltScope.ACCOUNT, row.code, reason, answers["state"])


def _halt_venue(request: HttpRequest, row: BrokerConnection, reason: str, answers: Answers) -> str:
    return _halt(request, HaltScope.VENUE, row.name, reason, answers["state"])


def _halt_firm(request: HttpRequest, _row: None, reason: str, answers: Answers) -> str:
    return _halt(request, HaltScope.TENANT, None, reason, answers["state"])


def _working(**accounts: object) -> str:
    rows = AccountExposure.objects.filter(**accounts)
    count = rows.aggregate(n=Sum("open_orders"))["n"] or 0
    orders = "1 working order" if count == 1 else f"{count} working orders"
    return f"HALTED ends {orders}, reducing ends none; cancels pass."


def _account_effect(rows: Sequence[BrokerAccount]) -> str:
    names = ", ".join(row.code for row in rows)
    return f"From now on {names} takes no order (or only reducing ones). " + _working(
        account__in=[row.pk for row in rows]
    )


def _venue_effect(rows: Sequence[BrokerConnection]) -> str:
    names = ", ".join(row.name for row in rows)
    return f"From now on no account at {names} takes an order (or only reducing ones). " + _working(
        account__connection__in=[row.pk for row in rows]
    )


def _firm_effect(_rows: Sequence[None]) -> str:
    return (
        "From now on no account of the firm takes an order (or only reducing ones). " + _working()
    )


def _lift(request: HttpRequest, row: Halt, reason: str, _answers: Answers) -> str:
    services.lift_halt(halt_id=row.pk, reason=reason, **deed(request, "risk:write"))
    return "lifted; trading may resume."


def _lift_effect(rows: Sequence[object]) -> str:
    return (
        f"Trading may resume where {'this halt was' if len(rows) == 1 else 'these halts were'}; it "
        "stays on record with your reason. Who set a halt does not lift it while somebody else of "
        "the firm could."
    )


def _lift_account(request: HttpRequest, row: BrokerAccount, reason: str, answers: Answers) -> str:
    found = list(halts_in_force().filter(scope=HaltScope.ACCOUNT.value, target=row.code))
    if not found:
        raise NotFound("No halt of this account is in force.")
    return " ".join(f"{halt}: {_lift(request, halt, reason, answers)}" for halt in found)


firm_console.offer(
    BrokerAccount,
    Verb(
        "halt", "Halt account", _account_effect, _halt_account,
        icon="front_hand", stops=True, reasons=STOPPING, choices=STATES,
    ),
    Verb(
        "lift", "Lift halts of account", _lift_effect, _lift_account,
        icon="play_circle", reasons=RESUMING,
    ),
)  # fmt: skip
firm_console.offer(
    BrokerConnection,
    Verb(
        "halt", "Halt venue", _venue_effect, _halt_venue,
        icon="front_hand", stops=True, reasons=STOPPING, choices=STATES,
    ),
)  # fmt: skip
firm_console.offer(
    Halt,
    Verb(
        "halt_firm", "Halt the whole firm", _firm_effect, _halt_firm,
        icon="front_hand", stops=True, on_list=True, reasons=STOPPING, choices=STATES,
    ),
    Verb(
        "lift", "Lift halt", _lift_effect, _lift,
        icon="play_circle", fits=lambda halt: halt.lifted_at is None, reasons=RESUMING,
    ),
)  # fmt: skip
