"""Shares of requests, comparisons and shrinkage: the worked example, coverage."""

import os

import numpy as np
import pandas as pd
import pytest
import w8_prime
from scipy import stats

from opmq_lib.errors import RangeError
from opmq_lib.methods.requests import comparison, counting, intervals, levels, shrinkage

FULL = os.environ.get("OPMQ_TEST_FULL") == "1"
REPLICATIONS = 4000 if FULL else 400
LEAST_COVERAGE = 0.93
SLACK = 0.0 if FULL else 0.02  # fewer replications, more chance
COUNTS = counting.count(w8_prime.register(), list(w8_prime.TOPICS.values()))
SMALL = COUNTS.companies["size_band"].eq("10_49").to_numpy()
ASKED, UNMET = COUNTS.asked, COUNTS.unmet.sum(axis=(2, 3))
LEVEL_COLUMNS = ["value", "variance", "degrees_of_freedom", "mean_size", "effective_size",
                 "lower", "upper", "company_mean"]  # fmt: skip


def six(found, expected) -> None:
    """Compare with numbers printed to six digits or more."""
    assert np.ravel(found) == pytest.approx(np.ravel(expected), abs=5.1e-7)


def level(asked, unmet) -> pd.Series:
    return levels.levels(asked, unmet, np.zeros(len(asked), int), 1).iloc[0]


def sides() -> tuple[np.ndarray, np.ndarray]:
    """Return requests of W8 (second form) and those not covered; axes company, side, topic."""
    apart = np.stack([SMALL, ~SMALL], axis=1)[..., None]
    return ASKED[:, None] * apart, UNMET[:, None] * apart


# fmt: off
W8_LEVELS = {
    "under 50": (SMALL, [0.6, 0.012836257, 11.507674, 1.6, 18.697039, 0.357373, 0.801821,
                         0.607143]),
    "from 50": (~SMALL, [0.163636364, 0.001390234, 6.608282, 7.327273, 33.685969, 0.063257,
                         0.361784, 0.168810]),
    "all": (SMALL | True, [0.28, 0.003807651, 12.038897, 5.8, 50.675676, 0.166124, 0.431539,
                           0.424504]),
}
W8_TOPICS = {
    "A": ([0], [0.238095, 15.345377, 18.203593, 0.093169, 0.487311], 5),
    "B": ([1], [0.428571, 15.345377, 14.709677, 0.204756, 0.685997], 7),
    "autres": ([2, 3], [0.333333, 15.345377, 15.2, 0.142564, 0.600575], 6),
}
W8_SCORES = {
    True: ([2.148756, 5.326312, 0.767827, 0.629605, 1.513654], 21.525801, 2.398296,
           [0.403423, 0.073348, 0.725532, 0.025842]),
    False: ([5.091645, 12.912771, 3.556927, 3.508398, 9.854898], 122.181974, 2.640390,
            [0.394311, 0.114792, 0.701768, 0.015297]),
}
# fmt: on


@pytest.mark.parametrize("group", W8_LEVELS)
def test_w8_levels(group: str) -> None:
    rows, expected = W8_LEVELS[group]
    six(level(ASKED[rows].sum(axis=1), UNMET[rows].sum(axis=1))[LEVEL_COLUMNS], expected)
    quantile = {"under 50": 2.189196, "from 50": 2.393338}
    if group in quantile:
        six(stats.t.ppf(0.975, expected[2]), [quantile[group]])


def test_w8_topics() -> None:
    for columns, expected, concerned in W8_TOPICS.values():
        missed = UNMET[:, columns].sum(axis=1)
        found = level(UNMET.sum(axis=1), missed)
        six(found[["value", "degrees_of_freedom", "effective_size", "lower", "upper"]], expected)
        assert (missed > 0).sum() == concerned
    assert (UNMET.sum(axis=1) > 0).sum() == 18


@pytest.mark.parametrize("by_company", [True, False])
def test_w8_comparison(by_company: bool) -> None:
    given = comparison.evidence(*sides(), by_company=by_company)
    a, b = given.alpha, given.beta
    sums, c_2, statistic, expected = W8_SCORES[by_company]
    six([a.sum(), b.sum(), (a * a).sum(), (a * b).sum(), (b * b).sum()], sums)
    there = given.asked.sum(axis=1) > 0
    m = there.sum()
    assert m == 23
    q = stats.t.ppf(0.975, m - 2)
    six(q, [2.079614])
    six(b.sum() ** 2 - q**2 * m / (m - 1) * (b * b).sum(), [c_2])
    six(a.sum() / np.sqrt(m / (m - 1) * (a * a).sum()), [statistic])
    six(comparison.difference(given), expected)
    assert given.asked.sum(axis=0).tolist() == [18, 55]
    assert given.whole.sum(axis=0).tolist() == [20, 55]
    own = given.unmet.sum(axis=1)[there] / given.asked.sum(axis=1)[there]
    six([own.mean(), own.mean() * 10], [0.421222, 4.212215])
    assert (given.unmet > 0).sum(axis=0).tolist() == [9, 8]
    assert (given.asked > given.unmet).sum(axis=0).tolist() == [6, 10]


