"""Facts and figures of `06_demandes`: what companies ask for and do not get."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from opmq_lib.methods.requests import comparison
from opmq_lib.methods.requests.measures import OTHERS
from opmq_lib.show import figures, french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import row_of, select

Columns = list[tuple[str, Callable[[Any], str]]]

TABLE, FOLLOW_UP = "demandes", "demandes_suites"
FOCUS, REST, ALL, TOTAL = "under_50", "50_plus", "all", "ensemble"
SHARE, TOPIC, SHRUNK = "unmet_share_pct", "topic_share_of_unmet_pct", "unmet_share_shrunk_pct"
COMPANIES = "sur … entreprises"
SHOWN, NAMED = 8, 3
WATERMARK = "données fictives"
WORDS = words(__package__)
BANDS = {
    FOCUS: "Moins de 50 salariés",
    "1_9": "dont 1 à 9",
    "10_49": "dont 10 à 49",
    REST: "50 salariés ou plus",
    "50_249": "dont 50 à 249",
    "250_plus": "dont 250 ou plus",
    ALL: "Ensemble",
}
REASONS = {
    "out_of_offer": "Hors de l’offre de services",
    "delay": "Délai trop long",
    "budget": "Budget insuffisant",
    "area": "Zone non desservie",
    "other": "Autre motif (et motifs trop rares pour être montrés)",
    "unknown": "Motif inconnu",
}
DECISIONS = {
    "implemented": "mise en œuvre",
    "adopted": "adoptée",
    "postponed": "ajournée",
    "rejected": "rejetée",
    "abandoned": "abandonnée",
    "candidate": "sans décision",
}
PLURALS = {"implemented": "mises en œuvre", "candidate": "sans décision"}


def has_review(results: Results) -> bool:
    """Return whether there is a review to show."""
    return not results[TABLE].empty


def origin(results: Results) -> str:
    """Return whose register the review rests on: `public`, `own` or `fictitious`."""
    origins = set(results[TABLE]["origin"])
    return next((each for each in ("fictitious", "own") if each in origins), "public")


def banner(results: Results) -> Html:
    """Return what must be known before any figure: fictitious, confidential, or no register."""
    if not has_review(results):
        return pieces.banner(WORDS.no_register())
    last_day = str(results[TABLE]["period_end_on"].iloc[0])
    return pieces.banner(WORDS.banner(origin(results), last_day))


def findings(results: Results, labels: Labels) -> Html:
    """Return main unmet topics under 50, how sure that is, and what became of the last advice."""
    if not has_review(results):
        return pieces.findings(WORDS.no_request())
    cells, ranked = _cells(results), _ranked(results)
    named = [
        Markup("{} ({}{})").format(
            labels[str(ranked.at[row, "topic_code"])],
            _count(cells, row, "numerator_count"),
            " entreprises" if row == ranked.index[0] else "",
        )
        for row in ranked.index[:NAMED]
    ]
    share = _published(results, SHARE, FOCUS)
    first = "premier thème net" if _is_first_clear(ranked) else "ordre des thèmes incertain"
    counts = [_count(cells, share, f"{part}_count") for part in ("numerator", "denominator")]
    solidity = WORDS.solidity(cells, share, *counts, first if len(ranked) > 1 else "")
    count = cells.number(_row(results, "recommendations_count", FOCUS))
    states = WORDS.last_recommendations(count, _by_decision(results, cells))
    return pieces.findings("\n\n".join([WORDS.topics(named), solidity, states]))


def topics_figure(
    results: Results, labels: Labels, topics: Sequence[str] = (), ax: Axes | None = None
) -> Figure | Html:
    """Draw the topics of unmet companies under 50, or those given, each with its interval."""
    if not has_review(results):
        return Html("")
    rows = pieces.chosen(_ranked(results), topics, SHOWN, "topic_code")
    if len(rows) < (1 if topics else 2):
        return _secret("trop peu d’entreprises par thème pour les montrer")
    named = rows.assign(label=rows["topic_code"].map(labels))
    text = WORDS.topics_figure(named["label"].iloc[0], _is_first_clear(rows))
    axis = f"Part des entreprises non couvertes, en{french.NBSP}%"
    watermark = WATERMARK if origin(results) == "fictitious" else ""
    return figures.share_intervals(named, text, axis, watermark, ax)


def topics_table(results: Results, labels: Labels) -> Html:
    """Return, by topic, companies concerned and unmet share under 50, beside all sizes."""
    if not has_review(results):
        return Html("")
    shares = select(_own(results), SHARE, status="value")
    asked = shares[shares["topic_code"] != ALL].groupby("topic_code")["numerator_count"].max()
    if asked.empty:
        return _secret("aucun thème ne réunit assez d’entreprises")
    cells = _cells(results)

    def rows_of(indicator: str, band: str) -> Any:
        return lambda topic: _row(results, indicator, band, topic)

    columns: Columns = [
        ("Thème", lambda topic: labels.get(topic, "Thèmes rares, ensemble")),
        *share_columns(cells, rows_of(SHARE, FOCUS), "Moins de 50 : non couvertes"),
        *value_columns(cells, rows_of(SHRUNK, FOCUS), "Part rapprochée des autres branches (en %)"),
        *share_columns(cells, rows_of(SHARE, ALL), "Toutes tailles : non couvertes"),
    ]
    order = asked.sort_values(ascending=False)
    return pieces.table(WORDS.topics_table(), columns, order.index.tolist())


def bands_table(results: Results) -> Html:
    """Return coverage and rates by size band, under 50 first, with every denominator."""
    if not has_review(results):
        return Html("")
    cells = _cells(results)

    def values(indicator: str, title: str, denominator: str = "") -> Columns:
        rows = _band_rows(results, indicator)
        return value_columns(cells, rows, title) + (
            count_column(cells, rows, denominator) if denominator else []
        )

    companies = _band_rows(results, SHARE)
    columns: Columns = [
        ("Entreprises", lambda band: BANDS[band]),
        *count_column(cells, companies, "Qui ont demandé"),
        *count_column(cells, companies, "Non couvertes", "numerator_count"),
        *values(SHARE, "Part (en %)"),
        *values(
            "unmet_requests_share_pct", "Part des demandes non couvertes (en %)", "sur … demandes"
        ),
        *values("requests_per_1000_firms", "Demandes pour 1 000 entreprises"),
        *values("unmet_requests_per_1000_firms", "Demandes non couvertes pour 1 000"),
        *values(
            "answer_delay_median_days",
            "Délai médian (jours)",
            "sur … entreprises ayant eu une réponse",
        ),
        *values("repeat_share_pct", "Reviennent sur un même thème (en %)", COMPANIES),
    ]
    return pieces.table(WORDS.bands_table(), columns, BANDS)


def gap(results: Results) -> Html:
    """Return what separates companies under 50 from the others, and whether it is shown."""
    if not has_review(results):
        return Html("")
    row = _published(results, "gap_unmet_share_points", ALL)
    if row is None:
        return _secret("les deux groupes ne peuvent pas être comparés")
    cells = _cells(results)
    counted = select(_own(results), SHARE, topic_code=ALL)
    companies = counted.loc[counted["size_band"].isin([FOCUS, REST]), "denominator_count"].sum()
    names = ["Boschloo", "Fisher"] if companies <= comparison.LARGEST else ["Fisher"]
    tests = [
        Markup("{} {}").format(
            name, cells.number(_row(results, "gap_p_value", variant=name.lower()), 3)
        )
        for name in names
    ]
    same = _published(results, "gap_stratified_points", ALL)
    change = _published(results, "unmet_share_change_points", FOCUS)
    difference = WORDS.gap(cells, row, _signed(cells, row), tests, same, _signed(cells, same))
    trend = WORDS.trend(cells, change, _signed(cells, change))
    return pieces.findings(f"{difference}\n\n{trend}")


def reasons_table(results: Results) -> Html:
    """Return the main reasons of unmet companies, under 50 beside all."""
    if not has_review(results):
        return Html("")
    reasons = select(_own(results), "reason_share_pct", status="value")
    shown = [name for name in REASONS if name in set(reasons["reason"])]
    if set(shown) <= {"other"}:
        return _secret("trop peu d’entreprises non couvertes pour dire leurs motifs")
    cells = _cells(results)

    def part(band: str, title: str) -> Columns:
        def row(reason: str) -> int | None:
            return row_of(reasons, "reason_share_pct", None, reason=reason, size_band=band)

        return [
            *count_column(cells, row, f"{title} : entreprises", "numerator_count"),
            *value_columns(cells, row, "Part (en %)"),
        ]

    columns: Columns = [
        ("Motif", lambda reason: REASONS[reason]),
        *part(FOCUS, "Moins de 50"),
        *part(ALL, "Toutes tailles"),
    ]
    return pieces.table(WORDS.reasons_table(), columns, shown)


def reach_table(results: Results) -> Html:
    """Return the share of each band's companies that appear in the register at all."""
    if not has_review(results):
        return Html("")
    cells, rows = _cells(results), _band_rows(results, "companies_ever_share_pct")
    columns: Columns = [
        ("Tranche", lambda band: BANDS[band]),
        *count_column(cells, rows, "Au registre", "numerator_count"),
        *count_column(cells, rows, "Entreprises de la tranche"),
        *value_columns(cells, rows, "Part (en %)", decimals=1),
    ]
    return pieces.table(WORDS.reach_table(), columns, BANDS)


