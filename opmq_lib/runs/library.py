"""The part of the library that a notebook can reach, read from its imports.

What a template imports, what that imports, and so on: a change elsewhere cannot change its result.
Imports by a computed name are not seen; the library has none.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import opmq_lib
from opmq_lib.runs.hashes import Hashes

LIBRARY = "opmq_lib"
DATA = f"{LIBRARY}/data/"
"""How the names of embedded tables start, among the inputs of a run."""


@dataclass(frozen=True)
class Library:
    """The modules of the library, as they are now.

    Attributes:
        folder: Where it is.
        paths: Module → its file.
        sha256: Module → sha256 of its source.
        imports: Module → modules of the library that it imports, its packages included.
    """

    folder: Path
    paths: Mapping[str, Path]
    sha256: Mapping[str, str]
    imports: Mapping[str, frozenset[str]]

    def reached(self, names: Collection[str] | None) -> dict[str, str]:
        """Return the modules that somebody who imports some names can reach, with their sha256.

        Args:
            names: As in `Template.imports`; `None` for whoever may import anything.
        """
        waiting = list(self.sha256) if names is None else _within(names, self.sha256)
        found: set[str] = set()
        while waiting:
            module = waiting.pop()
            if module not in found:
                found.add(module)
                waiting += self.imports[module]
        return {module: self.sha256[module] for module in sorted(found)}


def read(hashes: Hashes, folder: Path | None = None) -> Library:
    """Read the library in use.

    Args:
        hashes: Remembers sources that have not changed.
        folder: Of the package; by default that of the library in use.

    Examples:
        >>> library = read(Hashes())
        >>> reached = library.reached(["opmq_lib.show.downloads"])
        >>> "opmq_lib.show.downloads" in reached, "opmq_lib.site.search" in reached
        (True, False)
    """
    package = folder or Path(opmq_lib.__file__).parent
    paths = {_module(path.relative_to(package)): path for path in sorted(package.rglob("*.py"))}
    sha256 = {module: hashes.sha256(path) or "" for module, path in paths.items()}
    imports = {
        module: frozenset(_within([*hashes.imports(path), module], sha256)) - {module}
        for module, path in paths.items()
    }
    return Library(package, paths, sha256, imports)


def _within(names: Collection[str], modules: Collection[str]) -> list[str]:
    """Return the modules of the library among dotted names, each after the packages it is in.

    Examples:
        >>> _within(["opmq_lib.forecast.api", "numpy"], ["opmq_lib", "opmq_lib.forecast"])
        ['opmq_lib', 'opmq_lib.forecast']
    """
    found: dict[str, None] = {}
    for name in names:
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            if (module := ".".join(parts[:length])) in modules:
                found[module] = None
    return list(found)


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join((LIBRARY, *(parts[:-1] if parts[-1] == "__init__" else parts)))
