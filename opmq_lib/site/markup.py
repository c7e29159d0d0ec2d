"""HTML as tags and words: what finishing, checking and searching a page need, no more."""

import re
from collections.abc import Iterator
from html import unescape

_INSIDE = (
    r"(?P<inside>[^<>\"']*(?:(?:\"[^\"]*\"|'[^']*')[^<>\"']*)*)>(?(raw).*?</(?i:(?P=raw))\s*>)"
)
MARKUP = re.compile(
    r"<(?:/[a-zA-Z][^>]*>|!--.*?-->"
    rf"|(?P<name>(?P<raw>(?i:script|style))\b|[a-zA-Z][\w:-]*){_INSIDE}"
    r"|[!?][^>]*>)",
    re.DOTALL,
)
"""What is not words: a tag, a comment, a script or a style sheet with its content."""

TELLING = re.compile(
    r"<!--.*?-->"
    r"|<(?!/|span data-cell=\"[^\"]*\">|t[dhr](?: class=\"[^\"]*\")?>)"
    r"(?P<name>(?P<raw>script|style)\b|(?:html|h1|a|img|link)\b"
    r"|(?=[^<>]*?\s(?:id|name|src|srcset|poster|data|background)[\s=]|[^<>]*cell-output-error)"
    rf"[a-z][\w:-]*){_INSIDE}",
    re.DOTALL | re.IGNORECASE,
)
"""Of `MARKUP`, what says what a page links, loads and names: one tag in ten.

What cells and numbers begin with is passed over first: most tags do."""

LOADING = ("src", "srcset", "poster", "data", "background")
ELSEWHERE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"(?P<key>[^\s\"'<>/=]+)"
    r"(?:\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s\"'<>`]+)))?"
)


def tags(html: str, found: re.Pattern[str] = MARKUP) -> Iterator[tuple[str, dict[str, str]]]:
    r"""Yield opening tags: their name and attributes, in lower case, values unescaped.

    Args:
        html: A page or a piece of one.
        found: Which tags; all of them if not given.

    Examples:
        >>> list(tags("<p><IMG src='a.svg' alt=\"L&amp;E > 1\" hidden></p><!-- <b> -->"))
        [('p', {}), ('img', {'src': 'a.svg', 'alt': 'L&E > 1', 'hidden': ''})]
    """
    for tag in found.finditer(html):
        if tag["name"]:
            yield (
                tag["name"].lower(),
                {
                    key.lower(): unescape(double or single or bare)
                    for key, double, single, bare in _ATTRIBUTE.findall(tag["inside"])
                }
                if tag["inside"]
                else {},
            )


def main(page: str) -> str:
    """Return the `<main>` of a page, empty where there is none."""
    _, start, rest = page.partition("<main")
    inside, end, _ = rest.partition("</main")
    return f"{start}{inside}{end}>" if end else ""


def unclosed(html: str) -> list[str]:
    r"""Return the names of the tags that never close: a browser may still take them for tags.

    Examples:
        >>> unclosed('<p>a < b</p><IMG src=x onerror="f()')
        ['img']
    """
    if all(">" in part for part in html.split("<")[1:]):
        return []
    return [name.lower() for name in re.findall(r"<([A-Za-z][\w:-]*)", MARKUP.sub(" ", html))]


def text(html: str, between: str = "") -> str:
    r"""Return the words of a piece of HTML on one line.

    Args:
        html: A page or a piece of one.
        between: What stands for a tag.

    Examples:
        >>> text("<p>Un <b>mot</b>&nbsp;!</p><style>p{}</style>") == "Un mot\u00a0!"
        True
    """
    return unescape(re.sub(r"[ \t\r\n]+", " ", MARKUP.sub(between, html))).strip(" ")
