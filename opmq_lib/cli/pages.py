"""Commands that show results: site, lab."""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from opmq_lib.cli.app import app

Engine = Annotated[
    Literal["embedded", "quarto"],
    typer.Option(help="What lays the pages out; quarto must be installed."),
]


@app.command("site")
def site_command(
    engine: Engine = "embedded",
    release: Annotated[bool, typer.Option(help="Only what is publishable, no draft.")] = False,
    serve: Annotated[bool, typer.Option(help="Show it at http://127.0.0.1:8000 too.")] = False,
) -> None:
    """Build the website from what has been run.

    Example: opmq site --serve
    """
    from opmq_lib import site
    from opmq_lib.sources import project

    root = project.find_root()
    built = site.render(root, engine=engine, release=release)
    print(site.describe(built))
    if serve:
        print("Serving   http://127.0.0.1:8000 (Ctrl-C to stop)", flush=True)
        os.chdir(built.site)
        server = ["-m", "http.server", "8000", "--bind", "127.0.0.1"]
        os.execv(sys.executable, [sys.executable, *server])


@app.command("lab")
def lab_command(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NOTEBOOK] [-- OPTIONS]", help="What to open; options of Jupyter."),
    ] = None,
    branch: Annotated[
        str | None, typer.Option(metavar="CODE", help="Work on this branch, in lab/CODE/.")
    ] = None,
    failed: Annotated[
        str | None,
        typer.Option(metavar="BRANCH/NOTEBOOK", help="Take up this run at the cell that failed."),
    ] = None,
) -> None:
    """Open JupyterLab on copies of the templates (lab/), with the project's kernel.

    Example: opmq lab 02_besoins --branch chimie -- --allow-root --port 8899
    """
    from opmq_lib.runs import lab
    from opmq_lib.sources import parameters, project

    root = project.find_root()
    name, *options = arguments or [""]
    if name.startswith("-"):
        name, options = "", [name, *options]
    kept = lab.copy_templates(root, branch or "")
    opened = (
        lab.take_up(root, parameters.load_edition(root).edition_id, failed)
        if failed
        else lab.chosen(root, name, branch or "")
    )
    if kept:
        print(f"Left as you made them: {', '.join(kept)}.", file=sys.stderr)
    paths = [str(lab.CONFIG), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(paths)
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.execv(sys.executable, lab.command(root, opened, options))
