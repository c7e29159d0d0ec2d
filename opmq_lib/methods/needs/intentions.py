"""The other layer: recruitment projects (BMO), gross intentions that are never added to posts.

Employers' intentions count creations and replacements alike, part-time and seasonal jobs, and the
same post several times where people come and go.

Source: method page, E5; France Travail, enquête Besoins en main-d'œuvre.
"""

import pandas as pd

from opmq_lib.methods.tension.survey import hard_to_fill


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
    seasonal = intentions.assign(
        projects_count=intentions["seasonal_count"],
        projects_secret_cells_count=intentions["seasonal_secret_cells_count"],
    )
    rows = hard_to_fill(seasonal).query("indicator == 'recruitment_projects_count'")
    rows = rows.assign(indicator="seasonal_projects_count")
    return pd.concat([hard_to_fill(intentions), rows], ignore_index=True)
