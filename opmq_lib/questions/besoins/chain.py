"""Steps of `02_besoins`: who leaves, net creation, posts to fill, under which scenario."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from opmq_lib.errors import RangeError
from opmq_lib.methods import needs
from opmq_lib.methods.employment import measures
from opmq_lib.methods.employment.levels import NODE
from opmq_lib.methods.employment.rows import RESIDUAL_METIER
from opmq_lib.methods.employment.totals import used_totals
from opmq_lib.methods.forecast.series import question_defects
from opmq_lib.methods.needs import metier_rates as per_year
from opmq_lib.methods.needs import scenarios as sets
from opmq_lib.methods.needs import summary
from opmq_lib.methods.needs.ages import read_ages
from opmq_lib.methods.needs.cohorts import BAND_YEARS
from opmq_lib.methods.needs.departures import leaving
from opmq_lib.methods.needs.intentions import recruitment_projects
from opmq_lib.methods.needs.rates import rates_of
from opmq_lib.methods.tension import published
from opmq_lib.params import EditionParams, ScenarioParams
from opmq_lib.questions import country, shared
from opmq_lib.questions.competences.chain import metier_certifications, metier_profiles
from opmq_lib.questions.emplois import chain as emplois
from opmq_lib.questions.shared import Tables
from opmq_lib.tables import DESCRIPTIONS, check, indicators
from opmq_lib.tables.fap import FAMILY_LENGTH, NOT_CODED

DELAY_YEARS, LATER = 1.0, "later_pension"
"""Pension-age variant: everybody leaves a year later in life, from the year from which posts are
counted. An example, not voted; no law is meant."""

OWN_TREND = "own_trend"
"""Variant: employment grows as our own projection says, not the official one."""

VARIANTS = (OWN_TREND, LATER)

CELLS = "besoins_taux"


def jobs(inputs: Tables, branch_code: str, edition: EditionParams) -> pd.DataFrame:
    """Return employment of all the branch's métiers by year: its own table, else the estimate.

    Returns:
        Rows of the `employment` contract, in heads, every métier apart; none when the branch has
        no headcount.
    """
    return shared.metier_employment(inputs, branch_code, edition.base_year)


def ages(inputs: Tables, edition: EditionParams) -> pd.DataFrame:
    """Return heads by métier and age: national up to the base year, and those of branches.

    Returns:
        `branch_code` (empty: the whole country), `metier_code` (and families, the sums of their
        métiers), `period, age_band, employment_headcount, origin`.

    Examples:
        >>> from opmq_lib.sources import study
        >>> heads = ages(study.load_inputs(), study.edition())
        >>> last = heads[heads["period"] == heads["period"].max()].query("metier_code == 'E1Z43'")
        >>> last["age_band"].tolist()[-2:], last["origin"].unique().tolist()
        (['55-59 ans', '60 ans ou plus'], ['public'])
    """
    columns = ["branch_code", "metier_code", "period", "age_band", "employment_headcount", "origin"]
    metiers = country.national_ages(inputs, edition.base_year)
    by = [metiers["metier_code"].str[:FAMILY_LENGTH], metiers["period"], metiers["age_band"]]
    families = metiers["employment_headcount"].groupby(by).sum().reset_index()
    is_family = families["metier_code"] != indicators.ALL_METIERS
    national = pd.concat([metiers, families[is_family]]).assign(branch_code="", origin="public")
    parts = [national, inputs["own_branch_ages"]]
    return pd.concat([part[columns] for part in parts if not part.empty], ignore_index=True)


def metier_rates(inputs: Tables, edition: EditionParams) -> pd.DataFrame:
    """Return growth and departures of every métier of the country, in % of its jobs per year.

    Returns:
        Rows of the `metier_rates` contract: change a `departure_rate_pct` to see what it does.
    """
    return country.metier_rates(inputs, edition)


def cells(  # noqa: PLR0913 - one argument per step
    inputs: Tables,
    jobs: pd.DataFrame,
    ages: pd.DataFrame,
    metier_rates: pd.DataFrame,
    horizon_years: int,
    edition: EditionParams,
) -> pd.DataFrame:
    """Return what posts are computed from: employment, growth and departures of each métier.

    Growth and departures are official where the years counted lie inside the official horizon,
    else our own. Ages that the branch supplies move the departures of their métiers.

    Args:
        inputs: Gives the official horizon, the year of the branch's headcount, and its own totals.
        jobs: From `jobs`.
        ages: From `ages`.
        metier_rates: From `metier_rates`.
        horizon_years: Years from the base year of the edition to the end of the count.
        edition: Gives the base year, and the year from which posts are counted.

    Returns:
        Rows of the `needs_cells` contract: of an estimate the métiers of 0.5 % of the branch or
        more, and the rest; none without employment.

    Raises:
        RangeError: If the horizon is not after the year of the edition.
    """
    start, end = _window(horizon_years, edition)
    if jobs.empty:
        return pd.DataFrame(columns=list(DESCRIPTIONS["needs_cells"]))
    last = jobs.sort_values("year", kind="stable").drop_duplicates(NODE, keep="last")
    is_estimate = last["nature"].eq("estimate").all()
    known = _known_rates(inputs, metier_rates, start, end, edition)
    coded = last["metier_code"]
    if is_estimate:
        not_coded = known.index[known.index.str.startswith(NOT_CODED)][0]
        coded = coded.replace(RESIDUAL_METIER, not_coded)
    rates = known.reindex(coded).set_axis(last.index)
    table = pd.concat([last.drop(columns="nature"), rates], axis="columns")
    table = table.fillna({"nature": "projection", "family_code": ""})
    if not is_estimate:
        trend = _own_growth(inputs, jobs, edition).reindex(coded).to_numpy()
        is_series = jobs.groupby("metier_code")["year"].nunique().reindex(coded).gt(1).to_numpy()
        table["own_growth_rate_pct"] = table["own_growth_rate_pct"].mask(is_series, trend)
        table = per_year.own_where(table, table["nature"].eq("projection"))
    of_headcount = inputs["branch_headcount"]["year"].max()
    is_anchored = not is_estimate or len(used_totals(jobs, inputs["own_branch_totals"])) > 0
    table["level_year"] = last["year"] if is_anchored else int(of_headcount)
    table = _with_ages(table, ages, start, end, edition)
    if is_estimate:
        table = per_year.gather_small(table)
    columns = [name for name in DESCRIPTIONS["needs_cells"] if name in table]
    return check("needs_cells", table.reset_index(drop=True)[columns], CELLS)


def _window(horizon_years: int, edition: EditionParams) -> tuple[int, int]:
    """Return the years at whose ends the count begins and ends."""
    RangeError.refuse(question_defects(horizon_years, ()))
    start, end = edition.edition_date.year, edition.base_year + horizon_years
    if end <= start:
        fix = f"ask for {start + 1 - edition.base_year} or more"
        raise RangeError.of("horizon_years", f"projections end in {end}", f"after {start}", fix)
    return start, end


def _known_rates(
    inputs: Tables, metier_rates: pd.DataFrame, start: int, end: int, edition: EditionParams
) -> pd.DataFrame:
    """Return rates by métier and family, our own where the official ones do not reach."""
    national = inputs["employment_national"]
    heads = national[national["year"] == edition.base_year].set_index("metier_code")
    known = per_year.with_families(metier_rates, heads["employment_headcount"])
    official = inputs["official_projections"]
    is_inside = start >= official["base_year"].max() and end <= official["horizon_year"].min()
    if not is_inside:
        known = per_year.own_where(known, pd.Series(data=True, index=known.index))
    return known.set_index("metier_code")


def _own_growth(inputs: Tables, jobs: pd.DataFrame, edition: EditionParams) -> pd.Series:
    """Return by métier the trend of a branch's own series, in % per year."""
    years, panel = per_year.OWN_GROWTH_YEARS, emplois.panel(inputs, jobs, edition)
    rule = emplois.rule(inputs, panel, years, edition)
    future = emplois.future(jobs, panel, rule, years, edition)
    middle = future[future["quantile_level"] == indicators.MIDDLE].set_index("metier_code")
    then = middle.loc[middle["year"] - middle["cutoff_year"] == years, "value"]
    now = jobs.sort_values("year", kind="stable").drop_duplicates("metier_code", keep="last")
    ratio = then / now.set_index("metier_code")["employment_headcount"]
    return pd.Series(100 / years * np.log(ratio.where(ratio > 0)), ratio.index)


