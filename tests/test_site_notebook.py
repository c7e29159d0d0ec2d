import base64
import io

import nbformat
import pytest
import site_edition as given
from PIL import Image

from opmq_lib.site import notebook


def read(*cells: nbformat.NotebookNode, echo: bool = False) -> notebook.Source:
    executed = given.as_json(given.executed_notebook(*cells))
    return notebook.read(executed, echo=echo, warning=False, up="../")


def only_output(*cells: nbformat.NotebookNode, echo: bool = False) -> str:
    return next(iter(read(*cells, echo=echo).outputs.values()))


def test_a_figure_becomes_a_file_named_by_its_content() -> None:
    source = '#| fig-alt: "Deux points"\n#| fig-cap: "Une *hausse*"\nf()'
    shown = read(given.code(source, given.figure()))
    ((path, content),) = shown.figures.items()
    page = next(iter(shown.outputs.values()))
    assert path.startswith("figures/")
    assert path.endswith(".svg")
    assert content == given.drawing().encode()
    assert f'<img src="../{path}" alt="Deux points" width="384" height="192"' in page
    assert "<figcaption>Une <em>hausse</em></figcaption>" in page


def test_several_figures_of_a_cell_have_their_own_texts() -> None:
    source = '#| fig-alt: ["Première", "Seconde"]\nf()'
    page = only_output(given.code(source, given.figure(), given.figure()))
    assert page.index('alt="Première"') < page.index('alt="Seconde"')


def test_a_png_has_the_size_of_its_header() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20)).save(buffer, "PNG")
    figure = notebook.png_figure(base64.b64encode(buffer.getvalue()).decode())
    assert (figure.width, figure.height) == (30, 20)
    assert figure.name.endswith(".png")


@pytest.mark.parametrize(
    ("tag", "size"),
    [
        ('<svg width="100" height="50">', (100, 50)),
        ('<svg width="2in" height="96px">', (192, 96)),
        ('<svg viewBox="0 0 640 480">', (640, 480)),
        ('<svg width="100%" viewBox="0 0 640 480">', (640, 480)),
    ],
)
def test_an_svg_has_the_size_of_its_first_tag(tag: str, size: tuple[int, int]) -> None:
    figure = notebook.svg_figure(f"<?xml version='1.0'?>{tag}</svg>")
    assert (figure.width, figure.height) == size


def test_code_is_shown_only_where_it_is_asked() -> None:
    assert only_output(given.code("a = 1")) == ""
    assert 'class="code"' in only_output(given.code("a = 1"), echo=True)
    assert 'class="code"' in only_output(given.code("#| echo: true\na = 1"))
    assert only_output(given.code("#| echo: false\na = 1"), echo=True) == ""
    assert "<details><summary>Code</summary>" in only_output(
        given.code("#| echo: true\n#| code-fold: true\na = 1")
    )


def test_options_may_hide_outputs_and_cells() -> None:
    printed = given.stream("stdout", "<b>")
    assert "&lt;b&gt;" in only_output(given.code("f()", printed))
    assert only_output(given.code("#| output: false\nf()", printed)) == ""
    assert only_output(given.code("#| include: false\nf()", printed), echo=True) == ""


def test_standard_error_is_shown_only_where_it_is_asked() -> None:
    warned = given.stream("stderr", "attention")
    assert only_output(given.code("f()", warned)) == ""
    assert "attention" in only_output(given.code("#| warning: true\nf()", warned))


def test_an_option_outside_the_subset_is_named_with_its_cell() -> None:
    shown = read(given.markdown("a"), given.code("#| layout-ncol: 2\nf()"))
    assert shown.warnings == ("cell 2: option `layout-ncol` is outside",)


def test_a_line_of_the_text_leads_back_to_its_cell() -> None:
    shown = read(given.markdown("a\nb"), given.code("f()"), given.markdown("c\nd"))
    line = shown.text.splitlines().index("d") + 1
    assert shown.place(line) == "cell 3"
