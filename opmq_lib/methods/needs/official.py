"""The official projections of employment, by family of métiers, for the whole country."""

import pandas as pd

from opmq_lib.tables.fap import FAMILY_LENGTH

FAMILIES = {
    "D0Z": "D0A",
    "D3Z": "D0A",
    "F0Z": "F0A",
    "F1Z": "F0A",
    "F2Z": "F2A",
    "F3Z": "F2A",
    "K0Z": "XK_",
    "X0Z": "XK_",
}
"""Families (FAP-87) that the projections publish together."""
_KEY, _YEARS = "metier_code", ["base_year", "horizon_year"]
_BASE = "employment_headcount"
_GROUPED = ";"


def official_family(metier_codes: pd.Series) -> pd.Series:
    """Return the family of the projections that holds each métier.

    Examples:
        >>> official_family(pd.Series(["D0Z20", "D3Z20", "E1Z41", "G0A"])).tolist()
        ['D0A', 'D0A', 'E1Z', 'G0A']
    """
    families: pd.Series = metier_codes.str[:FAMILY_LENGTH].replace(FAMILIES)
    return families


def national(official: pd.DataFrame) -> pd.DataFrame:
    """Return the official projections of each family, regions added up.

    Where a region groups several families in one row, each of its numbers is shared out by the
    employment that these families have in the regions that publish them alone.

    Args:
        official: Table `official_projections`, in heads: one row per family, or group of families
            separated by `;`, and region.

    Returns:
        One row per family, by code: the columns of the table but for the region; sums are those of
        the table.

    Source:
        Dares and France Stratégie, “Les métiers en 2030”; the sharing out is a convention of the
        project, 0.2 % of employment.

    Examples:
        A third of what the island publishes for both goes to the smaller family:

        >>> rows = [("A", "84", 200.0, 20.0), ("B", "84", 100.0, -4.0), ("A;B", "94", 30.0, 3.0)]
        >>> heads = ["employment_headcount", "net_creation_headcount"]
        >>> table = pd.DataFrame(rows, columns=["metier_code", "region_code", *heads])
        >>> national(table.assign(base_year=2019, horizon_year=2030))[["metier_code", *heads]]
          metier_code  employment_headcount  net_creation_headcount
        0           A                 220.0                    22.0
        1           B                 110.0                    -3.0
    """
    heads = official.columns[official.columns.str.endswith("_headcount")].tolist()
    is_grouped = official[_KEY].str.contains(_GROUPED, regex=False)
    alone = official[~is_grouped]
    base = alone.groupby(_KEY)[_BASE].sum()
    members = (
        official[is_grouped].assign(**{_KEY: official[_KEY].str.split(_GROUPED)}).explode(_KEY)
    )
    weight = members[_KEY].map(base)
    share = weight / weight.groupby(level=0).transform("sum")
    members[heads] = members[heads].mul(share, axis=0)
    return pd.concat([alone, members]).groupby([_KEY, *_YEARS], as_index=False)[heads].sum()
