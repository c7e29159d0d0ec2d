"""What a column means, once: same name, same quantity, same unit, in every table.

`columns.csv` has one row a column, or a table's own column where it means something else there
(`series.year`). A column that a choice of codes fills has them in `choices`, separated by `|`, each
with its French word where readers see one (`signed=signée`).
"""

import csv
from collections.abc import Iterator, Mapping
from importlib import resources
from itertools import groupby
from math import inf, isfinite
from typing import Final, NamedTuple

ANY: Final = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
"""What a code may look like."""

DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
"""What a day looks like."""

TITLES_SEPARATOR: Final = " ; "
"""Between titles in a cell of `main_romes`, and of `certifications`."""


class Column(NamedTuple):
    """What a column means.

    Attributes:
        kind: `text`, `code`, `whole` (number) or `number`.
        label: French name, shown to readers.
        unit: French unit, empty for texts.
        low: Least value.
        high: Largest value.
        pattern: What a code looks like.
        example: A code, for messages.
        choices: The only texts allowed, if not empty, and the French word of each.
        titles: What files may call it beside its label; the first is its title in templates.
    """

    kind: str
    label: str
    unit: str
    low: float
    high: float
    pattern: str
    example: str
    choices: Mapping[str, str]
    titles: tuple[str, ...]

    @property
    def is_text(self) -> bool:
        """Whether cells are texts: codes are."""
        return self.kind in {"text", "code"}


def rows(file: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a table of this folder."""
    text = resources.files(__package__).joinpath(file).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


def _column(row: Mapping[str, str]) -> Column:
    choices = [choice.partition("=") for choice in row["choices"].split("|") if row["choices"]]
    return Column(
        kind=row["kind"],
        label=row["label"],
        unit=row["unit"],
        low=float(row["low"] or -inf),
        high=float(row["high"] or inf),
        pattern=row["pattern"],
        example=row["example"],
        choices={code: word for code, _, word in choices},
        titles=tuple(filter(None, row["titles"].split("|"))),
    )


COLUMNS: Final = {row["name"]: _column(row) for row in rows("columns.csv")}
"""Meaning of every column."""

CODES: Final = {
    column: {row["code"]: row["label"] for row in group}
    for column, group in groupby(rows("codes.csv"), key=lambda row: row["column"])
}
"""What codes of the library mean, by column: indicators, units, states."""

COUNTED_BANDS: Final = tuple(COLUMNS["company_rates.age_band"].choices)
"""Age bands of a company's employees: those under 45 are not at the end of a career."""

FACTORS: Final = {
    name: COLUMNS[name].label
    for name in (
        *("hiring_intensity", "training_job_link", "labour_shortage"),
        *("non_durable_jobs", "hard_working_conditions", "geographic_mismatch"),
    )
}
"""What makes a métier tense, in the tables of the Dares: columns and their labels."""


def expectation(column: Column) -> str:
    """Return in words what a cell of a column must hold.

    Examples:
        >>> expectation(COLUMNS["year"]), expectation(COLUMNS["employment_headcount"])
        ('a whole number from 1900 to 2100', 'a number ≥ 0')
        >>> expectation(COLUMNS["idcc_code"]), expectation(COLUMNS["origin"])
        ('a code such as 00044', 'one of: public, own')
        >>> expectation(COLUMNS["bloc_readings.decision"]), expectation(COLUMNS["due_on"])
        ('one of: yes, no, or nothing', 'a day such as 2025-03-31')
    """
    if column.choices:
        return f"one of: {', '.join(choice or 'or nothing' for choice in column.choices)}"
    if column.kind == "code":
        return f"a {'day' if column.pattern == DAY else 'code'} such as {column.example}"
    if column.kind == "text":
        return "a text"
    noun = "a whole number" if column.kind == "whole" else "a number"
    if isfinite(column.high):
        return f"{noun} from {column.low:g} to {column.high:g}"
    return f"{noun} ≥ {column.low:g}" if isfinite(column.low) else noun
