"""Facts and figures of `11_evaluation`: what projections are worth, had they been made before."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import product
from types import SimpleNamespace
from typing import Any

from markupsafe import Markup

from opmq_lib.questions.emplois.page import fan_of
from opmq_lib.show import figures, french, pieces, svg
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.svg import Bar, Line
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import ALL_METIERS, codes, largest_first, row_of, select

Column = Callable[[Any], str]

TABLE, RETROSPECTIVE = "evaluation", "evaluation_retrospective"
PANELS = 4
NOMINAL_PCT = {"coverage_50_pct": 50, "coverage_80_pct": 80, "coverage_95_pct": 95}
WORDS = words(__package__)
METHODS = {
    "published": "Projection publiée",
    "panel": "Moteur seul",
    "naive": "Dernière valeur",
    "drift": "Tendance moyenne",
}
"""French name of each rule, what is published first."""

CANDIDATES = {
    "shrunk": "Une part λ de l’évolution du moteur",
    "engine": "Moteur seul",
    "last_value": "Dernière valeur",
    "drift": "Tendance moyenne",
}
SCORES = {
    "smape_pct": ("Erreur relative (sMAPE, %)", 1),
    "mase": ("Erreur, en évolutions annuelles (MASE)", 2),
    "owa": ("Erreur relative à « dernière valeur » (OWA)", 2),
    "wis_scaled": ("Erreur de l’ensemble des intervalles (WIS)", 2),
    "coverage_80_pct": ("Dans l’intervalle à 80 % (%)", 0),
    "coverage_95_pct": ("Dans l’intervalle à 95 % (%)", 0),
    "direction_right_pct": ("Sens de l’évolution juste (%)", 0),
}
"""French name of each score and its decimals."""

ERRORS = (
    ("erreur (%)", "smape_pct", "published", 1),
    ("« dernière valeur » (%)", "smape_pct", "naive", 1),
    ("dans l’intervalle à 80 % (%)", "coverage_80_pct", "published", 0),
)
"""What is shown of errors along a dimension: title, score, rule, decimals."""

LEVELS = {"metier": "métiers", "family": "familles de métiers"}
NEEDS_LEVELS = {"metier": "Métiers de l’industrie", "family": "Familles de l’industrie"}
NEEDS_MODELS = {
    "study": "Projection publiée",
    "no_change": "« Rien ne change »",
    "last_growth": "« La dernière évolution continue »",
}
AGE_MODELS = {
    "study": "Méthode de l’étude",
    "no_change": "« Rien ne change »",
    "mean_rates": "Taux moyens, sans tendance",
}
BANDS = {"50": "50-54 ans", "55": "55-59 ans", "60": "60 ans ou plus"}
MEASURES = {
    "needs_error_pct": "Écart sur l’effectif",
    "needs_creation_error_pct": "Écart sur la création nette",
}


def banner(results: Results) -> Html:
    """Return what the evaluation can tell and what it cannot."""
    years = select(results[TABLE], "smape_pct_by_cutoff", model="published")["year"]
    return pieces.banner(WORDS.banner(_levels(results), int(years.min()), int(years.max())))


def headline(results: Results) -> Html:
    """Return how wrong the longest projections would have been, and how often intervals held."""
    levels = _levels(results)
    return pieces.lede(WORDS.headline(levels, partial(_number, results)) if levels else "")


def comparisons(results: Results, labels: Labels) -> Html:
    """Return how what is published stands beside simple rules, and where a rule still wins."""
    errors = select(results[TABLE], "smape_pct_at_step")
    wide = errors.pivot(index="branch_code", columns="model", values="value")
    wide = wide.reindex(columns=[*METHODS])
    worse = [labels[code] for code in wide.index[wide["published"] > wide["naive"]]]
    names = sorted(worse, key=french.order)
    number, interval = partial(_number, results), partial(_interval, results)
    return pieces.findings(
        WORDS.comparisons(_levels(results), number, interval, METHODS, names, len(wide))
    )


def scores_table(results: Results) -> Html:
    """Return the scores of every rule, at the distance at which each level is judged."""
    levels = {level.code: level for level in _levels(results)}

    def column(model: str) -> Column:
        return lambda row: _number(
            results,
            row[1],
            SCORES[row[1]][1],
            model=model,
            level=row[0],
            horizon_years=levels[row[0]].years,
        )

    columns: dict[str, Column] = {
        "Mesure": lambda row: f"{SCORES[row[1]][0]}, {levels[row[0]].name}"
    }
    columns |= {name: column(model) for model, name in METHODS.items()}
    return pieces.table(WORDS.scores_table(_levels(results)), columns, product(levels, SCORES))


def rule_table(results: Results) -> Html:
    """Return the rule that is published at each distance, and what its rivals were worth."""
    shares = select(results[TABLE], "retained_share")
    at = dict(zip(shares["horizon_years"].astype(int), shares.index, strict=True))
    columns: dict[str, Column] = {
        "Distance": lambda years: french.plural(years, "an"),
        "Règle publiée": lambda years: CANDIDATES[shares["model"].loc[at[years]]],
        "λ": lambda years: Cells(TABLE, results[TABLE]).number(at[years], 2),
    }
    for model, name in CANDIDATES.items():
        columns[name] = _by(results, "horizon_years", "family_error_ratio", 2, model=model)
    return pieces.table(WORDS.rule_table(), columns, at)


def steps_table(results: Results) -> Html:
    """Return errors and intervals at each distance, of what is published and of the last value."""

    def distance(years: int) -> str:
        return french.plural(years, "an")

    text = WORDS.steps_table()
    return _errors_along(results, "horizon_years", "", {"Distance": distance}, text)


def origins_table(results: Results) -> Html:
    """Return errors and coverage by year of departure: pooled figures hide what a year shares."""
    text = WORDS.origins_table(_levels(results))
    return _errors_along(results, "year", "_by_cutoff", {"Projeté en": str}, text)


def _errors_along(
    results: Results, dimension: str, suffix: str, first: dict[str, Column], text: str
) -> Html:
    """Return errors and intervals of each level, a line each value of a dimension."""
    errors = select(results[TABLE], f"smape_pct{suffix}", model="published")
    errors = errors[errors[dimension] > 0]  # a distance of 0 is all distances together
    columns = dict(first)
    for level in _levels(results):
        known = set(errors.loc[errors["level"] == level.code, dimension])
        for title, score, model, decimals in ERRORS:
            of = {"model": model, "level": level.code}
            shown = _by(results, dimension, f"{score}{suffix}", decimals, **of)
            columns[f"{level.name.capitalize()}, {title}"] = partial(_among, known, shown)
    return pieces.table(text, columns, sorted(errors[dimension].astype(int).unique()))


def _among(known: set[int], shown: Column, value: int) -> str:
    return shown(value) if value in known else pieces.NOT_APPLICABLE


def retrospective_figure(results: Results, labels: Labels, metiers: Sequence[str] = ()) -> Html:
    """Draw what would have been projected in the past for the largest families, or those given."""
    past = results[RETROSPECTIVE]
    levels = select(results[TABLE], "national_employment_headcount")
    cutoff, end = int(past["cutoff_year"].max()), int(past["year"].max())
    known = levels[(levels["year"] == cutoff) & levels["metier_code"].isin(past["metier_code"])]
    shown = codes(pieces.chosen(largest_first(known), metiers, PANELS))
    last = past[past["year"] == end]
    bounds = last.pivot(index="metier_code", columns="quantile_level", values="value")
    actual = levels[levels["year"] == end].set_index("metier_code")["value"].reindex(bounds.index)
    inside = int(actual.between(bounds[0.1], bounds[0.9]).sum())
    drawn = [
        fan_of(labels[code], *(each[each["metier_code"] == code] for each in (levels, past)))
        for code in shown
    ]
    place = last.reset_index().set_index(["metier_code", "quantile_level"])["index"]
    made, seen = Cells(RETROSPECTIVE, past), Cells(TABLE, results[TABLE])

    def projected(level: float) -> Column:
        return lambda code: made.show(int(place[code, level]), french.two_digits)

    def counted(year: int) -> Column:
        return lambda code: seen.show(
            row_of(seen.table, "national_employment_headcount", code, year), french.three_digits
        )

    columns: dict[str, Column] = {
        "Famille": labels.__getitem__,
        f"Emplois {cutoff}": counted(cutoff),
        f"Projeté pour {end}": projected(0.5),
        "Bas": projected(0.1),
        "Haut": projected(0.9),
        f"Observé {end}": counted(end),
    }
    text = WORDS.retrospective_figure(cutoff, end, inside, len(actual))
    return _figure(text, drawn, [figures.panels(drawn, french.two_digits)], columns, shown)


def _figure(
    text: str,
    rows: Any,
    drawings: Sequence[str],
    columns: Mapping[str, Column],
    lines: Iterable[Any],
) -> Html:
    """Return drawings with their finding and source, and the table of what is drawn."""
    title, source, said = pieces.paragraphs(text)
    numbers = pieces.table(f"{title}\n\n{source}", columns, lines)
    return figures.figure((title, "", source), rows, drawings, numbers, said)


def cutoffs_figure(results: Results) -> Html:
    """Draw the error of each rule by the year from which it forecast, for families."""
    errors = select(results[TABLE], "smape_pct_by_cutoff", level="family").sort_values("year")
    drawn = [
        Line(
            name,
            [(int(year), value) for year, value in zip(rows["year"], rows["value"], strict=True)],
            is_hot=model == "published",
        )
        for model, name in METHODS.items()
        if len(rows := errors[errors["model"] == model])
    ]
    own = errors.loc[errors["model"] == "published", "value"]
    years = {level.code: level.years for level in _levels(results)}["family"]
    cells = Cells(TABLE, results[TABLE])

    def error(model: str) -> Column:
        return lambda year: cells.number(
            row_of(cells.table, "smape_pct_by_cutoff", year=year, model=model, level="family"), 1
        )

    columns: dict[str, Column] = {"Dernière année connue": str}
    columns |= {name: error(model) for model, name in METHODS.items()}
    sizes = [svg.lines(drawn, french.one_decimal, width) for width in (svg.WIDE, svg.WIDTH)]
    lines = sorted(errors["year"].astype(int).unique())
    text = WORDS.cutoffs_figure(own.min(), own.max(), years)
    return _figure(text, drawn, figures.both(*sizes), columns, lines)


def coverage_figure(results: Results) -> Html:
    """Draw how often each rule's intervals held, for métiers, beside what they announced."""
    level, cells = _levels(results)[0], Cells(TABLE, results[TABLE])
    whole = select(cells.table, *NOMINAL_PCT, level=level.code, horizon_years=level.years)
    names = whole["model"].map(METHODS)
    rows = [
        row
        for indicator in NOMINAL_PCT
        for model in METHODS
        for row in whole.index[(whole["indicator"] == indicator) & (whole["model"] == model)]
    ]
    announced = whole["indicator"].map(NOMINAL_PCT)

    def name(row: int) -> str:
        return f"{names[row]}, {french.percent(announced[row])} annoncés"

    drawn = [
        Bar(
            name(row),
            whole["value"][row],
            french.percent(whole["value"][row]),
            announced[row],
            is_hot=whole["model"][row] == "published",
        )
        for row in rows
    ]
    own = select(whole, "coverage_80_pct", model="published")["value"].item()
    columns: dict[str, Column] = {"Règle": name, "Dans l’intervalle": cells.percent}
    return _figure(WORDS.coverage_figure(own, level), drawn, [svg.bars(drawn)], columns, rows)


