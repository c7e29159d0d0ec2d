"""Small drawings as SVG text: real text in the page's font, colours that follow light and dark.

A drawing is `WIDTH` wide, which a phone shows whole with letters of 12 pixels or more. Values are
written beside what they measure; the words around a drawing are `pieces.figure`'s.
"""

import math
import textwrap
from collections.abc import Iterable, Sequence
from itertools import product
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
Box = tuple[float, float, float, float]
"""Left, top, right and bottom of a box."""
_LETTERS, _LETTER, _TOP_SHARE = 52, 7.2, 0.75
_ROW, _LABEL_HEIGHT, _VALUE_WIDTH, _ENDS_WIDTH = 42, 17, 62, 135


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
        height: Place from the bottom, 0 to 1; read by `scatter` alone.
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


def bars(rows: Sequence[Bar]) -> str:
    """Return horizontal bars, each under its name, with its value at its end.

    Examples:
        >>> drawing = bars([Bar("Cadres", 30.0, "30 %")])
        >>> "Cadres" in drawing, "30 %" in drawing
        (True, True)
    """
    ends = [each.value for each in rows] + [each.mark or 0 for each in rows]
    least, most = min(0.0, *ends), max(0.0, *ends)
    scale = (WIDTH - _VALUE_WIDTH) / ((most - least) or 1)
    parts = []
    for at, each in enumerate(rows):
        top = at * _ROW + _LABEL_HEIGHT
        start, end = (scale * (x - least) for x in sorted((0.0, each.value)))
        colour = HOT if each.is_hot else DATA
        parts.append(_text(0, top - 4, _short(each.label), weight=600 if each.is_hot else 0))
        parts.append(_box(start, top + 1, max(end - start, 1.5), 15, colour))
        if each.mark is not None:
            x = scale * (each.mark - least)
            parts.append(_box(x - 1.5, top - 2, 3, 21, INK))
            end = max(end, x)
        parts.append(_text(end + 7, top + 14, each.shown, weight=600))
    return _drawing(WIDTH, len(rows) * _ROW, parts)


def dots(rows: Sequence[Dot], reference: float | None = None) -> str:
    """Return points in their intervals, each under its name.

    Args:
        rows: From the top.
        reference: Where a dotted line stands.
    """
    room = _ENDS_WIDTH if any(each.ends for each in rows) else 8
    scale = (WIDTH - room) / max([reference or 0, *(each.upper for each in rows)])
    height, parts = len(rows) * _ROW, []
    if reference is not None:
        x = scale * reference
        parts.append(_line(x, 0, x, height, MUTED, dashed=True))
    for at, each in enumerate(rows):
        y, weight = at * _ROW + 28, 600 if each.is_hot else 0
        parts += [
            _text(0, y - 12, _short(each.label, 44), weight=weight),
            _text(WIDTH, y - 12, each.shown, anchor="end", weight=600 if each.ends else 0),
            _text(WIDTH, y + 5, each.ends, anchor="end", colour=MUTED, size=13),
            *_point(each, scale * each.lower, scale * each.upper, scale * each.value, y, 5),
        ]
    return _drawing(WIDTH, height, parts)


def trend(
    past: Sequence[tuple[int, float]], ahead: tuple[int, float, float, float], most: float
) -> str:
    """Return a share over the years, then where it may go: values written at the three ends.

    Args:
        past: Year and value in %, in order.
        ahead: Year, value, low and high ends of its interval, in %.
        most: Largest share that the drawing can hold, the same for all panels.
    """
    (first, was), (last, now) = past[0], past[-1]
    then, value, low, high = ahead
    width, height = 200, 128

    def x(year: float) -> float:
        return 12 + (width - 62) * (year - first) / (then - first)

    def y(share: float) -> float:
        return 14 + (height - 46) * (1 - share / most)

    line = " ".join(f"{x(year):.0f},{y(share):.0f}" for year, share in past)
    parts = [
        _line(0, height - 24, width, height - 24, LINE),
        f'<polyline points="{line}" fill="none" stroke="{DATA}" stroke-width="2.5"/>',
        _line(x(last), y(now), x(then), y(value), DATA, dashed=True),
        _line(x(then), y(low), x(then), y(high), SOFT, width=7),
        _circle(x(last), y(now), 4, DATA),
        _circle(x(then), y(value), 4.5, PAPER, DATA),
        _text(x(first), y(was) - 9, french.percent(was), colour=MUTED),
        _text(x(last), y(now) - 9, french.percent(now), weight=600, anchor="middle"),
        _text(x(then) + 10, y(value) + 5, french.percent(value)),
        *(
            _text(x(year), height - 6, str(year), colour=MUTED, anchor=anchor, size=12.5)
            for year, anchor in ((first, "start"), (last, "middle"), (then, "middle"))
        ),
    ]
    return _drawing(width, height, parts)


