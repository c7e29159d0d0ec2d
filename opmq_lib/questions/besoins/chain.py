"""Steps of `02_besoins`: how many posts to fill, why, when, and under which scenario."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from opmq_lib.errors import RangeError
from opmq_lib.methods import needs
from opmq_lib.methods.employment import measures
from opmq_lib.methods.needs import scenarios as sets
from opmq_lib.methods.needs import summary
from opmq_lib.methods.needs.ages import centre_year
from opmq_lib.methods.needs.cohorts import BAND_YEARS
from opmq_lib.methods.needs.intentions import recruitment_projects
from opmq_lib.methods.needs.official import official_rows
from opmq_lib.methods.needs.rates import observed_rates
from opmq_lib.methods.tension import published
from opmq_lib.params import EditionParams, ScenarioParams
from opmq_lib.questions import shared
from opmq_lib.questions.competences.chain import metier_certifications, metier_profiles
from opmq_lib.questions.emplois import chain as emplois
from opmq_lib.questions.shared import Tables
from opmq_lib.tables import check, indicators
from opmq_lib.tables.fap import FAMILY_LENGTH

DELAY_YEARS, LATER = 1.0, "later_pension"
"""Pension-age variant: everybody leaves a year later in life, from the year from which posts are
counted. An example, not voted; no law is meant."""

OBSERVED = "observed_rates"
"""Variant: from the base year on people leave at the rates last observed, without their trend."""

VARIANTS = (LATER, OBSERVED)

LEVELS = (indicators.LOW, indicators.MIDDLE, indicators.HIGH)


def jobs(inputs: Tables, branch_code: str, edition: EditionParams) -> pd.DataFrame:
    """Return employment of the branch's métiers by year: its own table, else the estimate.

    Returns:
        Rows of the `employment` contract, in heads, the rest of the branch as `autres_metiers`;
        none when the branch has no headcount.
    """
    return shared.branch_employment(inputs, branch_code, edition.base_year)


def future(
    inputs: Tables, jobs: pd.DataFrame, horizon_years: int, edition: EditionParams
) -> pd.DataFrame:
    """Return projected employment, as `01_emplois` does."""
    panel = emplois.panel(inputs, jobs, edition)
    rule = emplois.rule(inputs, panel, horizon_years, edition)
    return emplois.future(jobs, panel, rule, horizon_years, edition)


def ages(inputs: Tables, edition: EditionParams) -> pd.DataFrame:
    """Return heads by métier and age: national up to the base year, and those of branches.

    Returns:
        `branch_code` (empty: the whole country), `metier_code` (and families, the sums of their
        métiers), `period, age_band, employment_headcount, origin`.
    """
    columns = ["branch_code", "metier_code", "period", "age_band", "employment_headcount", "origin"]
    metiers = inputs["age_structure"]
    family = metiers["metier_code"].str[:FAMILY_LENGTH]
    by = [family, metiers["period"], metiers["age_band"]]
    families = metiers["employment_headcount"].groupby(by).sum().reset_index()
    is_family = families["metier_code"] != indicators.ALL_METIERS
    national = pd.concat([metiers, families[is_family]]).assign(branch_code="", origin="public")
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
    edition: EditionParams,
) -> pd.DataFrame:
    """Return posts to fill and their causes, from the year of the edition to the horizon.

    Args:
        inputs: Gives the industry group of each branch.
        jobs: From `jobs`; of several branches, sums over them are added, as branch `ensemble`.
        future: From `future`; its last year is the horizon.
        ages: From `ages`.
        rates: From `rates`.
        scenarios: The first is the reference.
        edition: Gives the year from which posts are counted: what is over is no need.

    Returns:
        Rows of the `needs` contract under each scenario, then, under the reference, as scenario
        `LATER` if everybody left `DELAY_YEARS` later, and as `OBSERVED` at the rates last observed;
        no row without employment.

    Raises:
        RangeError: If the horizon is not after the year of the edition.
    """
    if jobs.empty:
        return pd.DataFrame(columns=list(needs.COLUMNS))
    base, end = int(jobs["year"].max()), int(future["year"].max())
    start = max(base, edition.edition_date.year)
    if end <= start:
        fix = f"ask for {start + 1 - base} or more"
        raise RangeError.of("horizon_years", f"projections end in {end}", f"after {start}", fix)
    metiers = shared.without_residual(jobs)
    given = needs.Assumptions(
        projections=future,
        rates=rates,
        counted_from=start,
        branches=jobs,
        totals=bool(metiers.groupby("metier_code")["year"].max().le(start).all()),
    )
    nodes = metiers[["branch_code", "metier_code"]].drop_duplicates()
    cases = [
        replace(
            given,
            scenario_code=scenario.scenario_code,
            effects=sets.effects([scenario], nodes, inputs["branches"], start, [end - start]),
        )
        for scenario in scenarios
    ]
    observed = observed_rates(ages[ages["branch_code"] == ""])
    pyramids = ages[ages["metier_code"].isin(nodes["metier_code"])]
    cases.append(replace(given, scenario_code=LATER, delay_years=DELAY_YEARS))
    cases.append(replace(given, scenario_code=OBSERVED, rates=observed))
    tables = [needs.posts_to_fill(metiers, pyramids, end - start, LEVELS, case) for case in cases]
    return pd.concat(tables, ignore_index=True)


def results(  # noqa: PLR0913 - one argument per step
    inputs: Tables,
    branch_code: str,
    edition: EditionParams,
    scenarios: Sequence[ScenarioParams],
    jobs: pd.DataFrame,
    ages: pd.DataFrame,
    posts: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Return the result tables of a branch, from those of the steps above.

    Returns:
        `besoins` (indicators: posts to fill with their two causes by métier, in heads and per 100
        jobs a year, of the reference, and by `variant` of the other scenarios, the pension-age
        variant and the rates last observed; ages, entries and imbalance, employment and tension,
        and recruitment projects, the other layer), `besoins_projections` (long table of
        contract `needs`), `besoins_scenarios`
        (what each scenario changes, line by line), `besoins_profils` (main skills of each métier).
    """
    last, jobs = indicators.last_year(jobs), shared.without_residual(jobs)
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
            summary.entry_rows(
                of_reference, inputs["own_branch_entries"], posts["start_year"].max()
            ),
            summary.age_rows(jobs, ages),
            levels,
            summary.total_row(last, last["metier_code"].isin(levels["metier_code"])),
            _tension(inputs, codes),
            metier_certifications(inputs, branch_code, codes, edition.edition_date.year),
        ]
    projections = posts[~posts["scenario_code"].isin(VARIANTS)].drop(columns="best_grade")
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
    metiers = shared.without_residual(jobs)
    rows = official_rows(inputs["official_projections"], metiers["metier_code"])
    branch = str(jobs["branch_code"].iloc[0]) if len(jobs) else shared.ALL_BRANCHES
    return indicators.stack([rows], branch, "besoins_officiels")


