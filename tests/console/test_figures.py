"""Dashboards: every figure has its list and its runbook, the worst first, proofs and standings."""

import re
from datetime import timedelta

import pytest
from django.db import connection, transaction

from config import VERSION
from config.console.runbooks import FOLDER, blocks
from config.figures.cards import ACT, FINE, WATCH
from config.figures.firm import firm_cards
from config.figures.system import platform_cards
from config.tasks import keep_standing_of_firm, prove_records_of_firm
from events.models import Event, Proof
from events.relay import give_positions
from events.services import prove_chain, publish
from oms.models import Break, Command, Order
from portfolio.models import JournalLine
from portfolio.proofs import prove_trial_balance
from tenants.binding import tenant_bound
from tenants.celery import HEADER
from tenants.models import FirmStanding, Tenant
from tests.console.test_pages import counted
from tests.journeys.cast import utcnow
from trading.vocabulary import CommandState


@pytest.fixture
def cards(quay):
    def read(now=None):
        with tenant_bound(quay.schema):
            return {card.code: card for card in firm_cards(now or utcnow())}

    return read


def codes():
    return sorted(path.stem for path in FOLDER.glob("*.md"))


def test_every_card_has_a_runbook_and_every_runbook_a_card(cards, traded):
    known = set(cards()) | {card.code for card in platform_cards(utcnow())}
    assert known | {"jobs"} == set(codes())


@pytest.mark.parametrize("code", codes())
def test_a_runbook_names_screens_and_verbs_that_exist(owner, staff, code):
    text = (FOLDER / f"{code}.md").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "## Do" in text
    screens = re.findall(r"\]\((/admin/[^)]*)\)", text)
    for url in screens:
        answers = {client.get(url).status_code for client in (owner, staff)}
        assert 200 in answers, f"{url} opens in neither console"
    for verb in re.findall(r"\*\*([^*]+)\*\*", text):
        assert verb in VERBS, f"nobody offers {verb}"
    shown = [client.get(f"/admin/runbooks/{code}/") for client in (owner, staff)]
    for answer in shown:
        assert answer.status_code == 200
        html = answer.content.decode()
        assert text.partition("\n")[0].removeprefix("# ") in html
        assert "**" not in html


def verbs():
    from config.console.registry import firm_console, platform_console

    return {
        verb.label
        for site in (firm_console, platform_console)
        for offered in site.verbs.values()
        for verb in offered
    }


VERBS = verbs()


@pytest.mark.parametrize("code", ["nothing", "../ops/README", "Halts", "x" * 60])
def test_other_files_are_no_runbooks(owner, code):
    assert owner.get(f"/admin/runbooks/{code}/").status_code == 404


def test_what_a_runbook_says_is_text(rf):
    (block,) = blocks("<script>alert(1)</script> and `<b>`")
    assert [span["kind"] for span in block.lines[0]] == ["text", "code"]


@pytest.mark.parametrize("who", ["owner", "staff"])
def test_each_card_shows_figure_age_threshold_list_and_runbook(request, who):
    client = request.getfixturevalue(who)
    answer, queries = counted(client, "/admin/")
    html = answer.content.decode()
    assert queries <= 45
    shown = answer.context["cards"]
    assert [s.card.level for s in shown] == sorted((s.card.level for s in shown), reverse=True)
    for one in shown:
        assert f'id="card-{one.card.code}"' in html
        assert one.card.threshold
        assert one.age
        assert f'href="/admin/runbooks/{one.card.code}/"' in html
        if one.url:
            assert client.get(one.url).status_code == 200


def test_the_page_title_names_the_worst(owner, quay):
    answer = owner.get("/admin/")
    worst = answer.context["cards"][0].card
    assert worst.level == ACT
    title = re.search(r"<title>(.*?)</title>", answer.content.decode(), re.DOTALL).group(1)
    assert worst.title in title


def test_an_unknown_outcome_is_on_the_card_and_on_the_list_with_its_verbs(owner, quay, cards):
    assert cards()["unknown_outcomes"].level == FINE
    with tenant_bound(quay.schema):
        command = Command.objects.filter(order_id=quay.working).first()
        Command.objects.filter(pk=command.pk).update(
            state=CommandState.UNKNOWN, unknown_since=utcnow() - timedelta(minutes=5)
        )
    card = cards()["unknown_outcomes"]
    assert (card.figure, card.level) == ("1", ACT)
    assert "5 min" in card.note
    html = owner.get("/admin/").content.decode()
    assert f"/admin/oms/order/{quay.working}/do/ask_venue/" in html
    assert f"/admin/oms/command/{command.pk}/do/resolve/" in html


def test_what_needs_a_hand_comes_with_verbs_that_open(owner, quay):
    hands = owner.get("/admin/").context["hands"]
    assert {"Break", "Parked report", "Halt"} <= {hand.kind for hand in hands}
    for hand in hands:
        assert owner.get(hand.url).status_code == 200
        for _, url in hand.verbs:
            assert owner.get(url).status_code == 200, url


def test_queued_requests_turn_bad_with_their_age(quay, cards):
    with tenant_bound(quay.schema):
        command = Command.objects.filter(order_id=quay.working).first()
        queued = Command.objects.filter(pk=command.pk)
        queued.update(state=CommandState.QUEUED, not_before=utcnow())
    assert cards()["unsent_requests"].level == FINE
    assert cards(utcnow() + timedelta(seconds=20))["unsent_requests"].level == ACT


