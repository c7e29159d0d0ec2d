"""The Markdown that the embedded engine reads, a written subset of Quarto's.

Inside: CommonMark with raw HTML · pipe tables with a caption line (`: Caption {#id}`) ·
heading attributes (`## Title {#id .class}`) · fenced divs (`::: {.class}` … `:::`, nested) ·
callouts (`::: {.callout-note}`, title = first heading or `title="…"`) · bracketed spans
(`[text]{.class}`) · footnotes · definition lists · strikethrough · a lone image as a captioned
figure (`![Caption](file.svg){fig-alt="…"}`) · French quotes and apostrophes.

Outside, each with one warning that names the file and the line: maths · citations and
cross-references · shortcodes · executable code blocks · tabsets, columns and conditional content.
Identifiers of headings follow Pandoc, so an anchor works whichever engine ran.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token
from mdit_py_plugins.attrs import attrs_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from opmq_lib.site import markup

CALLOUTS = ("note", "tip", "important", "warning", "caution")
_OUTSIDE_CLASSES = re.compile(r"panel-\w+|column-\w+|content-(?:visible|hidden)|g-col-\d+")
_OUTSIDE_TEXT = {
    "maths": re.compile(r"(?<![\\$\w])\$[^\s$](?:[^$\n]*[^\s$\\])?\$(?!\d)|\$\$"),
    "citation or cross-reference": re.compile(r"(?<![\w.])@[a-zA-Z][\w:-]*"),
    "shortcode": re.compile(r"\{\{<.*?>\}\}"),
}
_DIV_OPENS = re.compile(r":{3,}\s*(?:\{(?P<braced>[^}]*)\}|(?P<word>[\w-]+))\s*:*\s*")
_DIV_CLOSES = re.compile(r":{3,}\s*")
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_TRAILING = re.compile(r"\s*\{(?P<braced>[^{}]*)\}\s*$")
_ATTRIBUTE = re.compile(r"([#.])([\w:-]+)|([\w-]+)=(?:\"([^\"]*)\"|([^\s\"]+))")
_CAPTION = re.compile(r":\s+(?P<words>.+)")


@dataclass(frozen=True)
class Attributes:
    """What Pandoc writes between braces: identifier, classes, pairs."""

    identifier: str
    classes: tuple[str, ...]
    pairs: dict[str, str]


@dataclass(frozen=True)
class Rendered:
    """A piece of a page: HTML, and what could not be rendered, as (line, what)."""

    html: str
    outside: tuple[tuple[int, str], ...]


def render(source: str, labels: dict[str, str] | None = None) -> Rendered:
    r"""Return Markdown as HTML.

    Args:
        source: Markdown of the subset that this module's docstring describes.
        labels: Titles of callouts, as `callout-note-title`; see `config.LABELS`.

    Examples:
        >>> render("Un *mot*.").html
        '<p>Un <em>mot</em>.</p>\n'
        >>> render("$x^2$").outside
        ((1, 'maths'),)
    """
    environment: dict[str, object] = {}
    parser = _parser()
    tokens = parser.parse(source, environment)
    outside = sorted(set(_outside(tokens)))
    for change in (_identified, _titled(labels or {}), _captioned, _illustrated, _unwrapped):
        tokens = list(change(tokens))
    html = parser.renderer.render(tokens, parser.options, environment)
    return Rendered(html, tuple(outside))


def slug(words: str) -> str:
    """Return the identifier that Pandoc gives to a heading.

    Examples:
        >>> slug("2. Sources et méthode (2018)"), slug("2018")
        ('sources-et-méthode-2018', 'section')
    """
    kept = re.sub(r"[^\w\s.-]", "", words.lower())
    hyphenated = re.sub(r"\s+", "-", kept.strip())
    return re.sub(r"^[^a-zà-öø-ÿœæ]+", "", hyphenated) or "section"


def read_attributes(braced: str) -> Attributes:
    """Return the attributes that Pandoc writes between braces.

    Examples:
        >>> read_attributes('#sources .wide title="Un titre"')
        Attributes(identifier='sources', classes=('wide',), pairs={'title': 'Un titre'})
    """
    found = _ATTRIBUTE.findall(braced)
    return Attributes(
        identifier=next((word for sign, word, *_ in found if sign == "#"), ""),
        classes=tuple(word for sign, word, *_ in found if sign == "."),
        pairs={key: quoted or bare for _, _, key, quoted, bare in found if key},
    )


def highlighted(code: str, language: str) -> str:
    """Return code as a block of HTML whose words carry Pygments' classes.

    Examples:
        >>> highlighted("a < 1", "text")
        '<pre class="code" tabindex="0"><code>a &lt; 1</code></pre>'
    """
    try:
        words = highlight(code, get_lexer_by_name(language), HtmlFormatter(nowrap=True))
    except ClassNotFound:
        words = escape(code, quote=False)
    return f'<pre class="code" tabindex="0"><code>{words.rstrip()}</code></pre>'


def _parser() -> MarkdownIt:
    options = {"html": True, "typographer": True, "quotes": ["«\u00a0", "\u00a0»", "“", "”"]}
    parser = MarkdownIt("commonmark", options | {"highlight": _highlight})
    parser.enable(["table", "strikethrough", "smartquotes", "replacements"])
    parser.use(attrs_plugin, spans=True).use(deflist_plugin).use(footnote_plugin)
    interrupted = ["paragraph", "reference", "blockquote", "list", "footnote_def"]
    parser.block.ruler.before("fence", "div", _div, {"alt": interrupted})
    return parser


def _highlight(code: str, language: str, _attributes: str) -> str:
    return highlighted(code, language.strip("{}.") or "text")


def _div(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a fenced div; it ends at its own closing fence or with what holds it."""
    opening = _DIV_OPENS.fullmatch(_line(state, start))
    if not opening or state.sCount[start] - state.blkIndent >= 4:
        return False
    if silent:
        return True
    last, closed = _div_end(state, start, end)
    written = read_attributes(opening["braced"] or f".{opening['word']}")
    token = state.push("div_open", "div", 1)
    token.block, token.map, token.meta = True, [start, last], {"closed": closed}
    token.attrs = _html_attributes(written)
    line_max, parent = state.lineMax, state.parentType
    state.lineMax = last
    state.md.block.tokenize(state, start + 1, last)
    state.lineMax, state.parentType = line_max, parent
    state.push("div_close", "div", -1).block = True
    state.line = last + 1 if closed else last
    return True


