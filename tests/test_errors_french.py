"""What a notebook can be refused for has its French: every message of the code, read from it."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest

from opmq_lib.errors import DataError, french
from opmq_lib.tables import checking

LIBRARY = Path(__file__).parents[1] / "opmq_lib"
ROOMS = ("methods", "questions", "show", "matching", "tables")
SOURCES = (
    "study parameters project grids table_files yaml_model yaml_text idcc labels official embedded "
    "rncp"
)
"""What a notebook reads; the rest of `sources` is for commands, which answer in English."""
BEGINS = {"Defect": 1, "Error.of": 1, "Problem": 1, "Rule": 0, "refusal": 1, "_scope_error": 1}
"""What makes a message, and where its words begin among the arguments."""
WORDS = ("what", "expected", "fix")
HOLDS_WORDS = ast.Tuple | ast.BoolOp | ast.IfExp | ast.Starred
Known = dict[str, list[ast.expr]]
SAME = {"total 7", "lower ≤ upper"}
"""Alike in both; two others get the number of a row behind them."""


def read_by_notebooks() -> list[Path]:
    """Return the modules; rules of release (`disclosure`) are for the batch."""
    inside = [path for room in ROOMS for path in sorted((LIBRARY / room).rglob("*.py"))]
    inside += [LIBRARY / f"sources/{name}.py" for name in SOURCES.split()]
    own = [LIBRARY / "params.py", LIBRARY / "arguments.py"]
    return [*own, *(path for path in inside if path.parent.name != "disclosure")]


def texts(node: ast.AST, known: Known, depth: int = 0) -> Iterable[str]:
    """Yield the texts that an expression can be, `{}` where something is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        parts = ast.iter_child_nodes(node)
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
    elif isinstance(node, ast.Name) and depth < 4:
        for value in known.get(node.id, []):
            yield from texts(value, known, depth + 1)
    elif isinstance(node, HOLDS_WORDS):
        for child in ast.iter_child_nodes(node):
            if child is not getattr(node, "test", None):
                yield from texts(child, known, depth)


def assigned(nodes: Iterable[ast.AST]) -> Known:
    known: Known = {}
    for node in nodes:
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            both = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            pairs = zip(target.elts, value.elts, strict=False) if both else [(target, value)]
            for name, given in pairs:
                if isinstance(name, ast.Name):
                    known.setdefault(name.id, []).append(given)
    return known


def messages(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    above, found = assigned(tree.body), set()
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    within = [(tree, above), *((each, above | assigned(ast.walk(each))) for each in functions)]
    for scope, known in within:
        for call in (node for node in ast.walk(scope) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func).removeprefix("checking.").removeprefix("params.")
            name = "Error.of" if name.endswith("Error.of") else name
            given = call.args[BEGINS[name] :] if name in BEGINS else []
            given = given + [
                each.value
                for each in call.keywords
                if (name in BEGINS and each.arg in WORDS)
                or (path.name == "params.py" and each.arg == "description")
            ]
            found |= {text for each in given for text in texts(each, known)}
    return found


def test_every_message_that_a_notebook_can_meet_has_its_french() -> None:
    said = {text.replace("{}", "7") for path in read_by_notebooks() for text in messages(path)}
    words = {text for text in said if re.search(r"[a-z]{3}.* ", re.sub("`.*?`", "", text))}
    assert len(words) > 330
    same = {text for text in words if french(text) == text}
    assert same == {"the same key as row", "a company of another branch in row", *SAME}


def test_a_wrong_table_is_told_in_french_in_lines_that_jupyterlab_does_not_cut() -> None:
    wrong = pd.DataFrame({"metier_code": ["E1Z43"] * 2, "valeur": ["abc", "-3"]})
    with pytest.raises(DataError) as refused:
        checking.check("metier_rates", wrong, "mes_taux.csv")
    lines = [line.replace("\u00a0", " ") for line in refused.value._render_traceback_()]
    assert lines[:3] == [
        "8 erreurs :",
        "  mes_taux.csv, colonne `valeur` : colonne inconnue",
        "    à faire : renommez-la si c’est l’une de `family_code`, `growth_rate_pct`,",
    ]
    repeated = "  mes_taux.csv, ligne 3, colonne `metier_code` : la même clé que la ligne 2"
    assert f"{repeated} (trouvé : E1Z43)" in lines
    assert max(map(len, lines)) <= 96
    assert not re.search(r"\b(the|of|is|column|row)\b", " ".join(lines))
