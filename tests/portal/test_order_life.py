"""One page tells the whole life of an order: the API's numbers, to those who may see them."""

import json
import re
from html import unescape

import pytest
from django.core.management import CommandError, call_command

from brokers.models import BrokerMessage, Direction
from brokers.services import store_message
from oms.audit import replay
from oms.export import problems_of
from oms.models import Command, Order, OrderEvent
from portal.templatetags.blotter import clock, number
from tenants.binding import tenant_bound
from tests.journeys.cast import follow_events, utcnow
from tests.oms.test_order_audit import tampering

LIMIT = {"price": "950.00", "tif": "GTC"}
SECRETS = ("hunter2", "sk_live_9")


def text_of(answer):
    return unescape(answer.content.decode())


def words_of(answer):
    """The page as a reader sees it: tags gone, spaces single."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", text_of(answer), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


@pytest.fixture
def fault(program, desk):
    """Make the desk's venue misbehave once."""

    def switch(name, **more):
        body = {"switch": name, "times": 1} | more
        assert program.post(f"/connections/{desk.connection}/faults", body).status == 200

    return switch


@pytest.fixture
def part_filled(gateway, alice):
    """140 wanted, 100 filled, amended to 150: something for every tab."""
    order_id = alice.placed("BUY", "140", id="life-1", price="1000.50", tif="GTC")
    alice.until_status(order_id, "PARTIALLY_FILLED")
    assert alice.replace(order_id, order_qty="150").status == 202
    alice.until(order_id, lambda o: not o["pending"] and o["order_qty"] == "150")
    gateway.stop()
    return order_id


@pytest.fixture
def order_page(at_desk, part_filled):
    """Open a tab of the order as somebody."""

    def opened(name="alice", tab="timeline", **query):
        more = "".join(f"&{key}={value}" for key, value in query.items())
        return at_desk(name).get(f"/orders/{part_filled}?tab={tab}{more}")

    return opened


def test_the_head_holds_the_numbers_of_the_api(order_page, alice, part_filled):
    order = alice.order(part_filled)
    (fill,) = alice.get(f"/executions?order_id={part_filled}").json["items"]
    words = words_of(order_page())
    assert f"BUY {number(order['order_qty'])} SPX LIMIT {number(order['price'], 2)} GTC" in words
    assert f"Filled {number(order['cum_qty'])} of {number(order['order_qty'])}" in words
    assert f"Open {number(order['leaves_qty'])}" in words
    assert f"Average price {number(order['avg_px'], 2)}" in words
    assert f"Fees {number(fill['fee'], 2)} {fill['fee_currency']}" in words
    for name in ("id", "cl_ord_id", "orig_cl_ord_id", "order_id", "account"):
        assert order[name] in words, name


def test_every_event_of_the_api_is_a_line_of_the_timeline(order_page, alice, part_filled):
    items = alice.get(f"/orders/{part_filled}/events").json["items"]
    page = text_of(order_page())
    lines = re.findall(r'<li class="bl-events__one.*?</li>', page, re.DOTALL)
    assert len(lines) == len(items) == 5
    for line, item in zip(lines, items, strict=True):
        assert f'data-seq="{item["seq"]}"' in line
        assert f"<strong>{item['exec_type']}</strong>" in line
        assert clock(item["at"]) in line
        assert f"{item['source']} · {item['verdict']}" in line


def test_steps_show_measured_instants_and_say_why_others_are_missing(
    order_page, alice, desk, part_filled
):
    (new,) = desk.rows(Command, order_id=part_filled, kind="NEW")
    events = desk.rows(OrderEvent, order_id=part_filled)
    steps = re.findall(r'<li class="bl-steps__one".*?</li>', text_of(order_page()), re.DOTALL)
    named = {re.search(r"</span>([A-Z][\w ]+)", step)[1]: step for step in steps}
    assert list(named) == [
        "Intent", "Risk", "Queued", "Sent", "Acknowledged", "First fill", "End",
    ]  # fmt: skip
    assert clock(new.sending_at) in named["Sent"]
    assert clock(events[1].at) in named["Acknowledged"]
    assert "venue " in named["Acknowledged"]
    assert "no instant of its own" in named["Risk"]
    assert "<time" not in named["Risk"]
    assert "100 of 150" in named["End"]


def test_an_order_nobody_sent_has_no_invented_instants(idle_gateway, at_desk, alice):
    order_id = alice.placed(**LIMIT)
    steps = re.findall(
        r'<li class="bl-steps__one" data-state="(\w+)".*?</li>',
        text_of(at_desk("alice").get(f"/orders/{order_id}")),
        re.DOTALL,
    )
    assert steps == ["done", "done", "done", "now", "none", "none", "now"]


