"""What changes in métiers, and between them: two versions of a repertory, moves, marks, items.

Nothing is called new from one version alone: `changes` compares two.
"""

from difflib import SequenceMatcher
from typing import Final

import numpy as np
import pandas as pd

from opmq_lib.methods.needs.qualifications import class_of
from opmq_lib.tables.fap import DOMAIN_LENGTH, METIER_LENGTH

LEAST_SIMILARITY: Final = 0.8
"""Similarity of two labels from which one renames the other (`SequenceMatcher`, case put aside):
two skills of one record are that alike in 0.17 % of pairs (ROME 460, 40 records drawn); source:
convention."""
CHANGES: Final = ("added", "dropped", "renamed")
_KEY = ["rome_code", "skill_code"]


def changes(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Return what differs between the skills of two versions of ROME, record by record.

    A skill of the same code under another label is renamed. Among the others, in each record, a
    skill that goes and one that comes make one renamed if their labels are at least as similar as
    `LEAST_SIMILARITY`: each once, the most similar first.

    Args:
        old: `rome_code`, `skill_code`, `label`: the earlier version.
        new: The later.

    Returns:
        `rome_code`, `change_code` (`added`, `dropped`, `renamed`), `skill_code`, `label` (of the
        earlier version where there is one), `new_skill_code`, `new_label` (of a renamed skill, else
        empty), `similarity` (of a renamed skill). A record that one version lacks is all added or
        all dropped.

    Examples:
        >>> old = pd.DataFrame({"rome_code": "H2913", "skill_code": list("123"),
        ...     "label": ["Souder à l'arc", "Lire un plan", "Tenir un carnet"]})
        >>> new = pd.DataFrame({"rome_code": "H2913", "skill_code": list("245"),
        ...     "label": ["Lire un plan", "Souder à l'arc (TIG)", "Piloter un robot"]})
        >>> changes(old, new)[["change_code", "skill_code", "new_skill_code"]].values.tolist()
        [['added', '5', ''], ['dropped', '3', ''], ['renamed', '1', '4']]
    """
    columns = [*_KEY, "label"]
    both = old[columns].merge(new[columns], "outer", _KEY, suffixes=("", "_new"), indicator="where")
    relabelled = both[(both["where"] == "both") & (both["label"] != both["label_new"])]
    same = relabelled.assign(
        new_skill_code=relabelled["skill_code"], new_label=relabelled["label_new"]
    )
    same["similarity"] = list(map(_similarity, same["label"], same["new_label"]))
    gone = both[both["where"] == "left_only"][columns]
    come = both[both["where"] == "right_only"]
    come = come.assign(label=come["label_new"])[columns]
    other = _renamed(gone, come)
    is_gone, is_come = (
        ~pd.MultiIndex.from_frame(rows[_KEY]).isin(
            list(zip(other["rome_code"], other[code], strict=True))
        )
        for rows, code in ((gone, "skill_code"), (come, "new_skill_code"))
    )
    parts = {
        "added": come[is_come],
        "dropped": gone[is_gone],
        "renamed": pd.concat([same, other], ignore_index=True),
    }
    found = pd.concat([rows.assign(change_code=name) for name, rows in parts.items()])
    texts = ["rome_code", "change_code", "skill_code", "label", "new_skill_code", "new_label"]
    found = found.reindex(columns=[*texts, "similarity"])
    found[texts] = found[texts].fillna("")
    return found.sort_values(texts[:3], ignore_index=True).astype({"similarity": "float64"})


def by_metier(changes: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """Return the same by métier: what differs in its records, each difference once.

    Args:
        changes: From `changes`.
        records: `metier_code`, `rome_code`: the records of each métier.

    Returns:
        `metier_code`, the columns of `changes` but the record, `romes_count`: records that say it.

    Examples:
        >>> same = {"change_code": "added", "skill_code": "5", "label": "Piloter un robot",
        ...         "new_skill_code": "", "new_label": "", "similarity": float("nan")}
        >>> rows = pd.DataFrame([{"rome_code": code} | same for code in ("H1", "H2")])
        >>> records = pd.DataFrame({"metier_code": "A", "rome_code": ["H1", "H2"]})
        >>> by_metier(rows, records)[["metier_code", "label", "romes_count"]].values.tolist()
        [['A', 'Piloter un robot', 2]]
    """
    kept = ["metier_code", "change_code", "skill_code", "label", "new_skill_code", "new_label"]
    joined = changes.merge(records, on="rome_code").groupby(kept, as_index=False)
    return joined.agg(similarity=("similarity", "max"), romes_count=("rome_code", "nunique"))


def transitions(skills: pd.DataFrame, moves: pd.DataFrame) -> pd.DataFrame:
    """Return what each move between métiers shares and asks to learn.

    Args:
        skills: `metier_code`, `skill_code`: what each métier asks for; codes of ROME do as well.
        moves: `metier_code`, `target_metier_code`: moves that a repertory names.

    Returns:
        `metier_code`, `target_metier_code`, `shared_skill_codes`, `to_learn_skill_codes`
        (separated by a space, those that fewest métiers have first), `shared_share` of all that the
        two ask for. No row for a move to or from a métier without any skill. They are
        possibilities: nobody has been counted moving.

    Examples:
        >>> skills = pd.DataFrame({"metier_code": list("AABBB"), "skill_code": list("12234")})
        >>> moves = pd.DataFrame({"metier_code": ["A"], "target_metier_code": ["B"]})
        >>> transitions(skills, moves).round(2).to_dict("split")["data"]
        [['A', 'B', '2', '3 4', 0.25]]
    """
    known = skills[["metier_code", "skill_code"]].drop_duplicates()
    rarity = known["skill_code"].value_counts().to_dict()
    of = known.groupby("metier_code")["skill_code"].agg(frozenset)
    pairs = moves[["metier_code", "target_metier_code"]].drop_duplicates()
    pairs = pairs[pairs.isin(of.index).all(axis=1)].reset_index(drop=True)

    def told(codes: frozenset[str]) -> str:
        return " ".join(sorted(codes, key=lambda code: (rarity[code], code)))

    had, asked = (pairs[name].map(of) for name in pairs)
    shared = [have & ask for have, ask in zip(had, asked, strict=True)]
    learnt = [ask - have for have, ask in zip(had, asked, strict=True)]
    sides = zip(shared, had, asked, strict=True)
    parts = [len(both) / len(have | ask) for both, have, ask in sides]
    return pairs.assign(
        shared_skill_codes=np.array(list(map(told, shared)), dtype="str"),
        to_learn_skill_codes=np.array(list(map(told, learnt)), dtype="str"),
        shared_share=np.array(parts, dtype="float64"),
    )


def metier_moves(records: pd.DataFrame, moves: pd.DataFrame) -> pd.DataFrame:
    """Return the moves between métiers that those between their records make.

    Args:
        records: `metier_code`, `rome_code`: the records of each métier.
        moves: Table `rome_moves`.

    Returns:
        `metier_code`, `target_metier_code`, each pair once, never a métier to itself.
    """
    target = records.rename(columns={name: f"target_{name}" for name in records})
    joined = moves.merge(records, on="rome_code").merge(target, on="target_rome_code")
    pairs = joined[["metier_code", "target_metier_code"]].drop_duplicates(ignore_index=True)
    return pairs[pairs["metier_code"] != pairs["target_metier_code"]].reset_index(drop=True)


def marked(records: pd.DataFrame, rome_facts: pd.DataFrame) -> pd.DataFrame:
    """Return how many skills of the records of each métier bear each mark: sums over its records.

    Args:
        records: `metier_code`, `rome_code`.
        rome_facts: Table of that name; a skill of two records counts twice, in both terms.

    Returns:
        `metier_code` and the counts of the table; no row without a record.
    """
    counts = [name for name in rome_facts if name != "rome_code"]
    pairs = records[["metier_code", "rome_code"]].drop_duplicates()
    return (
        pairs.merge(rome_facts, on="rome_code").groupby("metier_code")[counts].sum().reset_index()
    )


def named(records: pd.DataFrame, rome_items: pd.DataFrame) -> pd.DataFrame:
    """Return what the records of each métier name, what most of the métier has first.

    Args:
        records: `metier_code`, `rome_code`, `part` of the métier that the record holds.
        rome_items: Table of that name.

    Returns:
        `metier_code`, `fact_code`, `item_code`, `part` (of the métier whose record names it); by
        part, then those that fewest records of the whole repertory name.

    Examples:
        >>> records = pd.DataFrame({"metier_code": "A", "rome_code": ["H1", "H2"],
        ...                         "part": [0.7, 0.3]})
        >>> items = pd.DataFrame({"rome_code": ["H1", "H2", "H2", "H3"], "fact_code": "emerging",
        ...                       "item_code": ["5", "5", "6", "6"]})
        >>> named(records, items)[["item_code", "part"]].values.tolist()
        [['5', 1.0], ['6', 0.3]]
    """
    key = ["metier_code", "fact_code", "item_code"]
    rarity = rome_items.groupby("item_code")["rome_code"].nunique()
    parts = records.merge(rome_items, on="rome_code").groupby(key)["part"].sum().reset_index()
    parts["rarity"] = parts["item_code"].map(rarity)
    order = ["metier_code", "fact_code", "part", "rarity", "item_code"]
    rows = parts.sort_values(order, ascending=[True, True, False, True, True], ignore_index=True)
    return rows.drop(columns="rarity").round({"part": 6})


def qualification_shares(national: pd.DataFrame) -> pd.DataFrame:
    """Return the structure of qualifications of each professional domain, each year.

    A métier has one class: what moves is the structure of its domain.

    Args:
        national: Table `employment_national`.

    Returns:
        `domain_code`, `class_code`, `year`, `share_pct`, of the métiers (FAP-225) of the domain.

    Examples:
        >>> national = pd.DataFrame({"metier_code": ["D1Z40", "D2Z80"], "year": 2018,
        ...                          "employment_headcount": [30.0, 10.0]})
        >>> qualification_shares(national)[["class_code", "share_pct"]].values.tolist()
        [['skilled', 75.0], ['technicians', 25.0]]
    """
    metiers = national[national["metier_code"].str.len() == METIER_LENGTH]
    rows = metiers.assign(
        domain_code=metiers["metier_code"].str[:DOMAIN_LENGTH],
        class_code=metiers["metier_code"].map(class_of),
    )
    key = ["domain_code", "class_code", "year"]
    heads = rows.groupby(key)["employment_headcount"].sum()
    whole = heads.groupby(["domain_code", "year"]).transform("sum")
    return (100 * heads / whole).rename("share_pct").reset_index()


def _renamed(gone: pd.DataFrame, come: pd.DataFrame) -> pd.DataFrame:
    """Return the skills that went under one code and came back under another, each once."""
    names = {"skill_code": "new_skill_code", "label": "new_label"}
    pairs = gone.merge(come.rename(columns=names), on="rome_code")
    pairs["similarity"] = list(map(_similarity, pairs["label"], pairs["new_label"]))
    pairs = pairs[pairs["similarity"] >= LEAST_SIMILARITY]
    order = ["similarity", "rome_code", "skill_code", "new_skill_code"]
    pairs = pairs.sort_values(order, ascending=[False, True, True, True])
    taken: set[tuple[object, object]] = set()
    kept = []
    for row in pairs.itertuples():
        ends = {(row.rome_code, row.skill_code), (row.rome_code, row.new_skill_code)}
        kept.append(not ends & taken)
        taken |= ends if kept[-1] else set()
    return pairs[np.array(kept, dtype=bool)]


def _similarity(one: str, other: str) -> float:
    return SequenceMatcher(None, one.casefold(), other.casefold(), autojunk=False).ratio()
