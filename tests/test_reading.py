"""A producer's file in whatever state: read right, or refused in words, in bounded memory."""

import hashlib
import os
import random
import tracemalloc
import zipfile
from datetime import time
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from opmq_lib import tables
from opmq_lib.errors import DataError, SchemaError
from opmq_lib.sources import loading, reading, table_files
from opmq_lib.sources.producers import (
    basins,
    bmo,
    dares_2030,
    dares_branches,
    dares_portraits,
    hires,
    tension_2021,
    urssaf,
)
from opmq_lib.sources.project import find_root
from opmq_lib.sources.reading import Layout, Read, read

FULL = bool(os.environ.get("OPMQ_TEST_FULL"))
LAYOUT = Layout({"metier_code": ("Fap",), "label": ("Libellé",), "heads": ("Effectif {yyyy}",)})
LINES = ["Fap;Libellé;Effectif 2023", "A0Z00;Élèves;1 036,5", "B0Z00;Équipage;", "C0Z00;Ça;0"]
RIGHT = {
    "metier_code": ["A0Z00", "B0Z00", "C0Z00"],
    "label": ["Élèves", "Équipage", "Ça"],
    "heads": ["1 036,5", "", "0"],
}


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def workbook(path: Path, rows: list[list[object]], sheet: str = "Feuil1") -> Path:
    book = openpyxl.Workbook()
    book.worksheets[0].title = "Description"
    page = book.create_sheet(sheet)
    for row in rows:
        page.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_encodings_and_separators_are_found(tmp_path: Path, encoding: str, separator: str) -> None:
    lines = [line.replace("1 036,5", "1036.5").replace(";", separator) for line in LINES]
    found = read(written(tmp_path / "a.csv", "\n".join(lines), encoding), LAYOUT)
    assert found.rows.to_dict("list") == RIGHT | {"heads": ["1036.5", "", "0"]}


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(LINES),
        "\r\n".join(LINES) + "\r\n",
        "\r".join(LINES),
        "\n".join(f'"{line.replace(";", chr(34) + ";" + chr(34))}"' for line in LINES),
        "\n".join(["Source : Dares", "", "lu;le;2 mai;", *LINES]),
        "\n".join([*LINES[:1], ";;", *LINES[1:], ";;"]),
        "\n".join(LINES).replace("1 036,5", "1\u202f036,5").replace("A0Z00", "\tA0Z00\u00a0"),
        "\n".join(LINES).replace("Fap;", "FAP  ;").replace("Effectif 2023", "effectif_2024"),
        "\n".join(LINES).replace("B0Z00;Équipage;", "B0Z00;Équipage;NA"),
    ],
    ids=["lf", "crlf", "cr", "quoted", "lower", "blank", "blanks", "titles", "na"],
)
def test_what_can_be_read_right_is(tmp_path: Path, text: str) -> None:
    found = read(written(tmp_path / "a.csv", text), LAYOUT)
    assert found.rows.to_dict("list") == RIGHT
    assert loading.numbers(found.rows["heads"]).tolist()[::2] == [1036.5, 0.0]


