"""Steps of `07_que_faire`: the métiers of a branch to look at first, why, and how surely."""

from typing import Final

import numpy as np
import pandas as pd

from opmq_lib.methods import criteria, decisions, needs
from opmq_lib.methods import shortlist as method
from opmq_lib.methods.draws import DRAWS_COUNT, SEED
from opmq_lib.methods.employment.levels import level_factors
from opmq_lib.methods.employment.rows import RESIDUAL_METIER
from opmq_lib.methods.reliability import grades
from opmq_lib.methods.shortlist import Shortlist
from opmq_lib.methods.skills import certifications
from opmq_lib.params import EditionParams
from opmq_lib.questions import country, shared
from opmq_lib.questions.shared import Tables
from opmq_lib.tables import DESCRIPTIONS, check, indicators

NOTEBOOK: Final = "07_que_faire"
NAME, LISTED, LEFT_OUT, FOLLOW_UP = "que_faire", "shortlist", "not_judged", "decisions_suites"
CONTRACTS: Final = {LISTED: "shortlist", LEFT_OUT: "shortlist_left_out"}
DECISION: Final = ("decision_status", "decision", "decided_on", "minutes_reference")
ENDS: Final = ("_lower", "_upper")
WHOLE: Final = ("tension_year", "tension_rank", "ranked_count", "rank")
NOT_METIERS: Final = (indicators.ALL_METIERS, RESIDUAL_METIER)


def alarms(inputs: Tables, edition: EditionParams) -> pd.DataFrame:
    """Return which published facts of each métier of the country are an alarm.

    Returns:
        The columns of `shortlist.alarms`, and those of the tension.
    """
    rates, tensions = country.metier_rates(inputs, edition), shared.metier_tensions(inputs)
    return method.alarms(rates, tensions.rename(columns={"year": "tension_year"}))


def cells(
    inputs: Tables, branch_code: str, alarms: pd.DataFrame, edition: EditionParams
) -> pd.DataFrame:
    """Return the métiers that the list looks at, with what is published of each.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        alarms: From `alarms`.
        edition: Gives the base year.

    Returns:
        Rows of `shared.candidates`, with the columns of `shortlist.alarms`; none without a
        headcount. `is_secret`: an own cell under the threshold of confidentiality, without numbers.
    """
    found = shared.candidates(inputs, branch_code, edition.base_year)
    is_secret = found["metier_code"].isin(criteria.under_threshold(found))
    numbers = found.filter(regex="^(employment|location_quotient)").mask(is_secret)
    found = found.assign(**{str(name): numbers[name] for name in numbers}, is_secret=is_secret)
    kept = ["metier_code", *alarms.columns.difference(found.columns)]
    return found.merge(alarms[kept], on="metier_code").assign(branch_code=branch_code)


def listed(cells: pd.DataFrame) -> Shortlist:
    """Return the list of a branch, under the draws of its employment and of its departures.

    Args:
        cells: From `cells`.
    """
    cells = cells[~cells["is_secret"] & ~method.is_unattested(cells)].reset_index(drop=True)
    heads = cells[["employment_headcount"]].to_numpy() * level_factors(cells, DRAWS_COUNT, SEED)
    rates = cells[["departure_rate_pct"]].to_numpy() * needs.departure_factors(cells)
    return method.shortlist(cells, heads, rates)


def with_needs(listed: Shortlist, needs: Tables) -> Shortlist:
    """Return the list with departures and growth of the years to come, as `02_besoins` has them.

    Args:
        listed: From `listed`, whose rates are national ones of the official projections.
        needs: Results of `02_besoins`; none when it has not run: the list is then unchanged.
    """
    if not needs:
        return listed
    ends = zip(("", *ENDS), ("value", "lower", "upper"), strict=True)
    sources = {f"departure_rate_pct{end}": ("departure_rate_pct", "", name) for end, name in ends}
    sources["growth_rate_pct"] = ("net_creation_rate_pct", "", "value")
    sources["own_growth_rate_pct"] = ("net_creation_rate_pct", "own_trend", "value")
    metiers = listed.metiers
    for column, (indicator, variant, name) in sources.items():
        rows = indicators.select(needs["besoins"], indicator, variant=variant)
        known = rows.set_index("metier_code")[name]
        found = metiers["metier_code"].map(known).astype("float64")
        metiers = metiers.assign(**{column: found.fillna(metiers[column])})
    return listed._replace(metiers=metiers)


