"""The embedded tables against themselves, and against the files they were transcribed from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from embedded_tables import as_csv, loaded, loaders

from opmq_lib.errors import SchemaError
from opmq_lib.sources import dares_branches, embedded

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
LABOUR, SKILLS = SHARED / "labour" / "extract", SHARED / "skills" / "extract"
beside_the_extracts = pytest.mark.skipif(
    not LABOUR.is_dir(), reason="the producers' files are not beside this checkout"
)

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
REFERENCES = [
    ("age_structure", "metier_code", "metiers", "metier_code"),
    ("age_structure_fap87", "metier_code", "metiers", "metier_code"),
    ("appellations", "rome_code", "romes", "rome_code"),
    ("branch_headcount", "branch_code", "branches", "branch_code"),
    ("branch_headcount", "idcc_code", "idcc_history", "idcc_code"),
    ("certification_metiers", "certifinfo_code", "certifications", "certifinfo_code"),
    ("emerging_skills", "rome_code", "romes", "rome_code"),
    ("emerging_skills", "skill_code", "skills", "skill_code"),
    ("employees_national", "metier_code", "metiers", "metier_code"),
    ("employment_national", "metier_code", "metiers", "metier_code"),
    ("exit_rates", "metier_code", "metiers", "metier_code"),
    ("exit_reasons", "metier_code", "metiers", "metier_code"),
    ("fap_rome", "metier_code", "metiers", "metier_code"),
    ("fap_rome", "rome_code", "romes", "rome_code"),
    ("idcc_history", "branch_code", "branches", "branch_code"),
    ("idcc_history", "successor_idcc_code", "idcc_history", "idcc_code"),
    ("metier_skills", "rome_code", "romes", "rome_code"),
    ("metier_skills", "skill_code", "skills", "skill_code"),
    ("metier_pcs", "metier_code", "metiers", "metier_code"),
    ("metier_sectors", "metier_code", "metiers", "metier_code"),
    ("metiers", "parent_code", "metiers", "metier_code"),
    ("metiers_2021", "parent_code", "metiers_2021", "metier_2021_code"),
    ("official_projections", "region_code", "regions", "region_code"),
    ("recruitment_intentions", "metier_code", "metiers", "metier_code"),
    ("recruitment_intentions", "region_code", "regions", "region_code"),
    ("rome_fap2021", "metier_2021_code", "metiers_2021", "metier_2021_code"),
    ("rome_naf_hires", "naf_code", "naf", "naf_code"),
    ("rome_naf_hires", "rome_code", "fap_rome", "rome_code"),
    ("rome_facts", "rome_code", "romes", "rome_code"),
    ("rome_items", "rome_code", "rome_facts", "rome_code"),
    ("rome_items", "item_code", "rome_item_labels", "item_code"),
    ("rome_moves", "rome_code", "rome_facts", "rome_code"),
    ("rome_moves", "target_rome_code", "rome_facts", "rome_code"),
    ("skills", "macro_skill_code", "macro_skills", "macro_skill_code"),
    ("rome_transitions", "parent_rome_code", "fap_rome", "rome_code"),
    ("tension", "metier_code", "metiers", "metier_code"),
    ("tension_2021", "metier_2021_code", "metiers_2021", "metier_2021_code"),
    ("tension_basins", "region_code", "regions", "region_code"),
    ("tension_basins", "rome_code", "fap_rome", "rome_code"),
    ("tension_regions", "metier_code", "tension", "metier_code"),
    ("tension_regions", "region_code", "regions", "region_code"),
]
TENSIONS = SHARED / "labour" / "dares-portraits-metiers" / "inputs" / "tensions" / "tensions.csv"


def text(path: Path, **options: str) -> pd.DataFrame:
    """Every cell as the text of the file: leading zeros, decimals and blanks as written."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, **options)


def raw(table: str) -> pd.DataFrame:
    return text(embedded.path(table))


def raw_text(table: str) -> str:
    return embedded.path(table).read_text(encoding="utf-8")


def assert_same_cells(table: str, source: pd.DataFrame) -> None:
    """Compare text with text, whatever the order of rows; all columns of `source` must agree."""
    key = [column for column in KEYS[table] if column in source]
    found = raw(table)[source.columns].sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(found, source.sort_values(key, ignore_index=True))


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


