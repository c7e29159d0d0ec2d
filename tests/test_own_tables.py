"""Own tables as people have them: read right, or one error that says what to change."""

import resource
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from opmq_lib.cli.app import app
from opmq_lib.errors import DataError, SchemaError, ScopeError
from opmq_lib.show import downloads
from opmq_lib.sources import own_forms
from opmq_lib.sources.parameters import metiers
from opmq_lib.sources.table_files import SUPPLIED, read_supplied
from opmq_lib.sources.validate import validate
from opmq_lib.tables import DESCRIPTIONS, scope, titles

FRENCH = ["Code métier", "Année", "Effectif", "Nombre d’entreprises",
          "Part de la plus grande entreprise (%)"]  # fmt: skip
ROWS: list[list[Any]] = [["E1Z43", 2023, 1120.5, 41, 18.2], ["D6Z70", 2023, 12345.0, 40, 9.0]]
LINES = [";".join(FRENCH), "E1Z43;2023;1120,5;41;18,2", "D6Z70;2023;12 345;40;9"]


def read(path: Path, table: str = "employment") -> pd.DataFrame:
    return read_supplied(path, table, "ceramique")


def refused(path: Path, table: str = "employment") -> str:
    with pytest.raises(DataError) as caught:
        read(path, table)
    return str(caught.value)


def book(path: Path, *rows: Sequence[Any], title: str = "Feuil1") -> Path:
    workbook = openpyxl.Workbook()
    workbook.active.title = title
    for row in rows:
        workbook.active.append(row)
    workbook.save(path)
    return path


def test_five_columns_suffice_and_the_rest_is_implied(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("\n".join(LINES), encoding="utf-8")
    told = read(path)
    assert told[["metier_code", "year", "employment_headcount"]].to_numpy().tolist() == [
        ["E1Z43", 2023, 1120.5], ["D6Z70", 2023, 12345.0],
    ]  # fmt: skip
    assert told[["units_count", "largest_share_pct"]].to_numpy().tolist() == [[41, 18.2], [40, 9]]
    implied = told[["branch_code", "nature", "origin", "source_code"]].drop_duplicates()
    assert implied.to_numpy().tolist() == [["ceramique", "observed", "own", "donnees_branche"]]


def without_figures(path: Path) -> Path:
    """Return a filled template: three rows of the branch's métiers have figures, others none."""
    metiers = {"E1Z43": "Ouvriers", "D6Z70": "Techniciens", "G1Z70": "Agents"}
    downloads.write_workbook(own_forms.template(["employment"], metiers, 2025), path)
    filled = openpyxl.load_workbook(path)
    for row, figures in ((2, ROWS[0]), (3, ROWS[1]), (5, ["", 2023, 80, 12, 30])):
        for column, figure in enumerate(figures[1:], start=3):
            filled["Emploi par métier"].cell(row, column, figure)
    filled.save(path)
    return path


def test_metiers_told_by_labels_close_with_the_rest(tmp_path: Path) -> None:
    rest = ["Autres métiers", *ROWS[1][1:]]
    path = book(tmp_path / "e.xlsx", ["Métier", *FRENCH[1:]], ROWS[0], rest)
    assert read(path)["metier_code"].tolist() == ["E1Z43", "autres_metiers"]


def test_a_template_comes_back_without_an_edit_but_the_figures(tmp_path: Path) -> None:
    path = without_figures(tmp_path / "emplois.xlsx")
    with pytest.warns(UserWarning, match=r"emplois.xlsx: 1 row without any number left out: 4"):
        told = read(path)
    assert told["metier_code"].tolist() == ["E1Z43", "D6Z70", "autres_metiers"]
    assert told["employment_headcount"].tolist() == [1120.5, 12345.0, 80.0]


@pytest.mark.parametrize("table", SUPPLIED)
def test_the_titles_of_every_template_are_those_of_its_table(table: str) -> None:
    form = own_forms.template([table], {"E1Z43": "Ouvriers"}, 2025)
    sheet = form[scope.OWN_TABLES[table]]
    found = titles.columns(table, [cell.value for cell in sheet[1]])
    assert [name for name in found if name != "metier_label"] == own_forms.columns(table)
    needed = {"units_count", "largest_share_pct"} & DESCRIPTIONS[table].keys()
    assert needed <= set(own_forms.columns(table))
    page = {str(cell.value) for row in form["lisez_moi"].iter_rows() for cell in row}
    assert any(f'{table}: "data/' in cell for cell in page)
    assert "Exemple inventé" in page


def test_the_command_writes_the_metiers_of_the_branch_and_loses_no_filled_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parent.parent)
    path = tmp_path / "enquete.xlsx"

    def call(*words: str) -> None:
        asked = ["data", "template", *words, "-o", str(path)]
        assert CliRunner().invoke(app, asked, catch_exceptions=False).exit_code == 0

    call("employment", "branch_totals", "--branch", "ceramique")
    form = openpyxl.load_workbook(path)
    names = ["Emploi par métier", "Salariés de la branche", "métiers", "lisez_moi"]
    assert form.sheetnames == names
    codes = [cell.value for cell in form[names[0]]["A"]]
    assert codes[-1] == "autres_metiers"
    assert 10 < len(codes) < 60
    with pytest.raises(SchemaError, match="must not be lost"):
        call("employment")
    with pytest.raises(ScopeError, match=r"did you mean `employment`\?(.|\n)*unknown branch"):
        call("employmnt", "--branch", "ceramics")


