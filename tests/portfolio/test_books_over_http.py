"""The doors of the books: shapes, filters, pages, past instants, and who sees what."""

from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from ninja import NinjaAPI
from ninja.testing import TestClient

from common.actor import Actor, ActorKind
from common.http.door import authenticated, build
from portfolio.api import router
from portfolio.services import take_pnl_snapshots
from tests.portfolio.conftest import OPENING

D = Decimal


@pytest.fixture(scope="module")
def client() -> TestClient:
    api = build(NinjaAPI(urls_namespace="books-under-test", auth=authenticated))
    api.add_router("", router)
    return TestClient(api)


@pytest.fixture
def get(client, desk):
    """GET as an API key of the firm; returns the body of a 200, or (status, code)."""

    def ask(path: str, actor: Actor | None = None, **query: str):
        url = f"{path}?{urlencode(query)}" if query else path
        answer = client.get(url, actor=actor or desk.actor(), request_id="r")
        body = answer.json()
        return body if answer.status_code == 200 else (answer.status_code, body["code"])

    return ask


def items(page) -> list[dict]:
    assert set(page) == {"items", "next"}
    return page["items"]


def held_for_all(account_id: int, currency: str) -> Decimal:
    return D(1234)


def test_accounts_show_what_can_still_be_spent(get, desk, settings):
    settings.OMS_RESERVED_CASH = f"{__name__}.held_for_all"
    desk.book("BUY", "10", "100")
    first, second = items(get("/accounts"))
    assert first == {
        "account": "BOOK-1",
        "name": "BOOK-1",
        "broker": "paper",
        "mode": "PAPER",
        "currency": "USD",
        "state": "ACTIVE",
        "buying_power": "997766",
    }
    assert second["buying_power"] == "998766"
    assert get("/accounts/BOOK-1") == first
    assert get("/accounts/NONE") == (404, "not_found")


def test_positions_are_valued_at_the_last_trade(get, desk, quote):
    desk.quotes["SPX"] = quote(last="110.5")
    desk.book("BUY", "10", "100")
    desk.book("SELL_SHORT", "2", "2000", instrument=desk.ixic)
    spx, ixic = items(get("/positions"))
    assert (spx["qty"], spx["avg_px"], spx["mark"]) == ("10", "100", "110.5")
    assert (spx["unrealized_pnl"], spx["realized_pnl"]) == ("105", "0")
    assert (spx["currency"], spx["simulated"]) == ("USD", True)
    assert (ixic["qty"], ixic["avg_px"]) == ("-2", "2000")
    assert (ixic["mark"], ixic["unrealized_pnl"]) == (None, None)


def test_a_flat_position_keeps_its_gain_and_needs_no_mark(get, desk):
    desk.book("BUY", "10", "100")
    desk.book("SELL", "10", "103.5")
    (flat,) = items(get("/positions", account="BOOK-1", symbol="SPX"))
    assert (flat["qty"], flat["avg_px"], flat["unrealized_pnl"]) == ("0", None, "0")
    assert flat["realized_pnl"] == "35"


def test_lots_that_are_open_oldest_first(get, desk):
    first = desk.fill("BUY", "10", "100")
    second = desk.fill("BUY", "10", "120")
    for fill in (first, second, desk.fill("SELL", "14", "130")):
        desk.book_again(fill)
    (lot,) = items(get("/lots", symbol="SPX"))
    assert lot == {
        "id": second.execution_id,
        "account": "BOOK-1",
        "symbol": "SPX",
        "opened_at": "2026-03-02T15:00:00Z",
        "opened_qty": "10",
        "qty": "6",
        "cost": "720",
        "unit_px": "120",
        "currency": "USD",
    }


def test_balances_tell_cash_reserved_and_equity(get, desk, quote, settings):
    settings.OMS_RESERVED_CASH = f"{__name__}.held_for_all"
    desk.quotes["SPX"] = quote(last="110")
    desk.book("BUY", "10", "100", fee="1.5")
    (balance,) = items(get("/balances", account="BOOK-1"))
    assert balance == {
        "account": "BOOK-1",
        "currency": "USD",
        "cash": "998998.5",
        "reserved": "1234",
        "buying_power": "997764.5",
        "market_value": "1100",
        "equity": "1000098.5",
        "simulated": True,
    }


