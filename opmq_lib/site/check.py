"""What a finished site must satisfy before it takes the place of the previous one.

Both engines' output is read as a browser would: everything a page loads lies in the site, every
link leads somewhere, every image has words, nothing tells where it was made.
"""

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from opmq_lib.errors import Defect
from opmq_lib.site import markup

FIRST_LOAD_LIMIT_BYTES = 200_000
TEXT_ENDINGS = (".html", ".css", ".js", ".json", ".svg", ".csv", ".ipynb", ".xml", ".txt")
_SCHEME = re.compile(r"(?:mailto|tel|data|javascript|https?):", re.IGNORECASE)
_STYLE_LOADS = re.compile(r"[uU@](?i:rl\(|import)\s*['\"]?\s*((?i:https?:)?//[^'\")\s]+)")
_SCRIPT_LOADS = re.compile(
    r"(?:import\(|fetch\(|importScripts\(|\.src\s*=|\.open\([^,()]*,)\s*[`'\"](https?://[^`'\"]+)"
)
_FILE_LOADS = {".js": _SCRIPT_LOADS} | dict.fromkeys((".css", ".svg", ".html"), _STYLE_LOADS)
_UNIX_ROOTS = ("home", "root", "Users", "tmp", "var", "opt", "mnt", "srv", "work", "private")
_MACHINE_PATH = re.compile(
    rf"(?<![\w./:%-])/(?:{'|'.join(_UNIX_ROOTS)})/[\w.-]+"
    r"|(?<![\w/])[A-Z]:\\{1,2}(?:Users|Documents|Temp)\b|file:///"
)
_ROOT = re.compile(rf"/(?:{'|'.join(_UNIX_ROOTS)})/")  # quick to look for

_NO_NUMBER = ("NaN", "NaT", "&lt;NA&gt;")
_HOLE = re.compile(r">[^<>]*\b(NaN|NaT)\b|>(&lt;NA&gt;)<")
"""What a program writes where a number is missing."""

Tags = Sequence[tuple[str, dict[str, str]]]


def check(
    site: Path, forbidden: Sequence[str] = (), known: tuple[str, ...] = ()
) -> tuple[list[Defect], list[str]]:
    """Return what makes a site unfit, and what is only heavier than wished.

    Args:
        site: Folder of the finished site.
        forbidden: Texts that no file may hold, such as the project's own path.
        known: Folders that were checked when they were made: links lead there.
    """
    defects, weights = list[Defect](), list[str]()
    anchors, targets = dict[str, set[str]](), dict[str, list[str]]()
    for path in sorted(path for path in site.rglob("*") if path.suffix in TEXT_ENDINGS):
        name = path.relative_to(site).as_posix()
        if name.startswith(known):
            continue
        text = path.read_text(encoding="utf-8")
        defects += _file_defects(name, text, forbidden)
        if path.suffix == ".html":
            tags = list(markup.tags(text, markup.TELLING))
            loads = list(_loads(tags))
            defects += _page_defects(name, tags, loads)
            if any(sign in text for sign in _NO_NUMBER) and (hole := _HOLE.search(text)):
                what, expected = "a number is missing and nothing says why", "s, nd, np or nv"
                fix = "show the table with `opmq_lib.show.frame`"
                defects.append(Defect(name, what, expected, fix, hole[1] or "<NA>"))
            fix = "close the tag, or write `&lt;`"
            defects += [
                Defect(name, "a tag that never closes", "whole tags", fix, f"<{tag}")
                for tag in markup.unclosed(text)
            ]
            weights += _weight(path, site, set(loads) - _lazy(tags))
            anchors[name] = {each[key] for _, each in tags for key in ("id", "name") if key in each}
            targets[name] = [each["href"] for tag, each in tags if tag == "a" and "href" in each]
            targets[name] += loads
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    for name, found in targets.items():
        defects += _link_defects(name, found, anchors, files)
    if "index.html" not in targets:
        defects.append(Defect(site.name, "no home page", "index.html", "look at the engine's log"))
    return defects, weights


