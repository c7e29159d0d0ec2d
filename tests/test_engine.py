"""Warm kernels and cold ones: same results, nothing shared, nobody left."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import small_project as small

from opmq_lib.runs.kernels import execution, warm
from opmq_lib.runs.kernels.kernel import Settings, noted
from opmq_lib.runs.kernels.warm import Zygotes

linux = pytest.mark.skipif(not warm.POSSIBLE, reason="kernels are forked on Linux only")
KINDS = [pytest.param("warm", marks=linux), "cold"]
STATE = """
import builtins, json, os, random, sys
import numpy as np
import pandas as pd
print(json.dumps({
    "leaked": [hasattr(builtins, "leak"), hasattr(np, "leak"), "leak" in globals(),
               os.environ.get("LEAK"), pd.get_option("display.max_rows"), os.getcwd(),
               sys.path.count("leak")],
    "random": [random.random(), float(np.random.rand())],
    "hash": hash("opmq"),
}))
"""
LEAK = """
builtins.leak = np.leak = leak = True
os.environ["LEAK"] = "yes"
os.chdir("/")
pd.set_option("display.max_rows", 7)
sys.path.append("leak")
random.seed(1)
np.random.seed(1)
"""


@pytest.fixture(scope="module")
def zygotes() -> Iterator[Zygotes]:
    with closing(execution.new_zygotes(["pandas", "matplotlib.pyplot"])) as found:
        yield found


def run_cells(
    root: Path, *cells: str, zygotes: Zygotes | None, name: str = "a", **settings: Any
) -> tuple[execution.Failure | None, str, Any]:
    template = small.write_notebook(root, "01_emplois", *cells)
    folder = root / name
    folder.mkdir()
    kernel = execution.new_kernel(folder, Settings(**settings), zygotes)
    failure = execution.execute(template, {"branch_code": name}, folder, kernel, 60)
    notebook = json.loads((folder / "01_emplois.ipynb").read_text(encoding="utf-8"))
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    text = "".join("".join(output.get("text", "")) for output in outputs)
    return failure, text, kernel


def place(kind: str, zygotes: Zygotes) -> Zygotes | None:
    return zygotes if kind == "warm" else None


@pytest.mark.parametrize("kind", KINDS)
def test_state_of_one_run_is_invisible_to_the_next(
    tmp_path: Path, kind: str, zygotes: Zygotes
) -> None:
    found = []
    for name in ("a", "b"):
        failure, text, kernel = run_cells(
            tmp_path, STATE, LEAK, zygotes=place(kind, zygotes), name=name, seed=7
        )
        assert failure is None
        assert (kernel.provisioner.forked is not None) == (kind == "warm")
        found.append(json.loads(text.replace(str(tmp_path / name), "here")))
    assert found[0] == found[1]
    assert found[0]["leaked"][:5] == [False, False, False, None, 60]


@linux
def test_warm_and_cold_draw_the_same_numbers_and_other_seeds_draw_others(
    tmp_path: Path, zygotes: Zygotes
) -> None:
    draws = {}
    for name, place_, seed in (("a", zygotes, 7), ("b", None, 7), ("c", zygotes, 8)):
        _, text, _ = run_cells(tmp_path, STATE, zygotes=place_, name=name, seed=seed)
        draws[name] = json.loads(text)
    assert draws["a"]["random"] == draws["b"]["random"]
    assert draws["a"]["hash"] == draws["b"]["hash"]
    assert not set(draws["a"]["random"]) & set(draws["c"]["random"])


@pytest.mark.parametrize("kind", KINDS)
def test_files_read_and_folders_listed_are_noted_and_those_written_are_not(
    tmp_path: Path, kind: str, zygotes: Zygotes
) -> None:
    (tmp_path / "data").mkdir()
    for name in ("csv.csv", "text.txt", "never.csv", "é è.txt"):
        (tmp_path / "data" / name).write_text("a,b\n1,2\n")
    cell = """
import os
from pathlib import Path
import pandas as pd
pd.read_csv("../data/csv.csv"), Path("../data/text.txt").read_text(), open("../data/é è.txt").read()
os.listdir("../data")
Path("../data/written.csv").write_text("1")
"""
    notes = str(tmp_path / "notes")
    watched = (f"{tmp_path}/data",)
    failure, _, _ = run_cells(
        tmp_path, cell, zygotes=place(kind, zygotes), notes=notes, watched=watched
    )
    assert failure is None
    assert {path.removeprefix(f"{tmp_path}/data/") for path in noted(notes)} == {
        "csv.csv",
        "text.txt",
        "é è.txt",
        "",
    }


@linux
@pytest.mark.parametrize("kind", KINDS)
def test_memory_beyond_the_limit_fails_the_cell_that_asks_for_it(
    tmp_path: Path, kind: str, zygotes: Zygotes
) -> None:
    cells = ("small = bytearray(10_000_000)", "big = bytearray(2_000_000_000)", "1")
    failure, _, _ = run_cells(tmp_path, *cells, zygotes=place(kind, zygotes), memory_mb=1000)
    assert failure == execution.Failure(
        cell=4,
        message="MemoryError: no memory is left; make this cell need less, or allow more with "
        "--memory-mb",
    )


@linux
def test_zygote_that_cannot_import_something_leaves_that_to_the_notebook(tmp_path: Path) -> None:
    with closing(execution.new_zygotes(["no_such_module"])) as zygotes:
        failure, _, kernel = run_cells(tmp_path, "import no_such_module", zygotes=zygotes)
    assert kernel.provisioner.forked
    assert failure == execution.Failure(
        cell=3, message="ModuleNotFoundError: No module named 'no_such_module'"
    )


@linux
def test_zygote_that_refuses_to_fork_leaves_cold_kernels(tmp_path: Path) -> None:
    (tmp_path / "threaded.py").write_text(
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=[60], daemon=True).start()"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    with closing(Zygotes(["threaded"], os.environ | {"PYTHONPATH": path})) as zygotes:
        failure, text, kernel = run_cells(tmp_path, "print(1 + 1)", zygotes=zygotes)
    assert (failure, text, kernel.provisioner.forked) == (None, "2\n", None)


@linux
def test_no_kernel_outlives_a_runner_that_is_killed(tmp_path: Path) -> None:
    script = f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_engine import execution, run_cells
run_cells(Path({str(tmp_path)!r}), "import os, subprocess\\nsubprocess.Popen(['sleep', '600'])\\n"
    "open('pid', 'w').write(str(os.getpid()))", "import time; time.sleep(600)",
    zygotes=execution.new_zygotes())
"""
    mark = f"engine-{tmp_path.name}-{os.getpid()}"
    environment = os.environ | {"OPMQ_TEST_MARK": mark}
    with subprocess.Popen([sys.executable, "-c", script], env=environment) as runner:
        small.wait_until(lambda: (tmp_path / "a" / "pid").exists())
        assert len(small.family(mark)) >= 4
        runner.send_signal(signal.SIGKILL)
    small.wait_until(lambda: not small.family(mark))


@linux
def test_what_a_notebook_starts_ends_with_it(tmp_path: Path, zygotes: Zygotes) -> None:
    cell = "import subprocess\nprint(subprocess.Popen(['sleep', '600']).pid)"
    _, text, _ = run_cells(tmp_path, cell, zygotes=zygotes)
    small.wait_until(lambda: not Path(f"/proc/{int(text)}/cmdline").exists())


@linux
def test_kernel_is_over_when_its_execution_is(tmp_path: Path, zygotes: Zygotes) -> None:
    _, text, _ = run_cells(tmp_path, "import os; print(os.getpid())", zygotes=zygotes)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{int(text)}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
