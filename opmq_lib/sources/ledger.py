"""Reads the ledger of an edition, `runs.jsonl`: what has been run, and how it ended."""

import json
from pathlib import Path
from typing import Any

LEDGER = "runs.jsonl"
"""Name of the ledger in the folder of its edition."""

Record = dict[str, Any]


def read(path: Path) -> list[Record]:
    r"""Return every run of the ledger, oldest first; an edition without a ledger has none.

    Torn lines are skipped: a run whose line is torn did not finish.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     ledger = Path(folder) / "runs.jsonl"
        ...     _ = ledger.write_text('{"notebook": "01_emplois"}\n{"notebook": "03_ten')
        ...     read(ledger)
        [{'notebook': '01_emplois'}]
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    return [record for line in content.splitlines() if (record := _parsed(line)) is not None]


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
        ...     run = {"branch_code": "chimie", "notebook": "01_emplois"}
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


def _parsed(line: bytes) -> Record | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
