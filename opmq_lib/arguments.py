"""What is wrong with the arguments of a call, by the annotations of its function alone."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, wraps
from inspect import isfunction, signature, unwrap
from itertools import islice
from numbers import Integral, Real
from traceback import walk_tb
from types import NoneType, UnionType
from typing import (
    Any,
    Final,
    Literal,
    ParamSpec,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from opmq_lib.errors import DataError, Defect, SchemaError, did_you_mean

P = ParamSpec("P")
R = TypeVar("R")
_MOST_SHOWN: Final = 20
_KINDS: Final[Mapping[Any, tuple[type, str]]] = {
    str: (str, "a text"),
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    bool: (bool, "True or False"),
    NoneType: (NoneType, "None"),
}
_LISTS: Final = (list, tuple, Sequence, Iterable)
_QUOTED: Final = re.compile(r"['\"](\w+)['\"]")


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Refuse what the annotations of a function do not allow, every argument, before it is called.

    A column or a table that an argument lacks is told when the function asks for it.

    Examples:
        >>> @checked
        ... def future(branch_codes: list[str], horizon_years: int) -> None: ...
        >>> future("chimie", horizon_years=True)
        Traceback (most recent call last):
            ...
        opmq_lib.errors.SchemaError: 2 defects
          branch_codes: of the wrong kind (found: 'chimie')
            expected: a list, each item a text
            what to do: did you mean `['chimie']`?
          horizon_years: of the wrong kind (found: True)
            expected: a whole number
            what to do: give what is expected
    """

    @wraps(function)
    def call(*args: P.args, **options: P.kwargs) -> R:
        given = refuse(function, *args, **options)
        try:
            return function(*args, **options)
        except LookupError as error:
            SchemaError.refuse(_lacking(given, error))
            raise

    return call


def refuse(function: Callable[..., Any], *args: Any, **options: Any) -> Mapping[str, Any]:
    """Return the arguments of a call by their names, once the annotations allow each of them."""
    try:
        given = signature(function).bind(*args, **options).arguments
    except TypeError as error:
        raise _unbound(function, error) from None
    SchemaError.refuse(_defects(function, given))
    return given


def explained(error: BaseException) -> DataError | None:
    """Return what was wrong with the call of the library that ended in an error, where known."""
    if isinstance(error, AttributeError) and "opmq_lib" in f"{error.obj!r:.200} {type(error.obj)}":
        known = [name for name in dir(error.obj) if not name.startswith("_")]
        fix = did_you_mean(f"{error.name}", known) or "see its help"
        return SchemaError.of(f"`{error.name}`", "unknown name", "a name that it has", fix)
    for frame, _ in walk_tb(error.__traceback__):
        function = unwrap(frame.f_globals.get(frame.f_code.co_name) or str)
        if frame.f_globals.get("__name__", "").startswith("opmq_lib.") and isfunction(function):
            names = [name for name in signature(function).parameters if name in frame.f_locals]
            given = {name: frame.f_locals[name] for name in names}
            defects = _defects(function, given) or _lacking(given, error)
            return SchemaError(defects) if defects else None
    return None


def _unbound(function: Callable[..., Any], error: TypeError) -> SchemaError:
    """Return the refusal of arguments that are missing, too many, or of no such name."""
    names = list(signature(function).parameters)
    words = _QUOTED.findall(f"{error}") if "unexpected" in f"{error}" else []
    fix = "".join(did_you_mean(word, names) for word in words) or "give these"
    expected = f"arguments: {', '.join(names)}"
    return SchemaError.of(f"{function.__name__}()", f"{error}", expected, fix)


def _defects(function: Callable[..., Any], given: Mapping[str, Any]) -> list[Defect]:
    hints = _hints(function)
    misfits = (_misfits(name, value, hints.get(name, Any)) for name, value in given.items())
    return [_defect(*each) for found in misfits for each in islice(found, _MOST_SHOWN)]


