"""Facts and figures of `06_demandes`: what companies ask for and do not get."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from opmq_lib.show import figures, french, pieces, svg
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.svg import Dot
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import row_of, select

Columns = list[tuple[str, Callable[[Any], str]]]

TABLE, FOLLOW_UP = "demandes", "demandes_suites"
FOCUS, REST, ALL, TOTAL = "under_50", "50_plus", "all", "ensemble"
SHARE, TOPIC, SHRUNK = "unmet_share_pct", "topic_share_of_unmet_pct", "unmet_share_shrunk_pct"
PROBABILITY, RISE = "topic_top_three_probability_pct", "topic_rise_points"
SURE, POSSIBLE = 90, 10
"""Probabilities, in %, from which a topic is said to be, and perhaps to be, in the first three."""
WATERMARK = "données fictives"
WORDS = words(__package__)
REST_OF_TOPICS = "Thèmes rares, ensemble"
BANDS = {
    FOCUS: "Moins de 50 salariés",
    "1_9": "dont 1 à 9",
    "10_49": "dont 10 à 49",
    REST: "50 salariés ou plus",
    "50_249": "dont 50 à 249",
    "250_plus": "dont 250 ou plus",
    ALL: "Ensemble",
}
TRENDS = {"yes": "en hausse", "signal": "signal à examiner", "no": ""}
KINDS = {"partly": "Couvertes en partie seulement", "not_covered": "Pas couvertes du tout"}
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
    return pieces.banner(
        WORDS.banner(origin(results)) if has_review(results) else WORDS.no_register()
    )


def findings(results: Results, labels: Labels) -> Html:
    """Return what is not covered under 50, on what, what became of the last advice, what to do."""
    return pieces.lede(_said_first(results, labels))


def in_short(results: Results, labels: Labels) -> Html:
    """Return the same as paragraphs of another page."""
    return pieces.text(_said_first(results, labels))


def _said_first(results: Results, labels: Labels) -> str:
    if not has_review(results):
        return str(WORDS.no_request())
    cells = _cells(results)
    sure, possible = _leading(results, labels)
    every = _listed(results, labels)
    named = [
        Markup("{} ({})").format(labels.get(topic, REST_OF_TOPICS), cells.percent(row))
        for row, topic in every.items()
        if topic in sure or not (sure or possible)
    ]
    share = _published(results, SHARE, FOCUS)
    count = cells.number(_row(results, "recommendations_count", FOCUS))
    said = [
        WORDS.solidity(cells, share, _count(cells, share, "denominator_count")),
        WORDS.topics(named, [labels[topic] for topic in possible], bool(sure)),
        WORDS.last_recommendations(count, _by_decision(results, cells)),
    ]
    return "\n\n".join(said)


def topics_figure(results: Results, labels: Labels, topics: Sequence[str] = ()) -> Html:
    """Draw the topics not covered under 50, or those given, each with its interval."""
    if not has_review(results):
        return Html("")
    shown = _own(results).loc[[*_listed(results, labels)]]
    rows = pieces.chosen(shown, topics, len(shown), "topic_code")
    if len(rows) < (1 if topics else 2):
        return pieces.banner(WORDS.secret("topics"))
    code, cells = rows["topic_code"], _cells(results)
    drawn = [
        Dot(
            labels.get(code[row], REST_OF_TOPICS),
            rows["value"][row],
            rows["lower"][row],
            rows["upper"][row],
            french.percent(rows["value"][row]),
            f"{french.number(rows['lower'][row])} à {french.percent(rows['upper'][row])}",
        )
        for row in rows.index
    ]
    sure, _ = _leading(results, labels)
    is_fictitious = origin(results) == "fictitious"
    drawings = svg.dots(drawn, is_wide=True), svg.dots(drawn)
    if is_fictitious:
        drawings = svg.watermark(drawings[0], WATERMARK), svg.watermark(drawings[1], WATERMARK)
    columns: dict[str, Any] = {
        "Thème": lambda row: labels.get(code[row], REST_OF_TOPICS),
        "Part des demandes non couvertes": cells.percent,
    }
    title, source = pieces.paragraphs(WORDS.topics_figure([labels[topic] for topic in sure]))
    mark = f"{WATERMARK.capitalize()}. " if is_fictitious else ""
    return figures.figure(
        (f"{mark}{title}", WORDS.topics_how(), f"{mark}{source}"),
        drawn,
        figures.both(*drawings),
        pieces.table(f"{mark}{title}\n\n{source}", columns, rows.index),
    )


def topics_table(results: Results, labels: Labels) -> Html:
    """Return, by topic, what is not covered under 50, beside all sizes."""
    if not has_review(results):
        return Html("")
    cells, table = _cells(results), _own(results)
    small, every = _listed(results, labels), _listed(results, labels, ALL)
    topics = [*dict.fromkeys([*small.values(), *every.values()])]
    if not topics:
        return pieces.banner(WORDS.secret("topics"))
    sure, possible = _leading(results, labels)
    place = dict.fromkeys(sure, "parmi les trois premiers") | dict.fromkeys(
        possible, "peut en être"
    )
    rises = select(table, RISE, status="value").set_index("topic_code")["retained"]

    def rows_of(indicator: str, band: str) -> Any:
        return lambda topic: _row(results, indicator, band, topic)

    columns: Columns = [
        ("Thème", lambda topic: labels.get(topic, REST_OF_TOPICS)),
        *count_column(cells, rows_of(TOPIC, FOCUS), "Moins de 50 : entreprises concernées",
                      "numerator_count"),
        *value_columns(cells, rows_of(TOPIC, FOCUS), "Part du non-couvert (en %)"),
        ("Rang", lambda topic: place.get(topic, "")),
        ("Sur un an", lambda topic: TRENDS[rises.get(topic, "no")]),
        *value_columns(cells, rows_of(SHARE, FOCUS), "Demandes du thème non couvertes (en %)"),
        *value_columns(cells, rows_of(SHRUNK, FOCUS), "Part rapprochée des autres branches (en %)"),
        *value_columns(cells, rows_of(SHARE, ALL), "Toutes tailles : non couvertes (en %)"),
    ]  # fmt: skip
    by_chance = cells.read(_total(results, "signals_by_chance_count", FOCUS) or 0) or 0
    return pieces.table(WORDS.topics_table(by_chance), columns, topics)


def bands_table(results: Results) -> Html:
    """Return requests and what is not covered by size band, under 50 first."""
    if not has_review(results):
        return Html("")
    cells = _cells(results)

    def values(indicator: str, title: str, decimals: int = 0) -> Columns:
        return value_columns(cells, _band_rows(results, indicator), title, decimals)

    def alone(indicator: str, title: str, variant: str = "", decimals: int = 0) -> Columns:
        row = _band_rows(results, indicator, variant)
        return [(title, lambda band: cells.number(row(band), decimals))]

    few = _band_rows(results, "requests_count", "under_10")
    columns: Columns = [
        ("Entreprises", lambda band: BANDS[band]),
        *alone("requesting_companies_count", "Qui ont demandé"),
        ("Demandes, à la dizaine", lambda band: _requests(results, cells, few(band), band)),
        *alone("requests_per_company_ratio", "Par entreprise", decimals=1),
        *values(SHARE, "Demandes non couvertes (en %)"),
        *alone(SHARE, "Moyenne des entreprises (en %)", "by_company"),
        *values("requests_per_1000_firms", "Demandes pour 1 000 entreprises"),
        *values("answer_delay_median_days", "Délai médian (jours)"),
    ]
    return pieces.table(WORDS.bands_table(), columns, BANDS)


def gap(results: Results) -> Html:
    """Return what separates companies under 50 from the others, and whether it is shown."""
    if not has_review(results):
        return Html("")
    cells = _cells(results)
    row, beside = (_row(results, "gap_points", variant=f"by_{each}")
                   for each in ("company", "request"))  # fmt: skip
    change = _published(results, "unmet_share_change_points", FOCUS)
    state = "nd" if row is None else str(results[TABLE].at[row, "status"])
    common = [_row(results, "requests_in_strata_share_pct", band) for band in (FOCUS, REST)]
    compared, held = (
        _total(results, name) for name in ("compared_branches_count", "retained_gaps_count")
    )
    said = [
        WORDS.gap(cells, row, state, _is_held(results, row), *_said(cells, row)),
        WORDS.trend(cells, change, _is_held(results, change), *_said(cells, change)),
        WORDS.compared(cells.number(compared), _is_one(cells, compared),
                       cells.number(held), _is_one(cells, held)),
    ]  # fmt: skip
    if state == "value":
        by_request = _excludes(cells, beside), _excludes(cells, row)
        shares = [cells.percent(each) for each in common]
        said.insert(1, WORDS.beside(*_said(cells, beside)[:2], *by_request, shares))
    return pieces.findings("\n\n".join(said))


def reasons_table(results: Results) -> Html:
    """Return why requests are not covered, under 50 beside all, and what separates sizes."""
    if not has_review(results):
        return Html("")
    table = select(_own(results), SHARE, topic_code=ALL, status="value")
    why = table["variant"].where(table["variant"].ne(""), table["reason"])
    shown = [name for name in (*KINDS, *REASONS) if name in set(why)]
    if set(shown) <= {"other"}:
        return pieces.banner(WORDS.secret("reasons"))
    cells = _cells(results)
    gaps = select(_own(results), "gap_points")

    def row(band: str) -> Callable[[str], int | None]:
        here = why[table["size_band"] == band]
        return lambda name: next(iter(here.index[here == name]), None)

    columns: Columns = [
        ("Comment, pourquoi", lambda name: (KINDS | REASONS)[name]),
        *value_columns(cells, row(FOCUS), "Moins de 50 : demandes (en %)"),
        *value_columns(cells, row(ALL), "Toutes tailles : demandes (en %)"),
        (
            "Part de l’écart entre tailles (points)",
            lambda name: (
                ""
                if name in KINDS
                else _signed(cells, row_of(gaps, "gap_points", None, reason=name))
            ),
        ),
    ]
    return pieces.table(WORDS.reasons_table(), columns, shown)


def reach_table(results: Results) -> Html:
    """Return the share of each band's companies that ask, beside that of the year before."""
    if not has_review(results):
        return Html("")
    cells, rows = _cells(results), _band_rows(results, "requesting_share_pct")
    columns: Columns = [
        ("Tranche", lambda band: BANDS[band]),
        *count_column(cells, rows, "Ont demandé", "numerator_count"),
        *count_column(cells, rows, "Entreprises de la tranche"),
        *value_columns(cells, rows, "Part (en %)", decimals=1),
        (
            "L’année d’avant (en %)",
            lambda band: cells.number(
                _row(results, "requesting_share_pct", band, variant="year_before"), 1
            ),
        ),
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
            lambda row: texts[row]["offer_change"] or WORDS.to_write(),
        ),
        ("Suite", lambda row: DECISIONS[texts[row]["decision_status"]]),
        ("Décidée le", lambda row: french.day(day) if (day := texts[row]["decided_on"]) else "–"),
        ("Part non couverte alors (en %)", share),
        ("Changement depuis (points)", lambda row: _signed(cells, row)),
        ("Intervalle à 95 %", lambda row: ends(cells, row)),
    ]
    return pieces.table(WORDS.follow_up_table(), columns, table.index.tolist())


