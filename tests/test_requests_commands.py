"""The commands on registers: where they may write, and what they say of what is not there."""

from pathlib import Path

import pandas as pd
import pytest
from test_cli import opmq
from test_requests_review import w8_register
from typer.testing import CliRunner

from opmq_lib import cli
from opmq_lib.errors import ConfidentialityError, SchemaError
from opmq_lib.show import downloads

KEY = "a secret that is not in the repository"


def refused(*arguments: str) -> BaseException | None:
    return CliRunner().invoke(cli.app, ["requests", *arguments]).exception


def named(root: Path, **registers: str) -> None:
    """Name registers in the edition's file."""
    file = root / "parameters/edition.yml"
    text = file.read_text(encoding="utf-8")
    for name, path in registers.items():
        text = text.replace(f"  {name}: null", f'  {name}: "{path}"')
    file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("output", ["outputs/site/x.csv", "data/../outputs/x.csv", "link/x.csv"])
def test_no_register_is_written_among_the_results(
    project_copy: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    monkeypatch.chdir(project_copy)
    (project_copy / "outputs").mkdir()
    (project_copy / "link").symlink_to("outputs")
    key = project_copy.parent / "opmq.key"
    key.write_text(KEY)
    imported = refused("import", "none.csv", "--key-file", str(key), "-o", output)
    proposed = refused("recommend", "-o", str(project_copy / output))
    named(project_copy, recommendations="outputs/2026/x.csv")
    in_file = refused("recommend")
    for error in (imported, proposed, in_file):
        assert isinstance(error, ConfidentialityError)
    assert not list((project_copy / "outputs").iterdir())


def test_no_recommendation_without_a_register(
    project_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project_copy)
    error = refused("recommend")
    assert isinstance(error, SchemaError)
    assert "opmq requests import" in str(error)
    assert not (project_copy / "data").exists()


def test_recommendations_may_be_written_outside_the_project(project_copy: Path) -> None:
    downloads.write_table(w8_register(), project_copy / "data/requests.parquet")
    named(project_copy, requests="data/requests.parquet")
    path = project_copy.parent / "rec.csv"
    done = opmq(project_copy, "requests", "recommend", "-o", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Written: {path} (2 new, 0 kept).\n"
    assert len(pd.read_csv(path)) == 2


def test_readers_of_the_pages_can_download_the_template(project_copy: Path) -> None:
    done = opmq(project_copy, "run", "--branch", "chimie", "--notebook", "06_demandes")
    assert done.returncode == 0, done.stderr
    folder = project_copy / "outputs/2026"
    branch, common = (
        (folder / place / "requests_template.xlsx").read_bytes()
        for place in ("chimie/06_demandes", "commun/13_demandes_ensemble")
    )
    assert branch == common
    page = (folder / "chimie/06_demandes/06_demandes.ipynb").read_text(encoding="utf-8")
    assert "requests_template.xlsx, dans les fichiers" in page
