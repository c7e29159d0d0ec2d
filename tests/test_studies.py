"""The register of studies: coverage, gaps, follow-up, what could be done together."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from opmq_lib.errors import DataError
from opmq_lib.methods import studies
from opmq_lib.questions.etudes import chain
from opmq_lib.questions.etudes import page as etudes
from opmq_lib.sources import registers, study
from opmq_lib.tables import DESCRIPTIONS

ROOT = Path(__file__).parent.parent
ON = date(2026, 11, 24)
BRANCHES, THEMES = ["chaux", "chimie", "verre_mecanique"], ["emplois", "besoins"]
GOOD = {
    "study_code": "E1", "title": "Un titre", "requested_by": "CPNEFP de la chimie",
    "branch_codes": "chimie", "theme_codes": "emplois", "metier_codes": "G1Z70",
    "question": "Une question", "status": "validated", "requested_on": "2025-01-10",
    "fieldwork_end_on": "2025-09-30", "disclosure": "public",
}  # fmt: skip


def register(*changes: dict[str, str]) -> pd.DataFrame:
    rows = [GOOD | {"study_code": f"E{at}"} | change for at, change in enumerate(changes, 1)]
    return (
        pd.DataFrame(rows).reindex(columns=list(DESCRIPTIONS["studies"]), fill_value="").fillna("")
    )


def study_results(
    table: pd.DataFrame, branch_codes: list[str], theme_codes: list[str], on: date
) -> dict[str, pd.DataFrame]:
    followed = studies.followed(table, on)
    return chain.results(
        studies.review(followed, branch_codes, theme_codes),
        studies.listed(followed),
        studies.shared_metiers(followed, branch_codes),
    )


def review(studies: pd.DataFrame) -> pd.DataFrame:
    return study_results(studies, BRANCHES, THEMES, ON)["etudes"]


def value(
    table: pd.DataFrame, indicator: str, branch: str, theme: str = "all", variant: str = ""
) -> float:
    chosen = table["indicator"].eq(indicator) & table["branch_code"].eq(branch)
    chosen &= table["variant"].eq(variant)
    return float(table.loc[chosen & table["theme_code"].eq(theme), "value"].iloc[0])


def test_w1_coverage() -> None:
    branch_codes, theme_codes = list("abcdef"), list("wxyz")
    cells = [(branch, theme) for branch in branch_codes for theme in theme_codes][:17]
    known = [{"branch_codes": branch, "theme_codes": theme} for branch, theme in cells]
    table = study_results(register(*known), branch_codes, theme_codes, ON)["etudes"]
    ratio = value(table, "study_coverage_ratio", "ensemble")
    assert ratio == pytest.approx(0.708333, abs=5e-7)


def test_coverage_counts_valid_cells_and_says_what_is_apart() -> None:
    table = review(
        register(
            {},
            {"branch_codes": "chaux chimie", "theme_codes": "emplois besoins"},
            {"branch_codes": "verre_mecanique", "fieldwork_end_on": ""},
            {"branch_codes": "verre_mecanique", "fieldwork_end_on": "2020-01-01"},
            {"status": "under_way", "due_on": "2026-01-01", "fieldwork_end_on": ""},
            {"disclosure": "confidential"},
        )
    )
    assert value(table, "study_coverage_ratio", "ensemble") == pytest.approx(4 / 6)
    assert value(table, "study_coverage_ratio", "verre_mecanique") == 0
    assert value(table, "valid_studies_count", "chimie", "emplois") == 2
    for name, count in (("undated", 1), ("outdated", 1), ("late", 1), ("confidential", 1)):
        assert value(table, "studies_count", "ensemble", variant=name) == count, name


def test_open_studies_asked_apart_are_candidates_for_one_in_common() -> None:
    opened = {"status": "requested", "fieldwork_end_on": ""}
    table = review(register(opened, opened | {"branch_codes": "chaux"}))
    assert value(table, "joint_candidate_branches_count", "ensemble", "emplois") == 2
    joined = review(register(opened | {"branch_codes": "chaux chimie"}))
    assert value(joined, "joint_candidate_branches_count", "ensemble", "emplois") == 0


def test_a_confidential_study_is_counted_and_never_described() -> None:
    secret = {"title": "Un projet de fusion", "disclosure": "confidential"}
    results = study_results(register({}, secret), BRANCHES, THEMES, ON)
    labels = study.branch_labels() | study.theme_labels()
    page = etudes.studies_table(results, labels).html
    assert "Un titre" in page
    for text in (page, *(table.to_csv() for table in results.values())):
        assert "fusion" not in text
    assert value(results["etudes"], "studies_count", "ensemble") == 2


def test_nothing_but_the_number_of_confidential_studies_is_told() -> None:
    """Each study of two branches, a theme and a métier of its own; open, late, old or valid."""
    secret = {"branch_codes": "chaux chimie", "theme_codes": "besoins", "metier_codes": "E1Z43",
              "disclosure": "confidential"}  # fmt: skip
    opened = secret | {"status": "requested", "fieldwork_end_on": ""}
    hidden = [
        secret,
        opened | {"branch_codes": "chaux", "due_on": "2026-01-01"},
        opened | {"branch_codes": "chimie"},
        secret | {"fieldwork_end_on": "2020-01-01"},
        secret | {"fieldwork_end_on": ""},
    ]
    with_them = study_results(register({}, *hidden), BRANCHES, THEMES, ON)
    without = study_results(register({}), BRANCHES, THEMES, ON)
    for name in ("etudes_liste", "etudes_metiers"):
        pd.testing.assert_frame_equal(with_them[name], without[name])
    tables = [
        each[
            each["indicator"].ne("studies_count")
            | each["branch_code"].ne("ensemble")
            | each["variant"].isin(["late", "outdated", "undated"])
        ]
        for each in (with_them["etudes"], without["etudes"])
    ]
    pd.testing.assert_frame_equal(*tables)
    assert value(with_them["etudes"], "studies_count", "ensemble", variant="confidential") == 5
    alone = study_results(register(*hidden), BRANCHES, THEMES, ON)
    assert alone["etudes_metiers"].empty
    assert value(alone["etudes"], "study_coverage_ratio", "ensemble") == 0


def test_without_a_register_nothing_is_zero() -> None:
    results = study_results(register({}).iloc[:0], BRANCHES, THEMES, ON)
    assert all(table.empty for table in results.values())
    assert "nd" in etudes.findings(results, {}).html
    assert "opmq studies template" in etudes.banner(results).html


def test_every_defect_of_a_register_is_listed(tmp_path: Path) -> None:
    bad = register(
        {"branch_codes": "chimie inconnue"},
        {"theme_codes": "salaires"},
        {"delivered_on": "2024-01-01"},
        {"fieldwork_end_on": "2030-01-01"},
    )
    path = tmp_path / "etudes.csv"
    bad.to_csv(path, index=False)
    with pytest.raises(DataError) as caught:
        registers.read_studies(path, ROOT, ON)
    assert [each.where.partition(" (")[0] for each in caught.value.defects] == [
        "etudes.csv, row 2, column `branch_codes`",
        "etudes.csv, row 3, column `theme_codes`",
        "etudes.csv, row 4, column `delivered_on`",
        "etudes.csv, row 5, column `fieldwork_end_on`",
    ]
    assert caught.value.defects[0].value == "chimie inconnue"
    bad.assign(disclosure="confidential").to_csv(path, index=False)
    with pytest.raises(DataError) as caught:
        registers.read_studies(path, ROOT, ON)
    assert [each.value for each in caught.value.defects] == [None] * 4
    twice = pd.concat([register({}), register({})])
    twice.to_csv(path, index=False)
    with pytest.raises(DataError, match="the same key as row"):
        registers.read_studies(path, ROOT, ON)


def test_the_template_opens_with_its_lists() -> None:
    book = registers.template("studies", ROOT)
    assert book.sheetnames == ["studies", "listes"]
    lists = [
        each for each in book["studies"].data_validations.dataValidation if each.type == "list"
    ]
    assert len(lists) == 3
