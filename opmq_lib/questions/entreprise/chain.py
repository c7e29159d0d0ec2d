"""What a company's workbook says of métiers: tension, causes, certifications, where to recruit."""

from typing import Final

import pandas as pd

from opmq_lib.methods.employment.rows import RESIDUAL_METIER
from opmq_lib.methods.skills import certifications, profiles
from opmq_lib.params import EditionParams
from opmq_lib.questions import shared
from opmq_lib.questions.besoins.by_age import RATES
from opmq_lib.questions.changements import chain as changements
from opmq_lib.questions.que_faire.chain import reasons
from opmq_lib.questions.shared import Tables, metier_romes
from opmq_lib.tables import DESCRIPTIONS, check
from opmq_lib.tables.columns import TITLES_SEPARATOR

METIERS: Final = "entreprise_metiers"
TITLES_COUNT: Final = 3
"""Certifications of a métier that are named."""
GENERAL: Final = "titre professionnel"
"""Kind of certifications that the ministry of labour delivers, whatever the branch."""


def metiers(
    inputs: Tables,
    branch_code: str,
    needs: Tables,
    alarms: pd.DataFrame,
    edition: EditionParams,
) -> pd.DataFrame:
    """Return what is known of each métier of a company's workbook.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        needs: Results of `02_besoins`, of which `RATES`; no row where it has not run.
        alarms: From `que_faire.chain.alarms`.
        edition: Its day says which certifications still run.

    Returns:
        Table `company_metiers`, without the rest of the branch: tension and its causes, the
        certifications that exist with the titles of some, the branch's own first, and the métiers
        from which the ROME says that one may come, with those whose jobs fall.

    Examples:
        >>> from opmq_lib.questions.que_faire.chain import alarms
        >>> from opmq_lib.sources import study
        >>> inputs, edition = study.load_inputs(), study.edition()
        >>> asked = {RATES: pd.DataFrame({"metier_code": ["E1Z43"]})}
        >>> table = metiers(inputs, "chimie", asked, alarms(inputs, edition), edition)
        >>> table[["departures_alarm", "causes", "near_metier_codes"]].iloc[0].tolist()
        ['yes', 'departures', 'E1Z47 E0Z23 E1Z44']
    """
    codes = list(needs[RATES]["metier_code"].unique()) if RATES in needs else []
    codes = [code for code in codes if code != RESIDUAL_METIER]
    rows = alarms.set_index("metier_code").loc[codes].reset_index()
    table = reasons(inputs, branch_code, rows, edition)
    links = metier_romes(inputs, branch_code)
    near = _near(inputs, links, codes)
    told = {
        "certifications": _titles(inputs, branch_code, links, edition),
        "near_metier_codes": _joined(near),
        "falling_metier_codes": _joined(near[near["is_falling"]]),
    }
    texts = {
        name: table["metier_code"].map(each).astype("object").fillna("")
        for name, each in told.items()
    }
    table = table.assign(**texts, branch_code=branch_code, status="value", origin="public")
    for name in ("tension_alarm", "departures_alarm"):
        table[name] = table[name].map({True: "yes", False: "no"})
    table = table.astype(dict.fromkeys(("tension_year", "tension_rank", "ranked_count"), "Int64"))
    return check("company_metiers", table[list(DESCRIPTIONS["company_metiers"])], METIERS)


def _titles(
    inputs: Tables, branch_code: str, links: pd.DataFrame, edition: EditionParams
) -> pd.Series:
    """Return by métier the titles of some certifications.

    The branch's own first, then those of the ministry of labour, then others that are of no branch;
    in each, those that aim at the métier's main ROME and at few others.
    """
    bodies = inputs["certifying_bodies"]
    live = certifications.live(inputs["certifications"], edition.edition_date)
    owned = certifications.portfolio(live, bodies[bodies["branch_code"] == branch_code])
    aims = inputs["certification_metiers"].merge(inputs["fap_rome"], on="rome_code")
    aims = aims.merge(links, "left", on=["metier_code", "rome_code"]).fillna({"weight": 0.0})
    aims["weight"] /= aims.groupby("certifinfo_code")["rome_code"].transform("nunique")
    key = ["metier_code", "certifinfo_code"]
    rows = aims.groupby(key, as_index=False)["weight"].sum().merge(live, on="certifinfo_code")
    is_own = rows["certifinfo_code"].isin(owned["certifinfo_code"])
    is_of_others = ~is_own & rows["kind"].str.startswith("CQP")
    is_general = rows["kind"] == GENERAL
    rows = rows.assign(is_own=is_own, is_of_others=is_of_others, is_general=is_general)
    ranked = {"is_own": False, "is_of_others": True, "is_general": False}
    order = ranked | {"weight": False, "title": True}
    rows = rows.sort_values(list(order), ascending=list(order.values()))
    rows = rows.drop_duplicates(["metier_code", "title"])
    first = rows.groupby("metier_code").head(TITLES_COUNT)
    titles: pd.Series = first.groupby("metier_code")["title"].agg(TITLES_SEPARATOR.join)
    return titles


def _near(inputs: Tables, links: pd.DataFrame, codes: list[str]) -> pd.DataFrame:
    """Return the nearest métiers, of the branch or of the field, from which one may come to each.

    `is_falling`: their official projection falls.
    """
    field = shared.studied(inputs, "metiers")["metier_code"]
    rows = changements.near(inputs, profiles.main_parts(links), [*codes, *field], codes)
    rows = rows.groupby("target_metier_code").head(changements.NEAREST)
    growth = changements.official_growth(inputs, rows["metier_code"])
    return rows.assign(is_falling=rows["metier_code"].map(growth) < 0)


def _joined(near: pd.DataFrame) -> pd.Series:
    return near.groupby("target_metier_code")["metier_code"].agg(" ".join)
