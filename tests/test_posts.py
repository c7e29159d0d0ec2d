"""Needs per 100 jobs and per year: identities, what cancels, and a direct simulation of intervals.

The simulation is written apart from the library: one métier grows by 1 % a year, the other falls by
2 %; 2.5 and 3.5 % leave per year; the level is that of 2020, the count goes from 2026 to 2030.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from opmq_lib.errors import DataError
from opmq_lib.methods import needs
from opmq_lib.methods.needs import metier_rates
from opmq_lib.methods.needs.posts import BRANCH_GROWTH_SD, GROWTH_SD
from opmq_lib.tables import check

NET, LEFT, POSTS = needs.QUANTITIES
NET_RATE, LEFT_RATE, POSTS_RATE = needs.RATES
HEADS = {("chimie", "E1Z41"): 600.0, ("chimie", "G1Z70"): 250.0, ("verre", "G1Z70"): 400.0}
REST = {"chimie": 150.0, "verre": 100.0}
SIGMA = {("chimie", "E1Z41"): 0.5, ("chimie", "G1Z70"): 0.3, ("verre", "G1Z70"): 0.7}
GROWTH, LEAVING = {"E1Z41": 0.01, "G1Z70": -0.02}, {"E1Z41": 0.025, "G1Z70": 0.035}
BEFORE, SPAN = 6, 4
Z80 = 1.2815515655446004
KEY = ["branch_code", "metier_code"]


def cells(scale: float = 1.0, **changed: object) -> pd.DataFrame:
    rows = [
        {"branch_code": branch, "metier_code": code, "employment_headcount": scale * heads}
        | {"employment_headcount_lower": scale * heads * np.exp(-Z80 * SIGMA[branch, code])}
        | {"employment_headcount_upper": scale * heads * np.exp(Z80 * SIGMA[branch, code])}
        | {"growth_rate_pct": 100 * GROWTH[code], "departure_rate_pct": 100 * LEAVING[code]}
        | {"family_code": code[:3]}
        for (branch, code), heads in HEADS.items()
    ]
    rest = [
        {"branch_code": branch, "metier_code": "autres_metiers", "family_code": ""}
        | {"employment_headcount": scale * heads}
        for branch, heads in REST.items()
    ]
    facts = {"level_year": 2020, "ages_basis": "national", "nature": "official_projection"}
    return pd.DataFrame(rows + rest).assign(origin="public", **facts).assign(**changed)


def found(table: pd.DataFrame, **cases: pd.DataFrame) -> pd.DataFrame:
    given = {"reference": table[KEY]} | cases
    posts = check("needs", needs.posts_to_fill(table, 2026, 2030, given), "needs")
    key = ["scenario_code", *KEY, "quantity"]
    return posts.pivot(index=key, columns="quantile_level", values="value")


@pytest.fixture(scope="module")
def reference() -> pd.DataFrame:
    return found(cells()).loc["reference"]


def test_the_point_is_the_formula(reference: pd.DataFrame) -> None:
    for (branch, code), heads in HEADS.items():
        start = heads * np.exp(BEFORE * GROWTH[code])
        end = start * np.exp(SPAN * GROWTH[code])
        left = SPAN * LEAVING[code] * (start + end) / 2
        point = reference.loc[(branch, code), 0.5]
        expected = {needs.JOBS: start, NET: end - start, LEFT: left, POSTS: end - start + left}
        expected |= {LEFT_RATE: 100 * left / (SPAN * start)}
        assert point[list(expected)].tolist() == pytest.approx(list(expected.values()))
        assert point[POSTS_RATE] == pytest.approx(point[NET_RATE] + point[LEFT_RATE])


def test_sums_are_sums_of_their_metiers_at_the_point(reference: pd.DataFrame) -> None:
    point = reference[0.5].unstack("quantity")[[needs.JOBS, *needs.QUANTITIES]]
    whole = point.xs("ENS", level="metier_code")
    parts = point.drop(["ENS"], level="metier_code").drop("ensemble").groupby("branch_code").sum()
    assert parts.to_numpy() == pytest.approx(whole.loc[parts.index].to_numpy())
    assert whole.loc["ensemble"].tolist() == pytest.approx(parts.sum().tolist())


def test_a_rate_does_not_move_when_every_head_is_doubled(reference: pd.DataFrame) -> None:
    rates, doubled = (
        each[each.index.get_level_values("quantity").isin(needs.RATES)]
        for each in (reference, found(cells(2.0)).loc["reference"])
    )
    assert len(rates) == 3 * 8
    assert doubled.to_numpy() == pytest.approx(rates.to_numpy())


def test_a_scenario_multiplies_growth_and_never_departures() -> None:
    low = cells()[KEY].assign(employment_multiplier=0.9)
    table = found(cells(), low=low)
    before, after = table.loc["reference"].unstack("quantity"), table.loc["low"].unstack("quantity")
    for name in (needs.JOBS, LEFT, LEFT_RATE):
        same = after.xs(name, axis=1, level="quantity")
        assert same.equals(before.xs(name, axis=1, level="quantity"))
    jobs = 600 * np.exp(10 * GROWTH["E1Z41"])
    lost = before[0.5][NET] - after[0.5][NET]
    assert lost["chimie", "E1Z41"] == pytest.approx(0.1 * jobs)


def test_the_sign_is_claimed_where_ninety_draws_in_a_hundred_agree() -> None:
    least = 100 * Z80 * np.hypot(GROWTH_SD, BRANCH_GROWTH_SD)
    assert least == pytest.approx(2.87, abs=0.005)
    for growth, is_claimed in ((0.93 * least, False), (1.07 * least, True)):
        for side in (1, -1):
            table = found(cells(growth_rate_pct=side * growth, departure_rate_pct=2.0))
            low, high = table.loc[("reference", "chimie", "E1Z41", NET_RATE), [0.1, 0.9]]
            assert (low * high > 0) == is_claimed


def test_ages_of_the_branch_narrow_its_departures() -> None:
    own = found(cells(ages_basis="branch")).loc["reference"]
    borrowed = found(cells()).loc["reference"]
    rows = ("chimie", "E1Z41", LEFT_RATE)
    spread = {name: np.log(each.loc[rows, 0.9] / each.loc[rows, 0.1]) / (2 * Z80)
              for name, each in (("own", own), ("borrowed", borrowed))}  # fmt: skip
    assert spread["own"] == pytest.approx(np.hypot(0.15, 0.06), rel=0.06)
    assert spread["borrowed"] == pytest.approx(np.sqrt(0.15**2 + 0.06**2 + 0.2**2), rel=0.06)


def test_the_order_of_rows_and_other_branches_change_nothing() -> None:
    mixed = found(cells().sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(mixed, found(cells()))
    alone = found(cells().query("branch_code == 'verre'"))
    pd.testing.assert_frame_equal(alone, mixed.loc[alone.index])


def test_departures_that_are_not_known_are_nd_and_net_creation_is_kept() -> None:
    table = cells(departure_rate_pct=np.nan).query("metier_code == 'G1Z70'")
    posts = needs.posts_to_fill(table, 2026, 2030)
    status = posts.groupby("quantity")["status"].agg(set)
    missing = {name for name, each in status.items() if each == {"nd"}}
    assert missing == {LEFT, POSTS, LEFT_RATE, POSTS_RATE}


def test_every_defect_is_told_at_once() -> None:
    wrong = cells(employment_headcount=-1.0).drop(columns="level_year")
    with pytest.raises(DataError) as caught:
        needs.posts_to_fill(wrong, 2030, 2026)
    for part in ("column `level_year`", "column `employment_headcount`", "end_year"):
        assert part in str(caught.value)


def test_small_metiers_are_one_row_whose_rates_are_their_mean() -> None:
    table = cells().query("branch_code == 'chimie'").fillna({"growth_rate_pct": 0.0})
    few = table.assign(employment_headcount=[996.0, 3.0, 1.0], departure_rate_pct=[2.0, 2.0, 6.0])
    few = few.assign(**{f"employment_headcount_{end}": few["employment_headcount"] * factor
                        for end, factor in (("lower", 0.5), ("upper", 2.0))})  # fmt: skip
    rest = metier_rates.gather_small(few).iloc[-1]
    assert rest["employment_headcount"] == 4
    assert rest["departure_rate_pct"] == pytest.approx(3)
    spread = np.log(2) * np.hypot(3, 1) / 4
    assert np.log(rest["employment_headcount_upper"] / 4) == pytest.approx(spread)


# Intervals against a direct simulation


@pytest.fixture(scope="module")
def simulated() -> Mapping[str, Mapping[tuple[str, str], np.ndarray]]:
    """Jobs, net creation and departures of each cell, alone and where its branch is summed."""
    rng, count = np.random.default_rng(7), 200_000
    common, departures = rng.normal(size=(2, count))
    inside = {code: rng.normal(size=count) for code in GROWTH}
    metier = {code: rng.normal(size=count) for code in GROWTH}
    branch = {name: rng.normal(size=(2, count)) for name in REST}
    level = {cell: np.exp(SIGMA[cell] * rng.normal(size=count)) for cell in HEADS}
    tables: dict[str, dict[tuple[str, str], np.ndarray]] = {"alone": {}, "in_sum": {}}
    for cell, heads in HEADS.items():
        (name, code), drift = cell, branch[cell[0]][0]
        growth = GROWTH[code] + 0.01 * drift
        growth = growth + 0.02 * (np.sqrt(0.1) * common + np.sqrt(0.9) * inside[code])
        ages = 0.7 * branch[name][1] + np.sqrt(0.51) * rng.normal(size=count)
        leaving = LEAVING[code] * np.exp(0.15 * metier[code] + 0.06 * departures + 0.2 * ages)
        members = [each for each in HEADS if each[0] == name]
        kept = REST[name] + sum(HEADS[each] for each in members)
        drawn = REST[name] + sum(HEADS[each] * level[each] for each in members)
        for kind, scale in (("alone", 1.0), ("in_sum", kept / drawn)):
            start = heads * level[cell] * scale * np.exp(BEFORE * growth)
            end = start * np.exp(SPAN * growth)
            tables[kind][cell] = np.stack([start, end - start, SPAN * leaving * (start + end) / 2])
    return tables


CASES = {
    ("chimie", "E1Z41"): ("alone", [("chimie", "E1Z41")]),
    ("chimie", "ENS"): ("in_sum", [("chimie", "E1Z41"), ("chimie", "G1Z70")]),
    ("ensemble", "G1Z70"): ("alone", [("chimie", "G1Z70"), ("verre", "G1Z70")]),
    ("ensemble", "ENS"): ("in_sum", list(HEADS)),
}


@pytest.mark.parametrize("place", CASES)
def test_the_interval_of_a_sum_is_that_of_a_direct_simulation(
    reference: pd.DataFrame, simulated: Mapping, place: tuple[str, str]
) -> None:
    kind, members = CASES[place]
    start, net, left = np.sum([simulated[kind][cell] for cell in members], axis=0)
    expected = {needs.JOBS: start, NET: net, LEFT: left, POSTS: net + left} | {
        rate: 100 * heads / (SPAN * start)
        for rate, heads in ((NET_RATE, net), (LEFT_RATE, left), (POSTS_RATE, net + left))
    }
    for quantity, values in expected.items():
        low, middle, high = reference.loc[(*place, quantity), [0.1, 0.5, 0.9]]
        below, median, above = np.quantile(values, [0.1, 0.5, 0.9])
        assert high - low == pytest.approx(above - below, rel=0.05), quantity
        assert high - middle == pytest.approx(above - median, rel=0.1), quantity
