"""Skills that rise or fall beyond noise between periods of mentions (S3).

Offers of one employer repeat one another: they are counted as one cluster. At five copies of every
offer, taking offers as independent raises a false alarm in every period; see `spread`.
"""

from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from opmq_lib import tables
from opmq_lib.errors import RangeError

PRIOR: Final = 500.0
"""Size of the Dirichlet prior, in documents."""
FALSE_DISCOVERY_RATE: Final = 0.05
LEAST_MENTIONS, LEAST_EMPLOYERS = 5, 3
LEAST_PERIODS: Final = 2
"""Successive significant changes asked for; all five: source: convention (methodology, S3)."""
Z90: Final = float(ndtri(0.95))

Array = NDArray[np.float64]


def log_odds(
    later: Array, later_total: float, earlier: Array, earlier_total: float
) -> tuple[Array, Array]:
    """Return the change of log-odds of each skill, and its standard error.

    Args:
        later: Documents that mention each skill in the later period.
        later_total: All documents of that period.
        earlier: The same in the earlier period.
        earlier_total: All documents of that period.

    Returns:
        δ and its standard error; `nan` where no document of either period mentions the skill.

    Source:
        Monroe, Colaresi and Quinn (2008), Dirichlet prior in proportion to the pooled frequency.

    Examples:
        >>> delta, error = log_odds(np.array([48.]), 12_000, np.array([20.]), 15_000)
        >>> round(float(delta[0]), 6), round(float(error[0]), 6)
        (1.057992, 0.259498)
    """
    both = np.where(later + earlier == 0, np.nan, later + earlier)
    pooled = PRIOR * both / (later_total + earlier_total)
    with np.errstate(divide="ignore", invalid="ignore"):  # a skill of every document
        after = np.log((later + pooled) / (later_total + PRIOR - later - pooled))
        before = np.log((earlier + pooled) / (earlier_total + PRIOR - earlier - pooled))
        change = after - before
    return change, np.sqrt(1 / (later + pooled) + 1 / (earlier + pooled))


def spread(mentions: Array, squares: Array) -> Array:
    """Return the variance over the mean of mentions, employers being clusters; 1 without repeats.

    Args:
        mentions: Offers that mention each skill, both periods together.
        squares: Sum over employers of their squared number of such offers.

    Examples:
        Six offers of six employers, and of two employers, five and one.

        >>> spread(np.array([6.0, 6.0]), np.array([6.0, 26.0])).round(2).tolist()
        [1.0, 4.33]
    """
    return np.divide(squares, mentions, out=np.ones_like(mentions), where=mentions > 0)


def adjusted(p_values: Array) -> Array:
    """Return Benjamini–Hochberg adjusted p-values; `nan` stay out of the family.

    Examples:
        >>> adjusted(np.array([0.0002, 0.009, 0.03, 0.04, 0.2])).round(6).tolist()
        [0.001, 0.0225, 0.05, 0.05, 0.2]
    """
    from scipy import stats  # a second to load, for those who compute

    found = p_values.copy()
    tested = ~np.isnan(p_values)
    found[tested] = stats.false_discovery_control(p_values[tested])
    return found


def discoveries(p_values: Array) -> NDArray[np.bool_]:
    """Return which hypotheses Benjamini–Hochberg rejects, `p ≤ rank · rate / m` inclusive.

    Examples:
        >>> discoveries(np.array([0.0002, 0.009, 0.03, 0.04, 0.2])).tolist()
        [True, True, True, True, False]
    """
    return np.asarray(adjusted(p_values) <= FALSE_DISCOVERY_RATE * (1 + 1e-12))


