"""The comparison of sizes held against known truths: false alarms, coverage, wrong signs, branches.

The sample takes a few seconds; `OPMQ_TEST_FULL=1` runs the grid and
`--log-cli-level=INFO` says what was measured.
"""

import logging
import os
from itertools import product

import numpy as np
import pytest
from request_worlds import World, differences

from opmq_lib.methods.requests import comparison

LOG = logging.getLogger(__name__)
FULL = os.environ.get("OPMQ_TEST_FULL") == "1"
RUNS = 400 if FULL else 300
AGAIN = 5000
WORST = 20
LEAST_COMPARED = 0.25
SIZES = [(15, 10), (20, 20), (20, 60), (30, 30), (60, 20), (60, 60), (100, 60), (200, 100)]
MEANS = [(1.6, 6), (1.6, 12), (1.2, 12)]
GRID = [World(*each) for each in product(
    SIZES, MEANS, (0, 0.2, 0.4), (0.05, 0.1, 0.2, 0.3, 0.5), (0, -0.6, 0.6))]  # fmt: skip
SAMPLE = GRID[7::90]


def measured(world: World, runs: int, seed: int) -> dict[str, float]:
    """Return how often a world is compared and, when it is, how often that is wrong or right."""
    found = differences(
        world, runs, np.random.default_rng([seed, GRID.index(world._replace(gap=0))])
    )
    compared = ~np.isnan(found.p_value)
    said = compared & (found.p_value <= comparison.LARGEST_P)
    least = max(compared.sum(), 1)
    inside = (found.lower <= world.gap) & (world.gap <= found.upper)
    return {
        "compared": compared.mean(),
        "false": said.sum() / least,
        "missed": 1 - inside.sum() / max((compared & ~np.isnan(found.lower)).sum(), 1),
        "wrong": (said & (found.value < 0)).sum() / least,
        "power": (said & (found.value > 0)).sum() / least,
    }


def over(worlds: list[World], *faults: str) -> dict[str, tuple[float, float]]:
    """Return mean and worst of some faults, the worst worlds drawn again, more often."""
    tables = [measured(world, RUNS, 1) for world in worlds]
    kept = [at for at, each in enumerate(tables) if each["compared"] >= LEAST_COMPARED]
    found = {}
    for fault in faults:
        values = [tables[at][fault] for at in kept]
        worst = sorted(kept, key=lambda at: -tables[at][fault])[: WORST if FULL else 0]
        again = [(measured(worlds[at], AGAIN, 2)[fault], worlds[at]) for at in worst]
        top = max(again, key=lambda each: each[0]) if again else (max(values), "sample")
        found[fault] = float(np.mean(values)), float(top[0])
        LOG.info("%s: %d of %d worlds, mean %.4f, worst %.4f (%s)",
                 fault, len(kept), len(worlds), *found[fault], top[1])  # fmt: skip
    return found


SLACK = 0.0 if FULL else 0.03
"""Of the worst of a sample of few runs: three standard errors."""


def test_no_difference_is_claimed_where_there_is_none() -> None:
    found = over(GRID if FULL else SAMPLE, "false", "missed")
    assert found["false"][0] <= 0.05
    assert found["false"][1] <= 0.08 + SLACK
    assert found["missed"][0] <= 0.05
    assert found["missed"][1] <= 0.10 + SLACK


@pytest.mark.parametrize(("gap", "most"), [(0.05, 0.03), (0.10, 0.01)])
def test_the_wrong_sign_is_rarely_claimed_and_intervals_hold_the_gap(
    gap: float, most: float
) -> None:
    worlds = [each._replace(gap=gap) for each in (GRID if FULL else SAMPLE)]
    found = over(worlds, "wrong", "missed", "power")
    assert found["wrong"][1] <= most + SLACK / 3
    assert found["missed"][0] <= 0.05 + SLACK / 3
    assert found["missed"][1] <= 0.10 + SLACK
    assert found["power"][0] > 0.05


@pytest.mark.parametrize(("share", "means"), [(0.2, (1.6, 6)), (0.05, (1.2, 12))], ids=str)
def test_over_34_branches_alike_an_edition_rarely_retains_any(
    share: float, means: tuple[float, float]
) -> None:
    rng, editions = np.random.default_rng(5), 1000 if FULL else 100
    small = np.exp(rng.normal(np.log(40), 0.9, 34)).astype(int) + 3
    p_values = np.stack([
        differences(World(sizes, means, 0.2, share), editions, rng).p_value
        for sizes in ((int(each), int(each * 0.6) + 2) for each in small)
    ])  # fmt: skip
    any_kept = np.mean([comparison.retained(each).any() for each in p_values.T])
    any_found = np.mean((p_values <= comparison.LARGEST_P).any(axis=0))
    compared = (~np.isnan(p_values)).sum(axis=0).mean()
    LOG.info("%s: %.1f branches compared, any at 5 %% in %.3f of %d editions, any retained in %.3f",
             (share, means), compared, any_found, editions, any_kept)  # fmt: skip
    assert any_kept <= 0.10
