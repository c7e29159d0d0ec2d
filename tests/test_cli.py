"""The commands on a copy of the project: most of them in this process, some in one of their own."""

import contextlib
import io
import json
import re
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from opmq_lib import cli
from opmq_lib.methods.forecast import forecast_series
from opmq_lib.sources import embedded

HEAVY = {"matplotlib", "papermill", "statsmodels"}


def commands(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that does something, with the words that call it."""
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, *path, name)
    if not hasattr(command, "commands"):
        yield path, command


COMMANDS = dict(commands(typer.main.get_command(cli.app)))
each_command = pytest.mark.parametrize("words", COMMANDS, ids=" ".join)


def process(
    folder: Path, *arguments: str, python: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    command = [sys.executable, *python, "-m", "opmq_lib", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8")


def light(folder: Path, *arguments: str) -> str:
    """Return what a command prints; it must succeed without the packages that are slow to load."""
    done = process(folder, *arguments, python=("-X", "importtime"))
    assert done.returncode == 0, done.stderr
    packages = set(re.findall(r"^import time:.*\| +(\w+)", done.stderr, re.MULTILINE))
    assert "opmq_lib" in packages
    assert not HEAVY & packages
    return done.stdout


def said(folder: Path, *arguments: str, answer: str = "") -> tuple[object, str, str]:
    """Return how a command ends, in this process, and what it prints: results, the rest."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        mock.patch.object(sys, "argv", ["opmq", *arguments]),
        mock.patch.object(sys, "stdin", io.StringIO(answer)),
        mock.patch.object(warnings, "formatwarning"),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        cli.main()
    return ended.value.code, out.getvalue(), err.getvalue()


def opmq(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in this process."""
    return subprocess.CompletedProcess(arguments, *said(folder, *arguments))


def refusal(folder: Path, *arguments: str) -> str:
    """Return what a refused command prints; it must leave no trace but that."""
    code, out, err = said(folder, *arguments)
    assert (code, out) == (2, "")
    assert not (folder / "outputs").exists()
    return err


def statuses(folder: Path) -> dict[str, str]:
    done = opmq(folder, "status", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    rows = json.loads(done.stdout)
    return {f"{row['branch_code']}/{row['notebook']}": row["status"] for row in rows}


def replace_body(path: Path, source: str) -> None:
    """Leave a template its signature, followed by one cell."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    signature = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    notebook["cells"] = [signature, signature | {"id": "body", "metadata": {}, "source": source}]
    path.write_text(json.dumps(notebook), encoding="utf-8")


@pytest.fixture
def small_copy(project_copy: Path) -> Path:
    """Return a copy of the project with two branches whose notebooks do nothing."""
    for path in (project_copy / "parameters" / "branches").iterdir():
        if path.stem not in {"chimie", "ciments"}:
            path.unlink()
    for path in (project_copy / "notebooks").iterdir():
        replace_body(path, "pass")
    return project_copy


def test_the_installed_command_is_main() -> None:
    (script,) = entry_points(group="console_scripts", name="opmq")
    assert script.load() is cli.main


@each_command
def test_help_shows_an_example_of_the_command_that_it_accepts(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(cli.app, [*words, "--help"])
    assert shown.exit_code == 0
    (example,) = re.findall(r"Example: opmq (.+)", shown.output)
    arguments = example.split()
    assert tuple(arguments[: len(words)]) == words
    COMMANDS[words].make_context("opmq", arguments[len(words) :])


@each_command
def test_help_explains_every_option_and_argument(words: tuple[str, ...]) -> None:
    assert [each.name for each in COMMANDS[words].params if not each.help] == []


@pytest.mark.parametrize("arguments", [["--help"], ["validate"], ["status"]], ids=" ".join)
def test_light_command_imports_nothing_heavy(project_copy: Path, arguments: list[str]) -> None:
    assert light(project_copy, *arguments)


def test_shipped_parameters_are_valid(project_copy: Path) -> None:
    done = opmq(project_copy, "validate")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no defect" in done.stdout


def test_status_in_json_has_one_row_per_run_and_says_why(project_copy: Path) -> None:
    rows = json.loads(opmq(project_copy, "status", "--json").stdout)
    assert {tuple(row) for row in rows} == {("branch_code", "notebook", "status", "reasons")}
    (chimie,) = [
        row for row in rows if (row["branch_code"], row["notebook"]) == ("chimie", "01_emplois")
    ]
    assert (chimie["status"], chimie["reasons"]) == ("stale", ["never run"])
    assert ("commun", "10_consolidation") in {(row["branch_code"], row["notebook"]) for row in rows}


def test_status_gives_few_reasons_for_a_run_that_has_many(project_copy: Path) -> None:
    lines = opmq(project_copy, "status").stdout.splitlines()
    (line,) = [line for line in lines if line.startswith("commun/10_consolidation: ")]
    assert line.count("no result of ") == 3
    assert re.search(r" and [1-9][0-9]+ more\)$", line)
    rows = json.loads(opmq(project_copy, "status", "--json").stdout)
    (whole,) = [row["reasons"] for row in rows if row["notebook"] == "10_consolidation"]
    assert len(whole) == 206


def test_status_reads_from_any_folder_of_the_project(project_copy: Path) -> None:
    assert opmq(project_copy / "notebooks", "status").stdout == opmq(project_copy, "status").stdout


def test_branch_list_names_every_branch_of_the_table(project_copy: Path) -> None:
    done = opmq(project_copy, "branch", "list")
    assert (done.returncode, done.stderr) == (0, "")
    codes = [line.split()[0] for line in done.stdout.splitlines()]
    assert codes == sorted(embedded.load("branches")["branch_code"])
    assert len(codes) == 34
    (chimie,) = [line for line in done.stdout.splitlines() if line.startswith("chimie ")]
    assert chimie.split()[1:] == ["00044", "Industries", "chimiques"]
    rows = json.loads(said(project_copy, "branch", "list", "--json")[1])
    assert [row["branch_code"] for row in rows] == codes
    assert {
        "branch_code": "chimie",
        "label": "Industries chimiques",
        "idcc_codes": ["00044"],
    } in rows


def test_branch_new_writes_a_valid_file(project_copy: Path) -> None:
    path = project_copy / "parameters" / "branches" / "chimie.yml"
    path.unlink()
    done = opmq(project_copy, "branch", "new", "chimie")
    assert (done.returncode, done.stderr) == (0, "")
    assert "parameters/branches/chimie.yml" in done.stdout
    assert opmq(project_copy, "validate", str(path)).returncode == 0


def test_branch_new_refuses_to_overwrite(project_copy: Path) -> None:
    path = project_copy / "parameters" / "branches" / "chimie.yml"
    path.write_text("mine", encoding="utf-8")
    assert "parameters/branches/chimie.yml: the file exists" in refusal(
        project_copy, "branch", "new", "chimie"
    )
    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--brnach"], "No such option: --brnach"),
        (["statsu"], "No such command 'statsu'"),
        (["run", "--workers", "0"], "Invalid value for '--workers'"),
        (["site", "--engine", "word"], "Invalid value for '--engine'"),
        (["run", "--branch", "chimi"], "did you mean `chimie`?"),
        (["audit", "--branch", "chimi"], "did you mean `chimie`?"),
        (["run", "--notebook", "01_emploi"], "did you mean `01_emplois`?"),
        (["branch", "new", "chimi"], "did you mean `chimie`?"),
        (["validate", "absent.csv"], "absent.csv: no such file"),
        (["forecast", "absent.csv", "-o", "out.csv"], "absent.csv: no such file"),
        (["forecast", "absent.csv", "-o", "out.ods"], "expected: .csv, .xlsx, .parquet"),
        (["backtest", "absent.csv", "--horizon", "0"], "Invalid value for '--horizon'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_usage_ends_with_status_2(project_copy: Path, arguments: list[str], found: str) -> None:
    assert found in refusal(project_copy, *arguments)


@pytest.mark.parametrize("command", ["validate", "run", "status", "study"])
def test_bad_parameter_file_ends_with_status_2(project_copy: Path, command: str) -> None:
    path = project_copy / "parameters" / "branches" / "chimie.yml"
    path.write_text(f"{path.read_text(encoding='utf-8')}\nnotebook: []\n", encoding="utf-8")
    printed = refusal(project_copy, command)
    assert "parameters/branches/chimie.yml" in printed
    assert "did you mean `notebooks`?" in printed


def series_table(years: int) -> pd.DataFrame:
    """Return four series of steps of one size, whose last digits differ."""
    rows = [
        (f"S{n}", 2000 + year, 100.0 + 7 * n + 2 * year + (n * year) % 3)
        for n in range(4)
        for year in range(years)
    ]
    return pd.DataFrame(rows, columns=["series_code", "year", "value"])


def read(path: Path) -> pd.DataFrame:
    readers = {
        ".csv": pd.read_csv,
        ".xlsx": partial(pd.read_excel, engine="openpyxl"),
        ".parquet": pd.read_parquet,
    }
    return readers[path.suffix](path)


@pytest.mark.parametrize(("given", "written"), [("csv", "parquet"), ("parquet", "xlsx")])
def test_forecast_reads_and_writes_any_kind_of_table(
    tmp_path: Path, given: str, written: str
) -> None:
    table = series_table(15)
    table.to_csv(tmp_path / "series.csv", index=False)
    table.to_parquet(tmp_path / "series.parquet", index=False)
    done = opmq(
        tmp_path, "forecast", f"series.{given}", "-o", f"out/to.{written}", "--horizon", "3"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "4 series, 3 years each" in done.stdout
    expected = forecast_series(table, 3)
    pd.testing.assert_frame_equal(
        read(tmp_path / "out" / f"to.{written}"), expected, check_dtype=False, rtol=1e-9
    )


def test_forecast_says_which_years_it_filled(tmp_path: Path) -> None:
    series_table(15).drop(index=5).to_csv(tmp_path / "series.csv", index=False)
    done = process(tmp_path, "forecast", "series.csv", "-o", "out.csv")
    assert done.returncode == 0
    assert "1 series with missing years, filled by a straight line: S0" in done.stderr


def test_forecast_refuses_a_bad_table_with_every_defect_and_no_value(tmp_path: Path) -> None:
    text = "series_code,year,value\nA,2000,1\nA,2000,2\nA,2001,much\n,2002,4321\n"
    (tmp_path / "series.csv").write_text(text, encoding="utf-8")
    printed = refusal(tmp_path, "forecast", "series.csv", "-o", "out.csv")
    assert "3 defects" in printed
    assert "series.csv, row 4, column `value` (A, 2001): not a number" in printed
    assert "4321" not in printed
    assert not (tmp_path / "out.csv").exists()


def test_backtest_prints_scores_of_every_model_and_writes_the_whole_tables(tmp_path: Path) -> None:
    series_table(12).to_csv(tmp_path / "series.csv", index=False)
    done = opmq(tmp_path, "backtest", "series.csv", "--horizon", "2", "-o", "scores")
    assert (done.returncode, done.stderr) == (0, "")
    header = next(line for line in done.stdout.splitlines() if line.startswith("model"))
    assert header.split() == ["model", "drift", "ets", "naive", "panel"]
    found = read(tmp_path / "scores" / "scores.csv")
    assert {"owa", "mase", "coverage_95_pct"} <= set(found["score"])
    assert set(found["step"]) == {0, 1, 2}


def test_backtest_of_series_too_short_ends_with_status_2(tmp_path: Path) -> None:
    series_table(6).to_csv(tmp_path / "series.csv", index=False)
    assert "no series is long enough" in refusal(tmp_path, "backtest", "series.csv")


def test_outside_a_project_the_status_is_2(tmp_path: Path) -> None:
    assert "not inside a project" in refusal(tmp_path, "status")


def test_results_go_to_standard_output_and_progress_to_standard_error(small_copy: Path) -> None:
    done = process(small_copy, "run", "--branch", "chimie", "--notebook", "03_tensions")
    assert done.returncode == 0
    assert "[1/1] ok chimie/03_tensions" in done.stderr
    assert "Executed  1 notebook" in done.stdout
    assert "[1/1]" not in done.stdout
    assert statuses(small_copy)["chimie/03_tensions"] == "up to date"


def test_failed_run_ends_with_status_1_and_is_named_beside_those_that_succeeded(
    small_copy: Path,
) -> None:
    replace_body(
        small_copy / "notebooks" / "03_tensions.ipynb",
        'assert branch_code != "chimie", "no figure"',
    )
    done = opmq(small_copy, "run", "--notebook", "03_tensions")
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if "chimie/03_tensions" in line]
    assert "failed" in line
    assert "AssertionError: no figure" in line
    assert "ciments" not in done.stdout
    found = statuses(small_copy)
    assert found["chimie/03_tensions"] == "failed"
    assert found["ciments/03_tensions"] == "up to date"


def test_run_in_json_has_one_line_per_event(small_copy: Path) -> None:
    replace_body(small_copy / "notebooks" / "03_tensions.ipynb", "1 / 0")
    done = opmq(small_copy, "run", "--branch", "chimie", "--notebook", "03_tensions", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    running, failed = (json.loads(line) for line in done.stdout.splitlines())
    assert (running["status"], running["reasons"]) == ("running", ["never run"])
    assert (failed["status"], failed["branch_code"]) == ("failed", "chimie")
    assert failed["reasons"] == ["In [3] ZeroDivisionError: division by zero"]


def test_limits_of_a_run_are_told_with_the_option_that_raises_them(small_copy: Path) -> None:
    template = small_copy / "notebooks" / "03_tensions.ipynb"
    chosen = ["run", "--branch", "chimie", "--notebook", "03_tensions"]
    replace_body(template, "while True: pass")
    assert "--time-limit" in opmq(small_copy, *chosen, "--time-limit", "1").stdout
    if sys.platform == "linux":
        replace_body(template, "bytearray(4_000_000_000)")
        assert "--memory-mb" in opmq(small_copy, *chosen, "--memory-mb", "2000").stdout


def test_version_is_said(tmp_path: Path) -> None:
    assert re.fullmatch(r"opmq \d+\.\d+\.\d+\n", said(tmp_path, "--version")[1])


def test_status_of_one_branch_ends_with_status_1_where_that_is_asked_for(small_copy: Path) -> None:
    code, out, _ = said(small_copy, "status", "--branch", "ciments", "--exit-code")
    assert code == 1
    assert "ciments/01_emplois: stale (never run)" in out
    assert "chimie" not in out


def test_dry_run_says_what_would_run_and_runs_nothing(small_copy: Path) -> None:
    chosen = ("run", "--branch", "chimie", "--notebook", "01_emplois", "--dry-run")
    code, out, err = said(small_copy, *chosen)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "chimie/01_emplois: stale (never run)",
        "At most 1 of 1 notebooks would run.",
    ]
    (row,) = json.loads(said(small_copy, *chosen, "--json")[1])
    assert (row["status"], row["reasons"]) == ("stale", ["never run"])
    assert not (small_copy / "outputs").exists()


def test_clean_removes_what_nothing_needs_once_asked(small_copy: Path) -> None:
    kept = ["2026/runs.jsonl", "2026/chimie/01_emplois/01_emplois.ipynb", "2026/chimie/notes.csv"]
    kept += ["lab/01_emplois.ipynb", "mine/table.csv", "site/index.html"]
    old = ["2019/runs.jsonl", "2026/.work/a/x", "2026/verre/01_emplois/01_emplois.ipynb"]
    old += ["2026/chimie/99_x.failed.ipynb"]
    for name in (*kept, *old):
        path = small_copy / "outputs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    rows = json.loads(said(small_copy, "clean", "--json")[1])
    found = ["2019", "2026/.work", "2026/chimie/99_x.failed.ipynb", "2026/verre/01_emplois"]
    assert sorted(row["path"] for row in rows) == [f"outputs/{name}" for name in found]
    assert said(small_copy, "clean", answer="n\n")[0] == 1
    assert all((small_copy / "outputs" / name).exists() for name in (*kept, *old))
    assert said(small_copy, "clean", answer="y\n")[0] == 0
    assert all((small_copy / "outputs" / name).exists() for name in kept)
    assert not any((small_copy / "outputs" / name).exists() for name in found)
    assert "Nothing to remove." in said(small_copy, "clean")[2]


def test_validate_lists_defects_of_templates_beside_those_of_parameters(small_copy: Path) -> None:
    template = small_copy / "notebooks" / "03_tensions.ipynb"
    template.write_text(template.read_text().replace('"parameters"', '"x"'))
    path = small_copy / "parameters/branches/chimie.yml"
    path.write_text(f"{path.read_text()}\nnotebook: []\n")
    printed = refusal(small_copy, "validate")
    assert "notebooks/03_tensions.ipynb, parameters cell: 0 cells are tagged" in printed
    assert "did you mean `notebooks`?" in printed
    assert "0 cells are tagged" in refusal(small_copy, "validate", str(template))
    code, out, _ = said(small_copy, "validate", "--json")
    places = [defect["where"] for defect in json.loads(out)["defects"]]
    assert code == 2
    assert "notebooks/03_tensions.ipynb, parameters cell" in places


def test_disk_full_or_read_only_is_one_line_that_says_what_to_do(
    small_copy: Path, small_disk: Path
) -> None:
    (small_copy / "outputs").symlink_to(small_disk)
    code, _, err = said(small_copy, "site", "--engine", "embedded")
    assert code == 2
    assert re.fullmatch(r"(\S+: )?No space left on device; free space on that disk, .+\n", err)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    code, _, err = said(small_copy, "run", "--notebook", "03_tensions")
    assert code == 2
    assert re.fullmatch(r"\S+: Read-only file system; make it writable for you, .+\n", err)


def test_lab_refuses_a_run_that_has_not_failed(project_copy: Path) -> None:
    assert "no failed notebook" in refusal(project_copy, "lab", "--failed", "chimie/01_emplois")


def test_interrupted_run_ends_with_status_130(small_copy: Path) -> None:
    template = small_copy / "notebooks" / "03_tensions.ipynb"
    replace_body(template, 'import time\nopen("started", "w").close()\ntime.sleep(600)')
    command = [sys.executable, "-m", "opmq_lib", "run", "--branch", "chimie"]
    edition = small_copy / "outputs" / "2026"
    with subprocess.Popen(
        [*command, "--notebook", "03_tensions"],
        cwd=small_copy,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            while not list(edition.glob(".work/*/started")):
                assert process.poll() is None
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=60)
            assert process.returncode == 130
        finally:
            process.kill()
    assert "Executed  0 notebooks" in said
    assert "Remain    1: chimie/03_tensions." in said
    assert not list(edition.glob("chimie/*"))


def test_study_runs_everything_once_and_then_says_that_nothing_is_left_to_do(
    small_copy: Path,
) -> None:
    for path in (small_copy / "parameters/branches").iterdir():
        asked = re.sub(r"(?m)^notebooks: .*", 'notebooks: ["01_emplois"]', path.read_text("utf-8"))
        path.write_text(asked, encoding="utf-8")
    first = process(small_copy, "study")
    assert first.returncode == 0, first.stderr
    assert "outputs/site/index.html" in first.stdout
    assert (small_copy / "outputs" / "site" / "index.html").is_file()
    assert set(statuses(small_copy).values()) == {"up to date"}
    assert opmq(small_copy, "status", "--exit-code").returncode == 0
    second = light(small_copy, "study")
    assert "nothing: all 7 notebooks are up to date" in second
    assert max(len(first.stdout.splitlines()), len(second.splitlines())) <= 20
