"""What a batch survives: each fault is the real thing, in a batch of its own process.

After each: no process left, no half file, everything finished is kept, and the next batch
completes the rest and nothing else.
"""

import json
import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import small_project as small

from opmq_lib.runs import batch, folders
from opmq_lib.runs.kernels import warm
from opmq_lib.runs.report import Limits

FULL = bool(os.environ.get("OPMQ_TEST_FULL"))
linux = pytest.mark.skipif(not warm.POSSIBLE, reason="kernels are forked on Linux only")
NAMES = ["aaa", "chimie", "ciments", "verre"]
GOOD = small.TABLE
OWN_SESSION = "import subprocess\nsubprocess.Popen(['sleep', '600'], start_new_session=True)\n"
PAUSE = "" if FULL else "; time.sleep(0.2)"
ENDLESS = {
    "flood": (
        f"import time\nwhile True: print('x' * 10**6){PAUSE}",
        "the notebook took more than 15 s",
    ),
    "hang": ("import time; time.sleep(600)", "the notebook took more than 15 s"),
}
if FULL:
    ENDLESS["busy loop"] = ("while True: pass", "the notebook took more than 15 s")
EACH = {
    "exception": ("1 / 0", "ZeroDivisionError: division by zero"),
    "exit": ("import os; os._exit(7)", "the kernel died"),
    "killed": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "the kernel died"),
    "memory": ("bytearray(4_000_000_000)", "MemoryError: no memory is left"),
}


def failing(fault: str) -> str:
    """Return a cell that meets a fault in chimie only, once the table is written."""
    return f"{GOOD}\nif branch_code == 'chimie':\n    {fault}"


def finished(root: Path) -> set[str]:
    """Return the branches that have a result; each must be whole."""
    edition = root / "outputs/2026"
    for (code, notebook), record in small.records(root).items():
        if record["status"] == "ok":
            for name in record["outputs"]:
                assert (edition / code / notebook / name).is_file()
    for path in edition.glob("*/01_emplois/*.ipynb"):
        json.loads(path.read_text(encoding="utf-8"))
    return {path.parent.parent.name for path in edition.glob("*/01_emplois/table.csv")}


def completes_the_rest(root: Path, kept: set[str]) -> None:
    """Check that the next batch executes what is missing and nothing else."""
    for each in (root / "outputs/2026").glob("*/*.failed.ipynb"):
        json.loads(each.read_text(encoding="utf-8"))
    report = batch.execute(small.runs(root), 2)
    assert {o.run.branch_code for o in report.outcomes if o.status == "up to date"} == kept
    assert report.exit_status == 0
    assert finished(root) == {run.branch_code for run in small.runs(root)}
    assert not (root / "outputs/2026/.work").exists()


