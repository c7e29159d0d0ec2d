"""The seed of the estimate: hires by métier and branch, from hires by ROME and NAF."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from opmq_lib.errors import CoherenceError, Defect

RESIDUAL_METIER = "autres_metiers"
RESIDUAL_BRANCH = "hors_champ"

SMOOTHING_HIRES = 0.5
"""Hires added to every cell whose NAF and métier both occur in industry; source: convention."""

REFERENCE, INDEPENDENCE = "reference", "independence"


class SeedTables(NamedTuple):
    """What the seed is made of.

    Attributes:
        rome_naf_hires: Hires, one row per `rome_code` and `naf_code`.
        naf_branch: Convention; share of each NAF in each branch, first branch first. A NAF that
            is absent is outside the field.
        fap_rome: Which ROME belongs to which métier, one row per link.
        rome_fap_split: Convention; share of each métier in a ROME tied to several.
    """

    rome_naf_hires: pd.DataFrame
    naf_branch: pd.DataFrame
    fap_rome: pd.DataFrame
    rome_fap_split: pd.DataFrame


def build_seed(
    tables: SeedTables, metier_codes: Sequence[str], branch_codes: Sequence[str]
) -> pd.DataFrame:
    """Return hires by métier and branch, the seed of the fitting, in hires.

    Args:
        tables: What the seed is made of.
        metier_codes: Métiers of the field; the hires of all others make the residual row.
        branch_codes: Branches with a headcount; the hires of all other branches and activities
            make the residual column.

    Returns:
        One row per métier, then `autres_metiers`; one column per branch, then `hors_champ`.

    Raises:
        CoherenceError: If the shares of a NAF or a ROME do not add up to 1, or a ROME of the
            hires leads to no métier.

    Source:
        Method page, B0.

    Examples:
        Seven hires and the half hire of smoothing, in an activity that two branches share:

        >>> shares = {"naf_code": "2120Z", "branch_code": ["pharmacie", "chimie"], "share": 0.5}
        >>> tables = SeedTables(
        ...     pd.DataFrame({"rome_code": ["H2102"], "naf_code": "2120Z", "hires_count": 7}),
        ...     pd.DataFrame(shares),
        ...     pd.DataFrame({"metier_code": ["E1Z42"], "rome_code": ["H2102"]}),
        ...     pd.DataFrame(columns=["rome_code", "metier_code", "share"]),
        ... )
        >>> build_seed(tables, ["E1Z42"], ["chimie"]).loc["E1Z42"].to_dict()
        {'chimie': 3.75, 'hors_champ': 3.75}
    """
    _check_shares(tables)
    metiers, branches = [*metier_codes, RESIDUAL_METIER], [*branch_codes, RESIDUAL_BRANCH]
    hires = _hires_by_naf_and_metier(tables, metiers)
    shares = _shares_by_naf_and_branch(tables.naf_branch, hires.index, branches)
    in_field = hires.index.isin(tables.naf_branch["naf_code"])
    occurs = (hires.loc[in_field].sum(axis=0) > 0) & (hires.columns != RESIDUAL_METIER)
    hires.loc[in_field, occurs] += SMOOTHING_HIRES
    return (hires.T @ shares).rename_axis(index="metier_code", columns="branch_code")


def variant_seeds(
    tables: SeedTables, metier_codes: Sequence[str], branch_codes: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """Return the seed of each variant: one choice changed at a time.

    A power of the seed multiplies its log-odds: 0.5 halves them, 0 leaves independence.

    Args:
        tables: What the reference seed is made of.
        metier_codes: Métiers of the field.
        branch_codes: Branches with a headcount.

    Returns:
        Seeds of the shape of `build_seed`, the reference first; their scales differ.

    Raises:
        CoherenceError: As `build_seed`.

    Source:
        Method page, B0, "Publish".
    """
    first = tables.naf_branch.drop_duplicates("naf_code").assign(share=1.0)
    split = tables.rome_fap_split
    equal = split.assign(share=1 / split.groupby("rome_code")["share"].transform("size"))
    reference = build_seed(tables, metier_codes, branch_codes)
    naf_first = tables._replace(naf_branch=first)
    split_equal = tables._replace(rome_fap_split=equal)
    return {
        REFERENCE: reference,
        "seed_half": reference**0.5,
        "seed_amplified": reference**1.5,
        INDEPENDENCE: reference**0.0,
        "naf_first": build_seed(naf_first, metier_codes, branch_codes),
        "split_equal": build_seed(split_equal, metier_codes, branch_codes),
    }


def rome_shares(tables: SeedTables) -> pd.DataFrame:
    """Return the métiers of each ROME with their shares: 1 where there is only one.

    Args:
        tables: Of which `fap_rome` and the convention `rome_fap_split` are read.

    Returns:
        `metier_code`, `rome_code`, `share` (of the ROME, ratio).
    """
    links = tables.fap_rome.merge(
        tables.rome_fap_split[["rome_code", "metier_code", "share"]],
        on=["rome_code", "metier_code"],
        how="left",
    )
    alone = links.groupby("rome_code")["metier_code"].transform("size") == 1
    return links.assign(share=links["share"].astype("float64").mask(alone, 1.0))


def _hires_by_naf_and_metier(tables: SeedTables, metiers: Sequence[str]) -> pd.DataFrame:
    hires = tables.rome_naf_hires.astype({"hires_count": "float64"}).pivot(
        index="naf_code", columns="rome_code", values="hires_count"
    )
    links = rome_shares(tables)
    weights = links.pivot(index="rome_code", columns="metier_code", values="share").fillna(0.0)
    by_metier = hires.fillna(0.0) @ weights.reindex(hires.columns)
    return _with_residual(by_metier, metiers)


def _shares_by_naf_and_branch(
    naf_branch: pd.DataFrame, naf_codes: pd.Index, branches: Sequence[str]
) -> pd.DataFrame:
    shares = naf_branch.pivot(index="naf_code", columns="branch_code", values="share")
    shares = _with_residual(shares.reindex(naf_codes).fillna(0.0), branches)
    outside = ~naf_codes.isin(naf_branch["naf_code"])
    shares.loc[outside, branches[-1]] = 1.0
    return shares


def _with_residual(wide: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return these columns, the last one being the sum of those not named."""
    *named, residual = columns
    kept = wide.reindex(columns=named, fill_value=0.0)
    rest = wide[wide.columns.difference(named)].sum(axis=1)
    return kept.assign(**{residual: rest})


def _check_shares(tables: SeedTables) -> None:
    links = rome_shares(tables)
    unknown = sorted(set(tables.rome_naf_hires["rome_code"]) - set(links["rome_code"]))
    defects = [
        Defect(f"rome {code}", "hires but no métier", "a métier", "complete `fap_rome`")
        for code in unknown
    ]
    for table, column, rows in (
        ("naf_branch", "naf_code", tables.naf_branch),
        ("rome_fap_split", "rome_code", links),
    ):
        sums = rows.groupby(column)["share"].sum()
        defects += [
            Defect(f"{table}, {code}", "shares do not add up", "1", "correct them", f"{total:g}")
            for code, total in sums[(sums - 1).abs() > 1e-9].items()
        ]
    if defects:
        raise CoherenceError(defects)
