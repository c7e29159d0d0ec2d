"""A branch's certifications: portfolio, coverage, expiry, overlaps, what to look at first (S2).

Two coverages, never mixed. *Métier-level*, here: a certification aims at a ROME, the ROME carries
skills; it says nothing of what is taught. *Bloc coverage*, in `blocs`: a live bloc of the register
is read against a skill.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from opmq_lib.methods.skills.profiles import main_and_emerging

LEAD_MONTHS: Final = (12, 24)
"""How long before its end a certification is looked at; source: convention (methodology, S2)."""
STALE_YEARS: Final = 5
"""Age of a record from which it is looked at: a registration lasts five years at most
(Code du travail, L. 6113-6 for the RS; L. 6113-5 for the RNCP to verify)."""
LEAST_SHARED: Final = 2
"""Métiers two certifications must share to be candidates; source: convention."""
REASONS: Final = ("expired", "expiring", "no_metier", "domain_only", "old_record", "shared")
"""Why a certification is looked at, most pressing first."""


def portfolio(certifications: pd.DataFrame, bodies: pd.DataFrame) -> pd.DataFrame:
    """Return the certifications of each branch: one of its bodies validates or certifies them.

    Names are searched in the text of the source, which joins bodies with commas while some names
    have commas; they are not split.

    Args:
        certifications: Table `certifications`.
        bodies: Table `certifying_bodies`: `branch_code`, `body`.

    Returns:
        `branch_code` and the columns of `certifications`; a certification of two branches stands
        once in each; one that stands twice in the source stands once.

    Examples:
        >>> certifications = pd.DataFrame({"certifinfo_code": ["1"], "title": ["CQP"],
        ...     "validating_body": ["CPNE de la bijouterie, joaillerie"], "certifying_body": [""]})
        >>> bodies = certifications[["validating_body"]].set_axis(["body"], axis=1)
        >>> bodies["branch_code"] = "b"
        >>> portfolio(certifications, bodies)["branch_code"].tolist()
        ['b']
    """
    distinct = certifications.drop_duplicates("certifinfo_code")
    named = distinct["validating_body"] + "\n" + distinct["certifying_body"]
    found = [
        (branch, row)
        for branch, body in zip(bodies["branch_code"], bodies["body"], strict=True)
        for row in named.index[named.str.contains(body, regex=False)]
    ]
    every = distinct.loc[[row for _, row in found]]
    every.insert(0, "branch_code", [branch for branch, _ in found])
    every = every.drop_duplicates(["branch_code", "certifinfo_code"])
    return every.sort_values(["branch_code", "title"], ignore_index=True)


def live(certifications: pd.DataFrame, on: date) -> pd.DataFrame:
    """Return the certifications whose last session is not over, or not known.

    Args:
        certifications: Table `certifications`: `last_session_year`.
        on: The day.
    """
    last = certifications["last_session_year"]
    kept: pd.DataFrame = certifications[last.isna() | (last >= on.year)]
    return kept


def metier_links(links: pd.DataFrame) -> pd.DataFrame:
    """Return what each certification aims at, métiers apart from domains, which have no skills.

    Certif Info uses ROME V3 codes, which are the parent fiches of ROME 4.0.

    Args:
        links: `certifinfo_code`, `rome_code`.

    Returns:
        `certifinfo_code`, `rome_code`, `aims_at` (`metier`, or `domain` for a code such as
        `H1200`), each pair once.
    """
    pairs = links[["certifinfo_code", "rome_code"]].drop_duplicates(ignore_index=True)
    is_domain = pairs["rome_code"].str.fullmatch("[A-Z][0-9]{2}00")
    return pairs.assign(aims_at=is_domain.map({True: "domain", False: "metier"}))


def fap_coverage(
    owned: pd.DataFrame, links: pd.DataFrame, fap_rome: pd.DataFrame, metier_codes: Sequence[str]
) -> pd.DataFrame:
    """Return how many certifications of the portfolio aim at a ROME of each métier (FAP).

    Args:
        owned: What `portfolio` returns, of one branch.
        links: What `metier_links` returns.
        fap_rome: `metier_code`, `rome_code`.
        metier_codes: Métiers wanted.

    Returns:
        `metier_code`, `certifications_count`; `nan` for a métier without ROME, and everywhere if
        the portfolio is empty: its certifications are not known.
    """
    romes = fap_rome[fap_rome["metier_code"].isin(metier_codes)]
    is_own = links["certifinfo_code"].isin(owned["certifinfo_code"])
    aimed = links[is_own].merge(romes, on="rome_code").groupby("metier_code")
    known = list(romes["metier_code"].unique()) if len(owned) else []
    counts = aimed["certifinfo_code"].nunique().astype("float64").reindex(known, fill_value=0.0)
    counts = counts.reindex(list(metier_codes)).rename_axis("metier_code")
    return counts.rename("certifications_count").reset_index()


def uncovered_skills(
    owned: pd.DataFrame, links: pd.DataFrame, metier_skills: pd.DataFrame
) -> pd.DataFrame:
    """Return the main skills of ROME that no ROME at which a certification aims carries.

    Args:
        owned: What `portfolio` returns, of one branch.
        links: What `metier_links` returns.
        metier_skills: `rome_code`, `skill_code`, `importance`.

    Returns:
        `rome_code`, `skill_code` (main or emerging there), each pair once.
    """
    aimed = links.loc[links["certifinfo_code"].isin(owned["certifinfo_code"]), "rome_code"]
    known = metier_skills.loc[metier_skills["rome_code"].isin(aimed), "skill_code"]
    main = main_and_emerging(metier_skills)
    return main[~main["skill_code"].isin(known)]


def overlaps(owned: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of certifications of different branches that aim at the same métiers.

    Returns:
        `branch_code`, `certifinfo_code`, `other_branch_code`, `other_certifinfo_code`,
        `shared_metiers_count`; each pair in both directions, a certification owned by both
        branches left out (it is shared already). Candidates to talk about, not duplicates.
    """
    pair = ["branch_code", "certifinfo_code"]
    metiers = links.loc[links["aims_at"] == "metier", ["certifinfo_code", "rome_code"]]
    mine = owned[pair].merge(metiers, on="certifinfo_code")
    other = {name: f"other_{name}" for name in pair}
    both = mine.merge(mine.rename(columns=other), on="rome_code")
    for name in pair:
        both = both[both[name] != both[other[name]]]
    counts = both.groupby([*pair, *other.values()])["rome_code"].nunique()
    counts = counts[counts >= LEAST_SHARED]
    return counts.rename("shared_metiers_count").reset_index()