@pytest.mark.parametrize(("table", "column", "target", "target_column"), REFERENCES)
def test_every_code_is_known_to_its_table(
    table: str, column: str, target: str, target_column: str
) -> None:
    codes = set(embedded.load(table)[column]) - {""}
    assert codes <= set(embedded.load(target)[target_column])


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


# --- against the files of the producers -------------------------------------------------------


@beside_the_extracts
def test_tables_are_what_their_loaders_give() -> None:
    for table, frame in loaded().items():
        assert raw_text(table) == as_csv(frame), table


@beside_the_extracts
def test_loaders_account_for_every_row_they_read() -> None:
    reads = {name: record for each in loaders() for name, record in each.provenance.items()}
    assert set(reads) <= set(embedded.tables())
    for name, read in reads.items():
        assert read.rows_read == read.rows_kept + sum(read.dropped.values()), name
        assert len(read.sha256) == 64
    kept = {name: len(table) for each in loaders() for name, table in each.tables.items()}
    assert kept == {name: read.rows_kept for name, read in reads.items()}


@beside_the_extracts
def test_employment_and_ages_are_those_of_the_first_extracts() -> None:
    """A second reading of the producers' files, made apart: every cell of it is in our tables."""
    for table, file in {
        "employment_national": "metier_employment.csv",
        "age_structure": "metier_age.csv",
        "age_structure_fap87": "metier_age_fap87.csv",
    }.items():
        source = text(LABOUR / file).rename(columns={"fap_code": "metier_code"})
        ours = raw(table).merge(source, on=KEYS[table], validate="one_to_one")
        assert len(ours) == len(source)
        thousands = ours["employment_headcount"].astype(float) / 1000
        np.testing.assert_allclose(
            thousands, ours["employment_thousands"].astype(float), rtol=1e-14, atol=0
        )


@beside_the_extracts
def test_regional_tension_is_that_of_the_producer() -> None:
    source = text(TENSIONS).rename(columns=str.strip)
    source = source[source["niveau_geo"].str.strip() == "reg"]
    source = source.assign(region_code=source["reg"].map(lambda code: f"{float(code):02.0f}"))
    source = source.set_index(["fap", "region_code"])
    ours = embedded.load("tension_regions").set_index(["metier_code", "region_code"])
    theirs = source.loc[ours.index]
    assert len(ours) == 952
    assert np.allclose(ours["tension_index"], theirs["Tension"].astype(float), atol=5e-7)
    classes = pd.to_numeric(theirs["Catégorie Tension"]).to_numpy()
    shown = ours["tension_class"].astype("Float64").to_numpy(float, na_value=np.nan)
    assert np.array_equal(shown, classes, equal_nan=True)


@beside_the_extracts
def test_basins_are_counted_from_the_producers_file() -> None:
    source = text(SHARED / "labour/mobiville-tension/2021/cities-tension-utf8.csv", sep=";")
    source["region_code"] = source["cbassin"].str[:2]
    source["high"] = source["ind_tension_d"].isin(["4", "5"])
    counted = source.groupby(["ROME", "region_code"]).agg(
        basins=("cbassin", "nunique"), high=("high", "sum")
    )
    ours = embedded.load("tension_basins").set_index(["rome_code", "region_code"])
    theirs = counted.loc[ours.index]
    assert (ours["basins_count"].to_numpy() == theirs["basins"].to_numpy()).all()
    assert (ours["high_tension_basins_count"].to_numpy() == theirs["high"].to_numpy()).all()


@beside_the_extracts
def test_transitions_are_those_of_the_rome() -> None:
    source = text(SHARED / "skills/rome_v460/unix_referentiel_code_rome_v460_utf8.csv")
    source = source.set_index("code_rome")
    ours = embedded.load("rome_transitions").set_index("rome_code")
    theirs = source.loc[ours.index]
    assert ours["parent_rome_code"].tolist() == theirs["code_rome_parent"].tolist()
    words = {"green": "Vert", "white": "Blanc", "brown": "Brun", "strategic": "stratégique"}
    for said, whole in zip(ours["ecological_transition"], theirs["transition_eco"], strict=True):
        assert words[said] in whole
    digital = theirs["transition_num"].map({"O": "yes", "N": "no", "": ""})
    assert ours["digital_transition"].tolist() == digital.tolist()


