import os
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from opmq_lib.errors import ScopeError
from opmq_lib.methods import core, criteria
from opmq_lib.params import NOT_VOTED
from opmq_lib.questions import country, shared
from opmq_lib.questions.coeurs_strategiques import chain
from opmq_lib.sources import study

FULL = os.environ.get("OPMQ_TEST_FULL") == "1"
EDITION = study.edition()
ASKED = study.criteria("chimie")
QUESTIONS, GATES = chain.questions(ASKED), chain.gates(ASKED)
NO_GATE = GATES.iloc[:0]
FEW = settings(max_examples=100 if FULL else 15, deadline=None)
SCORES = st.lists(
    st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=3, max_size=8, unique_by=tuple
)


@pytest.fixture(scope="module")
def inputs() -> dict[str, pd.DataFrame]:
    return study.load_inputs()


@pytest.fixture(scope="module")
def known(inputs: dict) -> dict[str, chain.Known]:
    return {code: chain.known(inputs, code, EDITION) for code in ("chimie", "petrole", "ceramique")}


def question(count: int = 3, cutoff: float = 0.6, **columns: object) -> pd.DataFrame:
    asked = {
        "question_code": "core",
        "criterion_code": [f"c{number}" for number in range(count)],
        "unit": "-",
        "low": 0.0,
        "high": 1.0,
        "scale": "linear",
        "direction": "higher",
        "weight": 1 / count,
        "cutoff_score": cutoff,
        "concentration": float(count),
    }
    return pd.DataFrame(asked | columns)


def gates(*lines: tuple[int, int, str, float]) -> pd.DataFrame:
    table = pd.DataFrame(lines, columns=["gate", "way", "criterion_code", "least"])
    return table.assign(question_code="core")


def facts(table: dict[str, list[float]], **columns: object) -> pd.DataFrame:
    rows = [
        {"metier_code": code, "criterion_code": f"c{number}", "value": value}
        for code, row in table.items()
        for number, value in enumerate(row)
    ]
    frame = pd.DataFrame(rows).assign(
        year=2019, nature="observed", origin="public", status="value", reliability_grade=""
    )
    frame = frame.assign(lower=frame["value"], upper=frame["value"])
    return frame.assign(**columns)


def labelled(
    frame: pd.DataFrame,
    asked: pd.DataFrame,
    required: pd.DataFrame = NO_GATE,
    drawn: core.Drawn | None = None,
) -> pd.DataFrame:
    return core.labels(asked, required, frame, drawn or {}).set_index("metier_code")


def lognormal(table: pd.DataFrame, code: str, sd: float) -> core.Drawn:
    values = table[table["criterion_code"] == code].set_index("metier_code")[["value"]]
    normal = norm.ppf((np.arange(core.DRAWS) + 0.5) / core.DRAWS)
    return {code: pd.DataFrame(values.to_numpy() * np.exp(sd * normal), values.index)}


# --- by hand ----------------------------------------------------------------------------------


def test_share_of_weights_that_accept_is_that_of_the_beta_law() -> None:
    """0.9 w + 0.3 (1 - w) ≥ 0.5 where w ≥ 1/3; two weights of 6 each: 11 trials, 6 or more."""
    found = labelled(facts({"A": [0.9, 0.3]}), question(2, 0.5, concentration=12.0))
    below = sum(comb(11, j) * (1 / 3) ** j * (2 / 3) ** (11 - j) for j in range(6, 12))
    assert found.loc["A", "acceptability_pct"] == pytest.approx(100 * (1 - below), abs=0.5)
    assert found.loc["A", "uniform_acceptability_pct"] == pytest.approx(200 / 3, abs=0.5)
    assert found.loc["A", "label"] == "depends_on_weights"
    assert found.loc["A", "data_variance_share_pct"] == 0
    assert found.loc["A", "flip_weight"] == pytest.approx(1 / 3)


def test_three_weights_accept_as_often_as_the_area_says() -> None:
    """Uniform weights: the area where 0.9, 0.3 and 0.4 make 0.6 is 0.3² / (0.6 × 0.5)."""
    found = labelled(facts({"A": [0.9, 0.3, 0.4], "C": [0.75, 0.8, 0.65]}), question())
    assert found.loc["A", "acceptability_pct"] == pytest.approx(30, abs=1)
    assert found["label"].to_dict() == {"A": "depends_on_weights", "C": "in_list"}


def test_share_of_data_that_accept_is_that_of_the_lognormal_law() -> None:
    """A gate at 1 for a median of 1.4 known to exp(0.5): passed unless z < -ln 1.4 / 0.5."""
    frame = facts({"A": [1.4]}, nature="estimate")
    asked = question(1, 0.5, low=0.0, high=1.0)
    found = labelled(frame, asked, gates((1, 1, "c0", 1.0)), lognormal(frame, "c0", 0.5)).loc["A"]
    passed = norm.cdf(np.log(1.4) / 0.5)
    assert found["acceptability_pct"] == pytest.approx(100 * passed, abs=0.25)
    assert found["missed_gate_pct"] == pytest.approx(100 - 100 * passed, abs=0.25)
    assert found[["label", "missed_gate", "data_variance_share_pct"]].tolist() == [
        "depends_on_estimate",
        1,
        100,
    ]


