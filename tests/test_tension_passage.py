"""FAP-2009 → FAP-2021 through shared ROME records (X1), against the figures of the method page."""

import pandas as pd
import pytest

from opmq_lib.methods.tension import passage
from opmq_lib.questions import shared
from opmq_lib.sources import embedded, study

INPUTS = study.load_inputs()
FIELD = set(shared.studied(INPUTS, "metiers").query("level == 'fap225'")["metier_code"])
IMAGES = shared.images(INPUTS)
OURS = IMAGES[IMAGES["metier_code"].isin(FIELD)]
TENSIONS = shared.metier_tensions(INPUTS).set_index("metier_code")


def test_images_of_the_field_are_those_of_the_method_page() -> None:
    status = OURS.drop_duplicates("metier_code")["passage_status"].value_counts()
    assert status.to_dict() == {"unique": 35, "ambiguous": 16, "dominant": 8}
    several = OURS[OURS["image_weight"] >= 0.05].groupby("metier_2021_code").size()
    assert (len(several), (several > 1).sum()) == (61, 25)


def test_weights_of_a_metier_add_up_to_one() -> None:
    sums = IMAGES.groupby("metier_code")["image_weight"].sum()
    assert sums.to_numpy() == pytest.approx(1.0)


def test_most_metiers_of_the_field_have_a_figure_in_the_new_vintage() -> None:
    ours = TENSIONS.loc[sorted(FIELD)]
    new = ours[ours["nomenclature"] == "FAP-2021"]
    is_single = new["tension_class_least"] == new["tension_class_most"]
    assert (len(new), is_single.sum(), (~is_single).sum()) == (54, 46, 8)
    left = set(ours.index) - set(new.index)
    assert left == {"N0Z90", "N0Z91", "K0Z20", "K0Z40", "C2Z70"}
    assert ours.loc["C2Z70", "image_coverage"] == pytest.approx(0.753, abs=5e-4)
    assert (ours.loc[["N0Z90", "N0Z91", "C2Z70"], "nomenclature"] == "FAP-2009").all()
    assert (ours.loc[["K0Z20", "K0Z40"], "status"] == "nd").all()


def test_fallback_is_the_published_figure_of_the_first_vintage() -> None:
    row, table = TENSIONS.loc["N0Z90"], embedded.load("tension")
    known = table[(table["metier_code"] == "N0Z90") & (table["year"] == row["year"])].iloc[0]
    assert row["tension_index"] == known["tension_index"] == row["tension_index_upper"]
    assert row["tension_class_most"] == known["tension_class"]
    assert row["ranked_count"] == 186


def test_a_metier_without_index_in_either_vintage_has_none() -> None:
    unknown = TENSIONS[TENSIONS["status"] == "nd"]
    assert unknown["tension_index"].isna().all()
    assert set(unknown["nomenclature"]) == {""}


def test_rank_of_a_single_image_is_that_of_the_image() -> None:
    latest = embedded.load("tension_2021").set_index("metier_2021_code")["tension_index"]
    single = OURS[
        (OURS["passage_status"] == "unique") & OURS["metier_2021_code"].isin(latest.index)
    ]
    ranks = latest.rank(ascending=False)
    expected = single["metier_2021_code"].map(ranks).to_numpy()
    assert (TENSIONS.loc[single["metier_code"], "tension_rank"].to_numpy() == expected).all()
    assert (TENSIONS["tension_rank_share"].dropna().between(0, 1)).all()


def test_hires_outside_industry_weigh_nothing() -> None:
    names = ("fap_rome", "rome_fap2021", "rome_naf_hires", "metiers_2021")
    tables = {name: INPUTS[name] for name in names}
    hires = tables["rome_naf_hires"]
    is_trade = hires["naf_code"].str[:2].between("45", "96")
    tables["rome_naf_hires"] = hires.assign(
        hires_count=hires["hires_count"].mask(is_trade, hires["hires_count"] * 9)
    )
    pd.testing.assert_frame_equal(passage.passage(*tables.values()), IMAGES)
