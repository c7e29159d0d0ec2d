"""The observatory's registers: requests, recommendations, studies; read, imported, templates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import openpyxl
import pandas as pd
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from opmq_lib import tables
from opmq_lib.errors import ConfidentialityError, DataError, Defect, SchemaError, gather
from opmq_lib.params import RequestImport
from opmq_lib.sources import embedded, importing, table_files
from opmq_lib.sources.yaml_model import Reading, read_file
from opmq_lib.tables import Problem, Sheet
from opmq_lib.tables import register as contract
from opmq_lib.tables.register import Known

IMPORT_FILE: Final = "parameters/requests.yml"
_LISTED_ROWS: Final = 5000


def known(root: Path, last_day: date, origin: str = "own") -> Known:
    """Return what a register of requests is checked against."""
    topics = table_files.read_convention("request_topics", root)
    return Known(embedded.load("branches")["branch_code"].tolist(), topics, last_day, origin)


def read_requests(path: Path, checked_against: Known) -> pd.DataFrame:
    """Return a register of requests, checked.

    Args:
        path: CSV, XLSX or Parquet with the columns of table `requests`.
        checked_against: From `known`.

    Returns:
        Table `requests`; optional columns that are absent are empty.

    Raises:
        DataError: With every defect; no value is shown, of personal data only the column.
    """
    where = table_files.shown(path)
    if not path.is_file():
        missing = "no such register"
        fix = "correct the path in parameters/edition.yml, or write null"
        raise SchemaError([Defect(where, missing, "a register of requests", fix)])
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
    else:
        grid = table_files.read_grid(path, where, (contract.TABLE,))
        if grid.defects:
            raise SchemaError(grid.defects)
        frame = pd.DataFrame([[_cell(each) for each in row] for row in grid.rows],
                             columns=grid.names)  # fmt: skip
    frame = _complete(frame)
    return contract.check(frame, where, checked_against)


def import_requests(
    paths: Sequence[Path], key: bytes, root: Path, last_day: date
) -> tuple[pd.DataFrame, list[str]]:
    """Return the register that some exports hold, pseudonymised, and the columns left out.

    Args:
        paths: CSV, XLSX or Parquet files, as `parameters/requests.yml` describes them.
        key: Secret of the pseudonyms.
        root: The project.
        last_day: No request may be later.

    Raises:
        DataError: With every defect of every file.
    """
    mapping = read_import(root)
    frames, left_out = [], []
    errors: list[DataError] = []
    for path in paths:
        where = table_files.shown(path)
        grid = table_files.read_grid(path, where, (contract.TABLE,))
        frame, problems, unused = importing.register_rows(
            grid.names, grid.rows, dict(mapping.columns), dict(mapping.values), key
        )
        titles = {name: title or name for name, title in mapping.columns.items()}
        found = contract.request_problems(frame, known(root, last_day))
        if any(each.column == mapping.columns[importing.COMPANY] for each in problems):
            found = [each for each in found if each.column != "company_code"]
        named = [_in_words(each, titles, mapping.values) for each in found]
        if grid.defects:
            errors.append(SchemaError(grid.defects))
        if problems or named:
            sheet = contract.sheet(frame, where, grid.numbers)
            errors.append(tables.as_error([*problems, *named], sheet))
        frames.append(frame)
        if unused:
            left_out.append(f"{where}: {len(unused)} (column {', '.join(unused)})")
    if errors:
        raise gather(errors)
    register = pd.concat(frames, ignore_index=True)
    return contract.check(register, "the files together", known(root, last_day)), left_out


def _in_words(
    problem: Problem, titles: Mapping[str, str], values: Mapping[str, Mapping[str, str]]
) -> Problem:
    """Return a problem under the export's title, the words that it may hold instead of codes."""
    words = values.get(problem.column)
    listed = bool(words) and problem.expected.startswith("one of: ")
    expected = f"one of: {', '.join(words)}" if words and listed else problem.expected
    return replace(problem, column=titles.get(problem.column, problem.column), expected=expected)


