"""Posts to fill: net creation plus career-end departures, with quantiles of each (E1–E3).

Level 0.5 is the point: projected employment and projected rates, so that there the three
quantities add up exactly. Other levels come from draws of both; a quantile of a sum is not the sum
of quantiles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from opmq_lib.errors import CoherenceError, DataError, Defect, RangeError, SchemaError, gather
from opmq_lib.methods import draws
from opmq_lib.methods.forecast import QUANTILE_LEVELS, forecast_employment
from opmq_lib.methods.needs.ages import Ages, read_ages
from opmq_lib.methods.needs.assumptions import REFERENCE, Assumptions
from opmq_lib.methods.needs.cohorts import BAND_YEARS, Array, Index
from opmq_lib.methods.needs.departures import NATIONAL_BRANCH, Departures, departures
from opmq_lib.methods.needs.rates import rates_of
from opmq_lib.tables import DESCRIPTIONS, input_errors
from opmq_lib.tables.indicators import ALL_METIERS, METROPOLITAN

QUANTITIES = (
    "net_creation_headcount",
    "career_end_departures_headcount",
    "posts_to_fill_headcount",
)
AGE_SPREAD = 0.2
"""Standard deviation of log share of the 50 and over between métiers of one family (Dares,
2017-2019, 59 métiers): how far a branch may be from the national ages that stand for its own."""

AGE_CORRELATION = 0.7
"""Weight w of what all métiers of a branch share in that gap, √(1 - w²) left to each: a branch
is older or younger as a whole. A convention of the project, not voted: no open source crosses
branches, métiers and ages."""

MIN_DRAWS, MEDIAN = 50, 0.5
COLUMNS = tuple(DESCRIPTIONS["needs"])
_NODE = ["branch_code", "metier_code"]
_KEY = [*_NODE, "year"]


@dataclass(frozen=True)
class _Inputs:
    """What posts are computed from, by node (n) and horizon (h).

    Attributes:
        nodes: Branch, métier, last year and origin of each node, and what its departures rest on.
        start: (n, 1) heads in that year.
        future: (n, h, levels) heads projected; NaN where there are none.
        known: (levels,) levels of `future`, 0.5 among them.
        more_jobs: (n, h) what the scenario multiplies employment by.
        more_leave: (n, h) what it multiplies departures by.
        leaving: Who leaves.
    """

    nodes: pd.DataFrame
    start: Array
    future: Array
    known: Array
    more_jobs: Array
    more_leave: Array
    leaving: Departures


def posts_to_fill(
    employment: pd.DataFrame,
    age_structure: pd.DataFrame | None,
    horizon_years: int | Sequence[int],
    quantile_levels: Sequence[float] = QUANTILE_LEVELS,
    assumptions: Assumptions = REFERENCE,
) -> pd.DataFrame:
    """Return posts to fill over a horizon, and why: net creation and career-end departures.

    Employment is projected (`forecast_employment`); incumbents of 50 and older are aged, and leave
    at rates learnt from the age tables. A branch whose own ages are not in the table is given
    those of its métier in the whole country, with a wider interval. A métier without ages has
    `nd` departures and posts, and keeps its net creation. Departures grow with the horizon: they
    are straight between multiples of five years.

    Args:
        employment: One row per `metier_code`, `year`, and `branch_code` if there is one, with
            `employment_headcount`; `origin` is read. Heads, any row order.
        age_structure: One row per `metier_code`, `period`, five-year `age_band`, and
            `branch_code` if it is a branch's, with `employment_headcount`; `None`, or no row,
            where no age is known.
        horizon_years: Years after the last year of each series; or several such horizons.
        quantile_levels: Probabilities strictly between 0 and 1; 0.5 is the point.
        assumptions: Projections, rates, scenario and draws.

    Returns:
        The long table of contract `needs`: per branch (`ensemble` where none is given), métier,
        horizon (`year`, heads summed from `cutoff_year` to it), `quantity` and level. `ages_basis`
        is `branch`, `national` or `none`; `rates_basis` as `learn_rates` says. Posts are the sum
        of the two other quantities at level 0.5, and per draw.

    Raises:
        DataError: With every defect: columns, keys, negative heads, bands that are not of five
            years, survival outside 0 to 1, horizon, levels, draws.

    Source:
        Method page, E1–E3.

    Examples:
        >>> jobs = pd.DataFrame({"metier_code": "A", "year": range(2009, 2019),
        ...                      "employment_headcount": [1000.0 + 5 * n for n in range(10)]})
        >>> ages = pd.DataFrame({"metier_code": "A", "period": "2017-2019",
        ...     "age_band": ["45-49", "50-54", "55-59", "60+"],
        ...     "employment_headcount": [700.0, 200.0, 130.0, 15.0]})
        >>> table = posts_to_fill(jobs, ages, 5, [0.5])
        >>> created, left, posts = table.set_index("quantity").loc[list(QUANTITIES), "value"]
        >>> round(left), bool(posts == created + left)
        (92, True)
    """
    horizons, levels = np.atleast_1d(horizon_years), np.atleast_1d(quantile_levels)
    jobs, ages = _checked(employment, age_structure, horizons, levels, assumptions)
    horizons, levels = np.unique(horizons).astype(int), np.unique(levels).astype(float)
    inputs = _inputs(jobs, ages, horizons, levels, assumptions)
    parts = []
    for branch in inputs.nodes["branch_code"].unique():
        rows = np.flatnonzero(inputs.nodes["branch_code"] == branch)
        nodes, start = inputs.nodes.iloc[rows], inputs.start[rows]
        points, drawn = _quantities(inputs, rows, assumptions)
        values = _quantiles(points, drawn, levels)
        exact = _net_creation(inputs, rows, np.tile(norm.ppf(levels), (len(rows), 1)))
        values[0] = np.where(levels == MEDIAN, points[0][..., None], exact)
        values[1] = np.clip(values[1], 0.0, start[..., None])
        parts.append((nodes, values))
        if assumptions.totals:
            points, drawn = points.sum(axis=1, keepdims=True), drawn.sum(axis=1, keepdims=True)
            parts.append((_whole(nodes), _quantiles(points, drawn, levels)))
    return _long(parts, horizons, levels, assumptions.scenario_code)


def _checked(
    employment: pd.DataFrame,
    age_structure: pd.DataFrame | None,
    horizons: NDArray[Any],
    levels: NDArray[Any],
    assumptions: Assumptions,
) -> tuple[pd.DataFrame, Ages | None]:
    """Return employment by branch, métier and year in order, and ages; every defect at once."""
    errors = _question_errors(horizons, levels, assumptions)
    jobs = employment.assign(
        branch_code=employment.get("branch_code", NATIONAL_BRANCH),
        origin=employment.get("origin", "public"),
    )
    errors += input_errors("headcounts", jobs, "employment", own=True)
    if assumptions.projections is not None:
        errors += input_errors("future_headcounts", assumptions.projections, "projections")
    if assumptions.effects is not None:
        errors += input_errors("scenario_effects", assumptions.effects, "effects")
    ages = None
    try:
        if age_structure is not None and not age_structure.empty:
            ages = read_ages(age_structure)
            ages.position(assumptions.first_old_age)
    except DataError as error:
        errors.append(error)
    if jobs.empty:
        wrong = ("no row", "at least one métier", "give employment by métier and year")
        errors.append(SchemaError.of("employment", *wrong))
    if errors:
        raise gather(errors)
    own = jobs["origin"].eq("own").groupby([jobs[name] for name in _NODE]).transform("any")
    jobs["origin"] = np.where(own, "own", "public")
    return jobs.sort_values(_KEY, ignore_index=True), ages


def _question_errors(
    horizons: NDArray[Any], levels: NDArray[Any], assumptions: Assumptions
) -> list[DataError]:
    """Return what is out of range in what is asked: texts are not numbers."""
    years, level = (
        part if part.size and part.dtype.kind in "iuf" else np.zeros(1)
        for part in (horizons, levels)
    )
    asked = [
        ("horizon_years", "whole numbers ≥ 1", horizons, (years >= 1) & (years % 1 == 0)),
        ("quantile_levels", "0 < level < 1", levels, (level > 0) & (level < 1)),
        ("delay_years", "0 to 5", delay := assumptions.delay_years, 0 <= delay <= BAND_YEARS),
        ("draws_count", "at least 50", count := assumptions.draws_count, count >= MIN_DRAWS),
    ]
    wrong = [
        Defect(where, "out of range", expected, "correct it", str(given))
        for where, expected, given, is_right in asked
        if not np.all(is_right)
    ]
    return [RangeError(wrong)] if wrong else []


def _inputs(
    jobs: pd.DataFrame, ages: Ages | None, horizons: Index, levels: Array, assumptions: Assumptions
) -> _Inputs:
    """Return employment projected, who leaves, and what the scenario multiplies both by."""
    nodes = jobs.groupby(_NODE).tail(1).reset_index(drop=True)
    future = assumptions.projections
    if future is None:
        wanted = np.unique([*QUANTILE_LEVELS, *levels]).tolist()
        future = forecast_employment(jobs, int(horizons.max()), wanted)
    wide = future.pivot(index=_KEY, columns="quantile_level", values="value")
    if MEDIAN not in wide:
        wrong = ("no point", "rows of level 0.5", "project with the level 0.5")
        raise SchemaError.of("projections, column `quantile_level`", *wrong)
    more = np.ones((len(nodes), len(horizons), 2))
    if assumptions.effects is not None:
        effects = assumptions.effects.set_index(_KEY)
        effects = effects[["employment_multiplier", "departures_multiplier"]]
        more = np.nan_to_num(_ahead(effects, nodes, horizons), nan=1.0)
    rates = assumptions.rates
    if rates is None and ages is not None:
        rates = rates_of(ages, -(-int(horizons.max()) // BAND_YEARS), assumptions.first_old_age)
    leaving = departures(nodes, ages, rates, horizons.tolist(), assumptions)
    is_own = nodes["origin"].eq("own") | leaving.own
    return _Inputs(
        nodes.assign(
            origin=is_own.map({True: "own", False: "public"}),
            ages_basis=leaving.ages_basis,
            rates_basis=leaving.rates_basis,
        ),
        nodes[["employment_headcount"]].to_numpy(dtype=float),
        _ahead(wide, nodes, horizons),
        wide.columns.to_numpy(dtype=float),
        more[..., 0],
        more[..., 1],
        leaving,
    )


def _ahead(table: pd.DataFrame, nodes: pd.DataFrame, horizons: Index) -> Array:
    """Return a table by branch, métier and year, some years after each node's last, (n, h, …)."""
    at = nodes.loc[nodes.index.repeat(len(horizons)), _KEY]
    at["year"] += np.tile(horizons, len(nodes))
    found = table.reindex(pd.MultiIndex.from_frame(at)).to_numpy(dtype=float)
    return found.reshape(len(nodes), len(horizons), -1)


