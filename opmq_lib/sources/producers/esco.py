"""ESCO: labels of its occupations and skills, and its passage to job titles of the ROME."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from opmq_lib.sources.loading import Loaded, Made, Makers, Paths, Producer, kept, load_with, ordered
from opmq_lib.sources.reading import Layout, Read

_KINDS: Final = {
    "occupations_fr": ("occupation", "fr"),
    "occupations_en": ("occupation", "en"),
    "skills_fr": ("skill", "fr"),
    "skills_en": ("skill", "en"),
}
PRODUCER: Final = Producer(
    "esco",
    "Commission européenne (ESCO) ; Pôle emploi (passage vers le ROME)",
    "ESCO : libellés, et correspondance avec les appellations du ROME",
    "licence non indiquée dans la copie (la Commission publie ESCO sous CC BY 4.0, à vérifier)",
    "https://esco.ec.europa.eu/en/use-esco/download",
    {name: f"**/{name}*.csv" for name in _KINDS} | {"romes": "**/*mapping_esco_rome*.csv"},
    ("esco_labels", "esco_romes"),
)
LABELS: Final = Layout(
    {"concept_uri": ("conceptUri", "concept_uri"), "label": ("preferredLabel", "preferred_label")},
    (
        *("conceptType", "iscoGroup", "altLabels", "alt_labels", "hiddenLabels", "status"),
        *("modifiedDate", "regulatedProfessionNote", "scopeNote", "definition", "inScheme"),
        *("description", "code", "naceCode", "skillType", "reuseLevel"),
    ),
)
ROMES: Final = Layout(
    {
        "concept_uri": ("classification 1 ID",),
        "appellation_code": ("classification 2 ID",),
        "mapping_relation": ("mapping relation",),
    },
    ("classification 1 prefered label", "classification 2 prefered label"),
)


def load(paths: Paths) -> Loaded:
    """Return `esco_labels` of the files given, and `esco_romes`.

    Args:
        paths: Some of the files of `PRODUCER`.
    """
    given = {name: LABELS for name in _KINDS if name in paths}
    makers: Makers = {"esco_romes": ({"romes": ROMES}, _romes)}
    if given:
        makers["esco_labels"] = (given, lambda *found: _labels([*given], found))
    return load_with(makers, paths)


def _labels(names: Sequence[str], found: Sequence[Read]) -> Made:
    parts = [
        each.rows.assign(concept_kind=_KINDS[name][0], language_code=_KINDS[name][1])
        for name, each in zip(names, found, strict=True)
    ]
    rows = pd.concat(parts, ignore_index=True)
    key = ["concept_uri", "language_code"]
    drop = {"sans libellé": rows["label"] == "", "concept répété": rows.duplicated(key)}
    table, record = kept(rows, found, PRODUCER, drop)
    columns = ["concept_uri", "language_code", "concept_kind", "label"]
    return ordered(table[columns], *key), record


def _romes(found: Read) -> Made:
    rows = found.rows
    rows["mapping_relation"] = rows["mapping_relation"].str.removeprefix("skos:")
    table, record = kept(rows, found, PRODUCER)
    return ordered(table), record
