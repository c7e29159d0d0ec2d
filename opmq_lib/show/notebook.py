"""What a notebook needs that a person watches in Jupyter, and no page that a batch prepares."""

import os
import re
import sys
from functools import cache
from pathlib import Path


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
