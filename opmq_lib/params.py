"""Strict, frozen models of everything a user may set: edition, scenarios, branches, notebooks.

Nothing here reads a file: `opmq_lib.sources.parameters` does, and says the line of what is wrong.
Texts are never made from numbers: a code written without quotes is refused, not guessed.
"""

import re
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from math import inf
from typing import Annotated, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

REFERENCE: Final = "reference"
NOT_VOTED: Final = "exemple, non voté"
"""The only `basis` of a choice that no joint body has voted."""

RESERVED_CODES: Final = ("commun", "ensemble")
"""What stands for all branches together in folders and result tables; no branch may be so named."""

DEMO: Final = "demo"
"""The edition of a demonstration, in `outputs/demo`: its registers are fictitious."""

PAGE_QUANTILE_LEVELS: Final = (0.1, 0.5, 0.9)
"""Levels that pages need: the median and the 80 % interval."""

WEIGHTS_TOLERANCE: Final = 1e-9
"""How far from 1 the weights of a question's criteria may sum."""

Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
MetierCode = Annotated[str, Field(pattern=r"^[A-Z][0-9A-Z]{4}$")]
QuestionCode = Literal["core", "strategic"]
IdccCode = Annotated[str, Field(pattern=r"^[0-9]{5}$")]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Codes = Annotated[tuple[Code, ...], Field(strict=False)]  # a list in YAML, frozen here
Year = Annotated[int, Field(ge=1900, le=2100)]


