"""The estimate on cells that the survey publishes: sectors play the branches (fixed seeds)."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import estimate as benchmark


@pytest.fixture(scope="module")
def measured():
    return benchmark.pseudo_branches(benchmark.read())


def test_the_weighted_error_is_below_that_of_hires_given_the_same_totals(measured) -> None:
    rows, _ = measured
    assert len(rows["B1"]) == 77
    assert benchmark.wape(rows["B1"]) <= 0.23
    _, _, high = benchmark.difference(rows["B1"], rows["B0, group totals given"])
    assert high < 0


def test_intervals_hold_as_often_as_they_say(measured) -> None:
    _, cells = measured
    covered = benchmark.coverage(cells)
    assert 0.78 <= covered[0.8] <= 0.86
    assert 0.45 <= covered[0.5] <= 0.56
