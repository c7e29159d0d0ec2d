"""Result table in, figure out: one SVG with its French text alternative and its caption.

Figures are narrow on purpose: at 343 px, the width left on a phone, their text stays readable.
"""

import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from opmq_lib.show import french

WIDTH_INCHES = 4.1
TITLE_LETTERS = 44
LEVELS = (0.10, 0.25, 0.50, 0.75, 0.90)
SEMICOLON = f"{french.NNBSP}; "
INK, MUTED, ACCENT, SOFT = "#1d2733", "#5b6673", "#0b5c8a", "#a9cbe0"
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": "#c4ccd4",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "svg.hashsalt": "opmq",
    "svg.fonttype": "path",
    "axes.formatter.use_locale": False,
}


@dataclass(frozen=True)
class Figure:
    """A figure that a notebook shows and a page publishes.

    Attributes:
        svg: The drawing.
        alt: What a person who does not see it must know, in French.
        caption: Unit, source and result table, in French; the finding is the drawing's own title.
    """

    svg: str
    alt: str
    caption: str

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        """Return what Jupyter stores: the drawing, and its texts as output metadata."""
        metadata = {"image/svg+xml": {"alt": self.alt}, "opmq": {"caption": self.caption}}
        return {"image/svg+xml": self.svg}, metadata


@mpl.rc_context(STYLE)
def employment_ranges(
    estimates: pd.DataFrame, labels: Mapping[str, str], title: str, source: str
) -> Figure:
    """Draw estimated employment by métier, each with the range of the estimation's variants.

    Args:
        estimates: `metier_code`, `value`, `lower`, `upper` in heads, in drawing order from the top.
        labels: French label of each métier.
        title: The finding, in French.
        source: Unit, producers and result table, in French.
    """
    canvas, axes = _canvas(title, height_inches=0.6 + 0.47 * len(estimates))
    positions = range(len(estimates), 0, -1)
    axes.hlines(positions, estimates["lower"], estimates["upper"], color=SOFT, linewidth=7)
    axes.plot(estimates["value"], positions, "o", color=ACCENT, markersize=6)
    _name_lines(axes, positions, estimates["metier_code"], labels)
    _heads_on_x(axes)
    lines = [
        f"{labels[row['metier_code']]}{french.NBSP}: {_in_words(row)}"
        for row in estimates.to_dict("records")
    ]
    return _finished(canvas, title, f"{SEMICOLON.join(lines)}.", source)


@mpl.rc_context(STYLE)
def employment_fan(
    history: pd.DataFrame,
    projection: pd.DataFrame,
    labels: Mapping[str, str],
    title: str,
    source: str,
) -> Figure:
    """Draw past employment and its projected quantiles, one panel per métier.

    Args:
        history: `metier_code`, `year`, `value` in heads; panels follow the order of its métiers.
        projection: `metier_code`, `year`, `quantile_level`, `value`; the five `LEVELS`.
        labels: French label of each métier.
        title: The finding, in French.
        source: Unit, producers and result table, in French.
    """
    codes = list(dict.fromkeys(history["metier_code"]))
    canvas = _blank(title, height_inches=1.75 * len(codes))
    panels = canvas.subplots(len(codes), 1, sharex=True, squeeze=False)[:, 0]
    told = []
    for axes, code in zip(panels, codes, strict=True):
        past = history[history["metier_code"] == code]
        future = projection[projection["metier_code"] == code]
        told.append(_fan(axes, past, future, labels[code]))
    _spread(canvas, title)
    return _finished(canvas, title, " ".join(told), source)


