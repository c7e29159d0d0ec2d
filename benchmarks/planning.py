"""What it costs to find that there is nothing to do, and to plan a very large edition.

    python benchmarks/planning.py

First `opmq run` from a shell on an edition where every run is up to date (copies of the templates,
their results made up, until there are 200 runs). Then `plan` on 1 000 branches × 8 notebooks.
"""

import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAVY = ("pandas", "papermill", "nbformat", "matplotlib")
ROUNDS = 5

PLAN = """
import resource, sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from opmq_lib.runs.plan import plan
from opmq_lib.sources import parameters
root = Path({project!r})
branch = parameters.load_branches(root)["chimie"]
branches = {{
    f"b{{number:04}}": branch.model_copy(update={{
        "branch_code": f"b{{number:04}}", "notebooks": {names!r}}})
    for number in range(1000)
}}
for code in branches:
    (root / f"parameters/branches/{{code}}.yml").write_text(f"branch_code: {{code}}")
before, cpu = time.monotonic(), time.process_time()
runs = plan(root, parameters.load_edition(root), branches)
print(len(runs), time.monotonic() - before, time.process_time() - cpu,
      resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def project(folder: Path, notebooks: int) -> tuple[Path, list[str]]:
    """Copy the project, with copies of branch templates until a branch has `notebooks` of them."""
    for name in ("notebooks", "parameters"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "_quarto.yml", folder)
    paths = sorted((folder / "notebooks").glob("*.ipynb"))
    metadata = {p.stem: json.loads(p.read_text(encoding="utf-8"))["metadata"] for p in paths}
    names = [name for name, each in metadata.items() if each["opmq"]["scope"] == "branch"]
    copies = []
    for number in range(notebooks - len(names)):
        model = names[number % len(names)]
        copy = f"{50 + number}_copie"
        shutil.copy(folder / f"notebooks/{model}.ipynb", folder / f"notebooks/{copy}.ipynb")
        copies.append(copy)
    return folder, copies


def nothing_to_do(folder: Path) -> None:
    """Print what `opmq run` costs where everything is up to date, and prove that it looks."""
    root, copies = project(folder, 7)
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
    listing = ", ".join(f'"{name}"' for name in copies)
    for path in (root / "parameters/branches").glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        more = re.sub(r"(?m)^(notebooks: \[.*)\]", rf"\1, {listing}]", text)
        path.write_text(more, encoding="utf-8")
    make = (
        start
        + """
import json
from pathlib import Path
from opmq_lib.runs import fingerprint, freshness
from opmq_lib.runs.plan import plan
from opmq_lib.sources import ledger, parameters
root = Path.cwd()
records = {}
read = [f"opmq_lib/data/{n}.csv" for n in ("branches", "metiers", "sources", "tension", "naf")]
for run in plan(root, parameters.load_edition(root), parameters.load_branches(root)):
    run.folder.mkdir(parents=True)
    (run.folder / f"{run.notebook}.ipynb").write_text("x" * 90_000 + run.branch_code)
    for n in range(5):
        (run.folder / f"table_{n}.csv").write_text("value,origin\\n1,public\\n" * 500)
    records[run.id] = {"edition_id": "2026", "branch_code": run.branch_code,
        "notebook": run.notebook, "status": "ok", "error": None,
        **freshness.made_of(run, records, read), "outputs": fingerprint.outputs(run.folder)}
    ledger.append(run.edition_folder / "runs.jsonl", records[run.id])
print(len(records))
"""
    )
    again = start + "from opmq_lib.cli import main; sys.argv = ['opmq', 'run']; main()"
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def python(code: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *options, "-c", code]
        return subprocess.run(
            command, cwd=root, env=env, capture_output=True, text=True, check=False
        )

    count = int(python(make).stdout)
    time.sleep(1.5)  # files younger than a second are not remembered
    assert f"all {count} notebooks are up to date" in python(again).stdout
    found = []
    for _ in range(ROUNDS):
        before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = python(again)
        wall, after = time.monotonic() - clock, resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 0, done.stderr
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found.append((cpu, wall))
    cpus, walls = zip(*found, strict=True)
    print(f"nothing to do, {count} runs: {statistics.median(cpus):.2f} s CPU, "
          f"{statistics.median(walls):.2f} s wall (medians of {ROUNDS})")  # fmt: skip
    imported = python(again, "-X", "importtime").stderr
    heavy = [name for name in HEAVY if re.search(rf"\| +{name}$", imported, re.MULTILINE)]
    print(f"heavy packages imported: {', '.join(heavy) or 'none'}")
    victim = root / "outputs/2026/chimie/01_emplois/table_3.csv"
    status, text = victim.stat(), victim.read_text(encoding="utf-8")
    victim.write_text(text.replace("1,public", "2,public", 1), encoding="utf-8")
    os.utime(victim, ns=(status.st_atime_ns, status.st_mtime_ns))
    seen = python(start + "from opmq_lib.cli import main; sys.argv = ['opmq', 'status']; main()")
    (line,) = [line for line in seen.stdout.splitlines() if line.startswith("chimie/01_emplois")]
    print(f"one digit changed, same size and date: {line}")


def very_large(folder: Path) -> None:
    """Print what planning 1 000 branches × 8 notebooks costs."""
    root, _ = project(folder, 8)
    names = tuple(
        path.stem for path in sorted((root / "notebooks").glob("*.ipynb"))
        if json.loads(path.read_text(encoding="utf-8"))["metadata"]["opmq"]["scope"] == "branch"
    )  # fmt: skip
    script = PLAN.format(root=str(ROOT), project=str(root), names=names)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    count, wall, cpu, mb = done.stdout.split()
    print(f"planned, {count} runs: {float(wall):.2f} s wall, {float(cpu):.2f} s CPU, "
          f"{float(mb):.0f} MB at most")  # fmt: skip


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        nothing_to_do(Path(place).resolve() / "small")
        very_large(Path(place).resolve() / "large")
