import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opmq_lib.errors import ScopeError
from opmq_lib.methods import core, criteria
from opmq_lib.params import NOT_VOTED
from opmq_lib.questions.coeurs_strategiques import chain
from opmq_lib.questions.shared import branch_employment
from opmq_lib.sources import study

FULL = os.environ.get("OPMQ_TEST_FULL") == "1"
EDITION = study.edition()
BRANCHES = ("ceramique", "chimie") if FULL else ("ceramique",)
FEW = settings(max_examples=100 if FULL else 15, deadline=None)
SCORES = st.lists(
    st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=3, max_size=8, unique_by=tuple
)


@pytest.fixture(scope="module")
def inputs() -> dict[str, pd.DataFrame]:
    return study.load_inputs()


def question(count: int = 3, cutoff: float = 0.6, **columns: object) -> pd.DataFrame:
    asked = {
        "question_code": "core",
        "criterion_code": [f"c{number}" for number in range(count)],
        "unit": "-",
        "low": 0.0,
        "high": 1.0,
        "direction": "higher",
        "weight": 1 / count,
        "threshold": np.nan,
        "cutoff_score": cutoff,
        "concentration": float(count),
    }
    return pd.DataFrame(asked | columns)


def values(table: dict[str, list[float]], **columns: object) -> pd.DataFrame:
    rows = [
        {"metier_code": code, "criterion_code": f"c{number}", "value": value}
        for code, row in table.items()
        for number, value in enumerate(row)
    ]
    given_columns = {
        "year": 2019,
        "nature": "observed",
        "origin": "public",
        "status": "value",
        "source_code": "x",
    }
    frame = pd.DataFrame(rows)
    frame = frame.assign(lower=frame["value"], upper=frame["value"])
    return frame.assign(**(given_columns | columns))


def labelled(frame: pd.DataFrame, asked: pd.DataFrame, **options: object) -> pd.DataFrame:
    labels = core.labels(asked, core.reasons(asked, frame), **options)
    return labels.set_index("metier_code")


def criterion_values(inputs: dict, branch_code: str) -> pd.DataFrame:
    return chain.values(inputs, branch_code, chain.jobs(inputs, branch_code, EDITION))


def results_of(inputs: dict, branch_code: str) -> dict[str, pd.DataFrame]:
    return chain.run(inputs, branch_code, EDITION, study.criteria(branch_code))


WORKED = {"A": [0.9, 0.3, 0.4], "B": [0.8, 0.7, 0.2], "C": [0.75, 0.8, 0.65], "G": [0.4, 0.61, 0.5]}


# --- worked examples --------------------------------------------------------------------------


def test_location_quotient_is_that_of_the_worked_example() -> None:
    found = criteria.location_quotient(pd.Series([31.0, 0.0]), 5200, pd.Series([0.0018] * 2))
    first = found.iloc[0]
    assert first["value"] == pytest.approx(2.619760, abs=5e-7)
    assert first["lower"] == pytest.approx(1.936350, abs=5e-7)
    assert first["upper"] == pytest.approx(3.388145, abs=5e-7)
    assert found["value"].iloc[1] == pytest.approx(0.299401, abs=5e-7)


def test_score_between_goalposts_is_that_of_the_worked_example() -> None:
    found = core.reasons(question(1, low=15.0, high=45.0), values({"A": [31.0], "B": [50.0]}))
    assert found["score"].tolist() == pytest.approx([0.533333, 1], abs=5e-7)


def exact_share(row: list[float], cutoff: float) -> float:
    """Return the area of uniform weights that accept, one score above the cut-off."""
    high, *low = sorted(row, reverse=True)
    return (high - cutoff) ** 2 / ((high - low[0]) * (high - low[1]))


def test_acceptability_is_that_of_the_worked_example() -> None:
    found = labelled(values(WORKED), question())
    exact = {"A": exact_share(WORKED["A"], 0.6), "G": exact_share(WORKED["G"], 0.6)}
    assert exact["A"] == pytest.approx(0.3, abs=5e-7)
    assert exact["G"] == pytest.approx(0.004329, abs=5e-7)
    for code, share in {**exact, "B": 0.466667, "C": 1.0}.items():
        assert found.loc[code, "acceptability_pct"] == pytest.approx(100 * share, abs=1.5)
    assert found["label"].to_dict() == {
        "A": "weight_dependent",
        "B": "weight_dependent",
        "C": "robust",
        "G": "out",
    }


def test_voted_weights_give_the_scores_of_the_worked_example() -> None:
    found = labelled(values(WORKED), question(weight=[0.5, 0.3, 0.2]))
    assert found.loc["A", "score"] == pytest.approx(0.62, abs=5e-7)
    assert found.loc["B", "score"] == pytest.approx(0.65, abs=5e-7)
    assert set(found.loc[["A", "B"], "label"]) == {"weight_dependent"}


