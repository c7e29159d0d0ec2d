"""What makes a run stale: what it has read and can reach, and nothing else."""

import shutil
from pathlib import Path

import pytest
import small_project as small

from opmq_lib.runs import batch
from opmq_lib.sources import ledger, parameters

PARAMETERS = "../../../../parameters"
READ_A_TABLE = f"open('{PARAMETERS}/tables/naf.csv').read()"
READ_EVERY_BRANCH = f"""
from pathlib import Path
for path in sorted(Path('{PARAMETERS}/branches').glob('*.yml')):
    path.read_text()
"""
READ_EMBEDDED = "from opmq_lib.sources import embedded\nembedded.load('naf')"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project of which all has been run: each notebook reads something else."""
    root = tmp_path_factory.mktemp("keys") / "project"
    small.write_edition(root)
    small.write_notebook(root, "01_table", small.TABLE, READ_A_TABLE)
    small.write_notebook(root, "02_rien", small.TABLE)
    small.write_notebook(root, "03_naf", small.TABLE, READ_EMBEDDED)
    small.write_notebook(root, "10_branches", READ_EVERY_BRANCH, scope="common")
    small.write_notebook(root, "11_suite", scope="common", reads=["02_rien"])
    for code in ("chimie", "ciments"):
        small.write_branch(root, code, ["01_table", "02_rien", "03_naf"])
    (root / "parameters/tables").mkdir()
    for name in ("naf", "autre"):
        (root / f"parameters/tables/{name}.csv").write_text("1")
    (root / "_quarto.yml").write_text("")
    assert batch.execute(small.runs(root), 2).exit_status == 0
    return root


@pytest.fixture
def project(executed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(executed, tmp_path / "project"))


def stale(root: Path) -> dict[str, tuple[str, ...]]:
    """Return the runs that are not up to date, and why."""
    found = batch.states(small.runs(root), small.records(root))
    return {"/".join(id_): state.reasons for id_, state in found.items() if state.reasons}


def test_nothing_is_stale_where_nothing_has_changed(project: Path) -> None:
    assert stale(project) == {}


def test_table_makes_stale_those_that_have_read_it(project: Path) -> None:
    (project / "parameters/tables/naf.csv").write_text("2")
    (project / "parameters/tables/autre.csv").write_text("2")
    assert stale(project) == {
        "chimie/01_table": ("input parameters/tables/naf.csv changed",),
        "ciments/01_table": ("input parameters/tables/naf.csv changed",),
    }


def test_branch_makes_stale_its_own_runs_what_reads_them_and_what_reads_its_file(
    project: Path,
) -> None:
    path = project / "parameters/branches/ciments.yml"
    path.write_text(path.read_text().replace('"-"', '"cement"'))
    found = stale(project)
    why = "input parameters/branches/ciments.yml changed"
    assert found == {
        "ciments/01_table": (why,),
        "ciments/02_rien": (why,),
        "ciments/03_naf": (why,),
        "commun/10_branches": (why,),
        "commun/11_suite": ("ciments/02_rien is not up to date",),
    }


def test_new_branch_makes_stale_what_has_listed_the_branches(project: Path) -> None:
    small.write_branch(project, "verre", ["02_rien"])
    found = stale(project)
    assert found["commun/10_branches"] == ("input parameters/branches/ changed",)
    assert "chimie/01_table" not in found


def test_embedded_table_makes_stale_those_that_have_read_it(project: Path) -> None:
    record = small.records(project)["chimie", "03_naf"]
    assert "opmq_lib/data/naf.csv" in record["inputs"]
    assert "opmq_lib/data/naf.csv" not in small.records(project)["chimie", "02_rien"]["inputs"]
    changed = record | {"inputs": record["inputs"] | {"opmq_lib/data/naf.csv": "0" * 64}}
    ledger.append(project / "outputs/2026/runs.jsonl", changed)
    assert stale(project) == {"chimie/03_naf": ("input naf changed",)}


def test_library_module_makes_stale_those_that_can_reach_it(project: Path) -> None:
    runs = {run.id: run for run in small.runs(project)}
    reached, other = runs["chimie", "03_naf"].library, runs["chimie", "02_rien"].library
    assert "opmq_lib.sources.embedded" in reached
    assert other == {}
    module = "opmq_lib.sources.embedded"
    record = small.records(project)["chimie", "03_naf"]
    changed = record | {"library": record["library"] | {module: "0" * 12}}
    ledger.append(project / "outputs/2026/runs.jsonl", changed)
    assert stale(project) == {"chimie/03_naf": (f"library {module} changed",)}


def test_parameter_is_named_with_both_values(project: Path) -> None:
    small.write_edition(project, horizon_years=12)
    found = stale(project)
    assert found["chimie/02_rien"] == ("parameter horizon_years 10 → 12",)


def test_key_of_a_run_does_not_depend_on_how_it_was_executed(project: Path) -> None:
    before = {id_: record["key"] for id_, record in small.records(project).items()}
    outputs = {id_: tables(record) for id_, record in small.records(project).items()}
    shutil.rmtree(project / "outputs")
    assert batch.execute(small.runs(project), 3, cold=True).exit_status == 0
    assert {id_: record["key"] for id_, record in small.records(project).items()} == before
    assert {id_: tables(record) for id_, record in small.records(project).items()} == outputs


def tables(record: ledger.Record) -> dict[str, str]:
    return {name: sha for name, sha in record["outputs"].items() if name.endswith(".csv")}


def test_real_branch_notebooks_read_no_other_branch_s_file(project_copy: Path) -> None:
    """Else changing one branch would run all of them again."""
    runs = batch.plan(
        project_copy,
        parameters.load_edition(project_copy),
        parameters.load_branches(project_copy),
    )
    chosen = batch.select(runs, ["chaux"])
    assert batch.execute(chosen, 2).exit_status == 0
    edition = project_copy / "outputs/2026"
    records = ledger.latest(edition / "runs.jsonl")
    assert len(records) == len(chosen) >= 3
    for (code, name), record in records.items():
        if code == batch.COMMON:
            continue
        branches = {each for each in record["inputs"] if each.startswith("parameters/branches/")}
        assert branches == {"parameters/branches/chaux.yml"}, name
    assert str(project_copy) not in (edition / "runs.jsonl").read_text()
