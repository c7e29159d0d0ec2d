"""Dares' portraits of métiers (FAP-2009): employment, ages, sectors, tension, exits, wages."""

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from opmq_lib.sources import loading
from opmq_lib.sources.loading import UNSURE, Loaded, Made, Makers, Paths, Producer, numbers, years
from opmq_lib.sources.producers.field import scopes
from opmq_lib.sources.reading import Layout, Read
from opmq_lib.tables.indicators import ALL_METIERS

_INPUTS: Final = (
    "https://raw.githubusercontent.com/StatDares/PortraitStatMetiers/"
    "b61ffd2eced0f7be42bdd15fd526953b529c3921/inputs/"
)
_FILES: Final = {
    "employment": "effectifs_3niv.csv",
    "employees": "effectifsalarie_hors_app_3niv.csv",
    "sectors": "secteurs_employeurs_3niv.csv",
    "pcs": "FAP_PCS.csv",
    "ages": "age_agrege_1982_1984_2017_2019_restructure_fap225.csv",
    "family_ages": "age_agrege_1982_1984_a_2017_2019_restructure.csv",
    "tension": "tensions/evol_tensions.csv",
    "factors": "tensions/tensions.csv",
    "romes": "fap225_rome.csv",
    "moves": "evol_mmo.csv",
    "exits": "types_sorties.csv",
    "seekers": "serie_demandeurs_emploi_A_ABC.csv",
    "wages": "salaire_median_3niv.csv",
}
_SHA256: Final = {
    "employment": "e1f44668483536bc7c1177549b2cb2579a146b919ff0c9ccf20aae572c087485",
    "employees": "41b40f2be33f889ae6600e3cc0ff8752999c4d013babe5e4d95b993a13168354",
    "sectors": "f975319c0238eba3f16a0759603041a2713329c7253fc175998b95ec0054a98f",
    "pcs": "841bad5cbbd5fb288435129d077fc23abf95c9680e805bc156c1824e6c189edc",
    "ages": "5f68776d83cd1868005c700475476e2c9a339f17c2807616c9a00619b95bf82f",
    "family_ages": "3e1496b2c69618f5900098dc151abfcaefa7f3a6b2772cdb9fc25a85fd458ed1",
    "tension": "de7b2d7ce1353e3d5d1f3fb72a02b2a89aa4ab9ee508e667a8baf2e01cef9a37",
    "factors": "48f57ecb22b715581d419ed0601b605276d6b1412e9e1edceea71ff95a361ad9",
    "romes": "4924b9973054ded0dc09debdf5f43d9410c71856db19e794720812b9bc316b75",
    "moves": "384b6bd484585066262b3e743338d6935812b0f5a9e8b9a34a171727a98f6962",
    "exits": "fa768596dba3e4363121c59932af2dbe9c03ad47f26ca202fc4b306a1ab8bc0e",
    "seekers": "db01e7dc679521a188c514f5e5d50bae8cf4a189508a3570ba5f6be50b8b73fa",
    "wages": "352318ed572ee8249383f0dc266e199539226026fcc18c3048799855bf01a2d5",
}
"""Of the files at their address, which names one edition."""
PRODUCER: Final = Producer(
    "portraits_metiers",
    "Dares, d’après l’enquête Emploi et le recensement (Insee)",
    "Portraits statistiques des métiers",
    UNSURE,
    "https://dares.travail-emploi.gouv.fr/donnees/portraits-statistiques-des-metiers",
    {name: f"**/{place}" for name, place in _FILES.items()}
    | {"ages": "**/age_agrege*fap225.csv", "family_ages": "**/age_agrege*restructure.csv"},
    (
        *("employment_national", "employees_national", "metiers", "metier_sectors", "metier_pcs"),
        *("age_structure", "age_structure_fap87", "tension", "tension_regions", "fap_rome"),
        *("exit_rates", "exit_reasons", "job_seekers", "metier_wages"),
    ),
    {name: f"{_INPUTS}{place}#{_SHA256[name]}" for name, place in _FILES.items()},
)
STRUCTURE_YEAR: Final = 2018
"""Of the files of employees and sectors, which do not say it: mean of 2017 to 2019."""
LEVELS: Final = {1: "fap22", 3: "fap87", 5: "fap225"}
"""Levels of FAP-2009 by number of characters."""
ROUNDING_HEADCOUNT: Final = 0.1
"""More than what the rounding of the members of a family adds up to."""
_TOTALS: Final = dict.fromkeys(("ENSEM", "ENSEMBLE", "Ensemble"), ALL_METIERS)
_TWICE: Final = ("T2Z", "T2Z60")
"""Sums of T2A and T2B, published beside them."""
_TOTAL_TWICE: Final = "Y"
_REMAINDER: Final = "AU"
_TREE: Final = (
    *("libelle", "code_domaine", "libelle_domaine", "code_fap_agregee", "libelle_fap_agregee"),
)
_CODE: Final = ("Fap", "Fap3")
_FACTORS: Final = {
    "mean_employment_headcount": ("Emploi moyen",),
    "tension_class": ("Catégorie Tension",),
    "hiring_intensity": ("Intensité d'embauches",),
    "training_job_link": ("Lien formation-emploi",),
    "labour_shortage": ("Manque de main-d'œuvre disponible",),
    "non_durable_jobs": ("Non-durabilité de l'emploi",),
    "hard_working_conditions": ("Conditions de travail contraignantes",),
    "geographic_mismatch": ("Inadéquation géographique",),
}
EMPLOYMENT: Final = Layout({"year": ("Annee",)}, wide="[A-Z]([0-9][A-Z]([0-9]{2})?)?|ENS|ZZZ(ZZ)?")
EMPLOYEES: Final = Layout(
    {"metier_code": _CODE, "employees_headcount": ("sumeffsal",), "label": ("libelle",)}, _TREE
)
SECTORS: Final = Layout(
    {"metier_code": _CODE, "sector_code": ("Secteur",), "thousands": ("Milliers",)},
    (*_TREE, "Label_secteur", "Pourcentage"),
)
AGES: Final = Layout(
    {
        "metier_code": _CODE,
        "period": ("annee",),
        "age_band": ("age",),
        "employment_headcount": ("effectif", "effectif_age"),
        "share": ("pourcentage",),
    }
)
TENSION: Final = Layout({"metier_code": _CODE, "year": ("Année",), "tension_index": ("Tension",)})
FACTORS: Final = Layout(
    {**TENSION.columns, "area": ("niveau_geo",), "level": ("niveau_fap",), "region": ("reg",)}
    | _FACTORS,
    ("dep",),
)
PCS: Final = Layout({"metier_code": _CODE, "pcs_code": ("PCS",)}, ("intitule_PCS",))
ROMES: Final = Layout({"metier_code": _CODE, "rome_code": ("Rome",)}, ("intitule_rome",))
MOVES: Final = Layout(
    {"metier_code": _CODE, "kind": ("Type_mmo",), "year": ("Annee",), "exit_rate_pct": ("Taux",)}
)
EXITS: Final = Layout(
    {"metier_code": _CODE, "exit_reason": ("type_sortie",), "exit_share_pct": ("Pourcentage",)}
)
SEEKERS: Final = Layout(
    {
        "metier_code": _CODE,
        "year": ("Annee",),
        "seeker_category": ("Categorie",),
        "thousands": ("Effectifs",),
    }
)
WAGES: Final = Layout(
    {
        "metier_code": _CODE,
        "period": ("Annee",),
        "wage_median_eur_per_month": ("Salaire_median",),
    }
)


