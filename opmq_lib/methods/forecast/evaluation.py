"""How far projections can be trusted: what carried each, and how such forecasts did in the past."""

import warnings
from collections.abc import Sequence

import pandas as pd

from opmq_lib.methods import forecast
from opmq_lib.methods.forecast import scores
from opmq_lib.methods.forecast.backtest import backtest
from opmq_lib.methods.forecast.explanations import explain_series
from opmq_lib.methods.forecast.second_opinions import second_opinion
from opmq_lib.methods.forecast.series import FilledGapsWarning
from opmq_lib.methods.forecast.settings import MIN_TRAINING_YEARS
from opmq_lib.tables.indicators import ALL_METIERS, largest_first, last_year

MODELS = ("panel", "naive", "drift", "ets")
"""The engine, the last value, the last value with the mean move, statsmodels' damped trend."""

SECOND_OPINIONS = ("naive", "ets")
LARGEST = 10
CUTOFFS = 10
BRANCH_YEARS = 5
"""Longest distance at which a branch is scored: the series of its métiers start in 2004."""

FAMILY_LENGTH = 3
LEVELS = (0.1, 0.5, 0.9)
NORMAL_95 = 1.959964


def national_panel(employment_national: pd.DataFrame, base_year: int) -> pd.DataFrame:
    """Return the national series by métier and by family, as they were known in a year.

    Args:
        employment_national: Heads by `metier_code` and `year`.
        base_year: Last year kept.

    Returns:
        `series_code, year, value`; without the total of all occupations.
    """
    kept = employment_national["metier_code"].ne(ALL_METIERS)
    kept &= employment_national["year"] <= base_year
    names = {"metier_code": "series_code", "employment_headcount": "value"}
    return employment_national.loc[kept, ["metier_code", "year", "employment_headcount"]].rename(
        columns=names
    )


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
        names = {"metier_code": "series_code", "employment_headcount": "value"}
        return metiers.rename(columns=names)[["series_code", "year", "value"]]
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
        learnt = forecast.learn_series(panel, horizon_years, quantile_levels)
        return forecast.forecast_employment(
            metiers, horizon_years, quantile_levels, scenario_code, learnt=learnt
        )


