import numpy as np
import pandas as pd
import pytest

from opmq_lib.methods.tension import branch, published, survey
from opmq_lib.questions import shared
from opmq_lib.sources import embedded, study

INPUTS = study.load_inputs()
EDITION = study.edition()


def cells(**columns: list[float | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {"metier_code": "G1Z70", "nomenclature": "FAP-2009", "region_code": "11", "year": 2023}
        | columns
    )


def test_an_exact_row_has_a_value_and_no_width() -> None:
    bounds = survey.hard_to_fill(
        cells(
            projects_count=[80.0],
            projects_secret_cells_count=[0],
            hard_to_fill_count=[60.0],
            hard_to_fill_secret_cells_count=[0],
        )
    )
    assert bounds["status"].tolist() == ["value", "value"]
    assert bounds[["value", "lower", "upper"]].to_numpy().tolist() == [[80] * 3, [75] * 3]


def test_a_wholly_secret_row_is_an_interval_from_zero_never_a_zero() -> None:
    bounds = survey.hard_to_fill(
        cells(
            projects_count=[None],
            projects_secret_cells_count=[2],
            hard_to_fill_count=[None],
            hard_to_fill_secret_cells_count=[2],
        )
    )
    assert bounds["status"].tolist() == ["s", "s"]
    assert bounds["value"].isna().all()
    assert bounds[["lower", "upper"]].to_numpy().tolist() == [[0, 8], [0, 100]]


def test_bounds_hold_for_every_value_that_secret_cells_may_hide() -> None:
    """Try every whole content of two secret cells; hard projects never exceed projects."""
    shown = cells(
        projects_count=[20.0],
        projects_secret_cells_count=[2],
        hard_to_fill_count=[12.0],
        hard_to_fill_secret_cells_count=[3],
    )
    share = survey.hard_to_fill(shown).iloc[1]
    found = [
        100 * (12 + hard_a + hard_b + hard_c) / (20 + a + b)
        for a in range(5)
        for b in range(5)
        for hard_a in range(a + 1)
        for hard_b in range(b + 1)
        for hard_c in range(5)
    ]
    assert share["lower"] <= min(found)
    assert max(found) <= share["upper"]


def test_the_embedded_survey_gives_bounds_in_order_everywhere() -> None:
    bounds = survey.hard_to_fill(embedded.load("recruitment_intentions"))
    assert (bounds["lower"] <= bounds["upper"]).all()
    shares = bounds[bounds["indicator"] == "hard_to_fill_share_pct"]
    assert (shares["lower"] >= 0).all()
    assert (shares["upper"] <= 100).all()


def test_the_published_index_is_carried_as_it_is() -> None:
    table = embedded.load("tension")
    rows = published.published_index(table)
    index = rows[rows["indicator"] == "tension_index"].set_index(["metier_code", "year"])["value"]
    expected = table.set_index(["metier_code", "year"])["tension_index"].astype(float)
    pd.testing.assert_series_equal(
        index.sort_index(), expected.sort_index(), check_names=False, check_dtype=False
    )


def test_factors_are_given_for_the_last_year_only() -> None:
    rows = published.published_index(embedded.load("tension"))
    assert set(rows.loc[rows["indicator"] == "labour_shortage", "year"]) == {2019}


def test_shares_hard_to_fill_are_known_within_twenty_points_for_most_families() -> None:
    """35 of 63 if each end is taken apart; ours go together: a hidden hard project is a project."""
    rows = INPUTS["recruitment_intentions"]
    bounds = survey.hard_to_fill(rows[rows["year"] == rows["year"].max()])
    shares = bounds[bounds["indicator"] == "hard_to_fill_share_pct"]
    assert (len(shares), (shares["upper"] - shares["lower"] <= 20).sum()) == (63, 48)
    counts = rows[rows["year"] == rows["year"].max()].groupby("metier_code")[survey.COUNTS].sum()
    shown, secret, hard, hard_secret = (counts[name].astype(float) for name in survey.COUNTS)
    apart = (100 * (hard + 4 * hard_secret) / shown).clip(upper=100) - 100 * hard / (
        shown + 4 * secret
    )
    assert (apart <= 20).sum() == 35


# --- ranks ------------------------------------------------------------------------------------


def of_field(table: pd.DataFrame) -> pd.DataFrame:
    metiers = shared.studied(INPUTS, "metiers")
    field = shared.in_field(INPUTS, metiers[metiers["level"] == "fap225"])
    return table[table.index.isin(field["metier_code"])]


def test_levels_have_risen_everywhere_while_ranks_say_who_is_more_tense() -> None:
    index = INPUTS["tension"].pivot(index="metier_code", columns="year", values="tension_index")
    index = index[index.index.str.len() == 5]
    rise = index[2019] - index[2015]
    assert (len(rise), rise.mean()) == (186, pytest.approx(0.70, abs=0.005))
    ours = of_field(rise.to_frame())[0]
    assert (len(ours), ours.mean()) == (49, pytest.approx(0.85, abs=0.005))
    standing = published.standing(INPUTS["tension"])
    assert standing["rank_change"].sum() == 0


def test_ranks_spread_the_field_that_classes_pile_up() -> None:
    ours = of_field(published.standing(INPUTS["tension"]))
    fifths = np.histogram(ours["rank_share"], bins=np.linspace(0, 1, 6))[0]
    assert (ours["class"] >= 4).sum() == 40
    assert fifths.tolist() == [3, 9, 6, 13, 18]


def test_the_gap_of_all_metiers_weighs_nothing() -> None:
    standing = published.standing(INPUTS["tension"])
    gaps = standing["gap"] * standing["employment_headcount"]
    assert gaps.sum() == pytest.approx(0, abs=1e-3)
    assert (standing["index"] - standing["gap"]).iloc[0] == pytest.approx(0.49, abs=0.005)


@pytest.mark.parametrize(
    ("branch_code", "share"),
    [("textile", 12), ("recyclage", 20), ("chimie", 34), ("metallurgie", 60)],
)
def test_jobs_in_tense_metiers_tell_branches_apart(branch_code: str, share: int) -> None:
    jobs = shared.metier_employment(INPUTS, branch_code, EDITION.base_year)
    standing = published.standing(INPUTS["tension"])
    row = branch.tense_share(jobs[jobs["year"] == EDITION.base_year], standing).iloc[0]
    assert row["value"] == pytest.approx(share, abs=0.5)
    assert row["lower"] < row["value"] < row["upper"]


def test_share_of_an_observed_branch_has_no_interval() -> None:
    jobs = pd.DataFrame({"metier_code": ["G1Z70", "E1Z43"], "employment_headcount": [30.0, 70.0]})
    jobs = jobs.assign(branch_code="verre", year=2018, nature="observed", origin="own")
    row = branch.tense_share(jobs, published.standing(INPUTS["tension"])).iloc[0]
    assert (row["value"], row["nature"], row["origin"]) == (30, "observed", "own")
    assert np.isnan(row["lower"])
