"""An executed notebook as a page of the embedded engine: its Markdown and its outputs.

Cell options (`#| key: value`) inside the subset are `OPTIONS`; another one gives a warning.
Outputs inside are HTML, Markdown, SVG, PNG and text; figures become files named by their content.
"""

import base64
import hashlib
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from typing import Any

import yaml

from opmq_lib.site import markdown, markup

OPTIONS = (
    "label",
    "echo",
    "include",
    "output",
    "warning",
    "fig-cap",
    "fig-alt",
    "code-fold",
    "code-summary",
)
FIGURE_FOLDER = "figures"
_OPTION_LINE = re.compile(r"#\|\s?(.*)")
_SVG_LENGTH = re.compile(r"([\d.]+)\s*(px|pt|in|cm|mm)?")
_CSS_PIXELS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4}
_PNG_SIZE = slice(16, 24)


@dataclass(frozen=True)
class Source:
    """What a page of the embedded engine is made of.

    Attributes:
        text: Markdown in which `<!--output n-->` stands for the outputs of a cell.
        outputs: HTML of the outputs, by placeholder.
        figures: Content of each figure, by its path in the site.
        starts: First line of each cell in the text; empty for a page that is no notebook.
        warnings: Cell options outside the subset.
    """

    text: str
    outputs: dict[str, str]
    figures: dict[str, bytes]
    starts: tuple[int, ...]
    warnings: tuple[str, ...]

    def place(self, line: int) -> str:
        """Return where a line of the text stands, as its author would look for it."""
        return f"cell {bisect_right(self.starts, line)}" if self.starts else f"line {line}"


@dataclass(frozen=True)
class Figure:
    """One figure of a notebook: a file, and its size in CSS pixels."""

    name: str
    content: bytes
    width: int
    height: int


def read(notebook: dict[str, Any], *, echo: bool, warning: bool, up: str = "") -> Source:
    """Return a notebook as Markdown with its outputs apart.

    Args:
        notebook: An executed notebook, as `json.loads` gives it.
        echo: Whether code is shown where a cell does not say.
        warning: Whether standard error is shown where a cell does not say.
        up: Path from the page to the root of the site, as `../../`.
    """
    blocks: list[str] = []
    outputs: dict[str, str] = {}
    figures: dict[str, bytes] = {}
    warnings: list[str] = []
    for number, cell in enumerate(notebook["cells"], start=1):
        source = joined(cell["source"])
        if cell["cell_type"] == "code":
            options, code = split_options(source)
            warnings += [
                f"cell {number}: option `{key}` is outside" for key in options if key not in OPTIONS
            ]
            options = {"echo": echo, "warning": warning} | options
            html, found = _code_cell(cell, options, code, up)
            placeholder = f"<!--output {number}-->"
            outputs[placeholder] = html
            figures |= {figure.name: figure.content for figure in found}
            source = placeholder
        blocks.append(source)
    sizes = (block.count("\n") + 2 for block in blocks[:-1])
    starts = tuple(accumulate(sizes, initial=1))
    return Source("\n\n".join(blocks), outputs, figures, starts, tuple(warnings))


def joined(source: str | Sequence[str]) -> str:
    r"""Return text that nbformat stores as one string or as a list of lines.

    Examples:
        >>> joined(["a\n", "b"]) == joined("a\nb")
        True
    """
    return source if isinstance(source, str) else "".join(source)


def split_options(source: str) -> tuple[dict[str, Any], str]:
    r"""Return the options at the top of a code cell, and the code under them.

    Examples:
        >>> split_options('#| echo: false\n#| fig-alt: "Deux courbes"\nplot()')
        ({'echo': False, 'fig-alt': 'Deux courbes'}, 'plot()')
    """
    lines = source.splitlines()
    count = next((n for n, line in enumerate(lines) if not _OPTION_LINE.match(line)), len(lines))
    written = "\n".join(match[1] for line in lines[:count] if (match := _OPTION_LINE.match(line)))
    return yaml.safe_load(written) or {}, "\n".join(lines[count:])