def _loads(tags: Tags) -> Iterator[str]:
    """Yield what a page loads, in order."""
    for tag, attributes in tags:
        if tag == "link" and "canonical" not in attributes.get("rel", ""):
            yield attributes.get("href", "")
        for key in markup.LOADING:
            yield from attributes.get(key, "").split()[:1]


def _lazy(tags: Tags) -> set[str]:
    """Return the images of a page that wait until they are near."""
    return {each.get("src", "") for _, each in tags if each.get("loading") == "lazy"}


def _page_defects(page: str, tags: Tags, loads: Sequence[str]) -> Iterator[Defect]:
    lang = next((each.get("lang", "") for tag, each in tags if tag == "html"), "")
    if lang != "fr":
        yield Defect(page, "language of the page", 'lang="fr"', "set `lang: fr`", lang)
    titles = sum(tag == "h1" for tag, _ in tags)
    if titles != 1:
        fix = "start the other headings of the notebook with ## or deeper"
        yield Defect(page, "first-level headings", "one, the title", fix, str(titles))
    errors = sum("cell-output-error" in each.get("class", "") for _, each in tags)
    if errors:
        fix = "correct the notebook and run it again"
        yield Defect(page, "cells ended in an error", "none", fix, str(errors))
    for tag, each in tags:
        if tag == "img" and not each.get("alt", "").strip():
            what, source = "image without text alternative", each.get("src", "")[:80]
            yield Defect(page, what, "a French text", "describe the image", source)
    yield from (_loaded(page, load) for load in loads if markup.ELSEWHERE.match(load))


def _link_defects(
    page: str,
    targets: Sequence[str],
    anchors: Mapping[str, Collection[str]],
    files: Collection[str],
) -> Iterator[Defect]:
    for target in dict.fromkeys(targets):
        if _SCHEME.match(target) or markup.ELSEWHERE.match(target):
            continue
        address, _, anchor = unquote(target.partition("?")[0]).partition("#")
        path = _resolved(page, address) if address else page
        if path not in files:
            what, expected = "link to what is not in the site", "a file of the site"
            yield Defect(page, what, expected, "correct the link", target)
        elif anchor and path in anchors and anchor not in anchors[path]:
            what, expected = "link to an anchor that is not there", f"an `id` of {path}"
            yield Defect(page, what, expected, "correct the link", target)


def _file_defects(name: str, text: str, forbidden: Sequence[str]) -> Iterator[Defect]:
    yield from machine_paths(name, text, forbidden)
    pattern = _FILE_LOADS.get(posixpath.splitext(name)[1])
    yield from (_loaded(name, target) for target in (pattern.findall(text) if pattern else ()))


def machine_paths(name: str, text: str, forbidden: Sequence[str] = ()) -> Iterator[Defect]:
    """Yield the paths of a machine that a text holds, three at most.

    Args:
        name: Where the text stands.
        text: The text.
        forbidden: Texts that are paths too, such as the project's own.
    """
    paths = [words for words in forbidden if words in text]
    if not paths and (_ROOT.search(text) or ":\\" in text or "file:///" in text):
        paths = sorted(set(_MACHINE_PATH.findall(text)))[:3]
    for path in paths:
        fix = "find which cell or parameter wrote it"
        yield Defect(name, "path of a machine", "paths relative to the project", fix, path)


def _loaded(where: str, target: str) -> Defect:
    return Defect(
        where,
        "loads something from elsewhere",
        "files of the site only",
        "publish a copy in the site, or leave it out",
        target,
    )


def _resolved(page: str, address: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), address))


def _weight(page: Path, site: Path, loads: Collection[str]) -> Iterator[str]:
    name = page.relative_to(site).as_posix()
    inside = (load.partition("#")[0] for load in loads if not _SCHEME.match(load))
    files = {site / _resolved(name, load) for load in inside}
    total = sum(path.stat().st_size for path in {page, *files} if path.is_file())
    if total > FIRST_LOAD_LIMIT_BYTES:
        yield f"{name}: {total // 1000} kB to open, more than {FIRST_LOAD_LIMIT_BYTES // 1000}"
