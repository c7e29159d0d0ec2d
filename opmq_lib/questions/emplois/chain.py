"""Chain of `01_emplois`."""

import numpy as np
import pandas as pd

from opmq_lib.methods import employment
from opmq_lib.methods.employment import measures
from opmq_lib.methods.forecast import evaluation
from opmq_lib.methods.needs import qualifications
from opmq_lib.params import EditionParams
from opmq_lib.questions.shared import (
    Tables,
    branch_employment,
    estimate,
    projected_employment,
    seed_tables,
    without_residual,
)
from opmq_lib.tables import check, indicators

PROJECTION_STEPS = (5, 10)


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
    metiers = without_residual(jobs)
    projections, _ = projected_employment(inputs, metiers, horizon_years, edition)
    parts = [published_headcount(inputs["branch_headcount"], branch_code)]
    if not jobs.empty:
        parts += [
            measures.levels(jobs),
            *([measures.shares(jobs)] if len(jobs) > len(metiers) else []),
            measures.changes(metiers),
            measures.intervals(projections, [*PROJECTION_STEPS, horizon_years]),
        ]
    if not metiers.empty:
        levels = edition.quantile_levels
        parts += [
            qualifications.structure_rows(metiers),
            qualifications.projection_rows(metiers, projections, horizon_years, levels),
        ]
    if (jobs["nature"] == "estimate").any():
        parts += [
            _closure(inputs, edition.base_year),
            _sensitivity(inputs, branch_code, edition.base_year),
        ]
    table = indicators.stack(parts, branch_code, "emplois")
    explained = table.iloc[:0]
    if not metiers.empty:
        panel = evaluation.learning_panel(metiers, inputs["employment_national"], edition.base_year)
        why = evaluation.explanations(metiers, panel, horizon_years)
        explained = indicators.stack([why], branch_code, "emplois_explications")
    return {
        "emplois": table,
        "emplois_projections": check("projection", projections, "emplois_projections"),
        "emplois_explications": explained,
        "chiffres_cles": _key_figures(table),
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


def _closure(inputs: Tables, base_year: int) -> pd.DataFrame:
    margins = employment.margins_check(
        estimate(inputs, base_year),
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
        seed_tables(inputs), inputs["employment_national"], inputs["branch_headcount"], base_year
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


def _key_figures(table: pd.DataFrame) -> pd.DataFrame:
    """Return the published headcount and the largest métier's employment, for the home page."""
    levels = without_residual(indicators.select(table, "employment_headcount"))
    largest = indicators.largest_first(indicators.last_year(levels)).head(1)
    return pd.concat([indicators.select(table, "branch_headcount"), largest], ignore_index=True)
