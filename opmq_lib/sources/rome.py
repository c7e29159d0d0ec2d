"""ROME 4.0: skills, working conditions and moves of its records; ESCO's green and digital marks.

The records of ROME 4.0 are gathered under those of ROME 3 from which they descend, since hires and
métiers (FAP) are coded in it. A skill of ROME is linked to ESCO where the Belgian repertory
Competent, born of ROME, has the same French label, and says that an ESCO skill is the same
(`exactMatch`) or a narrower one (`narrowMatch`): nothing else counts as a link.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pandas as pd

from opmq_lib.errors import Defect, SchemaError
from opmq_lib.sources.loading import Edition, Loaded, Paths, cells, kept

_FOLDER, _VERSION = "rome_v460", "_v460_utf8.csv"
_ROME: Final = {
    "records": "unix_referentiel_code_rome",
    "links": "unix_coherence_item",
    "skills": "unix_referentiel_competence",
    "knowledge": "unix_referentiel_savoir",
}
"""Files of one version that tell its skills."""
FILES: Final = {name: f"{_FOLDER}/{stem}{_VERSION}" for name, stem in _ROME.items()} | {
    "contexts": f"{_FOLDER}/unix_referentiel_contexte_travail{_VERSION}",
    "moves": f"{_FOLDER}/unix_rubrique_mobilite{_VERSION}",
    "competent": "esco/escocompetencemappingfinalreport-fr-nl-45-v3.8.csv",
    "green": "esco/greenSkillsCollection_fr.csv",
    "digital": "esco/digitalSkillsCollection_fr.csv",
}
EDITION: Final = Edition(
    "France Travail",
    "ROME 4.0, version 460",
    "",
    "licence non indiquée dans la copie",
)
ESCO_RELATIONS: Final = ("skos:exactMatch", "skos:narrowMatch")
CONDITIONS: Final = (
    "Conditions de travail et risques professionnels",
    "Horaires et durée du travail",
)
"""Kinds of working contexts that are working conditions; the others are places and statuses."""
_COMPETENT_PREAMBLE = 16
_MACRO = "Macro-compétence"


def load(paths: Paths) -> Loaded:
    """Return what the ROME says of each of its records of version 3: `rome_facts` and its kin.

    Args:
        paths: One file for each name of `FILES`.

    Returns:
        `rome_facts` (counts of skills, by mark), `rome_items` (emerging skills, macro-skills,
        working conditions), `rome_item_labels`, `rome_moves` (records to which one may move).

    Raises:
        SchemaError: If a file has not its usual columns.
    """
    links, skills = _links(paths), _skills(paths)
    conditions = _conditions(paths)
    marked = skills.merge(esco_marks(skills, paths), on="skill_code", how="left")
    items = _items(links, skills, conditions)
    labels = pd.concat([skills[["skill_code", "label"]], conditions])
    labels = labels.rename(columns={"skill_code": "item_code"}).drop_duplicates("item_code")
    named = labels[labels["item_code"].isin(items["item_code"])]
    tables = {
        "rome_facts": _facts(links, marked),
        "rome_items": items,
        "rome_item_labels": named.sort_values("item_code", ignore_index=True),
        "rome_moves": _moves(paths),
    }
    read = {name: kept(table, paths["links"], EDITION, {}) for name, table in tables.items()}
    return Loaded(
        {name: table for name, (table, _) in read.items()},
        {name: record for name, (_, record) in read.items()},
    )


def read_version(folder: Path) -> pd.DataFrame:
    """Return the skills that each record of a version of ROME has.

    Args:
        folder: Its files as the producer names them, `unix_coherence_item_v460_utf8.csv` among
            them, whatever the version.

    Returns:
        `rome_code`, `parent_rome_code` (of ROME 3), `skill_code`, `label`, each pair once.

    Raises:
        SchemaError: With every file that is missing or that there is twice.
    """
    found = {name: sorted(folder.glob(f"{stem}_v*.csv")) for name, stem in _ROME.items()}
    defects = [
        Defect(
            str(folder),
            f"{len(files)} files `{_ROME[name]}_v….csv`",
            "one, as the producer names it",
            "give the folder of one version of ROME 4.0, unpacked",
        )
        for name, files in found.items()
        if len(files) != 1
    ]
    SchemaError.refuse(defects)
    paths = {name: files[0] for name, files in found.items()}
    columns = ["rome_code", "parent_rome_code", "skill_code", "label"]
    return _links(paths).merge(_skills(paths), on="skill_code")[columns]


def esco_marks(skills: pd.DataFrame, paths: Paths) -> pd.DataFrame:
    """Return the skills that are linked to ESCO, and whether its collections hold a linked one.

    Args:
        skills: `skill_code`, `label`.
        paths: With `competent`, `green` and `digital`.

    Returns:
        `skill_code`, `esco_links_count`, `is_green`, `is_digital`.
    """
    names = {
        "Classification 2 PrefLabel FR": "label",
        "Classification 1 URL": "uri",
        "Mapping Relation": "relation",
    }
    competent = cells(paths["competent"], names, skip=_COMPETENT_PREAMBLE)
    competent = competent[competent["relation"].isin(ESCO_RELATIONS)]
    links = skills[["skill_code", "label"]].merge(competent, on="label").drop_duplicates()
    for name in ("green", "digital"):
        uris = cells(paths[name], {"conceptUri": "uri"})["uri"]
        links[f"is_{name}"] = links["uri"].isin(uris)
    marks = {"esco_links_count": ("uri", "nunique")}
    marks |= {f"is_{name}": (f"is_{name}", "any") for name in ("green", "digital")}
    return links.groupby("skill_code", as_index=False).agg(**marks)


def _links(paths: Mapping[str, Path]) -> pd.DataFrame:
    """Return the links of each record: `rome_code`, `parent_rome_code`, `skill_code`, mark."""
    names = {"code_rome": "rome_code", "code_rome_parent": "parent_rome_code"}
    records = cells(paths["records"], names)
    names = {"code_rome": "rome_code", "code_ogr": "skill_code", "coeur_metier": "importance"}
    return cells(paths["links"], names).merge(records, on="rome_code").drop_duplicates()


def _skills(paths: Mapping[str, Path]) -> pd.DataFrame:
    """Return every skill: `skill_code`, `label`, marks, whether it is a macro-skill to do."""
    marks = {"transition_eco": "ecological", "transition_num": "digital"}
    names = {"code_ogr": "skill_code", "libelle_competence": "label", **marks}
    done = cells(paths["skills"], names | {"nature": "nature", "cat_comp": "kind"})
    names = {"code_ogr_savoir": "skill_code", "libelle_savoir": "label", **marks}
    known = cells(paths["knowledge"], names).assign(nature="", kind="Savoir")
    every = pd.concat([done, known], ignore_index=True)
    is_macro = every["nature"] == _MACRO
    is_to_do = is_macro & (every["kind"] == "Savoir-faire")
    return every.assign(is_macro=is_macro, is_to_do=is_to_do)


def _conditions(paths: Paths) -> pd.DataFrame:
    names = {
        "code_ogr": "skill_code",
        "libelle_cont_travail": "label",
        "libelle_type_cont_trav": "kind",
    }
    contexts = cells(paths["contexts"], names)
    return contexts.loc[contexts["kind"].isin(CONDITIONS), ["skill_code", "label"]]


def _facts(links: pd.DataFrame, skills: pd.DataFrame) -> pd.DataFrame:
    """Return by record of ROME 3 the distinct skills that its records have, by mark."""
    pairs = links[["parent_rome_code", "skill_code"]].drop_duplicates().merge(skills)
    pairs = pairs[~pairs["is_macro"]]
    counted = {
        "skills_count": pd.Series(data=True, index=pairs.index),
        "ecological_skills_count": pairs["ecological"] == "O",
        "ecological_unsaid_count": pairs["ecological"] == "",
        "digital_skills_count": pairs["digital"] == "O",
        "digital_unsaid_count": pairs["digital"] == "",
        "esco_skills_count": pairs["esco_links_count"].notna(),
        "esco_links_count": pairs["esco_links_count"].fillna(0),
        "esco_green_skills_count": pairs["is_green"].eq(other=True),
        "esco_digital_skills_count": pairs["is_digital"].eq(other=True),
    }
    table = pd.DataFrame(counted).astype("int64").groupby(pairs["parent_rome_code"]).sum()
    return table.astype("Int64").rename_axis("rome_code").reset_index()


def _items(links: pd.DataFrame, skills: pd.DataFrame, conditions: pd.DataFrame) -> pd.DataFrame:
    """Return what is named in the records of each record of ROME 3, by kind of fact."""
    code = links["skill_code"]
    chosen = {
        "emerging": (links["importance"] == "Émergente") & code.isin(skills["skill_code"]),
        "macro": code.isin(skills.loc[skills["is_to_do"], "skill_code"]),
        "condition": code.isin(conditions["skill_code"]),
    }
    names = {"parent_rome_code": "rome_code", "skill_code": "item_code"}
    parts = [links.loc[rows, list(names)].assign(fact_code=fact) for fact, rows in chosen.items()]
    items = pd.concat(parts).rename(columns=names)[["rome_code", "fact_code", "item_code"]]
    return items.drop_duplicates().sort_values([*items], ignore_index=True)


def _moves(paths: Paths) -> pd.DataFrame:
    """Return the moves that ROME names between records of ROME 3; those within one are left out."""
    names = {"code_rome": "rome_code", "code_rome_parent": "parent_rome_code"}
    parents = cells(paths["records"], names).set_index("rome_code")["parent_rome_code"]
    names = {"code_rome": "rome_code", "code_rome_cible": "target_rome_code"}
    moves = cells(paths["moves"], names).apply(lambda codes: codes.map(parents))
    moves = moves[moves["rome_code"] != moves["target_rome_code"]].dropna().drop_duplicates()
    ordered: pd.DataFrame = moves.sort_values([*moves], ignore_index=True)
    return ordered


def version_of(folder: Path) -> str:
    """Return the version that the files of a folder name, such as `460`."""
    named = [re.search(r"_v(\d+)", path.name) for path in sorted(folder.glob("unix_*.csv"))]
    return next((found[1] for found in named if found), "?")
