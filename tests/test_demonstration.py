"""The demonstration on fictitious registers: kept apart, marked everywhere, read on a phone."""

import json
import re
import shutil
from pathlib import Path

import pytest

from opmq_lib import site
from opmq_lib.errors import ConfidentialityError
from opmq_lib.runs import batch, demonstration
from opmq_lib.runs.freshness import states
from opmq_lib.runs.plan import plan
from opmq_lib.sources import ledger, parameters, study

KEPT = ("06_demandes", "13_demandes_ensemble")
COUNT = 15_000
"""Requests drawn: enough for every figure of a branch to be shown."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project in which one branch's demonstration has run."""
    source, copy = Path(__file__).parent.parent, tmp_path_factory.mktemp("demo") / "project"
    for folder in ("notebooks", "parameters"):
        shutil.copytree(source / folder, copy / folder)
    shutil.copy(source / "_quarto.yml", copy)
    for path in (copy / "notebooks").glob("*.ipynb"):
        if path.stem not in KEPT:
            path.unlink()
    for path in (copy / "parameters/branches").glob("*.yml"):
        if path.stem != "chimie":
            path.unlink()
    branch = copy / "parameters/branches/chimie.yml"
    lines = branch.read_text(encoding="utf-8").splitlines()
    lines = ['notebooks: ["06_demandes"]' if each.startswith("notebooks:") else each
             for each in lines]  # fmt: skip
    branch.write_text("\n".join(lines) + "\n", encoding="utf-8")
    demo = demonstration.prepare(copy, parameters.load_edition(copy), COUNT)
    runs = plan(copy, demo, parameters.load_branches(copy))
    assert {run.origin for run in runs} == {"fictitious"}
    assert batch.execute(runs, 2).exit_status == 0
    site.render(copy, engine="embedded", demo=demo)
    return copy


def test_every_page_figure_and_table_says_that_it_is_fictitious(root: Path) -> None:
    pages = sorted((root / "outputs/demo-site").rglob("*.html"))
    assert len(pages) > 6
    for page in pages:
        assert "Données fictives" in page.read_text(encoding="utf-8"), page.name
    for name in ("chimie/06_demandes/06_demandes.ipynb",
                 "commun/13_demandes_ensemble/13_demandes_ensemble.ipynb"):  # fmt: skip
        notebook = json.loads((root / "outputs/demo" / name).read_text(encoding="utf-8"))
        shown = "".join(
            "".join(output.get("data", {}).get("text/html", ""))
            for cell in notebook["cells"]
            for output in cell.get("outputs", [])
        )
        figures = re.findall(r"<figure.*?</figure>", shown, re.DOTALL)
        assert figures
        for figure in figures:
            assert figure.count("données fictives</text>") == figure.count("<svg") > 0
            assert 'aria-label="Données fictives' in figure
    for table in (root / "outputs/demo").rglob("demandes*.csv"):
        rows = table.read_text(encoding="utf-8").splitlines()[1:]
        assert rows
        assert all(row.endswith(",fictitious") for row in rows)


def test_the_ledger_calls_its_runs_fictitious_and_they_are_up_to_date(root: Path) -> None:
    records = ledger.latest(root / "outputs/demo/runs.jsonl")
    assert {record["origin"] for record in records.values()} == {"fictitious"}
    edition = demonstration.prepare(root, parameters.load_edition(root), COUNT)
    runs = plan(root, edition, parameters.load_branches(root))
    assert {state.status for state in states(runs, records).values()} == {"up to date"}


def test_nothing_fictitious_enters_the_true_site(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "project"
    shutil.copytree(root, copy)
    edition_id = parameters.load_edition(copy).edition_id
    (copy / "outputs/demo").rename(copy / "outputs" / edition_id)
    with pytest.raises(ConfidentialityError, match="rests on fictitious data"):
        site.render(copy, engine="embedded")
    path = copy / "outputs" / edition_id / "runs.jsonl"
    path.write_text(path.read_text().replace('"fictitious"', '"public"'), encoding="utf-8")
    with pytest.raises(ConfidentialityError, match="does not say that it is public"):
        site.render(copy, engine="embedded")
    assert not (copy / "outputs/site").exists()


def test_a_fictitious_register_cannot_be_named_as_the_true_one(root: Path) -> None:
    from opmq_lib.sources import registers

    path = root / demonstration.FOLDER / "requests.parquet"
    known = registers.known(root, parameters.load_edition(root).edition_date)
    with pytest.raises(ConfidentialityError, match="real and fictitious requests"):
        registers.read_requests(path, known)


def test_invented_notes_are_read_as_fictitious_and_never_as_true_ones(root: Path) -> None:
    path = f"{demonstration.FOLDER}/notes.csv"
    found = study.load_notes(path, study.load_works("", root=root), root)
    assert set(found["origin"]) == {"fictitious"}
    assert found["branch_codes"].nunique() == len(study.branch_labels())
    (root / "data").mkdir()
    shutil.copy(root / path, root / "data/notes.csv")
    with pytest.raises(ConfidentialityError, match="real and fictitious notes"):
        study.load_notes("data/notes.csv", study.load_works("", root=root), root)


def test_the_first_screen_of_a_phone_says_topics_certainty_and_follow_up(
    root: Path, chromium: str
) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    page_file = root / "outputs/demo-site/branches/chimie/06_demandes.html"
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 375, "height": 667})
        page.goto(page_file.as_uri())
        last = page.locator(".opmq-lede, .opmq-next").last
        box, words = last.bounding_box(), page.locator(".content").inner_text()
        sideways = page.evaluate("document.documentElement.scrollWidth")
        browser.close()
    assert sideways == 375
    assert box is not None
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 667
    assert "des demandes ne sont pas couvertes" in words
    assert ", à 95\u00a0%), d’après" in words
    assert "Ce qui manque le plus" in words
    assert "Dernières recommandations" in words
    assert "mises en œuvre" in words or "sans décision" in words
