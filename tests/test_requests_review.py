"""The review of requests: what it finds, and what an attacker with arithmetic cannot find in it."""

from datetime import date
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
import w8_prime
from scipy.optimize import linprog

from opmq_lib.errors import CoherenceError
from opmq_lib.methods.requests import (
    counting,
    denominators,
    fictitious,
    measures,
    protection,
)
from opmq_lib.methods.requests import table as topic_table
from opmq_lib.methods.requests.denominators import BANDS, GROUPS
from opmq_lib.sources import embedded

LAST_DAY = date(2026, 11, 24)
TOPICS = ["recrutement", "alternance", "numerique", "ecologie"]
BRANCHES = sorted(embedded.load("branches")["branch_code"])
FIRMS = denominators.firms(embedded.load("branch_headcount"))
KEY = ["branch_code", "size_band", "topic_code", "reason", "indicator"]


@cache
def drawn(count: int, seed: int = 1, branches: int = len(BRANCHES)) -> fictitious.Fictitious:
    return fictitious.generate(count, FIRMS, BRANCHES[:branches], TOPICS, LAST_DAY, seed)


@cache
def reviewed(count: int, seed: int = 1, branches: int = len(BRANCHES)) -> pd.DataFrame:
    register = drawn(count, seed, branches).register
    return measures.review(register, FIRMS, BRANCHES[:branches], LAST_DAY)


