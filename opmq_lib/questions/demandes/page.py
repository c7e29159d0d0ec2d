"""Section of `06_demandes` and `13_demandes_ensemble`: what companies ask for and do not get."""

from collections.abc import Mapping
from html import escape

import pandas as pd
from matplotlib.figure import Figure

from opmq_lib.methods.requests import comparison
from opmq_lib.show import figures, french, pieces
from opmq_lib.show.pieces import Html

Results = Mapping[str, pd.DataFrame]
Labels = Mapping[str, str]

TABLE, FOLLOW_UP = "demandes", "demandes_suites"
FOCUS, REST, ALL, TOTAL = "under_50", "50_plus", "all", "ensemble"
OTHERS = "autres_regroupes"
SHARE, TOPIC, SHRUNK = "unmet_share_pct", "topic_share_of_unmet_pct", "unmet_share_shrunk_pct"
SHOWN, NAMED = 8, 3
WATERMARK = "données fictives"
BANDS = {
    FOCUS: "Moins de 50 salariés",
    "1_9": "dont 1 à 9",
    "10_49": "dont 10 à 49",
    REST: "50 salariés ou plus",
    "50_249": "dont 50 à 249",
    "250_plus": "dont 250 ou plus",
    ALL: "Ensemble",
}
REASONS = {
    "out_of_offer": "Hors de l’offre de services",
    "delay": "Délai trop long",
    "budget": "Budget insuffisant",
    "area": "Zone non desservie",
    "other": "Autre motif (et motifs trop rares pour être montrés)",
    "unknown": "Motif inconnu",
}
DECISIONS = {
    "implemented": "mise en œuvre",
    "adopted": "adoptée",
    "postponed": "ajournée",
    "rejected": "rejetée",
    "abandoned": "abandonnée",
    "candidate": "sans décision",
}
DECIDED = {
    "implemented": ("mise en œuvre", "mises en œuvre"),
    "adopted": ("adoptée", "adoptées"),
    "postponed": ("ajournée", "ajournées"),
    "rejected": ("rejetée", "rejetées"),
    "abandoned": ("abandonnée", "abandonnées"),
    "candidate": ("sans décision", "sans décision"),
}
SOURCE = french.typography(
    "Source : registre des demandes, douze mois. Nombres : table demandes.csv."
)
_NOTHING = (
    "<strong>Pas de registre des demandes dans cette édition.</strong> La revue collective dit ce "
    "que les entreprises demandent et que l’offre de services ne couvre pas, en particulier "
    "celles de moins de 50 salariés, pour éclairer les recommandations de la branche.",
    "Pour la tenir : remplir le modèle (requests_template.xlsx, dans les fichiers de cette page, "
    "ou <code>opmq requests template</code>), l’importer "
    "(<code>opmq requests import</code>), nommer le registre dans "
    "<code>parameters/edition.yml</code>. Les entreprises y sont remplacées par un pseudonyme ; "
    "aucun texte libre n’est publié et aucun chiffre ne porte sur moins de trois entreprises.",
)


def has_review(results: Results) -> bool:
    """Return whether there is a review to show."""
    return not results[TABLE].empty


def is_fictitious(results: Results) -> bool:
    """Return whether the review rests on a fictitious register."""
    return has_review(results) and bool((results[TABLE]["origin"] == "fictitious").any())


def banner(results: Results) -> Html:
    """Return what must be known before any figure: fictitious, confidential, or no register."""
    if not has_review(results):
        return pieces.banner(*map(french.typography, _NOTHING))
    period = french.day(str(results[TABLE]["period_end_on"].iloc[0]))
    sentences = [
        f"<strong>Douze mois arrêtés au {period}.</strong> L’unité est l’entreprise : dix demandes "
        "d’une même entreprise comptent pour une. Non couverte : au moins une demande que l’offre "
        "n’a pas couverte, ou en partie seulement.",
        "<strong>Qui demande n’est pas qui a besoin</strong> : une entreprise qui ne connaît pas "
        "l’offre ne demande rien. Voir plus bas la part des entreprises qui demandent.",
    ]
    if is_fictitious(results):
        sentences.insert(0, _fictitious())
    elif (results[TABLE]["origin"] == "own").any():
        sentences.insert(
            0, "<strong>Registre confidentiel</strong> : page de travail, à ne pas publier."
        )
    return pieces.banner(*map(french.typography, sentences))


