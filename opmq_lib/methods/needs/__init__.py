"""How many posts to fill, when and why: employment projected, incumbents aged, two causes.

Read in this order: `assumptions` what posts rest on, `cohorts` ageing and departures on arrays,
`ages` age tables as arrays, `rates` what past tables teach, `departures` who leaves each métier,
`simulation` draws of what is not known, `posts` the whole on tables; then `scenarios`, `summary`
(indicators, entries), `qualifications`, `intentions` (the other layer, never added), `backtests`.
"""

from opmq_lib.methods.needs.assumptions import Assumptions as Assumptions
from opmq_lib.methods.needs.posts import COLUMNS as COLUMNS
from opmq_lib.methods.needs.posts import QUANTITIES as QUANTITIES
from opmq_lib.methods.needs.posts import RATES as RATES
from opmq_lib.methods.needs.posts import posts_to_fill as posts_to_fill
from opmq_lib.methods.needs.rates import learn_rates as learn_rates
