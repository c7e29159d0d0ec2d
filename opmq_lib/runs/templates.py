"""Read what each notebook template asks for, without executing or importing anything.

The first code cell, tagged `parameters`, is the one declaration of a notebook's parameters: their
names, and their types by their defaults. Those in `GIVEN` get a value from `parameters/`, others
keep their default. Papermill injects any name with a mere warning and overlooks assignments that it
cannot parse, so the cell is checked here.
"""

import ast
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import TypeAdapter, ValidationError

from opmq_lib.errors import DataError, Defect, did_you_mean
from opmq_lib.params import BranchTables, Code, EditionParams, Registers, Text
from opmq_lib.runs.fingerprint import json_sha256
from opmq_lib.runs.hashes import NOT_PYTHON, imported

SCOPES = ("branch", "common")
BRANCH, FOLDER, REGISTER = "branch_code", "output_folder", "_register"
# What an editor may write into a template that somebody runs, without changing what it says.
VOLATILE = ("collapsed", "execution", "scrolled", "trusted")
SIMPLE_ANNOTATION = re.compile(r"\w[\w\[\], ]*")

EDITION: Final = ("edition_id", "previous_edition_id", "base_year", "horizon_years")
GIVEN: Final[dict[str, Any]] = {
    BRANCH: Code,
    **{
        name: Annotated[each.annotation, each]
        for name, each in EditionParams.model_fields.items()
        if name in EDITION
    },
    **{f"{name}{REGISTER}": str for name in Registers.model_fields},
    FOLDER: Text,
    "sliders": bool,
}
"""Parameters that the batch gives to notebooks that declare them, and their types and ranges."""


@dataclass(frozen=True)
class Template:
    """One notebook template.

    Attributes:
        name: Its file name without suffix, for example `01_emplois`.
        path: Where it is.
        scope: `branch` (executed once per branch) or `common` (once).
        reads: Notebooks whose result tables it reads.
        files: Other files of the project that it reads, which nobody has declared public.
        own_tables: Tables of its branch that it reads, out of those that a branch may supply.
        defaults: Its parameters and their default values.
        sha256: Hash of its cells, scope, reads and files; not of what an editor leaves or the
            site shows.
        imports: Modules that it imports, dotted; `None` if its cells do not tell.
    """

    name: str
    path: Path
    scope: str
    reads: tuple[str, ...]
    defaults: Mapping[str, Any]
    sha256: str
    imports: frozenset[str] | None = None
    files: tuple[str, ...] = ()
    own_tables: tuple[str, ...] = tuple(BranchTables.model_fields)

    @property
    def registers(self) -> list[str]:
        """Names of the registers that it reads itself."""
        return [name.removesuffix(REGISTER) for name in self.defaults if name.endswith(REGISTER)]


def read_templates(folder: Path) -> dict[str, Template]:
    """Read and check every template of a folder, by name.

    Args:
        folder: The project's `notebooks/`.

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
    known = [path.stem for path in folder.glob("*.ipynb")]
    defects += [each for template in templates.values() for each in _reads_defects(template, known)]
    DataError.refuse(defects)
    return templates


def read_template(path: Path) -> Template:
    """Read one template.

    Raises:
        DataError: If it is no notebook, or its parameters cell or metadata are not as they should.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells, metadata = notebook["cells"], dict(notebook["metadata"].get("opmq", {}))
        reads, files = (_texts(metadata.get(name, [])) for name in ("reads", "files"))
        own_tables = _texts(metadata.get("own_tables", list(BranchTables.model_fields)))
        tags = [_texts(cell["metadata"].get("tags", [])) for cell in cells]
        lasting = [metadata.get("scope"), reads, *map(_lasting, cells), *files, *own_tables]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        fix = "restore the template, or save it again from JupyterLab"
        expected = "a notebook of format 4"
        raise DataError.of(_shown(path), "this is not a Jupyter notebook", expected, fix) from error
    signature = [cell for cell, names in zip(cells, tags, strict=True) if "parameters" in names]
    defects = [*_metadata_defects(path, metadata), *_cell_defects(path, signature)]
    if not defects:
        defaults = dict(map(_assigned, ast.parse(_text(signature[0])).body))
        defects += _default_defects(path, metadata["scope"], defaults)
    DataError.refuse(defects)
    names = imported([_text(cell) for cell in cells if cell["cell_type"] == "code"])
    return Template(
        name=path.stem,
        path=path,
        scope=metadata["scope"],
        reads=reads,
        defaults=defaults,
        sha256=json_sha256(lasting),
        imports=None if names is None else frozenset(names),
        files=files,
        own_tables=own_tables,
    )


