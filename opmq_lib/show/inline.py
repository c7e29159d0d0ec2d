"""A drawing of matplotlib as a page holds it: real text, the page's font and colours, few bytes."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any, Final

from opmq_lib.show import pieces
from opmq_lib.show.pieces import Html

TITLE: Final = "opmq-title"
"""Name of the title in a drawing: a page has it as text."""
INK, MUTED, ACCENT, SOFT, RULE = "#1d2733", "#5b6673", "#0b5c8a", "#a9cbe0", "#c4ccd4"
COLOURS: Final = {
    INK: "ink",
    MUTED: "muted",
    ACCENT: "accent",
    SOFT: "mid",
    RULE: "line",
    "#dfe5ea": "line",
}
"""Names of the page's own colours for those of a drawing."""
_BACK = re.compile(r'<g id="patch_\d+">\s*<path [^>]*style="fill: #ffffff"/>\s*</g>')
_TITLE = re.compile(rf'<g id="{TITLE}">.*?</g>', re.DOTALL)
_AROUND = re.compile(
    r"\A.*?(?=<svg)|<metadata>.*?</metadata>|<defs>\s*<style.*?</defs>|\s+\Z", re.DOTALL
)
_HEAD = re.compile(r'<svg [^>]*viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>')
_SHORTER: Final = (
    (r"font-family: [^;\"]*;? ?", ""),
    (r' transform="rotate\(-?0 [^)]*\)"', ""),
    (r"(\d+\.\d)\d+", r"\1"),
    (r"\s*\n\s*", " "),
    (r"([:;]) (?=[^\"<>]*\"[ />])", r"\1"),
    (r"> <", "><"),
    (r"(\d)\.0\b", r"\1"),
    (r" ?\b([MLCQHVz])\b ?(?=[^<>]*\"[ />])", r"\1"),
    (r"M([-\d.]+) ([-\d.]+)L([-\d.]+) \2L\3 ([-\d.]+)L\1 \4L\1 \2(?=[z\"])", r"M\1 \2H\3V\4H\1"),
    (r"<g/>|<g></g>", ""),
)
_BARE = re.compile(r"<g>((?:(?!</?g\b).)*+)</g>", re.DOTALL)
_RUN = re.compile(r"(?:<(?:path|text)\b[^>]*(?:/>|>[^<]*</text>)){2,}")
_ELEMENT = re.compile(r"<(?:path|text)\b[^>]*(?:/>|>[^<]*</text>)")
_CLIP = re.compile(r' clip-path="[^"]*"')
_STYLE = re.compile(r' style="(fill:[^;"]*)?;?([^"]*)"')


def figure(drawing: str, words: Mapping[str, Any], prefix: str) -> Html:
    """Return a drawing with its words, as HTML.

    Args:
        drawing: SVG of a `Drawing`.
        words: What its output says in a notebook: `title`, `caption`, `said` (what is drawn, item
            by item), `top` (height of the title, in points).
        prefix: What makes identifiers unique in the page.
    """
    items = "".join(f"<li>{escape(each, quote=False)}</li>" for each in words["said"])
    numbers = Html(f'<ul class="opmq-said">{items}</ul>')
    title, caption = (escape(words[name], quote=False) for name in ("title", "caption"))
    drawn = [inlined(drawing, words["top"], prefix)]
    return pieces.figure((title, "", caption), drawn, words["title"], numbers)


def inlined(drawing: str, top: float, prefix: str) -> str:
    """Return a drawing without its title, in the page's font and colours.

    Args:
        drawing: SVG of a `Drawing`.
        top: Height of its title, in points.
        prefix: What makes its identifiers unique in the page.

    Examples:
        >>> inlined('<svg viewBox="0 0 295 134"><path style="fill: #0b5c8a"/></svg>', 34, "f1")
        '<svg viewBox="0 34 295 100"><path style="fill:var(--opmq-accent,#0b5c8a)"/></svg>'
    """
    page = _TITLE.sub("", _AROUND.sub("", drawing))
    page = _BACK.sub("", page)
    head = _HEAD.match(page)
    if head is None:
        return drawing
    width, height = (float(each) for each in head.groups())
    page = f'<svg viewBox="0 {top:g} {width:g} {height - top:g}">{page[head.end() :]}'
    used = set(re.findall(r"(?:url\(|xlink:href=\")#([^)\"]+)", page))
    page = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", page)
    if used:
        names = {name: f"{prefix}-{place}" for place, name in enumerate(sorted(used))}
        found = "|".join(map(re.escape, names))
        page = re.sub(rf'(id="|#)({found})(?=[")])', lambda name: name[1] + names[name[2]], page)
    for pattern, shorter in _SHORTER:
        page = re.sub(pattern, shorter, page)
    while (inside := _BARE.sub(r"\1", page)) != page:
        page = inside
    page = _RUN.sub(_grouped, page)
    return re.sub(r"#[0-9a-f]{6}(?![\w-])", lambda found: _in_page(found[0]), page)


def _grouped(run: re.Match[str]) -> str:
    """Return elements that follow each other with what they share said once."""
    return "".join(
        _said_once(shared, [*elements])
        for shared, elements in groupby(_ELEMENT.findall(run[0]), _shared)
    )


def _shared(element: str) -> tuple[str, str]:
    """Return what an element may share with the next: its clip and its style, but its filling."""
    clip, style = _CLIP.search(element), _STYLE.search(element)
    if clip and "transform" in element:  # it is clipped where it was, not where it goes
        return element, ""
    return clip[0] if clip else "", style[2] if style else ""


def _said_once(shared: tuple[str, str], elements: Sequence[str]) -> str:
    clip, style = shared
    if len(elements) < 2 or clip.startswith("<") or not (clip or style):
        return "".join(elements)
    fills = [found[1] or "" if (found := _STYLE.search(each)) else "" for each in elements]
    most = Counter(fills).most_common(1)[0][0] if all(fills) else ""

    def alone(fill: str, element: str) -> str:
        own = f' style="{fill}"' if fill != most else ""
        return _STYLE.sub(own, _CLIP.sub("", element))

    all_say = ";".join(filter(None, [most, style]))
    inside = "".join(map(alone, fills, elements))
    return f'<g{clip} style="{all_say}">{inside}</g>' if all_say else f"<g{clip}>{inside}</g>"


def _in_page(colour: str) -> str:
    return f"var(--opmq-{COLOURS[colour]},{colour})" if colour in COLOURS else colour
