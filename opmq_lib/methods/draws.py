"""Draws of what is not known, the same for a métier whatever else is in the table.

Every métier has random numbers of its own, seeded by its code, beside those that all share: adding
or changing one métier leaves the others' draws as they were.
"""

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from opmq_lib.tables.fap import FAMILY_LENGTH

Array = npt.NDArray[np.float64]

DRAWS_COUNT, SEED = 4000, 2018

ERROR_CORRELATION = 0.10
"""Correlation of the projection errors of two families of métiers: 0.15 inside a professional
domain, 0.09 between industrial ones (1988-2013, `docs/decisions/published-forecast.md`)."""

FAMILY_SHARE = 0.7
"""Share, of what is left, that the métiers of a family have in common: they follow its projection.
A convention of the project, not voted."""


def shared(seed: int, draws_count: int, name: str) -> Array:
    """Return the normal draws that all métiers share, (draws,).

    Examples:
        >>> bool((shared(0, 3, "rates") == shared(0, 3, "rates")).all())
        True
    """
    return even(np.random.default_rng([seed, crc32(name.encode())]).normal(size=draws_count))


def own(seed: int, draws_count: int, codes: Sequence[str]) -> Array:
    """Return the normal draws of each code, (codes, draws).

    Examples:
        >>> alone, beside = own(0, 4, ["b"])[0], own(0, 4, ["a", "b"])[1]
        >>> bool((alone == beside).all())
        True
    """
    found = {
        code: np.random.default_rng([seed, crc32(code.encode())]).normal(size=draws_count)
        for code in dict.fromkeys(codes)
    }
    return np.stack([found[code] for code in codes]) if codes else np.empty((0, draws_count))


def correlated(
    seed: int, draws_count: int, codes: Sequence[str], families: Sequence[str] | None = None
) -> Array:
    """Return the normal draws of projection errors, (codes, draws).

    A code belongs to the family given, or else to that which it begins with.

    `ERROR_CORRELATION` of their variance is what all share, `FAMILY_SHARE` of the rest what a
    family does. A métier has the same errors in every branch.

    Each row holds the same values in another order, so that its quantiles are exact.
    """
    of_code = families or [code[:FAMILY_LENGTH] for code in codes]
    family = own(seed, draws_count, [f"{code} family" for code in of_code])
    inside = np.sqrt(FAMILY_SHARE) * family + np.sqrt(1 - FAMILY_SHARE) * own(
        seed, draws_count, codes
    )
    common = shared(seed, draws_count, "employment")
    return even(np.sqrt(ERROR_CORRELATION) * common + np.sqrt(1 - ERROR_CORRELATION) * inside)


def along_quantiles(quantiles: Array, levels: Array, normal: Array) -> Array:
    """Return draws from quantiles, straight between them on the scale of a normal variable.

    Args:
        quantiles: (n, h, levels).
        levels: (levels,), increasing.
        normal: (n, draws) normal draws.

    Returns:
        (n, h, draws): one draw is the same rank at every h.

    Examples:
        >>> quantiles, levels = np.array([[[0.0, 10.0, 40.0]]]), np.array([0.1, 0.5, 0.9])
        >>> along_quantiles(quantiles, levels, ndtri([[0.1, 0.5, 0.9]])).round(6).tolist()
        [[[0.0, 10.0, 40.0]]]
    """
    if len(levels) == 1:
        return np.repeat(quantiles, normal.shape[1], axis=2)
    knots = ndtri(levels)
    left = np.clip(np.searchsorted(knots, normal) - 1, 0, len(levels) - 2)
    weight = (normal - knots[left]) / (knots[left + 1] - knots[left])
    rows = np.arange(len(quantiles))[:, None]
    low, high = quantiles[rows, :, left], quantiles[rows, :, left + 1]
    return np.asarray((low + weight[:, :, None] * (high - low)).transpose(0, 2, 1))


def even(values: Array) -> Array:
    """Return evenly spread normal values in the order of these, along the last axis.

    Examples:
        >>> even(np.array([0.3, -2.0, 0.1])).round(3).tolist()
        [0.967, -0.967, 0.0]
    """
    count = values.shape[-1]
    ranks = values.argsort(axis=-1, kind="stable").argsort(axis=-1)
    return np.asarray(ndtri((np.arange(count) + 0.5) / count)[ranks])


def spread_points(count: int, dimensions: int) -> Array:
    """Return points spread evenly over a cube, the same for everybody: no seed decides anything.

    The first coordinate is even; the others are multiples of the powers of one number, which fill
    the cube evenly whatever their count (Kronecker sequence).

    Args:
        count: Number of points.
        dimensions: Of the cube.

    Returns:
        (count, dimensions), between 0 and 1.

    Source:
        M. Roberts, *The unreasonable effectiveness of quasirandom sequences*, 2018.

    Examples:
        >>> spread_points(4, 2).round(3).tolist()
        [[0.125, 0.309], [0.375, 0.927], [0.625, 0.545], [0.875, 0.163]]
    """
    others = max(dimensions - 1, 1)
    root = 1.0
    for _ in range(60):  # x ** (others + 1) = x + 1
        root = (1 + root) ** (1 / (others + 1))
    places = np.arange(count)[:, None] + 0.5
    rest = places * root ** -np.arange(1.0, others + 1) % 1
    return np.hstack([places / count, rest])[:, :dimensions]
