import base64
import io

import nbformat
import site_edition as given
from PIL import Image

from opmq_lib.site import outputs


def show(cell: nbformat.NotebookNode) -> str:
    return outputs.show(cell).html


def test_a_figure_becomes_a_file_named_by_its_content() -> None:
    source = '#| fig-alt: "Deux points"\n#| fig-cap: "Une *hausse*"\nf()'
    page, figures, _ = outputs.show(given.code(source, given.figure()), up="../")
    ((path, content),) = figures.items()
    assert path.startswith("figures/")
    assert path.endswith(".svg")
    assert content == given.drawing().encode()
    assert f'<img src="../{path}" alt="Deux points" width="288" height="144"' in page
    assert "<figcaption>Une <em>hausse</em></figcaption>" in page


def test_several_figures_of_a_cell_have_their_own_texts() -> None:
    source = '#| fig-alt: ["Première", "Seconde"]\nf()'
    page = show(given.code(source, given.figure(), given.figure()))
    assert page.index('alt="Première"') < page.index('alt="Seconde"')


def test_a_png_has_the_size_of_its_header() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20)).save(buffer, "PNG")
    encoded = base64.b64encode(buffer.getvalue()).decode()
    path, content, size = outputs.figure({"image/png": encoded})
    assert (content, size) == (buffer.getvalue(), (30, 20))
    assert path.endswith(".png")


def test_an_svg_without_view_says_no_size() -> None:
    assert outputs.figure({"image/svg+xml": "<svg></svg>"})[2] is None


def test_text_is_shown_as_it_was_printed() -> None:
    assert "&lt;b&gt;" in show(given.code("f()", given.stream("stdout", "<b>")))


def test_code_is_not_shown() -> None:
    assert show(given.code("a = 1")) == ""


def test_an_option_outside_the_subset_is_named() -> None:
    assert outputs.show(given.code("#| echo: true\nf()")).outside == ["option `echo`"]
