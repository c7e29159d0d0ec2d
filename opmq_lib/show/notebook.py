"""What a notebook needs that a person watches in Jupyter, and no page that a batch prepares."""

import os
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

from opmq_lib.arguments import explained


def is_watched() -> bool:
    """Return whether this is a notebook that a person runs, rather than the batch.

    Examples:
        >>> is_watched()
        False
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    return "OPMQ_RUN" not in os.environ and shell() is not None


def style() -> str:
    """Return the style of the pieces, which each carries where a person watches; else nothing."""
    return f"<style>{_sheet()}</style>" if is_watched() else ""


@cache
def _sheet() -> str:
    text = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
    return re.sub(r"/\*.*?\*/|\n", "", text)


def explain_errors(shell: Any) -> None:
    """Show what was wrong with the arguments of a call, in place of the error that they caused."""

    def show(
        shell: Any, kind: type, error: BaseException, trace: Any, tb_offset: Any = None
    ) -> Any:
        told = explained(error)
        if told is not None:
            told.__cause__ = error
            kind, error = type(told), told.with_traceback(trace)
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)

    shell.set_custom_exc((LookupError, TypeError, ValueError, AttributeError), show)


if is_watched():
    explain_errors(sys.modules["IPython"].get_ipython())
