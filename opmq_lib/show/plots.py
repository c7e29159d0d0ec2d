"""The rows of a figure drawn by matplotlib, for a researcher who changes it."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from opmq_lib.errors import RangeError
from opmq_lib.show.svg import Bar, Dot, Fan, Line


class Plot(Figure):
    """A figure that JupyterLab shows."""

    def _repr_svg_(self) -> str:
        content = io.StringIO()
        self.savefig(content, format="svg", bbox_inches="tight")
        return content.getvalue()


def plot(rows: Sequence[Any], ax: Any = None) -> Figure:
    r"""Return the rows of a figure as a matplotlib figure.

    Args:
        rows: Bars, points, fans or lines (`svg`).
        ax: Axes to draw in, one for each fan; none: those of a new figure.

    Raises:
        RangeError: If there are not as many axes as panels.

    Examples:
        >>> drawn = plot([Dot("Cadres", 30.0, 20.0, 45.0), Dot("Ouvriers", 20.0, 10.0, 25.0)])
        >>> [label.get_text() for label in drawn.axes[0].get_yticklabels()]
        ['Cadres', 'Ouvriers']
    """
    count = len(rows) if isinstance(rows[0], Fan) else 1
    if ax is None:
        height = 2 * count if count > 1 else 1 + 0.3 * len(rows)
        ax = Plot(figsize=(8, height), layout="constrained").subplots(count, 1, squeeze=False)
    axes = np.ravel(ax).tolist()
    if len(axes) != count:
        what, expected = f"{len(axes)} axes given", f"{count}, one for each panel"
        raise RangeError.of("ax", what, expected, "give as many as there are panels")
    if isinstance(rows[0], Fan):
        for panel, each in zip(axes, rows, strict=True):
            _fan(panel, each)
    elif isinstance(rows[0], Line):
        for each in rows:
            axes[0].plot(*zip(*each.points, strict=True), label=each.label)
        axes[0].legend()
    else:
        _named(axes[0], rows)
    figure: Figure = axes[0].figure
    return figure


def _named(ax: Any, rows: Sequence[Bar | Dot]) -> None:
    """Draw bars, or points in their intervals, the first on top."""
    places, values = range(len(rows)), [each.value for each in rows]
    for place, each in zip(places, rows, strict=True):
        if isinstance(each, Dot):
            ax.hlines(place, each.lower, each.upper, linewidth=6, alpha=0.3)
    if isinstance(rows[0], Bar):
        ax.barh(places, values)
    else:
        ax.plot(values, places, "o")
    ax.set_yticks(places, [each.label for each in rows])
    ax.invert_yaxis()


def _fan(ax: Any, each: Fan) -> None:
    """Draw what was, what may be, and what then happened where that is known."""
    last = each.past[-1]
    ax.plot(*zip(*each.past, strict=True))
    ax.plot(*zip(last, *each.ahead, strict=True), linestyle="dashed")
    for band in each.bands:
        years, low, high = zip((*last, last[1]), *band, strict=True)
        ax.fill_between(years, low, high, alpha=0.2, color="tab:blue", linewidth=0)
    if each.after:
        ax.plot(*zip(last, *each.after, strict=True), color="black")
    ax.set_title(each.label, loc="left")
    ax.set_ylim(bottom=0)
