"""Why a métier is in tension: combinations of factor quintiles, a convention of the project."""

import pandas as pd

from opmq_lib.methods.tension.published import INDEX_COLUMNS

FACTORS = INDEX_COLUMNS[2:]
TENSE_FROM_CLASS = 4
"""Published class from which a métier is said to be in tension; source: convention."""


def profiles_of(factors: pd.Series, profiles: pd.DataFrame) -> list[str]:
    """Return the profiles whose conditions all hold, in the order of the table.

    Args:
        factors: Published quintiles (1 to 5) by name of `FACTORS`; missing where not published.
        profiles: Rows of `tension_profiles`: in `<factor>_range` a quintile (`4`), a range (`4-5`)
            or nothing.

    Returns:
        Codes of profiles. A condition on a missing factor does not hold: a blank is no middle.

    Source:
        Convention of the project (`parameters/tables/tension_profiles.csv`), not an official
        typology; factors: methodology, T2.

    Examples:
        >>> blank = {f"{name}_range": [""] for name in FACTORS}
        >>> table = pd.DataFrame({"profile_code": ["training"]} | blank | {
        ...     "labour_shortage_range": ["4-5"], "training_job_link_range": ["5"]})
        >>> profiles_of(pd.Series({"labour_shortage": 4, "training_job_link": 5}), table)
        ['training']
        >>> profiles_of(pd.Series({"labour_shortage": 4}), table)
        []
    """
    return [
        str(row["profile_code"])
        for row in profiles.to_dict("records")
        if all(
            _holds(factors.get(name), str(wanted))
            for name in FACTORS
            if (wanted := row[f"{name}_range"])
        )
    ]


def _holds(quintile: float | None, wanted: str) -> bool:
    least, _, most = wanted.partition("-")
    if quintile is None or pd.isna(quintile):
        return False
    return int(least) <= int(quintile) <= int(most or least)
