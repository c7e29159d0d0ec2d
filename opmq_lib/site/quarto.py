"""The Quarto engine: `quarto render` on a staged project, and what its pages lack."""

import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

from jinja2 import FileSystemLoader

from opmq_lib.errors import DataError
from opmq_lib.show import words
from opmq_lib.site import config

PROGRAM = "quarto"
THEME = Path(__file__).parent / "theme"
SKIP_LINK = '<a class="skip-link" href="#quarto-document-content">Aller au contenu</a>'
_SHOWN_LINES = 12
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_MODULE_NAME = re.compile(r"<script[^>]*>\s*define\('jquery'.*?</script>\s*", re.DOTALL)
_NAMES = {
    '<nav class="navbar': '<nav aria-label="Navigation principale" class="navbar',
    '<nav id="TOC"': '<nav aria-label="Sur cette page" id="TOC"',
}


def version() -> str:
    """Return the version of the program."""
    return _done("--version").stdout.strip()


def build(project: Path) -> tuple[dict[str, str], list[str]]:
    """Render a staged project; its notebooks are published as they were executed.

    Args:
        project: Folder that holds `_quarto.yml`.

    Returns:
        The pages by address, as `finish` takes them, and the warnings that Quarto printed, each
        once, with how often.

    Raises:
        DataError: If Quarto is missing or fails; with the last lines it printed.
    """
    done = _done("render", str(project))
    text = _COLOUR.sub("", done.stderr).replace(str(project), ".")
    lines = [line for line in text.splitlines() if line.strip()]
    if done.returncode:
        raise DataError.of(
            where="quarto render",
            what=f"ended with status {done.returncode}",
            expected="a rendered site",
            fix="read its last lines, or use the embedded engine (`--engine embedded`)",
            value="\n".join(lines[-_SHOWN_LINES:]),
        )
    built = project / config.read(project / "_quarto.yml")[0]["project.output-dir"]
    pages = {
        path.relative_to(built).as_posix(): path.read_text(encoding="utf-8")
        for path in built.rglob("*.html")
    }
    warnings = Counter(line for line in lines if "WARN" in line)
    return (
        {name: completed(page, "../" * name.count("/")) for name, page in pages.items()},
        [f"{line} ({n} times)" if n > 1 else line for line, n in warnings.items()],
    )


def completed(html: str, up: str) -> str:
    """Return a page of Quarto with a link to its content, names of its menus, and our search.

    Args:
        html: The page.
        up: Path from the page to the root of the site, as `../`.

    Examples:
        >>> completed('<head></head><body class="a"><nav id="TOC"></nav></body>', "../")
        ... # doctest: +NORMALIZE_WHITESPACE
        '<head><script src="../theme/page.js" defer></script></head><body
         class="a"><a class="skip-link" href="#quarto-document-content">Aller au contenu</a><nav
         aria-label="Sur cette page" id="TOC"></nav></body>'
    """
    page = _MODULE_NAME.sub("", html)
    for bare, named in _NAMES.items():
        page = page.replace(bare, named)
    page = re.sub(r"(<body[^>]*>)", rf"\1{SKIP_LINK}", page, count=1)
    page = page.replace("</head>", f'<script src="{up}theme/page.js" defer></script></head>', 1)
    search = words.environment(loader=FileSystemLoader(THEME)).get_template("search.html")
    button = '<button class="navbar-toggler"'
    return page.replace(button, search.render(up=up) + button, 1)


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
    plain = os.environ | {"NO_COLOR": "1"}
    command = [program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=plain)