def essentials(results: Results, labels: Labels) -> Html:
    """Return main unmet topics under 50, how sure that is, and what became of the last advice."""
    if not has_review(results):
        return pieces.findings(
            [french.typography("Aucune demande enregistrée dans cette édition.")]
        )
    told = [_topics_told(results, labels), _sure(results), _became(results)]
    return pieces.findings([french.typography(sentence) for sentence in told])


def topics_figure(results: Results, labels: Labels) -> Figure | Html:
    """Return the topics of unmet companies under 50, each with its interval."""
    if not has_review(results):
        return Html("")
    ranked = _ranked(results).head(SHOWN)
    if len(ranked) < 2:
        return _secret("trop peu d’entreprises par thème pour les montrer")
    first = labels[str(ranked["topic_code"].iloc[0])]
    title = (
        f"« {first} » est ce qui manque au plus d’entreprises de moins de 50 salariés"
        if _is_apart(ranked)
        else f"« {first} » vient en tête chez les moins de 50 salariés, sans certitude"
    )
    return figures.share_intervals(
        ranked.assign(label=ranked["topic_code"].map(labels)),
        "\n\n".join(
            [
                french.typography(title),
                french.typography(
                    "Part des entreprises de moins de 50 salariés non couvertes qui l’ont été sur ce thème "
                    f"(une entreprise peut l’être sur plusieurs), et intervalle à 95 %. {SOURCE}"
                ),
            ]
        ),
        french.typography("Part des entreprises non couvertes, en %"),
        WATERMARK if is_fictitious(results) else "",
    )


def topics_table(results: Results, labels: Labels) -> Html:
    """Return, by topic, companies concerned and unmet share under 50, beside all sizes."""
    if not has_review(results):
        return Html("")
    table = _own(results)
    shares = table[(table["indicator"] == SHARE) & (table["topic_code"] != ALL)]
    asked = shares[shares["status"] == "value"]
    order = asked.groupby("topic_code")["numerator_count"].max().sort_values(ascending=False)
    if order.empty:
        return _secret("aucun thème ne réunit assez d’entreprises")
    return pieces.table(
        "Thèmes demandés et part non couverte",
        [
            "Thème",
            "Moins de 50 : non couvertes",
            "sur … entreprises",
            french.typography("Part (en %)"),
            french.typography("Intervalle à 95 %"),
            french.typography("Part rapprochée des autres branches (en %)"),
            french.typography("Intervalle à 95 %"),
            "Toutes tailles : non couvertes",
            "sur … entreprises",
            french.typography("Part (en %)"),
            french.typography("Intervalle à 95 %"),
        ],
        [
            [
                escape(labels.get(topic, "Thèmes rares, ensemble")),
                _part(results, SHARE, FOCUS, topic, "numerator_count"),
                _part(results, SHARE, FOCUS, topic, "denominator_count"),
                _shown(pieces.number, results, SHARE, FOCUS, topic),
                _shown(pieces.bounds, results, SHARE, FOCUS, topic),
                _shown(pieces.number, results, SHRUNK, FOCUS, topic),
                _shown(pieces.bounds, results, SHRUNK, FOCUS, topic),
                _part(results, SHARE, ALL, topic, "numerator_count"),
                _part(results, SHARE, ALL, topic, "denominator_count"),
                _shown(pieces.number, results, SHARE, ALL, topic),
                _shown(pieces.bounds, results, SHARE, ALL, topic),
            ]
            for topic in map(str, order.index)
        ],
        french.typography(
            "Entreprises ayant eu une demande non couverte sur le thème, parmi celles qui ont "
            "demandé sur ce thème. « s » : moins de trois entreprises, ou un nombre qui en "
            f"révélerait d’autres. {SOURCE}"
        ),
    )


