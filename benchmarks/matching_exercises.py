"""Exercises beside the official mappings: labels held out of their list, and labels misspelt.

They teach the confidence what a question looks like elsewhere: a title typed in haste, a label that
the list does not have under that form.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

HELD_OUT_SHARE, QUERIES = 0.12, 700
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SHORT = {
    "responsable": "resp.", "technicien": "tech.", "technicienne": "tech.", "ingénieur": "ing.",
    "assistant": "assist.", "assistante": "assist.", "conducteur": "cond.", "agent": "agt",
    "opérateur": "oper.", "maintenance": "maint.", "production": "prod", "qualité": "qual.",
    "directeur": "dir.", "industriel": "indus.", "industrielle": "indus.", "contrôle": "ctrl",
}  # fmt: skip


@dataclass(frozen=True)
class Exercise:
    """Queries with their right codes in a corpus; relations are not told."""

    name: str
    corpus: pd.DataFrame
    queries: list[str]
    right: list[set[str]]


def exercises(corpora: dict[str, pd.DataFrame], seed: int = 0) -> list[Exercise]:
    """Return, for each corpus, labels held out of it, plain or misspelt, and labels misspelt."""
    draw = np.random.default_rng(seed)
    found = []
    for name, corpus in corpora.items():
        corpus = corpus.drop_duplicates(ignore_index=True)
        several = corpus.groupby("code")["label"].transform("size") > 1
        out = corpus[several & (draw.random(len(corpus)) < HELD_OUT_SHARE)]
        rest = corpus.drop(out.index)
        out = out[out["code"].isin(rest["code"])]
        out = out.iloc[draw.permutation(len(out))[:QUERIES]]
        queries = [
            misspelt(label, draw) if draw.random() < 0.5 else label for label in out["label"]
        ]
        found.append(Exercise(f"{name}, held out", rest, queries, [{code} for code in out["code"]]))
        copies = corpus.iloc[draw.permutation(len(corpus))[: QUERIES // 2]]
        every = corpus.groupby("label")["code"].agg(set)
        queries = [misspelt(label, draw) for label in copies["label"]]
        right = [every[label] for label in copies["label"]]
        found.append(Exercise(f"{name}, misspelt", corpus, queries, right))
    return found


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
