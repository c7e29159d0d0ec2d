"""Commands of the batch: study, validate, run, status, clean."""

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opmq_lib.cli.app import Json, app, print_json
from opmq_lib.errors import few

if TYPE_CHECKING:
    from opmq_lib.errors import Defect
    from opmq_lib.params import EditionParams
    from opmq_lib.runs.freshness import State
    from opmq_lib.runs.plan import Run, RunId
    from opmq_lib.runs.report import BatchReport

_LEAST_MEMORY_MB = 200
_MOST_ON_A_CLUSTER = 1000
"""Runs sent at a time where `--workers` does not say: as many as its workers have threads."""

Branches = Annotated[
    list[str] | None, typer.Option("--branch", help="Only this branch (may be repeated).")
]
Notebooks = Annotated[
    list[str] | None, typer.Option("--notebook", help="Only this template (may be repeated).")
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Notebooks executed at a time; as many as processors.")
]


@app.command()
def study(
    branch: Branches = None,
    workers: Workers = None,
    fictitious_requests: Annotated[
        bool, typer.Option("--fictitious-requests", help="Demonstrate the review of requests.")
    ] = False,
) -> None:
    """Validate, run every notebook of every branch, or of some, and build the website.

    Example: opmq study --branch chimie
    """
    from opmq_lib import site
    from opmq_lib.runs.plan import of_branches
    from opmq_lib.sources import project, validate

    root = project.find_root()
    started = time.monotonic()
    checked = validate.validate(root)
    print(f"Checked   {len(checked)} parameter files and tables: no defect.")
    demo, runs = _demonstration(root) if fictitious_requests else (None, _released_plan(root))
    report = _execute(of_branches(runs, branch or ()), workers)
    _print_report(report)
    if report.remaining:
        raise typer.Exit(130)
    built = site.render(root, demo=demo)
    print(site.describe(built))
    print(f"Took      {time.monotonic() - started:.0f} s.")
    raise typer.Exit(report.exit_status)


@app.command("validate")
def validate_command(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Parameter files, tables, templates; all, if none is named."),
    ] = None,
    json: Json = False,
) -> None:
    """Check parameters, tables and templates, and list every defect.

    Example: opmq validate data/ceramique_emplois.csv
    """
    from opmq_lib.errors import DataError
    from opmq_lib.sources import project

    defects: Sequence[Defect] = ()
    checked: list[str] = []
    try:
        checked = _checked(project.find_root(), files or [])
    except DataError as error:
        if not json:
            raise
        defects = error.defects
    if json:
        found = {"checked": checked, "defects": [asdict(each) for each in defects]}
        print_json(found)
        raise typer.Exit(2 if defects else 0)
    for line in checked if files else ():
        print(line)
    print(f"{len(checked)} parameter files, tables and templates checked: no defect.")


@app.command()
def run(  # noqa: PLR0913 - each is an option
    branch: Branches = None,
    notebook: Notebooks = None,
    workers: Workers = None,
    force: Annotated[bool, typer.Option(help="Run what is up to date as well.")] = False,
    time_limit: Annotated[float, typer.Option(min=1, help="Seconds for one notebook.")] = 600,
    memory_mb: Annotated[
        int, typer.Option(min=0, help="Memory for one notebook, 200 or more; 0: no limit (Linux).")
    ] = 0,
    output_mb: Annotated[
        int, typer.Option(min=1, help="Outputs of one notebook; the rest is cut, and it says so.")
    ] = 20,
    cold: Annotated[bool, typer.Option(help="A new interpreter for each, nothing forked.")] = False,
    cluster: Annotated[
        str | None, typer.Option(help="Dask scheduler whose workers execute: tcp://HOST:8786.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would run.")] = False,
    json: Json = False,
) -> None:
    """Execute the notebooks that are not up to date.

    Example: opmq run --branch chimie --notebook 01_emplois
    """
    from opmq_lib.runs import batch, report
    from opmq_lib.runs.plan import select
    from opmq_lib.sources import project

    if 0 < memory_mb < _LEAST_MEMORY_MB:
        raise typer.BadParameter(f"the libraries alone take {_LEAST_MEMORY_MB} MB.")
    planned = _plan if dry_run else _released_plan
    runs = select(planned(project.find_root()), branch or (), notebook or ())
    if dry_run:
        late = sum(state.status != "up to date" for state in _print_states(runs, json).values())
        if not json:
            print(f"At most {len(runs) if force else late} of {len(runs)} notebooks would run.")
        return
    at_a_time = workers or (_MOST_ON_A_CLUSTER if cluster else os.cpu_count() or 1)
    with nullcontext(report.json_lines) if json else report.progress(runs) as tell:
        done = batch.execute(
            runs,
            at_a_time,
            tell,
            force=force,
            limits=report.Limits(time_limit, memory_mb, output_mb),
            cold=cold,
            cluster=cluster,
        )
    if not json:
        _print_report(done)
    raise typer.Exit(done.exit_status)


