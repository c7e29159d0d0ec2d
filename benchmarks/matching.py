"""Matching French titles and skills to ESCO, on concepts never seen, beside its peers.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/matching.py [--train]

The first argument may be the folder of the skills data (`esco/`, `rome_v460/`), by default
`shared/data/skills` beside the project. Five folds: titles are left out by ROME (every title of a
fiche of ROME V3), skills by ESCO concept. Nothing learned has seen a query of the fold, another
title of its ROME, or any label of the ESCO concepts that it means. Then confidence, on lists of any
size of which half of the questions have no answer there, and the time of 10 000 queries, index
included. `--train` writes what the package ships, learned on everything.
Peers: plain BM25, word TF-IDF, character TF-IDF (3 to 5, inside words, sublinear); edit distance on
100 queries drawn once, as it takes a quarter of a second each.
"""

import argparse
import re
import resource
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matching_exercises as exercising
import matching_learning as learning
import matching_peers as peers
import numpy as np
import pandas as pd
from matching_exercises import Questions

from opmq_lib.matching import build_index, match_labels
from opmq_lib.matching.knowledge import Knowledge
from opmq_lib.matching.match import BATCH
from opmq_lib.matching.pairs import pairs
from opmq_lib.matching.queries import read_queries

ROOT = Path(__file__).resolve().parents[1]
LEARNED = ROOT / "opmq_lib" / "matching" / "learned"
FOLDS, TOP, EDIT_QUERIES = 5, 10, 100
ASKED_SHARE, ASKED_PARTS = 0.1, 2
"""Of the groups of training queries: learned from in the fusion, while the others teach words."""
SIZES, QUESTIONS = (20, 200, 2_000, 15_000), 600
TAUGHT_WHOLE = 600
TAUGHT_SIZES, TAUGHT_QUESTIONS = (12, 20, 35, 60, 400, 3_000, 15_000), 300


@dataclass(frozen=True)
class Task(Questions):
    """Queries of an official mapping.

    Attributes:
        name: For the report.
        groups: For each query, what it is left out with.
        related: For each group, codes of other lists that are left out with it.
    """

    name: str
    groups: np.ndarray
    related: dict[str, set[str]]

    def part(self, places: np.ndarray) -> Questions:
        """Return some of the queries."""
        queries, right = ([values[p] for p in places] for values in (self.queries, self.right))
        return Questions(self.corpus, queries, right)

    def codes(self, places: np.ndarray) -> set[str]:
        """Return all codes that must not be seen where these queries are asked."""
        groups = set(self.groups[places])
        return set().union(
            *(self.right[place] for place in places), *(self.related.get(g, set()) for g in groups)
        )


def read_tasks(data: Path) -> list[Task]:
    """Return both official mappings as tasks."""
    occupations = corpus(data / "esco" / "occupations_fr.csv", ("altLabels", "hiddenLabels"))
    titles = learning.read(data / "esco" / "FR_20230607_mapping_esco_rome.csv", skip=15)
    titles.columns = ["code", "label", "item", "query", "relation"]
    rome = learning.read(data / "rome_v460" / "unix_referentiel_appellation_v460_utf8.csv")
    parent_of = dict(zip(rome["code_ogr"], rome["code_rome_parent"], strict=True))
    fiches = rome.groupby("code_rome_parent")["code_rome"].agg(set).to_dict()
    skills = corpus(data / "esco" / "skills_fr_labels.csv", ("altLabels",))
    belgian = learning.read(
        data / "esco" / "escocompetencemappingfinalreport-fr-nl-45-v3.8.csv", skip=16
    ).rename(
        columns={
            "Classification 1 URL": "code",
            "Classification 2 ID": "item",
            "Classification 2 PrefLabel FR": "query",
        }
    )
    return [
        _task("titles", occupations, titles.assign(group=titles["item"].map(parent_of)), fiches),
        _task("skills", skills, belgian.assign(group=belgian["code"]), {}),
    ]


