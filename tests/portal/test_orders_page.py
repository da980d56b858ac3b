"""The orders page without JavaScript, and the rows its scripts read: every number is the API's."""

import csv
import io
import json
import re
from decimal import Decimal
from html import unescape

import pytest

from oms.models import Order
from portal.orders.query import SORTS

ROW = re.compile(r'<tr data-id="(\w{26})" data-v="(\d+)".*?</tr>', re.DOTALL)
PART = re.compile(r'data-c="(\w+)"[^>]*?data-v="([^"]*)"')
JSON = {"accept": "application/json"}


def text_of(answer):
    return unescape(answer.content.decode())


def rows_of(answer):
    """The rows of a page: id -> (version, the exact values its cells carry)."""
    return {
        row[1]: (int(row[2]), dict(PART.findall(row[0]))) for row in ROW.finditer(text_of(answer))
    }


def as_json(browser, path, **fields):
    """What a script gets, with its token in the head."""
    headers = {"host": browser.host, **JSON}
    if not fields:
        return browser.client.get(path, headers=headers)
    token = browser.client.cookies["csrftoken"].value
    return browser.client.post(path, fields, headers={**headers, "x-csrftoken": token})


def here(alice, **more):
    """A query of this test's account alone."""
    return "&".join([f"account={alice.desk.code}", *(f"{k}={v}" for k, v in more.items())])


@pytest.fixture
def some(alice, market):
    """Five orders of one account: three open at the venue's queue, two ended; newest last."""
    market.show("100", "101")
    made = [
        alice.placed(price="90", qty="10", tif="GTC", strategy="mean"),
        alice.placed("SELL", price="110.5", qty="20", tif="GTC"),
        alice.placed(price="95.25", qty="30", tif="GTC", symbol="IXIC", strategy="=vwap"),
        alice.placed(price="91", qty="40", tif="GTC"),
        alice.placed("SELL", price="111", qty="5", tif="GTC"),
    ]
    for order_id in made[3:]:
        assert alice.cancel(order_id).status == 202
    return made


# --- reading ----------------------------------------------------------------------------------


def test_every_value_of_a_row_is_the_orders_of_the_api(at_desk, alice, gateway, market):
    market.show("100", "101")
    ids = [alice.placed(qty="10"), alice.placed(price="90.25", qty="1234", tif="GTC")]
    alice.until_final(ids[0])
    alice.until_status(ids[1], "NEW")
    rows = rows_of(at_desk("alice").get(f"/orders?{here(alice)}"))
    assert set(rows) == set(ids)
    for order_id in ids:
        order, (version, cells) = alice.order(order_id), rows[order_id]
        assert version == order["version"]
        for name in ("order_qty", "price", "cum_qty", "leaves_qty", "avg_px", "created_at"):
            assert cells[name] == (order[name] or ""), name


def test_rows_of_the_page_of_scripts_and_of_the_stream_are_one(at_desk, alice, some):
    from portal.rows import order_row

    told = as_json(at_desk("alice"), f"/portal/rows/orders?{here(alice)}").json()
    assert [row["id"] for row in told["rows"]] == some[::-1]
    for row in told["rows"]:
        assert {k: row[k] for k in ("id", "v", "row")} == order_row(
            alice.order(row["id"])
        ).as_json()
    assert told["next"] is None
    assert isinstance(told["p"], int)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("view=working", [2, 1, 0]), ("view=unknown", []), ("view=today", [4, 3, 2, 1, 0]),
        ("q=status:closed", [4, 3]), ("q=sym:ixic", [2]), ("q=side:sell", [4, 1]),
        ("q=qty>20", [3, 2]), ("q=px<=91+side:buy", [3, 0]), ("q=strategy:mean", [0]),
        ("q=MEAN", [0]), ("side=SELL&ord_status=CANCELED", [4]), ("symbol=IXIC", [2]),
        ("q=status:canceled,new", [4, 3]), ("q=leaves>=10", [2, 1, 0]), ("q=mode:live", []),
        ("sort=price", [0, 3, 2, 1, 4]), ("sort=-order_qty", [3, 2, 1, 0, 4]),
        ("sort=time", [0, 1, 2, 3, 4]), ("sort=symbol", [2, 0, 1, 3, 4]),
        ("sort=-strategy", [0, 2, 4, 3, 1]),
    ],
)  # fmt: skip
def test_filters_tabs_and_sequences_are_in_the_address(at_desk, alice, some, query, wanted):
    browser = at_desk("alice")
    address = f"{here(alice)}&{query}"
    expected = [some[index] for index in wanted]
    assert list(rows_of(browser.get(f"/orders?{address}"))) == expected
    told = as_json(browser, f"/portal/rows/orders?{address}").json()
    assert [row["id"] for row in told["rows"]] == expected