def load(paths: Paths) -> Loaded:
    """Return the national tables by métier, every level that is published.

    Args:
        paths: Some of the files of `PRODUCER`.

    Returns:
        The tables of `PRODUCER` that the files give; `metiers` has the labels of FAP-2009. Those
        of regions and exits hold the field only.

    Raises:
        SchemaError: If a file has not its usual columns.
    """
    makers: Makers = {
        "employment_national": ({"employment": EMPLOYMENT}, _employment),
        "employees_national": ({"employees": EMPLOYEES}, _employees),
        "metiers": ({"employees": EMPLOYEES}, _metiers),
        "metier_sectors": ({"sectors": SECTORS}, _sectors),
        "metier_pcs": ({"pcs": PCS}, _links),
        "age_structure": ({"ages": AGES}, lambda found: _ages(found, 1)),
        "age_structure_fap87": ({"family_ages": AGES}, lambda found: _ages(found, 100)),
        "tension": ({"tension": TENSION, "factors": FACTORS}, _tension),
        "tension_regions": ({"factors": FACTORS}, _regions),
        "fap_rome": ({"romes": ROMES}, _links),
        "exit_rates": ({"moves": MOVES}, _exit_rates),
        "exit_reasons": ({"exits": EXITS}, _exit_reasons),
        "job_seekers": ({"seekers": SEEKERS}, _seekers),
        "metier_wages": ({"wages": WAGES}, _wages),
    }
    return loading.load_with(makers, paths)


