"""What a panel teaches: weights of the models and size of the errors, from rolling origins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from opmq_lib.methods.forecast import blocks as bl
from opmq_lib.methods.forecast import settings as fixed
from opmq_lib.methods.forecast.blocks import Block, Evidence
from opmq_lib.methods.forecast.grid import FAMILIES, SIZES, STARTS
from opmq_lib.methods.forecast.operators import Single
from opmq_lib.methods.forecast.quantiles import error_quantiles
from opmq_lib.methods.forecast.series import Array, Index, Panel, per_series
from opmq_lib.methods.forecast.settings import Settings


@dataclass(frozen=True)
class Lessons:
    """What a panel teaches for one horizon: reuse it to forecast parts of the panel alike.

    Attributes:
        settings: The engine's constants.
        log_prior: (P, 1) log weights of the grid's points, summing to 1 inside each family.
        shares: (families,) weights of the families.
        growth: Yearly growth of x to which trends are shrunk.
        volatility: log of the median rms/z_T of series on the square-root scale.
        size: Median z_T of the same series.
        quantiles: (h, levels) quantiles of the standardised error.
        series_count: Series from which it was learnt; 0: defaults.
    """

    settings: Settings
    log_prior: Single
    shares: Array
    growth: float
    volatility: float
    size: float
    quantiles: Array
    series_count: int


@dataclass(frozen=True)
class Replay:
    """One block forecast again from a rolling origin, with what then happened.

    Attributes:
        block: The series as they stood.
        evidence: What the grid says, over the years that followed.
        outcome: (steps, n) what happened, on the scale of z.
    """

    block: Block
    evidence: Evidence
    outcome: Array


def origins(lengths: Index, steps: int) -> tuple[int, ...]:
    """Return how many years before the end forecasts are replayed: h, h/2, h + 3, 2h.

    Where series are too short for three of these, the longest that half of them allow is added,
    and the one half-way to h/2: a long horizon is then learnt from its first years.

    Args:
        lengths: Number of years of each series.
        steps: Horizon h.

    Returns:
        Distinct numbers of years, each of which leaves enough series and years.

    Examples:
        >>> origins(np.full(50, 30), 6), origins(np.full(50, 15), 10), origins(np.full(9, 30), 6)
        ((6, 3, 9, 12), (5, 9, 7), ())
    """
    if len(lengths) < fixed.MIN_CALIBRATION_SERIES:
        return ()
    most = np.sort(lengths)[-fixed.MIN_CALIBRATION_SERIES] - fixed.MIN_TRAINING_YEARS
    half, longest = max(1, steps // 2), int(np.median(lengths)) - fixed.MIN_TRAINING_YEARS
    cuts = [cut for cut in (steps, half, steps + 3, 2 * steps) if cut <= most]
    if len(cuts) < 3:
        cuts += [longest, (longest + half) // 2]
    return tuple(dict.fromkeys(cut for cut in cuts if 0 < cut <= most))


def sample(panel: Panel) -> Index:
    """Return at most `MAX_LEARNING_SERIES` of the series, in an order of their own.

    Each series draws its lot from its own values, whatever its place, unit and neighbours.
    """
    last = panel.flat[panel.starts + panel.lengths - 1]
    size = per_series(panel, np.add, np.abs(panel.flat)) / panel.lengths
    lot = np.modf(np.round(last / size, 9) * 618033.988749895)[0]
    return np.argsort(lot, kind="stable")[: fixed.MAX_LEARNING_SERIES]


def median_growth(parts: Sequence[Block], settings: Settings) -> float:
    """Return the growth to which trends are shrunk: a share of the median yearly growth of x."""
    growth = [-part.path[0, : len(part.index)] / (part.length - 1) for part in parts]
    median = float(np.median(np.concatenate(growth))) if growth else 0.0
    return round(settings.growth_share * median, 6)


def volatility_and_size(parts: Sequence[Block]) -> tuple[float, float]:
    """Return the log of the median rms/z_T, and the median z_T, of series on the root scale."""
    roots = [part for part in parts if part.root]
    if not roots:
        return fixed.DEFAULT_VOLATILITY, 1.0
    own = np.median(np.concatenate([log_volatility(part) for part in roots]))
    size = np.median(np.concatenate([part.last for part in roots]))
    return round(float(own), 6), float(size)


def log_volatility(part: Block) -> Array:
    """Return log rms/z_T of each series of a block on the root scale, (n,)."""
    return np.log(part.scale / np.maximum(part.last, 1e-3 * part.scale))


def replay(panel: Panel, cut: int, steps: int, settings: Settings) -> list[Replay]:
    """Forecast a panel as it stood `cut` years ago.

    Args:
        panel: Series that vary.
        cut: Years hidden.
        steps: Horizon h.
        settings: The engine's constants.

    Returns:
        One replay per block; none if fewer than `MIN_CALIBRATION_SERIES` series remain.
    """
    kept = np.flatnonzero(panel.lengths - cut >= fixed.MIN_TRAINING_YEARS)
    past = panel.take(kept, cut)
    chosen = np.flatnonzero(bl.varies(past))
    if len(chosen) < fixed.MIN_CALIBRATION_SERIES:
        return []
    parts = list(bl.blocks(past, chosen))
    growth = median_growth(parts, settings)
    ahead = (panel.starts + panel.lengths - cut)[kept] + np.arange(min(cut, steps))[:, None]

    def forecast(part: Block) -> Replay:
        evidence = bl.evidence(part, steps, growth, settings)
        outcome = bl.transform(panel.flat[ahead[:, part.index]], part.root)
        known = replace(evidence, forecasts=evidence.forecasts[: len(ahead)])
        return Replay(part, known, outcome)

    return [forecast(part) for part in parts]


def scaled_loss(past: Replay, forecasts: Single) -> Array:
    """Return each model's mean absolute error over its steps, in mean absolute differences of y.

    Args:
        past: The replay.
        forecasts: (steps, models, N) forecasts of x.

    Returns:
        (models, n).
    """
    part = past.block
    last = (part.last / part.scale).astype(np.float32)
    value = bl.inverse(forecasts[:, :, : len(last)] + last, part.root)
    truth = bl.inverse((past.outcome / part.scale)[:, None], part.root).astype(np.float32)
    return np.asarray(np.abs(value - truth).mean(axis=0) / np.maximum(part.spread, 1e-9))


def relative_loss(
    replays: Sequence[Sequence[Replay]], forecasts: Callable[[Replay], Single]
) -> Array:
    """Return each model's loss above the best's, as a share of it, averaged over origins.

    Losses are cut at their 98 % quantile over the panel; origins weigh √n.

    Args:
        replays: For each origin, its blocks.
        forecasts: Gives a block's (steps, models, N) forecasts.

    Returns:
        (models,), 0 for the best; without replays (1,), 0 for all.
    """
    if not replays:
        return np.zeros(1)
    parts = [[scaled_loss(past, forecasts(past)) for past in origin] for origin in replays]
    losses = [np.concatenate(part, axis=1) for part in parts]
    cut = [np.minimum(loss, np.quantile(loss, 0.98, axis=1, keepdims=True)) for loss in losses]
    relative = [loss.mean(axis=1) / loss.mean(axis=1).min() for loss in cut]
    votes = [np.sqrt(loss.shape[1]) for loss in losses]
    average = np.average(relative, axis=0, weights=votes)
    return np.asarray(np.round(average / average.min() - 1, 6))


def learn_weights(
    replays: Sequence[Sequence[Replay]], trust: tuple[float, float], first_shares: Array
) -> tuple[Single, Array]:
    """Learn the grid's prior, π ∝ exp(-λ_g loss), and the families' shares, ω ∝ ω₀ exp(-λ_f loss).

    Args:
        replays: For each origin, its blocks; none: the defaults.
        trust: λ_g and λ_f.
        first_shares: ω₀.

    Returns:
        Log prior (P, 1) and shares (families,), each summing to 1 (inside each family).
    """
    loss = relative_loss(replays, lambda past: past.evidence.forecasts)
    prior = np.exp(-trust[0] * loss) * np.ones(sum(SIZES))
    prior /= np.repeat(np.add.reduceat(prior, STARTS), SIZES)
    log_prior = np.log(np.maximum(prior, 1e-30)).astype(np.float32)[:, None]

    def family_means(past: Replay) -> Single:
        weight = bl.weights(past.evidence.loglik, log_prior, np.ones(len(FAMILIES)))
        return np.add.reduceat(weight * past.evidence.forecasts, STARTS, axis=1)

    shares = first_shares * np.exp(-trust[1] * relative_loss(replays, family_means))
    return log_prior, shares / shares.sum()


def expectation(part: Block, evidence: Evidence, lessons: Lessons) -> tuple[Array, Array]:
    """Return a block's forecast of x and its standard deviation, (steps, n) each.

    On the root scale a series' volatility is drawn to the panel's.
    """
    weight = bl.weights(evidence.loglik, lessons.log_prior, lessons.shares)
    center, deviation = bl.mixture(evidence, weight, lessons.settings)
    center, deviation = (values[:, : len(part.index)] for values in (center, deviation))
    if part.root:
        excess = np.clip(log_volatility(part) - lessons.volatility, -2.0, 2.0)
        deviation = deviation * np.exp(-lessons.settings.volatility_pooling * excess)
    return center, deviation


def standard_errors(past: Replay, lessons: Lessons) -> Array:
    """Return a replay's standardised errors, (steps, n), corrected for today's longer series."""
    part = past.block
    center, deviation = expectation(part, past.evidence, lessons)
    error = (past.outcome - part.last) / part.scale - center
    longer = part.length + lessons.settings.length_correction * len(lessons.quantiles)
    return np.asarray(error / deviation * np.sqrt(part.length / longer))


def learn(
    panel: Panel, steps: int, levels: Array, settings: Settings, *, counts: bool = False
) -> Lessons:
    """Learn weights and intervals from a panel's rolling origins.

    Args:
        panel: Series that vary, learnt together.
        steps: Horizon h.
        levels: Quantile levels.
        settings: The engine's constants.
        counts: Whether they are small counts.

    Returns:
        The lessons; the defaults where fewer than `MIN_CALIBRATION_SERIES` series reach an origin.
    """
    drawn = panel.take(sample(panel))
    size = len(drawn.lengths)
    now = list(bl.blocks(drawn, np.arange(size)))
    cuts = origins(drawn.lengths, steps)
    replays = [past for cut in cuts if (past := replay(drawn, cut, steps, settings))]
    share = size / (size + settings.trust_half)
    grid, families = settings.trust_counts if counts else settings.trust
    first = np.array(settings.shares_counts if counts else settings.shares)
    lessons = Lessons(
        settings,
        *learn_weights(replays, (share * grid, share * families), first),
        median_growth(now, settings),
        *volatility_and_size(now),
        error_quantiles([], steps, levels, settings.shape_prior),
        size if replays else 0,
    )
    errors = [
        np.concatenate([standard_errors(past, lessons) for past in origin], axis=1)
        for origin in replays
    ]
    return replace(lessons, quantiles=error_quantiles(errors, steps, levels, settings.shape_prior))
