"""Commands on skills: survey, free texts, what emerges, what the blocs of the register cover."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer

from opmq_lib.cli.app import app
from opmq_lib.errors import Defect, RangeError, SchemaError
from opmq_lib.questions.competences.coverage import branch_blocs

skills_app = typer.Typer(
    help="Skills: survey, free texts to codes, what emerges, blocs and ends of registration."
)
app.add_typer(skills_app, name="skills")


@skills_app.command("template")
def template_command(
    output: Annotated[Path, typer.Argument(help="XLSX to write.")],
) -> None:
    """Write an empty workbook for the branch's survey: skills needed, skills available.

    Example: opmq skills template enquete.xlsx
    """
    from opmq_lib.show import downloads
    from opmq_lib.sources import survey

    if output.suffix.lower() != ".xlsx":
        told = ("not a workbook", ".xlsx", "change the ending")
        raise SchemaError([Defect(output.name, *told)])
    if output.exists():
        told = ("the file exists", "a new file", "choose another name: answers are not overwritten")
        raise SchemaError([Defect(output.name, *told)])
    downloads.write_sheets(survey.template(), output)
    print(f"Written: {output} (sheets skill_needs, skill_supply, lisez_moi).")


@skills_app.command("match")
def match_command(  # noqa: PLR0913 - one parameter per option
    file: Annotated[Path, typer.Argument(help="Table with a column query, one free text a row.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write: CSV, XLSX or Parquet.")
    ],
    against: Annotated[
        Literal["titles", "skills"], typer.Option(help="Embedded list: ROME titles or skills.")
    ] = "titles",
    labels: Annotated[
        list[Path] | None,
        typer.Option(help="Whole lists instead: files of ROME or ESCO, or code,label tables."),
    ] = None,
    review: Annotated[
        Path | None,
        typer.Option(help="Sheet of doubtful matches: read, applied, completed; decisions stay."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Codes proposed per text.")] = 10,
) -> None:
    """Find the codes that free French titles or skills mean, with a confidence.

    Example: opmq skills match titres.csv -o codes.csv --review a_verifier.csv
    """
    from opmq_lib.matching import match_labels
    from opmq_lib.methods.skills import review as reviewing
    from opmq_lib.show import downloads
    from opmq_lib.sources import labels as lists
    from opmq_lib.sources import table_files

    downloads.check_ending(output)
    if review is not None:
        downloads.check_ending(review)
    _check_distinct("match", [file, output, *([review] if review else []), *(labels or [])])
    queries = table_files.read_table(file, "queries")["query"]
    corpus = lists.read_all_labels(labels) if labels else lists.core_labels(against)
    matches = match_labels(queries, corpus, top)
    if review is not None:
        decided = table_files.read_table(review, "review") if review.exists() else None
        sheet = reviewing.review_sheet(matches, decided)
        matches = matches if decided is None else reviewing.apply_decisions(matches, decided)
        downloads.write_table(sheet, review)
        print(f"Written: {review} ({(sheet['decision'] == '').sum()} proposals to look at).")
    downloads.write_table(matches, output)
    doubtful = matches.loc[matches["unsure"], "query"].nunique()
    print(f"Written: {output} ({queries.nunique()} texts, {doubtful} of them doubtful).")


@skills_app.command("emerging")
def emerging_command(
    file: Annotated[Path, typer.Argument(help="Table of mentions (contract skill_mentions).")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write: CSV, XLSX or Parquet.")
    ],
) -> None:
    """Find the skills that rise or fall between successive periods of mentions, beyond noise.

    Example: opmq skills emerging mentions.csv -o tendances.csv
    """
    from opmq_lib.methods.skills import emerging
    from opmq_lib.show import downloads
    from opmq_lib.sources import table_files

    downloads.check_ending(output)
    _check_distinct("emerging", [file, output])
    mentions = table_files.read_table(file, "skill_mentions")
    found = emerging.trends(mentions)
    if found.empty:
        told = ("only one period", "two periods or more", "add the mentions of another period")
        raise RangeError([Defect(f"{file.name}, period_rank", *told)])
    downloads.write_table(
        found.assign(origin="own" if (mentions["origin"] == "own").any() else "public"), output
    )
    retained = found.loc[found["retained"] == "yes", "skill_code"].nunique()
    changing = found.loc[found["direction"] != "none", "skill_code"].nunique()
    print(
        f"Written: {output} ({changing} skills change in a period, {retained} of them in "
        f"{emerging.LEAST_PERIODS} successive ones). A signal is not a need."
    )


@skills_app.command("occupations")
def occupations_command(
    file: Annotated[
        Path, typer.Argument(help="Titles (column query), or bundles (columns bundle, skill_code).")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write: CSV, XLSX or Parquet.")
    ],
    labels: Annotated[
        list[Path] | None,
        typer.Option(help="Whole lists of titles: files of ROME or ESCO, or code,label tables."),
    ] = None,
) -> None:
    """Find the titles, or the bundles of skills, that none of the ROME looked at explains.

    Looked at are the 120 embedded ROME, of industry, unless --labels names whole lists of titles:
    an accountant is no candidate for a new occupation.

    Example: opmq skills occupations titres.csv -o candidats.csv
    """
    from opmq_lib import tables
    from opmq_lib.methods.skills import emerging
    from opmq_lib.show import downloads
    from opmq_lib.sources import embedded, table_files
    from opmq_lib.sources import labels as lists

    downloads.check_ending(output)
    _check_distinct("occupations", [file, output, *(labels or [])])
    kinds = ("queries", "skill_bundles")
    names = set(table_files.read_grid(file, table_files.shown(file), kinds).names)
    named = [kind for kind in kinds if names & tables.DESCRIPTIONS[kind].keys()]
    if len(named) != 1:
        expected = "a column query, or columns bundle and skill_code"
        raise SchemaError(
            [Defect(file.name, "neither titles nor bundles of skills, or both", expected,
                    "name the columns so, in a file of their own")]
        )  # fmt: skip
    if named == ["queries"]:
        titles = table_files.read_table(file, "queries")["query"]
        corpus = lists.read_all_labels(labels) if labels else lists.core_labels("titles")
        looked_at = f"the titles of {corpus['code'].nunique()} codes"
        found = emerging.unexplained_titles(titles, corpus)
    elif labels:
        told = ("bundles of skills are not compared with titles", "titles", "leave --labels out")
        raise SchemaError([Defect("--labels", *told)])
    else:
        given = table_files.read_table(file, "skill_bundles").groupby("bundle")["skill_code"]
        fiches = embedded.load("metier_skills").groupby("rome_code")["skill_code"]
        bundles, profiles = (
            {str(name): skills.tolist() for name, skills in groups} for groups in (given, fiches)
        )
        looked_at = f"the skills of {len(profiles)} ROME"
        found = emerging.unexplained_bundles(bundles, profiles)
    downloads.write_table(found, output)
    print(
        f"Written: {output} ({found['unexplained'].sum()} of {len(found)} are candidates: further "
        f"from {looked_at} than {1 - emerging.FALSE_ALARM_RATE:.0%} of these when hidden). "
        "A candidate is a signal to look at, not a new occupation; what the list lacks is one too."
    )


@skills_app.command("blocs")
def blocs_command(
    export: Annotated[Path, typer.Argument(help="CSV export of the RNCP (zip).")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Sheet to write or complete: CSV, XLSX, Parquet.")
    ],
    branch: Annotated[
        str, typer.Option(help="Only the blocs of this branch's certifications.")
    ] = "",
) -> None:
    """Propose the skills that blocs may cover, for a person to answer; decisions stay.

    Example: opmq skills blocs export.zip -o lectures.csv --branch chimie
    """
    from opmq_lib.methods.skills import blocs
    from opmq_lib.show import downloads
    from opmq_lib.sources import labels as lists
    from opmq_lib.sources import parameters, rncp, study, table_files

    downloads.check_ending(output)
    register = rncp.read_export(export)["blocs"]
    if branch:
        known = parameters.known_codes("branches", "branch_code")
        if branch not in known:
            raise parameters.unknown("--branch", "branch", branch, known)
        register = branch_blocs(study.load_inputs(), branch, register)
    if register.empty:
        fix = "use a whole export, or leave --branch out"
        told = ("no bloc of the certifications asked for", "blocs of their fiches", fix)
        raise SchemaError([Defect(export.name, *told)])
    sheet = blocs.proposals(register, lists.core_labels("skills"))
    without = register["bloc_code"].nunique() - sheet["bloc_code"].nunique()
    if output.exists():
        sheet = blocs.reading_sheet(sheet, table_files.read_table(output, "bloc_readings"))
    downloads.write_table(sheet, output)
    left = sheet[sheet["decision"] == ""]
    print(
        f"Written: {output} ({len(left)} proposals to answer for {left['bloc_code'].nunique()} "
        f"blocs, {len(sheet) - len(left)} decisions kept, {without} blocs without proposal).\n"
        "A proposal is a resemblance of words, not a reading: write yes or no in `decision`, add "
        "the rows that are missing, then name the sheet (`bloc_readings`) beside the export."
    )


@skills_app.command("expiry")
def expiry_command(
    file: Annotated[Path, typer.Argument(help="CSV export of the RNCP (zip).")],
    on: Annotated[str, typer.Option(help="Day, such as 2026-01-31; today unless given.")] = "",
) -> None:
    """Print when the registrations of an RNCP export end.

    Example: opmq skills expiry export-fiches-csv.zip --on 2026-01-31
    """
    from opmq_lib.methods.skills import certifications
    from opmq_lib.sources import rncp

    try:
        day = date.fromisoformat(on) if on else date.today()  # noqa: DTZ011 - a civil day
    except ValueError as error:
        told = ("not a day", "a day such as 2026-01-31", "correct it", on)
        raise SchemaError([Defect("--on", *told)]) from error
    fiches = rncp.read_export(file)["fiches"]
    calendar = certifications.expiry_calendar(fiches, day)
    shown = calendar.merge(fiches[["fiche_code", "title"]], on="fiche_code")
    print(shown.sort_values(["ends_on", "fiche_code"]).to_string(index=False))


def _check_distinct(command: str, paths: list[Path]) -> None:
    if len({path.resolve() for path in paths}) < len(paths):
        told = ("the same file twice", "different files", "choose another name")
        raise SchemaError([Defect(f"skills {command}", *told)])
