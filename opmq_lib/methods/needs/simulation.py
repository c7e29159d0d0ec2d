"""What posts to fill are computed from, and draws of all that is not known in it.

Draws: the level of employment (`employment.levels`), its growth, who leaves, and chance. A rate
takes its two terms in the same draw, where the level cancels. Those who leave are a share of the
jobs there are when the count begins: in a rate of departure the growth until then cancels too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from opmq_lib.errors import SchemaError
from opmq_lib.methods import draws
from opmq_lib.methods.employment.levels import HEADS, level_draws, on_total
from opmq_lib.methods.forecast import QUANTILE_LEVELS, forecast_employment
from opmq_lib.methods.needs.ages import Ages
from opmq_lib.methods.needs.assumptions import Assumptions
from opmq_lib.methods.needs.cohorts import BAND_YEARS, Array, Index
from opmq_lib.methods.needs.departures import NATIONAL_BRANCH, Departures, departures
from opmq_lib.methods.needs.rates import rates_of

AGE_SPREAD = 0.2
"""Standard deviation of log share of the 50 and over between métiers of one family (Dares,
2017-2019, 59 métiers): how far a branch may be from the national ages that stand for its own."""

AGE_CORRELATION = 0.7
"""Weight w of what all métiers of a branch share in that gap, √(1 - w²) left to each: a branch
is older or younger as a whole. A convention of the project, not voted: no open source crosses
branches, métiers and ages."""

FEWEST_JOBS = 1e-6
MEDIAN = 0.5
NODE = ["branch_code", "metier_code"]


@dataclass(frozen=True)
class Inputs:
    """What posts are computed from, by node (n) and end of the count (h).

    Attributes:
        nodes: Branch, métier, last `year`, `start_year` of the count and origin of each node, what
            its departures rest on, and the `best_grade` of what rests on it.
        level: (n, draws) factors of the heads of a métier alone.
        level_in_sum: (n, draws) the same where its branch is summed: the headcount is known.
        future: (n, 1 + h, levels) heads projected at the start and at each end; NaN if unknown.
        known: (levels,) levels of `future`, 0.5 among them.
        more_jobs: (n, h) what the scenario multiplies employment by.
        more_leave: (n, h) what it multiplies departures by.
        leaving: Who leaves.
        place: (n, 1 + h) position of each node's horizons among those of `leaving`.
        years: (h,) years counted.
    """

    nodes: pd.DataFrame
    level: Array
    level_in_sum: Array
    future: Array
    known: Array
    more_jobs: Array
    more_leave: Array
    leaving: Departures
    place: Index
    years: Index


def read_inputs(
    jobs: pd.DataFrame, ages: Ages | None, horizons: Index, levels: Array, given: Assumptions
) -> Inputs:
    """Return employment projected, who leaves, and what the scenario multiplies both by.

    Args:
        jobs: Employment by branch, métier and year, in order.
        ages: Pyramids.
        horizons: Years counted, increasing.
        levels: Quantile levels asked.
        given: Projections, rates, scenario and draws.

    Raises:
        SchemaError: If projections have no level 0.5.
        DataError: As `departures`.
    """
    nodes = jobs.groupby(NODE).tail(1).reset_index(drop=True)
    nodes["start_year"] = nodes["year"].clip(lower=given.counted_from)
    years = nodes[["start_year"]].to_numpy(dtype=int) + np.append(0, horizons)
    ahead = years - nodes[["year"]].to_numpy(dtype=int)
    future = given.projections
    if future is None:
        wanted = np.unique([*QUANTILE_LEVELS, *levels]).tolist()
        future = forecast_employment(jobs, int(ahead.max()), wanted)
    wide = future.pivot(index=[*NODE, "year"], columns="quantile_level", values="value")
    if MEDIAN not in wide:
        wrong = ("no point", "rows of level 0.5", "project with the level 0.5")
        raise SchemaError.of("projections, column `quantile_level`", *wrong)
    heads = nodes[[HEADS]].to_numpy(dtype=float)
    projected = np.where((ahead == 0)[..., None], heads[..., None], _in_years(wide, nodes, years))
    more = _multipliers(given.effects, nodes, years[:, 1:])
    rates, asked = given.rates, np.unique(ahead)
    if rates is None and ages is not None:
        rates = rates_of(ages, -(-int(asked[-1]) // BAND_YEARS), given.first_old_age)
    leaving = departures(nodes, ages, rates, asked.tolist(), given)
    level, level_in_sum, best = _levels(
        jobs if given.branches is None else given.branches, nodes, given
    )
    is_own = nodes["origin"].eq("own") | leaving.own
    return Inputs(
        nodes.assign(
            origin=is_own.map({True: "own", False: "public"}),
            ages_basis=leaving.ages_basis,
            rates_basis=leaving.rates_basis,
            best_grade=best,
        ),
        level,
        level_in_sum,
        projected,
        wide.columns.to_numpy(dtype=float),
        more[..., 0],
        more[..., 1],
        leaving,
        np.searchsorted(asked, ahead),
        horizons,
    )


def _multipliers(effects: pd.DataFrame | None, nodes: pd.DataFrame, years: Index) -> Array:
    """Return what a scenario multiplies employment and departures by, (n, h, 2)."""
    if effects is None:
        return np.ones((*years.shape, 2))
    columns = ["employment_multiplier", "departures_multiplier"]
    changed = effects.set_index([*NODE, "year"])[columns]
    return np.nan_to_num(_in_years(changed, nodes, years), nan=1.0)


def _in_years(table: pd.DataFrame, nodes: pd.DataFrame, years: Index) -> Array:
    """Return a table by branch, métier and year, in some years of each node, (n, h, …)."""
    at = nodes.loc[nodes.index.repeat(years.shape[1]), NODE].assign(year=years.ravel())
    cells = table.reindex(pd.MultiIndex.from_frame(at)).to_numpy(dtype=float)
    return cells.reshape(*years.shape, -1)


def _levels(
    branches: pd.DataFrame, nodes: pd.DataFrame, given: Assumptions
) -> tuple[Array, Array, Array]:
    """Return the factors of each node alone and in its branch's sum, and the best grade."""
    cells, factors = level_draws(branches, given.draws_count, given.seed)
    last = branches.sort_values("year").drop_duplicates(NODE, keep="last").set_index(NODE)[HEADS]
    heads = last.reindex(pd.MultiIndex.from_frame(cells[NODE])).to_numpy(dtype=float)
    in_sum = factors.copy()
    for rows in cells.groupby("branch_code").indices.values():
        in_sum[rows] = on_total(heads[rows], factors[rows]) if heads[rows].sum() else factors[rows]
    place = pd.MultiIndex.from_frame(cells[NODE]).get_indexer(pd.MultiIndex.from_frame(nodes[NODE]))
    best = cells["best_grade"].where(cells["level_log_sd"] > 0, "").to_numpy(dtype=str)[place]
    return factors[place], in_sum[place], best


