"""What every page gets, whichever engine made it.

French spacing on words, a scrolling region around every table, the engine's name at the foot, a
policy against anything loaded from elsewhere, and nothing left that would be; the script of the
pages and the index that its search reads.
"""

import re
from collections import Counter
from collections.abc import Mapping
from html import escape, unescape
from pathlib import Path

from opmq_lib.runs import folders
from opmq_lib.show import french
from opmq_lib.site import markup, search

SCRIPT = "theme/page.js"
_FLAGS = re.DOTALL | re.IGNORECASE
_LOADED_FROM_ELSEWHERE = re.compile(
    r"<script\b[^>]*\ssrc=[\"']?(?:https?:)?//.*?</script>"
    r"|<iframe\b[^>]*\ssrc=[\"']?(?:https?:)?//[^>]*>"
    r"|<link\b(?![^>]*\srel=[\"']?(?:canonical|alternate|license|author)\b)"
    r"[^>]*\shref=[\"']?(?:https?:)?//[^>]*>",
    _FLAGS,
)
_UNREAD = re.compile(r"/\*.*?\*/\s*|(?<=\n)\s+", re.DOTALL)
"""Of a style sheet, what browsers do not read."""
_UNREAD_SCRIPT = re.compile(r"^\s*//.*\n|/\*\*.*?\*/\s*|^[ \t]+", re.MULTILINE)
_NUMBER = ('<span class="n" data-cell=', "<span data-cell=")
"""A number as notebooks show it, and as pages do: there are sixty thousand of them."""
_FALLBACK = re.compile(r"var\((--opmq-\w+),#\w+\)")
"""A colour that the style sheet of the pages gives, with the one that stands for it elsewhere."""
_GRADE = re.compile(r'(<abbr class="opmq-grade" title="fiabilité [A-D])[^"]*"')
_SPACES = re.compile(
    r"<(?P<kept>pre|code|math|svg|textarea|script|style)\b.*?</(?P=kept)\s*>|<!--.*?-->"
    r"| [;!?:%»]|« |1(?<!\w.)9\d\d-(?:19|20)\d\d\b|2(?<!\w.)0\d\d-(?:19|20)\d\d\b",
    _FLAGS,
)
"""Each way begins with a letter of its own: a page is searched by first letters alone."""
_TABLE = re.compile(
    r"<(?:div class=\"(?P<kind>[^\"]*)\" tabindex=\"0\" role=\"region\""
    r" aria-label=\"(?P<label>[^\"]*)\"><)?(?P<table>table\b.*?</table>)",
    _FLAGS,
)
_CAPTION = re.compile(r"(<caption[^>]*>)(.*?)(</caption>)", _FLAGS)
POLICY = (
    "default-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "object-src 'none'; base-uri 'none'"
)


def finish(made: Mapping[str, str], site: Path, engine: str) -> dict[str, str]:
    """Return the pages of an engine finished, in the order of their addresses.

    Args:
        made: The pages by address.
        site: What the engine wrote beside them: its style sheets are finished in place.
        engine: Its name, for readers.
    """
    pages = {name: finished(html, engine) for name, html in sorted(made.items())}
    index = [row for name, html in pages.items() for row in search.rows(name, html)]
    folders.write(site / search.INDEX, search.script(index).encode())
    for path in (site / "theme").glob("*.css"):
        sheet = _UNREAD.sub("", path.read_text(encoding="utf-8"))
        path.write_text(sheet, encoding="utf-8", newline="\n")
    pages = {name: search.SOUGHT.sub("", html) for name, html in pages.items()}
    script = (Path(__file__).parent / SCRIPT).read_text(encoding="utf-8")
    folders.write(site / SCRIPT, _UNREAD_SCRIPT.sub("", script).encode())
    return pages


def finished(html: str, engine: str) -> str:
    r"""Return a page finished.

    Examples:
        >>> finished('<script src="https://example.org/a.js"></script><p>Oui !</p>', "essai")
        '<p>Oui\u202f!</p>'
        >>> finished('<a href="1982-2020.html">1982-2020</a>', "essai")
        '<a href="1982-2020.html">1982\u2060–\u20602020</a>'
    """
    names: Counter[str] = Counter()
    page = _TABLE.sub(lambda table: _in_region(table, names), _LOADED_FROM_ELSEWHERE.sub("", html))
    page = _SPACES.sub(_spaced, page).replace(*_NUMBER)
    page = _FALLBACK.sub(r"var(\1)", page)
    seen = Counter[str]()
    page = _GRADE.sub(lambda grade: _said_once(grade, seen), page)
    if "http-equiv" not in page:
        page = page.replace(
            "<head>", f'<head>\n<meta http-equiv="Content-Security-Policy" content="{POLICY}">', 1
        )
    stamp = f'<p class="opmq-stamp">Site produit par {escape(engine)}.</p>\n'
    before, footer, after = page.rpartition("</footer>")
    return f"{before}{stamp}{footer}{after}" if footer else page


def _spaced(found: re.Match[str]) -> str:
    """Return signs with their no-break space, years with their dash, unless in a tag."""
    page, at = found.string, found.start()
    is_word = page[at] != "<" and page.rfind("<", 0, at) <= page.rfind(">", 0, at)
    return french.typography(found[0]) if is_word else found[0]


def _said_once(grade: re.Match[str], seen: Counter[str]) -> str:
    """Return a letter with its meaning the first time, with its name after that."""
    seen[grade[1]] += 1
    return grade[0] if seen[grade[1]] == 1 else f'{grade[1]}"'


def _in_region(found: re.Match[str], names: Counter[str]) -> str:
    """Return a table in a region that a keyboard can scroll, of a name that no other one has.

    A table already in a region keeps it.
    """
    caption = _CAPTION.search(found["table"])
    name = unescape(found["label"] or "") or (markup.text(caption[2]) if caption else "Tableau")
    names[name] += 1
    unique = name if names[name] == 1 else f"{name} ({names[name]})"
    table = _CAPTION.sub(r'\1<span class="opmq-caption">\2</span>\3', found["table"])
    return (
        f'<div class="{found["kind"] or "opmq-scroll"}" tabindex="0" role="region"'
        f' aria-label="{escape(unique)}"><{table}{"" if found["kind"] else "</div>"}'
    )
