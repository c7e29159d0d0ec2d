import json
import re
from pathlib import Path

import pytest
import site_edition as given
import yaml

from opmq_lib.site import manifest
from opmq_lib.site.markdown import render
from opmq_lib.site.stage import stage


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = given.edition(tmp_path_factory.mktemp("edition"))
    folder = tmp_path_factory.mktemp("project")
    pages_count, warnings = stage(root, manifest.read(root), folder, "embedded")
    pages = [*folder.rglob("*.qmd"), *folder.glob("[bc]*/**/*.ipynb")]
    assert (pages_count, warnings) == (len(pages), [])
    return folder


def test_the_site_definition_is_the_one_of_the_study(project: Path) -> None:
    assert (project / "_quarto.yml").read_bytes() == (given.PROJECT / "_quarto.yml").read_bytes()


def test_paths_of_the_site_definition_exist_in_the_project(project: Path) -> None:
    settings = yaml.safe_load((project / "_quarto.yml").read_text(encoding="utf-8"))
    assert (project / settings["format"]["html"]["css"]).is_file()
    for item in settings["website"]["navbar"]["left"]:
        page = project / item["href"]
        stems = [page, page.with_suffix(".qmd"), page.with_suffix(".ipynb")]
        assert any(path.is_file() for path in stems), item["href"]


def test_pages_are_plain_markdown_with_a_title(project: Path) -> None:
    for path in project.rglob("*.qmd"):
        text = path.read_text(encoding="utf-8")
        assert render(text).header["title"], path
        assert "{%" not in text, path
        assert "{{" not in text, path


def test_notebooks_carry_the_texts_of_their_figures_for_either_engine(project: Path) -> None:
    notebook = json.loads(
        (project / "branches/chimie/01_emplois.ipynb").read_text(encoding="utf-8")
    )
    sources = ["".join(cell["source"]) for cell in notebook["cells"]]
    assert sources[0].startswith(
        '---\ntitle: "Emplois par métier"\nsubtitle: "Industries chimiques"'
    )
    assert any(
        f'#| fig-alt: "{given.ALT}"\n#| fig-cap: "{given.CAPTION}"' in one for one in sources
    )


def test_a_title_with_quotes_and_colons_stays_one_title(tmp_path: Path) -> None:
    root = given.edition(tmp_path / "root", given.FEW)
    title = 'Emplois : « "demain" »'
    given.run(root, "chimie", "01_emplois", given.figures_notebook(title))
    folder = tmp_path / "project"
    folder.mkdir()
    stage(root, manifest.read(root), folder, "embedded")
    notebook = json.loads((folder / "branches/chimie/01_emplois.ipynb").read_text(encoding="utf-8"))
    assert render("".join(notebook["cells"][0]["source"])).header["title"] == title


def test_warnings_of_libraries_are_told_and_not_published(tmp_path: Path) -> None:
    root = given.edition(tmp_path / "root", given.FEW)
    warned = given.code("f()", given.stream("stderr", "/home/marie/a.py:1: UserWarning"))
    notebook = given.figures_notebook()
    notebook.cells.append(warned)
    given.run(root, "chimie", "01_emplois", notebook)
    folder = tmp_path / "project"
    folder.mkdir()
    _, warnings = stage(root, manifest.read(root), folder, "embedded")
    assert warnings == ["chimie/01_emplois, cell 7: wrote on standard error; not published"]
    assert all("marie" not in path.read_text("utf-8") for path in folder.rglob("*.ipynb"))


def test_sources_of_cells_are_lists_of_lines(project: Path) -> None:
    for path in project.glob("[bc]*/**/*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            assert isinstance(cell["source"], list)
            assert all("\n" not in line.removesuffix("\n") for line in cell["source"])


def test_links_at_the_foot_start_from_the_root(project: Path) -> None:
    settings = yaml.safe_load((project / "_quarto.yml").read_text(encoding="utf-8"))
    for side in settings["website"]["page-footer"].values():
        for href in re.findall(r"\]\(([^)]*)\)", side):
            assert href.startswith("/")
            assert (project / href[1:]).is_file()
