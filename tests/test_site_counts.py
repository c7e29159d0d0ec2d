"""What an engine loses: pages of a real Quarto, whole and ruined, and faults planted in ours."""

import re
from pathlib import Path

import pytest

from opmq_lib.site import counts, quarto
from opmq_lib.site.finish import finished

QUARTO = Path(__file__).parent.parent.parent / "shared" / "data" / "quarto"
PAGES = (
    "index",
    "branches/index",
    "branches/chimie/index",
    "branches/chimie/00_rapport",
    "branches/chimie/01_emplois",
)
needs_pages = pytest.mark.skipif(
    not QUARTO.is_dir(), reason="the pages of a real Quarto are not beside the project"
)


def both(folder: str, page: str) -> tuple[counts.Counts, counts.Counts]:
    sources = (QUARTO / folder / "staged" / f"{page}.{ending}" for ending in ("qmd", "ipynb"))
    source = next(path for path in sources if path.is_file())
    html = (QUARTO / folder / "rendered" / f"{page}.html").read_text(encoding="utf-8")
    return counts.staged(source), counts.rendered(finished(quarto.completed(html, ""), "Quarto"))


@needs_pages
@pytest.mark.parametrize("page", PAGES)
def test_a_real_quarto_keeps_everything_of_sources_that_are_lists_of_lines(page: str) -> None:
    staged, rendered = both("good", page)
    assert staged == rendered
    assert staged.words > 100


@needs_pages
@pytest.mark.parametrize("page", PAGES[3:])
def test_a_page_that_a_real_quarto_ruined_is_seen(page: str) -> None:
    staged, rendered = both("lines_lost", page)
    assert rendered.tables == staged.tables - 2
    assert rendered.headings < staged.headings
    assert rendered.words > staged.words  # a banner shown as code


@needs_pages
def test_a_page_of_a_real_quarto_gets_what_it_lacks() -> None:
    path = QUARTO / "good/rendered/branches/chimie/01_emplois.html"
    page = finished(quarto.completed(path.read_text(encoding="utf-8"), "../../"), "Quarto")
    assert "define('jquery'" not in page
    assert re.search(r'<body[^>]*><a class="skip-link" href="#quarto-document-content">', page)
    assert 'data-root="../../"' in page
    assert '<script src="../../theme/page.js" defer>' in page
    landmarks = re.findall(r"<nav\b[^>]*>", page)
    names = [re.search(r'aria-label="([^"]*)"', tag) for tag in landmarks]
    assert all(names)
    assert len({name[1] for name in names if name}) == len(landmarks) == 4


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("| a | b |\n|---|:-:|\n| un | deux |", counts.Counts(0, 1, 0, 0, 0, 2)),
        ('::: {.callout-note title="De quand ?"}\nHier.\n:::', counts.Counts(0, 0, 0, 0, 0, 3)),
        ("```{=html}\n<h2>Un</h2>\n<img alt='a'>\n```\nDeux.", counts.Counts(1, 0, 0, 1, 0, 2)),
    ],
)
def test_markdown_is_counted_as_it_will_be_shown(source: str, expected: counts.Counts) -> None:
    assert counts.of_markdown(source) == expected
