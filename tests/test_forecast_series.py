import numpy as np
import pandas as pd
import pytest

from opmq_lib.errors import DataError, RangeError, SchemaError
from opmq_lib.methods.forecast.series import FilledGapsWarning, question_defects, tidy_panel


def rows(*triples):
    return pd.DataFrame(triples, columns=["series_code", "year", "value"])


def test_gaps_are_filled_by_a_straight_line_with_a_warning():
    table = rows(("a", 2000, 10.0), ("a", 2003, 16.0), ("b", 2000, 1.0), ("b", 2001, 2.0))
    with pytest.warns(FilledGapsWarning, match="1 series with missing years.*: a"):
        found = tidy_panel(table)
    assert found.panel.flat.tolist() == [10, 12, 14, 16, 1, 2]
    assert found.filled_years_count.tolist() == [2, 0]


def test_every_defect_is_listed_at_once_and_no_value_is_shown():
    table = rows(("a", 2000, np.nan), ("a", 2001, np.inf), ("b", 2000, -1.5), ("b", 2000, 2.0))
    with pytest.raises(DataError) as caught:
        tidy_panel(table, contract="headcount_series")
    what = sorted(defect.what for defect in caught.value.defects)
    assert what == ["empty cell", "negative number", "not a number", "the same key as row 4"]
    assert "1.5" not in str(caught.value)
    assert type(caught.value) is DataError


def test_the_question_is_checked_with_the_table():
    asked = question_defects(0, [0.5])
    with pytest.raises(DataError) as caught:
        tidy_panel(rows(("a", 2000, np.nan)), asked)
    where = [defect.where for defect in caught.value.defects]
    assert where == ["horizon_years", "series, row 2, column `value` (a, 2000)"]


def test_years_given_twice_are_a_schema_error():
    with pytest.raises(SchemaError, match=r"row 3 \(a, 2000\): the same key as row 2"):
        tidy_panel(rows(("a", 2000, 1.0), ("a", 2000, 2.0)))


def test_negative_values_are_welcome_unless_counts_are_meant():
    table = rows(("a", 2000, -1.0))
    assert tidy_panel(table).panel.flat.tolist() == [-1.0]
    with pytest.raises(RangeError, match="negative"):
        tidy_panel(table, contract="headcount_series")


@pytest.mark.parametrize("column", ["series_code", "year", "value"])
def test_missing_columns_are_named(column):
    with pytest.raises(SchemaError, match=f"column `{column}`: column missing"):
        tidy_panel(rows(("a", 2000, 1.0)).drop(columns=column))


def test_other_columns_are_ignored():
    assert tidy_panel(rows(("a", 2000, 1.0)).assign(note="x")).codes.tolist() == ["a"]


def test_wrong_types_are_named_together():
    table = pd.DataFrame({"series_code": [1], "year": ["2000"], "value": ["1"]})
    with pytest.raises(SchemaError) as caught:
        tidy_panel(table)
    assert len(caught.value.defects) == 3


def test_rows_without_a_code_or_a_year_are_refused_together():
    table = pd.DataFrame(
        {
            "series_code": ["a", None, "b"],
            "year": pd.array([2000, 2000, None], dtype="Int64"),
            "value": [1.0, 2.0, 3.0],
        }
    )
    with pytest.raises(SchemaError) as caught:
        tidy_panel(table)
    where = [defect.where for defect in caught.value.defects]
    assert where == [
        "series, row 3, column `series_code` (2000)",
        "series, row 4, column `year` (b)",
    ]


def test_whole_and_nullable_numbers_are_read_and_their_holes_refused():
    whole = rows(("a", 2000, 1), ("a", 2001, 2))
    table = whole.astype({"year": "Int64", "value": "Float64"})
    for given in (whole, whole.astype({"year": "float64"}), table):
        assert tidy_panel(given).panel.flat.tolist() == [1.0, 2.0]
    table.loc[1, "value"] = pd.NA
    with pytest.raises(SchemaError, match=r"row 3, column `value` \(a, 2001\): empty cell"):
        tidy_panel(table)


def test_rows_come_back_sorted_with_their_gaps_filled():
    table = rows(("b", 2001, 4.0), ("a", 2002, 3.0), ("b", 2000, 2.0))
    expected = rows(("a", 2002, 3.0), ("b", 2000, 2.0), ("b", 2001, 4.0))
    pd.testing.assert_frame_equal(tidy_panel(table).rows(), expected)


def test_codes_stay_text():
    found = tidy_panel(rows(("0016", 2000, 1.0), ("0003", 2000, 2.0)))
    assert found.codes.tolist() == ["0003", "0016"]


def test_a_year_that_no_calendar_has_is_refused():
    with pytest.raises(RangeError, match="outside its range"):
        tidy_panel(rows(("a", 2000, 1.0), ("a", 20010, 2.0)))
