"""Writes an edition as a plain Quarto project: pages, prepared notebooks, files to download.

Both engines read the same project. `theme/` and `telechargements/` are copied as they are; the
French prose of generated pages is in `pages/*.qmd`, what they show is read by `content`.
"""

import json
import re
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from opmq_lib import tables
from opmq_lib.errors import DataError
from opmq_lib.runs import folders
from opmq_lib.show import french, words
from opmq_lib.site import content, files, outputs, past, prepare, trace
from opmq_lib.site.manifest import Manifest, Run, read_file

HERE = Path(__file__).parent
SINGLE_PAGES = ("index", "methode", "donnees", "dictionnaire", "accessibilite", "mentions-legales")
STYLE = "theme/opmq.css"
_BESIDE: Final = re.compile(r'<a href=\\"(\d\d_\w+)\.html\\">(.*?)</a>')
"""A link of a notebook, as its file holds it, to another page of its branch."""


def stage(root: Path, manifest: Manifest, folder: Path, engine: str) -> tuple[int, list[str]]:
    """Write the project of an edition's site.

    Args:
        root: Root of the study; its `_quarto.yml` is copied.
        manifest: What there is to publish.
        folder: An empty folder.
        engine: Which engine will read it; only what the pages say of it depends on it.

    Returns:
        How many pages there are, and which cells wrote on standard error.

    Raises:
        ConfidentialityError: If a file is no longer the one that the manifest has checked.
        DataError: Listing everything that pages must not hold, in every notebook.
    """
    from opmq_lib.site import metiers  # the calculations: not loaded where no site is built

    jinja = environment(manifest, engine)
    templates = jinja.get_template
    sizes, defects = files.write(
        manifest, folder, templates("lisez-moi.txt"), [str(root.resolve())]
    )
    summaries = content.summaries(manifest)
    jinja.globals |= {"sizes": sizes, "summaries": summaries}
    pages = {f"{name}.qmd": templates(f"{name}.qmd").render() for name in SINGLE_PAGES}
    pages["branches/index.qmd"] = templates("branches.qmd").render()
    for each, said in summaries:
        page = templates("branche.qmd").render(branch=each, s=said)
        pages[f"branches/{each.code}/index.qmd"] = page
    pages |= metiers.pages(root, manifest, templates, folder)
    warnings: list[str] = []
    for branch, run in manifest.runs:
        context: dict[str, Any] = {"branch": branch, "run": run, "title": run.question.title}
        path = f"branches/{run.name}" if branch is not None else run.name
        if run.status != "ok":
            pages[f"{path}.qmd"] = templates("absent.qmd").render(context)
            continue
        text = read_file(run, f"{run.notebook}.ipynb").decode()
        beside = manifest.common if branch is None else branch.runs
        notebook = outputs.read(_BESIDE.sub(partial(_kept, beside), text))
        defects += prepare.defects(notebook, f"{run.name}.ipynb")
        warnings += _warned(run, notebook)
        context["title"] = prepare.opening(notebook)[0] or run.question.title
        context["steps"] = trace.steps(notebook.cells)
        head, foot = (templates(f"{name}.qmd").render(context) for name in ("avant", "apres"))
        up = "../" * path.count("/")
        data = [f"{up}{each}" for each in content.table_files(run.branch_code)]
        prepared = prepare.prepare(notebook, head, foot, data)
        pages[f"{path}.ipynb"] = json.dumps(prepared, ensure_ascii=False)
    DataError.refuse(defects)
    revised, revisions = past.pages(root, manifest, templates)
    for name, table in revisions.items():
        folders.write(folder / name, table)
    pages |= revised
    for name, text in pages.items():
        folders.write(folder / name, text.encode())
    folders.write(folder / "_quarto.yml", (root / "_quarto.yml").read_bytes())
    folders.write(folder / STYLE, (HERE / STYLE).read_bytes())
    return len(pages), warnings


def _kept(beside: Collection[str], link: re.Match[str]) -> str:
    """Return a link to a page beside; its words alone where that page is not in the site."""
    return link[0] if link[1] in beside else link[2]


def _warned(run: Run, notebook: Any) -> list[str]:
    """Take what was written on standard error out of a notebook; say which cells did so."""
    numbers = prepare.drop_warnings(notebook)
    return [f"{run.name}, cell {n}: wrote on standard error; not published" for n in numbers]


def environment(manifest: Manifest, engine: str) -> Environment:
    """Return what reads the templates of `pages/`."""
    jinja = words.environment(
        loader=FileSystemLoader(HERE / "pages"),
        keep_trailing_newline=True,
        comment_start_string="{##",  # `{#` opens an identifier in Markdown
        comment_end_string="##}",
    )
    known = {"manifest": manifest, "content": content, "french": french, "tables": tables}
    jinja.globals |= known | {"engine": engine}
    jinja.filters["yaml"] = lambda text: Markup(json.dumps(str(text), ensure_ascii=False))
    return jinja
