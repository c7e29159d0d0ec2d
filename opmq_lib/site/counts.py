"""What a page holds, counted in what was staged and again in what an engine wrote.

An engine may lose half a page and end well. Headings, tables, captions, figures, links and words
are counted in the sources by reading them as lines, without any engine, and in the `<main>` of the
page; title and contents, which engines lay out their own way, are left out.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

from opmq_lib.errors import Defect
from opmq_lib.site import config, markdown, markup, outputs

_LAID_OUT = re.compile(
    r"<header id=\"title-block-header\".*?</header>|<details class=\"contents\">.*?</details>"
    r"|<span class=\"screen-reader-only\">.*?</span>",
    re.DOTALL,
)
_RAW = re.compile(r"^```\{=html\}\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A\s*---\n.*?\n---(?:\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"^#{1,6} ", re.MULTILINE)
_CALLOUT_TITLE = re.compile(r"^(:::+ *\{\.callout[^}]*\}\n+)#+ ", re.MULTILINE)
_PIPE_TABLE = re.compile(r"^\|?(?: *:?-{3,}:? *\|)+[ :|-]*$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_ATTRIBUTES = re.compile(r"\{(?:[#.]|=)[^}]*?(?: title=\"([^\"]*)\")?\}")
_COUNTED = re.compile(r"<(h[1-6]|table|caption|figcaption|img|a)\b")
_NOT_WORDS = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.DOTALL)
_SIGNS = bytes(range(256)).decode("cp1252", "replace")
_IN_WORDS = "".join("a" if each.isalpha() else " " for each in _SIGNS).encode()
"""Of Windows-1252, letters as `a`, all else as spaces: words are counted in one pass."""


class Counts(NamedTuple):
    """How many of each a page holds."""

    headings: int
    tables: int
    captions: int
    figures: int
    links: int
    words: int


def of_html(html: str) -> Counts:
    """Return what a piece of HTML holds.

    Examples:
        >>> of_html('<h2>Un titre</h2><table><caption>Deux</caption></table><a href="b">lien</a>')
        Counts(headings=1, tables=1, captions=1, figures=0, links=1, words=4)
    """
    tags = Counter(_COUNTED.findall(html))
    return Counts(
        sum(count for name, count in tags.items() if name[0] == "h"),
        tags["table"],
        tags["caption"] + tags["figcaption"],
        tags["img"],
        tags["a"],
        _words(unescape(_NOT_WORDS.sub(" ", html))),
    )


def _words(text: str) -> int:
    """Return how many words of two letters or more a text holds."""
    words = text.encode("cp1252", "replace").translate(_IN_WORDS).split()
    return len(words) - words.count(b"a")


def of_markdown(source: str) -> Counts:
    r"""Return what Markdown holds, raw HTML included.

    Examples:
        >>> of_markdown("---\ntitle: A\n---\n## Un titre {#ici}\n\n[Une page](b.qmd), **mise** là.")
        Counts(headings=1, tables=0, captions=0, figures=0, links=1, words=6)
    """
    text = _FRONT_MATTER.sub("", source)
    raw = of_html(" ".join(_RAW.findall(text)))
    text = _CALLOUT_TITLE.sub(r"\1", _RAW.sub("", text))
    words = _ATTRIBUTES.sub(r"\1", _LINK.sub(r"\1", text))
    inline = of_html(words)
    headings, tables, links = (len(each.findall(text)) for each in (_HEADING, _PIPE_TABLE, _LINK))
    return _sum(raw, inline, Counts(headings, tables, 0, 0, links, 0))


def of_cell(cell: Any) -> Counts:
    """Return what a cell of a staged notebook shows: its prose, or its outputs."""
    if cell.cell_type != "code":
        return of_markdown(cell.source) if cell.cell_type == "markdown" else _sum()
    caption = outputs.options_of(cell.source).get("fig-cap") or []
    captions = [each for each in ([caption] if isinstance(caption, str) else caption) if each]
    found = [_sum(*(Counts(0, 0, 1, 0, 0, of_markdown(each).words) for each in captions))]
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/svg+xml" in data or "image/png" in data:
            found.append(Counts(0, 0, 0, 1, 0, 0))
        elif "text/html" in data:
            found.append(of_html(data["text/html"]))
        elif "text/markdown" in data:
            found.append(of_markdown(data["text/markdown"]))
        else:
            text = output.get("text") or data.get("text/plain", "")
            found.append(Counts(0, 0, 0, 0, 0, _words(text)))
    return _sum(*found)


def staged(source: Path) -> Counts:
    """Return what a page's source holds.

    Args:
        source: A `.qmd` or `.ipynb` of a staged project.
    """
    text = source.read_text(encoding="utf-8")
    if source.suffix != ".ipynb":
        return of_markdown(text)
    notebook = outputs.staged(text)
    return _sum(*map(of_cell, notebook.cells))


def rendered(html: str) -> Counts:
    """Return what the `<main>` of a page holds, its title and contents left out."""
    return of_html(_LAID_OUT.sub("", markup.main(html)))


def lost(project: Path, pages: Mapping[str, str]) -> Iterator[Defect]:
    """Yield every page that does not hold what its source holds.

    Args:
        project: The staged project.
        pages: The pages that an engine made of it, by address.
    """
    settings, _ = config.read(project / "_quarto.yml")
    for source in config.files(project, settings):
        if not config.is_page(source, settings):
            continue
        page = markdown.address(source)
        if page not in pages:
            yield Defect(source, "no page was written", "a page", "look at the engine's log")
            continue
        expected, found = staged(project / source), rendered(pages[page])
        for name, asked, shown in zip(Counts._fields, expected, found, strict=True):
            if asked != shown:
                yield Defect(
                    page,
                    f"{name} of the page",
                    f"{asked}, as in {source}",
                    "the engine lost or broke a part of the page: look at it",
                    str(shown),
                )


def _sum(*parts: Counts) -> Counts:
    return Counts(*map(sum, zip(Counts(0, 0, 0, 0, 0, 0), *parts, strict=True)))
