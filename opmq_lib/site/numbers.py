"""Numbers of a built page against the tables they are read from, and against each other.

Every number of a page names its cell (`data-cell="table:row:column"`). A number may differ from its
cell by half a unit of its last decimal, or by 5 % where whole numbers are rounded to two digits, or
by 5 where requests are rounded to ten. What stands on the page is read, not what made it.
"""

import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from opmq_lib import tables
from opmq_lib.errors import Defect
from opmq_lib.site import markup
from opmq_lib.site.manifest import Manifest, Run
from opmq_lib.sources import study

SHOWN = re.compile(r'<span data-cell="([^":]+):(\d+):(\w+)">([^<]*)</span>')
LEAST_SHARE = 0.05
"""How far a number of two digits may stand from its cell."""
REQUESTS_STEP = 10
LEAST_ROWS = 3
"""Rows from which a column can be in order."""
UNDECIDED = (
    "rien ne dit",
    "rien ne permet",
    "ne permet pas de dire",
    "on ne peut pas dire",
    "peut monter comme baisser",
)
_NUMBER = re.compile(r"(moins de\s|<\s)?([+−-]?\d[\d\u202f\u00a0]*(?:,\d+)?)(?:\s?(%|ans\b))?")
_HELD = re.compile(r"(?<![\w:])-?\d+(?:\.\d+)?(?:e[+-]\d+)?(?=$|\s)|(?<=:)\d+\.\d+")
_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<t[dh]\b.*?</t[dh]>", re.DOTALL)
_TABLE = re.compile(r"<tbody\b.*?</tbody>", re.DOTALL)
_SAID = re.compile(r"<(li|p|td)\b[^>]*>.*?</\1>", re.DOTALL)
_FIGURE = re.compile(r"<figure\b.*?</figure>", re.DOTALL)
_ALTERNATIVE = re.compile(r'role="img" aria-label="([^"]*)"')
_NOT_A_NUMBER = re.compile(r"(?<![\w-])(?:nan|NaN|inf|None)(?![\w-])")
_NO_NUMBER_ENDS = [re.compile(rf"{word}(?![\w-])") for word in ("nan", "NaN", "inf", "None")]
"""Quick to look for: each begins with a word."""


_OF_BRANCH = re.compile(r'<h3><a href="(?:\.\./)*branches/(\w+)/index\.html">')
"""On the home page, and that of all branches, what stands before the numbers of a branch."""
_COUNT = re.compile(r"\bdans (\d+) des (\d+)\b")
"""How many of what is shown: not more than the table of a figure has lines."""
_SIZE = re.compile(r"\b[Mm]oins de\s(50)\s+salariés")
_OF_ANY_UNIT = ("value", "lower", "upper")
_METIERS = "telechargements/metiers/metiers_csv.zip"
_EDITIONS = "telechargements/editions"

Columns = Mapping[str, Any]
"""Those of a table by name, see `study.text_columns`."""


class Number(NamedTuple):
    """One number of a page.

    Attributes:
        cell: Table, row and column.
        text: As it is shown.
        value: What it says; `None` if it is no number.
        is_less: Whether it says « moins de ».
        true: What the cell holds; `None` where there is none.
        limit: How far from the cell it may stand.
    """

    cell: tuple[str, int, str]
    text: str
    value: float | None
    is_less: bool
    true: float | None
    limit: float


class Tables:
    """The result tables behind some pages, read when a page asks for them: its own first.

    Args:
        homes: Notebooks that have written a table of each name, each with what reads its columns.
        is_french: Whether decimals stand after a comma.
    """

    def __init__(
        self, homes: Mapping[str, Mapping[str, Callable[[], Columns]]], is_french: bool = False
    ) -> None:
        """Keep the tables."""
        self.homes, self.is_french = homes, is_french
        self.columns: dict[tuple[str, str, str], tuple[list[str], Any]] = {}

    def cell(self, page: str, name: str, row: int, column: str) -> tuple[str, str] | None:
        """Return the text of a cell and its unit; `None` if no table has it."""
        texts, places = self._column(page, name, column)
        if row >= len(places):
            return None
        units, unit_places = self._column(page, name, "unit")
        text = texts[places[row]]
        unit = units[unit_places[row]] if units else ""
        return text.replace(",", ".") if self.is_french else text, unit

    def _column(self, page: str, name: str, column: str) -> tuple[list[str], Any]:
        """Return the texts of a column, and which of them stands in each row."""
        homes = self.homes.get(name, {})
        home = page if page in homes else next(iter(homes), "")
        key = (home, name, column)
        if key not in self.columns:
            read = homes[home]().get(column) if homes else None
            self.columns[key] = (
                ([], []) if read is None else (read.dictionary.to_pylist(), read.indices.to_numpy())
            )
        return self.columns[key]


