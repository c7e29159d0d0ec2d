"""The commands: parse, call, print. Results on standard output, progress on standard error.

Exit status: 0 all done, 1 some runs or checks failed, 2 bad usage or bad input, 130 interrupted.
What a command needs is imported when it runs: `--help`, `validate` and `status` stay quick.
"""

import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from opmq_lib.errors import DataError

if TYPE_CHECKING:
    from opmq_lib.batch import BatchReport
    from opmq_lib.edition.plan import Run

_SHOWN_REASONS = 3

Engine = Literal["auto", "quarto", "embedded"]
Branches = Annotated[
    list[str] | None, typer.Option("--branch", help="Only this branch (may be repeated).")
]
Notebooks = Annotated[
    list[str] | None, typer.Option("--notebook", help="Only this template (may be repeated).")
]
Series = Annotated[Path, typer.Argument(help="CSV, XLSX or Parquet with series_code, year, value.")]
Horizon = Annotated[int, typer.Option(min=1, help="Years forecast.")]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Notebooks executed at a time; as many as processors.")
]

app = typer.Typer(
    help="A prospective observatory of jobs and qualifications, branch by branch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
branch_app = typer.Typer(help="The branches and their parameter files.", no_args_is_help=True)
app.add_typer(branch_app, name="branch")


def main() -> None:
    """Run the command line; bad input is printed without a traceback and ends with status 2."""
    try:
        app()
    except DataError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(2)


@app.command()
def study(workers: Workers = None) -> None:
    """Validate, run every notebook of every branch, and build the website.

    Example: opmq study
    """
    from opmq_lib import site
    from opmq_lib.sources import project, validate

    root = project.find_root()
    started = time.monotonic()
    checked = validate.validate(root)
    print(f"Checked   {len(checked)} parameter files and tables: no defect.")
    report = _execute(_plan(root), workers, force=False, brief=not sys.stderr.isatty())
    _print_report(report)
    if report.interrupted:
        raise typer.Exit(130)
    built = site.render(root)
    print(site.describe(built))
    print(f"Took      {time.monotonic() - started:.0f} s.")
    raise typer.Exit(report.exit_status)


@app.command("validate")
def validate_command(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Parameter files or tables; all, if none is named.")
    ] = None,
) -> None:
    """Check parameters and tables, and list every defect.

    Example: opmq validate data/ceramique_emplois.csv
    """
    from opmq_lib.sources import project, validate

    checked = validate.validate(project.find_root(), files or ())
    for line in checked if files else ():
        print(line)
    print(f"{len(checked)} parameter files and tables checked: no defect.")


@app.command()
def run(
    branch: Branches = None,
    notebook: Notebooks = None,
    workers: Workers = None,
    force: Annotated[bool, typer.Option(help="Run what is up to date as well.")] = False,
) -> None:
    """Execute the notebooks that are not up to date.

    Example: opmq run --branch chimie --notebook 01_emplois
    """
    from opmq_lib import batch
    from opmq_lib.sources import project

    runs = batch.select(_plan(project.find_root()), branch or (), notebook or ())
    report = _execute(runs, workers, force)
    _print_report(report)
    raise typer.Exit(report.exit_status)


@app.command()
def status(
    json: Annotated[bool, typer.Option("--json", help="One JSON array, for machines.")] = False,
) -> None:
    """Say what is up to date, and why the rest is not.

    Example: opmq status
    """
    from opmq_lib import batch
    from opmq_lib.edition import ledger
    from opmq_lib.sources import project

    runs = _plan(project.find_root())
    records = ledger.latest(runs[0].edition_folder / batch.LEDGER)
    states = batch.states(runs, records)
    if json:
        _print_json(
            {
                "branch_code": branch_code,
                "notebook": notebook,
                "status": state.status,
                "reasons": list(state.reasons),
            }
            for (branch_code, notebook), state in states.items()
        )
        return
    for run_id, state in states.items():
        if state.status != "up to date":
            print(f"{'/'.join(run_id)}: {state.status} ({_few(state.reasons)})")
    counted = Counter(state.status for state in states.values())
    print(f"{len(states)} runs: " + ", ".join(f"{n} {name}" for name, n in counted.items()) + ".")


@app.command("site")
def site_command(
    engine: Annotated[Engine, typer.Option(help="Quarto where it is installed, by default.")] = (
        "auto"
    ),
    release: Annotated[bool, typer.Option(help="Only what is publishable, no draft.")] = False,
    serve: Annotated[bool, typer.Option(help="Show it at http://127.0.0.1:8000 too.")] = False,
) -> None:
    """Build the website from what has been run.

    Example: opmq site --serve
    """
    from opmq_lib import site
    from opmq_lib.sources import project

    root = project.find_root()
    built = site.render(root, engine=engine, release=release)
    print(site.describe(built))
    if serve:
        from functools import partial
        from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

        handler = partial(SimpleHTTPRequestHandler, directory=str(built.site))
        print("Serving   http://127.0.0.1:8000 (Ctrl-C to stop)")
        ThreadingHTTPServer(("127.0.0.1", 8000), handler).serve_forever()


