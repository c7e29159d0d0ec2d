"""How wrong is employment by branch and métier? Measured on cells that the survey publishes.

    OMP_NUM_THREADS=1 python benchmarks/estimate.py [--quick]

No cell branch × métier is observed. The survey's sectors play the branches, groups of sectors the
sectors; the method knows of each métier its employment in the group, as it knows that of a sector in
reality, and its cells are compared with the published ones. Beside it B0, the former method: hires
fitted to totals of métiers and branches, alone or given the group totals too. Then lists are hidden:
of one métier, of one sector; and classes of jobs. Run from the root of the project.
"""

import argparse
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from opmq_lib.methods.employment import branches, estimate, hires, intervals, sectors
from opmq_lib.methods.employment.branches import RESIDUAL_BRANCH
from opmq_lib.methods.employment.classes import CLASSES
from opmq_lib.methods.employment.estimate import Estimate, EstimateTables
from opmq_lib.methods.employment.ras import ras
from opmq_lib.questions import shared
from opmq_lib.sources import study

GROUPS = {
    "electric": ("CI", "CJ", "CK"),
    "materials": ("CB", "CC", "CE", "CF", "CG", "CH", "CM"),
    "energy": ("BZ", "DZ", "EZ"),
}
"""Groups of industrial sectors that play the sectors; their sectors play the branches."""

B0_HIRES = 0.5
CENSORED_HEADS = 500.0
"""Least estimate of an unlisted cell that counts in the likelihood of the interval."""

FOLDS, REPEATS, SEED = 8, 2_000, 1
LEVELS = (0.5, 0.8, 0.9)


class Known(NamedTuple):
    """What the test knows: the whole estimate, its hires, which métiers and cells are judged."""

    tables: EstimateTables
    whole: Estimate
    by_activity: pd.DataFrame
    lists: pd.DataFrame
    field: pd.Index
    base_year: int


def read() -> Known:
    """Return the study's tables and the estimate that they give."""
    inputs, base_year = study.load_inputs(), study.edition().base_year
    tables = shared.estimate_tables(inputs)
    whole = estimate.fit_estimate(tables, base_year)
    links = hires.HireTables(tables.rome_naf_hires, tables.fap_rome, tables.rome_fap_split)
    heads = whole.sectors.sum(axis=1)
    metiers = inputs["metiers"]
    studied = metiers[metiers["level"].eq("fap225") & metiers["scope"].ne("other")]
    return Known(
        tables,
        whole,
        hires.hires_by_activity(links, heads.index),
        sectors.read_lists(tables.metier_sectors, heads),
        pd.Index(studied["metier_code"]),
        base_year,
    )


def group_totals(known: Known) -> pd.DataFrame:
    """Return employment by métier and group of sectors."""
    table = known.whole.sectors
    return pd.DataFrame({name: table[list(each)].sum(axis=1) for name, each in GROUPS.items()})


def pseudo_hires(known: Known) -> tuple[pd.DataFrame, pd.Series]:
    """Return hires in the activities of the groups, and the sector of each activity."""
    sector = pd.Series(sectors.sector_of(known.by_activity.columns), known.by_activity.columns)
    inside = sector[sector.isin(sum(GROUPS.values(), ()))]
    return known.by_activity[inside.index], inside


def split_groups(known: Known) -> np.ndarray:
    """Return employment by group, métier and sector as step 3 would split it."""
    by_activity, sector = pseudo_hires(known)
    group_of = {each: name for name, group in GROUPS.items() for each in group}
    totals = group_totals(known)
    codes = list(group_of)
    sizes = known.whole.sectors[codes].sum()
    cells = np.zeros((len(GROUPS), len(totals), len(codes)))
    for number, name in enumerate(GROUPS):
        inside = by_activity.loc[:, sector.map(group_of) == name]
        shares = branches.activity_shares(inside).T.groupby(sector[inside.columns]).sum().T
        seed = shares.reindex(columns=list(GROUPS[name]), fill_value=0.0).mul(totals[name], axis=0)
        fitted = ras(seed + branches.NO_CELL, totals[name], sizes[list(GROUPS[name])])
        cells[number][:, [codes.index(code) for code in fitted]] = fitted
    return cells


