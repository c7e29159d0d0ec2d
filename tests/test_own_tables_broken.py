"""Broken own tables: one clear error or the right table, within bounded memory, never a traceback.

`OPMQ_TEST_FULL=1` reads a thousand mutated tables; a sample of them is read otherwise.
"""

import io
import os
import random
import resource
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from opmq_lib.errors import DataError
from opmq_lib.sources import parameters
from opmq_lib.sources.table_files import read_supplied
from opmq_lib.sources.validate import validate

ROOT = Path(__file__).parent.parent
COUNT = 1000 if os.environ.get("OPMQ_TEST_FULL") else 45
TITLES = ["Code métier", "Année", "Effectif", "Entreprises", "Part de la plus grande entreprise"]
METIERS = ("E1Z43", "D6Z70", "G1Z70", "E1Z40", "autres_metiers")
ROWS = [[metier, year, 100.5 + year, 12, 30.25] for metier in METIERS for year in (2022, 2023)]
RIGHT = "read right"


def csv(rows: list[list[Any]] = ROWS, titles: list[str] = TITLES) -> str:
    cells = [[str(cell).replace(".", ",") for cell in row] for row in rows]
    return "\n".join(";".join(row) for row in (titles, *cells))


def xlsx(rows: list[list[Any]] = ROWS, titles: list[Any] = TITLES) -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in (titles, *rows):
        book.active.append(row)
    book.save(content)
    return content.getvalue()


def ods(times: int = 1) -> bytes:
    """Return a workbook as LibreOffice writes it, its first row so many times."""

    def cell(value: Any) -> str:
        kind = f'float" office:value="{value}' if isinstance(value, int | float) else "string"
        text = f"<text:p>{value}</text:p>"
        return f'<table:table-cell office:value-type="{kind}">{text}</table:table-cell>'

    first, *others = ("".join(map(cell, row)) for row in (TITLES, *ROWS))
    lines = f'<table:table-row table:number-rows-repeated="{times}">{first}</table:table-row>'
    lines += "".join(f"<table:table-row>{each}</table:table-row>" for each in others)
    spaces = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    sheet = f'<table:table table:name="A">{lines}</table:table>'
    body = f"<office:body><office:spreadsheet>{sheet}</office:spreadsheet></office:body>"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as parts:
        parts.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        parts.writestr("META-INF/manifest.xml", "<manifest/>")
        parts.writestr(
            "content.xml", f"<office:document-content{spaces}>{body}</office:document-content>"
        )
    return content.getvalue()


def pack(frame: pd.DataFrame | None = None) -> bytes:
    content = io.BytesIO()
    (pd.DataFrame(ROWS, columns=TITLES) if frame is None else frame).to_parquet(content)
    return content.getvalue()


def bomb() -> bytes:
    content = io.BytesIO(xlsx())
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/media/picture.xml", b"0" * 60_000_000)
    return content.getvalue()


def many_rows() -> bytes:
    content = io.BytesIO()
    column = pa.DictionaryArray.from_arrays(np.zeros(12_000_000, np.int8), ["x" * 1000])
    parquet.write_table(pa.table({"Code métier": column}), content)
    return content.getvalue()


def without_sheet() -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    for name in ("Notes", "Contacts"):
        book.create_sheet(name).append(["à faire"])
    book.save(content)
    return content.getvalue()


