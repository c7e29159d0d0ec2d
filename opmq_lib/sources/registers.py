"""The observatory's registers, of requests, recommendations, decisions, works and notes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from opmq_lib import tables
from opmq_lib.errors import ConfidentialityError, DataError, SchemaError, refuse
from opmq_lib.methods.works import STUDY
from opmq_lib.params import RequestImport
from opmq_lib.show import downloads
from opmq_lib.sources import embedded, forms, grids, importing, table_files
from opmq_lib.sources.parameters import metiers
from opmq_lib.sources.yaml_model import Reading, read_file
from opmq_lib.tables import Problem
from opmq_lib.tables import register as contract
from opmq_lib.tables.register import TABLE, Known
from opmq_lib.tables.schemas import WORDINGS

IMPORT_FILE: Final = "parameters/requests.yml"


def known(root: Path, last_day: date, origin: str = "own") -> Known:
    """Return what a register of requests is checked against."""
    topics = table_files.read_convention("request_topics", root)
    branches = embedded.load("branches")["branch_code"].tolist()
    declared = [name for name, title in read_import(root).checked().columns.items() if title]
    return Known(branches, topics, last_day, origin, declared)


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
    if not path.is_file():
        fix = "correct the path in parameters/edition.yml, or write null"
        where = table_files.shown(path)
        raise SchemaError.of(where, "no such register", "a register of requests", fix)
    source = table_files.read_source(path, TABLE, own=True)
    problems = contract.request_problems(source.cells, checked_against)
    refuse(table_files.errors_of(source.grid, problems, source.sheet))
    return _whole(source.cells)


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
    mapping, checked_against = read_import(root).checked(), known(root, last_day)
    frames, left_out = [], []
    errors: list[DataError] = []
    for path in paths:
        where = table_files.shown(path)
        grid = grids.read_grid(path, where, (TABLE,))
        frame, problems, unused = importing.register_rows(grid, mapping, key)
        refused = contract.request_problems(frame, checked_against)
        if any(each.column == mapping.columns[importing.COMPANY] for each in problems):
            refused = [each for each in refused if each.column != "company_code"]
        problems += [_in_words(each, mapping) for each in refused]
        sheet = contract.sheet(frame, where, grid.rows)
        errors += table_files.errors_of(grid, problems, sheet)
        frames.append(frame)
        if unused:
            left_out.append(f"{where}: {len(unused)} (column {', '.join(unused)})")
    refuse(errors)
    register = _whole(pd.concat(frames, ignore_index=True))
    return contract.check(register, "the files together", checked_against), left_out


def _whole(cells: pd.DataFrame) -> pd.DataFrame:
    """Return a register that was checked with all its columns; counts may be missing."""
    columns = tables.DESCRIPTIONS[TABLE]
    register = table_files.finished(table_files.unique(cells).reindex(columns=list(columns)), TABLE)
    counts = [name for name, column in columns.items() if not column.is_text]
    return register.astype(dict.fromkeys(counts, "float64"))


def _in_words(problem: Problem, mapping: RequestImport) -> Problem:
    """Return a problem under the export's title, the words that it may hold instead of codes."""
    words = dict(mapping.values).get(problem.column)
    listed = bool(words) and problem.expected.startswith("one of: ")
    expected = f"one of: {', '.join(words)}" if words and listed else problem.expected
    title = mapping.columns.get(problem.column) or problem.column
    return replace(problem, column=title, expected=expected)


def read_import(root: Path) -> Reading[RequestImport]:
    """Return how exports of requests are read: `parameters/requests.yml`, with its defects."""
    return read_file(root / IMPORT_FILE, IMPORT_FILE, RequestImport)


def read_key(path: Path, root: Path) -> bytes:
    """Return the secret of the pseudonyms.

    Raises:
        ConfidentialityError: If the file lies in the project, where it could be committed or
            published, or is too short to be a secret.
    """
    where, fix = "key file", "make one elsewhere, such as: openssl rand -hex 32 > …/opmq.key"
    if not path.is_file():
        raise ConfidentialityError.of(where, "no such file", "a secret of your own", fix)
    if path.resolve().is_relative_to(root.resolve()):
        expected = "a file outside the project"
        raise ConfidentialityError.of(where, "lies inside the project", expected, fix)
    key = path.read_bytes().strip()
    if len(key) < importing.LEAST_KEY_BYTES:
        least = f"at least {importing.LEAST_KEY_BYTES} characters"
        raise ConfidentialityError.of(where, "too short to be a secret", least, fix)
    return key


def check_output(path: Path, root: Path) -> Path:
    """Return where a register is written, unless it lies among what is published.

    Args:
        path: File, relative to the project or absolute.
        root: The project.

    Raises:
        SchemaError: If its name does not end as a table's.
        ConfidentialityError: If the file lies in `outputs/`, also through a link.
    """
    downloads.check_ending(path)
    target = root / path
    if target.resolve().is_relative_to((root / "outputs").resolve()):
        what = "a register among the results, which are published"
        fix = "write it elsewhere, such as data/"
        raise ConfidentialityError.of(str(path), what, "a file outside outputs/", fix)
    return target


def read_recommendations(path: Path | None, origin: str) -> pd.DataFrame:
    """Return the register of recommendations; no row where there is none.

    Raises:
        DataError: With every defect; rows of another origin are one.
    """
    if path is None or not path.is_file():
        return table_files.no_rows("recommendations")
    rules = [contract.origin_rule(origin, "recommendations"), *contract.told_rules()]
    return table_files.read_table(path, "recommendations", rules=rules)


