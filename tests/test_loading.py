"""Reading what producers publish: encodings, what is dropped and why, what is recorded."""

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from opmq_lib.errors import SchemaError
from opmq_lib.sources import dares_2030, dares_portraits, loading


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_encodings_blanks_and_absences_are_read(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "a.csv", "Fap ;Libellé\nA0Z00; Élé\u00a0veurs  x \nB0Z;NA\n", encoding)
    found = loading.cells(path, {"Libellé": "label", "Fap": "metier_code"}, ";")
    assert found.to_dict("list") == {"label": ["Élé veurs x", ""], "metier_code": ["A0Z00", "B0Z"]}


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "Fap,Milliers\nA,1\n")
    with pytest.raises(SchemaError, match=r"a.csv: missing columns \(found: Secteur\)"):
        loading.cells(path, {"Fap": "metier_code", "Secteur": "sector_code"})


def test_what_is_dropped_is_counted_once_with_its_first_reason(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "x")
    rows = pd.DataFrame({"code": ["a", "b", "c"]})
    drop = {"one": rows["code"] == "a", "two": rows["code"].isin(["a", "b"])}
    table, record = loading.kept(rows, path, dares_portraits.EDITION, drop)
    assert table["code"].tolist() == ["c"]
    assert (record.rows_read, record.rows_kept, record.dropped) == (3, 1, {"one": 1, "two": 1})
    assert record.sha256 == hashlib.sha256(b"x").hexdigest()


def test_a_zero_is_kept_unless_its_family_says_otherwise(tmp_path: Path) -> None:
    lines = [
        ("M", 9), ("M0Z", 9), ("M0Z90", 4), ("M0Z91", 0),  # five of the family are nowhere
        ("A", 3), ("A0Z", 3), ("A0Z00", 0), ("A0Z40", 3),  # true: nobody is an employee
        ("L", 8), ("L5Z", 2), ("L6Z", 0), ("L5Z90", 2), ("L6Z00", 0),  # the family is not known
        ("Ensemble", 20), ("T2Z", 1),
    ]  # fmt: skip
    text = "Fap,sumeffsal\n" + "".join(f"{code},{value}\n" for code, value in lines)
    table, record = dares_portraits._employees(write(tmp_path / "a.csv", text), 2018)
    absent = {code for code, _ in lines} - set(table["metier_code"])
    assert absent == {"M0Z91", "L6Z", "L6Z00", "T2Z", "Ensemble"}
    assert table.set_index("metier_code")["employees_headcount"]["ENS"] == 20_000
    assert record.dropped == {"somme publiée deux fois": 1, "zéro que la famille contredit": 3}


def test_years_of_projections_are_those_of_the_file(tmp_path: Path) -> None:
    columns = [*dares_2030._COLUMNS, "effectifs_2022_milliers"]
    row = ["D1Z", "Bretagne", "1", "2", "-3", "0.5", "0.5", "10"]
    text = f"{','.join(columns)}\n{','.join(row)}\n"
    path = write(tmp_path / "dares_metiers_2035_regions.csv", text)
    table = dares_2030.load({"regions": path}).tables["official_projections"]
    assert table.iloc[0][["base_year", "horizon_year", "region_code"]].tolist() == [
        2022,
        2035,
        "53",
    ]
    assert table.iloc[0]["young_beginners_headcount"] == 3_000


def test_an_unknown_region_is_named(tmp_path: Path) -> None:
    columns = [*dares_2030._COLUMNS, "effectifs_2022_milliers"]
    text = f"{','.join(columns)}\nD1Z,Bretogne,1,2,-3,0.5,0.5,10\n"
    path = write(tmp_path / "dares_metiers_2035_regions.csv", text)
    with pytest.raises(SchemaError, match="unknown region"):
        dares_2030.load({"regions": path})
