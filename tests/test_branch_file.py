import shutil
from pathlib import Path

import pytest

from opmq_lib.errors import SchemaError, ScopeError
from opmq_lib.sources import embedded, parameters, project
from opmq_lib.sources.branch_file import new_branch

ROOT = Path(__file__).parent.parent


@pytest.fixture
def root(tmp_path):
    """Return a project whose parameters have no branch yet."""
    for folder in ("notebooks", "parameters"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for file in (tmp_path / "parameters/branches").glob("*.yml"):
        file.unlink()
    return tmp_path


def test_every_branch_of_the_table_gets_a_file_that_passes_validation(root):
    codes = sorted(embedded.load("branches")["branch_code"])
    for code in codes:
        new_branch(root, code)
    branches = parameters.load_branches(root)
    assert sorted(branches) == codes
    names = [name for name, scope in project.scopes(ROOT).items() if scope == "branch"]
    assert {branch.notebooks for branch in branches.values()} == {tuple(names)}
    assert {branch.tables.employment for branch in branches.values()} == {None}


def test_a_branch_whose_convention_was_merged_says_into_which(root):
    new_branch(root, "chaux")
    chaux = parameters.load_branches(root)["chaux"]
    assert chaux.idcc_codes == ()
    assert chaux.perimeter_note == (
        "Aucune convention propre au 24\u00a0novembre\u00a02026. La convention 03227 a pris fin le "
        "17\u00a0février\u00a02025 au profit de la convention 03249 (branche «\u00a0Carrières et "
        "matériaux\u00a0»)."
    )


def test_conventions_are_those_in_force_on_the_date_of_the_edition(root):
    edition = root / "parameters/edition.yml"
    text = edition.read_text("utf-8").replace("2026-11-24", "2024-01-31")
    edition.write_text(text, encoding="utf-8")
    text = new_branch(root, "chaux").read_text("utf-8")
    assert 'idcc_codes: ["03227"] # conventions in force on 2024-01-31' in text


def test_a_branch_of_several_conventions_lists_them(root):
    new_branch(root, "equipements_thermiques")
    branch = parameters.load_branches(root)["equipements_thermiques"]
    assert branch.idcc_codes == ("00998", "01256")
    assert branch.perimeter_note == (
        "Conventions en vigueur au 24\u00a0novembre\u00a02026\u00a0: 00998 et 01256."
    )


def test_nothing_is_overwritten_and_nothing_is_left_behind(root):
    path = new_branch(root, "chimie")
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(SchemaError) as caught:
        new_branch(root, "chimie")
    assert str(caught.value) == (
        "1 defect\n  parameters/branches/chimie.yml: the file exists\n"
        "    expected: a branch without file\n    what to do: edit it, or delete it"
    )
    assert path.read_text("utf-8") == "mine"
    assert list(path.parent.iterdir()) == [path]


def test_a_branch_that_the_table_does_not_know_is_refused(root):
    with pytest.raises(ScopeError, match="did you mean `ciments`"):
        new_branch(root, "ciment")


def test_labels_are_typeset(root):
    assert "Industries de l’habillement" in new_branch(root, "habillement").read_text("utf-8")
