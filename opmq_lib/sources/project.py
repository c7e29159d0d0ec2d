"""The project: its root, found from wherever one works, its templates and its texts."""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from opmq_lib.errors import SchemaError

ROOT = "OPMQ_ROOT"
"""Variable of the environment that names the project, wherever one works."""
FILES = ("notebooks", "parameters", "_quarto.yml", ".gitignore")
"""What a project is made of."""
_LIBRARY = Path(__file__).parents[1]
_IN_A_WHEEL = _LIBRARY / "data/project"
SHIPPED = _IN_A_WHEEL if _IN_A_WHEEL.is_dir() else _LIBRARY.parent
"""Where the library has these files, and its examples: in its wheel, or around it in a checkout."""
SECRET = "secret.csv"
"""Beside a branch's released employment: the métiers that are only told together."""


def find_root(start: Path | None = None) -> Path:
    """Return the nearest folder, from `start` upwards, with `_quarto.yml` and `parameters/`.

    Args:
        start: Where to start; if absent, the folder that `OPMQ_ROOT` names, else the working
            folder. A notebook runs in a subfolder of `outputs/` or `notebooks/`; the batch names
            its project, as `outputs` may be a link to another disk.

    Returns:
        The root, absolute.

    Raises:
        SchemaError: If no folder on the way up is a project.

    Examples:
        >>> with TemporaryDirectory() as folder:
        ...     root = Path(folder).resolve()
        ...     (root / "_quarto.yml").touch()
        ...     (root / "parameters").mkdir()
        ...     (root / "notebooks").mkdir()
        ...     find_root(root / "notebooks") == root
        True
    """
    here = (Path(os.environ.get(ROOT, "")) if start is None else start).resolve()
    for folder in (here, *here.parents):
        if (folder / "_quarto.yml").is_file() and (folder / "parameters").is_dir():
            return folder
    expected = "a folder with `_quarto.yml` and `parameters/`, here or above"
    fix = "change to the project's folder (`cd …`), or begin one with `opmq init FOLDER`"
    raise SchemaError.of(str(here), "not inside a project", expected, fix)


def start(folder: Path) -> tuple[str, ...]:
    """Write the files of a new project in a folder; all of them or none.

    Args:
        folder: Created if absent.

    Returns:
        What was written, by name.

    Raises:
        SchemaError: If the folder has one of these already.

    Examples:
        >>> with TemporaryDirectory() as folder:
        ...     _ = start(Path(folder, "mine"))
        ...     sorted(path.name for path in Path(folder, "mine").iterdir())
        ['.gitignore', '_quarto.yml', 'notebooks', 'parameters']
    """
    if there := [name for name in FILES if (folder / name).exists()]:
        expected, fix = "a folder without a project", "name another folder, or remove these first"
        raise SchemaError.of(str(folder), "is a project already", expected, fix, ", ".join(there))
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as beside:
        for name in FILES:
            if (SHIPPED / name).is_dir():
                ignored = shutil.ignore_patterns(".ipynb_checkpoints")
                shutil.copytree(SHIPPED / name, Path(beside, name), ignore=ignored)
            else:
                shutil.copy(SHIPPED / name, beside)
        for name in FILES:
            Path(beside, name).rename(folder / name)
    return FILES


def scopes(root: Path) -> dict[str, str]:
    """Return how often each template of a project runs, by its name.

    Returns:
        `branch` (once per branch) or `common` (once), as its metadata say; `""` where they do not.
    """
    known = {}
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        known[path.stem] = ""
        with suppress(ValueError, KeyError, TypeError):
            metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
            known[path.stem] = str(metadata["opmq"]["scope"])
    return known


def decoded(content: bytes, where: str, fix: str) -> str:
    """Return the text of a file in UTF-8.

    Args:
        content: What the file holds.
        where: The file as messages show it.
        fix: What to do if it is not UTF-8.

    Raises:
        SchemaError: If it is not UTF-8; says on which line.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        what = f"byte 0x{content[error.start]:02x} is not UTF-8"
        place = f"{where}, line {line}"
        raise SchemaError.of(place, what, "a text file in UTF-8", fix) from error


def write(path: Path, content: str | bytes, *, private: bool = False) -> Path:
    """Write a file whole or not at all, leave nothing else, and return its path.

    Nobody but its owner can read a private one, at any moment.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.unlink(missing_ok=True)  # it may be a link that somebody left
        partial.touch(0o600 if private else 0o666, exist_ok=False)
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        return partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
