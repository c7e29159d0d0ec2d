"""How much of the main skills of métiers the blocs of the register cover (S2).

The register names blocs and does not say which skills of the ROME they cover. What a person read
in them alone is coverage (`review` proposes what to read); if nothing is renewed, blocs end.
"""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from opmq_lib import tables
from opmq_lib.methods.skills.certifications import LEAD_MONTHS, months_later


def dated_blocs(fiches: pd.DataFrame, blocs: pd.DataFrame) -> pd.DataFrame:
    """Return the days between which each bloc is live: those of its fiche.

    Args:
        fiches: Table `rncp_fiches`.
        blocs: Table `rncp_blocs`.

    Returns:
        `fiche_code`, `bloc_code`, `starts_on`, `ends_on`. `ends_on` is empty, so that the bloc is
        never live, where the register gives no end, does not say that the fiche is active, or lacks
        the fiche. An active fiche without a first day has begun.

    Raises:
        RangeError: With every bloc that ends before it starts.

    Examples:
        >>> fiches = pd.DataFrame({"fiche_code": ["RNCP1", "RNCP2"], "active": ["yes", "no"],
        ...     "starts_on": "", "ends_on": "2030-01-01"})
        >>> blocs = pd.DataFrame({"fiche_code": ["RNCP1", "RNCP2", "RNCP3"],
        ...                       "bloc_code": ["RNCP1BC01", "RNCP2BC01", "RNCP3BC01"]})
        >>> dated_blocs(fiches, blocs)["ends_on"].tolist()
        ['2030-01-01', '', '']
    """
    days = fiches[["fiche_code", "starts_on", "ends_on"]].assign(
        ends_on=fiches["ends_on"].where(fiches["active"] == "yes", "")
    )
    dated = blocs[["fiche_code", "bloc_code"]].merge(days, on="fiche_code", how="left")
    return tables.check("bloc_dates", dated.fillna(""), "days of the blocs")


def live_blocs(blocs: pd.DataFrame, on: date) -> frozenset[str]:
    """Return the codes of the blocs that are live on a day.

    The day of expiry counts; without an end date a bloc is not live, nor is one that has not begun.

    Examples:
        >>> blocs = pd.DataFrame({"bloc_code": ["B1", "B2", "B3"], "starts_on": ["2022-01-01", "",
        ...     "2030-01-01"], "ends_on": ["2026-12-31", "", "2031-01-01"]})
        >>> sorted(live_blocs(blocs, date(2026, 12, 31)))
        ['B1']
    """
    day = on.isoformat()
    is_live = (blocs["ends_on"] >= day) & (blocs["starts_on"] <= day)
    return frozenset(blocs.loc[is_live, "bloc_code"])


def bloc_coverage(
    profile: pd.DataFrame,
    readings: pd.DataFrame,
    blocs: pd.DataFrame,
    wanted: Sequence[str],
    on: date,
) -> pd.DataFrame:
    """Return C(t): how much of each métier's main skills live blocs cover, on a day and later.

    Args:
        profile: `rome_code`, `skill_code`: main skills (`profiles.main_and_emerging`). The ROME
            gives them no weight: each counts one.
        readings: `bloc_code`, `skill_code`: what a person read as covered.
        blocs: What `dated_blocs` returns of the blocs that were read.
        wanted: ROME codes.
        on: The day.

    Returns:
        One row per métier and lead time (0, 12 and 24 months): `rome_code`, `lead_months`,
        `covered_on` (that day), `coverage_ratio` (`nan` without main skill), `skills_count`,
        `read_skills_count` (those that a bloc, live or not, was read as covering),
        `ending_blocs_count` (blocs that cover one of them on the first day and not that day).

    Source:
        Methodology, S2, all weights equal; if nothing is renewed.

    Examples:
        >>> profile = pd.DataFrame({"rome_code": "H1", "skill_code": list("abcd")})
        >>> readings = pd.DataFrame({"bloc_code": ["B1", "B1", "B2"], "skill_code": list("adb")})
        >>> blocs = pd.DataFrame({"bloc_code": ["B1", "B2"], "starts_on": ["2022-01-01"] * 2,
        ...                       "ends_on": ["2026-12-31", "2025-06-30"]})
        >>> covered = bloc_coverage(profile, readings, blocs, ["H1"], date(2025, 1, 15))
        >>> covered[["coverage_ratio", "ending_blocs_count"]].to_numpy().tolist()
        [[0.75, 0.0], [0.5, 1.0], [0.0, 2.0]]
    """
    covering = profile.merge(readings[["bloc_code", "skill_code"]], on="skill_code")

    def count(links: pd.DataFrame, column: str) -> pd.Series:
        return links.groupby("rome_code")[column].nunique().reindex(list(wanted), fill_value=0)

    sizes, parts = count(profile, "skill_code"), []
    now = live_blocs(blocs, on)
    for months in (0, *LEAD_MONTHS):
        day = months_later(on, months) if months else on
        live = live_blocs(blocs, day)
        columns = {
            "lead_months": months,
            "covered_on": day.isoformat(),
            "coverage_ratio": count(covering[covering["bloc_code"].isin(live)], "skill_code")
            / sizes,
            "skills_count": sizes,
            "read_skills_count": count(covering, "skill_code"),
            "ending_blocs_count": count(
                covering[covering["bloc_code"].isin(now - live)], "bloc_code"
            ),
        }
        parts.append(pd.DataFrame(columns, index=pd.Index(wanted, name="rome_code")))
    return pd.concat(parts).loc[list(wanted)].reset_index()


def whole_coverage_pct(table: pd.DataFrame) -> pd.Series:
    """Return the coverage of all métiers together, in %, by `lead_months`.

    Args:
        table: What `bloc_coverage` returns; a ratio that is not known counts as 0.

    Returns:
        Percentages: a skill weighs as many métiers as carry it.
    """
    held = table["coverage_ratio"].fillna(0) * table["skills_count"]
    sizes = table["skills_count"].astype("float64").groupby(table["lead_months"]).sum()
    return 100 * held.groupby(table["lead_months"]).sum() / sizes
