"""What would become of an order: judged by the very functions that accept it, and nothing kept.

``weigh`` reads in the caller's transaction; ``preview_order`` owns a read-only one. Whatever
cannot be known is None and has its reason in ``unknown``.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from brokers.adapters.base import FeeQuote
from brokers.adapters.registry import adapter_class, capabilities_of
from brokers.models import BrokerAccount
from common.actor import Actor
from common.errors import FieldError, Forbidden, NotFound, Refused
from common.instants import instant_str
from common.numbers import dec_str, opt_dec_str
from marketdata import quotes
from marketdata.calendars import Session
from marketdata.models import Instrument
from oms.errors import breach_row
from oms.services import previews
from oms.services.entry import Sized, session_waited_for, size, warnings_of
from oms.services.holdings import Holdings, holdings_after
from oms.services.judgement import Desk, Judged, Known, open_desk, symbols_of, with_defaults
from risk import selectors as risk_selectors
from risk import services as risk_services
from tenants.binding import tenant_bound
from trading import exact
from trading.estimate import Estimate, estimate
from trading.market import Quote
from trading.orders.intent import OrderIntent, intent_hash
from trading.orders.placement import Placement
from trading.risk import Breach, Reference, Verdict, order_notional, verdicts
from trading.vocabulary import HeldBy, Side

NEAR = Decimal("0.2")
"""A rule that passes with less of its room left than this warns."""
_RATIO = Decimal("0.0001")


@dataclass(slots=True)
class _Facts:
    """What is known of an order apart from the verdict; empty while its fields are not right."""

    account: BrokerAccount
    intent: OrderIntent
    instrument: Instrument | None = None
    quote: Quote | None = None
    reference: Reference | None = None
    verdicts: tuple[Verdict, ...] = ()
    notional: Decimal | None = None
    placement: Placement | None = None
    sized: Sized | None = None
    waits_for: Session | None = None
    estimate: Estimate | None = None
    fee: FeeQuote | None = None
    after: Holdings | None = None
    unknown: dict[str, str] = field(default_factory=dict)


def preview_order(
    *, schema: str, intent: OrderIntent, actor: Actor, now: datetime
) -> dict[str, Any]:
    """Return the preview of one order; it can be named with the order for half a minute.

    :raises NotFound: :raises Forbidden: for an account out of reach. Every other reason against
        the order is part of the answer.
    """
    market = quotes.latest(symbols_of([intent]))
    with tenant_bound(schema), _read_only():
        desk = open_desk(
            [intent], actor=actor, market=market, lock=risk_services.read_accounts, now=now
        )
        return weigh(desk, intent)


@contextmanager
def _read_only() -> Iterator[None]:
    """The database itself refuses a write until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
    yield


def weigh(desk: Desk, given: OrderIntent) -> dict[str, Any]:
    """Return the preview of an order at a desk.

    :raises NotFound: :raises Forbidden: for an account out of reach.
    """
    intent = replace(given, preview_id=None)
    refusal: Refused | None = None
    known: Known | None = None
    breaches: tuple[Breach, ...] = ()
    try:
        said = desk.judge(intent)
        if isinstance(said, Judged):
            breaches = said.breaches
        else:
            known = said
            breaches = risk_selectors.breaches_of(said.order.id)
    except (NotFound, Forbidden):
        raise
    except Refused as refused:
        refusal = refused
    facts = _facts(desk, intent)
    content = intent_hash(facts.intent)
    kept = previews.remember(
        schema=desk.actor.schema, content=content, reference=facts.reference, now=desk.now
    )
    if kept is None:
        facts.unknown["preview_id"] = "previews cannot be remembered now; send without one"
    return {
        "preview_id": kept and kept.preview_id,
        "expires_at": kept and instant_str(kept.expires_at),
        "intent_hash": content,
        "would_be_accepted": refusal is None and not breaches,
        "replays": known and known.order.id,
        "refusal": _refusal(refusal, breaches),
        "account": facts.account.code,
        "mode": facts.account.mode,
        **_told(desk, facts),
        "warnings": [{"code": code, "message": text} for code, text in _warnings(facts, known)],
        "unknown": facts.unknown,
    }


def _refusal(refusal: Refused | None, breaches: tuple[Breach, ...]) -> dict[str, Any] | None:
    """The problem that POST /orders would answer with, in short."""
    errors: tuple[FieldError, ...]
    extra: Mapping[str, Any]
    if refusal is not None:
        code, title, status = refusal.code, refusal.title, refusal.http_status
        detail, errors, extra = refusal.detail, refusal.errors, refusal.extra
    elif breaches:
        code, title, status = "risk_rejected", "The order breaches a risk limit", 422
        detail = "; ".join(breach.message for breach in breaches)
        errors, extra = tuple(breach_row(breach) for breach in breaches), {}
    else:
        return None
    shown: dict[str, Any] = {
        name: extra[name]
        for name in ("scope", "target", "since", "set_by", "reason")
        if name in extra
    }
    rows = [_error(one) for one in errors]
    return {
        "code": code,
        "title": title,
        "status": status,
        "detail": detail,
        "errors": rows,
        **shown,
    }


