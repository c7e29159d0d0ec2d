import numpy as np
import pandas as pd
import pytest

from opmq_lib.errors import DataError, RangeError
from opmq_lib.methods.forecast.api import (
    QUANTILE_LEVELS,
    forecast_employment,
    forecast_series,
    learn_series,
)
from opmq_lib.tables import PROJECTION_COLUMNS


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(4)
    parts = []
    for n in range(30):
        years = np.arange(2000 + n % 5, 2019 - n % 3)
        value = np.exp(5 + np.cumsum(rng.normal(0, 0.05, len(years))))
        parts.append(pd.DataFrame({"series_code": f"S{n:02}", "year": years, "value": value}))
    return pd.concat(parts, ignore_index=True)


def test_each_series_is_forecast_from_its_own_last_year(series):
    future = forecast_series(series, 3)
    last = series.groupby("series_code")["year"].max()
    first = future.groupby("series_code")["year"].min()
    assert (first == last + 1).all()
    assert (future.groupby("series_code").size() == 3 * len(QUANTILE_LEVELS)).all()


def test_rows_come_sorted_and_quantiles_never_cross(series):
    future = forecast_series(series, 3)
    key = ["series_code", "year", "quantile_level"]
    assert future[key].equals(future.sort_values(key, ignore_index=True)[key])
    assert (future.groupby(["series_code", "year"])["value"].diff().dropna() >= 0).all()


def test_order_of_rows_changes_no_byte(series):
    shuffled = series.sample(frac=1, random_state=1)
    assert forecast_series(shuffled, 3).equals(forecast_series(series, 3))


def test_the_median_need_not_be_asked_for(series):
    without = forecast_series(series, 2, [0.1, 0.9])
    whole = forecast_series(series, 2, [0.1, 0.5, 0.9])
    assert without["quantile_level"].unique().tolist() == [0.1, 0.9]
    expected = whole[whole["quantile_level"] != 0.5].reset_index(drop=True)
    assert without.equals(expected)


def test_parts_of_a_panel_are_forecast_alike_with_its_lessons(series):
    lessons = learn_series(series, 3)
    part = series[series["series_code"] < "S07"]
    whole = forecast_series(series, 3)
    expected = whole[whole["series_code"] < "S07"].reset_index(drop=True)
    pd.testing.assert_frame_equal(forecast_series(part, 3, learnt=lessons), expected)


def test_the_input_is_left_as_it_was(series):
    before = series.copy()
    forecast_series(series, 2)
    pd.testing.assert_frame_equal(series, before)


def test_the_question_and_the_table_are_checked_together(series):
    bad = series.assign(value=series["value"].mask(series.index == 3))
    with pytest.raises(DataError) as caught:
        forecast_series(bad, 0, [0.5, 1.0])
    where = [defect.where for defect in caught.value.defects]
    assert where == [
        "quantile_levels",
        "horizon_years",
        "series, row 5, column `value` (S00, 2003)",
    ]


def test_an_empty_table_gives_an_empty_table(series):
    future = forecast_series(series.iloc[:0], 3)
    assert future.empty
    assert list(future.columns) == ["series_code", "year", "quantile_level", "value"]


@pytest.fixture
def employment(series):
    return series.assign(
        branch_code="chimie",
        metier_code=series["series_code"],
        employment_headcount=series["value"],
        origin=np.where(series["series_code"] == "S03", "own", "public"),
    )[["branch_code", "metier_code", "year", "employment_headcount", "origin"]]


def test_employment_gives_the_projection_table(employment):
    future = forecast_employment(employment, 2)
    assert list(future.columns) == list(PROJECTION_COLUMNS)
    assert set(future.loc[future["origin"] == "own", "metier_code"]) == {"S03"}
    assert (future["cutoff_year"] < future["year"]).all()


def test_employment_agrees_with_its_series(employment, series):
    future = forecast_employment(employment, 2)
    np.testing.assert_array_equal(future["value"], forecast_series(series, 2)["value"])


def test_negative_heads_are_refused(employment):
    employment.loc[5, "employment_headcount"] = -2.0
    with pytest.raises(RangeError, match=r"`value` \(2005\): negative"):
        forecast_employment(employment, 2)


def test_no_employment_gives_no_row(employment):
    future = forecast_employment(employment.iloc[:0], 2)
    assert future.empty
    assert list(future.columns) == list(PROJECTION_COLUMNS)


@pytest.mark.parametrize(("horizon", "levels"), [(2, QUANTILE_LEVELS), (3, (0.1, 0.9))])
def test_lessons_for_another_question_are_refused(series, horizon, levels):
    with pytest.raises(RangeError, match="lessons for another question"):
        forecast_series(series, horizon, levels, learnt=learn_series(series, 3))
