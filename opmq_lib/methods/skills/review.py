"""Doubtful matches for a person to decide on, and decisions that no re-run overwrites."""

from typing import Final

import pandas as pd

from opmq_lib.errors import Defect, SchemaError

REVIEW_COLUMNS: Final = (
    "query", "rank", "code", "label", "confidence", "decision", "decided_on", "note", "version",
)  # fmt: skip
DECISIONS: Final = ("accepted", "refused")
KEY: Final = ["query", "code"]


def review_sheet(matches: pd.DataFrame, decided: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what a person has to look at, earlier decisions kept as they were written.

    Args:
        matches: What `match_labels` returns.
        decided: An earlier sheet, completed or not.

    Returns:
        The columns of `REVIEW_COLUMNS`. First every row of the earlier sheet that bears a decision,
        untouched; then the proposals of queries that are `unsure` and for which no code has been
        accepted, those already refused left out; their `version` is one above the earlier sheet's.

    Raises:
        SchemaError: If a decision is not `accepted` or `refused`; says every row.

    Examples:
        >>> matches = pd.DataFrame({"query": ["soudr"], "rank": [1], "code": ["H2913"],
        ...     "label": ["Soudeur"], "confidence": [0.3], "unsure": [True]})
        >>> sheet = review_sheet(matches)
        >>> sheet.loc[0, "decision"] = "accepted"
        >>> again = review_sheet(matches, sheet)
        >>> again[["code", "decision", "version"]].values.tolist()
        [['H2913', 'accepted', 1]]
    """
    doubtful = matches[matches["unsure"] & (matches["code"] != "")]
    earlier = pd.DataFrame(columns=list(REVIEW_COLUMNS)) if decided is None else decided
    _check(earlier)
    kept = earlier[earlier["decision"] != ""]
    settled = set(kept.loc[kept["decision"] == "accepted", "query"])
    known = pd.MultiIndex.from_frame(kept[KEY])
    version = 1 if earlier.empty else int(pd.to_numeric(earlier["version"]).max()) + 1
    fresh = doubtful[~doubtful["query"].isin(settled)]
    fresh = fresh[~pd.MultiIndex.from_frame(fresh[KEY]).isin(known)].drop_duplicates(KEY)
    fresh = fresh.assign(decision="", decided_on="", note="", version=version)
    sheet = pd.concat([kept[list(REVIEW_COLUMNS)], fresh[list(REVIEW_COLUMNS)]], ignore_index=True)
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
    _check(decided)
    told = {
        (row["query"], row["code"]): row["decision"]
        for row in decided.to_dict("records")
        if row["decision"]
    }
    settled = {query for (query, _), decision in told.items() if decision == "accepted"}
    decision = [told.get(key, "") for key in zip(matches["query"], matches["code"], strict=True)]
    accepted = pd.Series([each == "accepted" for each in decision], index=matches.index)
    refused = pd.Series([each == "refused" for each in decision], index=matches.index)
    kept = matches[accepted | (~matches["query"].isin(settled) & ~refused)]
    return kept.assign(unsure=kept["unsure"] & ~accepted[kept.index]).reset_index(drop=True)


def _check(decided: pd.DataFrame) -> None:
    missing = [name for name in REVIEW_COLUMNS if name not in decided]
    if missing:
        expected = ", ".join(REVIEW_COLUMNS)
        raise SchemaError(
            [Defect("review", f"no column `{name}`", expected, "start from a fresh sheet")
             for name in missing]
        )  # fmt: skip
    wrong = decided[~decided["decision"].isin(["", *DECISIONS])]
    if not wrong.empty:
        raise SchemaError(
            [
                Defect(
                    f"review, query “{row['query']}”, code {row['code']}",
                    "an unknown decision",
                    "accepted, refused, or empty",
                    "correct the cell",
                    str(row["decision"]),
                )
                for row in wrong.to_dict("records")
            ]
        )