@cache
def _hints(function: Callable[..., Any]) -> Mapping[str, Any]:
    return get_type_hints(function)


def _defect(place: str, value: Any, hint: Any) -> Defect:
    fix = "give what is expected"
    if isinstance(value, str) and not _misfits("", [value], hint):
        fix = f"did you mean `{[value]}`?"
    elif get_origin(hint) is Literal:
        fix = did_you_mean(value, get_args(hint)) or "choose one of these"
    found = "a table" if hasattr(value, "columns") else f"{value!r:.80}"  # it may be secret
    return Defect(place, "of the wrong kind", _words(hint), fix, found)


def _misfits(place: str, value: Any, hint: Any) -> list[tuple[str, Any, Any]]:
    """Return what an annotation does not allow: where, the value or an item of it, its own one."""
    kind, inner = get_origin(hint) or hint, get_args(hint)
    if kind in {Union, UnionType}:
        each = [_misfits(place, value, one) for one in inner]
        items = [misfit for found in each for misfit in found if misfit[0] != place]
        return (items or [(place, value, hint)]) if all(each) else []
    if not _fits(value, kind, inner):
        return [(place, value, hint)]
    is_series = hasattr(value, "tolist")
    if not inner or not (is_series or isinstance(value, dict | list | tuple)):
        return []  # what is read when asked for is not read here
    is_list = kind in _LISTS or not isinstance(value, dict)
    at_keys = enumerate([*value]) if is_list else value.items()
    return [
        misfit
        for key, item in at_keys
        for misfit in _misfits(f"{place}[{key!r}]", item, inner[0 if is_list else -1])
    ]


def _fits(value: Any, kind: Any, inner: Sequence[Any]) -> bool:
    if kind is Literal:
        return isinstance(value, str) and value in inner
    if kind in _LISTS:
        single = str | bytes if kind is Iterable else str | bytes | Mapping
        is_one = isinstance(value, single) or hasattr(value, "columns")
        return isinstance(value, Iterable) and not is_one
    if kind is Any or not isinstance(kind, type):
        return True
    is_bool = isinstance(value, bool) and kind in _KINDS and kind is not bool
    return isinstance(value, _KINDS.get(kind, (kind,))[0]) and not is_bool


def _words(hint: Any) -> str:
    """Return what an annotation asks for, in words."""
    kind, inner = get_origin(hint) or hint, get_args(hint)
    if kind in {Union, UnionType}:
        return ", or ".join(_words(each) for each in inner)
    if kind is Literal:
        return f"one of: {', '.join(map(str, inner))}"
    if kind in _LISTS:
        return f"a list, each item {_words(inner[0])}" if inner else "a list"
    if kind is Mapping or kind is dict:
        return f"a dictionary, each value {_words(inner[1])}"
    if kind in _KINDS:
        return _KINDS[kind][1]
    name = getattr(kind, "__name__", str(kind))
    return {"DataFrame": "a table", "Path": "a path"}.get(name, f"`{name}`")


def _lacking(given: Mapping[str, Any], error: BaseException) -> list[Defect]:
    """Return which of the arguments may lack the column, or the entry, that an error names."""
    if not isinstance(error, KeyError):
        return []
    *_, (last, _) = walk_tb(error.__traceback__)
    kind = "column" if last.f_globals.get("__name__", "").startswith("pandas.") else "key"
    held = {
        name: [*value]
        for name, value in given.items()
        if (hasattr(value, "columns") if kind == "column" else isinstance(value, dict))
    }
    defects = []
    for wanted in sorted({*map(str, error.args), *_QUOTED.findall(f"{error}")} - {"str", "object"}):
        lacking = [name for name, has in held.items() if wanted not in has]
        fix = "".join(did_you_mean(wanted, held[name]) for name in lacking[:1]) or "add it"
        if lacking and wanted.isidentifier():
            expected = f"a {kind} `{wanted}`"
            defects.append(Defect(" / ".join(lacking), f"no {kind} `{wanted}`", expected, fix))
    return defects
