"""What is done to orders, requests, breaks and parked reports from the firm's console."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest

from accounts.consoles import deed
from accounts.selectors import people_with
from approvals.selectors import second_person_exists
from brokers.models import BrokerAccount, BrokerConnection
from common.actor import ActorKind
from common.console.sites import firm_console
from common.console.verbs import OTHER, Verb, Words
from common.errors import StateConflict
from oms.models import Break, Command, Order, ParkedReport
from oms.services.by_hand import ask_venue, cancel_by_hand, compare_now
from oms.services.by_person import (
    FINDINGS,
    SCOPE,
    Closing,
    Finding,
    apply_parked,
    ask_to_resolve,
    assign_break,
    close_break,
    settle_parked,
)
from tenants.binding import require_bound
from trading.vocabulary import CommandState

Answers = Mapping[str, str]

ASKING: Words = (
    ("unknown_outcome", "Nobody knows what became of it"),
    ("client_question", "The client asks"),
    ("suspicion", "Our books look wrong"),
    ("after_outage", "After an outage"),
    OTHER,
)
EXPLAINING: Words = (
    ("timing", "The two sides booked at different times"),
    ("missing_fill", "A fill was missing and is booked now"),
    ("fee_or_interest", "A fee or interest of the venue"),
    ("corporate_action", "A corporate action"),
    ("venue_error", "The venue was wrong"),
    ("our_error", "We were wrong"),
    OTHER,
)
EVIDENCE = "What proves it: statement and line, ticket, who said so and when."


def _cancel(request: HttpRequest, row: Order, reason: str, _answers: Answers) -> str:
    requested = cancel_by_hand(
        schema=require_bound(), order_id=row.pk, reason=reason, **deed(request, "orders:write")
    )
    if requested.order.is_closed:
        return "withdrawn before it was sent."
    return "a cancel was on its way already." if requested.replay else "cancel is on its way."


def _cancel_effect(rows: Sequence[Order]) -> str:
    sides = ", ".join(
        f"{sum(row.side == side for row in rows)} {side}"
        for side in sorted({row.side for row in rows})
    )
    return (
        f"The venue is asked to cancel what is still open of {len(rows)} "
        f"{'order' if len(rows) == 1 else 'orders'} ({sides}). Fills that arrive before its answer "
        "still count."
    )


def _ask(request: HttpRequest, row: Order, reason: str, _answers: Answers) -> str:
    due = ask_venue(
        schema=require_bound(), order_id=row.pk, reason=reason, **deed(request, "orders:write")
    )
    return f"the venue is being asked ({due} unknown requests looked up, account compared)."


def _compare(request: HttpRequest, row: BrokerAccount, reason: str, _answers: Answers) -> str:
    compare_now(
        schema=require_bound(), account_code=row.code, reason=reason,
        **deed(request, "orders:write"),
    )  # fmt: skip
    return "the gateway compares it with its venue now."


def _compare_all(request: HttpRequest, row: BrokerConnection, reason: str, answers: Answers) -> str:
    accounts = list(BrokerAccount.objects.filter(connection=row, state="ACTIVE"))
    if not accounts:
        raise StateConflict("No account of this connection is active.")
    for account in accounts:
        _compare(request, account, reason, answers)
    return f"{len(accounts)} accounts are compared with the venue now."


def _resolve(request: HttpRequest, row: Command, reason: str, answers: Answers) -> str:
    approval = ask_to_resolve(
        command_id=row.pk,
        finding=Finding(answers["finding"]),
        evidence=answers["evidence"],
        reason=reason,
        **deed(request, SCOPE),
    )
    return f"waits for a second person until {approval.expires_at:%Y-%m-%d %H:%M} UTC."


def _resolve_effect(rows: Sequence[Command]) -> str:
    who = (
        "Nothing happens until a second owner or admin approves it under Approvals."
        if second_person_exists(SCOPE)
        else "This takes a second owner or admin, and the firm has nobody else: it will be refused."
    )
    return (
        f"{len(rows)} unknown {'outcome is' if len(rows) == 1 else 'outcomes are'} called what you "
        f"found out. Ask the venue first; no fill is decided here. {who}"
    )


def _colleagues() -> Words:
    people = people_with(SCOPE, schema=require_bound())
    return tuple(
        (f"{ActorKind.USER}:{place.user.email}", place.user.name or place.user.email)
        for place in people
    )


def _assign(request: HttpRequest, row: Break, reason: str, answers: Answers) -> str:
    assign_break(
        break_id=row.pk, owner=answers["owner"], reason=reason, **deed(request, "orders:write")
    )
    return f"{answers['owner'].partition(':')[2]} looks after it."


def _closing(request: HttpRequest, reason: str, answers: Answers) -> Closing:
    return Closing(reason=reason, evidence=answers["evidence"], **deed(request, SCOPE))


def _close(request: HttpRequest, row: Break, reason: str, answers: Answers) -> str:
    close_break(break_id=row.pk, closing=_closing(request, reason, answers))
    return "closed; the next comparison opens it again if the difference is still there."


def _apply(request: HttpRequest, row: ParkedReport, reason: str, answers: Answers) -> str:
    return (
        f"{apply_parked(parked_id=row.pk, closing=_closing(request, reason, answers)).resolution}"
    )


def _settle(request: HttpRequest, row: ParkedReport, reason: str, answers: Answers) -> str:
    settle_parked(parked_id=row.pk, closing=_closing(request, reason, answers))
    return "put aside; what it said is not booked."


def _is_open(row: Any) -> bool:
    return row.closed_at is None


def _is_parked(row: ParkedReport) -> bool:
    return row.resolved_at is None


firm_console.offer(
    Order,
    Verb(
        "cancel", "Cancel order", _cancel_effect, _cancel,
        icon="cancel", stops=True, fits=lambda order: not order.is_closed,
    ),
    Verb(
        "ask_venue",
        "Ask the venue",
        "Unknown requests of the order are looked up at the venue now, and its account is "
        "compared. Nothing is concluded but what the venue says.",
        _ask, icon="contact_support", reasons=ASKING,
    ),
)  # fmt: skip
firm_console.offer(
    Command,
    Verb(
        "resolve", "Decide the outcome", _resolve_effect, _resolve,
        icon="gavel", stops=True, fits=lambda command: command.state == CommandState.UNKNOWN,
        reasons=(
            ("venue_confirmed", "The venue confirmed it"),
            ("venue_gone", "The venue cannot be asked any more"),
            OTHER,
        ),
        choices={"finding": tuple((word.value, text) for word, text in FINDINGS.items())},
        texts={"evidence": EVIDENCE},
    ),
)  # fmt: skip
firm_console.offer(
    BrokerAccount,
    Verb(
        "compare",
        "Compare with venue",
        "The gateway compares orders, fills, positions and cash with the venue now.",
        _compare, icon="compare_arrows", reasons=ASKING,
    ),
)  # fmt: skip
firm_console.offer(
    BrokerConnection,
    Verb(
        "compare",
        "Compare with venue",
        "The gateway compares every active account of the connection with the venue now; one that "
        "is down is compared as soon as it is back.",
        _compare_all, icon="compare_arrows", reasons=ASKING,
    ),
)  # fmt: skip
firm_console.offer(
    Break,
    Verb(
        "assign", "Assign", "The break gets an owner who looks after it until it is closed.",
        _assign, icon="person_add", fits=_is_open,
        reasons=(
            ("responsible", "Responsible for the account"), ("takes_over", "Takes it over"), OTHER,
        ),
        choices={"owner": _colleagues},
    ),
    Verb(
        "close", "Close as explained",
        "The break is closed with your evidence. Nothing is booked: if the difference is still "
        "there, the next comparison opens a new break.",
        _close, icon="task_alt", fits=_is_open, reasons=EXPLAINING, texts={"evidence": EVIDENCE},
    ),
)  # fmt: skip
firm_console.offer(
    ParkedReport,
    Verb(
        "apply", "Apply again",
        "The report is read into its order again, fills are booked. If it still fits no order it "
        "stays parked.",
        _apply, icon="replay", fits=_is_parked, reasons=EXPLAINING, texts={"evidence": EVIDENCE},
    ),
    Verb(
        "settle", "Put aside",
        "The report is settled and will never be booked. Choose this only if the books are right "
        "without it.",
        _settle, icon="inventory", stops=True, fits=_is_parked, reasons=EXPLAINING,
        texts={"evidence": EVIDENCE},
    ),
)  # fmt: skip
