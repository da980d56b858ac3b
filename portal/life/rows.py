"""The rows of the tabs: API objects and stored instants in, what a template prints out."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from common.numbers import dec_str
from oms.export import command_json, version_json
from oms.life import OrderLife
from oms.models import OrderVersion
from oms.present import event_json, execution_json
from portal.badges import Badge, word_badge
from portal.life.steps import gap_text
from portal.templatetags.blotter import UNKNOWN, number
from portfolio.shapes import closure_json, entry_json, lot_json
from trading import exact
from trading.orders.reports import from_json
from trading.vocabulary import CommandState, ExecType, ReportSource

_VERDICT_TONES = {"LATE": "warn", "OVERFILL": "down", "PARKED": "down", "HELD": "warn"}
_COMMAND_BADGES = {
    CommandState.QUEUED: ("\u25cc", "queued", "info"),
    CommandState.SENDING: ("\u25d0", "sent, no answer yet", "info"),
    CommandState.UNKNOWN: ("?", "unknown", "unknown"),
    CommandState.ACKED: ("\u25cf", "acknowledged", "up"),
    CommandState.REFUSED: ("\u2298", "refused", "down"),
}
_VERSION_BADGES = {
    OrderVersion.PENDING: ("\u25cc", "asked", "warn"),
    OrderVersion.ACCEPTED: ("\u25cf", "in force", "info"),
    OrderVersion.SUPERSEDED: ("\u25cb", "superseded", "quiet"),
    OrderVersion.REJECTED: ("\u2298", "refused", "down"),
}
_TERMS = (
    ("order_qty", "quantity"),
    ("price", "price"),
    ("stop_px", "stop"),
    ("trail_offset", "trail"),
    ("limit_offset", "limit offset"),
    ("display_qty", "shown quantity"),
    ("time_in_force", "time in force"),
    ("expire_time", "ends at"),
)
_WORD_TERMS = frozenset({"time_in_force", "expire_time"})
_PRICES = frozenset({"price", "stop_px"})


def timeline(life: OrderLife) -> list[dict[str, Any]]:
    """One row per event, oldest first, with the time since the one before."""
    rows: list[dict[str, Any]] = []
    before: datetime | None = None
    for event, _ in life.events:
        report = from_json(event.report)
        at_venue = None if event.source == ReportSource.LOCAL else report.transact_time
        rows.append(
            {
                **event_json(event, None),
                "when": event.at,
                "gap": "" if before is None else gap_text(event.at - before),
                "venue_at": at_venue,
                "moved": event.before != event.after,
                "status": word_badge(event.after),
                "what": _what(event.report, life.places),
                "text": "" if report.anchor_px is not None else report.text,
                "refused": event.exec_type in (ExecType.REJECTED, ExecType.REQUEST_REFUSED),
                "told_by": _actor(event.actor),
                "verdict_badge": _verdict(event.verdict),
            }
        )
        before = event.at
    return rows


def _verdict(word: str) -> Badge | None:
    """Only what is out of the ordinary is marked."""
    tone = _VERDICT_TONES.get(word)
    return None if tone is None else Badge("!", word.lower(), tone, word)


def _what(report: Mapping[str, Any], places: int) -> str:
    kind = report["exec_type"]
    if kind in (ExecType.TRADE, ExecType.TRADE_CORRECT) and "last_qty" in report:
        return f"{number(report['last_qty'])} @ {number(report['last_px'], places)}"
    if kind in (
        ExecType.REPLACED,
        ExecType.PENDING_REPLACE,
        ExecType.RESTATED,
        ExecType.TRIGGERED,
    ):
        return _stated(report, places)
    return str(report.get("ord_rej_reason") or report.get("cxl_rej_reason") or "")


def _stated(report: Mapping[str, Any], places: int) -> str:
    """The terms a report states, and where a trail has come to."""
    words = [number(report["order_qty"])] if "order_qty" in report else []
    if "price" in report:
        words.append(f"@ {number(report['price'], places)}")
    for name, word in (("stop_px", "stop"), ("anchor_px", "best price")):
        if name in report:
            words.append(f"{word} {number(report[name], places)}")
    return " ".join(words)


def _actor(label: str) -> str:
    kind, _, name = label.partition(":")
    return name if kind in ("user", "system") else f"{name} (key)"


@dataclass(frozen=True, slots=True)
class Message:
    """One message at the connection. ``size`` in bytes as stored; ``asked`` marks a request that
    the venue takes as a call: what is shown is what was committed before it left.
    """

    key: str
    direction: str
    at: datetime
    name: str
    text: str
    size: int
    asked: bool


def messages(life: OrderLife) -> list[Message] | None:
    """What passed in both directions, oldest first; None where the reader may not see it."""
    if life.messages is None:
        return None
    found = [
        Message(
            f"m{row.pk}", row.direction, row.received_at, _name_of(row.raw), row.raw,
            len(row.raw.encode()), asked=False,
        )
        for row in life.messages
    ]  # fmt: skip
    for command in life.commands:
        if command.sending_at is None:
            continue
        content = {
            "kind": command.kind,
            "venue_cl_ord_id": command.venue_cl_ord_id,
            **command.payload,
        }
        text = json.dumps(content, separators=(",", ":"))
        name = f"{command.kind} attempt {command.attempt}"
        found.append(
            Message(
                f"c{command.pk}", "OUT", command.sending_at, name, text, len(text.encode()),
                asked=True,
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: (one.at, one.direction == "IN"))


def _name_of(raw: str) -> str:
    try:
        content = json.loads(raw)
    except ValueError:
        return ""
    return str(content.get("exec_type", "")) if isinstance(content, dict) else ""


def fills(life: OrderLife) -> list[dict[str, Any]]:
    """The executions, oldest first, as the API shows them, with our instant beside the venue's."""
    multiplier = life.order.instrument.multiplier
    return [
        {
            **execution_json(row, broker_order_id=life.order.order_id),
            "when": row.received_at,
            "notional": dec_str(_notional(row.last_qty, row.last_px, multiplier)),
            "superseded": row.id in life.overtaken,
            "ref": row.exec_ref_id,
            "source": row.source,
        }
        for row in life.executions
    ]