def follow_up_table(results: Results, labels: Labels) -> Html:
    """Return what became of the last recommendations, and of their topic since."""
    if not has_review(results):
        return Html("")
    table = results[FOLLOW_UP]
    if table.empty:
        return pieces.banner(WORDS.no_recommendation())
    cells, texts = Cells(FOLLOW_UP, table), table.astype("object").fillna("").to_dict("index")

    def share(row: int) -> str:
        return cells.show(row, french.number, "unmet_share_pct")

    columns: Columns = [
        ("Thème", lambda row: labels.get(texts[row]["topic_code"], texts[row]["topic_code"])),
        ("Proposée le", lambda row: french.day(texts[row]["proposed_on"])),
        (
            "Évolution de l’offre",
            lambda row: texts[row]["offer_change"] or "à écrire par la CPNEFP",
        ),
        ("Suite", lambda row: DECISIONS[texts[row]["decision_status"]]),
        ("Décidée le", lambda row: french.day(day) if (day := texts[row]["decided_on"]) else "–"),
        ("Part non couverte alors (en %)", share),
        ("Changement depuis (points)", cells.number),
        ("Intervalle à 95 %", lambda row: _signed(cells, row)),
    ]
    return pieces.table(WORDS.follow_up_table(), columns, table.index.tolist())


