"""What executions cost: rates by liquidity and volume, minimum, maximum, and no lost cents."""

from decimal import Decimal

import hypothesis.strategies as st
import pytest
from hypothesis import given

from trading.fees import Charged, FeeSchedule, FeeTier, charge, thirty_day_volume

D = Decimal
DAY = 86_400 * 1_000_000_000
CRYPTO = FeeSchedule(
    tiers=(FeeTier(D(0), D(10), D(10)), FeeTier(D(1_000_000), D(-1), D(5))),
    decimals=8,
)
SHARES = FeeSchedule(
    tiers=(FeeTier(D(0), D(0), D(0)),),
    per_unit=D("0.005"),
    minimum=D(1),
    maximum_bps=D(100),
)


def fee(schedule, notional, qty=1, *, before=None, **more):
    return charge(
        schedule,
        before or Charged(),
        notional=D(notional),
        qty=D(qty),
        is_maker=more.pop("is_maker", False),
        **more,
    )


def test_who_rested_pays_another_rate_and_may_be_paid():
    rich = {"volume": D(2_000_000)}
    assert fee(CRYPTO, 1_000)[0] == 1
    assert fee(CRYPTO, 1_000, **rich)[0] == D("0.5")
    assert fee(CRYPTO, 1_000, is_maker=True, **rich)[0] == D("-0.1")


def test_the_minimum_is_charged_with_the_execution_that_ends_the_order():
    first, charged = fee(SHARES, 5_000, 50)
    assert first == D("0.25")
    last, charged = fee(SHARES, 5_000, 50, before=charged, ends_order=True)
    assert last == D("0.75")
    assert charged.amount == 1


def test_the_maximum_is_a_share_of_the_orders_notional():
    assert fee(SHARES, 10, 1_000)[0] == D("0.10")


def test_rounding_is_carried_from_execution_to_execution():
    charged, paid = Charged(), D(0)
    for _ in range(3):
        amount, charged = fee(SHARES, 100, D("0.5"), before=charged)
        paid += amount
    assert paid == D("0.01")  # 3 x 0.0025 = 0.0075


def test_tiers_begin_at_nothing_and_rise():
    with pytest.raises(ValueError, match="tiers"):
        FeeSchedule((FeeTier(D(5), D(0), D(0)),))


def test_volume_older_than_thirty_days_does_not_count():
    traded = [(0, D(100)), (1, D(10)), (30 * DAY, D(1))]
    assert thirty_day_volume(traded, 30 * DAY) == 11


@given(st.lists(st.tuples(st.decimals("0.01", "1e6", places=2), st.booleans()), min_size=1))
def test_however_an_order_is_cut_its_fees_add_up_to_the_rounded_whole(executions):
    charged, paid, exact = Charged(), D(0), D(0)
    for notional, is_maker in executions:
        amount, charged = fee(CRYPTO, notional, before=charged, is_maker=is_maker)
        paid += amount
        exact += notional * 10 / 10_000
    assert paid == exact.quantize(D("1e-8"))
