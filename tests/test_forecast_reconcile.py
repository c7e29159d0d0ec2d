import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opmq_lib.errors import CoherenceError
from opmq_lib.methods.forecast.reconcile import (
    MIN_ERRORS_FOR_MINT,
    Hierarchy,
    mint,
    mint_non_negative,
    reconcile,
    reconcile_series,
    shrinkage_intensity,
    shrunk_covariance,
    solve_positive,
)


def grouped(metiers=4, branches=3):
    metier, branch = np.divmod(np.arange(metiers * branches), branches)
    return pd.DataFrame(
        {
            "series_code": [f"m{m}b{b}" for m, b in zip(metier, branch, strict=True)],
            "total": "total",
            "metier": [f"m{m}" for m in metier],
            "branch": [f"b{b}" for b in branch],
        }
    )


def problem(hierarchy, seed, years=20, columns=3):
    rng = np.random.default_rng(seed)
    nodes = len(hierarchy.nodes)
    bottom = np.exp(rng.normal(4, 1, (hierarchy.membership.shape[1], columns)))
    base = hierarchy.complete(bottom) * np.exp(rng.normal(0, 0.1, (nodes, columns)))
    return base, rng.normal(size=(nodes, years)) * base[:, :1] * 0.1


def dense_mint(hierarchy, base, covariance):
    summing = np.vstack([hierarchy.membership.toarray(), np.eye(hierarchy.membership.shape[1])])
    precision = np.linalg.inv(covariance)
    return summing @ np.linalg.solve(summing.T @ precision @ summing, summing.T @ precision @ base)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_mint_is_generalised_least_squares_with_the_shrunk_covariance(seed):
    hierarchy = Hierarchy.from_groupings(grouped())
    base, errors = problem(hierarchy, seed)
    diagonal, factor, _ = shrunk_covariance(errors)
    expected = dense_mint(hierarchy, base, np.diag(diagonal) + factor @ factor.T)
    np.testing.assert_allclose(mint(hierarchy, base, diagonal, factor), expected, rtol=1e-9)


def test_shrunk_covariance_keeps_variances_and_shrinks_correlations():
    errors = np.random.default_rng(0).normal(size=(6, 15)).cumsum(axis=0)
    diagonal, factor, intensity = shrunk_covariance(errors)
    whole = np.diag(diagonal) + factor @ factor.T
    sample = np.cov(errors)
    np.testing.assert_allclose(np.diag(whole), np.diag(sample))
    off = ~np.eye(6, dtype=bool)
    np.testing.assert_allclose(whole[off], (1 - intensity) * sample[off])


def test_shrinkage_is_schaefer_and_strimmers():
    errors = np.random.default_rng(1).normal(size=(5, 12)).cumsum(axis=0)
    standard = errors - errors.mean(axis=1, keepdims=True)
    standard /= standard.std(axis=1, keepdims=True)
    above = below = 0.0
    for i in range(5):
        for j in range(5):
            if i != j:
                product = standard[i] * standard[j]
                above += np.sum((product - product.mean()) ** 2) / (12 * 11)
                below += product.mean() ** 2
    assert shrinkage_intensity(errors) == pytest.approx(above / below, rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["mint_shrink", "bottom_up", "top_down"]))
def test_every_method_adds_up(seed, method):
    hierarchy = Hierarchy.from_groupings(grouped())
    base, errors = problem(hierarchy, seed)
    values = reconcile(hierarchy, base, errors, method=method).forecasts
    gap = np.abs(hierarchy.constraints @ values)
    assert gap.max() <= 1e-12 * np.abs(values).max()


def test_coherent_forecasts_are_left_as_they_are():
    hierarchy = Hierarchy.from_groupings(grouped())
    base, errors = problem(hierarchy, 3)
    coherent = hierarchy.complete(base[hierarchy.start :])
    values = reconcile(hierarchy, coherent, errors, method="mint_shrink").forecasts
    np.testing.assert_allclose(values, coherent, rtol=1e-10)


