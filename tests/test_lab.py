"""The templates as a researcher runs them: in JupyterLab or a plain kernel, with their defaults."""

import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import psutil
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from playwright.sync_api import Locator, Page, expect, sync_playwright

from opmq_lib.errors import DataError
from opmq_lib.runs import lab as lab_room

FULL = os.environ.get("OPMQ_TEST_FULL") == "1"
ROOT = Path(__file__).parent.parent
TEMPLATES = [
    nbformat.read(path, as_version=4) | {"name": path.stem}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
]
EVALUATION, SKILLS = "11_evaluation", "05_competences"
QUESTIONS = [
    each["name"]
    for each in TEMPLATES
    if each["name"] in {SKILLS, "07_que_faire"} or not each["metadata"]["opmq"]["reads"]
]
WAITS = "[Pp]as encore calculée?|aucune branche n’a encore été calculée|aucun registre des demandes"

ASSEMBLIES = [
    each["name"]
    for each in TEMPLATES
    if each["metadata"]["opmq"]["reads"] and each["name"] not in {EVALUATION, *QUESTIONS}
]
"""Three read others' results for one of their parts only, and rest on embedded tables."""

IN_LAB = ["01_emplois", "03_tensions"]
"""Templates run in a browser: they read no other's results."""
if FULL:
    IN_LAB = [each["name"] for each in TEMPLATES]
else:
    QUESTIONS, ASSEMBLIES = [SKILLS], ASSEMBLIES[:1]

ERROR = '.jp-OutputArea-output[data-mime-type$="stderr"]'

SERVER_OPTIONS = ["--no-browser", "--allow-root", "--port=0", "--IdentityProvider.token=t0k"]
"""What a test needs and a researcher does not, given to Jupyter behind `--`."""

NOTE_HOSTS = """
import os, sys

def note(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo"}:
        place = arguments[1] if event == "socket.connect" else arguments[0]
        with open(os.environ["HOSTS"], "a") as hosts:
            print(place[0] if isinstance(place, tuple) else place, file=hosts)

sys.addaudithook(note)
"""
"""Python reads it when it starts, server and kernel alike: notes each host they want to reach."""

BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

RUN_ALL_HAS_ENDED = r"""(before) => {
    const cells = [...document.querySelectorAll(".jp-CodeCell")];
    const number = (cell) => Number(cell.querySelector(".jp-InputPrompt").textContent.slice(1, -2));
    const hasRun = (cell) => number(cell) > before;
    const fails = (cell) => hasRun(cell) && cell.querySelector('[data-mime-type$="stderr"]');
    return cells.some(fails) || (cells.length && cells.every(hasRun));
}"""
"""Given the last number before: each cell has a new one, or one of these has failed."""

LOOK_OF_AN_ERROR = r"""(output) => {
    const text = output.querySelector("pre"), look = getComputedStyle(text);
    const rgb = (colour) => colour.match(/[\d.]+/g).map(Number);
    const back = rgb(getComputedStyle(output).backgroundColor);
    const [red, green, blue, alpha = 1] = rgb(look.color);
    const front = [red, green, blue].map((each, at) => each * alpha + back[at] * (1 - alpha));
    const linear = (each) => each > 10 ? ((each / 255 + 0.055) / 1.055) ** 2.4 : each / 3295;
    const light = (colour) => [0.2126, 0.7152, 0.0722].reduce(
        (sum, weight, at) => sum + weight * linear(colour[at]), 0);
    const [dark, pale] = [light(front), light(back)].sort((one, other) => one - other);
    return {
        contrast: (pale + 0.05) / (dark + 0.05),
        size: parseFloat(look.fontSize),
        lines: Math.round(text.getBoundingClientRect().height / parseFloat(look.lineHeight)),
        overflow: Math.max(...[text, output].map((each) => each.scrollWidth - each.clientWidth)),
    };
}"""


