"""From review to recommendation, and from one edition to the next: what became of the last ones."""

from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from opmq_lib.methods.requests.comparison import newcombe
from opmq_lib.methods.requests.intervals import LEVEL
from opmq_lib.methods.requests.measures import OTHERS
from opmq_lib.methods.requests.protection import ALL_TOPICS, LEAST, TOTAL
from opmq_lib.tables import DESCRIPTIONS, check

FOCUS: Final = "under_50"
PENDING: Final = ("candidate", "postponed")
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
    published = (review["indicator"] == "unmet_share_pct") & (review["status"] == "value")
    published &= (review["size_band"] == FOCUS) & (review["branch_code"] != TOTAL)
    published &= ~review["topic_code"].isin([ALL_TOPICS, OTHERS])
    shares = review[published & (review["numerator_count"] >= LEAST)].sort_values(
        ["branch_code", "numerator_count", "topic_code"], ascending=[True, False, True]
    )
    code = shares["branch_code"] + "-" + shares["topic_code"] + "-" + shares["period_end_on"]
    to_write = dict.fromkeys(("offer_change", "decision", "decided_on", "minutes_reference"), "")
    table = shares.rename(columns=MEASURED).assign(
        recommendation_code=code,
        proposed_on=proposed_on.isoformat(),
        **to_write | {"status": "candidate"},
    )
    return table[list(COLUMNS)].reset_index(drop=True)


def updated(register: pd.DataFrame, proposed: pd.DataFrame) -> pd.DataFrame:
    """Return the register with new candidates added; what is written there is never changed.

    A topic that already waits for a decision in a branch is not proposed again.

    Args:
        register: Table `recommendations` as kept, maybe without row.
        proposed: From `candidates`.

    Examples:
        >>> old = pd.DataFrame({"recommendation_code": ["a"], "branch_code": ["verre"],
        ...     "topic_code": ["recrutement"], "status": ["candidate"]})
        >>> new = old.assign(recommendation_code="b")
        >>> updated(old, new)["recommendation_code"].tolist()
        ['a']
        >>> updated(old.assign(status="implemented"), new)["recommendation_code"].tolist()
        ['a', 'b']
    """
    if register.empty:
        return proposed.reset_index(drop=True)
    waiting = register[register["status"].isin(PENDING)]
    topics = ["branch_code", "topic_code"]
    known = pd.MultiIndex.from_frame(proposed[topics]).isin(
        pd.MultiIndex.from_frame(waiting[topics])
    )
    known |= proposed["recommendation_code"].isin(register["recommendation_code"]).to_numpy()
    return pd.concat([register, proposed[~known]], ignore_index=True)


def follow_up(register: pd.DataFrame, review: pd.DataFrame) -> pd.DataFrame:
    """Return what became of each recommendation: its decision, and its topic's share since.

    Args:
        register: Table `recommendations`; those of the review's own period are left out.
        review: Table `request_review`.

    Returns:
        Table `request_follow_up`: `value` is the change of the unmet share of companies under 50
        on the topic, in points, with Newcombe's interval; `s` where that is secret.
    """
    if register.empty or review.empty:
        return pd.DataFrame(columns=list(FOLLOW_UP))
    last = register[register["period_end_on"] < review["period_end_on"].max()]
    now = review[(review["indicator"] == "unmet_share_pct") & (review["size_band"] == FOCUS)]
    now = now.set_index(["branch_code", "topic_code"])
    today = now.reindex(pd.MultiIndex.from_frame(last[["branch_code", "topic_code"]]))
    k, n = (today[name].astype("float64").to_numpy() for name in
            ("numerator_count", "denominator_count"))  # fmt: skip
    value, lower, upper = 100 * newcombe(
        (k, last["unmet_companies_count"].to_numpy(float)),
        (n, last["requesting_companies_count"].to_numpy(float)),
    )
    status = today["status"].fillna("nd").to_numpy()
    published = (status == "value") & ~np.isnan(value)
    table = last.rename(columns={"status": "decision_status"}).assign(
        indicator="unmet_share_change_points",
        value=np.where(published, value, np.nan),
        lower=np.where(published, lower, np.nan),
        upper=np.where(published, upper, np.nan),
        interval_level=np.where(published, LEVEL, np.nan),
        unit="points",
        status=np.where(published, "value", status),
        nature="observed",
    )
    order = ["branch_code", "proposed_on", "recommendation_code"]
    table = table.sort_values(order, ignore_index=True)[list(FOLLOW_UP)]
    return check("request_follow_up", table, "request_follow_up")


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
    blank = {"lower": np.nan, "upper": np.nan, "interval_level": np.nan,
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
