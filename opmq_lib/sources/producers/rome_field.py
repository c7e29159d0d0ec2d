"""ROME 4.0: the records of the study's field, their skills, titles and transitions.

The field is a choice by domain of the ROME, not the official perimeter of the branches.
"""

from typing import Any, Final

import pandas as pd

from opmq_lib.sources import embedded
from opmq_lib.sources.loading import Loaded, Made, Paths, kept, ordered
from opmq_lib.sources.producers import rome
from opmq_lib.sources.reading import Read, read

DOMAINS: Final = (
    *("B12", "B14", "B16", "B18", "E13", "F14", "H11", "H12", "H13", "H14", "H15", "H22", "H23"),
    *("H24", "H25", "H26", "H27", "H28", "H29", "H31", "H32", "H33", "H34"),
    *("I11", "I12", "I13", "I14", "I15", "I16", "N11"),
)
"""Domains near industry: agro-food (H21) is left out."""
CORE_DOMAINS: Final = tuple(
    each
    for each in DOMAINS
    if (each[0] == "H" and each != "H11") or each in {"I11", "I13", "B16", "E13", "F14"}
)
"""Domains whose records of ROME 3 are described whole."""
CORE_ROMES: Final = ("N1101", "N1103", "N1105")
"""Records of handling that are, too: industrial sites have them."""
_IMPORTANCE: Final = {"Principale": "principale", "Émergente": "émergente", "": "autre"}
_ECOLOGICAL: Final = {
    "Emploi Blanc": "white",
    "Emploi Vert": "green",
    "Emploi stratégique pour la Transition écologique": "strategic",
    "Emploi Brun": "brown",
}
_DIGITAL: Final = {"O": "yes", "N": "no", "": ""}


def load(reads: dict[str, Read], paths: Paths) -> Loaded:
    """Return the records of ROME 4.0 that the study describes.

    Args:
        reads: `records`, `links`, `skills`, `knowledge`, from `rome.load`.
        paths: `titles`, the job titles.

    Returns:
        `romes` (4.0), `metier_skills`, `skills`, `macro_skills`, `appellations`,
        `emerging_skills`, `rome_transitions`.
    """
    records, titles = reads["records"], read(paths["titles"], rome.TITLES)
    codes = records.rows["rome_code"]
    is_parent = codes == records.rows["parent_rome_code"]
    in_core = codes.str[:3].isin(CORE_DOMAINS) | codes.isin(CORE_ROMES)
    core, wide = codes[is_parent & in_core], codes[codes.str[:3].isin(DOMAINS)]
    known = _skills(reads)
    links = reads["links"].rows
    importance = links["importance"].map(_IMPORTANCE)
    is_skill = links["skill_code"].astype("object").isin(known["skill_code"])
    described = links.assign(importance=importance)[is_skill & links["rome_code"].isin(core)]
    is_emerging = is_skill & (importance == "émergente") & links["rome_code"].isin(wide)
    emerging = links.loc[is_emerging, ["rome_code", "skill_code"]]
    is_named = known["skill_code"].isin([*described["skill_code"], *emerging["skill_code"]])
    macro = known.loc[is_named, "macro_skill_code"]
    certified = embedded.load("certification_metiers")["rome_code"]
    in_romes = codes.isin([*core, *emerging["rome_code"], *certified])
    parents = records.rows.set_index("rome_code")["parent_rome_code"]
    jobs = titles.rows.assign(
        rome_code=titles.rows["rome_code"].map(parents).fillna(""),
        classification=titles.rows["classification"].str.lower(),
    )
    both = [reads["skills"], reads["knowledge"]]
    macro_skills = known[["skill_code", "label", "tree_code"]]
    macro_skills = macro_skills.rename(columns={"skill_code": "macro_skill_code"})
    return {
        "romes": _of(records, in_romes, ["rome_code", "rome_version", "label"]),
        "rome_transitions": _transitions(records),
        "metier_skills": _kept(
            links[["rome_code", "skill_code"]].assign(importance=importance),
            links.index.isin(described.index),
            reads["links"],
        ),
        "emerging_skills": _kept(links[["rome_code", "skill_code"]], is_emerging, reads["links"]),
        "skills": _kept(known[["skill_code", "label", "type", "macro_skill_code"]], is_named, both),
        "macro_skills": _kept(macro_skills, known["skill_code"].isin(macro), both),
        "appellations": _kept(jobs, jobs["rome_code"] != "", titles),
    }


def _skills(reads: dict[str, Read]) -> pd.DataFrame:
    """Return every skill with its type and its macro-skill, which of a macro-skill is itself."""
    done, known = reads["skills"].rows, reads["knowledge"].rows
    is_macro = done["nature"] == rome.MACRO
    done = done.assign(
        type=done["kind"].str.lower().str.removesuffix(" professionnel"),
        macro_skill_code=done["macro_skill_code"].mask(is_macro, done["skill_code"]),
    )
    known = known.assign(type="savoir", macro_skill_code="", tree_code="")
    columns = ["skill_code", "label", "type", "macro_skill_code", "tree_code"]
    return pd.concat([done[columns], known[columns]], ignore_index=True)


def _transitions(records: Read) -> Made:
    """Return the records that descend from one of a studied métier, and their transitions."""
    metiers, links = embedded.load("metiers"), embedded.load("fap_rome")
    field = metiers.loc[metiers["scope"].isin(["industry", "transverse"]), "metier_code"]
    romes = links.loc[links["metier_code"].isin(field), "rome_code"]
    names = ["rome_code", "parent_rome_code", "ecological_transition", "digital_transition"]
    return _of(records, records.rows["parent_rome_code"].isin(romes), names)


def _of(records: Read, is_kept: pd.Series, columns: list[str]) -> Made:
    rows = records.rows
    rows = rows.assign(
        rome_version="4.0",
        ecological_transition=rows["ecological"].map(_ECOLOGICAL).fillna(""),
        digital_transition=rows["digital"].map(_DIGITAL).fillna(""),
    )
    return _kept(rows[columns], is_kept, records)


def _kept(rows: pd.DataFrame, is_kept: Any, found: Read | list[Read]) -> Made:
    first = found if isinstance(found, Read) else found[0]
    drop = {"hors du champ de l’étude": pd.Series(~is_kept, rows.index)}
    table, record = kept(rows, found, rome.PRODUCER, drop, rome.version(first.file))
    key = [name for name in map(str, rows) if name.endswith("_code")]
    return ordered(table, *key), record
