"""Strict, frozen models of the parameter files: edition, scenarios, branches, import of requests.

Nothing here reads a file: `opmq_lib.sources.parameters` does, and says the line of what is wrong.
Texts are never made from numbers: a code written without quotes is refused, not guessed.
"""

import re
import sys
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from functools import partial
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
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

FOLDERS: Final = frozenset(
    {"site", "demo-site", "lab", "released", "validated", "editions", "demo-editions", DEMO}
)
"""Folders of outputs/ that are no edition's."""

PAGE_QUANTILE_LEVELS: Final = (0.1, 0.5, 0.9)
"""Levels that pages need: the median and the 80 % interval."""

WEIGHTS_TOLERANCE: Final = 1e-9
"""How far from 1 the weights of a question's criteria may sum."""

Item = TypeVar("Item")
Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
MetierCode = Annotated[str, Field(pattern=r"^[A-Z][0-9A-Z]{4}$")]
QuestionCode = Literal["core", "strategic"]
IdccCode = Annotated[str, Field(pattern=r"^[0-9]{5}$")]
Listed = Annotated[tuple[Item, ...], Field(strict=False)]  # a list in YAML, frozen here
Codes = Listed[Code]
Year = Annotated[int, Field(ge=1900, le=2100)]


class Strict(BaseModel):
    """A record that cannot change, knows all its keys and converts nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ParameterFile(Strict):
    """A file of parameters; audit hooks hear of each field that is read, with its file.

    So a notebook depends on the fields that it uses. Whoever takes the record as a whole (its
    `__dict__`: comparison, copy, export) depends on the whole file.
    """

    _path: str = PrivateAttr()

    def read_from(self, path: str) -> None:
        """Tell audit hooks from now on which field of this file is read: `opmq.field`."""
        self._path = path

    if not TYPE_CHECKING:  # else a misspelt field would have a type

        def __getattribute__(self, name: str) -> Any:  # noqa: D105
            if name == "__dict__" or name in type(self).model_fields:
                with suppress(AttributeError, TypeError, KeyError):  # it is being made
                    path = object.__getattribute__(self, "__pydantic_private__")["_path"]
                    sys.audit("opmq.field", path, name)
            return super().__getattribute__(name)


def refusal(
    kind: Literal["schema", "range"], what: str, expected: str, fix: str
) -> PydanticCustomError:
    """Return a refusal that keeps apart what is wrong, what was expected and what to do."""
    return PydanticCustomError(kind, "{what}", {"what": what, "expected": expected, "fix": fix})


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


def is_printable(text: str) -> bool:
    r"""Return whether a text is free of control characters, but for tabs and ends of line.

    Examples:
        >>> is_printable("Métiers\n"), is_printable("\x1b[31m"), is_printable("a\0b")
        (True, False, False)
    """
    return not any(unicodedata.category(each) == "Cc" for each in text if each not in "\n\t")


def _printable(text: str) -> str:
    if not is_printable(text):
        raise refusal(
            "schema", "a control character (NUL, ESC, …)", "a text that can be read", "remove it"
        )
    return text


Text = Annotated[str, Field(min_length=1, pattern=r"\S"), AfterValidator(_printable)]
EACH_ONCE: Final = AfterValidator(partial(once, kind="code"))


def is_project_path(path: str) -> bool:
    r"""Return whether `path` is written with `/` from the project's root, and never leaves it.

    What no file system takes is no path: a control character, more than 1,000 letters, a name of
    more than 200 bytes.

    Examples:
        >>> [is_project_path(p) for p in ("data/x.csv", "/data/x.csv", "C:/x.csv", r"data\x.csv")]
        [True, False, False, False]
        >>> is_project_path("data/../../x.csv")
        False
    """
    is_relative = re.match(r"^(/|~|[A-Za-z]:)|.*\\", path) is None
    names = path.split("/")
    sizes = [len(name.encode(errors="replace")) for name in names]
    is_short = len(path) <= 1000 and max(sizes) <= 200
    is_inside = is_relative and ".." not in names
    return bool(path.strip()) and is_inside and is_short and is_printable(path)


def _in_project(path: str | None) -> str | None:
    if path is not None and not is_project_path(path):
        raise refusal(
            "schema",
            f"`{path}` is not a path from the project's root",
            "a relative path with `/` and without `..`, such as data/chimie_emplois.csv",
            "put the file in the project and write its path from the root",
        )
    return path


ProjectPath = Annotated[str | None, AfterValidator(_in_project)]
"""A path from the project's root; `None` where there is no file."""


