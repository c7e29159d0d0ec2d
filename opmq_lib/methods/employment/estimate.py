"""The seed fitted to what is published, its dynamics, its sensitivity and its checks."""

import pandas as pd

from opmq_lib.errors import RangeError
from opmq_lib.methods.employment.ras import ras
from opmq_lib.methods.employment.seed import (
    INDEPENDENCE,
    REFERENCE,
    RESIDUAL_BRANCH,
    RESIDUAL_METIER,
    SeedTables,
    variant_seeds,
)
from opmq_lib.tables.indicators import ALL_METIERS

MOVED_PCT = 20.0
"""Change beyond which a variant counts as moving a cell; source: method page, B0."""

SOURCE_CODE = "estimate_b0"

CELL, HEADS = ["branch_code", "metier_code"], "employment_headcount"
FAP225_LENGTH = 5


def estimate_employment(
    tables: SeedTables,
    employment_national: pd.DataFrame,
    branch_headcount: pd.DataFrame,
    base_year: int = 2018,
) -> pd.DataFrame:
    """Return estimated employment by branch, métier and year, in heads, not rounded.

    In the base year the métiers add up to national employment (employees and self-employed,
    metropolitan France, mean of three years) and the branches to their published employees
    (31 December 2020): two fields that differ, hence the residual row and column. In another
    year a cell is its base-year value times the national series of its métier; the residual
    métier follows all occupations less the métiers.

    Args:
        tables: What the seed is made of.
        employment_national: Heads by `metier_code` and `year`; FAP-225 and `ENS` are used.
        branch_headcount: Employees by convention; says which branches have a headcount.
        base_year: Year of the métier totals.

    Returns:
        One row per branch, métier and year, residuals included, sorted by them. The lower and
        upper headcounts are the range of the variants of `sensitivity` that use the hires (all but
        independence), no confidence interval.

    Raises:
        RangeError: If the base year is not published, or branches exceed all occupations.
        CoherenceError: If shares do not add up to 1, or the margins cannot be reached.

    Source:
        Method page, B0.

    Examples:
        Two métiers and one branch; fitters work there more often than maintenance does:

        >>> hires = [("H2903", "2562B", 90), ("I1304", "2562B", 30), ("I1304", "4399C", 50)]
        >>> links = [("D1Z41", "H2903"), ("G1Z70", "I1304"), ("B2Z40", "F1703")]
        >>> tables = SeedTables(
        ...     pd.DataFrame(
        ...         [*hires, ("H2903", "4399C", 10), ("F1703", "4399C", 80), ("F1703", "2562B", 1)],
        ...         columns=["rome_code", "naf_code", "hires_count"],
        ...     ),
        ...     pd.DataFrame({"naf_code": ["2562B"], "branch_code": ["metal"], "share": [1.0]}),
        ...     pd.DataFrame(links, columns=["metier_code", "rome_code"]),
        ...     pd.DataFrame(columns=["rome_code", "metier_code", "share"]),
        ... )
        >>> heads = [("D1Z41", 100.0), ("G1Z70", 50.0), ("ENS", 400.0)]
        >>> national = pd.DataFrame(heads, columns=["metier_code", "employment_headcount"])
        >>> branches = pd.DataFrame({"branch_code": ["metal"], "employees_headcount": [120.0]})
        >>> estimate = estimate_employment(tables, national.assign(year=2018), branches)
        >>> cells = estimate.pivot_table("employment_headcount", "metier_code", "branch_code")
        >>> cells.rename_axis(index=None, columns=None).round(1)
                        hors_champ  metal
        D1Z41                  7.3   92.7
        G1Z70                 27.0   23.0
        autres_metiers       245.7    4.3
    """
    variants = sensitivity(tables, employment_national, branch_headcount, base_year)
    reference = variants[variants["variant"] == REFERENCE].set_index(CELL)[HEADS]
    informed = variants[variants["variant"] != INDEPENDENCE].groupby(CELL)[HEADS]
    base = pd.DataFrame(
        {HEADS: reference, f"{HEADS}_lower": informed.min(), f"{HEADS}_upper": informed.max()}
    )
    growth = _growth(employment_national, base_year)
    rows = base.reset_index().merge(growth, on="metier_code")
    shared = rows[[*CELL, "year"]].join(rows[list(base)].mul(rows["growth"], axis=0))
    complete = shared.assign(
        nature="estimate",
        origin="public",
        units_count=pd.array([pd.NA] * len(shared), dtype="Int64"),
        largest_share_pct=float("nan"),
        source_code=SOURCE_CODE,
    )
    return complete.sort_values([*CELL, "year"], ignore_index=True)


