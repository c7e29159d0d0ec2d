"""The files of Dares' portraits of métiers (FAP-2009): employment, ages, sectors, tension."""

from pathlib import Path
from typing import Final

import pandas as pd

from opmq_lib.sources.loading import Edition, Loaded, Paths, Provenance, cells, heads, kept
from opmq_lib.tables.indicators import ALL_METIERS

FILES: Final = {
    "employment": "effectifs_3niv.csv",
    "employees": "effectifsalarie_hors_app_3niv.csv",
    "sectors": "secteurs_employeurs_3niv.csv",
    "pcs": "FAP_PCS.csv",
    "ages": "age_agrege_1982_1984_2017_2019_restructure_fap225.csv",
    "family_ages": "age_agrege_1982_1984_a_2017_2019_restructure.csv",
    "tension": "tensions/evol_tensions.csv",
    "factors": "tensions/tensions.csv",
    "romes": "fap225_rome.csv",
}
EDITION: Final = Edition(
    "Dares",
    "Portraits statistiques des métiers",
    "1982-2020",
    "licence non indiquée dans la copie (la Dares publie ses données sous Licence Ouverte sur "
    "son site, à vérifier)",
)
LEVELS: Final = {1: "fap22", 3: "fap87", 5: "fap225"}
"""Levels of FAP-2009 by number of characters."""
ROUNDING_HEADCOUNT: Final = 0.1
"""More than what the rounding of the members of a family adds up to."""
_TOTALS = dict.fromkeys(("ENSEM", "ENSEMBLE", "Ensemble"), ALL_METIERS)
_TWICE = ("T2Z", "T2Z60")
"""Sums of T2A and T2B, published beside them."""
_TOTAL_TWICE = "Y"
_REMAINDER = "AU"
_FACTORS = {
    "Emploi moyen": "mean_employment_headcount",
    "Catégorie Tension": "tension_class",
    "Intensité d'embauches": "hiring_intensity",
    "Lien formation-emploi": "training_job_link",
    "Manque de main-d'œuvre disponible": "labour_shortage",
    "Non-durabilité de l'emploi": "non_durable_jobs",
    "Conditions de travail contraignantes": "hard_working_conditions",
    "Inadéquation géographique": "geographic_mismatch",
}

Read = tuple[pd.DataFrame, Provenance]


def load(paths: Paths) -> Loaded:
    """Return the national tables by métier, every level that is published.

    Args:
        paths: One file for each name of `FILES`.

    Returns:
        `employment_national`, `employees_national`, `metier_sectors`, `metier_pcs`,
        `age_structure`, `age_structure_fap87`, `tension`, `fap_rome`, and `metiers`, the labels of
        FAP-2009 without what the project adds. Employment by sector and employees are those of the
        last year of the series of employment, which they belong to.

    Raises:
        SchemaError: If a file has not its usual columns.
    """
    employment, employment_read = _employment(paths["employment"])
    year = employment["year"].max()
    employees, employees_read = _employees(paths["employees"], year)
    read = {
        "employment_national": (employment, employment_read),
        "employees_national": (employees, employees_read),
        "metiers": _metiers(paths["employees"]),
        "metier_sectors": _sectors(paths["sectors"], year),
        "metier_pcs": _links(paths["pcs"], {"Fap": "metier_code", "PCS": "pcs_code"}),
        "age_structure": _ages(paths["ages"], ("annee", "age", "effectif", "pourcentage"), 1),
        "age_structure_fap87": _ages(
            paths["family_ages"], ("Annee", "Age", "effectif_age", "Pourcentage"), 100
        ),
        "tension": _tension(paths["tension"], paths["factors"]),
        "fap_rome": _links(paths["romes"], {"Fap": "metier_code", "Rome": "rome_code"}),
    }
    tables = {name: table for name, (table, _) in read.items()}
    return Loaded(tables, {name: record for name, (_, record) in read.items()})


def _employment(path: Path) -> Read:
    rows = cells(path).rename(columns={"Annee": "year"})
    rows = rows.melt("year", var_name="metier_code", value_name="thousands")
    rows["employment_headcount"] = heads(rows.pop("thousands"))
    drop = {
        "domaines": rows["metier_code"].str.len() == 1,
        "somme publiée deux fois": rows["metier_code"].isin(_TWICE),
        "année non publiée": rows["employment_headcount"].isna(),
    }
    table, record = kept(rows.astype({"year": "int64"}), path, EDITION, drop)
    return _sorted(table[["metier_code", "year", "employment_headcount"]]), record


