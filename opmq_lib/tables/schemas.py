"""Which columns a table has, and what its rows must say together.

`TABLES` is the list to read first: `*` marks a table's key, `?` a cell that may be empty, `[…]` a
column that may be absent. A new table is one line there, and one in `columns` per new column.
"""

from collections.abc import Callable, Collection
from typing import Final, NamedTuple

import pandas as pd

from opmq_lib.errors import CoherenceError, DataError, RangeError, SchemaError
from opmq_lib.tables.columns import COLUMNS
from opmq_lib.tables.kinds import Column

TABLES: Final[dict[str, str]] = {
    # what producers publish, embedded
    "sources": "source_code* table producer title period? data_date? licence current_version note?",
    "branches": "branch_code* label cpnefp_name? industry_group_code idcc_2019_codes? "
    "idcc_2026_codes in_opco2i_table_2019 portrait_2020",
    "idcc_history": "idcc_code* short_label field cris_code active successor_idcc_code? "
    "final_idcc_code? signed_on effective_on ended_on? branch_code",
    "branch_headcount": "idcc_code* branch_code year* employees_headcount employees_fte "
    "firms_main_idcc_count firms_any_employee_count establishments_main_idcc_count "
    "establishments_any_employee_count share_firms_10_to_19_pct "
    "share_firms_20_to_49_pct share_firms_50_to_99_pct share_firms_100_to_249_pct "
    "share_firms_250_to_499_pct share_firms_500_or_more_pct share_firms_under_10_pct "
    "share_firms_under_50_pct wage_all_eur_per_month wage_women_eur_per_month "
    "wage_men_eur_per_month wage_managers_eur_per_month? wage_intermediate_eur_per_month? "
    "wage_clerks_eur_per_month? wage_workers_eur_per_month? wage_gap_pct "
    "share_under_1_05_smic_pct share_under_1_05_smic_women_pct? "
    "share_under_1_05_smic_men_pct? share_under_1_05_smic_managers_pct? "
    "share_under_1_05_smic_intermediate_pct? share_under_1_05_smic_clerks_pct? "
    "share_under_1_05_smic_workers_pct?",
    "metiers": "metier_code* label nomenclature* level parent_code? scope",
    "metiers_2021": "metier_2021_code* label level* parent_code?",
    "employment_national": "metier_code* year* employment_headcount",
    "employees_national": "metier_code* year* employees_headcount",
    "metier_sectors": "metier_code* sector_code* year* employment_headcount",
    "metier_pcs": "metier_code* pcs_code*",
    "official_projections": "metier_code* region_code* base_year* horizon_year* "
    "employment_headcount net_creation_headcount departures_headcount young_beginners_headcount "
    "region_moves_headcount imbalance_headcount",
    "age_structure": "metier_code* period* age_band* employment_headcount share",
    "age_structure_fap87": "metier_code* period* age_band* employment_headcount share",
    "exit_rates": "metier_code* year* exit_rate_pct",
    "exit_reasons": "metier_code* exit_reason* exit_share_pct",
    "job_seekers": "metier_code* year* seeker_category* job_seekers_headcount",
    "metier_wages": "metier_code* period* wage_median_eur_per_month",
    "tension": "metier_code* year* tension_index mean_employment_headcount? tension_class? "
    "hiring_intensity? training_job_link? labour_shortage? non_durable_jobs? "
    "hard_working_conditions? geographic_mismatch?",
    "tension_2021": "metier_2021_code* year* tension_index tension_class",
    "tension_regions": "metier_code* region_code* year* tension_index tension_class?",
    "tension_basins": "rome_code* region_code* year* basins_count high_tension_basins_count",
    "recruitment_intentions": "metier_code* nomenclature* region_code* year* cells_count "
    "projects_count? projects_secret_cells_count hard_to_fill_count? "
    "hard_to_fill_secret_cells_count seasonal_count? seasonal_secret_cells_count status",
    "regions": "region_code* label",
    "naf": "naf_code* label",
    "romes": "rome_code* rome_version* label",
    "rome_transitions": "rome_code* parent_rome_code ecological_transition digital_transition?",
    "rome_naf_hires": "rome_code* naf_code* hires_count",
    "fap_rome": "metier_code* rome_code*",
    "rome_fap2021": "rome_code* qualification_code* metier_2021_code",
    "skills": "skill_code* label type macro_skill_code?",
    "macro_skills": "macro_skill_code* label tree_code",
    "metier_skills": "rome_code* skill_code* importance",
    "emerging_skills": "rome_code* skill_code*",
    "rome_facts": "rome_code* skills_count ecological_skills_count ecological_unsaid_count "
    "digital_skills_count digital_unsaid_count esco_skills_count esco_links_count "
    "esco_green_skills_count esco_digital_skills_count",
    "rome_items": "rome_code* fact_code* item_code*",
    "rome_item_labels": "item_code* label",
    "rome_moves": "rome_code* target_rome_code*",
    "esco_labels": "concept_uri* language_code* concept_kind label",
    "esco_romes": "concept_uri* appellation_code* mapping_relation*",
    "appellations": "appellation_code* rome_code label classification",
    "certifications": "certifinfo_code* rncp_code? title kind type_label validating_body "
    "certifying_body? framework_level? nsf_code? forma_code? last_session_year? updated_on "
    "selected_by",
    "certification_metiers": "certifinfo_code* rank* rome_code",
    # conventions of the project, in parameters/tables
    "naf_branch": "naf_code* branch_code* share basis [note?]",
    "rome_fap_split": "rome_code* metier_code* share basis [note?]",
    "metiers_left_out": "nomenclature* metier_code* basis [note?]",
    "metiers_outside_branches": "metier_code* basis [note?]",
    "tension_profiles": "profile_code* label hiring_intensity_range? training_job_link_range? "
    "labour_shortage_range? non_durable_jobs_range? hard_working_conditions_range? "
    "geographic_mismatch_range? practice basis [origin]",
    "certifying_bodies": "branch_code* body* basis [note?]",
    "request_topics": "topic_code* label parent_topic_code? branch_code? basis",
    "study_themes": "theme_code* label basis",
    # registers kept by the observatory
    "requests": "request_code* company_code size_band [company_headcount?] branch_code "
    "[region_code?] requested_on [channel?] topic_code [subtopic_code?] coverage reason? "
    "[outcome?] [answer_delay_days?] [request_note?] origin",
    "company_counts": "branch_code* size_band* firms_count basis",
    "recommendations": "recommendation_code* branch_code topic_code proposed_on period_end_on "
    "unmet_companies_count requesting_companies_count unmet_share_pct unmet_share_lower_pct "
    "unmet_share_upper_pct offer_change? status decision? decided_on? minutes_reference? origin",
    "decisions": "decision_code* branch_code branch_label metier_code metier_label edition_id "
    "proposed_on rank departure_rate_pct departures_per_year_headcount presence_pct "
    "proposed_lever status decision? decided_on? minutes_reference? disclosure",
    "works": "work_code* kind title requested_by branch_codes [theme_codes?] [metier_codes?] "
    "[decision_code?] [recommendation_code?] [question?] [method?] [method_note_link?] status "
    "requested_on [decided_on?] [minutes_reference?] [due_on?] [delivered_on?] "
    "[fieldwork_end_on?] [outcome?] [cost_band?] [deliverables?] [link?] [reused_by?] disclosure "
    "[origin]",
    "notes": "note_code* note branch_codes [metier_codes?] theme basis_kind [work_code?] [basis?] "
    "[heard_on?] signed_by? signed_on? valid_until? status [origin]",
    # what a branch supplies or the library estimates
    "employment": "branch_code* metier_code* year* employment_headcount "
    "[employment_headcount_lower?] [employment_headcount_upper?] [headcount_fit_ratio?] nature "
    "origin units_count? largest_share_pct? [changed_units_count?] source_code",
    "branch_totals": "branch_code* year* employees_headcount origin units_count? "
    "largest_share_pct? [changed_units_count?] source_code",
    "tension_components": "metier_code* nomenclature* region_code* year* hard_to_fill_share? "
    "offers_per_seeker_ratio? exit_rate? [tension_variance?] reference_code origin source_code",
    "tension_reference": "component* mean standard_deviation reference_code nomenclature "
    "source_code",
    "fap_crosswalk": "metier_code* metier_2021_code* share source_code",
    "criterion_values": "branch_code* metier_code* criterion_code* value lower? upper? origin "
    "units_count? largest_share_pct? source_code",
    "skill_needs": "branch_code* metier_code* skill_code* skill_level* needed_headcount "
    "respondents_count origin",
    "skill_supply": "branch_code* metier_code* skill_code* skill_level* available_headcount "
    "respondents_count coverage_pct origin",
    "skill_mentions": "period_rank* skill_code* mentions_count documents_count employers_count "
    "mentions_squares_count source_code origin",
    "rncp_fiches": "fiche_code* title framework_level? active starts_on? ends_on? origin",
    "rncp_blocs": "fiche_code* bloc_code* title origin",
    "bloc_dates": "fiche_code* bloc_code* starts_on? ends_on?",
    "bloc_readings": "bloc_code* bloc_label? fiche_code? skill_code* skill_label? confidence? "
    "decision?",
    "skill_bundles": "bundle* skill_code*",
    # free texts to match
    "label_corpus": "code* label*",
    "queries": "query*",
    "review": "query* rank code* label confidence decision? decided_on? note? version",
    "branch_ages": "branch_code* metier_code* period* age_band* employment_headcount origin "
    "units_count? largest_share_pct?",
    "branch_entries": "branch_code* metier_code* young_beginners_per_year_headcount? "
    "net_mobility_per_year_headcount? origin units_count? largest_share_pct?",
    # what the functions of needs are given
    "age_pyramids": "branch_code*? metier_code* period [year*?] age_band [first_age*?] "
    "employment_headcount origin",
    "departure_rates": "metier_code* step* first_age* survival_ratio? common_spread_logit "
    "spread_ratio",
    "metier_rates": "metier_code* family_code? growth_rate_pct? own_growth_rate_pct "
    "departure_rate_pct? own_departure_rate_pct? nature",
    "needs_cells": "branch_code* metier_code* level_year employment_headcount "
    "[employment_headcount_lower?] [employment_headcount_upper?] [headcount_fit_ratio?] "
    "family_code? growth_rate_pct? [own_growth_rate_pct?] departure_rate_pct? "
    "[own_departure_rate_pct?] [later_departure_rate_pct?] ages_basis nature origin",
    "company_heads": "metier_code* age_band* employees_headcount",
    "company_rates": "[branch_code*] metier_code* age_band* departure_rate_pct [start_year] "
    "[end_year] [source_code] [nature] [origin]",
    # any annual series to forecast
    "series": "series_code* year* value [kind_code]",
    "headcount_series": "series_code* year* value",
    # results
    "source_list": "source_code* table producer title period? data_date? licence current_version "
    "note? origin",
    "portfolio": "branch_code* certifinfo_code* title kind framework_level? metiers_count "
    "updated_on origin",
    "expiry_calendar": "branch_code* certifinfo_code* title fiche_code ends_on? state months_left? "
    "status origin",
    "bloc_coverage": "branch_code* rome_code* lead_months* covered_on coverage_ratio? skills_count "
    "read_skills_count? ending_blocs_count? status origin",
    "to_look_at": "branch_code* certifinfo_code* reason_code* title origin",
    "metier_profiles": "branch_code* metier_code* skill_rank* skill_code label origin",
    "metier_changes": "branch_code* metier_code* fact_code* item_code*? label? value? "
    "numerator_count? denominator_count? unsaid_count? unit? vintage? source_code? status origin",
    "metier_ways": "branch_code* metier_code* target_metier_code* shared_count to_learn_count "
    "shared_labels to_learn_labels? shared_share near_rank? exit_rank? growth_rate_pct "
    "target_growth_rate_pct? vintage source_code status origin",
    "consolidation_certifications": "branch_code* certifinfo_code* title other_branch_code* "
    "other_certifinfo_code* other_title shared_metiers_count status origin",
    "metier_tensions": "branch_code* metier_code* nomenclature? year? tension_index? "
    "tension_index_lower? tension_index_upper? tension_class_least? tension_class_most? "
    "tension_rank? ranked_count? tension_rank_share? passage_status? image_coverage "
    "fap2009_year? fap2009_index? fap2009_class? fap2009_rank? fap2009_ranked_count? "
    "fap2009_rank_share? fap2009_gap? fap2009_rank_change? status origin",
    "metier_images": "branch_code* metier_code* metier_2021_code* image_weight year? "
    "tension_index? tension_class? status origin",
    "skill_signals": "branch_code* skill_code* label signal* metiers_count value lower? "
    "upper? interval_level reliability_grade? unit status nature origin",
    "skill_posts": "branch_code* skill_code* label metiers_count value lower? upper? "
    "interval_level year unit status nature origin",
    "skill_gaps": "branch_code* metier_code* skill_code* needed available? gap? lower? upper? "
    "interval_level? unweighted_gap? respondents_count? coverage_pct? status origin",
    "projection": "branch_code* metier_code* region_code* scenario_code* model* cutoff_year* "
    "year* quantile_level* quantity* value? unit status nature origin [reliability_grade?]",
    "labels": "branch_code* question_code* metier_code* year? label acceptability_pct? "
    "uniform_acceptability_pct? data_variance_share_pct? score? score_lower? score_upper? "
    "missed_gate? missed_gate_pct? flip_criterion_code? flip_weight? entry_headcount? "
    "reliability_grade? voted main_rome_codes? main_romes? branch_hires_count? status nature "
    "origin",
    "facts": "branch_code* metier_code* criterion_code* value? lower? upper? reliability_grade? "
    "year? status nature origin source_code?",
    "questions": "branch_code* question_code* criterion_code* label unit low high scale direction "
    "weight cutoff_score concentration vote_date? vote_body? minutes_reference? basis origin",
    "gates": "branch_code* question_code* gate* way* criterion_code* label unit least origin",
    "scenario_lines": "scenario_code* line_number* scenario_label line_label? "
    "industry_group_codes? branch_codes? metier_codes? start_year? end_year? multiplier? points? "
    "unit? vote? basis origin",
    "needs": "branch_code* metier_code* region_code* scenario_code* model* cutoff_year* "
    "start_year* year* quantile_level* quantity* value? unit status nature origin ages_basis "
    "[best_grade?]",
    "request_review": "branch_code* period_end_on* size_band* topic_code* reason* indicator* "
    "variant*? value? lower? upper? interval_level? retained? unit numerator_count? "
    "denominator_count? status nature origin",
    "request_follow_up": "recommendation_code* branch_code topic_code proposed_on "
    "unmet_companies_count unmet_share_pct unmet_share_lower_pct unmet_share_upper_pct "
    "offer_change? decision_status decision? decided_on? indicator value? lower? upper? "
    "interval_level? unit status nature origin",
    "shortlist": "branch_code* metier_code* rank is_shown presence_pct departure_rate_pct "
    "departure_rate_pct_lower departure_rate_pct_upper reliability_grade "
    "departures_per_year_headcount employment_headcount employment_share_pct "
    "employment_share_pct_lower employment_share_pct_upper growth_rate_pct own_growth_rate_pct "
    "tension_alarm departures_alarm nomenclature? tension_year? tension_index? "
    "tension_class_least? tension_class_most? tension_rank? ranked_count? causes? causes_year "
    "certifications_count? own_certifications_count? main_rome_codes? main_romes? "
    "branch_hires_count? decision_status decision? decided_on? minutes_reference? year status "
    "nature origin",
    "company_metiers": "branch_code* metier_code* departure_rate_pct growth_rate_pct "
    "tension_alarm departures_alarm tension_year? tension_class_least? tension_class_most? "
    "tension_rank? ranked_count? causes? causes_year certifications_count? "
    "own_certifications_count? certifications? near_metier_codes? falling_metier_codes? status "
    "origin",
    "shortlist_left_out": "branch_code* metier_code* reason employment_share_pct? "
    "departure_rate_pct growth_rate_pct year status nature origin",
    "decision_follow_up": "decision_code* branch_code metier_code edition_id proposed_on "
    "proposed_lever departure_rate_pct decision_status decision? decided_on? minutes_reference? "
    "is_listed rank? departure_rate_now_pct? status origin",
    "note_list": "branch_code* note_code* note metier_codes? theme basis_kind basis? heard_on? "
    "signed_by signed_on valid_until follow_up? status origin",
    "note_themes": "theme* branches_count bodies_count notes_count branch_codes status origin",
    "work_review": "branch_code* theme_code* indicator* variant*? value? unit numerator_count? "
    "denominator_count? status nature origin",
    "work_list": "work_code* kind title requested_by branch_codes theme_codes? decision_code? "
    "recommendation_code? question? method? method_note_link? status requested_on decided_on? "
    "minutes_reference? due_on? delivered_on? fieldwork_end_on? outcome? cost_band? deliverables? "
    "link? reused_by? follow_up? stage origin",
    "work_decisions": "decision_code* work_code*? branch_code metier_code edition_id decided_on "
    "minutes_reference decision? decision_status title? stage? delivered_on? outcome? status "
    "origin",
    "work_metiers": "metier_code* indicator* value? unit status nature origin",
    "indicators": "branch_code* metier_code* region_code* year* indicator* [model*?] "
    "[horizon_years*?] [variant*?] [level*?] [age_band*?] [quantile_level*?] value? lower? upper? "
    "interval_level? [reliability_grade?] unit units_count? status nature origin source_code?",
}
"""Columns of every table, in order; of an indicator, keys in brackets say what it is of."""


