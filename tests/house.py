"""Count the code of the library: lines that hold a token, without comments and docstrings.

Templates in Jinja are code too: their lines are counted and told apart.
"""

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

LIBRARY = Path(__file__).parent.parent / "opmq_lib"
NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def code_lines(path: Path) -> set[int]:
    """Return the numbers of the lines of a Python file that hold code."""
    source = path.read_text(encoding="utf-8")
    lines = {
        number
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in NO_CODE
        for number in range(token.start[0], token.end[0] + 1)
    }
    return lines - docstring_lines(ast.parse(source))


def docstring_lines(tree: ast.AST) -> set[int]:
    """Return the numbers of the lines of the texts that open a block."""
    found: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        match body:
            case [ast.Expr(value=ast.Constant(value=str())) as text, *_]:
                found.update(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return found


def function_lengths(path: Path) -> Iterator[tuple[str, int]]:
    """Return the name and the code lines of every function of a file."""
    lines = code_lines(path)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node.name, len(lines & set(range(node.lineno, (node.end_lineno or 0) + 1)))


def main() -> None:
    """Print the count in one line."""
    counted = {path: len(code_lines(path)) for path in LIBRARY.rglob("*.py")}
    templates = [path.read_text(encoding="utf-8") for path in LIBRARY.rglob("*.jinja")]
    french = sum(bool(line.strip()) for text in templates for line in text.splitlines())
    methods = sum(n for path, n in counted.items() if LIBRARY / "methods" in path.parents)
    rooms = {path.relative_to(LIBRARY).parts[0] for path in counted} - {"__init__.py"}
    print(
        f"{sum(counted.values()):,} lines of Python (methods {methods:,}) and {french:,} of "
        f"templates in {len(rooms)} rooms; longest file {max(counted.values())}, longest function "
        f"{max(length for path in counted for _, length in function_lengths(path))}"
    )


if __name__ == "__main__":
    main()
