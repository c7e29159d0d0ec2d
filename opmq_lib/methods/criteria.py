"""What each criterion is worth for each métier, from public tables and the branch's jobs (C1).

Every part is a table `metier_code, criterion_code, value, lower, upper, year, nature, origin,
status, source_code`; an absent bound or status is filled in by `gather`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from opmq_lib.methods.employment import RESIDUAL_METIER
from opmq_lib.tables.indicators import last_year

KEY = ["metier_code", "criterion_code"]
COLUMNS = ["value", "lower", "upper", "year", "nature", "origin", "status", "source_code"]
SENIOR_BANDS = ("55-59 ans", "60 ans ou plus")
LEAST_UNITS, LARGEST_SHARE_PCT = 3, 85.0
"""Primary rules for enterprises: source: Insee, as in methodology, K1."""
PRIOR = 4.0
"""Shape and rate of the prior of a location quotient, of mean 1; source: convention, C1."""
INTERVAL_LEVEL = 0.90


def location_quotient(
    headcount: pd.Series, branch_total: float, national_share: pd.Series
) -> pd.DataFrame:
    """Return how over-represented each métier is in a branch, with its 90 % interval.

    Observed jobs O are Poisson with mean θ·ε, where ε is what the branch would have if it were like
    the country; θ has a Gamma(a, a) prior, so that small counts do not fool. Its parameter is
    fixed: adding a métier changes no other quotient.

    Args:
        headcount: Jobs of the branch by métier, in heads.
        branch_total: Jobs of the whole branch, in heads.
        national_share: Share of each métier in national employment, from 0 to 1, same index;
            missing where the métier has no national figure.

    Returns:
        Same index: `value` (shrunk), `lower`, `upper` (ratios). Missing where the share is.

    Source:
        Methodology, C1.

    Examples:
        >>> location_quotient(pd.Series([31.0, 0.0]), 5200, pd.Series([0.0018, 0.0018]))["value"]
        0    2.619760
        1    0.299401
        Name: value, dtype: float64
    """
    shape, rate = headcount + PRIOR, branch_total * national_share + PRIOR
    theta = stats.gamma(shape.to_numpy(float), scale=1 / rate.to_numpy(float))
    tail = (1 - INTERVAL_LEVEL) / 2
    quotient = {"value": shape / rate, "lower": theta.ppf(tail), "upper": theta.ppf(1 - tail)}
    return pd.DataFrame(quotient, index=headcount.index)


def employment_values(jobs: pd.DataFrame, national: pd.DataFrame) -> pd.DataFrame:
    """Return employment share and location quotient of a branch's métiers.

    On estimated jobs, the interval of the quotient is the wider of its own and of what the
    interval of the estimate gives.

    Args:
        jobs: Rows of the `employment` contract in one year, one per métier. Without its residual
            the branch's total is not known, and both are missing.
        national: National employment of one year by `metier_code`, `ENS` for all of them.
    """
    is_residual = jobs["metier_code"] == RESIDUAL_METIER
    total = jobs["employment_headcount"].sum() if is_residual.any() else np.nan
    table = jobs[~is_residual].set_index("metier_code")
    heads = table["employment_headcount"].astype(float)
    least, most = (
        table.get(f"employment_headcount_{end}", heads).astype(float).fillna(heads)
        for end in ("lower", "upper")
    )
    by_code = national.set_index("metier_code")["employment_headcount"].astype(float)
    share = (by_code / by_code["ENS"]).reindex(heads.index)
    quotient = location_quotient(heads, total, share)
    low, high = (location_quotient(end, total, share)["value"] for end in (least, most))
    facts = table[["year", "nature", "origin", "source_code"]]
    shares = facts.assign(
        criterion_code="employment_share",
        value=100 * heads / total,
        lower=100 * least / total,
        upper=100 * most / total,
    )
    quotients = facts.assign(
        criterion_code="location_quotient",
        value=quotient["value"],
        lower=np.minimum(quotient["lower"], low),
        upper=np.maximum(quotient["upper"], high),
    )
    return pd.concat([shares, quotients]).reset_index()


def public_values(tables: Mapping[str, pd.DataFrame], hard_to_fill: pd.DataFrame) -> pd.DataFrame:
    """Return the criteria that are facts of the métier, the same in every branch.

    Args:
        tables: `age_structure`, `certification_metiers`, `certifications`, `fap_rome`,
            `rome_transitions`, `tension`.
        hard_to_fill: `hard_to_fill_share_pct` of the survey in FAP-2009: `metier_code`, `year`,
            `value`, `lower`, `upper`, `status`.

    Returns:
        An interval says what is not known (secret cells of the survey, ROME records that say
        nothing); the ROME has no year.
    """
    survey = hard_to_fill.set_index("metier_code")[["value", "lower", "upper", "year", "status"]]
    tension = last_year(tables["tension"]).set_index("metier_code")[["tension_index", "year"]]
    certified, exposed = _certifications(tables), _exposures(tables)
    facts = {
        "ageing": ("dares_ages", _seniors(tables["age_structure"])),
        "replacement_difficulty": ("ft_bmo", survey),
        "qualification_level": ("certifinfo", certified.rename(columns={"level": "value"})),
        "certification_count": ("certifinfo", certified.rename(columns={"count": "value"})),
        "tension_index": ("dares_tensions", tension.rename(columns={"tension_index": "value"})),
        "ecological_exposure": ("ft_rome_transitions", exposed["ecological"].to_frame("value")),
        "digital_exposure": ("ft_rome_transitions", exposed.rename(columns={"digital": "value"})),
    }
    parts = [
        table.assign(criterion_code=code, source_code=source)
        for code, (source, table) in facts.items()
    ]
    rows = pd.concat(parts).rename_axis("metier_code").reset_index()
    return rows.assign(nature="observed", origin="public")


def gather(
    parts: Sequence[pd.DataFrame], metier_codes: Sequence[str], hidden: set[str]
) -> pd.DataFrame:
    """Return one row per métier and criterion.

    Args:
        parts: Values of criteria; of two values of one criterion, the later counts.
        metier_codes: Métiers of the branch.
        hidden: Those under the threshold of confidentiality: their own values are secret (`s`).

    Returns:
        `KEY` and `COLUMNS`; both bounds equal a value that is exact.
    """
    known = pd.concat(parts, ignore_index=True)
    known = known[known["metier_code"].isin(metier_codes)]
    rows = known.drop_duplicates(KEY, keep="last").reset_index(drop=True)[[*KEY, *COLUMNS]]
    rows = rows.astype({"value": float, "lower": float, "upper": float})
    rows = rows.fillna({"lower": rows["value"], "upper": rows["value"]})
    by_value = rows["value"].notna().map({True: "value", False: "nd"})
    rows["status"] = rows["status"].astype("object").fillna(by_value)
    is_secret = rows["metier_code"].isin(hidden) & (rows["origin"] == "own")
    rows.loc[is_secret, ["value", "lower", "upper"]] = np.nan
    rows.loc[is_secret, "status"] = "s"
    return rows


def under_threshold(cells: pd.DataFrame) -> set[str]:
    """Return the métiers whose own cell must not give a label: too few firms, or one too large.

    A cell that does not tell its firms is under the threshold too.

    Args:
        cells: `metier_code`, `origin`, `units_count`, `largest_share_pct`.

    Examples:
        >>> jobs = pd.DataFrame({"metier_code": list("ABCD"), "origin": ["own"] * 3 + ["public"],
        ...     "units_count": [3, 2, 9, None], "largest_share_pct": [80, 50, 90, None]})
        >>> sorted(under_threshold(jobs))
        ['B', 'C']
    """
    units = cells["units_count"].astype("Float64").fillna(0)
    largest = cells["largest_share_pct"].astype("Float64").fillna(100)
    is_under = (units < LEAST_UNITS) | (largest > LARGEST_SHARE_PCT)
    return set(cells.loc[(cells["origin"] == "own") & is_under.astype(bool), "metier_code"])


def _seniors(ages: pd.DataFrame) -> pd.DataFrame:
    """Return the share of jobs held from 55 on in the last period, in %."""
    latest = ages[ages["age_band"].isin(SENIOR_BANDS) & (ages["period"] == ages["period"].max())]
    first, last = latest["period"].iloc[0].split("-")
    share = 100 * latest.groupby("metier_code")["share"].sum()
    return pd.DataFrame({"value": share, "year": (int(first) + int(last)) // 2})


def _certifications(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return how many certifications each métier's ROME records have, and their mean level."""
    linked = tables["fap_rome"].merge(tables["certification_metiers"], on="rome_code")
    linked = linked.drop_duplicates(["metier_code", "certifinfo_code"])
    known = tables["certifications"]
    levels = known[["certifinfo_code", "framework_level"]]
    grouped = linked.merge(levels, on="certifinfo_code").groupby("metier_code")["framework_level"]
    level = grouped.mean().astype("Float64").astype(float)
    count = grouped.size().astype(float)
    return pd.DataFrame(
        {"count": count, "level": level, "year": int(known["updated_on"].max()[:4])}
    )


def _exposures(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return shares of each métier's ROME records that a transition changes, in %.

    Records that say nothing of the digital one count for nobody in `digital`, as not exposed in
    `lower`, as exposed in `upper`.
    """
    linked = tables["fap_rome"].merge(
        tables["rome_transitions"], left_on="rome_code", right_on="parent_rome_code"
    )
    digital = linked["digital_transition"].map({"yes": 1.0, "no": 0.0})
    is_exposed = pd.DataFrame(
        {
            "ecological": linked["ecological_transition"].isin(["green", "strategic"]),
            "digital": digital,
            "lower": digital.fillna(0.0),
            "upper": digital.fillna(1.0),
        }
    )
    return 100 * is_exposed.groupby(linked["metier_code"]).mean()
