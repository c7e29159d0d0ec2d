"""Small drawings as SVG text: real text in the page's font, colours that follow light and dark.

A drawing is `WIDTH` wide, which a phone shows whole with letters of 12 pixels or more. Values are
written beside what they measure; the words around a drawing are `pieces.figure`'s.
"""

import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from markupsafe import escape

from opmq_lib.show import french

INK, MUTED, DATA, SOFT, LINE, HOT, HOT_SOFT, PAPER = (
    f"var(--opmq-{name},{colour})"
    for name, colour in {
        "ink": "#1d2733",
        "muted": "#52606d",
        "accent": "#0b5c8a",
        "mid": "#a9cbe0",
        "line": "#d5dde4",
        "hot": "#a8460b",
        "hot-soft": "#fbeadb",
        "paper": "#ffffff",
    }.items()
)
WIDTH: Final = 400
WIDE: Final = 860
Point = tuple[int, float]
"""A year and its value."""
Form = Callable[[float], str]
_LETTERS, _LETTER, _BOLD, _TOP_SHARE = 52, 7.2, 7.8, 0.75
_ROW, _LABEL_HEIGHT, _VALUE_WIDTH, _ENDS_WIDTH = 42, 17, 62, 135
_NAMES_MOST: Final = 80
_NAMES_WIDTH, _NAMES_LETTERS, _LINE, _LETTERS_TOP = 310, 42, 15, 10


class Bar(NamedTuple):
    """One line of `bars`: its name, its value and how it is written, a mark, whether it stands out.

    Attributes:
        label: French name.
        value: Length of the bar.
        shown: What is written at its end.
        mark: Where another value stands, as a stroke; none: nowhere.
        is_hot: Whether the line stands out.
    """

    label: str
    value: float
    shown: str
    mark: float | None = None
    is_hot: bool = False


class Dot(NamedTuple):
    """One line of `dots`, or one point of `scatter`.

    Attributes:
        label: French name.
        value: Place of the point, between `lower` and `upper`.
        lower: Low end of its interval.
        upper: High end.
        shown: What is written on the right of its name.
        ends: What is written on the right of its interval.
        height: Rank from the bottom, 0 to 1; read by `scatter` alone.
        size: Share of the largest point, 0 to 1; read by `scatter` alone.
        is_hot: Whether it stands out.
        is_hollow: Whether it is older than the others.
    """

    label: str
    value: float
    lower: float
    upper: float
    shown: str = ""
    ends: str = ""
    height: float = 0
    size: float = 1
    is_hot: bool = False
    is_hollow: bool = False


class Fan(NamedTuple):
    """One panel of `fan`: what was, then what may be.

    Attributes:
        label: French name.
        past: Year and value, in order.
        ahead: The same of what is projected, from the year after the last one known then.
        bands: Year, low and high ends of what is projected, the widest band first.
        after: What happened where the projection was made in the past; else nothing.
        is_sure: Whether values of the middle are written, not only the ends of the interval.
    """

    label: str
    past: Sequence[Point]
    ahead: Sequence[Point]
    bands: Sequence[Sequence[tuple[int, float, float]]]
    after: Sequence[Point] = ()
    is_sure: bool = True


class Line(NamedTuple):
    """One line of `lines`: its name, its years and values, whether it stands out."""

    label: str
    points: Sequence[Point]
    is_hot: bool = False


