"""What the study knows of its sources: ages, coverage, warnings, and the words of the page."""

import re
from datetime import date

import pytest

from opmq_lib.questions.sources_connues import chain, page
from opmq_lib.show.pieces import Results
from opmq_lib.sources import study
from opmq_lib.tables.indicators import select

INPUTS = study.load_inputs()


@pytest.fixture(scope="module")
def results() -> Results:
    sources = chain.sources(INPUTS)
    ages = chain.ages(sources, date(2026, 11, 24))
    warnings = chain.warnings(INPUTS, sources)
    parts = (ages, chain.by_metier(INPUTS), chain.by_branch(INPUTS), warnings)
    return chain.results(sources, *parts)


def test_the_oldest_source_comes_first_with_its_age(results: Results) -> None:
    assert results["sources"]["table"].iloc[0] == "exit_rates"
    ages = select(results["couverture"], "source_age_months").set_index("variant")["value"]
    assert ages["exit_rates"] == 11 * 12 + 11  # from December 2014 to November 2026
    assert ages["tension_2021"] == 23
    assert "metiers" not in ages  # a nomenclature has no date


def test_coverage_is_what_the_tables_hold(results: Results) -> None:
    table = results["couverture"]
    known = select(table, "known_metiers_count").set_index("variant")
    assert known.loc["employment_national", ["year", "value"]].tolist() == [2018, 52]
    assert known.loc["tension", ["year", "value"]].tolist() == [2019, 49]
    portraits = select(table, "portraits_count").set_index("branch_code")["value"]
    assert (portraits["metallurgie"], portraits["chimie"], portraits["chaux"]) == (66, 1, 0)
    assert (portraits == 0).sum() == 7


def test_warnings_tell_secrecy_and_breaks(results: Results) -> None:
    table = results["couverture"]
    (hidden,) = select(table, "hidden_cells_pct")["value"]
    assert hidden == pytest.approx(100 * 4_271 / 13_806)
    assert select(table, "nomenclature_break")["value"].tolist() == [2024]


def test_the_page_says_it_in_french(results: Results) -> None:
    labels = study.branch_labels()
    words = page.warnings(results, labels).html
    assert "Rupture de série en 2024" in words
    assert "Tuiles et briques" in words
    assert "chargée(s)" not in words
    first = re.sub("<[^>]+>", "", page.headline(results).html)
    assert "connu jusqu’en 2018\u00a0: 95 mois avant" in first
    assert "date de mars 2016 à mars 2017" in first
    assert page.freshness_table(results).html.count("<tr") > 15
    for piece in (page.metiers_table(results), page.branches_table(results, labels)):
        assert 'data-cell="couverture:' in piece.html
