"""Steps of `12_etudes`: where studies stand, what they cover, what several branches study."""

import pandas as pd

from opmq_lib.tables import check


def results(
    review: pd.DataFrame, listed: pd.DataFrame, metiers: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return the result tables, from the steps of `opmq_lib.methods.studies`.

    Returns:
        `etudes` (table `study_review`), `etudes_liste` (table `study_list`, public studies only)
        and `etudes_metiers` (table `study_metiers`).
    """
    return {
        "etudes": review,
        "etudes_liste": listed,
        "etudes_metiers": check("study_metiers", metiers, "etudes_metiers"),
    }
