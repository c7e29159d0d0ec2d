import numpy as np
import pytest

from opmq_lib.methods.forecast.quantiles import (
    DEFAULT_SPREAD,
    default_shape,
    error_quantiles,
    error_shape,
    independent_errors,
    spread_line,
)

LEVELS = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])


def test_spread_line_is_straight_and_extends_beyond_what_was_seen():
    rng = np.random.default_rng(0)
    errors = [rng.normal(size=(3, 2000)) * np.array([1.0, 1.2, 1.4])[:, None]]
    line = spread_line(errors, 5)
    np.testing.assert_allclose(np.diff(line[:4], 2), 0, atol=1e-9)
    np.testing.assert_allclose(line[:3] / 1.2816, [1.0, 1.2, 1.4], rtol=0.06)
    assert line[4] <= 1.5 * 1.4 * 1.2816 * 1.06


def test_a_stormy_origin_counts_once_whatever_its_number_of_series():
    calm, stormy = np.linspace(-1, 1, 100), np.linspace(-4, 4, 400)
    few = spread_line([calm[None], stormy[None]], 1)[0]
    assert 0.8 * 1 < few < 0.8 * 4


def test_a_common_shock_is_one_error_however_many_series_it_hits():
    rng = np.random.default_rng(3)
    apart = [rng.normal(size=(2, 400)) for _ in range(3)]
    together = [np.full((2, 400), shock) for shock in (-1.0, 1.0, 2.0)]
    assert independent_errors(apart) > 200
    assert independent_errors(together) == 3


def test_width_is_shrunk_to_the_default_by_the_number_of_independent_errors():
    shock = [np.tile([4.0, 4.0, 4.0, -4.0], (1, 25))]
    count = 100 / (1 + 99 * 0.25)
    expected = 1.3 * (4 / 1.3) ** (count / (count + 40))
    assert error_quantiles(shock, 1, LEVELS, prior=1e12)[0, -2] == pytest.approx(expected)


def test_error_shape_is_ordered_centred_and_follows_skew():
    rng = np.random.default_rng(1)
    errors = [rng.exponential(size=(2, 500)) - 0.3 for _ in range(3)]
    shape = error_shape(errors, np.ones(2), LEVELS, prior=100)
    assert np.all(np.diff(shape) >= 0)
    assert shape[3] == 0
    assert shape[-1] > -shape[0]


def test_error_shape_of_few_errors_stays_close_to_the_default():
    errors = [np.full((1, 19), 0.5)]
    shape = error_shape(errors, np.ones(1), LEVELS, prior=1000)
    np.testing.assert_allclose(shape, default_shape(LEVELS), atol=0.05)


def test_without_errors_quantiles_are_the_default_ones_at_every_step():
    quantiles = error_quantiles([], 3, LEVELS, prior=100)
    assert quantiles.shape == (3, len(LEVELS))
    np.testing.assert_allclose(quantiles[2], DEFAULT_SPREAD * default_shape(LEVELS))