def test_equity_is_unknown_while_a_mark_is(get, desk):
    desk.book("BUY", "10", "100")
    (balance,) = items(get("/balances", account="BOOK-1"))
    assert (balance["cash"], balance["equity"]) == ("999000", None)
    (profit,) = items(get("/pnl", account="BOOK-1"))
    assert (profit["realized"], profit["unrealized"], profit["total"]) == ("0", None, None)


def test_profit_adds_up(get, desk, quote):
    desk.quotes["SPX"] = quote(last="112")
    desk.book("BUY", "10", "100", fee="1")
    desk.book("SELL", "4", "110", fee="0.25")
    (profit,) = items(get("/pnl", account="BOOK-1", currency="USD"))
    as_of = profit.pop("as_of")
    assert as_of.endswith("Z")
    assert profit == {
        "account": "BOOK-1",
        "currency": "USD",
        "realized": "40",
        "unrealized": "72",
        "fees": "1.25",
        "total": "110.75",
        "simulated": True,
    }


def test_the_journal_shows_balanced_entries_newest_first(get, desk):
    fill = desk.fill("BUY", "10", "100", fee="1")
    booked = desk.book_again(fill)
    entries = items(get("/journal", account="BOOK-1"))
    assert {entry["reason"] for entry in entries} == {"FILL", "DEPOSIT"}
    for entry in entries:
        assert sum(D(line["amount"]) for line in entry["lines"]) == 0
    (entry,) = items(get("/journal", ref=fill.execution_id))
    assert entry["id"] == booked.entry_id
    assert (entry["order_id"], entry["at"]) == (fill.order_id, "2026-03-02T15:00:00Z")
    assert entry["lines"][1] == {
        "account": "BOOK-1",
        "ledger": "position_cost",
        "currency": "USD",
        "amount": "1000",
        "symbol": "SPX",
        "qty": "10",
    }
    assert len(items(get("/journal", account="BOOK-1", reason="DEPOSIT"))) == 1