@app.command("lab")
def lab_command() -> None:
    """Open JupyterLab on copies of the templates (outputs/lab/), with the project's kernel.

    Example: opmq lab
    """
    from opmq_lib import lab
    from opmq_lib.sources import project

    root = project.find_root()
    kept = lab.copy_templates(root)
    if kept:
        print(f"Left as you made them in outputs/lab/: {', '.join(kept)}.", file=sys.stderr)
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    os.execv(sys.executable, lab.command(root))


@app.command("forecast")
def forecast_command(
    file: Series,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write: CSV, XLSX or Parquet.")
    ],
    horizon: Horizon = 5,
) -> None:
    """Forecast every annual series of a table, with quantiles from 2.5 % to 97.5 %.

    Example: opmq forecast series.csv -o forecasts.csv --horizon 6
    """
    from opmq_lib import exports, forecast
    from opmq_lib.sources import tables

    exports.check_ending(output)
    series = tables.read_table(file, "series")
    with _warnings_told():
        future = forecast.forecast_series(series, horizon)
    exports.write_table(future, output)
    print(f"Written: {output} ({series['series_code'].nunique()} series, {horizon} years each).")


@app.command("backtest")
def backtest_command(
    file: Series,
    horizon: Horizon = 5,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the whole tables of scores.")
    ] = None,
    ets: Annotated[
        bool,
        typer.Option(help="Score statsmodels' ETS too, the slowest: some hundred fits a second."),
    ] = True,
) -> None:
    """Say how wrong forecasts of these series would have been from their last five cut-offs.

    Example: opmq backtest series.csv --horizon 6 --no-ets
    """
    from opmq_lib import exports, scores
    from opmq_lib.forecast.backtest import backtest
    from opmq_lib.sources import tables

    series = tables.read_table(file, "series")
    models = ["panel", "naive", "drift", *["ets"] * ets]
    with _warnings_told():
        pairs = backtest(series, horizon, models=models)
    report = scores.report(pairs, str(file))
    for title, table in scores.printed(report).items():
        print(f"{title}\n{table.to_string()}\n")
    if output is not None:
        exports.write_results(report, str(output), "backtest")
        print(f"Written: {output}")


@branch_app.command("list")
def branch_list() -> None:
    """List the branches that the tables know, and their conventions today.

    Example: opmq branch list
    """
    from opmq_lib.sources import parameters, project, study

    known = parameters.load_branches(project.find_root())
    for code, label in sorted(study.branch_labels().items()):
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


@contextmanager
def _warnings_told() -> Iterator[None]:
    """Print what a calculation warns of as one line each on standard error."""
    with warnings.catch_warnings(record=True) as told:
        yield
    for each in told:
        print(f"Note: {each.message}", file=sys.stderr)


def _few(reasons: Sequence[str]) -> str:
    """Return the first reasons in one line, and how many there are beside them.

    Examples:
        >>> _few(["never run"]), _few(["a", "b", "c", "d", "e"])
        ('never run', 'a; b; c and 2 more')
    """
    others = len(reasons) - _SHOWN_REASONS
    return "; ".join(reasons[:_SHOWN_REASONS]) + (f" and {others} more" if others > 0 else "")


def _plan(root: Path) -> "list[Run]":
    from opmq_lib import batch
    from opmq_lib.sources import parameters

    return batch.plan(root, parameters.load_edition(root), parameters.load_branches(root))


def _execute(
    runs: "list[Run]", workers: int | None, force: bool, brief: bool = False
) -> "BatchReport":
    from opmq_lib import batch

    at_a_time = workers or os.cpu_count() or 1
    if brief:
        return batch.execute(runs, at_a_time, force=force)
    with batch.progress(len(runs)) as tell:
        return batch.execute(runs, at_a_time, tell, force=force)


def _print_report(report: "BatchReport") -> None:
    done, fresh = report.count("ok"), report.count("up to date")
    failed, blocked = report.count("failed"), report.count("blocked")
    if not done + failed + blocked:
        print(f"Executed  nothing: all {fresh} notebooks are up to date.")
        return
    print(
        f"Executed  {done} notebooks; {fresh} were up to date, {failed} failed, {blocked} blocked."
    )
    for outcome in report.outcomes:
        if outcome.status in {"failed", "blocked"}:
            print(f"  {outcome.status} {'/'.join(outcome.run.id)}: {', '.join(outcome.reasons)}")


def _print_json(rows: object) -> None:
    import json

    print(json.dumps(list(rows), ensure_ascii=False, indent=1))  # type: ignore[call-overload]