PAGE = f"<html><body><table><tr><td>{csv()}</td></tr></table></body></html>"
CASES: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "truncated workbook": (".xlsx", lambda: xlsx()[:-900], "damaged or cut short"),
    "truncated Parquet": (".parquet", lambda: pack()[:-40], "not a readable Parquet file"),
    "truncated CSV": (".csv", lambda: csv()[:-12].encode(), "row 11: 3 cells where the header"),
    "wrong encoding": (".csv", lambda: csv().encode("mac_roman"), "line 1: byte 0x8e is not UTF-8"),
    "letters lost": (".csv", lambda: csv().replace("é", "\ufffd").encode(), "letters were lost"),
    "missing sheet": (".xlsx", without_sheet, "several sheets that may be the table: Notes, Con"),
    "shuffled columns": (
        ".xlsx", lambda: xlsx([row[::-1] for row in ROWS], TITLES[::-1]), RIGHT),
    "header moved down": (".csv", lambda: f"Effectifs\n\nau 31/12\n{csv()}".encode(), RIGHT),
    "decimal comma": (".csv", lambda: csv().encode(), RIGHT),
    "decimal comma in a CSV of commas": (
        ".csv", lambda: csv().replace(";", ",").encode(), "row 2: 7 cells where the header has 5"),
    "no-break spaces": (
        ".csv", lambda: csv().replace(";", "\u00a0;\u202f").replace("2122,5", "2\u00a0122,5")
        .encode(), RIGHT),
    "thousand separators": (
        ".csv", lambda: csv().replace("2122,5", "2.122,5").encode(),
        "row 2, column `Effectif` (ceramique, E1Z43, 2022): not a number"),
    "leading tab": (".csv", lambda: csv().replace("\n", "\n\t").encode(), RIGHT),
    "duplicated rows": (".xlsx", lambda: xlsx([*ROWS, ROWS[0]]), "row 12 (ceramique, E1Z43, 2022): "
                        "the same key as row 2"),
    "mixed nomenclatures": (".csv", lambda: csv().replace("D6Z70", "C0X30").encode(), "row 4, "
                            "column `Code métier` (ceramique, 2022): a code of FAP-2021, not"),
    "a page saved as CSV": (".csv", lambda: PAGE.encode(), "a page (HTML or XML), not CSV"),
    "a page saved as XLSX": (".xlsx", lambda: PAGE.encode(), "a page (HTML or XML), not CSV"),
    "a workbook named CSV": (".csv", xlsx, RIGHT),
    "a workbook in ODS": (".ods", ods, RIGHT),
    "rows without end in ODS": (".ods", lambda: ods(10**6), "a sheet of 1048576 rows"),
    "a PDF": (".csv", lambda: b"%PDF-1.4\n%\xe2\xe3", "a PDF, not a table"),
    "a workbook with a password": (".xlsx", lambda: b"\xd0\xcf\x11\xe0" * 99, "with a password"),
    "zip bomb": (".xlsx", bomb, "at most 50 MB, unpacked"),
    "bomb of Parquet": (".parquet", many_rows, "too large"),
    "empty CSV": (".csv", lambda: b"", "the table is empty"),
    "empty workbook": (".xlsx", lambda: xlsx([], []), "the table is empty"),
    "endless line": (".csv", lambda: csv().encode() + b"x" * 40_000_000, "more than 1,000,000 "),
    "endless file": (".csv", lambda: b"x;y\n" * 15_000_000, "at most 50 MB"),
    "one endless cell": (".csv", lambda: csv().encode() + b"x" * 900_000, "not CSV: field larger"),
    "lists": (".parquet", lambda: pack(pd.DataFrame({"Effectif": [[1, 2]], "Année": [2023]})),
              "column `Effectif`: lists or records in cells"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_corrupted_table_is_told_or_read_right(name: str, tmp_path: Path) -> None:
    ending, content, what = CASES[name]
    path = tmp_path / f"emplois{ending}"
    path.write_bytes(content())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if what == RIGHT:
        told = read_supplied(path, "employment", "ceramique")
        assert told["metier_code"].tolist() == [row[0] for row in ROWS]
        assert told["employment_headcount"].tolist() == [row[2] for row in ROWS]
    else:
        with pytest.raises(DataError) as caught:
            read_supplied(path, "employment", "ceramique")
        assert what in str(caught.value)
        for line in ("expected: ", "what to do: "):
            assert line in str(caught.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000
    assert list(tmp_path.iterdir()) == [path]


def test_a_loop_of_links_is_told(tmp_path: Path) -> None:
    path = tmp_path / "emplois.csv"
    path.symlink_to(path)
    with pytest.raises(DataError, match=r"emplois.csv: no such file"):
        read_supplied(path, "employment", "ceramique")
    assert not parameters.lies_inside(tmp_path, "emplois.csv")


# Mutations: what stands in a cell, in bytes, in parts of archives, in types of columns.

CELLS: list[Any] = [
    None, "", " ", "\u00a0", "0", "-1", "nd", "s", "1e300", "1e-400", "9" * 400, "NaN", "inf",
    "1 234,5", "1.234,5", "١٢", "\uff11\uff12", "1/3", "=A1", "#REF!", "12 %", "1;2", '"', "a\nb",
    "\x00", "é" * 300, "E1Z43", "C0X30", "ENS", "autres_metiers", "2023-02-30", True, 0, -5, 10**18,
    1e300, 1e-300, 2023.5, date(2023, 1, 1), datetime.fromisoformat("1900-01-01"), time(8, 30),
    time(0), timedelta(days=4000), timedelta(seconds=-1), "A" * 40_000, "\ud7ff\ufffe", "Année",
    "Effectif",
]  # fmt: skip
BYTES = [
    *(b"\x00", b'"', b'""', b";", b",", b"\n", b"\r", b"\t", b"\xff", b"\xef\xbb\xbf", b"\xe9"),
    *(b"\xa0", b"9" * 50, b"e99", b"<", b"\xff\xfe", b"'", b"=", b"-", b"PK\x03\x04"),
]


def scribble(content: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.randint(1, 6)):
        at, length = dice.randrange(len(content) + 1), dice.randint(0, 30)
        piece = dice.choice([b"", dice.choice(BYTES), content[at : at + length] * 2])
        content = content[:at] + piece + content[at + dice.choice([0, length]) :]
    return content[: dice.randrange(len(content) + 1)] if dice.random() < 0.1 else content


def shaken(dice: random.Random) -> list[list[Any]]:
    """Return the titles and rows with some cells replaced, left out, or put in."""
    rows: list[list[Any]] = [list(TITLES), *(list(row) for row in ROWS)]
    for _ in range(dice.randint(1, 5)):
        row = rows[min(dice.randrange(20), len(rows) - 1)] if dice.random() < 0.9 else rows[0]
        place = dice.randrange(len(row) + 1)
        cells = [dice.choice(CELLS)] * dice.choice([0, 1, 1, 1, 1, 2])
        row[place : place + dice.choice([0, 1, 1, 1, 1])] = cells
    return rows


def mutated_csv(dice: random.Random) -> tuple[str, bytes]:
    if dice.random() < 0.4:
        return ".csv", scribble(csv().encode(dice.choice(["utf-8", "cp1252"])), dice)
    titles, *rows = shaken(dice)
    text = csv(rows, [str(title) for title in titles])
    return dice.choice([".csv", ".txt"]), text.encode("utf-8", errors="replace")


def mutated_xlsx(dice: random.Random) -> tuple[str, bytes]:
    if dice.random() < 0.2:
        return ".xlsx", scribble(xlsx(), dice)
    if dice.random() < 0.4:
        content = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(xlsx())) as whole, zipfile.ZipFile(content, "w") as broken:
            chosen = dice.choice(whole.namelist())
            for name in whole.namelist():
                part = whole.read(name)
                broken.writestr(name, scribble(part, dice) if name == chosen else part)
        return ".xlsx", content.getvalue()
    titles, *rows = ([_cell(cell) for cell in row] for row in shaken(dice))
    return ".xlsx", xlsx(rows, titles)


def _cell(cell: Any) -> Any:
    """Return a cell that a workbook can hold."""
    return "?" if isinstance(cell, str) and ("\x00" in cell or "\ufffe" in cell) else cell


def mutated_parquet(dice: random.Random) -> tuple[str, bytes]:
    if dice.random() < 0.3:
        return ".parquet", scribble(pack(), dice)
    columns = {title: [row[at] for row in ROWS] for at, title in enumerate(TITLES)}
    count = len(ROWS)
    for _ in range(dice.randint(1, 3)):
        kind = dice.choice([
            [[1]] * count, [{"a": 1}] * count, [b"\xff"] * count, [time(8)] * count,
            [timedelta(1)] * count, [Decimal("1.5")] * count, [None] * count, [True] * count,
            [date(2023, 1, 1)] * count, [pd.Timestamp("2023-01-01")] * count, [1e300] * count,
            [2**63 - 1] * count, [float("nan")] * count, ["2023"] * count,
            pa.array(["E1Z43"] * count).dictionary_encode(), pa.nulls(count),
        ])  # fmt: skip
        columns[dice.choice([*TITLES, "autre", ""])] = kind
    content = io.BytesIO()
    parquet.write_table(pa.table(columns), content)
    return ".parquet", content.getvalue()


def test_no_mutated_table_ends_in_a_traceback(tmp_path: Path) -> None:
    dice = random.Random(18)
    ends = {"told": 0, "read": 0}
    for number in range(COUNT):
        make = dice.choice([mutated_csv, mutated_xlsx, mutated_parquet])
        ending, content = make(dice)
        path = tmp_path / f"{number}{ending}"
        path.write_bytes(content)
        with warnings.catch_warnings(action="ignore"):
            try:
                read_supplied(path, "employment", "ceramique")
            except DataError:
                ends["told"] += 1
            except Exception as error:
                raise AssertionError(f"{number}: {make.__name__}") from error
            else:
                ends["read"] += 1
            if number % 90 == 89:
                with suppress(DataError):
                    validate(ROOT, [path])
    assert ends["told"] > ends["read"] > 0
