"""The embedded tables against themselves, and against the files they were transcribed from."""

import numpy as np
import pandas as pd
import pytest

from opmq_lib.errors import SchemaError
from opmq_lib.sources import embedded
from opmq_lib.sources.producers import dares_branches
from opmq_lib.sources.soundness import unknown_codes

KEYS = {
    "age_structure": ["metier_code", "period", "age_band"],
    "age_structure_fap87": ["metier_code", "period", "age_band"],
    "appellations": ["appellation_code"],
    "branch_headcount": ["idcc_code"],
    "branches": ["branch_code"],
    "certification_metiers": ["certifinfo_code", "rank"],
    "certifications": ["certifinfo_code"],
    "emerging_skills": ["rome_code", "skill_code"],
    "employees_national": ["metier_code", "year"],
    "employment_national": ["metier_code", "year"],
    "exit_rates": ["metier_code", "year"],
    "exit_reasons": ["metier_code", "exit_reason"],
    "fap_rome": ["metier_code", "rome_code"],
    "idcc_history": ["idcc_code"],
    "macro_skills": ["macro_skill_code"],
    "metier_skills": ["rome_code", "skill_code"],
    "metier_pcs": ["metier_code", "pcs_code"],
    "metier_sectors": ["metier_code", "sector_code"],
    "metiers": ["nomenclature", "metier_code"],
    "metiers_2021": ["level", "metier_2021_code"],
    "naf": ["naf_code"],
    "recruitment_intentions": ["metier_code", "nomenclature", "region_code", "year"],
    "official_projections": ["metier_code", "region_code"],
    "regions": ["region_code"],
    "rome_fap2021": ["rome_code", "qualification_code"],
    "rome_naf_hires": ["rome_code", "naf_code"],
    "rome_facts": ["rome_code"],
    "rome_item_labels": ["item_code"],
    "rome_items": ["rome_code", "fact_code", "item_code"],
    "rome_moves": ["rome_code", "target_rome_code"],
    "romes": ["rome_code", "rome_version"],
    "skills": ["skill_code"],
    "sources": ["source_code"],
    "rome_transitions": ["rome_code"],
    "tension": ["metier_code", "year"],
    "tension_2021": ["metier_2021_code"],
    "tension_basins": ["rome_code", "region_code", "year"],
    "tension_regions": ["metier_code", "region_code", "year"],
}
PATTERNS = {
    "idcc_code": r"\d{5}",
    "successor_idcc_code": r"(\d{5})?",
    "final_idcc_code": r"(\d{5})?",
    "naf_code": r"\d{4}[A-Z]",
    "rome_code": r"[A-Z]\d{4}",
    "region_code": r"\d{2}",
    "cris_code": r"[A-Z]\d{2}",
    "tree_code": r"\d[A-Z]\d{3}",
    "industry_group_code": r"[A-Z]",
    "sector_code": r"[A-Z]{2}",
    "pcs_code": r"\d{3}[a-z]",
    "qualification_code": r"\d",
}


# --- reading ----------------------------------------------------------------------------------


def test_codes_and_labels_are_text_and_never_missing() -> None:
    for table in embedded.tables():
        frame = embedded.load(table)
        codes = [column for column in frame if column.endswith(("_code", "_codes"))]
        assert (frame[codes].dtypes == "str").all(), table
        assert not frame.select_dtypes("str").isna().any(axis=None), table


def test_numbers_are_numbers_and_blanks_missing() -> None:
    intentions = embedded.load("recruitment_intentions")
    assert intentions["projects_count"].dtype == "Int64"
    secret = intentions["status"] == "secret"
    assert intentions.loc[secret, "projects_count"].isna().all()
    assert embedded.load("tension")["tension_index"].dtype == "float64"


def test_no_column_of_numbers_is_read_as_text() -> None:
    numeric_text = {"idcc_2019_codes", "idcc_2026_codes", "rome_version"}
    for table in embedded.tables():
        frame = embedded.load(table).select_dtypes("str")
        columns = [column for column in frame if not column.endswith("_code")]
        for column in set(columns) - numeric_text:
            values = frame.loc[frame[column] != "", column]
            assert values.empty or not values.str.fullmatch(r"-?\d+(\.\d+)?").all(), (table, column)


def test_codes_that_look_like_numbers_survive() -> None:
    assert embedded.load("idcc_history")["idcc_code"].iloc[0] == "00002"
    assert embedded.load("regions")["region_code"].iloc[0] == "01"
    assert "1E301" in set(embedded.load("macro_skills")["tree_code"])


