"""The house: every public function is called by more than tests, and names stand for one thing."""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "opmq_lib"
REPEATED = {"__init__", "chain", "page"}
"""Names of modules that a question has by rule."""


def trees() -> dict[str, ast.Module]:
    """Return what calls the library, parsed: itself, the notebooks and the benchmarks."""
    paths = [*LIBRARY.rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
    found = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}
    for path in [*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("examples/*.ipynb")]:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        found[path.name] = re.sub("^!.*", "", "\n".join(code), flags=re.MULTILINE)
    return {name: ast.parse(text) for name, text in found.items()}


def public_functions(tree: ast.AST, holder: str = "") -> Iterator[tuple[str, str]]:
    """Return the public functions, classes and methods that nothing calls by itself: place, name.

    A decorated function is called by what decorates it: a command, a validator, a property.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if not node.name.startswith("_") and not called_by_decorator(node):
                yield f"{holder}{node.name}", node.name
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield from public_functions(node, f"{holder}{node.name}.")


def called_by_decorator(node: ast.FunctionDef | ast.ClassDef) -> bool:
    names = {ast.unparse(decorator).split("(")[0] for decorator in node.decorator_list}
    return any(name.endswith((".command", ".callback", "validator")) for name in names)


def test_no_public_function_is_called_by_tests_alone() -> None:
    parsed = trees()
    used = Counter(
        node.id if isinstance(node, ast.Name) else node.attr
        for tree in parsed.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
    )
    used.update(
        name
        for template in [*LIBRARY.rglob("*.jinja"), *LIBRARY.rglob("*.qmd")]
        for name in re.findall(r"\w+", template.read_text(encoding="utf-8"))
    )
    idle = [
        f"{path}: {place}"
        for path, tree in parsed.items()
        if path.startswith("opmq_lib/")
        for place, name in public_functions(tree)
        if not used[name]
    ]
    assert not idle, "\n".join(idle)


def test_every_figure_and_every_chain_has_an_example() -> None:
    figures = ast.parse((LIBRARY / "show/figures.py").read_text(encoding="utf-8")).body
    texts = {
        each.name: ast.get_docstring(each) or ""
        for each in figures
        if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")
    }
    chains = LIBRARY.glob("questions/*/chain.py")
    texts |= {str(path): path.read_text(encoding="utf-8") for path in chains}
    assert [name for name, text in texts.items() if ">>>" not in text] == []


def test_no_module_name_stands_for_three_things() -> None:
    names = Counter(path.stem for path in LIBRARY.rglob("*.py"))
    assert {name for name, count in names.items() if count > 2} <= REPEATED
