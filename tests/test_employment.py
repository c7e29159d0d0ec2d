"""The estimate of employment by branch and métier, step by step, then against what is published."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from opmq_lib.errors import CoherenceError, RangeError
from opmq_lib.methods.employment import (
    branches,
    classes,
    estimate,
    hires,
    intervals,
    sectors,
)
from opmq_lib.methods.employment import rows as in_rows
from opmq_lib.methods.employment.estimate import Estimate
from opmq_lib.methods.reliability import best_grades
from opmq_lib.questions import shared
from opmq_lib.sources import study

HEADS = "employment_headcount"
INPUTS = study.load_inputs()
BASE_YEAR = study.edition().base_year
PORTRAITS = Path(__file__).parents[2] / "shared/data/labour/dares-portraits-branches/data.json"
WAGES = ("managers", "intermediate", "clerks", "workers")


@pytest.fixture(scope="module")
def fitted() -> Estimate:
    return shared.estimate(INPUTS)


@pytest.fixture(scope="module")
def lists(fitted: Estimate) -> pd.DataFrame:
    return sectors.read_lists(INPUTS["metier_sectors"], fitted.sectors.sum(axis=1))


def employees() -> pd.Series:
    national = estimate.heads_by_metier(INPUTS["employment_national"], BASE_YEAR)
    published = INPUTS["employees_national"]
    return estimate.employees_by_metier(published, INPUTS["employment_national"], national)


def test_employees_are_those_published_and_no_metier_at_work_has_none() -> None:
    """The file gives 0 to 18 métiers whose family has more than its other members together."""
    published = INPUTS["employees_national"].set_index("metier_code")["employees_headcount"]
    paid = employees()
    assert paid.sum() == pytest.approx(published["ENS"], abs=1)
    known = published.reindex(paid.index).dropna()
    assert (paid[known.index] <= known * (1 + 1e-12)).all()
    assert paid["M2Z91"] == pytest.approx(published["M2Z"] - published[["M2Z90", "M2Z92"]].sum())
    assert paid["M2Z91"] > 20_000


# Step 1


def test_hires_of_a_rome_are_shared_and_a_missing_share_is_told() -> None:
    hired = pd.DataFrame({"rome_code": ["H2903", "H2904"], "naf_code": "2562B", "hires_count": 80})
    links = hires.rome_shares(
        pd.DataFrame({"metier_code": ["D1Z41", "D2Z40"], "rome_code": "H2903"}),
        pd.DataFrame({"metier_code": ["D1Z41"], "rome_code": "H2903", "share": [0.25]}),
    )
    with pytest.raises(CoherenceError) as raised:
        hires.hires_by_activity(hired, links, pd.Index(["D1Z41"]))
    assert [defect.where for defect in raised.value.defects] == [
        "rome H2904",
        "rome_fap_split, H2903",
    ]


def test_few_hires_say_little_and_a_family_lends_its_profile() -> None:
    """By hand: family 90 + 10 in CE and FZ; (90 + 100) / (100 + 200) = 19/30 of CE.

    The métier with 8 hires, all in FZ: (0 + 200 × 19/30) / (8 + 200) of CE, over one half.
    """
    table = pd.DataFrame({"CE": [90.0, 0], "FZ": [2.0, 8]}, index=["E1Z41", "E1Z42"])
    lifted = hires.lifts(table, pd.Series({"CE": 0.5, "FZ": 0.5}))
    assert lifted.loc["E1Z42", "CE"] == pytest.approx(np.log(200 * 19 / 30 / 208 / 0.5), abs=1e-12)
    assert lifted.loc["E1Z42", "CE"] == pytest.approx(0.197168, abs=1e-6)


# Step 2


def test_a_toy_of_three_metiers_and_three_sectors_is_what_the_hand_gives() -> None:
    """The third métier is listed whole; the two others share two sectors, CE and CF.

    Their free cells keep the odds ratio of the shares, (0.8 × 0.5) / (0.2 × 0.5) = 4, and add up
    to 100 and 60 heads by row, to 120 - 20 = 100 and 80 - 20 = 60 by column. With x the first cell:
    x (x - 40) = 4 (100 - x)², so 3 x² - 760 x + 40000 = 0 and x = (760 - √97600) / 6.
    """
    names = ["CE", "CF", "GZ"]
    heads = pd.Series({"E1Z41": 100.0, "E1Z42": 60.0, "J1Z40": 60.0})
    shares = pd.DataFrame([[0.8, 0.2, 0], [0.5, 0.5, 0], [1 / 3] * 3], heads.index, names)
    listed = pd.DataFrame([[20.0, 20.0, 20.0], [120.0, 80.0, 20.0]], ["J1Z40", "ENS"], names)
    table = sectors.sector_table(heads, listed, shares)
    first = (760 - np.sqrt(97600)) / 6
    assert first == pytest.approx(74.598336, abs=1e-6)
    by_hand = [
        [74.598336, 25.401664, 0.0],
        [25.401664, 34.598336, 0.0],
        [20.0, 20.0, 20.0],
    ]
    assert table.to_numpy() == pytest.approx(np.array(by_hand), abs=1e-6)


def test_unlisted_sectors_hold_no_more_than_not_being_listed_allows() -> None:
    """Métier of 1,000 with one list of 900: 100 are left and no other sector may hold above 30."""
    names = ["CE", "CF", "GZ", "HZ", "IZ"]
    heads = pd.Series({"E1Z41": 1000.0})
    shares = pd.DataFrame([[0.5, 0.4, 0.05, 0.03, 0.02]], heads.index, names)
    listed = pd.DataFrame([[900.0, *[np.nan] * 4]], heads.index, names)
    table = sectors.sector_table(heads, listed, shares)
    assert table.loc["E1Z41"].tolist() == pytest.approx([900, 30, 30, 24, 16])


def test_shares_by_sector_are_where_the_likelihood_has_its_top() -> None:
    """Two métiers, three sectors: moving any effect lowers the likelihood, computed apart."""
    random = np.random.default_rng(1)
    names, codes = ["CE", "CF", "GZ"], ["E1Z41", "J1Z80"]
    seen = pd.DataFrame(random.integers(50, 500, (2, 3)).astype(float), codes, names)
    heads = pd.Series([1000.0, 4000.0], codes)
    listed = pd.DataFrame([[700.0, np.nan, np.nan], [np.nan, 300.0, 2500.0]], codes, names)
    lifted = hires.lifts(seen, sectors.hire_shares(seen))
    found = sectors.sector_shares(heads, listed, seen, lifted).to_numpy()
    start, g = np.log(sectors.hire_shares(seen).to_numpy()), lifted.to_numpy()
    weights = np.sqrt([1000.0, 4000.0]) / np.mean(np.sqrt([1000.0, 4000.0]))

    def likelihood(p: np.ndarray, effects: np.ndarray) -> float:
        first = 0.7 * np.log(p[0, 0]) + 0.3 * np.log(p[0, 1] + p[0, 2])
        second = 0.075 * np.log(p[1, 1]) + 0.625 * np.log(p[1, 2]) + 0.3 * np.log(p[1, 0])
        return weights @ [first, second] - 0.15 * (effects[:3] ** 2).sum()

    def shares(effects: np.ndarray) -> np.ndarray:
        odds = np.exp(start + effects[:3] + effects[3] * g)
        return odds / odds.sum(axis=1, keepdims=True)

    logs = np.log(found) - start
    contrasts = np.array([[0, 1, 0, g[0, 1] - g[0, 0]], [0, 0, 1, g[0, 2] - g[0, 0]],
                          [0, 1, 0, g[1, 1] - g[1, 0]], [0, 0, 1, g[1, 2] - g[1, 0]]])  # fmt: skip
    gaps = [logs[0, 1] - logs[0, 0], logs[0, 2] - logs[0, 0],
            logs[1, 1] - logs[1, 0], logs[1, 2] - logs[1, 0]]  # fmt: skip
    effects = np.linalg.lstsq(contrasts, np.array(gaps), rcond=None)[0]
    effects[:3] -= effects[:3].mean()
    assert shares(effects) == pytest.approx(found, abs=1e-9)
    best = likelihood(found, effects)
    for step in np.vstack([np.eye(4), -np.eye(4)]) * 1e-2:
        assert likelihood(shares(effects + step), effects + step) < best


def test_defects_of_the_lists_are_all_told() -> None:
    table = pd.DataFrame(
        [("E1Z41", "CE", 60.0), ("E1Z41", "CE", 60.0), ("E1Z41", "XX", 1.0), ("ENS", "CE", 90.0)],
        columns=["metier_code", "sector_code", HEADS],
    )
    with pytest.raises(CoherenceError) as raised:
        sectors.read_lists(table, pd.Series({"E1Z41": 100.0}))
    assert [(each.where, each.what) for each in raised.value.defects] == [
        ("metier_sectors, E1Z41 XX", "unknown sector"),
        ("metier_sectors, E1Z41 CE", "listed twice"),
        ("metier_sectors, E1Z41", "lists more than its employment"),
    ]


# Step 3


def test_shares_of_an_activity_must_add_up() -> None:
    shares = pd.DataFrame({"naf_code": ["2011Z"], "branch_code": "chimie", "share": [0.9]})
    with pytest.raises(CoherenceError, match="naf_branch, 2011Z"):
        branches.spread_sectors(pd.DataFrame(), pd.DataFrame(), shares, pd.Index([]))


# Step 4


def test_classes_meet_the_mean_wage_and_weigh_low_wages_with_the_prior() -> None:
    """By hand. W 3000, w 5000, 3000, 2000: a = 1/3, b = 1/3, so c = 1/3 - p/3.

    Low wages 3 %, q 0, 1, 6: k = 6 - 3 + (1/3)(-6) = 1, m = 1 - 6 - (1/3)(-6) = -3.
    p = (0.4/0.01 + 3/0.0036) / (1/0.01 + 9/0.0036) = 873.333 / 2600 = 0.335897.
    """
    row = {"wage_all_eur_per_month": 3000.0, "share_under_1_05_smic_pct": 3.0}
    for name, wage, low in zip(WAGES, [5000.0, 3000, 2000, 2000], [0.0, 1, 6, 6], strict=True):
        row |= {f"wage_{name}_eur_per_month": wage, f"share_under_1_05_smic_{name}_pct": low}
    prior = dict(zip(WAGES, [0.1, 0.4, 0.2, 0.3], strict=True))
    c, p, x = classes.fte_shares(row, prior)
    assert (c, p, x) == pytest.approx((0.221368, 0.335897, 0.442735), abs=1e-6)
    assert 5000 * c + 3000 * p + 2000 * x == pytest.approx(3000, abs=1e-9)


def test_a_convention_of_one_class_holds_that_class_alone() -> None:
    row = dict.fromkeys([f"share_under_1_05_smic_{name}_pct" for name in WAGES], np.nan)
    row |= dict.fromkeys([f"wage_{name}_eur_per_month" for name in WAGES], np.nan)
    row |= {"wage_all_eur_per_month": 5000.0, "wage_managers_eur_per_month": 5000.0}
    assert classes.fte_shares(row, dict.fromkeys(WAGES, 0.25)) == (1.0, 0.0, 0.0)


# Step 5 and the whole


def test_lists_of_a_year_without_employment_are_refused() -> None:
    tables = shared.estimate_tables(INPUTS)
    later = tables._replace(metier_sectors=tables.metier_sectors.assign(year=2050))
    with pytest.raises(RangeError, match="metier_sectors, year"):
        estimate.fit_estimate(later)


def test_all_margins_hold(fitted: Estimate) -> None:
    paid = employees()
    assert fitted.heads.sum(axis=1).to_numpy() == pytest.approx(paid.to_numpy(), rel=1e-9)
    published = INPUTS["branch_headcount"].groupby("branch_code")["employees_headcount"].sum()
    sums = fitted.heads.sum()[published.index]
    assert sums.to_numpy() == pytest.approx(published.to_numpy(), rel=1e-9)
    by_class = fitted.heads[published.index].groupby(fitted.metier_class).sum().T
    given = fitted.classes[by_class.columns]
    assert by_class.to_numpy() == pytest.approx(given.to_numpy(), rel=1e-9, abs=1e-6)
    assert len(fitted.heads) == 226
    assert len(published) == 27


def test_no_branch_employs_metiers_of_public_service(fitted: Estimate) -> None:
    codes = INPUTS["metiers_outside_branches"]["metier_code"]
    assert {"P1Z81", "X0Z00"} <= set(codes)
    assert (fitted.heads.loc[codes, fitted.classes.index] == 0).all(axis=None)
    paid = employees()[codes]
    assert fitted.heads.loc[codes, "hors_champ"].to_numpy() == pytest.approx(paid.to_numpy())


def test_lists_hold_on_the_table_of_metiers_by_sector(
    fitted: Estimate, lists: pd.DataFrame
) -> None:
    table = fitted.sectors
    assert table.sum(axis=1).to_numpy() == pytest.approx(
        estimate.heads_by_metier(INPUTS["employment_national"], BASE_YEAR).to_numpy(), rel=1e-12
    )
    for code, row in lists.iterrows():
        found = table[sectors.members(table.index, str(code))].sum()
        listed = row.dropna()
        assert found[listed.index].to_numpy() == pytest.approx(listed.to_numpy(), rel=1e-6), code


def test_managers_of_metallurgy_are_those_of_their_own_convention(fitted: Estimate) -> None:
    assert fitted.classes.loc["metallurgie", "managers"] == pytest.approx(499_600, abs=0.5)


@pytest.mark.skipif(not PORTRAITS.is_file(), reason="the producer's file is not beside it")
def test_the_wage_identity_finds_the_managers_of_metallurgy_without_being_told(
    fitted: Estimate,
) -> None:
    """On the whole group, as published: its managers' own convention holds 32.2 % of it.

    So it does with the prior of the method, and with ten points more or less of intermediates.
    """
    portraits = json.loads(PORTRAITS.read_text(encoding="utf-8"))
    wages = next(each["salaires"] for each in portraits if each["idcc"] == "00650")
    french = ["Ensemble", "Cadre", "Profession intermédiaire", "Employé", "Ouvrier"]
    row = {}
    for name, leaf in zip(["all", *WAGES], french, strict=True):
        low = f"share_under_1_05_smic_{name}_pct".replace("_all", "")
        row[f"wage_{name}_eur_per_month"] = float(wages["moyen"][leaf]["cris"])
        row[low] = float(wages["repartitionSMIC105"][leaf]["cris"])
    fine = classes.metier_classes(fitted.heads.index, INPUTS["metier_pcs"])
    before = fitted.before["metallurgie"]
    prior = (before.groupby(fine).sum() / before.sum()).to_dict()
    for more in (-0.1, 0.0, 0.1):
        moved = prior | {"intermediate": prior["intermediate"] + more}
        assert 0.31 <= classes.fte_shares(row, moved)[0] <= 0.33


def test_the_wage_identity_finds_managers_that_are_all_in_one_convention(
    fitted: Estimate,
) -> None:
    """Conventions of metallurgy seen as one: managers have their own, which the identity ignores.

    It holds 32.2 % of the heads of the branch; so it does with ten points more of intermediates.
    """
    table = INPUTS["branch_headcount"].query("branch_code == 'metallurgie'")
    means = [name for name in table if name.startswith(("wage_", "share_under_1_05"))]
    row = {}
    for name in means:
        known = table[table[name].notna()]
        row[name] = float(np.average(known[name], weights=known["employees_fte"]))
    fine = classes.metier_classes(fitted.heads.index, INPUTS["metier_pcs"])
    before = fitted.before["metallurgie"]
    prior = (before.groupby(fine).sum() / before.sum()).to_dict()
    for more in (0.0, 0.1):
        shares = classes.fte_shares(row, prior | {"intermediate": prior["intermediate"] + more})
        heads = np.array(shares) * classes.HEADS_PER_FTE
        assert heads[0] / heads.sum() == pytest.approx(0.322, abs=0.015)


def test_the_last_fit_of_a_toy_is_what_the_hand_gives() -> None:
    """Two métiers, two branches and the outside, one class: margins 100, 60; branches 50, 30.

    Outside before: 100 - 60 = 40 and 60 - 40 = 20, for 80 = 160 - 80. Seed rows (40, 20, 40) and
    (20, 20, 20): with u = r / s the odds, each column splits as 2u : 1, u : 1, 2u : 1 of the first
    métier to the second: 50 × 2u/(2u+1) + 30 × u/(u+1) + 80 × 2u/(2u+1) = 100.
    So 260 u (u + 1) + 30 u (2u + 1) = 100 (2u + 1)(u + 1): 120 u² - 10 u - 100 = 0.
    """
    codes, names = ["E1Z41", "E1Z42"], ["verre", "chaux"]
    seed = pd.DataFrame([[40.0, 20.0], [20.0, 20.0]], codes, names)
    goals = pd.DataFrame({"all": [50.0, 30.0]}, names)
    rows = pd.Series([100.0, 60.0], codes)
    found = estimate.fit_classes(seed, rows, goals, pd.Series("all", codes))
    u = (10 + np.sqrt(100 + 4 * 120 * 100)) / 240
    first = [50 * 2 * u / (2 * u + 1), 30 * u / (u + 1), 80 * 2 * u / (2 * u + 1)]
    by_hand = np.array([first, np.array([50, 30, 80]) - first])
    assert found.to_numpy() == pytest.approx(by_hand, rel=1e-6)


def test_the_table_gives_back_the_published_mean_wage_of_every_branch(fitted: Estimate) -> None:
    """Full-time equivalents of each class times its published wage, over those of all classes."""
    table = INPUTS["branch_headcount"]
    heads = fitted.heads[fitted.classes.index].groupby(fitted.metier_class).sum()
    before = fitted.before.groupby(classes.metier_classes(fitted.heads.index, INPUTS["metier_pcs"]))
    mix = before.sum()
    for branch_code, rows in table.groupby("branch_code"):
        fte = heads[branch_code] / pd.Series(classes.HEADS_PER_FTE, classes.CLASSES)
        wages = {}
        for name in WAGES:
            known = rows[rows[f"wage_{name}_eur_per_month"].notna()]
            wage = known[f"wage_{name}_eur_per_month"]
            wages[name] = np.average(wage, weights=known["employees_fte"]) if len(known) else 0.0
        share = mix.loc["clerks", branch_code] / mix.loc[["clerks", "workers"], branch_code].sum()
        wages["others"] = share * wages["clerks"] + (1 - share) * wages["workers"]
        implied = sum(fte[name] * wages[name] for name in fte.index) / fte.sum()
        published = np.average(rows["wage_all_eur_per_month"], weights=rows["employees_fte"])
        assert implied == pytest.approx(published, rel=0.005), branch_code


def test_no_self_employed_craft_is_counted_among_employees(fitted: Estimate) -> None:
    """Wood artisans: most are their own employers, and branches hold only those who are paid."""
    paid = employees()
    crafts = classes.self_employed_crafts(fitted.heads.index, INPUTS["metier_pcs"])
    for code in crafts.index[crafts]:
        assert fitted.heads.loc[code].sum() <= paid[code] * (1 + 1e-9), code
        assert fitted.employees.loc[code].sum() == pytest.approx(paid[code], rel=1e-9)
    assert {"F3Z40"} <= set(crafts.index[crafts])


def test_heavy_plant_operators_of_chemistry_over_its_ratio_are_at_most_those_of_its_sector(
    fitted: Estimate, lists: pd.DataFrame
) -> None:
    """Among employees whom the branch's activities explain; hires alone gave five times as many."""
    explained = fitted.heads.loc["E1Z40", "chimie"] / fitted.fit_ratio["chimie"]
    assert explained <= lists.loc["E1Z40", "CE"]


