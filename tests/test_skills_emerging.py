"""Skills that rise or fall beyond noise (S3)."""

import logging
import os

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from opmq_lib.errors import DataError, RangeError, SchemaError
from opmq_lib.methods.skills import emerging, occupations
from opmq_lib.sources import embedded, labels

LOG = logging.getLogger(__name__)
FULL = os.environ.get("OPMQ_TEST_FULL") == "1"
REPLICATIONS = 200 if FULL else 60
EACH = 1 if FULL else 6
"""Every so many profiles of a sample are held out in turn."""
SKILLS, TRUE = 300, 30


def test_the_worked_example_holds_to_six_digits():
    delta, error = emerging.log_odds(np.array([48.0]), 12_000, np.array([20.0]), 15_000)
    assert delta[0] == pytest.approx(1.057992, abs=5e-7)
    assert error[0] == pytest.approx(0.259498, abs=5e-7)
    assert delta[0] / error[0] == pytest.approx(4.077077, abs=5e-7)
    assert stats.norm.sf(delta[0] / error[0]) == pytest.approx(2.280272e-05, rel=5e-6)


def test_the_procedure_is_inclusive_at_the_limit():
    p = np.array([0.0002, 0.009, 0.03, 0.04, 0.2])
    assert emerging.adjusted(p) == pytest.approx([0.001, 0.0225, 0.05, 0.05, 0.2])
    assert emerging.discoveries(p).sum() == 4


def mentions(rows, employers=None, source="offres", copies=1):
    table = pd.DataFrame(
        rows, columns=["period_rank", "skill_code", "mentions_count", "documents_count"]
    )
    counts = table["mentions_count"]
    return table.assign(
        employers_count=employers or counts // copies, mentions_squares_count=counts * copies,
        source_code=source, origin="own",
    )  # fmt: skip


def rising(periods):
    counts = [20, 80, 240][:periods]
    rows = [(rank, "1", count, 10_000) for rank, count in enumerate(counts, start=1)]
    return rows + [(rank, "2", 500, 10_000) for rank in range(1, periods + 1)]


def test_two_periods_give_a_signal_whose_persistence_is_not_known():
    found = emerging.trends(mentions(rising(2))).set_index("skill_code")
    assert found.loc["1", "direction"] == "emerging"
    assert set(found["retained"]) == {"nd"}


def test_a_skill_is_retained_when_it_rises_twice():
    found = emerging.trends(mentions(rising(3)))
    last = found[found["period_rank"] == 3].set_index("skill_code")
    assert last.loc["1", ["periods_significant", "retained"]].tolist() == [2, "yes"]
    assert last.loc["2", "retained"] == "no"
    assert (found["lower"] < found["log_odds_change"]).all()


def test_a_skill_that_falls_is_disappearing():
    rows = [(1, "1", 240, 10_000), (2, "1", 20, 10_000), (1, "2", 9, 10_000), (2, "2", 9, 10_000)]
    found = emerging.trends(mentions(rows)).set_index("skill_code")
    assert found.loc["1", "direction"] == "disappearing"


def test_few_employers_support_nothing():
    found = emerging.trends(mentions(rising(3), employers=2))
    assert set(found["periods_significant"]) == {0}


def test_offers_that_repeat_one_another_count_as_one_employers():
    alone = emerging.trends(mentions(rising(2))).set_index("skill_code")
    often = emerging.trends(mentions(rising(2), copies=5)).set_index("skill_code")
    assert often.loc["1", "z"] == pytest.approx(alone.loc["1", "z"] / np.sqrt(5))
    wrong = mentions(rising(2)).assign(mentions_squares_count=1)
    with pytest.raises(DataError, match="squares below the mentions"):
        emerging.trends(wrong)


