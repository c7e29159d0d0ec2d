"""Runs executed by the workers of a real Dask scheduler, on this machine's loopback."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import small_project as small

import opmq_lib
from opmq_lib.errors import DataError
from opmq_lib.runs import batch

pytest.importorskip("distributed", reason="distributed is not installed")
full = pytest.mark.skipif(not os.environ.get("OPMQ_TEST_FULL"), reason="OPMQ_TEST_FULL=1")
NAMES = ["aaa", "chimie", "ciments", "verre"]
RANDOM = f"""{small.TABLE}
import random, os
import numpy as np
print(random.random(), np.random.rand(), hash(branch_code))
assert list(Path("../../../../notebooks").glob("10_*"))  # a branch's file names templates
Path("drawn.csv").write_text(f"value,origin\\n{{np.random.rand()}},public\\n")
"""
COLLECT = """
from pathlib import Path
texts = [path.read_text() for path in sorted(Path("../..").glob("*/01_emplois/drawn.csv"))]
rows = [line for text in texts for line in text.splitlines(keepends=True)[1:]]
Path(output_folder, "all.csv").write_text("value,origin\\n" + "".join(rows))
"""
WAITING = f"""{small.TABLE}
import os, time
if branch_code != "aaa":
    Path(f"pid-{{os.getpid()}}").touch()
    time.sleep(600)
