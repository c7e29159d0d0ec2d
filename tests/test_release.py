"""Own tables are published as far as the rules allow, and nothing secret reaches the site."""

import contextlib
import gzip
import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import site_edition as given
import small_project as small

from opmq_lib.cli.audit import _print as show_audit
from opmq_lib.errors import ConfidentialityError, SchemaError
from opmq_lib.methods.disclosure.employment import refuse_disagreement, release, release_totals
from opmq_lib.params import BranchTables, DisclosureRules
from opmq_lib.runs import folders, library
from opmq_lib.runs import release as release_of
from opmq_lib.runs.hashes import Hashes
from opmq_lib.runs.kernels import confine
from opmq_lib.runs.plan import plan
from opmq_lib.show import downloads
from opmq_lib.site import manifest
from opmq_lib.sources import parameters, study
from opmq_lib.tables.checking import check
from opmq_lib.tables.scope import REST

RULES = DisclosureRules()
FULL = bool(os.environ.get("OPMQ_TEST_FULL"))
BRANCHES = ("ceramique", "chimie", "textile") if FULL else ("ceramique", "textile")
YEARS = range(2011 if FULL else 2020, 2025)
COUNTRY = r"(?m)^ensemble;.*$"


def branch(rng: np.random.Generator, metiers: int = 8, code: str = "chaux") -> pd.DataFrame:
    """Return the employment of a branch in which few companies employ some métiers."""
    rows = [
        {
            "branch_code": code,
            "metier_code": f"A{metier}Z00",
            "year": year,
            "employment_headcount": float(rng.integers(100_000, 999_999)),
            "nature": "observed",
            "origin": "own",
            "units_count": int(rng.choice([1, 2, 3, 6, 12, 40])),
            "largest_share_pct": float(rng.uniform(20, 100)),
            "source_code": "enquete",
        }
        for metier in range(metiers)
        for year in range(2021, 2024)
    ]
    large = {"units_count": 60, "largest_share_pct": 5.0}
    told = [row | large | {"metier_code": f"Z{n}Z99"} for n in range(4) for row in rows[:3]]
    return pd.DataFrame([*rows, *told])


@pytest.mark.parametrize("seed", range(300 if FULL else 12))
def test_a_reader_who_subtracts_learns_no_secret_and_totals_are_exact(seed: int) -> None:
    jobs = branch(np.random.default_rng(seed))
    table, secret, findings, *_ = release(jobs, RULES)
    hidden = set(secret["metier_code"])
    is_secret = (jobs["units_count"] < 3) | (jobs["largest_share_pct"] > 85)
    assert set(jobs.loc[is_secret, "metier_code"]) <= hidden
    assert not hidden & set(table["metier_code"])
    sums = table.groupby("year")["employment_headcount"].sum()
    assert sums.to_dict() == jobs.groupby("year")["employment_headcount"].sum().to_dict()
    assert table[["units_count", "largest_share_pct"]].isna().all(axis=None)
    rest = table[table["metier_code"] == REST].set_index("year")["employment_headcount"]
    for row in jobs[is_secret].itertuples():
        # What is known of it: it lies between 0 and the rest, less what a company of the rest has.
        others = jobs[(jobs["year"] == row.year) & jobs["metier_code"].isin(hidden)]
        theirs = others["employment_headcount"] * others["largest_share_pct"] / 100
        known = theirs.drop(row.Index).max()
        assert rest[row.year] - known >= 1.15 * row.employment_headcount
    assert not findings["is_exposed"].any()


def test_what_was_secret_in_an_edition_stays_so_whatever_its_companies_are_now() -> None:
    jobs = branch(np.random.default_rng(0), 6).assign(units_count=20, largest_share_pct=20.0)
    assert release(jobs, RULES).secret.empty
    secret = release(jobs, RULES, {"A1Z00", "A3Z00"}).secret
    assert secret.to_numpy().tolist() == [["A1Z00", "before"], ["A3Z00", "before"]]


