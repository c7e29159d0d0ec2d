"""What `opmq_lib.matching` knows of words and weights, learned from official mappings."""

import base64
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.linalg import svds
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from opmq_lib.matching.knowledge import Knowledge
from opmq_lib.matching.text import root, stems

HIDDEN_UNITS, EPOCHS, SEED = 24, 14, 0
DIMENSIONS = 48
LEAST_PAIRS, LEAST_STRENGTH = 2.0, 0.03
LABELS_PAIRED = 4

Pair = tuple[Sequence[str], Sequence[str], float]


def read(file: Path, skip: int = 0) -> pd.DataFrame:
    """Return a producer's table, everything as text."""
    return pd.read_csv(file, dtype="str", keep_default_na=False, skiprows=skip)


def families(texts: Iterable[str]) -> list[list[str]]:
    """Return the word families of each text, each once."""
    return [list(dict.fromkeys(map(root, stems(text)))) for text in texts]


def mapped_pairs(queries: Sequence[str], targets: Sequence[str]) -> list[Pair]:
    """Return both ways of reading official pairs: from query to label, and half back."""
    pairs = [
        (left, right, 1.0) for left, right in zip(families(queries), families(targets), strict=True)
    ]
    return pairs + [(right, left, 0.5) for left, right, _ in pairs]


def alternative_pairs(corpus: pd.DataFrame, left_out: Collection[str]) -> list[Pair]:
    """Return pairs of labels of one code, the codes left out excepted."""
    kept = corpus[~corpus["code"].isin(left_out)]
    pairs: list[Pair] = []
    for _, labels in kept.groupby("code")["label"]:
        distinct = list(dict.fromkeys(map(tuple, families(labels))))[:LABELS_PAIRED]
        pairs += [(left, right, 1 / len(distinct)) for left, right in permutations(distinct, 2)]
    return pairs


def learn_associations(pairs: Sequence[Pair]) -> list[tuple[str, str, float]]:
    """Return which family of one side stands for which of the other (IBM model 1, with a null)."""
    ids: dict[str, int] = {"": 0}
    left, right, place, weights = [], [], [], []
    for source, target, weight in pairs:
        for word in target:
            for other in ("", *source):
                left.append(ids.setdefault(other, len(ids)))
                right.append(ids.setdefault(word, len(ids)))
                place.append(len(weights))
            weights.append(weight)
    left_, right_, place_ = np.array(left), np.array(right), np.array(place)
    distinct, inverse = np.unique(left_ * len(ids) + right_, return_inverse=True)
    source_, target_ = distinct // len(ids), distinct % len(ids)
    chance = np.where(source_ == target_, 0.6, 0.02)
    expected = chance
    for _ in range(6):
        share = chance[inverse]
        share = share / np.bincount(place_, share)[place_] * np.array(weights)[place_]
        expected = np.bincount(inverse, share)
        chance = expected / (np.bincount(source_, expected, minlength=len(ids))[source_] + 2)
    kept = (expected >= LEAST_PAIRS) & (source_ != target_) & (source_ > 0)
    kept &= chance >= LEAST_STRENGTH
    names = list(ids)
    found = zip(source_[kept], target_[kept], chance[kept] ** 0.7, strict=True)
    return sorted((names[one], names[other], round(float(value), 3)) for one, other, value in found)


def rome_sentences(rome: Path) -> tuple[list[str], list[list[str]]]:
    """Return sentences of the ROME, and the skill labels of each of its métiers; no title."""
    tables = {
        name: read(rome / f"unix_{name}_v460_utf8.csv")
        for name in ("referentiel_competence", "referentiel_savoir", "texte", "coherence_item")
    }
    skills, knowledge = tables["referentiel_competence"], tables["referentiel_savoir"]
    labels = dict(zip(skills["code_ogr"], skills["libelle_competence"], strict=True))
    labels |= dict(zip(knowledge["code_ogr_savoir"], knowledge["libelle_savoir"], strict=True))
    sentences = [*skills["libelle_competence"], *filter(None, skills["definition"])]
    sentences += [*knowledge["libelle_savoir"]]
    for text in tables["texte"]["libelle_texte"]:
        sentences += re.split(r"[.;\n]", text)
    profiles: dict[str, list[str]] = defaultdict(list)
    links = tables["coherence_item"]
    for metier, item in zip(links["code_rome"], links["code_ogr"], strict=True):
        if item in labels:
            profiles[metier].append(labels[item])
    return sentences, list(profiles.values())


