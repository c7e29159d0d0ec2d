"""Commands on votes: vote form, vote read."""

from pathlib import Path
from typing import Annotated

import typer

from opmq_lib.cli.app import Output, app

vote_app = typer.Typer(help="The form on which a CPNEFP votes its criteria.", no_args_is_help=True)
app.add_typer(vote_app, name="vote")


@vote_app.command("form")
def form_command(
    branch: Annotated[str, typer.Argument(help="Such as chimie.")], output: Output
) -> None:
    """Write the voting form of a branch: criteria, goalposts, weights, signature lines.

    Example: opmq vote form chimie -o vote_chimie.xlsx
    """
    from opmq_lib.sources import forms, parameters, project, vote

    branches = parameters.load_branches(project.find_root())
    parameters.refuse_unknown("branch_code", "branch", [branch], branches)
    forms.hand_out(vote.form(branches[branch]), output)
    print(f"Written: {output}")


@vote_app.command("read")
def read_command(
    file: Annotated[Path, typer.Argument(help="A form that has been filled in.")],
) -> None:
    """Check a filled form and write what it says into the branch's parameter file.

    Example: opmq vote read vote_chimie.xlsx
    """
    from opmq_lib.sources import project, vote

    root = project.find_root()
    path, is_changed = vote.record(file, root)
    where = path.relative_to(root)
    print(f"Written: {where}" if is_changed else f"The form says what {where} says: unchanged.")
