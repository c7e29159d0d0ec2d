"""Recruitment tension per métier: published, composed, or from the BMO survey; never re-estimated.

The published index and factors (`published`) and the survey's bounds (`survey`) stand apart. The
composite index is computed (`composite`) only from components and a reference that a user supplies.
"""

from opmq_lib.methods.tension.composite import (
    WEIGHTS,
    branch_index,
    composite_index,
    duncan,
    shrunk,
)
from opmq_lib.methods.tension.nomenclatures import chained, check_crosswalk
from opmq_lib.methods.tension.profiles import FACTORS, TENSE_FROM_CLASS, profiles_of
from opmq_lib.methods.tension.published import (
    CUT_OFF_BRACKETS,
    INDEX_COLUMNS,
    class_range,
    published_index,
    regional_index,
)
from opmq_lib.methods.tension.survey import hard_to_fill, high_tension_basins

__all__ = [
    "CUT_OFF_BRACKETS",
    "FACTORS",
    "INDEX_COLUMNS",
    "TENSE_FROM_CLASS",
    "WEIGHTS",
    "branch_index",
    "chained",
    "check_crosswalk",
    "class_range",
    "composite_index",
    "duncan",
    "hard_to_fill",
    "high_tension_basins",
    "profiles_of",
    "published_index",
    "regional_index",
    "shrunk",
]
