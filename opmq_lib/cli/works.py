"""Commands on the register of works: works template, page."""

from pathlib import Path
from typing import Annotated

import typer

from opmq_lib.cli.app import Output, app

works_app = typer.Typer(
    help="Studies, certifications, agreements and actions.", no_args_is_help=True
)
app.add_typer(works_app, name="works")


@works_app.command("template")
def template(output: Output = Path("travaux.xlsx")) -> None:
    """Write an XLSX to fill in, in French, with drop-down lists.

    Example: opmq works template -o data/travaux.xlsx
    """
    from opmq_lib.sources import forms, project, registers

    forms.hand_out(registers.template("works", project.find_root()), output)
    print(f"Written: {output}. Name it in parameters/edition.yml, registers: works.")


@works_app.command("page")
def page_command(
    branch: Annotated[str, typer.Argument(help="Such as chimie.")], output: Output
) -> None:
    """Write the works of a branch as one page to send or print, from the edition's results.

    Example: opmq works page chimie -o travaux_chimie.html
    """
    from opmq_lib.errors import SchemaError
    from opmq_lib.questions.travaux import chain, page
    from opmq_lib.sources import parameters, project, study

    root = project.find_root()
    names = study.branch_labels()
    parameters.refuse_unknown("branch", "branch", [branch], names)
    edition = parameters.load_edition(root)
    results = study.read_results(edition.edition_id, chain.COMMON, chain.NOTEBOOK, root)
    if not results:
        where, fix = f"outputs/{edition.edition_id}", f"opmq run --notebook {chain.NOTEBOOK}"
        raise SchemaError.of(where, "no result on works", "those of this edition", fix)
    labels = study.all_labels(root)
    on = edition.edition_date.isoformat()
    project.write(output, page.alone(results, labels, branch, edition.edition_id, on))
    print(f"Written: {output}")