"""
"""A cell that says where it is, in its own folder, and waits for ever, but for one branch."""


@dataclass
class Cluster:
    """A scheduler and its workers, processes that carry a mark."""

    folder: Path
    mark: str
    scheduler: "subprocess.Popen[bytes] | None" = None
    address: str = ""
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, module: str, *arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{module}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
                cwd=self.folder,
                env=os.environ | {"OPMQ_TEST_MARK": self.mark} | environment,
                stdout=log,
                stderr=log,
            )

    def kernels(self) -> list[int]:
        """Return the processes of the kernels that say so in their folders."""
        names = (name for _, _, files in os.walk(self.folder) for name in files)
        return [int(name[4:]) for name in names if name.startswith("pid-")]

    def add_worker(self, nanny: str = "--no-nanny", **environment: str) -> None:
        quiet = ["--no-dashboard", nanny, "--nworkers", "1", "--nthreads", "2"]
        quiet += ["--local-directory", str(self.folder)]
        worker = self.start(
            "dask_worker", self.address, "--host", "127.0.0.1", *quiet, **environment
        )
        self.workers.append(worker)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    found = Cluster(folder, f"cluster-{tmp_path.name}-{os.getpid()}")
    at = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    file = folder / "scheduler.json"
    scheduler = found.start("dask_scheduler", *at, "--scheduler-file", str(file))
    found.scheduler = scheduler
    try:
        small.wait_until(lambda: file.exists() and file.read_text().endswith("}"))
        found.address = json.loads(file.read_text())["address"]
        yield found
    finally:
        for processes in (found.workers, [scheduler]):  # workers wait for a scheduler that ended
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(60)
    small.wait_until(lambda: not small.family(found.mark))


def hashes(root: Path) -> dict[str, str]:
    """Return what each run has left, by content; notebooks aside: they hold the times of cells."""
    return {
        f"{'/'.join(id_)}/{name}": sha256
        for id_, record in small.records(root).items()
        for name, sha256 in record["outputs"].items()
        if name.endswith(".csv")
    }


def write_project(root: Path, cell: str = RANDOM) -> Path:
    small.write_project(root, NAMES, cell=cell)
    small.write_notebook(root, "10_consolidation", COLLECT, scope="common", reads=["01_emplois"])
    return root


def test_two_workers_give_the_results_of_this_machine(tmp_path: Path, cluster: Cluster) -> None:
    here, there = write_project(tmp_path / "here"), write_project(tmp_path / "there")
    cluster.add_worker()
    cluster.add_worker()
    wait_for_workers(cluster, 2)
    assert batch.execute(small.runs(here), 2).exit_status == 0
    report = batch.execute(small.runs(there), 100, cluster=cluster.address)
    assert report.exit_status == 0, report
    assert report.count("ok") == len(NAMES) + 1
    assert hashes(there) == hashes(here)
    keys = {id_: record["key"] for id_, record in small.records(here).items()}
    assert {id_: record["key"] for id_, record in small.records(there).items()} == keys
    assert batch.execute(small.runs(there), 2).count("up to date") == len(NAMES) + 1


def test_worker_killed_midway_loses_nothing(tmp_path: Path, cluster: Cluster) -> None:
    root = small.write_project(tmp_path / "there", NAMES, cell=door(tmp_path))
    cluster.add_worker()
    cluster.add_worker()
    wait_for_workers(cluster, 2)

    def kill_when_at_work() -> None:
        small.wait_until(lambda: len(cluster.kernels()) == len(NAMES))  # on both, two each
        cluster.workers[0].kill()
        cluster.workers[0].wait()
        (tmp_path / "open").touch()

    with ThreadPoolExecutor(1) as killer:
        killing = killer.submit(kill_when_at_work)
        report = batch.execute(small.runs(root), 100, cluster=cluster.address)
        killing.result()
    assert report.exit_status == 0, report
    assert small.statuses(report) == {f"{name}/01_emplois": "ok" for name in NAMES}


def test_ctrl_c_ends_what_the_workers_execute_and_loses_nothing(
    tmp_path: Path, cluster: Cluster
) -> None:
    root = small.write_project(tmp_path / "there", NAMES, cell=WAITING)
    cluster.add_worker()
    wait_for_workers(cluster, 1)
    log = tmp_path / "runner.log"
    with small.running(root, "100", cluster.address, log=log) as runner:
        small.wait_until(lambda: small.records(root) and len(cluster.kernels()) == 2)
        kernels = cluster.kernels()
        runner.send_signal(signal.SIGINT)
        assert runner.wait(60) == 130, log.read_text()
    assert (root / "outputs/2026/aaa/01_emplois/table.csv").is_file()
    small.wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in kernels))
    small.write_notebook(root, "01_emplois", small.TABLE)
    assert batch.execute(small.runs(root), 100, cluster=cluster.address).count("ok") == len(NAMES)


@full
def test_sole_worker_restarted_by_its_nanny_does_its_runs_again_and_leaves_no_folder(
    tmp_path: Path, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    root = small.write_project(tmp_path / "there", NAMES, cell=door(tmp_path))
    cluster.add_worker("--nanny")
    wait_for_workers(cluster, 1)

    def kill_when_at_work() -> None:
        small.wait_until(cluster.kernels)
        zygote = parent(cluster.kernels()[0])
        os.kill(parent(zygote), signal.SIGKILL)
        (tmp_path / "open").touch()

    with ThreadPoolExecutor(1) as killer:
        killing = killer.submit(kill_when_at_work)
        report = batch.execute(small.runs(root), 100, cluster=cluster.address)
        killing.result()
    assert small.statuses(report) == {f"{name}/01_emplois": "ok" for name in NAMES}
    assert not list(cluster.folder.rglob("opmq-*"))
    (said,) = [each.message for each in caplog.records if each.name == "opmq_lib.runs.cluster"]
    assert re.fullmatch(r"Worker tcp://\S+ is lost; its runs \([1-4]\) start again\.", said)


def test_scheduler_killed_ends_the_batch_with_one_message_and_keeps_what_was_done(
    tmp_path: Path, cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    root = small.write_project(tmp_path / "there", NAMES, cell=WAITING)
    cluster.add_worker()
    wait_for_workers(cluster, 1)

    def kill_when_one_is_done() -> None:
        assert cluster.scheduler is not None
        try:
            small.wait_until(lambda: small.records(root) and len(cluster.kernels()) == 2)
        finally:
            cluster.scheduler.kill()

    with ThreadPoolExecutor(1) as killer:
        killing = killer.submit(kill_when_one_is_done)
        with pytest.raises(DataError, match="the scheduler no longer answers"):
            batch.execute(small.runs(root), 100, cluster=cluster.address)
        killing.result()
    assert list(small.records(root)) == [("aaa", "01_emplois")]
    assert capfd.readouterr().err == ""
    end_kernels(cluster)


@full
def test_ctrl_c_is_heard_while_the_scheduler_answers_nothing(
    tmp_path: Path, cluster: Cluster
) -> None:
    root = small.write_project(tmp_path / "there", ["chimie"], cell=WAITING)
    cluster.add_worker()
    wait_for_workers(cluster, 1)
    assert cluster.scheduler is not None
    try:
        with small.running(root, "100", cluster.address) as runner:
            small.wait_until(cluster.kernels)
            cluster.scheduler.send_signal(signal.SIGSTOP)
            runner.send_signal(signal.SIGINT)
            assert runner.wait(60) == 130
    finally:
        cluster.scheduler.send_signal(signal.SIGCONT)
        end_kernels(cluster)


def door(folder: Path) -> str:
    """Return a cell that says where it is, in its own folder, until there is `open` in another."""
    return f"""{small.TABLE}
