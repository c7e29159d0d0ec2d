"""Names of métiers that lead to their pages.

A name is a métier's where it stands alone (the line of a table, a card, a list) or between French
quotation marks; a piece may also mark it with `data-metier`. Families of FAP-2021 may bear the same
name: cells beside the name of a line, and tables about FAP-2021, are left alone.
"""

import re
from collections.abc import Collection, Mapping
from html import escape, unescape
from itertools import groupby
from operator import gt

_MARKED = re.compile(r'<span data-metier="(\w+)">(.*?)</span>', re.DOTALL)
_CLOSED = r'<(a|svg|summary)\b.*?</\1>|<div class="opmq-drawing".*?(?=</?fig)'
"""What holds no link of its own: links, buttons, drawings (one picture to who hears them)."""
_BEFORE = (">", "«", ">.", "\u00a0:")
_NEW = "FAP-2021"


def pattern(names: Collection[str]) -> re.Pattern[str]:
    """Return what finds links, drawings and buttons whole, and names that stand alone elsewhere."""
    escaped = sorted({escape(name, quote=False) for name in names}, reverse=True)
    letters = groupby(escaped, key=lambda name: name[0])
    parts = (
        rf"{re.escape(letter)}(?:{'|'.join(re.escape(name[1:]) for name in group)})"
        r"(?=\s*[<»]|\u00a0: )"
        for letter, group in letters
    )
    return re.compile("|".join([_CLOSED, *parts]), re.DOTALL)


def linked(html: str, up: str, codes: Mapping[str, str], found: re.Pattern[str], here: str) -> str:
    """Return a page whose names of métiers lead to their pages.

    Args:
        html: The page.
        up: From the page to the root of the site, such as `../`.
        codes: Code of each name that has a page.
        found: From `pattern`.
        here: Code of the métier that the page is about, or nothing.

    Examples:
        >>> codes = {"Soudeurs": "D2Z42"}
        >>> marked = '<summary><span data-metier="D2Z42">Soudeurs</span></summary>'
        >>> linked(marked, "", codes, pattern(codes), "")
        '<summary>Soudeurs</summary>'
        >>> drawn = '<figure><div class="opmq-drawing"><p>Soudeurs</p></div></figure>'
        >>> linked(drawn, "", codes, pattern(codes), "") == drawn
        True
        >>> page = '<img alt="« Soudeurs »"><p>Soudeurs</p><td>Soudeurs</td>'
        >>> linked(page, "", codes, pattern(codes), "")
        '<img alt="« Soudeurs »"><p><a href="metiers/D2Z42.html">Soudeurs</a></p><td>Soudeurs</td>'
    """
    known = {*codes.values()} - {here}

    def link(code: str, words: str) -> str:
        return f'<a href="{up}metiers/{code}.html">{words}</a>' if code in known else words

    def replaced(match: re.Match[str]) -> str:
        is_name = match[0][0] != "<" and _is_name(match.string, match.start())
        return link(codes[unescape(match[0])], match[0]) if is_name else match[0]

    def marked(match: re.Match[str]) -> str:
        ends = (html.rfind(tag, 0, match.start()) for tag in ("<summary", "</summary"))
        is_button = gt(*ends)  # a button holds no link
        return match[2] if is_button else link(match[1], match[2])

    page = _MARKED.sub(marked, html)
    return found.sub(replaced, page)


def _is_name(html: str, at: int) -> bool:
    """Return whether a text begins there, outside cells and tables about FAP-2021."""
    if not html[max(0, at - 3) : at].rstrip().endswith(_BEFORE):
        return False
    tag, end = html.rfind("<", 0, at), html.rfind(">", 0, at)
    if tag > end or html.startswith("<td", tag):
        return False
    table = html.rfind("<table", 0, at)
    if table < html.rfind("</table>", 0, at) or table < 0:
        return True
    return _NEW not in html[table : html.find("</caption>", table)]


def linked_pages(pages: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, str]:
    """Return all pages of a site, the names of métiers linked that have a page among them.

    Args:
        pages: HTML by address.
        labels: French name of each métier.
    """
    own = {_metier(name) for name in pages} & labels.keys()
    codes = {labels[code]: code for code in sorted(own)}
    if not codes:
        return dict(pages)
    found = pattern(codes)
    return {
        name: linked(html, "../" * name.count("/"), codes, found, _metier(name))
        for name, html in pages.items()
    }


def _metier(name: str) -> str:
    folder, _, page = name.rpartition("/")
    return page.removesuffix(".html") if folder == "metiers" else ""
