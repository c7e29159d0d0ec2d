"""How far projections can be trusted: how such forecasts did in the past."""

import numpy as np
import pandas as pd

from opmq_lib.methods.forecast import scores
from opmq_lib.methods.forecast.backtest import backtest
from opmq_lib.tables.indicators import last_year

MODELS = ("panel", "naive", "drift", "ets")
"""The engine, the last value, the last value with the mean move, statsmodels' damped trend."""

CUTOFFS = 10
BRANCH_YEARS = 5
"""Longest distance at which a branch is scored: the series of its métiers start in 2004."""

FAMILY_LENGTH = 3
NORMAL_95 = 1.959964


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
        Each score by `model` and `horizon_years` (0: all) with the 95 % interval over series;
        `mase_by_cutoff` and `coverage_80_pct_by_cutoff` by model in the year of each cut-off;
        `pit_share_pct` by model and `quantile_level` (upper end of the tenth);
        `scored_series_count` by `level`, `metier` and `family`.
    """
    table = scores.summary(scored)
    margin = NORMAL_95 * table["standard_error"]
    whole = table.rename(columns={"score": "indicator", "step": "horizon_years"}).assign(
        lower=table["value"] - margin,
        upper=table["value"] + margin,
        interval_level=np.where(margin.notna(), 0.95, np.nan),
    )
    means = scored.groupby(["model", "cutoff_year"])[["mase", "coverage_80_pct"]].mean()
    by_cutoff = means.add_suffix("_by_cutoff").melt(var_name="indicator", ignore_index=False)
    past = by_cutoff.reset_index().rename(columns={"cutoff_year": "year"})
    pit = scores.pit_histogram(scored)[["model", "upper", "share_pct"]].round({"upper": 1})
    tenths = pit.set_axis(["model", "quantile_level", "value"], axis="columns").assign(
        indicator="pit_share_pct", year=base_year
    )
    is_family = scored.drop_duplicates("series_code")["series_code"].str.len() <= FAMILY_LENGTH
    counts = pd.DataFrame(
        {
            "indicator": "scored_series_count",
            "level": ["metier", "family"],
            "year": base_year,
            "value": [(~is_family).sum(), is_family.sum()],
            "unit": "count",
        }
    )
    measured = [
        part.assign(unit=np.where(part["indicator"].str.contains("_pct"), "pct", "ratio"))
        for part in (whole.assign(year=base_year), past, tenths)
    ]
    return [part.assign(nature="projection") for part in (*measured, counts)]


def branch_accuracy(scored: pd.DataFrame, jobs: pd.DataFrame, step: int) -> pd.DataFrame:
    """Return the errors that a branch's mix of métiers would have met, some years ahead.

    A branch's series are those of its métiers at the national level, times its share of them: the
    errors of each are weighed by the branch's employment in it.

    Args:
        scored: What `past_accuracy` returned.
        jobs: Employment by `branch_code`, `metier_code` and `year`, `value` in heads.
        step: Years ahead.

    Returns:
        Indicator rows by branch: `smape_pct_at_step` and `coverage_80_pct_at_step`, by `model`.
    """
    at_step = scored[scored["step"] == step].rename(columns={"series_code": "metier_code"})
    means = at_step.groupby(["model", "metier_code"])[["smape_pct", "coverage_80_pct"]].mean()
    errors = means.add_suffix("_at_step").melt(
        var_name="indicator", value_name="error", ignore_index=False
    )
    rows = last_year(jobs)[["branch_code", "metier_code", "year", "value"]].merge(
        errors.reset_index()
    )
    rows["error"] *= rows["value"]
    sums = rows.groupby(["branch_code", "year", "indicator", "model"])[["error", "value"]].sum()
    means = (sums["error"] / sums["value"]).reset_index(name="value")
    return means.assign(unit="pct", nature="projection")