@beside_the_extracts
def test_recruitment_intentions_are_those_of_the_producer_with_their_secrecy_marks() -> None:
    names = {
        "cells": "cells_count",
        "met": "projects_count",
        "met_secret_cells": "projects_secret_cells_count",
        "xmet": "hard_to_fill_count",
        "xmet_secret_cells": "hard_to_fill_secret_cells_count",
        "smet": "seasonal_count",
        "smet_secret_cells": "seasonal_secret_cells_count",
        "met_status": "status",
    }
    source = text(LABOUR / "bmo.csv").drop(columns="scope").rename(columns=names)
    assert_same_cells("recruitment_intentions", source)


@beside_the_extracts
def test_branches_and_history_are_those_of_the_extract() -> None:
    branches = text(LABOUR / "opco2i_branches.csv").rename(
        columns={
            "branch": "branch_code",
            "idcc_2019": "idcc_2019_codes",
            "idcc_2026": "idcc_2026_codes",
        }
    )
    assert_same_cells(
        "branches", branches.drop(columns=["portrait_conventions", "idcc_without_portrait"])
    )
    history = text(LABOUR / "idcc_history.csv").drop(columns="steps")
    history["active"] = history["active"].map({"1": "yes", "0": "no"})
    names = {
        "idcc": "idcc_code",
        "cris": "cris_code",
        "successor_idcc": "successor_idcc_code",
        "final_idcc": "final_idcc_code",
        "branch": "branch_code",
    }
    assert_same_cells("idcc_history", history.rename(columns=names))


@beside_the_extracts
def test_headcounts_are_those_of_the_extract() -> None:
    source = text(LABOUR / "branch_headcount.csv").set_index("idcc").sort_index()
    ours = raw("branch_headcount").set_index("idcc_code")
    assert list(ours.index) == list(source.index)
    assert ours["employees_headcount"].tolist() == source["employees"].tolist()
    for who in ("all", "women", "men", "managers", "intermediate", "clerks", "workers"):
        assert ours[f"wage_{who}_eur_per_month"].tolist() == source[f"wage_{who}"].tolist()


@beside_the_extracts
def test_metiers_have_the_labels_of_the_extract() -> None:
    metiers = raw("metiers").set_index(["nomenclature", "metier_code"])
    sources = [
        text(LABOUR / "bmo_labels.csv"),
        text(LABOUR / "metier_employment.csv").assign(nomenclature="FAP-2009"),
        text(LABOUR / "metier_employment_fap225.csv").assign(nomenclature="FAP-2009"),
        text(LABOUR / "fap_rome.csv").rename(columns={"fap_label": "label"}),
    ]
    for source in sources:
        named = source.rename(columns={"fap_code": "metier_code"})
        named = named.drop_duplicates(["nomenclature", "metier_code"])
        keyed = named.set_index(["nomenclature", "metier_code"])[["label", "scope"]]
        found = metiers.loc[keyed.index, ["label", "scope"]]
        pd.testing.assert_frame_equal(found, keyed)


@beside_the_extracts
def test_hires_labels_and_links_are_those_of_the_producer() -> None:
    folder = SHARED / "labour" / "labonneboite-rome-naf"
    hires = text(folder / "rome_naf_mapping.raw.csv").rename(
        columns={"rome_id": "rome_code", "naf_id": "naf_code", "hirings": "hires_count"}
    )
    assert_same_cells("rome_naf_hires", hires[["rome_code", "naf_code", "hires_count"]])
    labels = raw("naf").set_index("naf_code")["label"]
    naf = hires.drop_duplicates("naf_code").set_index("naf_code")["naf_label"]
    assert (labels[naf.index] == naf).all()
    assert set(labels.index) == set(text(folder / "naf_labels.csv", sep="|")["naf_id"])


