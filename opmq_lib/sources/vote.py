"""A voting form that has been filled in, read back into parameters or into all its defects.

Signature lines are not read: names of voters are never stored.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import openpyxl
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from opmq_lib.errors import (
    DataError,
    Defect,
    RangeError,
    SchemaError,
    ScopeError,
    did_you_mean,
    gather,
)
from opmq_lib.params import (
    NOT_VOTED,
    READY_CRITERIA,
    WEIGHTS_TOLERANCE,
    Criterion,
    Question,
    QuestionCode,
    Vote,
)
from opmq_lib.sources import parameters
from opmq_lib.sources.branch_file import with_questions
from opmq_lib.sources.vote_form import (
    BASIS,
    BODY,
    BRANCH,
    CONCENTRATION,
    CUTOFF,
    DAY,
    DIRECTIONS,
    HEADER,
    METIERS,
    MINUTES,
    SHEETS,
)

MARKS: Final = {"x", "oui"}
_NUMBER: Final = re.compile(r"[-+]?[0-9]+(?:[.,][0-9]+)?(?:[eE][-+]?[0-9]+)?")
Row = tuple[int, tuple[Any, ...]]


def read_form(path: Path, root: Path) -> tuple[str, tuple[Question, ...]]:
    """Return the branch and the questions that a form holds, once nothing in it is wrong.

    Args:
        path: The workbook.
        root: The project's root: the branch's file says which criteria it supplies values of.

    Raises:
        DataError: With every defect of every sheet: row, column, what was expected, what to do.
    """
    where = path.name
    book = _opened(path, where)
    sheets = {code: name for code, name in SHEETS.items() if name in book.sheetnames}
    if not sheets:
        raise _schema(where, "no sheet of a question", f"one of {', '.join(SHEETS.values())}")
    reading = _Reading(where)
    codes = {str(_labelled(book[name], BRANCH)[1] or "").strip(): name for name in sheets.values()}
    branch_code = next(iter(codes))
    if len(codes) > 1:
        reading.add(SchemaError, where, "sheets of several branches", "one branch", "use one form")
    supplied = _supplied(branch_code, reading, root)
    ticked = _ticked(book, reading)
    questions = [
        _question(book[name], code, ticked.get(code, ()), supplied, reading)
        for code, name in sheets.items()
    ]
    if reading.errors:
        raise gather(reading.errors)
    return branch_code, tuple(question for question in questions if question is not None)


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
    found = {question.question_code: question for question in questions}
    known = parameters.load_branches(root)[branch_code].questions
    kept = [found.pop(question.question_code, question) for question in known]
    before = file.read_text(encoding="utf-8")
    text = with_questions(before, [*kept, *found.values()])
    if text == before:
        return file, False
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(file)
    return file, True


@dataclass
class _Reading:
    """What is wrong with a form, as it is found."""

    where: str
    errors: list[DataError] = field(default_factory=list)

    def add(  # noqa: PLR0913 (the parts of a defect)
        self,
        of_class: type[DataError],
        where: str,
        what: str,
        expected: str,
        fix: str,
        value: object = None,
    ) -> None:
        shown = None if value is None else str(value)
        self.errors.append(of_class([Defect(where, what, expected, fix, shown)]))


def _question(
    sheet: Worksheet,
    code: QuestionCode,
    ticked: tuple[str, ...],
    supplied: bool,
    reading: _Reading,
) -> Question | None:
    before = len(reading.errors)
    cutoff = _positive(sheet, CUTOFF, 1, reading)
    concentration = _positive(sheet, CONCENTRATION, 1000, reading)
    criteria = [
        criterion
        for row in _criteria_rows(sheet, reading)
        if (criterion := _criterion(sheet, row, supplied, reading)) is not None
    ]
    _check_weights(sheet, reading)
    vote, basis = _vote(sheet, reading)
    if ticked and vote is None:
        reading.add(
            SchemaError,
            f"{reading.where}, sheet {METIERS}",
            f"métiers are ticked for “{sheet.title}” but its vote is not filled in",
            "a date, a body and minutes, or no tick",
            "fill in the vote, or remove the ticks",
        )
    if len(reading.errors) > before:
        return None
    return Question(
        question_code=code,
        cutoff_score=cutoff,
        concentration=concentration,
        criteria=tuple(criteria),
        voted_metiers=ticked,
        vote=vote,
        basis=basis,
    )


def _criterion(sheet: Worksheet, row: Row, supplied: bool, reading: _Reading) -> Criterion | None:
    number, cells = row
    where = f"{reading.where}, sheet {sheet.title}, row {number}"
    before = len(reading.errors)
    code, label, unit, low, high, direction, weight, threshold = (*cells, *[None] * 8)[:8]
    code = str(code or "").strip()
    if code not in READY_CRITERIA and not supplied:
        reading.errors.append(parameters.no_data(where, code))
    numbers = {
        name: _number(value, f"{where}, column {name}", reading)
        for name, value in (
            ("Borne basse", low),
            ("Borne haute", high),
            ("Poids", weight),
        )
    }
    least, most, share = numbers.values()
    limit = None
    if str(threshold if threshold is not None else "").strip():
        limit = _number(threshold, f"{where}, column Seuil exigé", reading)
    if least is not None and most is not None and most <= least:
        reading.add(
            RangeError,
            where,
            f"the goalposts of `{code}` are not in order",
            "Borne haute above Borne basse",
            "correct the two goalposts; write `moins` where less argues for the list",
            f"{least:g} and {most:g}",
        )
    elif None not in (limit, least, most) and not least <= limit <= most:  # type: ignore[operator]
        reading.add(
            RangeError,
            where,
            f"the threshold of `{code}` contradicts its goalposts",
            f"from {least:g} to {most:g}",
            "move the threshold or the goalposts",
            f"{limit:g}",
        )
    if share is not None and not 0 <= share <= 1:
        fix = "correct the weight"
        reading.add(RangeError, where, f"the weight of `{code}`", "0 to 1", fix, f"{share:g}")
    side = DIRECTIONS.get(str(direction or "").strip().lower())
    if side is None:
        fix = "write `plus` or `moins`"
        reading.add(SchemaError, where, f"the direction of `{code}`", "plus or moins", fix)
    if len(reading.errors) > before:
        return None
    return Criterion.model_validate(
        {
            "criterion_code": code,
            "label": str(label or "").strip() or READY_CRITERIA.get(code, (code, ""))[0],
            "unit": str(unit or "").strip() or READY_CRITERIA.get(code, ("", "sans unité"))[1],
            "low": least,
            "high": most,
            "direction": side,
            "weight": share,
            "threshold": limit,
        }
    )


def _criteria_rows(sheet: Worksheet, reading: _Reading) -> list[Row]:
    """Return the rows under the header, up to the first without code; each code once."""
    rows = list(_rows(sheet))
    start = next((place for place, (_, cells) in enumerate(rows) if cells[0] == HEADER[0]), None)
    where = f"{reading.where}, sheet {sheet.title}"
    if start is None:
        fix = "use the form as it was written"
        reading.add(SchemaError, where, "no table of criteria", f"a row {' | '.join(HEADER)}", fix)
        return []
    found: list[Row] = []
    for row in rows[start + 1 :]:
        if not str(row[1][0] or "").strip():
            break
        found.append(row)
    codes = [str(cells[0]).strip() for _, cells in found]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        reading.add(SchemaError, where, "a criterion named twice", "each once", "keep one", code)
    if not found:
        reading.add(SchemaError, where, "no criterion", "at least one", "add criteria")
    return found


def _check_weights(sheet: Worksheet, reading: _Reading) -> None:
    silent = _Reading(reading.where)
    weights = [
        _number((*cells, *[None] * 8)[6], "", silent) for _, cells in _criteria_rows(sheet, silent)
    ]
    known = [weight for weight in weights if weight is not None]
    if known and len(known) == len(weights) and abs(sum(known) - 1) > WEIGHTS_TOLERANCE:
        reading.add(
            RangeError,
            f"{reading.where}, sheet {sheet.title}, column Poids",
            "the weights do not sum to 1",
            "weights that sum to 1",
            "correct the weights",
            f"{sum(known):.12g}",
        )


def _vote(sheet: Worksheet, reading: _Reading) -> tuple[Vote | None, str]:
    cells = {name: _labelled(sheet, name) for name in (DAY, BODY, MINUTES, BASIS)}
    filled = {name: value for name, (_, value) in cells.items() if str(value or "").strip()}
    basis = str(filled.pop(BASIS, NOT_VOTED)).strip()
    if not filled:
        return None, NOT_VOTED
    where = f"{reading.where}, sheet {sheet.title}"
    for name in (DAY, BODY, MINUTES):
        if name not in filled:
            fix = "fill it in, or leave the whole vote blank"
            reading.add(SchemaError, where, f"the vote has no “{name}”", name, fix)
    if basis == NOT_VOTED:
        fix = f"fill in “{BASIS}”"
        reading.add(SchemaError, where, "a vote without basis", "what the vote rests on", fix)
    day = _day(filled.get(DAY))
    if DAY in filled and day is None:
        fix = "write for instance 2026-03-12"
        reading.add(SchemaError, where, "not a date", "a day, AAAA-MM-JJ", fix, filled[DAY])
    if day is not None and day > datetime.now().astimezone().date():
        fix = "correct the day: a vote is recorded once it has been held"
        reading.add(RangeError, where, "a vote of the future", "today or before", fix, f"{day}")
    if day is None or len(filled) < 3:
        return None, basis
    body, minutes = str(filled[BODY]).strip(), str(filled[MINUTES]).strip()
    return Vote(date=day, body=body, minutes_reference=minutes), basis


def _ticked(book: Workbook, reading: _Reading) -> dict[QuestionCode, tuple[str, ...]]:
    """Return the métiers ticked for each question; every code must be known."""
    if METIERS not in book.sheetnames:
        return {}
    metiers = parameters.studied_metiers()
    found: dict[QuestionCode, list[str]] = {"core": [], "strategic": []}
    for number, cells in list(_rows(book[METIERS]))[1:]:
        code, _, core, strategic = (*cells, *[None] * 4)[:4]
        code = str(code or "").strip()
        if not code:
            continue
        where = f"{reading.where}, sheet {METIERS}, row {number}"
        if code not in metiers:
            fix = did_you_mean(code, metiers) or "correct the code"
            expected = f"one of the {len(metiers)} métiers of the form (FAP-2009)"
            reading.add(ScopeError, where, "unknown métier", expected, fix, code)
        for question, mark in (("core", core), ("strategic", strategic)):
            said = str(mark or "").strip().lower()
            if said in MARKS:
                found["core" if question == "core" else "strategic"].append(code)
            elif said:
                fix = "write x, or leave it blank"
                reading.add(SchemaError, where, "not a tick", "x or nothing", fix, mark)
    twice = {code for codes in found.values() for code in codes if codes.count(code) > 1}
    for code in sorted(twice):
        where = f"{reading.where}, sheet {METIERS}"
        reading.add(SchemaError, where, "a métier ticked twice", "each once", "keep one", code)
    return {question: tuple(codes) for question, codes in found.items()}


def _supplied(branch_code: str, reading: _Reading, root: Path) -> bool:
    """Return whether the branch supplies values of criteria; an unknown branch is a defect."""
    known = parameters.load_branches(root)
    if branch_code not in known:
        where = f"{reading.where}, {BRANCH}"
        reading.errors.append(parameters.unknown(where, "branch", branch_code, known))
        return False
    return known[branch_code].tables.criterion_values is not None


def _positive(sheet: Worksheet, name: str, under: float, reading: _Reading) -> float:
    row, value = _labelled(sheet, name)
    where = f"{reading.where}, sheet {sheet.title}, row {row}, {name}"
    number = _number(value, where, reading)
    if number is not None and not 0 < number < under:
        expected = f"above 0, under {under:g}"
        reading.add(RangeError, where, "out of range", expected, "correct it", f"{number:g}")
    return 0.0 if number is None else number


def _number(value: object, where: str, reading: _Reading) -> float | None:
    """Return a number, decimal comma or point; anything else is a defect."""
    text = str(value if value is not None else "").strip()
    if not isinstance(value, bool) and _NUMBER.fullmatch(text):
        number = float(text.replace(",", "."))
        if math.isfinite(number):
            return number
    what = "empty cell" if not text else "not a number"
    reading.add(SchemaError, where, what, "a number", "write a number", text or None)
    return None


def _day(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    try:
        return date.fromisoformat(str(value or "").strip())
    except ValueError:
        return None


def _labelled(sheet: Worksheet, name: str) -> tuple[int, Any]:
    """Return the row and value beside a label of the first column."""
    for number, cells in _rows(sheet):
        if cells[0] == name:
            return number, cells[1] if len(cells) > 1 else None
    return 0, None


def _rows(sheet: Worksheet) -> Iterator[Row]:
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        if cells:
            yield number, cells


def _opened(path: Path, where: str) -> Workbook:
    if not path.is_file():
        raise _schema(where, "no such file", "a form written by `opmq vote form`")
    try:
        return openpyxl.load_workbook(path, data_only=True)
    except Exception as error:
        raise _schema(where, "not a workbook", "an XLSX file") from error


def _schema(where: str, what: str, expected: str) -> SchemaError:
    return SchemaError([Defect(where, what, expected, "use a form of `opmq vote form`")])
