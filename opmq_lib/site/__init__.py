"""The website of an edition: read, stage, build, finish, check, and only then put in place.

(Not Python's own `site` module: import it as `from opmq_lib import site`.)

Two engines, one input: the embedded engine, and Quarto on demand (why: `docs/decisions/site.md`).
Whatever fails leaves the previous site as it was; whatever is not known to be publishable is
refused.
"""

import fcntl
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from opmq_lib.errors import DataError, SchemaError
from opmq_lib.params import EditionParams
from opmq_lib.runs import fingerprint, folders
from opmq_lib.runs.editions import archive, ready
from opmq_lib.site import config, counts, embedded, manifest, names, numbers, past, pdf, quarto
from opmq_lib.site.check import check
from opmq_lib.site.finish import finish
from opmq_lib.site.stage import stage
from opmq_lib.sources import official, parameters, study

STAMP = ".build.json"
_LIBRARY = Path(__file__).parent.parent
_PACKAGES = ("jinja2", "markdown-it-py", "mdit-py-plugins", "pyyaml")
_SOURCES = (".py", ".qmd", ".jinja", ".html", ".css", ".js", ".csv", ".txt")
_SHOWN_FOLDERS = ("parameters", "notebooks", official.FOLDER, archive.FOLDER)
_SHOWN = 5
_SHARED = ("notebooks/", "opmq_lib/", "outputs/", "parameters/", "_quarto.yml")
"""Folders of what is nobody's own."""
_WHY = {
    "failed": "failed",
    "missing": "never run",
    "withheld": "your own data, not published",
    "nv": "not publishable",
}


@dataclass(frozen=True)
class SiteReport:
    """What `render` did.

    Attributes:
        site: Folder of the site; its `index.html` opens in a browser, without a server.
        engine: Which engine ran, or would have.
        pages_count: Pages of the site.
        is_up_to_date: Nothing had changed, so nothing was done.
        unavailable: Pages that only say why they have no result, as `branch/notebook: why`.
        warnings: What an engine could not render, and pages heavier than wished.
        published: Branch and notebook of the results that its pages show.
        stale: Runs of which an older result is shown, as `branch/notebook`, and why.
        left_out: Labels of the branches of which nothing was ever run.
    """

    site: Path
    engine: Literal["quarto", "embedded"]
    pages_count: int
    is_up_to_date: bool
    unavailable: tuple[str, ...]
    warnings: tuple[str, ...]
    published: tuple[tuple[str, str], ...] = ()
    stale: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def render(
    root: Path,
    engine: Literal["embedded", "quarto"] = "embedded",
    release: bool = False,
    demo: EditionParams | None = None,
    alone: bool = False,
) -> SiteReport:
    """Build the website of the current edition in `outputs/site`.

    Args:
        root: Root of the study, with `_quarto.yml`, `parameters/` and `outputs/`.
        engine: The embedded engine, or Quarto, which must be installed.
        release: Publish only what a CPNEFP has validated, rather than a draft preview.
        demo: The edition of a demonstration: its site is `outputs/demo-site`, every page of it
            says that its data are fictitious.
        alone: Leave other editions out, and build it in `outputs/.archived-site`, to be frozen.

    Returns:
        What was done. A second call with nothing changed does nothing and says so.

    Raises:
        ConfidentialityError: If a run is not known to be publishable; on a release, if no branch is
            or what would be published is stale, failed or unaudited.
        DataError: If parameters, notebooks or the finished site are unfit, with every defect.
    """
    edition = replace(manifest.read(root, demo, release), is_alone=alone)
    branches = parameters.load_branches(root)
    if release:
        ready.refuse_unready(root, edition.edition, branches, edition.publishable)
    stale = () if release else ready.stale(root, edition.edition, branches)
    site = root / "outputs" / edition.site_name
    inputs = _digest(root, edition, engine)
    with _work_folder(site) as work:
        stamp = _read_stamp(site)
        done = stamp.get("inputs") == inputs and stamp.get("content") == tree_digest(site)
        if not done:
            with _of_this_version(edition, is_stale=bool(stale)):
                built, stamp = _build(root, edition, work, engine, is_stale=bool(stale))
            stamp |= {"inputs": inputs, "content": tree_digest(built)}
            (built / STAMP).write_text(json.dumps(stamp, indent=1), encoding="utf-8")
            folders.swap(built, site, _old(site))
    unavailable = tuple(_why(run) for _, run in edition.runs if run.status != "ok")
    published = tuple(
        (run.branch_code, run.notebook) for _, run in edition.runs if run.status == "ok"
    )
    pages_count, warned = int(stamp["pages_count"]), tuple(stamp["warnings"])
    return SiteReport(
        site, engine, pages_count, done, unavailable, warned, published, stale, edition.left_out
    )


@contextmanager
def _of_this_version(edition: manifest.Manifest, *, is_stale: bool) -> Iterator[None]:
    """Say in one message that results of an older version lack what pages show."""
    try:
        yield
    except KeyError as error:
        if not is_stale:
            raise
        where, what = f"outputs/{edition.edition.edition_id}", f"not up to date: lacks {error}"
        raise SchemaError.of(where, what, "results of this version", "opmq run") from error