def _with_ages(
    table: pd.DataFrame, ages: pd.DataFrame, start: int, end: int, edition: EditionParams
) -> pd.DataFrame:
    """Return cells with departures as the branch's own ages move them, and those a year later."""
    pyramids, base = read_ages(ages), edition.base_year
    ahead = [start - base, end - base]
    survival = rates_of(pyramids, -(-ahead[1] // BAND_YEARS))
    now, later = (
        leaving(pyramids, survival, start, ahead, delay).diff(axis="columns")[ahead[1]]
        for delay in ((0.0, 0), (DELAY_YEARS, ahead[0]))
    )
    national = pd.MultiIndex.from_product([[""], table["metier_code"]])
    own = pd.MultiIndex.from_frame(table[NODE])
    is_own = now.reindex(own).notna().to_numpy()
    branch = table["branch_code"].where(is_own, "")
    chosen = pd.MultiIndex.from_arrays([branch, table["metier_code"]])
    left, of_country = now.reindex(chosen).to_numpy(), now.reindex(national).to_numpy()
    moved = np.where(is_own, np.nan_to_num(left / of_country, nan=1.0), 1.0)
    delayed = np.nan_to_num(later.reindex(chosen).to_numpy() / left, nan=1.0)
    names = ["departure_rate_pct", "own_departure_rate_pct"]
    table = table.assign(**{name: table[name] * moved for name in names})
    return table.assign(
        later_departure_rate_pct=table["departure_rate_pct"] * delayed,
        ages_basis=np.where(is_own, "branch", "national"),
        origin=table["origin"].where(~is_own, "own"),
    )


def posts(
    inputs: Tables,
    cells: pd.DataFrame,
    scenarios: Sequence[ScenarioParams],
    horizon_years: int,
    edition: EditionParams,
) -> pd.DataFrame:
    """Return posts to fill and their causes, from the end of the edition's year to the horizon.

    Args:
        inputs: Gives the industry group of each branch.
        cells: From `cells`; of several branches, sums over them are added, as branch `ensemble`.
        scenarios: The first is the reference; the others multiply growth, never departures.
        horizon_years: As for `cells`.
        edition: Gives the year from which posts are counted: what is over is no need.

    Returns:
        Rows of the `needs` contract under each scenario, then, under the reference, as scenario
        `OWN_TREND` if employment grew by our own trend, and as `LATER` if everybody left
        `DELAY_YEARS` later; no row without employment. Only the reference is official.
    """
    if cells.empty:
        return pd.DataFrame(columns=list(DESCRIPTIONS["needs"]))
    start, end = _window(horizon_years, edition)
    cases = {
        scenario.scenario_code: sets.effects([scenario], cells, inputs["branches"], end)
        for scenario in scenarios
    }
    trend = cells["own_growth_rate_pct"].fillna(cells["growth_rate_pct"])
    cases[OWN_TREND] = cells[NODE].assign(growth_rate_pct=trend)
    cases[LATER] = cells[NODE].assign(departure_rate_pct=cells["later_departure_rate_pct"])
    found = needs.posts_to_fill(cells, start, end, cases)
    is_reference = found["scenario_code"] == scenarios[0].scenario_code
    return found.assign(nature=found["nature"].where(is_reference, "projection"))


def results(  # noqa: PLR0913 - one argument per step
    inputs: Tables,
    branch_code: str,
    edition: EditionParams,
    scenarios: Sequence[ScenarioParams],
    jobs: pd.DataFrame,
    ages: pd.DataFrame,
    metier_rates: pd.DataFrame,
    cells: pd.DataFrame,
    posts: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Return the result tables of a branch, from those of the steps above.

    Returns:
        `besoins` (indicators: departures, net creation and posts by métier, per 100 jobs a year and
        in heads, of the reference, and by `variant` of the other scenarios, of our own trend and of
        a later pension; `national_departure_rate_pct`; ages, entries and imbalance, employment and
        tension, and recruitment projects, the other layer), `besoins_taux` (what posts are computed
        from: `needs_cells`), `besoins_projections` (long table of contract `needs`),
        `besoins_scenarios` (what each scenario changes, line by line), `besoins_profils` (main
        skills of each métier).
    """
    last = indicators.last_year(jobs)
    codes = indicators.codes(shared.without_residual(cells))
    parts = []
    if not cells.empty:
        by_age = summary.age_rows(last, ages)
        reference, *others = posts["scenario_code"].unique()
        of_reference = summary.interval_rows(posts[posts["scenario_code"] == reference])
        parts = [
            of_reference,
            *(
                summary.interval_rows(posts[posts["scenario_code"] == code], code)
                for code in others
            ),
            summary.entry_rows(
                of_reference, inputs["own_branch_entries"], posts["start_year"].max()
            ),
            by_age[by_age["metier_code"].isin([*codes, indicators.ALL_METIERS])],
            measures.levels(last[last["metier_code"].isin(codes)]),
            _national(metier_rates, posts),
            _tension(inputs, codes),
            metier_certifications(inputs, branch_code, codes, edition.edition_date.year),
        ]
    projections = posts[~posts["scenario_code"].isin(VARIANTS)].drop(columns="best_grade")
    return {
        "besoins": indicators.stack([*parts, _projects(inputs)], branch_code, "besoins"),
        CELLS: cells,
        "besoins_projections": check("needs", projections, "besoins_projections"),
        "besoins_profils": metier_profiles(inputs, branch_code, codes),
        "besoins_scenarios": check("scenario_lines", sets.line_table(scenarios), "scenarios"),
    }


def consolidation(
    edition: EditionParams, besoins: pd.DataFrame, cells: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return posts to fill of all branches, for `10_consolidation`.

    Args:
        edition: Gives the horizon, and the year from which posts are counted.
        besoins: The `besoins` tables of all branches, one under the other; may be empty.
        cells: Their `besoins_taux` tables: sums over branches are drawn again from them.

    Returns:
        `consolidation_besoins`: indicators; by branch, the quantities over all its métiers under
        every scenario; by métier and in all, their sums over the branches (branch `ensemble`),
        with the interval of draws that branches share.
    """
    name = "consolidation_besoins"
    if besoins.empty:
        empty = pd.DataFrame(columns=["year", "indicator", "unit", *indicators.BLANK])
        return {name: indicators.stack([empty], shared.ALL_BRANCHES, name)}
    rows = indicators.select(besoins, needs.JOBS, *needs.QUANTITIES, *needs.RATES)
    parts = [rows[rows["metier_code"] == indicators.ALL_METIERS].drop(columns="units_count")]
    if len(set(cells["branch_code"])) > 1:
        found = needs.posts_to_fill(cells, *_window(edition.horizon_years, edition))
        over = found[found["branch_code"] == shared.ALL_BRANCHES]
        parts.append(summary.interval_rows(over))
    return {name: indicators.stack(parts, shared.ALL_BRANCHES, name)}


def _national(metier_rates: pd.DataFrame, posts: pd.DataFrame) -> pd.DataFrame:
    """Return the official departures of all jobs of the country, beside those of the branch."""
    whole = metier_rates[metier_rates["metier_code"] == indicators.ALL_METIERS]
    return pd.DataFrame(
        {
            "indicator": "national_departure_rate_pct",
            "value": whole["departure_rate_pct"],
            "year": int(posts["year"].max()),
            "unit": "pct_per_year",
            "nature": "official_projection",
            "source_code": "dares_metiers_2030",
        }
    )


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
