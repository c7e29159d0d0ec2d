"""How far what a CPNEFP is given to decide on can be trusted.

    python benchmarks/decision.py

Shortlists: how much of each branch's list is left when everything that is not known is drawn. The
rule of the list has no place for growth, and its alarms are published facts: what moves it are
employment by métier and departures. A mean Jaccard index under 0.6, or one under 0.5, fails.

Needs: departures and growth of every family as our own ages and our own trend have them, beside
those of the official projections, from which needs are computed. Fails where departures of métiers
do not add up to their family's, or where our own are more than 10 % off in the field.
"""

import numpy as np
import pandas as pd

from opmq_lib.methods.needs.official import FAMILIES, national, official_family
from opmq_lib.methods.shortlist import LEAST_OVERLAP, SOLID_PRESENCE_PCT
from opmq_lib.params import EditionParams
from opmq_lib.questions import shared
from opmq_lib.questions.que_faire import chain
from opmq_lib.questions.shared import Tables
from opmq_lib.sources import study

LEAST_MEAN, LEAST_EACH = 0.6, 0.5
MOST_ERROR_PCT, MOST_GAP_PCT, MOST_APART_PCT = 10.0, 1e-9, 1.0


def shortlists(inputs: Tables, edition: EditionParams) -> pd.DataFrame:
    """Return the list of every branch that has a headcount, with `overlap`, its Jaccard index."""
    estimated, rates = shared.estimate(inputs), shared.metier_rates(inputs, edition)
    shared.estimate, shared.metier_rates = lambda _: estimated, lambda *_: rates
    parts = []
    for branch_code in sorted(inputs["branch_headcount"]["branch_code"].unique()):
        listed = chain.listed(chain.cells(inputs, branch_code, edition))
        parts.append(listed.metiers.assign(branch_code=branch_code, overlap=listed.overlap))
    return pd.concat(parts, ignore_index=True)


def needs_rates(inputs: Tables, edition: EditionParams) -> None:
    """Print our own rates beside the official ones, by family."""
    table = _by_family(shared.metier_rates(inputs, edition), inputs, edition.base_year)
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


def main() -> None:
    """Print needs rates, then the index of each branch, which lists are unstable, and the mean."""
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


if __name__ == "__main__":
    main()
