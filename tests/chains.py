"""The steps of a notebook in one call, as its cells run them."""

import pandas as pd

from opmq_lib.params import EditionParams
from opmq_lib.questions.emplois import chain as emplois


def employment_results(
    inputs: dict[str, pd.DataFrame], branch_code: str, horizon_years: int, edition: EditionParams
) -> dict[str, pd.DataFrame]:
    jobs = emplois.jobs(inputs, branch_code, edition)
    panel = emplois.panel(inputs, jobs, edition)
    future = emplois.future(jobs, panel, horizon_years, edition)
    explained = emplois.explained(jobs, panel, horizon_years)
    closure = emplois.closure(inputs, jobs, edition)
    return emplois.results(inputs, branch_code, jobs, future, explained, closure)
