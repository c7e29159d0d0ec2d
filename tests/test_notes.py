"""Notes that bodies sign: one error for all defects, marks, pages, themes of several branches."""

from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from opmq_lib.cli.app import app
from opmq_lib.errors import DataError
from opmq_lib.methods import notes, works
from opmq_lib.questions.changements import chain, page
from opmq_lib.sources import registers, study
from opmq_lib.tables import DESCRIPTIONS

ROOT, ON = Path(__file__).parent.parent, date(2026, 11, 24)
GOOD = {
    "note_code": "N1", "note": "Les lignes se pilotent de plus en plus à distance.",
    "branch_codes": "chimie", "metier_codes": "E1Z41 G1Z70", "theme": "technologies",
    "basis_kind": "source", "basis": "Dares, Métiers 2030", "signed_by": "CPNEFP de la chimie",
    "signed_on": "2026-03-12", "valid_until": "2028-03-12", "status": "signed", "origin": "own",
}  # fmt: skip
WORKS = pd.DataFrame(
    [{"work_code": "E1", "kind": "study", "title": "Robots et conduite", "status": "validated",
      "disclosure": "public"}]
)  # fmt: skip
LABELS = study.metier_labels() | study.branch_labels()


def register(*changes: dict[str, str]) -> pd.DataFrame:
    rows = [GOOD | {"note_code": f"N{at}"} | change for at, change in enumerate(changes, 1)]
    table = pd.DataFrame(rows).astype("object").fillna("")
    return table.reindex(columns=list(DESCRIPTIONS["notes"]), fill_value="").astype("str")


