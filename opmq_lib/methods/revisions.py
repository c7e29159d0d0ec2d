"""What changed between two versions of a result table, cell by cell."""

from io import BytesIO
from typing import Final

import pandas as pd

from opmq_lib import tables

IDENTITY: Final = frozenset().union(*tables.KEYS.values()) - {
    *("label", "rank", "reason", "signal", "source_code")
}
"""Columns that say what a row is of, whichever table it stands in; others are what it says."""
LABELS: Final = ("branch_code", "metier_code", "year")
"""Those of them that readers look for first."""
COLUMNS: Final = (*LABELS, "row", "column", "change", "before", "after")
SCORED: Final = (
    *("branch_code", "metier_code", "cutoff_year", "year", "lower", "forecast", "upper"),
    *("observed", "start_revision", "error", "is_covered"),
)
_HEADS: Final = "employment_headcount"
_MAIN: Final = "value"
_CUTOFF: Final = "cutoff_year"
"""Where a table has one, it is that of its edition: it tells no row from another."""
_TWICE: Final = "occurrence"


def read(content: bytes) -> pd.DataFrame:
    """Return a result table as its file is written: every cell a text."""
    return pd.read_csv(BytesIO(content), dtype="str", keep_default_na=False)


def changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the cells that differ between two versions of a table, and rows of one version only.

    Args:
        before: A table, from `read`.
        after: The same table, later.

    Returns:
        `branch_code`, `metier_code`, `year` (empty where the table has none), `row` (the other
        columns that identify it), `column`, `change` (`revised`, `added`, `removed`), `before`,
        `after`; of an added or removed row, its value if it has one.

    Examples:
        >>> old = pd.DataFrame({"metier_code": ["A", "B"], "year": "2018", "value": ["1.0", "2.0"]})
        >>> new = pd.DataFrame({"metier_code": ["A", "C"], "year": "2018", "value": ["1.5", "3.0"]})
        >>> changes(old, new)[["metier_code", "change", "before", "after"]].to_numpy().tolist()
        [['A', 'revised', '1.0', '1.5'], ['B', 'removed', '2.0', ''], ['C', 'added', '', '3.0']]
    """
    if before.equals(after):
        return pd.DataFrame(columns=[*COLUMNS], dtype="str")
    if all(len(set(table.get(_CUTOFF, ()))) == 1 for table in (before, after)):
        before, after = (table.drop(columns=_CUTOFF) for table in (before, after))
    names = [name for name in before if name in IDENTITY and name in after]
    old, new = _long(before, names), _long(after, names)
    both = old.merge(new, "outer", [*names, _TWICE, "column"], suffixes=("_before", "_after"))
    cells = ["cell_before", "cell_after"]
    counts = both.groupby([*names, _TWICE], dropna=False)[cells].transform("count")
    change = pd.Series("revised", index=both.index)
    change[counts["cell_before"].eq(0)] = "added"
    change[counts["cell_after"].eq(0)] = "removed"
    main = _MAIN if _MAIN in both["column"].to_numpy() else both["column"].iloc[0]
    differs = both["cell_before"].ne(both["cell_after"])
    found = both[differs & (change.eq("revised") | both["column"].eq(main))].fillna("")
    others = [name for name in names if name not in LABELS]
    return pd.DataFrame(
        {
            **{name: found[name] if name in names else "" for name in LABELS},
            "row": [
                ", ".join(f"{name}={cell}" for name, cell in zip(others, row, strict=True) if cell)
                for row in found[others].to_numpy()
            ],
            "column": found["column"],
            "change": change[found.index],
            "before": found["cell_before"],
            "after": found["cell_after"],
        }
    ).reset_index(drop=True)


def _long(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return one row a cell; rows that their identity does not tell apart are numbered."""
    numbered = table.assign(**{_TWICE: table.groupby(names).cumcount() if names else table.index})
    return numbered.melt([*names, _TWICE], var_name="column", value_name="cell")


def scored(
    projections: pd.DataFrame, jobs_before: pd.DataFrame, jobs_after: pd.DataFrame
) -> pd.DataFrame:
    """Return the forecasts of an edition beside what the next one has for the same years.

    Args:
        projections: Rows of `PROJECTION_COLUMNS`, of one edition; the reference scenario counts.
        jobs_before: Indicator rows of the same edition: `employment_headcount` by year.
        jobs_after: Those of the next one.

    Returns:
        A row per branch, métier and year: `cutoff_year`, `forecast`, `lower`, `upper` (80 %),
        `observed` in heads, `error` (observed less forecast), of which `start_revision`: what the
        level of the cut-off year has been revised by; `is_covered`, 1 if in the interval, else 0.

    Source:
        V1, V2 of the method page.

    Examples:
        >>> key = {"branch_code": "chimie", "metier_code": "E2Z70", "year": 2019}
        >>> asked = {"scenario_code": "reference", "quantity": "employment_headcount"}
        >>> levels = pd.DataFrame({"quantile_level": [0.1, 0.5, 0.9], "value": [90.0, 100, 110]})
        >>> was = levels.assign(**key, **asked, cutoff_year=2018)
        >>> def jobs(year, heads):
        ...     row = key | {"year": year, "indicator": "employment_headcount", "value": heads}
        ...     return pd.DataFrame([row])
        >>> now = pd.concat([jobs(2018, 97.0), jobs(2019, 105.0)])
        >>> found = scored(was, jobs(2018, 95.0), now)
        >>> found[["error", "start_revision", "is_covered"]].iloc[0].tolist()
        [5.0, 2.0, 1.0]
    """
    key = ["branch_code", "metier_code"]
    is_asked = projections["scenario_code"].eq("reference") & projections["quantity"].eq(_HEADS)
    wide = projections[is_asked].pivot_table(
        index=[*key, "cutoff_year", "year"], columns="quantile_level", values="value"
    )
    made = wide[[0.1, 0.5, 0.9]].set_axis(["lower", "forecast", "upper"], axis=1).reset_index()
    before, after = (
        jobs.loc[jobs["indicator"].eq(_HEADS), [*key, "year", "value"]]
        for jobs in (jobs_before, jobs_after)
    )
    starts = before.merge(after, on=[*key, "year"], suffixes=("_before", "_after"))
    starts["start_revision"] = starts["value_after"] - starts["value_before"]
    starts = starts.rename(columns={"year": "cutoff_year"})[[*key, "cutoff_year", "start_revision"]]
    seen = made.merge(after.rename(columns={"value": "observed"}), on=[*key, "year"])
    seen = seen.merge(starts, "left", on=[*key, "cutoff_year"]).dropna(subset=["observed"])
    seen["error"] = seen["observed"] - seen["forecast"]
    seen["is_covered"] = seen["observed"].between(seen["lower"], seen["upper"]).astype("int64")
    return seen[[*SCORED]]
