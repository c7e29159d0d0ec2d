"""The figures of `00_rapport` about people: companies, wages, qualifications, ages."""

from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any, Final

import pandas as pd

from opmq_lib.questions.besoins import page as besoins
from opmq_lib.questions.emplois import page as emplois
from opmq_lib.questions.emplois import portrait
from opmq_lib.questions.rapport.figures import MOST_AGES, Answers, Column, listed_codes
from opmq_lib.show import french, pieces, svg
from opmq_lib.show.pieces import Cells, Html, Labels
from opmq_lib.show.svg import Bar
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import ALL_METIERS, largest_first, select

WORDS = words(__package__)
SIZES: Final = {
    "under_10": "1 à 9 salariés",
    "10_to_19": "10 à 19",
    "20_to_49": "20 à 49",
    "50_to_99": "50 à 99",
    "100_to_249": "100 à 249",
    "250_to_499": "250 à 499",
    "500_or_more": "500 et plus",
}
CLASSES: Final = {
    "managers": "Cadres",
    "intermediate": "Professions intermédiaires",
    "clerks": "Employés",
    "workers": "Ouvriers",
}
NOW, AHEAD = "qualification_share_pct", "projected_qualification_share_pct"
MOVED, MOVING = "qualification_change_points", "projected_qualification_change_points"


def company(answers: Answers) -> Html:
    """Return the observed facts of the branch: people, companies, wages, beside all of industry."""
    jobs = answers.get("01_emplois", {})
    if not jobs or jobs[portrait.TABLE].empty:
        return Html("")
    cells = Cells(portrait.TABLE, jobs[portrait.TABLE])
    year = str(int(select(cells.table, portrait.WAGE)["year"].max()))

    def row(indicator: str, level: str = "") -> int | None:
        return portrait.row_of(jobs, indicator, level, whole=False)

    gap = cells.percent(row(portrait.GAP))
    facts = [
        ("Salariés", cells.number(row("employees_headcount")), year),
        ("Entreprises", cells.number(row("firms_count")), year),
        ("Salaire net moyen", portrait.wage(cells, row(portrait.WAGE, "all")), "euros par mois"),
        ("Femmes, écart de salaire", gap, "par rapport aux hommes"),
    ]
    sizes = _beside(answers, portrait.SHARE, SIZES, "Taille des entreprises")
    wages = _beside(answers, portrait.WAGE, CLASSES, "Salaires")
    drawn = f'<div class="opmq-pair">{sizes.html}{wages.html}</div>'
    return Html(pieces.key_figures(facts).html + drawn)


def _beside(answers: Answers, indicator: str, names: Mapping[str, str], name: str) -> Html:
    """Return bars of the branch, each with a stroke where all of industry stands."""
    jobs = answers["01_emplois"]
    cells = Cells(portrait.TABLE, jobs[portrait.TABLE])
    rows = {
        level: [portrait.row_of(jobs, indicator, level, whole=whole) for whole in (False, True)]
        for level in names
    }
    values = {
        level: [None if row is None else cells.read(row) for row in pair]
        for level, pair in rows.items()
    }
    if any(value is None for pair in values.values() for value in pair):
        return Html("")
    is_wage = indicator == portrait.WAGE
    show: Column = partial(portrait.wage, cells) if is_wage else cells.percent
    write: Callable[[float], str] = portrait.in_tens if is_wage else french.percent
    drawn = [
        Bar(names[level], own or 0, write(own or 0), whole)
        for level, (own, whole) in values.items()
    ]
    columns: dict[str, Column] = {
        name: lambda level: names[level],
        "Branche": lambda level: show(rows[level][0]),
        "Industrie": lambda level: show(rows[level][1]),
    }
    title, how = (
        (WORDS.wages_title, WORDS.wages_how) if is_wage else (WORDS.sizes_title, WORDS.sizes_how)
    )
    first = next(iter(names))
    year = int(select(cells.table, indicator)["year"].max())
    return pieces.figure(
        (title(show(rows[first][0])), how(), WORDS.portrait_source(year)),
        [svg.bars(drawn)],
        f"{name}. {' ; '.join(f'{each.label} : {each.shown}' for each in drawn)}.",
        pieces.table(WORDS.numbers(name), columns, names),
    )


def people(answers: Answers, labels: Labels) -> Html:
    """Return the figures of qualifications and ages, side by side."""
    drawn = qualifications(answers).html + ages(answers, labels).html
    return Html(f'<div class="opmq-pair">{drawn}</div>') if drawn else Html("")


