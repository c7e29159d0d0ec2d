"""The review of requests: every measure with its interval, its denominator and its state.

Only what `protection` allows has a value; the rest is `s`, and everything computed from it too.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from opmq_lib.methods.requests import comparison, counting, denominators, protection, shrinkage
from opmq_lib.methods.requests.counting import KEY, Counts
from opmq_lib.methods.requests.denominators import BANDS, GROUPS
from opmq_lib.methods.requests.intervals import DISPERSED_FROM, LEVEL, dispersion, garwood, wilson
from opmq_lib.methods.requests.protection import ALL_TOPICS, TOTAL, safe
from opmq_lib.tables import DESCRIPTIONS, check

TABLE: Final = "request_review"
OTHERS: Final = "autres_regroupes"
"""Topics of a branch that too few companies asked about, taken together."""
COLUMNS: Final = tuple(DESCRIPTIONS[TABLE])
MOST_UNKNOWN_SIZE: Final = 0.05
"""Share of companies without size beyond which small and large are not compared (U3)."""
LEAST_ANSWERS: Final = 10
"""Answered companies below which no median delay is given (convention)."""
GAPS: Final = (
    ("gap_unmet_share_points", "points", ""),
    ("gap_stratified_points", "points", ""),
    ("gap_p_value", "p_value", "boschloo"),
    ("gap_p_value", "p_value", "fisher"),
)
"""Indicator, unit and variant of what compares companies under 50 with the others."""
NO_ENDS: Final = (np.nan, np.nan, np.nan)


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
        and indicator. Shares in %, rates per 1,000 firms, delays in days, differences in points;
        `numerator_count` and `denominator_count` are what each was computed from.

    Raises:
        CoherenceError: If more companies ask than a branch has.

    Source:
        Methodology, U1 to U4.
    """
    now = counting.count(counting.period(register, last_day))
    before = counting.count(counting.period(register, last_day, 1))
    grid = _grid(branch_codes)
    cells = _marked_cells(now.cells, grid)
    earlier = _marked_cells(before.cells, grid)
    parts = [
        *_shares(cells),
        _shrunk(cells),
        *_rates(cells, firms),
        _topics(cells),
        _others(register, last_day, cells),
        _repeats(cells),
        _change(cells, earlier),
        *_gap(cells, now),
        _reasons(now, cells),
        _delays(now, cells),
        _ever(register, firms, cells, grid),
    ]
    origin = register["origin"].iloc[0] if len(register) else "public"
    table = pd.concat(parts, ignore_index=True)
    return check(TABLE, _filled(table, last_day, str(origin)), TABLE)


def rows(
    frame: pd.DataFrame,
    indicator: str,
    unit: str,
    published: pd.Series | None = None,
    **values: Any,
) -> pd.DataFrame:
    """Return one indicator: values where they may be published, else `s`; `np` where there is none.

    Args:
        frame: `branch_code`, `size_band`, and `topic_code`, `reason` where they matter.
        indicator: Name of the measure.
        unit: Its unit.
        published: Whether each row may be published; by default column `published` of `frame`.
        values: `value`, `lower`, `upper`, `numerator_count`, `denominator_count`, `status`.
    """
    shown = (frame["published"] if published is None else published).to_numpy(dtype=bool)
    keys = [name for name in (*KEY, "reason") if name in frame]
    table = frame[keys].assign(indicator=indicator, unit=unit)
    for name in ("value", "lower", "upper", "numerator_count", "denominator_count"):
        raw = np.asarray(values.get(name, np.nan), dtype=float)
        table[name] = np.where(shown, raw, np.nan)
    state = values.get("status", np.where(np.isnan(table["value"]), "np", "value"))
    table["status"] = np.where(shown, state, "s")
    return table


def _share_rows(
    frame: pd.DataFrame, indicator: str, k: Any, n: Any, published: pd.Series | None = None
) -> pd.DataFrame:
    """Return a share of companies in %, `k` of `n`, with Wilson's interval."""
    lower, upper = 100 * wilson(k, n)
    value = 100 * _ratio(k, n)
    counts = {"numerator_count": k, "denominator_count": n}
    return rows(frame, indicator, "pct", published, value=value, lower=lower, upper=upper, **counts)


def _grid(branch_codes: Sequence[str]) -> pd.MultiIndex:
    return pd.MultiIndex.from_product(
        [[*branch_codes, TOTAL], [*BANDS, *GROUPS]], names=["branch_code", "size_band"]
    )


