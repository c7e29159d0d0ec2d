"""How many posts to fill, and why: who leaves, per 100 jobs a year, and net creation of jobs.

Read in this order: `official` the official projections, `metier_rates` growth and departures of
each métier from them, our own beside, `posts` needs with their intervals; then `scenarios`,
`summary` (indicators, entries), `qualifications`, `intentions` (the other layer, never added). Our
own departures: `cohorts` ageing on arrays, `ages` age tables as arrays, `rates` what past tables
teach, `departures` who leaves; `backtests` what all this was worth;
`company` the departures of one company.
"""

from opmq_lib.methods.needs.company import company as company
from opmq_lib.methods.needs.posts import GRADED as GRADED
from opmq_lib.methods.needs.posts import JOBS as JOBS
from opmq_lib.methods.needs.posts import QUANTITIES as QUANTITIES
from opmq_lib.methods.needs.posts import RATES as RATES
from opmq_lib.methods.needs.posts import departure_factors as departure_factors
from opmq_lib.methods.needs.posts import posts_to_fill as posts_to_fill
