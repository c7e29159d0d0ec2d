"""Notebook templates: what each one asks for, read without executing or importing anything.

The first code cell, tagged `parameters`, is a notebook's signature. Papermill injects any name with
a mere warning and overlooks assignments that it cannot parse, so the signature is checked here:
the names assigned in the cell are those that Papermill lists and those of the notebook's model.
"""

import ast
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from opmq_lib.errors import DataError, Defect, did_you_mean
from opmq_lib.runs.fingerprint import json_sha256
from opmq_lib.runs.hashes import imported

SCOPES = ("branch", "common")
# What an editor may write into a template that somebody runs, without changing what it says.
VOLATILE = ("collapsed", "execution", "scrolled", "trusted")
SIMPLE_ANNOTATION = re.compile(r"\w[\w\[\], ]*")


@dataclass(frozen=True)
class Template:
    """One notebook template.

    Attributes:
        name: Its file name without suffix, for example `01_emplois`.
        path: Where it is.
        scope: `branch` (executed once per branch) or `common` (once).
        reads: Notebooks whose result tables it reads.
        defaults: Its parameters and their default values.
        sha256: Hash of what it says: sources, tags, metadata; not of outputs left by an editor.
        imports: Modules that it imports, dotted; `None` if its cells do not tell.
    """

    name: str
    path: Path
    scope: str
    reads: tuple[str, ...]
    defaults: Mapping[str, Any]
    sha256: str
    imports: frozenset[str] | None = None


def read_templates(folder: Path, models: Mapping[str, type[BaseModel]]) -> dict[str, Template]:
    """Read and check every template of a folder, by name.

    Args:
        folder: The project's `notebooks/`.
        models: The parameter model of each notebook, by name.

    Raises:
        DataError: With every defect of every template.
    """
    defects: list[Defect] = []
    templates = {}
    for path in sorted(folder.glob("*.ipynb")):
        try:
            templates[path.stem] = read_template(path)
        except DataError as error:
            defects += error.defects
        else:
            defects += signature_defects(templates[path.stem], models)
    defects += [defect for each in templates.values() for defect in _reads_defects(each, templates)]
    if defects:
        raise DataError(defects)
    return templates


def read_template(path: Path) -> Template:
    """Read one template.

    Raises:
        DataError: If it is no notebook, or its parameters cell or metadata are not as they should.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells, metadata = notebook["cells"], dict(notebook["metadata"].get("opmq", {}))
        sha256 = json_sha256([metadata, [_lasting(cell) for cell in cells]])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError([_not_a_notebook(path)]) from error
    signature = [cell for cell in cells if "parameters" in _tags(cell)]
    defects = [*_metadata_defects(path, metadata), *_cell_defects(path, signature)]
    if defects:
        raise DataError(defects)
    return Template(
        name=path.stem,
        path=path,
        scope=metadata["scope"],
        reads=tuple(metadata.get("reads", ())),
        defaults={name: ast.literal_eval(value) for name, value in _assigned(signature[0])},
        sha256=sha256,
        imports=None if (names := imported(_code(cells))) is None else frozenset(names),
    )


def signature_defects(
    template: Template, models: Mapping[str, type[BaseModel]]
) -> Iterator[Defect]:
    """Say where the names of the parameters cell and of the notebook's model differ."""
    where = f"{_shown(template.path)}, parameters cell"
    if template.name not in models:
        yield Defect(
            where=_shown(template.path),
            what="this notebook has no parameter model",
            expected=f"one of {', '.join(models) or 'none'}",
            fix=f"{suggestion(template.name, models)}or add its model to `params.NOTEBOOKS`",
        )
        return
    fields = models[template.name].model_fields
    for name in template.defaults.keys() - fields.keys():
        yield undeclared(where, name, fields)
    for name in fields.keys() - template.defaults.keys():
        yield Defect(
            where=where,
            what=f"`{name}` is not assigned",
            expected=f"a line `{name} = …`, as in the model of {template.name}",
            fix="add the line, with a default that works in JupyterLab",
        )


