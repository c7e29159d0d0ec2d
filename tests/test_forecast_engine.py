import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opmq_lib.methods.forecast.engine import forecast_panel, learn_panel
from opmq_lib.methods.forecast.series import Panel

LEVELS = np.array([0.025, 0.1, 0.5, 0.9, 0.975])


def panel(series):
    return Panel(np.concatenate(series).astype(float), np.array([len(one) for one in series]))


def walks(seed, count=40, shortest=8, longest=26):
    rng = np.random.default_rng(seed)
    return [
        np.exp(
            rng.normal(5, 1) + np.cumsum(rng.normal(0.01, 0.06, rng.integers(shortest, longest)))
        )
        for _ in range(count)
    ]


def forecast(series, steps=4):
    found = panel(series)
    return forecast_panel(found, learn_panel(found, steps, LEVELS))


finite = st.floats(0, 1e9, allow_nan=False, width=32)
any_series = st.lists(st.lists(finite, min_size=1, max_size=14), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(any_series, st.integers(1, 8))
def test_any_series_gets_finite_ordered_quantiles_that_never_explode(series, steps):
    quantiles = forecast(series, steps)
    assert np.all(np.isfinite(quantiles))
    assert np.all(np.diff(quantiles, axis=2) >= 0)
    assert np.all(quantiles >= 0)
    for one, found in zip(series, quantiles, strict=True):
        assert np.all(found[:, 2] <= (1 + 3 * steps) ** 2 * (max(one) + 1e-9) * 4)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=14), st.integers(1, 6))
def test_negative_values_are_forecast_on_their_own_scale(values, steps):
    quantiles = forecast([values, [-1.0, -2.0, 3.0, 1.0]], steps)
    assert np.all(np.isfinite(quantiles))
    assert np.all(np.diff(quantiles, axis=2) >= 0)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_order_of_series_changes_no_number(seed, random):
    series = walks(seed)
    order = list(range(len(series)))
    random.shuffle(order)
    straight, shuffled = forecast(series), forecast([series[n] for n in order])
    np.testing.assert_array_equal(shuffled, straight[order])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 39))
def test_a_panel_in_two_parts_with_the_same_lessons_gives_the_same_numbers(seed, cut):
    series = walks(seed)
    lessons = learn_panel(panel(series), 4, LEVELS)
    whole = forecast_panel(panel(series), lessons)
    parts = [forecast_panel(panel(part), lessons) for part in (series[:cut], series[cut:])]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 1e6), st.integers(1, 30))
def test_a_constant_series_teaches_nothing(seed, value, years):
    series = walks(seed)
    with_constant = forecast([*series, np.full(years, value)])
    np.testing.assert_array_equal(with_constant[:-1], forecast(series))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-4, 1e6))
def test_scaling_series_scales_their_forecasts(seed, factor):
    series = walks(seed)
    scaled = forecast([one * factor if n % 2 else one for n, one in enumerate(series)])
    expected = forecast(series) * np.where(np.arange(len(series)) % 2, factor, 1)[:, None, None]
    np.testing.assert_allclose(scaled, expected, rtol=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-2, 1e3))
def test_scaling_small_counts_scales_their_forecasts(seed, factor):
    rng = np.random.default_rng(seed)
    series = [rng.poisson(rng.uniform(3, 30), 15) + 1.0 for _ in range(110)]
    np.testing.assert_allclose(
        forecast([one * factor for one in series]), forecast(series) * factor, rtol=1e-9
    )


def test_threads_change_no_byte():
    code = (
        "import sys, numpy as np\n"
        "from opmq_lib.methods.forecast.series import Panel\n"
        "from opmq_lib.methods.forecast.engine import forecast_panel, learn_panel\n"
        "r = np.random.default_rng(0)\n"
        "y = np.exp(5 + np.cumsum(r.normal(0, .1, (600, 45)), 1))\n"
        "p = Panel(y.ravel(), np.full(600, 45))\n"
        "q = forecast_panel(p, learn_panel(p, 6, np.array([.1, .5, .9])))\n"
        "sys.stdout.buffer.write(q.tobytes())\n"
    )
    outputs = []
    for threads in ("1", "2"):
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, env=environment, check=True
        )
        outputs.append(run.stdout)
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) == 600 * 6 * 3 * 8


@pytest.mark.parametrize(
    "values", [[5.0], [5.0, 9.0], [7.0] * 12, [0.0] * 9, [0.0], [0.0, 4.0]], ids=str
)
def test_series_that_no_model_fits_get_their_last_value_and_a_wide_interval(values):
    quantiles = forecast([*walks(1), np.array(values)])[-1]
    np.testing.assert_allclose(quantiles[:, 2], values[-1])
    assert np.all(quantiles[:, -1] > quantiles[:, 2])
    assert np.all(np.diff(quantiles[:, -1]) > 0)
    assert np.all(quantiles[:, 0] <= quantiles[:, 2])


def test_a_series_alone_gets_default_intervals():
    lessons = learn_panel(panel([np.arange(1.0, 20.0)]), 3, LEVELS)
    assert lessons[0].series_count == 0
    quantiles = forecast([np.arange(1.0, 20.0)], 3)[0]
    assert np.all(np.diff(quantiles, axis=1) > 0)


def test_a_trend_is_followed_and_a_noisy_level_is_averaged():
    trend = 100.0 + 5.0 * np.arange(20)
    noise = 100.0 + np.tile([-9.0, 9.0], 10)
    point = forecast([*walks(3), trend, noise], 2)[:, :, 2]
    assert 195 < point[-2, 0] < 205
    assert 93 < point[-1, 0] < 107
