"""What the loaders of producers' files share: what was read, kept, dropped and why.

A loader is a module with `PRODUCER` and `load(paths)`, which takes the path of each of its files
by name, or of some of them, and returns the tables that these give.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from opmq_lib.errors import Defect, SchemaError
from opmq_lib.sources import reading
from opmq_lib.sources.reading import Layout, Read

Paths = Mapping[str, Path]

MOST: Final = 1e15
"""No figure is larger: beyond, floating numbers miss whole ones."""
UNSTATED: Final = "licence non indiquée dans la copie"
UNSURE: Final = (
    "licence non indiquée dans la copie (la Dares publie ses données sous Licence Ouverte sur "
    "son site, à vérifier)"
)


class Producer(NamedTuple):
    """What a loader reads, and where it is published: French texts, as the site publishes them.

    Attributes:
        name: Of the loader, in commands.
        producer: Who publishes it.
        title: The publication.
        licence: As stated with the copy.
        page: Address of the page on which the current version is published.
        files: Name of each file → its usual name (`*` for what changes with the edition).
        tables: Tables of the study that it feeds.
        addresses: Name of a file → its direct address, where the producer has a lasting one, and
            after `#` its sha256.
        verified: Whether a real file was read; else « non vérifié sur fichier réel ».
    """

    name: str
    producer: str
    title: str
    licence: str
    page: str
    files: Mapping[str, str]
    tables: Sequence[str]
    addresses: Mapping[str, str] = {}
    verified: bool = True


class Provenance(NamedTuple):
    """What was read to make one table.

    Attributes:
        producer: Who publishes it.
        title: The publication.
        edition: Its year or version, `""` where nothing says it.
        licence: As stated with the copy.
        files: Name of each file → hash of its bytes.
        read_on: Day of reading.
        rows_read: Rows (or cells, of a table with one column per code).
        rows_kept: Those that the table is made of.
        dropped: The others: reason → rows.
        unknown: Titles of columns that no layout declares.
        verified: Whether the layout was checked on a real file.
    """

    producer: str
    title: str
    edition: str
    licence: str
    files: Mapping[str, str]
    read_on: date
    rows_read: int
    rows_kept: int
    dropped: Mapping[str, int]
    unknown: Sequence[str] = ()
    verified: bool = True


Made = tuple[pd.DataFrame, Provenance]
"""A table as its contract says, and what was read to make it."""
Loaded = dict[str, Made]
Maker = Callable[..., Made]
Makers = dict[str, tuple[Mapping[str, Layout], Maker]]


def load_with(makers: Makers, paths: Paths) -> Loaded:
    """Return the tables whose files are given.

    Args:
        makers: Table → the files that it needs with their layouts, and what makes it of them, read.
        paths: Files by name.
    """
    return {
        table: make(*(reading.read(paths[name], layout) for name, layout in needs.items()))
        for table, (needs, make) in makers.items()
        if paths.keys() >= needs.keys()
    }


def span(values: pd.Series, to: str = "–") -> str:
    """Return the first and last of years or periods.

    Examples:
        >>> span(pd.Series([2019, 2011])), span(pd.Series(["2024"]))
        ('2011–2019', '2024')
    """
    return to.join(dict.fromkeys(str(each) for each in (values.min(), values.max())))


def heads(thousands: pd.Series, where: str = "") -> pd.Series:
    """Return heads from thousands written as text: the decimal point moves, nothing is rounded.

    Examples:
        >>> heads(pd.Series(["82.99638", "1,5", ""])).tolist()
        [82996.38, 1500.0, nan]
    """
    moved: pd.Series = (numbers(thousands, where) * 1000).round(6)
    return moved


def numbers(texts: pd.Series, where: str = "") -> pd.Series:
    """Return numbers written with a decimal point or comma and blanks between thousands.

    Args:
        texts: Cells; `""` becomes `NaN`.
        where: Their file, for messages.

    Raises:
        SchemaError: With the first cells that say no number.

    Examples:
        >>> numbers(pd.Series(["1 036", "16,5", ""])).tolist()
        [1036.0, 16.5, nan]
    """
    plain = texts.str.replace(" ", "").str.replace(",", ".")
    values = pd.to_numeric(plain, errors="coerce").astype("float64")
    wrong = texts[(values.isna() & (plain != "")) | (values.abs() > MOST)]
    SchemaError.refuse(
        Defect(f"{where}, column {texts.name}", "not a number", "a number, or nothing",
               "correct the cell, or the layout if the column is another", cell)
        for cell in wrong.head(20)
    )  # fmt: skip
    return values


def whole_numbers(texts: pd.Series, where: str = "") -> pd.Series:
    """Return whole numbers as `numbers` reads them; empty cells are missing.

    Raises:
        SchemaError: With the first cells that say no whole number.

    Examples:
        >>> whole_numbers(pd.Series(["1 036", "5.0", ""])).tolist()
        [1036, 5, <NA>]
    """
    values = numbers(texts, where)
    SchemaError.refuse(
        Defect(f"{where}, column {texts.name}", "not a whole number", "a whole number",
               "correct the cell", cell)
        for cell in texts[values.notna() & (values % 1 != 0)].head(20)
    )  # fmt: skip
    return values.astype("Int64")


def years(texts: pd.Series, where: str = "") -> pd.Series:
    """Return the year of every row.

    Raises:
        SchemaError: If a row has none.
    """
    values = whole_numbers(texts, where)
    if values.isna().any():
        what, fix = "rows without a year", "complete them"
        raise SchemaError.of(f"{where}, column {texts.name}", what, "a year in each", fix)
    return values.astype("int64")


def kept(
    rows: pd.DataFrame,
    read: Read | Sequence[Read],
    producer: Producer,
    drop: Mapping[str, pd.Series] | None = None,
    edition: str = "",
) -> Made:
    """Return the rows that no reason drops, and what was read; the first reason of a row counts.

    Args:
        rows: Rows read.
        read: The file that they come from first, then others that add to them.
        producer: Of the file.
        drop: Reason → whether it drops each row.
        edition: Year or version of the file.
    """
    reads = [read] if isinstance(read, Read) else list(read)
    left = pd.Series(data=True, index=rows.index)
    counts = {"ligne répétée dans le fichier": reads[0].repeated} if reads[0].repeated else {}
    for reason, is_dropped in (drop or {}).items():
        counts[reason] = counts.get(reason, 0) + int((is_dropped & left).sum())
        left &= ~is_dropped
    record = Provenance(
        producer.producer,
        producer.title,
        edition,
        producer.licence,
        {each.file: each.sha256 for each in reads},
        datetime.now(tz=UTC).date(),
        len(rows) + reads[0].repeated,
        int(left.sum()),
        counts,
        tuple(dict.fromkeys(name for each in reads for name in each.unknown)),
        producer.verified,
    )
    return rows[left], record


def ordered(rows: pd.DataFrame, *key: str) -> pd.DataFrame:
    """Return rows sorted by a key, by all their columns without one."""
    return rows.sort_values(list(key or rows.columns), ignore_index=True)
