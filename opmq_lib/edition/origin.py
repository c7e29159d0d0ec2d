"""Whether results rest on public data only, read from the results themselves.

Every result table has a column `origin`. A table that lacks it, or that cannot be read, is taken
for the user's own: what is not known to be public is not.
"""

import csv
from pathlib import Path

COLUMN = "origin"
PUBLIC = "public"


def is_public(table: Path) -> bool:
    r"""Return whether every row of a result table in CSV says that it is public.

    A table with the column and without rows is public: it shows nothing.

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
            return all(row[place : place + 1] == [PUBLIC] for row in rows if row)
    except (OSError, UnicodeDecodeError, csv.Error):
        return False


def are_public(folder: Path) -> bool:
    """Return whether every result table in CSV under a folder is public."""
    return all(is_public(path) for path in sorted(folder.rglob("*")) if path.suffix == ".csv")