def _quantities(inputs: _Inputs, rows: Index, assumptions: Assumptions) -> tuple[Array, Array]:
    """Return a branch's `QUANTITIES`: points (3, n, h), and draws (3, n, h, draws).

    Posts to fill = net creation + departures, E1: PAP = ΔE + F.
    """
    codes, start = inputs.nodes["metier_code"].iloc[rows].tolist(), inputs.start[rows]
    median = inputs.future[rows][..., inputs.known == MEDIAN][..., 0]
    created = median * inputs.more_jobs[rows] - start
    share = inputs.leaving.point[inputs.leaving.place[rows]]
    left = np.minimum(start * share * inputs.more_leave[rows], start)
    normal = draws.correlated(assumptions.seed, assumptions.draws_count, codes)
    created_drawn = _net_creation(inputs, rows, normal)
    left_drawn = _drawn_departures(inputs, rows, assumptions)
    return (
        np.stack([created, left, created + left]),
        np.stack([created_drawn, left_drawn, created_drawn + left_drawn]),
    )


def _net_creation(inputs: _Inputs, rows: Index, normal: Array) -> Array:
    """Return ΔE = E₁ - E₀ for errors of E₁ on the scale of a normal variable, (n, h, draws)."""
    heads = np.maximum(draws.along_quantiles(inputs.future[rows], inputs.known, normal), 0.0)
    return np.asarray(heads * inputs.more_jobs[rows][..., None] - inputs.start[rows][..., None])


