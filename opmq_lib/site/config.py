"""The keys of `_quarto.yml` that the embedded engine reads; a key outside them gives a warning.

Both engines read the same file. `KEYS` is the written subset: what each key does here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

KEYS = {
    "project.type": "`website`",
    "project.output-dir": "folder of the finished site, inside the project",
    "project.render": "patterns of the pages; a leading `!` leaves out",
    "project.resources": "patterns of the files copied as they are",
    "lang": "language of every page",
    "language.*": "labels: see `LABELS`",
    "website.title": "name of the site, in the header and in every page title",
    "website.description": "description of pages that have none",
    "website.navbar.left.text": "entry of the navigation",
    "website.navbar.left.href": "its page, relative to the project",
    "website.navbar.search": "`true`: a search box on every page",
    "website.search": "`true`, as for the navigation",
    "website.page-footer.left": "Markdown at the foot of every page",
    "website.page-footer.right": "Markdown at the foot of every page",
    "website.page-navigation": "only `false`",
    "website.bread-crumbs": "only `false`: pages carry their own",
    "execute.echo": "show the code of notebooks",
    "execute.warning": "show what notebooks wrote on standard error",
    "execute.enabled": "only `false`: notebooks are published as they were executed",
    "format.html.css": "style sheets, relative to the project",
    "format.html.toc": "contents of each page",
    "format.html.toc-depth": "deepest heading in the contents",
    "format.html.theme": "Quarto only: the embedded engine has its own page layout",
    "format.html.html-math-method": "Quarto only: maths are outside the Markdown subset",
    "format.html.html-table-processing": "only `none`: tables stay as notebooks wrote them",
    "format.html.fig-responsive": "only `true`",
    "format.html.anchor-sections": "Quarto only",
}
LABELS = {
    "toc-title-document": "Sur cette page",
    "search-label": "Rechercher",
    "search-no-results-text": "Aucun résultat",
    "callout-note-title": "Note",
    "callout-tip-title": "Conseil",
    "callout-important-title": "Important",
    "callout-warning-title": "Attention",
    "callout-caution-title": "Prudence",
    "code-summary": "Code",
    "skip-to-content": "Aller au contenu",
}


@dataclass(frozen=True)
class Link:
    """One entry of the navigation: its words and its page, relative to the project."""

    text: str
    href: str


@dataclass(frozen=True)
class Config:
    """What the embedded engine knows of a project."""

    lang: str
    title: str
    description: str
    navigation: tuple[Link, ...]
    footer: tuple[str, ...]
    output_dir: str
    render: tuple[str, ...]
    resources: tuple[str, ...]
    css: tuple[str, ...]
    toc: bool
    toc_depth: int
    search: bool
    echo: bool
    warning: bool
    labels: dict[str, str] = field(default_factory=dict)


def read(path: Path) -> tuple[Config, list[str]]:
    """Return the configuration of a project and one warning per key outside the subset.

    Args:
        path: A `_quarto.yml`.
    """
    source = path.read_text(encoding="utf-8")
    warnings = [
        f"{path.name}, line {line}: `{key}` is outside what the embedded engine reads; ignored"
        for key, line in _unknown(yaml.compose(source, yaml.SafeLoader))
    ]
    return parse(yaml.safe_load(source) or {}), warnings


def parse(data: dict[str, Any]) -> Config:
    """Return the configuration that parsed YAML describes; what it leaves out has its default.

    Examples:
        >>> parse({"lang": "fr", "website": {"title": "Observatoire"}}).title
        'Observatoire'
    """
    project, website = data.get("project", {}), data.get("website", {})
    html = data.get("format", {}).get("html", {})
    execute, navbar = data.get("execute", {}), website.get("navbar", {})
    footer = website.get("page-footer", {})
    css = html.get("css", [])
    return Config(
        lang=data.get("lang", "en"),
        title=website.get("title", ""),
        description=website.get("description", ""),
        navigation=tuple(Link(item["text"], item["href"]) for item in navbar.get("left", [])),
        footer=tuple(footer[side] for side in ("left", "right") if side in footer),
        output_dir=project.get("output-dir", "_site"),
        render=tuple(project.get("render", ["*.qmd", "*.ipynb"])),
        resources=tuple(project.get("resources", [])),
        css=tuple([css] if isinstance(css, str) else css),
        toc=bool(html.get("toc", False)),
        toc_depth=int(html.get("toc-depth", 3)),
        search=bool(navbar.get("search", website.get("search", False))),
        echo=bool(execute.get("echo", True)),
        warning=bool(execute.get("warning", True)),
        labels=LABELS | data.get("language", {}),
    )


def selected(path: str, patterns: tuple[str, ...]) -> bool:
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


def _unknown(node: yaml.Node | None, above: str = "") -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _unknown(item, above)
    if not isinstance(node, yaml.MappingNode):
        return
    for key_node, value in node.value:
        key = f"{above}.{key_node.value}".lstrip(".")
        if any(known.startswith(f"{key}.") for known in KEYS):
            yield from _unknown(value, key)
        elif not _is_known(key):
            yield key, key_node.start_mark.line + 1


def _is_known(key: str) -> bool:
    if key.startswith("language."):
        return key.removeprefix("language.") in LABELS
    return key in KEYS
