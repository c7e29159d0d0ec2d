"""Steps of `11_evaluation`: forecasts as they would have been made, beside what happened."""

from collections.abc import Mapping

import pandas as pd

from opmq_lib.methods import forecast, revisions
from opmq_lib.methods.forecast import evaluation, projection
from opmq_lib.methods.needs import backtests
from opmq_lib.methods.needs.ages import centre_year
from opmq_lib.methods.needs.cohorts import BAND_YEARS
from opmq_lib.params import EditionParams
from opmq_lib.questions import shared
from opmq_lib.questions.shared import Tables
from opmq_lib.sources import study
from opmq_lib.tables import check, indicators
from opmq_lib.tables.fap import NOT_CODED

RETROSPECT_YEARS = 10


def panel(inputs: Tables, edition: EditionParams) -> pd.DataFrame:
    """Return the national series by métier and by family, to the base year of the edition.

    Returns:
        `series_code, year, value` in heads.

    Examples:
        >>> from opmq_lib.sources import study
        >>> series = panel(study.load_inputs(), study.edition())
        >>> list(series), int(series["year"].max()) == study.edition().base_year
        (['series_code', 'year', 'value'], True)
    """
    return projection.national_panel(inputs["employment_national"], edition.base_year)


def field(inputs: Tables, scored: pd.DataFrame) -> pd.DataFrame:
    """Return the errors that the page speaks of: métiers of the field, and every family."""
    codes = shared.studied(inputs, "employment_national")["metier_code"]
    known = scored["level"].eq("family") & scored["series_code"].ne(NOT_CODED)
    return scored[known | scored["series_code"].isin(codes)]


def branches(jobs: pd.DataFrame, scored: pd.DataFrame) -> pd.DataFrame:
    """Return the errors that each estimated branch's mix of métiers would have met.

    Args:
        jobs: The `emplois` tables of all branches, one under the other; may be empty.
        scored: From `evaluation.past_accuracy`.

    Returns:
        Indicator rows by branch; none without any branch.
    """
    if jobs.empty:
        return pd.DataFrame(columns=["indicator", "year", "unit"])
    levels = shared.without_residual(indicators.select(jobs, "employment_headcount"))
    estimated = levels[levels["nature"].eq("estimate") & levels["origin"].eq("public")]
    return evaluation.branch_accuracy(scored, estimated)


def needs(inputs: Tables, panel: pd.DataFrame, edition: EditionParams) -> dict[str, pd.DataFrame]:
    """Return how posts to fill would have been projected, beside what happened.

    Returns:
        Of the field, `employment` from ten years before the base year, `ages` from five before the
        last of them, and `retirement`: departures beside declared retirements
        (`methods.needs.backtests`); nothing where the base year is too early.
    """
    ages, base = inputs["age_structure"], edition.base_year
    centres = ages["period"].map(centre_year)
    last = centres[centres <= base].max()
    if not centres.min() + 2 * BAND_YEARS <= last:
        return {}
    codes = shared.studied(inputs, "employment_national")["metier_code"]
    employment = backtests.employment_errors(panel, base - backtests.EMPLOYMENT_YEARS)
    old = backtests.age_errors(ages, int(last) - BAND_YEARS)
    return {
        "employment": employment[employment["series_code"].isin(codes)],
        "ages": old[old["metier_code"].isin(codes)],
        "retirement": backtests.retirement_check(
            ages, inputs["exit_rates"], inputs["exit_reasons"], int(last) - 2 * BAND_YEARS
        ),
    }


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
    rule = projection.branch_rule(learnt, learnt, RETROSPECT_YEARS)
    return projection.project(known, learnt, rule, RETROSPECT_YEARS, levels, scenario)


def past_forecasts(edition_id: str, previous_edition_id: str | None) -> pd.DataFrame:
    """Return what the forecasts of the previous edition were worth, as this one sees it.

    Args:
        edition_id: This edition.
        previous_edition_id: The previous one; none, or one without projections, gives no row.

    Returns:
        Indicator rows by branch: the columns of `revisions.scores`.
    """
    editions = (previous_edition_id, edition_id) if previous_edition_id else ()
    names = ("emplois_projections", "emplois")
    read = [study.read_all_results(each, "01_emplois", name) for each in editions for name in names]
    if not read or any(table.empty for table in read):
        return pd.DataFrame()
    found = revisions.scores(revisions.scored(*read))
    rows = found.melt(["branch_code", "year"], var_name="indicator")
    is_count = rows["indicator"].eq("forecasts_count")
    return rows.assign(unit=is_count.map({True: "projections", False: "pct"}), nature="projection")


def results(  # noqa: PLR0913 - one argument per step
    scored: pd.DataFrame,
    rules: pd.DataFrame,
    branches: pd.DataFrame,
    needs: Mapping[str, pd.DataFrame],
    families: pd.DataFrame,
    retrospective: pd.DataFrame,
    past_forecasts: pd.DataFrame,
    edition: EditionParams,
) -> dict[str, pd.DataFrame]:
    """Return the result tables, from those of the steps above.

    Args:
        scored: From `field`.
        rules: From `evaluation.past_accuracy`.
        branches: From `branches`.
        needs: From `needs`.
        families: From `families`.
        retrospective: From `retrospective`.
        past_forecasts: From `past_forecasts`.
        edition: Gives the base year.

    Returns:
        `evaluation` (indicators: scores of what is published, of the engine and of simple rules on
        the national series, by distance and by cut-off year; of needs; errors by branch; national
        employment of the families drawn) and `evaluation_retrospective`.
    """
    parts = evaluation.accuracy_rows(scored, rules, edition.base_year)
    if needs:
        parts += backtests.score_rows(**needs, base_year=edition.base_year)
    parts += [each for each in (branches, past_forecasts) if not each.empty] + [
        shared.national_levels(families)
    ]
    table = indicators.stack(parts, shared.ALL_BRANCHES, "evaluation")
    past = check("projection", retrospective, "evaluation_retrospective")
    return {"evaluation": table, "evaluation_retrospective": past}