def consolidation(
    inputs: Tables, edition: EditionParams, besoins: pd.DataFrame, emplois: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return posts to fill of all branches, for `10_consolidation`.

    Args:
        inputs: Gives national series and ages: sums over branches are drawn again with them.
        edition: Gives the horizon, and the year from which posts are counted.
        besoins: The `besoins` tables of all branches, one under the other; may be empty.
        emplois: Their `emplois` tables.

    Returns:
        `consolidation_besoins`: indicators; by branch, the quantities over all its métiers under
        every scenario; by métier and in all, their sums over the branches (branch `ensemble`),
        with the interval of draws that branches share.
    """
    name = "consolidation_besoins"
    if besoins.empty:
        empty = pd.DataFrame(columns=["year", "indicator", "unit", *indicators.BLANK])
        return {name: indicators.stack([empty], shared.ALL_BRANCHES, name)}
    rows = indicators.select(besoins, *needs.QUANTITIES, *needs.RATES)
    parts = [rows[rows["metier_code"] == indicators.ALL_METIERS].drop(columns="units_count")]
    levels = indicators.select(emplois, "employment_headcount").dropna(subset=["value"])
    if len(set(levels["branch_code"])) > 1:
        parts.append(_over_branches(inputs, edition, levels))
    return {name: indicators.stack(parts, shared.ALL_BRANCHES, name)}


def _over_branches(inputs: Tables, edition: EditionParams, levels: pd.DataFrame) -> pd.DataFrame:
    """Return the sums over branches as indicator rows, from their employment."""
    bounds = {end: f"employment_headcount_{end}" for end in ("lower", "upper")}
    jobs = levels.rename(columns=bounds | {"value": "employment_headcount"})
    jobs = jobs.astype({"year": "int64"})
    years, start = edition.horizon_years, edition.edition_date.year
    futures = [future(inputs, group, years, edition) for _, group in jobs.groupby("branch_code")]
    projections, pyramids = pd.concat(futures), ages(inputs, edition)
    given = needs.Assumptions(
        projections=projections,
        rates=rates(pyramids, years),
        counted_from=start,
        branches=jobs,
        totals=True,
    )
    metiers, end = shared.without_residual(jobs), edition.base_year + years
    pyramids = pyramids[pyramids["metier_code"].isin(metiers["metier_code"])]
    found = needs.posts_to_fill(metiers, pyramids, end - start, LEVELS, given)
    return summary.interval_rows(found[found["branch_code"] == shared.ALL_BRANCHES])


def _tension(inputs: Tables, metier_codes: Sequence[str]) -> pd.DataFrame:
    table = inputs["tension"]
    known = published.published_index(table[table["metier_code"].isin(metier_codes)])
    return indicators.select(known, "tension_class").assign(source_code="dares_tensions")


def _projects(inputs: Tables) -> pd.DataFrame:
    table = shared.in_field(inputs, inputs["recruitment_intentions"])
    rows = recruitment_projects(table[table["nomenclature"] == "FAP-2009"])
    return rows.drop(columns="nomenclature").assign(
        region_code=indicators.WHOLE_COUNTRY, source_code="ft_bmo"
    )
