"""The engine against statsforecast on the public sets: accuracy, coverage and CPU-seconds.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/forecast.py [DATA] [--slow] [--speed]

DATA is the folder of the public sets and of their `score.py`; by default that of the environment
variable `OPMQ_FORECAST_DATA`, or `shared/data/forecast` beside the project. `--slow` adds
AutoARIMA, AutoCES and the median of four methods (10 minutes); `--speed` times 50 000 series. Peers
run as their authors advise for annual data (season length 1), one core each side, once warmed up.
"""

import argparse
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import public_sets
from statsforecast.models import AutoARIMA, AutoCES, AutoETS, AutoTheta, DynamicOptimizedTheta

from opmq_lib.methods.forecast.api import QUANTILE_LEVELS, forecast_series
from opmq_lib.methods.forecast.engine import forecast_panel, learn_panel
from opmq_lib.methods.forecast.series import Panel

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)
PEERS = {"AutoETS": AutoETS, "DOT": DynamicOptimizedTheta, "AutoTheta": AutoTheta}
SLOW_PEERS = {"AutoARIMA": AutoARIMA, "AutoCES": AutoCES}
COMBINED = ("AutoETS", "AutoARIMA", "AutoCES", "DOT")
SHOWN = ["sMAPE", "MASE", "OWA", "cov80", "cov95", "MSIS95", "WIS", "bad_pct"]


def tidy(train: pd.DataFrame) -> pd.DataFrame:
    """Return the training half under the engine's column names."""
    return train.rename(columns={"unique_id": "series_code", "y": "value"})


def ours(train: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Return the engine's forecasts in the scorer's format."""
    return forecast_series(tidy(train), horizon, LEVELS).rename(
        columns={"series_code": "unique_id"}
    )


def one_peer(model: object, values: np.ndarray, horizon: int) -> np.ndarray:
    """Return (horizon, levels) quantiles of one series; missing where the method fails."""
    try:
        found = model.forecast(y=values, h=horizon, level=[80, 95])  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 - a peer may fail in any way; the scorer counts it
        return np.full((horizon, len(LEVELS)), np.nan)
    names = ("lo-95", "lo-80", "mean", "hi-80", "hi-95")
    return np.column_stack([np.asarray(found[name], dtype=float) for name in names])


def peer(make: type, train: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Return a peer's forecasts in the scorer's format."""
    names, last, values = [], [], []
    for name, group in train.groupby("unique_id"):
        names.append(name)
        last.append(int(group["year"].iloc[-1]))
        history = group["y"].to_numpy(float, copy=True)  # AutoCES refuses what it may not write
        values.append(one_peer(make(season_length=1), history, horizon))
    years = np.array(last)[:, None] + np.arange(1, horizon + 1)
    return pd.DataFrame(
        {
            "unique_id": np.repeat(names, horizon * len(LEVELS)),
            "year": np.repeat(years.ravel(), len(LEVELS)),
            "quantile_level": np.tile(LEVELS, years.size),
            "value": np.concatenate(values).ravel(),
        }
    )


def accuracy(folder: Path, *, slow: bool) -> pd.DataFrame:
    """Return one row per set and method: scores and CPU-seconds."""
    score, rows = public_sets.scorer(folder), []
    methods = PEERS | (SLOW_PEERS if slow else {})
    for dataset in score.PUBLIC:
        train, test = score.split(dataset)
        horizon = int(test["h"].max())
        found, seconds = {}, {}
        warm = train[train["unique_id"].isin(train["unique_id"].unique()[:3])]
        runs = {"this library": ours, **{n: partial(peer, make) for n, make in methods.items()}}
        for name, run in runs.items():
            run(train if name == "this library" else warm, horizon)
            start = time.process_time()
            found[name] = run(train, horizon)
            seconds[name] = time.process_time() - start
        found["Naive"] = score.naive(dataset)
        if slow:
            parts = pd.concat([found[name] for name in COMBINED])
            key = ["unique_id", "year", "quantile_level"]
            found["median of four"] = parts.groupby(key, as_index=False)["value"].median()
            seconds["median of four"] = sum(seconds[name] for name in COMBINED)
        for name, forecasts in found.items():
            result = score.score(forecasts, dataset)
            rows.append(
                {
                    "set": dataset,
                    "method": name,
                    **{k: result[k] for k in SHOWN},
                    "cpu_s": seconds.get(name, np.nan),
                    "series": result["n_series"],
                }
            )
        print(
            pd.DataFrame(rows).query("set == @dataset").round(3).to_string(index=False), flush=True
        )
    return pd.DataFrame(rows)


def closing(table: pd.DataFrame) -> None:
    """Print the pooled lines and ratios."""
    own = table[table["method"] == "this library"]
    pooled = own[own["set"] != "m1_yearly"]
    for score in ("cov80", "cov95"):
        print(f"{score} pooled but M1: {np.average(pooled[score], weights=pooled['series']):.1f}")
    print(f"mean OWA: {own['OWA'].mean():.4f}")
    total = table.groupby("method")["cpu_s"].sum(min_count=1)
    print("CPU-seconds, all sets, as a multiple of this library's:")
    print((total / total["this library"]).dropna().round(1).to_string())


def simulated(count: int, years: int) -> np.ndarray:
    """Return annual series like employment: geometric walks, (count, years)."""
    random = np.random.default_rng(0)
    moves = np.cumsum(random.normal(0.01, 0.05, (count, years)), axis=1)
    return np.exp(random.normal(6, 1.2, (count, 1)) + moves)


def speed(count: int = 50_000, years: int = 30, horizon: int = 6) -> None:
    """Print series per CPU-second, learning included, and the peers' on a sample."""
    values = simulated(count, years)
    panel = Panel(values.ravel(), np.full(count, years))
    levels = np.array(QUANTILE_LEVELS)
    codes = np.repeat([f"S{n:06}" for n in range(count)], years)
    table = pd.DataFrame(
        {"series_code": codes, "year": np.tile(np.arange(years), count), "value": values.ravel()}
    ).astype({"series_code": "str"})
    small = panel.take(np.arange(300))
    runs = {
        "arrays": (count, lambda: forecast_panel(panel, learn_panel(panel, horizon, levels))),
        "tidy tables": (count, lambda: forecast_series(table, horizon)),
        "300 series": (300, lambda: forecast_panel(small, learn_panel(small, horizon, levels))),
    }
    rates = {}
    for name, (size, run) in runs.items():
        rates[name] = size / min(_cpu_seconds(run) for _ in range(5))
    for name, make in (("AutoETS", AutoETS), ("DOT", DynamicOptimizedTheta)):
        sample = pd.DataFrame(
            {
                "unique_id": np.repeat(np.arange(200), years),
                "year": np.tile(np.arange(years), 200),
                "y": values[:200].ravel(),
            }
        )
        peer(make, sample.head(3 * years), horizon)
        rates[name] = 200 / min(
            _cpu_seconds(lambda m=make, s=sample: peer(m, s, horizon)) for _ in range(3)
        )
    for name, rate in rates.items():
        ratio = rates["arrays"] / rate
        print(f"{name:12s} {rate:10.0f} series per CPU-second; arrays are {ratio:6.1f} ×")
    print(f"300 series, warm: {300 / rates['300 series']:.3f} s")


def _cpu_seconds(run: object) -> float:
    start = time.process_time()
    run()  # type: ignore[operator]
    return time.process_time() - start


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    public_sets.add_argument(parser)
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--speed", action="store_true")
    asked = parser.parse_args()
    closing(accuracy(asked.data, slow=asked.slow))
    if asked.speed:
        speed()


if __name__ == "__main__":
    main()