def test_a_branch_that_one_of_its_ratios_explains_badly_has_no_grade_a(fitted: Estimate) -> None:
    """After the fit of a sector its branches share one ratio; before, each has its own."""
    sector = ["verre_mecanique", "ceramique", "ciments", "caoutchouc"]
    assert np.ptp(np.log(fitted.fit_ratio[sector])) < 0.02
    own = fitted.own_ratio[sector]
    assert own["ciments"] > 2 * own["ceramique"] > 4 * own["caoutchouc"]
    national = INPUTS["employment_national"]
    for branch_code, best in (
        ("ciments", "B"),
        ("chimie", "B"),
        ("plasturgie", "B"),
        ("metallurgie", "A"),
    ):
        rows = in_rows.row_codes(fitted.heads[branch_code])
        table = in_rows.branch_table(fitted, branch_code, rows, national, BASE_YEAR)
        assert best_grades(table["headcount_fit_ratio"]).eq(best).all(), branch_code


def test_wood_workers_are_no_metier_of_oil(fitted: Estimate) -> None:
    wood = fitted.heads.index.str.startswith(("F2Z", "F3Z"))
    assert fitted.heads.loc[wood, "petrole"].sum() < 0.005 * fitted.heads["petrole"].sum()


def test_largest_metiers_of_a_branch_are_its_own(fitted: Estimate) -> None:
    first = fitted.heads[["chimie", "plasturgie", "ceramique", "textile"]].idxmax()
    assert first["chimie"].startswith("E")
    assert first["plasturgie"].startswith("E")
    assert first["ceramique"].startswith("E")
    assert first["textile"].startswith("F")