@dataclass(frozen=True)
class Lab:
    """A JupyterLab at work: its address, and the file where it notes what it wants to reach."""

    url: str
    hosts: Path


@pytest.fixture
def own_jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the files of Jupyter in a folder of their own, away from those of the user."""
    home = tmp_path / "jupyter"
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR",
                 "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"):  # fmt: skip
        (home / name).mkdir(parents=True)
        monkeypatch.setenv(name, str(home / name))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    return home


@pytest.fixture
def lab(project_copy: Path, own_jupyter: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Run `opmq lab` on a copy of the project; stop it by its process id, and all it started."""
    (own_jupyter / "sitecustomize.py").write_text(NOTE_HOSTS)
    monkeypatch.setenv("PYTHONPATH", f"{own_jupyter}{os.pathsep}{ROOT}")
    monkeypatch.setenv("HOSTS", str(own_jupyter / "hosts.txt"))
    log = own_jupyter / "log.txt"
    command = [sys.executable, "-m", "opmq_lib", "lab", "--", *SERVER_OPTIONS]
    with (
        log.open("w") as stream,
        psutil.Popen(command, cwd=project_copy, stdout=stream, stderr=stream) as server,
    ):
        try:
            yield Lab(address(server, log), own_jupyter / "hosts.txt")
        finally:
            left = end(server)
    assert left == []


def end(server: psutil.Popen) -> list[psutil.Process]:
    """Stop a server and wait for all that it started; return what had to be killed."""
    if server.poll() is not None:
        return []
    family = [server, *server.children(recursive=True)]
    server.terminate()
    _, left = psutil.wait_procs(family, timeout=30)
    for process in left:
        process.kill()
    return left


def address(server: psutil.Popen, log: Path) -> str:
    """Return the address that a server prints once it answers."""
    deadline = time.monotonic() + 60
    while not (found := re.search(r"http://127\.0\.0\.1:\d+/", log.read_text())):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    return found.group()


