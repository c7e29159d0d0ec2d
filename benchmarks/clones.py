"""Two clones of one commit give the same tables, figures, pages and archive, byte for byte.

    python benchmarks/clones.py FIRST SECOND             compare two finished projects
    python benchmarks/clones.py --build FOLDER [BRANCH…] make both in FOLDER, then compare

Built, they differ by folder, number of workers, time zone, locale and order of hashes; both are
frozen as `clones` before they are compared. With branches, the clones have these alone. Prints how
many files of each kind are the same and the first that is not; the exit status is then 1.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parent.parent
NAME = "clones"
HERE = {
    "first": {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1", "WORKERS": "1"},
    "second/étude": {
        "TZ": "Pacific/Auckland",
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "2",
        "WORKERS": "3",
    },
}
"""Folder of each clone, and what it is run with."""
KINDS = {
    "table": ("outputs/[!.]*/*/*/*.csv",),
    "notebook": ("outputs/[!.]*/*/*/*.ipynb",),
    "workbook": ("outputs/[!.]*/*/*/*.xlsx",),
    "page": ("outputs/site/**/*.html",),
    "download": ("outputs/site/telechargements/**/*",),
    "archive": ("outputs/editions/*.zip", "outputs/editions/*.sha256"),
}
_SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)


def built(folder: Path, branches: list[str]) -> list[Path]:
    """Clone the project twice, run the study and freeze it in each; return their folders."""
    folder.mkdir(parents=True)
    places = [folder / name for name in HERE]
    for place, given in zip(places, HERE.values(), strict=True):
        subprocess.run(["git", "clone", "--quiet", ROOT, place], check=True)
        for path in (place / "parameters/branches").glob("*.yml"):
            if branches and path.stem not in branches:
                path.unlink()
        environment = os.environ | given | {"PYTHONPATH": str(place), "OPMQ_ROOT": str(place)}
        for words in (("study", "--workers", given["WORKERS"]), ("edition", "freeze", NAME)):
            command = [sys.executable, "-m", "opmq_lib", *words]
            subprocess.run(command, cwd=place, env=environment, check=True)
    return places


def contents(root: Path, kind: str) -> Iterator[tuple[str, bytes]]:
    """Yield what a project has of a kind, by name."""
    for pattern in KINDS[kind]:
        for path in sorted(root.glob(pattern)):
            if path.is_file():
                yield path.relative_to(root).as_posix(), path.read_bytes()


def figures(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every SVG of the executed notebooks, by notebook and number."""
    for name, content in contents(root, "notebook"):
        outputs = [
            each for cell in json.loads(content)["cells"] for each in cell.get("outputs", ())
        ]
        texts = ["".join(text) for each in outputs for text in each.get("data", {}).values()]
        drawn = [svg for text in texts for svg in _SVG.findall(text)]
        yield from ((f"{name}#{n}", svg.encode()) for n, svg in enumerate(drawn, start=1))


def difference(first: bytes, second: bytes) -> str:
    """Return where two contents part."""
    pairs = zip_longest(first.splitlines(), second.splitlines(), fillvalue=b"(no such line)")
    for number, (one, other) in enumerate(pairs, start=1):
        if one != other:
            at = next((n for n, pair in enumerate(zip(one, other, strict=False))
                       if pair[0] != pair[1]), 0)  # fmt: skip
            shown = [each[max(at - 40, 0) : at + 80] for each in (one, other)]
            return f"line {number}, byte {at}:\n    {shown[0]!r}\n    {shown[1]!r}"
    return "the ends of lines"


def main(words: list[str]) -> int:
    """Compare two projects; return the exit status."""
    if words[:1] == ["--build"]:
        first, second = built(Path(words[1]).resolve(), words[2:])
    else:
        first, second = map(Path, words)
    is_same = True
    for kind in (*KINDS, "figure"):
        pair = (dict(figures(each) if kind == "figure" else contents(each, kind))
                for each in (first, second))  # fmt: skip
        one, other = pair
        differing = sorted(
            name for name in one.keys() | other.keys() if one.get(name) != other.get(name)
        )
        total = hashlib.sha256("".join(hashlib.sha256(one[name]).hexdigest()
                                       for name in sorted(one)).encode()).hexdigest()  # fmt: skip
        print(f"{kind:9}{len(one):6} here, {len(other):6} there, {len(differing)} differ; {total}")
        if differing or not one:
            is_same = False
            name = differing[0] if differing else "none was found"
            where = "only in one of them"
            if name in one and name in other:
                where = difference(one[name], other[name])
            print(f"  first: {name}: {where}")
    return 0 if is_same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