def method(results: Results) -> Html:
    """Return how the figures were obtained and what they do not say."""
    if not has_review(results):
        return Html("")
    return pieces.text(WORDS.method(str(results[TABLE]["period_end_on"].iloc[0])))


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


def _band_rows(results: Results, indicator: str, variant: str = "") -> Callable[[str], int | None]:
    return lambda band: _row(results, indicator, band, variant=variant)


def _requests(results: Results, cells: Cells, few: int | None, band: str) -> Markup:
    """Return requests to the nearest ten, or « moins de 10 »."""
    row = _row(results, "requests_count", band) if few is None else few
    number = cells.number(row)
    return number if few is None else Markup("moins de {}").format(number)


def _by_decision(results: Results, cells: Cells) -> list[Markup]:
    """Return how many recommendations stand where, in words."""
    counted = []
    for status, one in DECISIONS.items():
        row = _row(results, "recommendations_count", FOCUS, variant=status)
        if row is not None:
            word = one if _is_one(cells, row) else PLURALS.get(status, f"{one}s")
            counted.append(Markup("{} {}").format(cells.number(row), word))
    return counted


def _own(results: Results) -> pd.DataFrame:
    """Return the rows of the branch, or of all branches together where there are several."""
    table = results[TABLE]
    codes = set(table["branch_code"]) - {TOTAL}
    return table[table["branch_code"] == (codes.pop() if len(codes) == 1 else TOTAL)]


