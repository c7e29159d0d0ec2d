"""How far what a CPNEFP is given to decide on can be trusted.

    python benchmarks/decision.py

Shortlists: how much of each branch's list is left when everything that is not known is drawn. The
rule of the list has no place for growth, and its alarms are published facts: what moves it are
employment by métier and departures. A mean Jaccard index under 0.6, or one under 0.5, fails.

Needs: departures and growth of every family as our own ages and our own trend have them, beside
those of the official projections, from which needs are computed. Fails where departures of métiers
do not add up to their family's, or where our own are more than 10 % off in the field.

Core métiers: industrial sectors play the branches, known as well as branches are, and labels are
held against the published cells of the survey. Less than 90 % of right métiers among those on the
list, or more than 5 % of wrong ones among those off it, fails.
"""

from collections.abc import Sequence

import estimate as benchmark
import numpy as np
import pandas as pd
from scipy.special import ndtri

from opmq_lib.methods import core, criteria, draws
from opmq_lib.methods.employment import intervals
from opmq_lib.methods.employment.candidates import candidates
from opmq_lib.methods.employment.levels import HEADS, INTERVAL_SPAN
from opmq_lib.methods.employment.rows import RESIDUAL_METIER
from opmq_lib.methods.needs.official import FAMILIES, national, official_family
from opmq_lib.methods.shortlist import LEAST_OVERLAP, SOLID_PRESENCE_PCT
from opmq_lib.params import EditionParams
from opmq_lib.questions import country, shared
from opmq_lib.questions.coeurs_strategiques import chain as coeurs
from opmq_lib.questions.que_faire import chain
from opmq_lib.questions.shared import Tables
from opmq_lib.sources import study

LEAST_MEAN, LEAST_EACH = 0.6, 0.5
MOST_ERROR_PCT, MOST_GAP_PCT, MOST_APART_PCT = 10.0, 1e-9, 1.0
LEAST_RIGHT, MOST_WRONG = 0.90, 0.05
LIKELIHOODS = [0.1, 0.5, 0.9]


def shortlists(inputs: Tables, edition: EditionParams) -> pd.DataFrame:
    """Return the list of every branch that has a headcount, with `overlap`, its Jaccard index."""
    estimated, alarms = shared.estimate(inputs), chain.alarms(inputs, edition)
    shared.estimate = lambda _: estimated
    parts = []
    for branch_code in sorted(inputs["branch_headcount"]["branch_code"].unique()):
        listed = chain.listed(chain.cells(inputs, branch_code, alarms, edition))
        parts.append(listed.metiers.assign(branch_code=branch_code, overlap=listed.overlap))
    return pd.concat(parts, ignore_index=True)


def needs_rates(inputs: Tables, edition: EditionParams) -> None:
    """Print our own rates beside the official ones, by family."""
    table = _by_family(country.metier_rates(inputs, edition), inputs, edition.base_year)
    known = national(inputs["official_projections"]).set_index("metier_code").loc[table.index]
    years = known["horizon_year"] - known["base_year"]
    middle = known["employment_headcount"] + known["net_creation_headcount"] / 2
    official = 100 * known["departures_headcount"] / years / middle
    gap = float((table["departure_rate_pct"] - official).abs().max())
    print(f"needs, {len(table)} families: sums of métiers at most {gap:.1e} % from theirs")
    left = table["own_departure_rate_pct"] / 100 * years * table["employment_headcount"]
    apart = left - known["departures_headcount"]
    table = table.assign(left=known["departures_headcount"], apart=apart)
    field = table[table.index.isin(_whole_in_field(inputs))]
    print(field.filter(like="_rate_pct").round(2).to_string())
    errors = [_compare(*each) for each in (("in all", table), ("of the field", field))]
    assert gap <= MOST_GAP_PCT
    assert errors[-1] <= MOST_ERROR_PCT


