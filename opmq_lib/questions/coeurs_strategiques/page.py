"""Section of `04_coeurs_strategiques`: which métiers are core or strategic, why, how surely."""

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from opmq_lib.methods import core
from opmq_lib.show import figures, french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import codes, select

WORDS = words(__package__)
LABELS, REASONS, CRITERIA = "coeurs", "raisons", "criteres"
ONE_DECIMAL = ("employment_share", "location_quotient", "qualification_level")
DECIMALS = {"tension_index": 2} | dict.fromkeys(ONE_DECIMAL, 1)
SHOWN_METIERS, COLUMN_LETTERS, MOSTLY_PCT = 5, 62, 50


def banner(results: Results) -> Html:
    """Return whether anything was voted, and what an estimate forbids."""
    criteria, unvoted = results[CRITERIA], is_unvoted(results)
    named = [WORDS.QUESTIONS[code] for code in criteria["question_code"][unvoted].unique()]
    return pieces.banner(WORDS.banner(named, not unvoted.all(), **_state(results[LABELS])))


def is_unvoted(results: Results) -> pd.Series:
    """Return whether each criterion is an example that nobody voted."""
    return results[CRITERIA]["vote_date"].fillna("").eq("")


def findings(results: Results, labels: Labels) -> Html:
    """Return, for each question, the métiers that hold and those that most draws accept."""
    said = []
    for question in WORDS.QUESTIONS:
        rows = _of(results[LABELS], question)
        robust = _links(rows[rows["label"] == core.ROBUST], labels)
        depends = rows[rows["label"] == core.WEIGHT_DEPENDENT]
        mostly = _links(depends[depends["acceptability_pct"] > MOSTLY_PCT], labels)
        said.append(WORDS.finding(question, robust, mostly, **_state(rows)))
    return pieces.findings("\n\n".join(said))


def criteria_table(results: Results, question: str) -> Html:
    """Return criteria, goalposts, weights, thresholds and sources of one question."""
    rows = _of(results[CRITERIA], question)
    cells, first = Cells(CRITERIA, results[CRITERIA]), rows.index[0]
    reasons = _of(results[REASONS], question).fillna({"source_code": ""})
    used = reasons[reasons["source_code"].ne("")]
    used = used[["criterion_code", "source_code", "year"]].drop_duplicates()

    def goalpost(score: int) -> Any:
        is_low = (rows["direction"] == "higher") == (score == 0)
        return lambda row: cells.show(row, _short, "low" if is_low[row] else "high")

    def sources(row: int) -> str:
        known = used[used["criterion_code"] == rows["criterion_code"][row]]
        named = known["source_code"].map(lambda code: WORDS.SOURCES.get(code, code))
        dated = named + known["year"].map(", {:.0f}".format, na_action="ignore").astype("str")
        return french.enumeration(sorted(set(dated.fillna(named))))

    def threshold(row: int) -> str:
        is_free = pd.isna(rows["threshold"][row])
        return "aucun" if is_free else cells.show(row, _short, "threshold")

    columns = {
        "Critère": rows["label"].__getitem__,
        "Poids": lambda row: cells.show(row, _two_decimals, "weight"),
        "Vaut 0 à": goalpost(0),
        "Vaut 1 à": goalpost(1),
        **({"Seuil exigé": threshold} if rows["threshold"].notna().any() else {}),
        "Unité": rows["unit"].__getitem__,
        "Source": sources,
    }
    text = WORDS.criteria_table(rows.fillna({"vote_date": ""}).loc[first])
    cutoff = cells.show(first, _two_decimals, "cutoff_score")
    explained = pieces.text(WORDS.draws(cutoff, core.PUBLICATION_DRAWS))
    return Html(pieces.table(text, columns, rows.index).html + explained.html)


