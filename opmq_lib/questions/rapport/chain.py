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
RECOMMENDED = ("demandes", "demandes_suites")
"""Tables of `06_demandes` that say what became of recommendations: told among works."""
COMMON = ("12_travaux",)
"""Notebooks that run once for all branches."""


def read(edition_id: str | None, branch_code: str) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the result tables of every question, by notebook; empty where it has not run.

    Args:
        edition_id: An edition of `outputs/`; none gives nothing at all.
        branch_code: The branch.

    Examples:
        >>> read(None, "chimie")
        {}
    """
    if edition_id is None:
        return {}
    folders = dict.fromkeys(NOTEBOOKS, branch_code) | dict.fromkeys(COMMON, "commun")
    read = {name: study.read_results(edition_id, code, name) for name, code in folders.items()}
    works, asked = read["12_travaux"], read["06_demandes"]
    if works:
        works |= {name: asked[name] for name in RECOMMENDED if name in asked}
    return read
