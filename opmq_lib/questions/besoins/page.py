"""Facts and figures of `02_besoins`: posts to fill from the edition on, per 100 jobs first."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pandas as pd
from markupsafe import Markup

from opmq_lib.methods.needs.ages import centre_year
from opmq_lib.methods.needs.metier_rates import MOST_APART_PCT
from opmq_lib.questions.tensions import page as tensions
from opmq_lib.show import figures, french, pieces, svg
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.svg import Bar, Dot
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import ALL_METIERS, codes, largest_first, row_of, select

TABLE, CONSOLIDATED, RATES_TABLE = "besoins", "consolidation_besoins", "besoins_taux"
QUANTITIES = CREATED, LEFT, POSTS = (
    "net_creation_headcount",
    "career_end_departures_headcount",
    "posts_to_fill_headcount",
)
RATES = CREATED_RATE, LEFT_RATE, POSTS_RATE = (
    "net_creation_rate_pct",
    "departure_rate_pct",
    "posts_rate_pct",
)
JOBS, START_JOBS, OLD, COUNTRY_RATE = (
    "employment_headcount",
    "start_employment_headcount",
    "share_50_and_over_pct",
    "national_departure_rate_pct",
)
OWN_TREND = "own_trend"
"""Variant that follows our own trend."""

PROJECTS = {
    "recruitment_projects_count": "Projets",
    "seasonal_projects_count": "dont saisonniers",
}
ENTRIES = {
    POSTS: "Postes à pourvoir",
    "young_beginners_headcount": "Jeunes débutants entrant dans ces métiers",
    "net_mobility_headcount": "Mobilité nette entrante, depuis d’autres métiers",
    "potential_imbalance_headcount": "Déséquilibre potentiel",
}
SHOWN, NAMED, OLD_AGE = 10, 3, 50
AGES = "age_headcount"
EVERY, WHOLE_STUDY = "ensemble", "Ensemble des branches"
WORDS = words(__package__)


def facts(results: Results) -> Any:
    """Return what the words depend on: years, and what employment, rates and ages are."""
    jobs, cells = select(results[TABLE], JOBS), results[RATES_TABLE]
    bases, base = set(cells["ages_basis"]), 0 if jobs.empty else int(jobs["year"].max())
    period = max(select(results[TABLE], AGES).get("variant", ()), default="")
    is_observed = bool((jobs["nature"] == "observed").all())
    return SimpleNamespace(
        has_needs=not jobs.empty,
        is_observed=is_observed,
        is_official=bool(cells["nature"].eq("official_projection").any()),
        ages_basis=bases.pop() if len(bases) == 1 else "mixed",
        whole="Ensemble des métiers de la branche" if is_observed else "Ensemble de la branche",
        base=base or None,
        older_ages=period if (centre_year(period) or base) < base else "",
        level=None if jobs.empty else int(cells["level_year"].max()),
        **years(results),
    )


def years(results: Results) -> dict[str, int | None]:
    """Return from which year posts are counted, and to which; none without needs."""
    posts = results.get("besoins_projections", pd.DataFrame())
    return {
        name: None if posts.empty else int(posts[column].max())
        for name, column in (("start", "start_year"), ("end", "year"))
    }


def banner(results: Results) -> Html:
    """Return what must be known before any figure: vintage, estimate, whose ages."""
    return pieces.banner(WORDS.banner(facts(results)))


def definitions() -> Html:
    """Return what the two layers mean, and why they are never added."""
    return pieces.findings(WORDS.definitions())


def legend(results: Results) -> Html:
    """Return what the letters of the page mean."""
    return pieces.grades_legend(results[TABLE])


def headline(results: Results, labels: Labels) -> Html:
    """Return who leaves, with its interval and its letter, and where most."""
    f, cells = facts(results), cells_of(results)
    left, count = (row_at(results, name, ALL_METIERS, f.end) for name in (LEFT_RATE, LEFT))
    if not f.has_needs or left is None or cells.read(left) is None:
        return pieces.lede(WORDS.unknown())
    most = _departures(results).sort_values("value", ascending=False).head(NAMED)
    shown = [
        WORDS.most(pieces.metier(code, labels[code]), cells.rate(row), cells.rate_interval(row))
        for row, code in zip(most.index, codes(most), strict=True)
    ]
    country = cells.rate(row_of(results[TABLE], COUNTRY_RATE))
    of_rate = cells.rate(left), cells.rate_interval(left), country
    ends = "" if cells.is_unreliable(count) else cells.interval(count)
    return pieces.lede(WORDS.headline(f, heads(cells, count), ends, of_rate, shown))


def findings(results: Results, labels: Labels) -> Html:
    """Return net creation, posts, and where the two sources diverge."""
    f, table, cells = facts(results), results[TABLE], cells_of(results)
    created, posts = (
        row_at(results, name, ALL_METIERS, f.end) for name in (CREATED_RATE, POSTS_RATE)
    )
    if posts is None or cells.read(posts) is None:
        return Html("")
    own = row_at(results, CREATED_RATE, ALL_METIERS, f.end, OWN_TREND)
    apart = [f"« {labels[code]} »" for code in _largest(results)[:SHOWN] if code in _apart(results)]
    said = [
        WORDS.posts(cells.rate(posts), cells.rate_interval(posts)),
        WORDS.creation(f, cells.rate(created), cells.rate(own), sign(table, created)),
        WORDS.apart(apart),
    ]
    return pieces.text("\n\n".join(said))


def departures_figure(results: Results, labels: Labels, metiers: Sequence[str] = ()) -> Html:
    """Draw departures per 100 jobs a year of the largest métiers, or of those given."""
    rows = pieces.chosen(_departures(results, None), metiers, SHOWN)
    if rows.empty:
        return _nothing(results)
    f, cells = facts(results), cells_of(results)
    place = row_of(results[TABLE], COUNTRY_RATE)
    country, code = cells.read(place or 0) or 0.0, rows["metier_code"]
    drawn = [
        Dot(
            labels[code[row]],
            rows["value"][row],
            rows["lower"][row],
            rows["upper"][row],
            french.number(rows["value"][row], 1),
            " à ".join(french.one_decimal(rows[end][row]) for end in ("lower", "upper"))
            + f" {cells.grade(row)}",
            is_hot=bool(rows["lower"][row] > country),
        )
        for row in rows.index
    ]
    sure = sum(each.is_hot for each in drawn)
    most = max(drawn, key=lambda each: each.value)
    return figures.figure(
        (
            WORDS.departures_title(sure, len(drawn), most),
            WORDS.departures_how(f, cells.rate(place)),
            source(f),
        ),
        drawn,
        figures.both(svg.dots(drawn, country, is_wide=True), svg.dots(drawn, country)),
        rates_table(results, labels, codes(rows)),
    )


def source(f: Any) -> str:
    """Return who produced the figures."""
    return str(WORDS.source(f))


def rates_table(results: Results, labels: Labels, metiers: Sequence[str]) -> Html:
    """Return departures, net creation and posts per 100 jobs a year, métier by métier."""
    f, cells = facts(results), cells_of(results)
    apart = _apart(results)

    def column(show: Callable[[Cells, int | None], Markup], name: str, variant: str = "") -> Any:
        return lambda code: show(cells, row_at(results, name, code, f.end, variant))

    def reading(code: str) -> str:
        row = row_at(results, CREATED_RATE, code, f.end)
        return str(WORDS.reading(sign(results[TABLE], row), code in apart))

    def official(code: str) -> Markup:
        row = row_at(results, CREATED_RATE, code, f.end)
        is_known = row is not None and results[TABLE]["nature"].loc[row] == "official_projection"
        return cells.rate(row if is_known else None)

    columns: dict[str, Any] = {"Métier (FAP)": {**labels, ALL_METIERS: f.whole}.__getitem__}
    columns["Départs"] = column(Cells.rate, LEFT_RATE)
    columns["Départs, intervalle à 80 %"] = column(Cells.rate_interval, LEFT_RATE)
    if f.is_official:
        columns["Création nette, projection officielle"] = official
    columns["Création nette, notre tendance"] = column(Cells.rate, CREATED_RATE, OWN_TREND)
    columns["Sens de la création nette"] = reading
    columns["Postes à pourvoir"] = column(Cells.rate, POSTS_RATE)
    columns["Postes, intervalle à 80 %"] = column(Cells.rate_interval, POSTS_RATE)
    return pieces.table(WORDS.rates_table(f), columns, [*metiers, ALL_METIERS])


def posts_table(results: Results, labels: Labels) -> Html:
    """Return jobs, departures and posts of the largest métiers and of all, as counts."""
    f, cells = facts(results), cells_of(results)
    if not f.has_needs:
        return Html("")
    columns: dict[str, Any] = {
        "Métier (FAP)": {**labels, ALL_METIERS: f.whole}.__getitem__,
        f"Emplois fin {f.start}": lambda code: cells.headcount(
            row_at(results, START_JOBS, code, f.end)
        ),
    }
    columns |= _posts_columns(cells, lambda name, code: row_at(results, name, code, f.end))
    return pieces.table(WORDS.posts_table(f), columns, _shown(results, START_JOBS, f.end))


def _shown(results: Results, indicator: str, end: int) -> list[str]:
    """Return the largest métiers that have an indicator, and all of them together."""
    shown = [*_largest(results)[:SHOWN], ALL_METIERS]
    return [code for code in shown if row_at(results, indicator, code, end) is not None]


def pyramid_figure(results: Results) -> Html:
    """Draw the branch's age pyramid."""
    rows = select(results[TABLE], AGES).dropna(subset=["value"])
    if rows.empty:
        return _nothing(results)
    first = rows["age_band"].astype(int).tolist()
    bands = [f"{age}-{after - 1} ans" for age, after in pairwise(first)]
    bands.append(f"{first[-1]} ans ou plus")
    shares = 100 * rows["value"] / rows["value"].sum()
    is_old = rows["age_band"].astype(int) >= OLD_AGE
    drawn = [
        Bar(band, share, french.percent(share), is_hot=old)
        for band, share, old in zip(bands, shares, is_old, strict=True)
    ]
    f, cells = facts(results), cells_of(results)
    of = dict(zip(rows.index, bands, strict=True))
    columns: dict[str, Any] = {"Âge": of.__getitem__, "Emplois": cells.headcount}
    old = float(shares[is_old].sum())
    is_observed = bool((rows["nature"] == "observed").all())
    how = WORDS.pyramid_how(f, is_observed, rows["variant"].iloc[0])
    return figures.figure(
        (WORDS.pyramid_title(old, is_observed), how, source(f)),
        drawn,
        [svg.bars(drawn)],
        pieces.table(WORDS.pyramid_table(f), columns, of),
        WORDS.pyramid_said(),
    )


