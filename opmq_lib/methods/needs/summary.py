"""What is said of needs: intervals, ages, entries and adjustments, as indicator rows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from opmq_lib.methods.needs.ages import read_ages
from opmq_lib.tables.indicators import ALL_METIERS, last_year, with_interval

ENTRIES = {
    "young_beginners_headcount": "young_beginners_per_year_headcount",
    "net_mobility_headcount": "net_mobility_per_year_headcount",
}
IMBALANCE = "potential_imbalance_headcount"
POSTS = "posts_to_fill_headcount"


def interval_rows(table: pd.DataFrame, variant: str = "") -> pd.DataFrame:
    """Return a `needs` table as indicator rows: the point and the 80 % interval.

    Args:
        table: Rows of the `needs` contract with levels 0.1, 0.5 and 0.9.
        variant: Written after the quantity's name, such as `.bas_carbone`.

    Returns:
        One row per branch, métier, year and quantity, in heads.
    """
    key = ["branch_code", "metier_code", "year", "quantity", "origin"]
    rows = with_interval(table, key)
    return rows.drop(columns="quantity").assign(indicator=rows["quantity"] + variant)


def total_row(levels: pd.DataFrame) -> pd.DataFrame:
    """Return employment of all métiers studied, from the rows of each in one year.

    Bounds are not summed: the variants of the estimate move métiers against one another.

    Examples:
        >>> levels = pd.DataFrame({"year": 2018, "value": [30.0, 10], "nature": "estimate",
        ...                        "origin": ["public", "own"], "unit": "headcount"})
        >>> total_row(levels)[["indicator", "value", "origin"]].to_numpy().tolist()
        [['studied_employment_headcount', 40.0, 'own']]
    """
    row = {
        "metier_code": ALL_METIERS,
        "year": levels["year"].max(),
        "indicator": "studied_employment_headcount",
        "value": levels["value"].sum(skipna=False),
        "unit": "headcount",
        "nature": "observed" if levels["nature"].eq("observed").all() else "estimate",
        "origin": "own" if levels["origin"].eq("own").any() else "public",
    }
    return pd.DataFrame([row])


def entry_rows(posts: pd.DataFrame, entries: pd.DataFrame, base_year: int) -> pd.DataFrame:
    """Return young beginners, net mobility and the potential imbalance (E4), `nd` where unknown.

    Args:
        posts: What `interval_rows` returned for the reference.
        entries: Rows of the `branch_entries` contract; none where nothing is supplied.
        base_year: Last observed year.

    Returns:
        Rows for the métiers of `posts`; for the branch as a whole where every métier is known.
    """
    chosen = posts[posts["indicator"] == POSTS].reset_index(drop=True)
    years = chosen["year"] - base_year
    key = ["branch_code", "metier_code"]
    given = entries.set_index(key)
    at = pd.MultiIndex.from_frame(chosen[key])
    found = {
        name: given[column].astype("float64").reindex(at).to_numpy() * years
        for name, column in ENTRIES.items()
    }
    own = np.where(at.isin(given.index), "own", chosen["origin"])
    whole = chosen["metier_code"] == ALL_METIERS
    for values in found.values():
        values[whole] = [
            values[(chosen["year"] == year) & ~whole].sum(skipna=False)
            for year in chosen.loc[whole, "year"]
        ]
    young, mobility = (pd.Series(found[name], chosen.index) for name in ENTRIES)
    parts = [chosen.assign(indicator=name, value=values) for name, values in found.items()]
    ends = {name: chosen[name] - young - mobility for name in ("value", "lower", "upper")}
    parts.append(chosen.assign(indicator=IMBALANCE, **ends))
    rows = pd.concat(parts, ignore_index=True).assign(origin=np.tile(own, len(parts)))
    is_entry = rows["indicator"] != IMBALANCE
    rows.loc[is_entry, ["lower", "upper", "interval_level"]] = np.nan
    rows.loc[is_entry, "nature"] = "observed"
    nothing = rows["value"].isna()
    rows.loc[nothing, ["lower", "upper", "interval_level"]] = np.nan
    return rows


def age_rows(jobs: pd.DataFrame, ages: pd.DataFrame) -> pd.DataFrame:
    """Return heads by age band of the branch, and each métier's share of 50 and over, in %.

    Args:
        jobs: Rows of the `employment` contract of one branch, without its residual.
        ages: National ages, and the branch's own where it has some (`branch_code`).

    Returns:
        `age_headcount.<first age>` for the branch (métiers without ages left out) and
        `share_50_and_over_pct` by métier; an estimate wherever ages are national.
    """
    base = last_year(jobs)
    found = read_ages(ages)
    year = int(base["year"].max())
    shares = pd.DataFrame(found.latest(year), index=found.keys, columns=list(found.first_ages))
    shares = shares.div(shares.sum(axis=1), axis=0).dropna()
    own = pd.MultiIndex.from_frame(base[["branch_code", "metier_code"]])
    national = pd.MultiIndex.from_arrays([np.full(len(base), ""), base["metier_code"]])
    of_own, of_country = shares.reindex(own), shares.reindex(national)
    is_own = of_own.notna().all(axis=1).to_numpy()
    chosen = of_own.fillna(of_country.set_axis(own))
    heads = chosen.mul(base["employment_headcount"].to_numpy(), axis=0)
    old = [age for age in found.first_ages if age >= 50]
    observed = is_own & (base["nature"] == "observed").to_numpy()
    origin = np.where(is_own | (base["origin"] == "own").to_numpy(), "own", "public")
    per_metier = pd.DataFrame(
        {
            "metier_code": base["metier_code"].to_numpy(),
            "indicator": "share_50_and_over_pct",
            "value": 100 * chosen[old].sum(axis=1, skipna=False).to_numpy(),
            "unit": "pct",
            "nature": np.where(observed, "observed", "estimate"),
            "origin": origin,
        }
    )
    whole = pd.DataFrame(
        {
            "metier_code": ALL_METIERS,
            "indicator": [f"age_headcount.{age}" for age in found.first_ages],
            "value": heads.sum(axis=0, min_count=1).to_numpy(),
            "unit": "headcount",
            "nature": "observed" if observed.all() else "estimate",
            "origin": "own" if (origin == "own").any() else "public",
        }
    )
    return pd.concat([whole, per_metier], ignore_index=True).assign(year=year)


def adjustment_rows(
    adjustments: pd.DataFrame, metier_codes: Sequence[str], year: int
) -> pd.DataFrame:
    """Return by how much coherence moved the projection of métiers in a year, in %."""
    chosen = adjustments[
        adjustments["metier_code"].isin(metier_codes) & (adjustments["year"] == year)
    ]
    return pd.DataFrame(
        {
            "metier_code": chosen["metier_code"],
            "year": year,
            "indicator": "coherence_adjustment_pct",
            "value": chosen["adjustment_pct"],
            "unit": "pct",
            "nature": "projection",
        }
    )
