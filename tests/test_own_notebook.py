"""A notebook of one's own: what it takes, in lines, and what it gives."""

import re
import shutil
from functools import partial
from pathlib import Path

import nbformat
import pytest
from matplotlib.figure import Figure
from nbclient import NotebookClient

import opmq_lib
from opmq_lib.errors import DataError, RangeError, ScopeError
from opmq_lib.questions.tensions import page as tensions

ROOT = Path(__file__).parent.parent

PAGE = (ROOT / "docs/researcher.md").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"(?:^### ([^\n]+): (\d) lines?$.*?)?^```python\n(.*?)^```", re.MULTILINE | re.DOTALL
)
(_, _, BEGIN), *EXPLORATIONS = BLOCK.findall(PAGE.partition("## Six explorations")[2])
CHECKS = {
    "Employment of three branches": """
assert set(_["branch_code"]) == {"ceramique", "chimie", "textile"}
assert "Industries chimiques" in set(_["branch"])
assert _["metier"].notna().all() and (_["employment_headcount"] >= 0).all()""",
    "Departures doubled": """
before = study.needs(["ceramique"])
after, left = _, before["quantity"] == "career_end_departures_headcount"
ratio = (after["value"] / before["value"])[left & before["value"].gt(0)]
assert len(ratio) > 10 and ratio.between(1.3, 2).all(), ratio""",
    "A figure with other métiers and colours": """
from matplotlib.figure import Figure
assert isinstance(figure, Figure) and len(figure.axes) == 2""",
    "A series of yours, forecast": """
assert _["year"].unique().tolist() == [2026, 2027, 2028, 2029, 2030]
assert _.groupby("year")["value"].is_monotonic_increasing.all()""",
    "Core métiers under other weights": """
assert not study.core(["ceramique"])["score"].equals(_["score"])""",
    "Titles matched": """
assert _["query"].tolist() == ["soudeur TIG", "comptable", "chargée RH"]
assert _["code"].iloc[0] == 'H2913'""",
}