def test_fills_postings_and_lots_are_those_of_the_books(order_page, alice, part_filled):
    (fill,) = alice.get(f"/executions?order_id={part_filled}").json["items"]
    fills = words_of(order_page(tab="fills"))
    assert f"{fill['exec_id']} TRADE {number(fill['last_qty'])} {number(fill['last_px'], 2)}" in (
        fills
    )
    (entry,) = alice.get(f"/journal?ref={fill['id']}").json["items"]
    page = order_page(tab="postings")
    assert f'id="entry-{entry["id"]}" data-even="yes"' in text_of(page)
    words = words_of(page)
    for line in entry["lines"]:
        assert f"{number(line['amount'], 2)} {line['currency']}" in words
    (lot,) = alice.get(f"/lots?account={alice.desk.code}").json["items"]
    assert f'id="lot-{lot["id"]}"' in text_of(page)
    assert f"{number(lot['unit_px'], 2)} {lot['currency']}" in words


def test_a_sale_shows_which_lots_it_closed_and_what_came_of_it(gateway, at_desk, alice):
    alice.until_final(alice.placed("BUY", "10"))
    sold = alice.placed("SELL", "4")
    alice.until_final(sold)
    (position,) = alice.get(f"/positions?account={alice.desk.code}").json["items"]
    words = words_of(at_desk("alice").get(f"/orders/{sold}?tab=postings"))
    assert "Lots closed" in words
    assert f"{number(position['realized_pnl'], 2)} ▼ USD" in words


def test_the_amend_chain_is_shown_as_differences_with_each_request(order_page, desk, part_filled):
    words = words_of(order_page(tab="changes"))
    assert "v0" in words
    assert "quantity 140 → 150" in words
    requests = desk.rows(Command, order_id=part_filled)
    assert [one.kind for one in requests] == ["NEW", "REPLACE"]
    for one in requests:
        assert f'id="command-{one.id}"' in text_of(order_page(tab="changes"))
        assert clock(one.outcome_at) in words


def test_a_denied_order_lists_every_breach_with_its_numbers(at_desk, alice, market):
    refused = alice.place("BUY", "200000", price="1500", tif="GTC")
    order_id = refused.json["order"]["id"]
    browser = at_desk("alice")
    words = words_of(browser.get(f"/orders/{order_id}?tab=risk"))
    assert len(refused.json["errors"]) == 3
    for row in refused.json["errors"]:
        assert f"{row['code']} {number(row['value'])} {number(row['limit'])} {row['unit']}" in words
    assert "denied by 3 rules" in words
    assert "risk denied it" in text_of(browser.get(f"/orders/{order_id}"))


def test_messages_are_for_those_who_trade_and_bear_no_secrets(order_page, at_desk, desk, alice):
    page = order_page(tab="messages")
    assert '"exec_type":"TRADE"' in text_of(page)
    assert '"kind":"REPLACE"' in text_of(page)
    order_id = re.search(r'data-life="(\w+)"', text_of(page))[1]
    sent = {"venue_cl_ord_id": order_id, "password": SECRETS[0], "note": f"token={SECRETS[1]}"}
    raw = json.dumps(sent)
    with tenant_bound(desk.schema):
        store_message(
            account_id=desk.account_id, raw=raw.encode(), direction=Direction.OUT,
            venue_cl_ord_id=order_id, now=utcnow(),
        )  # fmt: skip
    shown = text_of(at_desk("alice").get(f"/orders/{order_id}?tab=messages"))
    assert shown.count("[removed]") == 2
    assert not any(secret in shown for secret in SECRETS)
    assert any(SECRETS[0] in row.raw for row in desk.rows(BrokerMessage)), "the store keeps it"
    viewed = text_of(at_desk("bob").get(f"/orders/{order_id}?tab=messages"))
    assert "Messages are for those who trade" in viewed
    assert "exec_type" not in viewed


def test_roles_see_the_same_order_with_what_they_may_do(order_page, part_filled):
    trader, viewer = text_of(order_page("alice")), text_of(order_page("bob"))
    assert 'data-press="cancel"' in trader
    assert "data-press" in viewer
    for verb in ("cancel", "amend", "ask"):
        assert f'data-press="{verb}"' not in viewer
    assert words_of(order_page("olivia")).count("PARTIALLY_FILLED") == words_of(
        order_page("bob")
    ).count("PARTIALLY_FILLED")


def test_verbs_are_refused_to_those_who_only_look(at_desk, alice, part_filled):
    viewer = at_desk("bob")
    for verb in ("cancel", "ask", "amend"):
        assert viewer.post(f"/orders/{part_filled}", verb=verb).status_code == 403
    assert alice.order(part_filled)["pending"] == []


