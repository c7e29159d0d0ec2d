"""Hiring intentions (survey BMO): what secret cells allow, and one series through a crosswalk.

FAP-2009 and FAP-2021 are two lists: some codes exist in both and mean something else (`G0A40` among
them), so no count passes from one to the other without a crosswalk.
"""

import pandas as pd

from opmq_lib.errors import CoherenceError, Defect

OLD, NEW = "FAP-2009", "FAP-2021"
SECRET_CELL_MOST = 4
"""Most projects that a secret cell hides: the least shown are 5, in whole numbers."""
COUNTS = [
    "projects_count",
    "projects_secret_cells_count",
    "hard_to_fill_count",
    "hard_to_fill_secret_cells_count",
]


def hard_to_fill(intentions: pd.DataFrame, by_region: bool = False) -> pd.DataFrame:
    """Return recruitment projects and the share judged hard to fill, as bounds.

    A secret cell hides at most 4. A sum over regions therefore lies between the sum of what is
    shown and that sum plus 4 per secret cell. The share is smallest when every secret cell
    holds easy projects only, largest when it holds hard ones only: a cell whose projects are
    secret hides its hard projects too, and hard projects are never more than projects.

    Args:
        intentions: One row per `metier_code`, `nomenclature`, `region_code`, `year` with `COUNTS`;
            an absent count means that all cells are secret.
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
        >>> hard_to_fill(cells)[["lower", "upper"]].round(1).to_numpy().tolist()
        [[90.0, 98.0], [61.2, 77.6]]
    """
    key = ["metier_code", "nomenclature", "year", *["region_code"] * by_region]
    shown = intentions[key].join(_as_floats(intentions[COUNTS]))
    sums = shown.groupby(key, sort=True)[COUNTS].sum()
    projects, projects_secret, hard, hard_secret = (sums[name] for name in COUNTS)
    projects_most = projects + SECRET_CELL_MOST * projects_secret
    hard_most = hard + SECRET_CELL_MOST * hard_secret
    counted = pd.DataFrame({"lower": projects, "upper": projects_most}).assign(
        indicator="recruitment_projects_count", unit="projects", secret=projects_secret
    )
    share = pd.DataFrame(
        {
            "lower": 100 * hard / projects_most,
            "upper": (100 * hard_most / projects_most).clip(upper=100),
        }
    ).assign(indicator="hard_to_fill_share_pct", unit="pct", secret=projects_secret + hard_secret)
    rows = pd.concat([counted, share]).sort_index(kind="stable").reset_index()
    is_exact = rows.pop("secret") == 0
    return rows.assign(
        value=rows["lower"].where(is_exact), status=is_exact.map({True: "value", False: "s"})
    )


def in_new_nomenclature(intentions: pd.DataFrame, crosswalk: pd.DataFrame) -> pd.DataFrame:
    """Return hiring intentions of both nomenclatures as one series in FAP-2021.

    Args:
        intentions: As for `hard_to_fill`.
        crosswalk: Official passage `metier_code` (FAP-2009) → `metier_2021_code` with `share`;
            the shares of a code sum to 1.

    Returns:
        The keys and `COUNTS`, all in FAP-2021; they add up to what was given.

    Raises:
        CoherenceError: If the crosswalk lacks a code and would lose its projects; every such code
            is named.

    Examples:
        >>> table = pd.DataFrame({"metier_code": "G0A40", "nomenclature": [OLD, NEW],
        ...     "region_code": "84", "year": [2023, 2024]} | dict.fromkeys(COUNTS, 1.0))
        >>> links = pd.DataFrame({"metier_code": "G0A40", "metier_2021_code": ["G0A40", "G0A41"],
        ...     "share": [0.25, 0.75]})
        >>> moved = in_new_nomenclature(table, links)
        >>> moved[["metier_code", "year", "projects_count"]].to_numpy().tolist()
        [['G0A40', 2023, 0.25], ['G0A40', 2024, 1.0], ['G0A41', 2023, 0.75]]
    """
    keys = ["metier_code", "nomenclature", "region_code", "year"]
    counts = intentions[keys].join(_as_floats(intentions[COUNTS]))
    is_old = counts["nomenclature"] == OLD
    linked = counts[is_old].merge(crosswalk, on="metier_code", how="left")
    expected, fix = "every FAP-2009 code of the survey", "add its lines: its projects would be lost"
    CoherenceError.refuse(
        Defect(f"crosswalk, {code}", "the code has no line", expected, fix)
        for code in sorted(set(linked.loc[linked["share"].isna(), "metier_code"]))
    )
    linked[COUNTS] = linked[COUNTS].mul(linked["share"], axis="index")
    moved = linked.assign(metier_code=linked["metier_2021_code"], nomenclature=NEW)
    whole = pd.concat([moved[[*keys, *COUNTS]], counts[~is_old]])
    return whole.groupby(keys, as_index=False, sort=True)[COUNTS].sum()


def _as_floats(counts: pd.DataFrame) -> pd.DataFrame:
    return counts.astype("Float64").fillna(0).astype(float)
