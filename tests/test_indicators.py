import pandas as pd
import pytest

from opmq_lib.errors import DataError
from opmq_lib.tables import indicators

PART = pd.DataFrame(
    {"year": 2018, "indicator": "x", "unit": "pct", "metier_code": ["B", "A"], "value": [1.0, None]}
)


def test_a_missing_value_is_nd_and_a_present_one_is_a_value() -> None:
    assert indicators.stack([PART], "chimie", "x")["status"].tolist() == ["value", "nd"]


def test_a_given_status_is_kept() -> None:
    secret = PART.tail(1).assign(status="s")
    assert indicators.stack([secret], "chimie", "x")["status"].tolist() == ["s"]


def test_the_same_row_twice_breaks_the_contract() -> None:
    with pytest.raises(DataError):
        indicators.stack([PART, PART], "chimie", "x")


def test_rows_keep_their_numbers_when_selected() -> None:
    table = indicators.stack([PART], "chimie", "x")
    assert indicators.select(table, "x", metier_code="A").index.tolist() == [1]
    assert indicators.row_of(table, "x", "A", 2018) == 1
    assert indicators.row_of(table, "x", "A", 2019) is None


def test_equal_values_are_ordered_by_métier() -> None:
    table = indicators.stack([PART.assign(value=1.0)], "chimie", "x")
    assert indicators.codes(indicators.largest_first(table)) == ["A", "B"]
