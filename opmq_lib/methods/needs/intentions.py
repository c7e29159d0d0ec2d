"""The other layer: recruitment projects (BMO), gross intentions that are never added to posts.

Employers' intentions count creations and replacements alike, part-time and seasonal jobs, and the
same post several times where people come and go.

Source: method page, E5; France Travail, enquête Besoins en main-d'œuvre.
"""

import pandas as pd

from opmq_lib.methods.tension.survey import SECRET_CELL_MOST, hard_to_fill


def recruitment_projects(intentions: pd.DataFrame) -> pd.DataFrame:
    """Return projects, seasonal projects and the share judged hard to fill, as bounds.

    Args:
        intentions: As for `tension.hard_to_fill`, with `seasonal_count` and
            `seasonal_secret_cells_count`.

    Returns:
        Per métier, nomenclature and year: `recruitment_projects_count`,
        `seasonal_projects_count` (projects), `hard_to_fill_share_pct` (%), with `lower` and
        `upper`; `value` only where nothing is secret, otherwise status `s`.

    Examples:
        >>> cells = pd.DataFrame({
        ...     "metier_code": "G1Z70", "nomenclature": "FAP-2009", "year": 2023,
        ...     "region_code": ["11", "84"],
        ...     "projects_count": [80.0, 10.0], "projects_secret_cells_count": [0, 2],
        ...     "hard_to_fill_count": [60.0, None], "hard_to_fill_secret_cells_count": [0, 4],
        ...     "seasonal_count": [7.0, None], "seasonal_secret_cells_count": [0, 1]})
        >>> found = recruitment_projects(cells).set_index("indicator")
        >>> found.loc["seasonal_projects_count", ["lower", "upper"]].tolist()
        [7.0, 11.0]
    """
    key = ["metier_code", "nomenclature", "year"]
    counts = ["seasonal_count", "seasonal_secret_cells_count"]
    shown = intentions[counts].astype("Float64").fillna(0).astype(float)
    sums = pd.concat([intentions[key], shown], axis=1).groupby(key, sort=True)[counts].sum()
    lower, secret = sums[counts[0]], sums[counts[1]]
    seasonal = pd.DataFrame(
        {
            "indicator": "seasonal_projects_count",
            "value": lower.where(secret == 0),
            "lower": lower,
            "upper": lower + SECRET_CELL_MOST * secret,
            "unit": "projects",
            "status": (secret == 0).map({True: "value", False: "s"}),
        }
    ).reset_index()
    return pd.concat([hard_to_fill(intentions), seasonal], ignore_index=True)
