"""Files into a project: what a load says and writes, what fetching survives, what is checked."""

import hashlib
import json
import shutil
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest
from typer.testing import CliRunner

from opmq_lib.cli import app
from opmq_lib.errors import CoherenceError, DataError, SchemaError
from opmq_lib.methods.conversion import convert
from opmq_lib.questions.sources_connues import chain
from opmq_lib.sources import (
    embedded,
    fetching,
    loading,
    official,
    project,
    reading,
    soundness,
    study,
    updates,
)
from opmq_lib.sources.producers import tension_2021

FILE = "dares_tension_fap2021_2031.csv"
LINES = [
    "fap228,label,year,tension_index,tension_class",
    "C0X30,x,2031,0.5,4",
    "C2X70,y,2031,1.25,5",
]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "_quarto.yml").touch()
    (tmp_path / "parameters").mkdir()
    (tmp_path / FILE).write_text("\n".join(LINES) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(*arguments: str) -> str:
    return CliRunner().invoke(app, ["sources", *arguments], catch_exceptions=False).output


def test_a_load_says_what_it_would_do_and_does_it_only_when_told(root: Path) -> None:
    before = embedded.load("tension_2021")
    text = said("load", "tensions_2021", FILE)
    assert "tension_2021 2031: 2 rows (58 rows now): 2 added, 58 removed, 0 changed" in text
    assert "Nothing was written" in text
    assert not (root / "data").exists()
    assert "Loaded    1 tables" in said("load", "tensions_2021", FILE, "--apply")
    (root / FILE).write_text("\n".join(LINES).replace("2031", "2030"))
    text = said("load", "tensions_2021", FILE)
    assert "Note: tension_2021 would go back from 2031 to 2030: an older edition" in text
    (root / FILE).write_text("\n".join(LINES) + "\n")
    after = embedded.load("tension_2021")
    assert after["tension_index"].tolist() == [0.5, 1.25]
    assert after["tension_class"].dtype == before["tension_class"].dtype
    entry = json.loads((root / "data/official/index.json").read_text())["tension_2021"]
    assert entry["files"] == {FILE: hashlib.sha256((root / FILE).read_bytes()).hexdigest()}
    assert (entry["edition"], entry["rows_read"], entry["rows_kept"]) == ("2031", 2, 2)
    (source,) = embedded.load("sources").query("table == 'tension_2021'").to_dict("records")
    assert (source["period"], source["data_date"]) == ("2031", "2031-12-31")
    assert "tension_2021 2031 (read 0 days ago)" in said("list")
    (row,) = (each for each in json.loads(said("list", "--json")) if each["loaded"])
    assert row["loader"] == "tensions_2021"
    assert "defects: none" in said("check")


def test_a_load_that_fails_leaves_the_project_as_it_was(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = updates.changes(tension_2021.load({"tension": root / FILE}), root)
    updates.apply("tensions_2021", found, root)
    whole = {path.name: path.read_bytes() for path in (root / "data/official").iterdir()}
    (root / FILE).write_text("\n".join([*LINES, "F1X40,z,2031,2,5"]))
    newer = updates.changes(tension_2021.load({"tension": root / FILE}), root)
    write = project.write

    def cut(path: Path, text: str) -> Path:
        if path.name == official.INDEX:
            raise OSError("disk full")
        return write(path, text)

    monkeypatch.setattr(project, "write", cut)
    with pytest.raises(OSError, match="disk full"):
        updates.apply("tensions_2021", newer, root)
    assert len(embedded.load("tension_2021")) == 2
    monkeypatch.undo()
    monkeypatch.chdir(root)
    updates.apply("tensions_2021", found, root)
    assert {path.name: path.read_bytes() for path in (root / "data/official").iterdir()} == whole


def test_a_table_against_its_contract_is_refused_before_anything_is_written(root: Path) -> None:
    (root / FILE).write_text("\n".join([LINES[0], "D1X40,x,2031,0.5,9", "D1X40,x,2031,0.6,1"]))
    loaded = tension_2021.load({"tension": root / FILE})
    with pytest.raises(DataError) as caught:
        updates.changes(loaded, root)
    assert len(caught.value.defects) == 2


def test_a_file_of_which_nothing_is_kept_replaces_nothing(root: Path) -> None:
    (root / "cities-tension.csv").write_text("annee;ROME;cbassin;ind_tension_d\n2019;H2913;8401;5")
    with pytest.raises(SchemaError, match="no row for tension_basins: seules les classes 4 et 5"):
        said("load", "tensions_bassins", "cities-tension.csv")


def test_files_are_known_by_their_names_and_others_refused(root: Path) -> None:
    with pytest.raises(
        SchemaError, match=r"no such loader \(found: bmoo\)[\s\S]*did you mean `bmo`"
    ):
        said("load", "bmoo", FILE)
    with zipfile.ZipFile(root / "BMO_2031.zip", "w") as packed:
        packed.writestr("a.xlsx", "")
    with pytest.raises(SchemaError, match="unpack it and give the file within"):
        said("load", "bmo", "BMO_2031.zip")
    (root / "BMO_2031.zip").rename(root / "BMO_25.xlsx")
    with pytest.raises(SchemaError, match="an archive, not a workbook"):
        said("load", "bmo", "BMO_25.xlsx")
    (root / "x.csv").write_text("a")
    with pytest.raises(SchemaError, match=r"x.csv: not a file of this loader"):
        said("load", "portraits_metiers", "x.csv")
    with pytest.raises(SchemaError, match="no file given"):
        said("load", "portraits_metiers", "parameters")


def test_codes_that_nothing_knows_and_a_base_year_left_behind_are_told(root: Path) -> None:
    (root / FILE).write_text("\n".join([*LINES, "C9X99,z,2031,2,5"]))
    text = said("load", "tensions_2021", FILE)
    assert "tension_2021 that metiers_2021 does not know (1): C9X99; load the edition of" in text
    assert "(fap2021)" in text
    (root / "parameters/edition.yml").write_text("base_year: 2018\n")
    heads = embedded.load("employment_national").query("year == 2018").assign(year=2031)
    found = updates.changes(made("employment_national", heads), root)
    (told,) = updates.notices(found, root)
    assert told.startswith("employment now goes to 2031: the study stays in 2018 until")
    updates.apply("portraits_metiers", found, root)
    tables = Path(__file__).parent.parent / "parameters/tables"
    shutil.copytree(tables, root / "parameters/tables")
    known = chain.by_metier(study.load_inputs((), root))
    assert known.set_index("variant").loc["employment_national", "year"].item() == 2031
    title = embedded.load("sources").set_index("table").loc["employment_national", "title"]
    assert title == "Portraits statistiques des métiers\u00a0: effectifs en emploi"


def made(table: str, frame: pd.DataFrame, file: str = "a.csv") -> loading.Loaded:
    rows = reading.Read(frame, file, "0" * 64)
    return {table: loading.kept(frame, rows, tension_2021.PRODUCER)}


def test_a_table_of_several_loads_keeps_the_origin_of_each(root: Path) -> None:
    for code, file in (("9998Z", "2030.csv"), ("9999Z", "2031.csv")):
        frame = pd.DataFrame({"naf_code": [code], "label": ["x"]})
        updates.apply("embauches", updates.changes(made("naf", frame, file), root), root)
    assert list(official.index(root)["naf"]["files"]) == ["2030.csv", "2031.csv"]
    assert {"9998Z", "9999Z"} < set(embedded.load("naf")["naf_code"])


def test_a_load_of_what_is_there_changes_no_source(root: Path) -> None:
    found = updates.changes(made("naf", embedded.load("naf")), root)
    updates.apply("embauches", found, root)
    for table in ("naf", "sources"):
        embedded_text = (official.EMBEDDED / f"{table}.csv").read_bytes()
        assert official.file(table, root).read_bytes() == embedded_text


def test_a_damaged_index_says_what_to_do(root: Path) -> None:
    (root / "data/official").mkdir(parents=True)
    (root / "data/official/index.json").write_text("{")
    with pytest.raises(SchemaError, match="load the files again"):
        embedded.load("tension_2021")


def test_a_table_that_does_not_add_up_is_told(root: Path) -> None:
    national = embedded.load("employment_national")
    national.loc[national["metier_code"] == "D1Z40", "employment_headcount"] += 1000
    folder = root / "data/official"
    folder.mkdir(parents=True)
    (folder / "employment_national-0.csv").write_text(updates.as_csv(national.head(6000)))
    entry = {"employment_national": {"file": "employment_national-0.csv"}}
    (folder / "index.json").write_text(json.dumps(entry))
    told = {defect.where.partition(",")[0] for defect in soundness.defects(root)}
    assert {"employment_national", "age_structure"} <= told


CONTENT = bytes(range(256)) * 1000


class Producer(BaseHTTPRequestHandler):
    """Serves one file; the first answer is cut in the middle."""

    served: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.served.append(asked or "whole")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if self.path == "/r/0123":
            self.send_response(302)
            self.send_header("Location", "/file.csv")
            self.end_headers()
            return
        if self.path == "/pieces.csv":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhello\r\n9\r\nhal")
            return
        if self.path != "/file.csv" or start >= len(CONTENT):
            self.send_error(416 if start else 404)
            return
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.send_header("ETag", '"1"')
        self.end_headers()
        body = CONTENT[start:]
        self.wfile.write(body if len(self.served) > 1 else body[:100_000])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    Producer.served.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Producer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_that_was_cut_goes_on_where_it_stopped(root: Path, address: str) -> None:
    with pytest.raises(SchemaError, match="it goes on where it stopped"):
        fetching.fetch(f"{address}/file.csv", root / "got")
    assert not (root / "got/file.csv").exists()
    got = fetching.fetch(f"{address}/file.csv#{hashlib.sha256(CONTENT).hexdigest()}", root / "got")
    assert (got.path.read_bytes(), got.resumed_at) == (CONTENT, 100_000)
    assert Producer.served == ["whole", "bytes=100000-"]
    assert [path.name for path in (root / "got").iterdir()] == ["file.csv"]
    text = said("fetch", "bmo", "--from", f"{address}/file.csv")
    assert "Fetched   data/downloads/bmo/file.csv" in text


def test_a_file_has_the_name_that_its_server_gives_it_and_a_whole_part_is_no_end(
    root: Path, address: str
) -> None:
    Producer.served.append("before")
    got = fetching.fetch(f"{address}/r/0123", root / "got")
    assert (got.path.name, got.path.read_bytes()) == ("file.csv", CONTENT)
    got.path.replace(root / "got/.file.csv.part")
    (root / "got/.file.csv.etag").write_text('"1"')
    again = fetching.fetch(f"{address}/file.csv", root / "got")
    assert (again.path.read_bytes(), again.resumed_at) == (CONTENT, 0)
    assert Producer.served[-2:] == ["bytes=256000-", "whole"]


def test_what_cannot_be_fetched_is_told(root: Path, address: str) -> None:
    Producer.served.append("before")
    with pytest.raises(SchemaError, match="the server says 404"):
        fetching.fetch(f"{address}/other.csv", root / "got")
    with pytest.raises(SchemaError, match="another file than the one known"):
        fetching.fetch(f"{address}/file.csv#{'0' * 64}", root / "got")
    with pytest.raises(SchemaError, match="not reached"):
        fetching.fetch("http://127.0.0.1:9/file.csv", root / "got")
    with pytest.raises(SchemaError, match="not reached"):
        fetching.fetch(f"{address}/pieces.csv", root / "got")
    with pytest.raises(SchemaError, match="not an address of a file"):
        fetching.fetch("file:///etc/passwd", root / "got")
    with pytest.raises(SchemaError, match=r"open https://www.data.gouv.fr/\S+main-doeuvre-bmo/ "):
        said("fetch", "bmo")
    assert list((root / "got").glob("*.csv")) == []


def test_figures_by_another_nomenclature_keep_their_totals_and_what_is_missing() -> None:
    weights = embedded.load("fap_rome").assign(
        share=lambda t: 1 / t.groupby("rome_code")["metier_code"].transform("size")
    )
    hires = (
        embedded.load("rome_naf_hires").groupby("rome_code", as_index=False)["hires_count"].sum()
    )
    known = hires[hires["rome_code"].isin(weights["rome_code"])].astype({"hires_count": "float64"})
    found = convert(known, weights, "rome_code", "metier_code", "hires_count")
    assert found["hires_count"].sum() == pytest.approx(known["hires_count"].sum(), rel=1e-12)
    known.loc[known.index[0], "hires_count"] = float("nan")
    missing = convert(known, weights, "rome_code", "metier_code", "hires_count")
    into = weights.loc[weights["rome_code"] == known["rome_code"].iloc[0], "metier_code"]
    assert set(missing.loc[missing["hires_count"].isna(), "metier_code"]) == set(into)
    with pytest.raises(CoherenceError, match="no weight"):
        convert(
            pd.DataFrame({"rome_code": ["Z9999"], "hires_count": [1.0]}),
            weights,
            "rome_code",
            "metier_code",
            "hires_count",
        )
