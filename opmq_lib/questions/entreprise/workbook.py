"""The workbook of a company: what it fills in and what it reads; the law stands in `formulas`."""

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter as letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from opmq_lib.methods.employment.rows import RESIDUAL_METIER
from opmq_lib.methods.needs.company import HORIZONS
from opmq_lib.params import EditionParams
from opmq_lib.questions.entreprise import formulas, page
from opmq_lib.questions.entreprise.formulas import (
    BIRTHS,
    BIRTHS_COUNT,
    COUNTED,
    EMPLOYEES,
    ENTRY,
    FACTS,
    FIRST,
    PLACE,
    TOTAL,
)
from opmq_lib.questions.entreprise.page import WORDS
from opmq_lib.questions.shared import Tables
from opmq_lib.show.pieces import Labels
from opmq_lib.tables.columns import COUNTED_BANDS

TYPEFACE, INK, GREY, RED = "Arial", "1F2A44", "7F7F7F", "B00020"
YELLOW, BLUE, ORANGE = "FFF4C2", "DDE7F3", "FBDDBF"
MOST: Final = 99
"""Heads that a cell takes."""
YEARS: Final = (2000, 2100)
"""Years in which a company may count."""


def book(  # noqa: PLR0913 - one argument per table
    inputs: Tables,
    branch_code: str,
    rates: pd.DataFrame,
    facts: pd.DataFrame,
    labels: Labels,
    edition: EditionParams,
) -> Workbook:
    """Return the workbook of a branch's companies, to be named `gpec_<branch>.xlsx`.

    Args:
        inputs: Gives the branch's name and the sources.
        branch_code: Key of table `branches`.
        rates: From `chain.rates`, as `02_besoins` has written it.
        facts: From `chain.metiers`.
        labels: French name of each métier.
        edition: Gives the year in which a company counts, unless it says another.
    """
    made = Workbook()
    made.remove(made.worksheets[0])
    for style in _styles():
        made.add_named_style(style)
    codes = rates["metier_code"].unique().tolist()
    shown = ["–" if code == RESIDUAL_METIER else code for code in codes]
    names = [labels.get(code, WORDS.REST) for code in codes]
    wide = rates.pivot(index="metier_code", columns="age_band", values="departure_rate_pct")
    values = wide.loc[codes, list(COUNTED_BANDS)]
    _add_read_me(made, page.about(inputs, branch_code, rates, facts, edition))
    _add_entry(made, shown, names)
    _add_births(made, edition.edition_date.year, len(codes))
    _add_left(made, len(codes))
    _add_metiers(made, len(codes))
    formulas.add_counts(made, codes, values.to_numpy().tolist())
    formulas.add_laws(made, len(codes), page.plain("SAYINGS"))
    told, unknown = page.metiers(facts, labels), [page.typed(WORDS.unknown())] * 4
    known = [told.get(code, [*unknown, 0]) for code in codes]
    by_age = [page.rates(row) for row in values.to_numpy()]
    parts = zip(shown, names, known, by_age, strict=True)
    _add_facts(
        made, [[code, name, *texts, text, alarm] for code, name, (*texts, alarm), text in parts]
    )
    return made


def _styles() -> list[NamedStyle]:
    """Return what cells look like; only those to fill in are not locked."""
    line, thin = Side(style="thin", color="C9CFDA"), Side(style="thin", color="E6E9F0")
    borders = {
        "none": Border(),
        "under": Border(bottom=thin),
        "box": Border(left=line, right=line, top=line, bottom=line),
    }

    def style(name: str, size: int = 10, fill: str = "", **more: Any) -> NamedStyle:
        font = Font(
            name=TYPEFACE, size=size, bold=more.get("bold", False), color=more.get("color", INK)
        )
        return NamedStyle(
            name,
            font=font,
            fill=PatternFill("solid", fgColor=fill) if fill else PatternFill(),
            border=borders[more.get("border", "under")],
            alignment=Alignment(
                horizontal=more.get("across"),
                vertical=more.get("down", "center"),
                wrap_text=name != "titre",
            ),
            number_format=more.get("form", "General"),
            protection=Protection(locked=not more.get("open", False)),
        )

    least, most = page.plain("CHANCES")
    chance = f'[<0.01]"{least}";[>0.99]"{most}";0 %'
    return [
        style("titre", 16, bold=True, border="none"),
        style("intertitre", 12, bold=True, border="none"),
        style("texte", border="none", down="top"),
        style("phrase", 13, BLUE, bold=True),
        style("entete", 10, BLUE, bold=True, across="center", border="box"),
        style("libelle", form="@"),
        style("saisie", 10, YELLOW, across="center", open=True, border="box"),
        style("choix", 10, YELLOW, open=True, border="box"),
        style("nombre", across="center"),
        style("total", 10, bold=True, across="center"),
        style("chance", across="center", form=chance),
        style("controle", color=RED),
        style("detail", 9),
    ]


