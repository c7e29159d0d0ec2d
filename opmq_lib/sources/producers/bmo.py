"""France Travail's survey of hiring intentions (BMO), one workbook a year.

A cell `*` is secret: it is counted, never taken for a zero. A new year is one entry of `EDITIONS`;
a title that changes is one more name in `LAYOUT`.
"""

from functools import partial
from typing import Final

import pandas as pd

from opmq_lib.errors import SchemaError
from opmq_lib.sources import embedded, loading
from opmq_lib.sources.loading import Loaded, Paths, Producer, kept
from opmq_lib.sources.producers.field import scopes
from opmq_lib.sources.reading import Layout, Read, read

EDITIONS: Final = {
    **dict.fromkeys(range(2015, 2024), "FAP-2009"),
    2024: "FAP-2021",
    2025: "FAP-2021",
    2026: "FAP-2021",
}
"""Nomenclature of each year: a year that is not here is refused."""
LAYOUT: Final = Layout(
    columns={
        "year": ("annee",),
        "metier_code": ("Code métier BMO", "metier"),
        "label": ("Nom métier BMO", "nom_metier BMO", "nommetier"),
        "region_code": ("REG",),
        "region": ("NOM_REG",),
        "department_code": ("Dept",),
        "basin_code": ("BE{yy}",),
        "projects": ("met",),
        "hard_to_fill": ("xmet",),
        "seasonal": ("smet",),
    },
    ignored=(
        *("Famille_met", "Famille_metier", "Lbl_fam_met", "Libellé de famille de métier"),
        *("NomDept", "NOMBE{yy}", "clpe"),
    ),
    sheet="BMO_{yyyy}_open_data",
)
PRODUCER: Final = Producer(
    "bmo",
    "France Travail (Pôle emploi jusqu’en 2023)",
    "Enquête Besoins en main-d’œuvre (BMO)",
    "Licence Ouverte, selon la page du jeu de données",
    "https://www.data.gouv.fr/fr/datasets/enquete-besoins-en-main-doeuvre-bmo/",
    {str(year): f"**/*{year % 100}.xlsx" for year in EDITIONS},
    ("recruitment_intentions", "regions", "metiers"),
)
SECRET: Final = "*"
_KEY: Final = ["metier_code", "department_code", "basin_code"]
_MEASURES: Final = ("projects", "hard_to_fill", "seasonal")


def load(paths: Paths) -> Loaded:
    """Return `recruitment_intentions`, `regions` and the labels of FAP-2021 in `metiers`.

    Args:
        paths: One workbook a year, in any order.

    Returns:
        Intentions of the métiers of the field, by region: sums of the cells that are shown, and
        how many are secret. Regions and labels are those of the last year.

    Raises:
        SchemaError: If a year is not declared, is given twice, or a measure is no number.
    """
    reads = [(_year(each), each) for each in (read(path, LAYOUT) for path in paths.values())]
    reads.sort(key=lambda pair: pair[0])
    years = [year for year, _ in reads]
    if len(set(years)) < len(years):
        what = f"the same year twice: {', '.join(map(str, years))}"
        raise SchemaError.of("BMO", what, "one workbook a year", "leave one out")
    of_field = [_scoped(*pair) for pair in reads]
    rows = pd.concat(of_field, ignore_index=True)
    every = [each for _, each in reads]
    whole = every[0]._replace(repeated=sum(each.repeated for each in every))
    keep = partial(kept, producer=PRODUCER, edition=loading.span(pd.Series(years)))
    drop = {"hors du champ de l’étude": rows["scope"] == "other"}
    inside, record = keep(rows, [whole, *every[1:]], drop=drop)
    last, last_read = of_field[-1], every[-1]
    tables = {"recruitment_intentions": (_by_region(inside), record)}
    names = last[["region_code", "region"]].set_axis(["region_code", "label"], axis=1)
    tables["regions"] = keep(loading.ordered(names.drop_duplicates("region_code")), last_read)
    if EDITIONS[years[-1]] == "FAP-2021":
        tables["metiers"] = keep(_labels(of_field), last_read)
    return tables