def test_a_table_that_no_branch_names_must_say_its_branch(project_copy: Path) -> None:
    path = project_copy / "data/e.csv"
    path.parent.mkdir()
    path.write_text("\n".join(LINES), encoding="utf-8")
    with pytest.raises(SchemaError, match="add a column `Code branche`, or name the file in param"):
        validate(project_copy, [path])
    branch = project_copy / "parameters/branches/ceramique.yml"
    text = branch.read_text(encoding="utf-8")
    named = text.replace("employment: null", 'employment: "data/e.csv"')
    branch.write_text(named, encoding="utf-8")
    assert validate(project_copy, [path]) == ["data/e.csv (table `employment`): 2 rows"]


LABELLED = [
    line.replace(line[:5], metiers()[line[:5]].upper().replace("'", "’")) for line in LINES[1:]
]
WAYS: dict[str, Callable[[], bytes]] = {
    "utf-8 with a mark": lambda: "\n".join(LINES).encode("utf-8-sig"),
    "unicode text of Excel": lambda: "\r\n".join(LINES).replace(";", "\t").encode("utf-16"),
    "tabs": lambda: "\n".join(LINES).replace(";", "\t").encode(),
    "no-break spaces": lambda: "\n".join(LINES).replace("12 345", "12\u00a0345\u202f").encode(),
    "narrow spaces": lambda: "\n".join(LINES).replace("12 345", "\ufeff12\u202f345").encode(),
    "a leading tab": lambda: "\n".join(f"\t{line}" for line in LINES).encode(),
    "English names": lambda: "\n".join(
        ["metier_code,year,employment_headcount,units_count,largest_share_pct",
         "E1Z43,2023,1120.5,41,18.2", "D6Z70,2023,12345,40,9"]).encode(),
    "other words": lambda: "\n".join(
        ["CODE FAP;Millésime;effectifs (au 31/12);Nb d'entreprises;Plus grande entreprise",
         *LINES[1:]]).encode(),
    "labels beside codes": lambda: "\n".join(
        f"{line};{label}" for line, label in zip(LINES, ["Métier", "Ouvriers", "x"], strict=True)
    ).encode(),
    "métiers by their labels": lambda: "\n".join(
        [LINES[0].replace("Code métier", "Libellé du métier"), LABELLED[0], LABELLED[1]]).encode(),
    "columns shuffled": lambda: "\n".join(
        ";".join(reversed(line.split(";"))) for line in LINES).encode(),
    "titles above": lambda: "\n".join(
        ["Effectifs de la branche", "", "sep=;", "Année;2023", *LINES]).encode(),
    "old line ends": lambda: "\r".join(LINES).encode(),
    "empty columns and rows": lambda: "\n".join(f"{line};;" for line in (*LINES, ";;;;")).encode(),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_csv_as_people_save_it_is_read_right(way: str, tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_bytes(WAYS[way]())
    columns = ["metier_code", "year", "employment_headcount", "units_count", "largest_share_pct"]
    assert read(path)[columns].to_numpy().tolist() == ROWS


def test_windows_1252_is_read_with_a_notice(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_bytes("\n".join(LINES).encode("cp1252"))
    with pytest.warns(UserWarning, match="e.csv: read as Windows-1252.*save it again as “CSV UTF"):
        assert len(read(path)) == 2


def test_a_workbook_with_titles_above_and_a_second_sheet_is_read_right(tmp_path: Path) -> None:
    path = book(tmp_path / "e.xlsx", ["Enquête emploi 2023"], [None], FRENCH, *ROWS)
    filled = openpyxl.load_workbook(path)
    filled.create_sheet("Notes", 0).append(["Année de l’enquête", 2023])
    filled.save(path)
    assert read(path)["employment_headcount"].tolist() == [1120.5, 12345.0]


def test_errors_call_columns_as_the_file_does(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    wrong = [LINES[0].replace("Effectif", "Effectf"), "E1Z43;2023;12,5;quarante;18,2"]
    path.write_text("\n".join(wrong), encoding="utf-8")
    text = refused(path)
    assert "column `Effectf`: unknown column, and `Effectif` is missing" in text
    assert "what to do: rename it to `Effectif`" in text
    assert "row 2, column `Nombre d’entreprises` (ceramique, E1Z43, 2023): not a whole" in text
    assert "employment_headcount" not in text
    path.write_text("\n".join([LINES[0], *LINES[1:], LINES[1]]), encoding="utf-8")
    assert "one row for each `Code branche`, `Code métier`, `Année`" in refused(path)
    path.write_text("\n".join(f"{line};{line.split(';')[2]}" for line in LINES), encoding="utf-8")
    assert "column `Effectif` / `Effectif`: column given twice" in refused(path)


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        (time(8, 30), "a time, not a number"),
        (timedelta(hours=50), "a time, not a number"),
        (datetime.fromisoformat("2023-01-02"), "not a number"),
        ("s", "a mark of published tables, not a number"),
        ("nd", "a mark of published tables, not a number"),
        ("1.234,5", "not a number"),
        ("#N/A", "not a number"),
        (1e300, "too large a number"),
        ("9" * 400, "not a number"),
    ],
)
def test_a_cell_that_is_no_number_is_told_by_what_it_is(
    cell: Any, what: str, tmp_path: Path
) -> None:
    path = book(tmp_path / "e.xlsx", FRENCH, ROWS[0], ["D6Z70", 2023, cell, cell, 9.0])
    text = refused(path)
    for title, whole in (("Effectif", ""), ("Nombre d’entreprises", "whole ")):
        said = what.replace("not a number", f"not a {whole}number") if what[0] == "n" else what
        assert f"e.xlsx, row 3, column `{title}` (ceramique, D6Z70, 2023): {said}\n" in text
    assert str(cell) not in text or cell in ("s", "nd")


def test_a_point_is_no_decimal_mark_beside_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("\n".join(LINES).replace("12 345", "12.345"), encoding="utf-8")
    text = refused(path)
    assert "row 3, column `Effectif` (ceramique, D6Z70, 2023): not a number" in text
    assert "with one decimal mark in the whole file" in text


def test_a_styled_cell_at_the_end_of_a_sheet_costs_little(tmp_path: Path) -> None:
    path = book(tmp_path / "e.xlsx", FRENCH, *ROWS)
    filled = openpyxl.load_workbook(path)
    filled.active["XFD1048576"].font = openpyxl.styles.Font(bold=True)
    filled.save(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    assert len(read(path)) == 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 10
