import warnings

import numpy as np
import pandas as pd
import pytest
from chains import studied

from opmq_lib.methods.forecast import evaluation, projection
from opmq_lib.methods.forecast.second_opinions import second_opinion
from opmq_lib.tables import indicators

LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture(scope="module")
def national() -> pd.DataFrame:
    return studied("employment_national")


@pytest.fixture(scope="module")
def panel(national: pd.DataFrame) -> pd.DataFrame:
    return projection.national_panel(national, 2018)


def estimate(national: pd.DataFrame, branch_code: str, share: float, codes: list[str]):
    rows = national[national["metier_code"].isin(codes)]
    return rows.assign(
        branch_code=branch_code,
        employment_headcount=share * rows["employment_headcount"],
        origin="public",
        nature="estimate",
    )


def own(rows: list[tuple[str, int, float]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["metier_code", "year", "employment_headcount"])
    return table.assign(branch_code="verre", origin="own", nature="observed")


def test_the_national_panel_stops_at_the_base_year_and_leaves_the_total_out(
    national: pd.DataFrame,
) -> None:
    known = projection.national_panel(national, 2012)
    assert known["year"].max() == 2012
    assert indicators.ALL_METIERS not in set(known["series_code"])


def test_a_metier_has_one_relative_projection_in_every_branch(
    national: pd.DataFrame, panel: pd.DataFrame
) -> None:
    small = estimate(national, "verre", 0.01, ["E1Z40", "G1Z70"])
    large = estimate(national, "chimie", 0.3, ["G1Z70", "H0Z90", "C0Z20"])
    rule = projection.branch_rule(panel, panel, 5)
    found = [
        projection.project(
            jobs, projection.learning_panel(jobs, national, 2018), rule, 5, LEVELS, "x"
        )
        for jobs in (small, large)
    ]
    one, other = (
        future.loc[future["metier_code"] == "G1Z70", "value"].to_numpy() for future in found
    )
    np.testing.assert_allclose(other / one, 30, rtol=1e-9)
    assert panel["series_code"].nunique() == 85


def test_own_figures_are_learnt_from_by_themselves(national: pd.DataFrame) -> None:
    jobs = own([("A1", year, 90.0 + year % 5) for year in range(2005, 2020)])
    learnt_from = projection.learning_panel(jobs, national, 2018)
    assert learnt_from["series_code"].unique().tolist() == ["A1"]
    assert learnt_from["year"].max() == 2019


def test_missing_years_of_own_figures_stop_nothing_and_are_counted(
    national: pd.DataFrame, panel: pd.DataFrame
) -> None:
    rows = [("A1", year, 90.0 + year % 5) for year in range(2005, 2020) if year != 2011]
    jobs = own(rows)
    learnt_from = projection.learning_panel(jobs, national, 2018)
    with warnings.catch_warnings(action="error"):
        rule = projection.branch_rule(learnt_from, panel, 3)
        future = projection.project(jobs, learnt_from, rule, 3, LEVELS, "x")
        why = projection.explanations(jobs, learnt_from, 3)
    assert future["origin"].eq("own").all()
    assert why["origin"].eq("own").all()
    assert indicators.select(why, "filled_years_count")["value"].tolist() == [1]


@pytest.mark.parametrize("years", [1, 2, 3, 5])
def test_own_figures_too_short_for_a_second_opinion_have_none(
    national: pd.DataFrame, panel: pd.DataFrame, years: int
) -> None:
    jobs = own([("A1", 2010 + year, 90.0 + year % 3) for year in range(years)])
    learnt_from = projection.learning_panel(jobs, national, 2018)
    why = projection.explanations(jobs, learnt_from, 3)
    assert not why["indicator"].str.startswith("second_opinion").any()
    rule = projection.branch_rule(learnt_from, panel, 3)
    assert projection.project(jobs, learnt_from, rule, 3, LEVELS, "x")["value"].notna().all()


def test_explanations_speak_of_the_branchs_metiers_and_weigh_to_one_hundred(
    national: pd.DataFrame, panel: pd.DataFrame
) -> None:
    jobs = estimate(national, "chimie", 0.3, ["G1Z70", "H0Z90"])
    why = projection.explanations(jobs, panel, 10)
    assert set(why["metier_code"]) == {"G1Z70", "H0Z90"}
    weights = indicators.select(why, "family_weight_pct")
    np.testing.assert_allclose(weights.groupby("metier_code")["value"].sum(), 100)
    naive = indicators.select(why, "second_opinion_headcount", model="naive").set_index(
        "metier_code"
    )
    last = jobs[jobs["year"] == 2018].set_index("metier_code")["employment_headcount"]
    np.testing.assert_allclose(naive["value"], last.loc[naive.index])
    assert naive["year"].eq(2028).all()
    errors = indicators.select(why, "cutoff_mase", model="panel")
    assert errors["year"].eq(2008).all()


@pytest.fixture(scope="module")
def accuracy() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(5)
    walks = 1000 * np.exp(np.cumsum(rng.normal(0, 0.04, (24, 20)), axis=1))
    names = [f"M{n:02}" for n in range(12)] + [f"M{n:02}40" for n in range(12)]
    index = pd.MultiIndex.from_product([names, range(1999, 2019)])
    table = pd.DataFrame({"value": walks.ravel()}, index=index).reset_index()
    return evaluation.past_accuracy(
        table.set_axis(["series_code", "year", "value"], axis="columns")
    )


@pytest.fixture(scope="module")
def scored(accuracy: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    return accuracy[0]


def test_every_past_forecast_has_its_whole_horizon_after_it(scored: pd.DataFrame) -> None:
    assert set(scored["model"]) == set(evaluation.MODELS)
    key = ["level", "model", "series_code", "cutoff_year"]
    sizes = scored.groupby(key).size().groupby("level").unique()
    assert {level: list(found) for level, found in sizes.items()} == {"metier": [5], "family": [10]}
    assert scored.groupby("level")["cutoff_year"].max().to_dict() == {
        "metier": 2013,
        "family": 2008,
    }


def test_accuracy_rows_make_an_indicator_table(
    accuracy: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    scored, rules = accuracy
    rows = evaluation.accuracy_rows(scored, rules, 2018)
    table = indicators.stack(rows, "ensemble", "evaluation")
    of = {"level": "metier", "horizon_years": 0}
    owa = table.loc[indicators.row_of(table, "owa", model="naive", **of)]
    assert owa["value"] == pytest.approx(1)
    mase = table.loc[indicators.row_of(table, "mase", model="published", **of)]
    assert mase["lower"] < mase["value"] < mase["upper"]
    metiers = scored[scored["level"] == "metier"]
    cutoffs = indicators.select(table, "smape_pct_by_cutoff", model="naive", level="metier")
    assert cutoffs["year"].tolist() == sorted(metiers["cutoff_year"].unique())
    pit = indicators.select(table, "pit_share_pct", model="published", level="metier")
    assert pit["value"].sum() == pytest.approx(100)
    assert pit["quantile_level"].tolist() == pytest.approx(np.arange(1, 11) / 10)
    at_five = metiers[metiers["step"] == 5].groupby("model")["smape_pct"].mean()
    gap = indicators.select(table, "smape_difference_points", model="naive", level="metier")
    assert gap["value"].item() == pytest.approx(at_five["published"] - at_five["naive"])
    assert gap["lower"].item() < gap["value"].item() < gap["upper"].item()


def test_a_branchs_error_is_that_of_its_metiers_weighed_by_employment(
    scored: pd.DataFrame,
) -> None:
    codes = ["M0040", "M01"]
    jobs = pd.DataFrame(
        {"branch_code": "verre", "metier_code": codes, "year": 2018, "value": [30.0, 10]}
    )
    rows = evaluation.branch_accuracy(scored, jobs)
    at_five = scored[(scored["step"] == 5) & (scored["model"] == "published")]
    errors = at_five.groupby("series_code")["smape_pct"].mean()
    expected = 0.75 * errors["M0040"] + 0.25 * errors["M01"]
    found = indicators.select(rows, "smape_pct_at_step", model="published")["value"]
    assert found.tolist() == pytest.approx([expected])


def test_second_opinions_are_those_of_one_series_alone() -> None:
    table = pd.DataFrame({"series_code": "a", "year": range(2000, 2010), "value": np.arange(10.0)})
    future = second_opinion(table, 2, [0.5], "naive")
    assert future["value"].tolist() == [9, 9]
