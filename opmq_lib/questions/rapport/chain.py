"""Step of `00_rapport`: the results of every question."""

import pandas as pd

from opmq_lib.sources import study

NOTEBOOKS = (
    "07_que_faire",
    "01_emplois",
    "02_besoins",
    "03_tensions",
    "04_coeurs_strategiques",
    "05_competences",
    "06_demandes",
)
COMMON = ("12_etudes",)
"""Notebooks that run once for all branches."""


def read(edition_id: str | None, branch_code: str) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the result tables of every question, by notebook; empty where it has not run.

    Args:
        edition_id: An edition of `outputs/`; none gives nothing at all.
        branch_code: The branch.
    """
    if edition_id is None:
        return {}
    folders = dict.fromkeys(NOTEBOOKS, branch_code) | dict.fromkeys(COMMON, "commun")
    return {name: study.read_results(edition_id, code, name) for name, code in folders.items()}
