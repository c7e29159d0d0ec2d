"""Commands that show results: site, lab."""

import os
import sys
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
    failed: Annotated[
        str | None,
        typer.Option(metavar="BRANCH/NOTEBOOK", help="Take up this run at the cell that failed."),
    ] = None,
) -> None:
    """Open JupyterLab on copies of the templates (outputs/lab/), with the project's kernel.

    Example: opmq lab --failed chimie/01_emplois
    """
    from opmq_lib.runs import lab
    from opmq_lib.sources import parameters, project

    root = project.find_root()
    chosen = lab.take_up(root, parameters.load_edition(root).edition_id, failed) if failed else None
    kept = lab.copy_templates(root)
    if kept:
        print(f"Left as you made them in outputs/lab/: {', '.join(kept)}.", file=sys.stderr)
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    os.execv(sys.executable, lab.command(root, chosen) if chosen else lab.command(root))
