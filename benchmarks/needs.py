"""How long needs take for the whole study, with their draws.

    OPENBLAS_NUM_THREADS=1 python benchmarks/needs.py

34 branches × 40 rows, the reference and five other cases, 4,000 draws: seconds and peak memory.
"""

import resource
import time

import numpy as np
import pandas as pd

from opmq_lib.methods import needs

BRANCHES, METIERS, CASES = 34, 40, 6


def main() -> None:
    """Time the whole study."""
    cells = _study(np.random.default_rng(5))
    start = time.perf_counter()
    cases = {f"case_{n}": cells[["branch_code", "metier_code"]] for n in range(CASES)}
    found = needs.posts_to_fill(cells, 2026, 2030, cases)
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(f"{seconds:.1f} s, {len(found):,} rows, peak {memory:.2f} GB")


def _study(rng: np.random.Generator) -> pd.DataFrame:
    """Return made-up cells of every branch and métier."""
    keys = [(f"b{b:02d}", f"{chr(65 + m // 4)}0Z4{m % 4}") for b in range(BRANCHES)
            for m in range(METIERS)]  # fmt: skip
    heads = rng.gamma(0.5, 800, len(keys))
    return pd.DataFrame(keys, columns=["branch_code", "metier_code"]).assign(
        level_year=2020,
        employment_headcount=heads,
        employment_headcount_lower=heads / 2,
        employment_headcount_upper=heads * 2,
        family_code=[metier[:3] for _, metier in keys],
        growth_rate_pct=rng.normal(0, 1, len(keys)),
        departure_rate_pct=rng.uniform(1.5, 4, len(keys)),
        ages_basis="national",
        nature="official_projection",
        origin="public",
    )


if __name__ == "__main__":
    main()
