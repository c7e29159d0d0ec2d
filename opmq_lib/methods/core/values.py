"""What each ready criterion is worth for each métier, from public tables and the branch's jobs."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from opmq_lib.methods.core.quotient import location_quotient

COLUMNS = ("value", "lower", "upper", "year", "nature", "origin", "status", "source_code")
SENIOR_BANDS = ("55-59 ans", "60 ans ou plus")
EMPLOYMENT = ("employment_share", "location_quotient")
"""Criteria that rest on the branch's jobs, and move together when these are uncertain."""
LEAST_UNITS, LARGEST_SHARE_PCT = 3, 85.0
"""Primary rules for enterprises: source: Insee, as in methodology, K1."""


def under_threshold(jobs: pd.DataFrame) -> set[str]:
    """Return the métiers whose own cell must not give a label: too few firms, or one too large.

    A cell that does not tell its firms is under the threshold too.

    Args:
        jobs: Rows of the `employment` contract, in one year.

    Examples:
        >>> jobs = pd.DataFrame({"metier_code": list("ABCD"), "origin": ["own"] * 3 + ["public"],
        ...     "units_count": [3, 2, 9, None], "largest_share_pct": [80, 50, 90, None]})
        >>> sorted(under_threshold(jobs))
        ['B', 'C']
    """
    units = jobs["units_count"].astype("Float64").fillna(0)
    largest = jobs["largest_share_pct"].astype("Float64").fillna(100)
    hidden = (jobs["origin"] == "own") & ((units < LEAST_UNITS) | (largest > LARGEST_SHARE_PCT))
    return set(jobs.loc[hidden.astype(bool), "metier_code"])


def employment_values(
    jobs: pd.DataFrame, branch_total: float | None, national: pd.DataFrame
) -> pd.DataFrame:
    """Return employment share and location quotient of a branch's métiers.

    On estimated jobs, the interval of the quotient is the wider of its own and of what the variants
    of the estimate give.

    Args:
        jobs: Rows of the `employment` contract in one year, one per métier, residual left out.
        branch_total: Jobs of the whole branch, in heads; `None` where the table does not hold it:
            shares are then missing.
        national: National employment of one year by `metier_code`, `ENS` for all of them.

    Returns:
        `metier_code`, `criterion_code` and `COLUMNS`.
    """
    table = jobs.set_index("metier_code")
    heads = table["employment_headcount"].astype(float)
    total = np.nan if branch_total is None else branch_total
    ends = {
        "lower": table.get("employment_headcount_lower", heads).astype(float).fillna(heads),
        "upper": table.get("employment_headcount_upper", heads).astype(float).fillna(heads),
    }
    by_code = national.set_index("metier_code")["employment_headcount"].astype(float)
    share = (by_code / by_code["ENS"]).reindex(heads.index)
    quotient = location_quotient(heads, total, share)
    low, high = (location_quotient(ends[end], total, share)["value"] for end in ends)
    told = table[["year", "nature", "origin", "source_code"]]
    parts = {
        "employment_share": told.assign(
            value=100 * heads / total,
            lower=100 * ends["lower"] / total,
            upper=100 * ends["upper"] / total,
        ),
        "location_quotient": told.assign(
            value=quotient["value"],
            lower=np.minimum(quotient["lower"], low),
            upper=np.maximum(quotient["upper"], high),
        ),
    }
    return _stacked(parts)


def public_values(tables: Mapping[str, pd.DataFrame], hard_to_fill: pd.DataFrame) -> pd.DataFrame:
    """Return the criteria that are facts of the métier, the same in every branch.

    Args:
        tables: `age_structure`, `certification_metiers`, `certifications`, `fap_rome`,
            `rome_transitions`, `tension`.
        hard_to_fill: `hard_to_fill_share_pct` of the survey in FAP-2009: `metier_code`, `year`,
            `value`, `lower`, `upper`, `status`.

    Returns:
        `metier_code`, `criterion_code` and `COLUMNS`; an interval says what is not known (secret
        cells of the survey, ROME records that say nothing); the ROME has no year.
    """
    ages = tables["age_structure"]
    ages = ages[ages["age_band"].isin(SENIOR_BANDS) & (ages["period"] == ages["period"].max())]
    tension = tables["tension"]
    tension = tension[tension["year"] == tension["year"].max()].set_index("metier_code")
    survey = hard_to_fill.set_index("metier_code")
    exposed = _exposures(tables["fap_rome"], tables["rome_transitions"])
    certified = _certifications(
        tables["fap_rome"], tables["certification_metiers"], tables["certifications"]
    )
    first, last = ages["period"].iloc[0].split("-")
    parts = {
        "ageing": _told(
            100 * ages.groupby("metier_code")["share"].sum(),
            (int(first) + int(last)) // 2,
            "dares_ages",
        ),
        "replacement_difficulty": _told(
            survey["value"], int(survey["year"].max()), "ft_bmo", survey["lower"], survey["upper"]
        ).assign(status=survey["status"]),
        "qualification_level": _told(certified["level"], 2024, "certifinfo"),
        "certification_count": _told(certified["count"], 2024, "certifinfo"),
        "tension_index": _told(
            tension["tension_index"].astype(float), int(tension["year"].max()), "dares_tensions"
        ),
        "ecological_exposure": _told(exposed["ecological"], None, "ft_rome_transitions"),
        "digital_exposure": _told(
            exposed["digital"], None, "ft_rome_transitions", exposed["least"], exposed["most"]
        ),
    }
    return _stacked(parts)


