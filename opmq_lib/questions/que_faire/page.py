"""Section of `07_que_faire`: the métiers to look at first, as cards that a phone can show."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pandas as pd
from markupsafe import Markup

from opmq_lib.methods.needs.rates import DIVERGENCE_PCT
from opmq_lib.methods.shortlist import LEAST_OVERLAP, SOLID_PRESENCE_PCT
from opmq_lib.questions.que_faire.chain import FOLLOW_UP, LEFT_OUT, LISTED, NAME
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import row_of

WORDS = words(__package__)
FRAGILE_SHARE_PCT = 50


def facts(results: Results) -> Any:
    """Return what the words depend on: whether there is a list, how stable, on which estimate."""
    table, shown = results[NAME], shown_rows(results)

    def number(indicator: str) -> float:
        row = row_of(table, indicator)
        return float("nan") if row is None else float(table.loc[row, "value"])

    return SimpleNamespace(
        is_known=pd.notna(number("candidates_count")),
        is_observed=bool((shown["nature"] == "observed").all()),
        is_unstable=number("shortlist_overlap_ratio") < LEAST_OVERLAP,
        is_fragile=number("unreliable_metiers_share_pct") >= FRAGILE_SHARE_PCT,
        shown=len(shown),
        national=Cells(NAME, table).number(row_of(table, "national_departure_rate_pct"), 1),
        causes_year=table["year"].max(),
    )


def shown_rows(results: Results) -> pd.DataFrame:
    """Return the rows of the list that are shown, in order."""
    table = results[LISTED]
    shown: pd.DataFrame = table[table["is_shown"] == "yes"]
    return shown.sort_values("rank")


def banner(results: Results) -> Html:
    """Return what the list rests on, or why there is none and what would fill it."""
    return pieces.banner(WORDS.banner(facts(results)))


def findings(results: Results, labels: Labels) -> Html:
    """Return the names of the list, and which of them are solid."""
    shown = shown_rows(results)
    if shown.empty:
        return Html("")
    is_solid = shown["presence_pct"] >= SOLID_PRESENCE_PCT
    names, solid = (
        [f"« {labels[code]} »" for code in rows["metier_code"]] for rows in (shown, shown[is_solid])
    )
    return pieces.findings(WORDS.finding(names, solid, facts(results)))


def cards(results: Results, labels: Labels) -> Html:
    """Return the list as cards: departures, tension, causes and levers, certifications, decision."""
    shown = shown_rows(results)
    if shown.empty:
        return Html("")
    items = "".join(WORDS.card(_card(results, row, labels)) for row in shown.index)
    html = "".join(pieces.paragraphs(f'<ol class="opmq-shortlist">{items}</ol>'))
    return pieces.piece(html)


def names(results: Results, labels: Labels, count: int = 3) -> list[tuple[str, Markup]]:
    """Return the first names of the list, each with its departures per 100 jobs and a year."""
    cells = Cells(LISTED, results[LISTED])
    first = shown_rows(results).head(count)["metier_code"]
    return [(labels[code], _rate(cells, row)) for row, code in first.items()]


def left_out(results: Results, labels: Labels) -> Html:
    """Return by name what could not be judged, and what is left out because jobs fall."""
    table = results[LEFT_OUT]
    named = [
        [f"« {labels[code]} »" for code in table.loc[table["reason"] == reason, "metier_code"]]
        for reason in ("no_figure", "falling")
    ]
    return pieces.text(WORDS.left_out(*named)) if any(named) else Html("")


def read_me(results: Results) -> Html:
    """Return how the list is made."""
    return pieces.text(WORDS.read_me(facts(results))) if len(shown_rows(results)) else Html("")


def follow_up_table(results: Results, labels: Labels) -> Html:
    """Return what became of the proposals of earlier editions; nothing where there is none."""
    table = results[FOLLOW_UP]
    if table.empty:
        return Html("")
    cells, texts = Cells(FOLLOW_UP, table), table.astype("object").fillna("").to_dict("index")

    def today(row: int) -> str:
        if texts[row]["is_listed"] == "no":
            return "n’est plus dans la liste"
        return Markup("dans la liste, rang {}").format(cells.show(row, french.number, "rank"))

    columns = {
        "Métier": lambda row: labels[texts[row]["metier_code"]],
        "Édition": lambda row: texts[row]["edition_id"],
        "Proposition": lambda row: texts[row]["proposed_lever"],
        "Décision": lambda row: _decision(texts[row], texts[row]["decision_status"]),
        "Départs pour 100 emplois, alors": lambda row: _rate(cells, row),
        "Aujourd’hui": lambda row: _rate(cells, row, "departure_rate_now_pct"),
        "Place": today,
    }
    return pieces.table(WORDS.follow_up(), columns, table.index)


def levers(causes: str) -> str:
    """Return the levers of some causes in French, as a form shows them.

    Examples:
        >>> levers("recruiting departures")
        'élargir le recrutement ; transmission des savoirs, tutorat'
    """
    return " ; ".join(WORDS.CAUSES[code][1] for code in causes.split()) or "à demander"


def _card(results: Results, row: int, labels: Labels) -> Any:
    """Return what one card says."""
    table = results[LISTED]
    cells, each = Cells(LISTED, table), table.loc[row]
    has_own = pd.notna(each["own_certifications_count"])
    both = each[["growth_rate_pct", "own_growth_rate_pct"]].astype(float)
    return SimpleNamespace(
        rank=cells.show(row, french.number, "rank"),
        name=labels[each["metier_code"]],
        share=cells.show(row, french.percent, "employment_share_pct"),
        share_ends=_ends(cells, row, "employment_share_pct", 0),
        rate=_rate(cells, row),
        rate_ends=_ends(cells, row, "departure_rate_pct", 1) + cells.letter(row),
        count=cells.show(row, _two_digits, "departures_headcount"),
        tension=_tension(cells, row),
        causes=[WORDS.CAUSES[code] for code in str(each["causes"] or "").split()],
        certifications=WORDS.certifications(
            cells.show(row, french.number, "certifications_count"),
            cells.show(row, french.number, "own_certifications_count") if has_own else None,
            has_own,
        ),
        growth=cells.show(row, _signed, "growth_rate_pct"),
        own_growth=cells.show(row, _signed, "own_growth_rate_pct"),
        diverges=abs(both.diff().iloc[1]) > DIVERGENCE_PCT,
        presence=cells.show(row, french.percent, "presence_pct"),
        is_solid=each["presence_pct"] >= SOLID_PRESENCE_PCT,
        decision=_decision(each, each["decision_status"]),
    )
