"""The official figures as typed tables: those of the library, or newer ones of the project."""

from functools import cache
from pathlib import Path

import pandas as pd

from opmq_lib.errors import SchemaError, did_you_mean
from opmq_lib.sources import official

FOLDER = official.EMBEDDED

# The unit is in the name: the name of a column says its type. Whatever is not named below is
# text, codes above all.
WHOLE_NUMBERS = {
    "tension_class",
    "hiring_intensity",
    "training_job_link",
    "labour_shortage",
    "non_durable_jobs",
    "hard_working_conditions",
    "geographic_mismatch",
    "framework_level",
    "rank",
    "last_session_year",
}
NUMBERS = {"share", "tension_index", "employees_fte"}
NUMBER_ENDINGS = ("_headcount", "_pct", "_per_month")


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
    """Return the table of a file, its types read from the names of its columns."""
    header = file.read_text(encoding="utf-8").partition("\n")[0].split(",")
    types = {column: _type(column) for column in header}
    numeric = [column for column, type_ in types.items() if type_ != "str"]
    blanks = {column: [""] for column in numeric}
    return pd.read_csv(file, dtype=types, keep_default_na=False, na_values=blanks)


def _type(column: str) -> str:
    if column.endswith("_count") or column in WHOLE_NUMBERS:
        return "Int64"
    if column.endswith("year"):
        return "int64"
    if column.endswith(NUMBER_ENDINGS) or column in NUMBERS:
        return "float64"
    return "str"
