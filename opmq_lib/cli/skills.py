"""Commands on skills: free texts, what emerges, what the blocs of the register cover."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from opmq_lib.cli.app import Json, app
from opmq_lib.errors import SchemaError

skills_app = typer.Typer(
    help="Skills: survey, free texts to codes, what emerges, blocs and ends of registration."
)
app.add_typer(skills_app, name="skills")

Output = Annotated[
    Path, typer.Option("--output", "-o", help="File to write: CSV, XLSX or Parquet.")
]
Labels = Annotated[
    list[Path] | None,
    typer.Option(help="Whole lists instead: files of ROME or ESCO, or code,label tables."),
]
Export = Annotated[Path, typer.Argument(help="CSV export of the RNCP (zip).")]


@skills_app.command("match")
def match_command(  # noqa: PLR0913 - one parameter per option
    file: Annotated[Path, typer.Argument(help="Table with a column query, one free text a row.")],
    output: Output,
    against: Annotated[
        Literal["titles", "skills"], typer.Option(help="Embedded list: ROME titles or skills.")
    ] = "titles",
    labels: Labels = None,
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

    _check_files("match", [file, *(labels or [])], [output, *([review] if review else [])])
    queries = table_files.read_table(file, "queries")["query"]
    corpus = lists.chosen_labels(against, labels)
    matches = match_labels(queries, corpus, top)
    if review is not None:
        decided = table_files.read_table(review, "review") if review.exists() else None
        sheet = reviewing.review_sheet(matches, decided)
        matches = matches if decided is None else reviewing.apply_decisions(matches, decided)
        downloads.write_table(sheet, review)
        print(f"Written: {review} ({(sheet['decision'] == '').sum()} proposals to look at).")
    downloads.write_table(matches, output)
    doubtful = matches.loc[matches["unsure"], "query"].nunique()
    known = f"{len(corpus)} labels of {corpus['code'].nunique()} codes"
    print(f"Written: {output} ({queries.nunique()} texts, {doubtful} doubtful, among {known}).")


@skills_app.command("emerging")
def emerging_command(
    file: Annotated[Path, typer.Argument(help="Table of mentions (contract skill_mentions).")],
    output: Output,
) -> None:
    """Find the skills that rise or fall between successive periods of mentions, beyond noise.

    Example: opmq skills emerging mentions.csv -o tendances.csv
    """
    from opmq_lib.methods.skills import emerging
    from opmq_lib.show import downloads
    from opmq_lib.sources import table_files

    _check_files("emerging", [file], [output])
    trends = emerging.trends(table_files.read_table(file, "skill_mentions"))
    downloads.write_table(trends, output)
    retained = trends.loc[trends["retained"] == "yes", "skill_code"].nunique()
    changing = trends.loc[trends["direction"] != "none", "skill_code"].nunique()
    print(
        f"Written: {output} ({changing} skills change in a period, {retained} of them in "
        f"{emerging.LEAST_PERIODS} successive ones). A signal is not a need."
    )


@skills_app.command("occupations")
def occupations_command(
    file: Annotated[
        Path, typer.Argument(help="Titles (column query), or bundles (columns bundle, skill_code).")
    ],
    output: Output,
    labels: Labels = None,
) -> None:
    """Find the titles, or the bundles of skills, that none of the ROME looked at explains.

    Looked at are the titles of all 532 ROME, or those of --labels; for bundles, the skills of 120
    ROME, those of industry.

    Example: opmq skills occupations titres.csv -o candidats.csv
    """
    from opmq_lib.methods.skills import occupations
    from opmq_lib.show import downloads
    from opmq_lib.sources import embedded
    from opmq_lib.sources import labels as lists

    _check_files("occupations", [file, *(labels or [])], [output])
    asked = lists.read_titles_or_bundles(file)
    if "query" in asked:
        corpus = lists.chosen_labels("titles", labels)
        known = f"the titles of {corpus['code'].nunique()} codes"
        table = occupations.unexplained_titles(asked["query"], corpus)
    elif labels:
        what = "bundles of skills are not compared with titles"
        raise SchemaError.of("--labels", what, "titles", "leave --labels out")
    else:
        profiles = embedded.load("metier_skills")
        known = f"the skills of {profiles['rome_code'].nunique()} ROME"
        table = occupations.unexplained_bundles(asked, profiles)
    downloads.write_table(table, output)
    print(
        f"Written: {output} ({table['unexplained'].sum()} of {len(table)} are candidates: further "
        f"from {known} than {1 - occupations.FALSE_ALARM_RATE:.0%} of these when hidden). "
        "A candidate is a signal to look at, not a new occupation; what the list lacks is one too."
    )


@skills_app.command("blocs")
def blocs_command(
    export: Export,
    output: Output,
    branch: Annotated[
        str, typer.Option(help="Only the blocs of this branch's certifications.")
    ] = "",
) -> None:
    """Propose the skills that blocs may cover, for a person to answer; decisions stay.

    Example: opmq skills blocs export.zip -o lectures.csv --branch chimie
    """
    from opmq_lib.methods.skills import review
    from opmq_lib.questions.competences import chain
    from opmq_lib.show import downloads
    from opmq_lib.sources import labels, parameters, rncp, study, table_files

    _check_files("blocs", [export], [output])
    register = rncp.read_export(export)["blocs"]
    if branch:
        known = parameters.known_codes("branches", "branch_code")
        parameters.refuse_unknown("--branch", "branch", [branch], known)
        register = chain.branch_blocs(study.load_inputs(), branch, register)
    if register.empty:
        what = "no bloc of the certifications asked for"
        fix = "use a whole export, or leave --branch out"
        raise SchemaError.of(export.name, what, "blocs of their fiches", fix)
    sheet = review.bloc_proposals(register, labels.core_labels("skills"))
    without = register["bloc_code"].nunique() - sheet["bloc_code"].nunique()
    if output.exists():
        sheet = review.reading_sheet(sheet, table_files.read_table(output, "bloc_readings"))
    downloads.write_table(sheet, output)
    left = sheet[sheet["decision"] == ""]
    print(
        f"Written: {output} ({len(left)} proposals to answer for {left['bloc_code'].nunique()} "
        f"blocs, {len(sheet) - len(left)} decisions kept, {without} blocs without proposal).\n"
        "A proposal is a resemblance of words, not a reading: write yes or no in `decision`, add "
        "the rows that are missing, then name the sheet (`bloc_readings`) beside the export."
    )


@skills_app.command("changes")
def changes_command(
    old: Annotated[Path, typer.Argument(help="Folder of the earlier version of ROME 4.0.")],
    new: Annotated[Path, typer.Argument(help="Folder of the later version.")],
    output: Output,
    by: Annotated[
        Literal["rome", "metier"], typer.Option(help="A row per record, or per métier (FAP).")
    ] = "rome",
) -> None:
    """Find the skills added, dropped and renamed between two versions of ROME, as downloaded.

    Example: opmq skills changes rome_v460 rome_v470 -o changements.csv
    """
    import pandas as pd

    from opmq_lib.methods.skills import evolution
    from opmq_lib.show import downloads
    from opmq_lib.sources import embedded
    from opmq_lib.sources.producers import rome

    _check_files("changes", [old, new], [output])
    before, after = (rome.read_version(folder) for folder in (old, new))
    changes = evolution.changes(before, after)
    if by == "metier":
        both = pd.concat([before, after])[["rome_code", "parent_rome_code"]].drop_duplicates()
        links = embedded.load("fap_rome").rename(columns={"rome_code": "parent_rome_code"})
        changes = evolution.by_metier(changes, both.merge(links, on="parent_rome_code"))
    downloads.write_table(changes, output)
    counts = changes["change_code"].value_counts()
    told = ", ".join(f"{counts.get(name, 0)} {name}" for name in evolution.CHANGES)
    print(
        f"Written: {output} (version {rome.version_of(old)} to {rome.version_of(new)}: {told}). "
        "Renamed: the same code, or labels alike at "
        f"{evolution.LEAST_SIMILARITY:.0%} or more in one record."
    )


@skills_app.command("expiry")
def expiry_command(
    file: Export,
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day, such as 2026-01-31; today unless given."),
    ] = None,
    json: Json = False,
) -> None:
    """Print when the registrations of an RNCP export end.

    Example: opmq skills expiry export-fiches-csv.zip --on 2026-01-31
    """
    from opmq_lib.methods.skills import certifications
    from opmq_lib.sources import rncp

    fiches = rncp.read_export(file)["fiches"]
    day = (on or datetime.now()).date()  # noqa: DTZ005 - a civil day
    calendar = certifications.expiry_calendar(fiches, day)
    shown = calendar.merge(fiches[["fiche_code", "title"]], on="fiche_code")
    shown = shown.sort_values(["ends_on", "fiche_code"])
    rows = shown.to_json(orient="records", force_ascii=False, indent=1, date_format="iso")
    print(rows if json else shown.to_string(index=False))


def _check_files(command: str, read: list[Path], written: list[Path]) -> None:
    from opmq_lib.show import downloads

    for path in written:
        downloads.check_ending(path)
    paths = [*read, *written]
    if len({path.resolve() for path in paths}) < len(paths):
        fix = "choose another name"
        raise SchemaError.of(f"skills {command}", "the same file twice", "different files", fix)
