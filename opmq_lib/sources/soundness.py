"""Whether the official tables of a project hold together: contracts, codes, published totals."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pandas as pd

from opmq_lib import tables
from opmq_lib.errors import DataError, Defect
from opmq_lib.sources import embedded, official

REFERENCES: Final = (
    ("age_structure", "metier_code", "metiers", "metier_code"),
    ("age_structure_fap87", "metier_code", "metiers", "metier_code"),
    ("appellations", "rome_code", "romes", "rome_code"),
    ("branch_headcount", "branch_code", "branches", "branch_code"),
    ("branch_headcount", "idcc_code", "idcc_history", "idcc_code"),
    ("certification_metiers", "certifinfo_code", "certifications", "certifinfo_code"),
    ("emerging_skills", "rome_code", "romes", "rome_code"),
    ("emerging_skills", "skill_code", "skills", "skill_code"),
    ("employees_national", "metier_code", "metiers", "metier_code"),
    ("employment_national", "metier_code", "metiers", "metier_code"),
    ("exit_rates", "metier_code", "metiers", "metier_code"),
    ("exit_reasons", "metier_code", "metiers", "metier_code"),
    ("fap_rome", "metier_code", "metiers", "metier_code"),
    ("fap_rome", "rome_code", "romes", "rome_code"),
    ("idcc_history", "branch_code", "branches", "branch_code"),
    ("idcc_history", "successor_idcc_code", "idcc_history", "idcc_code"),
    ("metier_skills", "rome_code", "romes", "rome_code"),
    ("metier_skills", "skill_code", "skills", "skill_code"),
    ("metier_pcs", "metier_code", "metiers", "metier_code"),
    ("metier_sectors", "metier_code", "metiers", "metier_code"),
    ("metiers", "parent_code", "metiers", "metier_code"),
    ("metiers_2021", "parent_code", "metiers_2021", "metier_2021_code"),
    ("official_projections", "region_code", "regions", "region_code"),
    ("recruitment_intentions", "metier_code", "metiers", "metier_code"),
    ("recruitment_intentions", "region_code", "regions", "region_code"),
    ("rome_fap2021", "metier_2021_code", "metiers_2021", "metier_2021_code"),
    ("rome_naf_hires", "naf_code", "naf", "naf_code"),
    ("rome_naf_hires", "rome_code", "fap_rome", "rome_code"),
    ("rome_facts", "rome_code", "romes", "rome_code"),
    ("rome_items", "rome_code", "rome_facts", "rome_code"),
    ("rome_items", "item_code", "rome_item_labels", "item_code"),
    ("rome_moves", "rome_code", "rome_facts", "rome_code"),
    ("rome_moves", "target_rome_code", "rome_facts", "rome_code"),
    ("skills", "macro_skill_code", "macro_skills", "macro_skill_code"),
    ("rome_transitions", "parent_rome_code", "fap_rome", "rome_code"),
    ("tension", "metier_code", "metiers", "metier_code"),
    ("tension_2021", "metier_2021_code", "metiers_2021", "metier_2021_code"),
    ("tension_basins", "region_code", "regions", "region_code"),
    ("tension_basins", "rome_code", "fap_rome", "rome_code"),
    ("tension_regions", "metier_code", "tension", "metier_code"),
    ("tension_regions", "region_code", "regions", "region_code"),
)
"""Codes that another table must know: table, column, the other table, its column."""
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


def _codes(load: Tables, names: list[str]) -> Iterator[Defect]:
    for table, column, other, known in REFERENCES:
        if {table, other} <= set(names):
            codes = set(load(table)[column]) - {""} - set(load(other)[known])
            fix = f"load the edition of `{other}` that goes with `{table}`"
            for code in sorted(codes)[:_SHOWN]:
                yield Defect(f"{table}, {column}", "a code without its own row", other, fix, code)


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
