"""How far what a CPNEFP is given to decide on can be trusted.

    python benchmarks/decision.py

Shortlists: how much of each branch's list is left when everything that is not known is drawn. The
rule of the list has no place for growth, and its alarms are published facts: what moves it are
employment by métier and departures. A mean Jaccard index under 0.6, or one under 0.5, fails.
"""

import pandas as pd

from opmq_lib.methods.shortlist import LEAST_OVERLAP, SOLID_PRESENCE_PCT
from opmq_lib.params import EditionParams
from opmq_lib.questions import shared
from opmq_lib.questions.que_faire import chain
from opmq_lib.questions.shared import Tables
from opmq_lib.sources import study

LEAST_MEAN, LEAST_EACH = 0.6, 0.5


def shortlists(inputs: Tables, edition: EditionParams) -> pd.DataFrame:
    """Return the list of every branch that has a headcount, with `overlap`, its Jaccard index."""
    estimated, rates = shared.estimate(inputs), shared.metier_rates(inputs, edition)
    shared.estimate, shared.metier_rates = lambda _: estimated, lambda *_: rates
    parts = []
    for branch_code in sorted(inputs["branch_headcount"]["branch_code"].unique()):
        listed = chain.listed(chain.cells(inputs, branch_code, edition))
        parts.append(listed.metiers.assign(branch_code=branch_code, overlap=listed.overlap))
    return pd.concat(parts, ignore_index=True)


def main() -> None:
    """Print the index of each branch, which lists are unstable, and the mean."""
    table = shortlists(study.load_inputs(), study.edition())
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
