"""Which columns a table has, and what its rows must say together.

`tables.csv` is the list to read first: `*` marks a table's key, `?` a cell that may be empty, `[…]`
a column that may be absent. Tables that producers publish come first, then conventions of the
project, registers, what a branch supplies, what functions are given, results. A new table is one
line there, and one in `columns.csv` per new column.
"""

from collections.abc import Callable, Collection
from typing import Final, NamedTuple

import pandas as pd

from opmq_lib.errors import CoherenceError, DataError, RangeError, SchemaError
from opmq_lib.tables.columns import COLUMNS, Column, rows

TABLES: Final = {row["table"]: row["columns"] for row in rows("tables.csv")}
"""Columns of every table, in order; of an indicator, keys in brackets say what it is of."""


class Use(NamedTuple):
    """How one table uses one column."""

    name: str
    in_key: bool
    may_be_empty: bool
    may_be_absent: bool


def _uses(columns: str) -> list[Use]:
    words = [(word.strip("[]"), word.startswith("[")) for word in columns.split()]
    return [Use(word.rstrip("*?"), "*" in word, "?" in word, absent) for word, absent in words]


USES: Final = {table: _uses(columns) for table, columns in TABLES.items()}
KEYS: Final = {table: [use.name for use in uses if use.in_key] for table, uses in USES.items()}
"""Key columns of every table: no two rows share their values."""

DESCRIPTIONS: Final[dict[str, dict[str, Column]]] = {
    table: {use.name: COLUMNS.get(f"{table}.{use.name}") or COLUMNS[use.name] for use in uses}
    for table, uses in USES.items()
}
"""Meaning of every column of every table: its French `label` and `unit` among others."""

WORDINGS: Final = {
    table: {
        name: column.choices
        for name, column in DESCRIPTIONS[table].items()
        if any(column.choices.values())
    }
    for table in ("works", "notes")
}
"""French word of each code of the registers that people fill in: table → column → code → word."""

PROJECTION_COLUMNS: Final = tuple(use.name for use in USES["projection"] if not use.may_be_absent)
"""Columns of the long projection table, in order; that of grades comes with the level."""
INDICATOR_COLUMNS: Final = tuple(DESCRIPTIONS["indicators"])
"""Columns of the long indicator table, in order."""
OPTIONAL_COLUMNS: Final = tuple(use.name for use in USES["indicators"] if use.may_be_absent)
"""Columns that an indicator table has only where some row fills them in."""
DIMENSIONS: Final = tuple(name for name in OPTIONAL_COLUMNS if name in KEYS["indicators"])
"""Those of them that tell indicators apart."""


class Rule(NamedTuple):
    """What the cells of one row must say together.

    Attributes:
        columns: The columns it reads, first the one to blame; it waits where one is absent.
        holds: Frame to one boolean per row. Texts are `""` and numbers `NaN` where a cell is empty
            or of another type.
        what: What is wrong where it does not hold.
        expected: What was expected.
        fix: What to do.
        error: Class of the error.
        choices: What the cell may have meant.
        first_of: Columns whose values the row shares with an earlier one, named after `what`.
    """

    columns: tuple[str, ...]
    holds: Callable[[pd.DataFrame], pd.Series]
    what: str
    expected: str
    fix: str
    error: type[DataError] = SchemaError
    choices: Collection[str] = ()
    first_of: tuple[str, ...] = ()


def _counted(column: str) -> Rule:
    return Rule(
        columns=(column, "origin", "units_count"),
        holds=lambda frame: (
            frame[column].notna() | (frame["origin"] != "own") | frame["units_count"].eq(0)
        ),
        what=f"an own cell without `{column}`",
        expected=f"`{column}` in every row whose origin is own",
        fix="fill it in: without it nobody can tell whether the cell may be shown",
    )


def _sums_to_one(origin: str) -> Rule:
    return Rule(
        columns=("share", origin),
        holds=lambda frame: (
            (frame["share"].groupby(frame[origin]).transform("sum") - 1).abs() < 1e-5
        ),
        what=f"the shares of this {origin} do not sum to 1",
        expected="shares that sum to 1",
        fix="correct the shares of this code",
        error=CoherenceError,
    )


