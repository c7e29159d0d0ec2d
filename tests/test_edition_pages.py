"""Pages on revisions and accuracy: what changed, why, and what forecasts were worth."""

import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import site_edition as given
from playwright.sync_api import sync_playwright

from opmq_lib import site
from opmq_lib.show import figures, pieces
from opmq_lib.site import numbers

ROOT = Path(__file__).parents[1]
FULL = pytest.mark.skipif(not os.environ.get("OPMQ_TEST_FULL"), reason="OPMQ_TEST_FULL=1")
REVISIONS = (
    "notebook,table,branch_code,metier_code,year,row,column,change,before,after,cause_kinds,causes,"
    "revised_data_part,method_part\n"
    "01_emplois,emplois,chimie,E2Z70,2018,indicator=employment_headcount,value,revised,"
    '200.0,250.0,"revised_data,method","opmq_lib/data/employment_national.csv (1 cellule) ; needs",'
    "60.0,-10.0\n"
    "04_coeurs_strategiques,coeurs,chimie,E2Z70,2018,question_code=core,label,revised,out,in_list,"
    '"parameter,version",horizon_years (10 → 12) ; pandas (3.0.0 → 3.1.0),,\n'
)
ACCURACY = (
    "branch_code,metier_code,cutoff_year,year,lower,forecast,upper,observed,start_revision,error,"
    "is_covered,horizon_year,horizon_revision\n"
    "chimie,E2Z70,2016,2017,90.0,100.0,110.0,125.0,5.0,25.0,0,2030,12.0\n"
    "chimie,E2Z70,2016,2018,80.0,100.0,120.0,100.0,5.0,0.0,1,2030,12.0\n"
    "chimie,D1Z41,2016,2018,0.0,0.0,0.0,0.0,0.0,0.0,1,2030,0.0\n"
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = given.edition(tmp_path_factory.mktemp("edition"))
    for path in (root / "parameters/branches").glob("*.yml"):
        if path.stem not in ("chimie", "ciments"):
            path.unlink()
    shown = given.figures_notebook()
    nowhere = '<a href="07_que_faire.html">La suite</a>'  # no branch here runs that notebook
    drawn = figures.figure(("Un tiers.", nowhere, "Insee."), [], ["<svg/>"], pieces.Html("30 %"))
    shown.cells.append(given.code("# L’emploi par métier.\npage.figure()", given.html(drawn.html)))
    tables = {"emplois.csv": given.KEY_FIGURES}
    for each in ("chimie/01_emplois", "commun/10_consolidation"):
        given.run(root, *each.split("/"), shown, tables)
    for folder, table in (("revisions", REVISIONS), ("accuracy", ACCURACY)):
        path = root / f"outputs/editions/{folder}/2025/2026.csv"
        path.parent.mkdir(parents=True)
        path.write_text(table, encoding="utf-8")
    return site.render(root).site / "editions"


def read(pages: Path, name: str) -> str:
    """Return a page as it is read: numbers without their cells, plain spaces."""
    html = (pages / f"{name}.html").read_text(encoding="utf-8")
    html = re.sub(r"<span data-cell=[^>]*>(.*?)</span>", r"\1", html)
    return html.replace("\u00a0", " ").replace("\u202f", " ")


def test_revisions_name_the_metier_the_figures_and_the_cause(pages: Path) -> None:
    page = read(pages, "revisions-2025-2026")
    assert "<td>200</td><td>250</td><td>25,0 %</td>" in page
    assert "données révisées +60 ; méthode −10" in page
    assert "Hors liste</td>" in page
    assert "Dans la liste</td>" in page
    assert "paramètre et version d’une bibliothèque" in page
    assert "Dares, d’après l’enquête Emploi et le recensement (Insee), Portraits" in page
    assert "Horizon de la projection, en années (10 → 12)" in page
    assert (pages.parent / "telechargements/editions/revisions-2025-2026.zip").is_file()


@pytest.mark.parametrize("name", ["branches/chimie/01_emplois", "commun/10_consolidation"])
def test_under_each_figure_a_link_leads_to_what_it_was_made_of(pages: Path, name: str) -> None:
    page = read(pages.parent, name)
    link = '<a href="#origine">Origine de ces chiffres</a>'
    own, ours = page.split("</figcaption>")[1:]  # captioned by `fig-cap`, and of this library
    assert own.removeprefix("\n</figure>\n").startswith(f"<p>{link}</p>")
    assert link in ours.partition("</figure>")[0]
    said = page.partition('id="origine"')[2].partition("</section>")[0]
    assert "La suite" in page
    assert "L’emploi par métier." in said
    assert "emplois.csv" in said


def test_numbers_of_revisions_are_read_back_from_the_tables_to_download(pages: Path) -> None:
    edition: Any = SimpleNamespace(branches=[], common={})
    wrong_pages = {}
    for name, shown in (("revisions", "250"), ("precision", "110")):
        page = f"editions/{name}-2025-2026.html"
        html = (pages.parent / page).read_text(encoding="utf-8")
        wrong_pages[page] = html.replace(f">{shown}</span>", ">666</span>", 1)
    wrong = {each.what for each in numbers.check(edition, pages.parent, wrong_pages)}
    assert wrong == {
        "a number too far from its cell revisions-2025-2026:0:after",
        "a number too far from its cell precision-2025-2026:0:upper",
    }


def test_accuracy_counts_what_fell_in_the_interval(pages: Path) -> None:
    page = read(pages, "precision-2025-2026")
    assert "<td>3</td><td>10,0 %</td><td>4,5 %</td><td>67 %</td>" in page
    absent = '<abbr class="opmq-absent" title="sans objet">np</abbr>'
    assert f"<td>2018</td><td>0</td><td>0 à 0</td><td>0</td><td>{absent}</td>" in page  # of nobody
    assert "<td>2017</td><td>100</td><td>90 à 110</td><td>125</td><td>20,0 %</td>" in page
    assert "<td>2030</td><td>12</td><td>5</td><td>−5</td><td>12</td>" in page
    assert "<td>66,7 %</td>" in read(pages, "index")


def read_in_browser(pages: Path, chromium: str, pair: str, branch: str) -> None:
    """Walk from the list of editions to what changed, then to what forecasts were worth."""
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(locale="fr-FR")
        page.goto((pages / "index.html").as_uri())
        page.get_by_role("link", name=pair).click()
        said = page.inner_text("main")
        assert branch in said
        assert "Métiers dont l’effectif a le plus changé" in said
        page.get_by_role("link", name="Ce que valaient les prévisions").click()
        said = page.inner_text("main")
        assert "Dans l’intervalle" in said
        assert "Évolution suivante revue" in said
        assert page.locator("table").count() == 3
        browser.close()


def test_revisions_and_accuracy_are_read_in_a_browser(pages: Path, chromium: str) -> None:
    read_in_browser(pages, chromium, "2025 → 2026", "Industries chimiques")


@FULL
def test_two_simulated_vintages_are_read_in_a_browser(tmp_path: Path, chromium: str) -> None:
    from test_edition_walk import opmq

    for folder in ("parameters", "notebooks"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "_quarto.yml", tmp_path)
    asked = ("ceramique", "chaux", "bijouterie_horlogerie")  # one of them has no projection
    words = [word for code in asked for word in ("--branch", code)]
    said = opmq(tmp_path, "edition", "demo", *words)
    assert "ceramique: " in said
    assert "new_data (" in said
    assert "parameter" not in said
    pages = tmp_path / "outputs/demo-site/editions"
    read_in_browser(pages, chromium, "demo-avant → demo-apres", "Industries céramiques")
    assert "Millésimes simulés" in read(pages, "precision-demo-avant-demo-apres")