def _compare(name: str, part: pd.DataFrame) -> float:
    """Print how far our own departures and growth are from the official ones; return the error."""
    apart = [part["apart"].abs().sum(), part["apart"].sum()]
    error, total = 100 * np.array(apart) / part["left"].sum()
    spread = np.std(np.log(part["own_departure_rate_pct"] / part["departure_rate_pct"]))
    growth = (part["own_growth_rate_pct"] - part["growth_rate_pct"]).abs()
    print(f"{len(part)} families {name}")
    print(f"  our own departures: error {error:.1f} %, total {total:+.1f} %")
    print(f"  rates of departure: standard deviation of the log {spread:.2f}")
    far = (growth > MOST_APART_PCT).sum()
    print(f"  growth: {growth.mean():.2f} points a year apart, {far} families by more than 1")
    return float(error)


def _by_family(rates: pd.DataFrame, inputs: Tables, base_year: int) -> pd.DataFrame:
    """Return the rates of official families, means of their métiers weighted by employment."""
    jobs = inputs["employment_national"]
    heads = jobs[jobs["year"] == base_year].set_index("metier_code")["employment_headcount"]
    rows = rates[rates["nature"].eq("official_projection") & rates["family_code"].ne("")]
    weight = rows["metier_code"].map(heads)
    names = [name for name in rows if name.endswith("_pct")]
    sums = rows[names].mul(weight, axis=0).groupby(rows["family_code"]).sum()
    whole = weight.groupby(rows["family_code"]).sum()
    return sums.div(whole, axis=0).assign(employment_headcount=whole)


def _whole_in_field(inputs: Tables) -> set[str]:
    """Return the official families all of whose families are in the field."""
    metiers = shared.studied(inputs, "metiers")
    codes = metiers.loc[metiers["level"] == "fap87", "metier_code"]
    partly = {whole for code, whole in FAMILIES.items() if code not in set(codes)}
    return set(official_family(codes)) - partly


def core_labels(
    questions: pd.DataFrame, gates: pd.DataFrame, sectors: Sequence[str] = benchmark.SECTORS
) -> pd.DataFrame:
    """Return the core label of each métier of the field in each sector, and what is true of it.

    Args:
        questions: One row per criterion of the question on core métiers.
        gates: One row per line of its gates.
        sectors: Those that play the branches.

    Returns:
        `metier_code`, `sector_code`, columns of `core.labels`, and `is_core`: whether the published
        cell is on the list under the question's own weights; 0 also where the most that an unlisted
        cell can be is not; missing where that is not known.
    """
    known = benchmark.read()
    split = benchmark.split_groups(known)
    cells = benchmark.b1(known, split)
    rows = benchmark.cell_rows(known, cells, split)
    rows["sd"] = benchmark.log_sd(rows, intervals.SPLIT_SD)
    rows["most"] = rows["true"].fillna(rows["limit"])
    heads = known.whole.sectors.sum(axis=1)
    country = pd.Series({**heads, "ENS": heads.sum()}).rename_axis("metier_code")
    parts = []
    for sector in sectors:
        of_sector = rows.xs(sector, level="sector_code")
        estimated = pd.DataFrame({HEADS: of_sector["estimate"], "sd": of_sector["sd"]})
        published = pd.DataFrame({HEADS: of_sector["most"], "sd": 0.0})
        labels, true = (
            _labels(_jobs(cells, known.whole.sectors[sector].sum()), country, questions, gates)
            for cells in (estimated, published)
        )
        is_in = (true["score"] >= float(questions["cutoff_score"].iloc[0])) & (
            true["missed_gate"].isna()
        )
        is_known = of_sector["true"].notna() | ~is_in
        labels["is_core"] = is_in.astype(float).where(is_known)
        parts.append(labels.assign(sector_code=sector).reset_index())
    return pd.concat(parts, ignore_index=True)


def _jobs(cells: pd.DataFrame, size: float) -> pd.DataFrame:
    """Return the table of a branch of some size, from cells and the `sd` of their log."""
    spread = np.exp(INTERVAL_SPAN / 2 * cells["sd"])
    ends = {f"{HEADS}_lower": cells[HEADS] / spread, f"{HEADS}_upper": cells[HEADS] * spread}
    jobs = cells[[HEADS]].assign(**ends).rename_axis("metier_code").reset_index()
    rest = pd.DataFrame({"metier_code": [RESIDUAL_METIER], HEADS: size - cells[HEADS].sum()})
    facts = {"nature": "estimate", "origin": "public", "source_code": ""}
    return pd.concat([jobs, rest], ignore_index=True).assign(year=0, **facts)


