"""What every table must look like: columns, types, ranges, keys, French labels and units.

Contracts are data: `columns` says what a column means, `schemas` which columns a table has, and
`checking` finds every defect of a table at once. Codes are text and are never converted; an empty
text is a missing one.
"""

from opmq_lib.tables.checking import (
    Problem,
    Sheet,
    as_error,
    check,
    find_problems,
    header_problems,
    row_problems,
)
from opmq_lib.tables.columns import COLUMNS, Column
from opmq_lib.tables.schemas import (
    DESCRIPTIONS,
    DIMENSIONS,
    INDICATOR_COLUMNS,
    KEYS,
    PROJECTION_COLUMNS,
    SCHEMAS,
    TABLES,
    USES,
    expectation,
)

__all__ = [
    "COLUMNS",
    "DESCRIPTIONS",
    "DIMENSIONS",
    "INDICATOR_COLUMNS",
    "KEYS",
    "PROJECTION_COLUMNS",
    "SCHEMAS",
    "TABLES",
    "USES",
    "Column",
    "Problem",
    "Sheet",
    "as_error",
    "check",
    "expectation",
    "find_problems",
    "header_problems",
    "row_problems",
]
