"""What readers download: for each branch one workbook and one archive of tables, and its notebooks.

A number of a page is read from a cell `table:row:column`: in the archive, the line after `row`
others under the header of `NOTEBOOK/table.csv`, column `column`; in the workbook, the same line of
the sheet `NN_table`. Numbers keep four significant digits. Only files that the ledger has recorded
are read, and only those of runs that may be published.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Template

from opmq_lib import tables
from opmq_lib.errors import Defect
from opmq_lib.runs import folders
from opmq_lib.show import workbook
from opmq_lib.show.workbook import Cells
from opmq_lib.site import content
from opmq_lib.site.check import machine_paths
from opmq_lib.site.manifest import COMMON, Manifest, Run, read_file
from opmq_lib.sources import study

README = "LISEZ-MOI"
NOT_SHOWN = "origin"
_NAME_LIMIT = 31
_LIKE_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Column(NamedTuple):
    """One column of a result table as readers get it: name, numbers or not, cells as texts."""

    name: str
    is_number: bool
    texts: Sequence[str]


Tables = Sequence[tuple[Run, Mapping[str, Sequence[Column]]]]


def write(
    manifest: Manifest, folder: Path, readme: Template, forbidden: Sequence[str]
) -> tuple[dict[str, int], list[Defect]]:
    """Write every file that readers download; their addresses begin with `content.DOWNLOADS`.

    Args:
        manifest: What there is to publish.
        folder: Folder of the project that an engine will read.
        readme: What the first sheet, and a file of the archive, say of all the others.
        forbidden: Texts that no table may hold, such as the project's own path.

    Returns:
        Size of each file in bytes, by address; what tables must not hold.
    """
    sizes: dict[str, int] = {}
    defects: list[Defect] = []
    scopes = [(each.code, each.label, each.runs) for each in manifest.branches]
    for scope, label, all_runs in [*scopes, (COMMON, "Toutes les branches", manifest.common)]:
        runs = [run for run in all_runs.values() if run.status == "ok"]
        texts = [(run, _texts(run)) for run in runs]
        for run, named in texts:
            for name, text in named.items():
                defects += machine_paths(f"{run.name}/{name}.csv", text, forbidden)
        found = [
            (run, {name: columns_of(text) for name, text in named.items()}) for run, named in texts
        ]
        files = {
            content.href(run, name): read_file(run, name)
            for run in runs
            for name in content.forms(run)
        }
        if runs:
            said = readme.render(label=label, found=found, sheet_name=sheet_name)
            written = (_book(found, said), _archive(found, said), _notebooks(runs))
            files |= dict(zip(content.table_files(scope), written, strict=True))
        for href, file in files.items():
            folders.write(folder / href, file)
            sizes[href] = len(file)
    return sizes, defects


def _texts(run: Run) -> dict[str, str]:
    """Return the result tables of a run as their files hold them, by name."""
    names = [name for name in run.files if name.endswith(".csv")]
    return {Path(name).stem: read_file(run, name).decode() for name in names}


def _notebooks(runs: Sequence[Run]) -> bytes:
    return workbook.packed({f"{run.notebook}.ipynb": emptied(run) for run in runs})


def emptied(run: Run) -> bytes:
    """Return the notebook of a run without what its cells have shown: the page shows it."""
    notebook = json.loads(read_file(run, f"{run.notebook}.ipynb"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return json.dumps(notebook, ensure_ascii=False, indent=1).encode()


def columns_of(text: str) -> list[Column]:
    r"""Return the columns of a table that hold anything, numbers with four significant digits.

    Examples:
        >>> for column in columns_of("year,value,lower,status\n2018,32261.2,,value\n"):
        ...     print(column)
        Column(name='year', is_number=True, texts=('2018',))
        Column(name='value', is_number=True, texts=('32260',))
        Column(name='status', is_number=False, texts=('value',))
    """
    header, *rows = csv.reader(io.StringIO(text))
    columns = zip(*rows, strict=True) if rows else [()] * len(header)
    shown = [
        _column(name, texts) for name, texts in zip(header, columns, strict=True) if any(texts)
    ]
    return [column for column in shown if column.name != NOT_SHOWN]


def _column(name: str, texts: Sequence[str]) -> Column:
    forms: dict[str, Callable[[str], str]] = {"number": _four_digits, "whole": _whole}
    form = forms.get(tables.COLUMNS[name].kind if name in tables.COLUMNS else "text")
    if form is None:
        return Column(name, False, texts)
    known = {text: form(text) if text else "" for text in dict.fromkeys(texts)}
    return Column(name, True, tuple(map(known.__getitem__, texts)))


def _four_digits(text: str) -> str:
    return f"{float(f'{float(text):.4g}'):.15g}"


def _whole(text: str) -> str:
    return f"{float(text):.0f}"


def _archive(found: Tables, readme: str) -> bytes:
    files = {f"{README}.txt": f"\ufeff{readme}".encode()}
    for run, named in found:
        for name, columns in named.items():
            files[f"{run.notebook}/{name}.csv"] = french_csv(columns)
    return workbook.packed(files)


def french_csv(columns: Sequence[Column]) -> bytes:
    r"""Return a table as a CSV file for French readers: semicolons, decimal commas, a byte mark.

    Examples:
        >>> french_csv(columns_of("label,value\n=A,2.5\n")).decode()
        "\ufefflabel;value\r\n'=A;2,5\r\n"
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    writer.writerows(zip(*map(_french, columns), strict=True))
    return f"\ufeff{text.getvalue()}".encode()


def _french(column: Column) -> Iterable[str]:
    form: Callable[[str], str] = _comma if column.is_number else _no_formula
    known = {text: form(text) for text in dict.fromkeys(column.texts)}
    return map(known.__getitem__, column.texts)


def _comma(text: str) -> str:
    return text.replace(".", ",")


def _no_formula(text: str) -> str:
    return f"'{text}" if text.startswith(_LIKE_A_FORMULA) else text


def _book(found: Tables, readme: str) -> bytes:
    """Return tables as sheets with French titles and units, each code beside what it means."""
    lines = [[part.strip() for part in f"{line}||".split("|")[:3]] for line in readme.splitlines()]
    first, *others = map(list, zip(*lines, strict=True))
    sheets = {README: [Cells("À lire d’abord", first), *(Cells("", texts) for texts in others)]}
    for run, named in found:
        for name, columns in named.items():
            sheets[sheet_name(run, name)] = [
                cells for column in columns for cells in _titled(column)
            ]
    return workbook.book(sheets)


def sheet_name(run: Run, table: str) -> str:
    """Return the name of a table's sheet: the number of its notebook, its name."""
    return f"{run.notebook[:2]}_{table}"[:_NAME_LIMIT]


def _titled(column: Column) -> list[Cells]:
    about = tables.COLUMNS.get(column.name)
    title = about.label if about else column.name
    if about and about.unit:
        title = f"{title} ({about.unit})"
    labels = _labels().get(column.name)
    if labels is None:
        return [Cells(title, column.texts, column.is_number)]
    meant = [labels.get(text, "") for text in column.texts]
    return [Cells(f"{title} : code", column.texts), Cells(title, meant)]


@cache
def _labels() -> dict[str, dict[str, str]]:
    """Return what codes mean, by column."""
    metiers = study.all_labels()
    return {
        "metier_code": metiers,
        "branch_code": metiers,
        "rome_code": metiers,
        "metier_2021_code": study.metier_labels("FAP-2021"),
        "region_code": study.region_labels() | {"FM": "France métropolitaine", "FR": "France"},
        "skill_code": study.skill_labels(),
    }