def bands_table(results: Results) -> Html:
    """Return coverage and rates by size band, under 50 first, with every denominator."""
    if not has_review(results):
        return Html("")
    rate, unmet_rate = "requests_per_1000_firms", "unmet_requests_per_1000_firms"
    share, delay, back = "unmet_requests_share_pct", "answer_delay_median_days", "repeat_share_pct"
    return pieces.table(
        "Demandes par tranche d’effectif",
        [
            "Entreprises",
            "Qui ont demandé",
            "Non couvertes",
            french.typography("Part (en %)"),
            french.typography("Intervalle à 95 %"),
            french.typography("Part des demandes non couvertes (en %)"),
            french.typography("Intervalle à 95 %"),
            "sur … demandes",
            "Demandes pour 1 000 entreprises",
            french.typography("Intervalle à 95 %"),
            "Demandes non couvertes pour 1 000",
            french.typography("Intervalle à 95 %"),
            "Délai médian (jours)",
            french.typography("Intervalle à 95 %"),
            "sur … entreprises ayant eu une réponse",
            french.typography("Reviennent sur un même thème (en %)"),
            french.typography("Intervalle à 95 %"),
            "sur … entreprises",
        ],
        [
            [
                label,
                _part(results, SHARE, band, ALL, "denominator_count"),
                _part(results, SHARE, band, ALL, "numerator_count"),
                _shown(pieces.number, results, SHARE, band),
                _shown(pieces.bounds, results, SHARE, band),
                _shown(pieces.number, results, share, band),
                _shown(pieces.bounds, results, share, band),
                _part(results, share, band, ALL, "denominator_count"),
                _shown(pieces.number, results, rate, band),
                _shown(pieces.bounds, results, rate, band),
                _shown(pieces.number, results, unmet_rate, band),
                _shown(pieces.bounds, results, unmet_rate, band),
                _shown(pieces.number, results, delay, band),
                _shown(pieces.bounds, results, delay, band),
                _part(results, delay, band, ALL, "denominator_count"),
                _shown(pieces.number, results, back, band),
                _shown(pieces.bounds, results, back, band),
                _part(results, back, band, ALL, "denominator_count"),
            ]
            for band, label in BANDS.items()
        ],
        french.typography(
            "Taux rapportés aux entreprises de la tranche (portrait de branche de la Dares, 2020, "
            "ou vos effectifs) ; « nd » sans portrait. Intervalle des taux : Poisson exact, élargi "
            "quand les demandes se concentrent. Délai : médiane des délais médians des "
            f"entreprises, à partir de dix ; « nd » au-dessous. {SOURCE}"
        ),
    )


def gap(results: Results) -> Html:
    """Return what separates companies under 50 from the others, and whether it is shown."""
    if not has_review(results):
        return Html("")
    table = results[TABLE]
    row = _row(results, "gap_unmet_share_points", ALL)
    if row is None or table.at[row, "status"] != "value":
        return _secret("les deux groupes ne peuvent pas être comparés")
    low, high = float(table["lower"].loc[row]), float(table["upper"].loc[row])
    ends = _signed_ends(table, row)
    side = "plus" if float(table["value"].loc[row]) > 0 else "moins"
    said = (
        f"La part non couverte est {side} forte sous 50 salariés"
        if low > 0 or high < 0
        else "Aucune différence montrée entre les moins de 50 salariés et les autres"
    )
    named = [("Fisher", "gap_p_value.fisher")]
    if _companies(results, FOCUS) + _companies(results, REST) <= comparison.LARGEST:
        named.insert(0, ("Boschloo", "gap_p_value.boschloo"))
    tests = [
        f"{name} {pieces.shown(pieces.number, TABLE, table, _row(results, indicator, ALL), 3)}"
        for name, indicator in named
    ]
    same = _row(results, "gap_stratified_points", ALL)
    stratified = (
        f" À thème principal égal (différence de Mantel-Haenszel, stratifiée par thème principal "
        f"de l’entreprise) : {_points(table, same)} ({_signed_ends(table, same)})."
        if same is not None and table.at[same, "status"] == "value"
        else ""
    )
    sentence = (
        f"{said} : {_points(table, row)} d’écart (intervalle à 95 % : {ends}). "
        f"{'Valeurs' if len(tests) > 1 else 'Valeur'} p exacte{'s' if len(tests) > 1 else ''} : "
        f"{', '.join(tests)}.{stratified}"
    )
    return pieces.findings([french.typography(sentence), french.typography(_trend(results))])


