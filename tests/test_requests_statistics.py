"""Intervals, tests and shrinkage of the review of requests: worked examples, coverage, peers."""

import os

import numpy as np
import pytest
from scipy import stats

from opmq_lib.methods.requests import comparison, intervals, shrinkage

FULL = os.environ.get("OPMQ_TEST_FULL") == "1"
REPLICATIONS = 4000 if FULL else 400
LEAST_COVERAGE = 0.93
SLACK = 0.0 if FULL else 0.02  # fewer replications, more chance


def test_w8_below_and_from_50() -> None:
    shares = np.array([14 / 60, 6 / 52])
    assert shares.round(6).tolist() == [0.233333, 0.115385]
    ends = intervals.wilson([14, 6], [60, 52]).T.round(6).tolist()
    assert ends == [[0.144396, 0.354363], [0.053970, 0.229717]]
    assert round(shares[0] - shares[1], 6) == 0.117949
    assert comparison.newcombe((14, 6), (60, 52)).round(6).tolist() == [
        0.117949,
        -0.026902,
        0.253669,
    ]
    assert comparison.fisher((14, 6), (60, 52)) == pytest.approx(0.138847, abs=5e-7)
    assert comparison.boschloo((14, 6), (60, 52)) == pytest.approx(0.120498, abs=1e-5)


def test_w8_rate_and_zero() -> None:
    assert round(1000 * 60 / 1450, 6) == 41.379310
    assert (1000 * intervals.garwood(60) / 1450).round(6).tolist() == [31.576773, 53.263375]
    assert intervals.wilson(0, 12).round(6).tolist() == [0.0, 0.242494]


def test_boschloo_is_that_of_scipy() -> None:
    draw = np.random.default_rng(7)
    for _ in range(30):
        n = draw.integers(2, 45, 2)
        k = draw.integers(0, n + 1)
        peer = stats.boschloo_exact([k, n - k], n=128).pvalue
        ours = comparison.boschloo((k[0], k[1]), (n[0], n[1]))
        assert ours == pytest.approx(peer, abs=2e-5)


def test_boschloo_is_never_above_fisher_and_keeps_its_level() -> None:
    n = (7, 9)
    pairs = [(a, b) for a in range(8) for b in range(10)]
    values = {pair: comparison.boschloo(pair, n) for pair in pairs}
    for share in np.linspace(0.02, 0.98, 25):
        chance = sum(
            stats.binom.pmf(a, n[0], share) * stats.binom.pmf(b, n[1], share)
            for (a, b), p in values.items()
            if p <= 0.05
        )
        assert chance <= 0.05
    assert sum(p <= 0.05 for p in values.values()) >= sum(
        comparison.fisher(pair, n) <= 0.05 for pair in pairs
    )


@pytest.mark.parametrize("n", [3, 5, 8, 12, 20, 60, 300])
@pytest.mark.parametrize("prior", [(1, 1), (2, 6), (3, 17)], ids=["flat", "usual", "rare"])
def test_wilson_covers_on_average_over_shares(n: int, prior: tuple[int, int]) -> None:
    draw = np.random.default_rng(n)
    shares = draw.beta(*prior, 10 * REPLICATIONS)
    hits = draw.binomial(n, shares)
    low, high = intervals.wilson(hits, np.full(len(hits), n))
    assert np.mean((low <= shares) & (shares <= high)) >= LEAST_COVERAGE


def test_wilson_at_one_share_near_0_covers_less_and_the_docstring_says_how_much() -> None:
    def covered(n: int) -> float:
        k = np.arange(n + 1)
        low, high = intervals.wilson(k, np.full(n + 1, n))
        shares = np.linspace(0.001, 0.999, 999)
        inside = (low <= shares[:, None]) & (shares[:, None] <= high)
        return float((stats.binom.pmf(k, n, shares[:, None]) * inside).sum(axis=1).min())

    assert 0.82 < min(covered(n) for n in (3, 5, 8, 10)) < 0.84


