"""Find the part of the library that a notebook can reach, from its imports.

What a template imports, what that imports, and so on: a change elsewhere cannot change its result.
The French of a page lies in Jinja files, the contracts of tables in CSV, beside the modules that it
reaches. Imports by a computed name are not seen: only `opmq_lib.study` makes some, and who may call
it reaches everything, as does a notebook that imports by anything but `from opmq_lib.x import y`.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from opmq_lib.runs.hashes import Hashes

LIBRARY = "opmq_lib"
LATE = f"{LIBRARY}.questions.study"
"""The module that imports others when called."""
ANYTHING = re.compile(rf"{LIBRARY}(\.[^.]+)?|importlib(\..*)?")
"""Names that give a notebook the library itself, what it has of its own, or any module."""


@dataclass(frozen=True)
class Library:
    """The modules of the library, as they are now.

    Attributes:
        folder: Where it is.
        paths: Module → its file.
        sha256: Module → sha256 of its source.
        imports: Module → modules of the library that it imports, its packages included.
        texts: Jinja and CSV files, as `opmq_lib/…`.
    """

    folder: Path
    paths: Mapping[str, Path]
    sha256: Mapping[str, str]
    imports: Mapping[str, frozenset[str]]
    texts: tuple[str, ...]

    def reached(self, names: Collection[str] | None) -> dict[str, str]:
        """Return the modules that somebody who imports some names can reach, with their sha256.

        Args:
            names: As in `Template.imports`; `None` for whoever may import anything.
        """
        if names is None or any(map(ANYTHING.fullmatch, names)):
            return dict(sorted(self.sha256.items()))
        packages = tuple(f"{name.removesuffix('.*')}." for name in names)
        waiting = [module for module in self.sha256 if module.startswith(packages)]
        waiting += _within(names, self.sha256)
        found: set[str] = set()
        while waiting:
            module = waiting.pop()
            if module not in found:
                found.add(module)
                waiting += self.imports[module]
        return {module: self.sha256[module] for module in sorted(found)}

    def texts_beside(self, modules: Iterable[str]) -> tuple[str, ...]:
        """Return the Jinja and CSV files in the folders of some modules."""
        folders = {self.paths[module].parent for module in modules}
        above = self.folder.parent
        return tuple(name for name in self.texts if (above / name).parent in folders)


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
    package = folder or Path(__file__).parents[1]
    paths = {_module(path.relative_to(package)): path for path in sorted(package.rglob("*.py"))}
    sha256 = {module: hashes.sha256(path) or "" for module, path in paths.items()}
    imports = {
        module: frozenset(_within([*hashes.imports(path), module], sha256)) - {module}
        for module, path in paths.items()
    }
    imports[LATE] = frozenset(sha256)
    texts = sorted([*package.rglob("*.jinja"), *package.glob("*/*.csv")])
    names = tuple(f"{LIBRARY}/{path.relative_to(package).as_posix()}" for path in texts)
    return Library(package, paths, sha256, imports, names)


def _within(names: Iterable[str], modules: Collection[str]) -> list[str]:
    """Return the modules of the library among dotted names, each after the packages it is in.

    Examples:
        >>> _within(["opmq_lib.show.figures", "numpy"], ["opmq_lib", "opmq_lib.show"])
        ['opmq_lib', 'opmq_lib.show']
    """
    parts = [name.split(".") for name in names if name.startswith(LIBRARY)]
    starts = (".".join(each[:length]) for each in parts for length in range(1, len(each) + 1))
    return list(dict.fromkeys(name for name in starts if name in modules))


def _module(path: Path) -> str:
    return ".".join((LIBRARY, *path.with_suffix("").parts)).removesuffix(".__init__")