def _employment(found: Read) -> Made:
    rows = found.rows.melt("year", var_name="metier_code", value_name="thousands")
    rows["employment_headcount"] = loading.heads(rows.pop("thousands"), found.file)
    rows["year"] = years(rows["year"], found.file)
    drop = {
        "domaines": rows["metier_code"].str.len() == 1,
        **_twice(rows),
        "année non publiée": rows["employment_headcount"].isna(),
    }
    columns = ["metier_code", "year", "employment_headcount"]
    return _made(rows[columns], found, drop, loading.span(rows["year"]))


def _employees(found: Read) -> Made:
    rows = found.rows.replace({"metier_code": _TOTALS}).assign(year=STRUCTURE_YEAR)
    rows["employees_headcount"] = loading.heads(rows["employees_headcount"], found.file)
    drop = _twice(rows) | {"zéro que la famille contredit": _contradicted(rows)}
    columns = ["metier_code", "year", "employees_headcount"]
    return _made(rows[columns], found, drop, str(STRUCTURE_YEAR))


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


def _metiers(found: Read) -> Made:
    rows = found.rows.assign(nomenclature="FAP-2009")
    codes = rows["metier_code"]
    rows["level"] = codes.str.len().map(LEVELS)
    rows["parent_code"] = codes.str[:3].where(rows["level"] == "fap225", "")
    rows["scope"] = scopes(codes, "FAP-2009")
    is_total = codes.isin(list(_TOTALS))
    names = ["metier_code", "label", "level", "scope"]
    rows.loc[is_total, names] = [ALL_METIERS, "Ensemble des métiers", "total", "total"]
    columns = ["metier_code", "label", "nomenclature", "level", "parent_code", "scope"]
    return _made(rows[columns].fillna({"parent_code": ""}), found, _twice(found.rows))


def _sectors(found: Read) -> Made:
    rows = found.rows.assign(
        year=STRUCTURE_YEAR, employment_headcount=loading.heads(found.rows["thousands"], found.file)
    )
    drop = {
        "reste (autres secteurs)": rows["sector_code"] == _REMAINDER,
        "total publié deux fois": rows["metier_code"] == _TOTAL_TWICE,
        **_twice(rows),
    }
    columns = ["metier_code", "sector_code", "year", "employment_headcount"]
    return _made(rows[columns], found, drop, str(STRUCTURE_YEAR))


def _ages(found: Read, whole: int) -> Made:
    rows = found.rows.replace({"metier_code": _TOTALS})
    rows["employment_headcount"] = loading.heads(rows["employment_headcount"], found.file)
    rows["share"] = (numbers(rows["share"], found.file) / whole).round(6)
    is_empty = rows[["employment_headcount", "share"]].isna().any(axis=1)
    drop = _twice(rows) | {"tranche non publiée": is_empty}
    return _made(rows, found, drop, loading.span(rows["period"], " à "))


