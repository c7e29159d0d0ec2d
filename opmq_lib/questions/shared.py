"""What several questions start from: a branch's employment, the field, national levels."""

from collections.abc import Mapping

import pandas as pd

from opmq_lib.methods import employment
from opmq_lib.methods.employment.totals import on_totals

Tables = Mapping[str, pd.DataFrame]

ALL_BRANCHES = "ensemble"


def branch_employment(inputs: Tables, branch_code: str, base_year: int) -> pd.DataFrame:
    """Return a branch's employment by métier and year: its own table if given, else the estimate.

    Args:
        inputs: The study's input tables (`sources.study.load_inputs`).
        branch_code: Key of table `branches`.
        base_year: Last year of the estimate, whose margins it closes on.

    Returns:
        Rows of the `employment` contract, in heads, an estimate on the totals that the branch
        supplies; none when the branch has no headcount.
    """
    own = inputs["own_employment"]
    jobs = own if (own["branch_code"] == branch_code).any() else estimate(inputs, base_year)
    of_branch = jobs[jobs["branch_code"] == branch_code].reset_index(drop=True)
    return on_totals(of_branch, inputs["own_branch_totals"])


def estimate(inputs: Tables, base_year: int) -> pd.DataFrame:
    """Return the estimated employment of every branch, métier and year up to `base_year`."""
    table = employment.estimate_employment(
        seed_tables(inputs),
        studied(inputs, "employment_national"),
        inputs["branch_headcount"],
        base_year,
    )
    return table[table["year"] <= base_year]


def seed_tables(inputs: Tables) -> employment.SeedTables:
    """Return the tables that the seed of the estimate is made of."""
    return employment.SeedTables(
        inputs["rome_naf_hires"],
        inputs["naf_branch"],
        inputs["fap_rome"],
        inputs["rome_fap_split"],
    )


def national_levels(national: pd.DataFrame) -> pd.DataFrame:
    """Return national employment by métier as rows of the indicator table."""
    return national[["metier_code", "year"]].assign(
        indicator="national_employment_headcount",
        value=national["employment_headcount"],
        unit="headcount",
        source_code="dares_portraits_metiers",
    )


def studied(inputs: Tables, name: str) -> pd.DataFrame:
    """Return the rows of a national table that are about the field: its métiers, and their total.

    Args:
        inputs: The study's input tables; `metiers` says which métiers the field has (`scope`).
        name: A table by `metier_code` of FAP-2009, at any level.
    """
    metiers, table = inputs["metiers"], inputs[name]
    usual = metiers[metiers["nomenclature"].eq("FAP-2009") & metiers["scope"].ne("other")]
    kept: pd.DataFrame = table.loc[table["metier_code"].isin(usual["metier_code"])]
    return kept.reset_index(drop=True)


def in_field(inputs: Tables, table: pd.DataFrame) -> pd.DataFrame:
    """Return rows whose métier is industry in the sense of the branches (`metiers_left_out`)."""
    key = ["nomenclature", "metier_code"]
    left_out = pd.MultiIndex.from_frame(inputs["metiers_left_out"][key])
    kept: pd.DataFrame = table.loc[~pd.MultiIndex.from_frame(table[key]).isin(left_out)]
    return kept


def without_residual(jobs: pd.DataFrame) -> pd.DataFrame:
    """Return rows of true métiers: the rest of the branch is left out."""
    kept: pd.DataFrame = jobs.loc[jobs["metier_code"] != employment.RESIDUAL_METIER]
    return kept
