"""The departures of one company, and its workbook opened in a spreadsheet."""

import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from functools import reduce
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from openpyxl.workbook import Workbook
from scipy.stats import binom

from opmq_lib.errors import CoherenceError, DataError
from opmq_lib.methods import shortlist
from opmq_lib.methods.needs import company
from opmq_lib.methods.needs.rates import learn_rates
from opmq_lib.questions import shared
from opmq_lib.questions.besoins import by_age
from opmq_lib.questions.besoins import chain as besoins
from opmq_lib.questions.entreprise import chain, workbook
from opmq_lib.show import downloads
from opmq_lib.sources import study
from opmq_lib.tables.columns import COLUMNS, COUNTED_BANDS

EDITION, INPUTS = study.edition(), study.load_inputs(["chimie"])
YEARS = (1, 3, 5)
CODES = ["00044", "E1Z41", "D6Z70", "J0Z20", "autres_metiers"]
"""The first is no code of the FAP: one that a spreadsheet would take for a number."""
RATES = pd.DataFrame(
    [[0.6, 1.4, 7.6, 17.6, 20, 2.4]] * 3 + [[0.0, 0, 10, 20, 20, 25], [1, 2, 5, 20, 20, 3.3]],
    pd.Index(CODES, name="metier_code"),
    COUNTED_BANDS,
)
COMPANIES = {
    "empty": {},
    "one_metier": {"00044": [12, 0, 4, 6, 3, 0, 0]},
    "thirty": {
        "00044": [3, 1, 2, 0, 1, 0, 1],
        "E1Z41": [4, 2, 1, 3, 0, 1, 0],
        "D6Z70": [6, 0, 0, 0, 0, 0, 0],
        "J0Z20": [0, 1, 0, 1, 1, 0, 2],
        "autres_metiers": [1, 0, 1, 0, 0, 0, 0],
    },
    "large": {"00044": [0, 60, 41, 0, 0, 0, 0], "E1Z41": [9, 10, 20, 30, 9, 2, 7]},
}
"""Heads by métier and age band, those under 45 first; three companies, and none."""
SHARED_FUNCTIONS = {
    *("SUM", "SUMPRODUCT", "MMULT", "EXP", "LN", "SIN", "COS", "ATAN2", "PI", "IF", "OR", "MIN"),
    *("MAX", "INT", "N", "COUNT", "COUNTA", "COUNTIF", "COUNTIFS", "INDEX", "MATCH"),
}
"""What Excel and LibreOffice both compute, whatever their age."""


def rates_of(table: pd.DataFrame) -> pd.DataFrame:
    """The table of the function, from one row per métier."""
    rows = table.melt(ignore_index=False, var_name="age_band", value_name="departure_rate_pct")
    order = rows.index.map({code: n for n, code in enumerate(table.index)})
    years = {"start_year": 2023, "end_year": 2028}
    rows = rows.iloc[order.argsort(kind="stable")].reset_index()
    return rows.assign(nature="projection", origin="public", **years)


def heads_of(metiers: Mapping[str, list[int]]) -> pd.DataFrame:
    rows = [
        (code, band, count)
        for code, counts in metiers.items()
        for band, count in zip(COLUMNS["company_heads.age_band"].choices, counts, strict=True)
    ]
    return pd.DataFrame(rows, columns=["metier_code", "age_band", "employees_headcount"])


def law(heads: np.ndarray, shares: np.ndarray, log_odds_sd: float = 0.25) -> np.ndarray:
    """Chances of 0, 1, … departures: binomials of SciPy, convolved at each of three nodes."""
    found = np.zeros(int(heads.sum()) + 1)
    for z, weight in ((-np.sqrt(3), 1 / 6), (0, 2 / 3), (np.sqrt(3), 1 / 6)):
        odds = np.exp(log_odds_sd * z)
        moved = shares * odds / (1 - shares + shares * odds)
        parts = [
            binom.pmf(np.arange(n + 1), n, p) for n, p in zip(heads.astype(int), moved, strict=True)
        ]
        found += weight * reduce(np.convolve, parts)
    return found


