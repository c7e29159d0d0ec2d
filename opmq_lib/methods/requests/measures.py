"""The review of requests: every measure with its interval, what it rests on and its state.

Only what `protection` allows has a value; the rest is `s`, and everything computed from it too.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from opmq_lib.methods.requests import (
    counting,
    denominators,
    differences,
    protection,
    shrinkage,
    topics,
)
from opmq_lib.methods.requests.counting import KINDS, REASONS, TOTAL
from opmq_lib.methods.requests.denominators import GROUPS
from opmq_lib.methods.requests.intervals import (
    DISPERSED_FROM,
    LEVEL,
    Numbers,
    dispersion,
    garwood,
    wilson,
)
from opmq_lib.methods.requests.protection import Reviewed, Split, reviewed
from opmq_lib.methods.requests.table import (
    ALL_TOPICS,
    KEY,
    OTHERS,
    TABLE,
    filled,
    levels_by_place,
    rows,
    share_rows,
    whole,
)
from opmq_lib.tables import check

LEAST_ANSWERS: Final = 10
"""Answered companies below which no median delay is given (convention)."""


def review(
    register: pd.DataFrame, firms: pd.DataFrame, branch_codes: Sequence[str], last_day: date
) -> pd.DataFrame:
    """Return the review of the twelve months that end on a day, for every branch and all together.

    Args:
        register: Table `requests`, checked.
        firms: From `denominators.firms`.
        branch_codes: Branches that the review covers, those without request included.
        last_day: Last day of the period.

    Returns:
        Table `request_review`: one row per branch (`ensemble` for all), size band, topic, reason
        and indicator. Shares in whole %, rates per 1,000 firms, delays in days, differences in
        whole points, requests to the nearest ten; ends of intervals are rounded outwards.

    Raises:
        CoherenceError: If more companies ask than a branch has.

    Source:
        Specification, U1 to U4 and Protection.
    """
    asked = counting.companies(register).value_counts().reset_index(name="companies_count")
    denominators.refuse_too_few(asked, firms)
    names = sorted(set(register["topic_code"]))
    places = counting.grid([*branch_codes])
    now, before = (
        reviewed(counting.period(register, last_day, years), names, places) for years in (0, 1)
    )
    cells = _cells(now)
    parts = [
        _companies(cells), _requests(cells), *_shares(now, cells), _shrunk(cells),
        *_reach(now, before, firms), *topics.topics(now), _delays(now), *differences.gaps(now),
        *differences.changes(now, before), *differences.rises(now, before),
    ]  # fmt: skip
    origin = register["origin"].iloc[0] if len(register) else "public"
    return check(TABLE, filled(pd.concat(parts, ignore_index=True), last_day, str(origin)), TABLE)


def _cells(of: Reviewed) -> pd.DataFrame:
    """Return U1 of every place and topic, `OTHERS` and all topics included."""
    unmet = of.counts.unmet.sum(axis=(2, 3))
    asked, missed = (topics.by_place(each, of) for each in (of.counts.asked, unmet))
    is_shown, others = (
        np.asarray(flags)[:, None] for flags in (of.published, of.topic.merged.any(axis=1))
    )
    published = np.concatenate([of.topic.apart, others, is_shown], axis=1)
    names = [*of.topics, OTHERS, ALL_TOPICS]
    return levels_by_place(of, asked, missed, published, topic_code=names)


def _all_topics(cells: pd.DataFrame) -> pd.DataFrame:
    kept: pd.DataFrame = cells.loc[cells["topic_code"] == ALL_TOPICS]
    return kept


def _companies(cells: pd.DataFrame) -> pd.DataFrame:
    shown = cells[
        (cells["topic_code"] == ALL_TOPICS) | (cells["published"] & cells["requests"].gt(0))
    ]
    return rows(shown, "requesting_companies_count", "companies", value=shown["companies"])


def _requests(cells: pd.DataFrame) -> pd.DataFrame:
    """Return requests to the nearest ten, and requests per company from that number."""
    shown = _all_topics(cells)
    asked = protection.to_ten(shown["requests"])
    few = (asked > 0) & (asked < protection.STEP)
    counted = rows(
        shown.assign(variant=np.where(few, "under_10", "")), "requests_count", "requests",
        value=np.where(few, protection.STEP, asked),
    )  # fmt: skip
    per_company = rows(
        shown.assign(published=shown["published"] & ~few), "requests_per_company_ratio",
        "requests_per_company", value=np.round(asked / shown["companies"].replace(0, np.nan), 1),
    )  # fmt: skip
    return pd.concat([counted, per_company])


def _shares(of: Reviewed, cells: pd.DataFrame) -> list[pd.DataFrame]:
    """Return U1: of all requests, by topic, by kind and by reason; the companies' mean beside."""
    is_topic = cells["size_band"].isin(protection.SPLIT) & (cells["requests"] > 0)
    shown = cells[(cells["topic_code"] == ALL_TOPICS) | is_topic]
    every = _all_topics(cells)
    mean = every.assign(lower=np.nan, upper=np.nan)
    flags = of.published.unstack("size_band")
    both = mean["branch_code"].map(flags["under_50"] & flags["50_plus"])
    mean = mean.assign(variant="by_company", value=mean["company_mean"],
                       published=mean["published"] & both)  # fmt: skip
    reasons, kinds = (of.counts.unmet.sum(axis=axes) for axes in ((1, 2), (1, 3)))
    return [
        share_rows(shown, "unmet_share_pct", denominator_count=shown["companies"]),
        share_rows(mean, "unmet_share_pct", denominator_count=mean["companies"]),
        share_rows(_by_part(of, reasons, of.reason, "reason", REASONS), "unmet_share_pct"),
        share_rows(_by_part(of, kinds, of.kind, "variant", KINDS), "unmet_share_pct"),
    ]


