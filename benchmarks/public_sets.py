"""Where the public sets are, and their own scorer."""

import argparse
import importlib.util
import os
from pathlib import Path
from types import ModuleType

VARIABLE = "OPMQ_FORECAST_DATA"
DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "forecast"


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Let a command take the folder of the sets: argument, environment variable, or default."""
    parser.add_argument(
        "data",
        type=Path,
        nargs="?",
        default=Path(os.environ.get(VARIABLE, DEFAULT)),
        help=f"folder of the public sets and of their score.py (default: ${VARIABLE}, or "
        "shared/data/forecast beside the project)",
    )


def scorer(folder: Path) -> ModuleType:
    """Return the data's own scorer.

    Raises:
        SystemExit: If it is not in the folder.
    """
    path = folder / "score.py"
    if not path.is_file():
        raise SystemExit(f"{path}: no such file; give the folder of the public sets")
    found = importlib.util.spec_from_file_location("score", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module
