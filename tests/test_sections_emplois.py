"""What the page of employment says first."""

import re

import pandas as pd
import pytest
from chains import employment_results

from opmq_lib.questions.emplois import page as emplois
from opmq_lib.show import pieces
from opmq_lib.sources import study


@pytest.fixture(scope="module")
def results() -> dict[str, pd.DataFrame]:
    inputs = study.load_inputs(["chimie"])
    return employment_results(inputs, "chimie", 5, study.edition())


def test_a_metier_ahead_without_certainty_has_no_number_that_the_table_contradicts(
    results: dict[str, pd.DataFrame],
) -> None:
    first, second = emplois._ranked(results).index.tolist()[:2]
    table = results["emplois"].copy()
    for row, value, lower, upper in (
        (first, 24_400.0, 10_000.0, 60_000.0),
        (second, 24_000.0, 23_000.0, 25_500.0),
    ):
        table.loc[row, ["value", "lower", "upper"]] = value, lower, upper
    told = emplois.headline({**results, "emplois": table}, study.metier_labels()).html
    assert "leur ordre n’est pas sûr" in told
    assert re.findall(r"emplois:(\d+):value", told)[1] == str(first)  # after the total


def test_a_branch_without_headcount_says_why_it_has_no_finding() -> None:
    inputs = study.load_inputs(["chaux"])
    nothing = employment_results(inputs, "chaux", 5, study.edition())
    said = emplois.headline(nothing, study.metier_labels()).html
    assert "ne connaissons pas les emplois" in said
    assert emplois.changes(nothing, study.metier_labels()).html == ""


NAMES = study.metier_labels() | {"autres_metiers": "Autres métiers"}


def test_a_branch_whose_conventions_exclude_managers_has_none_and_says_so() -> None:
    inputs = study.load_inputs(["papier_carton"])
    found = employment_results(inputs, "papier_carton", 5, study.edition())
    table = found["emplois"]
    levels = table[table["indicator"] == "employment_headcount"]
    unknown = levels.loc[levels["status"] == "nd", "metier_code"]
    assert "H0Z90" in set(unknown)
    assert levels.loc[levels["metier_code"].isin(unknown), "value"].isna().all()
    classes = table[table["indicator"] == "class_headcount"].set_index("level")
    assert classes.loc["managers", "status"] == "nd"
    assert classes["value"].sum() == pytest.approx(36_900)
    assert "Cadres : non disponible (nd)" in emplois.banner(found).html.replace("\u00a0", " ")
    assert "Estimation fragile" not in emplois.banner(found).html


def test_a_branch_is_fragile_when_half_of_its_metiers_have_the_last_grade(
    results: dict[str, pd.DataFrame],
) -> None:
    table = results["emplois"].copy()
    shown = emplois._ranked(results).index
    half = (len(shown) + 1) // 2
    table.loc[shown, "reliability_grade"] = ["D"] * half + ["C"] * (len(shown) - half)
    fragile = {**results, "emplois": table}
    assert "Estimation fragile" in emplois.banner(fragile).html
    table.loc[shown[0], "reliability_grade"] = "C"
    table.loc[shown[1], "reliability_grade"] = "C"
    assert "Estimation fragile" not in emplois.banner(fragile).html


def test_numbers_that_rest_on_the_estimate_carry_a_grade_and_official_ones_none(
    results: dict[str, pd.DataFrame],
) -> None:
    table = results["emplois"].fillna({"reliability_grade": ""})
    of = table[table["status"] == "value"].groupby("indicator")["reliability_grade"].unique()
    for name in ("employment_headcount", "employment_share_pct", "gathered_employment_headcount"):
        assert set(of[name]) <= set("ABCD")
    assert set(of["projected_employment_headcount"]) <= set("ABCD")
    for name in ("branch_headcount", "employment_change_pct", "projected_change_pct"):
        assert set(of[name]) == {""}
    assert "A" not in set(of["employment_headcount"])  # activities explain chimie badly


def test_the_rest_is_listed_and_adds_up(results: dict[str, pd.DataFrame]) -> None:
    table = results["emplois"]
    base = table[(table["indicator"] == "employment_headcount") & (table["year"] == 2018)]
    rest = base.set_index("metier_code").loc["autres_metiers", "value"]
    gathered = table[table["indicator"] == "gathered_employment_headcount"]
    held = gathered.loc[gathered["level"] == "autres_metiers", "value"].sum()
    assert held == pytest.approx(rest, rel=1e-12)
    assert "Autres métiers" in emplois.gathered_table(results, NAMES).html


def test_a_projected_headcount_is_known_less_well_than_its_change(
    results: dict[str, pd.DataFrame],
) -> None:
    table = results["emplois"]
    heads, change = (
        table[(table["indicator"] == name) & (table["year"] == 2023)].set_index("metier_code")
        for name in ("projected_employment_headcount", "projected_change_pct")
    )
    of_heads = heads["upper"] / heads["lower"]
    of_change = (100 + change["upper"]) / (100 + change["lower"])
    assert (of_heads > of_change).all()
    assert (of_heads.median()) > 3


def test_the_legend_says_what_letters_mean(results: dict[str, pd.DataFrame]) -> None:
    assert "au plus deux fois" in pieces.grades_legend(results["emplois"]).html
    bare = results["emplois"].drop(columns="reliability_grade")
    assert pieces.grades_legend(bare).html == ""
