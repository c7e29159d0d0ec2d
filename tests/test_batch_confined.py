"""What a notebook reads without saying so: it cannot, whatever opens the file."""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pandas as pd
import pytest
import small_project as small

from opmq_lib.errors import DataError
from opmq_lib.runs import batch, lab
from opmq_lib.runs.hashes import CACHE
from opmq_lib.runs.kernels import confine
from opmq_lib.sources import ledger

SECRET = "424242"
READ = """
import os, sqlite3, subprocess, urllib.request
from pathlib import Path
import pandas as pd, pyarrow.csv

def base(path):
    with sqlite3.connect(path + ".db") as connection:
        return connection.execute("select * from secret").fetchall()

ways = {
    "open": lambda path: open(path).read(),
    "pandas": pd.read_csv,
    "parquet": lambda path: pd.read_parquet(path + ".parquet"),
    "pyarrow": pyarrow.csv.read_csv,
    "sqlite3": base,
    "child": lambda path: subprocess.check_output(["cat", path], text=True),
    "network": lambda path: urllib.request.urlopen(address + Path(path).name).read(),
    "variable": lambda path: os.environ["OWN_VALUE"],
}
found = {}
for path in paths:
    for name, way in ways.items():
        try:
            found[name, path] = str(way(path))
        except Exception as error:
            found[name, path] = type(error).__name__
print(found)
rows = [f"{len(found)},{sum('42' * 3 in each for each in found.values())},public"]
Path(output_folder, "table.csv").write_text("\\n".join(["tried,read,origin", *rows]))
"""

WRITTEN = """
import os, subprocess, tempfile
from pathlib import Path

def renamed(path):
    Path("own.txt").write_text("424242")
    os.rename("own.txt", path)

ways = {
    "open": lambda path: Path(path).write_text("424242"),
    "child": lambda path: subprocess.run(["sh", "-c", f"echo 424242 > {path}"], check=True),
    "more": lambda path: Path(path).parent.joinpath("more").mkdir(),
    "renamed": renamed,
}
Path("kept.csv").write_text("origin\\npublic")
tempfile.NamedTemporaryFile("w").write("there")
subprocess.run("echo 1 > /dev/null", shell=True, check=True)
written = []
for path in paths:
    for name, way in ways.items():
        try:
            way(path)
        except (OSError, subprocess.CalledProcessError):
            continue
        written.append((name, path))
rows = [f"{len(paths)},{len(written)},public"]
Path(output_folder, "table.csv").write_text("\\n".join(["tried,written,origin", *rows]))
"""

LIBRARY_ONLY = """
from opmq_lib.show import downloads
from opmq_lib.sources import embedded, study
assert len(study.load_inputs()["tension"])
table = embedded.load("regions").assign(origin="public")
downloads.write_results({"regions": table}, output_folder, "01_emplois")
"""

confined = pytest.mark.skipif(not confine.is_possible(), reason="this system confines no process")


