"""Section of `11_evaluation`: what projections are worth, had they been made in the past."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from opmq_lib.methods.forecast.evaluation import BRANCH_YEARS
from opmq_lib.show import figures, french, pieces
from opmq_lib.show.pieces import Html
from opmq_lib.tables import indicators
from opmq_lib.tables.indicators import codes, select

Results = Mapping[str, pd.DataFrame]
Labels = Mapping[str, str]

TABLE, RETROSPECTIVE = "evaluation", "evaluation_retrospective"
METHODS = {
    "panel": "Méthode de l’étude",
    "naive": "Dernière valeur",
    "drift": "Tendance moyenne",
    "ets": "Lissage amorti (ETS)",
}
"""French name of each method, the study's own first."""

SCORES = {
    "smape_pct": ("Erreur relative (sMAPE, %)", 1),
    "mase": ("Erreur, en évolutions annuelles (MASE)", 2),
    "owa": ("Erreur relative à « dernière valeur » (OWA)", 2),
    "wis_scaled": ("Erreur de l’ensemble des intervalles (WIS)", 2),
    "coverage_80_pct": ("Dans l’intervalle à 80 % (%)", 0),
    "coverage_95_pct": ("Dans l’intervalle à 95 % (%)", 0),
    "direction_right_pct": ("Sens de l’évolution juste (%)", 0),
}
PANELS, NOMINAL = 4, (50, 80, 95)
SOURCE = french.typography("Source : Dares ; calcul du projet. Nombres : table evaluation.csv.")


def banner(results: Results) -> Html:
    """Return what the evaluation can tell and what it cannot."""
    first, last = _cutoffs(results)
    return pieces.banner(
        french.typography(
            "<strong>Évaluation sur les séries nationales.</strong> Aucune série observée ne "
            "croise branches et métiers : les erreurs sont celles de l’emploi national "
            f"{_series(results)} L’incertitude de l’estimation par branche s’y ajoute."
        ),
        french.typography(
            f"Chaque projection est refaite avec les seules données connues de {first} à {last}, "
            "puis comparée à ce qui est arrivé. Ces années partagent les mêmes crises : les "
            "erreurs de métiers différents ne sont pas indépendantes."
        ),
    )


def findings(results: Results) -> Html:
    """Return how the method stands beside simple ones, and whether its intervals held."""
    table = results[TABLE]
    owa, covered = (_row(table, score, "panel", 0) for score in ("owa", "coverage_80_pct"))
    if owa is None or covered is None:
        return pieces.findings([])
    low, high = table["lower"].loc[owa], table["upper"].loc[owa]
    versus = "ne se distingue pas nettement de"
    if high < 1:
        versus = "fait mieux que"
    elif low > 1:
        versus = "fait moins bien que"
    told = [
        f"La méthode de l’étude {versus} la règle « rien ne change » : son erreur vaut "
        f"{pieces.number(TABLE, table, owa, 2)} fois celle de cette règle (intervalle à 95 % : "
        f"{pieces.cell(TABLE, table, owa, french.number(low, 2), 'lower')} à "
        f"{pieces.cell(TABLE, table, owa, french.number(high, 2), 'upper')}).",
        f"L’intervalle annoncé à 80 % a contenu {pieces.percent(TABLE, table, covered)} de ce qui "
        "est arrivé.",
    ]
    return pieces.findings([french.typography(sentence) for sentence in told])


def scores_table(results: Results) -> Html:
    """Return the scores of every method over all years ahead."""
    table = results[TABLE]
    return pieces.table(
        "Erreurs des projections passées, toutes distances confondues",
        ["Mesure", *METHODS.values()],
        [
            [
                french.typography(label),
                *(
                    pieces.shown(
                        pieces.number, TABLE, table, _row(table, score, model, 0), decimals
                    )
                    for model in METHODS
                ),
            ]
            for score, (label, decimals) in SCORES.items()
        ],
        french.typography(
            "Moyennes sur les séries ; plus petit est meilleur, sauf la part dans l’intervalle, "
            f"qui doit être proche de ce qu’il annonce, et le sens juste. {SOURCE}"
        ),
    )


