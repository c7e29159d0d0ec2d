"""The figures of `00_rapport` about métiers: what is drawn, each beside its table."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opmq_lib.questions.besoins import page as besoins
from opmq_lib.questions.emplois import page as emplois
from opmq_lib.questions.que_faire import page as que_faire
from opmq_lib.show import figures as show
from opmq_lib.show import french, pieces, svg
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.svg import Bar, Dot
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import ALL_METIERS, largest_first, row_of, select

Answers = Mapping[str, Results]
Column = Callable[[Any], Any]
WORDS = words(__package__)
TENSIONS = "metier_tensions"
LEAST_SHARE_PCT = 1
MOST_POINTS, MOST_AGES, MOST_RECURRING = 14, 9, 6


def listed_codes(answers: Answers) -> list[str]:
    """Return the métiers of the shortlist, in order."""
    results = answers.get("07_que_faire", {})
    return [*que_faire.shown_rows(results)["metier_code"]] if results else []


def scatter(answers: Answers, labels: Labels) -> Html:
    """Draw how tense the main métiers are beside how many leave, each named where it stands."""
    needs, tensions = answers.get("02_besoins", {}), answers.get("03_tensions", {})
    known = _standing(needs, tensions, listed_codes(answers)) if needs and tensions else []
    if not len(known):
        return Html("")
    cells, country = besoins.cells_of(needs), row_of(needs[besoins.TABLE], besoins.COUNTRY_RATE)
    reference = (None if country is None else cells.read(country)) or 0.0
    points = [_dot(row, labels) for row in known]
    both, drawn = _both_alarms(answers, labels), sorted({row["year"] for row in known})
    axes = ("Départs à remplacer pour 100 emplois et par an", "Le quart le plus tendu", "le pays")
    text = WORDS.scatter_title(both, points[0].label), WORDS.scatter_how(cells.number(country, 1))
    return show.figure(
        (*text, WORDS.scatter_source(drawn)),
        points,
        show.both(svg.scatter(points, reference, axes), svg.dots(points, reference)),
        _standing_table(known, cells, Cells(TENSIONS, tensions[TENSIONS]), labels),
        WORDS.scatter_said(both, points[0].label),
    )


def _standing(needs: Results, tensions: Results, listed: Sequence[str]) -> list[dict[str, Any]]:
    """Return the main métiers that have a rank of tension and departures, the most tense first."""
    tense = tensions[TENSIONS].dropna(subset="tension_rank_share").reset_index(names="tension_row")
    table = needs[besoins.TABLE]
    jobs = select(table, besoins.JOBS, status="value")[["metier_code", "value"]]
    total = select(table, besoins.START_JOBS, metier_code=ALL_METIERS, variant="")["value"].sum()
    rates = select(table, besoins.LEFT_RATE, variant="").reset_index(names="rate_row")
    rates = rates[["metier_code", "rate_row", "value", "lower", "upper"]]
    found = tense.merge(rates, on="metier_code")
    found = found.merge(jobs.rename(columns={"value": "jobs"}), on="metier_code")
    is_listed = found["metier_code"].isin([*listed])
    found = found.assign(
        is_listed=is_listed,
        size=found["jobs"] / found["jobs"].max(),
        is_old=found["year"] < found["year"].max(),
        year=found["year"].map("{:.0f}".format),
    )
    found = found[is_listed | (100 * found["jobs"] >= LEAST_SHARE_PCT * total)]
    found = found.sort_values("jobs", ascending=False).head(MOST_POINTS)
    order = ["tension_rank_share", "metier_code"]
    rows: Any = found.sort_values(order, ascending=[False, True]).to_dict("records")
    return list(rows)


def _dot(row: Mapping[str, Any], labels: Labels) -> Dot:
    return Dot(
        labels[row["metier_code"]],
        row["value"],
        row["lower"],
        row["upper"],
        shown=f"{french.ordinal(row['tension_rank'])} sur {row['ranked_count']:.0f}",
        height=row["tension_rank_share"],
        size=row["size"],
        is_hot=row["is_listed"],
        is_hollow=row["is_old"],
    )


def _both_alarms(answers: Answers, labels: Labels) -> list[str]:
    """Return the first métiers of the list that are tense and that many leave."""
    listed = que_faire.shown_rows(answers["07_que_faire"]) if answers.get("07_que_faire") else None
    if listed is None:
        return []
    is_both = listed["tension_alarm"].eq("yes") & listed["departures_alarm"].eq("yes")
    return [labels[code] for code in listed.loc[is_both, "metier_code"].head(2)]


def _standing_table(
    rows: Sequence[Mapping[str, Any]], rates: Cells, ranks: Cells, labels: Labels
) -> Html:
    def rank(column: str) -> Column:
        return lambda row: ranks.show(row["tension_row"], french.number, column)

    columns: dict[str, Column] = {
        "Métier": lambda row: pieces.metier(row["metier_code"], labels[row["metier_code"]]),
        "Départs pour 100 emplois et par an": lambda row: rates.show(
            row["rate_row"], french.one_decimal
        ),
        "Huit chances sur dix": lambda row: rates.ends(row["rate_row"], french.one_decimal),
        "Rang de tension": rank("tension_rank"),
        "sur": rank("ranked_count"),
        "Année": lambda row: row["year"],
    }
    return pieces.table(WORDS.numbers("Tension et départs"), columns, rows)


def metiers(answers: Answers, labels: Labels) -> Html:
    """Draw the largest métiers of the branch, each in its interval, those of the list apart."""
    jobs = answers.get("01_emplois", {})
    if not jobs or emplois.is_observed(jobs):
        return Html("")
    drawn = emplois.ranges_figure(jobs, labels, listed=listed_codes(answers))
    return drawn if isinstance(drawn, show.Figure) else Html("")


def most_listed(results: Results, labels: Labels) -> Html:
    """Draw in how many branches the métiers that recur most are to be looked at first.

    Args:
        results: Of `10_consolidation`.
        labels: French label of each métier.
    """
    table = results["consolidation"]
    rows = select(table, "shortlist_branches_count")
    rows = largest_first(rows[rows["metier_code"] != ALL_METIERS]).head(MOST_RECURRING)
    if rows.empty:
        return Html("")
    cells, code = Cells("consolidation", table), rows["metier_code"]
    drawn = [
        Bar(labels[name], value, french.number(value), is_hot=not at)
        for at, (name, value) in enumerate(zip(code, rows["value"], strict=True))
    ]
    columns: dict[str, Column] = {
        "Métier": lambda row: pieces.metier(code[row], labels[code[row]]),
        "Branches": cells.number,
    }
    lists = cells.number(row_of(table, "shortlist_branches_count"))
    title = WORDS.listed_title(drawn[0].label, cells.number(rows.index[0]), lists)
    return show.figure(
        (title, WORDS.listed_how(), WORDS.listed_source()),
        drawn,
        [svg.bars(drawn)],
        pieces.table(WORDS.numbers("Branches qui le retiennent"), columns, rows.index),
    )
