"""How wrong is employment by branch and métier? Measured on cells that the survey publishes.

    OMP_NUM_THREADS=1 python benchmarks/estimate.py

No cell branch × métier is observed. So the sectors of the survey play the branches and groups of
them the sectors: of a métier the method knows its employment in a group, as it knows that of a
sector in reality, and its cells are compared with the published ones. Beside it B0, the former
method: hires fitted to totals of métiers and branches, alone or given the group totals too. Then
published lists are hidden, of one métier or of one sector, and the classes of jobs of branches.
"""

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
from opmq_lib.tables.fap import FAMILY_LENGTH

GROUPS = {
    "electric": ["CI", "CJ", "CK"],
    "materials": ["CB", "CC", "CE", "CF", "CG", "CH", "CM"],
    "energy": ["BZ", "DZ", "EZ"],
}
"""Groups of industrial sectors that play the sectors; their sectors play the branches."""

SECTORS = [sector for group in GROUPS.values() for sector in group]
B0_HIRES = 0.5
CENSORED_HEADS = 500.0
"""Least estimate of an unlisted cell that counts in the likelihood of the interval."""

FOLDS, REPEATS, SEED = 8, 2_000, 1
LEVELS = (0.5, 0.8, 0.9)
CELL = ["metier_code", "sector_code"]


class Known(NamedTuple):
    """What the tests know: tables, the whole estimate, its hires and lists, métiers judged."""

    tables: EstimateTables
    whole: Estimate
    hires: pd.DataFrame
    lists: pd.DataFrame
    field: pd.Index


def read() -> Known:
    """Return the tables of the study and the estimate that they give."""
    inputs = study.load_inputs()
    tables = shared.estimate_tables(inputs)
    whole = estimate.fit_estimate(tables)
    links = hires.rome_shares(tables.fap_rome, tables.rome_fap_split)
    heads = whole.sectors.sum(axis=1)
    metiers = shared.studied(inputs, "metiers")
    return Known(
        tables,
        whole,
        hires.hires_by_activity(tables.rome_naf_hires, links, heads.index),
        sectors.read_lists(tables.metier_sectors, heads),
        pd.Index(metiers.loc[metiers["level"] == "fap225", "metier_code"]),
    )


# Sectors as branches


def group_totals(known: Known) -> pd.DataFrame:
    """Return employment by métier and group."""
    table = known.whole.sectors
    return pd.DataFrame({name: table[group].sum(axis=1) for name, group in GROUPS.items()})


def split_groups(known: Known) -> np.ndarray:
    """Return employment by group, métier and sector: step 3, sectors standing for branches."""
    of_activity = pd.get_dummies(sectors.sector_of(known.hires.columns), dtype=float)
    of_activity.index = known.hires.columns
    totals = group_totals(known)
    cells = np.zeros((len(GROUPS), len(totals), len(SECTORS)))
    for number, (name, group) in enumerate(GROUPS.items()):
        inside = of_activity.index[of_activity[group].sum(axis=1) > 0]
        shares = branches.branch_shares(known.hires[inside], of_activity.loc[inside, group])
        places = [SECTORS.index(sector) for sector in group]
        cells[number][:, places] = shares[group].mul(totals[name], axis=0)
    return cells


def b1(known: Known, split: np.ndarray) -> pd.DataFrame:
    """Return the cells of the sectors once their classes are known: step 5."""
    table = known.whole.sectors
    seed = pd.DataFrame(split.sum(axis=0), table.index, SECTORS)
    classes = table[SECTORS].groupby(known.whole.metier_class).sum().T[[*CLASSES]]
    rows = table.sum(axis=1)
    return estimate.fit_classes(seed, rows, classes, known.whole.metier_class)[SECTORS]


def b0(known: Known, *, with_groups: bool) -> pd.DataFrame:
    """Return the cells of the former method: hires fitted to totals of métiers and of sectors."""
    by_sector = known.hires.T.groupby(sectors.sector_of(known.hires.columns)).sum().T
    seed, table = by_sector[SECTORS] + B0_HIRES, known.whole.sectors
    sizes, totals, rows = table[SECTORS].sum(), group_totals(known), table.sum(axis=1)
    if with_groups:
        parts = [ras(seed[each], totals[name], sizes[each]) for name, each in GROUPS.items()]
        return pd.concat(parts, axis=1)
    outside = (by_sector.drop(columns=SECTORS) + B0_HIRES).sum(axis=1)
    columns = pd.concat([sizes, pd.Series({RESIDUAL_BRANCH: rows.sum() - sizes.sum()})])
    return ras(seed.assign(**{RESIDUAL_BRANCH: outside}), rows, columns)[SECTORS]


