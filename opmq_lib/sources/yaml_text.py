"""YAML text into plain values that remember their line and how they were written.

YAML readers disagree on bare words: `0016` is 14, 16 or a text, `1E05` a number or a text, `NO`
false or a text. Here a bare word is a number only where every reader sees the same number; the
other words become `Bare`, which no strict model accepts, so that the error quotes the raw text.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import yaml

from opmq_lib.errors import Defect, SchemaError

Key = tuple[str | int, ...]
"""Where a value lies: keys and positions from the top, such as `("criteria", 0, "weight")`."""

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # C: ten times faster
_NUMBER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NOT_TEXT_SOMEWHERE: Final = re.compile(
    r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?"  # 0016, 1E05, 1_000, .5
    r"|[-+]?0([xX][0-9a-fA-F_]+|[oO]?[0-7_]+|[bB][01_]+)"  # 0x10, 0o16, 0b1
    r"|[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?"  # 12:30 is 750
    r"|[-+]?\.(inf|Inf|INF|nan|NaN|NAN)"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?"
    r"|y|Y|n|N|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF"
)


@dataclass(frozen=True)
class Bare:
    """A bare word that some YAML readers take for a number, a date or a yes/no."""

    raw: str


@dataclass
class Document:
    """One YAML file: its values, where each stands, and what cannot be read in one way only."""

    value: Any = None
    lines: dict[Key, int] = field(default_factory=dict)
    raws: dict[Key, str] = field(default_factory=dict)
    defects: list[Defect] = field(default_factory=list)


def parse(text: str, where: str) -> Document:
    r"""Return the values of one YAML text.

    Args:
        text: The file's text.
        where: The file, as its owner would look for it.

    Returns:
        The document. Keys are texts as written; a key given twice is a defect and keeps its
        first value. `raws` holds the raw text of every bare (unquoted) word.

    Raises:
        SchemaError: If the text is not YAML, or holds nothing.

    Examples:
        >>> document = parse('code: 0016\nquoted: "0016"\nyears: 10', "x.yml")
        >>> document.value
        {'code': Bare(raw='0016'), 'quoted': '0016', 'years': 10}
        >>> document.lines["quoted",]
        2
    """
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        unclosed = "quoted" in (error.context or "")  # then the start says more than the end
        mark = error.context_mark if unclosed else error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise _not_yaml(f"{where}{line}", error.problem or "unreadable") from error
    except yaml.YAMLError as error:
        raise _not_yaml(where, getattr(error, "reason", "unreadable")) from error
    if node is None:
        raise SchemaError(
            [Defect(where, "the file is empty", "keys and values", "restore or delete the file")]
        )
    document = Document()
    document.value = _value(node, (), document, where, set())
    return document


def _not_yaml(where: str, problem: str) -> SchemaError:
    return SchemaError(
        [
            Defect(
                where=where,
                what=f"not YAML: {problem}",
                expected="`key: value` lines, indented with spaces",
                fix="correct this line or the one above (quotes, colons, indentation)",
            )
        ]
    )


def _value(node: yaml.Node, key: Key, document: Document, where: str, seen: set[int]) -> Any:
    line = node.start_mark.line + 1
    document.lines.setdefault(key, line)
    if id(node) in seen:
        document.defects.append(
            Defect(
                where=f"{where}, line {line}",
                what="an alias (`*name`)",
                expected="each value written where it is used",
                fix="repeat the value instead",
            )
        )
        return None
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, key, document, where, seen)
    if isinstance(node, yaml.SequenceNode):
        return [
            _value(item, (*key, position), document, where, seen)
            for position, item in enumerate(node.value)
        ]
    if not isinstance(node, yaml.ScalarNode) or node.style in {"'", '"', "|", ">"}:
        return node.value
    document.raws[key] = node.value
    return resolve(node.value)


def _mapping(
    node: yaml.MappingNode, key: Key, document: Document, where: str, seen: set[int]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name_node, value_node in node.value:
        line = name_node.start_mark.line + 1
        name = name_node.value if isinstance(name_node, yaml.ScalarNode) else "?"
        if name in values:
            first = document.lines[*key, name]
            document.defects.append(
                Defect(
                    where=f"{where}, line {line}",
                    what=f"key `{name}` is given twice (first on line {first})",
                    expected="each key once",
                    fix="delete one of the two",
                )
            )
            continue
        document.lines[*key, name] = line
        values[name] = _value(value_node, (*key, name), document, where, seen)
    return values


def resolve(raw: str) -> Any:
    """Return what every YAML reader takes a bare word for, or `Bare` where they disagree.

    Examples:
        >>> [resolve(raw) for raw in ("chimie", "10", "0.5", "null", "true")]
        ['chimie', 10, 0.5, None, True]
        >>> [resolve(raw) for raw in ("0016", "1E05", "NO")]
        [Bare(raw='0016'), Bare(raw='1E05'), Bare(raw='NO')]
        >>> resolve("2026-01-31")
        datetime.date(2026, 1, 31)
    """
    if raw in {"", "~", "null", "Null", "NULL"}:
        return None
    if raw in {"true", "True", "TRUE", "false", "False", "FALSE"}:
        return raw.lower() == "true"
    if _NUMBER.fullmatch(raw):
        return float(raw) if "." in raw else int(raw)
    if _DAY.fullmatch(raw):
        try:
            return date.fromisoformat(raw)
        except ValueError:
            return Bare(raw)
    return Bare(raw) if _NOT_TEXT_SOMEWHERE.fullmatch(raw) else raw