def expected(metiers: Mapping[str, list[int]]) -> dict[tuple[str, int], list[float]]:
    """Counted heads, ends, median and chance of one or more, of each métier and of all."""
    counts = {code: np.array(metiers[code][1:]) for code in metiers}
    found = {}
    for years in YEARS:
        shares = {code: np.minimum(1, years * RATES.loc[code] / 100) for code in counts}
        every = sum(counts.values())
        left = sum(counts[code] * shares[code].to_numpy() for code in counts)
        rows = {code: (counts[code], shares[code].to_numpy()) for code in sorted(counts)}
        rows["ENS"] = every, left / np.maximum(1, every)
        for code, (heads, share) in rows.items():
            chance = law(heads, share)
            below = chance.cumsum()
            ends = [int((below < level - 1e-12).sum()) for level in (0.05, 0.5, 0.95)]
            found[code, years] = [int(heads.sum()), *ends, 1 - chance[0]]
    return found


@pytest.mark.parametrize(
    ("log_odds_sd", "found"), [(0.0, [0, 2, 4]), (0.25, [0, 2, 5])], ids=["certain", "uncertain"]
)
def test_twenty_persons_of_whom_a_tenth_leaves(
    log_odds_sd: float, found: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(company.__globals__, "LOG_ODDS_SD", log_odds_sd)
    heads = pd.DataFrame({"metier_code": "A", "age_band": "50-54 ans", "employees_headcount": [20]})
    rates = heads[["metier_code", "age_band"]].assign(departure_rate_pct=2.0)
    row = company(heads, rates, [5]).iloc[0]
    assert row[["lower", "departures_headcount", "upper"]].tolist() == found
    none = 0.9**20 if log_odds_sd == 0 else 0.129546749
    assert 1 - row["at_least_one_ratio"] == pytest.approx(none, abs=1e-9)


@pytest.mark.parametrize("name", ["one_metier", "thirty", "large"])
def test_rows_and_totals_are_binomials_convolved_at_three_nodes(name: str) -> None:
    found = company(heads_of(COMPANIES[name]), rates_of(RATES))
    names = ["counted_headcount", "lower", "departures_headcount", "upper", "at_least_one_ratio"]
    known = found.set_index(["metier_code", "horizon_years"])[names]
    wanted = expected(COMPANIES[name])
    assert set(known.index) == set(wanted)
    for key, values in wanted.items():
        assert known.loc[key].tolist() == pytest.approx(values, abs=1e-9), key


def test_a_company_of_one_metier_reads_the_same_row_and_total() -> None:
    found = company(heads_of(COMPANIES["one_metier"]), rates_of(RATES))
    row, total = (found[found["metier_code"] == code] for code in ("00044", "ENS"))
    assert row.iloc[:, 1:].to_numpy() == pytest.approx(total.iloc[:, 1:].to_numpy(), abs=1e-12)


def test_nobody_is_no_row_and_nobody_of_45_no_departure() -> None:
    assert company(heads_of({}), rates_of(RATES)).empty
    young = company(heads_of({"00044": [9, 0, 0, 0, 0, 0, 0]}), rates_of(RATES))
    assert (young[["counted_headcount", "upper", "at_least_one_ratio"]] == 0).all(axis=None)


def test_every_defect_of_what_a_company_gives_is_told() -> None:
    heads = heads_of({"A": [0, 1, 0, 0, 0, 0, 0], "00044": [0, 2, 0, 0, 0, 0, 1]})
    with pytest.raises(CoherenceError, match="heads, A, 45-49 ans: heads without a rate"):
        company(heads, rates_of(RATES))
    wrong = heads.assign(age_band="48 ans", employees_headcount=-1)
    with pytest.raises(DataError) as error:
        company(wrong, rates_of(RATES).drop(columns="departure_rate_pct"))
    told = str(error.value)
    assert all(part in told for part in ("48 ans", "-1", "departure_rate_pct"))


def facts_of() -> pd.DataFrame:
    """What is known of the métiers of an invented workbook, long where texts may be."""
    rows = pd.DataFrame({"metier_code": CODES[:-1], "tension_alarm": ["yes", "no", "no", "no"]})
    return rows.assign(
        departures_alarm="no",
        tension_year=2024,
        tension_class_least=[5.0, 3, 2, 1],
        tension_class_most=[5.0, 4, 2, 1],
        tension_rank=[1.0, 20, 30, np.nan],
        ranked_count=58,
        causes=["training geography", "", "", ""],
        causes_year=2019.0,
        certifications_count=[3.0, 0, 12, np.nan],
        own_certifications_count=[1.0, np.nan, np.nan, np.nan],
        certifications="=CQP d'essai ; Titre",
        near_metier_codes=["E1Z41 D6Z70", "", "", ""],
        falling_metier_codes=["D6Z70", "", "", ""],
    )


def invented() -> Workbook:
    labels = study.metier_labels() | {"00044": "Métier d’un code à zéros"}
    return workbook.book(INPUTS, "chimie", rates_of(RATES), facts_of(), labels, EDITION)


@pytest.fixture(scope="module")
def book() -> Workbook:
    return invented()


def fill_in(book: Workbook, metiers: Mapping[str, list[int]], *, by_birth: bool) -> None:
    """Enter heads by age band, or the unknown and the young only and the others by birth."""
    sheet, births = book["Mes salariés"], book["Naissances"]
    first_years = [year + EDITION.edition_date.year for year in (-44, -49, -50, -59, -60, -70)]
    line = 7
    for row, code in enumerate(CODES, start=7):
        for column, count in enumerate(metiers.get(code, []), start=3):
            if not by_birth:
                sheet.cell(row, column, count)
                continue
            for _ in range(count):
                births.cell(line, 1, sheet.cell(row, 2).value)
                births.cell(line, 2, [*first_years, None][column - 3])
                line += 1


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The workbooks of the companies, computed by LibreOffice in one go."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    folder = tmp_path_factory.mktemp("companies")
    given = [folder / f"{name}.xlsx" for name in COMPANIES]
    for path, metiers in zip(given, COMPANIES.values(), strict=True):
        book = invented()
        fill_in(book, metiers, by_birth=path.stem == "thirty")
        downloads.write_workbook(book, path)
    given.append(folder / "ill_written.xlsx")
    book = invented()
    book["Mes salariés"]["D7"], book["Mes salariés"]["D8"] = "deux", 1
    book["Naissances"]["B4"], book["Naissances"]["A7"] = "cette année", "Magicien"
    downloads.write_workbook(book, given[-1])
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [office, "--headless", profile, "--convert-to", "xlsx", "--outdir", folder / "done"]
    subprocess.run([*command, *given], check=True, capture_output=True, timeout=300)
    return {path.stem: folder / "done" / path.name for path in given}


@pytest.fixture(scope="module")
def computed(files: dict[str, Path]) -> dict[str, Workbook]:
    return {name: openpyxl.load_workbook(path, data_only=True) for name, path in files.items()}


def answers(book: Workbook, code: str, years: int) -> list[object]:
    """Counted heads, ends, median and chance of one or more, as the workbook has computed them."""
    sheet, row = (
        (book["total"], 7 + YEARS.index(years))
        if code == "ENS"
        else (book[f"an{years}"], 7 + CODES.index(code))
    )
    return [sheet.cell(row, column).value for column in (1, 6, 7, 8, 4)]


@pytest.mark.parametrize("name", ["one_metier", "thirty", "large"])
def test_a_spreadsheet_computes_what_the_function_does(
    computed: dict[str, Workbook], name: str
) -> None:
    found = company(heads_of(COMPANIES[name]), rates_of(RATES))
    names = ["counted_headcount", "lower", "departures_headcount", "upper", "at_least_one_ratio"]
    compared = 0
    for row in found.to_dict("records"):
        known = answers(computed[name], row["metier_code"], row["horizon_years"])
        wanted = [row[name] for name in names]
        is_computed = 0 < wanted[0] <= (300 if row["metier_code"] == "ENS" else 100)
        assert known[0] == wanted[0]
        if is_computed:
            assert known == pytest.approx(wanted, abs=1e-9)
            compared += 1
        else:
            assert set(known[1:]) <= {None, ""}
    assert compared == {"one_metier": 6, "thirty": 15, "large": 6}[name]


def test_no_cell_is_an_error_and_codes_keep_their_zeros(
    files: dict[str, Path], computed: dict[str, Workbook]
) -> None:
    for path in files.values():
        with zipfile.ZipFile(path) as parts:
            assert not [name for name in parts.namelist() if b't="e"' in parts.read(name)]
    for book in computed.values():
        assert book["Mes salariés"]["A7"].value == "00044"
    assert computed["thirty"]["Mes départs"]["A7"].value == "00044"
    assert computed["thirty"]["Mes métiers"]["A6"].value == "00044"
    assert "00044" in computed["empty"]["Lisez-moi"]["A2"].value


def test_empty_input_gives_empty_output(computed: dict[str, Workbook]) -> None:
    for name in ("Mes départs", "Mes métiers"):
        rows = computed["empty"][name].iter_rows(min_row=7, values_only=True)
        assert {value for row in rows for value in row} <= {None, ""}
    assert str(computed["empty"]["Mes départs"]["A3"].value).startswith("Saisissez")
    assert not computed["empty"]["Mes départs"]["D6"].value


def test_small_numbers_are_told_as_chances(computed: dict[str, Workbook]) -> None:
    told = computed["one_metier"]["Mes départs"]
    assert [told["C7"].value, told["H7"].value] == [13, "5 (entre 3 et 8)"]
    assert told["D7"].value == "1 (entre 0 et 3)"
    assert told["A3"].value.replace("\u00a0", " ") == (
        "25 salariés saisis, dont 13 de 45 ans ou plus ou d’âge inconnu. "
        "D’ici 5 ans : 5 départs de fin de carrière probables (entre 3 et 8)."
    )
    thirty = computed["thirty"]["Mes départs"]
    rows = {row[0]: row for row in thirty.iter_rows(min_row=7, max_row=11, values_only=True)}
    assert rows["D6Z70"][2:5] == (0, "–", None) or rows["D6Z70"][2:4] == (0, "–")
    assert rows["–"][3] == "aucun probable"
    assert computed["large"]["Mes départs"]["D7"].value == "non calculé"


def test_what_is_ill_written_is_counted_and_spoils_nothing(computed: dict[str, Workbook]) -> None:
    told = computed["ill_written"]["Mes départs"]["A3"].value
    assert told.replace("\u00a0", " ").replace("\u202f", " ") == (
        "1 salarié saisi, dont 1 de 45 ans ou plus ou d’âge inconnu. D’ici 5 ans : aucun départ de "
        "fin de carrière probable ; chance d’au moins un : 3 %. Attention, lignes à corriger : 3."
    )
    assert computed["ill_written"]["Naissances"]["C4"].value == "année à vérifier"


def test_a_metier_tells_its_tension_its_cause_and_where_to_recruit(
    computed: dict[str, Workbook],
) -> None:
    rows = [*computed["thirty"]["Mes métiers"].iter_rows(min_row=6, max_row=7, values_only=True)]
    first, second = ([str(text).replace("\u00a0", " ") for text in row] for row in rows)
    assert first[2] == "Très forte : classe 5 sur 5, 1er sur 58 métiers publiés en 2024"
    assert "alternance" in first[3]
    assert "mobilité" in first[3]
    assert first[4].startswith("3 en cours, dont 1 de la branche. Par exemple : =CQP d’essai")
    assert first[5].endswith("(en baisse)")
    assert second[2].startswith("classe 3 à 4 sur 5, 20e")
    assert second[3:6] == [*("aucune alerte publiée", "aucun CQP ni titre recensé", "non connu")]


def formulas_of(book: Workbook) -> list[str]:
    cells = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row]
    texts = [getattr(value, "text", value) for value in cells]
    return [text for text in texts if isinstance(text, str) and text.startswith("=")]


