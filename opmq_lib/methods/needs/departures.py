"""Who leaves: the survival of each métier, its uncertainty, and the share of the heads that leave.

Shares are per pyramid, that is per node of the age table and last year of employment: branches that
borrow national ages have the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit

from opmq_lib.errors import gather
from opmq_lib.methods import draws
from opmq_lib.methods.needs import cohorts
from opmq_lib.methods.needs.ages import FIRST_OLD_AGE, Ages
from opmq_lib.methods.needs.assumptions import Assumptions
from opmq_lib.methods.needs.cohorts import Array, Index, Mask
from opmq_lib.tables import input_errors
from opmq_lib.tables.fap import FAMILY_LENGTH
from opmq_lib.tables.indicators import ALL_METIERS

Texts = npt.NDArray[np.str_]

NATIONAL_BRANCH = "ensemble"
CHUNK_PYRAMIDS = 256
_UNKNOWN_RATE: dict[str, Any] = {
    "step": 1,
    "common_spread_logit": 0.0,
    "spread_ratio": 0.0,
    "rates_basis": "given",
}


@dataclass(frozen=True)
class Survival:
    """Survival by pyramid.

    Attributes:
        codes: Métier of each pyramid.
        survival: (pyramids, steps, bands), 0 to 1; NaN where no rate is known.
        common: (pyramids, steps, bands) standard deviation, in logits, of what all share.
        own: (pyramids, steps, bands) standard deviation of a métier's own.
        basis: (pyramids,) what the rates rest on.
    """

    codes: list[str]
    survival: Array
    common: Array
    own: Array
    basis: Texts

    def drawn(self, rows: Index, draws_count: int, seed: int) -> Array:
        """Return draws of the survival of some pyramids, (rows, draws, steps, bands)."""
        point, common, own = (
            part[rows][:, None] for part in (self.survival, self.common, self.own)
        )
        together = draws.shared(seed, draws_count, "rates")[:, None, None]
        codes = [f"{self.codes[row]} rates" for row in rows]
        alone = draws.own(seed, draws_count, codes)[:, :, None, None]
        inside = np.clip(point, 1e-3, 1 - 1e-3)
        moved = np.where(common > 0, expit(logit(inside) + common * together), point)
        return np.clip(moved + own * alone, 0.0, 1.0)


@dataclass(frozen=True)
class Departures:
    """Who leaves, by node; what is not known is NaN, and its basis `none`.

    Attributes:
        place: (nodes,) position of each node's pyramid; the last one is not known.
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


def survival_of(codes: Sequence[str], rates: pd.DataFrame, first_ages: Sequence[int]) -> Survival:
    """Return the rates of métiers: their own, otherwise their family's, otherwise all métiers'.

    Args:
        codes: Métier of each pyramid.
        rates: `metier_code`, `first_age`, `survival_ratio`; `step`, spreads and `rates_basis` if
            they are known.
        first_ages: First age of each band; a last band without rate keeps nobody.

    Returns:
        The arrays.

    Raises:
        SchemaError: If a column is missing or a rate given twice.
        RangeError: If a survival lies outside 0 to 1.
        DataError: If both kinds occur; every defect is listed.

    Examples:
        >>> rates = pd.DataFrame({"metier_code": "ENS", "first_age": [50, 55],
        ...                       "survival_ratio": [0.9, 0.5]})
        >>> survival_of(["D1Z40"], rates, [50, 55, 60]).survival.tolist()
        [[[0.9, 0.5, 0.0]]]
    """
    absent = {name: value for name, value in _UNKNOWN_RATE.items() if name not in rates}
    table = rates.assign(**absent)
    if errors := input_errors("departure_rates", table, "rates"):
        raise gather(errors)
    basis = table.groupby("metier_code")["rates_basis"].first()
    nearest = [_nearest(code, basis.index) for code in codes]
    steps = sorted(set(table["step"]))
    key = ["metier_code", "step", "first_age"]
    wide = table.set_index(key)[["survival_ratio", "common_spread_logit", "spread_ratio"]]
    at = pd.MultiIndex.from_tuples(
        [(code, step, age) for code in nearest for step in steps for age in first_ages], names=key
    )
    shape = (3, len(codes), len(steps), len(first_ages))
    survival, common, own = wide.reindex(at).to_numpy(dtype=float, copy=True).T.reshape(shape)
    survival[..., -1] = np.nan_to_num(survival[..., -1])
    words = [
        basis.get(code, "none") if near == code else "all" if near == ALL_METIERS else "family"
        for code, near in zip(codes, nearest, strict=True)
    ]
    return Survival(
        list(codes), survival, np.nan_to_num(common), np.nan_to_num(own), np.array(words)
    )


def _nearest(code: str, known: pd.Index) -> str:
    family = code[:FAMILY_LENGTH]
    return code if code in known else family if family in known else ALL_METIERS


