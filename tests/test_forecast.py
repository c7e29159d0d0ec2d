import numpy as np
import pandas as pd
import pytest
from chains import studied

from opmq_lib import tables
from opmq_lib.errors import DataError, SchemaError
from opmq_lib.methods import forecast
from opmq_lib.methods.employment import measures


def panel(**series: list[float]) -> pd.DataFrame:
    return pd.concat(
        pd.DataFrame(
            {
                "branch_code": "chimie",
                "metier_code": code,
                "year": range(2019 - len(values), 2019),
                "employment_headcount": values,
                "origin": "public",
            }
        )
        for code, values in series.items()
    )


def noisy(seed: int, years: int = 20) -> list[float]:
    steps = np.random.default_rng(seed).normal(0, 0.03, years)
    return list(1000 * np.exp(np.cumsum(steps)))


@pytest.fixture(scope="module")
def future() -> pd.DataFrame:
    return forecast.forecast_employment(panel(**{f"A{n}": noisy(n) for n in range(12)}), 10)


def test_the_result_keeps_its_contract(future: pd.DataFrame) -> None:
    tables.check("projection", future, "projection")
    assert future["cutoff_year"].eq(2018).all()
    assert sorted(future["year"].unique()) == list(range(2019, 2029))


def test_quantiles_are_positive_and_never_cross(future: pd.DataFrame) -> None:
    wide = future.pivot(index=["metier_code", "year"], columns="quantile_level", values="value")
    assert (wide > 0).all(axis=None)
    assert (wide.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


def test_uncertainty_grows_with_distance(future: pd.DataFrame) -> None:
    wide = future.pivot(index=["metier_code", "year"], columns="quantile_level", values="value")
    width = np.log(wide[0.9] / wide[0.1]).unstack("year")
    assert (width.diff(axis=1).iloc[:, 1:] >= -1e-12).all(axis=None)


def test_row_order_changes_nothing() -> None:
    table = panel(**{f"A{n}": noisy(n) for n in range(4)})
    shuffled = table.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        forecast.forecast_employment(table, 3), forecast.forecast_employment(shuffled, 3)
    )


def test_the_unit_changes_nothing() -> None:
    table = panel(**{f"A{n}": noisy(n) for n in range(4)})
    thousands = table.assign(employment_headcount=table["employment_headcount"] / 1000)
    in_heads = forecast.forecast_employment(table, 3)["value"]
    np.testing.assert_allclose(
        forecast.forecast_employment(thousands, 3)["value"] * 1000, in_heads, rtol=1e-9
    )


@pytest.mark.parametrize(
    "values",
    [[5.0], [5.0, 9.0], [0.0] * 12, [7.0] * 12, [*noisy(1)[:-1], 0.0]],
    ids=["one year", "two years", "zeros", "still", "ends at zero"],
)
def test_every_series_gets_an_answer_and_a_poor_one_gets_a_wide_interval(
    values: list[float],
) -> None:
    future = forecast.forecast_employment(panel(A=values, B=noisy(2), C=noisy(3)), 2)
    rows = future[(future["metier_code"] == "A") & (future["year"] == 2020)]
    assert rows["status"].eq("value").all()
    by_level = rows.set_index("quantile_level")["value"]
    assert by_level[0.025] <= by_level[0.5] < by_level[0.975]


def test_years_missing_inside_a_series_are_filled_and_said() -> None:
    table = panel(A=noisy(1), B=noisy(2))
    holed = table[~((table["metier_code"] == "A") & (table["year"] == 2010))]
    with pytest.warns(UserWarning, match="1 series with missing years.*: chimie A"):
        future = forecast.forecast_employment(holed, 2)
    assert future["status"].eq("value").all()


def test_own_figures_make_an_own_projection() -> None:
    table = panel(A=noisy(1)).assign(origin="own")
    assert forecast.forecast_employment(table, 1)["origin"].eq("own").all()


def test_every_defect_is_told_at_once() -> None:
    table = panel(A=[*noisy(1)[:-2], -1.0, float("nan")])
    with pytest.raises(DataError) as raised:
        forecast.forecast_employment(table, 0, [0.5, 1.0])
    assert [defect.where for defect in raised.value.defects] == [
        "quantile_levels",
        "horizon_years",
        "series, row 20, column `value` (2017)",
        "series, row 21, column `value` (2018)",
    ]


def test_a_year_given_twice_is_refused() -> None:
    table = panel(A=noisy(1))
    with pytest.raises(SchemaError, match=r"\(2018\): the same key as row 21"):
        forecast.forecast_employment(pd.concat([table, table.tail(1)]), 1)


def test_defects_of_two_kinds_are_told_together() -> None:
    table = panel(A=[*noisy(1)[:-1], -1.0])
    with pytest.raises(DataError, match="3 defects"):
        forecast.forecast_employment(pd.concat([table, table.tail(1)]), 1)


def coverage_of_past_figures(origin: int) -> pd.Series:
    """Stand at `origin` with 15 years of the FAP-87 families: is each of five years covered?"""
    national = studied("employment_national")
    families = national[
        (national["metier_code"].str.len() == 3)
        & (national["metier_code"] != "ENS")
        & national["year"].between(origin - 14, origin + 5)
    ].assign(branch_code="ensemble", origin="public")
    known = families[families["year"] <= origin]
    future = forecast.forecast_employment(known, 5, [0.1, 0.5, 0.9])
    wide = future.pivot(index=["metier_code", "year"], columns="quantile_level", values="value")
    actual = families.set_index(["metier_code", "year"])["employment_headcount"]
    actual = actual.reindex(wide.index)
    return (wide[0.1] <= actual) & (actual <= wide[0.9])


def test_intervals_cover_about_what_they_claim_on_past_official_figures() -> None:
    """Pooled over origins, one recession included: 80 % intervals, 10 points at most off."""
    covered = pd.concat([coverage_of_past_figures(origin) for origin in range(1998, 2014, 3)])
    assert abs(covered.mean() - 0.8) <= 0.1


def test_intervals_at_a_step_beyond_the_horizon_give_no_row(future: pd.DataFrame) -> None:
    jobs = panel(**{f"A{n}": noisy(n) for n in range(12)}).assign(nature="observed")
    rows = measures.intervals(future, jobs, [5, 30])
    assert rows["year"].unique().tolist() == [2023]
    assert (rows["lower"] < rows["value"]).all()
