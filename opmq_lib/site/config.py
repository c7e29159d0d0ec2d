"""The keys of `_quarto.yml` that the embedded engine knows; another key gives a warning.

Both engines read the same file. `DEFAULTS` is the whole subset, with what each key does here.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import yaml

DEFAULTS: Final[dict[str, Any]] = {
    "project.type": "website",
    "project.output-dir": "_site",  # folder of the finished site, inside the project
    "project.render": ["*.qmd", "*.ipynb"],  # patterns of the pages; a leading `!` leaves out
    "project.resources": [],  # patterns of the files copied as they are
    "lang": "en",
    "language.toc-title-document": "Sur cette page",
    "language.search-label": "Rechercher",
    "language.search-no-results-text": "Aucun résultat",
    "language.skip-to-content": "Aller au contenu",
    "website.title": "",  # in the header and in the title of every page
    "website.description": "",  # of pages that have none
    "website.search": False,  # a search box on every page; also `website.navbar.search`
    "website.navbar.search": False,
    "website.navbar.left": [],  # entries of the navigation: `text`, `href`
    "website.page-footer.left": "",  # Markdown at the foot of every page
    "website.page-footer.right": "",
    "format.html.css": "",  # style sheet, relative to the project
    "format.html.toc": False,  # contents of each page
    "format.html.toc-depth": 3,  # deepest heading in the contents: 2 or 3
    "format.html.theme": "",  # Quarto only, as the next ones
    "format.html.html-math-method": "",
    "format.html.html-table-processing": "none",
    "website.page-navigation": False,  # only `false`, as the next ones
    "website.bread-crumbs": False,  # pages carry their own
    "execute.enabled": False,  # notebooks are published as they were executed
    "execute.echo": False,  # code is in the notebook that readers download
    "execute.warning": False,
}


def read(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the settings of a project by dotted key, and a warning per key outside the subset.

    Args:
        path: A `_quarto.yml`.
    """
    written = dict(_flat(yaml.safe_load(path.read_text(encoding="utf-8")) or {}))
    entries = written.get("website.navbar.left", [])
    refused = [key for key in list(DEFAULTS)[-5:] if written.get(key)]
    unknown = [*refused, *(key for key in written if key not in DEFAULTS)]
    unknown += [f"website.navbar.left.{key}" for key in set().union(*entries) - {"text", "href"}]
    outside = "is outside what the embedded engine reads; ignored"
    return DEFAULTS | written, [f"{path.name}: `{key}` {outside}" for key in unknown]


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
