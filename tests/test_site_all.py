"""The site of a whole study, after `make study`: reports, PDFs, accessibility."""

import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_site_browser import ARGS, AXE, CHROMIUM, TOUCHING, sync_api
from test_study import sentences

from opmq_lib.show import french
from opmq_lib.site import manifest, numbers, pdf
from opmq_lib.sources import states

ROOT = Path(os.environ.get("OPMQ_TEST_STUDY", Path(__file__).parent.parent))
SITE = ROOT / "outputs/site"
BRANCHES_COUNT = 10
LONGEST_ALTERNATIVE = 200
PHONE, SCREEN, SMALLEST = 375, 1280, 320
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = [
    pytest.mark.skipif(not os.environ.get("OPMQ_TEST_FULL"), reason="OPMQ_TEST_FULL=1"),
    pytest.mark.skipif(not (SITE / "index.html").is_file(), reason="no site here: make study"),
]
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def reports(ending: str = "html") -> list[Path]:
    return sorted(SITE.glob(f"branches/*/00_rapport.{ending}"))


def test_few_sentences_of_a_report_only_say_that_nothing_can_be_said() -> None:
    found = {path.parent.name: sentences(content(path)) for path in reports()}
    assert len(found) >= BRANCHES_COUNT
    shares = {code: len(empty) / len(every) for code, (empty, every) in found.items()}
    assert {code: found[code][0] for code, share in shares.items() if share > 0.05} == {}
    total = sum(len(every) for _, every in found.values())
    assert sum(len(empty) for empty, _ in found.values()) <= 0.05 * total


def test_a_quantity_of_a_metier_has_one_form_on_all_pages_of_its_branch() -> None:
    """Of the same cell the site itself is sure; these are cells of different tables."""
    shown: dict[tuple[object, ...], dict[str, str]] = defaultdict(dict)
    for branch in manifest.read(ROOT).branches:
        tables = numbers.of_runs(branch.runs.values())
        for page in (SITE / "branches" / branch.code).glob("*.html"):
            for each in numbers.read(page.read_text(encoding="utf-8"), page.stem, tables):
                name, row, _ = each.cell
                metier = tables.cell(page.stem, name, row, "metier_code")
                if metier and each.true is not None and not each.true.is_integer():
                    form = each.text.removesuffix("\u00a0%").lstrip("+")
                    shown[branch.code, metier[0], each.true].setdefault(form, f"{page.stem} {name}")
    assert len(shown) > 10_000
    assert {key: forms for key, forms in shown.items() if len(forms) > 1} == {}


def content(page: Path) -> str:
    html = page.read_text(encoding="utf-8").partition('<div class="content">')[2]
    return re.sub(r"<nav\b.*?</nav>", "", html.partition("</main>")[0], flags=re.DOTALL)


@needs_chromium
@pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="poppler is not installed")
def test_the_pdf_of_each_report_has_four_pages_at_most_with_tags_numbers_date_and_state() -> None:
    edition = manifest.read(ROOT)
    standings = {each.code: each.standing.state for each in edition.branches}
    day = french.day(edition.edition.edition_date.isoformat())
    printed = reports("pdf")
    assert len(printed) == len(reports())
    for path in printed:
        about = said("pdfinfo", str(path))
        pages = int(re.search(r"Pages: +(\d+)", about)[1])
        assert 1 <= pages <= pdf.MOST_PAGES, path
        assert re.search(r"Tagged: +yes", about), path
        assert "(A4)" in about, path
        for number, text in enumerate(said("pdftotext", str(path), "-").split("\f")[:pages], 1):
            foot = " ".join(text.split())
            assert re.search(rf"\b{number} ?/ ?{pages}\b", foot), (path, number)
            assert f"édition {edition.edition.edition_id}, {day}".replace("\u00a0", " ") in foot, (
                path
            )
            assert states.LABELS[standings[path.parent.name]] in foot, path


def said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield running
        running.close()


