"""Posts to fill: net creation plus career-end departures, with quantiles of each (E1–E3).

Level 0.5 is the point: projected employment and projected rates, so that there the three
quantities add up exactly. Other levels come from draws of both; a quantile of a sum is not the sum
of quantiles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TypeGuard

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from opmq_lib.errors import CoherenceError, DataError, Defect, RangeError, SchemaError, gather
from opmq_lib.methods.forecast import QUANTILE_LEVELS, forecast_employment
from opmq_lib.methods.needs import cohorts, draws, measures
from opmq_lib.methods.needs.ages import FIRST_OLD_AGE, Ages, read_ages
from opmq_lib.methods.needs.cohorts import Array
from opmq_lib.methods.needs.rates import learn_rates
from opmq_lib.methods.needs.survival import survival_of
from opmq_lib.tables import DESCRIPTIONS, Sheet, as_error, row_problems
from opmq_lib.tables.indicators import ALL_METIERS, METROPOLITAN

Index = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.str_]

QUANTITIES = (
    "net_creation_headcount",
    "career_end_departures_headcount",
    "posts_to_fill_headcount",
)
NATIONAL_BRANCH = "ensemble"
AGE_SPREAD = 0.2
"""Standard deviation of log share of the 50 and over between métiers of one family (Dares,
2017-2019, 59 métiers): how far a branch may be from the national ages that stand for its own."""

AGE_CORRELATION = 0.7
"""Weight w of what all métiers of a branch share in that gap, √(1 - w²) left to each: a branch
is older or younger as a whole. A convention of the project, not voted: no open source crosses
branches, métiers and ages."""

MIN_DRAWS, MEDIAN, CHUNK_PYRAMIDS = 50, 0.5, 256
_KEY = ["branch_code", "metier_code"]
COLUMNS = tuple(DESCRIPTIONS["needs"])


@dataclass(frozen=True)
class Assumptions:
    """What posts to fill rest on, beside employment and ages.

    Attributes:
        projections: Rows of the `projection` contract with the level 0.5; by default employment
            is forecast here.
        rates: Survival by `metier_code`, `first_age` and, if it changes, `step`: what
            `learn_rates` returns, or your own `survival_ratio`; by default learnt from the ages.
        effects: What a scenario changes: `branch_code, metier_code, year`,
            `employment_multiplier`, `departures_multiplier` (`scenarios.effects`).
        scenario_code: Copied to the result.
        delay_years: Years later in life at which everybody leaves (pension-age variant), 0 to 5.
        first_old_age: a₀.
        draws_count: Draws; the same seed gives the same result.
        seed: Seed of the draws.
        totals: Whether to add, per branch, the sum of the métiers given, as métier `ENS`.
    """

    projections: pd.DataFrame | None = None
    rates: pd.DataFrame | None = None
    effects: pd.DataFrame | None = None
    scenario_code: str = "reference"
    delay_years: float = 0.0
    first_old_age: int = FIRST_OLD_AGE
    draws_count: int = 500
    seed: int = 2018
    totals: bool = False


REFERENCE = Assumptions()


@dataclass(frozen=True)
class _Leaving:
    """Who leaves, by node.

    Attributes:
        place: (nodes,) position of each node's pyramid; -1 without.
        point: (pyramids, h) shares of the heads that leave.
        drawn: (pyramids, h, draws).
        ages_basis: (nodes,) `branch`, `national` or `none`.
        rates_basis: (nodes,) as `learn_rates` says.
        own: (nodes,) whether the pyramid is the user's own.
    """

    place: Index
    point: Array
    drawn: Array
    ages_basis: Texts
    rates_basis: Texts
    own: Mask


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
        >>> found = posts_to_fill(jobs, ages, 5, [0.5])
        >>> created, left, posts = found.set_index("quantity").loc[list(QUANTITIES), "value"]
        >>> round(left), bool(posts == created + left)
        (92, True)
    """
    several = np.atleast_1d(np.asarray(horizon_years, dtype=object)).tolist()
    jobs, ages = _checked(employment, age_structure, several, quantile_levels, assumptions)
    horizons = sorted({int(years) for years in several})
    levels = np.unique(np.atleast_1d(quantile_levels).astype(float))
    rates = assumptions.rates
    if rates is None and age_structure is not None and ages is not None:
        steps = -(-max(horizons) // cohorts.BAND_YEARS)
        rates = learn_rates(age_structure, steps, assumptions.first_old_age)
    parts = _parts(jobs, ages, rates, horizons, levels, assumptions)
    return _long(parts, horizons, levels, assumptions.scenario_code)


def _parts(  # noqa: PLR0913 - one argument per thing that posts rest on
    jobs: pd.DataFrame,
    ages: Ages | None,
    rates: pd.DataFrame | None,
    horizons: Sequence[int],
    levels: Array,
    assumptions: Assumptions,
) -> list[tuple[pd.DataFrame, Array]]:
    """Return nodes and their values (quantities, n, h, levels), a branch at a time."""
    nodes = jobs.groupby(_KEY, sort=True).tail(1).reset_index(drop=True)
    projected = _future(nodes, jobs, horizons, levels, assumptions)
    if ages is None or rates is None:
        leaving = _nobody_known(len(nodes), len(horizons), assumptions.draws_count)
    else:
        leaving = _leaving(nodes, ages, rates, horizons, assumptions)
    multipliers = _multipliers(nodes, horizons, assumptions.effects)
    parts = []
    for branch in nodes["branch_code"].unique():
        rows = np.flatnonzero(nodes["branch_code"] == branch)
        points, drawn = _components(nodes, rows, projected, leaving, multipliers, assumptions)
        given = nodes.loc[rows].assign(
            ages_basis=leaving.ages_basis[rows], rates_basis=leaving.rates_basis[rows]
        )
        origin_is_own = (given["origin"] == "own").to_numpy() | leaving.own[rows]
        given["origin"] = np.where(origin_is_own, "own", "public")
        values = _quantiles(points, drawn, levels)
        values[0] = _net_creation(nodes, rows, projected, levels, multipliers)
        values[0][..., levels == MEDIAN] = points[0][..., None]
        values[1] = np.clip(values[1], 0.0, given["employment_headcount"].to_numpy()[:, None, None])
        parts.append((given, values))
        if assumptions.totals:
            whole = _whole(given, str(branch))
            parts.append((whole, _quantiles(points.sum(1, keepdims=True), drawn.sum(1), levels)))
    return parts


def _checked(
    employment: pd.DataFrame,
    age_structure: pd.DataFrame | None,
    horizons: Sequence[object],
    quantile_levels: Sequence[float],
    assumptions: Assumptions,
) -> tuple[pd.DataFrame, Ages | None]:
    """Return employment by branch, métier and year in order, and ages; every defect at once."""
    errors = [*_missing_columns(assumptions)]
    asked_levels = np.atleast_1d(np.asarray(quantile_levels, dtype=object)).tolist()
    asked = [
        *((f"horizon_years {years}", "a whole number ≥ 1", _is_whole(years)) for years in horizons),
        *(
            (f"quantile_levels {level}", "0 < level < 1", _is_real(level) and 0 < level < 1)
            for level in asked_levels
        ),
        ("horizon_years", "at least one", bool(horizons)),
        ("quantile_levels", "at least one", bool(asked_levels)),
        ("delay_years", "0 to 5", 0 <= assumptions.delay_years <= cohorts.BAND_YEARS),
        ("draws_count", "at least 50", assumptions.draws_count >= MIN_DRAWS),
    ]
    wrong = [
        Defect(where, "out of range", told, "correct it") for where, told, ok in asked if not ok
    ]
    if wrong:
        errors.append(RangeError(wrong))
    ages = None
    try:
        if age_structure is not None and not age_structure.empty:
            ages = read_ages(age_structure)
            ages.position(assumptions.first_old_age)
    except DataError as error:
        errors.append(error)
    needed = ("metier_code", "year", "employment_headcount")
    if missing := [name for name in needed if name not in employment]:
        told = ("column missing", ", ".join(needed), "add it")
        errors.append(
            SchemaError(Defect(f"employment, column `{name}`", *told) for name in missing)
        )
        raise gather(errors)
    jobs = pd.DataFrame({name: employment[name] for name in needed}).assign(
        branch_code=employment.get("branch_code", NATIONAL_BRANCH),
        origin=employment.get("origin", "public"),
    )
    columns = [*_KEY, "year", "employment_headcount"]
    if problems := row_problems("employment", jobs[columns]):
        errors.append(as_error(problems, Sheet(jobs, columns[:3], "employment", own=True)))
    if jobs.empty:
        told = ("no row", "at least one métier", "give employment by métier and year")
        errors.append(SchemaError([Defect("employment", *told)]))
    if errors:
        raise gather(errors)
    own = jobs["origin"].eq("own").groupby([jobs[name] for name in _KEY]).transform("any")
    jobs["origin"] = np.where(own, "own", "public")
    return jobs.sort_values([*_KEY, "year"], ignore_index=True), ages


def _is_real(value: object) -> TypeGuard[float]:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return _is_real(value) and value >= 1 and value % 1 == 0


def _missing_columns(assumptions: Assumptions) -> list[DataError]:
    """Return what projections and effects lack, and what they say twice."""
    errors: list[DataError] = []
    key = [*_KEY, "year"]
    for where, table, by, values in (
        ("projections", assumptions.projections, [*key, "quantile_level"], ["value"]),
        ("effects", assumptions.effects, key, ["employment_multiplier", "departures_multiplier"]),
    ):
        if table is None:
            continue
        needed = [*by, *values]
        told = ("column missing", ", ".join(needed), "add it")
        defects = [
            Defect(f"{where}, column `{name}`", *told) for name in needed if name not in table
        ]
        if not defects and table.duplicated(by).any():
            twice = ("the same row twice", f"one row for each {', '.join(by)}", "delete one")
            defects = [Defect(where, *twice)]
        if defects:
            errors.append(SchemaError(defects))
    return errors


def _future(
    nodes: pd.DataFrame,
    jobs: pd.DataFrame,
    horizons: Sequence[int],
    levels: Array,
    assumptions: Assumptions,
) -> tuple[Array, Array]:
    """Return projected heads (nodes, h, levels known) and those levels; NaN where there is none."""
    table = assumptions.projections
    if table is None:
        wanted = np.unique([*QUANTILE_LEVELS, *levels]).tolist()
        table = forecast_employment(jobs, max(horizons), wanted)
    known = np.unique(table["quantile_level"])
    if MEDIAN not in known:
        told = ("no point", "rows of level 0.5", "project with the level 0.5")
        raise SchemaError([Defect("projections, column `quantile_level`", *told)])
    wide = table.pivot(index=[*_KEY, "year"], columns="quantile_level", values="value")
    parts = []
    for years in horizons:
        at = pd.MultiIndex.from_arrays(
            [nodes["branch_code"], nodes["metier_code"], nodes["year"] + years]
        )
        parts.append(wide.reindex(at).to_numpy(dtype=float))
    return np.stack(parts, axis=1), known


def _nobody_known(nodes_count: int, horizons_count: int, draws_count: int) -> _Leaving:
    """Return departures that nothing tells: no age at all."""
    none = np.full(nodes_count, "none")
    return _Leaving(
        np.full(nodes_count, -1),
        np.full((1, horizons_count), np.nan),
        np.full((1, horizons_count, draws_count), np.nan),
        none,
        none,
        np.zeros(nodes_count, dtype=bool),
    )


def _leaving(
    nodes: pd.DataFrame,
    ages: Ages,
    rates: pd.DataFrame,
    horizons: Sequence[int],
    assumptions: Assumptions,
) -> _Leaving:
    """Return who leaves; one pyramid per age node and last year of employment."""
    branch = nodes["branch_code"].where(nodes["branch_code"] != NATIONAL_BRANCH, "")
    own = ages.keys.get_indexer(pd.MultiIndex.from_arrays([branch, nodes["metier_code"]]))
    national = ages.keys.get_indexer(
        pd.MultiIndex.from_arrays([np.full(len(nodes), ""), nodes["metier_code"]])
    )
    source = np.where(own >= 0, own, national)
    pairs, place = np.unique(np.stack([source, nodes["year"]]), axis=1, return_inverse=True)
    shares = np.full((pairs.shape[1], len(ages.bands)), np.nan)
    for year in np.unique(pairs[1]):
        chosen = (pairs[1] == year) & (pairs[0] >= 0)
        shares[chosen] = ages.latest(int(year))[pairs[0][chosen]]
    shares /= shares.sum(axis=1, keepdims=True)
    codes = [str(ages.keys[at][1]) if at >= 0 else ALL_METIERS for at in pairs[0]]
    found = survival_of(codes, rates, ages.first_ages)
    known = ~(np.isnan(shares).any(axis=1) | np.isnan(found.survival).any(axis=(1, 2)))
    first_old = ages.position(assumptions.first_old_age)
    point = np.full((len(shares), len(horizons)), np.nan)
    drawn = np.full((*point.shape, assumptions.draws_count), np.nan)
    for rows in np.array_split(np.flatnonzero(known), -(-known.sum() // CHUNK_PYRAMIDS) or 1):
        middle = cohorts.delayed(found.survival[rows], assumptions.delay_years)
        point[rows] = cohorts.departures_by(shares[rows], middle, horizons, first_old)
        moved = cohorts.delayed(
            found.drawn(rows, assumptions.draws_count, assumptions.seed), assumptions.delay_years
        )
        left = cohorts.departures_by(shares[rows][:, None], moved, horizons, first_old)
        drawn[rows] = left.transpose(0, 2, 1)
    place = np.where(known[place], place, -1)
    basis = np.where(own >= 0, np.where(branch == "", "national", "branch"), "national")
    return _Leaving(
        place,
        point,
        drawn,
        np.where(place >= 0, basis, "none"),
        np.where(place >= 0, found.basis[place], "none"),
        (place >= 0) & ages.own[source],
    )


def _multipliers(
    nodes: pd.DataFrame, horizons: Sequence[int], effects: pd.DataFrame | None
) -> tuple[Array, Array]:
    """Return what a scenario multiplies employment and departures by, (nodes, h) each; 1 if not."""
    ones = np.ones((len(nodes), len(horizons)))
    if effects is None:
        return ones, ones
    wide = effects.set_index([*_KEY, "year"])
    found = []
    for name in ("employment_multiplier", "departures_multiplier"):
        columns = [
            wide[name].reindex(
                pd.MultiIndex.from_arrays(
                    [nodes["branch_code"], nodes["metier_code"], nodes["year"] + years]
                ),
                fill_value=1.0,
            )
            for years in horizons
        ]
        found.append(np.stack(columns, axis=1))
    return found[0], found[1]


def _components(  # noqa: PLR0913 - one argument per thing that is not known
    nodes: pd.DataFrame,
    rows: Index,
    projected: tuple[Array, Array],
    leaving: _Leaving,
    multipliers: tuple[Array, Array],
    assumptions: Assumptions,
) -> tuple[Array, Array]:
    """Return a branch's three quantities: points (3, n, h) and draws (3, n, h, draws)."""
    count, seed = assumptions.draws_count, assumptions.seed
    codes = nodes["metier_code"].iloc[rows].tolist()
    names = (nodes["branch_code"] + " " + nodes["metier_code"]).iloc[rows].tolist()
    start = nodes["employment_headcount"].to_numpy(dtype=float)[rows][:, None]
    more_jobs, more_leave = (part[rows] for part in multipliers)
    future, known = projected[0][rows], projected[1]
    point = np.empty((3, *more_jobs.shape))
    drawn = np.empty((3, *more_jobs.shape, count))
    point[0] = future[:, :, known.tolist().index(MEDIAN)] * more_jobs - start
    jobs = draws.along_quantiles(future, known, draws.correlated(seed, count, codes))
    drawn[0] = np.maximum(jobs * more_jobs[:, :, None], 0.0) - start[:, :, None]
    place = leaving.place[rows]
    unknown = (place < 0)[:, None]
    point[1] = np.minimum(start * leaving.point[place] * more_leave, start)
    far = (leaving.ages_basis[rows] == "national") & (
        nodes["branch_code"].to_numpy()[rows] != NATIONAL_BRANCH
    )
    tilt = np.exp(
        AGE_SPREAD * far[:, None] * _age_gaps(nodes["branch_code"].iloc[rows], names, assumptions)
    )
    left = start[:, :, None] * leaving.drawn[place] * more_leave[:, :, None] * tilt[:, None, :]
    left = np.clip(left, 0.0, start[:, :, None])
    chance = draws.own(seed, count, [f"{name} chance" for name in names])[:, None, :]
    share = np.divide(left, start[:, :, None], out=np.zeros_like(left), where=start[:, :, None] > 0)
    drawn[1] = np.clip(left + np.sqrt(left * (1 - share)) * chance, 0.0, start[:, :, None])
    point[1][unknown[:, 0]], drawn[1][unknown[:, 0]] = np.nan, np.nan
    point[2], drawn[2] = (measures.posts(part[0], part[1]) for part in (point, drawn))
    return point, drawn


def _age_gaps(branches: pd.Series, names: Sequence[str], assumptions: Assumptions) -> Array:
    """Return how far a branch's ages are from the national ones, (n, draws), normal.

    A branch is older or younger as a whole: `AGE_CORRELATION` of it is shared by its métiers.
    """
    of_branch, alone = (
        draws.own(assumptions.seed, assumptions.draws_count, [f"{name} ages" for name in each])
        for each in (branches.tolist(), names)
    )
    return np.asarray(AGE_CORRELATION * of_branch + np.sqrt(1 - AGE_CORRELATION**2) * alone)


def _net_creation(
    nodes: pd.DataFrame,
    rows: Index,
    projected: tuple[Array, Array],
    levels: Array,
    multipliers: tuple[Array, Array],
) -> Array:
    """Return quantiles of net creation straight from those of employment, (n, h, levels)."""
    future, known = projected[0][rows], projected[1]
    start = nodes["employment_headcount"].to_numpy(dtype=float)[rows][:, None, None]
    at = np.tile(norm.ppf(levels), (len(rows), 1))
    found = np.maximum(draws.along_quantiles(future, known, at), 0.0)
    return np.asarray(found * multipliers[0][rows][:, :, None] - start)


def _quantiles(points: Array, drawn: Array, levels: Array) -> Array:
    """Return the draws' quantiles, moved so that their median is the point; NaN stays NaN."""
    if drawn.ndim == points.ndim:
        drawn = drawn[:, None]
    found = np.quantile(drawn, np.append(levels, MEDIAN), axis=-1)
    moved = np.moveaxis(found[:-1] - found[-1], 0, -1)
    return np.asarray(points[..., None] + moved)


def _whole(given: pd.DataFrame, branch_code: str) -> pd.DataFrame:
    """Return the row that names the sum of a branch's métiers."""
    last = int(given["year"].max())
    if int(given["year"].min()) != last:
        told = ("métiers end in different years", "one last year", "ask without totals")
        raise CoherenceError([Defect(f"branch {branch_code}", *told)])
    bases = {
        name: texts.pop() if len(texts := set(given[name])) == 1 else "mixed"
        for name in ("ages_basis", "rates_basis")
    }
    own = "own" if (given["origin"] == "own").any() else "public"
    heads = given["employment_headcount"].sum()
    row = {"branch_code": branch_code, "metier_code": ALL_METIERS, "year": last, "origin": own}
    return pd.DataFrame([row | bases | {"employment_headcount": heads}])


def _long(
    parts: Sequence[tuple[pd.DataFrame, Array]],
    horizons: Sequence[int],
    levels: Array,
    scenario_code: str,
) -> pd.DataFrame:
    """Return the long table of values (quantities, n, h, levels) and who they belong to."""
    nodes = pd.concat([given for given, _ in parts], ignore_index=True)
    values = np.concatenate([found for _, found in parts], axis=1).transpose(1, 2, 0, 3)
    each = len(horizons) * len(QUANTITIES) * len(levels)
    repeated = nodes.loc[nodes.index.repeat(each)].reset_index(drop=True)
    ahead = np.repeat(horizons, len(QUANTITIES) * len(levels))
    table = repeated.rename(columns={"year": "cutoff_year"}).assign(
        region_code=METROPOLITAN,
        scenario_code=scenario_code,
        model="cohort",
        quantile_level=np.tile(levels, len(nodes) * len(horizons) * len(QUANTITIES)),
        quantity=np.tile(np.repeat(QUANTITIES, len(levels)), len(nodes) * len(horizons)),
        value=values.ravel(),
        unit="headcount",
        nature="projection",
    )
    table["year"] = table["cutoff_year"] + np.tile(ahead, len(nodes))
    table["status"] = np.where(table["value"].isna(), "nd", "value")
    return table[list(COLUMNS)]
