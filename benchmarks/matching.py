"""Matching French titles and skills to ESCO: cross-validated by concept, beside its peers.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/matching.py [--speed] [--train]

The first argument may be the folder of the skills data (`esco/`, `rome_v460/`), by default
`shared/data/skills` beside the project. Without an option: five folds of ESCO concepts; a query is
tested in the fold of its concepts, and nothing learned has seen a test query, nor a test concept.
`--speed` times 10 000 queries, index included. `--train` writes what the package ships, learned on
everything.
Peers: plain BM25, word TF-IDF, character TF-IDF (3 to 5, inside words); edit distance on 100
queries drawn once, as it takes a quarter of a second each.
"""

import argparse
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matching_exercises as exercising
import matching_learning as learning
import matching_peers as peers
import numpy as np
import pandas as pd

from opmq_lib.matching import build_index, match_labels, pairs
from opmq_lib.matching.index import Index
from opmq_lib.matching.knowledge import Knowledge

ROOT = Path(__file__).resolve().parents[1]
LEARNED = ROOT / "opmq_lib" / "matching" / "learned"
FOLDS, TOP, EDIT_QUERIES = 5, 10, 100
RELATIONS = ("exactMatch", "narrowMatch", "closeMatch", "broadMatch")


@dataclass(frozen=True)
class Task:
    """Queries with their right codes in a corpus.

    Attributes:
        name: For the report.
        corpus: `code`, `label`.
        queries: Texts.
        right: For each query, its codes.
        relations: For each query, relation of each code.
    """

    name: str
    corpus: pd.DataFrame
    queries: list[str]
    right: list[set[str]]
    relations: list[dict[str, str]]


def read_tasks(data: Path) -> list[Task]:
    """Return both official mappings as tasks."""
    occupations = corpus(data / "esco" / "occupations_fr.csv", ("altLabels", "hiddenLabels"))
    titles = learning.read(data / "esco" / "FR_20230607_mapping_esco_rome.csv", skip=15)
    titles.columns = ["code", "label", "item", "query", "relation"]
    skills = corpus(data / "esco" / "skills_fr_labels.csv", ("altLabels",))
    belgian = learning.read(
        data / "esco" / "escocompetencemappingfinalreport-fr-nl-45-v3.8.csv", skip=16
    ).rename(
        columns={
            "Classification 1 URL": "code",
            "Classification 2 ID": "item",
            "Classification 2 PrefLabel FR": "query",
            "Mapping Relation": "relation",
        }
    )
    return [_task("titles", occupations, titles), _task("skills", skills, belgian)]


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


def _task(name: str, labels: pd.DataFrame, mapping: pd.DataFrame) -> Task:
    known = mapping[mapping["code"].isin(labels["code"])]
    relation = known["relation"].str.removeprefix("skos:")
    queries, right, relations = [], [], []
    for _, rows in known.assign(relation=relation).groupby("item", sort=True):
        queries.append(rows["query"].iloc[0])
        right.append(set(rows["code"]))
        relations.append(dict(zip(rows["code"], rows["relation"], strict=True)))
    return Task(name, labels, queries, right, relations)