def b1(known: Known, split: np.ndarray, *, with_classes: bool = True) -> pd.DataFrame:
    """Return the estimate of the sectors' cells: split of the groups, then classes of each sector."""
    codes = list(sum(GROUPS.values(), ()))
    whole = known.whole.sectors
    seed = pd.DataFrame(split.sum(axis=0), whole.index, codes)
    if not with_classes:
        return seed
    classes = whole[codes].groupby(known.whole.metier_class).sum().T[[*CLASSES]]
    rows = whole.sum(axis=1)
    fitted = estimate.fit_classes(seed, rows, classes, known.whole.metier_class)
    return fitted[codes]


def b0(known: Known, *, with_groups: bool) -> pd.DataFrame:
    """Return the former method's cells: hires, fitted to totals of métiers and of sectors."""
    by_activity, sector = pseudo_hires(known)
    seed = by_activity.T.groupby(sector).sum().T + B0_HIRES
    whole = known.whole.sectors
    sizes, rows = whole[seed.columns].sum(), whole.sum(axis=1)
    if with_groups:
        totals = group_totals(known)
        parts = [
            ras(seed[list(each)], totals[name], sizes[list(each)]) for name, each in GROUPS.items()
        ]
        return pd.concat(parts, axis=1)
    every = known.by_activity.sum(axis=1) + B0_HIRES * len(sector)
    outside = (every - by_activity.sum(axis=1)).clip(lower=B0_HIRES)
    columns = pd.concat([sizes, pd.Series({RESIDUAL_BRANCH: rows.sum() - sizes.sum()})])
    return ras(seed.assign(**{RESIDUAL_BRANCH: outside}), rows, columns)[sizes.index]


def judged(known: Known, cells: pd.DataFrame) -> pd.DataFrame:
    """Return the published cells of the field beside the estimated ones."""
    truth = known.lists.reindex(known.field)[cells.columns].stack()
    rows = truth.rename("true").to_frame()
    rows["estimate"] = cells.stack().reindex(rows.index)
    return rows.rename_axis(["metier_code", "sector_code"])


def wape(rows: pd.DataFrame) -> float:
    """Return the weighted error: Σ|estimate − true| / Σ true."""
    return float((rows["estimate"] - rows["true"]).abs().sum() / rows["true"].sum())


def scores(rows: pd.DataFrame) -> dict[str, float]:
    """Return errors in words of the trade; `log_sd` is about the mean."""
    error = rows["estimate"] / rows["true"] - 1
    logs = np.log(rows["estimate"] / rows["true"])
    return {
        "n": len(rows),
        "MdAPE": 100 * error.abs().median(),
        "WAPE": 100 * wape(rows),
        "log bias": logs.mean(),
        "log SD": logs.std(),
        "within 25 %": 100 * (error.abs() <= 0.25).mean(),
        "within ×2": 100 * (logs.abs() <= np.log(2)).mean(),
    }


def difference(ours: pd.DataFrame, theirs: pd.DataFrame) -> tuple[float, float, float]:
    """Return the difference of WAPE and its 90 % interval: families drawn with replacement."""
    family = ours.index.get_level_values("metier_code").str[: hires.FAMILY_LENGTH]
    sums = (
        pd.DataFrame(
            {
                "ours": (ours["estimate"] - ours["true"]).abs(),
                "theirs": (theirs["estimate"] - theirs["true"]).abs(),
                "true": ours["true"],
            }
        )
        .groupby(family)
        .sum()
    )
    drawn = np.random.default_rng(SEED).integers(len(sums), size=(REPEATS, len(sums)))
    ours_sum, theirs_sum, true = (sums[name].to_numpy()[drawn].sum(axis=1) for name in sums)
    low, high = np.quantile((ours_sum - theirs_sum) / true, [0.05, 0.95])
    return wape(ours) - wape(theirs), float(low), float(high)


