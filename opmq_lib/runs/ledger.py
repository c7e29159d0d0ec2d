"""The ledger of an edition: one JSON line per finished run in `runs.jsonl`.

Only the process that runs the batch writes it, one whole line at a time. A line torn by a killed
process or a full disk is skipped by readers and never joined to the next one. Notebooks read the
ledger too: its reading half is in `sources.runs`.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opmq_lib.sources.ledger import LEDGER, Record, latest, read

__all__ = ["LEDGER", "Record", "append", "latest", "read"]


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
    line = as_line(record).encode()
    with path.open("a+b", buffering=0) as ledger:
        size = ledger.seek(0, os.SEEK_END)
        try:
            _write_all(ledger.fileno(), _after_torn(ledger.fileno(), size) + line)
            os.fsync(ledger.fileno())
        except OSError:
            ledger.truncate(size)
            raise


def as_line(record: Mapping[str, Any]) -> str:
    """Return a record as its line of the ledger."""
    return json.dumps(record, ensure_ascii=False) + "\n"


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _after_torn(descriptor: int, size: int) -> bytes:
    """Return the line end that a torn last line lacks."""
    return b"" if size == 0 or os.pread(descriptor, 1, size - 1) == b"\n" else b"\n"
