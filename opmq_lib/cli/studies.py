"""Command on the register of studies: studies template."""

from pathlib import Path

import typer

from opmq_lib.cli.app import Output, app

studies_app = typer.Typer(help="The register of studies.", no_args_is_help=True)
app.add_typer(studies_app, name="studies")


@studies_app.callback()
def studies() -> None:
    """Keep `template` a command of its own while it is the only one."""


@studies_app.command("template")
def template(output: Output = Path("etudes.xlsx")) -> None:
    """Write an XLSX to fill in, with drop-down lists.

    Example: opmq studies template -o data/etudes.xlsx
    """
    from opmq_lib.sources import forms, project, registers

    forms.hand_out(registers.template("studies", project.find_root()), output)
    print(f"Written: {output}. Name it in parameters/edition.yml, registers: studies.")
