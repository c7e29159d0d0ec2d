"""Follow the files that results rest on, as they were when a plan was made."""

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from opmq_lib.params import ParameterFile
from opmq_lib.runs import fingerprint
from opmq_lib.runs.hashes import Hashes
from opmq_lib.runs.library import LIBRARY, Library
from opmq_lib.sources import official

FIELD = "#"
"""Between a parameter file and one of its fields, in the name of an input."""

TABLES = f"{LIBRARY}/data/"
"""Start of the name of an official table, wherever its file is."""

SOURCES = f"{TABLES}sources.csv"
"""Of this table, too, a run depends on what it asks for: `opmq_lib/data/sources.csv#ft_bmo`."""

PARAMETERS = (".csv", ".parquet", ".xlsx", ".yaml", ".yml")

SHORT = 12
"""Letters of a module's sha256 in the ledger, where each line has a hundred of them."""


class Files:
    """The inputs of a project, by name, as they were when first looked at.

    A name is a path from the project's root, or `opmq_lib/…` for an official table, embedded or
    loaded by the project, or a page's text; a folder's name ends in `/`, and its content is the
    list of its names; a field of a parameter file is `parameters/edition.yml#base_year`.

    Args:
        edition_folder: `outputs/<edition_id>`.
        library: In use.
        hashes: Of files.
        parameters: Name of a parameter file → what it holds.
    """

    def __init__(
        self,
        edition_folder: Path,
        library: Library,
        hashes: Hashes,
        parameters: Mapping[str, ParameterFile],
    ) -> None:
        self.root, self._edition = edition_folder.parent.parent, edition_folder
        self.library, self.hashes, self.parameters = library, hashes, parameters
        self._planned: dict[str, str | None] = {}

    def look(self, others: Iterable[str]) -> None:
        """Note what notebooks usually read as it is now: parameters, embedded tables, others."""
        for folder, _, names in os.walk(self.root / "parameters"):
            start = Path(folder).relative_to(self.root).as_posix()
            self.sha256(f"{start}/")
            others = [*others, *(f"{start}/{each}" for each in names if each.endswith(PARAMETERS))]
        tables = {path.stem for path in (self.library.folder / "data").glob("*.csv")}
        tables |= official.index(self.root).keys()
        for name in (*others, *(f"{TABLES}{table}.csv" for table in sorted(tables))):
            self.sha256(name)

    def sha256(self, name: str) -> str | None:
        """Return the sha256 of what was there; `None` if nothing was."""
        if name not in self._planned:
            file, _, field = name.partition(FIELD)
            if field and self._has_fields(file):
                fields = self._fields(file)
                values = {each: fingerprint.json_sha256(fields[each]) for each in fields}
                self._planned |= {f"{file}{FIELD}{each}": values[each] for each in values}
                return self._planned.setdefault(name, None)
            self._planned[name] = self._now(name)
        return self._planned[name]

    def has_changed(self, name: str) -> bool:
        """Return whether something else is there now; of a field, whether its file has changed."""
        file = name.partition(FIELD)[0]
        name = file if self._has_fields(file) else name
        return self._now(name) != self.sha256(name)

    def library_now(self) -> dict[str, str]:
        """Return the library as it is now: module → first letters of its sha256."""
        paths = self.library.paths.items()
        return {module: (self.hashes.sha256(path) or "")[:SHORT] for module, path in paths}

    def name(self, path: str) -> str | None:
        """Return the name of what a notebook has opened; `None` if it is no input.

        Templates, results of the edition and modules of the library are known otherwise.
        """
        package = f"{self.library.folder}/"
        if path.startswith(package):
            is_table = path.startswith(f"{package}data/") and not path.endswith("/")
            return f"{LIBRARY}/{path.removeprefix(package)}" if is_table else None
        if table := official.table_of(path, self.root):
            return f"{TABLES}{table}.csv{path.rpartition('.csv')[2]}"
        name = path.removeprefix(f"{self.root}/")
        folders = (f"{self._edition}", "notebooks", official.FOLDER)
        others = (*(f"{self.root / each}/" for each in folders), f"{self.root}/.", sys.prefix)
        return None if name in ("", path) or path.startswith(others) else name

    def _has_fields(self, file: str) -> bool:
        return file == SOURCES or file in self.parameters

    def _fields(self, file: str) -> Mapping[str, Any]:
        if file == SOURCES:
            from opmq_lib.sources import embedded  # pandas, only where a source is named

            return embedded.every_source(str(official.file("sources", self.root)))
        return self.parameters[file].model_dump(mode="json")

    def _now(self, name: str) -> str | None:
        if name.endswith("/"):
            try:
                return fingerprint.json_sha256(sorted(os.listdir(self.root / name)))  # noqa: PTH208
            except OSError:
                return None
        table = name.removeprefix(TABLES).removesuffix(".csv")
        if name.startswith(TABLES) and table in official.index(self.root):
            return self.hashes.sha256(official.file(table, self.root))
        inside = self.library.folder.parent if name.startswith(f"{LIBRARY}/") else self.root
        return self.hashes.sha256(f"{inside}/{name}")