def scatter(rows: Sequence[Dot], reference: float, axes: tuple[str, str, str]) -> str:
    """Return points named where they stand, with their intervals, on a wide drawing.

    Args:
        rows: The points.
        reference: Where a dotted line stands.
        axes: What stands under the drawing, at its top left and beside the reference.
    """
    width, height, margin = 860, 500, 8
    ends = [reference, *(each.upper for each in rows), *(each.lower for each in rows)]
    least, most = math.floor(min(ends)), max(ends)
    bottom, name_of_x, name_of_y, name_of_line = height - 44, *axes

    def across(value: float) -> float:
        return margin + (width - 2 * margin) * (value - least) / (most - least)

    x = across(reference)
    parts = [
        _box(0, 22, width, _height(_TOP_SHARE, bottom) - 22, HOT_SOFT),
        _text(4, 16, name_of_y, colour=HOT, weight=600),
        _line(x, 22, x, bottom, MUTED, dashed=True),
        _text(x + 5, bottom - 6, name_of_line, colour=MUTED),
        _line(0, bottom, width, bottom, LINE),
        *(
            _text(across(value), bottom + 18, french.number(value), "middle", MUTED)
            for value in range(least, math.floor(most) + 1)
        ),
        _text(width / 2, height - 4, name_of_x, "middle", MUTED),
    ]
    placed: list[Box] = [(x, bottom - 20, x + _LETTER * len(name_of_line), bottom)]
    placed.append((0, 2, _LETTER * len(name_of_y), 20))
    points = [(each, across(each.value), _height(each.height, bottom)) for each in rows]
    placed += [(at - 11, y - 11, at + 11, y + 11) for _, at, y in points for _ in range(3)]
    placed += [(across(each.lower), y - 3, across(each.upper), y + 3) for each, _, y in points]
    names = []
    for each, at, y in points:
        radius = 5 + 7 * each.size**0.5
        parts += _point(each, across(each.lower), across(each.upper), at, y, radius)
        names.append(_name(each, at, y, radius, (width, bottom), placed))
    return _drawing(width, height, parts + names)


def _height(share: float, bottom: float) -> float:
    """Return where a share of all stands; the top quarter, where most are, takes half the room."""
    least, most = (0.5, 1.0) if share >= _TOP_SHARE else (0.0, 0.5)
    low, high = (_TOP_SHARE, 1.0) if share >= _TOP_SHARE else (0.0, _TOP_SHARE)
    part = least + (most - least) * (share - low) / (high - low)
    return bottom - 8 - part * (bottom - 40)


def _name(  # noqa: PLR0913 - where, how large, and what is there already
    each: Dot,
    x: float,
    y: float,
    radius: float,
    size: tuple[float, float],
    placed: list[Box],
) -> str:
    """Return the name of a point where it hides the least of what is placed already."""
    lines = textwrap.wrap(_short(each.label), 26)
    length, tall = _LETTER * max(map(len, lines)), 16 * len(lines)
    beside, above, below = 10 - tall / 2, -radius - tall + 7, radius + 15
    boxes: list[tuple[float, int, Box, str, float, float]] = []
    for dy, (anchor, start) in product(
        (beside, above, below, above - 14, below + 14),
        (("start", x + radius + 5), ("end", x - radius - 5), ("middle", x)),
    ):
        if dy == beside and anchor == "middle":
            continue
        left = {"start": start, "end": start - length, "middle": start - length / 2}[anchor]
        box = (left, y + dy - 12, left + length, y + dy + tall - 12)
        outside = max(0, -box[0]) + max(0, box[2] - size[0]) + max(0, 24 - box[1])
        outside += max(0, box[3] - size[1])
        hidden = sum(_shared(box, other) for other in placed)
        boxes.append((hidden + 40 * outside, len(boxes), box, anchor, start, y + dy))
    _, _, box, anchor, start, top = min(boxes)
    placed.append(box)
    colour, weight = (HOT, 600) if each.is_hot else (INK, 0)
    return "".join(
        _text(start, top + 16 * at, words, anchor, colour, weight, is_haloed=True)
        for at, words in enumerate(lines)
    )


def _shared(one: Box, other: Box) -> float:
    """Return the area that two boxes share."""
    width, height = (min(one[n + 2], other[n + 2]) - max(one[n], other[n]) for n in (0, 1))
    return max(0.0, width) * max(0.0, height)


def _point(  # noqa: PLR0913 - a point and its interval
    each: Dot, low: float, high: float, x: float, y: float, radius: float
) -> list[str]:
    colour = HOT if each.is_hot else DATA
    inside = PAPER if each.is_hollow else colour
    return [
        _line(low, y, high, y, colour if each.is_hot else SOFT, width=2.5),
        _circle(x, y, radius, inside, colour if each.is_hollow else PAPER),
    ]


def _drawing(width: float, height: float, parts: Iterable[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-size="14" '
        f'fill="{INK}">{"".join(parts)}</svg>'
    )


def _short(label: str, letters: int = _LETTERS) -> str:
    return textwrap.shorten(label, letters, placeholder="…")


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