def _listed(results: Results, labels: Labels, band: str = FOCUS) -> dict[int, str]:
    """Return the rows of the topics published for a size, in the order of the nomenclature."""
    rows = select(_own(results), TOPIC, size_band=band, status="value")
    order = {code: place for place, code in enumerate(labels)}
    found = rows["topic_code"].sort_values(key=lambda codes: codes.map(order), kind="stable")
    return dict(zip(found.index.tolist(), found.tolist(), strict=True))


def _leading(results: Results, labels: Labels) -> tuple[list[str], list[str]]:
    """Return the topics under 50 that are in the first three surely, and perhaps."""
    rows = select(_own(results), PROBABILITY, size_band=FOCUS, status="value")
    by_topic = rows.set_index("topic_code")["value"]
    ordered = [code for code in _listed(results, labels).values() if code in by_topic]
    sure = [code for code in ordered if by_topic[code] >= SURE]
    return sure, [code for code in ordered if POSSIBLE <= by_topic[code] < SURE]


def _row(
    results: Results,
    indicator: str,
    band: str = ALL,
    topic: str = ALL,
    variant: str = "",
) -> int | None:
    chosen: dict[str, Any] = {"size_band": band, "topic_code": topic, "variant": variant}
    chosen["reason"] = ALL
    return row_of(_own(results), indicator, None, **chosen)


