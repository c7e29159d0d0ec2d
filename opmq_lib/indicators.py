"""The long indicator table: built from parts, and read one cell at a time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from opmq_lib.contracts import INDICATOR_COLUMNS, check

ALL_METIERS = "ENS"
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


def stack(parts: Sequence[pd.DataFrame], branch_code: str, where: str) -> pd.DataFrame:
    """Return parts as one checked indicator table, what they leave out filled in.

    Args:
        parts: Each with at least `year`, `indicator`, `unit`; `status` is `value` or `nd` after the
            value, unless given.
        branch_code: For parts that name no branch.
        where: Name of the table, for messages.

    Returns:
        The columns of `contracts.INDICATOR_COLUMNS`, parts in order.

    Raises:
        DataError: If the table breaks its contract.

    Examples:
        >>> part = {"year": [2020], "indicator": "branch_headcount", "unit": "headcount"}
        >>> table = stack([pd.DataFrame(part)], "chaux", "emplois")
        >>> table[["branch_code", "status"]].to_dict("records")
        [{'branch_code': 'chaux', 'status': 'nd'}]
    """
    blank = {"branch_code": branch_code} | BLANK
    filled = []
    for part in parts:
        missing = {name: value for name, value in blank.items() if name not in part}
        complete = part.assign(**missing).astype({"value": "float64", "units_count": "Int64"})
        by_value = complete["value"].notna().map({True: "value", False: "nd"})
        complete["status"] = complete["status"].astype("object").fillna(by_value).astype("str")
        filled.append(complete[list(INDICATOR_COLUMNS)])
    return check("indicators", pd.concat(filled, ignore_index=True), where)


def select(
    table: pd.DataFrame,
    *indicators: str,
    metier_code: str | None = None,
    year: int | None = None,
) -> pd.DataFrame:
    """Return the rows of some indicators, with their row numbers as index.

    Examples:
        >>> table = pd.DataFrame({"indicator": ["a", "b"], "metier_code": ["X", "Y"], "year": 2018})
        >>> select(table, "b", year=2018).index.tolist()
        [1]
    """
    chosen = table["indicator"].isin(indicators)
    if metier_code is not None:
        chosen &= table["metier_code"] == metier_code
    if year is not None:
        chosen &= table["year"] == year
    return table.loc[chosen]


def row_of(
    table: pd.DataFrame, indicator: str, metier_code: str = ALL_METIERS, year: int | None = None
) -> int | None:
    """Return the number of the first row of an indicator, métier and year, if there is one."""
    rows: list[int] = select(table, indicator, metier_code=metier_code, year=year).index.tolist()
    return rows[0] if rows else None


def largest_first(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows by decreasing value; equal values by métier."""
    return rows.sort_values(["value", "metier_code"], ascending=[False, True])


def last_year(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the last year there is."""
    latest: pd.DataFrame = rows.loc[rows["year"] == rows["year"].max()]
    return latest


def codes(rows: pd.DataFrame) -> list[str]:
    """Return the métier codes of rows, in their order."""
    found: list[str] = rows["metier_code"].tolist()
    return found
