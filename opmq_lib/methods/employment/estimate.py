"""The seed fitted to what is published, its dynamics, its sensitivity and its checks."""

import pandas as pd

from opmq_lib.errors import Defect, RangeError, ScopeError
from opmq_lib.methods.employment.ras import ras
from opmq_lib.methods.employment.seed import (
    INDEPENDENCE,
    REFERENCE,
    RESIDUAL_BRANCH,
    RESIDUAL_METIER,
    SeedTables,
    variant_seeds,
)

ALL_METIERS = "ENS"
RESIDUAL_LABELS = {RESIDUAL_METIER: "Autres métiers", RESIDUAL_BRANCH: "Hors champ"}

MOVED_PCT = 20.0
"""Change beyond which a variant counts as moving a cell; source: method page, B0."""

SOURCE_CODE = "estimate_b0"
SOURCE_TABLES = ("employment_national", "branch_headcount", "rome_naf_hires", "fap_rome")
"""The embedded tables that the estimate is computed from."""

MARGINS_NOTE = (
    "Estimation, non observée. Les totaux par métier sont l’emploi, salarié ou non, de France "
    "métropolitaine en moyenne 2017-2019\u202f; les totaux par branche sont les salariés au "
    "31\u00a0décembre 2020 des conventions qui ont un portrait. L’écart entre ces deux champs est "
    "porté par la colonne «\u00a0Hors champ\u00a0» et la ligne «\u00a0Autres métiers\u00a0». "
    "L’évolution des autres années est celle du métier au niveau national. L’intervalle est "
    "l’étendue des variantes de calcul qui gardent les embauches, non un intervalle de confiance."
)
"""What every page that shows the estimate says about its margins."""

CELL = ["branch_code", "metier_code"]
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
    informed = variants[variants["variant"] != INDEPENDENCE]
    cells = informed.groupby(CELL)["employment_headcount"].agg(["min", "max"])
    reference = variants[variants["variant"] == REFERENCE].set_index(CELL)["employment_headcount"]
    base = pd.DataFrame(
        {
            "employment_headcount": reference,
            "employment_headcount_lower": cells["min"],
            "employment_headcount_upper": cells["max"],
        }
    ).reset_index()
    return _shared_out(base, _growth(employment_national, base_year))