def test_pages_follow_one_another_without_gap_or_double(get, desk):
    for n in range(5):
        desk.book("BUY", "1", str(100 + n))
    seen, cursor = [], {}
    while True:
        page = get("/journal", account="BOOK-1", limit="2", **cursor)
        seen += [entry["id"] for entry in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert len(seen) == len(set(seen)) == 6
    assert seen == sorted(seen, reverse=True)


def test_a_past_instant_is_answered_from_the_journal(get, desk):
    desk.book("BUY", "10", "100", fee="1")
    between = desk.now
    desk.book("SELL", "4", "110", fee="1")
    desk.book("BUY", "5", "50", instrument=desk.ixic)
    then = {"as_of": between.isoformat(), "account": "BOOK-1"}

    (position,) = items(get("/positions", **then))  # IXIC had not begun
    assert (position["qty"], position["cost"], position["realized_pnl"]) == ("10", "1000", "0")
    (lot,) = items(get("/lots", **then))
    assert (lot["qty"], lot["cost"]) == ("10", "1000")
    (balance,) = items(get("/balances", **then))
    assert (balance["cash"], balance["reserved"]) == ("998999", None)
    (profit,) = items(get("/pnl", **then))
    assert (profit["realized"], profit["fees"]) == ("0", "1")
    assert len(items(get("/journal", **then))) == 2

    (now, _) = items(get("/positions", account="BOOK-1"))
    assert (now["qty"], now["realized_pnl"]) == ("6", "40")


def test_as_of_now_and_now_are_the_same_books(get, desk):
    for side, qty, px in [("BUY", "10", "100"), ("SELL", "25", "110"), ("BUY", "5", "90")]:
        desk.book(side, qty, px, fee="0.5")
    then = {"as_of": (desk.now + timedelta(hours=1)).isoformat()}
    for path in ("/positions", "/lots"):
        past, present = items(get(path, **then)), items(get(path))
        assert [without_instant(row) for row in past] == [without_instant(row) for row in present]


def without_instant(row: dict) -> dict:
    return {key: value for key, value in row.items() if key != "updated_at"}


def test_marks_of_a_past_instant_are_those_recorded_then(get, desk, quote):
    desk.book("BUY", "10", "100")
    desk.quotes["SPX"] = quote(last="105")
    assert take_pnl_snapshots(schema=desk.schema, now=desk.now) == 2
    desk.quotes["SPX"] = quote(last="400")
    then = {"as_of": (desk.now + timedelta(seconds=5)).isoformat(), "account": "BOOK-1"}
    (position,) = items(get("/positions", **then))
    assert (position["mark"], position["unrealized_pnl"]) == ("105", "50")
    (balance,) = items(get("/balances", **then))
    assert balance["equity"] == str(OPENING + 50)
    before = {"as_of": (desk.now - timedelta(seconds=1)).isoformat(), "account": "BOOK-1"}
    assert items(get("/positions", **before)) == []


def test_snapshots_are_listed_as_they_were_taken(get, desk, quote):
    desk.book("BUY", "10", "100", fee="2")
    desk.quotes["SPX"] = quote(last="105")
    take_pnl_snapshots(schema=desk.schema, now=desk.now)
    assert take_pnl_snapshots(schema=desk.schema, now=desk.now) == 0  # that instant is recorded
    later = desk.now + timedelta(minutes=1)
    desk.quotes.clear()
    take_pnl_snapshots(schema=desk.schema, now=later)
    newer, older = items(get("/pnl/snapshots", account="BOOK-1"))
    assert (older["unrealized"], older["total"], older["equity"]) == ("50", "48", "1000048")
    assert (older["simulated"], older["cash"]) == (True, "998998")
    assert (newer["unrealized"], newer["total"], newer["equity"]) == (None, None, None)
    since = items(get("/pnl/snapshots", account="BOOK-1", since=later.isoformat()))
    assert since == [newer]


# --- who sees what ------------------------------------------------------------------------------

DOORS = ["/positions", "/lots", "/balances", "/journal", "/pnl", "/pnl/snapshots"]


@pytest.mark.parametrize("path", DOORS)
def test_a_key_sees_its_own_accounts_only(get, desk, quote, path):
    for account in (desk.one, desk.two):
        desk.book("BUY", "1", "100", account=account)
    take_pnl_snapshots(schema=desk.schema, now=desk.now)
    only_two = desk.actor(codes=("BOOK-2",))
    rows = items(get(path, actor=only_two))
    assert rows
    assert "BOOK-1" not in str(rows)
    assert get(path, actor=only_two, account="BOOK-1") == (404, "not_found")
    assert get(path, actor=only_two, account="NOBODY") == (404, "not_found")


@pytest.mark.parametrize("path", DOORS)
def test_the_books_need_their_scope(get, desk, path):
    assert get(path, actor=desk.actor(scope="marketdata:read")) == (403, "insufficient_scope")


def test_who_may_trade_may_see_the_accounts(get, desk):
    assert items(get("/accounts", actor=desk.actor(scope="orders:write")))
    assert get("/accounts", actor=desk.actor(scope="webhooks:write")) == (
        403,
        "insufficient_scope",
    )
    some = Actor(ActorKind.USER, "1", "a", desk.schema, frozenset({"orders:read"}), accounts=())
    assert items(get("/accounts", actor=some)) == []


@pytest.mark.parametrize("path", [*DOORS, "/accounts"])
@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1e3", "limit=501", "limit=5&limit=6", "sort=password", "cursor=nonsense"],
)
def test_bad_parameters_are_refused(client, desk, path, query):
    answer = client.get(f"{path}?{query}", actor=desk.actor(), request_id="r")
    assert answer.status_code == 422
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/positions", {"symbol": "<script>"}, "invalid_symbol"),
        ("/positions", {"as_of": "2999-01-01T00:00:00Z"}, "invalid_range"),
        ("/lots", {"as_of": "2026-01-01T00:00:00+25:00"}, "invalid_datetime"),
        ("/lots", {"as_of": "0000-01-01T00:00:00Z"}, "invalid_datetime"),
        ("/balances", {"currency": "us dollars"}, "invalid_format"),
        ("/journal", {"reason": "GIFT"}, "invalid_choice"),
        (
            "/journal",
            {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
            "invalid_range",
        ),
    ],
)
def test_bad_values_are_refused_with_their_code(get, path, query, code):
    assert get(path, **query) == (422, code)
