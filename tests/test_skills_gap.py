"""Needed against available people (S1)."""

import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opmq_lib.errors import RangeError
from opmq_lib.methods.skills import gap, profiles

REPLICATIONS = 150 if os.environ.get("OPMQ_TEST_FULL") == "1" else 50
KEY = {"branch_code": "chimie", "metier_code": "D1Z40", "skill_code": "100007", "origin": "own"}


def side(people, column, **support):
    return pd.DataFrame(
        [
            KEY | {"skill_level": level, column: count, "respondents_count": 12} | support
            for level, count in enumerate(people, start=1)
        ]
    )


def needs(people=(10, 20, 30, 15), **support):
    return side(people, "needed_headcount", **support)


def supply(people=(25, 20, 10, 5), **support):
    return side(people, "available_headcount", **({"coverage_pct": 100.0} | support))


def test_the_worked_example_holds_to_six_digits():
    found = gap.skills_gap(needs(), supply(), {}).iloc[0]
    assert found["needed"] == 50.0
    assert found["available"] == 28.75
    assert found["gap"] == pytest.approx(0.269841, abs=5e-7)
    assert found["unweighted_gap"] == pytest.approx(0.111111, abs=5e-7)
    assert found["lower"] == found["gap"] == found["upper"]


def test_a_skill_whose_supply_nobody_observed_is_nd_never_zero():
    found = gap.skills_gap(needs(), supply().head(0), {}).iloc[0]
    assert found["status"] == "nd"
    assert pd.isna(found["gap"])


def test_nobody_needed_nor_available_does_not_apply():
    found = gap.skills_gap(needs((0, 0, 0, 0)), supply((0, 0, 0, 0)), {}).iloc[0]
    assert found["status"] == "np"


def test_too_few_companies_support_no_gap():
    found = gap.skills_gap(needs(), supply(respondents_count=4), {}).iloc[0]
    assert (found["status"], found["respondents_count"]) == ("nd", 4)


def test_a_source_that_saw_few_people_gives_a_wider_interval():
    widths = [
        (found := gap.skills_gap(needs(), supply(coverage_pct=share), {}).iloc[0])["upper"]
        - found["lower"]
        for share in (80.0, 20.0)
    ]
    assert 0 < widths[0] < widths[1]


def test_the_interval_covers_the_truth_as_often_as_it_says():
    draw = np.random.default_rng(1)
    truth, share, hits = np.array([250, 200, 100, 50]), 0.2, 0
    true_gap = gap.relative_gap(300.0, float(gap.weighted_people(truth)))
    wanted = needs((0, 0, 0, 300))
    for _ in range(REPLICATIONS):
        seen = supply(draw.binomial(truth, share) / share, coverage_pct=100 * share)
        found = gap.skills_gap(wanted, seen, {}).iloc[0]
        hits += found["lower"] <= true_gap <= found["upper"]
    assert 0.7 <= hits / REPLICATIONS <= 0.9


def test_every_bad_cell_is_told_without_its_value():
    bad = needs((-1, 20, -3, 15))
    with pytest.raises(RangeError) as caught:
        gap.skills_gap(bad, supply(), {})
    assert len(caught.value.defects) == 2
    assert "-3" not in str(caught.value)
    with pytest.raises(RangeError, match="coverage"):
        gap.skills_gap(needs(), supply(coverage_pct=0.0), {})


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_gap_lies_between_minus_one_and_one_and_changes_sign_with_its_sides(needed, available):
    found = gap.relative_gap(needed, available)
    if needed + available == 0:
        assert np.isnan(found)
    else:
        assert -1 <= found <= 1
        assert found == -gap.relative_gap(available, needed)


def test_draws_by_metier_widen_the_intervals_of_that_metier_alone():
    widths = {}
    for metier in ("D1Z40", "other"):
        factors = {metier: np.array([0.5, 1.0, 1.5])}
        found = gap.skills_gap(needs(), supply(), factors).iloc[0]
        widths[metier] = found["upper"] - found["lower"]
    assert widths["D1Z40"] > widths["other"] == 0


def test_posts_shared_between_rome_add_up_to_those_of_metiers_with_hires():
    posts = pd.DataFrame(
        {"metier_code": ["A", "B"], "posts_to_fill_headcount": [10.0, -4.0],
         "lower": [2.0, -9.0], "upper": [20.0, 1.0]}
    )  # fmt: skip
    links = pd.DataFrame(
        {"metier_code": ["A", "A", "B", "B"], "rome_code": ["H1", "H2", "H2", "H3"],
         "weight": [10.0, 10.0, 30.0, 0.0]}
    )  # fmt: skip
    found = profiles.posts_by_rome(posts, links).set_index("rome_code")
    assert found["posts_to_fill_headcount"].to_dict() == {"H1": 5.0, "H2": 1.0}
    assert found["lower"].sum() == -7.0


def test_a_metier_without_posts_above_zero_has_no_draws():
    posts = pd.DataFrame(
        {"metier_code": ["A"], "posts_to_fill_headcount": [-1.0], "lower": [-2.0], "upper": [3.0]}
    )
    assert gap.need_factors(posts) == {}