@app.command()
def status(
    branch: Branches = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 1 if something is not up to date.")
    ] = False,
    json: Json = False,
) -> None:
    """Say what is up to date, and why the rest is not.

    Example: opmq status --branch chimie --exit-code
    """
    from opmq_lib.runs.plan import select
    from opmq_lib.sources import project

    root = project.find_root()
    states = _print_states(select(_plan(root), branch or ()), json)
    counted = Counter(state.status for state in states.values())
    if not json:
        listed = ", ".join(f"{n} {name}" for name, n in counted.items())
        print(f"{len(states)} runs: {listed}.")
        _print_decided(root, branch or ())
    raise typer.Exit(int(exit_code and counted.keys() != {"up to date"}))


@app.command()
def clean(
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
    json: Json = False,
) -> None:
    """Remove editions that are no longer named and what dead runs have left; asks first.

    Example: opmq clean
    """
    from opmq_lib.runs import clean as leftovers
    from opmq_lib.sources import parameters, project

    root = project.find_root()
    found = leftovers.removable(root, parameters.load_edition(root), _plan(root))
    if json:
        rows = [{"path": str(each.path.relative_to(root)), "why": each.why} for each in found]
        print_json(rows)
    else:
        for each in found:
            print(f"{each.path.relative_to(root)}: {each.why}")
    if not found:
        print("Nothing to remove.", file=sys.stderr)
    elif yes or (not json and typer.confirm(f"Remove these {len(found)}?", abort=True)):
        leftovers.remove(found)
        print(f"Removed   {len(found)}.", file=sys.stderr)


def _checked(root: Path, files: list[Path]) -> list[str]:
    """Check files, or the whole project: its plan as well, where all that it rests on is sound."""
    from opmq_lib.errors import DataError, refuse
    from opmq_lib.runs import templates
    from opmq_lib.sources import validate

    errors: list[DataError] = []
    checked: list[str] = []
    named = [path.resolve() for path in files if path.suffix == ".ipynb"]
    others = [path for path in files if path.suffix != ".ipynb"]
    try:
        checked += validate.validate(root, others) if others or not files else []
    except DataError as error:
        errors.append(error)
    try:
        if files:
            read = list(map(templates.read_template, named))
        else:
            read = list(templates.read_templates(root / "notebooks").values())
        checked += [f"notebooks/{each.path.name}" for each in read]
    except DataError as error:
        errors.append(error)
    refuse(errors)
    if not files:
        _plan(root)
    return checked


def _print_states(runs: "list[Run]", json: bool) -> "dict[RunId, State]":
    """Print where runs stand: as JSON all of them, in words those that are not up to date."""
    from opmq_lib.runs import freshness
    from opmq_lib.sources import ledger

    states = freshness.states(runs, ledger.latest(runs[0].edition_folder / ledger.LEDGER))
    if json:
        rows = [
            {"branch_code": code, "notebook": notebook, **asdict(state)}
            for (code, notebook), state in states.items()
        ]
        print_json(rows)
        return states
    for run_id, state in states.items():
        if state.status != "up to date":
            print(f"{'/'.join(run_id)}: {state.status} ({few(state.reasons)})")
    return states


