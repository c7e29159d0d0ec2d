import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chains import studied

from opmq_lib.errors import CoherenceError, RangeError
from opmq_lib.methods import employment
from opmq_lib.methods.employment import SeedTables
from opmq_lib.methods.employment.seed import SMOOTHING_HIRES, build_seed
from opmq_lib.sources import embedded

ROOT = Path(__file__).parent.parent
CELL = ["branch_code", "metier_code"]
HEADS = "employment_headcount"
VARIANTS = [
    "reference",
    "seed_half",
    "seed_amplified",
    "independence",
    "naf_first",
    "split_equal",
]
BOUNDS = [f"{HEADS}_lower", f"{HEADS}_upper"]
NATIONAL = studied("employment_national")
HEADCOUNT = embedded.load("branch_headcount")


def convention_table(name: str) -> pd.DataFrame:
    text = dict.fromkeys(("naf_code", "rome_code", "metier_code", "branch_code"), str)
    return pd.read_csv(ROOT / "parameters" / "tables" / f"{name}.csv", dtype=text)


TABLES = SeedTables(
    embedded.load("rome_naf_hires"),
    convention_table("naf_branch"),
    embedded.load("fap_rome"),
    convention_table("rome_fap_split"),
)


@pytest.fixture(scope="module")
def estimate() -> pd.DataFrame:
    return employment.estimate_employment(TABLES, NATIONAL, HEADCOUNT)


@pytest.fixture(scope="module")
def variants() -> pd.DataFrame:
    return employment.sensitivity(TABLES, NATIONAL, HEADCOUNT)


def small_tables() -> SeedTables:
    """Two activities in the field, one of them shared; three ROME, one of them shared."""
    hires = [
        ("R0001", "1111Z", 40),
        ("R0002", "1111Z", 10),
        ("R0002", "2222Z", 30),
        ("R0003", "2222Z", 20),
        ("R0003", "9999Z", 100),
        ("R0001", "9999Z", 50),
    ]
    shares = [("1111Z", "bois", 1.0), ("2222Z", "verre", 0.5), ("2222Z", "bois", 0.5)]
    links = [("M0Z10", "R0001"), ("M0Z10", "R0002"), ("M0Z20", "R0002"), ("X0Z99", "R0003")]
    split = [("R0002", "M0Z10", 0.75), ("R0002", "M0Z20", 0.25)]
    return SeedTables(
        pd.DataFrame(hires, columns=["rome_code", "naf_code", "hires_count"]),
        pd.DataFrame(shares, columns=["naf_code", "branch_code", "share"]),
        pd.DataFrame(links, columns=["metier_code", "rome_code"]),
        pd.DataFrame(split, columns=["rome_code", "metier_code", "share"]),
    )


def small_national() -> pd.DataFrame:
    rows = [
        ("M0Z10", 2017, 90.0),
        ("M0Z10", 2018, 100.0),
        ("M0Z20", 2017, 60.0),
        ("M0Z20", 2018, 50.0),
        ("ENS", 2017, 900.0),
        ("ENS", 2018, 1000.0),
    ]
    return pd.DataFrame(rows, columns=["metier_code", "year", HEADS])


def small_headcount() -> pd.DataFrame:
    rows = {"branch_code": ["bois", "bois", "verre"], "employees_headcount": [50.0, 30.0, 40.0]}
    return pd.DataFrame(rows)


# --- the seed ---------------------------------------------------------------------------------


def test_seed_carries_every_hire_to_one_cell_and_adds_only_the_smoothing() -> None:
    seed = build_seed(small_tables(), ["M0Z10", "M0Z20"], ["bois", "verre"])
    smoothed_cells = 2 * 2  # two activities in the field, two métiers that occur in them
    expected = 250 + smoothed_cells * SMOOTHING_HIRES
    assert seed.to_numpy().sum() == pytest.approx(expected)