def bars(rows: Sequence[Bar], width: int = WIDTH) -> str:
    """Return horizontal bars, each under its name, with its value at its end.

    Args:
        rows: From the top.
        width: Width of the drawing.

    Examples:
        >>> drawing = bars([Bar("Cadres", 30.0, "30 %")])
        >>> "Cadres" in drawing, "30 %" in drawing
        (True, True)
    """
    ends = [each.value for each in rows] + [each.mark or 0 for each in rows]
    least, most = min(0.0, *ends), max(0.0, *ends)
    scale = (width - _VALUE_WIDTH) / ((most - least) or 1)
    parts, top = [], 0
    for each in rows:
        names = textwrap.wrap(each.label, _LETTERS * width // WIDTH)
        weight = 600 if each.is_hot else 0
        parts += [
            _text(0, top + 13 + 16 * n, name, "start", "", weight) for n, name in enumerate(names)
        ]
        top += 16 * len(names)
        start, end = (scale * (x - least) for x in sorted((0.0, each.value)))
        colour = HOT if each.is_hot else DATA
        parts.append(_box(start, top + 2, max(end - start, 1.5), 15, colour))
        if each.mark is not None:
            x = scale * (each.mark - least)
            parts.append(_box(x - 1.5, top - 1, 3, 21, INK))
            end = max(end, x)
        parts.append(_text(end + 7, top + 15, each.shown, weight=600))
        top += 26
    return _drawing(width, top, parts)


def dots(
    rows: Sequence[Dot],
    reference: float | None = None,
    *,
    is_wide: bool = False,
    form: Form = french.number,
) -> str:
    """Return points in their intervals: each under its name, or beside it on a wide drawing.

    Args:
        rows: From the top.
        reference: Where a dotted line stands.
        is_wide: Whether names stand on the left and a scale, in `form`, below.
        form: How a value of the scale is written.
    """
    width, step, left = (WIDE, 38, _NAMES_WIDTH) if is_wide else (WIDTH, _ROW, 0)
    room = _ENDS_WIDTH if any(each.ends for each in rows) else 24 if is_wide else 8
    least = min(0.0, *(each.lower for each in rows))
    most = max([reference or 0, *(each.upper for each in rows)])
    scale = (width - left - room) / (most - least)
    left += round(-scale * least)
    names = [textwrap.wrap(each.label, _NAMES_LETTERS) for each in rows]
    tops = [0]
    for lines_of in names:
        tops.append(tops[-1] + step + 16 * max(0, len(lines_of) - (2 if is_wide else 1)))
    height = tops.pop()
    places = [(left + scale * tick, form(tick)) for tick in _ticks(most)] if is_wide else []
    parts = [_line(x, 8, x, height, LINE, width=1) for x, _ in places]
    parts += [_text(x, height + 16, words, "middle", MUTED, size=13) for x, words in places]
    if reference is not None:
        x = left + scale * reference
        parts.append(_line(x, 0, x, height, MUTED, dashed=True))
    for top, name, each in zip(tops, names, rows, strict=True):
        y = top + 28 + (8 * max(0, len(name) - 2) if is_wide else 16 * (len(name) - 1))
        colour, weight = (HOT, 600) if each.is_hot else ("", 0)
        place, anchor = (_NAMES_WIDTH - 14, "end") if is_wide else (0, "start")
        first = y + 5 - 8 * (len(name) - 1) if is_wide else top + 16
        parts += [
            _text(place, first + 16 * n, words, anchor, colour, weight)
            for n, words in enumerate(name)
        ]
        low, high, x = (left + scale * end for end in (each.lower, each.upper, each.value))
        if is_wide:
            parts.append(_text(x, y - 10, each.shown, "middle", weight=600, is_haloed=True))
        else:
            weight = 600 if each.ends else 0
            parts.append(_text(width, top + 16, each.shown, "end", weight=weight))
        parts.append(_text(width, y + 5, each.ends, "end", MUTED, size=13))
        parts += _point(each, low, high, x, y, 0 if each.ends and not each.shown else 5)
    return _drawing(width, height + (22 if is_wide else 0), parts)


def fan(each: Fan, most: float, form: Form, width: int = 290) -> str:
    """Return what was and what may be, its values written at both ends.

    Args:
        each: The panel.
        most: Largest value that it can hold, the same where panels are compared.
        form: How a value is written.
        width: Width of the drawing; a page holds several beside one another.

    Examples:
        >>> wedge = Fan("Cadres", [(2004, 15.0), (2018, 21.0)], [(2030, 25.0)], [[(2030, 20, 30)]])
        >>> [text in fan(wedge, 40, french.percent) for text in ("2004", "15", "25", "30")]
        [True, True, True, True]
    """
    (first, was), (last, now) = each.past[0], each.past[-1]
    then, is_past = each.ahead[-1][0], first < last
    side, starts = "middle" if is_past else "start", each.is_sure and is_past
    height, ends = round(0.45 * width) + 38, _ends(each, form)
    room = 12 + _LETTER * max(len(words) for words, *_ in ends)

    def x(year: float) -> float:
        return 6 + (width - room - 12) * (year - first) / (then - first)

    def y(amount: float) -> float:
        return 18 + (height - 48) * (1 - amount / most)

    def path(points: Iterable[tuple[int, float]]) -> str:
        return " ".join(f"{x(year):.0f},{y(amount):.1f}" for year, amount in points)

    parts = [_line(0, height - 24, width - room, height - 24, LINE)]
    for band, opacity in zip(each.bands, (0.45, 0.9), strict=False):
        back = [(year, low) for year, low, _ in reversed(band)]
        ring = path([(last, now), *((year, high) for year, _, high in band), *back])
        parts.append(f'<polygon points="{ring}" fill="{SOFT}" opacity="{opacity}"/>')
    ahead, known = path([(last, now), *each.ahead]), path(each.past)
    stroke = f'fill="none" stroke="{INK}" stroke-width="2.2"'
    parts += [
        f'<polyline points="{ahead}" fill="none" stroke="{DATA}" stroke-width="2" '
        'stroke-dasharray="5 3"/>',
        f'<polyline points="{known}" {stroke}/>',
        f'<polyline points="{path([(last, now), *each.after])}" {stroke}/>' if each.after else "",
        _circle(x(last), y(now), 4, INK),
        _text(x(first), y(was) - 8, form(was) * starts, colour=MUTED, is_haloed=True),
        _text(x(last), y(now) - 10, form(now) * each.is_sure, side, weight=650, is_haloed=True),
    ]
    for place, (words, _, weight, colour) in zip(
        _spread([y(end[1]) for end in ends], height - 30), ends, strict=True
    ):
        parts.append(_text(x(then) + 8, place + 5, words, colour=colour, weight=weight))
    parts += [
        _text(x(year), height - 6, str(year), anchor, MUTED, size=13)
        for year, anchor in ((first, "start"), (last, side), (then, "middle"))[not is_past :]
    ]
    return _drawing(width, height, parts)


def _ends(each: Fan, form: Form) -> list[tuple[str, float, int, str]]:
    """Return what is written at the end of a fan, from the top: words, value, weight, colour."""
    ends = [(form(end), end, 0, MUTED) for end in each.bands[0][-1][1:]]
    if each.is_sure:
        ends.append((form(each.ahead[-1][1]), each.ahead[-1][1], 650, DATA))
    if each.after:
        ends.append((form(each.after[-1][1]), each.after[-1][1], 650, INK))
    return sorted(ends, key=lambda end: -end[1])


def lines(rows: Sequence[Line], form: Form, width: int) -> str:
    """Return lines over the years, each named with its last value at its end."""
    years = sorted({year for each in rows for year, _ in each.points})
    most = max(value for each in rows for _, value in each.points)
    names = [f"{each.label} : {form(each.points[-1][1])}" for each in rows]
    room, height = 14 + _LETTER * max(map(len, names)), 260

    def x(year: float) -> float:
        return 4 + (width - room - 8) * (year - years[0]) / (years[-1] - years[0])

    def y(amount: float) -> float:
        return 14 + (height - 44) * (1 - amount / most)

    order = sorted(range(len(rows)), key=lambda at: -rows[at].points[-1][1])
    ends = _spread([y(rows[at].points[-1][1]) for at in order], height)
    parts = [_line(0, height - 24, width - room, height - 24, LINE)]
    for at, place in zip(order, ends, strict=True):
        colour, weight = (DATA, 2.6) if rows[at].is_hot else (MUTED, 1.4)
        path = " ".join(f"{x(year):.0f},{y(value):.1f}" for year, value in rows[at].points)
        parts += [
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{weight}"/>',
            _text(width - room + 8, place + 5, names[at], "start", colour, 650 * rows[at].is_hot),
        ]
    for year, anchor in ((years[0], "start"), (years[-1], "end")):
        parts.append(_text(x(year), height - 6, str(year), anchor, MUTED, size=13))
    return _drawing(width, height, parts)


def watermark(drawing: str, words: str) -> str:
    """Return a drawing with words across it."""
    mark = '<text x="50%" y="50%" text-anchor="middle" font-size="26" font-weight="700" '
    mark += f'fill="{HOT}" opacity="0.3">{escape(words)}</text>'
    return drawing.replace("</svg>", f"{mark}</svg>")


def _ticks(most: float) -> list[float]:
    """Return four round values or so, from 0 to at most `most`."""
    size = 10 ** math.floor(math.log10(most / 4))
    step = size * next(each for each in (1, 2, 5, 10) if most / (size * each) <= 5)
    return [step * at for at in range(int(most / step) + 1)]


def _spread(places: Sequence[float], lowest: float) -> list[float]:
    """Return places, from the top, moved so that words that stand there touch nothing."""
    moved = list(places[:1])
    for place in places[1:]:
        moved.append(max(place, moved[-1] + _LINE))
    lower = sum(new - old for new, old in zip(moved, places, strict=True)) / len(places)
    up = max(min(lower, moved[0] - _LETTERS_TOP), moved[-1] - lowest)
    return [place - up for place in moved]


def scatter(rows: Sequence[Dot], reference: float, axes: tuple[str, str, str]) -> str:
    """Return points in their intervals, in order of height, each named beside it; a wide drawing.

    Args:
        rows: The points.
        reference: Where a dotted line stands.
        axes: What stands under the drawing, at its top left and beside the reference.

    Examples:
        >>> rows = [Dot("Soudeurs", 2.0, 1.5, 3.0, height=0.9), Dot("Cadres", 1.0, 0.5, 2.0)]
        >>> drawing = scatter(rows, 1.2, ("Départs", "Tendus", "le pays"))
        >>> drawing.index("Soudeurs") < drawing.index("Cadres")
        True
    """
    width, top, step = WIDE, 22, 33
    ends = [reference, *(each.upper for each in rows), *(each.lower for each in rows)]
    least, most = math.floor(min(ends)), max(ends)
    tense = sum(each.height >= _TOP_SHARE for each in rows)
    band, bottom = top + step * tense + 8, top + step * (len(rows) + 1)
    name_of_x, name_of_y, name_of_line = axes

    def across(value: float) -> float:
        return 8 + (width - 16) * (value - least) / (most - least)

    x = across(reference)
    parts = [
        _box(0, top, width, band - top, HOT_SOFT),
        _text(4, 16, name_of_y, colour=HOT, weight=600),
        _line(x, top, x, bottom, MUTED, dashed=True),
        _text(x + 5, bottom - 6, name_of_line, colour=MUTED),
        _line(0, bottom, width, bottom, LINE),
        *(
            _text(across(value), bottom + 18, french.number(value), "middle", MUTED)
            for value in range(least, math.floor(most) + 1)
        ),
        _text(width / 2, bottom + 40, name_of_x, "middle", MUTED),
    ]
    for at, each in enumerate(sorted(rows, key=lambda row: -row.height)):
        y = top + step * (at + 0.65) + (8 if at >= tense else 0)
        low, high, place = (across(end) for end in (each.lower, each.upper, each.value))
        radius = 5 + 5 * each.size**0.5
        parts += _point(each, low, high, place, y, radius)
        parts.append(_name(each, low, high, y, radius))
    return _drawing(width, bottom + 44, parts)


def _name(each: Dot, low: float, high: float, y: float, radius: float) -> str:
    """Return the name of a point: after its interval, before it, or above for want of room."""
    name, colour, weight = _short(each.label), *((HOT, 600) if each.is_hot else (INK, 0))
    length = len(name) * (_BOLD if each.is_hot else _LETTER)
    if high + 8 + length <= WIDE:
        return _text(high + 8, y + 5, name, "start", colour, weight, is_haloed=True)
    if length + 8 <= low:
        return _text(low - 8, y + 5, name, "end", colour, weight, is_haloed=True)
    start = min(low, WIDE - length)
    return _text(start, y - radius - 3, name, "start", colour, weight, is_haloed=True)


def _point(  # noqa: PLR0913 - a point and its interval
    each: Dot, low: float, high: float, x: float, y: float, radius: float
) -> list[str]:
    colour = HOT if each.is_hot else DATA
    inside = PAPER if each.is_hollow else colour
    bar = _line(low, y, high, y, colour if each.is_hot else SOFT, width=6 if each.ends else 2.5)
    if not radius:
        return [bar]
    return [bar, _circle(x, y, radius, inside, colour if each.is_hollow else PAPER)]


def _drawing(width: float, height: float, parts: Iterable[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-size="14" '
        f'fill="{INK}">{"".join(parts)}</svg>'
    )


def _short(label: str) -> str:
    return textwrap.shorten(label, _NAMES_MOST, placeholder="…")


def _text(  # noqa: PLR0913 - where and how
    x: float,
    y: float,
    words: str,
    anchor: str = "start",
    colour: str = "",
    weight: int = 0,
    size: float = 0,
    *,
    is_haloed: bool = False,
) -> str:
    known = {
        "text-anchor": "" if anchor == "start" else anchor,
        "fill": colour,
        "font-weight": weight or "",
        "font-size": size or "",
        "class": "halo" if is_haloed else "",
    }
    asked = "".join(f' {name}="{value}"' for name, value in known.items() if value)
    return f'<text x="{x:.0f}" y="{y:.0f}"{asked}>{escape(words)}</text>' if words else ""


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
    )


def _circle(x: float, y: float, radius: float, inside: str, around: str = PAPER) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{inside}" stroke="{around}" '
        'stroke-width="2"/>'
    )


def _line(  # noqa: PLR0913 - two ends and how it looks
    x: float, y: float, to_x: float, to_y: float, colour: str, *, width: float = 1.5,
    dashed: bool = False,
) -> str:  # fmt: skip
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}" '
        f'stroke-width="{width}"{dashes}/>'
    )
