"""FAP-2021: its tree, its passage from ROME and qualification, and the tension published in it."""

from typing import Final

import pandas as pd

from opmq_lib.sources import loading
from opmq_lib.sources.loading import UNSTATED, Loaded, Made, Makers, Paths, Producer
from opmq_lib.sources.reading import Layout, Read

PRODUCER: Final = Producer(
    "fap2021",
    "Dares",
    "Familles professionnelles, FAP-2021",
    UNSTATED,
    "https://dares.travail-emploi.gouv.fr/donnees/"
    "la-nomenclature-des-familles-professionnelles-2021",
    {
        "tree": "**/Intitules_FAP2021.csv",
        "romes": "**/Dares_Table_passage_ROME_Qualif_to_FAP2021*.csv",
    },
    ("metiers_2021", "rome_fap2021"),
)
LEVELS: Final = ("fap22", "fap86", "fap228", "fap341")
"""Levels of FAP-2021, from the widest."""
TREE: Final = Layout(
    {level: (f"Code_{level}",) for level in LEVELS}
    | {f"{level}_label": (f"Intitulé_{level}",) for level in LEVELS}
)
ROMES: Final = Layout(
    {
        "rome_code": ("ROME",),
        "qualification_code": ("Qualif",),
        "metier_2021_code": ("FAP341",),
    },
    ("Intitule_ROME", "Intitule_FAP341"),
)


def load(paths: Paths) -> Loaded:
    """Return `metiers_2021` (every level) and `rome_fap2021`.

    Args:
        paths: Some of the files of `PRODUCER`.
    """
    makers: Makers = {
        "metiers_2021": ({"tree": TREE}, _tree),
        "rome_fap2021": ({"romes": ROMES}, _romes),
    }
    return loading.load_with(makers, paths)


def _tree(found: Read) -> Made:
    """Return one row per code of each level, with the code above it."""
    wide, record = loading.kept(found.rows, found, PRODUCER)
    parts, above = [], pd.Series("", index=wide.index)
    for level in LEVELS:
        codes = wide[level]
        part = {"metier_2021_code": codes, "label": wide[f"{level}_label"]}
        parts.append(pd.DataFrame(part | {"level": level, "parent_code": above}).drop_duplicates())
        above = codes
    rows = pd.concat(parts)
    rows["level"] = pd.Categorical(rows["level"], LEVELS)
    return loading.ordered(rows, "level", "metier_2021_code").astype({"level": "str"}), record


def _romes(found: Read) -> Made:
    table, record = loading.kept(found.rows, found, PRODUCER)
    return loading.ordered(table), record