def _drawn_departures(inputs: _Inputs, rows: Index, assumptions: Assumptions) -> Array:
    """Return draws of departures, (n, h, draws): rates, borrowed ages, then chance (binomial)."""
    nodes, start = inputs.nodes.iloc[rows], inputs.start[rows][..., None]
    branches, codes = nodes["branch_code"], nodes["branch_code"] + " " + nodes["metier_code"]

    def own(names: pd.Series, what: str) -> Array:
        return draws.own(assumptions.seed, assumptions.draws_count, (names + what).tolist())

    gap = AGE_CORRELATION * own(branches, " ages") + np.sqrt(1 - AGE_CORRELATION**2) * own(
        codes, " ages"
    )
    is_borrowed = (nodes["ages_basis"] == "national") & (branches != NATIONAL_BRANCH)
    tilt = np.exp(AGE_SPREAD * is_borrowed.to_numpy()[:, None] * gap)[:, None]
    share = inputs.leaving.drawn[inputs.leaving.place[rows]]
    left = np.clip(start * share * inputs.more_leave[rows][..., None] * tilt, 0.0, start)
    part = np.divide(left, start, out=np.zeros_like(left), where=start > 0)
    chance = np.sqrt(left * (1 - part)) * own(codes, " chance")[:, None]
    return np.asarray(np.clip(left + chance, 0.0, start))


