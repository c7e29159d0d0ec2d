"""Pages of métiers: their numbers are those of the tables, official ones those of the producers.

That every link leads somewhere is checked whenever a site is built.
"""

import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
import site_edition as given
from readings import agrees

from opmq_lib.questions.metier import chain
from opmq_lib.questions.metier.page import WORDS
from opmq_lib.runs import folders
from opmq_lib.site import embedded as embedded_engine
from opmq_lib.site import manifest, metiers, names
from opmq_lib.site.finish import finish
from opmq_lib.site.stage import environment
from opmq_lib.sources import embedded, study

METIER, RARE = "G1Z70", "F3Z40"
SHOWN = re.compile(r'data-cell="(\w+):(\d+):(\w+)">([^<]+)<')
ASKED = '["01_emplois", "02_besoins"]'
COLUMNS = (
    "branch_code,metier_code,region_code,year,indicator,variant,value,lower,upper,interval_level,"
    "reliability_grade,unit,status,nature,origin,source_code\n"
)
TAUX = "branch_code,metier_code,departure_rate_pct,ages_basis,nature,origin\n"
NAMED = (
    '<table><caption>Métiers</caption><tbody><tr><th scope="row">Soudeurs</th><td>1</td></tr>'
    "</tbody></table><table><caption>Familles (FAP-2021)</caption><tbody>"
    '<tr><th scope="row">Soudeurs</th><td>1</td></tr></tbody></table>'
    '<p>On manque de « Soudeurs ». <span data-metier="D2Z41">1. Tuyauteurs</span></p>'
)


def rows(code: str, name: str, unit: str, year: int, *cells: str) -> str:
    """Return the row of one métier, a line per cell: `value,lower,upper,level,grade`."""
    return "".join(
        f"{code},{METIER},FM,{year},{name},,{cell},{unit},value,estimate,public,estimate_b1\n"
        for cell in cells
    )