def test_seed_cells_are_hires_times_both_shares_plus_smoothing() -> None:
    seed = build_seed(small_tables(), ["M0Z10", "M0Z20"], ["bois", "verre"])
    assert seed.at["M0Z10", "bois"] == pytest.approx(40 + 7.5 + 22.5 / 2 + 0.5 + 0.5 / 2)
    assert seed.at["M0Z20", "verre"] == pytest.approx(7.5 / 2 + 0.5 / 2)
    assert seed.at["M0Z10", "hors_champ"] == 50
    assert seed.at["autres_metiers", "hors_champ"] == 100
    assert seed.at["autres_metiers", "verre"] == 10


def test_hires_of_a_branch_without_headcount_go_outside_the_field() -> None:
    seed = build_seed(small_tables(), ["M0Z10", "M0Z20"], ["bois"])
    assert list(seed.columns) == ["bois", "hors_champ"]
    assert seed.at["M0Z20", "hors_champ"] == pytest.approx(7.5 / 2 + 0.5 / 2)


def test_a_metier_absent_from_industry_is_not_smoothed() -> None:
    tables = small_tables()
    tables = tables._replace(rome_naf_hires=tables.rome_naf_hires.query("rome_code != 'R0002'"))
    seed = build_seed(tables, ["M0Z10", "M0Z20"], ["bois", "verre"])
    assert seed.loc["M0Z20"].sum() == 0


def test_shares_that_do_not_add_up_are_all_listed() -> None:
    tables = small_tables()
    broken = tables._replace(
        naf_branch=tables.naf_branch.assign(share=[0.9, 0.5, 0.5]),
        rome_fap_split=tables.rome_fap_split.assign(share=[0.75, 0.75]),
    )
    with pytest.raises(CoherenceError) as caught:
        build_seed(broken, ["M0Z10"], ["bois"])
    found = [(defect.where, defect.value) for defect in caught.value.defects]
    assert found == [("naf_branch, 1111Z", "0.9"), ("rome_fap_split, R0002", "1.5")]


def test_a_shared_rome_without_split_is_refused() -> None:
    tables = small_tables()
    with pytest.raises(CoherenceError, match="rome_fap_split, R0002"):
        build_seed(
            tables._replace(rome_fap_split=tables.rome_fap_split.head(0)), ["M0Z10"], ["bois"]
        )


def test_hires_of_a_rome_without_metier_are_refused() -> None:
    tables = small_tables()
    links = tables.fap_rome.query("rome_code != 'R0003'")
    with pytest.raises(CoherenceError, match="rome R0003: hires but no métier"):
        build_seed(tables._replace(fap_rome=links), ["M0Z10"], ["bois"])


# --- the estimate on a small case -------------------------------------------------------------


def test_a_metier_without_hires_but_with_employment_is_refused_by_name() -> None:
    tables = small_tables()
    hires = tables.rome_naf_hires.query("rome_code != 'R0002'")
    with pytest.raises(CoherenceError, match="row M0Z20"):
        employment.estimate_employment(
            tables._replace(rome_naf_hires=hires), small_national(), small_headcount()
        )


def test_a_branch_without_activity_but_with_headcount_is_refused_by_name() -> None:
    unknown = pd.DataFrame({"branch_code": ["acier"], "employees_headcount": [10.0]})
    with pytest.raises(CoherenceError, match="column acier"):
        employment.estimate_employment(
            small_tables(), small_national(), pd.concat([small_headcount(), unknown])
        )


def test_a_base_year_that_is_not_published_is_refused_with_the_years_that_are() -> None:
    with pytest.raises(RangeError, match="from 2017 to 2018"):
        employment.estimate_employment(
            small_tables(), small_national(), small_headcount(), base_year=2021
        )


def test_branches_larger_than_all_occupations_are_refused() -> None:
    huge = small_headcount().assign(employees_headcount=[900.0, 80.0, 40.0])
    with pytest.raises(RangeError, match="column totals, hors_champ"):
        employment.estimate_employment(small_tables(), small_national(), huge)


