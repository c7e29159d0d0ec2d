import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import small_project as small

from opmq_lib.errors import DataError
from opmq_lib.runs import batch, folders
from opmq_lib.runs.report import BatchReport, Outcome, progress
from opmq_lib.sources import ledger

pytestmark = pytest.mark.usefixtures("one_zygote")

HANG = "import time; time.sleep(600)"
FAIL_CHIMIE = small.TABLE + 'assert branch_code != "chimie", "no chimie today"'
COLLECT = """
from pathlib import Path
texts = [path.read_text() for path in sorted(Path("../..").glob("*/01_emplois/table.csv"))]
rows = [line for text in texts for line in text.splitlines(keepends=True)[1:]]
Path(output_folder, "all.csv").write_text("branch_code,horizon_years,origin\\n" + "".join(rows))
"""
OPEN_OWN = """
open(f"../../../../parameters/branches/{branch_code}.yml").read()
"""
OPEN_BRANCHES = """
for path in Path("../../../../parameters/branches").glob("*.yml"):
    path.read_text()
"""


def executed(root: Path, *, force: bool = False) -> BatchReport:
    return batch.execute(small.runs(root), 2, force=force)


def executed_around(root: Path, act: Callable[[], object], at_work: int = 1) -> BatchReport:
    """Execute all, and act once so many runs wait at `small.GATE`; then they go on."""
    planned, edition = small.runs(root), root / "outputs/2026"

    def open_gate() -> None:
        small.wait_until(lambda: len(list(edition.glob(".work/*/here"))) == at_work)
        act()
        (edition / "open").touch()

    with ThreadPoolExecutor(1) as others:
        opening = others.submit(open_gate)
        report = batch.execute(planned, 2, force=True)
        opening.result()
    return report


def table(root: Path, branch_code: str) -> str:
    return (root / "outputs/2026" / branch_code / "01_emplois/table.csv").read_text()


def read_terminal(leader: int) -> str:
    """Read a terminal until its other end is closed, as its window would."""
    content = b""
    while True:
        try:
            content += os.read(leader, 4096)
        except OSError:  # how Linux says that the other end is closed
            return content.decode()


def test_every_branch_gets_executed_notebook_tables_and_ledger_line(tmp_path: Path) -> None:
    root = small.write_project(tmp_path)
    report = executed(root)
    assert small.statuses(report) == {"chimie/01_emplois": "ok", "ciments/01_emplois": "ok"}
    assert report.exit_status == 0
    assert small.files(root) == [
        "chimie/01_emplois/01_emplois.ipynb",
        "chimie/01_emplois/table.csv",
        "ciments/01_emplois/01_emplois.ipynb",
        "ciments/01_emplois/table.csv",
        "runs.jsonl",
    ]
    assert table(root, "ciments") == small.HEADER + "ciments,10,public\n"
    record = small.records(root)["ciments", "01_emplois"]
    assert record["parameters"] == {
        "branch_code": "ciments",
        "horizon_years": 10,
        "output_folder": ".",
    }
    assert record["edition_id"] == "2026"
    assert record["origin"] == "public"
    assert record["error"] is None
    assert list(record["outputs"]) == ["01_emplois.ipynb", "table.csv"]
    assert record["inputs"] == {}


def test_notebooks_run_side_by_side(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, cell=small.GATE)
    assert executed_around(root, lambda: None, at_work=2).exit_status == 0


def test_no_path_of_the_machine_is_in_an_executed_notebook(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, ["chimie"])
    executed(root)
    text = (root / "outputs/2026/chimie/01_emplois/01_emplois.ipynb").read_text()
    assert json.loads(text)["metadata"]["papermill"]["input_path"] == "notebooks/01_emplois.ipynb"
    for path in (tmp_path, Path(sys.prefix), Path.home(), Path.cwd()):
        assert f"{path}" not in text


