"""Estimated employment by branch and métier (B0): hires say who works where, margins how many.

No open source crosses branch and métier. The estimate starts from hires by ROME and NAF, carried
to métier × branch by two tables of conventions of the project, and is fitted to what is published:
employment of each métier and headcount of each branch. A residual métier and a residual branch
close the table. Every cell is `nature = estimate`, `origin = public`.
"""

from opmq_lib.methods.employment.estimate import estimate_employment as estimate_employment
from opmq_lib.methods.employment.estimate import margin_deviation as margin_deviation
from opmq_lib.methods.employment.estimate import metier_totals as metier_totals
from opmq_lib.methods.employment.estimate import moved_cells as moved_cells
from opmq_lib.methods.employment.estimate import sensitivity as sensitivity
from opmq_lib.methods.employment.seed import RESIDUAL_BRANCH as RESIDUAL_BRANCH
from opmq_lib.methods.employment.seed import RESIDUAL_METIER as RESIDUAL_METIER
from opmq_lib.methods.employment.seed import SeedTables as SeedTables
from opmq_lib.methods.employment.seed import rome_shares as rome_shares
