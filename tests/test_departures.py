"""Our own departures: the worked example, what ages and rates give, the official ones beside."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from chains import studied

from opmq_lib.errors import DataError, SchemaError
from opmq_lib.methods.needs import cohorts, official
from opmq_lib.methods.needs.ages import Ages, read_ages
from opmq_lib.methods.needs.departures import leaving, survival_of
from opmq_lib.methods.needs.rates import NATIONAL_SURVIVAL, learn_rates
from opmq_lib.sources import embedded
from opmq_lib.tables.fap import METIER_LENGTH

BANDS = ("45-49", "50-54", "55-59", "60-64", "65+")
HEADS = np.array([1100.0, 1200, 900, 300, 40])
SURVIVAL = np.array([[0.96, 0.93, 0.62, 0.12, 0.0]])
BASE = 2018
FAMILIES = {
    *("C0Z", "C1Z", "C2Z", "D0A", "D1Z", "D2Z", "D4Z", "D6Z", "E0Z", "E1Z", "E2Z"),
    *("F0A", "F2A", "F4Z", "F5Z", "G0A", "G0B", "G1Z", "H0Z", "J0Z", "J1Z", "N0Z"),
}


def ages_of(code: str, heads: np.ndarray = HEADS, period: str = "2017-2019") -> pd.DataFrame:
    rows = {"metier_code": code, "period": period, "age_band": BANDS}
    return pd.DataFrame(rows | {"employment_headcount": heads})


def rates_of(code: str, survival: np.ndarray = SURVIVAL[0]) -> pd.DataFrame:
    ages = (45, 50, 55, 60, 65)
    return pd.DataFrame({"metier_code": code, "first_age": ages, "survival_ratio": survival})


def every_metier() -> tuple[Ages, pd.DataFrame]:
    ages = embedded.load("age_structure")
    metiers = ages[ages["metier_code"].str.len() == METIER_LENGTH]
    return read_ages(metiers), learn_rates(metiers, steps=3)


def test_w1_departures_by_five_year_cohorts() -> None:
    left = cohorts.departures(HEADS, SURVIVAL, [5, 10], 1, 0.0)
    assert left == pytest.approx([730.0, 1755.04], abs=5e-7)
    half = cohorts.departures(HEADS, SURVIVAL, [0, 1, 5], 1)
    assert half == pytest.approx([0, (730 + 22) / 5, 730 + 22], abs=5e-7)
    later, _ = cohorts.age_five_years(HEADS, SURVIVAL[0])
    assert later[1:].tolist() == pytest.approx([1056, 1116, 558, 36], abs=5e-7)
    share = leaving(read_ages(ages_of("A")), rates_of("A"), BASE, [5]).loc[("", "A"), 5]
    assert share == pytest.approx((730 + 22) / HEADS.sum())


@pytest.mark.parametrize("seed", range(20))
def test_heads_never_appear_nor_vanish(seed: int) -> None:
    rng = np.random.default_rng(seed)
    heads = rng.gamma(0.5, 1000, size=(7, 9))
    survival = rng.uniform(size=(7, 9))
    now, gone = heads, np.zeros(7)
    for _ in range(6):
        now, left = cohorts.age_five_years(now, survival)
        gone += left.sum(axis=1)
        assert (now >= 0).all()
        assert (left >= 0).all()
    assert now.sum(axis=1) + gone == pytest.approx(heads.sum(axis=1), rel=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_departures_grow_with_the_horizon_whatever_else_is_asked(seed: int) -> None:
    rng = np.random.default_rng(seed)
    heads, survival = rng.gamma(0.5, 1000, size=9), rng.uniform(size=(4, 9))
    left = cohorts.departures(heads, survival, range(21), 6)
    assert (np.diff(left) >= 0).all()
    assert left[0] == 0
    assert left[-1] <= heads.sum()
    for horizon in range(1, 21):
        assert cohorts.departures(heads, survival, [horizon], 6) == left[horizon]
    now, gone = heads, 0.0
    for step in range(4):
        now, out = cohorts.age_five_years(now, survival[step])
        gone += out[6:].sum()
        whole = cohorts.departures(heads, survival, [5 * (step + 1)], 6, 0.0)
        assert whole == pytest.approx([gone], abs=1e-9)


def test_rates_that_change_inside_a_step_serve_from_that_year_on() -> None:
    def leave(survival: np.ndarray, years: list[int]) -> np.ndarray:
        return cohorts.departures(HEADS, survival, years, 1)

    later = np.ones_like(SURVIVAL) - 0.5 * (1 - SURVIVAL)
    years = [3, 5, 8, 9, 10, 15]
    before, after = leave(SURVIVAL, years), leave(later, years)
    assert cohorts.changed(leave, SURVIVAL, later, years, 0) == pytest.approx(after)
    assert cohorts.changed(leave, SURVIVAL, later, years, 15) == pytest.approx(before)
    found = cohorts.changed(leave, SURVIVAL, later, years, 8)
    assert found[:3] == pytest.approx(before[:3])
    a_year = (before[4] - before[1]) / 5
    assert found[3:5] - found[2] == pytest.approx([0.5 * a_year, a_year])


def test_departures_of_every_metier_never_fall_when_the_horizon_grows() -> None:
    ages, rates = every_metier()
    left = leaving(ages, rates, BASE, range(1, 13))
    assert left.shape == (226, 12)
    assert (left.diff(axis=1).iloc[:, 1:] >= -1e-9).all(axis=None)
    alone = leaving(ages, rates, BASE, [4])[4]
    pd.testing.assert_series_equal(alone, left[4])


def test_one_rate_changes_the_departures_of_its_metier_alone() -> None:
    ages, rates = every_metier()
    higher = rates.copy()
    of_metier = (rates["metier_code"] == "D1Z40") & (rates["first_age"] == 55)
    higher.loc[of_metier, "survival_ratio"] = 0.0
    before, after = (leaving(ages, each, BASE, [5])[5] for each in (rates, higher))
    changed = before[before != after]
    assert changed.index.tolist() == [("", "D1Z40")]
    assert after["", "D1Z40"] > before["", "D1Z40"]


def test_leaving_later_lowers_departures_from_then_on() -> None:
    table = studied("age_structure")
    ages, rates = read_ages(table), learn_rates(table, steps=3)
    now, later = (leaving(ages, rates, BASE, [8, 12], delay) for delay in ((0.0, 0), (1.0, 8)))
    assert (now[8] == later[8]).all()
    between = [each[12] - each[8] for each in (now, later)]
    assert (between[1] < between[0]).mean() > 0.9
    assert between[1].sum() < 0.96 * between[0].sum()


def test_departures_are_within_ten_percent_of_the_official_ones() -> None:
    known = official.national(embedded.load("official_projections")).set_index("metier_code")
    years = int((known["horizon_year"] - known["base_year"]).iloc[0])
    jobs = embedded.load("employment_national").query("year == @BASE").set_index("metier_code")
    left = leaving(*every_metier(), BASE, [years])[years].droplevel(0)
    left *= jobs["employment_headcount"].reindex(left.index)
    own = left.groupby(official.official_family(left.index.to_series())).sum()
    families = sorted(FAMILIES)
    expected = known.loc[families, "departures_headcount"]
    assert (own[families] - expected).abs().sum() / expected.sum() < 0.10


# Fallbacks


def test_an_incomplete_pyramid_is_missing_not_zero() -> None:
    ages = pd.concat([ages_of("A").iloc[:-1], ages_of("B")])
    left = leaving(read_ages(ages), rates_of("ENS"), BASE, [5])[5].droplevel(0)
    assert np.isnan(left["A"])
    assert left["B"] > 0


def test_one_period_gives_national_rates() -> None:
    last = studied("age_structure").query("period == '2017-2019'")
    rates = learn_rates(last)
    for age, ratio in NATIONAL_SURVIVAL.items():
        assert set(rates.loc[rates["first_age"] == age, "survival_ratio"]) == {ratio}
    assert leaving(read_ages(last), rates, BASE, [5]).notna().all(axis=None)


def test_a_missing_youngest_band_is_nobody_of_that_age() -> None:
    ages = studied("age_structure")
    young = ages["metier_code"].eq("D1Z40") & ages["age_band"].eq("15-24 ans")
    zero = ages.assign(employment_headcount=ages["employment_headcount"].mask(young, 0.0))
    one, other = (
        leaving(read_ages(each), learn_rates(each), BASE, [5]) for each in (ages[~young], zero)
    )
    pd.testing.assert_frame_equal(one, other)


def test_default_rates_are_those_of_the_embedded_table() -> None:
    ages = studied("age_structure").query("metier_code == 'ENS'")
    heads = ages.set_index(["period", "age_band"])["employment_headcount"]
    bands = ["50-54 ans", "55-59 ans", "60 ans ou plus"]
    found = [
        heads["2017-2019", after] / heads["2012-2014", before] for before, after in pairwise(bands)
    ]
    assert [round(value, 3) for value in found] == list(NATIONAL_SURVIVAL.values())


def test_every_defect_is_told_at_once() -> None:
    bad = ages_of("A", HEADS * np.array([1, -1, 1, 1, 1])).assign(age_band=["45-49"] + ["x"] * 4)
    with pytest.raises(DataError) as caught:
        read_ages(bad)
    assert len(caught.value.defects) > 1
    with pytest.raises(SchemaError, match="no band starts at 50"):
        leaving(read_ages(ages_of("A").iloc[3:]), rates_of("A"), BASE, [5])
    rates = rates_of("A", np.array([0.9, 1.2, 0.5, 0.1, 0]))
    with pytest.raises(DataError, match="outside its range"):
        survival_of(["A"], rates, [45, 50, 55, 60, 65])
