"""What a notebook starts from; the study as a whole is in `test_study`."""

from pathlib import Path

import pytest
import site_edition as given

from opmq_lib.errors import ScopeError
from opmq_lib.sources import parameters, study

EDITION = given.EDITION
TABLE = "branch_code,value,origin\n{0},1.0,public\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project where three branches have run `01_emplois`; work where notebooks do."""
    root = given.project(tmp_path / "root")
    for code in ("chaux", "chimie", "ciments"):
        leave(root, code)
    monkeypatch.chdir(root / "notebooks")
    return root


def leave(root: Path, branch_code: str, **changes: object) -> None:
    tables = {"emplois.csv": TABLE.format(branch_code), "other.csv": "a,origin\n"}
    given.run(root, branch_code, "01_emplois", None, tables, **changes)


def together() -> list[str]:
    table = study.read_all_results(EDITION, "01_emplois", "emplois")
    return table.get("branch_code", table).tolist() if len(table) else []


def test_results_of_all_branches_are_put_together_in_order_of_code(root: Path) -> None:
    leave(root, "chaux")
    assert together() == ["chaux", "chimie", "ciments"]


def test_results_of_a_branch_that_no_longer_asks_for_the_notebook_are_left_out(
    root: Path,
) -> None:
    path = root / "parameters/branches/chimie.yml"
    path.write_text(path.read_text("utf-8").replace('["01_emplois"]', "[]"), encoding="utf-8")
    (root / "parameters/branches/ciments.yml").unlink()
    assert together() == ["chaux"]


def test_results_of_a_notebook_whose_last_run_failed_are_left_out(root: Path) -> None:
    leave(root, "chimie", status="failed")
    assert together() == ["chaux", "ciments"]
    assert study.read_results(EDITION, "chimie", "01_emplois") == {}


def test_files_that_no_run_has_written_are_not_read(root: Path) -> None:
    folder = root / "outputs" / EDITION
    (folder / "chimie/01_emplois/left.csv").write_text("a\n", encoding="utf-8")
    assert list(study.read_results(EDITION, "chimie", "01_emplois")) == ["emplois", "other"]
    (folder / "runs.jsonl").unlink()
    assert study.read_results(EDITION, "chimie", "01_emplois") == {}
    assert together() == []


def test_results_that_are_not_all_there_count_as_none(root: Path) -> None:
    (root / "outputs" / EDITION / "chimie/01_emplois/other.csv").unlink()
    assert study.read_results(EDITION, "chimie", "01_emplois") == {}


@pytest.mark.usefixtures("root")
def test_an_unknown_branch_is_refused_with_the_one_that_was_meant() -> None:
    for ask in (lambda: study.load_inputs(["chimei"]), lambda: study.criteria("chimei")):
        with pytest.raises(ScopeError, match=r"unknown branch \(found: chimei\)") as refusal:
            ask()
        assert "did you mean `chimie`?" in str(refusal.value)


def test_the_edition_is_that_of_its_parameter_file(root: Path) -> None:
    assert study.edition() == parameters.load_edition(root)
    assert study.edition().base_year == 2018
