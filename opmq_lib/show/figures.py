"""Figures of pages: drawings with their words and the table of what is drawn.

A notebook shows a figure as the page does; `plot` draws the same with matplotlib, to be changed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any

from markupsafe import escape

from opmq_lib.show import french, pieces, svg
from opmq_lib.show.pieces import Html
from opmq_lib.show.svg import Bar, Dot, Fan, Line

PANEL = 290
ALT_SIGNS = 200
"""Longest text alternative of a figure, whose numbers stand in the table below it."""
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
    whole = french.typography(unescape(re.sub(r"<[^>]*>", "", alternative)))
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