# --- invariances ------------------------------------------------------------------------------


def as_table(rows: list[list[float]]) -> dict[str, list[float]]:
    return {f"M{number}": row for number, row in enumerate(rows)}


@FEW
@given(SCORES)
def test_adding_a_metier_changes_nothing_of_the_others(rows: list[list[float]]) -> None:
    frame = values(as_table(rows)).assign(lower=lambda t: t["value"] * 0.8)
    whole = labelled(frame, question(4), draws=2000)
    fewer = labelled(frame[frame["metier_code"] != "M1"], question(4), draws=2000)
    pd.testing.assert_frame_equal(whole.drop("M1"), fewer)


@FEW
@given(SCORES, st.randoms(use_true_random=False))
def test_order_of_metiers_and_criteria_changes_nothing(rows: list, shuffle: object) -> None:
    frame = values(as_table(rows))
    asked = question(4)
    before = labelled(frame, asked, draws=2000)
    mixed, places = list(range(4)), list(range(len(frame)))
    shuffle.shuffle(mixed)
    shuffle.shuffle(places)
    after = labelled(frame.iloc[places], asked.iloc[mixed], draws=2000)
    pd.testing.assert_frame_equal(before, after.loc[before.index])


@FEW
@given(SCORES, st.floats(0.001, 1000), st.floats(-50, 50))
def test_unit_of_a_criterion_changes_no_label(rows: list, factor: float, shift: float) -> None:
    asked = question(4)
    before = labelled(values(as_table(rows)), asked, draws=2000)
    moved = [[row[0] * factor + shift, *row[1:]] for row in rows]
    other = asked.assign(low=[shift, 0, 0, 0], high=[factor + shift, 1, 1, 1])
    after = labelled(values(as_table(moved)), other, draws=2000)
    assert np.abs(before["acceptability_pct"] - after["acceptability_pct"]).max() <= 0.05
    away = (before["score"] - asked["cutoff_score"].iloc[0]).abs() > 1e-6
    assert before["label"][away].eq(after["label"][away]).all()


@FEW
@given(SCORES, st.floats(0.1, 0.6))
def test_a_criterion_split_in_two_halves_changes_no_label(rows: list, weight: float) -> None:
    rest = (1 - weight) / 3
    whole = question(4, weight=[weight, rest, rest, rest])
    halved = whole.assign(weight=[weight / 2, rest, rest, rest])
    split = pd.concat([halved, halved.head(1).assign(criterion_code="c0b")])
    table = values(as_table(rows))
    twin = table[table["criterion_code"] == "c0"].assign(criterion_code="c0b")
    before, after = labelled(table, whole), labelled(pd.concat([table, twin]), split)
    assert np.allclose(before["score"], after["score"])
    gap = (before["acceptability_pct"] - after["acceptability_pct"]).abs()
    error = 100 * np.sqrt(2 * 0.25 / core.PUBLICATION_DRAWS)
    assert gap.max() <= 5 * error
    bounds = 100 * np.array([core.OUT_TO, core.ROBUST_FROM])
    near = np.abs(before["acceptability_pct"].to_numpy()[:, None] - bounds).min(axis=1)
    away = near > 6 * error
    assert before["label"][away].eq(after["label"][away]).all()


@pytest.mark.parametrize("branch_code", BRANCHES)
def test_two_seeds_agree_on_99_per_cent_of_labels(inputs: dict, branch_code: str) -> None:
    asked = chain.questions(study.criteria(branch_code))
    scored = core.reasons(asked, criterion_values(inputs, branch_code))
    one, other = (core.labels(asked, scored, seed=seed) for seed in (1, 2))
    same, count = int((one["label"] == other["label"]).sum()), len(one)
    random = np.random.default_rng(5).random((400, 4))
    drawn = values(as_table(random.tolist()))
    one, other = (labelled(drawn, question(4, 0.5), seed=seed) for seed in (1, 2))
    same += int((one["label"] == other["label"]).sum())
    count += len(one)
    assert set(one["label"]) == {"robust", "weight_dependent", "out"}
    assert same / count >= 0.99


# --- what a label never is --------------------------------------------------------------------


def test_estimated_employment_is_never_robust(inputs: dict) -> None:
    assert not results_of(inputs, "ceramique")["coeurs"]["label"].eq("robust").any()
    assert labelled(values(WORKED), question()).loc["C", "label"] == "robust"
    estimated = labelled(values(WORKED, nature="estimate"), question())
    assert estimated.loc["C", "label"] == "weight_dependent"
    assert estimated.loc["G", "label"] == "out"


