"""Recruitment tension per métier: the published index as it is, and bounds from the BMO survey."""

import pandas as pd

INDEX_COLUMNS = (
    "tension_index",
    "tension_class",
    "hiring_intensity",
    "training_job_link",
    "labour_shortage",
    "non_durable_jobs",
    "hard_working_conditions",
    "geographic_mismatch",
)
UNITS = {"tension_index": "index", "tension_class": "class_1_to_5"}
SECRET_CELL_BELOW = 5


def published_index(tension: pd.DataFrame) -> pd.DataFrame:
    """Return the published tension index, class and six factors as long rows.

    The index is carried, never re-estimated. Class and factors are those of the last year, the only
    one for which the producer gives them; a métier without them is `nd`.

    Args:
        tension: One row per `metier_code`, `year` with the columns of `INDEX_COLUMNS`; the
            index is centred and scaled on 2014–2018, class and factors go from 1 to 5.

    Returns:
        One row per métier, year and indicator: `metier_code, year, indicator, value, unit,
        status`, in the order of the input and of `INDEX_COLUMNS`.

    Source:
        Dares, Les tensions sur le marché du travail (edition of 2019, FAP-2009).

    Examples:
        >>> table = pd.DataFrame({"metier_code": ["D2Z41"], "year": [2019],
        ...     **{name: [1.0] for name in INDEX_COLUMNS}})
        >>> published_index(table)["indicator"].head(2).tolist()
        ['tension_index', 'tension_class']
    """
    rows = tension.melt(["metier_code", "year"], INDEX_COLUMNS, "indicator", "value")
    rows = rows[(rows["indicator"] == INDEX_COLUMNS[0]) | (rows["year"] == rows["year"].max())]
    rows = rows.reset_index(drop=True)
    rows["value"] = rows["value"].astype("Float64").astype(float)
    rows["unit"] = rows["indicator"].map(UNITS).fillna("quintile_1_to_5")
    rows["status"] = rows["value"].notna().map({True: "value", False: "nd"})
    order = {code: position for position, code in enumerate(dict.fromkeys(tension["metier_code"]))}
    rows = rows.sort_values(
        ["metier_code", "year"],
        key=lambda column: column.map(order) if column.name == "metier_code" else column,
        kind="stable",
    )
    ordered: pd.DataFrame = rows.reset_index(drop=True)
    return ordered


def hard_to_fill(intentions: pd.DataFrame) -> pd.DataFrame:
    """Return national recruitment projects and the share judged hard to fill, as bounds.

    A secret cell hides an estimate below 5. A sum over regions therefore lies between the sum of
    what is shown and that sum plus 5 per secret cell. The share is smallest when every secret cell
    holds easy projects only, largest when it holds hard ones only: a cell whose projects are
    secret hides its hard projects too, and hard projects are never more than projects.

    Args:
        intentions: One row per `metier_code`, `nomenclature`, `region_code`, `year` with
            `projects_count`, `projects_secret_cells_count`, `hard_to_fill_count`,
            `hard_to_fill_secret_cells_count`; an absent count means that all cells are secret.

    Returns:
        Two rows per métier, nomenclature and year: `recruitment_projects_count` (projects) and
        `hard_to_fill_share_pct` (%), with `lower` and `upper`; `value` and status `value` only
        where nothing is secret, otherwise status `s`.

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
    key = ["metier_code", "nomenclature", "year"]
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