def run_all_and_save(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.get_by_text("| Idle").first.wait_for()
    run_all(page)
    with page.expect_response(lambda each: each.request.method == "PUT"):
        page.keyboard.press("Control+s")


def run_all(page: Page, before: int = 0) -> None:
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(RUN_ALL_HAS_ENDED, arg=before, timeout=180_000)


def run_for_branch(page: Page, branch_code: str) -> None:
    """Type another branch in the first cell, as a person does, and run all."""
    shown = page.locator(".jp-CodeCell .jp-InputPrompt").all_inner_texts()
    before = max(int(each.strip("[]:")) for each in shown if each.strip("[]: "))
    first = page.locator(".jp-CodeCell .cm-content").first
    first.scroll_into_view_if_needed()
    first.locator(".cm-line", has_text="branch_code = ").click()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+End")
    page.keyboard.insert_text(f'branch_code = "{branch_code}"')
    run_all(page, before)


def execute(project: Path, name: str, folder: Path | None = None) -> NotebookNode:
    """Run a template from top to bottom in a kernel that works beside it, as JupyterLab does."""
    folder = folder or project / "notebooks"
    notebook = nbformat.read(folder / f"{name}.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=180, resources={"metadata": {"path": str(folder)}})
    return client.execute()


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook: NotebookNode, mime: str, call: str = "") -> list[str]:
    """Return what cells show in one format, or only those that call a function so named."""
    return [
        output["data"][mime]
        for cell in code_cells(notebook)
        if f"{call}(" in cell.source or not call
        for output in cell.outputs
        if mime in output.get("data", {})
    ]


def calls(notebook: NotebookNode, ending: str) -> int:
    return sum(f"{ending}(" in cell.source for cell in code_cells(notebook))


def assert_complete(notebook: NotebookNode) -> None:
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {output.output_type for cell in cells for output in cell.outputs}
    assert kinds == {"execute_result"}, "a cell fails, prints or warns"


def assert_figures_and_tables(notebook: NotebookNode) -> None:
    figures, tables = (shown(notebook, call) for call in ("_figure", "_table"))
    assert len(figures) == calls(notebook, "_figure")
    assert len(tables) == calls(notebook, "_table") > 0
    sources = [cell.source for cell in code_cells(notebook)]
    takes_registers = "_register = " in sources[0]
    if takes_registers and scope(notebook) == "common":  # it rests on these alone, and none ships
        assert {*figures, *tables} == {""}
        return
    assert all("<svg" in figure or "opmq-banner" in figure for figure in figures)
    for source, table in zip((each for each in sources if "_table(" in each), tables, strict=True):
        page = source.rpartition("\n")[2].partition(".")[0]
        says_why = "opmq-banner" in "".join(outputs(notebook, "text/html", f"{page}.banner"))
        may_be_empty = says_why or takes_registers
        assert re.search('class="opmq-(table|banner)"', table) or (may_be_empty and not table)
    everything = "".join(outputs(notebook, "text/html"))
    assert re.search('class="opmq-(table|shortlist)"', everything)


def scope(notebook: NotebookNode) -> str:
    return str(notebook.metadata.opmq.scope)


def shown(notebook: NotebookNode, call: str) -> list[str]:
    """Return what the cells that call a function so named show."""
    return [
        output["data"]["text/html"]
        for cell in code_cells(notebook)
        if f"{call}(" in cell.source
        for output in cell.outputs
    ]


def box(element: Locator) -> dict[str, float]:
    """Return where an element stands once it is in sight."""
    element.scroll_into_view_if_needed()
    found = element.bounding_box()
    assert found is not None
    return dict(found)


def assert_reads_well(page: Page) -> None:
    """Figures fill their cell, labels stand over their number, texts of tables at the left."""
    for figure in page.locator(".jp-RenderedSVG img").all():
        area = figure.locator("xpath=ancestor::*[contains(@class, 'jp-OutputArea-output')]")
        assert box(figure)["width"] >= 0.85 * box(area)["width"]
    for pair in page.locator("dl.opmq-keyfigures > div").all():
        label, number = box(pair.locator("dt")), box(pair.locator("dd strong"))
        assert abs(label["x"] - number["x"]) < 2
        assert 0 <= number["y"] - label["y"] - label["height"] < 12
    side = "(cells) => [...new Set(cells.map((each) => getComputedStyle(each).textAlign))]"
    cells = ".opmq-table tbody th, .opmq-table caption, .opmq-table td.text"
    assert page.locator(cells).evaluate_all(side) in (["left"], [])
    assert page.locator(".Toastify__toast").count() == 0


def assert_branch_changes_lose_nothing(page: Page, results: Path) -> None:
    """Change the branch twice, and once to one that does not exist: its error reads well."""
    has_tables = any(results.glob("chimie/*.csv"))
    for branch_code in ("ceramique", "chimi", "textile"):
        others = {path for path in results.glob("*/*.csv") if path.parent.name != branch_code}
        kept = {path: path.read_bytes() for path in others}
        run_for_branch(page, branch_code)
        if branch_code == "chimi":
            assert_error_reads_well(page)
            continue
        assert page.locator(ERROR).count() == 0
        assert any((results / branch_code).glob("*.csv")) == has_tables
        assert {path: path.read_bytes() for path in kept} == kept
    folders = {path.name for path in results.glob("*")}
    assert folders == ({"chimie", "ceramique", "textile"} if has_tables else set())


def assert_error_reads_well(page: Page) -> None:
    """The message is first, French, without traceback, in sight whole; no line of it is cut."""
    error = page.locator(ERROR)
    error.scroll_into_view_if_needed()
    error.get_by_text("1 erreur").first.wait_for()  # drawn once it is in sight
    expect(error).to_contain_text("vouliez-vous dire", use_inner_text=True)
    lines = error.inner_text().replace("\u00a0", " ").replace("\u202f", " ").splitlines()
    assert lines[:3] == [
        "1 erreur :",
        "  branch_code : branche inconnue (trouvé : chimi)",
        "    à faire : vouliez-vous dire `chimie` ?",
    ]
    assert "Traceback" not in error.inner_text()
    look = error.evaluate(LOOK_OF_AN_ERROR)
    assert (look["lines"], look["overflow"]) == (len(lines), 0)
    assert (look["contrast"] > 7, look["size"] >= 13) == (True, True)


def test_run_all_in_jupyterlab_fills_notebooks_that_read_well_and_reaches_no_other_machine(
    chromium: str, lab: Lab, project_copy: Path
) -> None:
    asked: list[str] = []
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=BROWSER_OPTIONS) as browser,
        browser.new_context(viewport={"width": 1280, "height": 900}) as context,
    ):
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("websocket", lambda socket: asked.append(socket.url))
        page.set_default_timeout(60_000)
        for name in IN_LAB:
            run_all_and_save(page, f"{lab.url}lab/tree/lab/{name}.ipynb?reset&token=t0k")
            assert_reads_well(page)
            saved = nbformat.read(project_copy / "lab" / f"{name}.ipynb", as_version=4)
            assert_complete(saved)
            if "branch_code = " in code_cells(saved)[0].source and (FULL or name == IN_LAB[-1]):
                assert_branch_changes_lose_nothing(page, project_copy / "outputs/lab")
    saved = nbformat.read(project_copy / "lab/01_emplois.ipynb", as_version=4)
    assert_figures_and_tables(saved)
    schemes = {urlsplit(url).scheme for url in asked}
    hosts = {urlsplit(url).hostname for url in asked if not url.startswith(("blob:", "data:"))}
    assert {"http", "ws"} <= schemes
    assert hosts == {"127.0.0.1"}
    assert set(lab.hosts.read_text().split()) <= {"127.0.0.1", "::1", "localhost"}
    assert (project_copy / "outputs/lab/chimie/emplois.csv").is_file()
    template = project_copy / "notebooks" / "01_emplois.ipynb"
    assert template.read_bytes() == (ROOT / "notebooks" / "01_emplois.ipynb").read_bytes()


