"""MinT-shrink of this library against hierarchicalforecast: same numbers, CPU-seconds side by side.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/reconcile.py [--large]

Needs `hierarchicalforecast`. `--large` also times sizes at which its dense matrices do not fit.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from hierarchicalforecast.methods import MinTrace

from opmq_lib.methods.forecast.reconcile import Hierarchy, reconcile

HORIZON_YEARS, PAST_YEARS = 6, 20


def structure(metiers: int, branches: int, *, cells: bool) -> pd.DataFrame:
    """Return métier × branch series in a total, métiers, branches and families of five métiers.

    With `cells`, also in families within branches.
    """
    metier, branch = np.divmod(np.arange(metiers * branches), branches)
    table = pd.DataFrame(
        {
            "series_code": [f"m{m}b{b}" for m, b in zip(metier, branch, strict=True)],
            "total": "total",
            "metier": [f"m{m}" for m in metier],
            "branch": [f"b{b}" for b in branch],
            "family": [f"f{m // 5}" for m in metier],
        }
    )
    if cells:
        table["cell"] = [f"f{m // 5}b{b}" for m, b in zip(metier, branch, strict=True)]
    return table


def problem(hierarchy: Hierarchy, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return incoherent base forecasts and past errors of the hierarchy's nodes."""
    random = np.random.default_rng(seed)
    walks = np.cumsum(random.normal(0, 0.05, (hierarchy.membership.shape[1], PAST_YEARS)), axis=1)
    history = hierarchy.complete(np.exp(random.normal(6, 1.5, (len(walks), 1)) + walks))
    errors = history * random.normal(0, 0.05, history.shape)
    base = history[:, -HORIZON_YEARS:] * np.exp(
        random.normal(0, 0.05, (len(history), HORIZON_YEARS))
    )
    return base, errors


def cpu_seconds(function: Callable[[], object], runs: int) -> float:
    """Return the least CPU-seconds of several runs."""
    best = np.inf
    for _ in range(runs):
        start = time.process_time()
        function()
        best = min(best, time.process_time() - start)
    return best


def peer(hierarchy: Hierarchy, base: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return hierarchicalforecast's MinT-shrink forecasts."""
    summing = hierarchy.complete(np.eye(hierarchy.membership.shape[1]))
    found = MinTrace(method="mint_shrink").fit_predict(
        S=summing, y_hat=base, y_insample=errors, y_hat_insample=np.zeros_like(errors)
    )
    return np.asarray(found["mean"])


def main() -> None:
    """Print one line per size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true")
    sizes = [(20, 20, True, True), (60, 50, True, True)]
    if parser.parse_args().large:
        sizes += [(225, 150, False, False), (225, 128, True, False)]
    for metiers, branches, cells, with_peer in sizes:
        hierarchy = Hierarchy.from_groupings(structure(metiers, branches, cells=cells))
        base, errors = problem(hierarchy, seed=metiers)
        ours = reconcile(hierarchy, base, errors, method="mint_shrink").forecasts
        seconds = cpu_seconds(lambda h=hierarchy, b=base, e=errors: reconcile(h, b, e), 7)
        gap = np.abs(hierarchy.constraints @ ours).max() / np.abs(ours).max()
        print(
            f"{len(base):6d} nodes, {hierarchy.start:5d} aggregates: "
            f"{1e3 * seconds:8.1f} ms, coherence {gap:.1e}",
            end="",
        )
        if with_peer:
            start = time.process_time()
            theirs = peer(hierarchy, base, errors)
            peer_seconds = time.process_time() - start
            if peer_seconds < 1:
                peer_seconds = cpu_seconds(lambda h=hierarchy, b=base, e=errors: peer(h, b, e), 3)
            difference = np.abs(theirs - ours).max() / np.abs(theirs).max()
            print(
                f"; hierarchicalforecast {1e3 * peer_seconds:8.1f} ms, "
                f"ratio {peer_seconds / seconds:6.1f}, difference {difference:.1e}",
                end="",
            )
        print(flush=True)


if __name__ == "__main__":
    main()
