"""Steps of `00_rapport`: the results of every question, and the labels that they are shown with."""

from opmq_lib.questions.rapport.page import QUESTIONS, Context, Found
from opmq_lib.sources import study

COMMON = "commun"


def context(branch_code: str) -> Context:
    """Return what the pieces of a branch's report need beside results."""
    labels = study.metier_labels() | study.rome_labels() | {"autres_metiers": "Autres métiers"}
    labels |= study.branch_labels() | study.topic_labels() | study.theme_labels()
    return Context(branch_code, labels, study.criteria(branch_code))


def read(edition_id: str | None, branch_code: str) -> Found:
    """Return the result tables of every question, by notebook; empty where it has not run.

    Args:
        edition_id: An edition of `outputs/`; none gives nothing at all.
        branch_code: The branch.
    """
    if edition_id is None:
        return {}
    return {
        each.notebook: study.read_results(
            edition_id, COMMON if each.is_common else branch_code, each.notebook
        )
        for each in QUESTIONS
    }
