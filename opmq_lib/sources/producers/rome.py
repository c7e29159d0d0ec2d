"""ROME 4.0: skills, working conditions and moves of its records; ESCO's green and digital marks.

The records of ROME 4.0 are gathered under those of ROME 3 from which they descend, since hires and
métiers (FAP) are coded in it. A skill of ROME is linked to ESCO where the Belgian repertory
Competent, born of ROME, has the same French label, and says that an ESCO skill is the same
(`exactMatch`) or a narrower one (`narrowMatch`): nothing else counts as a link.
"""

import re
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd

from opmq_lib.errors import Defect, SchemaError
from opmq_lib.sources.loading import UNSTATED, Loaded, Paths, Producer, kept
from opmq_lib.sources.producers import rome_field
from opmq_lib.sources.reading import Layout, Read, read

_ROME: Final = {
    "records": "unix_referentiel_code_rome",
    "links": "unix_coherence_item",
    "skills": "unix_referentiel_competence",
    "knowledge": "unix_referentiel_savoir",
}
"""Files of one version that tell its skills."""
_MORE: Final = {
    "titles": "unix_referentiel_appellation",
    "contexts": "unix_referentiel_contexte_travail",
    "moves": "unix_rubrique_mobilite",
}
_ESCO: Final = {
    "competent": "escocompetencemapping*.csv",
    "green": "greenSkillsCollection_fr.csv",
    "digital": "digitalSkillsCollection_fr.csv",
}
PRODUCER: Final = Producer(
    "rome",
    "France Travail ; Commission européenne (ESCO) et VDAB (Competent 3.8)",
    "ROME 4.0",
    UNSTATED,
    "https://www.francetravail.org/opendata/repertoire-operationnel-des-meti.html",
    {name: f"**/{stem}_v*.csv" for name, stem in (_ROME | _MORE).items()}
    | {name: f"**/{place}" for name, place in _ESCO.items()},
    (
        *("romes", "rome_transitions", "metier_skills", "emerging_skills", "skills"),
        *("macro_skills", "appellations", "rome_facts", "rome_items", "rome_item_labels"),
        "rome_moves",
    ),
)
_TRANSITIONS: Final = {"ecological": ("transition_eco",), "digital": ("transition_num",)}
_FLAGS: Final = ("transition_demo", "emploi_reglemente", "emploi_cadre")
RECORDS: Final = Layout(
    {
        "rome_code": ("code_rome",),
        "parent_rome_code": ("code_rome_parent",),
        "label": ("libelle_rome",),
        **_TRANSITIONS,
    },
    ("code_fiche_metier", "code_ogr", *_FLAGS),
)
LINKS: Final = Layout(
    {"rome_code": ("code_rome",), "skill_code": ("code_ogr",), "importance": ("coeur_metier",)}
)
SKILLS: Final = Layout(
    {
        "skill_code": ("code_ogr",),
        "label": ("libelle_competence",),
        "nature": ("nature",),
        "kind": ("cat_comp",),
        "macro_skill_code": ("code_ogr_macro_comp",),
        "tree_code": ("code_macro_comp",),
        **_TRANSITIONS,
    },
    ("definition", "sous_cat_comp", "libelle_heterogeneite", "libelle_origine"),
)
KNOWLEDGE: Final = Layout(
    {"skill_code": ("code_ogr_savoir",), "label": ("libelle_savoir",), **_TRANSITIONS},
    ("categorie_savoir", "sous_categorie_savoir"),
)
TITLES: Final = Layout(
    {
        "appellation_code": ("code_ogr",),
        "rome_code": ("code_rome",),
        "label": ("libelle_appellation_long",),
        "classification": ("classification",),
    },
    (
        *("libelle_appellation_court", "transition_eco", "transition_num", *_FLAGS),
        *("origine", "code_rome_parent", "peu_usite"),
    ),
)
CONTEXTS: Final = Layout(
    {
        "skill_code": ("code_ogr",),
        "label": ("libelle_cont_travail",),
        "kind": ("libelle_type_cont_trav",),
    },
    ("code_type_cont_trav",),
)
MOVES: Final = Layout(
    {"rome_code": ("code_rome",), "target_rome_code": ("code_rome_cible",)}, ("numero_ordre",)
)
COMPETENT: Final = Layout(
    {
        "label": ("Classification 2 PrefLabel FR",),
        "uri": ("Classification 1 URL",),
        "relation": ("Mapping Relation",),
    },
    (
        *("Classification 1 URI", "Classification 1 ID", "Classification 1 PrefLabel"),
        *("Classification 2 URI", "Classification 2 ID", "Classification 2 PrefLabel NL"),
        *("Classification 2 URL", "Editorial Note"),
    ),
)
COLLECTION: Final = Layout(
    {"uri": ("conceptUri",)},
    (
        *("conceptType", "preferredLabel", "status", "skillType", "reuseLevel", "altLabels"),
        *("description", "broaderConceptUri", "broaderConceptPT"),
    ),
)
ESCO_RELATIONS: Final = ("skos:exactMatch", "skos:narrowMatch")
CONDITIONS: Final = (
    "Conditions de travail et risques professionnels",
    "Horaires et durée du travail",
)
"""Kinds of working contexts that are working conditions; the others are places and statuses."""
MACRO: Final = "Macro-compétence"