def read_import(root: Path) -> RequestImport:
    """Return how exports of requests are read.

    Raises:
        DataError: With every defect of `parameters/requests.yml`.
    """
    return reading_of_import(root).checked()


def reading_of_import(root: Path) -> Reading[RequestImport]:
    """Return `parameters/requests.yml` as read, with its defects instead of an exception."""
    return read_file(root / IMPORT_FILE, IMPORT_FILE, RequestImport)


def read_key(path: Path, root: Path) -> bytes:
    """Return the secret of the pseudonyms.

    Raises:
        ConfidentialityError: If the file lies in the project, where it could be committed or
            published, or is too short to be a secret.
    """
    where, fix = "key file", "make one elsewhere, such as: openssl rand -hex 32 > …/opmq.key"
    if not path.is_file():
        raise ConfidentialityError([Defect(where, "no such file", "a secret of your own", fix)])
    if path.resolve().is_relative_to(root.resolve()):
        inside = "lies inside the project"
        raise ConfidentialityError([Defect(where, inside, "a file outside the project", fix)])
    key = path.read_bytes().strip()
    if len(key) < importing.LEAST_KEY_BYTES:
        least = f"at least {importing.LEAST_KEY_BYTES} characters"
        raise ConfidentialityError([Defect(where, "too short to be a secret", least, fix)])
    return key


def check_output(path: Path, root: Path) -> Path:
    """Return where a register is written, refused if it lies among what is published.

    Args:
        path: File, relative to the project or absolute.
        root: The project.

    Raises:
        ConfidentialityError: If the file lies in `outputs/`, also through a link.
    """
    target = root / path
    if target.resolve().is_relative_to((root / "outputs").resolve()):
        raise ConfidentialityError(
            [Defect(str(path), "a register among the results, which are published",
                    "a file outside outputs/", "write it elsewhere, such as data/")]
        )  # fmt: skip
    return target


def read_recommendations(path: Path | None, origin: str) -> pd.DataFrame:
    """Return the register of recommendations; no row where there is none.

    Raises:
        DataError: With every defect; rows of another origin are one.
    """
    if path is None or not path.is_file():
        return table_files.no_rows("recommendations")
    table = table_files.read_table(path, "recommendations", origin="own")
    strangers = table.index[table["origin"] != origin]
    if len(strangers):
        raise ConfidentialityError(
            [Defect(table_files.shown(path), "real and fictitious recommendations meet", origin,
                    "keep fictitious registers for the demonstration")]
        )  # fmt: skip
    return table


def read_studies(path: Path | None, root: Path, on: date) -> pd.DataFrame:
    """Return the register of studies, absent columns empty; no row where there is none.

    Args:
        path: CSV, XLSX or Parquet with the columns of table `studies`.
        root: The project.
        on: Day of the edition.

    Raises:
        DataError: With every defect: contract, unknown branch or theme, impossible dates.
    """
    no_rows = table_files.no_rows("studies")
    if path is None:
        return no_rows
    table = table_files.read_table(path, "studies", origin="public").reindex(
        columns=no_rows.columns, fill_value=""
    )
    themes = table_files.read_convention("study_themes", root)
    branches = embedded.load("branches")["branch_code"].tolist()
    rules = contract.study_rules(branches, themes["theme_code"].tolist(), on)
    if problems := tables.row_problems("studies", table, rules):
        sheet = Sheet(table, ("study_code",), table_files.shown(path))
        raise tables.as_error(problems, sheet)
    return table


