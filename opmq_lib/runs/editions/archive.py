"""Archives of frozen editions: the same content gives the same bytes; one is written whole or not.

`outputs/editions/NAME.zip` and, beside it, `NAME.zip.sha256`. A frozen edition never changes: its
archive appears by the last of all renamings, and none is ever replaced.
"""

import fcntl
import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

from opmq_lib.errors import DataError
from opmq_lib.runs import fingerprint
from opmq_lib.show import workbook
from opmq_lib.sources import project

FOLDER: Final = "outputs/editions"
MANIFEST: Final = "manifest.json"
LEDGER: Final = "ledger.jsonl"
SITE, RESULTS, PROJECT, LIBRARY = "site", "results", "project", "library"
"""Folders of an archive."""
SUM: Final = ".sha256"
WITHDRAWN: Final = ".withdrawn.json"
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,59}")
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, EOFError)


def path_of(root: Path, name: str) -> Path:
    """Return where the archive of an edition is, or would be."""
    return root / FOLDER / f"{name}.zip"


def frozen(root: Path) -> list[Path]:
    """Return the archives of a project, by name."""
    return sorted((root / FOLDER).glob("[!.]*.zip"))


def write(path: Path, members: Mapping[str, bytes]) -> str:
    """Write an archive and its sum; return its sha256.

    Args:
        path: Its place.
        members: Name → content.

    Raises:
        DataError: If there is an archive of that name with another content.
    """
    content = workbook.packed(dict(sorted(members.items())))
    sha256 = fingerprint.bytes_sha256(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.parent):
        for left in path.parent.glob(".*.partial"):
            left.unlink()
        if path.exists():
            if fingerprint.file_sha256(path) == sha256:
                return sha256
            what = "this edition is frozen already, with another content"
            expected = "a name that no edition has: a frozen edition never changes"
            fix = "choose another name, such as the same one with -v2"
            raise DataError.of(f"{FOLDER}/{path.name}", what, expected, fix)
        partial = path.with_name(f".{path.name}.partial")
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        project.write(path.with_name(path.name + SUM), f"{sha256}  {path.name}\n")
        partial.rename(path)
    return sha256


def withdraw(path: Path, reason: str, on: date) -> None:
    """Withdraw an edition: its archive stays, with a note beside it; the site shows the reason.

    Raises:
        DataError: If there is no such archive, the reason is empty or holds personal data.
    """
    from opmq_lib.tables import personal

    manifest(path)
    expected, fix = "a reason that everybody may read", "say why without naming anybody"
    DataError.refuse(personal.defects("--reason", reason, expected, fix))
    note = {"reason": reason, "date": on.isoformat()}
    project.write(path.with_name(path.name + WITHDRAWN), json.dumps(note, ensure_ascii=False))


def withdrawn(path: Path) -> dict[str, str]:
    """Return why and when an edition was withdrawn; nothing if it was not."""
    note = path.with_name(path.name + WITHDRAWN)
    return dict(json.loads(note.read_text(encoding="utf-8"))) if note.is_file() else {}


def read(path: Path, name: str) -> bytes:
    """Return a member of an archive."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def manifest(path: Path) -> dict[str, Any]:
    """Return what an archive says of itself.

    Raises:
        DataError: If it is no archive of an edition.
    """
    try:
        found, _ = json.loads(read(path, MANIFEST)), read(path, LEDGER)
        if not (NAME.fullmatch(found["name"]) and LEDGER in found["files"]):
            raise ValueError(found["name"])
    except (OSError, KeyError, TypeError, ValueError, *_DAMAGE) as error:
        expected = "a file written by `opmq edition freeze`"
        what, fix = "no archive of an edition, or a damaged one", "take another copy of the archive"
        if not path.exists():
            what, fix = "no such archive", "freeze it, or name one of outputs/editions/"
        raise DataError.of(path.name, what, expected, fix) from error
    return dict(found)


def recorded_sum(path: Path) -> str | None:
    """Return the sha256 that stands beside an archive, if it does."""
    beside = path.with_name(path.name + SUM)
    return beside.read_text(encoding="utf-8").partition(" ")[0] if beside.is_file() else None


def sums(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the members of an archive with the sha256 of each."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            try:
                yield name, fingerprint.bytes_sha256(archive.read(name))
            except _DAMAGE:
                yield name, "damaged"


def extract(path: Path, folder: Path, within: str = "") -> None:
    """Extract the members of an archive that lie in one of its folders, without that folder.

    Raises:
        DataError: If a member would land outside `folder`.
    """
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.startswith(within):
                continue
            target = folder / name.removeprefix(within)
            if not target.resolve().is_relative_to(folder.resolve()):
                what, expected = "a member that leads out of its folder", "names inside the archive"
                raise DataError.of(f"{path.name}, {name}", what, expected, "do not use this file")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(name))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one writer at a time into a folder of archives."""
    with (folder / ".lock").open("a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
