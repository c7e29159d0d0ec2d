"""Would the engine's constants have been chosen without the set that they are judged on?

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/leave_one_out.py [DATA]

For each public set, the constants are chosen on the five others among the grids below, first those
of the point forecast, then those of the interval, and scored on that set. Prints a Markdown table.
"""

import argparse
import dataclasses
from itertools import product
from types import ModuleType

import numpy as np
import pandas as pd
import public_sets

from opmq_lib.methods.forecast.engine import forecast_panel, learn_panel
from opmq_lib.methods.forecast.series import tidy_panel
from opmq_lib.methods.forecast.settings import DEFAULT, Settings

LEVELS = np.array([0.025, 0.1, 0.5, 0.9, 0.975])
SHARES = {
    "default": DEFAULT.shares,
    "equal": (0.2, 0.2, 0.2, 0.2, 0.2),
    "no static theta": (0.1, 0.3, 0.4, 0.2, 1e-9),
}
POINT = [
    {"shares": SHARES[name], "trust": (grid, families), "growth_share": growth}
    for name, grid, families, growth in product(
        SHARES, (2.0, 6.0, 12.0), (10.0, 20.0, 30.0), (0.0, 0.25, 0.4)
    )
]
INTERVAL = [
    {"length_correction": length, "volatility_pooling": pooling, "between_weight": between}
    for length, pooling, between in product(
        (0.0, 0.1, 0.25, 0.5), (0.0, 0.1, 0.15, 0.2), (1.0, 2.0)
    )
]


class Judge:
    """Scores of one set under any settings, each computed once."""

    def __init__(self, score: ModuleType, dataset: str) -> None:
        self.score, self.dataset = score, dataset
        train, test = score.split(dataset)
        self.tidy = tidy_panel(train.rename(columns={"unique_id": "series_code", "y": "value"}))
        self.horizon = int(test["h"].max())
        self.known: dict[Settings, dict[str, float]] = {}

    def __call__(self, settings: Settings) -> dict[str, float]:
        """Return the scores of the set under some settings."""
        if settings not in self.known:
            learnt = learn_panel(self.tidy.panel, self.horizon, LEVELS, settings)
            quantiles = forecast_panel(self.tidy.panel, learnt)
            count = len(self.tidy.codes)
            years = self.tidy.last_year[:, None] + np.arange(1, self.horizon + 1)
            forecasts = pd.DataFrame(
                {
                    "unique_id": np.repeat(self.tidy.codes.to_numpy(), self.horizon * len(LEVELS)),
                    "year": np.repeat(years.ravel(), len(LEVELS)),
                    "quantile_level": np.tile(LEVELS, count * self.horizon),
                    "value": quantiles.ravel(),
                }
            )
            self.known[settings] = self.score.score(forecasts, self.dataset)
        return self.known[settings]


def point_loss(result: dict[str, float]) -> float:
    """Return what a choice of point constants minimises: log sMAPE + log MASE."""
    return float(np.log(result["sMAPE"]) + np.log(result["MASE"]))


def interval_loss(result: dict[str, float]) -> float:
    """Return what a choice of interval constants minimises: log WIS, log MSIS, miss in coverage."""
    misses = abs(result["cov80"] - 80) / 80 + abs(result["cov95"] - 95) / 95
    return float(np.log(result["WIS"]) + np.log(result["MSIS95"]) + misses)


def chosen(judges: list[Judge]) -> tuple[Settings, Settings]:
    """Return the point settings, then the settings, that serve some sets best on average."""
    candidates = [dataclasses.replace(DEFAULT, **choice) for choice in POINT]
    point = min(candidates, key=lambda s: np.mean([point_loss(judge(s)) for judge in judges]))
    wider = [dataclasses.replace(point, **choice) for choice in INTERVAL]
    return point, min(wider, key=lambda s: np.mean([interval_loss(judge(s)) for judge in judges]))


def said(settings: Settings) -> str:
    """Return the settings' choices in words."""
    name = next(name for name, shares in SHARES.items() if shares == settings.shares)
    return (
        f"{name}; {settings.trust[0]:g}, {settings.trust[1]:g}; "
        f"{settings.growth_share:g}; {settings.length_correction:g}; "
        f"{settings.volatility_pooling:g}; {settings.between_weight:g}"
    )


def line(name: str, result: dict[str, float]) -> str:
    """Return the scores as cells."""
    return (
        f"| {name} | {result['sMAPE']:.2f} | {result['MASE']:.3f} | {result['OWA']:.3f} | "
        f"{result['cov80']:.1f} | {result['cov95']:.1f} | {result['MSIS95']:.1f} | "
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    public_sets.add_argument(parser)
    score = public_sets.scorer(parser.parse_args().data)
    judges = [Judge(score, dataset) for dataset in score.PUBLIC]
    print("| left out | sMAPE | MASE | OWA | cov 80 | cov 95 | MSIS95 | chosen on the others |")
    print("|---|---|---|---|---|---|---|---|")
    for left in judges:
        _, settings = chosen([judge for judge in judges if judge is not left])
        print(line(left.dataset, left(settings)) + said(settings) + " |", flush=True)
        print(line("… defaults", left(DEFAULT)) + " |", flush=True)
    _, settings = chosen(judges)
    print("all six would choose:", said(settings))


if __name__ == "__main__":
    main()