def pseudo_branches(known: Known) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return judged cells by method, and the cells of B1 with what their interval needs."""
    split = split_groups(known)
    cells = b1(known, split)
    methods = {
        "B0": b0(known, with_groups=False),
        "B0, group totals given": b0(known, with_groups=True),
        "B1, no classes": pd.DataFrame(split.sum(axis=0), cells.index, SECTORS),
        "B1": cells,
    }
    rows = {name: judged(known.lists, each, known.field) for name, each in methods.items()}
    return rows, interval_rows(known, cells, split)


# Lists hidden


def without_own_lists(known: Known) -> pd.DataFrame:
    """Return judged cells of métiers whose list was hidden, those of families kept."""
    parts = []
    for code in known.field.intersection(known.lists.index):
        lists = known.lists.drop(index=code)
        parts.append(judged(known.lists.loc[[code]], _sector_table(known, lists), [code]))
    return pd.concat(parts)


def without_sectors(known: Known) -> pd.DataFrame:
    """Return judged cells of industrial sectors, the lists that name them hidden, not their total.

    A list without its sector would say that the sector is small: the whole list is hidden.
    """
    parts = []
    for sector in SECTORS:
        lists = known.lists[known.lists[sector].isna()].copy()
        lists.loc["ENS", sector] = known.whole.sectors[sector].sum()
        table = _sector_table(known, lists)[[sector]]
        parts.append(judged(known.lists[[sector]], table, known.field))
    return pd.concat(parts)


def _sector_table(known: Known, lists: pd.DataFrame) -> pd.DataFrame:
    heads = known.whole.sectors.sum(axis=1)
    by_sector = known.hires.T.groupby(sectors.sector_of(known.hires.columns)).sum().T
    by_sector = by_sector.reindex(columns=lists.columns, fill_value=0.0)
    lifted = hires.lifts(by_sector, sectors.hire_shares(by_sector))
    shares = sectors.sector_shares(heads, lists, by_sector, lifted)
    return sectors.sector_table(heads, lists, shares)


def class_distances(known: Known) -> dict[str, float]:
    """Return the mean distance of class mixes of branches to those of the wage identity, points."""
    whole, shares = known.whole, known.tables.naf_branch
    wide = shares.pivot(index="naf_code", columns="branch_code", values="share")
    wide = wide.reindex(known.hires.columns)[whole.classes.index].fillna(0.0)
    seed = known.hires @ wide + B0_HIRES
    heads, rows = whole.classes.sum(axis=1), whole.sectors.sum(axis=1)
    seed[RESIDUAL_BRANCH] = known.hires.sum(axis=1) - known.hires @ wide.sum(axis=1) + B0_HIRES
    columns = pd.concat([heads, pd.Series({RESIDUAL_BRANCH: rows.sum() - heads.sum()})])
    tables = {"B0": ras(seed, rows, columns), "B1 before classes": whole.before}
    truth = whole.classes.div(heads, axis=0)
    distances = {}
    for name, table in tables.items():
        mix = table[heads.index].groupby(whole.metier_class).sum().T[[*CLASSES]].div(heads, axis=0)
        distances[name] = float(50 * (mix - truth).abs().sum(axis=1).mean())
    return distances


# Scores


def long(table: pd.DataFrame, name: str) -> pd.Series:
    """Return a table by métier and sector as one value a cell."""
    rows = table.rename_axis("metier_code").melt(
        ignore_index=False, var_name="sector_code", value_name=name
    )
    return rows.set_index("sector_code", append=True)[name]


def judged(lists: pd.DataFrame, cells: pd.DataFrame, metiers: pd.Index | list[str]) -> pd.DataFrame:
    """Return the published cells of some métiers beside the estimated ones."""
    columns = lists.columns.intersection(cells.columns)
    true = long(lists.reindex(metiers)[columns], "true").dropna()
    return true.to_frame().assign(estimate=long(cells, "estimate").reindex(true.index))


def wape(rows: pd.DataFrame) -> float:
    """Return the weighted error: sum of |estimate - true| over the sum of true cells."""
    return float((rows["estimate"] - rows["true"]).abs().sum() / rows["true"].sum())


def scores(rows: pd.DataFrame) -> dict[str, float]:
    """Return errors; a log error is that of estimate over true."""
    ratio = rows["estimate"] / rows["true"]
    logs = np.log(ratio)
    return {
        "n": len(rows),
        "MdAPE": 100 * (ratio - 1).abs().median(),
        "WAPE": 100 * wape(rows),
        "log bias": logs.mean(),
        "log SD": logs.std(),
        "within 25 %": 100 * (ratio - 1).abs().le(0.25).mean(),
        "within ×2": 100 * logs.abs().le(np.log(2)).mean(),
    }


def difference(ours: pd.DataFrame, theirs: pd.DataFrame) -> tuple[float, float, float]:
    """Return the difference of WAPE and its 90 % interval: families drawn with replacement."""
    family = ours.index.get_level_values("metier_code").str[:FAMILY_LENGTH]
    errors = [(rows["estimate"] - rows["true"]).abs() for rows in (ours, theirs)]
    sums = pd.DataFrame({"ours": errors[0], "theirs": errors[1], "true": ours["true"]})
    values = sums.groupby(family).sum().to_numpy()
    drawn = np.random.default_rng(SEED).integers(len(values), size=(REPEATS, len(values)))
    first, second, true = values[drawn].sum(axis=1).T
    low, high = np.quantile((first - second) / true, [0.05, 0.95])
    return wape(ours) - wape(theirs), float(low), float(high)


def interval_rows(known: Known, cells: pd.DataFrame, split: np.ndarray) -> pd.DataFrame:
    """Return the cells that say how wide an interval is: published, or with a limit worth it."""
    rows = cell_rows(known, cells, split)
    is_censored = (rows["estimate"] >= CENSORED_HEADS) & np.isfinite(rows["limit"])
    return rows[rows["true"].notna() | is_censored]


def cell_rows(known: Known, cells: pd.DataFrame, split: np.ndarray) -> pd.DataFrame:
    """Return all cells of the field: `share` of the group kept, and `limit` of unlisted ones."""
    totals = group_totals(known).to_numpy().T[:, :, None]
    kept = np.divide(split, totals, out=np.zeros_like(split), where=totals > 0).max(axis=0)
    heads = known.whole.sectors.sum(axis=1)
    own = known.lists.reindex(heads.index)
    limits = sectors.most_unlisted(own, heads)
    tables = {
        "estimate": cells,
        "share": pd.DataFrame(kept, cells.index, cells.columns),
        "true": own[SECTORS],
        "limit": pd.DataFrame(dict.fromkeys(SECTORS, limits)),
    }
    return pd.DataFrame({name: long(t.loc[known.field], name) for name, t in tables.items()})


def log_sd(rows: pd.DataFrame, split_sd: float) -> pd.Series:
    """Return the standard deviation of the log by the law of the interval."""
    sampling = intervals.SAMPLING / rows["estimate"].clip(lower=intervals.LEAST_HEADS)
    return ((split_sd * (1 - rows["share"])) ** 2 + sampling) ** 0.5


def fitted_split_sd(rows: pd.DataFrame) -> float:
    """Return the standard deviation of splits that makes cells most likely, censored ones too."""
    is_listed = rows["true"].notna()
    gap = np.log(rows["true"].fillna(rows["limit"]) / rows["estimate"])

    def loss(split_sd: float) -> float:
        sd = log_sd(rows, split_sd)
        listed, censored = norm.logpdf(gap / sd) - np.log(sd), norm.logcdf(gap / sd)
        return -float(np.where(is_listed, listed, censored).sum())

    return float(minimize_scalar(loss, bounds=(0.05, 2), method="bounded").x)


def coverage(rows: pd.DataFrame) -> dict[float, float]:
    """Return how often intervals hold published cells, their law fitted on other families."""
    families = rows.index.get_level_values("metier_code").str[:FAMILY_LENGTH]
    known = sorted(set(families))
    folds = pd.Series(np.random.default_rng(SEED).permutation(len(known)) % FOLDS, known)
    fold = folds[families].to_numpy()
    parts = [log_sd(rows[fold == n], fitted_split_sd(rows[fold != n])) for n in range(FOLDS)]
    gap = (np.log(rows["true"] / rows["estimate"]) / pd.concat(parts).reindex(rows.index)).abs()
    return {level: float(gap.dropna().le(norm.ppf((1 + level) / 2)).mean()) for level in LEVELS}


def main() -> None:
    """Print the tables."""
    known = read()
    rows, cells = pseudo_branches(known)
    print("Sectors as branches, in %")
    print(pd.DataFrame({name: scores(each) for name, each in rows.items()}).T.round(2).to_string())
    for peer in ("B0, group totals given", "B0"):
        shown = " ".join(f"{100 * value:.1f}" for value in difference(rows["B1"], rows[peer]))
        print(f"B1 less {peer}, WAPE and 90 % interval, points: {shown}")
    print(
        f"split SD {fitted_split_sd(cells):.3f} on {len(cells)} cells;", "coverage, cross-fitted:"
    )
    print({level: round(share, 3) for level, share in coverage(cells).items()})
    hidden = {
        "list of the métier hidden": without_own_lists(known),
        "lists of a sector hidden, its total known": without_sectors(known),
    }
    print("\nMétiers by sector, lists hidden, in %")
    print(pd.DataFrame({n: scores(each) for n, each in hidden.items()}).T.round(2).to_string())
    print("\nClass mix of branches against the wage identity, points:", class_distances(known))


if __name__ == "__main__":
    main()
