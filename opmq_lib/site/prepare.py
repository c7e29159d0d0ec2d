"""An executed notebook made ready for either engine: same figures, same texts, no machinery.

Texts of figures travel as metadata of their outputs; both engines read them as cell options
(`#| fig-alt`, `#| fig-cap`). What a page must not hold (a script, an error, a figure without its
text alternative) is refused here, before any engine runs.
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from opmq_lib.errors import Defect
from opmq_lib.site import markup
from opmq_lib.site.notebook import joined, split_options

IMAGES = ("image/svg+xml", "image/png")
_ACTIVE_TAGS = ("script", "iframe", "object", "embed", "form", "base", "meta", "link")
_TITLE = re.compile(r"\A\s*# +(?P<title>.+?) *(?:\{[^}]*\})?(?:\n|\Z)")
_ALTERNATIVE_FIX = "give the figure a text alternative (`figures` returns it with the drawing)"


def title(notebook: dict[str, Any], default: str) -> str:
    r"""Return the first heading of a notebook, or `default`.

    Examples:
        >>> title({"cells": [{"cell_type": "markdown", "source": "# Emplois\nTexte"}]}, "")
        'Emplois'
    """
    for cell in notebook["cells"]:
        match = _TITLE.match(joined(cell["source"]))
        if cell["cell_type"] == "markdown" and match:
            return match["title"]
    return default


def prepare(notebook: dict[str, Any], head: str, foot: str) -> dict[str, Any]:
    """Return the notebook that is published: between a head and a foot, texts as options.

    Args:
        notebook: An executed notebook without `defects`.
        head: Front matter and Markdown that come first; they carry the title.
        foot: Markdown that comes last.

    Returns:
        A new notebook: its own title and the cell that Papermill injected are left out, as are
        the traces of execution.
    """
    kept = without_empty_sections(notebook["cells"])
    cells = [_prepared(cell) for cell in kept if not _is_injected(cell)]
    first = next((cell for cell in cells if _has_title(cell)), None)
    if first:
        first["source"] = _TITLE.sub("", joined(first["source"]), count=1)
    header, _, banner = head.partition("\n---\n")
    return {
        "cells": [
            _cell("raw", header + "\n---\n"),
            _cell("markdown", banner),
            *cells,
            _cell("markdown", foot),
        ],
        "metadata": {
            key: notebook["metadata"][key]
            for key in ("kernelspec", "language_info")
            if key in notebook["metadata"]
        },
        "nbformat": 4,
        "nbformat_minor": 4,
    }


def without_empty_sections(cells: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return cells without the headings under which every cell had something to show and did not.

    A page without register must not be a list of headings; prose that stands alone stays.

    Examples:
        >>> nothing = {"output_type": "execute_result", "data": {"text/html": ""}}
        >>> heading, empty = {"cell_type": "markdown", "source": "## Pourquoi"}, [nothing]
        >>> why = [heading, {"cell_type": "code", "source": "f()", "outputs": empty}]
        >>> len(without_empty_sections(why)), len(without_empty_sections([heading]))
        (0, 1)
    """
    starts = [n for n, cell in enumerate(cells) if _has_heading(cell)]
    kept = list(cells[: starts[0]] if starts else cells)
    for start, end in pairwise([*starts, len(cells)]):
        section = cells[start:end]
        told = [cell for cell in section if cell["cell_type"] == "code"]
        if not told or any(_shows(output) for cell in told for output in cell["outputs"]):
            kept += section
    return kept


def _has_heading(cell: dict[str, Any]) -> bool:
    return cell["cell_type"] == "markdown" and joined(cell["source"]).lstrip().startswith("## ")


def _shows(output: dict[str, Any]) -> bool:
    data = output.get("data", {})
    return joined(data.get("text/html", "shown")) != "" or any(kind in data for kind in IMAGES)


