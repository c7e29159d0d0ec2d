"""The form on which a CPNEFP votes its criteria, as a workbook to fill in, print and sign.

Names of voters are never asked for: signature lines are for paper.
"""

from collections.abc import Callable
from typing import Any, Final

from openpyxl.styles import Alignment, Font
from openpyxl.workbook import Workbook
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from opmq_lib.params import BranchParams, Question, QuestionCode
from opmq_lib.show import french
from opmq_lib.sources import parameters

SHEETS: Final[dict[QuestionCode, str]] = {"core": "Cœurs", "strategic": "Stratégiques"}
METIERS: Final = "Métiers"
BRANCH, CUTOFF, CONCENTRATION = "Branche", "Score d’entrée (0 à 1)", "Concentration des poids tirés"
DAY, BODY, MINUTES, BASIS = (
    "Date du vote (AAAA-MM-JJ)",
    "Instance",
    "Relevé de décisions",
    "Fondement du vote",
)
HEADER: Final = (
    "Code",
    "Critère",
    "Unité",
    "Borne basse",
    "Borne haute",
    "Sens (plus ou moins)",
    "Poids",
    "Seuil exigé",
)
DIRECTIONS: Final = {"plus": "higher", "moins": "lower"}
SIGNATURES: Final = 6


def form(branch: BranchParams) -> Workbook:
    """Return the voting form of a branch: one sheet per question, and one of métiers to tick.

    Args:
        branch: Its questions fill the form; what was voted before is shown as it was.

    Examples:
        >>> from opmq_lib.sources import project
        >>> form(parameters.load_branches(project.find_root())["chimie"]).sheetnames
        ['Cœurs', 'Stratégiques', 'Métiers']
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    for question in branch.questions:
        _question_sheet(book.create_sheet(SHEETS[question.question_code]), branch, question)
    _metiers_sheet(book.create_sheet(METIERS), branch)
    return book


def _question_sheet(sheet: Worksheet, branch: BranchParams, question: Question) -> None:
    vote = question.vote
    directions = {value: key for key, value in DIRECTIONS.items()}
    title = {
        "core": "Quels métiers sont au cœur de la branche ?",
        "strategic": "Quels métiers sont stratégiques pour la branche ?",
    }[question.question_code]
    state = "Exemple, non voté : rien ici n’a été décidé." if vote is None else "Déjà voté."
    lines: list[tuple[Any, ...]] = [
        (french.typography(f"{title} Formulaire de vote, {branch.label}"),),
        (french.typography(state),),
        (),
        (BRANCH, branch.branch_code),
        (CUTOFF, question.cutoff_score),
        (CONCENTRATION, question.concentration),
        (),
        HEADER,
        *(
            (
                each.criterion_code,
                each.label,
                each.unit,
                each.low,
                each.high,
                directions[each.direction],
                each.weight,
                each.threshold,
            )
            for each in question.criteria
        ),
        (),
        (french.typography("Les poids font 1 ; la borne haute est au-dessus de la borne basse."),),
        (),
        (DAY, None if vote is None else vote.date.isoformat()),
        (BODY, None if vote is None else vote.body),
        (MINUTES, None if vote is None else vote.minutes_reference),
        (BASIS, None if vote is None else question.basis),
        (),
        ("Organisation", "Signature"),
        *[("………………………………", "………………………………")] * SIGNATURES,
    ]
    _write(sheet, lines)
    _bold(sheet, lambda cells: cells[:1] == HEADER[:1] or cells[:1] == ("Organisation",))


def _metiers_sheet(sheet: Worksheet, branch: BranchParams) -> None:
    voted = {each.question_code: set(each.voted_metiers) for each in branch.questions}
    lines: list[tuple[Any, ...]] = [("Code", "Métier", "Cœur (x)", "Stratégique (x)")]
    lines += [
        (code, french.label(label), *("x" if code in voted.get(q, ()) else None for q in SHEETS))
        for code, label in sorted(
            parameters.studied_metiers().items(), key=lambda item: french.label(item[1])
        )
    ]
    _write(sheet, lines)
    _bold(sheet, lambda cells: cells[0] == "Code")
    sheet.freeze_panes = "A2"


def _write(sheet: Worksheet, lines: list[tuple[Any, ...]]) -> None:
    for number, line in enumerate(lines, start=1):
        for column, value in enumerate(line, start=1):
            cell = sheet.cell(number, column, value)
            if isinstance(value, str):
                cell.data_type = "s"  # a label that starts with `=` is no formula
                cell.alignment = Alignment(vertical="top", wrap_text=column > 1)
    for letter, width in {"A": 32, "B": 44, "C": 32, "D": 14, "E": 14, "F": 20, "G": 10}.items():
        sheet.column_dimensions[letter].width = width
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet["A1"].font = Font(bold=True, size=14)


def _bold(sheet: Worksheet, chosen: Callable[[tuple[Any, ...]], bool]) -> None:
    for cells in sheet.iter_rows():
        if chosen(tuple(cell.value for cell in cells)):
            for cell in cells:
                cell.font = Font(bold=True)
