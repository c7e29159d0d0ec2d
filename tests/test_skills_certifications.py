"""A branch's certifications, on invented rows and on the real tables."""

from datetime import date

import pandas as pd
import pytest

from opmq_lib.errors import RangeError
from opmq_lib.methods.skills import blocs, certifications
from opmq_lib.sources import embedded, project, table_files

ROOT = project.find_root()
DAY = date(2026, 1, 31)


@pytest.fixture(scope="module")
def real():
    bodies = table_files.read_table(
        ROOT / "parameters/tables/certifying_bodies.csv", "certifying_bodies", origin="public"
    )
    return {
        "owned": certifications.portfolio(embedded.load("certifications"), bodies),
        "links": certifications.metier_links(embedded.load("certification_metiers")),
        "bodies": bodies,
    }


def test_the_worked_example_of_blocs_holds():
    weights = {"a": 3, "b": 2, "c": 2, "d": 1}
    wanted = ["H1", "H2", "H3"]
    profile = pd.DataFrame(
        [(rome, skill) for skill, weight in weights.items() for rome in wanted[:weight]],
        columns=["rome_code", "skill_code"],
    )
    readings = pd.DataFrame({"bloc_code": ["B1", "B1", "B2"], "skill_code": ["a", "d", "b"]})
    dates = pd.DataFrame(
        {
            "bloc_code": ["B1", "B2"],
            "starts_on": ["2022-01-01", "2020-07-01"],
            "ends_on": ["2026-12-31", "2025-06-30"],
        }
    )

    def whole(dates, *days):
        found = [blocs.bloc_coverage(profile, readings, dates, wanted, day) for day in days]
        return [blocs.whole_coverage_pct(table)[0] for table in found]

    days = [date(2025, 1, 15), date(2025, 6, 30), date(2026, 1, 15)]
    assert whole(dates, *days) == pytest.approx([75, 75, 50], abs=5e-5)
    assert whole(dates, date(2020, 1, 1)) == [0]
    assert whole(dates.assign(ends_on=""), days[0]) == [0]


def test_a_bloc_that_ends_before_it_starts_is_refused():
    fiches = pd.DataFrame(
        {"fiche_code": ["RNCP1"], "active": "yes", "starts_on": "2030-01-01",
         "ends_on": "2026-12-31"}
    )  # fmt: skip
    register = pd.DataFrame({"fiche_code": ["RNCP1"] * 2, "bloc_code": ["RNCP1BC01", "RNCP1BC02"]})
    with pytest.raises(RangeError, match="RNCP1BC02") as caught:
        blocs.dated_blocs(fiches, register)
    assert len(caught.value.defects) == 2


def test_every_body_of_the_parameter_list_is_read_in_certif_info(real):
    table = embedded.load("certifications")
    told = table["validating_body"] + "\n" + table["certifying_body"]
    for body in real["bodies"]["body"]:
        assert told.str.contains(body, regex=False).any(), body


def test_a_certification_of_two_bodies_belongs_to_both_branches(real):
    counts = real["owned"].groupby("certifinfo_code")["branch_code"].nunique()
    shared = real["owned"][real["owned"]["certifinfo_code"].isin(counts[counts > 1].index)]
    assert {"textile", "habillement"} <= set(shared["branch_code"])
    assert not real["owned"].duplicated(["branch_code", "certifinfo_code"]).any()


def test_a_code_that_stands_twice_in_the_source_counts_once(real):
    rows = embedded.load("certifications")
    twice = certifications.portfolio(pd.concat([rows, rows]), real["bodies"])
    assert len(twice) == len(real["owned"])


def test_domain_codes_are_no_metier(real):
    domains = real["links"][real["links"]["aims_at"] == "domain"]
    assert domains["rome_code"].str.endswith("00").all()
    links = pd.DataFrame({"metier_code": ["A", "B"], "rome_code": ["H1200", "H2913"]})
    found = certifications.fap_coverage(real["owned"], real["links"], links, ["A", "B"])
    assert found["certifications_count"].gt(0).tolist() == [False, True]


def test_a_metier_without_certification_is_a_true_zero(real):
    owned = real["owned"][real["owned"]["branch_code"] == "chimie"]
    links = pd.DataFrame({"metier_code": ["A"], "rome_code": ["H2913"]})
    found = certifications.fap_coverage(owned, real["links"], links, ["A"])
    assert found["certifications_count"].tolist() == [0]


def test_a_skill_is_uncovered_when_no_certified_metier_carries_it():
    owned = pd.DataFrame({"certifinfo_code": ["c"]})
    aims = pd.DataFrame({"certifinfo_code": ["c", "d"], "rome_code": ["A", "B"]})
    links = pd.DataFrame(
        [("A", "1", "autre"), ("B", "1", "principale"), ("B", "2", "émergente"),
         ("B", "3", "autre"), ("C", "4", "principale")],
        columns=["rome_code", "skill_code", "importance"],
    )  # fmt: skip
    found = certifications.uncovered_skills(owned, aims, links)
    assert found.to_numpy().tolist() == [["B", "2"], ["C", "4"]]


def test_overlaps_are_between_branches_and_both_ways(real):
    found = certifications.overlaps(real["owned"], real["links"])
    assert (found["branch_code"] != found["other_branch_code"]).all()
    assert (found["certifinfo_code"] != found["other_certifinfo_code"]).all()
    back = found.rename(
        columns={
            "branch_code": "other_branch_code",
            "other_branch_code": "branch_code",
            "certifinfo_code": "other_certifinfo_code",
            "other_certifinfo_code": "certifinfo_code",
        }
    )
    key = list(found.columns)
    assert len(found.merge(back[key], on=key)) == len(found)


def test_the_calendar_knows_expired_inactive_and_undated_fiches():
    fiches = pd.DataFrame(
        [("RNCP1", "2026-01-30", "yes"), ("RNCP2", "2026-01-31", "yes"), ("RNCP3", "", "yes"),
         ("RNCP4", "2030-01-01", "no"), ("RNCP5", "2027-06-01", "yes"),
         ("RNCP6", "2029-01-01", "yes")],
        columns=["fiche_code", "ends_on", "active"],
    )  # fmt: skip
    states = certifications.expiry_calendar(fiches, DAY)["state"].tolist()
    expected = ["expired", "within_12_months", "nd", "expired", "within_24_months", "later"]
    assert states == expected


def test_reasons_are_alphabetical_inside_and_never_a_ranking(real):
    shared = certifications.overlaps(real["owned"], real["links"])
    calendar = certifications.expiry_calendar(
        pd.DataFrame(columns=["fiche_code", "ends_on", "active"]), DAY
    )
    found = certifications.to_look_at(real["owned"], real["links"], shared, calendar, DAY)
    assert set(found["reason_code"]) <= set(certifications.REASONS)
    assert not {"expired", "expiring"} & set(found["reason_code"])
    for _, rows in found.groupby("reason_code"):
        assert rows["title"].tolist() == sorted(rows["title"])
