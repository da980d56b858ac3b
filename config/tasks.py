"""What beat wakes for the consoles: how each firm stands, and what of its records was proved."""

from datetime import UTC, datetime, timedelta

from celery import shared_task

from config.figures.cards import FINE, worst_first
from config.figures.firm import firm_cards
from events.models import Proof
from events.selectors import head
from events.services import prove_chain
from portfolio.proofs import prove_trial_balance
from tenants.binding import tenant_bound
from tenants.celery import send, tenant_task
from tenants.due import claim_due, rest
from tenants.services import keep_standing

# Beat sends each job at its period; a firm is claimed for less, because the clock jitters.
STANDINGS_EVERY = timedelta(seconds=15)
PROOFS_EVERY = timedelta(minutes=5)
QUIET_STANDING_EVERY = timedelta(minutes=10)
QUIET_PROOFS_EVERY = timedelta(hours=1)


@shared_task(name="config.keep_standings", ignore_result=True, expires=15)
def keep_standings() -> None:
    """Fan out: one task per due firm, so that a slow or broken one does not hold up the others."""
    for schema in claim_due("standings", every=STANDINGS_EVERY / 2, now=datetime.now(UTC)):
        send(keep_standing_of_firm, schema)


@tenant_task(bind=False, name="config.keep_standing_of_firm", ignore_result=True, expires=15)
def keep_standing_of_firm(schema: str) -> None:
    """Write down how one firm is, where the platform's staff can see it: counts, no rows."""
    now = datetime.now(UTC)
    with tenant_bound(schema):
        proved = Proof.objects.exists()
        cards = worst_first(firm_cards(now))
        worst = cards[0]
        next_at = now + QUIET_STANDING_EVERY
        if not rest(schema, "standings", begun=now, until=next_at):
            next_at = now + STANDINGS_EVERY
        keep_standing(
            schema=schema,
            level=worst.level,
            worst=f"{worst.title} {worst.figure}" if worst.level > FINE else "",
            figures=[
                {"code": c.code, "title": c.title, "figure": c.figure, "level": c.level}
                for c in cards
            ],
            now=now,
            next_at=next_at,
        )
    if not proved:  # a new firm does not wait for the next round of proofs
        send(prove_records_of_firm, schema)


@shared_task(name="config.prove_records", ignore_result=True)
def prove_records() -> None:
    """Fan out the proofs, one task per due firm."""
    for schema in claim_due("proofs", every=PROOFS_EVERY / 2, now=datetime.now(UTC)):
        send(prove_records_of_firm, schema)


@tenant_task(bind=False, name="config.prove_records_of_firm", ignore_result=True)
def prove_records_of_firm(schema: str) -> None:
    """Prove the firm's journal and the next part of its event chain, each in a transaction."""
    begun = datetime.now(UTC)
    with tenant_bound(schema):
        books = prove_trial_balance(now=datetime.now(UTC))
    with tenant_bound(schema):
        chain = prove_chain(now=datetime.now(UTC))
        is_whole = chain.position == head()[0]
    if is_whole and not (books.problem or chain.problem):
        rest(schema, "proofs", begun=begun, until=begun + QUIET_PROOFS_EVERY)
