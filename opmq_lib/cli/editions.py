"""Commands on editions: edition state, freeze, verify, diff, withdraw; trace."""

import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opmq_lib.cli.app import app

if TYPE_CHECKING:
    from opmq_lib.runs.editions.compare import Edition
    from opmq_lib.sources.states import Standing

edition_app = typer.Typer(
    help="Validate, freeze, verify and compare editions.", no_args_is_help=True
)
app.add_typer(edition_app, name="edition")

_SHOWN_CELLS = 3
"""Changed figures shown of each table."""
_SHOWN_FINDINGS = 5


@edition_app.command("state")
def state_command(
    branch: Annotated[str, typer.Argument(help="Such as chimie.")],
    state: Annotated[str, typer.Argument(help="submitted, validated or publishable.")],
    date: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Day of the meeting.")],
    reference: Annotated[str, typer.Option(help="Reference of its minutes; names nobody.")],
) -> None:
    """Record that a branch's CPNEFP has taken its figures one step further.

    Example: opmq edition state ieg submitted --date 2026-03-12 --reference RD3
    """
    from opmq_lib.errors import DataError
    from opmq_lib.runs import freshness
    from opmq_lib.runs.editions import validated
    from opmq_lib.sources import ledger, parameters, project, states

    root = project.find_root()
    edition, branches = parameters.load_edition(root), parameters.load_branches(root)
    parameters.refuse_unknown("BRANCH", "branch", [branch], branches)
    late = freshness.late(root, edition, branches)
    DataError.refuse(each for id_, each in late.items() if id_[0] == branch)
    last = ledger.latest(root / "outputs" / edition.edition_id / ledger.LEDGER)
    tables = states.published(last, branch, branches[branch].notebooks)
    now = states.standing(states.read(root, edition.edition_id).get(branch, []), tables)
    print_changes(root, edition.edition_id, now)
    body = f"CPNEFP, branche {branches[branch].label}"
    today = datetime.now(UTC).astimezone().date()
    step = states.following(now, branch, state, date.date(), reference, body, tables, today)
    validated.keep(root, edition.edition_id, step)
    path = states.append(root, edition.edition_id, step)
    print(f"Recorded  {branch}: {step.state}, version {step.version}, {len(tables)} tables.")
    print(f"          {path.relative_to(root)} is part of the project: commit it.")


def print_changes(root: Path, edition_id: str, now: "Standing") -> None:
    """Print which figures of a branch are no longer those of its last step."""
    from opmq_lib.runs.editions import validated

    if now.step is None or not now.changed:
        return
    code, version = now.step.branch_code, now.step.version
    print(
        f"{code}: version {now.version} (draft) differs from version {version}, {now.step.state}:"
    )
    for table, cells in validated.changes(root, edition_id, now):
        if cells is None:
            print(f"  {table}: changed (not compared: one of its two files is not here)")
            continue
        print(f"  {table}: {len(cells)} figures changed")
        for each in cells.head(_SHOWN_CELLS).to_dict("records"):
            names = ("metier_code", "year", "row", "column")
            place = " ".join(each[name] for name in names if each[name])
            print(f"    {place}: {each['before'] or each['change']} → {each['after'] or 'removed'}")


@edition_app.command("freeze")
def freeze_command(
    name: Annotated[str, typer.Argument(help='Name of the archive, such as "2026".')],
    release: Annotated[bool, typer.Option(help="The released site, not the preview.")] = False,
) -> None:
    """Archive an edition in outputs/editions/: its results, site, parameters and code.

    Example: opmq edition freeze 2026 --release
    """
    from opmq_lib import site
    from opmq_lib.errors import RangeError
    from opmq_lib.runs.editions import archive, frozen, ready, validated
    from opmq_lib.sources import parameters, project

    if not archive.NAME.fullmatch(name):
        expected = "small letters, digits, `.`, `_` and `-`, such as 2026-v2"
        raise RangeError.of("NAME", "no name of an archive", expected, "choose another name", name)
    root = project.find_root()
    edition, branches = parameters.load_edition(root), parameters.load_branches(root)
    if not release:
        ready.refuse_unready(root, edition, branches, list(branches))
    built = site.render(root, release=release, alone=True)
    path, sha256 = frozen.freeze(
        root,
        name,
        edition,
        built.published,
        built.site,
        validated.standings(root, edition.edition_id, branches),
        release,
    )
    shutil.rmtree(built.site)
    kind = "release" if release else "preview, not validated"
    print(f"Frozen    {path.relative_to(root)} ({kind}): {len(built.published)} results.")
    print(f"SHA-256   {sha256}")


@edition_app.command("verify")
def verify_command(
    path: Annotated[Path, typer.Argument(help="An archive, such as outputs/editions/2026.zip.")],
    clean: Annotated[
        bool, typer.Option(help="In a new environment with the packages of its lock file.")
    ] = False,
) -> None:
    """Check that an archive is whole, make its results again by its own code, and compare.

    Example: opmq edition verify outputs/editions/2026.zip
    """
    import tempfile

    from opmq_lib.runs.editions import archive, verify

    about = archive.manifest(path)
    findings = verify.is_whole(path, about)
    done = verify.Verified(tuple(findings))
    if not findings:
        with tempfile.TemporaryDirectory(prefix="opmq-") as name:
            folder, python = Path(name) / "archive", sys.executable
            if clean:
                archive.extract(path, folder)
                python = verify.clean_python(Path(name) / "venv", folder / archive.PROJECT)
            done = verify.made_again(path, about, folder, python, os.cpu_count() or 1)
    for each in done.versions:
        print(f"Note      {each} since it was frozen.")
    if done.findings:
        print(f"DIFFERS   {done.findings[0]}")
        for finding in done.findings[1:_SHOWN_FINDINGS]:
            print(f"          {finding.where}: {finding.what}")
        print(f"          {len(done.findings)} differences in all.")
        raise typer.Exit(1)
    print(f"Verified  {done.tables_count} tables and {done.figures_count} figures: identical.")