def w8_register() -> pd.DataFrame:
    """60 companies under 50, 14 of them unmet, and 52 others, 6 unmet; 9 of the 14 on one topic."""
    rows = []
    for at in range(112):
        small, unmet = at < 60, at < 14 or 60 <= at < 66
        topic = "alternance" if 9 <= at < 14 else "recrutement"
        rows.append(
            {
                "request_code": f"D{at}", "company_code": f"{at:016x}",
                "size_band": "10_49" if small else "50_249", "branch_code": "chimie",
                "requested_on": "2026-03-02", "topic_code": topic,
                "coverage": "not_covered" if unmet else "covered",
                "reason": "delay" if unmet else "", "answer_delay_days": float(at % 20),
                "origin": "own",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def cell(
    table: pd.DataFrame, indicator: str, band: str, topic: str = "all", variant: str = ""
) -> pd.Series:
    chosen = table[
        (table["branch_code"] == "chimie") & (table["indicator"] == indicator)
        & (table["size_band"] == band) & (table["topic_code"] == topic)
        & (table["variant"] == variant) & (table["reason"] == "all")
    ]  # fmt: skip
    return chosen.iloc[0]


def numbers(row: pd.Series) -> list[float]:
    return row[["value", "lower", "upper"]].astype(float).tolist()


def test_w8_goes_through_the_review_rounded() -> None:
    own = pd.DataFrame({"branch_code": "chimie", "size_band": [*BANDS[:4]],
                        "firms_count": [10, 40, 12, 4], "basis": "-"})  # fmt: skip
    firms = denominators.firms(embedded.load("branch_headcount"), own)
    table = measures.review(w8_prime.register(), firms, ["chimie"], LAST_DAY)
    assert numbers(cell(table, "unmet_share_pct", "under_50")) == [60, 35, 81]
    assert numbers(cell(table, "unmet_share_pct", "50_plus")) == [16, 6, 37]
    assert numbers(cell(table, "unmet_share_pct", "all")) == [28, 16, 44]
    means = [cell(table, "unmet_share_pct", band, variant="by_company")["value"]
             for band in ("under_50", "50_plus", "all")]  # fmt: skip
    assert means == [61, 17, 42]
    gap = cell(table, "gap_points", "all", variant="by_company")
    assert (numbers(gap), gap["retained"]) == ([40, 7, 73], "yes")
    assert numbers(cell(table, "gap_points", "all", variant="by_request")) == [39, 11, 71]
    common = [cell(table, "requests_in_strata_share_pct", band)["value"]
              for band in ("under_50", "50_plus")]  # fmt: skip
    assert common == [90, 100]
    counts = [[cell(table, name, band)["value"] for band in ("under_50", "50_plus")]
              for name in ("requests_count", "requests_per_company_ratio")]  # fmt: skip
    assert counts == [[20, 60], [1.4, 6.0]]
    reach = cell(table, "requesting_share_pct", "10_49")
    assert numbers(reach) == pytest.approx([35, 22.134529, 50.494119])
    topics = {row.topic_code: (row.value, row.lower, row.upper, row.numerator_count)
              for row in table[table["indicator"].eq("topic_share_of_unmet_pct")
                               & table["size_band"].eq("all") & table["status"].eq("value")
                               & table["branch_code"].eq("chimie")].itertuples()}  # fmt: skip
    assert topics == {
        "recrutement": (24, 9, 49, 5),
        "alternance": (43, 20, 69, 7),
        topic_table.OTHERS: (33, 14, 61, 6),
    }
    top = cell(table, "topic_top_three_probability_pct", "all", "recrutement")
    assert top["status"] == "nd"


def test_one_company_alone_never_makes_a_number_whatever_it_asks() -> None:
    once = w8_register()
    often = pd.concat([once, *([once.head(1)] * 400)], ignore_index=True)
    often["request_code"] = [f"D{at}" for at in range(len(often))]
    table = measures.review(often, FIRMS, ["chimie"], LAST_DAY)
    shares = table[table["indicator"].eq("unmet_share_pct") & table["size_band"].eq("under_50")]
    assert set(shares["status"]) == {"s"}
    plain = measures.review(once, FIRMS, ["chimie"], LAST_DAY)
    assert cell(plain, "unmet_share_pct", "under_50")["value"] == 23


def test_sizes_unknown_above_a_twentieth_stop_the_comparison() -> None:
    register = w8_prime.register()
    again = pd.concat(
        [register, register.assign(company_code="f" + register["company_code"].str[1:])]
    )
    again["request_code"] = [f"D{at}" for at in range(len(again))]
    unknown = sorted(set(again.loc[again["size_band"] == "10_49", "company_code"]))[1:7]
    again.loc[again["company_code"].isin(unknown), "size_band"] = "unknown"
    table = measures.review(again, FIRMS, ["chimie"], LAST_DAY)
    row = cell(table, "gap_points", "all", variant="by_company")
    assert row["status"] == "nd"


def test_the_sign_of_what_separates_sizes_is_not_that_of_one_request_or_more() -> None:
    """Small companies are less well served; more of the large ones have some request unmet."""
    register = drawn(20_000, 1).register
    table = reviewed(20_000, 1)
    now = counting.period(register, LAST_DAY)
    some = now["coverage"].ne("covered").groupby(now["company_code"]).any()
    small = counting.companies(now)["size_band"].isin(GROUPS["under_50"])
    assert some[small].mean() < some[~small].mean()
    rows = table[table["branch_code"].eq("ensemble") & table["indicator"].eq("gap_points")
                 & table["reason"].eq("all")].set_index("variant")  # fmt: skip
    assert (rows["lower"] > 3).all()
    assert rows.loc["by_company", "retained"] == "yes"


def test_reasons_add_up_to_the_share_and_to_the_gap() -> None:
    table = reviewed(20_000, 1)
    told = table[table["branch_code"].eq("ensemble") & table["status"].eq("value")
                 & table["topic_code"].eq("all")]  # fmt: skip
    for indicator, band, variant in (("unmet_share_pct", "under_50", ""),
                                     ("gap_points", "all", "by_company")):  # fmt: skip
        rows = told[told["indicator"].eq(indicator) & told["size_band"].eq(band)
                    & told["variant"].eq(variant)].set_index("reason")["value"]  # fmt: skip
        assert len(rows) == 7
        assert rows.drop("all").sum() == pytest.approx(rows["all"], abs=3)  # each rounded


def test_branches_without_portrait_have_no_rate_and_others_sum_their_bands() -> None:
    table = FIRMS.pivot(index="branch_code", columns="size_band", values="firms_count")
    assert "ieg" not in table.index
    parts = table[list(BANDS[:4])].sum(axis=1)
    published = (
        embedded.load("branch_headcount").groupby("branch_code")["firms_main_idcc_count"].sum()
    )
    assert np.allclose(parts, table["all"])
    assert np.allclose(parts, published.reindex(parts.index).astype(float), rtol=1e-5)


def test_more_companies_than_the_branch_has_is_refused() -> None:
    register = w8_register().assign(branch_code="panneaux_bois")
    with pytest.raises(CoherenceError, match="panneaux_bois, band 50_249"):
        measures.review(register, FIRMS, ["panneaux_bois"], LAST_DAY)


def test_the_truth_of_a_fictitious_register_lies_in_its_intervals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every cell is looked at, hidden ones too: hiding small counts chooses among the others."""
    monkeypatch.setattr(protection, "LEAST", 0)
    inside: dict[str, list[bool]] = {}
    for seed in (11, 12):
        generated = drawn(20_000, seed)
        table = measures.review(generated.register, FIRMS, BRANCHES, LAST_DAY)
        truth = generated.truth.set_index(["branch_code", "size_band"])
        chosen = table[table["status"].eq("value") & table["size_band"].eq("under_50")]
        for row in chosen[chosen["branch_code"] != "ensemble"].itertuples():
            of_branch = truth.loc[(row.branch_code, "1_9")]
            share = row.indicator in ("unmet_share_pct", "unmet_share_shrunk_pct")
            plain = row.variant == "" and row.reason == "all" and not np.isnan(row.lower)
            if share and row.topic_code == "all" and plain:
                known = 100 * of_branch["unmet_share"]
            elif row.indicator == "topic_share_of_unmet_pct" and row.topic_code in of_branch:
                known = 100 * of_branch[row.topic_code]
            else:
                continue
            inside.setdefault(row.indicator, []).append(row.lower <= known <= row.upper)
    for indicator, found in inside.items():
        assert len(found) >= 50
        assert np.mean(found) >= 0.91, indicator
    assert len(inside) == 3


def test_an_empty_period_gives_states_and_no_number() -> None:
    register = w8_register().assign(requested_on="2020-03-02")
    table = measures.review(register, FIRMS, ["chimie"], LAST_DAY)
    shares = table[table["indicator"] == "unmet_share_pct"]
    assert set(shares["status"]) <= {"np", "s"}


# Confidentiality


def counts_of(register: pd.DataFrame) -> dict[tuple[str, str, str, str], int]:
    """Return true requesting and concerned companies of every branch, topic and elementary band."""
    requests = counting.period(register, LAST_DAY)
    table = requests.assign(
        size_band=requests["company_code"].map(counting.companies(requests)["size_band"])
    )
    found: dict[tuple[str, str, str, str], int] = {}
    for kind, rows in (("requesting", table), ("concerned", table[table["coverage"] != "covered"])):
        for topic, part in (("all", rows), *rows.groupby("topic_code")):
            counted = part.groupby(["branch_code", "size_band"])["company_code"].nunique()
            found |= {(kind, branch, topic, band): int(n) for (branch, band), n in counted.items()}
    return found


def published_counts(table: pd.DataFrame) -> dict[tuple[str, str, str, str], float]:
    """Return every count of companies that a reader finds, also as numerator or denominator."""
    found = {}
    told = table[(table["status"] == "value") & ~table["variant"].eq("year_before")]
    for row in told.itertuples():
        place = (row.branch_code, row.topic_code, row.size_band)
        if row.indicator == "requesting_companies_count":
            found["requesting", *place] = row.value
        if row.indicator == "unmet_share_pct" and not pd.isna(row.denominator_count):
            found["requesting", *place] = row.denominator_count
        if row.indicator == "topic_share_of_unmet_pct":
            found["concerned", *place] = row.numerator_count
    return found


def elementary(place: tuple[str, str, str, str], branches: list[str]) -> list[tuple[str, ...]]:
    what, branch, _, band = place
    inside = branches if branch == "ensemble" else [branch]
    return list(product([what], inside, GROUPS.get(band, (band,))))


REGISTERS = [(300, 3, 6), (700, 4, 9), (1500, 5, 34), (6000, 6, 34), (120, 7, 3), (4000, 8, 4)]


@pytest.mark.parametrize("given", REGISTERS, ids=str)
def test_no_published_count_nor_difference_of_two_nested_counts_is_one_or_two(
    given: tuple[int, int, int],
) -> None:
    table = reviewed(*given)
    published = published_counts(table)
    branches = BRANCHES[: given[2]]
    sets = {place: frozenset(elementary(place, branches)) for place in published
            if place[2] != topic_table.OTHERS}  # fmt: skip
    for place, value in published.items():
        assert value == 0 or value >= 3, place
    for first, second in product(sets, sets):
        alike = first[2] == second[2] and first[0] == second[0]
        if first != second and alike and sets[first] <= sets[second]:
            assert published[second] - published[first] not in (1, 2), (first, second)


@pytest.mark.parametrize("given", REGISTERS, ids=str)
def test_an_attacker_with_arithmetic_pins_no_small_count(given: tuple[int, int, int]) -> None:
    """Solve, for each hidden cell of one or two companies, the least and most that it can be."""
    table, branches = reviewed(*given), BRANCHES[: given[2]]
    true, published = counts_of(drawn(*given).register), published_counts(table)
    attacked = 0
    for topic in ("all", *TOPICS):
        unknowns = list(product(("requesting", "concerned"), branches, BANDS))
        place_of = {each: at for at, each in enumerate(unknowns)}
        equations, totals = [], []
        for place, value in published.items():
            if place[2] == topic:
                line = np.zeros(len(unknowns))
                line[[place_of[each] for each in elementary(place, branches)]] = 1
                equations.append(line)
                totals.append(value)
        small = []
        for kind, branch, band in unknowns:
            if true.get((kind, branch, topic, band), 0) in (1, 2):
                small.append(place_of[kind, branch, band])
        for target in small[:12]:
            ends = []
            for sign in (1, -1):
                aim = np.zeros(len(unknowns))
                aim[target] = sign
                solved = linprog(
                    aim, A_eq=np.array(equations) if equations else None,
                    b_eq=totals if equations else None, bounds=(0, 1e4), method="highs",
                )  # fmt: skip
                assert solved.status == 0
                ends.append(sign * solved.fun)
            attacked += 1
            assert ends[1] - ends[0] > 2.5, (topic, unknowns[target], ends)
    assert attacked


def test_the_attacker_succeeds_when_nothing_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "LEAST", 0)
    table = measures.review(drawn(300, 3, 6).register, FIRMS, BRANCHES[:6], LAST_DAY)
    assert set(published_counts(table).values()) & {1.0, 2.0}


def blocks_of(given: tuple[int, int, int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return published requests by topic and reason, and the requests themselves."""
    requests = counting.period(drawn(*given).register, LAST_DAY)
    bands = requests["company_code"].map(counting.companies(requests)["size_band"])
    return reviewed(*given), requests.assign(
        size_band=bands, uncovered=requests["coverage"].ne("covered")
    )


def is_safe(requests: pd.DataFrame) -> bool:
    """Return whether requests, those covered and those not are each from nobody or from three."""
    for part in (requests, requests[requests["uncovered"]], requests[~requests["uncovered"]]):
        by_company = part.groupby("company_code").size()
        if len(by_company) and (len(by_company) < 3 or by_company.max() > 0.85 * len(part) + 1e-9):
            return False
    return True


@pytest.mark.parametrize("given", REGISTERS, ids=str)
def test_what_is_published_and_what_subtraction_leaves_is_from_three_companies(
    given: tuple[int, int, int],
) -> None:
    """Requests of every number shown, of all sizes less under 50, and of the topics left over."""
    table, requests = blocks_of(given)
    told = table[table["indicator"].eq("unmet_share_pct") & table["status"].isin(["value", "nd"])
                 & table["variant"].eq("") & table["reason"].eq("all")]  # fmt: skip
    checked = 0
    for branch, own in told.groupby("branch_code"):
        of_branch = (
            requests if branch == "ensemble" else requests[requests["branch_code"] == branch]
        )
        for band, rows in own.groupby("size_band"):
            inside = of_branch[of_branch["size_band"].isin(GROUPS.get(band, (band,)))]
            named = [topic for topic in rows["topic_code"] if topic in TOPICS]
            if "all" in set(rows["topic_code"]):
                assert is_safe(inside), (branch, band)
                assert is_safe(inside[~inside["topic_code"].isin(named)]), (branch, band)
            for topic in named:
                assert is_safe(inside[inside["topic_code"] == topic]), (branch, band, topic)
                checked += 1
        shown = {(row.size_band, row.topic_code) for row in own.itertuples()}
        for topic in ("all", *TOPICS):
            if {("under_50", topic), ("all", topic)} <= shown:
                rest = of_branch[~of_branch["size_band"].isin(GROUPS["under_50"])]
                rest = rest if topic == "all" else rest[rest["topic_code"] == topic]
                assert is_safe(rest), (branch, topic)
    assert checked or given[0] <= 300


@pytest.mark.parametrize("given", REGISTERS, ids=str)
def test_reasons_shown_are_from_three_companies(given: tuple[int, int, int]) -> None:
    table, requests = blocks_of(given)
    told = table[table["indicator"].eq("unmet_share_pct") & table["status"].eq("value")
                 & ~table["reason"].isin(["all", "other"])]  # fmt: skip
    for row in told.itertuples():
        inside = requests[requests["size_band"].isin(GROUPS[row.size_band])
                          & requests["reason"].eq(row.reason)]  # fmt: skip
        if row.branch_code != "ensemble":
            inside = inside[inside["branch_code"] == row.branch_code]
        assert is_safe(inside), row


def test_requests_are_only_known_to_the_nearest_ten_and_shares_in_whole_percent() -> None:
    for given in REGISTERS:
        told = reviewed(*given)
        told = told[told["status"] == "value"]
        requests = told[told["indicator"] == "requests_count"]
        assert (requests["value"] % 10 == 0).all()
        counts = told["indicator"].isin(["requesting_companies_count", "answer_delay_median_days",
                                         "requesting_share_pct", "requests_per_company_ratio",
                                         "signals_by_chance_count"])  # fmt: skip
        for column in ("value", "lower", "upper"):
            values = told.loc[~counts, column].dropna()
            assert (values == values.round()).all(), column
        assert told.loc[told["indicator"].isin(["requests_count", "requests_per_1000_firms"]),
                        "numerator_count"].isna().all()  # fmt: skip


def test_free_text_and_pseudonyms_never_reach_the_review() -> None:
    register = w8_register().assign(request_note="phrase très reconnaissable")
    text = measures.review(register, FIRMS, ["chimie"], LAST_DAY).to_csv()
    assert "reconnaissable" not in text
    assert register["company_code"][1] not in text


def test_everything_from_a_fictitious_register_says_so() -> None:
    assert set(reviewed(700, 4, 9)["origin"]) == {"fictitious"}


def test_only_the_order_of_rows_changes_nothing() -> None:
    register = drawn(700, 4, 9).register
    shuffled = register.sample(frac=1, random_state=2)
    again = measures.review(shuffled, FIRMS, BRANCHES[:9], LAST_DAY)
    pd.testing.assert_frame_equal(again, reviewed(700, 4, 9))