def test_shuffled_columns_repeated_rows_and_unknown_columns_are_told(tmp_path: Path) -> None:
    lines = ["Note;Effectif 2024;Fap;Libellé", "x;3;A0Z00;Élèves", "x;3;A0Z00;Élèves"]
    found = read(written(tmp_path / "a.csv", "\n".join(lines)), LAYOUT)
    assert found.rows.to_dict("list") == {
        "metier_code": ["A0Z00"],
        "label": ["Élèves"],
        "heads": ["3"],
    }
    assert (found.unknown, found.repeated) == (("Note",), 1)
    assert found.sha256 == hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_a_missing_column_is_told_with_the_nearest(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "Fap;Libelles;Effectif\nA;b;1\n")
    with pytest.raises(SchemaError) as caught:
        read(path, LAYOUT)
    assert [each.fix for each in caught.value.defects] == [
        "did you mean `Libelles`?",
        "did you mean `Effectif`?",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the table is empty"),
        (b" \n\n", "the table is empty"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "a page"),
        (b"\xef\xbb\xbf  <html><table></table>", "a page"),
        ("\n".join(LINES).encode().decode("cp1252").encode(), "encoded twice"),
        (b"\x89PNG\r\n\0\0\0\rIHDR", "not a text"),
        (b"x" * 3_000_000, "in one line"),
        (b'"' + b"x\n" * 200_000, "field larger than"),
        (b"a;b;c\n1;2;3\n", "no line of titles"),
        ("\n".join([*LINES, "D0Z00;x", "E0Z00;y;1;2"]).encode(), "2 defects"),
        ("\n".join([*LINES, 'D0Z00;"x;1']).encode(), "unexpected end of data"),
        (b"Fap;Libell\xc3\xa9;Libell\xc3\xa9;Effectif 2023\nA;b;c;1\n", "two columns"),
        (b"PK\x03\x04" + b"x" * 500, "damaged"),
    ],
    ids=[
        *(
            "empty",
            "blank",
            "html",
            "html-bom",
            "twice",
            "binary",
            "endless",
            "unclosed",
            "other",
        ),
        *("ragged", "quote", "twins", "zip"),
    ],
)
def test_what_is_damaged_is_refused_in_words(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(SchemaError, match=said):
        read(path, LAYOUT)
    with pytest.raises(SchemaError):
        dares_branches.load({"portraits": path})
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


SURVEY = [
    *("annee", "Code métier BMO", "Nom métier BMO", "Famille_met", "Lbl_fam_met", "REG"),
    *("NOM_REG", "Dept", "NomDept", "BE26", "NOMBE26", "clpe", "met", "xmet", "smet"),
]
LINE = [2026, "C0X30", "Ouvriers", "I", "x", "84", "ARA", "69", "Rhône", 8401, "LYON", "x"]


def test_the_survey_of_2026_is_read_by_its_declared_layout(tmp_path: Path) -> None:
    rows = [SURVEY, [*LINE, "20", "*", "*"], [*LINE[:9], 8402, *LINE[10:], "*", "*", "*"]]
    path = workbook(tmp_path / "Base_open_data_BMO_2026.xlsx", rows, "BMO_2026_open_data")
    given = bmo.load({"2026": path})
    assert given["recruitment_intentions"][1].unknown == ()
    (row,) = given["recruitment_intentions"][0].to_dict("records")
    assert row["projects_count"] == 20
    assert pd.isna(row["hard_to_fill_count"])
    assert (row["projects_secret_cells_count"], row["status"]) == (1, "lower_bound")
    with pytest.raises(SchemaError, match="not one declared year: 2031"):
        bmo.load({"": workbook(path, [SURVEY, [2031, *LINE[1:], 5, 5, 5]], "BMO 2026 open data")})
    with pytest.raises(SchemaError, match=r"two rows that differ"):
        bmo.load({"": workbook(path, [*rows[:2], [*LINE, 6, 5, 5]], "BMO_2026_open_data")})
    mixed = [LINE[0], "D1Z40", *LINE[2:], 5, 5, 5]
    with pytest.raises(SchemaError, match=r"not of FAP-2021 \(found: D1Z40\)"):
        bmo.load({"": workbook(path, [*rows, mixed], "BMO_2026_open_data")})
    with pytest.raises(SchemaError, match="not a whole number"):
        bmo.load({"": workbook(path, [SURVEY, [*LINE, "12,5", 5, 5]], "BMO_2026_open_data")})
    with pytest.raises(SchemaError, match="not a number"):
        bmo.load({"": workbook(path, [SURVEY, [*LINE, "beaucoup", 5, 5]], "BMO_2026_open_data")})


def test_a_workbook_that_is_not_the_one_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [SURVEY], "Feuil2")
    with pytest.raises(SchemaError, match="sheets Description, Feuil2"):
        read(path, bmo.LAYOUT)
    whole = path.read_bytes()
    for cut in (100, len(whole) // 2, len(whole) - 10):
        path.write_bytes(whole[:cut])
        with pytest.raises(SchemaError, match="damaged or cut short"):
            read(path, bmo.LAYOUT)


def test_of_several_sheets_the_one_that_has_the_columns_is_read(tmp_path: Path) -> None:
    rows = [["code_fap_228", "annee", "tension", "tension_discret"], ["C0X30", 2031, 0.5, 4]]
    path = workbook(tmp_path / "dares_tension_fap2021.xlsx", rows, "National")
    (row,) = tension_2021.load({"tension": path})["tension_2021"][0].to_dict("records")
    assert (row["metier_2021_code"], row["year"], row["tension_class"]) == ("C0X30", 2031, 4)
    workbook(path, [*rows, ["C0X30", 2030, 0.1, 1], ["C2X70", 2030, 0.2, 2]], "National")
    given = tension_2021.load({"tension": path})
    assert given["tension_2021"][0]["year"].tolist() == [2031]
    assert given["tension_2021"][1].dropped == {"année antérieure": 2}
    book = openpyxl.load_workbook(path)
    book.copy_worksheet(book["National"]).title = "Régional"
    book.save(path)
    with pytest.raises(SchemaError, match=r"may be the table: National, Régional\n.*one sheet"):
        tension_2021.load({"tension": path})


def test_cells_of_a_workbook_are_texts_as_one_reads_them(tmp_path: Path) -> None:
    layout = Layout({"a": ("A",), "b": ("B",), "c": ("C",)}, sheet="Feuil1")
    day = pd.Timestamp("2024-03-01").to_pydatetime()
    rows = [["Titre"], [], ["A", "B", "C"], [101, 1.5, day], ["0101", time(8, 30), True]]
    found = read(workbook(tmp_path / "a.xlsx", rows), layout).rows
    assert found["a"].tolist() == ["101", "0101"]
    assert found.loc[0, ["b", "c"]].tolist() == ["1.5", "2024-03-01"]


def test_a_zip_bomb_and_a_sheet_without_end_never_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PRODUCER", reading.PRODUCER._replace(most_mb=20))
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (21 << 20))
    assert bomb.stat().st_size < 30_000
    far = workbook(tmp_path / "far.xlsx", [["Fap", "Libellé", "Effectif 2023"]])
    book = openpyxl.load_workbook(far)
    book["Feuil1"]["XFD1048576"] = 1
    book.save(far)
    tracemalloc.start()
    with pytest.raises(SchemaError, match="too large"):
        read(bomb, LAYOUT)
    with pytest.raises(SchemaError, match="a sheet of 1048576 rows and 16384 columns"):
        read(far, Layout(LAYOUT.columns, sheet="Feuil1"))
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()