def test_solver_inverts_the_sum():
    rng = np.random.default_rng(2)
    hierarchy = Hierarchy.from_groupings(grouped(6, 5))
    constraints = hierarchy.constraints
    matrix = (constraints @ constraints.T).tocsc()
    factor, right = rng.normal(size=(matrix.shape[0], 4)), rng.normal(size=(matrix.shape[0], 2))
    expected = np.linalg.solve(matrix.toarray() + factor @ factor.T, right)
    np.testing.assert_allclose(solve_positive(matrix, factor, right), expected, rtol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_non_negative_solution_is_optimal(seed):
    rng = np.random.default_rng(seed)
    hierarchy = Hierarchy.from_groupings(grouped(3, 3))
    base = rng.normal(1, 3, (len(hierarchy.nodes), 1))
    diagonal, factor, _ = shrunk_covariance(rng.normal(size=(len(hierarchy.nodes), 20)))
    values, _ = mint_non_negative(hierarchy, base, diagonal, factor)
    bottom = values[hierarchy.start :, 0]
    assert np.all(bottom >= 0)
    assert np.abs(hierarchy.constraints @ values).max() <= 1e-9
    summing = np.vstack([hierarchy.membership.toarray(), np.eye(9)])
    precision = np.linalg.inv(np.diag(diagonal) + factor @ factor.T)
    gradient = summing.T @ precision @ (summing @ bottom - base[:, 0])
    scale = np.abs(precision @ base).max()
    assert np.all(gradient >= -1e-6 * scale)
    assert np.all(np.abs(gradient * bottom) <= 1e-6 * scale * max(bottom.max(), 1))


def test_few_errors_choose_bottom_up_and_say_so():
    hierarchy = Hierarchy.from_groupings(grouped())
    base, errors = problem(hierarchy, 0, years=MIN_ERRORS_FOR_MINT - 1)
    few = reconcile(hierarchy, base, errors)
    assert (few.method, few.reason) == ("bottom_up", "6 past errors per node, fewer than 7")
    base, errors = problem(hierarchy, 0, years=MIN_ERRORS_FOR_MINT)
    enough = reconcile(hierarchy, base, errors)
    assert (enough.method, 0 < enough.shrinkage <= 1) == ("mint_shrink", True)


def test_non_negative_bottom_up_counts_what_it_clamps():
    hierarchy = Hierarchy.from_groupings(grouped(2, 2))
    base = hierarchy.complete(np.array([[-1.0], [2.0], [3.0], [4.0]]))
    found = reconcile(hierarchy, base, np.zeros((len(base), 3)), non_negative=True)
    assert found.clamped_count == 1
    assert found.forecasts[0, 0] == 9


def test_nodes_of_one_name_are_refused():
    with pytest.raises(CoherenceError, match="node m0: names two nodes"):
        Hierarchy.from_groupings(grouped().assign(branch="m0"))


def test_wrong_shapes_and_methods_are_listed_together():
    hierarchy = Hierarchy.from_groupings(grouped())
    with pytest.raises(CoherenceError) as caught:
        reconcile(hierarchy, np.zeros((2, 1)), np.zeros((3, 5)), method="magic")
    assert [defect.where for defect in caught.value.defects] == ["base", "errors", "method"]


@pytest.fixture
def table():
    structure = grouped()
    hierarchy = Hierarchy.from_groupings(structure)
    base, errors = problem(hierarchy, 7, columns=2)
    levels, width = [0.1, 0.5, 0.9], np.array([0.8, 1.0, 1.3])
    index = pd.MultiIndex.from_product(
        [hierarchy.nodes, [2020, 2021], levels], names=["series_code", "year", "quantile_level"]
    )
    values = (base[:, :, None] * width).ravel()
    future = pd.DataFrame({"value": values}, index=index).reset_index()
    return future, structure, pd.DataFrame(errors, index=list(hierarchy.nodes))


def test_tables_medians_add_up_and_quantiles_stay_ordered(table):
    future, structure, errors = table
    found, report = reconcile_series(future, structure, errors)
    assert report.method == "mint_shrink"
    median = found[found["quantile_level"] == 0.5].set_index(["series_code", "year"])["value"]
    bottom = median.loc[structure["series_code"]].groupby("year").sum()
    np.testing.assert_allclose(median.loc["total"], bottom, rtol=1e-12)
    assert (found.groupby(["series_code", "year"])["value"].diff().dropna() >= 0).all()
    assert found[["series_code", "year", "quantile_level"]].equals(
        future.sort_values(["series_code", "year", "quantile_level"], ignore_index=True)[
            ["series_code", "year", "quantile_level"]
        ]
    )


def test_quantiles_are_as_wide_as_reconciled_errors_were(table):
    future, structure, errors = table
    found, report = reconcile_series(future, structure, errors)
    hierarchy = Hierarchy.from_groupings(structure)
    past = errors.to_numpy()
    after = reconcile(hierarchy, past, past, method="mint_shrink").forecasts
    ratio = np.sqrt(np.mean(after[0] ** 2) / np.mean(past[0] ** 2))

    def width(rows):
        total = rows.query("series_code == 'total' and year == 2020").set_index("quantile_level")
        return total.loc[0.9, "value"] - total.loc[0.5, "value"]

    assert width(found) == pytest.approx(ratio * width(future))
    assert report.clamped_count == 0


def test_a_node_without_forecast_is_named(table):
    future, structure, errors = table
    with pytest.raises(CoherenceError, match="node m1: no forecast or error"):
        reconcile_series(future[future["series_code"] != "m1"], structure, errors)
