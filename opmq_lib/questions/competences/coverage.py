"""Coverage by the blocs of the register, for `05_competences`."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from opmq_lib import tables
from opmq_lib.methods.skills import blocs, certifications, profiles
from opmq_lib.questions.shared import Tables
from opmq_lib.tables import indicators

READ = ["coverage_ratio", "read_skills_count", "ending_blocs_count"]


def bloc_results(
    inputs: Tables, branch_code: str, wanted: Sequence[str], on: date
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return bloc coverage métier by métier, and of all of them together.

    Args:
        inputs: With `rncp_fiches`, `rncp_blocs`, `own_bloc_readings`, `metier_skills`.
        branch_code: Key of table `branches`.
        wanted: ROME codes of the métiers looked at.
        on: The day of the edition.

    Returns:
        Table `bloc_coverage`; and indicators: `bloc_coverage_pct` on the day,
        `bloc_coverage_12_months_pct` and `bloc_coverage_24_months_pct` later (each skill weighs as
        many métiers as carry it), `read_blocs_count`, `undecided_bloc_proposals_count`. All `nd`
        until there is an export and a decision, a métier until one of its main skills has a
        decision; `own` as soon as a branch supplies either.

    Raises:
        RangeError: If a bloc that was read ends before it starts.
    """
    sheet, fiches, register = (
        inputs[name] for name in ("own_bloc_readings", "rncp_fiches", "rncp_blocs")
    )
    decided, readings = sheet[sheet["decision"] != ""], sheet[sheet["decision"] == "yes"]
    is_known = not fiches.empty and not decided.empty
    origin = "public" if fiches.empty and sheet.empty else "own"
    read = blocs.dated_blocs(fiches, register[register["bloc_code"].isin(readings["bloc_code"])])
    table = blocs.metier_bloc_coverage(inputs["metier_skills"], readings, read, wanted, on)
    links = profiles.carried(inputs["metier_skills"])
    asked = links[links["skill_code"].isin(decided["skill_code"])]
    was_read = is_known & table["rome_code"].isin(asked["rome_code"])
    has_skill = (table["skills_count"] > 0) | (not is_known)
    status = np.select([~has_skill, was_read], ["np", "value"], "nd")
    table = table.assign(branch_code=branch_code, status=status, origin=origin)
    table[READ] = table[READ].where(was_read)
    weights = blocs.main_weights(inputs["metier_skills"], wanted)
    values = {
        f"bloc_coverage_{f'{months}_months_' if months else ''}pct": 100
        * certifications.bloc_coverage(weights, readings, read, day)
        for months, day in blocs.lead_days(on).items()
    }
    counts = {
        "read_blocs_count": decided["bloc_code"].nunique(),
        "undecided_bloc_proposals_count": len(sheet) - len(decided),
    }
    whole = pd.DataFrame(
        {
            "indicator": [*values, *counts],
            "value": np.array([*values.values(), *counts.values()], dtype="float64"),
            "unit": ["pct"] * len(values) + ["blocs", "propositions"],
        }
    ).assign(year=on.year, region_code=indicators.WHOLE_COUNTRY, origin=origin)
    if not is_known:
        whole["value"] = np.nan
    return tables.check(
        "bloc_coverage", table[list(tables.DESCRIPTIONS["bloc_coverage"])], "bloc_coverage"
    ), whole


def branch_blocs(inputs: Tables, branch_code: str, register: pd.DataFrame) -> pd.DataFrame:
    """Return the blocs of the register whose fiche is one of the branch's portfolio.

    Args:
        inputs: With `certifications`, which gives codes of the RNCP and none of the RS, and
            `certifying_bodies`.
        branch_code: Key of table `branches`.
        register: Table `rncp_blocs`.
    """
    every = certifications.portfolio(inputs["certifications"], inputs["certifying_bodies"])
    owned = every.loc[every["branch_code"] == branch_code, "rncp_code"].dropna()
    return register[register["fiche_code"].isin("RNCP" + owned[owned != ""])]