def calibration_figure(results: Results) -> Html:
    """Draw where what happened fell in the distributions published of métiers (PIT)."""
    shares = select(results[TABLE], "pit_share_pct", model="published", level="metier")
    shares = shares.sort_values("quantile_level")
    names = {
        row: f"{french.ordinal(place)} dixième" for place, row in enumerate(shares.index, start=1)
    }
    drawn = [
        Bar(name, value, french.percent(value), mark=100 / len(names))
        for name, value in zip(names.values(), shares["value"], strict=True)
    ]
    cells = Cells(TABLE, results[TABLE])
    columns: dict[str, Column] = {"Dixième": names.__getitem__, "Part": cells.percent}
    text = WORDS.calibration_figure(*shares["value"].iloc[[0, -1]])
    return _figure(text, drawn, [svg.bars(drawn)], columns, names)


def branches_table(results: Results, labels: Labels) -> Html:
    """Return the errors that each branch's mix of métiers would have met."""
    errors = select(results[TABLE], "smape_pct_at_step", model="published")
    if errors.empty:
        return pieces.banner(WORDS.no_branch())
    years = french.plural(int(errors["horizon_years"].max()), "an")

    def column(indicator: str, model: str, decimals: int = 1) -> Column:
        return _by(results, "branch_code", indicator, decimals, model=model)

    columns = {
        "Branche": lambda code: labels[code],
        f"Erreur à {years} de ce qui est publié (%)": column("smape_pct_at_step", "published"),
        f"Erreur à {years} de « dernière valeur » (%)": column("smape_pct_at_step", "naive"),
        "Dans l’intervalle à 80 % (%)": column("coverage_80_pct_at_step", "published", 0),
    }
    branches = sorted(errors["branch_code"], key=lambda code: french.order(labels[code]))
    return pieces.table(WORDS.branches_table(), columns, branches)