def _year(workbook: Read) -> int:
    years = set(workbook.rows["year"])
    (year,) = years if len(years) == 1 else ("",)
    if not year.isdigit() or int(year) not in EDITIONS:
        what = f"not one declared year: {', '.join(sorted(years))}"
        expected = f"one of {min(EDITIONS)}–{max(EDITIONS)}"
        fix = "declare it in `EDITIONS` (opmq_lib/sources/producers/bmo.py), with its nomenclature"
        raise SchemaError.of(workbook.file, what, expected, fix)
    return int(year)


def _scoped(year: int, workbook: Read) -> pd.DataFrame:
    rows, nomenclature = workbook.rows, EDITIONS[year]
    if (again := rows.duplicated(_KEY)).any():
        where = f"{workbook.file}, {', '.join(rows.loc[again, _KEY].iloc[0])}"
        expected = "one row per métier, basin and department"
        raise SchemaError.of(where, "two rows that differ", expected, "download it again")
    own, other = sorted(set(EDITIONS.values()), key=nomenclature.__ne__)
    if others := sorted(set(rows["metier_code"]) & (_codes(other) - _codes(own))):
        what, fix = f"métiers that are not of {nomenclature}", "check `EDITIONS`, or the workbook"
        expected = f"codes of {nomenclature}, the nomenclature of {year}"
        raise SchemaError.of(workbook.file, what, expected, fix, ", ".join(others[:20]))
    return rows.assign(
        year=year,
        nomenclature=nomenclature,
        scope=scopes(rows["metier_code"], nomenclature),
        **{
            name: loading.whole_numbers(rows[name].mask(rows[name] == SECRET, ""), workbook.file)
            for name in _MEASURES
        },
        **{f"{name}_secret": rows[name] == SECRET for name in _MEASURES},
    )


def _codes(nomenclature: str) -> set[str]:
    """Return the detailed codes of a nomenclature: FAP-2009 and FAP-2021 are never mixed."""
    if nomenclature == "FAP-2009":
        metiers = embedded.load("metiers")
        return set(metiers.loc[metiers["level"] == "fap225", "metier_code"])
    tree = embedded.load("metiers_2021")
    return set(tree.loc[tree["level"] == "fap228", "metier_2021_code"])


def _by_region(rows: pd.DataFrame) -> pd.DataFrame:
    key = ["metier_code", "nomenclature", "region_code", "year"]
    groups = rows.groupby(key, sort=True)
    table = groups.size().rename("cells_count").to_frame()
    for name in _MEASURES:
        shown, secret = groups[name].sum(min_count=1), groups[f"{name}_secret"].sum()
        table[f"{name}_count"] = shown.astype("Int64")
        table[f"{name}_secret_cells_count"] = secret.astype("Int64")
    hidden = table["projects_secret_cells_count"]
    status = pd.Series("lower_bound", table.index).mask(hidden == 0, "exact")
    table["status"] = status.mask(hidden == table["cells_count"], "secret")
    return table.reset_index()


def _labels(years: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the métiers of the field as the survey names them, and their families."""
    rows = pd.concat(years)
    rows = rows[(rows["nomenclature"] == "FAP-2021") & (rows["scope"] != "other")]
    metiers = rows.drop_duplicates("metier_code", keep="last")[["metier_code", "label", "scope"]]
    metiers = metiers.assign(level="fap228", parent_code=metiers["metier_code"].str[:3])
    tree = embedded.load("metiers_2021")
    tree = tree[(tree["level"] == "fap86") & tree["metier_2021_code"].isin(metiers["parent_code"])]
    families = pd.DataFrame(
        {"metier_code": tree["metier_2021_code"], "label": tree["label"], "level": "fap86"}
    ).assign(parent_code="", scope=scopes(tree["metier_2021_code"], "FAP-2021"))
    both = pd.concat([metiers, families]).assign(nomenclature="FAP-2021")
    columns = ["metier_code", "label", "nomenclature", "level", "parent_code", "scope"]
    return loading.ordered(both[columns], "metier_code")
