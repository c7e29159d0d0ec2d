"""The keys of `_quarto.yml` that the embedded engine knows; another key gives a warning.

Both engines read the same file. `DEFAULTS` is the whole subset, with what each key does here.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import yaml

from opmq_lib.sources.yaml_model import Reading
from opmq_lib.sources.yaml_text import Document, Key

ONLY_FALSE: Final = (
    "website.page-navigation",
    "website.search",  # pages carry their own, which answers without a server too
    "website.bread-crumbs",  # pages carry their own
    "execute.enabled",  # notebooks are published as they were executed
    "execute.echo",  # code is in the notebook that readers download
    "execute.warning",
)
"""Keys that may say nothing else than `false`."""

DEFAULTS: Final[dict[str, Any]] = {
    "project.type": "website",
    "project.output-dir": "_site",  # folder of the finished site, inside the project
    "project.render": ["*.qmd", "*.ipynb"],  # patterns of the pages; a leading `!` leaves out
    "project.resources": [],  # patterns of the files copied as they are
    "lang": "en",
    "language.toc-title-document": "Sur cette page",
    "website.title": "",  # in the header and in the title of every page
    "website.description": "",  # of pages that have none
    "website.navbar.left": [],  # entries of the navigation: `text`, `href`
    "website.page-footer.left": "",  # Markdown at the foot of every page; links as `/a.qmd`
    "website.page-footer.right": "",
    "format.html.css": "",  # style sheet, relative to the project
    "format.html.toc": False,  # contents of each page
    "format.html.toc-depth": 3,  # deepest heading in the contents: 2 or 3
    "format.html.theme": "",  # Quarto only, as the next ones
    "format.html.html-math-method": "",
    "format.html.html-table-processing": "none",
    **dict.fromkeys(ONLY_FALSE, False),
}


def read(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the settings of a project by dotted key, and a warning per key outside the subset.

    Args:
        path: A `_quarto.yml`.
    """
    text = path.read_text(encoding="utf-8")
    written = dict(_flat(yaml.safe_load(text) or {}))
    refused = [key for key in ONLY_FALSE if written.get(key)]
    outside = [*refused, *(key for key in written if key not in DEFAULTS)]
    unknown: list[Key] = [tuple(key.split(".")) for key in outside]
    unknown += [
        ("website", "navbar", "left", position, key)
        for position, entry in enumerate(written.get("website.navbar.left", []))
        for key in entry
        if key not in ("text", "href")
    ]
    tree = yaml.compose(text)
    at = Reading[Any](path.name, document=Document(None, tree, ()) if tree else None).at
    ignored = "is outside what the embedded engine reads; ignored"
    return DEFAULTS | written, [f"{at(key)} {ignored}" for key in unknown]


def files(project: Path, settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files of a project, hidden ones and its finished site left out."""
    for path in sorted(project.rglob("*")):
        source = path.relative_to(project).as_posix()
        is_hidden = any(part[0] in "._" for part in source.split("/"))
        is_built = source.startswith(f"{settings['project.output-dir']}/")
        if path.is_file() and not is_hidden and not is_built:
            yield source


def is_page(source: str, settings: Mapping[str, Any]) -> bool:
    """Return whether a file of a project is the source of a page."""
    return source.endswith((".qmd", ".ipynb")) and selected(source, settings["project.render"])


def selected(path: str, patterns: Sequence[str]) -> bool:
    """Return whether a path of the project matches patterns; the last one that matches decides.

    Examples:
        >>> selected("branches/chimie/index.qmd", ("*.qmd", "!brouillons/"))
        True
        >>> selected("brouillons/a.qmd", ("*.qmd", "!brouillons/"))
        False
    """
    keep = False
    for pattern in patterns:
        wanted = pattern.removeprefix("!").removeprefix("/")
        if fnmatch(path, f"{wanted}*" if wanted.endswith("/") else wanted):
            keep = not pattern.startswith("!")
    return keep


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
