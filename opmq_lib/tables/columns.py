"""What a column means, once: same name, same quantity, same unit, in every table."""

from math import inf, isfinite
from typing import Final, NamedTuple

DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
"""What a day looks like."""


class Column(NamedTuple):
    """What a column means.

    Attributes:
        kind: `text`, `code`, `whole` (number) or `number`.
        label: French name, shown to readers.
        unit: French unit, empty for texts.
        low: Least value.
        high: Largest value.
        choices: The only texts allowed, if not empty.
        pattern: What a code looks like.
        example: A code, for messages.
    """

    kind: str
    label: str
    unit: str = ""
    low: float = -inf
    high: float = inf
    choices: tuple[str, ...] = ()
    pattern: str = ""
    example: str = ""

    @property
    def is_text(self) -> bool:
        """Whether cells are texts: codes are."""
        return self.kind in {"text", "code"}


def _text(label: str, *choices: str) -> Column:
    return Column("text", label, choices=choices)


def _code(label: str, pattern: str, example: str) -> Column:
    return Column("code", label, pattern=pattern, example=example)


def _count(label: str, unit: str) -> Column:
    return Column("whole", label, unit, low=0)


def _number(label: str, unit: str, low: float = -inf, high: float = inf) -> Column:
    return Column("number", label, unit, low, high)


def _heads(label: str, unit: str = "emplois") -> Column:
    return _number(label, unit, 0)


def _pct(label: str, low: float = 0, high: float = 100) -> Column:
    return _number(label, "%", low, high)


def _euros(label: str) -> Column:
    return _number(label, "euros par mois", 0)


def _class(label: str) -> Column:
    return Column("whole", label, "classe de 1 à 5", low=1, high=5)


def _day(label: str) -> Column:
    return _code(label, DAY, "2025-03-31")


def _year(label: str) -> Column:
    return Column("whole", label, "année", low=1900, high=2100)


ANY = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_NATURES = ("observed", "estimate", "official_projection")
_BANDS = ("1_9", "10_49", "50_249", "250_plus", "unknown")
_REASONS = ("out_of_offer", "delay", "budget", "area", "other", "unknown")
_DECISIONS = ("candidate", "adopted", "rejected", "postponed", "implemented", "abandoned")
_PROGRESS = ("requested", "under_way", "delivered", "validated", "abandoned")
FACTORS: Final = {
    "hiring_intensity": "Intensité d’embauches",
    "training_job_link": "Lien formation-emploi",
    "labour_shortage": "Manque de main-d’œuvre disponible",
    "non_durable_jobs": "Non-durabilité de l’emploi",
    "hard_working_conditions": "Conditions de travail contraignantes",
    "geographic_mismatch": "Inadéquation géographique",
}
"""What makes a métier tense, in the tables of the Dares: columns and their labels."""

_STATES = ("value", "s", "nd", "np", "nv")

