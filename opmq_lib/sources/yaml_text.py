"""YAML text into plain values, each found again with its line and as it was written.

YAML readers disagree on bare words: `0016` is 14, 16 or a text, `1E05` a number or a text, `NO`
false or a text. Here a bare word is a number only where every reader sees the same number; the
other words become `Bare`, which no strict model accepts, so that the error quotes the raw text.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import yaml

from opmq_lib.errors import Defect, SchemaError

Key = tuple[str | int, ...]
"""Where a value lies: keys and positions from the top, such as `("criteria", 0, "weight")`."""

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # C: ten times faster
_NUMBER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?")
_LONGEST_NUMBER: Final = 400
_DEEPEST: Final = 20
"""Levels of lists and maps; no parameter lies that deep."""

_NO_TEXT_ELSEWHERE: Final = re.compile(
    r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?0([oO][0-7_]+|[xX][\da-fA-F_]+)"
    r"|[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?|[yYnN]"
)
"""Numbers such as `1E05`, times, dates and yes or no of readers other than PyYAML."""


@dataclass(frozen=True)
class Bare:
    """A bare word that some YAML readers take for a number, a date or a yes/no."""

    raw: str


@dataclass(frozen=True)
class Document:
    """One YAML file: its values, the tree they come from, and the keys that are given twice."""

    value: Any
    tree: yaml.Node
    defects: tuple[Defect, ...]

    def find(self, key: Key) -> tuple[int, str] | None:
        r"""Return the line of a key and its value as written (`""` for a list or a map).

        Examples:
            >>> document = parse("a: 1\nb:\n  - c: 0016", "x.yml")
            >>> document.find(("b", 0, "c")), document.find(("z",))
            ((3, '0016'), None)
        """
        name = node = self.tree
        for part in key:
            inside = {each: nodes for each, *nodes in reversed(_children(node))}
            if part not in inside:
                return None
            name, node = inside[part]
        return name.start_mark.line + 1, node.value if isinstance(node, yaml.ScalarNode) else ""


def parse(text: str, where: str) -> Document:
    r"""Return the values of one YAML text.

    Args:
        text: The file's text.
        where: The file, as its owner would look for it.

    Returns:
        The document. Keys are texts as written; a key given twice is a defect and keeps its
        first value.

    Raises:
        SchemaError: If the text is not YAML, holds nothing, is nested too deep, or uses aliases.

    Examples:
        >>> parse('code: 0016\nquoted: "0016"\nyears: 10', "x.yml").value
        {'code': Bare(raw='0016'), 'quoted': '0016', 'years': 10}
    """
    try:
        events = list(_shallow(yaml.parse(text, Loader=_LOADER), where))
        tree = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        unclosed = "quoted" in (error.context or "")  # then the start says more than the end
        mark = error.context_mark if unclosed else error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise _not_yaml(f"{where}{line}", error.problem or "unreadable") from error
    except yaml.YAMLError as error:
        raise _not_yaml(where, getattr(error, "reason", "unreadable")) from error
    if tree is None:
        fix = "restore or delete the file"
        raise SchemaError.of(where, "the file is empty", "keys and values", fix)
    marks = [each.start_mark for each in events if isinstance(each, yaml.AliasEvent)]
    if places := [f"{where}, line {mark.line + 1}" for mark in marks if mark]:
        words = ("an alias (`*name`)", "each value written where it is used", "repeat the value")
        raise SchemaError(Defect(place, *words) for place in places)
    defects: list[Defect] = []
    return Document(_value(tree, where, defects), tree, tuple(defects))


def _shallow(events: Iterable[yaml.Event], where: str) -> Iterator[yaml.Event]:
    """Yield the events of a text; refuse one of more levels than whoever reads it can follow."""
    level = 0
    for event in events:
        level += isinstance(event, yaml.CollectionStartEvent)
        level -= isinstance(event, yaml.CollectionEndEvent)
        if level > _DEEPEST:
            mark = event.start_mark
            place = f"{where}, line {mark.line + 1}" if mark else where
            what, fix = f"more than {_DEEPEST} levels", "remove the brackets or the indentation"
            raise SchemaError.of(place, what, "lists and maps as in the shipped files", fix)
        yield event


def _not_yaml(where: str, problem: str) -> SchemaError:
    expected = "`key: value` lines, indented with spaces"
    fix = "correct this line or the one above (quotes, colons, indentation)"
    return SchemaError.of(where, f"not YAML: {problem}", expected, fix)


def _children(node: yaml.Node) -> list[tuple[str | int, yaml.Node, yaml.Node]]:
    """Return what a map or a list holds: key or position, where its line is, value."""
    if isinstance(node, yaml.MappingNode):
        return [(str(name.value), name, value) for name, value in node.value]
    if isinstance(node, yaml.SequenceNode):
        return [(position, item, item) for position, item in enumerate(node.value)]
    return []


def _value(node: yaml.Node, where: str, defects: list[Defect]) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    values: dict[str | int, Any] = {}
    lines: dict[str | int, int] = {}
    for part, name, inner in _children(node):
        line = name.start_mark.line + 1
        if part not in lines:
            lines[part], values[part] = line, _value(inner, where, defects)
        else:
            what = f"key `{part}` is given twice (first on line {lines[part]})"
            place = f"{where}, line {line}"
            defects.append(Defect(place, what, "each key once", "delete one of the two"))
    return values if isinstance(node, yaml.MappingNode) else list(values.values())


def _scalar(node: yaml.ScalarNode) -> Any:
    """Return what every YAML reader takes a word for, or `Bare` where they disagree."""
    raw, kind = node.value, node.tag.removeprefix("tag:yaml.org,2002:")
    if node.style in {"'", '"', "|", ">"}:
        return raw
    if kind == "null":
        return None
    if kind == "bool" and raw.lower() in {"true", "false"}:
        return raw.lower() == "true"
    if len(raw) <= _LONGEST_NUMBER and _NUMBER.fullmatch(raw):
        return float(raw) if "." in raw else int(raw)
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", raw):
        with suppress(ValueError):
            return date.fromisoformat(raw)
    return raw if kind == "str" and not _NO_TEXT_ELSEWHERE.fullmatch(raw) else Bare(raw)
