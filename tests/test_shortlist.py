"""« Que faire ? »: the list, what it rests on, its page, a proposal's way to the next report."""

import re
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from test_sections_coeurs import assert_numbers_are_cells, text

from opmq_lib.errors import DataError
from opmq_lib.methods import decisions, shortlist
from opmq_lib.methods.needs import departure_factors
from opmq_lib.methods.shortlist import Shortlist
from opmq_lib.questions import shared
from opmq_lib.questions.changements import chain as changements
from opmq_lib.questions.consolidation import chain as consolidation_chain
from opmq_lib.questions.consolidation import page as consolidation_page
from opmq_lib.questions.que_faire import chain, page
from opmq_lib.sources import registers, study

BRANCH, EDITION = "chimie", study.edition()
LABELS, DAY = study.metier_labels(), date(2026, 11, 24)
NO_DECISION = study.load_decisions("")


def cells(**columns: object) -> pd.DataFrame:
    """Eight métiers of a branch of 10,000, all in alarm, from 0.4 % to 30 % of it."""
    table = {
        "metier_code": list("ABCDEFGH"),
        "branch_code": "verre",
        "employment_headcount": [40.0, 50, 100, 200, 400, 800, 1600, 3000],
        "level_log_sd": 0.3,
        "branch_headcount": 10_000.0,
        "departure_rate_pct": [99.0, 2, 2, 2, 2, 2, 2, 2],
        "tension_alarm": True,
        "departures_alarm": False,
        "is_secret": False,
        "hires_evidence": "seen",
    }
    return pd.DataFrame(table | columns)


@pytest.fixture(scope="module")
def every() -> dict[str, pd.DataFrame]:
    """Every branch's cells; what does not change from one to another is calculated once."""
    inputs = study.load_inputs()
    estimated, alarms = shared.estimate(inputs), chain.alarms(inputs, EDITION)
    with pytest.MonkeyPatch.context() as once:
        once.setattr(shared, "estimate", lambda _: estimated)
        branches = sorted(inputs["branch_headcount"]["branch_code"].unique())
        return {code: chain.cells(inputs, code, alarms, EDITION) for code in branches}


@pytest.fixture(scope="module")
def lists(every: dict[str, pd.DataFrame]) -> dict[str, Shortlist]:
    return {code: chain.listed(cells) for code, cells in every.items()}


