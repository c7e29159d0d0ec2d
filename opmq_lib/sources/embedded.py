"""The official figures as typed tables: those of the library, or newer ones of the project."""

import csv
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from opmq_lib.errors import SchemaError, did_you_mean
from opmq_lib.sources import official
from opmq_lib.tables import DESCRIPTIONS, USES

FOLDER = official.EMBEDDED


class Source(NamedTuple):
    """What a page says of where its figures come from: part of a row of table `sources`."""

    producer: str
    title: str
    period: str


def tables() -> list[str]:
    """Return the names of the official tables, in alphabetical order.

    Examples:
        >>> "branches" in tables()
        True
    """
    return sorted({file.stem for file in FOLDER.glob("*.csv")} | official.index().keys())


def path(table: str, root: Path | None = None) -> Path:
    """Return the file of an official table: the one that the project has loaded, if it has.

    Raises:
        SchemaError: If there is no such table; says which name was probably meant.

    Examples:
        >>> path("branches").name
        'branches.csv'
        >>> path("branch")
        Traceback (most recent call last):
            ...
        opmq_lib.errors.SchemaError: 1 defect
          embedded tables: no such table (found: branch)
            expected: one of the names of `embedded.tables()`
            what to do: did you mean `branches`?
    """
    file = official.file(table, root)
    if not file.is_file():
        fix = did_you_mean(table, tables()) or "choose one of `embedded.tables()`"
        expected = "one of the names of `embedded.tables()`"
        raise SchemaError.of("embedded tables", "no such table", expected, fix, table)
    return file


def load(table: str, root: Path | None = None) -> pd.DataFrame:
    """Return an official table.

    Codes and labels are text (`""` where not published), counts nullable whole numbers,
    headcounts, shares and percentages numbers with `NaN` where not published.

    Args:
        table: One of `tables()`; `sources.csv` says who produced it and when.
        root: The project; by default the one that holds the working folder, if any does.

    Returns:
        One row per key of the table, in the order of the file; a copy that the caller owns.

    Raises:
        SchemaError: If there is no such table.

    Source:
        Producers and licences: `opmq_lib/data/README.md`.

    Examples:
        >>> conventions = load("idcc_history").set_index("idcc_code")
        >>> conventions.loc["00044", "short_label"]
        'Industries chimiques'
    """
    return read(path(table, root)).copy()


@cache
def read(file: Path) -> pd.DataFrame:
    """Return the table of a file, its columns of the types that its contract says."""
    table = file.stem.partition("-")[0]
    header = file.read_text(encoding="utf-8").partition("\n")[0].split(",")
    types = {column: dtype(table, column) for column in header}
    blanks = {column: [""] for column, kind in types.items() if kind != "str"}
    return pd.read_csv(file, dtype=types, keep_default_na=False, na_values=blanks)


def source(source_code: str, root: Path | None = None) -> Source:
    """Return who has published a source, what, and about which years.

    Audit hooks hear of this source alone (`opmq.field`), so that a notebook which names its sources
    depends on these and not on the rest of the table: the note of another, say.

    Examples:
        >>> source("dares_emploi").period
        '1983–2018'
    """
    file = str(path("sources", root))
    sys.audit("opmq.fields", file)
    told = every_source(file)[source_code]
    sys.audit("opmq.field", file, source_code)
    return told


def every_source(file: str) -> dict[str, Source]:
    """Return the sources of a file of table `sources`, by their codes."""
    with open(file, encoding="utf-8", newline="") as text:  # noqa: PTH123 - heard by its name
        rows = list(csv.DictReader(text))
    return {row["source_code"]: Source(*(row[name] for name in Source._fields)) for row in rows}


def dtype(table: str, column: str) -> str:
    """Return the type of a column: a year that is always there is a plain whole number.

    Examples:
        >>> dtype("tension", "year"), dtype("certifications", "last_session_year")
        ('int64', 'Int64')
    """
    described = DESCRIPTIONS[table][column]
    if described.kind == "whole":
        is_there = any(use.name == column and not use.may_be_empty for use in USES[table])
        return "int64" if column.endswith("year") and is_there else "Int64"
    return "float64" if described.kind == "number" else "str"
