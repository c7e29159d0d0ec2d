"""Hiring intentions and the share judged hard to fill, with secrecy as bounds (BMO survey)."""

import pandas as pd

SECRET_CELL_BELOW = 5
LEAST_BASINS = 10
"""Fewest ROME × basin pairs of a share: under it the share says nothing (convention)."""


def hard_to_fill(intentions: pd.DataFrame, by_region: bool = False) -> pd.DataFrame:
    """Return recruitment projects and the share judged hard to fill, as bounds.

    A secret cell hides an estimate below 5. A sum over regions therefore lies between the sum of
    what is shown and that sum plus 5 per secret cell. The share is smallest when every secret cell
    holds easy projects only, largest when it holds hard ones only: a cell whose projects are
    secret hides its hard projects too, and hard projects are never more than projects.

    Args:
        intentions: One row per `metier_code`, `nomenclature`, `region_code`, `year` with
            `projects_count`, `projects_secret_cells_count`, `hard_to_fill_count`,
            `hard_to_fill_secret_cells_count`; an absent count means that all cells are secret.
        by_region: One sum per region instead of one for the whole country.

    Returns:
        Two rows per métier, nomenclature, year and, if asked for, region:
        `recruitment_projects_count` (projects) and `hard_to_fill_share_pct` (%), with `lower` and
        `upper`; `value` and status `value` only where nothing is secret, otherwise status `s`.

    Source:
        France Travail, enquête Besoins en main-d'œuvre; bounds: description of the secret cells.

    Examples:
        >>> cells = pd.DataFrame({
        ...     "metier_code": "G1Z70", "nomenclature": "FAP-2009", "year": 2023,
        ...     "region_code": ["11", "84"],
        ...     "projects_count": [80.0, 10.0], "projects_secret_cells_count": [0, 2],
        ...     "hard_to_fill_count": [60.0, None], "hard_to_fill_secret_cells_count": [0, 4]})
        >>> hard_to_fill(cells)[["lower", "upper", "status"]].values.tolist()
        [[90.0, 100.0, 's'], [60.0, 80.0, 's']]
    """
    key = ["metier_code", "nomenclature", "year", *["region_code"] * by_region]
    counts = [
        "projects_count",
        "projects_secret_cells_count",
        "hard_to_fill_count",
        "hard_to_fill_secret_cells_count",
    ]
    shown = intentions[counts].astype("Float64").fillna(0).astype(float)
    sums = pd.concat([intentions[key], shown], axis=1).groupby(key, sort=True)[counts].sum()
    projects, projects_secret, hard, hard_secret = (sums[name] for name in counts)
    projects_most = projects + SECRET_CELL_BELOW * projects_secret
    hard_most = hard + SECRET_CELL_BELOW * hard_secret
    ranges = {
        "recruitment_projects_count": (projects, projects_most, projects_secret == 0, "projects"),
        "hard_to_fill_share_pct": (
            100 * hard / projects_most,
            (100 * hard_most / projects_most).clip(upper=100),
            (projects_secret == 0) & (hard_secret == 0),
            "pct",
        ),
    }
    parts = [
        pd.DataFrame(
            {
                "indicator": indicator,
                "value": lower.where(exact),
                "lower": lower,
                "upper": upper,
                "unit": unit,
                "status": exact.map({True: "value", False: "s"}),
            }
        )
        for indicator, (lower, upper, exact, unit) in ranges.items()
    ]
    return pd.concat(parts).sort_index(kind="stable").reset_index()


def high_tension_basins(basins: pd.DataFrame, fap_rome: pd.DataFrame) -> pd.DataFrame:
    """Return, by métier and region, the share of published basins in class 4 or 5, in %.

    The unit counted is a ROME record in a basin. A ROME tied to several métiers counts for each
    of them: the share is a fact about its ROME records, not about the métier's hires.

    Args:
        basins: `rome_code, region_code, year, basins_count, high_tension_basins_count`.
        fap_rome: `metier_code, rome_code`.

    Returns:
        `high_tension_basins_share_pct`, one row per métier and region that has a published basin:
        `metier_code, region_code, year, indicator, value, unit`.

    Source:
        Pôle emploi, tension by ROME and basin, 2021 (copy of Mobiville).

    Examples:
        >>> basins = pd.DataFrame({"rome_code": ["H2903", "H2901"], "region_code": "84",
        ...     "year": 2021, "basins_count": [12, 4], "high_tension_basins_count": [10, 2]})
        >>> links = pd.DataFrame({"metier_code": "D1Z41", "rome_code": ["H2903", "H2901"]})
        >>> high_tension_basins(basins, links)["value"].tolist()
        [75.0]
    """
    counts = ["basins_count", "high_tension_basins_count"]
    key = ["metier_code", "region_code", "year"]
    linked = fap_rome.merge(basins, on="rome_code")
    sums = linked.groupby(key, sort=True)[counts].sum().astype(float).reset_index()
    share = 100 * sums["high_tension_basins_count"] / sums["basins_count"]
    share = share.where(sums["basins_count"] >= LEAST_BASINS)
    return sums[key].assign(indicator="high_tension_basins_share_pct", value=share, unit="pct")
