import zipfile
from decimal import Decimal

import openpyxl
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from opmq_lib.errors import DataError, RangeError, SchemaError, ScopeError
from opmq_lib.sources import embedded
from opmq_lib.sources.grids import number
from opmq_lib.sources.table_files import read_supplied, read_table
from opmq_lib.tables.scope import branch_rule

HEADER = (
    "branch_code,metier_code,year,employment_headcount,nature,origin,units_count,"
    "largest_share_pct,source_code"
)
FIRST = "chimie,D1Z40,2018,1200,observed,own,12,40.5,enquete"
SECOND = "chimie,D1Z41,2018,80,observed,own,9,60,enquete"
CODES = ["0016", "1E05", "0292", "NA", "007", "1e5", "null", "+33"]


METIERS = embedded.load("metiers")
FAP_2021_ONLY = next(
    code
    for code in METIERS.loc[METIERS["level"] == "fap228", "metier_code"]
    if code not in set(METIERS.loc[METIERS["nomenclature"] == "FAP-2009", "metier_code"])
)


@pytest.fixture
def write(tmp_path):
    def written(*lines, name="emplois.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes("\n".join(lines).encode(encoding))
        return path

    return written


@pytest.fixture
def book(tmp_path):
    def written(*rows, title="Feuil1"):
        path = tmp_path / "emplois.xlsx"
        workbook = openpyxl.Workbook()
        workbook.active.title = title
        for row in rows:
            workbook.active.append(row)
        workbook.save(path)
        return path

    return written


def cells(line):
    return [int(cell) if cell.isdecimal() else cell for cell in line.split(",")]


def refusal(path, table="employment", kind=SchemaError, **options):
    with pytest.raises(DataError) as caught:
        read_table(path, table, **options)
    assert type(caught.value) is kind
    return str(caught.value)


def scheme(codes):
    """Return the columns of a table of sources, in which any code is allowed."""
    columns = {name: ["x"] * len(codes) for name in SOURCES}
    return {**columns, "source_code": list(codes), "title": list(codes)}


SOURCES = [
    "source_code",
    "table",
    "producer",
    "title",
    "period",
    "data_date",
    "licence",
    "current_version",
    "note",
]


def test_an_own_csv_is_read_with_the_types_of_the_contract(write):
    frame = read_table(write(HEADER, FIRST, SECOND), "employment")
    assert frame["metier_code"].tolist() == ["D1Z40", "D1Z41"]
    assert frame["employment_headcount"].tolist() == [1200.0, 80.0]
    assert {str(name): str(kind) for name, kind in frame.dtypes.items()} == {
        "branch_code": "str",
        "metier_code": "str",
        "year": "int64",
        "employment_headcount": "float64",
        "nature": "str",
        "origin": "str",
        "units_count": "Int64",
        "largest_share_pct": "float64",
        "source_code": "str",
    }


def test_a_french_csv_with_semicolons_and_decimal_commas_is_the_same_table(write):
    french = [
        "\ufeff" + HEADER.replace(",", ";"),
        "chimie;D1Z40;2018;1\u202f200;observed;own;12;40,5;enquete\r",
        'chimie;D1Z41;2018;"80,0";observed;own;9;60;enquete\r',
        ";;;;;;;;\r",
    ]
    pd.testing.assert_frame_equal(
        read_table(write(*french, name="fr.csv"), "employment"),
        read_table(write(HEADER, FIRST, SECOND), "employment"),
    )


def test_the_order_of_columns_does_not_matter(write):
    lines = [",".join(reversed(line.split(","))) for line in (HEADER, FIRST, SECOND)]
    pd.testing.assert_frame_equal(
        read_table(write(*lines, name="back.csv"), "employment"),
        read_table(write(HEADER, FIRST, SECOND), "employment"),
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234", 1234),
        ("1 234", 1234),
        ("12\u00a0345\u202f678,25", 12345678.25),
        ("0,5", 0.5),
        ("-3", -3),
        ("\N{MINUS SIGN}3", -3),
        ("1.5e-05", 0.000015),
    ],
)
def test_a_number_as_french_spreadsheets_write_it(text, value):
    assert number(text, decimal_comma=True) == value


