"""Verify a frozen edition: whole as it was written, and made again from what it holds.

Its code is executed: verify archives whose origin you trust.
"""

import json
import subprocess
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from opmq_lib.errors import DataError
from opmq_lib.methods import revisions
from opmq_lib.runs import fingerprint
from opmq_lib.runs.editions import archive, rebuild
from opmq_lib.show import figures
from opmq_lib.sources import ledger

Record = Mapping[str, Any]

PROCESSOR = "another kind of processor (which moves the sixth digit of estimates)"
"""Of a whole branch, made on four kinds: 1e-5 of a value at most, but second opinions of ETS."""


class Finding(NamedTuple):
    """One thing that is not as it should, where, and its likely cause."""

    where: str
    what: str
    cause: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.where}: {self.what}. Likely cause: {self.cause}"


class Verified(NamedTuple):
    """What a verification found.

    Attributes:
        findings: Differences, the first of the runs' order first; none if all is identical.
        versions: Packages whose version is another one here, in words.
        tables_count: Tables compared.
        figures_count: Figures compared.
    """

    findings: tuple[Finding, ...]
    versions: tuple[str, ...] = ()
    tables_count: int = 0
    figures_count: int = 0


def is_whole(path: Path, about: Record) -> list[Finding]:
    """Return what in an archive is not what was frozen: its sum, and each of its members.

    Args:
        path: The archive.
        about: Its manifest.
    """
    found = list[Finding]()
    known, now = dict(about["files"]), dict(archive.sums(path))
    now.pop(archive.MANIFEST, None)
    for name in sorted(known.keys() | now.keys()):
        if known.get(name) != now.get(name):
            how = "missing" if name not in now else "altered" if name in known else "added"
            kind = _kind(name)
            found.append(Finding(name, f"{how} {kind}", f"tampered archive ({how} {kind})"))
    recorded = archive.recorded_sum(path)
    if recorded not in (None, fingerprint.file_sha256(path)) and not found:
        what = "its SHA-256 is not the one recorded beside it"
        found.append(Finding(path.name, what, "tampered archive"))
    return found


def made_again(path: Path, about: Record, folder: Path, python: str, workers: int) -> Verified:
    """Make the results of an archive again and compare every table and every figure.

    Args:
        path: The archive, whole.
        about: Its manifest.
        folder: An empty folder to work in.
        python: Interpreter.
        workers: Notebooks executed at a time.
    """
    archive.extract(path, folder)
    records = ledger.read(folder / archive.LEDGER)
    done = rebuild.by_its_code(folder, map(_id, records), workers, python)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-3:]
        return Verified((Finding(path.name, " ".join(last), _why_nothing(done.stderr)),))
    outputs = folder / archive.PROJECT / "outputs" / about["edition_id"]
    again = ledger.latest(outputs / ledger.LEDGER)
    order = {id_: place for place, id_ in enumerate(again)}
    found, versions = list[Finding](), dict[str, None]()
    tables = drawn = 0
    for old in sorted(records, key=lambda each: order.get(_id(each), 0)):
        new = again.get(_id(old), {})
        here = folder / archive.RESULTS / "/".join(_id(old))
        found += _compared(old, new, here, outputs / "/".join(_id(old)))
        differing = fingerprint.differences(old, new) if new.get("versions") else ()
        versions |= dict.fromkeys(each for each in differing if each.startswith("version of"))
        tables += sum(name.endswith(".csv") for name in old["outputs"])
        drawn += len(_figures(here))
    return Verified(tuple(found), tuple(versions), tables, drawn)


def clean_python(folder: Path, project_folder: Path) -> str:
    """Return the interpreter of a new environment with exactly the packages of a lock file.

    Raises:
        DataError: If they cannot be installed.
    """
    venv.create(folder, with_pip=True)
    python = str(folder / "bin/python")
    lock = project_folder / "requirements.lock"
    install = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        what, expected = "its packages cannot be installed", "a package registry within reach"
        raise DataError.of("requirements.lock", what, expected, done.stderr.strip()[-500:])
    return python


