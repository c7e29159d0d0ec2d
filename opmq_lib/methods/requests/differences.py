"""What separates sizes (U3) and years (U3b), and topics that rise (U4), branch by branch."""

from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from opmq_lib.methods.requests.comparison import (
    LARGEST_P,
    Difference,
    Evidence,
    Flags,
    difference,
    evidence,
    retained,
    together,
)
from opmq_lib.methods.requests.counting import REASONS, TOTAL
from opmq_lib.methods.requests.denominators import GROUPS
from opmq_lib.methods.requests.intervals import Numbers
from opmq_lib.methods.requests.protection import LEAST, SPLIT, Reviewed
from opmq_lib.methods.requests.table import ALL_TOPICS, rows, whole

MOST_UNKNOWN_SIZE: Final = 0.05
"""Share of companies without size beyond which sizes are not compared (convention of U3)."""
SURE_P: Final = 0.01
"""Size of the test of a topic that may rise (convention of U4)."""
SIDES: Final = ("under_50", "50_plus")
FOCUS: Final = "under_50"


class Sides(NamedTuple):
    """Requests asked, and not covered by reason, of the companies of one branch, on two sides.

    Attributes:
        asked: Axes company, side, topic.
        unmet: Axes company, side, topic, reason.
    """

    asked: Numbers
    unmet: Numbers


def gaps(of: Reviewed) -> list[pd.DataFrame]:
    """Return U3: companies under 50 against those from 50, of each branch and of all together."""
    sides = {code: _sizes(of, code) for code in _branches(of)}
    codes = [*sides, TOTAL]
    frame = _frame(of, codes, *SIDES)
    status = np.array([_state(of, code) for code in codes])
    parts = []
    for variant in ("by_request", "by_company"):
        given = _evidence(sides, by_company=variant == "by_company")
        found = _differences(given)
        p_value = np.where(status == "value", found.p_value, np.nan)
        kept = _kept(p_value)
        parts.append(_rows(frame.assign(variant=variant), "gap_points", found, kept, status))
    inside, every = (np.array([each.sum(axis=0) for each in column]) for column in
                     zip(*((one.asked, one.whole) for one in given), strict=True))  # fmt: skip
    common = 100 * inside / np.where(every > 0, every, np.nan)
    for side, name in enumerate(SIDES):
        parts.append(rows(frame.assign(size_band=name), "requests_in_strata_share_pct", "pct",
                          **whole(common[:, side])))  # fmt: skip
    compared, held = int((~np.isnan(p_value[:-1])).sum()), int((kept[:-1] == "yes").sum())
    total = _frame(of, [TOTAL]).assign(published=True)
    parts += [rows(total, name, "branches", value=[value]) for name, value in
              (("compared_branches_count", compared), ("retained_gaps_count", held))]  # fmt: skip
    known = (status == "value") & ~np.isnan(found.value)
    return [*parts, *_by_reason(of, sides, frame, known)]


def changes(now: Reviewed, before: Reviewed) -> list[pd.DataFrame]:
    """Return U3b: this year's share against last year's, at equal topic."""
    parts = []
    codes = [*_branches(now), TOTAL]
    for band in SPLIT:
        sides = {code: years(now, before, code, band) for code in codes[:-1]}
        found = _differences(_evidence(sides, by_company=False))
        there = _frame(now, codes, band)["published"] & _frame(before, codes, band)["published"]
        frame = _frame(now, codes).assign(size_band=band, published=there)
        asked = np.array([each.asked.sum(axis=(0, 2)) for each in sides.values()])
        empty = np.append((asked == 0).any(axis=1), (asked.sum(axis=0) == 0).any())
        status, kept = np.where(empty, "np", "value"), _kept(found.p_value)
        parts.append(_rows(frame, "unmet_share_change_points", found, kept, status))
    return parts


def rises(now: Reviewed, before: Reviewed) -> list[pd.DataFrame]:
    """Return the topics of companies under 50 that take a larger share of requests than last year.

    `retained` says `yes` (beyond chance over topics and branches), `signal` (worth looking at) or
    `no`; `signals_by_chance_count` is how many signals chance alone gives at most.
    """
    cases, keys = [], []
    for code in _branches(now):
        sides = years(now, before, code, FOCUS)
        asked = sides.asked.sum(axis=2, keepdims=True)
        missed = sides.unmet.sum(axis=3)
        for at, topic in enumerate(now.topics):
            if (missed[:, 0, at] > 0).sum() >= LEAST:
                cases.append(difference(evidence(asked, missed[:, :, [at]], by_company=False)))
                row = now.published.index.get_loc((code, FOCUS))
                keys.append((code, topic, now.topic.apart[row, at] & before.topic.apart[row, at]))
    frame = pd.DataFrame(keys, columns=["branch_code", "topic_code", "published"])
    frame = frame.assign(size_band=FOCUS)
    found = Difference(*np.array(cases, float).reshape(-1, 4).T)
    tests = int((~np.isnan(found.p_value)).sum())
    up = found.value > 0
    kept = np.select([up & retained(found.p_value), up & (found.p_value <= SURE_P)],
                     ["yes", "signal"], "no")  # fmt: skip
    total = _frame(now, [TOTAL]).assign(published=True, size_band=FOCUS)
    return [
        _rows(frame, "topic_rise_points", found, kept, np.full(len(frame), "value")),
        rows(total, "signals_by_chance_count", "signals", value=[tests * SURE_P / 2]),
    ]


