"""Begin a project: init."""

from pathlib import Path
from typing import Annotated

import typer

from opmq_lib.cli.app import app


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Created if absent; `.` for the one you are in.")],
) -> None:
    """Write a project in a folder: templates, parameters of every branch, definition of the site.

    Example: opmq init observatoire
    """
    from opmq_lib.sources import project

    written = ", ".join(project.start(folder))
    print(f"Written   {written} in {folder}.")
    print(f"Next      cd {folder}, then `opmq study --branch chimie`, or `opmq study` for all.")
