"""How wrong a forecast was: one function per score, then tables of them.

Arrays broadcast, one number per forecast out. Sources are those of the method page, V1–V3. Scores
that divide by a series' own moves are NaN (`np`) where it never moved.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from opmq_lib.errors import RangeError
from opmq_lib.methods.forecast.series import Array

PAIR_KEY = ["model", "series_code", "cutoff_year", "step"]
SCORES = (
    "smape_pct",
    "mase",
    "wis_scaled",
    "msis_95",
    "coverage_50_pct",
    "coverage_80_pct",
    "coverage_95_pct",
    "direction_right_pct",
    "bias_scaled",
)
RESAMPLES, SEED = 2000, 2018
BY_STEP = ("mase", "wis_scaled", "coverage_80_pct", "coverage_95_pct")
"""What is shown at each step and cut-off: series share their shocks, and calm hides one crisis."""


def symmetric_percentage_error(actual: Array, point: Array) -> Array:
    """Return 200 |y - f| / (|y| + |f|), in %; 0 where both are 0. Its mean is the sMAPE.

    Examples:
        >>> symmetric_percentage_error(np.array([100.0, 0]), np.array([110.0, 0])).round(3).tolist()
        [9.524, 0.0]
    """
    size = np.abs(actual) + np.abs(point)
    return 200 * np.abs(actual - point) / np.where(size > 0, size, 1.0)


def scaled_error(actual: Array, point: Array, scale: ArrayLike) -> Array:
    """Return |y - f| / scale, the training series' mean absolute move; NaN where that is 0.

    Its mean is the MASE (Hyndman and Koehler 2006).

    Examples:
        >>> errors = scaled_error(np.array([116, 121, 126]), np.array([117, 119, 121]), 3.4)
        >>> round(float(errors.mean()), 6)
        0.784314
    """
    return np.abs(actual - point) / _positive(scale)


def interval_score(actual: Array, lower: Array, upper: Array, alpha: float) -> Array:
    """Return (u - l) + (2/α) (l - y)₊ + (2/α) (y - u)₊, in the unit of y; lower is better.

    Examples:
        >>> interval_score(np.array([126.0]), np.array([116.0]), np.array([122.0]), 0.5).tolist()
        [22.0]
    """
    outside = np.maximum(lower - actual, 0.0) + np.maximum(actual - upper, 0.0)
    return (upper - lower) + 2 / alpha * outside


def central_pairs(levels: Array) -> list[tuple[int, int, float]]:
    """Return the positions of each central interval's bounds among the levels, and its α.

    Examples:
        >>> central_pairs(np.array([0.1, 0.5, 0.9]))
        [(0, 2, 0.2)]
    """
    place = {round(float(level), 9): n for n, level in enumerate(levels)}
    return [
        (n, place[round(1 - level, 9)], round(2 * level, 9))
        for level, n in place.items()
        if level < 0.5 and round(1 - level, 9) in place
    ]


def weighted_interval_score(actual: Array, quantiles: Array, levels: Array) -> Array:
    """Return [½ |y - m| + Σ (α_k/2) IS_k] / (K + ½), in the unit of y (Bracher et al. 2021).

    Args:
        actual: (…) what happened.
        quantiles: (…, levels) forecast.
        levels: Increasing, 0.5 among them; levels without their mirror image are ignored.

    Examples:
        >>> quantiles = np.array([[110, 116, 119, 122, 130.0]])
        >>> levels = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
        >>> weighted_interval_score(np.array([126.0]), quantiles, levels).round(6).tolist()
        [4.0]
    """
    pairs = central_pairs(levels)
    total = np.abs(actual - quantiles[..., int(np.argmin(np.abs(levels - 0.5)))]) / 2
    for low, high, alpha in pairs:
        score = interval_score(actual, quantiles[..., low], quantiles[..., high], alpha)
        total = total + alpha / 2 * score
    return np.asarray(total / (len(pairs) + 0.5))


def covered(actual: Array, lower: Array, upper: Array) -> Array:
    """Return 1 where y lies in [lower, upper], else 0. Its mean is the coverage.

    Examples:
        >>> covered(np.array([5.0, 9.0]), np.array([1.0, 1.0]), np.array([5.0, 5.0])).tolist()
        [1.0, 0.0]
    """
    return ((actual >= lower) & (actual <= upper)).astype(float)


def probability_integral_transform(actual: Array, quantiles: Array, levels: Array) -> Array:
    """Return the forecast probability of less than y, interpolated between quantiles, (n,).

    Args:
        actual: (n,) what happened; beyond the quantiles, the outer level is returned.
        quantiles: (n, levels) forecast, non-decreasing.
        levels: Increasing.

    Examples:
        >>> quantiles = np.array([[110, 116, 119, 122, 130.0]] * 2)
        >>> levels = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
        >>> probability_integral_transform([126.0, 140.0], quantiles, levels).round(6).tolist()
        [0.85, 0.95]
    """
    return np.array([np.interp(y, row, levels) for y, row in zip(actual, quantiles, strict=True)])


def direction_right(actual: Array, point: Array, last: Array) -> Array:
    """Return 1 where the forecast moved from the last value to the right side, 0 where not.

    NaN where nothing moved; ½ where the forecast did not move but the series did.

    Examples:
        >>> actual, point = np.array([12, 8, 10, 12]), np.array([11, 11, 11, 10])
        >>> direction_right(actual, point, np.full(4, 10)).tolist()
        [1.0, 0.0, nan, 0.5]
    """
    moved = np.sign(actual - last)
    return np.where(moved == 0, np.nan, (1 + moved * np.sign(point - last)) / 2)


def _positive(scale: ArrayLike) -> Array:
    """Return the scale, NaN where it is 0."""
    values = np.asarray(scale, dtype=float)
    return np.where(values > 0, values, np.nan)


def pair_scores(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return every score of every pair: one row per model, series, cut-off and step.

    Args:
        pairs: What `backtest` returned, with levels 0.025, 0.1, 0.25 and their mirror images.

    Returns:
        `PAIR_KEY`, the columns of `SCORES`, `pit` and `last_value`.
    """
    wide = pairs.pivot_table(index=PAIR_KEY, columns="quantile_level", values="value").sort_index()
    first = pairs.drop_duplicates(PAIR_KEY).set_index(PAIR_KEY).loc[wide.index]
    levels, quantiles = wide.columns.to_numpy(dtype=float), wide.to_numpy()
    at = {round(level, 6): quantiles[:, n] for n, level in enumerate(levels)}
    y, last = first["actual"].to_numpy(), first["last_value"].to_numpy()
    scale, point = _positive(first["scale"]), at[0.5]
    return wide.index.to_frame(index=False).assign(
        smape_pct=symmetric_percentage_error(y, point),
        mase=scaled_error(y, point, scale),
        wis_scaled=weighted_interval_score(y, quantiles, levels) / scale,
        msis_95=interval_score(y, at[0.025], at[0.975], 0.05) / scale,
        coverage_50_pct=100 * covered(y, at[0.25], at[0.75]),
        coverage_80_pct=100 * covered(y, at[0.1], at[0.9]),
        coverage_95_pct=100 * covered(y, at[0.025], at[0.975]),
        direction_right_pct=100 * direction_right(y, point, last),
        bias_scaled=(point - y) / scale,
        pit=probability_integral_transform(y, quantiles, levels),
        last_value=last,
    )


