"""Pages on past editions: which there are, what changed from one to the next, how well they saw.

The list is that of `outputs/editions`; what changed between two of them is what `opmq edition diff`
has written there. Every archived site is served as it was, under `editions/NAME/`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd
from jinja2 import Template

from opmq_lib.methods import revisions
from opmq_lib.runs import fingerprint
from opmq_lib.runs.editions import archive, compare
from opmq_lib.show import french, workbook
from opmq_lib.show.words import words
from opmq_lib.site.content import PARAMETER_LABELS
from opmq_lib.site.manifest import Manifest
from opmq_lib.sources import embedded, study

FOLDER: Final = "editions"
REVISIONS, ACCURACY = (f"{archive.FOLDER}/{name}" for name in ("revisions", "accuracy"))
"""Folders of what `opmq edition diff` writes: `A/B.csv`."""
_SHOWN: Final = 20


class Past(NamedTuple):
    """One frozen edition, as its line of the list shows it."""

    name: str
    day: str
    is_release: bool
    sha256: str
    reason: str

    @property
    def href(self) -> str:
        """Its permanent address, from the page of editions."""
        return f"{self.name}/index.html"


class Pair(NamedTuple):
    """Two editions that were compared, and the two tables of what came out."""

    before: str
    after: str
    changes: pd.DataFrame
    accuracy: pd.DataFrame

    @property
    def name(self) -> str:
        """Name of its pages."""
        return f"{self.before}-{self.after}"


def editions(root: Path, manifest: Manifest) -> list[Past]:
    """Return the frozen editions, last one first; a release lists released ones alone."""
    found = []
    for path in [] if manifest.is_alone else archive.frozen(root):
        about, note = archive.manifest(path), archive.withdrawn(path)
        sha256 = archive.recorded_sum(path) or fingerprint.file_sha256(path)
        reason = f"{note['reason']} ({french.day(note['date'])})" if note else ""
        day = french.day(about["edition_date"])
        if about["is_release"] or not manifest.is_release:
            found.append(
                (about["edition_date"], Past(path.stem, day, about["is_release"], sha256, reason))
            )
    return [each for _, each in sorted(found, reverse=True)]


def serve(root: Path, site: Path, manifest: Manifest) -> tuple[str, ...]:
    """Put every archived site in its place in a new one; return their folders."""
    asked = [each for each in editions(root, manifest) if not each.reason]
    for each in asked:
        folder = site / FOLDER / each.name
        archive.extract(archive.path_of(root, each.name), folder, f"{archive.SITE}/")
    return tuple(f"{FOLDER}/{each.name}/" for each in asked)


def pages(
    root: Path, manifest: Manifest, templates: Callable[[str], Template]
) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return the pages on past editions, and the tables that they offer to download.

    Args:
        root: The project.
        manifest: What the site publishes.
        templates: Gives a template of `pages/`.
    """
    listed = editions(root, manifest)
    names = {each.name for each in listed}
    is_open = not (manifest.is_release or manifest.is_alone)
    pairs = [each for each in _pairs(root) if is_open or {each.before, each.after} <= names]
    shown: dict[str, Any] = {"editions": listed, "pairs": pairs, "past": _Shown(root, manifest)}
    made = {f"{FOLDER}/index.qmd": templates("editions.qmd").render(shown)}
    for each in listed:
        if each.reason:
            text = templates("retiree.qmd").render(shown, edition=each)
            made[f"{FOLDER}/{each.name}/index.qmd"] = text
    files = {}
    for pair in pairs:
        for kind, folder in (("revisions", REVISIONS), ("precision", ACCURACY)):
            text = templates(f"{kind}.qmd").render(shown, pair=pair)
            made[f"{FOLDER}/{kind}-{pair.name}.qmd"] = text
            name = f"{kind}-{pair.name}"
            table = (root / folder / pair.before / f"{pair.after}.csv").read_bytes()
            packed = workbook.packed({f"{name}.csv": table})
            files[f"telechargements/editions/{name}.zip"] = packed
    return made, files


def _pairs(root: Path) -> list[Pair]:
    found = []
    for path in sorted((root / REVISIONS).glob("*/*.csv")):
        before, after = path.parent.name, path.stem
        beside = root / ACCURACY / before / path.name
        if beside.is_file():
            changes = pd.read_csv(path, dtype="str", keep_default_na=False)
            scored = pd.read_csv(beside).reindex(columns=[*revisions.SCORED])
            found.append(Pair(before, after, changes, scored))
    return found