def test_a_loaded_table_is_a_copy() -> None:
    mine = embedded.load("branches")
    mine.loc[0, "branch_code"] = "changed"
    assert "changed" not in set(embedded.load("branches")["branch_code"])


def test_unknown_table_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(SchemaError, match="did you mean `idcc_history`"):
        embedded.load("idcc_histori")


# --- the folder -------------------------------------------------------------------------------


def test_all_tables_fit_in_six_megabytes() -> None:
    sizes = {file.stem: file.stat().st_size for file in embedded.FOLDER.iterdir()}
    assert sum(sizes.values()) <= 6_000_000
    rome = ("rome_facts", "rome_items", "rome_item_labels", "rome_moves")
    assert sum(sizes[name] for name in rome) <= 500_000


def test_files_are_utf8_with_unix_line_ends() -> None:
    for table in embedded.tables():
        content = embedded.path(table).read_bytes()
        assert b"\r" not in content
        assert content.endswith(b"\n")
        assert not content.startswith(b"\xef\xbb\xbf")
        content.decode("utf-8")


def test_every_table_has_one_source_and_every_source_a_table() -> None:
    described = embedded.load("sources")["table"].tolist()
    assert sorted(described) == [name for name in embedded.tables() if name != "sources"]


def test_every_source_tells_producer_title_licence_and_where_to_get_it() -> None:
    sources = embedded.load("sources")
    for column in ("producer", "title", "licence", "current_version", "note"):
        assert (sources[column] != "").all(), column
    dates = sources.loc[sources["data_date"] != "", "data_date"]
    assert (pd.to_datetime(dates, format="%Y-%m-%d") > "2013-12-31").all()


def test_published_texts_of_the_sources_follow_french_typography() -> None:
    sources = embedded.load("sources")
    published = " ".join(
        " ".join(sources[column]) for column in sources.columns if column != "table"
    )
    for wrong in ("'", " :", " ;", "« ", " »", " %"):
        assert wrong not in published, wrong


@pytest.mark.parametrize("table", embedded.tables())
def test_keys_are_unique(table: str) -> None:
    assert not embedded.load(table).duplicated(KEYS[table]).any()


def test_codes_have_the_shape_of_their_nomenclature() -> None:
    for table in embedded.tables():
        frame = embedded.load(table)
        for column in frame.columns.intersection(list(PATTERNS)):
            assert frame[column].str.fullmatch(PATTERNS[column]).all(), (table, column)


def test_every_code_is_known_to_its_table() -> None:
    names = embedded.tables()
    assert list(unknown_codes(embedded.load, names, names)) == []


# --- identities within the data ---------------------------------------------------------------


def test_families_add_up_their_metiers() -> None:
    national = embedded.load("employment_national").query("year >= 2004 and metier_code != 'ENS'")
    detailed = national["metier_code"].str.len() == 5
    members = national[detailed].groupby([national["metier_code"].str[:3], "year"])
    sums, sizes = members["employment_headcount"].sum(), members.size()
    families = national[~detailed].set_index(["metier_code", "year"])["employment_headcount"]
    assert set(sums.index) == set(families.index)
    rounding = 0.005 * (sizes + 1) + 1e-6
    assert ((sums - families[sums.index]).abs() <= rounding).all()


def ages_less_employment(table: str) -> pd.Series:
    """Heads by métier and middle year of the period, sum of the ages less published employment."""
    ages = embedded.load(table)
    middle = (ages["period"].str[:4].astype("int64") + 1).rename("year")
    sums = ages.groupby([ages["metier_code"], middle])["employment_headcount"].sum()
    national = embedded.load("employment_national").set_index(["metier_code", "year"])
    return sums - national["employment_headcount"].reindex(sums.index)


def test_ages_add_up_to_employment_of_the_middle_year() -> None:
    gaps = ages_less_employment("age_structure")
    assert len(gaps) == 227 * 15
    assert gaps.abs().max() < 0.06


def test_ages_of_families_add_up_but_for_two_years_of_the_total_in_the_source() -> None:
    gaps = ages_less_employment("age_structure_fap87").dropna()
    assert len(gaps) == 87 * 36 + 2 * 24
    large = gaps[gaps.abs() > 0.06].round().to_dict()
    assert large == {("ENS", 1993): 464_054, ("ENS", 1994): 467_516}


def test_age_shares_are_those_of_the_headcounts() -> None:
    ages = embedded.load("age_structure")
    totals = ages.groupby(["metier_code", "period"])["employment_headcount"].transform("sum")
    np.testing.assert_allclose(ages["share"], ages["employment_headcount"] / totals, atol=2e-6)