class Strict(BaseModel):
    """A record that cannot change, knows all its keys and converts nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def refusal(
    kind: Literal["schema", "range"], what: str, expected: str, fix: str
) -> PydanticCustomError:
    """Return a refusal that keeps apart what is wrong, what was expected and what to do."""
    return PydanticCustomError(kind, "{what}", {"what": what, "expected": expected, "fix": fix})


class Vote(Strict):
    """A decision of a joint body (paramètre voté)."""

    date: Annotated[date, Field(description="day of the vote, such as 2026-03-12")]
    body: Annotated[Text, Field(description="who voted, such as CPNEFP de la chimie")]
    minutes_reference: Annotated[Text, Field(description="reference of the minutes (relevé)")]


def _check_basis(vote: Vote | None, basis: str) -> None:
    if vote is None and basis != NOT_VOTED:
        raise refusal(
            "schema",
            f"`vote` is null but `basis` is not “{NOT_VOTED}”",
            f'`basis: "{NOT_VOTED}"` as long as nobody has voted',
            "restore that basis, or fill in `vote` with date, body and minutes_reference",
        )
    if vote is not None and basis == NOT_VOTED:
        raise refusal(
            "schema",
            f"a vote is given but `basis` still says “{NOT_VOTED}”",
            "what the vote rests on (study, agreement, minutes)",
            "write the source of the voted value in `basis`",
        )


class Registers(Strict):
    """The observatory's own registers, as paths from the project's root; null: none yet."""

    requests: Annotated[str | None, Field(description="register of requests, or null")] = None
    company_counts: Annotated[
        str | None, Field(description="own counts of companies by size band, or null")
    ] = None
    recommendations: Annotated[
        str | None, Field(description="register of recommendations, or null")
    ] = None
    studies: Annotated[str | None, Field(description="register of studies, or null")] = None

    @field_validator("requests", "company_counts", "recommendations", "studies")
    @classmethod
    def _is_a_path_of_the_project(cls, path: str | None) -> str | None:
        if path is not None and not is_project_path(path):
            raise refusal(
                "schema",
                f"`{path}` is not a path from the project's root",
                "a relative path with `/` and without `..`, such as data/requests.parquet",
                "put the file in the project and write its path from the root",
            )
        return path


class EditionParams(Strict):
    """One edition of the study: `parameters/edition.yml`.

    Examples:
        >>> EditionParams.model_fields["horizon_years"].description
        'years projected beyond base_year'
    """

    edition_id: Annotated[Code, Field(description='name of the folder in outputs/, such as "2026"')]
    title: Annotated[Text, Field(description="title shown on the site, in French")]
    edition_date: Annotated[date, Field(description="date of the edition, such as 2026-01-31")]
    base_year: Annotated[Year, Field(description="last observed year of employment")]
    horizon_years: Annotated[
        int, Field(ge=1, le=30, description="years projected beyond base_year")
    ]
    scenario_codes: Annotated[
        Codes, Field(min_length=1, description="files of parameters/scenarios, without .yml")
    ]
    quantile_levels: Annotated[
        tuple[Annotated[float, Field(gt=0, lt=1)], ...],
        Field(strict=False, description="levels of the projections' quantiles, increasing"),
    ]
    previous_edition_id: Annotated[
        Code | None, Field(description="edition of outputs/ to compare with, or null")
    ] = None
    registers: Annotated[Registers, Field(description="the observatory's registers")] = Registers()

    @field_validator("edition_id")
    @classmethod
    def _leaves_the_site_alone(cls, edition_id: str) -> str:
        if edition_id in {"site", "demo-site", "lab", DEMO}:
            raise refusal(
                "schema",
                f"`{edition_id}` is the name of another folder of outputs/",
                'a name of the edition, such as "2026"',
                "choose another edition_id",
            )
        return edition_id

    @field_validator("scenario_codes")
    @classmethod
    def _starts_with_the_reference(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        if codes[:1] != (REFERENCE,):
            raise refusal(
                "schema",
                f"the first scenario is `{codes[0]}`" if codes else "no scenario",
                f"`{REFERENCE}` first: the others are shown beside it",
                f"put {REFERENCE} first",
            )
        return once(codes, "scenario")

    @field_validator("quantile_levels")
    @classmethod
    def _carries_the_pages_interval(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if any(low >= high for low, high in pairwise(levels)):
            raise refusal("range", "levels do not increase", "increasing levels", "sort them")
        missing = [f"{level:g}" for level in PAGE_QUANTILE_LEVELS if level not in levels]
        if missing:
            raise refusal(
                "range",
                f"level {', '.join(missing)} is missing",
                "0.1, 0.5 and 0.9 among the levels: pages show the median and the 80 % interval",
                f"add {', '.join(missing)}",
            )
        return levels


class PathPoint(Strict):
    """What a scenario line multiplies by in one year, between its start and its end."""

    year: Year
    multiplier: Annotated[float, Field(gt=0, le=10, description="1: as in the reference")]


class ScenarioLine(Strict):
    """One change of a scenario: whom it touches, what it multiplies, and when.

    The multiplier goes in straight lines from 1 in `start_year`, through `points`, to `multiplier`
    in `end_year`, and stays there. Lines that touch the same cell multiply.
    """

    label: Annotated[Text, Field(description="what the line says, in French")]
    quantity: Annotated[
        Literal["employment", "departures"],
        Field(description="projected employment, or career-end departures"),
    ]
    industry_group_codes: Annotated[
        tuple[Text, ...], Field(strict=False, description='groups of branches: ["C"]; [] for all')
    ] = ()
    branch_codes: Annotated[Codes, Field(description='branches: ["chimie"]; [] for all')] = ()
    metier_codes: Annotated[
        tuple[Text, ...],
        Field(strict=False, description='métiers or beginnings of codes: ["E1Z"]; [] for all'),
    ] = ()
    multiplier: Annotated[float, Field(gt=0, le=10, description="from end_year on")]
    points: Annotated[
        tuple[PathPoint, ...], Field(strict=False, description="years in between, increasing")
    ] = ()
    start_year: Annotated[Year, Field(description="last year as in the reference")]
    end_year: Annotated[Year, Field(description="year from which the multiplier holds")]
    unit: Annotated[Text, Field(description="such as: rapport à la référence")]
    vote: Annotated[Vote | None, Field(description="null until a joint body has voted")]
    basis: Annotated[Text, Field(description=f"source; “{NOT_VOTED}” while vote is null")]

    @model_validator(mode="after")
    def _goes_forward_in_time(self) -> Self:
        years = [self.start_year, *(point.year for point in self.points), self.end_year]
        if any(year >= after for year, after in pairwise(years)):
            raise refusal(
                "range",
                f"years {', '.join(map(str, years))} do not increase",
                "start_year before the points, in order, before end_year",
                "correct the years",
            )
        _check_basis(self.vote, self.basis)
        return self


class ScenarioParams(Strict):
    """One scenario: `parameters/scenarios/<scenario_code>.yml`. No probability is attached."""

    scenario_code: Annotated[Code, Field(description="the file's name, without .yml")]
    label: Annotated[Text, Field(description="name shown to readers, in French")]
    vote: Annotated[Vote | None, Field(description="null until a joint body has voted")]
    basis: Annotated[Text, Field(description=f"source; “{NOT_VOTED}” while vote is null")]
    lines: Annotated[
        tuple[ScenarioLine, ...],
        Field(strict=False, description="what differs from past trends; []: nothing"),
    ]

    @model_validator(mode="after")
    def _says_what_it_rests_on(self) -> Self:
        _check_basis(self.vote, self.basis)
        return self


class Criterion(Strict):
    """One criterion for core or strategic métiers: a score in 0–1 between two goalposts.

    The score is (x - low) / (high - low), cut at 0 and 1, and one minus that where `direction`
    is `lower`. A métier that does not reach `threshold` is off the list whatever its score.
    Source: methodology, C2.
    """

    criterion_code: Annotated[Code, Field(description="short name of the criterion")]
    label: Annotated[Text, Field(description="name shown to readers, in French")]
    unit: Annotated[Text, Field(description="unit of low, high and threshold, in French")]
    low: Annotated[float, Field(allow_inf_nan=False, description="value that scores 0")]
    high: Annotated[float, Field(allow_inf_nan=False, description="value that scores 1")]
    direction: Annotated[
        Literal["higher", "lower"], Field(description="which side argues for the list")
    ]
    weight: Annotated[float, Field(ge=0, le=1, description="weight; the weights sum to 1")]
    threshold: Annotated[
        float | None, Field(allow_inf_nan=False, description="value that the list requires")
    ] = None

    @field_validator("high")
    @classmethod
    def _is_above_the_low_goalpost(cls, high: float, info: ValidationInfo) -> float:
        low = info.data.get("low", -inf)
        if high <= low:
            raise refusal(
                "range",
                f"goalposts `low: {low:g}` and `high: {high:g}` are not in order",
                "`high` above `low`",
                "correct the two goalposts; the direction says where less argues for the list",
            )
        return high

    @field_validator("threshold")
    @classmethod
    def _lies_between_the_goalposts(
        cls, threshold: float | None, info: ValidationInfo
    ) -> float | None:
        low, high = info.data.get("low", -inf), info.data.get("high", inf)
        if threshold is not None and not low <= threshold <= high:
            raise refusal(
                "range",
                f"threshold {threshold:g} contradicts goalposts {low:g} and {high:g}: the best "
                "score would not meet it, or the worst would",
                "a threshold between `low` and `high`",
                "move the threshold or the goalposts",
            )
        return threshold


class Question(Strict):
    """One question put to the vote of a CPNEFP: which métiers are core, or which strategic.

    A vote is on the whole: criteria, goalposts, weights, thresholds, cut-off and concentration.
    """

    question_code: Annotated[QuestionCode, Field(description="core or strategic")]
    cutoff_score: Annotated[
        float, Field(gt=0, lt=1, description="score from which a métier is on the list")
    ]
    concentration: Annotated[
        float,
        Field(
            gt=0,
            le=1000,
            description="how close drawn weights stay to the weights; with equal weights, the "
            "number of criteria makes every set of weights equally likely",
        ),
    ]
    criteria: Annotated[tuple[Criterion, ...], Field(strict=False, description="its criteria")]
    voted_metiers: Annotated[
        tuple[MetierCode, ...],
        Field(strict=False, description="métiers that the vote put on the list; else []"),
    ] = ()
    vote: Annotated[Vote | None, Field(description="null until the CPNEFP has voted")]
    basis: Annotated[Text, Field(description=f"source; “{NOT_VOTED}” while vote is null")]

    @field_validator("criteria")
    @classmethod
    def _weighs_to_one(cls, criteria: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
        once([criterion.criterion_code for criterion in criteria], "criterion")
        total = sum(criterion.weight for criterion in criteria)
        if abs(total - 1) > WEIGHTS_TOLERANCE:
            raise refusal(
                "range",
                f"the weights of the criteria sum to {total:g}",
                "weights that sum to 1",
                "correct the weights",
            )
        return criteria

    @field_validator("voted_metiers")
    @classmethod
    def _names_a_metier_once(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return once(codes, "métier")

    @model_validator(mode="after")
    def _says_what_it_rests_on(self) -> Self:
        _check_basis(self.vote, self.basis)
        if self.voted_metiers and self.vote is None:
            raise refusal(
                "schema",
                "`voted_metiers` names métiers but `vote` is null",
                "an empty list as long as nobody has voted",
                "write `voted_metiers: []`, or fill in `vote`",
            )
        return self


class BranchTables(Strict):
    """The branch's own tables; null: what is public is used."""

    employment: Annotated[
        str | None, Field(description="path from the project's root, or null")
    ] = None
    criterion_values: Annotated[
        str | None, Field(description="values of criteria that no public table gives, or null")
    ] = None
    tension_components: Annotated[
        str | None, Field(description="components of the tension index, or null")
    ] = None
    tension_reference: Annotated[
        str | None, Field(description="reference of these components, or null")
    ] = None
    fap_crosswalk: Annotated[
        str | None, Field(description="official passage FAP-2009 → FAP-2021, or null")
    ] = None
    skill_needs: Annotated[
        str | None, Field(description="survey of skills needed: path, or null")
    ] = None
    skill_supply: Annotated[
        str | None, Field(description="survey of skills available: path, or null")
    ] = None
    rncp_export: Annotated[
        str | None, Field(description="CSV export of the RNCP (zip): path, or null")
    ] = None
    bloc_readings: Annotated[
        str | None,
        Field(description="skills that a person read in blocs of that export: path, or null"),
    ] = None
    branch_ages: Annotated[
        str | None, Field(description="ages by métier: path from the project's root, or null")
    ] = None
    branch_entries: Annotated[
        str | None,
        Field(description="young beginners and net mobility by métier: path, or null"),
    ] = None

    def paths(self) -> dict[str, str]:
        """Return the path of each table that is supplied, by name of the table.

        Examples:
            >>> BranchTables(employment="data/x.csv").paths()
            {'employment': 'data/x.csv'}
        """
        named: dict[str, str | None] = self.model_dump()
        return {table: path for table, path in named.items() if path is not None}

    @field_validator("*")
    @classmethod
    def _is_a_path_of_the_project(cls, path: str | None) -> str | None:
        if path is not None and not is_project_path(path):
            raise refusal(
                "schema",
                f"`{path}` is not a path from the project's root",
                "a relative path with `/` and without `..`, such as data/chimie_emplois.csv",
                "put the file in the project and write its path from the root",
            )
        return path


