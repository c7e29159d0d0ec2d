"""Dares and France Stratégie's projections of employment by family of métiers and region."""

import re
from typing import Final

from opmq_lib.errors import SchemaError
from opmq_lib.sources import embedded
from opmq_lib.sources.loading import Edition, Loaded, Paths, cells, heads, kept

FILES: Final = {"regions": "dares_metiers_2030_regions.csv"}
EDITION: Final = Edition(
    "Dares et France Stratégie",
    "Les métiers en 2030 : quelles perspectives de recrutement en région ?",
    "2019-2030",
    "licence non indiquée dans la copie",
)
_COLUMNS = {
    "code_fap": "metier_code",
    "region": "region_code",
    "creations_destructions_milliers": "net_creation_headcount",
    "departs_fin_carriere_milliers": "departures_headcount",
    "jeunes_debutants_milliers": "young_beginners_headcount",
    "solde_mobilites_inter_regions_milliers": "region_moves_headcount",
    "desequilibre_milliers": "imbalance_headcount",
}


def load(paths: Paths) -> Loaded:
    """Return table `official_projections`, as published: grouped families are kept as such.

    Young beginners and moves between regions lessen an imbalance: the producers write both with
    the sign of what they add to it, and so does the table for moves; beginners are heads.

    Args:
        paths: One file for each name of `FILES`; years are read in the name of the file and of its
            column of employment.

    Returns:
        One row per family (FAP-87 as the projections group it) and region, in heads.

    Raises:
        SchemaError: If a column is missing or a region is not one of table `regions`.
    """
    path = paths["regions"]
    found = re.search(r"effectifs_\d{4}_milliers", path.read_text(encoding="utf-8"))
    employment = found[0] if found else "effectifs_AAAA_milliers"
    columns = _COLUMNS | {employment: "employment_headcount"}
    rows = cells(path, columns)
    numbers = [name for name in columns.values() if name.endswith("_headcount")]
    rows[numbers] = rows[numbers].apply(heads)
    rows["young_beginners_headcount"] *= -1
    regions = embedded.load("regions")
    known = dict(zip(regions["label"].map(_letters), regions["region_code"], strict=True))
    codes = rows["region_code"].map(_letters).map(known)
    if codes.isna().any():
        name = str(rows.loc[codes.isna(), "region_code"].iloc[0])
        expected, fix = "a name of table `regions`", "correct the name"
        raise SchemaError.of(path.name, "unknown region", expected, fix, name)
    years = {
        "base_year": _year(employment),
        "horizon_year": _year(path.stem),
    }
    table, record = kept(rows.assign(region_code=codes, **years), path, EDITION, {})
    first = ["metier_code", "region_code", *years, "employment_headcount"]
    others = [name for name in _COLUMNS.values() if name not in first]
    ordered = table.sort_values(first[:2], ignore_index=True)[[*first, *others]]
    return Loaded({"official_projections": ordered}, {"official_projections": record})


def _year(text: str) -> int:
    return int(re.findall(r"(?<!\d)\d{4}(?!\d)", text)[0])


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()