def imbalance_table(results: Results) -> Html:
    """Return what would be left once beginners and mobility are counted, `nd` where unknown."""
    f, cells = facts(results), cells_of(results)
    if not f.has_needs:
        return Html("")

    def column(year: int) -> Any:
        return lambda name: heads(cells, row_at(results, name, ALL_METIERS, year))

    columns = {"Grandeur": ENTRIES.__getitem__, f"{f.start}-{f.end}": column(f.end)}
    return pieces.table(WORDS.imbalance_table(f), columns, ENTRIES)


def intentions_table(results: Results, labels: Labels) -> Html:
    """Return recruitment projects of the branch's largest métiers: the other layer."""
    cells, projects = cells_of(results), select(results[TABLE], next(iter(PROJECTS)))
    known = set(codes(projects))
    shown = [code for code in _largest(results) if code in known][:SHOWN]
    if not shown:
        return Html("")
    year = int(projects["year"].max())

    def column(name: str) -> Any:
        return lambda code: tensions.exact_or_bounds(cells, row_at(results, name, code, year))

    columns = {"Métier (FAP-2009)": labels.__getitem__}
    columns |= {title: column(name) for name, title in PROJECTS.items()}
    columns["Jugés difficiles"] = lambda code: tensions.difficulty(
        cells, row_at(results, tensions.HARD, code, year)
    )
    return pieces.table(WORDS.intentions_table(year), columns, shown)


