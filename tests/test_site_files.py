"""What readers download: whole, readable in a spreadsheet, the same bytes every time."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import site_edition as given

from opmq_lib import site
from opmq_lib.errors import DataError
from opmq_lib.show import frames, workbook
from opmq_lib.site import files
from opmq_lib.sources import study

TABLE = (
    "branch_code,metier_code,region_code,year,indicator,value,lower,status,label,origin\n"
    "chimie,E2Z70,FM,2018,employment_headcount,32261.20671,-0.012345678,value,=HYPERLINK(1),public\n"
    'chimie,E1Z40,FM,2018,employment_headcount,,,s,"+33 ; « a »",public\n'
)
UNITS = "indicator,value,lower,unit,origin\na,12,11,headcount,public\nb,3,2,pct,public\n"


def built(root: Path, **tables: str) -> Path:
    given.project(root)
    files = {f"{name}.csv": text for name, text in tables.items()}
    given.run(root, "chimie", "01_emplois", given.figures_notebook(), files)
    return site.render(root).site / "telechargements/chimie"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    one, none = UNITS.replace("pct", "headcount"), UNITS.replace("unit", "criterion")
    return built(folder, essai=TABLE, unites=UNITS, personnes=one, criteres=none)


def rows(folder: Path, name: str) -> list[list[str]]:
    with zipfile.ZipFile(folder / "chimie_csv.zip") as archive:
        text = archive.read(name)
    assert text.startswith("\ufeff".encode())
    return [*csv.reader(io.StringIO(text.decode("utf-8-sig")), delimiter=";")]


def test_the_archive_opens_in_a_french_spreadsheet_and_no_text_is_a_formula(folder: Path) -> None:
    header, first, second = rows(folder, "01_emplois/essai.csv")
    assert header == TABLE.splitlines()[0].split(",")[:-1]  # all but `origin`
    assert first[5:] == ["32260", "-0,01235", "value", "'=HYPERLINK(1)"]
    assert second[5:] == ["", "", "s", "'+33 ; « a »"]


def sheet(folder: Path, name: str) -> list[tuple[Any, ...]]:
    return [*openpyxl.load_workbook(folder / "chimie.xlsx")[name].iter_rows(values_only=True)]


def test_the_workbook_has_french_titles_with_units_and_labels_beside_codes(folder: Path) -> None:
    header, first, second = sheet(folder, "01_essai")
    assert header[:6] == (
        "Branche : code",
        "Branche",
        "Métier : code",
        "Métier",
        "Région (FM : France métropolitaine, FR : France entière) : code",
        "Région (FM : France métropolitaine, FR : France entière)",
    )
    assert first[1] == "Industries chimiques"
    assert first[3].startswith("Techniciens")
    assert first[-5:] == (32260, -0.01235, "value", "la valeur est donnée", "=HYPERLINK(1)")
    assert second[-5:] == (None, None, "s", "secret statistique", "+33 ; « a »")
    assert first[header.index("Indicateur")] == "Emplois du métier"


def test_a_column_is_titled_with_its_unit_or_where_to_read_it(folder: Path) -> None:
    several, one = (sheet(folder, name)[0] for name in ("01_unites", "01_personnes"))
    assert "Valeur (unité : voir la colonne « Unité »)" in several
    assert "Valeur (personnes)" in one
    assert "Borne basse (personnes)" in one
    assert {"Valeur", "Borne basse"} <= {*sheet(folder, "01_criteres")[0]}


def test_no_cell_of_a_workbook_is_a_formula(folder: Path) -> None:
    with zipfile.ZipFile(folder / "chimie.xlsx") as parts:
        texts = [parts.read(name).decode() for name in parts.namelist()]
    assert not any("<f>" in text for text in texts)


def test_a_first_sheet_says_what_states_and_letters_mean_and_where_tables_are(
    folder: Path,
) -> None:
    said = sheet(folder, "LISEZ-MOI")
    assert ("s", "secret statistique : la valeur existe, elle n’est pas montrée", None) in said
    assert (" ", "01_essai", "01_emplois/essai.csv") in [(row[0] or " ", *row[1:]) for row in said]


def test_notebooks_come_without_what_they_have_shown(folder: Path) -> None:
    with zipfile.ZipFile(folder / "chimie_notebooks.zip") as archive:
        notebook = json.loads(archive.read("01_emplois.ipynb"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert code
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)


def test_files_say_no_time(folder: Path) -> None:
    for path in folder.iterdir():
        with zipfile.ZipFile(path) as archive:
            assert {each.date_time for each in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_path_of_a_machine_in_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="path of a machine"):
        built(tmp_path / "a", notes="label,origin\n/home/marie/etude.csv,public\n")


def test_four_absences_and_a_true_zero_stay_apart_in_every_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(given.PROJECT)
    states = ["s", "nd", "np", "nv", "value"]
    table = pd.DataFrame({"value": [None] * 4 + [0.0], "status": states})
    columns = files.columns_of(study.text_columns(table.to_csv(index=False).encode()))
    lines = files.french_csv(columns).decode("utf-8-sig").split()
    assert lines == ["value;status", ";s", ";nd", ";np", ";nv", "0;value"]
    book = openpyxl.load_workbook(io.BytesIO(workbook.book({"a": files.titled(columns)})))
    meant = ["secret statistique", "non disponible", "sans objet", "non validé"]
    absent = list(zip([None] * 4, states, meant, strict=False))
    assert [*book["a"].iter_rows(min_row=2, values_only=True)] == [
        *absent,
        (0, "value", "la valeur est donnée"),
    ]
    shown = frames.frame(table).html
    names = [f'<abbr class="opmq-absent" title="{m}">{s}</abbr>' for _, s, m in absent]
    assert all(shown.count(each) == 1 for each in (*names, '<span class="n">0</span>'))
