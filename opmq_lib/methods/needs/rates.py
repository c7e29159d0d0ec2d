"""What past age tables teach: how many of a five-year band are still there five years later.

Two tables five years apart give a net cohort ratio, E_(a+5)(t+5) / E_a(t): those who stayed, less
those who left, plus those who came. Up to 1 it serves as survival; departures learnt from it are
net of arrivals, and are so named.

- The level of all métiers is projected: below a₀ the mean of the pairs; from a₀ a straight line in
  logits, damped, because pension rules have kept people in work longer and longer.
- A métier's ratio to that level is shrunk to its family's, and the family's to 1: the tables are
  survey estimates whose number of persons is not published.

Source: method page, E2. Which constants were tried: `docs/decisions/needs.md`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from opmq_lib.methods.needs.ages import FIRST_OLD_AGE, Ages, read_ages, whole_country, without
from opmq_lib.methods.needs.cohorts import BAND_YEARS, Array, Mask
from opmq_lib.tables.indicators import ALL_METIERS

DAMPING = 0.8
"""Share of a year's trend in rates that is left the year after."""

PRIOR_HEADCOUNT = 256_000.0
PRIORS_HEADCOUNT = {50: 64_000.0, 55: 4_000.0}
"""Heads of a band, per pair of tables, that the family's rate is worth beside a métier's own; by
first age, the first for all others. Leaving after 55 differs by métier; before, hardly. Chosen on
origins 2010–2012, each with the pairs known then."""

FAMILY_LENGTH = 3
"""Characters of a FAP code that name its family."""

NATIONAL_SURVIVAL = {50: 0.885, 55: 0.584}
"""All occupations, metropolitan France, 2013 → 2018 (Dares, net cohort ratios): used, and said,
where the age table has no two periods five years apart. Bands older than these leave."""

NORMAL_80 = 1.2816
OVERLAP_YEARS = 3
"""Years that one table covers: pairs that start this far apart share no year."""

COLUMNS = (
    "metier_code",
    "step",
    "age_band",
    "first_age",
    "survival_ratio",
    "net_cohort_ratio",
    "common_spread_logit",
    "spread_ratio",
    "noise_headcount",
    "rates_basis",
    "pairs_count",
)


@dataclass(frozen=True)
class _Pairs:
    """Heads of each band, and of the next one five years later: (pairs, métiers, bands - 1)."""

    years: list[int]
    before: Array
    after: Array


def learn_rates(
    age_structure: pd.DataFrame, steps: int = 2, first_old_age: int = FIRST_OLD_AGE
) -> pd.DataFrame:
    """Return five-year survival by métier and age band, learnt from past age tables.

    Args:
        age_structure: As for `ages.read_ages`; rows of all occupations together are left out,
            unless there is nothing else, and those of branches where there are national ones.
        steps: Five-year steps projected after the last table.
        first_old_age: a₀: age from which the level follows its trend.

    Returns:
        One row per métier, family (its first three characters), all métiers (`ENS`), `step` and
        `age_band` of departure: `survival_ratio` (0 to 1), `net_cohort_ratio`, the standard
        deviations of its error, common to all métiers in logits and the métier's own,
        `noise_headcount` (variance of the heads found five years later, per head expected: what
        a survey adds to a stock, not to a rate), `rates_basis` (whose tables weigh half or
        more in the oldest rate: `metier`, `family`, `all`; `default`: no pair of tables,
        `NATIONAL_SURVIVAL`), and `pairs_count`, the number of pairs of tables.

    Raises:
        DataError: As `ages.read_ages`.

    Examples:
        >>> heads = {"2008": [90.0, 40.0, 10.0], "2013": [80.0, 45.0, 18.0]}
        >>> table = pd.DataFrame([("A", period, band, value) for period in heads
        ...     for band, value in zip(("50-54", "55-59", "60+"), heads[period])],
        ...     columns=["metier_code", "period", "age_band", "employment_headcount"])
        >>> found = learn_rates(table, steps=1).query("metier_code == 'A'")
        >>> found["survival_ratio"].round(6).tolist()
        [0.5, 0.45, 0.0]
    """
    ages = without(whole_country(read_ages(age_structure)), ALL_METIERS)
    pairs = _pairs(ages)
    old = np.array(ages.first_ages[:-1]) >= first_old_age
    if not pairs.years:
        return _default_rates(ages, steps, old)
    level = pairs.after.sum(axis=1) / np.maximum(pairs.before.sum(axis=1), 1e-9)
    gap = max(ages.years) - pairs.years[-1]
    ahead = [gap + BAND_YEARS * step for step in range(steps)]
    paths, common = _project_level(pairs.years, level, ahead, old)
    prior = np.array([PRIORS_HEADCOUNT.get(age, PRIOR_HEADCOUNT) for age in ages.first_ages[:-1]])
    relative, expected, codes, basis = _relative(pairs, level, ages, prior)
    noise = _noise(pairs, level, relative[: len(ages.keys)])
    net = relative[:, None, :] * paths[None]
    apart = max(len(pairs.years) / OVERLAP_YEARS, 1.0)
    believed = expected / len(pairs.years) + prior
    spread = np.sqrt(noise * net / (apart * believed[:, None, :]))
    found = np.stack([net, spread, np.broadcast_to(noise, net.shape)])
    return _table(ages, codes, found, common, basis, len(pairs.years))


