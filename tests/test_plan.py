from pathlib import Path

import pytest
import small_project as small

from opmq_lib.errors import DataError
from opmq_lib.runs.kernels import confine
from opmq_lib.runs.plan import Run, of_branches, select


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Write two branches with three notebooks, one of which reads another, and two common ones."""
    small.write_edition(tmp_path)
    small.write_notebook(tmp_path, "00_rapport", reads=["01_emplois"])
    small.write_notebook(tmp_path, "01_emplois")
    small.write_notebook(tmp_path, "03_tensions")
    small.write_notebook(tmp_path, "10_consolidation", scope="common", reads=["01_emplois"])
    small.write_notebook(tmp_path, "20_sources", scope="common")
    small.write_branch(tmp_path, "chimie", ["00_rapport", "01_emplois", "03_tensions"])
    small.write_branch(tmp_path, "ciments", ["01_emplois"])
    return tmp_path


def by_name(runs: list[Run]) -> dict[str, Run]:
    return {"/".join(run.id): run for run in runs}


def refusal(project: Path) -> list[str]:
    with pytest.raises(DataError) as error:
        small.runs(project)
    return [str(defect) for defect in error.value.defects]


def test_plan_has_each_branch_s_notebooks_and_the_common_ones_once(project: Path) -> None:
    assert by_name(small.runs(project)).keys() == {
        "chimie/00_rapport",
        "chimie/01_emplois",
        "chimie/03_tensions",
        "ciments/01_emplois",
        "commun/10_consolidation",
        "commun/20_sources",
    }


def test_runs_come_after_what_they_read(project: Path) -> None:
    seen: set[tuple[str, str]] = set()
    for run in small.runs(project):
        assert seen.issuperset(run.reads)
        seen.add(run.id)


def test_branch_reads_its_own_results_and_common_notebooks_those_of_all(project: Path) -> None:
    runs = by_name(small.runs(project))
    assert runs["chimie/00_rapport"].reads == (("chimie", "01_emplois"),)
    assert runs["commun/10_consolidation"].reads == (
        ("chimie", "01_emplois"),
        ("ciments", "01_emplois"),
    )


def test_run_gets_only_parameters_that_its_notebook_declares(project: Path) -> None:
    runs = by_name(small.runs(project))
    assert runs["ciments/01_emplois"].parameters == {
        "branch_code": "ciments",
        "horizon_years": 10,
        "output_folder": ".",
    }
    assert runs["commun/20_sources"].parameters == {"edition_id": "2026", "output_folder": "."}


def test_run_rests_on_its_branch_s_own_tables_whether_heard_or_not(project: Path) -> None:
    (project / "data").mkdir()
    (project / "data/chimie.csv").write_text("metier_code")
    small.write_branch(project, "chimie", ["01_emplois"], table="data/chimie.csv")
    runs = by_name(small.runs(project))
    assert set(runs["chimie/01_emplois"].inputs()) == {"data/chimie.csv"}
    assert runs["ciments/01_emplois"].inputs() == {}
    assert runs["commun/20_sources"].inputs() == {}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("parameters/tables/naf_branch.csv", "parameters/tables/naf_branch.csv"),
        ("parameters/branches/", "parameters/branches/"),
        ("data/own.xlsx", "data/own.xlsx"),
        ("outputs/2026/chimie/01_emplois/table.csv", None),
        ("outputs/2025/chimie/table.csv", "outputs/2025/chimie/table.csv"),
        ("parameters/edition.yml#base_year", "parameters/edition.yml#base_year"),
        ("notebooks/01_emplois.ipynb", None),
        (".git/HEAD", None),
        ("", None),
    ],
)
def test_file_that_a_notebook_opens_is_an_input_unless_known_otherwise(
    project: Path, path: str, name: str | None
) -> None:
    files = small.runs(project)[0].files
    assert files.name(f"{project}/{path}") == name
    package = files.library.folder
    assert files.name(f"{package}/data/tension.csv") == "opmq_lib/data/tension.csv"
    assert files.name(f"{package}/show/page.jinja") is None
    assert files.name("/etc/hostname") is None


def test_seed_is_the_run_s_own_and_the_same_each_time(project: Path) -> None:
    seeds = [run.seed for run in small.runs(project)]
    assert len(set(seeds)) == len(seeds)
    assert [run.seed for run in small.runs(project)] == seeds


def test_results_behind_which_is_an_own_table_are_own_and_common_ones_do_without(
    project: Path,
) -> None:
    (project / "data").mkdir()
    (project / "data/chimie.csv").write_text("metier_code")
    small.write_branch(project, "chimie", ["00_rapport", "01_emplois"], table="data/chimie.csv")
    runs = by_name(small.runs(project))
    assert {name: run.origin for name, run in runs.items()} == {
        "chimie/00_rapport": "own",
        "chimie/01_emplois": "own",
        "ciments/01_emplois": "public",
        "commun/10_consolidation": "public",
        "commun/20_sources": "public",
    }
    assert "data/chimie.csv" in runs["chimie/01_emplois"].inputs()
    assert "data/chimie.csv" not in runs["ciments/01_emplois"].inputs()


def test_defects_of_branches_are_reported_together(project: Path) -> None:
    small.write_branch(project, "chimie", ["00_rapport"], table="data/chimie.csv")
    assert [defect.splitlines()[0] for defect in refusal(project)] == [
        "parameters/branches/chimie.yml, notebooks: `00_rapport` reads `01_emplois`, which the "
        "branch does not run",
        "parameters/branches/chimie.yml, tables.employment: there is no file `data/chimie.csv`",
    ]


def test_own_table_that_any_notebook_could_read_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.write_branch(project, "chimie", ["01_emplois"], table="data/chimie.csv")
    small.write_branch(project, "chaux", ["01_emplois"], table="data/chaux.csv")
    (project / "data").mkdir()
    (project / "data/chaux.csv").touch()
    hidden = project / "parameters/chimie.csv"
    hidden.touch()
    for link in (Path.symlink_to, Path.hardlink_to):
        link(project / "data/chimie.csv", hidden)
        (defect,) = refusal(project)
        assert defect.startswith("parameters/branches/chimie.yml, tables.employment: `data/chimie")
        (project / "data/chimie.csv").unlink()
    (project / "data/chimie.csv").touch()
    small.runs(project)
    monkeypatch.setattr(confine, "SYSTEM", (*confine.SYSTEM, str(project.parent)))
    assert len(refusal(project)) == 2


def test_field_of_a_parameter_file_changes_alone(project: Path) -> None:
    def base_year() -> dict[str, str]:
        return small.runs(project)[0].inputs(["parameters/edition.yml#base_year"])

    before = base_year()
    path = small.write_edition(project, horizon_years=12)
    assert base_year() == before != {}
    path.write_text(path.read_text().replace("2018", "2019"))
    assert base_year() != before


def test_notebooks_that_read_each_other_in_a_circle_are_refused(project: Path) -> None:
    small.write_notebook(project, "01_emplois", reads=["00_rapport"])
    small.write_branch(project, "ciments", ["00_rapport", "01_emplois"])
    (defect,) = refusal(project)
    assert "notebooks read each other in a circle" in defect


def test_selection_brings_what_it_reads_along(project: Path) -> None:
    runs = small.runs(project)
    assert by_name(select(runs, notebooks=["00_rapport"])).keys() == {
        "chimie/01_emplois",
        "chimie/00_rapport",
    }
    assert by_name(select(runs, ["ciments"])).keys() == {"ciments/01_emplois"}
    assert by_name(select(runs, ["commun"], ["20_sources"])).keys() == {"commun/20_sources"}
    assert select(runs) == runs
    assert by_name(of_branches(runs, ["ciments"])).keys() == {
        "ciments/01_emplois",
        "commun/20_sources",
    }
    assert of_branches(runs, []) == runs


def test_unknown_branch_and_notebook_are_refused_with_the_close_one(project: Path) -> None:
    runs = small.runs(project)
    with pytest.raises(DataError, match="`chimei` is not a branch of this edition") as error:
        select(runs, ["chimei"])
    assert "did you mean `chimie`?" in str(error.value)
    with pytest.raises(DataError, match="did you mean `01_emplois`"):
        select(runs, notebooks=["01_emploi"])
    with pytest.raises(DataError, match="not a notebook of these branches"):
        select(runs, ["chimie"], ["20_sources"])
