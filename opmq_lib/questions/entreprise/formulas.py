"""Hidden sheets of a company's workbook: the law of `methods.needs.company`, as formulas.

By Fourier inversion, so that one cell gives a quantile: no cell per number of departures. Formulas
are those of any spreadsheet; an odd number of terms keeps logarithms and angles defined.
"""

from collections.abc import Callable, Iterator, Sequence
from math import cos, exp, pi, sin
from typing import Final, NamedTuple

from openpyxl.utils import get_column_letter as letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from opmq_lib.methods.needs.company import (
    HIGH,
    HORIZONS,
    LOG_ODDS_SD,
    LOW,
    MIDDLE,
    NODES,
    ROUNDING,
)
from opmq_lib.tables.columns import COUNTED_BANDS

ENTRY, BIRTHS = "'Mes salariés'", "Naissances"
RATES, TOTAL, FACTS = "taux", "total", "faits"
FIRST: Final = 7
"""Row of the first métier, on every sheet."""
BIRTHS_COUNT: Final = 300
METIER_MOST, COMPANY_MOST = 100, 300
"""Counted heads up to which departures are computed; even numbers."""
OLDEST, YOUNGEST = 80, 14
"""Ages between which a year of birth is believed."""
BANDS: Final = len(COUNTED_BANDS)
RATE_COLUMN, YOUNG_COLUMN, COUNT_COLUMN = 3, 9, 10
EMPLOYEES, COUNTED, RANK, PLACE = "P", "Q", "R", "S"
HEADS_COLUMN, SHARES_COLUMN = 9, 15
IMAGE_COLUMN: Final = SHARES_COLUMN + len(NODES) * BANDS


class Shared(ArrayFormula):  # type: ignore[misc]
    """A formula that neighbours share: written once, in the first cell of its block."""

    def __init__(self, block: str, number: int, text: str | None = None) -> None:
        super().__init__(block, text)
        self.t, self.number = "shared", number

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Return the attributes of the cell's formula."""
        yield "t", self.t
        yield "si", str(self.number)
        if self.text is not None:
            yield "ref", self.ref


class Law(NamedTuple):
    """A sheet of the law: its rows, how many heads it counts at most, where heads are read.

    Attributes:
        rows: First and last.
        most: Heads up to which it computes.
        horizons: Years, by row.
        heads: Formulas, by row and band.
        share: Formula of a row and band, from 0: what leaves, without the error of rates.
    """

    rows: range
    most: int
    horizons: Sequence[int]
    heads: Sequence[Sequence[str]]
    share: Callable[[int, int], str]


def add_counts(book: Workbook, codes: list[str], rates: list[list[float]]) -> None:
    """Add the sheet of rates, heads of each band, and which métiers the company has.

    Args:
        book: The workbook, with the sheets that are filled in.
        codes: Métiers, in order.
        rates: Of each, % per year, by band.
    """
    sheet, last = hidden(book, RATES), FIRST + len(codes) - 1
    year = f"N({BIRTHS}!$B$4)"
    ages = [(YOUNGEST, 44), (45, 49), (50, 54), (55, 59), (60, 64), (65, OLDEST)]
    for column, (young, old) in enumerate(ages, start=YOUNG_COLUMN):
        sheet.cell(4, column, f"={year}-{old}")
        sheet.cell(5, column, f"={year}-{young}")
    births = [f"{BIRTHS}!${name}${FIRST}:${name}${FIRST + BIRTHS_COUNT - 1}" for name in "AB"]
    for row, (code, values) in enumerate(zip(codes, rates, strict=True), start=FIRST):
        sheet.cell(row, 1, code).data_type = "s"
        for column, value in enumerate(values, start=RATE_COLUMN):
            sheet.cell(row, column, value)
        for column in range(YOUNG_COLUMN, COUNT_COLUMN + BANDS):
            name = letter(column)
            asked = f'{births[1]},">="&{name}$4,{births[1]},"<="&{name}$5'
            if column == COUNT_COLUMN + BANDS - 1:
                asked = f'{births[1]},""'
            entered = f"{ENTRY}!{letter(column - YOUNG_COLUMN + 3)}{row}"
            text = f"=INT(MAX(0,N({entered})))+COUNTIFS({births[0]},{ENTRY}!$B{row},{asked})"
            sheet.cell(row, column, text)
        sheet[f"{EMPLOYEES}{row}"] = f"=SUM(I{row}:O{row})"
        sheet[f"{COUNTED}{row}"] = f"=SUM(J{row}:O{row})"
        above = f'COUNTIF({EMPLOYEES}${FIRST}:{EMPLOYEES}{row},">0")'
        sheet[f"{RANK}{row}"] = f"=IF({EMPLOYEES}{row}=0,0,{above})"
        ranks, rank = f"{RANK}${FIRST}:{RANK}${last}", row - FIRST + 1
        sheet[f"{PLACE}{row}"] = f"=IF({rank}>MAX({ranks}),0,MATCH({rank},{ranks},0))"


