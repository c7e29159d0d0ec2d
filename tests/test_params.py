import json
import pickle
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from opmq_lib.params import (
    BranchParams,
    Criterion,
    EditionParams,
    Question,
    RequestImport,
    ScenarioParams,
)

ROOT = Path(__file__).parent.parent
SCHEMA_MODELS = {
    "branch": BranchParams,
    "edition": EditionParams,
    "requests": RequestImport,
    "scenario": ScenarioParams,
}
"""The models of YAML files, by the name of their JSON Schema, with which editors complete them."""
CRITERION = {
    "criterion_code": "weight",
    "label": "Poids",
    "unit": "% des emplois",
    "low": 0,
    "high": 5,
    "direction": "higher",
    "weight": 1,
}
QUESTION = {
    "question_code": "core",
    "cutoff_score": 0.5,
    "concentration": 4,
    "criteria": [CRITERION],
    "voted_metiers": [],
    "vote": None,
    "basis": "exemple, non voté",
}
BRANCH = {
    "branch_code": "chimie",
    "label": "Chimie",
    "idcc_codes": ["00044"],
    "perimeter_note": "Convention 00044.",
    "notebooks": ["01_emplois"],
    "tables": {"employment": None},
    "questions": [QUESTION],
}


def message(model, values):
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values)
    return [(error["loc"], error["msg"]) for error in caught.value.errors()]


def test_a_parameter_cannot_be_changed_after_reading():
    branch = BranchParams.model_validate(BRANCH)
    with pytest.raises(ValidationError, match="frozen"):
        branch.label = "Autre"


def test_a_field_of_a_parameter_file_tells_that_it_is_used():
    told = []
    sys.addaudithook(lambda event, args: told.append(args) if event == "opmq.field" else None)
    branch = BranchParams.model_validate(BRANCH)
    assert branch.label == "Chimie"
    assert told == []
    branch.read_from("chimie.yml")
    assert branch.label == "Chimie"
    assert [*branch.questions[0].criteria, branch.branch_code]
    assert told == [("chimie.yml", name) for name in ("label", "questions", "branch_code")]


@pytest.mark.parametrize(
    "use",
    [
        lambda branch: branch.model_dump(),
        lambda branch: branch == branch.model_copy(),
        lambda branch: dict(branch),
        repr,
        vars,
        pickle.dumps,
    ],
)
def test_whoever_takes_a_parameter_file_as_a_whole_uses_the_whole_file(use):
    told = []
    sys.addaudithook(lambda event, args: told.append(args) if event == "opmq.field" else None)
    branch = BranchParams.model_validate(BRANCH)
    branch.read_from("chimie.yml")
    use(branch)
    assert ("chimie.yml", "__dict__") in told


def test_a_number_is_never_made_into_a_code():
    assert message(BranchParams, {**BRANCH, "idcc_codes": [44]}) == [
        (("idcc_codes", 0), "Input should be a valid string")
    ]


def test_goalposts_in_the_wrong_order_are_refused():
    assert message(Criterion, {**CRITERION, "low": 5, "high": 5}) == [
        (("high",), "goalposts `low: 5` and `high: 5` are not in order")
    ]


def test_a_logarithm_of_nothing_is_refused():
    assert message(Criterion, {**CRITERION, "scale": "log"}) == [
        (("scale",), "scale `log` with the goalpost `low: 0`")
    ]
    assert Criterion.model_validate({**CRITERION, "low": 1, "scale": "log"}).scale == "log"


def test_one_question_is_asked_once():
    assert message(BranchParams, {**BRANCH, "questions": [QUESTION, QUESTION]}) == [
        (("questions",), "question named twice: core")
    ]


def test_no_metier_is_voted_without_a_vote():
    assert message(Question, {**QUESTION, "voted_metiers": ["G1Z70"]}) == [
        ((), "`voted_metiers` names métiers but `vote` is null")
    ]


def test_a_negative_weight_is_refused():
    assert message(Criterion, {**CRITERION, "weight": -0.5}) == [
        (("weight",), "Input should be greater than or equal to 0")
    ]


def test_weights_that_do_not_sum_to_one_are_refused():
    other = {**CRITERION, "criterion_code": "other", "weight": 0.5}
    assert message(Question, {**QUESTION, "criteria": [CRITERION, other]}) == [
        (("criteria",), "the weights of the criteria sum to 1.5")
    ]


def test_a_criterion_named_twice_is_refused():
    half = {**CRITERION, "weight": 0.5}
    assert message(Question, {**QUESTION, "criteria": [half, half]}) == [
        (("criteria",), "criterion named twice: weight")
    ]


