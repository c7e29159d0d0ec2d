"""One YAML file into its strict model, or into errors that say line, key and what to do."""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from opmq_lib.errors import (
    DataError,
    Defect,
    RangeError,
    SchemaError,
    closest,
    did_you_mean,
    gather,
)
from opmq_lib.params import ParameterFile
from opmq_lib.sources import project
from opmq_lib.sources.yaml_text import Document, Key, parse

Model = TypeVar("Model", bound=BaseModel)

_DECIMAL: Final = re.compile(r"\+?(?P<sign>-?)(?P<whole>0|[1-9][0-9]*)?[.,](?P<decimals>[0-9]+)")
_OUTSIDE: Final = re.compile("range|(greater|less)_than(_equal)?|finite_number")


@dataclass
class Reading(Generic[Model]):
    """One parameter file as read: its model if nothing is wrong, else what is wrong."""

    where: str
    path: Path = Path()
    params: Model | None = None
    document: Document | None = None
    errors: list[DataError] = field(default_factory=list)

    def at(self, key: Key) -> str:
        """Return where a key stands, as its owner would look for it."""
        line, _ = self._place(key)
        after = f", line {line}" if line else ""
        return f"{self.where}{after}, key `{dotted(key)}`" if key else self.where

    def raw(self, key: Key) -> str:
        """Return the value of a key as it is written."""
        return self._place(key)[1]

    def _place(self, key: Key) -> tuple[int, str]:
        return (self.document.find(key) if self.document else None) or (0, "")

    def get(self, key: str) -> Any:
        """Return the value of a key of the first level, even if the rest of the file is wrong."""
        value = self.document.value if self.document else None
        return value.get(key) if isinstance(value, dict) else None

    def refuse(self, key: Key, what: str, expected: str, fix: str, *value: str) -> None:
        """Add what is wrong with a key; its value if it says more."""
        self.errors.append(SchemaError.of(self.at(key), what, expected, fix, *value))

    def checked(self) -> Model:
        """Return the model, to be used: from now on it tells which of its fields are.

        Raises:
            DataError: With every defect of the file.
        """
        if self.params is None or self.errors:
            raise gather(self.errors)
        if isinstance(self.params, ParameterFile):
            self.params.read_from(str(self.path))
        return self.params


def read_file(path: Path, where: str, model: type[Model]) -> Reading[Model]:
    """Return one parameter file as read.

    Args:
        path: The file.
        where: The file as messages show it.
        model: What it must hold.

    Returns:
        The reading: `params` is `None` if the file does not hold a `model`, and `errors` say why.
    """
    reading: Reading[Model] = Reading(where, path)
    try:
        if not path.is_file():
            raise SchemaError.of(where, "no such file", "a parameter file", "restore it")
        if issubclass(model, ParameterFile):
            sys.audit("opmq.fields", str(path))  # not this opening counts, but the fields used
        fix = "save the file again with encoding UTF-8"
        document = parse(project.decoded(path.read_bytes(), where, fix), where)
    except SchemaError as error:
        reading.errors.append(error)
        return reading
    reading.document = document
    reading.errors += [SchemaError([defect]) for defect in document.defects]
    try:
        reading.params = model.model_validate(document.value)
    except ValidationError as error:
        reading.errors += translated(error.errors(), model, reading.at, reading.raw)
    return reading


def dotted(key: Key) -> str:
    """Return a key's path as a person writes it.

    Examples:
        >>> dotted(("criteria", 0, "weight"))
        'criteria[0].weight'
    """
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in key]
    return "".join(parts).removeprefix(".")


def translated(
    refused: Sequence[ErrorDetails],
    model: type[BaseModel],
    at: Callable[[Key], str],
    raw: Callable[[Key], str],
) -> list[DataError]:
    """Return what pydantic refuses, in the project's words.

    Args:
        refused: The refusals.
        model: The model that refuses.
        at: Key → where its owner would look for it.
        raw: Key → its value as its owner wrote it.
    """
    misspelt = {_nearest(model, each["loc"]) for each in refused if _is_extra(each)}
    return [
        (RangeError if _OUTSIDE.fullmatch(each["type"]) else SchemaError)(
            [_defect(each, model, at, raw)]
        )
        for each in refused
        if each["type"] != "missing" or each["loc"] not in misspelt
    ]