@pytest.mark.parametrize("column", ["units_count", "largest_share_pct"])
def test_nothing_is_released_of_a_table_that_does_not_count_its_companies(column: str) -> None:
    jobs = branch(np.random.default_rng(1))
    jobs.loc[4, column] = np.nan
    with pytest.raises(ConfidentialityError, match="A1Z00, 2022"):
        release(jobs, RULES)


def counted(heads: dict[str, float], year: int = 2024, **columns: object) -> pd.DataFrame:
    """Return own employment of one year: secret where the code begins with `S`."""
    rows = pd.DataFrame({"metier_code": list(heads), "employment_headcount": list(heads.values())})
    few = rows["metier_code"].str.startswith("S")
    fixed = {
        "branch_code": "chaux",
        "year": year,
        "nature": "observed",
        "origin": "own",
        "units_count": few.map({True: 2, False: 20}),
        "largest_share_pct": 30.0,
        "source_code": "enquete",
    }
    return rows.assign(**(fixed | columns))


def test_the_rest_tells_no_bound_ratio_or_source_of_a_secret_metier() -> None:
    jobs = counted({"S0A00": 41.0, "B0B00": 100.0, "C0C00": 400.0})
    jobs = jobs.assign(
        employment_headcount_lower=jobs["employment_headcount"] - 3,
        employment_headcount_upper=jobs["employment_headcount"] + 3,
        headcount_fit_ratio=[1.41, 1.0, 1.0],
        source_code=["41_salaries", "enquete", "enquete"],
    )
    shown = release(jobs, RULES).table.set_index("metier_code")
    assert shown.loc["C0C00", "employment_headcount_upper"] == 403
    rest = shown.loc[REST]
    assert (rest["employment_headcount"], rest["source_code"]) == (141, "enquete")
    bounds = ["employment_headcount_lower", "employment_headcount_upper", "headcount_fit_ratio"]
    assert rest[bounds].isna().all()


@pytest.mark.parametrize("heads", [{REST: 90.0}, {"S0A00": 60.0, "B0B00": 90.0}])
def test_a_branch_of_which_no_metier_can_be_told_alone_is_not_released(
    heads: dict[str, float],
) -> None:
    with pytest.raises(ConfidentialityError, match="every métier is secret"):
        release(counted(heads), RULES)


def revised(**changes: float) -> pd.DataFrame:
    heads = {"S0A00": 40.0, "B0B00": 100.0, "C0C00": 400.0, "D0D00": 500.0}
    return counted({code: value for code, value in (heads | changes).items() if value})


REVISIONS = {
    "shown": (revised(C0C00=410), "C0C00"),
    "one of those told together": (revised(B0B00=104), REST),
    "the secret one is left out": (revised(S0A00=0, B0B00=100), REST),
    "the secret one leaves for another": (revised(S0A00=0, D0D00=540), f"D0D00|{REST}"),
    "another joins those told together": (
        pd.concat([revised(), counted({"S9S00": 70.0})], ignore_index=True),
        REST,
    ),
}
"""What the next edition says of the same year, and what a reader would subtract."""


@pytest.mark.parametrize("name", REVISIONS)
def test_two_editions_subtracted_tell_no_change_of_few_companies(name: str) -> None:
    first = release(revised(), RULES)
    assert first.secret["metier_code"].tolist() == ["B0B00", "S0A00"]
    now, which = REVISIONS[name]
    told = {"2025": first.table}
    before = set(first.secret["metier_code"])
    assert not release(pd.concat([revised(), counted({"C0C00": 9.0}, 2025)]), RULES, before,
                       told).table.empty  # fmt: skip
    with pytest.raises(ConfidentialityError, match=f"({which}), 2024: revised since edition 2025"):
        release(now, RULES, before, told)
    assert not release(now.assign(changed_units_count=3), RULES, before, told).table.empty


