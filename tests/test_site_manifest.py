import hashlib
import re
from pathlib import Path

import pytest
import site_edition as given

from opmq_lib.errors import ConfidentialityError
from opmq_lib.runs import release
from opmq_lib.site import manifest
from opmq_lib.sources import embedded


def reduce_notebooks(root: Path, branch_code: str, notebooks: str) -> None:
    path = root / f"parameters/branches/{branch_code}.yml"
    text = path.read_text(encoding="utf-8")
    kept = re.sub(r"(?m)^notebooks: .*$", f"notebooks: [{notebooks}]", text)
    path.write_text(kept, encoding="utf-8")


def test_every_branch_of_the_branch_table_is_there(tmp_path: Path) -> None:
    edition = manifest.read(given.project(tmp_path / "root"))
    codes = [branch.code for branch in edition.branches]
    assert sorted(codes) == embedded.load("branches")["branch_code"].tolist()
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
    assert run.files == ("01_emplois.ipynb", "chiffres_cles.csv", "emplois.csv")
    assert run.date == "2026-11-01"


def test_a_run_made_public_again_is_accepted(tmp_path: Path) -> None:
    root = given.edition(tmp_path / "root")
    for origin, status in (("own", "withheld"), ("public", "ok")):
        given.run(root, "chaux", "01_emplois", given.figures_notebook(), origin=origin)
        edition = manifest.read(root)
        chaux = next(one for one in edition.branches if one.code == "chaux")
        assert chaux.runs["01_emplois"].status == status
        assert edition.withheld == [chaux.label] * (origin == "own")


def test_pages_that_rest_on_a_table_released_otherwise_since_are_withheld(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = given.edition(tmp_path / "root")
    name = "outputs/released/2026/chaux/employment.csv"
    table = root / name
    table.parent.mkdir(parents=True)
    table.write_text("as it was")
    inputs = {name: hashlib.sha256(b"as it was").hexdigest()}
    result = given.figures_notebook()
    given.run(root, "chaux", "01_emplois", result, inputs=inputs)
    given.run(root, "commun", "10_consolidation", result, inputs={"chaux/01_emplois/x.csv": "-"})
    for listed, text, status in (
        ([name], "as it was", "ok"), ([name], "as it is", "withheld"), ([], "as it was", "withheld")
    ):  # fmt: skip
        table.write_text(text)
        released = {"chaux": {"employment": listed}}
        monkeypatch.setattr(release, "in_place", lambda *_, now=released: now)
        edition = manifest.read(root)
        chaux = next(one for one in edition.branches if one.code == "chaux")
        runs = [chaux.runs["01_emplois"], edition.common["10_consolidation"]]
        assert {run.status for run in runs} == {status}


def test_a_refusal_names_runs_and_never_values(tmp_path: Path) -> None:
    root = given.edition(tmp_path / "root")
    tables = {"emplois.csv": "value\n424242\n"}
    given.run(root, "chaux", "01_emplois", given.figures_notebook(), tables)
    with pytest.raises(ConfidentialityError) as refusal:
        manifest.read(root)
    assert "424242" not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "value\n1\n",
        "value,origin\n1,public\n2,own\n",
        "value,origin,origin\n1,own,public\n",
        'value,origin\n"1,public\n',
        "value,origin\n1\n",
        "value,origin\n1,\n",
        "",
    ],
)
def test_a_table_not_known_to_be_public_is_refused_whatever_the_ledger_says(
    tmp_path: Path, text: str
) -> None:
    root = given.edition(tmp_path / "root")
    given.run(root, "chaux", "01_emplois", given.figures_notebook(), {"emplois.csv": text})
    with pytest.raises(ConfidentialityError, match=r"chaux/01_emplois/emplois\.csv") as refusal:
        manifest.read(root)
    assert "--branch chaux --notebook 01_emplois --force" in str(refusal.value)


def test_runs_that_the_parameters_no_longer_ask_for_are_neither_refused_nor_published(
    tmp_path: Path,
) -> None:
    root = given.edition(tmp_path / "root")
    left = [("chimie", "02_ancien"), ("verre", "01_emplois"), ("commun", "20_ancien")]
    for code, name in left:
        given.run(root, code, name, given.figures_notebook(), origin="own")
    reduce_notebooks(root, "ieg", "")
    given.run(root, "ieg", "01_emplois", given.figures_notebook(), origin="own")
    edition = manifest.read(root)
    assert "Industries électriques et gazières" in edition.left_out
    published = {
        (run.branch_code, run.notebook)
        for runs in [edition.common, *(branch.runs for branch in edition.branches)]
        for run in runs.values()
    }
    assert not published & {*left, ("ieg", "01_emplois")}


def test_a_branch_is_what_its_parameter_file_says(tmp_path: Path) -> None:
    root = given.edition(tmp_path / "root")
    path = root / "parameters/branches/chimie.yml"
    text = path.read_text(encoding="utf-8").replace("Industries chimiques", "Chimie d’ici")
    path.write_text(text.replace('["00044"]', '["00044", "00045"]'), encoding="utf-8")
    caoutchouc = root / "parameters/branches/caoutchouc.yml"
    caoutchouc.unlink()
    branches = {branch.code: branch for branch in manifest.read(root).branches}
    assert branches["chimie"].label == "Chimie d’ici"
    assert branches["chimie"].conventions == ("00044", "00045")
    assert "caoutchouc" not in branches


def test_a_file_that_changes_after_the_check_is_not_read(tmp_path: Path) -> None:
    root = given.edition(tmp_path / "root")
    edition = manifest.read(root)
    run = next(one for one in edition.branches if one.code == "chimie").runs["01_emplois"]
    assert manifest.read_file(run, "chiffres_cles.csv") == given.KEY_FIGURES.encode()
    (run.folder / "chiffres_cles.csv").write_text("secret", encoding="utf-8")
    with pytest.raises(ConfidentialityError, match=r"chiffres_cles\.csv: is not the file"):
        manifest.read_file(run, "chiffres_cles.csv")


def test_a_missing_file_of_a_run_is_refused(tmp_path: Path) -> None:
    root = given.edition(tmp_path / "root")
    (root / "outputs/2026/chimie/01_emplois/01_emplois.ipynb").unlink()
    with pytest.raises(ConfidentialityError, match=r"01_emplois\.ipynb: is missing"):
        manifest.read(root)
