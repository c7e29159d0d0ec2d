"""Section of `05_competences`: which certifications to look at first, and why; skills, and gaps."""

import math
from collections.abc import Mapping
from html import escape

import pandas as pd

from opmq_lib.methods.skills.certifications import REASONS
from opmq_lib.questions.competences import blocs
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Html
from opmq_lib.tables import indicators

Results = Mapping[str, pd.DataFrame]
Labels = Mapping[str, str]

TABLE, PORTFOLIO, REASON_TABLE = "competences", "portfolio", "to_look_at"
CALENDAR = "expiry_calendar"
SIGNALS, GAPS, POSTS = "skill_signals", "skill_gaps", "skill_posts"
PROFILED = "posts_with_profile_share_pct"
SHOWN, NAMED = 12, 4
STATES = {
    "expired": "terminé",
    "within_12_months": "fin dans les 12 mois",
    "within_24_months": "fin dans les 24 mois",
    "later": "fin dans plus de 24 mois",
    "nd": "fin non disponible",
}
SOURCE = french.typography(
    "Sources : Certif Info (Carif-Oref, Onisep), ROME 4.0 (France Travail). Les fiches peuvent "
    "avoir changé depuis. Nombres : table {table}.csv."
)


def banner(results: Results) -> Html:
    """Return what must be known before any figure of certification or skill."""
    sentences = [
        "<strong>Couverture au niveau métier</strong> : une certification vise un métier (ROME) ; "
        "ce qu’elle enseigne n’est pas lu ici. "
        + (
            "La <strong>couverture au niveau des blocs</strong>, plus bas, vient d’une lecture."
            if blocs.is_known(results)
            else "La couverture par blocs est non disponible (nd) : aucune source chargée ne dit "
            "quelles compétences un bloc couvre."
        )
    ]
    if results[GAPS].empty:
        sentences.append(
            "<strong>Écarts de compétences non disponibles (nd)</strong> : aucune enquête de la "
            "branche n’est chargée."
        )
    if results[PORTFOLIO].empty:
        sentences.append(
            "<strong>Aucun organisme certificateur de la branche</strong> n’a été reconnu dans "
            "Certif Info : ses certifications ne sont pas connues ici, ce qui ne veut pas dire "
            "qu’elle n’en a pas."
        )
    return pieces.banner(*map(french.typography, sentences))


def findings(results: Results, labels: Labels) -> Html:
    """Return what to look at first and why; names in alphabetical order, never a ranking."""
    told = []
    for reason, meaning in REASONS.items():
        rows = results[REASON_TABLE][results[REASON_TABLE]["reason_code"] == reason]
        if not rows.empty:
            noun = "certification" if len(rows) == 1 else "certifications"
            count = f"{_told(results, f'{reason}_certifications_count')} {noun}"
            told.append(f"<strong>{count} : {meaning}.</strong> {_named(list(rows['title']))}.")
    without = _without(results)
    if without and not results[PORTFOLIO].empty:
        names = sorted(labels.get(code, code) for code in without)
        counts = _told(results, "metiers_without_certification_count")
        looked_at = _told(results, "metiers_looked_at_count")
        told.append(
            f"<strong>Métiers regardés sans certification de la branche : {counts} sur {looked_at}."
            f"</strong> {_named(names)}."
        )
    if results[PORTFOLIO].empty:
        told = [
            "Certifications de la branche non connues (nd) : ni couverture ni manque n’est dit."
        ]
    elif not told:
        told.append("Rien à regarder en premier selon les critères énoncés plus bas.")
    return pieces.findings([french.typography(sentence) for sentence in told])


def key_figures(results: Results) -> Html:
    """Return how many certifications, métiers without one, and what is not available."""
    bloc_note = (
        "des compétences principales, d’après les blocs lus"
        if blocs.is_known(results)
        else "le RNCP nomme les blocs, pas leurs compétences"
    )
    figures = [
        (label, _told(results, name), note)
        for label, name, note in (
            ("Certifications de la branche", "certifications_count", "dans Certif Info"),
            (
                "Métiers regardés",
                "metiers_looked_at_count",
                "les plus recrutés par ses activités, parmi 120 métiers de l’industrie",
            ),
            (
                "Métiers sans certification de la branche",
                "metiers_without_certification_count",
                "couverture au niveau métier",
            ),
        )
    ]
    return pieces.key_figures(
        (french.typography(label), value, french.typography(note))
        for label, value, note in [
            *figures,
            ("Couverture par blocs", blocs.percent(results), bloc_note),
        ]
    )


