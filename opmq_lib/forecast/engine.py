"""The engine, arrays in and arrays out: learn from a panel, forecast it."""

from dataclasses import dataclass

import numpy as np

from opmq_lib.forecast import blocks as bl
from opmq_lib.forecast.blocks import Block, Index, Panel
from opmq_lib.forecast.grid import Array
from opmq_lib.forecast.learning import Lessons, learn, pooled_deviation
from opmq_lib.forecast.operators import plan
from opmq_lib.forecast.settings import DEFAULT, MIN_COUNT_SERIES, Settings


@dataclass(frozen=True)
class Learnt:
    """What a panel taught: small counts are learnt apart where there are enough of them.

    Attributes:
        ordinary: Lessons for ordinary series.
        counts: Lessons for small counts; the same where fewer than `MIN_COUNT_SERIES`.
        levels: Quantile levels of both, increasing.
    """

    ordinary: Lessons
    counts: Lessons
    levels: Array


def learn_panel(panel: Panel, steps: int, levels: Array, settings: Settings = DEFAULT) -> Learnt:
    """Learn from a panel's past what its forecasts need.

    Series that never move or have fewer than three years take no part.

    Args:
        panel: Annual series.
        steps: Horizon h, in years.
        levels: Quantile levels, increasing, 0.5 among them.
        settings: The engine's constants.

    Returns:
        The lessons, for `forecast_panel`.
    """
    regular, counts = bl.varies(panel), bl.count_units(panel) > 0
    ordinary, small = np.flatnonzero(regular & ~counts), np.flatnonzero(regular & counts)
    if len(small) < min(MIN_COUNT_SERIES, max(len(ordinary), 1)):
        whole = learn(panel.take(np.flatnonzero(regular)), steps, levels, settings)
        return Learnt(whole, whole, levels)
    return Learnt(
        learn(panel.take(ordinary), steps, levels, settings),
        learn(panel.take(small), steps, levels, settings, counts=True),
        levels,
    )


def forecast_panel(panel: Panel, learnt: Learnt, settings: Settings = DEFAULT) -> Array:
    """Return every series' quantiles.

    Args:
        panel: Annual series, each with one year or more.
        learnt: What `learn_panel` returned, for this panel or for one that contains it.
        settings: The engine's constants.

    Returns:
        (series, h, levels) quantiles, in the panel's order, non-decreasing over levels; the level
        0.5 is the point forecast. Series without a negative value get no negative quantile.

    Examples:
        >>> panel = Panel(np.arange(10.0, 40.0), np.array([30]))
        >>> levels = np.array([0.1, 0.5, 0.9])
        >>> low, point, high = forecast_panel(panel, learn_panel(panel, 1, levels))[0, 0]
        >>> bool(39 < point < 41), bool(low < point < high)
        (True, True)
    """
    steps = len(learnt.ordinary.quantiles)
    out = np.empty((len(panel.lengths), steps, len(learnt.levels)))
    regular, units = bl.varies(panel), bl.count_units(panel)
    for counts, lessons in ((False, learnt.ordinary), (True, learnt.counts)):
        chosen = np.flatnonzero(regular & ((units > 0) == counts))
        for part in bl.blocks(panel, chosen):
            out[part.index] = block_quantiles(part, lessons, units[part.index], settings)
    still = np.flatnonzero(~regular)
    out[still] = still_quantiles(panel, still, learnt)
    return out


def block_quantiles(part: Block, lessons: Lessons, units: Array, settings: Settings) -> Array:
    """Return a block's quantiles on the scale of y, (n, h, levels).

    Counts: the point forecast regains the quarter of a unit that a square of a root loses,
    since E y = m² + 1/4 when √y has mean m and variance 1/4.

    Args:
        part: The block.
        lessons: What the panel taught.
        units: (n,) unit of each small count, 0 for others.
        settings: The engine's constants.
    """
    count = len(part.index)
    operators = plan(part.length, len(lessons.quantiles))
    found = bl.evidence(operators, part.path, lessons.growth, settings)
    weight = bl.weights(found.loglik, lessons.log_prior, lessons.shares)
    center, deviation = bl.mixture(operators, found, weight, settings)
    center, deviation = center[:, None, :count], deviation[:, None, :count]
    deviation = deviation * pooled_deviation(part, lessons.volatility, settings)
    z = part.last + part.scale * (center + deviation * lessons.quantiles[:, :, None])
    point = bl.inverse(part.last + part.scale * center, part.root) + units / 4
    return around(bl.inverse(z, part.root), point, lessons.quantiles).transpose(2, 0, 1)


def around(values: Array, point: Array, quantiles: Array) -> Array:
    """Return quantiles that a moved point forecast does not cross, (h, levels, n)."""
    side = np.sign(quantiles)[:, :, None]
    values = np.where(side > 0, np.maximum(values, point), np.minimum(values, point))
    return np.where(side == 0, point, values)


def still_quantiles(panel: Panel, still: Index, learnt: Learnt) -> Array:
    """Return the quantiles of series that no model fits: too short, or without a move.

    The forecast is the last value. The yearly move counts the moves seen and, as one more, the
    panel's typical move; where the last value is 0, the move of a series of the panel's typical
    size, less the longer zeros have been seen. Errors grow as a random walk's.

    Args:
        panel: The series.
        still: Positions of those series.
        learnt: What the panel taught.

    Returns:
        (series, h, levels).
    """
    lessons = learnt.ordinary if learnt.ordinary.series_count else learnt.counts
    starts, lengths = panel.starts[still], panel.lengths[still]
    last, first = panel.flat[starts + lengths - 1], panel.flat[starts]
    root = (last >= 0) & (first >= 0)
    z = np.where(root, np.sqrt(np.abs(last)), last)
    move = z - np.where(root, np.sqrt(np.abs(first)), first)
    typical = np.where(z != 0, np.abs(z), lessons.size / np.sqrt(lengths))
    scale = np.sqrt((np.square(move) + np.square(np.exp(lessons.volatility) * typical)) / lengths)
    walk = np.sqrt(np.arange(1, len(lessons.quantiles) + 1))[:, None] * lessons.quantiles
    values = z[:, None, None] + scale[:, None, None] * walk
    return np.asarray(np.where(root[:, None, None], np.square(np.maximum(values, 0.0)), values))
