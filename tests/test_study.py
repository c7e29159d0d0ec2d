"""The real study on two branches: executed, published, opened in a browser, and recomputed."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from chains import employment_results
from readings import agrees, readings
from test_cli import opmq
from test_site_browser import ARGS, TOUCHING

from opmq_lib import site
from opmq_lib.questions.rapport import chain
from opmq_lib.questions.rapport import page as rapport
from opmq_lib.runs import batch
from opmq_lib.runs.plan import COMMON, Run, plan
from opmq_lib.show import downloads, french
from opmq_lib.sources import embedded, parameters, study

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

KNOWN, UNKNOWN = "ceramique", "chaux"
EDITION = "2026"
SHOWN = re.compile(r'<span (?:class="n" )?data-cell="([^":]+):(\d+):(\w+)">([^<]*)</span>')
TAG = re.compile(r"<[^>]+>")


@pytest.fixture
def root(studied: Path) -> Path:
    return studied


def runs_of(project: Path) -> list[Run]:
    edition = parameters.load_edition(project)
    return plan(project, edition, parameters.load_branches(project))


def executed(root: Path, branch_code: str, notebook: str) -> nbformat.NotebookNode:
    path = root / "outputs" / EDITION / branch_code / notebook / f"{notebook}.ipynb"
    return nbformat.read(path, as_version=4)


def outputs(notebook: nbformat.NotebookNode) -> Iterator[nbformat.NotebookNode]:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            yield from cell.outputs


def pieces(notebook: nbformat.NotebookNode) -> list[str]:
    return [
        output.data["text/html"]
        for output in outputs(notebook)
        if output.output_type != "stream" and "text/html" in output.data
    ]


def tables_of(root: Path, branch_code: str, notebook: str) -> dict[str, pd.DataFrame]:
    folder = root / "outputs" / EDITION / branch_code / notebook
    return {path.stem: pd.read_csv(path, dtype={"status": "str"}) for path in folder.glob("*.csv")}


def test_every_number_of_the_employment_notebook_is_a_cell_of_its_result_table(root: Path) -> None:
    tables = tables_of(root, KNOWN, "01_emplois")
    found = [
        match
        for html in pieces(executed(root, KNOWN, "01_emplois"))
        for match in SHOWN.findall(html)
    ]
    assert len(found) > 60
    wrong = [
        (table, row, column, text)
        for table, row, column, text in found
        if not agrees(unescape(text), float(tables[table].loc[int(row), column]))
    ]
    assert wrong == []


def test_no_number_of_the_employment_notebook_stands_outside_a_cell(root: Path) -> None:
    """What is left once cells are taken out: years, levels, the row of 0.5 %, the scale's 1, and
    the size classes and the 1.05 Smic of the portraits."""
    allowed = {1.0, 0.5, 31.0, 80.0, *range(2003, 2031)}
    allowed |= {10.0, 19.0, 20.0, 49.0, 50.0, 99.0, 100.0, 249.0, 250.0, 499.0, 500.0, 1.05}
    for html in pieces(executed(root, KNOWN, "01_emplois")):
        html = re.sub(r"<svg.*?</svg>", " ", html)  # looked at by another test
        rest = unescape(TAG.sub(" ", SHOWN.sub(" ", html)))
        assert (
            readings(
                rest.replace("\u2060", "")
                .replace("–", "-")
                .replace("2017-2019", "")
                .replace("-", " ")
            )
            <= allowed
        ), rest


def test_figures_and_tables_name_the_result_table_that_holds_the_numbers(root: Path) -> None:
    shown = "".join(pieces(executed(root, KNOWN, "01_emplois")))
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", shown)
    assert len(captions) == 3
    assert all("emplois.csv" in caption for caption in captions)
    for page in (f"{KNOWN}/index", f"{KNOWN}/00_rapport", f"{KNOWN}/01_emplois"):
        html = (root / f"outputs/site/branches/{page}.html").read_text(encoding="utf-8")
        captions = re.findall(r"<figcaption>(.*?)</figcaption>", html, re.DOTALL)
        files = [re.findall(r'href="([^"]*)" download', caption) for caption in captions]
        wanted = f"../../telechargements/{KNOWN}/{KNOWN}"
        assert files == [[f"{wanted}.xlsx", f"{wanted}_csv.zip"]] * len(files) != []
    for html in pieces(executed(root, KNOWN, "01_emplois")):
        if "<table" in html:
            assert re.search(r"emplois(_explications|_portrait)?\.csv", html)


def test_numbers_drawn_are_cells_too(root: Path) -> None:
    tables = tables_of(root, KNOWN, "01_emplois")
    columns = [tables["emplois"][name] for name in ("value", "lower", "upper")]
    values = pd.concat([*columns, tables["emplois_projections"]["value"]]).dropna()
    shown_as = {form(value) for value in values for form in (french.two_digits, french.percent)}
    years = {str(year) for year in range(2003, 2031)} | {"moins de\u00a010"}
    for html in pieces(executed(root, KNOWN, "01_emplois")):
        for drawn in re.findall(r"<svg.*?</svg>", html):
            words = re.findall(r">([^<>]+)</text>", drawn)
            numbers = [part for each in words for part in re.split(r" à | [A-D]$", each)]
            numbers = [each for each in numbers if re.fullmatch(r"[\d\u202f]+(\u00a0%)?", each)]
            scale = set(re.findall(r'font-size="13">([^<]+)</text>', drawn))
            assert [n for n in numbers if n not in shown_as | years | scale] == []


def test_recomputing_the_results_from_the_embedded_data_gives_the_same_bytes(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    results = employment_results(study.load_inputs([KNOWN]), KNOWN, 12, study.edition())
    downloads.write_results(results, str(tmp_path), "01_emplois")
    folder = root / "outputs" / EDITION / KNOWN / "01_emplois"
    for written in sorted(tmp_path.iterdir()):
        assert written.read_bytes() == (folder / written.name).read_bytes(), written.name


def test_estimates_close_on_the_published_headcount(root: Path) -> None:
    jobs = tables_of(root, KNOWN, "01_emplois")["emplois"]
    base = jobs[(jobs["indicator"] == "employment_headcount") & (jobs["year"] == 2018)]
    published = embedded.load("branch_headcount").query("branch_code == @KNOWN")
    total = float(published["employees_headcount"].sum())
    assert abs(base["value"].sum() / total - 1) < 1e-6
    assert base["nature"].eq("estimate").all()


def test_a_branch_without_headcount_says_nd_and_why_and_shows_no_estimate(root: Path) -> None:
    text = " ".join(pieces(executed(root, UNKNOWN, "01_emplois")))
    assert "Nous ne connaissons pas les emplois de cette branche" in text
    assert "Aucun portrait statistique" in text
    assert not SHOWN.findall(text)


def test_the_report_adds_no_number_of_its_own(root: Path) -> None:
    tables = {
        name: table
        for notebook in rapport.QUESTIONS
        for name, table in tables_of(
            root, COMMON if notebook in chain.COMMON else KNOWN, notebook
        ).items()
    }
    found = [
        match
        for html in pieces(executed(root, KNOWN, "00_rapport"))
        for match in SHOWN.findall(html)
    ]
    assert found
    for table, row, column, text in found:
        value = float(tables[table].loc[int(row), column])
        assert agrees(unescape(text), value), (table, row, column, text, value)


NOTHING_SAID = re.compile(
    r"(?i)on ne (?:peut|sait)|ne permet|(?:n’est|ne sont) pas connu|non disponible|\bnd\b|"
    r"\baucun|\brien\b"
)
INNERMOST = re.compile(
    r"<(p|li|dd|h3|figcaption)\b[^>]*>((?:(?!<(?:p|li|dd|dl|ol|ul)\b).)*?)</\1>", re.DOTALL
)


def sentences(html: str) -> tuple[list[str], list[str]]:
    """Return the sentences of a page that only say that nothing can be said, and all of them."""
    html = re.sub(r"<table.*?</table>|<svg.*?</svg>", "", html, flags=re.DOTALL)
    texts = [TAG.sub("", block).strip() for _, block in INNERMOST.findall(html)]
    every = [each for text in texts for each in re.split(r"(?<=[.?!])\s+", text) if each]
    empty = [each for each in every if NOTHING_SAID.search(each) and not re.search(r"\d", each)]
    return empty, every


def test_few_sentences_of_the_report_only_say_that_nothing_can_be_said(root: Path) -> None:
    empty, every = sentences("".join(pieces(executed(root, KNOWN, "00_rapport"))))
    assert len(every) > 40
    assert len(empty) <= 0.05 * len(every), empty


MACHINE = re.compile(
    r"(?i)\bopmq\b|parameters/|\.yml\b|thêta|surprise retenue|\b(?:nan|none|status|value)\b|"
    r"(?:19|20)\d\d-(?:19|20)\d\d\b|\b[a-z]+_[a-z_]+\b(?!\.csv|\.xlsx|\.zip)"
)
HIDDEN = re.compile(r"<(script|style|code|pre|head)\b.*?</\1>|<[^>]*>", re.DOTALL)


def test_no_word_of_the_machine_is_read_on_a_page(root: Path) -> None:
    home = root / "outputs/site"
    pages = [path for path in home.rglob("*.html") if path.name != "dictionnaire.html"]
    assert len(pages) > 100
    found = {
        (path.relative_to(home).as_posix(), word)
        for path in pages
        for word in MACHINE.findall(unescape(HIDDEN.sub(" ", path.read_text(encoding="utf-8"))))
    }
    assert found == set()


def test_estimated_pages_carry_their_banner_and_unvoted_criteria_theirs(root: Path) -> None:
    assert "Estimation du projet" in pieces(executed(root, KNOWN, "01_emplois"))[0]
    report = " ".join(pieces(executed(root, KNOWN, "00_rapport")))
    assert "exemple, non voté" in report or "Cœurs de métiers" not in report


def test_shortlists_become_a_register_to_decide_on(root: Path, tmp_path: Path) -> None:
    """Proposed once: a second time nothing is added, and what was written stays."""
    form = tmp_path / "decisions.xlsx"
    first, again = (opmq(root, "decisions", "propose", "-o", str(form)) for _ in range(2))
    assert first.returncode == again.returncode == 0, first.stderr + again.stderr
    shown = tables_of(root, KNOWN, "07_que_faire")["shortlist"]["is_shown"].eq("yes").sum()
    assert f"({shown} new, 0 kept)" in first.stdout
    assert f"(0 new, {shown} kept)" in again.stdout


def test_nothing_is_run_twice(root: Path) -> None:
    runs = runs_of(root)
    assert batch.execute(runs, workers=2).count("up to date") == len(runs) > 6
    assert site.render(root, engine="embedded").is_up_to_date


def test_no_absolute_path_is_published(root: Path) -> None:
    for path in (root / "outputs" / "site").rglob("*"):
        if path.suffix in {".html", ".ipynb", ".csv", ".js", ".svg"}:
            assert str(root) not in path.read_text(encoding="utf-8"), path


def test_every_page_opens_in_chromium_without_leaving_its_folder(root: Path, chromium: str) -> None:
    home = root / "outputs" / "site"
    asked: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        page = browser.new_page(locale="fr-FR", viewport={"width": 375, "height": 667})
        page.on("request", lambda request: asked.append(request.url))
        pages = sorted(home.rglob("*.html"))
        assert len(pages) >= 15
        for path in pages:
            page.goto(path.as_uri())
            assert page.locator("h1").count() == 1, path
            too_wide = "document.documentElement.scrollWidth > window.innerWidth"
            assert page.evaluate(too_wide) is False, path
            for width in (1280, 375):
                page.set_viewport_size({"width": width, "height": 667})
                assert page.evaluate(TOUCHING) == [], path
        browser.close()
    assert [url for url in asked if not url.startswith((home.as_uri(), "data:"))] == []


def test_a_member_of_a_committee_has_the_answer_in_two_taps_the_metier_in_three(
    root: Path, chromium: str
) -> None:
    """On a phone, without scrolling: first métier, departures, interval, letter, cause."""
    home = (root / "outputs/site/index.html").as_uri()
    listed = tables_of(root, KNOWN, "07_que_faire")["shortlist"].sort_values("rank").iloc[0]
    rate, low, high = (
        french.number(listed[f"departure_rate_pct{end}"], 1) for end in ("", "_lower", "_upper")
    )
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        page = browser.new_page(locale="fr-FR", viewport={"width": 375, "height": 667})
        page.goto(home)
        page.get_by_role("link", name="Industries céramiques").first.click()
        page.get_by_role("link", name="Lire le rapport à la CPNEFP").click()
        assert page.url.endswith(f"branches/{KNOWN}/00_rapport.html")
        card = page.locator(".opmq-short tbody tr").first
        shown = {
            "name": card.locator("[data-metier], th a").first,
            "rate": card.locator(".opmq-big"),
            "interval": card.locator("td").first,
            "letter": card.locator(".opmq-big .opmq-grade"),
            "cause": card.locator(".opmq-cause").first,
        }
        ends = {name: place.bounding_box() for name, place in shown.items()}
        assert all(box and box["y"] + box["height"] <= 667 for box in ends.values()), ends
        assert shown["name"].inner_text() == study.metier_labels()[listed["metier_code"]]
        assert shown["rate"].inner_text().startswith(rate)
        assert f"{low} à\u00a0{high}" in shown["interval"].inner_text()
        assert shown["letter"].inner_text() == listed["reliability_grade"]
        height = page.evaluate("document.documentElement.scrollHeight")
        assert height <= 15 * 667
        card.get_by_role("link").first.click()
        assert page.url.endswith(f"metiers/{listed['metier_code']}.html")
        assert page.locator("h1").inner_text() == study.metier_labels()[listed["metier_code"]]
        answer = page.locator(".opmq-answer").bounding_box()
        assert answer
        assert answer["y"] + answer["height"] <= 667
        page.goto(home)  # or from the chooser
        page.get_by_text("Choisir une branche, puis un métier").click()
        page.locator(".opmq-chooser summary", has_text="Industries céramiques").click()
        page.locator(f'.opmq-chooser a[href="metiers/{listed["metier_code"]}.html"]').click()
        assert page.locator(".opmq-answer").is_visible()
        page.goto(home.replace("index.html", f"branches/{KNOWN}/07_que_faire.html"))
        pill = page.locator(".opmq-pages [aria-current]").bounding_box()
        assert pill
        assert 0 <= pill["x"] <= 375 - pill["width"]  # its name in the list of pages is in view
        assert page.evaluate("window.scrollY") == 0
        browser.close()