def _marked_cells(elementary: pd.DataFrame, grid: pd.MultiIndex) -> pd.DataFrame:
    """Return counts with groups and totals, absent cells as 0, and which may be published."""
    levels = protection.levels(elementary) if len(elementary) else pd.DataFrame()
    full = counting.with_groups(elementary)
    topics = sorted({ALL_TOPICS, *full["topic_code"]})
    index = pd.MultiIndex.from_tuples(
        [(branch, topic, band) for topic in topics for branch, band in grid], names=KEY
    )
    cells = full.set_index(KEY).reindex(index).fillna(0).reset_index()
    if levels.empty:
        return cells.assign(published=True)
    long = levels.melt(ignore_index=False, var_name="flag", value_name="published")
    flags = long.set_index("flag", append=True)["published"]
    flag = cells["size_band"].where(cells["size_band"].isin([*GROUPS]), "bands")
    keys = pd.MultiIndex.from_arrays([cells["branch_code"], cells["topic_code"], flag])
    published = flags.reindex(keys)
    never_asked = ~keys.droplevel(2).isin(levels.index)
    cells["published"] = np.where(never_asked, True, published.fillna(value=False)).astype(bool)
    return cells


def _whole(cells: pd.DataFrame) -> pd.DataFrame:
    kept: pd.DataFrame = cells.loc[cells["topic_code"] == ALL_TOPICS]
    return kept


def _groups_only(cells: pd.DataFrame) -> pd.DataFrame:
    is_whole = cells["topic_code"] == ALL_TOPICS
    kept: pd.DataFrame = cells.loc[is_whole | cells["size_band"].isin([*GROUPS])]
    return kept


def _shares(cells: pd.DataFrame) -> list[pd.DataFrame]:
    shown = _groups_only(cells)
    k, m = shown["unmet"], shown["requesting"]
    whole = _whole(cells)
    return [
        rows(shown, "requesting_companies_count", "companies", value=m),
        rows(shown, "unmet_companies_count", "companies", value=k, denominator_count=m),
        _share_rows(shown, "unmet_share_pct", k, m),
        _request_share(whole),
    ]