def past_table(
    results: Results, labels: Labels, edition_id: str, previous_edition_id: str | None
) -> Html:
    """Return what the forecasts of the previous edition were worth; nothing where it has none."""
    known = select(results[TABLE], "forecasts_count")
    if known.empty or previous_edition_id is None:
        return Html("")
    column = partial(_by, results, "branch_code")
    columns: dict[str, Column] = {
        "Branche": lambda code: labels[code],
        "Projections comparées": column("forecasts_count", 0),
        "Écart médian (%)": column("past_error_pct"),
        "Dont révision du départ (%)": column("past_start_pct"),
        "Dans l’intervalle à 80 % (%)": column("past_coverage_80_pct", 0),
    }
    branches = sorted(known["branch_code"], key=lambda code: french.order(labels[code]))
    return pieces.table(WORDS.past_table(previous_edition_id, edition_id), columns, branches)


def needs_findings(results: Results) -> Html:
    """Return how projections of needs compare with simple rules, as the scores say."""
    years = _years(results)
    if not years:
        return Html("")
    errors = select(results[TABLE], "age_error_pct").set_index(["age_band", "model"])["value"]
    worse = [
        label for band, label in BANDS.items() if errors[band, "study"] >= errors[band, "no_change"]
    ]
    departures = select(results[TABLE], "departure_rate_pct", metier_code=ALL_METIERS)
    rates = departures.set_index("variant")["value"]
    is_close = 0.5 <= rates["projected"] / rates["declared"] <= 2
    number, interval = partial(_number, results), partial(_interval, results)
    facts = (NEEDS_LEVELS, NEEDS_MODELS, _origins(results), years, worse, is_close)
    return pieces.findings(WORDS.needs_findings(number, interval, *facts))


