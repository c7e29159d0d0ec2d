"""Chain of `03_tensions`."""

import pandas as pd

from opmq_lib import indicators, tension
from opmq_lib.employment import measures
from opmq_lib.params import EditionParams
from opmq_lib.pipeline.shared import (
    Tables,
    branch_employment,
    in_field,
    national_levels,
    without_residual,
)


def tension_results(
    inputs: Tables, branch_code: str, edition: EditionParams
) -> dict[str, pd.DataFrame]:
    """Return the result table of `03_tensions` for one branch.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        edition: Gives the base year.

    Returns:
        `tensions`: indicators, national: published index, class and factors of the métiers of
        the field (FAP-2009), hard-to-fill bounds of each survey (FAP-2009 in 2023, FAP-2021
        after), and the employment that ranks the métiers: the branch's where it is known,
        otherwise the national one.
    """
    jobs = branch_employment(inputs, branch_code, edition.base_year)
    metiers = indicators.last_year(without_residual(jobs))
    ranking = _national_ranking(inputs) if metiers.empty else measures.levels(metiers)
    index = inputs["tension"]
    index = index[index["metier_code"].isin(ranking["metier_code"])]
    bounds = tension.hard_to_fill(in_field(inputs, inputs["recruitment_intentions"]))
    parts = [
        ranking,
        tension.published_index(index).assign(source_code="dares_tension"),
        bounds.assign(
            source_code="bmo_" + bounds["year"].astype("str"),
            region_code=indicators.WHOLE_COUNTRY,
        ),
    ]
    return {"tensions": indicators.stack(parts, branch_code, "tensions")}


def _national_ranking(inputs: Tables) -> pd.DataFrame:
    """Return national employment of the industrial métiers, FAP-225, in the last year."""
    metiers = in_field(inputs, inputs["metiers"])
    industrial = metiers[(metiers["scope"] == "industry") & (metiers["level"] == "fap225")]
    national = indicators.last_year(inputs["employment_national"])
    return national_levels(national[national["metier_code"].isin(industrial["metier_code"])])