def _error(one: FieldError) -> dict[str, Any]:
    return {"field": one.field, "code": one.code, "message": one.message, **one.extra}


# --- what is known --------------------------------------------------------------------------------


def _facts(desk: Desk, given: OrderIntent) -> _Facts:
    account = desk.accounts[given.account]
    found = desk.instruments.get(given.symbol)
    facts = _Facts(account, with_defaults(given, found))
    try:
        facts.instrument = desk.instrument(facts.intent)
        facts.quote = desk.market.get(given.symbol)
        facts.reference = desk.reference(facts.quote)
        facts.placement = desk.check_fields(facts.intent, account, facts.instrument)
    except Refused:
        _without(facts, "the fields of the order have to be acceptable first")
        return facts
    if facts.quote is None or facts.reference is None:
        _without(facts, f"{given.symbol} has no fresh price")
        return facts
    with suppress(Refused):
        facts.sized = size(facts.intent, facts.placement, facts.instrument, facts.quote)
        facts.intent = facts.sized.intent
    if not facts.intent.order_qty:
        _without(facts, "the money has to be worth an order first")
        return facts
    with suppress(Refused):
        facts.waits_for = session_waited_for(account, facts.intent, facts.instrument, desk.now)
    recent = desk.recent(facts.intent, account)
    context = desk.book.context(
        account=account,
        instrument=facts.instrument,
        quote=facts.quote,
        now=desk.now,
        recent=replace(recent, twin=None) if facts.intent.allow_duplicate else recent,
    )
    facts.verdicts = verdicts(facts.intent, context, desk.book.limits_of(account.code))
    facts.notional = order_notional(facts.intent, context)
    facts.estimate = estimate(facts.intent, facts.quote, facts.reference)
    facts.unknown |= {f"estimate.{name}": why for name, why in facts.estimate.unknown.items()}
    _settle(facts)
    return facts


def _without(facts: _Facts, why: str) -> None:
    for name in ("estimate", "fees", "cash_after", "exposure_after", "notional"):
        facts.unknown[name] = why


def _settle(facts: _Facts) -> None:
    """Fee, cash and exposure, should the order fill whole at the estimate's price."""
    assert facts.estimate is not None
    assert facts.instrument is not None
    assert facts.quote is not None
    px, intent = facts.estimate.settled_px, facts.intent
    if px is None:
        why = facts.estimate.unknown["expected_avg_px"]
    else:
        why = f"the rates of {facts.account.connection.name} are not known here"
        broker = facts.account.connection.broker
        if capabilities_of(broker) is not None:
            facts.fee = adapter_class(broker).quoted_fee(
                facts.account.pk,
                qty=intent.order_qty,
                px=px,
                multiplier=facts.instrument.multiplier,
                maker=not facts.estimate.takes,
            )
    if facts.fee is None:
        names = ("fees", "cash_after", "exposure_after.leverage", "exposure_after.share_of_nav")
        facts.unknown |= dict.fromkeys(names, why)
    facts.after = holdings_after(
        facts.account,
        intent,
        facts.instrument,
        px=px,
        fee=None if facts.fee is None else facts.fee.amount,
        mark=facts.quote.last,
    )
    if facts.after.gross is None:
        reason = f"no price of {', '.join(facts.after.unmarked)}"
        for name in ("gross", "net", "leverage", "share_of_nav"):
            facts.unknown[f"exposure_after.{name}"] = reason


# --- how it is told -------------------------------------------------------------------------------


def _told(desk: Desk, facts: _Facts) -> dict[str, Any]:
    currency = None if facts.instrument is None else facts.instrument.currency
    rows = [_verdict(desk, facts, one) for one in facts.verdicts]
    passing = [pair for pair in zip(facts.verdicts, rows, strict=True) if pair[0].passes]
    nearest = min(passing, key=lambda pair: pair[0].room, default=(None, None))[1]
    facts.unknown |= {
        "margin": "no margin model: the account trades against its cash",
        "fx": "the order settles in the instrument's own currency",
        "tax": "no tax model",
    }
    return {
        "symbol": facts.intent.symbol,
        "side": facts.intent.side,
        "ord_type": facts.intent.ord_type,
        "order_qty": dec_str(facts.intent.order_qty),
        "cash_order_qty": opt_dec_str(facts.intent.cash_order_qty),
        "unspent_cash": opt_dec_str(facts.sized.unspent if facts.sized else None),
        "price": opt_dec_str(facts.intent.price),
        "time_in_force": facts.intent.time_in_force,
        "currency": currency,
        "verdicts": rows,
        "nearest_limit": nearest,
        "notional": opt_dec_str(facts.notional),
        "estimate": _estimate(facts),
        "fees": _fees(facts, currency),
        "fx": None,
        "cash_after": _cash(facts, currency),
        "margin": {
            "initial": None,
            "maintenance": None,
            "excess_after": None,
            "source": "NONE",
        },
        "exposure_after": _exposure(facts),
        "tax": None,
    }