def _quantiles(points: Array, drawn: Array, levels: Array) -> Array:
    """Return the draws' quantiles, moved so that their median is the point; NaN stays NaN."""
    quantiles = np.quantile(drawn, np.append(levels, MEDIAN), axis=-1)
    return np.asarray(points[..., None] + np.moveaxis(quantiles[:-1] - quantiles[-1], 0, -1))


def _whole(nodes: pd.DataFrame) -> pd.DataFrame:
    """Return the row that names the sum of a branch's métiers."""
    if not nodes["year"].eq(nodes["year"].iloc[0]).all():
        wrong = ("métiers end in different years", "one last year", "ask without totals")
        raise CoherenceError.of(f"branch {nodes['branch_code'].iloc[0]}", *wrong)
    row = nodes.head(1).assign(
        metier_code=ALL_METIERS, origin="own" if (nodes["origin"] == "own").any() else "public"
    )
    for name in ("ages_basis", "rates_basis"):
        row[name] = "mixed" if len(set(nodes[name])) > 1 else nodes[name].iloc[0]
    return row


def _long(
    parts: Sequence[tuple[pd.DataFrame, Array]],
    horizons: Index,
    levels: Array,
    scenario_code: str,
) -> pd.DataFrame:
    """Return the long table of values (quantities, n, h, levels) and who they belong to."""
    nodes = pd.concat([nodes for nodes, _ in parts], ignore_index=True)
    values = np.concatenate([values for _, values in parts], axis=1).transpose(1, 2, 0, 3)
    node, ahead, quantity, level = np.indices(values.shape).reshape(4, -1)
    table = nodes.rename(columns={"year": "cutoff_year"}).iloc[node].reset_index(drop=True)
    table = table.assign(
        region_code=METROPOLITAN,
        scenario_code=scenario_code,
        model="cohort",
        year=table["cutoff_year"] + horizons[ahead],
        quantile_level=levels[level],
        quantity=pd.Index(QUANTITIES)[quantity],
        value=values.ravel(),
        unit="headcount",
        nature="projection",
        status=pd.Index(["value", "nd"])[np.isnan(values.ravel()).astype(int)],
    )
    return table[list(COLUMNS)]
