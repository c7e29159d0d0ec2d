"""The site in a real browser, opened from its folder without a server."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import site_edition as given

from opmq_lib import site
from opmq_lib.show import pieces

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium")
AXE = given.PROJECT / "node_modules" / "axe-core" / "axe.min.js"
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = [
    "index.html",
    "branches/index.html",
    "branches/chimie/index.html",
    "branches/chimie/01_emplois.html",
    "branches/ciments/01_emplois.html",
    "commun/10_consolidation.html",
    "metiers/index.html",
    "metiers/G1Z70.html",
    "methode.html",
    "donnees.html",
    "dictionnaire.html",
    "accessibilite.html",
    "mentions-legales.html",
]
WIDTHS = (1280, 375)
TOUCHING = """() => {
  const drawn = [...document.querySelectorAll('svg')].filter(one => one.clientWidth);
  return drawn.flatMap(one => {
    const words = [...one.querySelectorAll('text')].map(each => {
      const {x, y, width, height} = each.getBBox();
      const [top, bottom] = [y + 2, y + height - 2];
      return {said: each.textContent, left: x + 1, right: x + width - 1, top, bottom};
    });
    const out = words.filter(({left, right}) => left < -1 || right > one.viewBox.baseVal.width + 1);
    const touch = words.flatMap((each, at) => words.slice(at + 1).filter(other =>
      Math.min(each.right, other.right) > Math.max(each.left, other.left) &&
      Math.min(each.bottom, other.bottom) > Math.max(each.top, other.top)
    ).map(other => [each.said, other.said]));
    return [...out.map(({said}) => [said, 'leaves its drawing']), ...touch];
  });
}"""
"""The words of drawings that touch others, or leave theirs."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = given.edition(tmp_path_factory.mktemp("edition"))
    return site.render(root, engine="embedded").site


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: "sync_api.Browser") -> Iterator["sync_api.Page"]:
    opened = browser.new_page(locale="fr-FR", viewport={"width": 1280, "height": 900})
    yield opened
    opened.close()


def test_no_request_leaves_the_folder_and_nothing_is_reported(
    page: "sync_api.Page", home: Path
) -> None:
    requests: list[str] = []
    reports: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: reports.append(message.text))
    page.on("pageerror", lambda error: reports.append(str(error)))
    for name in PAGES:
        page.goto((home / name).as_uri())
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        page.wait_for_load_state("networkidle")
    folder = home.as_uri() + "/"
    assert [url for url in requests if not url.startswith((folder, "data:"))] == []
    assert any(url.endswith(".svg") for url in requests)
    assert reports == []


@pytest.mark.parametrize("name", PAGES)
def test_a_screen_of_320_pixels_never_scrolls_sideways(
    page: "sync_api.Page", home: Path, name: str
) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto((home / name).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("query", ["competences", "Compétences", "competence", "oeuvre", "ŒUVRE"])
def test_search_folds_accents_and_ligatures(page: "sync_api.Page", home: Path, query: str) -> None:
    page.goto((home / "branches/chimie/index.html").as_uri())
    page.fill("#q", query)
    found = page.locator("#res a", has_text="Les compétences et l’œuvre").first
    found.click()
    assert page.url.endswith("#les-comp%C3%A9tences-et-l%C5%93uvre")
    assert page.locator("h1").inner_text() in {"Emplois par métier", "Consolidation"}


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("chimie", "branches/chimie/index.html"),
        ("chimiques", "branches/chimie/index.html"),
        ("industrie chimique", "branches/chimie/index.html"),
        ("chaudronnier chimie", "branches/chimie/01_emplois.html"),
        ("du secret statistique", "methode.html"),
        ("zingueur chimie", "branches/chimie/index.html"),  # not all words found: some
        ("D2Z42", "metiers/D2Z42.html"),
        ("h2913", "metiers/D3Z20.html"),  # a record of the ROME that two métiers share
        ("H2503", "metiers/D6Z80.html"),
        ("fraiseur", "metiers/D1Z41.html"),  # a job that no name on the site says
        ("laborantin", "metiers/E1Z46.html"),
        ("IDCC 0044", "branches/chimie/index.html"),
        ("méthode", "methode.html"),
        ("FAP", "donnees.html"),
        ("télécharger excel", "donnees.html"),
    ],
)
def test_search_answers_whole_families_of_words(
    page: "sync_api.Page", home: Path, query: str, first: str
) -> None:
    page.goto((home / "index.html").as_uri())
    page.fill("#q", query)
    found = page.locator("#res a").first.get_attribute("href")
    assert str(found).partition("#")[0] == first


