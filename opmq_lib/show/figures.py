"""Figures of pages: drawings with their words and the table of what is drawn.

A notebook shows a figure as the page does; `plot` draws the same with matplotlib, to be changed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any, Final, NamedTuple

from markupsafe import escape

from opmq_lib.show import french, pieces, svg
from opmq_lib.show.pieces import Html
from opmq_lib.show.svg import Bar, Dot, Fan, Line

PANEL = 290
ALT_SIGNS = 200
"""Longest text alternative of a figure, whose numbers stand in the table below it."""
_FIGURE: Final = re.compile(r'<figure class="opmq-figure">.*?</figure>', re.DOTALL)
_SAID: Final = re.compile(r'aria-label="([^"]*)"')
_CAPTION: Final = re.compile(r"<figcaption>(.*?)</figcaption>", re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>")
Rows = Sequence[Bar] | Sequence[Dot] | Sequence[Fan] | Sequence[Line]


@dataclass(frozen=True)
class Figure(Html):
    """A figure of a page.

    Attributes:
        rows: What is drawn.
    """

    rows: Rows = ()

    def plot(self, ax: Any = None) -> Any:
        """Return the same as a matplotlib figure, or drawn in axes of one's own.

        Args:
            ax: Axes, one for each panel; none: those of a new figure.
        """
        from opmq_lib.show import plots  # slow to import, and of use here only

        return plots.plot(self.rows, ax)


def figure(
    words: Sequence[str], rows: Rows, drawings: Sequence[str], numbers: Html, said: str = ""
) -> Figure:
    r"""Return drawings with all their words: title, how to read, alternative, source, numbers.

    Args:
        words: The finding, whose numbers come from `Cells`; how to read the drawings, on a line;
            producers and years.
        rows: What is drawn.
        drawings: SVG; where there are two, a wide one then one for phones, or panels.
        numbers: The table of what is drawn.
        said: What a person who does not see them must know, else the finding; cut at 200 signs.

    Examples:
        >>> rows = [Bar("Cadres", 30.0, "30 %")]
        >>> shown = figure(("Un tiers.", "", "Insee."), rows, [svg.bars(rows)], Html("30 %"))
        >>> 'aria-label="Un tiers."' in shown.html, shown.rows == rows
        (True, True)
    """
    title, how, source = (" ".join(pieces.paragraphs(each)) for each in words)
    alternative = " ".join(pieces.paragraphs(said or title))
    whole = french.typography(unescape(_TAG.sub("", alternative)))
    said = whole if len(whole) <= ALT_SIGNS else f"{whole[: ALT_SIGNS - 1].rpartition(' ')[0]}…"
    read = f'<p class="opmq-how">{how}</p>' if how else ""
    shown = pieces.piece(
        f'<figure class="opmq-figure"><h3>{title}</h3>{read}'
        f'<div class="opmq-drawing" role="img" aria-label="{escape(said)}">'
        f"{''.join(drawings)}</div>"
        f"<figcaption>{source}</figcaption>"
        f"<details><summary>Voir les chiffres</summary>{numbers.html}</details></figure>"
    )
    return Figure(shown.html, rows)


class Drawn(NamedTuple):
    """A figure of an executed notebook: its text alternative, its caption, and all that it shows.

    Of a drawing that is an image, `shown` is its two texts alone: pixels differ with versions.
    """

    alt: str
    caption: str
    shown: str


def drawn(cells: Iterable[Any]) -> Iterator[Drawn]:
    """Yield the figures of the cells of an executed notebook, in the order of its page.

    Examples:
        >>> one = figure(("Un tiers.", "", "Insee."), [], ["<svg/>"], Html("30 %"))
        >>> output = {"data": {"text/html": [one.html]}}
        >>> [each[:2] for each in drawn([{"outputs": [output]}])]
        [('Un tiers.', 'Insee.')]
    """
    for output in (each for cell in cells for each in cell.get("outputs", ())):
        data, about = output.get("data", {}), output.get("metadata", {})
        for html in _FIGURE.findall("".join(data.get("text/html", ()))):
            texts = (each.search(html) for each in (_SAID, _CAPTION))
            alt, caption = (unescape(_TAG.sub("", each[1])) if each else "" for each in texts)
            yield Drawn(alt, caption, html)
        if "image/svg+xml" in data or "image/png" in data:
            alt = about.get("image/svg+xml", {}).get("alt", "")
            caption = about.get("opmq", {}).get("caption", "")
            yield Drawn(alt, caption, f"{alt} {caption}")


def both(wide: str, narrow: str) -> list[str]:
    """Return a drawing for wide screens and paper, and one for phones.

    Examples:
        >>> both("<svg/>", "<svg/>")[1]
        '<div class="opmq-phone"><svg/></div>'
    """
    return [f'<div class="opmq-wide">{wide}</div>', f'<div class="opmq-phone">{narrow}</div>']


def panels(rows: Sequence[Fan], form: svg.Form, width: int = PANEL, *, same: bool = True) -> str:
    """Return fans beside one another, each under its name.

    Args:
        rows: The fans.
        form: How a value is written.
        width: Width of each.
        same: Whether they have one scale.

    Examples:
        >>> wedge = Fan("Cadres", [(2004, 15.0), (2018, 21.0)], [(2030, 25.0)], [[(2030, 20, 30)]])
        >>> panels([wedge, wedge], french.percent).count('class="opmq-panel"')
        2
    """
    tops = [
        max([*(high for *_, high in each.bands[0]), *(y for _, y in (*each.past, *each.after))])
        for each in rows
    ]
    drawn = (
        f'<div class="opmq-panel"><p>{each.label}</p>'
        f"{svg.fan(each, max(tops) if same else top, form, width)}</div>"
        for each, top in zip(rows, tops, strict=True)
    )
    kind = "opmq-panels opmq-small" if width < PANEL else "opmq-panels"
    return f'<div class="{kind}">{"".join(drawn)}</div>'