def add_laws(book: Workbook, metiers_count: int, sayings: Sequence[str]) -> None:
    """Add one sheet a horizon, with the rows of the entry sheet, and one of totals.

    Args:
        book: The workbook, with the sheet of rates.
        metiers_count: Métiers of the workbook.
        sayings: Words of nothing to count, too many heads, a median of 0, before each end of a
            range.
    """
    rows = range(FIRST, FIRST + metiers_count)
    first, last = rows[0], rows[-1]

    def of_metier(row: int, band: int) -> str:
        return f"MIN(1,B{row}*{RATES}!{letter(RATE_COLUMN + band)}{row}/100)"

    def pooled(row: int, band: int) -> str:
        heads, share = letter(COUNT_COLUMN + band), letter(SHARES_COLUMN + band)
        of = of_years(HORIZONS[row - FIRST])
        weighted = f"{RATES}!{heads}${first}:{heads}${last},{of}!{share}${first}:{share}${last}"
        return f"SUMPRODUCT({weighted})/MAX(1,{letter(HEADS_COLUMN + band)}{row})"

    counts = [f"{RATES}!{letter(COUNT_COLUMN + band)}" for band in range(BANDS)]
    for years in HORIZONS:
        heads = [[f"{count}{row}" for count in counts] for row in rows]
        law = Law(rows, METIER_MOST, [years] * metiers_count, heads, of_metier)
        _add_law(hidden(book, of_years(years)), law, sayings)
    whole = range(FIRST, FIRST + len(HORIZONS))
    sums = [f"SUM({count}${first}:{count.split('!')[1]}${last})" for count in counts]
    law = Law(whole, COMPANY_MOST, HORIZONS, [sums] * len(HORIZONS), pooled)
    _add_law(hidden(book, TOTAL), law, sayings)


def of_years(years: int) -> str:
    """Return the name of the sheet of a horizon."""
    return f"an{years}"


def hidden(book: Workbook, name: str) -> Worksheet:
    """Return a new sheet of the workbook that is not shown."""
    sheet = book.create_sheet(name)
    sheet.sheet_state, sheet.protection.sheet = "hidden", True
    return sheet


def _add_law(sheet: Worksheet, law: Law, sayings: Sequence[str]) -> None:
    """Fill in a sheet: heads, shares at each node, image of the law, and what it says."""
    terms = law.most // 2
    turns = [2 * pi * (n + 1) / (law.most + 1) for n in range(terms)]
    angles = IMAGE_COLUMN + 2 * terms
    for k in range(law.most + 1):
        sheet.cell(2, HEADS_COLUMN + k, k)
    for n, turn in enumerate(turns):
        sheet.cell(FIRST + n, angles, turn)
        for column in (IMAGE_COLUMN + n, IMAGE_COLUMN + terms + n):
            sheet.cell(3, column, cos(turn))
            sheet.cell(4, column, sin(turn))
    for node, (place, _) in enumerate(_nodes()):
        for band in range(BANDS):
            sheet.cell(5, SHARES_COLUMN + node * BANDS + band, exp(LOG_ODDS_SD * place))
    for row, horizon, heads in zip(law.rows, law.horizons, law.heads, strict=True):
        sheet.cell(row, 2, horizon)
        _add_inputs(sheet, law, row, heads)
        _add_answers(sheet, law, row, sayings)
    for number, (first, turned) in enumerate(
        ((IMAGE_COLUMN, "COS"), (IMAGE_COLUMN + terms, "SIN"))
    ):
        _share(sheet, law.rows, range(first, first + terms), number, turned)