def test_failing_cell_does_not_stop_other_branches(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, cell=FAIL_CHIMIE)
    report = executed(root)
    assert small.statuses(report) == {"chimie/01_emplois": "failed", "ciments/01_emplois": "ok"}
    assert report.exit_status == 1
    record = small.records(root)["chimie", "01_emplois"]
    assert record["error"] == {"cell": 3, "message": "AssertionError: no chimie today"}
    assert small.files(root) == [
        "chimie/01_emplois.failed.ipynb",
        "ciments/01_emplois/01_emplois.ipynb",
        "ciments/01_emplois/table.csv",
        "runs.jsonl",
    ]
    partial = (root / "outputs/2026/chimie/01_emplois.failed.ipynb").read_text()
    assert "no chimie today" in partial


def test_failure_leaves_the_last_good_result_and_success_removes_the_failed_notebook(
    tmp_path: Path,
) -> None:
    root = small.write_project(tmp_path, ["chimie"])
    executed(root)
    small.write_notebook(root, "01_emplois", "1 / 0")
    executed(root)
    assert table(root, "chimie") == small.HEADER + "chimie,10,public\n"
    assert (root / "outputs/2026/chimie/01_emplois.failed.ipynb").exists()
    small.write_notebook(root, "01_emplois", small.TABLE, "1")
    assert executed(root).exit_status == 0
    assert not (root / "outputs/2026/chimie/01_emplois.failed.ipynb").exists()


def test_new_result_replaces_every_file_of_the_old_one(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, ["chimie"])
    executed(root)
    small.write_notebook(root, "01_emplois", small.TABLE.replace("table.csv", "other.csv"))
    executed(root)
    assert small.files(root)[:2] == [
        "chimie/01_emplois/01_emplois.ipynb",
        "chimie/01_emplois/other.csv",
    ]
    assert not (root / "outputs/2026/chimie/01_emplois/table.csv").exists()


def test_up_to_date_executes_nothing_and_imports_nothing_heavy(tmp_path: Path) -> None:
    root = small.write_project(tmp_path)
    executed(root)
    before = (root / "outputs/2026/runs.jsonl").read_bytes()
    again = subprocess.run(
        [sys.executable, small.__file__, str(root), "2"], capture_output=True, check=True, text=True
    )
    assert again.stdout == ""
    assert again.stderr == ""
    assert (root / "outputs/2026/runs.jsonl").read_bytes() == before


def test_force_executes_what_is_up_to_date(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, ["chimie"])
    executed(root)
    assert small.statuses(executed(root)) == {"chimie/01_emplois": "up to date"}
    assert small.statuses(executed(root, force=True)) == {"chimie/01_emplois": "ok"}


def test_changing_a_branch_runs_that_branch_and_what_consolidates_it_again(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, cell=small.TABLE + OPEN_OWN)
    small.write_notebook(
        root, "10_consolidation", COLLECT, OPEN_BRANCHES, scope="common", reads=["01_emplois"]
    )
    small.write_notebook(root, "12_autre", COLLECT, scope="common", reads=["01_emplois"])
    assert executed(root).exit_status == 0
    assert (root / "outputs/2026/commun/10_consolidation/all.csv").read_text() == (
        small.HEADER + "chimie,10,public\nciments,10,public\n"
    )
    branch = root / "parameters/branches/ciments.yml"
    branch.write_text(branch.read_text().replace('"-"', '"cement"'))
    assert small.statuses(executed(root)) == {
        "chimie/01_emplois": "up to date",
        "ciments/01_emplois": "ok",
        "commun/10_consolidation": "ok",
        "commun/12_autre": "up to date",  # what it reads has come out the same
    }