def _follows(frame: pd.DataFrame) -> pd.Series:
    ages = frame["first_age"].dropna().drop_duplicates().sort_values()
    return ~frame["first_age"].isin(ages[ages.diff().ne(5)].iloc[2:])


_ORDER = Rule(
    columns=("lower", "upper"),
    holds=lambda frame: ~(frame["lower"] > frame["upper"]),
    what="`lower` is above `upper`",
    expected="lower ≤ upper",
    fix="correct the interval",
    error=RangeError,
)
_VALUE = Rule(
    columns=("value", "status"),
    holds=lambda frame: frame["value"].notna() == (frame["status"] == "value"),
    what="`value` and `status` disagree",
    expected="a value where status is `value`, and only there",
    fix="correct the status or the value",
)
_BANDS = Rule(
    columns=("age_band", "first_age"),
    holds=_follows,
    what="not five years after the band before",
    expected="bands of five years, but the first and the last",
    fix="split the bands",
)
_COUNTED = (_counted("units_count"), _counted("largest_share_pct"))
_SPREAD = Rule(
    columns=("standard_deviation",),
    holds=lambda frame: ~(frame["standard_deviation"] <= 0),
    what="the standard deviation is not above 0",
    expected="> 0",
    fix="copy it from the release",
    error=RangeError,
)
_SEEN = Rule(
    columns=("coverage_pct",),
    holds=lambda frame: frame["coverage_pct"] != 0,
    what="nobody was seen",
    expected="a coverage above 0 and up to 100",
    fix="correct the cell; drop the row if nobody was seen",
    error=RangeError,
)
_MENTIONS = Rule(
    columns=("mentions_count", "documents_count"),
    holds=lambda frame: ~(frame["mentions_count"] > frame["documents_count"]),
    what="more mentions than documents",
    expected="at most the documents of the period",
    fix="correct mentions or documents",
    error=RangeError,
)
_SQUARES = Rule(
    columns=("mentions_count", "mentions_squares_count"),
    holds=lambda frame: ~(frame["mentions_squares_count"] < frame["mentions_count"]),
    what="squares below the mentions",
    expected="at least the mentions",
    fix="add up, over employers, the squared number of their offers that mention the skill",
    error=RangeError,
)
_DOCUMENTS = Rule(
    columns=("documents_count", "period_rank"),
    holds=lambda frame: frame.groupby("period_rank")["documents_count"].transform("nunique") == 1,
    what="several totals for one period",
    expected="the same documents_count in every row of the period",
    fix="correct the total",
    error=CoherenceError,
)
_BEGUN = Rule(
    columns=("starts_on", "ends_on"),
    holds=lambda frame: (frame["ends_on"] == "") | ~(frame["starts_on"] > frame["ends_on"]),
    what="starts after it ends",
    expected="start before end",
    fix="correct the dates",
    error=RangeError,
)
_DECIDED = Rule(
    columns=("status", "decided_on", "minutes_reference"),
    holds=lambda frame: (
        frame["status"].isin(["candidate", ""])
        | (frame["decided_on"].ne("") & frame["minutes_reference"].ne(""))
    ),
    what="a decision without its day or its minutes",
    expected="`decided_on` and `minutes_reference`, or the status candidate",
    fix="fill them in, from the minutes of the meeting",
)
RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "decisions": (_DECIDED,),
    "age_pyramids": (_BANDS,),
    "naf_branch": (_sums_to_one("naf_code"),),
    "rome_fap_split": (_sums_to_one("rome_code"),),
    "projection": (_VALUE,),
    "indicators": (_VALUE, _ORDER),
    "needs": (_VALUE,),
    "facts": (_VALUE, _ORDER),
    "tension_reference": (_SPREAD,),
    "fap_crosswalk": (_sums_to_one("metier_code"),),
    "criterion_values": (_ORDER, *_COUNTED),
    "skill_supply": (_SEEN,),
    "skill_mentions": (_MENTIONS, _DOCUMENTS, _SQUARES),
    "bloc_dates": (_BEGUN,),
    "request_review": (_VALUE,),
    "work_review": (_VALUE,),
    "employment": _COUNTED,
    "branch_totals": _COUNTED,
    "branch_ages": _COUNTED,
    "branch_entries": _COUNTED,
}
"""Rules across the columns of a row, by table."""
