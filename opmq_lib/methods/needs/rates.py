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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from opmq_lib.methods.needs.ages import FIRST_OLD_AGE, Ages, read_ages
from opmq_lib.methods.needs.cohorts import BAND_YEARS, Array, Index, Mask
from opmq_lib.tables.fap import FAMILY_LENGTH
from opmq_lib.tables.indicators import ALL_METIERS

DAMPING = 0.8
"""Share of a year's trend in rates that is left the year after."""

PRIOR_HEADCOUNT = 256_000.0
PRIORS_HEADCOUNT = {50: 64_000.0, 55: 4_000.0}
"""Heads of a band, per pair of tables, that the family's rate is worth beside a métier's own; by
first age, the first for all others. Leaving after 55 differs by métier; before, hardly. Chosen on
origins 2010–2012, each with the pairs known then."""


NATIONAL_SURVIVAL = {50: 0.885, 55: 0.584}
"""All occupations, metropolitan France, 2013 → 2018 (Dares, net cohort ratios): used, and said,
where the age table has no two periods five years apart. Bands older than these leave."""

NORMAL_80 = 1.2816
OVERLAP_YEARS = 3
"""Years that one table covers: pairs that start this far apart share no year."""


@dataclass(frozen=True)
class _Pairs:
    """Heads of each band, and of the next one five years later: (pairs, métiers, bands - 1)."""

    years: list[int]
    before: Array
    after: Array

    @property
    def level(self) -> Array:
        """Net cohort ratio of all métiers together, (pairs, bands - 1)."""
        return np.asarray(self.after.sum(axis=1) / np.maximum(self.before.sum(axis=1), 1e-9))


@dataclass(frozen=True)
class _Ratios:
    """What each node's rates are beside the level of all, by band: (nodes, bands - 1).

    Attributes:
        codes: Métiers, families that are not métiers, all métiers.
        relative: Ratio to the level, shrunk.
        expected: Heads that the level lets expect, over all pairs.
    """

    codes: list[str]
    relative: Array
    expected: Array


def learn_rates(age_structure: pd.DataFrame, steps: int = 2) -> pd.DataFrame:
    """Return five-year survival by métier and age band, learnt from past age tables.

    Args:
        age_structure: As for `ages.read_ages`; rows of all occupations together are left out,
            unless there is nothing else, and those of branches where there are national ones.
        steps: Five-year steps projected after the last table.

    Returns:
        One row per métier, family (its first three characters), all métiers (`ENS`), `step` and
        `first_age` of departure: `survival_ratio` (0 to 1), `net_cohort_ratio`, the standard
        deviations of its error, common to all métiers in logits and the métier's own,
        and `noise_headcount` (variance of the heads found five years later, per head expected: what
        a survey adds to a stock, not to a rate). Without any pair of tables: `NATIONAL_SURVIVAL`.

    Raises:
        DataError: As `ages.read_ages`.

    Examples:
        >>> heads = {"2008": [90.0, 40.0, 10.0], "2013": [80.0, 45.0, 18.0]}
        >>> table = pd.DataFrame([("A", period, band, value) for period in heads
        ...     for band, value in zip(("50-54", "55-59", "60+"), heads[period])],
        ...     columns=["metier_code", "period", "age_band", "employment_headcount"])
        >>> rates = learn_rates(table, steps=1).query("metier_code == 'A'")
        >>> rates["survival_ratio"].round(6).tolist()
        [0.5, 0.45, 0.0]
    """
    return rates_of(read_ages(age_structure), steps)


def rates_of(ages: Ages, steps: int) -> pd.DataFrame:
    """Return what `learn_rates` does, from ages already read."""
    codes, heads = ages.whole_country()
    pairs = _pairs(ages.years, heads)
    is_old = np.array(ages.first_ages[:-1]) >= FIRST_OLD_AGE
    if not pairs.years:
        return _default_rates(ages, codes, steps, is_old)
    ahead = max(ages.years) - pairs.years[-1] + BAND_YEARS * np.arange(steps)
    level, common = _project_level(pairs, ahead, is_old)
    prior = np.array([PRIORS_HEADCOUNT.get(age, PRIOR_HEADCOUNT) for age in ages.first_ages[:-1]])
    ratios = _shrunk_ratios(pairs, codes, prior)
    noise = _noise(pairs, ratios.relative[: len(codes)])
    net = ratios.relative[:, None, :] * level
    apart = max(len(pairs.years) / OVERLAP_YEARS, 1.0)
    believed = ratios.expected / len(pairs.years) + prior
    spread = np.sqrt(noise * net / (apart * believed[:, None, :]))
    columns = {"net_cohort_ratio": net, "common_spread_logit": common, "spread_ratio": spread}
    columns["noise_headcount"] = noise
    return _table(ages, ratios.codes, steps, columns)


