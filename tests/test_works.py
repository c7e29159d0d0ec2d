"""The register of works: coverage by studies, follow-up, from a decision to what came out."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from opmq_lib.cli.app import app
from opmq_lib.errors import DataError
from opmq_lib.methods import decisions, works
from opmq_lib.questions.travaux import chain
from opmq_lib.questions.travaux import page as travaux
from opmq_lib.sources import registers, study
from opmq_lib.tables import DESCRIPTIONS

ROOT = Path(__file__).parent.parent
ON = date(2026, 11, 24)
NO_DECISION = study.load_decisions("")
BRANCHES, THEMES = ["chaux", "chimie", "verre_mecanique"], ["emplois", "besoins"]
GOOD = {
    "work_code": "E1", "kind": "study", "title": "Un titre", "requested_by": "CPNEFP de la chimie",
    "branch_codes": "chimie", "theme_codes": "emplois", "metier_codes": "G1Z70",
    "question": "Une question", "status": "validated", "requested_on": "2025-01-10",
    "fieldwork_end_on": "2025-09-30", "disclosure": "public", "origin": "own",
}  # fmt: skip


def register(*changes: dict[str, str]) -> pd.DataFrame:
    rows = [GOOD | {"work_code": f"E{at}"} | change for at, change in enumerate(changes, 1)]
    return pd.DataFrame(rows).reindex(columns=list(DESCRIPTIONS["works"]), fill_value="").fillna("")


def edition(
    table: pd.DataFrame,
    on: date = ON,
    register: pd.DataFrame = NO_DECISION,
    before: pd.DataFrame | None = None,
    branch_codes: Sequence[str] = BRANCHES,
    theme_codes: Sequence[str] = THEMES,
) -> dict[str, pd.DataFrame]:
    """The results of `12_travaux` in one edition."""
    followed = works.followed(table, on, before)
    listed = works.listed(followed)
    return chain.results(
        works.review(followed, branch_codes, theme_codes),
        listed,
        works.shared_metiers(followed, branch_codes),
        works.decided(register, listed),
    )


def review(studies: pd.DataFrame) -> pd.DataFrame:
    return edition(studies)["travaux"]


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
    table = edition(register(*known), branch_codes=branch_codes, theme_codes=theme_codes)["travaux"]
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
    results = edition(register({}, secret))
    labels = study.branch_labels() | study.theme_labels()
    page = travaux.works_table(results, labels).html
    assert "Un titre" in page
    for text in (page, *(table.to_csv() for table in results.values())):
        assert "fusion" not in text
    assert value(results["travaux"], "studies_count", "ensemble") == 2


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
    with_them = edition(register({}, *hidden))
    without = edition(register({}))
    for name in ("travaux_liste", "travaux_metiers", "travaux_decisions"):
        pd.testing.assert_frame_equal(with_them[name], without[name])
    tables = [
        each[
            each["indicator"].ne("studies_count")
            | each["branch_code"].ne("ensemble")
            | each["variant"].isin(["late", "outdated", "undated"])
        ]
        for each in (with_them["travaux"], without["travaux"])
    ]
    pd.testing.assert_frame_equal(*tables)
    assert value(with_them["travaux"], "studies_count", "ensemble", variant="confidential") == 5
    alone = edition(register(*hidden))
    assert alone["travaux_metiers"].empty
    assert value(alone["travaux"], "study_coverage_ratio", "ensemble") == 0


def test_without_a_register_nothing_is_zero() -> None:
    results = edition(register({}).iloc[:0])
    assert all(table.empty for table in results.values())
    assert "aucun registre n’est tenu" in travaux.findings(results, {}).html
    assert "un modèle à remplir" in travaux.banner(results).html


def test_every_defect_of_a_register_is_listed(tmp_path: Path) -> None:
    bad = register(
        {"branch_codes": "chimie inconnue"},
        {"theme_codes": "salaires"},
        {"delivered_on": "2024-01-01"},
        {"fieldwork_end_on": "2030-01-01"},
    )
    bad = bad.drop(columns="origin")
    path = tmp_path / "travaux.csv"
    bad.to_csv(path, index=False)
    with pytest.raises(DataError) as caught:
        registers.read_works(path, ROOT, ON)
    assert [each.where.partition(" (")[0] for each in caught.value.defects] == [
        "travaux.csv, row 2, column `branch_codes`",
        "travaux.csv, row 3, column `theme_codes`",
        "travaux.csv, row 4, column `delivered_on`",
        "travaux.csv, row 5, column `fieldwork_end_on`",
    ]
    assert caught.value.defects[0].value == "chimie inconnue"
    bad.assign(disclosure="confidential").to_csv(path, index=False)
    with pytest.raises(DataError) as caught:
        registers.read_works(path, ROOT, ON)
    assert [each.value for each in caught.value.defects] == [None] * 4
    twice = pd.concat([register({}), register({})])
    twice.to_csv(path, index=False)
    with pytest.raises(DataError, match="the same key as row"):
        registers.read_works(path, ROOT, ON)


def test_the_template_opens_with_its_lists() -> None:
    book = registers.template("works", ROOT)
    assert book.sheetnames == ["works", "listes", "codes"]
    codes = [cell.value for cell in book["codes"]["A"]]
    assert {"chimie", "emplois", "G1Z70"} <= set(codes)
    lists = [each for each in book["works"].data_validations.dataValidation if each.type == "list"]
    assert len(lists) == 4


def test_a_filled_template_comes_back_as_codes(tmp_path: Path) -> None:
    book = registers.template("works", ROOT)
    words = {"kind": "étude", "status": "validé", "disclosure": "public"}
    names = [name for name in DESCRIPTIONS["works"] if name != "origin"]
    book["works"].append([(GOOD | words).get(name) for name in names])
    book.save(tmp_path / "travaux.xlsx")
    again = registers.read_works(tmp_path / "travaux.xlsx", ROOT, ON)
    assert again.iloc[0][list(GOOD)].to_dict() == GOOD


def test_a_work_names_a_decision_of_the_register(tmp_path: Path) -> None:
    path = tmp_path / "travaux.csv"
    register({"decision_code": "chimie-E1Z41-2025"}).to_csv(path, index=False)
    known = pd.DataFrame({"decision_code": ["chimie-E1Z41-2026"]})
    assert len(registers.read_works(path, ROOT, ON, known.head(0))) == 1
    with pytest.raises(DataError, match="a decision that the register"):
        registers.read_works(path, ROOT, ON, known)


def test_a_branch_that_a_cell_names_twice_counts_once() -> None:
    rows = works.of_branches(register({"branch_codes": "chaux chimie chaux"}), BRANCHES)
    assert rows["branch_code"].tolist() == ["chaux", "chimie"]


def test_what_is_done_decided_or_asked_by_a_person_is_checked(tmp_path: Path) -> None:
    action = {"kind": "action", "theme_codes": "", "question": ""}
    bad = register(
        action | {"status": "delivered"},
        action | {"status": "decided"},
        {"theme_codes": ""},
        {"requested_by": "Mme Durand"},
        action,
        {"question": "Que fait Mme Durand ?"},
        {"minutes_reference": "relevé de Jeanne Durand"},
        {"metier_codes": "G1Z70 X9X99"},
        {"due_on": "2024-12-31"},
        {"decided_on": "2024-12-31"},
        {"requested_on": "2027-01-01"},
        {"status": "under_way", "delivered_on": "2026-01-01"},
    )
    path = tmp_path / "travaux.csv"
    bad.drop(columns="origin").to_csv(path, index=False)
    with pytest.raises(DataError) as caught:
        registers.read_works(path, ROOT, ON)
    assert [each.where.partition("`")[2].partition("`")[0] for each in caught.value.defects] == [
        "status", "status", "kind", "requested_by", "status", "question", "minutes_reference",
        "metier_codes", "due_on", "decided_on", "requested_on", "delivered_on",
    ]  # fmt: skip
    assert "Durand" not in str(caught.value)


def test_a_decision_walks_to_what_came_out_of_it_across_two_editions() -> None:
    shortlist = pd.DataFrame(
        {"branch_code": ["chimie"], "branch_label": ["Chimie"], "metier_code": ["E1Z41"],
         "metier_label": ["Ouvriers"], "rank": [1], "departure_rate_pct": [2.5],
         "departures_per_year_headcount": [40.0], "presence_pct": [97.0], "is_shown": ["yes"],
         "proposed_lever": ["transmettre les savoirs"]}
    )  # fmt: skip
    register = decisions.proposals(shortlist, "2025", date(2025, 11, 24))
    said = {"status": "adopted", "decision": "Un tutorat", "decided_on": "2026-01-15",
            "minutes_reference": "relevé 3", "disclosure": "public"}  # fmt: skip
    register = register.assign(**said)
    (code,) = register["decision_code"]
    work = {"work_code": "T1", "kind": "action", "title": "Tutorat", "decision_code": code,
            "requested_by": "CPNEFP de la chimie", "branch_codes": "chimie",
            "status": "decided", "requested_on": "2026-01-15", "decided_on": "2026-01-15",
            "minutes_reference": "relevé 3", "due_on": "2027-06-30", "disclosure": "public",
            "origin": "own"}  # fmt: skip
    labels = study.all_labels()

    def shown(results: dict[str, pd.DataFrame]) -> str:
        text = travaux.alone(results, labels, "chimie", "2026", "2026-11-24")
        return text.replace("\u00a0", " ").replace("\u202f", " ")

    def row(**changes: str) -> pd.DataFrame:
        columns = list(DESCRIPTIONS["works"])
        return pd.DataFrame([work | changes]).reindex(columns=columns, fill_value="")

    first = edition(row(), ON, register)
    assert "Tutorat : décidé, pas commencé" in shown(first)
    late = edition(row(status="under_way"), date(2027, 11, 24), register, first[chain.LISTED])
    assert "Tutorat : en retard" in shown(late)
    done = row(status="delivered", delivered_on="2027-05-12", outcome="80 tuteurs formés")
    second = edition(done, date(2027, 11, 24), register, first[chain.LISTED])
    page = shown(second)
    assert "retenue : Un tutorat" in page
    assert "Tutorat : fait depuis l’édition précédente, le 12 mai 2027 ; 80 tuteurs formés" in page
    assert value(second["travaux"], "works_count", "chimie", variant="done_since") == 1
    third = edition(done, date(2028, 11, 24), register, second[chain.LISTED])
    assert value(third["travaux"], "works_count", "chimie", variant="done") == 1
    assert value(third["travaux"], "works_count", "chimie", variant="done_since") == 0
    alone = edition(row(disclosure="confidential"), ON, register)
    assert "aucun travail public n’y est rattaché" in shown(alone)
    assert "Tutorat" not in shown(alone)


def test_invented_works_go_from_a_decision_to_done_across_two_editions() -> None:
    start, then, now = date(2024, 11, 24), date(2025, 11, 24), ON
    first = edition(works.invented(BRANCHES, start, then), then, NO_DECISION)
    second = edition(works.invented(BRANCHES, start, now), now, NO_DECISION, first[chain.LISTED])
    assert value(first["travaux"], "works_count", "chaux", variant="under_way") == 3
    assert np.isnan(value(first["travaux"], "works_count", "chaux", variant="done_since"))
    assert "Travaux faits\u00a0: " in travaux.findings(first, {}, "chaux").html
    assert "Travaux faits depuis l’édition précédente" in travaux.findings(second, {}, "chaux").html
    for variant, count in (("done_since", 2), ("late", 1), ("under_way", 0)):
        assert value(second["travaux"], "works_count", "chaux", variant=variant) == count
    assert set(second[chain.LISTED]["origin"]) == {"fictitious"}
    assert "Données fictives" in travaux.banner(second).html
    assert "fait depuis l’édition précédente" in travaux.works_table(second, {}, "chaux").html


def test_the_page_of_a_branch_is_written_from_the_last_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("parameters", "_quarto.yml"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    results = edition(works.invented(BRANCHES, date(2024, 11, 24), ON), ON, NO_DECISION)

    def call(branch: str) -> None:
        arguments = ["works", "page", branch, "-o", "travaux.html"]
        CliRunner().invoke(app, arguments, catch_exceptions=False)

    with pytest.raises(DataError, match="no result on works"):
        call("chaux")
    monkeypatch.setattr(study, "read_results", lambda *_: results)
    with pytest.raises(DataError, match="did you mean `chaux`"):
        call("chau")
    call("chaux")
    page = Path("travaux.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert page.count("fictive, pour montrer la page") == 3
    assert "http" not in page