def test_classes_that_conventions_exclude_are_not_known(fitted: Estimate) -> None:
    branch, name = np.nonzero((fitted.classes == 0).to_numpy())
    assert fitted.classes.index[branch].tolist() == ["papier_carton"]
    assert fitted.classes.columns[name].tolist() == ["managers"]
    codes = in_rows.uncovered(fitted, "papier_carton")
    assert codes
    assert (fitted.metier_class[codes] == "managers").all()
    assert in_rows.uncovered(fitted, "chimie") == []
    rows = in_rows.row_codes(fitted.heads["papier_carton"])
    assert not set(codes) & set(rows)


# Intervals and the table of a branch


def test_the_interval_of_a_cell_is_what_the_law_gives(fitted: Estimate) -> None:
    """Written out for one cell, sector by sector."""
    code, branch = "E1Z41", "plasturgie"
    row, column = fitted.heads.index.get_loc(code), fitted.before.columns.get_loc(branch)
    whole = fitted.split[:, row, column].sum()
    survey = kept = 0.0
    for number, sector in enumerate(fitted.sectors.columns):
        share = fitted.split[number, row, column] / whole
        employees = fitted.employees.loc[code, sector]
        kept += share * fitted.split[number, row, column] / employees if employees else 0.0
        unlisted = 0.0 if fitted.is_listed.loc[code, sector] else 0.389**2
        survey += share**2 * (377 / max(fitted.sectors.loc[code, sector], 50) + unlisted)
    moves = np.log(
        fitted.classes["others"].where(fitted.classes["others"] > 0)
        / fitted.before.groupby(fitted.metier_class).sum().loc["others"]
    )
    gap = abs(moves[branch] - moves.median())
    fit = np.log(fitted.fit_ratio[branch])
    by_hand = np.sqrt(survey + (0.445 * (1 - kept)) ** 2 + (0.5 * gap) ** 2 + (0.5 * fit) ** 2)
    own = pd.Series(fitted.heads.index, fitted.heads.index)
    found = intervals.row_log_sd(fitted, branch, own)
    assert found[code] == pytest.approx(by_hand, rel=1e-9)