def _request_share(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the share of requests, its interval from companies (their requests go together)."""
    asked, unmet, m = cells["requests"], cells["unmet_requests"], cells["requesting"]
    share = _ratio(unmet, asked)
    spread = cells["unmet_squares"] - 2 * share * cells["products"] + share**2 * cells["squares"]
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(np.maximum(spread, 0) * m / (m - 1)) / asked
        half = stats.t.ppf((1 + LEVEL) / 2, np.maximum(m - 1, 1)) * error
    known = (m > 1) & (share > 0) & (share < 1)
    return rows(
        cells, "unmet_requests_share_pct", "pct",
        published=cells["published"]
        & protection.can_publish_requests(cells, "unmet_requests", "unmet_largest")
        & protection.can_publish_requests(cells, "requests", "largest"),
        value=100 * share, lower=np.where(known, 100 * np.maximum(share - half, 0), np.nan),
        upper=np.where(known, 100 * np.minimum(share + half, 1), np.nan),
        numerator_count=unmet, denominator_count=asked,
    )  # fmt: skip


def _shrunk(cells: pd.DataFrame) -> pd.DataFrame:
    """Return unmet shares drawn towards the other branches', topic by topic.

    The common distribution is fitted on all branches, those too small to be published included:
    leaving them out would raise it.
    """
    bands = ("under_50", "all")
    by_branch = cells[(cells["branch_code"] != TOTAL) & cells["size_band"].isin(bands)]
    parts = []
    for _, each in by_branch.groupby(["topic_code", "size_band"]):
        asked = each[each["requesting"] > 0]
        if len(asked) < shrinkage.LEAST_BRANCHES or not asked["published"].any():
            continue
        shares = shrinkage.shrink(asked["unmet"], asked["requesting"])
        parts.append(
            rows(
                asked, "unmet_share_shrunk_pct", "pct", value=100 * shares.value,
                lower=100 * shares.lower, upper=100 * shares.upper,
                numerator_count=asked["unmet"], denominator_count=asked["requesting"],
            )
        )  # fmt: skip
    return pd.concat(parts) if parts else cells.iloc[:0][KEY]


def _rates(cells: pd.DataFrame, firms: pd.DataFrame) -> list[pd.DataFrame]:
    whole = _whole(cells)
    m = _beside(firms, whole)["firms_count"].to_numpy()
    parts = []
    for name, squares, largest, indicator in (
        ("requests", "squares", "largest", "requests_per_1000_firms"),
        ("unmet_requests", "unmet_squares", "unmet_largest", "unmet_requests_per_1000_firms"),
    ):
        total = whole[name].to_numpy(dtype=float)
        phi = dispersion(total, whole[squares], m)
        ends = garwood(total, np.where(phi > DISPERSED_FROM, phi, 1.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            values = [1000 * each / m for each in (total, *ends)]
        parts.append(
            rows(
                whole, indicator, "per_1000_firms",
                published=whole["published"]
                & protection.can_publish_requests(whole, name, largest),
                value=values[0], lower=values[1], upper=values[2],
                numerator_count=total, denominator_count=np.round(m),
                status=np.where(np.isnan(m), "nd", np.where(m > 0, "value", "np")),
            )
        )  # fmt: skip
    return parts


def _beside(table: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Return, for each of the cells, the row of `table` with its branch and band; else `NaN`."""
    keys = ["branch_code", "size_band"]
    rows_there = table.set_index(keys).reindex(pd.MultiIndex.from_frame(cells[keys]))
    return rows_there.set_axis(cells.index)


def _topics(cells: pd.DataFrame) -> pd.DataFrame:
    topics = cells[(cells["topic_code"] != ALL_TOPICS) & cells["size_band"].isin([*GROUPS])]
    base = _beside(_whole(cells), topics)
    published = topics["published"] & base["published"].astype(bool)
    k, n = topics["unmet"], base["unmet"]
    return _share_rows(topics, "topic_share_of_unmet_pct", k, n, published)


def _others(register: pd.DataFrame, last_day: date, cells: pd.DataFrame) -> pd.DataFrame:
    """Return the topics of each branch that cannot be published one by one, taken together."""
    wanted = cells["size_band"].isin(["under_50", "all"]) & (cells["branch_code"] != TOTAL)
    topics = cells[wanted & (cells["topic_code"] != ALL_TOPICS)]
    small = topics.groupby(["branch_code", "topic_code"]).agg(
        published=("published", "any"), asked=("requesting", "max")
    )
    hidden = small.index[~small["published"] & (small["asked"] > 0)]
    requests = counting.period(register, last_day)
    keys = pd.MultiIndex.from_frame(requests[["branch_code", "topic_code"]])
    merged = requests.assign(topic_code=requests["topic_code"].where(~keys.isin(hidden), OTHERS))
    if not keys.isin(hidden).any():
        return cells.iloc[:0][KEY]
    recounted = counting.count(merged).cells
    of_branches = _marked_cells(recounted, _grid(sorted(set(requests["branch_code"]))))
    others = of_branches[
        (of_branches["topic_code"] == OTHERS) & (of_branches["branch_code"] != TOTAL)
        & of_branches["size_band"].isin([*GROUPS]) & (of_branches["requesting"] > 0)
    ]  # fmt: skip
    published = others["published"] & _beside(_whole(cells), others)["published"].astype(bool)
    return _share_rows(others, "unmet_share_pct", others["unmet"], others["requesting"], published)


def _repeats(cells: pd.DataFrame) -> pd.DataFrame:
    whole = _whole(cells)
    k, m = whole["repeating"], whole["requesting"]
    published = protection.can_publish_split(whole, k, m - k)
    return _share_rows(whole, "repeat_share_pct", k, m, published)


def _change(cells: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Return the change of the unmet share since the twelve months before."""
    whole = _whole(cells)
    now: pd.DataFrame = whole.loc[whole["size_band"].isin([*GROUPS])].reset_index(drop=True)
    past = _beside(_whole(earlier), now)
    k_1, n_1 = now["unmet"].to_numpy(float), now["requesting"].to_numpy(float)
    k_0, n_0 = past["unmet"].to_numpy(float), past["requesting"].to_numpy(float)
    value, lower, upper = 100 * comparison.newcombe((k_1, k_0), (n_1, n_0))
    return rows(
        now, "unmet_share_change_points", "points",
        published=now["published"] & past["published"].astype(bool),
        value=value, lower=lower, upper=upper, numerator_count=n_0, denominator_count=n_1,
    )  # fmt: skip


def _gap(cells: pd.DataFrame, counts: Counts) -> list[pd.DataFrame]:
    """Return what separates companies under 50 from the others: difference, tests, strata."""
    whole = _whole(cells).set_index(["branch_code", "size_band"])
    parts = []
    for branch in whole.index.unique("branch_code"):
        small, large, unknown, every = (
            whole.loc[(branch, band)] for band in ("under_50", "50_plus", "unknown", "all")
        )
        hits = (int(small["unmet"]), int(large["unmet"]))
        trials = (int(small["requesting"]), int(large["requesting"]))
        unclear = unknown["requesting"] > MOST_UNKNOWN_SIZE * every["requesting"]
        state = "np" if min(trials) == 0 else "nd" if unclear else "value"
        compared: list[Sequence[float]] = [NO_ENDS] * len(GAPS)
        if state == "value":
            compared = _compared(hits, trials, counting.strata_of(counts, branch))
        base = {"branch_code": branch, "size_band": "all", "topic_code": ALL_TOPICS}
        frame = pd.DataFrame([base | {"published": small["published"] and large["published"]}])
        for (indicator, unit, variant), ends in zip(GAPS, compared, strict=True):
            status = "np" if state == "value" and np.isnan(ends[0]) else state
            values: Any = dict(zip(("value", "lower", "upper"), ends, strict=True))
            part = rows(frame, indicator, unit, status=status, **values)
            parts.append(part.assign(variant=variant))
    return parts


def _compared(hits: Any, trials: Any, strata: Any) -> list[Sequence[float]]:
    """Return, for each of `GAPS`, its value, lower and upper end."""
    common, ends = comparison.mantel_haenszel(strata)
    tests = (comparison.boschloo(hits, trials), comparison.fisher(hits, trials))
    return [
        (100 * comparison.newcombe(hits, trials)).tolist(),
        (100 * np.array([common, *ends])).tolist(),
        *([p_value, np.nan, np.nan] for p_value in tests),
    ]


def _reasons(counts: Counts, cells: pd.DataFrame) -> pd.DataFrame:
    """Return unmet companies by main reason; small reasons are put with the others, or left out."""
    names = list(counting.REASONS)
    table = counts.reasons.set_index(["branch_code", "size_band"])
    small = table[table.index.get_level_values(1).isin(GROUPS["under_50"])]
    under = small.groupby(level=0)[names].sum()
    every = table.groupby(level=0)[names].sum()
    under = under.reindex(every.index).fillna(0)
    whole = _whole(cells).set_index(["branch_code", "size_band"])["published"]
    parts, shown = [], {}
    for branch in every.index:
        merged = _merged_reasons(under.loc[branch], every.loc[branch])
        both_published = bool(whole[(branch, "under_50")] and whole[(branch, "all")])
        shown[branch] = both_published and len(merged) == len(names)
        parts.append(_reason_rows(branch, merged, both_published))
    alone = pd.Series(shown, dtype=bool).reindex(every.index)
    may = bool(whole[(TOTAL, "under_50")] and whole[(TOTAL, "all")]) and all(
        protection.may_total([part[name] for part in (under, every, every - under)], alone)
        for name in names
    )
    if len(every):
        total = {name: (under[name].sum(), every[name].sum()) for name in names}
        parts.append(_reason_rows(TOTAL, total, may))
    return pd.concat(parts) if parts else cells.iloc[:0][KEY]


def _merged_reasons(under: pd.Series, every: pd.Series) -> dict[str, tuple[float, float]]:
    """Return counts (under 50, all) by reason, the smallest put with others until all are safe."""
    kept = {str(name): (float(under[name]), float(every[name])) for name in under.index}

    def reveals(pair: tuple[float, float]) -> bool:
        return not bool(safe([pair[0], pair[1], pair[1] - pair[0]]).all())

    for others in (False, True):  # first what reveals by itself, then until the others do not
        for name in sorted(kept, key=lambda each: kept[each][1]):
            if name != "other" and reveals(kept["other" if others else name]):
                small, large = kept.pop(name)
                kept["other"] = (kept["other"][0] + small, kept["other"][1] + large)
    return kept


def _reason_rows(
    branch: str, counts: dict[str, tuple[float, float]], published: bool
) -> pd.DataFrame:
    frame = pd.DataFrame(
        [
            {"branch_code": branch, "topic_code": ALL_TOPICS, "size_band": band, "reason": name,
             "k": pair[at]}
            for name, pair in counts.items()
            for at, band in enumerate(("under_50", "all"))
        ]
    )  # fmt: skip
    n = frame.groupby("size_band")["k"].transform("sum")
    return _share_rows(frame, "reason_share_pct", frame["k"], n, pd.Series(published, frame.index))


def _delays(counts: Counts, cells: pd.DataFrame) -> pd.DataFrame:
    """Return the median over companies of each one's median delay, its interval free of any law."""
    keys = ["branch_code", "size_band", "company_code"]
    answered = counts.delays.groupby(keys)["answer_delay_days"].median().reset_index()
    whole = _whole(cells).reset_index(drop=True)
    medians = []
    for branch, band in whole[["branch_code", "size_band"]].itertuples(index=False):
        chosen = answered["size_band"].isin(GROUPS.get(band, (band,)))
        if branch != TOTAL:
            chosen &= answered["branch_code"] == branch
        days = np.sort(answered.loc[chosen, "answer_delay_days"].to_numpy(float))
        ends: Sequence[float] = NO_ENDS
        if len(days) >= LEAST_ANSWERS:
            low, high = _median_ranks(len(days))
            ends = np.median(days), days[low], days[high]
        medians.append([len(days), *ends])
    columns = ["n", "value", "lower", "upper"]
    frame = pd.concat([whole, pd.DataFrame(medians, columns=columns)], axis=1)
    published = protection.can_publish_split(frame, frame["n"], frame["requesting"] - frame["n"])
    shown = frame["size_band"].isin([*GROUPS])
    return rows(
        frame[shown], "answer_delay_median_days", "days", published=published[shown],
        **{name: frame.loc[shown, name] for name in ("value", "lower", "upper")},
        denominator_count=frame.loc[shown, "n"],
        status=np.where(frame.loc[shown, "value"].isna(), "nd", "value"),
    )  # fmt: skip


def _median_ranks(n: int) -> tuple[int, int]:
    """Return the ranks, from 0, of the order statistics that enclose the median at 95 %.

    Examples:
        >>> _median_ranks(10)
        (1, 8)
    """
    low = max(int(stats.binom.ppf((1 - LEVEL) / 2, n, 0.5)) - 1, 0)
    return low, n - 1 - low


def _ever(
    register: pd.DataFrame, firms: pd.DataFrame, cells: pd.DataFrame, grid: pd.MultiIndex
) -> pd.DataFrame:
    """Return the share of a band's firms that appear in the register at all: who asks."""
    counted = _whole(_marked_cells(counting.count(register).cells, grid)).reset_index(drop=True)
    denominators.refuse_too_few(counted.rename(columns={"requesting": "companies_count"}), firms)
    now = _whole(cells).reset_index(drop=True)
    k, m = counted["requesting"], _beside(firms, counted)["firms_count"]
    both = counted.assign(published=counted["published"] & now["published"].to_numpy(bool))
    published = protection.can_publish_split(both, k, k - now["requesting"].to_numpy(float))
    ends = wilson(np.minimum(k, m), m)
    return rows(
        counted, "companies_ever_share_pct", "pct", published=published, value=100 * _ratio(k, m),
        lower=100 * ends[0], upper=100 * np.minimum(ends[1], 1), numerator_count=k,
        denominator_count=np.round(m), status=np.where(m.isna(), "nd", "value"),
    )  # fmt: skip


def _ratio(part: Any, whole: Any) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: np.ndarray = np.asarray(part, float) / np.asarray(whole, float)
    return ratio


def _filled(table: pd.DataFrame, last_day: date, origin: str) -> pd.DataFrame:
    whole = {"numerator_count": "Int64", "denominator_count": "Int64"}
    complete = table.assign(
        period_end_on=last_day.isoformat(),
        reason=table.get("reason", pd.Series(pd.NA, table.index)).fillna("all"),
        variant=table["variant"].fillna(""),
        interval_level=np.where(table["lower"].notna(), LEVEL, np.nan),
        nature="observed",
        origin=origin,
    )
    absent = complete["status"] != "value"
    for name in ("value", "lower", "upper", "interval_level"):
        complete.loc[absent, name] = np.nan
    secret = complete["status"].isin(["s", "nd"])
    complete.loc[secret, ["numerator_count", "denominator_count"]] = np.nan
    ordered = complete[list(COLUMNS)].astype(whole)
    order = ["branch_code", "indicator", "topic_code", "reason"]
    return ordered.sort_values(order, kind="stable", ignore_index=True)
