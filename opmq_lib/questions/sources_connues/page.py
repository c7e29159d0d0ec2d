"""Facts and tables of `20_sources`, from its result tables alone."""

from opmq_lib.questions.sources_connues.chain import BY_METIER, COVERAGE, SOURCES
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import row_of, select

WORDS = words(__package__)
NAMED = 3


def headline(results: Results) -> Html:
    """Return up to when employment by métier is known, from when hires are, what to do."""
    table, cells = results[COVERAGE], _cells(results)
    known = select(table, "known_metiers_count", variant="employment_national")
    age = row_of(table, "source_age_months", None, variant="employment_national")
    hires = results[SOURCES].set_index("table")["period"]["rome_naf_hires"]
    return pieces.lede(WORDS.headline(int(known["year"].iloc[0]), cells.number(age), hires))


def warnings(results: Results, labels: Labels) -> Html:
    """Return the oldest sources, what is secret, what is broken, what is not known."""
    table, cells = results[COVERAGE], _cells(results)
    portraits = select(table, "portraits_count")
    unknown = portraits.loc[portraits["value"] == 0, "branch_code"].map(labels)
    oldest = results[SOURCES].head(NAMED)
    named = [
        f"« {french.label(title)} » ({period or day[:4]})"
        for title, period, day in zip(
            oldest["title"], oldest["period"], oldest["data_date"], strict=True
        )
    ]
    said = [
        WORDS.oldest(named),
        WORDS.hidden(cells.percent(row_of(table, "hidden_cells_pct"))),
        *(WORDS.broken(int(year)) for year in select(table, "nomenclature_break")["value"]),
        WORDS.no_portrait([f"« {name} »" for name in sorted(unknown, key=french.order)]),
        WORDS.licences(cells.number(row_of(table, "unsaid_licences_count"))),
    ]
    unverified = row_of(table, "unverified_sources_count")
    if cells.read(unverified or 0):
        said.append(WORDS.unverified(cells.number(unverified)))
    return pieces.findings("\n\n".join(said))


def freshness_table(results: Results) -> Html:
    """Return every dated source, the oldest first: its period, its age, where to get it."""
    cells, table, sources = _cells(results), results[COVERAGE], results[SOURCES]
    rows = {row["table"]: row for row in sources.to_dict("records")}
    ages = select(table, "source_age_months")
    row_of_table = dict(zip(ages["variant"], map(int, ages.index), strict=True))
    columns = {
        "Source": lambda name: french.label(rows[name]["title"]),
        "Producteur": lambda name: french.label(rows[name]["producer"]),
        "Période": lambda name: rows[name]["period"] or rows[name]["data_date"][:4],
        "Âge (en mois)": lambda name: cells.number(row_of_table[name]),
        "Version à jour": lambda name: french.label(rows[name]["current_version"]),
    }
    undated = len(sources) - len(ages)
    return pieces.table(WORDS.freshness_table(undated), columns, row_of_table)


def metiers_table(results: Results) -> Html:
    """Return how many métiers of the field each national table knows, and in which year."""
    cells, table = _cells(results), results[COVERAGE]
    rows = {
        name: int(select(table, "known_metiers_count", variant=name).index[0]) for name in BY_METIER
    }
    titles = results[SOURCES].set_index("table")["title"]
    whole = cells.number(row_of(table, "metiers_count"))
    columns = {
        "Source": lambda name: french.label(titles[name]),
        "Dernière année": lambda name: f"{table['year'].loc[rows[name]]:.0f}",
        "Métiers connus": lambda name: cells.number(rows[name]),
    }
    return pieces.table(WORDS.metiers_table(whole), columns, BY_METIER)


def branches_table(results: Results, labels: Labels) -> Html:
    """Return what is published of each branch."""
    cells, table = _cells(results), results[COVERAGE]

    def column(indicator: str) -> dict[str, int]:
        rows = select(table, indicator)
        return {code: int(at) for at, code in zip(rows.index, rows["branch_code"], strict=True)}

    named = {
        "Portraits de conventions": column("portraits_count"),
        "Activités (NAF) avec embauches": column("activities_count"),
        "Certifications de ses organismes": column("certifications_count"),
    }
    columns = {"Branche": labels.__getitem__} | {
        title: lambda code, rows=rows: cells.number(rows[code]) for title, rows in named.items()
    }
    codes = sorted(named["Portraits de conventions"], key=lambda code: french.order(labels[code]))
    return pieces.table(WORDS.branches_table(), columns, codes)


def _cells(results: Results) -> Cells:
    return Cells(COVERAGE, results[COVERAGE])
