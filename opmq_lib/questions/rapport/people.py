"""The figures of `00_rapport` about people: companies, wages, qualifications, ages."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from opmq_lib.questions.besoins import page as besoins
from opmq_lib.questions.emplois import portrait, qualifications
from opmq_lib.questions.rapport.figures import MOST_AGES, Answers, Column, listed_codes
from opmq_lib.show import figures, french, pieces, svg
from opmq_lib.show.pieces import Cells, Html, Labels
from opmq_lib.show.svg import Bar
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import largest_first, select

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
    code: portrait.PEOPLE[code] for code in ("managers", "intermediate", "clerks", "workers")
}


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
    return figures.figure(
        (title(show(rows[first][0])), how(), WORDS.portrait_source(year)),
        drawn,
        [svg.bars(drawn)],
        pieces.table(WORDS.numbers(name), columns, names),
        f"{name}. {' ; '.join(f'{each.label} : {each.shown}' for each in drawn)}.",
    )


def people(answers: Answers, labels: Labels) -> Html:
    """Return the figures of qualifications and ages, side by side."""
    jobs = answers.get("01_emplois", {})
    moves = qualifications.figure(jobs, 210).html if jobs else ""
    drawn = moves + ages(answers, labels).html
    return Html(f'<div class="opmq-pair">{drawn}</div>') if drawn else Html("")


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
    return figures.figure(
        (title, WORDS.ages_how(is_own), source),
        drawn,
        [svg.bars(drawn)],
        pieces.table(WORDS.numbers("Part des 50 ans et plus"), columns, rows.index),
    )
