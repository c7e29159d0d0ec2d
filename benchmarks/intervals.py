"""How often the 80 % interval has held, beside the interval that the model itself gives.

    python benchmarks/intervals.py

Stands at every year from 1998 to 2013 with 15 years of the embedded FAP-87 series, forecasts up to
ten years, and counts what fell inside. One process, about a minute.
"""

import time
import warnings

import numpy as np
import pandas as pd
from scipy.stats import norm
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from opmq_lib.methods import forecast
from opmq_lib.questions import shared
from opmq_lib.sources import embedded

ORIGINS = range(1998, 2014)
WINDOW_YEARS, HORIZON_YEARS = 15, 10


def families() -> pd.DataFrame:
    """Return national employment of the FAP-87 families and of all occupations, in heads."""
    tables = {name: embedded.load(name) for name in ("metiers", "employment_national")}
    national = shared.studied(tables, "employment_national")
    kept = national[national["metier_code"].str.len() == len("A0Z")]
    return kept.assign(branch_code="ensemble", origin="public")


def ours(known: pd.DataFrame) -> pd.DataFrame:
    """Return the library's 80 % interval by métier and year."""
    future = forecast.forecast_employment(known, HORIZON_YEARS, [0.1, 0.5, 0.9])
    wide = future.pivot(index=["metier_code", "year"], columns="quantile_level", values="value")
    return pd.DataFrame({"lower": wide[0.1], "upper": wide[0.9]})


def models(known: pd.DataFrame) -> pd.DataFrame:
    """Return the interval that statsmodels gives for the same model of logs."""
    rows = []
    for code, series in known.groupby("metier_code"):
        ordered = series.sort_values("year")
        values = pd.Series(np.log(ordered["employment_headcount"].to_numpy()))
        model = ETSModel(values, error="add", trend="add", damped_trend=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = model.fit(disp=False)
        ahead = fitted.get_prediction(len(values), len(values) + HORIZON_YEARS - 1)
        half = norm.ppf(0.9) * np.sqrt(np.asarray(ahead.forecast_variance))
        middle = np.asarray(ahead.predicted_mean)
        last = int(ordered["year"].iloc[-1])
        rows += [
            (code, last + step, np.exp(low), np.exp(high))
            for step, (low, high) in enumerate(
                zip(middle - half, middle + half, strict=True), start=1
            )
        ]
    frame = pd.DataFrame(rows, columns=["metier_code", "year", "lower", "upper"])
    return frame.set_index(["metier_code", "year"])


def coverage(interval: pd.DataFrame, actual: pd.Series, origin: int) -> pd.Series:
    """Return, by step, whether each observed figure lies inside."""
    seen = actual.reindex(interval.index).dropna()
    inside = seen.between(interval["lower"].reindex(seen.index), interval["upper"][seen.index])
    return inside.groupby(seen.index.get_level_values("year") - origin).agg(["sum", "size"])


def main() -> None:
    """Print coverage by step for both intervals, and the ratio."""
    table = families()
    actual = table.set_index(["metier_code", "year"])["employment_headcount"]
    counts: dict[str, list[pd.DataFrame]] = {"ours": [], "model": []}
    seconds = dict.fromkeys(counts, 0.0)
    for origin in ORIGINS:
        known = table[table["year"].between(origin - WINDOW_YEARS + 1, origin)]
        for name, method in (("ours", ours), ("model", models)):
            start = time.process_time()
            interval = method(known)
            seconds[name] += time.process_time() - start
            counts[name].append(coverage(interval, actual, origin))
    summed = {name: pd.concat(parts).groupby(level=0).sum() for name, parts in counts.items()}
    share = pd.DataFrame({name: 100 * c["sum"] / c["size"] for name, c in summed.items()})
    share["ratio"] = share["ours"] / share["model"]
    share.insert(0, "figures", summed["ours"]["size"])
    print("80 % interval: share of observed figures inside, in %, by years ahead")
    print(share.round(1).to_string())
    print("CPU seconds:", {name: round(total, 1) for name, total in seconds.items()})


if __name__ == "__main__":
    main()
