"""What stands open against each account, the limits on it, halts and the breaches so far.

Accounts and instruments are named without database constraints: the exposure rows are the hottest
of the system. Enumerations live in ``trading.risk``; the database repeats them as CHECKs.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from common.numbers import dec_str
from trading.risk import HaltScope, HaltState, LimitScope


def _choices(words: Iterable[StrEnum]) -> list[tuple[str, str]]:
    return [(word.value, word.value) for word in words]


class AccountExposure(models.Model):
    """One row per account; whoever accepts orders for the account holds its lock.

    ``open_orders`` counts orders without a final outcome. ``version`` rises with every change.
    """

    account = models.OneToOneField(
        "brokers.BrokerAccount",
        primary_key=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    open_orders = models.BigIntegerField(default=0)
    version = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(open_orders__gte=0), name="risk_open_orders_ge_0"),
        ]

    def __str__(self) -> str:
        return f"account {self.account_id}: {self.open_orders} open"


class InstrumentExposure(models.Model):
    """What an account's open orders in one instrument hold reserved.

    Quantities in the instrument's unit, notionals in its currency (price the order was accepted
    at x quantity x multiplier). Changed only while the account's AccountExposure row is locked.
    """

    account = models.ForeignKey(
        "brokers.BrokerAccount",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    symbol = models.CharField(max_length=32)
    open_buy_qty = models.DecimalField(max_digits=24, decimal_places=12, default=0)
    open_sell_qty = models.DecimalField(max_digits=24, decimal_places=12, default=0)
    open_buy_notional = models.DecimalField(max_digits=38, decimal_places=18, default=0)
    open_sell_notional = models.DecimalField(max_digits=38, decimal_places=18, default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "symbol"], name="risk_exposure_unique"),
            models.CheckConstraint(
                condition=Q(open_buy_qty__gte=0, open_sell_qty__gte=0),
                name="risk_open_qty_ge_0",
            ),
            models.CheckConstraint(
                condition=Q(open_buy_notional__gte=0, open_sell_notional__gte=0),
                name="risk_open_notional_ge_0",
            ),
        ]

    def __str__(self) -> str:
        return f"account {self.account_id} {self.symbol}"


class RiskLimit(models.Model):
    """A limit as data. ``target`` is an account code, or empty for the whole firm.

    ``rule`` is a ``trading.risk.RuleId``, free text here so that a new rule needs no migration.
    """

    scope = models.CharField(max_length=16, choices=_choices(LimitScope))
    target = models.CharField(max_length=64, blank=True, default="")
    rule = models.CharField(max_length=64)
    value = models.DecimalField(max_digits=24, decimal_places=12)
    enabled = models.BooleanField(default=True)
    updated_at = models.DateTimeField()
    updated_by = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scope", "target", "rule"], name="risk_limit_unique"),
            models.CheckConstraint(condition=Q(value__gt=0), name="risk_limit_value_gt_0"),
            models.CheckConstraint(
                condition=Q(scope__in=[word.value for word in LimitScope]),
                name="risk_limit_scope_known",
            ),
            models.CheckConstraint(
                condition=Q(scope="tenant", target="") | (~Q(scope="tenant") & ~Q(target="")),
                name="risk_limit_target_by_scope",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} of {self.target or 'the firm'} = {dec_str(self.value)}"


class Halt(models.Model):
    """Trading stopped somewhere, by whom and why; kept for ever, lifted once."""

    State = HaltState

    id = models.CharField(primary_key=True, max_length=26)
    scope = models.CharField(max_length=16, choices=_choices(HaltScope))
    target = models.CharField(max_length=64, blank=True, default="")
    state = models.CharField(max_length=16, choices=_choices(HaltState))
    reason = models.CharField(max_length=500)
    set_by = models.CharField(max_length=200)
    # Who answers for it, a key's owner too: another person lifts. Null where a loop set it.
    set_by_person = models.BigIntegerField(null=True)
    since = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=200, blank=True, default="")
    lift_reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["scope", "target", "state"],
                condition=Q(lifted_at__isnull=True),
                name="risk_halt_once_in_force",
            ),
            models.CheckConstraint(
                condition=Q(scope__in=[word.value for word in HaltScope])
                & Q(state__in=[word.value for word in HaltState]),
                name="risk_halt_words_known",
            ),
            models.CheckConstraint(
                condition=Q(scope="tenant", target="") | (~Q(scope="tenant") & ~Q(target="")),
                name="risk_halt_target_by_scope",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by="", lift_reason="")
                | (Q(lifted_at__gte=F("since")) & ~Q(lifted_by="")),
                name="risk_halt_lifted_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.scope} {self.target}".rstrip()


class Breach(models.Model):
    """One rule one refused order broke, with the numbers of that moment; append-only.

    ``order_id`` is the id of the kept REJECTED order, by value: orders live above risk.
    """

    id = models.BigAutoField(primary_key=True)
    order_id = models.CharField(max_length=26, db_index=True)
    account = models.ForeignKey(
        "brokers.BrokerAccount",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    code = models.CharField(max_length=64)
    rule = models.CharField(max_length=64)
    value = models.DecimalField(max_digits=60, decimal_places=24)
    limit = models.DecimalField(max_digits=60, decimal_places=24)
    unit = models.CharField(max_length=32)
    message = models.CharField(max_length=500)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            BrinIndex(fields=["at"], autosummarize=True, name="risk_breach_by_time"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order_id", "code"], name="risk_breach_once"),
        ]

    def __str__(self) -> str:
        return f"{self.code} on {self.order_id}"
