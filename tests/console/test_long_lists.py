"""Long lists: pages by key, nothing counted, a period by default, whole ids, files."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.console.csv_file import _cell
from common.console.keyset import PERIOD, KeysetListing, PeriodFilter
from common.ids import first_ulid_of, is_ulid, new_ulid
from config.console.registry import firm_console
from events.models import Event
from oms.models import ClOrdId, Execution, Order
from tenants.binding import tenant_bound
from tests.console.tables import FIRM, label, list_url
from tests.journeys.cast import utcnow

LONG = [
    model for model in FIRM if firm_console._registry[model].get_changelist(None) is KeysetListing
]


def test_what_grows_without_end_is_among_them():
    assert {
        "oms.Order", "oms.OrderEvent", "oms.Execution", "oms.Command", "events.Event",
        "portfolio.JournalEntry", "portfolio.JournalLine", "brokers.BrokerMessage", "risk.Breach",
    } <= {label(model) for model in LONG}  # fmt: skip


def anytime(model):
    periods = PeriodFilter in firm_console._registry[model].list_filter
    return f"?{PERIOD}=all" if periods else ""


@pytest.fixture
def short_pages(monkeypatch):
    for model in LONG:
        monkeypatch.setattr(firm_console._registry[model], "list_per_page", 2)


def pages(client, url):
    """The keys of each page, following Older."""
    while url:
        answer = client.get(url)
        assert answer.status_code == 200
        listing = answer.context["cl"]
        yield [row.pk for row in listing.result_list]
        found = re.search(r'rel="next" href="([^"]+)"', answer.content.decode())
        url = found and url.partition("?")[0] + found.group(1).replace("&amp;", "&")


@pytest.mark.parametrize("model", LONG, ids=label)
def test_every_row_is_on_exactly_one_page(owner, quay, model, short_pages):
    with tenant_bound(quay.schema):
        expected = list(model.objects.order_by("-pk").values_list("pk", flat=True)[:9])
    shown = []
    for page in pages(owner, f"{list_url(model)}{anytime(model)}"):
        assert len(page) <= 2
        shown += page
        if len(shown) >= 9:
            break
    assert shown[: len(expected)] == expected
    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("model", LONG, ids=label)
def test_nothing_is_counted_and_the_order_comes_from_an_index(owner, quay, model):
    """With sequential scans off, a plan that still has one has no index to use."""
    table = model._meta.db_table
    with CaptureQueriesContext(connection) as queries:
        assert owner.get(list_url(model)).status_code == 200
    assert not [row["sql"] for row in queries if "COUNT(*)" in row["sql"] and table in row["sql"]]


def filtered(client, model):
    """Every address the list's filters offer."""
    listing = client.get(list_url(model)).context["cl"]
    for spec in listing.filter_specs:
        for choice in spec.choices(listing):
            yield list_url(model) + choice["query_string"]


@pytest.mark.parametrize("model", LONG, ids=label)
def test_every_filter_and_search_reads_by_an_index(owner, quay, model):
    table = model._meta.db_table
    addresses = [list_url(model), f"{list_url(model)}?q=SPX", *filtered(owner, model)]
    for url in dict.fromkeys(addresses):
        with CaptureQueriesContext(connection) as queries:
            assert owner.get(url).status_code == 200, url
        for statement in lists_of(queries, table):
            assert "SELECT DISTINCT" not in statement, url
            plan = explained(quay.schema, statement)
            assert f"Seq Scan on {table}" not in plan, f"{url}\n{statement}\n{plan}"


def lists_of(queries, table):
    return [
        row["sql"]
        for row in queries
        if row["sql"].startswith("SELECT") and f'FROM "{table}"' in row["sql"]
    ]


def explained(schema, statement):
    with tenant_bound(schema), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {statement}")
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize("after", ["\0", "x" * 5, "9" * 40, "-1", "01ARZ3NDEKTSV4RRFFQ69G5FAV"])
def test_a_page_that_begins_nowhere_is_no_error(owner, after):
    for url in ("/admin/oms/order/", "/admin/brokers/brokermessage/"):
        assert owner.get(url, {"after": after}).status_code in {200, 302, 400}