@pytest.fixture(scope="module")
def looked_at(every: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return every[BRANCH]


@pytest.fixture(scope="module")
def listed(looked_at: pd.DataFrame) -> Shortlist:
    return chain.listed(looked_at)


@pytest.fixture(scope="module")
def reasons(listed: Shortlist) -> pd.DataFrame:
    return chain.reasons(study.load_inputs([BRANCH]), BRANCH, listed.metiers, EDITION)


def results_of(
    looked_at: pd.DataFrame, listed: Shortlist, reasons: pd.DataFrame, register: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    decided = chain.decided(reasons, register, BRANCH, "2026")
    follow_up = decisions.follow_up(register, decided, looked_at, BRANCH, "2026")
    return chain.results(BRANCH, looked_at, listed, decided, follow_up, {}, EDITION)


def test_the_order_is_the_low_end_of_employment_times_the_rate() -> None:
    found = chain.listed(cells(level_log_sd=[0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 2.0])).metiers
    assert found["metier_code"].tolist() == ["G", "F", "E", "H", "D", "C"]
    low = 0.02 * 3000 * np.exp(-1.2815515655 * 2.0)
    assert found["departures_per_year_headcount"][3] == pytest.approx(low)


def test_a_metier_under_half_a_percent_is_on_no_list_however_many_leave() -> None:
    found = chain.listed(cells()).metiers
    assert found["metier_code"].tolist() == list("HGFEDC")
    drawn = np.tile(cells()[["employment_headcount"]].to_numpy(), (1, 4))
    drawn[0] = 49.0  # under it in every draw: never present, though 99 % leave
    rates = np.tile(cells()[["departure_rate_pct"]].to_numpy(), (1, 4))
    sure = shortlist.shortlist(cells(), drawn, rates)
    assert (sure.metiers["presence_pct"] == 100).all()
    assert sure.overlap == 1


def test_neither_the_order_of_metiers_nor_another_branch_changes_a_list() -> None:
    alone = chain.listed(cells())
    shuffled = chain.listed(cells().sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(alone.metiers, shuffled.metiers)
    assert alone.overlap == shuffled.overlap
    both = pd.concat([cells(branch_code="autre"), cells()])
    for draw in (departure_factors, partial(chain.level_factors, draws_count=50, seed=1)):
        assert (draw(both)[8:] == draw(cells())).all()


def test_every_draw_lists_six_where_more_are_in_alarm() -> None:
    many = cells(departure_rate_pct=2.0, branch_headcount=1000.0)
    found = chain.listed(many)
    rest = many[~many["metier_code"].isin(found.metiers["metier_code"])]
    assert len(rest) == 2
    assert found.metiers["presence_pct"].sum() < 600
    known = chain.listed(many.assign(level_log_sd=0.0))
    assert known.metiers["presence_pct"].sum() >= found.metiers["presence_pct"].sum()


def test_departure_rates_are_known_to_a_factor_of_1_9() -> None:
    factors = departure_factors(cells())
    low, high = np.quantile(factors, [0.1, 0.9], axis=1)
    spread = np.sqrt(0.15**2 + 0.06**2 + 0.2**2)
    assert high / low == pytest.approx(np.exp(2 * 1.2815515655 * spread), rel=0.01)


def test_without_any_alarm_there_is_no_list() -> None:
    found = chain.listed(cells(tension_alarm=False))
    assert found.metiers.empty
    assert np.isnan(found.overlap)


def test_what_is_left_out_is_named_only_where_no_alarm_stands() -> None:
    table = cells(
        tension_alarm=[True, *[False] * 7],
        is_known=[False] * 6 + [True, False],
        is_falling=[False] * 6 + [True, False],
        employment_share_pct=[9.0, 0.5, 1, 1.9, 2, 8, 16, 30],
    )
    found = shortlist.left_out(table)
    assert found[["metier_code", "reason"]].to_numpy().tolist() == [
        ["H", "no_figure"], ["G", "falling"], ["F", "no_figure"], ["E", "no_figure"]]  # fmt: skip


def test_a_metier_for_which_nobody_was_hired_is_named_below_the_list_and_not_in_it() -> None:
    table = cells(
        hires_evidence=["seen"] * 6 + ["none", None],
        employment_share_pct=[0.4, 0.5, 1, 2, 4, 8, 16, 30],
        is_known=True,
        is_falling=False,
    )
    assert "G" not in set(chain.listed(table).metiers["metier_code"])
    assert "H" in set(chain.listed(table).metiers["metier_code"])  # observed: no hire is asked for
    assert shortlist.left_out(table)[["metier_code", "reason"]].to_numpy().tolist() == [
        ["G", "unattested"]
    ]


def test_few_hires_ask_for_a_solid_place(every: dict, lists: dict[str, Shortlist]) -> None:
    table = every["pharmacie_industrie"].set_index("metier_code")
    own = table["branch_hires_count"] / table["employment_headcount"]
    assert table.loc["D6Z70", "hires_evidence"] == "few"  # 9 hires for 3,100 jobs of mechanics
    assert own["D6Z70"] < own["E1Z41"]
    found = lists["pharmacie_industrie"].metiers.set_index("metier_code")
    assert shortlist.SHOWN_PRESENCE_PCT < found.loc["D6Z70", "presence_pct"] < 80
    assert found.loc["D6Z70", "is_shown"] == "no"
    certain = lists["chimie"].metiers.set_index("metier_code").loc["E2Z80"]
    assert (certain["hires_evidence"], certain["is_shown"]) == ("few", "yes")


def test_a_cell_under_the_threshold_is_secret_and_gives_no_number() -> None:
    own = pd.DataFrame(
        {
            "metier_code": ["E1Z43", "D6Z70", "autres_metiers"],
            "employment_headcount": [400.0, 300.0, 300.0],
            "units_count": [2, 9, 9],
            "branch_code": "ceramique",
            "year": 2018,
            "nature": "observed",
            "origin": "own",
            "largest_share_pct": 20.0,
            "source_code": "enquete",
        }
    )
    inputs = study.load_inputs(["ceramique"]) | {"own_employment": own}
    looked_at = chain.cells(inputs, "ceramique", chain.alarms(inputs, EDITION), EDITION)
    listed = chain.listed(looked_at)
    assert listed.metiers["metier_code"].tolist() == ["D6Z70"]
    secret = shortlist.left_out(looked_at).set_index("metier_code").loc["E1Z43"]
    assert secret["reason"] == "secret"
    numbers = ["employment_headcount", "employment_share_pct", "location_quotient"]
    assert secret[numbers].isna().all()


def test_the_list_of_chemistry_is_the_one_that_was_designed(
    listed: Shortlist, reasons: pd.DataFrame
) -> None:
    found = listed.metiers.set_index("metier_code")
    assert set(found.index) == {"E1Z41", "E2Z80", "N0Z90", "H0Z92", "G1Z70", "J1Z80"}
    assert found.index[:4].tolist() == ["E1Z41", "E2Z80", "N0Z90", "H0Z92"]
    assert found.loc["E1Z41", "departure_rate_pct"] == pytest.approx(3.5, abs=0.05)
    assert listed.overlap == pytest.approx(0.755, abs=0.03)
    causes = reasons.set_index("metier_code")["causes"]
    assert causes["E1Z41"] == "departures"
    assert causes["N0Z90"] == "training inventory"
    assert causes["H0Z92"] == "recruiting"


def test_lists_of_all_branches_are_stable_and_hold_no_small_metier(
    lists: dict[str, Shortlist],
) -> None:
    assert len(lists) == 27
    overlaps = pd.Series({code: each.overlap for code, each in lists.items()})
    assert overlaps.mean() >= 0.6
    assert overlaps.min() >= 0.5
    found = pd.concat([each.metiers for each in lists.values()])
    assert found["employment_share_pct"].min() >= 0.5
    assert set(found["is_shown"]) == {"yes", "no"}
    assert (found.groupby("branch_code").size() <= 6).all()
    assert {"G1Z70", "J1Z80", "D1Z41"} <= set(found["metier_code"].value_counts().index[:4])


def test_every_metier_listed_has_three_sourced_facts_or_more(lists: dict[str, Shortlist]) -> None:
    inputs = study.load_inputs()
    sources = set(inputs["sources"]["source_code"])
    for code, found in lists.items():
        listed = changements.listed({"shortlist": found.metiers})
        facts = changements.facts(inputs, code, listed, changements.records(inputs, code))
        assert list(facts["metier_code"].unique()) == listed
        sourced = facts[facts["source_code"].isin(sources) & (facts["vintage"] != "")]
        kinds = sourced[sourced["status"] == "value"].groupby("metier_code")["fact_code"].nunique()
        assert (kinds.reindex(listed) >= 3).all(), code


def test_every_number_of_the_cards_is_a_cell_and_nothing_is_decided(
    looked_at: pd.DataFrame, listed: Shortlist, reasons: pd.DataFrame
) -> None:
    results = results_of(looked_at, listed, reasons, NO_DECISION)
    assert text(page.read_me(results)).count("Pourquoi deux années") == 1
    html = page.cards(results, LABELS)
    counts = r'<span class="n" data-cell="shortlist:(\d+):departures_per_year_headcount">([^<]+)<'
    found = re.findall(counts, html.html)
    assert len(found) == 6
    for row, said in found:  # two digits
        count = results[chain.LISTED].at[int(row), "departures_per_year_headcount"]
        assert float(said.replace("\u202f", "")) == pytest.approx(count, rel=0.05)
    least = r'<span class="n" data-cell="shortlist:(\d+):(\w+)">moins de\u00a01<'
    assert re.findall(least, html.html) == [("4", "employment_share_pct_lower")]
    assert results[chain.LISTED].at[4, "employment_share_pct_lower"] < 1
    assert_numbers_are_cells(re.sub(f"{counts}|{least}", "<", html.html), results, 60)
    said = text(html)
    assert said.count("à prendre") == 6
    assert "dont 3 de la branche" in said
    assert page.follow_up_table(results, LABELS).html == ""
    assert "Six métiers" in text(page.findings(results, LABELS))


def test_a_branch_without_headcount_says_what_would_fill_its_list() -> None:
    inputs = study.load_inputs(["ieg"])
    looked_at = chain.cells(inputs, "ieg", chain.alarms(inputs, EDITION), EDITION)
    listed = chain.listed(looked_at)
    results = results_of(
        looked_at, listed, chain.reasons(inputs, "ieg", listed.metiers, EDITION), NO_DECISION
    )
    assert "Un tableau de ses emplois par métier" in text(page.banner(results))
    for piece in (page.findings, page.cards, page.left_out):
        assert piece(results, LABELS).html == ""


def test_an_own_table_without_the_rest_has_no_share_and_says_so() -> None:
    own = pd.DataFrame({"metier_code": ["E1Z43", "autres_metiers"]}).assign(
        branch_code="ieg", year=2024, employment_headcount=[200.0, 100.0], nature="observed",
        origin="own", units_count=9, largest_share_pct=40.0, source_code="enquete")  # fmt: skip

    def results(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
        inputs = study.load_inputs(["ieg"]) | {"own_employment": table}
        looked_at = chain.cells(inputs, "ieg", chain.alarms(inputs, EDITION), EDITION)
        listed = chain.listed(looked_at)
        found = chain.reasons(inputs, "ieg", listed.metiers, EDITION)
        return results_of(looked_at, listed, found, NO_DECISION)

    whole = results(own)
    assert "67 % des emplois de la branche" in text(page.cards(whole, LABELS))
    assert "67 à 67" not in text(page.cards(whole, LABELS))
    assert whole["que_faire"]["origin"].eq("own").all()
    assert "ne donne pas le total" in text(page.banner(results(own.head(1))))


def test_a_list_that_no_draw_keeps_is_not_said_to_hold_no_alarm(
    looked_at: pd.DataFrame, listed: Shortlist, reasons: pd.DataFrame
) -> None:
    results = results_of(looked_at, listed, reasons, NO_DECISION)
    unsure = results | {"shortlist": results["shortlist"].assign(is_shown="no")}
    assert "retenu par la moitié des tirages" in text(page.banner(unsure))


def test_a_card_says_what_its_metier_mostly_is_in_the_branch(
    every: dict[str, pd.DataFrame],
) -> None:
    looked_at = every["nautisme"]
    listed = chain.listed(looked_at)
    found = chain.reasons(study.load_inputs(["nautisme"]), "nautisme", listed.metiers, EDITION)
    results = results_of(looked_at, listed, found, NO_DECISION)
    said = text(page.cards(results, LABELS))
    assert "enlèvement de métal ici surtout : fabrication de pièces en matériaux composites" in said


def test_rates_shown_are_those_that_the_page_of_needs_publishes(listed: Shortlist) -> None:
    rows = {"metier_code": ["E2Z80", "ENS"], "indicator": "departure_rate_pct",
            "variant": "", "value": [3.46, 2.6], "lower": [2.5, 2.1],
            "upper": [4.9, 3.3]}  # fmt: skip
    needs = pd.DataFrame(rows)
    other = needs.assign(variant="later_pension", value=9.0)
    found = chain.with_needs(listed, {"besoins": pd.concat([other, needs])}).metiers
    before, after = listed.metiers.set_index("metier_code"), found.set_index("metier_code")
    names = [f"departure_rate_pct{end}" for end in ("", "_lower", "_upper")]
    assert after.loc["E2Z80", names].tolist() == [3.46, 2.5, 4.9]
    rest = before.index.drop("E2Z80")
    assert after.loc[rest, names].equals(before.loc[rest, names].astype("float64"))
    assert after.drop(columns=names).equals(before.drop(columns=names))
    assert chain.with_needs(listed, {}) is listed


def test_a_fragile_estimate_and_an_unstable_list_are_said(
    looked_at: pd.DataFrame, listed: Shortlist, reasons: pd.DataFrame
) -> None:
    jobs = pd.DataFrame({"metier_code": ["E1Z41", "E2Z80", "autres_metiers"], "year": 2018,
        "indicator": "employment_headcount", "status": "value",
        "reliability_grade": ["D", "A", "A"]})  # fmt: skip
    decided = chain.decided(reasons, NO_DECISION, BRANCH, "2026")
    none = decisions.follow_up(NO_DECISION, decided, looked_at, BRANCH, "2026")
    for overlap, grade, unstable, fragile in ((0.54, "D", True, True), (0.56, "C", False, False)):
        each = {"emplois": jobs.replace("D", grade)}
        found = listed._replace(overlap=overlap)
        said = text(page.banner(chain.results(
            BRANCH, looked_at, found, decided, none, each, EDITION)))  # fmt: skip
        assert ("Liste peu stable" in said, "Estimation fragile" in said) == (unstable, fragile)


def test_a_proposal_becomes_a_decision_that_the_next_report_tells(
    looked_at: pd.DataFrame, listed: Shortlist, reasons: pd.DataFrame, tmp_path: Path
) -> None:
    written = results_of(looked_at, listed, reasons, NO_DECISION)[chain.LISTED]
    named = page.proposals(written, study.branch_labels(), LABELS)
    proposed = decisions.proposals(named, "2026", DAY)
    assert (proposed["status"] == "candidate").all()
    assert (proposed["disclosure"] == "confidential").all()
    form = tmp_path / "decisions.xlsx"
    registers.write(decisions.updated(NO_DECISION, proposed, "metier_code"), "decisions", form)

    book = openpyxl.load_workbook(form)
    sheet = book["decisions"]
    titles = {cell.value: cell.column for cell in sheet[1]}
    said = {"status": "adopted", "decision": "Deux promotions de plus", "decided_on": "2027-01-14",
            "minutes_reference": "relevé 3", "disclosure": "public"}  # fmt: skip
    for name, value in said.items():
        sheet.cell(2, titles[name], value)
    book.save(form)
    register = registers.read_decisions(form)
    assert register["metier_code"].tolist() == proposed["metier_code"].tolist()

    now = results_of(looked_at, listed, reasons, register)
    assert "retenue : Deux promotions de plus (14 janvier 2027, relevé 3)" in text(
        page.cards(now, LABELS)
    )
    assert now[chain.FOLLOW_UP].empty
    later = written[written["metier_code"] != "E1Z41"].assign(rank=range(1, 6))
    follow = decisions.follow_up(register, later, looked_at, BRANCH, "2027")
    assert follow[["metier_code", "decision_status", "is_listed"]].to_numpy().tolist() == [
        ["E1Z41", "adopted", "no"]  # what the CPNEFP keeps to itself is not told
    ]
    table = text(page.follow_up_table({chain.FOLLOW_UP: follow}, LABELS))
    assert "retenue : Deux promotions de plus" in table
    assert "n’est plus dans la liste" in table
    again = decisions.updated(
        register, decisions.proposals(named, "2027", date(2027, 11, 24)), "metier_code"
    )
    assert len(again) == len(register) + 1  # the others still wait for a decision


def test_a_decision_without_its_minutes_is_refused(
    looked_at: pd.DataFrame, listed: Shortlist, reasons: pd.DataFrame, tmp_path: Path
) -> None:
    written = results_of(looked_at, listed, reasons, NO_DECISION)[chain.LISTED]
    named = page.proposals(written, study.branch_labels(), LABELS)
    proposed = decisions.proposals(named, "2026", DAY).assign(status="adopted")
    registers.write(proposed, "decisions", tmp_path / "decisions.csv")
    with pytest.raises(DataError, match="without its day or its minutes"):
        registers.read_decisions(tmp_path / "decisions.csv")


def test_what_recurs_is_counted_by_branch_with_the_sum_of_presences(
    every: dict[str, pd.DataFrame],
) -> None:
    lists = pd.concat(
        chain.listed(cells).metiers.assign(branch_code=code, year=2018, origin="public")
        for code, cells in every.items()
    )
    core = pd.DataFrame({"branch_code": ["verre", "chimie", "chimie"], "question_code": "core",
        "metier_code": "E1Z41", "label": ["in_list", "in_list", "out"], "year": 2018,
        "acceptability_pct": [99.0, 91, 2], "origin": "public", "hires_evidence": "seen",
        "voted": "none"})  # fmt: skip
    table = consolidation_chain.recurring(lists, core).set_index(["indicator", "metier_code"])
    assert consolidation_chain.recurring(lists.assign(is_shown="no"), core[2:]).empty
    value = table["value"]
    assert value["shortlist_branches_count", "ENS"] == 27
    assert value["core_branches_count", "E1Z41"] == 2
    assert value["core_presence_count", "E1Z41"] == pytest.approx(1.9)
    assert value["shortlist_branches_count", "G1Z70"] >= 15
    shown = lists[lists["is_shown"] == "yes"]
    assert value["shortlist_branches_count"].drop("ENS").sum() == len(shown)
    assert value["shortlist_presence_count"].sum() == pytest.approx(
        shown["presence_pct"].sum() / 100
    )
    found = table.reset_index().assign(branch_code="ensemble", status="value")
    left = {"indicator": ["career_end_departures_headcount"], "branch_code": "ensemble"}
    needs = found.iloc[:1].assign(**left, metier_code="ENS", year=2030, value=279_702.0,
                                  lower=236_036.0, upper=335_934.0)  # fmt: skip
    results = {"consolidation": found, "consolidation_besoins": needs}
    said = " ".join(text(consolidation_page.headline(results, LABELS)).split())
    assert "fin 2030, 280 000 départs en fin de carrière" in said
    assert "(240 000 à 340 000)" in said
    assert "Les mêmes métiers reviennent dans les 27 listes" in said
    assert "« Autres ouvriers qualifiés des industries chimiques et plastiques » dans 2." in said
