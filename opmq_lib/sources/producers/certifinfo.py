"""Certif Info: certifications of the study's field, and the occupations (ROME 3) they aim at."""

from typing import Final

import pandas as pd

from opmq_lib.sources.loading import UNSTATED, Loaded, Paths, Producer, kept, ordered, whole_numbers
from opmq_lib.sources.producers.rome_field import DOMAINS
from opmq_lib.sources.reading import Layout, read

_RANKS: Final = tuple(f"rome_{rank}" for rank in range(1, 6))
PRODUCER: Final = Producer(
    "certifinfo",
    "Certif Info (réseau des Carif-Oref et Onisep)",
    "Référentiel national des certifications",
    UNSTATED,
    "https://www.data.gouv.fr/fr/datasets/referentiel-national-des-certifications/",
    {"certifications": "**/*certif*info*.csv"},
    ("certifications", "certification_metiers"),
)
LAYOUT: Final = Layout(
    {
        "certifinfo_code": ("Code_Diplome",),
        "rncp_code": ("Code_RNCP",),
        "title": ("Libelle_Diplome",),
        "type_label": ("Libelle_Type_Diplome",),
        "validating_body": ("valideur",),
        "certifying_body": ("certificateur",),
        "framework_level": ("Code_Niveau_Europeen",),
        "nsf_code": ("Code_Nsf",),
        "forma_code": ("Code_FormaCode",),
        "last_session_year": ("Annee_Derniere_Session",),
        "updated_on": ("Date_MaJ",),
        "state": ("Etat_Libelle",),
        **{name: (f"Code_{name}",) for name in _RANKS},
    },
    ignored=(
        *("Libelle_FormaCode", "Code_RS", "Code_Scolarité", "Annee_Premiere_Session"),
        *("Code_Ancien_Diplome", "Intitulé_Ancien_Diplome", "Code_Ancien_RNCP", "codeIdeo2"),
        *("Code_Ancien_Scolarité", "Options", "Etat", "Etat_Ancien_Diplome", "code_type_diplome"),
        *("Etat_Ancien_Diplome_Libelle", "accessibilite_fi", "accessibilite_ca"),
        *("accessibilite_fc", "accessibilite_cp", "accessibilite_vae", "accessibilite_ind"),
    ),
    verbatim=True,
)
_KINDS: Final = {
    "Certificat de qualification professionnelle": "CQP",
    "Titre professionnel": "titre professionnel",
    "Autre titre inscrit sur demande au RNCP": "titre RNCP sur demande",
}
"""Start of the types that are kept: diplomas of the State are not."""
_REGISTERED: Final = "CQP inscrit au RNCP"
BODIES: Final = (
    "CPNE de la métallurgie",
    "Union des industries et métiers de la métallurgie",
    "CPNE des industries chimiques",
    "France Chimie",
    "CPNE de l'industrie pharmaceutique",
    "Les entreprises du médicament",
    "CPNE des industries de santé",
    "CPNE de la plasturgie",
    "CPNE du caoutchouc",
    "CPNE de la fabrication de l'ameublement",
    "CPNE de l'industrie textile",
    "Union des industries textiles",
    "CPNE des industries de l'habillement",
    "Union française des industries mode",
    "CPNE de la couture Parisienne",
    "CPNE des industries de la chaussure",
    "CPNE des industries de la maroquinerie",
    "CPNE des industrie des cuirs et peaux",
    "CPNE de l'intersecteurs papiers-cartons",
    "Union intersecteurs papiers cartons",
    "CPNE des industries de fabrication mécanique du verre",
    "CPNE du vitrail",
    "CPNE de l'industrie des tuiles et briques",
    "Fédération française des tuiles et briques",
    "CPNE des industries de carrières et de matériaux",
    "Centre national d'études et des formations des industries de carrières",
    "CPNE de la bijouterie",
    "Fédération française de bijouterie",
    "CPNE des imprimeries de labeur et des industries graphiques",
    "CPNE des industries de la sérigraphie",
    "Fédération des industries nautiques",
    "CPNE de l'assainissement et de la maintenance industrielle",
)
"""Bodies, as the source writes them, whose CQP are kept whatever they aim at."""


def load(paths: Paths) -> Loaded:
    """Return `certifications` and `certification_metiers`: those published, of the field.

    Args:
        paths: `certifications`.
    """
    found = read(paths["certifications"], LAYOUT)
    rows = found.rows
    rows["kind"] = _kinds(rows)
    by_rome = pd.Series(data=False, index=rows.index)
    for name in _RANKS:
        by_rome |= rows[name].str[:3].isin(DOMAINS)
    bodies = rows["validating_body"] + "|" + rows["certifying_body"]
    by_body = bodies.map(lambda text: any(body in text for body in BODIES))
    is_cqp = rows["kind"].str.startswith("CQP")
    drop = {
        "non publiée": rows["state"] != "Publié",
        "type non repris": rows["kind"] == "",
        "hors du champ de l’étude": ~(by_rome | (is_cqp & by_body)),
    }
    days = pd.to_datetime(rows["updated_on"], format="%d/%m/%Y", errors="coerce")
    edition = f"{days.max():%Y-%m-%d}"
    labels = {(True, True): "rome+body", (True, False): "rome", (False, True): "body"}
    selected = [labels.get(pair, "") for pair in zip(by_rome, by_body, strict=True)]
    rows = rows.assign(updated_on=days.dt.strftime("%Y-%m-%d"), selected_by=selected)
    table, record = kept(rows, found, PRODUCER, drop, edition)
    table = ordered(table, "certifinfo_code")
    whole = {
        name: whole_numbers(table[name], found.file)
        for name in ("framework_level", "last_session_year")
    }
    long = table.melt("certifinfo_code", list(_RANKS), "rank", "rome_code")
    long = long[long["rome_code"] != ""]
    long["rank"] = long["rank"].str[-1].astype("Int64")
    tables = {
        "certifications": table.assign(**whole),
        "certification_metiers": ordered(long, "certifinfo_code", "rank"),
    }
    return {name: (each, record) for name, each in tables.items()}


def _kinds(rows: pd.DataFrame) -> pd.Series:
    """Return what each certification is; a CQP of the RNCP is filed under the titles there."""
    kinds = pd.Series("", index=rows.index)
    for start, kind in _KINDS.items():
        is_kind = rows["type_label"].str.startswith(start)
        kinds = kinds.mask(rows["type_label"] == start if kind == "CQP" else is_kind, kind)
    is_registered = (kinds == _KINDS["Autre titre inscrit sur demande au RNCP"]) & rows[
        "title"
    ].str.startswith("CQP")
    return kinds.mask(is_registered, _REGISTERED)