def _print_decided(root: Path, branch_codes: Sequence[str]) -> None:
    """Print where the branches stand whose CPNEFP has decided something."""
    from opmq_lib.runs.editions import validated
    from opmq_lib.sources import parameters

    edition_id, branches = parameters.load_edition(root).edition_id, parameters.load_branches(root)
    for code, now in validated.standings(root, edition_id, branches).items():
        if not branch_codes or code in branch_codes:
            since = f"; changed since: {few(now.changed)}" if now.changed else ""
            print(f"{code}: {now.state}, version {now.version}{since}")


def _demonstration(root: Path) -> "tuple[EditionParams, list[Run]]":
    from opmq_lib.runs import demonstration
    from opmq_lib.runs.plan import plan
    from opmq_lib.sources import parameters

    edition = parameters.load_edition(root)
    demo = demonstration.prepare(root, edition)
    runs = plan(root, demo, parameters.load_branches(root))
    taken = demonstration.adopt(runs, root, edition)
    print(f"Fictitious registers in outputs/{demo.edition_id}; {taken} results taken as they are.")
    return demo, runs


def _plan(root: Path) -> "list[Run]":
    from opmq_lib.runs.plan import plan
    from opmq_lib.sources import parameters

    return plan(root, parameters.load_edition(root), parameters.load_branches(root))


def _released_plan(root: Path) -> "list[Run]":
    """Release what may be published of the branches' own tables, say what is secret, and plan."""
    from opmq_lib.runs import hashes, library, release
    from opmq_lib.runs.plan import plan
    from opmq_lib.sources import parameters

    edition, branches = parameters.load_edition(root), parameters.load_branches(root)
    own = {code: branch for code, branch in branches.items() if branch.tables.paths()}
    if not own:
        return plan(root, edition, branches)
    known = hashes.Hashes(root / "outputs" / edition.edition_id / hashes.CACHE)
    for done in release.write(root, edition, own, library.read(known)):
        where = f"{done.branch_code}, {done.table}"
        if done.refused:
            print(f"Withheld  {where}: {done.refused.defects[0]}", file=sys.stderr)
        else:
            print(f"Released  {where}: {len(done.secret)} secret.", file=sys.stderr)
        if done.reveals:
            differs = f"{where}: who has seen this edition before can subtract {few(done.reveals)}"
            fix = "if its site is public, keep the table as it was, or count `changed_units_count`"
            print(f"Warning   {differs}; {fix}.", file=sys.stderr)
    return plan(root, edition, branches)


def _execute(runs: "list[Run]", workers: int | None) -> "BatchReport":
    """Execute runs; told to a person at a terminal only, as the report says the rest."""
    from opmq_lib.runs import batch
    from opmq_lib.runs.report import progress

    with progress(runs) if sys.stderr.isatty() else nullcontext(lambda _: None) as tell:
        return batch.execute(runs, workers or os.cpu_count() or 1, tell)


def _print_report(report: "BatchReport") -> None:
    done, fresh = report.count("ok"), report.count("up to date")
    failed, blocked = report.count("failed"), report.count("blocked")
    if not done + failed + blocked + len(report.remaining):
        print(f"Executed  nothing: all {fresh} notebooks are up to date.")
        return
    print(
        f"Executed  {done} notebooks; {fresh} were up to date, {failed} failed, {blocked} blocked."
    )
    for outcome in report.outcomes:
        if outcome.status in {"failed", "blocked"}:
            print(f"  {outcome.status} {'/'.join(outcome.run.id)}: {', '.join(outcome.reasons)}")
    if report.remaining:
        names = few(["/".join(run_id) for run_id in report.remaining])
        print(f"Remain    {len(report.remaining)}: {names}. The same command goes on with them.")
