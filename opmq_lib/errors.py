"""Errors that say where, what was expected and what to do, and that report every defect at once."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain
from typing import Self

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST = 2000
_IN_FRENCH = (
    (r"did you mean (`[^`]*`)\?", "vouliez-vous dire \\1\u202f?"),
    (r"unknown column, and (`[^`]*`) is missing", "colonne inconnue, et \\1 manque"),
    (r"one of the columns? ", "une des colonnes "),
    (r"one of the (\d+) known codes", "l’un des \\1 codes connus"),
    (r"one of the names of ", "un des noms de "),
    (r"^a number ", "un nombre "),
    (r"one of:? ", "au choix\u00a0: "),
    (r"`([^`]*)` is not a (whole )?number", "`\\1` n’est pas un nombre"),
    (r"`([^`]*)` is not a known value", "`\\1` n’est pas une valeur connue"),
    (r"`([^`]*)` is not an? (.+)", "`\\1` ne convient pas (\\2)"),
    (r"the columns of table (`[^`]*`): ", "les colonnes de la table \\1\u00a0: "),
    (r"rename it to (`[^`]*`)", "renommez-la \\1"),
    (r"add a column (`[^`]*`)", "ajoutez une colonne \\1"),
    (r"type (`[^`]*`) in a terminal", "tapez \\1 dans un terminal"),
    (r"codes that the results have, such as ", "des codes que portent les résultats, comme "),
    (r"the same key as row", "la même clé que la ligne"),
    (r"^one row for each ", "une ligne par "),
    (r"and (\d+) more rows?", "et \\1 autres lignes"),
    (r", row (\d+)", ", ligne \\1"),
    (r"column (`[^`]*`)", "colonne \\1"),
    *(
        (f"^{english}$", french)
        for english, french in {
            "unknown": "inconnu",
            "unknown branch": "branche inconnue",
            "unknown column": "colonne inconnue",
            "unknown ([a-z]+)": "\\1 inconnu",
            "column missing": "colonne absente",
            "column given twice": "colonne donnée deux fois",
            "empty cell": "case vide",
            "negative number": "nombre négatif",
            "outside its range": "hors de ses bornes",
            "nothing to draw": "rien à dessiner",
            "no result": "aucun résultat",
            "no such table": "table inconnue",
            "not a number": "ce n’est pas un nombre",
            "a folder with `_quarto.yml` and `parameters/`, here or above": "un dossier avec "
            "`_quarto.yml` et `parameters/`, ici ou au-dessus",
            "change to the project's folder .+ or begin one with `opmq init FOLDER`": "allez dans "
            "le dossier du projet (`cd …`), ou créez-en un avec `opmq init DOSSIER`",
            "a branch that has some": "une branche qui en a",
            "not inside a project": "n’est pas dans un projet",
            "there is no such file": "fichier absent",
            "correct it": "corrigez",
            "correct the number": "corrigez le nombre",
            "correct the code": "corrigez le code",
            "choose one of these": "choisissez dans cette liste",
            "fill it in": "remplissez-la",
            "remove it": "retirez-la",
            "keep one of them": "gardez-en une",
            "delete one of the two rows": "supprimez une des deux lignes",
            "write digits only, such as 1234": "n’écrivez que des chiffres, comme 1234",
        }.items()
    ),
)
"""What a researcher meets most often, English to French; the rest stays as it is written."""


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
                f"  {_french(each.where)}\u00a0: {_french(each.what)}{value}",
                f"    à faire\u00a0: {_french(each.fix)}",
                f"    attendu\u00a0: {_french(each.expected)}",
            ]
        lines.append("(Toute la pile\u00a0: import traceback; traceback.print_last())")
        return [_CONTROL.sub(lambda found: ascii(found[0])[1:-1], _short(line)) for line in lines]

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


def _french(text: str) -> str:
    """Return a text of a defect in French, as far as its phrases are known.

    Examples:
        >>> _french("one of the 34 known codes"), _french("unknown branch")
        ('l’un des 34 codes connus', 'branche inconnue')
    """
    for english, french in _IN_FRENCH:
        text = re.sub(english, french, text)
    return text


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