def consolidated_table(results: Results, labels: Labels) -> Html:
    """Return posts to fill of every branch, for `10_consolidation`.

    Args:
        results: With the table `consolidation_besoins` (`chain.consolidation`).
        labels: French name of each branch.
    """
    table = results[CONSOLIDATED]
    whole = select(table, *QUANTITIES, *RATES, metier_code=ALL_METIERS, variant="")
    if whole.empty:
        return pieces.banner(WORDS.no_branch())
    end, cells = int(whole["year"].max()), Cells(CONSOLIDATED, table)
    rows = whole[whole["year"] == end]
    place = rows.reset_index().set_index(["indicator", "branch_code"])["index"]
    columns: dict[str, Any] = {"Branche": {**labels, EVERY: WHOLE_STUDY}.__getitem__}
    columns["Départs par an pour 100 emplois"] = lambda branch: (
        cells.rate_interval(row := place.get((LEFT_RATE, branch))) + cells.letter(row)
    )
    columns |= _posts_columns(cells, lambda name, branch: place.get((name, branch)))
    order = select(rows, POSTS).sort_values("value", ascending=False)["branch_code"]
    return pieces.table(
        WORDS.consolidated_table(end), columns, sorted(order, key=lambda code: code == EVERY)
    )


def _posts_columns(cells: Cells, place: Callable[[str, str], Any]) -> dict[str, Any]:
    """Return the columns of departures and posts, as counts, from where an indicator stands."""

    def column(show: Callable[[Cells, int | None], Markup], name: str) -> Any:
        return lambda key: show(cells, place(name, key))

    return {
        "Départs (intervalle à 80 %)": lambda key: (
            cells.interval(place(LEFT, key)) + cells.letter(place(LEFT, key))
        ),
        "Postes à pourvoir": column(heads, POSTS),
        "Postes, intervalle à 80 %": column(Cells.interval, POSTS),
    }