def corpus(file: Path, others: Sequence[str]) -> pd.DataFrame:
    """Return every label and alternative label of an ESCO table."""
    table = learning.read(file)
    rows = [
        (row["conceptUri"], label.strip())
        for row in table.to_dict("records")
        for name in ("preferredLabel", *others)
        for label in re.split(r"[\n|]", row[name])
        if label.strip()
    ]
    return pd.DataFrame(rows, columns=["code", "label"]).drop_duplicates(ignore_index=True)


def rome_titles(data: Path) -> pd.DataFrame:
    """Return the titles of the ROME with the code of their métier."""
    table = learning.read(data / "rome_v460" / "unix_referentiel_appellation_v460_utf8.csv")
    return table[["code_rome", "libelle_appellation_long"]].set_axis(["code", "label"], axis=1)


def _task(
    name: str, labels: pd.DataFrame, mapping: pd.DataFrame, related: dict[str, set[str]]
) -> Task:
    known = mapping[mapping["code"].isin(labels["code"])]
    table = known.groupby("item").agg({"query": "first", "code": set, "group": "min"})
    groups = table["group"].to_numpy()
    return Task(labels, table["query"].tolist(), table["code"].tolist(), name, groups, related)


def drawn(groups: np.ndarray, parts: int, seed: int) -> np.ndarray:
    """Return a number from 0 to `parts` - 1 for each query, the same inside a group."""
    names, place = np.unique(groups, return_inverse=True)
    return np.random.default_rng(seed).integers(0, parts, len(names))[place]


def folds(task: Task) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield training and test queries; no training query has a concept of a test query."""
    own = drawn(task.groups, FOLDS, 0)
    for fold in range(FOLDS):
        test, rest = np.flatnonzero(own == fold), np.flatnonzero(own != fold)
        seen = task.codes(test)
        yield np.array([place for place in rest if not task.right[place] & seen]), test


def measured(asked: Questions, known: Knowledge) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return pairs (`query`, `code`, `right`) of some questions, and their measures."""
    index = build_index(asked.corpus, known)
    read, tables, measures = read_queries(index, asked.queries, known), [], []
    for start in range(0, len(asked.queries), BATCH):
        found = pairs(index, read.part(slice(start, start + BATCH)))
        query, codes = found.query + start, index.codes[found.code]
        right = [code in asked.right[place] for place, code in zip(query, codes, strict=True)]
        tables.append(pd.DataFrame({"query": query, "code": codes, "right": right}))
        measures.append(found.measures)
    return pd.concat(tables, ignore_index=True), pd.concat(measures, ignore_index=True)


def exercises(
    tasks: Sequence[Task], asked: Sequence[np.ndarray], rome: pd.DataFrame | None, seed: int
) -> Iterator[Questions]:
    """Yield some queries of each task, in lists of any size; with the ROME, their labels too."""
    draw = np.random.default_rng(seed)
    for task, places in zip(tasks, asked, strict=True):
        part = task.part(draw.permutation(places)[:TAUGHT_WHOLE])
        yield part
        for size in TAUGHT_SIZES:
            yield from exercising.lists(part, size, TAUGHT_QUESTIONS, draw)
        if rome is not None:
            yield from exercising.own_labels(task.corpus, task.codes(places), draw)
    if rome is not None:
        yield from exercising.own_labels(rome, tasks[0].codes(asked[0]), draw)


def learned(
    tasks: Sequence[Task], trains: Sequence[np.ndarray], seen: Collection[str],
    texts: learning.Texts, rome: pd.DataFrame,
) -> Knowledge:  # fmt: skip
    """Return all that the package ships, learned from training queries and codes not seen."""
    measures, right = [], []
    for part in range(ASKED_PARTS):
        asked, known = held_out(tasks, trains, seen, texts, part)
        for exercise in exercises(tasks, asked, rome, part):
            table, found = measured(exercise, known)
            measures.append(found)
            right.append(table["right"].to_numpy())
    layers = learning.learn_fusion(pd.concat(measures), np.concatenate(right))
    return replace(
        learning.words(texts, seen), layers=calibrated(tasks, trains, seen, texts, layers)
    )


