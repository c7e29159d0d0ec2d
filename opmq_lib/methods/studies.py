"""The register of studies: what is covered, what is late, what could be done together."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from opmq_lib.tables import DESCRIPTIONS, check
from opmq_lib.tables.register import EVERY_BRANCH

LIMIT_MONTHS: Final = 36
"""Age of the fieldwork beyond which a study no longer covers its cell (convention of N1)."""
OPEN: Final = ("requested", "under_way")
ABANDONED: Final = "abandoned"
TABLE: Final = "study_review"
COLUMNS: Final = tuple(DESCRIPTIONS[TABLE])
LISTED: Final = tuple(DESCRIPTIONS["study_list"])


def exploded(register: pd.DataFrame, branch_codes: Sequence[str]) -> pd.DataFrame:
    """Return one row per study, branch and theme; a study of all branches is in each.

    Examples:
        >>> register = pd.DataFrame({"study_code": ["E1"], "branch_codes": ["ensemble"],
        ...     "theme_codes": ["emplois besoins"]})
        >>> len(exploded(register, ["verre", "chaux"]))
        4
    """
    split = register.assign(theme_code=register["theme_codes"].str.split())
    return of_branches(split.explode("theme_code"), branch_codes)


def of_branches(register: pd.DataFrame, branch_codes: Sequence[str]) -> pd.DataFrame:
    """Return one row per row of a register and branch that it names, `ensemble` naming each.

    Examples:
        >>> register = pd.DataFrame({"branch_codes": ["ensemble", "verre"]})
        >>> of_branches(register, ["verre", "chaux"])["branch_code"].tolist()
        ['verre', 'chaux', 'verre']
    """
    named = register["branch_codes"].map(
        lambda cell: list(branch_codes) if EVERY_BRANCH in cell.split() else cell.split()
    )
    return register.assign(branch_code=named).explode("branch_code", ignore_index=True)


def is_valid(register: pd.DataFrame, on: date, limit_months: int = LIMIT_MONTHS) -> pd.Series:
    """Return which studies are validated and not older than the limit, by the end of fieldwork.

    A validated study without that date is not valid: it is counted apart.

    Examples:
        >>> register = pd.DataFrame({"status": ["validated"] * 3,
        ...     "fieldwork_end_on": ["2023-11-24", "2023-11-23", ""]})
        >>> is_valid(register, date(2026, 11, 24)).tolist()
        [True, False, False]
    """
    oldest = (pd.Timestamp(on) - pd.DateOffset(months=limit_months)).date().isoformat()
    ended = register["fieldwork_end_on"].astype("str")
    valid: pd.Series = (register["status"] == "validated") & (ended != "") & (ended >= oldest)
    return valid


def followed(register: pd.DataFrame, on: date, limit_months: int = LIMIT_MONTHS) -> pd.DataFrame:
    """Return the studies with where they stand on a day.

    Args:
        register: Table `studies`.
        on: Day of the edition.
        limit_months: Age of the fieldwork beyond which a study is too old.

    Returns:
        The register, with `valid` and `follow_up`: `late`, `undated`, `outdated` or empty.
    """
    valid = is_valid(register, on, limit_months)
    checked = register["status"] == "validated"
    late = register["status"].isin(OPEN) & register["due_on"].between("1", on.isoformat())
    undated = checked & (register["fieldwork_end_on"] == "")
    states = np.select([late, undated, checked & ~valid], ["late", "undated", "outdated"], "")
    return register.assign(valid=valid, follow_up=states)


def review(
    studies: pd.DataFrame, branch_codes: Sequence[str], theme_codes: Sequence[str]
) -> pd.DataFrame:
    """Return coverage with its gaps and overlaps, what is late or too old, and what recurs.

    Args:
        studies: From `followed`. Confidential studies are only counted, all branches together.
        branch_codes: Branches of the study.
        theme_codes: Themes.

    Returns:
        Table `study_review`. By branch and theme: `valid_studies_count` (0 is a gap, 2 and more
        with different requesters an overlap). By branch, and `ensemble`: `study_coverage_ratio`
        with covered and eligible cells, `studies_count`, and by `variant` those `late`, `outdated`,
        `undated`; for `ensemble` alone those `confidential`, part of its `studies_count`. By theme,
        for `ensemble`: `branches_studying_count`, and `joint_candidate_branches_count`, branches
        that have each asked for a study of it that is still open.
    """
    if studies.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    cells = exploded(_public(studies), branch_codes)
    parts = [
        *_valid_counts(cells, branch_codes, theme_codes),
        _coverage(cells, branch_codes, theme_codes),
        *_followed_counts(studies, cells, branch_codes),
        *_recurring(cells, theme_codes),
    ]
    table = pd.concat(parts, ignore_index=True)
    table = table.fillna({"theme_code": "all", "unit": "studies", "variant": ""})
    table = table.assign(
        status=np.where(table["value"].isna(), "np", "value"), nature="observed", origin="public"
    ).astype({"value": "float64", "numerator_count": "Int64", "denominator_count": "Int64"})
    return check(TABLE, table[list(COLUMNS)], TABLE)


def listed(studies: pd.DataFrame) -> pd.DataFrame:
    """Return the studies that may be described: public ones, newest first: table `study_list`.

    Args:
        studies: From `followed`.
    """
    table = _public(studies).assign(origin="public")
    ordered = table.sort_values(["requested_on", "study_code"], ascending=[False, True])
    return check("study_list", ordered[list(LISTED)].reset_index(drop=True), "study_list")


def shared_metiers(studies: pd.DataFrame, branch_codes: Sequence[str]) -> pd.DataFrame:
    """Return the métiers that public studies of several branches look at: table `study_metiers`.

    Examples:
        >>> register = pd.DataFrame({"study_code": ["E1", "E2"], "branch_codes": ["verre", "chaux"],
        ...     "theme_codes": ["emplois"] * 2, "metier_codes": ["G1Z70 E1Z43", "G1Z70"],
        ...     "disclosure": ["public"] * 2})
        >>> table = shared_metiers(register, ["verre", "chaux"])
        >>> table[["metier_code", "value"]].to_dict("records")
        [{'metier_code': 'G1Z70', 'value': 2.0}]
    """
    cells = exploded(_public(studies), branch_codes)
    cells = cells.assign(metier_code=cells["metier_codes"].str.split()).explode("metier_code")
    counts = cells.dropna(subset="metier_code").groupby("metier_code")["branch_code"].nunique()
    several = counts[counts >= 2].sort_values(ascending=False, kind="stable")
    facts = {"status": "value", "nature": "observed", "origin": "public"}
    table = (
        several.astype("float64")
        .reset_index(name="value")
        .assign(indicator="branches_studying_count", unit="branches", **facts)
    )
    return table[list(DESCRIPTIONS["study_metiers"])]


def _public(studies: pd.DataFrame) -> pd.DataFrame:
    public: pd.DataFrame = studies.loc[studies["disclosure"] == "public"]
    return public


def _valid_counts(
    cells: pd.DataFrame, branch_codes: Sequence[str], theme_codes: Sequence[str]
) -> list[pd.DataFrame]:
    grid = pd.MultiIndex.from_product([branch_codes, theme_codes])
    valid = cells[cells["valid"]].groupby(["branch_code", "theme_code"])
    counted = {"valid_studies_count": "study_code", "valid_requesters_count": "requested_by"}
    return [
        _counted(valid[column].nunique(), grid, indicator=name) for name, column in counted.items()
    ]


def _coverage(
    cells: pd.DataFrame, branch_codes: Sequence[str], theme_codes: Sequence[str]
) -> pd.DataFrame:
    """Return N1: the share of branch × theme cells with a valid study; `NaN` without any cell."""
    covered = cells[cells["valid"]].drop_duplicates(["branch_code", "theme_code"])
    counts = covered.groupby("branch_code").size().reindex(list(branch_codes)).fillna(0)
    counts[EVERY_BRANCH] = counts.sum()
    table = counts.rename("numerator_count").rename_axis("branch_code").reset_index()
    branches_count = np.where(table["branch_code"] == EVERY_BRANCH, len(branch_codes), 1)
    eligible = len(theme_codes) * branches_count
    ratio = table["numerator_count"] / eligible
    facts = {"indicator": "study_coverage_ratio", "unit": "ratio"}
    return table.assign(value=ratio, denominator_count=eligible, **facts)


def _followed_counts(
    studies: pd.DataFrame, cells: pd.DataFrame, branch_codes: Sequence[str]
) -> list[pd.DataFrame]:
    once = cells.drop_duplicates(["study_code", "branch_code"])
    public = _public(studies).assign(branch_code=EVERY_BRANCH)
    whole = studies.assign(branch_code=EVERY_BRANCH)
    confidential = whole[whole["disclosure"] == "confidential"]
    codes = [*branch_codes, EVERY_BRANCH]
    both = pd.concat([once, public])
    counted = [
        ("", pd.concat([once, whole]), codes),
        *((name, both[both["follow_up"] == name], codes)
          for name in ("late", "outdated", "undated")),
        ("confidential", confidential, [EVERY_BRANCH]),
    ]  # fmt: skip
    return [
        _counted(rows.groupby("branch_code").size(), of, indicator="studies_count", variant=name)
        for name, rows, of in counted
    ]


def _recurring(cells: pd.DataFrame, theme_codes: Sequence[str]) -> list[pd.DataFrame]:
    alone = cells[cells["status"].isin(OPEN) & ~cells["branch_codes"].str.contains(" |ensemble")]
    asked = {"branches_studying_count": cells, "joint_candidate_branches_count": alone}
    facts = {"branch_code": EVERY_BRANCH, "unit": "branches"}
    counted = {name: each.groupby("theme_code")["branch_code"] for name, each in asked.items()}
    return [
        _counted(branches.nunique(), theme_codes, indicator=name, **facts)
        for name, branches in counted.items()
    ]


def _counted(counts: pd.Series, of: Sequence[str] | pd.MultiIndex, **facts: str) -> pd.DataFrame:
    """Return a row for each code asked for, 0 where nothing was counted."""
    whole = counts.reindex(pd.Index(of)).fillna(0).rename("value")
    return whole.rename_axis(counts.index.names).reset_index().assign(**facts)
