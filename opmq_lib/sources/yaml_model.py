"""One YAML file into its strict model, or into errors that say line, key and what to do."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from opmq_lib.errors import DataError, Defect, RangeError, SchemaError, closest, did_you_mean
from opmq_lib.sources.yaml_text import Bare, Document, Key, parse

Model = TypeVar("Model", bound=BaseModel)

_DECIMAL: Final = re.compile(r"\+?(?P<sign>-?)(?P<whole>0|[1-9][0-9]*)?[.,](?P<decimals>[0-9]+)")
_RANGE_TYPES: Final = {
    "range",
    "greater_than",
    "greater_than_equal",
    "less_than",
    "less_than_equal",
    "finite_number",
}


@dataclass
class Reading(Generic[Model]):
    """One parameter file as read: its model if nothing is wrong, else what is wrong."""

    where: str
    params: Model | None = None
    document: Document = field(default_factory=Document)
    errors: list[DataError] = field(default_factory=list)

    def at(self, key: Key) -> str:
        """Return where a key stands, as its owner would look for it."""
        if not key:
            return self.where
        line = self.document.lines.get(key)
        return f"{self.where}{f', line {line}' if line else ''}, key `{dotted(key)}`"


def read_file(path: Path, where: str, model: type[Model]) -> Reading[Model]:
    """Return one parameter file as read.

    Args:
        path: The file.
        where: The file as messages show it.
        model: What it must hold.

    Returns:
        The reading: `params` is `None` if the file does not hold a `model`, and `errors` say why.
    """
    reading: Reading[Model] = Reading(where)
    try:
        reading.document = parse(_text(path, where), where)
    except SchemaError as error:
        reading.errors.append(error)
        return reading
    reading.errors += [SchemaError([defect]) for defect in reading.document.defects]
    try:
        reading.params = model.model_validate(reading.document.value)
    except ValidationError as error:
        found = error.errors()
        meant = {_meant(details["loc"], model) for details in found if _is_extra(details)}
        reading.errors += [
            _translated(reading, model, details)
            for details in found
            if details["type"] != "missing" or details["loc"] not in meant
        ]
    return reading


def _is_extra(details: ErrorDetails) -> bool:
    return details["type"] == "extra_forbidden"


def _meant(key: Key, model: type[BaseModel]) -> Key | None:
    """Return the key that a misspelt one stands for, so that it is not reported missing as well."""
    names = list(_model_at(model, key[:-1]).model_fields)
    near = closest(str(key[-1]), names)
    return None if near is None else (*key[:-1], near)


def dotted(key: Key) -> str:
    """Return a key's path as a person writes it.

    Examples:
        >>> dotted(("criteria", 0, "weight"))
        'criteria[0].weight'
    """
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in key]
    return "".join(parts).removeprefix(".")


def _text(path: Path, where: str) -> str:
    if not path.is_file():
        raise SchemaError([Defect(where, "no such file", "a parameter file", "restore it")])
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        defect = Defect(
            where=f"{where}, line {line}",
            what=f"byte 0x{content[error.start]:02x} is not UTF-8",
            expected="a text file in UTF-8",
            fix="save the file again with encoding UTF-8",
        )
        raise SchemaError([defect]) from error


def _translated(
    reading: Reading[Model], model: type[BaseModel], details: ErrorDetails
) -> DataError:
    """Return a pydantic error in the project's words."""
    key, kind, context = details["loc"], details["type"], details.get("ctx", {})
    of_class = RangeError if kind in _RANGE_TYPES else SchemaError
    if kind in {"schema", "range"}:
        defect = Defect(reading.at(key), context["what"], context["expected"], context["fix"])
    elif _is_extra(details):
        defect = _extra_key(reading, model, key)
    elif kind == "missing":
        defect = _missing_key(reading, model, key)
    elif kind == "model_type":
        defect = _not_a_mapping(reading, key, details["input"])
    elif kind == "string_type":
        defect = _not_text(reading, key, details["input"])
    else:
        defect = _other(reading, model, details)
    return of_class([defect])


def _extra_key(reading: Reading[Model], model: type[BaseModel], key: Key) -> Defect:
    name, names = str(key[-1]), list(_model_at(model, key[:-1]).model_fields)
    return Defect(
        where=reading.at(key),
        what="unknown key",
        expected=f"one of: {', '.join(names)}",
        fix=did_you_mean(name, names) or "remove it",
    )


def _missing_key(reading: Reading[Model], model: type[BaseModel], key: Key) -> Defect:
    return Defect(
        where=reading.at(key[:-1]),
        what=f"key `{key[-1]}` is missing",
        expected=_description(model, key),
        fix=f"add a line `{key[-1]}: …`",
    )


def _not_a_mapping(reading: Reading[Model], key: Key, value: Any) -> Defect:
    found = "nothing" if value is None else "a list" if isinstance(value, list) else "one value"
    return Defect(
        where=reading.at(key),
        what=f"{found} where a mapping of keys is meant",
        expected="a mapping of keys: one `key: value` a line",
        fix="write the keys one under the other, without `-` before them",
    )


def _not_text(reading: Reading[Model], key: Key, value: Any) -> Defect:
    raw = reading.document.raws.get(key, "")
    if value is None or isinstance(value, list | dict):
        found = "nothing" if value is None else f"a {'list' if isinstance(value, list) else 'map'}"
        return Defect(reading.at(key), f"{found} where a text is meant", "a text", "write the text")
    return Defect(
        where=reading.at(key),
        what="not in quotes: YAML readers take it for a number, a date or a yes/no",
        expected="a text in quotes",
        fix=f'write "{raw}"',
        value=raw,
    )


def _other(reading: Reading[Model], model: type[BaseModel], details: ErrorDetails) -> Defect:
    key, value = details["loc"], details["input"]
    message = details["msg"].removeprefix("Input should be ")
    choices = str(details.get("ctx", {}).get("expected", "")).replace("'", "").split(" or ")
    shown = isinstance(value, str | int | float | Bare)
    raw = reading.document.raws.get(key, str(value)) if shown else None
    if details["type"] == "string_pattern_mismatch":
        message = _description(model, key)
    suggestion = did_you_mean(str(value), choices) or _padded(str(value), key)
    if details["type"] in {"float_type", "int_type"}:
        suggestion = _decimal(raw or "")
    return Defect(
        where=reading.at(key),
        what="not what is expected here",
        expected=message,
        fix=suggestion or "correct the value",
        value=raw,
    )


def _padded(value: str, key: Key) -> str:
    """Return the advice to write an IDCC with five digits, where that is the problem."""
    return f'write "{value:0>5}"' if "idcc_codes" in key and value.isdecimal() else ""


def _decimal(raw: str) -> str:
    """Return the advice to write a decimal number as every reader takes it, where that is meant.

    Examples:
        >>> _decimal(".25"), _decimal("-0,5"), _decimal("010")
        ('write 0.25', 'write -0.5', '')
    """
    match = _DECIMAL.fullmatch(raw)
    return f"write {match['sign']}{match['whole'] or 0}.{match['decimals']}" if match else ""


def _description(model: type[BaseModel], key: Key) -> str:
    names = [part for part in key if isinstance(part, str)]
    fields = _model_at(model, key[: key.index(names[-1])]).model_fields if names else {}
    info = fields.get(names[-1]) if names else None
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
