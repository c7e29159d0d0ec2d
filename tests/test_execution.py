import json
import sys
from pathlib import Path
from typing import Any

import pytest
import small_project as small

import opmq_lib
from opmq_lib.runs.kernels.execution import Failure, execute, kill, new_kernel


def execute_cells(
    root: Path, *cells: str, time_limit_seconds: int = 60
) -> tuple[Failure | None, dict[str, Any]]:
    template = small.write_notebook(root, "01_emplois", *cells)
    folder = root / "work" / "chimie"
    folder.mkdir(parents=True)
    failure = execute(
        template,
        {"branch_code": "ciments", "output_folder": "."},
        folder,
        new_kernel(folder),
        time_limit_seconds,
    )
    return failure, json.loads((folder / "01_emplois.ipynb").read_text(encoding="utf-8"))


def printed(notebook: dict[str, Any]) -> str:
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    return "".join("".join(output.get("text", "")) for output in outputs)


def test_notebook_runs_in_its_folder_with_its_parameters(tmp_path: Path) -> None:
    failure, notebook = execute_cells(
        tmp_path, "import os\nprint(os.getcwd(), branch_code, horizon_years)"
    )
    assert failure is None
    assert printed(notebook) == f"{tmp_path}/work/chimie ciments 10\n"


def test_folder_with_braces_in_its_name_is_a_folder_like_others(tmp_path: Path) -> None:
    failure, _ = execute_cells(tmp_path / "{project}", "1")
    assert failure is None


def test_kernel_is_this_interpreter_whatever_the_user_registered_or_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered = tmp_path / "jupyter" / "kernels" / "python3"
    registered.mkdir(parents=True)
    (registered / "kernel.json").write_text(
        json.dumps({"argv": ["/bin/false"], "display_name": "mine", "language": "python"})
    )
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("import builtins\nbuiltins.hidden = 1")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    failure, notebook = execute_cells(
        tmp_path, "import builtins, sys\nprint(sys.executable, hasattr(builtins, 'hidden'))"
    )
    assert failure is None
    assert printed(notebook) == f"{sys.executable} False\n"


def test_kernel_uses_this_library_and_one_core(tmp_path: Path) -> None:
    failure, notebook = execute_cells(
        tmp_path,
        "import os, opmq_lib\nprint(opmq_lib.__file__, os.environ['OPENBLAS_NUM_THREADS'])",
    )
    assert failure is None
    assert printed(notebook) == f"{opmq_lib.__file__} 1\n"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no abstract sockets")
def test_kernel_needs_no_port_that_a_neighbour_could_take_first(tmp_path: Path) -> None:
    failure, notebook = execute_cells(
        tmp_path,
        "from ipykernel.connect import get_connection_info\n"
        "print(get_connection_info(unpack=True)['transport'])",
    )
    assert failure is None
    assert printed(notebook) == "ipc\n"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import os; os._exit(7)", "the kernel died: it was killed, ran out of memory or crashed"),
        ("import sys; sys.exit()", "the notebook stopped itself; remove `sys.exit()`"),
        (
            "while True: pass",
            "the notebook took more than 4 s; make this cell do less, or allow more with "
            "--time-limit",
        ),
    ],
)
def test_failure_names_the_cell_and_keeps_what_was_done(
    tmp_path: Path, cell: str, message: str
) -> None:
    failure, notebook = execute_cells(
        tmp_path, "print('before')", cell, "print('after')", time_limit_seconds=4
    )
    assert failure == Failure(cell=4, message=message)
    assert printed(notebook).startswith("before\n")
    assert "after" not in printed(notebook)


def test_last_words_of_a_dying_kernel_are_told(tmp_path: Path) -> None:
    failure, _ = execute_cells(tmp_path, "import os\nos.write(2, b'out of luck')\nos._exit(1)")
    assert failure is not None
    assert failure["message"].endswith("; its last words: out of luck")


def test_nothing_but_the_notebook_is_left_in_the_folder(tmp_path: Path) -> None:
    execute_cells(tmp_path, "1")
    assert [path.name for path in (tmp_path / "work" / "chimie").iterdir()] == ["01_emplois.ipynb"]
    assert not (tmp_path / "work" / "chimie.json").exists()


def test_template_is_left_as_it_was(tmp_path: Path) -> None:
    template = small.write_notebook(tmp_path, "01_emplois", "1")
    before = template.read_bytes()
    execute_cells(tmp_path, "1")
    assert template.read_bytes() == before


def test_killing_a_kernel_that_does_not_run_does_nothing(tmp_path: Path) -> None:
    kill(new_kernel(tmp_path))
    assert list(tmp_path.iterdir()) == []
