"""A branch's parameter file, written once and pre-filled from the tables."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from opmq_lib.errors import SchemaError
from opmq_lib.params import (
    NOT_VOTED,
    READY_CRITERIA,
    Condition,
    Criterion,
    Question,
    QuestionCode,
)
from opmq_lib.show import french
from opmq_lib.sources import embedded, idcc, parameters, project

Scale = Literal["linear", "log"]

_TEMPLATE: Final = """\
# yaml-language-server: $schema=../schema/branch.schema.json
# Parameters of one branch. `opmq validate` checks this file. Texts and codes are in quotes.

branch_code: {branch_code} # key in table `branches`, and name of this file
label: {label}
idcc_codes: {idcc_codes} # conventions in force on {on}, five digits each
perimeter_note: {perimeter_note}

notebooks: {notebooks} # templates to run for this branch

# Your own observed tables, as paths from the project's root. null: the estimate is used.
tables:
  employment: null
  branch_totals: null # its employees, year by year
  branch_ages: null # ages by métier
  branch_entries: null # young beginners and net mobility by métier

# Which métiers are core, which strategic: two questions, two votes. A métier must pass all `gates`,
# each by one of its ways: all its lines. Then its score counts: a value scores 0 at `low` and 1 at
# `high`, the other way round with `direction: "lower"`; weights sum to 1. These are examples that
# nobody has voted.
# `opmq vote form {branch}` writes the form of a vote, `opmq vote read` brings it back here.
{questions}"""

_GATES: Final[dict[QuestionCode, tuple[tuple[int, int, str, float], ...]]] = {
    "core": ((1, 1, "employment_share", 1), (2, 1, "location_quotient", 1.5)),
    "strategic": (
        (1, 1, "employment_share", 1),
        (1, 2, "employment_share", 0.5),
        (1, 2, "location_quotient", 2),
        (2, 1, "tension_class", 5),
        (2, 2, "departure_rank", 66.7),
    ),
}
"""Gate, way, criterion and least value of example gates; nobody has voted them."""

_CRITERIA: Final[dict[QuestionCode, tuple[tuple[str, float, float, Scale], ...]]] = {
    "core": (("employment_share", 0, 5, "linear"), ("location_quotient", 1, 8, "log")),
    "strategic": (
        ("tension_rank", 0, 100, "linear"),
        ("departure_rank", 0, 100, "linear"),
        ("ecological_exposure", 0, 100, "linear"),
    ),
}
"""Code, round goalposts and scale of example criteria; nobody has voted them."""

_CONCENTRATION: Final = 12.0

_COMMENTS: Final = {
    "cutoff_score": " # score from which a métier is on the list",
    "concentration": " # how close drawn weights stay to the weights",
}


def example_questions() -> tuple[Question, ...]:
    """Return the two questions with the example gates and criteria, equal weights and no vote."""
    return tuple(
        Question(
            question_code=code,
            cutoff_score=0.5,
            concentration=_CONCENTRATION,
            gates=tuple(
                Condition(gate=gate, way=way, criterion_code=name, least=least)
                for gate, way, name, least in _GATES[code]
            ),
            criteria=tuple(
                Criterion(
                    criterion_code=name,
                    label=READY_CRITERIA[name][0],
                    unit=READY_CRITERIA[name][1],
                    low=low,
                    high=high,
                    scale=scale,
                    direction="higher",
                    weight=1 / len(rows),
                )
                for name, low, high, scale in rows
            ),
            vote=None,
            basis=NOT_VOTED,
        )
        for code, rows in _CRITERIA.items()
    )


def new_branch(root: Path, branch_code: str) -> Path:
    """Write a commented parameter file for a branch and return its path.

    Conventions are those in force on the date of the edition, read from the dated history; a
    convention merged into another branch's is in the perimeter note.

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
    parameters.refuse_unknown("branch_code", "branch", [branch_code], known)
    if (root / where).exists():
        fix = "edit it, or delete it"
        raise SchemaError.of(where, "the file exists", "a branch without file", fix)
    notebooks = [name for name, scope in project.scopes(root).items() if scope == "branch"]
    text = branch_text(branch_code, parameters.load_edition(root).edition_date, notebooks)
    return project.write(root / where, text)