def interval_rows(known: Known, cells: pd.DataFrame, split: np.ndarray) -> pd.DataFrame:
    """Return cells with what their interval needs: π, and the limit of those that are unlisted."""
    totals = group_totals(known).to_numpy().T
    kept = np.divide(split, totals[:, :, None], out=np.zeros_like(split), where=split > 0)
    share = pd.DataFrame(kept.max(axis=0), cells.index, cells.columns)
    heads = known.whole.sectors.sum(axis=1)
    own = known.lists.reindex(heads.index)
    limit = sectors.most_unlisted(own, heads)
    rows = pd.DataFrame(
        {
            "estimate": cells.loc[known.field].stack(),
            "share": share.loc[known.field].stack(),
            "true": own.loc[known.field, cells.columns].stack(),
        }
    )
    metier = rows.index.get_level_values(0)
    rows["limit"] = limit.reindex(metier).to_numpy()
    is_listed = rows["true"].notna()
    return rows[is_listed | (rows["estimate"] >= CENSORED_HEADS) & np.isfinite(rows["limit"])]


def log_sd(rows: pd.DataFrame, split_sd: float) -> pd.Series:
    """Return the standard deviation of the law of the interval."""
    sampling = intervals.SAMPLING / rows["estimate"].clip(lower=intervals.LEAST_HEADS)
    return np.sqrt((split_sd * (1 - rows["share"])) ** 2 + sampling)


def fitted_split_sd(rows: pd.DataFrame) -> float:
    """Return the standard deviation of splits that makes the cells most likely, censored ones too."""
    seen = rows["true"].notna()
    gap = np.log(rows["true"].fillna(rows["limit"]) / rows["estimate"])

    def loss(split_sd: float) -> float:
        sd = log_sd(rows, split_sd)
        listed, censored = norm.logpdf(gap / sd) - np.log(sd), norm.logcdf(gap / sd)
        return -float(np.where(seen, listed, censored).sum())

    return float(minimize_scalar(loss, bounds=(0.05, 2), method="bounded").x)


def coverage(rows: pd.DataFrame) -> dict[float, float]:
    """Return the share of published cells inside intervals whose law was fitted on other families."""
    codes = rows.index.get_level_values(0).str[: hires.FAMILY_LENGTH]
    known = sorted(set(codes))
    order = np.random.default_rng(SEED).permutation(len(known))
    fold = pd.Series(order % FOLDS, known)[codes].to_numpy()
    sd = pd.concat(
        [log_sd(rows[fold == n], fitted_split_sd(rows[fold != n])) for n in range(FOLDS)]
    ).reindex(rows.index)
    listed = rows["true"].notna()
    gap = (np.log(rows["true"] / rows["estimate"]) / sd)[listed].abs()
    return {level: float((gap <= norm.ppf((1 + level) / 2)).mean()) for level in LEVELS}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="pseudo-branches only")
    known = read()
    print(pseudo_branches(known))


def pseudo_branches(known):
    split = split_groups(known)
    methods = {
        "B0": b0(known, with_groups=False),
        "B0, group totals given": b0(known, with_groups=True),
        "B1, no classes": b1(known, split, with_classes=False),
        "B1": b1(known, split),
    }
    rows = {name: judged(known, cells) for name, cells in methods.items()}
    print(pd.DataFrame({n: scores(r) for n, r in rows.items()}).T.round(2).to_string())
    print(
        difference(rows["B1"], rows["B0, group totals given"]), difference(rows["B1"], rows["B0"])
    )
    r = interval_rows(known, methods["B1"], split)
    print(fitted_split_sd(r), coverage(r), len(r), r.true.notna().sum())


if __name__ == "__main__":
    main()
