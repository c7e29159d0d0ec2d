"""What executing notebooks costs beside the notebooks: the batch, and Papermill in two ways.

    python benchmarks/batch.py [BRANCHES] [ROUNDS]

Executes the project's own templates on a copy of it, with its first branches (7 by default, which
makes 53 runs), with the batch, with `papermill` from the command line and with Papermill in one
process, in turn, three rounds. Each way executes one notebook at a time: side by side, notebooks
slow each other down on a small machine, and that is not what executing them costs. Prints medians
of the processor time of the whole process tree, start included.

The cells' own time is what they take in one shell of one process, with everything imported before:
nothing is subtracted for a peer that is not for the batch. Notebooks that read others' results
(reports, consolidation) find those of the batch's first round in every way: all do the same work.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
OURS, CLI, ONE, CELLS = (
    "opmq run, one worker",
    "papermill, command line",
    "papermill, one process",
    "cells only",
)

READ_RUNS = """
import json, os, sys
todo = json.load(open(sys.argv[1]))
"""
SCRIPTS = {
    CLI: READ_RUNS
    + """
import subprocess
for template, output, folder, parameters in todo:
    options = sum((["-r", name, str(value)] if isinstance(value, str) else ["-p", name, str(value)]
                   for name, value in parameters.items()), [])
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", "-k", "python3",
               "--cwd", folder, template, output, *options]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
""",
    ONE: READ_RUNS
    + """
import papermill
for template, output, folder, parameters in todo:
    papermill.execute_notebook(template, output, parameters=parameters, kernel_name="python3",
                               cwd=folder, progress_bar=False)
""",
    # One shell, as plain as can be; a first run brings the imports and is not counted.
    CELLS: READ_RUNS
    + """
import time
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
sys.modules["rfc3987_syntax"] = None
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def execute(template, output, folder, parameters):
    os.chdir(folder)
    cells = [c for c in json.load(open(template))["cells"] if c["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in cells]
    sources.insert(1, "\\n".join(f"{name} = {value!r}" for name, value in parameters.items()))
    for source in sources:
        result = shell.run_cell(source)
        result.raise_error()
    shell.reset()
    forget()
def forget():
    from functools import _lru_cache_wrapper
    for name, module in list(sys.modules.items()):
        if name.startswith("opmq_lib"):
            for value in list(vars(module).values()):
                if isinstance(value, _lru_cache_wrapper):
                    value.cache_clear()
execute(*todo[0])
before = time.process_time()
for each in todo:
    execute(*each)
json.dump(time.process_time() - before, open(sys.argv[2], "w"))
""",
}


def project(folder: Path, branch_count: int) -> Path:
    """Copy the project with its first branches."""
    for name in ("notebooks", "parameters"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "_quarto.yml", folder)
    paths = sorted((folder / "parameters/branches").glob("*.yml"))
    for path in paths[branch_count:]:
        path.unlink()
    return folder


def todo(root: Path, outputs: Path) -> list[tuple[str, str, str, dict[str, object]]]:
    """Return template, output, working folder and parameters of each run, in order."""
    from opmq_lib.runs.plan import plan
    from opmq_lib.sources import parameters

    runs = plan(root, parameters.load_edition(root), parameters.load_branches(root))
    found = []
    for run in runs:
        folder = outputs / run.branch_code / run.notebook
        folder.mkdir(parents=True)
        output = folder / f"{run.notebook}.ipynb"
        found.append((str(run.template.path), str(output), str(folder), dict(run.parameters)))
    return found


def measured(command: list[str], root: Path) -> tuple[float, float]:
    """Return processor and wall seconds of a command and of all that it starts."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }
    before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(
        command, check=True, cwd=root, env=environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wall, after = time.monotonic() - clock, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall


def once(name: str, branch_count: int, results: Path) -> tuple[float, float, int]:
    """Return processor and wall seconds of one way to execute everything, and the runs it did.

    The batch leaves in `results` what it made, the other ways let notebooks read it there.
    """
    with tempfile.TemporaryDirectory() as place:
        root = project(Path(place).resolve() / "project", branch_count)
        if name == OURS:
            cpu, wall = measured([sys.executable, "-m", "opmq_lib", "run", "--workers", "1"], root)
            lines = (root / "outputs/2026/runs.jsonl").read_text(encoding="utf-8").splitlines()
            assert all(json.loads(line)["status"] == "ok" for line in lines)
            shutil.copytree(root / "outputs", results, dirs_exist_ok=True)
            return cpu, wall, len(lines)
        shutil.copytree(results, root / "outputs")
        runs = todo(root, root / "outputs" / "peer")
        script, listing, counted = (Path(place, n) for n in ("peer.py", "todo.json", "cells.json"))
        script.write_text(SCRIPTS[name], encoding="utf-8")
        listing.write_text(json.dumps(runs), encoding="utf-8")
        arguments = [sys.executable, str(script), str(listing), str(counted)]
        cpu, wall = measured(arguments, root)
        if name == CELLS:
            cpu = json.loads(counted.read_text())
        return cpu, wall, len(runs)


def main(branch_count: int = 7, rounds: int = 3) -> None:
    """Measure and print."""
    found: dict[str, list[tuple[float, float, int]]] = {}
    with tempfile.TemporaryDirectory() as results:
        for number in range(rounds):
            for name in (OURS, CELLS, CLI, ONE):
                found.setdefault(name, []).append(once(name, branch_count, Path(results)))
                cpu, wall, count = found[name][-1]
                said = f"{cpu:7.1f} s CPU {wall:7.1f} s wall, {count} runs"
                print(f"round {number + 1}  {name:26} {said}", flush=True)
    cpu = {name: statistics.median(each[0] for each in rows) for name, rows in found.items()}
    wall = {name: statistics.median(each[1] for each in rows) for name, rows in found.items()}
    count = found[OURS][0][2]
    overhead = {name: (cpu[name] - cpu[CELLS]) / count for name in cpu}
    print(f"\nMedians of {rounds} rounds, {count} notebooks each; seconds per notebook.\n")
    heads = f"{'CPU':>8} {'wall':>8} {'overhead':>9} {'CPU / cells':>12} {'overhead / ours':>16}"
    print(f"{'':26} {heads}")
    for name in cpu:
        ratio = f"{overhead[name] / overhead[OURS]:.1f}"
        print(
            f"{name:26} {cpu[name] / count:8.3f} {wall[name] / count:8.3f} {overhead[name]:9.3f} "
            f"{cpu[name] / cpu[CELLS]:12.2f} {ratio if name != CELLS else '':>16}"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