def test_w8_former_comparison_had_the_wrong_sign() -> None:
    missed = UNMET.sum(axis=1) > 0
    assert (missed[SMALL].sum(), missed[~SMALL].sum()) == (10, 8)
    six(missed[SMALL].mean() - missed[~SMALL].mean(), [-0.085714])


def test_w8_change() -> None:
    asked, unmet = np.zeros((14, 2, 4)), np.zeros((14, 2, 4))
    for side, rows in enumerate((SMALL, ~SMALL)):
        asked[: rows.sum(), side], unmet[: rows.sum(), side] = ASKED[rows], UNMET[rows]
    given = comparison.evidence(asked, unmet, by_company=False)
    a, b = given.alpha, given.beta
    assert (given.asked.sum(axis=1) > 0).sum() == 13
    six([(a * a).sum(), (a * b).sum(), (b * b).sum()], [3.553214, 4.571531, 13.890156])
    six(comparison.difference(given), [0.394311, 0.097918, 0.791982, 0.024907])
    six(a.sum() / np.sqrt(13 / 12 * (a * a).sum()), [2.595174])


def test_w8_across_branches() -> None:
    for p, n, expected in ((0.6, 18.697039, [0.367424, 0.224904, 0.522928]),
                           (9 / 55, 33.685969, [0.158556, 0.074663, 0.266442])):  # fmt: skip
        law = stats.beta(3 + p * n, 17 + (1 - p) * n)
        six([law.mean(), *law.ppf([0.025, 0.975])], expected)
    asked, unmet = ASKED.sum(axis=1), UNMET.sum(axis=1)
    assert shrinkage.correlation(levels.levels(asked, unmet, 1 - SMALL, 2)) == 0
    asked, unmet = [6, 4, 5, 3, 3, 2, 4, 1, 5], [6, 0, 1, 0, 1, 1, 2, 0, 2]
    two = levels.levels(asked, unmet, [0] * 4 + [1] * 5, 2)
    six(shrinkage.correlation(two), [0.728019])
    found = shrinkage.shrink([1.2, 4.5, 2, 9.3, 0], [8, 15.5, 12, 20.1, 6])
    six([found.a, found.b], [5.375349, 15.767015])
    six(found.value, [0.225629, 0.269506, 0.222535, 0.355832, 0.198043])


def test_w8_reach() -> None:
    six(intervals.wilson([14, 10], [40, 12]).T, [[0.221345, 0.504941], [0.551969, 0.953035]])
    for asked, firms, phi, ends in (
        (ASKED[SMALL].sum(axis=1), 40, 1.128205, [305.412990, 772.209448]),
        (ASKED[~SMALL].sum(axis=1), 12, 2.993388, [2732.849638, 7210.490072]),
    ):
        found = intervals.dispersion(asked.sum(), (asked**2).sum(), firms)
        six(found, [phi])
        scale = found if found > intervals.DISPERSED_FROM else 1.0
        six(1000 * intervals.garwood(asked.sum(), scale) / firms, ends)
    six([20 / 14, 55 / 10], [1.428571, 5.5])


def test_w8_no_company_of_twelve() -> None:
    six(level(np.r_[np.ones(11), 4], np.zeros(12))[["lower", "upper"]], [0, 0.242494])


def test_levels_state_what_they_cannot_say() -> None:
    found = levels.levels([1, 2, 1, 1], [0, 1, 0, 0], [0, 0, 0, 0], 2)
    assert found["status"].tolist() == ["nd", "np"]
    with pytest.raises(RangeError, match="more requests not covered than asked"):
        levels.levels([1], [2], [0], 1)
    alike = level(np.full(6, 2), np.ones(6))  # every company the same: no variance
    assert alike["variance"] == 0
    assert alike["effective_size"] == pytest.approx(12 / 1.1)


def drawn_requests(draw, companies: int, mean: float, share: float, correlation: float):
    """Return requests and those not covered of companies that differ; axes run, company."""
    number = 1 + draw.poisson(mean - 1, (REPLICATIONS, companies))
    size = 1 / correlation - 1
    own = draw.beta(share * size, (1 - share) * size, (REPLICATIONS, companies))
    return number, draw.binomial(number, own)


@pytest.mark.parametrize("companies", [5, 10, 20, 60])
@pytest.mark.parametrize(("mean", "share"), [(1.6, 0.2), (6, 0.2), (6, 0.1)])
def test_levels_cover_when_requests_of_a_company_are_alike(
    companies: int, mean: float, share: float
) -> None:
    draw = np.random.default_rng(companies)
    asked, unmet = drawn_requests(draw, companies, mean, share, 0.2)
    cell = np.repeat(np.arange(REPLICATIONS), companies)
    found = levels.levels(asked.ravel(), unmet.ravel(), cell, REPLICATIONS)
    inside = found["lower"].le(share) & found["upper"].ge(share)
    low, high = intervals.wilson(unmet.sum(axis=1), asked.sum(axis=1))
    naive = np.mean((low <= share) & (share <= high))
    assert inside.mean() >= LEAST_COVERAGE - SLACK
    if mean > 2 and companies > 5:
        assert naive < inside.mean() - 0.05