@pytest.mark.parametrize("path", ["", "?tab=messages", "/life.json", "?replay=1"])
def test_an_order_of_another_firm_is_the_same_404_as_none(window, alice, charlie, market, path):
    order_id = alice.placed(id="acme-secret-name", **LIMIT)
    stranger = window("charlie", "globex")
    answers = [
        stranger.get(f"/orders/{which}{path}")
        for which in (order_id, "01M7YHT3KSD223DBMD8S932QRC", "nonsense")
    ]
    pages = [re.sub(r"[0-9a-f]{32}", "", text_of(answer)) for answer in answers]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert len(set(pages)) == 1
    assert not re.search(r"acme|SPX|secret", pages[0], re.IGNORECASE)
    assert stranger.post(f"/orders/{order_id}", verb="cancel").status_code == 404
    assert alice.order(order_id)["ord_status"] == "PENDING_NEW"


def test_replay_folds_the_events_again_and_names_what_differs(
    order_page, at_desk, desk, part_filled
):
    assert 'data-equal="yes"' in text_of(order_page(replay=1))
    assert "5 events folded again" in words_of(order_page(replay=1))
    with tampering(desk):
        Order.objects.filter(pk=part_filled).update(cum_qty=99, leaves_qty=51)
        found = replay(part_filled)
        assert not found.equal
        assert any("cum_qty is 99" in line for line in found.differences)


def test_the_file_holds_the_life_and_verifies_until_a_byte_changes(
    order_page, at_desk, acme, part_filled, tmp_path, capsys
):
    follow_events(acme)
    answer = at_desk("alice").get(f"/orders/{part_filled}/life.json")
    assert f'filename="order-{part_filled}.json"' in answer["Content-Disposition"]
    document = json.loads(answer.content)
    life = document["life"]
    assert problems_of(document) == []
    assert [row["event"]["type"] for row in life["chain"]] == [
        "order.accepted", "order.new", "order.partially_filled", "order.pending_replace",
        "order.replaced",
    ]  # fmt: skip
    assert all(row["hash"] and row["previous_hash"] for row in life["chain"])
    assert life["chain"][-1]["hash"] in text_of(order_page())
    assert life["head"]["position"] >= life["chain"][-1]["event"]["position"]
    file = tmp_path / "order.json"
    file.write_bytes(answer.content)
    call_command("verify_order_life", str(file))
    assert "hashes and signature hold" in capsys.readouterr().out
    for change, named in (
        (lambda it: it["order"].update(cum_qty="99"), "sha256"),
        (lambda it: it["chain"][2]["event"]["data"].update(cum_qty="99"), "event 3"),
        (lambda it: it["chain"][0].update(previous_hash=None), "event 1"),
    ):
        copy = json.loads(answer.content)
        change(copy["life"])
        file.write_text(json.dumps(copy))
        assert any(named in line for line in problems_of(copy)), named
        with pytest.raises(CommandError, match="changed"):
            call_command("verify_order_life", str(file))
    assert problems_of({"format": "other"}) != []
    assert problems_of([]) != []


def test_the_file_of_a_viewer_holds_no_messages(at_desk, part_filled):
    life = json.loads(at_desk("bob").get(f"/orders/{part_filled}/life.json").content)["life"]
    assert life["messages"] is None
    assert [event["raw"] for event in life["events"]] == [None] * 5
    assert life["postings"]["entries"]


def test_amend_is_a_form_and_one_request_however_often_it_is_sent(gateway, at_desk, alice):
    order_id = alice.placed("BUY", "10", **LIMIT)
    alice.until_status(order_id, "NEW")
    browser = at_desk("alice")
    form = text_of(browser.get(f"/orders/{order_id}?amend=1"))
    fields = dict(re.findall(r'name="(\w*cl_ord_id)" value="([^"]+)"', form))
    terms = {"verb": "amend", "order_qty": "12", "price": "940", "time_in_force": "GTC", **fields}
    for _ in range(2):
        sent = browser.post(f"/orders/{order_id}", **terms)
        assert (sent.status_code, sent["location"]) == (303, f"/orders/{order_id}")
    order = alice.until(order_id, lambda o: not o["pending"])
    assert (order["order_qty"], order["price"]) == ("12", "940")
    assert alice.words(order_id) == ["PENDING_NEW", "NEW", "PENDING_REPLACE", "REPLACED"]
    page = text_of(browser.get(f"/orders/{order_id}"))
    assert "nothing was sent twice" in page
    stale = browser.post(f"/orders/{order_id}", **(terms | {"cl_ord_id": "other", "price": "930"}))
    assert stale.status_code == 409
    assert "not the chain's last id" in text_of(stale)


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [("order_qty", "many", 422), ("order_qty", "", 422), ("price", "0", 422),
     ("price", "940.001", 422), ("time_in_force", "NEVER", 422), ("price", "1500", 422),
     ("order_qty", "10", 422), ("cl_ord_id", "-x", 422)],
)  # fmt: skip
def test_a_bad_amendment_comes_back_with_what_was_typed(
    gateway, at_desk, alice, field, value, status
):
    order_id = alice.placed("BUY", "10", **LIMIT)
    order = alice.until_status(order_id, "NEW")
    form = {"verb": "amend", "order_qty": "10", "price": "950", "time_in_force": "GTC",
            "cl_ord_id": "amend-1", "orig_cl_ord_id": order["cl_ord_id"]}  # fmt: skip
    answer = at_desk("alice").post(f"/orders/{order_id}", **(form | {field: value}))
    assert answer.status_code == status, text_of(answer)
    assert 'role="alert"' in text_of(answer)
    assert alice.order(order_id)["version"] == order["version"]