def test_any_id_of_an_order_finds_it(at_desk, alice, some):
    browser = at_desk("alice")
    amended = alice.replace(some[0], order_qty="8", cl_ord_id=f"amended-{some[0][-8:]}").json
    for named in (some[0], amended["cl_ord_id"], amended["orig_cl_ord_id"]):
        assert list(rows_of(browser.get(f"/orders?q=id:{named}"))) == [some[0]]
        assert list(rows_of(browser.get(f"/orders?cl_ord_id={named}"))) == [some[0]]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("q=colour:red", "There is no field colour"), ("q=qty>many", "compared with a number"),
        ("side=UP", "BUY, SELL"), ("ord_status=NEARLY", "PENDING_NEW"),
        ("sort=colour", "no such column"), ("view=mine", "no such tab"),
        ("symbol=%01", "printable"), ("q=%01", "printable"),
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_read_lists_nothing_and_says_why(
    at_desk, alice, some, query, says
):
    browser = at_desk("alice")
    answer = browser.get(f"/orders?{here(alice)}&{query}")
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert rows_of(answer) == {}
    problem = as_json(browser, f"/portal/rows/orders?{query}")
    assert (problem.status_code, problem["Content-Type"]) == (422, "application/problem+json")
    assert says in problem.json()["detail"]
    assert browser.get(f"/orders/export.csv?{query}").status_code == 302


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{name}" for name in SORTS)])
def test_pages_of_any_sequence_miss_and_repeat_nothing(at_desk, alice, some, monkeypatch, sort):
    browser = at_desk("alice")
    address = f"/portal/rows/orders?{here(alice, sort=sort)}"
    whole = [row["id"] for row in as_json(browser, address).json()["rows"]]
    assert sorted(whole) == some
    monkeypatch.setattr("portal.views.rows.PER_PAGE", 2)
    found, cursor = [], ""
    for _ in range(5):
        told = as_json(browser, f"{address}&cursor={cursor}").json()
        found += [row["id"] for row in told["rows"]]
        if (cursor := told["next"]) is None:
            break
    assert found == whole


@pytest.mark.parametrize("sort", ["-time", "price", "symbol"])
@pytest.mark.parametrize(
    "cursor", ["rubbish", "W10", "WyJwcmljZSIsIk5hTiIsIjEiXQ", "%01", "a" * 600]
)
def test_a_cursor_of_nobody_is_refused(at_desk, desk, sort, cursor):
    browser = at_desk("alice")
    for path in ("/portal/rows/orders", "/orders"):
        assert browser.get(f"{path}?sort={sort}&cursor={cursor}").status_code == 422


def test_tabs_and_the_last_line_count_what_the_api_lists(at_desk, alice, gateway, market):
    market.show("100", "101")
    alice.until_final(alice.placed(qty="10"))
    alice.until_final(alice.placed("SELL", qty="3"))
    alice.until_status(alice.placed(price="90.5", qty="7", tif="GTC"), "NEW")
    orders = alice.get(f"/orders?account={alice.desk.code}").json["items"]

    def worth(side):
        exact = sum(Decimal(o["cum_qty"]) * Decimal(o["avg_px"] or 0)
                    for o in orders if o["side"] == side)  # fmt: skip
        return exact.normalize()

    told = as_json(at_desk("alice"), f"/portal/rows/orders/counts?{here(alice)}").json()
    assert told["counts"] == {"working": 1, "unknown": 0, "today": 3, "all": 3}
    (sums,) = told["totals"]
    assert Decimal(sums["bought"]) == worth("BUY")
    assert Decimal(sums["sold"]) == worth("SELL")
    assert (sums["currency"], sums["open_buy"], sums["open_sell"]) == ("USD", "633.5", "0")
    page = text_of(at_desk("alice").get(f"/orders?{here(alice)}"))
    assert re.search(r'data-sum="open_buy">633\.50<', page)
    assert re.search(r'data-count="working">1<', page)