def reasons_table(results: Results) -> Html:
    """Return the main reasons of unmet companies, under 50 beside all."""
    if not has_review(results):
        return Html("")
    table = _own(results)
    reasons = table[(table["indicator"] == "reason_share_pct") & (table["status"] == "value")]
    shown = [name for name in REASONS if name in set(reasons["reason"])]
    if set(shown) <= {"other"}:
        return _secret("trop peu d’entreprises non couvertes pour dire leurs motifs")

    def cells(reason: str, band: str) -> list[str]:
        found = reasons[(reasons["reason"] == reason) & (reasons["size_band"] == band)]
        row = None if found.empty else int(found.index[0])
        return [
            _count(results, row, "numerator_count"),
            pieces.shown(pieces.number, TABLE, results[TABLE], row),
            pieces.shown(pieces.bounds, TABLE, results[TABLE], row),
        ]

    return pieces.table(
        "Motif principal des entreprises non couvertes",
        [
            "Motif",
            "Moins de 50 : entreprises",
            french.typography("Part (en %)"),
            french.typography("Intervalle à 95 %"),
            "Toutes tailles : entreprises",
            french.typography("Part (en %)"),
            french.typography("Intervalle à 95 %"),
        ],
        [[REASONS[name], *cells(name, FOCUS), *cells(name, ALL)] for name in shown],
        french.typography(f"Motif le plus fréquent de chaque entreprise non couverte. {SOURCE}"),
    )


def reach_table(results: Results) -> Html:
    """Return the share of each band's companies that appear in the register at all."""
    if not has_review(results):
        return Html("")
    indicator = "companies_ever_share_pct"
    return pieces.table(
        "Part des entreprises qui figurent au registre, toutes années",
        ["Tranche", "Au registre", "Entreprises de la tranche", "Part (en %)",
         french.typography("Intervalle à 95 %")],
        [
            [
                label,
                _part(results, indicator, band, ALL, "numerator_count"),
                _part(results, indicator, band, ALL, "denominator_count"),
                _shown(pieces.number, results, indicator, band, option=1),
                _shown(pieces.bounds, results, indicator, band),
            ]
            for band, label in BANDS.items()
        ],
        french.typography(
            "Les entreprises absentes du registre peuvent n’avoir pas de besoin, ou ne pas "
            f"connaître l’offre : rien ici ne les distingue. {SOURCE}"
        ),
    )  # fmt: skip


