import shutil
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.workbook import Workbook
from typer.testing import CliRunner

import opmq_lib.cli  # noqa: F401 - adds the commands
from opmq_lib.cli.app import app
from opmq_lib.errors import DataError, SchemaError, ScopeError
from opmq_lib.params import Question
from opmq_lib.show import downloads, french
from opmq_lib.sources import parameters, vote
from opmq_lib.sources.branch_file import example_questions, questions_text, with_questions
from opmq_lib.sources.vote import BASIS, BRANCH, SHEETS, VOTE, form
from opmq_lib.sources.yaml_text import parse

ROOT = Path(__file__).parent.parent
FIRST_CRITERION = 9
DAY, BODY, MINUTES = VOTE.values()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("parameters", "notebooks"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "_quarto.yml", tmp_path)
    for file in (tmp_path / "parameters/branches").glob("*.yml"):
        if file.stem not in ("chimie", "ceramique"):
            file.unlink()
    return tmp_path


def filled(root: Path) -> tuple[Workbook, Path]:
    book = form(parameters.load_branches(root)["chimie"])
    return book, root / "vote.xlsx"


def row_of(book: Workbook, sheet: str, label: str) -> int:
    return next(row for row in range(1, 40) if book[sheet].cell(row, 1).value == label)


def put(book: Workbook, sheet: str, label: str, value: object) -> None:
    book[sheet].cell(row_of(book, sheet, label), 2).value = value


def voted(book: Workbook, sheet: str) -> None:
    put(book, sheet, DAY, "2026-03-12")
    put(book, sheet, BODY, "CPNEFP de la chimie")
    put(book, sheet, MINUTES, "relevé 2026-03")
    put(book, sheet, BASIS, "étude de 2025")


def refused(book: Workbook, path: Path, root: Path) -> str:
    book.save(path)
    before = {file: file.read_bytes() for file in (root / "parameters/branches").iterdir()}
    with pytest.raises(DataError) as caught:
        vote.record(path, root)
    assert {file: file.read_bytes() for file in before} == before
    assert set((root / "parameters/branches").iterdir()) == set(before)
    return str(caught.value)


def test_an_untouched_form_changes_nothing(root: Path) -> None:
    book, path = filled(root)
    book.save(path)
    file = root / "parameters/branches/chimie.yml"
    before = file.read_bytes()
    assert vote.record(path, root) == (file, False)
    assert file.read_bytes() == before


def test_a_vote_is_read_back_into_the_parameters_of_its_branch(root: Path) -> None:
    book, path = filled(root)
    voted(book, SHEETS["core"])
    voted(book, SHEETS["strategic"])
    put(book, SHEETS["strategic"], DAY, "12/03/2026")
    sheet = book[SHEETS["core"]]
    sheet.cell(FIRST_CRITERION, 7).value = "0,4"
    sheet.cell(FIRST_CRITERION + 1, 7).value = 0.6
    sheet.cell(FIRST_CRITERION, 8).value = "linéaire"
    first_gate = row_of(book, SHEETS["core"], "Condition") + 1
    sheet.cell(first_gate, 4).value = "1,2"
    put(book, SHEETS["core"], DAY, datetime(2026, 3, 12))  # noqa: DTZ001 (as a spreadsheet has it)
    ticks = book["Métiers"]
    code = ticks.cell(5, 1).value
    ticks.cell(5, 3).value = "X"
    book.save(path)
    others = (root / "parameters/branches/ceramique.yml").read_bytes()
    vote.record(path, root)
    core, strategic = parameters.load_branches(root)["chimie"].questions
    assert core.vote is not None
    assert core.vote.date == date(2026, 3, 12)
    assert (core.vote.body, core.basis) == ("CPNEFP de la chimie", "étude de 2025")
    assert [each.weight for each in core.criteria] == [0.4, 0.6]
    assert [each.scale for each in core.criteria] == ["linear", "log"]
    assert [each.least for each in core.gates] == [1.2, 1.5]
    assert core.voted_metiers == (code,)
    assert strategic.vote is not None
    assert strategic.vote.date == date(2026, 3, 12)
    names = [ticks.cell(row, 2).value for row in range(5, ticks.max_row + 1)]
    assert names == sorted(names, key=french.order) != sorted(names)
    assert (root / "parameters/branches/ceramique.yml").read_bytes() == others
    text = (root / "parameters/branches/chimie.yml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server")
    assert "# Your own observed tables" in text


def test_everything_wrong_in_a_form_is_told_at_once(root: Path) -> None:
    book, path = filled(root)
    core = book[SHEETS["core"]]
    core.cell(FIRST_CRITERION, 7).value = 0.75  # weights sum to 1.25
    core.cell(FIRST_CRITERION, 5).value = 0  # high ≤ low
    core.cell(FIRST_CRITERION + 1, 1).value = "rarete"  # no table gives it
    core.cell(FIRST_CRITERION + 1, 6).value = "beaucoup"
    gate = row_of(book, SHEETS["strategic"], "Condition") + 1
    strategic = book[SHEETS["strategic"]]
    strategic.cell(gate, 1).value = 1.5
    strategic.cell(gate + 1, 3).value = "part"
    strategic.cell(gate + 2, 4).value = "deux"
    strategic.cell(FIRST_CRITERION + 2, 8).value = "carré"
    book["Métiers"].cell(3, 1).value = "Z9Z99"
    put(book, SHEETS["strategic"], DAY, "12 mars")
    text = refused(book, path, root)
    for said in (
        "sheet Cœurs, column Poids: the weights do not sum to 1 (found: 1.25)",
        "row 9, Borne haute: goalposts `low: 0` and `high: 0` are not in order",
        "row 10: no table gives a value of this criterion (found: rarete)",
        "row 10: the direction of `rarete`",
        "row 11: the scale of `ecological_exposure`",
        f"row {gate}, Condition: ",
        f"row {gate + 1}: no table gives a value of this criterion (found: part)",
        f"row {gate + 2}, column Au moins: not a number (found: deux)",
        "sheet Métiers, row 3: unknown métier (found: Z9Z99)",
        "sheet Stratégiques: not a date (found: 12 mars)",
        f"sheet Stratégiques: the vote has no “{BODY}”",
    ):
        assert said in text, said