def load(paths: Paths) -> Loaded:
    """Return the records of the field, and what the ROME says of every record of version 3.

    Args:
        paths: The files of `PRODUCER`; without those of ESCO, working contexts and moves, only
            the records of the field; without the job titles, only the facts.

    Returns:
        Tables of `rome_field`, and `rome_facts` (counts of skills, by mark), `rome_items` (emerging
        skills, macro-skills, working conditions), `rome_item_labels`, `rome_moves` (records to
        which one may move).

    Raises:
        SchemaError: If a file has not its usual columns, or one of the four main ones is missing.
    """
    if missing := [PRODUCER.files[name] for name in _ROME if name not in paths]:
        what = f"not given: {', '.join(missing)}"
        expected = "the four files that tell the skills of the records"
        raise SchemaError.of("ROME", what, expected, "give them all, of one version")
    reads = _reads(paths)
    loaded = rome_field.load(reads, paths) if "titles" in paths else {}
    if paths.keys() >= {"contexts", "moves", *_ESCO}:
        loaded |= _every_record(reads, paths)
    return loaded


def _reads(paths: Paths) -> dict[str, Read]:
    layouts = {"records": RECORDS, "links": LINKS, "skills": SKILLS, "knowledge": KNOWLEDGE}
    return {name: read(paths[name], layout) for name, layout in layouts.items()}


def _every_record(reads: dict[str, Read], paths: Paths) -> Loaded:
    links, skills = _links(reads), _skills(reads)
    contexts, moves = read(paths["contexts"], CONTEXTS), read(paths["moves"], MOVES)
    is_condition = contexts.rows["kind"].isin(CONDITIONS)
    conditions = contexts.rows.loc[is_condition, ["skill_code", "label"]]
    esco = {name: read(paths[name], COLLECTION) for name in ("green", "digital")}
    esco["competent"] = read(paths["competent"], COMPETENT)
    marked = skills.merge(esco_marks(skills, esco), on="skill_code", how="left")
    items = _items(links, skills, conditions)
    labels = pd.concat([skills[["skill_code", "label"]], conditions])
    labels = labels.rename(columns={"skill_code": "item_code"}).drop_duplicates("item_code")
    named = labels[labels["item_code"].isin(items["item_code"])]
    made = {
        "rome_facts": (_facts(links, marked), [*reads.values(), *esco.values()]),
        "rome_items": (items, [*reads.values(), contexts]),
        "rome_item_labels": (
            named.sort_values("item_code", ignore_index=True),
            [*reads.values(), contexts],
        ),
        "rome_moves": (_moves(reads, moves), [moves, reads["records"]]),
    }
    keep = partial(kept, producer=PRODUCER, edition=version(reads["records"].file))
    return {name: (table, keep(found[0].rows, found)[1]) for name, (table, found) in made.items()}


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
    reads = _reads({name: files[0] for name, files in found.items()})
    columns = ["rome_code", "parent_rome_code", "skill_code", "label"]
    return _links(reads).merge(_skills(reads), on="skill_code")[columns]


