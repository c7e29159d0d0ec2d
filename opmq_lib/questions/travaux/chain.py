"""Steps of `12_travaux`: where works stand, what studies cover, what several branches study."""

import pandas as pd

from opmq_lib.sources import study

NOTEBOOK, COMMON = "12_travaux", "commun"
TABLE, LISTED, METIERS, DECIDED = "travaux", "travaux_liste", "travaux_metiers", "travaux_decisions"


def before(edition_id: str | None) -> pd.DataFrame | None:
    """Return the list of works of an earlier edition; none without one, or without a list.

    Examples:
        >>> before(None) is None
        True
    """
    if edition_id is None:
        return None
    listed = study.read_results(edition_id, COMMON, NOTEBOOK).get(LISTED)
    return None if listed is None else listed.fillna("")


def results(
    review: pd.DataFrame, listed: pd.DataFrame, metiers: pd.DataFrame, decided: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return the result tables, from the steps of `opmq_lib.methods.works`.

    Returns:
        `travaux` (table `work_review`), `travaux_liste` (`work_list`, public works only),
        `travaux_metiers` (`work_metiers`) and `travaux_decisions` (`work_decisions`).
    """
    return {TABLE: review, LISTED: listed, METIERS: metiers, DECIDED: decided}
