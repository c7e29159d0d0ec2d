import dataclasses

import numpy as np

from opmq_lib.methods.forecast import blocks as bl
from opmq_lib.methods.forecast import learning
from opmq_lib.methods.forecast.grid import FAMILIES
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
    shares = learn(walks(200, 25, rho=0.8)).shares
    assert NAMES[int(np.argmax(shares))] == "ar_differences"


def test_growth_follows_the_panel():
    assert learn(walks(200, 25, drift=0.05)).growth > 0.1
    assert learn(walks(200, 25, drift=-0.05)).growth < -0.1
    assert abs(learn(walks(200, 25)).growth) < 0.05


def test_a_panel_too_small_teaches_nothing_and_says_so():
    lessons = learn(walks(18, 25))
    assert lessons.series_count == 0
    np.testing.assert_allclose(lessons.shares, DEFAULT.shares)


def test_no_trust_leaves_the_prior_flat():
    panel = walks(60, 20)
    replays = [learning.replay(panel, 3, 3, DEFAULT)]
    log_prior, shares = learning.learn_weights(replays, (0.0, 0.0), np.full(5, 0.2))
    np.testing.assert_allclose(shares, 0.2)
    assert np.unique(log_prior.round(5)).size == np.unique([len(f.points) for f in FAMILIES]).size


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


def test_losses_are_relative_to_the_best_model():
    replays = [learning.replay(walks(60, 20), 3, 3, DEFAULT)]
    loss = learning.relative_loss(replays, lambda past: past.evidence.forecasts)
    assert loss.min() == 0
    assert np.all(loss >= 0)


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
