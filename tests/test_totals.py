"""Yearly totals of a branch: what they change in the estimate, and how they are supplied."""

from pathlib import Path

import pandas as pd
import pytest

from opmq_lib.errors import DataError
from opmq_lib.methods.employment import measures
from opmq_lib.methods.employment.totals import on_totals, used_totals
from opmq_lib.methods.forecast import projection
from opmq_lib.questions.emplois import chain, portrait
from opmq_lib.questions.emplois import page as emplois
from opmq_lib.sources import embedded, study, table_files
from opmq_lib.tables import indicators

NATIONAL = embedded.load("employment_national")
HEADS = "employment_headcount"
BOUNDS = [HEADS, f"{HEADS}_lower", f"{HEADS}_upper"]
HEADER = "branch_code,year,employees_headcount,origin,units_count,largest_share_pct,source_code\n"


def jobs() -> pd.DataFrame:
    """Two métiers over four years: 100, 100, 110 and 120 jobs in all."""
    rows = [("E1Z43", 60.0, 1), ("H0Z90", 40.0, 2)]
    years = {2015: 1.0, 2016: 1.0, 2017: 1.1, 2018: 1.2}
    table = pd.DataFrame(
        [(code, year, heads * growth) for code, heads, _ in rows for year, growth in years.items()],
        columns=["metier_code", "year", HEADS],
    )
    return table.assign(
        branch_code="verre",
        nature="estimate",
        origin="public",
        units_count=pd.array([pd.NA] * len(table), dtype="Int64"),
        largest_share_pct=float("nan"),
        **{BOUNDS[1]: table[HEADS] / 2, BOUNDS[2]: table[HEADS] * 2},
    )


def totals(values: dict[int, float], origin: str = "public", branch: str = "verre") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "branch_code": branch,
            "year": list(values),
            "employees_headcount": list(values.values()),
            "origin": origin,
            "units_count": [30 + n for n in range(len(values))] if origin == "own" else pd.NA,
            "largest_share_pct": [12.0 + n for n in range(len(values))],
        }
    )


def test_metiers_add_up_to_the_total_of_its_year() -> None:
    moved = on_totals(jobs(), totals({2015: 150.0, 2018: 90.0}))
    sums = moved.groupby("year")[HEADS].sum()
    assert sums[[2015, 2018]].tolist() == pytest.approx([150, 90], rel=1e-12)
    # factors 1.5 and 0.75: a third of the way down in 2016, two thirds in 2017
    assert sums[[2016, 2017]].tolist() == pytest.approx([125, 110], rel=1e-12)
    assert set(moved["origin"]) == {"public"}
    assert set(moved["nature"]) == {"estimate"}


def test_composition_and_width_of_intervals_do_not_move() -> None:
    moved = on_totals(jobs(), totals({2016: 70.0}))
    for table in (jobs(), moved):
        shares = table[HEADS] / table.groupby("year")[HEADS].transform("sum")
        assert shares.tolist() == pytest.approx([0.6] * 4 + [0.4] * 4)
        assert (table[BOUNDS[2]] / table[BOUNDS[1]]).tolist() == pytest.approx([4.0] * 8)


def test_beyond_the_totals_the_national_trend_goes_on() -> None:
    moved = on_totals(jobs(), totals({2017: 220.0})).groupby("year")[HEADS].sum()
    assert moved.tolist() == pytest.approx([200, 200, 220, 240])


def test_years_without_estimate_other_branches_and_observed_tables_are_left_alone() -> None:
    known = jobs()
    for given in (totals({2024: 5.0}), totals({2017: 5.0}, branch="chimie"), totals({})):
        pd.testing.assert_frame_equal(on_totals(known, given), known)
    observed = known.assign(nature="observed")
    pd.testing.assert_frame_equal(on_totals(observed, totals({2017: 5.0})), observed)
    assert used_totals(known, totals({2017: 5.0, 2024: 6.0}))["year"].tolist() == [2017]


def test_what_rests_on_own_totals_is_own_and_says_who_was_counted() -> None:
    moved = on_totals(jobs(), totals({2016: 70.0, 2018: 80.0}, origin="own"))
    assert set(moved["origin"]) == {"own"}
    assert set(moved["units_count"]) == {30}
    assert set(moved["largest_share_pct"]) == {13.0}


def test_a_table_of_totals_may_be_public_or_own(tmp_path: Path) -> None:
    path = tmp_path / "totals.csv"
    path.write_text(
        HEADER + "chimie,2017,225000,public,,,urssaf\nchimie,2018,226000,own,900,11.5,enquete\n",
        encoding="utf-8",
    )
    read = table_files.read_supplied(path, "branch_totals", "chimie")
    assert read["origin"].tolist() == ["public", "own"]
    assert read["employees_headcount"].tolist() == [225_000, 226_000]


def test_an_own_total_says_how_many_companies_it_counts(tmp_path: Path) -> None:
    path = tmp_path / "totals.csv"
    rows = "chimie,2018,226000,own,,,enquete\nverre_mecanique,2018,-5,public,,,urssaf\n"
    path.write_text(HEADER + rows, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        table_files.read_supplied(path, "branch_totals", "chimie")
    message = str(caught.value)
    for part in ("units_count", "largest_share_pct", "another branch", "row 3"):
        assert part in message


@pytest.mark.parametrize("origin", ["public", "own"])
def test_the_estimate_follows_the_totals_and_the_page_says_so(origin: str) -> None:
    supplied = totals({2016: 200_000.0, 2018: 230_000.0}, origin, "chimie")
    found, jobs_on_totals = page_of(supplied)
    sums = jobs_on_totals.groupby("year")[HEADS].sum()
    assert sums[[2016, 2018]].tolist() == pytest.approx([200_000, 230_000])
    assert set(jobs_on_totals["origin"]) == {origin}
    html = portrait.trend(found).html
    assert "2016 et 2018" in html
    assert "Tendance nationale" not in html
    panel = projection.learning_panel(jobs_on_totals, NATIONAL, 2018)
    assert panel.equals(projection.national_panel(NATIONAL, 2018))


def test_without_totals_the_page_says_once_that_the_trend_is_national() -> None:
    found, _ = page_of(table_files.no_rows("branch_totals"))
    assert portrait.trend(found).html.count("Tendance nationale") == 1
    assert "niveau national" not in emplois.banner(found).html


def page_of(supplied: pd.DataFrame) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """The tables that the page reads before any projection, and the employment they show."""
    inputs = study.load_inputs(["chimie"]) | {"own_branch_totals": supplied}
    employed = chain.jobs(inputs, "chimie", study.edition())
    levels = measures.levels(employed)
    found = {
        "emplois": indicators.stack([levels], "chimie", "emplois"),
        "emplois_projections": pd.DataFrame({"year": []}),
        "emplois_portrait": chain.portrait(inputs, "chimie", employed),
    }
    return found, employed
