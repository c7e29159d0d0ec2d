"""Scores between goalposts (C2), and how often weights and uncertain inputs accept them (C3).

Weights and inputs are drawn once per criterion and once per métier, each from its own stream: the
order of the rows, or another métier beside them, changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SEED = 20_260_131
PUBLICATION_DRAWS, SLIDER_DRAWS = 20_000, 5_000
ROBUST_FROM, OUT_TO = 0.90, 0.10
"""Acceptability from which a métier is robustly on the list, and up to which it is off it.

Source: convention, C3.
"""
STANDARD_ERRORS = 2
TIE = 1e-9


class Inputs(NamedTuple):
    """Scores of métiers × criteria, each drawn between the two ends of its input's interval.

    Attributes:
        at_lower: Scores at the lower end of each input's interval.
        at_upper: Scores at the upper end; equal to `at_lower` where the input is certain.
        drivers: What each criterion's input depends on; those of one driver move together.
        positions: By driver, from `draw_positions`; needed where the ends differ.
    """

    at_lower: Floats
    at_upper: Floats
    drivers: Sequence[str]
    positions: Mapping[str, Floats]


def score(value: Floats, low: float, high: float, direction: str) -> tuple[Floats, int]:
    """Return scores from 0 to 1 between goalposts, and how many values were cut to them.

    Args:
        value: Values of one criterion; missing ones stay missing.
        low: Value that scores 0 (1 where `direction` is `lower`).
        high: Value that scores 1 (0 where `direction` is `lower`).
        direction: `higher` or `lower`.

    Examples:
        >>> score(np.array([31.0, 50.0]), 15, 45, "higher")
        (array([0.53333333, 1.        ]), 1)
    """
    raw = (value - low) / (high - low)
    cut = np.clip(raw, 0.0, 1.0)
    clipped = int(((raw < 0) | (raw > 1)).sum())
    return (cut if direction == "higher" else 1.0 - cut), clipped


def draw_weights(
    codes: Sequence[str], weights: Sequence[float], concentration: float, draws: int, seed: int
) -> Floats:
    """Return weights drawn around the given ones: Dirichlet(concentration × weights).

    With equal weights and the number of criteria as concentration, every set of weights is equally
    likely. Splitting a criterion into two halves of its weight changes no distribution of scores.

    Args:
        codes: Codes of the criteria; each has its own random stream.
        weights: Weights that sum to 1.
        concentration: Above 0; the larger, the closer to the weights.
        draws: How many sets of weights.
        seed: Seed of the streams.

    Returns:
        Array (draws, criteria); each row sums to 1.

    Examples:
        >>> drawn = draw_weights(["a", "b"], [0.5, 0.5], 2, 1000, 1)
        >>> drawn.shape, bool(abs(drawn.sum(axis=1) - 1).max() < 1e-12)
        ((1000, 2), True)
    """
    gammas = np.empty((draws, len(codes)))
    for column, (code, weight) in enumerate(zip(codes, weights, strict=True)):
        gammas[:, column] = _stream(seed, code).standard_gamma(concentration * weight, draws)
    drawn: Floats = gammas / gammas.sum(axis=1, keepdims=True)
    return drawn


def draw_positions(metier_codes: Sequence[str], driver: str, draws: int, seed: int) -> Floats:
    """Return where an uncertain input lies in its interval, from 0 to 1: (métiers, draws).

    Args:
        metier_codes: Each métier has its own stream.
        driver: What the input depends on; criteria of one driver move together.
        draws: How many positions per métier.
        seed: Seed of the streams.
    """
    rows = [_stream(seed, f"{driver}/{code}").random(draws) for code in metier_codes]
    return np.array(rows).reshape(len(metier_codes), draws)


def acceptability(inputs: Inputs, weights: Floats, cutoff: float) -> Floats:
    """Return the share of draws in which each métier's weighted score reaches the cut-off.

    Args:
        inputs: Scores of métiers × criteria.
        weights: From `draw_weights`, draws × criteria.
        cutoff: Score from which a métier is on the list.

    Returns:
        One share from 0 to 1 per métier.

    Source:
        Methodology, C3 (stochastic multicriteria acceptability analysis).

    Examples:
        >>> known = np.array([[0.75, 0.80, 0.65], [0.40, 0.61, 0.50]])
        >>> weights = draw_weights(["a", "b", "c"], [1 / 3] * 3, 3, 20_000, SEED)
        >>> acceptability(Inputs(known, known, ["a", "b", "c"], {}), weights, 0.6).round(2).tolist()
        [1.0, 0.0]
    """
    share: Floats = reaches(inputs, weights, cutoff).mean(axis=1)
    return share


def reaches(inputs: Inputs, weights: Floats, cutoff: float) -> npt.NDArray[np.bool_]:
    """Return whether each métier reaches the cut-off in each draw: métiers × draws."""
    reached: npt.NDArray[np.bool_] = drawn_scores(inputs, weights) >= cutoff - TIE
    return reached


def drawn_scores(inputs: Inputs, weights: Floats) -> Floats:
    """Return the weighted score of each métier in each draw: métiers × draws."""
    scores: Floats = inputs.at_lower @ weights.T
    spread = inputs.at_upper - inputs.at_lower
    for driver in dict.fromkeys(inputs.drivers):
        columns = [number for number, each in enumerate(inputs.drivers) if each == driver]
        moved = spread[:, columns]
        rows = np.flatnonzero(np.abs(moved).max(axis=1, initial=0.0) > 0)
        if len(rows):
            moves = moved[rows] @ weights[:, columns].T
            scores[rows] += moves * inputs.positions[driver][rows]
    return scores


def standard_error(share: Floats, draws: int) -> Floats:
    """Return the standard error of a share of draws."""
    error: Floats = np.sqrt(share * (1 - share) / draws)
    return error


def label(share: float, draws: int, capped: bool = False) -> str:
    """Return the label that an acceptability supports, the cautious one near a bound.

    Args:
        share: Acceptability, from 0 to 1.
        draws: Number of draws it was measured on.
        capped: Whether an input is estimated: the label is then at most weight-dependent.

    Returns:
        `robust`, `weight_dependent` or `out`.

    Examples:
        >>> [label(share, 20_000) for share in (1.0, 0.901, 0.5, 0.099, 0.004)]
        ['robust', 'weight_dependent', 'weight_dependent', 'weight_dependent', 'out']
        >>> label(1.0, 20_000, capped=True)
        'weight_dependent'
    """
    margin = STANDARD_ERRORS * float(standard_error(np.array([share]), draws)[0])
    if share + margin <= OUT_TO:
        return "out"
    return "robust" if share - margin >= ROBUST_FROM and not capped else "weight_dependent"


def flip(scores: Floats, weights: Sequence[float], cutoff: float) -> tuple[int, float] | None:
    """Return the weight whose smallest change takes a métier across the cut-off.

    The other weights keep their proportions. A score on one side crosses where the criterion's
    weight w solves w·u + (1 - w)·s = cutoff, s being the score without the criterion.

    Args:
        scores: Scores of one métier by criterion.
        weights: Weights that sum to 1.
        cutoff: Score from which a métier is on the list.

    Returns:
        Position of the criterion and the weight at which the métier changes sides; `None` if no
        single weight does it.

    Examples:
        >>> flip(np.array([0.9, 0.3]), [0.5, 0.5], 0.5)
        (0, 0.33333333333333337)
        >>> flip(np.array([0.2, 0.3]), [0.5, 0.5], 0.5) is None
        True
    """
    total = float(np.dot(scores, weights))
    best: tuple[int, float] | None = None
    for number, (own, weight) in enumerate(zip(scores.tolist(), weights, strict=True)):
        rest = (total - weight * own) / (1 - weight) if weight < 1 else own
        if abs(own - rest) <= TIE:
            continue
        at = (cutoff - rest) / (own - rest)
        if 0 <= at <= 1 and (best is None or abs(at - weight) < abs(best[1] - weights[best[0]])):
            best = number, at
    return best


def _stream(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([seed, crc32(name.encode())]))