def _div_end(state: StateBlock, start: int, end: int) -> tuple[int, bool]:
    depth, code = 1, ""
    for number in range(start + 1, end):
        line = _line(state, number)
        fence = _FENCE.match(line)
        if fence and (not code or fence[1].startswith(code)):
            code = "" if code else fence[1]
        elif not code:
            depth += bool(_DIV_OPENS.fullmatch(line)) - bool(_DIV_CLOSES.fullmatch(line))
        if depth == 0:
            return number, True
    return end, False


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _html_attributes(written: Attributes) -> dict[str, str | int | float]:
    found = {"id": written.identifier, "class": " ".join(written.classes)} | written.pairs
    return {key: value for key, value in found.items() if value}


def _outside(tokens: Sequence[Token]) -> Iterator[tuple[int, str]]:
    line = 1
    for token in tokens:
        line = token.map[0] + 1 if token.map else line
        if token.type == "div_open":
            if not token.meta["closed"]:
                yield line, "a div (`:::`) that is never closed"
            for word in str(token.attrs.get("class", "")).split():
                if _OUTSIDE_CLASSES.fullmatch(word):
                    yield line, f"div `.{word}`"
        elif token.type == "fence" and re.match(r"\{[a-z]", token.info):
            yield line, f"executable code block `{token.info.split()[0]}`"
        elif token.type == "inline":
            for kind, pattern in _OUTSIDE_TEXT.items():
                if pattern.search(_prose(token)):
                    yield line, kind


def _prose(inline: Token) -> str:
    return "".join(
        child.content for child in inline.children or [] if child.type in ("text", "text_special")
    )


def _identified(tokens: Sequence[Token]) -> Iterator[Token]:
    """Give every heading its identifier and classes."""
    seen: dict[str, int] = {}
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and following:
            written = read_attributes(_take_trailing(following))
            token.attrs |= _html_attributes(written)
            base = written.identifier or slug(markup.text(_prose(following)))
            count = seen[base] = seen.get(base, -1) + 1
            token.attrs["id"] = f"{base}-{count}" if count else base
        yield token


