"""The engine against statsforecast on the public sets: accuracy, coverage and CPU-seconds.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/forecast.py [DATA] [--slow] [--speed]

DATA is the folder of the public sets and of their `score.py`; by default that of the environment
variable `OPMQ_FORECAST_DATA`, or `shared/data/forecast` beside the project. Twelve sets and 46
windows of them, with kinds told where names say them. `--slow` adds AutoTheta, AutoARIMA and
AutoCES (an hour); `--speed` times 50 000 series. Peers run as their authors advise for annual data
(season length 1), one core each side.
"""

import argparse
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import public_sets
from public_sets import KIND, Trial
from statsforecast.models import AutoARIMA, AutoCES, AutoETS, AutoTheta, DynamicOptimizedTheta

from opmq_lib.methods.forecast.api import QUANTILE_LEVELS, forecast_series
from opmq_lib.methods.forecast.engine import forecast_panel, learn_panel
from opmq_lib.methods.forecast.series import Panel

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)
PEERS = {"AutoETS": AutoETS, "DOT": DynamicOptimizedTheta}
SLOW_PEERS = {"AutoTheta": AutoTheta, "AutoARIMA": AutoARIMA, "AutoCES": AutoCES}
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


def kinds(trial: Trial) -> pd.DataFrame:
    """Return the training rows with the kind of each series, where its name says it."""
    found = trial.train["unique_id"].str.extract(KIND[trial.dataset], expand=False)
    return trial.train.assign(kind_code=found.astype("str"))


def accuracy(folder: Path, *, slow: bool) -> pd.DataFrame:
    """Return one row per set or window and method: scores and CPU-seconds."""
    score, rows = public_sets.scorer(folder), []
    methods = PEERS | (SLOW_PEERS if slow else {})
    runs = {"this library": ours, **{n: partial(peer, make) for n, make in methods.items()}}
    for trial in public_sets.trials(score):
        train, horizon = trial.train, int(trial.test["h"].max())
        tables = dict.fromkeys(runs, train)
        if trial.dataset in KIND:
            tables["with kinds"] = kinds(trial)
        for name, table in tables.items():
            start = time.process_time()
            found = runs.get(name, ours)(table, horizon)
            seconds = time.process_time() - start
            result = public_sets.judged(score, trial, found)
            named = {"set": trial.dataset, "window": trial.window, "method": name}
            rows.append(named | {k: result[k] for k in SHOWN} | {"cpu_s": seconds})
    return pd.DataFrame(rows)


def closing(table: pd.DataFrame) -> None:
    """Print the sets, then means over sets and windows, without each source, and coverage."""
    whole = table[table["window"] == "whole"]
    print(whole.round(3).to_string(index=False))
    print(f"mean OWA of the sets:\n{whole.groupby('method')['OWA'].mean().round(4).to_string()}")
    print("Sets and windows: mean OWA, WIS, MSIS95 by method, then without each source")
    scores = ["OWA", "WIS", "MSIS95"]
    print(table.groupby("method")[scores].mean().round(4).to_string())
    for left in table["set"].unique():
        others = table[table["set"] != left].groupby("method")["OWA"].mean()
        print(f"without {left}: {others.round(4).to_dict()}")
    for name in ("this library", "with kinds"):
        own = table[table["method"] == name]
        inside = own["cov80"].between(75, 85).sum()
        print(f"{name}: 80 % intervals cover 75 to 85 % in {inside} of {len(own)}; by set")
        print(own.groupby("set")["cov80"].agg(["min", "mean", "max"]).round(1).to_string())
    with_kinds = table[table["set"].isin(KIND)].groupby("method")["OWA"].mean()
    print(f"sets and windows that have kinds, mean OWA: {with_kinds.round(4).to_dict()}")
    total = table[table["method"] != "with kinds"].groupby("method")["cpu_s"].sum()
    print("CPU-seconds, as a multiple of this library's:")
    print((total / total["this library"]).round(1).to_string())


def simulated(count: int, years: int) -> np.ndarray:
    """Return annual series like employment: geometric walks, (count, years)."""
    random = np.random.default_rng(0)
    moves = np.cumsum(random.normal(0.01, 0.05, (count, years)), axis=1)
    return np.exp(random.normal(6, 1.2, (count, 1)) + moves)


def speed(count: int = 50_000, years: int = 30, horizon: int = 6) -> None:
    """Print series per CPU-second, learning included, and the peers' on a sample."""
    values = simulated(count, years)
    levels = np.array(QUANTILE_LEVELS)

    def whole(count: int) -> None:
        """Learn from a panel that nothing is known of yet, and forecast it."""
        panel = Panel(values[:count].ravel(), np.full(count, years))
        forecast_panel(panel, learn_panel(panel, horizon, levels))

    codes = np.repeat([f"S{n:06}" for n in range(count)], years)
    table = pd.DataFrame(
        {"series_code": codes, "year": np.tile(np.arange(years), count), "value": values.ravel()}
    ).astype({"series_code": "str"})
    runs = {
        "arrays": (count, lambda: whole(count)),
        "tidy tables": (count, lambda: forecast_series(table, horizon)),
        "300 series": (300, lambda: whole(300)),
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
