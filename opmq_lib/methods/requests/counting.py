"""From the register to counts of companies and requests by branch, size band and topic."""

from datetime import date
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from opmq_lib.methods.requests.denominators import BANDS, GROUPS
from opmq_lib.methods.requests.protection import ALL_TOPICS, TOTAL
from opmq_lib.tables.register import UNMET

KEY: Final = ["branch_code", "topic_code", "size_band"]
REASONS: Final = ("out_of_offer", "delay", "budget", "area", "other", "unknown")
SUMS: Final = (
    "requesting", "unmet", "requests", "unmet_requests", "squares", "unmet_squares", "products",
    "repeating",
)  # fmt: skip
"""What adds up over companies: companies that asked, that were unmet at least once, their requests
and unmet requests, their squares and product, and companies that came back on the same topic."""


class Counts(NamedTuple):
    """Counts of one period.

    Attributes:
        cells: `KEY` (elementary bands, topic `all` included), `SUMS`, and `largest` and
            `unmet_largest`, the most requests of one company.
        reasons: `branch_code`, `size_band` and unmet companies by main reason, one column each.
        strata: `branch_code`, `size_band`, `topic_code` (each company's main topic), `requesting`
            and `unmet`: companies once each.
        delays: `branch_code`, `size_band`, `company_code`, `answer_delay_days`, answered requests.
    """

    cells: pd.DataFrame
    reasons: pd.DataFrame
    strata: pd.DataFrame
    delays: pd.DataFrame


def period(register: pd.DataFrame, last_day: date, years_before: int = 0) -> pd.DataFrame:
    """Return the requests of the twelve months that end on a day, or as many years before.

    Args:
        register: Table `requests`.
        last_day: Last day of the current period, included.
        years_before: 0 for the current period, 1 for the one before.

    Examples:
        >>> days = pd.DataFrame({"requested_on": ["2024-11-24", "2024-11-25", "2025-11-24"]})
        >>> period(days, date(2025, 11, 24))["requested_on"].tolist()
        ['2024-11-25', '2025-11-24']
        >>> period(days, date(2025, 11, 24), 1)["requested_on"].tolist()
        ['2024-11-24']
    """
    end = pd.Timestamp(last_day) - pd.DateOffset(years=years_before)
    start = end - pd.DateOffset(years=1)
    days = register["requested_on"]
    inside = (days > start.date().isoformat()) & (days <= end.date().isoformat())
    kept: pd.DataFrame = register.loc[inside]
    return kept


def count(requests: pd.DataFrame) -> Counts:
    """Return the counts of the requests of one period.

    A company's band is that of its last request. A request is unmet if at least a part of it was
    not covered; a company is unmet if one of its requests is. Its main topic is the one it asks
    about most, its main reason the most frequent one of its unmet requests; ties go to the first
    in alphabetical order, respectively in the order of `REASONS`.

    Args:
        requests: Rows of table `requests`.
    """
    last = requests.sort_values(["requested_on", "request_code"], kind="stable")
    band_of = last.drop_duplicates("company_code", keep="last").set_index("company_code")
    base = requests[["branch_code", "company_code", "topic_code", "reason"]].assign(
        size_band=requests["company_code"].map(band_of["size_band"]),
        is_unmet=requests["coverage"].isin(UNMET).astype("int64"),
    )
    companies = ["branch_code", "size_band", "company_code"]
    by_topic = base.groupby([*companies, "topic_code"], sort=True)["is_unmet"].agg(["size", "sum"])
    by_topic = by_topic.reset_index()
    by_topic["repeating"] = (by_topic["size"] > 1).astype("int64")
    whole = by_topic.groupby(companies, as_index=False)[["size", "sum"]].sum()
    came_back = by_topic.groupby(companies)["repeating"].max().to_numpy()
    whole = whole.assign(topic_code=ALL_TOPICS, repeating=came_back)
    main = by_topic.sort_values("size", ascending=False, kind="stable")
    main_topic = main.drop_duplicates("company_code").set_index("company_code")["topic_code"]
    strata = whole.assign(
        topic_code=whole["company_code"].map(main_topic),
        requesting=1,
        unmet=(whole["sum"] > 0).astype("int64"),
    )
    return Counts(
        _summed(pd.concat([by_topic, whole])),
        _by_reason(base),
        strata.groupby(["branch_code", "size_band", "topic_code"], as_index=False)[
            ["requesting", "unmet"]
        ].sum(),
        _delays(requests, band_of["size_band"]),
    )