def held_out(
    tasks: Sequence[Task], trains: Sequence[np.ndarray], seen: Collection[str],
    texts: learning.Texts, part: int,
) -> tuple[list[np.ndarray], Knowledge]:  # fmt: skip
    """Return some training queries of each task, and what is known of words without them."""
    sides = [drawn(task.groups, round(1 / ASKED_SHARE), 1) for task in tasks]
    asked = [train[side[train] == part] for train, side in zip(trains, sides, strict=True)]
    hidden = set(seen).union(*(task.codes(p) for task, p in zip(tasks, asked, strict=True)))
    return asked, learning.words(texts, hidden)


def calibrated(
    tasks: Sequence[Task], trains: Sequence[np.ndarray], seen: Collection[str],
    texts: learning.Texts, layers: list[tuple[np.ndarray, np.ndarray]],
) -> list[tuple[np.ndarray, np.ndarray]]:  # fmt: skip
    """Return the fusion with its calibration, from queries that it has not learned from."""
    asked, known = held_out(tasks, trains, seen, texts, ASKED_PARTS)
    known = replace(known, layers=layers)
    first = [
        answered(exercise, known).drop_duplicates("query").assign(size=len(exercise.corpus))
        for exercise in exercises(tasks, asked, None, ASKED_PARTS)
    ]
    return [*layers[:2], learning.learn_calibration(pd.concat(first))]


def answered(asked: Questions, known: Knowledge) -> pd.DataFrame:
    """Return the answers to questions, best first: `query`, `code`, `right`, `confidence`."""
    table, measures = measured(asked, known)
    table["confidence"] = known.confidence(measures)
    order = ["query", "confidence", "code"]
    return table.sort_values(order, ascending=[True, False, True])


def cross_validated(
    tasks: Sequence[Task], texts: learning.Texts, rome: pd.DataFrame
) -> tuple[list[list[list[str]]], pd.DataFrame]:
    """Return, for each task, the ranked codes of every query; and first answers in every list.

    Returns:
        The ranked codes; `task`, `size` (0: the whole list and all its questions), `right`,
        `confidence`, `exact` of each first answer.
    """
    ranked: list[list[list[str]]] = [[[] for _ in task.queries] for task in tasks]
    first = []
    for fold, parts in enumerate(zip(*map(folds, tasks), strict=True)):
        trains, tests = zip(*parts, strict=True)
        seen = set().union(*(task.codes(test) for task, test in zip(tasks, tests, strict=True)))
        known = learned(tasks, trains, seen, texts, rome)
        for number, (task, test) in enumerate(zip(tasks, tests, strict=True)):
            part, draw = task.part(test), np.random.default_rng(fold)
            whole = answered(part, known)
            for query, codes in whole.groupby("query")["code"]:
                ranked[number][test[query]] = codes.tolist()[:TOP]
            told = [(0, whole)]
            for size in SIZES:
                asked = exercising.lists(part, size, QUESTIONS, draw)
                told += [(size, answered(each, known)) for each in asked]
            first += [
                table.drop_duplicates("query").assign(task=task.name, size=size)
                for size, table in told
            ]
        print(f"fold {fold + 1}: {time.process_time():.0f} CPU-seconds so far", flush=True)
    return ranked, pd.concat(first)


def scores(ranked: Sequence[Sequence[str]], right: Sequence[set[str]]) -> dict[str, float]:
    """Return MAP (of the first ten) and recall at 1, 5 and 10."""
    precision, recalls = [], {1: [], 5: [], 10: []}
    for codes, sought in zip(ranked, right, strict=True):
        hits = [code in sought for code in codes[:TOP]]
        found = np.cumsum(hits)
        precision.append(
            sum(count / rank for rank, (count, hit) in enumerate(zip(found, hits, strict=True), 1)
                if hit) / len(sought)
        )  # fmt: skip
        for size, values in recalls.items():
            values.append(sum(hits[:size]) / len(sought))
    named = {f"recall@{size}": float(np.mean(values)) for size, values in recalls.items()}
    return {"MAP": float(np.mean(precision))} | named


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Return the expected calibration error: ten bins of equal width."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[place == each].sum() - right[place == each].sum()) for each in range(bins)
    ]
    return float(sum(gaps) / len(confidence))


