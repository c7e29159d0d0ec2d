"""What the page of employment says first."""

import pandas as pd
import pytest
from chains import employment_results

from opmq_lib.questions.emplois import page as emplois
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
    told = emplois.findings({**results, "emplois": table}, study.metier_labels()).html
    assert "arrive en tête" in told
    assert "data-cell" not in told


def test_a_branch_without_headcount_says_why_it_has_no_finding() -> None:
    inputs = study.load_inputs(["chaux"])
    nothing = employment_results(inputs, "chaux", 5, study.edition())
    said = emplois.findings(nothing, study.metier_labels()).html
    assert "n’a pas d’effectif par métier" in said
    assert "Aucun constat" not in said
