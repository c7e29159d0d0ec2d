"""The published forecast: the rule, what it may read, and that métiers add up to their family."""

import numpy as np
import pandas as pd
import pytest

from opmq_lib.methods.forecast import projection, published
from opmq_lib.sources import embedded

BASE = 2018


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return projection.national_panel(embedded.load("employment_national"), BASE)


@pytest.fixture(scope="module")
def past(panel: pd.DataFrame) -> pd.DataFrame:
    return published.past_forecasts(panel)


def of_base(past: pd.DataFrame) -> pd.DataFrame:
    return past[past["cutoff_year"] == BASE]


def moved(past: pd.DataFrame, model: str, share: float) -> pd.Series:
    rule = pd.DataFrame({"horizon_years": range(1, 13), "model": model, "retained_share": share})
    rule = rule.assign(**dict.fromkeys(published.CANDIDATES, 1.0))
    named = past.assign(metier_code=past["series_code"])
    found = published.follow(named, published.family_changes(past, rule))
    return found.set_index(["series_code", "horizon_years"])["value"]


def test_the_shares_are_those_of_the_specification(past: pd.DataFrame) -> None:
    rules = published.learn_rules(past)
    shares = rules[rules["cutoff_year"] == BASE].set_index("horizon_years")["retained_share"]
    expected = [1.05, 0.9, 0.8, 0.75, 0.75, 0.75, 0.75, 0.75, 0.8, 0.8, 0.85, 0.85]
    assert shares.tolist() == pytest.approx(expected)


def test_a_share_of_one_gives_the_family_s_growth(past: pd.DataFrame) -> None:
    base = of_base(past)
    found = moved(base, "shrunk", 1.0)
    engine = base.set_index(["series_code", "horizon_years"])
    growth = engine.loc["E1Z", "value"] / engine.loc["E1Z", "last_value"]
    metier = found["E1Z43"] / engine.loc["E1Z43", "last_value"]
    np.testing.assert_allclose(metier, growth)
    np.testing.assert_allclose(found["E1Z"], engine.loc["E1Z", "value"])
    np.testing.assert_allclose(moved(base, "engine", 0.3), found)


def test_a_share_of_zero_is_the_last_value_and_drift_goes_on(past: pd.DataFrame) -> None:
    base = of_base(past)
    last = base.set_index(["series_code", "horizon_years"])[["last_value", "drift"]]
    for found in (moved(base, "shrunk", 0.0), moved(base, "last_value", 0.9)):
        np.testing.assert_allclose(found, last.loc[found.index, "last_value"])
    drift = moved(base, "drift", 0.9)
    np.testing.assert_allclose(drift["E1Z"], last.loc["E1Z", "drift"].clip(lower=0))


def test_metiers_add_up_to_their_family(past: pd.DataFrame) -> None:
    found = moved(of_base(past), "shrunk", 0.7).xs(5, level="horizon_years")
    is_metier = found.index.str.len() == 5
    sums = found[is_metier].groupby(found.index[is_metier].str[:3]).sum()
    own = of_base(past).query("horizon_years == 5").set_index("series_code")["last_value"]
    whole = own[own.index.str.len() == 3]
    parts = own[own.index.str.len() == 5].groupby(own.index[own.index.str.len() == 5].str[:3])
    closed = (parts.sum() / whole.reindex(parts.groups)).between(1 - 1e-6, 1 + 1e-6)
    codes = closed.index[closed]
    assert len(codes) > 80
    np.testing.assert_allclose(sums[codes], found[codes], rtol=1e-6)


def test_a_rule_reads_nothing_after_its_year(panel: pd.DataFrame, past: pd.DataFrame) -> None:
    later = panel["year"] > 2010
    rng = np.random.default_rng(1)
    noise = rng.uniform(0.5, 2, size=int(later.sum()))
    changed = panel.copy()
    changed.loc[later, "value"] *= noise
    one, other = (
        published.learn_rules(table).query("cutoff_year <= 2010").reset_index(drop=True)
        for table in (past, published.past_forecasts(changed))
    )
    pd.testing.assert_frame_equal(one, other)
    assert one["retained_share"].notna().sum() > 200


def test_a_metier_without_family_keeps_its_last_value() -> None:
    rows = pd.DataFrame(
        {
            "metier_code": "T2Z60",
            "cutoff_year": 2018,
            "year": 2020,
            "quantile_level": [0.1, 0.5, 0.9],
            "last_value": 20.0,
            "value": [5.0, 30.0, 60.0],
        }
    )
    changes = pd.DataFrame({"family_code": ["E1Z"], "horizon_years": 2, "change": 0.4})
    assert published.follow(rows, changes)["value"].tolist() == [0.0, 20.0, 50.0]


def test_a_row_of_a_family_projects_as_its_family(panel: pd.DataFrame) -> None:
    national = embedded.load("employment_national").assign(origin="public")
    rows = national[national["metier_code"].isin(["G1Z", "G1Z70"])]
    jobs = rows[rows["year"] >= 2004].assign(branch_code="chimie")
    rule = projection.branch_rule(panel, panel, 12)
    future = projection.project(jobs, panel, rule, 12, [0.1, 0.5, 0.9], "reference")
    last = jobs[jobs["year"] == BASE].set_index("metier_code")["employment_headcount"]
    growth = {
        code: future[(future["metier_code"] == code) & (future["quantile_level"] == 0.5)]["value"]
        / last[code]
        for code in ("G1Z", "G1Z70")
    }
    np.testing.assert_allclose(growth["G1Z"], growth["G1Z70"])


def test_own_families_are_sums_and_follow_the_national_rule_while_short(
    panel: pd.DataFrame,
) -> None:
    rows = [
        (code, year, base + 3.0 * (year - 2012))
        for code, base in (("E1Z40", 50.0), ("E1Z43", 80.0))
        for year in range(2012, 2024)
    ]
    jobs = pd.DataFrame(rows, columns=["metier_code", "year", "employment_headcount"])
    jobs = jobs.assign(branch_code="verre", nature="observed", origin="own")
    own = projection.learning_panel(jobs, embedded.load("employment_national"), BASE)
    family = own[own["series_code"] == "E1Z"].set_index("year")["value"]
    assert family[2012] == 130
    assert family[2023] == 196
    rule = projection.branch_rule(own, panel, 12)
    pd.testing.assert_frame_equal(rule, projection.branch_rule(panel, panel, 12))
    future = projection.project(jobs, own, rule, 5, [0.5], "x")
    growth = future["value"] / future["metier_code"].map({"E1Z40": 83.0, "E1Z43": 113.0})
    of_metier = [growth[future["metier_code"] == code].to_numpy() for code in ("E1Z40", "E1Z43")]
    np.testing.assert_allclose(*of_metier)