def test_what_is_dropped_is_counted_once_with_its_first_reason() -> None:
    rows = pd.DataFrame({"code": ["a", "b", "c"]})
    drop = {"one": rows["code"] == "a", "two": rows["code"].isin(["a", "b"])}
    found = Read(rows, "a.csv", "0", repeated=2)
    table, record = loading.kept(rows, found, hires.PRODUCER, drop)
    assert table["code"].tolist() == ["c"]
    twice = {"ligne répétée dans le fichier": 2}
    assert (record.rows_read, record.rows_kept) == (5, 1)
    assert record.dropped == twice | {"one": 1, "two": 1}


def test_a_zero_is_kept_unless_its_family_says_otherwise(tmp_path: Path) -> None:
    lines = [
        ("M", 9), ("M0Z", 9), ("M0Z90", 4), ("M0Z91", 0),  # five of the family are nowhere
        ("A", 3), ("A0Z", 3), ("A0Z00", 0), ("A0Z40", 3),  # true: nobody is an employee
        ("L", 8), ("L5Z", 2), ("L6Z", 0), ("L5Z90", 2), ("L6Z00", 0),  # the family is not known
        ("Ensemble", 20), ("T2Z", 1),
    ]  # fmt: skip
    text = "Fap,sumeffsal,libelle\n" + "".join(f"{code},{value},x\n" for code, value in lines)
    path = written(tmp_path / "effectifsalarie_hors_app_3niv.csv", text)
    given = dares_portraits.load({"employees": path})
    table, record = given["employees_national"]
    assert {code for code, _ in lines} - set(table["metier_code"]) == {
        "M0Z91", "L6Z", "L6Z00", "T2Z", "Ensemble"
    }  # fmt: skip
    assert table.set_index("metier_code")["employees_headcount"]["ENS"] == 20_000
    assert record.dropped == {"somme publiée deux fois": 1, "zéro que la famille contredit": 3}


PROJECTIONS = [names[0] for names in dares_2030.LAYOUT.columns.values()]