class Use(NamedTuple):
    """How one table uses one column."""

    name: str
    in_key: bool
    may_be_empty: bool
    may_be_absent: bool


def _uses(columns: str) -> list[Use]:
    words = [(word.strip("[]"), word.startswith("[")) for word in columns.split()]
    return [Use(word.rstrip("*?"), "*" in word, "?" in word, absent) for word, absent in words]


USES: Final = {table: _uses(columns) for table, columns in TABLES.items()}
KEYS: Final = {table: [use.name for use in uses if use.in_key] for table, uses in USES.items()}
"""Key columns of every table: no two rows share their values."""

DESCRIPTIONS: Final[dict[str, dict[str, Column]]] = {
    table: {use.name: COLUMNS.get(f"{table}.{use.name}") or COLUMNS[use.name] for use in uses}
    for table, uses in USES.items()
}
"""Meaning of every column of every table: its French `label` and `unit` among others."""

PROJECTION_COLUMNS: Final = tuple(use.name for use in USES["projection"] if not use.may_be_absent)
"""Columns of the long projection table, in order; that of grades comes with the level."""
INDICATOR_COLUMNS: Final = tuple(DESCRIPTIONS["indicators"])
"""Columns of the long indicator table, in order."""
OPTIONAL_COLUMNS: Final = tuple(use.name for use in USES["indicators"] if use.may_be_absent)
"""Columns that an indicator table has only where some row fills them in."""
DIMENSIONS: Final = tuple(name for name in OPTIONAL_COLUMNS if name in KEYS["indicators"])
"""Those of them that tell indicators apart."""