def reasons_table(results: Results) -> Html:
    """Return the certifications to look at, by reason, alphabetical within a reason."""
    table = results[REASON_TABLE]
    if results[PORTFOLIO].empty:
        return pieces.banner(
            french.typography("Certifications de la branche non disponibles (nd).")
        )
    if table.empty:
        return pieces.banner(
            french.typography("Aucune certification de la branche ne répond aux critères.")
        )
    return pieces.table(
        "Certifications à regarder, par raison",
        ["Certification", "Raison"],
        [
            [_name(row["title"]), french.typography(REASONS[row["reason_code"]])]
            for row in table.to_dict("records")
        ],
        french.typography(
            "Ordre alphabétique dans chaque raison : ce n’est pas un classement. Une certification "
            f"peut figurer sous plusieurs raisons. {SOURCE.format(table=REASON_TABLE)}"
        ),
    )


def calendar_table(results: Results) -> Html:
    """Return when the branch's registrations end, soonest first, or what it takes to know."""
    table = results[CALENDAR]
    if table.empty:
        told = (
            "<strong>Calendrier d’expiration non disponible (nd).</strong> Aucun export du RNCP "
            "n’est chargé, ou il n’y a aucune fiche de la branche à y chercher. Le fichier CSV de "
            "France compétences se nomme dans le fichier de la branche (<code>rncp_export</code>)."
        )
        return pieces.banner(french.typography(told))
    return pieces.table(
        "Fins d’enregistrement au RNCP, des plus proches aux plus lointaines",
        ["Certification", "Fiche", "Fin", "Mois restants", "À prévoir"],
        [
            [
                _name(line["title"]),
                escape(line["fiche_code"]),
                french.day(line["ends_on"]) if line["ends_on"] else pieces.ABSENT,
                _plain(table, row, "months_left", 0, CALENDAR),
                french.typography(STATES[line["state"]]),
            ]
            for row, line in enumerate(table.to_dict("records"))
        ],
        french.typography(
            "Le jour de fin compte encore. Renouvellement demandé : non lu, donc non compté. Les "
            "certifications sans fiche du RNCP n’y sont pas. Couverture par blocs : plus bas ; "
            "l’export nomme les blocs sans dire quelles compétences du ROME ils couvrent, et cette "
            "lecture n’est pas inventée ici. Source : export du RNCP "
            f"(France compétences). Nombres : table {CALENDAR}.csv."
        ),
    )


def coverage_table(results: Results, labels: Labels) -> Html:
    """Return the métiers looked at, and how many certifications of the branch aim at each."""
    table = results[TABLE]
    codes = indicators.codes(indicators.select(table, "branch_hires_count"))
    return pieces.table(
        "Métiers que la branche recrute et certifications qui les visent",
        [
            "Métier (ROME)",
            french.typography("Embauches déclarées, mars 2016 à mars 2017"),
            "Certifications de la branche",
        ],
        [
            [
                _name(labels.get(code, code)),
                _cell(table, "branch_hires_count", code),
                _cell(table, "certifications_count", code),
            ]
            for code in codes
        ],
        french.typography(
            "Couverture au niveau métier. Embauches des activités de la branche : estimation, les "
            "activités communes à plusieurs branches étant partagées par convention. "
            f"{SOURCE.format(table=TABLE)}"
        ),
    )


def emerging_table(results: Results) -> Html:
    """Return the skills that the ROME flags émergente among the métiers looked at."""
    return _signals(
        results,
        "emerging_flag",
        "Compétences signalées « émergentes » dans les fiches ROME",
        "Signal, une seule version du ROME : le signalement n’est pas daté, sa persistance est non "
        "disponible (nd). Un signal n’est pas un besoin.",
    )