@pytest.mark.parametrize(
    ("kind", "faults", "seconds"),
    [
        pytest.param("warm", EACH, 120, marks=linux),
        pytest.param("warm", ENDLESS, 15, marks=linux),
        ("cold", EACH, 120),
        pytest.param("cold", ENDLESS, 15, marks=pytest.mark.skipif(not FULL, reason="full run")),
    ],
)
def test_each_fault_of_a_notebook_fails_its_run_only(
    tmp_path: Path,
    kind: str,
    faults: dict[str, tuple[str, str]],
    seconds: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What ends by itself has all the time that a loaded machine needs."""
    small.write_edition(tmp_path)
    for number, (cell, _) in enumerate(faults.values()):
        small.write_notebook(tmp_path, f"{number:02}_faute", "print('before')", cell, "'after'")
    small.write_notebook(tmp_path, "99_bon", GOOD, "print('x' * 3_000_000)")
    names = [f"{number:02}_faute" for number in range(len(faults))]
    small.write_branch(tmp_path, "chimie", [*names, "99_bon"])
    limits = Limits(time_seconds=seconds, memory_mb=3000, output_mb=1)
    runs = small.runs(tmp_path)
    report = batch.execute(runs, 4, limits=limits, cold=kind == "cold")
    records = small.records(tmp_path)
    assert report.exit_status == 1
    assert (report.count("failed"), report.count("ok")) == (len(faults), 1)
    for name, (_, message) in zip(names, faults.values(), strict=True):
        error = records["chimie", name]["error"]
        assert error["message"].startswith(message)
        assert error["cell"] == 4
        kept = (tmp_path / f"outputs/2026/chimie/{name}.failed.ipynb").read_text()
        assert "before" in kept
        assert is_cut(kept) == (name == "00_faute" and faults is ENDLESS)
    assert is_cut((tmp_path / "outputs/2026/chimie/99_bon/99_bon.ipynb").read_text())
    assert len(records) == len(faults) + 1
    assert "asyncio" not in {record.name for record in caplog.records}


def is_cut(notebook: str) -> bool:
    assert len(notebook) < 1.2 * 2**20
    return "Sorties coupées à 1 Mo" in notebook


@linux
def test_zygote_killed_loses_no_run(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, NAMES, cell=GOOD + small.GATE)
    mark = f"zygote-{tmp_path.name}"
    with small.running(root, mark=mark) as process:
        small.wait_until(lambda: list((root / "outputs/2026").glob(".work/*/here")))
        (zygote,) = zygotes(process.pid)
        os.kill(zygote, signal.SIGKILL)
        (root / "outputs/2026/open").touch()
        assert process.wait(90) == 0
    small.wait_until(lambda: not small.family(mark))
    assert finished(root) == set(NAMES)
    completes_the_rest(root, set(NAMES))


@linux
def test_zygote_stopped_is_replaced_and_loses_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "SECONDS_TO_ANSWER", 2)
    root = small.write_project(tmp_path, NAMES, cell=GOOD + small.GATE)

    def stop_the_zygote() -> None:
        small.wait_until(lambda: list((root / "outputs/2026").glob(".work/*/here")))
        (zygote,) = zygotes(os.getpid())
        os.kill(zygote, signal.SIGSTOP)
        (root / "outputs/2026/open").touch()

    with ThreadPoolExecutor(1) as other:
        stopping = other.submit(stop_the_zygote)
        report = batch.execute(small.runs(root), 2)
        stopping.result()
    assert report.exit_status == 0, report
    assert finished(root) == set(NAMES)
    assert not zygotes(os.getpid())


@pytest.mark.parametrize("kind", ["warm", "cold"] if FULL else ["warm"])
@linux
def test_what_a_cell_started_in_a_session_of_its_own_ends_with_the_batch(
    tmp_path: Path, kind: str
) -> None:
    root = small.write_project(tmp_path, ["chimie"], cell=OWN_SESSION)
    mark = f"session-{tmp_path.name}"
    with small.running(root, "1", kind, mark=mark) as process:
        assert process.wait(90) == 0
    small.wait_until(lambda: not small.family(mark))


@pytest.mark.parametrize("kind", ["warm", "cold"] if FULL else ["warm"])
@linux
def test_runner_killed_beside_stopped_processes_leaves_none(tmp_path: Path, kind: str) -> None:
    """The zygote is stopped, or the cold kernel: neither could see by itself that it is over."""
    root = small.write_project(tmp_path, ["chimie"], cell=OWN_SESSION + small.GATE)
    mark = f"stopped-{tmp_path.name}"
    with small.running(root, "1", kind, mark=mark) as process:
        small.wait_until(lambda: list((root / "outputs/2026").glob(".work/*/here")))
        for pid in small.family(mark):
            if pid != process.pid:
                os.kill(pid, signal.SIGSTOP)
        process.kill()
        process.wait()
    if kind == "cold":  # nobody is left to end what its cell has started, but the next batch
        folders.sweep(root / "outputs/2026")
    small.wait_until(lambda: not small.family(mark))


def zygotes(runner: int) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
            command = (process / "cmdline").read_bytes()
            if int(parent) == runner and b"opmq_lib.runs.kernels.zygote" in command:
                found.append(int(process.name))
    return found


@pytest.mark.parametrize("seed", range(20 if FULL else 2))
def test_ctrl_c_at_any_moment(tmp_path: Path, seed: int) -> None:
    slow = f"{GOOD}\nimport time\ntime.sleep(0.5)"
    root = small.write_project(tmp_path, NAMES, cell=slow)
    mark = f"interrupt-{tmp_path.name}"
    moment = random.Random(seed).uniform(0.3, 6)
    with small.running(root, mark=mark) as process:
        with suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        process.send_signal(signal.SIGINT)  # nothing happens to one that has ended
        assert process.wait(60) in {0, 130, 1, -2}
    small.wait_until(lambda: not small.family(mark))
    folders.sweep(root / "outputs/2026")
    kept = {id_[0] for id_, record in small.records(root).items() if record["status"] == "ok"}
    assert kept <= finished(root)
    completes_the_rest(root, kept)


def test_full_disk_fails_the_run_that_meets_it_and_leaves_whole_results(
    tmp_path: Path, small_disk: Path
) -> None:
    big = f"{GOOD}\nif branch_code == 'chimie':\n    Path('big').write_bytes(bytes(10**6))"
    root = small.write_project(tmp_path / "project", ["chimie", "ciments"], cell=big)
    (root / "outputs").symlink_to(small_disk)
    report = batch.execute(small.runs(root), 1)
    assert small.statuses(report) == {"chimie/01_emplois": "failed", "ciments/01_emplois": "ok"}
    assert (
        "No space left on device" in small.records(root)["chimie", "01_emplois"]["error"]["message"]
    )
    assert finished(root) == {"ciments"}
    assert not (small_disk / "2026/.work").exists()
    small.write_notebook(root, "01_emplois", GOOD)
    completes_the_rest(root, set())


def test_full_disk_while_the_notebook_is_written_leaves_no_half_notebook(
    tmp_path: Path, small_disk: Path
) -> None:
    big = f"{GOOD}\nprint('x' * (400_000 if branch_code == 'chimie' else 1))"
    root = small.write_project(tmp_path / "project", ["chimie", "ciments"], cell=big)
    (root / "outputs").symlink_to(small_disk)
    report = batch.execute(small.runs(root), 1)
    assert report.exit_status == 1
    assert finished(root) == {"ciments"}
    assert not list((small_disk / "2026").glob("chimie/*"))


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners of files here")
def test_output_that_cannot_be_written_fails_its_run_only(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, ["chimie", "ciments"])
    (root / "outputs/2026").mkdir(parents=True)
    (root / "outputs/2026/chimie").write_text("a file where a folder should be")
    report = batch.execute(small.runs(root), 2)
    assert small.statuses(report) == {"chimie/01_emplois": "failed", "ciments/01_emplois": "ok"}
    (root / "outputs/2026/chimie").unlink()
    completes_the_rest(root, {"ciments"})


def test_second_runner_on_one_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, ["chimie", "ciments"], cell=GOOD + small.GATE)
    edition = root / "outputs/2026"
    with small.running(root, mark="first") as first:
        small.wait_until(lambda: list(edition.glob(".work/*/here")))
        second = subprocess.run(
            [sys.executable, small.__file__, str(root), "2"], capture_output=True, text=True
        )
        assert second.returncode == 1
        assert f"another batch (process {first.pid}) is writing this edition" in second.stderr
        (edition / "open").touch()
        assert first.wait(60) == 0
    completes_the_rest(root, {"chimie", "ciments"})


def test_clock_set_back_changes_nothing(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, ["chimie", "ciments"])
    batch.execute(small.runs(root), 2)
    ledger = root / "outputs/2026/runs.jsonl"
    ledger.write_text(ledger.read_text().replace('"started_at": "20', '"started_at": "30'))
    for path in (root / "outputs/2026").rglob("*"):
        os.utime(path, (4_000_000_000, 4_000_000_000))
    completes_the_rest(root, {"chimie", "ciments"})
    small.write_notebook(root, "01_emplois", GOOD, "1")
    completes_the_rest(root, set())
    completes_the_rest(root, {"chimie", "ciments"})


def test_outputs_may_be_a_link_to_another_disk(tmp_path: Path) -> None:
    find = "from opmq_lib.sources import project\n(project.find_root() / 'parameters').stat()\n"
    root = small.write_project(tmp_path / "project", ["chimie"], cell=GOOD + find)
    (root / "_quarto.yml").touch()
    (tmp_path / "disk").mkdir()
    (root / "outputs").symlink_to(tmp_path / "disk")
    assert small.statuses(batch.execute(small.runs(root), 1)) == {"chimie/01_emplois": "ok"}


def test_name_that_is_not_utf8_fails_its_run_only(tmp_path: Path) -> None:
    cell = failing("open(b'caf\\xe9.csv', 'w').close()")
    root = small.write_project(tmp_path, ["chimie", "ciments"], cell=cell)
    report = batch.execute(small.runs(root), 1)
    assert small.statuses(report) == {"chimie/01_emplois": "failed", "ciments/01_emplois": "ok"}
    message = small.records(root)["chimie", "01_emplois"]["error"]["message"]
    assert message == r"names of files that are not in UTF-8: 'caf\udce9.csv'; rename them"


def test_line_of_the_ledger_that_is_torn_or_no_record_is_skipped(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, ["chimie", "ciments"])
    batch.execute(small.runs(root), 2)
    ledger = root / "outputs/2026/runs.jsonl"
    first, second = ledger.read_bytes().splitlines(keepends=True)
    kept, other = (json.loads(line)["branch_code"] for line in (first, second))
    run = {"branch_code": other, "notebook": "01_emplois", "status": "ok"}
    alien = [[], {}, 12, run, run | {"notebook": 1}, run | {"outputs": []}, run | {"outputs": {}}]
    lines = [json.dumps(each).encode() + b"\n" for each in alien]
    ledger.write_bytes(b"".join([first, b"\xff\x00\n", b"[" * 10**5, b"\n", *lines, second[:60]]))
    completes_the_rest(root, {kept})
    completes_the_rest(root, {"chimie", "ciments"})