def test_other_years_follow_the_national_series_of_the_metier() -> None:
    small = employment.estimate_employment(small_tables(), small_national(), small_headcount())
    wide = small.pivot(index=CELL, columns="year", values=HEADS)
    growth = (wide[2017] / wide[2018]).groupby("metier_code").agg(["min", "max"])
    expected = {"M0Z10": 0.9, "M0Z20": 1.2, "autres_metiers": 750 / 850}
    for metier, ratio in expected.items():
        assert growth.loc[metier].tolist() == pytest.approx([ratio, ratio])


# --- the estimate on the embedded data --------------------------------------------------------


def test_margins_are_reproduced_to_one_millionth(estimate: pd.DataFrame) -> None:
    base = estimate[estimate["year"] == 2018]
    national = NATIONAL[NATIONAL["year"] == 2018].set_index("metier_code")[HEADS]
    metiers = base.groupby("metier_code")[HEADS].sum().drop("autres_metiers")
    np.testing.assert_allclose(metiers, national[metiers.index], rtol=1e-6)
    branches = base.groupby("branch_code")[HEADS].sum().drop("hors_champ")
    published = HEADCOUNT.groupby("branch_code")["employees_headcount"].sum()
    np.testing.assert_allclose(branches, published[branches.index], rtol=1e-6)
    assert set(branches.index) == set(published.index)
    assert base[HEADS].sum() == pytest.approx(national["ENS"], rel=1e-9)


def test_no_margin_deviates_in_the_estimate(estimate: pd.DataFrame) -> None:
    assert employment.margin_deviation(estimate, NATIONAL, HEADCOUNT) < 1e-6


def test_a_cell_that_was_changed_makes_both_margins_deviate(estimate: pd.DataFrame) -> None:
    for code, year in (("branch_code", 2018), ("metier_code", 2010)):
        changed = estimate.copy()
        other = "metier_code" if code == "branch_code" else "branch_code"
        pair = {"branch_code": "chimie", "metier_code": "E2Z70"}
        at = (changed[code] == pair[code]) & (changed["year"] == year)
        at &= changed[other] == pair[other]
        changed.loc[at, HEADS] *= 2
        assert employment.margin_deviation(changed, NATIONAL, HEADCOUNT) > 0.01


def test_every_year_and_cell_is_there_once_with_the_residuals(estimate: pd.DataFrame) -> None:
    assert not estimate.duplicated([*CELL, "year"]).any()
    assert len(estimate) == 28 * 60 * 15
    assert (estimate["year"].min(), estimate["year"].max()) == (2004, 2018)
    assert employment.RESIDUAL_METIER in set(estimate["metier_code"])
    assert employment.RESIDUAL_BRANCH in set(estimate["branch_code"])


def test_branches_without_headcount_are_absent(estimate: pd.DataFrame) -> None:
    without = set(embedded.load("branches")["branch_code"]) - set(HEADCOUNT["branch_code"])
    assert without
    assert not without & set(estimate["branch_code"])


def test_every_cell_is_a_public_estimate_with_its_source(estimate: pd.DataFrame) -> None:
    assert set(estimate["nature"]) == {"estimate"}
    assert set(estimate["origin"]) == {"public"}
    assert set(estimate["source_code"]) == {"estimate_b0"}


def test_bounds_contain_the_estimate(estimate: pd.DataFrame) -> None:
    lower, upper = (estimate[bound] for bound in BOUNDS)
    assert (lower <= estimate[HEADS]).all()
    assert (estimate[HEADS] <= upper).all()
    assert (lower >= 0).all()


def test_specialised_metiers_stand_in_their_own_branch(estimate: pd.DataFrame) -> None:
    inside = estimate[(estimate["year"] == 2018) & (estimate["branch_code"] != "hors_champ")]
    largest = inside.loc[inside.groupby("metier_code")[HEADS].idxmax()]
    found = largest.set_index("metier_code")["branch_code"]
    expected = {"D2Z40": "metallurgie", "E0Z20": "chimie", "F2Z20": "ameublement"}
    assert found[list(expected)].to_dict() == expected