def with_groups(cells: pd.DataFrame, key: list[str] = KEY) -> pd.DataFrame:
    """Return counts with the groups of bands and the total over branches added.

    Examples:
        >>> cells = pd.DataFrame({"branch_code": "verre", "topic_code": "all",
        ...     "size_band": ["1_9", "250_plus"], "requesting": [4, 3], "largest": [2, 7]})
        >>> whole = with_groups(cells)
        >>> whole[whole["branch_code"] == "ensemble"].set_index("size_band")["requesting"].to_dict()
        {'1_9': 4, '250_plus': 3, 'under_50': 4, '50_plus': 3, 'all': 7}
    """
    rules = {
        name: "max" if str(name).endswith("largest") else "sum" for name in cells if name not in key
    }
    both = pd.concat([cells, cells.assign(branch_code=TOTAL)])
    grouped = [both] + [
        both[both["size_band"].isin(bands)].assign(size_band=group)
        for group, bands in GROUPS.items()
    ]
    order = {band: place for place, band in enumerate((*BANDS, *GROUPS))}
    summed = pd.concat(grouped).groupby(key, as_index=False, sort=True).agg(rules)
    return summed.sort_values(
        key, key=lambda column: column.map(order) if column.name == "size_band" else column,
        ignore_index=True,
    )  # fmt: skip


def strata_of(counts: Counts, branch: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return unmet and requesting companies under 50 and from 50, by main topic."""
    table = counts.strata if branch == TOTAL else (
        counts.strata[counts.strata["branch_code"] == branch]
    )  # fmt: skip
    names = ("under_50", "50_plus")
    group = table["size_band"].map({band: name for name in names for band in GROUPS[name]})
    sums = table.groupby(["topic_code", group])[["unmet", "requesting"]].sum()
    wide = sums.unstack("size_band").fillna(0)
    if not set(names) <= set(wide.columns.get_level_values(1)):
        return []
    hits, trials = (
        map(tuple, wide[name][[*names]].to_numpy(int).tolist()) for name in ("unmet", "requesting")
    )
    return list(zip(hits, trials, strict=True))


def _summed(companies: pd.DataFrame) -> pd.DataFrame:
    asked, unmet = companies["size"], companies["sum"]
    each = companies[KEY].assign(
        requesting=1,
        unmet=(unmet > 0).astype("int64"),
        requests=asked,
        unmet_requests=unmet,
        squares=asked**2,
        unmet_squares=unmet**2,
        products=asked * unmet,
        repeating=companies["repeating"],
        largest=asked,
        unmet_largest=unmet,
    )
    rules = dict.fromkeys(SUMS, "sum") | {"largest": "max", "unmet_largest": "max"}
    return each.groupby(KEY, as_index=False).agg(rules)


def _by_reason(base: pd.DataFrame) -> pd.DataFrame:
    unmet = base[base["is_unmet"] > 0]
    keys = ["branch_code", "size_band", "company_code", "reason"]
    counted = unmet.groupby(keys)["is_unmet"].sum().reset_index()
    counted["order"] = counted["reason"].map({name: at for at, name in enumerate(REASONS)})
    main = counted.sort_values(["is_unmet", "order"], ascending=[False, True], kind="stable")
    main = main.drop_duplicates("company_code")
    table = main.groupby(["branch_code", "size_band", "reason"]).size().unstack("reason")
    counts: pd.DataFrame = table.reindex(columns=list(REASONS)).fillna(0).astype("int64")
    return counts.reset_index()


def _delays(requests: pd.DataFrame, band_of: pd.Series) -> pd.DataFrame:
    columns = ["branch_code", "company_code", "answer_delay_days"]
    if "answer_delay_days" not in requests:
        return pd.DataFrame(columns=[*columns, "size_band"])
    answered = requests.loc[requests["answer_delay_days"].notna(), columns]
    days = answered["answer_delay_days"].astype("float64").to_numpy(np.float64)
    return answered.assign(size_band=answered["company_code"].map(band_of), answer_delay_days=days)
