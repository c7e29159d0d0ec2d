import json

import pandas as pd
import pytest
from embedded_tables import FILES

from opmq_lib.methods.employment.portraits import SIZES, branch_facts
from opmq_lib.questions.emplois import chain, portrait
from opmq_lib.sources import embedded, table_files
from opmq_lib.sources.producers import dares_branches
from opmq_lib.tables import indicators

INPUTS = {
    "branch_headcount": embedded.load("branch_headcount"),
    "own_branch_totals": table_files.no_rows("branch_totals"),
}
NO_JOBS = table_files.no_rows("employment")
PORTRAITS = FILES[dares_branches].get("portraits")


def portrait_of(branch_code: str) -> pd.DataFrame:
    return chain.portrait(INPUTS, branch_code, NO_JOBS)


def facts(branch_code: str) -> dict[tuple[str, str], float]:
    table = portrait_of(branch_code)
    own = table[table["branch_code"] == branch_code]
    return own.set_index(["indicator", "level"])["value"].to_dict()


@pytest.mark.skipif(PORTRAITS is None, reason="the portraits are not beside this checkout")
def test_one_agreement_gives_what_its_portrait_says() -> None:
    portraits = json.loads(PORTRAITS.read_text(encoding="utf-8"))
    (chimie,) = (each for each in portraits if each["idcc"] == "00044")
    found, wages = facts("chimie"), chimie["salaires"]
    assert found["employees_headcount", ""] == chimie["chiffres"]["effectifs"]["count"]["idcc"]
    assert found["employees_fte", ""] == chimie["chiffres"]["effectifs"]["etp"]["idcc"]
    assert found["wage_gap_pct", ""] == round(wages["ecartHF"]["Ensemble"]["idcc"], 4)
    for who, title in {"women": "Femmes", "managers": "Cadre", "workers": "Ouvrier"}.items():
        assert found["wage_eur_per_month", who] == float(wages["moyen"][title]["idcc"])
        assert found["under_1_05_smic_share_pct", who] == wages["repartitionSMIC105"][title]["idcc"]
    rows = branch_facts(INPUTS["branch_headcount"], "chimie", "ensemble")
    assert set(rows.loc[rows["branch_code"] == "chimie", "nature"]) == {"observed"}


def test_several_agreements_add_up_and_average() -> None:
    """Carrières et matériaux: workers, technicians and managers have each their agreement."""
    found = facts("carrieres_materiaux")
    assert found["employees_headcount", ""] == 33_400 + 15_900 + 9_200
    mean = (30_100 * 2150 + 14_600 * 2480 + 8_600 * 4310) / (30_100 + 14_600 + 8_600)
    assert found["wage_eur_per_month", "all"] == pytest.approx(mean)
    assert found["wage_eur_per_month", "managers"] == 4310
    assert found["wage_eur_per_month", "intermediate"] == 2720
    firms = INPUTS["branch_headcount"].query("branch_code == 'carrieres_materiaux'")
    shares = firms["share_firms_under_10_pct"] * firms["firms_main_idcc_count"]
    expected = shares.sum() / firms["firms_main_idcc_count"].sum()
    assert found["firms_share_pct", "under_10"] == pytest.approx(expected)
    assert sum(found["firms_share_pct", size] for size in SIZES) == pytest.approx(100)


def test_industry_is_the_sum_of_the_branches_that_have_a_portrait() -> None:
    table = portrait_of("chimie")
    whole = indicators.select(table, "employees_headcount", branch_code="ensemble")["value"]
    branches = INPUTS["branch_headcount"]["branch_code"].unique()
    heads = [facts(code)["employees_headcount", ""] for code in branches]
    assert whole.tolist() == [sum(heads)] == [2_613_000]


def test_managers_of_an_agreement_without_managers_are_not_zero() -> None:
    results = {portrait.TABLE: portrait_of("papier_carton")}
    line = portrait.wages_table(results).html.partition("Cadres")[2].partition("</tr>")[0]
    assert line.count(">nd</abbr>") == 2
    assert "0\N{NO-BREAK SPACE}%" not in line.partition("</td>")[0]


def test_a_branch_without_portrait_says_so_once() -> None:
    results = {portrait.TABLE: portrait_of("chaux")}
    assert portrait.firms_table(results).html.count("(nd)") == 1
    assert portrait.wages_table(results).html == ""


def test_every_number_of_the_portrait_leads_to_its_cell() -> None:
    results = {portrait.TABLE: portrait_of("plasturgie")}
    for piece in (portrait.firms_table(results), portrait.wages_table(results)):
        assert piece.html.count("<td>") == piece.html.count(f'data-cell="{portrait.TABLE}:')