def explanations(metiers: pd.DataFrame, panel: pd.DataFrame, horizon_years: int) -> pd.DataFrame:
    """Return what carried each métier's projection, how it last did, and second opinions.

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
        why = why[why["series_code"].isin(metiers["metier_code"])]
        opinions = _second_opinions(metiers, horizon_years)
    columns = {
        **{name: ("family_weight_pct", name.removeprefix("weight_")) for name in _weights(why)},
        "level_gain": ("level_gain_pct", ""),
        "filled_years_count": ("filled_years_count", ""),
        **{f"{model}_mase": ("cutoff_mase", model) for model in ("panel", *SECOND_OPINIONS)},
    }
    long = why.melt(["series_code", "cutoff_year"], list(columns), "indicator").rename(
        columns={"series_code": "metier_code"}
    )
    is_pct = long["indicator"].str.startswith("weight_") | long["indicator"].eq("level_gain")
    is_past = long["indicator"].str.endswith("_mase") & long["cutoff_year"].notna()
    origin = "own" if metiers["origin"].eq("own").any() else "public"
    rows = long.assign(
        value=long["value"].astype(float).where(~is_pct, 100 * long["value"]),
        year=long["cutoff_year"].where(is_past, int(metiers["year"].max())).astype("int64"),
        unit=is_pct.map({True: "pct", False: "ratio"}),
        model=long["indicator"].map(lambda name: columns[name][1]),
        indicator=long["indicator"].map(lambda name: columns[name][0]),
    )
    rows["unit"] = rows["unit"].mask(rows["indicator"].eq("filled_years_count"), "years")
    found = pd.concat([rows.drop(columns="cutoff_year"), opinions], ignore_index=True)
    return found.assign(nature="projection", origin=origin)


def past_accuracy(panel: pd.DataFrame, horizon_years: int) -> pd.DataFrame:
    """Return every score of every forecast that would have been made in the past.

    Args:
        panel: Annual series.
        horizon_years: Years forecast from each cut-off; at most the last `CUTOFFS` that have all
            of them after it.

    Returns:
        What `scores.pair_scores` returns, for each of `MODELS`.
    """
    pairs = backtest(panel, horizon_years, models=MODELS, cutoffs_count=CUTOFFS)
    whole = pairs["cutoff_year"] <= int(panel["year"].max()) - horizon_years
    return scores.pair_scores(pairs[whole])


def accuracy_rows(scored: pd.DataFrame, base_year: int) -> list[pd.DataFrame]:
    """Return the scores as indicator rows.

    Args:
        scored: What `past_accuracy` returned.
        base_year: Last year of the series.

    Returns:
        `<score>.<model>.<step>` (step 0: all) with the 95 % interval over series;
        `<score>_by_cutoff.<model>` in the year of each cut-off; `pit_share_pct.<model>.<tenth>`;
        `scored_series_count.metier` and `.family`.
    """
    table = scores.summary(scored)
    margin = NORMAL_95 * table["standard_error"]
    whole = pd.DataFrame(
        {
            "indicator": table["score"] + "." + table["model"] + "." + table["step"].astype("str"),
            "year": base_year,
            "value": table["value"],
            "lower": table["value"] - margin,
            "upper": table["value"] + margin,
            "interval_level": margin.notna().map({True: 0.95, False: float("nan")}),
            "unit": table["score"].str.endswith("_pct").map({True: "pct", False: "ratio"}),
        }
    )
    by_year = scored.groupby(["model", "cutoff_year"])[["mase", "coverage_80_pct"]].mean()
    cutoffs = by_year.melt(var_name="score", ignore_index=False).reset_index()
    past = pd.DataFrame(
        {
            "indicator": cutoffs["score"] + "_by_cutoff." + cutoffs["model"],
            "year": cutoffs["cutoff_year"],
            "value": cutoffs["value"],
            "unit": cutoffs["score"].str.endswith("_pct").map({True: "pct", False: "ratio"}),
        }
    )
    pit = scores.pit_histogram(scored)
    tenth = (10 * pit["upper"]).round().astype(int).astype("str")
    shares = pd.DataFrame(
        {
            "indicator": "pit_share_pct." + pit["model"] + "." + tenth,
            "year": base_year,
            "value": pit["share_pct"],
            "unit": "pct",
        }
    )
    series = pd.Series(scored["series_code"].unique(), dtype="str")
    families = int((series.str.len() <= FAMILY_LENGTH).sum())
    counts = pd.DataFrame(
        {
            "indicator": ["scored_series_count.metier", "scored_series_count.family"],
            "year": base_year,
            "value": [float(len(series) - families), float(families)],
            "unit": "count",
        }
    )
    return [part.assign(nature="projection") for part in (whole, past, shares, counts)]


def branch_accuracy(scored: pd.DataFrame, jobs: pd.DataFrame, step: int) -> pd.DataFrame:
    """Return the errors that a branch's mix of métiers would have met, some years ahead.

    A branch's series are those of its métiers at the national level, times its share of them: the
    errors of each are weighed by the branch's employment in it.

    Args:
        scored: What `past_accuracy` returned.
        jobs: Employment by `branch_code`, `metier_code` and `year`, `value` in heads.
        step: Years ahead.

    Returns:
        Indicator rows by branch: `<score>_at_step.<model>` for sMAPE and the 80 % coverage.
    """
    per_metier = (
        scored[scored["step"] == step]
        .groupby(["model", "series_code"])[["smape_pct", "coverage_80_pct"]]
        .mean()
        .melt(var_name="score", value_name="met", ignore_index=False)
        .reset_index()
    )
    weighed = last_year(jobs)[["branch_code", "metier_code", "year", "value"]].merge(
        per_metier, left_on="metier_code", right_on="series_code"
    )
    weighed = weighed.assign(product=weighed["met"] * weighed["value"])
    sums = weighed.groupby(["branch_code", "year", "score", "model"])[["product", "value"]].sum()
    rows = sums.reset_index()
    return pd.DataFrame(
        {
            "branch_code": rows["branch_code"],
            "year": rows["year"],
            "indicator": rows["score"] + "_at_step." + rows["model"],
            "value": rows["product"] / rows["value"],
            "unit": "pct",
            "nature": "projection",
        }
    )


def _weights(why: pd.DataFrame) -> list[str]:
    return [str(name) for name in why.columns if str(name).startswith("weight_")]


def _second_opinions(metiers: pd.DataFrame, horizon_years: int) -> pd.DataFrame:
    """Return the second opinions on the largest métiers at the horizon, as indicator rows."""
    years = metiers.groupby("metier_code")["year"].transform("nunique")
    long_enough = metiers[years >= MIN_TRAINING_YEARS]
    ranked = last_year(long_enough).rename(columns={"employment_headcount": "value"})
    codes = largest_first(ranked)["metier_code"].head(LARGEST)
    chosen = metiers[metiers["metier_code"].isin(codes)]
    names = {"metier_code": "series_code", "employment_headcount": "value"}
    parts: list[pd.DataFrame] = []
    if chosen.empty:
        return pd.DataFrame(columns=["metier_code", "indicator", "year", "value", "unit"])
    for model in SECOND_OPINIONS:
        future = second_opinion(chosen.rename(columns=names), horizon_years, LEVELS, model)
        wide = last_year(future).pivot(
            index=["series_code", "year"], columns="quantile_level", values="value"
        )
        rows = wide.reset_index().rename(columns={"series_code": "metier_code"})
        rows = rows.rename(columns=dict(zip(LEVELS, ("lower", "value", "upper"), strict=True)))
        parts.append(rows.assign(indicator="second_opinion_headcount", model=model))
    return pd.concat(parts).assign(unit="headcount", interval_level=0.8)
