"""Figures of posts to fill and ages; drawn as those of `figures`."""

from collections.abc import Mapping

import matplotlib as mpl
import pandas as pd

from opmq_lib.show import french
from opmq_lib.show.figures import (
    ACCENT,
    INK,
    MUTED,
    SEMICOLON,
    SOFT,
    STYLE,
    Figure,
    _canvas,
    _finished,
    _name_lines,
    _spread,
)


@mpl.rc_context(STYLE)
def posts_causes(posts: pd.DataFrame, labels: Mapping[str, str], title: str, source: str) -> Figure:
    """Draw posts to fill by métier, with their two causes and their interval.

    Args:
        posts: `metier_code`, `left` and `created` (heads, by cause), `value`, `lower`, `upper`
            (posts), in drawing order from the top.
        labels: French label of each métier.
        title: The finding, in French.
        source: Unit, producers and result table, in French.
    """
    canvas, axes = _canvas(title, height_inches=1.0 + 0.5 * len(posts))
    positions = list(range(len(posts), 0, -1))
    axes.axvline(0, color="#c4ccd4", linewidth=1)
    axes.barh(positions, posts["left"], height=0.2, color=SOFT, label="Départs de fin de carrière")
    lower = [place - 0.2 for place in positions]
    axes.barh(lower, posts["created"], height=0.14, color=MUTED, label="Création nette d’emplois")
    axes.hlines(positions, posts["lower"], posts["upper"], color=INK, linewidth=1.2)
    axes.plot(posts["value"], positions, "o", color=ACCENT, markersize=6, label="Postes à pourvoir")
    _name_lines(axes, positions, posts["metier_code"], labels)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(5))
    axes.xaxis.set_major_formatter(lambda value, _: french.number(value))
    axes.set_xlabel("Personnes, sur toute la période")
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(0, -0.09), ncols=1)
    lines = [
        f"{labels[str(row['metier_code'])]}{french.NBSP}: "
        f"{_signed(row, 'value')} postes à pourvoir ({_signed(row, 'lower')} à "
        f"{_signed(row, 'upper')}), dont départs {_signed(row, 'left')} et création nette "
        f"{_signed(row, 'created')}"
        for row in posts.to_dict("records")
    ]
    return _finished(canvas, title, f"{SEMICOLON.join(lines)}.", source)


@mpl.rc_context(STYLE)
def age_pyramid(ages: pd.DataFrame, title: str, source: str) -> Figure:
    """Draw heads by age band, those of 50 and over told apart.

    Args:
        ages: `band` (French label), `value` in heads, `old` (50 and over), youngest first.
        title: The finding, in French.
        source: Unit, producers and result table, in French.
    """
    canvas, axes = _canvas(title, height_inches=0.6 + 0.27 * len(ages))
    positions = range(len(ages))
    colours = [ACCENT if old else SOFT for old in ages["old"]]
    axes.barh(positions, ages["value"], color=colours, height=0.8)
    axes.set_yticks(list(positions), ages["band"].tolist())
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(5))
    axes.xaxis.set_major_formatter(lambda value, _: french.number(value))
    axes.set_xlabel("Nombre d’emplois")
    _spread(canvas, title)
    share = 100 * ages["value"] / ages["value"].sum()
    lines = [
        f"{band}{french.NBSP}: {french.percent(each)}"
        for band, each in zip(ages["band"], share, strict=True)
    ]
    return _finished(canvas, title, f"{SEMICOLON.join(lines)}.", source)


def _signed(row: dict[object, float], name: str) -> str:
    size = french.step(row["lower"], row["upper"])
    return french.number(round(row[name] / size) * size)
