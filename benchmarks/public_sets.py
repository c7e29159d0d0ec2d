"""Where the public sets are, and their own scorer."""

import argparse
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pandas as pd

VARIABLE = "OPMQ_FORECAST_DATA"
DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "forecast"


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Let a command take the folder of the sets: argument, environment variable, or default."""
    parser.add_argument(
        "data",
        type=Path,
        nargs="?",
        default=Path(os.environ.get(VARIABLE, DEFAULT)),
        help=f"folder of the public sets and of their score.py (default: ${VARIABLE}, or "
        "shared/data/forecast beside the project)",
    )


def scorer(folder: Path) -> ModuleType:
    """Return the data's own scorer.

    Raises:
        SystemExit: If it is not in the folder.
    """
    path = folder / "score.py"
    if not path.is_file():
        raise SystemExit(f"{path}: no such file; give the folder of the public sets")
    found = importlib.util.spec_from_file_location("score", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


DEVELOPMENT = (
    "gapminder_mix", "gapminder_signed", "pwt_jobs_hours", "us_crops", "us_manufacturing_jobs",
    "us_states_business",
)  # fmt: skip
KIND = dict.fromkeys(("gapminder_mix", "gapminder_signed", "pwt_jobs_hours"), r"^[^_]*_(.*)$")
KIND |= dict.fromkeys(("us_crops", "us_states_business"), r"^.*_([^_]*)$")
"""Where a series' name says its kind: after its country, or after its state."""
WINDOWS = ((15, 0), (15, 8), (15, 16), (24, 4), (24, 12))
"""Years of a window, and how many years before the end of a series it ends."""
LEAST_SERIES = 50


class Trial(NamedTuple):
    """A set, or a window of one: rows to learn from and rows held out, with their step `h`."""

    dataset: str
    window: str
    train: pd.DataFrame
    test: pd.DataFrame


def trials(score: ModuleType) -> Iterator[Trial]:
    """Yield the twelve sets, each followed by its windows of `LEAST_SERIES` or more."""
    for dataset in (*score.PUBLIC, *DEVELOPMENT):
        yield Trial(dataset, "whole", *score.split(dataset))
        rows = score.load(dataset)
        size = rows.groupby("unique_id")["y"].transform("size")
        left = size - rows.groupby("unique_id").cumcount() - 1
        horizon = score.FIXED_H.get(dataset, 6)
        for years, before in WINDOWS:
            inside = (size >= years + before) & left.between(before, before + years - 1)
            window, ahead = rows[inside], (before + horizon - left)[inside]
            if window["unique_id"].nunique() >= LEAST_SERIES:
                name = f"{years} years, {before} before the end"
                test = window[ahead > 0].assign(h=ahead[ahead > 0])
                yield Trial(dataset, name, window[ahead <= 0], test)


def judged(score: ModuleType, trial: Trial, forecasts: pd.DataFrame) -> dict[str, float]:
    """Return the scorer's scores of any trial."""
    split = score.split
    score.split = lambda _: (trial.train, trial.test)
    try:
        return score.score(forecasts, trial.dataset)
    finally:
        score.split = split
