"""HTML as a flat list of tokens: what finishing, checking and searching a page need, no more."""

import re
from collections.abc import Iterator
from html import unescape

_TOKEN = re.compile(
    r"(<!--.*?-->"
    r"|<(?:script|style)\b[^>]*>.*?</(?:script|style)\s*>"
    r"|</?[a-zA-Z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>"
    r"|<[!?][^>]*>)",
    re.DOTALL | re.IGNORECASE,
)
_NAME = re.compile(r"</?([a-zA-Z][\w:-]*)")
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'<>`]+))?")
_INSIDE = re.compile(r"(?:[^<>\"']|\"[^\"]*\"|'[^']*')*")
_HEADING = re.compile(r"h[1-6]")


def tokens(html: str) -> list[str]:
    """Return the tags, comments and texts of a page; joined, they are the page again.

    A script or a style sheet is one token with its content.

    Examples:
        >>> tokens('<p title="a > b">Un <b>mot</b></p>')
        ['<p title="a > b">', 'Un ', '<b>', 'mot', '</b>', '</p>']
    """
    return [token for token in _TOKEN.split(html) if token]


def name(token: str) -> str:
    """Return the name of a tag in lower case; empty for a text, a comment or a doctype.

    Examples:
        >>> name("<IMG src='a.svg'>"), name("</p>"), name("words"), name("<!-- x -->")
        ('img', 'p', '', '')
    """
    match = _NAME.match(token)
    return match[1].lower() if match else ""


def is_text(token: str) -> bool:
    """Return whether a token is text that a reader sees.

    Examples:
        >>> is_text("a < b"), is_text("<br>"), is_text("<!-- a -->")
        (True, False, False)
    """
    return not _TOKEN.match(token)


def attributes(tag: str) -> dict[str, str]:
    """Return the attributes of an opening tag, names in lower case, values unescaped.

    Examples:
        >>> attributes('<img src="a.svg" alt="L&amp;E" hidden>')
        {'src': 'a.svg', 'alt': 'L&E', 'hidden': ''}
    """
    match = _NAME.match(tag)
    inside = _INSIDE.match(tag, match.end()) if match else None
    pairs = _ATTRIBUTE.findall(inside[0]) if inside else []
    return {key.lower(): unescape(_unquoted(value)) for key, value in pairs}


def text(html: str) -> str:
    r"""Return the words of a piece of HTML on one line.

    Examples:
        >>> text("<p>Un <b>mot</b>&nbsp;!</p><style>p{}</style>") == "Un mot\u00a0!"
        True
    """
    words = "".join(token for token in tokens(html) if is_text(token))
    return unescape(re.sub(r"[ \t\r\n]+", " ", words)).strip(" ")


def headings(html: str) -> Iterator[tuple[int, str, str]]:
    """Yield level, identifier and words of every heading, in order.

    Examples:
        >>> list(headings('<h1>Titre</h1><h2 id="a">Un <em>mot</em></h2>'))
        [(1, '', 'Titre'), (2, 'a', 'Un mot')]
    """
    inside: list[str] = []
    opening = ""
    for token in tokens(html):
        if not _HEADING.fullmatch(name(token)):
            inside.append(token)
        elif token.startswith("</"):
            yield int(name(token)[1]), attributes(opening).get("id", ""), text("".join(inside))
        else:
            opening = token
            inside = []


def _unquoted(value: str) -> str:
    return value[1:-1] if value[:1] in ("'", '"') else value
