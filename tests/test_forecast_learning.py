import dataclasses

import numpy as np
import pytest

from opmq_lib.methods.forecast import blocks as bl
from opmq_lib.methods.forecast import learning
from opmq_lib.methods.forecast.grid import FAMILIES, SIZES, STARTS
from opmq_lib.methods.forecast.series import Panel
from opmq_lib.methods.forecast.settings import DEFAULT, MAX_LEARNING_SERIES

LEVELS = np.array([0.1, 0.5, 0.9])
NAMES = [family.name for family in FAMILIES]


def walks(count, length, *, rho=0.0, drift=0.0, seed=0):
    rng = np.random.default_rng(seed)
    changes = rng.normal(drift, 0.03, (count, length))
    for year in range(1, length):
        changes[:, year] += rho * (changes[:, year - 1] - drift)
    return Panel(np.exp(5 + np.cumsum(changes, axis=1)).ravel(), np.full(count, length))


def learn(panel, steps=3):
    return learning.learn(panel, steps, LEVELS, DEFAULT)


def test_persistent_changes_give_the_weight_to_the_autoregression():
    weights = learn(walks(200, 25, rho=0.8)).weights
    assert NAMES[int(np.argmax(np.add.reduceat(weights, STARTS)))] == "ar_differences"


def test_growth_follows_the_panel():
    assert learn(walks(200, 25, drift=0.05)).growth > 0.1
    assert learn(walks(200, 25, drift=-0.05)).growth < -0.1
    assert abs(learn(walks(200, 25)).growth) < 0.05


def test_a_panel_too_small_teaches_nothing_and_says_so():
    lessons = learn(walks(18, 25))
    assert lessons.series_count == 0
    np.testing.assert_allclose(np.add.reduceat(lessons.weights, STARTS), DEFAULT.shares)


def test_no_trust_leaves_the_prior_flat():
    panel = walks(60, 20)
    replays = [learning.replay(panel, 3, 3, DEFAULT)]
    first = np.repeat(0.2 / np.array(SIZES), SIZES)
    np.testing.assert_allclose(learning.learn_weights(replays, (0.0, 0.0), first), first)


def test_weights_are_the_mean_of_what_each_origin_would_choose():
    panel, first = walks(60, 24), np.repeat(0.2 / np.array(SIZES), SIZES)
    replays = [learning.replay(panel, cut, 3, DEFAULT) for cut in (3, 6)]
    alone = [learning.learn_weights([origin], (5.0, 25.0), first) for origin in replays]
    both = learning.learn_weights(replays, (5.0, 25.0), first)
    np.testing.assert_allclose(both, np.mean(alone, axis=0))
    assert both.sum() == pytest.approx(1)


def test_a_posterior_is_the_first_weights_times_the_exponential_of_relative_losses():
    loss = np.tile([[1.0], [2.0], [3.0]], 30)
    weights = learning.posterior(np.array([0.5, 0.5, 1.0]), loss, 2.0, (0, 2))
    second = np.exp(-2.0 * 30 / 60)
    np.testing.assert_allclose(weights, [1 / (1 + second), second / (1 + second), 1.0])


def test_each_kind_learns_its_own_weights_and_shares_the_panels_intervals():
    calm, trending = walks(60, 25, seed=3), walks(60, 25, rho=0.8, seed=4)
    kinds = np.repeat(np.array(["calm", "trending"], dtype=object), 60)
    both = Panel(np.r_[calm.flat, trending.flat], np.r_[calm.lengths, trending.lengths], kinds)
    lessons = learn(both)
    shares = {kind: np.add.reduceat(own, STARTS) for kind, own in lessons.kinds.items()}
    place = NAMES.index("ar_differences")
    panel_share = np.add.reduceat(lessons.weights, STARTS)[place]
    assert shares["calm"][place] < panel_share < shares["trending"][place]
    found = list(lessons.of_kinds(both, np.arange(120)))
    assert [len(own) for own, _ in found] == [60, 60, 0]
    assert all(own.quantiles is lessons.quantiles for _, own in found)


def test_replay_hides_the_years_that_it_is_judged_on():
    panel = walks(30, 20)
    changed = panel.flat.copy().reshape(30, 20)
    changed[:, -4:] *= 3
    before = learning.replay(panel, 4, 4, DEFAULT)[0]
    after = learning.replay(Panel(changed.ravel(), panel.lengths), 4, 4, DEFAULT)[0]
    np.testing.assert_array_equal(before.evidence.forecasts, after.evidence.forecasts)
    assert np.all(after.outcome > before.outcome)


def test_replay_drops_series_too_short_or_still_at_the_origin():
    walk = walks(30, 20)
    late = np.r_[np.full(16, 7.0), 8, 9, 8, 7]
    panel = Panel(np.r_[walk.flat, late, np.arange(9.0)], np.r_[walk.lengths, len(late), 9])
    replays = learning.replay(panel, 4, 4, DEFAULT)
    assert sum(len(past.block.index) for past in replays) == 30


def test_a_long_horizon_of_short_series_still_has_several_origins():
    panel = walks(60, 15)
    lessons = learn(panel, 10)
    assert learning.origins(panel.lengths, 10) == (5, 9, 7)
    assert np.all(np.diff(lessons.quantiles[:, -1]) > -1)
    assert lessons.quantiles.shape == (10, 3)


def test_sample_is_of_series_not_of_places():
    panel = walks(MAX_LEARNING_SERIES + 500, 8)
    count = len(panel.lengths)
    backwards = panel.take(np.arange(count)[::-1])
    one = panel.take(learning.sample(panel))
    other = backwards.take(learning.sample(backwards))
    assert len(one.lengths) == MAX_LEARNING_SERIES
    np.testing.assert_array_equal(one.flat, other.flat)


def test_wider_errors_give_wider_intervals():
    steady = learn(walks(200, 25, seed=1))
    panel = walks(200, 25, seed=1)
    shaken = panel.flat.reshape(200, 25).copy()
    shaken[:, -6:] *= np.exp(np.random.default_rng(2).normal(0, 0.3, (200, 6)))
    stormy = learn(Panel(shaken.ravel(), panel.lengths))
    assert np.all(stormy.quantiles[:, -1] > steady.quantiles[:, -1])


def test_the_model_of_least_loss_gains_most():
    replays = [learning.replay(walks(60, 20), 3, 3, DEFAULT)]
    loss = learning.losses(replays[0], lambda past: past.evidence.forecasts)
    weights = learning.posterior(np.ones(len(loss)), loss, 5.0, (0,))
    assert np.argmax(weights) == np.argmin(loss.mean(axis=1))


def test_volatility_is_drawn_to_the_panels():
    panel = walks(40, 12)
    lessons = learn(panel)
    part = next(bl.blocks(panel, np.arange(40)))
    found = bl.evidence(part, 3, lessons.growth, DEFAULT)
    apart = dataclasses.replace(DEFAULT, volatility_pooling=0.0)
    alone = dataclasses.replace(lessons, settings=apart)
    drawn = learning.expectation(part, found, lessons)[1]
    ratio = drawn / learning.expectation(part, found, alone)[1]
    own = np.log(part.scale / part.last)
    assert np.corrcoef(own, np.log(ratio[0]))[0, 1] < -0.9