def test_a_secret_total_stays_so_and_is_not_revised_by_few() -> None:
    totals = counted({"B0B00": 1.0, "C0C00": 1.0}).drop(columns=["metier_code", "nature"])
    totals = totals.rename(columns={"employment_headcount": "employees_headcount"})
    totals = totals.assign(year=[2023, 2024], employees_headcount=[900.0, 950.0])
    was, reasons, *_ = release_totals(totals.assign(units_count=[2, 20]), RULES)
    assert (was["year"].tolist(), reasons.to_numpy().tolist()) == ([2024], [["2023", "primary"]])
    found = release_totals(totals, RULES, {"2023"}, {"2025": was})
    assert found.secret.to_numpy().tolist() == [["2023", "before"]]
    with pytest.raises(ConfidentialityError, match="ENS, 2024: revised since edition 2025"):
        release_totals(totals.assign(employees_headcount=951.0), RULES, {"2023"}, {"2025": was})
    public = totals.assign(origin="public", employees_headcount=951.0)
    assert len(release_totals(public, RULES, {"2023"}, {"2025": was}).table) == 2


def test_totals_told_in_one_edition_and_metiers_in_another_tell_no_change_of_few() -> None:
    jobs = counted({"B0B00": 130.0, "C0C00": 400.0})
    totals = jobs.drop(columns=["metier_code", "nature", "employment_headcount"]).head(1)
    totals = totals.assign(employees_headcount=530.0)
    revised = counted({"B0B00": 130.0, "C0C00": 405.0})
    told = {"2025 (branch_totals)": release_totals(totals, RULES).table}
    assert not release(jobs, RULES, (), told).table.empty
    with pytest.raises(ConfidentialityError, match=r"ENS, 2024: revised since edition 2025 \(bra"):
        release(revised, RULES, (), told)
    assert not release(revised.assign(changed_units_count=3), RULES, (), told).table.empty
    told = {"2025 (employment)": release(revised, RULES).table}
    with pytest.raises(ConfidentialityError, match="ENS, 2024: revised since edition 2025"):
        release_totals(totals, RULES, (), told)


def test_a_true_zero_has_no_largest_company() -> None:
    jobs = counted({"B0B00": 130.0, "C0C00": 400.0, "Z0Z00": 0.0})
    rows = jobs["metier_code"].eq("Z0Z00")
    zero = jobs.assign(
        units_count=jobs["units_count"].mask(rows, 0),
        largest_share_pct=jobs["largest_share_pct"].mask(rows),
        metier_code=["D1Z40", "E2Z70", "C0Z20"],
    )
    checked = check("employment", zero, "jobs.csv")
    shown = release(checked, RULES).table.set_index("metier_code")["employment_headcount"]
    assert shown["C0Z20"] == 0
    with pytest.raises(SchemaError, match="an own cell without `largest_share_pct`"):
        check("employment", zero.assign(units_count=20), "jobs.csv")


@pytest.mark.parametrize(
    ("changed", "what"),
    [({"units_count": 2}, "is secret"), ({"employees_headcount": 536.0}, "is not the sum")],
)
def test_totals_and_metiers_of_a_year_do_not_give_each_other_away(
    changed: dict[str, float], what: str
) -> None:
    jobs = counted({"B0B00": 130.0, "C0C00": 400.0})
    totals = jobs.drop(columns=["metier_code", "nature", "employment_headcount"]).head(1)
    totals = totals.assign(employees_headcount=530.0)
    refuse_disagreement(jobs, totals, RULES)
    refuse_disagreement(jobs, totals.assign(origin="public", **changed), RULES)
    refuse_disagreement(jobs, totals.assign(year=2025, **changed), RULES)
    with pytest.raises(ConfidentialityError, match=f"branch_totals, 2024: {what}"):
        refuse_disagreement(jobs, totals.assign(**changed), RULES)


# From the table to the site

