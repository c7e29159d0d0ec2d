import numpy as np
import pytest

from opmq_lib.methods.forecast import blocks as bl
from opmq_lib.methods.forecast.grid import SIZES, SLICES
from opmq_lib.methods.forecast.operators import plan
from opmq_lib.methods.forecast.series import Panel
from opmq_lib.methods.forecast.settings import DEFAULT, T_MAX


def panel(*series):
    return Panel(np.concatenate(series).astype(float), np.array([len(one) for one in series]))


def walks(count, length, seed=0):
    rng = np.random.default_rng(seed)
    return np.exp(5 + np.cumsum(rng.normal(0, 0.1, (count, length)), axis=1))


def test_blocks_group_series_by_length_and_scale_and_keep_them_all():
    found = panel([1, 2, 4], [3, 1, 2, 5], [9, 3, 4], [-1, 2, 3], np.arange(80) ** 1.1)
    parts = list(bl.blocks(found, np.arange(5)))
    assert sorted(np.concatenate([part.index for part in parts]).tolist()) == [0, 1, 2, 3, 4]
    assert {(part.length, part.root) for part in parts} == {
        (3, True),
        (3, False),
        (4, True),
        (T_MAX, True),
    }


def test_path_is_shifted_scaled_and_padded():
    part = next(bl.blocks(panel([1, 4, 9, 25]), np.array([0])))
    z = np.array([1.0, 2.0, 3.0, 5.0])
    rms = np.sqrt(np.mean(np.diff(z) ** 2))
    np.testing.assert_allclose(part.path[:, 0], (z[:-1] - 5) / rms, atol=2e-5)
    assert part.path.shape == (3, 16)
    assert np.all(part.path == part.path[:, :1])


def test_squares_are_those_of_the_operators_plus_the_floor():
    part = next(bl.blocks(panel(*walks(3, 9)), np.arange(3)))
    operators = plan(9, 2)
    found = bl.evidence(part, 2, 0.0, DEFAULT)
    triangle = part.path[:, 0][:, None] * part.path[:, 0]
    expected = operators.quadratic @ triangle[np.triu_indices(8)] + DEFAULT.floor * 9
    np.testing.assert_allclose(found.squares[:, 0], expected, rtol=1e-4)


def test_growth_is_given_back_to_forecasts():
    steady = next(bl.blocks(panel(np.arange(-9.0, 0.0)), np.array([0])))
    found = bl.evidence(steady, 3, 1.0, DEFAULT)
    np.testing.assert_allclose(found.forecasts[:, :, 0].T, np.tile([1, 2, 3], (sum(SIZES), 1)))
    np.testing.assert_allclose(found.squares, DEFAULT.floor * 9, rtol=1e-6)


def test_weights_sum_to_the_shares_and_prefer_the_likely():
    loglik = np.random.default_rng(0).normal(size=(sum(SIZES), 16)).astype(np.float32)
    weight = bl.weights(loglik, np.repeat(np.array(DEFAULT.shares) / SIZES, SIZES))
    for place, share in zip(SLICES, DEFAULT.shares, strict=True):
        np.testing.assert_allclose(weight[place].sum(axis=0), share, rtol=1e-5)
        assert np.all(weight[place].argmax(axis=0) == loglik[place].argmax(axis=0))


def test_weighted_median_approaches_the_sorted_one():
    rng = np.random.default_rng(5)
    values = rng.normal(size=(1, sum(SIZES), 32)).astype(np.float32)
    weight = rng.dirichlet(np.ones(sum(SIZES)), 32).T.astype(np.float32)
    center, between = bl.weighted_median(weight, values, 30)
    for n in range(32):
        order = np.argsort(values[0, :, n])
        rank = np.searchsorted(np.cumsum(weight[order, n]), 0.5)
        spread = np.sqrt(between[0, n])
        assert abs(center[0, n] - values[0, order[rank], n]) < 0.1 * spread


def test_weighted_median_without_a_step_is_the_mean():
    values = np.arange(sum(SIZES), dtype=np.float32)[None, :, None]
    weight = np.full((sum(SIZES), 1), 1 / sum(SIZES), dtype=np.float32)
    center, between = bl.weighted_median(weight, values, 0)
    assert center[0, 0] == pytest.approx(values.mean(), rel=1e-5)
    assert between[0, 0] == pytest.approx(values.var(), rel=1e-4)


def test_a_forecast_never_moves_more_than_three_scales_a_step():
    part = next(bl.blocks(panel(np.exp(np.arange(12.0) ** 1.3)), np.array([0])))
    found = bl.evidence(part, 6, 0.0, DEFAULT)
    weight = bl.weights(found.loglik, np.full(sum(SIZES), 1 / sum(SIZES)))
    center, deviation = bl.mixture(found, weight, DEFAULT)
    assert np.all(np.abs(center) <= 3 * np.arange(1, 7)[:, None])
    assert np.all(deviation > 0)


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        ([2, 3, 5], 1.0),
        ([4, 10, 16], 2.0),
        ([0, 0, 3], 3.0),
        ([0.2, 0.3, 0.7], 0.1),
        ([1.01, 2.7, 3.14159], 0.0),
        ([500, 501, 502], 0.0),
        ([-1, 2, 3], 0.0),
        ([0, 0, 0], 0.0),
    ],
)
def test_small_counts_are_known_by_their_unit(values, unit):
    assert panel(values).units[0] == pytest.approx(unit)


def test_varies_wants_three_years_and_a_move():
    found = panel([1], [1, 2], [5, 5, 5], [0, 0, 0], [1, 2, 2])
    assert found.varies.tolist() == [False, False, False, False, True]
