"""What readers download: for each branch one workbook and one archive of tables, and its notebooks.

A number of a page is read from a cell `table:row:column`: in the archive, the line after `row`
others under the header of `NOTEBOOK/table.csv`, column `column`; in the workbook, the same line of
the sheet `NN_table`. Numbers keep four significant digits. Only files that the ledger has recorded
are read, and only those of runs that may be published.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jinja2 import Template
from numpy.typing import NDArray

from opmq_lib import tables
from opmq_lib.errors import Defect
from opmq_lib.runs import folders
from opmq_lib.runs.plan import COMMON
from opmq_lib.show import workbook
from opmq_lib.show.workbook import Cells, joined, mapped, with_forms
from opmq_lib.site import content
from opmq_lib.site.check import machine_paths
from opmq_lib.site.manifest import Manifest, Run, read_file
from opmq_lib.sources import study

README = "LISEZ-MOI"
NOT_SHOWN, UNIT = "origin", "unit"
_NAME_LIMIT = 31
_SPLITS = re.compile(r'[;"\r\n]')
_LIKE_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Column(NamedTuple):
    """One column of a result table as readers get it: name, numbers or not, cells as texts.

    Its texts are those of `workbook.column`.
    """

    name: str
    is_number: bool
    texts: Any


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
        found = [
            (run, {name: columns_of(texts) for name, texts in run.tables.items()}) for run in runs
        ]
        for run, named in found:
            for name, columns in named.items():
                defects += machine_paths(f"{run.name}/{name}.csv", _words(columns), forbidden)
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


def _words(columns: Sequence[Column]) -> str:
    """Return each text of a table once."""
    texts = (each.texts.dictionary.to_pylist() for each in columns if not each.is_number)
    return "\n".join(chain.from_iterable(texts))


def _notebooks(runs: Sequence[Run]) -> bytes:
    return workbook.packed({f"{run.notebook}.ipynb": emptied(run) for run in runs})


def emptied(run: Run) -> bytes:
    """Return the notebook of a run without what its cells have shown: the page shows it."""
    notebook = json.loads(read_file(run, f"{run.notebook}.ipynb"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return json.dumps(notebook, ensure_ascii=False).encode()


def columns_of(texts: Mapping[str, Any]) -> list[Column]:
    r"""Return the columns of a table that hold anything, numbers with four significant digits.

    Args:
        texts: From `study.text_columns`.

    Examples:
        >>> table = b"year,value,lower,status\n2018,32261.2,,value\n2019,-0.000123456,,value\n"
        >>> for column in columns_of(study.text_columns(table)):
        ...     print(*column[:2], *column.texts.to_pylist())
        year True 2018 2019
        value True 32260 -0.0001235
        status False value value
    """
    return [
        _column(name, each)
        for name, each in texts.items()
        if name != NOT_SHOWN and any(each.dictionary[:2].to_pylist())
    ]


def _column(name: str, texts: Any) -> Column:
    kind = tables.COLUMNS[name].kind if name in tables.COLUMNS else "text"
    if kind not in ("number", "whole"):
        return Column(name, False, texts)
    is_empty = pc.equal(texts.dictionary, "")
    numbers = pc.cast(pc.if_else(is_empty, None, texts.dictionary), pa.float64()).to_numpy(False)
    rounded = pa.array(np.rint(numbers) if kind == "whole" else _four_digits(numbers))
    forms = pc.if_else(is_empty, "", pc.cast(rounded, pa.string()))
    return Column(name, True, with_forms(texts, forms))


def _four_digits(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers with four significant digits, each the nearest to its decimals."""
    with np.errstate(divide="ignore"):
        places = 3 - np.floor(np.log10(np.abs(numbers)))
    places = np.where(np.isfinite(places), places, 0)
    below, above = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
    return np.asarray(np.rint(numbers * below / above) * above / below + 0.0)


def _archive(found: Tables, readme: str) -> bytes:
    files = {f"{README}.txt": f"\ufeff{readme}".encode()}
    for run, named in found:
        for name, columns in named.items():
            files[f"{run.notebook}/{name}.csv"] = french_csv(columns)
    return workbook.packed(files)


def french_csv(columns: Sequence[Column]) -> bytes:
    r"""Return a table as a CSV file for French readers: semicolons, decimal commas, a byte mark.

    Examples:
        >>> french_csv(columns_of(study.text_columns(b"label,value\n=A,2.5\n"))).decode()
        "\ufefflabel;value\r\n'=A;2,5\r\n"
    """
    header = ";".join(_quoted(column.name) for column in columns)
    lines = joined([*map(_french, columns)], ";", "\r\n")
    return b"\r\n".join([f"\ufeff{header}".encode(), *filter(None, [lines]), b""])


def _french(column: Column) -> Any:
    if not column.is_number:
        return mapped(column.texts, _no_formula)
    commas = pc.replace_substring(column.texts.dictionary, ".", ",")
    return with_forms(column.texts, commas)


def _no_formula(text: str) -> str:
    return _quoted(f"'{text}" if text.startswith(_LIKE_A_FORMULA) else text)


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"' if _SPLITS.search(text) else text


def _book(found: Tables, readme: str) -> bytes:
    """Return tables as sheets with French titles and units, each code beside what it means."""
    lines = [[part.strip() for part in f"{line}||".split("|")[:3]] for line in readme.splitlines()]
    first, *others = (workbook.column(texts) for texts in zip(*lines, strict=True))
    sheets = {README: [Cells("À lire d’abord", first), *(Cells("", texts) for texts in others)]}
    for run, named in found:
        for name, columns in named.items():
            sheets[sheet_name(run, name)] = titled(columns)
    return workbook.book(sheets)


def sheet_name(run: Run, table: str) -> str:
    """Return the name of a table's sheet: the number of its notebook, its name."""
    return f"{run.notebook[:2]}_{table}"[:_NAME_LIMIT]


def titled(columns: Sequence[Column]) -> list[Cells]:
    """Return the columns of a table as those of a sheet, each code beside what it means."""
    units = [each.texts.dictionary.to_pylist() for each in columns if each.name == UNIT] or [[""]]
    own = {tables.COLUMNS["value"].unit: _meaning(*units[0])} if len(units[0]) == 1 else {}
    return [cells for column in columns for cells in _titled(column, own)]


def _meaning(unit: str) -> str:
    return tables.CODES[UNIT].get(unit, unit)


def _titled(column: Column, own: Mapping[str, str]) -> list[Cells]:
    """Return a column as a sheet has it; `own`: what stands where its unit is said elsewhere."""
    about = tables.COLUMNS.get(column.name)
    title = about.label if about else column.name
    if about and (unit := own.get(about.unit, about.unit)):
        title = f"{title} ({unit})"
    labels = _labels().get(column.name)
    if labels is None:
        return [Cells(title, column.texts, column.is_number)]
    meant = mapped(column.texts, lambda text: labels.get(text, ""))
    return [Cells(f"{title} : code", column.texts), Cells(title, meant)]


@cache
def _labels() -> dict[str, dict[str, str]]:
    """Return what codes mean, by column."""
    metiers = study.all_labels()
    return tables.CODES | {
        "metier_code": metiers,
        "branch_code": metiers,
        "rome_code": metiers,
        "metier_2021_code": study.metier_labels("FAP-2021"),
        "region_code": study.region_labels() | {"FM": "France métropolitaine", "FR": "France"},
        "skill_code": study.skill_labels(),
    }
