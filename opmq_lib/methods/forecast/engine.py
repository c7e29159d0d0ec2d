"""The engine, arrays in and arrays out: learn from a panel, forecast it."""

from collections.abc import Iterator

import numpy as np

from opmq_lib.methods.forecast import blocks as bl
from opmq_lib.methods.forecast.blocks import Block
from opmq_lib.methods.forecast.learning import Lessons, expectation, learn
from opmq_lib.methods.forecast.operators import one_thread
from opmq_lib.methods.forecast.series import Array, Index, Panel
from opmq_lib.methods.forecast.settings import DEFAULT, MIN_COUNT_SERIES, Settings

Learnt = tuple[Lessons, Lessons]
"""What a panel taught: lessons for ordinary series, and for small counts."""


@one_thread
def learn_panel(panel: Panel, steps: int, levels: Array, settings: Settings = DEFAULT) -> Learnt:
    """Learn from a panel's past what its forecasts need.

    Series that never move or have fewer than three years take no part. Small counts are learnt
    apart where there are `MIN_COUNT_SERIES`, or where they are most of the panel.

    Args:
        panel: Annual series.
        steps: Horizon h, in years.
        levels: Quantile levels, increasing, 0.5 among them.
        settings: The engine's constants.

    Returns:
        The lessons, for `forecast_panel`.
    """
    is_count = panel.units > 0
    ordinary, small = (np.flatnonzero(panel.varies & each) for each in (~is_count, is_count))
    if len(small) < min(MIN_COUNT_SERIES, max(len(ordinary), 1)):
        whole = learn(panel.take(np.flatnonzero(panel.varies)), steps, levels, settings)
        return whole, whole
    regulars = learn(panel.take(ordinary), steps, levels, settings)
    return regulars, learn(panel.take(small), steps, levels, settings, counts=True)


@one_thread
def forecast_panel(panel: Panel, learnt: Learnt) -> Array:
    """Return every series' quantiles.

    Args:
        panel: Annual series, each with one year or more.
        learnt: What `learn_panel` returned, for this panel or for one that contains it.

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
    out = np.empty((len(panel.lengths), *learnt[0].quantiles.shape))
    for part, lessons, units in parts(panel, learnt):
        out[part.index] = block_quantiles(part, lessons, units)
    still = np.flatnonzero(~panel.varies)
    ordinary, counts = learnt
    out[still] = still_quantiles(panel, still, ordinary if ordinary.series_count else counts)
    return out


def parts(panel: Panel, learnt: Learnt) -> Iterator[tuple[Block, Lessons, Array]]:
    """Yield the series that vary in blocks, each with its lessons and its units of count, (n,)."""
    for panels, chosen in zip(learnt, (panel.units == 0, panel.units > 0), strict=True):
        for own, lessons in panels.of_kinds(panel, np.flatnonzero(panel.varies & chosen)):
            for part in bl.blocks(panel, own):
                yield part, lessons, panel.units[part.index]


def block_quantiles(part: Block, lessons: Lessons, units: Array) -> Array:
    """Return a block's quantiles on the scale of y, (n, h, levels).

    Counts: the point forecast regains the quarter of a unit that a square of a root loses,
    since E y = m² + 1/4 when √y has mean m and variance 1/4; no quantile crosses it.

    Args:
        part: The block.
        lessons: What the panel taught.
        units: (n,) unit of each small count, 0 for others.
    """
    evidence = bl.evidence(part, len(lessons.quantiles), lessons.growth, lessons.settings)
    center, deviation = expectation(part, evidence, lessons)
    middle = part.last + part.scale * center[:, None]
    spread = part.scale * deviation[:, None] * lessons.quantiles[:, :, None]
    point = bl.inverse(middle, part.root) + units / 4
    values = bl.inverse(middle + spread, part.root)
    side = np.sign(lessons.quantiles)[:, :, None]
    beyond = np.where(side > 0, np.maximum(values, point), np.minimum(values, point))
    return np.where(side == 0, point, beyond).transpose(2, 0, 1)


def still_quantiles(panel: Panel, still: Index, lessons: Lessons) -> Array:
    """Return the quantiles of series that no model fits: too short, or without a move.

    The forecast is the last value. The yearly move counts the moves seen and, as one more, the
    panel's typical move; where the last value is 0, the move of a series of the panel's typical
    size, less the longer zeros have been seen. Errors grow as a random walk's.

    Args:
        panel: The series.
        still: Positions of those series.
        lessons: What the panel taught.

    Returns:
        (series, h, levels).
    """
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