def test_formulas_call_functions_that_all_spreadsheets_have(book: Workbook) -> None:
    formulas = formulas_of(book)
    called = {
        name
        for text in formulas
        for name in re.findall(r"([A-Z0-9.]+)\(", re.sub('"[^"]*"', "", text))
    }
    assert len(formulas) > 1000
    assert called <= SHARED_FUNCTIONS


def test_only_cells_to_fill_in_are_open_and_they_are_checked(book: Workbook) -> None:
    assert all(sheet.protection.sheet for sheet in book)
    unlocked = {
        (sheet.title, cell.coordinate)
        for sheet in book
        if sheet.sheet_state == "visible"
        for row in sheet.iter_rows()
        for cell in row
        if not cell.protection.locked
    }
    heads = {("Mes salariés", f"{column}{row}") for column in "CDEFGHI" for row in range(7, 12)}
    births = {("Naissances", f"{column}{row}") for column in "AB" for row in range(7, 307)}
    assert unlocked == heads | births | {("Naissances", "B4")}
    ruled = {
        (sheet.title, cell)
        for sheet in book
        for rule in sheet.data_validations.dataValidation
        for block in rule.sqref.ranges
        for cell in (f"{openpyxl.utils.get_column_letter(c)}{r}" for r, c in block.cells)
    }
    assert ruled == unlocked
    hidden = [sheet.title for sheet in book if sheet.sheet_state == "hidden"]
    assert hidden == ["taux", "an1", "an3", "an5", "total", "faits"]


