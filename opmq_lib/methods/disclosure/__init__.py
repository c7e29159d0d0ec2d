"""The gate: what may be released of the observatory's own figures, and what gives them away.

Read in this order: `rules` what is secret in itself, `graph` how figures add up, `build` the graph
of a table and of earlier editions, `attack` what a reader works out, `suppress` the cheapest cells
to hide besides, `release` the two functions that callers need.
"""

from opmq_lib.methods.disclosure.release import Shares as Shares
from opmq_lib.methods.disclosure.release import audit as audit
from opmq_lib.methods.disclosure.release import protect as protect
