"""Which skills the blocs of the register cover: proposals, what a person read, coverage (S2).

The register names blocs and does not say which skills of the ROME they cover. A *proposal* is a
resemblance of words; a *reading* is what a person answered to it, and readings alone are coverage.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Final

import pandas as pd

from opmq_lib.matching import match_labels
from opmq_lib.methods.skills.certifications import (
    LEAD_MONTHS,
    bloc_coverage,
    live_blocs,
    months_later,
)
from opmq_lib.methods.skills.profiles import carried

PROPOSED: Final = 5
"""Skills proposed for a bloc; source: convention."""
KEY: Final = ["bloc_code", "skill_code"]
SHEET_COLUMNS: Final = (
    "bloc_code", "bloc_label", "fiche_code", "skill_code", "skill_label", "confidence", "decision",
)  # fmt: skip
_NUMBERING: Final = re.compile(
    r"^(bloc\s*)?(n°\s*)?(RNCP\d+|RS\d+)?[A-Z]{0,4}\d+[.\w]*\s*[-–:]\s*", re.IGNORECASE
)


def subject(bloc_label: str) -> str:
    """Return what a bloc is about: its label without the number that some begin with.

    Examples:
        >>> subject("UP3 : Vérification d’extincteurs"), subject("Bloc 2 - Souder")
        ('Vérification d’extincteurs', 'Souder')
        >>> subject("Souder en 3 dimensions"), subject("BC01 :")
        ('Souder en 3 dimensions', 'BC01 :')
    """
    return _NUMBERING.sub("", bloc_label) or bloc_label


def proposals(blocs: pd.DataFrame, skills: pd.DataFrame, top_k: int = PROPOSED) -> pd.DataFrame:
    """Return the skills whose labels each bloc's label resembles, for a person to read.

    Args:
        blocs: `fiche_code`, `bloc_code`, `title`.
        skills: `code`, `label`, one row per label.
        top_k: Skills proposed per bloc, at most.

    Returns:
        The columns of `SHEET_COLUMNS`, `decision` empty, most confident first within a bloc; no row
        for a bloc whose label shares nothing with any skill's.

    Examples:
        >>> blocs = pd.DataFrame({"fiche_code": ["RNCP1"], "bloc_code": ["RNCP1BC01"],
        ...                       "title": ["BC01 : Souder à l’arc"]})
        >>> skills = pd.DataFrame({"code": ["7", "8"], "label": ["Souder à l’arc", "Vendre"]})
        >>> proposals(blocs, skills)[["bloc_code", "skill_code", "decision"]].values.tolist()
        [['RNCP1BC01', '7', '']]
    """
    asked = blocs.drop_duplicates("bloc_code").rename(columns={"title": "bloc_label"})
    asked = asked.assign(query=asked["bloc_label"].map(subject))
    found = match_labels(asked["query"].drop_duplicates(), skills, top_k)
    found = found[found["code"] != ""].rename(
        columns={"code": "skill_code", "label": "skill_label"}
    )
    told: pd.DataFrame = asked.merge(found, on="query").assign(decision="")
    return told[list(SHEET_COLUMNS)]


def reading_sheet(proposed: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    """Return what a person has to read, earlier decisions kept as they were written.

    Args:
        proposed: What `proposals` returns.
        decided: Table `bloc_readings`: an earlier sheet, completed or not.

    Returns:
        First every row of the earlier sheet that a person wrote, untouched: those that bear a
        decision, and those that bear no confidence, so were added; then the other proposals.

    Examples:
        >>> row = {"bloc_code": "RNCP1BC01", "bloc_label": "Souder", "fiche_code": "RNCP1",
        ...        "skill_code": "7", "skill_label": "Souder", "confidence": 0.9, "decision": ""}
        >>> proposed = pd.DataFrame([row, row | {"skill_code": "8"}])
        >>> sheet = reading_sheet(proposed, proposed.head(1).assign(decision="yes"))
        >>> sheet[["skill_code", "decision"]].values.tolist()
        [['7', 'yes'], ['8', '']]
    """
    written = (decided["decision"] != "") | decided["confidence"].isna()
    kept = decided.loc[written, list(SHEET_COLUMNS)]
    known = set(zip(kept["bloc_code"], kept["skill_code"], strict=True))
    pairs = zip(proposed["bloc_code"], proposed["skill_code"], strict=True)
    left = proposed.loc[[pair not in known for pair in pairs], list(SHEET_COLUMNS)]
    parts = [part for part in (kept, left) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else proposed


def dated_blocs(fiches: pd.DataFrame, blocs: pd.DataFrame) -> pd.DataFrame:
    """Return the days between which each bloc is live: those of its fiche.

    Args:
        fiches: Table `rncp_fiches`.
        blocs: Table `rncp_blocs`.

    Returns:
        `bloc_code`, `starts_on`, `ends_on`. `ends_on` is empty, so that the bloc is never live,
        where the register gives no end, does not say that the fiche is active, or lacks the fiche.
        An active fiche without a first day has begun.

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
    return dated.fillna("")[["bloc_code", "starts_on", "ends_on"]]


