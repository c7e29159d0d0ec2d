"""Command on decisions: decisions propose."""

from pathlib import Path

import typer

from opmq_lib.cli.app import Output, app

decisions_app = typer.Typer(help="What CPNEFP decide on shortlists.", no_args_is_help=True)
app.add_typer(decisions_app, name="decisions")


@decisions_app.callback()
def decisions() -> None:
    """What CPNEFP decide on shortlists."""


@decisions_app.command("propose")
def propose(output: Output = Path("data/decisions.xlsx")) -> None:
    """Read the register of decisions back and add this edition's shortlists; nothing is changed.

    Example: opmq decisions propose
    """
    from opmq_lib.errors import SchemaError
    from opmq_lib.methods import decisions
    from opmq_lib.questions.que_faire import chain, page
    from opmq_lib.sources import parameters, project, registers, study

    root = project.find_root()
    edition = parameters.load_edition(root)
    wanted = Path(edition.registers.decisions or output)
    path = registers.check_output(wanted, root)
    kept = registers.read_decisions(path)
    lists = study.read_all_results(edition.edition_id, chain.NOTEBOOK, chain.LISTED, root)
    if lists.empty:
        where, expected = f"outputs/{edition.edition_id}", "shortlists of this edition"
        fix = f"opmq run --notebook {chain.NOTEBOOK}"
        raise SchemaError.of(where, "no shortlist", expected, fix)
    named = page.proposals(lists, study.branch_labels(), study.metier_labels())
    proposed = decisions.proposals(named, edition.edition_id, edition.edition_date)
    register = decisions.updated(kept, proposed, "metier_code")
    registers.write(register, "decisions", path)
    print(f"Written: {wanted} ({len(register) - len(kept)} new, {len(kept)} kept).")
    print("Name it in parameters/edition.yml, registers: decisions.")