@pytest.mark.parametrize(
    "text", ["12 34", "1 2345", "1,234.5", "1.234,5", "12 %", "n.d.", "1,", "0x10", "١٢"]
)
def test_what_is_not_one_number_for_sure_is_none(text):
    assert number(text, decimal_comma=True) is None


def test_a_decimal_comma_in_a_table_of_commas_is_refused_rather_than_guessed(write):
    text = refusal(write(HEADER, FIRST.replace("1200", '"1,200"')))
    assert "row 2, column `employment_headcount` (chimie, D1Z40, 2018): not a number" in text


@pytest.mark.parametrize("separator", [",", ";"])
def test_codes_survive_csv(write, separator):
    frame = pd.DataFrame(scheme(CODES[:-1]))
    path = write(frame.to_csv(index=False, sep=separator))
    assert read_table(path, "sources", "public")["source_code"].tolist() == CODES[:-1]


def test_codes_survive_xlsx(tmp_path):
    path = tmp_path / "sources.xlsx"
    pd.DataFrame(scheme(CODES[:-1])).to_excel(path, index=False)
    assert read_table(path, "sources", "public")["source_code"].tolist() == CODES[:-1]


@pytest.mark.parametrize("kind", ["str", "object", "category"])
def test_codes_survive_parquet(tmp_path, kind):
    path = tmp_path / "sources.parquet"
    pd.DataFrame(scheme(CODES[:-1])).astype(kind).to_parquet(path)
    assert read_table(path, "sources", "public")["source_code"].tolist() == CODES[:-1]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_a_table_read_and_written_again_is_the_same(write, tmp_path, kind):
    frame = read_table(write(HEADER, FIRST, SECOND), "employment")
    path = tmp_path / f"again.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    elif kind == "xlsx":
        frame.to_excel(path, index=False)
    else:
        frame.to_csv(path, index=False)
    pd.testing.assert_frame_equal(read_table(path, "employment"), frame)


def test_a_number_typed_where_a_code_is_meant_says_how_to_format_the_cell(book):
    path = book(cells(HEADER), ["chimie", 16, *cells(FIRST)[2:]])
    assert refusal(path) == (
        "1 defect\n  emplois.xlsx, row 2, column `metier_code` (chimie, 2018): "
        "a number or date where a text is meant: zeros may be lost\n"
        "    expected: a code such as D1Z40\n"
        "    what to do: write it as text, with its zeros (in a spreadsheet, format the column as "
        "Text, then type the code again)"
    )


def test_a_code_column_stored_as_numbers_in_parquet_is_refused(tmp_path):
    path = tmp_path / "sources.parquet"
    columns = scheme(["a", "b"]) | {"source_code": [16, 292]}
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    text = refusal(path, "sources", origin="public")
    assert text.startswith("2 defects\n  sources.parquet, row 1, column `source_code`: a number")
    assert "what to do: write it as text, with its zeros" in text


@pytest.mark.parametrize("cell", [True, "12 pers.", pd.Timestamp(2018, 1, 1)])
def test_a_cell_that_is_no_number_is_refused_without_showing_it(book, cell):
    row = cells(FIRST)
    row[3] = cell
    text = refusal(book(cells(HEADER), row))
    assert "row 2, column `employment_headcount` (chimie, D1Z40, 2018): not a number\n" in text


def test_the_sheet_named_like_the_table_is_read(book):
    path = book(cells(HEADER), cells("chimie,D1Z40,2018,7,observed,own,3,50,x"), title="employment")
    workbook = openpyxl.load_workbook(path)
    workbook.create_sheet("notes", 0).append(["Lisez-moi"])
    workbook.save(path)
    assert read_table(path, "employment")["employment_headcount"].tolist() == [7.0]


def test_several_sheets_without_that_name_are_refused_rather_than_guessed(book):
    path = book(cells(HEADER), cells(SECOND))
    workbook = openpyxl.load_workbook(path)
    workbook.create_sheet("notes", 0).append(["Lisez-moi", "année"])
    workbook.save(path)
    assert len(read_table(path, "employment")) == 1
    workbook.copy_worksheet(workbook["Feuil1"])
    workbook.save(path)
    assert "several sheets that may be the table: Feuil1, Feuil1 Copy" in refusal(path)