def main_weights(metier_skills: pd.DataFrame, wanted: Iterable[str]) -> pd.DataFrame:
    """Return the weight of each main skill: how many of the métiers wanted carry it.

    The ROME says which skills of a fiche are main or emerging and gives no weight: each counts one.

    Args:
        metier_skills: `rome_code`, `skill_code`, `importance`.
        wanted: ROME codes.

    Returns:
        `skill_code`, `weight`.
    """
    main = carried(metier_skills)
    mine = main[main["rome_code"].isin(list(wanted))]
    return mine.groupby("skill_code")["rome_code"].nunique().rename("weight").reset_index()


def lead_days(on: date) -> dict[int, date]:
    """Return the day itself and those 12 and 24 months later, by number of months.

    Examples:
        >>> [day.isoformat() for day in lead_days(date(2026, 1, 31)).values()]
        ['2026-01-31', '2027-01-28', '2028-01-28']
    """
    return {0: on} | {months: months_later(on, months) for months in LEAD_MONTHS}


def metier_bloc_coverage(
    metier_skills: pd.DataFrame,
    readings: pd.DataFrame,
    blocs: pd.DataFrame,
    wanted: Iterable[str],
    on: date,
) -> pd.DataFrame:
    """Return how much of each métier's main skills live blocs cover, on a day and later.

    Args:
        metier_skills: `rome_code`, `skill_code`, `importance`.
        readings: `bloc_code`, `skill_code`: what a person read as covered.
        blocs: What `dated_blocs` returns of the blocs that were read.
        wanted: ROME codes.
        on: The day.

    Returns:
        One row per métier and lead time (0, 12 and 24 months): `rome_code`, `lead_months`,
        `covered_on` (that day), `coverage_ratio` (`nan` without main skill), `skills_count`,
        `read_skills_count` (those that a bloc, live or not, was read as covering),
        `ending_blocs_count` (blocs that cover one of them on the first day and not that day).

    Raises:
        RangeError: If a bloc ends before it starts.

    Source:
        Methodology, S2, all weights equal; if nothing is renewed.
    """
    days = lead_days(on)
    live = {months: live_blocs(blocs, day) for months, day in days.items()}
    rows = []
    for rome in wanted:
        weights = main_weights(metier_skills, [rome])
        mine = readings[readings["skill_code"].isin(weights["skill_code"])]
        carrying = frozenset(mine["bloc_code"])
        rows += [
            {
                "rome_code": rome,
                "lead_months": months,
                "covered_on": day.isoformat(),
                "coverage_ratio": bloc_coverage(weights, mine, blocs, day),
                "skills_count": len(weights),
                "read_skills_count": mine["skill_code"].nunique(),
                "ending_blocs_count": len(carrying & live[0] - live[months]),
            }
            for months, day in days.items()
        ]
    columns = ["rome_code", "lead_months", "covered_on", "coverage_ratio", "skills_count",
               "read_skills_count", "ending_blocs_count"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
