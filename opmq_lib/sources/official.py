"""Which file holds an official table: that of the library, or one that the project has loaded.

`data/official/index.json` names the file of each loaded table, by its content, and what it was read
from. It is written last and at once: a load is whole, or has not happened.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from opmq_lib.errors import SchemaError
from opmq_lib.sources import project

FOLDER: Final = "data/official"
INDEX: Final = "index.json"
EMBEDDED: Final = Path(__file__).parent.parent / "data"

Entry = dict[str, Any]
"""Of a loaded table: `file`, `loader`, and what `loading.Provenance` says."""


def file(table: str, root: Path | None = None) -> Path:
    """Return the file of a table: that of the project, else that of the library, there or not.

    Args:
        table: Its name.
        root: The project; by default the one that holds the working folder, if any does.
    """
    entry = index(root).get(table)
    folder = _folder(root)
    return EMBEDDED / f"{table}.csv" if entry is None or folder is None else folder / entry["file"]


def index(root: Path | None = None) -> Mapping[str, Entry]:
    """Return the tables that a project has loaded, by name.

    Raises:
        SchemaError: If their index is damaged.
    """
    folder = _folder(root)
    if folder is None:
        return {}
    path = folder / INDEX
    try:
        status = path.stat()
    except OSError:
        return {}
    return _index(path, status.st_mtime_ns, status.st_size)


def table_of(path: str, root: Path) -> str:
    """Return the table that a path of the project holds, `""` if it is no loaded table.

    Examples:
        >>> table_of("/p/data/official/metier_pcs-0123456789ab.csv", Path("/p"))
        'metier_pcs'
    """
    name = path.removeprefix(f"{root}/{FOLDER}/")
    return name.rpartition("-")[0] if name != path else ""


def names(loaded: Mapping[str, Entry]) -> dict[str, str]:
    """Return the name of each loaded table in a ledger, and its file from the project's root.

    Examples:
        >>> names({"naf": {"file": "naf-0123456789ab.csv"}})
        {'opmq_lib/data/naf.csv': 'data/official/naf-0123456789ab.csv'}
    """
    return {
        f"opmq_lib/data/{table}.csv": f"{FOLDER}/{entry['file']}" for table, entry in loaded.items()
    }


def files(root: Path) -> list[str]:
    """Return the index and the loaded tables, from the project's root: no other file there."""
    return [f"{FOLDER}/{INDEX}", *names(index(root)).values()]


def _folder(root: Path | None) -> Path | None:
    if root is None:
        try:
            root = project.find_root()
        except SchemaError:
            return None
    return root / FOLDER


@cache
def _index(path: Path, _changed_ns: int, _size: int) -> Mapping[str, Entry]:
    try:
        found = json.loads(path.read_bytes())
        return {name: dict(entry) for name, entry in found.items() if entry["file"]}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        where, expected = f"{FOLDER}/{INDEX}", "what `opmq sources load` has written"
        fix = f"remove {FOLDER} and load the files again"
        raise SchemaError.of(where, "damaged", expected, fix) from error