def sensitivity(
    tables: SeedTables,
    employment_national: pd.DataFrame,
    branch_headcount: pd.DataFrame,
    base_year: int = 2018,
) -> pd.DataFrame:
    """Return what each cell of the base year becomes when one choice changes, in heads.

    The variants are those of `variant_seeds`: log-odds of the seed shrunk to half, to zero
    (independence) or raised by half, activities shared by several branches given to the first
    one, ROME codes tied to several métiers split equally. All have the same margins.

    Args:
        tables: What the seed is made of.
        employment_national: Heads by `metier_code` and `year`.
        branch_headcount: Employees by convention.
        base_year: Year of the métier totals.

    Returns:
        One row per variant, branch and métier, `reference` first, residuals included.
        `change_pct` is relative to the reference, in %; infinite for a cell that leaves zero,
        `NaN` for one that stays zero.

    Raises:
        RangeError: As `estimate_employment`.
        CoherenceError: As `estimate_employment`.

    Source:
        Method page, B0, "Publish".
    """
    metiers = metier_totals(employment_national, base_year)
    branches = branch_totals(branch_headcount, float(metiers.sum()))
    seeds = variant_seeds(tables, list(metiers.index[:-1]), list(branches.index[:-1]))
    fitted = {variant: _long(ras(seed, metiers, branches)) for variant, seed in seeds.items()}
    cells = pd.concat(fitted, names=["variant"]).reset_index("variant").reset_index(drop=True)
    reference = fitted[REFERENCE].set_index(CELL)[HEADS]
    at_reference = reference.reindex(pd.MultiIndex.from_frame(cells[CELL])).set_axis(cells.index)
    return cells.assign(change_pct=100 * (cells[HEADS] - at_reference) / at_reference)


def moved_cells(variants: pd.DataFrame) -> pd.DataFrame:
    """Return how many cells each variant moves by more than `MOVED_PCT`.

    Args:
        variants: The result of `sensitivity`.

    Returns:
        One row per `variant` but the reference, in their order: `moved_share_pct`, of the cells
        without residuals.

    Source:
        Method page, B0, "Publish".

    Examples:
        >>> cells = [("reference", "textile", "F0Z20", 0.0),
        ...          ("seed_half", "textile", "F0Z20", -25.0),
        ...          ("seed_half", "textile", "H0Z90", 10.0)]
        >>> variants = pd.DataFrame(cells, columns=["variant", *CELL, "change_pct"])
        >>> moved_cells(variants).to_dict("records")
        [{'variant': 'seed_half', 'moved_share_pct': 50.0}]
    """
    inside = variants[
        (variants["variant"] != REFERENCE)
        & (variants["branch_code"] != RESIDUAL_BRANCH)
        & (variants["metier_code"] != RESIDUAL_METIER)
    ]
    moved = (inside["change_pct"].abs() > MOVED_PCT).groupby(inside["variant"], sort=False)
    return (100 * moved.sum() / moved.size()).reset_index(name="moved_share_pct")


