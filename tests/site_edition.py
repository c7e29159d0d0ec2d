"""A small executed edition on the real parameters, written without running any notebook."""

import hashlib
import io
import json
import re
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import nbformat
from matplotlib import rc_context
from matplotlib.figure import Figure

from opmq_lib.sources import ledger

PROJECT = Path(__file__).parent.parent
EDITION = "2026"
FEW = ("chaux", "chimie", "ciments", "ieg", "verre_mecanique")
"""Branches of a smaller project: with results and without, with a convention and without."""
ALT = "Deux points : l’emploi passe de 100 en 2010 à 120 en 2018."
CAPTION = "L’emploi progresse. Nombre d’emplois, estimation. Source : essai."
TABLE = (
    '<div class="opmq-table" tabindex="0" role="region" aria-label="Métiers">'
    "<table><caption>Métiers</caption><thead><tr><th scope='col'>Métier</th>"
    "<th scope='col'>Emplois</th></tr></thead><tbody><tr><th scope='row'>Chaudronniers</th>"
    '<td><span class="n" data-cell="emplois:0:value">1\u202f200</span></td></tr>'
    "</tbody></table></div>"
)
KEY_FIGURES = (
    "branch_code,metier_code,region_code,year,indicator,value,lower,upper,interval_level,unit,"
    "units_count,status,nature,origin,source_code\n"
    "chimie,ENS,FM,2020,branch_headcount,225800.0,,,,headcount,,value,observed,public,portraits\n"
    "chimie,E2Z70,FM,2018,employment_headcount,12345.0,10600.0,14100.0,0.8,headcount,,value,"
    "estimate,public,estimate_b0\n"
)


def project(root: Path, branches: Collection[str] = ()) -> Path:
    """Write a project without results: parameters, site definition, two templates.

    Without `branches`, it has all those of the study.
    """
    shutil.copytree(PROJECT / "parameters", root / "parameters")
    for path in (root / "parameters/branches").glob("*.yml"):
        if branches and path.stem not in branches:
            path.unlink()
            continue
        text = path.read_text(encoding="utf-8")
        asked = re.sub(r"(?m)^notebooks: .*", 'notebooks: ["01_emplois"]', text)
        path.write_text(asked, encoding="utf-8")
    shutil.copyfile(PROJECT / "_quarto.yml", root / "_quarto.yml")
    (root / "notebooks").mkdir()
    template(root, "01_emplois", menu="Emplois", tables=["employment_national", "fap_rome"])
    template(root, "10_consolidation", scope="common", reads=["01_emplois"])
    (root / "outputs").mkdir()
    return root


def template(root: Path, name: str, *cells: nbformat.NotebookNode, **metadata: object) -> None:
    """Write a template, once per branch if nothing else is said."""
    about = {"scope": "branch", "reads": []} | metadata
    signature = 'branch_code = "chimie"\n' * (about["scope"] == "branch") + 'output_folder = "."'
    cells = (code(signature, tags=["parameters"]), *cells)
    notebook = nbformat.v4.new_notebook(cells=list(cells), metadata={"opmq": about})
    nbformat.write(notebook, root / "notebooks" / f"{name}.ipynb")


def edition(root: Path, branches: Collection[str] = ()) -> Path:
    """Write a project in which one branch and the consolidation have run, and two have failed."""
    project(root, branches)
    tables = dict.fromkeys(("chiffres_cles.csv", "emplois.csv"), KEY_FIGURES)
    run(root, "chimie", "01_emplois", figures_notebook(), tables)
    run(root, "commun", "10_consolidation", figures_notebook("Consolidation"))
    for code in ("chaux", "ciments"):  # one without convention of its own, one with
        run(root, code, "01_emplois", status="failed")
    return root


def run(
    root: Path,
    branch_code: str,
    notebook: str,
    executed: nbformat.NotebookNode | None = None,
    tables: dict[str, str] | None = None,
    **changes: Any,
) -> None:
    """Write the results of one run and its line of the ledger."""
    folder = root / "outputs" / EDITION / branch_code / notebook
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (tables or {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    if executed is not None:
        for number, cell in enumerate(executed.cells):
            cell.id = f"cell-{number}"
        nbformat.write(executed, folder / f"{notebook}.ipynb")
    record = {
        "edition_id": EDITION,
        "branch_code": branch_code,
        "notebook": notebook,
        "status": "ok",
        "parameters": {"branch_code": branch_code, "horizon_years": 10, "output_folder": "."},
        "inputs": {},
        "outputs": {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.iterdir())
        },
        "origin": "public",
        "started_at": "2026-11-01T09:00:00+00:00",
    }
    record |= changes
    ledger.append(root / "outputs" / EDITION / "runs.jsonl", {k: v for k, v in record.items() if v})


def figures_notebook(title: str = "Emplois par métier") -> nbformat.NotebookNode:
    """Return an executed notebook with a title, prose, injected parameters, a figure, a table."""
    return executed_notebook(
        markdown(f"# {title}\n\nComment l’emploi évolue-t-il ?"),
        code('branch_code = "metallurgie"', tags=["parameters"]),
        code('branch_code = "chimie"', tags=["injected-parameters"]),
        markdown("## Les compétences et l’œuvre\n\nUne phrase qui dit : oui !"),
        code("figures.employment_fan(results)", figure()),
        code("emplois.table(results)", html(TABLE)),
    )


def executed_notebook(*cells: nbformat.NotebookNode) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(
        cells=list(cells), metadata={"language_info": {"name": "python"}}
    )


def markdown(source: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(source)


def code(
    source: str, *outputs: nbformat.NotebookNode, tags: list[str] | None = None
) -> nbformat.NotebookNode:
    metadata = {"tags": tags} if tags else {}
    cell = nbformat.v4.new_code_cell(source, execution_count=1, metadata=metadata)
    cell.outputs = list(outputs)
    return cell


def html(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("display_data", {"text/html": text, "text/plain": "<Html>"})


def stream(name: str, text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("stream", name=name, text=text)


def figure(alt: str = ALT, caption: str = CAPTION) -> nbformat.NotebookNode:
    metadata = {"image/svg+xml": {"alt": alt} if alt else {}, "opmq": {"caption": caption}}
    data = {"image/svg+xml": drawing(), "text/plain": "<Figure>"}
    return nbformat.v4.new_output("display_data", data, metadata=metadata)


def drawing() -> str:
    canvas = Figure(figsize=(4, 2))
    canvas.subplots().plot([2010, 2018], [100, 120])
    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": "opmq"}):
        canvas.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def as_json(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """Return a notebook as its file holds it."""
    return dict(json.loads(nbformat.writes(notebook)))