def test_a_workbook_is_the_same_each_time_and_light_with_sixty_metiers(
    tmp_path: Path,
) -> None:
    codes = [f"A{n:02}" for n in range(60)]
    rates = rates_of(pd.concat([RATES.iloc[:1]] * 60).set_axis(pd.Index(codes, name="metier_code")))
    facts = pd.concat([facts_of().iloc[:1].assign(metier_code=code) for code in codes])
    labels = study.metier_labels() | {code: f"{code} {'m' * 80}" for code in codes}
    large = workbook.book(INPUTS, "chimie", rates, facts, labels, EDITION)
    for name, each in {"one": invented(), "other": invented(), "large": large}.items():
        downloads.write_workbook(each, tmp_path / f"{name}.xlsx")
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "other.xlsx").read_bytes()
    assert (tmp_path / "large.xlsx").stat().st_size <= 300_000


@pytest.fixture(scope="module")
def chemistry() -> dict[str, pd.DataFrame]:
    """Rates and métiers of a branch: its cells and national rates invented, the rest as shipped."""
    ages = besoins.ages(INPUTS, EDITION)
    metiers = ages["metier_code"].unique()
    known = {"departure_rate_pct": 2.5, "growth_rate_pct": 0.5, "nature": "official_projection"}
    national = pd.DataFrame({"metier_code": metiers[pd.Index(metiers).str.len() == 5]} | known)
    national = pd.concat([national, pd.DataFrame([{"metier_code": "ENS"} | known])])
    national["growth_rate_pct"] -= national["metier_code"].isin(["E0Z20", "D1Z41"])
    heads = {"N0Z90": 9.0, "autres_metiers": 99.0, "E1Z41": 20.0}
    cells = pd.DataFrame([*heads.items()], columns=["metier_code", "employment_headcount"])
    cells = cells.assign(
        departure_rate_pct=[3.0, 4.0, 5.0], origin="public", nature=known["nature"]
    )
    given = (national, ages, EDITION)
    tables = {
        name: by_age.rates(INPUTS, "chimie", some, *given)
        for name, some in {
            "rates": cells,
            "none": cells.head(0),
            "nd": cells.assign(departure_rate_pct=[3.0, None, 5.0]),
        }.items()
    }
    alarms = shortlist.alarms(
        national, shared.metier_tensions(INPUTS).rename(columns={"year": "tension_year"})
    )
    needs = {"facts": {by_age.RATES: tables["rates"]}, "unknown": {}}
    tables |= {
        name: chain.metiers(INPUTS, "chimie", each, alarms, EDITION) for name, each in needs.items()
    }
    return tables | {"cells": cells, "ages": ages}


