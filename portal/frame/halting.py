"""The form that stops trading: where, how firmly and why, and what it will do once it is sent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from brokers.models import BrokerAccount
from common.actor import Actor
from marketdata.models import Instrument
from oms.selectors import orders_under_halt, unknown_among
from risk.models import Halt
from risk.services import may_halt
from trading.risk import HaltScope, HaltState

MIN_REASON = 10
MAX_REASON = 400
OTHER = "other"
# Said first, so that the firm can be stopped without typing a word.
REASONS = {
    "prices": "prices look wrong",
    "orders": "orders look wrong",
    "venue": "trouble at the venue",
    "loss": "losses",
    "drill": "a drill",
    OTHER: "another reason, given below",
}
STATES = {
    HaltState.HALTED: "no new order; working ones are cancelled",
    HaltState.REDUCING: "only what makes a position smaller",
}
WORDS = {
    HaltScope.TENANT: "the whole firm",
    HaltScope.ACCOUNT: "account",
    HaltScope.INSTRUMENT: "instrument",
    HaltScope.STRATEGY: "strategy",
    HaltScope.VENUE: "connection",
}
FIELDS = ("where", "strategy", "state", "code", "reason", "cancel")


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the list of what may be stopped; ``value`` is ``scope:target``."""

    value: str
    label: str


@dataclass(slots=True)
class HaltForm:
    """What the form shows: the words as chosen and typed, and what is wrong with them."""

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    title: str = ""

    @property
    def scope(self) -> HaltScope | None:
        """How far it reaches; None where the choice is none we know."""
        word = self.values["where"].partition(":")[0]
        return HaltScope(word) if word in {one.value for one in HaltScope} else None

    @property
    def target(self) -> str | None:
        """The name within the scope; None for the whole firm or where it is missing."""
        if self.scope is HaltScope.STRATEGY:
            return self.values["strategy"] or None
        return self.values["where"].partition(":")[2] or None

    @property
    def state(self) -> HaltState | None:
        """How firmly; None where the choice is none we know."""
        word = self.values["state"]
        return HaltState(word) if word in {one.value for one in HaltState} else None

    @property
    def reason(self) -> str:
        """The chosen words, and what was typed beside them."""
        said, typed = REASONS.get(self.values["code"], ""), self.values["reason"]
        if self.values["code"] == OTHER:
            return typed
        return f"{said}: {typed}" if typed else said

    @property
    def cancels(self) -> bool:
        """Whether working orders of the scope are to be cancelled though orders may reduce."""
        return self.state is HaltState.REDUCING and self.values["cancel"] == "yes"

    def check(self) -> bool:
        """Fill in ``errors``; say whether there are none."""
        if self.scope is None:
            self.errors["where"] = "Choose what to stop."
        elif self.scope is HaltScope.STRATEGY and self.target is None:
            self.errors["strategy"] = "Name the strategy, as its orders carry it."
        if self.state is None:
            self.errors["state"] = "Choose how firmly."
        if self.values["code"] not in REASONS:
            self.errors["code"] = "Choose why."
        elif self.values["code"] == OTHER and (message := reason_error(self.values["reason"])):
            self.errors["reason"] = message
        elif len(self.reason) > MAX_REASON or "\x00" in self.reason:
            self.errors["reason"] = f"At most {MAX_REASON} characters."
        if "\x00" in (self.target or ""):
            self.errors["where"] = "Choose what to stop."
        if self.errors:
            self.title = "Nothing is halted yet"
        return not self.errors


def reason_error(reason: str) -> str:
    """Return what is wrong with a reason that was typed, or nothing."""
    if len(reason) < MIN_REASON:
        return f"Say why in at least {MIN_REASON} characters; {len(reason)} are given."
    if len(reason) > MAX_REASON or "\x00" in reason:
        return f"At most {MAX_REASON} characters."
    return ""


def posted_halt(posted: Mapping[str, str]) -> HaltForm:
    """Return the form as it was sent."""
    return HaltForm({name: posted.get(name, "").strip()[:500] for name in FIELDS})


def blank_halt(account: BrokerAccount | None) -> HaltForm:
    """Return a fresh form: the account of the page, halted, for the most common reason."""
    where = f"{HaltScope.ACCOUNT}:{account.code}" if account else f"{HaltScope.TENANT}:"
    values = {"where": where, "strategy": "", "state": HaltState.HALTED.value, "code": "prices",
              "reason": "", "cancel": ""}  # fmt: skip
    return HaltForm(values)


def halt_places(
    actor: Actor, accounts: Sequence[BrokerAccount], instruments: Iterable[Instrument]
) -> list[Place]:
    """Return what the actor may stop, the narrowest first; empty for who may stop nothing."""
    venues = sorted({one.connection.name for one in accounts})
    asked = [
        *((HaltScope.ACCOUNT, one.code, f"account {one.code} \u00b7 {one.mode}")
          for one in accounts),
        (HaltScope.TENANT, "", WORDS[HaltScope.TENANT]),
        *((HaltScope.INSTRUMENT, one.symbol, f"instrument {one.symbol} \u00b7 {one.name}")
          for one in instruments),
        *((HaltScope.VENUE, name, f"connection {name}") for name in venues),
        (HaltScope.STRATEGY, "", "one strategy, named below"),
    ]  # fmt: skip
    return [
        Place(f"{scope}:{target}", label)
        for scope, target, label in asked
        if may_halt(actor, scope, target or None)
    ]


def halting_of(
    actor: Actor,
    account: BrokerAccount | None,
    accounts: Sequence[BrokerAccount],
    instruments: Iterable[Instrument],
) -> dict[str, Any]:
    """Return what the form needs: a fresh ``form``, ``places``, ``states`` and ``codes``."""
    return {
        "form": blank_halt(account),
        "places": halt_places(actor, accounts, instruments),
        "states": [(state.value, words) for state, words in STATES.items()],
        "codes": list(REASONS.items()),
    }


@dataclass(frozen=True, slots=True)
class Effect:
    """What a halt would do now, in numbers of the server."""

    where: str
    halted: bool
    working: int
    unknown: int
    cancels: bool
    present: Halt | None


def effect_of(form: HaltForm, actor: Actor, in_force: Iterable[Halt]) -> Effect | None:
    """Return what the form would do; None while it names nothing that can be stopped."""
    scope, state = form.scope, form.state
    named = scope is HaltScope.TENANT or (form.target is not None and "\x00" not in form.target)
    if scope is None or state is None or not named or not may_halt(actor, scope, form.target):
        return None
    orders = orders_under_halt(actor=actor, scope=scope, target=form.target)
    same = (scope.value, form.target or "", state.value)
    return Effect(
        where=" ".join(filter(None, (WORDS[scope], form.target))),
        halted=state is HaltState.HALTED,
        working=orders.count(),
        unknown=unknown_among(orders),
        cancels=form.cancels,
        present=next((one for one in in_force if (one.scope, one.target, one.state) == same), None),
    )