def years(now: Reviewed, before: Reviewed, code: str, band: str) -> Sides:
    """Return the requests of a branch's companies in two periods; a company may be in both."""
    periods = []
    for of in (now, before):
        table = of.counts.companies
        own = (table["branch_code"] == code) & table["size_band"].isin(GROUPS[band])
        periods.append((of, own.to_numpy(), table.index[own]))
    every = periods[0][2].union(periods[1][2])
    shape = (len(every), 2, len(now.topics))
    asked, unmet = np.zeros(shape), np.zeros((*shape, len(REASONS)))
    for side, (of, rows_there, names) in enumerate(periods):
        at = every.get_indexer(names)
        asked[at, side] = of.counts.asked[rows_there]
        unmet[at, side] = of.counts.unmet[rows_there].sum(axis=2)
    return Sides(asked, unmet)


def _sizes(of: Reviewed, code: str) -> Sides:
    """Return the requests of a branch's companies, each on the side of its size."""
    own = (of.counts.companies["branch_code"] == code).to_numpy()
    bands = of.counts.companies["size_band"][own]
    side = np.stack([bands.isin(GROUPS[name]) for name in SIDES], axis=1).astype(float)
    unmet = of.counts.unmet[own].sum(axis=2)
    return Sides(
        of.counts.asked[own][:, None] * side[..., None], unmet[:, None] * side[..., None, None]
    )


def _evidence(
    sides: dict[str, Sides], *, by_company: bool, reason: int | None = None
) -> list[Evidence]:
    """Return what companies of each branch say, and of all together at the end."""
    parts = [
        evidence(
            each.asked,
            each.unmet.sum(axis=3) if reason is None else each.unmet[..., reason],
            by_company=by_company,
        )
        for each in sides.values()
    ]
    return [*parts, together(parts)]


def _differences(given: list[Evidence]) -> Difference:
    return Difference(*np.array([difference(each) for each in given], float).T)


def _kept(p_values: Numbers) -> Numbers:
    """Return `yes` or `no` for each branch among all, and for all together by itself."""
    return np.where([*retained(p_values[:-1]), p_values[-1] <= LARGEST_P], "yes", "no")


def _by_reason(
    of: Reviewed, sides: dict[str, Sides], frame: pd.DataFrame, known: Flags
) -> list[pd.DataFrame]:
    """Return the part of each reason in the difference per company: they add up to it."""
    parts = np.full((len(frame), len(REASONS)), np.nan)
    for at in range(len(REASONS)):
        for row, each in enumerate(_evidence(sides, by_company=True, reason=at)):
            if known[row]:
                parts[row, at] = each.alpha.sum() / each.beta.sum()
    places = [
        of.published.index.get_indexer(pd.MultiIndex.from_product([frame["branch_code"], [band]]))
        for band in SPLIT
    ]
    apart = np.logical_and.reduce([of.reason.apart[place] for place in places])
    others = REASONS.index("other")
    merged = (~apart).any(axis=1)
    parts[:, others] += (parts * ~apart * (np.arange(len(REASONS)) != others)).sum(axis=1)
    apart[:, others] |= merged
    found = []
    for at, reason in enumerate(REASONS):
        shown, named = apart[:, at], frame.assign(reason=reason, variant="by_company")
        status = np.where(known, "value", "nd")[shown]
        ends = whole(100 * parts[shown, at])
        found.append(rows(named[shown], "gap_points", "points", status=status, **ends))
    return found


def _state(of: Reviewed, code: str) -> str:
    """Return `np` where a size asks nothing, `nd` where too many sizes are unknown."""
    bands = of.counts.companies["size_band"]
    if code != TOTAL:
        bands = bands[of.counts.companies["branch_code"] == code]
    if not all(bands.isin(GROUPS[name]).any() for name in SIDES):
        return "np"
    return "nd" if (bands == "unknown").mean() > MOST_UNKNOWN_SIZE else "value"


def _branches(of: Reviewed) -> list[str]:
    return [code for code in of.published.index.unique("branch_code") if code != TOTAL]


def _frame(of: Reviewed, codes: list[str], *bands: str) -> pd.DataFrame:
    """Return a row per branch, published where all of some bands are."""
    published = [all(of.published[(code, band)] for band in bands) for code in codes]
    return pd.DataFrame({"branch_code": codes, "size_band": "all", "topic_code": ALL_TOPICS,
                         "published": published})  # fmt: skip


def _rows(
    frame: pd.DataFrame, indicator: str, found: Difference, kept: Any, status: Any
) -> pd.DataFrame:
    """Return differences in whole points; those that the data cannot say are `nd`."""
    ends = whole(100 * found.value, 100 * found.lower, 100 * found.upper)
    state = np.where((status == "value") & np.isnan(found.value), "nd", status)
    return rows(frame, indicator, "points", status=state, retained=kept, **ends)