def reasons(
    inputs: Tables, branch_code: str, metiers: pd.DataFrame, edition: EditionParams
) -> pd.DataFrame:
    """Return métiers with certifications that exist for each métier and causes of its alarm.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        metiers: Those of a list, or others: `metier_code`, and their alarms.
        edition: Its day says which certifications still run.

    Returns:
        `certifications_count`, `own_certifications_count` (missing where no certifying body of
        the branch is known), `causes` and `causes_year` beside the columns of the métiers.
    """
    live = certifications.live(inputs["certifications"], edition.edition_date)
    links = certifications.metier_links(inputs["certification_metiers"])
    bodies = inputs["certifying_bodies"]
    owned = certifications.portfolio(live, bodies[bodies["branch_code"] == branch_code])
    counts = {
        f"{whose}certifications_count": certifications.fap_coverage(
            some, links, inputs["fap_rome"], metiers["metier_code"].tolist()
        )["certifications_count"].to_numpy()
        for whose, some in {"": live, "own_": owned}.items()
    }
    factors = indicators.last_year(inputs["tension"])
    counted = metiers.assign(**counts, causes_year=factors["year"].iloc[0])
    return counted.assign(causes=method.causes(counted, factors))


def decided(
    reasons: pd.DataFrame, register: pd.DataFrame, branch_code: str, edition_id: str
) -> pd.DataFrame:
    """Return the list with what the branch has decided on it in this edition, where it says so.

    Args:
        reasons: From `reasons`.
        register: Table `decisions`.
        branch_code: Key of table `branches`.
        edition_id: This edition.

    Returns:
        `decision_status` (`candidate`: nothing yet), `decision`, `decided_on`, `minutes_reference`
        beside the columns of the list.

    Examples:
        >>> from opmq_lib.tables import DESCRIPTIONS
        >>> register = pd.DataFrame(columns=list(DESCRIPTIONS["decisions"]), dtype="str")
        >>> listed = pd.DataFrame({"metier_code": ["E1Z43"]})
        >>> decided(listed, register, "chimie", "2026")["decision_status"].tolist()
        ['candidate']
    """
    ours = decisions.of_edition(register, branch_code, edition_id)
    ours = ours.rename(columns={"status": "decision_status"})[["metier_code", *DECISION]]
    joined = reasons.merge(ours, on="metier_code", how="left")
    return joined.fillna(dict.fromkeys(DECISION, "") | {"decision_status": "candidate"})


def results(  # noqa: PLR0913 - one argument per step
    branch_code: str,
    cells: pd.DataFrame,
    listed: Shortlist,
    decided: pd.DataFrame,
    follow_up: pd.DataFrame,
    jobs: Tables,
    edition: EditionParams,
) -> dict[str, pd.DataFrame]:
    """Return the result tables of `07_que_faire` for one branch.

    Args:
        branch_code: Key of table `branches`.
        cells: From `cells`.
        listed: From `listed`.
        decided: From `decided`.
        follow_up: From `decisions.follow_up`.
        jobs: Results of `01_emplois`; none when it has not run.
        edition: Gives the base year.

    Returns:
        `shortlist` (the list, métiers that few draws have included), `not_judged` (large métiers
        without a figure, those whose jobs fall, those that are secret or unattested),
        `que_faire` (indicators of the whole list), `decisions_suites` (what became of
        earlier proposals).
    """
    flags = decided.assign(
        reliability_grade=grades(*(decided[f"departure_rate_pct{end}"] for end in ENDS)),
        status="value",
    )
    for name in ("tension_alarm", "departures_alarm"):
        flags[name] = flags[name].map({True: "yes", False: "no"})
    left_out = method.left_out(cells)
    left_out["status"] = left_out["reason"].map({"secret": "s"}).fillna("value")
    tables = {LISTED: flags.astype(dict.fromkeys(WHOLE, "Int64")), LEFT_OUT: left_out}
    checked = {
        name: check(contract, tables[name][list(DESCRIPTIONS[contract])], name)
        for name, contract in CONTRACTS.items()
    }
    whole = _whole(branch_code, cells, listed, jobs, edition)
    return {NAME: whole, **checked, FOLLOW_UP: follow_up}


def _whole(
    branch_code: str,
    cells: pd.DataFrame,
    listed: Shortlist,
    jobs: Tables,
    edition: EditionParams,
) -> pd.DataFrame:
    """Return what is known of the whole list, as indicators."""
    unreliable = np.nan
    if jobs:
        known = indicators.select(jobs["emplois"], "employment_headcount", status="value")
        last = indicators.last_year(known[~known["metier_code"].isin(NOT_METIERS)])
        is_graded = "reliability_grade" in last and len(last) > 0
        unreliable = 100 * last["reliability_grade"].eq("D").mean() if is_graded else np.nan
    count = float(cells["employment_share_pct"].notna().sum()) if len(cells) else np.nan
    rows = pd.DataFrame(
        [
            ("candidates_count", count, "metiers"),
            ("shortlist_overlap_ratio", listed.overlap, "jaccard"),
            ("unreliable_metiers_share_pct", unreliable, "pct"),
            ("national_departure_rate_pct", cells["national_departure_rate_pct"].max(), "pct"),
        ],
        columns=["indicator", "value", "unit"],
    )
    is_own = cells["origin"].eq("own").any()
    rows = rows.assign(year=edition.base_year, nature="estimate")
    rows = rows.assign(origin="own" if is_own else "public")
    return indicators.stack([rows], branch_code, NAME)
