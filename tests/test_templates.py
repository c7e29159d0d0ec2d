import json
from pathlib import Path

import papermill
import pytest
import small_project as small

from opmq_lib.errors import DataError
from opmq_lib.runs import templates

SHIPPED = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def refusal(root: Path) -> list[str]:
    with pytest.raises(DataError) as error:
        templates.read_templates(root / "notebooks")
    return [str(defect) for defect in error.value.defects]


def test_template_tells_scope_reads_and_defaults(tmp_path: Path) -> None:
    path = small.write_notebook(tmp_path, "01_emplois", "1", reads=["03_tensions"])
    template = templates.read_template(path)
    assert (template.name, template.scope, template.reads) == (
        "01_emplois",
        "branch",
        ("03_tensions",),
    )
    assert template.defaults == {
        "branch_code": "chimie",
        "horizon_years": 10,
        "output_folder": ".",
    }


def test_name_close_to_one_that_is_given_is_refused(tmp_path: Path) -> None:
    signature = small.SIGNATURE["branch"].replace("horizon_years", "horizon_yaers")
    small.write_notebook(tmp_path, "01_emplois", signature=signature)
    (defect,) = refusal(tmp_path)
    assert defect.startswith(
        "notebooks/01_emplois.ipynb, parameters cell: nothing gives a value to `horizon_yaers`\n"
        "    expected: one of branch_code, edition_id, "
    )
    assert defect.endswith("what to do: did you mean `horizon_years`?")


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("edition", "edition_id"),
        ("horizon", "horizon_years"),
        ("branch", "branch_code"),
        ("folder", "output_folder"),
        ("company_counts", "company_counts_register"),
    ],
)
def test_part_of_a_name_that_is_given_is_refused(tmp_path: Path, name: str, whole: str) -> None:
    signature = f"{small.SIGNATURE['branch']}\n{name} = 10"
    small.write_notebook(tmp_path, "01_emplois", signature=signature)
    (defect,) = refusal(tmp_path)
    assert f"nothing gives a value to `{name}`" in defect
    assert defect.endswith(f"did you mean `{whole}`?")


def test_parameter_of_a_notebook_s_own_needs_no_other_declaration(tmp_path: Path) -> None:
    signature = small.SIGNATURE["branch"] + '\nrate_pct = 2.5\nmetiers = ["G1Z70"]'
    path = small.write_notebook(tmp_path, "01_emplois", signature=signature)
    assert templates.read_template(path).defaults["metiers"] == ["G1Z70"]


@pytest.mark.parametrize(
    ("scope", "signature", "found"),
    [
        ("branch", "output_folder = '.'", "parameters cell: `branch_code` is not assigned"),
        ("common", "edition_id = '2026'", "parameters cell: `output_folder` is not assigned"),
        ("common", small.SIGNATURE["branch"], "parameters cell: `branch_code` is a parameter of a"),
        (
            "common",
            "vote_register = ''\noutput_folder = '.'",
            "parameters cell: nothing gives a value to `vote_register`",
        ),
        (
            "common",
            "horizon_years = 31\noutput_folder = '.'",
            "parameters cell, `horizon_years`: Input should be less than or equal to 30",
        ),
        (
            "common",
            "edition_id = 2026\noutput_folder = '.'",
            "parameters cell, `edition_id`: Input should be a valid string (found: 2026)",
        ),
    ],
)
def test_parameter_that_lacks_or_whose_default_is_out_of_range_is_refused(
    tmp_path: Path, scope: str, signature: str, found: str
) -> None:
    small.write_notebook(tmp_path, "20_essai", scope=scope, signature=signature)
    (defect,) = refusal(tmp_path)
    assert defect.startswith(f"notebooks/20_essai.ipynb, {found}")


def test_registers_that_a_notebook_reads_are_those_it_declares(tmp_path: Path) -> None:
    signature = 'works_register = ""\noutput_folder = "."'
    path = small.write_notebook(tmp_path, "12_travaux", scope="common", signature=signature)
    assert templates.read_template(path).registers == ["works"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('label: str | None = "x"', "line 4 is not one that Papermill can list"),
        ('label = "a=b"', "line 4 is not one that Papermill can list"),
        ('label = "x"  # not = y', "line 4 is not one that Papermill can list"),
        ("label = 1 + horizon_years", "line 4 is not one that Papermill can list"),
        ("import os", "line 4 is not one that Papermill can list"),
        ("label = ", "line 4 is not Python"),
    ],
)
def test_line_that_papermill_would_overlook_is_refused(
    tmp_path: Path, line: str, found: str
) -> None:
    signature = f"{small.SIGNATURE['branch']}\n{line}"
    small.write_notebook(tmp_path, "01_emplois", signature=signature)
    (defect,) = refusal(tmp_path)
    assert defect.splitlines()[0] == f"notebooks/01_emplois.ipynb, parameters cell: {found}"