def _pairs(ages: Ages) -> _Pairs:
    """Return every two tables five years apart; a métier not known in both counts in neither."""
    years = [year for year in ages.years if year + BAND_YEARS in ages.years]
    before, after = (
        np.stack([ages.heads[:, ages.years.index(year + shift)] for year in years])
        if years
        else np.empty((0, len(ages.keys), len(ages.bands)))
        for shift in (0, BAND_YEARS)
    )
    both = ~np.isnan(before + after).any(axis=2, keepdims=True)
    return _Pairs(years, np.where(both, before, 0.0)[..., :-1], np.where(both, after, 0.0)[..., 1:])


def _project_level(
    years: list[int], level: Array, ahead: Sequence[int], old: Mask
) -> tuple[Array, Array]:
    """Return the level of each step and band, and the standard deviation of its error in logits.

    An 80 % interval goes from no further trend to twice the trend, beside what pairs leave.
    """
    at = np.array(years, dtype=float)
    logits = logit(np.clip(level, 1e-3, 1 - 1e-3))
    centred = at - at.mean()
    slope = centred @ logits / max(float(centred @ centred), 1.0) if len(years) > 2 else 0 * at[0]
    fitted = logits.mean(axis=0) + np.outer(centred, slope * np.ones(level.shape[1]))
    further = np.array([np.sum(DAMPING ** np.arange(1, gap + 1)) for gap in ahead])
    trend = np.outer(further, slope * np.ones(level.shape[1]))
    left = np.sqrt(np.square(logits - fitted).sum(axis=0) / max(len(years) - 2, 1))
    paths = np.where(old, expit(fitted[-1] + trend), level.mean(axis=0))
    return paths, np.where(old, np.hypot(trend / NORMAL_80, left), 0.0)


def _relative(
    pairs: _Pairs, level: Array, ages: Ages, prior_headcount: Array
) -> tuple[Array, Array, list[str], list[str]]:
    """Return ratios to the level, expected heads, codes and basis of métiers, families and all."""
    expected = (pairs.before * level[:, None, :]).sum(axis=0)
    counted = pairs.after.sum(axis=0)
    codes = ages.keys.get_level_values("metier_code").astype("str").tolist()
    family = [code[:FAMILY_LENGTH] for code in codes]
    sums = [pd.DataFrame(part).groupby(family).sum() for part in (counted, expected)]
    prior = prior_headcount * len(pairs.years)
    of_family = (sums[0] + prior) / (sums[1] + prior)
    towards = of_family.loc[family].to_numpy()
    of_metier = (counted + prior * towards) / (expected + prior)
    alone = [name for name in of_family.index if name not in codes]
    last, enough = expected.shape[1] - 1, prior[-1]
    weighs = sums[1].iloc[:, last]
    own = expected[:, last] >= enough
    of_same = weighs.loc[family].to_numpy() >= enough
    basis = [
        "metier" if mine else "family" if theirs else "all"
        for mine, theirs in zip(own, of_same, strict=True)
    ]
    whole = np.ones((1, expected.shape[1]))
    return (
        np.concatenate([of_metier, of_family.loc[alone].to_numpy(), whole]),
        np.concatenate([expected, sums[1].loc[alone].to_numpy(), expected.sum(axis=0)[None]]),
        [*codes, *map(str, alone), ALL_METIERS],
        [
            *basis,
            *("family" if weighs[name] >= enough else "all" for name in alone),
            "all",
        ],
    )


def _noise(pairs: _Pairs, level: Array, relative: Array) -> Array:
    """Return by band the variance of heads found five years later, in expected heads."""
    fitted = pairs.before * level[:, None, :] * relative
    squares = np.square(pairs.after - fitted).sum(axis=(0, 1))
    return np.asarray(squares / np.maximum(fitted.sum(axis=(0, 1)), 1.0))


def _default_rates(ages: Ages, steps: int, old: Mask) -> pd.DataFrame:
    codes = [*ages.keys.get_level_values("metier_code").astype("str"), ALL_METIERS]
    known = [
        NATIONAL_SURVIVAL.get(age, np.nan) if late else 1.0
        for age, late in zip(ages.first_ages[:-1], old, strict=True)
    ]
    net = np.tile(np.array(known), (len(codes), steps, 1))
    nothing, found = np.zeros((steps, len(known))), np.stack([net, 0 * net, 0 * net])
    return _table(ages, codes, found, nothing, ["default"] * len(codes), 0)


def _table(  # noqa: PLR0913 - one argument per group of columns
    ages: Ages, codes: list[str], found: Array, common: Array, basis: list[str], pairs_count: int
) -> pd.DataFrame:
    """Return the long table; the last, open band keeps nobody for five years."""
    steps, width = found.shape[2], len(ages.bands)
    count = len(codes)
    net, spread, noise = np.pad(found, [(0, 0), (0, 0), (0, 0), (0, 1)]).reshape(3, -1)
    table = pd.DataFrame(
        {
            "metier_code": np.repeat(codes, steps * width),
            "step": np.tile(np.repeat(np.arange(1, steps + 1), width), count),
            "age_band": np.tile(ages.bands, count * steps),
            "first_age": np.tile(ages.first_ages, count * steps),
            "survival_ratio": np.minimum(net, 1.0),
            "net_cohort_ratio": net,
            "common_spread_logit": np.tile(np.pad(common, [(0, 0), (0, 1)]).ravel(), count),
            "spread_ratio": spread,
            "noise_headcount": noise,
            "rates_basis": np.repeat(basis, steps * width),
            "pairs_count": pairs_count,
        }
    )
    first = ~table.duplicated(["metier_code", "step", "age_band"])
    return table.loc[first, list(COLUMNS)].reset_index(drop=True)
