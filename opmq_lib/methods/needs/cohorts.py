"""Ageing and career-end departures on arrays: five-year bands, the last one open.

Arrays have bands on the last axis, in increasing age; other axes broadcast. Survival s_a is the
share of the heads of a band who are still in employment five years later. Heads are conserved:
those who stay and those who leave add up to those who were there.

Source: method page, E2.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

BAND_YEARS = 5
FIRST_OLD_SHARE = 0.5
"""Share of the leavers of the band below a₀ who are past a₀ when they leave: half of the band has
reached it half-way through the five years."""


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


def departures(
    heads: Array,
    survival: Array,
    horizons: Sequence[int],
    first_old: int,
    first_old_share: float = FIRST_OLD_SHARE,
) -> Array:
    """Return how many incumbents leave employment at the end of their career over some horizons.

    Bands age by five years at a time, always; between multiples of five the line is straight. In
    each step those of `first_old` and older count, and of the band just below the share that is
    past that age half-way. New entrants are ignored, so that the result is a lower bound.

    Args:
        heads: (…, bands) heads now.
        survival: (…, steps, bands): one row per five-year step; the last row serves beyond.
        horizons: Years, each at least 0.
        first_old: Position of the first band that counts whole (a₀).
        first_old_share: Share of the leavers of the band below that count, 0 to 1.

    Returns:
        (…, horizons) heads; they never fall when the horizon grows, and those of one horizon do
        not depend on the others.

    Examples:
        Worked example W1, then half of the first band:

        >>> heads = np.array([1100.0, 1200, 900, 300, 40])
        >>> survival = np.array([[0.96, 0.93, 0.62, 0.12, 0]])
        >>> departures(heads, survival, [1, 5, 7, 10], 1, 0.0).round(6).tolist()
        [146.0, 730.0, 1140.016, 1755.04]
        >>> departures(heads, survival, [5], 1).round(6).tolist()
        [752.0]
    """
    after = [np.zeros(np.broadcast_shapes(heads.shape, survival[..., 0, :].shape)[:-1])]
    for n in range(-(-max(horizons) // BAND_YEARS)):
        row = min(n, survival.shape[-2] - 1)
        heads, left = age_five_years(heads, survival[..., row, :])
        below = left[..., max(first_old - 1, 0) : first_old].sum(axis=-1)
        after.append(after[-1] + left[..., first_old:].sum(axis=-1) + first_old_share * below)
    total = np.stack([*after, after[-1]], axis=-1)
    step, rest = np.divmod(horizons, BAND_YEARS)
    return np.asarray(total[..., step] + rest / BAND_YEARS * np.diff(total)[..., step])


def changed(
    leave: Callable[[Array, Sequence[int]], Array],
    before: Array,
    after: Array,
    horizons: Sequence[int],
    from_year: int,
) -> Array:
    """Return departures where survival changes some years from now.

    Inside the five-year step of the change, each part of the step has its own rates.

    Args:
        leave: `departures` of some heads, from their survival and horizons.
        before: (…, steps, bands) survival until `from_year`.
        after: The same from then on.
        horizons: Years, each at least 0.
        from_year: Years from now, at least 0, at which rates change.

    Returns:
        (…, horizons) heads.

    Examples:
        Nobody leaves any more after three years:

        >>> def leave(survival, years): return departures(np.array([0.0, 100]), survival, years, 1)
        >>> now, then = np.array([[1.0, 0.5]]), np.ones((1, 2))
        >>> changed(leave, now, then, [2, 3, 4, 5, 10], 3).tolist()
        [20.0, 30.0, 30.0, 30.0, 30.0]
    """
    steps = np.arange(-(-max(*horizons, from_year, 1) // BAND_YEARS))
    row = np.minimum(steps, before.shape[-2] - 1)
    share = np.clip(from_year / BAND_YEARS - steps, 0.0, 1.0)[:, None]
    mixed = share * before[..., row, :] + (1 - share) * after[..., row, :]
    end, asked = -(-from_year // BAND_YEARS) * BAND_YEARS, np.asarray(horizons)
    first, second = leave(before, [*horizons, from_year]), leave(mixed, [*horizons, end])
    inside = (asked - from_year) / max(end - from_year, 1)
    between = first[..., -1:] + inside * (second[..., -1:] - first[..., -1:])
    places = [asked <= from_year, asked >= end]
    return np.select(places, [first[..., :-1], second[..., :-1]], between)


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
