"""The one command-line application that every module of commands adds to."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="A prospective observatory of jobs and qualifications, branch by branch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Output = Annotated[Path, typer.Option("--output", "-o", help="File to write.")]
