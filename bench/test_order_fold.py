"""The cases of ``bench.order_fold`` for pytest-benchmark; its table is the result, no verdict."""

import pytest

from bench.order_fold import cases

CASES = cases()


@pytest.mark.parametrize("name", CASES)
def test_apply_one_report(benchmark, name: str) -> None:
    """One case, as often as pytest-benchmark likes."""
    benchmark(CASES[name])
