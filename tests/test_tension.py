import pandas as pd

from opmq_lib.methods.tension import published, survey
from opmq_lib.sources import embedded


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
    assert bounds[["lower", "upper"]].to_numpy().tolist() == [[0, 10], [0, 100]]


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
