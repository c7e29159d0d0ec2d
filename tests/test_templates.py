import json
from pathlib import Path

import papermill
import pytest
import small_project as small

from opmq_lib.errors import DataError
from opmq_lib.params import NOTEBOOKS
from opmq_lib.runs import templates

SHIPPED = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
MODELS = {"01_emplois": small.BranchNotebook}


def refusal(root: Path) -> list[str]:
    with pytest.raises(DataError) as error:
        templates.read_templates(root / "notebooks", MODELS)
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


def test_name_that_the_model_does_not_have_is_refused_with_the_close_one(tmp_path: Path) -> None:
    signature = small.SIGNATURE["branch"].replace("horizon_years", "horizon_yaers")
    small.write_notebook(tmp_path, "01_emplois", signature=signature)
    assert refusal(tmp_path) == [
        "notebooks/01_emplois.ipynb, parameters cell: `horizon_yaers` is not a parameter of this "
        "notebook\n"
        "    expected: one of branch_code, horizon_years, output_folder\n"
        "    what to do: did you mean `horizon_years`? Else remove it",
        "notebooks/01_emplois.ipynb, parameters cell: `horizon_years` is not assigned\n"
        "    expected: a line `horizon_years = …`, as in the model of 01_emplois\n"
        "    what to do: add the line, with a default that works in JupyterLab",
    ]


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


def test_notebook_without_model_is_refused(tmp_path: Path) -> None:
    small.write_notebook(tmp_path, "01_emploi")
    (defect,) = refusal(tmp_path)
    assert "this notebook has no parameter model" in defect
    assert "did you mean `01_emplois`?" in defect


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": [], "metadata": []}'])
def test_file_that_is_no_notebook_is_refused(tmp_path: Path, text: str) -> None:
    small.write_notebook(tmp_path, "01_emplois").write_text(text)
    (defect,) = refusal(tmp_path)
    assert defect.startswith("notebooks/01_emplois.ipynb: this is not a Jupyter notebook")


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
    path.write_text(json.dumps(notebook))
    assert templates.read_template(path).sha256 == before


@pytest.mark.parametrize("change", [{"source": "2"}, {"metadata": {"tags": ["hide-input"]}}])
def test_hash_follows_what_a_template_says(tmp_path: Path, change: dict[str, object]) -> None:
    path = small.write_notebook(tmp_path, "01_emplois", "1")
    before = templates.read_template(path).sha256
    notebook = json.loads(path.read_text())
    notebook["cells"][1] |= change
    path.write_text(json.dumps(notebook))
    assert templates.read_template(path).sha256 != before


def test_papermill_lists_the_names_that_we_read(tmp_path: Path) -> None:
    signature = 'a = 1  # one\nb: str = "x"\n\n# a comment\nc: list[str] = [\n    "y",\n]\nd = True'
    path = small.write_notebook(tmp_path, "01_emplois", signature=signature)
    notebook = json.loads(path.read_text())
    notebook["metadata"]["kernelspec"] = {"name": "python3", "language": "python"}
    path.write_text(json.dumps(notebook))
    assert set(papermill.inspect_notebook(path)) == {"a", "b", "c", "d"}
    assert templates.read_template(path).defaults.keys() == {"a", "b", "c", "d"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_template_has_one_signature_for_us_papermill_and_its_model(path: Path) -> None:
    names = templates.read_template(path).defaults.keys()
    assert set(papermill.inspect_notebook(path)) == names
    assert NOTEBOOKS[path.stem].model_fields.keys() == names
