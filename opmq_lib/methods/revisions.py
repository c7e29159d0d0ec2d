"""What changed between two versions of a result table, cell by cell."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Final

import pandas as pd

from opmq_lib import tables

_KEYS: Final = frozenset().union(*tables.KEYS.values())
IDENTITY: Final = _KEYS - {
    *("label", "rank", "reason", "signal", "source_code"),
    *("notebook", "table", "row", "column"),
}
"""Columns that say what a row is of; where they do not tell rows apart, other keys do too."""
LABELS: Final = ("branch_code", "metier_code", "year")
"""Those of them that readers look for first."""
COLUMNS: Final = (*LABELS, "row", "column", "change", "before", "after")
SCORED: Final = (
    *("branch_code", "metier_code", "cutoff_year", "year", "lower", "forecast", "upper"),
    *("observed", "start_revision", "error", "is_covered", "horizon_year", "horizon_revision"),
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
    names = _identity(before, after)
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
    found[_TWICE] = found[_TWICE].replace(0, "")
    others = [*(name for name in names if name not in LABELS), _TWICE]
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


def _identity(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    """Return the columns that tell the rows of both versions apart."""
    known = [name for name in before if name in _KEYS and name in after]
    names = [name for name in known if name in IDENTITY]
    is_enough = names and not any(each.duplicated(names).any() for each in (before, after))
    return names if is_enough else known


def known_rows(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a later version whose identity an earlier one has: revised, not new."""
    names = _identity(before, after)
    known = pd.MultiIndex.from_frame(before[names])
    return after[pd.MultiIndex.from_frame(after[names]).isin(known)]


