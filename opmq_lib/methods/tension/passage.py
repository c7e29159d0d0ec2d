"""FAP-2009 → FAP-2021 through shared ROME records (X1), and what each vintage says of a métier.

The FAP-2021 métiers that a FAP-2009 métier shares ROME records with are its images. No count passes
to an image: several métiers share one.
"""

import numpy as np
import pandas as pd

from opmq_lib.methods.tension.published import CLASS, INDEX, standing
from opmq_lib.methods.tension.survey import NEW, OLD

QUALIFICATIONS = {"0": "0", "1": "0", "2": "12", "4": "34"} | {digit: digit for digit in "56789"}
"""Qualifications (Pôle emploi) of the fourth character of a FAP-2009 code; method page, X1."""
FIRST_DIVISION, LAST_DIVISION = "05", "39"
"""Divisions of the NAF whose hires weigh the ROME: industry, energy, water and waste."""
DOMINANT, LEAST_IMAGE, LEAST_COVERAGE = 0.80, 0.10, 0.80
"""Weight of a dominant image; of an image that counts in classes; of images with an index."""
FALLBACK = ["index", "class", "rank", "ranked_count", "rank_share", "year"]


def passage(
    fap_rome: pd.DataFrame,
    rome_fap2021: pd.DataFrame,
    rome_naf_hires: pd.DataFrame,
    metiers_2021: pd.DataFrame,
) -> pd.DataFrame:
    """Return the images of each métier in FAP-2021 (level fap228), with their weights.

    A ROME weighs 1 and its hires in industry, in equal parts over the qualifications of the métier.
    Pairs of ROME and qualification that the official table lacks lose their weight.

    Args:
        fap_rome: `metier_code` (FAP-2009), `rome_code`.
        rome_fap2021: Official `rome_code`, `qualification_code`, `metier_2021_code` (fap341).
        rome_naf_hires: `rome_code`, `naf_code`, `hires_count`.
        metiers_2021: `metier_2021_code`, `level`, `parent_code`.

    Returns:
        `metier_code`, `metier_2021_code`, `image_weight` (0 to 1, sums to 1 by métier),
        `passage_status` of the métier (`unique`, `dominant`, `ambiguous`), heaviest image first.
        A métier without ROME has no row.

    Source:
        Method page, X1. It is no official passage between the two nomenclatures.

    Examples:
        >>> tree = pd.DataFrame({"metier_2021_code": ["E1X40a", "E2X70a"], "level": "fap341",
        ...     "parent_code": ["E1X40", "E2X70"]})
        >>> table = pd.DataFrame({"rome_code": ["H2301", "H2301", "H1"],
        ...     "qualification_code": list("344"), "metier_2021_code": ["E1X40a"] * 2 + ["E2X70a"]})
        >>> hires = pd.DataFrame({"rome_code": ["H2301"] * 2, "naf_code": ["2059Z", "4711A"],
        ...     "hires_count": [2, 500]})
        >>> links = pd.DataFrame({"metier_code": "E1Z41", "rome_code": ["H2301", "H1"]})
        >>> passage(links, table, hires, tree).to_numpy().tolist()[0]
        ['E1Z41', 'E1X40', 0.8571428571428571, 'dominant']
    """
    is_industry = rome_naf_hires["naf_code"].str[:2].between(FIRST_DIVISION, LAST_DIVISION)
    hires = rome_naf_hires[is_industry].groupby("rome_code")["hires_count"].sum().astype("float64")
    digits = fap_rome["metier_code"].str[3].map(QUALIFICATIONS)
    weight = (1 + fap_rome["rome_code"].map(hires).fillna(0.0)) / digits.str.len()
    pairs = fap_rome.assign(qualification_code=digits.map(list), image_weight=weight)
    pairs = pairs.explode("qualification_code")
    pairs = pairs.merge(rome_fap2021, on=["rome_code", "qualification_code"])
    finest = metiers_2021[metiers_2021["level"] == "fap341"].set_index("metier_2021_code")
    pairs["metier_2021_code"] = pairs["metier_2021_code"].map(finest["parent_code"])
    keys = ["metier_code", "metier_2021_code"]
    weights = pairs.groupby(keys)["image_weight"].sum()
    weights /= weights.groupby(level="metier_code").transform("sum")
    by_metier = weights.groupby(level="metier_code")
    is_single, most = by_metier.transform("size") == 1, by_metier.transform("max")
    status = np.select([is_single, most >= DOMINANT], ["unique", "dominant"], "ambiguous")
    table = weights.reset_index().assign(passage_status=status)
    order = ["metier_code", "image_weight", "metier_2021_code"]
    return table.sort_values(order, ascending=[True, False, True], ignore_index=True)