@pytest.mark.parametrize("n", [(3, 4), (8, 5), (12, 40), (60, 52)])
def test_newcombe_covers_on_average_over_shares(n: tuple[int, int]) -> None:
    draw = np.random.default_rng(n[0])
    shares = draw.beta([[2], [3]], [[6], [17]], (2, REPLICATIONS))
    inside = 0
    for first, second in shares.T:
        hits = (int(draw.binomial(n[0], first)), int(draw.binomial(n[1], second)))
        _, low, high = comparison.newcombe(hits, n)
        inside += low <= first - second <= high
    assert inside / REPLICATIONS >= LEAST_COVERAGE - SLACK


@pytest.mark.parametrize("mean", [0.5, 2, 10, 60])
def test_garwood_covers_every_mean(mean: float) -> None:
    counts = np.arange(0, 400)
    low, high = intervals.garwood(counts)
    assert stats.poisson.pmf(counts, mean)[(low <= mean) & (mean <= high)].sum() >= 0.95


@pytest.mark.parametrize("firms", [60, 400, 3000])
@pytest.mark.parametrize("more", [0.0, 1.0, 3.0], ids=["poisson", "dispersed", "very dispersed"])
def test_rates_of_dispersed_requests_cover(firms: int, more: float) -> None:
    """Firms ask with probability 0.3, then 1 + negative binomial requests."""
    draw = np.random.default_rng(int(firms + more))
    runs = min(REPLICATIONS, 2000)
    asks = draw.random((runs, firms)) < 0.3
    extra = draw.negative_binomial(1.5, 1.5 / (1.5 + more), (runs, firms)) if more else 0
    counts = asks * (1 + extra)
    total, squares = counts.sum(axis=1), (counts**2).sum(axis=1)
    phi = intervals.dispersion(total, squares, np.full(runs, firms))
    low, high = intervals.garwood(total, np.where(phi > intervals.DISPERSED_FROM, phi, 1.0))
    expected = firms * 0.3 * (1 + more)
    assert np.mean((low <= expected) & (expected <= high)) >= LEAST_COVERAGE - SLACK


@pytest.mark.parametrize("branches", [5, 8, 34])
@pytest.mark.parametrize("prior", [(3, 17), (30, 70)], ids=["apart", "alike"])
def test_shrunk_intervals_cover_and_shrinking_lowers_the_error(
    branches: int, prior: tuple[int, int]
) -> None:
    draw = np.random.default_rng(branches)
    runs = max(REPLICATIONS // branches, 20)  # as many intervals as REPLICATIONS, or more
    inside, total, raw, shrunk = 0, 0, 0.0, 0.0
    for _ in range(runs):
        shares = draw.beta(*prior, branches)
        asked = draw.choice([3, 5, 8, 20, 60, 200], branches)
        hits = draw.binomial(asked, shares)
        found = shrinkage.shrink(hits, asked)
        inside += ((found.lower <= shares) & (shares <= found.upper)).sum()
        total += branches
        raw += ((hits / asked - shares) ** 2).sum()
        shrunk += ((found.value - shares) ** 2).sum()
    assert inside / total >= LEAST_COVERAGE - SLACK
    assert shrunk < 0.6 * raw


def test_too_few_branches_are_not_shrunk() -> None:
    found = shrinkage.shrink([1, 2, 3, 4], [5, 6, 7, 8])
    assert np.isnan(found.value).all()


def test_stratified_difference_covers_and_needs_two_strata() -> None:
    assert np.isnan(comparison.mantel_haenszel([((3, 2), (9, 9))])[0])
    draw, inside = np.random.default_rng(3), 0
    for _ in range(REPLICATIONS):
        strata = []
        for base, n in ((0.1, (30, 25)), (0.25, (20, 40)), (0.5, (15, 12))):
            hits = (int(draw.binomial(n[0], base + 0.1)), int(draw.binomial(n[1], base)))
            strata.append((hits, n))
        low, high = comparison.mantel_haenszel(strata)[1]
        inside += low <= 0.1 <= high
    assert inside / REPLICATIONS >= LEAST_COVERAGE - SLACK
