"""The workbooks in which a branch fills in its own tables; they are read back as they are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from opmq_lib import tables
from opmq_lib.show import french
from opmq_lib.sources import forms, parameters, table_files
from opmq_lib.tables import scope, titles

_LABEL_TITLE: Final = "Libellé du métier"
_METIERS: Final = "métiers"
_READ_ME: Final = "lisez_moi"
_NEXT: Final = "Ensuite"
_REST: Final = "Autres métiers de la branche"
_MARKS: Final = (
    ("Ce qui n’est pas un chiffre", ""),
    ("0", "Personne : un vrai zéro, à écrire."),
    ("rien", "Chiffre inconnu (nd) ou sans objet (np) : laisser la ligne sans chiffre."),
    (
        "s (secret)",
        "Ne pas l’écrire : donner le vrai chiffre. Ce qui est trop petit ou trop concentré est "
        "caché au moment de publier, avec les autres métiers.",
    ),
    ("Nombres", "1234,5 ou 1 234,5 ; sans unité, sans point entre les milliers."),
)
_HELP: Final = {
    "metier_code": f"Code FAP-2009 de cinq caractères (feuille « {_METIERS} ») ; {scope.REST} pour "
    "le reste de la branche",
    "employment_headcount": "Personnes en emploi dans ce métier et cette branche",
    "units_count": "Entreprises dont la ligne est la somme. Obligatoire : sans ce nombre, personne "
    "ne sait si le chiffre peut être montré, et rien n’est publié",
    "largest_share_pct": "Part de la ligne qui est dans la plus grande de ces entreprises. "
    "Obligatoire, pour la même raison",
    "origin": "public si le chiffre est déjà publié, own sinon",
}
"""What stands in a column, where its label alone does not say it to who fills it in."""
_ADDED: Final = "Colonnes que l’on peut ajouter"


def columns(table: str) -> list[str]:
    """Return the columns of a table that its template has: what nothing implies.

    Examples:
        >>> columns("employment")
        ['metier_code', 'year', 'employment_headcount', 'units_count', 'largest_share_pct']
    """
    own = table_files.SUPPLIED[table] == "own"
    implied = {"branch_code", *(table_files.IMPLIED if own else ())}
    return [
        use.name for use in tables.USES[table] if use.name not in implied and not use.may_be_absent
    ]


def template(names: Sequence[str], metiers: Mapping[str, str], year: int) -> Workbook:
    """Return a workbook to fill in: a sheet a table, the métiers, and what to write where.

    Args:
        names: Tables of `table_files.SUPPLIED`.
        metiers: Métiers of the branch, code → label: a row each; none: rows are empty.
        year: For the examples.

    Examples:
        >>> book = template(["employment"], {"E1Z43": "Ouvriers"}, 2025)
        >>> book.sheetnames
        ['Emploi par métier', 'métiers', 'lisez_moi']
        >>> [cell.value for cell in book["Emploi par métier"][2]][:2]
        ['E1Z43', 'Ouvriers']
    """
    book = forms.form({scope.OWN_TABLES[name]: _fields(name) for name in names})
    for name in names:
        _prefill(book[scope.OWN_TABLES[name]], name, metiers)
    if any("metier_code" in columns(name) for name in names):
        listed = {**parameters.metiers(), scope.REST: _REST}
        header = (titles.title("employment", "metier_code"), _LABEL_TITLE)
        forms.add_page(book, _METIERS, [header, *_labelled(listed)])
    page = [*(line for name in names for line in _explained(name, year)), *_MARKS]
    page = [[french.typography(cell) for cell in line] for line in page]
    headings = [*map(_sheet_title, names), _ADDED, _MARKS[0][0], _NEXT]
    forms.add_page(book, _READ_ME, [*page, *_then(names)], *map(french.typography, headings))
    return book


def _fields(table: str) -> list[forms.Field]:
    described = tables.DESCRIPTIONS[table]
    fields = [forms.field(titles.title(table, name), described[name]) for name in columns(table)]
    if "metier_code" in columns(table):
        place = columns(table).index("metier_code") + 1
        fields.insert(place, forms.Field(_LABEL_TITLE, "Pour s’y retrouver : n’est pas lu."))
    return fields


def _prefill(sheet: Worksheet, table: str, metiers: Mapping[str, str]) -> None:
    """Write the métiers of the branch, and keep codes from being taken for numbers."""
    described = tables.DESCRIPTIONS[table]
    texts = {titles.title(table, name) for name, column in described.items() if column.is_text}
    for cell in sheet[1]:
        if cell.value in texts:
            sheet.column_dimensions[cell.column_letter].number_format = "@"
        if cell.value == _LABEL_TITLE:
            sheet.column_dimensions[cell.column_letter].width = 60
            lines = {**metiers, scope.REST: _REST} if metiers else {}
            for row, (code, label) in enumerate(_labelled(lines), start=2):
                sheet.cell(row, cell.column - 1, code).number_format = "@"
                sheet.cell(row, cell.column, label)


def _labelled(metiers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(code, french.label(label)) for code, label in metiers.items()]


def _explained(table: str, year: int) -> Iterator[Sequence[str]]:
    """Yield the lines that explain a table: its columns, an example, what it need not say."""
    described = tables.DESCRIPTIONS[table]
    names = [name for name in tables.KEYS[table] if name in columns(table)]
    key = " et par ".join(titles.bare(described[name].label).lower() for name in names)
    yield (_sheet_title(table), f"Une ligne par {key}.")
    yield ("Colonne", "Ce qui s’y écrit", "Unité", "Exemple inventé")
    for name in columns(table):
        column = described[name]
        told = _HELP.get(name, column.label)
        yield (titles.title(table, name), told, column.unit, _example(name, column, year))
    implied = {"branch_code": "la branche dont le fichier nomme ce tableau", **table_files.IMPLIED}
    yield (_ADDED, "Ce qui s’y écrit", "Unité", "Sans elle, on lit")
    fixed = {"nature", *([] if table in table_files.EITHER else ["origin"])}
    for use in tables.USES[table]:
        if use.name not in {*columns(table), *fixed}:
            column, without = described[use.name], implied.get(use.name, "rien")
            told = _HELP.get(use.name, column.label)
            yield (titles.title(table, use.name), told, column.unit, without)
    yield ("", "")


def _sheet_title(table: str) -> str:
    return f"Feuille « {scope.OWN_TABLES[table]} »"


def _example(name: str, column: tables.Column, year: int) -> str:
    fixed = {"nomenclature": scope.NOMENCLATURE, "year": str(year)}
    if name in fixed:
        return fixed[name]
    if column.is_text:
        return column.example or ", ".join(filter(None, column.choices)) or "texte"
    if column.kind == "whole":
        return "2" if column.high < 10 else "41"
    return "0,35" if column.high == 1 else "18,2" if column.unit == "%" else "1120,5"


def _then(names: Sequence[str]) -> Iterator[Sequence[str]]:
    yield (_NEXT, "")
    yield ("Nommer le classeur", "dans parameters/branches/, dans le fichier de la branche")
    yield ("", "tables:")
    for name in names:
        yield ("", f'  {name}: "data/ce_classeur.xlsx"')
    yield ("Vérifier", "opmq validate dit tout ce qui ne va pas, ligne par ligne, et que faire")
