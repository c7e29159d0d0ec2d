"""Skills that rise or fall beyond noise (S3); titles and bundles that nothing known explains."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, stats

from opmq_lib.errors import CoherenceError, Defect, RangeError, SchemaError
from opmq_lib.matching import match_labels

PRIOR: Final = 500.0
FALSE_DISCOVERY_RATE: Final = 0.05
LEAST_MENTIONS, LEAST_EMPLOYERS = 5, 3
LEAST_PERIODS: Final = 2
"""Successive significant changes asked for; all four: source: convention (methodology, S3)."""
FALSE_ALARM_RATE: Final = 0.05
"""Share of known things held out that may be called new; source: convention."""
LABELS_PER_HELD_OUT: Final = 10
"""Labels of a code for one that is held out to calibrate; source: convention."""
Z90: Final = float(stats.norm.ppf(0.95))

Array = NDArray[np.float64]


def log_odds(
    later: Array, later_total: float, earlier: Array, earlier_total: float, prior: float = PRIOR
) -> tuple[Array, Array]:
    """Return the change of log-odds of each skill, and its standard error.

    Args:
        later: Documents that mention each skill in the later period.
        later_total: All documents of that period.
        earlier: The same in the earlier period.
        earlier_total: All documents of that period.
        prior: Size of the Dirichlet prior, in documents.

    Returns:
        δ and its standard error; `nan` where no document of either period mentions the skill.

    Raises:
        RangeError: If a count is negative or above its total.

    Source:
        Monroe, Colaresi and Quinn (2008), Dirichlet prior in proportion to the pooled frequency.

    Examples:
        >>> delta, error = log_odds(np.array([48.]), 12_000, np.array([20.]), 15_000)
        >>> round(float(delta[0]), 6), round(float(error[0]), 6)
        (1.057992, 0.259498)
    """
    y1, y0 = np.asarray(later, dtype="float64"), np.asarray(earlier, dtype="float64")
    if (y1 < 0).any() or (y0 < 0).any() or (y1 > later_total).any() or (y0 > earlier_total).any():
        expected, fix = "between 0 and the period's documents", "correct mentions or totals"
        raise RangeError([Defect("mentions", "a count outside its range", expected, fix)])
    pooled = prior * (y1 + y0) / (later_total + earlier_total)
    with np.errstate(divide="ignore", invalid="ignore"):
        after = np.log((y1 + pooled) / (later_total + prior - y1 - pooled))
        before = np.log((y0 + pooled) / (earlier_total + prior - y0 - pooled))
        error = np.sqrt(1 / (y1 + pooled) + 1 / (y0 + pooled))
        change = after - before
    never = y1 + y0 == 0
    return np.where(never, np.nan, change), np.where(never, np.nan, error)


def adjusted(p_values: Array) -> Array:
    """Return Benjamini–Hochberg adjusted p-values; `nan` stay out of the family.

    Examples:
        >>> adjusted(np.array([0.0002, 0.009, 0.03, 0.04, 0.2])).round(6).tolist()
        [0.001, 0.0225, 0.05, 0.05, 0.2]
    """
    found = np.full(len(p_values), np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    size = len(order)
    scaled = p_values[order] * size / np.arange(1, size + 1)
    found[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return found


def discoveries(p_values: Array, rate: float = FALSE_DISCOVERY_RATE) -> NDArray[np.bool_]:
    """Return which hypotheses Benjamini–Hochberg rejects, `p ≤ rank · rate / m` inclusive.

    Examples:
        >>> discoveries(np.array([0.0002, 0.009, 0.03, 0.04, 0.2])).tolist()
        [True, True, True, True, False]
    """
    rejected: NDArray[np.bool_] = adjusted(p_values) <= rate * (1 + 1e-12)
    return rejected


def trends(mentions: pd.DataFrame) -> pd.DataFrame:
    """Return what rises and what falls between successive periods.

    Args:
        mentions: Table `skill_mentions`: `period_rank` (1, 2, …), `skill_code`, `mentions_count`
            (documents that mention it), `documents_count` (of the period), `employers_count`,
            `source_code`. A skill absent from a period was not mentioned.

    Returns:
        One row per skill and change: `skill_code`, `period_rank` (the later), `log_odds_change`,
        `lower`, `upper` (90 % interval), `z`, `p_value`, `adjusted_p_value`, `family_size`,
        `direction` (`emerging`, `disappearing`, `none`), `periods_significant` (successive, up to
        this one), `retained` (significant in two successive changes; `nd` while there is only
        one), `status` (`np`: never mentioned; `nd`: the source changed, or too few mentions).

    Raises:
        RangeError: If mentions exceed documents.
        CoherenceError: With every period that has several totals of documents.

    Source:
        Methodology, S3; both directions are tested one-sided, each in its own family.
    """
    told = mentions.groupby("period_rank")["documents_count"].nunique()
    if (told > 1).any():
        fix = "give every row of the period the same documents_count"
        raise CoherenceError(
            [
                Defect(f"documents_count, period {rank}", "several totals", "one per period", fix)
                for rank in told.index[told > 1]
            ]
        )
    totals = mentions.groupby("period_rank")["documents_count"].max()
    sources = {rank: set(rows) for rank, rows in mentions.groupby("period_rank")["source_code"]}
    skills = sorted(mentions["skill_code"].unique())
    counts = _wide(mentions, "mentions_count", skills)
    employers = _wide(mentions, "employers_count", skills)
    steps = list(pairwise(totals.index))
    streak = {"emerging": np.zeros(len(skills), int), "disappearing": np.zeros(len(skills), int)}
    parts = []
    for earlier, later in steps:
        part = _step(counts, totals, earlier, later)
        if sources[earlier] != sources[later]:
            part["status"] = "nd"
        supported = _supported(counts, employers, earlier, later)
        for direction in ("emerging", "disappearing"):
            significant = (part["direction"] == direction) & (part["status"] == "value")
            significant &= supported[direction]
            streak[direction] = np.where(significant, streak[direction] + 1, 0)
        part["periods_significant"] = np.maximum(streak["emerging"], streak["disappearing"])
        kept = np.where(part["periods_significant"] >= LEAST_PERIODS, "yes", "no")
        part["retained"] = "nd" if len(steps) < LEAST_PERIODS else kept
        parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _step(counts: pd.DataFrame, totals: pd.Series, earlier: int, later: int) -> pd.DataFrame:
    y1, y0 = counts[later].to_numpy(float), counts[earlier].to_numpy(float)
    change, error = log_odds(y1, float(totals[later]), y0, float(totals[earlier]))
    z = change / error
    tested = np.where(y1 + y0 >= LEAST_MENTIONS, z, np.nan)
    rising, falling = stats.norm.sf(tested), stats.norm.cdf(tested)
    up, down = discoveries(rising), discoveries(falling)
    direction = np.select([up, down], ["emerging", "disappearing"], "none")
    upward = np.nan_to_num(z) >= 0
    return pd.DataFrame(
        {
            "skill_code": counts.index,
            "period_rank": later,
            "log_odds_change": change,
            "lower": change - Z90 * error,
            "upper": change + Z90 * error,
            "z": z,
            "p_value": np.where(upward, rising, falling),
            "adjusted_p_value": np.where(upward, adjusted(rising), adjusted(falling)),
            "family_size": int((~np.isnan(tested)).sum()),
            "direction": direction,
            "status": np.select([y1 + y0 == 0, np.isnan(tested)], ["np", "nd"], "value"),
        }
    )


def _supported(
    counts: pd.DataFrame, employers: pd.DataFrame, earlier: int, later: int
) -> Mapping[str, NDArray[np.bool_]]:
    return {
        direction: ((counts[period] >= LEAST_MENTIONS) & (employers[period] >= LEAST_EMPLOYERS))
        .to_numpy()
        for direction, period in (("emerging", later), ("disappearing", earlier))
    }  # fmt: skip


def _wide(mentions: pd.DataFrame, column: str, skills: list[str]) -> pd.DataFrame:
    wide = mentions.pivot(index="skill_code", columns="period_rank", values=column)
    return wide.reindex(skills).fillna(0)


def unexplained_bundles(
    bundles: Mapping[str, Iterable[str]],
    profiles: Mapping[str, Iterable[str]],
    false_alarm_rate: float = FALSE_ALARM_RATE,
) -> pd.DataFrame:
    """Return which bundles of skills no known profile explains: candidates for a new occupation.

    Args:
        bundles: Skills of each thing looked at (a title, a cluster of offers).
        profiles: Skills of each known métier.
        false_alarm_rate: Share of held-out known métiers that the threshold would call new.

    Returns:
        `bundle`, `nearest_profile`, `distance` (1 − cosine, skills weighted by rarity),
        `threshold`, `unexplained`. A skill that no profile carries counts as lacking, as rare as
        one of a single profile; a bundle of such skills alone has no nearest profile, distance
        `nan`, and is not called new. A few skills say little: of the 120 embedded ROME, each hidden
        in turn, two thirds are called new from 8 of their skills, 94 % from 20, all from all.

    Source:
        The threshold is the quantile of the distances of known métiers held out: as many skills of
        each as the bundle has, drawn with a fixed seed, half of which its profile is made to forget
        (convention: what is observed names as many skills that a fiche lacks as that it has). The
        number of skills must be the same, for a few skills are far from any whole profile.

    Examples:
        >>> profiles = {"A": ["1", "2", "3", "4"], "B": ["5", "6", "7", "8"]}
        >>> unexplained_bundles({"x": ["1", "2"]}, profiles)["nearest_profile"].tolist()
        ['A']
    """
    names = sorted(profiles)
    known = [sorted(set(profiles[name])) for name in names]
    looked_at = [sorted(set(owned)) for owned in bundles.values()]
    skills = sorted({skill for owned in [*known, *looked_at] for skill in owned})
    ids = {skill: place for place, skill in enumerate(skills)}
    whole = _vectors(known, ids)
    carriers = np.asarray((whole > 0).sum(axis=0)).ravel()
    rarity = np.log((len(names) + 1) / (np.maximum(carriers, 1) + 0.5))
    likeness = _likeness(_vectors(looked_at, ids), whole, rarity)
    best = likeness.max(axis=1)
    is_known = best > 0
    distance = np.where(is_known, 1 - best, np.nan)
    sizes = [len(owned) for owned in looked_at]
    threshold_of = {
        size: float(np.quantile(_held_out(known, size, ids, rarity), 1 - false_alarm_rate))
        for size in set(sizes)
    }
    threshold = np.where(is_known, [threshold_of[size] for size in sizes], np.nan)
    nearest = zip(likeness.argmax(axis=1), is_known, strict=True)
    return pd.DataFrame(
        {
            "bundle": list(bundles),
            "nearest_profile": [names[place] if known else "" for place, known in nearest],
            "distance": distance,
            "threshold": threshold,
            "unexplained": distance > threshold,
        }
    )


def unexplained_titles(
    titles: Iterable[str], corpus: pd.DataFrame, false_alarm_rate: float = FALSE_ALARM_RATE
) -> pd.DataFrame:
    """Return which titles no known label explains: candidates for a new occupation.

    Args:
        titles: Free texts.
        corpus: `code`, `label`, one row per known label, several per code.
        false_alarm_rate: Share of held-out known labels that the threshold would call new.

    Returns:
        One row per title: `title`, `nearest_code`, `nearest_label`, `distance` (1 − the confidence
        that the title means that code, 1 where it shares nothing with any label), `threshold`,
        `unexplained`.

    Raises:
        SchemaError: If no code of the corpus has two labels, so that none can be held out.

    Source:
        The threshold is the quantile of the distances of known labels held out: with a fixed seed,
        one label in ten of each code that has two or more, and at least one, asked against the
        labels left.

    Examples:
        >>> corpus = pd.DataFrame({"code": ["A", "A", "B", "B"],
        ...     "label": ["Soudeur", "Soudeuse TIG", "Vendeur", "Vendeuse en magasin"]})
        >>> unexplained_titles(["soudeur tig", "xyzzy"], corpus)["nearest_code"].tolist()
        ['A', '']
    """
    labels = corpus[["code", "label"]].drop_duplicates(ignore_index=True)
    shuffled = labels.sample(frac=1, random_state=np.random.default_rng(0))
    size = shuffled.groupby("code")["label"].transform("size")
    hidden = (size // LABELS_PER_HELD_OUT).clip(lower=1).where(size > 1, 0)
    is_hidden = shuffled.groupby("code").cumcount() < hidden
    if not is_hidden.any():
        told = ("no code has two labels", "several labels per code", "add alternative labels")
        raise SchemaError([Defect("corpus", *told)])
    held_out = match_labels(shuffled.loc[is_hidden, "label"], shuffled[~is_hidden], top_k=1)
    threshold = float(np.quantile(1 - held_out["confidence"], 1 - false_alarm_rate))
    found = match_labels(titles, labels, top_k=1)
    distance = 1 - found["confidence"]
    return pd.DataFrame(
        {
            "title": found["query"],
            "nearest_code": found["code"],
            "nearest_label": found["label"],
            "distance": distance,
            "threshold": threshold,
            "unexplained": distance > threshold,
        }
    )


def _held_out(
    known: Sequence[Sequence[str]], size: int, ids: Mapping[str, int], rarity: Array
) -> Array:
    """Return how far some skills of each profile are from the nearest, half of them forgotten."""
    draw = np.random.default_rng(0)
    shuffled = [[str(skill) for skill in draw.permutation(owned)] for owned in known]
    asked = [owned[:size] for owned in shuffled]
    left = [owned[len(part) // 2 :] for owned, part in zip(shuffled, asked, strict=True)]
    vectors, whole, partial = (_vectors(each, ids) for each in (asked, known, left))
    likeness = _likeness(vectors, whole, rarity)
    np.fill_diagonal(likeness, _likeness(vectors, partial, rarity).diagonal())
    return np.asarray(1 - likeness.max(axis=1))


def _vectors(owned: Sequence[Sequence[str]], ids: Mapping[str, int]) -> sparse.csr_matrix:
    cells = [(row, ids[skill]) for row, each in enumerate(owned) for skill in each]
    rows, columns = zip(*cells, strict=True) if cells else ((), ())
    return sparse.csr_matrix((np.ones(len(cells)), (rows, columns)), shape=(len(owned), len(ids)))


def _likeness(asked: sparse.csr_matrix, known: sparse.csr_matrix, rarity: Array) -> Array:
    """Return the cosine of each row asked with each row known."""
    left, right = (matrix.multiply(rarity).tocsr() for matrix in (asked, known))
    lengths = [np.sqrt(np.asarray(m.multiply(m).sum(axis=1)).ravel()) for m in (left, right)]
    return np.asarray((left @ right.T).toarray() / np.maximum(np.outer(*lengths), 1e-12))
