"""The search index of the embedded engine: what each section of each page is about.

It is published as a script that sets a global, because a page opened from a folder (`file://`)
may not fetch. Folding of accents and ligatures happens in the reader's browser (`opmq.js`).
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from opmq_lib.site import markup

INDEX = "theme/search-index.js"
GLOBAL = "opmqSearchIndex"
TEXT_LIMIT = 500
_SKIPPED = ("nav", "svg", "pre", "script", "style", "td", "footer")
_DRAFT = 'class="opmq-draft"'


@dataclass(frozen=True)
class Entry:
    """One section of one page.

    Attributes:
        href: Page and anchor, relative to the root of the site.
        page: Title of the page.
        section: Title of the section; empty for what stands before the first one.
        text: Its words, numbers of tables left out, cut at `TEXT_LIMIT` characters.
    """

    href: str
    page: str
    section: str
    text: str


def entries(href: str, page: str, body: str) -> list[Entry]:
    """Return what a reader may find on a page, one entry per titled section.

    Examples:
        >>> entries("a.html", "Page", '<p>Avant</p><h2 id="b">Titre</h2><p>Après</p>')
        ... # doctest: +NORMALIZE_WHITESPACE
        [Entry(href='a.html', page='Page', section='', text='Avant'),
         Entry(href='a.html#b', page='Page', section='Titre', text='Après')]
    """
    found: list[Entry] = []
    anchor, heading, words = "", "", list[str]()
    in_heading = False
    for token in _indexed(markup.tokens(body)):
        tag, closing = markup.name(token), token.startswith("</")
        if tag in ("h2", "h3") and not closing:
            found.append(_entry(href, anchor, page, heading, words))
            anchor, heading, words = markup.attributes(token).get("id", ""), "", []
            in_heading = True
        elif tag in ("h2", "h3"):
            in_heading = False
            heading, words = markup.text("".join(words)), []
        elif markup.is_text(token):
            words.append(token)
        elif tag and not in_heading:
            words.append(" ")
    found.append(_entry(href, anchor, page, heading, words))
    return [entry for entry in found if entry.text or entry.section]


def script(found: Iterable[Entry]) -> str:
    r"""Return the index as a script.

    Examples:
        >>> script([Entry("a.html#b", "Page", "Titre", "Mots")])
        'window.opmqSearchIndex=[["a.html#b","Page","Titre","Mots"]];\n'
    """
    rows = [[entry.href, entry.page, entry.section, entry.text] for entry in found]
    written = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    safe = written.replace("</", "<\\/")
    return f"window.{GLOBAL}={safe};\n"


def _indexed(tokens: Iterable[str]) -> Iterator[str]:
    """Yield tokens but those of parts that say nothing of their own: numbers, drafts, menus."""
    skipped, depth = "", 0
    for token in tokens:
        tag, closing = markup.name(token), token.startswith("</")
        if not depth and (tag in _SKIPPED or _DRAFT in token) and not closing:
            skipped = tag
        if tag and tag == skipped:
            depth += -1 if closing else 1
        elif not depth:
            yield token
        if not depth:
            skipped = ""


def _entry(href: str, anchor: str, page: str, section: str, words: list[str]) -> Entry:
    text = " ".join(markup.text("".join(words)).split(" "))
    return Entry(f"{href}#{anchor}" if anchor else href, page, section, _shortened(text))


def _shortened(text: str) -> str:
    if len(text) <= TEXT_LIMIT:
        return text
    return text[:TEXT_LIMIT].rpartition(" ")[0] + " …"