def test_search_puts_names_with_more_jobs_first(page: "sync_api.Page", home: Path) -> None:
    page.goto((home / "index.html").as_uri())
    page.evaluate(
        """() => { window.opmqSearchIndex = [
        ["a.html", "Soudeurs du verre", "", "", "soudage", "900"],
        ["b.html", "Soudeurs", "", "", "soudage", "45000"], ["c.html", "Soudure", "", ""]];
        document.head.append = (script) => script.onload(); }"""
    )
    page.fill("#q", "soudage")
    page.locator("#res a").first.wait_for()
    links = page.locator("#res a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert links == ["b.html", "a.html", "c.html"]


def test_search_says_when_it_finds_nothing(page: "sync_api.Page", home: Path) -> None:
    page.goto((home / "index.html").as_uri())
    page.fill("#q", "qqqxqqq")
    page.locator("#res").get_by_text("Aucun résultat").wait_for()
    assert page.locator("#search-status").inner_text() == "Aucun résultat"


def test_search_is_driven_by_the_keyboard(page: "sync_api.Page", home: Path) -> None:
    page.goto((home / "index.html").as_uri())
    page.fill("#q", "accessibilité")
    page.locator("#res a").first.wait_for()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('#res') !== null")
    page.keyboard.press("Escape")
    assert page.locator("#res").is_hidden()
    assert page.evaluate("document.activeElement.id") == "q"


def test_the_first_tab_reaches_the_link_to_the_content(page: "sync_api.Page", home: Path) -> None:
    page.goto((home / "branches/chimie/01_emplois.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Aller au contenu"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "MAIN"


def test_everything_but_search_works_without_scripts(
    browser: "sync_api.Browser", home: Path
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((home / "methode.html").as_uri())
    assert page.locator(".site-search").is_hidden()
    page.locator("details.contents summary").click()
    assert page.locator("details.contents a").first.is_visible()
    page.get_by_role("link", name="Accueil").first.click()
    assert page.locator("h1").inner_text().startswith("Quels métiers")
    context.close()


def test_paper_leaves_out_menus_and_search(page: "sync_api.Page", home: Path) -> None:
    page.goto((home / "branches/chimie/01_emplois.html").as_uri())
    page.emulate_media(media="print")
    for hidden in (".site-nav", ".site-search", ".contents", ".opmq-breadcrumb", ".opmq-pages"):
        assert page.locator(hidden).is_hidden(), hidden
    assert page.locator(".opmq-draft").is_visible()
    assert page.locator("h1").is_visible()


def test_dark_mode_follows_the_reader(browser: "sync_api.Browser", home: Path) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto((home / "index.html").as_uri())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 24, 30)"
    page.close()


def test_key_figures_stand_beside_their_label_in_jupyterlab(page: "sync_api.Page") -> None:
    figures = [(f"Effectif {n}", f"{n} 000", "estimation, " * n) for n in range(1, 5)]
    page.set_content(
        f"<style>{jupyterlab_lists()}</style>"
        f'<div class="jp-OutputArea-output">{pieces.key_figures(figures).html}</div>'
    )
    labels, numbers = (
        page.evaluate(
            f"[...document.querySelectorAll('{tag}')].map(one => one.getBoundingClientRect())"
        )
        for tag in ("dt", "dd")
    )
    tops = [label["top"] for label in labels]
    assert tops == [number["top"] for number in numbers]
    assert tops == sorted(set(tops))
    for label, number in zip(labels, numbers, strict=True):
        assert label["right"] <= number["left"]


def test_a_keyboard_sorts_a_table_numbers_as_french_readers_write_them(
    page: "sync_api.Page", home: Path
) -> None:
    cells = ("1\u202f700", "nd", "−3,5", "900")
    lines = zip("abcd", cells, strict=True)
    rows = "".join(f"<tr><th>{name}</th><td>{cell}</td></tr>" for name, cell in lines)
    head = "<thead><tr><th>Métier</th><th>Postes</th></tr></thead>"
    table = f"<main><table>{head}<tbody>{rows}</tbody></table></main>"
    script = "<script src=theme/page.js></script>"
    (home / "tri.html").write_text(f"<meta charset=utf-8>{table}{script}", encoding="utf-8")
    page.goto((home / "tri.html").as_uri())
    page.locator("thead button").nth(1).focus()
    for way, order in (("descending", "adcb"), ("ascending", "cdab")):
        page.keyboard.press("Enter")
        assert page.locator("th").nth(1).get_attribute("aria-sort") == way
        assert "".join(page.locator("tbody th").all_inner_texts()) == order
    (home / "tri.html").unlink()


def jupyterlab_lists() -> str:
    """Return the rules of the installed JupyterLab on description lists, which float them."""
    static = Path(sys.prefix, "share/jupyter/lab/static")
    scripts = (path.read_text(encoding="utf-8") for path in static.glob("jlab_core.*.js"))
    found = (
        re.search(r"\.jp-OutputArea-output dl,.*?dd \{[^}]*\}(?=\s+\.jp-Tr)", one, re.DOTALL)
        for one in scripts
    )
    rules = next(match[0] for match in found if match)
    assert "float: left" in rules
    return rules


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not in node_modules (npm install)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_no_violation(
    browser: "sync_api.Browser", home: Path, width: int, scheme: str
) -> None:
    context = browser.new_context(
        bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    for name in PAGES:
        page.goto((home / name).as_uri())
        assert _violations(page) == [], name
    page.fill("#q", "emploi")
    page.locator("#res mark").first.wait_for()
    assert _violations(page) == []
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=x>')")
    assert _violations(page) == ["image-alt"]
    context.close()


def _violations(page: "sync_api.Page") -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run().then(result => result.violations.map(one => one.id))")
    return list(found)