def _metadata_defects(path: Path, metadata: Mapping[str, Any]) -> Iterator[Defect]:
    if metadata.get("scope") not in SCOPES:
        what = "`opmq.scope` does not say how often the notebook runs"
        expected = "`branch` (once per branch) or `common` (once)"
        fix = 'write `"opmq": {"scope": "branch", "reads": []}` in the notebook\'s metadata'
        where, scope = f"{_shown(path)}, metadata", repr(metadata.get("scope"))
        yield Defect(where, what, expected, fix, scope)
    for name in metadata.get("own_tables", ()):
        if name not in BranchTables.model_fields:
            what, expected = (
                "`opmq.own_tables` names no table",
                ", ".join(BranchTables.model_fields),
            )
            fix = did_you_mean(str(name), BranchTables.model_fields) or "correct the name"
            yield Defect(f"{_shown(path)}, metadata", what, expected, fix, repr(name))
    root = path.parents[1].resolve()
    for name in metadata.get("files", ()):
        file = (root / str(name)).resolve()
        if not (file.is_relative_to(root) and file.is_file()):
            what, expected = "`opmq.files` names no file", "files, by their paths from the project"
            yield Defect(
                f"{_shown(path)}, metadata", what, expected, "correct the path", repr(name)
            )


def _cell_defects(path: Path, signature: list[Any]) -> Iterator[Defect]:
    """Say what Papermill cannot list in a parameters cell."""
    where = f"{_shown(path)}, parameters cell"
    if len(signature) != 1:
        what = f"{len(signature)} cells are tagged `parameters`"
        fix = "tag the first code cell `parameters`, and no other"
        yield Defect(where, what, "exactly one, the first code cell", fix)
        return
    try:
        statements = ast.parse(_text(signature[0])).body
    except NOT_PYTHON as error:
        line = getattr(error, "lineno", None)
        yield _unusable(where, f"line {line} is not Python" if line else "it is not Python")
        return
    lines = _text(signature[0]).splitlines()
    for statement in statements:
        span = lines[statement.lineno - 1 : statement.end_lineno]
        try:
            _assigned(statement)
            is_listed = all(line.count("=") < 2 for line in span)
        except ValueError:
            is_listed = False
        if not is_listed:
            yield _unusable(where, f"line {statement.lineno} is not one that Papermill can list")


def _assigned(statement: ast.stmt) -> tuple[str, Any]:
    """Return the name and value of one line of a parameters cell.

    Raises:
        ValueError: If it is not a plain name, at most a simple annotation, and a literal.
    """
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, ast.literal_eval(value)
        case ast.AnnAssign(
            target=ast.Name(id=name), annotation=annotation, value=ast.expr() as value
        ):
            if SIMPLE_ANNOTATION.fullmatch(ast.unparse(annotation)):
                return name, ast.literal_eval(value)
    raise ValueError("no parameter")


def _default_defects(path: Path, scope: str, defaults: Mapping[str, Any]) -> Iterator[Defect]:
    """Say which parameter lacks, is misspelt, or has a default that its range does not allow."""
    where = f"{_shown(path)}, parameters cell"
    for name in (BRANCH, FOLDER) if scope == "branch" else (FOLDER,):
        if name not in defaults:
            expected = f"a line `{name} = …`, as in every notebook of scope `{scope}`"
            fix = "add the line, with a default that works in JupyterLab"
            yield Defect(where, f"`{name}` is not assigned", expected, fix)
    if scope == "common" and BRANCH in defaults:
        what = f"`{BRANCH}` is a parameter of a notebook that runs once for all branches"
        fix = "correct `opmq.scope` in the notebook's metadata, or remove the line"
        yield Defect(where, what, "the scope `branch`, or no such parameter", fix)
    for name, value in defaults.items():
        wholes = [each for each in GIVEN if f"_{name}_" in f"_{each}_"]
        if name in GIVEN:
            yield from _value_defects(where, name, value)
        elif wholes or name.endswith(REGISTER) or get_close_matches(name, GIVEN, cutoff=0.85):
            expected = f"one of {', '.join(GIVEN)}, or a name unlike them"
            fix = did_you_mean(name, wholes or GIVEN) or "choose another name"
            yield Defect(where, f"nothing gives a value to `{name}`", expected, fix)


def _value_defects(where: str, name: str, value: Any) -> Iterator[Defect]:
    try:
        TypeAdapter(GIVEN[name]).validate_python(value, strict=True)
    except ValidationError as error:
        what, expected = error.errors()[0]["msg"], "a default such as `parameters/` could give"
        yield Defect(f"{where}, `{name}`", what, expected, "correct the default", repr(value))


def _reads_defects(template: Template, known: Collection[str]) -> Iterator[Defect]:
    for name in template.reads:
        if name not in known:
            where = f"{_shown(template.path)}, metadata"
            what = f"`opmq.reads` names `{name}`, which is no template"
            fix = did_you_mean(name, known) or "correct or remove it"
            yield Defect(where, what, f"one of {', '.join(sorted(known))}", fix)


def _lasting(cell: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {name: value for name, value in cell["metadata"].items() if name not in VOLATILE}
    return {
        "type": cell["cell_type"],
        "source": _text(cell),
        "metadata": metadata,
        "attachments": cell.get("attachments", {}),
    }


def _texts(value: Any) -> tuple[str, ...]:
    """Return a list of texts; anything else raises `TypeError`."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TypeError("not a list of texts")
    return tuple(value)


def _text(cell: Any) -> str:
    return "".join(cell["source"])


def _shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _unusable(where: str, what: str) -> Defect:
    expected = "one `name = value` a line: a literal, a simple annotation at most, one `=`"
    fix = "write it so, comments included, and move the rest to another cell"
    return Defect(where, what, expected, fix)