def test_order_of_the_input_rows_changes_nothing(estimate: pd.DataFrame) -> None:
    shuffled = TABLES._replace(
        rome_naf_hires=TABLES.rome_naf_hires.iloc[::-1], fap_rome=TABLES.fap_rome.iloc[::-1]
    )
    again = employment.estimate_employment(shuffled, NATIONAL.iloc[::-1], HEADCOUNT.iloc[::-1])
    np.testing.assert_allclose(again[HEADS], estimate[HEADS], rtol=1e-6)


# --- sensitivity ------------------------------------------------------------------------------


def test_every_variant_has_the_same_margins(variants: pd.DataFrame) -> None:
    assert list(variants["variant"].unique()) == VARIANTS
    for code in CELL:
        sums = variants.pivot_table(HEADS, code, "variant", aggfunc="sum")
        expected = np.tile(sums["reference"].to_numpy()[:, None], sums.shape[1])
        np.testing.assert_allclose(sums, expected, rtol=1e-6)


def test_independence_gives_every_branch_the_same_structure(variants: pd.DataFrame) -> None:
    cells = variants[variants["variant"] == "independence"]
    wide = cells.pivot(index="metier_code", columns="branch_code", values=HEADS)
    shares = wide / wide.sum()
    np.testing.assert_allclose(shares.max(axis=1), shares.min(axis=1), rtol=1e-6)


def test_half_seed_halves_the_log_odds(variants: pd.DataFrame) -> None:
    def log_odds(variant: str) -> pd.DataFrame:
        cells = variants[variants["variant"] == variant]
        wide = cells.pivot(index="metier_code", columns="branch_code", values=HEADS)
        logs = np.log(wide[(wide > 0).all(axis=1)])
        relative = logs.sub(logs["hors_champ"], axis=0)
        return relative - relative.loc["autres_metiers"]

    reference = log_odds("reference")
    assert len(reference) > 50
    np.testing.assert_allclose(log_odds("seed_half"), reference / 2, atol=1e-6)


def test_moved_cells_are_those_beyond_the_threshold(variants: pd.DataFrame) -> None:
    inside = variants[
        (variants["variant"] == "split_equal")
        & (variants["branch_code"] != "hors_champ")
        & (variants["metier_code"] != "autres_metiers")
    ]
    expected = 100 * (inside["change_pct"].abs() > 20).mean()
    moved = employment.moved_cells(variants).set_index("variant")
    assert moved.at["split_equal", "moved_share_pct"] == pytest.approx(expected)


def test_every_variant_but_the_reference_is_compared_with_it(variants: pd.DataFrame) -> None:
    moved = employment.moved_cells(variants)
    assert moved["variant"].tolist() == VARIANTS[1:]


def test_only_cells_that_leave_zero_change_beyond_any_threshold(variants: pd.DataFrame) -> None:
    infinite = variants[np.isinf(variants["change_pct"])]
    reference = variants[variants["variant"] == "reference"]
    assert set(infinite["variant"]) == {"independence"}
    assert len(infinite) == (reference[HEADS] == 0).sum()


def test_stronger_shrinkage_moves_more_cells(variants: pd.DataFrame) -> None:
    moved = employment.moved_cells(variants).set_index("variant")["moved_share_pct"]
    assert 0 < moved["naf_first"] < moved["seed_half"] < moved["independence"] <= 100


def test_bounds_are_the_range_of_the_variants_that_use_the_hires(
    variants: pd.DataFrame, estimate: pd.DataFrame
) -> None:
    informed = variants[variants["variant"] != "independence"]
    cells = informed.groupby(["branch_code", "metier_code"])[HEADS]
    base = estimate[estimate["year"] == 2018].set_index(["branch_code", "metier_code"])
    for bound, expected in zip(BOUNDS, (cells.min(), cells.max()), strict=True):
        pd.testing.assert_series_equal(base[bound], expected, check_names=False)


