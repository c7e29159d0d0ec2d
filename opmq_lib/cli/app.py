"""The one command-line application that every module of commands adds to."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    help="A prospective observatory of jobs and qualifications, branch by branch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"opmq {version('opmq')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Which one it is."),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def print_json(shown: Any) -> None:
    """Print what a command lists, for machines."""
    print(json.dumps(shown, ensure_ascii=False, indent=1))


Json = Annotated[bool, typer.Option("--json", help="JSON, for machines.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="File to write.")]