def read_decisions(path: Path | None) -> pd.DataFrame:
    """Return the register of decisions on the shortlists; no row where there is none.

    Raises:
        DataError: With every defect: contract, unknown branch or métier, a decision without its
            day or its minutes.
    """
    if path is None or not path.is_file():
        return table_files.no_rows("decisions")
    return table_files.read_table(path, "decisions", "public", contract.told_rules())


def write(register: pd.DataFrame, table: str, path: Path) -> None:
    """Write a register to be filled in: XLSX with drop-down lists, and a page that explains it.

    Args:
        register: Rows of the table.
        table: Its name.
        path: File, replaced whole; CSV or Parquet have the rows only.
    """
    if path.suffix.lower() != ".xlsx":
        downloads.write_table(register, path)
        return
    fields = forms.fields(table)
    book = forms.form({table: fields})
    empty = {pd.NA: None, np.nan: None, "": None}
    for cells in register.astype("object").replace(empty).to_numpy().tolist():
        book[table].append(cells)
    lines = [(each.title, each.note, ", ".join(each.choices)) for each in fields]
    forms.add_page(book, "mode d’emploi", [("Colonne", "Ce qui s’y écrit", "Choix"), *lines])
    downloads.write_workbook(book, path)


def read_works(
    path: Path | None,
    root: Path,
    on: date,
    decisions: pd.DataFrame | None = None,
    origin: str = "own",
) -> pd.DataFrame:
    """Return the register of works, absent columns empty; no row where there is none.

    Args:
        path: CSV, XLSX or Parquet with the columns of table `works`, or a filled template.
        root: The project.
        on: Day of the edition.
        decisions: Table `decisions`, of which works name some; not checked without a row.
        origin: What every row says: `own`, or `fictitious` in a demonstration.

    Raises:
        DataError: With every defect: contract, unknown branch or theme, impossible dates.
    """
    no_rows = table_files.no_rows("works")
    if path is None:
        return no_rows
    codes: dict[str, Sequence[str]] = {
        "branch_codes": [*embedded.load("branches")["branch_code"], contract.EVERY_BRANCH],
        "theme_codes": table_files.read_convention("study_themes", root)["theme_code"].tolist(),
        "metier_codes": [*metiers()],
    }
    known = [] if decisions is None else decisions["decision_code"].tolist()
    rules = contract.work_rules(codes, known, on, origin)
    table = table_files.read_table(path, "works", "public", rules, WORDINGS["works"])
    whole = table.reindex(columns=no_rows.columns, fill_value="")
    return whole if "origin" in table else whole.assign(origin=origin)


def read_notes(path: Path | None, works: pd.DataFrame, on: date, origin: str) -> pd.DataFrame:
    """Return the register of notes, absent columns empty; no row where there is none.

    Args:
        path: CSV, XLSX or Parquet with the columns of table `notes`, or a filled template.
        works: Table `works`.
        on: Day of the edition.
        origin: What every row says: `own`, or `fictitious` in a demonstration.

    Raises:
        DataError: With every defect; no value is shown.
    """
    no_rows = table_files.no_rows("notes")
    if path is None:
        return no_rows
    branches = embedded.load("branches")["branch_code"]
    studies = works.loc[works["kind"] == STUDY, "work_code"]
    rules = [
        *contract.note_rules(branches, metiers(), studies.tolist(), on),
        contract.origin_rule(origin, "notes"),
    ]
    table = table_files.read_table(path, "notes", rules=rules, words=WORDINGS["notes"])
    whole = table.reindex(columns=no_rows.columns, fill_value="")
    return whole if "origin" in table else whole.assign(origin=origin)


def template(table: str, root: Path) -> Any:
    """Return a workbook to fill in, with drop-down lists.

    Args:
        table: `requests` (titles are those of `parameters/requests.yml`), `works` or `notes`.
        root: The project.
    """
    if table in WORDINGS:
        return _in_french(table, root)
    if table != TABLE:
        return forms.form({table: forms.fields(table)})
    mapping = read_import(root).checked()
    topics = table_files.read_convention("request_topics", root)
    is_topic = topics["parent_topic_code"] == ""
    lists = {name: list(words) for name, words in dict(mapping.values).items()} | {
        "topic_code": topics.loc[is_topic, "topic_code"].tolist(),
        "subtopic_code": topics.loc[~is_topic, "topic_code"].tolist(),
        "branch_code": sorted(embedded.load("branches")["branch_code"]),
    }
    columns = tables.DESCRIPTIONS[TABLE]
    columns = {**columns, importing.COMPANY: columns["company_code"]}
    fields = [
        forms.Field(title, forms.note(columns[name]), lists.get(name, ()))
        for name, title in mapping.columns.items()
        if title
    ]
    return forms.form({TABLE: fields})


def _in_french(table: str, root: Path) -> Any:
    """Return a workbook whose titles and choices are French, and the codes of its lists."""
    words = WORDINGS[table]
    fields = [
        forms.Field(column.label, "", tuple(words[name].values()) if name in words else ())
        for name, column in tables.DESCRIPTIONS[table].items()
        if name != "origin"
    ]
    book = forms.form({table: fields})
    named = {
        "Branches": embedded.load("branches"),
        "Thèmes d’étude": table_files.read_convention("study_themes", root),
    }
    codes = {name: dict(rows.iloc[:, :2].to_numpy().tolist()) for name, rows in named.items()}
    codes["Métiers"] = metiers()
    lines = [line for name, words in codes.items() for line in ((name, ""), *words.items())]
    forms.add_page(book, "codes", lines, *codes)
    return book