def candidates_table(results: Results, labels: Labels) -> Html:
    """Return the topics on which a change of the offer may be discussed; its text stays blank."""
    if not has_review(results):
        return Html("")
    table = select(_own(results), SHARE, size_band=FOCUS, status="value")
    is_named = ~table["topic_code"].isin([ALL, OTHERS])
    topics = table.loc[is_named & (table["numerator_count"] >= 3), "topic_code"]
    if topics.empty:
        return _secret("aucun thème ne réunit trois entreprises non couvertes de moins de 50")
    cells = _cells(results)
    columns: Columns = [
        ("Thème", lambda row: labels[topics[row]]),
        *count_column(cells, int, "Entreprises non couvertes, moins de 50", "numerator_count"),
        *value_columns(cells, int, "Part (en %)"),
        ("Recommandation de la CPNEFP", lambda _: "à écrire"),
    ]
    rows = topics.sort_values(key=lambda codes: codes.map(labels), kind="stable")
    return pieces.table(WORDS.candidates_table(), columns, rows.index.tolist())


def method(results: Results) -> Html:
    """Return how the figures were obtained and what they do not say."""
    return pieces.text(WORDS.method()) if has_review(results) else Html("")


def value_columns(
    cells: Cells, row: Callable[[Any], int | None], title: str, decimals: int = 0
) -> Columns:
    """Return the columns of a number and of its interval.

    Args:
        cells: The numbers.
        row: Line of the table → row of the number.
        title: Title of the number, with its unit.
        decimals: Of the number.
    """
    return [
        (title, lambda line: cells.number(row(line), decimals)),
        ("Intervalle à 95 %", lambda line: cells.bounds(row(line))),
    ]


