from random import Random

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from opmq_lib.errors import CoherenceError, RangeError, SchemaError
from opmq_lib.methods.employment.ras import ras

Case = tuple[pd.DataFrame, pd.Series, pd.Series]
POSITIVE = st.floats(min_value=0.2, max_value=5)  # extreme odds converge slowly


def labelled(seed: list[list[float]], rows: list[float], columns: list[float]) -> Case:
    row_labels = [f"r{number}" for number in range(len(rows))]
    column_labels = [f"c{number}" for number in range(len(columns))]
    return (
        pd.DataFrame(seed, index=row_labels, columns=column_labels, dtype="float64"),
        pd.Series(rows, index=row_labels, dtype="float64"),
        pd.Series(columns, index=column_labels, dtype="float64"),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A positive seed, and margins that are those of another positive table: they add up."""
    shape = (draw(st.integers(2, 6)), draw(st.integers(2, 6)))
    seed = draw(arrays("float64", shape, elements=POSITIVE))
    target = draw(arrays("float64", shape, elements=POSITIVE))
    return labelled(seed.tolist(), target.sum(axis=1).tolist(), target.sum(axis=0).tolist())


def odds_ratios(table: pd.DataFrame) -> np.ndarray:
    logs = np.log(table.to_numpy())
    return logs[1:, 1:] - logs[1:, :1] - logs[:1, 1:] + logs[:1, :1]


def test_worked_example_of_the_method_is_reproduced_to_six_decimals() -> None:
    fitted = ras(*labelled([[4, 1, 2], [1, 3, 1], [2, 2, 6]], [120, 80, 200], [150, 110, 140]))
    expected = [
        [78.143975, 16.589098, 25.266927],
        [19.074219, 48.590937, 12.334845],
        [52.781807, 44.819965, 102.398228],
    ]
    np.testing.assert_allclose(fitted.to_numpy(), expected, atol=5e-7)


@given(cases())
@settings(max_examples=30, deadline=None)
def test_both_margins_are_reproduced(case: Case) -> None:
    seed, rows, columns = case
    fitted = ras(seed, rows, columns)
    np.testing.assert_allclose(fitted.sum(axis=1), rows, rtol=1e-8)
    np.testing.assert_allclose(fitted.sum(axis=0), columns, rtol=1e-8)


@given(cases(), st.floats(min_value=1e-6, max_value=1e6))
@settings(max_examples=30, deadline=None)
def test_scale_of_the_seed_does_not_matter(case: Case, factor: float) -> None:
    seed, rows, columns = case
    np.testing.assert_allclose(
        ras(seed * factor, rows, columns), ras(seed, rows, columns), rtol=1e-6
    )


@given(cases())
@settings(max_examples=30, deadline=None)
def test_odds_ratios_of_the_seed_are_preserved(case: Case) -> None:
    seed, rows, columns = case
    np.testing.assert_allclose(
        odds_ratios(ras(seed, rows, columns)), odds_ratios(seed), rtol=0, atol=1e-8
    )


@given(cases(), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_order_of_rows_and_columns_does_not_matter(case: Case, order: Random) -> None:
    seed, rows, columns = case
    shuffled_rows, shuffled_columns = list(seed.index), list(seed.columns)
    order.shuffle(shuffled_rows)
    order.shuffle(shuffled_columns)
    shuffled = ras(seed.loc[shuffled_rows, shuffled_columns], rows, columns)
    np.testing.assert_allclose(
        shuffled.loc[seed.index, seed.columns], ras(seed, rows, columns), rtol=1e-6
    )


@given(cases())
@settings(max_examples=25, deadline=None)
def test_a_table_that_has_the_margins_already_is_left_as_it_is(case: Case) -> None:
    seed, _, _ = case
    np.testing.assert_allclose(ras(seed, seed.sum(axis=1), seed.sum(axis=0)), seed, rtol=1e-12)


def test_uniform_seed_gives_independence() -> None:
    fitted = ras(*labelled([[1, 1], [1, 1]], [30, 70], [40, 60]))
    np.testing.assert_allclose(fitted, [[12, 18], [28, 42]])


def test_zeros_of_the_seed_stay_zero() -> None:
    fitted = ras(*labelled([[0, 1, 2], [3, 1, 1]], [20, 30], [15, 15, 20]))
    assert fitted.at["r0", "c0"] == 0


def test_a_zero_margin_gives_zeros() -> None:
    fitted = ras(*labelled([[1, 2], [3, 4]], [0, 10], [4, 6]))
    assert fitted.loc["r0"].tolist() == [0, 0]
    assert fitted.loc["r1"].tolist() == [4, 6]


def test_a_table_of_zero_margins_is_zero() -> None:
    assert ras(*labelled([[1, 2], [3, 4]], [0, 0], [0, 0])).to_numpy().sum() == 0


def test_inputs_are_left_untouched() -> None:
    seed, rows, columns = labelled([[4, 1], [1, 3]], [12, 8], [11, 9])
    copies = seed.copy(), rows.copy(), columns.copy()
    ras(seed, rows, columns)
    pd.testing.assert_frame_equal(seed, copies[0])
    pd.testing.assert_series_equal(rows, copies[1])
    pd.testing.assert_series_equal(columns, copies[2])


def test_every_row_and_column_of_zeros_with_a_positive_margin_is_named() -> None:
    with pytest.raises(CoherenceError) as caught:
        ras(*labelled([[0, 0, 0], [1, 0, 2], [1, 0, 1]], [5, 10, 10], [10, 5, 10]))
    places = [(defect.where, defect.value) for defect in caught.value.defects]
    assert places == [("row r0", "total 5"), ("column c1", "total 5")]


def test_a_column_left_without_cells_by_a_zero_margin_is_named() -> None:
    with pytest.raises(CoherenceError, match="column c0"):
        ras(*labelled([[1, 1], [0, 1]], [0, 10], [4, 6]))


def test_margins_that_do_not_add_up_are_refused_with_both_sums() -> None:
    with pytest.raises(CoherenceError, match=r"found: 10 and 11"):
        ras(*labelled([[1, 1], [1, 1]], [4, 6], [5, 6]))


def test_every_negative_or_missing_number_is_listed() -> None:
    seed, rows, columns = labelled([[1, -2], [float("nan"), float("inf")]], [-3, 6], [1, 2])
    with pytest.raises(RangeError) as caught:
        ras(seed, rows, columns)
    assert [defect.where for defect in caught.value.defects] == [
        "seed, c0, r1",
        "seed, c1, r0",
        "seed, c1, r1",
        "row totals, r0",
    ]


def test_labels_without_counterpart_and_repeated_labels_are_listed() -> None:
    seed, rows, columns = labelled([[1, 1], [1, 1]], [4, 6], [5, 5])
    repeated = pd.concat([columns, columns.head(1)])
    with pytest.raises(SchemaError) as caught:
        ras(seed, rows.rename({"r1": "r9"}), repeated)
    assert [(defect.where, defect.value) for defect in caught.value.defects] == [
        ("seed, rows", "r9"),
        ("row totals", "r1"),
        ("column totals", "c0"),
    ]


def test_margins_that_the_zeros_make_unreachable_are_refused_with_the_worst_row() -> None:
    with pytest.raises(CoherenceError, match="row r0: its total is not reached after 1000 steps"):
        ras(*labelled([[1, 0], [0, 1]], [1, 2], [2, 1]))


def test_too_few_steps_are_refused_rather_than_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opmq_lib.methods.employment.ras.MOST_STEPS", 1)
    case = labelled([[4, 1, 2], [1, 3, 1], [2, 2, 6]], [120, 80, 200], [150, 110, 140])
    with pytest.raises(CoherenceError, match="after 1 steps"):
        ras(*case)