def kinds() -> dict[str, list[str]]:
    """Return the pages of each kind: of ten branches, of ten métiers, and the others."""
    codes = sorted(path.parent.name for path in reports())
    step = max(1, len(codes) // BRANCHES_COUNT)
    found: dict[str, list[str]] = {}
    for path in sorted(SITE.rglob("*.html")):
        name = path.relative_to(SITE).as_posix()
        folder = path.parent.name
        if name.startswith("branches/") and folder in codes[::step][:BRANCHES_COUNT]:
            found.setdefault(path.stem, []).append(name)
        elif name.startswith("metiers/") and path.stem != "index":
            found.setdefault("metier", []).append(name)
        elif not name.startswith("branches/") or folder == "branches":
            found.setdefault(name, []).append(name)
    found["metier"] = found["metier"][:: max(1, len(found["metier"]) // BRANCHES_COUNT)]
    return found


KINDS = kinds() if SITE.is_dir() else {}


@needs_chromium
@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not in node_modules (npm install)")
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_no_violation_on_any_kind_of_page(browser: "sync_api.Browser", kind: str) -> None:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    found = []
    for name in KINDS[kind]:
        page.goto((SITE / name).as_uri())
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for width in (SCREEN, PHONE):
            page.set_viewport_size({"width": width, "height": 900})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                run = "tags => axe.run({runOnly: tags}).then(all => all.violations.map(one => "
                run += "[one.id, one.nodes[0].html.slice(0, 120)]))"
                found += [(name, width, scheme, *each) for each in page.evaluate(run, TAGS)]
        page.set_viewport_size({"width": SMALLEST, "height": 700})
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        if (wide := page.evaluate("document.documentElement.scrollWidth")) != SMALLEST:
            found.append((name, SMALLEST, "scrolls sideways", wide))
        texts = "[...document.querySelectorAll('img, [role=img]')].map(one => "
        texts = page.evaluate(texts + "one.getAttribute('alt') ?? one.getAttribute('aria-label'))")
        found += [(name, each) for each in texts if not 0 < len(each or "") <= LONGEST_ALTERNATIVE]
    context.close()
    assert found == []


@needs_chromium
def test_words_of_a_drawing_touch_nothing(browser: "sync_api.Browser") -> None:
    page, found = browser.new_page(), []
    for path in sorted(SITE.rglob("*.html")):
        page.goto(path.as_uri())
        for width in (SCREEN, PHONE):
            page.set_viewport_size({"width": width, "height": 900})
            found += [(path.parent.name, path.name, *each) for each in page.evaluate(TOUCHING)]
    page.close()
    assert found == []


@needs_chromium
@pytest.mark.parametrize("kind", KINDS)
def test_a_keyboard_reaches_all_that_can_be_pressed_and_sees_where_it_is(
    browser: "sync_api.Browser", kind: str
) -> None:
    page = browser.new_page(viewport={"width": SCREEN, "height": 900})
    page.goto((SITE / KINDS[kind][0]).as_uri())
    page.evaluate(
        """() => { window.reached = new Set(); window.unseen = [];
        document.addEventListener('focusin', ({target}) => { window.reached.add(target);
          const {outlineStyle} = getComputedStyle(target);
          const label = target.labels?.[0];
          const beside = label ? getComputedStyle(label).outlineStyle : 'none';
          if (outlineStyle === 'none' && beside === 'none') window.unseen.push(target.outerHTML);
        }); }"""
    )
    asked = page.evaluate(
        """() => window.asked = [...document.querySelectorAll(
        'a[href], button, summary, input:not([type=radio]), select, [tabindex="0"]')]
        .filter(one => one.checkVisibility({contentVisibilityAuto: true})).length"""
    )
    for _ in range(asked + 30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
    missed = page.evaluate(
        """() => [...document.querySelectorAll('a[href], button, summary, [tabindex="0"]')]
        .filter(one => one.checkVisibility({contentVisibilityAuto: true}))
        .filter(one => !window.reached.has(one)).map(one => one.outerHTML.slice(0, 120))"""
    )
    assert missed == []
    assert page.evaluate("window.unseen") == []
    page.close()
