"""From a published number back to its row, its parameters, its steps and its producers."""

from pathlib import Path

import pytest
import site_edition as given

from opmq_lib.errors import DataError
from opmq_lib.show import figures, pieces
from opmq_lib.site import trace

MADE_OF = {
    "inputs": {
        "opmq_lib/data/tension.csv": "a",
        "parameters/edition.yml#base_year": "b",
        "chimie/03_tensions/tensions.csv": "c",
    },
    "versions": {"python": "3.11.7", "pandas": "3.1.1"},
    "seed": 42,
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    steps = [
        given.code("# Parameters", tags=["injected-parameters"]),
        given.code("# L’emploi de la branche.\njobs = chain.jobs(inputs)"),
        given.code("# Les tables.\ndownloads.write_results(results)"),
        given.code("# La figure.\npage.fan(results)"),
    ]
    caption = "Nombre d’emplois. Nombres : table chiffres_cles.csv."
    drawn = given.code("page.fan(results)", given.figure(caption=caption))
    notebook = given.executed_notebook(*steps, drawn)
    (tmp_path / "outputs").mkdir()
    given.run(
        tmp_path,
        "chimie",
        "03_tensions",
        given.executed_notebook(),
        inputs={"opmq_lib/data/employment_national.csv": "d"},
    )
    tables = {"chiffres_cles.csv": given.KEY_FIGURES}
    given.run(tmp_path, "chimie", "01_emplois", notebook, tables, **MADE_OF)
    return tmp_path


def test_a_number_is_traced_to_its_row_parameters_steps_and_sources(root: Path) -> None:
    said = trace.note(root, "2026", "chimie/01_emplois/chiffres_cles:1:value")
    for words in (
        "Valeur\u00a0: 12345.0 (colonne value, unité headcount)",
        "metier_code = E2Z70",
        "horizon_years = 10",
        "graine 42",
        "parameters/edition.yml#base_year",
        "- L’emploi de la branche (chain.jobs)\n- Les tables (downloads.write_results)\n",
        "Repose sur les résultats de\u00a0: chimie/03_tensions.",
        "(table tension)",
        "(table employment_national)",  # behind what it reads
        "pandas 3.1.1",
    ):
        assert words in said
    assert "Parameters" not in said
    assert "La figure" not in said


def test_a_figure_is_traced_to_the_table_that_it_names(root: Path) -> None:
    said = trace.note(root, "2026", "chimie/01_emplois#1")
    assert "Table\u00a0: chiffres_cles.csv" in said
    assert given.ALT.split(" : ")[1] in said


def test_a_figure_of_this_library_is_traced_by_its_caption_or_its_numbers(tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    number = '<span class="n" data-cell="emplois:0:value">12</span>'
    drawn = [
        figures.figure(("Un tiers.", "", source), [], ["<svg/>"], pieces.Html(number)).html
        for source in ("Dares.", "Données : table chiffres_cles.csv.")
    ]
    cells = [given.code("page.fan(results)", given.html(each)) for each in drawn]
    tables = {"chiffres_cles.csv": given.KEY_FIGURES}
    given.run(tmp_path, "chimie", "01_emplois", given.executed_notebook(*cells), tables, **MADE_OF)
    for number, table in ((1, "emplois"), (2, "chiffres_cles")):
        said = trace.note(tmp_path, "2026", f"chimie/01_emplois#{number}")
        assert f"Table\u00a0: {table}.csv" in said
        assert "Un tiers." in said


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("chimie", "not a table, a cell or a figure"),
        ("chimi/01_emplois/x", "did you mean `chimie/01_emplois`"),
        ("chimie/01_emplois/chiffre_cles:0", "did you mean `chiffres_cles`"),
        ("chimie/01_emplois/other", "other.csv: not a file that this run wrote"),
        ("chimie/01_emplois/chiffres_cles:9:valeu", "expected: 0 to 1"),
        ("chimie/01_emplois/chiffres_cles:9:valeu", "did you mean `value`"),
        ("chimie/01_emplois#2", "expected: 1 to 1"),
    ],
)
def test_a_place_that_is_not_there_says_what_was_meant(root: Path, place: str, words: str) -> None:
    with pytest.raises(DataError) as refusal:
        trace.note(root, "2026", place)
    assert words in str(refusal.value)
