"""Dares and France Travail's index of tension by family of FAP-2021."""

from typing import Final

from opmq_lib.sources import loading
from opmq_lib.sources.loading import UNSTATED, Loaded, Paths, Producer
from opmq_lib.sources.reading import Layout, read

PRODUCER: Final = Producer(
    "tensions_2021",
    "Dares et France Travail",
    "Les tensions sur le marché du travail",
    UNSTATED,
    "https://dares.travail-emploi.gouv.fr/publication/"
    "les-tensions-sur-le-marche-du-travail-en-2024",
    {"tension": "**/dares_tension_fap2021*"},
    ("tension_2021",),
)
LAYOUT: Final = Layout(
    {
        "metier_2021_code": ("fap228", "code_fap_228"),
        "year": ("year", "annee"),
        "tension_index": ("tension_index", "tension"),
        "tension_class": ("tension_class", "tension_discret"),
    },
    ignored=(
        *("label", "libelle_fap_228", "tension_valeurs_imputees_volumetrie_insuffisante"),
        *("intensite_d_embauches", "lien_formation_emploi", "non_attractivite_salariale"),
        *("manque_de_main_d_oeuvre_disponible", "non_durabilite_de_l_emploi"),
        *("conditions_de_travail_contraignantes", "inadequation_geographique"),
        "croisement_ou_volumetrie_suffisante",
    ),
)


def load(paths: Paths) -> Loaded:
    """Return table `tension_2021`, of the last year of the file.

    Args:
        paths: `tension`.
    """
    found = read(paths["tension"], LAYOUT)
    rows = found.rows
    rows = rows.assign(
        year=loading.years(rows["year"], found.file),
        tension_index=loading.numbers(rows["tension_index"], found.file).round(6),
        tension_class=loading.whole_numbers(rows["tension_class"], found.file),
    )
    last = rows["year"].max()
    drop = {"année antérieure": rows["year"] < last}
    table, record = loading.kept(rows, found, PRODUCER, drop, edition=f"{last}")
    table = loading.ordered(table, "metier_2021_code")
    return {"tension_2021": (table, record)}