@mpl.rc_context(STYLE)
def tension_ranking(
    tension: pd.DataFrame,
    labels: Mapping[str, str],
    title: str,
    source: str,
) -> Figure:
    """Draw the published tension index of métiers, coloured by its published class.

    Args:
        tension: `metier_code`, `tension_index`, `tension_class` (1–5), in drawing order.
        labels: French label of each métier.
        title: The finding, in French.
        source: Unit, producer and result table, in French.
    """
    palette = dict(enumerate(sns.color_palette("flare", 5).as_hex(), start=1))
    canvas, axes = _canvas(title, height_inches=0.6 + 0.47 * len(tension))
    positions = list(range(len(tension), 0, -1))
    axes.axvline(0, color="#c4ccd4", linewidth=1)
    axes.hlines(positions, 0, tension["tension_index"], color="#dfe5ea", linewidth=3)
    rows = tension.to_dict("records")
    colours = [palette[int(row["tension_class"])] for row in rows]
    axes.scatter(tension["tension_index"], positions, c=colours, s=70, zorder=3)
    for position, row in zip(positions, rows, strict=True):
        axes.annotate(
            str(int(row["tension_class"])),
            (row["tension_index"], position),
            fontsize=7,
            color="white",
            ha="center",
            va="center",
            zorder=4,
        )
    _name_lines(axes, positions, tension["metier_code"], labels)
    axes.xaxis.set_major_formatter(lambda value, _: french.number(value, 1))
    axes.set_xlabel(
        "Indice de tension (0 = moyenne 2014-2018)\nchiffre = classe, de 1 à 5",
        fontsize=8.5,
    )
    lines = [
        f"{labels[row['metier_code']]}{french.NBSP}: "
        f"indice {french.number(row['tension_index'], 2)}, "
        f"classe {int(row['tension_class'])} sur 5"
        for row in rows
    ]
    return _finished(canvas, title, f"{SEMICOLON.join(lines)}.", source)


@mpl.rc_context(STYLE)
def share_heat(shares: pd.DataFrame, title: str, source: str) -> Figure:
    """Draw shares in per cent as a table of shades that prints well in grey.

    Args:
        shares: One line per branch, one column per group of métiers, French names, in %.
        title: The finding, in French.
        source: Unit, producers and result table, in French.
    """
    canvas = _blank(title, height_inches=1.7 + 0.24 * len(shares))
    axes = canvas.subplots()
    written = shares.map(lambda value: "" if value != value else french.number(value))
    short = shares.rename(
        index=lambda name: textwrap.shorten(name, 32, placeholder="…"),
        columns=lambda name: textwrap.fill(name, 24),
    )
    sns.heatmap(
        short,
        ax=axes,
        cmap="Blues",
        vmin=0,
        annot=written,
        fmt="",
        cbar=False,
        linewidths=0.5,
        linecolor="white",
        annot_kws={"fontsize": 7.5},
    )
    axes.set(xlabel="", ylabel="")
    axes.tick_params(axis="x", rotation=90, labelsize=8, length=0, labeltop=True, labelbottom=False)
    axes.tick_params(axis="y", rotation=0, labelsize=8, length=0)
    _spread(canvas, title)
    first, highest = shares.idxmax(axis="columns"), shares.max(axis="columns")
    lines = [
        f"{branch}{french.NBSP}: surtout {group} ({french.percent(share)})"
        for branch, group, share in zip(shares.index, first, highest, strict=True)
    ]
    return _finished(canvas, title, f"{SEMICOLON.join(lines)}.", source)


def _in_words(row: dict[Any, Any]) -> str:
    value, lower, upper = row["value"], row["lower"], row["upper"]
    if lower == upper:
        return french.number(value)
    return f"{french.estimate(value, lower, upper)} ({french.bounds(lower, upper)})"


