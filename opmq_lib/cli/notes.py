"""Commands on the register of notes that bodies sign: notes template, import."""

from pathlib import Path
from typing import Annotated

import typer

from opmq_lib.cli.app import Output, app

notes_app = typer.Typer(help="What changes, signed by a body.", no_args_is_help=True)
app.add_typer(notes_app, name="notes")


@notes_app.command("template")
def template(output: Output = Path("notes.xlsx")) -> None:
    """Write an XLSX to fill in, in French, with drop-down lists.

    Example: opmq notes template -o notes.xlsx
    """
    from opmq_lib.sources import forms, project, registers

    forms.hand_out(registers.template("notes", project.find_root()), output)
    print(f"Written: {output}")


@notes_app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="A template that has been filled in.")],
    output: Output = Path("data/notes.csv"),
) -> None:
    """Check filled notes and make the register of them; replaces the register.

    Example: opmq notes import notes.xlsx
    """
    from opmq_lib.show import downloads
    from opmq_lib.sources import parameters, project, registers, study

    root = project.find_root()
    target = registers.check_output(output, root)
    edition = parameters.load_edition(root)
    works = study.load_works(edition.registers.works or "", root=root)
    notes = registers.read_notes(file, works, edition.edition_date, "own")
    downloads.write_table(notes, target)
    signed = (notes["status"] == "signed").sum()
    print(f"Written: {output} ({len(notes)} notes, {signed} signed: the others are not shown).")
    print("Name it in parameters/edition.yml, registers: notes.")
