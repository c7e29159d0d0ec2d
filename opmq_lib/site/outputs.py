"""A code cell of an executed notebook as HTML of the embedded engine.

Outputs inside are HTML, Markdown, SVG, PNG and text; figures become files named by their content.
Cell options (`#| key: value`) inside are those of figures: `fig-alt`, `fig-cap`.
"""

import base64
import hashlib
import json
import re
from functools import lru_cache
from html import escape
from itertools import takewhile
from typing import Any, NamedTuple

from opmq_lib.site import markdown

OPTIONS = ("fig-alt", "fig-cap")
FIGURE_FOLDER = "figures"
_VIEW = re.compile(r"<svg\b[^>]*\bviewBox=\"[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)\"")


class Shown(NamedTuple):
    """What a cell shows: HTML, its figures by path in the site, options outside the subset."""

    html: str
    figures: dict[str, bytes]
    outside: list[str]


class Node(dict[str, Any]):
    """A part of a notebook, its keys as attributes; `nbformat` would load 1.6 s of validators."""

    def __getattr__(self, name: str) -> Any:
        """Return what stands under a key."""
        if name in self:
            return self[name]
        raise AttributeError(name)


def read(text: str) -> Any:
    """Return a notebook, its texts whole rather than in lines.

    Examples:
        >>> read('{"cells": [{"cell_type": "code", "source": ["a", "b"]}]}').cells[0].source
        'ab'
    """
    return json.loads(text, object_hook=_node)


@lru_cache(maxsize=1000)
def staged(text: str) -> Any:
    """Return a notebook as `read` does, for who changes nothing in it: each is read twice."""
    return read(text)


def _node(part: dict[str, Any]) -> Node:
    whole: dict[str, Any] = {key: "".join(part[key]) for key in ("source", "text") if key in part}
    if "output_type" in part and "data" in part:
        data = part["data"].items()
        whole["data"] = Node({kind: "".join(t) if isinstance(t, list) else t for kind, t in data})
    return Node(part | whole)


def show(cell: Any, up: str = "") -> Shown:
    """Return a code cell as HTML.

    Args:
        cell: The cell, as `nbformat` gives it.
        up: Path from the page to the root of the site, as `../../`.
    """
    options, parts = options_of(cell.source), list[str]()
    figures: list[tuple[str, bytes]] = []
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/svg+xml" in data or "image/png" in data:
            path, content, size = figure(data)
            parts.append(_figure_html(up + path, size, options, len(figures)))
            figures.append((path, content))
        elif "text/html" in data:
            parts.append(data["text/html"])
        elif "text/markdown" in data:
            parts.append(markdown.render(data["text/markdown"]).html)
        else:
            words = output.get("text") or output.get("evalue") or data.get("text/plain", "")
            kind = f"cell-output-{output.output_type}"
            parts.append(f'<pre class="{kind}" tabindex="0">{escape(words.rstrip(), False)}</pre>')
    outside = [f"option `{key}`" for key in options if key not in OPTIONS]
    return Shown("\n".join(filter(None, parts)), dict(figures), outside)


def options_of(source: str) -> dict[str, Any]:
    r"""Return the options at the top of a code cell.

    Examples:
        >>> options_of('#| echo: false\n#| fig-alt: "Deux courbes"\nplot()')
        {'echo': False, 'fig-alt': 'Deux courbes'}
    """
    lines = [*takewhile(lambda line: line.startswith("#|"), source.splitlines())]
    return markdown.read_yaml("\n".join(line[2:] for line in lines)) if lines else {}


def figure(data: dict[str, str]) -> tuple[str, bytes, tuple[int, int] | None]:
    """Return a figure's path in the site, its content, its width and height where it says them.

    Examples:
        >>> figure({"image/svg+xml": '<svg viewBox="0 0 72 36.4"></svg>'})[2]
        (72, 36)
    """
    if "image/svg+xml" in data:
        view = _VIEW.search(data["image/svg+xml"])
        size = (round(float(view[1])), round(float(view[2]))) if view else None
        kind, content = "svg", data["image/svg+xml"].encode()
    else:
        kind, content = "png", base64.b64decode(data["image/png"])
        size = int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    return f"{FIGURE_FOLDER}/{hashlib.sha256(content).hexdigest()[:16]}.{kind}", content, size


def _figure_html(
    path: str, size: tuple[int, int] | None, options: dict[str, Any], index: int
) -> str:
    alternative, caption = (_nth(options.get(key), index) for key in OPTIONS)
    sized = f' width="{size[0]}" height="{size[1]}"' if size else ""
    words = markdown.render(caption).html.strip().removeprefix("<p>").removesuffix("</p>")
    below = f"\n<figcaption>{words}</figcaption>" if words else ""
    image = f'<img src="{path}" alt="{escape(alternative)}"{sized} loading="lazy">'
    return f"<figure>\n{image}{below}\n</figure>"


def _nth(option: str | list[str] | None, index: int) -> str:
    texts = option if isinstance(option, list) else [option]
    return str(texts[index] or "") if index < len(texts) else ""
