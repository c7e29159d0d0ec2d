"""A branch's parameter file, written once and pre-filled from the tables."""

import json
import os
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final, Literal

import numpy as np

from opmq_lib.errors import Defect, SchemaError
from opmq_lib.params import (
    BRANCH_NOTEBOOKS,
    NOT_VOTED,
    READY_CRITERIA,
    Criterion,
    Question,
    QuestionCode,
)
from opmq_lib.show import french
from opmq_lib.sources import embedded, idcc, parameters

Direction = Literal["higher", "lower"]

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
  branch_ages: null # ages by métier
  branch_entries: null # young beginners and net mobility by métier

# Which métiers are core, which strategic: two questions, two votes. A value scores 0 at `low` and 1
# at `high`, the other way round with `direction: "lower"`; weights sum to 1; a métier under a
# `threshold` (it may be added) is off the list. These are examples that nobody has voted.
# `opmq vote form {branch}` writes the form of a vote, `opmq vote read` brings it back here.
{questions}"""

_EXAMPLES: Final[dict[QuestionCode, tuple[tuple[str, float, float, Direction], ...]]] = {
    "core": (
        ("employment_share", 0, 5, "higher"),
        ("location_quotient", 1, 3, "higher"),
        ("ageing", 15, 25, "higher"),
        ("tension_index", 0.5, 2, "higher"),
    ),
    "strategic": (
        ("employment_share", 0, 2, "higher"),
        ("tension_index", 0.5, 2, "higher"),
        ("ecological_exposure", 0, 100, "higher"),
        ("certification_count", 5, 30, "lower"),
    ),
}
"""Code, round goalposts and direction of example criteria; nobody has voted them."""


def example_questions() -> tuple[Question, ...]:
    """Return the two questions with the example criteria, equal weights and no vote."""
    return tuple(
        Question(
            question_code=code,
            cutoff_score=0.5,
            concentration=float(len(criteria)),
            criteria=tuple(
                Criterion(
                    criterion_code=name,
                    label=READY_CRITERIA[name][0],
                    unit=READY_CRITERIA[name][1],
                    low=low,
                    high=high,
                    direction=direction,
                    weight=1 / len(criteria),
                )
                for name, low, high, direction in criteria
            ),
            vote=None,
            basis=NOT_VOTED,
        )
        for code, criteria in _EXAMPLES.items()
    )


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
        branch=branch_code,
        questions=questions_text(example_questions()),
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


def questions_text(questions: Sequence[Question]) -> str:
    """Return the block `questions:` of a parameter file.

    Examples:
        >>> questions_text(example_questions()).splitlines()[:2]
        ['questions:', '  - question_code: "core"']
    """
    return "questions:\n" + "".join(map(_question_text, questions))


def with_questions(text: str, questions: Sequence[Question]) -> str:
    """Return a parameter file whose questions are replaced, its other lines left as they are.

    Args:
        text: A file with a block `questions:`; the block ends at the next key of the first level.
        questions: What takes its place.

    Raises:
        SchemaError: If the file has no such block.
    """
    found = re.search(r"^questions:.*\n(?:(?:[ ].*)?\n|[ ].*$)*", text + "\n", re.MULTILINE)
    if found is None:
        defect = Defect("questions", "no block `questions:`", "such a block", "restore it")
        raise SchemaError([defect])
    return text[: found.start()] + questions_text(questions) + text[found.end() :]


def _question_text(question: Question) -> str:
    vote = question.vote
    voted = (
        "null"
        if vote is None
        else f"{{date: {vote.date.isoformat()}, body: {_quoted(vote.body)}, "
        f"minutes_reference: {_quoted(vote.minutes_reference)}}}"
    )
    return f"""\
  - question_code: {_quoted(question.question_code)}
    cutoff_score: {_number(question.cutoff_score)} # score from which a métier is on the list
    concentration: {_number(question.concentration)} # how close drawn weights stay to the weights
    voted_metiers: [{", ".join(map(_quoted, question.voted_metiers))}]
    vote: {voted}
    basis: {_quoted(question.basis)}
    criteria:
{"".join(map(_criterion_text, question.criteria))}"""


def _criterion_text(criterion: Criterion) -> str:
    threshold = (
        ""
        if criterion.threshold is None
        else f"        threshold: {_number(criterion.threshold)}\n"
    )
    return f"""\
      - criterion_code: {_quoted(criterion.criterion_code)}
        label: {_quoted(criterion.label)}
        unit: {_quoted(criterion.unit)}
        low: {_number(criterion.low)}
        high: {_number(criterion.high)}
        direction: {_quoted(criterion.direction)}
        weight: {_number(criterion.weight)}
{threshold}"""


def _number(value: float) -> str:
    """Return a number as every YAML reader takes it, with all its digits.

    Examples:
        >>> _number(4.0), _number(0.1), _number(1e-7)
        ('4', '0.1', '0.0000001')
    """
    return np.format_float_positional(value, trim="-")
