import pandas as pd
import pytest

from opmq_lib import tables
from opmq_lib.errors import CoherenceError, DataError, RangeError, SchemaError
from opmq_lib.sources import embedded

OWN = {
    "branch_code": ["chimie", "chimie"],
    "metier_code": ["D1Z40", "D1Z41"],
    "year": [2018, 2018],
    "employment_headcount": [120.0, 80.0],
    "nature": "observed",
    "origin": "own",
    "units_count": [12, 9],
    "largest_share_pct": [40.5, 60.0],
    "source_code": "enquete",
}
INDICATOR = {
    "branch_code": ["chimie"],
    "metier_code": ["D1Z40"],
    "region_code": ["FM"],
    "year": [2018],
    "indicator": ["employment_headcount"],
    "value": [10.0],
    "lower": [8.0],
    "upper": [12.0],
    "interval_level": [0.8],
    "unit": ["headcount"],
    "units_count": pd.array([None], dtype="Int64"),
    "status": ["value"],
    "nature": ["estimate"],
    "origin": ["public"],
    "source_code": ["dares_emploi"],
}
PROJECTION = {
    "branch_code": ["chimie"],
    "metier_code": ["D1Z40"],
    "region_code": ["FM"],
    "scenario_code": ["reference"],
    "model": ["ets"],
    "cutoff_year": [2018],
    "year": [2019],
    "quantile_level": [0.5],
    "quantity": ["employment_headcount"],
    "value": [10.0],
    "unit": ["headcount"],
    "status": ["value"],
    "nature": ["projection"],
    "origin": ["public"],
}


def employment(**columns):
    return pd.DataFrame({**OWN, **columns})


def refusal(table, frame, kind=SchemaError):
    with pytest.raises(DataError) as caught:
        tables.check(table, frame, "t.csv")
    assert type(caught.value) is kind
    return str(caught.value)


@pytest.mark.parametrize("table", embedded.tables())
def test_every_embedded_table_is_what_its_contract_says(table):
    frame = embedded.load(table)
    assert tables.check(table, frame, table) is frame
    assert list(frame) == list(tables.DESCRIPTIONS[table])


@pytest.mark.parametrize("table", tables.TABLES)
def test_every_column_has_a_typeset_french_label_and_numbers_have_a_unit(table):
    for name, column in tables.DESCRIPTIONS[table].items():
        assert column.label[0].isupper(), name
        assert "'" not in column.label + column.unit, name
        assert bool(column.unit) == (column.kind in {"whole", "number"}), name


@pytest.mark.parametrize("table", tables.TABLES)
def test_every_table_has_a_key(table):
    assert tables.KEYS[table]


def test_every_column_is_used():
    used = {name for columns in tables.DESCRIPTIONS.values() for name in columns}
    assert {name.rpartition(".")[2] for name in tables.COLUMNS} == used


def test_the_example_of_a_code_is_such_a_code():
    schema = {name: column for name, column in tables.COLUMNS.items() if column.example}
    for full_name, column in schema.items():
        of_table, _, name = full_name.rpartition(".")
        table = of_table or next(t for t, known in tables.DESCRIPTIONS.items() if name in known)
        frame = pd.DataFrame({name: [column.example]})
        assert tables.row_problems(table, frame) == [], name


def test_an_own_table_passes():
    frame = employment()
    assert tables.check("employment", frame, "t.csv") is frame


def test_the_order_of_columns_and_of_rows_does_not_matter():
    frame = employment().iloc[::-1, ::-1]
    assert tables.check("employment", frame, "t.csv") is frame


def test_codes_that_became_numbers_are_refused_and_not_converted():
    frame = employment(metier_code=[16, 17])
    text = refusal("employment", frame)
    assert text.startswith(
        "2 defects\n  t.csv, row 2, column `metier_code` (chimie, 2018): "
        "a number or date where a text is meant: zeros may be lost\n"
        "    expected: a code such as D1Z40"
    )
    assert frame["metier_code"].tolist() == [16, 17]


def test_codes_hidden_as_numbers_among_objects_are_refused():
    codes = pd.Series(["D1Z40", 16], dtype="object")
    assert "row 3, column `metier_code`" in refusal("employment", employment(metier_code=codes))


def test_an_own_value_is_never_shown():
    frame = employment(employment_headcount=[-12345.0, 80.0])
    assert refusal("employment", frame, RangeError) == (
        "1 defect\n  t.csv, row 2, column `employment_headcount` (chimie, D1Z40, 2018): "
        "negative number\n    expected: a number ≥ 0\n    what to do: correct the number"
    )


def test_a_public_value_is_shown():
    frame = employment(employment_headcount=[-12345.0, 80.0], origin="public")
    assert "negative number (found: -12345)" in refusal("employment", frame, RangeError)


def test_an_own_cell_must_say_how_many_firms_are_behind_it():
    counts = pd.array([12, None], dtype="Int64")
    text = refusal("employment", employment(units_count=counts, largest_share_pct=[None, 3.0]))
    assert "row 3, column `units_count` (chimie, D1Z41, 2018): an own cell without" in text
    assert "row 2, column `largest_share_pct` (chimie, D1Z40, 2018): an own cell without" in text
    assert text.startswith("2 defects")