def learn_vectors(rome: Path, least: int = 4) -> tuple[dict[str, int], np.ndarray]:
    """Return vectors of families: positive pointwise mutual information, reduced (SVD).

    Two views side by side: families in one sentence, families in one métier's profile.
    """
    told, profiles = rome_sentences(rome)
    sentences = families(told)
    count = Counter(word for each in sentences for word in each)
    ids = {word: place for place, word in enumerate(sorted(w for w in count if count[w] >= least))}
    rows, columns = [], []
    for each in sentences:
        known = [ids[word] for word in each if word in ids][:40]
        for place in known:
            rows += [place] * len(known)
            columns += known
    shape = (len(ids), len(ids))
    together = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
    together.setdiag(0)
    together.eliminate_zeros()
    cells = [
        (ids[word], place, np.log1p(times))
        for place, labels in enumerate(profiles)
        for word, times in Counter(w for each in families(labels) for w in each).items()
        if word in ids
    ]
    row, column, value = zip(*cells, strict=True)
    by_metier = sparse.csr_matrix((value, (row, column)), shape=(len(ids), len(profiles)))
    views = [_positive_information(matrix) for matrix in (together, by_metier)]
    views = [matrix / np.sqrt(matrix.multiply(matrix).sum()) for matrix in views]
    left, singular, _ = svds(sparse.hstack(views).tocsr(), k=DIMENSIONS, random_state=SEED)
    vectors = left * np.sqrt(singular)
    vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), range(DIMENSIONS)])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    whole = np.round(vectors * 127 / np.abs(vectors).max(axis=1, keepdims=True)).astype("int8")
    return ids, whole


def near_families(ids: dict[str, int], vectors: np.ndarray) -> list[tuple[str, str, float]]:
    """Return, for each family, the few that point the same way."""
    unit = vectors.astype("float32")
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, 0)
    names = list(ids)
    best = np.argsort(-likeness, axis=1, kind="stable")[:, :3]
    return [
        (names[row], names[other], round(float(0.5 * likeness[row, other] ** 2), 3))
        for row in range(len(names))
        for other in best[row]
        if likeness[row, other] >= 0.78
    ]


def learn_fusion(measures: pd.DataFrame, right: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the layers of a network from measures to a probability, scaling folded in."""
    values = measures.to_numpy(dtype="float64")
    centre, spread = values.mean(axis=0), values.std(axis=0) + 1e-6
    network = MLPClassifier(
        (HIDDEN_UNITS,), max_iter=EPOCHS, n_iter_no_change=EPOCHS, batch_size=2_000,
        learning_rate_init=3e-3, random_state=SEED,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is the rule
        network.fit((values - centre) / spread, right)
    (first, second), (bias, last) = network.coefs_, network.intercepts_
    scaled = first / spread[:, None]
    return [(scaled, bias - centre @ scaled), (second, last)]


def knowledge(
    associations: list[tuple[str, str, float]],
    words: dict[str, int],
    vectors: np.ndarray,
    layers: Sequence[tuple[np.ndarray, np.ndarray]] = (),
) -> Knowledge:
    """Return what was learned as the package reads it."""
    unit = vectors.astype("float32")
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    floats = [(one.astype("float32"), other.astype("float32")) for one, other in layers]
    return Knowledge(associations, words, unit, floats)


def write(
    folder: Path,
    associations: list[tuple[str, str, float]],
    words: dict[str, int],
    vectors: np.ndarray,
    layers: Sequence[tuple[np.ndarray, np.ndarray]],
) -> None:
    """Write the three tables that ship with the package."""
    table = pd.DataFrame(associations, columns=["family", "other", "strength"])
    table.to_csv(folder / "associations.csv", index=False, lineterminator="\n")
    packed = [base64.b64encode(row.tobytes()).decode() for row in vectors]
    table = pd.DataFrame({"family": list(words), "vector": packed})
    table.to_csv(folder / "vectors.csv", index=False, lineterminator="\n")
    rows = [
        (place, " ".join(f"{value:.6g}" for value in row))
        for place, (weights, bias) in enumerate(layers)
        for row in (*weights, bias)
    ]
    table = pd.DataFrame(rows, columns=["layer", "weights"])
    table.to_csv(folder / "fusion.csv", index=False, lineterminator="\n")


def _positive_information(matrix: sparse.csr_matrix, smoothing: float = 0.75) -> sparse.csr_matrix:
    """Return positive pointwise mutual information, frequent contexts smoothed."""
    cells = matrix.tocoo()
    rows = np.asarray(matrix.sum(axis=1)).ravel()
    columns = np.asarray(matrix.sum(axis=0)).ravel() ** smoothing
    columns /= columns.sum()
    value = np.log(cells.data / (rows[cells.row] * columns[cells.col]))
    kept = value > 0
    return sparse.csr_matrix((value[kept], (cells.row[kept], cells.col[kept])), shape=matrix.shape)