import os, time
here = Path(f"pid-{{os.getpid()}}")
here.touch()
while not Path({str(folder)!r}, "open").exists():
    time.sleep(0.05)
here.unlink()
"""


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def end_kernels(cluster: Cluster) -> None:
    """End what a worker goes on with whose scheduler is lost, not to wait for it."""
    for pid in cluster.kernels():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_failed_run_comes_back_with_its_notebook(tmp_path: Path, cluster: Cluster) -> None:
    root = small.write_project(tmp_path / "there", ["chimie"], cell="print('before')\n1 / 0")
    cluster.add_worker()
    wait_for_workers(cluster, 1)
    report = batch.execute(small.runs(root), 2, cluster=cluster.address)
    assert report.outcomes[0].reasons == ("In [3] ZeroDivisionError: division by zero",)
    assert "before" in (root / "outputs/2026/chimie/01_emplois.failed.ipynb").read_text()


def test_what_a_worker_is_sent_is_for_its_user_alone_and_is_swept(
    tmp_path: Path, cluster: Cluster
) -> None:
    root = small.write_project(tmp_path / "there", ["chimie"])
    (root / "data").mkdir()
    (root / "data/secret.csv").write_text("424242")
    cell = f"""{small.TABLE}
import os
sent = Path("../../../../data/secret.csv")
assert sent.stat().st_mode & 0o077 == 0
Path("own.txt").write_text(sent.read_text())
"""
    cluster.add_worker()
    wait_for_workers(cluster, 1)
    for end, status in (("", "ok"), ("raise ValueError(sent.read_text())", "failed")):
        small.write_notebook(root, "01_emplois", cell + end, files=["data/secret.csv"])
        report = batch.execute(small.runs(root), 2, cluster=cluster.address)
        assert small.statuses(report) == {"chimie/01_emplois": status}, report
        assert not list(cluster.folder.rglob("opmq-*"))
    holds = [
        path for path in (*root.rglob("*"), *cluster.folder.rglob("*"))
        if path.is_file() and b"424242" in path.read_bytes()
    ]  # fmt: skip
    assert {path.name for path in holds} == {"secret.csv", "own.txt", "01_emplois.failed.ipynb"}
    others = [path for path in holds if path.name != "secret.csv"]
    assert not any(path.stat().st_mode & 0o077 for path in others)


def test_worker_with_another_library_is_refused_by_name(tmp_path: Path, cluster: Cluster) -> None:
    other = tmp_path / "other"
    source = Path(opmq_lib.__file__).parent
    shutil.copytree(source, other / "opmq_lib", ignore=shutil.ignore_patterns("__pycache__"))
    (other / "opmq_lib" / "one_more.py").write_text("changed = True\n")
    cluster.add_worker(PYTHONPATH=str(other))
    wait_for_workers(cluster, 1)
    root = small.write_project(tmp_path / "there", ["chimie"])
    with pytest.raises(DataError, match=r"the worker has another opmq_lib \(\w+ there, \w+ here"):
        batch.execute(small.runs(root), 2, cluster=cluster.address)
    assert not small.records(root)


def test_scheduler_that_does_not_answer_and_one_without_workers_are_refused(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = small.write_project(tmp_path / "there", ["chimie"])
    with pytest.raises(DataError, match="the scheduler has no worker"):
        batch.execute(small.runs(root), 2, cluster=cluster.address)
    with pytest.raises(DataError, match="no certificate in Dask's configuration"):
        batch.execute(small.runs(root), 2, cluster="tls://127.0.0.1:9")
    monkeypatch.setattr("opmq_lib.runs.cluster.SECONDS_TO_ANSWER", 2)
    with pytest.raises(DataError, match="no Dask scheduler answers"):
        batch.execute(small.runs(root), 2, cluster="tcp://127.0.0.1:9")


def wait_for_workers(cluster: Cluster, count: int) -> None:
    from distributed import Client

    with Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)