def test_an_unknown_outcome_is_marked_and_has_a_tab(at_desk, alice, program, gateway, market):
    fault = {"switch": "lose_ack", "times": 1}
    assert program.post(f"/connections/{alice.desk.connection}/faults", fault).status == 200
    order_id = alice.placed(price="90", tif="GTC")
    order = alice.until_unknown(order_id)
    browser = at_desk("bob")
    rows = as_json(browser, f"/portal/rows/orders/{order_id}").json()["row"]
    assert rows["unknown_since"] == order["pending"][0]["since"]
    assert "unknown since" in rows["unknown_title"]
    assert "being looked up" in rows["why_not_amend"]
    if alice.order(order_id)["pending"]:
        listed = browser.get(f"/orders?{here(alice, view='unknown')}")
        assert (
            f'data-c="unknown_since" data-as="lasting" data-v="{rows["unknown_since"]}"'
            in text_of(listed)
        )
    alice.until_status(order_id, "NEW")
    assert as_json(browser, f"/portal/rows/orders/{order_id}").json()["row"]["unknown_since"] == ""


def test_hidden_amounts_are_in_no_answer(at_desk, alice, market):
    market.show("100", "101")
    order_id = alice.placed(price="90", qty="7654", tif="GTC")
    browser = at_desk("alice")
    browser.post("/preferences", privacy="on", next="/orders")
    for path in ("", "/counts", "/open", f"/{order_id}"):
        text = as_json(browser, f"/portal/rows/orders{path}?{here(alice)}").content.decode()
        assert "7654" not in text, path
    page = browser.get(f"/orders?{here(alice)}").content.decode()
    assert "7654" not in page
    assert "7,654" not in page
    assert "688,860" not in page  # its value at the limit


# --- export and columns -----------------------------------------------------------------------


def test_the_export_is_every_row_of_the_filter_with_the_apis_fields(
    at_desk, alice, some, monkeypatch
):
    monkeypatch.setattr("portal.views.orders.EXPORT_PAGE", 2)
    answer = at_desk("bob").get(f"/orders/export.csv?{here(alice)}&sort=price")
    assert answer["Content-Disposition"].startswith('attachment; filename="orders-all-')
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert [row["id"] for row in rows] == [some[index] for index in (0, 3, 2, 1, 4)]
    for row in rows:
        order = alice.order(row["id"])
        for name, value in order.items():
            plain = isinstance(value, str | None)
            expected = (value or "") if plain else json.dumps(value, separators=(",", ":"))
            if name == "strategy" and value == "=vwap":
                expected = "'=vwap"  # a spreadsheet would run it
            assert row[name] == expected, name


def test_columns_put_away_stay_away_on_this_browser_only(at_desk, alice, some):
    browser = at_desk("alice")
    browser.get("/orders")
    shown = ["account", "ord_type", "leaves_qty"]
    token = browser.client.cookies["csrftoken"].value
    answer = browser.client.post(
        "/orders/columns",
        {"grid": "orders", "show": shown, "next": "/orders", "csrfmiddlewaretoken": token},
        headers={"host": browser.host},
    )
    assert (answer.status_code, answer["Location"]) == (303, "/orders")
    away = re.search(r'data-away="([^"]*)"', text_of(browser.get("/orders")))[1].split()
    assert "strategy" in away
    assert not set(shown) & set(away)
    assert "symbol" not in away
    assert browser.client.cookies["bl_away_orders"].value == ".".join(away)
    browser.client.cookies["bl_away_orders"] = "nonsense.symbol.<b>"
    assert re.search(r'data-away=""', text_of(browser.get("/orders")))


# --- cancel -----------------------------------------------------------------------------------


def test_a_script_gets_the_row_after_a_cancel_and_may_ask_whether_it_arrived(at_desk, alice, some):
    browser = at_desk("alice")
    browser.get("/orders")
    asked = f"/portal/rows/orders/{some[0]}?request=c-{some[0][-9:]}"
    assert as_json(browser, asked).json()["request"] == "not_received"
    answer = as_json(browser, f"/orders/{some[0]}/cancel", cl_ord_id=f"c-{some[0][-9:]}")
    assert answer.status_code == 200
    assert (answer.json()["row"]["ord_status"], answer.json()["says"]) == (
        "CANCELED", "withdrawn; it had not been sent.",
    )  # fmt: skip
    assert as_json(browser, asked).json()["request"] == "received"
    again = as_json(browser, f"/orders/{some[0]}/cancel", cl_ord_id="another")
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "already_canceled")