def steps_table(results: Results) -> Html:
    """Return the study's own errors and intervals at each distance."""
    table = results[TABLE]
    shown = ("smape_pct", "mase", "coverage_80_pct", "coverage_95_pct")
    return pieces.table(
        "La méthode de l’étude, année après année",
        ["Distance", *(french.typography(SCORES[score][0]) for score in shown)],
        [
            [
                french.plural(step, "an"),
                *(
                    pieces.shown(
                        pieces.number,
                        TABLE,
                        table,
                        _row(table, score, "panel", step),
                        SCORES[score][1],
                    )
                    for score in shown
                ),
            ]
            for step in _steps(table)
        ],
        SOURCE,
    )


def retrospective_figure(results: Results, labels: Labels) -> Figure:
    """Return what would have been projected ten years ago, with what happened since."""
    past, levels = results[RETROSPECTIVE], _national(results)
    cutoff = int(past["cutoff_year"].max())
    ranked = indicators.largest_first(levels[levels["year"] == cutoff])
    shown = [code for code in codes(ranked) if code in codes(past)][:PANELS]
    history = pd.concat([levels[levels["metier_code"] == code] for code in shown])
    end = int(past["year"].max())
    bounds = past[past["year"] == end].pivot(
        index="metier_code", columns="quantile_level", values="value"
    )
    seen = levels[levels["year"] == end].set_index("metier_code")["value"].reindex(bounds.index)
    inside = (seen >= bounds[0.1]) & (seen <= bounds[0.9])
    return figures.employment_fan(
        history,
        past,
        labels,
        "\n\n".join(
            [
                french.typography(
                    f"Projeté en {cutoff}, observé en {end} : {int(inside.sum())} familles sur "
                    f"{len(inside)} dans l’intervalle à 80 %"
                ),
                french.typography(
                    f"Nombre d’emplois par an, France métropolitaine. Trait : observé ; tireté : médiane "
                    f"projetée en {cutoff} ; bandes : une chance sur deux, huit sur dix. Les quatre "
                    f"familles industrielles les plus nombreuses. {SOURCE} Projections : table "
                    f"{RETROSPECTIVE}.csv."
                ),
            ]
        ),
    )


def cutoffs_figure(results: Results) -> Figure:
    """Return the error of each method by the year from which it forecast."""
    table = results[TABLE]
    parts = [
        select(table, f"mase_by_cutoff.{model}").assign(method=name)
        for model, name in METHODS.items()
    ]
    errors = pd.concat(parts)
    own = parts[0].set_index("year")["value"]
    title = (
        f"Les erreurs dépendent surtout de l’année : de {french.number(own.min(), 1)} à "
        f"{french.number(own.max(), 1)} évolutions annuelles"
    )
    return figures.error_lines(
        errors,
        "\n\n".join(
            [
                french.typography(title),
                french.typography(
                    "Erreur absolue moyenne sur les années projetées, en évolutions annuelles moyennes de "
                    f"la série (MASE), selon la dernière année connue. {SOURCE}"
                ),
            ]
        ),
    )


def coverage_figure(results: Results) -> Figure:
    """Return how often each method's intervals held."""
    table = results[TABLE]
    rows = [
        {"method": name, "announced_pct": level, "value": table["value"].loc[row]}
        for level in NOMINAL
        for model, name in METHODS.items()
        if (row := _row(table, f"coverage_{level}_pct", model, 0)) is not None
    ]
    own = {row["announced_pct"]: row["value"] for row in rows if row["method"] == METHODS["panel"]}
    title = (
        f"L’intervalle à 80 % de l’étude a contenu {french.percent(own[80])} de ce qui est arrivé"
    )
    return figures.coverage_dots(
        pd.DataFrame(rows),
        "\n\n".join(
            [
                french.typography(title),
                french.typography(
                    "Part des valeurs observées qui sont dans l’intervalle, selon la méthode. Tireté : ce "
                    f"qui est annoncé. {SOURCE}"
                ),
            ]
        ),
    )


