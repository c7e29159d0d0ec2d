"""What `opmq_lib.matching` knows: words, from labels and texts; weights, from official mappings."""

import base64
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, permutations, product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.linalg import svds
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from opmq_lib.matching.knowledge import Knowledge
from opmq_lib.matching.text import root, stems

HIDDEN_UNITS, EPOCHS, NETWORKS, SEED = 16, 10, 3, 0
DIMENSIONS, LEAST_MET = 48, 4
LEAST_STRENGTH, SYNONYMS = 0.12, 6

Association = tuple[str, str, float]
Labels = dict[str, set[tuple[str, ...]]]
"""The distinct labels of each code, as word families."""


@dataclass(frozen=True)
class Texts:
    """What words are learned from.

    Attributes:
        ids: Position of each family met four times or more.
        views: Families × families of one sentence of the ROME; families × its métiers.
        corpora: Lists of labels.
    """

    ids: dict[str, int]
    views: list[sparse.csr_matrix]
    corpora: list[Labels]


def read(file: Path, skip: int = 0) -> pd.DataFrame:
    """Return a producer's table, everything as text."""
    return pd.read_csv(file, dtype="str", keep_default_na=False, skiprows=skip)


def families(texts: Iterable[str]) -> list[list[str]]:
    """Return the word families of each text, each once."""
    return [list(dict.fromkeys(map(root, stems(text)))) for text in texts]


def read_texts(rome: Path, lists: Iterable[pd.DataFrame]) -> Texts:
    """Return the sentences and profiles of the ROME, and lists of labels, as families."""
    told, profiles = rome_sentences(rome)
    sentences = families(told)
    corpora: list[Labels] = []
    for table in lists:
        corpora.append(defaultdict(set))
        for code, words in zip(table["code"], families(table["label"]), strict=True):
            corpora[-1][code].add(tuple(words))
    labels = [label for each in corpora for own in each.values() for label in own]
    count = Counter(chain.from_iterable([*sentences, *labels]))
    ids = {
        word: place for place, word in enumerate(sorted(w for w in count if count[w] >= LEAST_MET))
    }
    held = _counts([dict.fromkeys(words[:40], 1) for words in sentences], ids)
    together = (held @ held.T).tocsr()
    together.setdiag(0)
    together.eliminate_zeros()
    of_metier = [Counter(chain.from_iterable(families(each))) for each in profiles]
    by_metier = _counts(of_metier, ids)
    by_metier.data = np.log1p(by_metier.data)
    return Texts(ids, [together, by_metier], corpora)


def words(texts: Texts, left_out: Collection[str]) -> Knowledge:
    """Return what is known of words without any label of the codes left out."""
    kept = [
        {code: own for code, own in each.items() if code not in left_out} for each in texts.corpora
    ]
    known, vectors = learn_vectors(texts, kept)
    strengths = {(one, other): value for one, other, value in near_families(known, vectors)}
    for one, other, value in synonyms(kept):
        strengths[one, other] = max(value, strengths.get((one, other), 0))
    table = [(one, other, value) for (one, other), value in sorted(strengths.items())]
    return Knowledge(table, known, _unit(vectors), ())


def synonyms(corpora: Sequence[Labels]) -> list[Association]:
    """Return which families one label of a code has where another label of it has others.

    What only one label says may be what only the other says, the more so the fewer words differ
    and if they share the rest. Strength: of the codes where a family is replaced, the share that
    replace it so, shrunk; meetings that chance explains are dropped.
    """
    replaced: Counter[tuple[str, str]] = Counter()
    held_by: Counter[str] = Counter()
    for labels in chain.from_iterable(each.values() for each in corpora):
        own: Counter[tuple[str, str]] = Counter()
        for one, other in permutations(sorted(labels), 2):
            left, right = (sorted(set(a) - set(b)) for a, b in ((one, other), (other, one)))
            both = 1.0 if set(one) & set(other) else 0.5
            for pair in product(left, right):
                own[pair] += both / (len(left) * len(right))
        replaced.update({pair: min(weight, 1.0) for pair, weight in own.items()})
        held_by.update({word for word, _ in own})
    every = held_by.total()
    found: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for (word, other), weight in replaced.items():
        share = weight / (held_by[word] + 2)
        strength = round(float(share**0.7), 3)
        by_chance = 6 * held_by[other] / every
        if weight >= 0.5 and strength >= LEAST_STRENGTH and share > by_chance:
            found[word].append((strength, other))
    return [
        (word, other, strength)
        for word in sorted(found)
        for strength, other in sorted(found[word], reverse=True)[:SYNONYMS]
    ]


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


