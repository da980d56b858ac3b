"""The file that proves an order's life: what happened, hashed, and tied into the firm's chain.

``sha256`` is over the canonical JSON of ``life`` (keys sorted, no spaces, UTF-8); ``signature``
is this installation's over that hash. Each event of ``chain`` bears the hash it has in the firm's
stream, sha256 over the hash before it followed by the event's canonical JSON, so whoever keeps
the stream, or any later hash of it, can prove that none of them was changed since.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.signing import BadSignature, Signer

from common.actor import Actor
from common.instants import instant_str, opt_instant_str
from common.numbers import dec_str, opt_dec_str
from events.chain import canonical, link
from events.selectors import head
from oms.life import OrderLife
from oms.models import Command, OrderVersion
from oms.present import event_json, execution_json
from portfolio.shapes import closure_json, entry_json, lot_json
from trading.risk import Breach

FORMAT = "blotter.order-life.1"
_SALT = "oms.order-life"


def document_of(life: OrderLife, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """Return the file's content; it holds no more than ``actor`` may see on the page."""
    position, hash_ = head()
    content = {
        "order": life.shown,
        "events": [event_json(event, raw) for event, raw in life.events],
        "commands": [command_json(command) for command in life.commands],
        "versions": [version_json(version) for version in life.versions],
        "executions": [
            execution_json(row, broker_order_id=life.order.order_id) for row in life.executions
        ],
        "breaches": [breach_json(breach) for breach in life.breaches],
        "messages": None if life.messages is None else [_message(row) for row in life.messages],
        "postings": _postings(life),
        "chain": [
            {"event": one.event, "previous_hash": one.previous_hash, "hash": one.hash}
            for one in life.chain
        ],
        "head": {"position": position, "hash": hash_},
        "made_at": instant_str(now),
        "made_by": actor.label,
    }
    digest = _digest(content)
    return {
        "format": FORMAT,
        "life": content,
        "sha256": digest,
        "signature": Signer(salt=_SALT).signature(digest),
    }


def problems_of(document: Any) -> list[str]:
    """Return one line for each thing in such a file that does not hold; none means it does.

    The signature is judged by this installation's key: a file of another one is said to be so.
    """
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        return [f"this is no file of the format {FORMAT}"]
    content = document.get("life")
    if not isinstance(content, Mapping) or not isinstance(content.get("chain"), list):
        return ["the file holds no life of an order"]
    problems = []
    try:
        digest = _digest(content)
    except ValueError:
        return ["the content holds what is no JSON number"]
    if digest != document.get("sha256"):
        problems.append("the content was changed: its sha256 is another one")
    try:
        Signer(salt=_SALT).unsign(f"{digest}:{document.get('signature')}")
    except BadSignature:
        problems.append("the signature is not this installation's over this content")
    problems.extend(
        f"event {number} of the chain does not have its hash"
        for number, one in enumerate(content["chain"], start=1)
        if not _is_linked(one)
    )
    return problems


def _is_linked(one: Any) -> bool:
    """Whether the event has the hash it bears; one without a position has none yet."""
    if not isinstance(one, Mapping) or not isinstance(one.get("event"), Mapping):
        return False
    hash_, previous = one.get("hash"), one.get("previous_hash")
    if hash_ is None:
        return one["event"].get("position") is None
    return isinstance(previous, str) and link(previous, canonical(one["event"])) == hash_


def command_json(command: Command) -> dict[str, Any]:
    """What a venue was asked, and what became of it; ``evidence`` lists each look-up."""
    return {
        "id": command.id,
        "kind": command.kind,
        "cl_ord_id": command.cl_ord_id,
        "orig_cl_ord_id": command.orig_cl_ord_id,
        "venue_cl_ord_id": command.venue_cl_ord_id,
        "asked": command.payload,
        "state": command.state,
        "attempt": command.attempt,
        "epoch": command.epoch,
        "created_at": instant_str(command.created_at),
        "sending_at": opt_instant_str(command.sending_at),
        "unknown_since": opt_instant_str(command.unknown_since),
        "outcome_at": opt_instant_str(command.outcome_at),
        "outcome_code": command.outcome_code,
        "outcome_text": command.outcome_text,
        "refused_by": command.refused_by,
        "evidence": command.evidence,
    }


def version_json(version: OrderVersion) -> dict[str, Any]:
    """One link of the amend chain."""
    return {
        "number": version.number,
        "cl_ord_id": version.cl_ord_id,
        "venue_cl_ord_id": version.venue_cl_ord_id,
        "order_qty": dec_str(version.order_qty),
        "price": opt_dec_str(version.price),
        "stop_px": opt_dec_str(version.stop_px),
        "trail_offset": opt_dec_str(version.trail_offset),
        "limit_offset": opt_dec_str(version.limit_offset),
        "display_qty": opt_dec_str(version.display_qty),
        "time_in_force": version.time_in_force,
        "expire_time": opt_instant_str(version.expire_time),
        "state": version.state,
        "created_at": instant_str(version.created_at),
    }


def breach_json(breach: Breach) -> dict[str, Any]:
    """Why a rule refused the order, with the numbers of that moment."""
    return {
        "code": str(breach.code),
        "rule": str(breach.rule),
        "value": dec_str(breach.value),
        "limit": dec_str(breach.limit),
        "unit": breach.unit,
        "message": breach.message,
    }


def _message(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "direction": row.direction,
        "at": instant_str(row.received_at),
        "raw": row.raw,
    }


def _postings(life: OrderLife) -> dict[str, Any] | None:
    if life.postings is None:
        return None
    return {
        "entries": [entry_json(entry, lines) for entry, lines in life.postings.entries],
        "lots_opened": [lot_json(lot) for lot in life.postings.opened],
        "lots_closed": [closure_json(closure) for closure in life.postings.closures],
    }


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(content).encode()).hexdigest()
