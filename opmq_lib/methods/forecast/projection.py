"""A branch's projection: what it is learnt from, what carries it, and two other opinions."""

import warnings
from collections.abc import Sequence

import pandas as pd

from opmq_lib.methods.forecast.api import forecast_employment, learn_series
from opmq_lib.methods.forecast.explanations import explain_series
from opmq_lib.methods.forecast.grid import FAMILIES
from opmq_lib.methods.forecast.second_opinions import second_opinion
from opmq_lib.methods.forecast.series import FilledGapsWarning
from opmq_lib.methods.forecast.settings import MIN_TRAINING_YEARS
from opmq_lib.tables.indicators import ALL_METIERS, largest_first, last_year, with_interval

SECOND_OPINIONS = ("naive", "ets")
LARGEST = 10
LEVELS = (0.1, 0.5, 0.9)
UNITS = {
    "family_weight_pct": "pct",
    "level_gain_pct": "pct",
    "filled_years_count": "years",
    "cutoff_mase": "ratio",
}


def national_panel(employment_national: pd.DataFrame, base_year: int) -> pd.DataFrame:
    """Return the national series by métier and by family, as they were known in a year.

    Args:
        employment_national: Heads by `metier_code` and `year`.
        base_year: Last year kept.

    Returns:
        `series_code, year, value`; without the total of all occupations.
    """
    is_metier = employment_national["metier_code"].ne(ALL_METIERS)
    return _as_series(employment_national[is_metier & (employment_national["year"] <= base_year)])


def learning_panel(
    metiers: pd.DataFrame, employment_national: pd.DataFrame, base_year: int
) -> pd.DataFrame:
    """Return the series from which a branch's projections are learnt.

    The estimate moves with the métiers' national series: these teach it, so that one métier has
    one relative projection in every branch. A branch's own figures teach themselves.

    Args:
        metiers: Rows of the `employment` contract, of one branch, without its residual.
        employment_national: Heads by `metier_code` and `year`.
        base_year: Last year of the estimate.

    Returns:
        `series_code, year, value`; the code of a branch's series is that of its métier.
    """
    if metiers["origin"].eq("own").any():
        return _as_series(metiers)
    return national_panel(employment_national, base_year)


def project(
    metiers: pd.DataFrame,
    panel: pd.DataFrame,
    horizon_years: int,
    quantile_levels: Sequence[float],
    scenario_code: str,
) -> pd.DataFrame:
    """Return the projection of a branch's employment, learnt from a panel.

    Years missing inside a series are filled by a straight line; `explanations` counts them.

    Args:
        metiers: As for `learning_panel`.
        panel: What `learning_panel` returned.
        horizon_years: Years projected.
        quantile_levels: Probabilities.
        scenario_code: Copied to the result.

    Returns:
        Rows of the `projection` contract.
    """
    with warnings.catch_warnings(action="ignore", category=FilledGapsWarning):
        learnt = learn_series(panel, horizon_years, quantile_levels)
        return forecast_employment(
            metiers, horizon_years, quantile_levels, scenario_code, learnt=learnt
        )


def explanations(metiers: pd.DataFrame, panel: pd.DataFrame, horizon_years: int) -> pd.DataFrame:
    """Return which models made each métier's projection, how it last did, and second opinions.

    Args:
        metiers: As for `learning_panel`.
        panel: What `learning_panel` returned.
        horizon_years: Years projected.

    Returns:
        Indicator rows: `family_weight_pct` by model, `level_gain_pct` (share of the last surprise
        that is believed), `filled_years_count`, `cutoff_mase` by model in the year of the last
        cut-off, and for the largest métiers `second_opinion_headcount` by model at the horizon
        with its 80 % interval.
    """
    with warnings.catch_warnings(action="ignore", category=FilledGapsWarning):
        why = explain_series(panel, horizon_years, models=("panel", *SECOND_OPINIONS))
        opinions = _second_opinions(metiers, horizon_years)
    why = why[why["series_code"].isin(metiers["metier_code"])]
    last = int(metiers["year"].max())
    cutoff = why["cutoff_year"].fillna(last).astype("int64")
    columns = [
        *(("family_weight_pct", f.name, 100 * why[f"weight_{f.name}"], last) for f in FAMILIES),
        ("level_gain_pct", "", 100 * why["level_gain"], last),
        ("filled_years_count", "", why["filled_years_count"], last),
        *(("cutoff_mase", m, why[f"{m}_mase"], cutoff) for m in ("panel", *SECOND_OPINIONS)),
    ]
    rows = [
        pd.DataFrame({"metier_code": why["series_code"], "value": value, "year": year}).assign(
            indicator=indicator, model=model, unit=UNITS[indicator]
        )
        for indicator, model, value, year in columns
    ]
    origin = "own" if metiers["origin"].eq("own").any() else "public"
    whole = pd.concat([*rows, *opinions], ignore_index=True)
    return whole.assign(nature="projection", origin=origin)


def _second_opinions(metiers: pd.DataFrame, horizon_years: int) -> list[pd.DataFrame]:
    """Return the second opinions on the largest métiers at the horizon, as indicator rows."""
    years = metiers.groupby("metier_code")["year"].transform("nunique")
    long_enough = metiers[years >= MIN_TRAINING_YEARS]
    if long_enough.empty:
        return []
    ranked = largest_first(last_year(long_enough).rename(columns={"employment_headcount": "value"}))
    largest = ranked["metier_code"].head(LARGEST)
    chosen = _as_series(metiers[metiers["metier_code"].isin(largest)])
    parts = []
    for model in SECOND_OPINIONS:
        future = second_opinion(chosen, horizon_years, LEVELS, model)
        rows = with_interval(last_year(future), ["series_code", "year"])
        named = rows.rename(columns={"series_code": "metier_code"})
        parts.append(named.assign(indicator="second_opinion_headcount", model=model))
    return parts


def _as_series(employment: pd.DataFrame) -> pd.DataFrame:
    columns = employment[["metier_code", "year", "employment_headcount"]]
    return columns.set_axis(["series_code", "year", "value"], axis="columns")