def svg_figure(content: str) -> Figure:
    """Return an SVG drawing as a figure, its size read from its first tag.

    Examples:
        >>> figure = svg_figure('<svg width="72pt" height="36pt" viewBox="0 0 72 36"></svg>')
        >>> figure.width, figure.height
        (96, 48)
    """
    opening = re.search(r"<svg\b[^>]*>", content)
    written = markup.attributes(opening[0]) if opening else {}
    *_, box_width, box_height = [0, 0, *re.findall(r"[\d.]+", written.get("viewbox", ""))]
    width = _pixels(written.get("width", "")) or float(box_width)
    height = _pixels(written.get("height", "")) or float(box_height)
    return _figure(content.encode(), "svg", round(width), round(height))


def png_figure(encoded: str) -> Figure:
    """Return a PNG image, base64 as notebooks store it, as a figure."""
    content = base64.b64decode(encoded)
    width, height = (int.from_bytes(content[_PNG_SIZE][side : side + 4], "big") for side in (0, 4))
    return _figure(content, "png", width, height)


def _figure(content: bytes, kind: str, width: int, height: int) -> Figure:
    digest = hashlib.sha256(content).hexdigest()[:16]
    return Figure(f"{FIGURE_FOLDER}/{digest}.{kind}", content, width, height)


def _pixels(length: str) -> float:
    match = _SVG_LENGTH.fullmatch(length.strip())
    return float(match[1]) * _CSS_PIXELS[match[2] or ""] if match else 0.0


def _code_cell(
    cell: dict[str, Any], options: dict[str, Any], code: str, up: str
) -> tuple[str, list[Figure]]:
    if options.get("include") is False:
        return "", []
    parts = [_shown_code(code, options)] if options["echo"] and code.strip() else []
    figures: list[Figure] = []
    for output in cell["outputs"] if options.get("output") is not False else []:
        if figure := _output_figure(output):
            parts.append(_figure_html(figure, len(figures), options, up))
            figures.append(figure)
        elif output["output_type"] == "stream":
            shown = output["name"] == "stdout" or options["warning"]
            parts += [_plain(joined(output["text"]))] if shown else []
        elif output["output_type"] == "error":
            parts.append(f'<div class="cell-output-error">{_plain(output["evalue"])}</div>')
        else:
            parts.append(_data(output["data"]))
    return "\n".join(filter(None, parts)), figures


def _shown_code(code: str, options: dict[str, Any]) -> str:
    html = markdown.highlighted(code, "python")
    if not options.get("code-fold"):
        return html
    summary = escape(str(options.get("code-summary", "Code")))
    return f"<details><summary>{summary}</summary>{html}</details>"


def _output_figure(output: dict[str, Any]) -> Figure | None:
    data = output.get("data", {})
    if "image/svg+xml" in data:
        return svg_figure(joined(data["image/svg+xml"]))
    if "image/png" in data:
        return png_figure(joined(data["image/png"]))
    return None


def _figure_html(figure: Figure, index: int, options: dict[str, Any], up: str) -> str:
    alternative, caption = (_nth(options.get(key), index) for key in ("fig-alt", "fig-cap"))
    image = (
        f'<img src="{up}{figure.name}" alt="{escape(alternative)}" '
        f'width="{figure.width}" height="{figure.height}" loading="lazy">'
    )
    words = f"\n<figcaption>{_inline(caption)}</figcaption>" if caption else ""
    return f"<figure>\n{image}{words}\n</figure>"


def _nth(option: str | list[str] | None, index: int) -> str:
    texts = option if isinstance(option, list) else [option]
    return str(texts[index] or "") if index < len(texts) else ""


def _inline(text: str) -> str:
    return markdown.render(text).html.strip().removeprefix("<p>").removesuffix("</p>")


def _data(data: dict[str, Any]) -> str:
    if "text/html" in data:
        return joined(data["text/html"])
    if "text/markdown" in data:
        return markdown.render(joined(data["text/markdown"])).html
    return _plain(joined(data.get("text/plain", "")))


def _plain(text: str) -> str:
    return f'<pre class="output" tabindex="0">{escape(text.rstrip(), quote=False)}</pre>'