def test_template_without_parameters_cell_or_scope_is_refused_for_both(tmp_path: Path) -> None:
    path = small.write_notebook(tmp_path, "01_emplois")
    notebook = json.loads(path.read_text())
    notebook["cells"][0]["metadata"] = {}
    notebook["metadata"] = {}
    path.write_text(json.dumps(notebook))
    assert [defect.splitlines()[0] for defect in refusal(tmp_path)] == [
        "notebooks/01_emplois.ipynb, metadata: `opmq.scope` does not say how often the notebook "
        "runs (found: None)",
        "notebooks/01_emplois.ipynb, parameters cell: 0 cells are tagged `parameters`",
    ]


@pytest.mark.parametrize(
    "text", ["[" * 10**5, "", "[]", "{}", '{"cells": [], "metadata": []}'], ids=len
)
def test_file_that_is_no_notebook_is_refused(tmp_path: Path, text: str) -> None:
    small.write_notebook(tmp_path, "01_emplois").write_text(text)
    (defect,) = refusal(tmp_path)
    assert defect.startswith("notebooks/01_emplois.ipynb: this is not a Jupyter notebook")


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('"reads": []', '"reads": 3', "this is not a Jupyter notebook"),
        ('"tags": ["parameters"]', '"tags": true', "this is not a Jupyter notebook"),
        ("horizon_years = 10", "horizon_years = \\u0000", "is not Python"),
        ("horizon_years = 10", "horizon_years = \\ud800", "is not Python"),
        ("horizon_years = 10", f"horizon_years = {'[' * 300}", "is not Python"),
        ("horizon_years = 10", f"horizon_years = {'-' * 9000}1", "is not Python"),
    ],
    ids=range(6),
)
def test_spoilt_template_is_refused_in_words(
    tmp_path: Path, old: str, new: str, found: str
) -> None:
    path = small.write_notebook(tmp_path, "01_emplois", "1")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    (defect,) = refusal(tmp_path)
    assert found in defect


def test_reading_a_notebook_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    small.write_notebook(tmp_path, "01_emplois", reads=["01_emploi"])
    (defect,) = refusal(tmp_path)
    assert "`opmq.reads` names `01_emploi`, which is no template" in defect
    assert "did you mean `01_emplois`?" in defect


def test_hash_ignores_what_running_a_template_in_an_editor_leaves(tmp_path: Path) -> None:
    path = small.write_notebook(tmp_path, "01_emplois", "1")
    before = templates.read_template(path).sha256
    notebook = json.loads(path.read_text())
    notebook["cells"][1] |= {"execution_count": 4, "outputs": [{"output_type": "stream"}]}
    notebook["cells"][1]["metadata"]["execution"] = {"iopub.status.busy": "now"}
    notebook["metadata"]["kernelspec"] = {"name": "mine"}
    notebook["metadata"]["opmq"] |= {"menu": "Emplois", "question": "Combien ?"}
    path.write_text(json.dumps(notebook))
    assert templates.read_template(path).sha256 == before


def test_hash_follows_what_a_notebook_reads(tmp_path: Path) -> None:
    before = templates.read_template(small.write_notebook(tmp_path, "05_x"))
    now = templates.read_template(small.write_notebook(tmp_path, "05_x", reads=["02_besoins"]))
    assert now.sha256 != before.sha256


@pytest.mark.parametrize("change", [{"source": "2"}, {"metadata": {"tags": ["hide-input"]}}])
def test_hash_follows_what_a_template_says(tmp_path: Path, change: dict[str, object]) -> None:
    path = small.write_notebook(tmp_path, "01_emplois", "1")
    before = templates.read_template(path).sha256
    notebook = json.loads(path.read_text())
    notebook["cells"][1] |= change
    path.write_text(json.dumps(notebook))
    assert templates.read_template(path).sha256 != before


def test_papermill_lists_the_names_that_we_read(tmp_path: Path) -> None:
    signature = (
        'output_folder = "."\na = 1  # one\nb: str = "x"\n\n# a comment\n'
        'c: list[str] = [\n    "y",\n]\nd = True'
    )
    path = small.write_notebook(tmp_path, "20_essai", scope="common", signature=signature)
    notebook = json.loads(path.read_text())
    notebook["metadata"]["kernelspec"] = {"name": "python3", "language": "python"}
    path.write_text(json.dumps(notebook))
    names = {"output_folder", "a", "b", "c", "d"}
    assert set(papermill.inspect_notebook(path)) == names
    assert templates.read_template(path).defaults.keys() == names


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_template_has_one_signature_for_us_and_papermill(path: Path) -> None:
    names = templates.read_template(path).defaults.keys()
    assert set(papermill.inspect_notebook(path)) == names