def qualifications(answers: Answers) -> Html:
    """Draw the share of each qualification since the first year, and where it may go."""
    jobs = answers.get("01_emplois", {})
    table = jobs[emplois.TABLE] if jobs else pd.DataFrame()
    f = _moves(table) if jobs else None
    if f is None:
        return Html("")
    cells = Cells(emplois.TABLE, table)
    columns: dict[str, Column] = {
        "Qualification": lambda level: f.names[level],
        str(f.first): lambda level: cells.percent(int(f.past[level].index[0])),
        str(f.last): lambda level: cells.percent(int(f.past[level].index[-1])),
        str(f.ahead): lambda level: cells.show(f.ends[level], french.percent),
        "Huit chances sur dix": lambda level: cells.ends(f.ends[level], french.percent),
    }
    f.points = cells.show(f.row, emplois.points_of)

    def share(row: int) -> str:
        is_wide = cells.is_unreliable(row)
        return cells.ends(row, french.percent) if is_wide else french.percent(table["value"][row])

    shares = (
        f"{f.names[level]} : {share(rows.index[0])} puis {share(rows.index[-1])}"
        for level, rows in f.past.items()
    )
    panels = "".join(
        _panel(f.names[level], f.past[level], table.loc[row], f.most)
        for level, row in f.ends.items()
    )
    return pieces.figure(
        (WORDS.trends_title(f), WORDS.trends_how(f), WORDS.trends_source()),
        [f'<div class="opmq-panels">{panels}</div>'],
        f"De {f.first} à {f.last}. {' ; '.join(shares)}.",
        pieces.table(WORDS.numbers("Part de chaque qualification"), columns, f.names),
    )


def _moves(table: pd.DataFrame) -> Any:
    """Return what is drawn of qualifications: rows of each, the one that moved most, sure moves."""
    now, ends, moved, moving = (
        select(table, name, metier_code=ALL_METIERS) for name in (NOW, AHEAD, MOVED, MOVING)
    )
    if now.empty or ends.empty or moved.empty:
        return None
    names = {
        level: name
        for level, name in emplois.QUALIFICATIONS.items()
        if ends["level"].eq(level).any()
    }
    row = int(moved["value"].abs().argmax())
    sure = moving[(moving["lower"] > 0) | (moving["upper"] < 0)]["level"]
    return SimpleNamespace(
        names=names,
        past={level: now[now["level"] == level].sort_values("year") for level in names},
        ends={level: int(ends.index[ends["level"] == level][0]) for level in names},
        most=max(now["value"].max(), ends["upper"].max()),
        first=int(now["year"].min()),
        last=int(now["year"].max()),
        ahead=int(ends["year"].max()),
        row=int(moved.index[row]),
        name=emplois.QUALIFICATIONS[str(moved["level"].iloc[row])],
        sure=[names[level].lower() for level in sure if level in names],
    )


def _panel(name: str, past: pd.DataFrame, end: Any, most: float) -> str:
    points = [(int(year), value) for year, value in zip(past["year"], past["value"], strict=True)]
    ahead = int(end["year"]), end["value"], end["lower"], end["upper"]
    return f'<div class="opmq-panel"><p>{name}</p>{svg.trend(points, ahead, most)}</div>'


def ages(answers: Answers, labels: Labels) -> Html:
    """Draw the share of people of 50 and over in the métiers of the list and the largest ones."""
    needs = answers.get("02_besoins", {})
    if not needs:
        return Html("")
    table, cells, listed = needs[besoins.TABLE], besoins.cells_of(needs), listed_codes(answers)
    shares = select(table, besoins.OLD, status="value")
    jobs = largest_first(select(table, besoins.JOBS, status="value"))["metier_code"]
    kept = [*dict.fromkeys([*listed, *jobs])][:MOST_AGES]
    rows = largest_first(shares[shares["metier_code"].isin(kept)])
    if rows.empty:
        return Html("")
    is_own, code = besoins.facts(needs).ages_basis == "own", rows["metier_code"]
    drawn = [
        Bar(labels[name], value, french.percent(value), is_hot=name in listed)
        for name, value in zip(code, rows["value"], strict=True)
    ]
    columns: dict[str, Column] = {
        "Métier": lambda row: pieces.metier(code[row], labels[code[row]]),
        "50 ans et plus": cells.percent,
    }
    title = WORDS.ages_title(drawn[0].label, cells.percent(rows.index[0]), is_own)
    source = WORDS.ages_source(int(rows["year"].max()), is_own)
    return pieces.figure(
        (title, WORDS.ages_how(is_own), source),
        [svg.bars(drawn)],
        title,
        pieces.table(WORDS.numbers("Part des 50 ans et plus"), columns, rows.index),
    )
