"""Steps of `02_besoins`: how many posts to fill, why, when, and under which scenario."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from opmq_lib.methods import needs, tension
from opmq_lib.methods.employment import measures
from opmq_lib.methods.needs import scenarios as sets
from opmq_lib.methods.needs import summary
from opmq_lib.methods.needs.ages import centre_year
from opmq_lib.methods.needs.cohorts import BAND_YEARS
from opmq_lib.methods.needs.intentions import recruitment_projects
from opmq_lib.methods.needs.official import official_rows
from opmq_lib.params import EditionParams, ScenarioParams
from opmq_lib.questions import shared
from opmq_lib.questions.competences.chain import metier_certifications, metier_profiles
from opmq_lib.questions.emplois import chain as emplois
from opmq_lib.questions.shared import Tables
from opmq_lib.tables import check, indicators

NEAR_YEARS = 5
DELAY_YEARS, LATER = 1.0, "later_pension"
"""Pension-age variant: everybody leaves a year later. An example, not voted; no law is meant."""

LEVELS = (indicators.LOW, indicators.MIDDLE, indicators.HIGH)


def jobs(inputs: Tables, branch_code: str, edition: EditionParams) -> pd.DataFrame:
    """Return employment of the branch's métiers by year: its own table, else the estimate.

    Returns:
        Rows of the `employment` contract, in heads, without the rest of the branch; none when the
        branch has no headcount.
    """
    return shared.without_residual(shared.branch_employment(inputs, branch_code, edition.base_year))


def future(
    inputs: Tables, jobs: pd.DataFrame, horizon_years: int, edition: EditionParams
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return projected employment, and by how much families moved it, as `01_emplois` does."""
    return emplois.future(jobs, emplois.panel(inputs, jobs, edition), horizon_years, edition)


def ages(inputs: Tables, edition: EditionParams) -> pd.DataFrame:
    """Return heads by métier and age: national up to the base year, and those of branches.

    Returns:
        `branch_code` (empty: the whole country), `metier_code, period, age_band,
        employment_headcount, origin`.
    """
    columns = ["branch_code", "metier_code", "period", "age_band", "employment_headcount", "origin"]
    national = shared.studied(inputs, "age_structure").assign(branch_code="", origin="public")
    national = national[national["period"].map(centre_year) <= edition.base_year]
    parts = [national, inputs["own_branch_ages"]]
    return pd.concat([part[columns] for part in parts if not part.empty], ignore_index=True)


