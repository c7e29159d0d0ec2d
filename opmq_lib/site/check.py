"""What a finished site must satisfy before it takes the place of the previous one.

Both engines' output is read as a browser would: everything a page loads lies in the site, every
link leads somewhere, every image has words, nothing tells where it was made.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from opmq_lib.errors import Defect
from opmq_lib.site import markup

HTML_LIMIT_BYTES = 100_000
FIRST_LOAD_LIMIT_BYTES = 300_000
TEXT_ENDINGS = (".html", ".css", ".js", ".json", ".svg", ".csv", ".ipynb", ".xml", ".txt")
_ELSEWHERE = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_SCHEME = re.compile(r"(?:mailto|tel|data|javascript|https?):", re.IGNORECASE)
_LOADING = ("src", "srcset", "poster", "data", "background")
_STYLE_LOADS = re.compile(r"(?:url\(|@import)\s*['\"]?\s*((?:https?:)?//[^'\")\s]+)", re.IGNORECASE)
_SCRIPT_LOADS = re.compile(
    r"(?:import\(|fetch\(|importScripts\(|\.src\s*=|\.open\([^,()]*,)\s*[`'\"](https?://[^`'\"]+)"
)
_FILE_LOADS = {
    ".css": _STYLE_LOADS,
    ".svg": _STYLE_LOADS,
    ".html": _STYLE_LOADS,
    ".js": _SCRIPT_LOADS,
}
_MACHINE_PATH = re.compile(
    r"(?<![\w./:%-])/(?:home|root|Users|tmp|var|opt|mnt|srv|work|private)/[\w.-]+"
    r"|(?<![\w/])[A-Z]:\\{1,2}(?:Users|Documents|Temp)\b|file:///"
)


@dataclass(frozen=True)
class Document:
    """One page as a browser sees it.

    Attributes:
        path: Relative to the root of the site.
        lang: Language it declares.
        titles: Number of first-level headings.
        anchors: Identifiers that links may lead to.
        links: Targets of its links.
        loads: What it loads, in order.
        lazy: Images that wait until they are near.
        mute: Images without text alternative.
        errors: Outputs of cells that ended in an error.
    """

    path: str
    lang: str
    titles: int
    anchors: frozenset[str]
    links: tuple[str, ...]
    loads: tuple[str, ...]
    lazy: frozenset[str]
    mute: tuple[str, ...]
    errors: int


def check(site: Path, forbidden: Sequence[str] = ()) -> tuple[list[Defect], list[str]]:
    """Return what makes a site unfit, and what is only heavier than wished.

    Args:
        site: Folder of the finished site.
        forbidden: Texts that no file may hold, such as the project's own path.
    """
    pages = {
        path.relative_to(site).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(site.rglob("*.html"))
    }
    documents = {name: document(name, html) for name, html in pages.items()}
    defects = [defect for page in documents.values() for defect in _page_defects(page)]
    for page in documents.values():
        defects += _link_defects(page, documents, site)
    for path in sorted(site.rglob("*")):
        if path.suffix in TEXT_ENDINGS:
            defects += _file_defects(path, site, forbidden)
    if "index.html" not in pages:
        defects.append(Defect(site.name, "no home page", "index.html", "look at the engine's log"))
    weights = [warning for page in documents.values() for warning in _weight(page, site)]
    return defects, weights


def document(path: str, html: str) -> Document:
    """Return what has to be known of a page.

    Examples:
        >>> page = document("a.html", '<html lang="fr"><h1 id="a">A</h1><img src="b.svg" alt="">')
        >>> page.lang, page.titles, page.loads, page.mute
        ('fr', 1, ('b.svg',), ('b.svg',))
    """
    tags = [
        (markup.name(token), markup.attributes(token))
        for token in markup.tokens(html)
        if markup.name(token) and not token.startswith("</")
    ]
    images = [attributes for tag, attributes in tags if tag == "img"]
    return Document(
        path=path,
        lang=next((attributes.get("lang", "") for tag, attributes in tags if tag == "html"), ""),
        titles=sum(tag == "h1" for tag, _ in tags),
        anchors=frozenset(
            attributes[key] for _, attributes in tags for key in ("id", "name") if key in attributes
        ),
        links=tuple(
            attributes["href"] for tag, attributes in tags if tag == "a" and "href" in attributes
        ),
        loads=tuple(_loads(tags)),
        lazy=frozenset(image.get("src", "") for image in images if image.get("loading") == "lazy"),
        mute=tuple(image.get("src", "") for image in images if not image.get("alt", "").strip()),
        errors=sum("cell-output-error" in attributes.get("class", "") for _, attributes in tags),
    )


def _loads(tags: Sequence[tuple[str, dict[str, str]]]) -> Iterator[str]:
    for tag, attributes in tags:
        if tag == "link" and "canonical" not in attributes.get("rel", ""):
            yield attributes.get("href", "")
        for key in _LOADING:
            if attributes.get(key):
                yield attributes[key].split()[0]


def _page_defects(page: Document) -> Iterator[Defect]:
    if page.lang != "fr":
        yield Defect(page.path, "language of the page", 'lang="fr"', "set `lang: fr`", page.lang)
    if page.titles != 1:
        fix = "start the other headings of the notebook with ## or deeper"
        yield Defect(page.path, "first-level headings", "one, the title", fix, str(page.titles))
    if page.errors:
        fix = "correct the notebook and run it again"
        yield Defect(page.path, "cells ended in an error", "none", fix, str(page.errors))
    for source in page.mute:
        what = "image without text alternative"
        yield Defect(page.path, what, "a French text", "describe the image", source[:80])
    for target in page.loads:
        if _ELSEWHERE.match(target):
            yield _loaded_from_elsewhere(page.path, target)


def _link_defects(page: Document, pages: dict[str, Document], site: Path) -> Iterator[Defect]:
    for target in dict.fromkeys([*page.links, *page.loads]):
        if _SCHEME.match(target) or _ELSEWHERE.match(target):
            continue
        address, _, anchor = unquote(target.partition("?")[0]).partition("#")
        path = _resolved(page.path, address) if address else page.path
        if path.startswith("..") or not (site / path).is_file():
            what, expected = "link to what is not in the site", "a file of the site"
            yield Defect(page.path, what, expected, "correct the link", target)
        elif anchor and path in pages and anchor not in pages[path].anchors:
            what, expected = "link to an anchor that is not there", f"an `id` of {path}"
            yield Defect(page.path, what, expected, "correct the link", target)


def _file_defects(path: Path, site: Path, forbidden: Sequence[str]) -> Iterator[Defect]:
    text = path.read_text(encoding="utf-8")
    where = path.relative_to(site).as_posix()
    for found in [words for words in forbidden if words in text] or _machine_paths(text):
        fix = "find which cell or parameter wrote it"
        yield Defect(where, "path of a machine", "paths relative to the project", fix, found)
    if path.suffix in _FILE_LOADS:
        for target in _FILE_LOADS[path.suffix].findall(text):
            yield _loaded_from_elsewhere(where, target)


def _loaded_from_elsewhere(where: str, target: str) -> Defect:
    return Defect(
        where,
        "loads something from elsewhere",
        "files of the site only",
        "publish a copy in the site, or leave it out",
        target,
    )


def _resolved(page: str, address: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), address))


def _machine_paths(text: str) -> list[str]:
    return sorted(set(_MACHINE_PATH.findall(text)))[:3]


def _weight(page: Document, site: Path) -> Iterator[str]:
    html = (site / page.path).stat().st_size
    first = {
        _resolved(page.path, load.partition("#")[0])
        for load in page.loads
        if load not in page.lazy and not _SCHEME.match(load)
    }
    total = html + sum((site / path).stat().st_size for path in first if (site / path).is_file())
    if html > HTML_LIMIT_BYTES:
        yield f"{page.path}: {html // 1000} kB of HTML, more than {HTML_LIMIT_BYTES // 1000}"
    if total > FIRST_LOAD_LIMIT_BYTES:
        yield f"{page.path}: {total // 1000} kB to open, more than {FIRST_LOAD_LIMIT_BYTES // 1000}"
