"""Errors that say where, what was expected and what to do, and that report every defect at once."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain
from typing import Self

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST = 2000


@dataclass(frozen=True)
class Defect:
    """One thing wrong in one place.

    Attributes:
        where: File and row, column or key, as its owner would look for it.
        what: What is wrong.
        expected: What was expected there.
        fix: What to do.
        value: The offending value; `None` where it is confidential or absent.
    """

    where: str
    what: str
    expected: str
    fix: str
    value: str | None = None

    def __str__(self) -> str:
        """Return the defect as the three lines a person reads; control characters are escaped."""
        value = "" if self.value is None else f" (found: {self.value})"
        lines = (
            f"{self.where}: {self.what}{value}",
            f"    expected: {self.expected}",
            f"    what to do: {self.fix}",
        )
        return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], "\n".join(map(_short, lines)))


class DataError(Exception):
    """Bad input, with every defect found.

    Examples:
        >>> raise DataError([Defect("jobs.csv, row 2", "negative", "≥ 0", "correct it", "-4")])
        Traceback (most recent call last):
            ...
        opmq_lib.errors.DataError: 1 defect
          jobs.csv, row 2: negative (found: -4)
            expected: ≥ 0
            what to do: correct it
    """

    def __init__(self, defects: Iterable[Defect]) -> None:
        self.defects = tuple(defects)
        count = len(self.defects)
        lines = [f"{count} defect{'s' if count > 1 else ''}"]
        lines += [
            "\n".join("  " + line.removeprefix("  ") for line in str(defect).splitlines())
            for defect in self.defects
        ]
        super().__init__("\n".join(lines))

    @classmethod
    def of(cls, where: str, what: str, expected: str, fix: str, value: str | None = None) -> Self:
        """Return the error of one defect."""
        return cls([Defect(where, what, expected, fix, value)])

    @classmethod
    def refuse(cls, defects: Iterable[Defect]) -> None:
        """Raise the error of all defects, if there are any."""
        if listed := tuple(defects):
            raise cls(listed)


class SchemaError(DataError):
    """A column, key, type or unit is not what the contract says."""


class RangeError(DataError):
    """A number lies outside its range."""


class ScopeError(DataError):
    """A branch, métier or convention is unknown, or is known twice on one date."""


class CoherenceError(DataError):
    """An accounting identity does not hold."""


class VintageError(DataError):
    """Figures of different vintages are mixed."""


class ConfidentialityError(DataError):
    """Something not known to be publishable was about to be published."""


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def gather(errors: Iterable[DataError]) -> DataError:
    """Return one error with the defects of all; of their class if they have the same.

    Examples:
        >>> low = RangeError([Defect("a.csv, row 2", "negative", "≥ 0", "correct it")])
        >>> odd = SchemaError([Defect("a.csv", "no column", "a column", "add it")])
        >>> type(gather([low, low])).__name__, type(gather([low, odd])).__name__
        ('RangeError', 'DataError')
    """
    listed = list(errors)
    classes = {type(error) for error in listed}
    of_class = classes.pop() if len(classes) == 1 else DataError
    return of_class(chain.from_iterable(error.defects for error in listed))


def refuse(errors: Sequence[DataError]) -> None:
    """Raise several errors as one, if there are any."""
    if errors:
        raise gather(errors)


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word nearest to a misspelt one, if any is near.

    Examples:
        >>> closest("horizon_yeras", ["base_year", "horizon_years"])
        'horizon_years'
    """
    return next(iter(get_close_matches(word, list(known), n=1)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the question that proposes the nearest known word, or an empty text.

    Examples:
        >>> did_you_mean("horizon_yeras", ["base_year", "horizon_years"])
        'did you mean `horizon_years`?'
        >>> did_you_mean("zzz", ["base_year"])
        ''
    """
    near = closest(word, known)
    return "" if near is None else f"did you mean `{near}`?"
