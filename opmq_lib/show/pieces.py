"""Result tables in, pieces of a French page out: tables, key figures, findings, banners.

Every number shown carries `data-cell="table:row:column"`, the cell of the result table it was read
from, so that a reader, a test or a search can walk back from the page to the table.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd

from opmq_lib.show import french

ABSENT = '<abbr class="opmq-absent" title="non disponible">nd</abbr>'
NOT_APPLICABLE = '<abbr class="opmq-absent" title="sans objet">np</abbr>'


@dataclass(frozen=True)
class Html:
    """A piece of page that Jupyter shows as it stands."""

    html: str

    def _repr_html_(self) -> str:
        return self.html


def cell(name: str, table: pd.DataFrame, row: int, text: str, column: str = "value") -> str:
    """Return one number of a result table as HTML, or the sign of its absence.

    Args:
        name: Name of the result table, as its file is named.
        table: The result table; its index is the row number in the file.
        row: Row number.
        text: The number in French; ignored when the cell is absent.
        column: Column the number was read from.

    Returns:
        A span that names the cell, or `s`, `nd`, `np`, `nv` with its meaning as a title.

    Examples:
        >>> table = pd.DataFrame({"value": [12.0, None], "status": ["value", "nd"]})
        >>> cell("indicateurs", table, 0, "12")
        '<span class="n" data-cell="indicateurs:0:value">12</span>'
        >>> cell("indicateurs", table, 1, "")
        '<abbr class="opmq-absent" title="non disponible">nd</abbr>'
    """
    if read(table, row, column) is None:
        status = str(table.at[row, "status"])
        sign = status if status in french.STATUS_LABELS else "nd"
        title = french.STATUS_LABELS[sign]
        return f'<abbr class="opmq-absent" title="{title}">{sign}</abbr>'
    return f'<span class="n" data-cell="{name}:{row}:{column}">{escape(text)}</span>'


def read(table: pd.DataFrame, row: int, column: str = "value") -> float | None:
    """Return a number of a result table, or `None` where there is none."""
    value = float(table[column].loc[row])
    return None if math.isnan(value) else value


def step(table: pd.DataFrame, row: int) -> int:
    """Return the rounding step in heads that a row's interval supports; 1 without interval."""
    lower, upper = read(table, row, "lower"), read(table, row, "upper")
    return 1 if lower is None or upper is None else french.step(lower, upper)


def headcount(name: str, table: pd.DataFrame, row: int, least_step: int = 1) -> str:
    """Return a head count no finer than its interval allows, nor than `least_step`."""
    value = read(table, row)
    size = max(step(table, row), least_step)
    return cell(name, table, row, "" if value is None else french.rounded(value, size))


def interval(name: str, table: pd.DataFrame, row: int, least_step: int = 1) -> str:
    """Return an interval of heads, as « 11 000 à 14 000 », no finer than it allows."""
    size = max(step(table, row), least_step)
    return _ends(name, table, row, lambda value: french.rounded(value, size))


def bounds(name: str, table: pd.DataFrame, row: int) -> str:
    """Return the two bounds of a number, as « 56 à 69 »: the whole numbers that enclose them."""
    return _ends(name, table, row, french.number, (math.floor, math.ceil))


def number(name: str, table: pd.DataFrame, row: int, decimals: int = 0) -> str:
    """Return a number as published, without unit."""
    value = read(table, row)
    return cell(name, table, row, "" if value is None else french.number(value, decimals))


def percent(name: str, table: pd.DataFrame, row: int, decimals: int = 0) -> str:
    """Return a percentage."""
    value = read(table, row)
    return cell(name, table, row, "" if value is None else french.percent(value, decimals))


def shown(
    show: Callable[..., str], name: str, table: pd.DataFrame, row: int | None, *options: int
) -> str:
    """Return a number shown by one of the functions above, or `nd` where the row is missing."""
    return ABSENT if row is None else show(name, table, row, *options)


def banner(*sentences: str) -> Html:
    """Return a warning that stands before what it qualifies; sentences are HTML."""
    body = "".join(f"<p>{sentence}</p>" for sentence in sentences)
    return Html(f'<div class="opmq-banner" role="note">{body}</div>')


def findings(sentences: Sequence[str]) -> Html:
    """Return findings as a list; each sentence is HTML whose numbers come from `cell`."""
    told = sentences or ["Aucun constat que les intervalles permettent de soutenir."]
    items = "".join(f"<li>{sentence}</li>" for sentence in told)
    return Html(f'<ul class="opmq-finding">{items}</ul>')


def key_figures(figures: Iterable[tuple[str, str, str]]) -> Html:
    """Return key figures: label, number (HTML from `cell`) and what qualifies it (HTML)."""
    items = "".join(
        f"<div><dt>{escape(label)}</dt><dd><strong>{value}</strong> <span>{note}</span></dd></div>"
        for label, value, note in figures
    )
    return Html(f'<dl class="opmq-keyfigures">{items}</dl>')


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]], source: str) -> Html:
    """Return a table whose cells are HTML made by `cell` or escaped text.

    Args:
        caption: What the table says, in French; also the name of its scrolling region.
        header: Column titles with their units.
        rows: One sequence per line; the first cell names the line.
        source: Producers, vintages and the result table the numbers were read from.
    """
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in header)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(map(_data_cell, rest))}</tr>'
        for first, *rest in rows
    )
    return Html(
        f'<div class="opmq-table" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
        f'<p class="opmq-source">{escape(source)}</p>'
    )


def _ends(
    name: str,
    table: pd.DataFrame,
    row: int,
    show: Callable[[float], str],
    outwards: tuple[Callable[[float], float], Callable[[float], float]] = (float, float),
) -> str:
    lower, upper = read(table, row, "lower"), read(table, row, "upper")
    if lower is None or upper is None:
        return cell(name, table, row, "", "lower")
    low = cell(name, table, row, show(outwards[0](lower)), "lower")
    high = cell(name, table, row, show(outwards[1](upper)), "upper")
    return f"{low} à{french.NBSP}{high}"


def _data_cell(value: str) -> str:
    holds_number = 'class="n"' in value or 'class="opmq-absent"' in value
    return f"<td>{value}</td>" if holds_number else f'<td class="text">{value}</td>'