def follow_up_table(results: Results, labels: Labels) -> Html:
    """Return what became of the last recommendations, and of their topic since."""
    if not has_review(results):
        return Html("")
    table = results[FOLLOW_UP]
    if table.empty:
        return pieces.banner(
            french.typography("Aucune recommandation d’une revue précédente n’est enregistrée.")
        )
    return pieces.table(
        "Ce que sont devenues les dernières recommandations",
        ["Thème", "Proposée le", "Évolution de l’offre", "Suite", "Décidée le",
         "Part non couverte alors (en %)", "Changement depuis (points)",
         french.typography("Intervalle à 95 %")],
        [
            [
                escape(labels.get(row["topic_code"], row["topic_code"])),
                french.day(row["proposed_on"]),
                escape(_words(row["offer_change"])) or "à écrire par la CPNEFP",
                DECISIONS[row["decision_status"]],
                french.day(row["decided_on"]) if _words(row["decided_on"]) else "–",
                pieces.cell(FOLLOW_UP, table, at, french.number(row["unmet_share_pct"]),
                             "unmet_share_pct"),
                pieces.number(FOLLOW_UP, table, at),
                _signed_ends(table, at, FOLLOW_UP),
            ]
            for at, row in enumerate(table.to_dict("records"))
        ],
        french.typography(
            "Entreprises de moins de 50 salariés. Un changement ne prouve pas l’effet d’une "
            "décision. Source : registre des recommandations. Nombres : table demandes_suites.csv."
        ),
    )  # fmt: skip


def candidates_table(results: Results, labels: Labels) -> Html:
    """Return the topics on which a change of the offer may be discussed; its text stays blank."""
    if not has_review(results):
        return Html("")
    found = _told_topics(results)
    found = found.sort_values("topic_code", key=lambda codes: codes.map(labels), kind="stable")
    if found.empty:
        return _secret("aucun thème ne réunit trois entreprises non couvertes de moins de 50")
    return pieces.table(
        "Thèmes à discuter pour la prochaine recommandation",
        ["Thème", "Entreprises non couvertes, moins de 50", french.typography("Part (en %)"),
         french.typography("Intervalle à 95 %"), "Recommandation de la CPNEFP"],
        [
            [
                escape(labels[str(row.topic_code)]),
                _count(results, int(str(row.Index)), "numerator_count"),
                pieces.number(TABLE, results[TABLE], int(str(row.Index))),
                pieces.bounds(TABLE, results[TABLE], int(str(row.Index))),
                "à écrire",
            ]
            for row in found.itertuples()
        ],
        french.typography(
            f"La revue mesure ; la CPNEFP recommande. Ordre alphabétique, sans priorité. {SOURCE}"
        ),
    )  # fmt: skip


def branches_table(results: Results, labels: Labels) -> Html:
    """Return unmet share under 50 of each branch, raw and shrunk, in alphabetical order."""
    if not has_review(results):
        return Html("")
    table = results[TABLE]
    branches = sorted(set(table["branch_code"]) - {TOTAL}, key=lambda code: labels[code])
    return pieces.table(
        "Moins de 50 salariés, branche par branche",
        ["Branche", "Non couvertes", "sur … entreprises", french.typography("Part (en %)"),
         french.typography("Intervalle à 95 %"), "Part rapprochée des autres (en %)",
         french.typography("Intervalle à 95 %")],
        [
            [
                escape(labels[code]),
                _part(results, SHARE, FOCUS, ALL, "numerator_count", code),
                _part(results, SHARE, FOCUS, ALL, "denominator_count", code),
                _shown(pieces.number, results, SHARE, FOCUS, branch=code),
                _shown(pieces.bounds, results, SHARE, FOCUS, branch=code),
                _shown(pieces.number, results, SHRUNK, FOCUS, branch=code),
                _shown(pieces.bounds, results, SHRUNK, FOCUS, branch=code),
            ]
            for code in branches
        ],
        french.typography(
            "Part rapprochée : tirée vers celle de l’ensemble, d’autant plus que la branche a peu "
            f"d’entreprises. Ordre alphabétique. {SOURCE}"
        ),
    )  # fmt: skip