def _why(run: manifest.Run) -> str:
    """Return why a page has no result; if withheld, the tables and registers that it rests on."""
    read = run.record.get("inputs", {}) if run.status == "withheld" else ()
    own = [name for name in read if not name.startswith(_SHARED)]
    return f"{run.name}: {_WHY[run.status]}" + (f" ({', '.join(own)})" if own else "")


def describe(report: SiteReport) -> str:
    """Return a report as the lines a person reads on a terminal."""
    engine = "Quarto" if report.engine == "quarto" else "the embedded engine"
    done = "nothing had changed" if report.is_up_to_date else f"built by {engine}"
    lines = [f"Website   {report.pages_count} pages, {done}."]
    if report.stale:
        said = "page(s) show results that are NOT UP TO DATE (opmq run):"
        lines += [f"STALE     {len(report.stale)} {said}", *_few(report.stale)]
    if report.unavailable:
        lines.append(f"          {len(report.unavailable)} page(s) say why they have no result:")
        lines += _few(report.unavailable)
    if report.left_out:
        lines.append(f"Left out  {len(report.left_out)} branches of which nothing was ever run.")
    lines += [f"Warning   {warning}" for warning in report.warnings]
    lines.append(f"Open      outputs/{report.site.name}/index.html in a browser; no server needed.")
    return "\n".join(lines)


def _few(names: Sequence[str]) -> list[str]:
    """Return the first names, one a line, and how many there are beside them."""
    more = len(names) - _SHOWN
    lines = [f"          {name}" for name in names[:_SHOWN]]
    return [*lines, f"          … and {more} more"] if more > 0 else lines


def tree_digest(folder: Path) -> str:
    """Return one hash of the names and contents of all files under a folder, the stamp left out.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     empty = tree_digest(Path(folder))
        ...     _ = (Path(folder) / "a.html").write_text("a")
        ...     empty == tree_digest(Path(folder))
        False
    """
    return fingerprint.json_sha256(fingerprint.outputs(folder) | {STAMP: ""})


def _build(
    root: Path, edition: manifest.Manifest, work: Path, engine: str, *, is_stale: bool
) -> tuple[Path, dict[str, Any]]:
    """Build a site in a work folder; return its place there, and what to remember of it.

    Numbers of results that are not up to date may be in an older form: they are warned of.
    """
    pages_count, warnings = stage(root, edition, work, engine)
    built = work / config.read(work / "_quarto.yml")[0]["project.output-dir"]
    made, outside = (quarto if engine == "quarto" else embedded).build(work)
    pages = finish(made, built, "Quarto" if engine == "quarto" else "le moteur intégré")
    wrong = numbers.check(edition, built, pages)
    warnings += _some(list(map(str, wrong))) if is_stale else []
    lost = [*counts.lost(work, pages), *([] if is_stale else wrong)]
    for name, html in names.linked_pages(pages, study.metier_labels()).items():
        folders.write(built / name, html.encode())
    site = root / "outputs" / edition.site_name
    known = _read_stamp(site).get("printed", {})
    printed = pdf.print_reports(built, site, known, asked=not edition.is_alone)
    served = past.serve(root, built, edition)
    defects, weights = check(built, [str(root.resolve())], served)
    DataError.refuse([*lost, *defects])
    return built, {
        "pages_count": pages_count,
        "printed": printed.inputs,
        "warnings": [*warnings, *outside, *printed.warnings, *weights],
    }


def _digest(root: Path, edition: manifest.Manifest, engine: str) -> str:
    """Return a hash of all that a site depends on: its runs, the project, the engine, this library.

    No page is made for it: where nothing has changed, nothing that computes is loaded.
    """
    version = quarto.version() if engine == "quarto" else ""
    versions = [metadata.version(package) for package in _PACKAGES]
    paths = sorted(path for path in _LIBRARY.rglob("*") if path.suffix in _SOURCES)
    files = list(map(fingerprint.file_sha256, [*paths, root / "_quarto.yml"]))
    project = [tree_digest(root / name) for name in _SHOWN_FOLDERS]
    runs = [[run.name, run.status, run.files, run.record] for _, run in edition.runs]
    kind = [edition.edition.model_dump(mode="json"), edition.is_release, edition.is_alone]
    states = [repr(branch.standing) for branch in edition.branches]
    return fingerprint.json_sha256([engine, version, versions, files, project, runs, kind, states])


def _some(wrong: list[str]) -> list[str]:
    """Return the first of many warnings on numbers, and how many more there are."""
    shown = [" ".join(each.split()) for each in wrong[:_SHOWN]]
    more = [f"… and {len(wrong) - _SHOWN} more numbers or sentences"] if wrong[_SHOWN:] else []
    return shown + more


def _read_stamp(site: Path) -> dict[str, Any]:
    try:
        stamp: dict[str, Any] = json.loads((site / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp


@contextmanager
def _work_folder(site: Path) -> Iterator[Path]:
    """Lend an empty work folder beside the site, to one builder at a time.

    What a builder that was killed has left behind is cleared, and the site it had set aside is
    put back.
    """
    site.parent.mkdir(exist_ok=True)
    work, old = site.with_name(f".{site.name}-work"), _old(site)
    with site.with_name(f".{site.name}.lock").open("a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if old.exists() and not site.exists():
            old.rename(site)
        for left in (old, work):
            shutil.rmtree(left, ignore_errors=True)
        work.mkdir()
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _old(site: Path) -> Path:
    return site.with_name(f".{site.name}-old")
