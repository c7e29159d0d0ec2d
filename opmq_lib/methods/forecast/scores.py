"""How wrong a forecast was: one function per score, then tables of them.

Arrays broadcast, one number per forecast out. Sources are those of the method page, V1–V3. Scores
that divide by a series' own moves are NaN (`np`) where it never moved.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from opmq_lib.errors import Defect, RangeError

Array = NDArray[np.float64]

PAIR_KEY = ["model", "series_code", "cutoff_year", "step"]
SCORES = (
    "smape_pct",
    "mase",
    "rmsse",
    "wis_scaled",
    "msis_95",
    "coverage_50_pct",
    "coverage_80_pct",
    "coverage_95_pct",
    "direction_right_pct",
    "bias_scaled",
)


BY_STEP = ("mase", "wis_scaled", "coverage_80_pct", "coverage_95_pct")
"""What a screen shows at each step."""


def naive_scale(history: ArrayLike) -> float:
    """Return the mean absolute yearly move of a training series: what MASE divides by.

    Examples:
        >>> naive_scale([100, 104, 103, 108, 110, 115])
        3.4
    """
    return float(np.mean(np.abs(np.diff(np.asarray(history, dtype=float)))))


def naive_square_scale(history: ArrayLike) -> float:
    """Return the mean squared yearly move of a training series: what RMSSE divides by.

    Examples:
        >>> naive_square_scale([100, 104, 103, 108, 110, 115])
        14.2
    """
    return float(np.mean(np.square(np.diff(np.asarray(history, dtype=float)))))


def symmetric_percentage_error(actual: ArrayLike, point: ArrayLike) -> Array:
    """Return 200 |y - f| / (|y| + |f|), in %; 0 where both are 0. Its mean is the sMAPE.

    Examples:
        >>> symmetric_percentage_error([100.0, 0.0], [110.0, 0.0]).round(3).tolist()
        [9.524, 0.0]
    """
    y, f = np.asarray(actual, dtype=float), np.asarray(point, dtype=float)
    size = np.abs(y) + np.abs(f)
    return np.asarray(200 * np.abs(y - f) / np.where(size > 0, size, 1.0))


def scaled_error(actual: ArrayLike, point: ArrayLike, scale: ArrayLike) -> Array:
    """Return |y - f| / scale. Its mean is the MASE (Hyndman and Koehler 2006).

    Examples:
        >>> errors = scaled_error([116, 121, 126], [117, 119, 121], 3.4)
        >>> round(float(errors.mean()), 6)
        0.784314
    """
    y, f = np.asarray(actual, dtype=float), np.asarray(point, dtype=float)
    return np.asarray(np.abs(y - f) / _positive(scale))


def rmsse(actual: ArrayLike, point: ArrayLike, square_scale: ArrayLike) -> Array:
    """Return √(mean (y - f)² / square scale) over the last axis (M5 competition).

    Examples:
        >>> round(float(rmsse([116, 121, 126], [117, 119, 121], 14.2)), 6)
        0.839181
    """
    y, f = np.asarray(actual, dtype=float), np.asarray(point, dtype=float)
    return np.asarray(np.sqrt(np.mean(np.square(y - f), axis=-1) / _positive(square_scale)))


def owa(smape: float, mase: float, naive_smape: float, naive_mase: float) -> float:
    """Return the mean of sMAPE and MASE, each relative to the naive forecast's (M4 competition).

    Examples:
        >>> round(owa(13.176, 2.980, 16.342, 3.974), 6)
        0.77807
    """
    return (smape / naive_smape + mase / naive_mase) / 2


def interval_score(actual: ArrayLike, lower: ArrayLike, upper: ArrayLike, alpha: float) -> Array:
    """Return (u - l) + (2/α) (l - y)₊ + (2/α) (y - u)₊, in the unit of y; lower is better.

    Examples:
        >>> interval_score([126.0], [116.0], [122.0], alpha=0.5).tolist()
        [22.0]
    """
    y, low, high = (np.asarray(part, dtype=float) for part in (actual, lower, upper))
    outside = np.maximum(low - y, 0.0) + np.maximum(y - high, 0.0)
    return np.asarray((high - low) + 2 / alpha * outside)


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


def weighted_interval_score(actual: ArrayLike, quantiles: ArrayLike, levels: ArrayLike) -> Array:
    """Return [½ |y - m| + Σ (α_k/2) IS_k] / (K + ½), in the unit of y (Bracher et al. 2021).

    Args:
        actual: (…) what happened.
        quantiles: (…, levels) forecast.
        levels: Increasing, 0.5 among them; levels without their mirror image are ignored.

    Examples:
        >>> weighted_interval_score([126.0], [[110, 116, 119, 122, 130.0]],
        ...                         [0.05, 0.25, 0.5, 0.75, 0.95]).round(6).tolist()
        [4.0]
    """
    y, q = np.asarray(actual, dtype=float), np.asarray(quantiles, dtype=float)
    order = np.asarray(levels, dtype=float)
    pairs = central_pairs(order)
    total = np.abs(y - q[..., int(np.argmin(np.abs(order - 0.5)))]) / 2
    for low, high, alpha in pairs:
        total = total + alpha / 2 * interval_score(y, q[..., low], q[..., high], alpha)
    return np.asarray(total / (len(pairs) + 0.5))


def covered(actual: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> Array:
    """Return 1 where y lies in [lower, upper], else 0. Its mean is the coverage.

    Examples:
        >>> covered([5.0, 9.0], [1.0, 1.0], [5.0, 5.0]).tolist()
        [1.0, 0.0]
    """
    y = np.asarray(actual, dtype=float)
    return ((y >= np.asarray(lower)) & (y <= np.asarray(upper))).astype(float)


def wilson_interval(successes: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a proportion.

    Examples:
        >>> low, high = wilson_interval(7, 9)
        >>> round(low, 6), round(high, 6)
        (0.452589, 0.936775)
    """
    share = successes / count
    center = share + z**2 / (2 * count)
    half = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return float((center - half) / (1 + z**2 / count)), float((center + half) / (1 + z**2 / count))


