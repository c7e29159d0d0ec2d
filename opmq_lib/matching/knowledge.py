"""What was learned of words, as tables: which families go together, where they point, weights.

`associations.csv`, `vectors.csv` and `fusion.csv` are written by `benchmarks/matching.py --train`,
from the sources that `learned/README.md` names, and read once.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float32]

SURE_FROM = 0.5
"""Least confidence of an answer that nobody needs to look at."""


@dataclass(frozen=True)
class Knowledge:
    """What is known of word families and of how measures make a confidence.

    Attributes:
        associations: Family, other family, strength in (0, 1].
        words: Position in `vectors` of each family that has one.
        vectors: One row a family, length one.
        layers: Weights and biases of the fusion: hidden layer, score, and slope and shift of the
            score by log of the list's size; none before it was learned.
    """

    associations: Sequence[tuple[str, str, float]]
    words: Mapping[str, int]
    vectors: Floats
    layers: Sequence[tuple[Floats, Floats]]

    def vectors_of(self, families: Sequence[str]) -> Floats:
        """Return the vector of each family; null where unknown."""
        places = np.array([self.words.get(word, -1) for word in families], dtype="int64")
        return np.where(places[:, None] >= 0, self.vectors[places], np.float32(0))

    def related(self, ids: Mapping[str, int]) -> Any:
        """Return families × families: one on the diagonal, strengths elsewhere."""
        known = [
            (ids[word], ids[other], strength)
            for word, other, strength in self.associations
            if word in ids and other in ids
        ]
        rows, columns, strengths = np.array(known).reshape(-1, 3).T
        places = (rows.astype(int), columns.astype(int))
        beside = sparse.csr_matrix((strengths, places), shape=(len(ids), len(ids)))
        return (beside + sparse.identity(len(ids))).tocsr().astype("float32")

    def confidence(self, measures: pd.DataFrame) -> NDArray[np.float64]:
        """Return the probability that each pair is right, between 0 and 1.

        A network with one hidden layer (rectified), learned on official mappings by pointwise
        logistic loss, so that its output is a frequency and not only an order; then a line whose
        slope depends on the size of the list, from first answers to questions held out. A label
        that says what is asked, no more and no less, is sure.
        """
        values, (first, last, by_size) = measures.to_numpy(dtype="float32"), self.layers
        values = np.maximum(values @ first[0] + first[1], 0) @ last[0] + last[1]
        slope, shift = (measures[["list_size"]].to_numpy() @ by_size[0] + by_size[1]).T
        scores = np.clip(slope * values.ravel().astype("float64") + shift, -30, 30)
        exact = measures["same_stems"].to_numpy() > 0
        return np.asarray(np.maximum(1 / (1 + np.exp(-scores)), SURE_FROM * exact))


@cache
def knowledge() -> Knowledge:
    """Return what ships with the package."""
    pairs, words, fusion = map(_read, ("associations", "vectors", "fusion"))
    strengths = pairs["strength"].astype("float64")
    associations = list(zip(pairs["family"], pairs["other"], strengths, strict=True))
    packed = b"".join(map(base64.b64decode, words["vector"]))
    whole = np.frombuffer(packed, dtype="int8").reshape(len(words), -1).astype("float32")
    vectors = whole / np.linalg.norm(whole, axis=1, keepdims=True)
    layers = []
    for _, rows in fusion.groupby("layer")["weights"]:
        numbers = np.array([row.split() for row in rows], dtype="float32")
        layers.append((numbers[:-1], numbers[-1]))
    places = {word: place for place, word in enumerate(words["family"])}
    return Knowledge(associations, places, vectors, layers)


def _read(name: str) -> pd.DataFrame:
    path = resources.files(__package__) / f"learned/{name}.csv"
    with path.open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype="str", keep_default_na=False)
