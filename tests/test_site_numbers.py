"""Numbers of a page against their cells: a fault of each kind is found, a sound page has none."""

import hashlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from opmq_lib.runs import folders
from opmq_lib.show import workbook
from opmq_lib.site import numbers
from opmq_lib.site.manifest import Question, Run

CELLS = (
    "metier_code,value,lower,upper,unit\n"
    "A,3451.2,-120.4,8211,headcount\n"
    "B,3349.9,210,430,headcount\n"
    "C,3012,2.04,2.96,headcount\n"
    "D,12.44,43.1,,pct\n"
    "E,1234,,,count\n"
    "F,4.2,,,headcount\n"
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "t.csv").write_text(CELLS, encoding="utf-8")
    sha256 = hashlib.sha256(CELLS.encode()).hexdigest()
    record = {"outputs": {"t.csv": sha256}}
    question = Question("01_emplois", "branch", "Emplois")
    return Run("chimie", question, "ok", tmp_path, ("t.csv",), record)


@pytest.fixture
def known(run: Run) -> numbers.Tables:
    return numbers.of_runs([run])


def span(row: int, text: str, column: str = "value") -> str:
    return f'<span data-cell="t:{row}:{column}">{text}</span>'


def found(known: numbers.Tables, html: str) -> list[str]:
    page = f"<main>{html}</main>"
    read = list(numbers.read(page, "01_emplois", known))
    defects = [*numbers.of_numbers("p", read), *numbers.of_orders("p", page, read)]
    return [defect.what for defect in [*defects, *numbers.of_texts("p", page)]]


def table(*cells: str) -> str:
    rows = "".join(f"<tr><th>M</th><td>{cell}</td></tr>" for cell in cells)
    return f"<table><tbody>{rows}</tbody></table>"


@pytest.mark.parametrize(
    "html",
    [
        span(0, "3\u202f500"),  # two digits, 1.4 %
        span(0, "−120", "lower"),
        span(3, "12,4\u00a0%"),
        span(3, "12\u00a0%"),
        span(3, "43\u00a0%", "lower"),
        span(2, "2,0", "lower") + " à " + span(2, "3,0", "upper"),
        span(4, "1\u202f230"),  # requests, to ten
        span(5, "moins de\u00a010"),
        table(span(0, "3\u202f500"), span(1, "3\u202f300"), span(2, "3\u202f000")),
        "<li>L’emploi peut monter comme baisser ("
        + span(0, "−120", "lower")
        + span(0, "8\u202f200", "upper")
        + ").</li>",
        '<figure><div role="img" aria-label="Un dans 1 des 2, des moins de 50 salariés."></div>'
        f"<details>{table('12 %', '9 %')}</details></figure>",
    ],
)
def test_a_sound_page_has_no_defect(known: numbers.Tables, html: str) -> None:
    assert found(known, html) == []


@pytest.mark.parametrize(
    ("html", "what"),
    [
        (span(0, "3\u202f000"), "a number too far from its cell t:0:value"),
        (span(3, "12,3\u00a0%"), "a number too far from its cell t:3:value"),
        (span(3, "13\u00a0%"), "a number too far from its cell t:3:value"),
        (span(2, "2,2", "lower"), "a number too far from its cell t:2:lower"),
        (span(4, "1\u202f310"), "a number too far from its cell t:4:value"),
        (span(0, "moins de\u00a010"), "a number too far from its cell t:0:value"),
        (span(9, "3\u202f500"), "a number without cell"),
        (
            table(span(0, "3\u202f300"), span(1, "3\u202f400"), span(2, "3\u202f000")),
            "a sorted column out of order",
        ),
        (
            f"<li>Rien : on ne peut pas dire si l’emploi montera ({span(1, '210', 'lower')} à "
            f"{span(1, '430', 'upper')}).</li>",
            "a sentence against its interval",
        ),
        (
            '<figure><div role="img" aria-label="On part plus dans 2 des 3 métiers."></div>'
            f"<details>{table('2 %', '9 %')}</details></figure>",
            "a text alternative that differs from its table",
        ),
        (
            '<figure><div role="img" aria-label="12 % dans 17 branches sur 27."></div>'
            f"<details>{table('12 %', '17')}</details></figure>",
            "a text alternative that differs from its table",
        ),
        (
            '<figure><div role="img" aria-label="12 % partent, 7 % arrivent en 2030."></div>'
            f"<details>{table('12 %', '9 %')}</details></figure>",
            "a text alternative that differs from its table",
        ),
        ("<p>Il y a nan emplois.</p>", "no number where one is shown"),
        ("<td>NaN</td>", "no number where one is shown"),
    ],
)
def test_a_planted_fault_of_each_kind_is_found(known: numbers.Tables, html: str, what: str) -> None:
    assert found(known, html) == [what]


@pytest.mark.parametrize(("other", "count"), [("3\u202f450", 1), ("3\u202f500", 0)])
def test_a_cell_is_shown_in_one_form_on_all_pages_of_a_branch(
    run: Run, tmp_path: Path, other: str, count: int
) -> None:
    pages = {
        f"branches/chimie/{name}.html": f"<main>{span(0, text)}</main>"
        for name, text in (("00_rapport", other), ("01_emplois", "3\u202f500"))
    }
    branch = SimpleNamespace(code="chimie", runs={"01_emplois": run})
    edition: Any = SimpleNamespace(branches=[branch], common={})
    ways = [each for each in numbers.check(edition, tmp_path, pages) if "two ways" in each.what]
    assert len(ways) == count


@pytest.mark.parametrize(("text", "count"), [("3\u202f500", 0), ("4\u202f500", 1)])
def test_a_number_of_the_edition_before_is_read_where_its_tables_are_kept(
    run: Run, tmp_path: Path, text: str, count: int
) -> None:
    run = replace(run, folder=tmp_path / "2026/chimie/00_rapport", files=())
    run.record["parameters"] = {"previous_edition_id": "2025"}
    html = span(0, text).replace("t:0", "2025/t:0")
    assert found(numbers.of_runs([run]), html) == []
    folders.write(tmp_path / "2025/chimie/01_emplois/t.csv", CELLS.encode())
    assert len(found(numbers.of_runs([run]), html)) == count


def test_numbers_of_the_home_page_and_of_metiers_are_read_too(run: Run, tmp_path: Path) -> None:
    manifest: Any = SimpleNamespace(
        common={}, branches=[SimpleNamespace(code="chimie", runs={run.notebook: run})]
    )
    written = {
        "index.html": '<h3><a href="branches/chimie/index.html">Chimie</a></h3>',
        "metiers/A.html": "",
        "methode.html": "",
    }
    site = tmp_path / "site"
    pages = {name: f"<main>{before}{span(0, '4 500')}</main>" for name, before in written.items()}
    archive = workbook.packed({"t.csv": "\ufeffvalue;unit\r\n3532,5;headcount\r\n".encode()})
    folders.write(site / "telechargements/metiers/metiers_csv.zip", archive)
    wrong = {each.where: each.what for each in numbers.check(manifest, site, pages)}
    far = "a number too far from its cell t:0:value"
    assert wrong == {
        "index.html": far,
        "metiers/A.html": far,
        "methode.html": "a number without cell",
    }
