"""Registers of what was proposed to a CPNEFP and decided: kept from one edition to the next.

One mechanism for recommendations, whose subject is a topic, and for decisions on the shortlist,
whose subject is a métier. The package proposes and reads back; who decides writes.
"""

from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from opmq_lib.tables import DESCRIPTIONS, check

PENDING: Final = ("candidate", "postponed")
TO_WRITE: Final = dict.fromkeys(("decision", "decided_on", "minutes_reference"), "") | {
    "status": "candidate"
}
"""What the CPNEFP writes, before it has."""


def updated(register: pd.DataFrame, proposed: pd.DataFrame, subject: str) -> pd.DataFrame:
    """Return a register with new proposals added; what is written there is never changed.

    What already waits for a decision in a branch is not proposed again.

    Args:
        register: The register as kept, maybe without row; its first column is its key.
        proposed: Rows of the same table.
        subject: Column of what is proposed, such as `topic_code`.

    Examples:
        >>> old = pd.DataFrame({"recommendation_code": ["a"], "branch_code": ["verre"],
        ...     "topic_code": ["recrutement"], "status": ["candidate"]})
        >>> new = old.assign(recommendation_code="b")
        >>> updated(old, new, "topic_code")["recommendation_code"].tolist()
        ['a']
        >>> old["status"] = "implemented"
        >>> updated(old, new, "topic_code")["recommendation_code"].tolist()
        ['a', 'b']
    """
    if register.empty:
        return proposed.reset_index(drop=True)
    key, subjects = register.columns[0], ["branch_code", subject]
    waiting = register[register["status"].isin(PENDING)]
    known = pd.MultiIndex.from_frame(proposed[subjects]).isin(
        pd.MultiIndex.from_frame(waiting[subjects])
    )
    known |= proposed[key].isin(register[key]).to_numpy()
    return pd.concat([register, proposed[~known]], ignore_index=True)


def proposals(shortlists: pd.DataFrame, edition_id: str, proposed_on: date) -> pd.DataFrame:
    """Return the métiers of the shortlists as rows to decide on.

    Args:
        shortlists: Tables `shortlist` of some branches, with `branch_label`, `metier_label` and
            `proposed_lever`, what the page says in French; what is not shown there is left out.
        edition_id: The edition that proposes.
        proposed_on: Day of the proposal.

    Returns:
        Rows of table `decisions`: the decision is blank, and nothing may be published before the
        CPNEFP says so.
    """
    shown = shortlists[shortlists["is_shown"] == "yes"]
    table = shown.assign(
        decision_code=shown["branch_code"] + "-" + shown["metier_code"] + "-" + edition_id,
        edition_id=edition_id,
        proposed_on=proposed_on.isoformat(),
        disclosure="confidential",
        **TO_WRITE,
    )
    return table[list(DESCRIPTIONS["decisions"])].reset_index(drop=True)


def of_edition(register: pd.DataFrame, branch_code: str, edition_id: str) -> pd.DataFrame:
    """Return what a branch has decided on this edition's proposals and lets be published."""
    public = _public(register, branch_code)
    return public[(public["edition_id"] == edition_id) & (public["status"] != "candidate")]


def follow_up(
    register: pd.DataFrame,
    shortlist: pd.DataFrame,
    rates: pd.DataFrame,
    branch_code: str,
    edition_id: str,
) -> pd.DataFrame:
    """Return what became of the proposals of earlier editions that may be published.

    Args:
        register: Table `decisions`.
        shortlist: Table `shortlist` of the branch in this edition; no row where there is none.
        rates: `metier_code`, `departure_rate_pct` of this edition, of any métiers.
        branch_code: The branch.
        edition_id: This edition.

    Returns:
        Table `decision_follow_up`: the decision as written, and whether the métier is on the list
        today (`is_listed`), at which rank, and its rate of departures.
    """
    public = _public(register, branch_code)
    past = public[public["edition_id"] != edition_id].rename(columns={"status": "decision_status"})
    now = shortlist.set_index("metier_code").reindex(past["metier_code"]).reset_index(drop=True)
    left = past["metier_code"].map(rates.set_index("metier_code")["departure_rate_pct"])
    left = left.reset_index(drop=True).astype("float64")
    table = past.reset_index(drop=True).assign(
        is_listed=np.where(now["is_shown"] == "yes", "yes", "no"),
        rank=now["rank"].astype("Int64"),
        departure_rate_now_pct=left,
        status=left.notna().map({True: "value", False: "nd"}),
        origin="public",
    )
    order = ["proposed_on", "decision_code"]
    columns = list(DESCRIPTIONS["decision_follow_up"])
    table = table.sort_values(order, ignore_index=True)[columns]
    return check("decision_follow_up", table, "decisions_suites")


def _public(register: pd.DataFrame, branch_code: str) -> pd.DataFrame:
    is_public = register["disclosure"].eq("public") & register["branch_code"].eq(branch_code)
    public: pd.DataFrame = register[is_public]
    return public