def _compared(old: Record, new: Record, archived: Path, rebuilt: Path) -> Iterator[Finding]:
    """Yield what the result of one run has otherwise than the archive."""
    name = "/".join(_id(old))
    if new.get("status") != "ok":
        error = (new.get("error") or {}).get("message", "it could not be started")
        yield Finding(name, f"it cannot be made again: {error}", _cause(old, new))
        return
    for file in (each for each in old["outputs"] if each.endswith(".csv")):
        before = (archived / file).read_bytes()
        after = (rebuilt / file).read_bytes() if (rebuilt / file).is_file() else b""
        if before != after:
            yield Finding(f"{name}/{file}", _first(before, after), _cause(old, new))
    drawn, again = (_figures(folder) for folder in (archived, rebuilt))
    for number, each in enumerate(drawn, start=1):
        if each not in again[number - 1 : number]:
            what = "the figure shows other data"
            yield Finding(f"{name}, figure {number}", what, _cause(old, new))
    if len(drawn) < len(again):
        yield Finding(name, "more figures than were archived", _cause(old, new))


def _first(before: bytes, after: bytes) -> str:
    """Return the first cell that differs between an archived table and the one made again."""
    if not after:
        return "this table was not made again"
    cells = revisions.changes(revisions.read(before), revisions.read(after))
    if cells.empty:
        return "the same cells, written otherwise"
    first = cells.iloc[0]
    where = " ".join(filter(None, (first[name] for name in ("metier_code", "year", "row"))))
    old, new = (pd.to_numeric(cells[name], errors="coerce") for name in ("before", "after"))
    most = (new / old - 1).abs().max(skipna=False)  # none, where a cell is no number
    apart = f", by {100 * most:.1g} % at most" if most < 1 else ""
    return (
        f"{len(cells)} cells differ{apart}, first {first['column']} of {where}: "
        f"{first['before'] or 'nothing'} archived, {first['after'] or 'nothing'} made again"
    )


def _cause(old: Record, new: Record) -> str:
    """Return why a result made again is another one, from what each was made of."""
    said = list(fingerprint.differences(old, new)) if new.get("versions") else []
    kinds = {
        "input": ("input ",),
        "parameter": ("parameter ",),
        "code": ("library ", "template "),
        "version": ("version ",),
    }
    for kind, starts in kinds.items():
        if told := [each for each in said if each.startswith(starts)]:
            return f"{kind}: {'; '.join(told[:3])}"
    if new and new.get("seed") != old.get("seed"):
        return f"seed: {old.get('seed')} → {new.get('seed')}"
    return f"tampered archive (altered table), {PROCESSOR}, or a result that is not reproducible"


def _figures(folder: Path) -> list[str]:
    """Return what the figures of a notebook show: their words and the numbers that they draw."""
    path = folder / f"{folder.name}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"] if path.is_file() else []
    return [each.shown for each in figures.drawn(cells)]


def _kind(name: str) -> str:
    """Return what a member of an archive is.

    Examples:
        >>> _kind("results/chimie/01_emplois/emplois.csv"), _kind("project/parameters/edition.yml")
        ('table', 'parameter')
    """
    kinds = (
        ("table", f"{archive.RESULTS}/", ".csv"),
        ("notebook", f"{archive.RESULTS}/", ".ipynb"),
        ("parameter", f"{archive.PROJECT}/parameters/", ""),
        ("input", f"{archive.LIBRARY}/opmq_lib/data/", ""),
        ("input", f"{archive.PROJECT}/outputs/", ""),
        ("code", f"{archive.LIBRARY}/", ""),
        ("code", f"{archive.PROJECT}/notebooks/", ""),
        ("page", f"{archive.SITE}/", ""),
    )
    fits = (kind for kind, start, end in kinds if name.startswith(start) and name.endswith(end))
    return next(fits, "file")


def _why_nothing(error: str) -> str:
    is_missing = "No such file" in error or "there is no file" in error
    return "missing input" if is_missing else "code or version: the archive's code does not run"


def _id(record: Record) -> tuple[str, str]:
    return record["branch_code"], record["notebook"]