@pytest.mark.parametrize(
    ("year", "projects", "secret_cells", "cells"),
    [
        (2023, 432_371, 3_289, 13_280),
        (2024, 401_874, 4_196, 15_071),
        (2025, 337_148, 4_271, 13_806),
    ],
)
def test_recruitment_totals_are_those_given_with_the_data(
    year: int, projects: int, secret_cells: int, cells: int
) -> None:
    rows = embedded.load("recruitment_intentions").query(f"year == {year}")
    assert rows["projects_count"].sum() == projects
    assert rows["projects_secret_cells_count"].sum() == secret_cells
    assert rows["cells_count"].sum() == cells


def test_status_of_recruitment_intentions_follows_from_the_secret_cells() -> None:
    rows = embedded.load("recruitment_intentions")
    counts = rows["status"].value_counts().to_dict()
    assert counts == {"lower_bound": 2_338, "exact": 483, "secret": 213}
    exact = rows["projects_secret_cells_count"] == 0
    assert (exact == (rows["status"] == "exact")).all()
    all_secret = rows["projects_secret_cells_count"] == rows["cells_count"]
    assert (all_secret == (rows["status"] == "secret")).all()


def test_parts_never_exceed_all_recruitment_projects() -> None:
    rows = embedded.load("recruitment_intentions")
    for part in ("hard_to_fill_count", "seasonal_count"):
        both = rows.dropna(subset=[part, "projects_count"])
        assert (both[part] <= both["projects_count"]).all()


def test_headcount_of_metallurgy_is_the_sum_given_with_the_data() -> None:
    rows = embedded.load("branch_headcount").query("branch_code == 'metallurgie'")
    assert len(rows) == 66
    assert rows["employees_headcount"].sum() == 1_553_500
    assert rows["firms_main_idcc_count"].sum() == 41_620


def test_size_classes_add_up_to_all_firms() -> None:
    headcount, sizes = embedded.load("branch_headcount"), list(dares_branches.SIZES.values())
    np.testing.assert_allclose(headcount[sizes].sum(axis=1), 100, atol=0.001)
    under_50 = headcount[sizes[:3]].sum(axis=1)
    np.testing.assert_allclose(under_50, headcount["share_firms_under_50_pct"], atol=0.001)


def test_portraits_of_the_branch_table_are_those_of_the_headcounts() -> None:
    branches = embedded.load("branches").set_index("branch_code")["portrait_2020"]
    with_headcount = set(embedded.load("branch_headcount")["branch_code"])
    assert set(branches[branches != "no"].index) == with_headcount


def test_final_convention_is_the_end_of_the_chain() -> None:
    history = embedded.load("idcc_history")
    successor = history.set_index("idcc_code")["successor_idcc_code"].to_dict()
    for code, final in zip(history["idcc_code"], history["final_idcc_code"], strict=True):
        current = code
        while successor[current]:
            current = successor[current]
        assert current == (final or code)


def test_hires_add_up_to_the_total_of_the_producer() -> None:
    hires = embedded.load("rome_naf_hires")
    assert hires["hires_count"].sum() == 3_791_644
    assert (hires["naf_code"].nunique(), hires["rome_code"].nunique()) == (692, 517)


def test_parent_of_a_metier_is_its_family() -> None:
    metiers = embedded.load("metiers")
    detailed = metiers["level"].isin(["fap225", "fap228"])
    assert (
        metiers.loc[detailed, "parent_code"] == metiers.loc[detailed, "metier_code"].str[:3]
    ).all()
    assert (metiers.loc[~detailed, "parent_code"] == "").all()


def test_factors_of_tension_exist_in_2019_only() -> None:
    tension = embedded.load("tension")
    has_class = tension["tension_class"].notna()
    assert set(tension.loc[has_class, "year"]) == {2019}
    assert tension.loc[has_class, "tension_class"].between(1, 5).all()


def test_counts_of_skills_are_those_given_with_the_data() -> None:
    links = embedded.load("metier_skills")
    counts = links["importance"].value_counts().to_dict()
    assert counts == {"autre": 5_561, "principale": 1_749, "émergente": 67}
    assert links["skill_code"].nunique() == 3_480
    assert embedded.load("emerging_skills")["rome_code"].nunique() == 245


