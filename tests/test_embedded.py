import json
from pathlib import Path

import pytest
import site_edition as given

from opmq_lib.site import embedded

SETTINGS = """\
project: {type: website, output-dir: out, resources: ["files/**"]}
lang: fr
website:
  title: Observatoire
  navbar:
    left:
      - {text: Accueil, href: index.qmd}
      - {text: Suite, href: b/suite.ipynb}
  page-footer: {left: "[Accueil](/index.qmd)"}
execute: {echo: false}
format: {html: {css: a.css, toc: true}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "b").mkdir()
    (tmp_path / "files").mkdir()
    for name, text in {
        "_quarto.yml": SETTINGS,
        "a.css": "p {}",
        "files/t.csv": "a",
        "files/n.txt": "n",
        "index.qmd": "---\ntitle: Accueil & suite\nsubtitle: Édition\n---\n\n## Un\n\n## Deux\n\n"
        "[suite](b/suite.ipynb#un) [table](files/t.csv)\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    notebook = given.as_json(given.figures_notebook())
    notebook["cells"].insert(
        0, {"cell_type": "raw", "metadata": {}, "source": "---\ntitle: S\n---\n"}
    )
    (tmp_path / "b/suite.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return tmp_path


def built(project: Path, page: str) -> str:
    return embedded.build(project)[0][page]


def test_pages_notebooks_and_resources_are_published(project: Path) -> None:
    pages, outside = embedded.build(project)
    assert outside == []
    out = project / "out"
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    names |= pages.keys()
    figure = next(name for name in names if name.startswith("figures/"))
    assert names == {
        "a.css",
        "b/suite.html",
        "files/n.txt",
        "files/t.csv",
        figure,
        "index.html",
        "theme/page.css",
    }


def test_links_to_sources_lead_to_their_pages(project: Path) -> None:
    home = built(project, "index.html")
    assert '<a href="b/suite.html#un">' in home
    assert '<a href="files/t.csv">' in home


def test_navigation_and_footer_are_relative_to_the_page(project: Path) -> None:
    page = built(project, "b/suite.html")
    assert '<a href="../index.html">Accueil</a>' in page
    assert '<a href="../b/suite.html" aria-current="page">Suite</a>' in page
    assert 'href="../a.css"' in page
    assert page.count('<a href="../index.html">Accueil</a>') == 2


def test_title_and_contents_come_from_the_page(project: Path) -> None:
    home = built(project, "index.html")
    assert "<title>Accueil &amp; suite – Observatoire</title>" in home
    assert '<h1 class="title">Accueil &amp; suite</h1>' in home
    assert '<li class="level-2"><a href="#deux">Deux</a></li>' in home


def test_contents_of_a_single_section_are_left_out(project: Path) -> None:
    (project / "index.qmd").write_text("---\ntitle: A\n---\n\n## Un\n", encoding="utf-8")
    assert 'class="contents"' not in built(project, "index.html")


def test_everything_outside_the_subset_gives_one_warning_that_names_it(project: Path) -> None:
    (project / "index.qmd").write_text(
        "---\ntitle: A\nlisting: b\n---\n\nSoit $x$.\n", encoding="utf-8"
    )
    assert embedded.build(project)[1] == [
        "index.qmd, line 6: $x$ is outside what the embedded engine reads",
        "index.qmd, front matter: `listing` is outside what the embedded engine reads",
    ]


def test_pages_hold_no_script_of_their_own_and_a_policy(project: Path) -> None:
    page = built(project, "b/suite.html")
    assert page.count("<script") == 1
    assert '<script src="../theme/page.js" defer></script>' in page
    assert "default-src 'self'" in page