def test_acknowledgements_count_rejections_by_reason(quay, cards):
    card = cards()["acknowledgements"]
    with tenant_bound(quay.schema):
        refused = Order.objects.filter(ord_status="REJECTED").count()
    assert f"{refused} of" in card.note
    assert card.figure.endswith(" ms")
    later = cards(utcnow() + timedelta(hours=2))["acknowledgements"]
    assert later.figure == "-"


def test_late_breaks_are_counted(quay, cards):
    with tenant_bound(quay.schema):
        count = Break.objects.filter(closed_at=None).count()
    assert "0 late" in cards()["breaks"].note
    assert f"{count} late" in cards(utcnow() + timedelta(hours=5))["breaks"].note


def prove(quay):
    with tenant_bound(quay.schema):
        return prove_trial_balance(now=utcnow()), prove_chain(now=utcnow())


def test_the_books_and_the_chain_are_proved(quay, cards):
    assert cards()["ledger"].level == WATCH
    ledger, chain = prove(quay)
    assert (ledger.figure, ledger.problem) == ("0", "")
    assert (chain.problem, chain.position > 0) == ("", True)
    assert cards()["ledger"].level == cards()["chain"].level == FINE
    assert cards(utcnow() + timedelta(hours=2))["chain"].level == WATCH


def test_an_hours_old_proof_is_late_only_where_something_happened_since(quay, cards):
    prove(quay)
    in_an_hour = utcnow() + timedelta(hours=1)
    assert cards(in_an_hour)["chain"].level == FINE
    with tenant_bound(quay.schema):
        publish(type="a.b", subject="c-1", actor="system:test", data={}, now=utcnow())
    give_positions(quay.schema)
    assert cards(in_an_hour)["chain"].level == cards(in_an_hour)["ledger"].level == WATCH


def tampered(schema, statement):
    """Change a row as somebody with the database's password could."""
    with tenant_bound(schema), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)


def test_a_line_changed_past_the_program_is_found(quay, cards):
    with tenant_bound(quay.schema):
        line = JournalLine.objects.filter(ledger="cash").latest("pk")
    tampered(
        quay.schema,
        f"UPDATE portfolio_journalline SET amount = amount + 1 WHERE id = {line.pk}",
    )
    prove(quay)
    card = cards()["ledger"]
    assert card.level == ACT
    assert f"1 {line.currency}" in card.note


def test_an_event_changed_past_the_program_is_found_and_the_proof_stays_there(quay, cards):
    with tenant_bound(quay.schema):
        event = Event.objects.get(position=3)
    tampered(quay.schema, f"UPDATE events_event SET actor = 'nobody' WHERE id = '{event.pk}'")
    prove(quay)
    prove(quay)
    assert cards()["chain"].level == ACT
    with tenant_bound(quay.schema):
        proof = Proof.objects.get(name="chain")
    assert (proof.position, "position 3" in proof.problem) == (2, True)


def test_a_proof_goes_on_where_the_last_one_ended(quay):
    with tenant_bound(quay.schema):
        assert prove_chain(now=utcnow(), most=2).position == 2
        assert prove_chain(now=utcnow(), most=2).position == 4
        assert prove_chain(now=utcnow()).problem == ""


def run(task, schema):
    return task.apply(headers={HEADER: schema}).get()


def test_the_platform_sees_how_a_firm_is_and_none_of_its_rows(staff, quay, mesa):
    for firm in (quay, mesa):
        run(prove_records_of_firm, firm.schema)
        run(keep_standing_of_firm, firm.schema)
    standing = FirmStanding.objects.get(tenant__slug="quay")
    assert standing.level == ACT
    assert standing.worst
    answer = staff.get("/admin/")
    html = answer.content.decode()
    assert standing.worst in html
    for secret in (quay.desk.code, mesa.desk.code, "SPX0", "user:olivia"):
        assert secret not in html
    assert all(set(row) == {"code", "title", "figure", "level"} for row in standing.figures)


def test_the_platforms_home_reads_no_firms_schema(staff, quay):
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        assert staff.get("/admin/").status_code == 200
    assert not [row["sql"] for row in queries if quay.schema in row["sql"] or "oms_" in row["sql"]]


def test_a_firm_nobody_looked_at_for_long_is_late(staff, quay):
    run(keep_standing_of_firm, quay.schema)
    ago = utcnow() - timedelta(minutes=10)
    FirmStanding.objects.update(at=ago, next_at=ago)
    jobs = {card.code: card for card in platform_cards(utcnow())}["jobs"]
    assert (jobs.level, jobs.figure) == (ACT, "10 min")


def test_a_suspended_firm_is_not_waited_for(quay):
    run(keep_standing_of_firm, quay.schema)
    ago = utcnow() - timedelta(minutes=10)
    FirmStanding.objects.update(at=ago, next_at=ago)
    with transaction.atomic():
        Tenant.objects.update(is_active=False)
        jobs = {card.code: card for card in platform_cards(utcnow())}["jobs"]
        assert jobs.figure == "-"
        transaction.set_rollback(True)


def test_the_version_is_the_projects():
    text = (FOLDER.parents[1] / "pyproject.toml").read_text()
    assert f'version = "{VERSION}"' in text


def test_the_chapter_for_operations_names_every_runbook():
    chapter = FOLDER.parent / "ops" / "README.md"
    text = chapter.read_text(encoding="utf-8")
    for code in codes():
        assert f"(../runbooks/{code}.md)" in text
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (chapter.parent / target).exists(), target
