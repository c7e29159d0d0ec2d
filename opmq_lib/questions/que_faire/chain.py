"""Steps of `07_que_faire`: the métiers of a branch to look at first, why, and how surely."""

from typing import Final

import numpy as np
import pandas as pd

from opmq_lib.methods import decisions
from opmq_lib.methods import shortlist as method
from opmq_lib.methods.employment.levels import level_factors
from opmq_lib.methods.needs.assumptions import REFERENCE
from opmq_lib.methods.shortlist import Shortlist
from opmq_lib.methods.skills import certifications
from opmq_lib.params import EditionParams
from opmq_lib.questions import shared
from opmq_lib.questions.shared import Tables
from opmq_lib.tables import DESCRIPTIONS, check, indicators

NAME, LISTED, LEFT_OUT, FOLLOW_UP = "que_faire", "shortlist", "not_judged", "decisions_suites"
CONTRACTS: Final = {LISTED: "shortlist", LEFT_OUT: "shortlist_left_out"}


def cells(inputs: Tables, branch_code: str, edition: EditionParams) -> pd.DataFrame:
    """Return the métiers that the list looks at, with what is published of each.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        edition: Gives the base year, and the years counted.

    Returns:
        Rows of `shared.candidates`, with the columns of `shortlist.alarms`; none without a
        headcount.
    """
    found = shared.candidates(inputs, branch_code, edition.base_year)
    rates, tensions = shared.metier_rates(inputs, edition), shared.metier_tensions(inputs)
    alarms = method.alarms(rates, tensions.rename(columns={"year": "tension_year"}))
    kept = ["metier_code", *alarms.columns.difference(found.columns)]
    return found.merge(alarms[kept], on="metier_code").assign(branch_code=branch_code)


def listed(cells: pd.DataFrame) -> Shortlist:
    """Return the list of a branch, under the draws of its employment and of its departures.

    Args:
        cells: From `cells`.
    """
    count, seed = REFERENCE.draws_count, REFERENCE.seed
    heads = cells[["employment_headcount"]].to_numpy() * level_factors(cells, count, seed)
    rates = cells[["departure_rate_pct"]].to_numpy() * method.departure_factors(cells, count, seed)
    return method.shortlist(cells, heads, rates)


def reasons(
    inputs: Tables, branch_code: str, listed: Shortlist, edition: EditionParams
) -> pd.DataFrame:
    """Return the list with certifications that exist for each métier and causes of its alarm.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        listed: From `shortlist.shortlist`.
        edition: Its day says which certifications still run.

    Returns:
        `certifications_count`, `own_certifications_count` (missing where no certifying body of
        the branch is known) and `causes` beside the columns of the list.
    """
    rows = listed.metiers
    last = inputs["certifications"]["last_session_year"]
    live = inputs["certifications"][last.isna() | (last >= edition.edition_date.year)]
    links = certifications.metier_links(inputs["certification_metiers"])
    owned = certifications.portfolio(live, inputs["certifying_bodies"])
    counts = {
        f"{whose}certifications_count": certifications.fap_coverage(
            some, links, inputs["fap_rome"], rows["metier_code"].tolist()
        )["certifications_count"].to_numpy()
        for whose, some in {
            "": live,
            "own_": owned[owned["branch_code"] == branch_code],
        }.items()
    }
    factors = indicators.last_year(inputs["tension"])
    counted = rows.assign(**counts)
    return counted.assign(causes=method.causes(counted, factors))


def results(  # noqa: PLR0913 - one argument per step
    inputs: Tables,
    branch_code: str,
    cells: pd.DataFrame,
    listed: Shortlist,
    reasons: pd.DataFrame,
    register: pd.DataFrame,
    edition: EditionParams,
) -> dict[str, pd.DataFrame]:
    """Return the result tables of `07_que_faire` for one branch.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        cells: From `cells`.
        listed: From `listed`.
        reasons: From `reasons`.
        register: Table `decisions`; what it lets be published is shown.
        edition: Which proposals are of today.

    Returns:
        `shortlist` (the list, métiers too rarely in the draws' lists included), `not_judged`
        (large métiers without a figure, and those whose jobs fall), `que_faire` (indicators of the
        whole list), `decisions_suites` (what became of earlier proposals).
    """
    tables = {LISTED: reasons, LEFT_OUT: method.left_out(cells)}