def test_an_order_is_found_by_every_id_it_ever_bore(owner, quay):
    with tenant_bound(quay.schema):
        order = Order.objects.exclude(order_id=None).latest("pk")
        client_id = ClOrdId.objects.filter(order=order).first().cl_ord_id
        executed = Execution.objects.latest("pk")
    for text in (order.pk, client_id, order.order_id):
        listing = owner.get("/admin/oms/order/", {"q": text}).context["cl"]
        assert [row.pk for row in listing.result_list] == [order.pk], text
    for model in ("execution", "orderevent", "command"):
        listing = owner.get(f"/admin/oms/{model}/", {"q": executed.order_id}).context["cl"]
        assert {row.order_id for row in listing.result_list} == {executed.order_id}
    assert owner.get("/admin/oms/order/", {"q": "nothing"}).context["cl"].result_count == 0


def test_a_list_shows_a_week_and_says_so_unless_asked_by_name(owner, quay):
    old = new_ulid(utcnow() - timedelta(days=8))
    with tenant_bound(quay.schema):
        Event.objects.create(
            id=old, type="test.old", subject=old, occurred_at=utcnow() - timedelta(days=8),
            actor="user:x", data={},
        )  # fmt: skip

    def shows(**query):
        answer = owner.get("/admin/events/event/", query)
        return old in answer.content.decode()

    assert not shows()
    assert not shows(period="week")
    assert shows(period="month")
    assert shows(period="all")
    assert shows(q=old)
    assert shows(subject__exact=old)
    listing = owner.get("/admin/events/event/").context["cl"]
    (period,) = [spec for spec in listing.filter_specs if isinstance(spec, PeriodFilter)]
    assert [c["display"] for c in period.choices(listing) if c["selected"]] == ["7 days"]


def test_the_lowest_id_of_an_instant_sorts_below_its_ids():
    now = utcnow()
    assert is_ulid(first_ulid_of(now))
    assert first_ulid_of(now) <= new_ulid(now)
    assert first_ulid_of(now + timedelta(milliseconds=1)) > new_ulid(now)


def rows_of(answer):
    assert answer["Content-Type"].startswith("text/csv")
    assert "no-store" in answer["Cache-Control"]
    return list(csv.reader(io.StringIO(answer.content.decode())))


def test_a_list_is_a_file_with_the_same_rows_and_filters(owner, quay):
    with tenant_bound(quay.schema):
        filled = Order.objects.filter(ord_status="FILLED").order_by("-pk")
        expected = [row.cl_ord_id for row in filled]
    head, *rows = rows_of(owner.get("/admin/oms/order/export/?ord_status__exact=FILLED"))
    assert head[:2] == ["cl_ord_id", "ord_status"]
    assert [row[0] for row in rows] == expected
    assert {row[1] for row in rows} == {"FILLED"}
    assert all("." not in row[head.index("order_qty")] for row in rows)


@pytest.mark.parametrize("model", FIRM, ids=label)
def test_every_list_can_be_sent_as_a_file(owner, model):
    head, *rows = rows_of(owner.get(f"{list_url(model)}export/{anytime(model)}"))
    assert rows
    assert all(len(row) == len(head) for row in rows)


def test_a_file_takes_the_consoles_permission(person_with):
    from accounts.roles import Role

    assert person_with(Role.TRADER).get("/admin/oms/order/export/").status_code == 403


def test_a_file_too_long_is_refused_not_cut(owner, monkeypatch):
    monkeypatch.setattr("common.console.tables.MOST_ROWS", 1)
    answer = owner.get("/admin/oms/order/export/?side__exact=BUY", follow=True)
    assert "at most 1 rows" in answer.content.decode()
    assert answer.redirect_chain[0][0].endswith("side__exact=BUY")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-x", "@a", "\t=1"])
def test_text_in_a_file_is_no_formula(text):
    assert _cell(text) == f"'{text}"


def test_an_order_links_to_its_page_in_the_portal(owner, quay):
    page = owner.get(f"/admin/oms/order/{quay.working}/change/").content.decode()
    assert f'href="/orders/{quay.working}"' in page
