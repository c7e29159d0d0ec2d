"""What a run is made of, by content: two runs with one fingerprint give one result.

A fingerprint is a part of the ledger's line: `template_sha256`, `parameters`, `inputs` (name →
sha256) and `versions`. Dates and sizes of files say nothing and are not looked at.
"""

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import opmq_lib

Fingerprint = Mapping[str, Any]

LIBRARY = "opmq_lib"
PARTS = ("template_sha256", "parameters", "inputs", "versions")
PACKAGES = (
    "ipykernel",
    "matplotlib",
    "numpy",
    "pandas",
    "pandera",
    "papermill",
    "pyarrow",
    "pydantic",
    "scipy",
    "seaborn",
    "statsmodels",
)
TABLES = (".csv", ".parquet")
# What no notebook may import cannot change its result.
UNREACHABLE = ("__main__.py", "cli.py", "batch.py", "edition", "site")


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's content, in hexadecimal.

    Raises:
        OSError: If the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def json_sha256(value: Any) -> str:
    """Return the sha256 of a value's canonical JSON: the order of keys does not matter.

    Examples:
        >>> json_sha256({"a": 1, "b": 2}) == json_sha256({"b": 2, "a": 1})
        True
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def library(package: Path | None = None) -> dict[str, str]:
    """Return what the library brings to every run: its source as one input, each table as one.

    Args:
        package: Folder of the library; by default that of the library in use.

    Returns:
        Name → sha256, the source under `opmq_lib`, tables under `opmq_lib/data/<file>`.

    Examples:
        >>> "opmq_lib" in library()
        True
    """
    folder = package or Path(opmq_lib.__file__).parent
    source = [(str(path.relative_to(folder)), file_sha256(path)) for path in _source(folder)]
    tables = {
        f"{LIBRARY}/data/{path.name}": file_sha256(path)
        for path in sorted((folder / "data").glob("*"))
        if path.suffix in TABLES
    }
    return {LIBRARY: json_sha256(source)} | tables


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that can change a result."""
    return {"python": ".".join(map(str, sys.version_info[:3]))} | {
        name: _installed(name) for name in PACKAGES
    }


def key(fingerprint: Fingerprint) -> str:
    """Return the one hash that changes whenever any part of the fingerprint does."""
    return json_sha256({part: fingerprint[part] for part in PARTS})


def outputs(folder: Path) -> dict[str, str]:
    """Return the files of a result folder: path relative to it → sha256, sorted by path."""
    return {
        path.relative_to(folder).as_posix(): file_sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def differences(before: Fingerprint, now: Fingerprint) -> Iterator[str]:
    """Say, one sentence each, what a run of today would have that the recorded one had not.

    Examples:
        >>> before = {"template_sha256": "a", "parameters": {"horizon_years": 10},
        ...           "inputs": {"opmq_lib": "b", "jobs.csv": "c"}, "versions": {"pandas": "3.0"}}
        >>> now = {"template_sha256": "a", "parameters": {"horizon_years": 12},
        ...        "inputs": {"opmq_lib": "b", "jobs.csv": "d"}, "versions": {"pandas": "3.1"}}
        >>> list(differences(before, now))
        ['parameter horizon_years 10 → 12', 'input jobs.csv changed', 'version of pandas 3.0 → 3.1']
    """
    if before["template_sha256"] != now["template_sha256"]:
        yield "template changed"
    for name, old, new in _changed(before["parameters"], now["parameters"]):
        yield f"parameter {name} {_shown(old)} → {_shown(new)}"
    for name, old, new in _changed(before["inputs"], now["inputs"]):
        verb = "added" if old is None else "removed" if new is None else "changed"
        yield f"library {verb}" if name == LIBRARY else f"input {name} {verb}"
    for name, old, new in _changed(before["versions"], now["versions"]):
        yield f"version of {name} {_shown(old)} → {_shown(new)}"


def damages(recorded: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Say which recorded output is no longer what the run wrote, by content.

    Files beside them are nobody's business: opening a notebook leaves checkpoints there.
    """
    for name in changed_files(recorded, folder):
        yield f"output {name} {'changed' if (folder / name).is_file() else 'missing'}"


def changed_files(recorded: Mapping[str, str], folder: Path) -> list[str]:
    """Return the names of the files that are gone, or no longer have their recorded content."""
    return [name for name, sha256 in recorded.items() if _found_sha256(folder / name) != sha256]


def _found_sha256(path: Path) -> str | None:
    try:
        return file_sha256(path)
    except OSError:
        return None


def _source(folder: Path) -> list[Path]:
    paths = sorted(folder.rglob("*.py"))
    return [path for path in paths if path.relative_to(folder).parts[0] not in UNREACHABLE]


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _changed(
    before: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[tuple[str, Any | None, Any | None]]:
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            yield name, before.get(name), now.get(name)


def _shown(value: Any | None) -> str:
    return "none" if value is None else str(value)
