"""Commands on any annual series: forecast, backtest."""

from pathlib import Path
from typing import Annotated

import typer

from opmq_lib.cli.app import app

Series = Annotated[
    Path, typer.Argument(help="CSV, XLSX or Parquet: series_code, year, value[, kind_code].")
]
Horizon = Annotated[int, typer.Option(min=1, help="Years forecast.")]


@app.command("forecast")
def forecast_command(
    file: Series,
    output: Annotated[Path, typer.Option("--output", "-o", help="CSV, XLSX or Parquet to write.")],
    horizon: Horizon = 5,
) -> None:
    """Forecast every annual series of a table, with quantiles from 2.5 % to 97.5 %.

    Example: opmq forecast series.csv -o forecasts.csv --horizon 6
    """
    from opmq_lib.methods import forecast
    from opmq_lib.show import downloads
    from opmq_lib.sources import table_files

    downloads.check_ending(output)
    series = table_files.read_table(file, "series")
    future = forecast.forecast_series(series, horizon)
    downloads.write_table(future, output)
    print(f"Written: {output} ({series['series_code'].nunique()} series, {horizon} years each).")


@app.command("backtest")
def backtest_command(
    file: Series,
    horizon: Horizon = 5,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the whole tables of scores.")
    ] = None,
    ets: Annotated[bool, typer.Option(help="Score ETS too: some hundred fits a second.")] = True,
) -> None:
    """Say how wrong forecasts of these series would have been from their last five cut-offs.

    Example: opmq backtest series.csv --horizon 6 --no-ets
    """
    from opmq_lib.methods.forecast import scores
    from opmq_lib.methods.forecast.backtest import backtest
    from opmq_lib.show import downloads
    from opmq_lib.sources import table_files

    series = table_files.read_table(file, "series")
    models = ["panel", "naive", "drift", *["ets"] * ets]
    report = scores.report(backtest(series, horizon, models=models), str(file))
    for title, table in scores.printed(report).items():
        print(f"{title}\n{table.to_string()}\n")
    if output is not None:
        downloads.write_results(report, str(output.absolute()), "backtest")
        print(f"Written: {output}")
