"""The verbs of risk, one name each; where a verb lives is this package's own business."""

from risk.book import RiskBook, reserved_price
from risk.services.exposure import (
    ExposureUnderflowError,
    lock_accounts,
    move_reserved,
    read_accounts,
    recompute_exposure,
    record_breaches,
)
from risk.services.halts import (
    WRITE,
    AlreadyHalted,
    AlreadyLifted,
    SecondPersonNeeded,
    lift_halt,
    may_halt,
    must_not_lift_alone,
    set_halt,
)
from risk.services.limits import BadLimit, default_limits, set_limit
from risk.services.targets import UnknownTarget

__all__ = [
    "WRITE",
    "AlreadyHalted",
    "AlreadyLifted",
    "BadLimit",
    "ExposureUnderflowError",
    "RiskBook",
    "SecondPersonNeeded",
    "UnknownTarget",
    "default_limits",
    "lift_halt",
    "lock_accounts",
    "may_halt",
    "move_reserved",
    "must_not_lift_alone",
    "read_accounts",
    "recompute_exposure",
    "record_breaches",
    "reserved_price",
    "set_halt",
    "set_limit",
]
