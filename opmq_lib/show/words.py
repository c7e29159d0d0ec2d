"""The French of a question: the macros of its Jinja template."""

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from opmq_lib.show import french


class _Words:
    """The macros of a template, which is read when the first of them is asked for."""

    def __init__(self, package: str) -> None:
        self._package = package

    def __getattr__(self, name: str) -> Any:
        return getattr(_macros(self._package), name)


def words(package: str) -> Any:
    """Return the macros of a question's `page.jinja`, as functions that return text.

    Args:
        package: The question, such as `opmq_lib.questions.emplois`. In a template, text is HTML,
            what comes from Python is escaped unless it is a number made by `pieces.Cells`,
            paragraphs are separated by blank lines, and typography is left to `pieces`.

    Examples:
        >>> print(words("opmq_lib.questions.emplois").source({"is_observed": True}))
        Source : tableau fourni par la branche. Nombres : table emplois.csv.
    """
    return _Words(package)


@cache
def _macros(package: str) -> Any:
    french_of = environment()
    french_of.filters |= {
        "day": french.day,
        "enumeration": lambda items: Markup(french.enumeration([*map(escape, items)])),
        "number": french.number,
        "percent": french.percent,
        "plural": french.plural,
    }
    text = files(package).joinpath("page.jinja").read_text(encoding="utf-8")
    return french_of.from_string(text).module


def environment(**options: Any) -> Environment:
    """Return what reads templates of HTML: all is escaped, a misspelt name refused."""
    return Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, **options
    )
