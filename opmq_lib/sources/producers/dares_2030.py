"""Dares and France Stratégie's projections of employment by family of métiers and region."""

import re
from typing import Final

from opmq_lib.errors import SchemaError
from opmq_lib.sources import embedded
from opmq_lib.sources.loading import UNSTATED, Loaded, Paths, Producer, heads, kept
from opmq_lib.sources.reading import Layout, read

PRODUCER: Final = Producer(
    "metiers_2030",
    "Dares et France Stratégie",
    "Les métiers en 2030 : quelles perspectives de recrutement en région ?",
    UNSTATED,
    "https://dares.travail-emploi.gouv.fr/dossier/les-metiers-en-2030",
    {"regions": "**/dares_metiers_20*_regions.csv"},
    ("official_projections",),
)
LAYOUT: Final = Layout(
    {
        "metier_code": ("code_fap",),
        "region_code": ("region",),
        "employment_headcount": ("effectifs_{yyyy}_milliers",),
        "net_creation_headcount": ("creations_destructions_milliers",),
        "departures_headcount": ("departs_fin_carriere_milliers",),
        "young_beginners_headcount": ("jeunes_debutants_milliers",),
        "region_moves_headcount": ("solde_mobilites_inter_regions_milliers",),
        "imbalance_headcount": ("desequilibre_milliers",),
    },
    ignored=(
        *("fap_libelle", "part_metier_region", "indice_specificite", "niveau_tension_{yyyy}"),
        *("creations_destructions_pct", "departs_fin_carriere_pct", "jeunes_debutants_pct"),
        *("solde_mobilites_inter_regions_pct", "desequilibre_pct", "postes_a_pourvoir_milliers"),
        "postes_a_pourvoir_pct",
    ),
)


def load(paths: Paths) -> Loaded:
    """Return table `official_projections`, as published: grouped families are kept as such.

    Young beginners and moves between regions lessen an imbalance: the producers write both with
    the sign of what they add to it, and so does the table for moves; beginners are heads.

    Args:
        paths: `regions`; years are read in the name of the file and of its column of employment.

    Returns:
        One row per family (FAP-87 as the projections group it) and region, in heads.

    Raises:
        SchemaError: If a column is missing or a region is not one of table `regions`.
    """
    found = read(paths["regions"], LAYOUT)
    rows = found.rows
    numbers = [name for name in LAYOUT.columns if name.endswith("_headcount")]
    rows[numbers] = rows[numbers].apply(heads, where=found.file)
    rows["young_beginners_headcount"] *= -1
    regions = embedded.load("regions")
    known = dict(zip(regions["label"].map(_letters), regions["region_code"], strict=True))
    codes = rows["region_code"].map(_letters).map(known)
    if codes.isna().any():
        name = str(rows.loc[codes.isna(), "region_code"].iloc[0])
        expected, fix = "a name of table `regions`", "correct the name"
        raise SchemaError.of(found.file, "unknown region", expected, fix, name)
    years = {
        "base_year": _year(found.titles["employment_headcount"]),
        "horizon_year": _year(paths["regions"].stem),
    }
    edition = "–".join(map(str, years.values()))
    rows = rows.assign(region_code=codes, **years)
    table, record = kept(rows, found, PRODUCER, edition=edition)
    first = ["metier_code", "region_code", *years, "employment_headcount"]
    others = [name for name in LAYOUT.columns if name not in first]
    sorted_rows = table.sort_values(first[:2], ignore_index=True)[[*first, *others]]
    return {"official_projections": (sorted_rows, record)}


def _year(text: str) -> int:
    return int(re.findall(r"(?<!\d)\d{4}(?!\d)", text)[0])


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()