def test_many_are_cancelled_after_one_look_and_each_has_its_result(at_desk, alice, desk, some):
    browser = at_desk("alice")
    browser.get("/orders")
    token = browser.client.cookies["csrftoken"].value
    ticked = {"id": [some[0], some[1], some[4]], "next": "/orders?view=working",
              "csrfmiddlewaretoken": token}  # fmt: skip
    listed = browser.client.post("/orders/cancel", ticked, headers={"host": browser.host})
    assert "Cancel 3 orders" in text_of(listed)
    assert len(desk.rows(Order, account_id=desk.account_id, is_closed=False)) == 3
    ids = re.search(r'name="ids" value="([^"]+)"', text_of(listed))[1]
    done = browser.post("/orders/cancel", ids=ids, confirmed="yes", next="/orders?view=working")
    page = text_of(done)
    assert page.count("withdrawn") == 2
    assert "already_canceled" in page
    assert 'href="/orders?view=working"' in page
    (left,) = desk.rows(Order, account_id=desk.account_id, is_closed=False)
    assert left.id == some[2]


def test_results_for_scripts_name_every_order(at_desk, alice, some):
    browser = at_desk("alice")
    browser.get("/orders")
    absent = "01M7WEY0MDTXT04ZCXS6790D65"
    answer = as_json(browser, "/orders/cancel", ids=",".join([*some[:2], some[3], absent])).json()
    assert [(one["id"], one["code"]) for one in answer["items"]] == [
        (some[0], ""), (some[1], ""), (some[3], "already_canceled"), (absent, "not_found"),
    ]  # fmt: skip
    assert {row["id"] for row in answer["rows"]} == {some[0], some[1], some[3]}
    listed = as_json(browser, f"/portal/rows/orders/open?{here(alice)}").json()["rows"]
    assert [row["id"] for row in listed] == [some[2]]


@pytest.mark.parametrize(
    "ids", ["", "rubbish", ",".join(["01M7WEY0MDTXT04ZCXS6790D65"] * 1), "\x01"]
)
def test_a_bulk_cancel_of_nothing_or_rubbish_is_refused(at_desk, desk, ids):
    browser = at_desk("alice")
    browser.get("/orders")
    answer = as_json(browser, "/orders/cancel", ids=ids, x="y")
    if ids.startswith("01M"):
        assert answer.json()["items"][0]["code"] == "not_found"
    else:
        assert answer.status_code == 422
        assert browser.post("/orders/cancel", ids=ids).status_code == 303


# --- amend ------------------------------------------------------------------------------------


def amend_form(browser, order_id):
    """The fields of the form as it opens."""
    page = text_of(browser.get(f"/orders/{order_id}/amend?next=/orders"))
    names = "cl_ord_id|orig_cl_ord_id|was_order_qty|was_price|order_qty|price|next"
    return dict(re.findall(rf'name="({names})"[^>]*?value="([^"]*)"', page))


def test_an_amendment_is_a_form_and_the_same_form_twice_is_one(at_desk, alice, desk, some):
    browser = at_desk("alice")
    form = amend_form(browser, some[0])
    assert (form["order_qty"], form["price"]) == ("10", "90")
    for _ in range(2):
        sent = browser.post(
            f"/orders/{some[0]}/amend", **{**form, "price": "90.5", "order_qty": "12"}
        )
        assert (sent.status_code, sent["location"]) == (303, "/orders")
    order = alice.order(some[0])
    assert (order["price"], order["order_qty"]) == ("90.5", "12")
    assert (order["cl_ord_id"], order["orig_cl_ord_id"]) == (
        form["cl_ord_id"],
        form["orig_cl_ord_id"],
    )
    assert alice.words(some[0]).count("REPLACED") == 1


@pytest.mark.parametrize(
    ("changed", "status", "says"),
    [
        ({}, 422, "no_change"), ({"price": "cheap"}, 422, "price"),
        ({"order_qty": "-1"}, 422, "order_qty"),
        ({"price": "90.001"}, 422, "price"), ({"price": "150"}, 422, "PRICE"),
        ({"order_qty": "200000"}, 422, "QUANTITY"),
        ({"orig_cl_ord_id": "other", "price": "91"}, 409, "chain"),
        ({"price": "9" * 60}, 422, "price"),
    ],
)  # fmt: skip
def test_a_bad_amendment_comes_back_with_every_reason_and_changes_nothing(
    at_desk, alice, some, changed, status, says
):
    browser = at_desk("alice")
    form = amend_form(browser, some[0])
    before = alice.order(some[0])
    answer = browser.post(f"/orders/{some[0]}/amend", **{**form, **changed})
    assert answer.status_code == status
    page = text_of(answer)
    assert 'role="alert"' in page
    if "price" in changed:
        assert f'value="{changed["price"][:64]}"' in page
    problem = as_json(browser, f"/orders/{some[0]}/amend", **{**form, **changed})
    assert problem.status_code == status
    assert says in json.dumps(problem.json())
    assert alice.order(some[0]) == before