def _nodes() -> list[tuple[float, float]]:
    """Return the nodes, that without error first."""
    return sorted(NODES, key=lambda node: abs(node[0]))


def _add_inputs(sheet: Worksheet, law: Law, row: int, heads: Sequence[str]) -> None:
    sheet.cell(row, 1, f"=SUM({_range(row, HEADS_COLUMN, BANDS)})")
    for band, count in enumerate(heads):
        sheet.cell(row, HEADS_COLUMN + band, f"={count}")
        column = SHARES_COLUMN + band
        sheet.cell(row, column, f"={law.share(row, band)}")
        share = f"{letter(column)}{row}"
        for node in range(1, len(NODES)):
            odds = f"{letter(column + node * BANDS)}$5"
            text = f"={share}*{odds}/(1+{share}*({odds}-1))"
            sheet.cell(row, column + node * BANDS, text)


def _add_answers(sheet: Worksheet, law: Law, row: int, sayings: Sequence[str]) -> None:
    """Write what a row says: words, chance of one departure or more, P(0), the three quantiles."""
    terms, size = law.most // 2, law.most + 1
    real, imaginary = (_range(row, IMAGE_COLUMN + n * terms, terms) for n in (0, 1))
    k = f"${letter(HEADS_COLUMN)}$2:${letter(HEADS_COLUMN + law.most)}$2"
    angle = letter(IMAGE_COLUMN + 2 * terms)
    t = f"${angle}${FIRST}:${angle}${FIRST + terms - 1}"
    wave = f"SIN(({k}+1)*{t}/2)/SIN({t}/2)"
    sums = f"MMULT({real},{wave}*COS({k}*{t}/2))+MMULT({imaginary},{wave}*SIN({k}*{t}/2))"
    answers = [f"(1+2*SUM({real}))/{size}"] + [
        f"SUMPRODUCT(--(({k}+1+2*({sums}))/{size}<{level}-{ROUNDING:.0E}))"
        for level in (LOW, MIDDLE, HIGH)
    ]
    for column, answer in enumerate(answers, start=5):
        sheet.cell(row, column, f'=IF(OR(A{row}=0,A{row}>{law.most}),"",{answer})')
    nothing, many, none, between, to = (f'"{each}"' for each in sayings)
    low, middle, high = f"F{row}", f"G{row}", f"H{row}"
    ends = f'{between}&{low}&{to}&{high}&")"'
    said = f'IF({middle}=0,{none},{middle}&"")&IF({low}={high},"",{ends})'
    sheet.cell(row, 3, f"=IF(A{row}=0,{nothing},IF(A{row}>{law.most},{many},{said}))")
    sheet.cell(row, 4, f'=IF(OR(A{row}=0,A{row}>{law.most}),"",1-E{row})')


def _share(sheet: Worksheet, rows: range, columns: range, number: int, turned: str) -> None:
    """Write one part of the image of the law as a formula that all cells of a block share."""
    row, name = rows[0], letter(columns[0])
    heads = f"${letter(HEADS_COLUMN)}{row}:${letter(HEADS_COLUMN + BANDS - 1)}{row}"
    waves = []
    for node, (_, weight) in enumerate(_nodes()):
        first = SHARES_COLUMN + node * BANDS
        p = f"${letter(first)}{row}:${letter(first + BANDS - 1)}{row}"
        modulus = f"EXP(SUMPRODUCT({heads},LN(1-2*{p}*(1-{p})*(1-{name}$3)))/2)"
        angle = f"SUMPRODUCT({heads},ATAN2(1-{p}+{p}*{name}$3,{p}*{name}$4))"
        waves.append(f"{round(6 * weight)}*{modulus}*{turned}({angle})")
    block = f"{name}{row}:{letter(columns[-1])}{rows[-1]}"
    follower = Shared(block, number)
    for place in rows:
        for column in columns:
            sheet.cell(place, column).value = follower
    sheet[f"{name}{row}"] = Shared(block, number, f"=({'+'.join(waves)})/6")


def _range(row: int, column: int, count: int) -> str:
    return f"${letter(column)}{row}:${letter(column + count - 1)}{row}"
