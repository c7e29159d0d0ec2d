"""The form on which a CPNEFP votes its criteria: filled in, printed, signed, and read back.

Names of voters are neither asked for nor read: signature lines are for paper.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from openpyxl.workbook import Workbook
from pydantic import ValidationError

from opmq_lib.errors import DataError, RangeError, SchemaError, refuse
from opmq_lib.params import (
    NOT_VOTED,
    READY_CRITERIA,
    WEIGHTS_TOLERANCE,
    BranchParams,
    Question,
    QuestionCode,
)
from opmq_lib.show import french
from opmq_lib.sources import forms, grids, parameters, project
from opmq_lib.sources.branch_file import with_questions
from opmq_lib.sources.grids import number
from opmq_lib.sources.yaml_model import translated
from opmq_lib.sources.yaml_text import Key, parse

SHEETS: Final[dict[QuestionCode, str]] = {"core": "Cœurs", "strategic": "Stratégiques"}
METIERS: Final = "Métiers"
BRANCH: Final = "Branche"
NUMBERS: Final = {
    "cutoff_score": "Score d’entrée (0 à 1)",
    "concentration": "Concentration des poids tirés",
}
VOTE: Final = {
    "date": "Date du vote (AAAA-MM-JJ)",
    "body": "Instance",
    "minutes_reference": "Relevé de décisions",
}
BASIS: Final = "Fondement du vote"
COLUMNS: Final = {
    "criterion_code": "Code",
    "label": "Critère",
    "unit": "Unité",
    "low": "Borne basse",
    "high": "Borne haute",
    "direction": "Sens (plus ou moins)",
    "weight": "Poids",
    "scale": "Échelle (linéaire ou log)",
}
GATES: Final = {
    "gate": "Condition",
    "way": "Voie",
    "criterion_code": "Code",
    "least": "Au moins",
}
"""Titles of the form, by the key of the parameter file that they stand for."""

DIRECTIONS: Final = {"plus": "higher", "moins": "lower"}
SCALES: Final = {"linéaire": "linear", "log": "log"}
MARKS: Final = {"x", "oui"}
SIGNATURES: Final = 6
_TITLES: Final = {
    "core": "Quels métiers sont au cœur de la branche ?",
    "strategic": "Quels métiers sont stratégiques pour la branche ?",
}

_GATES_NOTE: Final = (
    "Toutes les conditions sont exigées, quel que soit le score ; d’une condition, une voie "
    "suffit, avec toutes ses lignes."
)


def form(branch: BranchParams) -> Workbook:
    """Return the voting form of a branch: one sheet per question, and one of métiers to tick.

    Args:
        branch: Its questions fill the form; what was voted before is shown as it was.

    Examples:
        >>> from opmq_lib.sources import project
        >>> form(parameters.load_branches(project.find_root())["chimie"]).sheetnames
        ['Cœurs', 'Stratégiques', 'Métiers']
    """
    book = forms.form({})
    for question in branch.questions:
        lines = _question_lines(branch, question)
        headings = (COLUMNS["criterion_code"], GATES["gate"], "Organisation")
        forms.add_page(book, SHEETS[question.question_code], lines, *headings)
    voted = {each.question_code: set(each.voted_metiers) for each in branch.questions}
    metiers = {code: french.label(label) for code, label in parameters.metiers().items()}
    ticks = [
        (code, label, *("x" if code in voted.get(question, ()) else None for question in SHEETS))
        for code, label in sorted(metiers.items(), key=lambda item: french.order(item[1]))
    ]
    header = ("Code", "Métier", "Cœur (x)", "Stratégique (x)")
    forms.add_page(book, METIERS, [header, *ticks], "Code")
    book[METIERS].freeze_panes = "A2"
    return book


def _question_lines(branch: BranchParams, question: Question) -> list[tuple[Any, ...]]:
    vote = question.vote
    words = {value: key for key, value in (DIRECTIONS | SCALES).items()}
    criteria = [each.model_dump() for each in question.criteria]
    conditions = [each.model_dump() for each in question.gates]
    title = f"{_TITLES[question.question_code]} Formulaire de vote, {branch.label}"
    state = "Exemple, non voté : rien ici n’a été décidé." if vote is None else "Déjà voté."
    votes = {} if vote is None else vote.model_dump(mode="json")
    return [
        (french.typography(title),),
        (french.typography(state),),
        (),
        (BRANCH, branch.branch_code),
        *((label, getattr(question, key)) for key, label in NUMBERS.items()),
        (),
        tuple(COLUMNS.values()),
        *(tuple(words.get(each[key], each[key]) for key in COLUMNS) for each in criteria),
        (),
        (french.typography("Les poids font 1 ; la borne haute est au-dessus de la borne basse."),),
        (),
        tuple(GATES.values()),
        *(tuple(each[key] for key in GATES) for each in conditions),
        (),
        (french.typography(_GATES_NOTE),),
        (),
        *((label, votes.get(key)) for key, label in VOTE.items()),
        (BASIS, None if vote is None else question.basis),
        (),
        ("Organisation", "Signature"),
        *[("………………………………", "………………………………")] * SIGNATURES,
    ]


def record(path: Path, root: Path) -> tuple[Path, bool]:
    """Write what a form holds into its branch's parameter file.

    The file's other lines stay as they are; a question that the form does not hold keeps its own.

    Args:
        path: The workbook.
        root: The project's root.

    Returns:
        The file, and whether it says anything new.

    Raises:
        DataError: With every defect of the form; nothing is then written.
    """
    branch_code, questions = read_form(path, root)
    file = root / "parameters/branches" / f"{branch_code}.yml"
    voted = {question.question_code: question for question in questions}
    known = parameters.load_branches(root)[branch_code].questions
    kept = [voted.pop(question.question_code, question) for question in known]
    before = file.read_text(encoding="utf-8")
    questions = [*kept, *voted.values()]
    text = with_questions(before, questions)
    if not _holds(text, questions):
        what, expected = "its questions cannot be replaced", "a block like that of other branches"
        fix = "write its block `questions:` like theirs, then read the form again"
        raise SchemaError.of(f"parameters/branches/{file.name}", what, expected, fix)
    if text != before:
        project.write(file, text)
    return file, text != before


def _holds(text: str, questions: Sequence[Question]) -> bool:
    """Return whether a text is a whole branch file with these questions."""
    with suppress(DataError, ValidationError):
        document = parse(text, "")
        read = BranchParams.model_validate(document.value)
        return not document.defects and read.questions == tuple(questions)
    return False


def read_form(path: Path, root: Path) -> tuple[str, list[Question]]:
    """Return the branch and the questions that a form holds, once nothing in it is wrong.

    Args:
        path: The workbook.
        root: The project's root: the branch's file says which criteria it supplies values of.

    Raises:
        DataError: With every defect of every sheet: row, column, what was expected, what to do.
    """
    where = path.name
    book = {name: forms.filled(rows) for name, rows in grids.workbook(path, where).items()}
    sheets = {code: book[name] for code, name in SHEETS.items() if name in book}
    if not sheets:
        expected = f"one of {', '.join(SHEETS.values())}"
        fix = "use a form of `opmq vote form`"
        raise SchemaError.of(where, "no sheet of a question", expected, fix)
    errors: list[DataError] = []
    branch_code, *others = {str(_labelled(rows, BRANCH)[1] or "") for rows in sheets.values()}
    if others:
        errors.append(SchemaError.of(where, "sheets of several branches", "one", "use one form"))
    branches = parameters.load_branches(root)
    if branch_code not in branches:
        place = f"{where}, {BRANCH}"
        errors.append(parameters.unknown(place, "branch", branch_code, branches))
    own = branch_code in branches and branches[branch_code].tables.criterion_values is not None
    ticked = _ticked(book, where, errors)
    questions = []
    for code, rows in sheets.items():
        place = f"{where}, sheet {SHEETS[code]}"
        criteria = _criteria(rows, place, own, errors)
        values: dict[str, Any] = {"question_code": code, "criteria": list(criteria.values())}
        lines = _gates(rows, place, own, errors)
        values["gates"] = list(lines.values())
        values |= {"voted_metiers": ticked[code]} | _vote(rows, place, errors)
        for key, title in NUMBERS.items():
            row, cell = _labelled(rows, title)
            values[key] = _number(cell, f"{place}, row {row}, {title}", errors)
        if ticked[code] and values["vote"] is None:
            what = f"métiers are ticked for “{SHEETS[code]}” but its vote is not filled in"
            expected = "a date, a body and minutes, or no tick"
            fix = "fill in the vote, or remove the ticks"
            errors.append(SchemaError.of(f"{where}, sheet {METIERS}", what, expected, fix))
        numbers = {"criteria": list(criteria), "gates": list(lines)}
        questions.append(_validated(values, place, numbers, errors))
    refuse(errors)
    return branch_code, [question for question in questions if question is not None]


def _validated(
    values: dict[str, Any],
    place: str,
    rows: Mapping[str, Sequence[int]],
    errors: list[DataError],
) -> Question | None:
    """Return a question; what its model refuses, unless a cell already was, goes to the errors.

    Args:
        values: Of the model.
        place: Of the question, in messages.
        rows: Where each item of a block stands, by block.
        errors: Those of the form.
    """

    def at(key: Key) -> str:
        titles = {**NUMBERS, **VOTE, **COLUMNS, **GATES}
        parts = (
            f"row {rows[str(key[0])][part]}" if isinstance(part, int) else titles.get(part)
            for part in key
        )
        return ", ".join([place, *filter(None, parts)])

    def raw(key: Key) -> str:
        value: Any = values
        for part in key:
            value = value[part]
        return str(value)

    said = {(), ("criteria",), ("voted_metiers",)}
    try:
        return Question.model_validate(values)
    except ValidationError as error:
        refused = [
            each for each in error.errors() if each["input"] is not None and each["loc"] not in said
        ]
        every = error.errors() if not (refused or errors) else refused
        errors += translated(every, Question, at, raw)
        return None


def _block(rows: list[forms.Row], title: str) -> dict[int, list[Any]]:
    """Return the cells of the rows under a header, by row, up to the first blank one."""
    first, _ = _labelled(rows, title)
    found: dict[int, list[Any]] = {}
    for row, cells in rows:
        if first and row == first + len(found) + 1 and cells[0] is not None:
            found[row] = cells
    return found


def _criteria(
    rows: list[forms.Row], place: str, own: bool, errors: list[DataError]
) -> dict[int, dict[str, Any]]:
    """Return the criteria under their header, by row."""
    if not _labelled(rows, COLUMNS["criterion_code"])[0]:
        expected = f"a row {' | '.join(COLUMNS.values())}"
        fix = "use the form as it was written"
        errors.append(SchemaError.of(place, "no table of criteria", expected, fix))
        return {}
    criteria = {
        row: _criterion(cells, f"{place}, row {row}", own, errors)
        for row, cells in _block(rows, COLUMNS["criterion_code"]).items()
    }
    errors += [
        SchemaError.of(place, "a criterion named twice", "each once", "keep one", code)
        for code in _repeated([criterion["criterion_code"] for criterion in criteria.values()])
    ]
    if not criteria:
        errors.append(SchemaError.of(place, "no criterion", "at least one", "add criteria"))
    weights = [criterion["weight"] for criterion in criteria.values()]
    if criteria and None not in weights and abs(sum(weights) - 1) > WEIGHTS_TOLERANCE:
        what, expected = "the weights do not sum to 1", "weights that sum to 1"
        column, total = f"{place}, column {COLUMNS['weight']}", f"{sum(weights):.12g}"
        errors.append(RangeError.of(column, what, expected, "correct the weights", total))
    return criteria


def _criterion(cells: list[Any], place: str, own: bool, errors: list[DataError]) -> dict[str, Any]:
    values = dict(zip(COLUMNS, [*cells, *[None] * len(COLUMNS)], strict=False))
    code = values["criterion_code"] = str(values["criterion_code"])
    label, unit = READY_CRITERIA.get(code, (code, "sans unité"))
    if code not in READY_CRITERIA and not own:
        errors.append(parameters.no_data(place, code))
    for key in ("low", "high", "weight"):
        values[key] = _number(values[key], f"{place}, column {COLUMNS[key]}", errors)
    for key, words in (("direction", DIRECTIONS), ("scale", SCALES)):
        word, meant = str(values[key]).lower(), " or ".join(words)
        values[key] = words.get(word)
        if word not in words:
            what, fix = f"the {key} of `{code}`", f"write {meant}"
            errors.append(SchemaError.of(place, what, meant, fix))
    return values | {"label": str(values["label"] or label), "unit": str(values["unit"] or unit)}


def _gates(
    rows: list[forms.Row], place: str, own: bool, errors: list[DataError]
) -> dict[int, dict[str, Any]]:
    """Return the lines of the gates under their header, by row."""
    lines = {}
    for row, cells in _block(rows, GATES["gate"]).items():
        where = f"{place}, row {row}"
        line = dict(zip(GATES, [*cells, *[None] * len(GATES)], strict=False))
        code = line["criterion_code"] = str(line["criterion_code"])
        if code not in READY_CRITERIA and not own:
            errors.append(parameters.no_data(where, code))
        for key in ("gate", "way", "least"):
            line[key] = _number(line[key], f"{where}, column {GATES[key]}", errors)
        lines[row] = line | {key: _whole(line[key]) for key in ("gate", "way")}
    return lines


def _whole(value: float | None) -> float | None:
    return int(value) if value is not None and value.is_integer() else value


def _vote(rows: list[forms.Row], place: str, errors: list[DataError]) -> dict[str, Any]:
    """Return the vote of a question and what it rests on."""
    cells = {key: _labelled(rows, title)[1] for key, title in VOTE.items()}
    if not any(cells.values()):
        return {"vote": None, "basis": NOT_VOTED}
    fix = "fill it in, or leave the whole vote blank"
    errors += [
        SchemaError.of(place, f"the vote has no “{title}”", title, fix)
        for key, title in VOTE.items()
        if not cells[key]
    ]
    basis = str(_labelled(rows, BASIS)[1] or NOT_VOTED)
    if basis == NOT_VOTED:
        fix = f"fill in “{BASIS}”"
        errors.append(SchemaError.of(place, "a vote without basis", "what the vote rests on", fix))
    day = _day(cells["date"])
    if day is None and cells["date"]:
        fix, value = "write for instance 12/03/2026", str(cells["date"])
        errors.append(
            SchemaError.of(place, "not a date", "a day, JJ/MM/AAAA or AAAA-MM-JJ", fix, value)
        )
    if day is not None and day > datetime.now().astimezone().date():
        fix = "correct the day: a vote is recorded once it has been held"
        what, expected = "a vote of the future", "today or before"
        errors.append(RangeError.of(place, what, expected, fix, f"{day}"))
    texts = {key: None if cell is None else str(cell) for key, cell in cells.items()}
    return {"vote": texts | {"date": day}, "basis": basis}


def _ticked(
    book: Mapping[str, list[forms.Row]], where: str, errors: list[DataError]
) -> dict[str, list[str]]:
    """Return the métiers ticked for each question; every code must be known."""
    metiers = parameters.metiers()
    ticked: dict[str, list[str]] = {question: [] for question in SHEETS}
    lines = book.get(METIERS, [])[1:]
    for row, cells in lines:
        code, _, *marks = [str(cell or "") for cell in (*cells, None, None, None)][:4]
        place = f"{where}, sheet {METIERS}, row {row}"
        if code and code not in metiers:
            errors.append(parameters.unknown(place, "métier", code, metiers))
        for question, mark in zip(SHEETS, marks, strict=False):
            if code and mark.lower() in MARKS:
                ticked[question].append(code)
            elif code and mark:
                fix = "write x, or leave it blank"
                errors.append(SchemaError.of(place, "not a tick", "x or nothing", fix, mark))
    place = f"{where}, sheet {METIERS}"
    errors += [
        SchemaError.of(place, "a métier ticked twice", "each once", "keep one", code)
        for code in sorted({*_repeated(ticked["core"]), *_repeated(ticked["strategic"])})
    ]
    return ticked


def _repeated(codes: Sequence[str]) -> list[str]:
    return sorted({code for code in codes if codes.count(code) > 1})


def _number(cell: Any, place: str, errors: list[DataError]) -> float | None:
    """Return a number, decimal comma or point; anything else is a defect."""
    value = None if cell is None or isinstance(cell, bool) else number(str(cell), True)
    if value is None:
        what = "empty cell" if cell is None else "not a number"
        shown = None if cell is None else str(cell)
        errors.append(SchemaError.of(place, what, "a number", "write a number", shown))
    return value


def _day(cell: Any) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(str(grids.day(cell)))
    return None


def _labelled(rows: Sequence[forms.Row], title: str) -> tuple[int, Any]:
    """Return the row and the cell beside a title of the first column."""
    beside = ((row, [*cells, None][1]) for row, cells in rows if cells[0] == title)
    return next(beside, (0, None))
