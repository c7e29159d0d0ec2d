"""Why a series is forecast as it is, in terms that a statistician can dispute."""

import numpy as np
import pandas as pd

from opmq_lib import scores
from opmq_lib.forecast import blocks as bl
from opmq_lib.forecast.api import engine_levels
from opmq_lib.forecast.blocks import Block, Panel
from opmq_lib.forecast.engine import Learnt, forecast_panel, learn_panel
from opmq_lib.forecast.grid import FAMILIES, STARTS, Array
from opmq_lib.forecast.learning import Lessons
from opmq_lib.forecast.operators import plan
from opmq_lib.forecast.series import TidyPanel, question_defects, tidy_panel
from opmq_lib.forecast.settings import DEFAULT, MIN_TRAINING_YEARS, T_MAX, Settings

LEVEL_GAINS = np.concatenate(
    [
        np.ones(len(family.points)) if family.name == "ar_differences" else family.points[:, 0]
        for family in FAMILIES
    ]
)
"""Share of each year's surprise that each model keeps in its level."""


def explain_series(
    series: pd.DataFrame, horizon_years: int, *, learnt: Learnt | None = None
) -> pd.DataFrame:
    """Return, for each series, what carried its forecast and how it last did.

    Args:
        series: As for `forecast_series`.
        horizon_years: As for `forecast_series`.
        learnt: As for `forecast_series`.

    Returns:
        One row per `series_code`:

        - `last_year`, `years_used_count`, `filled_years_count`;
        - `treatment`: `model`, `small count`, or `last value` (too short, or never moved);
        - `weight_<family>`: share of each family in the combined forecast at the horizon;
        - `level_gain`: share of last year's surprise that the combination believes, 0 to 1;
        - `cutoff_year`, `cutoff_mase`, `cutoff_naive_mase`: errors of the forecast, and of the
          last value, made `horizon_years` before the end (fewer where series are too short)
          with what the panel then taught;
        - `interval_basis`: from what the widths were learnt.

        Weights, gain and errors are missing where they do not apply.

    Raises:
        DataError: As `forecast_series`.

    Examples:
        >>> jobs = pd.DataFrame({"series_code": "J1C92", "year": range(2000, 2019),
        ...                      "value": [200.0 + 3 * n + n % 2 for n in range(19)]})
        >>> why = explain_series(jobs, horizon_years=3).iloc[0]
        >>> why["treatment"], bool(why["cutoff_mase"] < why["cutoff_naive_mase"])
        ('model', True)
    """
    found = tidy_panel(series, question_defects(horizon_years, ()))
    levels = engine_levels(())
    lessons = learn_panel(found.panel, horizon_years, levels) if learnt is None else learnt
    why = _weights(found.panel, lessons, DEFAULT)
    regular, counts = bl.varies(found.panel), bl.count_units(found.panel) > 0
    basis = np.where(counts, _basis(lessons.counts), _basis(lessons.ordinary))
    return pd.DataFrame(
        {
            "series_code": found.codes,
            "last_year": found.last_year,
            "years_used_count": np.minimum(found.panel.lengths, T_MAX),
            "filled_years_count": found.filled_years_count,
            "treatment": np.select([~regular, counts], ["last value", "small count"], "model"),
            **{f"weight_{family.name}": why[:, n] for n, family in enumerate(FAMILIES)},
            "level_gain": why[:, -1],
            **_last_cutoff(found, horizon_years, levels),
            "interval_basis": basis,
        }
    )


def carried(part: Block, lessons: Lessons, settings: Settings) -> tuple[Array, Array]:
    """Return the weights with which the models make the median at the horizon.

    Args:
        part: The block.
        lessons: What the panel taught.
        settings: The engine's constants.

    Returns:
        (families, n) weights that sum to 1, and the (n,) level gain.
    """
    operators = plan(part.length, len(lessons.quantiles))
    found = bl.evidence(operators, part.path, lessons.growth, settings)
    weight = bl.weights(found.loglik, lessons.log_prior, lessons.shares)
    center, between = bl.weighted_median(weight, found.forecasts, settings.median_steps)
    distance = np.abs(found.forecasts[-1] - center[-1]) + 0.1 * np.sqrt(between[-1])
    pull = (weight / distance)[:, : len(part.index)].astype(float)
    pull /= pull.sum(axis=0)
    return np.add.reduceat(pull, STARTS, axis=0), LEVEL_GAINS @ pull


def _weights(panel: Panel, learnt: Learnt, settings: Settings) -> Array:
    """Return (series, families + 1): families' weights, then the level gain; NaN without model."""
    out = np.full((len(panel.lengths), len(FAMILIES) + 1), np.nan)
    regular, counts = bl.varies(panel), bl.count_units(panel) > 0
    for small, lessons in ((False, learnt.ordinary), (True, learnt.counts)):
        for part in bl.blocks(panel, np.flatnonzero(regular & (counts == small))):
            weights, gain = carried(part, lessons, settings)
            out[part.index] = np.vstack([weights, gain]).T
    return out


def _last_cutoff(found: TidyPanel, steps: int, levels: Array) -> dict[str, Array]:
    """Return the errors of forecasts made `steps` years before each series' end, or less.

    Less where half of the series would keep fewer than `MIN_TRAINING_YEARS`.
    """
    panel = found.panel
    usual = int(np.median(panel.lengths)) if len(panel.lengths) else 0
    steps = min(steps, max(1, usual - MIN_TRAINING_YEARS))
    known = np.maximum(panel.lengths - steps, 0)
    judged = np.flatnonzero(known >= MIN_TRAINING_YEARS)
    errors = np.full((2, len(panel.lengths)), np.nan)
    if len(judged):
        past = panel.take(judged, steps)
        middle = int(np.argmin(np.abs(levels - 0.5)))
        point = forecast_panel(past, learn_panel(past, steps, levels))[:, :, middle]
        ahead = (panel.starts + known)[judged][:, None] + np.arange(steps)
        histories = np.split(past.flat, past.starts[1:])
        scale = np.array([scores.naive_scale(history) for history in histories])[:, None]
        last = np.array([history[-1] for history in histories])[:, None]
        for row, forecast in enumerate((point, last)):
            errors[row, judged] = scores.scaled_error(panel.flat[ahead], forecast, scale).mean(1)
    return {
        "cutoff_year": found.last_year - steps,
        "cutoff_mase": errors[0],
        "cutoff_naive_mase": errors[1],
    }


def _basis(lessons: Lessons) -> str:
    if not lessons.series_count:
        return "default constants: too few series reach a rolling origin"
    years = ", ".join(map(str, sorted(lessons.origins)))
    return f"{lessons.series_count} series of the panel, {years} years before their end"
