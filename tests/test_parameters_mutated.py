"""Parameter files that a hand, a disk or a hostile mind has spoilt: refused in words, or valid."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opmq_lib.errors import DataError
from opmq_lib.params import is_printable
from opmq_lib.sources import parameters, registers, validate, vote
from opmq_lib.sources.yaml_model import Reading

ROOT = Path(__file__).parent.parent
COUNT = 1000 if os.environ.get("OPMQ_TEST_FULL") else 80
VALIDATED, VOTED = 40, 20
"""Of so many, one is checked with the whole project, and one is voted into."""

CHIMIE = "parameters/branches/chimie.yml"
SCENARIO = "parameters/scenarios/bas_carbone.yml"
READERS: dict[str, Callable[[Path], Reading[Any]]] = {
    "parameters/edition.yml": parameters.read_edition,
    "parameters/requests.yml": registers.read_import,
    CHIMIE: lambda root: parameters.read_branch(root / CHIMIE, CHIMIE),
    SCENARIO: lambda root: parameters.read_scenario(root / SCENARIO, SCENARIO),
}
VALUES = (
    *("[" * 900 + "]" * 900, "{a: " * 900 + "1" + "}" * 900, "9" * 5000, "-" + "9" * 5000),
    *("1." + "9" * 5000, r'"data/\0x.csv"', f'"data/{"x" * 5000}.csv"', f'"{"x/" * 3000}"'),
    *(r'"\e[31m"', r'"\0"', r'"\ud800"', r'"\uffff"', r'"\x85"', ".inf", ".nan", "1e999", "0x1F"),
    *(
        "!!python/object:os.system x",
        "&a [*a]",
        "*a",
        "? x",
        "|",
        ">-",
        "'",
        '"',
        "{",
        "[",
        "[[1]]",
    ),
    *("null", "~", "true", "[]", "{}", "''", "0", "-1", "9" * 20, "00044", "\u202e", "<<: 1"),
    *("2026-02-30", "2026-01-31T10:00:00Z", "!!binary abc", "!!int x", "[null]", "{a: b}"),
)
LINES = (
    *("\t", "---", "...", "%YAML 9.9", "- x", "? [a]", "x: y: z", "\ufeff", "a: &b c", "<<: *x"),
    *(r'"\0": 1', "? {a: b}\n: c", "? " + "[" * 900 + "]" * 900),
)


def mutated(text: str, rng: random.Random) -> bytes:
    """Return a file with one value, line or byte that was not meant."""
    lines = text.split("\n")
    place = rng.randrange(len(lines))
    kind = rng.choice(["value"] * 8 + ["less", "twice", "indent", "cut", "more", "bytes", "end"])
    if kind == "value":
        place = rng.choice([n for n, line in enumerate(lines) if ":" in line])
        lines[place] = f"{lines[place].split(':')[0]}: {rng.choice(VALUES)}"
    elif kind == "less":
        del lines[place]
    elif kind in ("twice", "more"):
        lines.insert(place, rng.choice(lines if kind == "twice" else LINES))
    elif kind == "indent":
        lines[place] = " " * rng.randrange(1, 6) + lines[place]
    elif kind == "cut":
        lines[place] = lines[place][: rng.randrange(len(lines[place]) + 1)]
    content = bytearray("\n".join(lines).encode())
    for _ in range(4 if kind == "bytes" else 0):
        content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content[: rng.randrange(len(content))] if kind == "end" else content)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for folder in ("notebooks", "parameters"):
        shutil.copytree(ROOT / folder, root / folder)
    shutil.copy(ROOT / "_quarto.yml", root)
    for path in (root / "parameters/branches").glob("*.yml"):
        if path.name != Path(CHIMIE).name:
            path.unlink()
    return root


def refusal(checked: Callable[[], object]) -> str:
    """Return how something is refused, `""` if it is not: in lines that harm no terminal."""
    try:
        checked()
    except DataError as error:
        message = str(error)
        assert is_printable(message)
        assert message.encode()
        assert max(map(len, message.splitlines())) < 2010
        return message
    return ""


def test_mutated_parameter_file_is_refused_in_words_or_valid_and_nothing_else_is_written(
    root: Path,
) -> None:
    originals = {file: (root / file).read_bytes() for file in READERS}
    form = root.with_name("vote.xlsx")
    vote.form(parameters.load_branches(root)["chimie"]).save(form)
    before = sorted(root.rglob("*"))
    refused = 0
    for number in range(COUNT):
        rng = random.Random(number)
        file = rng.choice(list(READERS))
        content = mutated(originals[file].decode(), rng)
        (root / file).write_bytes(content)
        refused += bool(refusal(READERS[file](root).checked))
        if number % VALIDATED == 0:
            refusal(lambda: validate.validate(root))
        is_voted = number % VOTED == 0 and not refusal(lambda: vote.record(form, root))
        for each, original in originals.items():
            now = (root / each).read_bytes()
            if each == CHIMIE and is_voted:
                READERS[CHIMIE](root).checked()
            else:
                assert now == (content if each == file else original)
            (root / each).write_bytes(original)
        assert sorted(root.rglob("*")) == before
    assert 0.5 < refused / COUNT < 1


@pytest.mark.parametrize("label", [r"a\0b", r"\e[31mrouge"])
def test_control_character_in_a_label_is_a_defect_of_validate(root: Path, label: str) -> None:
    path = root / CHIMIE
    path.write_text(path.read_text().replace('"Industries chimiques"', f'"{label}"'))
    message = refusal(lambda: validate.validate(root, [path]))
    assert "key `label`: a control character (NUL, ESC, …)" in message
