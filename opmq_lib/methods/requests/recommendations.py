"""From review to recommendation, and from one edition to the next: what became of the last ones."""

from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from opmq_lib.methods.decisions import TO_WRITE
from opmq_lib.methods.requests import counting
from opmq_lib.methods.requests.comparison import Difference, difference, evidence
from opmq_lib.methods.requests.counting import TOTAL
from opmq_lib.methods.requests.differences import years
from opmq_lib.methods.requests.intervals import LEVEL
from opmq_lib.methods.requests.protection import LEAST, reviewed
from opmq_lib.methods.requests.table import ALL_TOPICS, OTHERS, whole
from opmq_lib.tables import DESCRIPTIONS, check

FOCUS: Final = "under_50"
COLUMNS: Final = tuple(DESCRIPTIONS["recommendations"])
MEASURED: Final = {
    "numerator_count": "unmet_companies_count",
    "denominator_count": "requesting_companies_count",
    "value": "unmet_share_pct",
    "lower": "unmet_share_lower_pct",
    "upper": "unmet_share_upper_pct",
}
"""What a recommendation keeps of the review, and what it calls it."""
FOLLOW_UP: Final = tuple(DESCRIPTIONS["request_follow_up"])


def candidates(review: pd.DataFrame, proposed_on: date) -> pd.DataFrame:
    """Return a candidate change of the offer for each topic that companies under 50 lack.

    The package measures; what to change, and whether, is for the CPNEFP to write: `offer_change`
    and the decision are blank.

    Args:
        review: Table `request_review`.
        proposed_on: Day of the proposal.

    Returns:
        Rows of table `recommendations`, by branch, the topic with most unmet companies first; only
        topics with at least `LEAST` unmet companies under 50.
    """
    published = review["status"].eq("value") & review["size_band"].eq(FOCUS)
    published &= review["branch_code"].ne(TOTAL) & review["reason"].eq("all")
    published &= ~review["topic_code"].isin([ALL_TOPICS, OTHERS])
    topics = ["branch_code", "topic_code"]
    shares, concerned = (
        review[published & (review["indicator"] == name)].set_index(topics)
        for name in ("unmet_share_pct", "topic_share_of_unmet_pct")
    )
    counts = concerned["numerator_count"].reindex(shares.index)
    shares = shares.assign(numerator_count=counts).reset_index()
    shares = shares[shares["numerator_count"] >= LEAST].sort_values(
        ["branch_code", "numerator_count", "topic_code"], ascending=[True, False, True]
    )
    code = shares["branch_code"] + "-" + shares["topic_code"] + "-" + shares["period_end_on"]
    table = shares.rename(columns=MEASURED).assign(
        recommendation_code=code,
        proposed_on=proposed_on.isoformat(),
        offer_change="",
        **TO_WRITE,
    )
    return table[list(COLUMNS)].reset_index(drop=True)


def follow_up(register: pd.DataFrame, review: pd.DataFrame, requests: pd.DataFrame) -> pd.DataFrame:
    """Return what became of each recommendation: its decision, and its topic's share since.

    Args:
        register: Table `recommendations`; those of the review's own period are left out.
        review: Table `request_review`.
        requests: Table `requests`, the year of each recommendation included.

    Returns:
        Table `request_follow_up`: `value` is the change of the share of requests of companies
        under 50 on the topic that is not covered, in whole points, with the interval of U3b; `s`
        where that is secret, `nd` where too few companies tell.
    """
    if register.empty or review.empty:
        return pd.DataFrame(columns=list(FOLLOW_UP))
    today = review["period_end_on"].max()
    last = register[register["period_end_on"] < today]
    now = review[review["indicator"].eq("unmet_share_pct") & review["size_band"].eq(FOCUS)
                 & review["reason"].eq("all") & review["variant"].eq("")]  # fmt: skip
    topics = ["branch_code", "topic_code"]
    status = now.set_index(topics)["status"].reindex(pd.MultiIndex.from_frame(last[topics]))
    found = _changes(last, today, requests)
    state = status.fillna("nd").to_numpy()
    state = np.where((state == "value") & np.isnan(found.value), "nd", state)
    published = state == "value"
    ends = whole(*(100 * each for each in (found.value, found.lower, found.upper)))
    table = last.rename(columns={"status": "decision_status"}).assign(
        indicator="unmet_share_change_points",
        **{name: np.where(published, each, np.nan) for name, each in ends.items()},
        interval_level=np.where(published & ~np.isnan(found.lower), LEVEL, np.nan),
        unit="points",
        status=state,
        nature="observed",
    )
    order = ["branch_code", "proposed_on", "recommendation_code"]
    table = table.sort_values(order, ignore_index=True)[list(FOLLOW_UP)]
    return check("request_follow_up", table, "request_follow_up")


def _changes(last: pd.DataFrame, today: str, requests: pd.DataFrame) -> Difference:
    """Return how the share of each recommendation's topic changed since its period."""
    names = sorted({*requests["topic_code"], *last["topic_code"]})
    places = counting.grid(sorted(set(last["branch_code"])))
    periods = {
        day: reviewed(counting.period(requests, date.fromisoformat(day)), names, places)
        for day in {today, *last["period_end_on"]}
    }
    found = []
    for code, name, day in last[["branch_code", "topic_code", "period_end_on"]].to_numpy():
        sides = years(periods[today], periods[day], code, FOCUS)
        topic = [names.index(name)]
        asked, unmet = sides.asked[:, :, topic], sides.unmet.sum(axis=3)[:, :, topic]
        found.append(difference(evidence(asked, unmet, by_company=False)))
    return Difference(*np.array(found, float).reshape(-1, 4).T)


def counted(follow: pd.DataFrame, review: pd.DataFrame) -> pd.DataFrame:
    """Return how many recommendations of each branch stand where, as rows of the review.

    Returns:
        `recommendations_count`: a row per branch and status (`variant`), and one for all of them.
    """
    if follow.empty:
        return review.iloc[:0]
    by_status = follow.groupby(["branch_code", "decision_status"]).size().reset_index(name="value")
    whole = by_status.groupby("branch_code", as_index=False)["value"].sum()
    by_variant = by_status.rename(columns={"decision_status": "variant"})
    rows = pd.concat([whole.assign(variant=""), by_variant])
    blank = {"lower": np.nan, "upper": np.nan, "interval_level": np.nan, "retained": "",
             "numerator_count": pd.NA, "denominator_count": pd.NA}  # fmt: skip
    complete = rows.assign(
        period_end_on=review["period_end_on"].max(),
        size_band=FOCUS,
        topic_code=ALL_TOPICS,
        reason="all",
        indicator="recommendations_count",
        unit="recommendations",
        status="value",
        nature="observed",
        origin=str(follow["origin"].iloc[0]),
        value=rows["value"].astype("float64"),
        **blank,
    )
    counts = {"numerator_count": "Int64", "denominator_count": "Int64"}
    ordered: pd.DataFrame = complete.astype(counts)[list(review.columns)]
    return ordered