def count_column(
    cells: Cells,
    row: Callable[[Any], int | None],
    title: str,
    column: str = "denominator_count",
) -> Columns:
    """Return the column of what a number was computed from."""
    return [(title, lambda line: _count(cells, row(line), column))]


def share_columns(cells: Cells, row: Callable[[Any], int | None], title: str) -> Columns:
    """Return the columns of a share of companies: the two counts, the share, its interval."""
    return [
        *count_column(cells, row, title, "numerator_count"),
        *count_column(cells, row, COMPANIES),
        *value_columns(cells, row, "Part (en %)"),
    ]


def _band_rows(results: Results, indicator: str) -> Callable[[str], int | None]:
    return lambda band: _row(results, indicator, band)


def _by_decision(results: Results, cells: Cells) -> list[Markup]:
    """Return how many recommendations stand where, in words."""
    counted = []
    for status, one in DECISIONS.items():
        row = _row(results, "recommendations_count", FOCUS, variant=status)
        if row is not None:
            is_one = (cells.read(row) or 0) < 2
            word = one if is_one else PLURALS.get(status, f"{one}s")
            counted.append(Markup("{} {}").format(cells.number(row), word))
    return counted


def _own(results: Results) -> pd.DataFrame:
    """Return the rows of the branch, or of all branches together where there are several."""
    table = results[TABLE]
    codes = set(table["branch_code"]) - {TOTAL}
    return table[table["branch_code"] == (codes.pop() if len(codes) == 1 else TOTAL)]


def _ranked(results: Results) -> pd.DataFrame:
    """Return the topics of unmet companies under 50 that are published, most companies first."""
    rows = select(_own(results), TOPIC, size_band=FOCUS, status="value")
    rows = rows[rows["numerator_count"] > 0]
    return rows.sort_values(["value", "topic_code"], ascending=[False, True])


def _is_first_clear(ranked: pd.DataFrame) -> bool:
    """Return whether the first topic's interval lies above the second's."""
    return len(ranked) > 1 and bool(ranked["lower"].iloc[0] > ranked["upper"].iloc[1])


def _row(
    results: Results,
    indicator: str,
    band: str = ALL,
    topic: str = ALL,
    variant: str | None = None,
) -> int | None:
    chosen: dict[str, Any] = {"size_band": band, "topic_code": topic, "variant": variant}
    return row_of(_own(results), indicator, None, **chosen)


def _published(results: Results, indicator: str, band: str) -> int | None:
    """Return the row of an indicator, if it has a value."""
    row = _row(results, indicator, band)
    return None if row is None or results[TABLE].at[row, "status"] != "value" else row


def _cells(results: Results) -> Cells:
    return Cells(TABLE, results[TABLE])


def _count(cells: Cells, row: int | None, column: str) -> Markup:
    return cells.show(row, french.number, column)


def _signed(cells: Cells, row: int | None) -> Markup:
    return cells.ends(row, lambda value: french.number(value, 1))


def _secret(why: str) -> Html:
    return pieces.banner(WORDS.secret(why))