def _is_extra(details: ErrorDetails) -> bool:
    return details["type"] == "extra_forbidden"


def _nearest(model: type[BaseModel], key: Key) -> Key | None:
    """Return the key that a misspelt one stands for, so that it is not reported missing as well."""
    near = closest(str(key[-1]), _model_at(model, key[:-1]).model_fields)
    return None if near is None else (*key[:-1], near)


def _defect(
    details: ErrorDetails,
    model: type[BaseModel],
    at: Callable[[Key], str],
    raw: Callable[[Key], str],
) -> Defect:
    key, kind, value = details["loc"], details["type"], details["input"]
    context = details.get("ctx", {})
    if kind in {"schema", "range"}:
        return Defect(at(key), context["what"], context["expected"], context["fix"])
    if _is_extra(details):
        names = list(_model_at(model, key[:-1]).model_fields)
        fix = did_you_mean(str(key[-1]), names) or "remove it"
        return Defect(at(key), "unknown key", f"one of: {', '.join(names)}", fix)
    if kind == "missing":
        fix = f"add a line `{key[-1]}: …`"
        what = f"key `{key[-1]}` is missing"
        return Defect(at(key[:-1]), what, _description(model, key), fix)
    if kind == "model_type":
        what = f"{_named(value)} where a mapping of keys is meant"
        fix = "write the keys one under the other, without `-` before them"
        return Defect(at(key), what, "a mapping of keys: one `key: value` a line", fix)
    if kind == "string_type" and (value is None or isinstance(value, list | dict)):
        return Defect(at(key), f"{_named(value)} where a text is meant", "a text", "write the text")
    word = raw(key)
    if kind == "string_type":
        what = "not in quotes: YAML readers take it for a number, a date or a yes/no"
        return Defect(at(key), what, "a text in quotes", f'write "{word}"', word)
    message = details["msg"].replace("Input should be", "not").replace("tuple", "list")
    if kind == "string_pattern_mismatch":
        message = "not well formed"
    choices = str(context.get("expected", "")).replace("'", "").split(" or ")
    fix = did_you_mean(word, choices) or _padded(word, key)
    if kind in {"float_type", "int_type"}:
        fix = _decimal(word)
    what = f"`{word}` is {message}" if word and message.startswith("not ") else message
    return Defect(at(key), what, _description(model, key), fix or "correct the value")


def _named(value: Any) -> str:
    """Return what a value is, in words."""
    return {type(None): "nothing", list: "a list", dict: "a map"}.get(type(value), "one value")


def _padded(word: str, key: Key) -> str:
    """Return the advice to write an IDCC with five digits, where that is the problem."""
    return f'write "{word:0>5}"' if "idcc_codes" in key and word.isdecimal() else ""


def _decimal(word: str) -> str:
    """Return the advice to write a decimal number as every reader takes it, where that is meant.

    Examples:
        >>> _decimal(".25"), _decimal("-0,5"), _decimal("010")
        ('write 0.25', 'write -0.5', '')
    """
    match = _DECIMAL.fullmatch(word)
    return f"write {match['sign']}{match['whole'] or 0}.{match['decimals']}" if match else ""


def _description(model: type[BaseModel], key: Key) -> str:
    """Return what a key means; that of the list, for an item of a list."""
    names = [part for part in key if isinstance(part, str)]
    info = _model_at(model, key[: key.index(names[-1])]).model_fields.get(names[-1])
    return (info.description if info else None) or "a value"


def _model_at(model: type[BaseModel], key: Key) -> type[BaseModel]:
    """Return the model of the map that lies at `key` inside a file of `model`."""
    for part in key:
        if isinstance(part, str) and part in model.model_fields:
            model = _inner_model(model.model_fields[part].annotation) or model
    return model


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_inner_model(argument) for argument in get_args(annotation))
    return next((model for model in inner if model is not None), None)
