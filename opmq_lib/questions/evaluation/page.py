"""Facts and figures of `11_evaluation`: what projections are worth, had they been made before."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from types import SimpleNamespace
from typing import Any

import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from opmq_lib.show import figures, french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import ALL_METIERS, codes, largest_first, row_of, select

Column = Callable[[Any], str]

TABLE, RETROSPECTIVE = "evaluation", "evaluation_retrospective"
BRANCH_YEARS = 5
PANELS = 4
NOMINAL_PCT = {"coverage_50_pct": 50, "coverage_80_pct": 80, "coverage_95_pct": 95}
WORDS = words(__package__)
METHODS = {
    "panel": "Méthode de l’étude",
    "naive": "Dernière valeur",
    "drift": "Tendance moyenne",
    "ets": "Lissage amorti (ETS)",
}
"""French name of each method, the study's own first."""

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

SCORES_BY_STEP = ("smape_pct", "mase", "coverage_80_pct", "coverage_95_pct")
LEVELS = {"metier": "59 métiers (depuis 2004)", "family": "26 familles (depuis 1983)"}
NEEDS_MODELS = {
    "study": "Méthode de l’étude",
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
    cells = Cells(TABLE, results[TABLE])
    scored = {}
    for level, name in {"metier": "métiers", "family": "familles de métiers"}.items():
        row = row_of(results[TABLE], "scored_series_count", level=level)
        if row is not None and cells.read(row):
            scored[level] = Markup("{} {}").format(cells.number(row), name)
    cutoffs = select(results[TABLE], "mase_by_cutoff", model="panel")["year"]
    years = [int(cutoffs.min()), int(cutoffs.max())]
    return pieces.banner(WORDS.banner(scored, years, _steps(results)[-1], BRANCH_YEARS))


def findings(results: Results) -> Html:
    """Return how the method stands beside simple ones, and whether its intervals held."""
    if row_of(results[TABLE], "owa", model="panel", horizon_years=0) is None:
        return pieces.findings("")
    return pieces.findings(WORDS.findings(partial(_number, results), partial(_interval, results)))


def scores_table(results: Results) -> Html:
    """Return the scores of every method over all years ahead."""

    def column(model: str) -> Column:
        return lambda score: _number(results, score, SCORES[score][1], model=model, horizon_years=0)

    columns: dict[str, Column] = {"Mesure": lambda score: SCORES[score][0]}
    columns |= {name: column(model) for model, name in METHODS.items()}
    return pieces.table(WORDS.scores_table(), columns, SCORES)


def steps_table(results: Results) -> Html:
    """Return the study's own errors and intervals at each distance."""
    columns: dict[str, Column] = {"Distance": lambda step: french.plural(step, "an")}
    for score in SCORES_BY_STEP:
        name, decimals = SCORES[score]
        columns[name] = _by(results, "horizon_years", score, decimals, model="panel")
    return pieces.table(WORDS.steps_table(), columns, _steps(results))


def retrospective_figure(
    results: Results, labels: Labels, metiers: Sequence[str] = (), ax: figures.Panels = None
) -> Figure:
    """Draw what would have been projected in the past for the largest families, or those given."""
    past = results[RETROSPECTIVE]
    levels = select(results[TABLE], "national_employment_headcount")
    cutoff, end = int(past["cutoff_year"].max()), int(past["year"].max())
    known = levels[(levels["year"] == cutoff) & levels["metier_code"].isin(past["metier_code"])]
    shown = codes(pieces.chosen(largest_first(known), metiers, PANELS))
    history = pd.concat([levels[levels["metier_code"] == code] for code in shown])
    last = past[past["year"] == end]
    bounds = last.pivot(index="metier_code", columns="quantile_level", values="value")
    actual = levels[levels["year"] == end].set_index("metier_code")["value"].reindex(bounds.index)
    inside = actual.between(bounds[0.1], bounds[0.9])
    text = WORDS.retrospective_figure(cutoff, end, int(inside.sum()), len(inside))
    return figures.employment_fan(history, past, labels, text, ax)


def cutoffs_figure(results: Results, ax: Axes | None = None) -> Figure:
    """Draw the error of each method by the year from which it forecast."""
    errors = pd.concat(
        select(results[TABLE], "mase_by_cutoff", model=model).assign(method=name)
        for model, name in METHODS.items()
    )
    own = errors.loc[errors["model"] == "panel", "value"]
    return figures.error_lines(errors, WORDS.cutoffs_figure(own.min(), own.max()), ax)


def coverage_figure(results: Results, ax: figures.Panels = None) -> Figure:
    """Draw how often each method's intervals held."""
    whole = select(results[TABLE], *NOMINAL_PCT, horizon_years=0)
    held = whole.assign(
        method=whole["model"].map(METHODS), announced_pct=whole["indicator"].map(NOMINAL_PCT)
    )
    drawn = pd.concat(held[held["model"] == model] for model in METHODS)
    own = select(whole, "coverage_80_pct", model="panel")["value"].item()
    return figures.coverage_dots(drawn, WORDS.coverage_figure(own), ax)


def calibration_figure(results: Results, ax: Axes | None = None) -> Figure:
    """Draw where what happened fell in the study's own forecast distributions (PIT)."""
    shares = select(results[TABLE], "pit_share_pct", model="panel").sort_values("quantile_level")
    tenths = shares.assign(tenth=range(1, len(shares) + 1))
    lowest, highest = shares["value"].iloc[[0, -1]]
    return figures.tenths(tenths, WORDS.calibration_figure(lowest, highest), ax)


def branches_table(results: Results, labels: Labels) -> Html:
    """Return the errors that each branch's mix of métiers would have met."""
    errors = select(results[TABLE], "smape_pct_at_step", model="panel")
    if errors.empty:
        return pieces.banner(WORDS.no_branch())
    years = french.plural(min(_steps(results)[-1], BRANCH_YEARS), "an")

    def column(indicator: str, model: str, decimals: int = 1) -> Column:
        return _by(results, "branch_code", indicator, decimals, model=model)

    columns = {
        "Branche": lambda code: labels[code],
        f"Erreur à {years} de la méthode (%)": column("smape_pct_at_step", "panel"),
        f"Erreur à {years} de « dernière valeur » (%)": column("smape_pct_at_step", "naive"),
        "Dans l’intervalle à 80 % (%)": column("coverage_80_pct_at_step", "panel", 0),
    }
    branches = sorted(errors["branch_code"], key=lambda code: labels[code])
    return pieces.table(WORDS.branches_table(), columns, branches)


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
    facts = (LEVELS, NEEDS_MODELS, [years[0], years[-1]], worse, is_close)
    return pieces.findings(WORDS.needs_findings(number, interval, *facts))


def needs_table(results: Results) -> Html:
    """Return errors of employment and net creation projected from 2008, by rule."""

    def column(model: str) -> Column:
        return lambda row: _number(results, row[1], level=row[0], model=model)

    columns: dict[str, Column] = {
        "Mesure (en %)": lambda row: f"{MEASURES[row[1]]}, {LEVELS[row[0]]}"
    }
    columns |= {name: column(model) for model, name in NEEDS_MODELS.items()}
    return pieces.table(WORDS.needs_table(), columns, product(LEVELS, MEASURES))


def needs_coverage_table(results: Results) -> Html:
    """Return how often the 80 % interval held in each year after 2008."""
    columns: dict[str, Column] = {"Année": str}
    for level, label in LEVELS.items():
        columns[f"{label} (en %)"] = _by(
            results, "year", "needs_coverage_by_year_pct", 0, level=level
        )
    years = _years(results)
    return pieces.table(WORDS.needs_coverage_table(), columns, years) if years else Html("")


def ages_table(results: Results) -> Html:
    """Return errors of heads by age five years after 2013, by rule."""

    def column(indicator: str, decimals: int = 1, **chosen: str) -> Column:
        return _by(results, "age_band", indicator, decimals, **chosen)

    columns: dict[str, Column] = {"Âge": lambda band: BANDS[band]}
    for model, name in AGE_MODELS.items():
        columns[f"{name} (écart, %)"] = column("age_error_pct", model=model)
    columns |= {
        "Méthode de l’étude (biais, %)": column("age_bias_pct", model="study"),
        "Dans l’intervalle à 80 % (%)": column("age_coverage_pct", 0),
    }
    return pieces.table(WORDS.ages_table(), columns, BANDS)


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


def _steps(results: Results) -> list[int]:
    """Return the distances scored, in years."""
    steps = select(results[TABLE], "mase", model="panel")["horizon_years"]
    return sorted(int(step) for step in steps if step > 0)


def _years(results: Results) -> list[int]:
    """Return the years in which projected needs are judged."""
    years = select(results[TABLE], "needs_coverage_by_year_pct", level="metier")["year"]
    return sorted(int(year) for year in years)
