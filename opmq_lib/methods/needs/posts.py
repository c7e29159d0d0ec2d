"""Who leaves, net creation and posts to fill, per 100 jobs and per year, then as counts (P1).

Level 0.5 is the point, where posts are exactly departures plus net creation. Other levels come from
draws: the level of employment, growth, departures, and how old a branch is whose ages are not
known. A rate takes its terms in one draw: the level cancels. Sums over a branch keep its headcount;
sums over branches meet the same draws.

Source: method page, P1; `docs/decisions/needs.md`.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from opmq_lib.errors import RangeError, refuse
from opmq_lib.methods import draws
from opmq_lib.methods.draws import DRAWS_COUNT, SEED
from opmq_lib.methods.employment.levels import HEADS, MEDIAN, NODE, level_draws, on_total
from opmq_lib.methods.needs.cohorts import Array
from opmq_lib.methods.needs.rates import NORMAL_80
from opmq_lib.tables import DESCRIPTIONS, input_errors
from opmq_lib.tables.indicators import ALL_METIERS, HIGH, LOW, METROPOLITAN

GROWTH_SD, BRANCH_GROWTH_SD = 0.02, 0.010
"""Per year, the same every year: error of a métier's growth (measured on past projections), and
what a branch's own growth may be (a convention: no open series by branch)."""

DEPARTURE_SD, COMMON_DEPARTURE_SD = 0.15, 0.06
"""Of the log: between our own departure rates of families and the official ones (measured), and
what all métiers share (a convention)."""

AGE_SD, AGE_CORRELATION = 0.2, 0.7
"""How far the ages of a branch may be from those of its métiers in the country (log of departures),
and the weight of what its métiers share in that, √(1 - w²) left to each: conventions."""

JOBS = "start_employment_headcount"
QUANTITIES = (
    "net_creation_headcount",
    "career_end_departures_headcount",
    "posts_to_fill_headcount",
)
RATES = ("net_creation_rate_pct", "departure_rate_pct", "posts_rate_pct")
"""Per year, in % of the jobs there are when the count begins."""

GRADED = (JOBS, QUANTITIES[1], RATES[1])
"""What has a grade of reliability: posts and net creation are signed."""

UNITS = dict.fromkeys((JOBS, *QUANTITIES), "headcount") | dict.fromkeys(RATES, "pct_per_year")
NATIONAL_BRANCH = "ensemble"
LEVELS = (LOW, MEDIAN, HIGH)
AS_THEY_ARE: Mapping[str, pd.DataFrame] = MappingProxyType(
    {"reference": pd.DataFrame(columns=NODE)}
)


class _Drawn(NamedTuple):
    """What is not known of the cells of a branch, in each draw, (n, draws) each.

    Attributes:
        alone: Factors of the heads of a métier alone.
        in_branch: The same where its branch is summed: the headcount is known.
        growth: What is added to its growth, per year.
        leaving: Factors of its departure rate.
    """

    alone: Array
    in_branch: Array
    growth: Array
    leaving: Array


class _Flows(NamedTuple):
    """Jobs at the start, net creation and departures of some cells.

    Attributes:
        table: One row per cell.
        point: (3, n, 1).
        drawn: (3, n, draws).
    """

    table: pd.DataFrame
    point: Array
    drawn: Array