def margin_deviation(
    estimate: pd.DataFrame,
    employment_national: pd.DataFrame,
    branch_headcount: pd.DataFrame,
    base_year: int = 2018,
) -> float:
    """Return how well the estimate reproduces what is published: the largest relative deviation.

    Args:
        estimate: The result of `estimate_employment`, whole.
        employment_national: Heads by `metier_code` and `year`.
        branch_headcount: Employees by convention.
        base_year: Year at which the branches are compared; métiers are in every year.

    Returns:
        Largest |found - published| / published over all margins (no unit).

    Raises:
        RangeError: If the base year is not published.

    Source:
        Method page, B0: both margins hold within relative 1e-9.
    """
    years = sorted(estimate["year"].unique())
    metiers = pd.concat({year: metier_totals(employment_national, year) for year in years})
    branches = branch_totals(branch_headcount, float(metiers[base_year].sum()))
    base = estimate[estimate["year"] == base_year]
    sums = (
        (estimate.groupby(["year", "metier_code"])[HEADS].sum(), metiers),
        (base.groupby("branch_code")[HEADS].sum(), branches),
    )
    gaps = [(fitted.reindex(known.index) - known).abs() / known for fitted, known in sums]
    return float(pd.concat(gaps).max())


def metier_totals(employment_national: pd.DataFrame, year: int) -> pd.Series:
    """Return national employment of each FAP-225 métier in a year, in heads.

    Args:
        employment_national: Heads by `metier_code` and `year`, several levels and `ENS`.
        year: Year wanted.

    Returns:
        One value per métier in increasing order, then `autres_metiers`, so that the sum is
        that of all occupations.

    Raises:
        RangeError: If the year is not published.

    Examples:
        >>> rows = [("ENS", 2018, 100.0), ("F0Z", 2018, 30.0), ("F0Z20", 2018, 30.0)]
        >>> columns = ["metier_code", "year", "employment_headcount"]
        >>> metier_totals(pd.DataFrame(rows, columns=columns), 2018).to_dict()
        {'F0Z20': 30.0, 'autres_metiers': 70.0}
    """
    published = _fap225(employment_national)
    metiers = published[published["year"] == year].set_index("metier_code")[HEADS].sort_index()
    everybody = employment_national[employment_national["metier_code"] == ALL_METIERS]
    whole = everybody.loc[everybody["year"] == year, HEADS]
    if metiers.empty or whole.empty:
        expected = f"a year from {published['year'].min()} to {published['year'].max()}"
        fix = "change `base_year` in the parameters of the edition"
        what = "no national employment by FAP-225"
        raise RangeError.of("base_year", what, expected, fix, str(year))
    rest = {RESIDUAL_METIER: whole.sum() - metiers.sum()}
    totals: pd.Series = pd.concat([metiers, pd.Series(rest)])
    return totals


def branch_totals(branch_headcount: pd.DataFrame, all_heads: float) -> pd.Series:
    """Return the employees of each branch that has a headcount, in heads.

    Args:
        branch_headcount: Employees by convention; a branch adds up its conventions.
        all_heads: Employment of all occupations, which the table must add up to.

    Returns:
        One value per branch in increasing order, then `hors_champ`, the rest.

    Examples:
        >>> rows = {"branch_code": ["a", "a", "b"], "employees_headcount": [10.0, 5.0, 20.0]}
        >>> branch_totals(pd.DataFrame(rows), 100.0).to_dict()
        {'a': 15.0, 'b': 20.0, 'hors_champ': 65.0}
    """
    heads = branch_headcount.groupby("branch_code")["employees_headcount"].agg("sum")
    totals: pd.Series = pd.concat([heads, pd.Series({RESIDUAL_BRANCH: all_heads - heads.sum()})])
    return totals


def _growth(employment_national: pd.DataFrame, base_year: int) -> pd.DataFrame:
    """Return, per métier and year, national employment relative to the base year."""
    years = sorted(_fap225(employment_national)["year"].unique())
    totals = pd.DataFrame({year: metier_totals(employment_national, year) for year in years})
    ratios = totals.div(totals[base_year], axis=0).rename_axis("metier_code").reset_index()
    long = ratios.melt("metier_code", var_name="year", value_name="growth")
    return long.astype({"year": "int64"})


def _long(fitted: pd.DataFrame) -> pd.DataFrame:
    wide = fitted.rename_axis(index="metier_code", columns="branch_code").reset_index()
    return wide.melt("metier_code", value_name=HEADS)[[*CELL, HEADS]]


def _fap225(employment_national: pd.DataFrame) -> pd.DataFrame:
    return employment_national[employment_national["metier_code"].str.len() == FAP225_LENGTH]