def test_doubt_is_shared_between_data_and_weights_as_their_variances() -> None:
    """Accepted for half of the data, and there for a third of the weights: 1/36 and 1/18."""
    normal = norm.ppf((np.arange(core.DRAWS) + 0.5) / core.DRAWS)
    frame = facts({"A": [2 / 3, 0.0]})
    drawn = {"c0": pd.DataFrame(np.where(normal < 0, 0.0, 0.75)[None], ["A"])}
    found = labelled(frame, question(2, 0.5), drawn=drawn).loc["A"]
    assert found["acceptability_pct"] == pytest.approx(100 / 6, abs=0.3)
    by_data, by_weights = (1 / 3 / 2) ** 2, (1 / 3) * (2 / 3) / 4
    expected = 100 * by_data / (by_data + by_weights)
    assert found["data_variance_share_pct"] == pytest.approx(expected, abs=1)
    assert found["label"] == "depends_on_weights"


def test_a_gate_is_passed_by_all_the_lines_of_one_way() -> None:
    required = gates((1, 1, "c0", 1.0), (1, 2, "c0", 0.5), (1, 2, "c1", 2.0), (2, 1, "c2", 5.0))
    frame = facts(
        {"A": [1.0, 0, 5], "B": [0.5, 2, 5], "C": [0.5, 1.9, 5], "D": [0.4, 9, 5], "E": [1, 2, 4]}
    )
    found = labelled(frame, question(3, 0.1), required)
    assert found.index[found["label"] == "in_list"].tolist() == ["A", "B"]
    assert found["missed_gate"].dropna().to_dict() == {"C": 1, "D": 1, "E": 2}


def test_a_score_goes_down_when_the_direction_is_lower() -> None:
    down = question(3, 0.6, direction="lower")
    found = labelled(facts({"A": [0.1, 0.2, 0.1], "B": [0.9, 0.9, 0.9]}), down)
    assert found["label"].to_dict() == {"A": "in_list", "B": "out"}
    assert found.loc["A", "score"] == pytest.approx(1 - 0.4 / 3)


def test_the_employment_that_enters_is_that_of_the_gate() -> None:
    """200 of 10,000 for 2 %: 1 % needs 100, a quotient of 1.5 where 2 % is 2.5 needs 120."""
    looked_at = pd.DataFrame({"metier_code": ["A"], "employment_headcount": 200.0}).assign(
        employment_share_pct=2.0, location_quotient=2.5, level_log_sd=0.0
    )
    values = {"employment_share": 2.0, "location_quotient": 2.5}
    frame = facts({"A": list(values.values())}).assign(criterion_code=list(values))
    asked = question(2, 0.01, criterion_code=list(values))
    required = gates((1, 1, "employment_share", 1.0), (2, 1, "location_quotient", 1.5))
    found = chain.labels(asked, required, chain.Known(looked_at, frame, {}))
    assert found["entry_headcount"].item() == pytest.approx(120, rel=0.03)


# --- invariances ------------------------------------------------------------------------------


def as_table(rows: list[list[float]]) -> dict[str, list[float]]:
    return {f"M{number}": row for number, row in enumerate(rows)}


@FEW
@given(SCORES)
def test_adding_a_metier_changes_nothing_of_the_others(rows: list[list[float]]) -> None:
    frame, asked = facts(as_table(rows)), question(4)
    drawn = lognormal(frame, "c0", 0.3)
    whole = labelled(frame, asked, drawn=drawn)
    fewer = labelled(frame[frame["metier_code"] != "M1"], asked, drawn=drawn)
    pd.testing.assert_frame_equal(whole.drop("M1"), fewer)


@FEW
@given(SCORES, st.randoms(use_true_random=False))
def test_order_of_metiers_and_criteria_changes_nothing(rows: list, shuffle: object) -> None:
    frame, asked = facts(as_table(rows)), question(4)
    before = labelled(frame, asked)
    mixed, places = list(range(4)), list(range(len(frame)))
    shuffle.shuffle(mixed)
    shuffle.shuffle(places)
    after = labelled(frame.iloc[places], asked.iloc[mixed])
    pd.testing.assert_frame_equal(before, after.loc[before.index])


