"""Tables in, matplotlib figures out, each with its French text alternative and its caption.

Every function takes `words` (two paragraphs: the finding, which becomes the title; then unit,
producers and result table, which become the caption) and `ax`: axes to draw in, of a figure of
one's own, instead of a new one. Figures are narrow on purpose: at 343 px, the width left on a
phone, their text stays readable. Pages hold them in their own font and colours (`inline`).
"""

import io
import re
import textwrap
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any, cast

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from opmq_lib.errors import RangeError
from opmq_lib.show import french, notebook
from opmq_lib.show.inline import ACCENT, INK, MUTED, RULE, SOFT, TITLE
from opmq_lib.show.pieces import Labels, paragraphs

WIDTH_INCHES = 4.1
TITLE_LETTERS = 44
WIDER = 1.6
"""A figure that a person watches in a notebook is wider by this, and fills its cell."""
LEVELS = (0.10, 0.25, 0.50, 0.75, 0.90)
CLASSES = ("#e98768", "#de5d5c", "#c14168", "#9a3670", "#722c6e")
"""Shades of the five classes of tension: seaborn's palette “flare”."""
_SIZE = re.compile(r' width="[\d.]+pt" height="[\d.]+pt"')
DASHED = (0, (4, 2))
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": RULE,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "svg.hashsalt": "opmq",
    "svg.fonttype": "none",
    "axes.formatter.use_locale": False,
}

Panels = Axes | Sequence[Axes] | None


class Drawing(Figure):
    """A figure that a notebook shows and a page publishes; drawn only when shown.

    Attributes:
        title: The finding, in French.
        title_lines: The same, as the lines that stand above the drawing.
        caption: Unit, source and result table, in French.
        said: What a person who does not see it must know, one sentence or item each.
        separator: What stands between these.
    """

    def __init__(self, words: str, height_inches: float) -> None:
        self.title, *rest = (french.typography(unescape(each)) for each in paragraphs(words))
        self.caption = " ".join(rest)
        self.said: Sequence[str] = ()
        self.separator = f"{french.NNBSP}; "
        wider = WIDER if notebook.is_watched() else 1
        self.title_lines = textwrap.wrap(self.title, int(TITLE_LETTERS * wider))
        self.title_inches = 0.22 * len(self.title_lines) + 0.1
        super().__init__(figsize=(WIDTH_INCHES * wider, height_inches + self.title_inches))

    @property
    def alt(self) -> str:
        """What a person who does not see it must know, in French."""
        ends = "." if self.separator.strip() else ""
        return french.typography(f"{self.title}. {self.separator.join(self.said)}{ends}")

    @property
    def svg(self) -> str:
        """The drawing; the same figure gives the same bytes."""
        content = io.StringIO()
        with mpl.rc_context(STYLE):
            self.savefig(content, format="svg", metadata={"Date": None})
        return content.getvalue()

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        """Return what Jupyter stores: the drawing, and its texts as output metadata."""
        said = [french.typography(each) for each in self.said]
        about: dict[str, Any] = {"title": self.title, "caption": self.caption, "said": said}
        about["top"] = round(72 * self.title_inches, 1)
        metadata = {"image/svg+xml": {"alt": self.alt}, "opmq": about}
        svg = _SIZE.sub("", self.svg, count=1) if notebook.is_watched() else self.svg
        return {"image/svg+xml": svg}, metadata


@mpl.rc_context(STYLE)
def employment_ranges(
    estimates: pd.DataFrame, labels: Labels, words: str, ax: Axes | None = None
) -> Figure:
    r"""Draw estimated employment by métier, each with the interval of the estimate.

    Args:
        estimates: `metier_code`, `value`, `lower`, `upper` in heads, in drawing order from the top.
        labels: French label of each métier.
        words: See the module.
        ax: See the module.

    Examples:
        >>> jobs = pd.DataFrame({"metier_code": ["E1Z43"], "value": [900.0]})
        >>> jobs = jobs.assign(lower=600.0, upper=990.0)
        >>> words = "Un métier domine.\n\nEn heads."
        >>> employment_ranges(jobs, {"E1Z43": "Conducteurs de ligne"}, words).said
        ['Conducteurs de ligne : 900 (600 à 990)']
    """
    figure, (ax,) = _start(words, 0.6 + 0.47 * len(estimates), ax)
    _dots_in_intervals(ax, estimates, [labels[code] for code in estimates["metier_code"]])
    _heads_on_x(ax, "Nombre d’emplois")
    ax.set_xlim(left=0)
    return _finished(
        figure,
        [
            f"{labels[row['metier_code']]} : {_in_words(row)}"
            for row in estimates.to_dict("records")
        ],
    )


