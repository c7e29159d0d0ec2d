"""The steps of a notebook in one call, as its cells run them."""

from collections.abc import Mapping
from functools import cache

import pandas as pd

from opmq_lib.methods.tension import published
from opmq_lib.params import EditionParams, ScenarioParams
from opmq_lib.questions import shared
from opmq_lib.questions.besoins import chain as besoins
from opmq_lib.questions.coeurs_strategiques import chain as coeurs
from opmq_lib.questions.competences import chain as competences
from opmq_lib.questions.consolidation import chain as consolidation
from opmq_lib.questions.emplois import chain as emplois
from opmq_lib.questions.que_faire import chain as que_faire
from opmq_lib.questions.tensions import chain as tensions
from opmq_lib.sources import embedded, study


def studied(table: str) -> pd.DataFrame:
    """The rows of an embedded national table that are about the field."""
    return shared.studied({name: embedded.load(name) for name in ("metiers", table)}, table)


def employment_results(
    inputs: dict[str, pd.DataFrame], branch_code: str, horizon_years: int, edition: EditionParams
) -> dict[str, pd.DataFrame]:
    jobs = emplois.jobs(inputs, branch_code, edition)
    panel = emplois.panel(inputs, jobs, edition)
    rule = emplois.rule(inputs, panel, horizon_years, edition)
    future = emplois.future(jobs, panel, rule, horizon_years, edition)
    explained = emplois.explained(jobs, panel, horizon_years)
    composition = emplois.composition(inputs, branch_code, jobs)
    results = emplois.results(inputs, branch_code, jobs, future, explained, composition)
    return results | {"emplois_portrait": emplois.portrait(inputs, branch_code, jobs)}


def tension_results(
    inputs: dict[str, pd.DataFrame], branch_code: str, edition: EditionParams
) -> dict[str, pd.DataFrame]:
    ranking = tensions.ranking(inputs, branch_code, edition)
    index = tensions.index(inputs, ranking)
    parts = [
        ranking,
        published.published_index(index),
        tensions.intentions(inputs),
        published.tension_profiles(index, inputs["tension_profiles"]),
        tensions.tense_share(inputs, branch_code, edition),
        tensions.regions(inputs, ranking),
        tensions.supplied(inputs, index),
    ]
    vintages = tensions.vintages(inputs, branch_code, ranking)
    return tensions.results(inputs, branch_code, parts, vintages)


def lists(
    inputs: Mapping[str, pd.DataFrame], branch_code: str, edition: EditionParams
) -> dict[str, pd.DataFrame]:
    """The core and the short list of a branch, as `05_competences` reads them."""
    if inputs["own_employment"].empty and edition == study.edition():
        return usual_lists(branch_code)
    return new_lists(inputs, branch_code, edition)


@cache
def usual_lists(branch_code: str) -> dict[str, pd.DataFrame]:
    """Those of the study as it ships, made once in a process."""
    return new_lists(study.load_inputs([branch_code]), branch_code, study.edition())


def new_lists(
    inputs: Mapping[str, pd.DataFrame], branch_code: str, edition: EditionParams
) -> dict[str, pd.DataFrame]:
    questions = study.criteria(branch_code)
    found = coeurs.run(inputs, branch_code, edition, questions)
    alarms = que_faire.alarms(inputs, edition)
    listed = que_faire.listed(que_faire.cells(inputs, branch_code, alarms, edition))
    return {"coeurs": found["coeurs"], "shortlist": listed.metiers}


def skill_results(
    inputs: Mapping[str, pd.DataFrame],
    branch_code: str,
    edition: EditionParams,
    besoins: pd.DataFrame | None = None,
) -> dict[str, pd.DataFrame]:
    metiers = competences.metiers(inputs, branch_code, edition, lists(inputs, branch_code, edition))
    own_romes = competences.romes(inputs, branch_code, competences.named(metiers))
    portfolio = competences.portfolio(inputs, branch_code)
    deadlines = competences.deadlines(inputs, portfolio, edition)
    coverage = competences.coverage(inputs, metiers, portfolio, edition)
    blocs = competences.bloc_coverage(inputs, branch_code, own_romes, edition)
    signals = competences.signals(inputs, branch_code, metiers, portfolio)
    demand = competences.demand(inputs, branch_code, besoins)
    return competences.results(
        inputs, branch_code, edition, portfolio, deadlines, coverage, blocs, signals, demand
    )


def needs_results(
    inputs: dict[str, pd.DataFrame],
    scenarios: list[ScenarioParams],
    branch_code: str,
    horizon_years: int,
    edition: EditionParams,
) -> dict[str, pd.DataFrame]:
    jobs = besoins.jobs(inputs, branch_code, edition)
    ages = besoins.ages(inputs, edition)
    rates = besoins.metier_rates(inputs, edition)
    cells = besoins.cells(inputs, jobs, ages, rates, horizon_years, edition)
    posts = besoins.posts(inputs, cells, scenarios, horizon_years, edition)
    return besoins.results(inputs, branch_code, edition, scenarios, jobs, ages, rates, cells, posts)


def consolidation_results(
    inputs: dict[str, pd.DataFrame],
    jobs: pd.DataFrame,
    cores: pd.DataFrame | None = None,
    lists: pd.DataFrame | None = None,
) -> dict[str, pd.DataFrame]:
    nothing = pd.DataFrame()
    metiers = consolidation.metiers(jobs)
    differences = consolidation.differences(jobs, metiers)
    common = consolidation.common(inputs, metiers)
    cores = nothing if cores is None else cores
    recurring = consolidation.recurring(nothing if lists is None else lists, cores)
    return consolidation.results(differences, common, cores, recurring)