def uncovered_table(results: Results) -> Html | None:
    """Return the main skills of the métiers looked at that no certification's métier carries."""
    if results[PORTFOLIO].empty:
        return None
    return _signals(
        results,
        "uncovered",
        "Compétences principales qu’aucun métier certifié par la branche ne porte",
        "Couverture au niveau métier : une certification peut enseigner une compétence que la "
        "fiche de son métier ne cite pas.",
    )


def posts_table(results: Results) -> Html:
    """Return the skills that the most projected posts to fill ask for, or why there is none."""
    table = results[POSTS].reset_index(drop=True)
    if table.empty:
        return pieces.banner(
            french.typography(
                "<strong>Non disponible (nd).</strong> Les postes à pourvoir de la branche ne sont "
                "pas connus : voir la page « Besoins »."
            )
        )
    year = int(table["year"].max())
    words = pieces.findings(
        [
            french.typography(
                "<strong>Projection, ce n’est pas un écart</strong> : combien de ces personnes "
                "existent déjà n’est pas connu. Fiches lues : 120 métiers de l’industrie, soit "
                f"{_told(results, PROFILED)} % des postes."
            )
        ]
    )
    listed = pieces.table(
        f"Postes à pourvoir d’ici à {year} dont le métier demande la compétence",
        ["Compétence", "Postes", french.typography("Intervalle à 80 %"), "Métiers (ROME)"],
        [
            [
                _name(line["label"]),
                pieces.headcount(POSTS, table, row),
                pieces.interval(POSTS, table, row),
                _plain(table, row, "metiers_count", 0, POSTS),
            ]
            for row, line in enumerate(table.head(SHOWN).to_dict("records"))
        ],
        french.typography(
            "Les postes d’un métier (FAP) sont partagés entre ses fiches ROME selon les embauches, "
            "par convention du projet. Un poste demande plusieurs compétences : les lignes ne "
            "s’additionnent pas. Intervalle prudent : les bornes des métiers sont additionnées. "
            f"Les {SHOWN} premières ; la table {POSTS}.csv les a toutes. Sources : page "
            "« Besoins », ROME 4.0 (France Travail)."
        ),
    )
    return Html(words.html + listed.html)


def gaps_table(results: Results, metiers: Labels, skills: Labels) -> Html:
    """Return the gaps that the branch's survey supports, or how to have one."""
    table = results[GAPS].reset_index(drop=True)
    if table.empty:
        return pieces.banner(
            french.typography(
                "<strong>Non disponible (nd).</strong> Aucune source ouverte ne compte les "
                "personnes qui ont une compétence. Pour mesurer un écart : "
                "<code>opmq skills template enquete.xlsx</code>, faire remplir les deux feuilles, "
                "les nommer dans le fichier de la branche."
            )
        )
    columns = ("needed", "available", "gap")
    return pieces.table(
        "Besoins et personnes disponibles, par métier et compétence",
        ["Compétence", "Métier", "Besoin", "Disponible", "Écart (−1 à 1)", "Intervalle à 80 %"],
        [
            [
                _name(skills.get(line["skill_code"], line["skill_code"])),
                _name(metiers.get(line["metier_code"], line["metier_code"])),
                *(_plain(table, row, column, int(column == "gap") * 2) for column in columns),
                f"{_plain(table, row, 'lower', 2)} à {_plain(table, row, 'upper', 2)}",
            ]
            for row, line in enumerate(table.to_dict("records"))
        ],
        french.typography(
            "Personnes pondérées par le niveau (0,25 ; 0,50 ; 0,75 ; 1, convention du projet). "
            "Positif : le besoin dépasse. Source : enquête de la branche. Nombres : table "
            "skill_gaps.csv."
        ),
    )


