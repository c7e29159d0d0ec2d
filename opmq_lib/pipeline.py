"""Chains the rooms for one branch; every formula is in a room."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from opmq_lib import consolidation, employment, evaluation, forecast, indicators, tension
from opmq_lib.contracts import INDICATOR_COLUMNS, check
from opmq_lib.employment import measures
from opmq_lib.params import EditionParams

Tables = Mapping[str, pd.DataFrame]

ALL_BRANCHES = "ensemble"
PROJECTION_STEPS = (5, 10)
RETROSPECT_YEARS = 10


def branch_employment(inputs: Tables, branch_code: str, base_year: int) -> pd.DataFrame:
    """Return a branch's employment by métier and year: its own table if given, else the estimate.

    Args:
        inputs: The study's input tables (`sources.study.load_inputs`).
        branch_code: Key of table `branches`.
        base_year: Last year of the estimate, whose margins it closes on.

    Returns:
        Rows of the `employment` contract, in heads; none when the branch has no headcount.
    """
    own = inputs["own_employment"]
    jobs = own if (own["branch_code"] == branch_code).any() else _estimate(inputs, base_year)
    return jobs[jobs["branch_code"] == branch_code].reset_index(drop=True)


def employment_results(
    inputs: Tables, branch_code: str, horizon_years: int, edition: EditionParams
) -> dict[str, pd.DataFrame]:
    """Return the result tables of `01_emplois` for one branch.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        horizon_years: Years projected after the last year of the branch's table.
        edition: Gives the base year, the quantile levels and the scenario.

    Returns:
        `emplois` (indicators: published headcount, employment by métier and year with the range of
        the estimate's variants, shares where the table holds the whole branch, change, projection
        with its 80 % interval, closure and sensitivity), `emplois_projections` (long projections),
        `emplois_explications` (what carried each projection) and `chiffres_cles`.
    """
    jobs = branch_employment(inputs, branch_code, edition.base_year)
    metiers = _without_residual(jobs)
    panel = evaluation.learning_panel(metiers, inputs["employment_national"], edition.base_year)
    projections = evaluation.project(
        metiers, panel, horizon_years, edition.quantile_levels, edition.scenario_codes[0]
    )
    parts = [published_headcount(inputs["branch_headcount"], branch_code)]
    if not jobs.empty:
        parts += [
            measures.levels(jobs),
            *([measures.shares(jobs)] if len(jobs) > len(metiers) else []),
            measures.changes(metiers),
            forecast.intervals(projections, [*PROJECTION_STEPS, horizon_years]),
        ]
    if (jobs["nature"] == "estimate").any():
        parts += [
            _closure(inputs, edition.base_year),
            _sensitivity(inputs, branch_code, edition.base_year),
        ]
    table = indicators.stack(parts, branch_code, "emplois")
    explained = table.iloc[:0]
    if not metiers.empty:
        why = evaluation.explanations(metiers, panel, horizon_years)
        explained = indicators.stack([why], branch_code, "emplois_explications")
    return {
        "emplois": table,
        "emplois_projections": check("projection", projections, "emplois_projections"),
        "emplois_explications": explained,
        "chiffres_cles": _key_figures(table),
    }


def tension_results(
    inputs: Tables, branch_code: str, edition: EditionParams
) -> dict[str, pd.DataFrame]:
    """Return the result table of `03_tensions` for one branch.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        edition: Gives the base year.

    Returns:
        `tensions`: indicators, national: published index, class and factors of the métiers of
        the field (FAP-2009), hard-to-fill bounds of each survey (FAP-2009 in 2023, FAP-2021
        after), and the employment that ranks the métiers: the branch's where it is known,
        otherwise the national one.
    """
    jobs = branch_employment(inputs, branch_code, edition.base_year)
    metiers = indicators.last_year(_without_residual(jobs))
    ranking = _national_ranking(inputs) if metiers.empty else measures.levels(metiers)
    index = inputs["tension"]
    index = index[index["metier_code"].isin(ranking["metier_code"])]
    bounds = tension.hard_to_fill(_in_field(inputs, inputs["recruitment_intentions"]))
    parts = [
        ranking,
        tension.published_index(index).assign(source_code="dares_tension"),
        bounds.assign(
            source_code="bmo_" + bounds["year"].astype("str"),
            region_code=indicators.WHOLE_COUNTRY,
        ),
    ]
    return {"tensions": indicators.stack(parts, branch_code, "tensions")}


def consolidation_results(
    inputs: Tables, jobs: pd.DataFrame, edition: EditionParams
) -> dict[str, pd.DataFrame]:
    """Return the result table of `10_consolidation`.

    Args:
        inputs: The study's input tables.
        jobs: The `emplois` tables of all branches, one under the other; may be empty.
        edition: Gives the base year.

    Returns:
        `consolidation`: indicators; by branch its headcount, largest métier and share of each
        professional domain; by métier the number of branches where it is among the ten largest and
        the share of its national employment outside the branches.
    """
    if jobs.empty:
        return {"consolidation": pd.DataFrame(columns=list(INDICATOR_COLUMNS))}
    levels = _without_residual(indicators.select(jobs, "employment_headcount"))
    base = levels[levels["year"] == levels.groupby("branch_code")["year"].transform("max")]
    national = indicators.last_year(_without_residual(_estimate(inputs, edition.base_year)))
    parts = [
        indicators.select(jobs, "branch_headcount"),
        consolidation.largest_metiers(base, indicators.select(jobs, "employment_share_pct")),
        consolidation.domain_shares(base),
        consolidation.shared_metiers(base),
        consolidation.outside_shares(national, employment.RESIDUAL_BRANCH),
    ]
    return {"consolidation": indicators.stack(parts, ALL_BRANCHES, "consolidation")}


def evaluation_results(
    inputs: Tables, jobs: pd.DataFrame, horizon_years: int, edition: EditionParams
) -> dict[str, pd.DataFrame]:
    """Return the result tables of `11_evaluation`.

    Args:
        inputs: The study's input tables.
        jobs: The `emplois` tables of all branches, one under the other; may be empty.
        horizon_years: Years forecast from each past year.
        edition: Gives the base year and the scenario.

    Returns:
        `evaluation` (indicators: scores of the engine and of simple methods on the national
        series, by step and by cut-off year; errors weighed by each estimated branch's métiers;
        national employment of the families drawn) and `evaluation_retrospective` (the projection
        of those families as it would have been made ten years before the base year).
    """
    national, base = inputs["employment_national"], edition.base_year
    panel = evaluation.national_panel(national, base)
    scored = evaluation.past_accuracy(panel, horizon_years)
    parts = evaluation.accuracy_rows(scored, base)
    if not jobs.empty:
        levels = _without_residual(indicators.select(jobs, "employment_headcount"))
        estimated = levels[levels["nature"].eq("estimate") & levels["origin"].eq("public")]
        parts.append(evaluation.branch_accuracy(scored, estimated, horizon_years))
    families = _in_field(inputs, inputs["metiers"]).query(
        "scope == 'industry' and level == 'fap87'"
    )
    shown = national[national["metier_code"].isin(families["metier_code"])]
    shown = shown[shown["year"] <= base].assign(branch_code=ALL_BRANCHES, origin="public")
    parts.append(_national_levels(shown))
    past = evaluation.project(
        shown[shown["year"] <= base - RETROSPECT_YEARS],
        panel[panel["year"] <= base - RETROSPECT_YEARS],
        RETROSPECT_YEARS,
        forecast.QUANTILE_LEVELS,
        edition.scenario_codes[0],
    )
    return {
        "evaluation": indicators.stack(parts, ALL_BRANCHES, "evaluation"),
        "evaluation_retrospective": check("projection", past, "evaluation_retrospective"),
    }


def published_headcount(branch_headcount: pd.DataFrame, branch_code: str) -> pd.DataFrame:
    """Return the branch's published employees, or a row `nd` when no convention has a portrait.

    Args:
        branch_headcount: Employees by convention and branch, in heads.
        branch_code: Key of table `branches`.

    Returns:
        One row: `year, indicator, value, unit, source_code`.

    Examples:
        >>> table = pd.DataFrame({"branch_code": ["verre"], "year": [2020],
        ...     "employees_headcount": [100.0]})
        >>> published_headcount(table, "chaux")["value"].tolist()
        [nan]
    """
    rows = branch_headcount[branch_headcount["branch_code"] == branch_code]
    return pd.DataFrame(
        {
            "year": [int(branch_headcount["year"].max())],
            "indicator": "branch_headcount",
            "value": np.nan if rows.empty else float(rows["employees_headcount"].sum()),
            "unit": "headcount",
            "source_code": "dares_portraits_branches",
        }
    )


def _estimate(inputs: Tables, base_year: int) -> pd.DataFrame:
    estimate = employment.estimate_employment(
        _seed_tables(inputs), inputs["employment_national"], inputs["branch_headcount"], base_year
    )
    return estimate[estimate["year"] <= base_year]


def _seed_tables(inputs: Tables) -> employment.SeedTables:
    return employment.SeedTables(
        inputs["rome_naf_hires"],
        inputs["naf_branch"],
        inputs["fap_rome"],
        inputs["rome_fap_split"],
    )


def _closure(inputs: Tables, base_year: int) -> pd.DataFrame:
    margins = employment.margins_check(
        _estimate(inputs, base_year),
        inputs["employment_national"],
        inputs["branch_headcount"],
        base_year,
    )
    return pd.DataFrame(
        {
            "year": [int(inputs["branch_headcount"]["year"].max())],
            "indicator": "margin_deviation_ratio",
            "value": round(float(margins["largest_relative_deviation"].max()), 12),
            "unit": "ratio",
            "nature": "estimate",
        }
    )


def _sensitivity(inputs: Tables, branch_code: str, base_year: int) -> pd.DataFrame:
    variants = employment.sensitivity(
        _seed_tables(inputs), inputs["employment_national"], inputs["branch_headcount"], base_year
    )
    moved = employment.moved_cells(variants[variants["branch_code"] == branch_code])
    return pd.DataFrame(
        {
            "indicator": "cells_moved_share_pct." + moved["variant"],
            "year": int(inputs["branch_headcount"]["year"].max()),
            "value": moved["moved_share_pct"],
            "unit": "pct",
            "nature": "estimate",
        }
    )


def _national_ranking(inputs: Tables) -> pd.DataFrame:
    """Return national employment of the industrial métiers, FAP-225, in the last year."""
    metiers = _in_field(inputs, inputs["metiers"])
    industrial = metiers[(metiers["scope"] == "industry") & (metiers["level"] == "fap225")]
    national = indicators.last_year(inputs["employment_national"])
    return _national_levels(national[national["metier_code"].isin(industrial["metier_code"])])


def _national_levels(national: pd.DataFrame) -> pd.DataFrame:
    return national[["metier_code", "year"]].assign(
        indicator="national_employment_headcount",
        value=national["employment_headcount"],
        unit="headcount",
        source_code="dares_portraits_metiers",
    )


def _in_field(inputs: Tables, table: pd.DataFrame) -> pd.DataFrame:
    """Return rows whose métier is industry in the sense of the branches (`metiers_left_out`)."""
    key = ["nomenclature", "metier_code"]
    left_out = pd.MultiIndex.from_frame(inputs["metiers_left_out"][key])
    kept: pd.DataFrame = table.loc[~pd.MultiIndex.from_frame(table[key]).isin(left_out)]
    return kept


def _key_figures(table: pd.DataFrame) -> pd.DataFrame:
    """Return the published headcount and the largest métier's employment, for the home page."""
    levels = _without_residual(indicators.select(table, "employment_headcount"))
    largest = indicators.largest_first(indicators.last_year(levels)).head(1)
    return pd.concat([indicators.select(table, "branch_headcount"), largest], ignore_index=True)


def _without_residual(jobs: pd.DataFrame) -> pd.DataFrame:
    kept: pd.DataFrame = jobs.loc[jobs["metier_code"] != employment.RESIDUAL_METIER]
    return kept