def branch_text(branch_code: str, on: date, notebooks: Iterable[str]) -> str:
    """Return the text of a pre-filled parameter file.

    Args:
        branch_code: A key of table `branches`.
        on: The date on which conventions are asked for.
        notebooks: Templates to run.

    Examples:
        >>> branch_text("chimie", date(2026, 1, 31), ["01_emplois"]).splitlines()[5]
        'idcc_codes: ["00044"] # conventions in force on 2026-01-31, five digits each'
    """
    branches = embedded.load("branches").set_index("branch_code")
    own, note = _perimeter(branch_code, on)
    values = {
        "branch_code": branch_code,
        "label": french.label(str(branches.loc[branch_code, "label"])),
        "on": on,
        "idcc_codes": own,
        "perimeter_note": note,
        "notebooks": notebooks,
    }
    texts = {name: _inline(value) for name, value in values.items()}
    questions = questions_text(example_questions())
    return _TEMPLATE.format(**texts, branch=branch_code, questions=questions)


def _perimeter(branch_code: str, on: date) -> tuple[list[str], str]:
    """Return a branch's own conventions in force, and a French note on those of 2019."""
    branches, history = embedded.load("branches"), embedded.load("idcc_history")
    covering = idcc.branch_conventions(branch_code, on, history, branches)
    own = [
        code
        for code in covering.idcc_codes
        if idcc.resolve(code, on, history).branch_code == branch_code
    ]
    in_2019 = branches.loc[branches["branch_code"] == branch_code, "idcc_2019_codes"].item()
    mergers: dict[tuple[date | None, str, str], list[str]] = {}
    for event in covering.events:
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
    day = french.day(on.isoformat())
    if not codes:
        return f"Aucune convention propre au {day}."
    noun = "Conventions" if len(codes) > 1 else "Convention"
    return f"{noun} en vigueur au {day}{french.NBSP}: {french.enumeration(sorted(codes))}."


def _merger(codes: Sequence[str], on: date | None, successor: str, branch_label: str) -> str:
    ended = f"La convention {codes[0]} a"
    if len(codes) > 1:
        ended = f"Les conventions {french.enumeration(sorted(codes))} ont"
    day = f" le {french.day(on.isoformat())}" if on else ""
    branch = f" (branche «{french.NBSP}{branch_label}{french.NBSP}»)" if branch_label else ""
    return f"{ended} pris fin{day} au profit de la convention {successor}{branch}."


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
    lines = r"^questions:.*\n(?:(?:[ ]*(?:#.*)?\n)*[ -].*\n)*"
    block = re.search(lines, text + "\n", re.MULTILINE)
    if block is None:
        raise SchemaError.of("questions", "no block `questions:`", "such a block", "restore it")
    return text[: block.start()] + questions_text(questions) + text[block.end() :]


def _question_text(question: Question) -> str:
    values = question.model_dump()
    gates, criteria = values.pop("gates"), values.pop("criteria")
    lines = [f"{name}: {_inline(value)}{_COMMENTS.get(name, '')}" for name, value in values.items()]
    lines += ["gates:", *(f"  - {_inline(condition)}" for condition in gates)] if gates else []
    lines.append("criteria:")
    for criterion in criteria:
        lines += _item([f"{name}: {_inline(value)}" for name, value in criterion.items()])
    return "\n".join(_item(lines)) + "\n"


def _item(lines: Sequence[str]) -> list[str]:
    """Return the lines of one item of a YAML list."""
    return [f"  {'- ' if number == 0 else '  '}{line}" for number, line in enumerate(lines)]


def _inline(value: Any) -> str:
    """Return a value on one line, as every YAML reader takes it, numbers with all their digits.

    Examples:
        >>> _inline(4.0), _inline(0.1), _inline(1e-7), _inline(None), _inline(("NO", "0016"))
        ('4', '0.1', '0.0000001', 'null', '["NO", "0016"]')
    """
    match value:
        case float():
            return np.format_float_positional(value, trim="-")
        case date():
            return value.isoformat()
        case dict():
            return f"{{{', '.join(f'{name}: {_inline(each)}' for name, each in value.items())}}}"
        case tuple() | list():
            return f"[{', '.join(map(_inline, value))}]"
    return json.dumps(value, ensure_ascii=False)
