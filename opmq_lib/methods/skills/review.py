"""Sheets that a person answers, and answers that no re-run overwrites: matches, skills of blocs."""

import re
from typing import Final

import pandas as pd

from opmq_lib import tables
from opmq_lib.matching import match_labels

PROPOSED: Final = 5
"""Skills proposed for a bloc; source: convention."""
REVIEW_COLUMNS, SHEET_COLUMNS = (
    list(tables.DESCRIPTIONS[name]) for name in ("review", "bloc_readings")
)
_NUMBERING: Final = re.compile(
    r"^(bloc\s*)?(n°\s*)?(RNCP\d+|RS\d+)?[A-Z]{0,4}\d+[.\w]*\s*[-–:]\s*", re.IGNORECASE
)


def review_sheet(matches: pd.DataFrame, decided: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what a person has to look at, earlier decisions kept as they were written.

    Args:
        matches: What `match_labels` returns.
        decided: Table `review`: an earlier sheet, completed or not.

    Returns:
        Rows of table `review`. First every row of the earlier sheet that bears a decision,
        untouched; then the proposals of queries that are `unsure` and for which no code has been
        accepted, those already refused left out; their `version` is one above the earlier sheet's.

    Raises:
        DataError: With every row of the earlier sheet that breaks the contract.

    Examples:
        >>> matches = pd.DataFrame({"query": ["soudr"], "rank": [1], "code": ["H2913"],
        ...     "label": ["Soudeur"], "confidence": [0.3], "unsure": [True]})
        >>> sheet = review_sheet(matches)
        >>> sheet.loc[0, "decision"] = "accepted"
        >>> again = review_sheet(matches, sheet)
        >>> again[["code", "decision", "version"]].values.tolist()
        [['H2913', 'accepted', 1]]
    """
    earlier = pd.DataFrame(columns=REVIEW_COLUMNS) if decided is None else decided
    tables.check("review", earlier, "review")
    settled = earlier.loc[earlier["decision"] == "accepted", "query"]
    doubtful = matches["unsure"] & (matches["code"] != "") & ~matches["query"].isin(settled)
    fresh = matches[doubtful].drop_duplicates(["query", "code"])
    version = 1 if earlier.empty else int(earlier["version"].max()) + 1
    fresh = fresh.assign(decision="", decided_on="", note="", version=version)[REVIEW_COLUMNS]
    sheet = _above(earlier[earlier["decision"] != ""], fresh, ["query", "code"])
    return sheet.astype({"rank": "int64", "version": "int64", "confidence": "float64"})


def apply_decisions(matches: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    """Return matches as people decided: accepted codes alone and sure, refused ones gone.

    Examples:
        >>> matches = pd.DataFrame({"query": ["a", "a"], "rank": [1, 2], "code": ["X", "Y"],
        ...     "label": ["x", "y"], "confidence": [0.4, 0.3], "unsure": [True, True]})
        >>> decided = review_sheet(matches).assign(decision=["refused", "accepted"])
        >>> apply_decisions(matches, decided)[["code", "unsure"]].values.tolist()
        [['Y', False]]
    """
    tables.check("review", decided, "review")
    decisions = decided[["query", "code", "decision"]]
    both = matches.merge(decisions, on=["query", "code"], how="left")
    accepted, refused = both["decision"] == "accepted", both["decision"] == "refused"
    settled = both["query"].isin(both.loc[accepted, "query"])
    both["unsure"] &= ~accepted
    return both.loc[accepted | ~(settled | refused), [*matches]].reset_index(drop=True)


def subject(bloc_label: str) -> str:
    """Return what a bloc is about: its label without the number that some begin with.

    Examples:
        >>> subject("UP3 : Vérification d’extincteurs"), subject("Bloc 2 - Souder")
        ('Vérification d’extincteurs', 'Souder')
        >>> subject("Souder en 3 dimensions"), subject("BC01 :")
        ('Souder en 3 dimensions', 'BC01 :')
    """
    return _NUMBERING.sub("", bloc_label) or bloc_label


def bloc_proposals(blocs: pd.DataFrame, skills: pd.DataFrame) -> pd.DataFrame:
    """Return the skills whose labels each bloc's label resembles, for a person to read.

    Args:
        blocs: `fiche_code`, `bloc_code`, `title`.
        skills: `code`, `label`, one row per label.

    Returns:
        Rows of table `bloc_readings`, `decision` empty, `PROPOSED` skills at most for a bloc, most
        confident first; no row for a bloc whose label shares nothing with any skill's.

    Examples:
        >>> blocs = pd.DataFrame({"fiche_code": ["RNCP1"], "bloc_code": ["RNCP1BC01"],
        ...                       "title": ["BC01 : Souder à l’arc"]})
        >>> skills = pd.DataFrame({"code": ["7", "8"], "label": ["Souder à l’arc", "Vendre"]})
        >>> bloc_proposals(blocs, skills)[["bloc_code", "skill_code", "decision"]].values.tolist()
        [['RNCP1BC01', '7', '']]
    """
    asked = blocs.drop_duplicates("bloc_code").rename(columns={"title": "bloc_label"})
    asked = asked.assign(query=asked["bloc_label"].map(subject))
    near = match_labels(asked["query"].drop_duplicates(), skills, PROPOSED)
    near = near[near["code"] != ""].rename(columns={"code": "skill_code", "label": "skill_label"})
    return asked.merge(near, on="query").assign(decision="")[SHEET_COLUMNS]


def reading_sheet(proposed: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    """Return what a person has to read, earlier decisions kept as they were written.

    Args:
        proposed: What `bloc_proposals` returns.
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
    return _above(decided[written], proposed, ["bloc_code", "skill_code"])


def _above(written: pd.DataFrame, proposed: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Return the rows that a person wrote, then the proposals that they do not answer."""
    known = pd.MultiIndex.from_frame(written[key])
    left = proposed[~pd.MultiIndex.from_frame(proposed[key]).isin(known)]
    parts = [part[[*proposed]] for part in (written, left) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else proposed
