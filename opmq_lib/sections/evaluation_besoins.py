"""Piece of `11_evaluation`: what posts to fill would have been worth, had they been projected."""

from collections.abc import Mapping

import pandas as pd

from opmq_lib import display, french, indicators
from opmq_lib.display import Html

Results = Mapping[str, pd.DataFrame]

TABLE = "evaluation"
LEVELS = {"metier": "59 métiers (depuis 2004)", "family": "26 familles (depuis 1983)"}
MODELS = {
    "study": "Méthode de l’étude",
    "no_change": "« Rien ne change »",
    "last_growth": "« La dernière évolution continue »",
}
BANDS = {50: "50-54 ans", 55: "55-59 ans", 60: "60 ans ou plus"}
AGE_MODELS = {
    "study": "Méthode de l’étude",
    "no_change": "« Rien ne change »",
    "mean_rates": "Taux moyens, sans tendance",
}
SOURCE = french.typography("Source : Dares ; calcul du projet. Nombres : table evaluation.csv.")


def findings(results: Results) -> Html:
    """Return how projections from 2008 compare with simple rules, as the scores say."""
    if _row(results, "needs_error_pct.metier.study") is None:
        return Html("")
    told = []
    for level, label in LEVELS.items():
        own, still, growing = (_value(results, level, model) for model in MODELS)
        best = "font mieux que les deux règles simples"
        if own > min(still, growing):
            best = "font moins bien que l’une des deux règles simples"
        told.append(
            f"{label} : projetés depuis 2008, les effectifs de 2010 à 2018 {best} : écart de "
            f"{_shown(results, f'needs_error_pct.{level}.study')} % en moyenne, contre "
            f"{_shown(results, f'needs_error_pct.{level}.no_change')} % pour « rien ne change » et "
            f"{_shown(results, f'needs_error_pct.{level}.last_growth')} % pour « la dernière "
            "évolution continue ». L’intervalle annoncé à 80 % a contenu "
            f"{_shown(results, f'needs_coverage_pct.{level}', 0)} % des valeurs."
        )
    told.append(
        "Départs de fin de carrière : "
        f"{_shown(results, 'departure_rate_pct.projected')} % des emplois par an de 2008 à 2013, "
        f"contre {_shown(results, 'departure_rate_pct.declared')} % de départs en retraite déclarés "
        "par les entreprises du secteur marchand : le même ordre de grandeur, pas la même chose. "
        "Les premiers comptent toutes les sorties d’emploi après 50 ans, non-salariés compris."
    )
    return display.findings([french.typography(sentence) for sentence in told])


def employment_table(results: Results) -> Html:
    """Return errors of employment and net creation projected from 2008, by rule."""
    return display.table(
        "Projeter depuis 2008 : effectifs et création nette de 2010 à 2018",
        ["Mesure (en %)", *MODELS.values()],
        [
            [
                french.typography(f"{measure}, {label}"),
                *(_shown(results, f"{key}.{level}.{model}") for model in MODELS),
            ]
            for level, label in LEVELS.items()
            for key, measure in (
                ("needs_error_pct", "Écart sur l’effectif"),
                ("needs_creation_error_pct", "Écart sur la création nette"),
            )
        ],
        french.typography(
            "Sommes des écarts absolus, en % de l’effectif observé ou de l’évolution absolue "
            "observée. Une année est la moyenne de trois : 2008 contient 2009, on ne juge qu’à "
            f"partir de 2010. {SOURCE}"
        ),
    )


def ages_table(results: Results) -> Html:
    """Return errors of heads by age five years after 2013, by rule."""
    return display.table(
        "Projeter depuis 2013 : personnes de 50 ans ou plus en 2018, 59 métiers",
        [
            "Âge",
            *(f"{label} (écart, %)" for label in AGE_MODELS.values()),
            "Méthode de l’étude (biais, %)",
            french.typography("Dans l’intervalle à 80 % (%)"),
        ],
        [
            [
                label,
                *(_shown(results, f"age_error_pct.{band}.{model}") for model in AGE_MODELS),
                _shown(results, f"age_bias_pct.{band}.study"),
                _shown(results, f"age_coverage_pct.{band}", 0),
            ]
            for band, label in BANDS.items()
        ],
        french.typography(
            "Évolution nette des cohortes : ceux qui restent, moins ceux qui partent, plus ceux qui "
            "arrivent. Taux appris sur les paires 2004-2009 à 2008-2013. Biais : somme des métiers "
            "projetée rapportée à l’observée. Les âges d’un métier sont des estimations d’enquête : "
            f"une grande part de l’écart est leur bruit. {SOURCE}"
        ),
    )


def _value(results: Results, level: str, model: str) -> float:
    row = _row(results, f"needs_error_pct.{level}.{model}")
    return float("nan") if row is None else display.read(results[TABLE], row) or float("nan")


def _shown(results: Results, indicator: str, decimals: int = 1) -> str:
    row = _row(results, indicator)
    return display.shown(display.number, TABLE, results[TABLE], row, decimals)


def _row(results: Results, indicator: str) -> int | None:
    return indicators.row_of(results[TABLE], indicator)
