"""The project's root folder, found from wherever a command or a notebook runs."""

from pathlib import Path

from opmq_lib.errors import Defect, SchemaError


def find_root(start: Path | None = None) -> Path:
    """Return the nearest folder, from `start` upwards, with `_quarto.yml` and `parameters/`.

    Args:
        start: Where to start; the working folder if absent. A notebook runs in a subfolder of
            `outputs/` or `notebooks/`: both lie under the root.

    Returns:
        The root, absolute.

    Raises:
        SchemaError: If no folder on the way up is a project.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     root = Path(folder).resolve()
        ...     (root / "_quarto.yml").touch()
        ...     (root / "parameters").mkdir()
        ...     (root / "notebooks").mkdir()
        ...     find_root(root / "notebooks") == root
        True
    """
    here = (Path.cwd() if start is None else start).resolve()
    for folder in (here, *here.parents):
        if (folder / "_quarto.yml").is_file() and (folder / "parameters").is_dir():
            return folder
    raise SchemaError(
        [
            Defect(
                where=str(here),
                what="not inside a project",
                expected="a folder with `_quarto.yml` and `parameters/`, here or above",
                fix="change to the project's folder (`cd …`) and try again",
            )
        ]
    )