def test_copies_of_a_branch_are_its_own(project_copy: Path) -> None:
    lab_room.copy_templates(project_copy, "textile")
    copy = (project_copy / "lab/textile/03_tensions.ipynb").read_text(encoding="utf-8")
    assert copy.count('branch_code = \\"textile\\"  # code') == 1
    assert not (project_copy / "lab/textile/10_consolidation.ipynb").exists()


def test_what_opens_is_the_start_a_branch_or_what_is_named(project_copy: Path) -> None:
    lab_room.copy_templates(project_copy)
    lab_room.copy_templates(project_copy, "chimie")
    assert lab_room.chosen(project_copy, "") == "lab/accueil.ipynb"
    assert lab_room.chosen(project_copy, "", "chimie") == "lab/chimie/01_emplois.ipynb"
    assert lab_room.chosen(project_copy, "02_besoins", "chimie") == "lab/chimie/02_besoins.ipynb"
    with pytest.raises(DataError, match="did you mean `02_besoins`"):
        lab_room.chosen(project_copy, "02_besoin")
    with pytest.raises(DataError, match="did you mean `chimie`"):
        lab_room.copy_templates(project_copy, "chimi")


def test_a_copy_that_somebody_has_changed_is_left_as_it_is(project_copy: Path) -> None:
    lab_room.copy_templates(project_copy)
    copy = project_copy / "lab" / "01_emplois.ipynb"
    copy.write_text("mine")
    assert "01_emplois.ipynb" in lab_room.copy_templates(project_copy)
    assert copy.read_text() == "mine"


