"""Draws of the level: what the employment of a branch by métier may be, the same for all uses."""

import numpy as np
import pandas as pd
from scipy.special import ndtri

from opmq_lib.methods import draws
from opmq_lib.methods.draws import Array
from opmq_lib.methods.reliability import best_grades

NODE = ["branch_code", "metier_code"]
HEADS, LOWER, UPPER = (f"employment_headcount{end}" for end in ("", "_lower", "_upper"))
INTERVAL_LEVEL, MEDIAN = 0.8, 0.5
INTERVAL_SPAN = 2 * ndtri((1 + INTERVAL_LEVEL) / 2)
"""Width of an 80 % interval in standard deviations."""


def level_draws(jobs: pd.DataFrame, draws_count: int, seed: int) -> tuple[pd.DataFrame, Array]:
    """Return what to multiply the employment of each branch and métier by, in each draw.

    A cell has a stream of its own, named after its branch and its métier: whatever rests on the
    cell (its projection, its departures, a sum over branches) meets the same draws, whatever else
    is in the table. Draws are lognormal, evenly spread, so that their median and their 80 %
    interval are those of the cell.

    Args:
        jobs: Rows of the `employment` contract, any branches and years; bounds of the last year of
            each cell are read, those of an 80 % interval. A cell without bounds is known.
        draws_count: Number of draws.
        seed: Of the named streams.

    Returns:
        Nodes, one per cell, sorted: `branch_code`, `metier_code`, `level_log_sd` (standard
        deviation of the log, no unit), `best_grade` (of what rests on the cell, from
        `headcount_fit_ratio`); and factors (nodes, draws) with median 1.

    Source:
        Method page, B1: the interval is the estimate times and divided by exp(1.2816 sd).

    Examples:
        >>> jobs = pd.DataFrame({"branch_code": "verre", "metier_code": ["E1Z43", "H0Z90"],
        ...     "year": 2018, HEADS: [100.0, 40.0], LOWER: [50.0, np.nan], UPPER: [200.0, np.nan]})
        >>> nodes, factors = level_draws(jobs, 1000, 0)
        >>> nodes["level_log_sd"].round(4).tolist()
        [0.5409, 0.0]
        >>> np.quantile(100 * factors[0], [0.1, 0.5, 0.9]).round().tolist()
        [50.0, 100.0, 200.0]
    """
    last = jobs.sort_values([*NODE, "year"]).drop_duplicates(NODE, keep="last")
    bounds = last.reindex(columns=[LOWER, UPPER]).astype("float64")
    is_estimate = (bounds[LOWER] > 0) & bounds[UPPER].notna()
    logs = np.log(bounds[UPPER].where(is_estimate, 1.0) / bounds[LOWER].where(is_estimate, 1.0))
    nodes = (
        last[NODE]
        .assign(level_log_sd=logs / INTERVAL_SPAN, best_grade=best_grades(fit_ratios(last)))
        .reset_index(drop=True)
    )
    return nodes, level_factors(nodes, draws_count, seed)


def level_factors(nodes: pd.DataFrame, draws_count: int, seed: int) -> Array:
    """Return what to multiply the employment of each cell by, in each draw, (nodes, draws).

    Args:
        nodes: `branch_code`, `metier_code`, `level_log_sd`.
        draws_count: Number of draws.
        seed: Of the streams, named after branch and métier.
    """
    streams = "level/" + nodes["branch_code"] + "/" + nodes["metier_code"]
    normal = draws.even(draws.own(seed, draws_count, streams.tolist()))
    return np.asarray(np.exp(nodes["level_log_sd"].to_numpy()[:, None] * normal))


def with_level(
    projections: pd.DataFrame, jobs: pd.DataFrame, draws_count: int, seed: int
) -> pd.DataFrame:
    """Return projections whose quantiles also hold what is not known of the level they start from.

    Args:
        projections: Rows of the `projection` contract of one branch, level 0.5 among them.
        jobs: Employment that they start from, as for `level_draws`.
        draws_count: Number of draws.
        seed: Of the named streams, those that needs rest on too.

    Returns:
        The same rows, in order; level 0.5 is unchanged, other quantiles are moved with it.

    Examples:
        A level known to a factor of two each way, and a growth of 10 % known exactly:

        >>> jobs = pd.DataFrame({"branch_code": "verre", "metier_code": ["E1Z43"], "year": 2018,
        ...     HEADS: [100.0], LOWER: [50.0], UPPER: [200.0]})
        >>> rows = pd.DataFrame({"branch_code": "verre", "metier_code": "E1Z43", "year": 2023,
        ...     "quantile_level": [0.1, 0.5, 0.9], "value": 110.0})
        >>> with_level(rows, jobs, 1000, 0)["value"].round().tolist()
        [55.0, 110.0, 220.0]
    """
    if projections.empty:
        return projections
    nodes, factors = level_draws(jobs, draws_count, seed)
    wide = projections.pivot(index=[*NODE, "year"], columns="quantile_level", values="value")
    node = pd.MultiIndex.from_arrays([wide.index.get_level_values(name) for name in NODE])
    place = pd.MultiIndex.from_frame(nodes[NODE]).get_indexer(node)
    is_moved = (place >= 0) & (nodes["level_log_sd"].to_numpy()[place] > 0)
    rows, place, levels = wide[is_moved], place[is_moved], wide.columns.to_numpy(dtype=float)
    normal = draws.correlated(seed, draws_count, nodes["metier_code"].tolist())[place]
    growing = draws.along_quantiles(rows.to_numpy()[:, None], levels, normal)[:, 0]
    drawn = np.maximum(growing, 0.0) * factors[place]
    found = np.quantile(drawn, [*levels, MEDIAN], axis=1).T
    wide[is_moved] = np.maximum(rows[[MEDIAN]].to_numpy() + found[:, :-1] - found[:, -1:], 0.0)
    long = wide.melt(ignore_index=False).set_index("quantile_level", append=True)["value"]
    at = pd.MultiIndex.from_frame(projections[[*NODE, "year", "quantile_level"]])
    return projections.assign(value=long.reindex(at).to_numpy())


def fit_ratios(jobs: pd.DataFrame) -> pd.Series:
    """Return how activities explain the headcount of each row's branch; 1 where observed."""
    if "headcount_fit_ratio" not in jobs:
        return pd.Series(1.0, jobs.index)
    return jobs["headcount_fit_ratio"].astype("float64").fillna(1.0)


def on_total(heads: Array, factors: Array) -> Array:
    """Return factors rescaled in each draw so that the branch keeps its headcount.

    For sums over the whole branch, whose headcount is published: only its composition is drawn.
    A métier alone keeps the factors of `level_draws`.

    Args:
        heads: (métiers,) heads of every métier of one branch, the rest included.
        factors: (métiers, draws), from `level_draws`.

    Returns:
        (métiers, draws).

    Examples:
        >>> heads, factors = np.array([60.0, 40.0]), np.array([[1.0, 2.0], [1.0, 0.5]])
        >>> heads @ on_total(heads, factors)
        array([100., 100.])
    """
    return np.asarray(factors * (heads.sum() / (heads @ factors)))
