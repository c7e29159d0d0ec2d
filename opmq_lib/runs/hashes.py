"""Hash files by content, and read what source files import: once, not at each command.

A file is read again unless its size, dates of change and inode are those of last time. What that
trusts: whoever writes a file gets a new date of change (`ctime`), which no program can set. A file
changed less than a second ago, or in the future (a clock set back), is not remembered: a second
change could fall on the same tick. Delete `.hashes.json` to have everything read again.
"""

import ast
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from opmq_lib.runs.fingerprint import file_sha256
from opmq_lib.sources import project

CACHE = ".hashes.json"
YOUNG_NS = 1_000_000_000

NOT_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What parsing raises on a text that is not Python: NUL, half a character, endless brackets."""


class Hashes:
    """Remembers in a file; without one, for its own life only.

    Args:
        cache: The file; missing, damaged or unwritable, it only costs time.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "jobs.csv")
        ...     _ = file.write_text("1")
        ...     hashes = Hashes()
        ...     hashes.sha256(file) == hashes.sha256(file), hashes.sha256(Path(folder, "absent"))
        (True, None)
    """

    def __init__(self, cache: Path | None = None) -> None:
        self._cache, self._changed = cache, False
        content: Any = {}
        if cache is not None:
            with suppress(OSError, ValueError):
                content = json.loads(cache.read_bytes())
        known = content if isinstance(content, dict) else {}
        self._files: dict[str, list[Any]] = known.get("files", {})
        self._imports: dict[str, list[str]] = known.get("imports", {})

    def sha256(self, path: Path | str) -> str | None:
        """Return the sha256 of a file's content; `None` if there is no file that can be read."""
        name = os.fspath(path)
        try:
            now = _state(os.stat(name))  # noqa: PTH116 - thousands of them: no Path is made
            known = self._files.get(name)
            if known is None or known[:-1] != now:
                known = [*now, file_sha256(Path(name))]
                if not _is_settled(now) or _state(os.stat(name)) != now:  # noqa: PTH116
                    return str(known[-1])
                self._files[name] = known
                self._changed = True
        except OSError:
            return None
        return str(known[-1])

    def imports(self, path: Path) -> tuple[str, ...]:
        """Return the modules that a source file imports, by content of the file."""
        sha256 = self.sha256(path) or ""
        if sha256 not in self._imports:
            self._imports[sha256] = _imports(sha256, path)
            self._changed = True
        return tuple(self._imports[sha256])

    def save(self) -> None:
        """Remember; what cannot be written is forgotten."""
        if self._cache is None or not self._changed:
            return
        kept = {name: state for name, state in self._files.items() if Path(name).exists()}
        text = json.dumps({"files": kept, "imports": self._imports})
        with suppress(OSError):  # private: a small own table could be guessed from its sum
            project.write(self._cache, text, private=True)
        self._changed = False


def imported(sources: Sequence[str]) -> set[str] | None:
    """Return the names that Python texts import: `a.b` for `from a import b`.

    `import a.b` gives `a` as well: that is the name which the text then has.

    Returns:
        Dotted names; `None` if a text is not Python, so that nothing can be said.

    Examples:
        >>> sorted(imported(["from opmq_lib.show import downloads", "import numpy as np"]))
        ['numpy', 'opmq_lib.show.downloads']
        >>> imported(["1 +"]) is None
        True
    """
    names: set[str] = set()
    for source in sources:
        lines = (line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))
        try:
            tree = ast.parse("\n".join(lines))
        except NOT_PYTHON:
            return None
        for node in _statements(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    names |= {alias.name, alias.name.partition(".")[0]}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@cache
def _imports(_sha256: str, path: Path) -> list[str]:
    """Return what a file of this content imports, read once in a process."""
    return sorted(imported([path.read_text(encoding="utf-8")]) or ())


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements of a text, those within others too: no expression holds an import."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting.extend(getattr(node, part, ()))


def _state(status: os.stat_result) -> list[int]:
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _is_settled(state: list[int]) -> bool:
    return max(state[1], state[2]) < time.time_ns() - YOUNG_NS
