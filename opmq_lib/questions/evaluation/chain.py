"""Chain of `11_evaluation`."""

import pandas as pd

from opmq_lib.methods import forecast
from opmq_lib.methods.forecast import evaluation
from opmq_lib.methods.needs import backtests
from opmq_lib.methods.needs.cohorts import BAND_YEARS
from opmq_lib.params import EditionParams
from opmq_lib.questions.shared import (
    ALL_BRANCHES,
    Tables,
    in_field,
    national_levels,
    without_residual,
)
from opmq_lib.tables import check, indicators

RETROSPECT_YEARS = 10


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
        series, by step and by cut-off year; of needs: employment from 2008, ages from 2013,
        departures beside declared retirements; errors weighed by each estimated branch's métiers,
        `evaluation.BRANCH_YEARS` ahead at most: national métiers are too short for more; national
        employment of the families drawn) and `evaluation_retrospective` (the projection
        of those families as it would have been made ten years before the base year).
    """
    national, base = inputs["employment_national"], edition.base_year
    panel = evaluation.national_panel(national, base)
    scored = evaluation.past_accuracy(panel, horizon_years)
    parts = [*evaluation.accuracy_rows(scored, base), *_needs_scores(inputs, panel, base)]
    if not jobs.empty:
        levels = without_residual(indicators.select(jobs, "employment_headcount"))
        estimated = levels[levels["nature"].eq("estimate") & levels["origin"].eq("public")]
        near = min(horizon_years, evaluation.BRANCH_YEARS)
        met = scored if near == horizon_years else evaluation.past_accuracy(panel, near)
        parts.append(evaluation.branch_accuracy(met, estimated, near))
    families = in_field(inputs, inputs["metiers"]).query("scope == 'industry' and level == 'fap87'")
    shown = national[national["metier_code"].isin(families["metier_code"])]
    shown = shown[shown["year"] <= base].assign(branch_code=ALL_BRANCHES, origin="public")
    parts.append(national_levels(shown))
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


def _needs_scores(inputs: Tables, panel: pd.DataFrame, base_year: int) -> list[pd.DataFrame]:
    """Return how needs would have done in the past; nothing where the base year is too early."""
    ages = inputs["age_structure"]
    if base_year < backtests.AGES_ORIGIN + BAND_YEARS:
        return []
    return backtests.score_rows(
        backtests.employment_errors(panel),
        backtests.age_errors(ages),
        backtests.retirement_check(ages, inputs["exit_rates"], inputs["exit_reasons"]),
        base_year,
    )