def needs_table(results: Results) -> Html:
    """Return errors of employment and net creation projected from the origin, by rule."""

    def column(model: str) -> Column:
        return lambda row: _number(results, row[1], level=row[0], model=model)

    columns: dict[str, Column] = {
        "Mesure (en %)": lambda row: f"{MEASURES[row[1]]}, {NEEDS_LEVELS[row[0]].lower()}"
    }
    columns |= {name: column(model) for model, name in NEEDS_MODELS.items()}
    return pieces.table(
        WORDS.needs_table(_origins(results), _years(results)),
        columns,
        product(NEEDS_LEVELS, MEASURES),
    )


def ages_table(results: Results) -> Html:
    """Return errors of heads by age five years after an origin, by rule."""

    def column(indicator: str, decimals: int = 1, **chosen: str) -> Column:
        return _by(results, "age_band", indicator, decimals, **chosen)

    columns: dict[str, Column] = {"Âge": lambda band: BANDS[band]}
    for model, name in AGE_MODELS.items():
        columns[f"{name} (écart, %)"] = column("age_error_pct", model=model)
    columns |= {
        "Méthode de l’étude (biais, %)": column("age_bias_pct", model="study"),
        "Dans l’intervalle à 80 % (%)": column("age_coverage_pct", 0),
    }
    return pieces.table(WORDS.ages_table(_origins(results)), columns, BANDS)


