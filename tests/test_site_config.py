from pathlib import Path

import pytest

from opmq_lib.site import config

ROOT = Path(__file__).parent.parent


def test_the_project_stays_inside_the_subset() -> None:
    settings, warnings = config.read(ROOT / "_quarto.yml")
    assert warnings == []
    assert settings["lang"] == "fr"
    assert settings["project.output-dir"] == "outputs/site"
    assert [link["text"] for link in settings["website.navbar.left"]][:2] == ["Accueil", "Branches"]


def test_a_key_outside_the_subset_is_named(tmp_path: Path) -> None:
    path = tmp_path / "_quarto.yml"
    path.write_text(
        "lang: fr\nwebsite:\n  title: A\n  navbar:\n    left:\n      - text: a\n        href: b\n"
        "        icon: c\n  sidebar:\n    style: docked\nexecute:\n  echo: true\n",
        encoding="utf-8",
    )
    _, warnings = config.read(path)
    assert [warning.partition(" is ")[0] for warning in warnings] == [
        "_quarto.yml, line 12, key `execute.echo`",
        "_quarto.yml, line 10, key `website.sidebar.style`",
        "_quarto.yml, line 8, key `website.navbar.left[0].icon`",
    ]


def test_an_empty_project_has_defaults(tmp_path: Path) -> None:
    path = tmp_path / "_quarto.yml"
    path.write_text("", encoding="utf-8")
    settings, warnings = config.read(path)
    assert warnings == []
    assert settings["project.render"] == ["*.qmd", "*.ipynb"]


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("index.qmd", True),
        ("branches/chimie/01_emplois.ipynb", True),
        ("telechargements/chimie/01_emplois/01_emplois.ipynb", False),
        ("theme/opmq.css", False),
    ],
)
def test_pages_are_those_that_the_project_selects(path: str, kept: bool) -> None:
    settings, _ = config.read(ROOT / "_quarto.yml")
    assert config.selected(path, settings["project.render"]) is kept