class Vote(Strict):
    """A decision of a joint body (paramètre voté)."""

    date: Annotated[date, Field(description="day of the vote, such as 2026-03-12")]
    body: Text = Field(description="who voted, such as CPNEFP de la chimie")
    minutes_reference: Text = Field(description="reference of the minutes (relevé)")


class Voted(Strict):
    """What a joint body may decide, and what it rests on until then."""

    if TYPE_CHECKING:  # each record has them in a place of its own
        vote: Vote | None
        basis: str

    @model_validator(mode="after")
    def _says_what_it_rests_on(self) -> Self:
        if self.vote is None and self.basis != NOT_VOTED:
            raise refusal(
                "schema",
                f"`vote` is null but `basis` is not “{NOT_VOTED}”",
                f'`basis: "{NOT_VOTED}"` as long as nobody has voted',
                "restore that basis, or fill in `vote` with date, body and minutes_reference",
            )
        if self.vote is not None and self.basis == NOT_VOTED:
            raise refusal(
                "schema",
                f"a vote is given but `basis` still says “{NOT_VOTED}”",
                "what the vote rests on (study, agreement, minutes)",
                "write the source of the voted value in `basis`",
            )
        return self


OPEN_REGISTERS: Final = ("works", "decisions", "notes")
"""Registers that say themselves, row by row, what may be published."""


class Registers(Strict):
    """The observatory's own registers, as paths from the project's root; null: none yet.

    A notebook reads those whose `<name>_register` is among its parameters.
    """

    requests: ProjectPath = Field(None, description="register of requests, or null")
    company_counts: ProjectPath = Field(None, description="companies by size band, or null")
    recommendations: ProjectPath = Field(None, description="register of recommendations, or null")
    works: ProjectPath = Field(None, description="register of works, or null")
    decisions: ProjectPath = Field(None, description="register of decisions, or null")
    notes: ProjectPath = Field(None, description="register of signed notes, or null")


class DisclosureRules(Strict):
    """What may be published of the observatory's own figures (secret statistique).

    A figure is secret if one rule says so. Sources: enterprises, Insee's manual on the protection
    of tables; employees of the DSN, Insee's presentation of its base of all employees; natural
    persons of the DGFiP, the same manual (methodology, K1 and K2).
    """

    min_units: int = Field(3, ge=3, description="companies behind a figure, at least (Insee)")
    max_share_pct: float = Field(
        85, gt=0, le=85, description="share of the largest company, at most (Insee)"
    )
    protection_pct: float = Field(
        15, ge=15, lt=100, description="nobody knows a secret figure closer than this (convention)"
    )
    min_employees: int = Field(
        5, ge=5, description="employees behind a figure of the DSN, at least (Insee)"
    )
    max_payroll_share_pct: float = Field(
        80, gt=0, le=80, description="share of one employee in a payroll, at most (Insee)"
    )
    min_fiscal_units: int = Field(
        11, ge=11, description="natural persons behind a fiscal figure, at least (Insee, DGFiP)"
    )
    max_change_pct: float = Field(
        20, gt=0, lt=100, description="readers know that a revision is not larger (convention)"
    )


class EditionParams(ParameterFile):
    """One edition of the study: `parameters/edition.yml`.

    Examples:
        >>> EditionParams.model_fields["horizon_years"].description
        'years projected beyond base_year'
    """

    edition_id: Code = Field(description='name of the folder in outputs/, such as "2026"')
    title: Text = Field(description="title shown on the site, in French")
    edition_date: date = Field(description="date of the edition, such as 2026-01-31")
    base_year: Year = Field(description="last observed year of employment")
    horizon_years: int = Field(ge=1, le=30, description="years projected beyond base_year")
    scenario_codes: Codes = Field(min_length=1, description="files of parameters/scenarios")
    quantile_levels: Listed[Annotated[float, Field(gt=0, lt=1)]] = Field(
        description="levels of the projections' quantiles, increasing"
    )
    previous_edition_id: Code | None = Field(None, description="edition to compare with, or null")
    registers: Registers = Field(Registers(), description="the observatory's registers")
    disclosure: DisclosureRules | None = Field(
        None, description="what of own figures may be published; null: none of them"
    )

    @field_validator("edition_id")
    @classmethod
    def _leaves_the_site_alone(cls, edition_id: str) -> str:
        if edition_id in FOLDERS:
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
    multiplier: float = Field(gt=0, le=10, description="1: as in the reference")


