"""What was learned of words, as tables: which families go together, where they point, weights.

`associations.csv`, `vectors.csv` and `fusion.csv` are written by `benchmarks/matching.py --train`,
from the sources told in `README.md`, and read once.
"""

import base64
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Knowledge:
    """What is known of word families and of how measures make a confidence.

    Attributes:
        associations: Family, other family, strength in (0, 1].
        words: Families that have a vector.
        vectors: One row a family, length one.
        layers: Weights and biases of the fusion, in order; none before it was learned.
    """

    associations: Sequence[tuple[str, str, float]]
    words: Mapping[str, int]
    vectors: Floats
    layers: Sequence[tuple[Floats, Floats]]

    def vectors_of(self, families: Sequence[str]) -> Floats:
        """Return the vector of each family; null where unknown."""
        found = np.zeros((len(families), self.vectors.shape[1]), dtype="float32")
        known = [(row, self.words[word]) for row, word in enumerate(families) if word in self.words]
        if known:
            rows, positions = map(list, zip(*known, strict=True))
            found[rows] = self.vectors[positions]
        return found

    def related(self, ids: Mapping[str, int]) -> Any:
        """Return families × families: one on the diagonal, strengths elsewhere."""
        known = [
            (ids[word], ids[other], strength)
            for word, other, strength in self.associations
            if word in ids and other in ids
        ]
        rows, columns, strengths = zip(*known, strict=True) if known else ((), (), ())
        shape = (len(ids), len(ids))
        beside = sparse.csr_matrix((strengths, (rows, columns)), shape=shape, dtype="float32")
        return (beside + sparse.identity(len(ids), dtype="float32", format="csr")).tocsr()


@cache
def knowledge() -> Knowledge:
    """Return what ships with the package."""
    associations = [
        (row["family"], row["other"], float(row["strength"])) for row in _rows("associations.csv")
    ]
    rows = _rows("vectors.csv")
    packed = b"".join(base64.b64decode(row["vector"]) for row in rows)
    whole = np.frombuffer(packed, dtype="int8").reshape(len(rows), -1).astype("float32")
    vectors = whole / np.linalg.norm(whole, axis=1, keepdims=True)
    words = {row["family"]: position for position, row in enumerate(rows)}
    return Knowledge(associations, words, vectors, _layers(_rows("fusion.csv")))


def _layers(rows: Sequence[Mapping[str, str]]) -> list[tuple[Floats, Floats]]:
    layers = []
    for layer in sorted({row["layer"] for row in rows}):
        own = [row for row in rows if row["layer"] == layer]
        numbers = np.array([row["weights"].split() for row in own], dtype="float32")
        layers.append((numbers[:-1], numbers[-1]))
    return layers


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))
