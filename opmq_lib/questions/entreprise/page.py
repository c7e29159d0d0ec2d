"""What the workbook of a company says, in plain texts: cells hold no HTML."""

from html import unescape
from types import SimpleNamespace
from typing import Any, Final

import pandas as pd

from opmq_lib.methods.needs.cohorts import BAND_YEARS
from opmq_lib.params import EditionParams
from opmq_lib.questions.entreprise.formulas import COMPANY_MOST, METIER_MOST
from opmq_lib.questions.que_faire import page as que_faire
from opmq_lib.questions.shared import Tables
from opmq_lib.show import french
from opmq_lib.show.pieces import Labels
from opmq_lib.show.words import words
from opmq_lib.sources import embedded
from opmq_lib.tables.columns import COUNTED_BANDS

WORDS = words(__package__)
SOURCES: Final = {
    "ages": ("dares_ages",),
    "official": ("dares_metiers_2030",),
    "tensions": ("dares_tensions_2021", "dares_tensions"),
    "certifications": ("certifinfo",),
    "moves": ("ft_rome_mobilites",),
}


def about(
    inputs: Tables,
    branch_code: str,
    rates: pd.DataFrame,
    facts: pd.DataFrame,
    edition: EditionParams,
) -> Any:
    """Return what the first sheet depends on: branch, conventions, sources and years."""
    branch = inputs["branches"].set_index("branch_code").to_dict("index")[branch_code]
    by_age, unknown = (
        rates[(rates["age_band"] == COUNTED_BANDS[-1]) == is_unknown].iloc[0]
        for is_unknown in (False, True)
    )
    years = [f"{row['start_year']:.0f}-{row['end_year']:.0f}" for row in (by_age, unknown)]
    named = {
        name: " ; ".join(
            french.label(", ".join(filter(None, embedded.source(code)))) for code in codes
        )
        for name, codes in SOURCES.items()
    }
    return SimpleNamespace(
        branch=french.label(branch["label"]),
        idcc=branch["idcc_2026_codes"].split(),
        edition=edition.edition_id,
        is_national=not (inputs["branch_headcount"]["branch_code"] == branch_code).any(),
        age_years=years[0],
        unknown_years=years[1],
        is_official=unknown["nature"] == "official_projection",
        causes_year=f"{facts['causes_year'].max():.0f}",
        sources=SimpleNamespace(**named),
        metier_most=METIER_MOST,
        company_most=COMPANY_MOST,
    )


def metiers(facts: pd.DataFrame, labels: Labels) -> dict[str, list[str | int]]:
    """Return by métier its tension, why and what to do, certifications, near métiers, its alarm."""
    told: dict[str, list[str | int]] = {}
    rows = facts.set_index("metier_code")
    rows = rows.astype("object").where(rows.notna(), "")
    for code, row in rows.iterrows():
        is_tense, leaves = (row[name] == "yes" for name in ("tension_alarm", "departures_alarm"))
        classes = [row[f"tension_class_{end}"] for end in ("least", "most")]
        tension = SimpleNamespace(
            rank=int(row["tension_rank"] or 0),
            count=row["ranked_count"],
            classes=sorted({int(each) for each in classes if each != ""}),
            year=row["tension_year"],
            is_alarm=is_tense,
            leaves=leaves,
        )
        causes = [que_faire.WORDS.CAUSES[cause] for cause in row["causes"].split()]
        why = " ; ".join(f"{cause} : {lever}" for cause, lever in causes)
        why = why or str(que_faire.WORDS.to_ask())
        falling = row["falling_metier_codes"].split()
        near = [
            str(WORDS.falling(labels[each])) if each in falling else labels[each]
            for each in row["near_metier_codes"].split()
        ]
        counts = [int(row[f"{own}certifications_count"] or 0) for own in ("", "own_")]
        texts = [
            WORDS.tension(tension),
            why if is_tense or leaves else WORDS.no_alarm(),
            WORDS.certifications(*counts, french.label(row["certifications"])),
            " ; ".join(near) or WORDS.unknown(),
        ]
        told[str(code)] = [*map(typed, texts), int(is_tense)]
    return told


def rates(row: Any) -> str:
    """Return the departures of a métier in five years, by age band, one a line.

    Args:
        row: Of each band, in % per year.
    """
    shares = [french.number(BAND_YEARS * rate) for rate in row]
    pairs = zip(COUNTED_BANDS, shares, strict=True)
    return "\n".join(french.typography(f"{band} : {share}") for band, share in pairs)


def lines(text: str) -> list[str]:
    """Return the paragraphs of a text, each on one line."""
    return [typed(part) for part in str(text).split("\n\n") if part.strip()]


def plain(name: str) -> Any:
    """Return texts of the template as they are, in a list or by name, with the spaces of French."""
    texts = getattr(WORDS, name)
    if isinstance(texts, dict):
        return {key: french.typography(text) for key, text in texts.items()}
    return [french.typography(text) for text in texts]


def typed(text: str) -> str:
    """Return a text of a cell: plain, on one line, with the spaces of French."""
    return french.typography(" ".join(unescape(str(text)).split()))