def test_rows_are_counted_as_the_spreadsheet_shows_them(write):
    wrong = FIRST.replace("1200", "-4")
    text = refusal(
        write(HEADER, SECOND.replace("enquete", '"enquete\n"'), "", wrong), kind=RangeError
    )
    assert "emplois.csv, row 4, column `employment_headcount`" in text


def test_a_row_with_a_cell_too_many_is_refused(write):
    assert refusal(write(HEADER, FIRST.replace("1200", "1,200"))) == (
        "1 defect\n  emplois.csv, row 2: 10 cells where the header has 9\n"
        "    expected: 9 cells\n"
        "    what to do: put each cell under a title; in CSV, a comma in a number needs `;` around"
    )


def test_a_row_with_a_cell_too_few_is_refused(write):
    assert "row 3: 8 cells where the header has 9" in refusal(
        write(HEADER, SECOND, FIRST.replace(",enquete", ""))
    )


def test_an_own_table_may_not_call_itself_public(write):
    text = refusal(write(HEADER, FIRST.replace("own", "public")), kind=ScopeError)
    assert "column `origin` (chimie, D1Z40, 2018): your own table calls this row public" in text


def test_the_rest_of_the_metiers_may_close_an_own_table(write):
    frame = read_table(write(HEADER, FIRST.replace("D1Z40", "autres_metiers")), "employment")
    assert frame["metier_code"].tolist() == ["autres_metiers"]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("ENS", "all occupations together"),
        ("D1Z", "a family of métiers"),
        ("A", "a family of métiers"),
        (FAP_2021_ONLY, "a code of FAP-2021"),
    ],
)
def test_an_own_table_speaks_of_metiers_only(write, code, why):
    fix = "give one row to each métier, and autres_metiers for the rest"
    if code == FAP_2021_ONLY:
        fix = "write the code of FAP-2009, or count these jobs in autres_metiers"
    assert refusal(write(HEADER, FIRST.replace("D1Z40", code)), kind=ScopeError) == (
        f"1 defect\n  emplois.csv, row 2, column `metier_code` (chimie, 2018): {why}, not a métier "
        f"of FAP-2009 (found: {code})\n"
        "    expected: a code of level fap225 of FAP-2009 in table `metiers`, such as D1Z40, or "
        "autres_metiers\n"
        f"    what to do: {fix}"
    )


@pytest.mark.parametrize("nature", ["estimate", "official_projection"])
def test_an_own_table_holds_what_was_observed_only(write, nature):
    assert refusal(write(HEADER, FIRST.replace("observed", nature)), kind=ScopeError) == (
        "1 defect\n  emplois.csv, row 2, column `nature` (chimie, D1Z40, 2018): your own table "
        "holds what was not observed\n    expected: observed\n"
        "    what to do: keep what was counted and leave the other rows out: estimates and "
        "projections are made by the project"
    )


def test_rows_of_another_branch_are_refused(write):
    text = refusal(
        write(HEADER, FIRST), kind=ScopeError, rules=[branch_rule("textile", ["chimie"])]
    )
    assert "row 2, column `branch_code` (D1Z40, 2018): a row of another branch" in text


def test_an_unknown_branch_is_not_another_branch(write):
    path = write(HEADER, FIRST.replace("chimie", "chimi"))
    with pytest.raises(ScopeError, match=r"1 defect\n.*unknown branch(.|\n)*did you mean `chimie`"):
        read_supplied(path, "employment", "chimie")


def test_keys_that_could_not_be_read_are_not_compared(write):
    line = FIRST.replace("2018", "deux")
    text = refusal(write(HEADER, line, line))
    assert text.count("column `year`") == 2
    assert "same key" not in text


