"""A branch's certifications: portfolio, coverage, expiry, overlaps, what to look at first.

Two coverages, never mixed. *Métier-level*: a certification aims at a ROME, the ROME carries skills;
it says nothing of what is taught. *Bloc coverage*: a live bloc of the register is read against a
skill; it is `nd` until an RNCP export with blocs and dates, and such a reading, are loaded.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

import pandas as pd

from opmq_lib.errors import Defect, RangeError, SchemaError, gather
from opmq_lib.methods.skills.profiles import carried

LEAD_MONTHS: Final = (12, 24)
"""How long before its end a certification is looked at; source: convention (methodology, S2)."""
STALE_YEARS: Final = 5
"""Age of a record from which it is looked at: a registration lasts five years at most
(Code du travail, L. 6113-6 for the RS; L. 6113-5 for the RNCP to verify)."""
LEAST_SHARED: Final = 2
"""Métiers two certifications must share to be candidates; source: convention."""
_FICHE: Final = re.compile(r"[A-Z][0-9]{4}")
_DOMAIN: Final = re.compile(r"[A-Z][0-9]{2}00")

REASONS: Final = {
    "expired": "enregistrement terminé",
    "expiring": "enregistrement qui se termine bientôt",
    "no_metier": "aucun métier visé (ROME)",
    "domain_only": "un domaine ROME au lieu d’un métier",
    "old_record": "notice non mise à jour depuis cinq ans ou plus",
    "shared": "recoupe une certification d’une autre branche",
}
"""Why a certification is looked at, most pressing first."""


def is_domain(rome_code: str) -> bool:
    """Return whether a ROME code names a domain (`H1200`), which has no skills, not a métier.

    Examples:
        >>> is_domain("H1200"), is_domain("H1201")
        (True, False)
    """
    return _DOMAIN.fullmatch(rome_code) is not None


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
    told = distinct["validating_body"] + "\n" + distinct["certifying_body"]
    parts = [
        distinct[told.str.contains(body, regex=False)].assign(branch_code=branch)
        for branch, body in zip(bodies["branch_code"], bodies["body"], strict=True)
    ]
    columns = ["branch_code", *certifications.columns]
    if not parts:
        return pd.DataFrame(columns=columns)
    found = pd.concat(parts).drop_duplicates(["branch_code", "certifinfo_code"])
    return found[columns].sort_values(["branch_code", "title"]).reset_index(drop=True)


def metier_links(links: pd.DataFrame, romes: pd.DataFrame) -> pd.DataFrame:
    """Return what each certification aims at, métiers and domains told apart.

    Certif Info uses ROME V3 codes, which are the parent fiches of ROME 4.0: a code that is neither
    a parent fiche nor a domain is refused.

    Args:
        links: `certifinfo_code`, `rome_code`.
        romes: `rome_code` of the known fiches.

    Returns:
        `certifinfo_code`, `rome_code`, `aims_at` (`metier` or `domain`), each pair once.

    Raises:
        SchemaError: With every code that is unknown or malformed.
    """
    known = set(romes["rome_code"])
    pairs = links[["certifinfo_code", "rome_code"]].drop_duplicates().reset_index(drop=True)
    domain = pairs["rome_code"].map(is_domain)
    strange = pairs[~domain & ~pairs["rome_code"].isin(known)]
    if not strange.empty:
        raise SchemaError(
            [
                Defect(
                    f"certification {row['certifinfo_code']}, rome_code",
                    "unknown ROME" if _FICHE.fullmatch(row["rome_code"]) else "not a ROME code",
                    "a fiche of the ROME, or a domain such as H1200",
                    "correct the code",
                    row["rome_code"],
                )
                for row in strange.to_dict("records")
            ]
        )
    return pairs.assign(aims_at=domain.map({True: "domain", False: "metier"}))


def metier_coverage(
    owned: pd.DataFrame, links: pd.DataFrame, wanted: Sequence[str]
) -> pd.DataFrame:
    """Return, for each métier wanted, how many certifications of the portfolio aim at it.

    Returns:
        `rome_code`, `certifications_count`: this is métier-level coverage; 0 is a true zero.
    """
    aimed = links[
        (links["aims_at"] == "metier") & links["certifinfo_code"].isin(owned["certifinfo_code"])
    ]
    counts = aimed.groupby("rome_code")["certifinfo_code"].nunique()
    return (
        counts.reindex(list(wanted), fill_value=0)
        .rename("certifications_count")
        .rename_axis("rome_code")
        .reset_index()
    )


def uncovered_skills(coverage: pd.DataFrame, metier_skills: pd.DataFrame) -> pd.DataFrame:
    """Return the main skills of the métiers wanted that no certification's métier carries.

    Args:
        coverage: What `metier_coverage` returns.
        metier_skills: `rome_code`, `skill_code`, `importance`.

    Returns:
        `skill_code`, `metiers_count` (métiers wanted that carry it as main or emerging).
    """
    main = carried(metier_skills)
    mine = main[main["rome_code"].isin(coverage["rome_code"])]
    covered = coverage.loc[coverage["certifications_count"] > 0, "rome_code"]
    known = metier_skills.loc[metier_skills["rome_code"].isin(covered), "skill_code"]
    left = mine[~mine["skill_code"].isin(known)]
    return left.groupby("skill_code")["rome_code"].nunique().rename("metiers_count").reset_index()


def overlaps(
    owned: pd.DataFrame, links: pd.DataFrame, least_shared: int = LEAST_SHARED
) -> pd.DataFrame:
    """Return pairs of certifications of different branches that aim at the same métiers.

    Returns:
        `branch_code`, `certifinfo_code`, `other_branch_code`, `other_certifinfo_code`,
        `shared_metiers_count`; each pair in both directions, a certification owned by both
        branches left out (it is shared already). Candidates to talk about, not duplicates.
    """
    metiers = links.loc[links["aims_at"] == "metier", ["certifinfo_code", "rome_code"]]
    mine = owned[["branch_code", "certifinfo_code"]].merge(metiers, on="certifinfo_code")
    both = mine.merge(mine, on="rome_code", suffixes=("", "_other"))
    both = both[both["branch_code"] != both["branch_code_other"]]
    both = both[both["certifinfo_code"] != both["certifinfo_code_other"]]
    keys = ["branch_code", "certifinfo_code", "branch_code_other", "certifinfo_code_other"]
    counts = both.groupby(keys)["rome_code"].nunique().rename("shared_metiers_count").reset_index()
    counts = counts[counts["shared_metiers_count"] >= least_shared]
    renamed = {
        "branch_code_other": "other_branch_code",
        "certifinfo_code_other": "other_certifinfo_code",
    }
    return counts.rename(columns=renamed).reset_index(drop=True)


def bloc_coverage(
    weights: pd.DataFrame, readings: pd.DataFrame, blocs: pd.DataFrame, on: date
) -> float:
    """Return C(t): the weighted share of skills that a live bloc covers on a day.

    Args:
        weights: `skill_code`, `weight`.
        readings: `bloc_code`, `skill_code`: which bloc was read as covering which skill.
        blocs: `bloc_code`, `starts_on`, `ends_on`: ISO dates, `""` where not known.
        on: The day.

    Returns:
        A ratio; `nan` where the weights add up to nothing.

    Raises:
        RangeError: If a bloc ends before it starts, or a weight is negative.

    Source:
        Methodology, S2: the day of expiry counts; without an end date a bloc is not live, nor is
        one that has not begun.

    Examples:
        >>> weights = pd.DataFrame({"skill_code": list("abcd"), "weight": [3, 2, 2, 1]})
        >>> readings = pd.DataFrame({"bloc_code": ["B1", "B1", "B2"], "skill_code": list("adb")})
        >>> blocs = pd.DataFrame({"bloc_code": ["B1", "B2"], "starts_on": ["2022-01-01"] * 2,
        ...                       "ends_on": ["2026-12-31", "2025-06-30"]})
        >>> [bloc_coverage(weights, readings, blocs, date(*day))
        ...  for day in ((2025, 1, 15), (2025, 6, 30), (2026, 1, 15))]
        [0.75, 0.75, 0.5]
    """
    errors = [
        RangeError([Defect(f"bloc {row['bloc_code']}", "ends before it starts", "start before end",
                           "correct the dates", f"{row['starts_on']} > {row['ends_on']}")])
        for row in blocs.to_dict("records")
        if row["ends_on"] and row["starts_on"] > row["ends_on"]
    ]  # fmt: skip
    if (weights["weight"] < 0).any():
        errors.append(
            RangeError([Defect("weights", "a negative weight", "0 or more", "correct it")])
        )
    if errors:
        raise gather(errors)
    covered = readings.loc[readings["bloc_code"].isin(live_blocs(blocs, on)), "skill_code"]
    total = weights["weight"].sum()
    held = weights.loc[weights["skill_code"].isin(covered), "weight"].sum()
    return float(held / total) if total > 0 else float("nan")


def live_blocs(blocs: pd.DataFrame, on: date) -> frozenset[str]:
    """Return the codes of the blocs that are live on a day; see `bloc_coverage` for what that is.

    Examples:
        >>> blocs = pd.DataFrame({"bloc_code": ["B1", "B2", "B3"], "starts_on": ["2022-01-01", "",
        ...     "2030-01-01"], "ends_on": ["2026-12-31", "", "2031-01-01"]})
        >>> sorted(live_blocs(blocs, date(2026, 12, 31)))
        ['B1']
    """
    day = on.isoformat()
    live = (blocs["ends_on"] != "") & (blocs["ends_on"] >= day) & (blocs["starts_on"] <= day)
    return frozenset(blocs.loc[live, "bloc_code"])


def expiry_calendar(fiches: pd.DataFrame, on: date) -> pd.DataFrame:
    """Return when each fiche of the register ends, and within which lead time that is.

    Args:
        fiches: Table `rncp_fiches`: `fiche_code`, `ends_on` (ISO, `""` where not known), `active`.
        on: The day.

    Returns:
        `fiche_code`, `ends_on`, `state`: `expired` (ended, or inactive), `within_12_months`,
        `within_24_months`, `later`, `nd` (no end date).
    """
    limits = [on.isoformat(), *(months_later(on, months).isoformat() for months in LEAD_MONTHS)]

    def state(row: pd.Series) -> str:
        if row["active"] == "no" or (row["ends_on"] and row["ends_on"] < limits[0]):
            return "expired"
        if not row["ends_on"]:
            return "nd"
        for months, limit in zip(LEAD_MONTHS, limits[1:], strict=True):
            if row["ends_on"] <= limit:
                return f"within_{months}_months"
        return "later"

    states = [state(row) for _, row in fiches.iterrows()]
    return fiches[["fiche_code", "ends_on"]].assign(state=states).reset_index(drop=True)


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
    rows = owned.loc[owned["rncp_code"].fillna("") != "" if len(calendar) else []]
    told = rows.assign(fiche_code="RNCP" + rows["rncp_code"])
    told = told.merge(calendar, on="fiche_code", how="left").fillna({"ends_on": "", "state": "nd"})
    ends = [date.fromisoformat(day) if day else None for day in told["ends_on"]]
    left = [None if end is None else _months_between(on, end) for end in ends]
    told = told.assign(months_left=pd.array(left, dtype="Int64"))
    columns = ["branch_code", "certifinfo_code", "title", "fiche_code", "ends_on", "state"]
    found: pd.DataFrame = told[[*columns, "months_left"]]
    order = ["months_left", "title", "certifinfo_code"]
    return found.sort_values(order, na_position="last").reset_index(drop=True)


def to_look_at(
    owned: pd.DataFrame, links: pd.DataFrame, shared: pd.DataFrame, calendar: pd.DataFrame, on: date
) -> pd.DataFrame:
    """Return which certifications of the portfolio to look at, and for which stated reason.

    Returns:
        `branch_code`, `certifinfo_code`, `title`, `reason_code` (a key of `REASONS`); alphabetical
        within a reason, never a ranking; a certification stands once under each of its reasons.
    """
    aims = links.groupby("certifinfo_code")["aims_at"].agg(set)
    aims_of = owned["certifinfo_code"].map(aims)
    state = dict(zip(calendar["fiche_code"], calendar["state"], strict=True))
    states = owned["rncp_code"].map(lambda code: state.get(f"RNCP{code}", "nd"))
    oldest = date(on.year - STALE_YEARS, on.month, min(on.day, 28)).isoformat()
    chosen = {
        "expired": states == "expired",
        "expiring": states.isin([f"within_{months}_months" for months in LEAD_MONTHS]),
        "no_metier": aims_of.isna(),
        "domain_only": aims_of.map(lambda found: found == {"domain"}),
        "old_record": owned["updated_on"] < oldest,
        "shared": pd.MultiIndex.from_frame(owned[["branch_code", "certifinfo_code"]]).isin(
            pd.MultiIndex.from_frame(shared[["branch_code", "certifinfo_code"]])
        ),
    }
    columns = ["branch_code", "certifinfo_code", "title"]
    listed = owned[columns].sort_values(["title", "certifinfo_code"])
    parts = []
    for reason in REASONS:
        named = pd.Series(chosen[reason], index=owned.index).reindex(listed.index)
        parts.append(listed[named.to_numpy(dtype="bool")].assign(reason_code=reason))
    found: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return found


def months_later(on: date, months: int) -> date:
    """Return the day some months later, on the 28th of its month at the latest."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    return date(year, month + 1, min(on.day, 28))


def _months_between(on: date, end: date) -> int:
    """Return the whole months from a day to another, rounded down."""
    return (end.year - on.year) * 12 + end.month - on.month - (end.day < on.day)