def _total(results: Results, indicator: str, band: str = ALL) -> int | None:
    """Return the row of all branches together."""
    chosen: dict[str, Any] = {"size_band": band, "branch_code": TOTAL}
    return row_of(results[TABLE], indicator, None, **chosen)


def _published(results: Results, indicator: str, band: str) -> int | None:
    """Return the row of an indicator, if it has a value."""
    row = _row(results, indicator, band)
    return None if row is None or results[TABLE].at[row, "status"] != "value" else row


def _is_one(cells: Cells, row: int | None) -> bool:
    return row is not None and (cells.read(row) or 0) < 2


def _is_held(results: Results, row: int | None) -> bool:
    return row is not None and str(results[TABLE].at[row, "retained"]) == "yes"


def _excludes(cells: Cells, row: int | None) -> bool:
    """Return whether an interval excludes 0."""
    low, high = (None if row is None else cells.read(row, end) for end in ("lower", "upper"))
    return low is not None and high is not None and (low > 0 or high < 0)


def _cells(results: Results) -> Cells:
    return Cells(TABLE, results[TABLE])


def _count(cells: Cells, row: int | None, column: str) -> Markup:
    return cells.show(row, french.number, column)


def _signed(cells: Cells, row: int | None, column: str = "value") -> Markup:
    return cells.show(row, _points, column)


def _said(cells: Cells, row: int | None) -> tuple[Markup, Markup, Markup]:
    """Return points as said in a sentence: the number, `[+7 ; +73]`, `+7 à +73`."""
    low, high = (_signed(cells, row, end) for end in ("lower", "upper"))
    return _signed(cells, row), Markup("[{} ; {}]").format(low, high), ends(cells, row)


def ends(cells: Cells, row: int | None) -> Markup:
    """Return the ends of an interval in points, with their sign."""
    return cells.ends(row, _points)


def _points(value: float) -> str:
    """Return points with their sign; beyond 100, that they are beyond.

    Examples:
        >>> _points(40), _points(0), _points(-3), "+100" in _points(104)
        ('+40', '0', '−3', True)
    """
    if abs(value) > 100:
        return f"≥{french.NBSP}+100" if value > 0 else f"≤{french.NBSP}{french.number(-100)}"
    return ("+" if value > 0 else "") + french.number(value)