def _by(
    results: Results, dimension: str, indicator: str, decimals: int = 1, **chosen: Any
) -> Column:
    """Return the column of a table that shows an indicator for each value of a dimension."""
    return lambda value: _number(results, indicator, decimals, **{dimension: value}, **chosen)


def _number(results: Results, indicator: str, decimals: int = 1, **chosen: Any) -> Markup:
    row = row_of(results[TABLE], indicator, **chosen)
    return Cells(TABLE, results[TABLE]).number(row, decimals)


def _interval(
    results: Results, indicator: str, reference: float, decimals: int, **chosen: Any
) -> Any:
    """Return the ends of an interval as shown, and on which side of a value it lies whole.

    Returns:
        `lower`, `upper`, and `side`: -1 below, 1 above, 0 where the value is inside; `None`
        without row.
    """
    table, cells = results[TABLE], Cells(TABLE, results[TABLE])
    row = row_of(table, indicator, **chosen)
    if row is None:
        return None
    side = int(table["lower"].loc[row] > reference) - int(table["upper"].loc[row] < reference)
    lower, upper = (
        cells.show(row, lambda value: french.number(value, decimals), end)
        for end in ("lower", "upper")
    )
    return SimpleNamespace(lower=lower, upper=upper, side=side)


def _levels(results: Results) -> list[SimpleNamespace]:
    """Return each level's name, number of series, distance, and least and most held cut-offs."""
    table, cells, found = results[TABLE], Cells(TABLE, results[TABLE]), []
    for code, name in LEVELS.items():
        row = row_of(table, "scored_series_count", level=code)
        if row is not None and cells.read(row):
            scored = select(table, "smape_pct", level=code, model="published")
            years = int(scored["horizon_years"].max())
            count = Markup("{} {}").format(cells.number(row), name)
            held = select(table, "coverage_80_pct_by_cutoff", level=code, model="published")
            ends = held["value"].sort_values(kind="stable").index[[0, -1]]
            extremes = [(cells.number(end, 0), int(held["year"].loc[end])) for end in ends]
            of = {"name": name, "count": count, "years": years, "extremes": extremes}
            found.append(SimpleNamespace(code=code, **of))
    return found


def _origins(results: Results) -> dict[str, int]:
    """Return the years from which employment and ages are projected again."""
    rows = select(results[TABLE], "origin_year")
    return dict(zip(rows["variant"], rows["value"].astype(int), strict=True))


def _years(results: Results) -> list[int]:
    """Return the years in which projected needs are judged."""
    years = select(results[TABLE], "needs_coverage_by_year_pct", level="metier")["year"]
    return sorted(int(year) for year in years)