def test_decimals_and_empty_days_of_parquet_are_read(tmp_path):
    path = tmp_path / "emplois.parquet"
    frame = pd.DataFrame([FIRST.split(",")], columns=HEADER.split(",")).astype({"year": "int64"})
    numbers = {"employment_headcount": "1200.5", "units_count": "12", "largest_share_pct": "40.5"}
    frame.assign(**{name: [Decimal(text)] for name, text in numbers.items()}).to_parquet(path)
    assert read_table(path, "employment")["employment_headcount"].tolist() == [1200.5]
    days = pd.to_datetime(["2025-03-31", None])
    fiches = {"fiche_code": ["RNCP1", "RNCP2"], "title": "a", "active": "yes", "origin": "public"}
    fiches["framework_level"] = "5"
    pd.DataFrame({**fiches, "starts_on": days, "ends_on": pd.NaT}).to_parquet(path)
    table = read_table(path, "rncp_fiches", "public")
    assert table["starts_on"].tolist() == ["2025-03-31", ""]
    assert table["ends_on"].tolist() == ["", ""]


def test_no_message_shows_a_value_of_an_own_table(write):
    secret = "98765"
    lines = [
        f"chimie,D1Z40,2018,-{secret},observed,own,12,40.5,enquete",
        f"chimie,D1Z41,2018,{secret}x,observed,own,12,{secret},enquete",
        f"chimie,D1Z40,{secret},1,observed,own,12.5,40.5,enquete",
        f"chimie,{secret},2018,1,{secret},{secret},12,40.5,enquete",
    ]
    text = refusal(write(HEADER, *lines), kind=DataError)
    assert secret not in text
    assert text.startswith("8 defects")


def test_every_defect_of_a_table_is_raised_once(write):
    lines = [
        FIRST.replace("1200", "-4"),
        SECOND.replace("chimie", "chimi"),
        SECOND.replace("D1Z41", "D1Z4"),
        SECOND.replace("observed", "observe"),
        SECOND + ",",
        SECOND + ",x",
    ]
    text = refusal(write(HEADER, *lines), kind=DataError)
    assert text.startswith("6 defects")
    for row in range(2, 8):
        assert f"emplois.csv, row {row}" in text


def test_a_csv_with_an_open_quote_is_refused(write):
    text = refusal(write(HEADER, FIRST.replace("enquete", '"enquete'), SECOND))
    assert "emplois.csv, line 3: not CSV: unexpected end of data" in text


@pytest.mark.parametrize("encoding", ["mac_roman", "cp850"])
def test_another_encoding_is_refused_with_its_line_and_how_to_save(write, encoding):
    text = refusal(write(HEADER, FIRST.replace("enquete", "enquêté"), encoding=encoding))
    assert text.startswith("1 defect\n  emplois.csv, line 2: byte 0x")
    assert text.endswith("what to do: save it again as “CSV UTF-8”, or as XLSX")


@pytest.mark.parametrize("name", ["emplois.xlsx", "emplois.parquet"])
def test_a_damaged_file_is_refused(write, name):
    assert f"{name}: damaged or cut short" in refusal(write("PK", name=name))


def test_a_workbook_damaged_inside_is_refused(book):
    path = book(cells(HEADER), cells(FIRST))
    with zipfile.ZipFile(path) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"][:-20]
    with zipfile.ZipFile(path, "w") as damaged:
        for name, content in parts.items():
            damaged.writestr(name, content)
    assert "emplois.xlsx: not a readable workbook" in refusal(path)


def test_another_kind_of_file_is_refused(write):
    former = write("\xd0\xcf\x11\xe0", name="emplois.xls", encoding="latin-1")
    assert "an old workbook (XLS), or one with a password" in refusal(former)


def test_an_absent_file_is_refused(tmp_path):
    assert refusal(tmp_path / "emplois.csv") == (
        "1 defect\n  emplois.csv: no such file\n    expected: a table\n"
        "    what to do: correct the path"
    )


@pytest.mark.parametrize("lines", [[], [""], [HEADER], [HEADER, ",,,,,,,,"]])
def test_a_table_without_rows_is_refused(write, lines):
    assert refusal(write(*lines)) == (
        "1 defect\n  emplois.csv: the table is empty\n    expected: a header and at least one row\n"
        "    what to do: fill it in"
    )


def test_messages_name_a_file_from_the_root_of_its_project(write, tmp_path):
    (tmp_path / "parameters").mkdir()
    (tmp_path / "data").mkdir()
    path = write(HEADER, FIRST.replace("1200", "-1"), name="data/emplois.csv")
    assert "  data/emplois.csv, row 2," in refusal(path, kind=RangeError)