@pytest.fixture(scope="module")
def root(studied: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of a project in which `01_emplois` has run for one branch of these."""
    copy = tmp_path_factory.mktemp("own") / "project"
    shutil.copytree(studied, copy, ignore=shutil.ignore_patterns("site"))
    for path in (ROOT / "parameters/branches").glob("*.yml"):
        shutil.copy(path, copy / "parameters/branches")
    return copy


def executed(
    source: str, folder: Path, *checks: str, errors: bool = False
) -> nbformat.NotebookNode:
    """Run a cell and what is checked of it in a kernel that works in a folder."""
    cells = [nbformat.v4.new_code_cell(text) for text in (source, *checks)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    where = {"metadata": {"path": str(folder)}}
    return NotebookClient(notebook, resources=where, allow_errors=errors).execute()


@pytest.fixture(scope="module")
def explored(root: Path) -> dict[str, list[nbformat.NotebookNode]]:
    """Run the explorations and what is checked of each, one after the other in one kernel."""
    texts = [text for name, _, source in EXPLORATIONS for text in (source, CHECKS[name])]
    wrong = 'study.piece("01_emplois.fan_figure", "chimie")'
    cells = executed(BEGIN, root, *texts, wrong, errors=True).cells[1:]
    cells_of = {name: cells[2 * at : 2 * at + 2] for at, (name, _, _) in enumerate(EXPLORATIONS)}
    return cells_of | {"wrong": cells[-1:]}


@pytest.mark.parametrize(("name", "lines", "source"), EXPLORATIONS, ids=list(CHECKS))
def test_an_exploration_takes_as_many_lines_as_its_page_says(
    explored: dict[str, list[nbformat.NotebookNode]], name: str, lines: str, source: str
) -> None:
    assert sum(map(bool, source.splitlines())) == int(lines)
    cell, check = explored[name]
    kinds = [output.output_type for output in cell.outputs]
    assert (kinds, check.outputs) == (["execute_result"], [])
    (shown,) = cell.outputs
    if "figure" in name:
        assert "#dc143c" in shown["data"]["image/svg+xml"]


def test_an_error_in_a_notebook_is_its_message_in_french_with_what_to_type(
    explored: dict[str, list[nbformat.NotebookNode]],
) -> None:
    (error,) = explored["wrong"][0].outputs
    typed = "opmq run --branch chimie --notebook 01_emplois"
    assert [line.replace("\u00a0", " ") for line in error.traceback] == [
        "1 erreur :",
        "  branch : aucun résultat (trouvé : chimie)",
        f"    à faire : tapez `{typed}` dans un terminal",
        "    attendu : une branche qui en a",
        "(Toute la pile : import traceback; traceback.print_last())",
    ]


def test_the_explorations_of_the_page_are_those_of_the_notebook() -> None:
    notebook = nbformat.read(ROOT / "examples/exploration.ipynb", as_version=4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    sources = [BEGIN, *(source for _, _, source in EXPLORATIONS)]
    assert [cell.split() for cell in cells] == [source.split() for source in sources]


def test_a_study_opens_from_outside_its_folder(root: Path, tmp_path: Path) -> None:
    source = f'import opmq_lib\njobs = opmq_lib.study({str(root)!r}).employment(["ceramique"])'
    executed(source, tmp_path, "assert len(jobs) > 100")


@pytest.mark.parametrize(
    ("name", "branch_code", "message"),
    [
        ("01_emploi.fan_figure", "ceramique", "did you mean `01_emplois`"),
        ("01_emplois.fan_figur", "ceramique", "did you mean `fan_figure`"),
        ("01_emplois.fan_figure", "chimie", "opmq run --branch chimie --notebook 01_emplois"),
    ],
)
def test_an_unknown_piece_says_which_one_was_meant(
    root: Path, name: str, branch_code: str, message: str
) -> None:
    with pytest.raises(ScopeError, match=message):
        opmq_lib.study(root).piece(name, branch_code)


def test_every_metier_asked_for_is_drawn_and_unknown_ones_are_refused_together(root: Path) -> None:
    study = opmq_lib.study(root)
    for name in ("ranges_figure", "fan_figure"):
        assert len(study.piece(f"01_emplois.{name}", "ceramique", metiers=["E1Z43"]).rows) == 1
        with pytest.raises(ScopeError, match="2 defects") as refused:
            study.piece(f"01_emplois.{name}", "ceramique", metiers=["E1Z4", "zzz", "G0A40"])
        assert "did you mean `E1Z4" in str(refused.value)
    jobs = study.results("ceramique", "01_emplois")["emplois"]
    codes = [code for code in dict.fromkeys(jobs["metier_code"]) if len(code) == 5][:12]
    drawn = study.piece("01_emplois.ranges_figure", "ceramique", metiers=codes)
    assert len(drawn.rows) == 12


def test_panels_need_one_axes_each(root: Path) -> None:
    axes = Figure().subplots(2, 1)
    piece = partial(opmq_lib.study(root).piece, "01_emplois.fan_figure", "ceramique")
    assert piece(metiers=["E1Z43", "G0A40"]).plot(axes) is axes[0].figure
    with pytest.raises(RangeError, match="2 axes given"):
        piece(metiers=["E1Z43"]).plot(axes)


def test_pieces_are_given_the_labels_they_ask_for(root: Path, monkeypatch) -> None:
    study = opmq_lib.study(root)
    monkeypatch.setattr(study, "results", lambda *_: {"travaux": []})

    def given(results, labels, regions):
        return results, labels, regions

    monkeypatch.setattr(tensions, "regions_table", given)
    _, labels, regions = study.piece("03_tensions.regions_table", "ceramique")
    assert {"E1Z43", "chimie", "H2913", "emplois"} <= labels.keys()
    assert regions["84"]


def test_an_unknown_scenario_is_refused(root: Path) -> None:
    with pytest.raises(ScopeError, match="did you mean `later_pension`"):
        opmq_lib.study(root).needs(["ceramique"], scenario="later_pensions")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda study: study.employment([]), "no branch"),
        (lambda study: study.employment("chimi"), "1 defect\n.*unknown branch .found: chimi"),
        (lambda study: study.needs(["ceramique"], rates=study.rates().head(3)), "are missing"),
        (lambda study: study.results("chimi", "01_emplois"), "did you mean `chimie`"),
        (lambda study: study.results("chimie", "01_emploi"), "did you mean `01_emplois`"),
        (
            lambda study: study.piece("01_emplois.fan_figure", "ceramique", metier=["E1Z43"]),
            "did you mean `metiers`",
        ),
    ],
)
def test_a_mistake_of_a_researcher_is_one_error(root: Path, ask, message: str) -> None:
    with pytest.raises(DataError, match=message):
        ask(opmq_lib.study(root))


def test_one_branch_may_be_given_as_it_is_and_counts_once(root: Path) -> None:
    study = opmq_lib.study(root)
    assert study.employment("ceramique").equals(study.employment(["ceramique"] * 2))
