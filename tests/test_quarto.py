import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from opmq_lib.errors import DataError
from opmq_lib.site import quarto


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a `quarto` on the path that records its arguments and does what QUARTO_FAKE says."""
    log = tmp_path / "arguments.txt"
    program = tmp_path / "bin" / "quarto"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        f"open({str(log)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
        "print('1.10.0')\n"
        "print('[1] index.qmd', '\\x1b[33mWARN: une cle\\x1b[39m', f'dans {sys.argv[-1]}', "
        "'WARN: une cle', os.environ['NO_COLOR'], sep='\\n', "
        "file=sys.stderr)\n"
        "sys.exit(int(os.environ.get('QUARTO_FAKE', '0')))\n",
        encoding="utf-8",
    )
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return log


def test_the_staged_project_is_rendered(fake: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "_quarto.yml").write_text("lang: fr\n", encoding="utf-8")
    _, warnings = quarto.build(project)
    assert fake.read_text(encoding="utf-8") == f"render {project}\n"
    assert warnings == ["WARN: une cle (2 times)"]


def test_a_failure_shows_the_last_lines_without_the_path_of_the_machine(
    fake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARTO_FAKE", "3")
    with pytest.raises(DataError, match="ended with status 3") as failure:
        quarto.build(tmp_path / "project")
    assert fake.is_file()
    assert "dans ." in str(failure.value)
    assert str(tmp_path) not in str(failure.value)


def test_its_version_is_part_of_what_a_site_depends_on(fake: Path) -> None:
    assert quarto.version() == "1.10.0"
    assert fake.read_text(encoding="utf-8") == "--version\n"


def test_absence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match=r"pip install 'opmq\[quarto\]'"):
        quarto.build(tmp_path)


@pytest.mark.skipif(shutil.which(quarto.PROGRAM) is None, reason="Quarto is not installed")
def test_the_real_program_renders_a_page(tmp_path: Path) -> None:
    (tmp_path / "_quarto.yml").write_text("project:\n  type: website\n", encoding="utf-8")
    (tmp_path / "index.qmd").write_text("---\ntitle: A\n---\n", encoding="utf-8")
    quarto.build(tmp_path)
    assert (tmp_path / "_site" / "index.html").is_file()
