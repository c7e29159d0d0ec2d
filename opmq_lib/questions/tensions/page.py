"""Section of `03_tensions`: which métiers are under tension nationally, and why."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from opmq_lib.methods.tension.branch import LEAST_COVERAGE
from opmq_lib.methods.tension.published import CLASS, INDEX
from opmq_lib.show import figures, french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.columns import FACTORS
from opmq_lib.tables.indicators import codes, largest_first, row_of, select

WORDS = words(__package__)
TABLE = "tensions"
PROJECTS, HARD = "recruitment_projects_count", "hard_to_fill_share_pct"
SHOWN, HIGHEST_CLASS = 10, 5
COMPONENTS = {
    "hard_to_fill_share": "Difficulté (z)",
    "offers_per_seeker_ratio": "Offres par demandeur (z)",
    "exit_rate": "Sorties (z)",
}


def facts(results: Results) -> Any:
    """Return what the words depend on: the years, and what ranks the métiers."""
    table = results[TABLE]
    levels, surveys = select(table, "employment_headcount"), select(table, PROJECTS)["year"]
    return SimpleNamespace(
        year=int(select(table, INDEX)["year"].max()),
        first_survey=int(surveys.min()),
        last_survey=int(surveys.max()),
        is_national=levels.empty,
        is_observed=bool((levels["nature"] == "observed").all()),
    )


def banner(results: Results) -> Html:
    """Return what must be known before any figure of tension."""
    return pieces.banner(WORDS.banner(facts(results)))


def findings(results: Results, labels: Labels) -> Html:
    """Return which of the largest métiers are in the highest class, and what is missing."""
    graded = _graded(results).reindex(_largest(results))

    def named(chosen: pd.Series) -> list[str]:
        return [f"« {labels[code]} »" for code in graded.index[chosen]]

    high, short, hard = (
        named(graded[name] == HIGHEST_CLASS)
        for name in (CLASS, "labour_shortage", "hard_working_conditions")
    )
    without = named(graded[INDEX].isna())
    return pieces.findings(WORDS.findings(facts(results), high, short, hard, without))


def ranking_figure(
    results: Results, labels: Labels, metiers: Sequence[str] = (), ax: Axes | None = None
) -> Figure | Html:
    """Draw the published index of the largest métiers, or of those given, highest first."""
    graded = _graded(results).dropna(subset=[INDEX, CLASS])
    largest = graded[graded.index.isin(_largest(results))]
    rows = pieces.chosen((graded if metiers else largest).reset_index(), metiers, SHOWN)
    if rows.empty:
        return pieces.banner(WORDS.no_index())
    rows = rows.sort_values([INDEX, "metier_code"], ascending=[False, True])
    text = WORDS.ranking_figure(facts(results), labels[codes(rows)[0]])
    return figures.tension_ranking(rows, labels, text, ax)


def factors_table(results: Results, labels: Labels, count: int = SHOWN) -> Html:
    """Return index, class and the six factors of the largest métiers."""
    f, cells = facts(results), Cells(TABLE, results[TABLE])

    def column(name: str, decimals: int = 0) -> Any:
        return lambda code: cells.number(row_of(cells.table, name, code, f.year), decimals)

    columns = {
        "Métier (FAP-2009)": labels.__getitem__,
        "Indice": column(INDEX, 2),
        "Classe (1 à 5)": column(CLASS),
        **{label: column(name) for name, label in FACTORS.items()},
    }
    return pieces.table(WORDS.factors_table(f), columns, _largest(results)[:count])


def intentions_table(results: Results, labels: Labels) -> Html:
    """Return recruitment projects of the first survey for the métiers shown (FAP-2009)."""
    year = facts(results).first_survey
    text = WORDS.intentions_table(year, "FAP-2009, métiers ci-dessus")
    return _intentions(results, labels, _largest(results), year, text)


def latest_intentions_table(results: Results, labels_2021: Labels) -> Html:
    """Return recruitment projects of the last survey for the largest métiers (FAP-2021)."""
    year = facts(results).last_survey
    projects = select(results[TABLE], PROJECTS, year=year)
    largest = projects.sort_values(["lower", "metier_code"], ascending=[False, True])
    text = WORDS.intentions_table(year, "FAP-2021, industrie")
    return _intentions(results, labels_2021, codes(largest)[:SHOWN], year, text)


def branch_composition(results: Results) -> Html:
    """Return the composition of national tensions by the branch's métiers, with its coverage."""
    cells = Cells(TABLE, results[TABLE])
    row = row_of(cells.table, "branch_tension_index")
    if row is None:
        return pieces.findings(WORDS.no_composition())
    value, low, high = (
        None if cells.read(row, column) is None else cells.show(row, _two_decimals, column)
        for column in ("value", "lower", "upper")
    )
    covered = cells.percent(row_of(cells.table, "branch_tension_coverage_pct"))
    return pieces.findings(WORDS.composition(value, low, high, covered, 100 * LEAST_COVERAGE))