def _employees(path: Path, year: int) -> Read:
    rows = cells(path, {"Fap": "metier_code", "sumeffsal": "employees_headcount"})
    rows = rows.replace({"metier_code": _TOTALS})
    rows["employees_headcount"] = heads(rows["employees_headcount"])
    drop = {
        "somme publiée deux fois": rows["metier_code"].isin(_TWICE),
        "zéro que la famille contredit": _contradicted(rows),
    }
    table, record = kept(rows.assign(year=year), path, EDITION, drop)
    return _sorted(table[["metier_code", "year", "employees_headcount"]]), record


def _contradicted(rows: pd.DataFrame) -> pd.Series:
    """Return where a zero means not published: its family is more than the sum of its members."""
    known = rows[~rows["metier_code"].isin([*_TWICE, ALL_METIERS])]
    codes, heads_of = known["metier_code"], known["employees_headcount"]
    unknown = pd.Series(data=False, index=rows.index)
    for length, wider in ((3, 1), (5, 3)):
        members = codes.str.len() == length
        family = codes.str[:wider]
        sums = heads_of.where(members).groupby(family).transform("sum")
        rest = family.map(dict(zip(codes, heads_of, strict=True))) - sums
        is_short = (rest > ROUNDING_HEADCOUNT) | family.isin(codes[unknown[codes.index]])
        unknown[codes.index] |= members & (heads_of == 0) & is_short
    return unknown


def _metiers(path: Path) -> Read:
    rows = cells(path, {"Fap": "metier_code", "libelle": "label"})
    rows["level"] = rows["metier_code"].str.len().map(LEVELS)
    detailed = rows["level"] == "fap225"
    rows["parent_code"] = rows["metier_code"].str[:3].where(detailed, "")
    drop = {
        "total": rows["metier_code"].isin(list(_TOTALS)),
        "somme publiée deux fois": rows["metier_code"].isin(_TWICE),
    }
    table, record = kept(rows.assign(nomenclature="FAP-2009"), path, EDITION, drop)
    columns = ["metier_code", "label", "nomenclature", "level", "parent_code"]
    return table.sort_values("metier_code", ignore_index=True)[columns], record


def _sectors(path: Path, year: int) -> Read:
    names = {"Fap": "metier_code", "Secteur": "sector_code", "Milliers": "thousands"}
    rows = cells(path, names)
    rows["employment_headcount"] = heads(rows.pop("thousands"))
    drop = {
        "reste (autres secteurs)": rows["sector_code"] == _REMAINDER,
        "total publié deux fois": rows["metier_code"] == _TOTAL_TWICE,
        "somme publiée deux fois": rows["metier_code"].isin(_TWICE),
    }
    table, record = kept(rows.assign(year=year), path, EDITION, drop)
    columns = ["metier_code", "sector_code", "year", "employment_headcount"]
    return _sorted(table[columns]), record


def _ages(path: Path, names: tuple[str, ...], whole: int) -> Read:
    columns = ["metier_code", "period", "age_band", "employment_headcount", "share"]
    rows = cells(path, dict(zip(("Fap", *names), columns, strict=True)))
    rows = rows.replace({"metier_code": _TOTALS})
    rows["employment_headcount"] = heads(rows["employment_headcount"])
    rows["share"] = (pd.to_numeric(rows["share"]) / whole).round(6)
    drop = {
        "somme publiée deux fois": rows["metier_code"].isin(_TWICE),
        "tranche non publiée": rows[["employment_headcount", "share"]].isna().any(axis=1),
    }
    table, record = kept(rows, path, EDITION, drop)
    return _sorted(table), record


def _tension(path: Path, factors: Path) -> Read:
    index = cells(path, {"fap": "metier_code", "Année": "year", "Tension": "tension_index"})
    detail = cells(
        factors, {"fap": "metier_code", "Année": "year", "niveau_geo": "area"} | _FACTORS
    )
    detail = detail[detail["area"] == "nat"].drop(columns="area")
    rows = index.merge(detail, "left", ["metier_code", "year"], validate="one_to_one")
    numbers = rows[list(_FACTORS.values())].apply(pd.to_numeric)
    rows[numbers.columns] = numbers.astype("Int64")
    rows["mean_employment_headcount"] = numbers["mean_employment_headcount"].astype("float64")
    rows["tension_index"] = pd.to_numeric(rows["tension_index"]).round(6)
    table, record = kept(rows.astype({"year": "int64"}), path, EDITION, {})
    return _sorted(table), record


def _links(path: Path, names: dict[str, str]) -> Read:
    rows = cells(path, names, ";")
    drop = {
        "sans correspondance": (rows == "").any(axis=1),
        "ligne répétée": rows.duplicated(),
    }
    table, record = kept(rows, path, EDITION, drop)
    return _sorted(table), record


def _sorted(rows: pd.DataFrame) -> pd.DataFrame:
    key = [str(name) for name in rows if name == "year" or rows[name].dtype == "str"]
    return rows.sort_values(key, ignore_index=True)
