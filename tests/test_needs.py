"""Posts to fill: the worked examples, the identities, and what each input may change."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from chains import studied

from opmq_lib.errors import DataError, RangeError, SchemaError
from opmq_lib.methods import needs
from opmq_lib.methods.needs import cohorts, official, simulation
from opmq_lib.methods.needs.ages import read_ages
from opmq_lib.methods.needs.rates import NATIONAL_SURVIVAL, observed_rates
from opmq_lib.methods.needs.simulation import AGE_CORRELATION, AGE_SPREAD
from opmq_lib.sources import embedded
from opmq_lib.tables import check

BANDS = ("45-49", "50-54", "55-59", "60-64", "65+")
HEADS = np.array([1100.0, 1200, 900, 300, 40])
SURVIVAL = np.array([[0.96, 0.93, 0.62, 0.12, 0.0]])
NET, LEFT, POSTS = needs.QUANTITIES
NET_RATE, LEFT_RATE, _ = needs.RATES
WITHOUT_AGES = {
    name: {"value"} if name in (NET, NET_RATE) else {"nd"}
    for name in (*needs.QUANTITIES, *needs.RATES)
}


def jobs_of(code: str, start: float, step: float = 0.0, **more: str) -> pd.DataFrame:
    values = [start + step * n for n in range(15)]
    rows = {"metier_code": code, "year": range(2004, 2019), "employment_headcount": values}
    return pd.DataFrame(rows | more)


def ages_of(code: str, heads: np.ndarray = HEADS, period: str = "2017-2019") -> pd.DataFrame:
    rows = {"metier_code": code, "period": period, "age_band": BANDS}
    return pd.DataFrame(rows | {"employment_headcount": heads})


def rates_of(code: str, survival: np.ndarray = SURVIVAL[0]) -> pd.DataFrame:
    ages = (45, 50, 55, 60, 65)
    return pd.DataFrame({"metier_code": code, "first_age": ages, "survival_ratio": survival})


def national() -> tuple[pd.DataFrame, pd.DataFrame]:
    employment = studied("employment_national")
    return employment[employment["metier_code"].str.len() == 5], studied("age_structure")


def by_quantity(table: pd.DataFrame) -> pd.DataFrame:
    key = ["branch_code", "metier_code", "year", "quantile_level"]
    return table.pivot(index=key, columns="quantity", values="value")


# Worked examples


def test_w1_departures_by_five_year_cohorts() -> None:
    left = cohorts.departures(HEADS, SURVIVAL, [5, 10], 1, 0.0)
    assert left == pytest.approx([730.0, 1755.04], abs=5e-7)
    half = cohorts.departures(HEADS, SURVIVAL, [0, 1, 5], 1)
    assert half == pytest.approx([0, (730 + 22) / 5, 730 + 22], abs=5e-7)
    later, _ = cohorts.age_five_years(HEADS, SURVIVAL[0])
    assert later[1:].tolist() == pytest.approx([1056, 1116, 558, 36], abs=5e-7)


def test_w1_through_the_public_function() -> None:
    jobs = jobs_of("A", 3540.0)
    future = pd.DataFrame(
        {"branch_code": "ensemble", "metier_code": "A", "year": [2023], "quantile_level": 0.5}
    ).assign(value=3540.0 - 300.0)
    given = needs.Assumptions(projections=future, rates=rates_of("A"), first_old_share=0.0)
    found = by_quantity(needs.posts_to_fill(jobs, ages_of("A"), 5, [0.5], given)).iloc[0]
    assert found[[NET, LEFT, POSTS]].tolist() == pytest.approx([-300, 730, 430], abs=5e-7)


# Identities


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


def test_horizon_four_alone_is_horizon_four_among_others() -> None:
    jobs, ages = national()
    alone, among = (
        by_quantity(needs.posts_to_fill(jobs, ages, asked, [0.5]))[LEFT]
        for asked in ([4], [4, 5, 10])
    )
    pd.testing.assert_series_equal(alone, among[alone.index])


def test_posts_are_the_sum_of_their_two_causes() -> None:
    jobs, ages = national()
    found = by_quantity(needs.posts_to_fill(jobs, ages, [5, 7, 10]))
    point = found.xs(0.5, level="quantile_level")
    assert len(point) == 59 * 3
    assert (point[NET] + point[LEFT] == point[POSTS]).all()
    assert (point[LEFT] >= 0).all()


def test_quantiles_never_cross_and_the_table_keeps_its_contract() -> None:
    jobs, ages = national()
    table = needs.posts_to_fill(jobs, ages, [3, 10], assumptions=needs.Assumptions(totals=True))
    check("needs", table, "needs")
    steps = table.groupby(["metier_code", "year", "quantity"])["value"].diff().dropna()
    assert (steps >= 0).all()


def test_a_total_is_the_sum_of_its_metiers_at_the_point() -> None:
    jobs, ages = national()
    found = needs.posts_to_fill(jobs, ages, 10, [0.5], needs.Assumptions(totals=True))
    whole = found[found["metier_code"] == "ENS"].set_index("quantity")["value"]
    heads = found[found["quantity"].isin(needs.QUANTITIES)]
    parts = heads[heads["metier_code"] != "ENS"].groupby("quantity")["value"].sum()
    assert parts.to_numpy() == pytest.approx(whole[parts.index].to_numpy(), rel=1e-12)


def test_the_order_of_rows_changes_nothing() -> None:
    jobs, ages = national()
    straight = needs.posts_to_fill(jobs, ages, 5)
    mixed = needs.posts_to_fill(jobs.sample(frac=1, random_state=1), ages.iloc[::-1], 5)
    pd.testing.assert_frame_equal(straight, mixed)


# What an input may change


def test_one_rate_changes_the_departures_of_its_metier_alone() -> None:
    jobs, ages = national()
    rates = needs.learn_rates(ages)
    higher = rates.copy()
    of_metier = (rates["metier_code"] == "D1Z40") & (rates["first_age"] == 55)
    higher.loc[of_metier, "survival_ratio"] = 0.0
    given = needs.Assumptions(rates=rates)
    before, after = (
        by_quantity(needs.posts_to_fill(jobs, ages, 5, assumptions=each))
        for each in (given, replace(given, rates=higher))
    )
    changed = (before != after).any(axis=1)
    assert set(changed[changed].index.get_level_values("metier_code")) == {"D1Z40"}
    assert (before[NET] == after[NET]).all()
    point = ("ensemble", "D1Z40", 2023, 0.5)
    assert after.loc[point, LEFT] > before.loc[point, LEFT]


def test_the_data_of_one_branch_change_no_other() -> None:
    _, ages = national()
    one = jobs_of("D1Z40", 500, 5, branch_code="chimie")
    two, more = (jobs_of("D1Z40", start, 9, branch_code="verre") for start in (300, 700))
    rates, lessons = needs.learn_rates(ages), []
    for other in (two, more):
        future = pd.concat([_flat(one), _flat(other)])
        given = needs.Assumptions(projections=future, rates=rates)
        lessons.append(
            by_quantity(needs.posts_to_fill(pd.concat([one, other]), ages, 5, assumptions=given))
        )
    assert lessons[0].loc["chimie"].equals(lessons[1].loc["chimie"])
    assert not lessons[0].loc["verre"].equals(lessons[1].loc["verre"])


def _flat(jobs: pd.DataFrame) -> pd.DataFrame:
    last = jobs.tail(1)[["branch_code", "metier_code", "employment_headcount"]]
    return pd.concat(
        last.assign(year=2023, quantile_level=level, value=last["employment_headcount"] * factor)
        for level, factor in ((0.1, 0.9), (0.5, 1.0), (0.9, 1.1))
    ).drop(columns="employment_headcount")


def test_a_later_pension_age_lowers_departures() -> None:
    jobs, ages = national()
    now, later = (
        by_quantity(needs.posts_to_fill(jobs, ages, 5, [0.5], needs.Assumptions(delay_years=years)))
        for years in (0, 1)
    )
    assert (later[LEFT] < now[LEFT]).all()
    assert (later[NET] == now[NET]).all()


def test_national_ages_widen_the_interval_of_a_branch() -> None:
    _, ages = national()
    jobs = jobs_of("D1Z40", 20_000, branch_code="chimie")
    own = ages[ages["metier_code"] == "D1Z40"].assign(branch_code="chimie")
    rates = needs.learn_rates(ages)
    given = needs.Assumptions(rates=rates, projections=_flat(jobs))
    borrowed, observed = (
        needs.posts_to_fill(jobs, table, 5, [0.1, 0.5, 0.9], given) for table in (ages, own)
    )
    assert set(borrowed["ages_basis"]) == {"national"}
    assert set(observed["ages_basis"]) == {"branch"}
    left = [by_quantity(each)[LEFT].to_numpy() for each in (borrowed, observed)]
    assert left[0][1] == pytest.approx(left[1][1])
    assert np.ptp(left[0]) > 1.2 * np.ptp(left[1])


def test_ages_that_a_branch_borrows_widen_its_total_too() -> None:
    jobs, ages = national()
    jobs = jobs.assign(branch_code="chimie")
    last = jobs.groupby("metier_code").tail(1)
    future = pd.concat(
        last.assign(
            year=2023,
            quantile_level=level,
            value=last["employment_headcount"] * factor,
        )
        for level, factor in ((0.1, 0.9), (0.5, 1.0), (0.9, 1.1))
    )
    given = needs.Assumptions(rates=needs.learn_rates(ages), projections=future, totals=True)
    widths = []
    for table in (ages, ages.assign(branch_code="chimie")):
        found = needs.posts_to_fill(jobs, table, 5, [0.1, 0.5, 0.9], given)
        left = by_quantity(found).loc["chimie", "ENS"][LEFT].to_numpy()
        widths.append(float(np.ptp(left) / left[1]))
    borrowed, observed = widths
    shared = 2 * 1.2816 * AGE_CORRELATION * AGE_SPREAD
    assert borrowed > np.hypot(observed, 0.8 * shared)
    assert borrowed > 0.3


@pytest.mark.parametrize("delay_years", [0.0, 1.0])
def test_departures_never_fall_when_the_horizon_grows(delay_years: float) -> None:
    jobs, ages = national()
    given = needs.Assumptions(delay_years=delay_years)
    found = by_quantity(needs.posts_to_fill(jobs, ages, range(1, 13), [0.5], given))
    left = found[LEFT].unstack("year")
    assert left.shape == (59, 12)
    assert (left.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    alone = by_quantity(needs.posts_to_fill(jobs, ages, [5, 10], [0.5], given))[LEFT]
    assert left[[2023, 2028]].to_numpy() == pytest.approx(alone.unstack("year").to_numpy())


def shrinking() -> tuple[pd.DataFrame, needs.Assumptions]:
    """A métier that loses half of its jobs before the count, its level and growth hardly known."""
    jobs = jobs_of("A", 1000.0, branch_code="textile")
    jobs["employment_headcount_lower"], jobs["employment_headcount_upper"] = 500.0, 2000.0
    future = pd.concat(
        jobs.tail(1)[["branch_code", "metier_code"]].assign(
            year=year, quantile_level=level, value=1000.0 * growth
        )
        for year, middle, spread in ((2026, 0.5, 0.4), (2030, 0.4, 0.38))
        for level, growth in ((0.1, middle - spread), (0.5, middle), (0.9, middle + spread))
    )
    rates = rates_of("A", np.array([1.0, 0.9, 0.6, 0.1, 0.0]))
    return jobs, needs.Assumptions(projections=future, rates=rates, counted_from=2026)


def test_the_rate_of_departure_of_a_metier_that_shrinks_is_that_of_those_in_work() -> None:
    jobs, given = shrinking()
    found = by_quantity(needs.posts_to_fill(jobs, ages_of("A"), 4, [0.1, 0.5, 0.9], given))
    low, point, high = found[LEFT_RATE]
    gone = cohorts.departures(HEADS, given.rates["survival_ratio"].to_numpy()[None], [8, 12], 1)
    assert point == pytest.approx(100 * np.diff(gone)[0] / HEADS.sum() / 4)
    least, count, most = found[LEFT]
    assert count == pytest.approx(np.diff(gone)[0] / HEADS.sum() * 500)
    assert high / low < 2.5 < 6 < most / least


def test_nobody_leaves_who_was_not_in_work_when_the_count_began() -> None:
    jobs, given = shrinking()
    jobs = jobs.assign(origin="public")
    old = read_ages(ages_of("A", HEADS * np.array([0.1, 1, 1, 1, 1])))
    levels = np.array([0.1, 0.5, 0.9])
    inputs = simulation.read_inputs(jobs, old, np.array([4]), levels, given)
    start, _, left = simulation.drawn(inputs, np.array([0]), inputs.level, given)
    assert (left <= start).all()
    assert np.ptp(start) > 1000
    assert (start == 0).any()


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


# Fallbacks are said


@pytest.mark.parametrize("ages", [None, ages_of("A").iloc[:0], pd.DataFrame()])
def test_without_any_age_departures_are_nd_and_net_creation_is_kept(
    ages: pd.DataFrame | None,
) -> None:
    for rates in (None, rates_of("A")):
        given = needs.Assumptions(rates=rates, totals=True)
        found = needs.posts_to_fill(jobs_of("A", 1000, 3), ages, 5, assumptions=given)
        check("needs", found, "needs")
        status = found.groupby("quantity")["status"].agg(set)
        assert status.to_dict() == WITHOUT_AGES
        assert set(found["ages_basis"]) == set(found["rates_basis"]) == {"none"}


def test_horizons_may_be_any_list_of_numbers() -> None:
    given = needs.Assumptions(rates=rates_of("A"))
    arrays = [np.array([5, 10]), (5, 10), pd.Series([5, 10]), [np.int64(5), 10.0]]
    tables = [
        needs.posts_to_fill(jobs_of("A", 1000), ages_of("A"), each, [0.5], given) for each in arrays
    ]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0])


def test_texts_in_place_of_numbers_and_missing_columns_are_one_error() -> None:
    given = needs.Assumptions(
        projections=pd.DataFrame({"metier_code": ["A"]}), effects=pd.DataFrame({"year": [2023]})
    )
    with pytest.raises(DataError) as caught:
        needs.posts_to_fill(jobs_of("A", 1000), ages_of("A"), "5", ["a"], given)
    told = str(caught.value)
    for part in (
        "horizon_years: out of range (found: ['5'])",
        "quantile_levels: out of range (found: ['a'])",
        "projections, column `quantile_level`",
        "effects, column `departures_multiplier`",
    ):
        assert part in told


def test_missing_ages_are_nd_and_net_creation_is_kept() -> None:
    jobs = pd.concat([jobs_of("A", 1000, 3), jobs_of("B", 1000, 3)])
    found = needs.posts_to_fill(
        jobs, ages_of("A"), 5, assumptions=needs.Assumptions(rates=rates_of("A"))
    )
    without = found[found["metier_code"] == "B"]
    assert set(without["ages_basis"]) == set(without["rates_basis"]) == {"none"}
    status = without.groupby("quantity")["status"].agg(set)
    assert status.to_dict() == WITHOUT_AGES


def test_an_incomplete_pyramid_is_missing_not_zero() -> None:
    found = needs.posts_to_fill(
        jobs_of("A", 1000),
        ages_of("A").iloc[1:],
        5,
        assumptions=needs.Assumptions(rates=rates_of("A")),
    )
    assert len(found) == 54
    ages = pd.concat([ages_of("A").iloc[:-1], ages_of("B")])
    jobs = pd.concat([jobs_of("A", 1000), jobs_of("B", 1000)])
    found = needs.posts_to_fill(jobs, ages, 5, assumptions=needs.Assumptions(rates=rates_of("ENS")))
    assert set(found.loc[found["metier_code"] == "A", "ages_basis"]) == {"none"}


def test_one_period_gives_national_rates_and_says_so() -> None:
    _, ages = national()
    last = ages[ages["period"] == "2017-2019"]
    found = needs.posts_to_fill(jobs_of("D1Z40", 1000), last, 5)
    assert set(found["rates_basis"]) == {"default"}
    assert found["status"].eq("value").all()


def test_rates_last_observed_are_each_metier_s_own() -> None:
    _, ages = national()
    heads = ages.set_index(["metier_code", "period", "age_band"])["employment_headcount"]
    stayed = heads["G1Z70", "2017-2019", "60 ans ou plus"]
    were = heads["G1Z70", "2012-2014", "55-59 ans"]
    rates = observed_rates(ages).set_index(["metier_code", "first_age"])["survival_ratio"]
    assert rates["G1Z70", 55] == pytest.approx(stayed / were)
    assert rates["G1Z70", 60] == 0


def test_a_missing_youngest_band_is_nobody_of_that_age() -> None:
    _, ages = national()
    young = ages["metier_code"].eq("D1Z40") & ages["age_band"].eq("15-24 ans")
    without, zero = (
        ages[~young],
        ages.assign(employment_headcount=ages["employment_headcount"].mask(young, 0.0)),
    )
    one, other = (
        needs.posts_to_fill(jobs_of("D1Z40", 1000), each, 5, [0.5]) for each in (without, zero)
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


def test_a_metier_without_history_and_a_branch_of_forty() -> None:
    _, ages = national()
    new = jobs_of("D1Z40", 800, branch_code="chimie").tail(1)
    small = jobs_of("D1Z41", 40, branch_code="chaux")
    found = needs.posts_to_fill(pd.concat([new, small]), ages, 5, [0.1, 0.5, 0.9])
    assert found["status"].eq("value").all()
    wide = found.pivot(index=["branch_code", "quantity"], columns="quantile_level", values="value")
    width = (wide[0.9] - wide[0.1]) / wide[0.5].abs().clip(lower=1)
    assert width["chaux", LEFT] > 0.6, "five departures in forty heads are a matter of chance"
    assert wide.loc[("chaux", LEFT)].between(0, 40).all()


def test_every_defect_is_told_at_once() -> None:
    jobs = jobs_of("A", 1000)
    jobs.loc[3, "employment_headcount"] = -1.0
    bad = ages_of("A", HEADS * np.array([1, -1, 1, 1, 1]))
    with pytest.raises(DataError) as caught:
        needs.posts_to_fill(jobs, bad, 0, [1.5])
    text = str(caught.value)
    assert len(caught.value.defects) == 4
    for told in (
        "horizon_years: out of range (found: [0])",
        "quantile_levels: out of range (found: [1.5])",
        "age_structure, row 3, column `employment_headcount`",
        "employment, row 5, column `employment_headcount`",
    ):
        assert told in text
    with pytest.raises(SchemaError, match="no band starts at 50"):
        needs.posts_to_fill(jobs_of("A", 9), ages_of("A").iloc[3:], 5)
    given = needs.Assumptions(rates=rates_of("A", np.array([0.9, 1.2, 0.5, 0.1, 0])))
    with pytest.raises(RangeError, match="outside its range"):
        needs.posts_to_fill(jobs_of("A", 9), ages_of("A"), 5, assumptions=given)


def test_own_cells_stay_own_and_are_not_shown() -> None:
    jobs = jobs_of("A", 1000, origin="own")
    found = needs.posts_to_fill(
        jobs, ages_of("A"), 5, assumptions=needs.Assumptions(rates=rates_of("A"))
    )
    assert set(found["origin"]) == {"own"}
    jobs.loc[3, "employment_headcount"] = -4321.0
    with pytest.raises(RangeError) as caught:
        needs.posts_to_fill(jobs, ages_of("A"), 5)
    assert "4321" not in str(caught.value)


def test_departures_are_within_ten_percent_of_the_official_ones() -> None:
    jobs, ages = embedded.load("employment_national"), embedded.load("age_structure")
    known = official.national(embedded.load("official_projections")).set_index("metier_code")
    years = int((known["horizon_year"] - known["base_year"]).iloc[0])
    metiers = jobs[jobs["metier_code"].str.len() == 5]
    found = needs.posts_to_fill(metiers, ages, years, [0.5])
    left = found[found["quantity"] == LEFT]
    own = left.groupby(official.official_family(left["metier_code"]))["value"].sum()
    families = [
        "C0Z",
        "C1Z",
        "C2Z",
        "D0A",
        "D1Z",
        "D2Z",
        "D4Z",
        "D6Z",
        "E0Z",
        "E1Z",
        "E2Z",
        "F0A",
        "F2A",
        "F4Z",
        "F5Z",
        "G0A",
        "G0B",
        "G1Z",
        "H0Z",
        "J0Z",
        "J1Z",
        "N0Z",
    ]
    expected = known.loc[families, "departures_headcount"]
    assert (own[families] - expected).abs().sum() / expected.sum() < 0.10


def test_departures_of_every_metier_never_fall_when_the_horizon_grows() -> None:
    jobs, ages = embedded.load("employment_national"), embedded.load("age_structure")
    metiers = jobs[jobs["metier_code"].str.len() == 5]
    found = needs.posts_to_fill(metiers, ages, range(1, 13), [0.5])
    left = found[found["quantity"] == LEFT].pivot(
        index="metier_code", columns="year", values="value"
    )
    assert left.shape == (226, 12)
    assert (left.diff(axis=1).iloc[:, 1:] >= -1e-9).all(axis=None)
