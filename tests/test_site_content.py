from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import site_edition as given

from opmq_lib.questions.rapport import page as rapport
from opmq_lib.site import content, manifest
from opmq_lib.site.manifest import Branch
from opmq_lib.sources import embedded, study


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory) -> manifest.Manifest:
    return manifest.read(given.edition(tmp_path_factory.mktemp("edition")))


@pytest.fixture(scope="module")
def branches(edition: manifest.Manifest) -> dict[str, Branch]:
    return {branch.code: branch for branch in edition.branches}


def plain(text: object) -> str:
    return str(text).replace("\u00a0", " ").replace("\u202f", " ")


def test_a_branch_is_summed_up_by_its_published_headcount(branches: dict[str, Branch]) -> None:
    found = content.summary(branches["chimie"], study.metier_labels())
    assert 'data-cell="emplois:0:value">225\u202f800<' in found.headcount
    assert (found.year, found.departures, found.metiers) == ("2020", "", [])
    assert "10\u202f600" not in found.headcount
    assert found.figure == ""  # one métier


def test_a_branch_without_headcount_says_what_would_fill_it(branches: dict[str, Branch]) -> None:
    found = content.summary(branches["ciments"], {})
    assert (found.headcount, found.figure) == ("", "")
    assert "pas encore calculés" in found.headline  # its run failed: nobody knows yet
    without = SimpleNamespace(departures="", has_run=True, shown=0)
    assert "un tableau de ses emplois par métier" in rapport.WORDS.headline(without)


def test_branches_are_in_the_order_of_french_names(edition: manifest.Manifest) -> None:
    names = edition.left_out
    kinds = [name.removeprefix("Industries ") for name in names if name.startswith("Industries ")]
    assert kinds[:2] == ["céramiques", "de l’habillement"]
    assert kinds.index("électriques et gazières") < kinds.index("textiles")


def test_a_branch_without_number_says_why(branches: dict[str, Branch]) -> None:
    assert content.missing_reason(branches["ciments"]) == "le dernier calcul a échoué"
    never = replace(branches["ciments"].runs["01_emplois"], status="missing")
    waiting = replace(branches["ciments"], runs={"01_emplois": never})
    assert content.missing_reason(waiting) == "pas encore calculé"


def test_files_of_a_branch_are_offered_by_format(branches: dict[str, Branch]) -> None:
    runs = [branches["chimie"].runs["01_emplois"]]
    sizes = dict.fromkeys(content.table_files("chimie"), 12_345)
    assert [tuple(file) for file in content.downloads(runs, sizes)] == [
        (name, f"telechargements/chimie/{name}", kind, "12\u00a0ko")
        for name, kind in [
            ("chimie.xlsx", "XLSX"),
            ("chimie_csv.zip", "archive ZIP de fichiers CSV"),
            ("chimie_notebooks.zip", "archive ZIP des notebooks du calcul"),
        ]
    ]


def test_parameters_are_shown_in_french_without_machinery(branches: dict[str, Branch]) -> None:
    assert content.parameters(branches["chimie"].runs["01_emplois"]) == [
        ("Horizon de la projection, en années", "10"),
    ]


def test_no_previous_edition_is_said_in_french(branches: dict[str, Branch]) -> None:
    run = branches["chimie"].runs["01_emplois"]
    run.record["parameters"]["previous_edition_id"] = None
    assert ("Édition précédente", "aucune") in content.parameters(run)


def test_tables_named_behind_questions_exist() -> None:
    questions = manifest.read(given.PROJECT).questions.values()
    assert {table for one in questions for table in one.tables} <= set(embedded.tables())


def test_sources_are_shown_once_with_french_dates(edition: manifest.Manifest) -> None:
    rows = content.sources_of(edition, ["employment_national", "employment_national", "metiers"])
    assert [one["table"] for one in rows] == ["employment_national", "metiers"]
    assert [one["data_date"] for one in rows] == ["31\u00a0décembre\u00a02018", "sans date"]


def test_the_age_of_a_source_of_the_same_month_counts_no_month() -> None:
    sources = pd.DataFrame({"title": ["A"], "data_date": ["2018-01-31"]})
    edition_date = pd.Timestamp("2026-01-31").date()
    assert plain(content.oldest_source(sources, edition_date)["age"]) == "8 ans"


def test_pages_have_typographic_apostrophes() -> None:
    pages = Path(content.__file__).parent / "pages"
    for path in pages.glob("*.qmd"):
        prose = [line for line in path.read_text(encoding="utf-8").splitlines() if "{" not in line]
        assert [line for line in prose if "'" in line] == [], path.name
