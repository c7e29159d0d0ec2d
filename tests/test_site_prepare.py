import nbformat
import pytest
import site_edition as given

from opmq_lib.site import prepare

HEAD = '---\ntitle: "Emplois"\n---\n\nBandeau'


def prepared(*cells: nbformat.NotebookNode) -> list[dict[str, str]]:
    executed = given.executed_notebook(*cells)
    cells = prepare.prepare(executed, HEAD, "Pied", ["a.xlsx", "a.zip"])["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in cells]


def defects(*cells: nbformat.NotebookNode) -> list[str]:
    executed = given.executed_notebook(*cells)
    return [str(defect) for defect in prepare.defects(executed, "chimie/01_emplois.ipynb")]


def test_texts_of_a_figure_become_options_of_its_cell() -> None:
    cells = prepared(given.code("f()", given.figure("Deux « points »", "Légende : oui")))
    assert cells[2]["source"] == ('#| fig-alt: "Deux « points »"\n#| fig-cap: "Légende : oui"\nf()')


def test_texts_of_several_figures_become_lists() -> None:
    cells = prepared(given.code("f()", given.figure("A", "B"), given.figure("C", "D")))
    assert '#| fig-alt: ["A", "C"]\n#| fig-cap: ["B", "D"]' in cells[2]["source"]


def test_texts_that_a_cell_already_has_stay() -> None:
    cells = prepared(given.code('#| fig-alt: "À moi"\nf()', given.figure("A", "B")))
    assert cells[2]["source"] == '#| fig-cap: "B"\n#| fig-alt: "À moi"\nf()'


def test_the_notebook_stands_between_head_and_foot_without_its_own_title() -> None:
    cells = prepared(given.markdown("# Emplois\n\nTexte"), given.markdown("# Autre"))
    assert cells[0] == {
        "cell_type": "raw",
        "metadata": {},
        "source": '---\ntitle: "Emplois"\n---\n',
    }
    assert [cell["source"].strip() for cell in cells[1:]] == ["Bandeau", "Texte", "# Autre", "Pied"]


def test_the_cell_that_papermill_injected_is_left_out() -> None:
    cells = prepared(given.code("a = 1", tags=["injected-parameters"]), given.code("b = 1"))
    assert [cell["source"] for cell in cells[2:-1]] == ["b = 1"]


def test_traces_of_execution_are_left_out() -> None:
    cell = given.code("f()")
    cell.metadata["papermill"] = {"start_time": "2026-11-01"}
    assert prepared(cell)[2]["metadata"] == {}


def test_a_figure_without_alternative_is_refused() -> None:
    assert (
        "cell 1: a figure without text alternative"
        in defects(given.code("f()", given.figure("")))[0]
    )
    assert defects(given.code('#| fig-alt: "oui"\nf()', given.figure(""))) == []


def test_a_cell_in_error_is_refused_with_its_message() -> None:
    failure = nbformat.v4.new_output("error", ename="ValueError", evalue="trop", traceback=[])
    assert "ValueError: trop" in defects(given.code("f()", failure))[0]


@pytest.mark.parametrize(
    "html",
    [
        "<script>a()</script>",
        '<p onclick="a()">a</p>',
        '<a href="javascript:a()">a</a>',
        '<iframe src="a.html"></iframe>',
        '<img alt="a" src="https://exemple.fr/a.png">',
        '<img alt="a" src="//exemple.fr/a.png">',
        '<link rel="stylesheet" href="a.css">',
        "<object data='a.swf'></object>",
        "<script src=https://e.com/x.js ",
        "<img src=//e.com/a.png onerror=alert(1) ",
        '<img title="a" onerror=alert(1) alt="',
        """<a href="javascript:alert(1)" title='""",
        '<img src=x onerror="alert(1)',
        "<iframe src=x ",
    ],
)
def test_active_or_external_content_is_refused_in_outputs_and_in_prose(html: str) -> None:
    assert "active or external content" in defects(given.code("f()", given.html(html)))[0]
    assert "active or external content" in defects(given.markdown(html))[0]


def test_an_output_that_needs_a_program_is_refused() -> None:
    widget = nbformat.v4.new_output("display_data", {"application/vnd.widget+json": {}})
    assert "application/vnd.widget+json" in defects(given.code("f()", widget))[0]


def test_a_plain_page_has_no_defect() -> None:
    assert defects(*given.figures_notebook().cells) == []
