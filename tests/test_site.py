import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest
import site_edition as given
import small_project as small

from opmq_lib import site
from opmq_lib.errors import ConfidentialityError, DataError
from opmq_lib.runs import batch
from opmq_lib.runs.editions import ready
from opmq_lib.runs.plan import plan
from opmq_lib.runs.report import BatchReport
from opmq_lib.site import embedded, quarto
from opmq_lib.sources import parameters


def render(root: Path, **options: object) -> site.SiteReport:
    return site.render(root, **{"engine": "embedded"} | options)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> site.SiteReport:
    return render(given.edition(tmp_path_factory.mktemp("edition")))


@pytest.fixture(scope="module")
def small_one(tmp_path_factory: pytest.TempPathFactory) -> site.SiteReport:
    return render(given.edition(tmp_path_factory.mktemp("small"), given.FEW))


@pytest.fixture
def again(small_one: site.SiteReport, tmp_path: Path) -> Path:
    """Return a copy of a small project whose site is built, the site included."""
    return Path(shutil.copytree(small_one.site.parent.parent, tmp_path / "root"))


def test_a_branch_of_which_nothing_was_run_has_no_page_and_is_named(
    built: site.SiteReport,
) -> None:
    folders = sorted(path.name for path in (built.site / "branches").iterdir() if path.is_dir())
    assert folders == ["chaux", "chimie", "ciments"]
    for folder in folders:
        assert (built.site / "branches" / folder / "index.html").is_file()
        assert (built.site / "branches" / folder / "01_emplois.html").is_file()
    home, listed = (built.site / name for name in ("index.html", "branches/index.html"))
    assert "31\u00a0autres branches de l’étude ne sont pas" in home.read_text(encoding="utf-8")
    assert "Ne sont pas calculées ici\u00a0: Bijouterie" in listed.read_text(encoding="utf-8")
    assert "Left out  31 branches of which nothing was ever run." in site.describe(built)


def test_a_failed_run_has_a_page_that_says_so(built: site.SiteReport) -> None:
    failed = (built.site / "branches/ciments/01_emplois.html").read_text(encoding="utf-8")
    assert "a échoué" in failed
    assert built.unavailable == ("chaux/01_emplois: failed", "ciments/01_emplois: failed")


def test_results_of_an_older_library_that_lack_a_column_are_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacks(*_: object, **__: object) -> None:
        raise KeyError("hires_evidence")

    monkeypatch.setattr(site, "_build", lacks)
    with pytest.raises(DataError, match=r"not up to date: lacks 'hires_evidence'\n.*\n.*opmq run"):
        render(given.edition(tmp_path))


def test_every_page_of_a_draft_says_that_no_cpnefp_has_validated_it(
    built: site.SiteReport,
) -> None:
    for page in built.site.rglob("*.html"):
        assert "Brouillon – non validé par la CPNEFP" in page.read_text(encoding="utf-8"), page


def test_home_shows_the_headcount_of_a_branch_or_why_there_is_none(
    built: site.SiteReport,
) -> None:
    home = (built.site / "index.html").read_text(encoding="utf-8")
    assert '<span data-cell="emplois:0:value">225\u202f800</span>' in home
    assert "<strong>Le dernier calcul a échoué</strong>" in home
    assert "31\u00a0décembre\u00a02014" in home


def test_files_to_download_come_with_format_and_size(built: site.SiteReport) -> None:
    page = (built.site / "branches/chimie/01_emplois.html").read_text(encoding="utf-8")
    line = page[page.index("chimie_csv.zip</a>") :].partition("</tr>")[0]
    assert "fichiers CSV</td><td>2\u00a0ko</td></tr>" in f"{line}</tr>"
    downloads = built.site / "telechargements/chimie"
    assert sorted(path.name for path in downloads.iterdir()) == [
        "chimie.xlsx",
        "chimie_csv.zip",
        "chimie_notebooks.zip",
    ]


def test_parameters_are_told_and_the_injected_cell_is_not_shown(
    built: site.SiteReport,
) -> None:
    page = (built.site / "branches/chimie/01_emplois.html").read_text(encoding="utf-8")
    assert "Horizon de la projection, en années : 10." in page.replace("\u00a0", " ")
    assert "output_folder" not in page
    assert "branch_code =" not in page


