"""Section of `04_coeurs_strategiques`: which métiers are core or strategic, why, how surely."""

import textwrap
from collections.abc import Mapping
from html import escape

import pandas as pd
from matplotlib.figure import Figure

from opmq_lib.methods import core
from opmq_lib.show import figures, french, pieces
from opmq_lib.show.pieces import Html

Results = Mapping[str, pd.DataFrame]
Labels = Mapping[str, str]

LABELS, REASONS, CRITERIA = "coeurs", "raisons", "criteres"
QUESTIONS = {"core": "Cœurs de métiers", "strategic": "Métiers stratégiques"}
NAMES = {
    core.ROBUST: "Robuste",
    core.WEIGHT_DEPENDENT: "Dépendant des poids, ou d’un emploi estimé",
    core.OUT: "Hors liste",
    core.NOT_ASSESSABLE: "Non évaluable (nd)",
    core.NOT_LABELLED: "Non étiqueté (s)",
}
MEANINGS = {
    core.ROBUST: "Presque tous les jeux de poids mettent ces métiers sur la liste.",
    core.WEIGHT_DEPENDENT: "Le choix des poids décide, ou l’incertitude des données ; un métier "
    "dont l’emploi est estimé est ici même si presque tous les tirages le retiennent.",
    core.OUT: "Presque aucun jeu de poids ne met ces métiers sur la liste.",
    core.NOT_ASSESSABLE: "Une donnée manque pour un des critères ; rien n’est supposé à sa place.",
    core.NOT_LABELLED: "Trop peu d’entreprises, ou une trop grande, derrière les effectifs.",
}
SOURCES = {
    "estimate_b0": "estimation du projet",
    "dares_ages": "Dares, 2017-2019",
    "dares_tensions": "Dares, 2019",
    "ft_bmo": "France Travail, 2023",
    "certifinfo": "Certif Info, 2024",
    "ft_rome_transitions": "France Travail, ROME 4.0",
}
DECIMALS = {
    "employment_share": 1,
    "location_quotient": 1,
    "tension_index": 2,
    "qualification_level": 1,
}
NAMED, SHOWN_METIERS, COLUMN_LETTERS, MOSTLY_PCT = 4, 5, 62, 50
SOURCE = french.typography(
    "Calcul du projet. Nombres : tables coeurs.csv, raisons.csv et criteres.csv."
)


def banner(results: Results) -> Html:
    """Return whether anything was voted, and what an estimate forbids."""
    table, criteria = results[LABELS], results[CRITERIA]
    unvoted = criteria["vote_date"].fillna("") == ""
    sentences = []
    if unvoted.any():
        which = "Les critères, bornes, poids et seuils"
        if not unvoted.all():
            names = criteria.loc[unvoted, "question_code"].map(QUESTIONS).unique()
            which += f" de « {french.enumeration([str(name) for name in names])} »"
        sentences.append(
            f"<strong>Exemple, non voté.</strong> {which} n’ont été votés par personne : ces "
            "listes montrent une méthode, elles ne sont la décision d’aucune instance."
        )
    if (table["nature"] == "estimate").any():
        sentences.append(
            "<strong>Emploi estimé.</strong> L’emploi de la branche par métier est une "
            "estimation : aucun métier ne peut être dit robuste, au mieux « dépendant des poids »."
        )
    if (table["label"] == core.NOT_ASSESSABLE).all():
        sentences.append(
            "<strong>Non évaluable (nd).</strong> Aucun effectif de branche n’est publié : les "
            "critères qui s’y rapportent manquent pour tous les métiers."
        )
    return pieces.banner(*map(french.typography, sentences))


def findings(results: Results, labels: Labels) -> Html:
    """Return, for each question, the métiers that hold and those that most draws accept."""
    table = results[LABELS]
    told = []
    for question, title in QUESTIONS.items():
        rows = table[table["question_code"] == question]
        robust = _named(rows[rows["label"] == core.ROBUST], labels)
        mostly = rows[
            (rows["label"] == core.WEIGHT_DEPENDENT) & (rows["acceptability_pct"] > MOSTLY_PCT)
        ]
        if (rows["label"] == core.NOT_ASSESSABLE).all():
            told.append(f"{title} : non évaluable (nd), faute d’effectif de la branche.")
            continue
        if robust:
            told.append(f"{title} : {robust}, quels que soient les poids.")
        elif (rows["nature"] == "estimate").any():
            told.append(f"{title} : aucun métier ne peut être dit robuste, l’emploi étant estimé.")
        else:
            told.append(f"{title} : aucun métier n’est sur la liste quels que soient les poids.")
        if not mostly.empty:
            told.append(
                f"{title}, plus souvent dedans que dehors selon les poids et les données "
                f"(ordre alphabétique) : {_named(mostly, labels)}."
            )
    return pieces.findings([french.typography(sentence) for sentence in told])


