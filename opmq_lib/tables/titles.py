"""What people call columns: the French titles of templates, and those that own files bear."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final

from opmq_lib.tables.columns import COLUMNS
from opmq_lib.tables.schemas import DESCRIPTIONS

_LABELS: Final = {
    "branch_label": ("Nom de la branche", "Branche, en clair"),
    "metier_label": ("Libellé du métier", "Intitulé du métier", "Nom du métier", "Libellé"),
    "skill_label": ("Libellé de la compétence", "Intitulé de la compétence"),
}
FOR_READERS: Final = tuple(_LABELS)
"""Columns that help who fills a file in: not read where the table does not have them."""


def title(table: str, column: str) -> str:
    """Return the title of a column in a template.

    Examples:
        >>> title("employment", "largest_share_pct"), title("branch_ages", "period")
        ('Part de la plus grande entreprise (%)', 'Période')
    """
    described = DESCRIPTIONS[table][column]
    words = (*described.titles, described.label)[0]
    return f"{words} (%)" if described.unit == "%" else words


def column(table: str, title: str) -> str | None:
    """Return the column that a title stands for, `None` if it is that of none, or of two.

    Blanks, accents, capitals and what stands in brackets do not count, unless they tell two columns
    apart.

    Examples:
        >>> column("employment", "EFFECTIF (au 31/12)"), column("fap_crosswalk", "Métier")
        ('employment_headcount', 'metier_code')
        >>> column("employment", "couleur")
    """
    known = _known(table)
    return known.get(plain(title)) or known.get(plain(bare(title)))


def columns(table: str, titles: Sequence[str]) -> list[str]:
    """Return the columns that titles of a file stand for; those that stand for none as they are.

    A title that names a thing beside one that names its code is a label for readers; métiers may be
    told by their labels alone.

    Examples:
        >>> columns("employment", ["Code FAP", "Métier", "An", "couleur"])
        ['metier_code', 'metier_label', 'year', 'couleur']
    """
    found = [column(table, title) or title for title in titles]
    for name, label in (("metier_code", "metier_label"), ("skill_code", "skill_label")):
        places = [place for place, each in enumerate(found) if each == name]
        coded = [at for at in places if titles[at] == name or plain(titles[at]) in _coded(name)]
        if len(coded) == 1:
            for at in set(places) - set(coded):
                found[at] = label
    if "metier_code" not in found and "metier_label" not in DESCRIPTIONS[table]:
        found = ["metier_code" if name == "metier_label" else name for name in found]
    return found


def _coded(name: str) -> set[str]:
    return {plain(word) for word in COLUMNS[name].titles}


@cache
def _known(table: str) -> dict[str, str]:
    """Return the column of each title; what is said whole comes before what is left of it."""
    described = DESCRIPTIONS[table]
    said = {name: (name, each.label, *each.titles) for name, each in described.items()}
    known: dict[str, str] = {}
    for titles in (_LABELS, said):
        for short in (bare, str):
            meant = defaultdict(set)
            for name, each in ((name, each) for name, words in titles.items() for each in words):
                meant[plain(short(each))].add(name)
            known |= {each: names.pop() for each, names in meant.items() if len(names) == 1}
    return known


@lru_cache(maxsize=10_000)
def plain(title: str) -> str:
    """Return a title in small letters, without accents or marks.

    Examples:
        >>> plain(" Nombre d’Entreprises ")
        'nombre d entreprises'
    """
    parts = unicodedata.normalize("NFKD", title)
    letters = "".join(each for each in parts if not unicodedata.combining(each))
    return " ".join(re.findall(r"[^\W_]+", letters.casefold()))


def bare(title: str) -> str:
    """Return a title without what stands in brackets.

    Examples:
        >>> bare("Région (FM : France métropolitaine)")
        'Région'
    """
    return re.sub(r"\([^)]*\)", "", title).strip()