def executed_notional(gross: Decimal, multiplier: Decimal) -> str:
    """What was traded, in the instrument's currency."""
    return dec_str(exact.multiply(gross, multiplier))


def _notional(qty: Decimal, px: Decimal, multiplier: Decimal) -> Decimal:
    return exact.multiply(exact.multiply(qty, px), multiplier)


def fees(life: OrderLife) -> list[tuple[str, str]]:
    """What the executions that count cost, by currency."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in life.executions:
        if row.id not in life.overtaken:
            sums[row.fee_currency] = exact.add(sums[row.fee_currency], row.fee)
    return [(currency, dec_str(total)) for currency, total in sorted(sums.items())]


def postings(life: OrderLife) -> dict[str, Any] | None:
    """Journal entries with their sums, lots opened and closed; None where they may not be seen."""
    if life.postings is None:
        return None
    exec_ids = {row.id: row.exec_id for row in life.executions}
    entries = []
    for entry, lines in life.postings.entries:
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for line in lines:
            sums[line.currency] = exact.add(sums[line.currency], line.amount)
        entries.append(
            {
                **entry_json(entry, lines),
                "exec_id": exec_ids[entry.ref],
                "sums": [(currency, dec_str(total)) for currency, total in sums.items()],
                "even": not any(sums.values()),
            }
        )
    amounts = [line.amount for _, lines in life.postings.entries for line in lines]
    return {
        "places": max([2, *(_places(amount) for amount in amounts)]),
        "entries": entries,
        "opened": [
            {**lot_json(lot), "exec_id": exec_ids[lot.id], "cost": dec_str(lot.opened_cost)}
            for lot in life.postings.opened
        ],
        "closed": [
            {**closure_json(one), "exec_id": exec_ids[one.execution_id]}
            for one in life.postings.closures
        ],
    }


def _places(amount: Decimal) -> int:
    return len(dec_str(amount).partition(".")[2])


def versions(life: OrderLife) -> list[dict[str, Any]]:
    """The amend chain: each version with what it changed of the last one accepted before it."""
    rows: list[dict[str, Any]] = []
    base: dict[str, Any] | None = None
    for version in life.versions:
        shown = version_json(version)
        diffs = []
        if base is not None:
            diffs = [
                {
                    "name": label,
                    "before": _term(name, base[name], life.places),
                    "after": _term(name, shown[name], life.places),
                }
                for name, label in _TERMS
                if base[name] != shown[name]
            ]
        badge = Badge(*_VERSION_BADGES[version.state], version.state)
        rows.append({**shown, "when": version.created_at, "diffs": diffs, "badge": badge})
        if version.state in (OrderVersion.ACCEPTED, OrderVersion.SUPERSEDED):
            base = shown
    return rows


def _term(name: str, value: str | None, places: int) -> str:
    if name in _WORD_TERMS:
        return value or UNKNOWN
    return number(value, places if name in _PRICES else None)


def commands(life: OrderLife) -> list[dict[str, Any]]:
    """What the venue was asked, oldest first, with each look-up of an outcome."""
    rows = []
    for command in life.commands:
        badge = Badge(*_COMMAND_BADGES[CommandState(command.state)], command.state)
        answered = ""
        if command.sending_at is not None and command.outcome_at is not None:
            answered = gap_text(command.outcome_at - command.sending_at)
        rows.append(
            {
                **command_json(command),
                "badge": badge,
                "asked_words": _asked(command.payload),
                "created": command.created_at,
                "sending": command.sending_at,
                "answered": answered,
                "outcome": command.outcome_at,
                "unknown": command.unknown_since,
                "next_lookup": command.next_lookup_at,
            }
        )
    return rows


def _asked(payload: Mapping[str, Any]) -> str:
    names = ("side", "order_qty", "symbol", "ord_type", "price")
    words = [str(payload[name]) for name in names if payload.get(name) is not None]
    for name, word in (("stop_px", "stop"), ("trail_offset", "trail")):
        if payload.get(name) is not None:
            words += [word, str(payload[name])]
    if payload.get("time_in_force") is not None:
        words.append(str(payload["time_in_force"]))
    return " ".join(words)


def unknown_requests(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of ``commands`` whose outcome nobody knows."""
    return [row for row in rows if row["state"] == CommandState.UNKNOWN]
