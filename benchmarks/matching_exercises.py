"""Questions that the confidence learns from, and is judged by.

Official mappings asked of whole lists and of lists of any size, half of whose questions have no
answer there; labels held out of their list, and labels misspelt.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

HELD_OUT_SHARE, QUERIES = 0.12, 60
LABELS_PER_QUESTION = 10
UNANSWERED = 0.5
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SHORT = {
    "responsable": "resp.", "technicien": "tech.", "technicienne": "tech.", "ingénieur": "ing.",
    "assistant": "assist.", "assistante": "assist.", "conducteur": "cond.", "agent": "agt",
    "opérateur": "oper.", "maintenance": "maint.", "production": "prod", "qualité": "qual.",
    "directeur": "dir.", "industriel": "indus.", "industrielle": "indus.", "contrôle": "ctrl",
}  # fmt: skip


@dataclass(frozen=True)
class Questions:
    """Texts with their right codes in a list of labels; none: the list has no answer.

    Attributes:
        corpus: `code`, `label`.
        queries: Texts.
        right: For each text, its codes.
    """

    corpus: pd.DataFrame
    queries: list[str]
    right: list[set[str]]


def lists(asked: Questions, size: int, most: int, draw: np.random.Generator) -> Iterator[Questions]:
    """Yield lists of about `size` labels drawn from a longer one, each with its own questions.

    Half of the codes asked for are not in the list; of a list that is nearly the whole one, as few
    as chance leaves out.

    Args:
        asked: The whole list and all its questions.
        size: Labels of each list.
        most: Questions over all lists, at most.
        draw: Random numbers.
    """
    labels = asked.corpus.groupby("code").size()
    order = draw.permutation(len(asked.queries))[:most]
    each = max(4, min(size // LABELS_PER_QUESTION, len(labels) // 10))
    for start in range(0, len(order), each):
        places = order[start : start + each]
        codes = sorted(set().union(*(asked.right[place] for place in places)))
        lost = min(UNANSWERED, 1 - size / len(asked.corpus))
        out = {code for code in codes if draw.random() < lost}
        others = draw.permutation([code for code in labels.index if code not in set(codes)])
        kept = set(codes) - out
        room = size - labels[sorted(kept)].sum()
        kept |= set(others[labels[others].cumsum() <= room])
        corpus = asked.corpus[asked.corpus["code"].isin(kept)].reset_index(drop=True)
        if len(corpus):
            queries = [asked.queries[place] for place in places]
            yield Questions(corpus, queries, [asked.right[place] & kept for place in places])


def own_labels(
    corpus: pd.DataFrame, codes: set[str], draw: np.random.Generator
) -> Iterator[Questions]:
    """Yield labels of some codes held out of their list, plain or misspelt; then, misspelt."""
    corpus = corpus.drop_duplicates(ignore_index=True)
    several = corpus.groupby("code")["label"].transform("size") > 1
    own = corpus["code"].isin(codes)
    out = corpus[own & several & (draw.random(len(corpus)) < HELD_OUT_SHARE)]
    rest = corpus.drop(out.index)
    out = out[out["code"].isin(rest["code"])]
    out = out.iloc[draw.permutation(len(out))[:QUERIES]]
    queries = [misspelt(label, draw) if draw.random() < 0.5 else label for label in out["label"]]
    yield Questions(rest, queries, [{code} for code in out["code"]])
    copies = corpus[own].iloc[draw.permutation(own.sum())[: QUERIES // 2]]
    every = corpus.groupby("label")["code"].agg(set)
    queries = [misspelt(label, draw) for label in copies["label"]]
    yield Questions(corpus, queries, [every[label] for label in copies["label"]])


def misspelt(label: str, draw: np.random.Generator) -> str:
    """Return a label as somebody in haste would write it."""
    words = label.split("/")[int(draw.integers(0, label.count("/") + 1))].split()
    words = [SHORT.get(word.lower(), word) if draw.random() < 0.5 else word for word in words]
    text = " ".join(words)
    for _ in range(int(draw.integers(0, 3))):
        place = int(draw.integers(0, max(len(text) - 1, 1)))
        letter = LETTERS[int(draw.integers(0, 26))]
        text = {
            0: text[:place] + text[place + 1 :],
            1: text[:place] + text[place : place + 1] * 2 + text[place + 1 :],
            2: text[:place] + text[place : place + 2][::-1] + text[place + 2 :],
            3: text[:place] + letter + text[place + 1 :],
        }[int(draw.integers(0, 4))]
    return text.upper() if draw.random() < 0.1 else text