def _add_read_me(made: Workbook, about: Any) -> None:
    sheet = _sheet(made, "Lisez-moi", [72])
    for row, line in enumerate(page.lines(WORDS.read_me(about)), start=1):
        heading = line.removeprefix("# ")
        look = "titre" if row == 1 else "texte" if heading == line else "intertitre"
        _put(sheet, row, 1, heading, look)
        height = {"titre": 28, "intertitre": 24}.get(look, 13 * (1 + len(heading) // 94) + 6)
        sheet.row_dimensions[row].height = height
    sheet.page_setup.orientation = "portrait"


def _add_entry(made: Workbook, codes: Sequence[str], names: Sequence[str]) -> None:
    """Add the sheet of heads by métier and age band."""
    last = FIRST + len(codes) - 1
    sheet = _sheet(made, ENTRY.strip("'"), [9, 56, *[10] * 7, 9, 26])
    _head(sheet, WORDS.entry(), 11)
    _row(sheet, FIRST - 2, WORDS.ENTRY_HEADS, "entete", 44)
    _put(sheet, FIRST - 1, 2, page.typed(WORDS.WHOLE), "total")
    sheet.row_dimensions[FIRST - 1].height = 24
    for column in range(3, 11):
        of_rates = letter(formulas.YOUNG_COLUMN + column - 3)
        text = f"=SUM({formulas.RATES}!{of_rates}{FIRST}:{of_rates}{last})"
        _put(sheet, FIRST - 1, column, text, "total")
    for row, (code, name) in enumerate(zip(codes, names, strict=True), start=FIRST):
        _put(sheet, row, 1, code, "libelle").data_type = "s"
        _put(sheet, row, 2, name, "libelle").data_type = "s"
        for column in range(3, 10):
            _put(sheet, row, column, None, "saisie")
        _put(sheet, row, 10, f"={formulas.RATES}!{EMPLOYEES}{row}", "nombre")
        _put(sheet, row, 11, _check_heads(row), "controle")
        sheet.row_dimensions[row].height = 27
    whole = _whole((0, MOST), WORDS.TOLD_HEADS)
    whole.add(f"C{FIRST}:I{last}")
    sheet.add_data_validation(whole)
    sheet.freeze_panes = f"C{FIRST}"


def _check_heads(row: int) -> str:
    """Return what says how the heads of a métier are ill written."""
    cells, say = f"C{row}:I{row}", _quoted("CHECKS")
    odd = f'SUMPRODUCT(--({cells}<>INT({cells})))+COUNTIF({cells},"<0")+COUNTIF({cells},">{MOST}")'
    many = f"{formulas.RATES}!{COUNTED}{row}>{formulas.METIER_MOST}"
    rest = f'IF({odd}>0,{say["whole"]},IF({many},{say["most"]},""))'
    return f"=IF(COUNTA({cells})>COUNT({cells}),{say['text']},{rest})"


def _add_births(made: Workbook, year: int, metiers_count: int) -> None:
    """Add the sheet of years of birth, and the year in which the company counts."""
    sheet = _sheet(made, BIRTHS, [66, 20, 26])
    title, how, label = page.lines(WORDS.births())
    _put(sheet, 1, 1, title, "titre")
    _put(sheet, 2, 1, how, "texte")
    sheet.merge_cells("A2:C2")
    sheet.row_dimensions[2].height = 44
    _put(sheet, 4, 1, label, "libelle")
    _put(sheet, 4, 2, year, "saisie")
    _row(sheet, FIRST - 1, WORDS.BIRTH_HEADS, "entete")
    say = _quoted("CHECKS")
    told = f"OR(N(B4)<{YEARS[0]},N(B4)>{YEARS[1]},N(B4)<>INT(N(B4)))"
    _put(sheet, 4, 3, f'=IF({told},{say["year"]},"")', "controle")
    last = FIRST + BIRTHS_COUNT - 1
    names = f"{ENTRY}!$B${FIRST}:$B${FIRST + metiers_count - 1}"
    years = f"{formulas.RATES}!${letter(formulas.COUNT_COLUMN + len(COUNTED_BANDS) - 2)}$4"
    young = f"{formulas.RATES}!${letter(formulas.YOUNG_COLUMN)}$5"
    for row in range(FIRST, last + 1):
        _put(sheet, row, 1, None, "choix")
        _put(sheet, row, 2, None, "saisie")
        born = f"N(B{row})"
        odd = f"OR({born}<{years},{born}>{young},{born}<>INT({born}))"
        dated = f'IF(B{row}="",{say["unknown"]},IF({odd},{say["year"]},""))'
        chosen = f"IF(COUNTIF({names},A{row})=0,{say['stranger']},{dated})"
        text = f'=IF(A{row}="",IF(B{row}="","",{say["choose"]}),{chosen})'
        _put(sheet, row, 3, text, "controle")
    listed = DataValidation(type="list", formula1=names, allow_blank=True)
    listed.showErrorMessage, listed.error = True, page.typed(WORDS.LISTED)
    listed.add(f"A{FIRST}:A{last}")
    born_in, counted_in = (_whole(YEARS, WORDS.TOLD_YEAR) for _ in range(2))
    born_in.formula1 = str(YEARS[0] - 100)
    born_in.add(f"B{FIRST}:B{last}")
    counted_in.add("B4")
    for rule in (listed, born_in, counted_in):
        sheet.add_data_validation(rule)
    sheet.freeze_panes = f"A{FIRST}"


def _add_left(made: Workbook, count: int) -> None:
    """Add the sheet of departures: the company, then the métiers that it has."""
    sheet = _sheet(made, "Mes départs", [9, 46, 11, 28, 13, 28, 13, 28, 13])
    _head(sheet, WORDS.left(), 9)
    _put(sheet, 3, 1, _sentence(count), "phrase")
    sheet.merge_cells("A3:I3")
    sheet.row_dimensions[3].height = 40
    _row(sheet, FIRST - 2, WORDS.LEFT_HEADS, "entete", 32)
    looks = ["libelle", "libelle", "nombre", *["nombre", "chance"] * len(HORIZONS)]
    whole = [f'IF({TOTAL}!A{FIRST}=0,"",{TOTAL}!A{FIRST})']
    for row in range(FIRST, FIRST + len(HORIZONS)):
        whole += [f'IF({TOTAL}!A{row}=0,"",{TOTAL}!{name}{row})' for name in "CD"]
    _put(sheet, FIRST - 1, 2, page.typed(WORDS.WHOLE), "total")
    sheet.row_dimensions[FIRST - 1].height = 24
    for column, text in enumerate(whole, start=3):
        look = "chance" if looks[column - 1] == "chance" else "total"
        _put(sheet, FIRST - 1, column, f"={text}", look)
    read = [f"{formulas.FACTS}!A", f"{FACTS}!B", f"{formulas.RATES}!{COUNTED}"]
    read += [f"{formulas.of_years(years)}!{name}" for years in HORIZONS for name in "CD"]
    for row in range(FIRST, FIRST + count):
        for column, source in enumerate(read, start=1):
            _put(sheet, row, column, _of_place(source, row, count), looks[column - 1])
        sheet.row_dimensions[row].height = 27
    rule = FormulaRule(formula=[f"OR($C{FIRST}=1,$C{FIRST}=2)"], font=Font(color=GREY))
    sheet.conditional_formatting.add(f"A{FIRST}:I{FIRST + count - 1}", rule)
    sheet.freeze_panes = f"C{FIRST}"


def _sentence(count: int) -> str:
    """Return the formula that says in one sentence what the company may expect in the end."""
    say, odd = _quoted("SENTENCE"), _odd_lines(count)
    everybody = f"{formulas.RATES}!{EMPLOYEES}{FIRST}:{EMPLOYEES}{FIRST + count - 1}"
    heads, row = f"SUM({everybody})", FIRST + len(HORIZONS) - 1
    counted, chance, low, middle, high = (f"{TOTAL}!{name}{row}" for name in "ADFGH")
    _, _, _, between, to = (f'"{each}"' for each in page.plain("SAYINGS"))
    probable = f"IF({middle}=0,{say['none']},{middle}&IF({middle}=1,{say['one']},{say['some']}))"
    ends = f'IF({low}={high},"",{between}&{low}&{to}&{high}&")")'
    pct = f"IF({chance}<0.01,{say['little']},INT(100*{chance}+0.5)&{say['pct']})"
    some = f'IF({middle}=0,{say["chance"]}&{pct},"")'
    told = f'{say["until"]}&{probable}&{ends}&{some}&"."'
    told = f'IF({counted}=0,"",IF({counted}>{formulas.COMPANY_MOST},{say["many"]},{told}))'
    who = f"{heads}&IF({heads}=1,{say['employee']},{say['employees']})&{counted}&{say['counted']}"
    return f'=IF({heads}=0,{say["empty"]},{who}&{told})&IF({odd}=0,"",{say["odd"]}&{odd}&".")'


def _odd_lines(count: int) -> str:
    """Return the formula that counts the lines to correct, those of an unknown age aside."""
    born = f"{BIRTHS}!$C${FIRST}:$C${FIRST + BIRTHS_COUNT - 1}"
    parts = [f"{BIRTHS}!$C$4", born, f"{ENTRY}!$K${FIRST}:$K${FIRST + count - 1}"]
    told = "+".join(f'COUNTIF({cells},"?*")' for cells in parts)
    return f"({told}-COUNTIF({born},{_quoted('CHECKS')['unknown']}))"


def _add_metiers(made: Workbook, count: int) -> None:
    """Add the sheet of what is known of the company's métiers."""
    sheet = _sheet(made, "Mes métiers", [9, 34, 28, 40, 52, 44, 21])
    _head(sheet, WORDS.metiers(), 7)
    _row(sheet, FIRST - 2, WORDS.METIER_HEADS, "entete", 32)
    for row in range(FIRST, FIRST + count):
        place = row - 1
        for column in range(1, 9):
            text = _of_place(f"{FACTS}!{letter(column)}", row, count)
            _put(sheet, place, column, text, "libelle" if column < 3 else "detail")
        sheet.row_dimensions[place].height = 74
    first, last = FIRST - 1, FIRST + count - 2
    rule = FormulaRule(
        formula=[f"$H{first}=1"], fill=PatternFill("solid", bgColor=ORANGE, fgColor=ORANGE)
    )
    sheet.conditional_formatting.add(f"A{first}:C{last}", rule)
    sheet.column_dimensions["H"].hidden = True
    sheet.freeze_panes = f"C{FIRST - 1}"


def _add_facts(made: Workbook, rows: Sequence[Sequence[str | int]]) -> None:
    """Add the hidden sheet of what is known of each métier, its alarm last."""
    sheet = formulas.hidden(made, FACTS)
    for row, (*texts, is_alarm) in enumerate(rows, start=FIRST):
        for column, text in enumerate(texts, start=1):
            sheet.cell(row, column, text).data_type = "s"
        sheet.cell(row, 8, is_alarm)


def _quoted(name: str) -> dict[str, str]:
    """Return texts of the template as texts in a formula."""
    return {key: f'"{text}"' for key, text in page.plain(name).items()}


def _of_place(source: str, row: int, count: int) -> str:
    """Return the formula of a cell of the next métier that the company has, blank after the last.

    Args:
        source: Sheet and column.
        row: Row of its place.
        count: Métiers of the workbook.
    """
    sheet, name = source.split("!")
    place = f"{formulas.RATES}!${PLACE}{row}"
    cells = f"{sheet}!${name}${FIRST}:${name}${FIRST + count - 1}"
    return f'=IF({place}=0,"",INDEX({cells},{place}))'


def _sheet(made: Workbook, name: str, widths: Sequence[int]) -> Worksheet:
    sheet = made.create_sheet(name)
    sheet.sheet_view.showGridLines = False
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[letter(column)].width = width
    sheet.protection.sheet = True
    sheet.protection.formatColumns = sheet.protection.formatRows = False
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    return sheet


def _head(sheet: Worksheet, text: str, columns: int) -> None:
    """Write the title of a sheet, and what to do with it."""
    title, how = page.lines(text)
    _put(sheet, 1, 1, title, "titre")
    sheet.row_dimensions[1].height = 26
    _put(sheet, 2, 1, how, "texte")
    sheet.merge_cells(start_row=2, end_row=2, start_column=1, end_column=columns)
    sheet.row_dimensions[2].height = 32


def _row(
    sheet: Worksheet, row: int, texts: Sequence[str], look: str, height: float | None = None
) -> None:
    for column, text in enumerate(texts, start=1):
        _put(sheet, row, column, page.typed(text), look)
    sheet.row_dimensions[row].height = height


def _put(sheet: Worksheet, row: int, column: int, value: Any, look: str) -> Any:
    cell = sheet.cell(row, column, value)
    cell.style = look
    return cell


def _whole(ends: tuple[int, int], told: str) -> DataValidation:
    """Return the rule of a whole number between two ends."""
    low, high = map(str, ends)
    rule = DataValidation("whole", low, high, operator="between", allow_blank=True)
    rule.showErrorMessage, rule.error = True, page.typed(told)
    return rule
