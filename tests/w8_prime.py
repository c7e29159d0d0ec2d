"""The register of the worked example W8 (second form), as one row per request."""

import pandas as pd

UNDER_50 = (
    "A1/0", "A1/1", "A2/0", "A1/0 B1/1", "B2/2", "B1/0", "B1/1", "B2/2", "B1/0 D1/1", "C1/1",
    "C2/1", "C1/1", "A1/1", "D1/0",
)  # fmt: skip
FROM_50 = (
    "A4/0 B2/1", "A3/0 C2/1", "A6/1", "A2/0 B1/0", "A5/1 C1/0", "B4/1", "B3/0 C3/2", "A3/1",
    "A8/0 B4/1 C2/0", "A1/0 C1/0",
)  # fmt: skip
TOPICS = {"A": "recrutement", "B": "alternance", "C": "numerique", "D": "ecologie"}


def register(branch: str = "chimie", day: str = "2026-03-02") -> pd.DataFrame:
    """Return the requests of the 24 companies, « topic, requests/not covered » each."""
    rows = []
    for band, companies in (("10_49", UNDER_50), ("50_249", FROM_50)):
        for at, company in enumerate(companies):
            for part in company.split():
                asked, unmet = (int(each) for each in part[1:].split("/"))
                for number in range(asked):
                    missed = number < unmet
                    rows.append(
                        {"company_code": f"{band == '10_49':08x}{at:08x}", "size_band": band,
                         "branch_code": branch, "requested_on": day,
                         "topic_code": TOPICS[part[0]],
                         "coverage": "not_covered" if missed else "covered",
                         "reason": "delay" if missed else "", "origin": "own"}
                    )  # fmt: skip
    table = pd.DataFrame(rows)
    table.insert(0, "request_code", [f"D{at}" for at in range(len(table))])
    return table