def report(pairs: pd.DataFrame, where: str) -> dict[str, pd.DataFrame]:
    """Return the tables of a back-test: `scores`, `by_cutoff`, `pit_histogram`, `bias_by_size`.

    Args:
        pairs: What `backtest` returned, with its default levels.
        where: The file or step that the series come from, for messages.

    Raises:
        RangeError: If no series was long enough to be forecast in the past.
    """
    if pairs.empty:
        fix = "give longer series"
        raise RangeError.of(where, "no series is long enough", "seven years or more", fix)
    scored = pair_scores(pairs)
    return {
        "scores": summary(scored),
        "by_cutoff": scored.groupby(["model", "cutoff_year"], as_index=False)[[*BY_STEP]].mean(),
        "pit_histogram": pit_histogram(scored),
        "bias_by_size": bias_by_size(scored),
    }


def printed(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return a report as it reads on a screen: one column per model, figures as text, titled."""
    table = tables["scores"]
    errors = table["standard_error"].map(lambda error: f" ± {error:.3f}" if error > 0 else "")
    text = table.assign(text=table["value"].map("{:.3f}".format) + errors)
    whole = text[text["step"] == 0].pivot(index="score", columns="model", values="text")
    steps = text[(text["step"] > 0) & text["score"].isin(BY_STEP)]
    pit = tables["pit_histogram"].pivot(index="lower", columns="model", values="share_pct")
    bias = tables["bias_by_size"].pivot(index="size_class", columns="model", values="bias_scaled")
    cutoffs = tables["by_cutoff"].pivot_table("coverage_80_pct", "cutoff_year", "model")
    tenths = "Outcomes in each tenth of the forecast distribution, in % (10 is calibrated)"
    return {
        "Scores over all steps, ± standard error over series": whole.reindex(
            [score for score in ("owa", *SCORES) if score in whole.index]
        ),
        "By step": steps.pivot(index=["score", "step"], columns="model", values="text"),
        "Outcomes inside the 80 % interval by cut-off year, in %": cutoffs.round(1),
        tenths: pit.round(1),
        "Forecast less outcome, in mean yearly moves, smallest series first": bias.round(2),
    }


def summary(scored: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of each model, at each step and over all steps (`step` 0).

    Args:
        scored: What `pair_scores` returned.

    Returns:
        One row per `model`, `step` and `score` with its `value`, the `standard_error` over series
        (each series counts once; shocks common to series are not in it), `series_count` and
        `pairs_count`. `owa` is relative to the model `naive`, where it was asked for.
    """
    whole = pd.concat([scored, scored.assign(step=0)])
    per_series = whole.groupby(["model", "step", "series_code"])[list(SCORES)].mean()
    by = ["model", "step"]
    long = per_series.melt(var_name="score", ignore_index=False).dropna().groupby([*by, "score"])
    table = long["value"].agg(value="mean", standard_error="sem", series_count="size").reset_index()
    if "naive" in set(scored["model"]):
        table = pd.concat([table, _owa(per_series)])
    pairs_count = whole.groupby(by).size().rename("pairs_count").reset_index()
    return table.merge(pairs_count, on=by).sort_values([*by, "score"], ignore_index=True)


def _owa(per_series: pd.DataFrame) -> pd.DataFrame:
    """Return the OWA and its standard error, from the ratios' influence functions.

    The OWA is the mean of sMAPE and MASE, each relative to the naive forecast's (M4 competition).
    """
    rows = []
    both = per_series[["smape_pct", "mase"]].dropna()
    reference = both.xs("naive").rename_axis(index=["step", "series_code"])
    for (model, step), group in both.groupby(["model", "step"]):
        own = group.to_numpy()
        base = reference.reindex(group.droplevel("model").index).to_numpy()
        ratio = own.mean(axis=0) / base.mean(axis=0)
        influence = pd.Series(((own - ratio * base) / base.mean(axis=0)).mean(axis=1))
        rows.append((model, step, "owa", ratio.mean(), influence.sem(), len(own)))
    columns = ["model", "step", "score", "value", "standard_error", "series_count"]
    return pd.DataFrame(rows, columns=columns)


def pit_histogram(scored: pd.DataFrame) -> pd.DataFrame:
    """Return the share of outcomes in each tenth of the forecast distribution: flat is calibrated.

    Args:
        scored: What `pair_scores` returned.

    Returns:
        One row per `model` and tenth: `lower`, `upper` (probabilities), `share_pct`,
        `pairs_count`. Outcomes beyond the outer quantiles count in the outer tenths.
    """
    edges = np.linspace(0, 1, 11)
    parts = []
    for model, group in scored.groupby("model"):
        count = np.histogram(group["pit"], edges)[0]
        shares = {"share_pct": 100 * count / count.sum(), "pairs_count": count}
        tenths = {"model": model, "lower": edges[:-1], "upper": edges[1:]}
        parts.append(pd.DataFrame(tenths | shares))
    return pd.concat(parts, ignore_index=True)


def bias_by_size(scored: pd.DataFrame) -> pd.DataFrame:
    """Return the mean signed error by size of the series, smallest class first.

    Args:
        scored: What `pair_scores` returned.

    Returns:
        One row per `model` and `size_class`, four of equal numbers of pairs by the last value
        known: `size_from`, `size_to` (unit of the series), `bias_scaled` (forecast less outcome,
        in mean yearly moves), its `standard_error`, `series_count`.
    """
    rank = scored["last_value"].rank(method="dense", pct=True)
    classed, by = scored.assign(size_class=np.ceil(4 * rank)), ["model", "size_class"]
    sizes = classed.groupby(by)["last_value"].agg(size_from="min", size_to="max")
    per_series = classed.groupby([*by, "series_code"])["bias_scaled"].mean()
    bias = per_series.groupby(by).agg(bias_scaled="mean", standard_error="sem", series_count="size")
    return pd.concat([sizes, bias], axis=1).reset_index()


def ratio_interval(table: pd.DataFrame, above: pd.Series, below: pd.Series) -> dict[str, object]:
    """Return the ratio of two sums in %, and its 95 % interval.

    Args:
        table: Rows by `series_code`; a column of families serves as well.
        above: What is summed above, by row: an error less another (negative: the first does
            better), or whether the interval held.
        below: What is summed below.

    Returns:
        `value`, `lower`, `upper`. The same series, all their years together,
        are drawn again with replacement: years of one series go together. What all series undergo
        at once (a recession) is not in it.

    Examples:
        >>> rows = pd.DataFrame({"series_code": ["a", "b"]})
        >>> ratio_interval(rows, pd.Series([-1.0, -1.0]), pd.Series([10.0, 10.0]))["upper"].item()
        -10.0
    """
    sums = pd.DataFrame({"above": above, "below": below}).groupby(table["series_code"]).sum()
    drawn = np.random.default_rng(SEED).integers(len(sums), size=(RESAMPLES, len(sums)))
    resampled = sums.to_numpy(dtype=float)[drawn].sum(axis=1)
    low, high = np.quantile(100 * resampled[:, 0] / resampled[:, 1], [0.025, 0.975])
    total, base = sums.sum()
    return {"value": 100 * total / base, "lower": low, "upper": high}
