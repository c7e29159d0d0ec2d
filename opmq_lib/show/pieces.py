"""Result tables in, pieces of a French page out: tables, key figures, findings, banners.

Every number shown carries `data-cell="table:row:column"`, the cell of the result table it was read
from, so that a reader, a test or a search can walk back from the page to the table.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import pandas as pd
from markupsafe import Markup, escape

from opmq_lib.arguments import checked
from opmq_lib.errors import Defect, ScopeError, did_you_mean
from opmq_lib.show import french, notebook
from opmq_lib.tables.columns import TITLES_SEPARATOR

ABSENT = Markup('<abbr class="opmq-absent" title="non disponible">nd</abbr>')
NOT_APPLICABLE = Markup('<abbr class="opmq-absent" title="sans objet">np</abbr>')

TEXT = ' class="text"'
LEAST_RELIABLE = "D"
LEAST_CARD = 4
"""Columns from which a table is too wide for a phone; those of text count twice."""
GRADE = Markup('<abbr class="opmq-grade" title="fiabilité {0} : {1}">{0}</abbr>')
LETTERS = {"": Markup("")} | {key: GRADE.format(key, said) for key, said in french.GRADES.items()}

Results = Mapping[str, pd.DataFrame]
Labels = Mapping[str, str]
Row = TypeVar("Row")


@checked
def chosen(
    rows: pd.DataFrame, codes: Sequence[str], count: int, key: str = "metier_code"
) -> pd.DataFrame:
    """Return the rows that a figure draws: those asked for, in their order, else the first ones.

    Args:
        rows: What can be drawn, a row per code; without any, nothing is drawn.
        codes: Those asked for; none: the first `count` rows.
        count: Rows drawn where none is asked for.
        key: Column of the codes.

    Raises:
        ScopeError: With every code asked for that no row has.

    Examples:
        >>> rows = pd.DataFrame({"metier_code": ["E1Z43", "G0A40"], "value": [2.0, 1.0]})
        >>> chosen(rows, ["G0A40"], 1)["value"].tolist(), chosen(rows, [], 1)["value"].tolist()
        ([1.0], [2.0])
    """
    if rows.empty or not codes:
        return rows.head(count)
    known = rows[key].tolist()
    expected = f"codes that the results have, such as {', '.join(known[:3])}"
    unknown = [
        Defect(key, "nothing to draw", expected, did_you_mean(code, known) or "correct it", code)
        for code in codes
        if code not in known
    ]
    if unknown:
        raise ScopeError(unknown)
    return rows.iloc[[known.index(code) for code in codes]]


def metier(code: str, label: str) -> Markup:
    """Return the name of a métier, marked so that a site leads to its page where it has one.

    Examples:
        >>> metier("G1Z70", "Techniciens de maintenance")
        Markup('<span data-metier="G1Z70">Techniciens de maintenance</span>')
    """
    return Markup('<span data-metier="{}">{}</span>').format(code, label)


HERE = ("main_romes", "hires_evidence")
"""Columns that say what a métier is in its branch."""


def mostly(titles: object, evidence: object) -> Markup:
    """Return, small, what a métier mostly is in its branch, or that hardly anybody was hired there.

    Args:
        titles: A cell of `main_romes`: titles of the ROME, or nothing.
        evidence: A cell of `hires_evidence`.

    Examples:
        >>> mostly("Fabrication de pièces en matériaux composites", "seen")
        Markup(' <small>ici surtout : fabrication de pièces en matériaux composites</small>')
        >>> mostly("", "none")
        Markup(' <small>ici presque aucune embauche déclarée : estimation seule</small>')
    """
    said = ""
    if evidence == "none":
        said = "ici presque aucune embauche déclarée : estimation seule"
    elif isinstance(titles, str) and titles:
        named = [
            french.label(french.uncapitalised(title)) for title in titles.split(TITLES_SEPARATOR)
        ]
        said = f"ici surtout : {french.enumeration(named)}"
    return Markup(" <small>{}</small>").format(said) if said else Markup("")


@dataclass(frozen=True)
class Html:
    """A piece of page that Jupyter shows as it stands."""

    html: str

    def _repr_html_(self) -> str:
        return self.html and notebook.style() + self.html


@dataclass(frozen=True)
class Cells:
    """The numbers of one result table as a page shows them, each with the cell it is read from.

    A number that has a grade of reliability is shown with its letter; of the last grade, only the
    ends of its interval.

    Attributes:
        name: Name of the table, as its file is named.
        table: The table; its index is the row number in the file. A row `None` is shown as `nd`, a
            cell without number as `s`, `nd`, `np` or `nv`, with its meaning as a title.

    Examples:
        >>> table = pd.DataFrame({"value": [12.0, None], "status": ["value", "nd"]})
        >>> cells = Cells("indicateurs", table)
        >>> cells.number(0)
        Markup('<span class="n" data-cell="indicateurs:0:value">12</span>')
        >>> cells.number(1)
        Markup('<abbr class="opmq-absent" title="non disponible">nd</abbr>')
    """

    name: str
    table: pd.DataFrame

    def read(self, row: int, column: str = "value") -> float | None:
        """Return a number of the table, or `None` where there is none."""
        value = self.cell(row, column)
        return None if pd.isna(value) else float(value)

    @cached_property
    def _columns(self) -> dict[str, dict[int, Any]]:
        """The columns read so far: a page reads many cells of few columns."""
        return {}

    def cell(self, row: int, column: str) -> Any:
        """Return what stands in a row and a column."""
        if column not in self._columns:
            cells = zip(self.table.index, self.table[column].tolist(), strict=True)
            self._columns[column] = dict(cells)
        return self._columns[column][row]

    def show(self, row: int | None, form: Callable[[float], str], column: str = "value") -> Markup:
        """Return a number in the form given with its letter, or the sign of its absence."""
        if row is None or column != "value" or self.read(row) is None:
            return self.bare(row, form, column)
        grade = self.grade(row)
        shown = self.ends(row, form) if grade == LEAST_RELIABLE else self.bare(row, form)
        return shown + LETTERS[grade]

    def bare(self, row: int | None, form: Callable[[float], str], column: str = "value") -> Markup:
        """Return a number in the form given without its letter, or the sign of its absence."""
        if row is None:
            return ABSENT
        value = self.read(row, column)
        if value is None:
            return absence(str(self.cell(row, "status")))
        place = f"{self.name}:{row}:{column}"
        return Markup(f'<span class="n" data-cell="{place}">{escape(form(value))}</span>')

    def letter(self, row: int | None) -> Markup:
        """Return the grade of reliability of a number as its letter, if it has one."""
        return LETTERS["" if row is None else self.grade(row)]

    def is_unreliable(self, row: int | None) -> bool:
        """Return whether a number has the last grade: only its interval is shown."""
        return row is not None and self.grade(row) == LEAST_RELIABLE

    def grade(self, row: int) -> str:
        """Return the grade of reliability of a number, empty where it has none."""
        has_grades = "reliability_grade" in self.table
        grade = self.cell(row, "reliability_grade") if has_grades else ""
        return "" if pd.isna(grade) else str(grade)

    def number(self, row: int | None, decimals: int = 0) -> Markup:
        """Return a number as published, without unit."""
        return self.show(row, lambda value: french.number(value, decimals))

    def percent(self, row: int | None, decimals: int = 0) -> Markup:
        """Return a percentage."""
        return self.show(row, lambda value: french.percent(value, decimals))

    def rate(self, row: int | None) -> Markup:
        """Return a rate per 100 jobs and a year."""
        return self.number(row, 1)

    def rate_interval(self, row: int | None) -> Markup:
        """Return the interval of a rate."""
        return self.ends(row, french.one_decimal)

    def headcount(self, row: int | None) -> Markup:
        """Return a head count: two digits of an estimate, an observed one as published."""
        if self.is_unreliable(row):
            return self.interval(row) + self.letter(row or 0)
        is_published = row is not None and self._is_published(row)
        return self.show(row, french.number if is_published else french.two_digits)

    def interval(self, row: int | None) -> Markup:
        """Return an interval of heads, as « 11 000 à 14 000 »."""
        return self.ends(row, french.two_digits)

    def _is_published(self, row: int) -> bool:
        has_ends = "lower" in self.table and self.read(row, "lower") is not None
        return (
            not has_ends and self.table.get("nature", pd.Series(dtype="str")).get(row) == "observed"
        )

    def bounds(self, row: int | None) -> Markup:
        """Return the bounds of a number, as « 56 à 69 »: the whole numbers that enclose them."""
        return self.ends(
            row,
            lambda value: french.number(math.floor(value)),
            lambda value: french.number(math.ceil(value)),
        )

    def ends(
        self,
        row: int | None,
        form: Callable[[float], str],
        upper_form: Callable[[float], str] | None = None,
    ) -> Markup:
        """Return the two ends of an interval, or the sign of its absence; « moins de 10 » once."""
        low, high = (None if row is None else self.read(row, end) for end in ("lower", "upper"))
        if low is None or high is None:
            return self.show(row, form, "lower")
        last = upper_form or form
        shown = self.show(row, last, "upper")
        if last(low) == last(high) and last(high).startswith("moins"):
            return shown
        return self.show(row, form, "lower") + f" à{french.NBSP}" + shown


def absence(status: str) -> Markup:
    """Return the sign of a missing number, with its meaning; `nd` if nothing says why.

    Examples:
        >>> absence("s")
        Markup('<abbr class="opmq-absent" title="secret statistique">s</abbr>')
    """
    sign = status if status in french.STATUS_LABELS else "nd"
    title = french.STATUS_LABELS[sign]
    return Markup('<abbr class="opmq-absent" title="{}">{}</abbr>').format(title, sign)


def paragraphs(words: str) -> list[str]:
    r"""Return the paragraphs of a text, which blank lines separate, each on one line.

    Examples:
        >>> paragraphs("Une phrase\n  sur deux lignes.\n\n\nUne autre.\n")
        ['Une phrase sur deux lignes.', 'Une autre.']
    """
    parts = re.split(r"\n\s*\n", words)
    return [text for part in parts if (text := re.sub(r"[ \n]+", " ", part).strip(" "))]


def prose(words: str) -> Html:
    """Return words that are HTML by themselves."""
    return piece("".join(paragraphs(words)))


def banner(words: str) -> Html:
    """Return a warning that stands before what it qualifies."""
    said = text(words).html
    return piece(f'<div class="opmq-banner" role="note">{said}</div>') if said else Html("")


def text(words: str) -> Html:
    """Return the paragraphs of a text, in HTML."""
    return piece("".join(f"<p>{each}</p>" for each in paragraphs(words)))


def grades_legend(*tables: pd.DataFrame) -> Html:
    """Return what the letters of a page mean, where some table has a graded number."""
    graded = [table["reliability_grade"] for table in tables if "reliability_grade" in table]
    if not any(letters.isin(list(french.GRADES)).any() for letters in graded):
        return Html("")
    meanings = " ; ".join(
        f"<strong>{grade}</strong> : {text}" for grade, text in french.GRADES.items()
    )
    caption = "Fiabilité des nombres estimés, d’après leur intervalle à 80 %. "
    return piece(f'<p class="opmq-source">{caption}{meanings}.</p>')


def findings(words: str) -> Html:
    """Return findings as a list, one a paragraph, in HTML whose numbers come from `Cells`."""
    said = paragraphs(words) or ["Aucun constat que les intervalles permettent de soutenir."]
    return piece(f'<ul class="opmq-finding">{"".join(f"<li>{each}</li>" for each in said)}</ul>')


def key_figures(figures: Iterable[tuple[str, str, str]]) -> Html:
    """Return key figures: label, number (from `Cells`) and what qualifies it (HTML)."""
    items = "".join(
        f"<div><dt>{escape(label)}</dt><dd><strong>{value}</strong> <span>{note}</span></dd></div>"
        for label, value, note in figures
    )
    return piece(f'<dl class="opmq-keyfigures">{items}</dl>')


def table(
    words: str,
    columns: Mapping[str, Callable[[Row], str]] | Sequence[tuple[str, Callable[[Row], str]]],
    rows: Iterable[Row],
    *,
    is_grid: bool = False,
) -> Html:
    r"""Return a table whose columns are functions of a row; of a wide one, a phone shows cards.

    Args:
        words: Two paragraphs: what the table says, in French, also the name of its scrolling
            region; then producers, vintages and the result table the numbers were read from.
        columns: Column title with its unit → what stands there in a row: made by `Cells`, or a text
            that is escaped. The first column names the line. Pairs where titles repeat.
        rows: What the functions receive, a line each.
        is_grid: Whether it is read across as well as down: it stays a table on a phone.

    Examples:
        >>> mine = pd.DataFrame({"name": ["Soudeurs"], "value": [1200.0]})
        >>> cells = Cells("mine", mine)
        >>> columns = {"Métier": lambda row: mine["name"][row], "Emplois": cells.number}
        >>> shown = table("Emplois par métier.\n\nSource : essai.", columns, mine.index)
        >>> print(shown.html)  # doctest: +ELLIPSIS
        <div class="opmq-table"...<td><span class="n" data-cell="mine:0:value">1...200</span>...
    """
    pairs = [*(columns.items() if isinstance(columns, Mapping) else columns)]
    caption, *source = paragraphs(words)
    shown = [[escape(show(row)) for _, show in pairs] for row in rows]
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(map(_data_cell, others))}</tr>'
        for first, *others in shown
    )
    numbers = {at for line in shown for at, value in enumerate(line) if _holds_number(value)}
    head = "".join(
        f'<th scope="col"{"" if at in numbers or not at else TEXT}>{escape(title)}</th>'
        for at, (title, _) in enumerate(pairs)
    )
    is_wide = 2 * len(pairs) - 1 - len(numbers) >= LEAST_CARD and not is_grid
    cards = as_cards([title for title, _ in pairs]) if is_wide else ""
    return piece(
        f'<div class="opmq-table" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table{cards}><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
        f'<p class="opmq-source">{escape(" ".join(source))}</p>'
    )


def as_cards(titles: Sequence[str]) -> str:
    r"""Return what makes a phone show each line of a table as a card that has the titles in it.

    Args:
        titles: Of the columns, the name of the line first.

    Examples:
        >>> as_cards(["Métier", "Emplois", "Départs"])
        ' class="opmq-carded" style="--h2:\'Emplois\';--h3:\'Départs\'"'
    """
    named = (
        f"--h{at}:'{escape(french.typography(title))}'"
        for at, title in enumerate(titles[1:], start=2)
    )
    return f' class="opmq-carded" style="{";".join(named)}"'


def shaded(cells: Cells, row: int, most: float) -> Markup:
    """Return a number on a ground that is the darker the nearer it is to the largest."""
    shade = 1 + min(4, int(5 * (cells.read(row) or 0) / most))
    shown = cells.bare(row, french.number)
    return Markup('<span class="opmq-shade t{}">{}</span>').format(shade, shown)


def heat(  # noqa: PLR0913 - a table and its two sides
    words: str,
    cells: Cells,
    rows: pd.DataFrame,
    labels: Labels,
    lines: Sequence[str],
    columns: Sequence[str],
) -> Html:
    """Return numbers as a table of shades, the darker the larger.

    Args:
        words: See `table`.
        cells: The table of the numbers.
        rows: Those of it to show: `branch_code`, `metier_code`, `value`.
        labels: French names of branches and métiers.
        lines: Branches, from the top.
        columns: Métiers, from the left.
    """
    keys = zip(rows["branch_code"], rows["metier_code"], strict=True)
    place, most = dict(zip(keys, rows.index.tolist(), strict=True)), float(rows["value"].max())

    def column(metier_code: str) -> Callable[[str], str]:
        def show(branch_code: str) -> str:
            row = place.get((branch_code, metier_code))
            if row is None:
                return ""
            return shaded(cells, row, most)

        return show

    named = [(labels[code], column(code)) for code in columns]
    return table(words, [("Branche", labels.__getitem__), *named], lines, is_grid=True)


def folded(title: str, *parts: Html) -> Html:
    """Return pieces under a line that opens them; nothing where none has anything to show."""
    shown = "".join(part.html for part in parts)
    if not shown:
        return Html("")
    summary = f"<summary>{french.typography(title)}</summary>"
    return Html(f'<details class="opmq-fold">{summary}{shown}</details>')


def choice(key: str, question: str, options: Sequence[tuple[str, Html]]) -> Html:
    """Return one of several pieces at a time, as the reader chooses; no script is needed.

    Args:
        key: What makes it unique in the page.
        question: What one chooses, in French.
        options: Name and piece of each; the first is shown.
    """
    shown = [(name, part.html) for name, part in options if part.html]
    if not shown:
        return Html("")
    radios = "".join(
        f'<input type="radio" name="{key}" id="{key}-{at}"{"" if at else " checked"}>'
        f'<label for="{key}-{at}">{escape(name)}</label>'
        for at, (name, _) in enumerate(shown)
    )
    parts = "".join(
        f'<div class="opmq-option"><p class="opmq-sub">{escape(name)}</p>{html}</div>'
        for name, html in shown
    )
    legend = f"<legend>{french.typography(question)}</legend>"
    return Html(f'<fieldset class="opmq-choose">{legend}{radios}{parts}</fieldset>')


def lede(words: str) -> Html:
    """Return the sentence that a reader keeps, then what qualifies it and what to do."""
    first, *others = paragraphs(words)
    rest = "".join(f'<p class="opmq-next">{each}</p>' for each in others)
    return piece(f'<p class="opmq-lede">{first}</p>{rest}')


def piece(html: str) -> Html:
    """Return HTML with French typography in its texts."""
    parts = re.split(r"(<[^>]*>)", html)
    return Html("".join(part if part[:1] == "<" else french.typography(part) for part in parts))


def _data_cell(value: str) -> str:
    return f"<td>{value}</td>" if _holds_number(value) else f"<td{TEXT}>{value}</td>"


def _holds_number(value: str) -> bool:
    return 'class="n"' in value or 'class="opmq-absent"' in value
