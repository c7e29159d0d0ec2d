"""The search index, the same under both engines: what each section of each page is about.

It is published as a script that sets a global, because a page opened from a folder (`file://`)
may not fetch. Stems, synonyms and order are the reader's browser's (`theme/page.js`). A page that
is of something readers look for by name (a branch, a métier) says its other names and its number
of jobs in `<p class="opmq-sought" hidden data-names="…" data-jobs="…" data-others="…">`, which also
has words that lead to it where no name does; finished pages no longer hold it.
"""

import json
import re
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

from opmq_lib.site import markup

INDEX = "theme/search-index.js"
GLOBAL = "opmqSearchIndex"
UNAVAILABLE = 'id="page-non-disponible"'  # heading of a page that only says why it is empty
TEXT_LIMIT = 160
_BEGINNING = 4_000
NOT_SOUGHT = ("fichiers", "sources")
"""Sections that say the same on every page of a branch."""
BY_NAME = "metiers/"
"""Pages looked for by their names alone: the index holds what stands before their parts."""
_HEADING = re.compile(r"<h([23])(?:\s[^>]*?\bid=\"([^\"]*)\")?[^>]*>(.*?)</h\1>", re.DOTALL)
_SKIPPED = re.compile(
    r"<(nav|svg|pre|script|style|td|footer)\b.*?</\1\s*>|<div class=\"opmq-draft.*?</div>"
    r"|<header id=\"title-block-header\".*?</header>|<details class=\"contents\">.*?</details>",
    re.DOTALL,
)
_TITLES = re.compile(r"<(h1|p) class=\"(?:title|subtitle)\b[^\"]*\">(.*?)</\1>", re.DOTALL)


SOUGHT = re.compile(r"<p class=\"opmq-sought\"[^>]*></p>\n?")
"""What a page says for searches."""


class Section(NamedTuple):
    """One section of a page.

    Attributes:
        level: 2 or 3; 0 for what stands before the first heading.
        anchor: Identifier of its heading.
        title: Words of its heading.
        html: What it holds, numbers of tables, menus and draft notes left out.
    """

    level: int
    anchor: str
    title: str
    html: str

    @property
    def text(self) -> str:
        """Its words."""
        return markup.text(self.html, " ")


def headings(body: str) -> list[Section]:
    """Return the headings of a page that is not laid out, without what stands under them.

    Examples:
        >>> [each.title for each in headings('<p>Avant</p><h2 id="b">Titre</h2><p>Après</p>')]
        ['Titre']
    """
    found = _HEADING.findall(body)
    named = (Section(int(level), anchor, markup.text(title), "") for level, anchor, title in found)
    return [section for section in named if section.title]


def sections(body: str) -> list[Section]:
    """Return the sections of a page that have words or a title.

    Examples:
        >>> for section in sections('<p>Avant</p><h2 id="b">Titre</h2><p>Après</p>'):
        ...     print(*section[:3], section.text)
        0   Avant
        2 b Titre Après
    """
    before, *rest = _HEADING.split(_SKIPPED.sub(" ", body))
    parts = [("0", "", "", before), *zip(*(rest[n::4] for n in range(4)), strict=True)]
    found = [
        Section(int(level), anchor or "", markup.text(title), html)
        for level, anchor, title, html in parts
    ]
    return [section for section in found if section.title or section.text]


def rows(href: str, page: str) -> list[list[str]]:
    """Return what the index holds of a page: address, page, section, first words of each.

    What the page says of itself for searches, its names and its jobs, stands in its first row. A
    section without identifier leads to the last one before it.

    Args:
        href: Its address, from the root of the site.
        page: Its HTML.

    Examples:
        >>> rows("a.html", '<main><h1 class="title">Page</h1><h2 id="b">Titre</h2>Mots</main>')
        [['a.html', 'Page', '', 'Page'], ['a.html#b', 'Page', 'Titre', 'Mots']]
    """
    if UNAVAILABLE in page:
        return []
    main = markup.main(page)
    title = " – ".join(markup.text(words) for _, words in _TITLES.findall(main))
    named = [each for _, each in markup.tags("".join(SOUGHT.findall(main)))]
    if href.startswith(BY_NAME) and named:
        main, title = main[: main.find("<h2")], title.rpartition(" – ")[0]
    first, *others = found if (found := sections(main)) and not found[0].level else [_NO, *found]
    others = [each for each in others if each.anchor not in NOT_SOUGHT]
    anchors = accumulate((each.anchor for each in others), _own_or_last)
    said = [one[f"data-{each}"] for one in named[:1] for each in ("names", "jobs", "others")]
    return [
        [href, title, "", _shortened(first.html), *said],
        *(
            [f"{href}#{anchor}".rstrip("#"), title, each.title, _shortened(each.html)]
            for anchor, each in zip(anchors, others, strict=True)
        ),
    ]


def _own_or_last(last: str, own: str) -> str:
    return own or last


def script(index: Iterable[list[str]]) -> str:
    r"""Return the index as a script that cannot end early.

    Examples:
        >>> script([["a.html#b", "Page", "Titre", "</script>"]])
        'window.opmqSearchIndex=[["a.html#b","Page","Titre","<\\/script>"]];\n'
    """
    written = json.dumps([*index], ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return f"window.{GLOBAL}={written};\n"


_NO = Section(0, "", "", "")


def _shortened(html: str) -> str:
    """Return the first words of a piece of HTML, of which mostly the beginning is enough."""
    text = markup.text(html[:_BEGINNING].rpartition("<")[0], " ")
    if len(text) <= TEXT_LIMIT:
        text = markup.text(html, " ")
    return text if len(text) <= TEXT_LIMIT else f"{text[:TEXT_LIMIT].rpartition(' ')[0]} …"
