"""The long indicator table: built from parts, and read one cell at a time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opmq_lib.tables import COLUMNS, INDICATOR_COLUMNS, OPTIONAL_COLUMNS, check

ALL_METIERS = "ENS"
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
METROPOLITAN, WHOLE_COUNTRY = "FM", "FR"
BLANK: dict[str, Any] = {
    "metier_code": ALL_METIERS,
    "region_code": METROPOLITAN,
    "value": np.nan,
    "lower": np.nan,
    "upper": np.nan,
    "interval_level": np.nan,
    "units_count": pd.NA,
    "status": pd.NA,
    "nature": "observed",
    "origin": "public",
    "source_code": "",
}
TYPES = {"value": "float64", "units_count": "Int64", "horizon_years": "Int64"}


def stack(parts: Sequence[pd.DataFrame], branch_code: str, where: str) -> pd.DataFrame:
    """Return parts as one checked indicator table, what they leave out filled in.

    Args:
        parts: Each with at least `year`, `indicator`, `unit`; `status` is `value` or `nd` after the
            value, unless given.
        branch_code: For parts that name no branch.
        where: Name of the table, for messages.

    Returns:
        The columns of the contract, of `tables.OPTIONAL_COLUMNS` those that some part has; parts in
        order.

    Raises:
        DataError: If the table breaks its contract.

    Examples:
        >>> part = {"year": [2020], "indicator": "branch_headcount", "unit": "headcount"}
        >>> table = stack([pd.DataFrame(part)], "chaux", "emplois")
        >>> table[["branch_code", "status"]].to_dict("records")
        [{'branch_code': 'chaux', 'status': 'nd'}]
    """
    unused = {name for name in OPTIONAL_COLUMNS if not any(_uses(part, name) for part in parts)}
    columns = [name for name in INDICATOR_COLUMNS if name not in unused]
    absent = {name: "" if COLUMNS[name].kind == "text" else np.nan for name in OPTIONAL_COLUMNS}
    blank = {"branch_code": branch_code} | BLANK | absent
    filled = []
    for part in parts:
        missing = {name: value for name, value in blank.items() if name not in part}
        complete = part.assign(**missing).astype(TYPES)
        by_value = complete["value"].notna().map({True: "value", False: "nd"})
        complete["status"] = complete["status"].astype("object").fillna(by_value).astype("str")
        filled.append(complete[columns])
    return check("indicators", pd.concat(filled, ignore_index=True), where)


def _uses(part: pd.DataFrame, dimension: str) -> bool:
    return dimension in part and bool((part[dimension].notna() & part[dimension].ne("")).any())


def select(table: pd.DataFrame, *indicators: str, **chosen: Any) -> pd.DataFrame:
    """Return the rows of some indicators, with their row numbers as index.

    Args:
        table: Indicators.
        indicators: Their names.
        chosen: Column → value that rows must have; `None`: any.

    Examples:
        >>> table = pd.DataFrame({"indicator": ["mase", "mase"], "model": ["panel", "ets"]})
        >>> select(table, "mase", model="ets").index.tolist()
        [1]
    """
    return table.loc[_are(table, chosen) & table["indicator"].isin(indicators).to_numpy()]


def where(table: pd.DataFrame, **chosen: Any) -> pd.DataFrame:
    """Return the rows that have some values, with their row numbers as index.

    Args:
        table: Any long table.
        chosen: Column → value; `None`: any; `""`: an empty cell, or a table without that column.

    Examples:
        >>> table = pd.DataFrame({"value": [1.0, 2.0], "variant": [None, "later_pension"]})
        >>> where(table, variant="").index.tolist(), where(table, level="").index.tolist()
        ([0], [0, 1])
    """
    return table.loc[_are(table, chosen)]


def _are(table: pd.DataFrame, chosen: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return which rows have the values asked for."""
    kept = np.full(len(table), fill_value=True)
    for column, value in chosen.items():
        if value is None:
            continue
        if column not in table:
            kept &= value == ""
            continue
        cells = table[column].array
        same: Any = cells == value
        has_all = isinstance(same, np.ndarray)
        same = same if has_all else same.to_numpy(bool, na_value=False)
        kept &= same | cells.isna() if value == "" else same
    return kept


def row_of(
    table: pd.DataFrame,
    indicator: str,
    metier_code: str | None = ALL_METIERS,
    year: int | None = None,
    **chosen: Any,
) -> int | None:
    """Return the number of the first row of an indicator, métier and year, if there is one."""
    asked = {"indicator": indicator, "metier_code": metier_code, "year": year, **chosen}
    places = np.flatnonzero(_are(table, asked))
    return int(table.index[places[0]]) if places.size else None


def rows_of(table: pd.DataFrame, indicator: str, **chosen: Any) -> dict[str, int]:
    """Return the number of the first row of each métier that an indicator has.

    Examples:
        >>> table = pd.DataFrame({"indicator": ["x", "y", "y"], "metier_code": ["A", "A", "B"]})
        >>> rows_of(table, "y")
        {'A': 1, 'B': 2}
    """
    rows = select(table, indicator, **chosen)["metier_code"].drop_duplicates()
    return dict(zip(rows, rows.index.tolist(), strict=True))


def with_interval(projections: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Return projected heads as indicator columns: the median and the 80 % interval.

    Args:
        projections: One row per `key` and `quantile_level`; levels 0.1, 0.5 and 0.9 are read.
        key: What tells one projection from another.

    Returns:
        `key`, `value`, `lower`, `upper` (heads), `interval_level`, `unit`, `nature`; one row per
        projection, sorted by `key`.

    Examples:
        >>> rows = {"metier_code": "E2Z80", "quantile_level": [0.1, 0.5, 0.9],
        ...         "value": [9.0, 10, 12]}
        >>> medians = with_interval(pd.DataFrame(rows), ["metier_code"])
        >>> medians[["value", "lower", "upper"]].to_numpy().tolist()
        [[10.0, 9.0, 12.0]]
    """
    read = projections[projections["quantile_level"].isin([LOW, MIDDLE, HIGH])]
    wide = read.pivot(index=list(key), columns="quantile_level", values="value").reset_index()
    return wide[[*key]].assign(
        value=wide[MIDDLE],
        lower=wide[LOW],
        upper=wide[HIGH],
        interval_level=round(HIGH - LOW, 9),
        unit="headcount",
        nature="projection",
    )


def largest_first(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows by decreasing value; equal values by métier."""
    return rows.sort_values(["value", "metier_code"], ascending=[False, True])


def last_year(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the last year there is."""
    latest: pd.DataFrame = rows.loc[rows["year"] == rows["year"].max()]
    return latest


def codes(rows: pd.DataFrame) -> list[str]:
    """Return the métier codes of rows, in their order."""
    return list(rows["metier_code"])