def test_the_interval_excludes_0_if_and_only_if_the_test_rejects() -> None:
    draw, said = np.random.default_rng(4), []
    for _ in range(300):
        asked, unmet = np.zeros((40, 2, 2)), np.zeros((40, 2, 2))
        asked[:18, 0] = 1 + draw.poisson(0.6, (18, 2))
        asked[18:, 1] = 1 + draw.poisson(3, (22, 2))
        unmet[:18, 0] = draw.binomial(asked[:18, 0].astype(int), 0.4)
        unmet[18:, 1] = draw.binomial(asked[18:, 1].astype(int), 0.2)
        found = comparison.difference(comparison.evidence(asked, unmet, by_company=True))
        excludes = (found.lower > 0) | (found.upper < 0)
        assert excludes == (found.p_value < 0.05)
        assert found.lower < found.value < found.upper
        said.append(bool(excludes))
    assert 0 < np.mean(said) < 1


def simple(small: tuple[int, int], large: tuple[int, int], each: int = 1):
    """Return the difference of two bands, `(companies, unmet)`, on one topic."""
    count = small[0] + large[0]
    asked, unmet = np.zeros((count, 2, 1)), np.zeros((count, 2, 1))
    asked[: small[0], 0], asked[small[0] :, 1] = each, each
    unmet[: small[1], 0] = each
    unmet[small[0] : small[0] + large[1], 1] = each
    return comparison.difference(comparison.evidence(asked, unmet, by_company=True))


def test_too_few_companies_are_not_compared() -> None:
    assert not np.isnan(simple((10, 5), (10, 2)).value)
    assert np.isnan(simple((9, 5), (10, 2)).value)  # nine of a size
    assert np.isnan(simple((10, 2), (10, 2)).value)  # four not covered in all
    assert np.isnan(simple((10, 10), (10, 6)).value)  # four covered in all
    assert np.isnan(simple((10, 0), (60, 6)).value)  # none of ten: by chance
    assert not np.isnan(simple((40, 0), (60, 30)).value)  # none of forty where ten are expected


def test_topics_of_one_side_are_no_stratum_and_may_leave_too_little() -> None:
    asked, unmet = np.zeros((40, 2, 2)), np.zeros((40, 2, 2))
    asked[:20, 0, 0] = asked[20:, 1, 0] = 1
    unmet[:8, 0, 0] = unmet[20:24, 1, 0] = 1
    alone = comparison.difference(comparison.evidence(asked, unmet, by_company=True))
    asked[20:, 1, 1] = 1
    half = comparison.difference(comparison.evidence(asked, unmet, by_company=True))
    assert np.array(half) == pytest.approx(np.array(alone))
    asked[20:, 1, 1] = 2
    less = comparison.difference(comparison.evidence(asked, unmet, by_company=True))
    assert np.isnan(less.value)


def test_benjamini_hochberg_counts_every_branch_compared() -> None:
    p = [0.004, 0.03, np.nan, *[0.5] * 8]
    assert comparison.retained(p).tolist()[:3] == [True, False, False]
    assert comparison.retained(p[:3]).tolist() == [True, True, False]
    assert not comparison.retained([np.nan]).any()


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


@pytest.mark.parametrize("branches", [8, 34])
@pytest.mark.parametrize("prior", [(3, 17), (30, 70)], ids=["apart", "alike"])
def test_shrunk_intervals_cover_and_shrinking_lowers_the_error(
    branches: int, prior: tuple[int, int]
) -> None:
    draw = np.random.default_rng(branches)
    runs = max(REPLICATIONS // branches, 10)
    inside, total, raw, shrunk = 0, 0, 0.0, 0.0
    for _ in range(runs):
        shares = draw.beta(*prior, branches)
        companies = draw.choice([5, 8, 20, 60, 200], branches)
        cell = np.repeat(np.arange(branches), companies)
        asked = 1 + draw.poisson(2, len(cell))
        unmet = draw.binomial(asked, draw.beta(4 * shares[cell], 4 * (1 - shares[cell])))
        table = levels.levels(asked, unmet, cell, branches)
        rho = shrinkage.correlation(table)
        effective = table["requests"] / (1 + rho * (table["mean_size"] - 1))
        found = shrinkage.shrink(table["value"] * effective, effective)
        inside += ((found.lower <= shares) & (shares <= found.upper)).sum()
        total += branches
        raw += ((table["value"] - shares) ** 2).sum()
        shrunk += ((found.value - shares) ** 2).sum()
    assert inside / total >= 0.92 - SLACK  # 0.94 on average in the specification
    assert shrunk < 0.7 * raw


def test_too_few_branches_are_not_shrunk() -> None:
    found = shrinkage.shrink([1, 2, 3, 4], [5, 6, 7, 8])
    assert np.isnan(found.value).all()