def calibration_figure(results: Results) -> Figure:
    """Return where what happened fell in the study's own forecast distributions (PIT)."""
    table = results[TABLE]
    rows = [_row(table, "pit_share_pct", "panel", tenth) for tenth in range(1, 11)]
    shares = pd.DataFrame({"tenth": range(1, 11), "value": table["value"].reindex(rows).to_numpy()})
    lowest, highest = shares["value"].iloc[[0, -1]]
    title = (
        f"Dixième le plus bas : {french.percent(lowest)} de ce qui est arrivé ; le plus haut : "
        f"{french.percent(highest)} ; attendu : 10 %"
    )
    return figures.tenths(
        shares,
        "\n\n".join(
            [
                french.typography(title),
                french.typography(
                    "Part des valeurs observées dans chaque dixième de la distribution projetée par la "
                    "méthode de l’étude. Barres égales (tireté) : les intervalles disent vrai ; en U : ils "
                    "sont trop étroits ; en dôme : trop larges ; plus hautes à gauche : les projections "
                    f"sont trop hautes ; à droite : trop basses. {SOURCE}"
                ),
            ]
        ),
    )


def branches_table(results: Results, labels: Labels) -> Html:
    """Return the errors that each branch's mix of métiers would have met."""
    table = results[TABLE]
    errors = select(table, "smape_pct_at_step.panel")
    if errors.empty:
        return pieces.banner(
            french.typography("Non disponible (nd) : aucune branche n’a encore été calculée.")
        )
    branches: list[str] = errors["branch_code"].tolist()
    columns = (
        ("smape_pct_at_step.panel", 1),
        ("smape_pct_at_step.naive", 1),
        ("coverage_80_pct_at_step.panel", 0),
    )
    rows = {
        (name, branch): row
        for name, _ in columns
        for row, branch in zip(
            select(table, name).index.tolist(), select(table, name)["branch_code"], strict=True
        )
    }
    years = french.plural(min(_steps(table)[-1], BRANCH_YEARS), "an")
    return pieces.table(
        "Ce que ces erreurs représentent pour chaque branche",
        [
            "Branche",
            f"Erreur à {years} de la méthode (%)",
            french.typography(f"Erreur à {years} de « dernière valeur » (%)"),
            french.typography("Dans l’intervalle à 80 % (%)"),
        ],
        [
            [
                labels[branch],
                *(
                    pieces.shown(pieces.number, TABLE, table, rows.get((name, branch)), decimals)
                    for name, decimals in columns
                ),
            ]
            for branch in sorted(branches, key=lambda code: labels[code])
        ],
        french.typography(
            "Erreurs nationales de chaque métier, pondérées par l’emploi estimé de la branche. "
            f"{SOURCE}"
        ),
    )


def _cutoffs(results: Results) -> tuple[int, int]:
    years = select(results[TABLE], "mase_by_cutoff.panel")["year"]
    return int(years.min()), int(years.max())


def _series(results: Results) -> str:
    """Return which national series were long enough to be scored."""
    table = results[TABLE]
    rows = [
        indicators.row_of(table, f"scored_series_count.{level}") for level in ("metier", "family")
    ]
    counts = [0 if row is None else pieces.read(table, row) or 0 for row in rows]
    said = [
        f"{pieces.number(TABLE, table, row, 0)} {name}"
        for row, count, name in zip(rows, counts, ("métiers", "familles de métiers"), strict=True)
        if row is not None and count
    ]
    if counts[0]:
        return f"de {french.enumeration(said)}."
    years = french.plural(_steps(table)[-1], "an")
    return (
        f"de {french.enumeration(said)} seulement : les séries des métiers, qui commencent en "
        f"2004, sont trop courtes pour juger à {years}. Les branches, plus bas, le sont à "
        f"{french.plural(BRANCH_YEARS, 'an')}, métier par métier."
    )


def _national(results: Results) -> pd.DataFrame:
    return select(results[TABLE], "national_employment_headcount")


def _steps(table: pd.DataFrame) -> list[int]:
    """Return the distances scored, in years."""
    return [step for step in range(1, 31) if _row(table, "mase", "panel", step) is not None]


def _row(table: pd.DataFrame, score: str, model: str, step: int) -> int | None:
    return indicators.row_of(table, f"{score}.{model}.{step}")
