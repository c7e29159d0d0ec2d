"""Commands on the branches: branch list, branch new."""

from typing import Annotated

import typer

from opmq_lib.cli.app import Json, app, print_json

branch_app = typer.Typer(help="The branches and their parameter files.", no_args_is_help=True)
app.add_typer(branch_app, name="branch")


@branch_app.command("list")
def branch_list(json: Json = False) -> None:
    """List the branches that the tables know, and their conventions today.

    Example: opmq branch list
    """
    from opmq_lib.sources import parameters, project, study

    known = parameters.load_branches(project.find_root())
    labels = sorted(study.branch_labels().items())
    if json:
        codes = {code: branch.idcc_codes for code, branch in known.items()}
        keys = ("branch_code", "label", "idcc_codes")
        rows = [dict(zip(keys, (*each, codes.get(each[0])), strict=True)) for each in labels]
        print_json(rows)
        return
    for code, label in labels:
        idcc = " ".join(known[code].idcc_codes) if code in known else "no parameter file"
        print(f"{code:<32}{idcc or '–':<20}{label}")


@branch_app.command("new")
def branch_new(code: Annotated[str, typer.Argument(help="Such as chimie.")]) -> None:
    """Write a commented parameter file for a branch, pre-filled from the tables.

    Example: opmq branch new chimie
    """
    from opmq_lib.sources import branch_file, project

    root = project.find_root()
    print(f"Written: {branch_file.new_branch(root, code).relative_to(root)}")
