"""An executed notebook made ready for either engine: same figures, same texts, no machinery.

Texts of figures travel as metadata of their outputs; both engines read them as cell options
(`#| fig-alt`, `#| fig-cap`). What a page must not hold (a script, an error, a figure without its
text alternative) is refused here, before any engine runs. A notebook and its cells are what
`nbformat` reads.
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from opmq_lib.errors import Defect
from opmq_lib.site import markup, trace
from opmq_lib.site.outputs import OPTIONS, options_of

IMAGES = ("image/svg+xml", "image/png")
_ACTIVE_TAGS = ("script", "iframe", "object", "embed", "form", "base", "meta", "link")
_ACTIVE_KINDS = ("text/html", "text/markdown", "image/svg+xml")
_SUSPECT = (
    re.compile(f"<(?:{'|'.join(_ACTIVE_TAGS)})"),
    *map(re.compile, (r"on\w+\s*=", "javascript:", "&(?:#|colon|sol|tab|newline)")),
    re.compile(r"=(?<!href=)\s*[\"']?\s*(?:https?:)?//"),
)
"""What active content cannot do without, in lower case: pieces without it are not taken apart."""
_TITLE = re.compile(r"\A\s*# +(.+?) *(?:\{[^}]*\})?(?:\n|\Z)")
_SECTION = re.compile(r"\s*## ")


def opening(notebook: Any) -> tuple[str, str]:
    r"""Return the first heading of a notebook and the paragraph under it, each possibly empty.

    Examples:
        >>> from nbformat import v4
        >>> cell = v4.new_markdown_cell("# Emplois\n\nComment évoluent-ils ?\n\nSuite")
        >>> opening(v4.new_notebook(cells=[cell]))
        ('Emplois', 'Comment évoluent-ils ?')
    """
    for cell in notebook.cells:
        if match := _heading(_TITLE, cell):
            return match[1], cell.source[match.end() :].strip().partition("\n\n")[0]
    return "", ""


def prepare(notebook: Any, head: str, foot: str, files: Sequence[str]) -> dict[str, Any]:
    """Return the notebook that is published: between a head and a foot, texts as options.

    Args:
        notebook: An executed notebook without `defects`.
        head: Front matter and Markdown that come first; they carry the title.
        foot: Markdown that comes last.
        files: Addresses of what holds the tables of its figures.

    Returns:
        A new notebook: its own title and the cell that Papermill injected are left out, as are
        the traces of execution.
    """
    kept = [
        cell
        for cell in notebook.cells
        if "injected-parameters" not in cell.metadata.get("tags", ())
    ]
    kept = without_empty_sections(kept)
    first = next((cell for cell in kept if _heading(_TITLE, cell)), None)
    header, _, banner = head.partition("\n---\n")
    before = [_cell("raw", f"{header}\n---\n"), _cell("markdown", banner)]
    cells = [
        _prepared(cell, _TITLE.sub("", cell.source) if cell == first else cell.source, files)
        for cell in kept
    ]
    known = ("kernelspec", "language_info")
    return {
        "cells": [*before, *cells, _cell("markdown", foot)],
        "metadata": {key: notebook.metadata[key] for key in known if key in notebook.metadata},
        "nbformat": 4,
        "nbformat_minor": 4,
    }


def without_empty_sections(cells: Sequence[Any]) -> list[Any]:
    """Return cells without the headings under which every cell had something to show and did not.

    A page without register must not be a list of headings; prose that stands alone stays.

    Examples:
        >>> from nbformat import v4
        >>> nothing = v4.new_output("execute_result", {"text/html": ""})
        >>> heading = v4.new_markdown_cell("## Pourquoi")
        >>> why = [heading, v4.new_code_cell("f()", outputs=[nothing])]
        >>> len(without_empty_sections(why)), len(without_empty_sections([heading]))
        (0, 1)
    """
    starts = [n for n, cell in enumerate(cells) if _heading(_SECTION, cell)]
    kept = list(cells[: starts[0]] if starts else cells)
    for start, end in pairwise([*starts, len(cells)]):
        outputs = [cell.outputs for cell in cells[start:end] if cell.cell_type == "code"]
        if not outputs or any(_shows(output) for each in outputs for output in each):
            kept += cells[start:end]
    return kept


def drop_warnings(notebook: Any) -> list[int]:
    """Take out of a notebook what libraries wrote on standard error; return which cells did.

    A warning is for the researcher, and it names files of the machine that a reader must not see.

    Examples:
        >>> from nbformat import v4
        >>> warned = v4.new_output("stream", name="stderr", text="a.py: careful")
        >>> notebook = v4.new_notebook(cells=[v4.new_code_cell("f()", outputs=[warned])])
        >>> drop_warnings(notebook), notebook.cells[0].outputs
        ([1], [])
    """
    warned = []
    for number, cell in enumerate(notebook.cells, start=1):
        outputs = cell.get("outputs", [])
        shown = [output for output in outputs if output.get("name") != "stderr"]
        if len(shown) < len(outputs):
            cell.outputs = shown
            warned.append(number)
    return warned


def defects(notebook: Any, where: str) -> Iterator[Defect]:
    """Yield what a page must not hold.

    Args:
        notebook: An executed notebook.
        where: Its place, as the reader of the message would look for it.
    """
    for number, cell in enumerate(notebook.cells, start=1):
        place = f"{where}, cell {number}"
        if cell.cell_type != "code":
            yield from active_content(cell.source, place)
        for output in cell.get("outputs", ()):
            yield from _output_defects(output, place, "fig-alt" in options_of(cell.source))


def active_content(html: str, where: str) -> Iterator[Defect]:
    """Yield scripts, frames, event handlers, things loaded from elsewhere, tags without end.

    Examples:
        >>> [defect.value for defect in active_content('<p onclick="f()">a</p>', "page")]
        ['<p onclick>']
    """
    lower = html.lower()
    unclosed = markup.unclosed(html)
    if not unclosed and not any(each.search(lower) for each in _SUSPECT):
        return
    for tag, attributes in [*markup.tags(html), *((name, dict[str, str]()) for name in unclosed)]:
        active = [
            key
            for key, value in attributes.items()
            if key.startswith("on")
            or value.lower().startswith("javascript:")
            or (key in markup.LOADING and markup.ELSEWHERE.match(value))
        ]
        if tag in _ACTIVE_TAGS or tag in unclosed or active:
            yield Defect(
                where=where,
                what="active or external content in a page",
                expected="HTML without scripts, frames, handlers or anything loaded from elsewhere",
                fix="show a table, a text or a figure of the library instead",
                value=f"<{' '.join([tag, *active])}>",
            )


def _output_defects(output: Any, where: str, has_text: bool) -> Iterator[Defect]:
    if output.output_type == "error":
        yield Defect(
            where=where,
            what="the cell ended in an error",
            expected="a notebook executed to its end",
            fix="correct the notebook and run it again",
            value=f"{output.ename}: {output.evalue}",
        )
    data = output.get("data", {})
    for kind in _ACTIVE_KINDS:
        yield from active_content(data.get(kind, ""), where)
    if outside := [kind for kind in data if kind.startswith("application/")]:
        yield Defect(
            where=where,
            what="an output that needs a program to be shown",
            expected="HTML, Markdown, SVG, PNG or text",
            fix="show a table or a figure of the library instead",
            value=", ".join(outside),
        )
    if _is_figure(output) and not has_text and not _texts(output)[0]:
        yield Defect(
            where=where,
            what="a figure without text alternative",
            expected="a French text",
            fix="give the figure a text alternative (`figures` returns it with the drawing)",
        )


def _prepared(cell: Any, source: str, files: Sequence[str]) -> dict[str, Any]:
    """Return a cell without traces of execution, texts of its figures as options."""
    if cell.cell_type != "code":
        return _cell(cell.cell_type, source)
    known = options_of(source)
    texts = zip(*(_texts(output) for output in cell.outputs if _is_figure(output)), strict=True)
    lines = [
        f"#| {key}: {json.dumps(values[0] if len(values) == 1 else values, ensure_ascii=False)}"
        for key, values in zip(OPTIONS, texts, strict=False)  # no text without figure
        if any(values) and key not in known
    ]
    return _cell("code", "\n".join([*lines, source])) | {
        "execution_count": cell.execution_count,
        "outputs": [each for output in cell.outputs for each in _linked(output, files)],
    }


def _linked(output: Any, files: Sequence[str]) -> Iterator[Any]:
    """Yield an output, a figure with its link to where its page says how it was made."""
    shown = output.get("data", {}).get("text/html", "")
    if "</figure>" in shown:
        yield _html(trace.linked(shown, files))
        return
    yield output
    if _is_figure(output):
        yield _html(trace.link())


def _html(html: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {"text/html": html}, "metadata": {}}


def _cell(kind: str, source: str) -> dict[str, Any]:
    """Return a cell, its source a list of lines: Quarto loses the line ends of a single text."""
    return {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True)}


def _heading(pattern: re.Pattern[str], cell: Any) -> re.Match[str] | None:
    return pattern.match(cell.source) if cell.cell_type == "markdown" else None


def _shows(output: Any) -> bool:
    return output.get("data", {}).get("text/html", "shown") != "" or _is_figure(output)


def _is_figure(output: Any) -> bool:
    return any(kind in output.get("data", {}) for kind in IMAGES)


def _texts(output: Any) -> tuple[str, str]:
    """Return the text alternative of a figure and its caption."""
    texts = [output.metadata.get(kind, {}).get("alt", "") for kind in IMAGES]
    return max(texts), output.metadata.get("opmq", {}).get("caption", "")
