"""How many posts to fill, when and why: employment projected, incumbents aged, two causes.

Where each formula is: `cohorts` ageing and departures on arrays, `ages` age tables as arrays,
`rates` what past tables teach, `survival` the rates of each métier, `draws` what is not known,
`posts` the whole on tables; then `measures` the accounting, `scenarios`, `coherence`, `intentions`
(the other layer, never added) and `backtests`.
"""

from opmq_lib.methods.needs.ages import FIRST_OLD_AGE
from opmq_lib.methods.needs.assumptions import Assumptions
from opmq_lib.methods.needs.cohorts import career_end_departures
from opmq_lib.methods.needs.posts import COLUMNS, QUANTITIES, posts_to_fill
from opmq_lib.methods.needs.rates import learn_rates

__all__ = [
    "COLUMNS",
    "FIRST_OLD_AGE",
    "QUANTITIES",
    "Assumptions",
    "career_end_departures",
    "learn_rates",
    "posts_to_fill",
]
