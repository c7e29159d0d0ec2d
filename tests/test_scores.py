import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opmq_lib.methods.forecast import scores

HISTORY = [100, 104, 103, 108, 110, 115]
ACTUAL = np.array([116.0, 121, 126])


def test_worked_example_w10_mase():
    scale = np.mean(np.abs(np.diff(HISTORY)))
    assert scores.scaled_error(ACTUAL, 115, scale).mean() == pytest.approx(1.764706, abs=5e-7)
    drift = np.array([118, 121, 124])
    assert scores.scaled_error(ACTUAL, drift, scale).mean() == pytest.approx(0.392157, abs=5e-7)


def test_wis_is_the_mean_of_its_intervals_and_median():
    quantiles, levels = np.array([[1.0, 2.0, 4.0]]), np.array([0.1, 0.5, 0.9])
    expected = (0.5 * abs(5 - 2) + 0.1 * scores.interval_score(5, 1, 4, 0.2)) / 1.5
    found = scores.weighted_interval_score(np.array([5.0]), quantiles, levels)
    np.testing.assert_allclose(found, expected)


@given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=5), st.floats(-1e6, 1e6))
def test_wis_is_lowest_at_the_outcome(values, actual):
    levels, outcome = np.array([0.05, 0.25, 0.5, 0.75, 0.95]), np.array([actual])
    spread = scores.weighted_interval_score(outcome, np.array([sorted(values)]), levels)
    sure = scores.weighted_interval_score(outcome, np.full((1, 5), actual), levels)
    assert sure[0] == 0
    assert spread[0] >= 0


def test_levels_without_a_mirror_are_ignored():
    assert scores.central_pairs(np.array([0.05, 0.2, 0.5, 0.8])) == [(1, 3, 0.4)]


def test_scores_are_not_given_for_a_series_that_never_moved():
    assert np.isnan(scores.scaled_error(1.0, 2.0, 0.0))


def test_pit_outside_the_quantiles_is_a_bound():
    quantiles, levels = np.array([[1.0, 2.0]]), np.array([0.1, 0.9])
    found = scores.probability_integral_transform(np.array([-5.0]), quantiles, levels)
    assert found.tolist() == [0.1]
