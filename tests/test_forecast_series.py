import numpy as np
import pandas as pd
import pytest

from opmq_lib.errors import DataError, RangeError, SchemaError
from opmq_lib.forecast.series import FilledGapsWarning, tidy_panel


def rows(*triples):
    return pd.DataFrame(triples, columns=["series_code", "year", "value"])


def test_gaps_are_filled_by_a_straight_line_and_said():
    table = rows(("a", 2000, 10.0), ("a", 2003, 16.0), ("b", 2000, 1.0), ("b", 2001, 2.0))
    with pytest.warns(FilledGapsWarning, match="1 series with missing years.*: a"):
        found = tidy_panel(table)
    assert found.panel.flat.tolist() == [10, 12, 14, 16, 1, 2]
    assert found.filled_years_count.tolist() == [2, 0]


def test_every_defect_is_listed_at_once():
    table = rows(("a", 2000, np.nan), ("a", 2001, np.inf), ("b", 2000, -1.0), ("b", 2000, 2.0))
    with pytest.raises(DataError) as caught:
        tidy_panel(table, non_negative=True)
    what = [defect.what for defect in caught.value.defects]
    where = [defect.where for defect in caught.value.defects]
    assert "series a, year 2000, 2001" in where
    assert sorted(what) == ["negative", "not a finite number", "year given twice"]
    assert type(caught.value) is DataError


def test_values_out_of_range_are_a_range_error():
    with pytest.raises(RangeError, match="series a, year 2000: not a finite number"):
        tidy_panel(rows(("a", 2000, np.nan)))


def test_years_given_twice_are_a_schema_error():
    with pytest.raises(SchemaError, match="series a, year 2000: year given twice"):
        tidy_panel(rows(("a", 2000, 1.0), ("a", 2000, 2.0)))


def test_negative_values_are_welcome_unless_counts_are_meant():
    table = rows(("a", 2000, -1.0))
    assert tidy_panel(table).panel.flat.tolist() == [-1.0]
    with pytest.raises(RangeError, match="negative"):
        tidy_panel(table, non_negative=True)


@pytest.mark.parametrize("column", ["series_code", "year", "value"])
def test_missing_columns_are_named(column):
    with pytest.raises(SchemaError, match=f"column {column}: missing"):
        tidy_panel(rows(("a", 2000, 1.0)).drop(columns=column))


def test_wrong_types_are_named_together():
    table = pd.DataFrame({"series_code": ["a"], "year": ["2000"], "value": ["1"]})
    with pytest.raises(SchemaError) as caught:
        tidy_panel(table)
    assert [defect.where for defect in caught.value.defects] == ["column year", "column value"]


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
    said = [(defect.where, defect.what) for defect in caught.value.defects]
    assert said == [("row 2", "no series_code"), ("row 3", "no year")]


def test_nullable_numbers_are_read_and_their_holes_refused():
    table = rows(("a", 2000, 1.0), ("a", 2001, 2.0)).astype({"year": "Int64", "value": "Float64"})
    assert tidy_panel(table).panel.flat.tolist() == [1.0, 2.0]
    table.loc[1, "value"] = pd.NA
    with pytest.raises(RangeError, match="series a, year 2001: not a finite number"):
        tidy_panel(table)


def test_codes_stay_text():
    found = tidy_panel(rows(("0016", 2000, 1.0), ("0003", 2000, 2.0)))
    assert found.codes.tolist() == ["0003", "0016"]
