"""A call with wrong arguments gets one clear error, whatever function of the library it is."""

import ast
import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

import opmq_lib
from opmq_lib.arguments import explained
from opmq_lib.errors import DataError
from opmq_lib.matching import match_labels
from opmq_lib.methods.forecast import forecast_series
from opmq_lib.show import downloads, frame, notebook, pieces
from opmq_lib.sources import labels, study

ROOT = Path(__file__).parent.parent
WRONG: list[Any] = [None, True, [], "zzz", 2.5, [3], pd.DataFrame({"a": [1]}), {}, -3]
SERIES = pd.DataFrame({"series_code": "a", "year": range(2016, 2026), "value": range(200, 210)})
STUDY = opmq_lib.study(ROOT)
TYPED: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (STUDY.employment, {"branch_codes": []}),
    (STUDY.needs, {"branch_codes": ["ceramique"], "scenario": "zzz", "rates": 3}),
    (STUDY.core, {"branch_codes": ["ceramique"], "weights": {"zzz": 1.0}}),
    (STUDY.results, {"branch_code": "zzz", "notebook": "01_emplois"}),
    (STUDY.piece, {"name": "01_emplois.fan_figure", "branch_code": "ceramique"}),
    (forecast_series, {"series": SERIES, "horizon_years": 0, "quantile_levels": [0.5]}),
    (match_labels, {"queries": ["soudeur"], "corpus": frame, "top_k": 0}),
    (labels.chosen_labels, {"kind": "titels"}),
    (frame, {"shown": "zzz"}),
    (study.load_inputs, {"branch_codes": ["zzz"]}),
    (study.metier_labels, {"nomenclature": "FAP"}),
    (downloads.write_results, {"results": {}, "output_folder": "", "workbook": "x"}),
    (pieces.chosen, {"rows": SERIES, "codes": ["zzz"], "count": 1, "key": "series_code"}),
]
"""What a researcher types by hand, with arguments of which at least one is wrong."""


def called_in_notebooks() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield every function of the library that a cell of a template or an example calls."""
    for path in [*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("examples/*.ipynb")]:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(each["source"]) for each in cells if each["cell_type"] == "code"]
        tree = ast.parse("\n".join(each for each in sources if not each.startswith("!")))
        names: dict[str, Any] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("opmq_lib"):
                exec(ast.unparse(node), names)
        for node in ast.walk(tree):
            called = ast.unparse(node.func).split(".") if isinstance(node, ast.Call) else [""]
            function = names.get(called[0])
            for part in called[1:]:
                function = getattr(function, part, None)
            if inspect.isfunction(function):
                yield f"{function.__module__}.{function.__name__}", function


def told(function: Callable[..., Any], *args: Any, **options: Any) -> str:
    """Return what is said of a call: `""` if it passes; anything but one clear error fails."""
    try:
        function(*args, **options)
    except DataError as error:
        return str(error)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        clear = explained(error)
        return str(clear or repr(error))
    return ""


def test_no_function_that_a_notebook_calls_ends_in_a_bare_error() -> None:
    functions = dict(called_in_notebooks())
    assert len(functions) > 250
    said = {}
    for name, function in functions.items():
        kinds = inspect.signature(function).parameters.values()
        needed = [each for each in kinds if each.default is each.empty and each.kind.value == 1]
        for at, wrong in enumerate(WRONG[::3] if needed else ()):
            said[name, at] = told(function, *[wrong] * len(needed))
    messages = [each for each in said.values() if each]
    assert len(messages) > 0.85 * len(said)
    assert [each for each in messages if "expected:" not in each or "to do:" not in each] == []


@pytest.mark.parametrize(("function", "given"), TYPED)
def test_what_is_typed_by_hand_is_refused_before_anything_is_calculated(
    function: Callable[..., Any], given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    for name, value in given.items():
        for wrong in WRONG:
            with pytest.raises(DataError, match="what to do"):
                function(**{**given, name: wrong, "zzz": value})
    if function != STUDY.piece:
        with pytest.raises(DataError):
            function(**given)
        for wrong in (3, 2.5, [[3]]):
            with pytest.raises(DataError):
                function(**dict.fromkeys(given, wrong))


def test_what_was_probably_meant_is_said() -> None:
    known = pd.DataFrame({"metier_code": ["E1Z43"]})
    assert "did you mean `['E1Z43']`?" in told(pieces.chosen, known, "E1Z43", 1)
    assert "did you mean `scenario`?" in told(STUDY.needs, ["ceramique"], scenarios="bas")
    assert "did you mean `titles`?" in told(labels.chosen_labels, "titels")
    assert "horizon_years: of the wrong kind (found: True)" in told(forecast_series, SERIES, True)
    assert "did you mean `employment`?" in told(lambda: STUDY.employement(["ceramique"]))
    lacking = told(forecast_series, SERIES.drop(columns="value").assign(valeur=1), 3)
    assert "no column `value`" in lacking or "missing" in lacking


def test_a_notebook_shows_the_clear_error_in_place_of_the_stack(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shell = InteractiveShell.instance()
    try:
        notebook.explain_errors(shell)
        shell.run_cell(
            "from opmq_lib.questions.emplois import chain\nchain.panel(None, [], 3)", silent=True
        )
    finally:
        InteractiveShell.clear_instance()
    shown = capsys.readouterr().out.replace("\u00a0", " ")
    assert "inputs : pas du genre attendu (trouvé : None)" in shown
    assert "attendu : un dictionnaire, chaque valeur : un tableau" in shown
    assert "Traceback" not in shown
