"""What makes a run stale: what it has read and can reach, and nothing else."""

import shutil
from pathlib import Path

import pytest
import small_project as small

from opmq_lib.runs import batch
from opmq_lib.runs.freshness import states
from opmq_lib.runs.plan import COMMON, Run
from opmq_lib.sources import ledger, updates
from opmq_lib.sources.producers import hires

PARAMETERS = "../../../../parameters"
HIRES = "rome_naf_hires"
READ_A_TABLE = f"open('{PARAMETERS}/tables/naf.csv').read()"
READ_EVERY_BRANCH = f"""
from pathlib import Path
for path in sorted(Path('{PARAMETERS}/branches').glob('*.yml')):
    path.read_text()
"""
READ_FIELDS = """
from opmq_lib.sources import embedded, study
embedded.source('dares_emploi')
year, questions = study.edition().base_year, study.criteria(branch_code)
"""
READ_EMBEDDED = """
from opmq_lib.sources import embedded
embedded.load('naf'), embedded.source('embauches_rome_naf')
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project of which all has been run: each notebook reads something else."""
    root = tmp_path_factory.mktemp("keys") / "project"
    small.write_edition(root)
    small.write_notebook(root, "01_table", small.TABLE, READ_A_TABLE)
    small.write_notebook(root, "02_rien", small.TABLE)
    small.write_notebook(root, "03_naf", small.TABLE, READ_EMBEDDED)
    small.write_notebook(root, "04_champs", small.TABLE, READ_FIELDS)
    small.write_notebook(root, "10_branches", READ_EVERY_BRANCH, scope="common")
    small.write_notebook(root, "11_suite", scope="common", reads=["02_rien"])
    for code in ("chimie", "ciments"):
        small.write_branch(root, code, ["01_table", "02_rien", "03_naf", "04_champs"])
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
    found = states(small.runs(root), small.records(root))
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


def test_field_of_a_parameter_file_makes_stale_those_that_have_used_it(project: Path) -> None:
    path = project / "parameters/branches/ciments.yml"
    text = path.read_text()
    path.write_text(text.replace('"perimeter_note":"-"', '"perimeter_note":"cement"'))
    why = "input parameters/branches/ciments.yml changed"
    assert stale(project) == {"commun/10_branches": (why,)}  # which has opened it by itself
    path.write_text(text)
    edition = project / "parameters/edition.yml"
    edition.write_text(edition.read_text().replace('"title":"-"', '"title":"x"'))
    assert stale(project) == {}
    edition.write_text(edition.read_text().replace("2018", "2017"))
    why = "input parameters/edition.yml, base_year changed"
    assert stale(project) == {"chimie/04_champs": (why,), "ciments/04_champs": (why,)}


def test_fields_used_are_the_inputs_and_not_their_files(project: Path) -> None:
    read = small.records(project)["chimie", "04_champs"]["inputs"]
    assert {each for each in read if not each.startswith("opmq_lib/tables/")} == {
        "opmq_lib/data/branches.csv",
        "opmq_lib/data/idcc_history.csv",
        "opmq_lib/data/metiers.csv",
        "opmq_lib/data/sources.csv#dares_emploi",
        "parameters/branches/chimie.yml#questions",
        "parameters/edition.yml#base_year",
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


def test_real_branch_notebooks_read_no_other_branch_s_file(studied: Path) -> None:
    """Else changing one branch would run all of them again."""
    edition = studied / "outputs/2026"
    records = ledger.latest(edition / "runs.jsonl")
    assert len([code for code, _ in records if code == "chaux"]) >= 3
    for (code, name), record in records.items():
        if code == COMMON:
            continue
        branches = [each for each in record["inputs"] if each.startswith("parameters/branches/")]
        assert all(each.startswith(f"parameters/branches/{code}.yml#") for each in branches), name
    assert str(studied) not in (edition / "runs.jsonl").read_text()


def test_loading_a_newer_table_makes_stale_what_reads_it_and_nothing_else(project: Path) -> None:
    (project / "rome_naf_mapping.raw.csv").write_text(
        "rome_id,rome_label,naf_id,naf_label,hirings\nA1101,x,2059Z,Chimie nouvelle,12\n"
    )
    (project / "naf_labels.csv").write_text("naf_id|naf_label\n2059Z|x\n0000Z|y\n")
    given = updates.named(hires.PRODUCER, [project])
    found = updates.changes(hires.load(given), project)
    naf, counts = (next(each for each in found if each.table == name) for name in ("naf", HIRES))
    assert (naf.added, naf.removed, naf.changed) == (1, 0, 1)
    assert (counts.added, counts.removed) == (1, 11_210)
    assert not (project / "data").exists()
    updates.apply("embauches", found, project)
    reasons = ("input naf changed",)  # the note of its source has changed, not what it asked for
    assert stale(project) == dict.fromkeys(["chimie/03_naf", "ciments/03_naf"], reasons)
    report = batch.execute(small.runs(project), 1)
    assert sorted(run.run.id for run in report.outcomes if run.status == "ok") == [
        ("chimie", "03_naf"),
        ("ciments", "03_naf"),
    ]
    assert stale(project) == {}
    updates.apply("embauches", updates.changes(hires.load(given), project), project)
    assert stale(project) == {}
    (sources,) = (project / "data/official").glob("sources-*.csv")
    sources.write_text(sources.read_text().replace("mars 2016 à mars 2017", "2031"))
    reasons = ("input sources, embauches_rome_naf changed",)
    assert stale(project) == dict.fromkeys(["chimie/03_naf", "ciments/03_naf"], reasons)
    shutil.rmtree(project / "data")
    assert list(stale(project)) == ["chimie/03_naf", "ciments/03_naf"]


@pytest.mark.parametrize("cold", [False, True])
def test_library_that_is_not_the_planned_one_fails_the_run(tmp_path: Path, cold: bool) -> None:
    root = small.write_project(tmp_path, ["chimie"])
    (run,) = small.runs(root)
    other = {"opmq_lib.errors": "another"}
    run = Run(**{**vars(run), "library": other})
    (outcome,) = batch.execute([run], 1, cold=cold).outcomes
    assert outcome.reasons == ("the library changed while it ran: opmq_lib.errors; run again",)
    assert "runs.jsonl" in small.files(root)
    assert not list((root / "outputs/2026").glob("chimie/01_emplois/*"))