def posts_to_fill(
    cells: pd.DataFrame,
    start_year: int,
    end_year: int,
    cases: Mapping[str, pd.DataFrame] = AS_THEY_ARE,
) -> pd.DataFrame:
    """Return departures, net creation and posts to fill between the ends of two years.

    Args:
        cells: Rows of the `needs_cells` contract: of each branch every métier, the rest included,
            with employment at the end of `level_year` and its 80 % interval, growth and departures
            per year. A cell without growth counts in its branch's headcount alone.
        start_year: Year at whose end the count begins.
        end_year: Year at whose end it ends.
        cases: By scenario code, what differs from `cells`, by `branch_code` and `metier_code`:
            `growth_rate_pct`, `departure_rate_pct`, or `employment_multiplier` of the end, which
            multiplies growth and never departures.

    Returns:
        The long table of contract `needs`: per branch, métier, case, `quantity` and level (0.1,
        0.5, 0.9): jobs at the start, then heads over the years counted, then % of the jobs at the
        start per year; per branch the sum of its métiers (`ENS`), and over several branches those
        of each métier and of all (`ensemble`). `best_grade` is that of what rests on the level.

    Raises:
        DataError: With every defect of the cells; `RangeError` if the years do not increase.

    Examples:
        Nobody's level is in doubt, jobs do not move, 3 % leave per year:

        >>> cells = pd.DataFrame({"branch_code": "verre", "metier_code": ["E1Z43"],
        ...     "level_year": 2020, "employment_headcount": 1000.0, "family_code": "E1Z",
        ...     "growth_rate_pct": 0.0, "departure_rate_pct": 3.0, "ages_basis": "national",
        ...     "nature": "official_projection", "origin": "public"})
        >>> table = posts_to_fill(cells, 2026, 2030).query("metier_code == 'ENS'")
        >>> rows = table.pivot(index="quantity", columns="quantile_level", values="value").round(1)
        >>> rows.loc["departure_rate_pct"].tolist(), rows.loc["posts_to_fill_headcount"].tolist()
        ([2.2, 3.0, 4.2], [3.0, 120.0, 310.3])
    """
    errors = input_errors("needs_cells", cells, "cells")
    if end_year <= start_year:
        fix = "ask for a later end"
        errors.append(RangeError.of("end_year", f"{end_year}", f"after {start_year}", fix))
    refuse(errors)
    parts: list[pd.DataFrame] = []
    over: dict[str, list[tuple[_Flows, _Flows]]] = {code: [] for code in cases}
    clock = start_year, end_year - start_year
    for _, branch in cells.sort_values(NODE).groupby("branch_code"):
        known, drawn = _drawn(branch.reset_index(drop=True))
        for code, changes in cases.items():
            table = known.drop(columns=changes.columns.drop(NODE), errors="ignore")
            table = table.merge(changes, "left", on=NODE)
            alone = _flows(table, drawn, drawn.alone, clock)
            whole = _total(_flows(table, drawn, drawn.in_branch, clock))
            over[code].append((alone, whole))
            parts += [_quantities(each, code, clock) for each in (alone, whole)]
    if len(set(cells["branch_code"])) > 1:
        parts += [
            _quantities(each, code, clock) for code in cases for each in _over_branches(over[code])
        ]
    return pd.concat(parts, ignore_index=True)[list(DESCRIPTIONS["needs"])]


def _drawn(cells: pd.DataFrame) -> tuple[pd.DataFrame, _Drawn]:
    """Return the cells of a branch that have a growth, and draws from named streams."""
    nodes, level = level_draws(cells.rename(columns={"level_year": "year"}), DRAWS_COUNT, SEED)
    heads, is_known = cells[HEADS].to_numpy(float), cells["growth_rate_pct"].notna().to_numpy()
    in_branch = on_total(heads, level) if heads.any() else level
    best = nodes["best_grade"].where(nodes["level_log_sd"] > 0, "")
    table = cells.assign(best_grade=best)[is_known].reset_index(drop=True)
    codes, families = table["metier_code"], table["family_code"]
    families = families.where(families.ne(""), codes)
    error = draws.correlated(SEED, DRAWS_COUNT, codes.tolist(), families.tolist())
    drift = draws.even(_own(table["branch_code"].head(1) + " growth"))
    growth = GROWTH_SD * error + BRANCH_GROWTH_SD * drift
    return table, _Drawn(level[is_known], in_branch[is_known], growth, departure_factors(table))


def departure_factors(cells: pd.DataFrame) -> Array:
    """Return what to multiply the departure rate of each cell by, in each draw, (cells, draws).

    Args:
        cells: `branch_code`, `metier_code`, and `ages_basis` if some ages are a branch's own.
    """
    branches, codes = cells["branch_code"], cells["metier_code"]
    each = np.sqrt(1 - AGE_CORRELATION**2) * _own(branches + " " + codes + " ages")
    gap = AGE_CORRELATION * _own(branches + " ages") + each
    is_own = cells.get("ages_basis", pd.Series("", cells.index)).eq("branch").to_numpy()
    age_sd = np.where(is_own, 0.0, AGE_SD)[:, None]
    common = COMMON_DEPARTURE_SD * draws.shared(SEED, DRAWS_COUNT, "rates")
    error = DEPARTURE_SD * _own(codes + " rates") + common + age_sd * gap
    spread = np.sqrt(DEPARTURE_SD**2 + COMMON_DEPARTURE_SD**2 + age_sd**2)
    return np.asarray(np.exp(spread * draws.even(error)))


def national_ends(rates: pd.Series) -> dict[str, pd.Series]:
    """Return the ends of the 80 % interval of departure rates of métiers in the whole country.

    Args:
        rates: Departures per 100 jobs and a year; of no branch: the ages are those of the métier.

    Returns:
        `lower` and `upper`, same unit and index.

    Source:
        Method page, P1: the spread of `departure_factors` without the ages of a branch.

    Examples:
        >>> {end: each.round(2).tolist() for end, each in national_ends(pd.Series([2.0])).items()}
        {'lower': [1.63], 'upper': [2.46]}
    """
    factor = np.exp(NORMAL_80 * np.hypot(DEPARTURE_SD, COMMON_DEPARTURE_SD))
    return {"lower": rates / factor, "upper": rates * factor}


