"""What every table must look like: columns, types, ranges, keys, French labels and units.

Contracts are data: `columns.csv` says what a column means, `tables.csv` which columns a table has,
`schemas` what its rows must say together, and `checking` finds every defect of a table at once.
Codes are text and are never converted; an empty text is a missing one.
"""

from opmq_lib.tables.checking import Problem as Problem
from opmq_lib.tables.checking import Sheet as Sheet
from opmq_lib.tables.checking import as_error as as_error
from opmq_lib.tables.checking import check as check
from opmq_lib.tables.checking import distinct as distinct
from opmq_lib.tables.checking import find_problems as find_problems
from opmq_lib.tables.checking import header_problems as header_problems
from opmq_lib.tables.checking import input_errors as input_errors
from opmq_lib.tables.checking import row_problems as row_problems
from opmq_lib.tables.columns import CODES as CODES
from opmq_lib.tables.columns import COLUMNS as COLUMNS
from opmq_lib.tables.columns import Column as Column
from opmq_lib.tables.columns import expectation as expectation
from opmq_lib.tables.schemas import DESCRIPTIONS as DESCRIPTIONS
from opmq_lib.tables.schemas import DIMENSIONS as DIMENSIONS
from opmq_lib.tables.schemas import INDICATOR_COLUMNS as INDICATOR_COLUMNS
from opmq_lib.tables.schemas import KEYS as KEYS
from opmq_lib.tables.schemas import OPTIONAL_COLUMNS as OPTIONAL_COLUMNS
from opmq_lib.tables.schemas import PROJECTION_COLUMNS as PROJECTION_COLUMNS
from opmq_lib.tables.schemas import TABLES as TABLES
from opmq_lib.tables.schemas import USES as USES