def read(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    table.to_csv(path, index=False)
    return registers.read_notes(path, WORKS, ON, "own")


def shown(table: pd.DataFrame, branch_code: str = "chimie") -> str:
    own = notes.of_branch(notes.followed(table, WORKS, ON), branch_code)
    facts = pd.DataFrame({"metier_code": ["E1Z41"]})
    return page.notes({chain.NOTES: own, chain.FACTS: facts}, LABELS).html


def test_a_bad_register_gives_one_error_that_lists_everything(tmp_path: Path) -> None:
    bad = register(
        {"metier_codes": "E1Z41 X9X99"},
        {"signed_by": ""},
        {"note": "a" * 401},
        {"note": "Voir avec Mme Durand, 06 12 34 56 78"},
        {"basis_kind": "study", "basis": "", "work_code": "E7"},
        {"signed_by": "Petit et compagnie"},
        {"branch_codes": "chimie chimi"},
        {"theme": "robots"},
        {"basis_kind": "hearing", "basis": "section paritaire"},
        {"valid_until": "2020-01-01"},
        {"signed_on": "2027-01-01"},
        {"signed_by": "section de M. Dupont"},
        {"signed_by": "la présidente de la CPNEFP"},
        {"signed_by": "CPNEFP, par J. Petit"},
        {"basis_kind": "hearing", "basis": "section paritaire", "heard_on": "2026-04-01"},
        {"status": "withdrawn", "valid_until": ""},
        {"status": "draft", "signed_by": "", "signed_on": "", "valid_until": ""},
        {},
    )
    with pytest.raises(DataError) as caught:
        read(bad, tmp_path / "notes.csv")
    found = [each.where.partition(" (")[0] for each in caught.value.defects]
    columns = [
        "metier_codes",
        "signed_by",
        "note",
        "note",
        "work_code",
        "signed_by",
        "branch_codes",
        "theme",
        "basis",
        "valid_until",
        "signed_on",
        "signed_by",
        "signed_by",
        "signed_by",
        "heard_on",
        "valid_until",
    ]
    expected = [f"notes.csv, row {at}, column `{name}`" for at, name in enumerate(columns, 2)]
    assert found == expected
    assert not any(each.value for each in caught.value.defects)
    assert "Durand" not in str(caught.value)
    assert "Petit" not in str(caught.value)


def test_nothing_is_shown_after_its_validity_without_its_mark() -> None:
    last = {"note": "Dernier jour.", "valid_until": ON.isoformat()}
    old = {"note": "Ancienne.", "valid_until": "2026-11-23"}
    draft, gone = ({"note": each, "status": each} for each in ("draft", "withdrawn"))
    text = shown(register(old, last, draft, gone))
    items = text.split("<li>")[1:]
    assert ["Dernier jour." in items[0], "Ancienne." in items[1], len(items)] == [True, True, 2]
    assert "prudence" not in items[0]
    assert "n’est plus valable" in items[1]
    assert "Signé : CPNEFP de la chimie" in text.replace("\u00a0", " ").replace("\u202f", " ")
    assert "12 mars 2028" not in items[1]


def test_a_note_whose_study_was_abandoned_says_so_and_a_secret_title_is_not_told() -> None:
    on_study = register({"basis_kind": "study", "basis": "", "work_code": "E1"})
    assert "Robots et conduite" in shown(on_study)
    assert "abandonnée" not in shown(on_study)
    abandoned = WORKS.assign(status=works.ABANDONED, disclosure="confidential")
    own = notes.of_branch(notes.followed(on_study, abandoned, ON), "chimie")
    text = page.notes({chain.NOTES: own}, LABELS).html
    assert "l’étude citée a été abandonnée" in text
    assert "Robots" not in text


def test_a_note_of_all_branches_is_of_each_and_another_of_its_own() -> None:
    table = notes.followed(register({"branch_codes": "ensemble"}, {}), WORKS, ON)
    assert notes.of_branch(table, "chaux")["note_code"].tolist() == ["N1"]
    assert notes.of_branch(table, "chimie")["note_code"].tolist() == ["N1", "N2"]


def test_themes_that_several_branches_sign_are_counted_without_old_notes() -> None:
    table = register(
        {"branch_codes": "chimie plasturgie"},
        {"branch_codes": "petrole", "signed_by": "CPNEFP du pétrole"},
        {"branch_codes": "textile", "valid_until": "2026-10-01"},
        {"theme": "ecology"},
    )
    followed = notes.followed(table, WORKS, ON)
    codes = ["chimie", "petrole", "plasturgie", "textile"]
    every = pd.concat([notes.of_branch(followed, code) for code in codes], ignore_index=True)
    themes = notes.shared_themes(every)
    counts = themes[["theme", "branches_count", "bodies_count", "notes_count"]]
    assert counts.to_numpy().tolist() == [["technologies", 3, 2, 2]]
    text = page.themes_table(themes, LABELS).html
    assert "notes_themes:0:branches_count" in text
    assert "Textile" not in text
    assert "Aucun thème" in page.themes_table(notes.shared_themes(every.head(0)), LABELS).html


def test_invented_notes_carry_their_watermark_everywhere() -> None:
    table = notes.invented(["chimie", "petrole"] * 4, ON)
    table = table.assign(note_code=[f"N{at}" for at in range(len(table))])
    assert "Données fictives" in shown(table)
    assert "Données fictives" not in shown(register({}))
    own = [notes.of_branch(notes.followed(table, WORKS, ON), code)
           for code in ("chimie", "petrole")]  # fmt: skip
    assert set(pd.concat(own)["origin"]) == {"fictitious"}
    themes = notes.shared_themes(pd.concat(own, ignore_index=True))
    assert len(themes)
    assert "Données fictives" in page.themes_table(themes, LABELS).html


def test_without_a_register_there_is_no_note() -> None:
    assert study.load_notes("", WORKS).empty
    assert "Aucune instance n’a encore signé" in shown(register({}).head(0))


def test_the_french_template_comes_back_as_codes(tmp_path: Path, monkeypatch) -> None:
    for name in ("parameters", "_quarto.yml"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()

    def call(*arguments: str) -> str:
        return runner.invoke(app, ["notes", *arguments], catch_exceptions=False).output

    call("template", "-o", "notes.xlsx")
    book = openpyxl.load_workbook("notes.xlsx")
    assert book.sheetnames == ["notes", "listes", "codes"]
    sheet = book["notes"]
    titles = [cell.value for cell in sheet[1]]
    assert "Origine" not in titles
    assert sum(rule.type == "list" for rule in sheet.data_validations.dataValidation) == 3
    words = {"theme": "technologies", "basis_kind": "source publiée", "status": "signée"}
    names = [name for name in DESCRIPTIONS["notes"] if name != "origin"]
    sheet.append([(GOOD | words).get(name) for name in names])
    book.save("notes.xlsx")
    assert "1 notes, 1 signed" in call("import", "notes.xlsx", "-o", "data/notes.csv")
    again = study.load_notes("data/notes.csv", WORKS, tmp_path)
    assert again.iloc[0][list(GOOD)].to_dict() == GOOD