COLUMNS: Final[dict[str, Column]] = {
    # keys
    "branch_code": _code("Branche", r"[a-z][a-z0-9_]*", "chimie"),
    "metier_code": _code("Métier", ANY, "D1Z40"),
    "idcc_code": _code("Convention collective (IDCC)", r"[0-9]{5}", "00044"),
    "region_code": _code(
        "Région (FM : France métropolitaine, FR : France entière)", r"[0-9][0-9AB]|FM|FR", "84"
    ),
    "rome_code": _code("Fiche ROME", r"[A-Z][0-9]{4}", "H2102"),
    "naf_code": _code("Activité (NAF rév. 2)", r"[0-9]{4}[A-Z]", "2059Z"),
    "skill_code": _code("Compétence", r"[0-9]+", "100007"),
    "macro_skill_code": _code("Macro-compétence", r"[0-9]+", "300004"),
    "appellation_code": _code("Appellation", r"[0-9]+", "10200"),
    "certifinfo_code": _code("Certification (Certif Info)", r"[0-9]+", "100423"),
    "source_code": _code("Source", ANY, "dares_portraits_metiers"),
    "scenario_code": _code("Scénario", r"[a-z0-9][a-z0-9_-]*", "reference"),
    "series_code": _text("Série"),
    "series.year": Column("whole", "Année", "année", 0, 9999),
    "headcount_series.value": Column("number", "Effectif", "personnes", low=0),
    "year": _year("Année"),
    "age_band": _text("Tranche d’âge"),
    "period": _code("Période", r"[0-9]{4}-[0-9]{4}", "2017-2019"),
    # branches and conventions
    "label": _text("Libellé"),
    "cpnefp_name": _text("CPNEFP"),
    "industry_group_code": _code("Regroupement de conventions (CRIS)", r"[A-Z]", "C"),
    "idcc_2019_codes": _text("Conventions en 2019"),
    "idcc_2026_codes": _text("Conventions en 2026"),
    "in_opco2i_table_2019": _text("Dans la table OPCO 2i de 2019", "yes", "no"),
    "portrait_2020": _text("Portrait de branche 2020", "yes", "partial", "no"),
    "short_label": _text("Libellé court"),
    "field": _text("Champ d’application"),
    "cris_code": _code("Regroupement de conventions (CRIS)", r"[A-Z][0-9]{2}", "C10"),
    "active": _text("Convention active", "yes", "no"),
    "successor_idcc_code": _code("Convention suivante", r"[0-9]{5}", "03248"),
    "final_idcc_code": _code("Convention finale", r"[0-9]{5}", "03248"),
    "signed_on": _day("Date de signature"),
    "effective_on": _day("Date d’effet"),
    "ended_on": _day("Date de fin"),
    # headcounts of conventions
    "employees_headcount": _heads("Salariés au 31 décembre", "salariés"),
    "employees_fte": _heads("Salariés en équivalent temps plein", "équivalents temps plein"),
    "firms_main_idcc_count": _count("Entreprises, convention principale", "entreprises"),
    "firms_any_employee_count": _count("Entreprises, au moins un salarié", "entreprises"),
    "establishments_main_idcc_count": _count(
        "Établissements, convention principale", "établissements"
    ),
    "establishments_any_employee_count": _count(
        "Établissements, au moins un salarié", "établissements"
    ),
    "share_firms_10_to_19_pct": _pct("Entreprises de 10 à 19 salariés"),
    "share_firms_20_to_49_pct": _pct("Entreprises de 20 à 49 salariés"),
    "share_firms_50_to_99_pct": _pct("Entreprises de 50 à 99 salariés"),
    "share_firms_100_to_249_pct": _pct("Entreprises de 100 à 249 salariés"),
    "share_firms_250_to_499_pct": _pct("Entreprises de 250 à 499 salariés"),
    "share_firms_500_or_more_pct": _pct("Entreprises de 500 salariés ou plus"),
    "share_firms_under_10_pct": _pct("Entreprises de moins de 10 salariés"),
    "share_firms_under_50_pct": _pct("Entreprises de moins de 50 salariés"),
    "wage_all_eur_per_month": _euros("Salaire net moyen en équivalent temps plein"),
    "wage_women_eur_per_month": _euros("Salaire net moyen des femmes"),
    "wage_men_eur_per_month": _euros("Salaire net moyen des hommes"),
    "wage_managers_eur_per_month": _euros("Salaire net moyen des cadres"),
    "wage_intermediate_eur_per_month": _euros("Salaire net moyen des professions intermédiaires"),
    "wage_clerks_eur_per_month": _euros("Salaire net moyen des employés"),
    "wage_workers_eur_per_month": _euros("Salaire net moyen des ouvriers"),
    "wage_gap_pct": _pct("Écart de salaire des femmes aux hommes", low=-100, high=inf),
    "share_under_1_05_smic_pct": _pct("Salariés sous 1,05 Smic"),
    "share_under_1_05_smic_women_pct": _pct("Femmes sous 1,05 Smic"),
    "share_under_1_05_smic_men_pct": _pct("Hommes sous 1,05 Smic"),
    "share_under_1_05_smic_managers_pct": _pct("Cadres sous 1,05 Smic"),
    "share_under_1_05_smic_intermediate_pct": _pct("Professions intermédiaires sous 1,05 Smic"),
    "share_under_1_05_smic_clerks_pct": _pct("Employés sous 1,05 Smic"),
    "share_under_1_05_smic_workers_pct": _pct("Ouvriers sous 1,05 Smic"),
    # métiers
    "nomenclature": _text("Nomenclature"),
    "level": _text("Niveau de la nomenclature"),
    "parent_code": _code("Famille", ANY, "D1Z"),
    "scope": _text("Domaine", "industry", "transverse", "other", "total"),
    "employment_headcount": _heads("Emploi"),
    "employment_headcount_lower": _heads("Emploi, borne basse"),
    "employment_headcount_upper": _heads("Emploi, borne haute"),
    "headcount_fit_ratio": _number(
        "Effectif publié rapporté à l’emploi estimé des activités", "rapport", 0
    ),
    "reliability_grade": _text("Fiabilité (A : la meilleure)", *"ABCD"),
    "nature": _text("Nature du chiffre", *_NATURES),
    "origin": _text("Origine", "public", "own"),
    "units_count": _count("Entreprises derrière la cellule", "entreprises"),
    "largest_share_pct": _pct("Part de la plus grande entreprise"),
    "share": _number("Part", "part de 0 à 1", low=0, high=1),
    "employees_national.employees_headcount": _heads("Salariés, apprentis exclus", "salariés"),
    "branch_totals.employees_headcount": _heads("Salariés de la branche dans l’année", "salariés"),
    "sector_code": _code("Secteur (NAF en 38 postes)", r"[A-Z]{2}", "CE"),
    "pcs_code": _code("Catégorie socioprofessionnelle (PCS 2003)", r"[0-9]{3}[a-z]", "624d"),
    "official_projections.metier_code": _code(
        "Familles de métiers (FAP-87), regroupées comme elles sont publiées",
        r"[A-Z][0-9A-Z][A-Z_](;[A-Z][0-9A-Z][A-Z_])*",
        "D1Z",
    ),
    "horizon_year": _year("Année projetée"),
    "base_year": _year("Année de départ"),
    "net_creation_headcount": _number("Créations nettes d’emplois", "emplois"),
    "departures_headcount": _heads("Départs en fin de carrière", "personnes"),
    "young_beginners_headcount": _heads("Jeunes débutants", "personnes"),
    "region_moves_headcount": _number("Solde des mobilités entre régions", "personnes"),
    "imbalance_headcount": _number("Déséquilibre potentiel", "personnes"),
    # tension and recruitment
    "tension_index": _number("Indicateur de tension", "indice sans unité"),
    "mean_employment_headcount": _heads("Emploi moyen"),
    "tension_class": _class("Classe de tension"),
    **{factor: _class(label) for factor, label in FACTORS.items()},
    "basins_count": _count("Bassins d’emploi publiés", "bassins"),
    "high_tension_basins_count": _count("Bassins en classe 4 ou 5", "bassins"),
    "hard_to_fill_share": _number("Part des projets jugés difficiles", "de 0 à 1", 0, 1),
    "offers_per_seeker_ratio": _number("Offres par demandeur d’emploi", "rapport", 0),
    "exit_rate": _number("Taux de sortie des listes", "de 0 à 1", 0, 1),
    "tension_variance": _number(
        "Variance d’échantillonnage de l’indice", "carré de l’indice", low=0
    ),
    "reference_code": _code("Référence de la Dares", ANY, "dares_2014_2018_fap2009"),
    "component": _text("Composante", "hard_to_fill_share", "offers_per_seeker_ratio", "exit_rate"),
    "mean": _number("Moyenne de référence", "unité de la composante"),
    "standard_deviation": _number("Écart-type de référence", "unité de la composante"),
    "metier_2021_code": _code("Métier (FAP-2021)", ANY, "D1X40"),
    "qualification_code": _code("Qualification (Pôle emploi)", r"[0-9]", "6"),
    "profile_code": _code("Profil de tension", r"[a-z_]+", "training"),
    "practice": _text("Ce qui se fait souvent"),
    **{
        f"{factor}_range": _code(f"{label} (quintiles)", r"[1-5](-[1-5])?", "4-5")
        for factor, label in FACTORS.items()
    },
    "cells_count": _count("Lignes publiées (bassin × département)", "lignes"),
    "projects_count": _count("Projets de recrutement", "projets"),
    "projects_secret_cells_count": _count("Lignes secrètes, projets", "lignes"),
    "hard_to_fill_count": _count("Projets jugés difficiles", "projets"),
    "hard_to_fill_secret_cells_count": _count("Lignes secrètes, projets difficiles", "lignes"),
    "seasonal_count": _count("Projets saisonniers", "projets"),
    "seasonal_secret_cells_count": _count("Lignes secrètes, projets saisonniers", "lignes"),
    "recruitment_intentions.status": _text("État de la somme", "exact", "lower_bound", "secret"),
    "hires_count": _count("Déclarations d’embauche", "déclarations"),
    # skills and certifications
    "parent_rome_code": _code("Fiche ROME d’origine (version 3)", r"[A-Z][0-9]{4}", "H2102"),
    "ecological_transition": _text("Transition écologique", "white", "green", "strategic", "brown"),
    "digital_transition": _text("Transition numérique", "yes", "no"),
    "rome_version": _text("Version du ROME", "3", "4.0"),
    "importance": _text("Importance", "principale", "émergente", "autre"),
    "type": _text("Type", "savoir", "savoir-faire", "savoir-être"),
    "tree_code": _code("Place dans l’arborescence", ANY, "4A201"),
    "classification": _text("Classement", "principale", "synonyme"),
    "rncp_code": _code("Fiche RNCP", r"[0-9]+", "31115"),
    "title": _text("Intitulé"),
    "kind": _text("Nature de la certification"),
    "type_label": _text("Type de certification"),
    "validating_body": _text("Organisme valideur"),
    "certifying_body": _text("Organisme certificateur"),
    "framework_level": Column("whole", "Niveau du cadre national", "niveau de 3 à 8", 3, 8),
    "nsf_code": _code("Spécialité de formation (NSF)", ANY, "326"),
    "forma_code": _code("Formacode", r"[0-9]+", "45521"),
    "last_session_year": _year("Dernière session"),
    "updated_on": _day("Dernière mise à jour"),
    "selected_by": _text("Retenue par", "rome", "body", "rome+body"),
    "rank": Column("whole", "Rang", "rang de 1 à 5", 1, 5),
    "body": _text("Organisme, tel que la source l’écrit"),
    "code": _text("Code"),
    "query": _text("Texte libre"),
    "review.rank": Column("whole", "Rang", "1, 2, …", 1),
    "confidence": _number("Confiance", "probabilité de 0 à 1", 0, 1),
    "decision": _text("Décision", "accepted", "refused", ""),
    "decided_on": _text("Date de la décision"),
    "version": Column("whole", "Version de la feuille", "1, 2, …", 1),
    "skill_level": Column("whole", "Niveau de maîtrise", "niveau de 1 à 4", 1, 4),
    "needed_headcount": _heads("Personnes nécessaires", "personnes"),
    "available_headcount": _heads("Personnes disponibles", "personnes"),
    "respondents_count": _count("Entreprises répondantes", "entreprises"),
    "coverage_pct": _pct("Part des personnes que la source a vues"),
    "period_rank": Column("whole", "Rang de la période", "1, 2, …", 1),
    "mentions_count": _count("Documents qui citent la compétence", "documents"),
    "documents_count": _count("Documents de la période", "documents"),
    "employers_count": _count("Employeurs", "employeurs"),
    "mentions_squares_count": _count("Offres qui la citent, par employeur, au carré", "offres²"),
    "fiche_code": _code("Fiche du RNCP ou du RS", r"(RNCP|RS)[0-9]+", "RNCP31115"),
    "bloc_code": _code("Bloc de compétences", r"(RNCP|RS)[0-9]+BC[0-9]+", "RNCP31115BC01"),
    "bloc_label": _text("Intitulé du bloc"),
    "skill_label": _text("Intitulé de la compétence"),
    "bloc_readings.decision": _text("Le bloc couvre la compétence", "yes", "no", ""),
    "bundle": _text("Ensemble de compétences"),
    "lead_months": _count("Mois après le jour de l’édition", "mois"),
    "covered_on": _day("Jour regardé"),
    "coverage_ratio": _number(
        "Part des compétences qu’un bloc en vigueur couvre", "part de 0 à 1", 0, 1
    ),
    "skills_count": _count("Compétences principales ou émergentes", "compétences"),
    "read_skills_count": _count("Compétences qu’un bloc lu couvre", "compétences"),
    "ending_blocs_count": _count("Blocs en vigueur qui ne le sont plus ce jour-là", "blocs"),
    "rncp_fiches.active": _text("Fiche active", "yes", "no"),
    "starts_on": _day("Date d’effet"),
    "ends_on": _day("Fin d’enregistrement"),
    "metiers_count": _count("Métiers (ROME)", "métiers"),
    "skill_rank": Column("whole", "Rang dans le profil", "1, 2, …", 1),
    "other_branch_code": _code("Autre branche", r"[a-z0-9_]+", "chimie"),
    "other_certifinfo_code": _code("Autre certification (Certif Info)", r"[0-9]+", "100423"),
    "other_title": _text("Intitulé de l’autre certification"),
    "shared_metiers_count": _count("Métiers (ROME) visés par les deux", "métiers"),
    "state": _text(
        "État de l’enregistrement", "expired", "within_12_months", "within_24_months", "later", "nd"
    ),
    "months_left": Column("whole", "Mois avant la fin", "mois entiers"),
    "reason_code": _text("Raison de regarder"),
    "signal": _text("Signal", "emerging_flag", "uncovered"),
    "needed": _number("Besoin", "personnes pondérées par le niveau", 0),
    "available": _number("Disponible", "personnes pondérées par le niveau", 0),
    "gap": _number("Écart relatif", "de −1 à 1", -1, 1),
    "unweighted_gap": _number("Écart relatif sans pondération", "de −1 à 1", -1, 1),
    # sources and conventions of the project
    "table": _text("Table"),
    "sources.period": _text("Période"),
    "producer": _text("Producteur"),
    "data_date": _text("Date des données"),
    "licence": _text("Licence"),
    "current_version": _text("Version à jour"),
    "note": _text("Note"),
    "basis": _text("Fondement"),
    # needs
    "exit_rate_pct": _pct("Taux de sortie annuel", high=inf),
    "exit_reason": _text("Motif de sortie"),
    "exit_share_pct": _pct("Part des sorties"),
    "young_beginners_per_year_headcount": _heads("Jeunes débutants par an", "personnes par an"),
    "net_mobility_per_year_headcount": _number(
        "Mobilité nette entrante par an", "personnes par an"
    ),
    "age_pyramids.period": _code("Période", r"[0-9]{4}(-[0-9]{4})?", "2017-2019"),
    "age_pyramids.age_band": _code("Tranche d’âge", r".*[0-9].*", "50-54 ans"),
    "first_age": _count("Premier âge de la tranche", "ans"),
    "step": Column("whole", "Pas de cinq ans", "1, 2, …", 1),
    "survival_ratio": Column("number", "Part encore en emploi cinq ans après", "de 0 à 1", 0, 1),
    "common_spread_logit": Column("number", "Écart-type commun à tous les métiers", "logit", 0),
    "spread_ratio": Column("number", "Écart-type propre au métier", "de 0 à 1", 0),
    "employment_multiplier": Column("number", "Multiplicateur de l’emploi", "rapport", 0),
    "departures_multiplier": Column("number", "Multiplicateur des départs", "rapport", 0),
    "line_number": _count("Ligne du scénario", "rang"),
    "scenario_label": _text("Scénario"),
    "line_label": _text("Ce que dit la ligne"),
    "driver": _text("Ce qui change", "employment", "departures"),
    "industry_group_codes": _text("Regroupements de branches"),
    "branch_codes": _text("Branches"),
    "metier_codes": _text("Métiers"),
    "start_year": _year("Départ"),
    "end_year": _year("Arrivée"),
    "multiplier": _number("Multiplicateur", "rapport à la référence", 0),
    "points": _text("Points intermédiaires"),
    "vote": _text("Vote"),
    # registers of requests, recommendations and studies
    "request_code": _code("Demande", ANY, "D2025-0012"),
    "company_code": _code("Entreprise (pseudonyme)", r"[0-9a-f]{16}", "0f3a9c5e7b21d468"),
    "size_band": _text("Tranche d’effectif", *_BANDS),
    "company_headcount": _count("Effectif de l’entreprise", "salariés"),
    "study_list.status": _text("État", *_PROGRESS),
    "follow_up": _text("Suivi", "late", "outdated", "undated"),
    "requested_on": _day("Date de la demande"),
    "channel": _text("Canal", "phone", "mail", "visit", "web", "event", "other"),
    "topic_code": _code("Thème", r"[a-z][a-z0-9_]*", "recrutement"),
    "subtopic_code": _code("Sous-thème", r"[a-z][a-z0-9_]*", "recrutement_attirer"),
    "parent_topic_code": _code("Thème qui contient", r"[a-z][a-z0-9_]*", "recrutement"),
    "coverage": _text("Couverture par l’offre", "covered", "partly", "not_covered"),
    "reason": _text("Motif de non-couverture", *_REASONS),
    "outcome": _text("Suite donnée", "answered", "redirected", "abandoned", "open"),
    "answer_delay_days": _count("Délai de réponse", "jours"),
    "request_note": _text("Note interne, jamais publiée"),
    "requests.origin": _text("Origine", "own", "fictitious"),
    "firms_count": Column("whole", "Entreprises de la tranche", "entreprises", 0),
    "recommendation_code": _code("Recommandation", ANY, "chimie-recrutement-2026"),
    "proposed_on": _day("Date de la proposition"),
    "period_end_on": _day("Fin de la période"),
    "unmet_companies_count": _count("Entreprises non couvertes", "entreprises"),
    "requesting_companies_count": _count("Entreprises qui ont demandé", "entreprises"),
    "unmet_share_pct": _pct("Part non couverte"),
    "unmet_share_lower_pct": _pct("Part non couverte, borne basse"),
    "unmet_share_upper_pct": _pct("Part non couverte, borne haute"),
    "offer_change": _text("Évolution proposée de l’offre"),
    "recommendations.status": _text("Suite", *_DECISIONS),
    "decision_status": _text("Suite", *_DECISIONS),
    "recommendations.decision": _text("Décision"),
    "recommendations.decided_on": _day("Date de la décision"),
    "request_follow_up.decision": _text("Décision"),
    "recommendations.origin": _text("Origine", "own", "fictitious"),
    "request_review.size_band": _text("Tranche d’effectif", *_BANDS, "under_50", "50_plus", "all"),
    "request_review.reason": _text("Motif de non-couverture", *_REASONS, "all"),
    "request_review.origin": _text("Origine", "public", "own", "fictitious"),
    "retained": _text("Retenu malgré le nombre de tests", "yes", "signal", "no"),
    "request_follow_up.origin": _text("Origine", "public", "own", "fictitious"),
    "numerator_count": _count("Numérateur", "voir la colonne indicator"),
    "denominator_count": _count("Dénominateur", "voir la colonne indicator"),
    "theme_code": _code("Thème d’étude", r"[a-z][a-z0-9_]*", "emplois"),
    "study_code": _code("Étude", ANY, "E2024-03"),
    "requested_by": _text("Commanditaire"),
    "studies.branch_codes": _text("Branches (codes séparés par un espace, ou « ensemble »)"),
    "study_list.branch_codes": _text("Branches"),
    "theme_codes": _text("Thèmes (codes séparés par un espace)"),
    "studies.metier_codes": _text("Métiers FAP-2009 (codes séparés par un espace)"),
    "question": _text("Question posée"),
    "method": _text("Méthode"),
    "method_note_link": _text("Note de méthode"),
    "studies.status": _text("État", *_PROGRESS),
    "due_on": _day("Échéance"),
    "delivered_on": _day("Date de livraison"),
    "fieldwork_end_on": _day("Fin du terrain"),
    "cost_band": _text("Coût", "under_10k", "10k_50k", "50k_150k", "over_150k"),
    "deliverables": _text("Livrables"),
    "link": _text("Adresse"),
    "reused_by": _text("Réutilisations"),
    "disclosure": _text("Diffusion", "public", "confidential"),
    # results
    "model": _text("Modèle"),
    "horizon_years": _count("Années projetées (0 : toutes)", "années"),
    "variant": _text("Variante"),
    "indicators.level": _text("Niveau ou classe"),
    "cutoff_year": _year("Dernière année observée"),
    "quantile_level": _number("Niveau du quantile", "de 0 à 1", 0, 1),
    "quantity": _text("Grandeur"),
    "indicator": _text("Indicateur"),
    "value": _number("Valeur", "voir la colonne unit"),
    "lower": _number("Borne basse", "voir la colonne unit"),
    "upper": _number("Borne haute", "voir la colonne unit"),
    "interval_level": _number("Niveau de l’intervalle", "de 0 à 1", 0, 1),
    "unit": _text("Unité"),
    "question_code": _text("Question", "core", "strategic"),
    "criterion_code": _code("Critère", r"[a-z0-9][a-z0-9_-]*", "employment_share"),
    "labels.label": _text(
        "Étiquette", "robust", "weight_dependent", "out", "not_assessable", "not_labelled"
    ),
    "acceptability_pct": _pct("Jeux de poids favorables"),
    "uniform_acceptability_pct": _pct("Jeux de poids favorables, tous également probables"),
    "standard_error_pct": _pct("Erreur type du tirage"),
    "score": _number("Score", "de 0 à 1", 0, 1),
    "score_lower": _number("Score, borne basse", "de 0 à 1", 0, 1),
    "score_upper": _number("Score, borne haute", "de 0 à 1", 0, 1),
    "threshold_met": _text("Seuil atteint", "yes", "no", "uncertain"),
    "flip_criterion_code": _code("Critère qui fait basculer", ANY, "employment_share"),
    "flip_weight": _number("Poids à partir duquel l’avis bascule", "de 0 à 1", 0, 1),
    "voted": _text("Retenu par un vote", "yes", "no", "none"),
    "low": _number("Borne du score 0", "voir la colonne unit"),
    "high": _number("Borne du score 1", "voir la colonne unit"),
    "direction": _text("Sens", "higher", "lower"),
    "weight": _number("Poids", "de 0 à 1", 0, 1),
    "threshold": _number("Seuil", "voir la colonne unit"),
    "cutoff_score": _number("Score à partir duquel un métier entre", "de 0 à 1", 0, 1),
    "concentration": _number("Concentration des poids tirés", "sans unité", 0),
    "vote_date": _day("Date du vote"),
    "vote_body": _text("Instance"),
    "minutes_reference": _text("Relevé de décisions"),
    "status": _text("État de la cellule", *_STATES),
    "ages_basis": _text("Âges", "branch", "national", "mixed", "none"),
    "rates_basis": _text(
        "Taux de départ", "metier", "family", "all", "default", "given", "mixed", "none"
    ),
    "best_grade": _text("Fiabilité, au mieux (A : la meilleure)", *"AB"),
    "needs.start_year": _year("Début du décompte"),
    "needs.nature": _text("Nature du chiffre", *_NATURES, "projection"),
    "skill_posts.nature": _text("Nature du chiffre", *_NATURES, "projection"),
    "projection.nature": _text("Nature du chiffre", *_NATURES, "projection"),
    "indicators.nature": _text("Nature du chiffre", *_NATURES, "projection"),
}
"""Meaning of every column."""


def expectation(column: Column) -> str:
    """Return in words what a cell of a column must hold.

    Examples:
        >>> expectation(COLUMNS["year"]), expectation(COLUMNS["employment_headcount"])
        ('a whole number from 1900 to 2100', 'a number ≥ 0')
        >>> expectation(COLUMNS["idcc_code"]), expectation(COLUMNS["origin"])
        ('a code such as 00044', 'one of: public, own')
        >>> expectation(COLUMNS["bloc_readings.decision"]), expectation(COLUMNS["due_on"])
        ('one of: yes, no, or nothing', 'a day such as 2025-03-31')
    """
    if column.choices:
        return f"one of: {', '.join(choice or 'or nothing' for choice in column.choices)}"
    if column.kind == "code":
        return f"a {'day' if column.pattern == DAY else 'code'} such as {column.example}"
    if column.kind == "text":
        return "a text"
    number = "a whole number" if column.kind == "whole" else "a number"
    if isfinite(column.high):
        return f"{number} from {column.low:g} to {column.high:g}"
    return f"{number} ≥ {column.low:g}" if isfinite(column.low) else number