def test_rates_by_age_are_those_learnt_and_the_published_one(
    chemistry: dict[str, pd.DataFrame],
) -> None:
    ages = chemistry["ages"]
    learnt = learn_rates(ages[ages["branch_code"] == ""], steps=2).query("step == 2")
    stay = learnt.set_index(["metier_code", "first_age"])["survival_ratio"]
    wide = chemistry["rates"].pivot(
        index="metier_code", columns="age_band", values="departure_rate_pct"
    )
    assert [*chemistry["rates"]["metier_code"].unique()] == ["E1Z41", "N0Z90", "autres_metiers"]
    for code in ("E1Z41", "N0Z90"):
        assert wide.loc[code, "45-49 ans"] == pytest.approx(10 * (1 - stay[code, 45]))
        assert wide.loc[code, "50-54 ans"] == pytest.approx(20 * (1 - stay[code, 50]))
        assert wide.loc[code, "55-59 ans"] == pytest.approx(20 * (1 - stay[code, 55]))
        assert wide.loc[code, "60-64 ans"] == wide.loc[code, "65 ans ou plus"] == 20
    known = chemistry["cells"].set_index("metier_code")["departure_rate_pct"]
    assert wide["âge inconnu"].to_dict() == pytest.approx(known.to_dict())
    unknown = [
        chemistry[name].query("metier_code == 'autres_metiers' and age_band == 'âge inconnu'")
        for name in ("nd", "none")
    ]
    assert unknown[0]["departure_rate_pct"].item() == unknown[1]["departure_rate_pct"].item()
    years = chemistry["rates"].groupby("source_code")[["start_year", "end_year"]].max()
    assert years.to_numpy().tolist() == [[2023, 2028], [2019, 2030]]


