"""The ledger of an edition, `runs.jsonl`: what has been run, and how it ended.

Only the process that runs the batch writes it, one whole line at a time. A line torn by a killed
process or a full disk is skipped by readers and never joined to the next one; so is what is no
record of a run.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LEDGER = "runs.jsonl"
"""Name of the ledger in the folder of its edition."""

Record = dict[str, Any]

TEXTS = ("branch_code", "notebook", "status")
MAPS = ("parameters", "library", "inputs", "outputs", "versions")


def read(path: Path) -> list[Record]:
    r"""Return every run of the ledger, oldest first; an edition without a ledger has none.

    What is no record is skipped: a run whose line is torn did not finish.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     ledger = Path(folder) / "runs.jsonl"
        ...     run = {"branch_code": "chimie", "notebook": "01_emplois", "status": "failed"}
        ...     _ = ledger.write_text(f'{json.dumps(run)}\n{{"notebook": "03_ten')
        ...     read(ledger) == [run]
        True
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    return [record for line in content.splitlines() if (record := parsed(line)) is not None]


def latest(path: Path, status: str | None = None) -> dict[tuple[str, str], Record]:
    r"""Return the last run of each notebook of each branch, by `(branch_code, notebook)`.

    The last line wins, whatever its date says: clocks can be set back.

    Args:
        path: The ledger.
        status: `"ok"` to see the last run that succeeded even where a later one failed.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     ledger = Path(folder) / "runs.jsonl"
        ...     run = {"branch_code": "chimie", "notebook": "01_emplois", "outputs": {}}
        ...     lines = [json.dumps(run | {"status": status}) for status in ("ok", "failed")]
        ...     _ = ledger.write_text("\n".join(lines))
        ...     for status in (None, "ok"):
        ...         latest(ledger, status)["chimie", "01_emplois"]["status"]
        'failed'
        'ok'
    """
    return {
        (record["branch_code"], record["notebook"]): record
        for record in read(path)
        if status is None or record["status"] == status
    }


def append(path: Path, record: Mapping[str, Any]) -> None:
    r"""Add one run to the ledger, whole and on disk when this returns.

    Args:
        path: The ledger; created when missing.
        record: What is known of one finished run; anything JSON can hold.

    Raises:
        OSError: If the line cannot be written (full disk, no right); nothing of it then stays.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     ledger = Path(folder) / "runs.jsonl"
        ...     append(ledger, {"branch_code": "chimie", "notebook": "01_emplois", "status": "ok"})
        ...     ledger.read_text()
        '{"branch_code": "chimie", "notebook": "01_emplois", "status": "ok"}\n'
    """
    line = as_line(record)
    with path.open("a+b", buffering=0) as ledger:
        size = ledger.seek(0, os.SEEK_END)
        try:
            if record.get("origin") == "own":  # with its sum, a small own table could be guessed
                os.fchmod(ledger.fileno(), 0o600)
            _write_all(ledger.fileno(), _missing_newline(ledger.fileno(), size) + line)
            os.fsync(ledger.fileno())
        except OSError:
            ledger.truncate(size)
            raise


def as_line(record: Mapping[str, Any]) -> bytes:
    """Return a record as its line of the ledger; what is no text in UTF-8 is escaped."""
    return (json.dumps(record, ensure_ascii=False) + "\n").encode(errors="backslashreplace")


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _missing_newline(descriptor: int, size: int) -> bytes:
    """Return the line end that a torn last line lacks."""
    return b"" if size == 0 or os.pread(descriptor, 1, size - 1) == b"\n" else b"\n"


def parsed(line: bytes) -> Record | None:
    """Return the run of a line of a ledger; `None` if it is no record of one."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and _is_run(record) else None


def _is_run(record: Record) -> bool:
    error = record.get("error") or {"cell": None, "message": ""}
    return (
        all(isinstance(record.get(name), str) for name in TEXTS)
        and all(isinstance(record.get(name, {}), dict) for name in MAPS)
        and (isinstance(error, dict) and {"cell", "message"} <= error.keys())
        and (record["status"] != "ok" or "outputs" in record)
    )