def _take_trailing(inline: Token) -> str:
    """Cut `{…}` from the end of a line of text and return what was inside."""
    if not inline.children or not (match := _TRAILING.search(inline.children[-1].content)):
        return ""
    inline.children[-1].content = inline.children[-1].content[: match.start()]
    return match["braced"]


def _titled(labels: dict[str, str]) -> Callable[[Sequence[Token]], Iterator[Token]]:
    """Return the change that gives each callout its title."""

    def change(tokens: Sequence[Token]) -> Iterator[Token]:
        heading_is_title = False
        for token, following in zip(tokens, [*tokens[1:], None], strict=True):
            if heading_is_title and token.type.startswith("heading_"):
                token.tag = "p"
                token.attrs = {"class": "callout-title"} if token.nesting == 1 else {}
                heading_is_title = token.nesting == 1
            yield token
            kind = _callout(token)
            if kind and following and following.type == "heading_open":
                heading_is_title = True
            elif kind:
                default = labels.get(f"callout-{kind}-title", kind.capitalize())
                words = str(token.attrs.pop("title", "")) or default
                yield _raw(f'<p class="callout-title">{escape(words)}</p>\n')

    return change


def _callout(token: Token) -> str:
    """Return the kind of callout that a token opens, and mark it as one; else nothing."""
    classes = str(token.attrs.get("class", "")).split() if token.type == "div_open" else []
    kinds = [kind for kind in CALLOUTS if f"callout-{kind}" in classes]
    if not kinds:
        return ""
    token.attrs["class"] = " ".join(["callout", *classes])
    return kinds[0]


def _captioned(tokens: Sequence[Token]) -> Iterator[Token]:
    """Move the line `: Caption` that follows a table into the table."""
    captions = dict(_captions(tokens))
    moved = {index for caption in captions.values() for index in caption[1]}
    for index, token in enumerate(tokens):
        if index in moved:
            continue
        if index in captions:
            inline = tokens[captions[index][1][1]]
            token.attrs |= _html_attributes(read_attributes(_take_trailing(inline)))
            first = (inline.children or [Token("text", "", 0)])[0]
            first.content = first.content.removeprefix(":").lstrip(" ")
            yield from (token, _raw("<caption>"), inline, _raw("</caption>\n"))
        else:
            yield token


def _captions(tokens: Sequence[Token]) -> Iterator[tuple[int, tuple[str, range]]]:
    opened = 0
    for index, token in enumerate(tokens):
        if token.type == "table_open":
            opened = index
        after = tokens[index + 1 : index + 3]
        if (
            token.type == "table_close"
            and [item.type for item in after] == ["paragraph_open", "inline"]
            and (match := _CAPTION.match(after[1].content))
        ):
            yield opened, (match["words"], range(index + 1, index + 4))


def _illustrated(tokens: Sequence[Token]) -> Iterator[Token]:
    """Turn a paragraph that is one image into a figure with its caption."""
    for before, token, after in zip([None, *tokens[:-1]], tokens, [*tokens[1:], None], strict=True):
        neighbour = before if token.type == "paragraph_close" else after
        inline = token if token.type == "inline" else neighbour
        image = _lone_image(inline)
        if image is None or token.type not in ("paragraph_open", "inline", "paragraph_close"):
            yield token
        elif token.type == "paragraph_open":
            yield _raw("<figure>\n")
        elif token.type == "paragraph_close":
            yield _raw("</figure>\n")
        else:
            yield from _figure(token, image)


def _lone_image(inline: Token | None) -> Token | None:
    children = (inline.children or []) if inline and inline.type == "inline" else []
    alone = len(children) == 1 and children[0].type == "image" and children[0].content
    return children[0] if alone else None


def _figure(inline: Token, image: Token) -> Iterator[Token]:
    alternative = str(image.attrs.pop("fig-alt", "")) or image.content
    caption = Token("inline", "", 0, children=image.children, content=image.content)
    image.children = [Token("text", "", 0, content=alternative)]
    yield inline
    yield from (_raw("\n<figcaption>"), caption, _raw("</figcaption>\n"))


def _unwrapped(tokens: Sequence[Token]) -> Iterator[Token]:
    """Let raw HTML blocks (```` ```{=html} ````) through."""
    for token in tokens:
        yield _raw(token.content) if token.info.strip() == "{=html}" else token


def _raw(html: str) -> Token:
    return Token("html_block", "", 0, content=html)