def points(inputs: Inputs, rows: Index) -> Array:
    """Return jobs at the start, net creation and departures of some nodes, (3, n, h)."""
    jobs = inputs.future[rows][..., inputs.known == MEDIAN][..., 0]
    start, end = jobs[:, :1], jobs[:, 1:] * inputs.more_jobs[rows]
    share = inputs.leaving.point[inputs.leaving.place[rows]]
    gone = np.take_along_axis(share, inputs.place[rows], axis=1)
    part = np.minimum((gone[:, 1:] - gone[:, :1]) * inputs.more_leave[rows], 1.0)
    return np.stack([np.broadcast_to(start, end.shape), end - start, start * part])


def drawn(inputs: Inputs, rows: Index, level: Array, given: Assumptions) -> Array:
    """Return draws of the same, (3, n, h, draws).

    Args:
        inputs: What they are computed from.
        rows: Nodes.
        level: (n, draws) factors of all nodes: `inputs.level` or `inputs.level_in_sum`.
        given: Seed and number of draws.
    """
    codes, factor = inputs.nodes["metier_code"].iloc[rows].tolist(), level[rows][:, None]
    normal = draws.correlated(given.seed, given.draws_count, codes)
    heads = draws.along_quantiles(inputs.future[rows], inputs.known, normal)
    jobs = np.maximum(heads, 0.0) * factor
    start, end = jobs[:, :1], jobs[:, 1:] * inputs.more_jobs[rows][..., None]
    left = _drawn_departures(inputs, rows, start, given)
    return np.stack([np.broadcast_to(start, end.shape), end - start, left])


def _drawn_departures(inputs: Inputs, rows: Index, start: Array, given: Assumptions) -> Array:
    """Return draws of departures, (n, h, draws): rates, borrowed ages, then chance (binomial)."""
    nodes = inputs.nodes.iloc[rows]
    branches, codes = nodes["branch_code"], nodes["branch_code"] + " " + nodes["metier_code"]

    def own(names: pd.Series, what: str) -> Array:
        return draws.own(given.seed, given.draws_count, (names + what).tolist())

    gap = AGE_CORRELATION * own(branches, " ages") + np.sqrt(1 - AGE_CORRELATION**2) * own(
        codes, " ages"
    )
    is_borrowed = (nodes["ages_basis"] == "national") & (branches != NATIONAL_BRANCH)
    tilt = np.exp(AGE_SPREAD * is_borrowed.to_numpy()[:, None] * gap)[:, None]
    share = inputs.leaving.drawn[inputs.leaving.place[rows]]
    gone = np.take_along_axis(share, inputs.place[rows][..., None], axis=1)
    more = inputs.more_leave[rows][..., None]
    part = np.clip((gone[:, 1:] - gone[:, :1]) * more * tilt, 0.0, 1.0)
    chance = np.sqrt(start * part * (1 - part)) * own(codes, " chance")[:, None]
    return np.asarray(np.clip(start * part + chance, 0.0, start))


def measured(counted: Array, years: Index) -> Array:
    """Return the quantities of posts: counts, then rates per year in % of jobs at the start.

    Args:
        counted: (3, n, h, …): jobs at the start, net creation, departures.
        years: (h,) years counted.

    Returns:
        (6, n, h, …): net creation, departures and posts (E1: PAP = ΔE + F), in heads, then in %
        a year. Where a draw has no job left the rate is only very large.

    Examples:
        >>> counted = np.array([200.0, -10, 24]).reshape(3, 1, 1)
        >>> measured(counted, np.array([4])).ravel().tolist()
        [-10.0, 24.0, 14.0, -1.25, 3.0, 1.75]
    """
    start, created, left = counted
    heads = np.stack([created, left, created + left])
    span = np.reshape(years, (-1, *[1] * (start.ndim - 2)))
    return np.concatenate([heads, 100 * heads / (span * np.maximum(start, FEWEST_JOBS))])


def quantiles(point: Array, draws_of_it: Array, levels: Sequence[float]) -> Array:
    """Return the draws' quantiles, moved so that their median is the point; NaN stays NaN."""
    found = np.quantile(draws_of_it, [*levels, MEDIAN], axis=-1)
    return np.asarray(point[..., None] + np.moveaxis(found[:-1] - found[-1], 0, -1))
