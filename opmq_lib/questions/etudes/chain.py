"""Chain of `12_etudes`."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from opmq_lib.methods import studies
from opmq_lib.tables import DESCRIPTIONS, check


def study_results(
    register: pd.DataFrame, branch_codes: Sequence[str], theme_codes: Sequence[str], on: date
) -> dict[str, pd.DataFrame]:
    """Return the review of the register of studies.

    Args:
        register: Table `studies`; maybe without row.
        branch_codes: Branches of the study.
        theme_codes: Themes.
        on: Day of the edition.

    Returns:
        `etudes` (table `study_review`), `etudes_liste` (table `study_list`, public studies only)
        and `etudes_metiers` (table `study_metiers`: métiers that several branches study).
    """
    shared = studies.shared_metiers(register, branch_codes)
    metiers = pd.DataFrame(
        {
            "metier_code": list(shared.index.astype("str")),
            "indicator": "branches_studying_count",
            "value": shared.to_numpy(dtype=float),
            "unit": "branches",
            "status": "value",
            "nature": "observed",
            "origin": "public",
        },
        columns=list(DESCRIPTIONS["study_metiers"]),
    )
    return {
        "etudes": studies.review(register, branch_codes, theme_codes, on),
        "etudes_liste": studies.listed(register, on),
        "etudes_metiers": check("study_metiers", metiers, "etudes_metiers")
        if len(metiers)
        else metiers,
    }
