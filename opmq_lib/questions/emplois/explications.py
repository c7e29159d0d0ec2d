"""Why métiers are projected as they are: a part of `01_emplois` that a statistician can dispute."""

from collections.abc import Mapping

import pandas as pd

from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Html
from opmq_lib.tables import indicators
from opmq_lib.tables.indicators import codes, select

Results = Mapping[str, pd.DataFrame]
Labels = Mapping[str, str]

TABLE, PROJECTIONS = "emplois_explications", "emplois_projections"
FAMILIES = {
    "drift": "Niveau et dérive",
    "holt": "Tendance lissée",
    "theta_dynamic": "Thêta, droite révisée",
    "theta_static": "Thêta, droite unique",
    "ar_differences": "Évolutions persistantes",
}
SOURCE = french.typography("Calcul du projet. Nombres : table emplois_explications.csv.")


def gaps(results: Results, labels: Labels) -> Html:
    """Return which series had missing years that the projection filled, if any had."""
    table = results[TABLE]
    filled = select(table, "filled_years_count")
    filled = filled[filled["value"] > 0]
    if filled.empty:
        return Html("")
    named = [
        f"« {labels.get(code, code)} » ({pieces.number(TABLE, table, row)})"
        for row, code in zip(filled.index.tolist(), codes(filled), strict=True)
    ]
    return pieces.banner(
        french.typography(
            "<strong>Années manquantes.</strong> Avant de projeter, elles ont été comblées par une "
            f"droite entre les années connues (nombre d’années) : {french.enumeration(named)}."
        )
    )


def weights_table(results: Results, labels: Labels) -> Html:
    """Return which families of models carried the projection of the largest métiers."""
    return _table(
        results,
        labels,
        "Ce qui porte la projection de chaque métier",
        {
            **{f"family_weight_pct.{name}": (label, 0) for name, label in FAMILIES.items()},
            "level_gain_pct": ("Part retenue de la dernière surprise", 0),
        },
        "Poids de chaque famille de modèles dans la projection, en % ; la dernière colonne dit "
        "quelle part de l’écart de la dernière année est tenue pour durable.",
    )


def errors_table(results: Results, labels: Labels) -> Html:
    """Return how wrong each projection would have been at the last cut-off, beside two others."""
    past = select(results[TABLE], "cutoff_mase.panel")
    if past.empty:
        return Html("")
    return _table(
        results,
        labels,
        f"Les erreurs des mêmes projections faites en {int(past['year'].mode().iloc[0])}",
        {
            "cutoff_mase.panel": ("Méthode de l’étude", 1),
            "cutoff_mase.naive": ("Dernière valeur", 1),
            "cutoff_mase.ets": ("Lissage amorti (ETS)", 1),
        },
        "Erreur moyenne, en évolutions annuelles moyennes du métier : 1 est l’écart d’une année "
        "ordinaire. Une seule date : le hasard y tient une grande place.",
    )


def opinions_table(results: Results, labels: Labels) -> Html:
    """Return the projections of two simple methods beside the study's own, at the horizon."""
    table, projected = results[TABLE], results[PROJECTIONS]
    if table.empty or projected.empty:
        return Html("")
    end = int(projected["year"].max())
    own = projected[projected["year"] == end].pivot(
        index="metier_code", columns="quantile_level", values="value"
    )
    return pieces.table(
        f"Deux autres avis sur {end}",
        ["Métier (FAP)", "Méthode de l’étude", "Dernière valeur", "Lissage amorti (ETS)"],
        [
            [
                labels.get(code, code),
                _own(projected, own, code, end),
                *(
                    pieces.shown(
                        pieces.headcount,
                        TABLE,
                        table,
                        indicators.row_of(table, f"second_opinion_headcount.{model}", code, end),
                    )
                    for model in ("naive", "ets")
                ),
            ]
            for code in _largest(table)
        ],
        french.typography(
            "Nombre d’emplois, médianes. Quand les avis divergent, l’avenir est plus ouvert. "
            f"{SOURCE}"
        ),
    )


def _own(projected: pd.DataFrame, wide: pd.DataFrame, code: str, year: int) -> str:
    """Return the study's own median, no finer than its interval allows, read from its table."""
    low, middle, high = (float(wide[level].loc[code]) for level in (0.1, 0.5, 0.9))
    chosen = projected["metier_code"].eq(code) & projected["year"].eq(year)
    row = projected.index[chosen & projected["quantile_level"].eq(0.5)].tolist()[0]
    return pieces.cell(PROJECTIONS, projected, row, french.estimate(middle, low, high))


def _largest(table: pd.DataFrame) -> list[str]:
    """Return the métiers that have a second opinion, the most numerous today first."""
    return codes(indicators.largest_first(select(table, "second_opinion_headcount.naive")))


def _table(
    results: Results,
    labels: Labels,
    caption: str,
    columns: Mapping[str, tuple[str, int]],
    note: str,
) -> Html:
    table = results[TABLE]
    shown = [code for code in _largest(table) if code in codes(select(table, *columns))]
    if not shown:
        return Html("")
    return pieces.table(
        caption,
        ["Métier (FAP)", *(label for label, _ in columns.values())],
        [
            [
                labels.get(code, code),
                *(
                    pieces.shown(
                        pieces.number,
                        TABLE,
                        table,
                        indicators.row_of(table, indicator, code),
                        decimals,
                    )
                    for indicator, (_, decimals) in columns.items()
                ),
            ]
            for code in shown
        ],
        french.typography(f"{note} {SOURCE}"),
    )