def _tension(index: Read, factors: Read) -> Made:
    detail = factors.rows[factors.rows["area"] == "nat"]
    detail = detail.drop(columns=["area", "level", "region", "tension_index"])
    rows = index.rows.merge(detail, "left", ["metier_code", "year"], validate="one_to_one")
    for name in _FACTORS:
        convert = numbers if name == "mean_employment_headcount" else loading.whole_numbers
        rows[name] = convert(rows[name].fillna(""), factors.file)
    rows["tension_index"] = numbers(rows["tension_index"], index.file).round(6)
    rows["year"] = years(rows["year"], index.file)
    return _made(rows, [index, factors], {}, loading.span(rows["year"]))


def _regions(found: Read) -> Made:
    rows = found.rows
    drop = {
        "pays, départements": rows["area"] != "reg",
        "familles (FAP-87)": rows["metier_code"].str.len() != max(LEVELS),
        **_outside(rows),
    }
    rows = rows.assign(
        region_code=rows["region"].str.removesuffix(".0").str.zfill(2),
        tension_index=numbers(rows["tension_index"], found.file).round(6),
        tension_class=loading.whole_numbers(rows["tension_class"], found.file),
        year=years(rows["year"], found.file),
    )
    columns = ["metier_code", "region_code", "year", "tension_index", "tension_class"]
    return _made(rows[columns], found, drop, loading.span(rows["year"]))


def _links(found: Read) -> Made:
    rows = found.rows
    drop = {"sans correspondance": (rows == "").any(axis=1), "lien répété": rows.duplicated()}
    return _made(rows, found, drop)


def _exit_rates(found: Read) -> Made:
    rows = found.rows.assign(exit_rate_pct=numbers(found.rows["exit_rate_pct"], found.file))
    rows["year"] = years(rows["year"], found.file)
    drop = {"taux d’entrée, de rotation": rows["kind"] != "Taux de sortie", **_outside(rows)}
    columns = ["metier_code", "year", "exit_rate_pct"]
    return _made(rows[columns], found, drop, loading.span(rows["year"]))


def _exit_reasons(found: Read) -> Made:
    rows = found.rows.assign(exit_share_pct=numbers(found.rows["exit_share_pct"], found.file))
    return _made(rows, found, _outside(rows))


def _seekers(found: Read) -> Made:
    rows = found.rows.replace({"metier_code": _TOTALS})
    rows["job_seekers_headcount"] = loading.heads(rows["thousands"], found.file)
    rows["year"] = years(rows["year"], found.file)
    drop = _twice(rows) | {"non publié": rows["job_seekers_headcount"].isna()}
    columns = ["metier_code", "year", "seeker_category", "job_seekers_headcount"]
    return _made(rows[columns], found, drop, loading.span(rows["year"]))


def _wages(found: Read) -> Made:
    rows = found.rows.replace({"metier_code": _TOTALS})
    wages = numbers(rows["wage_median_eur_per_month"], found.file)
    rows = rows.assign(wage_median_eur_per_month=wages)
    drop = _twice(rows) | {"non publié": wages.isna()}
    return _made(rows, found, drop, loading.span(rows["period"], " à "))


def _twice(rows: pd.DataFrame) -> dict[str, pd.Series]:
    return {"somme publiée deux fois": rows["metier_code"].isin(_TWICE)}


def _outside(rows: pd.DataFrame) -> dict[str, pd.Series]:
    return {"hors du champ de l’étude": scopes(rows["metier_code"], "FAP-2009") == "other"}


def _made(
    rows: pd.DataFrame,
    found: Read | Sequence[Read],
    drop: Mapping[str, pd.Series],
    edition: str = "",
) -> Made:
    table, record = loading.kept(rows, found, PRODUCER, drop, edition)
    key = [name for name in map(str, table) if _is_key(table[name])]
    return loading.ordered(table, *key), record


def _is_key(column: pd.Series) -> bool:
    return column.name == "year" or column.dtype == "str"
