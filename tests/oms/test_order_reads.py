"""What a read shows is one moment of the order, even if another commits in between."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from oms import selectors

LIMIT = {"price": "950.00", "tif": "GTC"}


@pytest.mark.parametrize("path", ["/orders/{id}", "/orders?account={account}"])
def test_an_outcome_that_commits_during_a_read_is_not_half_seen(
    market, alice, desk, monkeypatch, path
):
    order_id = alice.placed(**LIMIT)
    read = selectors.open_commands_of

    def cancel_elsewhere():
        try:
            assert alice.at(desk).cancel(order_id).status == 202
        finally:
            connections.close_all()

    def settled_just_before(order_ids):
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(cancel_elsewhere).result()
        return read(order_ids)

    monkeypatch.setattr(selectors, "open_commands_of", settled_just_before)
    answer = alice.get(path.format(id=order_id, account=desk.code)).json
    (order,) = answer.get("items", [answer])
    assert (order["ord_status"], order["pending"]) == ("CANCELED", [])


def test_a_list_is_newest_first_and_pages_without_gap_or_repeat(market, alice, desk):
    placed = [alice.placed(qty=str(qty), **LIMIT) for qty in range(1, 6)]
    seen, cursor = [], ""
    while cursor is not None:
        page = alice.get(f"/orders?account={desk.code}&limit=2{cursor}").json
        seen += [row["id"] for row in page["items"]]
        cursor = page["next"] and f"&cursor={page['next']}"
    assert seen == placed[::-1]


def test_filters_narrow_the_list(market, alice, desk):
    one = alice.placed("BUY", "1", strategy="trend", **LIMIT)
    two = alice.placed("SELL", "1", price="1050.00", tif="GTC")
    three = alice.placed("BUY", "1", price="950.00", tif="GTC", symbol="IXIC")
    assert alice.cancel(three).status == 202
    for query, expected in (
        ("side=SELL", [two]),
        ("symbol=IXIC", [three]),
        ("strategy=trend", [one]),
        ("ord_status=CANCELED", [three]),
        ("ord_status=PENDING_NEW,CANCELED", [three, two, one]),
        ("cl_ord_id=nothing", []),
        ("until=2020-01-01T00:00:00Z", []),
        ("since=2020-01-01T00:00:00Z", [three, two, one]),
    ):
        found = alice.get(f"/orders?account={desk.code}&{query}").json["items"]
        assert [row["id"] for row in found] == expected, query