def of_runs(runs: Iterable[Run]) -> Tables:
    """Return the tables of some runs, and as `NAME/table` those of the edition before."""
    homes: dict[str, dict[str, Callable[[], Columns]]] = defaultdict(dict)
    for run in runs:
        for name, columns in run.tables.items() if run.status == "ok" else ():
            homes[name][run.notebook] = partial(dict, columns)
        if before := run.record.get("parameters", {}).get("previous_edition_id"):
            folder = run.folder.parents[2] / before / run.branch_code
            for path in folder.glob("*/*.csv"):
                homes[f"{before}/{path.stem}"][path.parent.name] = cache(partial(_columns_of, path))
    return Tables(homes)


def of_files(folder: Path) -> Tables:
    """Return the tables of the archives of a folder, each of one CSV file of its name."""
    paths = folder.glob("*.zip")
    return Tables({path.stem: {"": cache(partial(_unpacked, path))} for path in paths})


def _unpacked(path: Path) -> Columns:
    with zipfile.ZipFile(path) as packed:
        return study.text_columns(packed.read(f"{path.stem}.csv"))


def _columns_of(path: Path) -> Columns:
    return study.text_columns(path.read_bytes())


def of_archive(path: Path) -> Tables:
    """Return the tables of an archive that readers download."""
    if not path.is_file():
        return Tables({})
    with zipfile.ZipFile(path) as archive:
        texts = {
            Path(name).stem: archive.read(name).removeprefix(b"\xef\xbb\xbf")
            for name in archive.namelist()
        }
    read = {
        name: {"": cache(partial(study.text_columns, text, ";"))} for name, text in texts.items()
    }
    return Tables(read, is_french=True)


def check(manifest: Manifest, built: Path, pages: Mapping[str, str]) -> list[Defect]:
    """Return what numbers of the pages of an edition say wrongly.

    Args:
        manifest: What was published.
        built: The site, for what readers download.
        pages: Its pages, by address.
    """
    defects: list[Defect] = []
    common = of_runs(manifest.common.values())
    branches = {each.code: of_runs(each.runs.values()) for each in manifest.branches}
    known = {f"branches/{code}": tables for code, tables in branches.items()}
    known |= {"metiers": of_archive(built / _METIERS), "editions": of_files(built / _EDITIONS)}
    ways: dict[tuple[Any, ...], dict[str, str]] = defaultdict(dict)
    for name, html in pages.items():
        folder, _, page = name.removesuffix(".html").rpartition("/")
        own = known.get(folder, common)
        _, *others = parts = _OF_BRANCH.split(html) if own is common else [html]
        scopes = zip([None, *others[::2]], parts[::2], strict=True)
        for code, part in scopes:
            there = branches.get(code, own) if code else own
            numbers = list(read(part, page, there))
            defects += of_numbers(name, numbers)
            defects += of_orders(name, part, numbers)
            for each in numbers:
                key = (id(there), *each.cell, each.true or 0.0)
                ways[key].setdefault(_plain(each.text), name)
        defects += of_texts(name, html)
    for (_, table, row, column, _), texts in ways.items():
        if len(texts) > 1:
            where, fix = ", ".join(sorted({*texts.values()})), "show it in one form everywhere"
            what = f"the cell {table}:{row}:{column} shown in two ways"
            defects.append(Defect(where, what, "one form", fix, " and ".join(texts)))
    return defects


def read(html: str, page: str, known: Tables) -> Iterator[Number]:
    """Yield the numbers of a page with the cells they name; not of an edition that is not kept.

    Args:
        html: The page.
        page: Its notebook.
        known: Tables of its branch.
    """
    for name, row, column, text in SHOWN.findall(html):
        if "/" in name and name not in known.homes:
            continue
        cell, unit = known.cell(page, name, int(row), column) or ("", "")
        yield Number((name, int(row), column), text, *_against(text, cell, unit, column))


@cache
def _against(
    text: str, cell: str, unit: str, column: str
) -> tuple[float | None, bool, float | None, float]:
    """Return what a text says, whether as « moins de », what its cell holds, and the limit."""
    match = _NUMBER.match(text)
    value = _value(match[2]) if match else None
    held = [float(number) for number in _HELD.findall(cell)]
    if match and match[3] == "%" and not unit and _is_a_part(column):
        held = [100 * number for number in held]
    true = min(held, key=lambda number: abs(number - (value or 0.0)), default=None)
    limit = _limit(match, true, unit) if match else 0.0
    if value is not None and true is not None and _is_outward(column, value, true):
        limit = max(limit, 1.0)
    return value, bool(match and match[1]), true, limit


def of_numbers(page: str, numbers: Sequence[Number]) -> Iterator[Defect]:
    """Yield the numbers of a page that lead nowhere, or stand too far from their cell."""
    for each in numbers:
        place = "{}:{}:{}".format(*each.cell)
        if each.value is None or each.true is None:
            if each.value is not None:
                fix = "name the cell that it was read from"
                yield Defect(page, "a number without cell", "a number in its cell", fix, place)
        elif each.is_less:
            if abs(each.true) >= each.value:
                yield _far(page, each, place)
        elif abs(each.value - each.true) > each.limit:
            yield _far(page, each, place)


