"""What every page gets, whichever engine made it.

French spacing on words, a scrolling region around every table, the engine's name at the foot, a
policy against anything loaded from elsewhere, and nothing left that would be.
"""

import re
from html import escape
from pathlib import Path

from opmq_lib.show import french
from opmq_lib.site import markup

_VERBATIM = ("pre", "code", "math", "svg", "textarea")
_EXTERNAL = re.compile(r"(?:https?:)?//")
_LOADS = {"script": "src", "link": "href", "iframe": "src"}
_FURTHER_LINKS = ("canonical", "alternate", "license", "author")
POLICY = (
    "default-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "object-src 'none'; base-uri 'none'"
)


def finish(site: Path, engine: str) -> None:
    """Finish every page of a site in place.

    Args:
        site: Folder that an engine wrote.
        engine: Its name, for readers.
    """
    for path in sorted(site.rglob("*.html")):
        html = path.read_text(encoding="utf-8")
        path.write_text(finished(html, engine), encoding="utf-8", newline="\n")


def finished(html: str, engine: str) -> str:
    r"""Return a page finished.

    Examples:
        >>> finished('<script src="https://example.org/a.js"></script><p>Oui !</p>', "essai")
        '<p>Oui\u202f!</p>'
    """
    tokens = [token for token in markup.tokens(html) if not _loads_from_elsewhere(token)]
    page = "".join(_spaced(_regions(tokens)))
    if "http-equiv" not in page:
        page = page.replace(
            "<head>", f'<head>\n<meta http-equiv="Content-Security-Policy" content="{POLICY}">', 1
        )
    stamp = f'<p class="opmq-stamp">Site produit par {escape(engine)}.</p>\n'
    before, footer, after = page.rpartition("</footer>")
    return f"{before}{stamp}{footer}{after}" if footer else page


def _loads_from_elsewhere(token: str) -> bool:
    """Return whether a token is a script or a sheet that a page would fetch from another site."""
    tag = markup.name(token)
    if tag not in _LOADS or token.startswith("</"):
        return False
    attributes = markup.attributes(token)
    return attributes.get("rel") not in _FURTHER_LINKS and bool(
        _EXTERNAL.match(attributes.get(_LOADS[tag], ""))
    )


def _spaced(tokens: list[str]) -> list[str]:
    """Return tokens whose words have French no-break spaces; code and drawings stay."""
    shown, inside = [], 0
    for token in tokens:
        tag = markup.name(token)
        if tag in _VERBATIM:
            inside += -1 if token.startswith("</") else 1
        shown.append(french.typography(token) if not inside and markup.is_text(token) else token)
    return shown


def _regions(tokens: list[str]) -> list[str]:
    """Return tokens with each table in a named region that a keyboard can scroll.

    A table already in a region keeps it; two regions of a page never have the same name.
    """
    shown: list[str] = []
    names: dict[str, int] = {}
    in_region = [False]
    for index, token in enumerate(tokens):
        tag, closing = markup.name(token), token.startswith("</")
        if tag == "div":
            attributes = {} if closing else markup.attributes(token)
            if closing:
                in_region[1:] and in_region.pop()
            else:
                is_region = attributes.get("role") == "region"
                in_region.append(is_region)
                if is_region:
                    name = attributes.get("aria-label", "")
                    token = token.replace(f'"{escape(name)}"', f'"{escape(_unique(name, names))}"')
        if tag == "table" and not closing and not any(in_region):
            name = _unique(_caption(tokens[index:]), names)
            shown.append(
                f'<div class="opmq-scroll" tabindex="0" role="region" aria-label="{escape(name)}">'
            )
        if tag == "caption":
            token = f"</span>{token}" if closing else f'{token}<span class="opmq-caption">'
        shown.append(token)
        if tag == "table" and closing and not any(in_region):
            shown.append("</div>")
    return shown


def _caption(tokens: list[str]) -> str:
    html = "".join(tokens[:200])
    match = re.search(r"<caption[^>]*>(.*?)</caption>", html.partition("</table>")[0], re.DOTALL)
    return markup.text(match[1]) if match else "Tableau"


def _unique(name: str, names: dict[str, int]) -> str:
    names[name] = names.get(name, 0) + 1
    return name if names[name] == 1 else f"{name} ({names[name]})"
