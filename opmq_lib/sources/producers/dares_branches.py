"""Dares' portraits of branches: headcount, firms and wages of each collective agreement."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from opmq_lib.errors import SchemaError
from opmq_lib.sources import embedded
from opmq_lib.sources.grids import PRODUCER as TERMS
from opmq_lib.sources.grids import decoded, whole
from opmq_lib.sources.loading import UNSTATED, Loaded, Paths, Producer, kept, ordered
from opmq_lib.sources.reading import Read

PRODUCER: Final = Producer(
    "portraits_branches",
    "Dares",
    "Portraits statistiques de branches professionnelles",
    UNSTATED,
    "https://dares.travail-emploi.gouv.fr/donnees/"
    "les-portraits-statistiques-de-branches-professionnelles",
    {"portraits": "**/data*.json"},
    ("branch_headcount",),
)
YEAR: Final = 2020
"""Of the figures of the portraits, which do not say it."""
SIZES: Final = {
    "1 à 9 salariés": "share_firms_under_10_pct",
    "10 à 19 salariés": "share_firms_10_to_19_pct",
    "20 à 49 salariés": "share_firms_20_to_49_pct",
    "50 à 99 salariés": "share_firms_50_to_99_pct",
    "100 à 249 salariés": "share_firms_100_to_249_pct",
    "250 à 499 salariés": "share_firms_250_to_499_pct",
    "500 salariés ou plus": "share_firms_500_or_more_pct",
}
CLASSES: Final = {
    "Cadre": "managers",
    "Profession intermédiaire": "intermediate",
    "Employé": "clerks",
    "Ouvrier": "workers",
}
_GROUPS: Final = {"Femmes": "women", "Hommes": "men"} | CLASSES
_WAGES: Final = {"Ensemble": "all"} | _GROUPS


def load(paths: Paths) -> Loaded:
    """Return table `branch_headcount`: the agreements of the study that have a portrait.

    Args:
        paths: `portraits`.

    Returns:
        One row per agreement. One of managers alone has no wage of workers; what the producer
        writes `//` is missing too.

    Raises:
        SchemaError: If the file is no list of portraits, or one lacks a part.
    """
    path = paths["portraits"]
    content = whole(path, path.name, TERMS)
    expected, fix = "the JSON of the portraits", "download it again"
    try:
        portraits = json.loads(decoded(content, path.name, TERMS))
        every = pd.DataFrame([_row(portrait) for portrait in portraits])
    except (ValueError, RecursionError) as error:
        raise SchemaError.of(path.name, f"not readable: {error}", expected, fix) from error
    except (KeyError, TypeError, AttributeError) as error:
        what = f"a portrait lacks a part: {error}"
        raise SchemaError.of(path.name, what, expected, fix) from error
    history = embedded.load("idcc_history")[["idcc_code", "branch_code"]]
    rows = every.merge(history, "left", "idcc_code").fillna({"branch_code": ""})
    drop = {"hors des branches étudiées": rows["branch_code"] == ""}
    read = Read(rows, path.name, hashlib.sha256(content).hexdigest())
    table, record = kept(rows, read, PRODUCER, drop, str(YEAR))
    table = ordered(table, "idcc_code")
    return {"branch_headcount": (table, record)}


def _row(portrait: Mapping[str, Any]) -> dict[str, Any]:
    firms, counts = portrait["entreprises"], portrait["chiffres"]["effectifs"]
    wages = portrait["salaires"]
    sizes = {size["title"]: _number(size) for size in firms["repartition"]}
    shares = {column: round(sizes[title], 4) for title, column in SIZES.items()}
    under_50 = [title for title in SIZES if int(re.findall(r"\d+", title)[-1]) < 50]
    return {
        "idcc_code": portrait["idcc"],
        "year": YEAR,
        "employees_headcount": _number(counts["count"]),
        "employees_fte": _number(counts["etp"]),
        "firms_main_idcc_count": firms["entreprises"]["count"],
        "firms_any_employee_count": firms["entreprises"]["total"],
        "establishments_main_idcc_count": firms["etablissements"]["count"],
        "establishments_any_employee_count": firms["etablissements"]["total"],
        **shares,
        "share_firms_under_50_pct": round(sum(sizes[title] for title in under_50), 4),
        **{
            f"wage_{who}_eur_per_month": _number(wages["moyen"].get(title))
            for title, who in _WAGES.items()
        },
        "wage_gap_pct": round(_number(wages["ecartHF"]["Ensemble"]), 4),
        "share_under_1_05_smic_pct": _number(wages["repartitionSMIC105"]["Ensemble"]),
        **{
            f"share_under_1_05_smic_{who}_pct": _number(wages["repartitionSMIC105"].get(title))
            for title, who in _GROUPS.items()
        },
    }


def _number(leaf: Mapping[str, Any] | None) -> float:
    """Return what a leaf says of the agreement itself, `NaN` where it is not published."""
    value = None if leaf is None else leaf.get("idcc")
    return float("nan") if value in {None, "//"} else float(value)