def sensitivity(
    tables: SeedTables,
    employment_national: pd.DataFrame,
    branch_headcount: pd.DataFrame,
    base_year: int = 2018,
) -> pd.DataFrame:
    """Return what each cell of the base year becomes when one choice changes, in heads.

    The variants are those of `VARIANT_LABELS`: log-odds of the seed shrunk to half, to zero
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
    fitted = {
        variant: _long(ras(seed, metiers, branches))
        for variant, seed in variant_seeds(
            tables, list(metiers.index[:-1]), list(branches.index[:-1])
        ).items()
    }
    cells = pd.concat(fitted, names=["variant"]).reset_index("variant")
    reference = fitted[REFERENCE].set_index(CELL)["employment_headcount"]
    at_reference = reference.reindex(pd.MultiIndex.from_frame(cells[CELL])).to_numpy()
    change = cells["employment_headcount"] - at_reference
    cells["change_pct"] = 100 * change / pd.Series(at_reference, cells.index)
    return cells.reset_index(drop=True)


def moved_cells(variants: pd.DataFrame, moved_pct: float = MOVED_PCT) -> pd.DataFrame:
    """Return how many cells each variant moves by more than a percentage.

    Args:
        variants: The result of `sensitivity`.
        moved_pct: Change beyond which a cell counts as moved, in %.

    Returns:
        One row per variant but the reference, in their order: `cells_count` (residuals left
        out), `moved_count`, `moved_share_pct`, and `moved_employment_pct`, the share of the
        variant's employment that stands in moved cells.

    Source:
        Method page, B0, "Publish".

    Examples:
        >>> cells = [("reference", "textile", "F0Z20", 100.0, 0.0),
        ...          ("reference", "textile", "H0Z90", 50.0, 0.0),
        ...          ("seed_half", "textile", "F0Z20", 75.0, -25.0),
        ...          ("seed_half", "textile", "H0Z90", 55.0, 10.0)]
        >>> columns = ["variant", *CELL, "employment_headcount", "change_pct"]
        >>> moved_cells(pd.DataFrame(cells, columns=columns)).iloc[0].to_dict()
        {'variant': 'seed_half', 'cells_count': 2, 'moved_count': 1, 'moved_share_pct': 50.0, \
'moved_employment_pct': 57.69230769230769}
    """
    inside = variants[_inside(variants) & (variants["variant"] != REFERENCE)]
    moved = inside["change_pct"].abs() > moved_pct
    measures = pd.DataFrame(
        {
            "variant": inside["variant"],
            "cells_count": 1,
            "moved_count": moved.astype("int64"),
            "employment": inside["employment_headcount"],
            "moved_employment": inside["employment_headcount"].where(moved, 0.0),
        }
    )
    sums = measures.groupby("variant", sort=False).sum()
    return (
        sums.assign(
            moved_share_pct=100 * sums["moved_count"] / sums["cells_count"],
            moved_employment_pct=100 * sums["moved_employment"] / sums["employment"],
        )
        .drop(columns=["employment", "moved_employment"])
        .reset_index()
    )


def margins_check(
    estimate: pd.DataFrame,
    employment_national: pd.DataFrame,
    branch_headcount: pd.DataFrame,
    base_year: int = 2018,
) -> pd.DataFrame:
    """Return how well the estimate reproduces what is published.

    Args:
        estimate: The result of `estimate_employment`, without any branch replaced.
        employment_national: Heads by `metier_code` and `year`.
        branch_headcount: Employees by convention.
        base_year: Year at which the branches are compared.

    Returns:
        Two rows, `metier_code` (every year) and `branch_code` (base year): `margins_count`,
        `largest_relative_deviation` (no unit) and `worst_code`, where it stands.

    Raises:
        RangeError: If the base year is not published.

    Source:
        Method page, B0: both margins hold within relative 1e-9.
    """
    years = sorted(estimate["year"].unique())
    national = pd.concat({year: metier_totals(employment_national, year) for year in years})
    branches = branch_totals(branch_headcount, float(national[base_year].sum()))
    heads = "employment_headcount"
    by_metier = estimate.groupby(["year", "metier_code"])[heads].sum()
    base = estimate[estimate["year"] == base_year]
    rows = [
        ("metier_code", _deviation(by_metier, national).groupby(level=1).max(), len(national)),
        (
            "branch_code",
            _deviation(base.groupby("branch_code")[heads].sum(), branches),
            len(branches),
        ),
    ]
    return pd.DataFrame(
        [(margin, count, gaps.max(), gaps.idxmax()) for margin, gaps, count in rows],
        columns=["margin", "margins_count", "largest_relative_deviation", "worst_code"],
    )


def replace_with_own(estimate: pd.DataFrame, own: pd.DataFrame, branch_code: str) -> pd.DataFrame:
    """Return the employment table with one branch's own observed rows instead of the estimate.

    The whole branch is replaced, never some of its métiers. Other branches and the residuals
    stay as they were estimated, so the métiers no longer add up to national employment.

    Args:
        estimate: Long employment table.
        own: The branch's rows, in the contract of `employment`, with their own `origin`.
        branch_code: The branch to replace.

    Returns:
        Same columns as `estimate`, sorted by branch, métier and year; bounds that `own` lacks
        are missing.

    Raises:
        ScopeError: If `own` has no row of that branch, or rows of another one.

    Source:
        Method page, B0: "a user's observed table replaces it, whole branch at a time".
    """
    found = sorted(set(own["branch_code"]))
    if found != [branch_code]:
        raise ScopeError(
            [
                Defect(
                    "table of the branch's own employment, column branch_code",
                    f"not only the rows of {branch_code}",
                    f"{branch_code} on every row",
                    "split the table, one branch per file",
                    ", ".join(found) or "no row",
                )
            ]
        )
    others = estimate[estimate["branch_code"] != branch_code]
    rows = own.reindex(columns=estimate.columns).astype(estimate.dtypes.to_dict())
    return pd.concat([others, rows]).sort_values([*CELL, "year"], ignore_index=True)


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
    of_year = employment_national[employment_national["year"] == year]
    metiers = of_year[_is_fap225(of_year)].set_index("metier_code")["employment_headcount"]
    everybody = of_year.loc[of_year["metier_code"] == ALL_METIERS, "employment_headcount"]
    if metiers.empty or everybody.empty:
        raise RangeError([_unpublished(year, employment_national)])
    rest = {RESIDUAL_METIER: everybody.sum() - metiers.sum()}
    totals: pd.Series = pd.concat([metiers.sort_index(), pd.Series(rest)])
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


def _unpublished(year: int, employment_national: pd.DataFrame) -> Defect:
    years = employment_national.loc[_is_fap225(employment_national), "year"]
    expected = f"a year from {years.min()} to {years.max()}"
    fix = "change `base_year` in the parameters of the edition"
    return Defect("base_year", "no national employment by FAP-225", expected, fix, str(year))


def _growth(employment_national: pd.DataFrame, base_year: int) -> pd.DataFrame:
    """Return, per métier and year, national employment relative to the base year."""
    years = sorted(employment_national.loc[_is_fap225(employment_national), "year"].unique())
    totals = pd.DataFrame({year: metier_totals(employment_national, year) for year in years})
    ratios = totals.div(totals[base_year], axis=0).rename_axis("metier_code")
    return ratios.reset_index().melt("metier_code", var_name="year", value_name="growth")


def _shared_out(base: pd.DataFrame, growth: pd.DataFrame) -> pd.DataFrame:
    rows = base.merge(growth.astype({"year": "int64"}), on="metier_code")
    heads = [column for column in base if column not in CELL]
    shared = rows[[*CELL, "year"]].join(rows[heads].mul(rows["growth"], axis=0))
    labelled = shared.assign(
        nature="estimate",
        origin="public",
        units_count=pd.array([pd.NA] * len(shared), dtype="Int64"),
        largest_share_pct=float("nan"),
        source_code=SOURCE_CODE,
    )
    return labelled.sort_values([*CELL, "year"], ignore_index=True)


def _long(fitted: pd.DataFrame) -> pd.DataFrame:
    wide = fitted.rename_axis(index="metier_code", columns="branch_code").reset_index()
    long = wide.melt("metier_code", value_name="employment_headcount")
    return long[[*CELL, "employment_headcount"]]


def _deviation(found: pd.Series, expected: pd.Series) -> pd.Series:
    gaps: pd.Series = (found.reindex(expected.index) - expected).abs() / expected
    return gaps


def _inside(cells: pd.DataFrame) -> pd.Series:
    return (cells["branch_code"] != RESIDUAL_BRANCH) & (cells["metier_code"] != RESIDUAL_METIER)


def _is_fap225(employment_national: pd.DataFrame) -> pd.Series:
    long_enough: pd.Series = employment_national["metier_code"].str.len() == FAP225_LENGTH
    return long_enough