@mpl.rc_context(STYLE)
def past_projection(
    history: pd.DataFrame,
    projection: pd.DataFrame,
    labels: Mapping[str, str],
    title: str,
    source: str,
) -> Figure:
    """Draw projections made in the past, one panel per métier, with what then happened.

    Args:
        history: `metier_code`, `year`, `value` in heads, the years projected included.
        projection: `metier_code`, `cutoff_year`, `year`, `quantile_level`, `value`; the five
            `LEVELS`.
        labels: French label of each métier.
        title: The finding, in French.
        source: Unit, producers and result table, in French.
    """
    codes = list(dict.fromkeys(history["metier_code"]))
    canvas = _blank(title, height_inches=1.75 * len(codes))
    panels = canvas.subplots(len(codes), 1, sharex=True, squeeze=False)[:, 0]
    told = []
    for axes, code in zip(panels, codes, strict=True):
        whole = history[history["metier_code"] == code]
        future = projection[projection["metier_code"] == code]
        after = whole[whole["year"] >= future["cutoff_year"].max()]
        said = _fan(axes, whole[whole["year"] <= after["year"].min()], future, labels[code])
        axes.plot(after["year"], after["value"], color=INK, linewidth=1.8)
        axes.axvline(after["year"].min(), color="#c4ccd4", linewidth=1)
        axes.set_ylim(0, max(axes.get_ylim()[1], after["value"].max() * 1.12))
        end = after.iloc[-1]
        told.append(
            f"{said} Observé en {int(end['year'])}{french.NBSP}: {_thousand(end['value'])}."
        )
    _spread(canvas, title)
    return _finished(canvas, title, " ".join(told), source)


@mpl.rc_context(STYLE)
def coverage_dots(coverage: pd.DataFrame, title: str, source: str) -> Figure:
    """Draw how often intervals held, by method, beside what they announced.

    Args:
        coverage: `method` (French name, in drawing order), `announced_pct`, `value`, in %.
        title: The finding, in French.
        source: Unit, producers and result table, in French.
    """
    methods = list(dict.fromkeys(coverage["method"]))
    levels = sorted(set(coverage["announced_pct"]))
    canvas = _blank(title, height_inches=0.9 + 0.42 * len(methods) * len(levels))
    panels = canvas.subplots(len(levels), 1, sharex=True, squeeze=False)[:, 0]
    told = []
    for axes, level in zip(panels, levels, strict=True):
        rows = coverage[coverage["announced_pct"] == level].set_index("method")["value"]
        values = rows.loc[methods]
        colours = [ACCENT if place == 0 else MUTED for place in range(len(methods))]
        positions = range(len(methods), 0, -1)
        axes.axvline(level, color=INK, linewidth=1, linestyle=(0, (4, 2)))
        axes.hlines(positions, level, values, color=SOFT, linewidth=4)
        axes.scatter(values, positions, c=colours, s=40, zorder=3)
        axes.set_yticks(list(positions), methods)
        axes.set_ylim(0.4, len(methods) + 0.6)
        axes.set_xlim(0, 100)
        shown = french.percent(level)
        axes.set_title(f"Annoncé{french.NBSP}: {shown}", loc="left", fontsize=9.5, color=INK)
        found = ", ".join(f"{name} {french.percent(values[name])}" for name in methods)
        told.append(f"Intervalle annoncé à {shown}{french.NBSP}: {found}.")
    panels[-1].set_xlabel("Valeurs observées dans l’intervalle, en %")
    _spread(canvas, title)
    return _finished(canvas, title, " ".join(told), source)


@mpl.rc_context(STYLE)
def tenths(shares: pd.DataFrame, title: str, source: str) -> Figure:
    """Draw the share of outcomes in each tenth of a forecast distribution, beside an even tenth.

    Args:
        shares: `tenth` (1 the lowest to 10), `value` in %.
        title: The finding, in French.
        source: Unit, producers and result table, in French.
    """
    canvas = _blank(title, height_inches=2.6)
    axes = canvas.subplots()
    axes.bar(shares["tenth"], shares["value"], width=0.9, color=SOFT)
    axes.axhline(10, color=INK, linewidth=1, linestyle=(0, (4, 2)))
    axes.set_xticks(shares["tenth"].tolist())
    axes.yaxis.set_major_locator(mpl.ticker.MaxNLocator(4, integer=True))
    axes.set_xlabel("Dixième de la distribution projetée,\ndu plus bas (1) au plus haut (10)")
    axes.set_ylabel("Part des valeurs observées, en %")
    _spread(canvas, title)
    found = ", ".join(
        f"{int(row['tenth'])}{'er' if row['tenth'] == 1 else 'e'} {french.percent(row['value'])}"
        for row in shares.to_dict("records")
    )
    said = f"Valeurs observées par dixième, du plus bas au plus haut{french.NBSP}: {found}."
    return _finished(canvas, title, said, source)


