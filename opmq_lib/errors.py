"""Errors that say where, what was expected and what to do, and that report every defect at once."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from itertools import chain
from textwrap import wrap
from typing import Self

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST = 2000
_FEW = 3
_WIDTH = 96
"""Letters in a line of an error in JupyterLab, which cuts longer ones anywhere."""


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

    def _render_traceback_(self) -> list[str]:
        """Return what Jupyter shows: the defects alone, in French, and how to see the rest."""
        count = len(self.defects)
        lines = [f"{count} erreur{'s' if count > 1 else ''}\u00a0:"]
        for each in self.defects:
            value = "" if each.value is None else f" (trouvé\u00a0: {each.value})"
            lines += [
                f"  {french(each.where)}\u00a0: {french(each.what)}{value}",
                f"    à faire\u00a0: {french(each.fix)}",
                f"    attendu\u00a0: {french(each.expected)}",
            ]
        lines.append("(Toute la pile\u00a0: import traceback; traceback.print_last())")
        legible = [_CONTROL.sub(lambda found: ascii(found[0])[1:-1], _short(x)) for x in lines]
        return [part for line in legible for part in _wrapped(line)]

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


def french(text: str) -> str:
    """Return a text of a defect in French; one that `errors_fr.tsv` does not have, as it is.

    Examples:
        >>> french("one of the 34 known codes"), french("unknown branch")
        ('l’un des 34 codes connus', 'branche inconnue')
        >>> french("emplois.csv, row 3, column `year` (chimie)")
        'emplois.csv, ligne 3, colonne `year` (chimie)'
    """
    for pattern, words in _phrases():
        if found := pattern.fullmatch(text):
            return words.format(*map(french, found.groups()))
    return text


@cache
def _phrases() -> list[tuple[re.Pattern[str], str]]:
    """Return the English of defects, as patterns, and their French; `{}` is any text.

    The longest come first: they say most.
    """
    lines = files("opmq_lib").joinpath("errors_fr.tsv").read_text(encoding="utf-8").splitlines()
    pairs = sorted((line.split("\t") for line in lines), key=lambda pair: -len(pair[0]))
    return [
        (
            re.compile(re.escape(english).replace(r"\{\}", "(.*?)"), re.DOTALL),
            re.sub(" (?=[:;?!»])|(?<=«) ", "\u00a0", words),
        )
        for english, words in pairs
    ]


def _wrapped(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip(" ")) + 2)
    return wrap(line, _WIDTH, subsequent_indent=indent, drop_whitespace=True) or [""]


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


def few(reasons: Sequence[str]) -> str:
    """Return the first reasons in one line, and how many there are beside them.

    Examples:
        >>> few(["never run"]), few(["a", "b", "c", "d", "e"])
        ('never run', 'a; b; c and 2 more')
    """
    others = len(reasons) - _FEW
    return "; ".join(reasons[:_FEW]) + (f" and {others} more" if others > 0 else "")


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word nearest to a misspelt one, if any is near.

    Examples:
        >>> closest("horizon_yeras", ["base_year", "horizon_years"])
        'horizon_years'
    """
    return next(iter(get_close_matches(str(word), list(known), n=1)), None)


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
