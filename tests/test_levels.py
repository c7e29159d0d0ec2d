import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from opmq_lib.methods.employment import measures
from opmq_lib.methods.employment.levels import level_draws, on_total
from opmq_lib.methods.reliability import grades

DRAWS = 20_000


def jobs(*cells: tuple[str, str, float, float | None]) -> pd.DataFrame:
    """Two years of cells given by branch, métier, heads and standard deviation of the log."""
    rows = [
        {
            "branch_code": branch,
            "metier_code": metier,
            "year": year,
            "employment_headcount": heads,
            "employment_headcount_lower": None if sd is None else heads * np.exp(-1.2816 * sd),
            "employment_headcount_upper": None if sd is None else heads * np.exp(1.2816 * sd),
        }
        for branch, metier, heads, sd in cells
        for year in (2017, 2018)
    ]
    return pd.DataFrame(rows)


def test_draws_of_a_cell_do_not_depend_on_what_is_beside_it():
    cell = ("verre", "E1Z43", 100.0, 0.3)
    _, alone = level_draws(jobs(cell), 500, 0)
    nodes, beside = level_draws(jobs(("chaux", "E1Z43", 9.0, 0.3), cell), 500, 0)
    at = nodes.index[nodes["branch_code"] == "verre"][0]
    assert (beside[at] == alone[0]).all()
    assert (beside[1 - at] != alone[0]).any()
    assert (level_draws(jobs(cell), 500, 1)[1] != alone).any()


def test_a_cell_without_interval_is_known():
    nodes, factors = level_draws(jobs(("verre", "E1Z43", 100.0, None)), 50, 0)
    assert nodes["level_log_sd"].tolist() == [0.0]
    assert (factors == 1).all()


def test_sums_of_two_metiers_and_of_two_branches_are_those_of_a_direct_simulation():
    heads, sds = np.array([400.0, 250.0, 900.0]), np.array([0.6, 0.4, 0.2])
    keys = [("verre", "A"), ("verre", "B"), ("chaux", "A")]
    cells = [(*key, head, sd) for key, head, sd in zip(keys, heads, sds, strict=True)]
    nodes, factors = level_draws(jobs(*cells), DRAWS, 0)
    order = [
        keys.index(key) for key in nodes[["branch_code", "metier_code"]].itertuples(index=False)
    ]
    drawn = heads[order][:, None] * factors
    normal = np.random.default_rng(7).normal(size=(3, DRAWS))
    direct = (heads[:, None] * np.exp(sds[:, None] * normal))[order]
    ends = [0.1, 0.5, 0.9]
    for chosen in (slice(None), [order.index(0), order.index(1)]):
        ours, theirs = (np.quantile(each[chosen].sum(axis=0), ends) for each in (drawn, direct))
        assert ours == pytest.approx(theirs, rel=0.02)
    single = np.quantile(drawn[order.index(0)], ends)
    assert single == pytest.approx(400 * np.exp(0.6 * norm.ppf(ends)), rel=1e-3)


def test_a_branch_keeps_its_headcount_in_every_draw():
    cells = [("verre", "A", 400.0, 0.6), ("verre", "B", 250.0, 0.4), ("verre", "C", 1.0, 1.5)]
    _, factors = level_draws(jobs(*cells), 200, 0)
    heads = np.array([400.0, 250.0, 1.0])
    closed = on_total(heads, factors)
    assert heads @ closed == pytest.approx(np.full(200, 651.0), rel=1e-12)
    assert closed[0] / closed[1] == pytest.approx(factors[0] / factors[1], rel=1e-12)


def test_a_branch_badly_explained_by_its_activities_never_gets_the_best_grade():
    nodes, _ = level_draws(
        jobs(("verre", "A", 4.0, 0.1), ("chaux", "A", 4.0, 0.1)).assign(
            headcount_fit_ratio=lambda rows: rows["branch_code"].map({"verre": 1.6, "chaux": 0.7})
        ),
        50,
        0,
    )
    assert nodes["best_grade"].tolist() == ["A", "B"]
    assert grades([1.0, 1.0], [1.5, 1.5], nodes["best_grade"]).tolist() == ["A", "B"]


def test_an_interval_that_reaches_zero_has_the_last_grade():
    assert grades([0.0, -3.0], [1.0, 2.0]).tolist() == ["D", "D"]


def test_some_metiers_of_a_branch_are_better_known_together_than_each():
    cells = [("verre", code, heads, 0.4) for code, heads in (("A", 50.0), ("B", 30.0), ("C", 20.0))]
    branch = jobs(*cells).query("year == 2018").assign(nature="estimate", origin="public")
    row = measures.total_row(branch, branch["metier_code"] != "C").iloc[0]
    assert row["value"] == 80
    assert row["lower"] < 80 < row["upper"]
    assert row["upper"] - row["lower"] < 0.5 * 80 * (np.exp(1.2816 * 0.4) - np.exp(-1.2816 * 0.4))
    assert row["reliability_grade"] == "A"
    known = jobs(("verre", "A", 30.0, None), ("verre", "B", 10.0, None)).query("year == 2018")
    known = known.assign(nature="observed", origin="own")
    row = measures.total_row(known, known["metier_code"] == "A").iloc[0]
    assert row["value"] == 30
    assert row[["lower", "upper", "interval_level"]].isna().all()
    assert row["reliability_grade"] == ""