def test_rows_of_a_branch_hold_it_whole(fitted: Estimate) -> None:
    national = INPUTS["employment_national"]
    for branch in ("chimie", "papier_carton"):
        rows = in_rows.row_codes(fitted.heads[branch])
        table = in_rows.branch_table(fitted, branch, rows, national, BASE_YEAR)
        last = table[table["year"] == BASE_YEAR].set_index("metier_code")[HEADS]
        assert last.sum() == pytest.approx(fitted.heads[branch].sum(), rel=1e-12)
        named = last.drop("autres_metiers")
        assert (named >= 0.005 * last.sum()).all()
        assert last["autres_metiers"] < 0.1 * last.sum()
        gathered = in_rows.gathered(fitted, branch, rows)
        sums = gathered.groupby("level")["value"].sum()
        assert sums.to_numpy() == pytest.approx(last[sums.index].to_numpy(), rel=1e-12)


def test_past_years_follow_the_national_series(fitted: Estimate) -> None:
    national = INPUTS["employment_national"]
    rows = in_rows.row_codes(fitted.heads["chimie"])
    table = in_rows.branch_table(fitted, "chimie", rows, national, BASE_YEAR)
    ours = table[table["metier_code"] == "E2Z70"].set_index("year")[HEADS]
    series = national[national["metier_code"] == "E2Z70"].set_index("year")[HEADS]
    assert (ours / ours[BASE_YEAR]).to_numpy() == pytest.approx(
        (series / series[BASE_YEAR]).reindex(ours.index).to_numpy(), rel=1e-12
    )