def test_a_new_template_is_on_the_site_by_its_own_words(tmp_path: Path) -> None:
    root = given.edition(tmp_path / "root", given.FEW)
    words = given.markdown("# Essais\n\nQue valent-ils\u202f?\n\nSuite.")
    given.template(root, "07_essais", words)
    given.template(root, "14_essais", words, scope="common")
    given.run(root, "commun", "14_essais", given.figures_notebook("Tous les essais"))
    built = render(root).site
    home, branch, page = (
        (built / f"{name}.html").read_text(encoding="utf-8")
        for name in ("index", "branches/chimie/index", "commun/14_essais")
    )
    assert '<a href="commun/14_essais.html">Essais</a><p>Que valent-ils\u202f?</p>' in home
    assert "Essais (pas encore disponible)</span><p>Que valent-ils\u202f?</p>" in branch
    assert '<h1 class="title">Tous les essais</h1>' in page


def test_engine_is_named_at_the_foot_of_every_page(built: site.SiteReport) -> None:
    assert built.engine == "embedded"
    for page in built.site.rglob("*.html"):
        assert "Site produit par le moteur intégré." in page.read_text(encoding="utf-8")


def test_same_inputs_give_the_same_bytes_wherever_they_are(
    small_one: site.SiteReport, tmp_path: Path
) -> None:
    again = render(given.edition(tmp_path / "elsewhere" / "deep", given.FEW))
    assert site.tree_digest(again.site) == site.tree_digest(small_one.site)


def test_nothing_changed_does_nothing_and_says_so(small_one: site.SiteReport, again: Path) -> None:
    times = {path: path.stat().st_mtime_ns for path in (again / "outputs/site").rglob("*")}
    second = render(again)
    assert second.is_up_to_date
    assert second.pages_count == small_one.pages_count
    assert not small_one.is_up_to_date
    assert {path: path.stat().st_mtime_ns for path in second.site.rglob("*")} == times
    assert "nothing had changed" in site.describe(second)


def test_a_damaged_site_is_built_again(again: Path) -> None:
    page = again / "outputs/site/index.html"
    page.write_text("", encoding="utf-8")
    assert not render(again).is_up_to_date
    assert page.read_text(encoding="utf-8")


def test_a_new_result_builds_the_site_again(again: Path) -> None:
    given.run(again, "verre_mecanique", "01_emplois", given.figures_notebook())
    report = render(again)
    assert not report.is_up_to_date
    assert "verre_mecanique/01_emplois: never run" not in report.unavailable


def test_a_run_that_does_not_say_where_its_data_come_from_is_refused_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    root = given.edition(tmp_path / "root", given.FEW)
    given.run(root, "chaux", "01_emplois", given.figures_notebook(), origin=None)
    given.run(root, "ieg", "01_emplois", status="failed", origin=None)
    with pytest.raises(ConfidentialityError) as refusal:
        render(root)
    assert [defect.where for defect in refusal.value.defects] == [
        "chaux/01_emplois",
        "ieg/01_emplois",
    ]
    assert "does not say where" in str(refusal.value)
    assert sorted(path.name for path in (root / "outputs").iterdir()) == [given.EDITION]


def test_a_file_changed_since_its_run_is_refused(tmp_path: Path) -> None:
    root = given.edition(tmp_path / "root", given.FEW)
    table = root / "outputs/2026/chimie/01_emplois/chiffres_cles.csv"
    table.write_text("secret", encoding="utf-8")
    with pytest.raises(ConfidentialityError, match=r"chimie/01_emplois/chiffres_cles\.csv"):
        render(root)


def test_a_file_that_no_run_recorded_is_not_published(tmp_path: Path) -> None:
    root = given.edition(tmp_path / "root", given.FEW)
    (root / "outputs/2026/chimie/01_emplois/notes.csv").write_text("secret", encoding="utf-8")
    report = render(root)
    assert list(report.site.rglob("notes.csv")) == []


OWN_TABLE = """\
branch_code,metier_code,year,employment_headcount,nature,origin,units_count,largest_share_pct,source_code
chimie,D1Z40,2018,424242,observed,own,12,40.5,enquete
"""
SHOW = """\
import pandas as pd
from opmq_lib.sources import study
rows = study.load_inputs([branch_code])["own_employment"]
rows = rows if len(rows) else pd.DataFrame({"origin": ["public"]})
rows.to_csv(f"{output_folder}/emplois.csv", index=False)
rows
"""
GATHER = """\
from opmq_lib.sources import study
study.read_all_results(edition_id, "01_emplois", "emplois").to_csv(
    f"{output_folder}/all.csv", index=False
)
"""


