"""The tables of the métier pages arranged by métier: what a page is made from, and the index."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from opmq_lib.matching.text import fold
from opmq_lib.methods.tension.published import INDEX
from opmq_lib.questions.metier.chain import LEFT, NAME
from opmq_lib.show.pieces import Cells, Labels
from opmq_lib.tables.fap import DOMAIN_LENGTH

SHADES: Final = 5


class Book(NamedTuple):
    """What all pages are made from.

    Attributes:
        cells: Table `metiers`.
        columns: Its columns, as lists.
        rows: Row numbers by métier (or family) and indicator, in order.
        tensions: Table `metier_tensions`, and the row of each métier.
        images: Table `metier_images`, and the rows of each métier.
        taught: Tables of `chain.taught`, as records by table and métier.
        labels: French labels: `metiers`, `metiers_2021`, `regions`, `romes`, `skills`, `branches`.
        shades: Ends of the shades of the map: fifths of all regions and métiers.
        practices: Label and practice of each profile of tension.
        edition_year: Year of the edition.
    """

    cells: Cells
    columns: Mapping[str, list[Any]]
    rows: Mapping[tuple[str, str], list[int]]
    tensions: tuple[Cells, Mapping[str, int]]
    images: tuple[Cells, Mapping[str, list[int]]]
    taught: Mapping[str, Mapping[str, list[dict[Any, Any]]]]
    labels: Mapping[str, Labels]
    shades: list[float]
    practices: Mapping[str, tuple[str, str]]
    edition_year: int


def book(
    results: Mapping[str, pd.DataFrame],
    taught: Mapping[str, pd.DataFrame],
    profiles: pd.DataFrame,
    labels: Mapping[str, Labels],
    edition_year: int,
) -> Book:
    """Return the tables of `chain.results` and `chain.taught` arranged by métier."""
    table = results[NAME]
    columns = {str(name): column.tolist() for name, column in table.items()}
    keys = zip(columns["metier_code"], columns["indicator"], strict=True)
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        rows[key].append(row)
    index = table.loc[table["indicator"] == f"regional_{INDEX}", "value"].dropna()
    fifths = [step / SHADES for step in range(1, SHADES)]
    tensions, images = (Cells(name, results[name]) for name in ("metier_tensions", "metier_images"))
    codes = tensions.table["metier_code"]
    return Book(
        Cells(NAME, table),
        columns,
        rows,
        (tensions, dict(zip(codes, codes.index, strict=True))),
        (images, _grouped(images.table["metier_code"])),
        {name: _by_metier(each) for name, each in taught.items()},
        labels,
        np.quantile(index, fifths).tolist() if len(index) else [],
        {
            each["profile_code"]: (each["label"], each["practice"])
            for each in profiles.to_dict("records")
        },
        edition_year,
    )


def families(of: Book, codes: Sequence[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the métiers by domain, domains and names in French order."""
    names = of.labels["metiers"]
    grouped: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for code in codes:
        grouped[names[code[:DOMAIN_LENGTH]]].append((code, names[code]))
    return [
        (domain, sorted(grouped[domain], key=lambda each: fold(each[1])))
        for domain in sorted(grouped, key=fold)
    ]


def of_branches(of: Book, codes: Sequence[str]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return the métiers of each branch, those that most people leave first."""
    found: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for code in codes:
        for row in of.rows[code, LEFT]:
            value = of.columns["value"][row]
            found[of.columns["branch_code"][row]].append((-value if value == value else 0, code))
    names = of.labels["metiers"]
    listed = [
        (branch, of.labels["branches"][branch], [(code, names[code]) for _, code in sorted(each)])
        for branch, each in found.items()
    ]
    return sorted(listed, key=lambda each: fold(each[1]))


def _grouped(codes: pd.Series) -> dict[str, list[int]]:
    return {str(code): list(rows) for code, rows in codes.groupby(codes).groups.items()}


def _by_metier(table: pd.DataFrame) -> dict[str, list[dict[Any, Any]]]:
    found: dict[str, list[dict[Any, Any]]] = defaultdict(list)
    for each in table.to_dict("records"):
        found[each["metier_code"]].append(each)
    return found