def heads(cells: Cells, row: int | None) -> Markup:
    """Return estimated heads that may be negative."""
    return cells.show(row, french.two_digits)


def sign(table: pd.DataFrame, row: int | None) -> int:
    """Return 1 or -1 where 90 % of draws agree on the sign of a rate, as it is shown, else 0."""
    if row is None:
        return 0
    low, high = (round(float(table[end].loc[row]), 1) for end in ("lower", "upper"))
    return (low > 0) - (high < 0)


def row_at(results: Results, indicator: str, code: str, year: int, variant: str = "") -> int | None:
    """Return the number of the row of an indicator, of the reference unless a variant is named."""
    return row_of(results[TABLE], indicator, code, year, variant=variant)


def cells_of(results: Results) -> Cells:
    """Return the numbers of `besoins.csv`."""
    return Cells(TABLE, results[TABLE])


def _departures(results: Results, count: int | None = SHOWN) -> pd.DataFrame:
    """Return departures per 100 jobs a year of the largest métiers, largest first."""
    rows = select(results[TABLE], LEFT_RATE, variant="").dropna(subset=["value"])
    order = [code for code in _largest(results)[:count] if code in set(codes(rows))]
    return rows.reset_index().set_index("metier_code").loc[order].reset_index().set_index("index")


def _apart(results: Results) -> set[str]:
    """Return the métiers on whose growth the official projections and our own trend diverge."""
    cells = results[RATES_TABLE]
    gap = (cells["growth_rate_pct"] - cells["own_growth_rate_pct"]).abs()
    return set(codes(cells[gap > MOST_APART_PCT]))


def _largest(results: Results) -> list[str]:
    return codes(largest_first(select(results[TABLE], JOBS)))


def _nothing(results: Results) -> Html:
    return pieces.banner(WORDS.nothing()) if facts(results).has_needs else Html("")