def needs(code: str, left: str) -> dict[str, dict[str, str]]:
    jobs = rows(code, "employment_headcount", "headcount", 2018, "5267.6,2636.6,10524.2,0.8,B")
    share = rows(code, "employment_share_pct", "pct", 2018, "2.33,1.17,4.66,0.8,B")
    rate = rows(code, "departure_rate_pct", "pct_per_year", 2030, "2.3,1.6,3.1,0.8,A")
    gone = rows(code, "career_end_departures_headcount", "headcount", 2030, left)
    all_jobs = gone.splitlines()[0].replace(METIER, "ENS").split(",")
    all_jobs[4:11] = ["national_departure_rate_pct", "", "2.53", "", "", "", ""]
    country = ",".join(all_jobs) + "\n"
    return {
        "01_emplois": {"emplois.csv": COLUMNS + jobs + share},
        "02_besoins": {
            "besoins.csv": COLUMNS + rate + gone + country,
            "besoins_taux.csv": f"{TAUX}{code},{METIER},2.2,national,official_projection,public\n",
        },
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the pages of métiers of an edition in which three branches have run, one withheld."""
    root = given.project(tmp_path_factory.mktemp("edition"))
    for path in (root / "parameters/branches").glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace('["01_emplois"]', ASKED), encoding="utf-8")
    given.template(root, "02_besoins")
    page = given.executed_notebook(given.markdown("# Page"))
    left = {"chimie": "500.8,224.5,1113.6,0.8,C", "textile": "90.2,10.4,813.1,0.8,D"}
    left |= {"metallurgie": "7008.2,4110.3,11000.9,0.8,B", "plasturgie": "123.4,60.0,250.0,0.8,C"}
    for code, departures in left.items():
        origin = "own" if code == "plasturgie" else "public"
        for notebook, tables in needs(code, departures).items():
            given.run(root, code, notebook, page, tables, origin=origin)
    edition, project = manifest.read(root), tmp_path_factory.mktemp("project")
    templates = environment(edition, "embedded").get_template
    for name, source in metiers.pages(root, edition, templates, project).items():
        folders.write(project / name, source.encode())
    folders.write(project / "branches/chimie/page.qmd", f"---\ntitle: Page\n---\n{NAMED}".encode())
    folders.write(project / "_quarto.yml", (root / "_quarto.yml").read_bytes())
    made, outside = embedded_engine.build(project)
    assert outside == []
    site = project / "outputs/site"
    pages = names.linked_pages(finish(made, site, "essai"), study.metier_labels())
    for name, html in pages.items():
        folders.write(site / name, html.encode())
    return site


@pytest.fixture(scope="module")
def page(built: Path) -> str:
    return (built / f"metiers/{METIER}.html").read_text(encoding="utf-8")


def text(html: str) -> str:
    """Return the words of a piece of page, its no-break spaces plain."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def part(html: str, name: str) -> str:
    """Return one section of a page, by its identifier."""
    (found,) = re.findall(rf'<section [^>]*aria-labelledby="{name}">.*?</section>', html, re.DOTALL)
    return str(found)


def test_the_answer_comes_first_with_its_number_its_interval_and_its_letter(page: str) -> None:
    """2.2 divided and multiplied by exp(1.2816 √(0.15² + 0.06²)) = 1.23."""
    (answer,) = re.findall(r'<p class="opmq-answer">(.*?)</p>', page, re.DOTALL)
    assert text(answer).replace(" ,", ",").strip() == (
        "Métier très en tension partout en métropole : d’ici à 2030, 2,2 départs à remplacer par "
        "an pour 100 emplois ( 1,8 à 2,7 , huit chances sur dix ; fiabilité A ), "
        "contre 2,5 tous métiers réunis."
    ).replace(" ,", ",")


def test_official_numbers_are_those_of_the_producers(page: str) -> None:
    national = embedded.load("employment_national").set_index(["metier_code", "year"])
    assert national.loc[(METIER, 2018), "employment_headcount"] == pytest.approx(275_863.61)
    assert "276 000" in text(page)
    official = embedded.load("official_projections")
    family = official[official["metier_code"] == METIER[:3]]
    assert len(family) == 13
    sums = family[["employment_headcount", "net_creation_headcount", "departures_headcount"]].sum()
    assert sums.round().tolist() == [481_092.0, 47_702.0, 113_397.0]
    evolution = text(part(page, "evolution"))
    assert "529 000" in evolution
    assert "113 000 départs et une création nette de 47 700 emplois dans la famille" in evolution
    ages = embedded.load("age_structure").query("metier_code == @METIER")
    old = ages[ages["age_band"].isin(["50-54 ans", "55-59 ans", "60 ans ou plus"])]
    shares = old.groupby("period")["share"].sum()
    assert shares[["2003-2005", "2017-2019"]].round(2).tolist() == [0.22, 0.26]
    assert "26 % ont 50 ans ou plus, contre 22 % en 2004" in text(part(page, "ages"))


def test_tiles_are_the_regional_tensions_of_the_dares(page: str) -> None:
    table = embedded.load("tension_regions").query("metier_code == @METIER")
    index = table.set_index("region_code")["tension_index"]
    tiles = re.findall(r'<li class="t(\d)"[^>]*><span>(.*?)</span> <b>(.*?)</b>', page)
    assert len(tiles) == 18
    found = {unescape(name): text(value).strip() for _, name, value in tiles}
    for code, name in study.region_labels().items():
        if code == "06":
            assert found[name] == "nd"
        else:
            assert found[name].replace("−", "-").replace(",", ".") == f"{index[code]:.1f}"
    assert {shade for shade, name, _ in tiles if name == "Mayotte"} == {"0"}


def test_every_number_of_a_page_is_a_cell_of_its_tables(built: Path, page: str) -> None:
    with zipfile.ZipFile(built / "telechargements/metiers/metiers_csv.zip") as archive:
        tables = {
            name.removesuffix(".csv"): pd.read_csv(archive.open(name), sep=";", decimal=",")
            for name in archive.namelist()
        }
    rare = (built / f"metiers/{RARE}.html").read_text(encoding="utf-8")
    for html, least in ((page, 90), (rare, 40)):
        found = SHOWN.findall(html)
        assert len(found) > least
        for table, row, column, shown in found:
            value = float(tables[table].loc[int(row), column])
            if column == "image_weight":
                value *= 100
            number = unescape(shown)
            rounded = [value, value * 0.9995, value * 1.0005]  # the file has four digits
            assert any(agrees(number, each) for each in rounded), (table, row, column, shown)


def test_branches_stand_by_departures_and_those_too_fragile_apart(page: str) -> None:
    branches = part(page, "branches")
    ranked, _, apart = branches.partition("trop fragile")
    assert re.findall(r"branches/(\w+)/index", ranked) == ["metallurgie", "chimie"]
    assert re.findall(r"branches/(\w+)/index", apart) == ["textile"]
    limits = text(part(page, "limites"))
    assert "propres et ne sont pas publiés : Plasturgie" in limits
    assert "123" not in text(branches)


@pytest.mark.parametrize(
    ("count", "said"), [(8, ""), (9, "La branche suivante"), (10, "Les 2 branches suivantes")]
)
def test_one_branch_that_follows_is_one(count: int, said: str) -> None:
    branches = defaultdict(str, sure=[defaultdict(str, low=0, high=9, at=5)] * count)
    found = re.findall(r"<summary>(.*?)</summary>", str(WORDS.branches({"branches": branches}, "")))
    assert found == [said] * bool(said)


def test_the_place_in_a_short_list_is_that_of_the_branch() -> None:
    listed = {"branch_code": "chimie", "metier_code": METIER, "rank": [3.0, 7.0], "year": 2018}
    listed |= {"is_shown": ["yes", "no"], "nature": "estimate"}
    found = chain.in_branches({"shortlist": pd.DataFrame(listed)}, [METIER])
    assert found[["indicator", "value"]].to_numpy().tolist() == [[chain.RANK, 3.0]]


def test_a_metier_of_no_branch_has_a_short_page_that_says_so(built: Path, page: str) -> None:
    rare = (built / f"metiers/{RARE}.html").read_text(encoding="utf-8")
    assert len(rare) < 0.6 * len(page)
    assert "Aucune branche étudiée n’en emploie assez" in text(rare)
    assert 'aria-labelledby="branches"' not in rare


def test_pages_are_light_and_their_alternatives_short(built: Path) -> None:
    for path in (built / "metiers").glob("*.html"):
        assert path.stat().st_size <= 60_000, path.name
        html = path.read_text(encoding="utf-8")
        for alternative in re.findall(r'<svg [^>]*aria-label="([^"]*)"', html):
            assert 40 < len(alternative) <= 200, path.name


def test_every_metier_has_a_page_that_the_index_leads_to(built: Path) -> None:
    metiers = embedded.load("metiers").query("nomenclature == 'FAP-2009' and level == 'fap225'")
    field = {*metiers.loc[metiers["scope"] != "other", "metier_code"]}
    left_out = pd.read_csv(given.PROJECT / "parameters/tables/metiers_left_out.csv", dtype=str)
    pages = {path.stem for path in (built / "metiers").glob("*.html")} - {"index"}
    assert field - {*left_out["metier_code"]} <= pages
    index = (built / "metiers/index.html").read_text(encoding="utf-8")
    assert {*re.findall(r'href="(\w{5})\.html"', index)} == pages
    chosen = re.findall(r"<summary>([^<(]*)", index)
    assert [each.strip() for each in chosen] == [
        "Industries chimiques", "Industries textiles", "Métallurgie"
    ]  # fmt: skip


def links(html: str) -> Iterator[str]:
    yield from re.findall(r'<a href="([^"]*metiers/[A-Z]\w{4}\.html)">', html)


def test_names_lead_to_pages_but_in_tables_about_the_other_nomenclature(built: Path) -> None:
    html = (built / "branches/chimie/page.html").read_text(encoding="utf-8")
    assert [*links(html)] == [
        "../../metiers/D2Z42.html", "../../metiers/D2Z42.html", "../../metiers/D2Z41.html"
    ]  # fmt: skip
    assert "1. Tuyauteurs</a>" in html


@pytest.mark.parametrize(
    "kept",
    [
        '<a href="x.html">Soudeurs</a>',
        "<svg><text>Soudeurs</text></svg>",
        '<img alt="« Soudeurs »">',
        "<p>Soudeurs de bateaux</p>",
        "<p>Chefs soudeurs</p>",
    ],
)
def test_other_words_are_left_alone(kept: str) -> None:
    codes = {"Soudeurs": "D2Z42"}
    assert names.linked(kept, "", codes, names.pattern(codes), "") == kept
    own = "<h1>Soudeurs</h1>"
    assert names.linked(own, "", codes, names.pattern(codes), "D2Z42") == own


def test_the_style_sheet_closes_what_it_opens_before_the_next_part() -> None:
    """A part that fell into the print rules of the one before it was read on paper only."""
    text = (given.PROJECT / "opmq_lib/site/theme/opmq.css").read_text(encoding="utf-8")
    parts = re.split(r"(?m)^(?=/\*)", text)
    assert len(parts) > 10
    assert [part[:40] for part in parts if part.count("{") != part.count("}")] == []
