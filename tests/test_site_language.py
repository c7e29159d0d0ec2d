"""Words of the machine, and sentences that were false, stay out of what readers are shown."""

import re
from pathlib import Path

import pytest

from opmq_lib import tables

LIBRARY = Path(tables.__file__).parent.parent
PAGES = [*LIBRARY.glob("questions/*/page.jinja"), *LIBRARY.glob("site/pages/*.*")]
MACHINE = re.compile(
    r"\bopmq [a-z]|parameters/|\.yml\b|Thêta|surprise retenue|dernière surprise|à commenter"
    r"|commerce, bureau|rien ne dit s|ni couverture ni manque n’est dit"
)
COMMENT = re.compile(r"\{##?.*?#?#\}", re.DOTALL)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_page_holds_no_word_of_the_machine(path: Path) -> None:
    text = COMMENT.sub("", path.read_text(encoding="utf-8"))
    assert MACHINE.findall(text.replace("\u00a0", " ")) == []


def test_names_of_columns_on_pages_hold_none_either() -> None:
    for path in LIBRARY.glob("questions/*/page.py"):
        titles = re.findall(r'"([^"\n]*)"', path.read_text(encoding="utf-8"))
        assert [title for title in titles if re.search("Thêta|surprise", title)] == []
