"""What a panel teaches: weights of the models and size of the errors, from rolling origins."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from opmq_lib.methods.forecast import blocks as bl
from opmq_lib.methods.forecast import settings as fixed
from opmq_lib.methods.forecast.blocks import Block, Evidence
from opmq_lib.methods.forecast.grid import SIZES, STARTS
from opmq_lib.methods.forecast.operators import Single
from opmq_lib.methods.forecast.quantiles import error_quantiles
from opmq_lib.methods.forecast.series import Array, Index, Panel
from opmq_lib.methods.forecast.settings import Settings


@dataclass(frozen=True)
class Lessons:
    """What a panel teaches for one horizon: reuse it to forecast parts of the panel alike.

    Attributes:
        settings: The engine's constants.
        weights: (P,) weights of the grid's points, summing to 1.
        growth: Yearly growth of x to which trends are shrunk.
        volatility: log of the median rms/z_T of series on the square-root scale.
        size: Median z_T of the same series.
        quantiles: (h, levels) quantiles of the standardised error.
        series_count: Series from which it was learnt; 0: defaults.
        kinds: Weights of the grid's points for each kind that was told and is frequent enough.
    """

    settings: Settings
    weights: Array
    growth: float
    volatility: float
    size: float
    quantiles: Array
    series_count: int
    kinds: Mapping[str, Array] = field(default_factory=dict)

    def of_kinds(self, panel: Panel, chosen: Index) -> Iterator[tuple[Index, "Lessons"]]:
        """Yield the chosen series of each kind that was learnt, then all others, with lessons."""
        told = panel.kinds[chosen] if panel.kinds is not None else np.full(len(chosen), None)
        for kind, weights in self.kinds.items():
            yield chosen[told == kind], replace(self, weights=weights)
        yield chosen[~np.isin(told, list(self.kinds))], self


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
    size = panel.each(np.add, np.abs(panel.flat)) / panel.lengths
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
    chosen = np.flatnonzero(past.varies)
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


def losses(origin: Sequence[Replay], forecasts: Callable[[Replay], Single]) -> Array:
    """Return each model's loss on each series of an origin, (models, n), cut at its 98 % quantile.

    A loss is the mean absolute error over the steps, in mean absolute differences of y.

    Args:
        origin: Its blocks.
        forecasts: Gives a block's (steps, models, N) forecasts of x.
    """
    parts = []
    for past in origin:
        part, last = past.block, (past.block.last / past.block.scale).astype(np.float32)
        value = bl.inverse(forecasts(past)[:, :, : len(last)] + last, part.root)
        truth = bl.inverse((past.outcome / part.scale)[:, None], part.root).astype(np.float32)
        parts.append(np.abs(value - truth).mean(axis=0) / np.maximum(part.spread, 1e-9))
    whole = np.concatenate(parts, axis=1)
    return np.asarray(np.minimum(whole, np.quantile(whole, 0.98, axis=1, keepdims=True)))


def posterior(first: Array, loss: Array, trust: float, starts: Sequence[int]) -> Array:
    """Return first × exp(-λ × relative loss), summing to 1 inside each group of models.

    Args:
        first: (models,) weights before.
        loss: (models, n) losses; few series are trusted less.
        trust: λ of a large panel.
        starts: Where each group begins.
    """
    pull = trust * loss.shape[1] / (loss.shape[1] + fixed.TRUST_HALF)
    mean = loss.mean(axis=1)
    weight = first * np.exp(-pull * np.round(mean / mean.min() - 1, 6))
    sizes = np.diff(starts, append=len(first))
    return np.asarray(weight / np.repeat(np.add.reduceat(weight, starts), sizes))


def learn_weights(
    replays: Sequence[Sequence[Replay]], trust: tuple[float, float], first: Array
) -> Array:
    """Return the models' weights, (P,), summing to 1: the mean of what each origin would choose.

    An origin moves the models of a family by their losses, and families by those of their means.
    The next origin may be like any: a posterior of the mean loss would forget those outvoted.

    Args:
        replays: For each origin, its blocks; it weighs √n. None: the first weights.
        trust: λ inside a family and between families.
        first: (P,) weights before.
    """
    chosen, votes = [first / first.sum()], [0.0 if replays else 1.0]
    for origin in replays:
        loss = losses(origin, lambda past: past.evidence.forecasts)
        prior = posterior(first, loss, trust[0], STARTS)

        def means(past: Replay, prior: Array = prior) -> Single:
            weight = bl.weights(past.evidence.loglik, prior)
            return np.asarray(np.add.reduceat(weight * past.evidence.forecasts, STARTS, axis=1))

        shares = np.add.reduceat(first, STARTS)
        shares = posterior(shares, losses(origin, means), trust[1], (0,))
        chosen.append(prior * np.repeat(shares, SIZES))
        votes.append(np.sqrt(loss.shape[1]))
    return np.asarray(np.average(chosen, axis=0, weights=votes))


def expectation(part: Block, evidence: Evidence, lessons: Lessons) -> tuple[Array, Array]:
    """Return a block's forecast of x and its standard deviation, (steps, n) each.

    On the root scale a series' volatility is drawn to the panel's.
    """
    weight = bl.weights(evidence.loglik, lessons.weights)
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

    def replays_of(some: Panel) -> list[list[Replay]]:
        return [past for cut in cuts if (past := replay(some, cut, steps, settings))]

    replays = replays_of(drawn)
    trust = settings.trust_counts if counts else settings.trust
    shares = np.array(settings.shares_counts if counts else settings.shares)
    first = np.repeat(shares / SIZES, SIZES)
    lessons = Lessons(
        settings,
        learn_weights(replays, trust, first),
        median_growth(now, settings),
        *volatility_and_size(now),
        error_quantiles([], steps, levels, settings.shape_prior),
        size if replays else 0,
    )
    start = np.sqrt(first * lessons.weights)
    kinds = {
        kind: learn_weights(past, trust, start)
        for kind in (np.unique(drawn.kinds) if drawn.kinds is not None else ())
        if (past := replays_of(drawn.take(np.flatnonzero(drawn.kinds == kind))))
    }
    errors = [
        np.concatenate([standard_errors(past, lessons) for past in origin], axis=1)
        for origin in replays
    ]
    quantiles = error_quantiles(errors, steps, levels, settings.shape_prior)
    return replace(lessons, quantiles=quantiles, kinds=kinds)
