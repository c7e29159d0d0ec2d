"""A prospective observatory of jobs and qualifications, as a library.

`study()` gives tables with French labels for a notebook of your own. Formulas, tables in and tables
out, are in `methods` (`from opmq_lib.methods import forecast, needs`), free titles to codes in
`matching`. `questions` has a folder for each notebook: the steps of its calculation, what its page
says, its French. `sources` reads files, `tables` says what a table is and checks it, `show` makes
numbers, figures and downloads, `runs` executes notebooks, `site` publishes them, `cli` is `opmq`.
"""

from importlib import import_module
from pathlib import Path
from typing import Any


def study(root: Path | str | None = None) -> Any:
    """Open a study: `.employment(["chimie"])`, `.needs(["chimie"])`, `.core(["chimie"])` and more.

    Args:
        root: Any folder of the project; by default the working folder. What the study is made of is
            imported now, so that a notebook depends on no more of the library than it uses.

    Returns:
        An `opmq_lib.questions.study.Study`.

    Examples:
        >>> study().employment(["chimie"]).columns[:4].tolist()
        ['branch', 'branch_code', 'metier', 'metier_code']
    """
    return import_module("opmq_lib.questions.study").Study(root)