def esco_marks(skills: pd.DataFrame, esco: dict[str, Read]) -> pd.DataFrame:
    """Return the skills that are linked to ESCO, and whether its collections hold a linked one.

    Args:
        skills: `skill_code`, `label`.
        esco: `competent`, `green` and `digital`.

    Returns:
        `skill_code`, `esco_links_count`, `is_green`, `is_digital`.
    """
    competent = esco["competent"].rows
    competent = competent[competent["relation"].isin(ESCO_RELATIONS)]
    links = skills[["skill_code", "label"]].merge(competent, on="label").drop_duplicates()
    for name in ("green", "digital"):
        links[f"is_{name}"] = links["uri"].isin(esco[name].rows["uri"])
    marks = {"esco_links_count": ("uri", "nunique")}
    marks |= {f"is_{name}": (f"is_{name}", "any") for name in ("green", "digital")}
    return links.groupby("skill_code", as_index=False).agg(**marks)


def _links(reads: dict[str, Read]) -> pd.DataFrame:
    """Return the links of each record: `rome_code`, `parent_rome_code`, `skill_code`, mark."""
    records = reads["records"].rows[["rome_code", "parent_rome_code"]]
    return reads["links"].rows.merge(records, on="rome_code").drop_duplicates()


def _skills(reads: dict[str, Read]) -> pd.DataFrame:
    """Return every skill: `skill_code`, `label`, marks, whether it is a macro-skill to do."""
    names = ["skill_code", "label", *_TRANSITIONS]
    done = reads["skills"].rows[[*names, "nature", "kind"]]
    known = reads["knowledge"].rows[names].assign(nature="", kind="Savoir")
    every = pd.concat([done, known], ignore_index=True)
    is_macro = every["nature"] == MACRO
    is_to_do = is_macro & (every["kind"] == "Savoir-faire")
    return every.assign(is_macro=is_macro, is_to_do=is_to_do)


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
    code = links["skill_code"].astype("object")  # a set of texts is twenty times as fast
    chosen = {
        "emerging": (links["importance"] == "Émergente") & code.isin(skills["skill_code"]),
        "macro": code.isin(skills.loc[skills["is_to_do"], "skill_code"]),
        "condition": code.isin(conditions["skill_code"]),
    }
    names = {"parent_rome_code": "rome_code", "skill_code": "item_code"}
    parts = [links.loc[rows, list(names)].assign(fact_code=fact) for fact, rows in chosen.items()]
    items = pd.concat(parts).rename(columns=names)[["rome_code", "fact_code", "item_code"]]
    return items.drop_duplicates().sort_values([*items], ignore_index=True)


def _moves(reads: dict[str, Read], found: Read) -> pd.DataFrame:
    """Return the moves that ROME names between records of ROME 3; those within one are left out."""
    parents = reads["records"].rows.set_index("rome_code")["parent_rome_code"]
    moves = found.rows.apply(lambda codes: codes.map(parents))
    moves = moves[moves["rome_code"] != moves["target_rome_code"]].dropna().drop_duplicates()
    ordered: pd.DataFrame = moves.sort_values([*moves], ignore_index=True)
    return ordered


def version(name: str) -> str:
    """Return the version that the name of a file says, such as `460`; `?` if none.

    Examples:
        >>> version("unix_coherence_item_v460_utf8.csv")
        '460'
    """
    found = re.search(r"_v(\d+)", name)
    return found[1] if found else "?"


def version_of(folder: Path) -> str:
    """Return the version that the files of a folder name, such as `460`."""
    names = (version(path.name) for path in sorted(folder.glob("unix_*.csv")))
    return next((each for each in names if each != "?"), "?")