class _Shown:
    """What these pages show of the tables of a pair, in French."""

    def __init__(self, root: Path, manifest: Manifest) -> None:
        self.labels = study.all_labels(root) | {each.code: each.label for each in manifest.branches}

    def kinds(self, kinds: str) -> str:
        """Return the kinds of causes of a figure."""
        return french.enumeration([compare.KINDS[each] for each in kinds.split(",")])  # type: ignore[index]

    def parts(self, row: dict[str, Any]) -> str:
        """Return how much of a change is due to each of its causes, or only their kinds."""
        kinds = [each for each in compare.KINDS if each in row["cause_kinds"].split(",")]
        parts = {kind: row.get(f"{kind}_part") for kind in kinds}
        if len(kinds) == 1 or not any(parts.values()):
            return self.kinds(row["cause_kinds"]) + " (non séparées)" * (len(kinds) > 1)
        said = {
            kind: french.signed(float(part)) if part else "non séparé"
            for kind, part in parts.items()
        }
        return " ; ".join(f"{compare.KINDS[kind]} {each}" for kind, each in said.items())

    def causes(self, pair: Pair) -> list[str]:
        """Return what the two editions were not made of alike, sources by their titles."""
        cells = pair.changes["causes"].unique()
        named = dict.fromkeys(each for cell in cells for each in cell.split(" ; "))
        sources = embedded.load("sources")
        titled = sources["producer"] + ", " + sources["title"]
        titles = PARAMETER_LABELS | {
            f"{fingerprint.EMBEDDED}{table}.csv": title
            for table, title in zip(sources["table"], titled, strict=True)
        }
        parts = (each.partition(" ") for each in named)
        return sorted(f"{titles.get(name, name)} {what}" for name, _, what in parts)

    def by_branch(self, pair: Pair) -> list[dict[str, Any]]:
        """Return how many figures changed in each branch, how much its métiers did, and why."""
        moved = self._jobs(pair)
        medians = moved["change_pct"].abs().groupby(moved["branch_code"]).median()
        return [
            {name: int(rows["change"].eq(name).sum()) for name in ("revised", "added", "removed")}
            | {
                "branch": self.labels.get(str(code), str(code)),
                "median_pct": medians.get(code),
                "causes": self.kinds(",".join(_known(rows["cause_kinds"]))),
            }
            for code, rows in pair.changes.groupby("branch_code")
        ]

    def _jobs(self, pair: Pair) -> pd.DataFrame:
        """Return the estimated employment of the last common year where it moved."""
        rows = pair.changes
        is_jobs = rows["table"].eq("emplois") & rows["column"].eq("value")
        is_heads = rows["row"].str.contains("indicator=employment_headcount")
        rows = rows[is_jobs & is_heads & rows["change"].eq("revised")]
        rows = rows[rows["year"].eq(rows["year"].max())]
        old, new = (pd.to_numeric(rows[name]) for name in ("before", "after"))
        moved = rows.assign(old=old, new=new, heads=new - old, change_pct=100 * (new / old - 1))
        return moved[moved["old"].gt(0)]

    def metiers_moved(self, pair: Pair) -> list[dict[Any, Any]]:
        """Return the métiers whose estimated employment of the last common year moved most."""
        return self._most(self._jobs(pair), "heads")

    def labels_changed(self, pair: Pair) -> list[dict[Any, Any]]:
        """Return the labels of métiers that changed."""
        rows = pair.changes
        asked = rows[rows["table"].eq("coeurs") & rows["column"].eq("label")]
        asked = asked[asked["change"].eq("revised")]
        said = words("opmq_lib.questions.coeurs_strategiques").LABELS
        worded = asked.assign(old=asked["before"].map(said), new=asked["after"].map(said))
        return self._lines(worded)

    def accuracy(self, pair: Pair) -> list[dict[Any, Any]]:
        """Return how the forecasts of each branch fared."""
        return self._lines(revisions.scores(pair.accuracy))

    def horizons(self, pair: Pair) -> list[dict[Any, Any]]:
        """Return why projections of the last common year moved, métiers that moved most first."""
        rows = pair.accuracy.dropna(subset=["start_revision", "horizon_revision"])
        rows = rows[rows["year"].eq(rows["year"].max())]
        told = rows.assign(
            missed=rows["error"] - rows["start_revision"],
            later=rows["horizon_revision"] - rows["error"],
        )
        return self._most(told, "horizon_revision")

    def misses(self, pair: Pair) -> list[dict[Any, Any]]:
        """Return the forecasts that fell furthest from what the next edition has."""
        rows = pair.accuracy
        return self._most(rows.assign(error_pct=100 * rows["error"] / rows["observed"]), "error")

    def _most(self, rows: pd.DataFrame, by: str) -> list[dict[Any, Any]]:
        """Return the rows that are furthest from zero, as many of each branch."""
        many = max(1, _SHOWN // max(1, rows["branch_code"].nunique()))
        most = rows.sort_values(by, key=abs, ascending=False).groupby("branch_code").head(many)
        return self._lines(most)

    def _lines(self, rows: pd.DataFrame) -> list[dict[Any, Any]]:
        """Return rows of a table with their numbers there, and labels for codes."""
        codes = {"branch": "branch_code", "metier": "metier_code"}
        named = {
            name: [self.labels.get(each, each) for each in rows[code]]
            for name, code in codes.items()
            if code in rows
        }
        return rows.assign(line=rows.index, **named).to_dict("records")


def _known(kinds: pd.Series) -> list[str]:
    """Return the kinds that some rows have, in the order of `compare.KINDS`."""
    held = {each for cell in kinds for each in cell.split(",")}
    return [kind for kind in compare.KINDS if kind in held]
