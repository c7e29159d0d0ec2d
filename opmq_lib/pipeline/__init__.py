"""Chains the rooms, one module per question; every formula is in a room."""

from opmq_lib.pipeline.blocs import branch_blocs
from opmq_lib.pipeline.consolidation import consolidation_results
from opmq_lib.pipeline.core import Assessed, core_results, criterion_values
from opmq_lib.pipeline.employment import employment_results
from opmq_lib.pipeline.evaluation import evaluation_results
from opmq_lib.pipeline.needs import needs_consolidation, needs_results
from opmq_lib.pipeline.requests import request_results, review_results
from opmq_lib.pipeline.shared import ALL_BRANCHES, Tables, branch_employment
from opmq_lib.pipeline.skills import skill_results, skills_consolidation
from opmq_lib.pipeline.studies import study_results
from opmq_lib.pipeline.tensions import tension_results

__all__ = [
    "ALL_BRANCHES",
    "Assessed",
    "Tables",
    "branch_blocs",
    "branch_employment",
    "consolidation_results",
    "core_results",
    "criterion_values",
    "employment_results",
    "evaluation_results",
    "needs_consolidation",
    "needs_results",
    "request_results",
    "review_results",
    "skill_results",
    "skills_consolidation",
    "study_results",
    "tension_results",
]
