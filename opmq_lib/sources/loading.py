"""What the loaders of producers' files share: cells as they are written, and a record of reading.

A loader is a module with `FILES`, the name and usual place of each file it reads, and
`load(paths)`, which takes the path of each name and returns `Loaded`.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from opmq_lib.errors import SchemaError

Paths = Mapping[str, Path]


class Edition(NamedTuple):
    """Which publication a file belongs to: French texts, as the site publishes them."""

    producer: str
    title: str
    period: str
    licence: str


class Provenance(NamedTuple):
    """What was read of one file.

    Attributes:
        file: Its name.
        edition: The publication.
        sha256: Hash of its bytes.
        read_on: Day of reading.
        rows_read: Rows (or cells, of a table with one column per code).
        rows_kept: Those that are in the table.
        dropped: The others: reason → rows.
    """

    file: str
    edition: Edition
    sha256: str
    read_on: date
    rows_read: int
    rows_kept: int
    dropped: Mapping[str, int]


class Loaded(NamedTuple):
    """Tables by name, as their contracts say, and what was read to make each."""

    tables: dict[str, pd.DataFrame]
    provenance: dict[str, Provenance]


def files(usual: Mapping[str, str], folder: Path) -> dict[str, Path]:
    """Return the path of each file of a loader in a folder that holds them at their usual place.

    Examples:
        >>> files({"pcs": "inputs/FAP_PCS.csv"}, Path("dares"))["pcs"].as_posix()
        'dares/inputs/FAP_PCS.csv'
    """
    return {name: folder / place for name, place in usual.items()}


def cells(
    path: Path, names: Mapping[str, str] | None = None, separator: str = ",", skip: int = 0
) -> pd.DataFrame:
    """Return a published CSV as text: UTF-8 or Windows-1252, blanks reduced, `NA` empty.

    Args:
        path: The file.
        names: Columns to keep, in order, and what to call them; all as they are if not given.
        separator: Between cells.
        skip: Lines before the header.

    Raises:
        SchemaError: If a column is missing.
    """
    content = path.read_bytes()
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        encoding = "cp1252"
    else:
        encoding = "utf-8-sig"
    read = pd.read_csv(
        path, sep=separator, dtype=str, keep_default_na=False, encoding=encoding, skiprows=skip
    )
    read = read.map(clean).replace("NA", "").rename(columns=clean)
    if names is None:
        return read
    if missing := [name for name in names if name not in read]:
        expected = ", ".join(names)
        fix = "give the file of the layout that the loader reads, or adapt the loader"
        raise SchemaError.of(path.name, "missing columns", expected, fix, ", ".join(missing))
    return read[list(names)].rename(columns=names)


def clean(text: str) -> str:
    r"""Return a text with single ordinary blanks.

    Examples:
        >>> clean(" Soins \u00a0aux  personnes ")
        'Soins aux personnes'
    """
    return " ".join(text.split())


def heads(thousands: pd.Series) -> pd.Series:
    """Return heads from thousands written as text: the decimal point moves, nothing is rounded.

    Examples:
        >>> heads(pd.Series(["82.99638", ""])).tolist()
        [82996.38, nan]
    """
    moved: pd.Series = (pd.to_numeric(thousands) * 1000).round(6)
    return moved


def kept(
    rows: pd.DataFrame, path: Path, edition: Edition, drop: Mapping[str, pd.Series]
) -> tuple[pd.DataFrame, Provenance]:
    """Return the rows that no reason drops, and what was read; the first reason of a row counts.

    Args:
        rows: Rows read.
        path: Their file.
        edition: Their publication.
        drop: Reason → whether it drops each row.
    """
    left = pd.Series(data=True, index=rows.index)
    counts = {}
    for reason, is_dropped in drop.items():
        counts[reason] = int((is_dropped & left).sum())
        left &= ~is_dropped
    today = datetime.now(tz=UTC).date()
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    record = Provenance(path.name, edition, sha256, today, len(rows), int(left.sum()), counts)
    return rows[left], record
