"""Piece of `11_evaluation`: what posts to fill would have been worth, had they been projected."""

from collections.abc import Mapping

import pandas as pd

from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Html
from opmq_lib.tables import indicators

Results = Mapping[str, pd.DataFrame]

TABLE = "evaluation"
LEVELS = {"metier": "59 métiers (depuis 2004)", "family": "26 familles (depuis 1983)"}
MODELS = {
    "study": "Méthode de l’étude",
    "no_change": "« Rien ne change »",
    "last_growth": "« La dernière évolution continue »",
}
CLAIMED_PCT = 80
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
        first, last = (_coverage(results, level)[at] for at in (0, -1))
        told.append(
            f"{label} : projetés depuis 2008, les effectifs de 2010 à 2018 s’écartent de "
            f"{_shown(results, f'needs_error_pct.{level}.study')} % de ce qui est arrivé. "
            f"{_versus(results, level, 'no_change')}. {_versus(results, level, 'last_growth')}."
        )
        told.append(
            f"{label} : l’intervalle annoncé à 80 % a contenu "
            f"{_covered(results, level)}, de "
            f"{_share(results, first)} % en {_year(results, first)} à {_share(results, last)} % en "
            f"{_year(results, last)}."
        )
    worse = [
        label
        for band, label in BANDS.items()
        if _value(results, f"age_error_pct.{band}.study")
        >= _value(results, f"age_error_pct.{band}.no_change")
    ]
    told.append(
        "Âges, de 2013 à 2018 : métier par métier, la méthode ne fait pas mieux que « rien ne "
        f"change » pour {french.enumeration(worse)}."
        if worse
        else "Âges, de 2013 à 2018 : la méthode fait mieux que « rien ne change » à chaque âge."
    )
    ours, theirs = (
        _value(results, f"departure_rate_pct.{name}") for name in ("projected", "declared")
    )
    same = "le même ordre" if 0.5 <= ours / theirs <= 2 else "un autre ordre"
    told.append(
        "Départs de fin de carrière : "
        f"{_shown(results, 'departure_rate_pct.projected')} % des emplois par an de 2008 à 2013 ; "
        "retraites déclarées par les entreprises du secteur marchand : "
        f"{_shown(results, 'departure_rate_pct.declared')} %. C’est {same} de grandeur, pas la "
        "même chose : les premiers comptent toutes les sorties d’emploi à partir de "
        "50 ans, non-salariés compris."
    )
    return pieces.findings([french.typography(sentence) for sentence in told])


def employment_table(results: Results) -> Html:
    """Return errors of employment and net creation projected from 2008, by rule."""
    return pieces.table(
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


def coverage_table(results: Results) -> Html:
    """Return how often the 80 % interval held in each year after 2008."""
    years = list(zip(*(_coverage(results, level) for level in LEVELS), strict=True))
    if not years:
        return Html("")
    return pieces.table(
        "Projeter depuis 2008 : part des valeurs dans l’intervalle à 80 %, année par année",
        ["Année", *(french.typography(f"{label} (en %)") for label in LEVELS.values())],
        [[str(_year(results, rows[0])), *(_share(results, row) for row in rows)] for rows in years],
        french.typography(
            "Un intervalle juste contiendrait 80 % des valeurs en moyenne sur beaucoup d’années de "
            "départ. Ici il n’y en a qu’une, juste avant la récession de 2009 : ce qui arrive la "
            "même année à tous les métiers compte autant de fois. Les tableaux précédents "
            f"reprennent d’autres années de départ. {SOURCE}"
        ),
    )


def ages_table(results: Results) -> Html:
    """Return errors of heads by age five years after 2013, by rule."""
    return pieces.table(
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
            "Évolution nette des cohortes : ceux qui restent, moins ceux qui partent, plus ceux "
            "qui arrivent. Taux appris sur les paires 2004-2009 à 2008-2013. Biais : somme des "
            "métiers projetée rapportée à l’observée. Les âges d’un métier sont des estimations "
            f"d’enquête, que l’intervalle compte comme telles. {SOURCE}"
        ),
    )


def _versus(results: Results, level: str, model: str) -> str:
    """Return whether the study did better than a rule, no more than the interval allows."""
    error = f"{MODELS[model].lower()} ({_shown(results, f'needs_error_pct.{level}.{model}')} %"
    row, table = _row(results, f"needs_error_difference_pct.{level}.{model}"), results[TABLE]
    if row is None:
        return f"Pas de différence montrée avec {error})"
    low, high = (float(table[end].loc[row]) for end in ("lower", "upper"))
    verdict = "Pas de différence montrée avec"
    if high < 0:
        verdict = "C’est mieux que"
    elif low > 0:
        verdict = "C’est moins bien que"
    lower, upper = _ends(results, row, 1)
    return f"{verdict} {error} ; écart entre {lower} et {upper} points, à 95 %)"


def _covered(results: Results, level: str) -> str:
    """Return how often the 80 % interval held, and whether 80 % is within the sampling error."""
    name = f"needs_coverage_pct.{level}"
    row, shown = _row(results, name), f"{_shown(results, name, 0)} % des valeurs"
    if row is None:
        return shown
    low, high = (float(results[TABLE][end].loc[row]) for end in ("lower", "upper"))
    verdict = "compatible avec les 80 % annoncés"
    if high < CLAIMED_PCT:
        verdict = "moins qu’annoncé"
    elif low > CLAIMED_PCT:
        verdict = "plus qu’annoncé"
    lower, upper = _ends(results, row, 0)
    return f"{shown} (entre {lower} et {upper} %, à 95 % : {verdict})"


def _ends(results: Results, row: int, decimals: int) -> tuple[str, str]:
    """Return the ends of an interval as the page shows them."""
    table = results[TABLE]
    low, high = (french.number(float(table[end].loc[row]), decimals) for end in ("lower", "upper"))
    return pieces.cell(TABLE, table, row, low, "lower"), pieces.cell(
        TABLE, table, row, high, "upper"
    )


def _coverage(results: Results, level: str) -> list[int]:
    """Return the rows of coverage of each year, first year first."""
    rows = indicators.select(results[TABLE], f"needs_coverage_by_year_pct.{level}")
    found: list[int] = rows.sort_values("year").index.tolist()
    return found


def _year(results: Results, row: int) -> int:
    return int(results[TABLE]["year"].loc[row])


def _share(results: Results, row: int) -> str:
    return pieces.number(TABLE, results[TABLE], row, 0)


def _value(results: Results, indicator: str) -> float:
    row = _row(results, indicator)
    return float("nan") if row is None else pieces.read(results[TABLE], row) or float("nan")


def _shown(results: Results, indicator: str, decimals: int = 1) -> str:
    row = _row(results, indicator)
    return pieces.shown(pieces.number, TABLE, results[TABLE], row, decimals)


def _row(results: Results, indicator: str) -> int | None:
    return indicators.row_of(results[TABLE], indicator)