@pytest.mark.parametrize("copies", [1, 3, 5])
@pytest.mark.parametrize("is_equal", [True, False], ids=["equal", "unequal"])
def test_repeated_offers_raise_no_more_false_alarms(copies, is_equal):
    """Measured on 200 runs: no true change, then 30 of 300 skills twice as frequent."""
    for factor in (1.0, 2.0):
        draw = np.random.default_rng(copies)
        true = (np.arange(SKILLS) < TRUE) & (factor > 1)
        false, found = [], []
        for _ in range(REPLICATIONS):
            share = np.exp(draw.normal(-6, 1, SKILLS))
            periods = []
            for documents, shares in ((15_000, share), (12_000, np.where(true, 2 * share, share))):
                employers = draw.binomial(documents // copies, shares)
                offers = np.repeat(copies, employers.sum())
                if not is_equal:
                    offers = 1 + draw.negative_binomial(1, 1 / copies, employers.sum())
                at = np.repeat(np.arange(SKILLS), employers)
                periods.append((employers, *(np.bincount(at, offers**n, SKILLS) for n in (1, 2))))
            (_, y0, q0), (employers, y1, q1) = periods
            delta, error = emerging.log_odds(y1, 12_000, y0, 15_000)
            z = delta / error / np.sqrt(emerging.spread(y1 + y0, q1 + q0))
            p = np.where(y1 + y0 >= emerging.LEAST_MENTIONS, stats.norm.sf(z), np.nan)
            chosen = emerging.discoveries(p) & (employers >= emerging.LEAST_EMPLOYERS)
            false.append((chosen & ~true).sum() / max(chosen.sum(), 1))
            found.append((chosen & true).sum() / TRUE)
        error = np.std(false, ddof=1) / np.sqrt(REPLICATIONS)
        assert np.mean(false) <= 0.05 + 2 * error
        LOG.info("x%d, equal %s, factor %.0f: false discovery %.3f, power %.3f",
                 copies, is_equal, factor, np.mean(false), np.mean(found))  # fmt: skip
    if is_equal:
        assert np.mean(found) >= {1: 0.5, 3: 0.15, 5: 0.05}[copies]


def test_a_change_of_source_is_not_a_change_of_skills():
    table = mentions(rising(2))
    table.loc[table["period_rank"] == 2, "source_code"] = "autre"
    assert set(emerging.trends(table)["status"]) == {"nd"}


def simulated(draw):
    share = np.exp(draw.normal(-6, 1, SKILLS))
    later = share * np.where(np.arange(SKILLS) < TRUE, 2.0, 1.0)
    return draw.binomial(15_000, share).astype(float), draw.binomial(12_000, later).astype(float)


def test_false_discoveries_stay_at_the_nominal_rate_with_more_power_than_a_ratio_rule():
    draw = np.random.default_rng(7)
    true = np.arange(SKILLS) < TRUE
    shares, ours, found_ratio, false_ratio = [], [], [], []
    ratios, tested = [], []
    for _ in range(REPLICATIONS):
        y0, y1 = simulated(draw)
        delta, error = emerging.log_odds(y1, 12_000, y0, 15_000)
        kept = y1 + y0 >= emerging.LEAST_MENTIONS
        chosen = emerging.discoveries(np.where(kept, stats.norm.sf(delta / error), np.nan))
        shares.append((chosen & ~true).sum() / max(chosen.sum(), 1))
        ours.append((chosen & true).sum() / TRUE)
        ratios.append((y1 + 0.5) / 12_000 / ((y0 + 0.5) / 15_000))
        tested.append(kept)
    error = np.std(shares, ddof=1) / np.sqrt(REPLICATIONS)
    rate = float(np.mean(shares))
    assert rate <= 0.05 + 2 * error
    best = 0.0
    for limit in np.linspace(1.2, 8, 60):
        false_ratio = [
            ((r > limit) & k & ~true).sum() / max(((r > limit) & k).sum(), 1)
            for r, k in zip(ratios, tested, strict=True)
        ]
        if np.mean(false_ratio) <= rate:
            found_ratio = [
                ((r > limit) & k & true).sum() / TRUE for r, k in zip(ratios, tested, strict=True)
            ]
            best = max(best, float(np.mean(found_ratio)))
    assert np.mean(ours) > best


def test_mentions_above_documents_and_several_totals_are_told_together():
    table = mentions([(1, "1", 5, 4), (2, "1", 1, 10), (2, "2", 1, 11)])
    with pytest.raises(DataError) as caught:
        emerging.trends(table)
    assert len(caught.value.defects) == 3
    with pytest.raises(RangeError, match="only one period"):
        emerging.trends(mentions([(1, "1", 5, 10)]))


def unexplained(bundles, profiles):
    """Return what `unexplained_bundles` says of skills by name."""
    tables = [
        pd.DataFrame([(name, skill) for name, owned in skills.items() for skill in owned])
        for skills in (bundles, profiles)
    ]
    given, known = (
        table.set_axis([name, "skill_code"], axis=1)
        for table, name in zip(tables, ("bundle", "rome_code"), strict=True)
    )
    return occupations.unexplained_bundles(given, known)


def test_known_profiles_are_rarely_called_new_and_strangers_often():
    draw = np.random.default_rng(3)
    skills = np.array([str(number) for number in range(400)])
    fields = np.split(skills, 20)
    profiles = {
        f"{field}-{n}": draw.choice(fields[field], 14, replace=False).tolist()
        for field in range(20)
        for n in range(5)
    }
    known = {name: draw.choice(owned, 7, replace=False) for name, owned in profiles.items()}
    new = {str(n): draw.choice(skills, 7, replace=False) for n in range(40)}
    alarms = unexplained(known, profiles)["unexplained"].mean()
    caught = unexplained(new, profiles)["unexplained"].mean()
    assert alarms <= 0.05
    assert caught >= 0.5


def test_a_bundle_of_unknown_skills_is_not_called_new():
    found = unexplained({"x": ["?"]}, {"A": ["1", "2"], "B": ["3", "4"]})
    assert pd.isna(found.loc[0, "distance"])
    assert not found.loc[0, "unexplained"]
    assert found.loc[0, "nearest_profile"] == ""


def split(corpus, seed):
    """Return two labels of each code that has four or more, and the corpus without them."""
    shuffled = corpus.drop_duplicates().sample(frac=1, random_state=seed)
    size = shuffled.groupby("code")["label"].transform("size")
    is_asked = (shuffled.groupby("code").cumcount() < 2) & (size >= 4)
    return shuffled.loc[is_asked, "label"], shuffled[~is_asked]


def industrial_titles():
    """Return the titles of the 120 ROME whose skills are embedded."""
    titles = labels.core_labels("titles")
    return titles[titles["code"].isin(embedded.load("metier_skills")["rome_code"])]


def near_nominal(alarms, calibrated_on):
    """Return whether a rate of alarms is 5 % within two standard errors, the threshold's too."""
    error = np.sqrt(0.05 * 0.95 * (1 / len(alarms) + 1 / calibrated_on))
    return abs(alarms.mean() - 0.05) <= 2 * error


def test_titles_of_known_rome_held_out_are_called_new_at_the_nominal_rate():
    parts = [split(industrial_titles(), seed) for seed in (1, 2, 3)]
    found = pd.concat([occupations.unexplained_titles(*part) for part in parts])
    assert len(found) > 600
    assert near_nominal(found["unexplained"], len(parts[0][1]) / occupations.LABELS_PER_HELD_OUT)


def test_invented_titles_are_called_new_and_known_ones_are_not():
    corpus = industrial_titles()
    invented = ["cartomancien lunaire", "dresseur d’hippogriffes", "xyzzy"]
    found = occupations.unexplained_titles([*invented, *corpus["label"].head(50)], corpus)
    assert found["unexplained"].tolist() == [True] * 3 + [False] * 50
    assert (found["distance"].head(3) > found["threshold"].head(3)).all()


def test_titles_cannot_be_calibrated_on_codes_of_one_label():
    corpus = pd.DataFrame({"code": ["A", "B"], "label": ["Soudeur", "Vendeur"]})
    with pytest.raises(SchemaError, match="two labels"):
        occupations.unexplained_titles(["soudeur"], corpus)


@pytest.fixture(scope="module")
def romes():
    """Return the skills of each ROME of the embedded tables."""
    links = embedded.load("metier_skills")
    return links.groupby("rome_code")["skill_code"].agg(list).to_dict()


def test_profiles_of_which_half_is_held_out_are_called_new_at_the_nominal_rate(romes):
    draw = np.random.default_rng(1)
    alarms = []
    for code, owned in list(romes.items())[:: 2 * EACH]:
        shuffled = draw.permutation(owned).tolist()
        for size in (8, 20):
            known = romes | {code: shuffled[size // 2 :]}
            found = unexplained({code: shuffled[:size]}, known)
            alarms.append(found.loc[0, "unexplained"])
    assert np.mean(alarms) > 0
    assert near_nominal(np.array(alarms), 2 * len(romes))


@pytest.mark.parametrize(("size", "least"), [(8, 0.55), (20, 0.85), (None, 0.95)])
def test_most_profiles_are_called_new_once_the_list_lacks_them(romes, size, least):
    draw = np.random.default_rng(4)
    caught = [
        unexplained(
            {code: draw.permutation(owned)[:size].tolist()},
            {name: skills for name, skills in romes.items() if name != code},
        ).loc[0, "unexplained"]
        for code, owned in list(romes.items())[:: 3 * EACH]
    ]
    assert np.mean(caught) >= least


def test_skills_that_no_profile_carries_take_a_bundle_further_from_all(romes):
    some = sorted(romes["H2913"])[:6]
    found = unexplained({"a": some, "b": [*some, "x", "y", "z"]}, romes)
    assert found["nearest_profile"].tolist() == ["H2913", "H2913"]
    assert found.loc[1, "distance"] > found.loc[0, "distance"]


def test_a_bundle_taken_here_and_there_is_called_new_and_a_part_of_a_profile_is_not(romes):
    draw = np.random.default_rng(2)
    codes = sorted(romes)
    parts = {code: draw.permutation(romes[code])[:8].tolist() for code in codes}
    mixed = {
        f"mix {number}": [draw.choice(romes[code]) for code in draw.choice(codes, 8, replace=False)]
        for number in range(100)
    }
    found = unexplained(parts | mixed, romes).set_index("bundle")["unexplained"]
    assert found[list(parts)].mean() <= 0.05
    assert found[list(mixed)].mean() >= 0.5
