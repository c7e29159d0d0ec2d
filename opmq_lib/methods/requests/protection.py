"""What of the review may be published: no cell, and no difference of two, shows a company.

Counts of companies lie in a table branch × size × topic, split into unmet and covered. For each
branch and topic one of four levels is published: everything; companies under 50 only; all
companies together only; nothing. A level is kept when every count in it, and every count that a
reader obtains by subtraction, is 0 or at least `LEAST`. Totals over branches are published only if
what the branches leave hidden adds up to at least `LEAST` companies of at least two branches.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from opmq_lib.methods.requests.denominators import BANDS, GROUPS, UNDER_50

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
    """Return what may be published of each branch and topic.

    Args:
        cells: One row per `branch_code`, `topic_code` (`all` among them) and elementary
            `size_band` with `requesting` and `unmet` companies; absent rows count 0. No row of
            the total.

    Returns:
        One row per branch and topic, the total `ensemble` included: `under_50`, `all`, `50_plus`
        and `bands`, whether those cells may be published. `50_plus` goes with both others.

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
    published = _branch_levels(counts, whole)
    total = _total_levels(counts, published, whole)
    flags = {name: np.concatenate([published[name], total[name][None, :]]) for name in published}
    index = pd.MultiIndex.from_product(
        [[*branches, TOTAL], topics], names=["branch_code", "topic_code"]
    )
    return pd.DataFrame({name: values.ravel() for name, values in flags.items()}, index=index)


def may_total(by_branch: Iterable[npt.ArrayLike], published: npt.ArrayLike) -> bool:
    """Return whether a total over branches may stand beside what its branches tell.

    Args:
        by_branch: Counts of companies by branch that the total adds up, and those that a reader
            gets by subtraction from them.
        published: Whether each branch publishes its count.

    Examples:
        >>> may_total([[9, 2, 2]], [True, False, False])
        True
        >>> may_total([[9, 2, 2]], [True, True, False])
        False
    """
    return all(bool(_may(np.asarray(counts), np.asarray(published, bool))) for counts in by_branch)


def can_publish_split(whole: pd.DataFrame, *counts: pd.Series) -> pd.Series:
    """Return which cells may publish one more split of their companies: all of a branch, or none.

    Args:
        whole: Cells of all topics, groups and totals included.
        counts: The parts of the split, as many companies each.
    """
    elementary = whole["size_band"].isin([*BANDS])
    rest = whole["size_band"].isin([*GROUPS])
    fine = pd.Series(np.logical_and.reduce([safe(count) for count in counts]), whole.index)
    shown = whole["published"] & (elementary | rest)
    bad = set(whole.loc[shown & ~fine, "branch_code"])
    published = whole["published"] & ~whole["branch_code"].isin(bad)
    is_total = whole["branch_code"] == TOTAL
    for band in whole.loc[is_total & published, "size_band"]:
        branches = whole.index[(whole["size_band"] == band) & ~is_total]
        if not may_total([count[branches] for count in counts], published[branches]):
            published &= ~is_total
            break
    return published


def can_publish_requests(cells: pd.DataFrame, total: str, largest: str) -> pd.Series:
    """Return which cells may publish requests: no company makes nearly all of one, nor of a rest.

    A branch with one such cell publishes none, for the others would give it away by subtraction;
    nor does the total then, nor where what the branches leave hidden is mostly one company's.

    Args:
        cells: Cells of all topics, groups and total included, with `published`.
        total: Column of requests.
        largest: Column of the most requests of one company.
    """
    limit = LARGEST_SHARE
    fine = cells[largest] <= limit * cells[total] + 1e-9
    of_branch = cells["branch_code"] != TOTAL
    flags = (
        cells[of_branch]
        .pivot(index="branch_code", columns="size_band", values="published")
        .astype(bool)
    )
    both = set(flags.index[flags["all"] & flags["under_50"]])
    is_unknown = cells["size_band"].eq("unknown") & cells["branch_code"].isin(both)
    obtained = cells["published"] | is_unknown
    bad = set(cells.loc[obtained & ~fine, "branch_code"])
    if bad:
        return of_branch & ~cells["branch_code"].isin(bad)
    parts = cells[of_branch & cells["size_band"].isin([*BANDS])]
    shown = flags.loc[parts["branch_code"]].set_index(parts.index)
    small = parts["size_band"].isin(GROUPS["under_50"])
    hidden = [parts[~shown[band] & parts["size_band"].isin([*GROUPS[band]])] for band in GROUPS]
    hidden += [parts[~shown[band] & (parts["size_band"] == band)] for band in BANDS]
    hidden.append(parts[~shown["all"] & ~(shown["under_50"] & small)])
    alike = all(rest[largest].max() <= limit * rest[total].sum() + 1e-9
                for rest in hidden if rest[total].sum())  # fmt: skip
    return of_branch | alike


def _may(counts: npt.NDArray[np.int64], published: Flags) -> Flags:
    """Return whether totals over the first axis may be published beside their published parts."""
    hidden = np.where(published, 0, counts)
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


def _publishable(part: npt.NDArray[np.int64], whole: int) -> Flags:
    """Return where a topic may be published, alone and beside all topics, among which it lies.

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
    small, every, rest = (_publishable(part, whole) for part in _groups(counts))
    unknown, known = counts[..., 4], counts[..., 2:4].sum(axis=-1)
    apart = safe(unknown).all(axis=-1) & safe(known).all(axis=-1)
    full = small & every & rest & apart
    each = safe(counts).all(axis=(-1, -2)) & safe(counts.sum(axis=-2)).all(axis=-1)
    is_whole = np.arange(counts.shape[1]) == whole
    published = {
        "under_50": small,
        "all": full | (every & ~small),
        "50_plus": full,
        "bands": full & each & is_whole,
    }
    return {name: flags & flags[:, [whole]] for name, flags in published.items()}


def _total_levels(
    counts: npt.NDArray[np.int64], published: dict[str, Flags], whole: int
) -> dict[str, Flags]:
    groups = small, every, rest = _groups(counts)
    fits = [_publishable(part.sum(axis=0), whole) for part in groups]
    # what a reader has left of all once the parts under 50 that are published are taken off
    left = np.where((published["under_50"] & ~published["all"])[..., None], rest, every)

    def may(part: npt.NDArray[np.int64], name: str) -> Flags:
        return np.asarray(_may(part, published[name][..., None]).all(axis=-1))

    under = may(small, "under_50") & fits[0]
    over = may(rest, "50_plus") & fits[2]
    both = may(every, "all") & may(left, "all") & fits[1]
    full = under & over & both
    each = _may(counts, published["bands"][..., None, None]).all(axis=(-1, -2))
    each &= safe(counts.sum(axis=0)).all(axis=(-1, -2))
    total = {
        "under_50": under,
        "all": full | (both & ~under),
        "50_plus": full,
        "bands": full & each & (np.arange(counts.shape[1]) == whole),
    }
    return {name: flags & flags[[whole]] for name, flags in total.items()}
