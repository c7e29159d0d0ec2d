"""Steps of `11_evaluation`: forecasts as they would have been made, beside what happened."""

from collections.abc import Mapping

import pandas as pd

from opmq_lib.methods import forecast
from opmq_lib.methods.forecast import evaluation, projection
from opmq_lib.methods.needs import backtests
from opmq_lib.methods.needs.cohorts import BAND_YEARS
from opmq_lib.params import EditionParams
from opmq_lib.questions import shared
from opmq_lib.questions.shared import Tables
from opmq_lib.tables import check, indicators

RETROSPECT_YEARS = 10


def panel(inputs: Tables, edition: EditionParams) -> pd.DataFrame:
    """Return the national series by métier and by family, to the base year of the edition.

    Returns:
        `series_code, year, value` in heads.
    """
    national = shared.studied(inputs, "employment_national")
    return projection.national_panel(national, edition.base_year)


def branches(
    jobs: pd.DataFrame, panel: pd.DataFrame, scored: pd.DataFrame, horizon_years: int
) -> pd.DataFrame:
    """Return the errors that each estimated branch's mix of métiers would have met.

    Args:
        jobs: The `emplois` tables of all branches, one under the other; may be empty.
        panel: From `panel`.
        scored: From `evaluation.past_accuracy`.
        horizon_years: As for it; branches are scored `evaluation.BRANCH_YEARS` ahead at
            most: national métiers are too short for more.

    Returns:
        Indicator rows by branch; none without any branch.
    """
    if jobs.empty:
        return pd.DataFrame(columns=["indicator", "year", "unit"])
    levels = shared.without_residual(indicators.select(jobs, "employment_headcount"))
    estimated = levels[levels["nature"].eq("estimate") & levels["origin"].eq("public")]
    near = min(horizon_years, evaluation.BRANCH_YEARS)
    at_near = scored if near == horizon_years else evaluation.past_accuracy(panel, near)
    return evaluation.branch_accuracy(at_near, estimated, near)


def needs(inputs: Tables, panel: pd.DataFrame, edition: EditionParams) -> dict[str, pd.DataFrame]:
    """Return how posts to fill would have been projected, beside what happened.

    Returns:
        `employment` from 2008, `ages` from 2013, `retirement`: departures beside declared
        retirements (`methods.needs.backtests`); nothing where the base year is too early.
    """
    ages = shared.studied(inputs, "age_structure")
    if edition.base_year < backtests.AGES_ORIGIN + BAND_YEARS:
        return {}
    retirement = backtests.retirement_check(ages, inputs["exit_rates"], inputs["exit_reasons"])
    employment, old = backtests.employment_errors(panel), backtests.age_errors(ages)
    return {"employment": employment, "ages": old, "retirement": retirement}


def families(inputs: Tables, edition: EditionParams) -> pd.DataFrame:
    """Return national employment of the industrial families, to the base year of the edition.

    Returns:
        Heads by `metier_code` and `year`, under the branch `ensemble`.
    """
    metiers = shared.in_field(inputs, inputs["metiers"]).query(
        "scope == 'industry' and level == 'fap87'"
    )
    national = inputs["employment_national"]
    shown = national["metier_code"].isin(metiers["metier_code"])
    kept = national[shown & (national["year"] <= edition.base_year)]
    return kept.assign(branch_code=shared.ALL_BRANCHES, origin="public")


def retrospective(
    families: pd.DataFrame, panel: pd.DataFrame, edition: EditionParams
) -> pd.DataFrame:
    """Return the families' projection as it would have been made `RETROSPECT_YEARS` ago.

    Args:
        families: From `families`.
        panel: From `panel`.
        edition: Gives the base year and the scenario.

    Returns:
        Rows of the `projection` contract.
    """
    known, learnt = (
        table[table["year"] <= edition.base_year - RETROSPECT_YEARS] for table in (families, panel)
    )
    levels, scenario = forecast.QUANTILE_LEVELS, edition.scenario_codes[0]
    return projection.project(known, learnt, RETROSPECT_YEARS, levels, scenario)


def results(  # noqa: PLR0913 - one argument per step
    scored: pd.DataFrame,
    branches: pd.DataFrame,
    needs: Mapping[str, pd.DataFrame],
    families: pd.DataFrame,
    retrospective: pd.DataFrame,
    edition: EditionParams,
) -> dict[str, pd.DataFrame]:
    """Return the result tables, from those of the steps above.

    Returns:
        `evaluation` (indicators: scores of the engine and of simple methods on the national
        series, by step and by cut-off year; of needs; errors by branch; national employment of the
        families drawn) and `evaluation_retrospective`.
    """
    parts = evaluation.accuracy_rows(scored, edition.base_year)
    if needs:
        parts += backtests.score_rows(**needs, base_year=edition.base_year)
    parts += [branches] * (not branches.empty) + [shared.national_levels(families)]
    table = indicators.stack(parts, shared.ALL_BRANCHES, "evaluation")
    past = check("projection", retrospective, "evaluation_retrospective")
    return {"evaluation": table, "evaluation_retrospective": past}
