"""Who leaves: the survival of each métier, its uncertainty, and the share of heads that leave."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from opmq_lib.errors import refuse
from opmq_lib.methods import draws
from opmq_lib.methods.needs import cohorts
from opmq_lib.methods.needs.ages import FIRST_OLD_AGE, Ages
from opmq_lib.methods.needs.cohorts import Array, Index
from opmq_lib.tables import input_errors
from opmq_lib.tables.fap import FAMILY_LENGTH
from opmq_lib.tables.indicators import ALL_METIERS

_UNKNOWN_RATE: dict[str, Any] = {
    "step": 1,
    "common_spread_logit": 0.0,
    "spread_ratio": 0.0,
}


@dataclass(frozen=True)
class Survival:
    """Survival by pyramid.

    Attributes:
        codes: Métier of each pyramid.
        survival: (pyramids, steps, bands), 0 to 1; NaN where no rate is known.
        common: (pyramids, steps, bands) standard deviation, in logits, of what all share.
        own: (pyramids, steps, bands) standard deviation of a métier's own.
    """

    codes: list[str]
    survival: Array
    common: Array
    own: Array

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


def survival_of(codes: Sequence[str], rates: pd.DataFrame, first_ages: Sequence[int]) -> Survival:
    """Return the rates of métiers: their own, otherwise their family's, otherwise all métiers'.

    Args:
        codes: Métier of each pyramid.
        rates: `metier_code`, `first_age`, `survival_ratio`; `step` and spreads if they
            are known.
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
    refuse(input_errors("departure_rates", table, "rates"))
    known = pd.Index(table["metier_code"].unique())
    nearest = [_nearest(code, known) for code in codes]
    steps = sorted(set(table["step"]))
    key = ["metier_code", "step", "first_age"]
    wide = table.set_index(key)[["survival_ratio", "common_spread_logit", "spread_ratio"]]
    at = pd.MultiIndex.from_tuples(
        [(code, step, age) for code in nearest for step in steps for age in first_ages], names=key
    )
    shape = (3, len(codes), len(steps), len(first_ages))
    survival, common, own = wide.reindex(at).to_numpy(dtype=float, copy=True).T.reshape(shape)
    survival[..., -1] = np.nan_to_num(survival[..., -1])
    return Survival(list(codes), survival, np.nan_to_num(common), np.nan_to_num(own))


def _nearest(code: str, known: pd.Index) -> str:
    family = code[:FAMILY_LENGTH]
    return code if code in known else family if family in known else ALL_METIERS


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
