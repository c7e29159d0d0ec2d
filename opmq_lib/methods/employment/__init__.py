"""Estimated employment by branch and métier (B1): what the survey says of sectors, then branches.

No open source crosses branch and métier. Five steps, one module each: hires say where a métier is
hired more than others (`hires`); with the survey's lists they give métiers by sector (`sectors`);
inside a sector they say who works for which branch (`branches`); wages give the classes of jobs of
each branch (`classes`); a last fit holds all totals (`estimate`). `intervals` says how well each
cell is known, `rows` what the table of a branch shows. Every cell is an estimate.
"""

from opmq_lib.methods.employment.branches import RESIDUAL_BRANCH as RESIDUAL_BRANCH
from opmq_lib.methods.employment.candidates import candidates as candidates
from opmq_lib.methods.employment.estimate import Estimate as Estimate
from opmq_lib.methods.employment.estimate import EstimateTables as EstimateTables
from opmq_lib.methods.employment.estimate import fit_estimate as fit_estimate
from opmq_lib.methods.employment.estimate import heads_by_metier as heads_by_metier
from opmq_lib.methods.employment.hires import HireTables as HireTables
from opmq_lib.methods.employment.hires import rome_shares as rome_shares
from opmq_lib.methods.employment.rows import RESIDUAL_METIER as RESIDUAL_METIER
from opmq_lib.methods.employment.rows import branch_table as branch_table
from opmq_lib.methods.employment.rows import gathered as gathered
from opmq_lib.methods.employment.rows import row_codes as row_codes
from opmq_lib.methods.employment.rows import uncovered as uncovered