READ = """
import contextlib, sqlite3, subprocess, sys
import pandas as pd
import pyarrow.csv
from opmq_lib.sources import study
rows = study.load_inputs([branch_code])["own_employment"]
told = rows.assign(
    indicator="employment_headcount", value=rows["employment_headcount"], lower=None, upper=None,
    interval_level=None, reliability_grade="", unit="headcount", status="value",
)
told.to_csv(f"{output_folder}/emplois.csv", index=False)
root = "../../../.."
for way in (
    lambda: open(f"{root}/data/{branch_code}.csv").read(),
    lambda: pd.read_parquet(f"{root}/data/{branch_code}.parquet"),
    lambda: pyarrow.csv.read_csv(f"{root}/data/{branch_code}.csv"),
    lambda: sqlite3.connect(f"{root}/data/{branch_code}.db").execute("select * from t").fetchall(),
    lambda: subprocess.run(["cat", f"{root}/data/{branch_code}.csv"], capture_output=True).stdout,
):
    with contextlib.suppress(Exception):
        print(way())
rows.drop(columns=["units_count", "largest_share_pct"])
"""
REGISTER = """
print(open(f"../../../../{requests_register}").read())
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """Return a project of branches with own tables, run and published, and its canaries."""
    if not confine.is_possible():
        pytest.skip("this system does not confine notebooks")
    root = given.project(tmp_path_factory.mktemp("release") / "root")
    (root / "notebooks/10_consolidation.ipynb").unlink()
    signature = 'branch_code = "chimie"\noutput_folder = "."'
    small.write_notebook(root, "01_emplois", READ, signature=signature)
    register = 'branch_code = "chimie"\nrequests_register = ""\noutput_folder = "."'
    small.write_notebook(root, "06_demandes", REGISTER, signature=register)
    (root / "data").mkdir()
    canaries: set[str] = set()
    told: set[str] = set()
    rng = np.random.default_rng(5)
    for path in (root / "parameters/branches").glob("*.yml"):
        if path.stem not in BRANCHES:
            path.unlink()
            continue
        named = f"employment: data/{path.stem}.csv"
        text = path.read_text(encoding="utf-8").replace("employment: null", named)
        notebooks = 'notebooks: ["01_emplois", "06_demandes"]'
        path.write_text(re.sub(r"(?m)^notebooks: .*", notebooks, text), encoding="utf-8")
        secret, others = plant(root, path.stem, rng)
        canaries, told = canaries | secret, told | others
    edition = root / "parameters/edition.yml"
    text = edition.read_text(encoding="utf-8")
    named = text.replace("requests: null", "requests: data/requests.csv")
    edition.write_text(named, encoding="utf-8")
    (root / "data/requests.csv").write_text("request_id\n765432\n", encoding="utf-8")
    opmq(root, "run", "--workers", "2")
    opmq(root, "site", "--engine", "embedded")
    return root, canaries - told | {"765432"}


def plant(root: Path, code: str, rng: np.random.Generator) -> tuple[set[str], set[str]]:
    """Write an own table, also in other formats; return its secret values, and the others."""
    codes = pd.read_csv(Path(given.PROJECT) / "opmq_lib/data/metiers.csv", dtype=str)
    codes = codes.query("level == 'fap225' and nomenclature == 'FAP-2009' and scope == 'industry'")
    names = codes["metier_code"].head(20).tolist()
    rows = [
        (code, name, year, int(rng.integers(100_000, 999_999)), place)
        for place, name in enumerate(names)
        for year in YEARS
    ]
    columns = ["branch_code", "metier_code", "year", "employment_headcount", "place"]
    table = pd.DataFrame(rows, columns=columns)
    secret = table["place"] < 12
    table = table.assign(
        nature="observed", origin="own", units_count=(~secret).mul(28) + 2, largest_share_pct=30.0,
        source_code="enquete",
    )  # fmt: skip
    table = table.drop(columns="place")
    five = ["metier_code", "year", "employment_headcount", "largest_share_pct", "units_count"]
    table[five].to_csv(root / f"data/{code}.csv", index=False)
    table.to_parquet(root / f"data/{code}.parquet")
    with sqlite3.connect(root / f"data/{code}.db") as base:
        table.to_sql("t", base)
    heads = table["employment_headcount"].astype(str)
    return set(heads[secret]), set(heads[~secret])


def opmq(root: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "opmq_lib", *words], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def shown(text: str) -> set[str]:
    """Return every number of six digits in the text of a site.

    Rows of the country are left out: it is published, not asked of any branch.
    """
    return _numbers(_joined(re.sub(COUNTRY, "", text)))


def text_of(site: Path) -> str:
    """Return the text of the files of a site, compressed ones included."""
    files = (path.read_bytes() for path in site.rglob("*") if path.is_file())
    return "\n".join(part for content in files for part in _contents(content))


def _joined(text: str) -> str:
    """Return a text with its thousands written together."""
    return re.sub(r"(?<=\d)[\s\u202f\u00a0,.](?=\d{3})", "", text)


def _numbers(text: str) -> set[str]:
    return set(re.findall(r"(?<!\d)\d{6}(?!\d)", text))


def _rounded(number: str, digits: int = 4) -> str:
    """Return a number as files to download show it, or, in three digits, pages."""
    return f"{float(f'{int(number):.{digits}g}'):.0f}"


def _contents(content: bytes) -> list[str]:
    """Return the texts of a file: of what it packs, and of the streams that a PDF deflates."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(content)) as parts:
            return [text for name in parts.namelist() for text in _contents(parts.read(name))]
    if content.startswith(b"\x1f\x8b"):
        return _contents(gzip.decompress(content))
    texts = [content.decode("utf-8", errors="replace")]
    if content.startswith(b"%PDF"):
        for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
            with contextlib.suppress(zlib.error):
                texts.append(zlib.decompressobj().decompress(stream).decode("latin-1"))
        if reader := shutil.which("pdftotext"):
            read = subprocess.run([reader, "-", "-"], input=content, capture_output=True)
            texts.append(read.stdout.decode("utf-8", errors="replace"))
    return texts


