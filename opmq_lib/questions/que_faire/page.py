"""Section of `07_que_faire`: the métiers to look at first, as cards that a phone can show."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pandas as pd
from markupsafe import Markup

from opmq_lib.methods.needs.metier_rates import MOST_APART_PCT
from opmq_lib.methods.shortlist import LEAST_OVERLAP, SOLID_PRESENCE_PCT
from opmq_lib.questions.que_faire.chain import DECISION, FOLLOW_UP, LEFT_OUT, LISTED, NAME
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import row_of

WORDS = words(__package__)
FRAGILE_SHARE_PCT, SHOWN_UNATTESTED = 50, 6


def facts(results: Results) -> Any:
    """Return what the words depend on: whether there is a list, how stable, on which estimate."""
    table, shown = results[NAME], shown_rows(results)

    def number(indicator: str) -> float:
        row = row_of(table, indicator)
        return float("nan") if row is None else float(table["value"].loc[row])

    return SimpleNamespace(
        is_known=pd.notna(number("candidates_count")),
        has_shares=number("candidates_count") > 0,
        listed=len(results[LISTED]),
        is_observed=bool((shown["nature"] == "observed").all()),
        is_unstable=number("shortlist_overlap_ratio") < LEAST_OVERLAP,
        is_fragile=number("unreliable_metiers_share_pct") >= FRAGILE_SHARE_PCT,
        shown=len(shown),
        national=Cells(NAME, table).number(row_of(table, "national_departure_rate_pct"), 1),
        tension_years=[f"{year:.0f}" for year in sorted(shown["tension_year"].dropna().unique())],
        causes_year=f"{shown['causes_year'].max():.0f}",
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
    """Return how many métiers the list has, and the names of those that are solid."""
    shown = shown_rows(results)
    if shown.empty:
        return Html("")
    solid = shown.loc[shown["presence_pct"] >= SOLID_PRESENCE_PCT, "metier_code"]
    names = [f"« {labels[code]} »" for code in solid]
    return pieces.lede(WORDS.finding(len(shown), names, first(results, labels)[0]))


def cards(results: Results, labels: Labels) -> Html:
    """Return the list as cards, one a métier."""
    items = "".join(map(WORDS.card, said_of(results, labels)))
    if not items:
        return Html("")
    html = "".join(pieces.paragraphs(f'<ol class="opmq-shortlist">{items}</ol>'))
    return pieces.piece(html)


def left_out(results: Results, labels: Labels) -> Html:
    """Return by name what could not be judged, and what is left out."""
    table = results[LEFT_OUT]
    named = [
        [f"« {labels[code]} »" for code in table.loc[table["reason"] == reason, "metier_code"]]
        for reason in ("no_figure", "falling", "secret", "unattested")
    ]
    *others, unattested = named
    said = WORDS.left_out(*others, unattested[:SHOWN_UNATTESTED], len(unattested))
    return pieces.text(said) if any(named) else Html("")


def read_me(results: Results) -> Html:
    """Return how the list is made."""
    return pieces.text(WORDS.read_me(facts(results))) if len(shown_rows(results)) else Html("")


def follow_up_table(results: Results, labels: Labels) -> Html:
    """Return what became of the proposals of earlier editions; nothing where there is none."""
    table = results[FOLLOW_UP]
    if table.empty:
        return Html("")
    cells, texts = Cells(FOLLOW_UP, table), table.astype("object").fillna("").to_dict("index")

    columns = {
        "Métier": lambda row: labels[texts[row]["metier_code"]],
        "Édition": lambda row: texts[row]["edition_id"],
        "Proposition": lambda row: texts[row]["proposed_lever"],
        "Décision": lambda row: _decision(texts[row], texts[row]["decision_status"]),
        "Départs pour 100 emplois, alors": lambda row: _rate(cells, row),
        "Aujourd’hui": lambda row: _rate(cells, row, "departure_rate_now_pct"),
        "Place": lambda row: (
            WORDS.place("")
            if texts[row]["is_listed"] == "no"
            else WORDS.place(cells.show(row, french.number, "rank"))
        ),
    }
    return pieces.table(WORDS.follow_up(), columns, table.index)


def proposals(lists: pd.DataFrame, branches: Labels, metiers: Labels) -> pd.DataFrame:
    """Return the lists of several branches with their words, as a form to decide on shows them."""
    causes = lists["causes"].fillna("")
    return lists.assign(
        branch_label=lists["branch_code"].map(branches),
        metier_label=lists["metier_code"].map(metiers),
        proposed_lever=causes.map(_levers),
    )


def _levers(causes: str) -> str:
    return " ; ".join(WORDS.CAUSES[code][1] for code in causes.split()) or str(WORDS.to_ask())


def first(results: Results, labels: Labels) -> list[Any]:
    """Return the métiers of the list, in order: name, departures with their interval, causes."""
    shown = shown_rows(results)
    cells = Cells(LISTED, shown)
    named = zip(shown.index, shown["metier_code"], shown["causes"].fillna(""), strict=True)
    return [
        SimpleNamespace(
            row=row,
            code=code,
            name=labels[code],
            link=pieces.metier(code, labels[code]),
            rate=_rate(cells, row) + cells.letter(row),
            rate_ends=_ends(cells, row, "departure_rate_pct", french.one_decimal),
            causes=[WORDS.CAUSES[cause] for cause in causes.split()],
        )
        for row, code, causes in named
    ]


def said_of(results: Results, labels: Labels) -> list[Any]:
    """Return all that is said of the métiers of the list, in order."""
    texts = dict.fromkeys(DECISION[1:], "")
    shown = shown_rows(results).fillna(texts)
    cells = Cells(LISTED, shown)
    return [_said(m, cells, shown.loc[m.row]) for m in first(results, labels)]


def _said(m: Any, cells: Cells, each: Any) -> Any:
    row = m.row
    has_own = pd.notna(each["own_certifications_count"])
    gap = each["growth_rate_pct"] - each["own_growth_rate_pct"]
    least, most = (cells.read(row, f"tension_class_{end}") for end in ("least", "most"))
    return SimpleNamespace(
        **vars(m),
        rank=cells.show(row, french.number, "rank"),
        mostly=pieces.mostly(*(each[name] for name in pieces.HERE)),
        share=cells.show(row, french.share, "employment_share_pct"),
        share_ends=_ends(cells, row, "employment_share_pct", _whole),
        count=cells.show(row, french.two_digits, "departures_per_year_headcount"),
        tension=_tension(cells, each, row),
        tension_class=int(most or 0),
        tension_least=int(least or 0),
        tension_rank=cells.show(row, french.number, "tension_rank"),
        ranked=cells.show(row, french.number, "ranked_count"),
        tension_year=f"{each['tension_year']:.0f}",
        certifications=WORDS.certifications(
            cells.show(row, french.number, "certifications_count"),
            cells.show(row, french.number, "own_certifications_count") if has_own else None,
            has_own,
        ),
        growth=cells.show(row, _signed, "growth_rate_pct"),
        own_growth=cells.show(row, _signed, "own_growth_rate_pct"),
        diverges=abs(gap) > MOST_APART_PCT,
        presence=cells.show(row, french.percent, "presence_pct"),
        is_solid=each["presence_pct"] >= SOLID_PRESENCE_PCT,
        is_candidate=each["decision_status"] == "candidate",
        decision=_decision(each, each["decision_status"]),
    )


def _rate(cells: Cells, row: int, column: str = "departure_rate_pct") -> Markup:
    return cells.show(row, french.one_decimal, column)


def _ends(cells: Cells, row: int, column: str, form: Callable[[float], str]) -> Markup:
    """Return the interval of a rate, as « 2,5 à 4,8 »; nothing where it is known exactly."""
    ends = [f"{column}_{end}" for end in ("lower", "upper")]
    if cells.read(row, ends[0]) == cells.read(row, ends[1]):
        return Markup("")
    low, high = (cells.show(row, form, end) for end in ends)
    return Markup("{} à{}{}").format(low, french.NBSP, high)


def _tension(cells: Cells, each: Any, row: int) -> Markup:
    """Return how tense a métier is: its class and its rank, or that nothing is published."""
    if pd.isna(each["tension_rank"]):
        return Markup(WORDS.no_tension())
    place, count, *ends = (
        cells.show(row, french.number, name)
        for name in ("tension_rank", "ranked_count", "tension_class_least", "tension_class_most")
    )
    is_one = each["tension_class_least"] == each["tension_class_most"]
    rank = WORDS.rank(place, count, int(each["tension_year"]))
    is_alarm = each["tension_alarm"] == "yes"
    return Markup(WORDS.tension(ends[:1] if is_one else ends, rank, is_alarm))


def _decision(row: Any, status: str) -> Markup:
    """Return what the CPNEFP has decided, or that it has not yet."""
    said = [row[name] for name in ("decision", "decided_on", "minutes_reference")]
    return Markup(WORDS.decision(status, *said))


def _whole(value: float) -> str:
    """Return a share in whole percent, never 0 where there are some."""
    return french.rounded(value, 1)


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{french.percent(value, 1)}"
