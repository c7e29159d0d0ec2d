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

from opmq_lib.requests.denominators import BANDS, UNDER_50

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
    """
    counts = _counts(cells)
    told = _branch_levels(counts)
    totals = {
        topic: _total_level(counts.xs(topic, level="topic_code"), told.xs(topic, level="topic_code"))
        for topic in counts.index.unique("topic_code")
    }
    total = pd.DataFrame.from_dict(totals, orient="index")
    whole = counts.groupby(level="topic_code").sum()
    for name in ("under_50", "all"):
        total[name] &= _nested_safe(_group(whole, name), _group(whole.loc[[ALL_TOPICS]], name))
    total["50_plus"] &= total["under_50"] & total["all"]
    total["50_plus"] &= _nested_safe(_rest(whole), _rest(whole.loc[[ALL_TOPICS]]))
    total.loc[total["under_50"] & total["all"] & ~total["50_plus"], "all"] = False
    total["bands"] &= total["50_plus"]
    total.index = pd.MultiIndex.from_product([[TOTAL], total.index], names=told.index.names)
    return pd.concat([told, total[told.columns]])


def may_total(by_branch: Iterable[pd.Series], told: pd.Series) -> bool:
    """Return whether a total over branches may stand beside what its branches tell.

    Args:
        by_branch: Counts of companies by branch that the total adds up, and those that a reader
            gets by subtraction from them.
        told: Whether each branch tells its count.

    Examples:
        >>> counts = pd.Series({"a": 9, "b": 2, "c": 2})
        >>> may_total([counts], pd.Series({"a": True, "b": False, "c": False}))
        True
        >>> may_total([counts], pd.Series({"a": True, "b": True, "c": False}))
        False
    """
    return all(_is_hidden(counts[~told.reindex(counts.index)]) for counts in by_branch)


def _is_hidden(hidden: pd.Series) -> bool:
    total, branches = hidden.sum(), int((hidden > 0).sum())
    return bool(total == 0 or (total >= LEAST and branches >= 2))


def _counts(cells: pd.DataFrame) -> pd.DataFrame:
    """Return unmet and covered companies, one column per `(what, band)`, a row per branch, topic."""
    split = cells.assign(covered=cells["requesting"] - cells["unmet"])
    wide = split.pivot_table(
        index=["branch_code", "topic_code"],
        columns="size_band",
        values=["unmet", "covered"],
        aggfunc="sum",
    )
    columns = pd.MultiIndex.from_product([["unmet", "covered"], BANDS])
    full = pd.MultiIndex.from_product(
        [wide.index.unique("branch_code"), wide.index.unique("topic_code")],
        names=["branch_code", "topic_code"],
    )
    return wide.reindex(index=full, columns=columns).fillna(0).astype("int64")


def _group(counts: pd.DataFrame, name: str) -> pd.DataFrame:
    bands = UNDER_50 if name == "under_50" else BANDS
    return pd.DataFrame(
        {what: counts[[(what, band) for band in bands]].sum(axis=1) for what in ("unmet", "covered")}
    )


def _rest(counts: pd.DataFrame) -> pd.DataFrame:
    """Return companies that are not under 50, size unknown included: what subtraction gives."""
    return _group(counts, "all") - _group(counts, "under_50")


def _both_safe(counts: pd.DataFrame) -> pd.Series:
    return pd.Series(
        safe(counts["unmet"]) & safe(counts["covered"]) & safe(counts.sum(axis=1)), counts.index
    )


def _nested_safe(part: pd.DataFrame, whole: pd.DataFrame) -> pd.Series:
    """Return where a topic and all topics together may both be told: one lies in the other."""
    above = part.copy()
    if "branch_code" in part.index.names:
        branches = part.index.get_level_values("branch_code")
        above[:] = whole.droplevel("topic_code").reindex(branches).to_numpy()
    else:
        above[:] = whole.to_numpy()
    unmet = safe(above["unmet"] - part["unmet"])
    asked = safe(above.sum(axis=1) - part.sum(axis=1))
    is_whole = part.index.get_level_values("topic_code") == ALL_TOPICS
    return _both_safe(part) & ((unmet & asked) | is_whole)


def _branch_levels(counts: pd.DataFrame) -> pd.DataFrame:
    whole = counts.xs(ALL_TOPICS, level="topic_code", drop_level=False)
    small = _nested_safe(_group(counts, "under_50"), _group(whole, "under_50"))
    every = _nested_safe(_group(counts, "all"), _group(whole, "all"))
    rest = _nested_safe(_rest(counts), _rest(whole))
    unknown = counts[[("unmet", "unknown"), ("covered", "unknown")]]
    known = counts[[(what, band) for what in ("unmet", "covered") for band in BANDS[2:4]]]
    apart = safe(unknown).all(axis=1) & safe(known.T.groupby(level=0).sum().T).all(axis=1)
    full = small & every & rest & apart
    bands = full & safe(counts).all(axis=1)
    bands &= safe(counts["unmet"].to_numpy() + counts["covered"].to_numpy()).all(axis=1)
    told = pd.DataFrame(
        {"under_50": small, "all": full | (every & ~small), "50_plus": full, "bands": bands}
    )
    told["bands"] &= told.index.get_level_values("topic_code") == ALL_TOPICS
    return _topics_below_their_whole(told)


def _topics_below_their_whole(told: pd.DataFrame) -> pd.DataFrame:
    """Return levels in which no topic tells more than all topics of its branch together do."""
    whole = told.xs(ALL_TOPICS, level="topic_code")
    branches = told.index.get_level_values("branch_code")
    allowed = whole.reindex(branches).to_numpy()
    kept = told & allowed
    kept.loc[told.index.get_level_values("topic_code") == ALL_TOPICS] = whole.to_numpy()
    return kept


def _total_level(counts: pd.DataFrame, told: pd.DataFrame) -> dict[str, bool]:
    small, every, rest = _group(counts, "under_50"), _group(counts, "all"), _rest(counts)
    only_small = told["under_50"] & ~told["all"]
    mixed = every.where(~only_small, rest)  # what is left of all once told parts are taken off
    may_small = _may(small, told["under_50"])
    may_every = _may(every, told["all"]) and _may(mixed, told["all"])
    may_rest = _may(rest, told["50_plus"])
    return {
        "under_50": may_small,
        "all": may_every and (may_rest or not may_small),
        "50_plus": may_small and may_every and may_rest,
        "bands": all(
            _may(counts.xs(band, axis=1, level=1), told["bands"]) for band in BANDS
        ),
    }


def _may(counts: pd.DataFrame, told: pd.Series) -> bool:
    whole = counts.sum()
    return may_total([counts["unmet"], counts["covered"]], told) and bool(
        safe([whole["unmet"], whole["covered"]]).all()
    )