def project(root: Path, *others: Path, files: Sequence[str] = (), address: str = "") -> Path:
    """Return a project whose notebook tries to read a secret in it, and others, in all ways."""
    small.write_project(root, ["chimie"])
    write_secret(root / "data")
    paths = ["../../../../data/secret.csv", *map(str, others)]
    cell = f"{address=}; {paths=}\n{READ}"
    small.write_notebook(root, "01_emplois", cell, files=files)
    return root


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the files of a folder; yield the address that they begin with."""
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


def write_secret(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame({"value": [int(SECRET)]})
    table.to_csv(folder / "secret.csv", index=False)
    table.to_parquet(folder / "secret.csv.parquet")
    with sqlite3.connect(folder / "secret.csv.db") as base:
        table.to_sql("secret", base, index=False)
    return folder / "secret.csv"


def outcome(root: Path) -> tuple[str, str]:
    """Run the project; return what its table says, and the origin that the ledger records."""
    batch.execute(small.runs(root), 1)
    table = root / "outputs/2026/chimie/01_emplois/table.csv"
    return table.read_text().splitlines()[1], small.records(root)["chimie", "01_emplois"]["origin"]


@confined
def test_no_way_leads_to_a_file_that_is_not_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWN_VALUE", SECRET)
    here, root = tmp_path / "elsewhere", tmp_path / "project"
    beside = [root / "notebooks", root / "notebooks/.ipynb_checkpoints", root / "data/official"]
    with served(write_secret(here).parent) as address:
        project(root, *map(write_secret, (here / "more", *beside)), address=address)
        assert outcome(root) == ("40,0,public", "public")
    files = [path for path in (root / "outputs").rglob("*") if path.is_file()]
    assert files
    assert all(SECRET.encode() not in path.read_bytes() for path in files)


@confined
def test_no_way_leads_out_for_what_another_run_would_read(tmp_path: Path) -> None:
    root, home = small.write_project(tmp_path / "project", ["chimie"]), tmp_path / "elsewhere"
    home.mkdir()
    places = [root / "parameters/more.yml", root / "parameters/edition.yml", home / "own.csv"]
    places += [root / name / "own.csv" for name in ("notebooks", "outputs", "outputs/2026")]
    before = {path: path.read_bytes() for path in root.rglob("*.yml")}
    small.write_notebook(root, "01_emplois", f"paths = {[*map(str, places)]}\n{WRITTEN}")
    assert outcome(root) == (f"{len(places)},0,public", "public")
    assert {path: path.read_bytes() for path in root.rglob("*.yml")} == before
    assert not [*home.iterdir()]
    assert (root / "outputs/2026/chimie/01_emplois/kept.csv").is_file()


ASKED = """
from concurrent.futures import Future
from pathlib import Path
import socket
kernel = get_ipython().kernel
threads = (kernel.iopub_thread, kernel.control_thread, kernel.shell_channel_thread)
done = []
for thread in threads:
    for act in (lambda: Path(path).write_text("424242"), lambda: socket.socket(socket.AF_INET)):
        answer = Future()
        def ask():
            try:
                answer.set_result(act())
            except OSError as error:
                answer.set_exception(error)
        thread.io_loop.add_callback(ask)
        if answer.exception() is None:
            done.append(thread)
