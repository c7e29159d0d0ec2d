"""Steps of `01_emplois`: employment by métier, its past, its projection, and what carries it."""

import pandas as pd

from opmq_lib.errors import RangeError
from opmq_lib.methods.draws import DRAWS_COUNT, SEED
from opmq_lib.methods.employment import measures, portraits
from opmq_lib.methods.employment.levels import INTERVAL_LEVEL, with_level
from opmq_lib.methods.employment.rows import SOURCE_CODE, gathered, row_codes, uncovered
from opmq_lib.methods.employment.totals import used_totals
from opmq_lib.methods.forecast import projection
from opmq_lib.methods.forecast.series import question_defects
from opmq_lib.methods.needs import qualifications
from opmq_lib.methods.reliability import best_grades, farther, grades
from opmq_lib.params import EditionParams
from opmq_lib.questions import shared
from opmq_lib.questions.shared import Tables
from opmq_lib.tables import DIMENSIONS, check, indicators
from opmq_lib.tables.fap import METIER_LENGTH

GATHERED, LISTED = "gathered_employment_headcount", 30
"""What small métiers without a row of their own hold, and how many of them a page names."""
NO_ROW = pd.DataFrame(columns=["year", "indicator", "unit"])


def jobs(inputs: Tables, branch_code: str, edition: EditionParams) -> pd.DataFrame:
    """Return a branch's employment by métier and year: its own table if given, else the estimate.

    Args:
        inputs: The study's input tables (`sources.study.load_inputs`).
        branch_code: Key of table `branches`.
        edition: Gives the year of the estimate, its last one.

    Returns:
        Rows of the `employment` contract, in heads: métiers of 0.5 % of the branch or more, small
        ones by family, the rest as `autres_metiers`; none when the branch has no headcount.
    """
    return shared.branch_employment(inputs, branch_code, edition.base_year)


def panel(inputs: Tables, jobs: pd.DataFrame, edition: EditionParams) -> pd.DataFrame:
    """Return the annual series from which the branch's projections are learnt.

    Returns:
        `series_code, year, value` in heads: national métiers and families for an estimate, the
        branch's own series for own data.
    """
    national = inputs["employment_national"]
    return projection.learning_panel(shared.without_residual(jobs), national, edition.base_year)


def rule(
    inputs: Tables, panel: pd.DataFrame, horizon_years: int, edition: EditionParams
) -> pd.DataFrame:
    """Return how much of its family's projected change a métier keeps, horizon by horizon.

    Returns:
        What `projection.branch_rule` learns from past errors: change a `retained_share` to see
        what it does to the projections.

    Raises:
        RangeError: If the horizon is not 1 to 30 years.
    """
    RangeError.refuse(question_defects(horizon_years, ()))
    national = projection.national_panel(inputs["employment_national"], edition.base_year)
    return projection.branch_rule(panel, national, horizon_years)


def future(
    jobs: pd.DataFrame,
    panel: pd.DataFrame,
    rule: pd.DataFrame,
    horizon_years: int,
    edition: EditionParams,
) -> pd.DataFrame:
    """Return the published projections of the branch's métiers.

    Args:
        jobs: From `jobs`.
        panel: From `panel`.
        rule: From `rule`.
        horizon_years: Years projected after the last year of `jobs`.
        edition: Gives the quantile levels and the scenario.

    Returns:
        Rows of the `projection` contract.
    """
    metiers = shared.without_residual(jobs)
    levels, scenario = edition.quantile_levels, edition.scenario_codes[0]
    return projection.project(metiers, panel, rule, horizon_years, levels, scenario)


def explained(jobs: pd.DataFrame, panel: pd.DataFrame, horizon_years: int) -> pd.DataFrame:
    """Return which models made each projection, as indicators (`projection.explanations`)."""
    metiers = shared.without_residual(jobs)
    rows = NO_ROW if metiers.empty else projection.explanations(metiers, panel, horizon_years)
    return indicators.stack([rows], _branch(jobs), "emplois_explications")


