"""A producer's file as rows of texts, its columns under our names.

Which columns it must have is declared by a `Layout`, with the names that editions have given them.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd

from opmq_lib.errors import Defect, SchemaError, closest
from opmq_lib.sources import grids
from opmq_lib.sources.grids import PRODUCER, Grid

_SHOWN_DEFECTS: Final = 20
_LIST: Final = "give the file that `opmq sources list` names for this loader"


class Layout(NamedTuple):
    """How a file is laid out, whatever its edition.

    Attributes:
        columns: Our name → the titles that editions have given to it; `{yy}` and `{yyyy}` stand
            for a year. Case and blanks do not count.
        ignored: Titles that are known and left out.
        optional: Names of ours that some editions lack; the column is then empty.
        sheet: Title of the sheet of a workbook, likewise.
        wide: What titles that are values look like; their columns are kept as they are.
        verbatim: Whether runs of blanks within a cell are kept.
    """

    columns: Mapping[str, Sequence[str]]
    ignored: Sequence[str] = ()
    optional: Sequence[str] = ()
    sheet: str = ""
    wide: str = ""
    verbatim: bool = False


class Read(NamedTuple):
    """What a file holds.

    Attributes:
        rows: Columns of the layout, as texts with single blanks; `""` where empty or `NA`.
        file: Its name.
        sha256: Hash of its bytes.
        unknown: Its titles that the layout does not know.
        repeated: Rows that it holds twice, left out.
        titles: Our name → title.
    """

    rows: pd.DataFrame
    file: str
    sha256: str
    unknown: tuple[str, ...] = ()
    repeated: int = 0
    titles: Mapping[str, str] = {}


def read(path: Path, layout: Layout) -> Read:
    """Return the rows of a CSV or XLSX file under our names.

    Raises:
        SchemaError: If it is absent, damaged, too large, or lacks a column: with the nearest titles
            it has.
    """
    chosen = partial(_sheets, layout=layout, where=path.name)
    grid = grids.read(path, path.name, partial(_likeness, layout=layout), PRODUCER, chosen)
    return _read(grid, path.read_bytes(), path.name, layout)


def rows(content: bytes, where: str, layout: Layout) -> Read:
    """Return the rows of a CSV file, as `read` does, from what it holds."""
    likeness = partial(_likeness, layout=layout)
    return _read(grids.read_csv(content, where, likeness, PRODUCER), content, where, layout)


def _read(grid: Grid, content: bytes, where: str, layout: Layout) -> Read:
    SchemaError.refuse(grid.defects[:_SHOWN_DEFECTS])
    titles, unknown = _named(grid.names, layout, where)
    titles |= {each: each for each in grid.names if _is_wide(each, layout)}
    once = grid.cells.drop_duplicates()
    named = once[list(titles.values())].set_axis(list(titles), axis=1)
    absent = {name: "" for name in layout.columns if name not in titles}
    cleaned = named.apply(_clean_column, verbatim=layout.verbatim).assign(**absent)
    repeated, sha256 = len(grid.cells) - len(once), hashlib.sha256(content).hexdigest()
    return Read(cleaned.reset_index(drop=True), where, sha256, unknown, repeated, titles)


def _sheets(names: Sequence[str], layout: Layout, where: str) -> Sequence[str]:
    """Return the sheets of a workbook that the layout may mean."""
    wanted = [name for name in names if not layout.sheet or _matches(layout.sheet, name)]
    if not wanted:
        what, fix = f"sheets {', '.join(names)}", _nearest(layout.sheet, names) or _LIST
        raise SchemaError.of(where, what, f"one sheet `{layout.sheet}`", fix)
    return wanted


def _likeness(cells: Sequence[Any], layout: Layout) -> int:
    """Return how many columns of the layout a line of titles has."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    return sum(_title(names, texts) is not None for names in layout.columns.values())


def _is_wide(title: str, layout: Layout) -> bool:
    return bool(layout.wide) and re.fullmatch(layout.wide, title) is not None


def _named(
    found: Sequence[str], layout: Layout, where: str
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the title of each of our columns, and the titles that nothing knows."""
    titles = {name: _title(aliases, found) for name, aliases in layout.columns.items()}
    repeated = {each for each in found if each and found.count(each) > 1}
    defects = [
        Defect(where, f"no column for `{name}`", " or ".join(layout.columns[name]),
               _nearest(layout.columns[name][0], found)
               or "declare its title in the layout of the loader", ", ".join(found)[:300])
        for name, title in titles.items()
        if title is None and name not in layout.optional
    ]  # fmt: skip
    defects += [
        Defect(where, f"two columns `{title}`", "one", "leave one of them out")
        for title in titles.values()
        if title in repeated
    ]
    SchemaError.refuse(defects)
    kept = {name: title for name, title in titles.items() if title is not None}
    unknown = [
        each
        for each in found
        if clean(each)
        and each not in kept.values()
        and _title(layout.ignored, [each]) is None
        and not _is_wide(each, layout)
    ]
    return kept, tuple(map(clean, unknown))


def _title(aliases: Iterable[str], found: Sequence[str]) -> str | None:
    return next((each for alias in aliases for each in found if _matches(alias, each)), None)


def _matches(alias: str, title: str) -> bool:
    return _normal(alias) == _normal(title) or (
        "{" in alias and _pattern(alias).fullmatch(_normal(title)) is not None
    )


def _pattern(alias: str) -> re.Pattern[str]:
    text = re.escape(_normal(alias))
    return re.compile(text.replace(r"\{yyyy\}", r"\d{4}").replace(r"\{yy\}", r"\d\d"))


def _nearest(wanted: str, found: Iterable[str]) -> str:
    by_name = {_normal(each): each for each in found}
    near = closest(_normal(wanted), by_name)
    return "" if near is None else f"did you mean `{clean(by_name[near])}`?"


@lru_cache(maxsize=1 << 15)
def _normal(title: str) -> str:
    text = unicodedata.normalize("NFC", title).strip('`"\ufeff ')
    return re.sub(r"[\s_]+", "_", text.replace("’", "'")).strip("_").casefold()


def _clean_column(column: pd.Series, *, verbatim: bool) -> pd.Series:
    """Return texts with single ordinary blanks, `NA` empty."""
    places, cells = pd.factorize(column)
    texts = map(_written, cells.to_numpy(dtype="object"))
    written = ["" if text == "NA" else text.strip() if verbatim else clean(text) for text in texts]
    cleaned = pd.Index(written, dtype="str")
    return pd.Series(cleaned.take(places), column.index)


def _written(cell: Any) -> str:
    """Return the text of a cell of a workbook."""
    if isinstance(cell, datetime) and not (cell.hour or cell.minute or cell.second):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def clean(text: str) -> str:
    r"""Return a text with single ordinary blanks.

    Examples:
        >>> clean(" Soins \u00a0aux  personnes ")
        'Soins aux personnes'
    """
    return " ".join(text.split())