def test_an_earlier_base_year_only_stops_earlier(fitted: Estimate) -> None:
    national, rows = INPUTS["employment_national"], in_rows.row_codes(fitted.heads["chimie"])
    whole, short = (
        in_rows.branch_table(fitted, "chimie", rows, national, year)
        for year in (BASE_YEAR, BASE_YEAR - 3)
    )
    kept = whole[whole["year"] <= BASE_YEAR - 3].reset_index(drop=True)
    pd.testing.assert_frame_equal(short, kept)


def test_small_metiers_of_a_family_err_together_and_families_apart() -> None:
    """Two families of 100 heads that err by 0.5: the sum errs less than each."""
    heads, sd = pd.Series([100.0, 100.0], ["r/A", "r/B"]), pd.Series([0.5, 0.5], ["r/A", "r/B"])
    found = intervals._row_sd(heads, sd, pd.Index(["r", "r"]))
    up, down = 100 * (np.exp(1.281552 * 0.5) - 1), 100 * (1 - np.exp(-1.281552 * 0.5))
    by_hand = np.log((200 + np.sqrt(2) * up) / (200 - np.sqrt(2) * down)) / (2 * 1.281552)
    assert found["r"] == pytest.approx(by_hand, rel=1e-6)
    alone = intervals._row_sd(heads[:1], sd[:1], pd.Index(["r"]))
    assert alone["r"] == pytest.approx(0.5, rel=1e-12)
