"""How long the review of 200,000 requests takes, beside a plain loop over branches.

    OPENBLAS_NUM_THREADS=1 python benchmarks/requests.py

Fictitious requests of all branches over two years. The peer filters and groups with pandas, branch
by branch and band by band, and gives only the unmet share with Wilson's interval and the median
delay: no secrecy, no comparison, no other indicator. Prints CPU seconds of each and their ratio.
"""

import time
from datetime import date

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from opmq_lib.methods.requests import counting, denominators, fictitious, measures
from opmq_lib.methods.requests.denominators import GROUPS
from opmq_lib.sources import embedded
from opmq_lib.tables.register import UNMET

REQUESTS, LAST_DAY = 200_000, date(2026, 11, 24)
TOPICS = ["recrutement", "alternance", "numerique", "ecologie"]


def main() -> None:
    """Time the review and the peer on the same register."""
    firms = denominators.firms(embedded.load("branch_headcount"))
    branches = sorted(embedded.load("branches")["branch_code"])
    register = fictitious.generate(REQUESTS, firms, branches, TOPICS, LAST_DAY).register
    print(f"{len(register):,} requests of {register['company_code'].nunique():,} companies")
    start = time.process_time()
    table = measures.review(register, firms, branches, LAST_DAY)
    review = time.process_time() - start
    start = time.process_time()
    rows = plain(register, branches)
    loop = time.process_time() - start
    print(f"review: {review:.2f} s of CPU, {len(table):,} numbers")
    print(f"plain loop over branches: {loop:.2f} s of CPU, {len(rows):,} numbers")
    ratios = review / loop, (review / len(table)) / (loop / len(rows))
    print(f"ratio to the loop: {ratios[0]:.2f} in all, {ratios[1]:.2f} per number")


def plain(register: pd.DataFrame, branches: list[str]) -> list[tuple[str, str, str, float]]:
    """Return unmet share and median delay of every branch, band and topic, in a loop."""
    asked = counting.period(register, LAST_DAY)
    found = []
    for branch in branches:
        own = asked[asked["branch_code"] == branch]
        for band, bands in GROUPS.items():
            inside = own[own["size_band"].isin(bands)]
            for topic in ("all", *TOPICS):
                chosen = inside if topic == "all" else inside[inside["topic_code"] == topic]
                if chosen.empty:
                    continue
                unmet = chosen["coverage"].isin(UNMET).groupby(chosen["company_code"]).any()
                low, high = proportion_confint(unmet.sum(), len(unmet), method="wilson")
                share = 100 * unmet.mean()
                found += [(branch, band, topic, each) for each in (share, low, high)]
            found.append((branch, band, "delay", inside["answer_delay_days"].median()))
    return found


if __name__ == "__main__":
    main()
