"""What companies ask for and the service offer does not cover: the collective review of requests.

(Not the HTTP library of that name: import it as `from opmq_lib.methods import requests`.)

The unit is the company, never the request: a company that asks ten times counts once. Nothing here
describes one company: `protection` decides what may be published, `measures` publishes only that.
"""