def test_a_public_cell_needs_no_count_of_firms():
    empty = pd.array([None, None], dtype="Int64")
    frame = employment(origin="public", units_count=empty, largest_share_pct=float("nan"))
    assert tables.check("employment", frame, "t.csv") is frame


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_headcount_that_is_no_finite_number_is_refused(value):
    assert "row 2, column `employment_headcount`" in refusal(
        "employment", employment(employment_headcount=[value, 1.0])
    )


def test_a_year_with_decimals_is_refused():
    assert "column `year`" in refusal("employment", employment(year=[2018.5, 2018.0]))


def test_a_duplicate_key_names_both_rows():
    frame = employment(metier_code=["D1Z40", "D1Z40"])
    assert refusal("employment", frame) == (
        "1 defect\n  t.csv, row 3 (chimie, D1Z40, 2018): the same key as row 2\n"
        "    expected: one row for each `branch_code`, `metier_code`, `year`\n"
        "    what to do: delete one of the two rows"
    )


def test_a_misspelt_column_is_refused_with_the_right_one():
    frame = employment().rename(columns={"metier_code": "metier_cod"})
    text = refusal("employment", frame)
    assert "column `metier_cod`: unknown column, and `metier_code` is missing" in text
    assert "what to do: rename it to `metier_code`" in text
    assert text.startswith("1 defect")


def test_a_column_given_twice_is_refused():
    frame = pd.DataFrame([["01", "02", "A"]], columns=["region_code", "region_code", "label"])
    assert "column `region_code`: column given twice" in refusal("regions", frame)


def test_an_empty_text_is_a_missing_one():
    frame = pd.DataFrame({"region_code": ["01", "02"], "label": ["", None]}, dtype="str")
    assert refusal("regions", frame).count("column `label`") == 2


def test_a_code_without_its_form_is_told_by_what_it_is_not_and_an_own_one_is_not_shown():
    frame = pd.DataFrame({"region_code": ["1"], "label": ["Guadeloupe"]})
    assert "column `region_code`: `1` is not a region code\n    expected: a code such as 84" in (
        refusal("regions", frame)
    )
    text = refusal("employment", employment(metier_code=["é 1", "D1Z41"], origin=["own", "public"]))
    assert "row 2, column `metier_code` (chimie, 2018): not a métier code\n" in text
    assert "é 1" not in text


def test_a_day_that_does_not_exist_is_no_date():
    frame = pd.DataFrame({"criterion_code": ["x"], "vote_date": ["2026-02-30"]})
    assert [each.what for each in tables.row_problems("questions", frame)] == ["not a date"]


def test_a_rule_does_not_repeat_what_is_wrong_with_the_cell_itself():
    frame = pd.DataFrame(INDICATOR).assign(value=pd.Series(["dix"], dtype="object"))
    text = refusal("indicators", frame)
    assert text.startswith("1 defect\n")
    assert "`dix` is not a number" in text


def test_defects_of_several_kinds_are_raised_together():
    frame = employment(employment_headcount=[-1.0, 2.0], nature="observé")
    text = refusal("employment", frame, DataError)
    assert text.startswith("3 defects")
    assert "what to do: did you mean `observed`?" in text


def test_many_rows_with_one_problem_are_counted_rather_than_listed():
    rows = 500
    frame = pd.DataFrame({"region_code": [f"{row:03}" for row in range(rows)], "label": "x"})
    text = refusal("regions", frame)
    assert text.startswith("10 defects")
    assert "row 11, column `region_code`: `009` is not a region code (and 490 more rows)" in text


@pytest.mark.parametrize(("rows", "others"), [(15, "4 more rows"), (12, "1 more row")])
def test_many_duplicates_name_the_first_row_and_then_count_the_others(rows, others):
    frame = pd.DataFrame({"region_code": ["84"] * rows, "label": "x"})
    text = refusal("regions", frame)
    assert (
        f"row 12, column `region_code`: the same key as row 2 (and {others}) (found: 84)\n" in text
    )


@pytest.mark.parametrize("table", ["indicators", "projection"])
@pytest.mark.parametrize(
    ("value", "status"), [(1.0, "nd"), (1.0, "s"), (float("nan"), "value"), (1.0, "nv")]
)
def test_a_result_has_a_value_where_its_status_says_so_and_only_there(table, value, status):
    cells = {"indicators": INDICATOR, "projection": PROJECTION}[table]
    good = pd.DataFrame(cells)
    assert tables.check(table, good, "t.csv") is good
    bad = good.assign(value=value, status=status)
    assert "`value` and `status` disagree" in refusal(table, bad)


@pytest.mark.parametrize("status", ["s", "nd", "np", "nv"])
def test_the_states_of_a_cell_without_value_are_accepted(status):
    frame = pd.DataFrame(INDICATOR).assign(value=float("nan"), status=status)
    assert tables.check("indicators", frame, "t.csv") is frame


def test_an_interval_upside_down_is_refused():
    frame = pd.DataFrame(INDICATOR).assign(lower=13.0)
    assert "`lower` is above `upper`" in refusal("indicators", frame, RangeError)


def test_shares_of_one_origin_code_must_sum_to_one():
    frame = pd.DataFrame(
        {
            "naf_code": ["0610Z", "2059Z", "2059Z"],
            "branch_code": ["petrole", "chimie", "plasturgie"],
            "share": [1.0, 0.5, 0.4],
            "basis": "convention du projet, non votée",
        }
    )
    text = refusal("naf_branch", frame, CoherenceError)
    assert text.startswith("2 defects")
    assert "row 3, column `share` (2059Z, chimie)" in text