def learn_vectors(texts: Texts, corpora: Sequence[Labels]) -> tuple[dict[str, int], np.ndarray]:
    """Return vectors of families: positive pointwise mutual information, reduced (SVD).

    Three views side by side: families in one sentence, in one métier's profile, in one code's
    labels.
    """
    of_code = [Counter(chain.from_iterable(own)) for each in corpora for own in each.values()]
    by_code = _counts(of_code, texts.ids)
    by_code.data = np.log1p(by_code.data)
    views = [_positive_information(matrix) for matrix in (*texts.views, by_code)]
    views = [matrix / np.sqrt(matrix.multiply(matrix).sum()) for matrix in views]
    left, singular, _ = svds(sparse.hstack(views).tocsr(), k=DIMENSIONS, random_state=SEED)
    vectors = left * np.sqrt(singular)
    vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), range(DIMENSIONS)])
    told = np.flatnonzero(np.linalg.norm(vectors, axis=1) > 1e-9)
    names = list(texts.ids)
    whole = 127 * vectors[told] / np.abs(vectors[told]).max(axis=1, keepdims=True)
    return {names[row]: place for place, row in enumerate(told)}, np.round(whole).astype("int8")


def _counts(rows: Sequence[Mapping[str, int]], ids: Mapping[str, int]) -> sparse.csr_matrix:
    """Return families × rows: how often each row has each family known."""
    cells = [
        (ids[word], place, times)
        for place, row in enumerate(rows)
        for word, times in row.items()
        if word in ids
    ]
    places, columns, values = zip(*cells, strict=True)
    shape = (len(ids), len(rows))
    return sparse.csr_matrix((np.array(values, dtype=float), (places, columns)), shape=shape)


def near_families(ids: dict[str, int], vectors: np.ndarray) -> list[tuple[str, str, float]]:
    """Return, for each family, the few that point the same way."""
    unit = _unit(vectors)
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
    """Return the layers of a network from measures to a probability, scaling folded in.

    Its hidden units are those of several networks that began elsewhere: its output is their mean.
    """
    values = measures.to_numpy(dtype="float64")
    centre, spread = values.mean(axis=0), values.std(axis=0) + 1e-6
    scaled = (values - centre) / spread
    networks = []
    for seed in range(SEED, SEED + NETWORKS):
        network = MLPClassifier(
            (HIDDEN_UNITS,), max_iter=EPOCHS, n_iter_no_change=EPOCHS, batch_size=2_000,
            learning_rate_init=3e-3, random_state=seed,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is the rule
            networks.append(network.fit(scaled, right))
    first = np.hstack([network.coefs_[0] for network in networks]) / spread[:, None]
    bias = np.concatenate([network.intercepts_[0] for network in networks]) - centre @ first
    second = np.vstack([network.coefs_[1] for network in networks]) / NETWORKS
    last = np.mean([network.intercepts_[1] for network in networks], axis=0)
    return [(first, bias), (second, last), (np.zeros((1, 2)), np.array([1.0, 0.0]))]


def learn_calibration(first: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return slope and shift of the score, by log of the list's size and flat (logistic).

    Args:
        first: `confidence`, `right` and `size` of first answers that the fusion has not seen.
    """
    confidence = first["confidence"].clip(1e-9, 1 - 1e-9)
    score, size = np.log(confidence / (1 - confidence)), np.log(first["size"])
    values = np.column_stack([score, size, score * size])
    fit = LogisticRegression(C=10, max_iter=500).fit(values, first["right"].astype(int))
    slope, shift, slope_by_size = fit.coef_[0]
    return np.array([[slope_by_size, shift]]), np.array([slope, fit.intercept_[0]])


def _unit(vectors: np.ndarray) -> np.ndarray:
    unit = vectors.astype("float32")
    return unit / np.linalg.norm(unit, axis=1, keepdims=True)


def write(folder: Path, known: Knowledge) -> None:
    """Write the three tables that ship with the package."""
    table = pd.DataFrame(known.associations, columns=["family", "other", "strength"])
    table.to_csv(folder / "associations.csv", index=False, lineterminator="\n")
    whole = 127 * known.vectors / np.abs(known.vectors).max(axis=1, keepdims=True)
    packed = [base64.b64encode(row.tobytes()).decode() for row in np.round(whole).astype("int8")]
    table = pd.DataFrame({"family": list(known.words), "vector": packed})
    table.to_csv(folder / "vectors.csv", index=False, lineterminator="\n")
    rows = [
        (place, " ".join(f"{value:.6g}" for value in row))
        for place, (weights, bias) in enumerate(known.layers)
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
