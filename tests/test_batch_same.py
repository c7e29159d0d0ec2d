"""Every template gives the same from a warm kernel and a cold one, side by side or one by one."""

import json
import os
import shutil
from pathlib import Path

import pytest

from opmq_lib.runs import batch
from opmq_lib.runs.kernels import warm
from opmq_lib.runs.plan import Run, plan, select
from opmq_lib.sources import parameters

FULL = bool(os.environ.get("OPMQ_TEST_FULL"))
NOTEBOOKS = [] if FULL else ["01_emplois", "12_travaux"]
BRANCHES = [] if FULL else ["ceramique"]

pytestmark = pytest.mark.skipif(not warm.POSSIBLE, reason="kernels are forked on Linux only")


def planned(root: Path) -> list[Run]:
    edition, branches = parameters.load_edition(root), parameters.load_branches(root)
    return select(plan(root, edition, branches), BRANCHES, NOTEBOOKS)


def shown(edition: Path) -> dict[str, bytes]:
    """Return the content of every file."""
    paths = sorted(path for path in edition.glob("*/*/*") if path.is_file())
    return {path.relative_to(edition).as_posix(): path.read_bytes() for path in paths}


def test_every_template_gives_the_same_bytes_warm_and_cold(studied: Path, tmp_path: Path) -> None:
    """The study of two branches ran on warm kernels, side by side."""
    project = tmp_path / "project"
    shutil.copytree(studied, project, ignore=shutil.ignore_patterns("outputs"))
    assert batch.execute(planned(project), 1, cold=True).exit_status == 0
    cold, warm_ones = (shown(root / "outputs/2026") for root in (project, studied))
    cold_keys, warm_keys = (keys(root / "outputs/2026") for root in (project, studied))
    assert len(cold) > (50 if FULL else 6)
    assert cold == {name: warm_ones[name] for name in cold}
    assert cold_keys == {name: warm_keys[name] for name in cold_keys}


def keys(edition: Path) -> dict[str, str]:
    lines = (edition / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return {f"{each['branch_code']}/{each['notebook']}": each["key"] for each in records}
