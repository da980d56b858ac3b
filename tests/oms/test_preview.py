"""A preview says what accepting then does, with its numbers, and keeps nothing."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from brokers.models import BrokerAccount, PaperAccount
from common.actor import Actor, ActorKind, system_actor
from common.errors import Refused
from events.models import Event
from oms.models import ClOrdId, Command, Order, OrderVersion
from oms.services import previews
from oms.services.accept import accept_orders
from oms.services.preview import preview_order
from risk.models import AccountExposure, InstrumentExposure
from risk.services import lift_halt, set_halt, set_limit
from tenants.binding import tenant_bound
from tests.journeys.cast import fresh, utcnow
from trading.orders.intent import OrderIntent
from trading.risk import HaltScope, HaltState, LimitScope, RuleId
from trading.vocabulary import OrdType, Side, TimeInForce, TrailType

OPENING = Decimal(10_000_000)


@pytest.fixture
def trader(desk) -> Actor:
    return Actor(ActorKind.USER, "1", "tina", desk.schema, frozenset({"orders:write"}))


@pytest.fixture
def intent(desk) -> OrderIntent:
    """A resting order nothing is wrong with; the market is 999.50 to 1000.50."""
    return OrderIntent(
        account=desk.code,
        symbol="SPX",
        side=Side.BUY,
        ord_type=OrdType.LIMIT,
        order_qty=Decimal(10),
        price=Decimal(950),
        time_in_force=TimeInForce.GTC,
    )


@pytest.fixture
def preview(desk, market, trader):
    def asked(one, now=None):
        return preview_order(schema=desk.schema, intent=one, actor=trader, now=now or utcnow())

    return asked


@pytest.fixture
def accept(desk, market, trader):
    """The answer of the order door: ``accepted``, ``replayed``, or the code of the refusal."""

    def sent(one, now=None):
        (answer,) = accept_orders(
            schema=desk.schema, intents=[one], actor=trader, now=now or utcnow()
        )
        if isinstance(answer, Refused):
            return answer.code, [row.code for row in answer.errors]
        codes = [str(breach.code) for breach in answer.breaches]
        return ("risk_rejected" if codes else "accepted"), codes

    return sent


def said(shown):
    """A preview in the words of ``accept``."""
    refusal = shown["refusal"]
    if refusal is None:
        assert shown["would_be_accepted"] is True
        return "accepted", []
    assert shown["would_be_accepted"] is False
    return refusal["code"], [row["code"] for row in refusal["errors"]]


def limit(desk, rule, value, scope=LimitScope.ACCOUNT):
    with tenant_bound(desk.schema):
        set_limit(
            scope=scope,
            target=desk.code if scope is LimitScope.ACCOUNT else "",
            rule=rule,
            value=Decimal(value),
            enabled=True,
            actor=system_actor(desk.schema, "test"),
            now=utcnow(),
        )


def verdict(shown, rule):
    return next(row for row in shown["verdicts"] if row["rule"] == rule)


CASES = {
    "good": ({}, "accepted"),
    "market": ({"ord_type": OrdType.MARKET, "price": None, "time_in_force": None}, "accepted"),
    "default time in force": ({"time_in_force": None}, "accepted"),
    "too many": ({"order_qty": Decimal(100_001)}, "risk_rejected"),
    "three breaches": ({"order_qty": Decimal(900_000), "price": Decimal(1500)}, "risk_rejected"),
    "at the collar": ({"price": Decimal(1100)}, "accepted"),
    "a tick beyond it": ({"price": Decimal("1100.01")}, "risk_rejected"),
    "half a lot": ({"order_qty": Decimal("0.5")}, "off_lot"),
    "off tick": ({"price": Decimal("950.001")}, "off_tick"),
    "no price": ({"price": None}, "required_for_type"),
    "unknown symbol": ({"symbol": "NOPE"}, "unknown_instrument"),
    "reference only": ({"symbol": "WTI"}, "not_tradable"),
    "malformed symbol": ({"symbol": "spx"}, "invalid_symbol"),
    "not taken by the venue": ({"time_in_force": TimeInForce.OPG}, "unsupported_by_venue"),
    "bad client id": ({"cl_ord_id": ".x"}, "invalid_cl_ord_id"),
    "reserved client id": ({"cl_ord_id": "01J00000000000000000000000-C1"}, "cl_ord_id_reserved"),
}


@pytest.mark.parametrize("name", CASES)
def test_it_says_what_the_order_door_then_does(preview, accept, intent, name):
    changes, expected = CASES[name]
    one = replace(intent, **changes)
    now = utcnow()
    told = said(preview(one, now))
    assert told[0] == expected
    assert accept(one, now) == told


@pytest.mark.parametrize("wrong", ["silent", "stale", "closed", "disabled", "halted"])
def test_it_sees_the_world_as_the_order_door_does(
    preview, accept, intent, market, desk, monkeypatch, wrong
):
    codes = {"silent": "no_reference_price", "stale": "no_reference_price",
             "closed": "market_closed", "disabled": "account_disabled",
             "halted": "trading_halted"}  # fmt: skip
    one = replace(intent, time_in_force=TimeInForce.DAY)
    if wrong == "silent":
        market.silence()
    if wrong == "stale":
        market.show("999.50", "1000.50", at=utcnow() - timedelta(minutes=5))
    if wrong == "closed":
        monkeypatch.setattr("oms.services.entry.session_at", lambda *_: None)
    if wrong == "disabled":
        with tenant_bound(desk.schema):
            BrokerAccount.objects.filter(pk=desk.account_id).update(state="DISABLED")
    if wrong == "halted":
        halted(desk)
    now = utcnow()
    told = said(preview(one, now))
    assert told[0] == codes[wrong]
    assert accept(one, now) == told


def halted(desk, state=HaltState.HALTED):
    with tenant_bound(desk.schema):
        return set_halt(
            scope=HaltScope.ACCOUNT,
            target=desk.code,
            state=state,
            reason="prices look wrong",
            actor=system_actor(desk.schema, "drill"),
            now=utcnow(),
        )


def test_a_halt_says_who_why_and_since_when_and_the_numbers_stay(preview, intent, desk):
    halt = halted(desk)
    shown = preview(intent)
    refusal = shown["refusal"]
    assert (refusal["scope"], refusal["target"]) == ("account", desk.code)
    assert (refusal["set_by"], refusal["reason"]) == ("system:drill", "prices look wrong")
    assert refusal["since"]
    assert shown["notional"] == "9500"
    with tenant_bound(desk.schema):
        lift_halt(
            halt_id=halt.id,
            reason="over again",
            actor=system_actor(desk.schema, "drill"),
            now=utcnow(),
        )
    assert preview(intent)["would_be_accepted"] is True


sides = st.sampled_from([Side.BUY, Side.SELL, Side.SELL_SHORT])
quantities = st.one_of(
    st.integers(1, 200_000).map(Decimal), st.sampled_from([Decimal("0.5"), Decimal(10**7)])
)
prices = st.one_of(st.none(), st.integers(80_000, 125_000).map(lambda cents: Decimal(cents) / 100))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(side=sides, qty=quantities, price=prices, tif=st.sampled_from([None, *TimeInForce]))
@example(side=Side.BUY, qty=Decimal(4544), price=Decimal("1100.00"), tif=None)
def test_whatever_the_order_it_would_be_accepted_exactly_if_it_is(
    preview, accept, intent, market, desk, side, qty, price, tif
):
    """Orders taken on the way stay open, so that the later ones meet limits."""
    limit(desk, RuleId.MAX_OPEN_ORDERS, 25)
    limit(desk, RuleId.MAX_OPEN_NOTIONAL, 20_000_000)
    market.again()
    kind = OrdType.MARKET if price is None else OrdType.LIMIT
    one = replace(intent, side=side, order_qty=qty, price=price, ord_type=kind, time_in_force=tif)
    now = utcnow()
    told = said(preview(one, now))
    assert accept(one, now) == told


def test_it_keeps_nothing(preview, intent, desk):
    kinds = (Order, ClOrdId, Command, OrderVersion, Event, AccountExposure, InstrumentExposure)

    def counted():
        with tenant_bound(desk.schema):
            return [kind.objects.count() for kind in kinds]

    before = counted()
    preview(replace(intent, cl_ord_id="mine"))
    preview(replace(intent, order_qty=Decimal(900_000), cl_ord_id="mine"))
    assert counted() == before


def test_working_and_unknown_orders_count_as_if_they_filled(preview, accept, intent, desk):
    limit(desk, RuleId.MAX_OPEN_NOTIONAL, 20_000)
    assert accept(intent)[0] == "accepted"
    with tenant_bound(desk.schema):
        Command.objects.filter(account_id=desk.account_id).update(
            state="UNKNOWN", unknown_since=utcnow()
        )
    shown = preview(intent)
    row = verdict(shown, "max_open_notional")
    assert (row["before"], row["value"], row["limit"]) == ("9500", "19000", "20000")
    assert (row["outcome"], row["headroom"], row["used"]) == ("WARN", "1000", "0.95")
    assert row["scope"] == "account"
    assert shown["nearest_limit"] == row
    over = preview(replace(intent, order_qty=Decimal(12)))
    assert verdict(over, "max_open_notional")["outcome"] == "FAIL"
    assert verdict(over, "max_open_notional")["headroom"] == "-900"
    assert over["nearest_limit"]["rule"] != "max_open_notional"


def test_the_nearest_limit_is_the_one_with_the_smallest_part_left(preview, intent):
    shown = preview(replace(intent, price=Decimal("1090.00")))
    near = shown["nearest_limit"]
    assert (near["rule"], near["outcome"], near["limit"]) == ("price_collar", "WARN", "1100")
    assert (near["headroom"], near["used"], near["scope"]) == ("10", "0.9", "tenant")
    assert preview(intent)["nearest_limit"]["rule"] != "price_collar"


def test_what_trades_at_once_is_priced_by_the_shown_book(preview, intent, market, desk):
    market.show("999.50", "1000.50", size=100)
    shown = preview(replace(intent, price=Decimal(1010), order_qty=Decimal(100)))
    known = shown["estimate"]
    assert (known["expected_avg_px"], known["worst_px"]) == ("1000.5", "1010")
    assert known["reference"]["px"] == "1000"
    assert (known["reference"]["type"], known["slippage_bps"]) == ("MID", "5")
    assert shown["notional"] == "101000"
    with tenant_bound(desk.schema):
        taker = PaperAccount.objects.get(pk=desk.account_id).taker_bps
    fee = (Decimal(100050) * taker / 10_000).quantize(Decimal("0.01"))
    (row,) = shown["fees"]
    assert (Decimal(row["amount"]), row["ccy"]) == (fee, "USD")
    assert row["basis"].startswith("taker")
    assert Decimal(shown["cash_after"]["USD"]) == OPENING - Decimal(100_050) - fee
    after = shown["exposure_after"]
    assert (after["position_before"], after["position_qty"]) == ("0", "100")
    assert (after["notional"], after["gross"], after["net"]) == ("100000", "100000", "100000")
    assert after["leverage"] == after["share_of_nav"]


def test_nothing_is_invented_beyond_the_shown_book(preview, intent, market):
    market.show("999.50", "1000.50", size=100)
    shown = preview(
        replace(intent, ord_type=OrdType.MARKET, price=None, time_in_force=None,
                order_qty=Decimal(101))
    )  # fmt: skip
    assert shown["would_be_accepted"] is True
    assert shown["estimate"]["expected_avg_px"] is None
    assert shown["estimate"]["worst_px"] is None
    assert shown["fees"] is None
    assert shown["cash_after"] is None
    assert shown["exposure_after"]["position_qty"] == "101"
    assert shown["exposure_after"]["share_of_nav"] is None
    assert "only 100 units are shown" in shown["unknown"]["estimate.expected_avg_px"]
    for name, value in shown.items():
        if value is None and name in ("fees", "cash_after", "exposure_after", "fx", "tax"):
            assert shown["unknown"][name], name
    assert "price_not_known" in [row["code"] for row in shown["warnings"]]


def test_what_neither_trades_nor_waits_is_said(preview, intent):
    shown = preview(replace(intent, time_in_force=TimeInForce.IOC))
    assert shown["estimate"]["marketable"] is False
    assert shown["cash_after"] is None
    assert "does not wait" in shown["unknown"]["estimate.expected_avg_px"]


def test_a_resting_order_pays_the_maker_rate_at_its_own_price(preview, intent):
    shown = preview(intent)
    assert shown["estimate"]["expected_avg_px"] == "950"
    assert shown["estimate"]["slippage_bps"] is None
    assert shown["fees"][0]["basis"].startswith("maker")


def test_a_stop_is_reckoned_at_its_stop_and_pays_for_taking(preview, intent, market):
    market.show("999.50", "1000.50")
    stop = replace(intent, ord_type=OrdType.STOP, price=None, stop_px=Decimal(1050))
    known = preview(stop)["estimate"]
    assert (known["marketable"], known["expected_avg_px"], known["worst_px"]) == (
        False, "1050", None,
    )  # fmt: skip
    assert preview(stop)["fees"][0]["basis"].startswith("taker")
    limited = preview(replace(stop, ord_type=OrdType.STOP_LIMIT, price=Decimal(1052)))["estimate"]
    assert (limited["expected_avg_px"], limited["worst_px"]) == ("1052", "1052")


def test_the_stop_of_a_trail_is_not_known_before(preview, intent):
    trail = replace(
        intent, ord_type=OrdType.TRAILING_STOP, price=None, trail_offset=Decimal(5),
        trail_type=TrailType.PERCENT,
    )  # fmt: skip
    shown = preview(trail)
    assert shown["estimate"]["expected_avg_px"] is None
    assert shown["unknown"]["estimate.expected_avg_px"] == "its stop follows the market"


def test_a_price_of_any_distance_has_its_share_of_the_limit(preview, intent, market):
    market.show("1150.97", "1150.98")
    shown = preview(replace(intent, price=Decimal("1305.01")))
    used = next(row for row in shown["verdicts"] if row["rule"] == "price_collar")
    assert (used["outcome"], used["used"]) == ("FAIL", "1.3383")


@pytest.mark.parametrize("qty", ["999999999999", "999999999999.999999999999"])
def test_figures_of_any_length_are_an_answer(preview, intent, qty):
    shown = preview(replace(intent, order_qty=Decimal(qty), price=Decimal("999999999999.99")))
    assert shown["would_be_accepted"] is False


# --- an order held to its preview


def test_an_order_is_held_to_the_preview_it_names(preview, accept, intent, market):
    now = utcnow()
    named = replace(intent, cl_ord_id="c-1", preview_id=preview(intent, now)["preview_id"])
    other = replace(named, order_qty=Decimal(11))
    assert accept(other, now)[0] == "preview_mismatch"
    late = now + previews.HOLDS + timedelta(seconds=1)
    market.show("999.50", "1000.50", at=late)
    assert accept(named, late)[0] == "preview_expired"
    market.again()
    assert accept(named, now)[0] == "accepted"
    assert accept(replace(named, cl_ord_id="c-2"), now)[0] == "preview_used"
    assert accept(named, late)[0] == "accepted"  # a replay asks nothing again


def test_a_preview_nobody_remembers_confirms_nothing(accept, intent):
    unheard = replace(intent, preview_id="01J00000000000000000000000")
    assert accept(unheard)[0] == "preview_expired"


def test_of_another_firm_neither(preview, intent):
    shown = preview(intent)
    assert previews._recall("tenant_globex", shown["preview_id"]) is None, (
        "previews are kept by firm"
    )


@pytest.mark.parametrize(
    ("bid", "drifted"), [("1002.00", False), ("1002.01", True), ("997.00", False), ("996.99", True)]
)
def test_a_price_that_moved_over_25_basis_points_is_shown_afresh(
    preview, intent, market, desk, trader, bid, drifted
):
    named = replace(intent, preview_id=preview(intent)["preview_id"])
    market.show(bid, str(Decimal(bid) + 1))
    (answer,) = accept_orders(schema=desk.schema, intents=[named], actor=trader, now=utcnow())
    assert isinstance(answer, Refused) == drifted
    if drifted:
        assert (answer.code, answer.http_status) == ("preview_drifted", 409)
        anew = answer.extra["preview"]
        assert anew["would_be_accepted"] is True
        assert Decimal(anew["estimate"]["reference"]["px"]) == Decimal(bid) + Decimal("0.5")
        (again,) = accept_orders(
            schema=desk.schema,
            intents=[replace(intent, preview_id=anew["preview_id"])],
            actor=trader,
            now=utcnow(),
        )
        assert not isinstance(again, Refused)


def test_an_order_already_sent_is_named_and_not_judged_again(preview, accept, intent, desk):
    one = replace(intent, cl_ord_id=fresh("c-"))
    accept(one)
    shown = preview(one)
    (order,) = desk.rows(Order, account_id=desk.account_id)
    assert (shown["replays"], shown["would_be_accepted"]) == (order.id, True)
    assert preview(replace(one, order_qty=Decimal(3)))["refusal"]["code"] == "cl_ord_id_reused"


# --- over HTTP


def test_the_route_answers_200_whatever_the_verdict(alice, bob, charlie, market):
    good = alice.post("/orders/preview", alice.order_body(price="950", tif="GTC"))
    assert (good.status, good.json["would_be_accepted"]) == (200, True)
    denied = alice.post("/orders/preview", alice.order_body(qty="900000", price="1500"))
    assert (denied.status, denied.json["would_be_accepted"]) == (200, False)
    assert len(denied.json["refusal"]["errors"]) == 3
    sent = alice.place(price="950", tif="GTC", preview_id=good.json["preview_id"])
    assert sent.status == 201
    assert bob.post("/orders/preview", bob.order_body(price="950")).status == 403
    body = alice.order_body(price="950")
    assert charlie.post("/orders/preview", body).status == 404
    assert alice.post("/orders/preview", body | {"order_qty": 5}).inner == "use_string"
    assert alice.post("/orders/preview", body | {"wish": "x"}).status == 422
    assert alice.place(price="950", preview_id="rubbish").inner == "invalid_id"


def test_its_answer_is_what_the_openapi_document_describes(alice, market):
    from oms.answers import PreviewOut

    shown = alice.post("/orders/preview", alice.order_body(price="1010", tif="GTC")).json
    assert set(shown) == set(PreviewOut.model_fields)
    assert PreviewOut.model_validate(shown).model_dump(exclude_unset=True) == shown