class ScenarioLine(Voted):
    """One change of a scenario: whose employment it multiplies, and when.

    The multiplier goes in straight lines from 1 in `start_year`, through `points`, to `multiplier`
    in `end_year`, and stays there. Lines that touch the same cell multiply.
    """

    label: Text = Field(description="what the line says, in French")
    industry_group_codes: Listed[Text] = Field(
        (), description='groups of branches: ["C"]; [] for all'
    )
    branch_codes: Codes = Field((), description='branches: ["chimie"]; [] for all')
    metier_codes: Listed[Text] = Field(
        (), description='métiers or beginnings of codes: ["E1Z"]; [] for all'
    )
    multiplier: float = Field(gt=0, le=10, description="from end_year on")
    points: Listed[PathPoint] = Field((), description="years in between, increasing")
    start_year: Year = Field(description="last year as in the reference")
    end_year: Year = Field(description="year from which the multiplier holds")
    unit: Text = Field(description="such as: rapport à la référence")
    vote: Vote | None = Field(description="null until a joint body has voted")
    basis: Text = Field(description=f"source; “{NOT_VOTED}” while vote is null")

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
        return self


class ScenarioParams(Voted):
    """One scenario: `parameters/scenarios/<scenario_code>.yml`. No probability is attached."""

    scenario_code: Code = Field(description="the file's name, without .yml")
    label: Text = Field(description="name shown to readers, in French")
    vote: Vote | None = Field(description="null until a joint body has voted")
    basis: Text = Field(description=f"source; “{NOT_VOTED}” while vote is null")
    lines: Listed[ScenarioLine] = Field(description="what differs from past trends; []: nothing")


class Criterion(Strict):
    """One criterion for core or strategic métiers: a score in 0–1 between two goalposts.

    The score is (x - low) / (high - low), cut at 0 and 1, of the logarithms where `scale` is `log`,
    and one minus that where `direction` is `lower`. Source: methodology, C2.
    """

    criterion_code: Code = Field(description="short name of the criterion")
    label: Text = Field(description="name shown to readers, in French")
    unit: Text = Field(description="unit of low and high, in French")
    low: float = Field(allow_inf_nan=False, description="value that scores 0")
    high: float = Field(allow_inf_nan=False, description="value that scores 1")
    scale: Literal["linear", "log"] = Field("linear", description="linear, or log for a ratio")
    direction: Literal["higher", "lower"] = Field(description="which side argues for the list")
    weight: float = Field(ge=0, le=1, description="weight; the weights sum to 1")

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

    @field_validator("scale")
    @classmethod
    def _has_a_logarithm(cls, scale: str, info: ValidationInfo) -> str:
        low = info.data.get("low", 1)
        if scale == "log" and low <= 0:
            raise refusal(
                "range",
                f"scale `log` with the goalpost `low: {low:g}`",
                "`low` above 0",
                "raise it, or write `scale: linear`",
            )
        return scale


class Condition(Strict):
    """A line of a gate: what a métier must reach at least.

    All gates of a question are required, whatever the score. A gate is passed by any of its ways,
    and a way by all its lines.
    """

    gate: int = Field(ge=1, le=20, description="number of the gate; all gates are required")
    way: int = Field(1, ge=1, le=20, description="number of the way; one way of a gate is enough")
    criterion_code: Code = Field(description="short name of what is asked")
    least: float = Field(allow_inf_nan=False, description="value required at least")


