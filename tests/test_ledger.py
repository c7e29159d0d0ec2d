import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opmq_lib.sources import ledger

RUN: ledger.Record = {
    "branch_code": "chimie",
    "notebook": "01_emplois",
    "status": "ok",
    "outputs": {},
}


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Make the system refuse to let any file grow beyond a size, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_is_appended_is_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    records: list[ledger.Record] = [
        RUN | {"label": "métallurgie, 1\u202f234\n"},
        RUN | {"error": None},
    ]
    for record in records:
        ledger.append(path, record)
    assert ledger.read(path) == records
    assert path.read_bytes().count(b"\n") == 2


def test_edition_without_ledger_has_no_runs(tmp_path: Path) -> None:
    assert ledger.read(tmp_path / "runs.jsonl") == []
    assert ledger.latest(tmp_path / "runs.jsonl") == {}


@pytest.mark.parametrize("torn", ['{"branch_code": "chim', "{", "12", '{"label": "m\u00e9'])
def test_torn_last_line_is_skipped_and_does_not_spoil_the_next(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "runs.jsonl"
    ledger.append(path, RUN)
    with path.open("ab") as file:
        file.write(torn.encode()[:-1] if torn.endswith("\u00e9") else torn.encode())
    assert ledger.read(path) == [RUN]
    ledger.append(path, RUN | {"status": "failed"})
    assert ledger.read(path) == [RUN, RUN | {"status": "failed"}]


def test_full_disk_leaves_no_part_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    ledger.append(path, RUN)
    before = path.read_bytes()
    with files_no_larger_than(len(before) + 10), pytest.raises(OSError, match="large"):
        ledger.append(path, RUN)
    assert path.read_bytes() == before
    ledger.append(path, RUN)
    assert ledger.read(path) == [RUN, RUN]


def test_latest_is_the_last_line_whatever_its_clock_says(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    ledger.append(path, RUN | {"started_at": "2026-06-01"})
    ledger.append(path, RUN | {"started_at": "2026-01-01", "status": "failed"})
    ledger.append(path, RUN | {"notebook": "03_tensions"})
    assert ledger.latest(path)["chimie", "01_emplois"]["started_at"] == "2026-01-01"
    assert ledger.latest(path, "ok")["chimie", "01_emplois"]["started_at"] == "2026-06-01"
    assert len(ledger.latest(path)) == 2


def test_each_line_is_json_on_its_own(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    ledger.append(path, RUN)
    ledger.append(path, RUN)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [RUN, RUN]