def test_the_whole_economy_is_there_at_both_levels() -> None:
    national = embedded.load("employment_national")
    last = national[national["year"] == national["year"].max()]
    sizes = last["metier_code"].str.len().value_counts()
    assert (sizes[5], sizes[3]) == (226, 88 + 1)  # 87 families, those without a code, and ENS
    assert not last["metier_code"].str.startswith("T2Z").any()
    whole = last.set_index("metier_code")["employment_headcount"]
    detailed = whole[whole.index.str.len() == 5]
    assert detailed.sum() == pytest.approx(whole["ENS"], abs=0.2)
    tension = embedded.load("tension").drop_duplicates("metier_code")
    assert (tension["metier_code"].str.len() == 5).sum() == 186


def test_employees_without_apprentices_are_fewer_than_people_at_work() -> None:
    employees = embedded.load("employees_national").set_index("metier_code")["employees_headcount"]
    assert employees["ENS"] == 22_916_930.55
    assert employees[employees.index.str.len() == 1].sum() == pytest.approx(22_916_930.55, abs=0.2)
    working = embedded.load("employment_national").query("year == year.max()")
    both = (
        working.set_index("metier_code")["employment_headcount"]
        .to_frame()
        .join(employees, how="inner")
    )
    assert (both["employees_headcount"] <= both["employment_headcount"] + 0.02).all()


def test_a_zero_that_its_family_contradicts_is_not_published() -> None:
    employees = embedded.load("employees_national").set_index("metier_code")["employees_headcount"]
    everywhere = embedded.load("employment_national").query("year == year.max()")["metier_code"]
    absent = " ".join(sorted(set(everywhere) - set(employees.index)))
    assert absent == (
        "A2Z90 A3Z00 A3Z90 L6Z L6Z00 L6Z90 M2Z91 P1Z80 P2Z91 P2Z92 P4Z61 "
        "U1Z93 V2Z91 V2Z92 V3Z90 V4Z80 W0Z91 X0Z00 X0Z01"
    )
    assert set(employees.index[employees == 0]) >= {"A0Z00", "F3Z40", "S3Z00"}


def test_main_sectors_of_a_metier_are_three_at_most_and_never_above_its_employment() -> None:
    sectors = embedded.load("metier_sectors")
    lengths = sectors["metier_code"].str.len()
    is_all = sectors["metier_code"] == "ENS"
    assert (lengths == 5).sum() == 562
    assert ((lengths == 3) & ~is_all).sum() == 234
    assert sectors.loc[is_all, "employment_headcount"].sum() == pytest.approx(7_677_058.39)
    assert sectors.groupby("metier_code").size().max() == 3
    assert (sectors["sector_code"] == "ZZ").sum() == 11
    listed = sectors.groupby("metier_code")["employment_headcount"].sum()
    national = embedded.load("employment_national").query("year == year.max()")
    whole = national.set_index("metier_code")["employment_headcount"]
    detailed = listed[listed.index.str.len() > 1]
    assert (detailed <= whole[detailed.index] + 0.1).all()


def test_an_official_imbalance_is_what_its_parts_say() -> None:
    rows = embedded.load("official_projections")
    posts = rows["net_creation_headcount"] + rows["departures_headcount"]
    left = posts - rows["young_beginners_headcount"] + rows["region_moves_headcount"]
    np.testing.assert_allclose(left, rows["imbalance_headcount"], atol=1e-5)
    assert rows["region_moves_headcount"].sum() == pytest.approx(0, abs=1e-3)
    assert rows["employment_headcount"].sum() == pytest.approx(26_146_984.42, abs=0.01)
    grouped = rows[rows["metier_code"].str.contains(";")]
    assert (len(grouped), set(grouped["region_code"])) == (15, {"94"})


def test_the_tree_of_fap_2021_has_four_levels_that_hold_one_another() -> None:
    tree = embedded.load("metiers_2021")
    sizes = tree["level"].value_counts().to_dict()
    assert sizes == {"fap341": 341, "fap228": 228, "fap86": 86, "fap22": 22}
    above = {"fap341": "fap228", "fap228": "fap86", "fap86": "fap22"}
    for level, wider in above.items():
        parents = set(tree.loc[tree["level"] == level, "parent_code"])
        assert parents == set(tree.loc[tree["level"] == wider, "metier_2021_code"])
    tension = embedded.load("tension_2021")
    families = set(tree.loc[tree["level"] == "fap228", "metier_2021_code"])
    assert len(tension) == 58
    assert set(tension["metier_2021_code"]) <= families
    romes = embedded.load("rome_fap2021")
    assert romes.groupby("rome_code").size().eq(10).all()
    assert romes["rome_code"].nunique() == 532
    detailed = set(tree.loc[tree["level"] == "fap341", "metier_2021_code"])
    assert set(romes["metier_2021_code"]) <= detailed