class Question(Voted):
    """One question put to the vote of a CPNEFP: which métiers are core, or which strategic.

    A vote is on the whole: gates, criteria, goalposts, weights, cut-off and concentration.
    """

    question_code: QuestionCode = Field(description="core or strategic")
    cutoff_score: float = Field(gt=0, lt=1, description="score from which a métier is on the list")
    concentration: float = Field(
        gt=0,
        le=1000,
        description="how close drawn weights stay to the weights; with equal weights, the "
        "number of criteria makes every set of weights equally likely",
    )
    gates: Listed[Condition] = Field((), description="what every métier of the list must reach")
    criteria: Listed[Criterion] = Field(description="its criteria")
    voted_metiers: Annotated[Listed[MetierCode], AfterValidator(partial(once, kind="métier"))] = (
        Field((), description="métiers that the vote put on the list; else []")
    )
    vote: Vote | None = Field(description="null until a joint body has voted")
    basis: Text = Field(description=f"source; “{NOT_VOTED}” while vote is null")

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

    @model_validator(mode="after")
    def _lists_what_was_voted(self) -> Self:
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

    employment: ProjectPath = Field(None, description="path from the project's root, or null")
    branch_totals: ProjectPath = Field(None, description="employees of the branch by year, or null")
    criterion_values: ProjectPath = Field(None, description="own values of criteria, or null")
    tension_components: ProjectPath = Field(None, description="components of the index, or null")
    tension_reference: ProjectPath = Field(None, description="their reference, or null")
    fap_crosswalk: ProjectPath = Field(None, description="passage FAP-2009 → FAP-2021, or null")
    skill_needs: ProjectPath = Field(None, description="survey of skills needed: path, or null")
    skill_supply: ProjectPath = Field(None, description="survey of skills available: path, or null")
    rncp_export: ProjectPath = Field(None, description="CSV export of the RNCP (zip), or null")
    bloc_readings: ProjectPath = Field(None, description="skills read in its blocs, or null")
    branch_ages: ProjectPath = Field(None, description="ages by métier: path, or null")
    branch_entries: ProjectPath = Field(None, description="beginners and mobility, or null")

    def paths(self) -> dict[str, str]:
        """Return the path of each table that is supplied, by name of the table.

        Examples:
            >>> BranchTables(employment="data/x.csv").paths()
            {'employment': 'data/x.csv'}
        """
        named: dict[str, str | None] = self.model_dump()
        return {table: path for table, path in named.items() if path is not None}


class BranchParams(ParameterFile):
    """One branch: `parameters/branches/<branch_code>.yml`."""

    branch_code: Code = Field(description="key in table `branches`; the file's name")
    label: Text = Field(description="name shown to readers, in French")
    idcc_codes: Annotated[Listed[IdccCode], EACH_ONCE] = Field(
        description='conventions in force, five quoted digits: "00044"'
    )
    perimeter_note: Text = Field(description="what the branch covers, in French")
    notebooks: Annotated[Codes, EACH_ONCE] = Field(description="templates to run for this branch")
    tables: BranchTables = Field(description="the branch's own observed tables")
    questions: Listed[Question] = Field(description="core and strategic métiers")

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

    @field_validator("questions")
    @classmethod
    def _asks_each_once(cls, questions: tuple[Question, ...]) -> tuple[Question, ...]:
        once([question.question_code for question in questions], "question")
        return questions


class RequestImport(Strict):
    """How exports of requests are read: `parameters/requests.yml`."""

    columns: dict[Code, Text | None] = Field(
        description="column of table `requests`, or `company`: title in the export, or null"
    )
    values: dict[Code, dict[Text, Text]] = Field(
        description="column of table `requests`: word of the export: code"
    )

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


READY_CRITERIA: Final[dict[str, tuple[str, str]]] = {
    "employment_share": ("Part de l’emploi", "% des emplois de la branche"),
    "location_quotient": ("Spécificité", "rapport à la part nationale"),
    "tension_class": ("Classe de tension", "classe nationale, de 1 à 5"),
    "tension_rank": ("Rang de tension", "% des métiers moins en tension, France"),
    "departure_rank": ("Rang des départs", "% des métiers où l’on part moins, France"),
    "ecological_exposure": ("Transition écologique", "% des fiches ROME du métier"),
    "ageing": ("55 ans ou plus", "% des emplois du métier, France"),
    "certification_count": ("Certifications", "nombre"),
}
"""Criteria that public tables give a value for: French label and unit, by code."""