class Rule(NamedTuple):
    """What the cells of one row must say together.

    Attributes:
        columns: The columns it reads, first the one to blame; it waits where one is absent.
        holds: Frame to one boolean per row. Texts are `""` and numbers `NaN` where a cell is empty
            or of another type.
        what: What is wrong where it does not hold.
        expected: What was expected.
        fix: What to do.
        error: Class of the error.
        choices: What the cell may have meant.
        first_of: Columns whose values the row shares with an earlier one, named after `what`.
    """

    columns: tuple[str, ...]
    holds: Callable[[pd.DataFrame], pd.Series]
    what: str
    expected: str
    fix: str
    error: type[DataError] = SchemaError
    choices: Collection[str] = ()
    first_of: tuple[str, ...] = ()


def _counted(column: str) -> Rule:
    return Rule(
        columns=(column, "origin"),
        holds=lambda frame: frame[column].notna() | (frame["origin"] != "own"),
        what=f"an own cell without `{column}`",
        expected=f"`{column}` in every row whose origin is own",
        fix="fill it in: without it nobody can tell whether the cell may be shown",
    )


def _sums_to_one(origin: str) -> Rule:
    return Rule(
        columns=("share", origin),
        holds=lambda frame: (
            (frame["share"].groupby(frame[origin]).transform("sum") - 1).abs() < 1e-5
        ),
        what=f"the shares of this {origin} do not sum to 1",
        expected="shares that sum to 1",
        fix="correct the shares of this code",
        error=CoherenceError,
    )


