"""Registers of requests drawn from a known truth, many at once: companies that differ, topics.

The share not covered of a company on a topic is the quantile, at the company's rank, of the Beta
law with the topic's mean and the correlation wanted: on average over companies it is the topic's
share, whatever the number of requests has to do with the rank.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats

from opmq_lib.methods.requests import comparison

TOPIC_EFFECTS = np.array([0.6, 1.0, 1.6])
MIXES = np.array([[0.3, 0.4, 0.3], [0.6, 0.25, 0.15]])
"""Topics of the requests of small and large companies: large ones ask about easier topics."""
CHUNK = 500
RANKS = (np.arange(2000) + 0.5) / 2000


class World(NamedTuple):
    """Companies a side, requests a company, correlation, share, copula of size in large, gap."""

    companies: tuple[int, int] = (60, 40)
    means: tuple[float, float] = (1.6, 6)
    correlation: float = 0.2
    share: float = 0.2
    informative: float = 0.0
    gap: float = 0.0


def draw(world: World, runs: int, rng: np.random.Generator):
    """Return requests and those not covered; axes run, company, side, topic."""
    count = sum(world.companies)
    asked = np.zeros((runs, count, 2, 3))
    unmet = np.zeros_like(asked)
    first = 0
    for side, (companies, mean) in enumerate(zip(world.companies, world.means, strict=True)):
        rows = slice(first, first := first + companies)
        normal = rng.standard_normal((runs, companies))
        own = rng.standard_normal((runs, companies))
        tied = world.informative * side
        size = tied * normal + np.sqrt(1 - tied**2) * own
        more = stats.nbinom.ppf(RANKS, 1.5, 1.5 / (0.5 + mean)).astype(int)
        number = 1 + more[rank(size)]
        topics = rng.multinomial(number, MIXES[side])
        shares = world.share * TOPIC_EFFECTS + world.gap * (side == 0)
        table = np.stack([quantiles(each, world.correlation) for each in shares], axis=1)
        asked[:, rows, side] = topics
        unmet[:, rows, side] = rng.binomial(topics, table[rank(normal)])
    return asked, unmet


def rank(normal):
    return np.minimum((stats.norm.cdf(normal) * len(RANKS)).astype(int), len(RANKS) - 1)


def quantiles(mean: float, correlation: float):
    """Return a company's share by rank; their mean is exact."""
    if correlation == 0:
        return np.full(len(RANKS), mean)
    size = (1 - correlation) / correlation
    found = stats.beta.ppf(RANKS, mean * size, (1 - mean) * size)
    return np.clip(found * mean / found.mean(), 0, 1)


def differences(world: World, runs: int, rng: np.random.Generator):
    """Return the difference per company of each run."""
    found = []
    for first in range(0, runs, CHUNK):
        asked, unmet = draw(world, min(CHUNK, runs - first), rng)
        evidence = comparison.evidence(asked, unmet, by_company=True)
        found.append(comparison.difference(evidence))
    return comparison.Difference(*np.concatenate(found, axis=1))