def report(tasks: Sequence[Task], ranked: Sequence[list[list[str]]]) -> None:
    """Print scores of each method, and what is gained on the best peer."""
    for task, ours in zip(tasks, ranked, strict=True):
        chosen = np.random.default_rng(0).choice(len(task.queries), EDIT_QUERIES, replace=False)
        found = {"opmq": ours} | peers.all_ranked(task.corpus, task.queries, chosen)
        rows = {
            name: scores(codes, task.part(chosen).right if name == "edit" else task.right)
            for name, codes in found.items()
        }
        table = pd.DataFrame(rows).T
        print(f"\n{task.name}, {len(task.queries)} queries\n{table.round(4).to_string()}")
        best = table["MAP"].drop(["opmq", "edit"]).idxmax()
        gain = 100 * (table["MAP"]["opmq"] / table["MAP"][best] - 1)
        print(f"MAP {gain:+.1f} % against the best peer ({best})")


def calibration(first: pd.DataFrame) -> pd.DataFrame:
    """Return, by task and size of list, the expected calibration error of first answers."""
    every = pd.concat([first, first.assign(task="both")])
    rows = [
        (task, size, len(part), part["right"].mean(), part["confidence"].mean(),
         calibration_error(part["confidence"].to_numpy(), part["right"].to_numpy()))
        for (task, size), part in every.groupby(["task", "size"])
    ]  # fmt: skip
    names = ["task", "labels", "questions", "right", "confidence", "error"]
    return pd.DataFrame(rows, columns=names)


def exact_labels(tasks: Sequence[Task]) -> None:
    """Print the share of sure answers to labels of lists of every size, and of right ones."""
    draw = np.random.default_rng(0)
    for task in tasks:
        for size in SIZES:
            codes = draw.permutation(task.corpus["code"].unique())
            labels = task.corpus.groupby("code").size()[codes].cumsum()
            part = task.corpus[task.corpus["code"].isin(labels.index[labels <= size])]
            asked = part.sample(min(len(part), 300), random_state=0)
            found = match_labels(asked["label"], part, top_k=1)
            own = np.mean(found["code"].to_numpy() == asked["code"].to_numpy())
            sure = 100 * (1 - found["unsure"].mean())
            print(f"{task.name}, {len(part)} labels: {sure:.1f} % sure, {100 * own:.1f} % right")


def speed(tasks: list[Task]) -> None:
    """Print the CPU-seconds of 10 000 queries, index included."""
    for task in tasks:
        queries = (task.queries * 2)[:10_000]
        match_labels(["essai"], task.corpus.head(5))
        start = time.process_time()
        index = build_index(task.corpus)
        built = time.process_time() - start
        match_labels(queries, index)
        spent = time.process_time() - start
        print(f"{task.name}: {len(task.corpus)} labels indexed in {built:.2f} CPU-s; with 10 000 "
              f"queries {spent:.2f} CPU-s")  # fmt: skip
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most so far")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = ROOT.parent / "shared" / "data" / "skills"
    parser.add_argument("data", nargs="?", type=Path, default=default)
    parser.add_argument("--train", action="store_true")
    asked = parser.parse_args()
    tasks = read_tasks(asked.data)
    rome = rome_titles(asked.data)
    if not asked.train:
        speed(tasks)
        exact_labels(tasks)
    texts = learning.read_texts(asked.data / "rome_v460", [*(task.corpus for task in tasks), rome])
    if asked.train:
        everything = [np.arange(len(task.queries)) for task in tasks]
        learning.write(LEARNED, learned(tasks, everything, set(), texts, rome))
        return
    ranked, first = cross_validated(tasks, texts, rome)
    report(tasks, ranked)
    print("\nExpected calibration error of first answers (labels 0: the whole list, as mapped)")
    print(calibration(first).round(4).to_string(index=False))


if __name__ == "__main__":
    main()