def template(table: str, root: Path) -> openpyxl.Workbook:
    """Return a workbook to fill in, with drop-down lists.

    Args:
        table: `requests` (titles are those of `parameters/requests.yml`) or `studies`.
        root: The project.
    """
    if table == contract.TABLE:
        mapping = read_import(root)
        titles = {name: title for name, title in mapping.columns.items() if title}
        lists = _request_lists(mapping.values, table_files.read_convention("request_topics", root))
    else:
        titles = {name: name for name in tables.DESCRIPTIONS[table]}
        lists = {
            name: list(column.choices)
            for name, column in tables.DESCRIPTIONS[table].items()
            if column.choices
        }
    helps = {
        name: _help(tables.DESCRIPTIONS[table].get("company_code" if name == importing.COMPANY
                                                      else name))
        for name in titles
    }  # fmt: skip
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = table
    _headed(sheet, titles, helps)
    listed = book.create_sheet("listes")
    for place, (name, choices) in enumerate(lists.items(), start=1):
        _drop_down(sheet, listed, list(titles).index(name) + 1, place, titles[name], choices)
    return book


def _request_lists(
    values: Mapping[str, Mapping[str, str]], nomenclature: pd.DataFrame
) -> dict[str, list[str]]:
    lists = {name: list(words) for name, words in values.items()}
    is_topic = nomenclature["parent_topic_code"] == ""
    lists["topic_code"] = nomenclature.loc[is_topic, "topic_code"].tolist()
    lists["subtopic_code"] = nomenclature.loc[~is_topic, "topic_code"].tolist()
    lists["branch_code"] = sorted(embedded.load("branches")["branch_code"])
    return lists


def _headed(sheet: Worksheet, titles: Mapping[str, str], helps: Mapping[str, str]) -> None:
    for place, (name, title) in enumerate(titles.items(), start=1):
        cell = sheet.cell(1, place, title)
        cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
        if helps[name]:
            asked = DataValidation(allow_blank=True)
            asked.promptTitle, asked.prompt = title[:32], helps[name][:250]
            asked.showInputMessage = True
            asked.add(f"{get_column_letter(place)}1")
            sheet.add_data_validation(asked)
        sheet.column_dimensions[get_column_letter(place)].width = max(14, len(title) + 2)
    sheet.freeze_panes = "A2"


def _drop_down(  # noqa: PLR0913 (two sheets and a place in each)
    sheet: Worksheet, listed: Worksheet, column: int, place: int, title: str, choices: list[str]
) -> None:
    letter = get_column_letter(place)
    listed.cell(1, place, title).font = Font(bold=True)
    for row, choice in enumerate(choices, start=2):
        listed.cell(row, place, choice)
    rule = DataValidation(
        type="list", formula1=f"listes!${letter}$2:${letter}${len(choices) + 1}", allow_blank=True
    )
    rule.showErrorMessage, rule.errorTitle = True, "Valeur hors liste"
    rule.error = "Choisir une valeur de la liste (feuille « listes »)."
    target = get_column_letter(column)
    rule.add(f"{target}2:{target}{_LISTED_ROWS}")
    sheet.add_data_validation(rule)


def _help(column: tables.Column | None) -> str:
    return "" if column is None else f"{column.label}. {column.unit}".strip(" .") + "."


def _complete(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with texts as texts, numbers as numbers, and absent optional columns."""
    columns = tables.DESCRIPTIONS[contract.TABLE]
    done = frame.copy()
    for use in tables.USES[contract.TABLE]:
        is_number = not columns[use.name].is_text
        if use.name not in done:
            if use.may_be_absent:
                done[use.name] = float("nan") if is_number else ""
        elif is_number:
            texts = done[use.name].where(done[use.name] != "", None)
            numbers = pd.to_numeric(texts, errors="coerce").astype("float64")
            done[use.name] = numbers.where(numbers.notna() | texts.isna(), texts)
        else:
            done[use.name] = done[use.name].fillna("").astype("str")
    return done


def _cell(cell: Any) -> Any:
    if cell is None:
        return ""
    return cell.isoformat()[:10] if isinstance(cell, date) else str(cell)
