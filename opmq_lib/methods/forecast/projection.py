"""A branch's published projection: what it is learnt from, what carries it, two other opinions."""

import warnings
from collections.abc import Sequence

import pandas as pd

from opmq_lib.methods.forecast.api import forecast_employment, learn_series
from opmq_lib.methods.forecast.explanations import explain_series
from opmq_lib.methods.forecast.grid import FAMILIES
from opmq_lib.methods.forecast.published import (
    ASKED_YEARS,
    family_changes,
    follow,
    forecasts_from,
    learn_rule,
)
from opmq_lib.methods.forecast.second_opinions import second_opinion
from opmq_lib.methods.forecast.series import FilledGapsWarning
from opmq_lib.methods.forecast.settings import MIN_TRAINING_YEARS
from opmq_lib.tables.fap import FAMILY_LENGTH
from opmq_lib.tables.indicators import ALL_METIERS, largest_first, last_year, with_interval

SECOND_OPINIONS, JUDGED = ("naive", "ets"), ("panel", "naive")
OWN_ORIGINS = 10
"""Years that a branch's own families must offer as cut-offs before they choose their own rule."""

LARGEST = 10
NODE = ["branch_code", "metier_code"]
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
    """Return the series from which a branch's projections are learnt, métiers and families.

    The estimate moves with the métiers' national series: these teach it, so that one métier has
    one relative projection in every branch. A branch's own figures teach themselves.

    Args:
        metiers: Rows of the `employment` contract, of one branch, without its residual.
        employment_national: Heads by `metier_code` and `year`.
        base_year: Last year of the estimate.

    Returns:
        `series_code, year, value`; the code of a branch's series is that of its métier. A family of
        own figures is the sum of its métiers, in the years when all are known.
    """
    if not metiers["nature"].eq("observed").any():
        return national_panel(employment_national, base_year)
    own = _as_series(metiers)
    family = own["series_code"].str[:FAMILY_LENGTH]
    members = own.groupby(family)["series_code"].nunique()
    sums = own["value"].groupby([family, own["year"]]).agg(["sum", "count"]).reset_index()
    is_whole = sums["count"].eq(sums["series_code"].map(members))
    is_new = ~sums["series_code"].isin(own["series_code"])
    families = sums[is_whole & is_new].rename(columns={"sum": "value"})
    return pd.concat([own, families[own.columns]], ignore_index=True)


def branch_rule(panel: pd.DataFrame, national: pd.DataFrame, horizon_years: int) -> pd.DataFrame:
    """Return what a métier keeps of its family's projected change, horizon by horizon.

    Args:
        panel: What `learning_panel` returned.
        national: What `national_panel` returned.
        horizon_years: Years projected.

    Returns:
        What `published.learn_rule` learns from national families, or from the branch's own where
        they have been known for `OWN_ORIGINS` years with six before each.
    """
    families = panel.loc[panel["series_code"].str.len() <= FAMILY_LENGTH, "year"]
    is_long = families.max() - families.min() + 1 >= OWN_ORIGINS + MIN_TRAINING_YEARS
    with warnings.catch_warnings(action="ignore", category=FilledGapsWarning):
        return learn_rule(panel if is_long else national, max(horizon_years, ASKED_YEARS))


def project(  # noqa: PLR0913 - what it is learnt from, and what is asked
    metiers: pd.DataFrame,
    panel: pd.DataFrame,
    rule: pd.DataFrame,
    horizon_years: int,
    quantile_levels: Sequence[float],
    scenario_code: str,
) -> pd.DataFrame:
    """Return the published projection of a branch's employment.

    Years missing inside a series are filled by a straight line; `explanations` counts them.

    Args:
        metiers: As for `learning_panel`.
        panel: What `learning_panel` returned.
        rule: What `branch_rule` returned: change a `retained_share` to see what it does.
        horizon_years: Years projected.
        quantile_levels: Probabilities, 0.5 among them.
        scenario_code: Copied to the result.

    Returns:
        Rows of the `projection` contract.
    """
    asked = max(horizon_years, ASKED_YEARS)
    with warnings.catch_warnings(action="ignore", category=FilledGapsWarning):
        learnt = learn_series(panel, asked, quantile_levels)
        engine = forecast_employment(
            metiers, asked, quantile_levels, scenario_code, learnt=learnt
        ).assign(model="published")
        families = forecasts_from(panel, quantile_levels, asked)
    last = metiers.sort_values("year", kind="stable").drop_duplicates(NODE, keep="last")
    last = last[NODE].assign(last_value=last["employment_headcount"])
    changes = family_changes(families, rule).drop(columns="cutoff_year")
    shown = engine[engine["year"] - engine["cutoff_year"] <= horizon_years]
    moved = follow(shown.merge(last, on=NODE), changes)
    return moved[engine.columns].reset_index(drop=True)


def explanations(metiers: pd.DataFrame, panel: pd.DataFrame, horizon_years: int) -> pd.DataFrame:
    """Return which models made the projection that each métier follows, and second opinions.

    That projection is the engine's for the métier's family.

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
        series = explain_series(panel, horizon_years, JUDGED).set_index("series_code")
        opinions = _second_opinions(metiers, horizon_years)
    codes = pd.Index(metiers["metier_code"].unique(), name="series_code")
    leader = codes.str[:FAMILY_LENGTH]
    leader = leader.where(leader.isin(series.index), codes)
    filled = series["filled_years_count"].reindex(codes).to_numpy()
    why = series.reindex(leader).set_axis(codes).assign(filled_years_count=filled).reset_index()
    last = int(metiers["year"].max())
    cutoff = why["cutoff_year"].fillna(last).astype("int64")
    columns = [
        *(("family_weight_pct", f.name, 100 * why[f"weight_{f.name}"], last) for f in FAMILIES),
        ("level_gain_pct", "", 100 * why["level_gain"], last),
        ("filled_years_count", "", why["filled_years_count"], last),
        *(("cutoff_mase", m, why[f"{m}_mase"], cutoff) for m in JUDGED),
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