def metier_tensions(
    tension: pd.DataFrame, tension_2021: pd.DataFrame, images: pd.DataFrame, metiers: pd.Series
) -> pd.DataFrame:
    """Return the tension of each métier: that of its images, else the one published in FAP-2009.

    Args:
        tension: Published in FAP-2009, as for `published_index`.
        tension_2021: Published in FAP-2021: `metier_2021_code, year, tension_index, tension_class`.
        images: From `passage`.
        metiers: Codes wanted, FAP-225.

    Returns:
        One row per métier: `metier_code`, `nomenclature` and `year` of the figures,
        `tension_index` (mean of the images, weighted) with `_lower` and `_upper`,
        `tension_class_least`, `tension_class_most` (of the images of weight `LEAST_IMAGE` or more),
        `tension_rank` among `ranked_count` published métiers, `tension_rank_share` (0 least tense,
        1 most), `passage_status` and `image_coverage` (weight of the images with an index), and
        `fap2009_…`: the columns of `published.standing`. Under `LEAST_COVERAGE` the figures are
        those of FAP-2009, least and most alike; `status` `nd` where there are none either.

    Source:
        Method page, L5 and X1. Figures of the two vintages do not compare: no change is given.
    """
    of_images = _of_images(tension_2021, images).reindex(metiers)
    old = standing(tension).reindex(metiers).add_prefix("fap2009_")
    status = images.drop_duplicates("metier_code").set_index("metier_code")["passage_status"]
    is_new = of_images["image_coverage"] >= LEAST_COVERAGE
    index, class_, rank, count, share, year = (old[f"fap2009_{name}"] for name in FALLBACK)
    fallback = {f"{INDEX}{end}": index for end in ("", "_lower", "_upper")}
    fallback |= {f"{CLASS}_{end}": class_ for end in ("least", "most")}
    fallback |= {"tension_rank": rank, "ranked_count": count, "tension_rank_share": share}
    figures = {"year": year} | fallback
    chosen = {name: of_images[name].where(is_new, values) for name, values in figures.items()}
    is_known = is_new | index.notna()
    table = pd.DataFrame(chosen).assign(
        nomenclature=np.select([is_new, is_known], [NEW, OLD], ""),
        passage_status=status.reindex(metiers).fillna(""),
        image_coverage=of_images["image_coverage"].fillna(0.0),
        status=np.where(is_known, "value", "nd"),
        **old,
    )
    return table.rename_axis("metier_code").reset_index()


def _of_images(tension_2021: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return index, classes, rank and coverage of each métier from those of its images."""
    known = images.merge(tension_2021, on="metier_2021_code").astype({CLASS: "float64"})
    known["product"] = known["image_weight"] * known[INDEX]
    sums = known.groupby("metier_code")[["image_weight", "product"]].sum()
    large = known[known["image_weight"] >= LEAST_IMAGE].groupby("metier_code")
    index = (sums["product"] / sums["image_weight"]).round(6)
    levels = tension_2021[INDEX].to_numpy()
    rank = (levels[None, :] > index.to_numpy()[:, None]).sum(axis=1) + 1
    return pd.DataFrame(
        {
            "year": float(tension_2021["year"].max()),
            INDEX: index,
            f"{INDEX}_lower": large[INDEX].min(),
            f"{INDEX}_upper": large[INDEX].max(),
            f"{CLASS}_least": large[CLASS].min(),
            f"{CLASS}_most": large[CLASS].max(),
            "tension_rank": rank.astype(float),
            "ranked_count": float(len(levels)),
            "tension_rank_share": (len(levels) - rank) / (len(levels) - 1),
            "image_coverage": sums["image_weight"],
        },
        index=sums.index,
    )