class BranchParams(Strict):
    """One branch: `parameters/branches/<branch_code>.yml`."""

    branch_code: Annotated[Code, Field(description="key in table `branches`; the file's name")]
    label: Annotated[Text, Field(description="name shown to readers, in French")]
    idcc_codes: Annotated[
        tuple[IdccCode, ...],
        Field(strict=False, description='conventions in force, five quoted digits: "00044"'),
    ]
    perimeter_note: Annotated[Text, Field(description="what the branch covers, in French")]
    notebooks: Annotated[Codes, Field(description="templates to run for this branch")]
    tables: Annotated[BranchTables, Field(description="the branch's own observed tables")]
    questions: Annotated[
        tuple[Question, ...], Field(strict=False, description="core and strategic métiers")
    ]

    @field_validator("branch_code")
    @classmethod
    def _is_one_branch(cls, branch_code: str) -> str:
        if branch_code in RESERVED_CODES:
            raise refusal(
                "schema",
                f"`{branch_code}` stands for all branches together",
                "the code of one branch, such as chimie",
                "choose another code",
            )
        return branch_code

    @field_validator("idcc_codes", "notebooks")
    @classmethod
    def _names_each_once(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return once(codes, "code")

    @field_validator("questions")
    @classmethod
    def _asks_each_once(cls, questions: tuple[Question, ...]) -> tuple[Question, ...]:
        once([question.question_code for question in questions], "question")
        return questions


class RequestImport(Strict):
    """How exports of requests are read: `parameters/requests.yml`."""

    columns: Annotated[
        dict[Code, Text | None],
        Field(description="column of table `requests`, or `company`: title in the export, or null"),
    ]
    values: Annotated[
        dict[Code, dict[Text, Text]],
        Field(description="column of table `requests`: word of the export: code"),
    ]

    @field_validator("columns")
    @classmethod
    def _has_what_a_register_needs(cls, columns: dict[str, str | None]) -> dict[str, str | None]:
        needed = ("request_code", "company", "branch_code", "requested_on", "topic_code")
        missing = [name for name in (*needed, "coverage") if not columns.get(name)]
        if missing:
            raise refusal(
                "schema",
                f"no title for {', '.join(missing)}",
                "the title of the column in the export",
                "write it: without these columns a request cannot be counted",
            )
        return columns


class EmploymentNotebook(Strict):
    """Parameters of `01_emplois`."""

    branch_code: Code
    horizon_years: Annotated[int, Field(ge=1, le=30)]
    output_folder: Text


class NeedsNotebook(Strict):
    """Parameters of `02_besoins`."""

    branch_code: Code
    horizon_years: Annotated[int, Field(ge=1, le=30)]
    output_folder: Text


class TensionNotebook(Strict):
    """Parameters of `03_tensions`."""

    branch_code: Code
    output_folder: Text


class CoreNotebook(Strict):
    """Parameters of `04_coeurs_strategiques`."""

    branch_code: Code
    sliders: Annotated[bool, Field(description="sliders of the committee, in JupyterLab")]
    output_folder: Text


class SkillsNotebook(Strict):
    """Parameters of `05_competences`."""

    branch_code: Code
    edition_id: Code
    output_folder: Text


class RequestsNotebook(Strict):
    """Parameters of `06_demandes`."""

    branch_code: Code
    edition_id: Code
    output_folder: Text


class AllRequestsNotebook(Strict):
    """Parameters of `13_demandes_ensemble`: registers as paths from the root; empty: none."""

    edition_id: Code
    requests_register: str
    recommendations_register: str
    company_counts_register: str
    output_folder: Text


class StudiesNotebook(Strict):
    """Parameters of `12_etudes`."""

    edition_id: Code
    studies_register: str
    output_folder: Text


class ReportNotebook(Strict):
    """Parameters of `00_rapport`."""

    branch_code: Code
    edition_id: Code
    previous_edition_id: Code | None
    output_folder: Text


class ConsolidationNotebook(Strict):
    """Parameters of `10_consolidation`."""

    edition_id: Code
    output_folder: Text


class EvaluationNotebook(Strict):
    """Parameters of `11_evaluation`."""

    edition_id: Code
    horizon_years: Annotated[int, Field(ge=1, le=30)]
    output_folder: Text


NOTEBOOKS: Final[dict[str, type[BaseModel]]] = {
    "00_rapport": ReportNotebook,
    "01_emplois": EmploymentNotebook,
    "02_besoins": NeedsNotebook,
    "03_tensions": TensionNotebook,
    "04_coeurs_strategiques": CoreNotebook,
    "05_competences": SkillsNotebook,
    "06_demandes": RequestsNotebook,
    "10_consolidation": ConsolidationNotebook,
    "11_evaluation": EvaluationNotebook,
    "12_etudes": StudiesNotebook,
    "13_demandes_ensemble": AllRequestsNotebook,
}
"""The model of each template's first cell, by template name."""

REGISTERS: Final = {
    "12_etudes": ("studies",),
    "13_demandes_ensemble": ("requests", "recommendations", "company_counts"),
}
"""The registers that a notebook reads itself, by template name."""

OPEN_REGISTERS: Final = ("studies",)
"""Registers that say themselves, row by row, what may be published."""

BRANCH_NOTEBOOKS: Final = tuple(
    name for name, model in NOTEBOOKS.items() if "branch_code" in model.model_fields
)
"""The templates that run once per branch."""

READY_CRITERIA: Final[dict[str, tuple[str, str]]] = {
    "employment_share": ("Part de l’emploi", "% des emplois de la branche"),
    "location_quotient": ("Spécificité", "rapport à la part nationale"),
    "ageing": ("55 ans ou plus", "% des emplois du métier, France"),
    "replacement_difficulty": ("Recrutements jugés difficiles", "% des projets, France"),
    "qualification_level": ("Niveau des certifications", "niveau moyen, de 3 à 8"),
    "tension_index": ("Tension nationale", "indice sans unité"),
    "ecological_exposure": ("Transition écologique", "% des fiches ROME du métier"),
    "digital_exposure": ("Transition numérique", "% des fiches ROME du métier"),
    "certification_count": ("Certifications", "nombre de certifications"),
}
"""Criteria that public tables give a value for: French label and unit, by code."""


def once(codes: Sequence[str], kind: str) -> tuple[str, ...]:
    """Return `codes` as a tuple, or refuse the ones named twice.

    Examples:
        >>> once(["a", "b"], "criterion")
        ('a', 'b')
    """
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise refusal("schema", f"{kind} named twice: {', '.join(twice)}", "each once", "keep one")
    return tuple(codes)


def is_project_path(path: str) -> bool:
    r"""Return whether `path` is written with `/` from the project's root, and never leaves it.

    Examples:
        >>> [is_project_path(p) for p in ("data/x.csv", "/data/x.csv", "C:/x.csv", r"data\x.csv")]
        [True, False, False, False]
        >>> is_project_path("data/../../x.csv")
        False
    """
    is_relative = re.match(r"^(/|~|[A-Za-z]:)|.*\\", path) is None
    return bool(path.strip()) and is_relative and ".." not in path.split("/")
