"""From a published number back to what it was made of, as a short French note."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import FileSystemLoader

from opmq_lib.errors import DataError, Defect, ScopeError, did_you_mean
from opmq_lib.methods import revisions
from opmq_lib.runs import fingerprint
from opmq_lib.show import figures, french, words
from opmq_lib.sources import embedded, ledger

_HERE: Final = Path(__file__).parent
_PLACE: Final = re.compile(
    r"(?P<branch>[^/:#]+)/(?P<notebook>[^/:#]+)"
    r"(?:/(?P<table>[^/:#]+)(?::(?P<row>\d+)(?::(?P<column>\w+))?)?|#(?P<figure>\d+))"
)
_CALL: Final = re.compile(r"\b(\w+\.\w+)\(")
_TABLE: Final = re.compile(r"\b(\w+)\.csv")
_NUMBER: Final = re.compile(r'data-cell="([^":]+):')
_VERSIONS: Final = ("python", "numpy", "pandas", "scipy", "statsmodels")


class Step(NamedTuple):
    """A cell of a notebook that computes: what it says of itself, and what it calls."""

    said: str
    calls: str


def note(root: Path, edition_id: str, place: str) -> str:
    """Return the note on a table, on one of its cells, or on a figure.

    Args:
        root: The project.
        edition_id: The edition.
        place: `BRANCH/NOTEBOOK/TABLE`, `…/TABLE:ROW:COLUMN` as numbers of pages carry it
            (`data-cell`), or `BRANCH/NOTEBOOK#N` for the Nth figure of a page.

    Raises:
        DataError: If there is no such result, row, column or figure.
    """
    match = _PLACE.fullmatch(place)
    if match is None:
        expected = "chimie/01_emplois/emplois:12:value, or chimie/01_emplois#1 for a figure"
        raise ScopeError.of(
            "PLACE", "not a table, a cell or a figure", expected, "correct it", place
        )
    asked = match.groupdict()
    folder = root / "outputs" / edition_id
    records = ledger.latest(folder / ledger.LEDGER, "ok")
    id_ = (asked["branch"], asked["notebook"])
    if id_ not in records:
        known = ["/".join(each) for each in records]
        fix = did_you_mean("/".join(id_), known) or f"run it: opmq run --branch {id_[0]}"
        raise ScopeError.of("PLACE", "no such result", "a branch and a notebook", fix, place)
    record, here = records[id_], folder / "/".join(id_)
    cells = json.loads(_recorded(here / f"{id_[1]}.ipynb", record))["cells"]
    figure = _figure(cells, int(asked["figure"]), place) if asked["figure"] else {}
    table = asked["table"] or figure["table"]
    rows = _recorded(here / f"{table}.csv", record) if asked["table"] else b""
    shown = {
        "place": place,
        "table": table,
        "figure": figure,
        "cell": _cell(rows, asked) if asked["row"] else {},
        "record": record,
        "sha256": record["outputs"].get(f"{table}.csv", ""),
        "steps": list(steps(cells)),
        "sources": _sources(records, id_),
        "others": [each for each in record["inputs"] if each.startswith("parameters/")],
        "reads": sorted(_read(records, id_)),
        "versions": {name: record["versions"].get(name, "") for name in _VERSIONS},
        "french": french,
    }
    environment = words.environment(loader=FileSystemLoader(_HERE / "pages"))
    environment.autoescape = False
    text = environment.get_template("trace.txt").render(shown)
    return french.typography(re.sub(r"\n{3,}", "\n\n", text).strip() + "\n")


def _recorded(path: Path, record: ledger.Record) -> bytes:
    """Return a file that a run wrote, as it wrote it."""
    content = path.read_bytes() if path.is_file() else b""
    if record["outputs"].get(path.name) != fingerprint.bytes_sha256(content):
        known = [name.removesuffix(".csv") for name in record["outputs"] if name.endswith(".csv")]
        fix = did_you_mean(path.stem, known) or "run the notebook again"
        raise ScopeError.of(path.name, "not a file that this run wrote", ", ".join(known), fix)
    return content


def _cell(content: bytes, asked: dict[str, str]) -> dict[str, Any]:
    """Return a cell of a table: its value, and what its row says."""
    rows, number = revisions.read(content), int(asked["row"])
    table, column = asked["table"], asked["column"] or "value"
    defects = []
    if number >= len(rows):
        defects.append(
            Defect(table, "no such row", f"0 to {len(rows) - 1}", "correct it", asked["row"])
        )
    if column not in rows:
        fix = did_you_mean(column, rows.columns) or "correct it"
        defects.append(Defect(table, "no such column", ", ".join(rows.columns), fix, column))
    DataError.refuse(defects)
    row = {str(name): cell for name, cell in rows.iloc[number].items() if cell}
    return {"row": row, "column": column, "value": row.get(column, "")}


def _figure(cells: list[Any], number: int, place: str) -> dict[str, str]:
    """Return what a figure says, and the table that it names as its own."""
    found = [*figures.drawn(cells)]
    if not 1 <= number <= len(found):
        expected = f"1 to {len(found)}" if found else "a page with figures"
        raise ScopeError.of("PLACE", "no such figure", expected, "correct the number", place)
    each = found[number - 1]
    named = [*_TABLE.findall(each.caption), *_NUMBER.findall(each.shown), ""]
    return {"alt": each.alt, "caption": each.caption, "table": named[0]}


def link(page: str = "") -> str:
    """Return a link to where a page says how its numbers were made."""
    return f'<p><a href="{page}#origine">Origine de ces chiffres</a></p>'


def linked(html: str, files: Sequence[str], page: str = "") -> str:
    """Return figures with links to their data, and to where a page says how they were made.

    Args:
        html: Pieces of a page.
        files: Addresses of the workbook and of the archive that hold the tables of figures.
        page: The page that says how they were made, another than theirs.

    Examples:
        >>> linked("<figcaption>2018.</figcaption>", ["a.xlsx", "a.zip"]).count(" download>")
        2
        >>> linked("1</details></figure>", [])
        '1<p><a href="#origine">Origine de ces chiffres</a></p></details></figure>'
    """
    kinds = zip(files, ("XLSX", "CSV"), strict=False)
    links = ", ".join(f'<a href="{file}" download>{kind}</a>' for file, kind in kinds)
    data = f' <span class="opmq-files">Télécharger : {links}</span>'
    shown = html.replace("</figcaption>", f"{data}</figcaption>")
    return shown.replace("</details></figure>", f"{link(page)}</details></figure>")


def steps(cells: list[Any]) -> Iterator[Step]:
    """Yield the commented cells of a notebook up to the one that writes its tables."""
    for cell in cells:
        source = "".join(cell["source"])
        is_injected = "injected-parameters" in cell["metadata"].get("tags", ())
        if cell["cell_type"] == "code" and source.startswith("# ") and not is_injected:
            said = source.partition("\n")[0].removeprefix("# ").rstrip(".")
            calls = dict.fromkeys(each for each in _CALL.findall(source) if "." in each)
            yield Step(said, ", ".join(calls))
            if "write_results(" in source:
                return


def _read(records: dict[tuple[str, str], ledger.Record], id_: tuple[str, str]) -> set[str]:
    """Return the results that a run has read, those behind them included."""
    found: set[str] = set()
    for name in records[id_]["inputs"]:
        parts = name.split("/")
        if len(parts) > 2 and (upstream := (parts[0], parts[1])) in records:
            found |= {"/".join(upstream), *_read(records, upstream)}
    return found


def _sources(
    records: dict[tuple[str, str], ledger.Record], id_: tuple[str, str]
) -> list[dict[Any, Any]]:
    """Return the producers' tables behind a run, with those behind what it reads."""
    ids = [id_, *(tuple(each.split("/")) for each in _read(records, id_))]
    names = {name for each in ids for name in records[each]["inputs"]}  # type: ignore[index]
    tables = {Path(name).stem for name in names if name.startswith(fingerprint.EMBEDDED)}
    sources = embedded.load("sources")
    return sources[sources["table"].isin(tables)].to_dict("records")
