"""The tension index as its producer publishes it, and the classes that its cut-offs give."""

import pandas as pd

CUT_OFF_BRACKETS = (
    (-0.564685, -0.564098),
    (-0.259824, -0.259603),
    (0.129989, 0.131076),
    (0.509663, 0.509706),
)
"""Where classes 1 to 5 part, each known between two published values of 2019 (FAP-2009).

Source: methodology, T1; exact values and those in FAP-2021 are to verify.
"""
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


def class_range(tension_index: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return the lowest and the highest class that an index may be in.

    They differ where the index lies inside one of `CUT_OFF_BRACKETS`.

    Args:
        tension_index: Index without unit; a missing one has no class.

    Returns:
        Two series of classes from 1 to 5, with the index of the argument.

    Source:
        Methodology, T1: cut-offs are fixed, and the same at every geographic level.

    Examples:
        >>> lowest, highest = class_range(pd.Series([-1.0, 0.13, 1.033571]))
        >>> lowest.tolist(), highest.tolist()
        ([1.0, 3.0, 5.0], [1.0, 4.0, 5.0])
    """
    known = tension_index.astype(float)
    lowest, highest = known * 0 + 1, known * 0 + 1
    for low, high in CUT_OFF_BRACKETS:
        lowest += (known > high).where(known.notna())
        highest += (known > low).where(known.notna())
    return lowest, highest


def regional_index(regions: pd.DataFrame) -> pd.DataFrame:
    """Return the published index and class of each region as long rows.

    A class that the producer does not give stays `nd`: it is not derived from the index.

    Args:
        regions: `metier_code, region_code, year, tension_index, tension_class`.

    Returns:
        One row per métier, region and indicator (`tension_index`, `tension_class`):
        `metier_code, region_code, year, indicator, value, unit`.

    Examples:
        >>> table = pd.DataFrame({"metier_code": ["D2Z41"], "region_code": "84", "year": 2019,
        ...     "tension_index": [0.7], "tension_class": [None]})
        >>> regional_index(table)[["indicator", "value"]].to_numpy().tolist()
        [['tension_index', 0.7], ['tension_class', nan]]
    """
    keys = ["metier_code", "region_code", "year"]
    names = list(INDEX_COLUMNS[:2])
    rows = regions.melt(keys, names, "indicator", "value")
    rows["value"] = rows["value"].astype("Float64").astype(float)
    rows["unit"] = rows["indicator"].map(UNITS)
    return rows