def folds(task: Task, parts: int = FOLDS, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield training and test queries; no training query has a concept of a test query."""
    concepts = sorted(set().union(*task.right))
    drawn = np.random.default_rng(seed).integers(0, parts, len(concepts))
    fold_of = dict(zip(concepts, drawn, strict=True))
    own = np.array([fold_of[min(codes)] for codes in task.right])
    for fold in range(parts):
        test = np.flatnonzero(own == fold)
        seen = set().union(*(task.right[place] for place in test))
        rest = np.flatnonzero(own != fold)
        train = [place for place in rest if not task.right[place] & seen]
        yield np.array(train), test


def task_pairs(task: Task, train: np.ndarray) -> list[learning.Pair]:
    """Return the families of training queries beside those of their codes' first labels."""
    preferred = task.corpus.drop_duplicates("code").set_index("code")["label"]
    return learning.mapped_pairs(
        [task.queries[place] for place in train for _ in sorted(task.right[place])],
        [preferred[code] for place in train for code in sorted(task.right[place])],
    )


def known_words(
    taught: list[learning.Pair], left_out: set[str], vectors: tuple, corpora: list[pd.DataFrame]
) -> Knowledge:
    """Return what pairs teach of words; labels of codes left out are not looked at."""
    pairs = list(taught)
    for labels in corpora:
        pairs += learning.alternative_pairs(labels, left_out)
    together = {(one, other): value for one, other, value in learning.near_families(*vectors)}
    for one, other, value in learning.learn_associations(pairs):
        together[one, other] = max(value, together.get((one, other), 0))
    table = [(one, other, value) for (one, other), value in sorted(together.items())]
    return learning.knowledge(table, *vectors)


def measured(
    task: Task, index: Index, places: np.ndarray, known: Knowledge
) -> tuple[pairs.Pairs, np.ndarray]:
    """Return pairs of some queries, and which are right."""
    words = replace(index, related=known.related(index.root_ids))
    found = pairs.pairs(words, [task.queries[place] for place in places], known)
    codes = index.codes[found.code]
    right = [
        code in task.right[places[query]] for query, code in zip(found.query, codes, strict=True)
    ]
    return found, np.array(right)


def training_pairs(  # noqa: PLR0913 - all that is learned, and from what
    task: Task, index: Index, train: np.ndarray, left_out: set[str], vectors: tuple,
    corpora: list[pd.DataFrame],
) -> tuple[pd.DataFrame, np.ndarray]:  # fmt: skip
    """Return measures of training queries, associations learned on the other half of concepts."""
    first = {place: sorted(task.right[place])[0] for place in train}
    half = {code: rank % 2 for rank, code in enumerate(sorted(set(first.values())))}
    parts = []
    for side in (0, 1):
        asked = np.array([place for place in train if half[first[place]] == side])
        hidden = left_out.union(*(task.right[place] for place in asked))
        taught = [p for p in train if half[first[p]] != side and not task.right[p] & hidden]
        known = known_words(task_pairs(task, np.array(taught)), hidden, vectors, corpora)
        found, right = measured(task, index, asked, known)
        parts.append((found.measures, right))
    return pd.concat([one for one, _ in parts]), np.concatenate([right for _, right in parts])


def exercise_pairs(
    exercises: list[exercising.Exercise], left_out: set[str], taught: list[learning.Pair],
    vectors: tuple, corpora: list[pd.DataFrame],
) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:  # fmt: skip
    """Yield measures of exercises; no code left out is asked, nor seen in learning words."""
    for each in exercises:
        kept = np.array([n for n, codes in enumerate(each.right) if not codes & left_out])
        hidden = left_out.union(*(each.right[place] for place in kept))
        known = known_words(taught, hidden, vectors, corpora)
        index = build_index(each.corpus, known)
        found, right = measured(each, index, kept, known)
        yield found.measures, right


def learned(  # noqa: PLR0913 - the same
    tasks: list[Task], exercises: list[exercising.Exercise], indexes: list[Index], vectors: tuple,
    seen: list[set[str]], trains: list[np.ndarray],
) -> Knowledge:  # fmt: skip
    """Return all that the package ships, learned from training queries only."""
    corpora = [task.corpus for task in tasks]
    left_out = set().union(*seen)
    parts = []
    for task, index, train in zip(tasks, indexes, trains, strict=True):
        parts.append(training_pairs(task, index, train, left_out, vectors, corpora))
    parts += exercise_pairs(exercises, left_out, [], vectors, corpora)
    layers = learning.learn_fusion(
        pd.concat([one for one, _ in parts]), np.concatenate([right for _, right in parts])
    )
    taught = [
        pair for task, train in zip(tasks, trains, strict=True) for pair in task_pairs(task, train)
    ]
    words = known_words(taught, left_out, vectors, corpora)
    return learning.knowledge(list(words.associations), *vectors, layers)


def cross_validated(
    tasks: list[Task], exercises: list[exercising.Exercise], vectors: tuple
) -> list[tuple[list[list[str]], pd.DataFrame]]:
    """Return, for each task, the ranked codes of every query and the confidence of each answer."""
    indexes = [build_index(task.corpus, learning.knowledge([], *vectors)) for task in tasks]
    ranked: list[list[list[str]]] = [[[] for _ in task.queries] for task in tasks]
    answers: list[list[pd.DataFrame]] = [[] for _ in tasks]
    for parts in zip(*(folds(task) for task in tasks), strict=True):
        trains, tests = zip(*parts, strict=True)
        seen = [
            set().union(*(task.right[place] for place in test))
            for task, test in zip(tasks, tests, strict=True)
        ]
        known = learned(tasks, exercises, indexes, vectors, seen, list(trains))
        for number, (task, index, test) in enumerate(zip(tasks, indexes, tests, strict=True)):
            found, right = measured(task, index, test, known)
            table = pd.DataFrame(
                {"query": test[found.query], "code": index.codes[found.code], "right": right}
            ).assign(confidence=known.confidence(found.measures))
            table = table.sort_values(
                ["query", "confidence", "code"], ascending=[True, False, True]
            )
            table = table[table.groupby("query").cumcount() < TOP]
            for query, codes in table.groupby("query")["code"]:
                ranked[number][query] = codes.tolist()
            answers[number].append(table.assign(rank=table.groupby("query").cumcount() + 1))
    return [(codes, pd.concat(told)) for codes, told in zip(ranked, answers, strict=True)]


def train(tasks: list[Task], exercises: list[exercising.Exercise], vectors: tuple) -> None:
    """Write what the package ships, learned on every query."""
    indexes = [build_index(task.corpus, learning.knowledge([], *vectors)) for task in tasks]
    everything = [np.arange(len(task.queries)) for task in tasks]
    nothing: list[set[str]] = [set() for _ in tasks]
    known = learned(tasks, exercises, indexes, vectors, nothing, everything)
    learning.write(LEARNED, list(known.associations), *vectors, known.layers)


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


def report(task: Task, ranked: dict[str, list[list[str]]], chosen: np.ndarray) -> pd.DataFrame:
    """Return scores by relation, of each method; edit distance on the queries chosen."""
    rows = []
    for relation in ("all", *RELATIONS):
        for name, codes in ranked.items():
            places = chosen if name == "edit" else range(len(task.queries))
            kept, right = [], []
            for rank, place in enumerate(places):
                wanted = {
                    code for code, own in task.relations[place].items() if relation in ("all", own)
                }
                if wanted:
                    kept.append(codes[rank])
                    right.append(wanted)
            if kept:
                rows.append((task.name, relation, name, len(kept), *scores(kept, right).values()))
    names = ["task", "relation", "method", "queries", "MAP", "recall@1", "recall@5", "recall@10"]
    return pd.DataFrame(rows, columns=names)


def evaluate(
    tasks: list[Task], exercises: list[exercising.Exercise], vectors: tuple, only_ours: bool
) -> None:
    """Print the cross-validated scores beside the peers'."""
    start = time.process_time()
    found = cross_validated(tasks, exercises, vectors)
    spent = time.process_time() - start
    for task, (ours, answers) in zip(tasks, found, strict=True):
        ranked = {"opmq": ours}
        chosen = np.random.default_rng(0).choice(len(task.queries), EDIT_QUERIES, replace=False)
        if not only_ours:
            ranked |= peers.all_ranked(task.corpus, task.queries, chosen)
        table = report(task, ranked, chosen)
        print(table.to_string(index=False, float_format="{:.4f}".format))
        whole = table[table["relation"] == "all"].set_index("method")["MAP"]
        if len(whole) > 1:
            best = whole.drop("opmq").idxmax()
            gain = 100 * (whole["opmq"] / whole[best] - 1)
            print(f"{task.name}: MAP {gain:+.1f} % against the best peer ({best})")
        top = answers[answers["rank"] == 1]
        for name, part in (("first answers", top), ("all ten answers", answers)):
            error = calibration_error(part["confidence"].to_numpy(), part["right"].to_numpy())
            print(f"{task.name}: expected calibration error, {name}: {error:.4f}")
        print()
    print(f"{spent:.0f} CPU-seconds to learn and test the five folds")


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


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = ROOT.parent / "shared" / "data" / "skills"
    parser.add_argument("data", nargs="?", type=Path, default=default)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--only-ours", action="store_true", help="without the peers")
    asked = parser.parse_args()
    tasks = read_tasks(asked.data)
    if asked.speed:
        speed(tasks)
        return
    vectors = learning.learn_vectors(asked.data / "rome_v460")
    exercises = exercising.exercises(
        {task.name: task.corpus for task in tasks} | {"rome": rome_titles(asked.data)}
    )
    if asked.train:
        train(tasks, exercises, vectors)
    else:
        evaluate(tasks, exercises, vectors, asked.only_ours)


if __name__ == "__main__":
    main()
