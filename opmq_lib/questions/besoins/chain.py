"""Chain of `02_besoins`."""

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
from opmq_lib.params import EditionParams, ScenarioParams
from opmq_lib.questions.competences.chain import metier_certifications, metier_profiles
from opmq_lib.questions.shared import (
    ALL_BRANCHES,
    Tables,
    branch_employment,
    in_field,
    projected_employment,
    without_residual,
)
from opmq_lib.tables import check, indicators

NEAR_YEARS = 5
DELAY_YEARS = 1.0
"""Pension-age variant: everybody leaves a year later. An example, not voted; no law is meant."""

LEVELS = (indicators.LOW, indicators.MIDDLE, indicators.HIGH)


def needs_results(
    inputs: Tables,
    scenarios: Sequence[ScenarioParams],
    branch_code: str,
    horizon_years: int,
    edition: EditionParams,
) -> dict[str, pd.DataFrame]:
    """Return the result tables of `02_besoins` for one branch.

    Args:
        inputs: The study's input tables.
        scenarios: The scenarios of the edition; the first is the reference.
        branch_code: Key of table `branches`.
        horizon_years: Longest horizon after the last observed year; five years come before.
        edition: Gives the base year and the quantile levels.

    Returns:
        `besoins` (indicators: posts to fill with their two causes by métier, horizon and scenario,
        the pension-age variant, ages, entries and imbalance, employment and tension, coherence,
        and recruitment projects, the other layer), `besoins_projections` (long table of contract
        `needs`), `besoins_scenarios` (what each scenario changes, line by line), `besoins_profils`
        (main skills of each métier).
    """
    jobs = without_residual(branch_employment(inputs, branch_code, edition.base_year))
    projections = pd.DataFrame(columns=list(needs.COLUMNS))
    parts = []
    codes = list(dict.fromkeys(indicators.codes(jobs)))
    if not jobs.empty:
        base = int(jobs["year"].max())
        horizons = sorted({min(NEAR_YEARS, horizon_years), horizon_years})
        future, moved = projected_employment(inputs, jobs, horizon_years, edition)
        ages = all_ages(inputs, edition.base_year)
        national = ages[ages["branch_code"] == ""]
        given = needs.Assumptions(
            projections=future,
            rates=needs.learn_rates(national, -(-horizon_years // BAND_YEARS)),
            totals=bool(jobs.groupby("metier_code")["year"].max().eq(base).all()),
        )
        tables = scenario_tables(inputs, scenarios, jobs, ages, horizons, given)
        later = needs.posts_to_fill(
            jobs, ages, horizons, LEVELS, replace(given, delay_years=DELAY_YEARS)
        )
        projections = pd.concat(tables, ignore_index=True)
        levels = measures.levels(indicators.last_year(jobs))
        reference = summary.interval_rows(tables[0])
        parts = [
            reference,
            *(
                summary.interval_rows(table, f".{scenario.scenario_code}")
                for scenario, table in zip(scenarios[1:], tables[1:], strict=True)
            ),
            summary.interval_rows(later, ".later_pension"),
            summary.entry_rows(reference, inputs["own_branch_entries"], base),
            summary.age_rows(jobs, ages),
            levels,
            summary.total_row(levels),
            _tension(inputs, jobs),
            metier_certifications(inputs, branch_code, codes, edition.edition_date.year),
            summary.adjustment_rows(moved, indicators.codes(jobs), base + horizon_years),
        ]
    parts.append(_projects(inputs))
    return {
        "besoins": indicators.stack(parts, branch_code, "besoins"),
        "besoins_projections": check("needs", projections, "besoins_projections"),
        "besoins_profils": metier_profiles(inputs, branch_code, codes),
        "besoins_scenarios": check("scenario_lines", sets.line_table(scenarios), "scenarios"),
    }


def scenario_tables(  # noqa: PLR0913 - one argument per table
    inputs: Tables,
    scenarios: Sequence[ScenarioParams],
    jobs: pd.DataFrame,
    ages: pd.DataFrame,
    horizons: Sequence[int],
    given: needs.Assumptions,
) -> list[pd.DataFrame]:
    """Return posts to fill under each scenario, rows of the `needs` contract."""
    nodes = jobs[["branch_code", "metier_code"]].drop_duplicates()
    base = int(jobs["year"].max())
    return [
        needs.posts_to_fill(
            jobs,
            ages,
            horizons,
            LEVELS,
            replace(
                given,
                scenario_code=scenario.scenario_code,
                effects=sets.effects([scenario], nodes, inputs["branches"], base, horizons),
            ),
        )
        for scenario in scenarios
    ]


def needs_consolidation(besoins: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return posts to fill of all branches, for `10_consolidation`.

    Args:
        besoins: The `besoins` tables of all branches, one under the other; may be empty.

    Returns:
        `consolidation_besoins`: indicators; by branch, the three quantities over all its métiers
        under every scenario; by métier, their sums over the branches (without interval: branches
        share the same errors).
    """
    columns = list(indicators.BLANK)
    if besoins.empty:
        empty = pd.DataFrame(columns=["year", "indicator", "unit", *columns])
        return {"consolidation_besoins": indicators.stack([empty], ALL_BRANCHES, "besoins")}
    quantity = besoins["indicator"].str.partition(".")[0]
    rows = besoins[quantity.isin(needs.QUANTITIES)]
    whole = rows[rows["metier_code"] == indicators.ALL_METIERS]
    reference = rows[
        (rows["metier_code"] != indicators.ALL_METIERS) & rows["indicator"].isin(needs.QUANTITIES)
    ]
    by = ["metier_code", "year", "indicator", "unit", "nature"]
    sums = reference.groupby(by)["value"].sum(min_count=1).reset_index()
    sums["origin"] = "own" if (reference["origin"] == "own").any() else "public"
    return {
        "consolidation_besoins": indicators.stack(
            [whole.drop(columns="units_count"), sums], ALL_BRANCHES, "consolidation_besoins"
        )
    }


def all_ages(inputs: Tables, base_year: int) -> pd.DataFrame:
    """Return national ages up to a year (`branch_code` empty) and those that branches supply."""
    columns = ["branch_code", "metier_code", "period", "age_band", "employment_headcount", "origin"]
    national = inputs["age_structure"].assign(branch_code="", origin="public")
    national = national[national["period"].map(centre_year) <= base_year]
    parts = [national, inputs["own_branch_ages"]]
    return pd.concat([part[columns] for part in parts if not part.empty], ignore_index=True)


def _tension(inputs: Tables, jobs: pd.DataFrame) -> pd.DataFrame:
    table = inputs["tension"]
    known = tension.published_index(table[table["metier_code"].isin(jobs["metier_code"])])
    classes = indicators.select(known, "tension_class")
    return classes.assign(source_code="dares_tensions")


def _projects(inputs: Tables) -> pd.DataFrame:
    table = in_field(inputs, inputs["recruitment_intentions"])
    found = recruitment_projects(table[table["nomenclature"] == "FAP-2009"])
    return found.drop(columns="nomenclature").assign(
        region_code=indicators.WHOLE_COUNTRY, source_code="ft_bmo"
    )
