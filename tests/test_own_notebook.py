"""A notebook of one's own: what it takes, in lines, and what it gives."""

import shutil
from functools import partial
from pathlib import Path

import nbformat
import pytest
from matplotlib.figure import Figure
from nbclient import NotebookClient

import opmq_lib
from opmq_lib.errors import ScopeError
from opmq_lib.questions.tensions import page as tensions

ROOT = Path(__file__).parent.parent

EMPLOYMENT = """\
import opmq_lib
study = opmq_lib.study()
jobs = study.employment(["ceramique", "chimie", "textile"])
"""
RATES = """\
import opmq_lib
study = opmq_lib.study()
rates = study.rates()
rates.loc[rates["metier_code"] == "E1Z43", "departure_rate_pct"] *= 1.5
before = study.needs(["ceramique"])
after = study.needs(["ceramique"], rates=rates)
"""
WEIGHTS = """\
import opmq_lib
study = opmq_lib.study()
equal = study.core(["ceramique"])
heavy = study.core(["ceramique"], weights={"employment_share": 3})
"""
FIGURE = """\
import opmq_lib
figure = opmq_lib.study().piece("01_emplois.fan_figure", "ceramique", metiers=["E1Z43", "G0A40"])
figure.axes[0].lines[0].set_color("crimson")
figure
"""


@pytest.fixture(scope="module")
def root(studied: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of a project in which `01_emplois` has run for one branch of these."""
    copy = tmp_path_factory.mktemp("own") / "project"
    shutil.copytree(studied, copy, ignore=shutil.ignore_patterns("site"))
    for path in (ROOT / "parameters/branches").glob("*.yml"):
        shutil.copy(path, copy / "parameters/branches")
    return copy


def executed(source: str, folder: Path, *checks: str) -> nbformat.NotebookNode:
    """Run a cell and what is checked of it in a kernel that works in a folder."""
    cells = [nbformat.v4.new_code_cell(text) for text in (source, *checks)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    return NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}).execute()


def test_employment_of_three_branches_takes_three_lines(root: Path) -> None:
    assert len(EMPLOYMENT.splitlines()) <= 3
    executed(
        EMPLOYMENT,
        root / "notebooks",
        "assert set(jobs['branch_code']) == {'ceramique', 'chimie', 'textile'}",
        "assert 'Industries chimiques' in set(jobs['branch'])",
        "assert jobs['metier'].notna().all() and (jobs['employment_headcount'] >= 0).all()",
    )


def test_a_study_opens_from_outside_its_folder(root: Path, tmp_path: Path) -> None:
    source = EMPLOYMENT.replace("study()", f"study({str(root)!r})")
    executed(source, tmp_path, "assert len(jobs) > 1000")


def test_one_other_rate_takes_six_lines_and_changes_the_posts_of_its_metier(root: Path) -> None:
    assert len(RATES.splitlines()) <= 6
    executed(
        RATES,
        root,
        "changed = before['value'].ne(after['value']) & before['value'].notna()",
        "left = before['quantity'] == 'career_end_departures_headcount'",
        "one = before['metier_code'] == 'E1Z43'",
        "others = ~one & (before['metier_code'] != 'ENS')",
        "assert changed[one & left].all() and not changed[others].any()",
    )


def test_other_weights_take_four_lines(root: Path) -> None:
    assert len(WEIGHTS.splitlines()) <= 4
    executed(WEIGHTS, root, "assert not equal['score'].equals(heavy['score'])")


def test_a_figure_with_other_metiers_and_colours_takes_four_lines(root: Path) -> None:
    assert len(FIGURE.splitlines()) <= 4
    found = executed(
        FIGURE, root, "from matplotlib.figure import Figure", "assert isinstance(figure, Figure)"
    )
    (output,) = found.cells[0].outputs
    assert "#dc143c" in output["data"]["image/svg+xml"]
    assert output["metadata"]["image/svg+xml"]["alt"].count("projection médiane") == 2


@pytest.mark.parametrize(
    ("name", "branch_code", "message"),
    [
        ("01_emploi.fan_figure", "ceramique", "did you mean `01_emplois`"),
        ("01_emplois.fan_figur", "ceramique", "did you mean `fan_figure`"),
        ("01_emplois.fan_figure", "chimie", "run 01_emplois for it first"),
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
        assert len(study.piece(f"01_emplois.{name}", "ceramique", metiers=["E1Z43"]).axes) == 1
        with pytest.raises(ScopeError, match="2 defects") as refused:
            study.piece(f"01_emplois.{name}", "ceramique", metiers=["E1Z4", "zzz", "G0A40"])
        assert "did you mean `E1Z4" in str(refused.value)
    jobs = study.results("ceramique", "01_emplois")["emplois"]
    codes = [code for code in dict.fromkeys(jobs["metier_code"]) if len(code) == 5][:12]
    drawn = study.piece("01_emplois.ranges_figure", "ceramique", metiers=codes)
    assert len(drawn.axes[0].texts) == 12


def test_panels_need_one_axes_each(root: Path) -> None:
    axes = Figure().subplots(2, 1)
    piece = partial(opmq_lib.study(root).piece, "01_emplois.fan_figure", "ceramique", ax=axes)
    assert piece(metiers=["E1Z43", "G0A40"]) is axes[0].figure
    with pytest.raises(ValueError, match="2 axes given, 1 needed"):
        piece(metiers=["E1Z43"])


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