def probability_integral_transform(
    actual: ArrayLike, quantiles: ArrayLike, levels: ArrayLike
) -> tuple[Array, NDArray[np.bool_]]:
    """Return the forecast probability of less than y, interpolated between quantiles.

    Args:
        actual: (n,) what happened.
        quantiles: (n, levels) forecast, non-decreasing.
        levels: Increasing.

    Returns:
        Probabilities (n,), and whether each is only a bound because y lies outside the quantiles.

    Examples:
        >>> quantiles = [[110, 116, 119, 122, 130.0]] * 2
        >>> value, bound = probability_integral_transform(
        ...     [126.0, 140.0], quantiles, [0.05, 0.25, 0.5, 0.75, 0.95])
        >>> value.round(6).tolist(), bound.tolist()
        ([0.85, 0.95], [False, True])
    """
    y, q = np.asarray(actual, dtype=float), np.asarray(quantiles, dtype=float)
    order = np.asarray(levels, dtype=float)
    value = np.array([np.interp(one, row, order) for one, row in zip(y, q, strict=True)])
    return value, (y < q[:, 0]) | (y > q[:, -1])


def direction_right(actual: ArrayLike, point: ArrayLike, last: ArrayLike) -> Array:
    """Return 1 where the forecast moved from the last value to the right side, 0 where not.

    NaN where nothing moved; ½ where the forecast did not move but the series did.

    Examples:
        >>> direction_right([12, 8, 10, 12], [11, 11, 11, 10], 10).tolist()
        [1.0, 0.0, nan, 0.5]
    """
    seen = np.sign(np.asarray(actual, dtype=float) - np.asarray(last, dtype=float))
    said = np.sign(np.asarray(point, dtype=float) - np.asarray(last, dtype=float))
    return np.where(seen == 0, np.nan, (1 + seen * said) / 2)


