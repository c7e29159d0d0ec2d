"""The kinds of columns: texts, codes, counts, headcounts, shares, days."""

from math import inf
from typing import Final, NamedTuple

ANY: Final = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
"""What a code may look like."""

DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
"""What a day looks like."""


class Column(NamedTuple):
    """What a column means.

    Attributes:
        kind: `text`, `code`, `whole` (number) or `number`.
        label: French name, shown to readers.
        unit: French unit, empty for texts.
        low: Least value.
        high: Largest value.
        choices: The only texts allowed, if not empty.
        pattern: What a code looks like.
        example: A code, for messages.
    """

    kind: str
    label: str
    unit: str = ""
    low: float = -inf
    high: float = inf
    choices: tuple[str, ...] = ()
    pattern: str = ""
    example: str = ""

    @property
    def is_text(self) -> bool:
        """Whether cells are texts: codes are."""
        return self.kind in {"text", "code"}


def text(label: str, *choices: str) -> Column:
    """Return a column of texts, free or among some."""
    return Column("text", label, choices=choices)


def code(label: str, pattern: str, example: str) -> Column:
    """Return a column of codes."""
    return Column("code", label, pattern=pattern, example=example)


def count(label: str, unit: str) -> Column:
    """Return a column of whole numbers from 0."""
    return Column("whole", label, unit, low=0)


def number(label: str, unit: str, low: float = -inf, high: float = inf) -> Column:
    """Return a column of numbers."""
    return Column("number", label, unit, low, high)


def heads(label: str, unit: str = "emplois") -> Column:
    """Return a column of headcounts; decimals are the producer's."""
    return number(label, unit, 0)


def pct(label: str, low: float = 0, high: float = 100) -> Column:
    """Return a column of percentages."""
    return number(label, "%", low, high)


def euros(label: str) -> Column:
    """Return a column of monthly pay."""
    return number(label, "euros par mois", 0)


def quintile(label: str) -> Column:
    """Return a column of the five classes of the Dares."""
    return Column("whole", label, "classe de 1 à 5", low=1, high=5)


def day(label: str) -> Column:
    """Return a column of days."""
    return code(label, DAY, "2025-03-31")


def year(label: str) -> Column:
    """Return a column of years."""
    return Column("whole", label, "année", low=1900, high=2100)
