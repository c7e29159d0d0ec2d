"""Make the results of an extracted archive again, by the code that lies in it.

python -m opmq_lib.runs.editions.rebuild PROJECT WORKERS RUN…
"""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from opmq_lib.runs import batch, hashes, library, release
from opmq_lib.runs.editions import archive
from opmq_lib.runs.plan import Run, RunId, plan, shown
from opmq_lib.sources import parameters, project


def by_its_code(
    folder: Path, wanted: Iterable[RunId], workers: int, python: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    """Execute some runs of an extracted archive in a process of its own, by its own library."""
    root = folder / archive.PROJECT
    command = [python, "-m", __spec__.name, str(root), str(workers), *map(shown, wanted)]
    environment = os.environ | {
        "PYTHONPATH": str(folder / archive.LIBRARY),
        project.ROOT: str(root),
    }
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )


def rebuild(root: Path, workers: int, wanted: Iterable[RunId]) -> None:
    """Execute some runs of a project, with what they read, whatever becomes of each."""
    edition, branches = parameters.load_edition(root), parameters.load_branches(root)
    known = hashes.Hashes(root / "outputs" / edition.edition_id / hashes.CACHE)
    release.adopt(root, edition, branches, library.read(known))
    runs = plan(root, edition, branches)
    batch.execute(_with_what_they_read(runs, {*wanted}), workers)


def _with_what_they_read(runs: list[Run], wanted: set[RunId]) -> list[Run]:
    for run in reversed(runs):
        if run.id in wanted:
            wanted.update(run.reads)
    return [run for run in runs if run.id in wanted]


if __name__ == "__main__":
    asked = (each.partition("/") for each in sys.argv[3:])
    rebuild(Path(sys.argv[1]), int(sys.argv[2]), [(code, name) for code, _, name in asked])
