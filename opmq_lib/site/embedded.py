"""The embedded engine: a staged project in, a website out, where Quarto is absent.

It reads the same `_quarto.yml`, pages (`.qmd`) and executed notebooks as Quarto, within a written
subset: keys in `config.DEFAULTS`, Markdown in `markdown`, cell options in `outputs.OPTIONS`, front
matter in `FRONT_MATTER`. What lies outside gives one warning that names the file and the key or
line. Nothing is executed, nothing is fetched, and the same inputs give the same bytes.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import FileSystemLoader, Template

from opmq_lib.runs import folders
from opmq_lib.show import words
from opmq_lib.site import config, markdown, outputs, search

HERE = Path(__file__).parent
LAYOUT = "theme/page.css"
FRONT_MATTER = ("title", "subtitle", "pagetitle", "description", "toc")


@dataclass
class Page:
    """One page before it is laid out.

    Attributes:
        href: Its address, relative to the root of the site.
        header: Its front matter.
        body: Its content.
        figures: Content of its figures, by path in the site.
        warnings: What lies outside the subset, file named.
    """

    href: str
    header: dict[str, Any] = field(default_factory=dict)
    body: str = ""
    figures: dict[str, bytes] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def build(project: Path) -> tuple[dict[str, str], list[str]]:
    """Return the pages of a staged project; write all else in its `project: output-dir`.

    Args:
        project: Folder that holds `_quarto.yml`, pages, notebooks and resources.

    Returns:
        The pages by address, one warning for each thing outside the subset.
    """
    settings, warnings = config.read(project / "_quarto.yml")
    out = project / settings["project.output-dir"]
    template, pages = _template(settings), dict[str, str]()
    for source in config.files(project, settings):
        if config.is_page(source, settings):
            page = read_page(project, source)
            warnings += page.warnings
            for name, content in page.figures.items():
                folders.write(out / name, content)
            pages[page.href] = lay_out(page, settings, template)
        elif config.selected(source, [settings["format.html.css"], *settings["project.resources"]]):
            folders.write(out / source, (project / source).read_bytes())
    folders.write(out / LAYOUT, (HERE / LAYOUT).read_bytes())
    return pages, warnings


def read_page(project: Path, source: str) -> Page:
    """Return one page of a project, rendered but not laid out.

    Args:
        project: Folder of the project.
        source: A `.qmd` or `.ipynb` of it, relative to it.
    """
    text = (project / source).read_text(encoding="utf-8")
    if is_notebook := source.endswith(".ipynb"):
        cells = outputs.staged(text).cells
    else:
        cells = [SimpleNamespace(cell_type="markdown", source=text)]
    page, outside, names = Page(markdown.address(source)), list[str](), Counter[str]()
    up = "../" * source.count("/")
    for number, cell in enumerate(cells, start=1):
        if cell.cell_type == "code":
            shown = outputs.show(cell, up)
            html = shown.html
            outside += [f"cell {number}: {what}" for what in shown.outside]
            page.figures |= shown.figures
        else:
            # front matter stands in the first cell alone
            rendered = markdown.render("\n" * (number > 1) + cell.source, up, names)
            html = rendered.html
            for line, what in rendered.outside:
                place = f"cell {number}" if is_notebook else f"line {line}"
                outside.append(f"{place}: {what}")
            page.header |= rendered.header
        page.body += f"{html}\n"
    outside += [f"front matter: `{key}`" for key in page.header if key not in FRONT_MATTER]
    what_for = "is outside what the embedded engine reads"
    page.warnings = [f"{source}, {what} {what_for}" for what in outside]
    return page


def lay_out(page: Page, settings: dict[str, Any], template: Template) -> str:
    """Return the whole HTML of a page.

    Args:
        page: The page.
        settings: The project's configuration.
        template: `theme/page.html`.
    """
    deepest = settings["format.html.toc-depth"]
    wanted = page.header.get("toc", settings["format.html.toc"])
    found = search.headings(page.body) if wanted else []
    contents = [each for each in found if each.level <= deepest]
    up = "../" * page.href.count("/")
    return template.render(page=page, up=up, contents=contents if len(contents) > 1 else [])


def _template(settings: dict[str, Any]) -> Template:
    environment = words.environment(loader=FileSystemLoader(HERE / "theme"))
    known = {"settings": settings, "address": markdown.address}
    environment.globals |= known | {"markdown": markdown.render}
    return environment.get_template("page.html")