def test_the_search_reads_what_is_compressed(tmp_path: Path) -> None:
    said = b"123456"
    pdf = b"%PDF-1.7\n1 0 obj <</Filter /FlateDecode>>\nstream\n" + zlib.compress(said)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("a.gz", gzip.compress(pdf + b"\nendstream"))
    (tmp_path / "download.zip").write_bytes(packed.getvalue())
    assert said not in packed.getvalue()
    assert "123456" in shown(text_of(tmp_path))


def test_no_secret_reaches_the_site_and_the_branches_are_published(
    project: tuple[Path, set[str]],
) -> None:
    root, canaries = project
    assert len(canaries) > (500 if FULL else 100)
    text = text_of(root / "outputs/site")
    assert shown(text) & canaries == set()
    results = (root / "outputs/2026").rglob("*.csv")
    public = {number for path in results for number in _numbers(path.read_text("utf-8"))}
    told = _joined("\n".join(re.findall(COUNTRY, text)))
    country = {_rounded(each, digits) for each in _numbers(told) for digits in (3, 4)}
    rounded = {_rounded(canary) for canary in canaries} - country - {*map(_rounded, public)}
    assert len(rounded) > len(canaries) / 2
    assert shown(text) & rounded == set()
    for code in BRANCHES:
        page = (root / f"outputs/site/branches/{code}/01_emplois.html").read_text(encoding="utf-8")
        assert REST in page
        withheld = root / f"outputs/site/branches/{code}/06_demandes.html"
        assert "données propres à la branche" in withheld.read_text(encoding="utf-8")
        released = pd.read_csv(root / f"outputs/released/2026/{code}/employment.csv", dtype=str)
        told = released[released["metier_code"].str.fullmatch("[A-Z0-9]{5}")]
        assert len(told) > 0
        for metier in told["metier_code"].unique():
            page = (root / f"outputs/site/metiers/{metier}.html").read_text(encoding="utf-8")
            assert f'href="../branches/{code}/index.html"' in page
    (audited,) = json.loads(opmq(root, "audit", "--branch", "textile", "--json"))
    assert audited["branch_code"] == "textile"
    assert {each["reason"] for each in audited["secret"]} > {"too few companies, or one too large"}