def test_bounds_of_the_largest_métiers_lie_on_both_sides(estimate: pd.DataFrame) -> None:
    base = estimate[(estimate["year"] == 2018) & (estimate["branch_code"] != "hors_champ")]
    métiers = base[base["metier_code"] != "autres_metiers"]
    largest = métiers.sort_values(HEADS).groupby("branch_code").tail(1)
    assert (largest[BOUNDS[0]] < 0.95 * largest[HEADS]).all()
    assert (largest[BOUNDS[1]] > 1.02 * largest[HEADS]).mean() > 0.8


def test_note_of_the_page_is_the_one_of_the_decision() -> None:
    decision = (ROOT / "docs" / "decisions" / "branch-metier-estimate.md").read_text("utf-8")
    quoted = " ".join(line[4:] for line in decision.split("\n") if line.startswith("  > "))
    page = (ROOT / "opmq_lib" / "questions" / "emplois" / "page.jinja").read_text("utf-8")
    assert " ".join(quoted.split()) in " ".join(page.split())


# --- conventions ------------------------------------------------------------------------------


def test_every_line_of_the_convention_tables_says_it_was_not_voted() -> None:
    for table in (TABLES.naf_branch, TABLES.rome_fap_split):
        assert set(table["basis"]) == {"convention du projet, non votée"}


def test_activities_lead_to_known_branches_and_every_branch_has_one() -> None:
    assert set(TABLES.naf_branch["branch_code"]) == set(embedded.load("branches")["branch_code"])
    assert set(TABLES.naf_branch["naf_code"]) <= set(embedded.load("naf")["naf_code"])


def test_shares_add_up_to_one_exactly_once_per_line() -> None:
    for table, code, target in (
        (TABLES.naf_branch, "naf_code", "branch_code"),
        (TABLES.rome_fap_split, "rome_code", "metier_code"),
    ):
        assert not table.duplicated([code, target]).any()
        np.testing.assert_allclose(table.groupby(code)["share"].sum(), 1, rtol=0, atol=1e-12)
        assert table["share"].between(0, 1).all()


@pytest.mark.parametrize("division", ["10", "11", "12", "18", "36", "37"])
def test_activities_of_other_operators_are_outside_the_field(division: str) -> None:
    assert not TABLES.naf_branch["naf_code"].str.startswith(division).any()


def test_every_rome_of_several_metiers_is_split_among_all_of_them() -> None:
    links = TABLES.fap_rome
    shared = links[links.groupby("rome_code")["metier_code"].transform("size") > 1]
    columns = ["rome_code", "metier_code"]
    expected = set(shared[columns].itertuples(index=False, name=None))
    assert set(TABLES.rome_fap_split[columns].itertuples(index=False, name=None)) == expected


@pytest.mark.skipif(
    not (ROOT.parent / "shared" / "data" / "labour").is_dir(),
    reason="the producers' files are not beside this checkout",
)
def test_split_is_in_proportion_to_employment_of_the_metiers_in_2018() -> None:
    inputs = ROOT.parent / "shared/data/labour/dares-portraits-metiers/inputs"
    employed = pd.read_csv(inputs / "effectifs_3niv.csv").set_index("Annee").loc[2018]
    split = TABLES.rome_fap_split.assign(heads=TABLES.rome_fap_split["metier_code"].map(employed))
    expected = split["heads"] / split.groupby("rome_code")["heads"].transform("sum")
    np.testing.assert_allclose(split["share"], expected, rtol=0, atol=5e-6)


def test_no_branch_code_stands_in_the_calculations() -> None:
    codes = set(embedded.load("branches")["branch_code"])
    for file in (ROOT / "opmq_lib" / "methods" / "employment").glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert not codes & texts