def _by_part(
    of: Reviewed, parts: Numbers, split: Split, column: str, names: Sequence[str]
) -> pd.DataFrame:
    """Return U1 of the requests not covered for one reason, or of one kind; merged: `other`."""
    sink = names.index("other") if "other" in names else 0
    unmet = parts[of.row] * split.apart[of.place]
    unmet[:, sink] += (parts[of.row] * split.merged[of.place]).sum(axis=1)
    asked = np.repeat(of.counts.asked[of.row].sum(axis=1)[:, None], len(names), axis=1)
    published = split.apart.copy()
    published[:, sink] |= split.merged.any(axis=1)
    table = levels_by_place(of, asked, unmet, published, **{column: names})
    kept: pd.DataFrame = table.loc[table["size_band"].isin(protection.SPLIT) & table["published"]]
    return kept


def _shrunk(cells: pd.DataFrame) -> pd.DataFrame:
    """Return shares drawn towards the other branches', topic by topic.

    The common distribution is fitted on all branches, those too small to be published included:
    leaving them out would bend it.
    """
    parts = [cells.iloc[:0][KEY]]
    kept = cells[(cells["branch_code"] != TOTAL) & cells["size_band"].isin(protection.SPLIT)]
    kept = kept[(kept["requests"] > 0) & (kept["topic_code"] != OTHERS)]
    for _, each in kept.groupby(["topic_code", "size_band"]):
        if len(each) < shrinkage.LEAST_BRANCHES or not each["published"].any():
            continue
        rho = shrinkage.correlation(each)
        effective = each["requests"] / (1 + rho * (each["mean_size"] - 1))
        found = shrinkage.shrink(each["value"] * effective, effective)
        ends = whole(100 * found.value, 100 * found.lower, 100 * found.upper)
        parts.append(rows(each, "unmet_share_shrunk_pct", "pct", **ends))
    return pd.concat(parts)


def _reach(now: Reviewed, before: Reviewed, firms: pd.DataFrame) -> list[pd.DataFrame]:
    """Return U2: the share of firms that ask, also the year before, and requests per 1,000."""
    places = now.published.index
    m = firms.set_index(list(places.names))["firms_count"].reindex(places).to_numpy(float)
    known = np.where(np.isnan(m), "nd", np.where(m > 0, "value", "np"))
    field = np.where(m > 0, m, np.nan)
    parts = []
    for of, variant in ((now, ""), (before, "year_before")):
        k = np.bincount(of.place, minlength=len(places)).astype(float)
        share = 100 * np.stack([k / field, *wilson(np.minimum(k, m), field)])
        ends = dict(zip(("value", "lower", "upper"), np.minimum(share, 100), strict=True))
        status = known if len(of.place) else np.full(len(places), "nd")
        frame = _places(of).assign(variant=variant)
        counts = {"numerator_count": k, "denominator_count": np.round(m)}
        parts.append(rows(frame, "requesting_share_pct", "pct", status=status, **counts, **ends))
    asked = now.counts.asked[now.row].sum(axis=1)
    requests, squares = (np.bincount(now.place, each, len(places)) for each in (asked, asked**2))
    phi = dispersion(requests, squares, field)
    rounded = protection.to_ten(requests)
    rate = np.stack([rounded, *garwood(rounded, np.where(phi > DISPERSED_FROM, phi, 1.0))])
    frame = _places(now)
    few = (requests > 0) & (requests < protection.STEP)
    rates = rows(
        frame.assign(published=frame["published"] & ~few), "requests_per_1000_firms",
        "per_1000_firms", status=known, denominator_count=np.round(m),
        **whole(*(1000 * rate / field)),
    )  # fmt: skip
    return [*parts, rates]


def _places(of: Reviewed) -> pd.DataFrame:
    return of.published.rename("published").reset_index().assign(topic_code=ALL_TOPICS)


def _delays(of: Reviewed) -> pd.DataFrame:
    """Return the median over companies of each one's median delay, its interval free of any law."""
    from scipy import stats  # a second to load, for those who compute

    days = of.counts.companies["answer_delay_days"].to_numpy(float)[of.row]
    ends = np.full((len(of.published), 3), np.nan)
    for at in range(len(ends)):
        given = days[of.place == at]
        ordered = np.sort(given[~np.isnan(given)])
        if len(ordered) >= LEAST_ANSWERS:
            low = max(int(stats.binom.ppf((1 - LEVEL) / 2, len(ordered), 0.5)) - 1, 0)
            ends[at] = np.median(ordered), ordered[low], ordered[len(ordered) - 1 - low]
    frame = _places(of)
    shown = frame["size_band"].isin([*GROUPS]).to_numpy()
    value, lower, upper = ends[shown].T
    return rows(
        frame[shown], "answer_delay_median_days", "days", value=value, lower=lower, upper=upper,
        status=np.where(np.isnan(value), "nd", "value"),
    )  # fmt: skip
