"""Intervals of sums and rates against a direct simulation, written apart from the library.

Posts are counted from five years after the last year of employment: jobs have grown by then, and
those who leave are a share of the jobs there are. Of ten people of 2018 one leaves by 2023, 1.5
more by 2028: half of the two who were 45-49, and the half of the one of 50-54 who had stayed.
"""

import numpy as np
import pandas as pd
import pytest

from opmq_lib.methods import needs

DRAWS = 20_000
NET, LEFT, POSTS = needs.QUANTITIES
NET_RATE, LEFT_RATE, POSTS_RATE = needs.RATES
HEADS = {("chimie", "E1Z41"): 600.0, ("chimie", "E1Z43"): 250.0, ("verre", "E1Z43"): 400.0}
REST = {"chimie": 150.0, "verre": 100.0}
SIGMA = {("chimie", "E1Z41"): 0.5, ("chimie", "E1Z43"): 0.3, ("verre", "E1Z43"): 0.7}
YEARS, SHARE = 5, 0.15
GROWTH = {2023: (0.9, 0.1), 2028: (0.97, 0.2)}
"""Of each métier since 2018, at the point, and its standard deviation."""
FIRST = min(GROWTH)
Z80 = 1.2815515655446004


def jobs() -> pd.DataFrame:
    rows = [
        {"branch_code": branch, "metier_code": code, "employment_headcount": heads}
        | {
            "employment_headcount_lower": heads * np.exp(-Z80 * SIGMA[branch, code]),
            "employment_headcount_upper": heads * np.exp(Z80 * SIGMA[branch, code]),
        }
        for (branch, code), heads in HEADS.items()
    ]
    rest = [
        {"branch_code": branch, "metier_code": "autres_metiers", "employment_headcount": heads}
        for branch, heads in REST.items()
    ]
    return pd.DataFrame(rows + rest).assign(year=2018, origin="public")


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    every = jobs()
    metiers = every[every["metier_code"] != "autres_metiers"]
    key = metiers[["branch_code", "metier_code"]]
    heads = metiers["employment_headcount"]
    projections = pd.concat(
        key.assign(year=year, quantile_level=level, value=heads * (growth + spread * z))
        for year, (growth, spread) in GROWTH.items()
        for level, z in ((0.1, -Z80), (0.5, 0.0), (0.9, Z80))
    )
    ages = key.merge(
        pd.DataFrame(
            {
                "age_band": ["40-44", "45-49", "50-54", "55+"],
                "employment_headcount": [6.5, 2, 1, 0.5],
            }
        ),
        "cross",
    ).assign(period="2018", origin="public")
    rates = pd.DataFrame(
        {"metier_code": "ENS", "first_age": [40, 45, 50, 55], "survival_ratio": [1, 1, 0.5, 0]}
    )
    given = needs.Assumptions(
        projections=projections,
        rates=rates,
        counted_from=FIRST,
        branches=every,
        totals=True,
        draws_count=DRAWS,
    )
    table = needs.posts_to_fill(metiers, ages, YEARS, [0.1, 0.5, 0.9], given)
    key = ["branch_code", "metier_code", "quantity"]
    return table.pivot(index=key, columns="quantile_level", values="value")


@pytest.fixture(scope="module")
def simulated() -> dict[str, dict[tuple[str, str], np.ndarray]]:
    """Jobs and departures in every draw, alone and where the branch keeps its headcount."""
    rng = np.random.default_rng(7)
    count = 200_000
    common, family = rng.normal(size=(2, count))
    metier = {code: rng.normal(size=count) for code in ("E1Z41", "E1Z43")}
    level = {cell: np.exp(SIGMA[cell] * rng.normal(size=count)) for cell in HEADS}
    whole = {
        branch: rest + sum(HEADS[cell] * level[cell] for cell in HEADS if cell[0] == branch)
        for branch, rest in REST.items()
    }
    kept = {
        branch: rest + sum(HEADS[cell] for cell in HEADS if cell[0] == branch)
        for branch, rest in REST.items()
    }
    results: dict[str, dict[tuple[str, str], np.ndarray]] = {"alone": {}, "in_sum": {}}
    for cell, heads in HEADS.items():
        inside = np.sqrt(0.7) * family + np.sqrt(0.3) * metier[cell[1]]
        z = np.sqrt(0.1) * common + np.sqrt(0.9) * inside
        chance = rng.normal(size=count)
        for name, scale in (("alone", 1.0), ("in_sum", kept[cell[0]] / whole[cell[0]])):
            base = heads * level[cell] * scale
            start, end = (base * (growth + spread * z) for growth, spread in GROWTH.values())
            left = SHARE * start + np.sqrt(start * SHARE * (1 - SHARE)) * chance
            results[name][cell] = np.stack([start, end - start, left])
    return results


def width(values: np.ndarray) -> float:
    low, high = np.quantile(values, [0.1, 0.9])
    return float(high - low)


CASES = {
    ("chimie", "E1Z41"): ("alone", [("chimie", "E1Z41")]),
    ("chimie", "ENS"): ("in_sum", [("chimie", "E1Z41"), ("chimie", "E1Z43")]),
    ("ensemble", "E1Z43"): ("alone", [("chimie", "E1Z43"), ("verre", "E1Z43")]),
    ("ensemble", "ENS"): ("in_sum", list(HEADS)),
}


@pytest.mark.parametrize("place", CASES)
def test_the_interval_of_a_sum_is_that_of_a_direct_simulation(
    found: pd.DataFrame, simulated: dict, place: tuple[str, str]
) -> None:
    name, cells = CASES[place]
    start, net, left = np.sum([simulated[name][cell] for cell in cells], axis=0)
    expected = {NET: net, LEFT: left, POSTS: net + left} | {
        rate: 100 * heads / (YEARS * start)
        for rate, heads in ((NET_RATE, net), (LEFT_RATE, left), (POSTS_RATE, net + left))
    }
    total = sum(HEADS[cell] for cell in cells)
    for quantity, values in expected.items():
        row = found.loc[(*place, quantity)]
        assert row[0.9] - row[0.1] == pytest.approx(width(values), rel=0.04), quantity
    (first, _), (last, _) = GROWTH.values()
    assert found.loc[(*place, LEFT), 0.5] == pytest.approx(SHARE * first * total)
    assert found.loc[(*place, NET), 0.5] == pytest.approx((last - first) * total)


def test_a_rate_hardly_depends_on_the_level(found: pd.DataFrame) -> None:
    count, rate = (found.loc["chimie", "E1Z41", name] for name in (LEFT, LEFT_RATE))
    assert count[0.9] / count[0.1] > 3
    assert rate[0.9] / rate[0.1] < 1.4


def test_a_branch_that_keeps_its_headcount_is_better_known_than_its_metiers(
    found: pd.DataFrame,
) -> None:
    whole, metier = (found.loc["chimie", code, LEFT] for code in ("ENS", "E1Z41"))
    assert (whole[0.9] - whole[0.1]) / whole[0.5] < 0.6 * (metier[0.9] - metier[0.1]) / metier[0.5]
