"""The Markdown that the embedded engine reads: what the pages of the study use.

Inside: CommonMark with raw HTML (```` ```{=html} ````) · pipe tables · definition lists ·
strikethrough · identifiers of headings (`## Title {#id}`) · callouts with a title
(`::: {.callout-note title="…"}` … `:::`) · front matter · French quotes and apostrophes. Everything
else that Quarto reads is outside, with one warning that shows it and its line: maths, citations,
cross-references, footnotes, shortcodes, other divs and attributes, captions, executable code.
Identifiers of headings follow Pandoc, so an anchor works whichever engine ran.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

import yaml
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

_CALLOUT = re.compile(r'\s*\{\.(callout-(?:note|tip|important|warning|caution)) title="([^"]*)"\}')
_OUTSIDE = re.compile(
    r"(?<![\\$\w])\$[^\s$](?:[^$\n]*[^\s$\\])?\$(?!\d)|\$\$"  # maths
    r"|(?<![\w.])@[a-zA-Z][\w:-]*"  # citation, cross-reference
    r"|\{\{<.*?>\}\}"  # shortcode
    r"|\[\^[^\]]+\]"  # footnote
    r"|^:::+.*"  # div
    r"|^: .*"  # caption
    r"|\{(?:[.#]|[\w-]+=)[^}]*\}",  # attributes
    re.MULTILINE,
)
_CODE = re.compile(r"(`+).*?\1", re.DOTALL)


class Rendered(NamedTuple):
    """A piece of a page: HTML, front matter, and what could not be rendered, as (line, what)."""

    html: str
    header: dict[str, Any]
    outside: list[tuple[int, str]]


def render(source: str, up: str = "", names: Counter[str] | None = None) -> Rendered:
    r"""Return Markdown as HTML.

    Args:
        source: Markdown, see above.
        up: Path from the page to the root of the site, as `../`, for links that begin with `/`.
        names: How often each identifier of a heading was given in the page so far.

    Examples:
        >>> render("Un [*mot*](b.qmd).").html
        '<p>Un <a href="b.html"><em>mot</em></a>.</p>\n'
        >>> render("---\ntitle: A\n---\n\nSoit $x^2$.")[1:]
        ({'title': 'A'}, [(5, '$x^2$')])
    """
    parser, environment = _parser(), {"names": Counter[str]() if names is None else names}
    tokens = parser.parse(source, environment)
    outside = list(_outside(tokens))
    for token in tokens:
        if token.info == "{=html}":
            token.type = "html_block"
        for child in token.children or ():
            if child.type == "link_open":
                child.attrs["href"] = address(str(child.attrs["href"]), up)
    header = next((token.content for token in tokens if token.type == "front_matter"), "")
    html = parser.renderer.render(tokens, parser.options, environment)
    return Rendered(html, read_yaml(header) if header else {}, outside)


@cache
def read_yaml(text: str) -> Any:
    """Return what a text in YAML says, read by the C library where there is one."""
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def address(href: str, up: str = "") -> str:
    """Return where a link leads: to the page of a source.

    Examples:
        >>> address("b/c.ipynb#d"), address("/c.qmd", "../"), address("https://exemple.fr/a.qmd")
        ('b/c.html#d', '../c.html', 'https://exemple.fr/a.qmd')
    """
    if re.match(r"#|\w+:|//", href):
        return href
    return re.sub(r"^/", up, re.sub(r"\.(?:qmd|ipynb)(?=#|$)", ".html", href))


def slug(words: str) -> str:
    """Return the identifier that Pandoc gives to a heading.

    Examples:
        >>> slug("2. Sources et méthode (2018)"), slug("2018")
        ('sources-et-méthode-2018', 'section')
    """
    kept = re.sub(r"[^\w\s.-]", "", words.lower())
    hyphenated = re.sub(r"\s+", "-", kept.strip())
    return re.sub(r"^[^a-zà-öø-ÿœæ]+", "", hyphenated) or "section"


@cache
def _parser() -> MarkdownIt:
    options = {"html": True, "typographer": True, "quotes": ["«\u00a0", "\u00a0»", "“", "”"]}
    parser = MarkdownIt("commonmark", options)
    parser.enable(["table", "strikethrough", "smartquotes", "replacements"])
    parser.use(front_matter_plugin).use(deflist_plugin)
    parser.use(
        container_plugin,
        name="callout",
        validate=lambda parameters, _: bool(_CALLOUT.fullmatch(parameters.rstrip())),
        render=_callout,
    )
    parser.core.ruler.before("inline", "identifiers", _identify)
    return parser


def _callout(_renderer: Any, tokens: list[Token], index: int, *_: Any) -> str:
    match = _CALLOUT.match(tokens[index].info)
    if match is None:
        return "</div>\n"
    title = f'<p class="callout-title">{escape(match[2])}</p>'
    return f'<div class="callout {match[1]}">\n{title}\n'


def _identify(state: StateCore) -> None:
    """Give every heading its identifier."""
    for opening, inline in pairwise(state.tokens):
        if opening.type == "heading_open":
            inline.content, *written = re.split(r"\s*\{#([\w-]+)\}$", inline.content)[:2]
            name = written[0] if written else slug(inline.content)
            count = state.env["names"][name]
            state.env["names"][name] += 1
            opening.attrs["id"] = f"{name}-{count}" if count else name


def _outside(tokens: list[Token]) -> Iterator[tuple[int, str]]:
    line = 1
    for token in tokens:
        line = token.map[0] + 1 if token.map else line
        if token.type == "fence" and token.info.startswith("{") and token.info != "{=html}":
            yield line, token.info
        elif token.type == "container_callout_close" and not token.markup.startswith(":::"):
            yield line, "callout never closed"
        elif token.type == "inline" and (match := _OUTSIDE.search(_CODE.sub("", token.content))):
            yield line, match[0]
