"""Rows of the review: rounded as published, `s` where they may not be."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from opmq_lib.methods.requests.intervals import LEVEL, Numbers
from opmq_lib.methods.requests.levels import levels
from opmq_lib.methods.requests.protection import Flags, Reviewed
from opmq_lib.tables import DESCRIPTIONS

TABLE: Final = "request_review"
ALL_TOPICS: Final = "all"
OTHERS: Final = "autres_regroupes"
"""Topics of a branch that too few companies asked about, taken together."""
KEY: Final = ["branch_code", "size_band", "topic_code"]
COLUMNS: Final = tuple(DESCRIPTIONS[TABLE])


def rows(frame: pd.DataFrame, indicator: str, unit: str, **values: Any) -> pd.DataFrame:
    """Return one indicator: values where they may be published, else `s`; `np` where there is none.

    Args:
        frame: `branch_code`, `size_band`, `published`, and `topic_code`, `reason`, `variant` where
            they matter.
        indicator: Name of the measure.
        unit: Its unit.
        values: `value`, `lower`, `upper`, `numerator_count`, `denominator_count`, `status`,
            `retained`.
    """
    published = frame["published"].to_numpy(dtype=bool)
    keys = [name for name in (*KEY, "reason", "variant") if name in frame]
    table = frame[keys].assign(indicator=indicator, unit=unit)
    for name in ("value", "lower", "upper", "numerator_count", "denominator_count"):
        table[name] = np.where(published, np.asarray(values.get(name, np.nan), float), np.nan)
    state = values.get("status", np.where(np.isnan(table["value"]), "np", "value"))
    table["status"] = np.where(published, state, "s")
    table["retained"] = np.where(published & (table["status"] == "value"),
                                 values.get("retained", ""), "")  # fmt: skip
    return table


def whole(value: Any, lower: Any = np.nan, upper: Any = np.nan) -> dict[str, Numbers]:
    """Return a number and the ends of its interval as published: whole, the ends outwards.

    Examples:
        >>> {name: float(each) for name, each in whole(23.4, 14.6, 35.2).items()}
        {'value': 23.0, 'lower': 14.0, 'upper': 36.0}
    """
    low, high = np.asarray(lower, float), np.asarray(upper, float)
    return {
        "value": np.floor(np.asarray(value, float) + 0.5),
        "lower": np.floor(low + 1e-9),
        "upper": np.ceil(high - 1e-9),
    }


def levels_by_place(
    of: Reviewed, asked: Numbers, unmet: Numbers, published: Flags, **columns: Sequence[str]
) -> pd.DataFrame:
    """Return U1 of every place and part of its requests, in the order of places, then of parts.

    Args:
        of: The period.
        asked: Requests; axes member of a place (`of.row`, `of.place`), part.
        unmet: Of these, not covered.
        published: Whether each may be published; axes place, part.
        columns: Column that names the parts, and their names.

    Returns:
        `branch_code`, `size_band`, the column, `published`, and what `levels` returns.
    """
    width, places = unmet.shape[1], of.published.index
    cell = of.place[:, None] * width + np.arange(width)
    found = levels(asked.ravel(), unmet.ravel(), cell.ravel(), len(places) * width)
    keys = places.to_frame(index=False).loc[np.repeat(np.arange(len(places)), width)]
    named = {column: np.tile(names, len(places)) for column, names in columns.items()}
    table = keys.reset_index(drop=True).assign(topic_code=ALL_TOPICS, published=published.ravel())
    return table.assign(**named, **found)


def share_rows(frame: pd.DataFrame, indicator: str, **values: Any) -> pd.DataFrame:
    """Return a share and its interval in whole %, from `levels_by_place`; `values` as in `rows`."""
    shares = whole(*(100 * frame[name] for name in ("value", "lower", "upper")))
    absent = frame["status"] != "value"
    shares = {name: np.where(absent, np.nan, each) for name, each in shares.items()}
    return rows(frame, indicator, "pct", status=frame["status"], **shares, **values)


def filled(table: pd.DataFrame, last_day: date, origin: str) -> pd.DataFrame:
    """Return rows with every column of the review, in order; what is absent carries no number."""
    counts = {"numerator_count": "Int64", "denominator_count": "Int64"}
    absent = table["status"] != "value"
    for name in ("value", "lower", "upper"):
        table.loc[absent, name] = np.nan
    table.loc[table["status"].isin(["s", "nd"]), list(counts)] = np.nan
    complete = table.assign(
        period_end_on=last_day.isoformat(),
        reason=table["reason"].fillna("all"),
        variant=table["variant"].fillna(""),
        interval_level=np.where(table["lower"].notna(), LEVEL, np.nan),
        nature="observed",
        origin=origin,
    )
    ordered = complete[list(COLUMNS)].astype(counts)
    order = ["branch_code", "indicator", "topic_code", "reason", "variant"]
    return ordered.sort_values(order, kind="stable", ignore_index=True)
