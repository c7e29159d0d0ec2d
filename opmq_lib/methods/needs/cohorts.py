"""Ageing and career-end departures on arrays: five-year bands, the last one open.

Arrays have bands on the last axis, in increasing age; other axes broadcast. Survival s_a is the
share of the heads of a band who are still in employment five years later. Heads are conserved:
those who stay and those who leave add up to those who were there.

Source: method page, E2.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

BAND_YEARS = 5


def age_five_years(heads: Array, survival: Array) -> tuple[Array, Array]:
    """Return the heads of each band five years later, without new entrants, and who has left.

    Args:
        heads: (…, bands) heads now.
        survival: (…, bands) shares still in employment in five years, 0 to 1.

    Returns:
        Heads five years later (the first band is empty, the last keeps its own survivors) and
        leavers by band of today.

    Examples:
        >>> later, left = age_five_years(np.array([100.0, 50.0]), np.array([0.9, 0.2]))
        >>> later.tolist(), left.tolist()
        ([0.0, 100.0], [10.0, 40.0])
    """
    staying = heads * survival
    later = np.zeros_like(staying)
    later[..., 1:] = staying[..., :-1]
    later[..., -1] += staying[..., -1]
    return later, heads - staying


def yearly(survival: Array) -> Array:
    """Return one-year survival, five-year survival spread evenly: 1 - h = s^(1/5).

    Examples:
        >>> (1 - yearly(np.array([0.93, 0.62, 0.12]))).round(6).tolist()
        [0.014409, 0.091179, 0.345611]
    """
    return np.asarray(survival ** (1 / BAND_YEARS))


def age_one_year(heads: Array, yearly_survival: Array) -> tuple[Array, Array]:
    """Return the heads of each band one year later, without new entrants, and who has left.

    A fifth of the survivors of a band move to the next: E'_a = 0.8 (1 - h_a) E_a +
    0.2 (1 - h_(a-5)) E_(a-5); the last, open band keeps all its own.

    Args:
        heads: (…, bands) heads now.
        yearly_survival: (…, bands), 1 - h.

    Returns:
        As `age_five_years`, one year later.

    Examples:
        >>> later, left = age_one_year(np.array([100.0, 50.0]), np.array([1.0, 0.0]))
        >>> later.tolist(), left.tolist()
        ([80.0, 20.0], [0.0, 50.0])
    """
    staying = heads * yearly_survival
    moving = staying[..., :-1] / BAND_YEARS
    later = staying.copy()
    later[..., :-1] -= moving
    later[..., 1:] += moving
    return later, heads - staying


def career_end_departures(
    heads: Array, survival: Array, horizons: Sequence[int], first_old: int
) -> Array:
    """Return how many incumbents of `first_old` and older leave employment over some horizons.

    Horizons of which none is a multiple of five: bands age by one year at a time. Otherwise by
    five at multiples of five, and straight lines between them: the two schemes differ, the first
    mixes ages within a band, and side by side they would make sums go down from one year to the
    next. New entrants are ignored, so that the result is a lower bound.

    Args:
        heads: (…, bands) heads now.
        survival: (…, steps, bands): one row per five-year step; the last row serves beyond.
        horizons: Years, each at least 1.
        first_old: Position of the first band that counts (a₀).

    Returns:
        (…, horizons) heads; they never fall when the horizon grows.

    Examples:
        Worked example W1:

        >>> heads = np.array([1100.0, 1200, 900, 300, 40])
        >>> survival = np.array([[0.96, 0.93, 0.62, 0.12, 0]])
        >>> career_end_departures(heads, survival, [1], 1).round(6).tolist()
        [243.035492]
        >>> career_end_departures(heads, survival, [1, 5, 7, 10], 1).round(6).tolist()
        [146.0, 730.0, 1140.016, 1755.04]
    """
    if all(years % BAND_YEARS for years in horizons):
        return _left_after(heads, yearly(survival), horizons, first_old, 1)
    fives = range(BAND_YEARS, max(horizons) + BAND_YEARS, BAND_YEARS)
    left = _left_after(heads, survival, fives, first_old, BAND_YEARS)
    left = np.concatenate([np.zeros_like(left[..., :1]), left], axis=-1)
    step, rest = np.divmod(horizons, BAND_YEARS)
    after = np.minimum(step + 1, left.shape[-1] - 1)
    before = left[..., step]
    return np.asarray(before + rest / BAND_YEARS * (left[..., after] - before))


def _left_after(
    heads: Array, survival: Array, horizons: Sequence[int], first_old: int, size: int
) -> Array:
    """Return the leavers after each horizon, advancing by one year or by five."""
    advance = age_one_year if size == 1 else age_five_years
    total, after = np.zeros(()), {}
    for year in range(0, max(horizons), size):
        step = min(year // BAND_YEARS, survival.shape[-2] - 1)
        heads, left = advance(heads, survival[..., step, :])
        total = total + left[..., first_old:].sum(axis=-1)
        after[year + size] = total
    return np.stack([after[years] for years in horizons], axis=-1)


def delayed(survival: Array, delay_years: float) -> Array:
    """Return survival when people leave some years later in life.

    The yearly rate of leaving of an age becomes that of people `delay_years` younger; in a band
    of five years, h'_a = (1 - d/5) h_a + d/5 h_(a-5).

    Args:
        survival: (…, bands) five-year survival.
        delay_years: Years d, from 0 to 5.

    Returns:
        (…, bands); never lower where leaving increases with age.

    Examples:
        >>> delayed(np.array([1.0, 0.0]), 1.0).round(6).tolist()
        [1.0, 0.00032]
    """
    if delay_years == 0:
        return survival
    leaving = 1 - yearly(survival)
    share = delay_years / BAND_YEARS
    younger = np.concatenate([leaving[..., :1], leaving[..., :-1]], axis=-1)
    staying = 1 - (1 - share) * leaving - share * younger
    return np.asarray(np.clip(staying, 0.0, 1.0) ** BAND_YEARS)  # beyond by rounding only
