"""The pages of `docs/`: the commands that they show exist, with these options."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from opmq_lib import cli

ROOT = Path(__file__).parent.parent
PAGES = sorted({*ROOT.glob("docs/*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"})
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[list[str]]:
    """Return the words of each `opmq …` of a page's shell blocks, comments left out."""
    lines = "\n".join(BLOCK.findall(page.read_text(encoding="utf-8"))).splitlines()
    typed = [part for line in lines for part in line.partition("#")[0].split("&&")]
    return [words[1:] for part in typed if (words := shlex.split(part))[:1] == ["opmq"]]


SHOWN = [(page.name, words) for page in PAGES for words in commands(page)]


@pytest.mark.parametrize(("page", "words"), SHOWN, ids=[f"{p} {' '.join(w)}" for p, w in SHOWN])
def test_a_command_of_a_page_is_one_with_these_options(page: str, words: list[str]) -> None:
    command = typer.main.get_command(cli.app)
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    command.make_context(page, list(words))


def test_every_user_has_a_page_that_the_readme_names() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = sorted(path.name for path in ROOT.glob("docs/*.md"))
    assert [name for name in pages if f"docs/{name}" not in readme] == []
    assert len(pages) >= 8
    assert len(readme.splitlines()) <= 150
    assert len(SHOWN) > 25