def failed_run(project: Path, cell: str, error: str = "") -> Path:
    """Write what a failed run of `chimie/01_emplois` leaves; an error adds Papermill's banners."""
    parameters = nbformat.v4.new_code_cell('branch_code = "chimie"', id="parameters")
    injected = nbformat.v4.new_code_cell("horizon_years = 12", id="injected")
    wrong = nbformat.v4.new_code_cell(cell, id="wrong")
    after = nbformat.v4.new_code_cell("print('after')", id="after")
    for each in (parameters, injected, wrong):
        each.metadata.papermill = {"start_time": "2026-11-27T00:00:00"}
    top, here = (nbformat.v4.new_markdown_cell("error", id=id_) for id_ in ("top", "here"))
    for banner in (top, here):
        banner.metadata.tags = ["papermill-error-cell-tag"]
    cells = [top, parameters, injected, here, wrong, after] if error else [
        parameters, injected, wrong, after
    ]  # fmt: skip
    path = project / "outputs/2026/chimie/01_emplois.failed.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


@pytest.mark.parametrize("error", ["", "raised"])
def test_failed_run_is_taken_up_at_its_cell_with_its_parameters(
    project_copy: Path, error: str
) -> None:
    failed = failed_run(project_copy, "1 / 0", error)
    before = failed.read_bytes()
    opened = lab_room.take_up(project_copy, "2026", "chimie/01_emplois")
    assert opened == "lab/failed/chimie/01_emplois.ipynb"
    copy = nbformat.read(project_copy / opened, as_version=4)
    ours = {"failed-run", "failed-cell"}
    ids = [cell.id for cell in copy.cells]
    assert ids == ["failed-run", "parameters", "injected", "failed-cell", "wrong", "after"]
    assert [cell.source for cell in copy.cells if cell.id not in ours][2] == "1 / 0"
    assert "(#Cellule-interrompue)" in copy.cells[0].source
    assert copy.cells[3].source == "### Cellule interrompue"
    assert failed.read_bytes() == before


def test_run_that_did_not_fail_cannot_be_taken_up(project_copy: Path) -> None:
    with pytest.raises(DataError, match="has left no failed notebook"):
        lab_room.take_up(project_copy, "2026", "chimie/01_emplois")
    failed_run(project_copy, "1 / 0")
    with pytest.raises(DataError, match="did you mean `chimie/01_emplois`"):
        lab_room.take_up(project_copy, "2026", "chimie/01_emploi")


@pytest.mark.usefixtures("own_jupyter")
@pytest.mark.parametrize("name", QUESTIONS)
def test_question_runs_with_its_defaults_and_shows_its_figures_and_tables(
    project_copy: Path, name: str
) -> None:
    notebook = execute(project_copy, name)
    assert_complete(notebook)
    assert_figures_and_tables(notebook)
    folder = "outputs/lab" if scope(notebook) == "common" else "outputs/lab/chimie"
    assert list((project_copy / folder).glob("*.csv"))


@pytest.mark.usefixtures("own_jupyter")
@pytest.mark.parametrize("name", ASSEMBLIES)
def test_assembly_of_results_that_do_not_exist_says_so_and_shows_no_number(
    project_copy: Path, name: str
) -> None:
    notebook = execute(project_copy, name)
    assert_complete(notebook)
    shown = " ".join(outputs(notebook, "text/html"))
    assert re.search(WAITS, shown)
    assert "data-cell" not in shown
    assert "<svg" not in shown


@pytest.mark.skipif(not FULL, reason="half a minute: in the full run")
@pytest.mark.usefixtures("own_jupyter")
def test_evaluation_needs_no_branch_and_says_which_part_waits_for_one(project_copy: Path) -> None:
    notebook = execute(project_copy, EVALUATION)
    assert_complete(notebook)
    assert (
        "".join(outputs(notebook, "text/html")).count("<figure") == calls(notebook, "_figure") == 4
    )
    tables = outputs(notebook, "text/html", "_table")
    (branches,) = [table for table in tables if table and 'class="opmq-table"' not in table]
    assert "aucune branche n’a encore été calculée" in branches