def test_a_branch_with_data_of_its_own_is_withheld_and_blocks_nobody(tmp_path: Path) -> None:
    root = given.project(tmp_path / "root", ("chimie", "textile"))
    (root / "notebooks/10_consolidation.ipynb").unlink()
    signature = 'branch_code = "chimie"\noutput_folder = "."'
    small.write_notebook(root, "01_emplois", SHOW, signature=signature)
    reads, common = ["01_emplois"], 'edition_id = "2026"\noutput_folder = "."'
    small.write_notebook(
        root, "10_consolidation", GATHER, scope="common", reads=reads, signature=common
    )
    for path in (root / "parameters/branches").glob("*.yml"):
        text = re.sub(r"notebooks: \[.*?\]", 'notebooks: ["01_emplois"]', path.read_text("utf-8"))
        if path.stem == "chimie":
            text = text.replace("employment: null", 'employment: "data/own.csv"')
        path.write_text(text, encoding="utf-8")
    (root / "data").mkdir()
    (root / "data/own.csv").write_text(OWN_TABLE, encoding="utf-8")
    assert run_all(root).exit_status == 0
    report = render(root)
    (why,) = report.unavailable
    assert why == "chimie/01_emplois: your own data, not published (data/own.csv)"
    left = root / "outputs/2026/chimie/01_emplois/emplois.csv"
    assert "424242" in left.read_text(encoding="utf-8")
    assert "01_emplois/emplois.csv" in archive(report.site, "textile").namelist()
    assert not (report.site / "telechargements/chimie").exists()
    shown = (report.site / "branches/chimie/01_emplois.html").read_text(encoding="utf-8")
    assert "données propres à la branche" in shown
    common = (report.site / "commun/10_consolidation.html").read_text(encoding="utf-8")
    assert re.search("Branches absentes de cette page, .*: Industries chimiques", common)
    gathered = archive(report.site, "commun").read("10_consolidation/all.csv")
    assert gathered.decode("utf-8-sig").strip() == ""
    found = [text for path in report.site.rglob("*") for text in contents(path)]
    texts = [re.sub(rb'data-cell="[^"]*"', b"", text) for text in found]  # numbers of rows
    secrets = (b"424242", b"424 242", b"424200", b"4242")
    assert [text for text in texts if any(secret in text for secret in secrets)] == []


