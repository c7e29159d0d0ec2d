"""Tell whether results rest on public data only, from the results themselves.

Every result table has a column `origin`. A table that lacks it, or that cannot be read, is taken
for the user's own: what is not known to be public is not.
"""

import csv
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final, Literal

Origin = Literal["public", "fictitious", "own"]

COLUMN = "origin"
PUBLIC = "public"
FICTITIOUS = "fictitious"
ORIGINS: Final[tuple[Origin, ...]] = ("public", "fictitious", "own")
"""From what everybody may see to what nobody may."""


def worst(origins: Iterable[str | None]) -> Origin:
    """Return the origin of what rests on several; what is not known is the user's own.

    Examples:
        >>> worst(["public", "fictitious"]), worst(["fictitious", "own"]), worst([None])
        ('fictitious', 'own', 'own')
    """
    ranks = [ORIGINS.index(each) if each in ORIGINS else 2 for each in origins]
    return ORIGINS[max(ranks, default=0)]


def of(folder: Path) -> Origin:
    """Return the origin of all result tables in CSV under a folder."""
    tables = sorted(path for path in folder.rglob("*") if path.suffix == ".csv")
    if all(map(is_public, tables)):
        return "public"
    allowed = (PUBLIC, FICTITIOUS)
    return "fictitious" if all(is_public(path, allowed) for path in tables) else "own"


def is_public(table: Path, allowed: Collection[str] = (PUBLIC,)) -> bool:
    r"""Return whether every row of a result table in CSV says that it is public.

    A table with the column and without rows is public: it shows nothing. A demonstration allows
    `fictitious` as well.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     table = Path(folder) / "emplois.csv"
        ...     for text in ("value,origin\n1,public", "value,origin\n1,own", "value\n1"):
        ...         _ = table.write_text(text)
        ...         is_public(table)
        True
        False
        False
    """
    try:
        with table.open(encoding="utf-8", newline="") as lines:
            rows = csv.reader(lines, strict=True)
            header = next(rows, [])
            if header.count(COLUMN) != 1:
                return False
            place = header.index(COLUMN)
            return all(len(row) > place and row[place] in allowed for row in rows if row)
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
