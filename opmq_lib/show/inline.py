"""A drawing of matplotlib as a page holds it: real text, the page's font and colours, few bytes."""

import re
from collections.abc import Mapping
from html import escape
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
)


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
        names = "|".join(map(re.escape, sorted(used)))
        page = re.sub(rf'(id="|#)({names})(?=[")])', rf"\g<1>{prefix}-\g<2>", page)
    for pattern, shorter in _SHORTER:
        page = re.sub(pattern, shorter, page)
    return re.sub(r"#[0-9a-f]{6}(?![\w-])", lambda found: _in_page(found[0]), page)


def _in_page(colour: str) -> str:
    return f"var(--opmq-{COLOURS[colour]},{colour})" if colour in COLOURS else colour
