"""Keep the folders of an edition: one runner at a time, results that appear whole or not at all.

A run works in a staging folder, `outputs/<edition_id>/.work/<branch_code>--<notebook>--<pid>`,
which takes the place of the published folder by renaming. Killed at any moment, a runner leaves
the old result, the new one, or none (then the next runner puts the old one back); never a mixture.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opmq_lib.errors import DataError
from opmq_lib.runs.kernels import leftovers
from opmq_lib.sources import project

WORK = ".work"
OLD = ".old"


@contextmanager
def locked(edition_folder: Path) -> Iterator[None]:
    """Keep other runners out of an edition; the lock dies with this process, however it ends.

    Args:
        edition_folder: `outputs/<edition_id>`; created when missing.

    Raises:
        DataError: If another runner is at work there.
    """
    edition_folder.mkdir(parents=True, exist_ok=True)
    with (edition_folder / ".lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            pid = lock.read().strip() or "unknown"
            where = f"outputs/{edition_folder.name}"
            what = f"another batch (process {pid}) is writing this edition"
            fix = "wait until it has ended, or stop it, then start again"
            raise DataError.of(where, what, "one batch at a time per edition", fix) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def stage(edition_folder: Path, branch_code: str, notebook: str) -> Path:
    """Return a new empty folder for one run to work in."""
    staging = edition_folder / WORK / f"{branch_code}--{notebook}--{os.getpid()}"
    staging.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staging.mkdir(mode=0o700)
    return staging


def discard(staging: Path) -> None:
    """Remove a staging folder, if it is still there."""
    shutil.rmtree(staging, ignore_errors=True)


def publish(staging: Path, folder: Path, *, private: bool = False) -> None:
    """Put a finished staging folder in the place of `folder`, whose old content disappears.

    Args:
        staging: From `stage`: nobody else could look into it.
        folder: Its place.
        private: Whether that stays so, its files included.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as edition:
        ...     staging = stage(Path(edition), "chimie", "01_emplois")
        ...     _ = (staging / "projection.csv").write_text("year,value")
        ...     publish(staging, Path(edition) / "chimie" / "01_emplois")
        ...     sorted(path.name for path in Path(edition).glob("chimie/*/*"))
        ['projection.csv']
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for path in staging.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        if private:
            path.chmod(0o700 if path.is_dir() else 0o600)
    staging.chmod(0o700 if private else 0o755)
    swap(staging, folder, staging.with_name(staging.name + OLD))
    failed_notebook(folder).unlink(missing_ok=True)


def no_files(folder: Path) -> list[str]:
    """Return the names in a folder of what is neither a file nor a folder; a link is neither.

    The file behind a link may be one that the run could not read.
    """
    return sorted(
        each.relative_to(folder).as_posix()
        for each in folder.rglob("*")
        if each.is_symlink() or not (each.is_file() or each.is_dir())
    )


def swap(new: Path, folder: Path, old: Path) -> None:
    """Let a folder take the place of another, set aside as `old`, which comes back if that fails.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as above:
        ...     write(Path(above) / "new" / "index.html", b"<html>")
        ...     swap(Path(above) / "new", Path(above) / "site", Path(above) / "old")
        ...     sorted(path.name for path in Path(above).glob("*/*"))
        ['index.html']
    """
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file as `project.write` does, and first the folders that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    project.write(path, content, private=private)


def failed_notebook(folder: Path) -> Path:
    """Return where the notebook of a failed run is kept: beside the published folder, not in it.

    Examples:
        >>> failed_notebook(Path("outputs/2026/chimie/01_emplois")).as_posix()
        'outputs/2026/chimie/01_emplois.failed.ipynb'
    """
    return folder.with_name(f"{folder.name}.failed.ipynb")


def keep_failed(notebook: Path, folder: Path) -> None:
    """Keep the notebook of a failed run where its owner finds it; the last good result stays."""
    if notebook.exists():
        notebook.chmod(0o600)
        folder.parent.mkdir(parents=True, exist_ok=True)
        notebook.rename(failed_notebook(folder))


def sweep(edition_folder: Path) -> None:
    """Remove what dead runners left in `.work` and end what runs in it; call it under the lock.

    A result set aside by a runner that died before the new one was in place is put back.
    """
    work = edition_folder / WORK
    leftovers.end(f"{work}/")
    for old in work.glob(f"*{OLD}"):
        branch_code, notebook, _ = old.name.rsplit("--", 2)
        folder = edition_folder / branch_code / notebook
        if not folder.exists():
            old.rename(folder)
    shutil.rmtree(work, ignore_errors=True)