def method(results: Results) -> Html:
    """Return how the figures were obtained and what they do not say."""
    if not has_review(results):
        return Html("")
    steps = [
        "<strong>Parts.</strong> Intervalle de Wilson à 95 %. Il couvre en moyenne ce qu’il "
        "annonce, un peu moins pour une part très proche de 0 ou de 100 %.",
        "<strong>Secret.</strong> Un nombre n’est montré que s’il porte sur aucune entreprise ou "
        "sur trois au moins, et si aucune soustraction entre nombres montrés n’en isole une ou "
        "deux. Ce qui est caché l’est le plus souvent parce que petit : les parts montrées sont "
        "donc, en moyenne, un peu trop fortes.",
        "<strong>Part rapprochée.</strong> Les parts de toutes les branches sont supposées tirées "
        "d’une même loi, estimée sur elles ; chacune est rapprochée de cette loi.",
        "<strong>Comparaisons.</strong> Deux périodes ou deux tailles sont comparées comme si "
        "leurs entreprises étaient indépendantes.",
    ]
    paragraphs = "".join(f"<p>{french.typography(step)}</p>" for step in steps)
    return Html(paragraphs)


def _fictitious() -> str:
    return (
        "<strong>Données fictives.</strong> Ce registre a été tiré au hasard pour montrer la page. "
        "Aucune entreprise, aucune demande, aucune décision n’est réelle."
    )


def _topics_told(results: Results, labels: Labels) -> str:
    ranked = _ranked(results).head(NAMED)
    if ranked.empty:
        return "Moins de 50 salariés : trop peu d’entreprises pour montrer un thème (secret, s)."
    named = [
        f"{escape(labels[str(row.topic_code)])} "
        f"({_count(results, int(str(row.Index)), 'numerator_count')}"
        f"{'' if place else ' entreprises'})"
        for place, row in enumerate(ranked.itertuples())
    ]
    return f"<strong>Moins de 50 salariés, non couvert</strong> : {french.enumeration(named)}."


def _sure(results: Results) -> str:
    table = results[TABLE]
    row = _row(results, SHARE, FOCUS)
    if row is None or table.at[row, "status"] != "value":
        return "<strong>Solidité</strong> : part non couverte secrète (s), trop peu d’entreprises."
    ranked = _ranked(results)
    order = ""
    if len(ranked) > 1:
        net = "premier thème net" if _is_apart(ranked) else "ordre des thèmes incertain"
        order = f"{net} ; "
    return (
        f"<strong>Solidité</strong> : {order}{_count(results, row, 'numerator_count')} des "
        f"{_count(results, row, 'denominator_count')} entreprises qui ont demandé sont non "
        f"couvertes, {pieces.percent(TABLE, table, row)} (intervalle à 95 % : "
        f"{pieces.bounds(TABLE, table, row)})."
    )


def _became(results: Results) -> str:
    whole = _row(results, "recommendations_count", FOCUS)
    if whole is None:
        return "<strong>Dernières recommandations</strong> : aucune n’est enregistrée."
    parts = []
    for status, (one, many) in DECIDED.items():
        row = _row(results, f"recommendations_count.{status}", FOCUS)
        if row is not None:
            word = one if float(results[TABLE]["value"].loc[row]) < 2 else many
            parts.append(f"{pieces.number(TABLE, results[TABLE], row)} {word}")
    return (
        f"<strong>Dernières recommandations</strong> "
        f"({pieces.number(TABLE, results[TABLE], whole)}) : {french.enumeration(parts)}."
    )


def _trend(results: Results) -> str:
    row, table = _row(results, "unmet_share_change_points", FOCUS), results[TABLE]
    if row is None or table.at[row, "status"] != "value":
        return "Évolution sur un an chez les moins de 50 salariés : non disponible ou secrète."
    low, high = float(table["lower"].loc[row]), float(table["upper"].loc[row])
    said = (
        "La part non couverte des moins de 50 salariés a augmenté sur un an"
        if low > 0
        else "La part non couverte des moins de 50 salariés a diminué sur un an"
        if high < 0
        else "Aucune évolution montrée sur un an chez les moins de 50 salariés"
    )
    return f"{said} : {_points(table, row)} (intervalle à 95 % : {_signed_ends(table, row)})."