def _follows(frame: pd.DataFrame) -> pd.Series:
    ages = frame["first_age"].dropna().drop_duplicates().sort_values()
    return ~frame["first_age"].isin(ages[ages.diff().ne(5)].iloc[2:])


_ORDER = Rule(
    columns=("lower", "upper"),
    holds=lambda frame: ~(frame["lower"] > frame["upper"]),
    what="`lower` is above `upper`",
    expected="lower ≤ upper",
    fix="correct the interval",
    error=RangeError,
)
_VALUE = Rule(
    columns=("value", "status"),
    holds=lambda frame: frame["value"].notna() == (frame["status"] == "value"),
    what="`value` and `status` disagree",
    expected="a value where status is `value`, and only there",
    fix="correct the status or the value",
)
_BANDS = Rule(
    columns=("age_band", "first_age"),
    holds=_follows,
    what="not five years after the band before",
    expected="bands of five years, but the first and the last",
    fix="split the bands",
)
_COUNTED = (_counted("units_count"), _counted("largest_share_pct"))
_SPREAD = Rule(
    columns=("standard_deviation",),
    holds=lambda frame: ~(frame["standard_deviation"] <= 0),
    what="the standard deviation is not above 0",
    expected="> 0",
    fix="copy it from the release",
    error=RangeError,
)
_SEEN = Rule(
    columns=("coverage_pct",),
    holds=lambda frame: frame["coverage_pct"] != 0,
    what="nobody was seen",
    expected="a coverage above 0 and up to 100",
    fix="correct the cell; drop the row if nobody was seen",
    error=RangeError,
)
_MENTIONS = Rule(
    columns=("mentions_count", "documents_count"),
    holds=lambda frame: ~(frame["mentions_count"] > frame["documents_count"]),
    what="more mentions than documents",
    expected="at most the documents of the period",
    fix="correct mentions or documents",
    error=RangeError,
)
_SQUARES = Rule(
    columns=("mentions_count", "mentions_squares_count"),
    holds=lambda frame: ~(frame["mentions_squares_count"] < frame["mentions_count"]),
    what="squares below the mentions",
    expected="at least the mentions",
    fix="add up, over employers, the squared number of their offers that mention the skill",
    error=RangeError,
)
_DOCUMENTS = Rule(
    columns=("documents_count", "period_rank"),
    holds=lambda frame: frame.groupby("period_rank")["documents_count"].transform("nunique") == 1,
    what="several totals for one period",
    expected="the same documents_count in every row of the period",
    fix="correct the total",
    error=CoherenceError,
)
_BEGUN = Rule(
    columns=("starts_on", "ends_on"),
    holds=lambda frame: (frame["ends_on"] == "") | ~(frame["starts_on"] > frame["ends_on"]),
    what="starts after it ends",
    expected="start before end",
    fix="correct the dates",
    error=RangeError,
)
_DECIDED = Rule(
    columns=("status", "decided_on", "minutes_reference"),
    holds=lambda frame: (
        frame["status"].isin(["candidate", ""])
        | (frame["decided_on"].ne("") & frame["minutes_reference"].ne(""))
    ),
    what="a decision without its day or its minutes",
    expected="`decided_on` and `minutes_reference`, or the status candidate",
    fix="fill them in, from the minutes of the meeting",
)
RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "decisions": (_DECIDED,),
    "age_pyramids": (_BANDS,),
    "naf_branch": (_sums_to_one("naf_code"),),
    "rome_fap_split": (_sums_to_one("rome_code"),),
    "projection": (_VALUE,),
    "indicators": (_VALUE, _ORDER),
    "needs": (_VALUE,),
    "facts": (_VALUE, _ORDER),
    "tension_reference": (_SPREAD,),
    "fap_crosswalk": (_sums_to_one("metier_code"),),
    "criterion_values": (_ORDER, *_COUNTED),
    "skill_supply": (_SEEN,),
    "skill_mentions": (_MENTIONS, _DOCUMENTS, _SQUARES),
    "bloc_dates": (_BEGUN,),
    "request_review": (_VALUE,),
    "work_review": (_VALUE,),
    "employment": _COUNTED,
    "branch_totals": _COUNTED,
    "branch_ages": _COUNTED,
    "branch_entries": _COUNTED,
}
"""Rules across the columns of a row, by table."""
