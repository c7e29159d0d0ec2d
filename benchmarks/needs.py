"""Departures beside the official ones, and how long posts to fill take for the whole study.

    OPENBLAS_NUM_THREADS=1 python benchmarks/needs.py

Departures of all métiers, summed by family, against those of “Les métiers en 2030” on the families
of the field that are projected whole; fails above 10 % of weighted error.

Then time: 34 branches × 90 métiers × 10 years × 500 draws, every branch with ages of its own (the
slowest case) and with national ages; then the peer: the same chain called once per branch and
métier, on a sample, scaled up. Prints seconds, peak memory of this process, and the ratio.
"""

import resource
import time

import numpy as np
import pandas as pd

from opmq_lib.methods import needs
from opmq_lib.methods.needs import official
from opmq_lib.sources import embedded
from opmq_lib.tables.fap import FAMILY_LENGTH

MOST_ERROR_PCT = 10
BRANCHES, METIERS, YEARS, DRAWS = 34, 90, 10, 500
BANDS = ("15-24", "25-29", "30-34", "35-39", "40-44", "45-49", "50-54", "55-59", "60+")
SAMPLE = 30


def official_departures() -> pd.DataFrame:
    """Return own and official departures of the families of the field, in heads."""
    known = official.national(embedded.load("official_projections")).set_index("metier_code")
    years = int((known["horizon_year"] - known["base_year"]).iloc[0])
    national = embedded.load("employment_national")
    metiers = national[national["metier_code"].str.len() > FAMILY_LENGTH]
    found = needs.posts_to_fill(metiers, embedded.load("age_structure"), years, [0.5])
    left = found[found["quantity"] == needs.QUANTITIES[1]]
    own = left.groupby(official.official_family(left["metier_code"]))["value"].sum()
    table = embedded.load("metiers")
    in_field = table[table["nomenclature"].eq("FAP-2009") & table["scope"].ne("other")]
    codes = in_field.loc[in_field["level"] == "fap87", "metier_code"]
    partly = {whole for code, whole in official.FAMILIES.items() if code not in set(codes)}
    families = sorted(set(official.official_family(codes)) - partly)
    both = {"own": own, "official": known["departures_headcount"]}
    return pd.DataFrame(both).loc[families]


def main() -> None:
    """Compare departures, then time the whole study and the peer."""
    table = official_departures()
    gap = table["own"] - table["official"]
    error = 100 * gap.abs().sum() / table["official"].sum()
    total = 100 * gap.sum() / table["official"].sum()
    print(f"departures of {len(table)} families: error {error:.1f} %, total {total:+.1f} %")
    if error > MOST_ERROR_PCT:
        raise SystemExit(f"more than {MOST_ERROR_PCT} %")
    jobs, ages = _study(np.random.default_rng(5))
    given = needs.Assumptions(draws_count=DRAWS, totals=True)
    horizons = range(1, YEARS + 1)
    for name, table in (("national ages", ages[ages["branch_code"] == "b00"]), ("own ages", ages)):
        table = table.drop(columns="branch_code") if name == "national ages" else table
        start = time.perf_counter()
        found = needs.posts_to_fill(jobs, table, horizons, assumptions=given)
        seconds = time.perf_counter() - start
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
        print(f"{name}: {seconds:.1f} s, {len(found):,} rows, peak {memory:.2f} GB")
    keys = jobs[["branch_code", "metier_code"]].drop_duplicates().head(SAMPLE)
    start = time.perf_counter()
    for branch, metier in keys.itertuples(index=False):
        one = jobs[(jobs["branch_code"] == branch) & (jobs["metier_code"] == metier)]
        own = ages[(ages["branch_code"] == branch) & (ages["metier_code"] == metier)]
        needs.posts_to_fill(one, own, horizons, assumptions=given)
    peer = (time.perf_counter() - start) * BRANCHES * METIERS / SAMPLE
    print(f"one at a time: {peer:.0f} s (from {SAMPLE} of them); ratio {seconds / peer:.3f}")


def _study(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return made-up employment 2004-2018 and ages 2004-2018 of every branch and métier."""
    years = np.arange(2004, 2019)
    keys = [(f"b{b:02d}", f"M{m:02d}Z40") for b in range(BRANCHES) for m in range(METIERS)]
    start = rng.gamma(0.5, 800, len(keys))
    paths = start[:, None] * np.exp(rng.normal(0, 0.04, (len(keys), len(years))).cumsum(axis=1))
    shares = rng.dirichlet(np.full(len(BANDS), 8.0), len(keys))
    jobs = pd.DataFrame(keys, columns=["branch_code", "metier_code"])
    jobs = (
        jobs.loc[jobs.index.repeat(len(years))]
        .reset_index(drop=True)
        .assign(year=np.tile(years, len(keys)), employment_headcount=paths.ravel())
    )
    each = jobs.loc[jobs.index.repeat(len(BANDS))]
    heads = (paths[:, :, None] * shares[:, None, :]).ravel()
    ages = each.drop(columns=["employment_headcount", "year"]).assign(
        period=each["year"].astype("str"),
        age_band=np.tile(BANDS, len(jobs)),
        employment_headcount=heads,
    )
    return jobs, ages.reset_index(drop=True)


if __name__ == "__main__":
    main()
