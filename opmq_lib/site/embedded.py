"""The embedded engine: a staged project in, a website out, where Quarto is absent.

It reads the same `_quarto.yml`, pages (`.qmd`) and executed notebooks as Quarto, within a written
subset: keys in `config.KEYS`, Markdown in `markdown`, cell options in `notebook.OPTIONS`, front
matter in `FRONT_MATTER`. What lies outside gives one warning that names the file and the key or
line. Nothing is executed, nothing is fetched, and the same inputs give the same bytes.
"""

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from opmq_lib.site import config, markdown, markup, notebook, search
from opmq_lib.site.config import Config

THEME = Path(__file__).parent / "theme"
ASSETS = ("page.css", "page.js")
FRONT_MATTER = ("title", "subtitle", "pagetitle", "description", "toc")
PAGE_ENDINGS = (".qmd", ".ipynb")
_HEADER = re.compile(r"---\n(.*?)\n---\s*?(?:\n|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """One page before it is laid out.

    Attributes:
        source: Its file, relative to the project.
        href: Its address, relative to the root of the site.
        header: Its front matter.
        body: Its content, links still to `.qmd` and `.ipynb`.
        figures: Content of its figures, by path in the site.
        warnings: What lies outside the subset, file named.
    """

    source: str
    href: str
    header: dict[str, Any]
    body: str
    figures: dict[str, bytes]
    warnings: tuple[str, ...]


def build(project: Path) -> list[str]:
    """Build the website of a staged project in its `project: output-dir`.

    Args:
        project: Folder that holds `_quarto.yml`, pages, notebooks and resources.

    Returns:
        One warning for each thing outside the subset.
    """
    settings, warnings = config.read(project / "_quarto.yml")
    out = project / settings.output_dir
    sources = sorted(_sources(project, settings))
    template = _template()
    index: list[search.Entry] = []
    for source in sources:
        page = read_page(project, source, settings)
        warnings += page.warnings
        for path, content in page.figures.items():
            _write(out / path, content)
        body = linked(page.body, source, frozenset(sources))
        _write(out / page.href, lay_out(page, body, settings, template).encode())
        index += search.entries(page.href, full_title(page.header), page.body)
    _write(out / search.INDEX, search.script(index).encode())
    _copy_resources(project, out, settings)
    return warnings


def read_page(project: Path, source: str, settings: Config) -> Page:
    """Return one page of a project, rendered but not laid out.

    Args:
        project: Folder of the project.
        source: A `.qmd` or `.ipynb` of it, relative to it.
        settings: The project's configuration.
    """
    content = (project / source).read_text(encoding="utf-8")
    if source.endswith(".ipynb"):
        shown = notebook.read(
            json.loads(content),
            echo=settings.echo,
            warning=settings.warning,
            up="../" * source.count("/"),
        )
    else:
        shown = notebook.Source(content, {}, {}, (), ())
    header, text = split_header(shown.text)
    rendered = markdown.render(text, settings.labels)
    body = rendered.html
    for placeholder, html in shown.outputs.items():
        body = body.replace(placeholder, html)
    skipped = shown.text.count("\n") - text.count("\n")
    warnings = [
        *shown.warnings,
        *(f"front matter: `{key}` is outside" for key in header if key not in FRONT_MATTER),
        *(f"{shown.place(line + skipped)}: {what} is outside" for line, what in rendered.outside),
    ]
    return Page(
        source,
        posixpath.splitext(source)[0] + ".html",
        header,
        body,
        shown.figures,
        tuple(f"{source}, {warning} what the embedded engine reads" for warning in warnings),
    )


def lay_out(page: Page, body: str, settings: Config, template: Template) -> str:
    """Return the whole HTML of a page.

    Args:
        page: The page.
        body: Its content, links already to `.html`.
        settings: The project's configuration.
        template: `theme/page.html`.
    """
    up = "../" * page.href.count("/")
    title = str(page.header.get("title", ""))
    contents = [
        heading
        for heading in markup.headings(body)
        if 2 <= heading[0] <= settings.toc_depth and heading[1]
    ]
    wanted = page.header.get("toc", settings.toc) and len(contents) > 1
    return template.render(
        settings=settings,
        subtitle=page.header.get("subtitle", ""),
        up=up,
        title=title,
        pagetitle=page.header.get("pagetitle") or f"{title} – {settings.title}",
        description=page.header.get("description") or settings.description,
        body=Markup(body),
        contents=contents if wanted else [],
        navigation=[
            (link.text, up + _html_of(link.href), _html_of(link.href) == page.href)
            for link in settings.navigation
        ],
        footer=[_footer(text, up) for text in settings.footer],
        search_index=up + search.INDEX,
    )


def linked(body: str, source: str, sources: frozenset[str]) -> str:
    """Return a page whose links to other sources of the project lead to their pages.

    Examples:
        >>> linked('<a href="../index.qmd#a">Accueil</a>', "b/c.qmd", frozenset({"index.qmd"}))
        '<a href="../index.html#a">Accueil</a>'
    """
    return "".join(
        _linked(token, source, sources) if markup.name(token) == "a" else token
        for token in markup.tokens(body)
    )


def full_title(header: dict[str, Any]) -> str:
    """Return the title of a page with its subtitle, which says the branch.

    Examples:
        >>> full_title({"title": "Emplois", "subtitle": "Chimie"})
        'Emplois – Chimie'
    """
    return " – ".join(str(header[key]) for key in ("title", "subtitle") if header.get(key))


def split_header(text: str) -> tuple[dict[str, Any], str]:
    r"""Return the front matter of a page, and the Markdown under it.

    Examples:
        >>> split_header("---\ntitle: Accueil\n---\n\nTexte")
        ({'title': 'Accueil'}, '\nTexte')
    """
    match = _HEADER.match(text)
    return (yaml.safe_load(match[1]) or {}, text[match.end() :]) if match else ({}, text)


def _sources(project: Path, settings: Config) -> Iterator[str]:
    for path in project.rglob("*"):
        relative = path.relative_to(project).as_posix()
        hidden = any(part[0] in "._" for part in relative.split("/"))
        inside = relative.startswith(settings.output_dir + "/")
        is_page = path.suffix in PAGE_ENDINGS and not hidden and not inside
        if is_page and config.selected(relative, settings.render):
            yield relative


def _linked(tag: str, source: str, sources: frozenset[str]) -> str:
    href = markup.attributes(tag).get("href", "")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(source), href.split("#")[0]))
    return tag.replace(f'"{href}"', f'"{_html_of(href)}"') if target in sources else tag


def _html_of(href: str) -> str:
    return re.sub(r"\.(?:qmd|ipynb)(?=#|$)", ".html", href)


def _footer(text: str, up: str) -> Markup:
    html = markdown.render(text).html
    return Markup(re.sub(r'href="(?!\w+:)', f'href="{up}', _html_of_links(html)))


def _html_of_links(html: str) -> str:
    return re.sub(r'\.(?:qmd|ipynb)(?=[#"])', ".html", html)


def _copy_resources(project: Path, out: Path, settings: Config) -> None:
    for path in sorted(project.rglob("*")):
        relative = path.relative_to(project).as_posix()
        wanted = relative in settings.css or config.selected(relative, settings.resources)
        if path.is_file() and wanted and not relative.startswith(settings.output_dir + "/"):
            _write(out / relative, path.read_bytes())
    for name in ASSETS:
        _write(out / "theme" / name, (THEME / name).read_bytes())


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(THEME),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")