def shared_certifications(portfolios: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Return what `overlaps` finds, each pair once with its titles, those that share most first.

    Args:
        portfolios: Portfolios of several branches.
        links: What `metier_links` returns.

    Returns:
        The columns of `overlaps`, `title`, `other_title`.
    """
    pairs = overlaps(portfolios, links)
    pairs = pairs[pairs["branch_code"] < pairs["other_branch_code"]]
    titles = portfolios.drop_duplicates("certifinfo_code").set_index("certifinfo_code")["title"]
    pairs = pairs.assign(
        title=pairs["certifinfo_code"].map(titles),
        other_title=pairs["other_certifinfo_code"].map(titles),
    )
    order = ["shared_metiers_count", "title", "other_title"]
    return pairs.sort_values(order, ascending=[False, True, True], ignore_index=True)


def expiry_calendar(fiches: pd.DataFrame, on: date) -> pd.DataFrame:
    """Return when each fiche of the register ends, and within which lead time that is.

    Args:
        fiches: Table `rncp_fiches`: `fiche_code`, `ends_on` (ISO, `""` where not known), `active`.
        on: The day.

    Returns:
        `fiche_code`, `ends_on`, `state`: `expired` (ended, or inactive), `within_12_months`,
        `within_24_months`, `later`, `nd` (no end date).
    """
    ends = fiches["ends_on"]
    states = {
        "expired": (fiches["active"] == "no") | ((ends != "") & (ends < on.isoformat())),
        "nd": ends == "",
    }
    for months in LEAD_MONTHS:
        states[f"within_{months}_months"] = ends <= months_later(on, months).isoformat()
    state = np.select([*states.values()], [*states], "later")
    return fiches[["fiche_code", "ends_on"]].assign(state=state).reset_index(drop=True)


def portfolio_calendar(owned: pd.DataFrame, calendar: pd.DataFrame, on: date) -> pd.DataFrame:
    """Return when the registration of each certification of a portfolio ends.

    Args:
        owned: What `portfolio` returns.
        calendar: What `expiry_calendar` returns for the fiches of an export; may be empty.
        on: The day.

    Returns:
        `branch_code`, `certifinfo_code`, `title`, `fiche_code`, `ends_on`, `state` (as
        `expiry_calendar`; `nd` too for a fiche that the export does not have), `months_left`
        (whole months to the end, below 0 once ended, `NA` without an end); soonest first, then by
        title. Certifications without a fiche of the RNCP are left out; no row without an export.

    Examples:
        >>> owned = pd.DataFrame({"branch_code": ["b"], "certifinfo_code": ["1"],
        ...                       "title": ["CQP"], "rncp_code": ["31115"]})
        >>> fiches = pd.DataFrame({"fiche_code": ["RNCP31115"], "ends_on": ["2026-12-31"],
        ...                        "active": ["yes"]})
        >>> day = date(2026, 1, 31)
        >>> found = portfolio_calendar(owned, expiry_calendar(fiches, day), day)
        >>> found[["state", "months_left"]].to_dict("records")
        [{'state': 'within_12_months', 'months_left': 11}]
    """
    rows = owned[owned["rncp_code"].fillna("") != ""] if len(calendar) else owned.head(0)
    rows = rows.assign(fiche_code="RNCP" + rows["rncp_code"])
    rows = rows.merge(calendar, on="fiche_code", how="left").fillna({"ends_on": "", "state": "nd"})
    ends = pd.to_datetime(rows["ends_on"].replace("", None), format="%Y-%m-%d").dt
    months = 12 * (ends.year - on.year) + ends.month - on.month - (ends.day < on.day)
    columns = ["branch_code", "certifinfo_code", "title", "fiche_code", "ends_on", "state"]
    found = rows[columns].assign(months_left=months.astype("Int64"))
    order = ["months_left", "title", "certifinfo_code"]
    return found.sort_values(order, na_position="last", ignore_index=True)


def to_look_at(
    owned: pd.DataFrame, links: pd.DataFrame, shared: pd.DataFrame, calendar: pd.DataFrame, on: date
) -> pd.DataFrame:
    """Return which certifications of the portfolio to look at, and for which stated reason.

    Args:
        owned: What `portfolio` returns.
        links: What `metier_links` returns.
        shared: What `overlaps` returns.
        calendar: What `expiry_calendar` returns.
        on: The day.

    Returns:
        `branch_code`, `certifinfo_code`, `title`, `reason_code` (one of `REASONS`); alphabetical
        within a reason, never a ranking; a certification stands once under each of its reasons.
    """
    owned = owned.sort_values(["title", "certifinfo_code"])
    aims = owned["certifinfo_code"].map(links.groupby("certifinfo_code")["aims_at"].agg(set))
    state = ("RNCP" + owned["rncp_code"].fillna("")).map(calendar.set_index("fiche_code")["state"])
    oldest = date(on.year - STALE_YEARS, on.month, min(on.day, 28)).isoformat()
    pair = ["branch_code", "certifinfo_code"]
    chosen = {
        "expired": state == "expired",
        "expiring": state.isin([f"within_{months}_months" for months in LEAD_MONTHS]),
        "no_metier": aims.isna(),
        "domain_only": aims.map(lambda each: each == {"domain"}),
        "old_record": owned["updated_on"] < oldest,
        "shared": pd.MultiIndex.from_frame(owned[pair]).isin(
            pd.MultiIndex.from_frame(shared[pair])
        ),
    }
    listed = owned[[*pair, "title"]]
    parts = [listed[np.asarray(chosen[code], "bool")].assign(reason_code=code) for code in REASONS]
    return pd.concat(parts, ignore_index=True)


def months_later(on: date, months: int) -> date:
    """Return the day some months later, on the 28th of its month at the latest."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    return date(year, month + 1, min(on.day, 28))