def test_a_verb_nobody_knows_is_refused(at_desk, alice, market):
    order_id = alice.placed(**LIMIT)
    assert at_desk("alice").post(f"/orders/{order_id}", verb="explode").status_code == 422


def test_cancel_is_a_form_and_a_part(idle_gateway, at_desk, alice):
    order_id = alice.placed(**LIMIT)
    browser = at_desk("alice")
    path = f"/orders/{order_id}"
    part = browser.part(path, "drawer-life", method="post", verb="cancel")
    assert part.status_code == 200
    assert "is withdrawn; it had not been sent" in text_of(part)
    assert "<html" not in text_of(part)
    assert alice.order(order_id)["ord_status"] == "CANCELED"
    again = browser.post(path, verb="cancel", next="/desk")
    assert (again.status_code, again["location"]) == (303, "/desk")
    assert "already" in words_of(browser.get("/desk"))


def test_an_unknown_outcome_says_what_was_asked_and_what_came_back(
    gateway, fault, at_desk, alice, desk
):
    fault("drop_before_read")
    order_id = alice.placed("BUY", "7", **LIMIT)
    alice.until_unknown(order_id)
    browser = at_desk("alice")
    words = words_of(browser.get(f"/orders/{order_id}"))
    assert "The outcome of NEW is unknown" in words
    assert "NEW BUY 7 SPX LIMIT 950 GTC" in words
    assert "all 7 open count as live" in words
    gateway.stop()
    asked = browser.post(f"/orders/{order_id}", verb="ask")
    assert asked.status_code == 303
    assert "The venue is being asked" in text_of(browser.get(f"/orders/{order_id}"))
    (command,) = desk.rows(Command, order_id=order_id)
    assert command.state == "UNKNOWN", "asking concludes nothing"
    assert command.next_lookup_at <= utcnow()
    console = f"/admin/oms/command/{command.id}/change/"
    assert console not in text_of(browser.get(f"/orders/{order_id}"))
    assert console in text_of(at_desk("olivia").get(f"/orders/{order_id}"))


def test_orders_beside_this_one_are_those_in_reach(at_desk, alice, market):
    one, two, three = (alice.placed(qty=qty, **LIMIT) for qty in ("1", "2", "3"))
    page = text_of(at_desk("alice").get(f"/orders/{two}"))
    assert re.search(r'href="/orders/(\w+)\?[^"]*" rel="prev"', page)[1] == one
    assert re.search(r'href="/orders/(\w+)\?[^"]*" rel="next"', page)[1] == three


def test_the_drawer_is_a_part_of_the_page(at_desk, part_filled):
    browser = at_desk("alice")
    part = text_of(browser.part(f"/orders/{part_filled}", "drawer-life"))
    assert 'id="drawer-life"' in part
    assert "<html" not in part
    assert f'href="/orders/{part_filled}"' in part
    assert part.count('data-press="cancel"') == 1


def test_hidden_amounts_are_not_on_the_page(gateway, at_desk, alice):
    order_id = alice.placed("BUY", "3654", price="1000.50", tif="GTC")
    alice.until_status(order_id, "PARTIALLY_FILLED")
    gateway.stop()
    browser = at_desk("alice")
    amounts = re.compile(r"3,?654|3,?554|100,?050|3,?65[0-9],|3,?557")
    tabs = ("timeline", "messages", "risk", "fills", "postings", "changes")
    for tab in tabs:
        assert amounts.search(text_of(browser.get(f"/orders/{order_id}?tab={tab}"))), tab
    browser.post("/preferences", privacy="on", next="/orders")
    for tab in tabs:
        page = text_of(browser.get(f"/orders/{order_id}?tab={tab}"))
        assert not (hit := amounts.search(page)), (tab, page[hit.start() - 80 : hit.end() + 40])


def test_a_tab_nobody_knows_is_the_timeline(order_page):
    assert "bl-events__one" in text_of(order_page(tab="<b>"))