def portfolio_table(results: Results) -> Html | None:
    """Return every certification of the branch: level, métiers aimed at, last change."""
    table = results[PORTFOLIO]
    if table.empty:
        return None
    listed = pieces.table(
        "Certifications de la branche",
        ["Certification", "Nature", "Niveau", "Métiers visés", "Notice mise à jour"],
        [
            [
                _name(line["title"]),
                escape(line["kind"]),
                _plain(table, row, "framework_level", 0, PORTFOLIO),
                _plain(table, row, "metiers_count", 0, PORTFOLIO),
                french.day(line["updated_on"]),
            ]
            for row, line in enumerate(table.to_dict("records"))
        ],
        french.typography(
            "Niveau nd : la source n’en donne pas aux CQP qui ne sont pas inscrits au RNCP. "
            f"{SOURCE.format(table=PORTFOLIO)}"
        ),
    )
    summary = f"{_told(results, 'certifications_count')} certifications, par ordre alphabétique"
    return Html(f"<details><summary>{french.typography(summary)}</summary>{listed.html}</details>")


def overlaps_table(results: Results, labels: Labels) -> Html:
    """Return the certifications that several branches could share, for `10_consolidation`.

    Args:
        results: With `consolidation_certifications` (`pipeline.skills_consolidation`).
        labels: French name of each branch.
    """
    name = "consolidation_certifications"
    table = results[name]
    if table.empty:
        told = (
            "Aucune paire de certifications à montrer : aucune branche n’a encore été calculée, ou "
            "aucune n’en a qui visent les mêmes métiers qu’une autre."
        )
        return pieces.banner(french.typography(told))
    return pieces.table(
        "Certifications de branches différentes qui visent les mêmes métiers",
        ["Certification", "Branche", "Autre certification", "Autre branche", "Métiers communs"],
        [
            [
                _name(line["title"]),
                _name(labels[line["branch_code"]]),
                _name(line["other_title"]),
                _name(labels[line["other_branch_code"]]),
                _plain(table, row, "shared_metiers_count", 0, name),
            ]
            for row, line in enumerate(table.to_dict("records"))
        ],
        french.typography(
            "Deux métiers communs (ROME) ou plus. Ce sont des candidates à en parler entre "
            "CPNEFP, pas des doublons : ce qu’elles enseignent n’est pas lu ici. Branches dont un "
            f"organisme certificateur est reconnu. {SOURCE.format(table=name)}"
        ),
    )


def _signals(results: Results, signal: str, caption: str, note: str) -> Html:
    table = results[SIGNALS]
    rows = table.index[table["signal"] == signal].tolist()[:SHOWN]
    if not rows:
        return pieces.banner(french.typography("Aucune parmi les métiers regardés."))
    return pieces.table(
        french.typography(caption),
        ["Compétence", "Métiers regardés qui la portent"],
        [
            [_name(str(table.at[row, "label"])), _plain(table, row, "metiers_count", 0, SIGNALS)]
            for row in rows
        ],
        french.typography(
            f"Les {SHOWN} premières au plus, par nombre de métiers ; la table les a toutes. {note} "
            f"{SOURCE.format(table=SIGNALS)}"
        ),
    )


def _without(results: Results) -> list[str]:
    counts = indicators.select(results[TABLE], "certifications_count")
    return indicators.codes(counts[(counts["value"] == 0) & (counts["metier_code"] != "ENS")])


def _told(results: Results, indicator: str) -> str:
    return _cell(results[TABLE], indicator)


def _cell(table: pd.DataFrame, indicator: str, code: str = indicators.ALL_METIERS) -> str:
    row = indicators.row_of(table, indicator, code)
    return pieces.shown(pieces.number, TABLE, table, row)


def _plain(table: pd.DataFrame, row: int, column: str, decimals: int, name: str = GAPS) -> str:
    number = float(table[column].astype("float64").loc[row])
    if math.isnan(number):
        status = str(table.at[row, "status"]) if "status" in table else "nd"
        return pieces.NOT_APPLICABLE if status == "np" else pieces.ABSENT
    return pieces.cell(name, table, row, french.number(number, decimals), column)


def _name(text: str) -> str:
    return escape(french.typography(french.label(text)), quote=False)


def _named(names: list[str]) -> str:
    shown = french.enumeration([f"« {_name(name)} »" for name in names[:NAMED]])
    left = len(names) - NAMED
    return f"{shown}, et {french.plural(left, 'autre')}" if left > 0 else shown
