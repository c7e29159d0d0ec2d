"""What `pyproject.toml` cannot say: a wheel carries the files that `opmq init` writes."""

from pathlib import Path
from shutil import copy, copytree, ignore_patterns, rmtree

from setuptools import setup
from setuptools.command.build_py import build_py

PROJECT = ("examples", "notebooks", "parameters", "_quarto.yml", ".gitignore")


class WithProject(build_py):
    """Copy the project's own files beside the library's data; a checkout keeps its one copy."""

    def run(self) -> None:
        """Build the library, then add the files."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib, "opmq_lib/data/project")
        rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in PROJECT:
            if Path(name).is_dir():
                copytree(name, target / name, ignore=ignore_patterns(".ipynb_checkpoints"))
            else:
                copy(name, target)


setup(cmdclass={"build_py": WithProject})