def projections(path: Path, region: str) -> pd.DataFrame:
    titles = ",".join(PROJECTIONS).replace("{yyyy}", "2022")
    row = ["D1Z", region, "10", "1", "2", "-3", "0.5", "0.5"]
    written(path, f"{titles}\n{','.join(row)}\n")
    return dares_2030.load({"regions": path})["official_projections"][0]


def test_years_of_projections_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "dares_metiers_2035_regions.csv"
    (row,) = projections(path, "Bretagne").to_dict("records")
    assert (row["base_year"], row["horizon_year"], row["region_code"]) == (2022, 2035, "53")
    assert row["young_beginners_headcount"] == 3_000
    with pytest.raises(SchemaError, match="unknown region"):
        projections(path, "Bretogne")


def test_employees_by_activity_are_shared_between_branches_and_a_gap_is_no_zero(
    tmp_path: Path,
) -> None:
    """A file generated from the documented layout: not verified on a real one."""
    weights = table_files.read_convention("naf_branch", find_root())
    codes = weights["naf_code"].unique()
    lines = ["code_commune;code_ape;nombre_d_etablissements_2022;effectifs_salaries_2022;"
             "effectifs_salaries_2023", *(f"69001;{code};1;100;110" for code in codes),
             "69002;5610A;9;50;60", f"69002;{codes[0]};1;1 000;"]  # fmt: skip
    path = written(tmp_path / "etablissements-et-effectifs.csv", "\n".join(lines))
    given = urssaf.load({"employees": path})
    table, record = given["branch_totals"]
    assert not record.verified
    assert record.dropped == {"activité d’aucune branche": 2, "non publié": 1}
    totals = table.groupby("year")["employees_headcount"].sum()
    assert totals[2022] == pytest.approx(100 * len(codes) + 1000, rel=1e-9)
    assert totals[2023] == pytest.approx(110 * len(codes), rel=1e-9)
    shared = weights[weights["naf_code"] == codes[1]]
    without = [line for line in lines if codes[1] not in line]
    path.write_text("\n".join([*without, f"69001;{codes[1]};1;;"]), encoding="utf-8")
    less = urssaf.load({"employees": path})["branch_totals"][0]
    assert not set(less["branch_code"]) & set(shared["branch_code"])
    tables.check("branch_totals", less, "urssaf")


ODD = ["", "NA", "*", "-1", "1e300", "2,5", "inf", "x", "2018.5", "\u00a0", "A0Z00", "1 2 3", "=1"]


def test_files_with_odd_bytes_and_cells_are_read_or_refused_never_crash(tmp_path: Path) -> None:
    texts = {
        (basins, "basins"): "annee;ROME;cbassin;ind_tension_d\n2021;A1413;0203;5\n2021;F1402;11;2",
        (hires, "hires"): "rome_id,rome_label,naf_id,naf_label,hirings\nA1101,x,2059Z,y,12",
        (tension_2021, "tension"): "fap228,year,tension_index,tension_class\nC0X30,2024,0.5,4",
        (dares_portraits, "employment"): "Annee,A0Z,A0Z00,ENS\n2017,1.5,1.5,3\n2018,2,2,4",
        (dares_portraits, "seekers"): "Fap3,Annee,Effectifs,Categorie\nA0Z,1997,23.05,A",
        (dares_portraits, "ages"): "Fap,annee,effectif,age,pourcentage\nA0Z00,2003-2005,1,x,0.1",
    }
    chance, path = random.Random(20), tmp_path / "a.csv"
    counts = {"read": 0, "refused": 0}
    for _ in range(5000 if FULL else 100):
        (loader, name), text = chance.choice(list(texts.items()))
        if chance.random() < 0.7:
            separator = ";" if ";" in text else ","
            head, *lines = [line.split(separator) for line in text.split("\n")]
            line = chance.choice(lines)
            line[chance.randrange(len(line))] = chance.choice(ODD)
            content = "\n".join(map(separator.join, [head, *lines])).encode()
        else:
            content = bytearray(text.encode())
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(bytes(content))
        try:
            loader.load({name: path})
            counts["read"] += 1
        except DataError:
            counts["refused"] += 1
    assert min(counts.values()) > 10