def without_warnings(notebook: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
    """Return a notebook without what libraries wrote on standard error, and which cells did.

    A warning is for the researcher, and it names files of the machine that a reader must not see.

    Examples:
        >>> warned = {"output_type": "stream", "name": "stderr", "text": "a.py: careful"}
        >>> cell = {"cell_type": "code", "source": "f()", "outputs": [warned]}
        >>> kept, cells = without_warnings({"cells": [cell]})
        >>> kept["cells"][0]["outputs"], cells
        ([], [1])
    """
    kept, warned = [], []
    for number, cell in enumerate(notebook["cells"], start=1):
        outputs = cell.get("outputs", [])
        shown = [output for output in outputs if output.get("name") != "stderr"]
        kept.append(cell | {"outputs": shown} if len(shown) < len(outputs) else cell)
        warned += [number] if len(shown) < len(outputs) else []
    return notebook | {"cells": kept}, warned


def defects(notebook: dict[str, Any], where: str) -> Iterator[Defect]:
    """Yield what a page must not hold.

    Args:
        notebook: An executed notebook.
        where: Its place, as the reader of the message would look for it.
    """
    for number, cell in enumerate(notebook["cells"], start=1):
        place = f"{where}, cell {number}"
        if cell["cell_type"] == "code":
            for output in cell["outputs"]:
                yield from _output_defects(output, place, cell)
        else:
            yield from active_content(joined(cell["source"]), place)


def active_content(html: str, where: str) -> Iterator[Defect]:
    """Yield scripts, frames, event handlers and things loaded from elsewhere.

    Examples:
        >>> [defect.value for defect in active_content('<p onclick="f()">a</p>', "page")]
        ['<p onclick>']
    """
    for token in markup.tokens(html):
        tag = markup.name(token)
        if not tag or token.startswith("</"):
            continue
        attributes = markup.attributes(token)
        found = [key for key in attributes if key.startswith("on")]
        found += [
            key for key, value in attributes.items() if value.lower().startswith("javascript:")
        ]
        found += [
            key
            for key in ("src", "srcset", "data", "poster", "background")
            if re.match(r"(?:https?:)?//", attributes.get(key, ""))
        ]
        if tag in _ACTIVE_TAGS or found:
            yield Defect(
                where=where,
                what="active or external content in a page",
                expected="HTML without scripts, frames, handlers or anything loaded from elsewhere",
                fix="show a table, a text or a figure of the library instead",
                value=f"<{' '.join([tag, *found])}>",
            )


def _output_defects(output: dict[str, Any], where: str, cell: dict[str, Any]) -> Iterator[Defect]:
    if output["output_type"] == "error":
        yield Defect(
            where=where,
            what="the cell ended in an error",
            expected="a notebook executed to its end",
            fix="correct the notebook and run it again",
            value=f"{output['ename']}: {output['evalue']}",
        )
    data = output.get("data", {})
    for kind in ("text/html", "text/markdown", "image/svg+xml"):
        yield from active_content(joined(data.get(kind, "")), where)
    outside = [kind for kind in data if kind.startswith("application/")]
    if outside:
        yield Defect(
            where=where,
            what="an output that needs a program to be shown",
            expected="HTML, Markdown, SVG, PNG or text",
            fix="show a table or a figure of the library instead",
            value=", ".join(outside),
        )
    has_own_text = "fig-alt" in split_options(joined(cell["source"]))[0]
    if _is_figure(output) and not _alternative(output) and not has_own_text:
        yield Defect(where, "a figure without text alternative", "a French text", _ALTERNATIVE_FIX)


def _prepared(cell: dict[str, Any]) -> dict[str, Any]:
    """Return a cell without traces of execution, texts of its figures as options."""
    source = joined(cell["source"])
    if cell["cell_type"] != "code":
        return _cell(cell["cell_type"], source)
    figures = [output for output in cell["outputs"] if _is_figure(output)]
    texts = {
        "fig-alt": [_alternative(output) for output in figures],
        "fig-cap": [output["metadata"].get("opmq", {}).get("caption", "") for output in figures],
    }
    known, _ = split_options(source)
    lines = [
        f"#| {key}: {json.dumps(_one_or_many(values), ensure_ascii=False)}"
        for key, values in texts.items()
        if any(values) and key not in known
    ]
    return _cell("code", "\n".join([*lines, source])) | {
        "execution_count": cell["execution_count"],
        "outputs": cell["outputs"],
    }


def _one_or_many(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _is_figure(output: dict[str, Any]) -> bool:
    return any(kind in output.get("data", {}) for kind in IMAGES)


def _alternative(output: dict[str, Any]) -> str:
    texts = (output["metadata"].get(kind, {}).get("alt") for kind in IMAGES)
    return next((text for text in texts if text), "")


def _is_injected(cell: dict[str, Any]) -> bool:
    return "injected-parameters" in cell["metadata"].get("tags", [])


def _has_title(cell: dict[str, Any]) -> bool:
    return cell["cell_type"] == "markdown" and bool(_TITLE.match(joined(cell["source"])))


def _cell(kind: str, source: str) -> dict[str, Any]:
    return {"cell_type": kind, "metadata": {}, "source": source}
