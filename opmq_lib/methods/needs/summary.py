"""What is said of needs: intervals, ages and entries, as indicator rows."""

import numpy as np
import pandas as pd

from opmq_lib.methods.needs.ages import FIRST_OLD_AGE, read_ages
from opmq_lib.methods.needs.posts import GRADED, UNITS
from opmq_lib.methods.reliability import grades
from opmq_lib.tables.indicators import ALL_METIERS, last_year, with_interval

ENTRIES = {
    "young_beginners_headcount": "young_beginners_per_year_headcount",
    "net_mobility_headcount": "net_mobility_per_year_headcount",
}
IMBALANCE = "potential_imbalance_headcount"
POSTS = "posts_to_fill_headcount"


def interval_rows(posts: pd.DataFrame, variant: str = "") -> pd.DataFrame:
    """Return posts to fill as indicator rows: the point, the 80 % interval, and the grade.

    Args:
        posts: Rows of the `needs` contract of one scenario, with levels 0.1, 0.5 and 0.9.
        variant: Scenario, unless it is the reference.

    Returns:
        One row per branch, métier, year and quantity; `reliability_grade` for jobs and
        departures that rest on an estimated level.
    """
    key = ["branch_code", "metier_code", "year", "quantity", "origin", "best_grade", "basis"]
    rows = with_interval(posts.rename(columns={"nature": "basis"}), key)
    best, nature = rows.pop("best_grade"), rows.pop("basis")
    is_graded = rows["quantity"].isin(GRADED) & best.ne("")
    is_count = is_graded & rows["quantity"].map(UNITS).eq("headcount")
    letters = grades(rows["lower"], rows["upper"], best.where(is_count, "A"))
    return rows.rename(columns={"quantity": "indicator"}).assign(
        variant=variant,
        unit=rows["quantity"].map(UNITS),
        nature=nature,
        reliability_grade=np.where(is_graded, letters, ""),
    )


def entry_rows(posts: pd.DataFrame, entries: pd.DataFrame, start_year: int) -> pd.DataFrame:
    """Return young beginners, net mobility and the potential imbalance (E4), `nd` where unknown.

    Args:
        posts: What `interval_rows` returned for the reference.
        entries: Rows of the `branch_entries` contract; none where nothing is supplied.
        start_year: Year from which they are counted.

    Returns:
        Rows for the métiers of `posts`; for the branch as a whole where every métier is known.
    """
    rows = posts[posts["indicator"] == POSTS].reset_index(drop=True)
    rows = rows.drop(columns="reliability_grade")
    key, bounds = ["branch_code", "metier_code"], ["lower", "upper", "interval_level"]
    given = entries.set_index(key)[list(ENTRIES.values())].astype("float64")
    at = pd.MultiIndex.from_frame(rows[key])
    entering = given.reindex(at).set_axis(list(ENTRIES), axis=1).reset_index(drop=True)
    entering = entering.mul(rows["year"] - start_year, axis=0)
    is_whole = rows["metier_code"] == ALL_METIERS
    sums = entering[~is_whole].groupby(rows["year"]).sum(skipna=False)
    entering[is_whole] = sums.reindex(rows.loc[is_whole, "year"]).to_numpy()
    rows["origin"] = np.where(at.isin(given.index), "own", rows["origin"])
    left = rows[["value", "lower", "upper"]].sub(entering.sum(axis=1, skipna=False), axis=0)
    imbalance = rows.assign(indicator=IMBALANCE, **left)
    imbalance.loc[imbalance["value"].isna(), bounds] = np.nan
    observed = rows.assign(nature="observed", **dict.fromkeys(bounds, np.nan))
    parts = [observed.assign(indicator=name, value=entering[name]) for name in ENTRIES]
    return pd.concat([*parts, imbalance], ignore_index=True)


def age_rows(jobs: pd.DataFrame, ages: pd.DataFrame) -> pd.DataFrame:
    """Return heads by age band of the branch, and each métier's share of 50 and over, in %.

    Args:
        jobs: Rows of the `employment` contract of one branch, without its residual.
        ages: National ages, and the branch's own where it has some (`branch_code`).

    Returns:
        `age_headcount` by `age_band` (its first age) for the branch (métiers without ages left
        out), `variant` the last period of national ages, and `share_50_and_over_pct` by métier; an
        estimate wherever ages are national.
    """
    base, pyramids = last_year(jobs), read_ages(ages)
    year, metiers = int(base["year"].max()), base["metier_code"].to_numpy()
    heads = pd.DataFrame(pyramids.latest(year), pyramids.keys, list(pyramids.first_ages))
    shares = heads.div(heads.sum(axis=1), axis=0).dropna()
    own = shares.reindex(pd.MultiIndex.from_arrays([base["branch_code"], metiers]))
    national = shares.reindex(pd.MultiIndex.from_product([[""], metiers]))
    is_own = own.notna().all(axis=1).to_numpy()
    chosen = own.fillna(national.set_axis(own.index)).set_axis(base.index)
    is_observed = is_own & (base["nature"] == "observed").to_numpy()
    of_user = is_own | (base["origin"] == "own").to_numpy()
    old = [age for age in pyramids.first_ages if age >= FIRST_OLD_AGE]
    per_metier = pd.DataFrame(
        {
            "metier_code": metiers,
            "indicator": "share_50_and_over_pct",
            "value": 100 * chosen[old].sum(axis=1, skipna=False),
            "unit": "pct",
            "nature": np.where(is_observed, "observed", "estimate"),
            "origin": np.where(of_user, "own", "public"),
        }
    )
    of_branch = chosen.mul(base["employment_headcount"], axis=0).sum(min_count=1)
    periods = ages.loc[ages["branch_code"] == "", "period"]
    whole = pd.DataFrame(
        {
            "metier_code": ALL_METIERS,
            "indicator": "age_headcount",
            "variant": max(periods, default=""),
            "age_band": of_branch.index.astype("str"),
            "value": of_branch.to_numpy(),
            "unit": "headcount",
            "nature": "observed" if is_observed.all() else "estimate",
            "origin": "own" if of_user.any() else "public",
        }
    )
    parts = [whole, per_metier.assign(age_band="", variant="")]
    return pd.concat(parts, ignore_index=True).assign(year=year)
