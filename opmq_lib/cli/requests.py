"""Commands on the register of requests: requests template, import, recommend."""

from pathlib import Path
from typing import Annotated

import typer

from opmq_lib.cli.app import Output, app

requests_app = typer.Typer(help="What companies ask for.", no_args_is_help=True)
app.add_typer(requests_app, name="requests")

Key = Annotated[
    Path, typer.Option(envvar="OPMQ_REQUESTS_KEY_FILE", help="Secret, outside the project.")
]


@requests_app.command("template")
def template(output: Output = Path("demandes.xlsx")) -> None:
    """Write an XLSX to fill in, with drop-down lists.

    Example: opmq requests template -o demandes.xlsx
    """
    from opmq_lib.sources import forms, project, registers

    forms.hand_out(registers.template("requests", project.find_root()), output)
    print(f"Written: {output}")


@requests_app.command("import")
def import_command(
    files: Annotated[list[Path], typer.Argument(help="Exports, as parameters/requests.yml says.")],
    key_file: Key,
    output: Output = Path("data/requests.parquet"),
) -> None:
    """Make the register of requests from exports, companies pseudonymised; replaces the register.

    Example: opmq requests import demandes.xlsx --key-file ../secret/opmq.key
    """
    from opmq_lib.show import downloads
    from opmq_lib.sources import parameters, project, registers

    root = project.find_root()
    target = registers.check_output(output, root)
    key = registers.read_key(key_file, root)
    last_day = parameters.load_edition(root).edition_date
    register, left_out = registers.import_requests(files, key, root, last_day)
    downloads.write_table(register, target)
    companies = register["company_code"].nunique()
    print(f"Written: {output} ({len(register)} requests, {companies} companies).")
    for columns in left_out:
        print(f"Columns left out, not in the mapping: {columns}")
    print("Name it in parameters/edition.yml, registers: requests.")


@requests_app.command("recommend")
def recommend(output: Output = Path("data/recommendations.csv")) -> None:
    """Add the candidates of this review to the register of recommendations; nothing is changed.

    Example: opmq requests recommend
    """
    from opmq_lib.errors import SchemaError
    from opmq_lib.methods import decisions
    from opmq_lib.methods.requests import recommendations
    from opmq_lib.questions.demandes_ensemble import chain
    from opmq_lib.sources import parameters, project, registers, study

    root = project.find_root()
    edition = parameters.load_edition(root)
    named = edition.registers
    wanted = Path(named.recommendations or output)
    path = registers.check_output(wanted, root)
    if not named.requests:
        where, expected = "parameters/edition.yml, registers", "one made by opmq requests import"
        raise SchemaError.of(where, "no register of requests", expected, "name it: requests: …")
    loaded = study.load_registers(named.requests, "", named.company_counts or "")
    kept = registers.read_recommendations(path, "own")
    branches = sorted(study.branch_labels())
    firms = chain.firms(study.load_inputs(), loaded)
    review = chain.review(loaded, firms, branches, edition.edition_date)
    proposed = recommendations.candidates(review, edition.edition_date)
    register = decisions.updated(kept, proposed, "topic_code")
    registers.write(register, "recommendations", path)
    print(f"Written: {wanted} ({len(register) - len(kept)} new, {len(kept)} kept).")