def _labels(
    jobs: pd.DataFrame, country: pd.Series, questions: pd.DataFrame, gates: pd.DataFrame
) -> pd.DataFrame:
    looked_at = candidates(jobs, country.reset_index(name=HEADS), set(jobs["metier_code"]))
    codes = looked_at["metier_code"].tolist()
    known = criteria.gather([criteria.employment_facts(looked_at)], codes, set())
    normal = ndtri(draws.spread_points(core.DRAWS, 1)[:, 0])
    table = looked_at.set_index("metier_code")
    drawn = criteria.at_levels(table, np.exp(table[["level_log_sd"]].to_numpy() * normal))
    return core.labels(questions, gates, known, drawn).set_index("metier_code")


def calibration(labels: pd.DataFrame) -> pd.DataFrame:
    """Return by label, and by likelihood where it is open, how many known cells are core."""
    known = labels.dropna(subset=["is_core"])
    likely = pd.cut(known["acceptability_pct"] / 100, [0, *LIKELIHOODS, 1], include_lowest=True)
    is_open = known["label"].isin([core.ON_ESTIMATE, core.ON_WEIGHTS])
    group = known["label"].where(~is_open, "open " + likely.astype(str))
    by_group = known["is_core"].groupby(group)
    mean = known["acceptability_pct"].groupby(group).mean()
    return pd.DataFrame({"known": by_group.size(), "core": by_group.sum(), "mean p": mean})


def brier(labels: pd.DataFrame) -> float:
    """Return the mean square of what is true less how likely it was said to be."""
    known = labels.dropna(subset=["is_core"])
    return float(((known["acceptability_pct"] / 100 - known["is_core"]) ** 2).mean())


def shares(labels: pd.DataFrame) -> tuple[float, float]:
    """Return the share of métiers on the list that are core, and of those off it that are."""
    is_core = labels.dropna(subset=["is_core"]).groupby("label")["is_core"].mean()
    return float(is_core[core.IN]), float(is_core[core.OUT])


def show_core() -> None:
    """Print how labels of core métiers hold against what is known, and fail where they do not."""
    asked = [each for each in study.criteria("chimie") if each.question_code == "core"]
    labels = core_labels(coeurs.questions(asked), coeurs.gates(asked))
    print("\nCore métiers, sectors as branches")
    print(calibration(labels).round(2).to_string())
    right, wrong = shares(labels)
    print(f"Brier {brier(labels):.3f}; right on the list {right:.1%}, wrong off it {wrong:.1%}")
    assert right >= LEAST_RIGHT
    assert wrong <= MOST_WRONG


def main() -> None:
    """Print needs rates, how stable the lists of each branch are, and how true core labels are."""
    inputs, edition = study.load_inputs(), study.edition()
    needs_rates(inputs, edition)
    table = shortlists(inputs, edition)
    shown = table[table["is_shown"] == "yes"]
    solid = shown[shown["presence_pct"] >= SOLID_PRESENCE_PCT]
    print("Branch                          Jaccard  shown  solid")
    overlaps = table.groupby("branch_code")["overlap"].first()
    for branch_code, overlap in overlaps.items():
        counts = [(each["branch_code"] == branch_code).sum() for each in (shown, solid)]
        unstable = "  liste peu stable" if overlap < LEAST_OVERLAP else ""
        print(f"{branch_code:32} {overlap:6.2f} {counts[0]:6} {counts[1]:6}{unstable}")
    print(f"{'mean':32} {overlaps.mean():6.2f} (at least {LEAST_MEAN})")
    assert overlaps.mean() >= LEAST_MEAN
    assert overlaps.min() >= LEAST_EACH
    show_core()


if __name__ == "__main__":
    main()