def criteria_table(results: Results, question: str) -> Html:
    """Return criteria, goalposts, weights, thresholds and sources of one question."""
    table = results[CRITERIA]
    rows = table[table["question_code"] == question]
    reasons = results[REASONS]
    told = reasons[reasons["question_code"] == question].groupby("criterion_code")["source_code"]
    sources = told.agg(lambda codes: _sources(set(codes.fillna("")) - {""}))
    first = rows.index[0]
    cutoff = pieces.cell(CRITERIA, table, first, _two(table, first, "cutoff_score"), "cutoff_score")
    voted = str(table["vote_date"].fillna("").loc[first])
    state = (
        "exemple, non voté"
        if not voted
        else f"voté le {french.day(voted)} par {table['vote_body'].loc[first]}, "
        f"{table['minutes_reference'].loc[first]}"
    )
    barred = ["Seuil exigé"] if rows["threshold"].notna().any() else []
    shown = pieces.table(
        f"{QUESTIONS[question]} : critères, bornes et poids ({state})".replace(
            " :", f"{french.NBSP}:"
        ),
        ["Critère", "Poids", "Vaut 0 à", "Vaut 1 à", *barred, "Unité", "Source"],
        [
            [
                escape(str(table["label"].loc[row])),
                pieces.cell(CRITERIA, table, row, _two(table, row, "weight"), "weight"),
                _ends(table, row, "low" if table["direction"].loc[row] == "higher" else "high"),
                _ends(table, row, "high" if table["direction"].loc[row] == "higher" else "low"),
                *(_threshold(table, row) for _ in barred),
                escape(french.typography(str(table["unit"].loc[row]))),
                escape(sources.get(table["criterion_code"].loc[row], "–")),
            ]
            for row in rows.index.tolist()
        ],
        SOURCE,
    )
    draws = french.number(core.PUBLICATION_DRAWS)
    return Html(
        f"{shown.html}<p>"
        + french.typography(
            f"Un métier entre dans la liste quand la moyenne pondérée de ses scores atteint "
            f"{cutoff}. Ce calcul est refait pour {draws} jeux de poids tirés au hasard, les "
            "données incertaines étant tirées dans leur intervalle : la part des tirages où le "
            "métier entre dit si le choix des poids compte."
        )
        + "</p>"
    )


def labels_list(results: Results, labels: Labels, question: str) -> Html:
    """Return the métiers by label, in alphabetical order; each opens on its reasons.

    A bare ranking is never given: every line opens on the criteria's values, the score and the
    weight that would change the label.
    """
    table = results[LABELS]
    rows = table[table["question_code"] == question]
    if (rows["label"] == core.NOT_ASSESSABLE).all():
        said = "Aucune étiquette : un critère manque pour tous les métiers (nd)."
        return pieces.banner(french.typography(said))
    names = _criteria_names(results, question)
    reasons = _reasons(results, question)
    parts = []
    for label in core.LABELS:
        chosen = rows[rows["label"] == label]
        if chosen.empty:
            continue
        rows_of = zip(chosen.index.tolist(), chosen["metier_code"], strict=True)
        named = {row: labels[code] for row, code in rows_of}
        ordered = sorted(named, key=lambda row: named[row])
        lines = "".join(_why(results, row, named[row], reasons, names) for row in ordered)
        heading = french.typography(f"<h3>{NAMES[label]}</h3><p>{MEANINGS[label]}</p>")
        parts.append(f'{heading}<div class="opmq-why">{lines}</div>')
    # Ten bytes less for each of a thousand numbers: the style sheet knows them by their cell.
    return Html("".join(parts).replace('<span class="n" ', "<span "))


def shared_heatmap(results: Results, labels: Labels) -> Figure | Html:
    """Return the métiers that most branches would call core, one line per branch.

    Args:
        results: Tables of `10_consolidation`, with the rows `core_acceptability_pct`.
        labels: French names of métiers and branches.
    """
    table = results["consolidation"]
    rows = table[table["indicator"] == "core_acceptability_pct"]
    if rows.empty:
        return pieces.banner(
            french.typography("Cœurs de métiers non disponibles (nd) : aucune branche évaluée.")
        )
    wide = rows.pivot(index="branch_code", columns="metier_code", values="value")
    order = (wide >= MOSTLY_PCT).sum().to_frame("often").assign(total=wide.sum())
    order = order.sort_values(["often", "total"], ascending=False)
    first: list[str] = order.index[:SHOWN_METIERS].tolist()
    branches: list[str] = wide.index.tolist()
    by_name = labels.__getitem__
    shown = wide.loc[sorted(branches, key=by_name), sorted(first, key=by_name)]
    short = {
        code: textwrap.shorten(labels[code], COLUMN_LETTERS, placeholder="…") for code in first
    }
    return figures.share_heat(
        shown.rename(index=dict(labels), columns=short),
        "\n\n".join(
            [
                "Avec des critères d’exemple, ces métiers seraient souvent au cœur de plusieurs branches"
                if (shown >= MOSTLY_PCT).sum().max() > 1
                else "Avec des critères d’exemple, aucun métier ne serait souvent au cœur de deux branches",
                french.typography(
                    "Part des tirages (poids et données incertaines) qui mettent le métier au cœur de la "
                    "branche, en pour cent ; case vide : non évalué (nd ou trop peu d’emplois) ; critères "
                    "d’exemple, non votés, et emploi estimé. Branches et métiers par ordre "
                    "alphabétique. Source : calcul du projet. Nombres : table consolidation.csv."
                ),
            ]
        ),
    )


