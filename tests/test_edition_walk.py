"""From draft to an archive that can be made again, then a changed input; and damaged archives."""

import json
import os
import random
import re
import shutil
import signal
import time
import zipfile
from pathlib import Path

import edition_walk as walk
import openpyxl
import pytest
from killed import changes, forked, nth
from typer.testing import CliRunner

from opmq_lib.cli import app
from opmq_lib.runs import fingerprint
from opmq_lib.runs.editions import archive, verify

FULL = pytest.mark.skipif(not os.environ.get("OPMQ_TEST_FULL"), reason="OPMQ_TEST_FULL=1")
TABLE = "results/chimie/01_emplois/emplois.csv"
SECRET = "a figure of its owner"
MEETING = ["--date", "2026-03-12", "--reference", "RD 2026-03"]


@pytest.mark.parametrize(
    ("after", "apart"), [("1.00001,2.0", ", by 0.001 % at most"), ("1.00001,", "")]
)
def test_by_how_much_is_said_where_all_that_differs_are_numbers(after: str, apart: str) -> None:
    head = "metier_code,year,value,upper\nA0A00,2020,"
    found = verify._first(f"{head}1.0,2.00001\n".encode(), f"{head}{after}\n".encode())
    assert found.startswith(f"2 cells differ{apart}, first upper of A0A00 2020: 2.00001 archived")


def opmq(root: Path, *words: str, status: int = 0) -> str:
    """Return what a command prints, in a project."""
    here = Path.cwd()
    os.chdir(root)
    try:
        result = CliRunner().invoke(app, words)
    finally:
        os.chdir(here)
    failed = f"{result.exception}" if result.exception else ""
    assert (result.exit_code, failed) == (status, "") or status, (result.output, failed)
    return result.output + failed


def vote(root: Path, branch: str) -> None:
    """Fill in the form of a branch's vote and read it back."""
    form = root / "vote.xlsx"
    opmq(root, "vote", "form", branch, "-o", str(form))
    book = openpyxl.load_workbook(form)
    cells = {"Date du vote (AAAA-MM-JJ)": "2026-03-12", "Instance": "CPNEFP de la branche"}
    cells |= {"Relevé de décisions": "RD 2026-03", "Fondement du vote": "Relevé du 12 mars 2026"}
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            if row[0].value in cells:
                row[1].value = cells[row[0].value]
    book.save(form)
    assert f"Written: parameters/branches/{branch}.yml" in opmq(root, "vote", "read", str(form))


