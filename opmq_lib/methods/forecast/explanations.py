"""Why a series is forecast as it is, in terms that a statistician can dispute."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from opmq_lib.methods.forecast import blocks as bl
from opmq_lib.methods.forecast import scores
from opmq_lib.methods.forecast.backtest import backtest
from opmq_lib.methods.forecast.blocks import Block
from opmq_lib.methods.forecast.engine import learn_panel, parts
from opmq_lib.methods.forecast.grid import FAMILIES, STARTS, differences
from opmq_lib.methods.forecast.learning import Lessons
from opmq_lib.methods.forecast.operators import one_thread
from opmq_lib.methods.forecast.series import Array, FilledGapsWarning, question_defects, tidy_panel

LEVEL_GAINS = np.concatenate(
    [
        np.ones(len(family.points)) if family.recursion is differences else family.points[:, 0]
        for family in FAMILIES
    ]
)
"""Share of each year's surprise that each model keeps in its level."""


def explain_series(
    series: pd.DataFrame, horizon_years: int, models: Sequence[str] = ("panel", "naive")
) -> pd.DataFrame:
    """Return, for each series, which models made its forecast and how it last did.

    Args:
        series: As for `forecast_series`, and all that it is learnt from.
        horizon_years: As for `forecast_series`.
        models: What is judged at the last cut-off, as for `backtest`.

    Returns:
        One row per `series_code`:

        - `filled_years_count`: years missing inside the series, filled by a straight line;
        - `weight_<family>`: share of each family in the combined forecast at the horizon;
        - `level_gain`: share of last year's surprise that the combination believes, 0 to 1;
        - `cutoff_year`, `<model>_mase`: errors of forecasts made `horizon_years` before the end
          (less where six years would not be left to learn from), the engine's with what the panel
          then taught.

        Weights, gain and errors are missing where no model is fitted (too short, never moved).

    Raises:
        DataError: As `forecast_series`.

    Examples:
        >>> jobs = pd.DataFrame({"series_code": "J1C92", "year": range(2000, 2019),
        ...                      "value": [200.0 + 3 * n + n % 2 for n in range(19)]})
        >>> why = explain_series(jobs, horizon_years=3).iloc[0]
        >>> bool(why["panel_mase"] < why["naive_mase"])
        True
    """
    tidy = tidy_panel(series, question_defects(horizon_years, ()))
    learnt = learn_panel(tidy.panel, horizon_years, np.array([0.5]))
    weights = np.full((len(tidy.codes), len(FAMILIES) + 1), np.nan)
    for part, lessons, _ in parts(tidy.panel, learnt):
        weights[part.index] = median_weights(part, lessons)
    names = [*(f"weight_{family.name}" for family in FAMILIES), "level_gain"]
    table = pd.DataFrame(weights, tidy.codes.rename("series_code"), names)
    errors = _last_errors(series, horizon_years, models)
    return table.assign(filled_years_count=tidy.filled_years_count).join(errors).reset_index()


@one_thread
def median_weights(part: Block, lessons: Lessons) -> Array:
    """Return the weights with which the models make the median at the horizon.

    Args:
        part: The block.
        lessons: What the panel taught.

    Returns:
        (n, families + 1): the families' weights, which sum to 1, and the level gain.
    """
    evidence = bl.evidence(part, len(lessons.quantiles), lessons.growth, lessons.settings)
    weight = bl.weights(evidence.loglik, lessons.weights)
    steps, forecasts = lessons.settings.median_steps, evidence.forecasts
    center, between = bl.weighted_median(weight, forecasts, steps)
    distance = np.abs(forecasts[-1] - center[-1]) + 0.1 * np.sqrt(between[-1])
    pull = (weight / distance)[:, : len(part.index)].astype(float)
    pull /= pull.sum(axis=0)
    return np.vstack([np.add.reduceat(pull, STARTS, axis=0), LEVEL_GAINS @ pull]).T


def _last_errors(series: pd.DataFrame, horizon_years: int, models: Sequence[str]) -> pd.DataFrame:
    """Return the cut-off year and each model's MASE from there, by series."""
    with warnings.catch_warnings(action="ignore", category=FilledGapsWarning):
        pairs = backtest(series, horizon_years, (), models, cutoffs_count=1)
    error = scores.scaled_error(*pairs[["actual", "value", "scale"]].to_numpy().T)
    by_model = pairs.assign(error=error).pivot_table("error", "series_code", "model")
    errors = by_model.reindex(columns=list(models)).add_suffix("_mase")
    return errors.assign(cutoff_year=pairs.groupby("series_code")["cutoff_year"].max())