def test_a_branch_without_a_headcount_has_the_metiers_of_the_field(
    chemistry: dict[str, pd.DataFrame],
) -> None:
    codes = chemistry["none"]["metier_code"].unique()
    assert 40 < len(codes) <= 60
    assert chemistry["none"]["departure_rate_pct"].between(0, 25).all()
    assert (chemistry["none"].dtypes == chemistry["rates"].dtypes).all()


def test_what_is_known_of_each_metier_is_published(chemistry: dict[str, pd.DataFrame]) -> None:
    facts = chemistry["facts"].set_index("metier_code")
    assert [*facts.index] == ["E1Z41", "N0Z90"]
    assert facts.loc["E1Z41", "certifications"].startswith("CQP conducteur d'équipement")
    titles = set(INPUTS["certifications"]["title"])
    named = facts["certifications"].str.split(" ; ").explode()
    assert set(named[named != ""]) <= titles
    links = INPUTS["fap_rome"].groupby("metier_code")["rome_code"].agg(set)
    moves = INPUTS["rome_moves"]
    for code, near in facts["near_metier_codes"].items():
        for each in near.split():
            named = moves["rome_code"].isin(links[each]) & moves["target_rome_code"].isin(
                links[code]
            )
            assert named.any(), (code, each)
    assert (facts["near_metier_codes"] != "").all()
    assert chemistry["unknown"].empty
