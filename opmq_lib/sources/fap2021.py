"""FAP-2021: its tree, its passage from ROME and qualification, and the tension published in it."""

from typing import Final

import pandas as pd

from opmq_lib.sources.loading import Edition, Loaded, Paths, cells, kept

FILES: Final = {
    "tree": "dares-fap2021/Intitules_FAP2021.csv",
    "romes": "dares-fap2021/Dares_Table_passage_ROME_Qualif_to_FAP2021_pour_programme.csv",
    "tension": "dares-tension-fap2021/dares_tension_fap2021_2024_industry_FR.csv",
}
_LICENCE = "licence non indiquée dans la copie"
EDITION: Final = Edition("Dares", "Familles professionnelles, FAP-2021", "", _LICENCE)
TENSION: Final = Edition(
    "Dares et France Travail", "Les tensions sur le marché du travail", "2024", _LICENCE
)
LEVELS: Final = ("fap22", "fap86", "fap228", "fap341")
"""Levels of FAP-2021, from the widest."""


def load(paths: Paths) -> Loaded:
    """Return `metiers_2021` (every level), `rome_fap2021` and `tension_2021`.

    Args:
        paths: One file for each name of `FILES`.

    Raises:
        SchemaError: If a file has not its usual columns.
    """
    tree, tree_read = kept(_tree(paths), paths["tree"], EDITION, {})
    names = {"ROME": "rome_code", "Qualif": "qualification_code", "FAP341": "metier_2021_code"}
    romes = cells(paths["romes"], names, ";").sort_values([*names.values()], ignore_index=True)
    names = {"fap228": "metier_2021_code"}
    names |= {name: name for name in ("year", "tension_index", "tension_class")}
    tension = cells(paths["tension"], names).sort_values("metier_2021_code", ignore_index=True)
    tension = tension.astype({"year": "int64", "tension_class": "int64"})
    tension["tension_class"] = tension["tension_class"].astype("Int64")
    tension["tension_index"] = pd.to_numeric(tension["tension_index"]).round(6)
    romes, romes_read = kept(romes, paths["romes"], EDITION, {})
    tension, tension_read = kept(tension, paths["tension"], TENSION, {})
    tables = {"metiers_2021": tree, "rome_fap2021": romes, "tension_2021": tension}
    reads = {"metiers_2021": tree_read, "rome_fap2021": romes_read, "tension_2021": tension_read}
    return Loaded(tables, reads)


def _tree(paths: Paths) -> pd.DataFrame:
    """Return one row per code of each level, with the code above it."""
    wide = cells(paths["tree"], separator=";")
    parts, above = [], pd.Series("", index=wide.index)
    for level in LEVELS:
        number = level.removeprefix("fap")
        codes = wide[f"Code_FAP{number}"]
        part = {"metier_2021_code": codes, "label": wide[f"Intitulé_FAP{number}"]}
        parts.append(pd.DataFrame(part | {"level": level, "parent_code": above}).drop_duplicates())
        above = codes
    rows = pd.concat(parts)
    rows["level"] = pd.Categorical(rows["level"], LEVELS)
    rows = rows.sort_values(["level", "metier_2021_code"], ignore_index=True)
    return rows.astype({"level": "str"})