@FEW
@given(SCORES, st.floats(0.001, 1000), st.floats(0.1, 50))
def test_unit_of_a_criterion_changes_no_score(rows: list, factor: float, shift: float) -> None:
    asked = question(4)
    before = labelled(facts(as_table(rows)), asked)
    moved = [[row[0] * factor + shift, *row[1:]] for row in rows]
    other = asked.assign(low=[shift, 0, 0, 0], high=[factor + shift, 1, 1, 1])
    after = labelled(facts(as_table(moved)), other)
    assert np.allclose(before["score"], after["score"])


def test_a_criterion_split_in_two_halves_changes_no_acceptability() -> None:
    rows = np.random.default_rng(5).random((60, 3)).tolist()
    whole = question(3, 0.5, weight=[0.5, 0.25, 0.25], concentration=12.0)
    halved = whole.assign(weight=[0.25, 0.25, 0.25])
    split = pd.concat([halved, halved.head(1).assign(criterion_code="c0b")])
    table = facts(as_table(rows))
    twin = table[table["criterion_code"] == "c0"].assign(criterion_code="c0b")
    before, after = labelled(table, whole), labelled(pd.concat([table, twin]), split)
    gap = (before["acceptability_pct"] - after["acceptability_pct"]).abs()
    assert gap.max() <= 3


def test_weights_follow_the_dirichlet_law() -> None:
    """Mean and variance of a weight: w and w (1 - w) / (concentration + 1)."""
    weights = core.draw_weights(12 * np.array([0.5, 0.25, 0.25]), core.WEIGHT_DRAWS)
    assert weights.mean(axis=0) == pytest.approx([0.5, 0.25, 0.25], abs=0.002)
    assert weights.var(axis=0) == pytest.approx(np.array([0.25, 0.1875, 0.1875]) / 13, rel=0.05)
    assert weights.sum(axis=1) == pytest.approx(1)


# --- what a label never is --------------------------------------------------------------------


def test_an_interval_too_wide_puts_no_metier_on_a_list() -> None:
    wide, fine = (
        facts({"A": [0.9]}, nature="estimate", lower=0.25, upper=end) for end in (1.51, 1.5)
    )
    found = [labelled(frame, question(1)).loc["A", "label"] for frame in (wide, fine)]
    assert found == ["depends_on_estimate", "in_list"]


def test_fixed_weights_decide_nothing(known: dict) -> None:
    alone = core.reweighted(QUESTIONS, {"location_quotient": 0, "departure_rank": 0})
    alone = core.reweighted(alone, {"ecological_exposure": 0})
    for each in known.values():
        labels = core.labels(alone, GATES, each.facts, each.drawn)
        assert not labels["label"].eq("depends_on_weights").any()
        assert labels["label"].eq("depends_on_estimate").any()


def test_what_is_known_exactly_is_no_matter_of_estimate(known: dict) -> None:
    for each in known.values():
        exact = each.facts.assign(lower=each.facts["value"], upper=each.facts["value"])
        labels = core.labels(QUESTIONS, GATES, exact, {})
        assert not labels["label"].eq("depends_on_estimate").any()
        assert labels["label"].isin(["in_list", "out"]).any()


def test_a_missing_criterion_makes_a_metier_not_assessable() -> None:
    frame = facts({"A": [0.9, 0.9, 0.9], "C": [0.9, np.nan, 0.9]})
    frame.loc[frame["value"].isna(), "status"] = "nd"
    found = labelled(frame, question())
    assert found["label"].to_dict() == {"A": "in_list", "C": "not_assessable"}
    assert found.loc["C", "status"] == "nd"


def test_a_cell_under_the_threshold_gives_no_label_and_no_value(inputs: dict) -> None:
    own = pd.DataFrame(
        [
            ("E1Z43", 400.0, 12, 20.0),
            ("D1Z40", 300.0, 2, 60.0),
            ("E2Z80", 200.0, 9, 90.0),
            ("autres_metiers", 500.0, 12, 20.0),
        ],
        columns=["metier_code", "employment_headcount", "units_count", "largest_share_pct"],
    ).assign(
        branch_code="ceramique", year=2024, nature="observed", origin="own", source_code="enquete"
    )
    results = chain.run(inputs | {"own_employment": own}, "ceramique", EDITION, ASKED)
    labels = results["coeurs"].set_index(["question_code", "metier_code"])
    for code in ("D1Z40", "E2Z80"):
        hidden = labels.loc[("core", code)]
        assert hidden[["label", "status"]].tolist() == ["not_labelled", "s"]
        assert hidden[["acceptability_pct", "score", "entry_headcount"]].isna().all()
    assert labels.loc[("core", "E1Z43"), "label"] == "in_list"
    assert labels["origin"].eq("own").all()
    secret = results["faits"].query("origin == 'own' and metier_code != 'E1Z43'")
    assert secret["status"].eq("s").all()
    assert secret[["value", "lower", "upper"]].isna().all(axis=None)


