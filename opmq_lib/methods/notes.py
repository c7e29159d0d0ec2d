"""Notes on what changes, which a body signs: what is shown, what is out of date, shared themes."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from opmq_lib.methods.works import ABANDONED, of_branches
from opmq_lib.tables import DESCRIPTIONS, check

LIST, THEMES = "note_list", "note_themes"


def followed(notes: pd.DataFrame, works: pd.DataFrame, on: date) -> pd.DataFrame:
    """Return the signed notes with what must be said of them on a day.

    Args:
        notes: Table `notes`. What is not signed, or has been withdrawn, is left out.
        works: Table `works`.
        on: Day of the edition.

    Returns:
        The register, with `follow_up`: `outdated` after its last day of validity,
        `study_abandoned` where the study that it rests on was, both, or empty. `basis` names the
        study by its title, unless it is confidential.

    Examples:
        >>> note = {"note_code": "N1", "status": "signed", "basis_kind": "study",
        ...         "work_code": "E1", "basis": "", "valid_until": "2026-01-01"}
        >>> works = pd.DataFrame({"work_code": ["E1"], "title": ["Robots"],
        ...                         "status": ["abandoned"], "disclosure": ["public"]})
        >>> followed(pd.DataFrame([note]), works, date(2026, 1, 2))[["basis", "follow_up"]].values
        array([['Robots', 'outdated study_abandoned']], dtype=object)
    """
    signed = notes[notes["status"] == "signed"].reset_index(drop=True)
    known = works.drop_duplicates("work_code").set_index("work_code")
    on_study = signed["basis_kind"] == "study"
    public = known["title"].where(known["disclosure"] == "public", "étude confidentielle")
    named = signed["work_code"].map(public).where(on_study, signed["basis"])
    marks = {
        "outdated": signed["valid_until"] < on.isoformat(),
        "study_abandoned": on_study & signed["work_code"].map(known["status"]).eq(ABANDONED),
    }
    said = [np.where(holds, name, "") for name, holds in marks.items()]
    follow_up = [" ".join(filter(None, each)) for each in zip(*said, strict=True)]
    return signed.assign(basis=named, follow_up=np.array(follow_up, dtype="object"))


def of_branch(notes: pd.DataFrame, branch_code: str) -> pd.DataFrame:
    """Return the notes of a branch, those still valid first, newest first.

    Args:
        notes: From `followed`.
        branch_code: The branch; a note of all branches is of each.

    Returns:
        Table `note_list`.
    """
    own = of_branches(notes, [branch_code])
    own = own[own["branch_code"] == branch_code]
    own = own.assign(
        status="value", origin=own["origin"].replace("own", "public"), is_old=own["follow_up"] != ""
    )
    order = ["is_old", "signed_on", "note_code"]
    own = own.sort_values(order, ascending=[True, False, True], ignore_index=True)
    return check(LIST, own[list(DESCRIPTIONS[LIST])], LIST)


def shared_themes(notes: pd.DataFrame) -> pd.DataFrame:
    """Return the themes on which notes that are still valid bear in several branches.

    Args:
        notes: Tables `note_list` of all branches, one under the other; may be empty.

    Returns:
        Table `note_themes`: branches, bodies that signed and notes by theme, most branches first.
    """
    if notes.empty:
        return pd.DataFrame(columns=list(DESCRIPTIONS[THEMES]))
    valid = notes[notes["follow_up"].fillna("") == ""]
    by_theme = valid.groupby("theme")
    table = by_theme.agg(
        branches_count=("branch_code", "nunique"),
        bodies_count=("signed_by", "nunique"),
        notes_count=("note_code", "nunique"),
        branch_codes=("branch_code", lambda codes: " ".join(sorted(set(codes)))),
        origin=("origin", "max"),
    ).reset_index()
    table = table[table["branches_count"] >= 2].assign(status="value")
    order = ["branches_count", "bodies_count", "theme"]
    table = table.sort_values(order, ascending=[False, False, True], ignore_index=True)
    return check(THEMES, table[list(DESCRIPTIONS[THEMES])], THEMES)


def invented(branch_codes: Sequence[str], on: date) -> pd.DataFrame:
    """Return fictitious notes for a demonstration: two a branch, one of them out of date.

    Args:
        branch_codes: Branches.
        on: Day of the edition.

    Returns:
        Table `notes`, each row of origin `fictitious`.

    Examples:
        >>> notes = invented(["chaux", "chimie"], date(2026, 11, 24))
        >>> len(notes), notes["origin"].unique().tolist()
        (4, ['fictitious'])
    """
    themes = list(DESCRIPTIONS["notes"]["theme"].choices)
    days = {  # signed on, valid until, in days from the edition's
        "valable": (-90, 900),
        "périmée": (-1200, -100),
    }
    rows = [
        {
            "note_code": f"fictive-{branch}-{at}",
            "note": f"Note fictive, {word}, pour montrer la page : rien n’a été observé.",
            "branch_codes": branch,
            "theme": themes[(place + 3 * at) % len(themes)],
            "basis_kind": "hearing",
            "basis": "audition fictive d’une section paritaire",
            "heard_on": (on + timedelta(days=first - 30)).isoformat(),
            "signed_by": "CPNEFP fictive",
            "signed_on": (on + timedelta(days=first)).isoformat(),
            "valid_until": (on + timedelta(days=last)).isoformat(),
            "status": "signed",
            "origin": "fictitious",
        }
        for place, branch in enumerate(branch_codes)
        for at, (word, (first, last)) in enumerate(days.items())
    ]
    return pd.DataFrame(rows).reindex(columns=list(DESCRIPTIONS["notes"]), fill_value="")
