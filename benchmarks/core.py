"""Acceptability of 200 métiers × 10 criteria × 5 000 weight vectors: time, and ratio to a loop.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/core.py

The peer is the plain loop that the definition of the method reads as: for each métier and each
weight vector, one weighted sum compared to the cut-off. Both must give the same shares.
"""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from opmq_lib.methods import core

METIERS, CRITERIA, DRAWS, CUTOFF = 200, 10, 5_000, 0.5
RUNS, LOOP_METIERS = 20, 20


def plain_loop(known: np.ndarray, weights: np.ndarray) -> list[float]:
    """Return the acceptability of each métier, one weighted sum at a time."""
    found = []
    vectors = weights.tolist()
    for row in known.tolist():
        accepted = 0
        for vector in vectors:
            total = 0.0
            for weight, score in zip(vector, row, strict=True):
                total += weight * score
            accepted += total >= CUTOFF - core.TIE
        found.append(accepted / len(vectors))
    return found


def milliseconds(function: Callable[[], object], runs: int) -> float:
    """Return the median CPU time of several runs."""
    taken = []
    for _ in range(runs):
        start = time.process_time()
        function()
        taken.append(time.process_time() - start)
    return 1000 * float(np.median(taken))


def main() -> None:
    """Print the times and the ratio."""
    random = np.random.default_rng(1)
    codes = [f"c{number}" for number in range(CRITERIA)]
    drivers = ["employment", "employment", *codes[2:]]
    lower = random.random((METIERS, CRITERIA))
    upper = np.clip(lower + random.random((METIERS, CRITERIA)) * 0.3, 0, 1)
    upper[:, 2:] = lower[:, 2:]
    question = pd.DataFrame(
        {"criterion_code": codes, "weight": 1 / CRITERIA, "concentration": float(CRITERIA)}
    )
    weights = core.draw_weights(question, DRAWS, 1)
    positions = {"employment": random.random((METIERS, DRAWS))}

    def shares(upper: np.ndarray, positions: dict[str, np.ndarray]) -> np.ndarray:
        scores = core.drawn_scores(lower, upper, weights, drivers, positions)
        return (scores >= CUTOFF - core.TIE).mean(axis=1)

    looped = plain_loop(lower[:LOOP_METIERS], weights)
    assert np.array_equal(shares(lower, {})[:LOOP_METIERS], looped)
    certain_ms = milliseconds(lambda: shares(lower, {}), RUNS)
    uncertain_ms = milliseconds(lambda: shares(upper, positions), RUNS)
    loop_ms = milliseconds(lambda: plain_loop(lower[:LOOP_METIERS], weights), 3)
    loop_ms *= METIERS / LOOP_METIERS
    print(f"{METIERS} métiers × {CRITERIA} criteria × {DRAWS} weight vectors, one core")
    print(f"known inputs      {certain_ms:8.1f} ms")
    print(f"uncertain inputs  {uncertain_ms:8.1f} ms (two criteria of one driver)")
    print(f"plain loop        {loop_ms:8.0f} ms ({LOOP_METIERS} métiers timed, scaled up)")
    print(f"ratio             {loop_ms / certain_ms:8.0f} ×")


if __name__ == "__main__":
    main()
