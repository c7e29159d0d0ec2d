"""The register of works: studies, certifications, agreements, actions; where they stand.

What studies cover (N1) is counted on studies alone.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from opmq_lib.tables import DESCRIPTIONS, check
from opmq_lib.tables.register import EVERY_BRANCH

LIMIT_MONTHS: Final = 36
"""Age of the fieldwork beyond which a study no longer covers its cell (convention of N1)."""
STUDY: Final = "study"
SINCE: Final = "done_since"
OPEN: Final = ("requested", "decided", "under_way")
DONE: Final = ("delivered", "validated")
ABANDONED: Final = "abandoned"
TABLE: Final = "work_review"
COLUMNS: Final = tuple(DESCRIPTIONS[TABLE])
LISTED: Final = tuple(DESCRIPTIONS["work_list"])
STAGES: Final = tuple(filter(None, DESCRIPTIONS["work_list"]["stage"].choices))


def exploded(register: pd.DataFrame, branch_codes: Sequence[str]) -> pd.DataFrame:
    """Return one row per study, branch and theme; a study of all branches is in each.

    Examples:
        >>> register = pd.DataFrame({"work_code": ["E1"], "branch_codes": ["ensemble"],
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
        lambda cell: (
            [*branch_codes] if EVERY_BRANCH in cell.split() else [*dict.fromkeys(cell.split())]
        )
    )
    return register.assign(branch_code=named).explode("branch_code", ignore_index=True)


def is_valid(register: pd.DataFrame, on: date) -> pd.Series:
    """Return which studies are validated and not older than the limit, by the end of fieldwork.

    A validated study without that date is not valid: it is counted apart.

    Examples:
        >>> register = pd.DataFrame({"status": ["validated"] * 3,
        ...     "fieldwork_end_on": ["2023-11-24", "2023-11-23", ""]})
        >>> is_valid(register, date(2026, 11, 24)).tolist()
        [True, False, False]
    """
    oldest = (pd.Timestamp(on) - pd.DateOffset(months=LIMIT_MONTHS)).date().isoformat()
    ended = register["fieldwork_end_on"].astype("str")
    valid: pd.Series = (register["status"] == "validated") & (ended != "") & (ended >= oldest)
    return valid


def followed(register: pd.DataFrame, on: date, before: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the works with where they stand on a day.

    Args:
        register: Table `works`.
        on: Day of the edition.
        before: Table `work_list` of the previous edition, if there is one.

    Returns:
        The register, with `valid` (studies that cover their cells), `follow_up`: `late`, or of a
        study `undated` or `outdated`, or empty; and `stage`: `done_since` the previous edition,
        which did not have it done; `done`, `late`, `under_way`, `decided`, `requested`,
        `abandoned`. `has_before`: whether there is a previous edition to tell since.
    """
    is_study = register["kind"] == STUDY
    valid = is_valid(register, on) & is_study
    checked = (register["status"] == "validated") & is_study
    late = register["status"].isin(OPEN) & register["due_on"].between("1", on.isoformat())
    undated = checked & (register["fieldwork_end_on"] == "")
    states = np.select([late, undated, checked & ~valid], ["late", "undated", "outdated"], "")
    done, since = register["status"].isin(DONE), pd.Series(data=False, index=register.index)
    if before is not None:
        known = before.loc[before["status"].isin(DONE), "work_code"]
        since = ~register["work_code"].isin(known)
    stages = np.select([done & since, done, late], [SINCE, "done", "late"], "")
    stage = pd.Series(stages, register.index).replace("", None).fillna(register["status"])
    has_before = before is not None
    return register.assign(valid=valid, follow_up=states, stage=stage, has_before=has_before)


def review(
    works: pd.DataFrame, branch_codes: Sequence[str], theme_codes: Sequence[str]
) -> pd.DataFrame:
    """Return coverage with its gaps and overlaps, what is late or too old, and what recurs.

    Args:
        works: From `followed`. Confidential studies are only counted, all branches together;
            confidential works of another kind are not.
        branch_codes: Branches of the study.
        theme_codes: Themes.

    Returns:
        Table `work_review`. By branch and theme: `valid_studies_count` (0 is a gap, 2 and more
        with different requesters an overlap). By branch, and `ensemble`: `study_coverage_ratio`
        with covered and eligible cells, `studies_count`, and by `variant` those `late`, `outdated`,
        `undated`; for `ensemble` alone those `confidential`, part of its `studies_count`. By theme,
        for `ensemble`: `branches_studying_count`, and `joint_candidate_branches_count`, branches
        that have each asked for a study of it that is still open. By branch, and `ensemble`:
        `works_count`, public works of any kind, by `variant` the stage they are at (`np`, those
        done since an edition before where there is none).
    """
    if works.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    studies = works[works["kind"] == STUDY]
    cells = exploded(_public(studies), branch_codes)
    parts = [
        *_valid_counts(cells, branch_codes, theme_codes),
        _coverage(cells, branch_codes, theme_codes),
        *_followed_counts(studies, cells, branch_codes),
        *_recurring(cells, theme_codes),
        *_works_counts(_public(works), branch_codes, bool(works["has_before"].all())),
    ]
    table = pd.concat(parts, ignore_index=True)
    table = table.fillna({"theme_code": "all", "unit": "studies", "variant": ""})
    table = table.assign(
        status=np.where(table["value"].isna(), "np", "value"), nature="observed", origin="public"
    ).astype({"value": "float64", "numerator_count": "Int64", "denominator_count": "Int64"})
    return check(TABLE, table[list(COLUMNS)], TABLE)


def listed(works: pd.DataFrame) -> pd.DataFrame:
    """Return the works that may be described: public ones, newest first: table `work_list`.

    Args:
        works: From `followed`.
    """
    public = _public(works)
    table = public.assign(origin=public["origin"].replace("own", "public"))
    ordered = table.sort_values(["requested_on", "work_code"], ascending=[False, True])
    return check("work_list", ordered[list(LISTED)].reset_index(drop=True), "work_list")


def decided(decisions: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    """Return what CPNEFP have decided on shortlists, and the works that follow from it.

    Args:
        decisions: Table `decisions`; what is public and has been decided is kept.
        listed: From `listed`: works that name a decision.

    Returns:
        Table `work_decisions`: a row per decision and work, or one without work where none names
        it; newest first.
    """
    is_told = (decisions["disclosure"] == "public") & (decisions["status"] != "candidate")
    named = ["decision_code", "work_code", "title", "stage", "delivered_on", "outcome"]
    table = decisions[is_told].rename(columns={"status": "decision_status"})
    table = table.merge(listed[[*named, "origin"]], on="decision_code", how="left")
    table[named] = table[named].astype("object").fillna("")
    table = table.assign(status="value", origin=table["origin"].fillna("public"))
    order = ["decided_on", "decision_code", "work_code"]
    table = table.sort_values(order, ascending=[False, True, True], ignore_index=True)
    return check("work_decisions", table[list(DESCRIPTIONS["work_decisions"])], "work_decisions")


def shared_metiers(studies: pd.DataFrame, branch_codes: Sequence[str]) -> pd.DataFrame:
    """Return the métiers that public studies of several branches look at: table `work_metiers`.

    Examples:
        >>> register = pd.DataFrame({"work_code": ["E1", "E2"], "kind": "study",
        ...     "branch_codes": ["verre", "chaux"], "theme_codes": ["emplois"] * 2,
        ...     "metier_codes": ["G1Z70 E1Z43", "G1Z70"],
        ...     "disclosure": ["public"] * 2})
        >>> table = shared_metiers(register, ["verre", "chaux"])
        >>> table[["metier_code", "value"]].to_dict("records")
        [{'metier_code': 'G1Z70', 'value': 2.0}]
    """
    cells = exploded(_public(studies[studies["kind"] == STUDY]), branch_codes)
    cells = cells.assign(metier_code=cells["metier_codes"].str.split()).explode("metier_code")
    counts = cells.dropna(subset="metier_code").groupby("metier_code")["branch_code"].nunique()
    several = counts[counts >= 2].sort_values(ascending=False, kind="stable")
    facts = {"status": "value", "nature": "observed", "origin": "public"}
    table = (
        several.astype("float64")
        .reset_index(name="value")
        .assign(indicator="branches_studying_count", unit="branches", **facts)
    )
    return check("work_metiers", table[list(DESCRIPTIONS["work_metiers"])], "work_metiers")


def _public(studies: pd.DataFrame) -> pd.DataFrame:
    public: pd.DataFrame = studies.loc[studies["disclosure"] == "public"]
    return public


def _valid_counts(
    cells: pd.DataFrame, branch_codes: Sequence[str], theme_codes: Sequence[str]
) -> list[pd.DataFrame]:
    grid = pd.MultiIndex.from_product([branch_codes, theme_codes])
    valid = cells[cells["valid"]].groupby(["branch_code", "theme_code"])
    counted = {"valid_studies_count": "work_code", "valid_requesters_count": "requested_by"}
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
    once = cells.drop_duplicates(["work_code", "branch_code"])
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


def _works_counts(
    works: pd.DataFrame, branch_codes: Sequence[str], has_before: bool
) -> list[pd.DataFrame]:
    once = of_branches(works, branch_codes)
    both = pd.concat([once, works.assign(branch_code=EVERY_BRANCH)])
    facts = {"indicator": "works_count", "unit": "works"}
    codes = [*branch_codes, EVERY_BRANCH]
    parts = []
    for stage in STAGES:
        counts = both[both["stage"] == stage].groupby("branch_code").size()
        part = _counted(counts, codes, variant=stage, **facts)
        parts.append(part if has_before or stage != SINCE else part.assign(value=np.nan))
    return parts


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


def invented(branch_codes: Sequence[str], start: date, on: date) -> pd.DataFrame:
    """Return fictitious works for a demonstration, each as far as it has gone on a day.

    Args:
        branch_codes: Branches: a study, a certification and an action each.
        start: Day on which they were asked for.
        on: Day of the edition: a work is decided after 3 months, under way after 6, done after 18;
            the action is late.

    Returns:
        Table `works`, each row of origin `fictitious`.

    Examples:
        >>> one, later = (invented(["chaux"], date(2025, 1, 1), date(year, 3, 1))
        ...               for year in (2026, 2027))
        >>> one["status"].tolist(), later["status"].tolist()
        (['under_way', 'under_way', 'under_way'], ['delivered', 'delivered', 'under_way'])
    """
    days = {
        name: (pd.Timestamp(start) + pd.DateOffset(months=months)).date()
        for name, months in {"decided": 3, "under_way": 6, "delivered": 18}.items()
    }
    past = [name for name, day in days.items() if day <= on]
    kinds = {STUDY: "Étude", "certification_written": "Certification", "action": "Action"}
    rows = [
        {
            "work_code": f"fictif-{branch}-{kind}",
            "kind": kind,
            "title": f"{word} fictive, pour montrer la page",
            "requested_by": "CPNEFP fictive",
            "branch_codes": branch,
            "theme_codes": "emplois",
            "question": "Question fictive",
            "status": (past[:2] if kind == "action" else past)[-1] if past else "requested",
            "requested_on": start.isoformat(),
            "decided_on": days["decided"].isoformat() if past else "",
            "minutes_reference": "relevé fictif" if past else "",
            "due_on": days["delivered"].isoformat(),
            "disclosure": "public",
            "origin": "fictitious",
        }
        for branch in branch_codes
        for kind, word in kinds.items()
    ]
    table = pd.DataFrame(rows).reindex(columns=list(DESCRIPTIONS["works"]), fill_value="")
    is_done = table["status"].isin(DONE)
    table["delivered_on"] = np.where(is_done, days["delivered"].isoformat(), "")
    table["outcome"] = np.where(is_done, "Résultat fictif", "")
    return table
