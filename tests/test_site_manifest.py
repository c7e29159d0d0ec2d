from pathlib import Path

import pytest
import site_edition as given

from opmq_lib.errors import ConfidentialityError
from opmq_lib.site import manifest
from opmq_lib.sources import embedded


def test_every_branch_of_the_branch_table_is_there(tmp_path: Path) -> None:
    edition = manifest.read(given.project(tmp_path / "root"))
    codes = [branch.code for branch in edition.branches]
    assert codes == embedded.load("branches")["branch_code"].tolist()
    assert all(list(branch.runs) == ["01_emplois"] for branch in edition.branches)
    assert list(edition.common) == ["10_consolidation"]


def test_the_last_run_decides(tmp_path: Path) -> None:
    root = given.edition(tmp_path / "root")
    given.run(root, "chimie", "01_emplois", status="failed")
    chimie = next(one for one in manifest.read(root).branches if one.code == "chimie")
    assert chimie.runs["01_emplois"].status == "failed"
    assert chimie.runs["01_emplois"].files == ()


def test_a_run_has_its_notebook_first_and_its_day(tmp_path: Path) -> None:
    edition = manifest.read(given.edition(tmp_path / "root"))
    run = next(one for one in edition.branches if one.code == "chimie").runs["01_emplois"]
    assert run.files == ("01_emplois.ipynb", "chiffres_cles.csv")
    assert run.date == "2026-11-01"


def test_a_run_made_public_again_is_accepted(tmp_path: Path) -> None:
    root = given.edition(tmp_path / "root")
    given.run(root, "chaux", "01_emplois", given.figures_notebook(), origin="own")
    with pytest.raises(ConfidentialityError):
        manifest.read(root)
    given.run(root, "chaux", "01_emplois", given.figures_notebook())
    assert manifest.read(root)


def test_a_refusal_names_runs_and_never_values(tmp_path: Path) -> None:
    root = given.edition(tmp_path / "root")
    tables = {"emplois.csv": "value\n424242\n"}
    given.run(root, "chaux", "01_emplois", given.figures_notebook(), tables, origin="own")
    with pytest.raises(ConfidentialityError) as refusal:
        manifest.read(root)
    assert "424242" not in str(refusal.value)


def test_a_missing_file_of_a_run_is_refused(tmp_path: Path) -> None:
    root = given.edition(tmp_path / "root")
    (root / "outputs/2026/chimie/01_emplois/01_emplois.ipynb").unlink()
    with pytest.raises(ConfidentialityError, match=r"01_emplois\.ipynb: is missing"):
        manifest.read(root)
