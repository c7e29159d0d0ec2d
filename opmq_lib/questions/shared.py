"""What several questions start from: a branch's employment, the field, national levels."""

from collections.abc import Callable, Mapping
from copy import deepcopy

import pandas as pd
from pandas.util import hash_pandas_object

from opmq_lib.methods.employment.candidates import candidates as looked_at
from opmq_lib.methods.employment.estimate import Estimate, EstimateTables, fit_estimate
from opmq_lib.methods.employment.hires import rome_shares
from opmq_lib.methods.employment.rows import RESIDUAL_METIER, branch_table, row_codes
from opmq_lib.methods.employment.totals import on_totals
from opmq_lib.methods.skills import profiles
from opmq_lib.methods.tension import passage
from opmq_lib.tables.columns import TITLES_SEPARATOR
from opmq_lib.tables.fap import NOT_CODED
from opmq_lib.tables.indicators import last_year

Tables = Mapping[str, pd.DataFrame]

ALL_BRANCHES = "ensemble"
_FITTED: dict[tuple[bytes, ...], Estimate] = {}
"""The last estimate, by the content of its tables."""


def branch_employment(inputs: Tables, branch_code: str, base_year: int) -> pd.DataFrame:
    """Return a branch's employment by métier and year: its own table if given, else the estimate.

    Args:
        inputs: The study's input tables (`sources.study.load_inputs`).
        branch_code: Key of table `branches`.
        base_year: Last year wanted of the estimate.

    Returns:
        Rows of the `employment` contract, in heads, those of `rows.row_codes`: métiers of
        0.5 % of the branch or more, small ones by family, the rest, on the totals that the branch
        supplies; none when the branch has no headcount.
    """
    return _employment(inputs, branch_code, base_year, row_codes)


def field_employment(inputs: Tables, branch_code: str, base_year: int) -> pd.DataFrame:
    """Return the same with the métiers of the field as rows, however small, and the rest."""
    codes = studied(inputs, "metiers")["metier_code"]

    def rows(heads: pd.Series) -> pd.Series:
        is_studied = heads.index.isin(codes)
        return pd.Series(heads.index, heads.index).where(is_studied, RESIDUAL_METIER)

    return _employment(inputs, branch_code, base_year, rows)


def metier_employment(inputs: Tables, branch_code: str, base_year: int) -> pd.DataFrame:
    """Return the same with every métier as a row; those that are not coded are the rest."""
    return _employment(inputs, branch_code, base_year, _each_apart)


def candidates(inputs: Tables, branch_code: str, base_year: int) -> pd.DataFrame:
    """Return the métiers that the lists of a branch look at, as `employment.candidates` does.

    None without a headcount: those of the branch's own table, or of the estimate up to `base_year`.
    `main_rome_codes` beside, from `profiles.main_romes`, with their titles, in `main_romes`: what
    each mostly is in this branch, `branch_hires_count`, its hires there, and what these say of the
    estimate (`profiles.hires_evidence`). Hires are coded in ROME 3, and so are the titles.
    """
    jobs = metier_employment(inputs, branch_code, base_year)
    metiers = studied(inputs, "metiers")
    field = in_field(inputs, metiers[metiers["level"] == "fap225"])
    national = last_year(inputs["employment_national"])
    table = looked_at(last_year(jobs), national, set(field["metier_code"]))
    hires = profiles.branch_hires(inputs["rome_naf_hires"], inputs["naf_branch"], branch_code)
    shares = rome_shares(inputs["fap_rome"], inputs["rome_fap_split"])
    romes, counted = profiles.main_romes(shares, hires), profiles.metier_hires(shares, hires)
    main = romes.reindex(table["metier_code"]).astype("str").fillna("").to_numpy()
    version_3 = inputs["romes"][inputs["romes"]["rome_version"] == "3"]
    titles = version_3.set_index("rome_code")["label"]
    named = [TITLES_SEPARATOR.join(titles[code] for code in codes.split()) for codes in main]
    found = table["metier_code"].map(counted).fillna(0.0).where(table["nature"] == "estimate")
    everywhere = inputs["rome_naf_hires"].groupby("rome_code")["hires_count"].sum()
    heads = national.set_index("metier_code")["employment_headcount"]
    table = table.assign(main_rome_codes=main, main_romes=named, branch_hires_count=found)
    country = {
        "national_headcount": table["metier_code"].map(heads),
        "national_hires_count": table["metier_code"].map(profiles.metier_hires(shares, everywhere)),
    }
    return table.assign(hires_evidence=profiles.hires_evidence(table.assign(**country)))


def _each_apart(heads: pd.Series) -> pd.Series:
    is_rest = heads.index.str.startswith(NOT_CODED)
    return pd.Series(heads.index, heads.index).mask(is_rest, RESIDUAL_METIER)


def _employment(
    inputs: Tables,
    branch_code: str,
    base_year: int,
    rows_of: Callable[[pd.Series], pd.Series],
) -> pd.DataFrame:
    own = inputs["own_employment"]
    known = own[own["branch_code"] == branch_code].reset_index(drop=True)
    if not known.empty or not inputs["branch_headcount"]["branch_code"].eq(branch_code).any():
        return known
    estimated = estimate(inputs)
    rows = rows_of(estimated.heads[branch_code])
    national = inputs["employment_national"]
    table = branch_table(estimated, branch_code, rows, national, base_year)
    return on_totals(table, inputs["own_branch_totals"])


def estimate(inputs: Tables) -> Estimate:
    """Return the estimate of all branches and métiers, fitted once for tables that say the same."""
    tables = estimate_tables(inputs)
    said = tuple(hash_pandas_object(table, index=False).to_numpy().tobytes() for table in tables)
    if said not in _FITTED:
        _FITTED.clear()
        _FITTED[said] = fit_estimate(tables)
    return deepcopy(_FITTED[said])


def estimate_tables(inputs: Tables) -> EstimateTables:
    """Return the tables that the estimate is made of."""
    return EstimateTables(*(inputs[name] for name in EstimateTables._fields))


def metier_romes(inputs: Tables, branch_code: str) -> pd.DataFrame:
    """Return how much of each métier (FAP) its ROME are: `metier_code`, `rome_code`, `weight`."""
    hires = inputs["rome_naf_hires"]
    own = profiles.branch_hires(hires, inputs["naf_branch"], branch_code)
    every = hires["hires_count"].astype("float64").groupby(hires["rome_code"]).sum()
    return profiles.metier_romes(
        rome_shares(inputs["fap_rome"], inputs["rome_fap_split"]), own, every
    )


def images(inputs: Tables) -> pd.DataFrame:
    """Return the images of each métier in FAP-2021 (`passage.passage`)."""
    names = ("fap_rome", "rome_fap2021", "rome_naf_hires", "metiers_2021")
    return passage.passage(*(inputs[name] for name in names))


def metier_tensions(inputs: Tables) -> pd.DataFrame:
    """Return the tension of each métier (FAP-225), columns of `passage.metier_tensions`."""
    metiers = inputs["metiers"]
    codes = metiers.loc[metiers["level"].eq("fap225"), "metier_code"]
    published, latest = inputs["tension"], inputs["tension_2021"]
    return passage.metier_tensions(published, latest, images(inputs), codes)


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
    kept: pd.DataFrame = jobs.loc[jobs["metier_code"] != RESIDUAL_METIER]
    return kept
