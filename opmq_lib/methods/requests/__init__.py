"""What companies ask for and the service offer does not cover: the collective review of requests.

(Not the HTTP library of that name: import it as `from opmq_lib.methods import requests`.)

Levels count requests, companies being clusters; comparisons, reach and protection count companies.
“At least one request not covered” is never compared: it grows with the number of requests. Nothing
here describes one company: `protection` decides what may be published, `measures` publishes it.
"""
