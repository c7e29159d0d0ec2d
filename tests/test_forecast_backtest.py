import numpy as np
import pandas as pd
import pytest

from opmq_lib.methods.forecast import backtest as bt
from opmq_lib.methods.forecast import scores, second_opinions


def panel(count=30, years=20, seed=0):
    rng = np.random.default_rng(seed)
    value = np.exp(5 + np.cumsum(rng.normal(0.01, 0.06, (count, years)), axis=1))
    return pd.DataFrame(
        {
            "series_code": np.repeat([f"S{n:02}" for n in range(count)], years),
            "year": np.tile(np.arange(2000, 2000 + years), count),
            "value": value.ravel(),
        }
    )


@pytest.fixture(scope="module")
def pairs():
    return bt.backtest(panel(), 4)


@pytest.fixture(scope="module")
def scored(pairs):
    return scores.pair_scores(pairs)


def test_five_cutoffs_with_the_whole_horizon_where_length_allows(pairs):
    assert pairs["cutoff_year"].unique().tolist() == [2011, 2012, 2013, 2014, 2015]
    assert (pairs.groupby(["model", "series_code", "cutoff_year"])["step"].nunique() == 4).all()


def test_kinds_change_the_engine_s_forecasts_alone_and_lose_no_pair(pairs):
    kind = np.where(panel()["series_code"] < "S20", "jobs", "rates")
    told = bt.backtest(panel().assign(kind_code=kind), 4)
    same = (told["value"] == pairs["value"]).groupby(told["model"]).all()
    assert same.to_dict() == {"drift": True, "naive": True, "panel": False}
    np.testing.assert_array_equal(told["actual"], pairs["actual"])


def test_short_series_have_fewer_cutoffs_and_nothing_beyond_their_end():
    short = panel(3, 9)
    pairs = bt.backtest(short, 4)
    assert pairs["cutoff_year"].unique().tolist() == [2005, 2006, 2007]
    assert (pairs["cutoff_year"] + pairs["step"] <= 2008).all()


def test_no_forecast_sees_what_comes_after_its_cutoff(pairs):
    changed = panel()
    changed.loc[changed["year"] > 2013, "value"] *= 5
    again = bt.backtest(changed, 4)
    before, after = (one[one["cutoff_year"] <= 2013] for one in (pairs, again))
    np.testing.assert_array_equal(before["value"], after["value"])
    assert not np.array_equal(before["actual"], after["actual"])


def test_actuals_are_those_of_the_series(pairs):
    truth = panel().set_index(["series_code", "year"])["value"]
    year = pairs["cutoff_year"] + pairs["step"]
    found = truth.loc[pd.MultiIndex.from_arrays([pairs["series_code"], year])]
    np.testing.assert_array_equal(pairs["actual"], found)


def test_series_of_unequal_ends_learn_from_no_later_year():
    table = panel()
    late = table["series_code"] < "S15"
    ends_early = table[late | (table["year"] <= 2014)]
    changed = ends_early.copy()
    changed.loc[changed["year"] > 2010, "value"] *= 3
    before, after = (
        one[one["cutoff_year"] <= 2010]
        for one in (bt.backtest(ends_early, 4), bt.backtest(changed, 4))
    )
    np.testing.assert_array_equal(before["value"], after["value"])
    assert len(before) > 0


def test_panel_intervals_cover_about_what_they_say(scored):
    engine = scored[scored["model"] == "panel"]
    assert 65 < engine["coverage_80_pct"].mean() < 92
    assert 88 < engine["coverage_95_pct"].mean() <= 100


def test_summary_counts_each_series_once_and_owa_of_naive_is_one(scored):
    table = scores.summary(scored).set_index(["model", "step", "score"])
    assert table.loc[("naive", 0, "owa"), "value"] == pytest.approx(1)
    assert table.loc[("naive", 3, "owa"), "standard_error"] == pytest.approx(0, abs=1e-12)
    assert (table["series_count"] == 30).all()
    assert table.loc[("panel", 2, "mase"), "pairs_count"] == 30 * 5
    mase = scored.query("model == 'drift'").groupby("series_code")["mase"].mean()
    assert table.loc[("drift", 0, "mase"), "value"] == pytest.approx(mase.mean())
    assert table.loc[("drift", 0, "mase"), "standard_error"] == pytest.approx(mase.sem())


def test_pit_histogram_shares_sum_to_one_hundred(scored):
    histogram = scores.pit_histogram(scored)
    np.testing.assert_allclose(histogram.groupby("model")["share_pct"].sum(), 100)


def test_bias_by_size_orders_classes_by_size(scored):
    table = scores.bias_by_size(scored)
    assert (table.groupby("model")["size_from"].diff().dropna() >= 0).all()
    shifted = scored.assign(bias_scaled=2.0)
    assert (scores.bias_by_size(shifted)["bias_scaled"] == 2).all()


def test_ets_is_a_second_opinion_that_follows_a_trend():
    history = 100 + 5.0 * np.arange(20) + np.tile([1.0, -1.0], 10)
    found = second_opinions.ets(history, 3, np.array([0.1, 0.5, 0.9]))
    assert np.all(np.diff(found, axis=1) > 0)
    assert np.all(found[:, 1] > history[-1])


def test_a_table_too_short_gives_no_pair():
    assert bt.backtest(panel(2, 6), 3).empty


def test_a_gap_is_filled_from_what_is_known_at_the_cutoff_and_is_never_an_outcome():
    table = panel(25)
    hole = table["series_code"].eq("S03") & table["year"].isin([2013, 2014])
    holed = table[~hole]
    changed = holed.copy()
    changed.loc[changed["year"] > 2013, "value"] *= 5
    with pytest.warns(UserWarning, match="missing years"):
        pairs, again = (bt.backtest(one, 4) for one in (holed, changed))
    before, after = (one[one["cutoff_year"] <= 2012] for one in (pairs, again))
    np.testing.assert_array_equal(before["value"], after["value"])
    own = pairs[pairs["series_code"] == "S03"]
    assert not own["cutoff_year"].isin([2013, 2014]).any()
    assert not (own["cutoff_year"] + own["step"]).isin([2013, 2014]).any()
