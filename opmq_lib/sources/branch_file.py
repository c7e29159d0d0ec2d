"""A branch's parameter file, written once and pre-filled from the tables."""

import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from opmq_lib import french
from opmq_lib.errors import Defect, SchemaError
from opmq_lib.params import BRANCH_NOTEBOOKS, NOT_VOTED
from opmq_lib.sources import embedded, idcc, parameters

_TEMPLATE: Final = """\
# yaml-language-server: $schema=../schema/branch.schema.json
# Parameters of one branch. `opmq validate` checks this file. Texts and codes are in quotes.

branch_code: {branch_code} # key in table `branches`, and name of this file
label: {label}
idcc_codes: [{idcc_codes}] # conventions in force on {on}, five digits each
perimeter_note: {perimeter_note}

notebooks: [{notebooks}] # templates to run for this branch

# Your own observed tables, as paths from the project's root. null: the estimate is used.
tables:
  employment: null
  age_structure: null # ages by métier
  entries: null # young beginners and net mobility by métier

# Criteria for core and strategic métiers: a value scores 0 at `low` and 1 at `high`; the other way
# round with `direction: "lower"`. Weights sum to 1. `threshold` may be added.
# These are examples that nobody has voted. Once the CPNEFP has voted, write for instance
#   vote: {{date: 2026-03-12, body: "CPNEFP de la branche", minutes_reference: "relevé 2026-03"}}
#   basis: "what the vote rests on"
criteria:
{criteria}"""

_EXAMPLE_CRITERIA: Final = (
    ("specificity", "Spécificité", "rapport à la moyenne nationale", 1, 3),
    ("weight", "Poids", "% des emplois de la branche", 0, 5),
    ("vulnerability", "Vulnérabilité", "score de 0 à 1", 0, 1),
    ("strategic_exposure", "Exposition stratégique", "% des emplois", 0, 50),
)
"""Code, label, unit and round goalposts of the four criteria of the methodology, C2."""


def new_branch(root: Path, branch_code: str) -> Path:
    """Write a commented parameter file for a branch and return its path.

    Conventions are those in force on the date of the edition, read from the dated history; a
    convention merged into another branch's is told in the perimeter note.

    Args:
        root: The project's root.
        branch_code: A key of table `branches`.

    Raises:
        ScopeError: If the branch is unknown.
        SchemaError: If the file exists already: nothing is overwritten.
        DataError: If the edition's parameters have defects.
    """
    where = f"parameters/branches/{branch_code}.yml"
    known = parameters.known_codes("branches", "branch_code")
    if branch_code not in known:
        raise parameters.unknown("branch_code", "branch", branch_code, known)
    if (root / where).exists():
        defect = Defect(where, "the file exists", "a branch without file", "edit it, or delete it")
        raise SchemaError([defect])
    text = branch_text(branch_code, parameters.load_edition(root).edition_date)
    partial = root / f"parameters/branches/.{branch_code}.{os.getpid()}"
    partial.write_text(text, encoding="utf-8")
    return partial.replace(root / where)


def branch_text(branch_code: str, on: date) -> str:
    """Return the text of a pre-filled parameter file.

    Args:
        branch_code: A key of table `branches`.
        on: The date on which conventions are asked for.

    Examples:
        >>> branch_text("chimie", date(2026, 1, 31)).splitlines()[5]
        'idcc_codes: ["00044"] # conventions in force on 2026-01-31, five digits each'
    """
    branches = embedded.load("branches").set_index("branch_code")
    label = french.label(str(branches.loc[branch_code, "label"]))
    own, note = _perimeter(branch_code, on)
    return _TEMPLATE.format(
        branch_code=_quoted(branch_code),
        label=_quoted(label),
        on=on.isoformat(),
        idcc_codes=", ".join(map(_quoted, own)),
        perimeter_note=_quoted(note),
        notebooks=", ".join(map(_quoted, BRANCH_NOTEBOOKS)),
        criteria="".join(_criterion_text(*criterion) for criterion in _EXAMPLE_CRITERIA),
    )


def _perimeter(branch_code: str, on: date) -> tuple[list[str], str]:
    """Return a branch's own conventions in force, and a French note on those of 2019."""
    branches, history = embedded.load("branches"), embedded.load("idcc_history")
    found = idcc.branch_conventions(branch_code, on, history, branches)
    own = [
        code
        for code in found.idcc_codes
        if idcc.resolve(code, on, history).branch_code == branch_code
    ]
    in_2019 = branches.loc[branches["branch_code"] == branch_code, "idcc_2019_codes"].item()
    mergers: dict[tuple[date | None, str, str], list[str]] = {}
    for event in found.events:
        if event.idcc_code in in_2019.split():
            target = (event.on, event.successor_idcc_code, event.successor_branch_code)
            mergers.setdefault(target, []).append(event.idcc_code)
    labels = dict(zip(branches["branch_code"], branches["label"], strict=True))
    labels[branch_code] = ""  # a merger inside the branch names no other branch
    notes = [
        _merger(codes, day, successor, french.label(labels[branch]))
        for (day, successor, branch), codes in mergers.items()
    ]
    return own, " ".join([_in_force(own, on), *notes])


def _in_force(codes: Sequence[str], on: date) -> str:
    if not codes:
        return f"Aucune convention propre au {french.day(on.isoformat())}."
    noun = "Conventions" if len(codes) > 1 else "Convention"
    return f"{noun} en vigueur au {french.day(on.isoformat())}{french.NBSP}: {_listed(codes)}."


def _merger(codes: Sequence[str], on: date | None, successor: str, branch_label: str) -> str:
    many = len(codes) > 1
    ended = f"Les conventions {_listed(codes)} ont" if many else f"La convention {codes[0]} a"
    day = f" le {french.day(on.isoformat())}" if on else ""
    branch = f" (branche «{french.NBSP}{branch_label}{french.NBSP}»)" if branch_label else ""
    return f"{ended} pris fin{day} au profit de la convention {successor}{branch}."


def _listed(codes: Sequence[str]) -> str:
    return french.enumeration(sorted(codes))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _criterion_text(code: str, label: str, unit: str, low: float, high: float) -> str:
    return f"""\
  - criterion_code: {_quoted(code)}
    label: {_quoted(label)}
    unit: {_quoted(unit)}
    low: {low:g}
    high: {high:g}
    direction: "higher"
    weight: {1 / len(_EXAMPLE_CRITERIA):g}
    vote: null
    basis: {_quoted(NOT_VOTED)}
"""