def test_without_a_headcount_no_metier_is_labelled(inputs: dict) -> None:
    results = chain.run(inputs, "chaux", EDITION, ASKED)
    assert results["coeurs"].empty
    assert not results["criteres"].empty


# --- the shipped branches ---------------------------------------------------------------------


def labels_of(known: chain.Known) -> pd.DataFrame:
    labels = core.labels(QUESTIONS, GATES, known.facts, known.drawn)
    return labels.merge(known.looked_at[["metier_code", "employment_share_pct"]])


def codes(labels: pd.DataFrame, question_code: str) -> set[str]:
    rows = labels[labels["question_code"].eq(question_code) & labels["label"].eq("in_list")]
    return set(rows["metier_code"])


def test_chemists_and_operators_are_the_core_of_chemistry(known: dict) -> None:
    labels = labels_of(known["chimie"])
    assert {"E2Z70", "E1Z41", "E2Z80", "N0Z90"} <= codes(labels, "core")
    assert "E2Z80" in codes(labels, "strategic")


def test_the_one_candidate_of_petrol_is_known_too_badly(known: dict) -> None:
    labels = labels_of(known["petrole"])
    assert codes(labels, "core") == set()
    row = labels.query("question_code == 'core' and metier_code == 'H0Z91'").iloc[0]
    assert row["label"] == "depends_on_estimate"
    assert row["acceptability_pct"] > 90
    wood = labels[labels["metier_code"].isin(["F2Z20", "F3Z40", "F3Z41"])]
    assert wood["label"].eq("out").all()


@pytest.mark.skipif(not FULL, reason="all branches: OPMQ_TEST_FULL=1")
def test_the_lists_of_all_branches(inputs: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("estimate", "metier_tensions"):
        found = getattr(shared, name)(inputs)
        monkeypatch.setattr(shared, name, lambda _, found=found: found)
    branches = inputs["branch_headcount"]["branch_code"].unique()
    labels = pd.concat(
        labels_of(chain.known(inputs, code, EDITION)).assign(branch_code=code) for code in branches
    )
    listed = labels[labels["label"] == "in_list"]
    assert listed["employment_share_pct"].min() >= 0.5
    of_core = labels[labels["question_code"] == "core"]["label"].value_counts()
    assert of_core["in_list"] == pytest.approx(161, abs=5)
    assert of_core["depends_on_estimate"] == pytest.approx(370, abs=5)
    assert of_core["out"] == pytest.approx(888, abs=5)
    per_branch = listed[listed["question_code"] == "core"].groupby("branch_code").size()
    assert per_branch.reindex(branches, fill_value=0).median() == 6


# --- the weight that flips, other weights -----------------------------------------------------


@FEW
@given(st.lists(st.floats(0, 1), min_size=4, max_size=4), st.floats(0.2, 0.8))
def test_the_flip_weight_puts_the_score_on_the_cutoff(row: list[float], cutoff: float) -> None:
    weights = pd.Series({"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1})
    found = core.flips(pd.DataFrame([row], columns=weights.index), weights, cutoff).iloc[0]
    code, at = found["flip_criterion_code"], found["flip_weight"]
    if code == "":
        assert max(row) < cutoff or min(row) > cutoff or max(row) - min(row) < 1e-6
        return
    others = weights * (1 - at) / (1 - weights[code])
    others[code] = at
    assert float(np.dot(row, others)) == pytest.approx(cutoff, abs=1e-6)


def test_other_weights_are_scaled_and_nobody_has_voted_them(inputs: dict) -> None:
    weights = {"employment_share": 1.5}
    results = chain.run(inputs, "ceramique", EDITION, ASKED, weights=weights)
    core_rows = results["criteres"].query("question_code == 'core'")
    assert core_rows["weight"].tolist() == [0.75, 0.25]
    assert core_rows["basis"].eq(NOT_VOTED).all()
    before = chain.run(inputs, "ceramique", EDITION, ASKED)["coeurs"]
    assert not results["coeurs"]["acceptability_pct"].equals(before["acceptability_pct"])


def test_a_weight_of_an_unknown_criterion_is_refused() -> None:
    with pytest.raises(ScopeError, match="did you mean `c1`"):
        core.reweighted(question(), {"c11": 1.0})


def test_an_interval_of_the_branch_is_drawn_between_its_ends(known: dict) -> None:
    each = known["ceramique"]
    own = each.facts[each.facts["criterion_code"] == "ageing"].assign(
        criterion_code="rarete", value=10.0, lower=5.0, upper=20.0, origin="own"
    )
    drawn = criteria.drawn(each.looked_at, country.metier_rates(study.load_inputs(), EDITION), own)
    ends = np.quantile(drawn["rarete"].to_numpy(), [0.1, 0.5, 0.9], axis=1)
    assert ends == pytest.approx(np.tile([[5.0], [10.0], [20.0]], ends.shape[1]), abs=0.3)