def results(name: str, branch_code: str) -> dict[str, pd.DataFrame]:
    """Run the cells of a notebook of the study here; return its results, as files give them."""
    notebook = json.loads((given.PROJECT / f"notebooks/{name}.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    names: dict[str, Any] = {}
    exec(cells[0], names)
    names |= {"branch_code": branch_code, "output_folder": "outputs/few"}
    for cell in cells[1:]:
        exec(cell, names)
    found: dict[str, pd.DataFrame] = names["results"]
    return found


def test_a_released_table_of_few_metiers_goes_through_tensions_and_consolidation(
    project: tuple[Path, set[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, _ = project
    monkeypatch.chdir(root)
    monkeypatch.setenv("OPMQ_RELEASED", str(tmp_path))
    table = pd.read_csv("outputs/released/2026/ceramique/employment.csv", dtype=str)
    few = [*table["metier_code"].unique()[:2], REST]
    (tmp_path / "ceramique").mkdir()
    table = table[table["metier_code"].isin(few)]
    table.to_csv(tmp_path / "ceramique/employment.csv", index=False)
    jobs = results("01_emplois", "ceramique")["emplois"]
    told = results("03_tensions", "ceramique")["metier_tensions"]
    assert set(told["metier_code"]) == {*few[:2]}
    monkeypatch.setattr(
        study, "read_all_results", lambda *asked: jobs if asked[2] == "emplois" else pd.DataFrame()
    )
    ours = results("10_consolidation", "ceramique")
    assert {*few[:2]} < {*ours["consolidation"]["metier_code"]}


@pytest.mark.skipif(not FULL, reason="OPMQ_TEST_FULL=1")
def test_the_example_of_the_page_on_own_data_goes_through_every_notebook(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("parameters", "notebooks"):
        shutil.copytree(given.PROJECT / name, root / name)
    shutil.copyfile(given.PROJECT / "_quarto.yml", root / "_quarto.yml")
    for path in (root / "parameters/branches").glob("*.yml"):
        if path.stem not in ("ceramique", "chaux"):
            path.unlink()
    page = (given.PROJECT / "docs/own-data.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"(?ms)^```csv\n(.*?)^```", page)
    (root / "data").mkdir()
    (root / "data/ceramique.csv").write_text(table, encoding="utf-8")
    path = root / "parameters/branches/ceramique.yml"
    text = path.read_text(encoding="utf-8")
    named = text.replace("employment: null", "employment: data/ceramique.csv")
    path.write_text(named, encoding="utf-8")
    opmq(root, "run", "--workers", "2")
    opmq(root, "site", "--engine", "embedded")
    pages = root / "outputs/site/branches/ceramique"
    asked = parameters.load_branches(root)["ceramique"].notebooks
    assert {path.stem for path in pages.glob("[0-9]*.html")} == set(asked)
    assert not any("données propres" in path.read_text("utf-8") for path in pages.glob("*.html"))
    jobs = pd.read_csv(root / "outputs/2026/ceramique/01_emplois/emplois.csv", dtype=str)
    told = jobs[jobs["indicator"].eq("employment_headcount") & jobs["year"].eq("2024")]
    assert told[["metier_code", "value"]].to_numpy().tolist() == [["E1Z43", "1098.0"]]


def test_an_audit_in_words_says_what_it_costs(capsys: pytest.CaptureFixture[str]) -> None:
    about = {"branch_code": "textile", "table": "employment", "hidden_share_pct": 12.34}
    secret = [{"figure": "E1Z43", "reason": "too few companies, or one too large"}]
    show_audit(about | {"secret": secret, "nearest": [], "coarser": ["E1Z"]})
    assert capsys.readouterr().out == (
        "textile, employment: 1 secret, 12.3 % of jobs told together only.\n"
        "  E1Z43: too few companies, or one too large\n"
        "  coarser: E1Z as one family would pass the thresholds\n"
    )


@pytest.mark.skipif(not FULL, reason="with the large samples only: it publishes a second time")
def test_the_same_search_finds_them_when_the_gate_is_open(
    project: tuple[Path, set[str]], tmp_path: Path
) -> None:
    closed, canaries = project
    root = shutil.copytree(closed, tmp_path / "open", symlinks=True)
    here = root / "outputs/released/2026/textile"
    raw = pd.read_parquet(root / "data/textile.parquet").assign(origin="public")
    raw.to_csv(here / "employment.csv", index=False)
    written = (here / "employment.csv").read_bytes()
    record = json.loads((here / "release.json").read_text(encoding="utf-8"))
    record["employment"]["sha256"] = hashlib.sha256(written).hexdigest()
    (here / "release.json").write_text(json.dumps(record), encoding="utf-8")
    opmq(root, "run", "--workers", "2")
    opmq(root, "site", "--engine", "embedded")
    assert shown(text_of(root / "outputs/site")) & canaries


def test_a_change_is_released_again_and_what_has_no_rules_is_taken_back(
    project: tuple[Path, set[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = shutil.copytree(project[0], tmp_path / "root", ignore=shutil.ignore_patterns("site"))
    edition, branches = parameters.load_edition(root), parameters.load_branches(root)
    modules = library.read(Hashes())
    assert release_of.write(root, edition, branches, modules) == []
    table = root / "data/ceramique.csv"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace(",30.0,", ",31.0,", 1), encoding="utf-8")
    runs = {each.id: each for each in plan(root, edition, branches)}
    run = runs["ceramique", "01_emplois"]
    assert run.origin == "own"
    assert not run.is_released
    stand = {each.code: each.runs["01_emplois"].status for each in manifest.read(root).branches}
    assert stand == dict.fromkeys(BRANCHES, "ok") | {"ceramique": "withheld"}
    here = root / "outputs/released/2026/ceramique"
    told = {path: path.read_bytes() for path in here.iterdir()}
    monkeypatch.setattr("opmq_lib.methods.disclosure.solver.MOST_SECONDS", 0.0)
    (done,) = release_of.write(root, edition, branches, modules)
    assert "the solver stopped before an answer (Time limit reached)" in str(done.refused)
    assert "publish a coarser table" in str(done.refused)
    assert {path: path.read_bytes() for path in here.iterdir()} == told
    assert set(release_of.in_place(root, edition, branches, modules)) == {*BRANCHES} - {"ceramique"}
    monkeypatch.undo()
    (done,) = release_of.write(root, edition, branches, modules)
    assert (done.branch_code, done.refused, done.reveals) == ("ceramique", None, ())
    assert (here / "release.json").stat().st_mode & 0o077 == 0
    assert (here / "employment.csv").stat().st_mode & 0o044
    head, _, last = table.read_text(encoding="utf-8").rstrip().rpartition("\n")
    metier, year, value, *others = last.split(",")
    one_more = ",".join([metier, year, f"{int(value) + 1}", *others])
    table.write_text(f"{head}\n{one_more}\n", encoding="utf-8")
    (done,) = release_of.write(root, edition, branches, modules)
    assert done.reveals == (f"{REST}, {year}",)
    before = shutil.copytree(here, root / "outputs/released/2025/ceramique")
    assert release_of.released_table(root, edition, branches["ceramique"], "employment")
    (before / "release.json").write_text("{")
    with pytest.raises(ConfidentialityError, match="or what was secret in it"):
        release_of.released_table(root, edition, branches["ceramique"], "employment")
    shutil.rmtree(before)
    runs_of = (root / "outputs/2026/runs.jsonl").read_text(encoding="utf-8")
    earlier = root / "outputs/2025/runs.jsonl"
    earlier.parent.mkdir()
    earlier.write_text(runs_of.replace("released/2026", "released/2025"), encoding="utf-8")
    with pytest.raises(ConfidentialityError, match="released/2025/ceramique"):
        release_of.released_table(root, edition, branches["ceramique"], "employment")
    shutil.rmtree(earlier.parent)
    without = edition.model_copy(update={"disclosure": None})
    refused = release_of.write(root, without, branches, modules)
    assert [each.branch_code for each in refused] == list(branches)
    assert "no rules say what may be published" in str(refused[0].refused)
    assert (here / "employment.csv").exists()  # later editions are compared with it
    assert release_of.in_place(root, without, branches, modules) == {}


@pytest.mark.parametrize("origin", ["own", "public"])
def test_own_totals_released_before_are_compared_with_the_sum_of_metiers(
    project: tuple[Path, set[str]], tmp_path: Path, origin: str
) -> None:
    root = shutil.copytree(project[0], tmp_path / "root", ignore=shutil.ignore_patterns("outputs"))
    edition, branch = parameters.load_edition(root), parameters.load_branches(root)["ceramique"]
    jobs = pd.read_csv(root / "data/ceramique.csv")
    totals = jobs.groupby("year", as_index=False)["employment_headcount"].sum()
    totals = totals.rename(columns={"employment_headcount": "employees_headcount"})
    totals.loc[totals["year"] == 2024, "employees_headcount"] += 7
    about = {"branch_code": "ceramique", "origin": origin, "source_code": "x"}
    totals = totals.assign(**about, units_count=60, largest_share_pct=5.0)
    totals.to_csv(root / "data/totals.csv", index=False)

    def released(**tables: str) -> release_of.Outcome:
        named = branch.model_copy(update={"tables": BranchTables(**tables)})
        (done,) = release_of.write(root, edition, {"ceramique": named}, library.read(Hashes()))
        return done

    assert released(branch_totals="data/totals.csv").refused is None
    assert released(employment="data/ceramique.csv").reveals == ("ENS, 2024",) * (origin == "own")
    (root / "outputs/released/2026/ceramique/employment.csv").unlink()
    edition = edition.model_copy(update={"edition_id": "2027"})
    refused = str(released(employment="data/ceramique.csv").refused)
    assert ("ENS, 2024: revised since edition 2026 (branch_totals)" in refused) == (origin == "own")


def test_results_that_rest_on_own_data_are_for_their_owner_alone(tmp_path: Path) -> None:
    for private, folder_mode, file_mode in ((True, 0o700, 0o600), (False, 0o755, 0o644)):
        staging = folders.stage(tmp_path, "chimie", f"01_{private}")
        assert staging.stat().st_mode & 0o777 == 0o700
        (staging / "emplois.csv").touch(0o644)
        folders.publish(staging, tmp_path / f"{private}", private=private)
        assert (tmp_path / f"{private}").stat().st_mode & 0o777 == folder_mode
        assert (tmp_path / f"{private}/emplois.csv").stat().st_mode & 0o777 == file_mode
    own = {"emplois": pd.DataFrame({"value": [1.0], "origin": "own"})}
    shown = downloads.write_results(own, str(tmp_path / "lab"), "01")
    assert shown is not None
    assert "Données confidentielles, ne pas transmettre" in shown.html
    downloads.write_table(own["emplois"], tmp_path / "lab/requests.parquet")
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "lab").iterdir()} == {0o600}


@pytest.mark.skipif(not FULL, reason="OPMQ_TEST_FULL=1")
def test_an_archive_has_released_tables_alone_and_is_made_again_from_them(
    project: tuple[Path, set[str]], tmp_path: Path
) -> None:
    closed, canaries = project
    root = shutil.copytree(closed, tmp_path / "root", symlinks=True)
    opmq(root, "edition", "freeze", "own")
    edition = parameters.load_edition(root).edition_id
    path = root / "outputs/editions/own.zip"
    with zipfile.ZipFile(path) as held:
        names = held.namelist()
        kept = [
            name for name in names if name.startswith(("results/", "project/outputs/", "site/"))
        ]
        held.extractall(root / "unpacked", kept)
    assert {name.split("/")[0] for name in kept} == {"results", "project", "site"}
    for code in BRANCHES:
        assert f"project/outputs/released/{edition}/{code}/employment.csv" in names
        assert not any(f"{code}.csv" in name for name in names if "/data/" in name)
    assert not canaries & shown(text_of(root / "unpacked"))
    said = opmq(root, "edition", "verify", str(path))
    assert re.match(rf"Verified  {len(BRANCHES)} tables and 0 figures: identical", said)
