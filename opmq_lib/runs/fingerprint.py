"""Take the fingerprint of a run, by content: two runs with one fingerprint give one result.

A fingerprint is a part of the ledger's line: `template_sha256`, `parameters`, `library` (module →
sha256, first letters), `inputs` (name → sha256) and `versions`. Dates of files are no part of it.
"""

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

Fingerprint = Mapping[str, Any]

PARTS = ("template_sha256", "parameters", "library", "inputs", "versions")
EMBEDDED = "opmq_lib/data/"
PACKAGES = (
    "ipykernel",
    "jinja2",
    "markupsafe",
    "matplotlib",
    "numpy",
    "openpyxl",
    "pandas",
    "papermill",
    "pyarrow",
    "pydantic",
    "scipy",
    "statsmodels",
    "xlsxwriter",
)


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's content, in hexadecimal.

    Raises:
        OSError: If the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def bytes_sha256(content: bytes) -> str:
    """Return the sha256 of some content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def json_sha256(value: Any) -> str:
    """Return the sha256 of a value's canonical JSON: the order of keys does not matter.

    Examples:
        >>> json_sha256({"a": 1, "b": 2}) == json_sha256({"b": 2, "a": 1})
        True
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()


@cache
def versions() -> Mapping[str, str]:
    """Return the versions of Python and of the packages that can change a result."""
    python = ".".join(map(str, sys.version_info[:3]))
    return {"python": python} | {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str:
    """Return a package's version, from a line: `version` parses its whole description."""
    line = re.search(r"(?m)^Version: (.+)$", distribution(name).read_text("METADATA") or "")
    return line[1] if line else version(name)


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
        ...           "library": {"opmq_lib.errors": "b"}, "versions": {"pandas": "3.0"},
        ...           "inputs": {"opmq_lib/data/tension.csv": "c", "parameters/edition.yml": "d"}}
        >>> now = before | {"parameters": {"horizon_years": 12}, "inputs": {
        ...     "opmq_lib/data/tension.csv": "e", "parameters/edition.yml": "d"}}
        >>> list(differences(before, now))
        ['parameter horizon_years 10 → 12', 'input tension changed']
    """
    if before["template_sha256"] != now["template_sha256"]:
        yield "template changed"
    for name, old, new in changed(before["parameters"], now["parameters"]):
        yield f"parameter {name} {_shown(old)} → {_shown(new)}"
    if "library" not in before:
        yield "library not recorded"
    for name, old, new in changed(before.get("library", now["library"]), now["library"]):
        yield f"library {name} {_verb(old, new)}"
    for name, old, new in changed(before["inputs"], now["inputs"]):
        file, *field = name.split("#")
        shown = file.removeprefix(EMBEDDED).removesuffix(".csv") if EMBEDDED in file else file
        yield f"input {', '.join([shown, *field])} {_verb(old, new)}"
    for name, old, new in changed(before["versions"], now["versions"]):
        yield f"version of {name} {_shown(old)} → {_shown(new)}"


def damages(
    recorded: Mapping[str, str], folder: Path, sha256: Callable[[str], str | None]
) -> Iterator[str]:
    """Say which recorded output is no longer what the run wrote, by content.

    Files beside them are nobody's business: opening a notebook leaves checkpoints there.

    Args:
        recorded: Path in the folder → sha256.
        folder: Of the results.
        sha256: Hashes a file, or finds none.
    """
    for name, expected in recorded.items():
        now = sha256(f"{folder}/{name}")
        if now != expected:
            yield f"output {name} {'missing' if now is None else 'changed'}"


def changed(
    before: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[tuple[str, Any | None, Any | None]]:
    """Yield the names that two parts of fingerprints tell otherwise, with what each tells."""
    for name in sorted(before.keys() | now.keys()) if before != now else ():
        if before.get(name) != now.get(name):
            yield name, before.get(name), now.get(name)


def _verb(old: Any | None, new: Any | None) -> str:
    return "added" if old is None else "removed" if new is None else "changed"


def _shown(value: Any | None) -> str:
    return "none" if value is None else str(value)
