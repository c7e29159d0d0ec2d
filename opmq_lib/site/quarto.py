"""The Quarto engine: `quarto render` on a staged project."""

import shutil
import subprocess
from pathlib import Path

from opmq_lib.errors import DataError

PROGRAM = "quarto"
_SHOWN_LINES = 12


def is_available() -> bool:
    """Return whether the program is on the path."""
    return shutil.which(PROGRAM) is not None


def version() -> str:
    """Return the version of the program."""
    return _done("--version").stdout.strip()


def build(project: Path) -> list[str]:
    """Render a staged project; its notebooks are published as they were executed.

    Args:
        project: Folder that holds `_quarto.yml`.

    Returns:
        The warnings that Quarto printed.

    Raises:
        DataError: If Quarto is missing or fails; with the last lines it printed.
    """
    done = _done("render", str(project))
    lines = [line.replace(str(project), ".") for line in done.stderr.splitlines() if line.strip()]
    if done.returncode:
        raise DataError.of(
            where="quarto render",
            what=f"ended with status {done.returncode}",
            expected="a rendered site",
            fix="read its last lines, or use the embedded engine (`--engine embedded`)",
            value="\n".join(lines[-_SHOWN_LINES:]),
        )
    return [line for line in lines if "WARN" in line]


def _done(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which(PROGRAM)
    if program is None:
        raise DataError.of(
            where="engine quarto",
            what="the program `quarto` is not on the path",
            expected="Quarto 1.6 or later",
            fix=(
                "install it (`pip install 'opmq[quarto]'` or `environment.yml`; both need "
                "a network), or use `--engine embedded`"
            ),
        )
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
