import numpy as np
import pandas as pd
import pytest

from opmq_lib.methods.forecast.explanations import explain_series
from opmq_lib.methods.forecast.grid import FAMILIES

WEIGHTS = [f"weight_{family.name}" for family in FAMILIES]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(8)
    years = np.arange(1995, 2019)
    walk = {
        f"walk {n:02}": np.exp(6 + np.cumsum(rng.normal(0, 0.05, len(years)))) for n in range(25)
    }
    noise = {f"noise {n:02}": 500 + rng.normal(0, 40, len(years)) for n in range(25)}
    other = {"still": np.full(len(years), 7.0)}
    return pd.concat(
        pd.DataFrame({"series_code": code, "year": years, "value": value})
        for code, value in {**walk, **noise, **other}.items()
    )


@pytest.fixture(scope="module")
def why(table):
    return explain_series(table, 4).set_index("series_code")


def test_weights_of_a_modelled_series_sum_to_one(why):
    np.testing.assert_allclose(why.drop("still")[WEIGHTS].sum(axis=1), 1)


def test_noise_around_a_level_is_smoothed_more_than_a_walk(why):
    gain = why["level_gain"]
    assert gain.filter(like="noise").median() < gain.filter(like="walk").median()


def test_a_series_without_a_move_has_no_model(why):
    assert why.loc["still", [*WEIGHTS, "level_gain", "panel_mase"]].isna().all()


def test_errors_are_those_of_the_last_cutoff(why, table):
    assert (why["cutoff_year"].dropna() == 2014).all()
    noise = why.filter(like="noise", axis=0)
    assert noise["panel_mase"].mean() < noise["naive_mase"].mean()
    one = table[table["series_code"] == "walk 03"].set_index("year")["value"]
    naive = (one.loc[2015:] - one.loc[2014]).abs().mean() / one.loc[:2014].diff().abs().mean()
    assert why.loc["walk 03", "naive_mase"] == pytest.approx(naive)


def test_a_horizon_too_long_for_the_series_is_judged_on_its_first_years(table):
    short = table[(table["year"] > 2006) & (table["series_code"] != "still")]
    why = explain_series(short, 10)
    assert (why["cutoff_year"] == 2018 - 6).all()
    assert why["panel_mase"].notna().all()


def test_gaps_and_short_series_are_counted(table):
    holed = table[(table["year"] != 2001) | (table["series_code"] != "walk 01")]
    with pytest.warns(UserWarning, match="walk 01"):
        why = explain_series(holed, 4).set_index("series_code")
    assert why["filled_years_count"].sum() == why.loc["walk 01", "filled_years_count"] == 1


def test_an_empty_table_gives_an_empty_table(table):
    assert explain_series(table.iloc[:0], 4).empty