def archive(built: Path, scope: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(built / f"telechargements/{scope}/{scope}_csv.zip")


def contents(path: Path) -> list[bytes]:
    """Return what a file holds, or what the files packed in it hold."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return [path.read_bytes()] if path.is_file() else []
    with zipfile.ZipFile(path) as packed:
        return [packed.read(name) for name in packed.namelist()]


def run_all(root: Path) -> BatchReport:
    edition, branches = parameters.load_edition(root), parameters.load_branches(root)
    return batch.execute(plan(root, edition, branches), 2)


@pytest.mark.parametrize(
    ("page", "said", "no_longer"),
    [
        ("methode", "la page donne les bornes", "la somme est un minimum"),
        ("methode", "arrondi selon son intervalle", "l’étendue de ses variantes"),
        ("methode", "connue au niveau national seulement", "viendra"),
        ("index", "De quand datent ces chiffres", "Les effectifs par métier sont"),
        ("index", "leurs départs à remplacer pour 100 emplois et par an", "variantes de calcul"),
        ("branches/chimie/index", "Dernière année des totaux nationaux", "Dernière année observée"),
        ("mentions-legales", "plusieurs copies n’indiquent pas leur licence", "suivent les lic"),
    ],
)
def test_pages_promise_no_more_than_the_study_does(
    built: site.SiteReport, page: str, said: str, no_longer: str
) -> None:
    text = (built.site / f"{page}.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    assert said in text
    assert no_longer not in text


def test_a_branch_without_convention_of_its_own_says_so(built: site.SiteReport) -> None:
    for page in ("branches/chaux/index.html", "branches/index.html"):
        text = (built.site / page).read_text(encoding="utf-8")
        assert "<dd>aucune convention propre</dd>" in text or "<td>aucune convention" in text


def test_a_release_without_publishable_branch_is_refused(tmp_path: Path) -> None:
    root = given.edition(tmp_path / "root", given.FEW)
    with pytest.raises(ConfidentialityError, match="no branch is publishable"):
        render(root, release=True)
    assert not (root / "outputs/site").exists()


UNFIT = (
    {
        "a figure without text alternative": given.code("f()", given.figure(alt="")),
        "active or external content in a page": given.code(
            "f()", given.html("<script>a()</script>")
        ),
    },
    {
        "first-level headings": given.markdown("# Un second titre"),
        "link to what is not in the site": given.markdown("[rien](nulle-part.html)"),
        "path of a machine": given.markdown("écrit dans /home/marie/etude/a.csv"),
    },
)
"""What is refused, and a cell that holds it: before pages are made, and once they are."""


@pytest.mark.parametrize("unfit", UNFIT, ids=("notebook", "page"))
def test_an_unfit_page_leaves_the_previous_site_untouched(
    again: Path, unfit: dict[str, object]
) -> None:
    before = site.tree_digest(again / "outputs/site")
    notebook = given.figures_notebook()
    notebook.cells += unfit.values()
    given.run(again, "chimie", "01_emplois", notebook)
    with pytest.raises(DataError) as refusal:
        render(again)
    assert {each.what for each in refusal.value.defects} == set(unfit)
    assert all(words in str(refusal.value) for words in unfit)
    assert site.tree_digest(again / "outputs/site") == before
    assert not list((again / "outputs").glob(".site-*"))


def test_a_number_that_is_not_its_cell_is_refused_where_results_are_up_to_date(
    again: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (again / "outputs/site/index.html").unlink()
    monkeypatch.setattr(ready, "stale", lambda *_: ())
    with pytest.raises(DataError, match=r"01_emplois\.html: .*cell emplois:0:value"):
        render(again)


def test_a_site_set_aside_by_a_killed_builder_is_put_back(again: Path) -> None:
    (again / "outputs/site").rename(again / "outputs/.site-old")
    (again / "outputs/.site-work").mkdir()
    assert render(again).is_up_to_date
    assert (again / "outputs/site/index.html").is_file()
    assert not list((again / "outputs").glob(".site-*"))


def test_asking_for_quarto_where_it_is_absent_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match="--engine embedded"):
        render(given.edition(tmp_path / "root", given.FEW), engine="quarto")


def fake_quarto(monkeypatch: pytest.MonkeyPatch, lost: str) -> None:
    """Let Quarto write what the embedded engine does, with a script of its own, a text lost."""

    def build(project: Path) -> tuple[dict[str, str], list[str]]:
        pages, outside = embedded.build(project)
        require = '<script src="https://cdn.fr/require.js"></script></head>'
        wrong = {
            name: html.replace("</head>", require).replace(lost, "", 1)
            for name, html in pages.items()
        }
        return wrong, outside

    monkeypatch.setattr(quarto, "build", build)
    monkeypatch.setattr(quarto, "version", lambda: "1.11.0")


def test_what_quarto_wrote_is_finished_and_checked_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_quarto(monkeypatch, "nothing")
    report = render(given.edition(tmp_path / "root", given.FEW), engine="quarto")
    home = (report.site / "index.html").read_text(encoding="utf-8")
    assert report.engine == "quarto"
    assert "require.js" not in home
    assert "Site produit par Quarto." in home
    statement = (report.site / "accessibilite.html").read_text(encoding="utf-8")
    assert "aucun outil automatique ne les a contrôlées" in statement
    assert "(axe-core)" not in statement
    assert (report.site / "theme/search-index.js").is_file()
    assert render(tmp_path / "root", engine="quarto").is_up_to_date
    assert not render(tmp_path / "root").is_up_to_date


def test_a_page_that_an_engine_has_damaged_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_quarto(monkeypatch, "<caption>Métiers</caption>")
    with pytest.raises(DataError, match="captions of the page") as refusal:
        render(given.edition(tmp_path / "root", given.FEW), engine="quarto")
    damaged = {defect.where for defect in refusal.value.defects}
    assert damaged == {"branches/chimie/01_emplois.html", "commun/10_consolidation.html"}
    assert not (tmp_path / "root/outputs/site").exists()


@pytest.mark.skipif(shutil.which(quarto.PROGRAM) is None, reason="Quarto is not installed")
def test_both_engines_give_the_same_pages(built: site.SiteReport, tmp_path: Path) -> None:
    report = render(given.edition(tmp_path / "root", given.FEW), engine="quarto")
    pages = {path.relative_to(report.site) for path in report.site.rglob("*.html")}
    assert pages == {path.relative_to(built.site) for path in built.site.rglob("*.html")}


def test_the_stamp_holds_no_path_of_the_machine(built: site.SiteReport) -> None:
    stamp = json.loads((built.site / site.STAMP).read_text(encoding="utf-8"))
    assert sorted(stamp) == ["content", "inputs", "pages_count", "printed", "warnings"]
    assert str(built.site.parent) not in json.dumps(stamp)


def test_an_edition_without_any_run_has_a_site_that_says_so(tmp_path: Path) -> None:
    root = given.project(tmp_path / "root", given.FEW)
    shutil.rmtree(root / "outputs")
    report = render(root)
    assert (report.site / "index.html").is_file()
    assert len(report.unavailable) == len(given.FEW) + 1


def test_the_navigation_leads_to_a_consolidation_even_without_its_notebook(
    tmp_path: Path,
) -> None:
    root = given.project(tmp_path / "root", given.FEW)
    (root / "notebooks/10_consolidation.ipynb").unlink()
    assert (render(root).site / "commun/10_consolidation.html").is_file()