def _why(
    results: Results,
    row: int,
    name: str,
    reasons: Mapping[str, list[int]],
    names: Mapping[str, str],
) -> str:
    table = results[LABELS]
    code = str(table["metier_code"].loc[row])
    accepted = table["acceptability_pct"].loc[row]
    share = (
        ""
        if pd.isna(accepted)
        else f" {_cell(table, row, french.percent(accepted), 'acceptability_pct')}"
    )
    told = [
        f"{names[str(results[REASONS]['criterion_code'].loc[each])]} {_value(results, each)}"
        for each in reasons[code]
    ]
    last = _score(table, row, names)
    voted = {"yes": " Retenu par le vote.", "no": " Non retenu par le vote."}
    said = f"{' · '.join(told)}.{last}{voted.get(str(table['voted'].loc[row]), '')}"
    return (
        f"<details><summary>{escape(name)}{share}</summary>"
        f'<p id="{table["question_code"].loc[row]}-{code}">{french.typography(said)}</p></details>'
    )


def _score(table: pd.DataFrame, row: int, names: Mapping[str, str]) -> str:
    if pd.isna(table["score"].loc[row]):
        return ""
    said = f"<br>Score {_cell(table, row, _two(table, row, 'score'), 'score')}"
    weight = table["flip_weight"].loc[row]
    if not pd.isna(weight):
        criterion = names[str(table["flip_criterion_code"].loc[row])]
        at = _cell(table, row, french.number(float(weight), 2), "flip_weight")
        said += f" ; bascule quand « {criterion} » pèse {at}"
    return said + "."


def _value(results: Results, row: int) -> str:
    """Return a criterion's value for a métier, with its interval where it has one."""
    table = results[REASONS]
    decimals = DECIMALS.get(str(table["criterion_code"].loc[row]), 0)
    value, low, high = (pieces.read(table, row, name) for name in ("value", "lower", "upper"))
    if low is None or high is None:
        return pieces.cell(REASONS, table, row, "")
    ends = [french.number(end, decimals) for end in (low, high)]
    shown = "" if value is None else _reason(table, row, french.number(value, decimals), "value")
    if ends[0] == ends[1]:
        return shown or _reason(table, row, ends[0], "lower")
    both = f"{_reason(table, row, ends[0], 'lower')} à {_reason(table, row, ends[1], 'upper')}"
    return f"{shown} ({both})" if shown else f"de {both}"


def _cell(table: pd.DataFrame, row: int, text: str, column: str) -> str:
    return pieces.cell(LABELS, table, row, text, column)


def _reason(table: pd.DataFrame, row: int, text: str, column: str) -> str:
    return pieces.cell(REASONS, table, row, text, column)


def _two(table: pd.DataFrame, row: int, column: str) -> str:
    return french.number(float(table[column].loc[row]), 2)


def _ends(table: pd.DataFrame, row: int, column: str) -> str:
    value = float(table[column].loc[row])
    decimals = 0 if value.is_integer() else 2
    return pieces.cell(CRITERIA, table, row, french.number(value, decimals), column)


def _threshold(table: pd.DataFrame, row: int) -> str:
    return "aucun" if pd.isna(table["threshold"].loc[row]) else _ends(table, row, "threshold")


def _criteria_names(results: Results, question: str) -> dict[str, str]:
    table = results[CRITERIA]
    rows = table[table["question_code"] == question]
    return dict(zip(rows["criterion_code"], rows["label"].map(escape), strict=True))


def _reasons(results: Results, question: str) -> dict[str, list[int]]:
    table = results[REASONS]
    rows = table[table["question_code"] == question]
    found: dict[str, list[int]] = {}
    for row, code in zip(rows.index.tolist(), rows["metier_code"], strict=True):
        found.setdefault(str(code), []).append(row)
    return found


def _named(rows: pd.DataFrame, labels: Labels) -> str:
    where = zip(rows["question_code"], rows["metier_code"], strict=True)
    names = [_linked(question, code, labels[code]) for question, code in where]
    names.sort(key=lambda name: name.partition(">")[2])
    if len(names) > NAMED:
        return f"{french.enumeration(names[:NAMED])}, entre autres"
    return french.enumeration(names)


def _linked(question: str, code: str, label: str) -> str:
    """Return a métier's name that leads to its reasons on this question's page."""
    return f'« <a href="04_coeurs_strategiques.html#{question}-{code}">{escape(label)}</a> »'


def _sources(codes: set[str]) -> str:
    return french.enumeration(sorted(SOURCES.get(code, code) for code in codes))