def composition(inputs: Tables, branch_code: str, jobs: pd.DataFrame) -> pd.DataFrame:
    """Return what an estimate is made of: classes of jobs, and what gathers several métiers.

    Returns:
        Indicator rows: `class_headcount` by `level`; `headcount_fit_ratio`, the farther from 1 of
        the ratio of its activities (`own_headcount_fit_ratio`) and of that of its sectors
        (`sectors_headcount_fit_ratio`);
        `gathered_employment_headcount` of each métier without row of its own, `level` being the row
        that holds it; `employment_headcount`, `nd`, of métiers that no convention covers. None for
        an observed table.
    """
    if not (jobs["nature"] == "estimate").any():
        return NO_ROW
    estimate = shared.estimate(inputs)
    rows = row_codes(estimate.heads[branch_code])
    small = gathered(estimate, branch_code, rows)
    graded = farther(estimate.own_ratio, estimate.fit_ratio)
    ratios = {"": graded, "own_": estimate.own_ratio, "sectors_": estimate.fit_ratio}
    fit = [(f"{which}headcount_fit_ratio", each[branch_code]) for which, each in ratios.items()]
    classes = estimate.classes.T[branch_code]
    named = {"level": classes.index, "value": classes.where(classes > 0).to_numpy()}
    parts = [
        pd.DataFrame(named).assign(indicator="class_headcount"),
        pd.DataFrame(fit, columns=["indicator", "value"]).assign(unit="ratio"),
        small.assign(
            indicator=GATHERED,
            interval_level=INTERVAL_LEVEL,
            reliability_grade=grades(
                small["lower"], small["upper"], best_grades(graded)[branch_code]
            ),
        ),
        pd.DataFrame({"metier_code": uncovered(estimate, branch_code)}).assign(
            indicator="employment_headcount", value=float("nan"), year=jobs["year"].max()
        ),
    ]
    blank = {"unit": "headcount", "metier_code": indicators.ALL_METIERS, "level": ""}
    table: pd.DataFrame = pd.concat(parts, ignore_index=True).fillna(blank)
    table = table.fillna({"year": estimate.year})
    return table.astype({"year": "int64"}).assign(nature="estimate", source_code=SOURCE_CODE)


def results(  # noqa: PLR0913 - one argument per step
    inputs: Tables,
    branch_code: str,
    jobs: pd.DataFrame,
    future: pd.DataFrame,
    explained: pd.DataFrame,
    composition: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Return the result tables of a branch, from those of the steps above.

    Returns:
        `emplois` (indicators: published headcount, employment by métier and year with its 80 %
        interval and its grade, shares where the table holds the whole branch, change, projection
        with an interval that holds the level's too, projected change, whose interval does not need
        it, qualifications, composition), `emplois_projections` (long projections, with the level
        and its grade),
        `emplois_explications` and `chiffres_cles`.
    """
    metiers = shared.without_residual(jobs)
    whole = with_level(future, jobs, DRAWS_COUNT, SEED)
    parts = [published_headcount(inputs["branch_headcount"], branch_code)]
    horizon_years = 0 if future.empty else int((future["year"] - future["cutoff_year"]).max())
    if not jobs.empty:
        parts += [
            measures.levels(jobs),
            *([measures.shares(jobs)] if len(jobs) > len(metiers) else []),
            measures.changes(metiers),
            measures.intervals(whole, jobs, [horizon_years]),
            measures.future_changes(future, jobs, [horizon_years]),
        ]
    detailed = metiers[metiers["metier_code"].str.len() == METIER_LENGTH]
    if not detailed.empty:
        parts += [
            qualifications.structure_rows(detailed),
            qualifications.projection_rows(detailed, future),
        ]
    parts += [part for part in [composition] if not part.empty]
    secret = inputs["secret_metiers"].query("branch_code == @branch_code")
    if not secret.empty:
        unknown = {"value": float("nan"), "year": jobs["year"].max(), "unit": "headcount"}
        rows = pd.DataFrame({"metier_code": secret["metier_code"], "status": "s", **unknown})
        parts.append(rows.assign(indicator="employment_headcount"))
    table = indicators.stack(parts, branch_code, "emplois")
    return {
        "emplois": table,
        "emplois_projections": check(
            "projection", measures.graded(whole, jobs), "emplois_projections"
        ),
        "emplois_explications": explained,
        "chiffres_cles": _key_figures(table),
    }


def portrait(inputs: Tables, branch_code: str, jobs: pd.DataFrame) -> pd.DataFrame:
    """Return what is known of the branch as a whole: its portrait, and the totals it supplies.

    Returns:
        `emplois_portrait`: the indicators of `portraits.branch_facts`, of the branch and of
        `ensemble`, none when the branch has no portrait; `supplied_total_headcount` of the years
        whose total carries the estimate.
    """
    headcount = inputs["branch_headcount"]
    facts = portraits.branch_facts(headcount, branch_code, shared.ALL_BRANCHES)
    is_known = (headcount["branch_code"] == branch_code).any()
    totals = used_totals(jobs, inputs["own_branch_totals"]).assign(
        indicator="supplied_total_headcount", unit="headcount"
    )
    parts = [
        facts if is_known else facts[:0],
        totals.rename(columns={"employees_headcount": "value"}),
    ]
    return indicators.stack(parts, branch_code, "emplois_portrait")


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
            "value": rows["employees_headcount"].sum(min_count=1),
            "unit": "headcount",
            "source_code": "dares_portraits_branches",
        }
    )


def _branch(jobs: pd.DataFrame) -> str:
    return "" if jobs.empty else str(jobs["branch_code"].iloc[0])


def _key_figures(table: pd.DataFrame) -> pd.DataFrame:
    """Return the published headcount and the largest métier's employment, for the home page."""
    levels = shared.without_residual(indicators.select(table, "employment_headcount"))
    largest = indicators.largest_first(indicators.last_year(levels)).head(1)
    rows = pd.concat([indicators.select(table, "branch_headcount"), largest], ignore_index=True)
    return rows.drop(columns=[name for name in DIMENSIONS if name in rows])