def rates(ages: pd.DataFrame, horizon_years: int) -> pd.DataFrame:
    """Return the share of each age band still in work five years later, by métier and step.

    Returns:
        What `needs.learn_rates` learns from national ages: change a `survival_ratio` to see what
        it does to the posts.
    """
    return needs.learn_rates(ages[ages["branch_code"] == ""], -(-horizon_years // BAND_YEARS))


def posts(  # noqa: PLR0913 - one argument per step
    inputs: Tables,
    jobs: pd.DataFrame,
    future: pd.DataFrame,
    ages: pd.DataFrame,
    rates: pd.DataFrame,
    scenarios: Sequence[ScenarioParams],
) -> pd.DataFrame:
    """Return posts to fill and their causes, in five years and at the horizon.

    Args:
        inputs: Gives the industry group of each branch.
        jobs: From `jobs`.
        future: From `future`; its last year is the horizon.
        ages: From `ages`.
        rates: From `rates`.
        scenarios: The first is the reference.

    Returns:
        Rows of the `needs` contract under each scenario, then, as scenario `LATER`, if everybody
        left `DELAY_YEARS` later under the reference; no row without employment.
    """
    if jobs.empty:
        return pd.DataFrame(columns=list(needs.COLUMNS))
    base = int(jobs["year"].max())
    last = int((future["year"] - future["cutoff_year"]).max())
    horizons = sorted({min(NEAR_YEARS, last), last})
    given = needs.Assumptions(
        projections=future,
        rates=rates,
        totals=bool(jobs.groupby("metier_code")["year"].max().eq(base).all()),
    )
    nodes = jobs[["branch_code", "metier_code"]].drop_duplicates()
    cases = [
        replace(
            given,
            scenario_code=scenario.scenario_code,
            effects=sets.effects([scenario], nodes, inputs["branches"], base, horizons),
        )
        for scenario in scenarios
    ]
    cases.append(replace(given, scenario_code=LATER, delay_years=DELAY_YEARS))
    tables = [needs.posts_to_fill(jobs, ages, horizons, LEVELS, case) for case in cases]
    return pd.concat(tables, ignore_index=True)


def results(  # noqa: PLR0913 - one argument per step
    inputs: Tables,
    branch_code: str,
    edition: EditionParams,
    scenarios: Sequence[ScenarioParams],
    jobs: pd.DataFrame,
    ages: pd.DataFrame,
    moved: pd.DataFrame,
    posts: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Return the result tables of a branch, from those of the steps above.

    Returns:
        `besoins` (indicators: posts to fill with their two causes by métier and horizon, of the
        reference, and by `variant` of the other scenarios and the pension-age variant; ages,
        entries and imbalance, employment and tension, coherence, and recruitment projects, the
        other layer), `besoins_projections` (long table of contract `needs`), `besoins_scenarios`
        (what each scenario changes, line by line), `besoins_profils` (main skills of each métier).
    """
    codes = list(dict.fromkeys(indicators.codes(jobs)))
    parts = []
    if not jobs.empty:
        reference, *others = posts["scenario_code"].unique()
        of_reference = summary.interval_rows(posts[posts["scenario_code"] == reference])
        levels = measures.levels(indicators.last_year(jobs))
        parts = [
            of_reference,
            *(
                summary.interval_rows(posts[posts["scenario_code"] == code], code)
                for code in others
            ),
            summary.entry_rows(of_reference, inputs["own_branch_entries"], jobs["year"].max()),
            summary.age_rows(jobs, ages),
            levels,
            summary.total_row(levels),
            _tension(inputs, codes),
            metier_certifications(inputs, branch_code, codes, edition.edition_date.year),
            summary.adjustment_rows(moved, codes, posts["year"].max()),
        ]
    projections = posts[posts["scenario_code"] != LATER]
    return {
        "besoins": indicators.stack([*parts, _projects(inputs)], branch_code, "besoins"),
        "besoins_projections": check("needs", projections, "besoins_projections"),
        "besoins_profils": metier_profiles(inputs, branch_code, codes),
        "besoins_scenarios": check("scenario_lines", sets.line_table(scenarios), "scenarios"),
    }


def official(inputs: Tables, jobs: pd.DataFrame) -> pd.DataFrame:
    """Return the official projections of the families of the branch's métiers.

    Args:
        inputs: The study's input tables.
        jobs: From `jobs`.

    Returns:
        `besoins_officiels`: indicators by family, of the whole economy (`official.official_rows`).
    """
    rows = official_rows(inputs["official_projections"], jobs["metier_code"])
    branch = str(jobs["branch_code"].iloc[0]) if len(jobs) else shared.ALL_BRANCHES
    return indicators.stack([rows], branch, "besoins_officiels")


def consolidation(besoins: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return posts to fill of all branches, for `10_consolidation`.

    Args:
        besoins: The `besoins` tables of all branches, one under the other; may be empty.

    Returns:
        `consolidation_besoins`: indicators; by branch, the three quantities over all its métiers
        under every scenario; by métier, their sums over the branches (without interval: branches
        share the same errors).
    """
    name = "consolidation_besoins"
    if besoins.empty:
        empty = pd.DataFrame(columns=["year", "indicator", "unit", *indicators.BLANK])
        return {name: indicators.stack([empty], shared.ALL_BRANCHES, name)}
    rows = indicators.select(besoins, *needs.QUANTITIES)
    is_whole = rows["metier_code"] == indicators.ALL_METIERS
    reference = indicators.where(rows[~is_whole], variant="")
    by = ["metier_code", "year", "indicator", "unit", "nature"]
    sums = reference.groupby(by)["value"].sum(min_count=1).reset_index()
    sums["origin"] = "own" if (reference["origin"] == "own").any() else "public"
    parts = [rows[is_whole].drop(columns="units_count"), sums]
    return {name: indicators.stack(parts, shared.ALL_BRANCHES, name)}


def _tension(inputs: Tables, metier_codes: Sequence[str]) -> pd.DataFrame:
    table = inputs["tension"]
    known = tension.published_index(table[table["metier_code"].isin(metier_codes)])
    return indicators.select(known, "tension_class").assign(source_code="dares_tensions")


def _projects(inputs: Tables) -> pd.DataFrame:
    table = shared.in_field(inputs, inputs["recruitment_intentions"])
    rows = recruitment_projects(table[table["nomenclature"] == "FAP-2009"])
    return rows.drop(columns="nomenclature").assign(
        region_code=indicators.WHOLE_COUNTRY, source_code="ft_bmo"
    )
