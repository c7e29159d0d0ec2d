"""Posts to fill: net creation plus career-end departures, with quantiles of each (E1–E3).

Level 0.5 is the point: projected employment and projected rates, so that there the quantities add
up exactly. Other levels come from draws (`simulation`): a quantile of a sum is not the sum of
quantiles. Sums over a branch's métiers, or over branches, are summed draw by draw.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opmq_lib.errors import CoherenceError, DataError, Defect, RangeError, SchemaError, gather
from opmq_lib.methods.forecast import QUANTILE_LEVELS
from opmq_lib.methods.needs import simulation
from opmq_lib.methods.needs.ages import Ages, read_ages
from opmq_lib.methods.needs.assumptions import REFERENCE, Assumptions
from opmq_lib.methods.needs.cohorts import BAND_YEARS, Array, Index
from opmq_lib.methods.needs.departures import NATIONAL_BRANCH
from opmq_lib.tables import DESCRIPTIONS, input_errors
from opmq_lib.tables.indicators import ALL_METIERS, METROPOLITAN

QUANTITIES = (
    "net_creation_headcount",
    "career_end_departures_headcount",
    "posts_to_fill_headcount",
)
RATES = ("net_creation_rate_pct", "departure_rate_pct", "posts_rate_pct")
"""The same per year, in % of the jobs there are when the count begins."""

DEPARTURES = QUANTITIES[1], RATES[1]
"""What has a grade of reliability: posts and net creation are signed."""

UNITS = dict.fromkeys(QUANTITIES, "headcount") | dict.fromkeys(RATES, "pct_per_year")
MIN_DRAWS = 50
COLUMNS = tuple(DESCRIPTIONS["needs"])
Part = tuple[pd.DataFrame, Array]
"""Nodes, and their values (quantities, n, h, levels)."""


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
        horizon_years: Years counted, from the last year of each series or, where it is later, from
            `assumptions.counted_from`; or several such horizons.
        quantile_levels: Probabilities strictly between 0 and 1; 0.5 is the point.
        assumptions: Projections, rates, scenario and draws.

    Returns:
        The long table of contract `needs`: per branch (`ensemble` where none is given), métier,
        horizon (`year`, summed from `start_year` to it), `quantity` and level: heads, then % of the
        jobs of `start_year` per year. `ages_basis` is `branch`, `national` or `none`; `rates_basis`
        as `learn_rates` says; `best_grade` that of what rests on the level, empty where it is
        known. Posts are the sum of the two other quantities at level 0.5, and per draw.

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
    inputs = simulation.read_inputs(jobs, ages, horizons, levels, assumptions)
    branches = inputs.nodes.groupby("branch_code", sort=False).indices
    parts, alone, in_sum = [], [], []
    for rows in map(np.asarray, branches.values()):
        nodes, points = inputs.nodes.iloc[rows], simulation.points(inputs, rows)
        drawn = simulation.drawn(inputs, rows, inputs.level, assumptions)
        parts.append((nodes, _values(points, drawn, horizons, levels)))
        if assumptions.totals:
            of_sum = simulation.drawn(inputs, rows, inputs.level_in_sum, assumptions)
            point, sums = (each.sum(axis=1, keepdims=True) for each in (points, of_sum))
            whole = _whole(nodes)
            parts.append((whole, _values(point, sums, horizons, levels)))
            alone.append((nodes, points, drawn))
            in_sum.append((whole, point, sums))
    if len(in_sum) > 1:
        parts += [_over_branches(each, horizons, levels) for each in (alone, in_sum)]
    return _long(parts, horizons, levels, assumptions.scenario_code)


def _values(points: Array, drawn: Array, horizons: Index, levels: Array) -> Array:
    """Return the quantiles of every quantity, (quantities, n, h, levels); departures above 0.

    Without a job at the start there is no rate (NaN).
    """
    point = simulation.measured(points, horizons)
    point[len(QUANTITIES) :, points[0] <= 0] = np.nan
    values = simulation.quantiles(point, simulation.measured(drawn, horizons), levels.tolist())
    for place, name in enumerate(UNITS):
        if name in DEPARTURES:
            values[place] = np.maximum(values[place], 0.0)
    return values


def _over_branches(
    counted: Sequence[tuple[pd.DataFrame, Array, Array]], horizons: Index, levels: Array
) -> Part:
    """Return sums over branches, by métier, of nodes, points and draws."""
    nodes = pd.concat([nodes for nodes, _, _ in counted], ignore_index=True)
    members = nodes.groupby("metier_code").indices
    point, drawn = (
        np.stack([each[:, rows].sum(axis=1) for rows in members.values()], axis=1)
        for each in (np.concatenate([part[n] for part in counted], axis=1) for n in (1, 2))
    )
    whole = pd.concat([_whole(nodes.iloc[rows]) for rows in members.values()], ignore_index=True)
    named = whole.assign(branch_code=NATIONAL_BRANCH, metier_code=[str(code) for code in members])
    return named, _values(point, drawn, horizons, levels)


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
    own = (
        jobs["origin"].eq("own").groupby([jobs[name] for name in simulation.NODE]).transform("any")
    )
    jobs["origin"] = np.where(own, "own", "public")
    return jobs.sort_values([*simulation.NODE, "year"], ignore_index=True), ages


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


def _whole(nodes: pd.DataFrame) -> pd.DataFrame:
    """Return the row that names the sum of a branch's métiers."""
    if not nodes["start_year"].eq(nodes["start_year"].iloc[0]).all():
        wrong = ("métiers end in different years", "one last year", "ask without totals")
        raise CoherenceError.of(f"branch {nodes['branch_code'].iloc[0]}", *wrong)
    row = nodes.head(1).assign(
        metier_code=ALL_METIERS,
        year=nodes["year"].max(),
        origin="own" if (nodes["origin"] == "own").any() else "public",
        best_grade=nodes["best_grade"].max(),
    )
    for name in ("ages_basis", "rates_basis"):
        row[name] = "mixed" if len(set(nodes[name])) > 1 else nodes[name].iloc[0]
    return row


def _long(
    parts: Sequence[Part],
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
        year=table["start_year"] + horizons[ahead],
        quantile_level=levels[level],
        quantity=pd.Index([*UNITS])[quantity],
        value=values.ravel(),
        unit=pd.Index([*UNITS.values()])[quantity],
        nature="projection",
        status=pd.Index(["value", "nd"])[np.isnan(values.ravel()).astype(int)],
    )
    return table[list(COLUMNS)]
