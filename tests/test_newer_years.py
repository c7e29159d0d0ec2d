"""A whole study on newer figures: employment to 2023 (generated), tension 2024, survey 2025 (real).

It takes ten minutes of processor: `OPMQ_TEST_FULL=1`.
"""

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from embedded_tables import FILES, LABOUR

from opmq_lib.sources.producers import bmo, dares_portraits, tension_2021

ROOT = Path(__file__).parent.parent
FORMER, LAST = 2018, 2023
pytestmark = pytest.mark.skipif(
    not os.environ.get("OPMQ_TEST_FULL") or not LABOUR.is_dir(),
    reason="OPMQ_TEST_FULL=1, and the producers' files beside this checkout",
)
SAID = re.compile(
    r"la structure est celle de 2018|"  # the year of B1's structure, named as such
    r"trois ans autour de \d{4} et de 2018|"  # ages of a métier
    r"(janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre) 2018"
)
EVERY_YEAR = ("11_evaluation.html", "20_sources.html", "donnees.html")
"""Pages that name past origins, or the period of every source."""


def generated(path: Path) -> Path:
    """Write employment to `LAST` from the last real year: figures that nobody published."""
    text = FILES[dares_portraits]["employment"].read_text(encoding="ascii")
    head, *lines = text.splitlines()
    _, *cells = lines[-1].split(",")
    for year in range(FORMER + 1, LAST + 1):
        grown = 1.004 ** (year - FORMER)
        more = [cell if cell in {"", "NA"} else f"{grown * float(cell):.5f}" for cell in cells]
        lines.append(",".join([f"{year}", *more]))
    path.write_text("\n".join(["Chiffres générés, non publiés", head, *lines, ""]))
    return path


def opmq(root: Path, *arguments: str | Path) -> str:
    command = [sys.executable, "-m", "opmq_lib", *map(str, arguments)]
    known = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=root, env=known, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def shown(page: Path) -> str:
    """Return the words of a page; of a métier's, without the tables of its series."""
    hidden = "style|script" + "|table" * (page.parent.name == "metiers")
    text = re.sub(rf"<({hidden})\b.*?</\1>", " ", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub("<[^>]+>", " ", text)))


def test_no_page_of_a_newer_study_gives_the_former_last_year(project_copy: Path) -> None:
    employment = generated(project_copy / "effectifs_3niv.csv")
    told = opmq(project_copy, "sources", "load", "portraits_metiers", employment, "--apply")
    assert f"`base_year` of parameters/edition.yml is {LAST}" in told
    survey, tension = FILES[bmo]["2025"], FILES[tension_2021]["tension"]
    opmq(project_copy, "sources", "load", "bmo", survey, "--apply")
    opmq(project_copy, "sources", "load", "tensions_2021", tension, "--apply")
    edition = project_copy / "parameters/edition.yml"
    text = edition.read_text(encoding="utf-8")
    edition.write_text(text.replace(f"base_year: {FORMER}", f"base_year: {LAST}"), encoding="utf-8")
    assert " 0 failed, 0 blocked" in opmq(project_copy, "study")
    pages = sorted((project_copy / "outputs/site").rglob("*.html"))
    assert len(pages) > 400
    wrong = {
        page.name: text[max(0, at.start() - 60) : at.end() + 30]
        for page in pages
        if page.name not in EVERY_YEAR
        for text in [SAID.sub("", shown(page))]
        for at in re.finditer(rf"(?<![\d,.]){FORMER}\b", text)
    }
    assert not wrong
    jobs = project_copy / "outputs/site/branches/ceramique/01_emplois.html"
    assert f"Données arrêtées à {LAST}" in shown(jobs)