@mpl.rc_context(STYLE)
def employment_fan(
    history: pd.DataFrame,
    projection: pd.DataFrame,
    labels: Labels,
    words: str,
    ax: Panels = None,
) -> Figure:
    r"""Draw past employment and its projected quantiles, one panel per métier.

    Args:
        history: `metier_code`, `year`, `value` in heads; panels follow the order of its métiers.
        projection: `metier_code`, `year`, `quantile_level`, `value`; the five `LEVELS`. Where it
            has `cutoff_year`, it was made in the past: what then happened is drawn over it.
        labels: French label of each métier.
        words: See the module.
        ax: See the module; as many as there are métiers.

    Examples:
        >>> past = pd.DataFrame({"year": [2017, 2018], "value": [950.0, 1000.0]})
        >>> past["metier_code"] = "E1Z43"
        >>> ahead = pd.DataFrame({"metier_code": "E1Z43", "year": 2019, "quantile_level": LEVELS})
        >>> ahead["value"] = [900.0, 960.0, 1000.0, 1050.0, 1100.0]
        >>> words = "Un métier domine.\n\nEn emplois."
        >>> fan = employment_fan(past, ahead, {"E1Z43": "Conducteurs de ligne"}, words)
        >>> fan.said[0].endswith("en 2019, intervalle à 80 % de 900 à 1\u202f100.")
        True
        >>> fan.axes[0].lines[1].set_color("crimson")  # the past; it is a matplotlib figure
    """
    codes = list(dict.fromkeys(history["metier_code"]))
    figure, panels = _start(words, 1.75 * len(codes), ax, len(codes))
    said = []
    for panel, code in zip(panels, codes, strict=True):
        past = history[history["metier_code"] == code]
        future = projection[projection["metier_code"] == code]
        was_made = int(future["cutoff_year"].max()) if "cutoff_year" in future else None
        known = past if was_made is None else past[past["year"] <= was_made]
        said.append(_fan(panel, known, future, labels[code]))
        if was_made is not None and was_made < past["year"].max():
            said[-1] += _what_happened(panel, past[past["year"] >= was_made])
    return _finished(figure, said, " ")