def trends(mentions: pd.DataFrame) -> pd.DataFrame:
    """Return what rises and what falls between successive periods.

    Args:
        mentions: Table `skill_mentions`: `period_rank` (1, 2, …), `skill_code`, `mentions_count`
            (documents that mention it), `documents_count` (of the period), `employers_count`,
            `mentions_squares_count` (from employers: see `spread`), `source_code`. A skill absent
            from a period was not mentioned.

    Returns:
        One row per skill and change: `skill_code`, `period_rank` (the later), `log_odds_change`,
        `lower`, `upper` (90 % interval), `z`, `p_value`, `adjusted_p_value`, `family_size`,
        `direction` (`emerging`, `disappearing`, `none`), `periods_significant` (successive, up to
        this one), `retained` (significant in two successive changes; `nd` while there is only
        one), `status` (`np`: never mentioned; `nd`: the source changed, or too few mentions),
        `origin` (`own` as soon as some mentions are).

    Raises:
        RangeError: If there is only one period.
        DataError: With every row that breaks the contract, such as mentions above documents.

    Source:
        Methodology, S3; both directions are tested one-sided, each in its own family.
    """
    tables.check("skill_mentions", mentions, "skill_mentions")
    by_period = mentions.groupby("period_rank")
    documents, sources = by_period["documents_count"].max(), by_period["source_code"].agg(set)
    changes = list(pairwise(documents.index))
    if not changes:
        what = ("only one period", "two periods or more", "add the mentions of another period")
        raise RangeError.of("skill_mentions, period_rank", *what)
    counts, employers, squares = (
        mentions.pivot(index="skill_code", columns="period_rank", values=column).fillna(0)
        for column in ("mentions_count", "employers_count", "mentions_squares_count")
    )
    is_supported = (counts >= LEAST_MENTIONS) & (employers >= LEAST_EMPLOYERS)
    streaks = {
        direction: np.zeros(len(counts), "int64") for direction in ("emerging", "disappearing")
    }
    parts = []
    for earlier, later in changes:
        part = _change(counts, squares, documents, earlier, later)
        if sources[earlier] != sources[later]:
            part["status"] = "nd"
        for direction, period in (("emerging", later), ("disappearing", earlier)):
            significant = (part["direction"] == direction) & (part["status"] == "value")
            significant &= is_supported[period].to_numpy()
            streaks[direction] = np.where(significant, streaks[direction] + 1, 0)
        part["periods_significant"] = np.maximum(*streaks.values())
        kept = np.where(part["periods_significant"] >= LEAST_PERIODS, "yes", "no")
        part["retained"] = "nd" if len(changes) < LEAST_PERIODS else kept
        parts.append(part)
    origin = "own" if (mentions["origin"] == "own").any() else "public"
    return pd.concat(parts, ignore_index=True).assign(origin=origin)


def _change(
    counts: pd.DataFrame, squares: pd.DataFrame, documents: pd.Series, earlier: int, later: int
) -> pd.DataFrame:
    """Return the change of every skill from a period to the next, tested in both directions."""
    y1, y0 = counts[later].to_numpy(float), counts[earlier].to_numpy(float)
    change, error = log_odds(y1, float(documents[later]), y0, float(documents[earlier]))
    both = squares[later].to_numpy(float) + squares[earlier].to_numpy(float)
    error = error * np.sqrt(spread(y1 + y0, both))
    z = change / error
    tested = np.where(y1 + y0 >= LEAST_MENTIONS, z, np.nan)
    rising, falling = ndtr(-tested), ndtr(tested)
    is_upward = np.nan_to_num(z) >= 0
    return pd.DataFrame(
        {
            "skill_code": counts.index,
            "period_rank": later,
            "log_odds_change": change,
            "lower": change - Z90 * error,
            "upper": change + Z90 * error,
            "z": z,
            "p_value": np.where(is_upward, rising, falling),
            "adjusted_p_value": np.where(is_upward, adjusted(rising), adjusted(falling)),
            "family_size": int((~np.isnan(tested)).sum()),
            "direction": np.select(
                [discoveries(rising), discoveries(falling)], ["emerging", "disappearing"], "none"
            ),
            "status": np.select([y1 + y0 == 0, np.isnan(tested)], ["np", "nd"], "value"),
        }
    )