def test_what_reads_a_failed_result_is_blocked_not_failed(tmp_path: Path) -> None:
    root = small.write_project(tmp_path)
    small.write_notebook(root, "10_consolidation", COLLECT, scope="common", reads=["01_emplois"])
    small.write_notebook(root, "11_resume", "1", scope="common", reads=["10_consolidation"])
    executed(root)
    small.write_notebook(root, "01_emplois", FAIL_CHIMIE)
    report = executed(root)
    assert small.statuses(report) == {
        "chimie/01_emplois": "failed",
        "ciments/01_emplois": "ok",
        "commun/10_consolidation": "blocked",
        "commun/11_resume": "blocked",
    }
    assert [outcome.reasons for outcome in report.outcomes if outcome.status == "blocked"] == [
        ("chimie/01_emplois failed",),
        ("commun/10_consolidation blocked",),
    ]
    assert report.exit_status == 1
    assert small.records(root)["commun", "10_consolidation"]["status"] == "ok"


def test_second_batch_on_an_edition_is_refused(tmp_path: Path) -> None:
    root = small.write_project(tmp_path)
    with (
        folders.locked(root / "outputs" / "2026"),
        pytest.raises(DataError, match=f"another batch .process {os.getpid()}. is writing"),
    ):
        executed(root)
    assert small.files(root) == []


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_batch_ended_by_a_signal_leaves_whole_results_no_process_and_can_go_on(
    tmp_path: Path, sent: signal.Signals, status: int
) -> None:
    root = small.write_project(tmp_path, ["aaa", "chimie", "ciments", "verre"])
    slow = f"{small.TABLE}\nif branch_code != 'aaa':\n    {HANG}"
    small.write_notebook(root, "01_emplois", slow)
    mark = f"{tmp_path.name}-{sent}"
    staged = root / "outputs/2026/.work"
    with small.running(root, mark=mark) as batch_process:
        small.wait_until(lambda: len(list(staged.glob("c*/table.csv"))) == 2)
        batch_process.send_signal(sent)
        assert batch_process.wait(60) == status
    small.wait_until(lambda: not small.family(mark))
    whole = ["aaa/01_emplois/01_emplois.ipynb", "aaa/01_emplois/table.csv", "runs.jsonl"]
    if sent == signal.SIGINT:
        assert small.files(root) == whole
    assert [path for path in small.files(root) if not path.startswith(".work")] == whole
    small.write_notebook(root, "01_emplois", small.TABLE)
    assert executed(root).count("ok") == 4
    assert len([path for path in small.files(root) if path.endswith(".csv")]) == 4
    assert not staged.exists()


def test_next_batch_completes_only_what_is_missing(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, cell=FAIL_CHIMIE)
    executed(root)
    assert small.statuses(executed(root)) == {
        "chimie/01_emplois": "failed",
        "ciments/01_emplois": "up to date",
    }


def test_ledger_that_cannot_be_written_is_reported_and_the_run_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = small.write_project(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "append", full)
        report = executed(root)
    assert (report.count("ok"), report.unrecorded_count, report.exit_status) == (2, 2, 1)
    assert executed(root).count("ok") == 2


def test_every_line_that_ends_is_told_where_there_is_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = small.write_project(tmp_path, cell=FAIL_CHIMIE)
    runs = small.runs(root)
    with progress(runs) as tell:
        batch.execute(runs, 1, tell)
    first, second = capsys.readouterr().err.splitlines()
    assert first == "[1/2] failed chimie/01_emplois: In [3] AssertionError: no chimie today"
    assert second.startswith("[2/2] ok ciments/01_emplois: ")


def test_terminal_shows_what_runs_and_what_failed(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, cell=FAIL_CHIMIE)
    runs = small.runs(root)
    leader, follower = os.openpty()
    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(read_terminal, leader)
        with os.fdopen(follower, "w") as terminal, progress(runs, terminal) as tell:
            batch.execute(runs, 1, tell)
        shown = reading.result()
    os.close(leader)
    assert "2/2" in shown
    assert "failed chimie/01_emplois: In [3] AssertionError: no chimie today" in shown