def _pairs(years: Sequence[int], heads: Array) -> _Pairs:
    """Return every two tables five years apart; a métier not known in both counts in neither."""
    starts = [year for year in years if year + BAND_YEARS in years]
    before, after = (
        heads[:, [years.index(year + shift) for year in starts]].swapaxes(0, 1)
        for shift in (0, BAND_YEARS)
    )
    both = ~np.isnan(before + after).any(axis=2, keepdims=True)
    before, after = np.where(both, before, 0.0), np.where(both, after, 0.0)
    return _Pairs(starts, before[..., :-1], after[..., 1:])


def _project_level(pairs: _Pairs, ahead: Index, is_old: Mask) -> tuple[Array, Array]:
    """Return the level by step and band, and the standard deviation of its error in logits.

    An 80 % interval goes from no further trend to twice the trend, beside what pairs leave.
    """
    count, level = len(pairs.years), pairs.level
    logits = logit(np.clip(level, 1e-3, 1 - 1e-3))
    centred = np.array(pairs.years) - np.mean(pairs.years)
    slope = centred @ logits / max(float(centred @ centred), 1.0) * (count > 2)
    fitted = logits.mean(axis=0) + np.outer(centred, slope)
    further = np.array([np.sum(DAMPING ** np.arange(1, gap + 1)) for gap in ahead])
    trend = np.outer(further, slope)
    left = np.sqrt(np.square(logits - fitted).sum(axis=0) / max(count - 2, 1))
    projected = np.where(is_old, expit(fitted[-1] + trend), level.mean(axis=0))
    return projected, np.where(is_old, np.hypot(trend / NORMAL_80, left), 0.0)


def _shrunk_ratios(pairs: _Pairs, codes: list[str], prior_headcount: Array) -> _Ratios:
    """Return ratios to the level: a métier's shrunk to its family's, the family's to 1."""
    expected = (pairs.before * pairs.level[:, None, :]).sum(axis=0)
    counted = pairs.after.sum(axis=0)
    family = [code[:FAMILY_LENGTH] for code in codes]
    counted_of, expected_of = (
        pd.DataFrame(part).groupby(family).sum() for part in (counted, expected)
    )
    prior = prior_headcount * len(pairs.years)
    of_family = (counted_of + prior) / (expected_of + prior)
    of_metier = (counted + prior * of_family.loc[family].to_numpy()) / (expected + prior)
    alone = [str(name) for name in of_family.index if name not in codes]
    return _Ratios(
        [*codes, *alone, ALL_METIERS],
        np.vstack([of_metier, of_family.loc[alone], np.ones(len(prior))]),
        np.vstack([expected, expected_of.loc[alone], expected.sum(axis=0)]),
    )


def _noise(pairs: _Pairs, relative: Array) -> Array:
    """Return by band the variance of heads five years later, in expected heads."""
    fitted = pairs.before * pairs.level[:, None, :] * relative
    squares = np.square(pairs.after - fitted).sum(axis=(0, 1))
    return np.asarray(squares / np.maximum(fitted.sum(axis=(0, 1)), 1.0))


def _default_rates(ages: Ages, codes: list[str], steps: int, is_old: Mask) -> pd.DataFrame:
    """Return national survival for every métier, without any error known."""
    known = [NATIONAL_SURVIVAL.get(age, np.nan) for age in ages.first_ages[:-1]]
    columns = {"net_cohort_ratio": np.where(is_old, known, 1.0)}
    columns |= dict.fromkeys(
        ("common_spread_logit", "spread_ratio", "noise_headcount"), np.zeros(1)
    )
    return _table(ages, [*codes, ALL_METIERS], steps, columns)


def _table(ages: Ages, codes: list[str], steps: int, columns: Mapping[str, Array]) -> pd.DataFrame:
    """Return the long table; the last, open band keeps nobody for five years."""
    shape = (len(codes), steps, len(ages.bands) - 1)
    last = [(0, 0), (0, 0), (0, 1)]
    values = {
        name: np.pad(np.broadcast_to(part, shape), last).ravel() for name, part in columns.items()
    }
    keys = [codes, range(1, steps + 1), ages.first_ages]
    index = pd.MultiIndex.from_product(keys, names=["metier_code", "step", "first_age"])
    table = pd.DataFrame(values, index).reset_index()
    table.insert(3, "survival_ratio", table["net_cohort_ratio"].clip(upper=1.0))
    return table.drop_duplicates(index.names, ignore_index=True)
