"""Writes an edition as a plain Quarto project: pages, prepared notebooks, files to download.

Nothing here depends on the engine. `theme/` and `telechargements/` are copied as they are; the
French prose of generated pages is in `pages/*.qmd`, what they show is read by `content`.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from opmq_lib.errors import DataError
from opmq_lib.show import french
from opmq_lib.site import content, prepare
from opmq_lib.site.manifest import Branch, Manifest, Run, read_file

HERE = Path(__file__).parent
SINGLE_PAGES = ("index", "methode", "donnees", "dictionnaire", "accessibilite", "mentions-legales")
STYLES = ("theme/opmq.css",)


@dataclass(frozen=True)
class Staged:
    """What was staged: how many pages, and what notebooks wrote on standard error."""

    pages_count: int
    warnings: tuple[str, ...]


def stage(root: Path, manifest: Manifest, folder: Path) -> Staged:
    """Write the project of an edition's site.

    Args:
        root: Root of the study; its `_quarto.yml` is copied.
        manifest: What there is to publish.
        folder: An empty folder.

    Raises:
        ConfidentialityError: If a file is no longer the one that the manifest has checked.
        DataError: Listing everything that pages must not hold, in every notebook.
    """
    notebooks = _read_notebooks(manifest)
    templates = _templates(manifest)
    pages = {f"{name}.qmd": templates.get_template(f"{name}.qmd").render() for name in SINGLE_PAGES}
    pages["branches/index.qmd"] = templates.get_template("branches.qmd").render()
    for branch in manifest.branches:
        template = templates.get_template("branche.qmd")
        pages[f"branches/{branch.code}/index.qmd"] = template.render(branch=branch)
    warnings: list[str] = []
    for owner, run in _runs(manifest):
        path, text = _notebook_page(owner, run, notebooks.get(run.folder), templates)
        pages[path] = text
        warnings += _copy_downloads(run, notebooks.get(run.folder), folder)
    for path, text in pages.items():
        _write(folder / path, text)
    shutil.copyfile(root / "_quarto.yml", folder / "_quarto.yml")
    for style in STYLES:
        _write(folder / style, (HERE / style).read_text(encoding="utf-8"))
    return Staged(len(pages), tuple(warnings))


def _read_notebooks(manifest: Manifest) -> dict[Path, dict[str, Any]]:
    """Return every notebook to publish by its run's folder; refuse them all if one is unfit."""
    done = [run for _, run in _runs(manifest) if run.status == "ok"]
    notebooks = {run.folder: json.loads(read_file(run, f"{run.notebook}.ipynb")) for run in done}
    defects = [
        defect
        for run in done
        for defect in prepare.defects(
            notebooks[run.folder], f"{run.branch_code}/{run.notebook}.ipynb"
        )
    ]
    if defects:
        raise DataError(defects)
    return notebooks


def _notebook_page(
    branch: Branch | None, run: Run, notebook: dict[str, Any] | None, templates: Environment
) -> tuple[str, str]:
    """Return the path and text of a notebook's page; without notebook, a page that says why."""
    question = content.question(run.notebook)
    place = f"branches/{branch.code}" if branch else "commun"
    context: dict[str, Any] = {"branch": branch, "run": run, "question": question}
    if notebook is None:
        text = templates.get_template("absent.qmd").render(context | {"title": question.title})
        return f"{place}/{run.notebook}.qmd", text
    context["title"] = prepare.title(notebook, question.title)
    head, foot = (
        templates.get_template(f"{name}.qmd").render(context) for name in ("avant", "apres")
    )
    prepared = prepare.prepare(notebook, head, foot)
    return f"{place}/{run.notebook}.ipynb", json.dumps(prepared, ensure_ascii=False, indent=1)


def _copy_downloads(run: Run, notebook: dict[str, Any] | None, folder: Path) -> list[str]:
    """Copy the files of a run, warnings of its notebook left out; say which cells had some."""
    for download in content.downloads(run):
        target = folder / download.href
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(read_file(run, download.name))
    kept, cells = prepare.without_warnings(notebook) if notebook else ({}, [])
    if cells:
        name = f"{content.DOWNLOADS}/{run.branch_code}/{run.notebook}/{run.notebook}.ipynb"
        _write(folder / name, json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
    return [
        f"{run.branch_code}/{run.notebook}, cell {number}: wrote on standard error; not published"
        for number in cells
    ]


def _runs(manifest: Manifest) -> Iterator[tuple[Branch | None, Run]]:
    for branch in manifest.branches:
        for run in branch.runs.values():
            yield branch, run
    for run in manifest.common.values():
        yield None, run


def _templates(manifest: Manifest) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        comment_start_string="{##",  # `{#` opens an identifier in Markdown
        comment_end_string="##}",
    )
    environment.globals |= {"manifest": manifest, "content": content, "french": french}
    environment.filters["yaml"] = _yaml
    return environment


def _yaml(text: str) -> Markup:
    """Return text quoted for front matter."""
    return Markup(json.dumps(str(text), ensure_ascii=False))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
