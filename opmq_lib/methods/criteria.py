"""What is known of each métier that a list may ask, from public tables and the branch's jobs (C1).

Facts are a table `metier_code, criterion_code, value, lower, upper, year, nature, origin, status,
source_code, reliability_grade`; an absent bound or status is filled in by `gather`.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd
from scipy.special import ndtri

from opmq_lib.methods import draws
from opmq_lib.methods.core import DRAWS, Drawn, Floats
from opmq_lib.methods.employment.levels import INTERVAL_SPAN
from opmq_lib.methods.reliability import best_grades, grades
from opmq_lib.methods.skills import certifications
from opmq_lib.tables.indicators import ALL_METIERS

KEY = ["metier_code", "criterion_code"]
COLUMNS = [
    *("value", "lower", "upper", "year", "nature", "origin", "status", "source_code"),
    "reliability_grade",
]
LEFT = "departure_rank"
SENIOR_BANDS = ("55-59 ans", "60 ans ou plus")
LEAST_UNITS, LARGEST_SHARE_PCT = 3, 85.0
"""Primary rules for enterprises: source: Insee, as in methodology, K1."""
DEPARTURES_LOG_SD = 0.15
"""Standard deviation of the log of official over own departure rates, by family (measured)."""
LEVELS = np.array([0.1, 0.5, 0.9])
"""What lower end, value and upper end of a fact are: an 80 % interval."""


def employment_facts(looked_at: pd.DataFrame) -> pd.DataFrame:
    """Return share and location quotient of the métiers looked at, with a grade where estimated.

    Args:
        looked_at: From `employment.candidates`.
    """
    best = best_grades(looked_at["headcount_fit_ratio"])
    low, high = (looked_at[f"employment_share_pct_{end}"] for end in ("lower", "upper"))
    letters = np.where(looked_at["level_log_sd"] > 0, grades(low, high, best), "")
    facts = looked_at[["metier_code", "year", "nature", "origin", "source_code"]].assign(
        reliability_grade=letters
    )
    parts = []
    for code, column in (
        ("employment_headcount", "employment_headcount"),
        ("employment_share", "employment_share_pct"),
        ("location_quotient", "location_quotient"),
    ):
        named = {end: looked_at[f"{column}_{end}"] for end in ("lower", "upper")}
        parts.append(facts.assign(criterion_code=code, value=looked_at[column], **named))
    return pd.concat(parts, ignore_index=True)


def national_facts(
    tables: Mapping[str, pd.DataFrame], tensions: pd.DataFrame, rates: pd.DataFrame, on: date
) -> pd.DataFrame:
    """Return what is the same in every branch: tension, departures, transition, ages, certificates.

    Args:
        tables: `age_structure`, `certification_metiers`, `certifications`, `fap_rome`,
            `rome_transitions`.
        tensions: From `passage.metier_tensions`; its class is the least of the images.
        rates: From `metier_rates`.
        on: Day on which certifications must still run.

    Returns:
        The ROME has no year. Ranks are in % of the other métiers that are under it.
    """
    tense = tensions.set_index("metier_code")[["year", "tension_class_least", "tension_rank_share"]]
    classes = tense.rename(columns={"tension_class_least": "value"})
    ranks = tense.assign(value=100 * tense["tension_rank_share"])
    known = _rated(rates)
    spread = np.exp(INTERVAL_SPAN / 2 * DEPARTURES_LOG_SD * np.array([-1, 0, 1]))
    under = departure_ranks(known["departure_rate_pct"], np.tile(spread, (len(known), 1)))
    left = pd.DataFrame(under, known.index, ["lower", "value", "upper"])
    facts = {
        "tension_class": ("dares_tensions", classes),
        "tension_rank": ("dares_tensions", ranks),
        LEFT: ("dares_metiers_2030", left.assign(nature=known["nature"])),
        "ecological_exposure": ("ft_rome_transitions", _exposures(tables)),
        "ageing": ("dares_ages", _seniors(tables["age_structure"])),
        "certification_count": ("certifinfo", _certifications(tables, on)),
    }
    parts = [
        table.assign(criterion_code=code, source_code=source)
        for code, (source, table) in facts.items()
    ]
    rows = pd.concat(parts).rename_axis("metier_code").reset_index()
    return rows.fillna({"nature": "observed"}).assign(origin="public")


def departure_ranks(rates: pd.Series, factors: Floats) -> Floats:
    """Return the share of the other métiers that are left less, in %.

    Args:
        rates: Departure rate of every métier, in %.
        factors: Métiers × any number: what each one's rate is multiplied by, the others' as given.

    Examples:
        >>> departure_ranks(pd.Series([2.0, 3.0, 4.0]), np.array([[1.0], [1.5], [1.2]])).tolist()
        [[0.0], [100.0], [100.0]]
    """
    known = rates.to_numpy("float64")[:, None]
    moved = known * factors
    under = np.searchsorted(np.sort(known[:, 0]), moved) - (known < moved)
    return np.asarray(100 * under / (len(rates) - 1))


def drawn(looked_at: pd.DataFrame, rates: pd.DataFrame, facts: pd.DataFrame) -> Drawn:
    """Return what is known within an interval as points spread evenly: métiers × draws.

    Share and quotient move together with the level of employment; all else moves apart. Labels look
    at one métier at a time: all of them can have the same points.

    Args:
        looked_at: From `employment.candidates`.
        rates: From `metier_rates`.
        facts: From `gather`; those with an interval are drawn too.
    """
    table, known = looked_at.set_index("metier_code"), _rated(rates)
    is_open = facts["lower"].lt(facts["upper"]).groupby(facts["criterion_code"]).any()
    others = sorted(set(is_open.index[is_open]) - {*at_levels(table, np.ones(1)), LEFT})
    level, left, *normals = ndtri(draws.spread_points(DRAWS, 2 + len(others)).T)
    found = at_levels(table, np.exp(table[["level_log_sd"]].to_numpy() * level))
    factors = np.tile(np.exp(DEPARTURES_LOG_SD * left), (len(known), 1))
    ranks = departure_ranks(known["departure_rate_pct"], factors)
    found[LEFT] = pd.DataFrame(ranks, known.index).reindex(table.index)
    for code, normal in zip(others, normals, strict=True):
        rows = facts[facts["criterion_code"] == code].set_index("metier_code")
        ends = rows[["lower", "value", "upper"]].reindex(table.index).to_numpy("float64")
        each = np.tile(normal, (len(table), 1))
        moved = draws.along_quantiles(ends[:, None], LEVELS, each)[:, 0]
        found[code] = pd.DataFrame(moved, table.index)
    return found


def at_levels(table: pd.DataFrame, factors: Floats) -> dict[str, pd.DataFrame]:
    """Return share and quotient of métiers whose employment is multiplied by factors.

    Args:
        table: From `employment.candidates`, by métier.
        factors: Métiers × any number.
    """
    share = table[["employment_share_pct"]].to_numpy()
    moved = np.minimum(share * factors, 100.0)
    ratio = np.divide(moved, share, out=np.zeros_like(moved), where=share > 0)
    return {
        "employment_share": pd.DataFrame(moved, table.index),
        "location_quotient": pd.DataFrame(
            ratio * table[["location_quotient"]].to_numpy(), table.index
        ),
    }


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
    rows = known.drop_duplicates(KEY, keep="last", ignore_index=True)
    rows = rows.reindex(columns=[*KEY, *COLUMNS])
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


def _rated(rates: pd.DataFrame) -> pd.DataFrame:
    """Return the métiers whose departure rate is known, by code."""
    is_known = rates["departure_rate_pct"].notna() & rates["metier_code"].ne(ALL_METIERS)
    return rates[is_known].set_index("metier_code")


def _seniors(ages: pd.DataFrame) -> pd.DataFrame:
    """Return the share of jobs held from 55 on in the last period, in %."""
    latest = ages[ages["age_band"].isin(SENIOR_BANDS) & (ages["period"] == ages["period"].max())]
    first, last = latest["period"].iloc[0].split("-")
    share = 100 * latest.groupby("metier_code")["share"].sum()
    return pd.DataFrame({"value": share, "year": (int(first) + int(last)) // 2})


def _certifications(tables: Mapping[str, pd.DataFrame], on: date) -> pd.DataFrame:
    """Return how many certifications that still run aim at each métier's ROME records."""
    running = certifications.live(tables["certifications"], on)
    links = certifications.metier_links(tables["certification_metiers"])
    codes = sorted(set(tables["fap_rome"]["metier_code"]))
    counts = certifications.fap_coverage(running, links, tables["fap_rome"], codes)
    year = int(tables["certifications"]["updated_on"].max()[:4])
    counted = counts.set_index("metier_code").rename(columns={"certifications_count": "value"})
    return counted.assign(year=year)


def _exposures(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return shares of each métier's ROME records that the ecological transition changes, in %."""
    linked = tables["fap_rome"].merge(
        tables["rome_transitions"], left_on="rome_code", right_on="parent_rome_code"
    )
    is_exposed = linked["ecological_transition"].isin(["green", "strategic"])
    return 100 * is_exposed.groupby(linked["metier_code"]).mean().to_frame("value")