def departures(
    nodes: pd.DataFrame,
    ages: Ages | None,
    rates: pd.DataFrame | None,
    horizons: Sequence[int],
    assumptions: Assumptions,
) -> Departures:
    """Return who leaves each node within some horizons.

    Args:
        nodes: `branch_code`, `metier_code` and last `year` of employment.
        ages: Pyramids: a branch's own serve before those of the whole country.
        rates: As for `survival_of`; without rates or ages nothing is known.
        horizons: Years.
        assumptions: Age a₀, delay and draws.

    Returns:
        Shares of the heads, and what they rest on.

    Raises:
        DataError: As `survival_of`; `SchemaError` if no band starts at a₀.
    """
    if ages is None or rates is None:
        nothing = np.full((1, len(horizons), assumptions.draws_count), np.nan)
        place, none = np.full(len(nodes), -1), np.full(len(nodes), "none")
        return Departures(place, nothing[..., 0], nothing, none, none, place >= 0)
    branch = nodes["branch_code"].where(nodes["branch_code"] != NATIONAL_BRANCH, "")
    of_branch, national = (
        ages.keys.get_indexer(pd.MultiIndex.from_arrays([code, nodes["metier_code"]]))
        for code in (branch, np.full(len(nodes), ""))
    )
    node = np.where(of_branch >= 0, of_branch, national)
    (chosen, years), place = np.unique(np.stack([node, nodes["year"]]), axis=1, return_inverse=True)
    survival = survival_of(ages.metier_codes[chosen].tolist(), rates, ages.first_ages)
    first_old = ages.position(assumptions.first_old_age)
    shares = _age_shares(ages, chosen, years)
    point, drawn = _leaving(shares, years, survival, horizons, first_old, assumptions)
    is_known = ~np.isnan(point[place, 0])
    basis = np.where((of_branch >= 0) & (branch != ""), "branch", "national")
    return Departures(
        np.where(is_known, place, -1),
        point,
        drawn,
        np.where(is_known, basis, "none"),
        np.where(is_known, survival.basis[place], "none"),
        is_known & ages.own[node],
    )


def leaving(
    ages: Ages,
    rates: pd.DataFrame,
    year: int,
    horizons: Sequence[int],
    later: tuple[float, int] = (0.0, 0),
) -> pd.DataFrame:
    """Return which share of those in work in a year has left some years later.

    Args:
        ages: Pyramids; the last complete one up to the year is read.
        rates: As for `survival_of`.
        year: Year from which horizons are counted.
        horizons: Years, each at least 0.
        later: Years later in life at which everybody leaves (0 to 5), and from which horizon on.

    Returns:
        Shares by pyramid and horizon; missing where ages are not known.

    Examples:
        >>> from opmq_lib.methods.needs.ages import read_ages
        >>> heads = [60.0, 20, 10, 10]
        >>> table = pd.DataFrame({"metier_code": "A", "period": "2018", "employment_headcount":
        ...     heads, "age_band": ["45-49", "50-54", "55-59", "60+"]})
        >>> rates = pd.DataFrame({"metier_code": "ENS", "first_age": [45, 50, 55, 60],
        ...                       "survival_ratio": [1, 0.9, 0.4, 0]})
        >>> leaving(read_ages(table), rates, 2018, [5]).loc[("", "A"), 5].round(6)
        np.float64(0.18)
    """
    delay_years, from_horizon = later
    stay = survival_of(ages.metier_codes.tolist(), rates, ages.first_ages).survival
    heads, first_old = ages.latest(year), ages.position(FIRST_OLD_AGE)
    shares = heads / heads.sum(axis=1, keepdims=True)

    def leave(survival: Array, asked: Sequence[int]) -> Array:
        return cohorts.departures(shares, survival, asked, first_old)

    after = cohorts.delayed(stay, delay_years)
    gone = cohorts.changed(leave, stay, after, horizons, from_horizon)
    return pd.DataFrame(gone, ages.keys, list(horizons))


def _age_shares(ages: Ages, nodes: Index, years: Index) -> Array:
    """Return shares of bands in the last complete pyramid up to a year, (pyramids, bands)."""
    heads = np.full((len(nodes), len(ages.bands)), np.nan)
    for year in np.unique(years):
        rows = (years == year) & (nodes >= 0)
        heads[rows] = ages.latest(int(year))[nodes[rows]]
    return np.asarray(heads / heads.sum(axis=1, keepdims=True))


def _leaving(  # noqa: PLR0913 - who is there, at what rates, from when
    shares: Array,
    years: Index,
    survival: Survival,
    horizons: Sequence[int],
    first_old: int,
    assumptions: Assumptions,
) -> tuple[Array, Array]:
    """Return shares of the heads that leave, (pyramids + 1, h), and draws; the last row is NaN."""
    point = np.full((len(shares) + 1, len(horizons)), np.nan)
    drawn = np.full((*point.shape, assumptions.draws_count), np.nan)
    is_known = ~(np.isnan(shares).any(axis=1) | np.isnan(survival.survival).any(axis=(1, 2)))
    since = np.maximum((assumptions.counted_from or 0) - years, 0)

    def leave(heads: Array, stay: Array, from_year: int) -> Array:
        def at(survival: Array, asked: Sequence[int]) -> Array:
            below = assumptions.first_old_share
            return cohorts.departures(heads, survival, asked, first_old, below)

        if not assumptions.delay_years:
            return at(stay, horizons)
        later = cohorts.delayed(stay, assumptions.delay_years)
        return cohorts.changed(at, stay, later, horizons, from_year)

    for from_year in np.unique(since[is_known]):
        chosen = np.flatnonzero(is_known & (since == from_year))
        for rows in np.array_split(chosen, -(-len(chosen) // CHUNK_PYRAMIDS)):
            drawn_stay = survival.drawn(rows, assumptions.draws_count, assumptions.seed)
            point[rows] = leave(shares[rows], survival.survival[rows], from_year)
            drawn[rows] = leave(shares[rows][:, None], drawn_stay, from_year).swapaxes(1, 2)
    return point, drawn
