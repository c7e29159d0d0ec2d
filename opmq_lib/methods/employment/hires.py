"""Step 1, from hires to lifts: where each métier is hired more than others are."""

import numpy as np
import pandas as pd

from opmq_lib.errors import CoherenceError, Defect
from opmq_lib.tables.fap import FAMILY_LENGTH

OWN_HIRES = FAMILY_HIRES = 200.0
"""Hires by which a métier is drawn to its family, and a family to all métiers; a convention."""


def hires_by_activity(
    rome_naf_hires: pd.DataFrame, links: pd.DataFrame, metier_codes: pd.Index
) -> pd.DataFrame:
    """Return hires by métier and activity.

    Args:
        rome_naf_hires: Hires, one row per `rome_code` and `naf_code`, all activities.
        links: The ROME of each métier, from `rome_shares`.
        metier_codes: Métiers wanted; one without hires has zeros.

    Returns:
        One row per métier, one column per `naf_code` that has hires.

    Raises:
        CoherenceError: If the shares of a ROME do not add up to 1, or a ROME of the hires leads to
            no métier.

    Source:
        Method page, B1, step 1.

    Examples:
        A ROME record that two métiers share, one quarter and three quarters:

        >>> hires = pd.DataFrame({"rome_code": ["H2903"], "naf_code": "2562B", "hires_count": 80})
        >>> both = pd.DataFrame({"metier_code": ["D1Z41", "D2Z40"], "rome_code": "H2903"})
        >>> links = rome_shares(both, both.assign(share=[0.25, 0.75]))
        >>> hires_by_activity(hires, links, pd.Index(["D1Z41", "D2Z40"]))["2562B"].tolist()
        [20.0, 60.0]
    """
    _check(rome_naf_hires, links)
    hires = rome_naf_hires.astype({"hires_count": "float64"}).pivot(
        index="rome_code", columns="naf_code", values="hires_count"
    )
    weights = links.pivot(index="metier_code", columns="rome_code", values="share").fillna(0.0)
    by_metier = weights.reindex(columns=hires.index, fill_value=0.0) @ hires.fillna(0.0)
    return by_metier.reindex(metier_codes, fill_value=0.0)


def rome_shares(fap_rome: pd.DataFrame, rome_fap_split: pd.DataFrame) -> pd.DataFrame:
    """Return the métiers of each ROME with their shares: 1 where there is only one.

    Args:
        fap_rome: Which ROME belongs to which métier, one row per link.
        rome_fap_split: Convention; share of each métier in a ROME tied to several.

    Returns:
        `metier_code`, `rome_code`, `share` (of the ROME, ratio).
    """
    key = ["rome_code", "metier_code"]
    links = fap_rome.merge(rome_fap_split[[*key, "share"]], "left", on=key)
    alone = links.groupby("rome_code")["metier_code"].transform("size") == 1
    return links.assign(share=links["share"].astype("float64").mask(alone, 1.0))


def lifts(hires: pd.DataFrame, all_shares: pd.Series) -> pd.DataFrame:
    """Return by how much each métier is over-represented in each column, on the log scale.

    The share of a column in the hires of a métier, over its share in all hires. Few hires say
    little: the métier is drawn to the profile of its family, the family to that of all métiers.

    Args:
        hires: By métier (FAP-225) and column: sectors, or the activities of one sector.
        all_shares: Share of each column in the hires of all métiers; adds up to 1.

    Returns:
        The shape of `hires`; 0: as all métiers.

    Source:
        Method page, B1, step 1.

    Examples:
        >>> hires = pd.DataFrame({"CE": [600.0, 0.0], "FZ": [0.0, 0.0]}, index=["E1Z41", "B2Z40"])
        >>> lifts(hires, pd.Series({"CE": 0.5, "FZ": 0.5})).round(3).to_numpy().tolist()
        [[0.661, -2.773], [0.0, 0.0]]
    """
    family = hires.groupby(hires.index.str[:FAMILY_LENGTH]).transform("sum")
    profile = (family + FAMILY_HIRES * all_shares).div(family.sum(axis=1) + FAMILY_HIRES, axis=0)
    shares = (hires + OWN_HIRES * profile).div(hires.sum(axis=1) + OWN_HIRES, axis=0)
    ratio = shares / all_shares
    return pd.DataFrame(np.log(ratio), ratio.index, ratio.columns)


def _check(hires: pd.DataFrame, links: pd.DataFrame) -> None:
    defects = [
        Defect(f"rome {code}", "hires but no métier", "a métier", "complete `fap_rome`")
        for code in sorted(set(hires["rome_code"]) - set(links["rome_code"]))
    ]
    CoherenceError.refuse([*defects, *uneven("rome_fap_split", links, "rome_code")])


def uneven(where: str, table: pd.DataFrame, code: str) -> list[Defect]:
    """Return the codes of a table whose shares do not sum to 1."""
    sums = table.groupby(code)["share"].sum()
    return [
        Defect(f"{where}, {name}", "shares do not add up", "1", "correct them", f"{total:g}")
        for name, total in sums[(sums - 1).abs() > 1e-9].items()
    ]
