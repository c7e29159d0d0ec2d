"""Commands on the branches' own tables: data template."""

from pathlib import Path
from typing import Annotated

import typer

from opmq_lib.cli.app import Output, app

data_app = typer.Typer(help="The branches' own tables.", no_args_is_help=True)
app.add_typer(data_app, name="data")


@data_app.command("template")
def template(
    names: Annotated[list[str], typer.Argument(help="Such as employment, or several of them.")],
    branch: Annotated[
        str | None, typer.Option(help="A branch: its métiers stand in the rows.")
    ] = None,
    output: Output = Path("donnees.xlsx"),
) -> None:
    """Write an XLSX in which a branch fills in its own tables; it is read back as it is.

    Example: opmq data template employment --branch chimie -o emplois.xlsx
    """
    from opmq_lib.errors import refuse
    from opmq_lib.questions.emplois import chain as emplois
    from opmq_lib.sources import forms, own_forms, parameters, project, study
    from opmq_lib.tables import scope

    known = scope.OWN_TABLES
    branches = parameters.known_codes("branches", "branch_code")
    where = "opmq data template"
    wrong = [parameters.unknown(where, "table", name, known) for name in names if name not in known]
    if branch is not None and branch not in branches:
        wrong.append(parameters.unknown(where, "branch", branch, branches))
    refuse(wrong)
    root = project.find_root()
    edition, labels = parameters.load_edition(root), parameters.metiers()
    metiers = {}
    if branch is not None:
        jobs = emplois.jobs(study.load_inputs((), root), branch, edition)
        metiers = {code: labels[code] for code in jobs["metier_code"].unique() if code in labels}
    book = own_forms.template(names, metiers, edition.edition_date.year - 1)
    forms.hand_out(book, output)
    if branch is not None and not metiers:
        print(f"No estimate of {branch}: its rows are empty, one sheet lists all métiers.")
    print(f"Written: {output} (sheets {', '.join(book.sheetnames)}).")
    print("Fill it in, name it in parameters/branches/, then: opmq validate.")
