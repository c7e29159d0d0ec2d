"""Whether the official tables of a project hold together: contracts, codes, published totals."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final

import pandas as pd

from opmq_lib import tables
from opmq_lib.errors import DataError, Defect
from opmq_lib.sources import embedded, official

REFERENCES: Final = {
    "metiers.metier_code": "age_structure age_structure_fap87 employees_national exit_reasons "
    "employment_national exit_rates fap_rome metier_pcs metier_sectors metiers.parent_code "
    "recruitment_intentions tension",
    "metiers_2021.metier_2021_code": "metiers_2021.parent_code recruitment_intentions.metier_code "
    "rome_fap2021 tension_2021",
    "tension.metier_code": "tension_regions",
    "regions.region_code": "official_projections recruitment_intentions tension_basins "
    "tension_regions",
    "branches.branch_code": "branch_headcount idcc_history",
    "idcc_history.idcc_code": "branch_headcount idcc_history.successor_idcc_code",
    "romes.rome_code": "appellations emerging_skills fap_rome metier_skills rome_facts",
    "fap_rome.rome_code": "rome_naf_hires rome_transitions.parent_rome_code tension_basins",
    "rome_facts.rome_code": "rome_items rome_moves rome_moves.target_rome_code",
    "rome_item_labels.item_code": "rome_items",
    "skills.skill_code": "emerging_skills metier_skills",
    "macro_skills.macro_skill_code": "skills",
    "certifications.certifinfo_code": "certification_metiers",
    "naf.naf_code": "rome_naf_hires",
}
"""A table and its column of codes → tables whose codes it must know, by that name or another."""
ROUNDING_HEADCOUNT: Final = 0.005
"""Of each published figure, in heads."""
_SHOWN: Final = 5
Tables = Callable[[str], pd.DataFrame]


def defects(root: Path) -> list[Defect]:
    """Return what is wrong with the official tables of a project, as `CHECKS` look at them."""

    def load(table: str) -> pd.DataFrame:
        return embedded.load(table, root)

    names = {*embedded.tables(), *official.index(root)}
    return [defect for check in CHECKS for defect in check(load, sorted(names))]


def _contracts(load: Tables, names: list[str]) -> Iterator[Defect]:
    for table in names:
        try:
            tables.check(table, load(table), table)
        except DataError as error:
            yield from error.defects


def unknown_codes(
    load: Tables, names: Collection[str], new: Collection[str]
) -> Iterator[tuple[str, str, list[str]]]:
    """Yield a table, another one, and the codes of the first that the other should know.

    Args:
        load: Gives a table by its name.
        names: Tables that there are.
        new: Those of which one at least is of each pair.
    """
    for target, users in REFERENCES.items():
        other, known = target.split(".")
        for table, _, column in (user.partition(".") for user in users.split()):
            if {table, other} <= set(names) and {table, other} & set(new):
                rows = load(table)
                if other == "metiers_2021" and "nomenclature" in rows:
                    rows = rows[rows["nomenclature"] == "FAP-2021"]
                if codes := set(rows[column or known]) - {""} - set(load(other)[known]):
                    yield table, other, sorted(codes)


def _codes(load: Tables, names: list[str]) -> Iterator[Defect]:
    for table, other, codes in unknown_codes(load, names, names):
        fix = f"load the edition of `{other}` that goes with `{table}`"
        for code in codes[:_SHOWN]:
            yield Defect(table, "a code without its own row", other, fix, code)


def _families(load: Tables, _: list[str]) -> Iterator[Defect]:
    """Say where the métiers of a family do not add up to it."""
    heads = load("employment_national").query("metier_code != 'ENS'")
    is_metier = heads["metier_code"].str.len() == 5
    members = heads[is_metier].assign(metier_code=heads["metier_code"].str[:3])
    groups = members.groupby(["metier_code", "year"])["employment_headcount"]
    sums, rounding = groups.sum(), ROUNDING_HEADCOUNT * (groups.size() + 1) + 1e-6
    whole = heads[~is_metier].set_index(["metier_code", "year"])["employment_headcount"]
    gaps = (sums - whole.reindex(sums.index)).abs()
    yield from _told("employment_national", gaps[~(gaps <= rounding)], "its métiers")


def _ages(load: Tables, _: list[str]) -> Iterator[Defect]:
    """Say where the ages of a métier do not add up to its employment in the middle year."""
    ages, heads = load("age_structure"), load("employment_national")
    middle = (ages["period"].str[:4].astype("int64") + 1).rename("year")
    sums = ages.groupby([ages["metier_code"], middle])["employment_headcount"].sum()
    whole = heads.set_index(["metier_code", "year"])["employment_headcount"]
    gaps = (sums - whole.reindex(sums.index)).abs().dropna()
    rounding = ROUNDING_HEADCOUNT * (ages["age_band"].nunique() + 2)
    yield from _told("age_structure", gaps[gaps > rounding], "employment of that year")


def _imbalances(load: Tables, _: list[str]) -> Iterator[Defect]:
    """Say where a projected imbalance is not what its parts add up to."""
    rows = load("official_projections").set_index(["metier_code", "region_code"])
    parts = (
        rows["net_creation_headcount"]
        + rows["departures_headcount"]
        - rows["young_beginners_headcount"]
        + rows["region_moves_headcount"]
    )
    gaps = (parts - rows["imbalance_headcount"]).abs()
    yield from _told("official_projections", gaps[gaps > ROUNDING_HEADCOUNT], "its parts")


def _told(table: str, gaps: pd.Series, whole: str) -> Iterator[Defect]:
    """Say the first gaps of a table, and how many it has."""
    for key, gap in gaps.head(_SHOWN).items():
        where = f"{table}, {', '.join(map(str, key)) if isinstance(key, tuple) else key}"
        expected, fix = f"what {whole} add up to", "load files of one edition together"
        yield Defect(where, f"{gap:g} heads apart (1 of {len(gaps)})", expected, fix)


CHECKS: Final = (_contracts, _codes, _families, _ages, _imbalances)
"""What is looked at, in turn."""
