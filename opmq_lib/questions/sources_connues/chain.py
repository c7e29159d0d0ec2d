"""Steps of `20_sources`: how old each official table is, and what it covers."""

from datetime import date

import pandas as pd

from opmq_lib.methods.skills import certifications
from opmq_lib.questions.shared import ALL_BRANCHES, Tables, in_field, studied
from opmq_lib.tables import check, indicators

COVERAGE, SOURCES = "couverture", "sources"
BY_METIER = (
    "employment_national",
    "employees_national",
    "metier_sectors",
    "age_structure",
    "tension",
)
"""National tables by métier of FAP-2009 whose coverage is told."""
_UNSAID, _UNVERIFIED = "non indiquée", "Non vérifié"


def sources(inputs: Tables) -> pd.DataFrame:
    """Return the official sources, the oldest first, those without a date last: `source_list`."""
    rows = inputs["sources"]
    order = rows["data_date"].mask(rows["data_date"] == "", "9999")
    rows = rows.assign(order=order).sort_values(["order", "source_code"], ignore_index=True)
    return check("source_list", rows.drop(columns="order").assign(origin="public"), SOURCES)


def ages(sources: pd.DataFrame, on: date) -> pd.DataFrame:
    """Return how many months each source ended before a day, by `variant`, its table.

    Examples:
        >>> table = {"table": ["tension", "metiers"], "data_date": ["2024-12-31", ""]}
        >>> ages(pd.DataFrame(table), date(2026, 11, 24))[["variant", "value"]].to_dict("list")
        {'variant': ['tension'], 'value': [23.0]}
    """
    dated = sources[sources["data_date"] != ""]
    days = pd.to_datetime(dated["data_date"])
    months = (on.year - days.dt.year) * 12 + on.month - days.dt.month
    return pd.DataFrame(
        {
            "variant": dated["table"],
            "year": days.dt.year,
            "value": months.astype("float64"),
            "indicator": "source_age_months",
            "unit": "months",
        }
    )


def by_metier(inputs: Tables) -> pd.DataFrame:
    """Return how many métiers of the field each national table knows in its last year."""
    metiers = studied(inputs, "metiers")
    field = in_field(inputs, metiers[metiers["level"] == "fap225"])["metier_code"]
    parts = []
    for name in BY_METIER:
        rows = inputs[name]
        year = rows["year"] if "year" in rows else rows["period"].str[:4].astype("int64") + 1
        known = rows.loc[(year == year.max()) & rows["metier_code"].isin(field), "metier_code"]
        parts.append((name, int(year.max()), known.nunique()))
    table = pd.DataFrame(parts, columns=["variant", "year", "value"])
    named = table.assign(indicator="known_metiers_count", unit="metiers")
    total = {"variant": "", "year": int(table["year"].max()), "value": len(field)}
    whole = pd.DataFrame([total]).assign(indicator="metiers_count", unit="metiers")
    return pd.concat([named, whole], ignore_index=True)


def by_branch(inputs: Tables) -> pd.DataFrame:
    """Return what is published of each branch: portraits, activities with hires, certifications."""
    headcount, hires, links = (
        inputs[name] for name in ("branch_headcount", "rome_naf_hires", "naf_branch")
    )
    portfolio = certifications.portfolio(inputs["certifications"], inputs["certifying_bodies"])
    known = links[links["naf_code"].isin(hires["naf_code"])]
    updated = int(inputs["certifications"]["updated_on"].max()[:4])
    hired = inputs["sources"].set_index("table")["data_date"].get("rome_naf_hires", "")
    counted = {
        "portraits_count": (headcount, int(headcount["year"].max())),
        "activities_count": (known, int(hired[:4])),
        "certifications_count": (portfolio, updated),
    }
    codes = inputs["branches"]["branch_code"]
    parts = [
        pd.DataFrame(
            {
                "branch_code": codes,
                "year": year,
                "value": codes.map(rows["branch_code"].value_counts()).fillna(0.0),
                "indicator": name,
                "unit": "count",
            }
        )
        for name, (rows, year) in counted.items()
    ]
    return pd.concat(parts, ignore_index=True)


def warnings(inputs: Tables, sources: pd.DataFrame) -> pd.DataFrame:
    """Return what to mind: secret cells, breaks of series, licences not said, layouts not seen."""
    intentions = inputs["recruitment_intentions"]
    last = intentions[intentions["year"] == intentions["year"].max()]
    year = int(last["year"].iloc[0])
    secret = 100 * last["projects_secret_cells_count"].sum() / last["cells_count"].sum()
    by_year = intentions.groupby("year")["nomenclature"].first()
    breaks = by_year.index[by_year.ne(by_year.shift()) & by_year.shift().notna()]
    rows = [
        ("hidden_cells_pct", "recruitment_intentions", year, float(secret), "pct"),
        *(
            ("nomenclature_break", "recruitment_intentions", int(each), float(each), "year")
            for each in breaks
        ),
        ("unsaid_licences_count", "", year, _count(sources["licence"], _UNSAID), "count"),
        ("unverified_sources_count", "", year, _count(sources["note"], _UNVERIFIED), "count"),
    ]
    return pd.DataFrame(rows, columns=["indicator", "variant", "year", "value", "unit"])


def results(sources: pd.DataFrame, *parts: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return `couverture`, all measures as indicators, and `sources`."""
    measured = indicators.stack(parts, ALL_BRANCHES, COVERAGE)
    return {COVERAGE: measured, SOURCES: sources}


def _count(texts: pd.Series, said: str) -> float:
    return float(texts.str.contains(said, regex=False).sum())
