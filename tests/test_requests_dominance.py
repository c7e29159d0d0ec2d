"""One company that makes nearly all of a number, and what a reader obtains by subtraction."""

from datetime import date

import pandas as pd
import pytest
from test_requests_review import BRANCHES, FIRMS, reviewed

from opmq_lib.methods.requests import measures

LAST_DAY = date(2026, 11, 24)
RATES = ("requests_per_1000_firms", "unmet_requests_per_1000_firms", "unmet_requests_share_pct")


def asked(branch: str, band: str, requests: list[int], delays: list[float]) -> pd.DataFrame:
    """Return the requests of some companies, as many each as said, all answered in as many days."""
    rows = [
        {"company_code": f"{BRANCHES.index(branch):06x}{band:_>5.5}{at:05x}", "size_band": band,
         "branch_code": branch, "answer_delay_days": delays[at % len(delays)]}
        for at, count in enumerate(requests) for _ in range(count)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def review(*parts: pd.DataFrame, branches: list[str]) -> pd.DataFrame:
    frame = pd.concat(parts, ignore_index=True)
    even = frame.groupby("company_code").ngroup() % 2 == 0
    frame = frame.assign(
        request_code=[f"D{at}" for at in range(len(frame))],
        requested_on="2026-03-02", topic_code="recrutement", origin="own",
        coverage=even.map({True: "not_covered", False: "covered"}),
        reason=even.map({True: "delay", False: ""}),
    )  # fmt: skip
    return measures.review(frame, FIRMS, branches, LAST_DAY)


def told(table: pd.DataFrame, indicator: str) -> dict[tuple[str, str], float]:
    chosen = table[(table["indicator"] == indicator) & (table["status"] == "value")]
    return {(row.branch_code, row.size_band): row.value for row in chosen.itertuples()}


def test_a_dominated_band_is_not_given_away_by_the_others() -> None:
    """One of six companies from 50 asks 36 times: 61 in all, 20 under 50, the rest is its own."""
    table = review(
        asked("chimie", "10_49", [1] * 20, [3.0]),
        asked("chimie", "50_249", [36, 1, 1, 1, 1, 1], [3.0]),
        branches=["chimie"],
    )
    assert ("chimie", "50_plus") in told(table, "requesting_companies_count")
    for indicator in RATES:
        assert not told(table, indicator), indicator
    rates = table[table["indicator"].isin(RATES)]
    assert rates[["numerator_count", "denominator_count"]].isna().all(axis=None)


def test_a_dominated_branch_is_not_given_away_by_the_total() -> None:
    parts = [asked("chimie", "10_49", [61, 1, 1, 1, 1, 1, 1], [3.0])]
    others = ["plasturgie", "textile"]
    parts += [asked(each, "10_49", [1] * 8, [3.0]) for each in others]
    table = review(*parts, branches=["chimie", *others])
    shares = told(table, "unmet_requests_share_pct")
    assert {branch for branch, _ in shares} == set(others)
    plain = review(asked("chimie", "10_49", [1] * 7, [3.0]), *parts[1:],
                   branches=["chimie", *others])  # fmt: skip
    assert ("ensemble", "all") in told(plain, "unmet_requests_share_pct")


def test_what_small_branches_leave_hidden_is_not_one_companys() -> None:
    """Two branches of four companies are hidden; one of the eight asks 60 times."""
    small = ["plasturgie", "textile"]
    parts = [asked("chimie", "10_49", [1] * 12, [3.0]),
             asked("plasturgie", "10_49", [1] * 4, [3.0])]  # fmt: skip
    for count, is_told in ((60, False), (1, True)):
        table = review(*parts, asked("textile", "10_49", [count, 1, 1, 1], [3.0]),
                       branches=["chimie", *small])  # fmt: skip
        shares = told(table, "unmet_requests_share_pct")
        assert ("chimie", "all") in shares
        assert (("ensemble", "all") in shares) == is_told, count
        assert ("ensemble", "all") in told(table, "requesting_companies_count")


def test_the_median_delay_is_not_one_companys_own() -> None:
    """A company that asks 40 times waits 99 days; eleven others, asking once, wait 5."""
    table = review(
        asked("chimie", "10_49", [40, *[1] * 11], [99.0, *[5.0] * 11]), branches=["chimie"]
    )
    assert told(table, "answer_delay_median_days")["chimie", "under_50"] == 5
    row = table[(table["indicator"] == "answer_delay_median_days")
                & (table["size_band"] == "under_50")].iloc[0]  # fmt: skip
    assert row["denominator_count"] == 12


def test_the_delay_of_one_or_two_companies_is_not_obtained_by_subtraction() -> None:
    """Of the companies from 50, two have an answer: told under 50 and in all, they would show."""
    parts = [asked("chimie", "10_49", [1] * 20, [5.0]), asked("chimie", "50_249", [1] * 6, [9.0])]
    parts[1].loc[2:, "answer_delay_days"] = float("nan")
    assert not told(review(*parts, branches=["chimie"]), "answer_delay_median_days")
    whole = [parts[0], asked("chimie", "50_249", [1] * 10, [9.0])]
    delays = told(review(*whole, branches=["chimie"]), "answer_delay_median_days")
    assert delays["chimie", "50_plus"] == 9


@pytest.mark.parametrize("given", [(700, 4, 9), (4000, 8, 4)], ids=str)
def test_what_is_hidden_or_missing_carries_no_count(given: tuple[int, int, int]) -> None:
    table = reviewed(*given)
    silent = table[table["status"].isin(["s", "nd"])]
    assert len(silent)
    assert silent[["numerator_count", "denominator_count"]].isna().all(axis=None)
