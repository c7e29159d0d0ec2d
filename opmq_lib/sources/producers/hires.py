"""Hires by occupation (ROME 3) and activity (NAF), from the copy of La Bonne Boîte."""

from functools import partial
from typing import Final

from opmq_lib.sources import loading
from opmq_lib.sources.loading import Loaded, Made, Makers, Paths, Producer
from opmq_lib.sources.reading import Layout, Read

PRODUCER: Final = Producer(
    "embauches",
    "Etalab (origine probable), copie de La Bonne Boîte",
    "Nombre d’embauches par code APE et code ROME",
    "licence non indiquée dans la copie (jeu de données probable : Etalab, Licence Ouverte)",
    "https://www.data.gouv.fr/fr/datasets/nombre-dembauches-par-code-ape-et-code-rome/",
    {
        "hires": "**/rome_naf_mapping.raw.csv",
        "naf": "**/naf_labels.csv",
        "romes": "**/rome_labels.csv",
    },
    ("rome_naf_hires", "naf", "romes"),
)
EDITION: Final = "mars 2016 à mars 2017"
HIRES: Final = Layout(
    {
        "rome_code": ("rome_id",),
        "naf_code": ("naf_id",),
        "hires_count": ("hirings",),
        "rome_label": ("rome_label",),
        "naf_label": ("naf_label",),
    }
)
NAF: Final = Layout({"naf_code": ("naf_id",), "label": ("naf_label",)})
ROMES: Final = Layout({"rome_code": ("rome_id",), "label": ("rome_label",)})


def load(paths: Paths) -> Loaded:
    """Return `rome_naf_hires`, `naf` and the labels of ROME 3 in `romes`.

    Args:
        paths: `hires`, and for labels `naf` and `romes`: of two, those of the hires count.
    """
    makers: Makers = {
        "rome_naf_hires": ({"hires": HIRES}, _hires),
        "naf": ({"hires": HIRES, "naf": NAF}, partial(_labels, name="naf")),
        "romes": ({"hires": HIRES, "romes": ROMES}, partial(_labels, name="rome")),
    }
    return loading.load_with(makers, paths)


def _hires(found: Read) -> Made:
    rows = found.rows[["rome_code", "naf_code", "hires_count"]]
    rows = rows.assign(hires_count=loading.whole_numbers(rows["hires_count"], found.file))
    table, record = loading.kept(rows, found, PRODUCER, edition=EDITION)
    return loading.ordered(table, "rome_code", "naf_code"), record


def _labels(hires: Read, found: Read, name: str) -> Made:
    code = f"{name}_code"
    of_hires = hires.rows.drop_duplicates(code).set_index(code)[f"{name}_label"]
    labels = found.rows[code].map(of_hires).fillna(found.rows["label"])
    table, record = loading.kept(found.rows.assign(label=labels), [found, hires], PRODUCER)
    table = table if name == "naf" else table.assign(rome_version="3")
    return loading.ordered(table, code), record
