"""Tension by occupation (ROME 3) and employment basin, from the copies of Mobiville."""

from typing import Final

from opmq_lib.sources import embedded
from opmq_lib.sources.loading import UNSTATED, Loaded, Paths, Producer, kept, numbers, years
from opmq_lib.sources.reading import Layout, read

LAYOUT: Final = Layout(
    {
        "year": ("annee",),
        "rome_code": ("ROME",),
        "basin_code": ("cbassin",),
        "tension_class": ("ind_tension_d",),
    },
    ignored=(
        *("libfap", "fap", "oee", "defm_abc", "lib_bassin_bmo19", "rome_label", "ind_int_emb_d"),
        *("ind_main_oeuvre_d", "ind_dur_empl_d", "ind_cond_travail_d", "ind_mismatch_geo_d"),
        "ind_specif_form_empl_d",
    ),
)
PRODUCER: Final = Producer(
    "tensions_bassins",
    "Pôle emploi, copie de Mobiville",
    "Tension par fiche ROME et bassin d’emploi",
    UNSTATED,
    "https://github.com/StartupsPoleEmploi/mobiville",
    {"basins": "**/cities-tension*.csv"},
    ("tension_basins",),
)
HIGH_CLASS: Final = 4
_PARTIAL_YEARS: Final = ("2019",)
"""Years of which only classes 4 and 5 are published: no share of basins can be told."""


def load(paths: Paths) -> Loaded:
    """Return table `tension_basins`: basins by ROME of the field and region, and the tense ones.

    A basin's code begins with that of its region.

    Args:
        paths: `basins`, the file of one year.
    """
    found = read(paths["basins"], LAYOUT)
    rows = found.rows
    metiers, links = embedded.load("metiers"), embedded.load("fap_rome")
    of_field = metiers.loc[metiers["scope"].isin(["industry", "transverse"]), "metier_code"]
    romes = links.loc[links["metier_code"].isin(of_field), "rome_code"]
    drop = {
        "seules les classes 4 et 5 sont publiées": rows["year"].isin(_PARTIAL_YEARS),
        "hors du champ de l’étude": ~rows["rome_code"].isin(romes),
    }
    edition = "–".join(sorted(set(rows["year"])))
    inside, record = kept(rows, found, PRODUCER, drop, edition)
    is_high = numbers(inside["tension_class"], found.file) >= HIGH_CLASS
    regions = inside["basin_code"].str[:2]
    year = years(inside["year"], found.file)
    inside = inside.assign(region_code=regions, is_high=is_high, year=year)
    groups = inside.groupby(["rome_code", "region_code", "year"])["is_high"]
    table = groups.agg(basins_count="size", high_tension_basins_count="sum").reset_index()
    counts = {"basins_count": "Int64", "high_tension_basins_count": "Int64"}
    return {"tension_basins": (table.astype(counts), record)}