def of_orders(page: str, html: str, numbers: Sequence[Number]) -> Iterator[Defect]:
    """Yield the columns of tables that are in order in the results and not on the page."""
    true = {(*each.cell, each.text): each for each in numbers}
    for body in _TABLE.findall(html):
        rows = _ROW.findall(body)
        lines = [_CELL.findall(row) for row in rows] if len(rows) >= LEAST_ROWS else []
        for column in zip(*lines, strict=False):
            found = [SHOWN.search(cell) for cell in column]
            shown = [
                true.get((one[1], int(one[2]), one[3], one[4])) if one else None for one in found
            ]
            pairs = [
                (each.true, each.value)
                for each in shown
                if each and each.true is not None and each.value is not None and not each.is_less
            ]
            if len(pairs) < len(column):
                continue
            for sign in (1, -1):
                in_order = all(sign * a[0] >= sign * b[0] for a, b in pairwise(pairs))
                if in_order and not all(sign * a[1] >= sign * b[1] for a, b in pairwise(pairs)):
                    fix = "sort, then round; every number of the column in the same way"
                    value = ", ".join(str(shown_value) for _, shown_value in pairs)[:80]
                    yield Defect(page, "a sorted column out of order", "one order", fix, value)


def of_texts(page: str, html: str) -> Iterator[Defect]:
    """Yield sentences that contradict their interval, alternatives that differ, no-numbers."""
    main = markup.main(html)
    undecided = _SAID.finditer(main) if any(map(main.__contains__, UNDECIDED)) else ()
    for said in (match[0] for match in undecided):
        if any(map(said.__contains__, UNDECIDED)):
            ends = {column: _value(text) for _, _, column, text in SHOWN.findall(said)}
            low, high = ends.get("lower"), ends.get("upper")
            if low is not None and high is not None and (low >= 0 or high <= 0):
                fix = "say what the interval says"
                value = markup.text(said)[:120]
                yield Defect(
                    page, "a sentence against its interval", "no contradiction", fix, value
                )
    for figure in _FIGURE.findall(main):
        yield from _of_alternative(page, figure)
    may_hold = any(each.search(main) for each in _NO_NUMBER_ENDS)
    if may_hold and (found := _NOT_A_NUMBER.search(markup.text(main, " "))):
        yield Defect(page, "no number where one is shown", "a number or nd", "find it", found[0])


def _of_alternative(page: str, figure: str) -> Iterator[Defect]:
    """Yield the numbers of a text alternative that the figure holds nowhere else."""
    said, rows = _ALTERNATIVE.search(figure), " ".join(_TABLE.findall(figure))
    if said is None or not rows:
        return
    texts = [markup.text(rows, " "), *(text for *_, text in SHOWN.findall(figure))]
    known = {number for number, _ in _values(" ".join([*texts, *_SIZE.findall(said[1])]))}
    lines = len(_ROW.findall(rows))
    counts = [(int(some), int(of)) for some, of in _COUNT.findall(said[1])]
    known |= {number for some, of in counts if some <= of <= lines for number in (some, of)}
    for number, text in _values(said[1]):
        is_year = number == int(number) and 1900 < number < 2100
        if number not in known and not is_year and number not in (8, 10, 80, 100):
            fix = "say only numbers of the figure's table, as it shows them"
            what = "a text alternative that differs from its table"
            yield Defect(page, what, "the numbers of the table", fix, text)


def _limit(match: re.Match[str], true: float | None, unit: str) -> float:
    decimals = len(match[2].partition(",")[2])
    half = float(0.5 * 10**-decimals) + 1e-9
    if decimals or true is None or match[3] == "%":
        return half
    step = REQUESTS_STEP / 2 if unit == "count" else 0.0
    return max(half, step, LEAST_SHARE * abs(true))


def _is_outward(column: str, value: float, true: float) -> bool:
    """Return whether an end of an interval is rounded away from its middle."""
    ends = {"lower": value <= true, "upper": value >= true}
    return ends.get(column.rpartition("_")[2], False)


def _far(page: str, number: Number, place: str) -> Defect:
    what = f"a number too far from its cell {place}"
    return Defect(page, what, f"{number.true}, rounded", "round it less", number.text)


def _is_a_part(column: str) -> bool:
    is_named = column in tables.COLUMNS and column not in _OF_ANY_UNIT
    return is_named and "%" not in tables.COLUMNS[column].unit


@cache
def _value(text: str) -> float | None:
    plain = re.sub(r"[\u202f\u00a0]", "", text).replace("−", "-").replace(",", ".")
    found = re.search(r"[+-]?\d+(?:\.\d+)?", plain)
    return float(found[0]) if found else None


def _values(text: str) -> Iterator[tuple[float, str]]:
    for match in _NUMBER.finditer(text):
        value = _value(match[2])
        if value is not None and match[3] != "ans":
            yield abs(value), match[0].strip()


def _plain(text: str) -> str:
    return text.removeprefix("moins de\u00a0").removesuffix("\u00a0%").lstrip("+")