@edition_app.command("diff")
def diff_command(
    before: Annotated[str, typer.Argument(help="Archive, or edition of outputs/.")],
    after: Annotated[str, typer.Argument(help="The later one.")],
    apart: Annotated[
        bool, typer.Option(help="Run again to tell several causes apart: both must be archives.")
    ] = False,
) -> None:
    """Say which figures changed between two editions and why, and how its forecasts fared.

    The tables are kept in outputs/editions/: the site shows them.

    Example: opmq edition diff 2025 2026
    """
    from opmq_lib.runs.editions import compare
    from opmq_lib.sources import project

    root = project.find_root()
    _compare(root, compare.opened(root, before), compare.opened(root, after), apart)


@edition_app.command("demo")
def demo_command(
    branch: Annotated[
        list[str] | None, typer.Option(help="Only this branch (may be repeated).")
    ] = None,
) -> None:
    """Show revisions and accuracy of two simulated vintages in outputs/demo-site/.

    Example: opmq edition demo --branch ceramique
    """
    from opmq_lib import site
    from opmq_lib.runs import batch, folders, report
    from opmq_lib.runs.editions import compare, vintages
    from opmq_lib.runs.plan import plan
    from opmq_lib.sources import parameters, project

    root = project.find_root()
    known = parameters.load_branches(root)
    parameters.refuse_unknown("BRANCH", "branch", branch or (), known)
    roots = vintages.prepare(root, parameters.load_edition(root), branch or ())
    for each in roots:
        runs = plan(each, parameters.load_edition(each), parameters.load_branches(each))
        with report.progress(runs) as tell:
            if status := batch.execute(runs, os.cpu_count() or 1, tell).exit_status:
                raise typer.Exit(status)
    before, after = (compare.opened(each, each.name) for each in roots)
    _compare(roots[1], before, after)
    built = site.render(roots[1], demo=parameters.load_edition(roots[1]))
    shown = root / "outputs/demo-site"
    folders.swap(built.site, shown, shown.with_name(".demo-site-old"))
    print("Open      outputs/demo-site/editions/index.html: two simulated vintages.")


def _compare(root: Path, old: "Edition", new: "Edition", apart: bool = False) -> None:
    """Compare two editions, keep what came out for the site, and print it in short."""
    from opmq_lib import tables
    from opmq_lib.errors import ScopeError
    from opmq_lib.runs.editions import compare
    from opmq_lib.runs.editions.apart import told_apart
    from opmq_lib.show import downloads
    from opmq_lib.site import past

    if old.name == new.name:
        fix = "name an earlier one first, a later one second"
        raise ScopeError.of("EDITION", "compared with itself", "two editions", fix, new.name)
    cells = told_apart(old, new, os.cpu_count() or 1) if apart else compare.changes(old, new)
    for name, folder, table in (
        ("revisions", past.REVISIONS, cells),
        ("revision_accuracy", past.ACCURACY, seen := compare.accuracy(old, new)),
    ):
        checked = tables.check(name, table, name)
        downloads.write_table(checked, root / folder / old.name / f"{new.name}.csv")
    for (code, kinds), rows in cells.groupby(["branch_code", "cause_kinds"]):
        causes = rows["causes"].iloc[0].split(" ; ")
        more = f" and {len(causes) - 1} more" if len(causes) > 1 else ""
        print(f"{code}: {len(rows)} figures, {kinds} ({causes[0]}{more})")
    for name in compare.versions(old, new):
        moved = cells["cause_kinds"].str.contains("version").any()
        print(f"Version   {name}" + ("" if moved else ": no figure changed by it"))
    print(f"Changed   {len(cells)} figures of {cells['branch_code'].nunique()} branches.")
    if len(seen):
        share = 100 * seen["is_covered"].mean()
        print(f"Forecasts {len(seen)} can be compared: {share:.0f} % in their 80 % interval.")


@edition_app.command("withdraw")
def withdraw_command(
    name: Annotated[str, typer.Argument(help="Of a frozen edition.")],
    reason: Annotated[str, typer.Option(help="Why, in French, for readers; names nobody.")],
) -> None:
    """Withdraw a frozen edition: the site lists it with its reason and shows it no more.

    Example: opmq edition withdraw 2025 --reason Erreur
    """
    from opmq_lib.runs.editions import archive
    from opmq_lib.sources import project

    today = datetime.now(UTC).astimezone().date()
    archive.withdraw(archive.path_of(project.find_root(), name), reason, today)
    print(f"Withdrawn {name}. Build the site again: opmq site")


@app.command("trace")
def trace_command(
    place: Annotated[
        str, typer.Argument(help="BRANCH/NOTEBOOK/TABLE[:ROW[:COLUMN]], or BRANCH/NOTEBOOK#FIGURE.")
    ],
) -> None:
    """Say where a published number comes from, in French: rows, parameters, functions, sources.

    Example: opmq trace chimie/01_emplois/emplois:15:value
    """
    from opmq_lib.site import trace
    from opmq_lib.sources import parameters, project

    root = project.find_root()
    print(trace.note(root, parameters.load_edition(root).edition_id, place), end="")
