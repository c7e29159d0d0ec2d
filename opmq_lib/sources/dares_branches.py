"""Dares' portraits of branches: headcount, firms and wages of each collective agreement."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from opmq_lib.sources.loading import Edition, Loaded, Paths, kept

FILES: Final = {"portraits": "data.json"}
EDITION: Final = Edition(
    "Dares",
    "Portraits statistiques de branches professionnelles",
    "2020",
    "licence non indiquée dans la copie",
)
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
    """Return table `branch_headcount` for every agreement that has a portrait.

    Args:
        paths: One file for each name of `FILES`.

    Returns:
        One row per agreement, of the year of the edition: the columns of the contract but for
        `branch_code`, which is the project's. An agreement of managers alone has no wage of
        workers; what the producer writes `//` is missing too.
    """
    path = paths["portraits"]
    portraits = json.loads(path.read_text(encoding="utf-8"))
    rows = pd.DataFrame([_row(portrait) for portrait in portraits])
    table, record = kept(rows.sort_values("idcc_code", ignore_index=True), path, EDITION, {})
    return Loaded({"branch_headcount": table}, {"branch_headcount": record})


def _row(portrait: Mapping[str, Any]) -> dict[str, Any]:
    firms, counts = portrait["entreprises"], portrait["chiffres"]["effectifs"]
    wages = portrait["salaires"]
    sizes = {size["title"]: _number(size) for size in firms["repartition"]}
    shares = {column: round(sizes[title], 4) for title, column in SIZES.items()}
    under_50 = [title for title in SIZES if int(re.findall(r"\d+", title)[-1]) < 50]
    return {
        "idcc_code": portrait["idcc"],
        "year": int(EDITION.period),
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
