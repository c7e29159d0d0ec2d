from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from opmq_lib.errors import SchemaError
from opmq_lib.show import downloads

TABLE = pd.DataFrame(
    {"idcc_code": ["00044", "1E05"], "value": [1 / 3, None], "status": ["value", "nd"]}
)


def test_codes_keep_their_zeros_in_both_formats(tmp_path: Path) -> None:
    downloads.write_results({"emplois": TABLE}, str(tmp_path), "livre")
    csv = pd.read_csv(tmp_path / "emplois.csv", dtype="str")
    xlsx = pd.read_excel(
        tmp_path / "livre.xlsx", sheet_name="emplois", dtype="str", engine="openpyxl"
    )
    assert csv["idcc_code"].tolist() == xlsx["idcc_code"].tolist() == ["00044", "1E05"]


def test_an_absent_value_is_an_empty_field_with_its_reason(tmp_path: Path) -> None:
    downloads.write_results({"emplois": TABLE}, str(tmp_path), "livre")
    assert (tmp_path / "emplois.csv").read_text().splitlines()[2] == "1E05,,nd"


def test_a_text_that_looks_like_a_formula_or_an_address_stays_a_text(tmp_path: Path) -> None:
    texts = ['=HYPERLINK("a")', "+1", "-1", "@a", "mailto:a"]
    downloads.write_results({"emplois": pd.DataFrame({"label": texts})}, str(tmp_path), "livre")
    sheet = openpyxl.load_workbook(tmp_path / "livre.xlsx")["emplois"]
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert [(cell.value, cell.data_type, cell.hyperlink) for cell in cells] == [
        (text, "s", None) for text in texts
    ]


def test_the_last_bits_of_a_number_change_no_byte(tmp_path: Path) -> None:
    for folder, noise in (("a", 0.0), ("b", 1e-15)):
        table = TABLE.assign(value=TABLE["value"] + noise)
        downloads.write_results({"emplois": table}, str(tmp_path / folder), "livre")
    for name in ("emplois.csv", "livre.xlsx"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_failure_leaves_the_former_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads.write_results({"emplois": TABLE}, str(tmp_path), "livre")
    before = (tmp_path / "emplois.csv").read_bytes()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        downloads.write_results({"emplois": TABLE.head(1)}, str(tmp_path), "livre")
    assert (tmp_path / "emplois.csv").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_one_error_in_french(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SchemaError) as refused:
        downloads.write_results({"emplois": TABLE}, str(tmp_path / "file"), "livre", "chimie")
    shown = "\n".join(refused.value._render_traceback_()).replace("\u00a0", " ")
    assert "on ne peut pas y écrire : ce n’est pas un dossier" in shown
    assert "nommez-en un autre dans la première cellule" in shown


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx", "t.parquet"])
def test_one_table_is_written_whole_in_any_format_with_the_same_bytes(
    tmp_path: Path, name: str
) -> None:
    table = pd.DataFrame({"series_code": ["0016", "b"], "value": [1 / 3, 2.0]})
    first, second = tmp_path / "one" / name, tmp_path / "two" / name
    for path in (first, second):
        downloads.write_table(table, path)
    assert first.read_bytes() == second.read_bytes()
    assert [path.name for path in first.parent.iterdir()] == [name]


def test_a_file_that_cannot_be_written_is_refused_before_its_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="not a kind of file that can be written"):
        downloads.write_table(pd.DataFrame(), tmp_path / "new" / "t.ods")
    assert not (tmp_path / "new").exists()