def undeclared(where: str, name: str, declared: Collection[str]) -> Defect:
    """Return the defect of a parameter that a notebook does not have.

    Examples:
        >>> print(undeclared("01_emplois", "horizon_yaers", ["horizon_years"]))
        01_emplois: `horizon_yaers` is not a parameter of this notebook
            expected: one of horizon_years
            what to do: did you mean `horizon_years`? Else remove it
    """
    return Defect(
        where=where,
        what=f"`{name}` is not a parameter of this notebook",
        expected=f"one of {', '.join(sorted(declared)) or 'none'}",
        fix=f"{suggestion(name, declared)}{'Else remove' if declared else 'remove'} it",
    )


def suggestion(word: str, known: Collection[str]) -> str:
    """Return a question that names the known word closest to a misspelt one, or nothing.

    Examples:
        >>> suggestion("chimei", ["chimie", "ciments"])
        'did you mean `chimie`? '
        >>> suggestion("verre", ["chimie", "ciments"])
        ''
    """
    question = did_you_mean(word, known)
    return f"{question} " if question else ""


def _metadata_defects(path: Path, metadata: Mapping[str, Any]) -> Iterator[Defect]:
    if metadata.get("scope") not in SCOPES:
        yield Defect(
            where=f"{_shown(path)}, metadata",
            what="`opmq.scope` does not say how often the notebook runs",
            expected="`branch` (once per branch) or `common` (once)",
            fix='write `"opmq": {"scope": "branch", "reads": []}` in the notebook\'s metadata',
            value=repr(metadata.get("scope")),
        )


def _cell_defects(path: Path, signature: list[Any]) -> Iterator[Defect]:
    where = f"{_shown(path)}, parameters cell"
    if len(signature) != 1:
        yield Defect(
            where=where,
            what=f"{len(signature)} cells are tagged `parameters`",
            expected="exactly one, the first code cell",
            fix="tag the first code cell `parameters`, and no other",
        )
        return
    try:
        statements = ast.parse(_text(signature[0])).body
    except SyntaxError as error:
        yield _unusable(where, f"line {error.lineno} is not Python")
        return
    lines = _text(signature[0]).splitlines()
    for statement in statements:
        span = lines[statement.lineno - 1 : statement.end_lineno]
        if not _is_parameter(statement) or any(line.count("=") > 1 for line in span):
            yield _unusable(where, f"line {statement.lineno} is not one that Papermill can list")


def _is_parameter(statement: ast.stmt) -> bool:
    match statement:
        case ast.Assign(targets=[ast.Name()], value=value):
            return _is_literal(value)
        case ast.AnnAssign(target=ast.Name(), annotation=annotation, value=ast.expr() as value):
            annotated = ast.unparse(annotation)
            return SIMPLE_ANNOTATION.fullmatch(annotated) is not None and _is_literal(value)
    return False


def _is_literal(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except ValueError:
        return False
    return True


def _assigned(cell: Any) -> Iterator[tuple[str, ast.expr]]:
    for statement in ast.parse(_text(cell)).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def _reads_defects(template: Template, templates: Mapping[str, Template]) -> Iterator[Defect]:
    for name in template.reads:
        if name not in templates:
            yield Defect(
                where=f"{_shown(template.path)}, metadata",
                what=f"`opmq.reads` names `{name}`, which is no template",
                expected=f"one of {', '.join(templates)}",
                fix=f"{suggestion(name, templates)}correct or remove it",
            )


def _lasting(cell: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {name: value for name, value in cell["metadata"].items() if name not in VOLATILE}
    return {
        "type": cell["cell_type"],
        "source": _text(cell),
        "metadata": metadata,
        "attachments": cell.get("attachments", {}),
    }


def _code(cells: Any) -> list[str]:
    return [_text(cell) for cell in cells if cell["cell_type"] == "code"]


def _tags(cell: Any) -> list[str]:
    return list(cell.get("metadata", {}).get("tags", ()))


def _text(cell: Any) -> str:
    return "".join(cell["source"])


def _shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _unusable(where: str, what: str) -> Defect:
    return Defect(
        where=where,
        what=what,
        expected="one `name = value` a line: a literal, a simple annotation at most, one `=`",
        fix="write it so, comments included, and move the rest to another cell",
    )


def _not_a_notebook(path: Path) -> Defect:
    return Defect(
        where=_shown(path),
        what="this is not a Jupyter notebook",
        expected="a notebook of format 4",
        fix="restore the template, or save it again from JupyterLab",
    )