def _verdict(desk: Desk, facts: _Facts, one: Verdict) -> dict[str, Any]:
    outcome = "FAIL" if not one.passes else "WARN" if one.room < NEAR else "PASS"
    used = max(exact.subtract(Decimal(1), one.room.quantize(_RATIO)), Decimal(0))
    return {
        "rule": one.rule,
        "code": one.breach.code if one.breach else None,
        "outcome": outcome,
        "value": dec_str(one.value),
        "limit": dec_str(one.limit),
        "headroom": dec_str(one.headroom),
        "unit": one.unit,
        "scope": desk.book.bounds_of(facts.account.code)[one.rule].scope,
        "before": dec_str(one.before),
        "used": dec_str(used),
        "message": one.breach.message if one.breach else None,
    }


def _estimate(facts: _Facts) -> dict[str, Any] | None:
    known, reference = facts.estimate, facts.reference
    placed = facts.placement
    if known is None or reference is None or facts.quote is None or placed is None:
        return None
    facts.unknown["estimate.fill_probability"] = "no model of it"
    return {
        "reference": {
            "px": dec_str(reference.price),
            "type": reference.kind,
            "age_ms": max(0, round(reference.age.total_seconds() * 1000)),
        },
        "marketable": known.marketable,
        "expected_avg_px": opt_dec_str(known.expected_px),
        "worst_px": opt_dec_str((facts.sized and facts.sized.worst_px) or known.worst_px),
        "slippage_bps": opt_dec_str(known.slippage_bps),
        "fill_probability": None,
        "sent_as": placed.ord_type,
        "held_by": HeldBy.OMS if placed.keeps_trigger else "VENUE",
        "synthetic_parts": list(placed.synthetic_parts),
        "simulated": facts.quote.simulated,
    }


def _fees(facts: _Facts, currency: str | None) -> list[dict[str, Any]] | None:
    if facts.fee is None:
        return None
    amount = dec_str(facts.fee.amount)
    return [{"kind": "COMMISSION", "ccy": currency, "amount": amount, "basis": facts.fee.basis}]


def _cash(facts: _Facts, currency: str | None) -> dict[str, Any] | None:
    if facts.after is None or facts.after.cash is None:
        return None
    return {str(currency): dec_str(facts.after.cash)}


def _exposure(facts: _Facts) -> dict[str, Any] | None:
    after = facts.after
    if after is None:
        return None
    return {
        "position_qty": dec_str(after.qty),
        "notional": dec_str(after.notional),
        "gross": opt_dec_str(after.gross),
        "net": opt_dec_str(after.net),
        "leverage": opt_dec_str(after.leverage),
        "share_of_nav": opt_dec_str(after.share_of_nav),
        "position_before": dec_str(after.qty_before),
    }


def _warnings(facts: _Facts, known: Known | None) -> Iterator[tuple[str, str]]:
    if known is not None:
        yield "already_sent", "This cl_ord_id names an order already; nothing is new."
    if facts.placement is not None:
        yield from warnings_of(facts.intent, facts.placement, facts.waits_for)
    yield from _warnings_of_money(facts)
    if facts.quote is not None and facts.quote.simulated:
        yield "simulated", "Prices are a historical replay, none of the present."


def _warnings_of_money(facts: _Facts) -> Iterator[tuple[str, str]]:
    estimated, after = facts.estimate, facts.after
    if estimated is not None and estimated.expected_px is None:
        reason = estimated.unknown["expected_avg_px"]
        yield "price_not_known", f"No expected price: {reason}."
    if after is not None and after.flips:
        was, becomes = dec_str(after.qty_before), dec_str(after.qty)
        yield "position_flips", f"The position would turn from {was} to {becomes}."
    cash = None if after is None else after.cash
    if cash is not None and cash < 0:
        yield "cash_below_zero", "Filled whole, the order leaves the cash below zero."
    if (
        after is not None
        and facts.intent.side is Side.BUY
        and facts.notional is not None
        and facts.notional > after.buying_power
        and (cash is None or cash >= 0)
    ):
        yield "beyond_buying_power", "Open orders and this one need more than the cash."