def leave(root: Path) -> None:
    """Leave what its user may have there: a template run on own tables, a table, a form."""
    template = root / "notebooks/01_emplois.ipynb"
    notebook = json.loads(template.read_text(encoding="utf-8"))
    shown = {"output_type": "stream", "name": "stdout", "text": [SECRET]}
    notebook["cells"][1] |= {"outputs": [shown], "execution_count": 3}
    notebook["metadata"]["widgets"] = {"state": SECRET}
    template.write_text(json.dumps(notebook), encoding="utf-8")
    for name in ("notebooks/mine.csv", "notebooks/.kept.yml", "parameters/vote.xlsx"):
        (root / name).write_text(SECRET, encoding="utf-8")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with one publishable branch, its release frozen; not to be changed."""
    root = walk.project(tmp_path_factory.mktemp("walk") / "project")
    assert walk.run(root, "chimie", "chaux").exit_status == 0
    assert "no branch is publishable" in opmq(root, "site", "--release", status=1)
    vote(root, "chimie")
    for state in ("submitted", "validated", "publishable"):
        said = opmq(root, "edition", "state", "chimie", state, *MEETING)
        assert f"chimie: {state}, version 1, 1 tables" in said
    assert "chimie: publishable, version 1" in opmq(root, "status")
    count = len(list((root / "parameters/branches").iterdir()))
    leave(root)
    said = opmq(root, "site", "--release")  # all but one, and the consolidation
    assert f"{count} page(s) say why they have no result" in said
    made = changes(lambda: opmq(root, "edition", "freeze", "2026-v1", "--release"))
    (root.parent / "changes").write_text(f"{len(made)}", encoding="utf-8")
    return root


def test_killed_before_any_change_freeze_leaves_the_previous_edition_and_no_partial_one(
    published: Path, tmp_path: Path
) -> None:
    """Default: amid the pages, and between the two renamings; in the full run, thirty places."""
    root = tmp_path / "project"
    shutil.copytree(published, root)
    before, path = (archive.path_of(root, name) for name in ("2026-v1", "2026-v2"))
    kept, freeze = before.read_bytes(), ("edition", "freeze", "2026-v2", "--release")
    count = int((published.parent / "changes").read_text(encoding="utf-8"))
    stops = [change.__eq__ for change in ("os.rename index.html", "os.rename 2026-v2.zip")]
    if os.environ.get("OPMQ_TEST_FULL"):
        stops += map(nth, random.Random(22).sample(range(count * 9 // 10), 28))
    for is_last in stops:
        path.unlink(missing_ok=True)
        shutil.rmtree(root / "outputs/.archived-site", ignore_errors=True)
        assert forked(lambda: opmq(root, *freeze), is_last) == -signal.SIGKILL
        assert before.read_bytes() == kept
        assert archive.frozen(root) in ([before], [before, path])
        if path.exists():
            assert archive.recorded_sum(path) == fingerprint.file_sha256(path)
    said = opmq(root, *freeze)
    assert f"SHA-256   {archive.recorded_sum(path)}" in said
    assert archive.frozen(root) == [before, path]
    assert not verify.is_whole(path, archive.manifest(path))


def test_a_release_publishes_one_branch_and_the_others_are_nv(published: Path) -> None:
    pages = {
        path.parent.name: path.read_text(encoding="utf-8")
        for path in (published / "outputs/site/branches").glob("*/01_emplois.html")
    }
    unvalidated = {name for name, text in pages.items() if "<strong>nv</strong> (non" in text}
    assert unvalidated == pages.keys() - {"chimie"}
    assert len(unvalidated) == (33 if os.environ.get("OPMQ_TEST_FULL") else 2)
    assert "Validé par la CPNEFP" in pages["chimie"]
    assert "RD 2026-03" in pages["chimie"]
    assert "Brouillon" not in pages["chimie"]
    assert not list((published / "outputs/site/telechargements").glob("chaux/*"))


def test_the_archive_holds_what_was_published_and_nothing_of_the_others(published: Path) -> None:
    path = archive.path_of(published, "2026-v1")
    names = dict(archive.sums(path))
    results = {name for name in names if name.startswith("results/")}
    assert results == {TABLE, "results/chimie/01_emplois/01_emplois.ipynb"}
    with zipfile.ZipFile(path) as packed:
        assert not any(SECRET.encode() in packed.read(name) for name in names)
    about = archive.manifest(path)
    assert about["not_included"] == ["results of chaux/01_emplois"]
    assert about["states"]["chimie"]["state"] == "publishable"
    assert about["seeds"].keys() == {"chimie/01_emplois"}
    crate = json.loads(archive.read(path, "ro-crate-metadata.json"))
    root = next(each for each in crate["@graph"] if each["@id"] == "./")
    described = {each["@id"] for each in root["hasPart"]}
    assert {TABLE, "ledger.jsonl", "project/parameters/edition.yml"} <= described
    assert root.keys() >= {"name", "description", "datePublished", "license"}
    assert b"cff-version: 1.2.0" in archive.read(path, "CITATION.cff")
    assert not re.search(rb"started_at|duration", archive.read(path, "ledger.jsonl"))


@FULL
def test_the_same_content_gives_the_same_archive(published: Path) -> None:
    path = archive.path_of(published, "2026-v1")
    said = opmq(published, "edition", "freeze", "2026-v1", "--release")
    assert archive.recorded_sum(path) in said


def test_verify_makes_the_archive_again(published: Path) -> None:
    path = str(archive.path_of(published, "2026-v1"))
    said = opmq(published, "edition", "verify", path)
    assert said == "Verified  1 tables and 1 figures: identical.\n"


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        (TABLE, b"branch_code\n", "altered table"),
        ("project/parameters/edition.yml", b"", "altered parameter"),
        ("library/opmq_lib/data/branches.csv", None, "missing input"),
        ("library/opmq_lib/errors.py", b"", "altered code"),
        ("site/index.html", b"", "altered page"),
        ("site/other.html", b"", "added page"),
    ],
)
def test_verify_names_what_was_tampered_with(
    published: Path, tmp_path: Path, name: str, content: bytes | None, cause: str
) -> None:
    path = archive.path_of(published, "2026-v1")
    copy = walk.rewritten(path, tmp_path / "copy.zip", {name: content}, sums=False)
    said = opmq(published, "edition", "verify", str(copy), status=1)
    assert f"DIFFERS   {name}: {cause}. Likely cause: tampered archive ({cause})" in said


def test_verify_compares_the_sum_beside_the_archive(published: Path, tmp_path: Path) -> None:
    copy = walk.rewritten(
        archive.path_of(published, "2026-v1"), tmp_path / "copy.zip", {}, sums=True
    )
    copy.with_name("copy.zip.sha256").write_text("0" * 64)
    assert "SHA-256 is not the one" in opmq(published, "edition", "verify", str(copy), status=1)
    copy.write_bytes(copy.read_bytes()[:1000])
    with pytest.raises(Exception, match="no archive of an edition"):
        archive.manifest(copy)


LEDGER_CHANGES = {
    "version": ('"pandas": "', '"pandas": "0.', "version of pandas 0."),
    "parameter": ('"horizon_years": 12', '"horizon_years": 11', "parameter horizon_years 11 → 12"),
    "seed": ('"seed": ', '"seed": 9', "seed: 9"),
}


@pytest.mark.parametrize(
    "kind",
    ["version", *(pytest.param(each, marks=FULL) for each in ("parameter", "seed", "input"))],
)
def test_verify_finds_the_cause_that_a_careful_hand_has_hidden(
    published: Path, tmp_path: Path, kind: str
) -> None:
    """Sums are right everywhere: only making the results again shows that they are others."""
    path = archive.path_of(published, "2026-v1")
    table = archive.read(path, TABLE).replace(b"120", b"121")
    changes: dict[str, bytes | None] = {TABLE: table}
    if kind == "input":
        changes = {f"project/{walk.INPUT}": walk.JOBS.replace("120", "119").encode()}
        words = f"input: input {walk.INPUT} changed"
    else:
        before, after, words = LEDGER_CHANGES[kind]
        ledger = archive.read(path, "ledger.jsonl").decode()
        assert before in ledger
        changes["ledger.jsonl"] = ledger.replace(before, after).encode()
    copy = walk.rewritten(path, tmp_path / "copy.zip", changes, sums=True)
    said = opmq(published, "edition", "verify", str(copy), status=1)
    assert "value of E2Z70 2018" in said
    assert f"Likely cause: {kind}" in said
    assert words in said


def test_a_changed_input_opens_a_new_version_and_the_release_is_refused(
    tmp_path: Path, published: Path
) -> None:
    root = tmp_path / "project"
    shutil.copytree(published, root)
    before = archive.path_of(root, "2026-v1").read_bytes()
    (root / walk.INPUT).write_text(walk.JOBS.replace("120", "130"), encoding="utf-8")
    assert "chimie/01_emplois: stale" in opmq(root, "site", "--release", status=1)
    assert "STALE     2 page(s) show results that are NOT UP TO DATE" in opmq(root, "site")
    refused = opmq(root, "edition", "state", "chimie", "submitted", *MEETING, status=1)
    assert "expected: a result that is up to date" in refused
    walk.run(root, "chimie", "chaux")
    said = opmq(root, "edition", "state", "chimie", "publishable", *MEETING, status=1)
    assert "chimie: version 2 (draft) differs from version 1, publishable" in said
    assert "01_emplois/emplois.csv: 1 figures changed" in said
    assert "E2Z70 2018" in said
    assert "120 → 130" in said
    assert "version 2 is draft: publishable does not follow" in said
    assert "no branch is publishable" in opmq(root, "site", "--release", status=1)
    assert "chimie: draft, version 2; changed since: 01_emplois/emplois.csv" in opmq(root, "status")
    assert archive.path_of(root, "2026-v1").read_bytes() == before
    for end in ("", ".sha256"):  # another edition, to be withdrawn
        kept = archive.path_of(root, "2026-v1").with_name(f"2026-v1.zip{end}")
        shutil.copy(kept, kept.with_name(f"2025.zip{end}"))
    opmq(root, "edition", "withdraw", "2025", "--reason", "Erreur de saisie dans les effectifs")
    said = opmq(root, "edition", "diff", "2026-v1", "2026")
    assert f"chimie: 1 figures, parameter ({walk.INPUT})" in said
    assert "STALE" not in opmq(root, "site")
    pages = root / "outputs/site/editions"
    assert "Validé par la CPNEFP" in (pages / "2026-v1/branches/chimie/01_emplois.html").read_text()
    assert "2026-v1 → 2026" in (pages / "index.html").read_text()
    assert '<td class="text">paramètre</td>' in (pages / "revisions-2026-v1-2026.html").read_text()
    assert "Erreur de saisie" in (pages / "index.html").read_text()
    assert "a été retirée" in (pages / "2025/index.html").read_text()
    assert not (pages / "2025/branches").exists()


@FULL
def test_two_clones_give_the_same_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Different folders, numbers of workers and time zones."""
    sums = []
    for workers, zone in ((1, "UTC"), (3, "Pacific/Auckland")):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        root = walk.project(tmp_path / f"clone {workers}" / "étude")
        walk.run(root, "chimie", "chaux", "ciments", workers=workers)
        for branch in ("chimie", "ciments"):
            for state in ("submitted", "validated", "publishable"):
                opmq(root, "edition", "state", branch, state, *MEETING)
        opmq(root, "edition", "freeze", "2026", "--release")
        sums.append(archive.recorded_sum(archive.path_of(root, "2026")))
    monkeypatch.undo()
    time.tzset()
    assert sums[0] == sums[1]


@FULL
def test_verify_in_a_clean_environment(tmp_path: Path) -> None:
    """The packages of the lock file are installed anew: this takes minutes and a registry."""
    root = walk.project(tmp_path / "project")
    for name in ("requirements.lock", "pyproject.toml"):
        (root / name).write_bytes((Path(__file__).parents[1] / name).read_bytes())
    walk.run(root, "chimie")
    for state in ("submitted", "validated", "publishable"):
        opmq(root, "edition", "state", "chimie", state, *MEETING)
    opmq(root, "edition", "freeze", "clean", "--release")
    path = archive.path_of(root, "clean")
    assert "identical" in opmq(root, "edition", "verify", str(path), "--clean")
