"""What a column of results means; those of input tables too are in `columns`."""

from typing import Final

from opmq_lib.tables.kinds import ANY, Column, code, count, day, heads, number, pct, text, year

NATURES = ("observed", "estimate", "official_projection")
STATES = ("value", "s", "nd", "np", "nv")

TITLES_SEPARATOR = " ; "
"""Between titles in a cell of `main_romes`, and of `certifications`."""

UNDER_45: Final = "moins de 45 ans"
COUNTED_BANDS: Final = (
    *("45-49 ans", "50-54 ans", "55-59 ans", "60-64 ans", "65 ans ou plus"),
    "âge inconnu",
)
"""Age bands of a company's employees: those under 45 are not at the end of a career."""

RESULTS: Final[dict[str, Column]] = {
    "model": text("Modèle"),
    "horizon_years": count("Années projetées (0 : toutes)", "années"),
    "variant": text("Variante"),
    "indicators.level": text("Niveau ou classe"),
    "cutoff_year": year("Dernière année observée"),
    "quantile_level": number("Niveau du quantile", "de 0 à 1", 0, 1),
    "quantity": text("Grandeur"),
    "indicator": text("Indicateur"),
    "value": number("Valeur", "voir la colonne unit"),
    "lower": number("Borne basse", "voir la colonne unit"),
    "upper": number("Borne haute", "voir la colonne unit"),
    "criterion_values.value": number("Valeur", "unité du critère"),
    "criterion_values.lower": number("Borne basse", "unité du critère"),
    "criterion_values.upper": number("Borne haute", "unité du critère"),
    "interval_level": number("Niveau de l’intervalle", "de 0 à 1", 0, 1),
    "unit": text("Unité"),
    "shortlist.rank": Column("whole", "Rang dans la liste", "1, 2, …", 1),
    "decisions.rank": Column("whole", "Rang dans la liste", "1, 2, …", 1),
    "decision_follow_up.rank": Column("whole", "Rang dans la liste, cette édition", "1, 2, …", 1),
    "is_shown": text("Présent dans au moins la moitié des tirages", "yes", "no"),
    "presence_pct": pct("Tirages dont la liste a ce métier"),
    "departures_per_year_headcount": heads(
        "Départs à remplacer par an, comptés prudemment", "personnes par an"
    ),
    "departure_rate_pct_lower": pct("Départs pour 100 emplois et par an, borne basse"),
    "departure_rate_pct_upper": pct("Départs pour 100 emplois et par an, borne haute"),
    "employment_share_pct": pct("Part de l’emploi de la branche"),
    "employment_share_pct_lower": pct("Part de l’emploi de la branche, borne basse"),
    "employment_share_pct_upper": pct("Part de l’emploi de la branche, borne haute"),
    "tension_alarm": text("Tension parmi les plus fortes", "yes", "no"),
    "departures_alarm": text("Beaucoup de départs à remplacer", "yes", "no"),
    "tension_year": year("Année de la tension"),
    "causes_year": year("Année des causes"),
    "causes": text("Causes, de la convention du projet"),
    "certifications_count": count("Certifications en cours pour le métier", "certifications"),
    "own_certifications_count": count("Dont celles de la branche", "certifications"),
    "company_heads.age_band": text("Tranche d’âge", UNDER_45, *COUNTED_BANDS),
    "company_heads.employees_headcount": count("Salariés de l’entreprise", "salariés"),
    "company_rates.age_band": text("Tranche d’âge", *COUNTED_BANDS),
    "company_rates.start_year": year("Début des années du taux"),
    "company_rates.end_year": year("Fin des années du taux"),
    "company_rates.nature": text("Nature du taux", "official_projection", "projection"),
    "certifications": text("Titres de certifications en cours"),
    "near_metier_codes": text("Métiers proches par leurs compétences"),
    "falling_metier_codes": text("Dont ceux où la projection officielle fait baisser l’emploi"),
    "shortlist_left_out.reason": text(
        "Pourquoi il n’y est pas", "no_figure", "falling", "secret", "unattested"
    ),
    "question_code": text("Question", "core", "strategic"),
    "criterion_code": code("Critère", r"[a-z0-9][a-z0-9_-]*", "employment_share"),
    "labels.label": text(
        "Étiquette",
        *("in_list", "depends_on_estimate", "depends_on_weights", "out"),
        *("not_assessable", "not_labelled"),
    ),
    "acceptability_pct": pct("Tirages favorables"),
    "uniform_acceptability_pct": pct("Tirages favorables, tous poids également probables"),
    "data_variance_share_pct": pct("Part du doute qui vient des données"),
    "score": number("Score", "de 0 à 1", 0, 1),
    "score_lower": number("Score, borne basse", "de 0 à 1", 0, 1),
    "score_upper": number("Score, borne haute", "de 0 à 1", 0, 1),
    "missed_gate": Column("whole", "Condition le plus souvent manquée", "1, 2, …", 1),
    "missed_gate_pct": pct("Tirages où cette condition est manquée"),
    "flip_criterion_code": code("Critère qui fait basculer", ANY, "employment_share"),
    "flip_weight": number("Poids à partir duquel l’avis bascule", "de 0 à 1", 0, 1),
    "entry_headcount": heads("Emploi à partir duquel le métier entrerait"),
    "voted": text("Retenu par un vote", "yes", "no", "none"),
    "main_rome_codes": text("Fiches ROME de la plupart des embauches de la branche"),
    "main_romes": text("Leurs titres (ROME 3)"),
    "branch_hires_count": number("Embauches dans les activités de la branche", "déclarations", 0),
    "low": number("Borne du score 0", "voir la colonne unit"),
    "high": number("Borne du score 1", "voir la colonne unit"),
    "scale": text("Échelle", "linear", "log"),
    "direction": text("Sens", "higher", "lower"),
    "weight": number("Poids", "de 0 à 1", 0, 1),
    "gate": Column("whole", "Condition", "1, 2, …", 1),
    "way": Column("whole", "Voie", "1, 2, …", 1),
    "least": number("Au moins", "voir la colonne unit"),
    "cutoff_score": number("Score à partir duquel un métier entre", "de 0 à 1", 0, 1),
    "concentration": number("Concentration des poids tirés", "sans unité", 0),
    "vote_date": day("Date du vote"),
    "vote_body": text("Instance"),
    "minutes_reference": text("Relevé de décisions"),
    "status": text("État de la cellule", *STATES),
    "ages_basis": text("Âges", "branch", "national", "mixed", "none"),
    "best_grade": text("Fiabilité, au mieux (A : la meilleure)", *"AB"),
    "needs.start_year": year("Début du décompte"),
    "needs.nature": text("Nature du chiffre", *NATURES, "projection"),
    "skill_posts.nature": text("Nature du chiffre", *NATURES, "projection"),
    "projection.nature": text("Nature du chiffre", *NATURES, "projection"),
    "facts.nature": text("Nature du chiffre", *NATURES, "projection"),
    "indicators.nature": text("Nature du chiffre", *NATURES, "projection"),
}
"""Meaning of the columns that only results have, or that results have otherwise."""