def test_a_missing_criterion_makes_a_metier_not_assessable() -> None:
    frame = values(WORKED)
    frame.loc[frame["metier_code"].eq("C") & frame["criterion_code"].eq("c1"), "value"] = np.nan
    frame.loc[frame["value"].isna(), ["lower", "upper"]] = np.nan
    frame.loc[frame["value"].isna(), "status"] = "nd"
    found = labelled(frame, question())
    assert found.loc["C", ["label", "status"]].tolist() == ["not_assessable", "nd"]
    assert found["label"].drop("C").isin(["weight_dependent", "out"]).all()


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
    results = results_of(inputs | {"own_employment": own}, "ceramique")
    labels = results["coeurs"].set_index(["question_code", "metier_code"])
    for code in ("D1Z40", "E2Z80"):
        hidden = labels.loc[("core", code)]
        assert hidden["label"] == "not_labelled"
        assert hidden["status"] == "s"
        assert hidden[["acceptability_pct", "score"]].isna().all()
    assert labels.loc[("core", "E1Z43"), "label"] in {"robust", "weight_dependent", "out"}
    assert labels["origin"].eq("own").all()
    reasons = results["raisons"]
    secret = reasons[(reasons["origin"] == "own") & (reasons["metier_code"] != "E1Z43")]
    assert secret["status"].eq("s").all()
    assert secret[["value", "lower", "upper", "score"]].isna().all(axis=None)


def test_without_a_headcount_nothing_is_assessed_and_nothing_is_zero(inputs: dict) -> None:
    labels = results_of(inputs, "chaux")["coeurs"]
    assert labels["label"].eq("not_assessable").all()
    assert labels[["acceptability_pct", "score"]].isna().all(axis=None)


def test_a_threshold_that_is_not_met_keeps_a_metier_off_the_list() -> None:
    found = labelled(values(WORKED), question(threshold=[np.nan, np.nan, 0.7]))
    assert found["label"].eq("out").all()


def test_a_score_goes_down_when_the_direction_is_lower() -> None:
    up, down = question(3, 0.6), question(3, 0.6, direction="lower")
    found = labelled(values({"A": [0.1, 0.2, 0.1], "B": [0.9, 0.9, 0.9]}), down)
    assert found["label"].to_dict() == {"A": "robust", "B": "out"}
    mirrored = labelled(values({"A": [0.9, 0.8, 0.9], "B": [0.1, 0.1, 0.1]}), up)
    assert np.allclose(found["score"], mirrored["score"])


# --- the weight that flips --------------------------------------------------------------------


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


# --- other weights ----------------------------------------------------------------------------


def test_other_weights_are_scaled_and_nobody_has_voted_them(inputs: dict) -> None:
    asked = study.criteria("ceramique")
    code = asked[0].criteria[0].criterion_code
    results = chain.run(inputs, "ceramique", EDITION, asked, weights={code: 0.75})
    core_rows = results["criteres"].query("question_code == 'core'")
    assert core_rows["weight"].tolist() == [0.5, *[pytest.approx(0.5 / 3)] * 3]
    assert core_rows["basis"].eq(NOT_VOTED).all()
    before = results_of(inputs, "ceramique")["coeurs"]
    assert not results["coeurs"]["acceptability_pct"].equals(before["acceptability_pct"])


def test_a_weight_of_an_unknown_criterion_is_refused() -> None:
    with pytest.raises(ScopeError, match="did you mean `c1`"):
        core.reweighted(question(), {"c11": 1.0})


def test_adding_a_metier_to_a_branch_changes_no_other_value(inputs: dict) -> None:
    """The rest of the branch gives up its jobs, as where a métier gets a line of its own."""
    jobs = branch_employment(inputs, "ceramique", EDITION.base_year)
    moved = jobs[jobs["metier_code"] == "G1Z70"].assign(metier_code="autres_metiers")
    fewer = jobs[jobs["metier_code"] != "G1Z70"]
    rest = fewer["metier_code"] == "autres_metiers"
    together = fewer.assign(
        employment_headcount=fewer["employment_headcount"].add(
            fewer["year"].map(moved.set_index("year")["employment_headcount"]).where(rest, 0)
        )
    )
    found = [
        results_of(inputs | {"own_employment": table}, "ceramique") for table in (jobs, together)
    ]
    for name in ("coeurs", "raisons"):
        whole, less = (each[name] for each in found)
        whole = whole[whole["metier_code"] != "G1Z70"].reset_index(drop=True)
        pd.testing.assert_frame_equal(whole, less.reset_index(drop=True), rtol=1e-9)
