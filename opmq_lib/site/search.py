"""The search index of the embedded engine: what each section of each page is about.

It is published as a script that sets a global, because a page opened from a folder (`file://`)
may not fetch. Folding of accents and ligatures happens in the reader's browser (`page.js`).
"""

import json
import re
from collections.abc import Iterable
from typing import NamedTuple

from opmq_lib.site import markup

INDEX = "theme/search-index.js"
GLOBAL = "opmqSearchIndex"
TEXT_LIMIT = 500
_HEADING = re.compile(r"<h([23])(?:\s[^>]*?\bid=\"([^\"]*)\")?[^>]*>(.*?)</h\1>", re.DOTALL)
_SKIPPED = re.compile(
    r"<(nav|svg|pre|script|style|td|footer)\b.*?</\1\s*>|<div class=\"opmq-draft.*?</div>",
    re.DOTALL,
)


class Section(NamedTuple):
    """One section of a page.

    Attributes:
        level: 2 or 3; 0 for what stands before the first heading.
        anchor: Identifier of its heading.
        title: Words of its heading.
        text: Its words, numbers of tables, menus and draft notes left out.
    """

    level: int
    anchor: str
    title: str
    text: str


def sections(body: str) -> list[Section]:
    """Return the sections of a page that have words or a title.

    Examples:
        >>> for section in sections('<p>Avant</p><h2 id="b">Titre</h2><p>Après</p>'):
        ...     print(section)
        Section(level=0, anchor='', title='', text='Avant')
        Section(level=2, anchor='b', title='Titre', text='Après')
    """
    before, *rest = _HEADING.split(_SKIPPED.sub(" ", body))
    parts = [("0", "", "", before), *zip(*(rest[n::4] for n in range(4)), strict=True)]
    found = [
        Section(int(level), anchor or "", markup.text(title), markup.text(words, " "))
        for level, anchor, title, words in parts
    ]
    return [section for section in found if section.title or section.text]


def rows(href: str, page: str, found: Iterable[Section]) -> list[list[str]]:
    """Return what the index holds of a page: address, page, section, first words of each.

    Examples:
        >>> rows("a.html", "Page", [Section(2, "b", "Titre", "Mots")])
        [['a.html#b', 'Page', 'Titre', 'Mots']]
    """
    return [
        [f"{href}#{each.anchor}".rstrip("#"), page, each.title, _shortened(each.text)]
        for each in found
    ]


def script(index: list[list[str]]) -> str:
    r"""Return the index as a script that cannot end early.

    Examples:
        >>> script([["a.html#b", "Page", "Titre", "</script>"]])
        'window.opmqSearchIndex=[["a.html#b","Page","Titre","<\\/script>"]];\n'
    """
    written = json.dumps(index, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return f"window.{GLOBAL}={written};\n"


def _shortened(text: str) -> str:
    return text if len(text) <= TEXT_LIMIT else f"{text[:TEXT_LIMIT].rpartition(' ')[0]} …"