def apart(
    before: pd.DataFrame,
    cells: pd.DataFrame,
    causes: Sequence[str],
    steps: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Return how much of each change is due to each of its causes, one replaced after the other.

    Args:
        before: A table, from `read`.
        cells: Its cells that changed, from `changes`.
        causes: Of the change, in the order in which they are replaced.
        steps: Cause → the table once that cause and those before it are replaced; where it is not
            there, that cause and the next one are not told apart.

    Returns:
        A column per cause, one row per row of `cells`, in the unit of the cell. Empty where a cause
        is not told apart, and where the change is no difference of two numbers.

    Examples:
        >>> table = pd.DataFrame({"metier_code": ["A"], "year": "2018", "value": ["10"]})
        >>> cells = changes(table, table.assign(value="16"))
        >>> steps = {"new_data": table.assign(value="12")}
        >>> apart(table, cells, ["new_data", "method"], steps).to_numpy().tolist()
        [[2.0, 4.0]]
        >>> apart(table, cells, ["new_data", "method"], {}).isna().all().all()
        np.True_
    """
    key = ["metier_code", "year", "row", "column"]
    was, now = (pd.to_numeric(cells[name], errors="coerce") for name in ("before", "after"))
    found = pd.DataFrame(index=cells.index)
    last, is_apart = was, True
    for cause in causes:
        value: pd.Series | None = now
        if cause != causes[-1]:
            made = steps.get(cause)
            moved = None if made is None else changes(before, made).drop_duplicates(key)
            value = None if moved is None else _reached(cells[key], moved.set_index(key), was)
        if value is None:
            found[cause], is_apart = float("nan"), False
            continue
        found[cause] = value - last if is_apart else float("nan")
        last, is_apart = value, True
    return found.astype("float64")


def _reached(key: pd.DataFrame, moved: pd.DataFrame, was: pd.Series) -> pd.Series:
    """Return the value of each cell at a step: as it was, unless it has moved by then."""
    places = pd.MultiIndex.from_frame(key)
    after = pd.to_numeric(moved["after"], errors="coerce").reindex(places).to_numpy()
    return was.where(~places.isin(moved.index), after)


def _long(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return one row a cell; rows that their identity does not tell apart are numbered."""
    numbered = table.assign(**{_TWICE: table.groupby(names).cumcount() if names else table.index})
    return numbered.melt([*names, _TWICE], var_name="column", value_name="cell")


def scored(
    projections_before: pd.DataFrame,
    jobs_before: pd.DataFrame,
    projections_after: pd.DataFrame,
    jobs_after: pd.DataFrame,
) -> pd.DataFrame:
    """Return the forecasts of an edition beside what the next one has for the same years.

    Args:
        projections_before: Rows of `PROJECTION_COLUMNS`, of one edition; the reference scenario
            counts. A branch without any gives no row.
        jobs_before: Indicator rows of the same edition: `employment_headcount` by year.
        projections_after: Those of the next one.
        jobs_after: Those of the next one.

    Returns:
        A row per branch, métier and year: `cutoff_year`, `forecast`, `lower`, `upper` (80 %),
        `observed` in heads, `error` (observed less forecast), of which `start_revision`: what the
        level of the cut-off year has been revised by; `is_covered`, 1 if in the interval, else 0.
        `horizon_revision`: how much the median of `horizon_year`, the last that both project, has
        moved: by `error`, and for the rest by the change projected from that year on.

    Source:
        V1, V2 of the method page.

    Examples:
        >>> key = {"branch_code": "chimie", "metier_code": "E2Z70", "year": 2019}
        >>> asked = {"scenario_code": "reference", "quantity": "employment_headcount"}
        >>> levels = pd.DataFrame({"quantile_level": [0.1, 0.5, 0.9], "value": [90.0, 100, 110]})
        >>> was = levels.assign(**key, **asked, cutoff_year=2018)
        >>> then = was.assign(year=2030)
        >>> def jobs(year, heads):
        ...     row = key | {"year": year, "indicator": "employment_headcount", "value": heads}
        ...     return pd.DataFrame([row])
        >>> now = pd.concat([jobs(2018, 97.0), jobs(2019, 105.0)])
        >>> later = then.assign(cutoff_year=2019, value=then["value"] + 12)
        >>> found = scored(pd.concat([was, then]), jobs(2018, 95.0), later, now)
        >>> found[["error", "start_revision", "is_covered", "horizon_revision"]].iloc[0].tolist()
        [5.0, 2.0, 1.0, 12.0]
    """
    key = ["branch_code", "metier_code"]
    made, later = (_quantiles(each) for each in (projections_before, projections_after))
    before, after = (
        jobs.loc[jobs["indicator"].eq(_HEADS), [*key, "year", "value"]]
        for jobs in (jobs_before, jobs_after)
    )
    starts = before.merge(after, on=[*key, "year"], suffixes=("_before", "_after"))
    starts["start_revision"] = starts["value_after"] - starts["value_before"]
    starts = starts.rename(columns={"year": "cutoff_year"})[[*key, "cutoff_year", "start_revision"]]
    ends = made.merge(later, on=[*key, "year"], suffixes=("_before", "")).sort_values(
        "year", kind="stable"
    )
    ends["horizon_revision"] = ends["forecast"] - ends["forecast_before"]
    ends = ends.groupby(key).last().reset_index().rename(columns={"year": "horizon_year"})
    seen = made.merge(after.rename(columns={"value": "observed"}), on=[*key, "year"])
    seen = seen.merge(starts, "left", on=[*key, "cutoff_year"]).dropna(subset=["observed"])
    seen = seen.merge(ends[[*key, "horizon_year", "horizon_revision"]], "left", on=key)
    seen["error"] = seen["observed"] - seen["forecast"]
    seen["is_covered"] = seen["observed"].between(seen["lower"], seen["upper"]).astype("int64")
    years = {"cutoff_year": "int64", "year": "int64", "horizon_year": "Int64"}
    return seen[[*SCORED]].astype(years)


def scores(scored: pd.DataFrame) -> pd.DataFrame:
    """Return what the forecasts of each branch were worth.

    Args:
        scored: From `scored`.

    Returns:
        By `branch_code`, in the last year known since: `forecasts_count`; medians of the error and
        of the revision of the start, in % of what is known since (`past_error_pct`,
        `past_start_pct`); the share in the 80 % interval (`past_coverage_80_pct`).

    Examples:
        >>> rows = {"branch_code": "chimie", "year": 2019, "observed": 200.0, "error": -10.0}
        >>> rows |= {"start_revision": 4.0, "is_covered": 1}
        >>> scores(pd.DataFrame([rows])).iloc[0, 2:].tolist()
        [1.0, 5.0, 2.0, 100.0]
    """
    ends = (100 * scored[["error", "start_revision"]].abs()).div(scored["observed"], axis=0)
    parts = scored[["branch_code", "year", "is_covered"]].join(ends)
    of = parts.assign(is_covered=100.0 * parts["is_covered"]).groupby("branch_code")
    found = of.agg(
        year=("year", "max"),
        forecasts_count=("error", "size"),
        past_error_pct=("error", "median"),
        past_start_pct=("start_revision", "median"),
        past_coverage_80_pct=("is_covered", "mean"),
    )
    return found.reset_index()


def _quantiles(projections: pd.DataFrame) -> pd.DataFrame:
    """Return the median and the 80 % interval of employment, in the reference scenario."""
    is_asked = projections["scenario_code"].eq("reference") & projections["quantity"].eq(_HEADS)
    wide = projections[is_asked].pivot_table(
        index=["branch_code", "metier_code", "cutoff_year", "year"],
        columns="quantile_level",
        values="value",
    )
    wide = wide.reindex(columns=[0.1, 0.5, 0.9]).set_axis(["lower", "forecast", "upper"], axis=1)
    return wide.reset_index()
