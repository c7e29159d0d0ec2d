"""Core and strategic métiers of a branch: what the criteria say, and how much weights decide it.

“Core” is the French *cœur de métier*. The package measures; the CPNEFP decides.
"""

from opmq_lib.methods.core.labels import (
    LABELS,
    NOT_ASSESSABLE,
    NOT_LABELLED,
    OUT,
    ROBUST,
    WEIGHT_DEPENDENT,
    assess,
)
from opmq_lib.methods.core.quotient import location_quotient
from opmq_lib.methods.core.scores import OUT_TO, PUBLICATION_DRAWS, ROBUST_FROM, SEED, SLIDER_DRAWS
from opmq_lib.methods.core.values import complete, employment_values, public_values, under_threshold

__all__ = [
    "LABELS",
    "NOT_ASSESSABLE",
    "NOT_LABELLED",
    "OUT",
    "OUT_TO",
    "PUBLICATION_DRAWS",
    "ROBUST",
    "ROBUST_FROM",
    "SEED",
    "SLIDER_DRAWS",
    "WEIGHT_DEPENDENT",
    "assess",
    "complete",
    "employment_values",
    "location_quotient",
    "public_values",
    "under_threshold",
]