row = f"{len(threads)},{len(done)},public"
Path(output_folder, "table.csv").write_text(f"tried,done,origin\\n{row}")
"""


@confined
@pytest.mark.parametrize("cold", [False, True])
def test_no_thread_of_jupyter_does_for_a_cell_what_it_cannot_do(tmp_path: Path, cold: bool) -> None:
    root = small.write_project(tmp_path, ["chimie"])
    cell = f"path = {str(root / 'parameters/more.csv')!r}\n{ASKED}"
    small.write_notebook(root, "01_emplois", cell)
    assert batch.execute(small.runs(root), 1, cold=cold).count("ok") == 1, small.records(root)
    table = root / "outputs/2026/chimie/01_emplois/table.csv"
    assert table.read_text().endswith("\n3,0,public")
    assert not (root / "parameters/more.csv").exists()


LEFT = {
    "a link to a file": "os.symlink(secret, 'form.xlsx')",
    "a link to a folder": "os.symlink(os.path.dirname(secret), 'more')",
    "a pipe": "os.mkfifo('figure.csv')",
}


@pytest.mark.parametrize("name", LEFT)
def test_results_that_are_no_files_are_refused(tmp_path: Path, name: str) -> None:
    root = small.write_project(tmp_path, ["chimie"], cell=small.TABLE)
    secret = str(write_secret(root / "data"))
    small.write_notebook(root, "01_emplois", f"import os\n{secret=}\n{LEFT[name]}", small.TABLE)
    assert batch.execute(small.runs(root), 1).count("failed") == 1
    assert small.records(root)["chimie", "01_emplois"]["error"]["message"].startswith(
        f"results that are links or no files: '{LEFT[name].split(chr(39))[-2]}'"
    )
    assert not (root / "outputs/2026/chimie").exists()


@pytest.mark.parametrize("end", ["", "1 / 0"])
def test_an_executed_notebook_is_written_through_no_link(tmp_path: Path, end: str) -> None:
    root = small.write_project(tmp_path, ["chimie"])
    kept = root / "parameters/kept.csv"
    kept.write_text("kept")
    names = '"01_emplois.ipynb", f".01_emplois.ipynb.{Path.cwd().name.rpartition(chr(45))[2]}"'
    cell = f"import os\nfor name in ({names}):\n    os.symlink({str(kept)!r}, name)\n{end}"
    small.write_notebook(root, "01_emplois", small.TABLE, cell)
    batch.execute(small.runs(root), 1)
    assert kept.read_text() == "kept"
    assert not kept.is_symlink()
    here = root / "outputs/2026/chimie"
    written = here / ("01_emplois.failed.ipynb" if end else "01_emplois/01_emplois.ipynb")
    assert not written.is_symlink()
    assert "os.symlink" in written.read_text()


OWN = """
import os, tempfile
from pathlib import Path
text = open("../../../../data/secret.csv").read().split()[1]
Path(tempfile.gettempdir(), "note.txt").write_text(text)
os.chmod(".", 0o755)
work = Path("..").resolve()
open_to_others = [
    each.name
    for each in (*work.glob("*.tmp"), work)
    if each.stat().st_mode & 0o077
]
assert not open_to_others, open_to_others
"""


def test_what_rests_on_own_data_is_for_its_owner_at_every_moment(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = small.write_project(tmp_path, ["chimie"])
    write_secret(root / "data")
    files = ["data/secret.csv"]
    small.write_notebook(root, "01_emplois", OWN, small.TABLE, files=files)
    assert batch.execute(small.runs(root), 1).count("ok") == 1, small.records(root)
    edition = root / "outputs/2026"
    assert (edition / "chimie/01_emplois").stat().st_mode & 0o777 == 0o700
    small.write_notebook(root, "01_emplois", OWN, "raise ValueError(text)", files=files)
    report = batch.execute(small.runs(root), 1, print)
    assert "ValueError: its words may be of own data" in report.outcomes[0].reasons[0]
    assert SECRET in (edition / "chimie/01_emplois.failed.ipynb").read_text()
    assert SECRET not in (edition / ledger.LEDGER).read_text()
    assert SECRET not in "".join(capfd.readouterr())
    lab.copy_templates(root)
    assert (root / lab.FOLDER).stat().st_mode & 0o077 == 0
    copy = root / lab.take_up(root, "2026", "chimie/01_emplois")
    assert SECRET in copy.read_text()
    time.sleep(1.1)  # what has just changed is not remembered: `hashes.YOUNG_NS`
    small.runs(root)
    for path in (edition / ledger.LEDGER, edition / CACHE, copy):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("value", [SECRET, f"1\n{SECRET}", f"{SECRET}{'0' * 3000}"])
def test_a_message_of_the_library_about_own_data_is_told_without_its_value(
    tmp_path: Path, value: str
) -> None:
    raised = f"raise RangeError.of('row 2', 'x', '≥ 0', 'see', {value!r})"
    told = _told_of_own_data(tmp_path, f"from opmq_lib.errors import RangeError\n{raised}")
    assert told == ("In [3] RangeError: 1 defect: row 2: x",)


def test_what_reads_results_that_came_out_own_is_for_its_owner_too(tmp_path: Path) -> None:
    root = small.write_project(tmp_path, ["chimie"], cell=small.TABLE.replace("public", "own"))
    small.write_branch(root, "chimie", ["01_emplois", "02_suite"])
    small.write_notebook(root, "02_suite", small.TABLE, reads=["01_emplois"])
    assert batch.execute(small.runs(root), 1).count("ok") == 2
    here = root / "outputs/2026/chimie/02_suite"
    assert [each.stat().st_mode & 0o077 for each in (here, *here.iterdir())] == [0, 0, 0]
    raised = f"raise ValueError({SECRET})"
    small.write_notebook(root, "02_suite", raised, reads=["01_emplois"])
    (*_, failed) = batch.execute(small.runs(root), 1).outcomes
    assert failed.reasons[0].startswith("In [3] ValueError: its words may be of own data")
    assert SECRET not in (root / "outputs/2026" / ledger.LEDGER).read_text()


def test_an_error_named_like_one_of_the_library_is_not_told(tmp_path: Path) -> None:
    cell = f"class SchemaError(Exception): pass\nraise SchemaError('failure: {SECRET}')"
    (told,) = _told_of_own_data(tmp_path, cell)
    assert told.startswith("In [3] SchemaError: its words may be of own data")


def _told_of_own_data(root: Path, cell: str) -> tuple[str, ...]:
    """Return why a notebook of own data failed; the secret is not in the ledger."""
    small.write_project(root, ["chimie"])
    write_secret(root / "data")
    small.write_notebook(root, "01_emplois", cell, files=["data/secret.csv"])
    report = batch.execute(small.runs(root), 1)
    assert SECRET not in (root / "outputs/2026" / ledger.LEDGER).read_text()
    return report.outcomes[0].reasons


FIGURE = """
import matplotlib.pyplot as plt
figure, axes = plt.subplots()
axes.plot([1, 2])
figure.savefig("figure.svg")
plt.close()
"""


@pytest.mark.parametrize("cold", [False, True])
def test_a_figure_of_who_never_drew_one_says_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cold: bool
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    root = small.write_project(tmp_path / "root", ["chimie"])
    small.write_notebook(root, "01_emplois", FIGURE, small.TABLE)
    assert batch.execute(small.runs(root), 1, cold=cold).count("ok") == 1
    here = root / "outputs/2026/chimie/01_emplois"
    assert (here / "figure.svg").is_file()
    cells = json.loads((here / "01_emplois.ipynb").read_text())["cells"]
    shown = [output for cell in cells for output in cell.get("outputs", ())]
    assert [output["output_type"] for output in shown] == ["execute_result"]  # of the last cell


def test_what_may_have_read_a_declared_file_is_the_users_own(tmp_path: Path) -> None:
    names = [f"data/secret.csv{ending}" for ending in ("", ".parquet", ".db")]
    assert outcome(project(tmp_path, files=names)) == ("8,6,public", "own")


@confined
def test_results_of_a_notebook_that_is_not_read_stay_out_of_reach(tmp_path: Path) -> None:
    root = small.write_project(tmp_path)
    batch.execute(small.runs(root), 2)
    small.write_notebook(root, "02_x", 'print(open("../../chimie/01_emplois/table.csv").read())')
    for path in (root / "parameters/branches").glob("*.yml"):
        path.unlink()
    small.write_branch(root, "chimie", ["01_emplois", "02_x"])
    report = batch.execute(small.runs(root), 2)
    assert small.statuses(report)["chimie/02_x"] == "failed"
    assert "`opmq.files`" in small.records(root)["chimie", "02_x"]["error"]["message"]


def test_without_confinement_a_notebook_that_imports_more_than_the_library_is_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = small.write_project(tmp_path)
    monkeypatch.setattr(confine, "is_possible", lambda: False)
    batch.execute(small.runs(root), 1)
    assert {record["origin"] for record in small.records(root).values()} == {"own"}


@pytest.mark.parametrize(
    ("cell", "origin"),
    [
        ("", "public"),
        ('try:\n    open("../../../../parameters-2/x").read()\nexcept OSError:\n    pass', "own"),
        ('try:\n    open("../../../../data/x.csv").read()\nexcept OSError:\n    pass', "own"),
    ],
)
def test_without_confinement_a_notebook_of_the_library_is_own_only_if_it_opens_what_it_may_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str, origin: str
) -> None:
    root = small.write_project(tmp_path, ["chimie"])
    (root / "_quarto.yml").touch()
    small.write_notebook(root, "01_emplois", LIBRARY_ONLY, cell)
    monkeypatch.setattr(confine, "is_possible", lambda: False)
    batch.execute(small.runs(root), 1)
    record = small.records(root)["chimie", "01_emplois"]
    assert (record["status"], record["origin"]) == ("ok", origin)


@pytest.mark.parametrize("last", ["ok", "failed"])
def test_results_of_the_edition_before_that_are_own_make_their_reader_own(
    tmp_path: Path, last: str
) -> None:
    root = small.write_project(tmp_path, ["chimie", "ciments"])
    edition = root / "parameters/edition.yml"
    edition.write_text(
        edition.read_text().replace('"previous_edition_id":null', '"previous_edition_id":"2025"')
    )
    signature = f"{small.SIGNATURE['branch']}\nprevious_edition_id = None"
    small.write_notebook(root, "01_emplois", small.TABLE, signature=signature)
    before = root / "outputs/2025"
    before.mkdir(parents=True)
    line = {
        "edition_id": "2025",
        "branch_code": "chimie",
        "notebook": "01_emplois",
        "origin": "own",
    }
    ledger.append(before / ledger.LEDGER, line | {"status": "ok", "outputs": {}})
    if last == "failed":  # without the own table: its results are still there
        failed = {"status": "failed", "origin": "public"}
        ledger.append(before / ledger.LEDGER, line | failed)
    batch.execute(small.runs(root), 1)
    origins = {code: each["origin"] for (code, _), each in small.records(root).items()}
    assert origins == {"chimie": "own", "ciments": "public"}


def test_a_file_that_is_declared_and_is_not_there_is_refused(tmp_path: Path) -> None:
    root = small.write_project(tmp_path)
    small.write_notebook(root, "01_emplois", files=["../x.csv", "data/no.csv"])
    with pytest.raises(DataError, match="2 defects"):
        small.runs(root)