def labels_list(results: Results, labels: Labels, question: str) -> Html:
    """Return the métiers by label, in alphabetical order; each opens on its reasons.

    A bare ranking is never given: every line opens on the criteria's values, the score and the
    weight that would change the label.
    """
    rows = _of(results[LABELS], question)
    if _state(rows)["is_unknown"]:
        return pieces.banner(WORDS.no_label())
    cells, reasons = Cells(LABELS, results[LABELS]), Cells(REASONS, results[REASONS])
    criteria = _of(results[CRITERIA], question).set_index("criterion_code")["label"]
    why = _of(reasons.table, question).groupby("metier_code")["criterion_code"]

    def number(row: int, column: str, form: Callable[[float], str]) -> str:
        return "" if cells.read(row, column) is None else cells.show(row, form, column)

    def line(metier: Any) -> dict[str, Any]:
        return {
            "name": metier.name,
            "share": number(metier.Index, "acceptability_pct", french.percent),
            "id": f"{question}-{metier.metier_code}",
            "reasons": [
                Markup("{} {}").format(criteria[code], _worth(reasons, row, DECIMALS.get(code, 0)))
                for row, code in why.get_group(metier.metier_code).items()
            ],
            "score": number(metier.Index, "score", _two_decimals),
            "flip": criteria.get(metier.flip_criterion_code),
            "weight": number(metier.Index, "flip_weight", _two_decimals),
            "voted": metier.voted,
        }

    named = rows.assign(name=rows["metier_code"].map(labels)).sort_values("name")
    groups = {label: named[named["label"] == label].itertuples() for label in core.LABELS}
    text = WORDS.labels_list({label: list(map(line, metiers)) for label, metiers in groups.items()})
    # Ten bytes less for each of a thousand numbers: the style sheet knows them by their cell.
    return Html(pieces.piece(text).html.replace('<span class="n" ', "<span "))


def shared_heatmap(
    results: Results, labels: Labels, metiers: Sequence[str] = (), ax: Axes | None = None
) -> Figure | Html:
    """Return the métiers that most branches would call core, or those given.

    A line per branch; none for a branch where nobody does these métiers.

    Args:
        results: Tables of `10_consolidation`, with the rows `core_acceptability_pct`.
        labels: French names of métiers and branches.
        metiers: Other métiers.
        ax: Axes of a figure of one's own.
    """
    rows = select(results["consolidation"], "core_acceptability_pct")
    if rows.empty:
        return pieces.banner(WORDS.no_heatmap())
    wide = rows.pivot(index="branch_code", columns="metier_code", values="value")
    order = pd.DataFrame({"often": (wide >= MOSTLY_PCT).sum(), "total": wide.sum()})
    order = order.sort_values(["often", "total"], ascending=False).reset_index()
    drawn = wide[codes(pieces.chosen(order, metiers, SHOWN_METIERS))].dropna(how="all")
    named = drawn.rename(index=dict(labels), columns=dict(labels))
    shown = (
        named.sort_index()
        .sort_index(axis="columns")
        .rename(columns=lambda name: textwrap.shorten(name, COLUMN_LETTERS, placeholder="…"))
    )
    text = WORDS.shared_heatmap(bool((shown >= MOSTLY_PCT).sum().max() > 1))
    return figures.share_heat(shown, text, ax)


def _worth(cells: Cells, row: Any, decimals: int) -> Markup:
    """Return a criterion's value for a métier, with its interval where it has one."""

    def form(value: float) -> str:
        return french.number(value, decimals)

    low, high = (cells.read(row, end) for end in ("lower", "upper"))
    if low is None or high is None:
        return cells.show(row, form)
    shown = None if cells.read(row) is None else cells.show(row, form)
    lower, upper = (cells.show(row, form, end) for end in ("lower", "upper"))
    if form(low) == form(high):
        return shown or lower
    return Markup("{} ({} à {})" if shown else "{}de {} à {}").format(shown or "", lower, upper)


def _links(rows: pd.DataFrame, labels: Labels) -> list[Markup]:
    """Return métiers in alphabetical order, each leading to its reasons on the question's page."""
    link = Markup('« <a href="04_coeurs_strategiques.html#{}-{}">{}</a> »')
    named = [
        (labels[code], question, code)
        for question, code in zip(rows["question_code"], rows["metier_code"], strict=True)
    ]
    return [link.format(question, code, name) for name, question, code in sorted(named)]


def _state(rows: pd.DataFrame) -> dict[str, bool]:
    """Return whether some labels rest on estimates, and whether none could be given."""
    return {
        "is_estimated": bool((rows["nature"] == "estimate").any()),
        "is_unknown": bool((rows["label"] == core.NOT_ASSESSABLE).all()),
    }


def _of(table: pd.DataFrame, question: str) -> pd.DataFrame:
    return table[table["question_code"] == question]


def _two_decimals(value: float) -> str:
    return french.number(value, 2)


def _short(value: float) -> str:
    return french.number(value, 0 if value.is_integer() else 2)
