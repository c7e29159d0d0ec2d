"""Labels of core métiers on cells that the survey publishes: some sectors play the branches."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import decision as benchmark

from opmq_lib.questions.coeurs_strategiques import chain
from opmq_lib.sources import study

SECTORS = ["CC", "CE", "CG", "CI", "CM"]


def test_metiers_on_the_list_are_core_and_those_off_it_are_not() -> None:
    asked = [each for each in study.criteria("chimie") if each.question_code == "core"]
    labels = benchmark.core_labels(chain.questions(asked), chain.gates(asked), SECTORS)
    counts = benchmark.calibration(labels)
    assert counts.loc["in_list", "known"] >= 15
    assert counts.loc["out", "known"] >= 40
    right, wrong = benchmark.shares(labels)
    assert right >= benchmark.LEAST_RIGHT
    assert wrong <= benchmark.MOST_WRONG
    assert benchmark.brier(labels) <= 0.05