def test_what_nobody_has_voted_must_say_so():
    assert message(Question, {**QUESTION, "basis": "notre avis"}) == [
        ((), "`vote` is null but `basis` is not “exemple, non voté”")
    ]


def test_a_vote_needs_its_date_body_and_minutes():
    errors = message(Question, {**QUESTION, "vote": {}, "basis": "accord du 12 mars"})
    assert [place for place, _ in errors] == [
        ("vote", "date"),
        ("vote", "body"),
        ("vote", "minutes_reference"),
    ]


def test_a_vote_replaces_the_basis_of_an_example():
    scenario = {
        "scenario_code": "bas_carbone",
        "label": "Bas carbone",
        "vote": {"body": "CPNEFP", "minutes_reference": "relevé 3"},
        "basis": "exemple, non voté",
        "lines": [],
    }
    scenario["vote"]["date"] = yaml.safe_load("2026-03-12")
    assert message(ScenarioParams, scenario) == [
        ((), "a vote is given but `basis` still says “exemple, non voté”")
    ]
    voted = ScenarioParams.model_validate({**scenario, "basis": "accord du 12 mars 2026"})
    assert voted.vote.body == "CPNEFP"


def test_an_absolute_path_to_a_table_is_refused():
    tables = {"employment": "/home/anne/emplois.csv"}
    assert message(BranchParams, {**BRANCH, "tables": tables}) == [
        (
            ("tables", "employment"),
            "`/home/anne/emplois.csv` is not a path from the project's root",
        )
    ]


@pytest.mark.parametrize("code", ["commun", "ensemble"])
def test_a_branch_cannot_take_the_name_of_all_branches_together(code):
    assert message(BranchParams, {**BRANCH, "branch_code": code}) == [
        (("branch_code",), f"`{code}` stands for all branches together")
    ]


@pytest.mark.parametrize("key", ["seed", "confidentiality"])
def test_an_edition_has_no_parameter_that_nothing_reads(key):
    edition = yaml.safe_load((ROOT / "parameters/edition.yml").read_text(encoding="utf-8"))
    assert message(EditionParams, {**edition, key: 1}) == [
        ((key,), "Extra inputs are not permitted")
    ]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([0.1, 0.5, 0.5, 0.9], "levels do not increase"),
        ([0.25, 0.5, 0.75], "level 0.1, 0.9 is missing"),
    ],
)
def test_quantile_levels_must_carry_what_pages_show(levels, expected):
    edition = yaml.safe_load((ROOT / "parameters/edition.yml").read_text(encoding="utf-8"))
    errors = message(EditionParams, {**edition, "quantile_levels": levels})
    assert errors == [(("quantile_levels",), expected)]


def test_an_edition_cannot_take_the_folder_of_the_site():
    edition = yaml.safe_load((ROOT / "parameters/edition.yml").read_text(encoding="utf-8"))
    assert message(EditionParams, {**edition, "edition_id": "site"}) == [
        (("edition_id",), "`site` is the name of another folder of outputs/")
    ]


def schema_file(name):
    return ROOT / f"parameters/schema/{name}.schema.json"


def schema(name):
    content = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    content |= SCHEMA_MODELS[name].model_json_schema()
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


@pytest.mark.parametrize("name", SCHEMA_MODELS)
def test_the_schema_that_editors_use_is_current(name):
    text = schema_file(name).read_text(encoding="utf-8")
    assert text == schema(name), "run: python tests/test_params.py"


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("branch", "branches/*.yml"),
        ("edition", "edition.yml"),
        ("requests", "requests.yml"),
        ("scenario", "scenarios/*.yml"),
    ],
)
def test_the_schema_that_editors_use_accepts_the_shipped_files(name, pattern):
    schema = json.loads((ROOT / f"parameters/schema/{name}.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    files = sorted((ROOT / "parameters").glob(pattern))
    assert files
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert text.startswith("# yaml-language-server: $schema=")
        target = text.partition("$schema=")[2].partition("\n")[0]
        assert (file.parent / target).resolve().name == f"{name}.schema.json"
        assert (file.parent / target).is_file()
        values = yaml.load(text, Loader=DatesAsText)
        assert list(validator.iter_errors(values)) == []


class DatesAsText(yaml.SafeLoader):
    """JSON knows no dates: an editor sees their text."""


DatesAsText.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


if __name__ == "__main__":
    for each in SCHEMA_MODELS:
        schema_file(each).write_text(schema(each), encoding="utf-8", newline="\n")