@mpl.rc_context(STYLE)
def error_lines(errors: pd.DataFrame, title: str, source: str) -> Figure:
    """Draw the error of each method by the year from which it forecast.

    Args:
        errors: `method` (French name, in drawing order; the first is told apart), `year`, `value`.
        title: The finding, in French.
        source: Unit, producers and result table, in French.
    """
    methods = list(dict.fromkeys(errors["method"]))
    dashes: list[Any] = ["solid", (0, (4, 2)), (0, (1, 1.5)), (0, (6, 1, 1, 1))]
    canvas = _blank(title, height_inches=3.0)
    axes = canvas.subplots()
    told = []
    for place, method in enumerate(methods):
        rows = errors[errors["method"] == method].sort_values("year")
        colour, width = (ACCENT, 2.4) if place == 0 else (MUTED, 1.4)
        style = dashes[place % len(dashes)]
        axes.plot(
            rows["year"],
            rows["value"],
            color=colour,
            linewidth=width,
            linestyle=style,
            label=method,
        )
        years = [
            f"{int(row['year'])}{french.NBSP}: {french.number(row['value'], 1)}"
            for row in rows.to_dict("records")
        ]
        told.append(f"{method}{french.NBSP}: {', '.join(years)}.")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(lambda value, _: french.number(value, 1))
    axes.set_xlabel("Dernière année connue")
    axes.legend(frameon=False, fontsize=8.5, loc="upper left", bbox_to_anchor=(0, -0.18), ncols=2)
    _spread(canvas, title)
    return _finished(canvas, title, " ".join(told), source)


@mpl.rc_context(STYLE)
def share_intervals(
    shares: pd.DataFrame, title: str, source: str, axis: str, watermark: str = ""
) -> Figure:
    """Draw shares with their intervals, one line each.

    Args:
        shares: `label` (French), `value`, `lower`, `upper` in %, in drawing order from the top.
        title: The finding, in French.
        source: Unit, producers and result table, in French.
        axis: Name of the axis, with its unit.
        watermark: Words across the drawing, such as « données fictives »; also said first in the
            text alternative and in the caption.
    """
    canvas, axes = _canvas(title, height_inches=0.6 + 0.47 * len(shares))
    positions = range(len(shares), 0, -1)
    axes.hlines(positions, shares["lower"], shares["upper"], color=SOFT, linewidth=7)
    axes.plot(shares["value"], positions, "o", color=ACCENT, markersize=6)
    names = {str(at): label for at, label in enumerate(shares["label"])}
    _name_lines(axes, positions, pd.Series(list(names)), names)
    axes.set_xlim(0, min(100, float(shares["upper"].max()) * 1.08))
    axes.xaxis.set_major_formatter(lambda value, _: french.number(value))
    axes.set_xlabel(axis)
    if watermark:
        axes.text(
            0.5, 0.5, watermark.upper(), transform=axes.transAxes, rotation=24, fontsize=24,
            color="#b3261e", alpha=0.22, ha="center", va="center", weight="bold", zorder=5,
        )  # fmt: skip
        title, source = f"{watermark.capitalize()} – {title}", f"{watermark.capitalize()}. {source}"
    lines = [
        f"{row['label']}{french.NBSP}: {french.percent(row['value'])} "
        f"({french.number(row['lower'])} à {french.percent(row['upper'])})"
        for row in shares.to_dict("records")
    ]
    return _finished(canvas, title, f"{SEMICOLON.join(lines)}.", source)


