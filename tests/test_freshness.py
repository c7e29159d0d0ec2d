from pathlib import Path

import pytest
import small_project as small

from opmq_lib.runs import fingerprint, freshness
from opmq_lib.runs.freshness import State, state, states
from opmq_lib.runs.plan import Run, RunId
from opmq_lib.sources.ledger import Record

Records = dict[RunId, Record]
READ = ["parameters/edition.yml#horizon_years", "parameters/edition.yml#base_year"]
"""What each of these runs has used; of its branch, the label."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Write a project whose runs have all been done, without the expense of doing them."""
    small.write_project(tmp_path)
    small.write_notebook(tmp_path, "10_consolidation", scope="common", reads=["01_emplois"])
    return tmp_path


def done(runs: list[Run]) -> Records:
    records: Records = {}
    for run in runs:
        run.folder.mkdir(parents=True, exist_ok=True)
        (run.folder / "table.csv").write_text("1")
        (run.folder / f"{run.notebook}.ipynb").write_text("{}")
        records[run.id] = {
            "status": "ok",
            **freshness.made_of(run, records, [*READ, branch_label(run)]),
            "outputs": fingerprint.outputs(run.folder),
            "error": None,
        }
    return records


def branch_label(run: Run) -> str:
    return f"parameters/branches/{run.branch_code}.yml#label"


def emplois(project: Path) -> Run:
    return next(run for run in small.runs(project) if run.id == ("chimie", "01_emplois"))


def test_run_that_was_done_is_up_to_date_until_something_changes(project: Path) -> None:
    records = done(small.runs(project))
    assert set(states(small.runs(project), records).values()) == {State("up to date")}


def test_run_without_record_was_never_run(project: Path) -> None:
    assert state(emplois(project), {}) == State("stale", ("never run",))


def test_failed_run_says_where_it_failed(project: Path) -> None:
    error = {"cell": 3, "message": "ValueError: no\nbecause"}
    record = {"status": "failed", "error": error}
    assert state(emplois(project), {("chimie", "01_emplois"): record}) == State(
        "failed", ("failed last time: In [3] ValueError: no",)
    )


def test_every_reason_to_run_again_is_told(project: Path) -> None:
    records = done(small.runs(project))
    small.write_edition(project, horizon_years=12)
    small.write_notebook(project, "01_emplois", "2")
    branch = project / "parameters/branches/chimie.yml"
    branch.write_text(branch.read_text().replace('"label":"chimie"', '"label":"Chimie"'))
    (project / "outputs/2026/chimie/01_emplois/table.csv").write_text("2")
    assert state(emplois(project), records) == State(
        "stale",
        (
            "template changed",
            "parameter horizon_years 10 → 12",
            "input parameters/branches/chimie.yml, label changed",
            "input parameters/edition.yml, horizon_years changed",
            "output table.csv changed",
        ),
    )


def test_field_that_a_run_has_not_used_is_no_reason(project: Path) -> None:
    records = done(small.runs(project))
    branch = project / "parameters/branches/chimie.yml"
    branch.write_text(branch.read_text().replace('"perimeter_note":"-"', '"perimeter_note":"x"'))
    assert state(emplois(project), records) == State("up to date")


def test_file_saved_again_without_change_is_no_reason(project: Path) -> None:
    records = done(small.runs(project))
    branch = project / "parameters/branches/chimie.yml"
    branch.write_text(branch.read_text())
    assert state(emplois(project), records) == State("up to date")


def test_result_table_that_is_read_is_an_input_but_not_the_notebook(project: Path) -> None:
    runs = small.runs(project)
    records = done(runs)
    assert {
        name for name in freshness.made_of(runs[-1], records)["inputs"] if "emplois" in name
    } == {
        "chimie/01_emplois/table.csv",
        "ciments/01_emplois/table.csv",
    }
    records["chimie", "01_emplois"]["outputs"] |= {"01_emplois.ipynb": "x", "table.csv": "y"}
    assert state(runs[-1], records) == State(
        "stale", ("input chimie/01_emplois/table.csv changed",)
    )


def test_run_that_reads_a_missing_or_failed_result_is_blocked(project: Path) -> None:
    runs = small.runs(project)
    records = done(runs)
    del records["chimie", "01_emplois"]
    records["ciments", "01_emplois"]["status"] = "failed"
    assert state(runs[-1], records) == State(
        "blocked", ("no result of chimie/01_emplois", "no result of ciments/01_emplois")
    )


def test_run_is_not_up_to_date_while_one_that_it_reads_is_not(project: Path) -> None:
    records = done(small.runs(project))
    branch = project / "parameters/branches/ciments.yml"
    branch.write_text(branch.read_text().replace('"label":"ciments"', '"label":"Ciments"'))
    found = states(small.runs(project), records)
    assert found["chimie", "01_emplois"] == State("up to date")
    assert found["commun", "10_consolidation"].status == "stale"
    (project / "outputs/2026/chimie/01_emplois/table.csv").unlink()
    small.write_branch(project, "ciments", ["01_emplois"])
    assert states(small.runs(project), records)["commun", "10_consolidation"] == State(
        "stale", ("chimie/01_emplois is not up to date",)
    )
