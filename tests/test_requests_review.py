"""The review of requests: what it finds, and what an attacker with arithmetic cannot find in it."""

from datetime import date
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from opmq_lib.errors import CoherenceError
from opmq_lib.methods.requests import counting, denominators, fictitious, measures, protection
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
        & (table["variant"] == variant)
    ]  # fmt: skip
    return chosen.iloc[0]


def test_w8_goes_through_the_review() -> None:
    own = pd.DataFrame({"branch_code": "chimie", "size_band": [*BANDS[:4]],
                        "firms_count": [1000, 450, 300, 100], "basis": "-"})  # fmt: skip
    firms = denominators.firms(embedded.load("branch_headcount"), own)
    table = measures.review(w8_register(), firms, ["chimie"], LAST_DAY)
    share = cell(table, "unmet_share_pct", "under_50")
    ends = share[["value", "lower", "upper"]].astype(float).round(4).tolist()
    assert ends == [23.3333, 14.4396, 35.4363]
    assert (share["numerator_count"], share["denominator_count"]) == (14, 60)
    gap = cell(table, "gap_unmet_share_points", "all")
    assert gap[["value", "lower", "upper"]].astype(float).round(4).tolist() == [
        11.7949, -2.6902, 25.3669,
    ]  # fmt: skip
    assert float(cell(table, "gap_p_value", "all", variant="boschloo")["value"]) == pytest.approx(
        0.120498, abs=1e-5
    )
    assert float(cell(table, "gap_p_value", "all", variant="fisher")["value"]) == pytest.approx(
        0.138847, abs=5e-7
    )
    rate = cell(table, "requests_per_1000_firms", "under_50")
    assert rate[["value", "lower", "upper"]].astype(float).round(6).tolist() == [
        41.37931, 31.576773, 53.263375,
    ]  # fmt: skip
    topic = cell(table, "topic_share_of_unmet_pct", "under_50", "recrutement")
    assert float(topic["value"]) == pytest.approx(64.2857, abs=1e-4)


def test_a_company_that_asks_ten_times_counts_once() -> None:
    once = w8_register()
    often = pd.concat([once, *([once.head(1)] * 9)], ignore_index=True)
    often["request_code"] = [f"D{at}" for at in range(len(often))]
    shares = [
        cell(measures.review(each, FIRMS, ["chimie"], LAST_DAY), "unmet_share_pct", "under_50")
        for each in (once, often)
    ]
    assert shares[0]["value"] == shares[1]["value"]
    assert counting.count(often).cells["requests"].sum() == 2 * 121


def test_sizes_unknown_above_a_twentieth_stop_the_comparison() -> None:
    register = w8_register()
    register.loc[50:58, "size_band"] = "unknown"
    table = measures.review(register, FIRMS, ["chimie"], LAST_DAY)
    assert cell(table, "gap_unmet_share_points", "all")["status"] == "nd"


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
            if share and row.topic_code == "all":
                known = 100 * of_branch["unmet_share"]
            elif row.indicator == "topic_share_of_unmet_pct":
                known = 100 * of_branch[row.topic_code]
            else:
                continue
            inside.setdefault(row.indicator, []).append(row.lower <= known <= row.upper)
    for indicator, found in inside.items():
        assert len(found) >= 60
        assert np.mean(found) >= 0.91, indicator
    assert len(inside) == 3


def test_an_empty_period_gives_states_and_no_number() -> None:
    register = w8_register().assign(requested_on="2020-03-02")
    table = measures.review(register, FIRMS, ["chimie"], LAST_DAY)
    shares = table[table["indicator"] == "unmet_share_pct"]
    assert set(shares["status"]) <= {"np", "s"}


# Confidentiality


def counts_of(register: pd.DataFrame) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Return true requesting and unmet companies of every branch, topic and elementary band."""
    cells = counting.count(counting.period(register, LAST_DAY)).cells
    return {
        (row.branch_code, row.topic_code, row.size_band): (row.requesting, row.unmet)
        for row in cells.itertuples()
    }


def published_counts(table: pd.DataFrame) -> dict[tuple[str, str, str, str], float]:
    """Return every count of companies that a reader finds, also as numerator or denominator."""
    found = {}
    told = table[table["status"] == "value"]
    for row in told.itertuples():
        place = (row.branch_code, row.topic_code, row.size_band)
        if row.indicator == "requesting_companies_count":
            found["requesting", *place] = row.value
        if row.indicator == "unmet_companies_count":
            found["unmet", *place] = row.value
        if row.indicator == "unmet_share_pct":
            found["unmet", *place] = row.numerator_count
            found["requesting", *place] = row.denominator_count
    return found


def elementary(place: tuple[str, str, str, str], branches: list[str]) -> list[tuple[str, ...]]:
    what, branch, _, band = place
    kinds = ("unmet",) if what == "unmet" else ("unmet", "covered")
    bands = GROUPS.get(band, (band,))
    inside = branches if branch == "ensemble" else [branch]
    return list(product(kinds, inside, bands))


REGISTERS = [(300, 3, 6), (700, 4, 9), (1500, 5, 34), (6000, 6, 34), (120, 7, 3), (4000, 8, 4)]


@pytest.mark.parametrize("given", REGISTERS, ids=str)
def test_no_published_count_nor_difference_of_two_nested_counts_is_one_or_two(
    given: tuple[int, int, int],
) -> None:
    table = reviewed(*given)
    published = published_counts(table)
    branches = BRANCHES[: given[2]]
    sets = {place: frozenset(elementary(place, branches)) for place in published
            if place[2] != measures.OTHERS}  # fmt: skip
    for place, value in published.items():
        assert value == 0 or value >= 3, place
    for first, second in product(sets, sets):
        same_topic = first[2] == second[2] or second[2] == "all"
        requests_only = first[0] == second[0] or second[0] == "requesting"
        if first != second and same_topic and requests_only and sets[first] <= sets[second]:
            assert published[second] - published[first] not in (1, 2), (first, second)


@pytest.mark.parametrize("given", REGISTERS, ids=str)
def test_an_attacker_with_arithmetic_pins_no_small_count(given: tuple[int, int, int]) -> None:
    """Solve, for each hidden cell of one or two companies, the least and most that it can be."""
    table, branches = reviewed(*given), BRANCHES[: given[2]]
    true, published = counts_of(drawn(*given).register), published_counts(table)
    attacked = 0
    for topic in ("all", *TOPICS):
        unknowns = list(product(("unmet", "covered"), branches, BANDS))
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
            asked, unmet = true.get((branch, topic, band), (0, 0))
            value = unmet if kind == "unmet" else asked - unmet
            if value in (1, 2):
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


def test_reasons_and_repeats_show_no_small_count() -> None:
    for given in REGISTERS:
        table = reviewed(*given)
        for indicator in ("reason_share_pct", "repeat_share_pct", "companies_ever_share_pct"):
            told = table[(table["indicator"] == indicator) & (table["status"] == "value")]
            assert not told["numerator_count"].isin([1, 2]).any(), indicator
        reasons = table[(table["indicator"] == "reason_share_pct") & (table["status"] == "value")]
        wide = reasons.pivot(index=["branch_code", "reason"], columns="size_band",
                             values="numerator_count")  # fmt: skip
        wide = wide.reindex(columns=["under_50", "all"]).dropna()
        assert not (wide["all"] - wide["under_50"]).isin([1, 2]).any()


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