@mpl.rc_context(STYLE)
def tension_ranking(
    ranks: pd.DataFrame, labels: Labels, words: str, ax: Axes | None = None
) -> Figure:
    r"""Draw the rank of métiers among all by tension, with the published class.

    Args:
        ranks: `metier_code`, `fap2009_rank` (1: the most tense) among `fap2009_ranked_count`,
            `fap2009_class` (1–5), in drawing order.
        labels: French label of each métier.
        words: See the module.
        ax: See the module.

    Examples:
        >>> ranks = pd.DataFrame({"metier_code": ["E1Z43"], "fap2009_rank": [20]})
        >>> ranks = ranks.assign(fap2009_ranked_count=186, fap2009_class=5)
        >>> words = "Un métier est tendu.\n\nRangs."
        >>> tension_ranking(ranks, {"E1Z43": "Conducteurs de ligne"}, words).said
        ['Conducteurs de ligne : rang 20 sur 186, classe 5 sur 5']
    """
    figure, (ax,) = _start(words, 0.6 + 0.47 * len(ranks), ax)
    rows = ranks.to_dict("records")
    positions, last = _places(ranks), int(ranks["fap2009_ranked_count"].max())
    ax.axvspan(1, 1 + (last - 1) / 4, color=CLASSES[0], alpha=0.15, linewidth=0)
    ax.hlines(positions, last, ranks["fap2009_rank"].astype(float), color="#dfe5ea", linewidth=3)
    centred: dict[str, Any] = {"ha": "center", "va": "center", "color": "white", "fontsize": 7}
    for position, row in zip(positions, rows, strict=True):
        colour = CLASSES[int(row["fap2009_class"]) - 1]
        ax.scatter(row["fap2009_rank"], position, color=colour, s=70, zorder=3)
        ax.annotate(
            str(int(row["fap2009_class"])), (row["fap2009_rank"], position), zorder=4, **centred
        )
    _name_lines(ax, [labels[code] for code in ranks["metier_code"]])
    ax.set_xlim(last + 3, -3)
    ax.set_xticks([last, *range(last // 50 * 50, 0, -50), 1])
    name = "Rang parmi tous les métiers (1 : le plus en tension)\nfond : le quart le plus tendu"
    ax.set_xlabel(f"{name} ; chiffre : classe, de 1 à 5", fontsize=8.5)
    return _finished(
        figure,
        [
            f"{labels[row['metier_code']]} : rang {row['fap2009_rank']} sur {last}, "
            f"classe {int(row['fap2009_class'])} sur 5"
            for row in rows
        ],
    )


@mpl.rc_context(STYLE)
def share_heat(shares: pd.DataFrame, words: str, ax: Axes | None = None) -> Figure:
    r"""Draw shares in per cent as a table of shades that prints well in grey.

    Args:
        shares: One line per branch, one column per group of métiers, French names, in %.
        words: See the module.
        ax: See the module.

    Examples:
        >>> shares = pd.DataFrame({"Cadres": [20.0], "Ouvriers": [50.0]}, index=["Chimie"])
        >>> share_heat(shares, "Les ouvriers dominent.\n\nEn %.").said
        ['Chimie : surtout Ouvriers (50\xa0%)']
    """
    import seaborn as sns  # slow to import, and of use here only

    figure, (ax,) = _start(words, 1.7 + 0.24 * len(shares), ax)
    sns.heatmap(
        shares.rename(
            index=lambda name: textwrap.shorten(name, 32, placeholder="…"),
            columns=lambda name: textwrap.fill(name, 24),
        ),
        ax=ax,
        cmap="Blues",
        vmin=0,
        annot=shares.map(lambda value: "" if value != value else french.number(value)),
        fmt="",
        cbar=False,
        linewidths=0.5,
        linecolor="white",
        annot_kws={"fontsize": 7.5},
    )
    ax.set(xlabel="", ylabel="")
    ax.tick_params(axis="x", rotation=90, labelsize=8, labeltop=True, labelbottom=False)
    ax.tick_params(axis="y", rotation=0, labelsize=8)
    return _finished(
        figure,
        [
            f"{branch} : surtout {row.idxmax()} ({french.percent(row.max())})"
            for branch, row in shares.iterrows()
        ],
    )


@mpl.rc_context(STYLE)
def coverage_dots(coverage: pd.DataFrame, words: str, ax: Panels = None) -> Figure:
    r"""Draw how often intervals held, by method, beside what they announced.

    Args:
        coverage: `method` (French name, in drawing order), `announced_pct`, `value`, in %.
        words: See the module.
        ax: See the module; as many as there are levels announced.

    Examples:
        >>> held = pd.DataFrame({"method": ["La nôtre", "Naïve"], "value": [79.0, 60.0]})
        >>> coverage_dots(held.assign(announced_pct=80), "La nôtre tient.\n\nEn %.").said
        ['Intervalle annoncé à 80\xa0% : La nôtre 79\xa0%, Naïve 60\xa0%.']
    """
    wide = coverage.pivot(index="method", columns="announced_pct", values="value")
    wide = wide.loc[list(dict.fromkeys(coverage["method"]))]
    levels: list[Any] = wide.columns.tolist()
    figure, panels = _start(words, 0.9 + 0.42 * wide.size, ax, len(wide.columns))
    colours = [ACCENT, *[MUTED] * (len(wide) - 1)]
    for panel, level in zip(panels, levels, strict=True):
        positions = _places(wide)
        panel.axvline(level, color=INK, linewidth=1, linestyle=DASHED)
        panel.hlines(positions, level, wide[level], color=SOFT, linewidth=4)
        panel.scatter(wide[level], positions, c=colours, s=40, zorder=3)
        panel.set_yticks(positions, wide.index)
        panel.set(ylim=(0.4, len(wide) + 0.6), xlim=(0, 100))
        name = f"Annoncé{french.NBSP}: {french.percent(level)}"
        panel.set_title(name, loc="left", fontsize=9.5, color=INK)
    panels[-1].set_xlabel("Valeurs observées dans l’intervalle, en %")

    held = wide.map(french.percent)
    said = [
        f"Intervalle annoncé à {french.percent(level)} : "
        f"{', '.join(f'{method} {share}' for method, share in held[level].items())}."
        for level in levels
    ]
    return _finished(figure, said, " ")


@mpl.rc_context(STYLE)
def tenths(shares: pd.DataFrame, words: str, ax: Axes | None = None) -> Figure:
    r"""Draw the share of outcomes in each tenth of a forecast distribution, beside an even tenth.

    Args:
        shares: `tenth` (1 the lowest to 10), `value` in %.
        words: See the module.
        ax: See the module.

    Examples:
        >>> even = pd.DataFrame({"tenth": range(1, 11), "value": 10.0})
        >>> tenths(even, "Tout est juste.\n\nEn %.").title
        'Tout est juste.'
    """
    figure, (ax,) = _start(words, 2.6, ax)
    ax.bar(shares["tenth"], shares["value"], width=0.9, color=SOFT)
    ax.axhline(10, color=INK, linewidth=1, linestyle=DASHED)
    ax.set_xticks(shares["tenth"].tolist())
    ax.yaxis.set_major_locator(mpl.ticker.MaxNLocator(4, integer=True))
    ax.set_xlabel("Dixième de la distribution projetée,\ndu plus bas (1) au plus haut (10)")
    ax.set_ylabel("Part des valeurs observées, en %")

    said = ", ".join(
        f"{int(tenth)}{'er' if tenth == 1 else 'e'} {french.percent(value)}"
        for tenth, value in zip(shares["tenth"], shares["value"], strict=True)
    )
    return _finished(figure, [f"Valeurs observées par dixième, du plus bas au plus haut : {said}"])


@mpl.rc_context(STYLE)
def error_lines(errors: pd.DataFrame, words: str, ax: Axes | None = None) -> Figure:
    r"""Draw the error of each method by the year from which it forecast.

    Args:
        errors: `method` (French name, in drawing order; the first stands out), `year`, `value`.
        words: See the module.
        ax: See the module.

    Examples:
        >>> errors = pd.DataFrame({"method": ["La nôtre", "Naïve"], "value": [1.2, 2.1]})
        >>> error_lines(errors.assign(year=2010), "La nôtre l’emporte.\n\nErreur.").said
        ['La nôtre : 2010 : 1,2.', 'Naïve : 2010 : 2,1.']
    """
    figure, (ax,) = _start(words, 3.0, ax)
    wide = errors.pivot(index="year", columns="method", values="value")
    wide = wide[list(dict.fromkeys(errors["method"]))]
    dashes: list[Any] = ["solid", DASHED, (0, (1, 1.5)), (0, (6, 1, 1, 1))]
    for place, method in enumerate(wide):
        colour, width = (ACCENT, 2.4) if place == 0 else (MUTED, 1.4)
        style: dict[str, Any] = {"color": colour, "linewidth": width, "label": method}
        ax.plot(wide[method].dropna(), linestyle=dashes[place % len(dashes)], **style)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(lambda value, _: french.number(value, 1))
    ax.set_xlabel("Dernière année connue")
    ax.legend(frameon=False, fontsize=8.5, loc="upper left", bbox_to_anchor=(0, -0.18), ncols=2)
    said = []
    for method in wide:
        years = wide[method].dropna().items()
        values = ", ".join(f"{year:.0f} : {french.number(value, 1)}" for year, value in years)
        said.append(f"{method} : {values}.")
    return _finished(figure, said, " ")


@mpl.rc_context(STYLE)
def share_intervals(
    shares: pd.DataFrame, words: str, axis: str, watermark: str = "", ax: Axes | None = None
) -> Figure:
    r"""Draw shares with their intervals, one line each.

    Args:
        shares: `label` (French), `value`, `lower`, `upper` in %, in drawing order from the top.
        words: See the module.
        axis: Name of the axis, with its unit.
        watermark: Words across the drawing, such as « données fictives »; also said first in the
            text alternative and in the caption.
        ax: See the module.

    Examples:
        >>> shares = pd.DataFrame({"label": ["Recruter"], "value": [40.0]})
        >>> shares = shares.assign(lower=31.0, upper=50.0)
        >>> share_intervals(shares, "Un motif domine.\n\nEn %.", "Part, en %").said
        ['Recruter : 40\xa0% (31 à 50\xa0%)']
    """
    figure, (ax,) = _start(words, 0.6 + 0.47 * len(shares), ax, watermark=watermark)
    _dots_in_intervals(ax, shares, shares["label"].tolist())
    ax.set_xlim(0, min(100, float(shares["upper"].max()) * 1.08))
    ax.xaxis.set_major_formatter(lambda value, _: french.number(value))
    ax.set_xlabel(axis)
    return _finished(
        figure,
        [
            f"{row['label']} : {french.percent(row['value'])} "
            f"({french.number(row['lower'])} à {french.percent(row['upper'])})"
            for row in shares.to_dict("records")
        ],
    )


@mpl.rc_context(STYLE)
def departure_rates(
    rates: pd.DataFrame, country: float, labels: Labels, words: str, ax: Axes | None = None
) -> Figure:
    r"""Draw departures per 100 jobs a year by métier, with their interval, and those of all jobs.

    Args:
        rates: `metier_code`, `value`, `lower`, `upper`, in drawing order from the top.
        country: The same of all jobs of the country.
        labels: French label of each métier.
        words: See the module.
        ax: See the module.

    Examples:
        >>> rates = pd.DataFrame({"metier_code": ["E1Z43"], "value": 2.6})
        >>> rates = rates.assign(lower=2.1, upper=3.3)
        >>> words = "Un métier part plus.\n\nPour 100 emplois."
        >>> departure_rates(rates, 2.5, {"E1Z43": "Conducteurs de ligne"}, words).said
        ['Conducteurs de ligne : 2,6 (2,1 à 3,3)', 'Tous les emplois du pays : 2,5']
    """
    figure, (ax,) = _start(words, 0.9 + 0.47 * len(rates), ax)
    ax.axvline(country, color=MUTED, linestyle=DASHED, linewidth=1)
    _dots_in_intervals(ax, rates, [labels[code] for code in rates["metier_code"]])
    whole = f"Tous les emplois du pays : {french.number(country, 1)}"
    ax.set_xlabel("Pour 100 emplois et par an ; tirets : le pays")
    ax.set_xlim(left=0)

    def line(row: Mapping[Any, Any]) -> str:
        value, low, high = (french.number(row[name], 1) for name in ("value", "lower", "upper"))
        return f"{labels[row['metier_code']]} : {value} ({low} à {high})"

    return _finished(figure, [*(line(row) for row in rates.to_dict("records")), whole])


@mpl.rc_context(STYLE)
def age_pyramid(ages: pd.DataFrame, words: str, ax: Axes | None = None) -> Figure:
    r"""Draw heads by age band, those of 50 and over apart.

    Args:
        ages: `band` (French label), `value` in heads, `old` (50 and over), youngest first.
        words: See the module.
        ax: See the module.

    Examples:
        >>> ages = pd.DataFrame({"band": ["20-29 ans", "50-59 ans"], "value": [30.0, 10.0]})
        >>> pyramid = age_pyramid(ages.assign(old=[False, True]), "Peu partent.\n\nEn emplois.")
        >>> pyramid.said, pyramid.title
        (['20-29 ans : 75\xa0%', '50-59 ans : 25\xa0%'], 'Peu partent.')
    """
    figure, (ax,) = _start(words, 0.6 + 0.27 * len(ages), ax)
    colours = [ACCENT if old else SOFT for old in ages["old"]]
    ax.barh(range(len(ages)), ages["value"], color=colours, height=0.8)
    ax.set_yticks(range(len(ages)), ages["band"].tolist())
    _heads_on_x(ax, "Nombre d’emplois")
    share = (100 * ages["value"] / ages["value"].sum()).map(french.percent)
    return _finished(
        figure,
        [f"{band} : {each}" for band, each in zip(ages["band"], share, strict=True)],
    )


def _start(
    words: str,
    height_inches: float,
    ax: Panels,
    panels: int = 1,
    watermark: str = "",
) -> tuple[Figure, list[Axes]]:
    """Return a new figure with its panels, or the axes given and the figure they are in."""
    if watermark:
        title, source = paragraphs(words)
        words = f"{watermark.capitalize()} – {title}\n\n{watermark.capitalize()}. {source}"
    if ax is None:
        figure: Figure = Drawing(words, height_inches)
        axes = figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0].tolist()
        if panels == 1:
            axes[0].set_yticks([])
    else:
        axes = np.ravel(cast(Any, ax)).tolist()
        if len(axes) != panels:
            what, expected = f"{len(axes)} axes given", f"{panels}, one for each panel"
            raise RangeError.of("ax", what, expected, "give as many as there are panels")
        figure = axes[0].figure
    if watermark:
        across: dict[str, Any] = {"rotation": 24, "ha": "center", "va": "center", "zorder": 5}
        style: dict[str, Any] = {
            "size": 24,
            "weight": "bold",
            "color": "#b3261e",
            "alpha": 0.22,
        }
        where = axes[0].transAxes
        axes[0].text(0.5, 0.5, watermark.upper(), transform=where, **across, **style)
    return figure, axes


def _finished(figure: Figure, said: Sequence[str], separator: str = "") -> Figure:
    """Return the figure with its title, and what will be said of it."""
    if not isinstance(figure, Drawing):
        return figure
    figure.said, figure.separator = said, separator or figure.separator
    for axes in figure.axes:
        axes.spines[["left", "top", "right"]].set_visible(False)
        axes.tick_params(length=0)
    wrapped = figure.title_lines
    top = 1 - (0.22 * len(wrapped) + 0.08) / figure.get_figheight()
    title: dict[str, Any] = {"fontsize": 11, "weight": "bold", "va": "top", "color": INK}
    figure.text(0.012, 0.995, "\n".join(wrapped), gid=TITLE, **title)
    figure.tight_layout(rect=(0, 0, 1, top), pad=0.4, h_pad=1.0)
    return figure


def _fan(ax: Axes, past: pd.DataFrame, future: pd.DataFrame, label: str) -> str:
    """Draw one fan and return what it shows."""
    last = past.iloc[-1]
    wide = future.pivot(index="year", columns="quantile_level", values="value")
    wide.loc[int(last["year"])] = float(last["value"])
    wide = wide.sort_index()
    for low, high, alpha in ((0.10, 0.90, 0.35), (0.25, 0.75, 0.55)):
        ax.fill_between(wide.index, wide[low], wide[high], color=SOFT, alpha=alpha, linewidth=0)
    ax.plot(wide.index, wide[0.50], color=ACCENT, linewidth=1.8, linestyle=DASHED)
    ax.plot(past["year"], past["value"], color=INK, linewidth=1.8)
    ax.set_title(textwrap.fill(label, TITLE_LETTERS), loc="left", fontsize=9.5, color=INK, pad=6)
    ax.set_ylim(0, max(wide[0.90].max(), past["value"].max()) * 1.12)
    ax.yaxis.set_major_locator(mpl.ticker.MaxNLocator(3))
    ax.yaxis.set_major_formatter(lambda value, _: french.number(value))
    end = wide.iloc[-1]
    values = (last["value"], end[0.50])
    now, then = map(french.two_digits, values)
    return (
        f"{label} : {now} en {int(last['year'])}, projection médiane {then} en "
        f"{int(wide.index[-1])}, intervalle à 80 % de {french.bounds(end[0.10], end[0.90])}."
    )


def _what_happened(ax: Axes, after: pd.DataFrame) -> str:
    """Draw the years that followed a projection made in the past and return how they ended."""
    ax.plot(after["year"], after["value"], color=INK, linewidth=1.8)
    ax.axvline(after["year"].min(), color=RULE, linewidth=1)
    ax.set_ylim(0, max(ax.get_ylim()[1], after["value"].max() * 1.12))
    end = after.iloc[-1]
    return f" Observé en {int(end['year'])} : {french.two_digits(end['value'])}."


def _dots_in_intervals(ax: Axes, rows: pd.DataFrame, names: Sequence[str]) -> None:
    positions = _places(rows)
    ax.hlines(positions, rows["lower"], rows["upper"], color=SOFT, linewidth=7)
    ax.plot(rows["value"], positions, "o", color=ACCENT, markersize=6)
    _name_lines(ax, names)


def _places(rows: pd.DataFrame) -> Any:
    return np.arange(len(rows), 0, -1)


def _name_lines(ax: Axes, names: Sequence[str]) -> None:
    style: dict[str, Any] = {"fontsize": 10, "color": INK, "va": "center"}
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    for at, name in enumerate(names):
        place, shown = (0, len(names) - at + 0.36), textwrap.shorten(name, 52, placeholder="…")
        ax.annotate(shown, place, xycoords=("axes fraction", "data"), bbox=box, **style)
    ax.set_ylim(0.4, len(names) + 0.75)


def _heads_on_x(ax: Axes, name: str) -> None:
    ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(5))
    ax.xaxis.set_major_formatter(lambda value, _: french.number(value))
    ax.set_xlabel(name)


def _in_words(row: dict[Any, Any]) -> str:
    value, lower, upper = row["value"], row["lower"], row["upper"]
    if lower == upper:
        return french.number(value)
    return f"{french.two_digits(value)} ({french.bounds(lower, upper)})"