def test_caller_that_breaks_leaves_no_kernel_at_work(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, cell=f"if branch_code == 'chimie':\n    {HANG}")
    before = signal.getsignal(signal.SIGINT)

    def break_at_first_result(outcome: Outcome) -> None:
        if outcome.status == "ok":
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        batch.execute(small.runs(root), 2, break_at_first_result)
    assert list(small.records(root)) == [("ciments", "01_emplois")]
    assert not (root / "outputs/2026/.work").exists()
    assert signal.getsignal(signal.SIGINT) is before


def test_nothing_to_run_is_a_success() -> None:
    assert batch.execute([], 1) == BatchReport(())


OWN = small.TABLE.replace("public", "own")


def test_result_that_is_not_public_makes_its_run_own_and_those_that_read_it(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, ["chimie"], cell=OWN)
    small.write_notebook(root, "02_suite", reads=["01_emplois"])
    small.write_branch(root, "chimie", ["01_emplois", "02_suite"])
    assert {run.origin for run in small.runs(root)} == {"public"}
    executed(root)
    assert {record["origin"] for record in small.records(root).values()} == {"own"}


def test_result_that_does_not_say_where_it_comes_from_is_own(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, ["chimie"], cell=small.TABLE.replace("origin", "source"))
    executed(root)
    assert small.records(root)["chimie", "01_emplois"]["origin"] == "own"


def test_result_that_turned_out_own_runs_again_though_nothing_changed(tmp_path: Path) -> None:
    own = "if not Path('../../again').exists():\n    Path('table.csv').write_text('origin\\nown')"
    root = small.write_project(tmp_path, ["chimie"], cell=f"{small.TABLE}{own}")
    executed(root)
    assert small.records(root)["chimie", "01_emplois"]["origin"] == "own"
    (root / "outputs/2026/again").touch()
    executed(root)
    assert small.records(root)["chimie", "01_emplois"]["origin"] == "public"
    assert small.statuses(executed(root)) == {"chimie/01_emplois": "up to date"}


@pytest.mark.parametrize("moment", ["before", "during"])
def test_input_that_changes_between_plan_and_end_fails_its_run(tmp_path: Path, moment: str) -> None:
    root = small.write_project(tmp_path, cell=small.TABLE + OPEN_OWN)
    executed(root)
    (root / "data").mkdir()
    (root / "data/own.csv").write_text("metier_code")
    path = root / "parameters/branches/chimie.yml"
    if moment == "during":
        small.write_notebook(root, "01_emplois", small.TABLE + OPEN_OWN, small.GATE)
        renamed = path.read_text().replace('"-"', '"renamed"')
        report = executed_around(root, lambda: path.write_text(renamed), at_work=2)
    else:
        planned = small.runs(root)
        small.write_branch(root, "chimie", ["01_emplois"], table="data/own.csv")
        report = batch.execute(planned, 2, force=True)
    assert small.statuses(report) == {"chimie/01_emplois": "failed", "ciments/01_emplois": "ok"}
    record = small.records(root)["chimie", "01_emplois"]
    assert record["error"]["message"] == (
        "an input changed while it ran: parameters/branches/chimie.yml; run again"
    )
    assert record["outputs"] == {}
    assert table(root, "chimie") == small.HEADER + "chimie,10,public\n"


def test_own_table_that_changes_while_its_run_reads_it_fails_the_run(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, ["chimie"], cell=small.GATE)
    own = root / "data/own.csv"
    own.parent.mkdir()
    own.write_text("metier_code")
    small.write_branch(root, "chimie", ["01_emplois"], table="data/own.csv")
    (outcome,) = executed_around(root, lambda: own.write_text("metier_code.")).outcomes
    assert outcome.reasons == ("an input changed while it ran: data/own.csv; run again",)


def test_run_waits_for_the_ledger_line_of_what_it_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = small.write_project(tmp_path, ["chimie"])
    small.write_notebook(root, "10_consolidation", COLLECT, scope="common", reads=["01_emplois"])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "append", full)
        report = executed(root)
    assert report.outcomes[-1].reasons == ("chimie/01_emplois is not in the ledger",)
    assert small.statuses(executed(root))["commun/10_consolidation"] == "ok"
