"""What posts to fill rest on, beside employment and ages."""

from dataclasses import dataclass

import pandas as pd

from opmq_lib.methods.needs.ages import FIRST_OLD_AGE
from opmq_lib.methods.needs.cohorts import FIRST_OLD_SHARE


@dataclass(frozen=True)
class Assumptions:
    """What posts to fill rest on, beside employment and ages.

    Attributes:
        projections: Employment projected: rows of the `projection` contract, or `branch_code,
            metier_code, year, quantile_level, value` (heads) with the level 0.5; by default
            employment is forecast.
        rates: Survival by `metier_code`, `first_age` and, if it changes, `step`: what
            `learn_rates` returns, or your own `survival_ratio`; by default learnt from the ages.
        effects: What a scenario changes: `branch_code, metier_code, year`,
            `employment_multiplier`, `departures_multiplier` (`scenarios.effects`).
        scenario_code: Copied to the result.
        delay_years: Years later in life at which everybody leaves (pension-age variant), 0 to 5,
            from the year from which posts are counted.
        first_old_age: a₀.
        first_old_share: Share of the leavers of the band below a₀ that count, 0 to 1.
        counted_from: Year from which posts are counted, where a series ends before it.
        branches: Rows of the `employment` contract, the rest of each branch included, whose 80 %
            interval is that of the level; by default the employment given.
        draws_count: Draws, at least 50; the same seed gives the same result.
        seed: Seed of the draws.
        totals: Whether to add, per branch, the sum of the métiers given, as métier `ENS`, and over
            several branches those of each métier and of all, as branch `ensemble`.
    """

    projections: pd.DataFrame | None = None
    rates: pd.DataFrame | None = None
    effects: pd.DataFrame | None = None
    scenario_code: str = "reference"
    delay_years: float = 0.0
    first_old_age: int = FIRST_OLD_AGE
    first_old_share: float = FIRST_OLD_SHARE
    counted_from: int | None = None
    branches: pd.DataFrame | None = None
    draws_count: int = 1000
    seed: int = 2018
    totals: bool = False


REFERENCE = Assumptions()