def _own(names: pd.Series) -> Array:
    return draws.own(SEED, DRAWS_COUNT, names.tolist())


def _flows(table: pd.DataFrame, drawn: _Drawn, level: Array, clock: tuple[int, int]) -> _Flows:
    """Return the flows of each cell, with one of the two draws of their level."""
    start_year, span = clock

    def column(name: str, absent: float = np.nan) -> Array:
        values = table.get(name, pd.Series(absent, table.index))
        return np.asarray(values, dtype="float64")[:, None]

    more = np.nan_to_num(column("employment_multiplier", 1.0), nan=1.0)
    ahead = start_year - column("level_year")

    def flows(heads: Array, growth: Array, leaving: Array) -> Array:
        start = heads * np.exp(growth * ahead)
        end = start * np.exp(growth * span)
        return np.stack([start, more * end - start, span * leaving * (start + end) / 2])

    heads = column(HEADS)
    growth, leaving = column("growth_rate_pct") / 100, column("departure_rate_pct") / 100
    point = flows(heads, growth, leaving)
    return _Flows(
        table, point, flows(heads * level, growth + drawn.growth, leaving * drawn.leaving)
    )


def _total(flows: _Flows, **named: str) -> _Flows:
    """Return the sum of some cells, under the first one's branch unless named."""
    members = flows.table
    row = members.head(1).assign(
        **{"metier_code": ALL_METIERS} | named,
        level_year=members["level_year"].max(),
        best_grade=members["best_grade"].max(),
        origin="own" if members["origin"].eq("own").any() else "public",
    )
    for name, mixed in (("ages_basis", "mixed"), ("nature", "official_projection")):
        known = set(members[name])
        row[name] = known.pop() if len(known) == 1 else mixed
    return _Flows(row, *(each.sum(axis=1, keepdims=True) for each in flows[1:]))


def _over_branches(flows: Sequence[tuple[_Flows, _Flows]]) -> list[_Flows]:
    """Return the sums over branches, of each métier and of all, from those of each branch."""
    alone, whole = (
        _Flows(
            pd.concat([each.table for each in parts], ignore_index=True),
            *(np.concatenate([each[at] for each in parts], axis=1) for at in (1, 2)),
        )
        for parts in zip(*flows, strict=True)
    )
    sums = [
        _total(
            _Flows(alone.table.iloc[rows], alone.point[:, rows], alone.drawn[:, rows]),
            branch_code=NATIONAL_BRANCH,
            metier_code=str(code),
        )
        for code, rows in alone.table.groupby("metier_code").indices.items()
    ]
    return [*sums, _total(whole, branch_code=NATIONAL_BRANCH)]


def _quantities(flows: _Flows, scenario_code: str, clock: tuple[int, int]) -> pd.DataFrame:
    """Return the long rows of some cells: points, and quantiles moved with them."""
    start_year, span = clock
    values = measured(flows.point, span)
    low, middle, high = np.quantile(measured(flows.drawn, span), LEVELS, axis=-1)
    moved = values + np.stack([low - middle, 0 * middle, high - middle], axis=-1)
    is_graded = np.isin([*UNITS], GRADED)
    moved[is_graded] = np.maximum(moved[is_graded], 0.0)
    quantity, node, level = np.indices(moved.shape).reshape(3, -1)
    columns = [*NODE, "level_year", "ages_basis", "nature", "origin", "best_grade"]
    table = flows.table[columns].rename(columns={"level_year": "cutoff_year"}).iloc[node]
    return table.assign(
        scenario_code=scenario_code,
        region_code=METROPOLITAN,
        model="rates",
        start_year=start_year,
        year=start_year + span,
        quantile_level=np.array(LEVELS)[level],
        quantity=pd.Index([*UNITS])[quantity],
        value=moved.ravel(),
        unit=pd.Index([*UNITS.values()])[quantity],
        status=pd.Index(["value", "nd"])[np.isnan(moved.ravel()).astype(int)],
    )


def measured(flows: Array, span: int) -> Array:
    """Return the quantities of needs from flows, in the order of `UNITS`.

    Args:
        flows: (3, …): jobs at the start, net creation, departures, in heads.
        span: Years counted.

    Returns:
        (7, …): jobs at the start, net creation, departures and posts, then the last three in % of
        the first, per year; missing where there is no job.

    Examples:
        >>> measured(np.array([200.0, -10, 24]), 4).tolist()
        [200.0, -10.0, 24.0, 14.0, -1.25, 3.0, 1.75]
    """
    start, created, left = flows
    heads = np.stack([created, left, created + left])
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.where(start > 0, 100 * heads / (span * start), np.nan)
    return np.concatenate([start[None], heads, rates])