def standard_error(values: ArrayLike) -> float:
    """Return the standard error of the mean of independent values; NaN below two.

    Examples:
        >>> standard_error([1.0, 3.0])
        1.0
    """
    kept = np.asarray(values, dtype=float)
    kept = kept[np.isfinite(kept)]
    return float(kept.std(ddof=1) / np.sqrt(len(kept))) if len(kept) > 1 else float("nan")


def _positive(scale: ArrayLike) -> Array:
    """Return the scale, NaN where it is 0."""
    values = np.asarray(scale, dtype=float)
    return np.where(values > 0, values, np.nan)


def pair_scores(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return every score of every pair: one row per model, series, cut-off and step.

    Args:
        pairs: What `backtest` returned, with levels 0.025, 0.1, 0.25 and their mirror images.

    Returns:
        `PAIR_KEY`, the columns of `SCORES` (`rmsse` still squared), `pit` and `pit_is_bound`.
    """
    wide = pairs.pivot_table(index=PAIR_KEY, columns="quantile_level", values="value").sort_index()
    first = pairs.drop_duplicates(PAIR_KEY).set_index(PAIR_KEY).loc[wide.index]
    levels = wide.columns.to_numpy(dtype=float)
    quantile = {round(level, 6): wide[level].to_numpy() for level in levels}
    y, scale = first["actual"].to_numpy(), first["scale"].to_numpy()
    point, moved = quantile[0.5], np.where(scale > 0, scale, np.nan)

    def coverage_pct(low: float) -> Array:
        return 100 * covered(y, quantile[low], quantile[round(1 - low, 6)])

    squared = np.square(y - point) / np.where(scale > 0, first["square_scale"], np.nan)
    wis = weighted_interval_score(y, wide.to_numpy(), levels)
    pit, is_bound = probability_integral_transform(y, wide.to_numpy(), levels)
    return wide.index.to_frame(index=False).assign(
        smape_pct=symmetric_percentage_error(y, point),
        mase=scaled_error(y, point, scale),
        rmsse=squared,
        wis_scaled=wis / moved,
        msis_95=interval_score(y, quantile[0.025], quantile[0.975], 0.05) / moved,
        coverage_50_pct=coverage_pct(0.25),
        coverage_80_pct=coverage_pct(0.1),
        coverage_95_pct=coverage_pct(0.025),
        direction_right_pct=100 * direction_right(y, point, first["last_value"]),
        bias_scaled=(point - y) / moved,
        pit=pit,
        pit_is_bound=is_bound,
        last_value=first["last_value"].to_numpy(),
    )


def report(pairs: pd.DataFrame, where: str) -> dict[str, pd.DataFrame]:
    """Return the tables of a back-test: `scores`, `pit_histogram` and `bias_by_size`.

    Args:
        pairs: What `backtest` returned, with its default levels.
        where: The file or step that the series come from, for messages.

    Raises:
        RangeError: If no series was long enough to be forecast in the past.
    """
    if pairs.empty:
        fix = "give longer series"
        raise RangeError([Defect(where, "no series is long enough", "seven years or more", fix)])
    scored = pair_scores(pairs)
    return {
        "scores": summary(scored),
        "pit_histogram": pit_histogram(scored),
        "bias_by_size": bias_by_size(scored),
    }


def printed(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return a report as it reads on a screen: one column per model, figures as text, titled."""
    table = tables["scores"]
    figures = table["value"].map("{:.3f}".format)
    errors = table["standard_error"].map(lambda error: f" ± {error:.3f}" if error > 0 else "")
    text = table.assign(text=figures + errors)
    whole = text[text["step"] == 0].pivot(index="score", columns="model", values="text")
    steps = text[(text["step"] > 0) & text["score"].isin(BY_STEP)]
    pit = tables["pit_histogram"].pivot(index="lower", columns="model", values="share_pct")
    bias = tables["bias_by_size"].pivot(index="size_class", columns="model", values="bias_scaled")
    return {
        "Scores over all steps, ± standard error over series": whole.loc[
            [score for score in ("owa", *SCORES) if score in whole.index]
        ],
        "By step": steps.pivot(index=["score", "step"], columns="model", values="text"),
        "Outcomes in each tenth of the forecast distribution, in % (10 is calibrated)": pit.round(
            1
        ),
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
    per_series["rmsse"] = np.sqrt(per_series["rmsse"])
    by = ["model", "step"]
    long = per_series.melt(var_name="score", ignore_index=False).dropna().groupby([*by, "score"])
    table = long["value"].agg(value="mean", standard_error="sem", series_count="size").reset_index()
    if "naive" in set(scored["model"]):
        table = pd.concat([table, _owa(per_series)])
    pairs_count = whole.groupby(by).size().rename("pairs_count").reset_index()
    return table.merge(pairs_count, on=by).sort_values([*by, "score"], ignore_index=True)


def _owa(per_series: pd.DataFrame) -> pd.DataFrame:
    """Return the OWA and its standard error, from the ratios' influence functions."""
    rows = []
    both = per_series[["smape_pct", "mase"]].dropna()
    reference = both.xs("naive").rename_axis(index=["step", "series_code"])
    for (model, step), group in both.groupby(["model", "step"]):
        own = group.to_numpy()
        base = reference.reindex(group.droplevel("model").index).to_numpy()
        ratio = own.mean(axis=0) / base.mean(axis=0)
        influence = ((own - ratio * base) / base.mean(axis=0)).mean(axis=1)
        error = standard_error(influence)
        rows.append((model, step, "owa", ratio.mean(), error, len(own)))
    columns = ["model", "step", "score", "value", "standard_error", "series_count"]
    return pd.DataFrame(rows, columns=columns)


def pit_histogram(scored: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """Return the share of outcomes in each tenth of the forecast distribution: flat is calibrated.

    Args:
        scored: What `pair_scores` returned.
        bins: Number of classes.

    Returns:
        One row per `model` and class: `lower`, `upper` (probabilities), `share_pct`,
        `pairs_count`. Outcomes beyond the outer quantiles count in the outer classes.
    """
    edges = np.linspace(0, 1, bins + 1)
    parts = []
    for model, group in scored.groupby("model"):
        count = np.histogram(group["pit"], edges)[0]
        parts.append(
            pd.DataFrame(
                {
                    "model": model,
                    "lower": edges[:-1],
                    "upper": edges[1:],
                    "share_pct": 100 * count / count.sum(),
                    "pairs_count": count,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def bias_by_size(scored: pd.DataFrame, classes: int = 4) -> pd.DataFrame:
    """Return the mean signed error by size of the series, smallest class first.

    Args:
        scored: What `pair_scores` returned.
        classes: Number of classes of equal numbers of pairs, by the last value known.

    Returns:
        One row per `model` and class: `size_from`, `size_to` (unit of the series), `bias_scaled`
        (forecast less outcome, in mean yearly moves), its `standard_error`, `series_count`.
    """
    size = scored["last_value"].rank(method="dense", pct=True)
    number = (size * classes).map(np.ceil).clip(upper=classes).rename("size_class")
    per_series = scored.groupby(["model", number, "series_code"]).agg(
        bias_scaled=("bias_scaled", "mean"),
        size_from=("last_value", "min"),
        size_to=("last_value", "max"),
    )
    return (
        per_series.groupby(["model", "size_class"])
        .agg(
            size_from=("size_from", "min"),
            size_to=("size_to", "max"),
            bias_scaled=("bias_scaled", "mean"),
            standard_error=("bias_scaled", "sem"),
            series_count=("bias_scaled", "size"),
        )
        .reset_index()
    )
