"""One company that makes nearly all of a number, and what a reader obtains by subtraction."""

from datetime import date

import pandas as pd
import pytest
from test_requests_review import BRANCHES, FIRMS, reviewed

from opmq_lib.methods.requests import measures

LAST_DAY = date(2026, 11, 24)
RATES = ("requests_per_1000_firms", "requests_count", "unmet_share_pct")


def asked(branch: str, band: str, requests: list[int], delays: list[float]) -> pd.DataFrame:
    """Return the requests of some companies, as many each as said, all answered in as many days."""
    rows = [
        {"company_code": f"{BRANCHES.index(branch):06x}{band:_>5.5}{at:05x}", "size_band": band,
         "branch_code": branch, "answer_delay_days": delays[at % len(delays)]}
        for at, count in enumerate(requests) for _ in range(count)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def review(*parts: pd.DataFrame, branches: list[str]) -> pd.DataFrame:
    """Return the review of requests of which every other one of each company is not covered."""
    frame = pd.concat(parts, ignore_index=True)
    turn = frame.groupby("company_code").cumcount() + frame.groupby("company_code").ngroup()
    frame = frame.assign(
        request_code=[f"D{at}" for at in range(len(frame))],
        requested_on="2026-03-02", topic_code="recrutement", origin="own",
        coverage=(turn % 2).map({0: "not_covered", 1: "covered"}),
        reason=(turn % 2).map({0: "delay", 1: ""}),
    )  # fmt: skip
    return measures.review(frame, FIRMS, branches, LAST_DAY)


def told(table: pd.DataFrame, indicator: str) -> dict[tuple[str, str], float]:
    chosen = table[(table["indicator"] == indicator) & (table["status"] == "value")
                   & table["variant"].eq("") & table["reason"].eq("all")]  # fmt: skip
    return {(row.branch_code, row.size_band): row.value for row in chosen.itertuples()}


def test_a_dominated_band_is_not_given_away_by_the_others() -> None:
    """One of six companies from 50 asks 36 times: 61 in all, 20 under 50, the rest is its own."""
    table = review(
        asked("chimie", "10_49", [1] * 20, [3.0]),
        asked("chimie", "50_249", [36, 1, 1, 1, 1, 1], [3.0]),
        branches=["chimie"],
    )
    for indicator in RATES:
        assert {band for _, band in told(table, indicator)} == {"under_50"}, indicator
    hidden = table[table["indicator"].isin(RATES) & table["size_band"].ne("under_50")]
    assert hidden[["numerator_count", "denominator_count"]].isna().all(axis=None)


def test_a_dominated_branch_is_not_given_away_by_the_total() -> None:
    parts = [asked("chimie", "10_49", [61, 1, 1, 1, 1, 1, 1], [3.0])]
    others = ["plasturgie", "textile"]
    parts += [asked(each, "10_49", [1] * 8, [3.0]) for each in others]
    table = review(*parts, branches=["chimie", *others])
    shares = told(table, "unmet_share_pct")
    assert {branch for branch, _ in shares} == set(others)
    plain = review(asked("chimie", "10_49", [1] * 7, [3.0]), *parts[1:],
                   branches=["chimie", *others])  # fmt: skip
    assert ("ensemble", "all") in told(plain, "unmet_share_pct")


def test_what_small_branches_leave_hidden_is_not_one_companys() -> None:
    """Two branches of four companies are hidden; one of the eight asks 60 times."""
    small = ["plasturgie", "textile"]
    parts = [asked("chimie", "10_49", [1] * 12, [3.0]),
             asked("plasturgie", "10_49", [1] * 4, [3.0])]  # fmt: skip
    for count, is_told in ((60, False), (1, True)):
        table = review(*parts, asked("textile", "10_49", [count, 1, 1, 1], [3.0]),
                       branches=["chimie", *small])  # fmt: skip
        shares = told(table, "unmet_share_pct")
        assert ("chimie", "all") in shares
        assert (("ensemble", "all") in shares) == is_told, count


def test_the_median_delay_is_not_one_companys_own() -> None:
    """A company that asks 40 times waits 99 days; eleven others, asking once, wait 5."""
    table = review(
        asked("chimie", "10_49", [40, *[2] * 11], [99.0, *[5.0] * 11]), branches=["chimie"]
    )
    assert told(table, "answer_delay_median_days")["chimie", "under_50"] == 5


def test_the_delay_of_a_few_companies_is_not_told() -> None:
    parts = [asked("chimie", "10_49", [1] * 20, [5.0]), asked("chimie", "50_249", [1] * 6, [9.0])]
    assert ("chimie", "50_plus") not in told(review(*parts, branches=["chimie"]),
                                             "answer_delay_median_days")  # fmt: skip
    whole = [parts[0], asked("chimie", "50_249", [1] * 10, [9.0])]
    delays = told(review(*whole, branches=["chimie"]), "answer_delay_median_days")
    assert delays["chimie", "50_plus"] == 9


@pytest.mark.parametrize("given", [(700, 4, 9), (4000, 8, 4)], ids=str)
def test_what_is_hidden_or_missing_carries_no_count(given: tuple[int, int, int]) -> None:
    table = reviewed(*given)
    silent = table[table["status"].isin(["s", "nd"])]
    assert len(silent)
    assert silent[["numerator_count", "denominator_count"]].isna().all(axis=None)