def _branch(results: Results) -> str:
    codes = [code for code in pd.unique(results[TABLE]["branch_code"]) if code != TOTAL]
    return str(codes[0]) if len(codes) == 1 else TOTAL


def _own(results: Results) -> pd.DataFrame:
    table = results[TABLE]
    rows: pd.DataFrame = table.loc[table["branch_code"] == _branch(results)]
    return rows


def _ranked(results: Results) -> pd.DataFrame:
    """Return the topics of unmet companies under 50 that may be told, most companies first."""
    table = _own(results)
    rows = table[
        (table["indicator"] == TOPIC) & (table["size_band"] == FOCUS)
        & (table["status"] == "value") & (table["numerator_count"] > 0)
    ]  # fmt: skip
    return rows.sort_values(["value", "topic_code"], ascending=[False, True])


def _told_topics(results: Results) -> pd.DataFrame:
    table = _own(results)
    rows: pd.DataFrame = table.loc[
        (table["indicator"] == SHARE) & (table["size_band"] == FOCUS)
        & (table["status"] == "value") & (table["numerator_count"] >= 3)
        & ~table["topic_code"].isin([ALL, OTHERS])
    ]  # fmt: skip
    return rows


def _is_apart(ranked: pd.DataFrame) -> bool:
    """Return whether the first topic's interval lies above the second's."""
    return bool(ranked["lower"].iloc[0] > ranked["upper"].iloc[1])


def _row(
    results: Results, indicator: str, band: str, topic: str = ALL, branch: str = ""
) -> int | None:
    table = results[TABLE]
    chosen = (
        (table["indicator"] == indicator) & (table["size_band"] == band)
        & (table["topic_code"] == topic)
        & (table["branch_code"] == (branch or _branch(results)))
    )  # fmt: skip
    rows = table.index[chosen].tolist()
    return rows[0] if rows else None


def _shown(  # noqa: PLR0913 (one cell, told in full)
    show: object, results: Results, indicator: str, band: str, topic: str = ALL,
    branch: str = "", option: int | None = None,
) -> str:  # fmt: skip
    options = [] if option is None else [option]
    row = _row(results, indicator, band, topic, branch)
    return pieces.shown(show, TABLE, results[TABLE], row, *options)  # type: ignore[arg-type]


def _part(  # noqa: PLR0913 (one cell, told in full)
    results: Results, indicator: str, band: str, topic: str, column: str, branch: str = ""
) -> str:
    return _count(results, _row(results, indicator, band, topic, branch), column)


def _count(results: Results, row: int | None, column: str) -> str:
    table = results[TABLE]
    if row is None:
        return pieces.ABSENT
    value = pieces.read(table, row, column) if table[column].notna().loc[row] else None
    if value is None:
        return pieces.number(TABLE, table, row)
    return pieces.cell(TABLE, table, row, french.number(value), column)


def _points(table: pd.DataFrame, row: int) -> str:
    word = "point" if abs(round(float(table["value"].loc[row]), 1)) < 2 else "points"
    return f"{pieces.number(TABLE, table, row, 1)} {word}"


def _companies(results: Results, band: str) -> float:
    row = _row(results, SHARE, band)
    return 0 if row is None else float(results[TABLE]["denominator_count"].fillna(0).loc[row])


def _signed_ends(table: pd.DataFrame, row: int, name: str = TABLE) -> str:
    lower, upper = pieces.read(table, row, "lower"), pieces.read(table, row, "upper")
    if lower is None or upper is None:
        return pieces.cell(name, table, row, "", "lower")
    low = pieces.cell(name, table, row, french.number(lower, 1), "lower")
    high = pieces.cell(name, table, row, french.number(upper, 1), "upper")
    return f"{low} à{french.NBSP}{high}"


def _words(text: object) -> str:
    return text if isinstance(text, str) else ""


def _secret(why: str) -> Html:
    return pieces.banner(french.typography(f"Secret statistique (s) : {why}."))