def profiles_table(results: Results, labels: Labels) -> Html:
    """Return why the largest métiers are in tension, one line per profile, and what is often done.

    Profiles are conventions of the project read from the published factors, no official typology.
    """
    table, profiles = results[TABLE], results["profils"].set_index("profile_code")
    shown = _largest(results)
    named = {
        code: sorted({labels[each] for each in codes(rows) if each in shown})
        for code in profiles.index
        if not (rows := select(table, "tension_profile", variant=code)).empty
    }
    columns = {
        "Profil": profiles["label"].__getitem__,
        "Métiers de la branche": lambda code: " ; ".join(named[code]),
        "Ce qui se fait souvent, à discuter": profiles["practice"].__getitem__,
    }
    lines = [code for code, names in named.items() if names]
    if not lines:
        return pieces.banner(WORDS.no_profile())
    return pieces.table(WORDS.profiles_table(), columns, lines)


def regions_table(results: Results, labels: Labels, regions: Labels) -> Html:
    """Return where the largest métiers are in the two highest classes, and in how many basins."""
    cells = Cells(TABLE, results[TABLE])

    basins = select(cells.table, "high_tension_basins_share_pct")["year"]
    basins_year = "" if basins.empty else f", {int(basins.max())}"

    def column(holds: Callable[[pd.Series], pd.Series]) -> Any:
        def names(code: str) -> str:
            classes = select(cells.table, "regional_tension_class", metier_code=code)
            chosen = classes.loc[holds(classes["value"]), "region_code"]
            return ", ".join(sorted(regions[region] for region in chosen)) or "–"

        return names

    columns = {
        "Métier (FAP-2009)": labels.__getitem__,
        "Régions en classe 5": column(lambda value: value == HIGHEST_CLASS),
        "Régions en classe 4": column(lambda value: value == HIGHEST_CLASS - 1),
        "Sans classe publiée (nd)": column(pd.Series.isna),
        f"Bassins en classe 4 ou 5{basins_year}": lambda code: cells.percent(
            row_of(cells.table, "high_tension_basins_share_pct", code)
        ),
    }
    return pieces.table(WORDS.regions_table(facts(results)), columns, _largest(results))


def regional_intentions_table(results: Results, regions: Labels) -> Html:
    """Return recruitment projects of the largest métiers together, region by region."""
    table = results[TABLE]

    def column(name: str) -> Any:
        return lambda region: _exact_or_bounds(
            results, row_of(table, f"regional_{name}", region_code=region)
        )

    columns = {
        "Région": regions.__getitem__,
        "Projets de recrutement": column(PROJECTS),
        "Part jugée difficile (en %)": column(HARD),
    }
    asked = sorted(select(table, f"regional_{PROJECTS}")["region_code"], key=regions.__getitem__)
    return pieces.table(WORDS.regional_intentions_table(facts(results)), columns, asked)


def composite_values(results: Results, labels: Labels) -> Html:
    """Return the index computed from the components that the branch supplies, if it does."""
    cells = Cells(TABLE, results[TABLE])
    rows = select(cells.table, "composite_tension_index")
    if rows.empty:
        return pieces.banner(WORDS.no_component())
    code, region, year = (rows[name] for name in ("metier_code", "region_code", "year"))

    def column(name: str) -> Any:
        return lambda row: cells.number(
            row_of(cells.table, name, code[row], year[row], region_code=region[row]), 2
        )

    columns = {
        "Métier": lambda row: labels.get(code[row], code[row]),
        "Région": lambda row: region[row],
        "Indice": column("composite_tension_index"),
        **{title: column(f"composite_z_{name}") for name, title in COMPONENTS.items()},
        "Indice lissé": column("composite_tension_index_shrunk"),
        "Poids gardé": column("shrinkage_weight"),
    }
    return pieces.table(WORDS.composite_table(), columns, rows.index)


def _intentions(
    results: Results, labels: Labels, shown: Sequence[str], year: int, text: str
) -> Html:
    def column(name: str) -> Any:
        return lambda code: _exact_or_bounds(results, row_of(results[TABLE], name, code, year))

    columns = {
        "Métier": labels.__getitem__,
        "Projets de recrutement": column(PROJECTS),
        "Part jugée difficile (en %)": column(HARD),
    }
    return pieces.table(text, columns, shown)


def _exact_or_bounds(results: Results, row: int | None) -> Markup:
    cells = Cells(TABLE, results[TABLE])
    is_exact = row is None or cells.read(row) is not None
    return cells.number(row) if is_exact else cells.bounds(row)


def _two_decimals(value: float) -> str:
    return french.number(value, 2)


def _graded(results: Results) -> pd.DataFrame:
    """Return index, class and factors of the métiers, one row per métier."""
    rows = select(results[TABLE], INDEX, CLASS, *FACTORS, year=facts(results).year)
    return rows.pivot(index="metier_code", columns="indicator", values="value")


def _largest(results: Results) -> list[str]:
    """Return the métiers shown, largest in the branch (or nationally) first."""
    ranking = select(results[TABLE], "employment_headcount", "national_employment_headcount")
    return codes(largest_first(ranking))[:SHOWN]