def test_an_amendment_of_real_money_is_asked_once_more(at_desk, alice, desk, some, monkeypatch):
    from portal.orders.amendment import Amendment

    monkeypatch.setattr(Amendment, "needs_confirming", lambda *_: True)
    browser = at_desk("alice")
    form = amend_form(browser, some[0]) | {"price": "90.5"}
    asked = browser.post(f"/orders/{some[0]}/amend", **form)
    assert asked.status_code == 409
    assert 'name="confirmed" value="yes"' in text_of(asked)
    told = as_json(browser, f"/orders/{some[0]}/amend", **form)
    assert (told.status_code, told.json()["code"]) == (409, "confirm_live")
    assert alice.order(some[0])["price"] == "90"
    assert browser.post(f"/orders/{some[0]}/amend", **form, confirmed="yes").status_code == 303
    assert alice.order(some[0])["price"] == "90.5"


def test_the_form_in_place_knows_the_steps_of_the_instrument(at_desk, alice, some):
    told = as_json(at_desk("alice"), f"/orders/{some[0]}/amend").json()
    instrument = alice.get("/instruments/SPX").json
    assert told["form"]["before"] == {"order_qty": "10", "price": "90"}
    assert told["form"]["steps"]["price"] == instrument["tick_size"]
    assert told["form"]["steps"]["order_qty"] == instrument["lot_size"]
    assert told["form"]["orig_cl_ord_id"] == alice.order(some[0])["cl_ord_id"]
    assert told["id"] == some[0]


# --- who may ----------------------------------------------------------------------------------


def test_a_viewer_sees_every_order_and_has_no_verb(at_desk, alice, some):
    viewer = at_desk("bob")
    page = text_of(viewer.get(f"/orders?{here(alice)}"))
    assert set(rows_of(viewer.get(f"/orders?{here(alice)}"))) == set(some)
    for verb in ("formaction", "data-verb", "data-pick", 'name="id"', "Shift+X", "/amend"):
        assert verb not in page, verb
    for path, fields in (
        (f"/orders/{some[0]}/cancel", {"x": "y"}),
        ("/orders/cancel", {"ids": some[0]}),
        (f"/orders/{some[0]}/amend", {"price": "91"}),
    ):
        assert viewer.post(path, **fields).status_code == 403
        assert as_json(viewer, path, **fields).json()["code"] == "insufficient_scope"
    assert viewer.get(f"/orders/{some[0]}/amend").status_code == 403
    assert viewer.get("/portal/rows/orders/open").status_code == 403
    assert viewer.get(f"/portal/rows/orders/{some[0]}?request=x").status_code == 403
    assert alice.order(some[0])["ord_status"] == "PENDING_NEW"


def test_another_firms_orders_do_not_exist(window, alice, charlie, some):
    stranger = window("charlie", "globex")
    assert rows_of(stranger.get(f"/orders?{here(alice)}")) == {}
    for path in (f"/orders/{some[0]}/amend", f"/portal/rows/orders/{some[0]}"):
        assert stranger.get(path).status_code == 404
        assert as_json(stranger, path).status_code == 404
    for path in (f"/orders/{some[0]}/cancel", f"/orders/{some[0]}/amend"):
        assert stranger.post(path, price="91").status_code == 404
        assert as_json(stranger, path, price="91").status_code == 404
    bulk = as_json(stranger, "/orders/cancel", ids=some[0]).json()
    assert [(one["code"], one["title"]) for one in bulk["items"]] == [("not_found", some[0])]
    assert bulk["rows"] == []
    export = stranger.get(f"/orders/export.csv?{here(alice)}").getvalue().decode()
    assert export.count("\n") == 1
    assert alice.order(some[0])["ord_status"] == "PENDING_NEW"


def test_scripts_of_somebody_logged_out_are_told_so(window, some):
    nobody = window()
    for path in ("", "/counts", "/open", f"/{some[0]}"):
        answer = as_json(nobody, f"/portal/rows/orders{path}")
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