def test_weights_with_a_blank_or_a_word_are_refused(root: Path) -> None:
    book, path = filled(root)
    book[SHEETS["core"]].cell(FIRST_CRITERION, 7).value = None
    book[SHEETS["core"]].cell(FIRST_CRITERION + 1, 7).value = "un quart"
    text = refused(book, path, root)
    assert "row 9, column Poids: empty cell" in text
    assert "row 10, column Poids: not a number (found: un quart)" in text


def test_a_criterion_named_twice_and_a_cutoff_out_of_range_are_refused(root: Path) -> None:
    book, path = filled(root)
    book[SHEETS["core"]].cell(FIRST_CRITERION + 1, 1).value = "employment_share"
    put(book, SHEETS["core"], "Score d’entrée (0 à 1)", 1)
    text = refused(book, path, root)
    assert "a criterion named twice (found: employment_share)" in text
    assert "Score d’entrée (0 à 1): `1.0` is not less than 1" in text


def test_a_tick_without_a_vote_is_refused(root: Path) -> None:
    book, path = filled(root)
    book["Métiers"].cell(4, 4).value = "x"
    assert "métiers are ticked for “Stratégiques” but its vote is not filled in" in refused(
        book, path, root
    )


def test_what_the_model_alone_refuses_is_told(root: Path) -> None:
    question = parameters.load_branches(root)["chimie"].questions[0]
    values = question.model_dump() | {"vote": None, "basis": "une étude"}
    errors: list[DataError] = []
    assert vote._validated(values, "vote.xlsx", {"criteria": [9, 10]}, errors) is None
    assert [type(error) for error in errors] == [SchemaError]
    assert "`vote` is null but `basis` is not" in str(errors[0])


def test_a_form_of_an_unknown_branch_is_refused(root: Path) -> None:
    book, path = filled(root)
    for sheet in SHEETS.values():
        put(book, sheet, BRANCH, "chimei")
    assert "did you mean `chimie`?" in refused(book, path, root)


def test_what_is_no_form_is_refused_and_told(root: Path) -> None:
    path = root / "vote.xlsx"
    path.write_bytes(b"no workbook")
    with pytest.raises(DataError, match="damaged or cut short"):
        vote.record(path, root)
    Workbook().save(path)
    with pytest.raises(DataError, match="no sheet of a question"):
        vote.record(path, root)
    with pytest.raises(DataError, match="no such file"):
        vote.record(root / "absent.xlsx", root)


def test_the_form_is_the_same_every_time_and_asks_for_no_name(root: Path, tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        downloads.write_workbook(form(parameters.load_branches(root)["chimie"]), tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    words = {
        str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value
    }
    assert {"Organisation", "Signature"} <= words
    assert not {word for word in words if word.startswith(("Nom", "Prénom"))}


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.01, 0.99),
    st.floats(0.1, 1000),
    st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4),
    st.floats(0, 1),
)
def test_questions_survive_the_parameter_file(
    cutoff: float, concentration: float, ends: list[float], share: float
) -> None:
    question = example_questions()[0]
    weights = [share, 1 - share]
    criteria = tuple(
        each.model_copy(
            update={"low": low, "high": low + 1 + abs(high), "weight": weight, "scale": "linear"}
        )
        for each, low, high, weight in zip(
            question.criteria, ends[:2], ends[2:], weights, strict=True
        )
    )
    changed = question.model_copy(
        update={"cutoff_score": cutoff, "concentration": concentration, "criteria": criteria}
    )
    document = parse(questions_text([changed]), "x.yml")
    assert document.defects == ()
    read = Question.model_validate(document.value["questions"][0])
    assert read == changed


def test_only_the_block_of_questions_is_replaced() -> None:
    text = "a: 1\nquestions:\n  - old: 1\n\n    # inside\nb: 2\n"
    assert with_questions(text, []) == "a: 1\nquestions:\nb: 2\n"


def test_commands_write_a_form_and_read_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    run = CliRunner()
    written = run.invoke(app, ["vote", "form", "chimie", "-o", "forms/vote.xlsx"])
    assert written.exit_code == 0, written.output
    read = run.invoke(app, ["vote", "read", "forms/vote.xlsx"])
    assert read.output == "The form says what parameters/branches/chimie.yml says: unchanged.\n"
    unknown = run.invoke(app, ["vote", "form", "chimei", "-o", "x.xlsx"])
    assert isinstance(unknown.exception, ScopeError)
    assert not (root / "x.xlsx").exists()
    again = run.invoke(app, ["vote", "form", "chimie", "-o", "forms/vote.xlsx"])
    assert "a filled form must not be lost" in str(again.exception)


def test_a_vote_of_the_future_and_a_number_without_end_are_refused(root: Path) -> None:
    book, path = filled(root)
    voted(book, SHEETS["core"])
    put(book, SHEETS["core"], DAY, "2099-03-12")
    book[SHEETS["core"]].cell(FIRST_CRITERION, 5).value = "1e400"
    text = refused(book, path, root)
    assert "a vote of the future" in text
    assert "Borne haute: `inf` is not a finite number" in text