def _thousand(value: float) -> str:
    return french.rounded(value, 1000)


def _fan(axes: Axes, past: pd.DataFrame, future: pd.DataFrame, label: str) -> str:
    last = past.iloc[-1]
    wide = future.pivot(index="year", columns="quantile_level", values="value")
    wide.loc[int(last["year"])] = float(last["value"])
    wide = wide.sort_index()
    for low, high, alpha in ((0.10, 0.90, 0.35), (0.25, 0.75, 0.55)):
        axes.fill_between(wide.index, wide[low], wide[high], color=SOFT, alpha=alpha, linewidth=0)
    axes.plot(wide.index, wide[0.50], color=ACCENT, linewidth=1.8, linestyle=(0, (4, 2)))
    axes.plot(past["year"], past["value"], color=INK, linewidth=1.8)
    axes.set_title(textwrap.fill(label, TITLE_LETTERS), loc="left", fontsize=9.5, color=INK, pad=6)
    axes.set_ylim(0, max(wide[0.90].max(), past["value"].max()) * 1.12)
    axes.yaxis.set_major_locator(mpl.ticker.MaxNLocator(3))
    axes.yaxis.set_major_formatter(lambda value, _: french.number(value))
    end = wide.iloc[-1]
    return (
        f"{label}{french.NBSP}: "
        f"{french.estimate(last['value'], end[0.10], end[0.90])} en {int(last['year'])}, "
        f"projection médiane {french.estimate(end[0.50], end[0.10], end[0.90])} en "
        f"{int(wide.index[-1])}, intervalle à 80{french.NBSP}% de "
        f"{french.bounds(end[0.10], end[0.90])}."
    )


def _blank(title: str, height_inches: float) -> Canvas:
    title_inches = 0.22 * len(textwrap.wrap(title, TITLE_LETTERS)) + 0.1
    return Canvas(figsize=(WIDTH_INCHES, height_inches + title_inches))


def _canvas(title: str, height_inches: float) -> tuple[Canvas, Axes]:
    canvas = _blank(title, height_inches)
    axes = canvas.subplots()
    axes.set_yticks([])
    return canvas, axes


def _name_lines(
    axes: Axes, positions: Sequence[int] | range, codes: pd.Series, labels: Mapping[str, str]
) -> None:
    for position, code in zip(positions, codes, strict=True):
        axes.annotate(
            textwrap.shorten(labels[code], 54, placeholder="…"),
            (0, position + 0.36),
            xycoords=("axes fraction", "data"),
            fontsize=8.5,
            color=INK,
            va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    axes.set_ylim(0.4, len(codes) + 0.75)


def _heads_on_x(axes: Axes) -> None:
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(5))
    axes.xaxis.set_major_formatter(lambda value, _: french.number(value))
    axes.set_xlabel("Nombre d’emplois")


def _spread(canvas: Canvas, title: str) -> None:
    for axes in canvas.axes:
        sns.despine(ax=axes, left=True)
        axes.tick_params(length=0)
    lines = textwrap.wrap(title, TITLE_LETTERS)
    top = 1 - (0.22 * len(lines) + 0.08) / canvas.get_figheight()
    canvas.text(0.012, 0.995, "\n".join(lines), fontsize=11, weight="bold", va="top", color=INK)
    canvas.tight_layout(rect=(0, 0, 1, top), pad=0.4, h_pad=1.0)


def _finished(canvas: Canvas, title: str, alt: str, source: str) -> Figure:
    if not canvas.texts:
        _spread(canvas, title)
    buffer = io.StringIO()
    canvas.savefig(buffer, format="svg", metadata={"Date": None})
    return Figure(buffer.getvalue(), f"{title}. {alt}", source)