@beside_the_extracts
def test_skills_are_those_of_the_extract() -> None:
    links = text(SKILLS / "metier_skill.csv")
    assert_same_cells("metier_skills", links[["rome_code", "skill_code", "importance"]])
    emerging = text(SKILLS / "emerging_skills.csv")
    assert_same_cells("emerging_skills", emerging[["rome_code", "skill_code"]])
    titles = text(SKILLS / "metier_appellation.csv")
    assert_same_cells("appellations", titles.rename(columns={"appellation_label": "label"}))
    skills = raw("skills").set_index("skill_code")
    for source in (links, emerging):
        known = source.drop_duplicates("skill_code").set_index("skill_code")
        assert (skills.loc[known.index, "label"] == known["skill_label"]).all()
        assert (skills.loc[known.index, "type"] == known["skill_type"]).all()
    known = links.drop_duplicates("skill_code").set_index("skill_code")
    assert (skills.loc[known.index, "macro_skill_code"] == known["macro_skill_code"]).all()
    macros = text(SKILLS / "macro_skill.csv").set_index("macro_skill_code")
    found = raw("macro_skills").set_index("macro_skill_code").loc[macros.index]
    assert (found["label"] == macros["macro_skill_label"]).all()
    assert (found["tree_code"] == macros["tree_code"]).all()


def test_certifications_aim_at_fiches_of_the_rome_or_at_its_domains() -> None:
    romes = embedded.load("romes")
    fiches = romes.loc[romes["rome_version"] == "4.0", "rome_code"]
    aimed = embedded.load("certification_metiers")["rome_code"]
    assert aimed[~aimed.isin(fiches)].str.fullmatch("[A-Z][0-9]{2}00").all()


@beside_the_extracts
def test_certifications_are_those_of_the_extract() -> None:
    source = text(SKILLS / "certification.csv")
    assert (source[["rs_code", "first_session_year"]] == "").all(axis=None)  # hence left out
    names = {"formacode": "forma_code", "updated": "updated_on", "level": "framework_level"}
    kept = source.drop(columns=["rs_code", "first_session_year"]).rename(columns=names)
    assert_same_cells("certifications", kept)
    links = text(SKILLS / "certification_metier.csv")
    assert_same_cells("certification_metiers", links[["certifinfo_code", "rank", "rome_code"]])


@beside_the_extracts
def test_regions_have_the_names_of_the_survey() -> None:
    workbook = SHARED / "labour/france-travail-bmo/2025/Base_open_data_BMO_2025.xlsx"
    if not workbook.is_file():
        pytest.skip("the survey's workbook is not beside this checkout")
    rows = pd.read_excel(
        workbook, sheet_name="BMO_2025_open_data", usecols=["REG", "NOM_REG"], dtype=str
    )
    names = {code: " ".join(name.split()) for code, name in rows.itertuples(index=False)}
    assert raw("regions").set_index("region_code")["label"].to_dict() == names


@beside_the_extracts
def test_exits_are_those_of_the_producer_for_the_families_of_the_study() -> None:
    folder = SHARED / "labour" / "dares-portraits-metiers" / "inputs"
    studied = embedded.load("metiers").query("scope in ('industry', 'transverse')")
    families = set(studied["metier_code"])
    latin = {"sep": ";", "encoding": "cp1252"}
    rates = text(folder / "evol_mmo.csv", **latin)
    rates = rates[(rates["Type_mmo"] == "Taux de sortie") & rates["Fap3"].isin(families)]
    names = {"Fap3": "metier_code", "Annee": "year", "Taux": "exit_rate_pct"}
    assert_same_cells("exit_rates", rates.rename(columns=names)[list(names.values())])
    reasons = text(folder / "types_sorties.csv", **latin)
    reasons = reasons[reasons["Fap3"].isin(families)].map(str.strip)
    names = {"Fap3": "metier_code", "type_sortie": "exit_reason", "Pourcentage": "exit_share_pct"}
    assert_same_cells("exit_reasons", reasons.rename(columns=names)[list(names.values())])


def test_the_reasons_of_exits_make_a_hundred() -> None:
    sums = embedded.load("exit_reasons").groupby("metier_code")["exit_share_pct"].sum()
    assert sums.between(99.97, 100.03).all()
    assert len(sums) == 26
