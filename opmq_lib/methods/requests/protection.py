"""What of the review may be told: no published cell, and no difference of two, shows a company.

Counts of companies lie in a table branch × size × topic, split into unmet and covered. For each
branch and topic one of four levels is told: everything; companies under 50 only; all companies
together only; nothing. A level is kept when every count in it, and every count that a reader
obtains by subtraction, is 0 or at least `LEAST`. Totals over branches are told only if what the
branches leave hidden adds up to at least `LEAST` companies of at least two branches.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from opmq_lib.methods.requests.denominators import BANDS, UNDER_50

LEAST: Final = 3
"""Companies behind a published number (rules K1 and U4)."""
LARGEST_SHARE: Final = 0.85
"""Share of the requests of a cell that one company may make (rule K1)."""
TOTAL: Final = "ensemble"
ALL_TOPICS: Final = "all"

Flags = npt.NDArray[np.bool_]


def safe(counts: npt.ArrayLike) -> Flags:
    """Return which counts reveal nobody: none, or at least `LEAST`.

    Examples:
        >>> safe([0, 1, 2, 3]).tolist()
        [True, False, False, True]
    """
    values = np.asarray(counts)
    return np.asarray((values == 0) | (values >= LEAST))


def levels(cells: pd.DataFrame) -> pd.DataFrame:
    """Return what may be told of each branch and topic.

    Args:
        cells: One row per `branch_code`, `topic_code` (`all` among them) and elementary
            `size_band` with `requesting` and `unmet` companies; absent rows count 0. No row of
            the total.

    Returns:
        One row per branch and topic, the total `ensemble` included: `under_50`, `all`, `50_plus`
        and `bands`, whether those cells may be told. `50_plus` goes with both others.

    Examples:
        >>> cells = pd.DataFrame({"branch_code": "verre", "topic_code": "all",
        ...     "size_band": ["1_9", "10_49", "50_249"], "requesting": [4, 9, 7],
        ...     "unmet": [1, 3, 2]})
        >>> levels(cells).loc[("verre", "all")].to_dict()
        {'under_50': True, 'all': False, '50_plus': False, 'bands': False}
    """
    branches = sorted(set(cells["branch_code"]))
    topics = sorted(set(cells["topic_code"]))
    counts = _counts(cells, branches, topics)
    whole = topics.index(ALL_TOPICS)
    told = _branch_levels(counts, whole)
    total = _total_levels(counts, told, whole)
    flags = {name: np.concatenate([told[name], total[name][None, :]]) for name in told}
    index = pd.MultiIndex.from_product(
        [[*branches, TOTAL], topics], names=["branch_code", "topic_code"]
    )
    return pd.DataFrame({name: values.ravel() for name, values in flags.items()}, index=index)


def may_total(by_branch: Iterable[npt.ArrayLike], told: npt.ArrayLike) -> bool:
    """Return whether a total over branches may stand beside what its branches tell.

    Args:
        by_branch: Counts of companies by branch that the total adds up, and those that a reader
            gets by subtraction from them.
        told: Whether each branch tells its count.

    Examples:
        >>> may_total([[9, 2, 2]], [True, False, False])
        True
        >>> may_total([[9, 2, 2]], [True, True, False])
        False
    """
    return all(bool(_may(np.asarray(counts), np.asarray(told, bool))) for counts in by_branch)


def _may(counts: npt.NDArray[np.int64], told: Flags) -> Flags:
    """Return whether totals over the first axis may be told beside their told parts."""
    hidden = np.where(told, 0, counts)
    total, branches = hidden.sum(axis=0), (hidden > 0).sum(axis=0)
    return np.asarray((total == 0) | ((total >= LEAST) & (branches >= min(LEAST, 2))))


def _counts(cells: pd.DataFrame, branches: list[str], topics: list[str]) -> npt.NDArray[np.int64]:
    """Return unmet and covered companies: axes branch, topic, (unmet, covered), band."""
    counts = np.zeros((len(branches), len(topics), 2, len(BANDS)), dtype=np.int64)
    at = (
        pd.Index(branches).get_indexer(pd.Index(cells["branch_code"])),
        pd.Index(topics).get_indexer(pd.Index(cells["topic_code"])),
        pd.Index(BANDS).get_indexer(pd.Index(cells["size_band"])),
    )
    counts[at[0], at[1], 0, at[2]] = cells["unmet"]
    counts[at[0], at[1], 1, at[2]] = cells["requesting"] - cells["unmet"]
    return counts


def _groups(counts: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], ...]:
    """Return companies under 50, all, and the rest: what subtraction gives, unknown included."""
    small = counts[..., : len(UNDER_50)].sum(axis=-1)
    every = counts.sum(axis=-1)
    return small, every, every - small


def _tellable(part: npt.NDArray[np.int64], whole: int) -> Flags:
    """Return where a topic may be told, alone and beside all topics together: it lies in them.

    Args:
        part: Axes …, topic, (unmet, covered).
        whole: Place of all topics together.
    """
    above = part[..., [whole], :]
    alone = safe(part).all(axis=-1) & safe(part.sum(axis=-1))
    unmet = safe(above[..., 0] - part[..., 0])
    asked = safe(above.sum(axis=-1) - part.sum(axis=-1))
    return np.asarray(alone & unmet & asked)


def _branch_levels(counts: npt.NDArray[np.int64], whole: int) -> dict[str, Flags]:
    small, every, rest = (_tellable(part, whole) for part in _groups(counts))
    unknown, known = counts[..., 4], counts[..., 2:4].sum(axis=-1)
    apart = safe(unknown).all(axis=-1) & safe(known).all(axis=-1)
    full = small & every & rest & apart
    each = safe(counts).all(axis=(-1, -2)) & safe(counts.sum(axis=-2)).all(axis=-1)
    is_whole = np.arange(counts.shape[1]) == whole
    told = {
        "under_50": small,
        "all": full | (every & ~small),
        "50_plus": full,
        "bands": full & each & is_whole,
    }
    return {name: flags & flags[:, [whole]] for name, flags in told.items()}


def _total_levels(
    counts: npt.NDArray[np.int64], told: dict[str, Flags], whole: int
) -> dict[str, Flags]:
    groups = small, every, rest = _groups(counts)
    fits = [_tellable(part.sum(axis=0), whole) for part in groups]
    # what a reader has left of all once the parts under 50 that are told are taken off
    left = np.where((told["under_50"] & ~told["all"])[..., None], rest, every)

    def may(part: npt.NDArray[np.int64], name: str) -> Flags:
        return np.asarray(_may(part, told[name][..., None]).all(axis=-1))

    under = may(small, "under_50") & fits[0]
    over = may(rest, "50_plus") & fits[2]
    both = may(every, "all") & may(left, "all") & fits[1]
    full = under & over & both
    each = _may(counts, told["bands"][..., None, None]).all(axis=(-1, -2))
    each &= safe(counts.sum(axis=0)).all(axis=(-1, -2))
    total = {
        "under_50": under,
        "all": full | (both & ~under),
        "50_plus": full,
        "bands": full & each & (np.arange(counts.shape[1]) == whole),
    }
    return {name: flags & flags[[whole]] for name, flags in total.items()}