def complete(values: pd.DataFrame, metier_codes: list[str], criteria: list[str]) -> pd.DataFrame:
    """Return one row per métier and criterion; what no table gives is `nd`.

    Args:
        values: `metier_code`, `criterion_code` and `COLUMNS`.
        metier_codes: Métiers of the branch.
        criteria: Codes of criteria.
    """
    key = ["metier_code", "criterion_code"]
    wanted = pd.MultiIndex.from_product([metier_codes, criteria], names=key)
    whole = values.drop_duplicates(key, keep="last").set_index(key).reindex(wanted)
    whole["nature"] = whole["nature"].fillna("observed")
    whole["origin"] = whole["origin"].fillna("public")
    whole["source_code"] = whole["source_code"].fillna("")
    by_value = whole["value"].notna().map({True: "value", False: "nd"})
    whole["status"] = whole["status"].fillna(by_value)
    for end in ("lower", "upper"):
        whole[end] = whole[end].astype(float).fillna(whole["value"])
    return whole.reset_index()


def _exposures(fap_rome: pd.DataFrame, transitions: pd.DataFrame) -> pd.DataFrame:
    """Return shares of the ROME records of each métier that name a transition, in %."""
    linked = fap_rome.merge(transitions, left_on="rome_code", right_on="parent_rome_code")
    grouped = pd.DataFrame(
        {
            "metier_code": linked["metier_code"],
            "ecological": linked["ecological_transition"].isin(["green", "strategic"]),
            "yes": linked["digital_transition"] == "yes",
            "known": linked["digital_transition"] != "",
        }
    ).groupby("metier_code")
    count, sums = grouped.size(), grouped.sum().astype(float)
    return pd.DataFrame(
        {
            "ecological": 100 * sums["ecological"] / count,
            "digital": 100 * sums["yes"] / sums["known"].where(sums["known"] > 0),
            "least": 100 * sums["yes"] / count,
            "most": 100 * (sums["yes"] + count - sums["known"]) / count,
        }
    )


def _certifications(
    fap_rome: pd.DataFrame, links: pd.DataFrame, certifications: pd.DataFrame
) -> pd.DataFrame:
    """Return how many certifications each métier's ROME records have, and their mean level."""
    linked = fap_rome.merge(links, on="rome_code").drop_duplicates(
        ["metier_code", "certifinfo_code"]
    )
    levels = certifications[["certifinfo_code", "framework_level"]]
    grouped = linked.merge(levels, on="certifinfo_code").groupby("metier_code")
    return pd.DataFrame(
        {
            "count": grouped.size().astype(float),
            "level": grouped["framework_level"].mean().astype("Float64").astype(float),
        }
    )


def _told(
    value: pd.Series,
    year: int | None,
    source_code: str,
    lower: pd.Series | None = None,
    upper: pd.Series | None = None,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "value": value,
            "lower": value if lower is None else lower,
            "upper": value if upper is None else upper,
            "year": year,
            "nature": "observed",
            "origin": "public",
            "source_code": source_code,
        }
    )


def _stacked(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    rows = [
        part.rename_axis("metier_code").reset_index().assign(criterion_code=code)
        for code, part in parts.items()
    ]
    table = pd.concat(rows, ignore_index=True)
    if "status" not in table:
        table["status"] = None
    by_value = table["value"].notna().map({True: "value", False: "nd"})
    table["status"] = table["status"].astype("object").fillna(by_value)
    return table[["metier_code", "criterion_code", *COLUMNS]]
