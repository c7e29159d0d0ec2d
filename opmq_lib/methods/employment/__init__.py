"""Estimated employment by branch and métier (B0): hires say who works where, margins how many.

No open source crosses branch and métier. The estimate starts from hires by ROME and NAF, carried
to métier × branch by two tables of conventions of the project, and is fitted to what is published:
employment of each métier and headcount of each branch. A residual métier and a residual branch
close the table. Every cell is `nature = estimate`, `origin = public`.
"""

from opmq_lib.methods.employment.estimate import (
    ALL_METIERS,
    MARGINS_NOTE,
    MOVED_PCT,
    RESIDUAL_LABELS,
    SOURCE_CODE,
    SOURCE_TABLES,
    branch_totals,
    estimate_employment,
    margins_check,
    metier_totals,
    moved_cells,
    replace_with_own,
    sensitivity,
)
from opmq_lib.methods.employment.seed import (
    REFERENCE,
    RESIDUAL_BRANCH,
    RESIDUAL_METIER,
    SMOOTHING_HIRES,
    VARIANT_LABELS,
    SeedTables,
    build_seed,
    rome_shares,
)

__all__ = [
    "ALL_METIERS",
    "MARGINS_NOTE",
    "MOVED_PCT",
    "REFERENCE",
    "RESIDUAL_BRANCH",
    "RESIDUAL_LABELS",
    "RESIDUAL_METIER",
    "SMOOTHING_HIRES",
    "SOURCE_CODE",
    "SOURCE_TABLES",
    "VARIANT_LABELS",
    "SeedTables",
    "branch_totals",
    "build_seed",
    "estimate_employment",
    "margins_check",
    "metier_totals",
    "moved_cells",
    "replace_with_own",
    "rome_shares",
    "sensitivity",
]
